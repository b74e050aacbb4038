"""What the prime keeps of what the commissioner paid for the subcontractor's work."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.definition import Metric
from metrics.frames import records
from metrics.window import AGREEMENT, covered_months, in_window, month_number

if TYPE_CHECKING:
    from metrics.frames import Frames

METRIC = Metric(
    id="management_fee",
    title="Management fee",
    question="How much of what the commissioner paid for the subcontractor's work did the prime "
    "keep?",
    why_it_matters="Payments by result are cut twice: by the results that do not come and by what "
    "the prime keeps.",
    numerator="What the commissioner paid less what is payable to the subcontractor for the same "
    "events; at the high end, less what has been paid on.",
    denominator="What the commissioner paid the prime for the events, in pence.",
    unit="share of what the commissioner paid",
    grain="agreement; agreement and client group in the evidence",
    direction="higher means that the prime keeps more; below 0 it adds money of its own",
    exclusions=(
        "Events without a commissioner's amount in the prime's returns.",
        "Months that the prime's payments returns do not cover.",
        "Agreements for which the commissioner has paid nothing, or less than nothing.",
    ),
    assumptions=(
        "Amounts are matched event by event, so a delay in paying on does not look like a fee.",
        "At the low end everything payable gets paid; at the high end nothing unpaid ever is.",
        "What is paid is the subcontractor's word in months it has reported, else the prime's.",
    ),
    source="Data standard, version 1: management_fee",
    version=1,
)

_SUMS = ("received_pence", "payable_pence", "paid_pence", "event_count")
_CASH = (
    "cash_received_pence",
    "cash_received_count",
    "unpaid_pence",
    "unpaid_count",
    "paid_pence",
)


@dataclass(frozen=True)
class Cash:
    """What changed hands so far for the events of an agreement, in whole pence.

    `received_pence` is of the prime's events with a day on which the commissioner's money came;
    paid and unpaid are by the word that stands in each month.
    """

    received_pence: int = 0
    received_count: int = 0
    paid_pence: int = 0
    unpaid_pence: int = 0
    unpaid_count: int = 0

    @property
    def fee(self) -> float | None:
        """The fee that cash totals alone would suggest; None where nothing came."""
        return fee(self.received_pence, self.paid_pence) if self.received_pence > 0 else None


@dataclass(frozen=True)
class PricedFee:
    """What the prices register has both sides paid for one kind of event, in pence."""

    client_group: str
    payment_type: str
    commissioner_price_pence: int
    subcontractor_price_pence: int

    @property
    def fee(self) -> float:
        """The share that the prices leave with the prime."""
        return fee(self.commissioner_price_pence, self.subcontractor_price_pence)


def matched_events(frames: Frames, months: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The payment rows of the months the prime has reported, with what each adds to the sums.

    `months` as `covered_months` gives them. Columns contract_id, subcontractor_id, client_group
    (empty where none is given), month, received_pence, payable_pence, paid_pence and event_count;
    and for cash cash_received_pence and cash_received_count (events whose money has come),
    unpaid_pence and unpaid_count (rows whose word stands, without a day of payment).
    """
    reported = months.filter(in_window() & (nw.col("prime_covered") == 1)).select(
        *AGREEMENT, "prime_id", "month", "sub_covered"
    )
    rows = frames.payments.select(
        *AGREEMENT,
        nw.col("client_group").fill_null(""),
        "commissioner_amount_pence",
        "subcontractor_amount_pence",
        "paid_on",
        "received_on",
        "reporter_id",
        month=month_number("month"),
    ).join(reported, on=[*AGREEMENT, "month"], how="inner")
    matched = (nw.col("reporter_id") == nw.col("prime_id")) & ~nw.col(
        "commissioner_amount_pence"
    ).is_null()
    by_sub = nw.col("sub_covered") == 1
    own = nw.col("reporter_id") == nw.col("subcontractor_id")
    is_paid = ~nw.col("paid_on").is_null()
    has_come = matched & ~nw.col("received_on").is_null()
    stands = (by_sub & own) | (~by_sub & matched)
    amount = nw.col("subcontractor_amount_pence")
    return rows.select(
        *AGREEMENT,
        "client_group",
        "month",
        received_pence=nw.when(matched).then(nw.col("commissioner_amount_pence")).otherwise(0),
        payable_pence=nw.when(matched).then(amount).otherwise(0),
        paid_pence=nw.when(is_paid & stands).then(amount).otherwise(0),
        event_count=nw.when(matched).then(1).otherwise(0),
        cash_received_pence=nw.when(has_come)
        .then(nw.col("commissioner_amount_pence"))
        .otherwise(0),
        cash_received_count=nw.when(has_come).then(1).otherwise(0),
        unpaid_pence=nw.when(~is_paid & stands).then(amount).otherwise(0),
        unpaid_count=nw.when(~is_paid & stands).then(1).otherwise(0),
    )


