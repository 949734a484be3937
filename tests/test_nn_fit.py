"""fit: learns, repeats itself, stops when it must, reports."""

import importlib.util
import os
import signal
import sys

import numpy as np
import pytest

import fastbutterfly as fb
from fastbutterfly import nn


def problem(rng, samples=200):
    """Two noisy classes in eight dimensions."""
    y = rng.integers(0, 2, samples)
    X = rng.standard_normal((samples, 8)) + 2 * y[:, None]
    return X, y


def small_net(dtype=np.float32):
    return nn.Sequential(
        nn.ButterflyLinear(8, 8, rng=0, dtype=dtype),
        nn.ReLU(),
        nn.Dense(8, 2, rng=1, dtype=dtype),
    )


def classify(net, X, y, **options):
    defaults = {"loss": nn.CrossEntropy(), "optimizer": nn.SGD(0.1), "rng": 0}
    return nn.fit(net, X, y, **{**defaults, **options})


class TestLearns:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("trainable", [True, False])
    def test_a_hidden_butterfly_unless_frozen(self, dtype, trainable):
        X = np.random.default_rng(8).standard_normal((1024, 64))
        Y = fb.Butterfly.random(64, rng=7).apply(X)
        net = nn.ButterflyLinear(64, 64, rng=1, dtype=dtype, trainable=trainable)
        start = net.weights.copy()
        options = {"momentum": 0.9, "weight_decay": 0 if trainable else 1e-3}
        nn.fit(
            net,
            X,
            Y,
            loss=nn.MSE(),
            optimizer=nn.SGD(2.0, **options),
            epochs=150,
            rng=0,
        )
        error = np.linalg.norm(net(X) - Y) / np.linalg.norm(Y)
        if trainable:
            assert error < 1e-3
        else:
            assert error > 0.5
            np.testing.assert_array_equal(net.weights, start)

    def test_two_classes(self, rng):
        X, y = problem(rng)
        history = classify(small_net(), X, y, validation=(X, y))
        assert history.validation_accuracy[-1] > 0.9
        assert history.loss[-1] < history.loss[0]

    def test_two_classes_with_one_output(self, rng):
        X, y = problem(rng)
        net = nn.Sequential(
            nn.ButterflyLinear(8, 8, rng=0), nn.ReLU(), nn.Dense(8, 1, rng=1)
        )
        options = {"loss": nn.BinaryCrossEntropy(), "validation": (X, y == 1)}
        assert classify(net, X, y, **options).validation_accuracy[-1] > 0.9


class TestRepeats:
    def run(self, X, y, seed):
        net = small_net()
        classify(net, X, y, epochs=3, rng=seed, optimizer=nn.SGD(0.1, momentum=0.9))
        return net.parameters

    def test_same_rng_same_bits(self, rng):
        X, y = problem(rng)
        first = self.run(X, y, 5)
        np.testing.assert_array_equal(first, self.run(X, y, 5))
        np.testing.assert_array_equal(first, self.run(X, y, np.random.default_rng(5)))
        assert not np.array_equal(first, self.run(X, y, 6))

    def test_validation_does_not_change_the_run(self, rng):
        X, y = problem(rng)
        nets = small_net(), small_net()
        classify(nets[0], X, y, validation=(X, y))
        classify(nets[1], X, y)
        np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)

    def test_a_step_is_the_definition(self, rng):
        X, y = problem(rng, 20)
        net, twin = small_net(np.float64), small_net(np.float64)
        history = classify(net, X, y, epochs=1, batch_size=50)
        y_pred, saved = twin.forward(X)
        value, g = nn.CrossEntropy()(y_pred, y)
        gradient = np.empty_like(twin.parameters)
        twin.backward(saved, g, gradient)
        assert history.loss == [pytest.approx(value, rel=1e-12)]
        expected = twin.parameters - 0.1 * gradient
        np.testing.assert_allclose(net.parameters, expected, atol=1e-14)

    def test_each_sample_is_seen_once_an_epoch(self, rng, monkeypatch):
        seen, net = [], nn.Dense(1, 1, dtype=np.float64)
        forward = net.forward
        monkeypatch.setattr(net, "forward", lambda x: seen.append(x) or forward(x))
        X = np.arange(10.0)[:, None]
        nn.fit(
            net, X, X, loss=nn.MSE(), optimizer=nn.SGD(0), epochs=2, batch_size=4, rng=0
        )
        assert [len(x) for x in seen] == [4, 4, 2] * 2
        epochs = np.concatenate(seen[:3]), np.concatenate(seen[3:])
        for epoch in epochs:
            np.testing.assert_array_equal(np.sort(epoch, axis=0), X)
        assert not np.array_equal(*epochs)


