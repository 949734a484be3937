"""Inverse, determinant, diagonal and bounds against LAPACK; chains of operators."""

import pickle

import laws
import numpy as np
import pytest
from numpy.linalg import LinAlgError

import fastbutterfly as fb

SIZES = [1, 2, 8, 64, 3, 12, 35, 60]
CASES = pytest.mark.parametrize(
    ("n", "dtype"), [(n, dtype) for n in SIZES for dtype in laws.DTYPES]
)


def permuted(rng, n, dtype, init="gaussian"):
    """A square butterfly whose inputs and outputs are permuted."""
    stride = ("increasing", "decreasing")[rng.integers(2)]
    B = fb.Butterfly.random(n, init=init, stride=stride, dtype=dtype, rng=rng)
    orders = {"inputs": rng.permutation(n), "outputs": rng.permutation(n)}
    return B.from_blocks(B.blocks, B.pattern, **orders) if n > 1 else B


def assert_near(actual, expected, condition, n):
    """Relative error in norm that rounding explains, for such a condition number."""
    allowed = condition * laws.tolerance(actual.dtype, n)
    assert np.linalg.norm(actual - expected) <= allowed * np.linalg.norm(expected)


@CASES
def test_inverse_and_solve(n, dtype, rng):
    B = permuted(rng, n, dtype)
    matrix = B.to_dense().astype(np.result_type(dtype, float))
    inverse, condition = B.inv(), B.condition_bound()
    assert inverse.dtype == dtype
    assert inverse.shape == (n, n)
    assert_near(inverse.to_dense(), np.linalg.inv(matrix), condition, n)
    assert_near(inverse.inv().to_dense(), matrix, condition, n)
    x = laws.draw(rng, (n, 3), dtype)
    assert_near(B.solve(B @ x), x, condition**2, n)
    assert_near(B.solve(B @ x[:, 0]), x[:, 0], condition**2, n)


@CASES
def test_determinant(n, dtype, rng):
    B = permuted(rng, n, dtype)
    matrix = B.to_dense().astype(np.result_type(dtype, float))
    sign, logabsdet = B.slogdet()
    expected = np.linalg.slogdet(matrix)
    slack = n * laws.tolerance(dtype, n) * B.condition_bound()
    assert abs(sign - expected.sign) <= slack
    assert abs(logabsdet - expected.logabsdet) <= slack


@CASES
def test_bounds(n, dtype, rng):
    B = permuted(rng, n, dtype)
    matrix = B.to_dense().astype(np.result_type(dtype, float))
    slack = 1 + laws.tolerance(dtype, n)
    assert np.linalg.cond(matrix) <= B.condition_bound() * slack
    gap = np.linalg.norm(matrix.conj().T @ matrix - np.eye(n), 2)
    assert gap <= B.orthogonality_bound() * slack + laws.tolerance(dtype, n)
    Q = permuted(rng, n, dtype, "orthogonal")
    assert Q.condition_bound() <= 1 + n * laws.tolerance(dtype, n)
    assert Q.orthogonality_bound() <= n * laws.tolerance(dtype, n)


@CASES
def test_diagonal_and_trace(n, dtype, rng):
    B = permuted(rng, n, dtype)
    diagonal = B.to_dense().diagonal()
    size = np.linalg.norm(B.to_dense())
    assert np.linalg.norm(B.diagonal() - diagonal) <= laws.tolerance(dtype, n) * size
    assert abs(B.trace() - diagonal.sum()) <= n * laws.tolerance(dtype, n) * size


def test_diagonal_of_any_chain(rng):
    B = fb.Butterfly.random(8, rng=rng)
    twice = B.from_blocks([*B.blocks, *B.blocks], [*B.pattern, *B.pattern])
    np.testing.assert_allclose(
        twice.diagonal(), (B.to_dense() @ B.to_dense()).diagonal()
    )


