"""A letter as plain text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from metrics.notices.definition import Grid, Heading, Paragraph, Points

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metrics.notices.definition import Block, Letter, Line, Piece

WIDTH = 78
_WIDEST_COLUMN = 34


def plain_text(letter: Letter) -> str:
    """The letter in lines of at most `WIDTH` characters; a wide table becomes a list."""
    parts: list[str] = []
    short = False
    for block in letter.blocks:
        goes_on = short and isinstance(block, Paragraph) and block.short
        if parts and not goes_on:
            parts.append("")
        parts += _lines(block)
        short = isinstance(block, Paragraph) and block.short
    return "\n".join(line.rstrip() for line in parts) + "\n"


def said(line: Line) -> str:
    """Text with its blanks in square brackets, on one line."""
    return " ".join("".join(map(str, line)).split())


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(words):
            yield from _wrapped(words)
            yield "-" * min(len(" ".join(words.split())), WIDTH)
        case Paragraph(pieces):
            yield from _wrapped(said(pieces)) or [""]
        case Points(items):
            for item in items:
                yield from _wrapped(said(item), "- ")
        case _:
            yield from _grid(block)


def _wrapped(words: str, mark: str = "") -> list[str]:
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_on_hyphens=False,
    )


def _grid(grid: Grid) -> Iterator[str]:
    rows = [[_cell(cell) for cell in row] for row in (grid.header, *grid.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if grid.caption:
        yield from _wrapped(f"{grid.caption}:")
    if sum(widths) + 2 * len(widths) > WIDTH or max(widths) > _WIDEST_COLUMN:
        for row in rows[1:]:
            yield from _listed(rows[0], row)
        return
    for row in rows:
        yield "  ".join(
            cell.rjust(width) if place in grid.numeric else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )


def _listed(header: Sequence[str], row: Sequence[str]) -> list[str]:
    """A row too wide for a line: its cells one after the other, with their headings."""
    named = [f"{name}: {cell}" for name, cell in zip(header, row, strict=True) if cell]
    if len(row) == 2:
        return _wrapped(f"{row[0]}: {row[1]}", "- ")
    if len(row) == 3:
        return _wrapped(f"{row[0]}: {row[1]} ({header[2].lower()}: {row[2]})", "- ")
    return _wrapped("; ".join(named), "- ")


def _cell(piece: Piece) -> str:
    return said((piece,))
