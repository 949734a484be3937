"""Checkpoints: a run that was killed and goes on ends at the same bits."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from fastbutterfly import nn
from fastbutterfly.nn import container

OPTIMIZERS = {
    "SGD": lambda: nn.SGD(0.1),
    "momentum": lambda: nn.SGD(nn.cosine(0.1, 60), momentum=0.9, nesterov=True),
    "Adam": lambda: nn.Adam(nn.warmup(nn.constant(0.01), 10), weight_decay=0.01),
}


def make_net(dtype=np.float32, width=16):
    return nn.Sequential(
        nn.ButterflyLinear(8, width, rng=0, dtype=dtype),
        nn.Dropout(0.2),
        nn.Dense(width, 2, rng=1, dtype=dtype),
    )


def data():
    rng = np.random.default_rng(7)
    x = rng.standard_normal((40, 8))
    return x, x[:, :2] * x[:, 2:4]


def by_layer(net):
    return nn.ByLayer(net, lambda scale: nn.Adam(nn.cosine(0.01 * scale, 60)))


def run(net, epochs, path=None, optimizer="momentum", callbacks=(), **others):
    x, y = data()
    options = {"batch_size": 8, "rng": 3, "validation": (x, y)} | others
    return nn.fit(
        net,
        x,
        y,
        loss=nn.MSE(),
        optimizer=OPTIMIZERS[optimizer]() if optimizer in OPTIMIZERS else by_layer(net),
        epochs=epochs,
        callbacks=callbacks,
        checkpoint=path,
        **options,
    )


def callbacks():
    return [nn.EarlyStopping(50), nn.AveragedWeights(0.9)]


@pytest.mark.parametrize("cut", [1, 4, 11, 12])
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, "by layer"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_goes_on_to_the_same_bits(dtype, optimizer, cut, tmp_path):
    whole, first, second = (make_net(dtype) for _ in range(3))
    sets = [callbacks() for _ in range(3)]
    straight = run(whole, 12, optimizer=optimizer, callbacks=sets[0])
    path = tmp_path / "run.npz"
    run(first, cut, path, optimizer, sets[1])
    resumed = run(second, 12, path, optimizer, sets[2], rng=None)
    np.testing.assert_array_equal(second.parameters, whole.parameters)
    assert resumed.loss == straight.loss
    assert resumed.validation_loss == straight.validation_loss
    assert resumed.steps == straight.steps
    for a, b in zip(sets[0], sets[2], strict=True):
        for name in a._state_names:
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_a_finished_run_is_not_run_again(tmp_path):
    path = tmp_path / "run.npz"
    first, second = make_net(), make_net()
    ends = [nn.EarlyStopping(1)], [nn.EarlyStopping(1)]
    history = run(first, 1000, path, callbacks=ends[0])
    assert history.stopped
    before = path.read_bytes()
    again = run(second, 1000, path, callbacks=ends[1])
    assert again.epochs == history.epochs
    assert path.read_bytes() == before
    np.testing.assert_array_equal(second.parameters, first.parameters)


def test_generators_of_other_kinds(tmp_path):
    whole, first, second = (make_net() for _ in range(3))

    def rng():
        return np.random.Generator(np.random.MT19937(5))

    run(whole, 5, rng=rng())
    run(first, 2, tmp_path / "c", rng=rng())
    run(second, 5, tmp_path / "c", rng=rng())
    np.testing.assert_array_equal(second.parameters, whole.parameters)


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import test_nn_checkpoint as t
net = t.make_net()
t.run(net, 10**6, {path!r}, "Adam", t.callbacks())
"""


def test_killed_at_any_moment(tmp_path):
    path = tmp_path / "run.npz"
    script = SCRIPT.format(tests=str(Path(__file__).parent), path=str(path))
    for delay in (0.0, 0.003, 0.011, 0.023):
        before = path.stat().st_mtime_ns if path.exists() else None
        child = subprocess.Popen([sys.executable, "-c", script])
        deadline = time.monotonic() + 60
        while not path.exists() or path.stat().st_mtime_ns == before:
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    resumed, whole = make_net(), make_net()
    history = run(resumed, 1, path, "Adam", callbacks())  # as it is in the file
    done = len(history.epochs)
    assert done > 4
    run(whole, done, optimizer="Adam", callbacks=callbacks())
    np.testing.assert_array_equal(resumed.parameters, whole.parameters)


STAGES = {  # of the third write
    "nothing written": ("numpy.savez", "kill()"),
    "half of it written": ("numpy.savez", "a[0].write(b'half'); kill()"),
    "not yet on the disk": ("os.fsync", "kill()"),
    "not yet in place": ("os.replace", "kill()"),
    "in place": ("os.replace", "old(*a); kill()"),
}
KILLING = """
import os, signal, sys, numpy
module, name = {target!r}.split(".")
old, calls = getattr(sys.modules[module], name), []

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def new(*a, **k):
    calls.append(name)
    if len(calls) == 3:
        {then}
    return old(*a, **k)

setattr(sys.modules[module], name, new)
"""


