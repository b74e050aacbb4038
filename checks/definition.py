"""What a check is, what it finds, and what is said about a file."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from data.read import Sheet
    from data.table import Table

Severity = Literal["refuse", "warn"]


@dataclass(frozen=True)
class Circumstances:
    """What is known besides the file.

    `registers` are the registers in force, as stored (Arrow, one row per key); a register that is
    empty or missing makes the checks against it not applicable. `months` are first days.
    `received_on` is the day the return counts as received. `keepers` are the organisations that
    run the ledger: the network, and whoever first recorded the organisations.
    """

    received_on: dt.date
    reporter_id: str | None = None
    months: tuple[dt.date, ...] | None = None
    registers: Mapping[str, pa.Table] = field(default_factory=dict)
    keepers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Expected:
    """What a value must be: the name and arguments of a Great Expectations expectation."""

    name: str
    kwargs: Mapping[str, Any]


def between(low: float | None, high: float | None) -> Expected:
    """A number from `low` to `high`, both included."""
    return Expected("ExpectColumnValuesToBeBetween", {"min_value": low, "max_value": high})


def one_of(values: Sequence[str]) -> Expected:
    """One of the texts listed."""
    return Expected("ExpectColumnValuesToBeInSet", {"value_set": list(values)})


def matches(pattern: str) -> Expected:
    """A text that the pattern describes wholly."""
    return Expected("ExpectColumnValuesToMatchRegex", {"regex": _whole(pattern)})


def never_matches(pattern: str) -> Expected:
    """A text that the pattern does not describe wholly."""
    return Expected("ExpectColumnValuesToNotMatchRegex", {"regex": _whole(pattern)})


def _whole(pattern: str) -> str:
    """The pattern of a whole text, without capturing groups: pandas warns of them."""
    grouped = re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)
    return f"^(?:{grouped})$"


@dataclass(frozen=True)
class Subject:
    """What one check looks at in one place of a file.

    `value` is an SQL expression, text or number, over `source` (see `checks.cells` for what both
    may name). Each distinct value is judged once against `expected`; rows whose value is NULL are
    not judged. `source` must give a `row_number`, NULL where the finding is not about a row.
    `column` is the header the finding names, `place` the column of `cells` it stands in; `shown`
    is an SQL expression for the example's text, where that is not the cell itself; `hint` one for
    a sentence about the first failing row. `masked` examples keep only their first and last
    character. `untyped_only`: the value is NULL for every cell that was read as a typed value, so
    nothing need be asked where all were.
    """

    column: str | None
    value: str
    expected: Expected
    source: str = "cells"
    place: str | None = None
    shown: str | None = None
    hint: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    masked: bool = False
    untyped_only: bool = False


@dataclass(frozen=True)
class NotApplicable:
    """Why a check has nothing to look at in this file."""

    reason: str


@dataclass(frozen=True)
class Check:
    """One rule about a file: a promise in one sentence, and where to look for breaches of it.

    `message` and `remedy` are templates: `{column}`, `{where}` (which rows, with the first one's
    text), `{hint}` and the subject's facts.
    """

    id: str
    family: str
    promise: str
    why_it_matters: str
    severity: Severity
    message: str
    remedy: str
    version: int
    subjects: Callable[[Sheet, Table, Circumstances], Sequence[Subject] | NotApplicable]


@dataclass(frozen=True)
class Finding:
    """One breach: which check, which column, which rows (as the spreadsheet numbers them).

    `rows` are all the failing rows, in order; a finding about the file or a column as a whole has
    none and counts as 1. `examples` are the first five: `{"row": 3, "value": "-5"}`.
    """

    check: str
    family: str
    severity: Severity
    column: str | None
    count: int
    rows: tuple[int, ...]
    examples: tuple[Mapping[str, Any], ...]
    message: str
    remedy: str


@dataclass(frozen=True)
class Outcome:
    """What became of one check: passed, failed, or not applicable because."""

    check: str
    family: str
    status: Literal["passed", "failed", "not_applicable"]
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """Everything that is said about a file; `fit` when no finding refuses it."""

    table: str
    file: str
    rows: int
    findings: tuple[Finding, ...]
    outcomes: tuple[Outcome, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def fit(self) -> bool:
        """Whether the file may be recorded as a return."""
        return not any(finding.severity == "refuse" for finding in self.findings)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that do not refuse the file."""
        return tuple(finding for finding in self.findings if finding.severity == "warn")

    def answer(self) -> dict[str, Any]:
        """The JSON answer of `fairtier check`, as the data standard has it."""
        return {
            "table": self.table,
            "file": self.file,
            "rows": self.rows,
            "fit": self.fit,
            "findings": [asdict(finding) for finding in self.findings],
            "notices": list(self.notices),
        }
