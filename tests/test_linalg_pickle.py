"""Results are pickled by public names, and are the same after it."""

import inspect
import pickle
import re

import numpy as np
import pytest
from scipy.linalg import toeplitz

from fastbutterfly import linalg

A = np.random.default_rng(0).standard_normal((200, 12))
SQUARE = toeplitz(1 / (1 + np.arange(64.0)))
RESULTS = {
    "LeastSquares": lambda: linalg.lstsq(A, A[:, :2], method="sketch", rng=0),
    "SVD": lambda: linalg.rsvd(A, 3, rng=0),
    "Eigen": lambda: linalg.eigh(SQUARE, 3, rng=0),
    "PivotedQR": lambda: linalg.qr(A, 3, rng=0),
    "LU": lambda: linalg.lu_rbt(SQUARE, rng=0),
    "Solution": lambda: linalg.solve(SQUARE, SQUARE[0], rng=0),
    "Preconditioner": lambda: linalg.preconditioner(SQUARE, spd=True, rng=0),
}


def arrays(value):
    """The fields of a result, or its products with a right-hand side."""
    if isinstance(value, linalg.LU):
        value = value.solve(SQUARE[0])
    if isinstance(value, linalg.Preconditioner):
        return [value @ SQUARE[:, :3], value.H @ SQUARE[0], value.residual]
    if isinstance(value, tuple):
        return list(value)
    return list(vars(value).values())


@pytest.mark.parametrize("name", RESULTS)
def test_round_trip(name):
    made = RESULTS[name]()
    assert type(made) is getattr(linalg, name)
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is type(made)
    for x, y in zip(arrays(made), arrays(again), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", RESULTS)
def test_classes_have_public_names(name):
    kind = getattr(linalg, name)
    assert (kind.__module__, kind.__qualname__) == ("fastbutterfly.linalg", name)
    modules = re.findall(rb"fastbutterfly\.linalg[\w.]*", pickle.dumps(RESULTS[name]()))
    assert set(modules) == {b"fastbutterfly.linalg"}


def test_every_class_is_tried():
    classes = {n for n in linalg.__all__ if inspect.isclass(getattr(linalg, n))}
    assert classes == set(RESULTS)
