"""The flag `client_mix` again, in loops over plain rows and exact fractions.

Nothing of the product is used here, and neither arrays nor a statistics library.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.oracle import flags_oracle

if TYPE_CHECKING:
    import datetime as dt

Row = dict[str, Any]
RULES = {
    "client_mix": "0.001",
    "client_mix_difference": "0.20",
    "overdispersion": "auto",
    "overdispersion_pairs": "30",
    "overdispersion_before": "2",
}
CLUMPING = ("overdispersion", "overdispersion_pairs", "overdispersion_before")


def number(day: dt.date) -> int:
    return day.year * 12 + day.month - 1


def tail(observed: int, drawn: int, marked: int, all_of: int) -> Fraction:
    """Twice the smaller tail of the hypergeometric law, at most 1."""
    few = many = 0
    for x in range(max(0, drawn + marked - all_of), min(drawn, marked) + 1):
        ways = math.comb(marked, x) * math.comb(all_of - marked, drawn - x)
        few += ways if x <= observed else 0
        many += ways if x >= observed else 0
    return min(Fraction(1), Fraction(2 * min(few, many), math.comb(all_of, drawn)))


def effective(
    observed: int, drawn: int, marked: int, all_of: int, clumping: Fraction
) -> tuple[int, int, int, int]:
    n, k, m = (math.floor(value / clumping) for value in (drawn, marked, all_of))
    x = observed / clumping
    expected = Fraction(n * k, m) if m else Fraction(0)
    return (math.ceil(x) if x < expected else math.floor(x)), n, k, m


class Oracle:
    """The answers of one chain on one day, agreement by agreement."""

    def __init__(
        self,
        tables: dict[str, list[Row]],
        as_of: dt.date,
        through: dt.date | None = None,
        rules: dict[str, str] | None = None,
    ) -> None:
        self.tables = tables
        self.last = number(as_of) - 1
        if through is not None:
            self.last = min(self.last, number(through))
        self.rules = RULES | (rules or {})
        clumping = {name: text for name, text in self.rules.items() if name in CLUMPING}
        self.volumes = flags_oracle.Oracle(tables, as_of, through, clumping)
        self.contracts = {row["contract_id"]: row for row in tables["contracts"]}
        self.coverage = {
            (row["reporter_id"], number(row["month"]))
            for row in tables["coverage"]
            if row["table"] == "referrals"
        }
        self.counts: dict[tuple[str, str, str, int], int] = {}
        for row in tables["referrals"]:
            of = row["contract_id"], row["subcontractor_id"], row["reporter_id"]
            key = (*of, number(row["month"]))
            self.counts[key] = self.counts.get(key, 0) + row["referral_count"]

    def answers(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {
            (row["contract_id"], row["subcontractor_id"]): self.answer(row)
            for row in self.tables["agreements"]
        }

    def window(self, agreement: Row) -> range:
        contract = self.contracts[agreement["contract_id"]]
        first = number(agreement["live_on"] or contract["starts_on"])
        ends = [
            number(day) for day in (agreement["ends_on"], contract["ends_on"]) if day is not None
        ]
        return range(first, min([self.last, *ends]) + 1)

    def covered(self, reporter: str, month: int) -> bool:
        return (reporter, month) in self.coverage

    def stated_groups(self, agreement: Row) -> set[str]:
        groups = set()
        for table in ("prices", "forecasts"):
            for row in self.tables[table]:
                mine = all(
                    row[name] == agreement[name] for name in ("contract_id", "subcontractor_id")
                )
                if mine and row["client_group"] is not None:
                    groups.add(row["client_group"])
        return groups

    def clumping(self, agreement: Row) -> Fraction:
        """The overdispersion that the flags about volumes reckon with too."""
        programme = self.contracts[agreement["contract_id"]]["programme"]
        return Fraction(str(self.volumes.spread(programme, whole=False)))

    def answer(self, agreement: Row) -> dict[str, Any]:
        status, value = self.judged(agreement)
        return {"status": status, "value": value, "low": None, "high": None, "attributed_to": None}

    def judged(self, agreement: Row) -> tuple[str, float | None]:
        prime = self.contracts[agreement["contract_id"]]["prime_id"]
        months = [month for month in self.window(agreement) if self.covered(prime, month)]
        if not months:
            return "not_reported", None
        stated = self.stated_groups(agreement)
        received: dict[tuple[str, int], int] = {}
        intake: dict[tuple[str, int], int] = {}
        for row in self.tables["referrals"]:
            cell = row["client_group"], number(row["month"])
            if (
                row["contract_id"] == agreement["contract_id"]
                and row["reporter_id"] == prime
                and cell[1] in months
                and (not stated or cell[0] in stated)
            ):
                intake[cell] = intake.get(cell, 0) + row["referral_count"]
                if row["subcontractor_id"] == agreement["subcontractor_id"]:
                    received[cell] = received.get(cell, 0) + row["referral_count"]
        groups = sorted({group for group, _ in intake})
        x = {g: sum(received.get((g, month), 0) for month in months) for g in groups}
        k = {g: sum(intake.get((g, month), 0) for month in months) for g in groups}
        n, m = sum(x.values()), sum(k.values())
        comparable = 0 < n < m and len(groups) > 1
        if len(stated or groups) == 1 or (n and n == m):
            return "not_applicable", None
        if not comparable:
            return "too_early", None
        clumping = self.clumping(agreement)
        limit, slack = (Fraction(self.rules[r]) for r in ("client_mix", "client_mix_difference"))
        p, least = {}, []
        for g in groups:
            counts = effective(x[g], n, k[g], m, clumping)
            p[g] = tail(*counts)
            _, drawn, marked, all_of = counts
            ends = max(0, drawn + marked - all_of), min(drawn, marked)
            least += [tail(end, drawn, marked, all_of) for end in ends]
        corrected, floor = {}, Fraction(0)
        for place, g in enumerate(sorted(groups, key=lambda g: p[g])):
            floor = min(Fraction(1), max(floor, p[g] * (len(groups) - place)))
            corrected[g] = floor
        value = min(corrected.values())
        if min(Fraction(1), min(least) * len(groups)) > limit:
            return "too_early", float(value)
        return self.by_month(groups, months, received, intake, corrected, clumping, limit, slack), (
            float(value)
        )

    def by_month(
        self,
        groups: list[str],
        months: list[int],
        received: dict[tuple[str, int], int],
        intake: dict[tuple[str, int], int],
        corrected: dict[str, Fraction],
        clumping: Fraction,
        limit: Fraction,
        slack: Fraction,
    ) -> str:
        n, m = sum(received.values()), sum(intake.values())
        found = "clear"
        for g in groups:
            x = sum(received.get((g, month), 0) for month in months)
            k = sum(intake.get((g, month), 0) for month in months)
            expected = Fraction(n * k, m)
            if corrected[g] > limit or abs(x - expected) <= slack * expected:
                continue
            monthly = Fraction(0)
            for month in months:
                of_month = sum(intake.get((one, month), 0) for one in groups)
                got = sum(received.get((one, month), 0) for one in groups)
                if of_month:
                    monthly += Fraction(got * intake.get((g, month), 0), of_month)
            same_side = (x > monthly) == (x > expected)
            if abs(x - monthly) <= slack * monthly or not same_side:
                continue
            marked = monthly * m / n
            if x > monthly:
                rounded = max(math.ceil(marked), x)
            else:
                rounded = min(math.floor(marked), m - n + x)
            chance = min(Fraction(1), len(groups) * tail(*effective(x, n, rounded, m, clumping)))
            if chance <= limit:
                return "raised"
            found = "watch"
        return found
