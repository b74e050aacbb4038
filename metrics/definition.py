"""What a metric, a flag and an answer are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Status = Literal["raised", "watch", "clear", "too_early", "not_reported", "not_applicable"]
Attribution = Literal["commissioner", "prime"]

STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class Metric:
    """A number about an agreement, a contract or an offer, defined in full."""

    id: str
    title: str
    question: str
    why_it_matters: str
    numerator: str
    denominator: str  # "none" for a count
    unit: str
    grain: str
    direction: str  # what a higher value means, or that there is no judgement
    exclusions: tuple[str, ...]
    assumptions: tuple[str, ...]
    source: str
    version: int


@dataclass(frozen=True)
class Flag:
    """A metric held against a rule. It says look here, never guilty.

    `order` is its place in answers. `metrics` and `rules` are the ids of what it rests on;
    `rule` is the one whose value is the threshold in the answer. `in_public` is all that anybody
    is told when it is published: no figure but the threshold ({limit}) and the direction ({way}).
    """

    id: str
    order: int
    title: str
    question: str
    why_it_matters: str
    numerator: str
    denominator: str
    unit: str
    grain: str
    direction: str
    exclusions: tuple[str, ...]
    assumptions: tuple[str, ...]
    source: str
    version: int
    metrics: tuple[str, ...]
    rule: str
    rules: tuple[str, ...]
    statuses: tuple[tuple[Status, str], ...]  # the statuses it can have, and when
    other_explanations: tuple[str, ...]
    ask_next: tuple[str, ...]
    in_public: str


@dataclass(frozen=True)
class Assessment:
    """What one flag says about one agreement, or one contract (`subcontractor_id` None).

    `evidence` can be written as JSON as it stands: counts and pence are whole numbers, months
    are written `2012-03` and days `2012-03-31`.
    """

    flag: str
    contract_id: str
    prime_id: str | None
    subcontractor_id: str | None
    client_group: str | None
    status: Status
    value: float | None
    low: float | None
    high: float | None
    threshold: float
    evidence: dict[str, Any]
    sentence: str
    attributed_to: Attribution | None

    def answer(self) -> dict[str, Any]:
        """The JSON answer of `fairtier flags`, as the data standard has it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Account:
    """What one answer rests on, told in sentences for `fairtier explain` and the Agreement page.

    `promise` says what was promised, `happened` what happened as each side reports it, and
    `arithmetic` the steps from there to the status, with their numbers. All of it follows from
    the assessment alone.
    """

    promise: tuple[str, ...]
    happened: tuple[str, ...]
    arithmetic: tuple[str, ...]


@dataclass(frozen=True)
class SourceRow:
    """A row behind an answer: which table, who reported it, in which return, on which line.

    `subcontractor_id` is whom the row is about, None where it is about the contract. `row_id` is
    the reporter's own id of it (empty where the table has none); `part` says what it is to the
    answer, such as "counted" or "forecast in force".
    """

    table: str
    reporter_id: str
    return_id: str
    row_number: int
    row_id: str
    part: str
    subcontractor_id: str | None = None
