"""factorize: recovery, errors and bounds against products built entry by entry."""

import laws
import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
from scipy.sparse.linalg import LinearOperator

import fastbutterfly as fb
from fastbutterfly.approximation import factorize
from fastbutterfly.approximation.leading_vectors import best_range
from fastbutterfly.operators import Sum

PATTERNS = {
    "mixed": [(20, 3, 3, 1), (4, 5, 5, 3), (1, 4, 4, 15)],
    "mixed, decreasing": [(1, 4, 4, 15), (4, 5, 5, 3), (20, 3, 3, 1)],
    "Monarch": [(6, 8, 8, 1), (1, 6, 6, 8)],
    "Monarch of rank two": [(6, 16, 8, 1), (1, 6, 12, 8)],
    "rectangular": [(8, 3, 4, 1), (2, 5, 4, 3), (1, 2, 2, 15)],
    "rectangular, decreasing": [(1, 2, 2, 15), (2, 4, 5, 3), (8, 4, 3, 1)],
    "rank two": [(8, 4, 2, 1), (4, 4, 4, 2), (2, 4, 4, 4), (1, 2, 4, 8)],
    "rank three": [(4, 9, 3, 1), (2, 6, 6, 3), (1, 4, 6, 6)],
    "one layer": [(2, 3, 4, 5)],
    "with holes": [(12, 2, 2, 3), (6, 2, 2, 6)],
    "dense": [(1, 5, 7, 1)],
}
PATTERN = pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)


def layer_matrix(blocks, pattern):
    """I_a (x) dense (x) I_d entry by entry."""
    a, b, c, d = pattern
    matrix = np.zeros((a * b * d, a * c * d), np.result_type(blocks, float))
    for number, block in enumerate(np.asarray(blocks, matrix.dtype)):
        i, k = divmod(number, d)
        rows = i * b * d + np.arange(b) * d + k
        columns = i * c * d + np.arange(c) * d + k
        matrix[np.ix_(rows, columns)] = block
    return matrix


def product(blocks, pattern):
    """Dense product of layers, the first applied first."""
    matrix = np.eye(pattern[0][0] * pattern[0][2] * pattern[0][3])
    for layer in map(layer_matrix, blocks, pattern):
        matrix = layer @ matrix
    return matrix


def dense(B):
    """Dense matrix of a butterfly or a sum, from its blocks."""
    if isinstance(B, Sum):
        return sum(map(dense, B.operators))
    matrix = product(B.blocks, B.pattern)
    matrix = matrix if B.inputs is None else matrix[:, B.inputs]
    return matrix if B.outputs is None else matrix[B.outputs]


def draw(rng, pattern, dtype=np.float64):
    """A random product."""
    blocks = [laws.draw(rng, (a * d, b, c), dtype) for a, b, c, d in pattern]
    return product(blocks, pattern).astype(dtype)


def noise_of(rng, A, size):
    noise = laws.draw(rng, A.shape, A.dtype)
    return noise * (size * np.linalg.norm(A) / np.linalg.norm(noise))


def check(found, A):
    """The error is the true one, and the bounds hold; return the error."""
    double = np.asarray(A, np.result_type(A, float))
    true = np.linalg.norm(dense(found.operator) - double) / np.linalg.norm(double)
    eps = np.finfo(float).eps
    assert abs(found.error - true) <= 64 * eps + 1e-9 * true
    assert true <= found.bound
    assert found.best_at_least <= true
    if not isinstance(found.operator, Sum):
        rounding = 1e3 * np.finfo(found.operator.dtype).eps
        guaranteed = found.constant * found.best_at_least
        assert true <= (1 + 1e-9) * guaranteed + rounding
    return true


