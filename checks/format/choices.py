"""Every choice is one of those that its column offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, present
from checks.definition import Check, NotApplicable, Subject, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    return [
        Subject(
            column=column.id,
            place=column.id,
            value=f"regexp_replace(lower({cell(column.id)}), '[ _-]+', '_', 'g')",
            expected=one_of(column.choices),
            facts={"choices": ", ".join(column.choices)},
        )
        for column in present(sheet, table, "choice")
    ] or NotApplicable("The file has no such column.")


CHECK = Check(
    id="choices",
    family="format",
    promise="Every choice is one of those that its column offers.",
    why_it_matters="Rules go by these words; a word of one's own falls out of every rule.",
    severity="refuse",
    message="{column} must be one of {choices}; {where}.",
    remedy="Write one of {choices} in {column}.",
    version=1,
    subjects=_subjects,
)
