"""Report: tables in Markdown, also to be read in a terminal."""

from statistics import mean, pstdev


def table(columns, rows):
    """Text of a Markdown table with aligned columns."""
    cells = [list(map(str, columns)), *(list(map(str, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    def line(row):
        return "| " + " | ".join(map(str.ljust, row, widths)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])


def spread(values):
    """Mean and standard deviation, in text."""
    return f"{mean(values):.2f} ± {pstdev(values):.2f}"


def verdicts(claims):
    """A line for each claim: whether it holds here."""
    return "\n".join(
        f"- {'holds' if holds else 'DOES NOT HOLD'}: {claim}"
        for claim, holds in claims.items()
    )
