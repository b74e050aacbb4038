"""What the prime's allocation says by itself: the part of its intake that a subcontractor got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from metrics.definition import Metric
from metrics.evidence.allocation import binomial_tail
from metrics.evidence.arrays import numbers
from metrics.evidence.e_process import e_value, log_e_value_given_intake
from metrics.wording import chance, count, evidence_size, figure, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from metrics.clumping import Overdispersion
    from metrics.evidence.arrays import Numbers, Side
    from metrics.facts import Facts, Subject
    from metrics.rules import Rules

METRIC = Metric(
    id="allocation",
    title="The prime's allocation",
    question="Of the clients that the prime had, did the subcontractor get the share it was "
    "promised?",
    why_it_matters="It tells a prime that shares out unfairly from one that had too few clients "
    "to share out. Nobody else can know without both figures.",
    numerator="Referrals received.",
    denominator="The prime's intake in the client groups served, of which the promised share was "
    "to come.",
    unit="chance of so few (or many) at the promised share, and an e-value for repeated looks",
    grain="agreement with a promised share whose prime has reported its intake",
    direction="a small chance and a large e-value point to the allocation",
    exclusions=(
        "Agreements without a promised share in the register.",
        "Months that the prime has not reported: its true intake can only be larger.",
    ),
    assumptions=(
        "Each client had the promised share as its chance of going to the subcontractor; clients "
        "who come in clumps of D count as one in D.",
    ),
    source="Exact binomial (NIST DLMF 8.17.5); Ville's inequality for the e-value",
    version=1,
)


@dataclass(frozen=True)
class Allocation:
    """How the promised share fits what came of the intake, on one side of the promise."""

    tail: float
    e_value: float
    names_prime: bool

    def evidence(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {"binomial_tail": self.tail, "e_value": self.e_value}


def unlikely(tail: ArrayLike, rules: Rules) -> NDArray[np.bool_]:
    """Whether the chance is so small that the commissioner's volume does not explain the count."""
    return np.asarray(numbers(tail) <= rules["attribution"].number)


def names_prime(tail: ArrayLike, evidence: ArrayLike, rules: Rules) -> NDArray[np.bool_]:
    """Whether the prime is named: the chance is small, and so is that of ever seeing the like.

    The chance alone, looked at every month, would name a fair prime about one time in ten.
    """
    enough = numbers(evidence) >= rules["attribution_evidence"].number
    return np.asarray(unlikely(tail, rules) & enough)


def allocation_evidence(
    observed: ArrayLike, intake: ArrayLike, share: ArrayLike, side: Side, clumping: ArrayLike
) -> tuple[Numbers, Numbers]:
    """The binomial tail and the e-value given the intake, on arrays."""
    tail = binomial_tail(observed, intake, share, side, clumping)
    return tail, e_value(log_e_value_given_intake(observed, intake, share, side, clumping))


def allocations(
    subjects: Sequence[Subject], clumping: Sequence[Overdispersion], side: Side, rules: Rules
) -> list[Allocation | None]:
    """The allocation of each subject; None where the share or the intake is not known."""
    known = [
        s.subcontractor_id is not None and s.intake is not None and s.promised_share is not None
        for s in subjects
    ]
    tails, evidence = allocation_evidence(
        [s.observed for s in subjects],
        [s.intake or 0 for s in subjects],
        [s.promised_share or 0.0 for s in subjects],
        side,
        [c.value for c in clumping],
    )
    named = names_prime(tails, evidence, rules)
    rows = zip(known, tails.tolist(), evidence.tolist(), named.tolist(), strict=True)
    return [Allocation(*figures) if there else None for there, *figures in rows]


def of_the_intake(
    subject: Subject, facts: Facts, found: Allocation, rules: Rules, so_many: str
) -> str:
    """The promised share of the intake and how likely so few (or many) are, without a full stop."""
    rule = rules["attribution"]
    return (
        f"Of the {count(subject.intake or 0, 'referral')} that {facts.name(subject.prime_id)} "
        f"reports in the client groups served, {facts.name(subject.subcontractor_id)} was to get "
        f"{share(subject.promised_share or 0.0)}; {so_many} would then come about in "
        f"{chance(found.tail)} of cases (rule: {share(rule.number)}; {rule.standing})"
    )


def short_of_naming(found: Allocation, rules: Rules) -> str:
    """Why the prime is not named although the chance is small, as a sentence."""
    rule = rules["attribution_evidence"]
    size = evidence_size(found.e_value)
    return (
        "Looked at every month, as this is, a chance that small comes up often for a fair prime: "
        f"the evidence (e-value) is {size} where {figure(rule.number)} is asked "
        f"({rule.standing}), so the prime is not named."
    )
