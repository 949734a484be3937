"""Checkpoint: the state of a training run in a file, from which it goes on bit by bit.

The container is that of saved networks (`container.py`): a header in JSON and flat
arrays, to which the header refers by {"array": number, "shape": [...]}.
"""

import hashlib
import os
import re
import sys
from dataclasses import fields, is_dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from .. import container
from .history import Epoch

FORMAT, VERSION = "fastbutterfly checkpoint", 1
STEPS = 0, 1, 10, 100, 1000, 10_000  # at which two schedules are compared


class Checkpoint:
    """The file of a run; if it exists, the run takes its state from it.

    Raises, with the network unchanged, ValueError if the file is damaged or of another
    run, and TypeError if the state is nothing that a file could hold.
    """

    def __init__(self, path, run, data, validation, callbacks):
        self.path, self.run = _as_path(path), run
        self.callbacks = list(filter(_has_state, callbacks))
        fingerprint = _fingerprint(run, data, validation, self.callbacks)
        self.fingerprint = container.from_text(container.as_text(fingerprint))
        self._encoded_state([])
        if self.path.exists():
            self._read()
        container.remove_drafts(self.path)

    def write(self):
        """Write the state after an epoch, at once or not at all."""
        arrays = []
        header = {"format": FORMAT, "version": VERSION, "of": self.fingerprint}
        header["state"] = self._encoded_state(arrays)
        named = {f"array{k}": array for k, array in enumerate(arrays)}
        container.write_arrays(self.path, {"header": container.as_text(header)} | named)

    def _encoded_state(self, arrays):
        run = self.run
        state = {
            "parameters": run.net.parameters,
            "optimizer": run.state,
            "rng": run.rng.bit_generator.state,
            "epochs": [list(epoch) for epoch in run.history.epochs],
            "steps": run.history.steps,
            "stopped": run.history.stopped,
            "callbacks": [callback.state() for callback in self.callbacks],
        }
        return _encoded("the state", state, arrays)

    def _read(self):
        try:
            arrays = container.read_arrays(self.path.read_bytes())
            header = container.from_text(arrays.pop("header"))
            if header["format"] != FORMAT or header["version"] != VERSION:
                raise ValueError("it is of another format or version")
            fingerprint = header["of"]
            if not isinstance(fingerprint, dict):
                raise ValueError("it does not say which run it is of")
        except (ValueError, *container.DAMAGE) as error:
            raise self._unreadable(error) from error
        self._check(fingerprint)
        try:
            state = _decoded(header["state"], arrays)
            parameters, callbacks = self._resume(state)
        except (ValueError, AttributeError, *container.DAMAGE) as error:
            raise self._unreadable(error) from error
        for callback, callback_state in callbacks:
            callback.resume(callback_state, self.run.history)
        self.run.net.parameters[...] = parameters

    def _check(self, fingerprint):
        for key, mine in self.fingerprint.items():
            if fingerprint.get(key) != mine:
                raise ValueError(
                    f"checkpoint {os.fspath(self.path)!r} is of another run: its {key} "
                    f"is {fingerprint.get(key)}, here it is {mine}; use another file, "
                    "or delete it to start anew"
                )

    def _unreadable(self, error):
        return ValueError(
            f"checkpoint {os.fspath(self.path)!r} cannot be read: "
            f"{error or type(error).__name__}; delete it to start anew"
        )

    def _resume(self, state):
        """Take the state, but for parameters and callbacks: they are returned."""
        run, history = self.run, self.run.history
        parameters = _restored("parameters", run.net.parameters, state["parameters"])
        run.state = _restored("the optimiser's state", run.state, state["optimizer"])
        run.rng.bit_generator.state = state["rng"]
        history.epochs.extend(Epoch(*epoch) for epoch in state["epochs"])
        history.steps, history.stopped = int(state["steps"]), bool(state["stopped"])
        callbacks = list(zip(self.callbacks, state["callbacks"], strict=True))
        return parameters, callbacks


