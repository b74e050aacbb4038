"""The failing rows of a payments file, worked out row by row in plain Python."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from decimal import Decimal

KINDS = ("attachment_fee", "job_outcome", "sustainment", "service_fee", "adjustment")
REQUIRED = (
    "payment_id",
    "contract_id",
    "subcontractor_id",
    "payment_type",
    "earned_on",
    "subcontractor_amount",
)
DATES = ("earned_on", "invoiced_on", "paid_on")
MONEY = ("commissioner_amount", "subcontractor_amount")


DAY = r"\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{4}"


def day(text: str) -> dt.date | None:
    if not re.fullmatch(DAY, text):
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def pounds(text: str) -> Decimal | None:
    if re.fullmatch(r"-?£?(\d{1,3}(,\d{3}){1,3}|\d{1,12})(\.\d\d?)?", text):
        return Decimal(text.replace("£", "").replace(",", ""))
    return None


def failing_rows(
    rows: list[dict[str, str]], received_on: dt.date
) -> dict[tuple[str, str], set[int]]:
    """Row numbers (the first row is 2) by check and column."""
    found: dict[tuple[str, str], set[int]] = {}
    ids = Counter(row["payment_id"] for row in rows)

    def fail(check: str, column: str, number: int) -> None:
        found.setdefault((check, column), set()).add(number)

    for number, row in enumerate(rows, start=2):
        days = {column: day(row[column]) for column in DATES}
        money = {column: pounds(row[column]) for column in MONEY}
        for column in REQUIRED:
            if not row[column]:
                fail("required_cells", column, number)
        for column in DATES:
            if row[column] and not re.fullmatch(DAY, row[column]):
                fail("dates", column, number)
            elif row[column] and days[column] is None:
                fail("real_dates", column, number)
            when = days[column]
            if when is not None and when > received_on:
                fail("not_in_the_future", column, number)
        for column in MONEY:
            amount = money[column]
            if row[column] and amount is None:
                fail("money", column, number)
            if amount is not None and amount < 0 and row["payment_type"] != "adjustment":
                fail("amounts_not_negative", column, number)
        if row["payment_type"] and row["payment_type"] not in KINDS:
            fail("choices", "payment_type", number)
        if row["payment_id"] and ids[row["payment_id"]] > 1:
            fail("key_unique", "payment_id", number)
        if days["invoiced_on"] and days["paid_on"] and days["invoiced_on"] > days["paid_on"]:
            fail("invoiced_before_paid", "paid_on", number)
        received, due = money["commissioner_amount"], money["subcontractor_amount"]
        if (
            received is not None
            and due is not None
            and due > received
            and row["payment_type"] != "adjustment"
        ):
            fail("more_than_received", "subcontractor_amount", number)
    return found
