"""What holds of the paper's statements, with seeds; `studies/paper` has the rest."""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import fastbutterfly as fb
from fastbutterfly import nn, sketch

sys.path.insert(0, str(Path(__file__).parent.parent / "studies" / "paper"))
matrices = __import__("matrices")


class TestFJLT:
    """Lemma B.1 and Proposition 1 as printed are false; their bilinear forms hold."""

    def test_lemma(self, rng):
        n, k = 1024, 64
        x, y = (v / np.linalg.norm(v) for v in rng.standard_normal((2, n)))
        misses, distances = [], []
        for seed in range(200):
            J = fb.fjlt(k, n, rng=seed)
            misses.append((J @ x) @ (J @ y) - x @ y)
            distances.append(np.linalg.norm(x - J.T @ (J @ x)))
        assert np.sqrt(np.mean(np.square(misses))) < 1.3 / np.sqrt(k)
        # As printed it would be small; J^T J has rank k and eigenvalues n / k.
        assert np.mean(distances) == pytest.approx(np.sqrt(n / k - 1), rel=0.05)

    def test_proposition_1(self, rng):
        n, k = 256, 64
        W = rng.standard_normal((n, n))
        u, x = (v / np.linalg.norm(v) for v in rng.standard_normal((2, n)))
        norm, misses = np.linalg.norm(W, 2), []
        for seed in range(50):
            layer = nn.ButterflyDense.from_dense(W, k_in=k, k_out=k, rng=seed)
            misses.append(layer(x[np.newaxis])[0] @ u - x @ W @ u)
        assert np.sqrt(np.mean(np.square(misses))) < 3 * norm / np.sqrt(k)


@pytest.mark.parametrize("k", [4, 8])
def test_proposition_2(k, rng):
    """At l = k log2 k + k half of the draws have at most twice PCA's error."""
    X = rng.standard_normal((128, 128)) @ np.diag(1 / np.arange(1.0, 129))
    least, l = sketch.best_errors(X, k)[0], int(k * np.log2(k) + k)
    ratios = []
    for seed in range(50):
        net = nn.EncoderDecoder(128, 128, k=k, l=l, rng=seed, dtype=np.float64)
        loss = net.solve(X.T).loss
        expected = sketch.excess(X, sketch.Sketch(net.layers[0].operator), k) + least
        assert loss == pytest.approx(expected, rel=1e-9)
        ratios.append(loss / least)
    assert min(ratios) >= 1 - 1e-12
    assert np.median(ratios) <= 2


def test_exact_once_the_sketch_is_as_wide_as_the_rank():
    X = matrices.gaussian(8, 64, 64)
    net = nn.EncoderDecoder(64, 64, k=4, l=8, rng=0, dtype=np.float64)
    least = sketch.best_errors(X, 4)[0]
    assert net.solve(X.T).loss == pytest.approx(least, rel=1e-9)


@pytest.fixture(scope="module")
def errors():
    """Excess of sketches of rank 10, with 20 rows, of squares of photographs."""
    found = matrices.patches(250)
    train, test, errors = found[:200], found[200:], {}
    options = {"k": 10, "l": 20, "steps": 400, "rng": 0}
    for nonzeros in (1, 2, 5, 10, 20):
        S = sketch.learn(train, kind="sparse", nonzeros=nonzeros, **options).sketch
        errors[nonzeros] = sketch.excess(test, S, 10)
    for kind in ("butterfly", "dense"):
        S = sketch.learn(train, kind=kind, **options).sketch
        errors[kind] = sketch.excess(test, S, 10)
    for draw in (sketch.count_sketch, sketch.gaussian, sketch.fjlt):
        drawn = [draw(20, 32, rng=seed) for seed in range(10)]
        errors[draw.__name__] = np.mean([sketch.excess(test, S, 10) for S in drawn])
    errors["optimal"] = sketch.excess(test, sketch.optimal(train, 20), 10)
    return errors


class TestPhotographs:
    def test_learned_ones_beat_those_that_are_drawn(self, errors):
        assert errors[1] < errors["count_sketch"]
        assert errors["dense"] < errors["gaussian"] / 2
        assert errors["butterfly"] < errors["fjlt"] / 1.5
        assert errors["butterfly"] < errors[1] / 2

    def test_more_non_zeros_are_better(self, errors):
        curve = [errors[N] for N in (1, 2, 5, 10, 20)]
        assert all(b < 1.05 * a for a, b in pairwise(curve))

    def test_the_closed_form_is_a_lower_reference(self, errors):
        assert errors["optimal"] < 1.05 * min(errors["dense"], errors["butterfly"])
