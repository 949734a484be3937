"""History: the record of a training run, and the error of a run that diverged."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Epoch(NamedTuple):
    """Losses, accuracy and duration of one epoch; None where there is no validation."""

    loss: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float


@dataclass(repr=False)
class History:
    """Record of a training run, by completed epochs.

    Attributes
    ----------
    epochs : list of Epoch
        Each with `loss` (mean over the epoch's batches, while it was trained),
        `validation_loss` and `validation_accuracy` (after it; None where there is
        none), `seconds` (with the validation). `history.loss` is the list of all of
        them, and so on.
    steps : int
        Updates done, also in an epoch that was not completed.
    interrupted : bool
        Whether Ctrl-C ended the run.
    stopped : bool
        Whether a callback ended it.
    """

    epochs: list[Epoch] = field(default_factory=list)
    steps: int = 0
    interrupted: bool = False
    stopped: bool = False

    @property
    def loss(self) -> list[float]:
        """Training loss of each epoch."""
        return [epoch.loss for epoch in self.epochs]

    @property
    def validation_loss(self) -> list[float | None]:
        """Validation loss after each epoch."""
        return [epoch.validation_loss for epoch in self.epochs]

    @property
    def validation_accuracy(self) -> list[float | None]:
        """Validation accuracy after each epoch."""
        return [epoch.validation_accuracy for epoch in self.epochs]

    @property
    def seconds(self) -> list[float]:
        """Duration of each epoch."""
        return [epoch.seconds for epoch in self.epochs]

    def __repr__(self):
        parts = [f"{len(self.epochs)} epochs", f"{self.steps} steps"]
        if self.epochs:
            parts += [describe(self.epochs[-1]), f"{sum(self.seconds):.3g} s"]
        if self.interrupted:
            parts.append("interrupted")
        if self.stopped:
            parts.append("stopped")
        return f"History({', '.join(parts)})"


class DivergenceError(ArithmeticError):
    """The loss, its gradient or the parameters became infinite or NaN in training.

    Attributes
    ----------
    step : int
        Updates done before it was noticed.
    history : History
        The completed epochs.
    """

    def __init__(self, message: str, step: int = 0, history: History | None = None):
        super().__init__(message)
        self.step = step
        self.history = history


def describe(epoch):
    """One line on an epoch's losses and accuracy."""
    parts = [f"loss {epoch.loss:.4g}"]
    if epoch.validation_loss is not None:
        parts.append(f"validation loss {epoch.validation_loss:.4g}")
    if epoch.validation_accuracy is not None:
        parts.append(f"accuracy {100 * epoch.validation_accuracy:.2f} %")
    return ", ".join(parts)
