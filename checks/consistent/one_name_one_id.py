"""No organisation stands under two ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import has, typed
from checks.consistent.names import folded_name, marks
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_SHORTEST = 8  # shorter names are alike by chance
_ALIKE = 0.92  # share of letters that two spellings have in common
_MANY = 3000  # beyond this many names only those with the same first letters are compared


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> Sequence[Subject] | NotApplicable:
    if table.id != "organisations" or not has(sheet, "organisation_id", "name"):
        return NotApplicable("The file does not name organisations.")
    own = f"SELECT {typed('organisation_id')} AS id, {typed('name')} AS name FROM cells"
    known = "SELECT organisation_id AS id, name FROM known_organisations"
    named = (
        f"(SELECT DISTINCT id, name, {folded_name('name')} AS folded FROM ({own} UNION {known}) "
        "WHERE id IS NOT NULL AND name IS NOT NULL)"
    )
    near = (
        f"length(a.folded) >= {_SHORTEST} AND length(b.folded) >= {_SHORTEST} "
        f"AND ((SELECT count(*) FROM {named}) <= {_MANY} OR left(a.folded, 4) = left(b.folded, 4)) "
        "AND abs(length(a.folded) - length(b.folded)) <= 3 "
        f"AND damerau_levenshtein(a.folded, b.folded) <= {1 - _ALIKE:.2f} "
        "* greatest(length(a.folded), length(b.folded)) "
        f"AND {marks('a.folded')} = {marks('b.folded')}"
    )
    pairs = (
        "SELECT a.id, a.name, count(*) AS other_count, min(b.name || ' (' || b.id || ')') AS other "
        f"FROM (SELECT * FROM {named} WHERE (id, name) IN ({own})) AS a JOIN {named} AS b "
        f"ON a.id <> b.id AND a.folded <> '' AND (a.folded = b.folded OR ({near})) "
        "GROUP BY ALL"
    )
    return [
        Subject(
            column="name",
            place="name",
            value="coalesce(other_count, 0)",
            expected=between(None, 0),
            source=f"cells LEFT JOIN ({pairs}) AS pairs "
            f"ON pairs.id = {typed('organisation_id')} AND pairs.name = {typed('name')}",
            hint="'Compare ' || other || '.'",
        )
    ]


CHECK = Check(
    id="one_name_one_id",
    family="consistent",
    promise="No organisation stands under two ids.",
    why_it_matters="One organisation spelled two ways splits its referrals, and a zero appears "
    "where there is none.",
    severity="warn",
    message="One organisation should have one id; {where}.{hint}",
    remedy="Check whether they are one organisation; if so, keep one id and use it everywhere.",
    version=1,
    subjects=_subjects,
)
