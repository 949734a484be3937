"""Adam against its published formula and torch, over many steps."""

from itertools import product

import laws
import numba
import numpy as np
import pytest

from fastbutterfly import nn
from fastbutterfly._jit.options import OPTIONS as OPTIONS_OF_NUMBA
from fastbutterfly._kernels import optimizer_steps

pytestmark = pytest.mark.interpreted

OPTIONS = [
    {"betas": betas, "eps": eps, "weight_decay": decay}
    for betas, eps, decay in product(
        ((0.9, 0.999), (0.0, 0.5), (0.5, 0.0)), (1e-8, 0.1), (0, 0.1)
    )
]
STEPS = 100


def reference(w, gradients, rates, *, betas, eps, weight_decay):
    """Algorithm 2 of Loshchilov and Hutter (2019), in float64."""
    w, m, v = w.astype(float), 0, 0
    for t, (gradient, lr) in enumerate(zip(gradients, rates, strict=True), 1):
        m = betas[0] * m + (1 - betas[0]) * gradient.astype(float)
        v = betas[1] * v + (1 - betas[1]) * gradient.astype(float) ** 2
        m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
        w = w - lr * m_hat / (np.sqrt(v_hat) + eps) - lr * weight_decay * w
    return w


def run(optimizer, w, gradients):
    """Parameters after all steps."""
    w = w.copy()
    state = optimizer.init(w)
    for gradient in gradients:
        optimizer.update(w, gradient, state)
    assert state.step == len(gradients)
    return w


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
class TestUpdate:
    @pytest.mark.parametrize("size", [0, 1, 101])
    def test_is_the_formula(self, rng, options, dtype, size):
        w = rng.standard_normal(size).astype(dtype)
        # No entry near zero: there the sign, and so the step, hangs on rounding.
        gradients = rng.choice([-1, 1], (STEPS, size)) * rng.uniform(
            0.1, 1, (STEPS, size)
        )
        gradients = gradients.astype(dtype)
        kept = gradients.copy()
        actual = run(nn.Adam(0.01, **options), w, gradients)
        expected = reference(w, gradients, [0.01] * STEPS, **options)
        np.testing.assert_array_equal(gradients, kept)
        assert actual.dtype == dtype
        np.testing.assert_allclose(actual, expected, atol=100 * np.finfo(dtype).eps)

    def test_follows_a_schedule(self, rng, options, dtype):
        w = rng.standard_normal(101).astype(dtype)
        gradients = rng.uniform(0.1, 1, (4, 101)).astype(dtype)
        rates = [0.3, 0.1, 0.2, 0]
        actual = run(nn.Adam(rates.__getitem__, **options), w, gradients)
        expected = reference(w, gradients, rates, **options)
        np.testing.assert_allclose(actual, expected, atol=50 * np.finfo(dtype).eps)

    def test_torch_agrees(self, rng, options, dtype):
        torch = pytest.importorskip("torch")
        w = rng.standard_normal(101).astype(dtype)
        gradients = rng.uniform(0.1, 1, (STEPS, 101)).astype(dtype)
        leaf = torch.tensor(w, requires_grad=True)
        optimizer = torch.optim.AdamW([leaf], 0.01, **options)
        for gradient in gradients:
            leaf.grad = torch.tensor(gradient)
            optimizer.step()
        actual = run(nn.Adam(0.01, **options), w, gradients)
        expected = leaf.detach().numpy()
        np.testing.assert_allclose(actual, expected, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"nesterov": True}])
@pytest.mark.parametrize("decay", [0, 0.1])
def test_torch_agrees_on_sgd(rng, options, decay):
    torch = pytest.importorskip("torch")
    options = {"momentum": 0.9, **options} if options else {}
    w, gradients = rng.standard_normal(20), rng.standard_normal((STEPS, 20))
    leaf = torch.tensor(w, requires_grad=True)
    optimizer = torch.optim.SGD([leaf], 0.01, weight_decay=decay, **options)
    for gradient in gradients:
        leaf.grad = torch.tensor(gradient)
        optimizer.step()
    actual = run(nn.SGD(0.01, weight_decay=decay, **options), w, gradients)
    np.testing.assert_allclose(actual, leaf.detach().numpy(), rtol=1e-12, atol=1e-13)


