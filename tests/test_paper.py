"""Parts of the paper's experiments: readers, spans, features, records, the rival."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from fastbutterfly import nn

FOLDER = Path(__file__).parent.parent / "studies" / "paper"
sys.path.insert(0, str(FOLDER))

autoencoder, conll, images, matrices, records, report, sets, sparse_dense, spans = map(
    __import__,
    [
        *("autoencoder", "conll", "images", "matrices", "records", "report", "sets"),
        *("sparse_dense", "spans"),
    ],
)
windows = __import__("windows")

CONLLU = """\
# sent_id = 1
1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tdo\tdo\tAUX\tVBP\t_\t_\t_\t_\t_
2\tn't\tnot\tPART\tRB\t_\t_\t_\t_\t_
2.1\tgone\t_\t_\t_\t_\t_\t_\t_\t_

1\t#\t#\tSYM\tNN\t_\t_\t_\t_\t_
"""
BIO = "#tag\tO\nNew\tB-location\nYork\tI-location\n\n\nAnn\tB-person\n"


class TestReaders:
    @pytest.mark.parametrize("ending", ["", ".gz"])
    def test_conllu(self, tmp_path, ending):
        path = tmp_path / f"a.conllu{ending}"
        with (gzip.open if ending else open)(path, "wt", encoding="utf-8") as file:
            file.write(CONLLU)
        expected = [[("do", "VBP"), ("n't", "RB")], [("#", "NN")]]
        assert conll.read_conllu(path) == expected
        assert conll.read_conllu(path, column=3)[0] == [("do", "AUX"), ("n't", "PART")]

    def test_bio_takes_words_with_a_hash(self, tmp_path):
        path = tmp_path / "a.conll"
        path.write_text(BIO)
        tags = ["O", "B-location", "I-location"]
        expected = list(zip(["#tag", "New", "York"], tags, strict=True))
        assert conll.read_bio(path) == [expected, [("Ann", "B-person")]]

    @pytest.mark.parametrize(
        ("read", "text", "message"),
        [
            (conll.read_conllu, "1\ta\n", "line 1: 10 columns are needed, got 2"),
            (conll.read_conllu, "\n" + "x\t" * 9 + "x\n", "line 2: a word's number"),
            (conll.read_bio, "a\tO\nb\n", "line 2: a word and a tag are needed, got 1"),
            (conll.read_bio, "a\tX-b\n", "line 1: the tag must be O, B-type or I-type"),
            (conll.read_bio, "a\tB-\n", "line 1: the tag must be O"),
        ],
    )
    def test_wrong_lines_are_named(self, read, text, message, tmp_path):
        path = tmp_path / "a"
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            read(path)

    def test_cifar(self, tmp_path, rng):
        pixels = rng.integers(0, 256, (7, 3072), dtype=np.uint8)
        labels = np.arange(7, dtype=np.uint8)
        content = np.column_stack([labels, pixels])
        for name in ("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"):
            (tmp_path / name).write_bytes(content.tobytes())
        found = images.load(tmp_path)
        assert found.x_train.shape == (14, 3072)
        np.testing.assert_array_equal(found.y_test, labels)
        scale = pixels.astype(float).std()
        expected = (pixels - pixels.mean()) / scale
        np.testing.assert_allclose(found.x_test, expected, atol=1e-6)

    @pytest.mark.parametrize("content", [b"", bytes(3072), bytes([10]) + bytes(3072)])
    def test_what_is_not_cifar(self, content, tmp_path):
        path = tmp_path / "test_batch.bin"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="must hold"):
            images.read_cifar(path)

    def test_idx(self, tmp_path, rng):
        def write(name, array):
            header = bytes([0, 0, 8, array.ndim])
            header += np.array(array.shape, ">u4").tobytes()
            (tmp_path / name).write_bytes(header + array.tobytes())

        for part, rows in (("train", 6), ("t10k", 4)):
            pixels = rng.integers(0, 256, (rows, 28, 28), dtype=np.uint8)
            write(f"{part}-images-idx3-ubyte", pixels)
            write(f"{part}-labels-idx1-ubyte", np.arange(rows, dtype=np.uint8))
        found = images.load(tmp_path)
        assert (found.x_train.shape, found.x_test.shape) == ((6, 1024), (4, 1024))
        assert found.classes == 6


class TestSpans:
    @pytest.mark.parametrize(
        ("tags", "expected"),
        [
            ("O O", []),
            ("B-a I-a O", [("a", 0, 2)]),
            ("B-a B-a", [("a", 0, 1), ("a", 1, 2)]),
            ("O I-a I-a", [("a", 1, 3)]),  # I- without B- begins an entity
            ("B-a I-b", [("a", 0, 1), ("b", 1, 2)]),  # and so does another type
            ("I-a B-a I-a", [("a", 0, 1), ("a", 1, 3)]),
            ("B-a O I-a", [("a", 0, 1), ("a", 2, 3)]),
            ("B-a-b I-a-b", [("a-b", 0, 2)]),
        ],
    )
    def test_where_entities_begin_and_end(self, tags, expected):
        assert spans.spans(tags.split()) == expected

    def test_score(self):
        true = [["B-a", "I-a", "O", "B-b"], ["O", "O"]]
        guess = [["B-a", "I-a", "O", "B-a"], ["B-b", "O"]]
        precision, recall, f1 = spans.score(true, guess)
        assert (precision, recall) == (pytest.approx(100 / 3), 50)
        assert f1 == pytest.approx(40)
        assert spans.score(true, true) == (100, 100, 100)
        assert spans.score([["O"]], [["O"]]) == (0, 0, 0)

    def test_sentences_of_other_lengths(self):
        with pytest.raises(ValueError, match="has 2 tags, 1 are given"):
            spans.score([["O", "O"]], [["O"]])


class TestWindows:
    SENTENCES = (("The", "U.S.", "won"), ("Yes",), ("The", "end"))

    def test_features_of_a_word(self):
        assert windows.shape("McDonald's-2") == "XxXx'x-0"
        found = windows.features("Cat", 0)
        assert "0 word cat" in found
        assert "0 letters <ca" in found
        assert "0 suffix at" in found
        assert windows.features("Cat", 2) == ["2 word cat"]

    def test_hashes_are_the_same_everywhere(self):
        batch = windows.Windows(self.SENTENCES, 64).sparse([1])
        expected = [
            windows.zlib.crc32(text.encode()) % 64
            for offset, word in zip(
                windows.OFFSETS,
                ["<outside>", "The", "U.S.", "won", "<outside>"],
                strict=True,
            )
            for text in windows.features(word, offset)
        ]
        counts = np.bincount(expected, minlength=64)
        scale = batch.max() / counts.max()
        np.testing.assert_allclose(batch.toarray()[0], counts * scale, rtol=1e-6)

    def test_batches_hold_each_word_once_with_its_tag(self):
        sentences = [[f"w{i}", f"v{i}"] for i in range(20)]
        made = windows.Windows(sentences, 4096)
        tags = np.arange(40)
        batches = windows.Batches(made, tags, 16, seed=0)
        first, second = list(batches), list(batches)
        assert len(batches) == len(first) == 3
        found = np.concatenate([y for _, y in first])
        np.testing.assert_array_equal(np.sort(found), tags)
        assert not np.array_equal(found, np.concatenate([y for _, y in second]))
        for x, y in first:
            np.testing.assert_array_equal(x.toarray(), made.sparse(list(y)).toarray())


class TestSparseDense:
    def test_is_a_dense_layer(self, rng):
        x = rng.standard_normal((9, 12)) * (rng.random((9, 12)) < 0.3)
        layers = [
            kind(12, 5, rng=0, dtype=np.float64)
            for kind in (nn.Dense, sparse_dense.SparseDense)
        ]
        g, found = rng.standard_normal((9, 5)), []
        for layer in layers:
            y, saved = layer.forward(x)
            gradient = np.empty_like(layer.parameters)
            found.append((y, layer.backward(saved, g, gradient), gradient))
        for dense, sparse in zip(*found, strict=True):
            np.testing.assert_allclose(sparse, dense, atol=1e-12)

    def test_gradients(self):
        layer = sparse_dense.SparseDense(6, 4, rng=0, dtype=np.float64)
        nn.check_gradients(layer)


class TestRecords:
    def test_nothing_is_computed_twice(self, tmp_path):
        path, calls = tmp_path / "a" / "r.json", []

        def compute():
            calls.append(1)
            return {"x": 0.5}

        first = records.Records(path, {"epochs": 2})
        assert first.get("runs", "one", compute) == {"x": 0.5}
        again = records.Records(path, {"epochs": 2})
        assert again.get("runs", "one", compute) == {"x": 0.5}
        assert len(calls) == 1
        assert json.loads(path.read_text())["runs"] == {"one": {"x": 0.5}}

    def test_other_settings(self, tmp_path):
        records.Records(tmp_path / "r.json", {"epochs": 2}).put("times", 1)
        with pytest.raises(SystemExit, match="results of other settings"):
            records.Records(tmp_path / "r.json", {"epochs": 3})


def test_table():
    text = report.table(["a", "long"], [[1, 2], ["three", 4]])
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1] == "|-------|------|"


class TestMatrices:
    def test_gaussian_has_the_rank_and_the_energy(self):
        X = matrices.gaussian(32)
        assert X.shape == (1024, 1024)
        assert np.linalg.matrix_rank(X) == 32
        assert np.square(X).sum() == pytest.approx(328.407, abs=1e-3)

    def test_all_have_one_scale(self, rng):
        from scipy.sparse import csr_array

        given = [rng.standard_normal((6, 4)), csr_array(np.eye(6, 9))]
        for X in matrices.scaled(given, 10):
            X = X.toarray() if hasattr(X, "tocsr") else X
            assert np.linalg.norm(X, 2) == pytest.approx(10, rel=1e-10)

    def test_digits(self):
        X = matrices.small_digits()
        assert X.shape == (1024, 1024)
        np.testing.assert_allclose(np.linalg.norm(X, axis=0), 1)
        best = np.square(np.linalg.svd(X, compute_uv=False)[4:]).sum()
        assert best / np.square(X).sum() == pytest.approx(0.5197, abs=1e-4)

    def test_what_the_folder_lacks_is_left_out(self, tmp_path, capsys):
        all_sets = set(autoencoder.real_sets(None))
        assert not {"MNIST", "Olivetti"} & all_sets
        (tmp_path / "olivetti").mkdir()
        (tmp_path / "olivetti" / "olivettifaces.mat").touch()
        assert set(autoencoder.real_sets(tmp_path)) == all_sets | {"Olivetti"}
        assert "MNIST is left out" in capsys.readouterr().out

    def test_documents(self, tmp_path):
        (tmp_path / "ud_english_ewt").mkdir()
        with gzip.open(tmp_path / "ud_english_ewt" / "train.conllu.gz", "wt") as file:
            file.write((CONLLU + "\n") * 3)  # six sentences, three pairs
        found = matrices.documents(tmp_path, terms=64, size=3)
        assert [X.shape for X in found] == [(64, 3), (64, 3)]
        assert sum(X.nnz for X in found) == 9

    def test_vectors(self, tmp_path):
        path = tmp_path / "vectors.dat"
        path.write_text("# a comment\n+1 3:2 5:1 # more\n\n-1 1:4\n")
        expected = np.zeros((6, 2))
        expected[[3, 5, 1], [0, 0, 1]] = 2, 1, 4
        np.testing.assert_array_equal(sets.read_vectors(path).toarray(), expected)
        path.write_text("+1 3:2\n-1 three\n")
        with pytest.raises(ValueError, match="line 2: a label and term:count"):
            sets.read_vectors(path)
        path.write_text("# nothing\n")
        with pytest.raises(ValueError, match="holds no document"):
            sets.read_vectors(path)

    def test_hyperspectral_images(self, tmp_path, rng):
        from scipy.io import savemat

        for i, name in enumerate("abc"):
            cube = np.zeros((1024, 20, 5))
            cube[:, i] = rng.random((1024, 5))
            savemat(tmp_path / f"{name}.mat", {"hypercube": cube})
        train, test = sets.hs_sod(tmp_path, train=6, test=4)
        assert [len(train), len(test)] == [6, 4]
        assert {X.shape for X in train} == {(1024, 20)}
        # An image that training uses in part is not for the test.
        columns = [int(np.abs(X).sum(axis=0).argmax()) for X in train + test]
        assert columns == [0] * 5 + [1] + [2] * 4
        with pytest.raises(ValueError, match="has too few bands: 15"):
            sets.hs_sod(tmp_path, train=6, test=6)

    def test_cifar(self, tmp_path, rng):
        for name, count in (("data_batch_1.bin", 410), ("test_batch.bin", 120)):
            rows = rng.integers(0, 256, (count, images.CIFAR_BYTES), np.uint8)
            rows[:, 0] %= 10
            (tmp_path / name).write_bytes(rows.tobytes())
        train, test = sets.cifar(tmp_path)
        assert [len(train), len(test)] == [400, 100]
        assert train[0].shape == (32, 32)
