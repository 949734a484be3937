"""Files that are written at once or not at all."""

import os
import secrets
from pathlib import Path


def write(directory, contents):
    """Write texts or bytes by name into a folder, which is made if missing."""
    directory, drafts = Path(directory), {}
    directory.mkdir(parents=True, exist_ok=True)
    try:
        for name, content in contents.items():
            if (directory / name).is_dir():
                raise IsADirectoryError(f"{directory / name} is a directory")
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
