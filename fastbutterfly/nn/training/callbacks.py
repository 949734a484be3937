"""Callbacks of fit: stop early, average the weights."""

import math

import numpy as np

from ..._base.arguments import as_size
from ..arguments import as_flag, as_number
from ..layers.layer import Layer
from .history import History


class _Callback:
    """Starts anew whenever it is given the history of another run.

    A subclass names the attributes that `_reset` sets in `_state_names`.
    """

    _history = None
    _state_names = ()

    def state(self) -> dict:
        """Return the attributes that a checkpoint stores."""
        return {name: getattr(self, name) for name in self._state_names}

    def resume(self, state: dict, history: History) -> None:
        """Continue a run of this history from such a state."""
        self.__dict__.update({name: state[name] for name in self._state_names})
        self._history = history

    def _reset(self):
        raise NotImplementedError

    def _follow(self, history):
        if history is not self._history:
            self._reset()
            self._history = history


class EarlyStopping(_Callback):
    """End a run once the validation loss no longer falls.

    Parameters
    ----------
    patience : int
        Epochs in a row without progress after which the run ends.
    min_delta : float
        A loss that is lower by more than this is progress.
    restore : bool
        Whether the network gets the parameters of its best epoch when the run is over:
        stopped, after its last epoch, or interrupted.

    Attributes
    ----------
    best_epoch : int or None
        Index into ``history.epochs`` of the lowest validation loss; None before the
        first epoch of a run.
    best_loss : float
        The lowest validation loss.
    best_parameters : array or None
        A copy of the network's parameters after that epoch.

    Raises
    ------
    ValueError, TypeError
        If an option is not as described; in `fit`, if it has no validation.

    Notes
    -----
    The best epoch is the one of the lowest loss, by however little. Progress is counted
    from the last loss that was progress, so that many small steps add up. See Prechelt
    (1998), Early stopping - but when?

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import nn
    >>> X = np.random.default_rng(0).standard_normal((200, 8))
    >>> net, early = nn.Dense(8, 8, rng=0), nn.EarlyStopping(2)
    >>> options = {"loss": nn.MSE(), "optimizer": nn.SGD(1.0), "rng": 0}
    >>> history = nn.fit(
    ...     net, X, X, epochs=10**6, validation=(X, X), callbacks=[early], **options
    ... )
    >>> history.stopped
    True
    """

    _state_names = "best_epoch", "best_loss", "best_parameters", "_progress", "_waited"

    def __init__(self, patience: int, min_delta: float = 0, restore: bool = True):
        self.patience = as_size("patience", patience)
        self.min_delta = as_number("min_delta", min_delta)
        self.restore = as_flag("restore", restore)
        self._reset()

    def __call__(self, net: Layer, history: History) -> bool:
        """Look at the last epoch; return whether to stop."""
        self._follow(history)
        loss = history.epochs[-1].validation_loss
        if loss is None:
            raise ValueError(
                "EarlyStopping needs a validation loss: fit(..., validation=(X, y)), "
                "got validation=None"
            )
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, len(history.epochs) - 1
            self.best_parameters = net.parameters.copy()
        self._waited += 1
        if loss < self._progress - self.min_delta:
            self._progress, self._waited = loss, 0
        return self._waited >= self.patience

    def end(self, net: Layer, history: History) -> None:
        """Restore the best parameters, if `restore` is set."""
        known = history is self._history and self.best_parameters is not None
        if self.restore and known:
            net.parameters[...] = self.best_parameters

    def _reset(self):
        self.best_epoch = self.best_parameters = None
        self.best_loss = self._progress = math.inf
        self._waited = 0

    def __repr__(self):
        return (
            f"EarlyStopping({self.patience}, min_delta={self.min_delta}, "
            f"restore={self.restore})"
        )


class AveragedWeights(_Callback):
    """Average the parameters after each epoch of a run.

    Parameters
    ----------
    decay : float, optional
        None: all epochs count the same (Izmailov et al. 2018, Averaging weights leads
        to wider optima and better generalization). From 0 to below 1: after each epoch
        average = decay * average + (1 - decay) * parameters, from the first epoch's on
        (Polyak and Juditsky 1992 in its exponential form).
    start : int
        Epochs of a run that do not count.

    Attributes
    ----------
    count : int
        Epochs in the average.
    parameters : array or None
        The average, in float64.

    Raises
    ------
    ValueError, TypeError
        If an option is not as described.

    Notes
    -----
    The run does not notice: the network keeps its own parameters until `apply_to`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import nn
    >>> X = np.random.default_rng(0).standard_normal((200, 8))
    >>> net, average = nn.Dense(8, 8, rng=0), nn.AveragedWeights(start=5)
    >>> options = {"loss": nn.MSE(), "optimizer": nn.SGD(1.0), "rng": 0}
    >>> history = nn.fit(net, X, X, epochs=10, callbacks=[average], **options)
    >>> average.apply_to(net)
    >>> average.count
    5
    """

    _state_names = "count", "parameters"

    def __init__(self, decay: float | None = None, start: int = 0):
        self.decay = None if decay is None else as_number("decay", decay, below=1)
        self.start = as_size("start", start, least=0)
        self._reset()

    def __call__(self, net: Layer, history: History) -> None:
        """Take the parameters into the average."""
        self._follow(history)
        if len(history.epochs) <= self.start:
            return
        self.count += 1
        if self.parameters is None:
            self.parameters = net.parameters.astype(np.float64)
            return
        share = 1 / self.count if self.decay is None else 1 - self.decay
        self.parameters += share * (net.parameters - self.parameters)

    def apply_to(self, net: Layer) -> None:
        """Write the average into a network of the same shape.

        Raises
        ------
        ValueError
            If there is no average yet, or the network has other parameters.
        """
        if self.parameters is None:
            raise ValueError(
                "there is no average yet: pass it to fit(..., callbacks=...), with "
                f"more than start={self.start} epochs"
            )
        if net.parameters.shape != self.parameters.shape:
            raise ValueError(
                f"net must have {self.parameters.size} parameters, "
                f"got {net.parameters.size}"
            )
        net.parameters[...] = self.parameters

    def _reset(self):
        self.count, self.parameters = 0, None

    def __repr__(self):
        return f"AveragedWeights(decay={self.decay}, start={self.start})"
