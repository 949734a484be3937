"""Path products: weights multiplied along a binary tree for each selected coordinate.

1. Node 1 of a tree is its root, with product 1; the nodes of step t are h = 2**t ...
   2 h - 1.
2. Node h + j leads to nodes 2 h + j and 3 h + j, whose products are its own times the
   weights at positions stay[h + j] and move[h + j].
3. Backwards, from the leaves to the root: a node's gradient is a sum over the two nodes
   that it leads to, and a weight's has a term for each tree and node that it leads to.
"""

from .._jit.options import jit


@jit
def products(weights, stay, move, tree):
    """tree[i, node] = product of the weights on the path from root i to the node."""
    for i in range(len(tree)):
        tree[i, 1] = 1
        h = 1
        while 2 * h < tree.shape[1]:
            for j in range(h):
                parent = tree[i, h + j]
                tree[i, 2 * h + j] = parent * weights[stay[i, h + j]]
                tree[i, 3 * h + j] = parent * weights[move[i, h + j]]
            h *= 2


@jit
def products_back(weights, stay, move, tree, gradient, gweights):
    """From the gradient of the leaves, in `gradient`, add to `gweights`.

    gradient (coordinates, nodes): that of the inner nodes is written.
    """
    for i in range(len(tree)):
        h = tree.shape[1] // 4
        while h > 0:
            for j in range(h):
                parent = tree[i, h + j].conjugate()
                a, b = stay[i, h + j], move[i, h + j]
                stayed, moved = gradient[i, 2 * h + j], gradient[i, 3 * h + j]
                gweights[a] += stayed * parent
                gweights[b] += moved * parent
                back = stayed * weights[a].conjugate() + moved * weights[b].conjugate()
                gradient[i, h + j] = back
            h //= 2
