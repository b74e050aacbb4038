"""The file has every column that its table requires.

One finding names all the missing columns, with the header that may have been meant, or with the
table that the header fits better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.definition import Check, Subject, between
from checks.privacy.patterns import scrubbed
from data.read import guess_table

if TYPE_CHECKING:
    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(sheet: Sheet, table: Table, _: Circumstances) -> list[Subject]:
    missing = [column for column in table.required_ids if column not in sheet.headers]
    flags = ", ".join(str(int(column in sheet.headers)) for column in table.required_ids)
    meant = [
        f'"{scrubbed(extra.header)}" may be meant for {extra.meant}: rename it'
        for extra in sheet.extras
        if extra.meant in missing
    ]
    hint = ""
    if missing and (better := guess_table(sheet, table)) is not None:
        article = "an" if better[0] in "aeiou" else "a"
        hint = f" This looks like {article} {better} file: choose that table."
    elif meant:
        hint = f" Did you mean: {'; '.join(meant)}."
    return [
        Subject(
            column=missing[0] if len(missing) == 1 else None,
            value="present",
            expected=between(1, None),
            source=f"(SELECT CAST(NULL AS BIGINT) AS row_number, unnest([{flags}]) AS present)",
            facts={
                "table": table.id,
                "missing": ", ".join(missing),
                "columns": "column" if len(missing) == 1 else "columns",
                "meant": hint,
            },
        )
    ]


CHECK = Check(
    id="required_columns",
    family="coverage",
    promise="The file has every column that its table requires.",
    why_it_matters="A flag rests on these columns; without one of them the return says nothing.",
    severity="refuse",
    message="The file lacks the {columns} {missing}, which the {table} table requires.{meant}",
    remedy="Add the {columns} {missing}, or start from the template of the {table} table.",
    version=1,
    subjects=_subjects,
)
