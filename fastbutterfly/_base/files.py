"""Files that are written all at once or not at all."""

import os
import secrets
import stat
from functools import partial
from pathlib import Path


def as_path(name, value):
    """Path from a string or a path."""
    try:
        return Path(value)
    except TypeError:
        raise TypeError(f"{name} must be a string or a path, got {value!r}") from None


def check_replaceable(path):
    """Raise if path exists and is not a regular file.

    `os.replace` would replace a symbolic link, a device or a pipe by a regular file.
    """
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise OSError(f"{path} cannot be written, it is there and no plain file")


def write(writers):
    """Write files: `writers` maps each Path to a function that writes to a binary file.

    All contents go to temporary files next to their targets first, so that an error
    leaves the old files as they were.
    """
    drafts = {
        path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp"): path
        for path in writers
    }
    try:
        for draft, path in drafts.items():
            with open(draft, "xb") as file:
                writers[path](file)
                file.flush()
                os.fsync(file.fileno())
        for draft, path in drafts.items():
            os.replace(draft, path)
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def write_contents(directory, contents):
    """Write ASCII texts or bytes by name into a folder, which is made if missing.

    Returns the list of Paths. Raises OSError if a target is not a regular file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    writers = {}
    for name, content in contents.items():
        check_replaceable(directory / name)
        data = content.encode("ascii") if isinstance(content, str) else content
        writers[directory / name] = partial(_write_bytes, data)
    write(writers)
    return list(writers)


def _write_bytes(data, file):
    file.write(data)
