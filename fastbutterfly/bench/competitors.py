"""What is compared: the butterfly, and other libraries given its matrix or factors.

Each is given the samples in its fastest layout, and an `out` if it takes one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ..operators.butterfly import Butterfly

FORWARD = "forward"
GRADIENTS = "gradients"  # of the inputs and the weights, from samples and gradients
TRAINING = "training"  # outputs and, after them, both gradients


@dataclass(frozen=True)
class Call:
    """A function to time, and its results by name, with samples as rows.

    Names: y (outputs), gx (gradients of the inputs), gw (gradients of a dense matrix).
    """

    run: Callable[[], object]
    results: Callable[[], dict[str, NDArray]]


@dataclass(frozen=True)
class Competitor:
    """A library's way of doing a task.

    Parameters
    ----------
    name : str
        As shown.
    library : str
        The module to import.
    task : str
        FORWARD, GRADIENTS or TRAINING.
    what : str
        What is computed, in words.
    prepare : callable
        (B, x, g) -> Call; may raise whatever the library raises.
    """

    name: str
    library: str
    task: str
    what: str
    prepare: Callable[[Butterfly, NDArray, NDArray], Call]


def _apply(B, x, g):
    y = np.empty_like(x)
    return Call(lambda: B.apply(x, out=y, workers=1), lambda: {"y": y})


def _vjp(B, x, g):
    def run():
        return B.vjp(x, g, workers=1)

    return Call(run, lambda: {"gx": run()[0]})


def _apply_vjp(B, x, g):
    y = np.empty_like(x)

    def run():
        B.apply(x, out=y, workers=1)
        return B.vjp(x, g, workers=1)

    return Call(run, lambda: {"gx": run()[0], "y": y})


def _numpy(B, x, g):
    matrix, y = B.to_dense().T.copy(), np.empty_like(x)
    return Call(lambda: np.matmul(x, matrix, out=y), lambda: {"y": y})


def _numpy_gradients(B, x, g):
    conjugate, gx = B.to_dense().conj().copy(), np.empty_like(x)
    gw = np.empty(B.shape, x.dtype)

    def run():
        np.matmul(g, conjugate, out=gx)
        np.matmul(g.T, x.conj(), out=gw)

    return Call(run, lambda: {"gx": gx, "gw": gw})


def _scipy_sparse(B, x, g):
    factors, X = B.factors()[::-1], x.T.copy()

    def run():
        Y = X
        for factor in factors:
            Y = factor @ Y
        return Y

    return Call(run, lambda: {"y": run().T})


def _scipy_fft(B, x, g):
    return Call(lambda: scipy.fft.fft(x, workers=1), dict)


def _torch(B, x, g):
    import torch

    torch.set_num_threads(1)
    matrix, samples = torch.from_numpy(B.to_dense().T.copy()), torch.from_numpy(x)
    y = torch.empty_like(samples)
    run = torch.inference_mode()(lambda: torch.matmul(samples, matrix, out=y))
    return Call(run, lambda: {"y": y.numpy()})


def _torch_training(B, x, g):
    import torch

    torch.set_num_threads(1)
    weights = torch.from_numpy(B.to_dense()).requires_grad_()
    samples = torch.from_numpy(x.copy()).requires_grad_()
    gradients = torch.from_numpy(g)

    def run():
        y = torch.nn.functional.linear(samples, weights)
        return y, *torch.autograd.grad(y, (samples, weights), gradients)

    def results():
        y, gx, gw = run()
        return {"y": y.detach().numpy(), "gx": gx.numpy(), "gw": gw.numpy()}

    return Call(run, results)


def _faust(optimise):
    def prepare(B, x, g):
        import pyfaust
        from scipy.sparse import csr_matrix

        faust = pyfaust.Faust([csr_matrix(factor) for factor in B.factors()])
        if optimise:
            faust = pyfaust.opt_butterfly_faust(faust)
        X = np.asfortranarray(x.T)
        return Call(lambda: faust @ X, lambda: {"y": (faust @ X).T})

    return prepare


def _lazylinop(backend, fused=1):
    def prepare(B, x, g):
        from lazylinop.butterfly import fuse, ksm

        n, blocks = B.shape[0], []
        for (*_, s), weights in zip(B.pattern, B.weights, strict=True):
            layer = weights.reshape(n // (2 * s), s, 2, 2).transpose(0, 2, 3, 1)
            blocks.insert(0, np.ascontiguousarray(layer))
        if fused > 1:
            starts = range(0, len(blocks), fused)
            groups = [tuple(range(len(blocks)))[i : i + fused] for i in starts]
            blocks = fuse(blocks, partition=groups)
        chain, X = ksm(blocks, {"backend": backend, "params": None}), x.T.copy()
        return Call(lambda: chain @ X, lambda: {"y": (chain @ X).T})

    return prepare


OURS = (
    Competitor("fastbutterfly", "numpy", FORWARD, "apply on rows", _apply),
    Competitor("fastbutterfly", "numpy", GRADIENTS, "vjp on rows", _vjp),
    Competitor("fastbutterfly", "numpy", TRAINING, "apply, then vjp", _apply_vjp),
)
PEERS = (
    Competitor("NumPy, dense", "numpy", FORWARD, "np.matmul on rows", _numpy),
    Competitor(
        "NumPy, dense", "numpy", GRADIENTS, "two products on rows", _numpy_gradients
    ),
    Competitor(
        "SciPy, sparse factors",
        "scipy.sparse",
        FORWARD,
        "log2(n) csr_array products on columns",
        _scipy_sparse,
    ),
    Competitor(
        "SciPy, FFT",
        "scipy.fft",
        FORWARD,
        "another map, scipy.fft.fft of the rows",
        _scipy_fft,
    ),
    Competitor("torch, dense", "torch", FORWARD, "torch.matmul on rows", _torch),
    Competitor(
        "torch, dense",
        "torch",
        TRAINING,
        "linear on rows, then autograd",
        _torch_training,
    ),
    Competitor(
        "pyfaust, as built",
        "pyfaust",
        FORWARD,
        "Faust of the sparse factors on columns",
        _faust(optimise=False),
    ),
    Competitor(
        "pyfaust, optimised",
        "pyfaust",
        FORWARD,
        "the same after opt_butterfly_faust",
        _faust(optimise=True),
    ),
    Competitor(
        "lazylinop, chain",
        "lazylinop.butterfly",
        FORWARD,
        "ksm of the layers on columns, backend xp",
        _lazylinop("xp"),
    ),
    Competitor(
        "lazylinop, SciPy chain",
        "lazylinop.butterfly",
        FORWARD,
        "the same, backend scipy",
        _lazylinop("scipy"),
    ),
    Competitor(
        "lazylinop, fused chain",
        "lazylinop.butterfly",
        FORWARD,
        "backend xp, four layers fused into one factor",
        _lazylinop("xp", fused=4),
    ),
)
