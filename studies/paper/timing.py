"""Timing: mean and best of many calls that take turns, so that noise hits all alike."""

from statistics import mean
from time import perf_counter

import numpy as np


def times(calls, rounds=100):
    """{name: (mean, best)} in microseconds."""
    microseconds = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            start = perf_counter()
            call()
            microseconds[name].append(1e6 * (perf_counter() - start))
    return {
        name: (round(mean(t), 1), round(min(t), 1)) for name, t in microseconds.items()
    }


def training_step(net, loss, optimizer, x, y, rng):
    """Make the call of one step on a batch."""
    state, gradient = optimizer.init(net.parameters), np.zeros_like(net.parameters)

    def step():
        z, saved = net.forward_training(x, rng)
        _, g = loss(z, y)
        net.backward(saved, g, gradient, input_gradient=False)
        optimizer.update(net.parameters, gradient, state)

    return step
