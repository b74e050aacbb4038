"""How long a subcontractor waits for its money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.days import with_ordinals
from metrics.definition import Metric
from metrics.frames import records
from metrics.window import (
    AGREEMENT,
    assessed,
    covered_months,
    in_window,
    last_month,
    month_number,
)

if TYPE_CHECKING:
    import datetime as dt

    from metrics.frames import Frames

METRIC = Metric(
    id="payment_timing",
    title="Payment timing",
    question="How many days pass until the subcontractor is paid?",
    why_it_matters="Small charities have no reserves to lend: a late payment is paid for with "
    "their own money, or not at all.",
    numerator="Days from the valid invoice, or from the prime's receipt of the commissioner's "
    "money, to the payment.",
    denominator="Payments made that have both days.",
    unit="days; the day after the invoice arrives is day 1",
    grain="agreement",
    direction="higher means a longer wait; below 0 days from receipt, the prime paid in advance",
    exclusions=(
        "Rows without an invoice day (first measure) or a receipt day (second).",
        "Adjustments, which are corrections and not payments.",
        "Payments of nothing or less, which nobody waits for.",
        "Months outside the window of the agreement, or that nobody has reported.",
    ),
    assumptions=(
        "Days from the invoice are the subcontractor's word in months it has reported, else the "
        "prime's.",
        "Days from the prime's receipt are the prime's word, since only it knows both days.",
    ),
    source="Procurement Regulations 2024, regulation 38 (bands and arithmetic mean)",
    version=2,
)

_BANDS = ((30, "30 days or fewer"), (60, "31 to 60 days"))
_LONGEST = "61 days or more"


@dataclass(frozen=True)
class Wait:
    """Days waited: payments by band of days, the longest band last.

    `unpaid_count` are rows with the first day and no payment; `mean_days` is None without any
    payment.
    """

    bands: tuple[tuple[str, int], ...]
    payment_count: int
    unpaid_count: int
    mean_days: float | None


@dataclass(frozen=True)
class PaymentTiming:
    """Both waits of one agreement."""

    from_invoice: Wait
    from_receipt: Wait


NO_WAIT = Wait((*((name, 0) for _, name in _BANDS), (_LONGEST, 0)), 0, 0, None)


def payment_timing(
    frames: Frames,
    contract_id: str,
    subcontractor_id: str,
    as_of: dt.date,
    through: dt.date | None = None,
) -> PaymentTiming:
    """The waits of one agreement, known on the as-of day, over its window."""
    chosen = frames.of_contracts([contract_id])
    rows = assessed(chosen, last_month(as_of, through)).filter(
        nw.col("subcontractor_id") == subcontractor_id
    )
    found = payment_timings(payable_rows(chosen, rows))
    return found.get((contract_id, subcontractor_id), PaymentTiming(NO_WAIT, NO_WAIT))


def payable_rows(frames: Frames, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The payment rows of both sides, in months of the window that their own returns cover.

    `rows` as `assessed` gives them. Columns contract_id, subcontractor_id, of_subcontractor and
    of_prime (whose row it is), stands (1 where its word is the one that counts: the
    subcontractor's in months it has reported, else the prime's), both_covered (1 where both have
    reported the month), is_payment (1 if no adjustment and above 0), is_adjustment,
    amount_pence, and as `with_ordinals` makes them invoiced, received, paid (null where empty) and
    known (the day the return with the row was received).
    """
    known = with_ordinals(
        frames.coverage.filter(nw.col("table") == "payments"), known="received_on"
    ).select("reporter_id", "known", month=month_number("month"))
    months = (
        covered_months(frames, rows, "payments")
        .filter(in_window())
        .select(*AGREEMENT, "prime_id", "month", "sub_covered", "prime_covered")
    )
    own = nw.col("reporter_id") == nw.col("subcontractor_id")
    by_prime = nw.col("reporter_id") == nw.col("prime_id")
    adjustment = nw.col("payment_type") == "adjustment"
    amount = nw.col("subcontractor_amount_pence")
    payments = with_ordinals(
        frames.payments, invoiced="invoiced_on", received="received_on", paid="paid_on"
    )
    return (
        payments.select(
            *AGREEMENT,
            "reporter_id",
            "payment_type",
            "subcontractor_amount_pence",
            "invoiced",
            "received",
            "paid",
            month=month_number("month"),
        )
        .join(months, on=[*AGREEMENT, "month"], how="inner")
        .join(known, on=["reporter_id", "month"], how="inner")
        .filter(own | by_prime)
        .select(
            *AGREEMENT,
            "invoiced",
            "received",
            "paid",
            "known",
            of_subcontractor=one_if(own),
            of_prime=one_if(by_prime),
            stands=one_if(own | (nw.col("sub_covered") == 0)),
            both_covered=nw.col("sub_covered") * nw.col("prime_covered"),
            is_payment=one_if(~adjustment & (amount > 0)),
            is_adjustment=one_if(adjustment),
            amount_pence=amount,
        )
    )


def one_if(condition: nw.Expr) -> nw.Expr:
    """1 where it holds and 0 elsewhere, so that a sum counts it."""
    return nw.when(condition).then(1).otherwise(0)


def payment_timings(payable: nw.LazyFrame[Any]) -> dict[tuple[str, str], PaymentTiming]:
    """The waits of every agreement that has a row; `payable` as `payable_rows` gives it."""
    waits = (("invoiced", "stands"), ("received", "of_prime"))
    made: dict[str, nw.Expr] = {}
    for since, chosen in waits:
        begun = (nw.col(chosen) * nw.col("is_payment") == 1) & ~nw.col(since).is_null()
        paid = begun & ~nw.col("paid").is_null()
        days = nw.col("paid") - nw.col(since)
        made[f"{since}_unpaid"] = one_if(begun & nw.col("paid").is_null())
        made[f"{since}_paid"] = one_if(paid)
        made[f"{since}_days"] = nw.when(paid).then(days).otherwise(0)
        for limit, _ in _BANDS:
            made[f"{since}_{limit}"] = one_if(paid & (days <= limit))
    sums = (
        payable.select(*AGREEMENT, **made)
        .group_by(*AGREEMENT)
        .agg(*(nw.col(name).sum() for name in made))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in made))
    )
    return {
        (row["contract_id"], row["subcontractor_id"]): PaymentTiming(
            *(_wait(row, since) for since, _ in waits)
        )
        for row in records(sums)
    }


def _wait(sums: dict[str, int], since: str) -> Wait:
    payment_count = sums[f"{since}_paid"]
    counts, below = [], 0
    for limit, name in _BANDS:
        counts.append((name, sums[f"{since}_{limit}"] - below))
        below = sums[f"{since}_{limit}"]
    return Wait(
        bands=(*counts, (_LONGEST, payment_count - below)),
        payment_count=payment_count,
        unpaid_count=sums[f"{since}_unpaid"],
        mean_days=sums[f"{since}_days"] / payment_count if payment_count else None,
    )
