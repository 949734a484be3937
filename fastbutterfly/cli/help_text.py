"""Help texts: how they are laid out, and what several commands say alike."""

import argparse

DATA_VARIABLE = "FASTBUTTERFLY_DATA"
DATA = (
    "CSV, with names in its first line unless that has numbers only; - for standard "
    "input; or .npz, with the samples as its only array besides the target, or as X"
)
MODEL = "file written by train, or by net.save"
EXAMPLES = "examples:"


class Formatter(argparse.HelpFormatter):
    """Wraps all text except the examples, which are to be copied."""

    def _fill_text(self, text, width, indent):
        if text.startswith(EXAMPLES):
            return text
        return super()._fill_text(text, width, indent)


def examples(command, arguments):
    """Lines that show the command with each of several arguments."""
    lines = (f"  fastbutterfly {command} {words}".rstrip(" ") for words in arguments)
    return "\n".join([EXAMPLES, *lines])
