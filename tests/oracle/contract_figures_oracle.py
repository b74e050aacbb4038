"""Spend by sector, concentration and conversion again, in loops over plain rows.

Nothing of the product is used here. Answers are plain tuples and dicts.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

Row = dict[str, Any]


def number(day: dt.date) -> int:
    return day.year * 12 + day.month - 1


class Figures:
    """The figures of one chain on one day."""

    def __init__(self, tables: dict[str, list[Row]], as_of: dt.date) -> None:
        self.tables = tables
        self.last = number(as_of) - 1
        self.contracts = {row["contract_id"]: row for row in tables["contracts"]}

    def window(self, contract: Row, agreement: Row | None = None) -> range:
        mine = [contract] if agreement is None else [contract, agreement]
        first = (agreement and agreement["live_on"]) or contract["starts_on"]
        ends = [number(row["ends_on"]) for row in mine if row["ends_on"] is not None]
        return range(number(first), min([self.last, *ends]) + 1)

    def covers(self, table: str, reporter: str, month: int) -> bool:
        return any(
            (row["table"], row["reporter_id"], number(row["month"])) == (table, reporter, month)
            for row in self.tables["coverage"]
        )

    # Spend by sector

    def spend(self, by: str) -> dict[str, Any]:
        """By "contract_id" or "programme": payable or None, organisations, and lines by sector."""
        found = {}
        for whole in {row[by] for row in self.contracts.values()}:
            contracts = [row for row in self.contracts.values() if row[by] == whole]
            reported = any(
                self.covers("payments", row["prime_id"], month)
                for row in contracts
                for month in self.window(row)
            )
            lines: dict[str, list[Any]] = {}
            for contract in contracts:
                for agreement in self.tables["agreements"]:
                    sub = agreement["subcontractor_id"]
                    if agreement["contract_id"] != contract["contract_id"]:
                        continue
                    if sub == contract["prime_id"]:
                        continue
                    line = lines.setdefault(self.sector(sub), [0, set()])
                    line[0] += self.payable(contract, agreement)
                    line[1].add(sub)
            total = sum(line[0] for line in lines.values())
            found[whole] = (
                total if reported else None,
                sum(len(line[1]) for line in lines.values()),
                {
                    sector: (pence, len(ids), pence / total if total > 0 else None)
                    for sector, (pence, ids) in lines.items()
                },
            )
        return found

    def sector(self, organisation_id: str) -> str:
        for row in self.tables["organisations"]:
            if row["organisation_id"] == organisation_id:
                return str(row["sector"])
        return "not in the register"

    def payable(self, contract: Row, agreement: Row) -> int:
        total = 0
        for row in self.tables["payments"]:
            month = number(row["month"])
            if (
                row["reporter_id"] == contract["prime_id"]
                and row["contract_id"] == agreement["contract_id"]
                and row["subcontractor_id"] == agreement["subcontractor_id"]
                and month in self.window(contract, agreement)
                and self.covers("payments", row["reporter_id"], month)
            ):
                total += row["subcontractor_amount_pence"]
        return total

    # Concentration

    def concentration(self) -> dict[str, Any]:
        """Months, all clients, in house, (subcontractor, clients) largest first, index."""
        found = {}
        for contract_id, contract in self.contracts.items():
            prime = contract["prime_id"]
            months = [m for m in self.window(contract) if self.covers("referrals", prime, m)]
            if not months:
                found[contract_id] = (0, None, None, [], None)
                continue
            counts: dict[str, int] = {}
            for row in self.tables["referrals"]:
                told = row["contract_id"], row["reporter_id"]
                if told == (contract_id, prime) and number(row["month"]) in months:
                    sub = row["subcontractor_id"]
                    counts[sub] = counts.get(sub, 0) + row["referral_count"]
            everybody = sum(counts.values())
            kept = counts.pop(prime, 0)
            index = None
            if counts:
                index = float(sum(Fraction(n, everybody - kept) ** 2 for n in counts.values()))
            largest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            found[contract_id] = (len(months), everybody, kept, largest, index)
        return found

    # Conversion

    def conversion(self) -> dict[Any, Any]:
        """By (contract, subcontractor or None) and client group, the ten counts in order."""
        found: dict[Any, Any] = {}
        for contract_id, contract in self.contracts.items():
            found[contract_id, None] = self.converted(contract, None, self.window(contract))
            for agreement in self.tables["agreements"]:
                if agreement["contract_id"] == contract_id:
                    sub = agreement["subcontractor_id"]
                    window = self.window(contract, agreement)
                    found[contract_id, sub] = self.converted(contract, sub, window)
        return found

    def counting(self, table: str, contract: Row, sub: str | None, window: range) -> list[Row]:
        rows = []
        for row in self.tables[table]:
            month, own = number(row["month"]), row["subcontractor_id"]
            if row["contract_id"] != contract["contract_id"] or month not in window:
                continue
            if sub is not None and own != sub:
                continue
            by_prime = row["reporter_id"] == contract["prime_id"]
            if row["reporter_id"] == own or (by_prime and not self.covers(table, own, month)):
                rows.append(row)
        return rows

    def converted(self, contract: Row, sub: str | None, window: range) -> dict[str, list[int]]:
        counts: dict[str, list[int]] = {}
        first: dict[Any, int] = {}
        started = set()
        for row in self.counting("referrals", contract, sub, window):
            group = row["client_group"]
            line = counts.setdefault(group, [0] * 10)
            line[0] += row["referral_count"]
            line[1] += row["referral_count"] if row["started_on"] else 0
            if row["client_hash"]:
                client = row["subcontractor_id"], row["reporter_id"], row["client_hash"], group
                month = number(row["month"])
                first[client] = min(month, first.get(client, month))
                if row["started_on"]:
                    started.add(client)
        for row in self.counting("payments", contract, sub, window):
            kinds = ["attachment_fee", "job_outcome", "sustainment"]
            if row["payment_type"] in kinds:
                group = row["client_group"] or ""
                line = counts.setdefault(group, [0] * 10)
                line[2 + kinds.index(row["payment_type"])] += 1
        end = window[-1] if len(window) else 0
        for client, month in first.items():
            own, reporter, mark, group = client
            outcome = any(
                row["payment_type"] == "job_outcome"
                and row["client_hash"] == mark
                and row["reporter_id"] == reporter
                and row["subcontractor_id"] == own
                and row["contract_id"] == contract["contract_id"]
                and number(row["month"]) <= end
                for row in self.tables["payments"]
            )
            line = counts[group]
            line[5] += 1
            line[6] += outcome
            followed = all(self.covers("payments", reporter, m) for m in range(month, end + 1))
            if followed and end - month >= 12:
                line[7] += 1
                line[8] += client in started
                line[9] += outcome and client in started
        return counts
