"""Images: IDX and CIFAR binary folders, or the digits bundled with scikit-learn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastbutterfly.demo import digits

CIFAR_BYTES = 1 + 3 * 32 * 32  # label, then red, green and blue rows


@dataclass(frozen=True)
class Images:
    """Rows of float32 pixels, standardised by two numbers; labels from 0."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def classes(self):
        """Number of them."""
        return int(self.y_train.max()) + 1


def load(folder=None):
    """Read what a folder or its subfolders hold; None: the bundled digits.

    A CIFAR-10 binary folder (data_batch_*.bin, test_batch.bin); IDX files of training
    and test images; or MNIST's test files alone, of which 8,000 train and 2,000 test.
    """
    if folder is None:
        return _of_digits(digits.bundled())
    folder = Path(folder)
    for place in (folder, *sorted(p for p in folder.iterdir() if p.is_dir())):
        if (place / "test_batch.bin").is_file():
            return cifar(place)
        if list(place.glob("train-images*-ubyte*")):
            return idx(place)
    return _of_digits(digits.mnist(folder))


def idx(folder):
    """The four files of MNIST, Fashion-MNIST and the like, gzipped or not."""
    parts = []
    for part in "train", "t10k":
        images, labels = (
            digits.read_idx(_one(folder, f"{part}-{kind}-idx*-ubyte*"))
            for kind in ("images", "labels")
        )
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise ValueError(
                f"{folder}: {part} must hold images and as many labels, got shapes "
                f"{images.shape} and {labels.shape}"
            )
        parts.append((images, labels))
    return _standardised(f"{folder.name}, IDX", *parts)


def cifar(folder):
    """CIFAR-10's binary version."""
    training = [read_cifar(path) for path in sorted(folder.glob("data_batch_*.bin"))]
    if not training:
        raise FileNotFoundError(f"{folder} has no data_batch_*.bin")
    training = [np.concatenate(arrays) for arrays in zip(*training, strict=True)]
    return _standardised("CIFAR-10", training, read_cifar(folder / "test_batch.bin"))


def read_cifar(path):
    """Images (rows, 3, 32, 32) and labels of one file."""
    content = np.frombuffer(Path(path).read_bytes(), np.uint8)
    if not content.size or content.size % CIFAR_BYTES:
        raise ValueError(
            f"{path} must hold records of {CIFAR_BYTES} bytes, got {content.size} bytes"
        )
    rows = content.reshape(-1, CIFAR_BYTES)
    if rows[:, 0].max() > 9:
        raise ValueError(f"{path} must hold labels 0 to 9, got {rows[:, 0].max()}")
    return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]


def _of_digits(source):
    arrays = source.x_train, source.y_train, source.x_test, source.y_test
    return Images(source.name, *arrays)


def _one(folder, pattern):
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise FileNotFoundError(f"{folder} has no file {pattern}")
    return paths[0]


def _standardised(name, train, test):
    mean, deviation = train[0].mean(), train[0].std()

    def rows(images):
        if images.shape[1:] == (28, 28):
            images = np.pad(images, ((0, 0), (2, 2), (2, 2)))
        flat = images.reshape(len(images), -1)
        return ((flat - mean) / deviation).astype(np.float32)

    labels = [part[1].astype(np.intp) for part in (train, test)]
    return Images(name, rows(train[0]), labels[0], rows(test[0]), labels[1])
