"""The README's Python blocks run, in order, in one namespace; the shell's ones too."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
SHELL = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMANDS = """
set -e
python() { PYTHON "$@"; }
fastbutterfly() { PYTHON -m fastbutterfly "$@"; }
"""
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = README.read_text()
    blocks = list(BLOCK.finditer(text))
    assert blocks
    namespace = {"__name__": "readme"}
    for block in blocks:
        # Leading newlines make a traceback show the README's own line numbers.
        source = "\n" * text[: block.start(1)].count("\n") + block[1]
        exec(compile(source, README, "exec"), namespace)


def test_commands_run(tmp_path):
    blocks = SHELL.findall(README.read_text())
    assert blocks
    script = COMMANDS.replace("PYTHON", sys.executable) + "\n".join(blocks)
    found = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert "Traceback" not in found.stderr
