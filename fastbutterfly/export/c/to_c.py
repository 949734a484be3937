"""to_c: a network as C99, for devices and for programs without Python."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from numpy.typing import ArrayLike

from ..._base.arguments import as_size
from ..._base.files import as_path, write_contents
from ...nn import Layer
from ..lowering import lowered
from ..passes import pruned
from ..quantized.calibration import has_rules
from ..quantized.quantize import Quantized
from .model import Floats, Model, as_model
from .source import contents

HEADERS = (
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp "
    "signal stdarg stdbool stddef stdint stdio stdlib string tgmath time wchar wctype"
)
NAME = re.compile(rf"(?!(?i:{HEADERS.replace(' ', '|')})$)[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Sizes:
    """What exported C takes.

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
    """What `to_c` wrote, and what it takes, see `Sizes`.

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
        Of the weights. None: float32, or what a `Quantized` has. With integers, numbers
        are int16, see `quantize`.
    name : str
        Begins the names of files, functions and macros; not that of a header of C's,
        which programs would include in its place.
    form : {"loops", "vector"}
        "vector", for floating point only: loops with constant bounds and long strides,
        that compilers vectorise also with -O2; more code, and up to twice the RAM.
    samples : array, shape (samples, n_in), optional
        Typical inputs. Integers are calibrated on all of them, and need them unless net
        is `Quantized`; the first three are in the self-test. None: random ones there.
    floats : bool
        Whether integer code takes and gives float. False: int16_t, and no floating
        point at all.
    ram : int, optional
        Bytes of scratch that there may be.

    Returns
    -------
    CExport

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, a layer has no export rule or none in
        integers, or the scratch is larger than `ram`. Nothing is written.
    OSError
        If the files cannot be written; none is left by halves.

    Notes
    -----
    The code allocates nothing, has static scratch, and functions ``name_scores_r`` and
    ``name_class_r`` that get it from the caller. Blocks of truncated butterflies that
    no output depends on are left out. Compiled with ``NAME_SELFTEST`` defined it has
    ``int name_selftest(void)``, 0 if the scores are those of Python: floating point up
    to rounding, integers to the bit.

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
        _check_ram(as_size("ram", ram), net, model)
    header, source = contents(model, name)
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
    """Tell what `to_c` would make, without making it.

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


def _check_ram(ram, net, model):
    """Raise if more is needed, and say what would fit."""
    needed, ways = model.ram, {}
    if needed <= ram:
        return
    if isinstance(model, Floats):
        numbers = Model(net, pruned(lowered(net, net.n_in)), "float", "float", str)
        numbers = numbers.scratch
        ways["dtype='float32', form='loops'"] = 4 * numbers
        if has_rules(model.steps):
            ways["dtype='int8' or 'int16'"] = 2 * (numbers + net.n_in)
            ways["one of these with floats=False"] = 2 * numbers
    elif model.extra:
        ways["floats=False"] = needed - 2 * model.extra
    fitting = [f"{way} takes {size}" for way, size in ways.items() if size <= ram]
    raise ValueError(
        f"ram must be at least {needed} bytes for this network in this form, "
        f"got {ram}; "
        + ("; ".join(fitting) or "no other form fits, the layers must be smaller")
    )
