"""fit's data: weighted samples, memory maps, sparse matrices, iterables of batches."""

import tracemalloc

import laws
import numpy as np
import pytest
import scipy.sparse

from fastbutterfly import nn

LOSSES = {
    "MSE": (nn.MSE, "reals"),
    "Huber": (lambda: nn.Huber(0.5), "reals"),
    "CrossEntropy": (nn.CrossEntropy, "labels"),
    "weighted": (lambda: nn.CrossEntropy([1, 2, 0.5], 0.1), "labels"),
    "BinaryCrossEntropy": (lambda: nn.BinaryCrossEntropy([1, 3, 2]), "bits"),
}


def draw_targets(kind, rows, rng):
    if kind == "labels":
        return rng.integers(0, 3, rows)
    if kind == "bits":
        return rng.integers(0, 2, (rows, 3))
    return rng.standard_normal((rows, 3))


def options(**others):
    return {"loss": nn.MSE(), "optimizer": nn.SGD(0.1), "epochs": 2, "rng": 1} | others


def make_net(dtype=np.float64):
    return nn.Sequential(
        nn.ButterflyLinear(16, 16, rng=0, dtype=dtype),
        nn.ReLU(),
        nn.Dense(16, 3, rng=1, dtype=dtype),
    )


class TestSampleWeights:
    @pytest.mark.parametrize("name", LOSSES)
    def test_whole_weights_are_repetitions(self, name, rng):
        make, kind = LOSSES[name]
        z, y = rng.standard_normal((7, 3)), draw_targets(kind, 7, rng)
        times = np.array([1, 0, 2, 3, 1, 5, 0])
        loss, repeated = make(), np.repeat(np.arange(7), times)
        value, gradient = loss(z, y, times)
        expected, parts = loss(z[repeated], y[repeated])
        assert value == pytest.approx(expected, rel=1e-13)
        sums = np.zeros_like(z)
        np.add.at(sums, repeated, parts)
        np.testing.assert_allclose(gradient, sums, rtol=1e-12, atol=1e-15)
        assert loss.weight(y, times) == pytest.approx(loss.weight(y[repeated]))

    @pytest.mark.parametrize("name", LOSSES)
    def test_gradient_by_differences(self, name, rng):
        make, kind = LOSSES[name]
        z, y = rng.standard_normal((5, 3)), draw_targets(kind, 5, rng)
        weights, v, h = rng.random(5), rng.standard_normal((5, 3)), 1e-6
        loss = make()
        ahead, behind = (loss(z + s * h * v, y, weights)[0] for s in (1, -1))
        _, gradient = loss(z, y, weights)
        assert np.vdot(gradient, v) == pytest.approx((ahead - behind) / (2 * h), 1e-7)

    @pytest.mark.parametrize("name", LOSSES)
    @pytest.mark.parametrize("dtype", laws.REAL)
    def test_nothing_counts(self, name, dtype, rng):
        make, kind = LOSSES[name]
        z, y = laws.draw(rng, (4, 3), dtype), draw_targets(kind, 4, rng)
        value, gradient = make()(z, y, np.zeros(4))
        assert value == 0
        assert gradient.dtype == dtype
        assert not gradient.any()

    def test_fit_with_weights_is_fit_without_what_weighs_nothing(self, rng):
        x, y = rng.standard_normal((40, 16)), rng.standard_normal((40, 3))
        kept = np.arange(40) % 2 == 0
        weights = np.where(kept, 2.0, 0.0)
        nets = make_net(), make_net()
        common = options(batch_size=40, epochs=5)
        first = nn.fit(nets[0], x, y, sample_weight=weights, **common)
        second = nn.fit(nets[1], x[kept], y[kept], **common)
        np.testing.assert_allclose(first.loss, second.loss, rtol=1e-12)
        np.testing.assert_allclose(nets[0](x), nets[1](x), atol=1e-12)

    def test_weighted_validation(self, rng):
        x, y, w = rng.standard_normal((9, 16)), rng.integers(0, 3, 9), rng.random(9)
        net, loss = make_net(), nn.CrossEntropy()
        common = options(loss=loss, epochs=1)
        history = nn.fit(net, x, y, validation=(x, y, w), **common)
        assert history.validation_loss[0] == pytest.approx(loss(net(x), y, w)[0])

    def test_lbfgs_with_weights_solves_weighted_least_squares(self, rng):
        x, y = rng.standard_normal((50, 4)), rng.standard_normal((50, 2))
        weights = rng.random(50)
        net = nn.Dense(4, 2, rng=0, dtype=np.float64, bias=False)
        nn.lbfgs(net, x, y, loss=nn.MSE(), sample_weight=weights, max_iter=500)
        root = np.sqrt(weights)[:, None]
        expected = np.linalg.lstsq(root * x, root * y, rcond=None)[0]
        np.testing.assert_allclose(net.weights, expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            (np.ones(3), r"sample_weight must have one number a sample, shape \(6,\)"),
            ([1, 1, -1, 1, 1, 1], "at least 0, got -1.* for sample 2"),
            ([1, np.nan, 1, 1, 1, 1], "finite and at least 0, got nan for sample 1"),
            (np.zeros(6), "must not be all zero"),
            (np.full(6, 1e308), r"must have a finite sum, got numbers up to 1e\+308"),
        ],
    )
    def test_wrong_weights(self, weights, message):
        net = make_net()
        with pytest.raises(ValueError, match=message):
            nn.fit(
                net,
                np.ones((6, 16)),
                np.ones((6, 3)),
                **options(),
                sample_weight=weights,
            )

    def test_a_loss_that_knows_no_weights_still_trains(self, rng):
        class Own(nn.MSE):
            def __call__(self, y_pred, y):
                return super().__call__(y_pred, y)

            def weight(self, y):
                return len(y)

        history = nn.fit(
            make_net(), np.ones((6, 16)), np.ones((6, 3)), **options(loss=Own())
        )
        assert history.loss[1] < history.loss[0]


