"""Sets: training and test matrices for sketches, and the paper's numbers for them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import images
import matrices
import numpy as np

# Table 4: learned butterfly / learned sparse / random, by (k, l).
PAPER = {
    "HS-SOD": {
        (1, 5): "0.0008 / 0.003 / 0.661",
        (1, 10): "0.0002 / 0.002 / 0.131",
        (10, 10): "0.031 / 0.489 / 5.712",
        (10, 20): "0.012 / 0.139 / 2.097",
        (10, 40): "0.006 / 0.081 / 0.544",
        (20, 20): "0.058 / 0.229 / 4.173",
        (20, 40): "0.024 / 0.247 / 1.334",
        (30, 30): "0.027 / 0.749 / 3.486",
        (30, 60): "0.014 / 0.331 / 2.105",
    },
    "CIFAR-10": {
        (1, 5): "0.173 / 1.121 / 4.870",
        (1, 10): "0.072 / 0.671 / 1.82",
        (10, 10): "0.751 / 6.989 / 26.133",
        (10, 20): "0.470 / 3.122 / 9.216",
    },
    "Tech": {
        (1, 5): "0.188 / 1.75 / 3.127",
        (1, 10): "0.051 / 0.455 / 1.44",
        (10, 10): "0.619 / 7.154 / 18.805",
        (10, 20): "0.568 / 3.134 / 8.22",
        (10, 40): "0.111 / 0.991 / 3.304",
        (20, 20): "1.38 / 8.14 / 15.268",
        (20, 40): "0.703 / 3.441 / 6.848",
        (30, 30): "1.25 / 7.519 / 13.168",
        (30, 60): "0.409 / 2.993 / 5.124",
    },
}


SCENES = 5  # the last is for the test


@dataclass(frozen=True)
class Set:
    """A name, how the matrices (train, test) are made, and how they are learned."""

    name: str
    make: Callable[[], tuple[list, list]]
    paper: str
    steps: int
    batch_size: int
    seeds: int = 1
    sweeps: bool = False

    @property
    def paper_column(self):
        """Head of the column with the paper's numbers."""
        return f"paper, {self.paper}: butterfly / sparse / random"


def real(folder):
    """What can be made, and what the folder has."""
    sets = [
        Set("patches", _patches, "CIFAR-10", 1500, 8, seeds=3, sweeps=True),
        Set("bands, same scene", _same_scene, "HS-SOD", 200, 4, sweeps=True),
    ]
    if len(matrices.colour_photographs()) >= SCENES:
        sets.append(Set("bands, cross-scene", _across, "HS-SOD", 200, 4))
    if folder is None:
        print("no --data: the term-document matrices are left out")
        return sets
    folder = Path(folder)
    if list(folder.rglob("ud_english_ewt")):
        sets.append(Set("words", lambda: _words(folder), "Tech", 200, 4))
    if list(folder.rglob("data_batch_1.bin")):
        sets.append(Set("CIFAR-10", lambda: cifar(folder), "CIFAR-10", 1500, 8))
    if list((folder / "HS-SOD").rglob("*.mat")):
        sets.append(Set("HS-SOD", lambda: hs_sod(folder / "HS-SOD"), "HS-SOD", 400, 4))
    if (folder / "techtc300").is_dir():
        sets.append(Set("Tech", lambda: tech(folder / "techtc300"), "Tech", 400, 2))
    return sets


def quick():
    """Tiny matrices that are like each other."""

    def make():
        rng = np.random.default_rng(0)
        base = rng.standard_normal((32, 4))
        exact = [base @ rng.standard_normal((4, 32)) for _ in range(12)]
        return exact[:8], [X + 0.1 * rng.standard_normal(X.shape) for X in exact[8:]]

    return [Set("quick", make, "", 20, 4)]


def cifar(folder):
    """The first 400 training and 100 test images, red channel, as matrices."""
    place = next(folder.rglob("data_batch_1.bin")).parent
    parts = []
    for file, count in (("data_batch_1.bin", 400), ("test_batch.bin", 100)):
        pixels, _ = images.read_cifar(place / file)
        parts += [(X / 255 - 0.485) / 0.229 for X in pixels[:count, 0]]
    order = np.random.default_rng(0).permutation(32)
    return _split(matrices.scaled([X[order] for X in parts], 10), 400)


def hs_sod(folder, train=400, test=100):
    """Bands 1024 x 768 of hyperspectral images, other images for the test."""
    from scipy.io import loadmat

    order, parts = np.random.default_rng(0).permutation(1024), ([], [])
    for path in sorted(folder.rglob("*.mat")):
        cube = next(
            value for value in loadmat(path).values() if getattr(value, "ndim", 0) == 3
        )
        part = parts[len(parts[0]) >= train]
        part += [cube[..., band].astype(float)[order] for band in range(cube.shape[2])]
        if len(parts[1]) >= test:
            break
    if len(parts[1]) < test:
        raise ValueError(f"{folder} has too few bands: {len(parts[0] + parts[1])}")
    bands = parts[0][:train] + parts[1][:test]
    return _split(matrices.scaled(bands, 100), train)


def tech(folder, train=200):
    """Term-document matrices of techtc300: a folder each, with a file vectors.dat."""
    documents = []
    for path in sorted(folder.rglob("vectors.dat")):
        documents.append(read_vectors(path))
    rows = max(X.shape[0] for X in documents)
    for X in documents:
        X.resize(rows, X.shape[1])
    return _split(matrices.scaled([X.tocsr() for X in documents], 100), train)


def read_vectors(path):
    """One document a line: a label, then term:count; comments begin with #."""
    from scipy.sparse import coo_array

    rows, columns, counts, column = [], [], [], 0
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        fields = line.split("#")[0].split()
        if not fields:
            continue
        try:
            pairs = [field.split(":") for field in fields[1:]]
            rows += [int(term) for term, _ in pairs]
            counts += [float(count) for _, count in pairs]
        except ValueError:
            raise ValueError(
                f"{path}, line {number}: a label and term:count pairs are needed, "
                f"got {line!r}"
            ) from None
        columns += [column] * len(pairs)
        column += 1
    if not counts:
        raise ValueError(f"{path} holds no document")
    return coo_array((counts, (rows, columns)), shape=(max(rows) + 1, column))


def _split(data, train):
    return data[:train], data[train:]


def _patches():
    return _split(matrices.patches(), 400)


def _words(folder):
    return _split(matrices.documents(folder), 100)


def _same_scene():
    """Bands of one photograph; those beside each other fall into both parts."""
    images = matrices.bands()
    order = np.random.default_rng(0).permutation(len(images))
    return _split([images[i] for i in order], 62)


def _across():
    """Bands of four photographs, and of a fifth for the test; every fourth band."""
    images = matrices.bands(scenes=SCENES)
    scenes = [images[i : i + 81 : 4] for i in range(0, len(images), 81)]
    return [X for scene in scenes[:4] for X in scene], scenes[4]
