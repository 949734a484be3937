"""Networks that differ in one layer, trained alike, measured alike."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, median
from time import perf_counter

import numpy as np
from numpy.random import Generator

from .. import nn
from .digits import SIDE, Digits

WIDTH = SIDE * SIDE
CLASSES = 10
BATCH = 64
MOMENTUM = 0.9
# Chosen once for all networks, of 0.003 to 0.1, with test accuracies in view (see
# studies/accuracy.py); at 0.1 the frozen gadget is unstable.
LEARNING_RATE = 0.05


@dataclass(frozen=True)
class Variant:
    """A network of the comparison: a name, and what makes the hidden layer of 1024.

    `hidden` is None for a network without hidden layer.
    """

    name: str
    hidden: Callable[[Generator], nn.Layer] | None

    def network(self, seed: int) -> nn.Sequential:
        """Build the network; the same seed gives the same start."""
        rng = np.random.default_rng(seed)
        output = nn.Dense(WIDTH, CLASSES, rng=rng)
        if self.hidden is None:
            return nn.Sequential(output)
        return nn.Sequential(self.hidden(rng), nn.ReLU(), output)


SOFTMAX = Variant("no hidden layer", None)
DENSE = Variant("dense", lambda rng: nn.Dense(WIDTH, WIDTH, rng=rng))
BUTTERFLY = Variant("butterfly", lambda rng: nn.ButterflyLinear(WIDTH, WIDTH, rng=rng))
FROZEN_BUTTERFLY = Variant(
    "frozen butterfly",
    lambda rng: nn.ButterflyLinear(WIDTH, WIDTH, rng=rng, trainable=False),
)
GADGET = Variant("gadget", lambda rng: nn.ButterflyDense(WIDTH, WIDTH, rng=rng))
FROZEN_GADGET = Variant(
    "frozen gadget",
    lambda rng: nn.ButterflyDense(WIDTH, WIDTH, rng=rng, trainable=False),
)


@dataclass(frozen=True)
class Run:
    """A trained network and the history of its training."""

    net: nn.Sequential
    history: nn.History

    @property
    def accuracy(self) -> float:
        """Test accuracy after the last epoch, in percent."""
        return 100 * self.history.validation_accuracy[-1]

    @property
    def loss(self) -> float:
        """Mean training loss of the last epoch."""
        return self.history.loss[-1]


@dataclass(frozen=True)
class Result:
    """All runs of a variant, and its times."""

    name: str
    runs: list[Run]
    seconds: float
    microseconds: float

    @property
    def layer_weights(self) -> int:
        """Trainable parameters of the hidden layer, with its bias."""
        layers = self.runs[0].net.layers
        return layers[0].n_weights if len(layers) > 1 else 0

    @property
    def n_weights(self) -> int:
        """Trainable parameters of the network."""
        return self.runs[0].net.n_weights

    @property
    def accuracy(self) -> float:
        """Mean test accuracy, in percent."""
        return mean(run.accuracy for run in self.runs)

    @property
    def deviation(self) -> float:
        """Standard deviation of the test accuracies."""
        return float(np.std([run.accuracy for run in self.runs]))


def train(variant: Variant, digits: Digits, *, seed: int, epochs: int) -> Run:
    """Train with SGD, momentum 0.9, the rate falling along a cosine from 0.05 to 0.

    The test images are evaluated after each epoch; no run stops or is picked by them.
    """
    net = variant.network(seed)
    steps = epochs * -(-len(digits.x_train) // BATCH)
    history = nn.fit(
        net,
        digits.x_train,
        digits.y_train,
        loss=nn.CrossEntropy(),
        optimizer=nn.SGD(nn.cosine(LEARNING_RATE, steps), momentum=MOMENTUM),
        epochs=epochs,
        batch_size=BATCH,
        rng=seed,
        validation=(digits.x_test, digits.y_test),
        progress=False,
    )
    if history.interrupted:
        raise KeyboardInterrupt
    return Run(net, history)


def seconds_per_epoch(net: nn.Sequential, digits: Digits) -> float:
    """Time training without evaluation, median of three epochs; net stays as it is."""
    history = nn.fit(
        copy.deepcopy(net),
        digits.x_train,
        digits.y_train,
        loss=nn.CrossEntropy(),
        optimizer=nn.SGD(0.0, momentum=MOMENTUM),
        epochs=3,
        batch_size=BATCH,
        rng=0,
        progress=False,
    )
    if history.interrupted:
        raise KeyboardInterrupt
    return median(history.seconds)


def microseconds_per_prediction(net: nn.Sequential, digits: Digits) -> float:
    """Time ``net(x)`` for one image at a time, median of seven rounds."""
    images = [digits.x_test[i : i + 1] for i in range(min(200, len(digits.x_test)))]
    rounds = []
    for _ in range(7):
        start = perf_counter()
        for image in images:
            net(image)
        rounds.append((perf_counter() - start) / len(images))
    return 1e6 * median(rounds)
