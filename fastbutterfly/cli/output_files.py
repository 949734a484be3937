"""Files that the commands write: checked early, written at once or not at all."""

import os
from pathlib import Path

from .._base import files


def check(path, *, folder=False, sources=()):
    """Raise if a file, or files in a folder, cannot be written or is a source."""
    path = Path(path)
    for source in filter(os.path.exists, sources):
        if path.exists() and path.samefile(source):
            raise ValueError(f"{path} cannot be written, it is what is read")
    if not folder:
        files.check_replaceable(path)
    parent = path if folder else path.parent
    while folder and not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise NotADirectoryError(f"{path} cannot be written, {parent} is no folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written, {parent} may not be changed")


def save(path, data):
    """Write bytes at once or not at all."""
    path = Path(path)
    files.write_contents(path.parent, {path.name: data})


def size(path_or_bytes):
    """A number of bytes in words."""
    count = path_or_bytes
    if isinstance(count, Path):
        count = count.stat().st_size
    if count < 10_000:
        return f"{count:,} bytes"
    return f"{count / 1e3:,.1f} kB" if count < 1e6 else f"{count / 1e6:,.1f} MB"