@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("n", [2, 4, 8, 64, 128])
def test_random_butterflies_are_found(n, order, dtype, rng):
    A = laws.dense(laws.draw_weights(rng, n, dtype), order).astype(dtype)
    found = factorize(A, stride=order)
    assert found.operator.dtype == dtype
    assert found.operator.stride == order or n == 2
    assert found.permutation == "identity"
    assert check(found, A) <= 4 * laws.tolerance(dtype, n)
    laws.assert_close(found.operator.to_dense(), dense(found.operator), n)


@pytest.mark.parametrize("dtype", [np.float64, np.complex64])
@PATTERN
def test_random_products_are_found(pattern, dtype, rng):
    A = draw(rng, pattern, dtype)
    found = factorize(A, pattern=pattern)
    assert found.operator.pattern == tuple(pattern)
    assert found.operator.dtype == dtype
    assert check(found, A) <= 16 * laws.tolerance(dtype, len(A))


@pytest.mark.parametrize("size", [1e-8, 1e-3, 0.1, 1, 100])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@PATTERN
def test_noise(pattern, dtype, size, rng):
    A = draw(rng, pattern, dtype)
    noise = noise_of(rng, A, size)
    found = factorize(A + noise, pattern=pattern, permutation=None)
    error = check(found, A + noise)
    best = np.linalg.norm(noise) / np.linalg.norm(A + noise)  # at most this
    assert found.best_at_least <= best
    assert error <= (1 + 1e-9) * found.constant * best + 1e-13
    assert error <= 1


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("n", [4, 64, 256])
def test_known_transforms(n, order):
    hadamard = scipy.linalg.hadamard(n)
    found = factorize(hadamard, stride=order)
    assert check(found, hadamard) <= 1e-13
    for A in (np.fft.fft(np.eye(n)), np.fft.ifft(np.eye(n))):
        found = factorize(A, stride=order)
        assert check(found, A) <= 1e-13
        assert found.permutation == "bit_reversal" or n == 4
        named = factorize(A, stride=order, permutation="bit_reversal")
        kept = (
            named.operator.inputs if order == "increasing" else named.operator.outputs
        )
        given = factorize(A, stride=order, permutation=kept)
        assert given.operator == named.operator


def test_sequency():
    n = 64
    hadamard = scipy.linalg.hadamard(n)
    changes = (np.diff(hadamard, axis=1) != 0).sum(axis=1)
    walsh = hadamard[np.argsort(changes)]
    found = factorize(walsh)
    assert check(found, walsh) <= 1e-13
    assert found.permutation == "sequency"


def test_fourier_of_other_sizes():
    A = np.fft.fft(np.eye(60))
    found = factorize(A, radices=(3, 4, 5))
    assert check(found, A) <= 1e-13
    assert found.permutation == "bit_reversal"


@pytest.mark.parametrize("name", ["bit_reversal", "even_odd", "shuffle", "transpose"])
def test_orders_are_recognised(name, rng):
    n = 64
    A = laws.dense(laws.draw_weights(rng, n, np.float64), "increasing")
    index = factorize(A, permutation=name).operator.inputs
    found = factorize(A[:, index])
    assert check(found, A[:, index]) <= 1e-13
    np.testing.assert_array_equal(found.operator.inputs, index)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("order", laws.STRIDES)
def test_rank(rank, order, rng):
    A = rng.standard_normal((32, 32))
    found = factorize(A, rank=rank, stride=order)
    check(found, A)
    again = dense(found.operator)
    assert check(factorize(again, rank=rank, stride=order), again) <= 1e-13
    assert check(factorize(A, rank=32), A) <= 1e-13
    if rank > 1:
        assert found.error < factorize(A, rank=rank - 1, stride=order).error


def test_low_rank_and_holes(rng):
    for A in (np.eye(16), np.zeros((16, 16)), np.ones((16, 16)), np.diag(range(16))):
        found = factorize(A, rank=2)
        assert found.error <= min(found.bound, 1e-13)
        np.testing.assert_allclose(dense(found.operator), A, atol=1e-12)
    A = rng.standard_normal((16, 16))
    A[:, 5] = A[3] = 0
    check(factorize(A), A)