def test_a_single_layer_has_an_exact_condition_number(rng):
    for shape in ((4, 2, 2), (3, 5, 5)):
        block = rng.standard_normal(shape)
        b = shape[1]
        B = fb.Butterfly.from_blocks([block], [(shape[0], b, b, 1)])
        np.testing.assert_allclose(B.condition_bound(), np.linalg.cond(B.to_dense()))


@pytest.mark.parametrize("n", [8, 12])
def test_singular_and_badly_conditioned(n, rng):
    B = fb.Butterfly.random(n, rng=rng)
    for value, message in (
        (0.0, "block 1 of layer 1 is singular"),
        (1e-17, "layer 1 is too badly conditioned.*block 1 is"),
        (np.nan, "layer 1 has blocks with NaN"),
    ):
        blocks = [np.array(layer) for layer in B.blocks]
        blocks[1][1] = np.diag([value, *np.ones(len(blocks[1][1]) - 1)])
        broken = B.from_blocks(blocks, B.pattern)
        with pytest.raises(LinAlgError, match=message):
            broken.inv()
        with pytest.raises(LinAlgError, match=message):
            broken.solve(np.ones(n))
    blocks[1][1] = 0
    broken = B.from_blocks(blocks, B.pattern)
    assert broken.condition_bound() == np.inf
    assert broken.slogdet()[1] == -np.inf


def test_what_is_not_square_has_no_inverse():
    for B in (fb.truncated(3, 8), fb.truncated(8, 8).T, fb.truncated(7, 7)):
        if B.shape != (8, 8):
            with pytest.raises(ValueError, match="only a square butterfly"):
                B.inv()
    B = fb.Butterfly.from_blocks(
        [np.ones((2, 3, 2)), np.ones((2, 2, 3))], [(2, 3, 2, 1), (2, 2, 3, 1)]
    )
    with pytest.raises(ValueError, match="all blocks must be square"):
        B.slogdet()
    with pytest.raises(ValueError, match="diagonal needs a square"):
        fb.truncated(3, 8).diagonal()


