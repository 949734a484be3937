"""Least squares by sketching."""
