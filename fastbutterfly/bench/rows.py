"""Samples as rows: apply and vjp of a square butterfly against its dense matrix."""

import math

import numpy as np
from numpy.typing import DTypeLike

from ..operators.butterfly import Butterfly
from . import roofline
from .timing import best_in_turn

BATCH = 256


def supported(dtype: DTypeLike) -> bool:
    """Whether butterflies of this dtype exist."""
    try:
        return Butterfly.random(2, dtype=dtype, rng=0).dtype == np.dtype(dtype)
    except (TypeError, ValueError):
        return False


def samples(n: int, batch: int, dtype: DTypeLike) -> tuple[np.ndarray, np.ndarray]:
    """Draw inputs and gradients of the outputs, (batch, n) each."""
    rng = np.random.default_rng(1)
    return roofline.normal(rng, (batch, n), dtype), roofline.normal(
        rng, (batch, n), dtype
    )


def measure(n: int, dtype: DTypeLike, seconds: float, *, batch: int = BATCH) -> dict:
    """Time apply, vjp and the dense products that give the same.

    Parameters
    ----------
    n, batch : int
        Size and number of samples.
    dtype : dtype
        Of weights and samples.
    seconds : float
        For all calls together.

    Returns
    -------
    dict
        ``apply_us``, ``vjp_us``, ``dense_us`` and ``dense_vjp_us`` (the two products
        that give both gradients) in microseconds, ``limit_rate`` in multiply-adds a
        second.
    """
    B = Butterfly.random(n, dtype=dtype, rng=0)
    x, g = samples(n, batch, dtype)
    y, gx, gw = np.empty_like(x), np.empty_like(x), np.empty((n, n), dtype)
    matrix = B.to_dense()
    transposed, conjugate = matrix.T.copy(), matrix.conj().copy()

    def dense_vjp():
        np.matmul(g, conjugate, out=gx)
        np.matmul(g.T, x.conj(), out=gw)

    best = best_in_turn(
        {
            "limit": roofline.call(dtype),
            "dense": lambda: np.matmul(x, transposed, out=y),
            "apply": lambda: B.apply(x, out=y, workers=1),
            "dense_vjp": dense_vjp,
            "vjp": lambda: B.vjp(x, g, workers=1),
        },
        seconds,
    )
    return {
        "n": n,
        "batch": batch,
        "dtype": np.dtype(dtype).name,
        **{f"{name}_us": 1e6 * best[name] for name in best if name != "limit"},
        "limit_rate": roofline.rate(best["limit"]),
    }


def compared(rows: list[dict]) -> list[dict]:
    """Add the ratios to dense and the shares of the limit.

    Parameters
    ----------
    rows : list of dict
        What `measure` returned, all of one run. The limit is the best rate that any of
        them found in its dtype.

    Returns
    -------
    list of dict
        With ``dense_ratio``, ``apply_share``, ``dense_vjp_ratio``, ``vjp_share``.
    """
    best = {}
    for row in rows:
        best[row["dtype"]] = max(row["limit_rate"], best.get(row["dtype"], 0))
    return [_compared(row, best[row["dtype"]]) for row in rows]


def _compared(row, best):
    work = 2 * row["n"] * math.log2(row["n"]) * row["batch"]
    apply, vjp = 1e-6 * row["apply_us"], 1e-6 * row["vjp_us"]
    return {
        **row,
        "limit_us": 1e6 * work / best,
        "dense_ratio": row["dense_us"] / row["apply_us"],
        "apply_share": roofline.share(work, apply, best),
        "dense_vjp_ratio": row["dense_vjp_us"] / row["vjp_us"],
        "vjp_share": roofline.share(roofline.GRADIENTS * work, vjp, best),
    }
