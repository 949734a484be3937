"""Sketch: products with matrices of all kinds, in memory, sparse or on disk."""

import laws
import numpy as np
import pytest
import scipy.sparse as sp

import fastbutterfly as fb
from fastbutterfly import sketch
from fastbutterfly.sketch.streaming import is_faster_by_blocks

SIZES = {1: 1, 2: 1, 31: 5, 32: 8, 100: 7, 1000: 20}
RANDOM = ("fjlt", "sparse_rtt", "gaussian", "count_sketch", "sparse")


def butterfly(kind, n, dtype, rng):
    """Butterflies of other ends and orders of layers."""
    size = 1 << (n - 1).bit_length()
    inputs, outputs = np.arange(n), rng.permutation(size)[: SIZES[n]]
    if kind == "permuted":
        inputs = rng.permutation(size)[:n]
    ends = {"inputs": inputs, "outputs": None if kind == "square" else outputs}
    order = "decreasing" if kind == "decreasing" else "increasing"
    weights = laws.draw_weights(rng, size, dtype)
    if n == 1:
        weights = weights.reshape(0, 0, 2, 2)
    return sketch.Sketch(fb.Butterfly(weights, stride=order, **ends))


def make(kind, n, dtype=np.float64, rng=0):
    count, rng = SIZES.get(n, 5), np.random.default_rng(rng)
    options = {"dtype": dtype, "rng": rng}
    if kind == "sparse":
        return sketch.sparse(count, n, nonzeros=min(3, count), **options)
    if kind in RANDOM:
        return getattr(sketch, kind)(count, n, **options)
    if kind == "optimal":
        return sketch.optimal(rng.standard_normal((n, 4)), count)
    if kind == "mixed":
        return sketch.Sketch(fb.Butterfly.random(n, rng=rng, dtype=dtype))
    return butterfly(kind, n, dtype, rng)


OTHERS = ("optimal", "increasing", "decreasing", "permuted", "square", "mixed")
KINDS = (*RANDOM, *OTHERS)


def assert_product(actual, S, X):
    """Dense S @ X, of the right dtype, up to the rounding of the coarser of both."""
    X = np.asarray(X) if np.asarray(X).dtype.kind in "fc" else np.asarray(X, float)
    expected = np.asarray(S, np.result_type(S, float)) @ X.astype(
        np.result_type(X, float)
    )
    assert type(actual) is np.ndarray
    assert (actual.shape, actual.dtype) == (expected.shape, np.result_type(S, X))
    eps = max(np.finfo(a.dtype).eps for a in (S, X))
    scale = np.linalg.norm(S) * np.linalg.norm(X)
    assert np.linalg.norm(actual - expected) <= 20 * eps * scale


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr("fastbutterfly.sketch.sketch.BLOCK", 64)


def on_disk(path, X, order="C"):
    mapped = np.memmap(path, X.dtype, "w+", shape=X.shape, order=order)
    mapped[...] = X
    return mapped


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=0)[::2],
    "reversed": lambda X: X[::-1].copy()[::-1],
    "list": np.ndarray.tolist,
    "vector": lambda X: X[:, 0],
    "one column": lambda X: X[:, :1],
    "no column": lambda X: X[:, :0],
}


