"""Records: results of an experiment in a JSON file, run by run, never done twice."""

import json
import os
import secrets
from pathlib import Path

from fastbutterfly._base import machine


class Records:
    """What was found for each key of a group, of one version of an experiment.

    The file is written after each result, at once or not at all, so that a script that
    was killed goes on where it was. Results of other `settings` are not mixed in.
    """

    def __init__(self, path, settings):
        self.path = Path(path)
        self.content = {"settings": settings, "machine": machine.describe()}
        if self.path.exists():
            saved = json.loads(self.path.read_text())
            if saved["settings"] != json.loads(json.dumps(settings)):
                raise SystemExit(
                    f"{self.path} holds results of other settings: delete it, or give "
                    f"another --out; it has {saved['settings']}, now {settings}"
                )
            self.content = saved

    def get(self, group, key, compute):
        """Return the result that is known, or compute and keep it."""
        known = self.content.setdefault(group, {})
        if key not in known:
            known[key] = compute()
            self.write()
        return known[key]

    def put(self, group, value):
        """Keep a whole group."""
        self.content[group] = value
        self.write()

    def write(self):
        """Replace the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.tmp")
        try:
            draft.write_text(json.dumps(self.content, indent=1) + "\n")
            os.replace(draft, self.path)
        finally:
            draft.unlink(missing_ok=True)
