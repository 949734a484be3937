"""One step of stochastic gradient descent over a flat parameter buffer."""

from .._jit import jit


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