def summed(
    events: nw.LazyFrame[Any], *by: str, names: tuple[str, ...] = _SUMS
) -> nw.LazyFrame[Any]:
    """The sums of `matched_events` by these columns, in whole pence."""
    return (
        events.group_by(*by)
        .agg(*(nw.col(name).sum() for name in names))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in names))
    )


def cash_so_far(frames: Frames, rows: nw.LazyFrame[Any]) -> dict[tuple[str, str], Cash]:
    """What changed hands so far, by agreement; `rows` as `assessed` gives them.

    Agreements without a payment row in a month that the prime has reported are left out.
    """
    events = matched_events(frames, covered_months(frames, rows, "payments"))
    return {
        (row["contract_id"], row["subcontractor_id"]): Cash(
            received_pence=row["cash_received_pence"],
            received_count=row["cash_received_count"],
            paid_pence=row["paid_pence"],
            unpaid_pence=row["unpaid_pence"],
            unpaid_count=row["unpaid_count"],
        )
        for row in records(summed(events, *AGREEMENT, names=_CASH))
    }


def priced_fees(frames: Frames) -> dict[tuple[str, str], tuple[PricedFee, ...]]:
    """The fees that the prices register implies, by agreement, in the order of their events.

    Only where it has the commissioner's price (above 0) and the subcontractor's for the same
    contract, client group and payment type.
    """
    event = ("contract_id", "client_group", "payment_type")
    to_prime = frames.prices.filter(
        nw.col("subcontractor_id").is_null(), nw.col("price_pence") > 0
    ).select(*event, commissioner_price_pence=nw.col("price_pence"))
    to_subcontractor = frames.prices.filter(~nw.col("subcontractor_id").is_null()).select(
        *event, "subcontractor_id", subcontractor_price_pence=nw.col("price_pence")
    )
    found: dict[tuple[str, str], set[PricedFee]] = {}
    for row in records(to_subcontractor.join(to_prime, on=list(event), how="inner")):
        key = row.pop("contract_id"), row.pop("subcontractor_id")
        found.setdefault(key, set()).add(PricedFee(**row))
    return {
        key: tuple(
            sorted(
                prices,
                key=lambda one: (
                    one.client_group,
                    one.payment_type,
                    one.commissioner_price_pence,
                    one.subcontractor_price_pence,
                ),
            )
        )
        for key, prices in found.items()
    }


def fee(received_pence: int, passed_on_pence: int) -> float:
    """The share kept: 1 - passed on / received, from whole pence; received is not 0."""
    return (received_pence - passed_on_pence) / received_pence


def is_above(received_pence: int, passed_on_pence: int, limit: Fraction) -> bool:
    """Whether the share kept is strictly above the limit, in whole pence; received above 0."""
    kept = received_pence - passed_on_pence
    return kept * limit.denominator > received_pence * limit.numerator


def rate(number: float) -> Fraction:
    """The decimal number that a rate was read from: 0.15 is 3/20."""
    return Fraction(str(number))


def above_in_pence(received_pence: int, passed_on_pence: int, limit: Fraction) -> Fraction:
    """How many pence more is kept than the limit allows; below 0 if less."""
    return received_pence - passed_on_pence - received_pence * limit


def differs(received_pence: int, passed_on_pence: int, agreed: Fraction, event_count: int) -> bool:
    """Whether the fee is another than the one agreed.

    Off by more than a penny an event, as rounding each event to whole pence can be.
    """
    return abs(above_in_pence(received_pence, passed_on_pence, agreed)) > event_count
