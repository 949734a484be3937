"""Files that exports write, where there is none or a plain one."""

import os
import stat
from functools import partial
from pathlib import Path

from .._base import files


def as_path(name, value):
    """A Path from a string or a path."""
    try:
        return Path(value)
    except TypeError:
        raise TypeError(f"{name} must be a string or a path, got {value!r}") from None


def check(path):
    """Raise if there is something that is no plain file: it would be replaced."""
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise OSError(f"{path} cannot be written, it is there and no plain file")


def write(directory, contents):
    """Write texts or bytes by name into a folder, which is made if missing."""
    directory.mkdir(parents=True, exist_ok=True)
    makers = {}
    for name, content in contents.items():
        check(directory / name)
        data = content.encode("ascii") if isinstance(content, str) else content
        makers[directory / name] = partial(_put, data)
    files.write(makers)
    return list(makers)


def _put(data, file):
    file.write(data)
