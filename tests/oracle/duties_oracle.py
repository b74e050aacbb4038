"""Late payment, risk passed down, overdue returns and consent again, in loops over plain rows.

Nothing of the product is used here. The reference rate is looked up among the Bank of England's
changes of its rate, not in the product's table of half-years.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = dict[str, Any]
RULES = {
    "payment_days": "30",
    "payment_delay": "0.05",
    "payment_delay_invoices": "2",
    "late_interest": "0.08",
    "risk_transfer": "1",
    "not_reported": "2",
    "reporting_days": "31",
    "named_without_consent": "0",
}
LAW_FROM = dt.date(2015, 2, 26)
FIRST_INTEREST = dt.date(2002, 8, 7)

BANK_RATE = """
2001-11-08 4
2003-02-06 3.75
2003-07-10 3.5
2003-11-06 3.75
2004-02-05 4
2004-05-06 4.25
2004-06-10 4.5
2004-08-05 4.75
2005-08-04 4.5
2006-08-03 4.75
2006-11-09 5
2007-01-11 5.25
2007-05-10 5.5
2007-07-05 5.75
2007-12-06 5.5
2008-02-07 5.25
2008-04-10 5
2008-10-08 4.5
2008-11-06 3
2008-12-04 2
2009-01-08 1.5
2009-02-05 1
2009-03-05 0.5
2016-08-04 0.25
2017-11-02 0.5
2018-08-02 0.75
2020-03-11 0.25
2020-03-19 0.1
2021-12-16 0.25
2022-02-03 0.5
2022-03-17 0.75
2022-05-05 1.0
2022-06-16 1.25
2022-08-04 1.75
2022-09-22 2.25
2022-11-03 3.0
2022-12-15 3.5
2023-02-02 4.0
2023-03-23 4.25
2023-05-11 4.5
2023-06-22 5.0
2023-08-03 5.25
2024-08-01 5.0
2024-11-07 4.75
2025-02-06 4.5
2025-05-08 4.25
2025-08-07 4.0
2025-12-18 3.75
"""


def reference_percent(starts_on: dt.date) -> Decimal | None:
    """Bank Rate at the end of the 30 June or 31 December before the day interest starts."""
    if starts_on < FIRST_INTEREST:
        return None
    if starts_on.month > 6:
        fixed_on = dt.date(starts_on.year, 6, 30)
    else:
        fixed_on = dt.date(starts_on.year - 1, 12, 31)
    percent = None
    for line in BANK_RATE.split("\n"):
        if line and dt.date.fromisoformat(line.split()[0]) <= fixed_on:
            percent = Decimal(line.split()[1])
    return percent


def next_month(month: dt.date) -> dt.date:
    return (month.replace(day=28) + dt.timedelta(days=5)).replace(day=1)


class Oracle:
    def __init__(
        self, rows: dict[str, list[Row]], as_of: dt.date, rules: dict[str, str] | None = None
    ) -> None:
        self.rows = rows
        self.as_of = as_of
        self.rules = {name: Fraction(text) for name, text in (RULES | (rules or {})).items()}
        self.received = {
            (c["table"], c["reporter_id"], c["month"]): c["received_on"] for c in rows["coverage"]
        }

    def starts(self, contract: Row | None, agreement: Row | None) -> dt.date | None:
        if agreement is not None and agreement["live_on"] is not None:
            return agreement["live_on"]
        return contract["starts_on"] if contract else None

    def window(self, contract: Row | None, agreement: Row | None) -> list[dt.date]:
        """The months that are over on the as-of day, from the first to the last."""
        first = self.starts(contract, agreement)
        found: list[dt.date] = []
        if first is None:
            return found
        month = first.replace(day=1)
        while next_month(month) <= self.as_of:
            for party in (contract, agreement):
                if party is not None and party["ends_on"] is not None and month > party["ends_on"]:
                    return found
            found.append(month)
            month = next_month(month)
        return found

    def covers(self, table: str, reporter: str | None, month: dt.date) -> bool:
        return (table, reporter, month) in self.received

    # Late payment

    def ended(self, row: Row) -> dt.date:
        if row["paid_on"] is not None:
            return row["paid_on"]
        received = self.received["payments", row["reporter_id"], row["month"]]
        return min(self.as_of, received)

    def payment_delay(self, contract: Row | None, agreement: Row) -> Row:
        subcontractor = agreement["subcontractor_id"]
        prime = contract["prime_id"] if contract else None
        days = int(self.rules["payment_days"])
        agreed = agreement["payment_terms_days"]
        limit = days if agreed is None else min(days, agreed)
        old = contract is None or contract["starts_on"] < LAW_FROM
        no_interest_within = agreed if old and agreed is not None else limit
        months = [
            month
            for month in self.window(contract, agreement)
            if self.covers("payments", subcontractor, month)
            or self.covers("payments", prime, month)
        ]
        if not months:
            return {"status": "not_reported"}
        paid = late_paid = late_unpaid = waiting = total_days = 0
        receipts: list[int] = []
        late: list[Row] = []
        for row in self.rows["payments"]:
            if (
                row["contract_id"] != agreement["contract_id"]
                or row["subcontractor_id"] != subcontractor
                or row["month"] not in months
                or row["payment_type"] == "adjustment"
                or row["subcontractor_amount_pence"] <= 0
            ):
                continue
            if row["reporter_id"] == prime and row["paid_on"] and row["received_on"]:
                receipts.append((row["paid_on"] - row["received_on"]).days)
            word_of = subcontractor
            if not self.covers("payments", subcontractor, row["month"]):
                word_of = prime
            if row["reporter_id"] != word_of or row["invoiced_on"] is None:
                continue
            waited = (self.ended(row) - row["invoiced_on"]).days
            if row["paid_on"] is not None:
                paid += 1
                total_days += waited
                late_paid += waited > limit
            elif waited > limit:
                late_unpaid += 1
            else:
                waiting += 1
            if waited > limit:
                late.append(row)
        due = paid + late_unpaid
        lines: dict[tuple[dt.date, dt.date, bool], int] = {}
        for row in late:
            key = row["invoiced_on"], self.ended(row), row["paid_on"] is not None
            lines[key] = lines.get(key, 0) + row["subcontractor_amount_pence"]
        interest = 0
        owed: dict[dt.date, int] = {}
        for (invoiced_on, ended_on, _), pence in lines.items():
            starts_on = invoiced_on + dt.timedelta(days=no_interest_within + 1)
            percent = reference_percent(starts_on)
            if ended_on < starts_on or percent is None:
                continue
            # The day paid carries interest too: from the 1st to the 1st is one day.
            run = (ended_on - starts_on).days + 1
            rate = Fraction(percent) / 100 + self.rules["late_interest"]
            interest += int(pence * rate * run / 365)
            owed[invoiced_on] = owed.get(invoiced_on, 0) + pence
        compensation = sum(
            4000 if pence < 100_000 else 7000 if pence < 1_000_000 else 10_000
            for pence in owed.values()
        )
        invoices = len({row["invoiced_on"] for row in late})
        if not due:
            status = "too_early" if waiting else "not_applicable"
        elif not late:
            status = "clear"
        elif (
            Fraction(len(late), due) > self.rules["payment_delay"]
            and invoices > self.rules["payment_delay_invoices"]
        ):
            status = "raised"
        else:
            status = "watch"
        return {
            "status": status,
            "value": len(late) / due if due else None,
            "late": (late_paid, late_unpaid, waiting, invoices),
            "mean_days": total_days / paid if paid else None,
            "receipt_days": sum(receipts) / len(receipts) if receipts else None,
            "claim": (interest, compensation),
        }

    # Risk, returns, consent

    def risk_transfer(self, agreement: Row) -> Row:
        own, theirs = agreement["at_risk_share"], agreement["prime_at_risk_share"]
        if own is None or theirs is None:
            return {"status": "not_applicable"}
        mine, prime = Decimal(repr(own)), Decimal(repr(theirs))
        above = Fraction(mine) > self.rules["risk_transfer"] * Fraction(prime)
        return {
            "status": "raised" if above else "clear",
            "value": float(mine / prime) if prime else None,
        }

    def not_reported(self, contract: Row | None, agreement: Row | None) -> Row:
        starts_on = self.starts(contract, agreement)
        if starts_on is None:
            return {"status": "not_applicable"}
        for party in (contract, agreement):
            ends_on = None if party is None else party["ends_on"]
            if ends_on is not None and ends_on.replace(day=1) < starts_on.replace(day=1):
                return {"status": "not_applicable"}
        days = dt.timedelta(days=int(self.rules["reporting_days"]))
        due = [
            month
            for month in self.window(contract, agreement)
            if next_month(month) - dt.timedelta(days=1) + days < self.as_of
        ]
        if not due:
            return {"status": "too_early"}
        prime = contract["prime_id"] if contract else None
        missing = {"referrals": 0, "payments": 0}
        for log in missing:
            for month in due:
                told = self.covers(log, prime, month)
                if agreement is not None:
                    told = told or self.covers(log, agreement["subcontractor_id"], month)
                missing[log] += not told
        counted = missing["referrals"]
        if agreement is None:
            counted = max(missing.values())
        if counted > self.rules["not_reported"]:
            status = "raised"
        else:
            status = "watch" if counted else "clear"
        return {"status": status, "value": counted}

    def named_without_consent(self, contract: Row | None, agreement: Row) -> Row:
        if not agreement["named_in_bid"]:
            return {"status": "not_applicable"}
        if agreement["consented_on"] is None:
            return {"status": "raised"}
        if contract is None:
            return {"status": "clear"}
        asked = dt.timedelta(days=int(self.rules["named_without_consent"]))
        late = agreement["consented_on"] > contract["starts_on"] - asked
        return {
            "status": "watch" if late else "clear",
            "value": (contract["starts_on"] - agreement["consented_on"]).days,
        }

    def answers(self) -> dict[tuple[str, str, str | None], Row]:
        """Every assessment by flag, contract and subcontractor."""
        contracts = {row["contract_id"]: row for row in self.rows["contracts"]}
        found: dict[tuple[str, str, str | None], Row] = {}
        for contract_id, contract in contracts.items():
            found["not_reported", contract_id, None] = self.not_reported(contract, None)
        for agreement in self.rows["agreements"]:
            of = contracts.get(agreement["contract_id"])
            key = agreement["contract_id"], agreement["subcontractor_id"]
            found["payment_delay", *key] = self.payment_delay(of, agreement)
            found["risk_transfer", *key] = self.risk_transfer(agreement)
            found["not_reported", *key] = self.not_reported(of, agreement)
            found["named_without_consent", *key] = self.named_without_consent(of, agreement)
        blank = {"value": None, "low": None, "high": None, "attributed_to": None}
        return {key: blank | answer for key, answer in found.items()}