class TestClip:
    """One step of plain gradient descent shows the gradient that it was given."""

    def step(self, X, y, **options):
        net = nn.Dense(X.shape[1], 1, rng=0, dtype=X.dtype)
        before = net.parameters.copy()
        defaults = {"loss": nn.MSE(), "optimizer": nn.SGD(1.0), "epochs": 1}
        classify(net, X, y, batch_size=len(X), **{**defaults, **options})
        return before - net.parameters

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_scales_gradients_of_a_large_norm_only(self, rng, dtype):
        X = rng.standard_normal((20, 8)).astype(dtype)
        y = 10 * rng.standard_normal((20, 1))
        gradient = self.step(X, y)
        length, eps = np.linalg.norm(gradient), 50 * np.finfo(dtype).eps
        for share in (1e-3, 0.5, 0.99):
            clipped = self.step(X, y, clip=share * length)
            np.testing.assert_allclose(clipped, share * gradient, atol=eps)
        for clip in (None, 1.01 * length, 1e9):
            np.testing.assert_array_equal(self.step(X, y, clip=clip), gradient)

    def test_of_a_norm_whose_square_overflows(self):
        X, y = np.full((1, 1), 1e10, np.float32), np.full((1, 1), 1e15)
        step = self.step(X, y, clip=2)
        np.testing.assert_allclose(step, [-2, 0], atol=1e-6)

    def test_keeps_a_run_from_diverging(self, rng):
        X = rng.standard_normal((64, 8))
        options = {"loss": nn.MSE(), "optimizer": nn.SGD(1e3), "batch_size": 8}
        history = classify(nn.ButterflyLinear(8, 8, rng=0), X, X, clip=1e-4, **options)
        assert np.isfinite(history.loss).all()

    def test_nan_is_still_a_divergence(self):
        net = nn.Dense(1, 1, bias=False, dtype=np.float32)
        net.weights[...] = 0
        X, y = np.full((1, 1), 1e30, np.float32), np.full((1, 1), 1e15, np.float32)
        with pytest.raises(nn.DivergenceError, match="gradient"):
            classify(net, X, y, loss=nn.MSE(), clip=1)


class TestHistory:
    def test_records_each_epoch(self, rng):
        X, y = problem(rng)
        net = small_net()
        history = classify(net, X, y, epochs=3, validation=(X[:50], y[:50]))
        value, _ = nn.CrossEntropy()(net(X[:50]), y[:50])
        right = np.mean(net(X[:50]).argmax(axis=1) == y[:50])
        assert history.validation_loss[-1] == pytest.approx(value)
        assert history.validation_accuracy[-1] == pytest.approx(right)
        assert len(history.loss) == len(history.seconds) == 3
        assert history.steps == 3 * 4
        assert not history.interrupted
        assert repr(history).startswith("History(3 epochs, 12 steps, loss ")

    @pytest.mark.parametrize("class_weight", [None, [1, 9]])
    def test_validation_in_pieces(self, rng, monkeypatch, class_weight):
        X, y = problem(rng)
        options = {"epochs": 1, "loss": nn.CrossEntropy(class_weight)}
        whole = classify(small_net(), X, y, validation=(X, y), **options)
        monkeypatch.setattr("fastbutterfly.nn.training.run.EVALUATED_ROWS", 64)
        pieces = classify(small_net(), X, y, validation=(X, y), **options)
        assert pieces.validation_loss == pytest.approx(whole.validation_loss)
        assert pieces.validation_accuracy == pytest.approx(whole.validation_accuracy)

    def test_no_epochs(self, rng):
        net = small_net()
        before = net.parameters.copy()
        history = classify(net, *problem(rng), epochs=0)
        assert (history.loss, history.steps) == ([], 0)
        np.testing.assert_array_equal(net.parameters, before)
        assert repr(history) == "History(0 epochs, 0 steps)"

    def test_regression_has_no_accuracy(self, rng):
        X, _ = problem(rng)
        net, options = nn.Dense(8, 8, rng=0), {"loss": nn.MSE(), "epochs": 1}
        history = classify(net, X, X, validation=(X, X), **options)
        assert history.validation_accuracy == [None]


class TestDivergence:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_stops_at_the_step(self, rng, dtype):
        X = rng.standard_normal((64, 8))
        net = nn.ButterflyLinear(8, 8, rng=0, dtype=dtype)
        options = {"loss": nn.MSE(), "optimizer": nn.SGD(1e3), "batch_size": 8}
        with pytest.raises(nn.DivergenceError, match="training diverged") as caught:
            classify(net, X, X, epochs=100, **options)
        assert 1 <= caught.value.step < 100
        assert caught.value.step == caught.value.history.steps
        assert str(caught.value.step) in str(caught.value)

    def test_of_the_gradient_alone(self):
        net = nn.Dense(1, 1, bias=False, dtype=np.float32)
        net.weights[...] = 0
        X, y = np.full((1, 1), 1e30, np.float32), np.full((1, 1), 1e15, np.float32)
        options = {"loss": nn.MSE(), "optimizer": nn.SGD(0.1)}
        with pytest.raises(nn.DivergenceError, match=r"gradient .* step 0") as caught:
            classify(net, X, y, **options)
        assert caught.value.step == 0
        assert net.weights[0, 0] == 0

    def test_of_the_last_update(self):
        net = nn.Dense(1, 1, bias=False, dtype=np.float32)
        X = np.full((1, 1), 1e9, np.float32)
        options = {"loss": nn.MSE(), "optimizer": nn.SGD(1e30), "epochs": 1}
        with pytest.raises(nn.DivergenceError, match="parameters") as caught:
            classify(net, X, X, **options)
        assert caught.value.step == 1

    def test_large_gradients_alone_are_no_divergence(self):
        net = nn.Dense(1, 2, bias=False, dtype=np.float32)
        net.weights[...] = 0
        # The two gradients are 3e38; their sum is infinite.
        X, y = np.full((1, 1), 2e19, np.float32), np.full((1, 2), 1.5e19, np.float32)
        options = {"loss": nn.MSE(), "optimizer": nn.SGD(1e-39), "epochs": 1}
        assert classify(net, X, y, **options).steps == 1