@pytest.mark.parametrize("size", [1e-9, 1e-4, 0.03, 0.3, 0.7, 30])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize(("m", "n"), [(8, 8), (5, 17), (17, 2), (1, 6), (6, 1)])
def test_power_iteration_is_as_good_as_svd(m, n, dtype, size, rng):
    matrices = laws.draw(rng, (200, m, 1), dtype) @ laws.draw(rng, (200, 1, n), dtype)
    matrices = matrices + size * laws.draw(rng, matrices.shape, dtype)
    u = best_range(matrices, 1)
    rest = matrices - u @ (u.conj().swapaxes(1, 2) @ matrices)
    values = np.linalg.svd(matrices, compute_uv=False)
    best = np.linalg.norm(values[:, 1:], axis=1)
    error = np.linalg.norm(rest, axis=(1, 2))
    assert (error <= best * (1 + 1e-9) + 1e-14 * values[:, 0]).all()


def test_terms(rng):
    first, second = (
        laws.dense(laws.draw_weights(rng, 32, np.float64), order)
        for order in laws.STRIDES
    )
    A = first + 0.1 * second
    found = factorize(A, terms=6, tol=0.02)
    assert check(found, A) == pytest.approx(found.errors[-1])
    assert list(found.errors) == sorted(found.errors, reverse=True)
    assert len(found.operator.operators) == len(found.errors) > 1
    assert found.constant == np.inf
    assert len(factorize(first, terms=4, tol=1e-10).errors) == 1


def test_refinement(rng):
    A = laws.dense(laws.draw_weights(rng, 16, np.float64), "decreasing")
    A = A + noise_of(rng, A, 0.5)
    plain = factorize(A, stride="decreasing", permutation=None)
    refined = factorize(A, stride="decreasing", permutation=None, refine=30)
    assert refined.error < plain.error
    assert refined.error <= refined.bound
    true = np.linalg.norm(dense(refined.operator) - A) / np.linalg.norm(A)
    assert refined.error == pytest.approx(true)
    holes = [(12, 2, 2, 3), (6, 2, 2, 6), (3, 2, 2, 12)]
    A = draw(rng, holes, np.complex128)
    A = A + noise_of(rng, A, 0.3)
    errors = [factorize(A, pattern=holes, refine=steps).error for steps in (0, 20)]
    assert errors[1] < errors[0]


def test_sources(rng):
    B = fb.Butterfly.random(16, rng=rng)
    A = B.to_dense()
    expected = factorize(A).operator
    operators = [B, B.as_linear_operator(), scipy.sparse.csr_array(A), A.tolist()]
    operators += [LinearOperator(A.shape, matvec=A.dot, matmat=A.dot, dtype=A.dtype)]
    operators += [np.asfortranarray(A), fb.Chain([B])]
    for operator in operators:
        found = factorize(operator)
        laws.assert_close(found.operator.to_dense(), expected.to_dense(), 16)
    wide = fb.Butterfly.random(512, rng=rng)
    assert factorize(wide).error <= 1e-13
    assert factorize(A, dtype=np.complex64).operator.dtype == np.complex64


def test_one_by_one():
    assert factorize([[3]]).operator.to_dense() == [[3.0]]


def test_sum_is_an_operator(rng):
    terms = [fb.Butterfly.random(8, rng=rng), fb.truncated(8, 8, rng=rng)]
    S, matrix = Sum(terms), sum(B.to_dense() for B in terms)
    x = rng.standard_normal((3, 8))
    laws.assert_close(S.apply(x), x @ matrix.T, 8)
    laws.assert_close(S @ x.T, matrix @ x.T, 8)
    laws.assert_close(x @ S, x @ matrix, 8)
    laws.assert_close(S.H @ x.T, matrix.T @ x.T, 8)
    laws.assert_close((S @ S).to_dense(), matrix @ matrix, 8)
    out = np.empty((8, 3))
    assert S.apply(x.T, axis=0, out=out) is out
    laws.assert_close(out, matrix @ x.T, 8)
    gx, gweights = S.vjp(x, x)
    laws.assert_close(gx, x @ matrix, 8)
    for got, B in zip(gweights, terms, strict=True):
        np.testing.assert_array_equal(got, B.vjp(x, x)[1])
    assert S == Sum(terms) != Sum(terms[:1])
    with pytest.raises(ValueError, match=r"one shape, got the shapes"):
        Sum([terms[0], fb.identity(4)])
    with pytest.raises(ValueError, match="got none"):
        Sum([])
    with pytest.raises(TypeError, match="got ndarray"):
        Sum([matrix])


