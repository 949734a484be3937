"""factorize: a matrix as a butterfly, with its error and bounds on the best error."""

import math
import numbers
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .._base import arguments
from .._base.permutations import inverse
from .._plans import patterns
from ..operators import Butterfly, Sum
from . import hierarchical, input_orders, splitting
from .leading_vectors import LOSS
from .refinement import refined

COLUMNS = 256  # of an operator computed at a time: the identity is never held whole


@dataclass(frozen=True)
class Factorization:
    """Result of `factorize`; errors are in the Frobenius norm, relative to that of A.

    Attributes
    ----------
    operator : Butterfly or Sum
        The approximation; a sum if more than one term was needed.
    error : float
        |A - operator| / |A|, computed from the operator's weights.
    bound : float
        Upper bound on the error that the algorithm guarantees a priori.
    constant : float
        The error is at most this constant times the smallest error of any butterfly of
        the pattern and order, plus rounding; infinite for a sum.
    best_at_least : float
        Lower bound on the error of any product of such layers; zero for a sum.
    permutation : str
        The order of the inputs or outputs that was chosen: a name, or "given".
    errors : tuple of float
        The error after each term.
    """

    operator: Butterfly | Sum
    error: float
    bound: float
    constant: float
    best_at_least: float
    permutation: str
    errors: tuple[float, ...]


def factorize(
    A: ArrayLike,
    *,
    pattern=None,
    stride: str = "increasing",
    radices=None,
    rank: int = 1,
    permutation="auto",
    terms: int = 1,
    tol: float = 0.0,
    refine: int = 0,
    dtype: DTypeLike | None = None,
) -> Factorization:
    """Approximate a matrix by a butterfly, or by a sum of butterflies.

    Parameters
    ----------
    A : array (n_out, n_in), sparse array, LinearOperator or anything with `matmat`
        Operators are applied to the identity.
    pattern : sequence of (a, b, c, d), optional
        Patterns of the layers in order of application, see `Butterfly.from_blocks`;
        strides d may grow or shrink. None: the square pattern that stride, radices and
        rank describe.
    stride : {"increasing", "decreasing"}
        Order of the strides.
    radices : sequence of int, optional
        Sizes of the blocks, from small strides to large; None: as
        `Butterfly.random`.
    rank : int
        Number of paths between an input and an output; there are rank * n coordinates
        between two layers.
    permutation : str, None or array of int
        Order of the inputs, or for decreasing strides of the outputs: "identity" (or
        None), "bit_reversal", "even_odd", "shuffle", "transpose", "sequency" (powers of
        two), or the operator's `inputs` (`outputs`). "auto" compares the named ones on
        a sample of submatrices of A, and takes the identity unless another is clearly
        better.
    terms : int
        Maximum number of butterflies; each approximates the residual of those before.
    tol : float
        Error at which no further term is added.
    refine : int
        Steps of L-BFGS on all weights of a term after the hierarchical algorithm.
    dtype : dtype, optional
        Of the weights; None: that of A. All is computed in double precision.

    Returns
    -------
    Factorization

    Raises
    ------
    ValueError, TypeError
        If A is not a finite matrix, the pattern is not chainable or does not fit A, or
        an option is not as described.

    Notes
    -----
    The hierarchical algorithm with orthonormalisation (Le, Zheng, Riccietti and
    Gribonval, 2024, arXiv 2411.04506), on a balanced tree. The first split replaces
    submatrices of A by their best approximations of rank r; the two factors are split
    in turn. With S_i the errors of the k - 1 splits of k layers,

        error <= bound = sqrt(S_1^2 + ... + S_{k-1}^2) <= sqrt(k - 1) max S,

    and max S = best_at_least is at most the error of every product of such layers. This
    holds for any tree since the half with orthonormal rows is decomposed first and the
    other half is projected onto the result, not merely rescaled; the proof is in
    `hierarchical.decompose`. Both include rounding.

    Permutations that flip low bits of an index depending on its higher bits (reversals,
    Gray code) are butterflies themselves; so the candidates for `permutation` are
    orders of the bits, and "sequency".

    Examples
    --------
    >>> import numpy as np
    >>> import fastbutterfly as fb
    >>> result = fb.factorize(np.fft.fft(np.eye(64)))
    >>> result.error < 1e-14, result.permutation
    (True, 'bit_reversal')
    >>> result.operator.shape, result.operator.n_weights
    ((64, 64), 768)
    """
    matrix = _as_matrix(A)
    dtype = _as_dtype(dtype, matrix)
    terms = arguments.as_size("terms", terms)
    refine = arguments.as_size("refine", refine, least=0)
    if not isinstance(tol, numbers.Real) or not tol >= 0:
        raise ValueError(f"tol must be a number, at least 0, got {tol!r}")
    chain, transposed = _as_chain(matrix.shape, pattern, stride, radices, rank)
    double = np.result_type(dtype, np.float64)
    target, scale, norm = _scaled(matrix, double)
    target = target.T if transposed else target
    name, source = input_orders.choose(permutation, target, chain)
    target = target if source is None else target.take(source, axis=1)
    residual, outside = _on_support(target, splitting.product(chain))
    summands, errors, squares = [], [], []
    while not summands or (len(summands) < terms and errors[-1] > tol):
        splits = [outside]
        layers = hierarchical.decompose(residual, chain, splits)[0]
        layers = refined(layers, chain, residual, refine) if refine else layers
        layers = [layer.astype(dtype) for layer in layers]
        rounded = [layer.astype(double) for layer in layers]
        square = outside + hierarchical.squared_distance(residual, rounded, chain)
        error = math.sqrt(square) / norm if norm else 0.0
        if errors and error >= errors[-1]:
            break  # the residual is rounding error
        squares = splits
        errors.append(error)
        summands.append(_operator(layers, chain, transposed, source, scale))
        if len(summands) < terms:
            residual = residual - hierarchical.multiply(rounded, chain)
    is_sum = len(summands) > 1
    bound, best_at_least = _bounds(squares, chain, dtype, norm)
    return Factorization(
        operator=Sum(summands) if is_sum else summands[0],
        error=errors[-1],
        bound=bound,
        constant=math.inf if is_sum else math.sqrt(max(1, len(chain) - 1)),
        best_at_least=0.0 if is_sum else best_at_least,
        permutation=name,
        errors=tuple(errors),
    )


