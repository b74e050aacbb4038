"""Among how many subcontractors a prime shares out its clients."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw

from metrics.definition import Metric
from metrics.frames import records
from metrics.observed_referrals import reported_rows
from metrics.window import WHOLE_CONTRACT, covered_months, in_window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metrics.facts import Facts

METRIC = Metric(
    id="concentration",
    title="Concentration of referrals",
    question="Among how many subcontractors does the prime share out the clients it passes on?",
    why_it_matters="A bid may name twenty subcontractors and the contract live on two. The number "
    "describes a supply chain; it accuses nobody.",
    numerator="The sum of the squared shares of the subcontractors (Herfindahl-Hirschman index).",
    denominator="Referrals that the prime's returns show as passed on; the effective number of "
    "subcontractors is 1 over the index.",
    unit="index from 0 to 1; subcontractors",
    grain="contract",
    direction="no judgement: a higher index means fewer subcontractors in effect",
    exclusions=(
        "Clients kept in house: their number and share are given apart.",
        "Months that the prime's referrals returns do not cover.",
        "Contracts without a referral passed on: they have no index, which is not 0.",
    ),
    assumptions=("The prime reports every client of the contract, whoever serves it.",),
    source="Herfindahl-Hirschman index",
    version=1,
)


@dataclass(frozen=True)
class SubcontractorShare:
    """Referrals to one subcontractor, and their share of all that were passed on."""

    subcontractor_id: str
    referral_count: int
    share: float


@dataclass(frozen=True)
class Concentration:
    """How the clients of one contract are shared out, the largest share first.

    Everything is None or empty where the prime has reported no month, and the index is None where
    it passed nobody on.
    """

    month_count: int
    referral_count: int | None
    in_house_count: int | None
    subcontractors: tuple[SubcontractorShare, ...]
    index: float | None

    @property
    def in_house_share(self) -> float | None:
        """The share of all clients that the prime kept; None without a client."""
        return (self.in_house_count or 0) / self.referral_count if self.referral_count else None

    @property
    def effective_number(self) -> float | None:
        """How many subcontractors of equal size would give the same index."""
        return None if self.index is None else 1 / self.index


def concentration(facts: Facts) -> Mapping[str, Concentration]:
    """The concentration of every contract in the register, by its id."""
    rows = facts.rows.filter(nw.col("subcontractor_id") == WHOLE_CONTRACT)
    months = (
        covered_months(facts.frames, rows, "referrals")
        .filter(in_window() & (nw.col("prime_covered") == 1))
        .select("contract_id", "month")
    )
    counts = (
        reported_rows(facts.frames)
        .filter(nw.col("reporter_id") == nw.col("prime_id"))
        .join(months, on=["contract_id", "month"], how="inner")
        .group_by("contract_id", "subcontractor_id")
        .agg(nw.col("referral_count").sum())
        .with_columns(nw.col("referral_count").cast(nw.Int64))
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in records(counts):
        found[row["contract_id"]][row["subcontractor_id"]] = row["referral_count"]
    return {
        one.contract_id: _of(found[one.contract_id], one.prime_id, one.intake_months)
        for one in facts.contracts
    }


def _of(counts: Mapping[str, int], prime_id: str | None, month_count: int) -> Concentration:
    if not month_count:
        return Concentration(0, None, None, (), None)
    passed_on = {one: n for one, n in counts.items() if one != prime_id and n}
    total = sum(passed_on.values())
    return Concentration(
        month_count=month_count,
        referral_count=sum(counts.values()),
        in_house_count=counts.get(prime_id or "", 0),
        subcontractors=tuple(
            SubcontractorShare(one, passed_on[one], passed_on[one] / total)
            for one in sorted(passed_on, key=lambda one: (-passed_on[one], one))
        ),
        index=sum(n * n for n in passed_on.values()) / total**2 if total else None,
    )
