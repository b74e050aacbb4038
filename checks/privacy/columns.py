"""The columns of a file that are searched for marks of persons: all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.cells import cell, folded, present, typed
from checks.definition import Subject, never_matches
from data.parse import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.read import Sheet
    from data.table import Kind, Table


@dataclass(frozen=True)
class Searched:
    """A column as searched: its header, its place in `cells`, its kind; extra columns are text.

    `shape` is the SQL expression that is searched for marks whose digits may be any; cells that
    were read as a date, a rate, a choice and the like cannot hold such a mark and are passed over.
    """

    header: str
    place: str
    kind: Kind
    extra: bool

    @property
    def typed(self) -> bool:
        """Whether its cells are read as typed values."""
        return self.kind not in ("text", "id", "client_ref")

    @property
    def shape(self) -> str:
        """The cell with every digit folded to 0, unless it was read as a typed value."""
        if not self.typed:
            return folded(self.place)
        return f"CASE WHEN {typed(self.place)} IS NULL THEN {folded(self.place)} END"


def every_column(sheet: Sheet, table: Table) -> Iterator[Searched]:
    """Every column of the file, those that are kept out included."""
    for column in present(sheet, table):
        yield Searched(column.id, column.id, column.kind, extra=False)
    for extra in sheet.extras:
        yield Searched(extra.header, extra.name, "text", extra=True)


def headed(column: Searched, pattern: str) -> Subject:
    """The filled cells of a column whose header, in lower case words, the pattern describes."""
    words = " ".join(
        re.findall(r"[a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column.header).lower())
    )
    return Subject(
        column=column.header,
        place=column.place,
        value=f"CASE WHEN {cell(column.place)} IS NOT NULL THEN {literal(words)} END",
        expected=never_matches(pattern),
        masked=True,
    )
