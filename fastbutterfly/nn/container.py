"""The container of saved networks: four flat arrays in an .npz file.

It is an uncompressed zip file, as `numpy.savez` writes it, with

==============  ============================================================
header          uint8: a JSON object in UTF-8, see `nn.load`
parameters      float32 or float64: all trainable elements, layer by layer
constants       the same dtype: elements that training does not change
indices         int64: coordinates used and kept by butterflies
==============  ============================================================

Reading never unpickles, and allocates no more than a few times the file's size.
"""

import io
import json
import re
import struct
import warnings
import zipfile
from glob import escape
from pathlib import Path

import numpy as np

from .._base import files

FORMAT = "fastbutterfly network"
VERSION = 1
NESTED = 100  # brackets within brackets in a header
STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)  # in JSON
NAMES = ("header", "parameters", "constants", "indices")
# What zipfile, json and NumPy raise for damaged files, besides ValueError.
DAMAGE = (
    zipfile.BadZipFile,
    EOFError,
    KeyError,
    NotImplementedError,
    RecursionError,
    RuntimeError,
    TypeError,
    struct.error,
)


def write(path, description, parameters, constants, indices, about=None):
    """Write the file at once or not at all."""
    header = {
        "format": FORMAT,
        "version": VERSION,
        "dtype": parameters.dtype.name,
        "layer": description,
    }
    if about is not None:
        header["about"] = as_about(about)
    text = as_text(header)
    write_arrays(
        path, dict(zip(NAMES, (text, parameters, constants, indices), strict=True))
    )


def as_about(about):
    """A dict that JSON gives back as it is."""
    try:
        same = json.loads(json.dumps(about, allow_nan=False)) == about
    except (TypeError, ValueError, RecursionError):
        same = False
    if not isinstance(about, dict) or not same:
        raise TypeError(
            "about must be a dict of what JSON holds (str, int, finite float, bool, "
            f"None, list, dict with str as keys), got {about!r}"
        )
    return about


def as_text(header):
    """A header as an array, JSON in UTF-8."""
    text = json.dumps(header).encode()
    _check_nesting(text)
    return np.frombuffer(text, np.uint8)


def write_arrays(path, arrays):
    """Write flat arrays by name, at once or not at all."""
    arrays = {name: _little(array) for name, array in arrays.items()}
    files.write({Path(path): lambda file: np.savez(file, **arrays)})


def remove_drafts(path):
    """Remove the temporary files of writers that were killed."""
    path = Path(path)
    for draft in path.parent.glob(f".{escape(path.name)}.{'[0-9a-f]' * 8}.tmp"):
        draft.unlink(missing_ok=True)


def read(content):
    """Header as a dict, then parameters, constants, indices, from a file's bytes."""
    by_name = read_arrays(content)
    if "header" not in by_name:
        raise ValueError("it is not a saved network")
    header = _checked_header(from_text(by_name["header"]))
    if sorted(by_name) != sorted(NAMES):
        raise ValueError("it holds other arrays than a saved network does")
    arrays = [by_name[name] for name in NAMES[1:]]
    expected = (header["dtype"], header["dtype"], "int64")
    for name, array, dtype in zip(NAMES[1:], arrays, expected, strict=True):
        if array.dtype != np.dtype(dtype):
            raise ValueError(f"{name} must be {dtype}, got {array.dtype}")
    return header, *arrays


def read_arrays(content):
    """Flat arrays by name, from a file's bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        if len(set(names)) < len(names):
            raise ValueError("it holds an array twice")
        return {name: _member(archive, name, len(content)) for name in names}


def from_text(array):
    """The header that `as_text` made an array of."""
    if array.dtype != np.uint8:
        raise ValueError("its header is not text")
    text = array.tobytes()
    _check_nesting(text)
    return json.loads(text)


def _check_nesting(text):
    """Raise if JSON has too many brackets within brackets."""
    text = np.frombuffer(STRING.sub(b"", text), np.uint8)
    opened, closed = (np.isin(text, [*map(ord, pair)]) for pair in ("[{", "]}"))
    depth = int(np.cumsum(opened.astype(int) - closed).max(initial=0))
    if depth > NESTED:
        raise ValueError(f"layers must be nested at most {NESTED // 2} deep")


def _checked_header(header):
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError("it is not a saved network")
    version = header.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(
            f"its schema has version {version!r}, this release reads {VERSION}; "
            "a newer release of fastbutterfly may read it"
        )
    if header.get("dtype") not in ("float32", "float64"):
        raise ValueError(f"dtype must be float32 or float64: {header.get('dtype')!r}")
    return header


def _member(archive, name, size):
    """Flat array in a member that is stored, not compressed."""
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > size:
        raise ValueError(f"{name} must be stored without compression")
    data = archive.read(info)
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{name} must be in .npy format 1.0")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception:  # NumPy evaluates the header, so it can fail in any way
        raise ValueError(f"{name} has no valid .npy header") from None
    content = memoryview(data)[stream.tell() :]
    if (
        dtype.hasobject
        or dtype.fields
        or dtype.subdtype
        or dtype.newbyteorder("<") != dtype
    ):
        raise ValueError(f"{name} must hold plain numbers, got dtype {dtype}")
    if len(shape) != 1 or shape[0] * dtype.itemsize != len(content):
        raise ValueError(f"{name} has shape {shape} but {len(content)} bytes")
    return np.frombuffer(content, dtype)


def _little(array):
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
