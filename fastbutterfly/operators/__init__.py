"""Operators: linear maps made of sparse layers, as frozen values."""
