"""Working days in England: Monday to Friday but bank holidays."""

from __future__ import annotations

import datetime as dt
import functools

_SATURDAY = 5


@functools.cache
def bank_holidays(year: int) -> frozenset[dt.date]:
    """The bank holidays of England in a year, substitute days included."""
    import holidays  # noqa: PLC0415 - it takes half a second that most commands do not need

    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def is_working_day(day: dt.date) -> bool:
    """Whether it is neither a weekend nor a bank holiday."""
    return day.weekday() < _SATURDAY and day not in bank_holidays(day.year)


def working_day_after(day: dt.date, count: int) -> dt.date:
    """The working day that many working days after a day; the day itself is not counted."""
    while count > 0:
        day += dt.timedelta(days=1)
        count -= is_working_day(day)
    return day


def working_days_left(today: dt.date, due_on: dt.date) -> int:
    """How many working days are left after today, the last one included; 0 once it is past."""
    days = (due_on - today).days
    return sum(is_working_day(today + dt.timedelta(days=n)) for n in range(1, days + 1))
