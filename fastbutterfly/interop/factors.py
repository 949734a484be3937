"""Interchange: butterflies from and to what other libraries keep them in.

- lists of sparse or dense factors, the one applied last first: SciPy, FAuST;
- arrays (a, b, c, d) of Kronecker-sparse factors, in the same order: lazylinop;
- twiddles (stacks, blocks, depth, n/2, 2, 2): torch_butterfly.

Nothing of them is needed here: `B.factors()` writes the first kind.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base import arguments
from .._base.permutations import inverse
from .._plans import patterns
from ..operators import Butterfly, Chain

__all__ = [
    "from_factors",
    "from_kronecker_sparse",
    "from_twiddle",
    "to_kronecker_sparse",
    "to_twiddle",
]


def from_factors(factors: Sequence) -> Butterfly | Chain:
    """Make an operator from the sparse factors of a matrix.

    Parameters
    ----------
    factors : sequence of 2-D arrays, or of SciPy's sparse arrays or matrices
        The one applied last first, as `Butterfly.factors` has them, and
        ``[F.factors(k) for k in range(F.numfactors())]`` of a pyfaust.Faust.

    Returns
    -------
    Butterfly or Chain
        A chain if there are permutations between other factors.

    Raises
    ------
    ValueError, TypeError
        If there is none, or the shapes of neighbours do not fit.

    Notes
    -----
    Each factor gets the pattern (a, b, c, d) with the fewest weights that has a place
    for all its non-zeros; at worst that is (1, n_out, n_in, 1), a dense factor.
    Permutations become the order of inputs or outputs, with a diagonal layer if they
    scale.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> from fastbutterfly.interchange import from_factors
    >>> from_factors(fb.hadamard(8).factors()) == fb.hadamard(8)
    True
    """
    from scipy.sparse import coo_array  # slow to import

    found = []
    for k, factor in enumerate(arguments.as_list("factors", factors)):
        if not hasattr(factor, "tocoo"):
            factor = arguments.as_numbers(f"factors[{k}]", factor)
        if len(factor.shape) != 2 or not min(factor.shape):
            raise ValueError(
                f"factors[{k}] must have two dimensions, got shape {factor.shape}"
            )
        found.append(coo_array(factor))
    if not found:
        raise ValueError("factors must hold at least one matrix, got none")
    for k in range(1, len(found)):
        if found[k - 1].shape[1] != found[k].shape[0]:
            raise ValueError(
                f"factors must fit: number {k - 1} has shape {found[k - 1].shape}, "
                f"number {k} has shape {found[k].shape}"
            )
    dtype = arguments.common_dtype(np.float32, *found)
    parts = [part for factor in found[::-1] for part in _with_pattern(factor, dtype)]
    return _joined(parts, dtype)


def _with_pattern(factor, dtype):
    """Permutations, and pairs of pattern and blocks, the one applied first first."""
    factor.sum_duplicates()
    factor.eliminate_zeros()
    rows, columns, values = factor.row, factor.col, factor.data
    n_out, n_in = factor.shape
    source = _permutation(rows, columns, n_out, n_in)
    if source is not None:
        if (values == 1).all():
            return [source]
        scale = np.empty((n_out, 1, 1), dtype)
        scale[rows, 0, 0] = values
        return [source, ((n_out, 1, 1, 1), scale)]
    a, b, c, d = smallest_pattern(n_out, n_in, rows, columns)
    blocks = np.zeros((a * d, b, c), dtype)
    block = rows // (b * d) * d + rows % d
    blocks[block, rows // d % b, columns // d % c] = values
    return [((a, b, c, d), blocks)]


def _permutation(rows, columns, n_out, n_in):
    """The input of each output, None if not one for one, or the same."""
    if not n_out == n_in == len(rows):
        return None
    source = np.full(n_in, n_in)
    source[rows] = columns
    every = np.arange(n_in)
    is_one = np.array_equal(np.sort(source), every)
    return source if is_one and not np.array_equal(source, every) else None


def smallest_pattern(n_out, n_in, rows, columns):
    """The pattern with the fewest weights that has a place for these entries."""
    common = np.gcd(n_out, n_in)
    best = 1, n_out, n_in, 1
    for d in _divisors(common):
        if (rows % d != columns % d).any():
            continue
        for a in _divisors(common // d):
            b, c = n_out // (a * d), n_in // (a * d)
            if (rows // (b * d) == columns // (c * d)).all():
                best = min(best, (a, b, c, d), key=patterns.n_stored)
    return best


def _divisors(n):
    return [k for k in range(1, n + 1) if n % k == 0]


def _joined(parts, dtype):
    """One butterfly for each run of layers between permutations, in a chain."""
    found, layers, inputs = [], [], None
    for part in parts:
        if isinstance(part, tuple):
            layers.append(part)
            continue
        if layers:
            found.append(_butterfly(layers, inputs, part))
            layers, inputs = [], None
        else:
            inputs = part if inputs is None else inputs[part]
    if layers or inputs is not None:
        n = 0 if inputs is None else len(inputs)
        layers = layers or [((n, 1, 1, 1), np.ones((n, 1, 1), dtype))]
        found.append(_butterfly(layers, inputs, None))
    return found[0] if len(found) == 1 else Chain(found[::-1])


def _butterfly(layers, source, outputs):
    pattern, blocks = zip(*layers, strict=True)
    inputs = None if source is None else inverse(source)
    return Butterfly.from_blocks(blocks, pattern, inputs=inputs, outputs=outputs)


def from_kronecker_sparse(values: Sequence[ArrayLike]) -> Butterfly:
    """Make a butterfly from arrays (a, b, c, d), the factor applied last first.

    Parameters
    ----------
    values : sequence of arrays
        values[l][i, j, k, m] is entry (i b d + j d + m, i c d + k d + m) of factor l;
        what lazylinop's `ksm` takes and returns as `ks_values`.

    Returns
    -------
    Butterfly

    Raises
    ------
    ValueError, TypeError
        If an array has not four dimensions, or neighbours do not fit.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> from fastbutterfly.interchange import *
    >>> B = fb.Butterfly.random(6, rng=0)
    >>> from_kronecker_sparse(to_kronecker_sparse(B)) == B
    True
    """
    pattern, blocks = [], []
    for k, factor in enumerate(arguments.as_list("values", values)):
        factor = arguments.as_numbers(f"values[{k}]", factor)
        if factor.ndim != 4:
            raise ValueError(
                f"values[{k}] must have four dimensions (a, b, c, d), got shape "
                f"{factor.shape}"
            )
        a, b, c, d = factor.shape
        pattern.insert(0, (a, b, c, d))
        blocks.insert(0, factor.transpose(0, 3, 1, 2).reshape(a * d, b, c))
    return Butterfly.from_blocks(blocks, pattern)


def to_kronecker_sparse(B: Butterfly) -> list[NDArray]:
    """Return the blocks as arrays (a, b, c, d), the layer applied last first.

    Raises
    ------
    ValueError
        If the butterfly has an order of inputs or outputs, which these do not keep.
    """
    _refuse_order(B)
    found = []
    for (a, b, c, d), blocks in zip(B.pattern, B.blocks, strict=True):
        values = blocks.reshape(a, d, b, c).transpose(0, 2, 3, 1)
        found.insert(0, np.ascontiguousarray(values))
    return found


def from_twiddle(
    twiddle: ArrayLike, *, increasing_stride: bool = True
) -> Butterfly | Chain:
    """Make an operator from a twiddle of torch_butterfly.

    Parameters
    ----------
    twiddle : array, shape (1, blocks, depth, n/2, 2, 2)
        ``module.twiddle.detach().numpy()``; of one stack.
    increasing_stride : bool
        The module's option: the order of the strides of the first block, which then
        alternates.

    Returns
    -------
    Butterfly or Chain
        A butterfly for one block.

    Raises
    ------
    ValueError, TypeError
        If the shape is not as described.
    """
    twiddle = arguments.as_numbers("twiddle", twiddle)
    if twiddle.ndim != 6 or twiddle.shape[0] != 1 or not twiddle.shape[1]:
        raise ValueError(
            "twiddle must have shape (1, blocks, depth, n/2, 2, 2), got "
            f"{twiddle.shape}; for several stacks make one operator of each"
        )
    stride, found = "increasing" if increasing_stride else "decreasing", []
    for weights in twiddle[0]:
        found.insert(0, Butterfly(weights, stride=stride))
        stride = patterns.REVERSED[stride]
    return found[0] if len(found) == 1 else Chain(found)


def to_twiddle(B: Butterfly | Chain) -> tuple[NDArray, bool]:
    """Return the twiddle of torch_butterfly and its option `increasing_stride`.

    Raises
    ------
    ValueError
        If there are other blocks than 2x2, orders of inputs or outputs, or a chain
        whose strides do not alternate.
    """
    operators = B.operators[::-1] if isinstance(B, Chain) else (B,)
    for operator in operators:
        _refuse_order(operator)
        if not operator.is_binary:
            raise ValueError(
                "a twiddle has blocks of 2x2 and a power of two of coordinates, got "
                f"the pattern {operator.pattern}"
            )
    strides = [operator.stride for operator in operators]
    for first, second in pairwise(strides):
        if second != patterns.REVERSED[first]:
            raise ValueError(
                f"the strides of a twiddle's blocks alternate, got {strides}"
            )
    twiddle = np.stack([operator.weights for operator in operators])
    return twiddle[np.newaxis], strides[0] == "increasing"


def _refuse_order(B):
    if not isinstance(B, Butterfly):
        raise TypeError(f"only a Butterfly has such blocks, got {type(B).__name__}")
    if B.inputs is not None or B.outputs is not None:
        raise ValueError(
            "only layers are kept, not the order of inputs and outputs: "
            "apply that separately, or use factors()"
        )
