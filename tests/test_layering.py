"""Imports point downwards only, and no module grows beyond a sitting."""

import ast
from pathlib import Path

import pytest

import fastbutterfly

PACKAGE = Path(fastbutterfly.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

LEVELS = {
    "_kernel_files": -1,
    "_jit": 0,
    "_values": 1,
    "_simd": 2,
    "_kernels": 3,
    "_machine": 3,
    "_arrays": 3,
    "_files": 3,
    "_permutations": 3,
    "_pattern": 4,
    "_coordinates": 4,
    "_initial": 4,
    "_threads": 4,
    "_packing": 4,
    "_paths": 4,
    "_factors": 5,
    "_algebra": 5,
    "_operator": 5,
    "_square": 6,
    "_narrow": 4,
    "_subspace": 3,
    "reduced_rank": 4,
    "_mixed": 7,
    "_layout": 4,
    "_truncated": 7,
    "_plan": 8,
    "_structure": 9,
    "_products": 9,
    "butterfly": 10,
    "_ends": 11,
    "transforms": 11,
    "_warmup": 11,
    "fwht": 11,
    "_waves": 11,
    "interchange": 12,
    "_lowrank": 11,
    "_real_fourier": 12,
    "_chain": 10,
    "_orders": 12,
    "_refine": 13,
    "_rotation": 6,
    "_hierarchy": 12,
    "sums": 12,
    "fourier": 13,
    "cosine": 13,
    "factorize": 14,
    "rotation": 13,
    "nn": 15,
    "sketch": 16,
    "linalg": 17,
    "sklearn": 17,
    "export": 19,
    "__init__": 18,
    "plot": 18,
    "bench": 19,
    "demo": 19,
    "cli": 20,
    "__main__": 21,
}
USES_NUMBA = {"_kernel_files", "_values", "_simd", "_jit", "_kernels"}


def unit(path):
    """The module or subpackage of fastbutterfly that `path` belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path):
    """The absolute dotted names that the file imports, wherever in it."""
    package = ["fastbutterfly", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imported_units(path):
    """The units of fastbutterfly that the file imports."""
    for name in imported(path):
        package, _, rest = name.partition(".")
        if package == "fastbutterfly" and rest:
            head = rest.split(".")[0]
            yield head if head in LEVELS else "__init__"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
class TestModule:
    def test_has_a_level(self, path):
        assert unit(path) in LEVELS

    def test_imports_only_lower_levels(self, path):
        own = unit(path)
        upwards = [
            other
            for other in imported_units(path)
            if other != own and LEVELS[other] >= LEVELS[own]
        ]
        assert not upwards

    def test_numba_only_in_kernels(self, path):
        roots = {name.partition(".")[0] for name in imported(path)}
        assert not roots & {"numba", "llvmlite"} or unit(path) in USES_NUMBA

    def test_is_short(self, path):
        lines = path.read_text().count("\n")
        assert lines <= 300


def test_kernels_do_not_import_each_other_in_circles():
    folder = PACKAGE / "_kernels"
    graph = {
        path.stem: {
            name.split(".")[2]
            for name in imported(path)
            if name.startswith("fastbutterfly._kernels.")
        }
        for path in folder.glob("*.py")
    }
    while leaves := {name for name, needs in graph.items() if not needs & set(graph)}:
        graph = {name: needs for name, needs in graph.items() if name not in leaves}
    assert not graph
