"""The three first flags again, written from the data standard in loops over plain rows.

Nothing of the product is used here, and neither arrays nor a statistics library.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = dict[str, Any]
RULES = {
    "zero_referrals": "0.05",
    "zero_referrals_months": "6",
    "management_fee": "0.15",
    "volume_divergence": "0.20",
    "volume_evidence": "20",
    "interval": "0.95",
    "attribution": "0.05",
    "attribution_evidence": "20",
    "overdispersion": "auto",
    "overdispersion_pairs": "30",
    "overdispersion_before": "2",
}


def poisson_cdf(count: int, mean: float) -> float:
    if mean == 0:
        return 1.0
    return math.fsum(
        math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(count + 1)
    )


def bisect(is_left: Any, low: float, high: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        if is_left(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def clumped_cdf(count: int, mean: float, spread: float) -> float:
    """Negative binomial law whose variance is `spread` times its mean; Poisson where that is 1."""
    if spread == 1:
        return poisson_cdf(count, mean)
    if mean == 0:
        return 1.0
    size = mean / (spread - 1)
    return math.fsum(
        math.exp(
            math.lgamma(size + n)
            - math.lgamma(size)
            - math.lgamma(n + 1)
            - size * math.log(spread)
            + n * math.log(1 - 1 / spread)
        )
        for n in range(count + 1)
    )


def count_interval(count: int, level: float, spread: float) -> tuple[float, float]:
    """The means under which the count would be too many, or too few, in a tail of cases."""
    tail = (1 - level) / 2
    top = spread * (count + 20 * math.sqrt(count + 1) + 40)
    upper = bisect(lambda mean: clumped_cdf(count, mean, spread) > tail, 0.0, top)
    if count == 0:
        return 0.0, upper
    lower = bisect(lambda mean: 1 - clumped_cdf(count - 1, mean, spread) < tail, 0.0, top)
    return lower, upper


def e_value(count: int, expected: float, tolerance: float, side: str, spread: float) -> float:
    total = Decimal(0)
    for step in range(1, 20):
        theta = Decimal(step) * 5 / 100
        mean = Decimal((1 - tolerance) * expected)
        if side == "excess":
            theta, mean = 1 / theta, Decimal((1 + tolerance) * expected)
        if spread == 1:
            total += theta**count * ((1 - theta) * mean).exp()
        else:
            d = Decimal(spread)
            base = 1 + theta * (d - 1)
            total += (theta * d / base) ** count * (d / base) ** (mean / (d - 1))
    return float(min(total / 19, Decimal(10) ** 300))


def e_value_given_intake(count: int, intake: int, share: float, side: str, spread: float) -> float:
    if share in (0.0, 1.0):
        lost = count < intake if side == "shortfall" else count > 0
        impossible = lost and share == (1.0 if side == "shortfall" else 0.0)
        return 1e300 if impossible else 1.0
    total = Decimal(0)
    compared = 0
    s, d = Decimal(share), Decimal(spread)
    for step in range(1, 20):
        theta = step / 20
        if theta * share >= 1 or (side == "excess" and 1 / theta * share >= 1):
            continue
        compared += 1
        other = Decimal(theta) * s if side == "shortfall" else s / Decimal(theta)
        rest = max(intake - count, 0)
        ratio = (other / s) ** count * ((1 - other) / (1 - s)) ** rest
        total += ratio ** (1 / d)
    return float(min(total / compared, Decimal(10) ** 300)) if compared else 1.0


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function by its continued fraction (Lentz)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(1 - x)
    )
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    total = d
    for m in range(1, 2000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / (1 + step * d)
            c = 1 + step / c
            total *= c * d
    return front * total / a


def binomial_at_most(count: int, trials: int, share: float) -> float:
    if count < 0:
        return 0.0
    return sum(
        math.comb(trials, n) * share**n * (1 - share) ** (trials - n)
        for n in range(min(count, trials) + 1)
    )


def binomial_tail(count: int, trials: int, share: float, side: str, spread: float) -> float:
    if spread != 1:  # clients in clumps: count and trials in numbers of clumps
        if side == "shortfall":
            if count >= trials:
                return 1.0
            few, rest = count / spread, (trials - count) / spread
            return incomplete_beta(rest, few + 1, 1 - share)
        if count > trials or count == 0:
            return float(count == 0)
        few, every = count / spread, trials / spread
        return incomplete_beta(few, every - few + 1, share)
    if side == "shortfall":
        return binomial_at_most(count, trials, share)
    if count > trials:
        return 0.0
    return sum(
        math.comb(trials, n) * share**n * (1 - share) ** (trials - n)
        for n in range(count, trials + 1)
    )


def next_month(month: dt.date) -> dt.date:
    return (month.replace(day=28) + dt.timedelta(days=5)).replace(day=1)


def window(
    starts_on: dt.date, ends: list[dt.date | None], as_of: dt.date, through: dt.date | None
) -> list[dt.date]:
    found = []
    month = starts_on.replace(day=1)
    while next_month(month) <= as_of:  # its last day is before the as-of day
        inside = all(end is None or month <= end for end in ends)
        if inside and (through is None or month <= through):
            found.append(month)
        month = next_month(month)
    return found


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
        texts = RULES | (rules or {})
        self.auto = texts["overdispersion"] == "auto"
        self.rules = {
            name: Fraction("1" if text == "auto" else text) for name, text in texts.items()
        }
        self.spreads: dict[tuple[str, bool], float] = {}
        self.covered = {(c["table"], c["reporter_id"], c["month"]) for c in rows["coverage"]}

    def forecast(self, contract_id: str, subcontractor: str | None, month: dt.date) -> int | None:
        mine = [
            row
            for row in self.rows["forecasts"]
            if row["contract_id"] == contract_id
            and row["subcontractor_id"] == subcontractor
            and row["month"] == month
        ]
        if not mine:
            return None
        versions = {(row["issued_on"], row["issuer_rank"], row["reporter_id"]) for row in mine}
        days = [day for day, _, _ in versions]
        in_time = [day for day in days if day <= month]
        day = max(in_time) if in_time else min(days)
        chosen = min(version for version in versions if version[0] == day)
        return sum(
            row["referral_count"]
            for row in mine
            if (row["issued_on"], row["issuer_rank"], row["reporter_id"]) == chosen
        )

    def count(
        self,
        contract_id: str,
        month: dt.date,
        reporter: str,
        subcontractor: str | None = None,
        groups: set[str] | None = None,
    ) -> int:
        return sum(
            row["referral_count"]
            for row in self.rows["referrals"]
            if row["contract_id"] == contract_id
            and row["month"] == month
            and row["reporter_id"] == reporter
            and subcontractor in (None, row["subcontractor_id"])
            and (not groups or row["client_group"] in groups)
        )

    def groups(self, contract_id: str, subcontractor: str) -> set[str]:
        return {
            row["client_group"]
            for row in self.rows["prices"] + self.rows["forecasts"]
            if row["contract_id"] == contract_id
            and row["subcontractor_id"] == subcontractor
            and row["client_group"] is not None
        }

    def volume(self, contract: Row, agreement: Row | None) -> Row:
        contract_id, prime = contract["contract_id"], contract["prime_id"]
        subcontractor = agreement["subcontractor_id"] if agreement else None
        starts, ends = contract["starts_on"], [contract["ends_on"]]
        groups: set[str] = set()
        if agreement:
            starts = agreement["live_on"] or starts
            ends.append(agreement["ends_on"])
            groups = self.groups(contract_id, agreement["subcontractor_id"])
        known: Row = {"observed": 0, "expected": 0, "intake": None, "months": 0}
        known["all_intake"] = True
        known["by_month"] = {}
        for month in window(starts, ends, self.as_of, self.through):
            by_sub = ("referrals", subcontractor, month) in self.covered
            by_prime = ("referrals", prime, month) in self.covered
            if not by_sub and not by_prime:
                continue
            known["months"] += 1
            side = subcontractor if by_sub else prime
            came = self.count(contract_id, month, str(side), subcontractor)
            forecast = self.forecast(contract_id, subcontractor, month)
            known["observed"] += came
            known["expected"] += forecast or 0
            promise: float | None = None if forecast is None else float(forecast)
            stated = agreement["promised_share"] if agreement else None
            if promise is None and stated is not None and by_prime:
                promise = stated * self.count(contract_id, month, prime, None, groups)
            known["by_month"][month] = (came, promise, by_sub)
            if by_prime:
                intake = self.count(contract_id, month, prime, None, groups)
                known["intake"] = (known["intake"] or 0) + intake
            else:
                known["all_intake"] = False
        known["stated"] = any(
            row["contract_id"] == contract_id and row["subcontractor_id"] == subcontractor
            for row in self.rows["forecasts"]
        )
        return known

    def spread(self, programme: str, whole: bool) -> float:
        """The overdispersion: the rule's, or estimated from neighbouring months."""
        if not self.auto:
            return float(self.rules["overdispersion"])
        if (programme, whole) not in self.spreads:
            self.spreads[programme, whole] = self.estimated_spread(programme, whole)
        return self.spreads[programme, whole]

    def estimated_spread(self, programme: str, whole: bool) -> float:
        pairs = differences = referrals = 0
        for contract in self.rows["contracts"]:
            if contract["programme"] != programme:
                continue
            agreements: list[Row | None] = [None]
            if not whole:
                agreements = [
                    agreement
                    for agreement in self.rows["agreements"]
                    if agreement["contract_id"] == contract["contract_id"]
                ]
            for agreement in agreements:
                by_month = self.volume(contract, agreement)["by_month"]
                for month, (x, promise, by_sub) in by_month.items():
                    if next_month(month) not in by_month:
                        continue
                    y, later, by_sub_later = by_month[next_month(month)]
                    if promise is None or later is None:
                        continue
                    gap = abs(promise - later)
                    alike = gap <= 1 or gap * 10 <= promise + later
                    if by_sub == by_sub_later and alike and x + y > 0:
                        pairs += 1
                        differences += min((x - y) ** 2, 25 * (x + y))
                        referrals += x + y
        if pairs < self.rules["overdispersion_pairs"]:
            return float(self.rules["overdispersion_before"])
        return max(1.0, round(differences / referrals, 1))

    def zero_referrals(self, contract: Row, agreement: Row) -> Row:
        known = self.volume(contract, agreement)
        share, intake = agreement["promised_share"], known["intake"]
        promise = None
        if known["stated"]:
            promise = float(known["expected"])
        elif share is not None and intake is not None:
            promise = share * intake
        whose = None
        if not known["months"]:
            return {"status": "not_reported", "value": None}
        if known["observed"]:
            status = "clear"
        elif promise is not None:
            limit = float(self.rules["zero_referrals"])
            spread = self.spread(contract["programme"], whole=False)
            chance = math.exp(-promise) if spread == 1 else spread ** (-promise / (spread - 1))
            status = "raised" if chance <= limit else "too_early"
            if status == "raised" and not known["stated"]:
                whose = "prime"
            elif status == "raised" and share is not None and intake is not None:
                if (1 - share) ** (intake / spread) <= float(self.rules["attribution"]):
                    whose = "prime"
                elif known["all_intake"]:
                    whose = "commissioner"
        elif not agreement["named_in_bid"]:
            status = "not_applicable"
        else:
            enough = known["months"] >= self.rules["zero_referrals_months"]
            status = "raised" if enough else "too_early"
        return {"status": status, "value": known["observed"], "attributed_to": whose}

    def management_fee(self, contract: Row, agreement: Row) -> Row:
        prime, subcontractor = contract["prime_id"], agreement["subcontractor_id"]
        starts = agreement["live_on"] or contract["starts_on"]
        ends = [contract["ends_on"], agreement["ends_on"]]
        months = [
            month
            for month in window(starts, ends, self.as_of, self.through)
            if ("payments", prime, month) in self.covered
        ]
        if not months:
            return {"status": "not_reported"}
        received = payable = paid = 0
        for row in self.rows["payments"]:
            if (
                row["contract_id"] != contract["contract_id"]
                or row["subcontractor_id"] != subcontractor
                or row["month"] not in months
            ):
                continue
            amount = row["commissioner_amount_pence"]
            matched = row["reporter_id"] == prime and amount is not None
            if matched:
                received += amount
                payable += row["subcontractor_amount_pence"]
            if ("payments", subcontractor, row["month"]) in self.covered:
                counts = row["reporter_id"] == subcontractor
            else:
                counts = matched
            if counts and row["paid_on"] is not None:
                paid += row["subcontractor_amount_pence"]
        if received <= 0:
            return {"status": "not_applicable"}
        low, high = 1 - Fraction(payable, received), 1 - Fraction(paid, received)
        limit = self.rules["management_fee"]
        status = "raised" if low > limit else "watch" if high > limit else "clear"
        return {"status": status, "value": float(low), "low": float(low), "high": float(high)}

    def contract_side(self, contract: Row) -> str | None:
        known = self.volume(contract, None)
        if not known["months"] or not known["expected"]:
            return None
        value = Fraction(known["observed"], known["expected"]) - 1
        tolerance = self.rules["volume_divergence"]
        return "shortfall" if value < -tolerance else "excess" if value > tolerance else None

    def volume_divergence(self, contract: Row, agreement: Row | None) -> Row:
        known = self.volume(contract, agreement)
        if not known["months"]:
            return {"status": "not_reported"}
        observed, expected = known["observed"], known["expected"]
        if not known["stated"] or expected == 0:
            return {"status": "not_applicable"}
        value = Fraction(observed, expected) - 1
        spread = self.spread(contract["programme"], whole=agreement is None)
        lower, upper = count_interval(observed, float(self.rules["interval"]), spread)
        low, high = lower / expected - 1, upper / expected - 1
        tolerance = self.rules["volume_divergence"]
        side = "shortfall" if value < 0 else "excess"
        evidence = e_value(observed, expected, float(tolerance), side, spread)
        whose = None
        if abs(value) <= tolerance:
            status = "clear"
        elif evidence >= self.rules["volume_evidence"]:
            status = "raised"
            if agreement is None:
                whose = "commissioner"
            else:
                share, intake = agreement["promised_share"], known["intake"]
                # An intake with months missing can only be larger than it is known to be.
                sure = known["all_intake"]
                if share is not None and intake is not None and observed <= intake:
                    tail = binomial_tail(observed, intake, share, side, spread)
                    given = e_value_given_intake(observed, intake, share, side, spread)
                    if tail <= float(self.rules["attribution"]):
                        enough = given >= self.rules["attribution_evidence"]
                        whose = "prime" if enough and (sure or side == "shortfall") else None
                    elif (sure or side == "excess") and self.contract_side(contract) == side:
                        whose = "commissioner"
        elif high < -tolerance or low > tolerance:
            status = "watch"
        else:
            status = "too_early"
        return {
            "status": status,
            "value": float(value),
            "low": low,
            "high": high,
            "attributed_to": whose,
        }

    def answers(self) -> dict[tuple[str, str, str | None], Row]:
        """Every assessment by flag, contract and subcontractor."""
        contracts = {row["contract_id"]: row for row in self.rows["contracts"]}
        found: dict[tuple[str, str, str | None], Row] = {}
        for contract_id, contract in contracts.items():
            found["volume_divergence", contract_id, None] = self.volume_divergence(contract, None)
        for agreement in self.rows["agreements"]:
            contract = contracts[agreement["contract_id"]]
            key = agreement["contract_id"], agreement["subcontractor_id"]
            found["zero_referrals", *key] = self.zero_referrals(contract, agreement)
            found["management_fee", *key] = self.management_fee(contract, agreement)
            found["volume_divergence", *key] = self.volume_divergence(contract, agreement)
        blank = {"value": None, "low": None, "high": None, "attributed_to": None}
        return {key: blank | answer for key, answer in found.items()}
