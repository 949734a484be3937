"""Files that are written at once or not at all."""

import os
import secrets


def write(makers):
    """Write files: `makers` has for each Path what writes its contents to a file."""
    drafts = {
        path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp"): path
        for path in makers
    }
    try:
        for draft, path in drafts.items():
            with open(draft, "xb") as file:
                makers[path](file)
                file.flush()
                os.fsync(file.fileno())
        for draft, path in drafts.items():
            os.replace(draft, path)
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
