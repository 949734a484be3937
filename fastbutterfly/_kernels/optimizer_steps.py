"""One step of an optimiser over a flat parameter buffer."""

import numpy as np

from .._jit.options import jit


@jit
def sgd(parameters, gradient, lr, weight_decay):
    """parameters, gradient (size,); entries below i are updated."""
    for i in range(parameters.size):
        decayed = gradient[i] + weight_decay * parameters[i]
        parameters[i] -= lr * decayed


@jit
def sgd_momentum(parameters, gradient, velocity, lr, momentum, weight_decay, nesterov):
    """parameters, gradient, velocity (size,); entries below i are updated."""
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
    """parameters, gradient, mean, square (size,); entries below i are updated.

    rates: (lr, weight_decay, eps). means, squares: (what is kept, what is taken from
    the gradient, the correction for the start), the last for squares of their root.
    """
    lr, weight_decay, eps = rates
    keep_mean, take_mean, of_mean = means
    keep_square, take_square, of_root = squares
    for i in range(parameters.size):
        g = gradient[i]
        m = keep_mean * mean[i] + take_mean * g
        v = keep_square * square[i] + take_square * g * g
        mean[i] = m
        square[i] = v
        direction = of_mean * m / (of_root * np.sqrt(v) + eps)
        parameters[i] -= lr * (direction + weight_decay * parameters[i])
