"""Optimiser steps: one update of a flat buffer of parameters, in one pass."""

import numpy as np

from .._jit.options import jit


@jit
def sgd(parameters, gradient, lr, weight_decay):
    """parameters, updated in place, and gradient (size,)."""
    for i in range(parameters.size):
        decayed = gradient[i] + weight_decay * parameters[i]
        parameters[i] -= lr * decayed


@jit
def sgd_momentum(parameters, gradient, velocity, lr, momentum, weight_decay, nesterov):
    """parameters and velocity, updated in place, and gradient (size,)."""
    for i in range(parameters.size):
        decayed = gradient[i] + weight_decay * parameters[i]
        moved = momentum * velocity[i] + decayed
        velocity[i] = moved
        if nesterov:
            moved = momentum * moved + decayed
        parameters[i] -= lr * moved


@jit
def sgd_decoupled(parameters, gradient, velocity, lr, momentum, weight_decay, nesterov):
    """As sgd_momentum, but the decay does not enter the velocity."""
    for i in range(parameters.size):
        moved = momentum * velocity[i] + gradient[i]
        velocity[i] = moved
        if nesterov:
            moved = momentum * moved + gradient[i]
        parameters[i] -= lr * (moved + weight_decay * parameters[i])


@jit
def adam(parameters, gradient, mean, square, rates, means, squares):
    """parameters, mean and square, updated in place, and gradient (size,).

    rates: (lr, weight_decay, eps). means: (beta1, 1 - beta1, 1 / (1 - beta1^t)) of step
    t; squares: (beta2, 1 - beta2, 1 / sqrt(1 - beta2^t)).
    """
    lr, weight_decay, eps = rates
    keep_mean, take_mean, correct_mean = means
    keep_square, take_square, correct_root = squares
    for i in range(parameters.size):
        g = gradient[i]
        m = keep_mean * mean[i] + take_mean * g
        v = keep_square * square[i] + take_square * g * g
        mean[i] = m
        square[i] = v
        direction = correct_mean * m / (correct_root * np.sqrt(v) + eps)
        parameters[i] -= lr * (direction + weight_decay * parameters[i])
