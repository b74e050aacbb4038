"""How long a subcontractor waits for its money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.definition import Metric
from metrics.facts import records
from metrics.window import assessed, covered_months, in_window, last_month, month_number

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

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
        "Months outside the window of the agreement, or that nobody has reported.",
    ),
    assumptions=(
        "Days from the invoice are the subcontractor's word in months it has reported, else the "
        "prime's.",
        "Days from the prime's receipt are the prime's word, since only it knows both days.",
    ),
    source="Procurement Regulations 2024, regulation 38 (bands and arithmetic mean)",
    version=1,
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
    months = {
        row["month"]: row
        for row in records(covered_months(chosen, rows, "payments").filter(in_window()))
    }
    payments = records(
        chosen.payments.filter(
            nw.col("subcontractor_id") == subcontractor_id,
            nw.col("payment_type") != "adjustment",
        ).select(
            "reporter_id", "invoiced_on", "received_on", "paid_on", month=month_number("month")
        )
    )
    told = [row for row in payments if row["month"] in months]
    by_sub = [row for row in told if row["reporter_id"] == subcontractor_id]
    by_prime = [row for row in told if row["reporter_id"] == months[row["month"]]["prime_id"]]
    unseen = [row for row in by_prime if not months[row["month"]]["sub_covered"]]
    return PaymentTiming(_wait([*by_sub, *unseen], "invoiced_on"), _wait(by_prime, "received_on"))


def _wait(rows: Iterable[dict[str, Any]], since: str) -> Wait:
    begun = [row for row in rows if row[since] is not None]
    days = [(row["paid_on"] - row[since]).days for row in begun if row["paid_on"] is not None]
    counts = dict.fromkeys([*(name for _, name in _BANDS), _LONGEST], 0)
    for waited in days:
        counts[next((name for limit, name in _BANDS if waited <= limit), _LONGEST)] += 1
    return Wait(
        bands=tuple(counts.items()),
        payment_count=len(days),
        unpaid_count=len(begun) - len(days),
        mean_days=sum(days) / len(days) if days else None,
    )