@pytest.mark.parametrize("stage", STAGES)
def test_killed_while_it_writes(stage, tmp_path):
    target, then = STAGES[stage]
    path = tmp_path / "run.npz"
    script = SCRIPT.format(tests=str(Path(__file__).parent), path=str(path))
    script = KILLING.format(target=target, then=then) + script
    child = subprocess.run([sys.executable, "-c", script])
    assert child.returncode == -signal.SIGKILL
    resumed, whole = make_net(), make_net()
    history = run(resumed, 1, path, "Adam", callbacks())
    assert len(history.epochs) == (3 if stage == "in place" else 2)
    run(resumed, 7, path, "Adam", callbacks())
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]
    run(whole, 7, optimizer="Adam", callbacks=callbacks())
    np.testing.assert_array_equal(resumed.parameters, whole.parameters)


def test_ctrl_c_leaves_the_last_epoch(tmp_path):
    path = tmp_path / "run.npz"

    def interrupt(net, history):
        if len(history.epochs) == 4:
            raise KeyboardInterrupt

    net, resumed, whole = (make_net() for _ in range(3))
    assert run(net, 10, path, callbacks=[interrupt]).interrupted
    history = run(resumed, 10, path)
    assert not history.interrupted
    run(whole, 10)
    np.testing.assert_array_equal(resumed.parameters, whole.parameters)


def test_options_with_all_digits(tmp_path):
    path, weight = tmp_path / "run.npz", np.ones(2000)

    def go(**changes):
        net = nn.Dense(4, 2000, rng=0)
        options = {"loss": nn.CrossEntropy(weight), "optimizer": nn.Adam()} | changes
        return nn.fit(
            net, np.eye(3, 4), [0, 1, 2], epochs=1, checkpoint=path, **options
        )

    go()
    other = weight.copy()
    other[1000] += 1e-12
    with pytest.raises(ValueError, match="its loss is"):
        go(loss=nn.CrossEntropy(other))


def test_options_of_callbacks(tmp_path):
    path = tmp_path / "run.npz"
    run(make_net(), 2, path, callbacks=[nn.AveragedWeights(0.9)])
    with pytest.raises(ValueError, match=r"its callbacks is .*decay=0\.9"):
        run(make_net(), 3, path, callbacks=[nn.AveragedWeights(0.8)])


def test_a_schedule_that_ends(tmp_path):
    rates, (x, y), path = [0.1] * 10, data(), tmp_path / "run.npz"
    for epochs in (1, 2):
        net = make_net()
        optimizer = nn.SGD(rates.__getitem__)
        nn.fit(
            net,
            x,
            y,
            loss=nn.MSE(),
            optimizer=optimizer,
            epochs=epochs,
            rng=0,
            checkpoint=path,
            batch_size=8,
        )


class Means(NamedTuple):
    count: np.float32
    mean: np.ndarray


@dataclass(frozen=True)
class Inner:
    means: Means


class Own(nn.SGD):
    """An optimiser whose state has types that JSON does not know."""

    def init(self, parameters):
        return {"inner": Inner(Means(np.float32(0), np.zeros((2, 2))))}

    def update(self, parameters, gradient, state):
        assert isinstance(state["inner"].means, Means)
        count, mean = state["inner"].means
        assert type(count) is np.float32
        parameters -= self.lr * gradient * (1 + mean[0, 0])
        means = Means(count + np.float32(0.1), mean + 0.01)
        state["inner"] = Inner(means)


def test_a_state_keeps_its_types(tmp_path, monkeypatch):
    monkeypatch.setitem(OPTIMIZERS, "own", lambda: Own(0.1))
    whole, resumed = make_net(), make_net()
    run(whole, 4, optimizer="own")
    run(make_net(), 2, tmp_path / "run.npz", "own")
    run(resumed, 4, tmp_path / "run.npz", "own")
    np.testing.assert_array_equal(resumed.parameters, whole.parameters)


@pytest.mark.parametrize("state", [{1: 2}, {1, 2}, np.array([object()]), object()])
def test_a_state_that_no_file_holds(state, tmp_path, monkeypatch):
    optimizer = Own(0.1)
    optimizer.init = lambda parameters: state
    monkeypatch.setitem(OPTIMIZERS, "own", lambda: optimizer)
    net = make_net()
    with pytest.raises(TypeError, match="the state's optimizer must consist of"):
        run(net, 4, tmp_path / "run.npz", "own")
    np.testing.assert_array_equal(net.parameters, make_net().parameters)
    assert not list(tmp_path.iterdir())


def test_an_attribute_named_state_is_none(tmp_path):
    class Watch:
        state = 3

        def __call__(self, net, history):
            pass

    assert run(make_net(), 1, tmp_path / "run.npz", callbacks=[Watch()]).steps == 5


