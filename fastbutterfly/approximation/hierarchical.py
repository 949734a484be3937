"""Blocks of one product of layers -> blocks of each layer, with the errors of splits.

Words: see `_chain`. A node is the product of some consecutive layers, stored as the
blocks (a * d, b, c) of its pattern.
"""

import numpy as np

from .leading_vectors import best_range
from .splitting import cheapest


def decompose(node, chain, errors, rank=None):
    """Layers whose product is near the node.

    Parameters
    ----------
    node : array (a * d, b, c)
        Blocks of the product.
    chain : tuple of patterns
        Of the layers wanted.
    errors : list
        Takes the squared error of each split.
    rank : int, optional
        r of the cut above, if the rows of each part there are to be orthonormal; their
        lengths and mixtures are then lost.

    Returns
    -------
    layers : list of arrays
        Blocks of each layer.
    blocks : array or None
        With `rank`: the blocks of their product.

    Notes
    -----
    M is approximated by U Z, parts of U with orthonormal columns; Z by W Q, parts of Q
    with orthonormal rows; U is forgotten for X = M Q^H, the best for this Q; and X is
    decomposed. As M - U Z is orthogonal to all U (.), and M - X Q to all (.) Q,

        |M - X' Q|^2 = |M - X Q|^2 + |X - X'|^2
                    <= |M - U Z|^2 + |Z - W Q|^2 + |X - X'|^2:

    the squared error is at most the sum of those of the splits, for any tree. Z and X
    are what maps of norm at most one make of M, and these take products of layers to
    products of layers. So no split errs more than the best product of layers does.
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
    found = np.zeros((*parts.shape[:4], split.r, split.n), node.dtype)
    for k in split.slabs():
        slab = np.ascontiguousarray(parts[:, :, k])
        flat = slab.reshape(-1, split.m, split.n)
        basis = best_range(flat, split.r)
        kept = basis.conj().swapaxes(1, 2) @ flat
        error += _square(flat - _times(basis, kept))
        found[:, :, k, :, : kept.shape[1]] = kept.reshape(*slab.shape[:4], -1, split.n)
    return split.as_first(found), error


def _project(split, node, orthonormal):
    """M Q^H, as blocks."""
    parts = split.parts(node)
    rows = split.parts_of_first(orthonormal)
    found = np.empty((*parts.shape[:5], split.r), node.dtype)
    for k in split.slabs():
        adjoint = np.ascontiguousarray(rows[:, :, k].conj()).swapaxes(4, 5)
        np.matmul(parts[:, :, k], adjoint, out=found[:, :, k])
    return split.as_last(found)


def _multiply(split, last, first):
    return split.as_node(_times(split.parts_of_last(last), split.parts_of_first(first)))


def _orthonormal_rows(leaf, rank):
    """Make each `rank` rows that one part above has orthonormal; surplus ones zero."""
    count, b, c = leaf.shape
    rows = leaf.reshape(count, rank, b // rank, c).swapaxes(1, 2)
    if rank == 1:
        length = np.linalg.norm(rows, axis=3, keepdims=True)
        found = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    else:
        q = np.linalg.qr(rows.conj().swapaxes(2, 3))[0]
        found = np.zeros_like(rows)
        found[:, :, : q.shape[3]] = q.conj().swapaxes(2, 3)
    return found.swapaxes(1, 2).reshape(leaf.shape)


def _times(left, right):
    """Product of many small matrices; the broadcast is faster for rank one."""
    return left * right if left.shape[-1] == 1 else left @ right


def _square(array):
    return np.vdot(array, array).real
