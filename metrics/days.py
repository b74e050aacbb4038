"""Days in words, and as whole numbers that every engine takes from each other alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.window import month_of
from metrics.wording import month_name

if TYPE_CHECKING:
    import datetime as dt


def day_name(day: dt.date) -> str:
    """A day as 31 March 2012."""
    return f"{day.day} {month_name(month_of(day))}"


def with_ordinals(frame: nw.LazyFrame[Any], **days: str) -> nw.LazyFrame[Any]:
    """The frame with a column of whole numbers for each date column that is named.

    The numbers are those of `datetime.date.toordinal`; null stays null. Years begin in March
    here, so that the day a leap year adds is the last one. Worked out step by step, since engines
    write a step that is used twice out twice.
    """
    months = {
        f"{name}_months": nw.col(day).dt.year().cast(nw.Int64) * 12
        + nw.col(day).dt.month().cast(nw.Int64)
        - 3
        for name, day in days.items()
    }
    years = {f"{name}_years": nw.col(f"{name}_months") // 12 for name in days}
    ordinals = {}
    for name, day in days.items():
        year = nw.col(f"{name}_years")
        month = nw.col(f"{name}_months") - year * 12
        ordinals[name] = (
            (year * 365 + year // 4 - year // 100 + year // 400)
            + (month * 306 + 5) // 10
            + nw.col(day).dt.day().cast(nw.Int64)
            - 306
        ).cast(nw.Int64)
    return frame.with_columns(**months).with_columns(**years).with_columns(**ordinals)
