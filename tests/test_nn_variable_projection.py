"""variable_projection: its gradient, what it reaches, and how it ends."""

import copy

import numpy as np
import pytest
import scipy.sparse as sp

from fastbutterfly import nn


def make(n_in=16, n_out=16, k=2, l=5, dtype=np.float64, **options):
    return nn.EncoderDecoder(n_in, n_out, k=k, l=l, rng=0, dtype=dtype, **options)


def low_rank(rng, n=64, r=8, d=64):
    """Gaussian data of rank r, samples as rows."""
    basis, _ = np.linalg.qr(rng.standard_normal((n, r)))
    return rng.standard_normal((d, r)) @ basis.T


def pca(X, k):
    """Least squared error of rank k."""
    return np.square(np.linalg.svd(X, compute_uv=False)[k:]).sum()


def best(net, X, Y):
    """Least error for B as it is: |P Y - Y|^2 and the tail of P Y, by lstsq."""
    A = X @ net.layers[0].operator.to_dense().T
    PY = A @ np.linalg.lstsq(A, Y)[0]
    return np.square(Y - PY).sum() + pca(PY, net.layers[1].n_out)


def error(net, X, Y):
    B, E, D = net.layers
    matrix = B.operator.to_dense().T @ E.weights @ D.weights
    return np.square(X @ matrix - Y).sum()


def assert_solved(net, X, Y, rel=1e-9):
    """E and D are the best for B."""
    assert error(net, X, Y) == pytest.approx(best(net, X, Y), rel=rel)


@pytest.mark.parametrize("sizes", [(16, 16, 2, 5), (12, 7, 3, 3), (33, 5, 1, 4)])
@pytest.mark.parametrize("init", ["fjlt", "gaussian"])
def test_gradient(rng, sizes, init):
    net, lr, h = make(*sizes, init=init), 1e-4, 1e-6
    X, Y = rng.standard_normal((40, sizes[0])), rng.standard_normal((40, sizes[1]))
    start, value = net.layers[0].parameters.copy(), best(net, X, Y)
    history = nn.variable_projection(net, X, Y, optimizer=nn.SGD(lr), max_iter=1)
    assert history.loss == pytest.approx([value], rel=1e-12)
    gradient = (start - net.layers[0].parameters) / lr
    assert np.any(gradient)
    for u in rng.standard_normal((5, start.size)):
        values = []
        for step in (h, -h):
            net.layers[0].parameters[...] = start + step * u
            values.append(best(net, X, Y))
        slope, expected = (values[0] - values[1]) / (2 * h), gradient @ u
        scale = np.linalg.norm(gradient) * np.linalg.norm(u)
        assert abs(slope - expected) < 1e-6 * scale


class TestReaches:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_pca(self, rng, dtype):
        X = low_rank(rng)
        net = make(64, 64, 2, 4, dtype)
        start = best(net, X, X)
        history = nn.variable_projection(net, X, max_iter=500)
        tolerance = 1e-3 if dtype == np.float32 else 1e-6
        assert start > 1.05 * pca(X, 2)
        assert history.loss[-1] == pytest.approx(pca(X, 2), rel=tolerance)
        assert error(net, X, X) == pytest.approx(history.loss[-1], rel=tolerance)
        assert net.dtype == net.parameters.dtype == dtype

    @pytest.mark.parametrize("scale", [1e-12, 1e-4, 1e12])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_at_any_scale(self, rng, dtype, scale):
        X, net = rng.standard_normal((60, 16)) * 0.8 ** np.arange(16), make(dtype=dtype)
        history = nn.variable_projection(net, scale * X)
        assert history.loss[-1] < 1.001 * scale**2 * pca(X, 2)

    def test_the_rank_of_the_data(self, rng):
        X, net = low_rank(rng, 64, 3), make(64, 64, 3, 6)
        nn.variable_projection(net, X, max_iter=5)
        assert error(net, X, X) < 1e-12 * np.square(X).sum()

    def test_less_than_it_started_for_other_targets(self, rng):
        X, net = rng.standard_normal((50, 12)), make(12, 7, 2, 4)
        Y = np.tanh(X[:, :7] + X[:, 5:])
        history = nn.variable_projection(net, X, Y, max_iter=30)
        assert history.loss[0] < best(make(12, 7, 2, 4), X, Y)
        assert np.all(np.diff(history.loss) <= 0)
        assert history.loss[-1] == pytest.approx(error(net, X, Y), rel=1e-9)
        assert_solved(net, X, Y)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("optimizer", [nn.Adam(1e-2), nn.SGD(1e-3, momentum=0.9)])
    def test_with_an_optimizer(self, rng, optimizer, dtype):
        X, net, values = low_rank(rng, 64, 8), make(64, 64, 2, 4, dtype), []
        history = nn.variable_projection(
            net,
            X,
            optimizer=optimizer,
            max_iter=80,
            callback=lambda net, _: values.append(best(net, X, X)),
        )
        rel = 1e-4 if dtype == np.float32 else 1e-9
        assert len(history.loss) == len(values) == history.steps == 80
        assert history.loss[1:] == pytest.approx(values[:-1], rel=rel)
        assert history.loss[0] == pytest.approx(best(make(64, 64, 2, 4), X, X), rel=rel)
        assert values[-1] < history.loss[0] - 0.5 * (history.loss[0] - pca(X, 2))
        assert_solved(net, X, X, rel)

    def test_what_training_everything_cannot_lower(self, rng):
        X, net = rng.standard_normal((40, 16)), make()
        before = nn.variable_projection(net, X, max_iter=2000).loss[-1]
        history = nn.lbfgs(net, X, X, loss=nn.MSE(), max_iter=20)
        after = np.mean((net(X) - X) ** 2) * X.size
        assert after > before * (1 - 1e-3)
        assert history.steps <= 20


