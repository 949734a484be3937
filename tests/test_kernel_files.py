"""Compiled kernels from the disk cache: of all processes, of old sources, damaged."""

import collections
import json
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import elf
import kernel_cases
import laws
import numpy as np
import pytest

from fastbutterfly._base import machine
from fastbutterfly._jit import kernel_files, options
from fastbutterfly._kernels.butterfly_forward import rows_up
from fastbutterfly._kernels.gather import gather

pytestmark = pytest.mark.skipif(laws.INTERPRETED, reason="nothing is compiled")

ALL = [
    f"{name}/{np.dtype(dtype)}"
    for name, (dtypes, _) in kernel_cases.CASES.items()
    for dtype in dtypes
]
# One of each is compiled in a process of its own without --all-kernels.
FAMILIES = [
    "rows",
    "columns",
    "gradient",
    "few",
    "truncated",
    "mixed",
    "hadamard",
    "rotation",
    "narrow",
    "cross_entropy",
    "optimizers",
    "lu",
]


def sample(seed):
    """A case of each family, with dtypes in turn."""
    draw = random.Random(seed)
    families = [[name for name in ALL if name.startswith(f)] for f in FAMILIES]
    assert all(families)
    return [draw.choice(family) for family in families]


def run(folder, names, seed="random"):
    """Run cases in a process of their own; what it reports."""
    with tempfile.NamedTemporaryFile() as report:
        subprocess.run(
            [sys.executable, kernel_cases.__file__, report.name, *names],
            env={
                **os.environ,
                "NUMBA_CACHE_DIR": str(folder),
                "PYTHONHASHSEED": str(seed),
                "OPENBLAS_NUM_THREADS": "1",
            },
            check=True,
            timeout=600,
        )
        return json.load(report)


@pytest.fixture(scope="module")
def whole(request):
    """Whether all kernels are asked for."""
    return request.config.getoption("--all-kernels")


@pytest.fixture(scope="module")
def shared(whole, tmp_path_factory):
    """The cache of kernels that were each compiled in a process of its own.

    With it go the names of the cases, and what one process finds that then runs all.
    """
    draw, folder = random.Random(0), tmp_path_factory.mktemp("kernels")
    names = draw.sample(ALL, len(ALL)) if whole else sample(0)
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(
            lambda k: run(folder, names[k : k + 1]), range(len(names))
        ):
            assert not found["failed"]
            assert found["used"]
    draw.shuffle(names)
    return folder, names, run(folder, names)


def test_kernels_of_other_processes_compute_what_they_should(shared, whole):
    _, _, found = shared
    assert not found["failed"]
    assert not found["compiled"]
    assert len(found["used"]) >= 8
    if whole:
        assert set(found["used"]) == set(kernel_cases.kernels())


@pytest.mark.parametrize("seed", range(4))
def test_kernels_of_three_processes(seed, whole, tmp_path):
    """Columns, then rows, then both with a transpose, which is compiled anew."""
    if seed and not whole:
        pytest.skip("with --all-kernels")
    kept = ["columns-increasing/float32", "rows-decreasing/float32"]
    for name in kept:
        assert not run(tmp_path, [name], seed)["failed"]
    for more in (["rows-increasing/float32"], ["columns-decreasing/float32"]):
        found = run(tmp_path, kept[::-1] + more, seed)
        assert not found["failed"]
        assert len(found["compiled"]) == 1


@pytest.mark.parametrize("seed", range(4))
def test_kernels_that_are_kept_beside_those_compiled_now(seed, whole, tmp_path):
    if not whole:
        pytest.skip("with --all-kernels")
    names = random.Random(seed).sample(ALL, 40)
    for some in (names[::3], names[1::3], names):
        assert not run(tmp_path, some)["failed"]


# Numba's counting of references, the same in all files.
OF_NUMBA = {"NRT_incref", "NRT_decref"}


