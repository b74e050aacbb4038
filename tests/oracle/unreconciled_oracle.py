"""The flag `unreconciled` again, in loops over plain rows.

Nothing of the product is used here. Where the product sorts and merges, this tries every pair.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.oracle.flags_oracle import window

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

Row = dict[str, Any]
RULES = {
    "unreconciled": "0.05",
    "unreconciled_events": "2",
    "reconciliation_days": "7",
    "reconciliation_amount_rate": "0.01",
    "reconciliation_amount_pounds": "1",
}
CLASSES = (
    "matched",
    "other_amount",
    "other_date",
    "prime_only",
    "subcontractor_only",
    "duplicate",
)
DAY = {"referrals": "referred_on", "payments": "earned_on"}
ID = {"referrals": "referral_id", "payments": "payment_id"}
AMOUNT = {"referrals": "referral_count", "payments": "subcontractor_amount_pence"}
KIND = {"referrals": "client_group", "payments": "payment_type"}


class Oracle:
    def __init__(
        self,
        rows: dict[str, list[Row]],
        as_of: dt.date,
        through: dt.date | None = None,
        rules: dict[str, str] | None = None,
    ) -> None:
        self.rows = rows
        self.as_of = as_of
        self.through = through
        self.rules = {name: Fraction(text) for name, text in (RULES | (rules or {})).items()}
        self.covered = {(c["table"], c["reporter_id"], c["month"]) for c in rows["coverage"]}

    def answers(self) -> dict[tuple[str, str], Row]:
        return {
            (one["contract_id"], one["subcontractor_id"]): self.answer(one)
            for one in self.rows["agreements"]
        }

    def answer(self, agreement: Row) -> Row:
        subcontractor = agreement["subcontractor_id"]
        contract = next(
            one for one in self.rows["contracts"] if one["contract_id"] == agreement["contract_id"]
        )
        prime = contract["prime_id"]
        if prime == subcontractor:
            return self.told("not_applicable", None, {})
        months = window(
            agreement["live_on"] or contract["starts_on"],
            [agreement["ends_on"], contract["ends_on"]],
            self.as_of,
            self.through,
        )
        found = []
        counts = {}
        for log in ("referrals", "payments"):
            both = {
                month
                for month in months
                if (log, prime, month) in self.covered
                and (log, subcontractor, month) in self.covered
            }
            if both:
                counts[log], alike = self.compare(log, agreement, prime, both)
                found.append(self.judge(counts[log], alike))
        if not found:
            return self.told("not_reported", None, {})
        order = ["clear", "watch", "raised"]
        status, share = max(
            found, key=lambda one: (order.index(one[0]), -1 if one[1] is None else one[1])
        )
        return self.told(status, None if share is None else float(share), counts)

    def told(self, status: str, value: float | None, counts: dict[str, Any]) -> Row:
        return {
            "status": status,
            "value": value,
            "low": None,
            "high": None,
            "attributed_to": None,
            "counts": counts,
        }

    def judge(self, counts: dict[str, int], alike: dict[str, int]) -> tuple[str, Fraction | None]:
        events = sum(counts.values())
        if not events:
            return "clear", None
        differing = events - counts["matched"]
        share = Fraction(differing, events)
        if share <= self.rules["unreconciled"]:
            return "clear", share
        whatever, of = sum(alike.values()) - alike["matched"], sum(alike.values())
        few = min(differing, whatever) <= self.rules["unreconciled_events"]
        if few or Fraction(whatever, of) <= self.rules["unreconciled"]:
            return "watch", share
        return "raised", share

    def amounts_agree(self, log: str, one: int, other: int) -> bool:
        gap = abs(one - other)
        if log == "referrals":
            return gap == 0
        if gap <= self.rules["reconciliation_amount_pounds"] * 100:
            return True
        return gap <= self.rules["reconciliation_amount_rate"] * max(abs(one), abs(other))

    def compare(
        self, log: str, agreement: Row, prime: str, both: set[dt.date]
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Events by class, as they are and whatever the marks of the clients left over."""
        sides: dict[str, list[Row]] = {"prime": [], "subcontractor": []}
        reporters = {"prime": prime, "subcontractor": agreement["subcontractor_id"]}
        reach = range(-(int(self.rules["reconciliation_days"]) // 28 + 1), 0)
        numbers = [month.year * 12 + month.month for month in both]
        first, last = min(numbers) + reach[0], max(numbers) - reach[0]
        for row in self.rows[log]:
            for side, reporter in reporters.items():
                if (
                    row["reporter_id"] == reporter
                    and row["contract_id"] == agreement["contract_id"]
                    and row["subcontractor_id"] == agreement["subcontractor_id"]
                    and not (log == "referrals" and row["referral_count"] == 0)
                    and first <= row["month"].year * 12 + row["month"].month <= last
                ):
                    sides[side].append(row)
        inside = {side: [r for r in rows if r["month"] in both] for side, rows in sides.items()}
        marks = {
            side: {r["client_hash"] for r in rows if r["client_hash"]}
            for side, rows in inside.items()
        }
        by_client = bool(marks["prime"] & marks["subcontractor"])
        counts = dict.fromkeys(CLASSES, 0)
        left: dict[str, list[Row]] = {"prime": [], "subcontractor": []}
        if by_client:
            keys = {
                (r["client_hash"], r["payment_type"] if log == "payments" else None)
                for rows in sides.values()
                for r in rows
                if r["client_hash"]
            }
            for client, kind in keys:
                mine = {
                    side: [
                        r
                        for r in rows
                        if r["client_hash"] == client
                        and (log == "referrals" or r["payment_type"] == kind)
                    ]
                    for side, rows in sides.items()
                }
                self.one_client(log, mine, inside, both, counts, left)
        alike = dict(counts)
        unnamed = {
            side: [r for r in rows if not by_client or not r["client_hash"]]
            for side, rows in inside.items()
        }
        cells = {
            (r["month"], r[KIND[log]]) for rows in (*unnamed.values(), *left.values()) for r in rows
        }
        for cell in cells:
            units: dict[str, list[tuple[int, bool]]] = {}
            again = {}
            for side in sides:
                plain = [r for r in unnamed[side] if (r["month"], r[KIND[log]]) == cell]
                marked = [r for r in left[side] if (r["month"], r[KIND[log]]) == cell]
                weights = [r["referral_count"] if log == "referrals" else 1 for r in plain]
                amounts = [0 if log == "referrals" else r[AMOUNT[log]] for r in plain]
                units[side] = [
                    (amount, False)
                    for amount, weight in zip(amounts, weights, strict=True)
                    for _ in range(weight)
                ]
                units[side] += [(0 if log == "referrals" else r[AMOUNT[log]], True) for r in marked]
                again[side] = sum(
                    weight
                    for r, weight in zip(plain, weights, strict=True)
                    if self.stood_before(log, r, inside[side])
                )
            self.one_cell(log, units, again, counts, apart=True)
            self.one_cell(log, units, again, alike, apart=False)
        return counts, alike

    def stood_before(self, log: str, row: Row, others: list[Row]) -> bool:
        return any(
            other[ID[log]] == row[ID[log]] and other["month"] < row["month"] for other in others
        )

    def one_client(
        self,
        log: str,
        rows: dict[str, list[Row]],
        inside: dict[str, list[Row]],
        both: set[dt.date],
        counts: dict[str, int],
        left: dict[str, list[Row]],
    ) -> None:
        def order(row: Row) -> Any:
            return row[DAY[log]], row[AMOUNT[log]], row["return_id"], row["row_number"]

        free = {side: sorted(found, key=order) for side, found in rows.items()}
        days = int(self.rules["reconciliation_days"])
        steps: list[tuple[str, int, Callable[[int, int], bool]]] = [
            ("matched", 0, lambda one, other: one == other),
            ("matched", days, lambda one, other: self.amounts_agree(log, one, other)),
            ("other_amount", days, lambda *_: True),
        ]
        for kind, reach, agree in steps:
            while True:
                best = None
                for i, one in enumerate(free["prime"]):
                    for j, other in enumerate(free["subcontractor"]):
                        gap = abs((one[DAY[log]] - other[DAY[log]]).days)
                        if gap > reach or not agree(one[AMOUNT[log]], other[AMOUNT[log]]):
                            continue
                        rank = gap, one[DAY[log]], other[DAY[log]], i, j
                        if best is None or rank < best:
                            best = rank
                if best is None:
                    break
                pair = free["prime"].pop(best[3]), free["subcontractor"].pop(best[4])
                if any(row["month"] in both for row in pair):
                    counts[kind] += 1
        kept: dict[str, list[Row]] = {}
        for side, found in free.items():
            kept[side] = []
            found_here = [r for r in found if r["month"] in both]
            paired = [r for r in rows[side] if not any(r is other for other in found)]
            for row in found_here:
                same = [
                    r
                    for r in (*paired, *kept[side])
                    if (r[DAY[log]], r[AMOUNT[log]]) == (row[DAY[log]], row[AMOUNT[log]])
                ]
                if same or self.stood_before(log, row, inside[side]):
                    counts["duplicate"] += 1
                else:
                    kept[side].append(row)
        while kept["prime"] and kept["subcontractor"]:
            kept["prime"].pop(0)
            kept["subcontractor"].pop(0)
            counts["other_date"] += 1
        for side, found in kept.items():
            left[side].extend(found)

    def one_cell(
        self,
        log: str,
        units: dict[str, list[tuple[int, bool]]],
        again: dict[str, int],
        counts: dict[str, int],
        *,
        apart: bool,
    ) -> None:
        mine, theirs = sorted(units["prime"]), sorted(units["subcontractor"])
        stages = [(False, True), (True, False), (False, False)] if apart else [None]
        for kind in ("matched", "other_amount"):
            for stage in stages:
                pairing = True
                while pairing:
                    pairing = False
                    for one in mine:
                        for other in theirs:
                            fits = stage is None or stage == (one[1], other[1])
                            if fits and (
                                kind == "other_amount" or self.amounts_agree(log, one[0], other[0])
                            ):
                                mine.remove(one)
                                theirs.remove(other)
                                counts[kind] += 1
                                pairing = True
                                break
                        if pairing:
                            break
        for side, surplus in (("prime", len(mine)), ("subcontractor", len(theirs))):
            twice = min(surplus, again[side])
            counts["duplicate"] += twice
            counts[f"{side}_only"] += surplus - twice