def _as_path(path):
    try:
        path = Path(path)
    except TypeError:
        raise TypeError(
            f"checkpoint must be None or the path of a file, got {path!r}"
        ) from None
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(
            "checkpoint must be a file in a folder that exists, got "
            f"{os.fspath(path)!r}"
        )
    return path


def _has_state(callback):
    methods = (getattr(callback, name, None) for name in ("state", "resume"))
    return all(map(callable, methods))


def _fingerprint(run, data, validation, callbacks):
    """What must agree in a resumed run, for JSON."""
    constants, indices = run.net._fixed_arrays()
    fixed = hashlib.sha256(constants.tobytes() + indices.tobytes()).hexdigest()
    return {
        "network": run.net._describe(),
        "dtype": run.net.parameters.dtype.name,
        "fixed numbers": fixed,
        "loss": _described(run.loss),
        "optimizer": [_described(run.optimizer), *_rates(run.optimizer)],
        "clip": run.clip,
        "data": data.describe(),
        "validation": validation and [list(array.shape) for array in validation],
        "generator": type(run.rng.bit_generator).__name__,
        "callbacks": [_described(callback) for callback in callbacks],
    }


def _described(thing):
    """Its repr, with all digits of all numbers, but without addresses."""
    with np.printoptions(threshold=sys.maxsize, precision=17, floatmode="unique"):
        return re.sub(r" at 0x[0-9a-f]+", "", repr(thing))


def _rates(optimizer):
    """Some values of its schedule, which the repr does not show."""
    members = getattr(optimizer, "optimizers", ())
    if hasattr(optimizer, "optimizer"):  # it wraps another optimiser
        members = [optimizer.optimizer]
    if members:
        return [_rates(member) for member in members]
    lr = getattr(optimizer, "lr", None)
    return [_rate(lr, step) for step in STEPS] if callable(lr) else []


def _rate(schedule, step):
    try:
        return float(schedule(step))
    except Exception:  # a schedule may end before this step, in any way
        return None


def _encoded(name, value, arrays):
    """The value for JSON; its arrays are appended to `arrays`."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        arrays.append(value.reshape(-1))
        return {"array": len(arrays) - 1, "shape": list(value.shape)}
    if isinstance(value, list | tuple):
        return [_encoded(name, item, arrays) for item in value]
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        items = value.items()
        return {"of": {key: _encoded(f"{name}'s {key}", v, arrays) for key, v in items}}
    raise TypeError(
        f"{name} must consist of numbers, strings, arrays of numbers, lists, "
        "dataclasses and dicts with strings as keys to be kept in a checkpoint, got "
        f"{value!r} of type {type(value).__name__}"
    )


def _decoded(value, arrays):
    if isinstance(value, list):
        return [_decoded(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[f"array{value['array']}"].reshape(value["shape"]).copy()
    return {key: _decoded(item, arrays) for key, item in value["of"].items()}


def _restored(name, fresh, loaded):
    """What was decoded, of the types that it has in a run's first state."""
    if isinstance(fresh, np.ndarray):
        shape, dtype = getattr(loaded, "shape", None), getattr(loaded, "dtype", None)
        if (shape, dtype) != (fresh.shape, fresh.dtype):
            raise ValueError(
                f"{name} must have shape {fresh.shape} and dtype {fresh.dtype}, got "
                f"{shape} and {dtype}"
            )
        return loaded
    if isinstance(fresh, np.generic):
        return fresh.dtype.type(loaded)
    if is_dataclass(fresh) or isinstance(fresh, dict):
        known = fresh.get if isinstance(fresh, dict) else partial(getattr, fresh)
        items = {
            key: _restored(f"{name}'s {key}", known(key, None), item)
            for key, item in loaded.items()
        }
        return items if isinstance(fresh, dict) else replace(fresh, **items)
    if isinstance(fresh, tuple):
        items = [_restored(name, *pair) for pair in zip(fresh, loaded, strict=True)]
        return type(fresh)(*items) if hasattr(fresh, "_fields") else tuple(items)
    return loaded
