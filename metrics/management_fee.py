"""What the prime keeps of what the commissioner paid for the subcontractor's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.definition import Metric
from metrics.window import AGREEMENT, in_window, month_number

if TYPE_CHECKING:
    from fractions import Fraction

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


def matched_events(frames: Frames, months: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The payment rows of the months the prime has reported, with what each adds to the sums.

    `months` as `covered_months` gives them. Columns contract_id, subcontractor_id, client_group
    (empty where none is given), month, received_pence, payable_pence, paid_pence and event_count.
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
        "reporter_id",
        month=month_number("month"),
    ).join(reported, on=[*AGREEMENT, "month"], how="inner")
    matched = (nw.col("reporter_id") == nw.col("prime_id")) & ~nw.col(
        "commissioner_amount_pence"
    ).is_null()
    by_sub = nw.col("sub_covered") == 1
    own = nw.col("reporter_id") == nw.col("subcontractor_id")
    is_paid = ~nw.col("paid_on").is_null()
    amount = nw.col("subcontractor_amount_pence")
    return rows.select(
        *AGREEMENT,
        "client_group",
        "month",
        received_pence=nw.when(matched).then(nw.col("commissioner_amount_pence")).otherwise(0),
        payable_pence=nw.when(matched).then(amount).otherwise(0),
        paid_pence=nw.when(is_paid & ((by_sub & own) | (~by_sub & matched)))
        .then(amount)
        .otherwise(0),
        event_count=nw.when(matched).then(1).otherwise(0),
    )


def summed(events: nw.LazyFrame[Any], *by: str) -> nw.LazyFrame[Any]:
    """The sums of `matched_events` by these columns, in whole pence."""
    return (
        events.group_by(*by)
        .agg(*(nw.col(name).sum() for name in _SUMS))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in _SUMS))
    )


def fee(received_pence: int, passed_on_pence: int) -> float:
    """The share kept: 1 - passed on / received, from whole pence; received is not 0."""
    return (received_pence - passed_on_pence) / received_pence


def is_above(received_pence: int, passed_on_pence: int, limit: Fraction) -> bool:
    """Whether the share kept is strictly above the limit, in whole pence; received above 0."""
    kept = received_pence - passed_on_pence
    return kept * limit.denominator > received_pence * limit.numerator
