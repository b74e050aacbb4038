"""A finished release: the tables as they may be published, with the method behind them."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from metrics.disclosure import REASONS, Disclosed, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeGuard

    from metrics.definition import Flag, Metric
    from metrics.rules import Rule

FieldKind = Literal["text", "whole number", "number", "share", "day", "month"]
Cell = str | int | float | dt.date | Disclosed | None
Row = tuple[object, ...]

FIGURES: frozenset[FieldKind] = frozenset({"whole number", "number", "share"})
RELEASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
TABLE_ID = re.compile(r"[a-z][a-z0-9_]*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

SHORT_REASONS: Mapping[str, str] = {
    "few_people": "few people",
    "few_sources": "few sources",
    "one_source": "one large source",
    "given_away": "would give another away",
}

# What a column of any table points to: the table and its column.
POINTS_TO: Mapping[str, tuple[str, str]] = {
    "contract_id": ("contracts", "contract_id"),
    "commissioner_id": ("organisations", "organisation_id"),
    "prime_id": ("organisations", "organisation_id"),
    "subcontractor_id": ("organisations", "organisation_id"),
    "by": ("organisations", "organisation_id"),
}

# What a row of replies answers: the row of flags with the same cells.
ANSWERS = ("flag", "contract_id", "subcontractor_id")


@dataclass(frozen=True)
class Licence:
    """The licence of the data: its id in the list of SPDX, its name and its address."""

    id: str
    name: str
    address: str


OGL = Licence(
    "OGL-UK-3.0",
    "Open Government Licence v3.0",
    "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
)


@dataclass(frozen=True)
class Field:
    """One column of a published table.

    A `required` one is never empty: it holds a value, or says that and why the value is hidden.
    A "day" is a date or `2012-03-31`, a "month" a date or `2012-03`; a "share" is 0.15 for 15 %.
    """

    id: str
    title: str
    description: str
    kind: FieldKind
    required: bool = False


@dataclass(frozen=True)
class OpenTable:
    """One published table; a cell is text, a number, a day, None (not reported) or Disclosed.

    `key` names the columns that tell one row from another. ValueError where the rows do not fit
    the columns.
    """

    id: str
    title: str
    description: str
    grain: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        known = [field.id for field in self.fields]
        if not TABLE_ID.fullmatch(self.id) or len(set(known)) < len(known):
            raise ValueError(f"{self.id} is no table that can be published")
        if not self.key or not set(self.key) <= set(known):
            raise ValueError(f"{self.id} has no key of its own columns")
        seen = set()
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(known):
                raise ValueError(f"{self.id}, row {number}: {len(row)} cells")
            for field, cell in zip(self.fields, row, strict=True):
                if not _fits(field, cell):
                    raise ValueError(f"{self.id}, row {number}: {field.id} holds {cell!r}")
            key = self.key_of(row)
            if key in seen:
                raise ValueError(f"{self.id}, row {number}: a second row of {key}")
            seen.add(key)

    @property
    def field_ids(self) -> tuple[str, ...]:
        """The ids of the columns, in order."""
        return tuple(field.id for field in self.fields)

    def key_of(self, row: Row) -> tuple[object, ...]:
        """What tells the row from others."""
        return tuple(row[self.field_ids.index(name)] for name in self.key)

    def records(self) -> Iterator[dict[str, object]]:
        """The rows, each cell by the id of its column."""
        for row in self.rows:
            yield dict(zip(self.field_ids, row, strict=True))

    def may_hide(self, field: Field) -> bool:
        """Whether a column went through disclosure control, so that some of it may be hidden."""
        place = self.field_ids.index(field.id)
        return any(isinstance(row[place], Disclosed) for row in self.rows)

    def hidden(self) -> Counter[Reason]:
        """How many cells are hidden, by reason."""
        found = (hidden_why(cell) for row in self.rows for cell in row)
        return Counter(reason for reason in found if reason is not None)


@dataclass(frozen=True)
class OpenRelease:
    """One release of open data, as it is published.

    `as_of` is the day up to which returns counted. `rules` are those in force then, `methods` the
    metrics and flags behind the figures. ValueError where a row points to one that is not there.
    """

    release_id: str
    made_on: dt.date
    as_of: dt.date
    title: str
    publisher_id: str
    publisher_name: str
    tables: tuple[OpenTable, ...]
    rules: tuple[Rule, ...]
    methods: tuple[Metric | Flag, ...]
    previous_release_id: str | None = None
    licence: Licence = OGL

    def __post_init__(self) -> None:
        if not RELEASE_ID.fullmatch(self.release_id):
            raise ValueError(f"{self.release_id!r} cannot stand in a file name or an address")
        if len({table.id for table in self.tables}) < len(self.tables):
            raise ValueError("two tables have one id")
        for table in self.tables:
            for field_id, (target, target_field) in pointers(table, self.tables).items():
                there = {row[target_field] for row in self.rows_of(target)}
                gone = {row[field_id] for row in table.records()} - there - {None, ""}
                if gone:
                    one = sorted(map(str, gone))[0]
                    raise ValueError(f"{table.id}: {field_id} {one!r} is not among {target}")

        flags = {tuple(row[name] or None for name in ANSWERS) for row in self.rows_of("flags")}
        for row in self.rows_of("replies"):
            answered = tuple(row[name] or None for name in ANSWERS)
            if answered not in flags:
                raise ValueError(f"a reply to {answered} answers no flag of the release")

    def table(self, table_id: str) -> OpenTable | None:
        """The table of that id, if it is in the release."""
        return next((table for table in self.tables if table.id == table_id), None)

    def rows_of(self, table_id: str) -> list[dict[str, object]]:
        """The rows of a table by column; none if it is not in the release."""
        table = self.table(table_id)
        return list(table.records()) if table else []

    def names(self) -> dict[str, str]:
        """The names of the organisations, by id."""
        return {
            str(row["organisation_id"]): str(row["name"]) for row in self.rows_of("organisations")
        }

    def hidden(self) -> Counter[Reason]:
        """How many cells are hidden in all, by reason."""
        return sum((table.hidden() for table in self.tables), Counter())


def pointers(table: OpenTable, tables: tuple[OpenTable, ...]) -> dict[str, tuple[str, str]]:
    """The columns of a table that point to another table of the release, and to which column."""
    there = {one.id for one in tables}
    return {
        field.id: POINTS_TO[field.id]
        for field in table.fields
        if field.id in POINTS_TO and POINTS_TO[field.id][0] in there - {table.id}
    }


def shown_value(cell: object) -> object:
    """The cell without its wrapping: a value, or None where it is hidden or not reported."""
    return cell.value if isinstance(cell, Disclosed) else cell


def hidden_why(cell: object) -> Reason | None:
    """Why a cell is hidden; None where it is shown, or nobody reported it."""
    return cell.hidden if isinstance(cell, Disclosed) else None


def day_of(cell: object) -> dt.date | None:
    """The day that a cell holds, as a date or written 2012-03-31; None where it holds none."""
    if isinstance(cell, dt.date):
        return None if isinstance(cell, dt.datetime) else cell
    if isinstance(cell, str) and _DAY.fullmatch(cell):
        with contextlib.suppress(ValueError):
            return dt.date.fromisoformat(cell)
    return None


def short_reason(reason: str) -> str:
    """Why a figure is hidden, in as few words as fit a cell."""
    return SHORT_REASONS.get(reason, reason.replace("_", " "))


def reasons() -> dict[Reason, str]:
    """Why a figure can be hidden, each as a sentence."""
    return dict(REASONS)


def _fits(field: Field, cell: object) -> bool:
    """Whether a cell is of its column's kind."""
    if isinstance(cell, Disclosed):
        if cell.hidden is not None:
            return cell.value is None and field.kind in FIGURES
        return _fits(field, cell.value)
    if cell is None or cell == "":
        return not field.required
    match field.kind:
        case "text":
            return isinstance(cell, str)
        case "day":
            return day_of(cell) is not None
        case "month":
            text = cell.strftime("%Y-%m") if isinstance(cell, dt.date) else cell
            return isinstance(text, str) and _MONTH.fullmatch(text) is not None
        case "whole number":
            return _is_number(cell) and cell == int(cell)
        case "number" | "share":
            return _is_number(cell)


def _is_number(cell: object) -> TypeGuard[float]:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell)
