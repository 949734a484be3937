"""to_c: a network as C99, for devices and for programs without Python."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from .._arrays import as_choice, as_size
from ..nn import Layer
from ..nn._checks import as_batch, as_flag, as_samples, check_finite
from . import _c_float, _c_integer
from ._c_file import contents
from ._c_writer import Code, Function
from ._files import write
from ._forms import pruned, vectorized
from ._integer import to_integers
from ._lowering import as_network, check_parameters, digest, lowered
from .quantize import BITS, Quantized, emulate, has_rules, quantize

KINDS = {"float32": "float", "float64": "double"}
FORMS = {"loops": pruned, "vector": lambda steps: vectorized(pruned(steps))}
NAME = re.compile(r"(?!(stdint|math)$)[A-Za-z][A-Za-z0-9_]*")
VECTORS = 3  # samples of the self-test


@dataclass(frozen=True)
class CExport:
    """What `to_c` wrote.

    Attributes
    ----------
    source, header : Path
    flash : int
        Bytes of weights and tables; the code comes on top.
    ram : int
        Bytes of scratch; the stack comes on top: with gcc for a Cortex-M4 less than 400
        bytes, and about 130 for each residual or point-wise layer around another.
    products : int
        Multiply-adds a sample.
    """

    source: Path
    header: Path
    flash: int
    ram: int
    products: int


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
        Begins the names of files, functions and macros.
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
            f"no header of C's that the code includes (math, stdint), got {name!r}"
        )
    if not isinstance(net, Quantized):
        net = as_network(net)
    dtype = _as_dtype(net, dtype)
    as_choice("form", form, FORMS)
    x = _samples(net, samples)
    if dtype in BITS:
        if form != "loops":
            raise ValueError(f"form must be 'loops' for {dtype}, got {form!r}")
        if not isinstance(net, Quantized):
            if samples is None:
                raise ValueError(
                    f"samples must be given, to calibrate {dtype} with, got None"
                )
            net = quantize(net, samples, dtype=dtype)
        model = _Integers(net, x, as_flag("floats", floats))
    else:
        if not as_flag("floats", floats):
            raise ValueError(f"floats=False needs integers, got dtype {dtype!r}")
        model = _Floats(net, x, dtype, form)
    fields, source = contents(model, name)
    if ram is not None:
        _check_ram(fields["ram"], as_size("ram", ram), net, model)
    header, text = source
    paths = write(directory, {f"{name}.c": text, f"{name}.h": header})
    return CExport(*paths, *(fields[key] for key in ("flash", "ram", "products")))


class _Model:
    """What a file is made of: the code of a network, and samples to test it with."""

    def __init__(self, net, steps, kind, weights, literal, fixed=False):
        self.n_in, self.n_out, self.steps = net.n_in, net.n_out, steps
        most = max([net.n_in, *(max(one.n_in, one.n_out) for one in steps)])
        index = "uint16_t" if most <= 1 << 16 else "uint32_t"
        self.code = Code(index, literal, kind, weights, fixed)
        self.run, self.extra = Function(self.code, "run", steps, net.n_in), 0

    @property
    def scratch(self):
        """Numbers of scratch."""
        return self.run.scratch + self.n_out + self.extra


class _Floats(_Model):
    """Floating point: inputs, outputs and numbers are the same."""

    functions, exact = _c_float.FUNCTIONS, False

    def __init__(self, net, x, dtype, form):
        kind, self.dtype = KINDS[dtype], np.dtype(dtype)
        steps = FORMS[form](lowered(net, net.n_in))
        check_parameters(net, self.dtype)
        super().__init__(net, steps, kind, kind, _literal(dtype), form == "vector")
        self.outside, self.digest = kind, digest(net)
        check_finite("samples", x, self.dtype)
        self.x = x.astype(dtype)
        with np.errstate(over="ignore"):
            self.y = net(self.x).astype(dtype)
        check_finite("net's outputs for samples", self.y, self.dtype)


class _Integers(_Model):
    """Integers; inputs and outputs are float, or int16_t too."""

    functions, exact = _c_integer.FUNCTIONS, True

    def __init__(self, model, x, floats):
        weights = f"int{model.bits}_t"
        super().__init__(model, model.steps, "int16_t", weights, _literal("float32"))
        self.outside, self.digest = "float" if floats else "int16_t", model.digest
        self.scales = model.input_scale, model.output_scale
        self.extra = model.n_in * floats
        check_finite("samples", x, np.dtype(np.float32))
        self.x = x.astype(np.float32)
        self.y = emulate(model, self.x)
        if not floats:
            self.x = to_integers(self.x, model.input_scale).astype(np.int16)
            self.y = model.integers(self.x)


def _as_dtype(net, dtype):
    known = f"int{net.bits}" if isinstance(net, Quantized) else None
    if dtype is None:
        return known or "float32"
    as_choice("dtype", dtype, {name: name for name in (*KINDS, *BITS)})
    if known not in (None, dtype):
        raise ValueError(f"dtype must be {known!r}, which net has, got {dtype!r}")
    return dtype


def _samples(net, samples):
    """The first samples, or random ones."""
    if samples is None:
        return np.random.default_rng(0).standard_normal((VECTORS, net.n_in))
    samples = as_samples("samples", samples, net.n_in)
    if not samples.shape[0]:
        raise ValueError("samples must hold at least one, got none")
    return as_batch(samples[:VECTORS], np.dtype(float))


def _literal(dtype):
    """Make the function that writes a number so that it is read back as it is."""
    dtype, suffix = np.dtype(dtype), "f" if np.dtype(dtype) == np.float32 else ""

    def literal(value):
        text = str(dtype.type(value))
        return text + ("" if "." in text or "e" in text else ".0") + suffix

    return literal


def _check_ram(needed, ram, net, model):
    """Raise if more is needed, and say what would fit."""
    if needed <= ram:
        return
    ways = {}
    if isinstance(model, _Floats):
        numbers = _Model(net, pruned(lowered(net, net.n_in)), "float", "float", str)
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
