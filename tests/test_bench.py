import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastbutterfly as fb
from fastbutterfly import cli
from fastbutterfly.bench import (
    competitors,
    crossover,
    environment,
    main,
    peers,
    roofline,
    rows,
    text,
    timing,
    vector,
)

ROOT = Path(__file__).parent.parent
OTHERS = ("torch", "pyfaust", "lazylinop")


class Clock:
    """A clock that only calls move."""

    def __init__(self):
        self.now = 0.0
        self.log = []

    def __call__(self):
        return self.now

    def call(self, name, *durations):
        """A call that takes these times, the last one for ever after."""
        left = list(durations)

        def run():
            self.log.append(name)
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def no_others(monkeypatch):
    """None of the optional libraries can be imported."""
    for name in (*OTHERS, "lazylinop.butterfly"):
        monkeypatch.setitem(sys.modules, name, None)


class TestBestInTurn:
    def test_order(self, clock):
        calls = {"a": clock.call("a", 0.01), "b": clock.call("b", 0.01)}
        timing.best_in_turn(calls, 0.15, clock=clock)
        turn = ["a"] * timing.TURN + ["b"] * timing.TURN
        assert clock.log == ["a", "b", *turn, *turn]

    def test_best_without_the_first(self, clock):
        calls = {"a": clock.call("a", 1e-9, 0.03, 0.02, 0.04)}
        best = timing.best_in_turn(calls, 0.1, clock=clock)
        assert best["a"] == pytest.approx(0.02)

    def test_long_call_is_a_turn(self, clock):
        calls = {"long": clock.call("long", 1), "short": clock.call("short", 0.01)}
        best = timing.best_in_turn(calls, 0, clock=clock)
        assert clock.log == ["long", "short", "long", *["short"] * timing.TURN]
        assert best == pytest.approx({"long": 1, "short": 0.01})

    def test_an_error_is_not_hidden(self):
        with pytest.raises(ZeroDivisionError):
            timing.best_in_turn({"wrong": lambda: 1 / 0}, 0)


class TestBudget:
    def test_equal_shares(self, clock):
        budget = timing.Budget(12, 4, clock=clock)
        for _ in range(4):
            assert budget.take() == pytest.approx(3)
            clock.now += 3
        assert budget.take() == 0

    def test_what_is_left_or_over_is_shared(self, clock):
        budget = timing.Budget(12, 4, clock=clock)
        assert budget.take(2) == pytest.approx(6)
        clock.now += 8
        assert budget.take() == pytest.approx(2)
        assert budget.take() == pytest.approx(4)

    def test_over(self, clock):
        budget = timing.Budget(1, 2, clock=clock)
        clock.now += 5
        assert budget.take() == 0


class TestCrossover:
    @pytest.mark.parametrize(
        ("butterfly", "expected"),
        [
            ([2, 3, 3, 3], 8),
            ([1, 1, 1, 1], 4),
            ([2, 3, 5, 9], None),
            ([1, 4, 3, 3], 16),  # ahead, behind, ahead: the last time counts
            ([1, 1, 1, 8], None),  # a tie is not faster
        ],
    )
    def test_smallest_size_that_stays_ahead(self, butterfly, expected):
        dense = {4: 1.5, 8: 3.5, 16: 4, 32: 8}
        times = dict(zip(dense, butterfly, strict=True))
        assert crossover.crossover(dense, times) == expected
        backwards = dict(reversed(times.items()))
        assert crossover.crossover(dense, backwards) == expected

    def test_other_sizes(self):
        message = r"must have the same sizes, got \[2, 4\] and \[2\]"
        with pytest.raises(ValueError, match=message):
            crossover.crossover({2: 1, 4: 1}, {2: 1})

    def test_by_dtype_and_batch(self):
        measured = [
            {
                "n": n,
                "batch": b,
                "dtype": "float32",
                "dense_us": n,
                "butterfly_us": 9 / b,
            }
            for b in (1, 3)
            for n in (2, 8)
        ]
        common = {"dtype": "float32", "largest": 8}
        assert crossover.crossovers(measured) == [
            {"batch": 1, "crossover": None, **common},
            {"batch": 3, "crossover": 8, **common},
        ]


