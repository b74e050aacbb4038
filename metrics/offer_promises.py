"""What a letter of intent should promise, and what of it an offer does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.offer_form import PointTold

if TYPE_CHECKING:
    from data.offer_form import Firmness
    from metrics.offer import Offer

FIRMNESS_TOLD: dict[Firmness, str] = {
    "firm": "firm",
    "stated": "stated, but not firm",
    "not_stated": "not stated",
}

POINTS: tuple[PointTold, ...] = (
    PointTold(
        "volume",
        "Volume",
        "You hire for the forecast. Letters of intent have been vague about volume and price.",
        "A least number of clients a quarter, and a payment for each one short of it.",
    ),
    PointTold(
        "forecast_changes",
        "Change of forecast",
        "Forecasts get revised. Whoever hears of it late pays for staff who wait.",
        "Notice of each revision in writing, so many weeks before it counts, with the reason.",
    ),
    PointTold(
        "client_mix",
        "Client mix",
        "Clients with other needs than expected cost more and reach fewer results.",
        "The share of each client group, and a new price if it moves by more than 10 points.",
    ),
    PointTold(
        "price",
        "Price",
        "A price that can be changed by letter is no price.",
        "A price for each payment type and client group, fixed for the term or tied to an index.",
    ),
    PointTold(
        "management_fee",
        "Management fee",
        "What the prime keeps lowers every payment you earn.",
        "The commissioner's price beside yours, and what the fee pays for.",
    ),
    PointTold(
        "share_at_risk",
        "Share at risk",
        "If more of your income depends on results than of the prime's, its risk has become yours.",
        "A share no higher than the prime's own, and an attachment fee that covers the first "
        "months.",
    ),
    PointTold(
        "payment_days",
        "Payment days",
        "You pay wages each month. Each month of waiting ties up a month of costs.",
        "Payment within 30 days of a valid invoice, whether or not the prime has been paid.",
    ),
    PointTold(
        "proof_of_results",
        "Proof of results",
        "A result that cannot be proved is not paid, and some proof only the prime can get.",
        "What counts as proof, who gets it, and how long it may take to be accepted.",
    ),
    PointTold(
        "results_after_end",
        "Results after the end",
        "Clients of the last year bring their results when the contract is over.",
        "Payment for all results of clients referred before the end.",
    ),
    PointTold(
        "term_and_notice",
        "Term and notice",
        "Start-up costs are earned back over years. Notice of a month leaves them with you.",
        "A least term, notice of at least three months, and start-up costs not yet earned back.",
    ),
    PointTold(
        "start_date",
        "Start date",
        "Staff hired for a start that slips are paid without income.",
        "A day, and a payment for each week of delay that is not yours.",
    ),
    PointTold(
        "start_up_money",
        "Start-up money",
        "Costs before the first client come out of your reserve.",
        "A payment on signing that covers them.",
    ),
    PointTold(
        "tupe",
        "TUPE",
        "Staff may transfer to you with their rights, and their cost with them.",
        "The list of staff before you sign, and an indemnity for what arose before the transfer.",
    ),
    PointTold(
        "exclusivity",
        "Exclusivity",
        "A promise to work for one prime only costs you the other offers.",
        "No exclusivity, or one that binds both sides: the clients of your area come to you.",
    ),
    PointTold(
        "consent_to_be_named",
        "Consent to be named",
        "Your name helps a bid to win. Charities named in bids were then sent nobody.",
        "Consent in writing for one named bid, which lapses if the terms in the bid change.",
    ),
    PointTold(
        "data_and_reporting",
        "Data and reporting",
        "Systems and reports that the prime asks for are work. Without its figures you cannot "
        "check yours.",
        "Who pays for systems, which reports are due, and your share of its figures each month.",
    ),
    PointTold(
        "disputes",
        "Disputes",
        "Without somebody to decide, the one who holds the money decides.",
        "An independent person to decide within so many weeks, and payment of what is undisputed.",
    ),
)
POINT_TITLES = {point.id: point.title for point in POINTS}


@dataclass(frozen=True)
class Gap:
    """A point that an offer does not promise firmly."""

    point: PointTold
    firmness: Firmness

    def answer(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "point": self.point.id,
            "title": self.point.title,
            "how_firm": self.firmness,
            "why_it_matters": self.point.why_it_matters,
            "ask_for": self.point.ask_for,
        }


def not_firm(offer: Offer) -> tuple[Gap, ...]:
    """The points not firmly promised: those not stated first, then those stated only."""
    known = dict(offer.promises)
    gaps = [Gap(point, known.get(point.id, "not_stated")) for point in POINTS]
    order: tuple[Firmness, ...] = ("not_stated", "stated")
    return tuple(gap for firmness in order for gap in gaps if gap.firmness == firmness)
