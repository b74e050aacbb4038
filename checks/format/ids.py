"""Every identifier is one line of at most 200 characters that does not start like a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import folded, present
from checks.definition import Check, NotApplicable, Subject, matches
from data.parse import PATTERNS

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
            value=folded(column.id),
            expected=matches(PATTERNS[column.kind]),
        )
        for column in present(sheet, table, "id", "client_ref")
    ] or NotApplicable("The file has no such column.")


CHECK = Check(
    id="ids",
    family="format",
    promise="Every identifier is one line of at most 200 characters that does not start "
    "like a formula.",
    why_it_matters="Rows are put together by their identifiers.",
    severity="refuse",
    message="{column} must be an identifier on one line, of at most 200 characters and "
    "not starting with = + - or @; {where}.",
    remedy="Write the identifier as it stands in the register.",
    version=1,
    subjects=_subjects,
)
