"""From which size a butterfly beats the dense product."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike

from ..operators.butterfly import Butterfly
from .rows import samples
from .timing import best_in_turn

VECTOR = "vector"  # in place of a batch
BATCHES = VECTOR, 1, 16, 256
SIZES = tuple(2**k for k in range(1, 12))


def crossover(dense: Mapping[int, float], butterfly: Mapping[int, float]) -> int | None:
    """Smallest size from which the butterfly is faster and stays so.

    Parameters
    ----------
    dense, butterfly : mapping of int to float
        Times by size, of the same sizes.

    Returns
    -------
    int or None
        None: it is not faster at the largest size.

    Raises
    ------
    ValueError
        If the sizes differ.

    Examples
    --------
    >>> crossover({2: 1, 4: 2, 8: 4, 16: 8}, {2: 2, 4: 1.5, 8: 5, 16: 6})
    16
    """
    if set(dense) != set(butterfly):
        raise ValueError(
            "dense and butterfly must have the same sizes, "
            f"got {sorted(dense)} and {sorted(butterfly)}"
        )
    ahead = None
    for n in sorted(dense, reverse=True):
        if butterfly[n] >= dense[n]:
            break
        ahead = n
    return ahead


def measure(n: int, batch: int | str, dtype: DTypeLike, seconds: float) -> dict:
    """Time the butterfly and the dense product.

    Parameters
    ----------
    n : int
        Size.
    batch : int or "vector"
        Number of rows, for `apply` and the dense product with `out`; or one vector,
        for ``B @ x`` and the dense product with `out`.
    dtype : dtype
        Of weights and samples.
    seconds : float
        For both calls together.

    Returns
    -------
    dict
        ``butterfly_us`` and ``dense_us``, in microseconds.
    """
    B = Butterfly.random(n, dtype=dtype, rng=0)
    x, _ = samples(n, 1 if batch == VECTOR else batch, dtype)
    matrix = B.to_dense()
    if batch == VECTOR:
        x = x[0]
        y = np.empty_like(x)
        calls = {
            "dense": lambda: np.matmul(matrix, x, out=y),
            "butterfly": lambda: B @ x,
        }
    else:
        y, transposed = np.empty_like(x), matrix.T.copy()
        calls = {
            "dense": lambda: np.matmul(x, transposed, out=y),
            "butterfly": lambda: B.apply(x, out=y, workers=1),
        }
    best = best_in_turn(calls, seconds)
    return {
        "n": n,
        "batch": batch,
        "dtype": np.dtype(dtype).name,
        **{f"{name}_us": 1e6 * value for name, value in best.items()},
    }


def crossovers(rows: list[dict]) -> list[dict]:
    """Crossover of each dtype and batch.

    Parameters
    ----------
    rows : list of dict
        What `measure` returned.

    Returns
    -------
    list of dict
        ``dtype``, ``batch``, ``crossover`` (None: not up to ``largest``), ``largest``.
    """
    results = []
    for dtype, batch in dict.fromkeys((row["dtype"], row["batch"]) for row in rows):
        same = [r for r in rows if (r["dtype"], r["batch"]) == (dtype, batch)]
        dense = {row["n"]: row["dense_us"] for row in same}
        butterfly = {row["n"]: row["butterfly_us"] for row in same}
        n = crossover(dense, butterfly)
        results.append(
            {"dtype": dtype, "batch": batch, "crossover": n, "largest": max(dense)}
        )
    return results
