"""Transforms as butterflies: Fourier, cosine, Hadamard, rotations, random ones."""