@pytest.mark.parametrize("dtype", laws.REAL)
@pytest.mark.parametrize("depth", [0, 1, 4, 7])
def test_angles(depth, dtype, rng):
    angles = rng.uniform(-4, 4, (depth, (1 << depth) // 2 if depth else 0)).astype(
        dtype
    )
    B = fb.Butterfly.from_angles(angles)
    assert B.dtype == dtype
    assert B.orthogonality_bound() <= (1 << depth) * laws.tolerance(dtype, 1 << depth)
    sign, logabsdet = B.slogdet()
    assert sign == 1 or depth == 0
    assert abs(logabsdet) < 1e-3
    for shape in ((2, 3), (3,), (1, 1, 1)):
        with pytest.raises(ValueError, match="angles must have shape"):
            fb.Butterfly.from_angles(np.zeros(shape))


def test_as_a_preconditioner(rng):
    from scipy.sparse.linalg import gmres

    B = fb.Butterfly.random(64, init="gaussian", rng=rng)
    A = B.to_dense() + 1e-9 * rng.standard_normal((64, 64))
    b = rng.standard_normal(64)
    steps = []
    options = {"callback_type": "pr_norm", "rtol": 1e-8}
    x, failed = gmres(A, b, M=B.inv(), callback=steps.append, **options)
    assert not failed
    assert len(steps) <= 10
    assert np.linalg.norm(A @ x - b) <= 1e-6 * np.linalg.norm(b)


class TestChain:
    @pytest.mark.parametrize("dtype", laws.DTYPES)
    @pytest.mark.parametrize("n", [1, 8, 12])
    def test_is_the_product(self, n, dtype, rng):
        A, B = (permuted(rng, n, dtype) for _ in range(2))
        chain = A @ B.T @ A.H
        matrix = A.to_dense() @ B.to_dense().T @ A.to_dense().conj().T
        laws.assert_close(chain.to_dense(), matrix, max(n, 2) ** 4)
        laws.assert_close(chain.T.to_dense(), matrix.T, max(n, 2) ** 4)
        laws.assert_close(chain.H.to_dense(), matrix.conj().T, max(n, 2) ** 4)
        x = laws.draw(rng, (4, n, 3), dtype)
        y = np.moveaxis(np.moveaxis(x, 1, -1) @ matrix.T, -1, 1)
        laws.assert_close(chain.apply(x, axis=1), y, max(n, 2) ** 4)
        out = np.empty_like(x)
        assert chain.apply(x, axis=1, out=out) is out
        laws.assert_close(out, y, max(n, 2) ** 4)
        assert len(chain.operators) == 3
        assert chain.n_weights == 3 * A.n_weights

    def test_gradients(self, rng):
        chain = fb.Butterfly.random(8, rng=rng) @ fb.truncated(8, 20, rng=rng)
        x, g = rng.standard_normal((5, 20)), rng.standard_normal((5, 8))
        gx, (gouter, ginner) = chain.vjp(x, g)
        np.testing.assert_allclose(gx, g @ chain.to_dense())
        outer, inner = chain.operators
        for weights, gweights, make in (
            (outer.weights, gouter, lambda w: fb.Butterfly(w) @ inner),
            (
                inner.weights,
                ginner,
                lambda w: (
                    outer @ fb.Butterfly(w, inputs=inner.inputs, outputs=inner.outputs)
                ),
            ),
        ):
            for layer in range(len(weights)):
                other = weights.copy()
                other[layer] = rng.standard_normal(other[layer].shape)
                expected = np.sum(g * make(other).apply(x))
                np.testing.assert_allclose(
                    np.sum(gweights[layer] * other[layer]), expected
                )

    def test_algebra(self, rng):
        chain = permuted(rng, 12, float) @ permuted(rng, 12, float)
        matrix = chain.to_dense()
        np.testing.assert_allclose(
            chain.inv().to_dense(), np.linalg.inv(matrix), rtol=1e-6
        )
        x = rng.standard_normal((12, 2))
        np.testing.assert_allclose(chain.solve(chain @ x), x, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(
            chain.slogdet(), np.linalg.slogdet(matrix), rtol=1e-6
        )
        product = np.linalg.multi_dot([f.toarray() for f in chain.factors()])
        np.testing.assert_allclose(product, matrix, atol=1e-12)

    def test_value(self, rng):
        A, B = fb.Butterfly.random(4, rng=0), fb.Butterfly.random(4, rng=1)
        chain = A @ B
        assert pickle.loads(pickle.dumps(chain)) == chain
        assert chain == fb.Chain([A, B])
        assert chain != fb.Chain([B, A])
        assert hash(chain) == hash(fb.Chain([A, B]))
        assert chain.as_linear_operator().shape == (4, 4)

    def test_bad_input(self):
        A, B = fb.Butterfly.random(4), fb.Butterfly.random(8)
        with pytest.raises(ValueError, match=r"number 0 has shape \(4, 4\), number 1"):
            A @ B
        with pytest.raises(TypeError, match="must hold butterflies"):
            fb.Chain([A, np.eye(4)])
        with pytest.raises(ValueError, match="at least one"):
            fb.Chain([])
        with pytest.raises(ValueError, match=r"4 elements along axis -?1"):
            (A @ A).apply(np.ones((3, 5)))


@pytest.mark.parametrize("scale", [1e-170, 1e-300, 1e170, 1e300])
def test_the_inverse_at_any_scale(scale):
    B = fb.Butterfly(scale * np.array([[[[1.0, 2.0], [-1.0, 1.0]]]]))
    np.testing.assert_allclose(B.solve(B @ [1.0, 1.0]), 1, rtol=1e-14)
    np.testing.assert_allclose(B.condition_bound(), np.linalg.cond(B.to_dense()))
