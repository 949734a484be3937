"""learn: a sketch for the low-rank approximation of matrices like the given ones."""

from collections.abc import Callable, Iterable
from time import perf_counter

from numpy.random import Generator
from numpy.typing import ArrayLike

from .._base.arguments import as_choice, as_generator, as_size
from ..nn import Adam
from ..nn.training.fit import check_optimizer
from .arguments import as_matrices
from .low_rank import METRICS
from .models import MODELS, make
from .random import count_sketch
from .sketch import Sketch
from .training import Learned, LearningRun, Stacks


def learn(
    matrices: Iterable[ArrayLike],
    l: int,
    k: int,
    *,
    kind: str = "butterfly",
    nonzeros: int = 1,
    metric: str = "norm",
    steps: int = 1000,
    batch_size: int = 8,
    optimizer=None,
    validation: Iterable[ArrayLike] | None = None,
    every: int = 50,
    append: int = 0,
    rng: Generator | int | None = None,
    callback: Callable[[int, Sketch], object] | None = None,
) -> Learned:
    """Learn a sketch S (l, n) with small errors of its `low_rank` approximations.

    Parameters
    ----------
    matrices : array (n, d), or iterable of such
        Training set: real, finite, dense or sparse, with the same n and any d. Errors
        are not weighted: scale the matrices first, for instance to the same largest
        singular value.
    l : int
        Rows of the sketch, from k to n.
    k : int
        Rank of the approximations.
    kind : {"butterfly", "sparse", "dense"}
        "butterfly": truncated, initially an `fjlt`. "sparse": `nonzeros` entries in
        each column, in random rows that stay fixed (Indyk, Vakilian and Yuan, 2019).
        "dense": all entries.
    nonzeros : int
        Non-zeros in each column of a sparse sketch.
    metric : {"squared", "norm", "relative"}
        Error that is minimised, see `excess`.
    steps : int
        Steps of the optimizer.
    batch_size : int
        Matrices a step, drawn without replacement until all have been used.
    optimizer : SGD, Adam, or any object with `init` and `update` as they have them
        None: ``nn.Adam(1e-2)``.
    validation : array, or iterable of such, optional
        Matrices on which the returned sketch was the best. None: the last is returned.
    every : int
        Steps between two validations.
    append : int
        Rows of an untrained `count_sketch` below the l learned rows, which keep its
        guarantee for every matrix. 0: none.
    rng : Generator, int or None
        Draws the initial sketch and the batches; the same rng gives the same bits.
    callback : callable, optional
        Called as ``callback(step, sketch)`` with each validation; True ends the run.

    Returns
    -------
    Learned

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    DivergenceError
        As soon as an error, a gradient or the parameters are not finite.

    Notes
    -----
    For A = S X, V an orthonormal basis of its rows and U_k the first k left singular
    vectors of X V, the squared error is |X|^2 - |U_k^T X V|^2. It is differentiated
    exactly, with U_k held fixed (see `fastbutterfly.nn.variable_projection`), not
    through an unrolled singular value decomposition. Zero or repeated rows of S X do no
    harm. All is computed in double precision.

    References
    ----------
    Ailon, Leibovich and Nair (2021), Section 7.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import sketch
    >>> rng = np.random.default_rng(0)
    >>> base = rng.standard_normal((16, 2))
    >>> Xs = [base @ rng.standard_normal((2, 9)) for _ in range(20)]
    >>> Xs = [X + 0.1 * rng.standard_normal(X.shape) for X in Xs]
    >>> learned = sketch.learn(Xs, 2, 2, steps=200, rng=0)
    >>> before = sketch.excess(Xs, sketch.fjlt(2, 16, rng=0), 2)
    >>> sketch.excess(Xs, learned.sketch, 2) < before / 2
    True
    """
    matrices = as_matrices("matrices", matrices)
    n = matrices[0].shape[0]
    k, count = as_size("k", k), as_size("l", l)
    if not k <= count <= n:
        raise ValueError(f"l must be from k to n, {k} ... {n}, got {count}")
    kind, rng = as_choice("kind", kind, MODELS), as_generator(rng)
    as_choice("metric", metric, METRICS)
    model = make(kind, count, n, rng, nonzeros)
    if optimizer is None:
        optimizer = Adam(1e-2)
    check_optimizer(optimizer)
    if validation is not None:
        validation = as_matrices("validation", validation)
        if (rows := validation[0].shape[0]) != n:
            raise ValueError(f"validation must have {n} rows, as matrices, got {rows}")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    steps, every = as_size("steps", steps, least=0), as_size("every", every)
    batch_size = as_size("batch_size", batch_size)
    append = as_size("append", append, least=0)
    if append > n:
        raise ValueError(f"append must be at most n = {n}, got {append}")
    tail = [count_sketch(append, n, rng=rng)] if append else []
    run = LearningRun(model, optimizer, tail, k, metric, validation, callback)
    start = perf_counter()
    try:
        run.train(Stacks(matrices, k, metric), steps, batch_size, every, rng)
    except KeyboardInterrupt:
        run.learned.interrupted = True
    run.learned.seconds = perf_counter() - start
    return run.finish()
