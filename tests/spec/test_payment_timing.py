"""How long the subcontractor waits, counted as regulation 38 counts.

A contract C1 of the prime P runs from June 2011; S is its subcontractor; today is 15 April 2012.
"""

from __future__ import annotations

import datetime as dt

import pytest

from metrics.payment_timing import PaymentTiming, Wait, payment_timing
from tests.oracle.chain import Chain, month, months

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)
NONE = (("30 days or fewer", 0), ("31 to 60 days", 0), ("61 days or more", 0))


def pay(
    chain: Chain,
    by: str,
    earned: str,
    *,
    invoiced: str | None = None,
    received: str | None = None,
    paid: str | None = None,
    payment_type: str = "job_outcome",
) -> None:
    chain.payment(by, month(earned), 100_00, 90_00)
    chain.payments[-1] |= {
        "payment_type": payment_type,
        **{
            name: dt.date.fromisoformat(day) if day else None
            for name, day in (
                ("invoiced_on", invoiced),
                ("received_on", received),
                ("paid_on", paid),
            )
        },
    }


def chain(*reporters: str) -> Chain:
    made = Chain().contract().agreement()
    for reporter in reporters:
        made.covers(reporter, TEN, "payments")
    return made


def asked(made: Chain, engine: str = "pandas") -> PaymentTiming:
    return payment_timing(made.frames(engine), "C1", "S", TODAY)  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_the_day_after_the_invoice_is_day_one_and_the_mean_is_arithmetic(engine: str) -> None:
    made = chain("S")
    for paid in ("2011-07-31", "2011-08-01", "2011-08-30", "2011-08-31"):  # 30, 31, 60, 61 days
        pay(made, "S", "2011-06", invoiced="2011-07-01", paid=paid)
    assert asked(made, engine).from_invoice == Wait(
        (("30 days or fewer", 1), ("31 to 60 days", 2), ("61 days or more", 1)), 4, 0, 45.5
    )


def test_what_is_invoiced_and_not_paid_is_counted_apart() -> None:
    made = chain("S")
    pay(made, "S", "2011-06", invoiced="2011-07-01")
    pay(made, "S", "2011-06")
    assert asked(made).from_invoice == Wait(NONE, 0, 1, None)


def test_the_subcontractors_word_stands_where_it_reported_else_the_primes() -> None:
    made = chain("P").covers("S", [month("2011-06")], "payments")
    pay(made, "S", "2011-06", invoiced="2011-07-01", paid="2011-09-29")
    pay(made, "P", "2011-06", invoiced="2011-07-01", paid="2011-07-02")
    pay(made, "P", "2011-07", invoiced="2011-08-01", paid="2011-08-11")
    assert asked(made).from_invoice.bands == (
        ("30 days or fewer", 1),
        ("31 to 60 days", 0),
        ("61 days or more", 1),
    )


def test_days_from_the_primes_receipt_are_the_primes_word_and_may_be_negative() -> None:
    made = chain("P", "S")
    pay(made, "P", "2011-06", received="2011-07-11", paid="2011-07-01")
    pay(made, "P", "2011-06", received="2011-07-11")
    pay(made, "S", "2011-06", received="2011-07-11", paid="2011-09-01")
    wait = asked(made).from_receipt
    assert (wait.payment_count, wait.unpaid_count, wait.mean_days) == (1, 1, -10)


def test_adjustments_and_months_outside_the_window_do_not_count() -> None:
    made = chain("S").covers("S", [month("2011-05"), month("2012-04")], "payments")
    pay(made, "S", "2011-06", invoiced="2011-07-01", paid="2011-07-02", payment_type="adjustment")
    for earned in ("2011-05", "2012-04"):
        pay(made, "S", earned, invoiced="2011-07-01", paid="2011-07-02")
    assert asked(made).from_invoice.payment_count == 0
