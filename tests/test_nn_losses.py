"""Losses against SciPy and plain formulas; gradients; targets that do not fit."""

import numpy as np
import pytest
from scipy.special import log_softmax

from fastbutterfly import nn

DTYPES = [np.float32, np.float64]
CLASS_WEIGHT = np.array([0.5, 1, 3, 0.1])
LOSSES = {
    "mse": nn.MSE(),
    "huber": nn.Huber(0.7),
    "cross-entropy": nn.CrossEntropy(),
    "weighted": nn.CrossEntropy(CLASS_WEIGHT),
    "smoothed": nn.CrossEntropy(label_smoothing=0.2),
    "weighted, smoothed": nn.CrossEntropy(CLASS_WEIGHT, label_smoothing=0.2),
    "binary": nn.BinaryCrossEntropy(),
    "binary, a weight": nn.BinaryCrossEntropy(3),
    "binary, weighted": nn.BinaryCrossEntropy(CLASS_WEIGHT),
}


def draw_targets(rng, loss, rows):
    """What `loss` could ask of four outputs."""
    if isinstance(loss, nn.CrossEntropy):
        return rng.integers(0, 4, rows)
    if isinstance(loss, nn.BinaryCrossEntropy):
        return rng.integers(0, 2, (rows, 4))
    return rng.standard_normal((rows, 4))


def definition(loss, z, y):
    """The documented formula in float64, entry by entry; no care for overflow."""
    z, total = z.astype(float), 0.0
    if isinstance(loss, nn.CrossEntropy):
        w = np.ones(4) if loss.class_weight is None else loss.class_weight
        for row, label in zip(z, y, strict=True):
            log_p = row - np.log(np.sum(np.exp(row)))
            hard = -w[label] * log_p[label]
            spread = -np.sum(w * log_p) / 4
            total += hard + loss.label_smoothing * (spread - hard)
        return total / w[y].sum()
    for (i, j), r in np.ndenumerate(z):
        if isinstance(loss, nn.BinaryCrossEntropy):
            p = 1 if loss.pos_weight is None else np.broadcast_to(loss.pos_weight, 4)[j]
            right = 1 / (1 + np.exp(-r))
            total -= p * np.log(right) if y[i, j] else np.log(1 - right)
        elif isinstance(loss, nn.Huber):
            e = abs(r - y[i, j])
            small = e <= loss.delta
            total += e * e / 2 if small else loss.delta * (e - loss.delta / 2)
        else:
            total += (r - y[i, j]) ** 2
    return total / z.size


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


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
class TestLaws:
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_value_is_the_definition(self, rng, loss, dtype):
        z = (3 * rng.standard_normal((40, 4))).astype(dtype)
        y = draw_targets(rng, loss, 40)
        value, gradient = loss(z, y)
        eps = float(np.finfo(dtype).eps)
        assert isinstance(value, float)
        assert value == pytest.approx(definition(loss, z, y), rel=20 * eps)
        assert (gradient.dtype, gradient.shape) == (dtype, z.shape)

    @pytest.mark.parametrize("scale", [1, 5])
    def test_gradient_is_the_directional_derivative(self, rng, loss, scale):
        z, y = scale * rng.standard_normal((6, 4)), draw_targets(rng, loss, 6)
        _, gradient = loss(z, y)
        for _ in range(3):
            u, h = rng.standard_normal(z.shape), 1e-5
            slope = (loss(z + h * u, y)[0] - loss(z - h * u, y)[0]) / (2 * h)
            assert abs(slope - np.vdot(gradient, u)) < 1e-8

    def test_gradient_in_float32(self, rng, loss):
        z, y = rng.standard_normal((6, 4)), draw_targets(rng, loss, 6)
        _, expected = loss(z, y)
        _, gradient = loss(z.astype(np.float32), y)
        np.testing.assert_allclose(gradient, expected, atol=1e-6)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_finite_far_out(self, rng, loss, dtype):
        z = (1e4 * rng.choice([-1, 0, 1], (50, 4))).astype(dtype)
        with np.errstate(all="raise", under="ignore"):
            value, gradient = loss(z, draw_targets(rng, loss, 50))
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()

    def test_arguments_are_not_modified(self, rng, loss):
        z, y = rng.standard_normal((3, 4)), draw_targets(rng, loss, 3)
        z.flags.writeable = y.flags.writeable = False
        loss(z, y)
        loss.accuracy(z, y)

    def test_pieces_weigh_what_they_say(self, rng, loss):
        z, y = rng.standard_normal((9, 4)), draw_targets(rng, loss, 9)
        pieces = [(loss(z[i], y[i])[0], loss.weight(y[i])) for i in np.split(ROWS, 3)]
        values, weights = zip(*pieces, strict=True)
        assert np.average(values, weights=weights) == pytest.approx(loss(z, y)[0])

    def test_torch_agrees(self, rng, loss):
        torch = pytest.importorskip("torch")
        z, y = 3 * rng.standard_normal((20, 4)), draw_targets(rng, loss, 20)
        weights = getattr(loss, "class_weight", getattr(loss, "pos_weight", None))
        weights = None if weights is None else torch.tensor(weights)
        kind, floats = torch.nn.functional, torch.tensor(y).double()
        leaf = torch.tensor(z, requires_grad=True)
        if isinstance(loss, nn.CrossEntropy):
            options = {"weight": weights, "label_smoothing": loss.label_smoothing}
            expected = kind.cross_entropy(leaf, torch.tensor(y), **options)
        elif isinstance(loss, nn.BinaryCrossEntropy):
            expected = kind.binary_cross_entropy_with_logits(
                leaf, floats, pos_weight=weights
            )
        elif isinstance(loss, nn.Huber):
            expected = kind.huber_loss(leaf, floats, delta=loss.delta)
        else:
            expected = kind.mse_loss(leaf, floats)
        expected.backward()
        value, gradient = loss(z, y)
        assert value == pytest.approx(expected.item(), rel=1e-13)
        np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=1e-12, atol=1e-16)


