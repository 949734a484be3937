"""Matrices of low rank by sketching."""
