"""Which row of a file is its header, and which columns of the standard it names."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import UnusableFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from data.table import Table

SEARCHED_ROWS = 25
_NEAR = 0.75


def folded(name: str) -> str:
    """The name in lower case, with nothing left but letters and digits."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in plain if character.isalnum())


def recognised(cells: Iterable[str], table: Table) -> set[str]:
    """The ids of the table's columns that the cells name."""
    ids = {folded(column_id): column_id for column_id in table.column_ids}
    return {ids[name] for name in map(folded, cells) if name in ids}


@dataclass(frozen=True)
class Place:
    """Where the header is: its index among the rows, and how many columns it names."""

    index: int
    recognised_count: int


def find_header(rows: Sequence[Sequence[str]], table: Table) -> Place | None:
    """The row among the first 25 that names most columns, else the first that is not blank.

    A row below the first counts only if it names two columns, or nothing but columns: a single
    cell that happens to read like a column is no header. None if every row is blank.
    """
    best: Place | None = None
    for index, cells in enumerate(rows[:SEARCHED_ROWS]):
        filled = [cell for cell in cells if cell.strip()]
        if not filled:
            continue
        count = len(recognised(filled, table))
        better = best is None or count > best.recognised_count
        if better and (best is None or count >= 2 or count == len(filled)):
            best = Place(index, count)
    return best


def header_in(rows: Sequence[Sequence[str]], table: Table) -> Place:
    """As `find_header`; UnusableFile if every row is blank."""
    place = find_header(rows, table)
    if place is None:
        raise UnusableFile(
            f"has nothing in its first {SEARCHED_ROWS} rows. "
            "Put the header in row 1 and save it again."
        )
    return place


def nearest(header: str, candidates: Iterable[str]) -> str | None:
    """The column that a header was probably meant for; None if none is near."""
    by_name = {folded(candidate): candidate for candidate in candidates}
    near = difflib.get_close_matches(folded(header), by_name, n=1, cutoff=_NEAR)
    return by_name[near[0]] if near else None
