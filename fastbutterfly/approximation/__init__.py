"""Approximation of matrices by butterflies, and by matrices of low rank."""
