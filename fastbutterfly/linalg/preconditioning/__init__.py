"""Preconditioners made of butterflies."""
