"""to_c: a network as C99, for devices and for programs without Python."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from numpy.typing import ArrayLike

from ..._base.arguments import as_size
from ..._base.files import as_path, write_contents
from ...nn import Layer
from ..quantized.calibration import has_rules
from ..quantized.quantize import Quantized
from .model import as_model, loops_scratch
from .source import render

HEADERS = (
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp "
    "signal stdarg stdbool stddef stdint stdio stdlib string tgmath time wchar wctype"
)
NAME = re.compile(rf"(?!(?i:{HEADERS.replace(' ', '|')})$)[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Sizes:
    """Memory and work of exported C.

    Attributes
    ----------
    flash : int
        Bytes of weights and tables; the code comes on top.
    ram : int
        Bytes of scratch; the stack comes on top: with gcc for a Cortex-M4 less than 400
        bytes, and about 130 for each residual or point-wise layer around another.
    products : int
        Multiply-adds a sample.
    """

    flash: int
    ram: int
    products: int


@dataclass(frozen=True)
class CExport(Sizes):
    """The files that `to_c` wrote, with their memory and work, see `Sizes`.

    Attributes
    ----------
    source, header : Path
    """

    source: Path
    header: Path


def to_c(
    net: Layer | Quantized,
    directory: str | os.PathLike,
    *,
    dtype: str | None = None,
    name: str = "model",
    form: str = "loops",
    samples: ArrayLike | None = None,
    floats: bool = True,
    ram: int | None = None,
) -> CExport:
    """Write a network as one C99 source and one header, for prediction.

    Parameters
    ----------
    net : Layer or Quantized
    directory : str or path
        Made if missing; files ``name.c`` and ``name.h`` in it are replaced.
    dtype : {"float32", "float64", "int8", "int16"}, optional
        Of the weights. None: float32, or that of a `Quantized`. Integer code has int16
        activations, see `quantize`.
    name : str
        Prefix of files, functions and macros. Names of C's own headers are refused:
        programs would include the wrong file.
    form : {"loops", "vector"}
        "vector", for floating point only: loops with constant bounds over contiguous
        elements, which compilers vectorise even with -O2; more code, and up to twice
        the RAM.
    samples : array, shape (samples, n_in), optional
        Typical inputs. Integers are calibrated on all of them, and need them unless net
        is `Quantized`. The self-test has the first three; with None, random samples.
    floats : bool
        Whether inputs and outputs of integer code are float. False: int16_t, and no
        floating point at all.
    ram : int, optional
        The most bytes of scratch that are allowed.

    Returns
    -------
    CExport

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, a layer has no export rule or none in
        integers, or the scratch is larger than `ram`. Nothing is written.
    OSError
        If the files cannot be written; none is left incomplete.

    Notes
    -----
    The code allocates nothing: it has static scratch, and functions ``name_scores_r``
    and ``name_class_r`` that get scratch from the caller. Blocks of truncated
    butterflies that no output depends on are left out. With ``NAME_SELFTEST`` defined,
    there is a function ``int name_selftest(void)``, which returns 0 if the scores are
    those of Python: floating point up to rounding, integers to the bit.

    Examples
    --------
    >>> import tempfile
    >>> from fastbutterfly import export, nn
    >>> net = nn.Sequential(nn.ButterflyLinear(64, 64), nn.ReLU(), nn.Dense(64, 10))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = export.to_c(net, folder, name="digits")
    >>> made.source.name, made.flash, made.ram, made.products
    ('digits.c', 5928, 296, 1408)
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(
            "name must start with a letter, go on with letters, digits and _, and be "
            f"no header of C's, such as math, got {name!r}"
        )
    directory = as_path("directory", directory)
    model = as_model(net, dtype, form, samples, floats)
    if ram is not None:
        _check_ram(as_size("ram", ram), model)
    header, source = render(model, name)
    paths = write_contents(directory, {f"{name}.c": source, f"{name}.h": header})
    return CExport(model.flash, model.ram, model.products, *paths)


def sizes(
    net: Layer | Quantized,
    *,
    dtype: str | None = None,
    form: str = "loops",
    samples: ArrayLike | None = None,
    floats: bool = True,
) -> Sizes:
    """Return the memory and work of what `to_c` would write, without writing it.

    Parameters
    ----------
    net, dtype, form, samples, floats
        As for `to_c`.

    Returns
    -------
    Sizes

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or a layer has no export rule.

    Examples
    --------
    >>> from fastbutterfly import export, nn
    >>> export.sizes(nn.ButterflyLinear(1024, 1024))
    Sizes(flash=86016, ram=4096, products=20480)
    """
    model = as_model(net, dtype, form, samples, floats)
    return Sizes(model.flash, model.ram, model.products)


def _check_ram(ram, model):
    """Raise if the scratch is larger than `ram`, and name the options that fit."""
    needed, options = model.ram, {}
    if needed <= ram:
        return
    if model.interface.scales is None:
        elements = loops_scratch(model)
        options["dtype='float32', form='loops'"] = 4 * elements
        if has_rules(model.steps):
            options["dtype='int8' or 'int16'"] = 2 * (elements + model.n_in)
            options["one of these with floats=False"] = 2 * elements
    elif model.interface.input_scratch:
        options["floats=False"] = needed - 2 * model.interface.input_scratch
    fitting = [
        f"{option} takes {size}" for option, size in options.items() if size <= ram
    ]
    raise ValueError(
        f"ram must be at least {needed} bytes for this network in this form, "
        f"got {ram}; "
        + ("; ".join(fitting) or "no other form fits, the layers must be smaller")
    )