class TestLimit:
    def test_rate_and_share(self):
        rate = roofline.rate(0.5)
        assert rate == 2 * 256 * 1024 * 1024
        assert roofline.share(rate, 4, rate) == 0.25

    @pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
    def test_product(self, dtype, rng):
        y = roofline.call(dtype)()
        assert y.shape == (256, 1024)
        assert y.dtype == dtype
        x = roofline.normal(rng, (500, 200), dtype)
        assert x.dtype == dtype
        assert np.mean(abs(x) ** 2) == pytest.approx(1, abs=0.03)

    def test_best_of_the_run_for_all(self):
        common = {"n": 4, "batch": 1, "dense_us": 8.0, "dense_vjp_us": 12.0}
        times = {"apply_us": 4.0, "vjp_us": 6.0}
        measured = [
            {**common, **times, "dtype": dtype, "limit_rate": rate}
            for dtype, rate in (("float32", 4e6), ("float32", 8e6), ("float64", 4e6))
        ]
        shares = [row["apply_share"] for row in rows.compared(measured)]
        assert shares == pytest.approx([0.5, 0.5, 1])  # 16 multiply-adds in 4 us
        first = rows.compared(measured)[0]
        assert first["limit_us"] == pytest.approx(2)
        assert first["vjp_share"] == pytest.approx(1)
        assert first["dense_ratio"] == first["dense_vjp_ratio"] == 2


class TestMeasure:
    @pytest.mark.parametrize(
        "measure",
        [
            lambda: rows.measure(8, "float64", 0, batch=3),
            lambda: vector.measure(8, "float32", 0),
            lambda: crossover.measure(8, 3, "float32", 0),
            lambda: crossover.measure(8, "vector", "float32", 0),
        ],
        ids=["rows", "vector", "crossover", "crossover of a vector"],
    )
    def test_rows_of_json(self, measure):
        row = measure()
        assert row == json.loads(json.dumps(row))
        assert row["n"] == 8
        assert all(row[key] > 0 for key in row if key.endswith("_us"))

    def test_dense_is_left_out(self, monkeypatch):
        monkeypatch.setattr(vector, "DENSE_UP_TO", 4)
        assert vector.measure(8, "float32", 0)["dense_us"] is None

    def test_supported(self):
        assert rows.supported("float32")
        assert not rows.supported("int8")
        assert not rows.supported("no dtype")

    def test_environment(self):
        found = environment.environment(pinned=False, packages=("torchless",))
        assert found == json.loads(json.dumps(found))
        assert found["blas_threads"] == "as they were"
        assert found["versions"]["numpy"] == np.__version__
        assert found["versions"]["torchless"] == "not installed"


