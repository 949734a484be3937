"""Matrices: what the autoencoder and the sketches of the paper are tried on.

Photographs come with scikit-learn and, if it is installed, with scikit-image; faces and
digits from the folder of `--data`; term-document matrices are made of English-EWT.
"""

import warnings
from pathlib import Path

import conll
import numpy as np
from scipy.io import loadmat
from scipy.sparse import csr_array

from fastbutterfly.demo import digits

PHOTOGRAPHS = [
    "astronaut",
    "brick",
    "camera",
    "cell",
    "chelsea",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "ihc",
    "moon",
    "retina",
    "rocket",
]
MNIST, OLIVETTI = "t10k-images-idx3-ubyte*", "olivettifaces.mat"
WAVELENGTHS = np.linspace(380, 720, 81)  # of a band set, in nm, as HS-SOD has them
RESPONSES = ((600, 60), (540, 50), (450, 40))  # of red, green and blue: centre, width


def gaussian(rank, n=1024, d=1024, seed=0):
    """Columns are combinations, N(0, 0.01), of so many orthonormal vectors."""
    rng = np.random.default_rng(seed)
    base = np.linalg.qr(rng.standard_normal((n, rank)))[0]
    return base @ (0.1 * rng.standard_normal((rank, d)))


def mnist(folder, count=1024, seed=0):
    """Digits as columns: 28 x 28 framed by noise, N(0, 0.01), to 32 x 32."""
    rng = np.random.default_rng(seed)
    path = next(Path(folder).rglob(MNIST))
    pixels = digits.read_idx(path)
    pixels = pixels[rng.choice(len(pixels), count, replace=False)] / 255
    framed = 0.1 * rng.standard_normal((count, 32, 32))
    framed[:, 2:-2, 2:-2] = pixels
    return _permuted(framed.transpose(0, 2, 1).reshape(count, -1).T, rng)


def olivetti(folder, seed=0):
    """400 faces of 64 x 64 as columns; the paper's 1024 would need repetitions."""
    faces = loadmat(next(Path(folder).rglob(OLIVETTI)))["faces"] / 255
    return _permuted(faces, np.random.default_rng(seed))


def small_digits(seed=0):
    """1024 digits of 8 x 8, each pixel 4 x 4 times, centred, as unit columns."""
    from sklearn.datasets import load_digits

    x = load_digits().images[:1024].repeat(4, axis=1).repeat(4, axis=2)
    x = x.reshape(1024, -1)
    x = x - x.mean(axis=0)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return _permuted(x.T, np.random.default_rng(seed))


def photographs():
    """Grey or colour images from 0 to 1, and their names."""
    from sklearn.datasets import load_sample_images

    pictures = dict(zip(("china", "flower"), load_sample_images().images, strict=True))
    try:
        import skimage
        from skimage.io import imread
    except ImportError:
        print("scikit-image is not installed: two photographs instead of sixteen")
    else:
        place = Path(skimage.__file__).parent / "data"
        for name in PHOTOGRAPHS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pictures[name] = imread(next(place.glob(f"{name}.*")))
    return {name: image / 255 for name, image in pictures.items()}


def colour_photographs():
    """Those of `photographs` that have colours."""
    return {name: x for name, x in photographs().items() if x.ndim == 3}


def photograph():
    """One natural image, grey, 512 x 512, rows in random order, and its name."""
    images = photographs()
    name = "astronaut" if "astronaut" in images else "china"
    grey = images[name][:512, :512].mean(axis=2)
    return _permuted(grey, np.random.default_rng(0)), name


def patches(count=500, seed=0):
    """Red channels of random squares of photographs, averaged to 32 x 32."""
    images = [_red(image) for image in photographs().values()]
    rng = np.random.default_rng(seed)
    squares = [(_patch(images, rng) - 0.485) / 0.229 for _ in range(count)]
    return scaled(_permuted_rows(squares, rng), 10)


def _patch(images, rng):
    image = images[rng.integers(len(images))]
    step = min(int(rng.integers(2, 9)), min(image.shape) // 32)
    row, column = (rng.integers(size - 32 * step + 1) for size in image.shape)
    square = image[row : row + 32 * step, column : column + 32 * step]
    return square.reshape(32, step, 32, step).mean(axis=(1, 3))


def bands(scenes=1, seed=0):
    """81 bands of 1024 x 768 of each of some scenes, made of colour photographs.

    A stand-in for HS-SOD: red, green and blue, each with a power of its own, mixed by
    bell curves of the wavelength, and a little noise. One scene is the retina, if it
    is there; several are different photographs.
    """
    rng, sources = np.random.default_rng(seed), colour_photographs()
    if scenes > len(sources):
        raise ValueError(f"there are {len(sources)} colour photographs, not {scenes}")
    names = ["retina"] if scenes == 1 and "retina" in sources else list(sources)
    order = rng.permutation(1024)
    result = []
    for name in names[:scenes]:
        crop = _resized(sources[name][..., :3], (1024, 768))
        powers = rng.uniform(0.7, 1.4, 3)
        parts = crop**powers
        for wavelength in WAVELENGTHS:
            mix = [np.exp(-(((wavelength - c) / w) ** 2)) for c, w in RESPONSES]
            band = parts @ (np.array(mix) + 0.05) + 0.01 * rng.standard_normal(
                crop.shape[:2]
            )
            result.append(band[order])
    return scaled(result, 100)


def _resized(image, shape):
    """The nearest pixels of the whole image."""
    rows, columns = (
        np.arange(size) * have // size
        for size, have in zip(shape, image.shape, strict=False)
    )
    return image[np.ix_(rows, columns)]


def documents(folder, terms=8192, size=100):
    """Counts of words, hashed to rows, in sentences of English-EWT, 100 a matrix.

    A stand-in for Tech (techtc300): sparse, rows in random order.
    """
    import zlib

    place = next(Path(folder).rglob("ud_english_ewt"))
    sentences = conll.read_conllu(place / "train.conllu.gz")
    rng = np.random.default_rng(0)
    sentences = [sentences[i] for i in rng.permutation(len(sentences))]
    result = []
    for start in range(0, len(sentences) - size + 1, size):
        pairs = [
            (zlib.crc32(word.lower().encode()) % terms, column)
            for column, sentence in enumerate(sentences[start : start + size])
            for word, _ in sentence
        ]
        rows, columns = np.array(pairs).T
        counts = np.ones(len(pairs))
        result.append(csr_array((counts, (rows, columns)), shape=(terms, size)))
    return scaled(result, 100)


def scaled(matrices, largest):
    """All with the same largest singular value."""
    result = []
    for X in matrices:
        gram = X.T @ X if X.shape[0] > X.shape[1] else X @ X.T
        gram = gram.toarray() if hasattr(gram, "tocsr") else gram
        result.append(X * (largest / np.sqrt(np.linalg.eigvalsh(gram)[-1])))
    return result


def _red(image):
    return image[..., 0] if image.ndim == 3 else image


def _permuted(X, rng):
    return np.ascontiguousarray(X[rng.permutation(len(X))])


def _permuted_rows(matrices, rng):
    """The same order for all."""
    order = rng.permutation(len(matrices[0]))
    return [X[order] for X in matrices]
