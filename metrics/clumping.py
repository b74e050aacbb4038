"""Whether clients come one by one or in clumps, programme by programme.

A confidential contract is estimated by itself, and programmes without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import narwhals as nw

from metrics.definition import Metric
from metrics.evidence.overdispersion import LARGEST_LEAP, Clumping
from metrics.frames import records
from metrics.window import AGREEMENT, WHOLE_CONTRACT
from metrics.wording import count, figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from metrics.facts import Subject
    from metrics.rules import Rules

METRIC = Metric(
    id="clumping",
    title="Clumping of referrals",
    question="Do clients come one by one, or in clumps?",
    why_it_matters="Clients who come in clumps make months differ more than chance alone would, "
    "and a flag that overlooks it accuses the innocent.",
    numerator="The squared differences of neighbouring months, none counted as more than "
    f"{LARGEST_LEAP} times the referrals of its two months.",
    denominator="The referrals of the same pairs of months.",
    unit="variance of monthly referrals divided by their mean, to one decimal and at least 1",
    grain="programme; agreements and whole contracts apart",
    direction="1 is one by one; higher asks for more evidence before a flag is raised",
    exclusions=(
        "Months that neither side has reported, and their neighbours' pairs.",
        "Pairs of which the two months were counted by different sides.",
        "Months without a promise: a forecast, or a share of an intake that is known.",
        "Pairs whose promises differ by more than 1 referral and more than a fifth.",
        "Pairs of months without any referral.",
        "Confidential contracts: each is estimated by itself.",
    ),
    assumptions=(
        "Neighbouring months with like promises have nearly the same mean.",
        "All agreements of a programme are about equally clumped.",
    ),
    source="Quasi-Poisson variance by first differences (von Neumann and others, 1941)",
    version=1,
)


Pool = tuple[str, str]  # a programme, and the contract where it is counted by itself


def pool_of(contract_id: str, programme: str, confidential: bool) -> Pool:
    """What a contract's figures are counted and estimated with: its programme, or itself alone."""
    return programme, contract_id if confidential else ""


def clumping_by_pool(
    months: nw.LazyFrame[Any], pool: Callable[[str], Pool]
) -> dict[tuple[Pool, bool], Clumping]:
    """The sums behind the estimate, by pool and whether of whole contracts.

    `months` are those of the windows, as `referral_months` gives them, with the agreement's
    promised_share beside; `pool` says of which a contract is.
    """
    of_month = [*AGREEMENT, "month"]
    by_sub = nw.col("sub_covered") == 1
    share_of_intake = nw.when(nw.col("prime_covered") == 1).then(
        nw.col("promised_share") * nw.col("intake")
    )
    counted = months.select(
        *of_month,
        promise=nw.coalesce(nw.col("expected").cast(nw.Float64), share_of_intake),
        by_sub=nw.when(by_sub).then(1).otherwise(0),
        x=nw.when(by_sub).then(nw.col("observed_sub")).otherwise(nw.col("observed_prime")),
    )
    before = counted.select(
        *AGREEMENT,
        month=nw.col("month") + 1,
        y=nw.col("x"),
        promise_before=nw.col("promise"),
        by_sub_before=nw.col("by_sub"),
    )
    gap = (nw.col("promise") - nw.col("promise_before")).abs()
    both = nw.col("promise") + nw.col("promise_before")
    alike = ((gap <= 1) | (gap * 10 <= both)).fill_null(False)
    sum_of_both, leap = nw.col("x") + nw.col("y"), nw.col("x") - nw.col("y")
    sums = ("pair_count", "squared_differences", "referrals")
    pairs = (
        counted.join(before, on=of_month, how="inner")
        .filter((nw.col("by_sub") == nw.col("by_sub_before")) & alike & (sum_of_both > 0))
        .select(
            *AGREEMENT,
            pair_count=nw.lit(1),
            squared_differences=nw.min_horizontal(leap * leap, LARGEST_LEAP * sum_of_both),
            referrals=sum_of_both,
        )
        .group_by(*AGREEMENT)
        .agg(*(nw.col(name).sum() for name in sums))
    )
    found: dict[tuple[Pool, bool], Clumping] = {}
    for row in records(pairs):
        whole = row["subcontractor_id"] == WHOLE_CONTRACT
        key = pool(row["contract_id"]), whole
        mine = Clumping(*(int(row[name]) for name in sums))
        found[key] = found.get(key, Clumping()) + mine
    return found


@dataclass(frozen=True)
class Overdispersion:
    """The clumping an answer reckons with, and where the figure comes from.

    `alone` says that it is that of one confidential contract, not of a programme.
    """

    value: float
    basis: Literal["rule", "estimated", "too few pairs"]
    pair_count: int
    alone: bool = False

    def evidence(self) -> dict[str, Any]:
        """The same as JSON."""
        told = {"value": self.value, "basis": self.basis, "pairs": self.pair_count}
        return told | {"of": "contract"} if self.alone else told

    @property
    def estimated(self) -> bool:
        """Whether the figure comes from the months of the programme or contract."""
        return self.basis == "estimated"

    @property
    def sentence(self) -> str:
        """The figure and its basis in words."""
        return clumping_sentence(self.evidence())


def overdispersion(subject: Subject, rules: Rules) -> Overdispersion:
    """The rule's figure, or the estimate for the subject's pool where the rule is `auto`.

    With fewer pairs of months than the rule asks for, it is the figure of the rule
    `overdispersion_before`.
    """
    rule, pairs = rules["overdispersion"], subject.clumping.pair_count
    alone = subject.confidential
    if not rule.automatic:
        return Overdispersion(rule.number, "rule", pairs, alone)
    if pairs < rules["overdispersion_pairs"].value:
        before = rules["overdispersion_before"].number
        return Overdispersion(before, "too few pairs", pairs, alone)
    return Overdispersion(subject.clumping.estimate(), "estimated", pairs, alone)


def clumping_sentence(evidence: dict[str, Any]) -> str:
    """What an answer's evidence says about clumping, as a sentence."""
    value, pairs = evidence["value"], count(evidence["pairs"], "pair")
    whole = evidence.get("of", "programme")
    if evidence["basis"] == "rule":
        return f"Clumping is set to {figure(value)} by the rule (1: clients come one by one)."
    if evidence["basis"] == "too few pairs":
        return (
            f"{pairs} of neighbouring months of this {whole} are too few to tell whether clients "
            f"come in clumps: to be careful, the variance of monthly referrals is taken to be "
            f"{figure(value)} times their mean."
        )
    return (
        f"Clients of this {whole} come {'one by one' if value == 1 else 'in clumps'}: the "
        f"variance of monthly referrals is {figure(value)} times their mean, by {pairs} of "
        "neighbouring months."
    )
