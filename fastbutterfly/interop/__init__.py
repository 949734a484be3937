"""Butterflies from and to what other libraries keep them in."""
