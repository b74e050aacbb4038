"""How primes compare on the terms and money of their subcontractors, giving no one away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from metrics.definition import Metric
from metrics.disclosure import (
    Contribution,
    Disclosed,
    Mean,
    disclosed_figure,
    too_few_or_too_large,
)
from metrics.management_fee import PricedFee, priced_fees
from metrics.payment_timing import payable_rows, payment_timings
from metrics.window import first_day, month_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

    from metrics.disclosure import Policy, Unit
    from metrics.facts import Facts, Subject

METRIC = Metric(
    id="terms",
    title="Terms compared",
    question="How do primes compare on what their subcontractors get and bear?",
    why_it_matters="A charity that is offered terms cannot tell whether they are usual. The 2012 "
    "report advised charities to compare the terms and prices that primes offer.",
    numerator="The mean over a prime's subcontractors; each measure says what of, and how they "
    "are weighted.",
    denominator="The sum of the weights.",
    unit="share, days or subcontractors, as the measure says; rounded",
    grain="prime and measure; for prices also payment type and band of client groups",
    direction="no judgement",
    exclusions=(
        "Confidential contracts, and contracts without a prime in the register.",
        "What became known in the last months (the rule disclosure_months).",
        "Work that a prime keeps in house.",
        "Figures that would tell a subcontractor's own terms: they are hidden, with the reason.",
    ),
    assumptions=(
        "The prime is the subject and its subcontractors are the sources, over all of its "
        "contracts; a subcontractor with several contracts is one source.",
        "Primes with too few sources are put together, if together they have enough.",
        "Client groups that stand next to each other in price are put together where that shows "
        "more.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2",
    version=1,
)

MeasureId = Literal[
    "effective_fee",
    "declared_fee",
    "price",
    "at_risk_share",
    "payment_days",
    "volume_kept",
    "zero_referral_share",
]


@dataclass(frozen=True)
class Measure:
    """One thing that primes are compared on."""

    id: MeasureId
    title: str
    what: str
    weighted_by: str
    unit: Unit


MEASURES: Mapping[MeasureId, Measure] = {
    one.id: one
    for one in (
        Measure(
            "effective_fee",
            "Management fee as paid",
            "What the prime keeps of what the commissioner paid for its subcontractors' work.",
            "what the commissioner paid",
            "share",
        ),
        Measure(
            "declared_fee",
            "Management fee as agreed",
            "The management fee that the agreements state.",
            "each subcontractor's agreements alike",
            "share",
        ),
        Measure(
            "price",
            "Price, of the commissioner's price",
            "What a subcontractor is paid for an event, as a share of what the commissioner pays "
            "the prime for it.",
            "each price alike",
            "share",
        ),
        Measure(
            "at_risk_share",
            "Share of income at risk",
            "The share of a subcontractor's income that depends on results.",
            "each subcontractor's agreements alike",
            "share",
        ),
        Measure(
            "payment_days",
            "Days until payment",
            "Days from a valid invoice to the payment.",
            "payments",
            "days",
        ),
        Measure(
            "volume_kept",
            "Referrals received, of those promised",
            "The referrals that came in the months reported, as a share of those promised for the "
            "same months.",
            "the referrals promised",
            "volume",
        ),
        Measure(
            "zero_referral_share",
            "Subcontractors without a referral",
            "Subcontractors with a promise, or named in the bid, that were sent nobody in the "
            "months reported.",
            "each subcontractor alike",
            "share",
        ),
    )
}


@dataclass(frozen=True)
class Figure:
    """One figure of the comparison: about one prime, or several together (`prime_ids`).

    `payment_type` and `client_groups` are those of a price, empty for other measures. `mean` is
    what it rests on, which leaves no scope; None for a count of organisations, which is
    `zero_count` of `source_count`.
    """

    measure: MeasureId
    prime_ids: tuple[str, ...]
    payment_type: str
    client_groups: tuple[str, ...]
    source_count: int
    disclosed: Disclosed
    mean: Mean | None = None
    zero_count: int | None = None


@dataclass(frozen=True)
class Comparison:
    """The figures, the bands of client groups, and how many of the cells asked for are shown.

    A cell is one measure of one prime, and of a price one payment type and client group: it is
    shown if a figure about that prime alone covers it.
    """

    figures: tuple[Figure, ...]
    bands: tuple[tuple[str, ...], ...]
    cell_count: int
    shown_cell_count: int

    @property
    def shown_share(self) -> float | None:
        """The share of the cells that are shown; None where there is nothing to compare."""
        return self.shown_cell_count / self.cell_count if self.cell_count else None


def known_by(day: dt.date, policy: Policy) -> dt.date:
    """The day whose knowledge may be compared: as many months before as the policy asks."""
    month = month_of(day) - policy.age_months
    days = (first_day(month + 1) - first_day(month)).days
    return first_day(month).replace(day=min(day.day, days))


def own_terms(facts: Facts, organisation_id: str) -> dict[tuple[MeasureId, str, str], float]:
    """A subcontractor's own values, by measure, payment type and client group; never rounded."""
    mine = defaultdict(list)
    for key, found in _contributions(facts, priced_fees(facts.frames), organisation_id).items():
        measure, _, payment_type = key
        for one in found:
            mine[measure, payment_type, one.part].append(one)
    return {
        key: sum(one.value * one.weight for one in found) / sum(one.weight for one in found)
        for key, found in mine.items()
    }


