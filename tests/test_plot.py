import tracemalloc

import numpy as np
import pytest

import fastbutterfly as fb
from fastbutterfly import nn, plot
from fastbutterfly.nn.training.history import Epoch


def saved(figure, tmp_path):
    figure.savefig(tmp_path / "figure.png")
    return figure


class TestHistory:
    @pytest.mark.parametrize(
        ("scores", "titles"),
        [
            ((None, None), ["training loss"]),
            ((0.3, None), ["training loss", "validation loss"]),
            ((0.3, 0.9), ["training loss", "validation error, %"]),
        ],
    )
    def test_panels(self, scores, titles, tmp_path):
        runs = {
            name: nn.History([Epoch(1 / (i + 1), *scores, 0.1) for i in range(epochs)])
            for name, epochs in {"long": 5, "short": 2}.items()
        }
        figure = saved(plot.history(runs), tmp_path)
        assert [axes.get_title(loc="left") for axes in figure.axes] == titles
        long, short = figure.axes[0].get_lines()
        np.testing.assert_allclose(long.get_ydata(), runs["long"].loss)
        np.testing.assert_array_equal(short.get_xdata(), [1, 2])
        names = [text.get_text() for text in figure.legends[0].get_texts()]
        assert names == list(runs)

    def test_perfect_validation(self, tmp_path):
        run = nn.History([Epoch(0.1, 0.1, 1.0, 0.1)])
        saved(plot.history({"perfect": run}), tmp_path)


class TestFactors:
    @pytest.mark.parametrize("n", [1, 2, 8, 64])
    def test_shows_each_layer(self, n, tmp_path):
        B = fb.Butterfly.random(n, stride="decreasing", rng=0)
        figure = saved(plot.factors(B), tmp_path)
        shown = [axes.images[0].get_array() for axes in figure.axes if axes.images]
        matrices = [factor.toarray() for factor in reversed(B.factors())]
        for picture, matrix in zip(shown, [*matrices, B.to_dense()], strict=True):
            np.testing.assert_array_equal(picture, matrix)

    def test_large_ones_shrink(self):
        figure = plot.factors(fb.fjlt(100, 300, rng=0))
        sizes = {
            axes.images[0].get_array().shape for axes in figure.axes if axes.images
        }
        assert sizes == {(64, 64)}

    def test_one_dense_layer_at_a_time(self):
        B = fb.Butterfly.random(1024, rng=0)
        tracemalloc.start()
        plot.factors(B)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * B.to_dense().nbytes

    def test_shrinking_keeps_the_largest(self):
        matrix = np.zeros((128, 64))
        matrix[0, 0], matrix[1, 0], matrix[126, 63] = 1, -2, 3
        picture = plot._shrink(matrix)
        assert picture[0, 0] == -2
        assert picture[63, 63] == 3
        assert np.count_nonzero(picture) == 2


def test_complex_factors_are_shown_by_magnitude():
    B = fb.Butterfly.random(8, dtype=complex, rng=0)
    figure = plot.factors(B)
    shown = np.asarray(figure.axes[0].images[0].get_array())
    np.testing.assert_allclose(shown, np.abs(B.factors()[-1].toarray()))
