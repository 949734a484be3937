"""Kernel files: where compiled kernels are kept on disk.

One file for each kernel, signature and CPU. It starts with the hash of all that
follows, so that damage is noticed, and with a stamp of all that the machine code
depends on, so that nothing old is used. Numba's own index and data files are two
writes: a process that dies between them, or two at a time, leave an index that names
another kernel's code.
"""

import functools
import hashlib
import os
import pickle
import uuid
import warnings
from pathlib import Path

from numba.core import serialize

_HASH = hashlib.sha256().digest_size


class KernelFiles:
    """The files of one kernel; Numba's cache calls `load`, `save` and `flush`."""

    def __init__(self, folder, name, stamp):
        self._folder, self._name, self._stamp = Path(folder), name, stamp

    def _entry(self, key):
        """The file of a key (signature, CPU, bytecode), and the stamp it must have."""
        found = hashlib.sha256(repr((self._stamp, key)).encode()).digest()
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return self._folder / f"{self._name}.{name}.nbc", found

    def load(self, key):
        """Return what was kept, or None: nothing, of other sources, or damaged."""
        path, stamp = self._entry(key)
        try:
            kept = path.read_bytes()
        except OSError:
            return None
        if kept[:_HASH] != hashlib.sha256(kept[_HASH:]).digest():
            _warn_once(
                f"compiled kernels in {self._folder} are damaged; compiling again"
            )
            return None
        if kept[_HASH : 2 * _HASH] != stamp:
            return None
        return pickle.loads(kept[2 * _HASH :])

    def save(self, key, data):
        """Keep a compiled kernel, whole or not at all."""
        path, stamp = self._entry(key)
        kept = stamp + serialize.dumps(data)
        draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        try:
            draft.write_bytes(hashlib.sha256(kept).digest() + kept)
            os.replace(draft, path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            _warn_once(
                f"compiled kernels cannot be kept in {self._folder}, so every process "
                f"compiles them anew: {error.strerror}"
            )

    def flush(self):
        """Forget all that was kept for this kernel."""
        for path in self._folder.glob(f"{self._name}.*.nbc"):
            path.unlink(missing_ok=True)


@functools.cache
def _warn_once(message):
    warnings.warn(message, stacklevel=2)
