"""Checkpoint: the state of a training run in a file, from which it goes on bit by bit.

The container is that of saved networks (`_format.py`): a header in JSON and flat
arrays, to which the header refers by {"array": number, "shape": [...]}.
"""

import hashlib
import os
import re
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np

from . import _format
from .history import Epoch
from .storage import DAMAGE

FORMAT, VERSION = "fastbutterfly checkpoint", 1
STEPS = 0, 1, 10, 100, 1000, 10_000  # at which two schedules are compared


class Checkpoint:
    """The file of a run; if it exists, the run takes its state from it.

    Raises ValueError, with the run unchanged, if it is damaged or of another run.
    """

    def __init__(self, path, run, data, callbacks):
        self.path, self.run = Path(path), run
        self.callbacks = [c for c in callbacks if hasattr(c, "state")]
        self.of = _fingerprint(run, data, self.callbacks)
        if self.path.exists():
            self._read()
        elif not self.path.parent.is_dir():
            raise ValueError(
                "checkpoint must be a file in a folder that exists, got "
                f"{os.fspath(path)!r}"
            )

    def write(self):
        """Write the state after an epoch, at once or not at all."""
        run, arrays = self.run, []
        state = {
            "parameters": run.net.parameters,
            "optimizer": run.state,
            "rng": run.rng.bit_generator.state,
            "epochs": [list(epoch) for epoch in run.history.epochs],
            "steps": run.history.steps,
            "stopped": run.history.stopped,
            "callbacks": [callback.state() for callback in self.callbacks],
        }
        header = {"format": FORMAT, "version": VERSION, "of": self.of}
        header["state"] = _encoded("the state", state, arrays)
        named = {f"array{k}": array for k, array in enumerate(arrays)}
        _format.write_arrays(self.path, {"header": _format.as_text(header)} | named)

    def _read(self):
        try:
            found = _format.read_arrays(self.path.read_bytes())
            header = _format.from_text(found.pop("header"))
            if header["format"] != FORMAT or header["version"] != VERSION:
                raise ValueError("it is of another format or version")
            of = header["of"]
            state = _decoded(header["state"], found)
        except (ValueError, *DAMAGE) as error:
            raise ValueError(
                f"checkpoint {os.fspath(self.path)!r} cannot be read: "
                f"{error or type(error).__name__}; delete it to start anew"
            ) from error
        self._check(of)
        self._resume(state)

    def _check(self, of):
        for key, mine in self.of.items():
            if of.get(key) != mine:
                raise ValueError(
                    f"checkpoint {os.fspath(self.path)!r} is of another run: its {key} "
                    f"is {of.get(key)}, here it is {mine}; use another file, or delete "
                    "it to start anew"
                )

    def _resume(self, state):
        run, history = self.run, self.run.history
        run.rng.bit_generator.state = state["rng"]
        run.state = _restored(run.state, state["optimizer"])
        run.net.parameters[...] = state["parameters"]
        history.epochs.extend(Epoch(*epoch) for epoch in state["epochs"])
        history.steps, history.stopped = state["steps"], state["stopped"]
        for callback, kept in zip(self.callbacks, state["callbacks"], strict=True):
            callback.resume(kept, history)


def _fingerprint(run, data, callbacks):
    """What must be alike in a run that goes on, as JSON."""
    constants, indices = run.net._fixed_arrays()
    fixed = hashlib.sha256(constants.tobytes() + indices.tobytes()).hexdigest()
    return {
        "network": run.net._describe(),
        "dtype": run.net.parameters.dtype.name,
        "fixed numbers": fixed,
        "loss": repr(run.loss),
        "optimizer": _described(run.optimizer),
        "clip": run.clip,
        "data": data.describe(),
        "generator": type(run.rng.bit_generator).__name__,
        "callbacks": [type(callback).__name__ for callback in callbacks],
    }


def _described(optimizer):
    """Its repr; of a schedule, which has none, some values."""
    members = getattr(optimizer, "optimizers", None)
    if members is not None:
        return [_described(member) for member in members]
    text = re.sub(r"<.*? at 0x[0-9a-f]+>", "schedule", repr(optimizer))
    lr = getattr(optimizer, "lr", None)
    return [text, *([float(lr(step)) for step in STEPS] if callable(lr) else [])]


def _encoded(name, value, arrays):
    """As JSON; arrays are put to the others."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray):
        arrays.append(value.reshape(-1))
        return {"array": len(arrays) - 1, "shape": list(value.shape)}
    if isinstance(value, list | tuple):
        return [_encoded(name, item, arrays) for item in value]
    if is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        items = value.items()
        return {"of": {key: _encoded(f"{name}'s {key}", v, arrays) for key, v in items}}
    raise TypeError(
        f"{name} must consist of numbers, strings, arrays, lists, dicts and "
        f"dataclasses to be kept in a checkpoint, got {type(value).__name__}"
    )


def _decoded(value, arrays):
    if isinstance(value, list):
        return [_decoded(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[f"array{value['array']}"].reshape(value["shape"]).copy()
    return {key: _decoded(item, arrays) for key, item in value["of"].items()}


def _restored(fresh, state):
    """An optimiser's state before the first step, made that of a later one."""
    if isinstance(fresh, list):
        return [_restored(*pair) for pair in zip(fresh, state, strict=True)]
    if not is_dataclass(fresh):
        return state
    for key, value in state.items():
        setattr(fresh, key, value)
    return fresh
