"""What comes in: every kind of input works or gets an error that names it."""

import laws
import numpy as np
import pytest
import scipy.sparse.linalg as sla

import fastbutterfly as fb

pytestmark = pytest.mark.interpreted


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        ([1, 2, 3, 4], np.float64),
        (np.arange(4, dtype=np.int8), np.float64),
        (np.ones(4, bool), np.float64),
        (np.ones(4, np.float16), np.float32),
        (np.ones(4, np.float32), np.float32),
        (np.ones(4, ">f4"), np.float32),
        (np.ones(4), np.float64),
    ],
)
def test_dtypes_follow_numpy(x, dtype):
    B = fb.Butterfly.random(4, dtype=np.float32, rng=0)
    expected = B.to_dense().astype(float) @ np.asarray(x, float)
    for y in (B @ x, B.apply(x), B.apply([x])[0], x @ B.T):
        assert y.dtype == dtype
        np.testing.assert_allclose(y, expected, rtol=1e-6)
    assert B.vjp(x, x)[1].dtype == dtype


@pytest.mark.parametrize("shape", [(0, 4), (3, 0, 4), (0, 0, 4)])
def test_empty_batches(shape):
    J = fb.truncated(2, 4, rng=0)
    x, g = np.zeros(shape), np.zeros((*shape[:-1], 2))
    assert J.apply(x).shape == g.shape
    gx, gweights = J.vjp(x, g)
    assert gx.shape == shape
    np.testing.assert_array_equal(gweights, np.zeros(J.weights.shape))
    assert (J @ np.zeros((4, 0))).shape == (2, 0)