class TestEnds:
    def test_no_iterations_is_solve(self, rng):
        X = rng.standard_normal((40, 16))
        for optimizer in (None, nn.Adam(1e-2)):
            net, twin, seen = make(), make(), []
            history = nn.variable_projection(
                net, X, optimizer=optimizer, max_iter=0, callback=seen.append
            )
            twin.solve(X)
            np.testing.assert_array_equal(net.parameters, twin.parameters)
            assert (history.steps, history.loss, seen) == (0, [], [])

    @pytest.mark.parametrize("optimizer", [None, nn.Adam(1e-2)])
    @pytest.mark.parametrize("how", ["stopped", "interrupted"])
    def test_by_a_callback(self, rng, how, optimizer):
        seen, ends = [], []

        class Stop:
            def __call__(self, net, history):
                seen.append(net.layers[0].parameters.copy())
                if how == "interrupted" and history.steps == 3:
                    raise KeyboardInterrupt
                return history.steps == 3

            def end(self, net, history):
                ends.append((history, error(net, X, X)))

        X, net, twin = rng.standard_normal((40, 16)), make(), make()
        options = {"optimizer": optimizer}
        history = nn.variable_projection(net, X, callback=Stop(), **options)
        nn.variable_projection(twin, X, max_iter=3, **options)
        assert len(seen) == history.steps == 3
        assert history.stopped == (how == "stopped")
        assert history.interrupted == (how == "interrupted")
        np.testing.assert_array_equal(net.layers[0].parameters, seen[-1])
        np.testing.assert_array_equal(net.parameters, twin.parameters)
        assert ends == [(history, error(net, X, X))]
        assert_solved(net, X, X)

    @pytest.mark.parametrize("optimizer", [None, nn.Adam(1e-2)])
    def test_within_an_iteration(self, rng, monkeypatch, optimizer):
        X, net, seen, calls = rng.standard_normal((40, 16)), make(), [], []
        backward = net.layers[0].backward

        def fails_later(*args, **options):
            calls.append(0)
            if len(calls) == 6:
                raise KeyboardInterrupt
            return backward(*args, **options)

        monkeypatch.setattr(net.layers[0], "backward", fails_later)
        watch = {"callback": lambda *_: seen.append(net.layers[0].parameters.copy())}
        history = nn.variable_projection(net, X, optimizer=optimizer, **watch)
        assert history.interrupted
        assert len(seen) == history.steps > 0
        np.testing.assert_array_equal(net.layers[0].parameters, seen[-1])
        assert_solved(net, X, X)

    @pytest.mark.parametrize("max_iter", [1, 10])
    @pytest.mark.parametrize("lr", [1e200, 1.7e308])
    def test_by_divergence(self, rng, lr, max_iter):
        X, net = rng.standard_normal((40, 16)), make()
        options = {"optimizer": nn.SGD(lr), "max_iter": max_iter}
        with pytest.raises(nn.DivergenceError, match="iteration") as caught:
            nn.variable_projection(net, 1e3 * X, **options)
        assert np.isfinite(net.parameters).all()
        assert caught.value.history.steps == caught.value.step <= 1

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_huge_samples(self, rng, dtype):
        X, net = rng.choice(np.array([-1, 1], dtype), (40, 16)), make(dtype=dtype)
        X *= 3e38 if dtype == np.float32 else 1e300
        before = net.parameters.copy()
        with pytest.raises(nn.DivergenceError, match="in iteration 1"):
            nn.variable_projection(net, X)
        np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix, sp.coo_array])
def test_sparse(rng, kind):
    X, nets = rng.poisson(0.5, (30, 16)).astype(float), (make(), make(), make())
    for net, data in zip(nets, [(X,), (kind(X),), (kind(X), X)], strict=True):
        nn.variable_projection(net, *data, max_iter=5)
        np.testing.assert_array_equal(net.parameters, nets[0].parameters)


def test_e_and_d_as_they_start_do_not_matter(rng):
    X, net = rng.standard_normal((40, 16)), make()
    twin = copy.deepcopy(net)
    twin.layers[1].weights[...] = twin.layers[2].weights[...] = np.nan
    for each in (net, twin):
        nn.variable_projection(each, X, max_iter=5)
    np.testing.assert_array_equal(net.parameters, twin.parameters)
    assert nn.check_gradients(net, rng=0) < 1e-6


def test_degenerate_samples(rng):
    for X in (np.zeros((5, 16)), np.ones((9, 16)), rng.standard_normal((1, 16))):
        net = make()
        nn.variable_projection(net, X, max_iter=5)
        assert np.isfinite(net.parameters).all()
        assert error(net, X, X) < 1e-15


ERRORS = {
    "net": ({"net": nn.Dense(16, 16)}, TypeError, "net must be an EncoderDecoder"),
    "optimizer": ({"optimizer": nn.SGD}, TypeError, "optimizer must be an optimiser"),
    "max_iter": ({"max_iter": -1}, ValueError, "max_iter must be at least 0, got -1"),
    "callback": ({"callback": 1}, TypeError, "callback must be callable, got 1"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    changes, kind, message = ERRORS[case]
    arguments = {"net": make(), "X": np.eye(16), **changes}
    before = arguments["net"].parameters.copy()
    with pytest.raises(kind, match=message):
        nn.variable_projection(**arguments)
    np.testing.assert_array_equal(arguments["net"].parameters, before)
