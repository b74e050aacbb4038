"""Referrals promised and received by month, as letters state them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd


@dataclass(frozen=True)
class MonthVolume:
    """One month; counts of referrals, None where that side has not reported or nothing was said.

    `in_window` says whether the month counts for the agreement; `expected` is the forecast in
    force when it began.
    """

    month: dt.date
    in_window: bool
    expected: int | None = None
    by_subcontractor: int | None = None
    by_prime: int | None = None
    intake: int | None = None

    @property
    def reported(self) -> bool:
        """Whether it counts and either side has reported it."""
        return self.in_window and (self.by_subcontractor, self.by_prime) != (None, None)

    @property
    def received(self) -> int | None:
        """The subcontractor's word where it has reported, else the prime's."""
        return self.by_prime if self.by_subcontractor is None else self.by_subcontractor


@dataclass(frozen=True)
class Volumes:
    """The months of one agreement (or contract), in order."""

    months: tuple[MonthVolume, ...] = ()

    @property
    def reported(self) -> tuple[MonthVolume, ...]:
        """The months that count and that either side has reported."""
        return tuple(one for one in self.months if one.reported)

    @property
    def has_forecast(self) -> bool:
        """Whether any month has a forecast."""
        return any(one.expected is not None for one in self.months)

    @property
    def received(self) -> int | None:
        """Referrals received in the reported months; None without any."""
        reported = self.reported
        return sum(one.received or 0 for one in reported) if reported else None

    @property
    def by_subcontractor(self) -> tuple[int, int]:
        """Referrals by the subcontractor's returns, and how many months these cover."""
        return _summed([one.by_subcontractor for one in self.reported])

    @property
    def by_prime(self) -> tuple[int, int]:
        """Referrals by the prime's returns, and how many months these cover."""
        return _summed([one.by_prime for one in self.reported])

    @property
    def intake(self) -> int | None:
        """The prime's intake in the months it has reported; None without any."""
        referrals, month_count = _summed([one.intake for one in self.reported])
        return referrals if month_count else None

    def promised(self, promised_share: float | None) -> float | None:
        """Referrals promised for the reported months: the forecast, else a share of the intake."""
        if self.has_forecast:
            return sum(one.expected or 0 for one in self.reported)
        if promised_share is None or self.intake is None:
            return None
        return promised_share * self.intake

    def ahead(self, day: dt.date) -> tuple[MonthVolume, ...]:
        """The months from that of `day` on for which a forecast is in force."""
        first = day.replace(day=1)
        return tuple(one for one in self.months if one.month >= first and one.expected is not None)


def _summed(counts: list[int | None]) -> tuple[int, int]:
    known = [one for one in counts if one is not None]
    return sum(known), len(known)


def volumes_of(months: pd.DataFrame) -> Volumes:
    """The volumes of one agreement (or contract), from its rows as `agreement_months` has them."""
    rows: list[dict[str, Any]] = (
        months.astype(object).where(months.notna(), None).to_dict("records")  # type: ignore[assignment]
    )
    return Volumes(
        tuple(
            MonthVolume(
                month=row["month"].date(),
                in_window=bool(row["in_window"]),
                expected=row["expected"],
                by_subcontractor=row["observed_sub"],
                by_prime=row["observed_prime"],
                intake=row["intake"],
            )
            for row in rows
        )
    )
