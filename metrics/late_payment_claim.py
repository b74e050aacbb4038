"""Interest and compensation that could be claimed for late payments, under the Act of 1998."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metrics.days import day_name
from metrics.reference_rates import reference_rate
from metrics.wording import count, figure, pounds, share

if TYPE_CHECKING:
    from fractions import Fraction

    from metrics.late_payment import Lateness, LatePayment
    from metrics.rules import Rule

# Section 5A: below £1,000, below £10,000, and from there on; in pence.
_COMPENSATION = ((100_000, 4_000), (1_000_000, 7_000))
_MOST_COMPENSATION = 10_000


@dataclass(frozen=True)
class Interest:
    """Statutory interest on late payments with the same days.

    It runs for `days` from `starts_on` to the day paid, at `rate` a year (reference rate and
    statutory rate together). `is_last_rate` says that the table of reference rates ends before
    that day, and its last entry stands in.
    """

    starts_on: dt.date
    days: int
    reference_rate: Fraction
    reference_fixed_on: dt.date
    is_last_rate: bool
    rate: Fraction
    pence: int


def last_day_in_time(invoiced_on: dt.date, limit_days: int) -> dt.date:
    """The last day on which a payment is in time; the day after the invoice is day 1."""
    return invoiced_on + dt.timedelta(days=limit_days)


def interest(payment: LatePayment, after_days: int, statutory_rate: Fraction) -> Interest | None:
    """The interest on a late payment, from the day after `after_days`, cut to whole pence.

    None where none runs: within these days, or before there was a reference rate.
    """
    days = (payment.ended_on - payment.invoiced_on).days - after_days
    if days <= 0:
        return None
    starts_on = last_day_in_time(payment.invoiced_on, after_days + 1)
    reference = reference_rate(starts_on)
    if reference is None:
        return None
    rate = reference.rate + statutory_rate
    return Interest(
        starts_on=starts_on,
        days=days,
        reference_rate=reference.rate,
        reference_fixed_on=reference.fixed_on,
        is_last_rate=starts_on > reference.last_on,
        rate=rate,
        pence=int(payment.amount_pence * rate * days / 365),
    )


def compensation_pence(debt_pence: int) -> int:
    """The fixed sum for one invoice of which so much was late; £40, £70 or £100 in pence."""
    return next((sum_ for below, sum_ in _COMPENSATION if debt_pence < below), _MOST_COMPENSATION)


def by_invoice(late: tuple[LatePayment, ...]) -> list[tuple[dt.date, list[LatePayment]]]:
    """Late payments, which are ordered by day, by the invoice they belong to."""
    return [
        (invoiced_on, list(payments))
        for invoiced_on, payments in itertools.groupby(late, lambda payment: payment.invoiced_on)
    ]


def claim(lateness: Lateness, after_days: int, rule: Rule) -> dict[str, Any]:
    """What could be claimed under the Late Payment Act, invoice by invoice, as JSON."""
    invoices = []
    for invoiced_on, payments in by_invoice(lateness.late):
        lines = [(payment, interest(payment, after_days, rule.value)) for payment in payments]
        owed = sum(payment.amount_pence for payment, runs in lines if runs)
        invoices.append(
            {
                "invoiced_on": invoiced_on.isoformat(),
                "payments": [_line(payment, runs) for payment, runs in lines],
                "late_pence": owed,
                "interest_pence": sum(runs.pence for _, runs in lines if runs),
                "compensation_pence": compensation_pence(owed) if owed else 0,
            }
        )
    return {
        "interest_pence": sum(one["interest_pence"] for one in invoices),
        "compensation_pence": sum(one["compensation_pence"] for one in invoices),
        "interest_after_days": after_days,
        "invoices": invoices,
    }


def _line(payment: LatePayment, runs: Interest | None) -> dict[str, Any]:
    return {
        "payments": payment.payment_count,
        "amount_pence": payment.amount_pence,
        "paid": payment.is_paid,
        "ended_on": payment.ended_on.isoformat(),
        "days": (payment.ended_on - payment.invoiced_on).days,
        "interest": None
        if runs is None
        else {
            "from": runs.starts_on.isoformat(),
            "days": runs.days,
            "reference_rate": float(runs.reference_rate),
            "reference_fixed_on": runs.reference_fixed_on.isoformat(),
            "is_last_rate_in_table": runs.is_last_rate,
            "rate": float(runs.rate),
            "pence": runs.pence,
        },
    }


def claim_steps(evidence: dict[str, Any]) -> list[str]:
    """The claim as arithmetic, invoice by invoice, from the evidence of an answer."""
    claimed = evidence["claim"]
    if not any(claimed[part] for part in ("invoices", "interest_pence", "compensation_pence")):
        return []
    statutory = evidence["rules"]["late_interest"]["value"]
    steps = []
    for invoice in claimed["invoices"]:
        invoiced_on = dt.date.fromisoformat(invoice["invoiced_on"])
        last = last_day_in_time(invoiced_on, evidence["limit_days"])
        steps.append(f"Invoice of {day_name(invoiced_on)}, last day in time {day_name(last)}:")
        steps += [_line_step(line, statutory) for line in invoice["payments"]]
        if invoice["compensation_pence"]:
            steps.append(
                f"Compensation for an invoice of which {pounds(invoice['late_pence'])} was late: "
                f"{pounds(invoice['compensation_pence'])}."
            )
    steps.append(
        f"Together {pounds(claimed['interest_pence'])} of interest and "
        f"{pounds(claimed['compensation_pence'])} of compensation (£40 below £1,000, £70 below "
        "£10,000, £100 from there on). Interest is simple and cut to whole pence line by line. "
        "The Act is about commercial debts, and other terms for late payment in the agreement can "
        "take its place: this is not legal advice."
    )
    return steps


def _line_step(line: dict[str, Any], statutory: float) -> str:
    ended_on = day_name(dt.date.fromisoformat(line["ended_on"]))
    what = f"{pounds(line['amount_pence'])} in {count(line['payments'], 'payment')}"
    how = f"paid on {ended_on}" if line["paid"] else f"not paid by {ended_on}, as far as reported"
    told = f"{what}, {how}, day {figure(line['days'])}"
    runs = line["interest"]
    if runs is None:
        return f"{told}: no interest runs under the Act."
    fixed_on = day_name(dt.date.fromisoformat(runs["reference_fixed_on"]))
    stands_in = ", the last one in the table" if runs["is_last_rate_in_table"] else ""
    return (
        f"{told}: {pounds(line['amount_pence'])} x ({share(statutory)} + "
        f"{share(runs['reference_rate'])} Bank Rate of {fixed_on}{stands_in}) x "
        f"{count(runs['days'], 'day')} / 365 = {pounds(runs['pence'])}."
    )
