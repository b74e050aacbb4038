"""An offer: what a prime proposes to a subcontractor, and what the work would cost.

Money is in pence, times are whole months, chances and shares are between 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from data.errors import UnusableOffer
from data.offer_form import EVENT_NAMES, EVENTS, GROUP_QUESTIONS, QUESTIONS
from metrics.forecasts_held import ASSUMED, Held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.offer_form import Answer, Firmness, OfferForm

DAYS_OF_A_MONTH = 30


@dataclass(frozen=True)
class Payment:
    """What one payable event of a client group brings, how often and when.

    `chance` is that of a referral to reach it, `after_months` the months from the referral to
    it. A client who gets there brings `payment_count` payments of `price_pence`, a month apart.
    """

    price_pence: int
    chance: float
    after_months: int = 0
    payment_count: int = 1
    commissioner_price_pence: int | None = None


@dataclass(frozen=True)
class GroupTerms:
    """The terms of one client group: the forecast for each month, and what each event brings."""

    client_group: str
    referrals_a_month: float
    attachment_fee: Payment
    job_outcome: Payment
    sustainment: Payment

    @property
    def payments(self) -> tuple[Payment, Payment, Payment]:
        """The payable events in the order in which a client reaches them."""
        return self.attachment_fee, self.job_outcome, self.sustainment


@dataclass(frozen=True)
class Offer:
    """One offer, with what its work would cost and what it puts at risk.

    `held` is how far the forecast is expected to hold. `clumping` is the variance of monthly
    referrals divided by their mean: 1 or more, or 0 for months exactly as forecast.
    `share_at_risk` and `management_fee_rate` are what the offer states, None where it does not;
    they are held against what the prices imply. `promises` says how firm each point is, by id.
    """

    name: str
    months: int
    groups: tuple[GroupTerms, ...]
    payment_days: int = 30
    service_fee_pence: int = 0
    management_fee_rate: float | None = None
    share_at_risk: float | None = None
    start_up_cost_pence: int = 0
    monthly_cost_pence: int = 0
    cost_per_client_pence: int = 0
    tupe_liability_pence: int = 0
    tupe_month: int = 1
    tupe_chance: float = 1.0
    reserve_pence: int = 0
    held: Held = ASSUMED
    clumping: float = 2.0
    paid_after_end: bool = True
    promises: tuple[tuple[str, Firmness], ...] = ()

    @property
    def payment_months(self) -> int:
        """Whole months from the end of the month in which something is earned to the money."""
        return -(-self.payment_days // DAYS_OF_A_MONTH)

    @property
    def horizon_months(self) -> int:
        """Months from the start until the last payment that can come."""
        last = max(
            (
                payment.after_months + payment.payment_count - 1
                for group in self.groups
                for payment in group.payments
                if payment.price_pence and payment.chance
            ),
            default=0,
        )
        tail = last if self.paid_after_end else 0
        return max(self.months + tail + self.payment_months, self.tupe_month)

    def months_paid(self, payment: Payment) -> int:
        """How many pairs of a referral month and a payment of it fall within what is paid."""
        if self.paid_after_end:
            return self.months * payment.payment_count
        return sum(
            max(0, self.months - payment.after_months - number)
            for number in range(payment.payment_count)
        )


def exact(rate: float) -> Fraction:
    """The decimal number that a rate was written as: 0.1 is 1/10."""
    return Fraction(str(rate))


def price_after_fee(commissioner_price_pence: int, management_fee_rate: float) -> int:
    """What reaches the subcontractor of the commissioner's price, to the nearest penny."""
    return round(commissioner_price_pence * (1 - exact(management_fee_rate)))


def offer_of(form: OfferForm, held: Held = ASSUMED) -> Offer:
    """The offer that a form describes; `held` stands in where the form says nothing of it.

    UnusableOffer, with a sentence for each thing to mend, if answers contradict each other.
    """
    mistakes: list[str] = []
    answers: Mapping[str, Any] = {
        one.id: _or_default(form.answers.get(one.id), one.default) for one in QUESTIONS
    }
    fee = cast("float | None", answers["management_fee"])
    groups = tuple(_group(form, number, fee, mistakes) for number in range(len(form.groups)))
    if not groups:
        mistakes.append("The offer has no client group. Fill in at least one.")
    if 0 < answers["clumping"] < 1:
        mistakes.append(
            f"{form.place(None, 'clumping')}: clients cannot be more even than one by one. Write "
            "1 or more, or 0 for months exactly as forecast."
        )
    mean, spread = answers["kept_mean"], answers["kept_spread"]
    if (mean is None) != (spread is None):
        empty = "kept_spread" if spread is None else "kept_mean"
        mistakes.append(
            f"{form.place(None, empty)}: it is empty, and the answer it belongs with is not. "
            "Write both, or neither."
        )
    if mistakes:
        raise UnusableOffer(*mistakes)
    return Offer(
        name=answers["name"] or "Offer",
        months=answers["months"],
        groups=groups,
        payment_days=answers["payment_days"],
        service_fee_pence=answers["service_fee"],
        management_fee_rate=fee,
        share_at_risk=answers["share_at_risk"],
        start_up_cost_pence=answers["start_up_cost"],
        monthly_cost_pence=answers["monthly_cost"],
        cost_per_client_pence=answers["cost_per_client"],
        tupe_liability_pence=answers["tupe_liability"],
        tupe_month=answers["tupe_month"],
        tupe_chance=answers["tupe_chance"],
        reserve_pence=answers["reserve"],
        held=held if mean is None else Held(mean, spread, "stated"),
        clumping=answers["clumping"],
        paid_after_end=answers["paid_after_end"],
        promises=tuple(form.promises.items()),
    )


def _or_default(answer: Answer, default: Answer) -> Answer:
    return default if answer is None else answer


def _group(form: OfferForm, number: int, fee: float | None, mistakes: list[str]) -> GroupTerms:
    given = form.groups[number]
    answers: Mapping[str, Any] = {
        one.id: _or_default(given.get(one.id), one.default) for one in GROUP_QUESTIONS
    }
    payments = []
    for event in EVENTS:
        price, of_commissioner = answers[f"{event}_price"], answers[f"{event}_commissioner_price"]
        if price is None and of_commissioner is not None:
            if fee is None:
                mistakes.append(
                    f"{form.place(number, f'{event}_price')}: neither this price nor the "
                    "management fee is given, so what reaches you is not known. Write one of the "
                    "two."
                )
            else:
                price = price_after_fee(of_commissioner, fee)
        payments.append(
            Payment(
                price_pence=price or 0,
                chance=answers[f"{event}_chance"],
                after_months=answers[f"{event}_after_months"],
                payment_count=answers["sustainment_payments"] if event == "sustainment" else 1,
                commissioner_price_pence=of_commissioner,
            )
        )
    for before, after, name, event in zip(
        payments, payments[1:], list(EVENT_NAMES.values()), EVENTS[1:], strict=False
    ):
        if after.chance > before.chance:
            mistakes.append(
                f"{form.place(number, f'{event}_chance')}: more clients would get here than get "
                f"to the {name.lower()} before it. Write no higher chance than the one before."
            )
        elif after.chance and after.after_months < before.after_months:
            mistakes.append(
                f"{form.place(number, f'{event}_after_months')}: it would come before the "
                f"{name.lower()}. Write at least as many months as there."
            )
    return GroupTerms(
        str(answers["client_group"] or f"Client group {number + 1}"),
        float(answers["referrals_a_month"] or 0),
        *payments,
    )
