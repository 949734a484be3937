"""EncoderDecoder and two_phase, against dense algebra."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp

from fastbutterfly import nn

F64 = {"rng": 0, "dtype": np.float64}


def make(n_in=16, n_out=16, k=2, l=5, **options):
    return nn.EncoderDecoder(n_in, n_out, k=k, l=l, **{**F64, **options})


def matrix(net):
    """D E B, dense, (n_out, n_in)."""
    B, E, D = net.layers
    return D.weights.T @ E.weights.T @ B.operator.to_dense()


def low_rank(rng, n=64, r=8, d=64):
    """Gaussian data of rank r, samples as rows."""
    basis, _ = np.linalg.qr(rng.standard_normal((n, r)))
    return rng.standard_normal((d, r)) @ basis.T


def pca(X, k):
    """Least squared error of rank k."""
    return np.square(np.linalg.svd(X, compute_uv=False)[k:]).sum()


def best(net, X, Y):
    """Least error for B as it is: |Y|^2 - sum of the first eigenvalues of Sigma."""
    A = X @ net.layers[0].operator.to_dense().T
    values = np.linalg.eigvalsh(Y.T @ A @ np.linalg.solve(A.T @ A, A.T @ Y))
    return np.square(Y).sum() - values[::-1][: net.layers[1].n_out].sum()


def error(net, X, Y):
    return np.square(X @ matrix(net).T - Y).sum()


def snapshot(net):
    return net.parameters.copy()


SIZES = [(16, 16, 2, 5), (12, 7, 3, 5), (33, 40, 4, 4), (5, 3, 1, 5), (1, 2, 1, 1)]


class TestNetwork:
    @pytest.mark.parametrize("sizes", SIZES)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_is_the_product(self, rng, sizes, dtype):
        net, X = make(*sizes, dtype=dtype), rng.standard_normal((9, sizes[0]))
        tolerance = {"rtol": 1e-4, "atol": 1e-5} if dtype == np.float32 else {}
        np.testing.assert_allclose(net(X), X @ matrix(net).T, **tolerance)
        codes = net.encode(X)
        assert codes.shape == (9, sizes[2])
        np.testing.assert_array_equal(net.decode(codes), net(X))
        assert net(X).dtype == dtype
        assert np.linalg.matrix_rank(matrix(net)) <= sizes[2]

    @pytest.mark.parametrize("sizes", SIZES)
    def test_n_weights(self, sizes):
        _, n_out, k, count = sizes
        net = make(*sizes)
        butterfly = net.layers[0].operator.n_weights
        assert net.n_weights == butterfly + k * count + k * n_out

    def test_an_encoder_has_fewer_weights_than_the_bound(self):
        n, k, count = 1024, 32, 192
        encoder = make(n, n, k, count).layers[:2]
        bound = k * count + 2 * n * np.log2(count) + 6 * n
        assert sum(layer.n_weights for layer in encoder) <= bound < k * n

    @pytest.mark.parametrize("init", ["fjlt", "orthogonal", "gaussian", "identity"])
    def test_gradients(self, init):
        assert nn.check_gradients(make(12, 7, init=init), rng=0) < 1e-6

    def test_the_start_of_b_is_the_fjlt(self):
        B = make(64, 64, 2, 6).layers[0].operator.to_dense()
        np.testing.assert_allclose(B @ B.T, np.eye(6), atol=1e-12)
        np.testing.assert_allclose(np.abs(B), 1 / 8, atol=1e-12)

    @pytest.mark.parametrize("how", ["save", "pickle", "copy"])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_round_trip(self, tmp_path, rng, how, dtype):
        net, X = make(12, 7, 3, 5, dtype=dtype), rng.standard_normal((20, 12))
        net.parameters[...] += rng.standard_normal(net.parameters.size)
        if how == "save":
            net.save(tmp_path / "net")
            twin = nn.load(tmp_path / "net")
        else:
            twin = copy.deepcopy(net)
            twin = pickle.loads(pickle.dumps(net)) if how == "pickle" else twin
        assert (type(twin), repr(twin)) == (nn.EncoderDecoder, repr(net))
        np.testing.assert_array_equal(twin(X), net(X))
        before = snapshot(net)
        result = twin.solve(X, X[:, :7])
        assert error(twin, X, X[:, :7]) == pytest.approx(result.loss, rel=1e-3)
        np.testing.assert_array_equal(net.parameters, before)


class TestSolve:
    @pytest.mark.parametrize("sizes", SIZES)
    def test_is_the_closed_form(self, rng, sizes):
        net, X = make(*sizes), rng.standard_normal((50, sizes[0]))
        Y = rng.standard_normal((50, sizes[1]))
        B = snapshot(net.layers[0])
        result = net.solve(X, Y)
        assert result.loss == pytest.approx(best(net, X, Y), rel=1e-9)
        assert result.loss == pytest.approx(error(net, X, Y), rel=1e-9)
        np.testing.assert_array_equal(net.layers[0].parameters, B)

    def test_an_autoencoder_is_the_default(self, rng):
        X, net, twin = rng.standard_normal((30, 16)), make(), make()
        assert net.solve(X).loss == twin.solve(X, X).loss >= pca(X, 2)
        np.testing.assert_array_equal(net.parameters, twin.parameters)

    def test_is_pca_with_all_outputs(self, rng):
        X = rng.standard_normal((30, 16))
        assert make(l=16).solve(X).loss == pytest.approx(pca(X, 2), rel=1e-10)

    def test_training_cannot_do_better(self, rng):
        X, net = rng.standard_normal((30, 16)), make()
        before = net.solve(X).loss
        rest = nn.Sequential(*copy.deepcopy(net.layers[1:]))
        nn.lbfgs(rest, net.layers[0](X), X, loss=nn.MSE())
        assert np.square(rest(net.layers[0](X)) - X).sum() > before * (1 - 1e-12)
        data = {"loss": nn.MSE(), "batch_size": 30, "rng": 0}
        nn.fit(rest, net.layers[0](X), X, optimizer=nn.SGD(0.1), **data)
        assert np.square(rest(net.layers[0](X)) - X).sum() > before * (1 - 1e-12)

    @pytest.mark.parametrize("kind", [sp.csr_array, sp.csr_matrix, sp.coo_array])
    def test_sparse(self, rng, kind):
        X, net, twin = rng.poisson(0.5, (30, 16)).astype(float), make(), make()
        assert net.solve(kind(X)).loss == twin.solve(X).loss
        assert net.solve(kind(X), X).loss == twin.solve(X).loss

    def test_few_or_equal_samples(self, rng):
        for X in (rng.standard_normal((1, 16)), np.ones((9, 16)), np.zeros((3, 16))):
            net = make()
            assert net.solve(X).loss < 1e-20
            np.testing.assert_allclose(net(X), X, atol=1e-9)


SLOWLY = {"optimizer": nn.Adam(1e-3), "epochs": 30, "rng": 0}


class TestTwoPhase:
    @pytest.mark.parametrize("n_out", [16, 6])
    def test_exact(self, rng, n_out):
        net, X = make(n_out=n_out), rng.standard_normal((50, 16))
        Y, expected = X[:, :n_out] ** 2, make(n_out=n_out).solve(X, X[:, :n_out] ** 2)
        result = nn.two_phase(net, X, Y, **SLOWLY)
        assert result.losses[0] == expected.loss
        assert result.losses[1] < result.losses[0]
        assert result.losses[1] == pytest.approx(error(net, X, Y), rel=1e-9)
        first, second = result.histories
        assert first is None
        assert len(second.loss) == 30

    def test_by_gradient(self, rng):
        X, net = low_rank(rng, 16, 6, 40), make()
        B = snapshot(net.layers[0])
        seen = []

        def watch(part, _):
            seen.append((type(part), np.array_equal(net.layers[0].parameters, B)))

        options = {"optimizer": nn.Adam(1e-2), "epochs": 400, "batch_size": 40}
        options |= {"rng": 0, "exact": False, "callbacks": watch}
        result = nn.two_phase(net, X, validation=(X[:9], X[:9]), **options)
        assert result.losses[0] == pytest.approx(make().solve(X).loss, rel=1e-2)
        assert result.losses[1] < result.losses[0]
        assert result.losses[1] == pytest.approx(error(net, X, X), rel=1e-9)
        assert [len(history.loss) for history in result.histories] == [400, 400]
        assert seen[:400] == [(nn.Sequential, True)] * 400
        assert seen[400:] == [(nn.EncoderDecoder, False)] * 400
        expected = np.mean((net(X[:9]) - X[:9]) ** 2)
        last = [history.validation_loss[-1] for history in result.histories]
        assert last[1] == pytest.approx(expected, rel=1e-12) != last[0]

    def test_same_rng_same_bits(self, rng):
        X, nets = rng.standard_normal((50, 16)), (make(), make())
        for net in nets:
            nn.two_phase(net, sp.csr_array(X), exact=False, **SLOWLY)
        np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)

    def test_ctrl_c_in_the_first_phase_ends_both(self, rng):
        def stop(net, history):
            if history.steps >= 3:
                raise KeyboardInterrupt

        X, net = rng.standard_normal((50, 16)), make()
        B = snapshot(net.layers[0])
        options = {"exact": False, "callbacks": stop, **SLOWLY}
        result = nn.two_phase(net, X, **options)
        assert [h.interrupted for h in result.histories] == [True, True]
        assert result.histories[1].steps == 0
        assert result.losses[0] == result.losses[1] == pytest.approx(error(net, X, X))
        np.testing.assert_array_equal(net.layers[0].parameters, B)

    def test_divergence(self, rng):
        X, options = rng.standard_normal((50, 16)), {"epochs": 50, "rng": 0}
        with pytest.raises(nn.DivergenceError):
            nn.two_phase(make(), X, optimizer=nn.SGD(1e9), **options)


ERRORS = {
    "l above n": ({"l": 17}, ValueError, "l must be from k to n_in, 2 ... 16, got 17"),
    "l below k": ({"l": 1}, ValueError, "l must be from k to n_in, 2 ... 16, got 1"),
    "k": ({"k": 5, "n_out": 4}, ValueError, "k must be at most n_out = 4, got 5"),
    "k kind": ({"k": 2.0}, TypeError, "k must be an int"),
    "init": ({"init": "x"}, ValueError, "init must be one of"),
    "dtype": ({"dtype": int}, ValueError, "dtype must be float32 or float64"),
    "rng": ({"rng": "x"}, TypeError, "rng must be None"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    changes, kind, message = ERRORS[case]
    with pytest.raises(kind, match=message):
        make(**changes)


X = np.ones((4, 16))
DATA_ERRORS = {
    "width": ((X[:, :3],), ValueError, r"X must have shape \(rows, 16\), got \(4, 3\)"),
    "sparse": ((sp.csr_array(X[:, :3]),), ValueError, r"X must have shape \(rows, 16"),
    "empty": ((X[:0],), ValueError, "X must hold at least one sample"),
    "nan": ((np.nan * X,), ValueError, "X must be finite in float64, got nan in row 0"),
    "complex": ((1j * X,), TypeError, "X must hold real numbers"),
    "rows": ((X, X[:3]), ValueError, r"Y must have shape \(4, 16\), got \(3, 16\)"),
    "infinite": ((X, np.inf * X), ValueError, "Y must be finite"),
}
TRAININGS = {
    "solve": nn.EncoderDecoder.solve,
    "two_phase": lambda *args: nn.two_phase(*args, optimizer=nn.SGD(1e-3)),
    "variable_projection": nn.variable_projection,
}


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("case", DATA_ERRORS)
def test_data_errors(case, training):
    data, kind, message = DATA_ERRORS[case]
    net, twin = make(), make()
    with pytest.raises(kind, match=message):
        TRAININGS[training](net, *data)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


PHASE_ERRORS = {
    "net": ({"net": nn.Dense(16, 16)}, TypeError, "net must be an EncoderDecoder"),
    "exact": ({"exact": 1}, TypeError, "exact must be True or False"),
    "loss": ({"loss": nn.Huber()}, TypeError, "loss must not be given"),
    "optimizer": ({"optimizer": 1}, TypeError, "optimizer must be an optimiser"),
    "checkpoint": (
        {"exact": False, "checkpoint": "c"},
        TypeError,
        "checkpoint must not be given with exact=False",
    ),
    "validation": (
        {"exact": False, "validation": (X[:, :3], X)},
        ValueError,
        r"validation\[0\] must have shape \(rows, 16\), got \(4, 3\)",
    ),
}


@pytest.mark.parametrize("case", PHASE_ERRORS)
def test_two_phase_errors(case):
    changes, kind, message = PHASE_ERRORS[case]
    arguments = {"net": make(), "X": X, "optimizer": nn.SGD(1e-3), **changes}
    with pytest.raises(kind, match=message):
        nn.two_phase(**arguments)
