"""What to negotiate first: each term moved by a stated step, and what that changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from data.offer_form import EVENTS
from metrics.offer import GroupTerms, exact, price_after_fee
from metrics.offer_expectation import expectation
from metrics.offer_outlook import chance_told, dangers, whole_pounds
from metrics.offer_runs import RUN_COUNT, SEED

if TYPE_CHECKING:
    from collections.abc import Callable

    from metrics.offer import Offer, Payment

Whose = Literal["to negotiate", "your own"]
ORDER = (
    "Ordered by how much a step lowers the two dangers taken together (the chance of a loss and "
    "the chance of running out of the reserve), then by what it adds to the expected result."
)


@dataclass(frozen=True)
class Lever:
    """A term that could be another: by which step, and whether it is the prime's to give.

    `moved` is the offer after the step; None where the step does not apply to it.
    """

    id: str
    title: str
    step: str
    whose: Whose
    moved: Callable[[Offer], Offer | None]


@dataclass(frozen=True)
class Effect:
    """What one step changes: the expected result (pence), and the two dangers (shares)."""

    lever: Lever
    result_change_pence: int
    loss_rate: float
    out_of_money_rate: float
    loss_change: float
    out_of_money_change: float

    @property
    def sentence(self) -> str:
        """The step and its effect in words."""
        return (
            f"{self.lever.title}, {self.lever.step}: {self.result_told}, chance of a loss "
            f"{chance_told(self.loss_rate)}, of running out {chance_told(self.out_of_money_rate)}."
        )

    @property
    def result_told(self) -> str:
        """What it adds to the expected result, in words."""
        pence = self.result_change_pence
        if whole_pounds(abs(pence)) == "£0":
            return "nothing more in the end"
        return f"{whole_pounds(abs(pence))} {'more' if pence > 0 else 'less'} in the end"

    def answer(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "lever": self.lever.id,
            "title": self.lever.title,
            "step": self.lever.step,
            "whose": self.lever.whose,
            "result_change_pence": self.result_change_pence,
            "loss_rate": self.loss_rate,
            "loss_change": round(self.loss_change, 6),
            "out_of_money_rate": self.out_of_money_rate,
            "out_of_money_change": round(self.out_of_money_change, 6),
        }


def effects(offer: Offer, run_count: int = RUN_COUNT, seed: int = SEED) -> tuple[Effect, ...]:
    """What each step that applies would change, what helps most first."""
    moved = [
        (lever, changed)
        for lever in LEVERS
        if (changed := lever.moved(offer)) is not None and changed != offer
    ]
    before, *after = dangers([offer, *(changed for _, changed in moved)], run_count, seed)
    result = expectation(offer).result_pence
    found = [
        Effect(
            lever=lever,
            result_change_pence=round(expectation(changed).result_pence - result),
            loss_rate=now.loss_rate,
            out_of_money_rate=now.out_of_money_rate,
            loss_change=now.loss_rate - before.loss_rate,
            out_of_money_change=now.out_of_money_rate - before.out_of_money_rate,
        )
        for (lever, changed), now in zip(moved, after, strict=True)
    ]
    return tuple(sorted(found, key=_rank))


def _rank(effect: Effect) -> tuple[float, int]:
    return round(effect.loss_change + effect.out_of_money_change, 6), -effect.result_change_pence


def _each_payment(offer: Offer, event: str, change: Callable[[Payment], Payment]) -> Offer:
    def changed(terms: GroupTerms) -> GroupTerms:
        payments = (
            change(payment) if name == event else payment
            for name, payment in zip(EVENTS, terms.payments, strict=True)
        )
        return GroupTerms(terms.client_group, terms.referrals_a_month, *payments)

    return replace(offer, groups=tuple(changed(terms) for terms in offer.groups))


def _price(event: str) -> Callable[[Offer], Offer]:
    def dearer(payment: Payment) -> Payment:
        return replace(payment, price_pence=round(payment.price_pence * exact(1.1)))

    return lambda offer: _each_payment(offer, event, dearer)


def _lower_fee(offer: Offer) -> Offer | None:
    """The fee that the prices imply, 5 points lower, where the commissioner's price is known."""

    def passed_on(payment: Payment) -> Payment:
        whole = payment.commissioner_price_pence
        if not whole:
            return payment
        fee = 1 - exact(payment.price_pence) / whole - exact(0.05)
        return replace(payment, price_pence=price_after_fee(whole, float(fee)))

    lower = offer
    for event in EVENTS:
        lower = _each_payment(lower, event, passed_on)
    return lower


