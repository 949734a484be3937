"""Hierarchical factorisation: the blocks of a product -> the blocks of each layer.

Terms as in `splitting`: a node is the product of some consecutive layers of a chain,
stored as the blocks (a * d, b, c) of its pattern.
"""

import numpy as np

from .leading_vectors import best_range
from .splitting import cheapest


def decompose(node, chain, errors, rank=None):
    """Layers whose product approximates the node.

    Parameters
    ----------
    node : array (a * d, b, c)
        Blocks of the product.
    chain : tuple of patterns
        Patterns of the layers.
    errors : list
        The squared error of each split is appended.
    rank : int, optional
        r of the split above. If given, the rows of each part of the product are made
        orthonormal there: only their spans are kept.

    Returns
    -------
    layers : list of arrays
        Blocks of each layer.
    blocks : array or None
        With `rank`: the blocks of their product.

    Notes
    -----
    1. M is approximated by U Z, with orthonormal columns in the parts of U.
    2. Z is decomposed into W Q, with orthonormal rows in the parts of Q.
    3. U is replaced by X = M Q^H, the best left factor for this Q.
    4. X is decomposed, with result X'.

    As M - U Z is orthogonal to all U (.), and M - X Q to all (.) Q,

        |M - X' Q|^2 = |M - X Q|^2 + |X - X'|^2
                    <= |M - U Z|^2 + |Z - W Q|^2 + |X - X'|^2:

    the squared error is at most the sum of those of the splits, for any tree. Z and X
    are images of M under maps of norm at most one, which take products of layers to
    products of layers. So the error of no split exceeds that of the best product.
    """
    if len(chain) == 1:
        leaf = node if rank is None else _orthonormal_rows(node, rank)
        return [leaf], leaf
    cut, split = cheapest(chain)
    remainder, error = _compress(split, node)
    errors.append(error)
    first, orthonormal = decompose(remainder, chain[:cut], errors, split.r)
    best = _project(split, node, orthonormal)
    last, blocks = decompose(best, chain[cut:], errors, rank)
    if rank is None:
        return first + last, None
    return first + last, _multiply(split, blocks, orthonormal)


def multiply(layers, chain):
    """Blocks of the product of the layers."""
    if len(chain) == 1:
        return layers[0]
    cut, split = cheapest(chain)
    halves = multiply(layers[cut:], chain[cut:]), multiply(layers[:cut], chain[:cut])
    return _multiply(split, *halves)


def squared_distance(node, layers, chain):
    """|node - product of the layers|^2, never holding that product."""
    if len(chain) == 1:
        return _square(node - layers[0])
    cut, split = cheapest(chain)
    parts = split.parts(node)
    last = split.parts_of_last(multiply(layers[cut:], chain[cut:]))
    first = split.parts_of_first(multiply(layers[:cut], chain[:cut]))
    return sum(
        _square(parts[:, :, k] - _times(last[:, :, k], first[:, :, k]))
        for k in split.slabs()
    )


def _compress(split, node):
    """Z of the node, as blocks, and |M - U Z|^2."""
    parts, error = split.parts(node), 0.0
    compressed = np.zeros((*parts.shape[:4], split.r, split.n), node.dtype)
    for k in split.slabs():
        slab = np.ascontiguousarray(parts[:, :, k])
        flat = slab.reshape(-1, split.m, split.n)
        basis = best_range(flat, split.r)
        Z = basis.conj().swapaxes(1, 2) @ flat
        error += _square(flat - _times(basis, Z))
        compressed[:, :, k, :, : Z.shape[1]] = Z.reshape(*slab.shape[:4], -1, split.n)
    return split.as_first(compressed), error


def _project(split, node, orthonormal):
    """M Q^H, as blocks."""
    parts = split.parts(node)
    rows = split.parts_of_first(orthonormal)
    projected = np.empty((*parts.shape[:5], split.r), node.dtype)
    for k in split.slabs():
        adjoint = np.ascontiguousarray(rows[:, :, k].conj()).swapaxes(4, 5)
        np.matmul(parts[:, :, k], adjoint, out=projected[:, :, k])
    return split.as_last(projected)


def _multiply(split, last, first):
    return split.as_node(_times(split.parts_of_last(last), split.parts_of_first(first)))


def _orthonormal_rows(leaf, rank):
    """The leaf with groups of `rank` rows made orthonormal; surplus rows are zero.

    A group is the rows that belong to one part of the split above.
    """
    count, b, c = leaf.shape
    rows = leaf.reshape(count, rank, b // rank, c).swapaxes(1, 2)
    if rank == 1:
        norm = np.linalg.norm(rows, axis=3, keepdims=True)
        unit = np.divide(rows, norm, out=np.zeros_like(rows), where=norm > 0)
    else:
        q = np.linalg.qr(rows.conj().swapaxes(2, 3))[0]
        unit = np.zeros_like(rows)
        unit[:, :, : q.shape[3]] = q.conj().swapaxes(2, 3)
    return unit.swapaxes(1, 2).reshape(leaf.shape)


def _times(left, right):
    """Product of many small matrices; the broadcast is faster for rank one."""
    return left * right if left.shape[-1] == 1 else left @ right


def _square(array):
    return np.vdot(array, array).real
