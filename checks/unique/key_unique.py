"""No two rows of a file have the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, has, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    required = [column for column in table.key if table.column(column).required]
    if not has(sheet, *required):
        return NotApplicable("The file lacks a column of the key.")
    parts = [f"coalesce(CAST({typed(column)} AS VARCHAR), {cell(column)})" for column in table.key]
    filled = " AND ".join(f"{cell(column)} IS NOT NULL" for column in required)
    source = (
        "(SELECT cells.*, count(*) OVER (PARTITION BY "
        f"{', '.join(parts)}) AS row_count FROM cells WHERE {filled}) AS cells"
    )
    single = table.key[0] if len(table.key) == 1 else None
    return [
        Subject(
            column=single,
            place=single,
            value="row_count",
            expected=between(None, 1),
            source=source,
            shown=None if single else f"concat_ws(', ', {', '.join(map(cell, table.key))})",
            facts={"key": " and ".join(table.key)},
        )
    ]


CHECK = Check(
    id="key_unique",
    family="unique",
    promise="No two rows of a file have the same key.",
    why_it_matters="A row that stands twice is counted twice.",
    severity="refuse",
    message="No two rows may have the same {key}; {where}.",
    remedy="Delete the row that stands twice, or give each row its own {key}.",
    version=1,
    subjects=_subjects,
)
