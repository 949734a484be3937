"""SGD against the plain formula, step by step; schedules."""

from itertools import product

import numpy as np
import pytest

from fastbutterfly import nn

pytestmark = pytest.mark.interpreted

OPTIONS = [
    {
        "momentum": momentum,
        "nesterov": nesterov,
        "weight_decay": decay,
        "decoupled": decoupled,
    }
    for momentum, nesterov, decay, decoupled in product(
        (0, 0.9), (False, True), (0, 0.1), (False, True)
    )
    if (momentum or not nesterov) and (decay or not decoupled)
]


def reference(w, gradients, rates, *, momentum, nesterov, weight_decay, decoupled):
    """torch.optim.SGD's documented update, in float64."""
    w, v = w.astype(float), np.zeros(w.shape)
    for gradient, lr in zip(gradients, rates, strict=True):
        d = gradient if decoupled else gradient + weight_decay * w
        if decoupled:
            w = w - lr * weight_decay * w
        v = momentum * v + d
        w = w - lr * (d + momentum * v if nesterov else v)
    return w


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, 1, 101])
class TestUpdate:
    def test_is_the_formula(self, rng, options, dtype, size):
        w = rng.standard_normal(size).astype(dtype)
        gradients = rng.standard_normal((5, size)).astype(dtype)
        expected = reference(w, gradients, [0.1] * 5, **options)
        optimizer = nn.SGD(0.1, **options)
        state = optimizer.init(w)
        for gradient in gradients:
            kept = gradient.copy()
            optimizer.update(w, gradient, state)
            np.testing.assert_array_equal(gradient, kept)
        assert w.dtype == dtype
        np.testing.assert_allclose(w, expected, atol=20 * np.finfo(dtype).eps)

    def test_follows_a_schedule(self, rng, options, dtype, size):
        w = rng.standard_normal(size).astype(dtype)
        gradients = rng.standard_normal((4, size)).astype(dtype)
        rates = [0.3, 0.1, 0.2, 0]
        expected = reference(w, gradients, rates, **options)
        optimizer = nn.SGD(rates.__getitem__, **options)
        state = optimizer.init(w)
        for gradient in gradients:
            optimizer.update(w, gradient, state)
        assert state.step == 4
        np.testing.assert_allclose(w, expected, atol=20 * np.finfo(dtype).eps)


def test_float32_stays_float32_in_the_kernel():
    w, gradient = np.zeros(100, np.float32), np.arange(100, dtype=np.float32)
    optimizer = nn.SGD(0.1)
    optimizer.update(w, gradient, optimizer.init(w))
    np.testing.assert_array_equal(w, -np.float32(0.1) * gradient)


def test_state_is_outside_the_optimizer():
    optimizer = nn.SGD(1.0, momentum=0.5)
    w, v = np.zeros(1), np.zeros(1)
    first, second = optimizer.init(w), optimizer.init(v)
    optimizer.update(w, np.ones(1), first)
    optimizer.update(w, np.ones(1), first)
    optimizer.update(v, np.ones(1), second)
    assert (w[0], v[0]) == (-2.5, -1)


ERRORS = {
    "lr": ({"lr": -1}, "lr must be a number, at least 0 and finite, got -1"),
    "lr nan": ({"lr": np.nan}, "lr must be a number"),
    "lr text": ({"lr": "fast"}, "lr must be a number, .* got 'fast'"),
    "momentum": ({"lr": 1, "momentum": 1}, "momentum must be .* below 1, got 1"),
    "weight_decay": ({"lr": 1, "weight_decay": -1}, "weight_decay must be"),
    "nesterov": ({"lr": 1, "nesterov": True}, "nesterov=True needs momentum > 0"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_option_errors(case):
    options, message = ERRORS[case]
    with pytest.raises(ValueError, match=message):
        nn.SGD(**options)


def test_flags_are_flags():
    for name in ("nesterov", "decoupled"):
        with pytest.raises(TypeError, match=f"{name} must be True or False, got 1"):
            nn.SGD(1, **{name: 1})


def test_repr_shows_the_options():
    assert repr(nn.SGD(0.1)) == (
        "SGD(0.1, momentum=0.0, nesterov=False, weight_decay=0.0, decoupled=False)"
    )
    assert repr(nn.Adam(0.1, weight_decay=1)) == (
        "Adam(0.1, betas=(0.9, 0.999), eps=1e-08, weight_decay=1.0)"
    )


def test_update_errors():
    optimizer, w = nn.SGD(lambda step: -1.0, momentum=0.5), np.zeros(3)
    state = optimizer.init(w)
    with pytest.raises(ValueError, match=r"lr\(0\) must be .* got -1.0"):
        optimizer.update(w, np.ones(3), state)
    for gradient in (np.ones(2), np.ones(3, np.float32)):
        with pytest.raises(ValueError, match="gradient must match parameters"):
            optimizer.update(w, gradient, state)
    with pytest.raises(ValueError, match=r"state\.velocity must match parameters"):
        optimizer.update(np.zeros(2), np.ones(2), state)


def test_cosine():
    schedule = nn.cosine(0.4, 10)
    expected = [0.2 * (1 + np.cos(np.pi * step / 10)) for step in range(11)]
    np.testing.assert_allclose([schedule(s) for s in range(11)], expected, atol=1e-16)
    assert schedule(1000) == pytest.approx(0, abs=1e-16)


def test_step_decay():
    schedule = nn.step_decay(0.4, 3)
    np.testing.assert_allclose(
        [schedule(step) for step in range(7)], [0.4] * 3 + [0.04] * 3 + [0.004]
    )


@pytest.mark.parametrize("n_steps", [0, 1, 7])
@pytest.mark.parametrize("inner", [0.4, nn.constant(0.4), nn.cosine(0.4, 10)])
def test_warmup(n_steps, inner):
    schedule = nn.warmup(inner, n_steps)
    plain = inner if callable(inner) else lambda step: inner
    rates = [schedule(step) for step in range(n_steps + 12)]
    assert rates[n_steps:] == [plain(step) for step in range(12)]
    rise = np.linspace(0, 0.4, n_steps + 2)[1:]
    np.testing.assert_allclose(rates[: n_steps + 1], rise, rtol=1e-14)


def test_an_optimizer_takes_a_warmup():
    w, optimizer = np.zeros(1), nn.SGD(nn.warmup(1.0, 1))
    state = optimizer.init(w)
    for expected in (-0.5, -1.5, -2.5):
        optimizer.update(w, np.ones(1), state)
        assert w[0] == expected


SCHEDULE_ERRORS = {
    "constant": (nn.constant, (-1,), ValueError, "lr must be a number"),
    "schedule": (nn.warmup, ("x", 3), ValueError, "schedule must be a number"),
    "n_steps": (nn.warmup, (0.1, -1), ValueError, "n_steps must be at least 0, got -1"),
    "float": (nn.warmup, (0.1, 2.5), TypeError, "n_steps must be an int, got 2.5"),
}


@pytest.mark.parametrize("case", SCHEDULE_ERRORS)
def test_schedule_errors(case):
    make, arguments, error, message = SCHEDULE_ERRORS[case]
    with pytest.raises(error, match=message):
        make(*arguments)
