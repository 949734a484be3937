"""The weighted losses of the estimators against their definition."""

import numpy as np
import pytest

from fastbutterfly import nn
from fastbutterfly.sklearn._training import Weighted


def cases(rng):
    """Losses and targets of 40 samples with 3 outputs."""
    return {
        "CrossEntropy": (nn.CrossEntropy(), rng.integers(0, 3, 40)),
        "BinaryCrossEntropy": (nn.BinaryCrossEntropy(), rng.integers(0, 2, (40, 3))),
        "MSE": (nn.MSE(), rng.standard_normal((40, 3))),
    }


@pytest.mark.parametrize("name", ["CrossEntropy", "BinaryCrossEntropy", "MSE"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_is_the_mean_of_weighted_losses(name, dtype, rng):
    loss, y = cases(rng)[name]
    weights, chosen = rng.random(40) + 0.1, rng.permutation(40)[:17]
    z = (5 * rng.standard_normal((17, 3))).astype(dtype)
    value, gradient = Weighted(loss, y, weights)(z, chosen)
    parts = [loss(z[i : i + 1], y[j : j + 1]) for i, j in enumerate(chosen)]
    scaled = weights[chosen] / weights.mean()
    losses, gradients = np.array([p[0] for p in parts]), [p[1][0] for p in parts]
    tol = 100 * float(np.finfo(dtype).eps)
    assert value == pytest.approx(np.mean(scaled * losses), rel=tol)
    assert gradient.dtype == dtype
    wanted = scaled[:, None] * gradients / 17
    assert np.allclose(gradient, wanted, rtol=tol, atol=tol)
