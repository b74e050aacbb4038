"""How clumped referrals are: the variance of monthly counts divided by their mean."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_LEAP = 25


@dataclass(frozen=True)
class Clumping:
    """What neighbouring months of a programme say about clumps, in whole numbers.

    Over all pairs of neighbouring months x, y in which any client came: `pair_count`, the sum of
    (x - y)^2, in which no pair counts more than 25 (x + y), and the sum of x + y.
    """

    pair_count: int = 0
    squared_differences: int = 0
    referrals: int = 0

    def __add__(self, other: Clumping) -> Clumping:
        """The sums of both."""
        return Clumping(
            self.pair_count + other.pair_count,
            self.squared_differences + other.squared_differences,
            self.referrals + other.referrals,
        )

    def estimate(self) -> float:
        """The overdispersion, to one decimal and at least 1.

        For two months of the same mean the expectation of (x - y)^2 is the overdispersion times
        that of x + y, so the ratio of the sums estimates it. A rate that drifts or stops changes
        few neighbouring months, and the limit on one leap keeps a prime that stops sending from
        hiding behind its own stop. One decimal, so that one agreement more seldom changes it.
        """
        if not self.referrals:
            return 1.0
        return max(1.0, round(self.squared_differences / self.referrals, 1))
