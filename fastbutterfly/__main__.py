"""Run the command line: `python -m fastbutterfly`."""

import sys

from fastbutterfly.cli import main

if __name__ == "__main__":
    sys.exit(main())
