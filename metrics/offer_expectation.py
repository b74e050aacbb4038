"""What an offer brings if everything goes as expected, worked out exactly, and its break-even."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from metrics.definition import Metric
from metrics.offer import exact
from metrics.wording import count, figure, pounds, share

if TYPE_CHECKING:
    from metrics.offer import GroupTerms, Offer

METRIC = Metric(
    id="offer_expectation",
    title="What an offer is expected to bring",
    question="What does each client bring, what is left over, and how many clients must come "
    "before the offer breaks even?",
    why_it_matters="Bidding cost charities a lot, on terms that were vague about price and volume. "
    "Staff are paid whether clients come or not.",
    numerator="Fees and prices of all that is expected to be earned, less all costs.",
    denominator="none; for the break-even volume what one client brings, less what it costs",
    unit="pounds; referrals",
    grain="offer, and offer and client group",
    direction="no judgement; a break-even volume above the volume expected means a loss",
    exclusions=("Inflation, interest and tax.", "Quality bonuses and penalties."),
    assumptions=(
        "The mix of client groups is as forecast, whatever the volume.",
        "Chances of results do not change with the volume.",
        "A TUPE liability counts with its chance.",
    ),
    source="Arithmetic on the terms of the offer, in exact fractions",
    version=1,
)

_NEAR = Fraction(1, 20)


@dataclass(frozen=True)
class GroupExpectation:
    """What one client group is expected to bring, in pence, with the forecast as it is held."""

    client_group: str
    referrals: Fraction
    attachment_fee_pence: Fraction
    job_outcome_pence: Fraction
    sustainment_pence: Fraction

    @property
    def income_pence(self) -> Fraction:
        """All that its payable events bring."""
        return self.attachment_fee_pence + self.job_outcome_pence + self.sustainment_pence

    @property
    def income_per_client_pence(self) -> Fraction | None:
        """What one client referred brings on average; None if none comes."""
        return self.income_pence / self.referrals if self.referrals else None

    def answer(self) -> dict[str, Any]:
        """The same as JSON, in whole pence."""
        return {
            "client_group": self.client_group,
            "referrals": round(float(self.referrals), 2),
            "attachment_fee_pence": round(self.attachment_fee_pence),
            "job_outcome_pence": round(self.job_outcome_pence),
            "sustainment_pence": round(self.sustainment_pence),
            "income_pence": round(self.income_pence),
            "income_per_client_pence": _rounded(self.income_per_client_pence),
        }


@dataclass(frozen=True)
class BreakEven:
    """How many referrals in all make the offer break even, at the forecast's mix of groups.

    `kind`: "from" that many on it does; "up_to" that many, since each client costs more than it
    brings; "always" and "never" whatever comes. `forecast_share` is their share of the forecast.
    """

    kind: Literal["from", "up_to", "always", "never"]
    referrals: Fraction | None = None
    referrals_a_month: Fraction | None = None
    forecast_share: Fraction | None = None

    def answer(self) -> dict[str, Any]:
        """The same as JSON; referrals to two decimals, upwards."""
        return {
            "kind": self.kind,
            "referrals": None if self.referrals is None else _upwards(self.referrals),
            "referrals_a_month": None
            if self.referrals_a_month is None
            else _upwards(self.referrals_a_month),
            "forecast_share": None
            if self.forecast_share is None
            else round(float(self.forecast_share), 4),
        }


@dataclass(frozen=True)
class Expectation:
    """What an offer brings and costs if everything goes as expected, in exact pence."""

    groups: tuple[GroupExpectation, ...]
    service_fee_pence: Fraction
    fixed_cost_pence: Fraction
    client_cost_pence: Fraction
    tupe_pence: Fraction
    break_even: BreakEven

    @property
    def referrals(self) -> Fraction:
        """Clients expected over the whole offer."""
        return sum((group.referrals for group in self.groups), Fraction(0))

    @property
    def income_pence(self) -> Fraction:
        """All that is expected to come in."""
        return self.service_fee_pence + sum(
            (group.income_pence for group in self.groups), Fraction(0)
        )

    @property
    def cost_pence(self) -> Fraction:
        """All that is expected to be paid out."""
        return self.fixed_cost_pence + self.client_cost_pence + self.tupe_pence

    @property
    def result_pence(self) -> Fraction:
        """What is left over; below zero a loss."""
        return self.income_pence - self.cost_pence

    @property
    def income_per_client_pence(self) -> Fraction | None:
        """All income for each client referred, the service fee among it; None if none comes."""
        return self.income_pence / self.referrals if self.referrals else None

    @property
    def share_at_risk(self) -> Fraction | None:
        """Share of the income that comes from job outcomes and sustainments; None of no income."""
        if not self.income_pence:
            return None
        at_risk = sum(
            (group.job_outcome_pence + group.sustainment_pence for group in self.groups),
            Fraction(0),
        )
        return at_risk / self.income_pence

    def answer(self) -> dict[str, Any]:
        """The same as JSON, in whole pence."""
        at_risk = self.share_at_risk
        return {
            "referrals": round(float(self.referrals), 2),
            "income_pence": round(self.income_pence),
            "service_fee_pence": round(self.service_fee_pence),
            "cost_pence": round(self.cost_pence),
            "result_pence": round(self.result_pence),
            "income_per_client_pence": _rounded(self.income_per_client_pence),
            "share_at_risk": None if at_risk is None else round(float(at_risk), 4),
            "break_even": self.break_even.answer(),
            "groups": [group.answer() for group in self.groups],
        }


def expectation(offer: Offer) -> Expectation:
    """What the offer is expected to bring, and its break-even volume."""
    groups = tuple(_group(offer, terms, exact(offer.held.mean)) for terms in offer.groups)
    referrals = sum((group.referrals for group in groups), Fraction(0))
    fixed = Fraction(offer.start_up_cost_pence + offer.months * offer.monthly_cost_pence)
    tupe = exact(offer.tupe_chance) * offer.tupe_liability_pence
    service_fee = Fraction(offer.months * offer.service_fee_pence)
    return Expectation(
        groups=groups,
        service_fee_pence=service_fee,
        fixed_cost_pence=fixed,
        client_cost_pence=referrals * offer.cost_per_client_pence,
        tupe_pence=tupe,
        break_even=_break_even(offer, fixed + tupe - service_fee),
    )


def _group(offer: Offer, terms: GroupTerms, kept: Fraction) -> GroupExpectation:
    a_month = exact(terms.referrals_a_month) * kept
    brought = [
        a_month * exact(payment.chance) * payment.price_pence * offer.months_paid(payment)
        for payment in terms.payments
    ]
    return GroupExpectation(terms.client_group, a_month * offer.months, *brought)


def _break_even(offer: Offer, to_cover_pence: Fraction) -> BreakEven:
    """Solved for the forecast as it stands, since income and cost of clients grow with volume."""
    as_forecast = [_group(offer, terms, Fraction(1)) for terms in offer.groups]
    referrals = sum((group.referrals for group in as_forecast), Fraction(0))
    brought = sum((group.income_pence for group in as_forecast), Fraction(0))
    left = brought - referrals * offer.cost_per_client_pence
    if to_cover_pence <= 0 <= left:
        return BreakEven("always")
    if left == 0 or (to_cover_pence > 0 > left):
        return BreakEven("never")
    volume = to_cover_pence / left
    return BreakEven(
        "from" if left > 0 else "up_to",
        volume * referrals,
        volume * referrals / offer.months,
        volume,
    )


def break_even_sentence(expected: Expectation) -> str:
    """The break-even volume in words, beside the volume expected."""
    found = expected.break_even
    if found.kind == "always":
        return "It breaks even however few clients come: the service fee covers the fixed costs."
    if found.kind == "never":
        return (
            "No volume makes it break even: a client brings no more than it costs, so the fixed "
            "costs are never covered."
        )
    answer = found.answer()
    volume = (
        f"{count(answer['referrals'], 'client')} ({figure(answer['referrals_a_month'])} a month, "
        f"{share(answer['forecast_share'])} of the forecast)"
    )
    expected_told = f"you expect {figure(round(float(expected.referrals), 2))}"
    if found.kind == "up_to":
        return (
            f"It loses money from {volume} on, as each client costs more than it brings; "
            f"{expected_told}."
        )
    return f"It breaks even at {volume}; {expected_told}."


def stated_against_prices(offer: Offer, expected: Expectation) -> tuple[str, ...]:
    """Where what the offer states differs by 5 points or more from what its prices imply."""
    pairs = (
        (offer.share_at_risk, expected.share_at_risk, "share of the income at risk"),
        (offer.management_fee_rate, implied_management_fee(offer), "management fee"),
    )
    return tuple(
        f"The {what} is {share(stated)} as the offer states it, and {share(float(implied))} by "
        "its prices. Ask which it is."
        for stated, implied, what in pairs
        if stated is not None and implied is not None and abs(exact(stated) - implied) >= _NEAR
    )


def implied_management_fee(offer: Offer) -> Fraction | None:
    """The fee by the prices where the commissioner's are known, over what is expected to be earned.

    None where no commissioner's price is known.
    """
    received = passed_on = Fraction(0)
    for terms in offer.groups:
        for payment in terms.payments:
            if payment.commissioner_price_pence is not None:
                events = exact(terms.referrals_a_month) * exact(payment.chance)
                earned = events * offer.months_paid(payment)
                received += earned * payment.commissioner_price_pence
                passed_on += earned * payment.price_pence
    return 1 - passed_on / received if received else None


def pounds_of(pence: Fraction | None) -> str:
    """An exact amount to the nearest penny, in words; "none" for None."""
    return "none" if pence is None else pounds(round(pence))


def _rounded(pence: Fraction | None) -> int | None:
    return None if pence is None else round(pence)


def _upwards(referrals: Fraction) -> float:
    return math.ceil(referrals * 100) / 100
