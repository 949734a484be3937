"""Butterflies from and to the formats of other libraries."""

from .factors import (
    from_factors,
    from_kronecker_sparse,
    from_twiddle,
    to_kronecker_sparse,
    to_twiddle,
)

__all__ = [
    "from_factors",
    "from_kronecker_sparse",
    "from_twiddle",
    "to_kronecker_sparse",
    "to_twiddle",
]
