"""warmup: kernels compiled ahead of their first use."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import DTypeLike

from .._base.arguments import as_choice, as_dtype
from .._plans.patterns import REVERSED
from .butterfly import Butterfly

MIXED = 48  # a size with blocks of 3x3 and 4x4
SIZES = {False: 64, True: 2}  # four registers or more for any dtype and CPU; fewer
USES = {
    "apply": lambda B, x: (B.apply(x), B.apply(x[:1])),
    "columns": lambda B, x: B.apply(x.T.copy(), axis=0),
    "vjp": lambda B, x: B.vjp(x, x),
}


def warmup(
    dtypes: Iterable[DTypeLike] = (np.float32, np.float64),
    *,
    uses: Iterable[str] = ("apply", "columns", "vjp"),
    small: bool = False,
    mixed: bool = False,
) -> None:
    """Compile kernels now, or load them from Numba's cache, for a service's start.

    Without it a kernel is compiled when it is first used, which takes about two seconds
    for each dtype, use and order of strides. Processes of a machine that share a cache
    folder (``NUMBA_CACHE_DIR``) wait for it only once.

    Parameters
    ----------
    dtypes : iterable of dtype
        Dtypes of the butterflies and of the arrays that they are applied to.
    uses : iterable of {"apply", "columns", "vjp"}
        Rows and single vectors; columns, as in ``B @ X``; gradients.
    small : bool
        Also kernels for sizes below four registers (32 float32 elements with AVX2).
    mixed : bool
        Also kernels for layers with blocks other than 2x2.

    Raises
    ------
    ValueError
        If a dtype or a use is unknown.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> fb.warmup(["float32"], uses=["apply"])
    """
    if isinstance(dtypes, str) or not np.iterable(dtypes):
        dtypes = [dtypes]
    uses = [uses] if isinstance(uses, str) else uses
    calls = [as_choice("uses", use, USES) for use in uses]
    for dtype in [as_dtype(dtype) for dtype in dtypes]:
        for n in {SIZES[False], SIZES[bool(small)]}:
            for stride in REVERSED:
                B = Butterfly.random(n, init="identity", stride=stride, dtype=dtype)
                _run(calls, B)
        if mixed:
            _run(calls, Butterfly.random(MIXED, init="identity", dtype=dtype))


def _run(calls, B):
    x = np.zeros((64, B.shape[1]), B.dtype)
    for call in calls:
        call(B, x)
