"""Data: samples and targets, batch by batch."""

from collections.abc import Iterable, Iterator
from operator import length_hint

import numpy as np

from ..arguments import (
    as_batch,
    as_sample_weight,
    check_data,
    check_weights,
    rows_of,
)

BATCH_SIZE = 64


def make_data(x, y, sample_weight, batch_size, epochs, net, loss):
    """`Arrays`, or `Batches` if there is no y, or raise."""
    if y is None:
        return Batches(x, sample_weight, batch_size, epochs, net, loss)
    x, y = check_data("X", x, "y", y, net, loss)
    weights = check_weights("sample_weight", sample_weight, x.shape[0])
    return Arrays(x, y, weights, batch_size or BATCH_SIZE, net.dtype)


class Arrays:
    """Samples and targets that lie in arrays, shuffled for each epoch."""

    def __init__(self, x, y, weights, batch_size, dtype):
        self.x, self.y, self.weights = x, y, weights
        self.batch_size, self.dtype = batch_size, dtype
        self.count = -(-x.shape[0] // batch_size)  # of batches

    def epoch(self, rng):
        """Give (x, y) or (x, y, weights) of each batch."""
        order = rng.permutation(self.x.shape[0])
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            batch = as_batch(rows_of(self.x, rows), self.dtype)
            if self.y is self.x:  # of an autoencoder: one copy serves as both
                y = batch
            else:
                y = np.ascontiguousarray(rows_of(self.y, rows))
            if self.weights is None:
                yield batch, y
            else:
                yield batch, y, rows_of(self.weights, rows)

    def describe(self):
        """What must agree in a resumed run."""
        kind = "arrays" if self.weights is None else "weighted arrays"
        return [kind, list(self.x.shape), list(self.y.shape), self.batch_size]


class Batches:
    """An iterable of batches, gone through once an epoch, each checked as it comes."""

    def __init__(self, batches, sample_weight, batch_size, epochs, net, loss):
        if not isinstance(batches, Iterable) or isinstance(batches, np.ndarray):
            kind = type(batches).__name__
            raise TypeError(
                "y must be given with arrays; without it X must be an iterable of "
                f"batches (X, y) or (X, y, sample_weight), got {kind}"
            )
        for name, value in ("sample_weight", sample_weight), ("batch_size", batch_size):
            if value is not None:
                raise ValueError(
                    f"{name} must be None where X is an iterable of batches: what they "
                    f"hold decides, got {value!r}"
                )
        if isinstance(batches, Iterator) and epochs > 1:
            raise ValueError(
                "X is an iterator, which can be gone through once, but epochs is "
                f"{epochs}: pass epochs=1, a list, or an object whose __iter__ starts "
                "anew"
            )
        self.batches, self.net, self.loss = batches, net, loss
        self.count = length_hint(batches) or None  # not every iterable knows its length
        self._epochs = 0

    def epoch(self, rng):
        """Give (x, y) or (x, y, weights) of each batch."""
        self._epochs += 1
        number = -1
        for number, batch in enumerate(self.batches):
            yield self._checked(f"batch {number} of X", batch)
        if number < 0:
            raise ValueError(
                f"X must hold at least one batch, got none in epoch {self._epochs}"
            )

    def _checked(self, name, batch):
        if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
            kind = type(batch).__name__
            raise TypeError(
                f"{name} must be (X, y) or (X, y, sample_weight), got {kind}"
            )
        names = [f"{part} of {name}" for part in ("X", "y", "sample_weight")]
        x, y, *weights = batch
        x, y = check_data(names[0], x, names[1], y, self.net, self.loss)
        x = as_batch(rows_of(x, slice(None)), self.net.dtype)
        return x, y, *(as_sample_weight(names[2], w, len(x)) for w in weights)

    def describe(self):
        """What must agree in a resumed run."""
        return ["batches", self.count]
