"""No column is headed as the name, the title or the address of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.definition import Check, Subject
from checks.privacy.columns import every_column, headed

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_PERSON = (
    "client|clients|participant|customer|claimant|person|patient|learner|jobseeker|service user"
)
_ALWAYS = (
    "(.* )?(first|fore|given|sur|last|family|middle|maiden|full|known as) ?names?( .*)?"
    f"|({_PERSON}) ?(s )?(name|address|title)"
    "|(home|personal) address( .*)?|next of kin"
)
# Organisations have names and addresses of their own.
_IN_LOGS = (
    "name|names|client|participant|title|salutation|initials|address( .*)?|street|house( .*)?"
)
_OF_ORGANISATIONS = ("organisations", "contracts")


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> list[Subject]:
    pattern = _ALWAYS if table.id in _OF_ORGANISATIONS else f"{_ALWAYS}|{_IN_LOGS}"
    return [headed(column, pattern) for column in every_column(sheet, table) if column.extra]


CHECK = Check(
    id="person_name",
    family="privacy",
    promise="No column is headed as the name, the title or the address of a person.",
    why_it_matters="The ledger is about organisations: with marks of persons in it, it could not "
    "be shared with anybody.",
    severity="refuse",
    message="The column {column} is headed as a person's name or address; {where}.",
    remedy="Remove the column {column}, or put your own mark for the client in its place, before "
    "you send the file.",
    version=1,
    subjects=_subjects,
)
