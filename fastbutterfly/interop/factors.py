"""Butterflies from and to the formats of other libraries, as plain arrays.

- lists of sparse or dense factors, outermost factor first: SciPy, FAuST;
- arrays (a, b, c, d) of Kronecker-sparse factors, outermost first: lazylinop;
- twiddles (stacks, blocks, depth, n/2, 2, 2): torch_butterfly.

None of these libraries has to be installed. `B.factors()` writes the first format.
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
        Outermost factor first, as `Butterfly.factors` has them, and
        ``[F.factors(k) for k in range(F.numfactors())]`` of a pyfaust.Faust.

    Returns
    -------
    Butterfly or Chain
        A chain if there are permutations between other factors.

    Raises
    ------
    ValueError, TypeError
        If there is no factor, or the shapes of neighbours do not fit.

    Notes
    -----
    Each factor gets the pattern (a, b, c, d) with the fewest weights that covers its
    non-zeros; at worst that is (1, n_out, n_in, 1), a dense factor. Permutations become
    the order of inputs or outputs, with a diagonal layer if their entries are not 1.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> from fastbutterfly.interchange import from_factors
    >>> from_factors(fb.hadamard(8).factors()) == fb.hadamard(8)
    True
    """
    from scipy.sparse import coo_array  # slow to import

    matrices = []
    for k, factor in enumerate(arguments.as_list("factors", factors)):
        if not hasattr(factor, "tocoo"):
            factor = arguments.as_numbers(f"factors[{k}]", factor)
        if len(factor.shape) != 2 or not min(factor.shape):
            raise ValueError(
                f"factors[{k}] must have two dimensions, got shape {factor.shape}"
            )
        matrices.append(coo_array(factor))
    if not matrices:
        raise ValueError("factors must hold at least one matrix, got none")
    for k, (outer, inner) in enumerate(pairwise(matrices)):
        if outer.shape[1] != inner.shape[0]:
            raise ValueError(
                f"factors must fit: number {k} has shape {outer.shape}, "
                f"number {k + 1} has shape {inner.shape}"
            )
    dtype = arguments.common_dtype(np.float32, *matrices)
    parts = [part for factor in matrices[::-1] for part in _parts(factor, dtype)]
    return _joined(parts, dtype)


def _parts(factor, dtype):
    """A factor as a permutation, a (pattern, blocks), or one after the other."""
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
    """The input of each output of a permutation; None for others, and the identity."""
    if not n_out == n_in == len(rows):
        return None
    source = np.full(n_in, n_in)  # n_in: no input
    source[rows] = columns
    identity = np.arange(n_in)
    is_permutation = np.array_equal(np.sort(source), identity)
    is_identity = np.array_equal(source, identity)
    return source if is_permutation and not is_identity else None


def smallest_pattern(n_out, n_in, rows, columns):
    """The pattern with the fewest weights that covers these entries.

    All divisors d and a are tried: the entries must keep i % d, and lie in the diagonal
    blocks that a cuts.
    """
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
    operators, layers, inputs = [], [], None
    for part in parts:
        if isinstance(part, tuple):
            layers.append(part)
            continue
        if layers:
            operators.append(_butterfly(layers, inputs, part))
            layers, inputs = [], None
        else:
            inputs = part if inputs is None else inputs[part]
    if layers or inputs is not None:
        n = 0 if inputs is None else len(inputs)
        layers = layers or [((n, 1, 1, 1), np.ones((n, 1, 1), dtype))]
        operators.append(_butterfly(layers, inputs, None))
    return operators[0] if len(operators) == 1 else Chain(operators[::-1])


def _butterfly(layers, source, outputs):
    pattern, blocks = zip(*layers, strict=True)
    inputs = None if source is None else inverse(source)
    return Butterfly.from_blocks(blocks, pattern, inputs=inputs, outputs=outputs)


def from_kronecker_sparse(values: Sequence[ArrayLike]) -> Butterfly:
    """Make a butterfly from arrays (a, b, c, d), outermost factor first.

    Parameters
    ----------
    values : sequence of arrays
        values[l][i, j, k, m] is entry (i b d + j d + m, i c d + k d + m) of factor l,
        as in `ks_values` of lazylinop's `ksm`.

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
    """Return the blocks as arrays (a, b, c, d), outermost factor first.

    Parameters
    ----------
    B : Butterfly
        With all inputs and outputs, in order.

    Returns
    -------
    list of arrays (a, b, c, d)
        Contiguous copies, as `from_kronecker_sparse` takes them.

    Raises
    ------
    TypeError
        If B is no butterfly.
    ValueError
        If it has an order of inputs or outputs, for which the format has no room.
    """
    _refuse_order(B)
    values = []
    for (a, b, c, d), blocks in zip(B.pattern, B.blocks, strict=True):
        factor = blocks.reshape(a, d, b, c).transpose(0, 2, 3, 1)
        values.insert(0, np.ascontiguousarray(factor))
    return values


def from_twiddle(
    twiddle: ArrayLike, *, increasing_stride: bool = True
) -> Butterfly | Chain:
    """Make an operator from a twiddle of torch_butterfly.

    Parameters
    ----------
    twiddle : array, shape (1, blocks, depth, n/2, 2, 2)
        ``module.twiddle.detach().numpy()``, of one stack.
    increasing_stride : bool
        The module's option: whether the strides of the first block increase. The order
        alternates from block to block.

    Returns
    -------
    Butterfly or Chain
        A butterfly if there is one block.

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
    stride, operators = "increasing" if increasing_stride else "decreasing", []
    for weights in twiddle[0]:
        operators.insert(0, Butterfly(weights, stride=stride))
        stride = patterns.REVERSED[stride]
    return operators[0] if len(operators) == 1 else Chain(operators)


def to_twiddle(B: Butterfly | Chain) -> tuple[NDArray, bool]:
    """Return the twiddle of torch_butterfly and its option `increasing_stride`.

    Parameters
    ----------
    B : Butterfly or Chain
        Of 2x2 blocks, with all inputs and outputs, in order.

    Returns
    -------
    twiddle : array, shape (1, blocks, depth, n/2, 2, 2)
    increasing_stride : bool

    Raises
    ------
    TypeError
        If B, or an operator of the chain, is no butterfly.
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