class TestProducts:
    @pytest.mark.parametrize("dtype", laws.REAL)
    @pytest.mark.parametrize("n", SIZES)
    @pytest.mark.parametrize("kind", KINDS)
    def test_dtypes(self, rng, kind, n, dtype):
        S = make(kind, n, dtype)
        D = S.to_dense()
        for other in (*laws.DTYPES, np.int64, np.int8, np.uint8, bool):
            X = (3 * laws.draw(rng, (n, 3), np.complex128)).real.astype(other)
            X = laws.draw(rng, (n, 3), other) if other in laws.DTYPES else X
            assert_product(S @ X, D, X)
            assert_product(S @ X[:, 0], D, X[:, 0])

    @pytest.mark.parametrize("kind", KINDS)
    def test_apply_is_deprecated(self, rng, kind):
        S, X = make(kind, 100), rng.standard_normal((100, 3))
        with pytest.warns(DeprecationWarning, match="use S @ X") as caught:
            y = S.apply(X)
        assert caught[0].filename == __file__
        np.testing.assert_array_equal(y, S @ X)

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("kind", KINDS)
    def test_layouts(self, rng, kind, layout):
        S, X = make(kind, 100), rng.standard_normal((100, 9))
        D = S.to_dense()
        X = LAYOUTS[layout](X)
        assert_product(S @ X, D, X)

    @pytest.mark.parametrize("n", SIZES)
    @pytest.mark.parametrize("kind", KINDS)
    def test_from_the_right_and_transposed(self, rng, kind, n):
        S = make(kind, n)
        D = S.to_dense()
        rows = S.shape[0]
        assert S.T.shape == (S.shape[1], rows)
        np.testing.assert_allclose(S.T.to_dense(), S.to_dense().T, atol=1e-14)
        X = rng.standard_normal((rows, 5))
        assert_product(S.T @ X, D.T, X)
        assert_product((X.T @ S).T, D.T, X)
        assert_product(X[:, 0] @ S, D.T, X[:, 0])
        assert_product((sp.csr_array(X.T) @ S).T, D.T, X)
        assert_product((sp.csr_matrix(X.T) @ S).T, D.T, X)

    @pytest.mark.usefixtures("small_blocks")
    @pytest.mark.parametrize("dtype", [np.float32, np.int16])
    @pytest.mark.parametrize("n", SIZES)
    @pytest.mark.parametrize("kind", KINDS)
    def test_sparse(self, rng, kind, n, dtype):
        S, X = make(kind, n, np.float32), rng.poisson(0.3, (n, 7)).astype(dtype)
        D = S.to_dense()
        for form in ("csr", "csc", "coo"):
            for container in ("array", "matrix"):
                made = getattr(sp, f"{form}_{container}")(X)
                assert_product(S @ made, D, X)
                assert made.format == form
        assert_product(S @ sp.coo_array(X[:, 0]), D, X[:, 0])

    @pytest.mark.usefixtures("small_blocks")
    @pytest.mark.parametrize("order", "CF")
    @pytest.mark.parametrize("n", SIZES)
    @pytest.mark.parametrize("kind", KINDS)
    def test_files(self, rng, tmp_path, kind, n, order):
        for i, dtype in enumerate((np.float64, np.int8, np.complex64)):
            S = make(kind, n, np.float32)
            D = S.to_dense()
            for d in (1, 30):
                X = (3 * laws.draw(rng, (n, d), np.complex64)).real.astype(dtype)
                mapped = on_disk(tmp_path / f"{i}.{d}", X, order)
                assert_product(S @ mapped, D, X)
            assert_product(S @ mapped[:, 0], D, X[:, 0])
            assert_product(S @ mapped[:, ::3], D, X[:, ::3])

    @pytest.mark.usefixtures("small_blocks")
    @pytest.mark.parametrize("order", "CF")
    @pytest.mark.parametrize("kind", KINDS)
    def test_files_and_transposes(self, rng, tmp_path, kind, order):
        S = make(kind, 100)
        D = S.to_dense()
        X = rng.standard_normal((S.shape[0], 70))
        mapped = on_disk(tmp_path / "X", X, order)
        assert_product(S.T @ mapped, D.T, X)
        assert_product((mapped.T @ S).T, D.T, X)

    @pytest.mark.parametrize("block", [1, 2, 3, 64, 1000, 1 << 22])
    @pytest.mark.parametrize("kind", KINDS)
    def test_any_size_of_blocks(self, rng, tmp_path, monkeypatch, kind, block):
        monkeypatch.setattr("fastbutterfly.sketch.sketch.BLOCK", block)
        S, X = make(kind, 100), rng.standard_normal((100, 3))
        D = S.to_dense()
        assert_product(S @ on_disk(tmp_path / "X", X), D, X)
        assert_product(S @ sp.csr_array(X), D, X)

    def test_a_file_is_read_in_blocks(self, rng, tmp_path, monkeypatch):
        module, seen = "fastbutterfly.sketch.sketch", []
        monkeypatch.setattr(f"{module}.BLOCK", 200)
        monkeypatch.setattr(
            f"{module}._block", lambda X, part: seen.append(part) or np.array(X[part])
        )
        X = on_disk(tmp_path / "X", rng.standard_normal((100, 10)))
        for kind in ("gaussian", "count_sketch", "fjlt", "sparse_rtt"):
            seen.clear()
            make(kind, 100) @ X
            assert max(part.stop - part.start for part in seen) <= 20
            rows = np.concatenate([np.arange(100)[part] for part in seen])
            np.testing.assert_array_equal(rows, np.arange(100))  # each once


