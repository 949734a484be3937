"""Benchmarks: how they measure, and `fastbutterfly bench`."""
