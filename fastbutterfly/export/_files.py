"""Files that are written at once or not at all."""

import os
import secrets
import stat
from pathlib import Path


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
    drafts = {}
    directory.mkdir(parents=True, exist_ok=True)
    try:
        for name, content in contents.items():
            check(directory / name)
            draft = directory / f".{name}.{secrets.token_hex(4)}.tmp"
            drafts[draft] = directory / name
            data = content.encode("ascii") if isinstance(content, str) else content
            with open(draft, "xb") as file:
                file.write(data)
        for draft, path in drafts.items():
            os.replace(draft, path)
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
    return list(drafts.values())
