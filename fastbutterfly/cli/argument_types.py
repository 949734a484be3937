"""Types of arguments: a text becomes a value, or argparse says what it must be."""

import argparse
import re

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}


def positive(text):
    """An integer of at least 1."""
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return value


def natural(text):
    """A seed."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(
            f"must be an integer from 0 to 2**32 - 1, got {text!r}"
        )
    return int(text)


def sizes(text):
    """Integers with commas."""
    return tuple(positive(part.strip()) for part in text.split(","))


def _number(text):
    try:
        return float(text)
    except ValueError:
        return float("nan")


def seconds(text):
    """A time."""
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return value


def share(text):
    """A number in [0, 1)."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to below 1, got {text!r}")
    return value


def size(text):
    """A number of bytes."""
    match = re.fullmatch(r"(\d+)([KM]?)B?", text.upper())
    if not match or not int(match[1]):
        raise argparse.ArgumentTypeError(
            f"must be bytes such as 32768, 32K or 1M, got {text!r}"
        )
    return int(match[1]) * UNITS[match[2]]
