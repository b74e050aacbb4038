"""What the checks of a format look at: the shape of each cell, and whether it names a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, folded, present, typed
from checks.definition import NotApplicable, Subject, between, matches
from data.parse import PATTERNS, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Kind, Table

    Subjects = Callable[[Sheet, Table, Circumstances], Sequence[Subject] | NotApplicable]

_NONE = NotApplicable("The file has no such column.")


def written_as(*kinds: Kind) -> Subjects:
    """Every cell of these kinds has the shape of its kind, all digits being alike."""

    def subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
        return [
            Subject(
                column=column.id,
                place=column.id,
                value=folded(column.id),
                expected=matches(PATTERNS[column.kind]),
            )
            for column in present(sheet, table, *kinds)
        ] or _NONE

    return subjects


def in_the_calendar(kind: Kind) -> Subjects:
    """Every cell of this kind that has its shape names a day or month that there is."""

    def subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
        form = literal(PATTERNS[kind])
        return [
            Subject(
                column=column.id,
                place=column.id,
                value=f"CASE WHEN {typed(column.id)} IS NOT NULL THEN 1 "
                f"WHEN {cell(column.id)} IS NOT NULL "
                f"AND regexp_full_match({folded(column.id)}, {form}) THEN 0 END",
                expected=between(1, None),
            )
            for column in present(sheet, table, kind)
        ] or _NONE

    return subjects
