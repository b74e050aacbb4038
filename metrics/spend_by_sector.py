"""Which sectors the prime's money for subcontractors goes to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.definition import Metric
from metrics.frames import records
from metrics.window import AGREEMENT, WHOLE_CONTRACT, covered_months, in_window, month_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metrics.facts import Facts

METRIC = Metric(
    id="spend_by_sector",
    title="Spend by sector",
    question="How much of what is payable to subcontractors goes to voluntary, private and public "
    "organisations?",
    why_it_matters="Contracts are let with a promise that small and voluntary organisations take "
    "part; the money shows whether they do.",
    numerator="What the prime's payments rows make payable to the subcontractors of a sector.",
    denominator="The same for the subcontractors of all sectors.",
    unit="share of what is payable; pence; subcontractors",
    grain="contract; programme",
    direction="no judgement",
    exclusions=(
        "Months that the prime's payments returns do not cover, or outside the agreement.",
        "Payments to organisations without an agreement in the contract, and to the prime itself.",
        "Shares where the sum is 0 or less after corrections.",
        "Confidential contracts, from the figures of their programme.",
    ),
    assumptions=(
        "An organisation is of the sector that the register of organisations gives it; one that "
        "is not in the register has a line of its own.",
        "What is payable counts, paid or not.",
        "A subcontractor with several contracts of a programme counts there once.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2",
    version=1,
)

NOT_IN_REGISTER = "not in the register"
_ORDER = ("voluntary", "private", "public", NOT_IN_REGISTER)


@dataclass(frozen=True)
class SectorSpend:
    """One sector: what is payable to its subcontractors, and how many there are."""

    sector: str
    payable_pence: int
    subcontractor_count: int
    share: float | None  # of what is payable; None where that is 0 or less


@dataclass(frozen=True)
class Spend:
    """What is payable to the subcontractors of a contract or programme, by sector that occurs.

    `payable_pence` is None, and the sectors' is 0, where the prime has reported no month. Where
    sums are not told they are 0, and shares are rounded.
    """

    payable_pence: int | None
    subcontractor_count: int
    sectors: tuple[SectorSpend, ...]
    sums_told: bool = True


def without_sums(spend: Spend) -> Spend:
    """The spend in rounded shares alone: the sum of a sector with one subcontractor is its own."""
    sectors = tuple(
        replace(one, payable_pence=0, share=None if one.share is None else round(one.share, 2))
        for one in spend.sectors
    )
    payable = None if spend.payable_pence is None else 0
    return replace(spend, payable_pence=payable, sectors=sectors, sums_told=False)


def spend_by_contract(facts: Facts) -> Mapping[str, Spend]:
    """The spend of every contract in the register, by its id."""
    return _by(facts, {one.contract_id: one.contract_id for one in facts.contracts})


def spend_by_programme(facts: Facts) -> Mapping[str, Spend]:
    """The spend of every programme without its confidential contracts, by its name."""
    counted = {one.contract_id: one.programme for one in facts.contracts if not one.confidential}
    nothing = {one.programme: _spend((), reported=False) for one in facts.contracts}
    return {**nothing, **_by(facts, counted)}


def _by(facts: Facts, whole_of: Mapping[str, str]) -> Mapping[str, Spend]:
    """The spend of each whole (contract or programme) that contracts are part of."""
    payable = _payable_pence(facts)
    sector_of = {
        row["organisation_id"]: row["sector"] or NOT_IN_REGISTER
        for row in records(facts.frames.organisations.select("organisation_id", "sector"))
    }
    lines: dict[str, list[tuple[str, str, int]]] = {whole: [] for whole in whole_of.values()}
    for agreement in facts.agreements:
        subcontractor_id = agreement.subcontractor_id or ""
        if agreement.contract_id in whole_of and subcontractor_id != agreement.prime_id:
            lines[whole_of[agreement.contract_id]].append(
                (
                    sector_of.get(subcontractor_id, NOT_IN_REGISTER),
                    subcontractor_id,
                    payable.get((agreement.contract_id, subcontractor_id), 0),
                )
            )
    reported = {
        whole_of[one.contract_id]
        for one in facts.contracts
        if one.payment_months and one.contract_id in whole_of
    }
    return {whole: _spend(found, whole in reported) for whole, found in lines.items()}


def _spend(lines: Iterable[tuple[str, str, int]], reported: bool) -> Spend:
    pence: dict[str, int] = defaultdict(int)
    organisations: dict[str, set[str]] = defaultdict(set)
    for sector, subcontractor_id, payable in lines:
        pence[sector] += payable
        organisations[sector].add(subcontractor_id)
    total = sum(pence.values())
    return Spend(
        payable_pence=total if reported else None,
        subcontractor_count=sum(len(ids) for ids in organisations.values()),
        sectors=tuple(
            SectorSpend(
                sector,
                pence[sector],
                len(organisations[sector]),
                pence[sector] / total if total > 0 else None,
            )
            for sector in sorted(pence, key=_ORDER.index)
        ),
    )


def _payable_pence(facts: Facts) -> dict[tuple[str, str], int]:
    """What the prime's rows make payable, by contract and subcontractor."""
    rows = facts.rows.filter(nw.col("subcontractor_id") != WHOLE_CONTRACT)
    months = (
        covered_months(facts.frames, rows, "payments")
        .filter(in_window() & (nw.col("prime_covered") == 1))
        .select(*AGREEMENT, "month", reporter_id="prime_id")
    )
    summed: nw.LazyFrame[Any] = (
        facts.frames.payments.select(
            *AGREEMENT, "reporter_id", "subcontractor_amount_pence", month=month_number("month")
        )
        .join(months, on=[*AGREEMENT, "month", "reporter_id"], how="inner")
        .group_by(*AGREEMENT)
        .agg(nw.col("subcontractor_amount_pence").sum().alias("payable_pence"))
        .with_columns(nw.col("payable_pence").cast(nw.Int64))
    )
    return {
        (row["contract_id"], row["subcontractor_id"]): row["payable_pence"]
        for row in records(summed)
    }