def test_no_function_has_two_bodies(shared):
    """The loader keeps one body for each weak symbol, whatever file it is from."""
    folder, _, report = shared
    weak, bodies, files = (
        set(),
        collections.defaultdict(set),
        list(folder.rglob("*.nbc")),
    )
    assert len(files) >= len(report["used"])
    for path in files:
        (part,) = elf.objects(path.read_bytes())
        functions = list(part.functions())
        assert len(functions) >= 3  # the kernel, called from Python and from C
        for name, is_weak, body in functions:
            bodies[name].add(body)
            if is_weak:
                weak.add(name)
    assert not [name for name, these in bodies.items() if len(these) > 1]
    assert weak == OF_NUMBA


APPLY = """
import warnings
import numpy as np, fastbutterfly as fb
from fastbutterfly._kernels.butterfly_small import small_up
x = np.random.default_rng(0).standard_normal((9, 2)).astype(np.float32)
H = fb.hadamard(2, dtype=np.float32)
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for _ in range(3):
        assert np.allclose(H.apply(H.apply(x)), x, atol=1e-5)
    assert np.allclose(fb.identity(2).apply(x), x)
print(*(str(w.message) for w in told), sum(small_up.stats.cache_hits.values()), sep="|")
"""


def apply(folder, before=""):
    """What a process with this cache warns of, and how many kernels it found."""
    done = subprocess.run(
        [sys.executable, "-c", before + APPLY],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *told, hits = done.stdout.strip().split("|")
    return told, int(hits)


def flipped(data):
    """Some bits changed."""
    data, draw = bytearray(data), random.Random(0)
    for _ in range(20):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


def test_a_damaged_cache_is_compiled_again(tmp_path):
    told, hits = apply(tmp_path)
    assert (told, hits) == ([], 0)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert {path.suffix for path in files} == {".nbc"}
    whole = {path: path.read_bytes() for path in files}
    for damage in (
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: bytes(random.Random(0).randbytes(len(data))),
        flipped,
        lambda data: data + b"\0",
    ):
        for path in files:
            path.write_bytes(damage(path.read_bytes()))
        told, hits = apply(tmp_path)
        assert len(told) == 1
        assert str(files[0].parent) in told[0]
        assert "damaged" in told[0]
        assert hits == 0
        assert apply(tmp_path) == ([], 2)
    for path in files:
        path.unlink()
        path.mkdir()  # cannot be read as a file, nor replaced by one
    (told,), hits = apply(tmp_path)
    assert "cannot be kept" in told
    assert len(whole) == len(files)


def test_a_full_disk_costs_a_compilation(tmp_path):
    """The limit on the size of files stands for it."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (99, 99))\n"
    (told,), hits = apply(tmp_path, limit)
    assert "compiles them anew: File too large" in told
    assert hits == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.fixture
def files(tmp_path):
    return kernel_files.KernelFiles(tmp_path, "kernel-7.py311", "stamp")


def test_kept_for_the_same_key_and_stamp_only(files, tmp_path):
    keys = [("float32", cpu, code) for cpu in ("a", "b") for code in ("c", "d")]
    for k, key in enumerate(keys):
        assert files.load(key) is None
        files.save(key, k)
    assert [files.load(key) for key in keys] == [0, 1, 2, 3]
    other = kernel_files.KernelFiles(tmp_path, "kernel-7.py311", "other stamp")
    assert [other.load(key) for key in keys] == [None] * 4
    other.save(keys[0], "new")
    assert (files.load(keys[0]), other.load(keys[0])) == (None, "new")
    assert len(list(tmp_path.iterdir())) == 4
    other.flush()
    assert not list(tmp_path.iterdir())


def test_a_file_under_a_wrong_name_is_not_used(files, tmp_path):
    """As where two processes wrote Numba's index and data files at the same time."""
    files.save("float32", 4)
    (one,) = tmp_path.iterdir()
    kept = one.read_bytes()
    one.unlink()
    files.save("float64", 8)
    (other,) = tmp_path.iterdir()
    other.write_bytes(kept)
    assert files.load("float64") is None


def test_drafts_do_not_stay(files, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    kernel_files._warned.clear()
    with pytest.warns(UserWarning, match=r"anew: No space left"):
        files.save("float32", 4)
    files.save("float64", 4)  # warnings are errors: this one is told of no more
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_met_once_where_warnings_are_errors(files, tmp_path):
    kernel_files._warned.clear()
    for content in (b"", b"\0" * 99):
        files.save("float32", 4)
        (path,) = tmp_path.iterdir()
        path.write_bytes(content)
        kernel_files._warned.clear()
        with pytest.raises(UserWarning, match="damaged"):
            files.load("float32")
        assert files.load("float32") is None
        assert not path.exists()


def test_a_whole_file_that_cannot_be_read_is_damaged(files, tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_files.serialize, "dumps", lambda data: b"no pickle")
    files.save("float32", 4)
    kernel_files._warned.clear()
    with pytest.warns(UserWarning, match="damaged"):
        assert files.load("float32") is None
    assert not list(tmp_path.iterdir())


def test_a_folder_that_has_become_a_file(tmp_path):
    path = tmp_path / "file"
    path.touch()
    files = kernel_files.KernelFiles(path, "kernel", "stamp")
    kernel_files._warned.clear()
    with pytest.warns(UserWarning, match="cannot be kept"):
        files.save("float32", 4)
    assert files.load("float32") is None
    files.flush()


@pytest.mark.parametrize("setting", ["OPT", "BOUNDSCHECK"])
def test_settings_of_numba_have_files_of_their_own(files, setting, monkeypatch):
    files.save("float32", "plain")
    monkeypatch.setattr(kernel_files.config, setting, 0.5)
    assert files.load("float32") is None
    files.save("float32", "set")
    assert files.load("float32") == "set"
    monkeypatch.undo()
    assert files.load("float32") == "plain"


@pytest.mark.parametrize("kernel", [rows_up, gather])
def test_all_kernels_are_kept_with_the_digest_of_all_sources(kernel):
    assert kernel._cache._cache_file._stamp == options.DIGEST
    assert len(options.DIGEST) == 64


def modules_of(*packages):
    """All modules of packages of fastbutterfly that are imported."""
    for name, module in list(sys.modules.items()):
        root, _, rest = name.partition(".")
        if root == "fastbutterfly" and (not packages or rest.split(".")[0] in packages):
            yield module


def test_all_kernels_are_known():
    kernels = kernel_cases.kernels()
    known = {id(kernel) for kernel in kernels.values()}
    assert len(known) == len(kernels) >= 47
    for module in modules_of():
        for value in vars(module).values():
            assert id(value) in known or not hasattr(value, "nopython_signatures")


def test_the_cache_folder_holds_all_kernels(monkeypatch):
    for kernel in kernel_cases.kernels().values():
        assert Path(kernel._cache.cache_path).is_relative_to(machine.cache_folder())
    monkeypatch.setattr(machine, "FOLDERS", {"/a/b/c", "/a/b/d"})
    assert machine.cache_folder() == "/a/b"
    monkeypatch.setattr(machine, "FOLDERS", set())
    assert machine.cache_folder() == "none"


def test_the_digest_sees_every_file_that_is_compiled(tmp_path, monkeypatch):
    kernel_cases.kernels()  # imports them all
    used = {Path(module.__file__) for module in modules_of("_jit", "_kernels")}
    read = []
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: read.append(path) or path.name.encode()
    )
    assert options._digest() != options.DIGEST
    assert sorted(read) == sorted(used)
    assert len(used) == 27
    for library in (options.numba, options.llvmlite):
        before = options._digest()
        monkeypatch.setattr(library, "__version__", "0.0")
        assert options._digest() != before
    monkeypatch.setattr(options, "__file__", str(tmp_path / "_jit" / "options.py"))
    with pytest.raises(RuntimeError, match="no sources in"):
        options._digest()
    below = tmp_path / "_kernels" / "folder" / "kernel.py", tmp_path / "_jit" / "jit.py"
    for path in below:
        path.parent.mkdir(parents=True)
        path.touch()
    read.clear()
    options._digest()
    assert set(read) == set(below)


def test_symbols_do_not_depend_on_the_order_of_a_set():
    assert str(options.FASTMATH) == "{'contract', 'nsz', 'reassoc'}"
    assert str(options.FASTMATH.copy()) == str(options.FASTMATH)