BAD = {
    "vector": (np.ones(4), {}, r"A must be a matrix.*got shape \(4,\)"),
    "empty": (np.ones((0, 4)), {}, r"not empty, got shape \(0, 4\)"),
    "NaN": (np.diag([1, np.nan, 1, np.inf]), {}, r"finite, got nan at A\[1, 1\]"),
    "tol": (np.eye(4), {"tol": "a"}, "tol must be a number, at least 0, got 'a'"),
    "negative tol": (np.eye(4), {"tol": -1}, "tol must be a number"),
    "nan tol": (np.eye(4), {"tol": np.nan}, "tol must be a number"),
    "not square": (np.ones((4, 8)), {}, "A must be square unless pattern"),
    "prime": (np.eye(131), {}, "prime factor above 128, got 131; append zeros"),
    "radices": (np.eye(12), {"radices": (3, 3)}, r"product n = 12, got \(3, 3\)"),
    "misfit": (np.eye(8), {"pattern": [(1, 4, 4, 1)]}, r"shape \(8, 8\), got one of"),
    "broken": (
        np.eye(8),
        {"pattern": [(4, 2, 2, 1), (1, 4, 4, 1)]},
        "pattern must be a chain: layer 0",
    ),
    "not chainable": (
        np.eye(8),
        {"pattern": [(4, 2, 2, 1), (1, 2, 2, 4), (2, 2, 2, 2)]},
        r"layer 1, .* cannot follow layer 0, .*: its d = 4 does not divide",
    ),
    "both": (np.eye(4), {"pattern": [(1, 4, 4, 1)], "rank": 2}, "must be None if"),
    "rank": (np.eye(4), {"rank": 0}, "rank must be at least 1"),
    "terms": (np.eye(4), {"terms": 0}, "terms must be at least 1"),
    "stride": (np.eye(4), {"stride": "up"}, "stride must be one of"),
    "order": (np.eye(4), {"permutation": "odd"}, "permutation must be one of.*'auto'"),
    "short order": (np.eye(4), {"permutation": [1, 0]}, "order all 4 coordinates"),
    "real": (1j * np.eye(4), {"dtype": np.float64}, "must be complex for a complex A"),
}


@pytest.mark.parametrize(("A", "options", "message"), BAD.values(), ids=BAD)
def test_bad_input(A, options, message):
    with pytest.raises(ValueError, match=message):
        factorize(A, **options)


def test_composite_sizes_have_radices_of_their_own():
    B = fb.Butterfly.random(60, rng=0)
    found = fb.factorize(B.to_dense(), permutation=None)
    assert found.operator.pattern == B.pattern
    assert found.error < 1e-13


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e-25, 1e20, 1e100, 1e170, 1e300])
def test_any_scale(scale, rng):
    A = rng.standard_normal((8, 8))
    found, plain = fb.factorize(scale * A), fb.factorize(A)
    assert abs(found.error - plain.error) < 1e-12
    assert abs(found.bound - plain.bound) < 1e-12
    distance = found.operator.to_dense() / scale - plain.operator.to_dense()
    assert np.abs(distance).max() < 1e-12
    if 1e-30 < scale < 1e30:
        single = fb.factorize((scale * A).astype(np.float32))
        assert abs(single.error - plain.error) < 1e-6
