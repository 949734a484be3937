"""Round trips to other libraries' formats, and with the libraries where installed."""

import laws
import numpy as np
import pytest
import scipy.sparse

import fastbutterfly as fb
from fastbutterfly import interchange

CASES = pytest.mark.parametrize(
    "B",
    [
        fb.Butterfly.random(1),
        fb.Butterfly.random(8, rng=0),
        fb.Butterfly.random(8, rng=0).T,
        fb.Butterfly.random(12, rng=0, init="gaussian", dtype=np.float32),
        fb.Butterfly.random(30, rng=0, init="gaussian", dtype=complex).T,
        fb.Butterfly.from_blocks(
            [np.ones((2, 3, 5)), np.ones((3, 4, 2))], [(2, 3, 5, 1), (3, 4, 2, 1)]
        ),
    ],
    ids=repr,
)
ORDERED = pytest.mark.parametrize(
    "B",
    [fb.dft(12), fb.dft(8), fb.dft(8).T, fb.hadamard(8, order="sequency")],
    ids=repr,
)


def assert_same(A, B):
    assert A.shape == B.shape
    assert A.dtype == B.dtype
    laws.assert_close(A.to_dense(), np.asarray(B.to_dense()), 64)


@CASES
def test_factors(B):
    for factors in (B.factors(), [f.toarray() for f in B.factors()]):
        again = interchange.from_factors(factors)
        assert_same(again, B)
        if B.shape[0] > 1:
            assert again.pattern == B.pattern
            assert again == B


@ORDERED
def test_factors_with_permutations(B):
    n = B.shape[1]
    permutation = scipy.sparse.eye_array(n, format="csr")
    layers = B.from_blocks(B.blocks, B.pattern).factors()
    first = permutation
    if B.inputs is not None:
        first = scipy.sparse.csr_array((np.ones(n), (B.inputs, np.arange(n))))
    last = permutation if B.outputs is None else permutation[B.outputs]
    again = interchange.from_factors([last, *layers, first])
    assert_same(again, B)
    twice = interchange.from_factors([last, *layers, first, last, *layers, first])
    laws.assert_close(twice.to_dense(), B.to_dense() @ B.to_dense(), n**2)
    assert isinstance(twice, fb.Chain)


def test_patterns_are_found():
    dense = interchange.from_factors([np.ones((3, 4))])
    assert dense.pattern == ((1, 3, 4, 1),)
    diagonal = interchange.from_factors([np.diag([1.0, 2.0, 3.0])])
    assert diagonal.pattern == ((3, 1, 1, 1),)
    swap = interchange.from_factors([np.eye(3)[[2, 0, 1]]])
    np.testing.assert_array_equal(swap @ [1, 2, 3], [3, 1, 2])
    np.testing.assert_array_equal(
        interchange.from_factors([np.eye(3)]).to_dense(), np.eye(3)
    )


@CASES
def test_kronecker_sparse(B):
    if B.depth:
        values = interchange.to_kronecker_sparse(B)
        assert interchange.from_kronecker_sparse(values) == B
        for array, (a, b, c, d) in zip(values, B.pattern[::-1], strict=True):
            assert array.shape == (a, b, c, d)


@pytest.mark.parametrize("stride", laws.STRIDES)
def test_twiddle(stride):
    B = fb.Butterfly.random(8, stride=stride, rng=0)
    twiddle, increasing = interchange.to_twiddle(B)
    assert twiddle.shape == (1, 1, 3, 4, 2, 2)
    assert interchange.from_twiddle(twiddle, increasing_stride=increasing) == B
    chain = B.T @ B
    twiddle, increasing = interchange.to_twiddle(chain)
    assert twiddle.shape == (1, 2, 3, 4, 2, 2)
    again = interchange.from_twiddle(twiddle, increasing_stride=increasing)
    np.testing.assert_array_equal(again.to_dense(), chain.to_dense())


@CASES
def test_with_lazylinop(B):
    butterfly = pytest.importorskip("lazylinop.butterfly")
    if B.depth:
        L = butterfly.ksm(interchange.to_kronecker_sparse(B))
        product = np.asarray(L @ np.eye(B.shape[1], dtype=B.dtype))
        laws.assert_close(product, B.to_dense().astype(complex), 64)


@CASES
def test_with_pyfaust(B):
    pyfaust = pytest.importorskip("pyfaust")
    if B.dtype == np.float32:
        B = B.from_blocks([b.astype(float) for b in B.blocks], B.pattern)
    F = pyfaust.Faust([scipy.sparse.csr_matrix(factor) for factor in B.factors()])
    laws.assert_close(F.toarray(), B.to_dense().astype(complex), 64)
    factors = [F.factors(k) for k in range(F.numfactors())]
    laws.assert_close(interchange.from_factors(factors).to_dense(), F.toarray(), 64)


def test_with_pyfaust_transforms():
    pyfaust = pytest.importorskip("pyfaust")
    for F in (pyfaust.dft(16), pyfaust.wht(16)):
        again = interchange.from_factors([F.factors(k) for k in range(F.numfactors())])
        laws.assert_close(again.to_dense(), F.toarray(), 16)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: interchange.from_factors([]), "at least one matrix"),
        (lambda: interchange.from_factors([np.ones(3)]), r"factors\[0\] must have two"),
        (
            lambda: interchange.from_factors([np.eye(3), np.eye(4)]),
            r"number 0 has shape \(3, 3\), number 1",
        ),
        (lambda: interchange.from_kronecker_sparse([np.eye(2)]), "four dimensions"),
        (lambda: interchange.to_kronecker_sparse(fb.dft(8)), "only layers are kept"),
        (
            lambda: interchange.from_twiddle(np.ones((2, 1, 1, 1, 2, 2))),
            "several stacks",
        ),
        (lambda: interchange.to_twiddle(fb.Butterfly.random(6)), "blocks of 2x2"),
        (
            lambda: interchange.to_twiddle(
                fb.Butterfly.random(4) @ fb.Butterfly.random(4)
            ),
            "alternate",
        ),
    ],
)
def test_bad_input(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_dtypes_and_scaled_permutations():
    assert interchange.from_factors([np.ones((2, 2), np.int8)]).dtype == float
    permutation = np.eye(4, dtype=np.float32)[[2, 0, 3, 1]]
    assert interchange.from_factors([permutation]).dtype == np.float32
    scaled = permutation * np.arange(1, 5, dtype=np.float32)
    found = interchange.from_factors([scaled, scaled])
    assert found.n_weights == 8
    np.testing.assert_array_equal(found.to_dense(), scaled @ scaled)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: interchange.to_twiddle(fb.random_rotation(8)), "only a Butterfly"),
        (lambda: interchange.to_kronecker_sparse(np.eye(2)), "got ndarray"),
        (lambda: interchange.from_factors(None), "factors must be a sequence"),
        (lambda: interchange.from_kronecker_sparse(None), "values must be a sequence"),
        (lambda: fb.Butterfly.from_blocks([], None), "pattern must be a sequence"),
        (lambda: fb.Chain(3), "operators must be a sequence, got int"),
        (lambda: fb.Sum(3), "operators must be a sequence, got int"),
        (
            lambda: (fb.random_rotation(8) @ fb.identity(8)).factors(),
            r"factors\(\) needs operators that have it, got a Rotation",
        ),
        (
            lambda: (fb.Sum([fb.identity(8)]) @ fb.identity(8)).inv(),
            r"inv\(\) needs operators that have it, got a Sum",
        ),
    ],
)
def test_other_operators_are_refused(make, message):
    with pytest.raises(TypeError, match=message):
        make()
