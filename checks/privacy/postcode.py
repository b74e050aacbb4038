"""No column holds a full postcode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.definition import Check, Subject, never_matches
from checks.privacy.columns import Searched, every_column
from checks.privacy.patterns import POSTCODE, POSTCODE_SPACED
from data.parse import literal

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _form(column: Searched) -> str:
    """Identifiers can look like a postcode without its space, so there the space is needed."""
    return POSTCODE_SPACED if column.kind in ("id", "client_ref") else POSTCODE


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> list[Subject]:
    return [
        Subject(
            column=column.header,
            place=column.place,
            value="nullif(regexp_replace(translate(upper(regexp_extract("
            f"{column.shape}, {literal(_form(column))}, 1)), ' \u00a0', ''), "
            "'0[A-Z]{2}$', '0AA'), '')",
            expected=never_matches("[A-Z]{1,2}0[A-Z0]?0AA"),
            masked=True,
            untyped_only=column.typed,
        )
        for column in every_column(sheet, table)
    ]


CHECK = Check(
    id="postcode",
    family="privacy",
    promise="No column holds a full postcode.",
    why_it_matters="The ledger is about organisations: with marks of persons in it, it could not "
    "be shared with anybody.",
    severity="refuse",
    message="The column {column} holds what looks like a full postcode; {where}.",
    remedy="Remove the column {column}, or put your own mark for the client in its place, before "
    "you send the file.",
    version=1,
    subjects=_subjects,
)
