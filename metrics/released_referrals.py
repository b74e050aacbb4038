"""Referrals by agreement and month as they may be published, with their totals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import narwhals as nw

from metrics.definition import Metric
from metrics.disclosure import Disclosed, PastTotal, Total, disclosed_counts
from metrics.frames import records
from metrics.observed_referrals import reported_rows
from metrics.referral_months import referral_months
from metrics.window import WHOLE_CONTRACT, in_window, month_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metrics.disclosure import Cell, Policy
    from metrics.facts import Facts

METRIC = Metric(
    id="released_referrals",
    title="Referrals published",
    question="How many clients were sent to whom, as anybody may know it?",
    why_it_matters="The 2012 report asked for timely, open figures, and for open data that "
    "identify no person.",
    numerator="Referrals received (observed_referrals), and those the prime kept in house.",
    denominator="none",
    unit="referrals, to the nearest 5; 1 to 7 are hidden and 0 is shown",
    grain="agreement and month; agreement and quarter; contract and month; contract and quarter",
    direction="no judgement by itself",
    exclusions=(
        "Confidential contracts.",
        "Months that nobody has reported: they are not reported, never zero.",
        "What only a subcontractor has reported that asks first before others are told.",
        "Quarters, and months of a whole contract, of which a part is not reported.",
        "Totals that would give a hidden count away, now or beside an earlier release.",
    ),
    assumptions=(
        "Quarters are those of the calendar, so that totals of different releases do not "
        "overlap by a few months.",
        "What the prime kept in house is its own word.",
    ),
    source="Data standard, version 1; NHS England, disclosure control of Hospital Episode "
    "Statistics",
    version=1,
)

Side = Literal["subcontractor", "prime", "both"]


@dataclass(frozen=True)
class ReleasedCount:
    """One published count: of an agreement, in house (the prime's id) or a whole contract.

    `period` is a month, 2012-03, or a quarter, 2012-Q1. `parts` are the cells (contract,
    subcontractor, month) that it adds up and what each held, which leaves no scope; a cell has
    itself alone. `forecast` is what was promised for
    a month, None where nothing was.
    """

    contract_id: str
    subcontractor_id: str
    period: str
    disclosed: Disclosed
    forecast: int | None
    counted_by: Side
    parts: Mapping[Cell, int]

    @property
    def is_total(self) -> bool:
        """Whether it adds up others."""
        return self.subcontractor_id == WHOLE_CONTRACT or "Q" in self.period


def quarter_of(period: str) -> str:
    """The quarter that a month is in: 2012-Q1."""
    return f"{period[:4]}-Q{(int(period[5:]) + 2) // 3}"


def released_referrals(
    facts: Facts,
    policy: Policy,
    past: Iterable[PastTotal] = (),
    asks_first: frozenset[str] = frozenset(),
) -> tuple[ReleasedCount, ...]:
    """Every count there is, by contract, subcontractor and period; the whole contract comes first.

    `past` are the totals that earlier releases showed. Of the subcontractors that ask first
    nothing is told that only they have reported: the prime's count stands, where there is one.
    """
    open_contracts = {one.contract_id for one in facts.contracts if not one.confidential}
    counts, forecasts, sides, expected_rows = _monthly(facts, open_contracts, asks_first)
    earlier: dict[str, list[PastTotal]] = defaultdict(list)
    for total in past:
        for contract_id in {key[0] for key in total.parts}:
            earlier[contract_id].append(total)
    by_contract: dict[str, dict[Cell, int]] = defaultdict(dict)
    for cell, count in counts.items():
        by_contract[cell[0]][cell] = count
    made: list[ReleasedCount] = []
    for contract_id, cells in sorted(by_contract.items()):
        totals = _totals(contract_id, cells, expected_rows[contract_id])
        disclosed = disclosed_counts(cells, totals, policy, earlier[contract_id])
        parts_of = {total.key: total.parts for total in totals}
        for key in sorted([*cells, *parts_of]):
            _, subcontractor_id, period = key
            parts = {part: cells[part] for part in parts_of.get(key, (key,))}
            told = {sides[part] for part in parts}
            made.append(
                ReleasedCount(
                    contract_id,
                    subcontractor_id,
                    period,
                    disclosed=disclosed[key],
                    forecast=forecasts.get(key),
                    counted_by=told.pop() if len(told) == 1 else "both",
                    parts=parts,
                )
            )
    return tuple(made)


def _monthly(
    facts: Facts, open_contracts: set[str], asks_first: frozenset[str]
) -> tuple[dict[Cell, int], dict[Cell, int], dict[Cell, Side], dict[str, dict[str, set[str]]]]:
    """The counts, forecasts and sides by cell; by contract, who was at work in each month."""
    counts: dict[Cell, int] = {}
    forecasts: dict[Cell, int] = {}
    sides: dict[Cell, Side] = {}
    at_work: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    own = {
        (row["contract_id"], row["month"]): row["referral_count"]
        for row in records(
            reported_rows(facts.frames)
            .filter(
                nw.col("reporter_id") == nw.col("prime_id"),
                nw.col("subcontractor_id") == nw.col("prime_id"),
            )
            .group_by("contract_id", "month")
            .agg(nw.col("referral_count").sum())
            .with_columns(nw.col("referral_count").cast(nw.Int64))
        )
    }
    agreed = {(one.contract_id, one.subcontractor_id) for one in facts.agreements}
    side: Side
    for row in records(referral_months(facts.frames, facts.rows).filter(in_window())):
        contract_id, month = row["contract_id"], row["month"]
        if contract_id not in open_contracts:
            continue
        period, who = month_code(month) or "", row["subcontractor_id"]
        if who == WHOLE_CONTRACT:
            who = row["prime_id"]
            if (contract_id, who) in agreed:
                continue
            count, side = own.get((contract_id, month), 0), "prime"
        else:
            if who in asks_first and not row["prime_covered"]:
                continue
            by_subcontractor = row["sub_covered"] == 1 and who not in asks_first
            side = "subcontractor" if by_subcontractor else "prime"
            count = row["observed_sub" if by_subcontractor else "observed_prime"]
            if row["expected"] is not None:
                forecasts[contract_id, who, period] = row["expected"]
        cell = contract_id, who, period
        counts[cell], sides[cell] = count, side
    for one in facts.agreements:
        window = one.window
        if one.contract_id in open_contracts and window.first is not None:
            for month in range(window.first, window.last + 1):
                at_work[one.contract_id][month_code(month) or ""].add(one.subcontractor_id or "")
    return counts, forecasts, sides, at_work


def _totals(
    contract_id: str, cells: Mapping[Cell, int], at_work: Mapping[str, set[str]]
) -> list[Total]:
    """The sums that may stand beside the cells, of what is reported as a whole."""
    months = sorted({cell[2] for cell in cells})
    rows = sorted({cell[1] for cell in cells})
    found = []
    whole = {
        month
        for month in months
        if {who for who in rows if (contract_id, who, month) in cells} >= at_work.get(month, set())
    }
    for month in sorted(whole):
        parts = frozenset(
            (contract_id, who, month) for who in rows if (contract_id, who, month) in cells
        )
        found.append(Total((contract_id, WHOLE_CONTRACT, month), parts, 2))
    for quarter, its_months in _quarters(months).items():
        for who in rows:
            parts = frozenset((contract_id, who, month) for month in its_months)
            if parts <= cells.keys():
                found.append(Total((contract_id, who, quarter), parts, 1))
        if whole.issuperset(its_months):
            parts = frozenset(cell for cell in cells if cell[2] in its_months)
            found.append(Total((contract_id, WHOLE_CONTRACT, quarter), parts, 3))
    return found


def _quarters(months: Iterable[str]) -> dict[str, list[str]]:
    """The quarters whose three months are all there."""
    found: dict[str, list[str]] = defaultdict(list)
    for month in months:
        found[quarter_of(month)].append(month)
    return {quarter: found[quarter] for quarter in found if len(found[quarter]) == 3}
