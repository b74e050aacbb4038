"""The JSON answers that commands and API share, and their shapes for the OpenAPI document."""

# Annotations are read while the program runs, so they are not put off here.

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from data.ledger import Receipt
from data.returns import Return


def receipt_answer(receipt: Receipt) -> dict[str, Any]:
    """What recording a return did."""
    entry = receipt.entry
    return {
        "return_id": entry.return_id,
        "already": receipt.already,
        "table": entry.table,
        "by": entry.reporter_id,
        "covers": [f"{month:%Y-%m}" for month in entry.months],
        "rows": entry.row_count,
        "sha256": entry.file_sha256,
        "replaced": list(entry.replaced),
    }


def history_answer(entries: Iterable[Return]) -> list[dict[str, Any]]:
    """Returns as the history has them."""
    answer: list[dict[str, Any]] = json.loads(
        json.dumps([asdict(entry) for entry in entries], default=str)
    )
    return answer


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class ProblemAnswer(_Answer):
    """Problem details (RFC 9457)."""

    type: str = Field(description="Which kind of problem; GET it to read what to do.")
    title: str
    status: int
    detail: str = Field(description="What is wrong and what to do, in a sentence.")
    instance: str = Field(description="The path that was asked for.")


class ProblemKindAnswer(_Answer):
    """A kind of problem, and what a program should do about it."""

    type: str
    title: str
    status: int
    meaning: str


class ExampleAnswer(_Answer):
    """One failing cell; personal data are masked."""

    row: int | None
    value: str | None


class FindingAnswer(_Answer):
    """One breach of one check."""

    check: str
    family: str
    severity: Literal["refuse", "warn"]
    column: str | None
    count: int
    rows: list[int] = Field(description="Every failing row; the header is row 1.")
    examples: list[ExampleAnswer]
    message: str
    remedy: str


class CheckedAnswer(_Answer):
    """What `fairtier check --json` says."""

    table: str
    file: str
    rows: int
    fit: bool = Field(description="Whether it would be recorded: no finding refuses it.")
    findings: list[FindingAnswer]
    notices: list[str]


class ReceiptAnswer(_Answer):
    """What recording a return did."""

    return_id: str
    already: bool = Field(description="The ledger said the same before; nothing changed.")
    table: str
    by: str
    covers: list[str]
    rows: int
    sha256: str
    replaced: list[str] = Field(description="Returns whose rows no longer all count.")


class SubmittedAnswer(CheckedAnswer):
    """What `fairtier submit --json` says."""

    model_config = ConfigDict(
        extra="forbid", serialize_by_alias=True, validate_by_alias=True, validate_by_name=True
    )

    effects: list[str] = Field(description="What recording it changes beyond adding its rows.")
    receipt: ReceiptAnswer | None = Field(alias="return")


class RefusedAnswer(ProblemAnswer, SubmittedAnswer):
    """Problem details (RFC 9457) with the findings beside them."""


class ReturnAnswer(_Answer):
    """One recorded return, as `fairtier history --json` has it."""

    sequence: int
    return_id: str
    table: str
    reporter_id: str
    months: list[dt.date] = Field(description="First days of the months covered.")
    versions: list[dt.date] = Field(description="Issue days of a forecast.")
    nil: bool
    row_count: int
    file_name: str
    file_sha256: str
    rows_sha256: str
    received_on: dt.date
    recorded_at: str
    warnings: list[str] = Field(description="Ids of the checks that warned.")
    replaced: list[str]
    previous_hash: str
    entry_hash: str


class WarningAnswer(_Answer):
    """A check that warned when a return was recorded."""

    check: str
    family: str | None
    promise: str | None = Field(description="What would have been so without the warning.")


class WarningsAnswer(_Answer):
    """What is kept of the findings about a recorded return."""

    return_id: str
    warnings: list[WarningAnswer]


class FlagAnswer(_Answer):
    """What one flag says about one agreement, or one contract (no subcontractor)."""

    flag: str
    contract_id: str
    prime_id: str | None
    subcontractor_id: str | None
    client_group: str | None
    status: Literal["raised", "watch", "clear", "too_early", "not_reported", "not_applicable"]
    value: float | None
    low: float | None
    high: float | None
    threshold: float
    evidence: dict[str, Any]
    sentence: str
    attributed_to: Literal["commissioner", "prime"] | None


class FlagsAnswer(_Answer):
    """What `fairtier flags --json` says."""

    as_of: dt.date
    rules: dict[str, Any]
    overridden: list[str]
    what_if: list[dict[str, Any]]
    warnings: list[str]
    notes: list[str]
    flags: list[FlagAnswer]


class ExplainedAnswer(BaseModel):
    """What `fairtier explain --json` says: one answer in full, with every row that is yours."""

    model_config = ConfigDict(extra="allow")

    as_of: dt.date
    through: str
    assessment: FlagAnswer
    promise: list[str]
    happened: list[str]
    arithmetic: list[str]
    ask_next: list[str]
    rows: list[dict[str, Any]]
    rows_of_others: list[dict[str, Any]]


class ReplyAnswer(_Answer):
    """A reply of an organisation that a published flag is about."""

    organisation_id: str
    stance: Literal["accepted", "disputed"]
    reason: str
    text: str
    replied_at: dt.datetime


class PublishedAnswer(_Answer):
    """A published flag, beside the replies."""

    case_id: str
    flag: str
    contract_id: str
    prime_id: str | None
    subcontractor_id: str | None
    names: dict[str, str]
    sentence: str
    opened_at: dt.datetime
    due_on: dt.date
    replies: list[ReplyAnswer]
    outcome: str | None
    reason: str
    published_at: dt.datetime
    no_longer_raised: bool
