"""Euclidean norms of the columns of a matrix."""

import numpy as np


def norms(columns):
    """Norms of the columns; their squares must neither overflow nor underflow."""
    return np.sqrt(np.einsum("ij,ij->j", columns.conj(), columns).real)


def safe_norms(columns):
    """Norms of the columns, also where squares overflow or underflow."""
    largest = np.abs(columns).max(axis=0, initial=0)
    return norms(columns / nonzero(largest)) * largest


def nonzero(divisors):
    """The divisors with 1 instead of 0, where the dividend is zero too."""
    return np.where(divisors == 0, 1, divisors)