ROWS = np.arange(9)


@pytest.mark.parametrize("dtype", DTYPES)
class TestFarOut:
    """Values that the definition cannot reach."""

    def test_binary(self, dtype):
        z = np.array([[1e4, -1e4], [1e4, -1e4]], dtype)
        value, gradient = nn.BinaryCrossEntropy()(z, [[1, 0], [1, 0]])
        assert value == 0
        np.testing.assert_array_equal(gradient, 0)
        value, gradient = nn.BinaryCrossEntropy(3)(z, [[0, 1], [1, 0]])
        assert value == pytest.approx(1e4)
        np.testing.assert_allclose(gradient, [[0.25, -0.75], [0, 0]])

    def test_smoothed(self, dtype):
        z = np.array([[1e4, 0, 0, -1e4]], dtype)
        value, _ = nn.CrossEntropy(label_smoothing=0.2)(z, [0])
        assert value == pytest.approx(0.05 * 4e4)

    def test_huber(self, dtype):
        z = np.array([[1e30, -1e30]], dtype)
        value, gradient = nn.Huber(2)(z, np.zeros((1, 2)))
        assert value == pytest.approx(2e30)
        np.testing.assert_array_equal(gradient, [[1, -1]])
        small = np.array([[0.5]], dtype)
        assert nn.Huber(1e300)(small, [[0.0]])[0] == 0.125


def test_no_options_are_neutral_options(rng):
    z, labels = rng.standard_normal((20, 4)), rng.integers(0, 4, 20)
    neutral = nn.CrossEntropy(np.full(4, 7), label_smoothing=0)(z, labels)
    value, gradient = nn.CrossEntropy()(z, labels)
    assert neutral[0] == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(neutral[1], gradient, atol=1e-16)


def test_accuracy():
    y_pred = [[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    assert nn.CrossEntropy().accuracy(y_pred, [1, 0, 0, 1]) == 0.75
    assert nn.MSE().accuracy(y_pred, y_pred) is None
    assert nn.Huber().accuracy(y_pred, y_pred) is None


def test_binary_accuracy_and_shapes():
    loss, z = nn.BinaryCrossEntropy(), np.array([[1.0], [-1.0], [2.0], [-3.0]])
    assert loss.accuracy(z, [1, 0, 0, 0]) == 0.75
    answers = [[1, 0], [0, 1], [1, 1], [1, 1]]
    assert loss.accuracy(np.repeat(z, 2, axis=1), answers) == 0.5
    for kind in (bool, np.uint8, np.float32):
        y = np.array([1, 0, 0, 0], kind)
        assert loss(z, y)[0] == loss(z, y[:, None])[0] == loss(z, y.astype(float))[0]


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


BINARY_ERRORS = {
    "no bits": ([[0, 2], [1, 0]], "y must hold only 0 and 1, got 2"),
    "signs": ([[-1, 1], [1, 1]], "got -1"),
    "nan": ([[np.nan, 1], [1, 1]], "got nan"),
    "one label a sample": ([0, 1], r"shape \(2, 2\), got \(2,\)"),
}


@pytest.mark.parametrize("case", BINARY_ERRORS)
def test_binary_labels_that_do_not_fit(case):
    labels, message = BINARY_ERRORS[case]
    with pytest.raises(ValueError, match=message):
        nn.BinaryCrossEntropy()(np.zeros((2, 2)), labels)


OPTION_ERRORS = {
    "delta zero": (nn.Huber, [0], ValueError, "delta must be positive, got 0"),
    "delta": (nn.Huber, [-1], ValueError, "delta must be a number"),
    "smoothing": (nn.CrossEntropy, [None, 1], ValueError, "label_smoothing .* below 1"),
    "class_weight": (
        nn.CrossEntropy,
        [[1, 0]],
        ValueError,
        "class_weight must be positive and finite, got 0",
    ),
    "class_weight nan": (nn.CrossEntropy, [[np.nan]], ValueError, "got nan"),
    "class_weight text": (nn.CrossEntropy, ["balanced"], TypeError, "class_weight"),
    "class_weight scalar": (
        nn.CrossEntropy,
        [2],
        ValueError,
        r"class_weight must have shape \(n_out,\), got \(\)",
    ),
    "pos_weight": (nn.BinaryCrossEntropy, [-1], ValueError, "pos_weight .* got -1"),
    "pos_weight shape": (
        nn.BinaryCrossEntropy,
        [[[1]]],
        ValueError,
        r"pos_weight must have shape \(\) or \(n_out,\), got \(1, 1\)",
    ),
}


@pytest.mark.parametrize("case", OPTION_ERRORS)
def test_options_that_do_not_fit(case):
    make, arguments, error, message = OPTION_ERRORS[case]
    with pytest.raises(error, match=message):
        make(*arguments)


def test_weights_of_another_width():
    message = r"class_weight must have shape \(3,\) for 3 outputs, got \(4,\)"
    with pytest.raises(ValueError, match=message):
        nn.CrossEntropy(CLASS_WEIGHT)(np.zeros((2, 3)), [0, 1])
    with pytest.raises(ValueError, match="pos_weight must have shape"):
        nn.BinaryCrossEntropy(CLASS_WEIGHT)(np.zeros((1, 3)), [[0, 1, 0]])


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
