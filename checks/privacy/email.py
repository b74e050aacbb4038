"""No column holds an e-mail address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.definition import Check, Subject, never_matches
from checks.privacy.columns import every_column
from checks.privacy.patterns import EMAIL
from data.parse import literal

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_FORM = literal(EMAIL)


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> list[Subject]:
    return [
        Subject(
            column=column.header,
            place=column.place,
            value=f"CASE WHEN contains({column.shape}, '@') THEN nullif(regexp_replace("
            f"regexp_extract({column.shape}, {_FORM}, 1), '[A-Za-z0-9._%+-]+', 'a', 'g'), '') END",
            expected=never_matches("a@a"),
            masked=True,
            untyped_only=column.typed,
        )
        for column in every_column(sheet, table)
    ]


CHECK = Check(
    id="email",
    family="privacy",
    promise="No column holds an e-mail address.",
    why_it_matters="The ledger is about organisations: with marks of persons in it, it could not "
    "be shared with anybody.",
    severity="refuse",
    message="The column {column} holds what looks like an e-mail address; {where}.",
    remedy="Remove the column {column}, or put your own mark for the client in its place, before "
    "you send the file.",
    version=1,
    subjects=_subjects,
)
