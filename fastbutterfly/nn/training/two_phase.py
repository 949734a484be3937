"""two_phase: train an encoder-decoder network as the paper does, first with B fixed."""

from typing import NamedTuple

from numpy.typing import ArrayLike

from ..._base.arguments import as_generator
from ..arguments import as_flag
from ..layers.dense import Dense
from ..layers.encoder_decoder import EncoderDecoder
from ..layers.sequential import Sequential
from ..losses import MSE
from .fit import check_validation, fit
from .history import History


class TwoPhases(NamedTuple):
    """The losses and histories of the two phases.

    Attributes
    ----------
    losses : (float, float)
        |D E B X - Y|^2 at the end of each phase.
    histories : (History or None, History)
        As of `fit`; None for a phase solved in closed form. If Ctrl-C ends the first
        phase, the second history is empty.
    """

    losses: tuple[float, float]
    histories: tuple[History | None, History]


def two_phase(
    net: EncoderDecoder,
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    optimizer,
    exact: bool = True,
    rng=None,
    **options,
) -> TwoPhases:
    """Train E and D with B fixed, then all three together.

    Parameters
    ----------
    net : EncoderDecoder
        Trained in place.
    X : array, shape (samples, n_in)
        Real and finite; a sparse matrix of SciPy becomes dense.
    Y : array, shape (samples, n_out), optional
        None: X.
    optimizer : SGD, Adam, or any object with `init` and `update` as they have them
        For each phase anew.
    exact : bool
        True: the first phase is solved in closed form. False: it is trained.
    rng : Generator, int or None
        As for `fit`.
    **options
        Of `fit`, for each phase that is trained: epochs, batch_size, callbacks, ...
        The loss is `MSE`. A validation is one of the whole network; callbacks in the
        first phase see E and D alone. A checkpoint is for the second phase, with
        ``exact=True``.

    Returns
    -------
    TwoPhases

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    DivergenceError
        As `fit`.

    Notes
    -----
    Ailon, Leibovich and Nair (2021), Section 5.3. While B is fixed, every local minimum
    is a global one (Theorem 1), so the first phase is solved by
    `fastbutterfly.reduced_rank`. The second starts there; it ends above where the
    learning rate is too large, or the first is as good as PCA.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import nn
    >>> X = np.random.default_rng(0).standard_normal((40, 16))
    >>> net = nn.EncoderDecoder(16, 16, k=2, l=3, rng=0)
    >>> result = nn.two_phase(net, X, optimizer=nn.Adam(1e-2), epochs=100, rng=0)
    >>> result.losses[1] < result.losses[0]
    True
    """
    if not isinstance(net, EncoderDecoder):
        raise TypeError(f"net must be an EncoderDecoder, got {net!r}")
    if "loss" in options:
        raise TypeError("loss must not be given: it is nn.MSE()")
    exact, rng = as_flag("exact", exact), as_generator(rng)
    if not exact and options.get("checkpoint") is not None:
        raise TypeError("checkpoint must not be given with exact=False: one file a run")
    x, y = net._data(X, Y)
    options |= {"optimizer": optimizer, "loss": MSE(), "rng": rng}
    first = None
    if exact:
        before = net.solve(x, y).loss
    else:
        first = _train_dense(net, x, y, options)
        before = _loss(net, x, y)
        if first.interrupted:
            return TwoPhases((before, before), (first, History(interrupted=True)))
    second = fit(net, x, y, **options)
    return TwoPhases((before, _loss(net, x, y)), (first, second))


def _train_dense(net, x, y, options):
    """Train E and D on the outputs of B."""
    butterfly, *dense = net.layers
    held_out = check_validation(options.get("validation"), net, MSE())
    if held_out:
        options = {**options, "validation": (butterfly(held_out[0]), *held_out[1:])}
    copies = [Dense.from_arrays(layer.weights, dtype=net.dtype) for layer in dense]
    history = fit(Sequential(*copies), butterfly(x), y, **options)
    for layer, copy in zip(dense, copies, strict=True):
        layer.weights[...] = copy.weights
    return history


def _loss(net, x, y):
    return float(((net(x) - y) ** 2).sum())
