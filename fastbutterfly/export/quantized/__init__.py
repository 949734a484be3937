"""Networks of integers."""
