"""Losses against SciPy and plain formulas; gradients; targets that do not fit."""

import numpy as np
import pytest
from scipy.special import log_softmax

from fastbutterfly import nn

DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
class TestValue:
    def test_mse(self, rng, dtype):
        y_pred = rng.standard_normal((6, 3)).astype(dtype)
        y = rng.standard_normal((6, 3))
        value, gradient = nn.MSE()(y_pred, y)
        tolerance = 10 * float(np.finfo(dtype).eps)
        assert isinstance(value, float)
        assert value == pytest.approx(np.mean((y_pred - y) ** 2), rel=tolerance)
        assert gradient.dtype == dtype

    def test_cross_entropy(self, rng, dtype):
        y_pred = (5 * rng.standard_normal((50, 4))).astype(dtype)
        y = rng.integers(0, 4, 50)
        value, gradient = nn.CrossEntropy()(y_pred, y)
        expected = -log_softmax(y_pred.astype(float), axis=1)[np.arange(50), y].mean()
        assert value == pytest.approx(expected, rel=10 * float(np.finfo(dtype).eps))
        assert gradient.dtype == dtype

    @pytest.mark.parametrize("scale", [1e4, 1e30])
    def test_cross_entropy_of_extreme_logits(self, dtype, scale):
        logits = np.array([[scale, 0, -scale], [-scale, -scale, 0]], dtype)
        value, gradient = nn.CrossEntropy()(logits, [0, 2])
        assert value == 0
        np.testing.assert_array_equal(gradient, 0)
        value, gradient = nn.CrossEntropy()(logits, [1, 2])
        assert value == pytest.approx(scale / 2)
        np.testing.assert_allclose(gradient, [[0.5, -0.5, 0], [0, 0, 0]])


@pytest.mark.parametrize("loss", [nn.MSE(), nn.CrossEntropy()])
def test_gradient_is_the_directional_derivative(rng, loss):
    y_pred = rng.standard_normal((6, 4))
    is_mse = isinstance(loss, nn.MSE)
    y = rng.standard_normal((6, 4)) if is_mse else rng.integers(0, 4, 6)
    _, gradient = loss(y_pred, y)
    for _ in range(3):
        u, h = rng.standard_normal(y_pred.shape), 1e-5
        slope = (loss(y_pred + h * u, y)[0] - loss(y_pred - h * u, y)[0]) / (2 * h)
        assert abs(slope - np.vdot(gradient, u)) < 1e-8


@pytest.mark.parametrize("loss", [nn.MSE(), nn.CrossEntropy()])
def test_arguments_are_not_modified(rng, loss):
    y_pred = rng.standard_normal((3, 2))
    y = rng.standard_normal((3, 2)) if isinstance(loss, nn.MSE) else np.array([0, 1, 1])
    y_pred.flags.writeable = y.flags.writeable = False
    loss(y_pred, y)


def test_accuracy():
    y_pred = [[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    assert nn.CrossEntropy().accuracy(y_pred, [1, 0, 0, 1]) == 0.75
    assert nn.MSE().accuracy(y_pred, y_pred) is None


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int32, np.uint64])
def test_any_integer_labels(kind):
    value, _ = nn.CrossEntropy()(np.zeros((2, 3)), np.array([0, 2], kind))
    assert value == pytest.approx(np.log(3))


ERRORS = {
    "labels are floats": (TypeError, [0.0, 1.0], "got dtype float64"),
    "labels are bools": (TypeError, [True, False], "got dtype bool"),
    "label too large": (ValueError, [0, 3], r"from 0 to 2, got 0 \.\.\. 3"),
    "label negative": (ValueError, [-1, 0], r"got -1 \.\.\. 0"),
    "one-hot": (ValueError, [[0, 1, 0]] * 2, r"shape \(2,\), got \(2, 3\)"),
    "too few": (ValueError, [0], r"shape \(2,\), got \(1,\)"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_labels_that_do_not_fit(case):
    kind, labels, message = ERRORS[case]
    with pytest.raises(kind, match=message):
        nn.CrossEntropy()(np.zeros((2, 3)), labels)


def test_targets_that_do_not_fit():
    with pytest.raises(
        ValueError, match=r"y must have shape \(2, 1\), got \(2,\); use"
    ):
        nn.MSE()(np.zeros((2, 1)), [0.0, 1.0])
    with pytest.raises(ValueError, match=r"y must have shape \(2, 3\), got \(2, 2\)"):
        nn.MSE()(np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="y_pred must not be empty"):
        nn.MSE()(np.zeros((0, 3)), np.zeros((0, 3)))
    with pytest.raises(ValueError, match=r"y_pred must have shape \(rows, n_in\)"):
        nn.MSE()(np.zeros(3), np.zeros(3))