class TestInterrupt:
    def test_from_a_callback(self, rng):
        X, y = problem(rng)
        net, calls = small_net(), []

        def stop(got_net, history):
            calls.append(got_net is net)
            if len(history.loss) == 2:
                raise KeyboardInterrupt

        history = classify(net, X, y, epochs=9, callbacks=[stop])
        twin = small_net()
        classify(twin, X, y, epochs=2)
        assert history.interrupted
        assert calls == [True, True]
        assert (len(history.loss), history.steps) == (2, 8)
        assert "interrupted" in repr(history)
        np.testing.assert_array_equal(net.parameters, twin.parameters)

    def test_by_a_signal_within_an_epoch(self, rng):
        X, y = problem(rng)
        net = small_net()

        def rate(step):
            if step == 6:
                os.kill(os.getpid(), signal.SIGINT)
            return 0.1

        # Background jobs of a shell are started with the signal ignored.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            history = classify(net, X, y, epochs=9, optimizer=nn.SGD(rate))
        finally:
            signal.signal(signal.SIGINT, before)
        assert history.interrupted
        assert len(history.loss) == 1
        assert history.steps in (6, 7)
        assert np.isfinite(net.parameters).all()


class TestProgress:
    def run(self, rng, **options):
        X, y = problem(rng)
        return classify(small_net(), X, y, epochs=2, validation=(X, y), **options)

    def test_lines_without_tqdm(self, rng, capsys, monkeypatch):
        monkeypatch.setitem(sys.modules, "tqdm", None)
        self.run(rng, progress=True)
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 2
        assert lines[1].startswith("epoch 2/2: loss ")
        assert "accuracy" in lines[1]

    @pytest.mark.skipif(not importlib.util.find_spec("tqdm"), reason="needs tqdm")
    def test_bar_with_tqdm(self, rng, capsys):
        self.run(rng, progress=True)
        assert "8/8" in capsys.readouterr().err

    @pytest.mark.parametrize("progress", [False, None])
    def test_silent(self, rng, capsys, progress):
        self.run(rng, progress=progress)
        assert capsys.readouterr() == ("", "")

    def test_on_a_terminal(self, rng, capsys, monkeypatch):
        monkeypatch.setitem(sys.modules, "tqdm", None)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        self.run(rng)
        assert "epoch 2/2" in capsys.readouterr().err


class Widened(nn.Dense):
    """Its outputs in a step of training are wrong in one way or another."""

    def __init__(self, change):
        super().__init__(4, 2, rng=0)
        self.change = change

    def forward_training(self, x, rng):
        y, saved = self.forward(x)
        return self.change(y), saved


class TestOwnClassesAreChecked:
    """A step trusts the library's losses and outputs that fit, and nothing else."""

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            (lambda y: y[:, :1], ValueError, "labels from 0 to 0"),
            (lambda y: y[:-1], ValueError, "one label a sample"),
            (lambda y: y[0], ValueError, "y_pred must have shape"),
            (lambda y: y * 1j, TypeError, "y_pred must hold real numbers"),
            (lambda y: y[:, :0], ValueError, "y_pred must not be empty"),
        ],
    )
    def test_layer(self, change, error, message):
        X, y = np.ones((6, 4)), np.array([0, 1] * 3)
        options = {"loss": nn.CrossEntropy(), "optimizer": nn.SGD(0.1), "epochs": 1}
        with pytest.raises(error, match=message):
            nn.fit(Widened(change), X, y, batch_size=6, rng=0, **options)

    def test_loss(self):
        class Own(nn.MSE):
            calls = 0

            def targets(self, name, y, rows, n_out):
                self.calls += 1
                return super().targets(name, y, rows, n_out)

        X, loss = np.ones((6, 4)), Own()
        options = {"optimizer": nn.SGD(0.1), "epochs": 1, "batch_size": 2}
        nn.fit(nn.Dense(4, 4, rng=0), X, X, loss=loss, **options)
        assert loss.calls == 1 + 3  # of all samples before the run, and of each batch
