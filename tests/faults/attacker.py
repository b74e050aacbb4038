"""Somebody who wants to know what was hidden, and who knows nearly everything already.

The attacker has every release, all totals, what every contributor but two holds, and knows which
figures were corrected between releases. What remains unknown is solved for by integer and linear
programming. It shares no code with what protects the figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

NEAR = 0.10


@dataclass(frozen=True)
class Claim:
    """What one published figure says: that a weighted sum lies between two values."""

    weights: Mapping[Hashable, float]
    low: float
    high: float


@dataclass
class Attacker:
    """Solves for what is unknown from what was published; `whole` where unknowns are counts."""

    truth: Mapping[Hashable, float]
    whole: bool
    claims: list[Claim] = field(default_factory=list)

    def interval(
        self, secret: Hashable, unknown: set[Hashable], bounds: Mapping[Hashable, tuple]
    ) -> tuple[float, float]:
        """The least and most that a secret can be, when all but the unknown is known."""
        names = sorted(unknown, key=str)
        place = {name: number for number, name in enumerate(names)}
        rows, lows, highs = [], [], []
        for claim in self.claims:
            if unknown.isdisjoint(claim.weights):
                continue
            row = np.zeros(len(names))
            known = 0.0
            for name, weight in claim.weights.items():
                if name in place:
                    row[place[name]] += weight
                else:
                    known += weight * self.truth[name]
            rows.append(row)
            lows.append(claim.low - known)
            highs.append(claim.high - known)
        least = [bounds[name][0] for name in names]
        most = [bounds[name][1] for name in names]
        aim = np.zeros(len(names))
        aim[place[secret]] = 1.0
        return self._solved(aim, rows, lows, highs, least, most), -self._solved(
            -aim, rows, lows, highs, least, most
        )

    def _solved(
        self,
        aim: np.ndarray,
        rows: Sequence[np.ndarray],
        lows: Sequence[float],
        highs: Sequence[float],
        least: Sequence[float],
        most: Sequence[float],
    ) -> float:
        slack = 1e-9
        if self.whole:
            limits = [LinearConstraint(np.array(rows), lows, highs)] if rows else []
            found = milp(
                aim,
                constraints=limits,
                integrality=np.ones(len(aim)),
                bounds=Bounds(least, most),
            )
        else:
            upper = np.array([*rows, *(-row for row in rows)]).reshape(-1, len(aim))
            ends = [*(high + slack for high in highs), *(slack - low for low in lows)]
            found = linprog(aim, A_ub=upper, b_ub=ends, bounds=list(zip(least, most, strict=True)))
        if found.status == 3 or (found.status == 4 and not np.isfinite(found.fun or np.inf)):
            return -math.inf
        assert found.status == 0, found.message
        return float(found.fun)

    def knows(self, secret: Hashable, low: float, high: float) -> bool:
        """Whether the interval pins the secret down: exactly, or to within a tenth."""
        value = self.truth[secret]
        reach = NEAR * abs(value) + 1e-9
        return value - reach <= low and high <= value + reach
