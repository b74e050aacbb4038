"""The management fee with its whole evidence again, in loops over plain rows and fractions."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

Row = dict[str, Any]


def month_after(month: dt.date) -> dt.date:
    return dt.date(month.year + month.month // 12, month.month % 12 + 1, 1)


def name_of(month: dt.date) -> str:
    return f"{month.year:04d}-{month.month:02d}"


def kept(received: int, passed_on: int) -> Fraction | None:
    return 1 - Fraction(passed_on, received) if received > 0 else None


class Oracle:
    def __init__(
        self,
        rows: dict[str, list[Row]],
        as_of: dt.date,
        through: dt.date | None = None,
        limit: str = "0.15",
    ) -> None:
        self.rows = rows
        self.as_of = as_of
        self.through = through
        self.limit = Fraction(limit)
        self.covered = {
            (one["reporter_id"], one["month"])
            for one in rows["coverage"]
            if one["table"] == "payments"
        }

    def window(self, contract: Row, agreement: Row) -> list[dt.date]:
        month = (agreement["live_on"] or contract["starts_on"]).replace(day=1)
        found = []
        while month_after(month) <= self.as_of:
            ends = [end for end in (contract["ends_on"], agreement["ends_on"]) if end]
            if self.through:
                ends.append(self.through)
            if any(end < month for end in ends):
                break
            found.append(month)
            month = month_after(month)
        return found

    def agreement(self, contract: Row, agreement: Row) -> Row:
        """The answer and the numbers of its evidence; shares as fractions."""
        prime, own = contract["prime_id"], agreement["subcontractor_id"]
        months = [
            month for month in self.window(contract, agreement) if (prime, month) in self.covered
        ]
        by_own = [month for month in months if (own, month) in self.covered]
        blank = {"events": 0, "received_pence": 0, "payable_pence": 0, "paid_pence": 0}
        whole: Row = dict(blank)
        groups: dict[str | None, Row] = {}
        cash: Row = {
            "received_events": 0,
            "received_pence": 0,
            "paid_pence": 0,
            "unpaid_events": 0,
            "unpaid_pence": 0,
        }
        for row in self.rows["payments"]:
            if row["contract_id"] != contract["contract_id"] or row["subcontractor_id"] != own:
                continue
            if row["month"] not in months:
                continue
            came, payable = row["commissioner_amount_pence"], row["subcontractor_amount_pence"]
            matched = row["reporter_id"] == prime and came is not None
            counts = row["reporter_id"] == own if row["month"] in by_own else matched
            if not matched and not counts:
                continue
            part = groups.setdefault(row["client_group"], dict(blank))
            if matched:
                for sums in (whole, part):
                    sums["events"] += 1
                    sums["received_pence"] += came
                    sums["payable_pence"] += payable
                if row["received_on"] is not None:
                    cash["received_events"] += 1
                    cash["received_pence"] += came
            if counts and row["paid_on"] is not None:
                cash["paid_pence"] += payable
                for sums in (whole, part):
                    sums["paid_pence"] += payable
            elif counts:
                cash["unpaid_events"] += 1
                cash["unpaid_pence"] += payable
        received, payable, paid = (
            whole[name] for name in ("received_pence", "payable_pence", "paid_pence")
        )
        low, high = kept(received, payable), kept(received, paid)
        if not months:
            status, low, high = "not_reported", None, None
        elif low is None or high is None:
            status = "not_applicable"
        elif low > self.limit:
            status = "raised"
        else:
            status = "watch" if high > self.limit else "clear"
        agreed = agreement.get("agreed_management_fee_rate")
        above = differs = None
        if low is not None and agreed is not None:
            above = low - Fraction(str(agreed))
            differs = abs(above) * received > whole["events"]
        cash["fee"] = None if low is None else kept(cash["received_pence"], cash["paid_pence"])
        cash["lag_effect"] = None if cash["fee"] is None else cash["fee"] - low
        rounding = low is not None and (low - self.limit) * received <= whole["events"]
        return {
            "status": status,
            "value": low,
            "low": low,
            "high": high,
            "attributed_to": None,
            "reported_months": len(months),
            "paid_reported_by": {
                "subcontractor": len(by_own),
                "prime": len(months) - len(by_own),
            },
            **whole,
            "within_rounding": status == "raised" and rounding,
            "agreed_management_fee_rate": agreed,
            "effective_above_agreed": above,
            "agreed_differs": differs,
            "by_client_group": [
                {
                    "client_group": group,
                    **part,
                    "low": kept(part["received_pence"], part["payable_pence"]),
                    "high": kept(part["received_pence"], part["paid_pence"]),
                }
                for group, part in sorted(groups.items(), key=lambda pair: pair[0] or "")
                if part["events"] or part["paid_pence"]
            ],
            "priced_fee": self.priced(contract["contract_id"], own),
            "cash": cash,
        }

    def priced(self, contract_id: str, own: str) -> list[Row]:
        mine = [row for row in self.rows["prices"] if row["contract_id"] == contract_id]
        found = [
            {
                "client_group": price["client_group"],
                "payment_type": price["payment_type"],
                "commissioner_price_pence": other["price_pence"],
                "subcontractor_price_pence": price["price_pence"],
                "fee": kept(other["price_pence"], price["price_pence"]),
            }
            for price in mine
            for other in mine
            if price["subcontractor_id"] == own
            and other["subcontractor_id"] is None
            and other["client_group"] == price["client_group"]
            and other["payment_type"] == price["payment_type"]
            and other["price_pence"] > 0
        ]
        return sorted(found, key=lambda one: (one["client_group"], one["payment_type"]))

    def source_rows(self, contract: Row, agreement: Row) -> set[tuple[str, str, int]]:
        """The payment rows behind the sums: what they are by reporter and line."""
        prime, own = contract["prime_id"], agreement["subcontractor_id"]
        found = set()
        for row in self.rows["payments"]:
            month = row["month"]
            if row["contract_id"] != contract["contract_id"] or row["subcontractor_id"] != own:
                continue
            if month not in self.window(contract, agreement) or (prime, month) not in self.covered:
                continue
            by_own = (own, month) in self.covered
            is_own = by_own and row["reporter_id"] == own
            matched = row["reporter_id"] == prime and row["commissioner_amount_pence"] is not None
            if matched or is_own:
                found.add(("payments", row["reporter_id"], row["row_number"]))
        return found

    def answers(self) -> dict[tuple[str, str], Row]:
        """Every agreement's answer with its evidence."""
        contracts = {row["contract_id"]: row for row in self.rows["contracts"]}
        return {
            (row["contract_id"], row["subcontractor_id"]): self.agreement(
                contracts[row["contract_id"]], row
            )
            for row in self.rows["agreements"]
        }