class TestPeers:
    def test_missing_are_named(self, no_others):
        found, missing = peers.installed()
        assert {c.name for c in found} >= {"NumPy, dense", "SciPy, sparse factors"}
        assert [entry.package for entry in missing] == list(OTHERS)
        assert str(missing[0]) == "torch: not installed (pip install torch)"
        assert "pip install lazylinop psutil pandas" in str(missing[2])

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("import fb_missing_package.part", "needs fb_missing_package"),
            ("1 / 0", "cannot be imported, ZeroDivisionError: division by zero"),
        ],
    )
    def test_broken_are_named(self, source, reason, tmp_path, monkeypatch):
        (tmp_path / "fb_broken.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        found, missing = peers.installed([competitor(None, library="fb_broken")])
        assert not found
        assert missing == [peers.Missing("fb_broken", reason)]

    def test_imports_change_no_settings(self, tmp_path, monkeypatch):
        source = "import sys, warnings\nsys.setrecursionlimit(54321)\n"
        source += "warnings.simplefilter('always')\nwarnings.warn('loud')\n"
        (tmp_path / "fb_loud.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        before = sys.getrecursionlimit(), list(warnings.filters)
        found, _ = peers.installed([competitor(None, library="fb_loud")])
        assert found
        assert (sys.getrecursionlimit(), warnings.filters) == before

    def test_all_are_right(self, no_others):
        found, _ = peers.installed()
        measured = peers.measure(8, "float64", 0, found, batch=3)
        assert not [row for row in measured if "skipped" in row]
        ours = [row for row in measured if row["name"] == "fastbutterfly"]
        assert [row["ratio"] for row in ours] == [1, 1, 1]
        assert len(measured) == len(ours) + len(found)

    @pytest.mark.parametrize("name", OTHERS)
    def test_optional_are_right(self, name):
        found, _ = peers.installed([c for c in competitors.PEERS if name in c.library])
        if not found:
            pytest.skip(f"{name} cannot be imported")
        measured = peers.measure(16, "float32", 0, found, batch=3)
        assert not [row for row in measured if "skipped" in row]

    @pytest.mark.parametrize(
        ("prepare", "message"),
        [
            (
                lambda B, x, g: result(-B.apply(x)),
                "differs from the butterfly's by 2.0",
            ),
            (lambda B, x, g: result(B.apply(x) * np.nan), "differs"),
            (
                lambda B, x, g: result(B.apply(x).T),
                "must have shape (3, 8), got (8, 3)",
            ),
            (
                lambda B, x, g: result(B.apply(x).astype("f4")),
                "must have dtype float64, got float32",
            ),
            (lambda B, x, g: B.no_such_method, "AttributeError"),
        ],
    )
    def test_wrong_are_not_timed(self, prepare, message):
        wrong = competitor(prepare)
        row = peers.measure(8, "float64", 0, [wrong], batch=3)[-1]
        assert row["name"] == "somebody"
        assert message in row["skipped"]
        assert "us" not in row


def competitor(prepare, library="numpy"):
    return competitors.Competitor(
        "somebody", library, competitors.FORWARD, "something", prepare
    )


def result(y):
    return competitors.Call(lambda: y, lambda: {"y": y})


class TestText:
    def test_numbers(self):
        values = (1.004, 9.999, 10.04, 99.96, 12345.6, None)
        assert [text.number(v) for v in values] == [
            "1.00",
            "10.0",
            "10.0",
            "100",
            "12,346",
            "-",
        ]
        assert text.ratio(2) == "2.00x"
        assert text.percent(0.256) == "26 %"

    def test_tables(self):
        header, lines = ("n", "us"), [("8", "1.5"), ("1024", "2")]
        assert text.table(header, lines).splitlines() == [
            "n      us",
            "---------",
            "8     1.5",
            "1024    2",
        ]
        assert text.markdown(header, lines).splitlines() == [
            "| n | us |",
            "| --- | ---: |",
            "| 8 | 1.5 |",
            "| 1024 | 2 |",
        ]


class TestCommand:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch, no_others):
        monkeypatch.setattr(main, "SIZES", (16, 64))
        monkeypatch.setattr(main, "PEERS_AT", 16)
        monkeypatch.setattr(crossover, "SIZES", (2, 16))

    def test_prints_the_pieces(self, capsys):
        assert cli.main(["bench", "--seconds", "0.01"]) == 0
        out, progress = capsys.readouterr()
        assert f"fastbutterfly {fb.__version__}" in out
        assert "billion multiply-adds a second" in out
        for name in ("of limit", "vjp", "scipy.fft.fft", "SciPy, sparse factors"):
            assert name in out
        for name in OTHERS:
            assert f"skipped {name}: not installed" in out
        for what in ("a vector, B @ x:", "batch 1, apply:", "batch 256, apply:"):
            assert what in out
        assert "measuring rows, n = 16 ..." in progress

    def test_without_threadpoolctl(self, capsys, monkeypatch):
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util,
            "find_spec",
            lambda name: None if name == "threadpoolctl" else find(name),
        )
        assert cli.main(["bench", "--seconds", "0.01"]) == 0
        out = capsys.readouterr().out
        assert "BLAS was not pinned to one thread: pip install threadpoolctl" in out

    @pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "inf"])
    def test_mistakes(self, seconds, capsys):
        with pytest.raises(SystemExit):
            cli.main(["bench", "--seconds", seconds])
        message = f"must be a positive number, got '{seconds}'"
        assert message in capsys.readouterr().err


def run_script(name, *options):
    command = [sys.executable, ROOT / "benchmarks" / name, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class TestScripts:
    def test_result(self, tmp_path):
        out = run_script(
            "crossover.py", "--quick", "--seconds", "0.001", "--out", tmp_path
        )
        assert "From which n" in out
        found = json.loads((tmp_path / "crossover.json").read_text())
        assert found["quick"]
        assert found["environment"]["versions"]["fastbutterfly"] == fb.__version__
        assert {row["batch"] for row in found["rows"]} == {"vector", 1, 16, 256}

    def test_readme_shows_the_results(self):
        assert run_script("table.py") in (ROOT / "README.md").read_text()
