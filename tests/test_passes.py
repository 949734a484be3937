"""`make test` and `.ci/run` fail when they find fewer tests, or no scripts."""

import os
import re
import shutil
import subprocess
import sys

import pytest


def collect(*options):
    """Collect this file alone; pytest's status and what it says."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", __file__]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("marker", "found"), [("", r"\d+"), ("interpreted", "0")])
def test_a_pass_with_fewer_tests_fails(marker, found):
    status, said = collect("--complete", "-m", marker)
    assert status == pytest.ExitCode.USAGE_ERROR
    assert re.search(f"collects {found} tests, fewer than the", said)


def test_a_part_may_run_alone():
    status, said = collect("-k", "alone")
    assert status == pytest.ExitCode.OK
    assert "1/" in said


def test_all_passes_ask_for_their_numbers(pytestconfig):
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    least = pytestconfig.pluginmanager.getplugin(
        str(pytestconfig.rootpath / "tests" / "conftest.py")
    ).LEAST

    def passes(*arguments):
        command = ["make", "-n", "-o", ".venv/installed", "test", *arguments]
        said = subprocess.check_output(command, cwd=pytestconfig.rootpath, text=True)
        parts = [line.partition(" -m pytest ") for line in said.splitlines()]
        return [options for _, run, options in parts if run]  # make may say more

    first, *others = [
        f"-m {name} --complete" if name else "--complete" for name in least
    ]
    assert passes() == [first, *others]
    assert passes("ARGS=-k x") == ["-k x", *others]


@pytest.mark.parametrize("missing", [None, "examples", "studies", "benchmarks"])
def test_ci_fails_without_scripts(missing, tmp_path, pytestconfig):
    run = pytestconfig.rootpath / ".ci" / "run"
    if not run.exists():
        pytest.skip("only in the repository")
    scripts = {
        "examples/a.py": "",
        "studies/paper/b.py": "if __name__ == '__main__':",
        "studies/part.py": "",
        "benchmarks/c.py": "script.run()",
    }
    for name in (".ci/run", ".venv/bin/python", "bin/make", *scripts):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(scripts.get(name, "#!/bin/sh\n"))
        path.chmod(0o755)
    shutil.copy(run, tmp_path / ".ci")
    if missing:
        shutil.rmtree(tmp_path / missing)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        [tmp_path / ".ci" / "run"],
        env={**os.environ, "PATH": path, "CI": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == bool(missing)
    assert (f"no {missing} found" in done.stdout) == bool(missing)
    ran = {name for name in scripts if f"{name} --quick" in done.stdout}
    assert ran == {
        name
        for name in scripts
        if name != "studies/part.py" and not name.startswith(f"{missing}/")
    }
