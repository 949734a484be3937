"""Random sketches against theory: what they are on average, and how subspaces fare."""

import numpy as np
import pytest
import scipy.linalg

from fastbutterfly import sketch

KINDS = ("fjlt", "sparse_rtt", "gaussian", "sparse", "count_sketch")


def draws(kind, count, l, n, **options):
    """So many of a kind from one generator, as arrays; always the same."""
    rng = np.random.default_rng(7)
    draw = getattr(sketch, kind)
    return (draw(l, n, rng=rng, **options).to_dense() for _ in range(count))


@pytest.mark.parametrize("n", [13, 16])
@pytest.mark.parametrize("kind", KINDS)
def test_is_unbiased(kind, n):
    options = {"nonzeros": 3} if kind in ("sparse", "sparse_rtt") else {}
    grams = np.array([S.T @ S for S in draws(kind, 3000, 6, n, **options)])
    error = np.abs(grams.mean(axis=0) - np.eye(n))
    assert np.all(error <= 5 * grams.std(axis=0) / 3000**0.5 + 1e-12)
    assert grams.std(axis=0).max() > 0.1


def subspace(which, n, r):
    """An orthonormal basis: of random directions, of coordinates, of smooth vectors."""
    if which == "random":
        return np.linalg.qr(np.random.default_rng(1).standard_normal((n, r)))[0]
    if which == "coordinates":
        return np.eye(n, r)
    powers = np.polynomial.chebyshev.chebvander(np.linspace(-1, 1, n), r - 1)
    return np.linalg.qr(powers)[0]


# Two coordinates often meet in a row of a count sketch, see below.
SUBSPACES = [
    (kind, which)
    for kind in KINDS
    for which in ("random", "coordinates", "smooth")
    if (kind, which) != ("count_sketch", "coordinates")
]


@pytest.mark.parametrize("n", [1500, 2048])
@pytest.mark.parametrize(("kind", "which"), SUBSPACES)
def test_distortion_of_subspaces(kind, which, n):
    """Singular values within 1 -+ (root(r / l) + t) but for exp(-l t^2 / 2).

    So it is for Gaussian ones (Davidson and Szarek, 2001), and nearly for the others.
    """
    r, l, t = 20, 400, 0.2
    Q = subspace(which, n, r)
    values = [scipy.linalg.svdvals(S @ Q) for S in draws(kind, 10, l, n)]
    assert np.abs(np.array(values) - 1).max() < (r / l) ** 0.5 + t
    largest = np.mean([s[0] for s in values])
    assert largest > 1 + 0.5 * (r / l) ** 0.5  # it is no isometry


@pytest.mark.parametrize("nonzeros", [1, 2])
def test_coordinates_meet_as_often_as_they_should(nonzeros):
    """Columns of a sparse sketch have a row in common by chance, exactly so often."""
    r, l, count = 5, 40, 2000
    found = draws("sparse", count, l, 64, nonzeros=nonzeros)
    apart = np.mean([(np.abs(S[:, :r]) > 0).sum(axis=1).max() == 1 for S in found])
    expected, taken = 1.0, 0
    for _ in range(r):
        ways = [(l - taken - i) / (l - i) for i in range(nonzeros)]
        expected, taken = expected * np.prod(ways), taken + nonzeros
    assert abs(apart - expected) < 5 * (expected * (1 - expected) / count) ** 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_one_generator_gives_one_sequence(kind):
    first, second = (list(draws(kind, 3, 5, 32)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    getattr(sketch, kind)(5, 32)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("nonzeros", [1, 3, None])
@pytest.mark.parametrize(("l", "n"), [(1, 1), (3, 4), (5, 16), (12, 100)])
def test_sparse_rtt_is_signs_transform_and_selection(l, n, nonzeros):
    size = 1 << (n - 1).bit_length()
    nonzeros = min(nonzeros or 4, size)
    S = sketch.sparse_rtt(l, n, nonzeros=nonzeros, rng=0)
    C, B = S.operator.left, S.operator.right
    H = scipy.linalg.hadamard(size)[:, :n]
    kept = np.arange(size) if B.outputs is None else B.outputs
    signs = B.to_dense()[0] * size**0.5 / H[kept[0]]
    np.testing.assert_allclose(np.abs(signs), 1, atol=1e-13)
    selection = np.zeros((l, size))
    selection[:, kept] = C.toarray() * (l * nonzeros / size) ** 0.5
    np.testing.assert_allclose(np.abs(selection).sum(axis=1), nonzeros, atol=1e-13)
    assert set(np.abs(selection).round(12).ravel()) <= {0, 1}
    expected = selection @ H * signs / (l * nonzeros) ** 0.5
    np.testing.assert_allclose(S.to_dense(), expected, atol=1e-13)


def test_sparse_rtt_selects_uniformly():
    S = sketch.sparse_rtt(4000, 4096, nonzeros=3, rng=0).operator
    counts = np.zeros(4096)
    counts[S.right.outputs] = np.bincount(S.left.indices)
    expected = 4000 * 3 / 4096
    assert abs(counts.var() / expected - 1) < 0.15  # as of independent ones
    assert abs(np.sign(S.left.data).sum()) < 5 * 12000**0.5
    halves = counts.reshape(2, -1).sum(axis=1)
    assert abs(halves[0] - halves[1]) < 5 * 12000**0.5


def test_sparse_rtt_holds_coordinates_that_the_fjlt_misses():
    """Among 64 neighbours Hadamard rows have 64 patterns only: some are not drawn."""
    smallest = {}
    for kind in ("fjlt", "sparse_rtt"):
        found = [S[:, :64] for S in draws(kind, 10, 128, 4096)]
        smallest[kind] = [scipy.linalg.svdvals(S)[-1] for S in found]
    assert np.median(smallest["fjlt"]) < 1e-12
    assert min(smallest["sparse_rtt"]) > 0.5 * (1 - 0.5**0.5)
