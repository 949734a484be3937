"""Models: all that the header and the source of an exported network are made of."""

from dataclasses import dataclass

import numpy as np

from ..._base.arguments import as_choice
from ...nn.arguments import as_batch, as_flag, as_samples
from ..lowering import as_network, check_parameters, digest
from ..passes import pruned_steps, vectorize
from ..quantized.quantize import BITS, Quantized, quantize_steps
from .emission import emit_network
from .function import Function
from .self_test import SelfTest, float_self_test, integer_self_test
from .translation_unit import SIZES

ELEMENTS = {"float32": "float", "float64": "double"}
FORMS = {"loops": list, "vector": vectorize}  # a pass for each
VECTORS = 3  # samples of the self-test


@dataclass(frozen=True)
class Interface:
    """What callers of the C functions pass.

    `c_type`: of inputs and outputs. `scales`: of the integers that they become, None in
    floating point. `input_scratch`: elements of scratch for the inputs as integers.
    """

    c_type: str
    scales: tuple | None = None
    input_scratch: int = 0


@dataclass(frozen=True)
class Model:
    """The C code of a network, and what surrounds it.

    `steps` are those before the pass of the form, from which other forms could be made;
    `run` is the function that applies them, and has the constants in its unit.
    """

    steps: tuple
    n_in: int
    n_out: int
    digest: str
    run: Function
    interface: Interface
    self_test: SelfTest

    @property
    def scratch(self):
        """Elements of scratch."""
        return self.run.scratch + self.n_out + self.interface.input_scratch

    @property
    def flash(self):
        """Bytes of constants."""
        return self.run.unit.flash

    @property
    def ram(self):
        """Bytes of scratch."""
        return self.scratch * SIZES[self.run.unit.element_type]

    @property
    def products(self):
        """Multiply-adds a sample."""
        return sum(step.products for step in self.steps)


def as_model(net, dtype, form, samples, floats):
    """The model of a network or of a `Quantized`, or raise.

    1. Lower the network, and prune the steps.
    2. For integers: calibrate, which makes integer steps. For floating point: apply the
       pass of the form.
    3. Emit C for the steps.
    """
    if not isinstance(net, Quantized):
        net = as_network(net)
    dtype, x = _as_dtype(net, dtype), _test_samples(net, samples)
    as_choice("form", form, FORMS)
    floats = as_flag("floats", floats)
    if dtype in BITS:
        _check_integer_options(net, dtype, form, samples)
    elif not floats:
        raise ValueError(f"floats=False needs integers, got dtype {dtype!r}")
    if isinstance(net, Quantized):
        return _integer_model(net, floats, x)
    steps = pruned_steps(net)
    if dtype in BITS:
        quantized = quantize_steps(net, steps, samples, BITS[dtype])
        return _integer_model(quantized, floats, x)
    return _float_model(net, steps, np.dtype(dtype), form, x)


def loops_scratch(model):
    """Elements of scratch in floating point and the form "loops"."""
    run = emit_network(model.steps, model.n_in, "float", "float")
    return run.scratch + model.n_out


def _float_model(net, steps, dtype, form, x):
    c_type, formed = ELEMENTS[dtype.name], FORMS[form](steps)
    check_parameters(net, dtype)
    fixed = form == "vector"
    run = emit_network(formed, net.n_in, c_type, c_type, fixed_bounds=fixed)
    test = float_self_test(net, formed, x, dtype)
    interface = Interface(c_type)
    return Model(steps, net.n_in, net.n_out, digest(net), run, interface, test)


def _integer_model(model, floats, x):
    run = emit_network(model.steps, model.n_in, "int16_t", f"int{model.bits}_t")
    interface = Interface(
        "float" if floats else "int16_t",
        (model.input_scale, model.output_scale),
        model.n_in if floats else 0,
    )
    test = integer_self_test(model, x, floats)
    sizes = model.n_in, model.n_out
    return Model(model.steps, *sizes, model.digest, run, interface, test)


def _check_integer_options(net, dtype, form, samples):
    if form != "loops":
        raise ValueError(f"form must be 'loops' for {dtype}, got {form!r}")
    if samples is None and not isinstance(net, Quantized):
        raise ValueError(f"samples must be given, to calibrate {dtype} with, got None")


def _as_dtype(net, dtype):
    """The dtype as text; that of a `Quantized` is known."""
    known = f"int{net.bits}" if isinstance(net, Quantized) else None
    if dtype is None:
        return known or "float32"
    as_choice("dtype", dtype, {name: name for name in (*ELEMENTS, *BITS)})
    if known not in (None, dtype):
        raise ValueError(f"dtype must be {known!r}, which net has, got {dtype!r}")
    return dtype


def _test_samples(net, samples):
    """The first samples, or random ones, for the self-test."""
    if samples is None:
        return np.random.default_rng(0).standard_normal((VECTORS, net.n_in))
    samples = as_samples("samples", samples, net.n_in)
    if not samples.shape[0]:
        raise ValueError("samples must hold at least one, got none")
    return as_batch(samples[:VECTORS], np.dtype(float))