def compare(facts: Facts, policy: Policy, past: Iterable[Figure] = ()) -> Comparison:
    """The comparison of all primes; `facts` are those of the day that `known_by` gives.

    `past` are the figures of earlier releases that were shown.
    """
    earlier: dict[tuple[MeasureId, str], list[Mean]] = defaultdict(list)
    for one in past:
        if one.mean is not None and one.disclosed.hidden is None:
            earlier[one.measure, one.payment_type].append(one.mean)
    prices = priced_fees(facts.frames)
    contributions = _contributions(facts, prices)

    def figure(
        measure: MeasureId,
        prime_ids: tuple[str, ...],
        payment_type: str,
        groups: tuple[str, ...],
        found: Sequence[Contribution],
    ) -> Figure:
        before = earlier[measure, payment_type]
        mean, disclosed = disclosed_figure(found, MEASURES[measure].unit, policy, before)
        if disclosed.hidden is None:
            before.append(mean)
        return Figure(measure, prime_ids, payment_type, groups, mean.source_count, disclosed, mean)

    bands = best_bands(
        _groups_by_price(prices),
        {key[1:]: found for key, found in contributions.items() if key[0] == "price"},
        lambda found: too_few_or_too_large(found, policy) is None,
    )
    figures: list[Figure] = []
    too_thin: dict[tuple[MeasureId, str, tuple[str, ...]], dict[str, list[Contribution]]] = (
        defaultdict(dict)
    )
    cell_count = shown_cell_count = 0
    for (measure, prime_id, payment_type), found in sorted(contributions.items()):
        for groups in bands if measure == "price" else ((),):
            mine = [one for one in found if not groups or one.part in groups]
            if not mine:
                continue
            cells = len({one.part for one in mine})
            cell_count += cells
            made = figure(measure, (prime_id,), payment_type, groups, mine)
            if made.disclosed.hidden in ("few_sources", "one_source"):
                too_thin[measure, payment_type, groups][prime_id] = mine
            shown_cell_count += cells if made.disclosed.hidden is None else 0
            figures.append(made)
    for (measure, payment_type, groups), by_prime in sorted(too_thin.items()):
        if len(by_prime) > 1:
            together = [one for found in by_prime.values() for one in found]
            made = figure(measure, tuple(sorted(by_prime)), payment_type, groups, together)
            if made.disclosed.hidden is None:
                figures.append(made)
    zeros = _zero_referrals(facts)
    return Comparison(
        figures=(*figures, *zeros),
        bands=bands,
        cell_count=cell_count + len(zeros),
        shown_cell_count=shown_cell_count + len(zeros),
    )


Key = tuple[MeasureId, str, str]
Prices = Mapping[tuple[str, str], tuple[PricedFee, ...]]


