"""Training of the estimators: when it stops, and how it is continued."""

import numpy as np


class Plateau:
    """Callback that stops a run once the training loss no longer falls.

    An epoch is progress if its loss is below the best one by more than `tol`. More than
    `patience` epochs in a row without progress stop the run, as in scikit-learn's
    MLPClassifier.
    """

    def __init__(self, patience, tol):
        self.patience, self.tol = patience, tol
        self.best, self.waited = np.inf, 0

    def __call__(self, net, history):
        """Look at the last epoch; return whether to stop."""
        loss = history.epochs[-1].loss
        self.waited = self.waited + 1 if loss > self.best - self.tol else 0
        self.best = min(self.best, loss)
        return self.waited > self.patience


class Continued:
    """An optimiser whose state is kept from one run to the next."""

    def __init__(self, optimizer):
        self.optimizer, self.state = optimizer, None

    def init(self, parameters):
        """Return the state, as the last run left it."""
        if self.state is None:
            self.state = self.optimizer.init(parameters)
        return self.state

    def update(self, parameters, gradient, state):
        """Do one step, in place."""
        self.optimizer.update(parameters, gradient, state)
