"""Kernel files: compiled kernels on disk.

1. There is one file for each kernel, signature, CPU and setting of Numba: hash, stamp,
   machine code.
2. The hash is of all that follows it, so that damage is noticed.
3. The stamp is of all that the machine code depends on, so that none is outdated.
4. A file is written under another name, then renamed: it is whole or absent.

Numba's own index and data files are two writes: a process that dies between them, or
two processes at a time, leave an index that names another kernel's code.
"""

import contextlib
import hashlib
import os
import pickle
import uuid
import warnings
from pathlib import Path

from numba.core import config, serialize

_HASH = hashlib.sha256().digest_size
# What changes the machine code but is neither in a signature nor in the CPU's name.
_SETTINGS = (
    "OPT",
    "BOUNDSCHECK",
    "DEBUGINFO_DEFAULT",
    "USING_SVML",
    "LOOP_VECTORIZE",
    "SLP_VECTORIZE",
)
_warned = set()


class KernelFiles:
    """The files of one kernel; Numba's cache calls `load`, `save` and `flush`."""

    def __init__(self, folder, name, stamp):
        self._folder, self._name, self._stamp = Path(folder), name, stamp

    def _entry(self, key):
        """The file of a key (signature, CPU, bytecode), and the stamp it must have."""
        settings = [getattr(config, name, None) for name in _SETTINGS]
        identity = repr((settings, key))
        # It is in the stamp too: its hash in the name is cut, and files may be moved.
        stamp = hashlib.sha256((self._stamp + identity).encode()).digest()
        name = hashlib.sha256(identity.encode()).hexdigest()[:16]
        return self._folder / f"{self._name}.{name}.nbc", stamp

    def load(self, key):
        """Return a kernel, or None if its file is absent, outdated or damaged."""
        path, stamp = self._entry(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if content[:_HASH] == hashlib.sha256(content[_HASH:]).digest():
            if content[_HASH : 2 * _HASH] != stamp:
                return None
            with contextlib.suppress(Exception):  # of another version of a library
                return pickle.loads(content[2 * _HASH :])
        # Before the warning, which may be an error: the next call shall not meet it.
        with contextlib.suppress(OSError):
            path.unlink()
        _warn_once(f"compiled kernels in {self._folder} are damaged; compiling again")
        return None

    def save(self, key, data):
        """Write a compiled kernel, whole or not at all."""
        path, stamp = self._entry(key)
        content = stamp + serialize.dumps(data)
        draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(hashlib.sha256(content).digest() + content)
            os.replace(draft, path)
        except OSError as error:
            _warn_once(
                f"compiled kernels cannot be kept in {self._folder}, so every process "
                f"compiles them anew: {error.strerror}"
            )
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def flush(self):
        """Delete all files of this kernel."""
        for path in self._folder.glob(f"{self._name}.*.nbc*"):
            with contextlib.suppress(OSError):
                path.unlink()


def _warn_once(message):
    if message not in _warned:
        _warned.add(message)
        warnings.warn(message, stacklevel=2)
