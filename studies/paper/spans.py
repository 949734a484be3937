"""Spans: named entities and their F1 score, counted as conlleval does."""


def spans(tags):
    """(type, start, stop) of each entity in a sentence of tags O, B-type and I-type.

    An entity begins at B-, at I- after O, and at I- of another type than the word
    before; it goes on while I- of the same type follows.
    """
    result, start, kind = [], None, None
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        goes_on = prefix == "I" and kind == name
        if kind is not None and not goes_on:
            result.append((kind, start, i))
            kind = None
        if prefix in ("B", "I") and not goes_on:
            kind, start = name, i
    return result


def score(true, predicted):
    """Precision, recall and F1 in percent, from sentences of tags.

    An entity is right if its type and both its ends are.
    """
    right = wanted = given = 0
    for gold, guess in zip(true, predicted, strict=True):
        if len(gold) != len(guess):
            raise ValueError(f"a sentence has {len(gold)} tags, {len(guess)} are given")
        gold, guess = set(spans(gold)), set(spans(guess))
        right, wanted, given = (
            right + len(gold & guess),
            wanted + len(gold),
            given + len(guess),
        )
    precision = 100 * right / given if given else 0.0
    recall = 100 * right / wanted if wanted else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0