def test_defaults():
    optimizer = nn.Adam()
    assert optimizer.lr == 1e-3
    assert optimizer.betas == (0.9, 0.999)
    assert (optimizer.eps, optimizer.weight_decay) == (1e-8, 0)


def test_no_gradient_no_step():
    for dtype in (np.float32, np.float64):
        w = np.ones(5, dtype)
        np.testing.assert_array_equal(run(nn.Adam(), w, np.zeros((3, 5), dtype)), w)


def test_a_gradient_whose_square_overflows():
    w = np.ones(2, np.float32)
    gradients = np.array([[1e30, 1], [1, 1]], np.float32)
    with np.errstate(over="ignore"):
        moved = run(nn.Adam(0.5), w, gradients)
    np.testing.assert_allclose(moved, [1, 0], atol=1e-6)


@pytest.mark.skipif(laws.INTERPRETED, reason="nothing is compiled")
@pytest.mark.parametrize("name", ["sgd", "sgd_momentum", "sgd_decoupled", "adam"])
def test_compiled_float32_stays_float32(name, monkeypatch):
    kernel = numba.njit(**OPTIONS_OF_NUMBA)(getattr(optimizer_steps, name).py_func)
    monkeypatch.setattr(optimizer_steps, name, kernel)
    w = np.ones(3, np.float32)
    options = {"momentum": 0 if name == "sgd" else 0.9}
    options["decoupled"] = name == "sgd_decoupled"
    optimizer = nn.Adam(0.1) if name == "adam" else nn.SGD(0.1, **options)
    optimizer.update(w, w.copy(), optimizer.init(w))
    (signature,) = kernel.signatures
    assert "fpext" not in kernel.inspect_llvm(signature)


def test_trains(rng):
    X = rng.standard_normal((256, 16))
    Y = X @ np.linalg.qr(rng.standard_normal((16, 16)))[0]
    net = nn.Dense(16, 16, rng=0)
    options = {"loss": nn.MSE(), "optimizer": nn.Adam(0.02), "epochs": 50, "rng": 0}
    assert nn.fit(net, X, Y, **options).loss[-1] < 1e-4


ERRORS = {
    "lr": ({"lr": -1}, ValueError, "lr must be a number, at least 0 and finite"),
    "betas": ({"betas": 0.9}, TypeError, "betas must be a pair of numbers, got 0.9"),
    "three": ({"betas": (0, 0, 0)}, TypeError, "betas must be a pair"),
    "beta": ({"betas": (0.9, 1)}, ValueError, r"betas\[1\] must be .* below 1, got 1"),
    "eps": ({"eps": 0}, ValueError, "eps must be positive, got 0"),
    "weight_decay": ({"weight_decay": "x"}, ValueError, "weight_decay must be"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_option_errors(case):
    options, error, message = ERRORS[case]
    with pytest.raises(error, match=message):
        nn.Adam(**options)


def test_update_errors():
    optimizer, w = nn.Adam(lambda step: np.nan), np.zeros(3)
    state = optimizer.init(w)
    with pytest.raises(ValueError, match=r"lr\(0\) must be .* got nan"):
        optimizer.update(w, np.ones(3), state)
    with pytest.raises(ValueError, match="gradient must match parameters"):
        optimizer.update(w, np.ones(2), state)
    with pytest.raises(ValueError, match=r"state\.mean must match parameters"):
        optimizer.update(np.zeros(2), np.ones(2), state)
    assert state.step == 0
    np.testing.assert_array_equal(w, 0)
