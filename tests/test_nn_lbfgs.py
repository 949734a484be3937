"""L-BFGS: finds the optimum that algebra knows; ends as it should."""

import numpy as np
import pytest

from fastbutterfly import nn


def regression(rng, samples=100):
    """Noisy linear data, and the best affine map by least squares."""
    X = rng.standard_normal((samples, 5))
    Y = X @ rng.standard_normal((5, 3)) + 1 + 0.1 * rng.standard_normal((samples, 3))
    ones = np.column_stack([X, np.ones(samples)])
    return X, Y, ones @ np.linalg.lstsq(ones, Y)[0]


@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 1e-3), (np.float64, 1e-6)])
def test_least_squares(rng, dtype, atol):
    X, Y, best = regression(rng)
    net = nn.Dense(5, 3, rng=0, dtype=dtype)
    history = nn.lbfgs(net, X, Y, loss=nn.MSE())
    assert net.parameters.dtype == dtype
    np.testing.assert_allclose(net(X), best, atol=atol)
    assert history.loss[-1] == pytest.approx(np.mean((best - Y) ** 2), rel=1e-5)
    assert len(history.loss) == history.steps < 100
    assert np.all(np.diff(history.loss) <= 0)


def test_the_loss_is_that_of_the_network_after_the_iteration(rng):
    X, Y, _ = regression(rng)
    net, values = nn.Dense(5, 3, rng=0, dtype=np.float64), []
    history = nn.lbfgs(
        net,
        X,
        Y,
        loss=nn.MSE(),
        max_iter=5,
        callback=lambda net, _: values.append(nn.MSE()(net(X), Y)[0]),
    )
    assert len(values) == 5
    assert history.loss == pytest.approx(values, rel=1e-12)
    assert len(history.seconds) == 5


@pytest.mark.parametrize("class_weight", [None, [1, 5]])
def test_batches_do_not_matter(rng, class_weight):
    X, y = rng.standard_normal((50, 4)), rng.integers(0, 2, 50)
    ends = []
    for batch_size in (7, 50):
        net = nn.Dense(4, 2, rng=0, dtype=np.float64)
        options = {"loss": nn.CrossEntropy(class_weight), "max_iter": 5}
        nn.lbfgs(net, X, y, batch_size=batch_size, **options)
        ends.append(net.parameters)
    np.testing.assert_allclose(*ends, rtol=1e-9)


def test_a_butterfly_network(rng):
    X, y = rng.standard_normal((200, 8)), rng.integers(0, 2, 200)
    X += 2 * y[:, None]
    net = nn.Sequential(
        nn.ButterflyLinear(8, 8, rng=0), nn.ReLU(), nn.Dense(8, 2, rng=1)
    )
    nn.lbfgs(net, X, y, loss=nn.CrossEntropy(), max_iter=50)
    assert nn.CrossEntropy().accuracy(net(X), y) > 0.97


class TestEnds:
    def run(self, rng, callback=None, **options):
        X, Y, _ = regression(rng)
        net = nn.Dense(5, 3, rng=0, dtype=np.float64)
        options = {"loss": nn.MSE(), "callback": callback, **options}
        return net, nn.lbfgs(net, X, Y, **options)

    def test_no_iterations(self, rng):
        net, history = self.run(rng, max_iter=0)
        before = nn.Dense(5, 3, rng=0, dtype=np.float64)
        np.testing.assert_array_equal(net.parameters, before.parameters)
        assert history.steps == 0

    @pytest.mark.parametrize("how", ["stopped", "interrupted"])
    def test_by_a_callback(self, how):
        seen, ends = [], []

        class Stop:
            def __call__(self, net, history):
                seen.append(net.parameters.copy())
                if how == "interrupted" and history.steps == 3:
                    raise KeyboardInterrupt
                return history.steps == 3

            def end(self, net, history):
                ends.append(history)

        net, history = self.run(np.random.default_rng(0), Stop())
        twin, _ = self.run(np.random.default_rng(0), max_iter=3)
        assert len(seen) == history.steps == 3
        assert (history.stopped, history.interrupted) == (
            how == "stopped",
            how == "interrupted",
        )
        assert ends == [history]
        np.testing.assert_array_equal(net.parameters, seen[-1])
        np.testing.assert_array_equal(net.parameters, twin.parameters)

    @pytest.mark.parametrize("how", [KeyboardInterrupt, nn.DivergenceError])
    def test_within_an_iteration(self, rng, how, monkeypatch):
        X, Y, _ = regression(rng)
        net, seen = nn.Dense(5, 3, rng=0, dtype=np.float64), []
        forward = net.forward

        def fails_later(x):
            if len(seen) < 3:
                return forward(x)
            if how is KeyboardInterrupt:
                raise KeyboardInterrupt
            return forward(np.full_like(x, np.nan))

        monkeypatch.setattr(net, "forward", fails_later)
        watch = {"callback": lambda net, _: seen.append(net.parameters.copy())}
        try:
            history = nn.lbfgs(net, X, Y, loss=nn.MSE(), **watch)
            assert history.interrupted
        except nn.DivergenceError as error:
            history = error.history
        assert history.interrupted == (how is KeyboardInterrupt)
        assert history.steps == len(seen) == 3
        np.testing.assert_array_equal(net.parameters, seen[-1])

    def test_by_divergence(self):
        net = nn.Dense(1, 1, rng=0)
        before = net.parameters.copy()
        X = np.full((1, 1), 1e30, np.float32)
        with pytest.raises(nn.DivergenceError, match="in iteration 1") as caught:
            nn.lbfgs(net, X, X, loss=nn.MSE())
        assert caught.value.step == 0
        np.testing.assert_array_equal(net.parameters, before)


ERRORS = {
    "net": ({"net": nn.ReLU()}, TypeError, "net must be a layer with a size"),
    "nothing to train": (
        {"net": nn.ButterflyLinear(8, 2, bias=False, trainable=False)},
        ValueError,
        "net must have parameters to train",
    ),
    "loss": ({"loss": nn.MSE}, TypeError, "loss must be a Loss"),
    "max_iter": ({"max_iter": -1}, ValueError, "max_iter must be at least 0, got -1"),
    "batch_size": ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
    "callback": ({"callback": 1}, TypeError, "callback must be callable, got 1"),
    "y": ({"y": [0, 1, 2]}, ValueError, "y must hold labels from 0 to 1"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    changes, error, message = ERRORS[case]
    arguments = {
        "net": nn.Dense(8, 2, rng=0),
        "X": np.ones((3, 8)),
        "y": [0, 1, 1],
        "loss": nn.CrossEntropy(),
        **changes,
    }
    net = arguments["net"]
    before = net.parameters.copy()
    with pytest.raises(error, match=message):
        nn.lbfgs(
            arguments.pop("net"), arguments.pop("X"), arguments.pop("y"), **arguments
        )
    np.testing.assert_array_equal(net.parameters, before)
