"""Which months count: the window of an agreement or contract, and the months reported in it.

Months are whole numbers, twelve times the year plus the month less one, so that every engine
compares them alike. A whole contract stands beside its agreements with the empty text for its
subcontractor.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import narwhals as nw

if TYPE_CHECKING:
    from metrics.frames import Frames

WHOLE_CONTRACT = ""
AGREEMENT = ("contract_id", "subcontractor_id")


def month_of(day: dt.date) -> int:
    """The number of the month that a day is in."""
    return day.year * 12 + day.month - 1


def first_day(month: int) -> dt.date:
    """The first day of a month."""
    return dt.date(month // 12, month % 12 + 1, 1)


def month_code(month: int | None) -> str | None:
    """A month number written 2011-06."""
    return None if month is None else f"{month // 12:04d}-{month % 12 + 1:02d}"


def last_month(as_of: dt.date, through: dt.date | None) -> int:
    """The last month that can count: the last one over before the as-of day, or `through`."""
    over = month_of(as_of) - 1
    return over if through is None else min(over, month_of(through))


def month_number(column: str) -> nw.Expr:
    """The number of the month of a date column."""
    day = nw.col(column)
    return day.dt.year().cast(nw.Int64) * 12 + day.dt.month().cast(nw.Int64) - 1


def day_number(column: str) -> nw.Expr:
    """A date column as a whole number that sorts alike: 20120331."""
    day = nw.col(column)
    parts = (day.dt.year(), day.dt.month(), day.dt.day())
    year, month, day_of_month = (part.cast(nw.Int64) for part in parts)
    return year * 10000 + month * 100 + day_of_month


def day_of(number: int) -> dt.date:
    """The day of a `day_number`."""
    return dt.date(number // 10000, number // 100 % 100, number % 100)


def assessed(frames: Frames, last: int) -> nw.LazyFrame[Any]:
    """Every agreement, and every contract as a whole, with its window.

    One row per agreement or contract: contract_id, subcontractor_id (`WHOLE_CONTRACT` for a
    contract), prime_id (empty where the contract is not in the register), first_month, end_month
    (where an end is fixed) and last_month. An agreement without `live_on` starts with its
    contract; the window ends with the agreement, the contract or `last`, whichever is earliest.
    """
    contracts = frames.contracts.select(
        "contract_id",
        "prime_id",
        contract_first=month_number("starts_on"),
        contract_end=month_number("ends_on"),
    )
    agreements = (
        frames.agreements.select(
            *AGREEMENT,
            live=month_number("live_on"),
            agreement_end=month_number("ends_on"),
        )
        .join(contracts, on="contract_id", how="left")
        .select(
            *AGREEMENT,
            nw.col("prime_id").fill_null(""),
            first_month=nw.coalesce("live", "contract_first").cast(nw.Int64),
            end_month=nw.min_horizontal("agreement_end", "contract_end").cast(nw.Int64),
        )
    )
    whole = contracts.select(
        "contract_id",
        nw.lit(WHOLE_CONTRACT).alias("subcontractor_id"),
        "prime_id",
        first_month=nw.col("contract_first").cast(nw.Int64),
        end_month=nw.col("contract_end").cast(nw.Int64),
    )
    return nw.concat([agreements, whole]).with_columns(
        last_month=nw.min_horizontal(nw.col("end_month"), nw.lit(last)).cast(nw.Int64)
    )


def covered_months(frames: Frames, rows: nw.LazyFrame[Any], table: str) -> nw.LazyFrame[Any]:
    """The months that either side's returns cover, inside the window or not.

    `rows` as `assessed` gives them. One row per agreement or contract and month, with the columns
    of `rows`, month, sub_covered and prime_covered (1 or 0).
    """
    coverage = frames.coverage.filter(nw.col("table") == table).select(
        "reporter_id", month=month_number("month")
    )
    keys = (*AGREEMENT, "prime_id", "first_month", "last_month")
    sides = [
        rows.select(*keys)
        .join(coverage, left_on=side, right_on="reporter_id", how="inner")
        .select(
            *keys,
            "month",
            sub_covered=nw.lit(int(side == "subcontractor_id")),
            prime_covered=nw.lit(int(side == "prime_id")),
        )
        for side in ("subcontractor_id", "prime_id")
    ]
    return (
        nw.concat(sides)
        .group_by(*keys, "month")
        .agg(nw.col("sub_covered").max(), nw.col("prime_covered").max())
    )


def in_window() -> nw.Expr:
    """Whether a row's month is inside the window of its agreement or contract."""
    return (nw.col("month") >= nw.col("first_month")) & (nw.col("month") <= nw.col("last_month"))
