"""The clock of the right of reply counts working days in England."""

from __future__ import annotations

import datetime as dt

import pytest

from data.working_days import is_working_day, working_day_after, working_days_left


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("date", "what"),
    [
        ("2026-11-28", "a Saturday"),
        ("2026-11-29", "a Sunday"),
        ("2026-04-03", "Good Friday"),
        ("2026-04-06", "Easter Monday"),
        ("2026-08-31", "the summer bank holiday, in August in England"),
        ("2026-12-28", "the day given for Boxing Day on a Saturday"),
        ("2022-09-19", "a bank holiday of one year only"),
    ],
)
def test_nobody_has_to_reply_on(date: str, what: str) -> None:
    assert not is_working_day(day(date)), what


def test_scottish_and_northern_irish_holidays_are_working_days_in_england() -> None:
    assert is_working_day(day("2026-01-02"))
    assert is_working_day(day("2026-03-17"))
    assert is_working_day(day("2026-11-30"))


@pytest.mark.parametrize(
    ("told_on", "due_on"),
    [
        ("2026-11-24", "2026-12-01"),  # Tuesday to Tuesday
        ("2026-11-28", "2026-12-04"),  # told on a Saturday: Monday is the first day
        ("2026-12-22", "2026-12-31"),  # Christmas and the day given for Boxing Day
        ("2026-12-24", "2027-01-05"),  # these, New Year and two weekends
        ("2026-04-02", "2026-04-13"),  # Easter
    ],
)
def test_five_working_days_after(told_on: str, due_on: str) -> None:
    assert working_day_after(day(told_on), 5) == day(due_on)


def test_the_days_left_count_the_last_one_and_not_today() -> None:
    due_on = day("2026-12-01")
    assert working_days_left(day("2026-11-24"), due_on) == 5
    assert working_days_left(day("2026-11-27"), due_on) == 2
    assert working_days_left(day("2026-11-29"), due_on) == 2
    assert working_days_left(due_on, due_on) == 0
    assert working_days_left(day("2026-12-09"), due_on) == 0