class TestObject:
    def test_attributes(self):
        for kind in KINDS:
            S = make(kind, 100)
            assert S.shape == S.to_dense().shape == np.shape(S.operator)
            assert S.dtype == S.to_dense().dtype
            assert f"{S.shape[0]}, {S.shape[1]}, {type(S.operator).__name__}" in repr(S)

    def test_n_weights(self):
        for kind in KINDS:
            S = make(kind, 32)
            if isinstance(S.operator, fb.Butterfly):
                assert S.n_weights == S.operator.n_weights
            elif kind == "sparse_rtt":
                parts = S.operator.left, S.operator.right
                assert S.n_weights == parts[0].nnz + parts[1].n_weights
            elif kind in ("count_sketch", "sparse"):
                assert S.n_weights == np.count_nonzero(S.to_dense())
            else:
                assert S.n_weights == S.to_dense().size

    def test_to_dense_is_a_copy(self):
        for kind in KINDS:
            S = make(kind, 32)
            before = S @ np.eye(32)
            S.to_dense()[...] = 0
            np.testing.assert_array_equal(S @ np.eye(32), before)

    @pytest.mark.parametrize("form", [list, np.array, sp.csr_array, sp.coo_matrix])
    def test_of_what_is_given(self, form):
        S = sketch.Sketch(form([[1, 0, 2], [0, 3, 0]]))
        for dtype in (int, np.float32, float):
            assert_product(S @ np.eye(3, dtype=dtype), S.to_dense() * 1.0, np.eye(3))
        np.testing.assert_array_equal(S.to_dense(), [[1, 0, 2], [0, 3, 0]])


ERRORS = {
    "rows": (np.ones((5, 2)), ValueError, r"X must have 32 rows, .* got shape \(5, 2"),
    "vector": (np.ones(5), ValueError, r"X must have 32 rows, .* got shape \(5,\)"),
    "axes": (np.ones((32, 2, 2)), ValueError, "X must have 32 rows"),
    "number": (3, ValueError, r"X must have 32 rows, .* got shape \(\)"),
    "sparse": (sp.csr_array((5, 2)), ValueError, "X must have 32 rows"),
    "strings": (
        np.full((32, 1), "a"),
        TypeError,
        "X must hold real or complex numbers",
    ),
    "masked": (np.ma.ones((32, 1)), TypeError, "X must not be a masked array"),
    "ragged": ([[1], [2, 3]], ValueError, "X must be a rectangular array"),
}


@pytest.mark.parametrize("kind", ["fjlt", "gaussian", "count_sketch", "decreasing"])
@pytest.mark.parametrize("case", ERRORS)
def test_errors(case, kind):
    X, error, message = ERRORS[case]
    with pytest.raises(error, match=message):
        make(kind, 32) @ X


@pytest.mark.parametrize("operator", [np.ones(3), np.ones((1, 2, 3)), 1.0])
def test_bad_shapes_of_operators(operator):
    with pytest.raises(ValueError, match="operator must be a matrix"):
        sketch.Sketch(operator)


@pytest.mark.parametrize("operator", ["x", None, fb.Butterfly, [["a"]]])
def test_bad_kinds_of_operators(operator):
    with pytest.raises(TypeError, match="operator must hold"):
        sketch.Sketch(operator)


@pytest.mark.parametrize("draw", [sketch.fjlt, sketch.sparse_rtt])
@pytest.mark.parametrize("n", [100, 128])
def test_large_arrays_by_blocks(n, draw, monkeypatch, rng):
    monkeypatch.setattr("fastbutterfly.sketch.streaming.LARGE", 10)
    monkeypatch.setattr("fastbutterfly.sketch.sketch.BLOCK", 64)
    S = draw(20, n, rng=0)
    for X in (rng.standard_normal((n, 3)), rng.integers(0, 9, (n, 3)), 1j * np.eye(n)):
        np.testing.assert_allclose(S @ X, S.to_dense() @ X, atol=1e-12)
    assert is_faster_by_blocks(S.operator, np.ones((n, 3))) == (n == 100)
