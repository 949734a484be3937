"""Chains of layers of any pattern: laws against the dense matrix of each layer."""

import pickle

import laws
import numpy as np
import pytest

import fastbutterfly as fb

pytestmark = pytest.mark.interpreted

RADICES = [
    (3,),
    (2, 3),
    (5, 7),
    (3, 4, 4),
    (2, 2, 13),
    (8, 5),
    (4, 16, 3),
    (37, 2),
    (9, 6),
]
CHAINS = [
    [(1, 3, 5, 1)],
    [(40, 1, 1, 1)],
    [(4, 5, 5, 1), (1, 4, 4, 5)],
    [(2, 3, 4, 5), (3, 5, 2, 5), (1, 7, 15, 5)],
    [(1, 2, 3, 1), (1, 40, 2, 1)],
    [(1, 2, 2, 4), (4, 2, 2, 1), (2, 2, 2, 2), (8, 1, 1, 1)],
]
PATTERNS = [
    *(fb.Butterfly.random(np.prod(r), radices=r).pattern for r in RADICES),
    *(tuple(chain) for chain in CHAINS),
]
BATCHES = (0, 3, 20) if laws.INTERPRETED else (0, 1, 3, 8, 9, 31, 130)
if laws.INTERPRETED:
    PATTERNS = PATTERNS[1::2]
CASES = pytest.mark.parametrize("pattern", PATTERNS, ids=str)
KINDS = laws.DTYPES[::3] if laws.INTERPRETED else laws.DTYPES
DTYPES = pytest.mark.parametrize("dtype", KINDS)


def draw(rng, pattern, dtype):
    """Gaussian blocks that keep the expected length."""
    blocks = [
        (laws.draw(rng, (a * d, b, c), dtype) / np.sqrt(c)).astype(dtype)
        for a, b, c, d in pattern
    ]
    return fb.Butterfly.from_blocks(blocks, pattern)


def layer_matrix(blocks, layer):
    """Dense matrix of one layer, block by block from the definition."""
    a, b, c, d = layer
    matrix = np.zeros((a, b, d, a, c, d), blocks.dtype)
    for i in range(a):
        for k in range(d):
            matrix[i, :, k, i, :, k] = blocks[i * d + k]
    return matrix.reshape(a * b * d, a * c * d)


def dense(blocks, pattern):
    """Dense matrix of a chain, in double precision."""
    wide = [np.asarray(b, np.result_type(b, float)) for b in blocks]
    matrix = np.eye(pattern[0][0] * pattern[0][2] * pattern[0][3])
    for layer, those in zip(pattern, wide, strict=True):
        matrix = layer_matrix(those, layer) @ matrix
    return matrix


def assert_close(actual, expected, pattern):
    """As laws.assert_close; a layer of c inputs counts as log2(c) layers of two."""
    laws.assert_close(
        actual, expected, 2 * np.prod([float(c) for _, _, c, _ in pattern])
    )


@DTYPES
@CASES
@pytest.mark.parametrize("batch", BATCHES)
def test_apply_is_the_definition(pattern, dtype, batch, rng):
    B = draw(rng, pattern, dtype)
    matrix = dense(B.blocks, pattern)
    x = laws.draw(rng, (batch, B.shape[1]), dtype)
    y = B.apply(x)
    assert y.dtype == dtype
    assert_close(y, x @ matrix.T, pattern)
    assert_close(B.apply(x.T.copy(), axis=0), matrix @ x.T, pattern)
    out = np.full_like(y, np.nan)
    assert B.apply(x, out=out) is out
    np.testing.assert_array_equal(out, y)


@DTYPES
@CASES
def test_products_and_transposes(pattern, dtype, rng):
    B = draw(rng, pattern, dtype)
    matrix = dense(B.blocks, pattern)
    assert_close(B.to_dense(), matrix, pattern)
    assert_close(B.T.to_dense(), matrix.T, pattern)
    assert_close(B.H.to_dense(), matrix.conj().T, pattern)
    x = laws.draw(rng, B.shape[1], dtype)
    assert_close(B @ x, matrix @ x, pattern)
    product = B.factors()[0]
    for factor in B.factors()[1:]:
        product = product @ factor
    assert_close(product.toarray(), matrix, pattern)
    assert B.n_stored == sum(a * b * c * d for a, b, c, d in pattern)


@DTYPES
@CASES
@pytest.mark.parametrize("batch", BATCHES[1:])
def test_gradients(pattern, dtype, batch, rng):
    B = draw(rng, pattern, dtype)
    matrix = dense(B.blocks, pattern)
    x = laws.draw(rng, (batch, B.shape[1]), dtype)
    g = laws.draw(rng, (batch, B.shape[0]), dtype)
    gx, gweights = B.vjp(x, g)
    assert_close(gx, g @ matrix.conj(), pattern)
    views = B.from_blocks(B.plan.views(gweights.reshape(-1)), pattern).blocks
    for layer, gblocks in enumerate(views):
        other = list(B.blocks)
        other[layer] = draw(rng, pattern, dtype).blocks[layer]
        expected = np.vdot(g, x @ dense(other, pattern).T).real
        found = np.vdot(gblocks, other[layer]).real
        size = np.linalg.norm(gblocks) * np.linalg.norm(other[layer])
        terms = batch * np.prod([float(c) for _, _, c, _ in pattern])
        assert abs(found - expected) <= laws.tolerance(dtype, terms) * size


