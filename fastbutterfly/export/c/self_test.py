"""The self-test of exported code: samples, and what the outputs must be."""

from dataclasses import dataclass

import numpy as np

from ...nn.arguments import check_finite
from ..quantized.quantize import emulate
from ..quantized.steps import to_integers
from ..steps import apply_steps, cast


@dataclass(frozen=True)
class SelfTest:
    """Samples x (count, n_in), outputs y (count, n_out) of the network in Python.

    `tolerance`: how far the outputs of C may differ; 0 for equality to the bit.
    """

    x: np.ndarray
    y: np.ndarray
    tolerance: float = 0


def float_self_test(net, steps, x, dtype):
    """The self-test of floating-point code for `steps`, or raise."""
    check_finite("samples", x, dtype)
    x = x.astype(dtype)
    with np.errstate(over="ignore"):
        y = net(x).astype(dtype)
    check_finite("net's outputs for samples", y, dtype)
    eps = max(np.finfo(net.dtype).eps, np.finfo(dtype).eps)
    return SelfTest(x, y, _tolerance(steps, x, y, eps))


def integer_self_test(model, x, floats):
    """The self-test of the integer code of a `Quantized`, or raise."""
    check_finite("samples", x, np.dtype(np.float32))
    x = x.astype(np.float32)
    if floats:
        return SelfTest(x, emulate(model, x))
    x = to_integers(x, model.input_scale)
    return SelfTest(x, model.integers(x))


@np.errstate(all="ignore")
def _tolerance(steps, x, y, eps):
    """How far y, computed with relative roundings eps, and C may differ.

    Where large terms cancel, rounding errors dominate the small result. So their size
    is measured: it is the difference that single precision makes.
    """
    double, single = (
        apply_steps(cast(steps, dtype), x.astype(dtype))
        for dtype in (np.float64, np.float32)
    )
    measured = np.abs(single - double).max() / np.finfo(np.float32).eps
    measured = measured if np.isfinite(measured) else 0  # beyond single precision
    return eps * (16 * measured + 64 * max(1.0, np.abs(y).max()))
