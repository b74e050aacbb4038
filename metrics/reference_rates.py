"""The Bank of England's rate that late payment interest is added to, half-year by half-year."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

TABLE = Path(__file__).with_name("reference_rates.toml")


@dataclass(frozen=True)
class ReferenceRate:
    """The rate for interest that starts to run on the days from `first_on` to `last_on`.

    `rate` is exact and a year's (0.5 % is 1/200); `fixed_on` is the day whose rate it is.
    `confirmed` says whether it was read in the source named in `read_in`.
    """

    first_on: dt.date
    last_on: dt.date
    fixed_on: dt.date
    rate: Fraction
    source: str
    read_in: str
    confirmed: bool

    def answer(self) -> dict[str, Any]:
        """The entry as JSON."""
        return {
            "from": self.first_on.isoformat(),
            "to": self.last_on.isoformat(),
            "fixed_on": self.fixed_on.isoformat(),
            "rate": float(self.rate),
            "source": self.source,
            "read_in": self.read_in,
            "confirmed": self.confirmed,
        }


@functools.cache
def reference_rates() -> tuple[ReferenceRate, ...]:
    """Every entry of the table, by day."""
    return tuple(
        ReferenceRate(
            first_on=entry["from"],
            last_on=entry["to"],
            fixed_on=entry["fixed_on"],
            rate=Fraction(entry["rate"]),
            source=entry["source"],
            read_in=entry["read_in"],
            confirmed=entry["confirmed"],
        )
        for entry in tomllib.loads(TABLE.read_text(encoding="utf-8"))["rate"]
    )


def reference_rate(day: dt.date) -> ReferenceRate | None:
    """The entry for interest that starts to run on a day; None before the first.

    After the last entry the last one stands in: compare `last_on` to tell.
    """
    known = [entry for entry in reference_rates() if entry.first_on <= day]
    return known[-1] if known else None