def test_progress_of_a_run_that_goes_on(tmp_path, capsys, monkeypatch):
    run(make_net(), 2, tmp_path / "run.npz")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "tqdm", None)
        run(make_net(), 4, tmp_path / "run.npz", progress=True)
    starts = [line.split(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert starts == ["epoch 3/4", "epoch 4/4"]
    pytest.importorskip("tqdm")
    run(make_net(), 6, tmp_path / "run.npz", progress=True)
    assert "30/30" in capsys.readouterr().err


CHANGES = {
    "no mapping": lambda header: header.update(of=3),
    "no state": lambda header: header.update(state=4),
    "callbacks": lambda header: header["state"]["of"].pop("callbacks"),
    "parameters": lambda header: header["state"]["of"].update(parameters=5.0),
    "rng": lambda header: header["state"]["of"].update(rng=3),
    "epochs": lambda header: header["state"]["of"].update(epochs=[[1]]),
    "steps": lambda header: header["state"]["of"].update(steps="x"),
    "optimizer": lambda header: header["state"]["of"].update(optimizer=[]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_whole_files_of_wrong_contents(case, tmp_path):
    path = tmp_path / "run.npz"
    run(make_net(), 2, path, "Adam")
    arrays = container.read_arrays(path.read_bytes())
    header = container.from_text(arrays["header"])
    CHANGES[case](header)
    container.write_arrays(path, arrays | {"header": container.as_text(header)})
    net = make_net()
    with pytest.raises(ValueError, match=r"cannot be read: .*; delete it"):
        run(net, 3, path, "Adam")
    np.testing.assert_array_equal(net.parameters, make_net().parameters)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"net": make_net(width=8)}, "network"),
        ({"net": make_net(np.float64)}, "dtype"),
        ({"optimizer": "Adam"}, "optimizer"),
        ({"clip": 1.0}, "clip"),
        ({"batch_size": 4}, "data"),
        ({"rng": np.random.Generator(np.random.MT19937(5))}, "generator"),
        ({"callbacks": [nn.AveragedWeights()]}, "callbacks"),
        ({"validation": None}, "validation"),
    ],
)
def test_of_another_run(change, key, tmp_path):
    path = tmp_path / "run.npz"
    run(make_net(), 2, path)
    before = path.read_bytes()
    net = change.pop("net", None) or make_net()
    parameters = net.parameters.copy()
    with pytest.raises(ValueError, match=f"is of another run: its {key} is"):
        run(net, 4, path, **change)
    np.testing.assert_array_equal(net.parameters, parameters)
    assert path.read_bytes() == before


@pytest.mark.parametrize("each", [False, True], ids=["one rate", "by layer"])
def test_other_schedules_are_other_optimizers(each, tmp_path):
    path, (x, y) = tmp_path / "run.npz", data()

    def go(lr):
        net, optimizer = make_net(), nn.SGD(lr)
        if each:
            optimizer = nn.ByLayer(net, lambda scale: nn.SGD(lr))
        common = {"loss": nn.MSE(), "epochs": 2, "checkpoint": path, "rng": 0}
        return nn.fit(net, x, y, optimizer=optimizer, **common)

    go(nn.cosine(0.1, 60))
    go(nn.cosine(0.1, 60))
    with pytest.raises(ValueError, match="its optimizer is"):
        go(nn.cosine(0.1, 70))


def test_damaged_files(tmp_path):
    path = tmp_path / "run.npz"
    run(make_net(), 2, path)
    good = path.read_bytes()
    net = make_net()
    for bad in (b"", good[:100], good[: len(good) // 2], good[:-1], b"x" * 1000):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"cannot be read: .*; delete it"):
            run(net, 3, path)
    np.testing.assert_array_equal(net.parameters, make_net().parameters)


def test_a_network_is_no_checkpoint(tmp_path):
    path = tmp_path / "net.npz"
    make_net().save(path)
    with pytest.raises(ValueError, match="cannot be read"):
        run(make_net(), 3, path)


def test_the_path_must_be_that_of_a_file(tmp_path):
    for path in (tmp_path / "missing" / "run.npz", tmp_path, ""):
        with pytest.raises(ValueError, match="checkpoint must be a file in a folder"):
            run(make_net(), 3, path)
    for path in (5, True):
        with pytest.raises(TypeError, match="checkpoint must be None or the path"):
            run(make_net(), 3, path)


def test_a_file_holds_nothing_but_plain_arrays(tmp_path):
    path = tmp_path / "run.npz"
    run(make_net(), 2, path, "Adam", callbacks())
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    with np.load(path, allow_pickle=False) as arrays:
        header = json.loads(arrays["header"].tobytes())
        assert {f"{name}.npy" for name in arrays} == names
    assert header["format"] == "fastbutterfly checkpoint"
    assert not list(tmp_path.glob("*.tmp"))
