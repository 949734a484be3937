"""Paths: products of weights along a binary tree for each of a few coordinates.

Node 1 of a tree is the root, those of step t are h = 2**t ... 2 h - 1, and node h + j
leads to nodes 2 h + j and 3 h + j, by weights whose positions are stay and move.
"""

from .._jit.options import jit


@jit
def products(weights, stay, move, found):
    """found[i, node] = product of the weights on the path from the root of tree i."""
    for i in range(len(found)):
        found[i, 1] = 1
        h = 1
        while 2 * h < found.shape[1]:
            for j in range(h):
                last = found[i, h + j]
                found[i, 2 * h + j] = last * weights[stay[i, h + j]]
                found[i, 3 * h + j] = last * weights[move[i, h + j]]
            h *= 2


@jit
def products_back(weights, stay, move, found, gradient, gweights):
    """From the gradient of the leaves, in `gradient`, add to that of the weights."""
    for i in range(len(found)):
        h = found.shape[1] // 4
        while h > 0:
            for j in range(h):
                last = found[i, h + j].conjugate()
                a, b = stay[i, h + j], move[i, h + j]
                stayed, moved = gradient[i, 2 * h + j], gradient[i, 3 * h + j]
                gweights[a] += stayed * last
                gweights[b] += moved * last
                back = stayed * weights[a].conjugate() + moved * weights[b].conjugate()
                gradient[i, h + j] = back
            h //= 2
