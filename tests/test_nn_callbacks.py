"""Callbacks that end a run, and those that the library brings."""

import numpy as np
import pytest

from fastbutterfly import nn
from fastbutterfly.nn.training.history import Epoch


def run(callbacks, epochs=6, **options):
    """A short run on noise; the network and its history."""
    X = np.random.default_rng(0).standard_normal((40, 4))
    net = nn.Dense(4, 4, rng=0, dtype=np.float64)
    options = {"validation": (X, X), "optimizer": nn.SGD(0.5), **options}
    return net, nn.fit(
        net, X, X, loss=nn.MSE(), epochs=epochs, callbacks=callbacks, rng=0, **options
    )


def told(callback, losses):
    """What a callback answers to a run with these validation losses; its parameters."""
    net, history, answers = nn.Dense(1, 1, rng=0), nn.History(), []
    for epoch, loss in enumerate(losses):
        net.parameters[...] = epoch
        history.epochs.append(Epoch(0.0, loss, None, 0.0))
        answers.append(callback(net, history))
    if hasattr(callback, "end"):
        callback.end(net, history)
    return answers, net.parameters


class TestContract:
    @pytest.mark.parametrize("true", [True, np.True_])
    def test_true_ends_the_run_after_all_callbacks(self, true):
        calls = []
        stop = [lambda net, history: true, lambda net, history: calls.append(1)]
        net, history = run(stop)
        twin, plain = run([], epochs=1)
        assert (len(history.epochs), history.steps, calls) == (1, plain.steps, [1])
        assert (history.stopped, history.interrupted, plain.stopped) == (True, 0, False)
        assert "stopped" in repr(history)
        np.testing.assert_array_equal(net.parameters, twin.parameters)

    @pytest.mark.parametrize("answer", [None, False, 1, "yes", np.ones(3)])
    def test_other_answers_do_not(self, answer):
        _, history = run([lambda net, history: answer])
        assert len(history.epochs) == 6
        assert not history.stopped

    @pytest.mark.parametrize("how", ["finished", "stopped", "interrupted"])
    def test_end_is_called_once_at_the_end(self, how):
        ends = []

        class Watch:
            def __call__(self, net, history):
                assert not ends
                if how == "interrupted":
                    raise KeyboardInterrupt
                return how == "stopped"

            def end(self, net, history):
                ends.append((net, history))

        net, history = run(Watch())
        assert ends == [(net, history)]
        assert history.interrupted == (how == "interrupted")


class TestEarlyStopping:
    CASES = (
        (1, 0, [3, 2, 1], None, 2),
        (1, 0, [3, 2, 2, 1], 2, 1),
        (2, 0, [3, 4, 2, 3, 3, 1], 4, 2),
        (2, 0.5, [3, 2.7, 2.4, 2.3, 2.2, 1], 4, 4),
        (1, 0.5, [3, 2.6], 1, 1),
    )

    @pytest.mark.parametrize(("patience", "delta", "losses", "stop", "best"), CASES)
    @pytest.mark.parametrize("restore", [True, False])
    def test_written_out(self, patience, delta, losses, stop, best, restore):
        losses = losses if stop is None else losses[: stop + 1]
        early = nn.EarlyStopping(patience, delta, restore)
        answers, parameters = told(early, losses)
        assert answers == [epoch == stop for epoch in range(len(losses))]
        assert (early.best_epoch, early.best_loss) == (best, losses[best])
        np.testing.assert_array_equal(early.best_parameters, best)
        np.testing.assert_array_equal(parameters, best if restore else len(losses) - 1)

    def test_ends_a_run_and_restores(self):
        lr = [0.5, 0.5, 100, 100]  # the third epoch makes it worse
        optimizer = nn.SGD(lambda step: lr[min(step, 3)])
        early = nn.EarlyStopping(2)
        options = {"optimizer": optimizer, "batch_size": 40}
        net, history = run([early], epochs=100, **options)
        best, _ = run([], epochs=early.best_epoch + 1, **options)
        assert early.best_epoch == np.argmin(history.validation_loss) == 1
        assert len(history.epochs) == 4
        assert history.stopped
        np.testing.assert_array_equal(net.parameters, best.parameters)

    def test_a_second_run_starts_anew(self):
        early = nn.EarlyStopping(1)
        told(early, [1, 2])
        answers, parameters = told(early, [9, 8])
        assert answers == [False, False]
        assert early.best_loss == 8
        np.testing.assert_array_equal(parameters, 1)

    def test_no_epochs_after_a_run(self):
        early = nn.EarlyStopping(1)
        run([early])
        net, _ = run([early], epochs=0)
        np.testing.assert_array_equal(net.parameters, run([], epochs=0)[0].parameters)

    def test_needs_a_validation(self):
        with pytest.raises(ValueError, match="EarlyStopping needs a validation loss"):
            run([nn.EarlyStopping(1)], validation=None)


class TestAveragedWeights:
    @pytest.mark.parametrize("start", [0, 2])
    @pytest.mark.parametrize("decay", [None, 0, 0.9])
    def test_is_the_mean_of_the_epochs(self, start, decay):
        seen = []
        average = nn.AveragedWeights(decay, start)
        net, _ = run([average, lambda net, _: seen.append(net.parameters.copy())])
        np.testing.assert_array_equal(net.parameters, seen[-1])
        seen, age = seen[start:], np.arange(6 - start)[::-1]
        weights = np.ones(len(seen))
        if decay is not None:
            weights = (1 - decay) * decay ** age.astype(float)
            weights[0] = decay ** age[0]
        average.apply_to(net)
        assert average.count == len(seen)
        expected = np.average(seen, axis=0, weights=weights)
        np.testing.assert_allclose(net.parameters, expected, rtol=1e-13)

    def test_a_second_run_starts_anew(self):
        average = nn.AveragedWeights()
        told(average, [1, 1])
        told(average, [1, 1, 1])
        np.testing.assert_array_equal(average.parameters, 1)
        assert average.count == 3

    def test_errors(self):
        average = nn.AveragedWeights(start=9)
        net, _ = run([average])
        with pytest.raises(ValueError, match=r"no average yet: .* start=9 epochs"):
            average.apply_to(net)
        average = nn.AveragedWeights()
        run([average])
        with pytest.raises(ValueError, match="net must have 20 parameters, got 2"):
            average.apply_to(nn.Dense(1, 1))


ERRORS = {
    "patience": (nn.EarlyStopping, [0], ValueError, "patience must be at least 1"),
    "patience float": (nn.EarlyStopping, [1.5], TypeError, "patience must be an int"),
    "min_delta": (nn.EarlyStopping, [1, -1], ValueError, "min_delta must be a number"),
    "restore": (nn.EarlyStopping, [1, 0, 1], TypeError, "restore must be True or"),
    "decay": (nn.AveragedWeights, [1], ValueError, "decay must be .* below 1, got 1"),
    "start": (nn.AveragedWeights, [None, -1], ValueError, "start must be at least 0"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_option_errors(case):
    make, arguments, error, message = ERRORS[case]
    with pytest.raises(error, match=message):
        make(*arguments)
