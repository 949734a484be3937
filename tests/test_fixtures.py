"""Files of an earlier release load, predict, and go on training as they did then.

`tests/fixtures/write.py` says how they were written; its runs are those that the
checkpoints are of.
"""

import csv
import io
import json
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
from laws import assert_close

from fastbutterfly import cli, nn

FIXTURES = next(
    folder / "tests" / "fixtures"
    for folder in Path(__file__).resolve().parents
    if (folder / "tests" / "fixtures").is_dir()
)
RUNS = runpy.run_path(str(FIXTURES / "write.py"))["RUNS"]
NETWORKS = sorted(path.parent.name for path in FIXTURES.glob("networks/*/model.npz"))
TRAINED = sorted(path.parent.name for path in FIXTURES.glob("trained/*/model.npz"))
WIDTH = 64  # numbers that one of a result may depend on, for the tolerance
LAYERS = (
    "Sequential ButterflyDense EncoderDecoder ButterflyLinear OrthogonalLinear Dense "
    "LayerNorm Residual PointWise Dropout ReLU GELU Tanh Sigmoid"
)


def expected(folder):
    with np.load(folder / "expected.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def types(layer):
    """The names of a described layer's type and of those in it."""
    return {layer["type"]}.union(*map(types, layer.get("layers", [])))


def test_how_many():
    checkpoints = [path.parent.name for path in FIXTURES.glob("*/*/checkpoint.npz")]
    assert len(NETWORKS) == 22
    assert TRAINED == ["classification", "regression"]
    assert sorted(checkpoints) == sorted(RUNS)
    assert len(RUNS) == 6


def test_every_layer_is_there():
    for dtype in ("float32", "float64"):
        path = FIXTURES / "networks" / f"every-layer-{dtype}" / "model.npz"
        with np.load(path) as arrays:
            header = json.loads(arrays["header"].tobytes())
        assert header["dtype"] == dtype
        assert types(header["layer"]) == set(LAYERS.split())


@pytest.mark.parametrize("name", NETWORKS)
def test_network(name):
    folder = FIXTURES / "networks" / name
    then = expected(folder)
    net = nn.load(folder / "model.npz")
    assert net.dtype == name.rpartition("-")[2]
    assert repr(net) == then["representation"]
    np.testing.assert_array_equal(net.parameters, then["parameters"])
    assert_close(net(then["x"]), then["y"], WIDTH)
    about = {"name": name, "unit": ["°C", None, 1]}
    assert nn.about(folder / "model.npz") == about


def predicted(text, classes):
    """Line of names, classes if there are any, and numbers of predictions."""
    names, *rows = csv.reader(io.StringIO(text))
    first = [row.pop(0) for row in rows] if classes else []
    return names, first, np.array(rows, np.float32)


@pytest.mark.parametrize("name", TRAINED)
def test_trained_by_the_command_line(name, capsys):
    folder = FIXTURES / "trained" / name
    about = json.loads((folder / "about.json").read_text())
    assert nn.about(folder / "model.npz") == about
    assert about["task"] == name
    classes = name == "classification"
    arguments = [str(folder / "model.npz"), str(folder / "table.csv")]
    options = ["--probabilities"] if classes else []
    assert cli.main(["predict", *arguments, *options]) == 0
    found = predicted(capsys.readouterr().out, classes)
    then = predicted((folder / "predictions.csv").read_text(), classes)
    assert found[:2] == then[:2]
    assert len(then[2]) == 40
    assert_close(found[2], then[2], WIDTH)


@pytest.mark.parametrize("name", RUNS)
def test_checkpoint(name, tmp_path):
    run, then = RUNS[name], expected(FIXTURES / "checkpoints" / name)
    path = tmp_path / "checkpoint.npz"
    shutil.copy(FIXTURES / "checkpoints" / name / "checkpoint.npz", path)
    net = run.network()
    history, (early, _) = run.fit(net, path, run.cut)  # there is nothing left to do
    np.testing.assert_array_equal(net.parameters, then["part"])
    np.testing.assert_array_equal(early.best_parameters, then["best"])
    assert history.loss == list(then["loss"][: run.cut])

    net = run.network()
    history, (_, averaged) = run.fit(net, path, run.epochs)
    assert len(history.epochs) == run.epochs
    assert history.loss[: run.cut] == list(then["loss"][: run.cut])
    assert_close(net.parameters, then["whole"], WIDTH)
    average = averaged.parameters.astype(run.dtype)  # it is in double precision
    assert_close(average, then["average"], WIDTH)
    for losses in ("loss", "validation_loss"):
        found = np.array(getattr(history, losses), run.dtype)
        assert_close(found, then[losses], WIDTH)