@CASES
def test_results_do_not_depend_on_workers(pattern, rng, monkeypatch):

    monkeypatch.setattr("fastbutterfly._base.threads.MIN_PARALLEL_WORK", 0)
    B = draw(rng, pattern, np.float32)
    x = laws.draw(rng, (150, B.shape[1]), np.float32)
    g = laws.draw(rng, (150, B.shape[0]), np.float32)
    one, three = (B.vjp(x, g, workers=workers) for workers in (1, 3))
    for a, b in zip(one, three, strict=True):
        np.testing.assert_array_equal(a, b)
    columns = np.ascontiguousarray(x.T)
    for axis, values in ((-1, x), (0, columns)):
        one, three = (B.apply(values, axis=axis, workers=w) for w in (1, 3))
        np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("n", [6, 12] if laws.INTERPRETED else [6, 12, 60, 35, 1000])
@pytest.mark.parametrize("stride", laws.STRIDES)
@pytest.mark.parametrize("init", ["orthogonal", "fjlt", "identity", "gaussian"])
@DTYPES
def test_random(n, stride, init, dtype):
    B = fb.Butterfly.random(n, init=init, stride=stride, dtype=dtype, rng=0)
    assert B.shape == (n, n)
    assert (B.stride, B.dtype) == (stride, dtype)
    if init == "identity":
        np.testing.assert_array_equal(B.to_dense(), np.eye(n))
    elif init == "gaussian":
        x = np.ones((200, n), dtype)
        seeds = range(10 if laws.INTERPRETED else 40)
        options = {"init": init, "dtype": dtype}
        draws = [B.random(n, rng=s, **options).apply(x[:1]) for s in seeds]
        assert 0.3 < np.mean(np.abs(draws) ** 2) < 3
    else:
        gram = B.H.apply(B.apply(np.eye(n, dtype=dtype)))
        laws.assert_close(gram, np.eye(n), n)
    if init == "fjlt":
        assert (
            np.abs(B.to_dense()).max() <= 2 ** (len(B.pattern) / 2) / np.sqrt(n) + 1e-6
        )


def test_default_radices_and_their_product():
    assert [layer[1] for layer in fb.Butterfly.random(13696).pattern] == [
        4,
        4,
        4,
        2,
        107,
    ]
    assert fb.Butterfly.random(16).is_binary
    assert not fb.Butterfly.random(16, radices=(4, 4)).is_binary
    assert fb.Butterfly.random(16, radices=(2, 2, 2, 2)).is_binary


@CASES
def test_inputs_and_outputs(pattern, rng):
    B = draw(rng, pattern, np.float64)
    n_out, n_in = B.shape
    inputs = rng.permutation(n_in)[: (n_in + 1) // 2]
    outputs = rng.permutation(n_out)[: (n_out + 1) // 2]
    short = fb.Butterfly.from_blocks(B.blocks, pattern, inputs=inputs, outputs=outputs)
    matrix = B.to_dense()[np.ix_(outputs, inputs)]
    assert_close(short.to_dense(), matrix, pattern)
    x = rng.standard_normal((20, len(inputs)))
    g = rng.standard_normal((20, len(outputs)))
    gx, gweights = short.vjp(x, g)
    assert_close(gx, g @ matrix, pattern)
    assert np.count_nonzero(gweights) == short.n_weights


@CASES
def test_equality_pickling_and_repr(pattern, rng):
    B = draw(rng, pattern, np.float32)
    again = pickle.loads(pickle.dumps(B))
    assert again == B
    assert hash(again) == hash(B)
    assert again.pattern == pattern
    assert str(pattern) in repr(B) or B.is_binary


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fb.Butterfly.random(131), "131 with the factor 131"),
        (lambda: fb.Butterfly.random(2 * 257), "prime factor above 128"),
        (lambda: fb.Butterfly.random(12, radices=(3, 3)), "product n = 12"),
        (lambda: fb.Butterfly.random(12, radices=(12.0,)), "radices must be ints"),
        (lambda: fb.Butterfly.from_blocks([], []), "at least one layer"),
        (lambda: fb.Butterfly.from_blocks([[1]], [(1, 1)]), "four positive ints"),
        (lambda: fb.Butterfly.from_blocks([[1]], [(1, 0, 1, 1)]), "four positive ints"),
        (
            lambda: fb.Butterfly.from_blocks([], [(1, 2, 3, 1), (1, 4, 4, 1)]),
            "layer 0, .* 2 outputs, but layer 1, .* 4 inputs",
        ),
        (lambda: fb.Butterfly.from_blocks([], [(1, 2, 3, 1)]), "one array for each"),
        (
            lambda: fb.Butterfly.from_blocks([np.ones((1, 3, 2))], [(1, 2, 3, 1)]),
            r"blocks\[0\] must have shape \(1, 2, 3\)",
        ),
    ],
)
def test_bad_input(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@DTYPES
def test_nan_stays_in_its_sample(dtype, rng):
    B = draw(rng, PATTERNS[3], dtype)
    x = laws.draw(rng, (20, B.shape[1]), dtype)
    x[7] = np.nan
    for y in (B.apply(x), B.apply(x.T.copy(), axis=0).T):
        assert np.isnan(y[7]).all()
        assert np.isfinite(np.delete(y, 7, axis=0)).all()
