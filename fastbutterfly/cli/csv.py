"""CSV files: a line of names or none, then lines of numbers, each of them checked."""

import csv
import io
import sys
from array import array
from contextlib import contextmanager
from itertools import chain
from math import isfinite
from reprlib import Repr

import numpy as np

DELIMITERS = ",;\t"
_short = Repr()
_short.maxstring = 60
shown = _short.repr  # a text in messages
REMEDY = "fill in or remove such rows"
NO_NUMBER = (
    "write decimals with a point, fill in or remove missing values, make numbers of "
    "categories (e.g. a column of 0 and 1 for each), or leave the column out"
)


@contextmanager
def opened(source):
    """Give the `Csv` of a file, or of standard input for -; errors name it."""
    name = "standard input" if source == "-" else source
    try:
        if source == "-":
            if sys.stdin is None:
                raise OSError("standard input is closed")
            text = sys.stdin.buffer.read().decode("utf-8-sig")
            yield Csv(name, io.StringIO(text, newline=""))
        else:
            with open(source, encoding="utf-8-sig", newline="") as file:
                yield Csv(name, file)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{name} cannot be read as CSV in UTF-8: {error}") from error


class Csv:
    """A table: `names` of the columns, and whether the file has them (`named`)."""

    def __init__(self, source, lines):
        self.source, line = source, lines.readline()
        delimiter = max(DELIMITERS, key=line.count)
        self._reader = csv.reader(chain([line], lines), delimiter=delimiter)
        first = next(self._reader, None)
        if not first:
            raise ValueError(f"{source} must begin with names or numbers, got no line")
        self.names, self._rows = [name.strip() for name in first], self._reader
        numbers = [str(i) for i in range(len(first))]
        self.named = self.names == numbers or not all(map(_is_number, self.names))
        if not self.named:
            self.names, self._rows = numbers, chain([first], self._reader)
        for name in self.names:
            if self.names.count(name) > 1:
                raise ValueError(
                    f"{source} must have no column twice, got {shown(name)}"
                )

    def index(self, name):
        """Index of the column of that name."""
        if name not in self.names:
            known = listed(self.names)
            hint = "" if self.named else "; it has no names, these are numbers"
            raise ValueError(
                f"{self.source} has no column {shown(name)}, but {known}{hint}"
            )
        return self.names.index(name)

    def columns(self, indices, target=None):
        """Columns by index as numbers (rows, columns), and the target as texts."""
        numbers, texts = array("d"), []
        for row in self._rows:
            if not row:
                continue
            if len(row) != len(self.names):
                self._fail(f"must have {len(self.names)} values, has {len(row)}")
            try:
                values = [float(row[i]) for i in indices]
            except ValueError:
                self._check(row, indices)
            # Cheaper than to look at each number: the sum is rarely not finite, and
            # float() takes underscores, which other programs do not.
            if not isfinite(sum(values)) or "_" in "".join(row):
                self._check(row, indices)
            numbers.extend(values)
            if target is not None:
                texts.append(row[target].strip())
                if not texts[-1]:
                    self._fail(f"has no value for {self.names[target]!r}; {REMEDY}")
        return np.frombuffer(numbers).reshape(-1, len(indices)), texts

    def _check(self, row, indices):
        """Raise for the first of the columns that holds no finite number, if any."""
        for i in indices:
            text, name = row[i].strip(), shown(self.names[i])
            if not text:
                self._fail(f"has no value for {name}; {REMEDY}")
            if not _is_number(text):
                self._fail(
                    f"must have a number for {name}, has {shown(text)}; {NO_NUMBER}"
                )
            if not isfinite(float(text)):
                self._fail(f"must have a finite {name}, has {text!r}; {REMEDY}")

    def _fail(self, message):
        raise ValueError(f"{self.source}: line {self._reader.line_num} {message}")


def listed(names, limit=8):
    """The first names, and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(shown, names[:limit])) + more


def _is_number(text):
    """Whether a text is a number for other programs too, for which 1_000 is none."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