def _contributions(
    facts: Facts, prices: Prices, own: str | None = None
) -> dict[Key, list[Contribution]]:
    """What each agreement brings to each measure, by measure, prime and payment type."""
    found: dict[Key, list[Contribution]] = defaultdict(list)
    waits = payment_timings(payable_rows(facts.frames, facts.rows))
    for agreement in _compared(facts, own):
        prime_id, subcontractor_id = agreement.prime_id or "", agreement.subcontractor_id or ""
        key = agreement.contract_id, subcontractor_id
        money, terms, promise = agreement.payments, agreement.terms, agreement.promise

        def add(
            measure: MeasureId,
            value: float | None,
            weight: float = 1.0,
            payment_type: str = "",
            part: str = "",
            prime_id: str = prime_id,
            subcontractor_id: str = subcontractor_id,
        ) -> None:
            if value is not None and weight > 0:
                one = Contribution(prime_id, subcontractor_id, value, weight, part)
                found[measure, prime_id, payment_type].append(one)

        if money.received_pence > 0:
            kept = 1 - money.payable_pence / money.received_pence
            add("effective_fee", kept, float(money.received_pence))
        add("declared_fee", terms.agreed_management_fee_rate)
        add("at_risk_share", terms.at_risk_share)
        if key in waits:
            wait = waits[key].from_invoice
            add("payment_days", wait.mean_days, float(wait.payment_count))
        if promise and agreement.reported_months:
            add("volume_kept", agreement.observed / promise, promise)
        for price in prices.get(key, ()):
            ratio = price.subcontractor_price_pence / price.commissioner_price_pence
            add("price", ratio, 1.0, price.payment_type, price.client_group)
    return found


def _compared(facts: Facts, own: str | None = None) -> Iterable[Subject]:
    """The agreements that take part; a subcontractor's own, its confidential ones too."""
    for one in facts.agreements:
        outside = one.prime_id is not None and one.subcontractor_id != one.prime_id
        if outside and (one.subcontractor_id == own if own else not one.confidential):
            yield one


def _zero_referrals(facts: Facts) -> list[Figure]:
    """How many of each prime's subcontractors were sent nobody: a count of organisations."""
    sent: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in _compared(facts):
        if one.reported_months and (one.promise or one.terms.named_in_bid):
            sent[one.prime_id or ""][one.subcontractor_id or ""] += one.observed
    return [
        Figure(
            "zero_referral_share",
            (prime_id,),
            "",
            (),
            len(counts),
            Disclosed(sum(count == 0 for count in counts.values()) / len(counts)),
            zero_count=sum(count == 0 for count in counts.values()),
        )
        for prime_id, counts in sorted(sent.items())
    ]


def _groups_by_price(prices: Prices) -> list[str]:
    """The client groups, from the one that commissioners pay least for to the most."""
    paid: dict[str, list[int]] = defaultdict(list)
    for of_agreement in prices.values():
        for one in of_agreement:
            paid[one.client_group].append(one.commissioner_price_pence)
    return sorted(paid, key=lambda group: (sum(paid[group]) / len(paid[group]), group))


def best_bands(
    groups: Sequence[str],
    found: Mapping[tuple[str, str], Sequence[Contribution]],
    may_be_shown: Callable[[Sequence[Contribution]], bool],
) -> tuple[tuple[str, ...], ...]:
    """The client groups cut into bands of neighbours, so that the most can be shown.

    The most cells (one prime's price for one payment type and client group) are covered by a
    figure that may be shown, and among such cuts the one with the most figures is taken. By
    dynamic programming over the places to cut.
    """
    best: list[tuple[int, int, tuple[tuple[str, ...], ...]]] = [(0, 0, ())]
    for end in range(1, len(groups) + 1):
        options = []
        for start in range(end):
            band = tuple(groups[start:end])
            covered = figure_count = 0
            for contributions in found.values():
                mine = [one for one in contributions if one.part in band]
                if mine and may_be_shown(mine):
                    covered += len({one.part for one in mine})
                    figure_count += 1
            before = best[start]
            options.append((before[0] + covered, before[1] + figure_count, (*before[2], band)))
        best.append(max(options, key=lambda option: option[:2]))
    return best[-1][2]
