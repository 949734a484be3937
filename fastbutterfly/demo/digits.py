"""Handwritten digits, 32 x 32 pixels: scikit-learn's bundled set or MNIST files."""

import gzip
import math
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 32
IMAGES = "t10k-images-idx3-ubyte"
LABELS = "t10k-labels-idx1-ubyte"
MNIST_TRAIN = 8000


@dataclass(frozen=True)
class Digits:
    """Images as rows of 1024 float32 pixels, labels 0 to 9.

    All pixels are shifted and scaled by two numbers, so that the training images have
    mean 0 and standard deviation 1. `epochs` is how many are enough to train.
    """

    name: str
    x_train: NDArray[np.float32]
    y_train: NDArray[np.intp]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.intp]
    epochs: int

    @classmethod
    def from_images(
        cls,
        name: str,
        train: tuple[NDArray, NDArray],
        test: tuple[NDArray, NDArray],
        epochs: int,
    ) -> "Digits":
        """Flatten and standardise images of shape (samples, 32, 32)."""
        mean, deviation = train[0].mean(), train[0].std()

        def pixels(images):
            rows = (images - mean) / deviation
            return rows.reshape(len(rows), SIDE * SIDE).astype(np.float32)

        return cls(
            name,
            pixels(train[0]),
            train[1].astype(np.intp),
            pixels(test[0]),
            test[1].astype(np.intp),
            epochs,
        )

    def head(self, train: int, test: int) -> "Digits":
        """Keep the first images of each part."""
        return replace(
            self,
            x_train=self.x_train[:train],
            y_train=self.y_train[:train],
            x_test=self.x_test[:test],
            y_test=self.y_test[:test],
        )


def load(folder: Path | None = None) -> Digits:
    """Load MNIST from a folder, or the bundled digits."""
    return bundled() if folder is None else mnist(folder)


def bundled() -> Digits:
    """Load scikit-learn's 1,797 digits, each 8 x 8 pixel repeated to 4 x 4.

    1,437 train and 360 test, stratified, always the same split.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    source = load_digits()
    images = np.kron(source.images, np.ones((4, 4)))
    x_train, x_test, y_train, y_test = train_test_split(
        images, source.target, test_size=360, stratify=source.target, random_state=0
    )
    name = "scikit-learn digits, 8 x 8 pixels enlarged to 32 x 32"
    return Digits.from_images(name, (x_train, y_train), (x_test, y_test), epochs=60)


def mnist(folder: Path) -> Digits:
    """Load the 10,000 images of MNIST's test files, 28 x 28 padded to 32 x 32.

    The first 8,000 train, the last 2,000 test. The files, gzipped or not, lie in the
    folder or in its subfolder ``mnist``.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or no IDX file of the expected shape.
    """
    images = read_idx(_find(folder, IMAGES))
    labels = read_idx(_find(folder, LABELS))
    if images.ndim != 3 or images.shape[1:] != (28, 28) or labels.shape != (10000,):
        raise ValueError(
            f"{folder} must hold 10,000 images of 28 x 28 pixels and their labels, "
            f"got shapes {images.shape} and {labels.shape}"
        )
    images = np.pad(images, ((0, 0), (2, 2), (2, 2))).astype(float)
    name = "MNIST test set, 28 x 28 pixels padded to 32 x 32"
    train, test = slice(MNIST_TRAIN), slice(MNIST_TRAIN, None)
    return Digits.from_images(
        name, (images[train], labels[train]), (images[test], labels[test]), epochs=10
    )


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file of bytes, gzipped or not.

    Raises
    ------
    ValueError
        If the file is truncated or of another format.
    """
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path} must be a gzip file: {error}") from None
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError(
            f"{path} must be an IDX file of bytes, it starts with {content[:4]!r}"
        )
    start = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:start].ljust(start - 4, b"\xff"), ">u4").tolist()
    if len(content) != start + math.prod(shape):
        raise ValueError(
            f"{path} must have {start + math.prod(shape)} bytes, got {len(content)}; "
            "download it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _find(folder, stem):
    for parent in (folder, folder / "mnist"):
        for name in (f"{stem}.gz", stem):
            if (parent / name).is_file():
                return parent / name
    raise FileNotFoundError(
        f"{stem}.gz is neither in {folder} nor in {folder / 'mnist'}; "
        "put MNIST's files there, or leave --data out to use the bundled digits"
    )
