"""Models: what an exported file is made of, for each kind of numbers."""

import numpy as np

from ..._base.arguments import as_choice
from ...nn.arguments import as_batch, as_flag, as_samples, check_finite
from .. import steps as step
from ..lowering import as_network, check_parameters, digest, lowered
from ..passes import pruned, vectorized
from ..quantized.quantize import BITS, Quantized, emulate, quantize
from ..quantized.steps import to_integers
from . import float_functions, integer_functions
from .writer import SIZES, Code, Function

KINDS = {"float32": "float", "float64": "double"}
FORMS = {"loops": pruned, "vector": lambda steps: vectorized(pruned(steps))}
VECTORS = 3  # samples of the self-test


def as_model(net, dtype, form, samples, floats):
    """The model of a network or its integers, or raise."""
    if not isinstance(net, Quantized):
        net = as_network(net)
    dtype = _as_dtype(net, dtype)
    as_choice("form", form, FORMS)
    x = _samples(net, samples)
    if dtype not in BITS:
        if not as_flag("floats", floats):
            raise ValueError(f"floats=False needs integers, got dtype {dtype!r}")
        return Floats(net, x, dtype, form)
    if form != "loops":
        raise ValueError(f"form must be 'loops' for {dtype}, got {form!r}")
    if not isinstance(net, Quantized):
        if samples is None:
            raise ValueError(
                f"samples must be given, to calibrate {dtype} with, got None"
            )
        net = quantize(net, samples, dtype=dtype)
    return Integers(net, x, as_flag("floats", floats))


class Model:
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

    @property
    def flash(self):
        """Bytes of constants."""
        return self.code.flash

    @property
    def ram(self):
        """Bytes of scratch."""
        return self.scratch * SIZES[self.code.kind]

    @property
    def products(self):
        """Multiply-adds a sample."""
        return sum(one.products for one in self.steps)


class Floats(Model):
    """Floating point: inputs, outputs and numbers are the same."""

    functions, exact = float_functions.FUNCTIONS, False

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
        self.error = self._error(max(np.finfo(net.dtype).eps, np.finfo(dtype).eps))

    @np.errstate(all="ignore")
    def _error(self, eps):
        """What `y`, rounded to eps, and C may differ by.

        Where large numbers cancel, roundings are what is left: so they are seen, by
        the difference that single precision makes.
        """
        double, single = (
            step.run(step.converted(self.steps, dtype), self.x.astype(dtype))
            for dtype in (np.float64, np.float32)
        )
        seen = np.abs(single - double).max() / np.finfo(np.float32).eps
        seen = seen if np.isfinite(seen) else 0  # beyond single precision
        return eps * (16 * seen + 64 * max(1.0, np.abs(self.y).max()))


class Integers(Model):
    """Integers; inputs and outputs are float, or int16_t too."""

    functions, exact = integer_functions.FUNCTIONS, True

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
            self.x = to_integers(self.x, model.input_scale)
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
