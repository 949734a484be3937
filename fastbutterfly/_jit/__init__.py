"""Numba: options, compiled kernels on disk, and registers for kernels."""