W = np.ones((2, 2, 2, 2))
B = fb.Butterfly(W)
X = np.ones((3, 4))
ERRORS = [
    (lambda: fb.Butterfly(np.ones((2, 3, 2, 2))), ValueError, r"weights must have sh"),
    (lambda: fb.Butterfly(np.ones((3, 2, 2, 2))), ValueError, r"got \(3, 2, 2, 2\)"),
    (lambda: fb.Butterfly(np.ones(8)), ValueError, r"weights must have shape"),
    (
        lambda: fb.Butterfly(W.astype(np.clongdouble)),
        TypeError,
        "weights must hold real",
    ),
    (lambda: fb.Butterfly(W.astype(object)), TypeError, "dtype object"),
    (lambda: fb.Butterfly([[1], [1, 2]]), ValueError, "weights must be a rectangular"),
    (lambda: fb.Butterfly(W, stride="up"), ValueError, "stride must be one of 'incr"),
    (lambda: fb.Butterfly(W, outputs=[0, 4]), ValueError, r"outputs must lie in 0"),
    (lambda: fb.Butterfly(W, outputs=[-1]), ValueError, r"outputs must lie in 0"),
    (lambda: fb.Butterfly(W, outputs=[1, 1]), ValueError, "must not repeat"),
    (lambda: fb.Butterfly(W, inputs=[]), ValueError, "inputs must not be empty"),
    (lambda: fb.Butterfly(W, inputs=[0.5]), TypeError, "inputs must be None or a one"),
    (lambda: fb.Butterfly(W, inputs=[[0]]), TypeError, "one-dimensional"),
    (
        lambda: fb.hadamard(6),
        ValueError,
        "n must be a power of two, got 6; use",
    ),
    (lambda: fb.Butterfly.random(0), ValueError, "n must be at least 1, got 0"),
    (lambda: fb.Butterfly.random(4.0), TypeError, "n must be an int, got 4.0"),
    (lambda: fb.Butterfly.random(4, init="x"), ValueError, "init must be one of 'orth"),
    (lambda: fb.Butterfly.random(4, init=[]), ValueError, "init must be one of"),
    (
        lambda: fb.Butterfly.random(4, dtype="f2"),
        ValueError,
        "dtype must be float32, float64, complex64 or complex128, got 'f2'",
    ),
    (lambda: fb.Butterfly.random(4, dtype="x"), ValueError, "dtype must be float32, "),
    (lambda: fb.Butterfly.random(4, rng="x"), TypeError, "rng must be None"),
    (lambda: fb.Butterfly.random(4, rng=-1), TypeError, "rng must be None"),
    (
        lambda: B.apply(np.ones((3, 5))),
        ValueError,
        r"x must have 4 elements along axis",
    ),
    (lambda: B.apply(1.0), ValueError, "x must have at least one dimension"),
    (lambda: B.apply(X.astype(str)), TypeError, "x must hold real or complex"),
    (lambda: B.apply(X.astype(object)), TypeError, "got dtype object"),
    (lambda: B.apply(["a"] * 4), TypeError, "x must hold real or complex"),
    (lambda: B.apply(X, axis=2), ValueError, r"axis must lie in -2 ... 1, got 2"),
    (lambda: B.apply(X, axis=-3), ValueError, "axis must"),
    (lambda: B.apply(X, axis=None), TypeError, "axis must be an int"),
    (lambda: B.apply(X, workers=0), ValueError, "workers must be at least 1"),
    (lambda: B.apply(X, workers=1.5), TypeError, "workers must be an int"),
    (lambda: B.apply(X, out=np.ones(4)), ValueError, r"out must have shape \(3, 4\)"),
    (lambda: B.apply(X, out=X.astype("f4")), ValueError, "dtype float64, got"),
    (lambda: B.apply(X, out=[1]), TypeError, "out must be a NumPy array"),
    (lambda: B.apply(X, out=np.broadcast_to(1.0, (3, 4))), ValueError, "same memory"),
    (lambda: B.apply(np.ma.array(X, mask=X > 0)), TypeError, "must not be a masked"),
    (lambda: fb.Butterfly(W, inputs=[[1], [2, 3]]), ValueError, "inputs must be one-"),
    (lambda: B @ np.ones(5), ValueError, "x must have 4 elements"),
    (lambda: B @ np.ones((1, 1, 4)), ValueError, "one or two dimensions"),
    (lambda: np.ones(5) @ B, ValueError, "x must have 4 elements"),
    (lambda: B.vjp(X, np.ones((2, 4))), ValueError, "g must have the shape of apply"),
    (lambda: B.vjp(X, np.ones((3, 5))), ValueError, "g must have 4 elements"),
    (lambda: fb.truncated(5, 4), ValueError, r"use truncated\(4, 5\)\.T"),
    (lambda: fb.fjlt(0, 4), ValueError, "n_out must be at least 1"),
    (lambda: fb.weights_bound(9, 8), ValueError, "n_out must be at most 8"),
    (lambda: fb.hadamard(3), ValueError, "n must be a power of two"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_read_only_out():
    out = np.empty((3, 4))
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out must be writeable"):
        B.apply(X, out=out)


@pytest.mark.parametrize("wrap", [lambda A: A, lambda A: A.as_linear_operator()])
def test_scipy_solvers(wrap, rng):
    n = 16
    Q = fb.Butterfly.random(n, rng=rng)
    weights = Q.weights.copy()
    weights[0, :, :, 0] *= 2  # singular values 1 and 2
    A = fb.Butterfly(weights)
    b = rng.standard_normal(n)
    exact = np.linalg.solve(A.to_dense(), b)
    gram = sla.aslinearoperator(wrap(A.H)) @ sla.aslinearoperator(wrap(A))
    np.testing.assert_allclose(sla.cg(gram, A.H @ b, rtol=1e-12)[0], exact, atol=1e-8)
    np.testing.assert_allclose(sla.gmres(wrap(A), b, rtol=1e-12)[0], exact, atol=1e-8)
    solution = sla.lsqr(wrap(A), b, atol=1e-14, btol=1e-14)[0]
    np.testing.assert_allclose(solution, exact, atol=1e-8)
    J = fb.truncated(6, 16, init="gaussian", rng=rng)
    values = sla.svds(wrap(J), k=2, return_singular_vectors=False, rng=0)
    largest = np.linalg.svd(J.to_dense(), compute_uv=False)[:2]
    np.testing.assert_allclose(np.sort(values), np.sort(largest), rtol=1e-8)


def test_scipy_protocol(rng):
    J = fb.truncated(3, 8, rng=rng)
    dense = J.to_dense()
    x, y = rng.standard_normal((8, 1)), rng.standard_normal((3, 2))
    laws.assert_close(J.matvec(x), dense @ x, 8)
    laws.assert_close(J.dot(x[:, 0]), dense @ x[:, 0], 8)
    laws.assert_close(J.matmat(x), dense @ x, 8)
    laws.assert_close(J.rmatvec(y[:, 0]), dense.T @ y[:, 0], 8)
    laws.assert_close(J.rmatmat(y), dense.T @ y, 8)
