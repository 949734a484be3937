import gzip
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastbutterfly
from fastbutterfly import cli
from fastbutterfly.demo import comparison, digits, main


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


@pytest.fixture
def mnist_folder(tmp_path):
    """Files of MNIST's shape: each image is a bright row that tells its label."""
    labels = np.arange(10000) % 10
    images = np.zeros((10000, 28, 28), np.uint8)
    images[np.arange(10000), 2 * labels] = 255
    (tmp_path / "mnist").mkdir()
    write_idx(tmp_path / "mnist" / f"{digits.IMAGES}.gz", images)
    write_idx(tmp_path / "mnist" / f"{digits.LABELS}.gz", labels)
    return tmp_path


class TestInfo:
    def test_lists_versions(self, capsys):
        assert cli.main(["info"]) == 0
        out = capsys.readouterr().out
        assert np.__version__ in out
        assert fastbutterfly.__version__ in out

    def test_as_module(self):
        command = [sys.executable, "-m", "fastbutterfly", "--version"]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert result.stdout.strip() == fastbutterfly.__version__


class TestStart:
    def test_help_imports_no_numba(self):
        """By itself; the root of the package, which does, is left out here."""
        package = str(Path(fastbutterfly.__file__).parent)
        program = (
            "import sys, types; root = types.ModuleType('fastbutterfly'); "
            f"root.__path__, root.__version__ = [{package!r}], '0'; "
            "sys.modules['fastbutterfly'] = root; from fastbutterfly import cli\n"
            "try: cli.main(['train', '--help'])\n"
            "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}))"
        )
        command = [sys.executable, "-c", program]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "flowers.csv --target species" in result.stdout
        assert not {"numba", "scipy", "sklearn"} & set(
            result.stdout.splitlines()[-1].split()
        )


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "command"),
            (["nonsense"], "invalid choice"),
            (["info", "--fast"], "unrecognized arguments"),
            (["demo", "--seeds", "0"], "must be a positive integer, got '0'"),
            (["demo", "--epochs", "many"], "must be a positive integer, got 'many'"),
        ],
    )
    def test_mistakes(self, arguments, message, capsys):
        with pytest.raises(SystemExit) as exit_:
            cli.main(arguments)
        assert exit_.value.code == 2
        assert message in capsys.readouterr().err


class TestDemo:
    @pytest.fixture(autouse=True)
    def no_data_folder(self, monkeypatch):
        monkeypatch.delenv(cli.DATA_VARIABLE, raising=False)

    def test_quick(self, tmp_path, capsys):
        assert cli.main(["demo", "--quick", "--out", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "scikit-learn digits" in out
        for variant in main.VARIANTS:
            assert variant.name in out
        for name in ("training.png", "factors.png"):
            assert (tmp_path / name).stat().st_size > 10_000
            assert str(tmp_path / name) in out

    def test_mnist_from_environment(self, mnist_folder, monkeypatch, capsys):
        monkeypatch.setenv(cli.DATA_VARIABLE, str(mnist_folder))
        options = ["--quick", "--epochs", "1", "--out", str(mnist_folder)]
        assert cli.main(["demo", *options]) == 0
        assert "MNIST" in capsys.readouterr().out

    def test_missing_folder(self, tmp_path, capsys):
        assert cli.main(["demo", "--data", str(tmp_path)]) == 1
        assert "t10k-images-idx3-ubyte.gz is neither in" in capsys.readouterr().err

    def test_no_folder(self, tmp_path, capsys):
        (tmp_path / "file").touch()
        assert cli.main(["demo", "--quick", "--out", str(tmp_path / "file")]) == 1
        out, err = capsys.readouterr()
        assert (out, "is no folder" in err) == ("", True)

    def test_missing_packages(self, tmp_path, monkeypatch, capsys):
        find = importlib.util.find_spec
        missing = {"sklearn"}
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda m: None if m in missing else find(m)
        )
        assert cli.main(["demo"]) == 1
        assert "pip install scikit-learn" in capsys.readouterr().err
        missing.clear()
        missing.update({"matplotlib", "threadpoolctl"})
        assert cli.main(["demo", "--quick", "--out", str(tmp_path / "new")]) == 0
        out = capsys.readouterr().out
        assert "pip install matplotlib" in out
        assert "pip install threadpoolctl" in out
        assert not (tmp_path / "new").exists()

    def test_ctrl_c(self, monkeypatch, capsys):
        def interrupt(**options):
            raise KeyboardInterrupt

        monkeypatch.setattr(main, "run", interrupt)
        assert cli.main(["demo"]) == 130
        assert "interrupted" in capsys.readouterr().err


class TestDigits:
    def test_bundled(self):
        images = digits.bundled()
        assert images.x_train.shape == (1437, 1024)
        assert images.x_test.shape == (360, 1024)
        assert images.x_train.dtype == np.float32
        np.testing.assert_allclose(images.x_train.mean(dtype=float), 0, atol=1e-6)
        np.testing.assert_allclose(images.x_train.std(dtype=float), 1, atol=1e-6)

    def test_mnist(self, mnist_folder):
        images = digits.load(mnist_folder)
        assert images.x_train.shape == (8000, 1024)
        assert images.x_test.shape == (2000, 1024)
        brightest = images.x_test.reshape(-1, 32, 32).sum(axis=2).argmax(axis=1)
        np.testing.assert_array_equal(brightest, 2 + 2 * images.y_test)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "must be an IDX file"),
            (b"PK\x03\x04 something else", "must be an IDX file"),
            (b"\x1f\x8b broken", "must be a gzip file"),
            (b"\x00\x00\x08\x03\x00\x00", "bytes, got 6; download it again"),
            (b"\x00\x00\x08\x01\x00\x00\x00\x05abc", "must have 13 bytes, got 11"),
        ],
    )
    def test_damaged_file(self, tmp_path, content, message):
        path = tmp_path / "images"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            digits.read_idx(path)

    def test_other_images(self, tmp_path):
        write_idx(tmp_path / f"{digits.IMAGES}.gz", np.zeros((5, 28, 28)))
        write_idx(tmp_path / f"{digits.LABELS}.gz", np.zeros(5))
        with pytest.raises(ValueError, match=r"got shapes \(5, 28, 28\) and \(5,\)"):
            digits.mnist(tmp_path)


class TestComparison:
    def test_variants_share_the_other_layers(self):
        sizes = {
            variant.name: variant.network(0).n_weights for variant in main.VARIANTS
        }
        output = 1024 * 10 + 10
        assert sizes["no hidden layer"] == output
        assert sizes["dense"] == 1024 * 1024 + 1024 + output
        assert sizes["butterfly"] == 2 * 1024 * 10 + 1024 + output
        assert sizes["frozen butterfly"] == 1024 + output
        assert sizes["gadget"] < sizes["butterfly"]

    def test_same_seed_same_run(self):
        images = digits.bundled().head(128, 64)
        first, second = (
            comparison.train(comparison.GADGET, images, seed=3, epochs=2)
            for _ in range(2)
        )
        np.testing.assert_array_equal(first.net.parameters, second.net.parameters)
        assert first.history.loss == second.history.loss