def _bounds(squares, chain, dtype, norm):
    """Relative upper bound of the error, and lower bound of any product's error.

    `squares` are |A outside the pattern|^2 and the squared errors of the splits.
    """
    unit = 1 / norm if norm else 0.0
    outside, *splits = squares
    bound = min(math.sqrt(sum(squares)) * unit, 1.0) + _rounding(chain, dtype)
    lower = math.sqrt(outside + max(splits, default=0.0)) * (1 - LOSS) * unit
    return bound, max(lower - _rounding(chain, np.float64), 0.0)


def _as_matrix(A):
    if hasattr(A, "toarray"):
        A = A.toarray()
    elif hasattr(A, "matmat") and not isinstance(A, np.ndarray):
        A = _columns(A)
    A = arguments.as_numbers("A", A)
    if A.ndim != 2 or not A.size:
        raise ValueError(
            f"A must be a matrix, with two dimensions and not empty, "
            f"got shape {A.shape}"
        )
    return A


def _columns(operator):
    """The matrix of a linear operator, from products with the identity."""
    n = operator.shape[1]
    steps = range(0, n, COLUMNS)
    return np.hstack(
        [operator.matmat(np.eye(n, min(COLUMNS, n - k), -k)) for k in steps]
    )


def _as_dtype(dtype, matrix):
    if dtype is None:
        return arguments.common_dtype(np.float32, matrix)
    dtype = arguments.as_dtype(dtype)
    if matrix.dtype.kind == "c" and dtype.kind != "c":
        raise ValueError(
            f"dtype must be complex for a complex A, got {dtype.name}; use A.real"
        )
    return dtype


def _scaled(matrix, double):
    """The matrix in double precision over a power of two, that, and the norm.

    Norms beyond 1e+-30 are scaled to about 1, so that no square over- or underflows;
    for a power of two the division is exact.
    """
    scaled, scale = matrix.astype(double, copy=False), 1.0
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        square = np.vdot(scaled, scaled).real
    if not 1e-60 < square < 1e60:
        bad = np.argwhere(~np.isfinite(matrix))
        if len(bad):
            i, j = map(int, bad[0])
            raise ValueError(
                f"A must be finite, got {matrix[i, j]} at A[{i}, {j}]"
                f" and {len(bad) - 1} more such elements"
            )
        scale = 2.0 ** (np.frexp(np.abs(scaled).max())[1] - 1)
        scaled = scaled / scale
        square = np.vdot(scaled, scaled).real
    return scaled, scale, math.sqrt(square)


def _as_chain(shape, pattern, stride, radices, rank):
    arguments.as_choice("stride", stride, patterns.REVERSED)
    if pattern is None:
        if shape[0] != shape[1]:
            raise ValueError(
                f"A must be square unless pattern is given, got shape {shape}"
            )
        pattern = splitting.square_pattern(shape[0], stride, radices, rank)
    elif radices is not None or rank != 1:
        raise ValueError("pattern must be None if radices or rank is given")
    pattern = patterns.as_patterns(pattern)
    described = patterns.n_out(pattern[-1]), patterns.n_in(pattern[0])
    if described != shape:
        raise ValueError(
            f"pattern must describe a matrix of A's shape {shape}, got one of "
            f"{described}"
        )
    return splitting.as_chain(pattern)


def _on_support(matrix, pattern):
    """The matrix's entries in the pattern, as blocks; |entries outside of it|^2."""
    a, b, c, d = pattern
    if a * d == 1:
        return np.ascontiguousarray(matrix)[np.newaxis], 0.0
    outside = matrix.reshape(a, b, d, a, c, d).copy()
    inside = np.einsum("abdacd->adbc", outside)  # a view
    blocks = inside.reshape(a * d, b, c).copy()
    inside[...] = 0
    return blocks, np.vdot(outside, outside).real


def _operator(layers, chain, transposed, source, scale):
    """The butterfly of these layers for the matrix as the user has given it."""
    layers = [*layers[:-1], layers[-1] * layers[-1].dtype.type(scale)]
    kept = None if source is None else inverse(source)
    if not transposed:
        return Butterfly.from_blocks(layers, chain, inputs=kept)
    layers = [layer.swapaxes(1, 2) for layer in reversed(layers)]
    return Butterfly.from_blocks(layers, patterns.transposed(chain), outputs=kept)


def _rounding(chain, dtype):
    """Bound on the relative error by rounding of the weights and of all sums."""
    rank = max(splitting.ranks(chain), default=1)
    return 8 * (len(chain) + 1) * math.sqrt(rank) * float(np.finfo(dtype).eps)
