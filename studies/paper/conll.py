"""CoNLL: sentences from CoNLL-U and from two-column files, gzipped or not."""

import gzip
from pathlib import Path

COLUMNS = 10  # of CoNLL-U
XPOS = 4
TAGS = "B-", "I-"


def read_conllu(path, column=XPOS):
    """Sentences as lists of (word, tag), the Penn tag unless another column is named.

    Comments are left out, and so are ranges such as 1-2, which stand for several words,
    and empty nodes such as 1.1, which no text has.
    """

    def word(fields):
        if len(fields) != COLUMNS:
            raise ValueError(f"{COLUMNS} columns are needed, got {len(fields)}")
        number, form = fields[0], fields[1]
        if "-" in number or "." in number:
            return None
        if not number.isdigit():
            raise ValueError(f"a word's number is needed, got {number!r}")
        return form, fields[column]

    return _read(path, word)


def read_bio(path):
    """Sentences as lists of (word, tag): a line has a word, a tab, and O, B- or I-."""

    def word(fields):
        if len(fields) != 2:
            raise ValueError(f"a word and a tag are needed, got {len(fields)} columns")
        tag = fields[1]
        if tag != "O" and not (tag[:2] in TAGS and len(tag) > 2):
            raise ValueError(f"the tag must be O, B-type or I-type, got {tag!r}")
        return tuple(fields)

    return _read(path, word, comments=False)


def _read(path, word, comments=True):
    sentences, sentence = [], []
    for number, line in enumerate(_lines(path), start=1):
        if comments and line.startswith("#"):
            continue
        if not line.strip():
            if sentence:
                sentences.append(sentence)
            sentence = []
            continue
        try:
            token = word(line.split("\t"))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        if token is not None:
            sentence.append(token)
    return [*sentences, sentence] if sentence else sentences


def _lines(path):
    path = Path(path)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\r\n")