class TestSources:
    def test_memory_map_is_read_batch_by_batch(self, tmp_path, rng):
        shape = 20_000, 256  # 20 MB
        x = np.memmap(tmp_path / "x", np.float32, "w+", shape=shape)
        x[...] = rng.standard_normal((1, 256), np.float32)
        y = np.memmap(tmp_path / "y", np.int64, "w+", shape=(shape[0],))
        y[...] = np.arange(shape[0]) % 10
        net = nn.Dense(256, 10, rng=0)
        common = options(loss=nn.CrossEntropy(), epochs=1, batch_size=100)
        nn.fit(net, x[:200], y[:200], **common)
        tracemalloc.start()
        nn.fit(net, x, y, **common)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < x.nbytes / 8

    @pytest.mark.parametrize("form", ["columns", "fortran", "unaligned", "reversed"])
    def test_other_layouts_are_not_copied(self, form, tmp_path, rng):
        rows = laws.draw(rng, (20_000, 64), np.float32)
        targets = laws.draw(rng, (20_000, 64), np.float32)
        if form == "columns":
            x = np.concatenate([rows, rows[:, :1]], axis=1)[:, :-1]
        elif form == "fortran":
            np.save(tmp_path / "x.npy", np.asfortranarray(rows))
            x = np.load(tmp_path / "x.npy", mmap_mode="r")
        elif form == "unaligned":
            (tmp_path / "x").write_bytes(b"x" + rows.tobytes())
            x = np.memmap(tmp_path / "x", np.float32, "r", offset=1, shape=rows.shape)
        else:
            x = rows[::-1].copy()[::-1]
        y = np.asfortranarray(targets)
        nets = [nn.Dense(64, 64, rng=0) for _ in range(2)]
        nn.fit(nets[0], rows, targets, **options(epochs=1))
        tracemalloc.start()
        nn.fit(nets[1], x, y, **options(epochs=1))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
        assert peak < x.nbytes / 4

    def test_targets_are_checked_in_pieces(self, tmp_path):
        y = np.memmap(tmp_path / "y", np.uint8, "w+", shape=(100_000, 100))  # 10 MB
        x = np.memmap(tmp_path / "x", np.float32, "w+", shape=(100_000, 2))
        common = options(loss=nn.BinaryCrossEntropy(), epochs=1, batch_size=1000)
        tracemalloc.start()
        nn.fit(nn.Dense(2, 100, rng=0), x, y, **common)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < y.nbytes / 2
        y[-1, 7] = 2
        with pytest.raises(ValueError, match="y must hold only 0 and 1, got 2"):
            nn.fit(nn.Dense(2, 100, rng=0), x, y, **common)

    def test_memory_map_trains_as_its_copy(self, tmp_path, rng):
        x = np.memmap(tmp_path / "x", np.float32, "w+", shape=(50, 16))
        x[...] = laws.draw(rng, (50, 16), np.float32)
        y = rng.standard_normal((50, 3))
        nets = make_net(), make_net()
        nn.fit(nets[0], x, y, **options())
        nn.fit(nets[1], np.array(x), y, **options())
        np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)

    @pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "coo_array"])
    def test_sparse_is_as_dense(self, kind, rng):
        x = scipy.sparse.random(300, 16, 0.2, random_state=0).toarray()
        y = rng.standard_normal((300, 3))
        sparse = getattr(scipy.sparse, kind)(x)
        nets = make_net(), make_net()
        validation = sparse, y
        histories = [
            nn.fit(nets[0], sparse, y, validation=validation, **options()),
            nn.fit(nets[1], x, y, validation=(x, y), **options()),
        ]
        np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
        assert histories[0].validation_loss == histories[1].validation_loss
        np.testing.assert_array_equal(nets[0](sparse), nets[1](x))
        nets[0](scipy.sparse.csr_matrix(x[:1]))
        with pytest.raises(ValueError, match=r"x must have shape \(rows, 16\)"):
            nets[0](sparse.tocsr()[:, :15])

    def test_sparse_nan_is_found(self):
        x = np.eye(20, 16)
        x[7] = 0
        for row, column in (9, 9), (11, 2), (5, 15), (19, 0):
            bad = x.copy()
            bad[row, :5], bad[row, column] = 1, np.nan
            message = f"X must be finite in float64, got nan in row {row};"
            with pytest.raises(ValueError, match=message):
                nn.fit(
                    make_net(),
                    scipy.sparse.csr_array(bad),
                    np.ones((20, 3)),
                    **options(),
                )

    def test_batches_train_like_their_arrays(self, rng):
        x, y = rng.standard_normal((40, 16)), rng.standard_normal((40, 3))
        w = rng.random(40)
        batches = [(x[i : i + 8], y[i : i + 8], w[i : i + 8]) for i in range(0, 40, 8)]
        net, other = make_net(), make_net()
        history = nn.fit(net, batches, **options(epochs=3))
        state = nn.SGD(0.1).init(other.parameters)
        for _ in range(3):
            for batch in batches:
                z, saved = other.forward(batch[0])
                _, g = nn.MSE()(z, *batch[1:])
                gradient = np.zeros_like(other.parameters)
                other.backward(saved, g, gradient)
                nn.SGD(0.1).update(other.parameters, gradient, state)
        np.testing.assert_array_equal(net.parameters, other.parameters)
        assert history.steps == 15

    def test_one_pass_of_a_generator(self, rng):
        x, y = rng.standard_normal((40, 16)), rng.standard_normal((40, 3))
        batches = ((x, y) for _ in range(3))
        assert nn.fit(make_net(), batches, **options(epochs=1)).steps == 3

    def test_an_object_that_starts_anew(self):
        class Stream:
            def __iter__(self):
                return ((np.ones((2, 16)), np.ones((2, 3))) for _ in range(4))

        assert nn.fit(make_net(), Stream(), **options(epochs=3)).steps == 12

    def test_second_pass_of_a_generator(self):
        batches = ((np.ones((2, 16)), np.ones((2, 3))) for _ in range(4))
        net = make_net()
        with pytest.raises(
            ValueError, match="iterator, which can be gone through once"
        ):
            nn.fit(net, batches, **options(epochs=2))
        np.testing.assert_array_equal(net.parameters, make_net().parameters)
        assert next(batches)

    def test_an_unknown_number_of_batches(self):
        class Stream:
            def __len__(self):
                raise TypeError("has no len")

            def __iter__(self):
                return iter([(np.ones((2, 16)), np.ones((2, 3)))])

        assert nn.fit(make_net(), Stream(), **options(epochs=3)).steps == 3

    def test_an_object_that_is_used_up(self):
        class Once:
            batches = iter([(np.ones((2, 16)), np.ones((2, 3)))])

            def __iter__(self):
                return self.batches

        with pytest.raises(ValueError, match="got none in epoch 2"):
            nn.fit(make_net(), Once(), **options(epochs=3))

    def test_no_batch_counts(self):
        batches = [(np.ones((2, 16)), np.ones((2, 3)), np.zeros(2))] * 3
        with pytest.raises(ValueError, match="sample_weight must not be all zero in"):
            nn.fit(make_net(), batches, **options())
        counts = (np.ones((2, 16)), np.ones((2, 3)), np.ones(2))
        history = nn.fit(make_net(), [*batches, counts], **options())
        assert history.loss[0] == nn.fit(make_net(), [counts], **options()).loss[0]

    @pytest.mark.parametrize(
        ("batches", "error", "message"),
        [
            ([], ValueError, "at least one batch, got none in epoch 1"),
            ([np.ones((2, 16))], TypeError, r"batch 0 of X must be \(X, y\)"),
            ([(np.ones((2, 5)), np.ones((2, 3)))], ValueError, "X of batch 0 of X"),
            ([(np.ones((2, 16)), np.ones((3, 3)))], ValueError, "y of batch 0 of X"),
            (
                [(np.full((2, 16), np.inf), np.ones((2, 3)))],
                ValueError,
                "X of batch 0 of X must be finite",
            ),
            (
                [(np.ones((2, 16)), np.ones((2, 3)), [1, -1])],
                ValueError,
                "sample_weight of batch 0 of X",
            ),
            (np.ones((2, 16)), TypeError, "y must be given with arrays"),
            (5, TypeError, "y must be given with arrays"),
        ],
    )
    def test_wrong_batches(self, batches, error, message):
        with pytest.raises(error, match=message):
            nn.fit(make_net(), batches, **options())

    @pytest.mark.parametrize("name", ["sample_weight", "batch_size"])
    def test_what_batches_decide(self, name):
        batches = [(np.ones((2, 16)), np.ones((2, 3)))]
        with pytest.raises(ValueError, match=f"{name} must be None"):
            nn.fit(make_net(), batches, **options(**{name: 3}))

    def test_what_was_trained_before_a_wrong_batch_remains(self):
        good = np.ones((2, 16)), np.ones((2, 3))
        net, other = make_net(), make_net()
        with pytest.raises(ValueError, match="batch 1 of X"):
            nn.fit(net, [good, (np.ones((2, 9)), np.ones((2, 3)))], **options())
        nn.fit(other, [good], **options(epochs=1))
        np.testing.assert_array_equal(net.parameters, other.parameters)

    def test_fewer_samples_than_a_batch_and_one_class(self):
        net = make_net()
        common = options(loss=nn.CrossEntropy(), batch_size=1000, epochs=30)
        history = nn.fit(net, np.eye(5, 16), np.zeros(5, int), **common)
        assert history.loss[-1] < history.loss[0]
        assert (net(np.eye(5, 16)).argmax(axis=1) == 0).all()


def test_memory_does_not_grow_with_steps(rng):
    x, y = laws.draw(rng, (640, 64), np.float32), rng.integers(0, 10, 640)
    net = nn.Sequential(
        nn.ButterflyLinear(64, 64, rng=0), nn.Dropout(0.1), nn.Dense(64, 10, rng=0)
    )
    common = {"loss": nn.CrossEntropy(), "optimizer": nn.Adam(0.001), "rng": 0}

    def peak(epochs):
        tracemalloc.start()
        nn.fit(net, x, y, epochs=epochs, batch_size=32, **common)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)
    few, many = peak(3), peak(30)  # 60 and 600 steps
    assert many <= few + 27 * 400  # a record of each epoch
