"""train, predict, export, info: from a table to predictions and code."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import fastbutterfly as fb
from fastbutterfly import cli, nn
from fastbutterfly import sklearn as estimators
from fastbutterfly.cli import standardize

ROWS, NAMES = 120, ["width", "length, cm", "weight"]
TRAIN = ["--hidden", "16", "--epochs", "60", "--quiet"]


def table(rng, rows=ROWS):
    """Features of very different sizes, and a class that they tell."""
    X = rng.standard_normal((rows, 3)) * [1, 100, 0.01] + [0, 5000, 1]
    kinds = np.array(["cat", "dog", "[x]"])[(X[:, 0] > 0) + 1 * (X[:, 2] > 1)]
    return X, kinds


def write(path, names, *columns):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(zip(*columns, strict=True))
    return str(path)


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))


def run(capsys, *arguments, status=0):
    """Standard output, after checking the status; errors if it is not 0."""
    found = cli.main([str(one) for one in arguments])
    out, err = capsys.readouterr()
    assert found == status, err
    assert "Traceback" not in err
    return err if status else out


@pytest.fixture
def animals(tmp_path, rng):
    X, kinds = table(rng)
    return write(tmp_path / "animals.csv", [*NAMES, "kind"], *X.T, kinds)


@pytest.fixture
def model(tmp_path, animals, capsys):
    path = tmp_path / "model.npz"
    run(capsys, "train", animals, "--target", "kind", "-o", path, *TRAIN)
    return path


class TestTrain:
    @pytest.mark.parametrize("kind", ["butterfly", "gadget", "dense"])
    def test_classes(self, tmp_path, rng, capsys, animals, kind):
        path = tmp_path / "model.npz"
        options = ["--target", "kind", "-o", path, "--kind", kind, "--quiet"]
        out = run(capsys, "train", animals, *options)
        assert "120 rows of 3 numbers; classification, 3 classes" in out
        assert "held out 24 rows" in out
        assert f"wrote {path}" in out
        assert nn.about(path) == {
            "task": "classification",
            "target": "kind",
            "features": NAMES,
            "classes": ["[x]", "cat", "dog"],
        }
        X, kinds = table(rng, 500)  # the network takes numbers as they are
        found = np.array(["[x]", "cat", "dog"])[nn.load(path)(X).argmax(axis=1)]
        assert np.mean(found == kinds) > 0.8

    def test_numbers(self, tmp_path, rng, capsys):
        X, _ = table(rng, 400)
        y = 1000 + 50 * X[:, 0] + 0.3 * X[:, 1]
        data = write(tmp_path / "a.csv", [*NAMES, "price"], *X.T, y)
        path = tmp_path / "model.npz"
        options = ["--target", "price", "-o", path, "--epochs", "300", "--quiet"]
        out = run(capsys, "train", data, *options)
        assert "regression" in out
        assert float(out.partition("R2 ")[2].partition(",")[0]) > 0.8
        X, _ = table(rng, 100)
        y = 1000 + 50 * X[:, 0] + 0.3 * X[:, 1]
        error = nn.load(path)(X)[:, 0] - y
        assert error.std() < 0.5 * y.std()

    def test_arrays_and_images(self, tmp_path, rng, capsys):
        X = rng.integers(0, 255, (60, 4, 4), np.uint8)
        np.savez(tmp_path / "a.npz", X=X, y=X[:, 0, 0] > 127)
        out = run(
            capsys, "train", tmp_path / "a.npz", "--target", "y", "-o",
            tmp_path / "model.npz", *TRAIN,
        )  # fmt: skip
        assert "60 rows of 16 numbers; classification, 2 classes" in out
        assert nn.about(tmp_path / "model.npz")["classes"] == ["0", "1"]
        np.savez(tmp_path / "b.npz", X)
        out = run(capsys, "predict", tmp_path / "model.npz", tmp_path / "b.npz")
        assert len(rows_of(out)) == 61

    def test_same_seed_same_model(self, tmp_path, capsys, animals):
        for name in ("a", "b"):
            options = ["--target", "kind", "-o", tmp_path / name, *TRAIN]
            run(capsys, "train", animals, *options)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

    def test_task_and_holdout(self, tmp_path, rng, capsys):
        X, _ = table(rng)
        data = write(tmp_path / "a.csv", [*NAMES, "n"], *X.T, rng.integers(0, 5, ROWS))
        common = ["train", data, "--target", "n", "-o", tmp_path / "m", *TRAIN]
        assert "classification, 5 classes" in run(capsys, *common)
        out = run(capsys, *common, "--task", "regression", "--holdout", "0")
        assert "regression" in out
        assert "held out" not in out
        assert "trained on 120 rows" in out

    def test_constant_column_and_dropped_text(self, tmp_path, rng, capsys):
        X, kinds = table(rng)
        X[:, 1] = 7
        names = [*NAMES, "who", "kind"]
        data = write(tmp_path / "a.csv", names, *X.T, ["me"] * ROWS, kinds)
        common = ["train", data, "--target", "kind", "-o", tmp_path / "m", *TRAIN]
        assert "must have a number for 'who', has 'me'" in run(
            capsys, *common, status=1
        )
        run(capsys, *common, "--drop", "who")
        assert nn.about(tmp_path / "m")["features"] == NAMES

    def test_without_names(self, tmp_path, rng, capsys):
        X, _ = table(rng)
        np.savetxt(tmp_path / "a.csv", np.c_[X[:, 0] > 0, X], delimiter=";")
        common = ["train", tmp_path / "a.csv", "-o", tmp_path / "m", *TRAIN]
        assert "120 rows of 3 numbers" in run(capsys, *common, "--target", "0")
        assert "features" not in nn.about(tmp_path / "m")
        assert "has no column 'y'" in run(capsys, *common, "--target", "y", status=1)

    def test_ctrl_c(self, tmp_path, capsys, animals, monkeypatch):
        def interrupted(self, X, y):
            import warnings

            warnings.warn("training was interrupted", stacklevel=2)

        monkeypatch.setattr(estimators.ButterflyClassifier, "fit", interrupted)
        options = ["--target", "kind", "-o", tmp_path / "m", *TRAIN]
        assert "interrupted" in run(capsys, "train", animals, *options, status=130)
        assert not (tmp_path / "m").exists()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "must begin with names or numbers"),
            ("a,b\n1,2\n", "has no column 'y', but 'a', 'b'"),
            ("a,a,y\n1,2,0\n", "must have no column twice, got 'a'"),
            ("y\n1\n", "must have a column besides 'y'"),
            ("a,y\n", "must have two classes"),
            ("a,y\n1,0\n", "must have two classes"),
            ("a,y\n1,x\n", "must have two classes"),
            ("a,y\n1,0\n2\n", "line 3 must have 2 values, has 1"),
            ("a,y\n1,0\n,1\n", "line 3 has no value for 'a'; fill in or remove"),
            ("a,y\n1,0\n2,\n", "line 3 has no value for 'y'"),
            ("a,y\n1,0\nx,1\n", "line 3 must have a number for 'a', has 'x'; write"),
            ("a,y\nnan,0\n2,1\n", "line 2 must have a finite 'a', has 'nan'"),
            ("a,y\n1_0,0\n2,1\n", "line 2 must have a number for 'a', has '1_0'"),
            ("a,y\nNA,0\n2,1\n", "has 'NA'; .* fill in or remove missing values"),
            ("a,y\n1e300,0\n2,1\n", "column 'a' has numbers from 2 to 1e\\+300"),
            ("a,y\n1e-50,0\n0,1\n", "column 'a' has numbers from 0 to 1e-50"),
            ("a,y\n1,1e200\n2,0.5\n", "column 'y' has numbers from .* to 1e\\+200"),
            ("a,y\n1,1e9\n2,1000000000.5\n", "column 'y' varies by .* around"),
            ('"' + "a,y\n" * 1000, "^.{,200}$"),
            ("a,y\n1,inf\n2,1\n", "must have a finite 'y' in each row, has inf"),
            ("a,y\n1e9,0\n1000000001,1\n1e9,0\n", "column 'a' varies by .* around"),
            (b"\xff\xfe\x00a", "cannot be read as CSV in UTF-8"),
        ],
    )
    def test_bad_tables(self, tmp_path, capsys, content, message):
        path = tmp_path / "a.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        options = ["--target", "y", "-o", tmp_path / "m", "--holdout", "0", *TRAIN]
        found = run(capsys, "train", path, *options, status=1)
        found = found.replace(str(path), "a.csv").strip()
        assert re.search(message, found), found
        assert not (tmp_path / "m").exists()

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [
            ({"a": np.ones((3, 2))}, "has no array 'y', it has 'a'"),
            ({"y": np.ones(3)}, "samples as its only array"),
            (
                {"y": np.ones(3), "a": np.ones((3, 2)), "b": 1},
                "or as 'X', got 'a', 'b'",
            ),
            ({"y": np.ones(4), "a": np.ones((3, 2))}, "one target for each of 3 sam"),
            ({"y": np.ones(3), "a": np.ones(3)}, "as rows of real numbers"),
            ({"y": np.arange(2), "a": np.array([[1], [np.nan]])}, "finite samples"),
            ({"y": np.array([{}]), "a": np.ones((1, 2))}, "it holds Python objects"),
            ({"y": np.arange(2), "a": np.ones((2, 0))}, "rows of real numbers"),
            ({"y": np.ones(0), "a": np.ones((0, 2))}, "two classes at least"),
            ({"y": np.arange(2) + 1j, "a": np.ones((2, 1))}, "got dtype complex128"),
        ],
    )
    def test_bad_arrays(self, tmp_path, capsys, arrays, message):
        np.savez(tmp_path / "a.npz", **arrays)
        options = ["--target", "y", "-o", tmp_path / "m", *TRAIN]
        assert message in run(capsys, "train", tmp_path / "a.npz", *options, status=1)

    def test_data_are_not_replaced(self, tmp_path, capsys, animals):
        (tmp_path / "here").symlink_to(tmp_path)
        before = sorted(tmp_path.iterdir())
        for path in (animals, tmp_path / "here" / "animals.csv"):
            options = ["--target", "kind", "-o", path, *TRAIN]
            assert "what is read" in run(capsys, "train", animals, *options, status=1)
        assert sorted(tmp_path.iterdir()) == before

    @pytest.mark.parametrize("file", [b"", b"text", b"\x93NUMPY\x01\x00"])
    def test_no_arrays(self, tmp_path, capsys, file):
        (tmp_path / "a.npz").write_bytes(file)
        options = [tmp_path / "a.npz", "--target", "y", "-o", tmp_path / "m"]
        assert "it is no zip file" in run(capsys, "train", *options, status=1)

    @pytest.mark.parametrize(
        "labels",
        [["1.0", "2.0"], ["007", "08"], ["1_0", "1"], ["9" * 20, "9" * 19 + "8"]],
    )
    def test_classes_as_they_are_written(self, tmp_path, rng, capsys, labels):
        data = write(tmp_path / "a.csv", ["a", "y"], rng.random(20), labels * 10)
        options = [data, "--target", "y", "-o", tmp_path / "m", *TRAIN]
        run(capsys, "train", *options, "--task", "classification")
        assert set(nn.about(tmp_path / "m")["classes"]) == set(labels)

    @pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float32])
    def test_classes_of_arrays(self, tmp_path, rng, capsys, dtype):
        y = (np.arange(20) % 2).astype(dtype)
        np.savez(tmp_path / "a.npz", X=rng.random((20, 2)), y=y)
        options = [tmp_path / "a.npz", "--target", "y", "-o", tmp_path / "m", *TRAIN]
        run(capsys, "train", *options)
        assert nn.about(tmp_path / "m")["classes"] == ["0", "1"]

    @pytest.mark.parametrize("seed", range(4))
    def test_no_class_is_lost_to_the_rows_held_out(self, tmp_path, rng, capsys, seed):
        labels = ["a", "b"] * 5 + ["c"]
        data = write(tmp_path / "a.csv", ["x", "y"], rng.random(11), labels)
        options = ["--target", "y", "-o", tmp_path / "m", "--seed", seed, *TRAIN]
        run(capsys, "train", data, *options, "--holdout", "0.6")
        assert nn.about(tmp_path / "m")["classes"] == ["a", "b", "c"]

    def test_nothing_left_to_train_on(self, tmp_path, capsys, animals):
        options = ["--target", "kind", "-o", tmp_path / "m", "--holdout", "0.999"]
        found = run(capsys, "train", animals, *options, status=1)
        assert "--holdout 0.999 of 120 rows leaves none to train on" in found

    def test_drop_of_the_target(self, tmp_path, capsys, animals):
        options = ["--target", "kind", "-o", str(tmp_path / "m"), "--drop", "kind"]
        with pytest.raises(SystemExit):
            cli.main(["train", animals, *options])
        assert "--drop: 'kind' is the target" in capsys.readouterr().err

    def test_more_than_memory(self, tmp_path, capsys, animals):
        options = ["--target", "kind", "-o", tmp_path / "m", "--hidden", str(10**13)]
        assert "allocate" in run(capsys, "train", animals, *options, status=1)

    @pytest.mark.parametrize(
        "place", ["nowhere/m.npz", "", "animals.csv/m.npz", "pipe", "link"]
    )
    def test_no_place_to_write(self, tmp_path, capsys, animals, place):
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to("elsewhere")
        before = sorted(tmp_path.iterdir())
        options = ["--target", "kind", "-o", tmp_path / place, *TRAIN]
        assert "cannot be written" in run(capsys, "train", animals, *options, status=1)
        assert sorted(tmp_path.iterdir()) == before

    def test_missing_file(self, tmp_path, capsys):
        options = ["--target", "y", "-o", tmp_path / "m"]
        assert "nothing.csv" in run(capsys, "train", "nothing.csv", *options, status=1)


class TestScaling:
    @pytest.mark.parametrize("n", [1, 2, 5, 12, 64])
    @pytest.mark.parametrize("kind", [nn.Dense, nn.ButterflyLinear, nn.ButterflyDense])
    def test_becomes_part_of_the_network(self, rng, kind, n):
        net = nn.Sequential(
            kind(n, 24, rng=0, dtype=np.float64),
            nn.ReLU(),
            nn.Dense(24, 1, rng=1, dtype=np.float64),
        )
        net.parameters[...] += 0.1 * rng.standard_normal(net.parameters.size)
        scales = 10.0 ** rng.integers(-3, 4, n)
        X = rng.standard_normal((50, n)) * scales + 10 * scales
        mean, deviation = standardize.moments(X, None)
        expected = 7 * net((X - mean) / deviation) + 3
        standardize.fold_inputs(net, mean, deviation)
        standardize.fold_outputs(net, 3, 7)
        np.testing.assert_allclose(net(X), expected, rtol=1e-10, atol=1e-10)

    def test_mixed_blocks_and_selected_inputs(self, rng):
        operator = fb.Butterfly.random(12, rng=0)
        ends = {"inputs": [7, 2, 10, 0, 4]}
        operator = fb.Butterfly.from_blocks(operator.blocks, operator.pattern, **ends)
        layer = nn.ButterflyLinear.from_operator(operator, bias=np.ones(12))
        net = nn.Sequential(layer)
        X = rng.standard_normal((9, 5))
        expected = net((X - np.arange(5)) / np.arange(1, 6))
        standardize.fold_inputs(net, np.arange(5.0), np.arange(1.0, 6))
        np.testing.assert_allclose(net(X), expected, rtol=1e-12)


class TestPredict:
    def test_by_names_in_any_order(self, tmp_path, rng, capsys, model):
        X, kinds = table(rng, 50)
        names = ["kind", NAMES[2], "note", NAMES[0], NAMES[1]]
        columns = kinds, X[:, 2], ["-"] * 50, X[:, 0], X[:, 1]
        data = write(tmp_path / "new.csv", names, *columns)
        found = rows_of(run(capsys, "predict", model, data))
        scores = nn.load(model)(X)
        classes = nn.about(model)["classes"]
        assert found == [["kind"], *([classes[i]] for i in scores.argmax(axis=1))]
        found = rows_of(run(capsys, "predict", model, data, "--probabilities"))
        assert found[0] == ["kind", "P([x])", "P(cat)", "P(dog)"]
        shares = np.array([row[1:] for row in found[1:]], float)
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(shares.argmax(axis=1), scores.argmax(axis=1))

    def test_arrays_with_the_target(self, tmp_path, rng, capsys):
        path = tmp_path / "a.npz"
        np.savez(path, samples=rng.random((20, 2)), y=np.arange(20) % 2)
        run(capsys, "train", path, "--target", "y", "-o", tmp_path / "m", *TRAIN)
        assert len(rows_of(run(capsys, "predict", tmp_path / "m", path))) == 21

    def test_standard_input_closed(self, capsys, model, monkeypatch):
        monkeypatch.setattr(sys, "stdin", None)
        assert "input is closed" in run(capsys, "predict", model, "-", status=1)

    def test_inputs_are_not_replaced(self, capsys, model, animals):
        for path in (model, animals):
            options = ["predict", model, animals, "-o", path]
            assert "what is read" in run(capsys, *options, status=1)
        found = run(capsys, "info", model, "--plot", model, status=1)
        assert "what is read" in found

    def test_too_large_for_the_model(self, tmp_path, capsys, model):
        data = write(tmp_path / "a.csv", NAMES, ["1e300"], ["0"], ["-1e300"])
        assert "not finite for row 1" in run(capsys, "predict", model, data, status=1)

    def test_to_a_file(self, tmp_path, capsys, model, animals):
        out = run(capsys, "predict", model, animals)
        path = tmp_path / "found.csv"
        told = run(capsys, "predict", model, animals, "-o", path)
        assert told == f"wrote {path}: 120 predictions\n"
        assert path.read_text() == out

    def test_of_any_network(self, tmp_path, rng, capsys):
        net = nn.Dense(3, 2, rng=0)
        net.save(tmp_path / "net.npz")
        X = rng.standard_normal((4, 3)).astype(np.float32)
        np.savetxt(tmp_path / "x.csv", X, delimiter="\t", fmt="%.9g")
        options = [tmp_path / "net.npz", tmp_path / "x.csv"]
        found = rows_of(run(capsys, "predict", *options))
        assert found[0] == ["y0", "y1"]
        np.testing.assert_array_equal(np.array(found[1:], np.float32), net(X))
        options.append("--probabilities")
        assert "must be a classification" in run(capsys, "predict", *options, status=1)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("width,weight\n1,2\n", "lacks 1 of the 3 columns .* takes: 'length, cm'"),
            ("1,2\n1,2\n", "must have 3 columns, which the model takes, got 2"),
            ("1,2,x3\n1,2,3\n", "lacks 3 of the 3 columns"),
            ("1,2,3\n1,,3\n", "line 2 has no value for '1'"),
        ],
    )
    def test_bad_tables(self, tmp_path, capsys, model, content, message):
        (tmp_path / "new.csv").write_text(content)
        found = run(capsys, "predict", model, tmp_path / "new.csv", status=1)
        assert re.search(message, found), found

    def test_models_that_are_none(self, tmp_path, capsys, model, animals):
        with np.load(model) as arrays:
            arrays = dict(arrays)
        header = json.loads(arrays["header"].tobytes())
        for change, message in (
            ({"version": 2}, "version 2, this release reads 1; a newer release"),
            ({"about": {"task": "classification"}}, "must say a target"),
        ):
            text = json.dumps(header | change).encode()
            np.savez(model, **arrays | {"header": np.frombuffer(text, np.uint8)})
            for command in (["predict", model, animals], ["info", model]):
                assert message in run(capsys, *command, status=1)
        model.write_bytes(b"hello")
        assert "is not a network" in run(capsys, "info", model, status=1)
        assert "No such file" in run(capsys, "info", tmp_path / "none", status=1)


class TestPipes:
    def test_all_commands_in_a_row(self, tmp_path, animals):
        command = f"{sys.executable} -m fastbutterfly"
        script = f"""
            set -e
            {command} train - --target kind -o m.npz --hidden 8 --epochs 3 < {animals}
            {command} predict m.npz - < {animals} > a.csv
            {command} predict m.npz {animals} -o b.csv
            cmp a.csv b.csv
            {command} info m.npz
            {command} predict m.npz nothing.csv && exit 1 || test $? = 1
            {command} predict m.npz && exit 1 || test $? = 2
        """
        found = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True
        )
        assert found.returncode == 0, found.stderr
        assert "Traceback" not in found.stderr

    def test_ctrl_c(self, tmp_path, rng):
        np.savez(tmp_path / "x.npz", X=rng.random((5000, 64)), y=np.arange(5000) % 9)
        # Where tests run in the background, children are born deaf to Ctrl-C.
        program = "import signal, sys; from fastbutterfly.cli import main; "
        program += "signal.signal(signal.SIGINT, signal.default_int_handler); "
        program += "sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", program, "train", "x.npz", "--target", "y"]
        command += ["-o", "m.npz", "--epochs", "100000"]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert b"classification" in process.stdout.readline()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        assert (process.returncode, err) == (130, b"interrupted\n")
        assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]

    def test_a_reader_that_has_enough(self, tmp_path, model):
        np.savez(tmp_path / "x.npz", np.ones((100_000, 3)))
        command = f"{sys.executable} -m fastbutterfly predict {model} x.npz | head -1"
        found = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True
        )
        assert (found.stdout, found.stderr) == ("kind\n", "")


class TestExport:
    def test_c(self, tmp_path, capsys, model, animals):
        out = run(capsys, "export", model, "-o", tmp_path / "out", "--name", "pets")
        assert f"wrote {tmp_path / 'out' / 'pets.c'}" in out
        assert "bytes of flash" in out
        assert "classes: 0 '[x]', 1 'cat', 2 'dog'" in out
        assert "int pets_class(" in (tmp_path / "out" / "pets.h").read_text()

    @pytest.mark.parametrize("dtype", ["int8", "int16"])
    def test_integers(self, tmp_path, capsys, model, animals, dtype):
        options = ["-o", tmp_path, "--dtype", dtype, "--samples", animals]
        out = run(capsys, "export", model, *options, "--no-floats")
        assert "the same class for" in out
        assert "int16_t x[MODEL_INPUTS]" in (tmp_path / "model.h").read_text()

    def test_onnx(self, tmp_path, rng, capsys, model):
        onnxruntime = pytest.importorskip("onnxruntime")
        options = ["-o", tmp_path / "out", "--format", "onnx"]
        assert "wrote" in run(capsys, "export", model, *options)
        session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
        X = table(rng)[0].astype(np.float32)
        y, expected = session.run(None, {"x": X})[0], nn.load(model)(X)
        np.testing.assert_array_equal(y.argmax(axis=1), expected.argmax(axis=1))
        known = session.get_modelmeta().custom_metadata_map
        assert json.loads(known["classes"]) == ["[x]", "cat", "dog"]
        assert known["target"] == "kind"

    def test_too_little_ram(self, tmp_path, capsys, model):
        options = ["-o", tmp_path / "out", "--ram", "70"]
        found = run(capsys, "export", model, *options, status=1)
        assert "ram must be at least" in found
        assert "--dtype int8 or int16 takes" in found
        assert not (tmp_path / "out").exists()

    def test_no_rule(self, tmp_path, capsys):
        net = nn.Sequential(nn.Dense(3, 2), nn.Tanh())
        net.save(tmp_path / "net.npz")
        np.savez(tmp_path / "x.npz", np.ones((5, 3)))
        options = ["--dtype", "int8", "--samples", tmp_path / "x.npz"]
        options = [tmp_path / "net.npz", "-o", tmp_path / "out", *options]
        assert "layer Tanh" in run(capsys, "export", *options, status=1)
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--dtype", "int8"], "--samples: needed to calibrate int8"),
            (["--format", "onnx", "--dtype", "int8"], "int8 is not for --format onnx"),
            (["--format", "onnx", "--ram", "1K"], "--ram: not for --format onnx"),
            (["--name", "a/b"], "--name: must be a name of a file, got 'a/b'"),
            (["--no-floats"], "--no-floats: needs --dtype int8 or int16"),
            (["--ram", "much"], "must be bytes such as 32768, 32K or 1M, got 'much'"),
            (["--dtype", "int8", "--form", "vector"], "vector is not for int8"),
        ],
    )
    def test_usage(self, tmp_path, capsys, options, message):
        with pytest.raises(SystemExit) as exit_:
            cli.main(["export", "m.npz", "-o", str(tmp_path), *options])
        assert exit_.value.code == 2
        assert message in capsys.readouterr().err


class TestInfo:
    def test_model(self, tmp_path, capsys, model):
        out = run(capsys, "info", model)
        for text in ("3 -> 3, float32, classification of 'kind'", "'[x]', 'cat'"):
            assert text in out
        assert "ButterflyLinear(3, 16)" in out
        made = run(capsys, "export", model, "-o", tmp_path / "out")
        flash, ram = re.findall(r"(\d+) bytes", made)
        assert f"{flash} bytes" in out
        assert f"{ram} bytes" in out

    def test_a_line_for_each_layer(self, tmp_path, capsys):
        nn.Sequential(nn.Dense(3, 3), nn.ReLU()).save(tmp_path / "net.npz")
        lines = run(capsys, "info", tmp_path / "net.npz").splitlines()
        for name in ("Dense(3, 3)", "ReLU()"):
            assert any(line.startswith(f"{name} ") for line in lines)

    def test_what_integers_cannot(self, tmp_path, capsys):
        nn.Sequential(nn.Dense(3, 3), nn.GELU()).save(tmp_path / "net.npz")
        out = run(capsys, "info", tmp_path / "net.npz")
        assert "int8       not possible: net has a layer GELU" in out

    def test_plot(self, tmp_path, capsys, model):
        pytest.importorskip("matplotlib")
        out = run(capsys, "info", model, "--plot", tmp_path / "a.png")
        assert f"wrote {tmp_path / 'a.png'}" in out
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
        nn.ButterflyDense(8, 8).save(tmp_path / "gadget.npz")
        run(capsys, "info", tmp_path / "gadget.npz", "--plot", tmp_path / "b.svg")
        assert (tmp_path / "b-2.svg").exists()
        nn.Dense(2, 2).save(tmp_path / "dense.npz")
        options = [tmp_path / "dense.npz", "--plot", tmp_path / "c.png"]
        assert "has none" in run(capsys, "info", *options, status=1)
        assert not (tmp_path / "c.png").exists()

    def test_plot_needs_a_model(self, capsys):
        with pytest.raises(SystemExit) as exit_:
            cli.main(["info", "--plot", "a.png"])
        assert exit_.value.code == 2