def _less_at_risk(offer: Offer) -> Offer | None:
    """A tenth of the money for results as a fee a month instead, the same in expectation."""
    less = offer
    for event in ("job_outcome", "sustainment"):
        less = _each_payment(
            less,
            event,
            lambda payment: replace(payment, price_pence=round(payment.price_pence * exact(0.9))),
        )
    moved = expectation(offer).income_pence - expectation(less).income_pence
    fee = offer.service_fee_pence + round(moved / offer.months)
    return replace(less, service_fee_pence=fee)


def _sooner(offer: Offer) -> Offer:
    def one_month(payment: Payment) -> Payment:
        return replace(payment, after_months=max(0, payment.after_months - 1))

    return _each_payment(_each_payment(offer, "job_outcome", one_month), "sustainment", one_month)


def _more_results(offer: Offer) -> Offer:
    """Chances of results a tenth higher, never above the chance of the event before."""

    def changed(terms: GroupTerms) -> GroupTerms:
        placed = min(terms.job_outcome.chance * 1.1, terms.attachment_fee.chance)
        stayed = min(terms.sustainment.chance * 1.1, placed)
        return replace(
            terms,
            job_outcome=replace(terms.job_outcome, chance=placed),
            sustainment=replace(terms.sustainment, chance=stayed),
        )

    return replace(offer, groups=tuple(changed(terms) for terms in offer.groups))


def _tenth_less(pence: int) -> int:
    return round(pence * exact(0.9))


LEVERS: tuple[Lever, ...] = (
    Lever(
        "attachment_fee_price",
        "Attachment fee",
        "10 % higher",
        "to negotiate",
        _price("attachment_fee"),
    ),
    Lever(
        "job_outcome_price",
        "Job outcome price",
        "10 % higher",
        "to negotiate",
        _price("job_outcome"),
    ),
    Lever(
        "sustainment_price",
        "Sustainment price",
        "10 % higher",
        "to negotiate",
        _price("sustainment"),
    ),
    Lever("management_fee", "Management fee", "5 points lower", "to negotiate", _lower_fee),
    Lever(
        "service_fee",
        "Service fee",
        "10 % higher",
        "to negotiate",
        lambda offer: replace(offer, service_fee_pence=round(offer.service_fee_pence * exact(1.1))),
    ),
    Lever(
        "share_at_risk",
        "Share at risk",
        "a tenth of the money for results paid as a fee a month instead",
        "to negotiate",
        _less_at_risk,
    ),
    Lever(
        "payment_days",
        "Payment days",
        "30 fewer",
        "to negotiate",
        lambda offer: replace(offer, payment_days=max(0, offer.payment_days - 30)),
    ),
    Lever("sooner", "Results", "1 month sooner", "to negotiate", _sooner),
    Lever(
        "volume",
        "Volume",
        "10 points more of the forecast come",
        "to negotiate",
        lambda offer: replace(offer, held=replace(offer.held, mean=offer.held.mean + 0.1)),
    ),
    Lever(
        "firm_volume",
        "Firmness of the forecast",
        "what comes varies half as much",
        "to negotiate",
        lambda offer: replace(offer, held=replace(offer.held, spread=offer.held.spread / 2)),
    ),
    Lever(
        "start_up_money",
        "Start-up money",
        "the prime pays half of the start-up cost",
        "to negotiate",
        lambda offer: replace(offer, start_up_cost_pence=offer.start_up_cost_pence // 2),
    ),
    Lever(
        "tupe_indemnity",
        "TUPE indemnity",
        "the prime bears half of the liability",
        "to negotiate",
        lambda offer: replace(offer, tupe_liability_pence=offer.tupe_liability_pence // 2),
    ),
    Lever(
        "after_end",
        "Results after the end",
        "are still paid",
        "to negotiate",
        lambda offer: replace(offer, paid_after_end=True),
    ),
    Lever(
        "monthly_cost",
        "Cost a month",
        "10 % lower",
        "your own",
        lambda offer: replace(offer, monthly_cost_pence=_tenth_less(offer.monthly_cost_pence)),
    ),
    Lever(
        "cost_per_client",
        "Cost for each client",
        "10 % lower",
        "your own",
        lambda offer: replace(
            offer, cost_per_client_pence=_tenth_less(offer.cost_per_client_pence)
        ),
    ),
    Lever("results", "Results", "a tenth more clients reach them", "your own", _more_results),
    Lever(
        "reserve",
        "Reserve",
        "10 % higher",
        "your own",
        lambda offer: replace(offer, reserve_pence=round(offer.reserve_pence * exact(1.1))),
    ),
)
