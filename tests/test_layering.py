"""The architecture: who may import whom, and how much fits into a file."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

import fastbutterfly

PACKAGE = Path(fastbutterfly.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# Imports point down. Names on one line ignore each other, but for those below.
PICTURE = """
__main__
cli
demo  bench
export  sklearn  interop  interchange  plot  linalg  sketch
nn
transforms  approximation
operators
_plans
_kernels  _base
_jit
"""
LINES = [line.split() for line in PICTURE.split("\n") if line]
FLOOR = {name: k for k, line in enumerate(reversed(LINES)) for name in line}
NEIGHBOURS = {("linalg", "sketch"), ("interchange", "interop")}
USES_NUMBA = {"_jit", "_kernels"}
FROM_ROOT = {"__version__"}
MOST_LINES = 200  # of code in a file
MOST_ARGUMENTS = 8  # by position


def unit(path):
    """The module or package right below fastbutterfly that a file belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path):
    """The absolute dotted names that a file imports, wherever in it."""
    package = ["fastbutterfly", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def other_units(path):
    """The units that a file imports, and the names that it takes from the root."""
    for name in imported(path):
        root, _, rest = name.partition(".")
        head = rest.partition(".")[0]
        if root == "fastbutterfly" and head != unit(path):
            yield head


def lines_of_code(path):
    """Lines with code: no comments, docstrings or blank lines."""
    text, found, docstrings = path.read_text(), set(), set()
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                docstrings.update(range(value.lineno, value.end_lineno + 1))
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER}
    ignored |= {tokenize.INDENT, tokenize.DEDENT}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in ignored:
            found.update(range(token.start[0], token.end[0] + 1))
    return len(found - docstrings)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
class TestModule:
    def test_stands_in_the_picture(self, path):
        assert unit(path) in FLOOR or path == PACKAGE / "__init__.py"

    def test_imports_only_what_is_below(self, path):
        own = unit(path)
        if own == "__init__":
            return
        allowed = {other for other, floor in FLOOR.items() if floor < FLOOR[own]}
        allowed |= {other for one, other in NEIGHBOURS if one == own} | FROM_ROOT
        assert set(other_units(path)) <= allowed

    def test_numba_only_in_kernels(self, path):
        roots = {name.partition(".")[0] for name in imported(path)}
        assert not roots & {"numba", "llvmlite"} or unit(path) in USES_NUMBA

    def test_fits_into_a_sitting(self, path):
        assert lines_of_code(path) <= MOST_LINES

    def test_functions_take_few_arguments(self, path):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                names = [a.arg for a in node.args.posonlyargs + node.args.args]
                names = names[1:] if names[:1] in (["self"], ["cls"]) else names
                assert len(names) <= MOST_ARGUMENTS, node.name


def circles(graph):
    """What is left of a graph when all that needs nothing is taken away, repeatedly."""
    while leaves := {name for name, needs in graph.items() if not needs & set(graph)}:
        graph = {name: needs for name, needs in graph.items() if name not in leaves}
    return set(graph)


def module_of(name, modules):
    """The module that an imported name is, or is in."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def test_no_circles():
    names = {
        ".".join(
            ("fastbutterfly", *path.relative_to(PACKAGE).with_suffix("").parts)
        ): path
        for path in MODULES
    }
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    graph = {
        name: {module_of(other, names) for other in imported(path)} - {name}
        for name, path in names.items()
    }
    assert not circles(graph)


def test_the_picture_is_small():
    """Few names at the top, and short chains of imports among them."""
    graph = {name: set() for name in FLOOR}
    for path in MODULES:
        if unit(path) in FLOOR:
            graph[unit(path)] |= set(other_units(path)) & set(FLOOR)
    longest = {}
    for name in sorted(FLOOR, key=FLOOR.get):
        longest[name] = 1 + max(
            (longest[k] for k in graph[name] if k in longest), default=0
        )
    assert len(FLOOR) <= 22
    assert max(longest.values()) <= 10
