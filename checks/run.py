"""Check a file: every distinct value judged once, every failing row named.

DuckDB gives the distinct values that each check looks at; values that must meet the same
expectation are judged together by Great Expectations; a join brings back every failing row.
Nothing depends on the order of the rows.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from checks.catalogue import all_checks
from checks.cells import cell, distinct, folded, load, typed
from checks.definition import Finding, NotApplicable, Outcome, Verdict
from checks.privacy.patterns import scrubbed
from data.parse import literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from checks.definition import Check, Circumstances, Expected, Subject
    from data.read import Sheet
    from data.table import Table

_EXAMPLE_COUNT = 5
_NAMED_COUNT = 12
_COLUMN = re.compile(r'cells\."(folded_|typed_)?(\w+)"')


@dataclass(frozen=True)
class _Breach:
    """The rows of one subject that do not meet its expectation."""

    check: Check
    subject: Subject
    rows: tuple[int, ...]
    examples: tuple[tuple[int | None, str | None], ...]
    hint: str


def check(sheet: Sheet, table: Table, circumstances: Circumstances) -> Verdict:
    """What there is to say about a file that was read as the rows of a table."""
    asked: list[tuple[Check, Subject]] = []
    reasons: dict[str, str] = {}
    for one in all_checks():
        subjects = one.subjects(sheet, table, circumstances)
        if isinstance(subjects, NotApplicable):
            reasons[one.id] = subjects.reason
        else:
            asked.extend((one, subject) for subject in subjects)
    connection = load(sheet, table, circumstances)
    try:
        failing = _failing_values(connection, [subject for _, subject in asked])
        breaches = [
            _breach(connection, one, subject, values)
            for (one, subject), values in zip(asked, failing, strict=True)
            if values
        ]
    finally:
        connection.close()
    findings = _findings(breaches)
    failed = {finding.check for finding in findings}
    return Verdict(
        table=table.id,
        file=sheet.file_name,
        rows=sheet.rows.num_rows,
        findings=findings,
        outcomes=tuple(
            Outcome(one.id, one.family, "not_applicable", reasons[one.id])
            if one.id in reasons
            else Outcome(one.id, one.family, "failed" if one.id in failed else "passed")
            for one in all_checks()
        ),
        notices=_notices(sheet, table),
    )


def _only_column(subject: Subject) -> str | None:
    """The one column of `cells` that a subject reads, if it reads no other and nothing else."""
    if subject.source != "cells":
        return None
    names = set(_COLUMN.findall(subject.value))
    columns = {column for _, column in names}
    return columns.pop() if len(columns) == 1 else None


def _relation(subject: Subject) -> str:
    """Where the values of a subject come from: as few rows as give every distinct value."""
    column = _only_column(subject)
    if column is None:
        return subject.source
    if all(prefix == "folded_" for prefix, _ in _COLUMN.findall(subject.value)):
        shapes = f"SELECT DISTINCT {folded(column)} FROM {distinct(column)}"
        return f"({shapes}) AS cells"
    return distinct(column)


def _values(
    connection: duckdb.DuckDBPyConnection, subjects: Sequence[Subject]
) -> list[Sequence[Any]]:
    """For each subject its distinct values, in order.

    One question for each relation: what stands in a single column has few rows, so its values are
    fetched side by side and told apart here, which costs a tenth of asking for each by itself.
    """
    indexes_by_relation: dict[str, list[int]] = {}
    wholly_typed = _wholly_typed(connection, subjects)
    for index, subject in enumerate(subjects):
        if subject.untyped_only and subject.place in wholly_typed:
            continue
        alone = f"cells/{index}" if _only_column(subject) is None else _relation(subject)
        indexes_by_relation.setdefault(alone, []).append(index)
    values: list[Sequence[Any]] = [()] * len(subjects)
    for indexes in indexes_by_relation.values():
        shared = len(indexes) > 1
        expressions = ", ".join(f"{subjects[index].value} AS v{index}" for index in indexes)
        found = connection.sql(
            f"SELECT {'' if shared else 'DISTINCT'} {expressions} "
            f"FROM {_relation(subjects[indexes[0]])}"
        ).to_arrow_table()
        for index in indexes:
            column = found.column(f"v{index}").unique().drop_null()
            values[index] = sorted(column.to_pylist())
    return values


def _wholly_typed(connection: duckdb.DuckDBPyConnection, subjects: Sequence[Subject]) -> set[str]:
    """The columns in which every filled cell was read as a typed value."""
    places = sorted({s.place for s in subjects if s.untyped_only and s.place is not None})
    if not places:
        return set()
    questions = " UNION ALL ".join(
        f"SELECT {literal(place)} WHERE NOT EXISTS (SELECT 1 FROM {distinct(place)} "
        f"WHERE {cell(place)} IS NOT NULL AND {typed(place)} IS NULL)"
        for place in places
    )
    return {place for (place,) in connection.execute(questions).fetchall()}


def _failing_values(
    connection: duckdb.DuckDBPyConnection, subjects: Sequence[Subject]
) -> list[list[Any]]:
    """For each subject the distinct values that do not meet its expectation."""
    groups: dict[tuple[str, str], tuple[Expected, list[tuple[int, Any]]]] = {}
    for index, (subject, values) in enumerate(
        zip(subjects, _values(connection, subjects), strict=True)
    ):
        if values:
            expected = subject.expected
            key = (expected.name, json.dumps(expected.kwargs, sort_keys=True, default=str))
            _, judged = groups.setdefault(key, (expected, []))
            judged.extend((index, value) for value in values)
    from checks.expectations import judge  # noqa: PLC0415 - takes seconds, and only here

    questions = [(expected, [value for _, value in judged]) for expected, judged in groups.values()]
    failing: list[list[Any]] = [[] for _ in subjects]
    for (_, judged), positions in zip(groups.values(), judge(questions), strict=True):
        for position in positions:
            index, value = judged[position]
            failing[index].append(value)
    return failing


def _breach(
    connection: duckdb.DuckDBPyConnection, one: Check, subject: Subject, values: list[Any]
) -> _Breach:
    """The rows on which a subject has one of the failing values."""
    shown = subject.shown or (cell(subject.place) if subject.place else "NULL")
    connection.register("failing", pa.table({"failing_value": values}))
    fails = f"WHERE {subject.value} IN (SELECT failing_value FROM failing)"
    column = _only_column(subject)
    if column is None:
        where = f"FROM {subject.source} {fails} ORDER BY row_number"
    else:
        where = (
            f"FROM cells SEMI JOIN (SELECT {cell(column)} AS cell FROM {distinct(column)} {fails}) "
            f"AS unfit ON {cell(column)} IS NOT DISTINCT FROM unfit.cell ORDER BY row_number"
        )
    rows = connection.sql(f"SELECT row_number {where}").to_arrow_table().column("row_number")
    examples = connection.execute(
        f"SELECT row_number, CAST({shown} AS VARCHAR), {subject.hint or 'NULL'} {where}, 2 "
        f"LIMIT {_EXAMPLE_COUNT}"
    ).fetchall()
    connection.unregister("failing")
    return _Breach(
        one,
        subject,
        tuple(dict.fromkeys(rows.drop_null().to_pylist())),
        tuple((row, value) for row, value, _ in examples),
        examples[0][2] or "",
    )


def _findings(breaches: Sequence[_Breach]) -> tuple[Finding, ...]:
    """The breaches in words, with nothing in them that the privacy checks found."""
    places: dict[str, set[int]] = {}
    for breach in breaches:
        if breach.check.family == "privacy" and breach.subject.place:
            places.setdefault(breach.subject.place, set()).update(breach.rows)
    private_rows = set().union(*places.values())
    return tuple(_finding(breach, places, private_rows) for breach in breaches)


def _finding(breach: _Breach, places: Mapping[str, set[int]], private_rows: set[int]) -> Finding:
    one, subject = breach.check, breach.subject

    def private(row: int | None) -> bool:
        if subject.shown is None and subject.place is not None:
            return subject.masked or row in places.get(subject.place, ())
        return subject.masked or row in private_rows

    examples = [
        (row, masked(value) if value is not None and private(row) else value)
        for row, value in breach.examples
    ]
    hint = "" if breach.examples[0][0] in private_rows else breach.hint
    column = None if subject.column is None else scrubbed(subject.column)
    words = {
        "column": column,
        "where": _where(examples, len(breach.rows)),
        "hint": f" {hint}" if hint else "",
        **subject.facts,
    }
    return Finding(
        check=one.id,
        family=one.family,
        severity=one.severity,
        column=column,
        count=len(breach.rows) or 1,
        rows=breach.rows,
        examples=tuple({"row": row, "value": value} for row, value in examples if row is not None),
        message=one.message.format_map(words),
        remedy=one.remedy.format_map(words),
    )


def masked(text: str) -> str:
    """The text with all but its first and last character hidden; all of it, if it is short."""
    return f"{text[0]}{'*' * min(len(text) - 2, 12)}{text[-1]}" if len(text) > 3 else "***"


def _where(examples: Sequence[tuple[int | None, str | None]], row_count: int) -> str:
    """Which rows, and what the first one holds."""
    row, value = examples[0]
    if row is None:
        return ""
    if value is None:
        only = f"row {row} leaves it empty"
        return (
            only if row_count == 1 else f"{row_count:,} rows leave it empty, the first is row {row}"
        )
    short = re.sub(r"\s+", " ", value if len(value) <= 60 else value[:59] + "…")
    if row_count == 1:
        return f'row {row} has "{short}"'
    return f'{row_count:,} rows break this, the first is row {row} with "{short}"'


def _notices(sheet: Sheet, table: Table) -> tuple[str, ...]:
    notices = tuple(scrubbed(notice) for notice in sheet.notices)
    if not sheet.extras:
        return notices
    shown = ", ".join(f'"{scrubbed(extra.header)}"' for extra in sheet.extras[:_NAMED_COUNT])
    more = len(sheet.extras) - _NAMED_COUNT
    rest = f" and {more} more" if more > 0 else ""
    return (*notices, f"Kept out, as the {table.id} table has no such column: {shown}{rest}.")
