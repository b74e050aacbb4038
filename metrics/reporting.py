"""Months for which a return is due and has not come."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metrics.definition import Metric
from metrics.frames import records
from metrics.window import month_number, month_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metrics.facts import Subject
    from metrics.frames import Frames

METRIC = Metric(
    id="reporting",
    title="Months not reported",
    question="For how many months is a return overdue?",
    why_it_matters="What nobody reports nobody can see: silence is not zero, and every other flag "
    "is blind in those months.",
    numerator="Months of the window whose returns are due and that no return in force covers.",
    denominator="none",
    unit="months",
    grain="agreement: referrals returns of either side; contract: the prime's returns of each log",
    direction="higher means more is not known",
    exclusions=(
        "Months whose returns are not due yet.",
        "Months before the agreement or contract began or after it ended.",
    ),
    assumptions=(
        "A return covers a month for everything its reporter does: a nil return covers it too.",
        "A return is due for every month from the first to the last, busy or not.",
    ),
    source="Data standard, version 1: returns",
    version=1,
)

LOGS = ("referrals", "payments")


@dataclass(frozen=True)
class Silence:
    """The months due, and which of them each side's returns leave out, by log; in order.

    `neither` are months that no side's returns cover. Of a whole contract only the prime reports,
    and `by_subcontractor` is empty.
    """

    due: tuple[int, ...]
    by_subcontractor: Mapping[str, tuple[int, ...]]
    by_prime: Mapping[str, tuple[int, ...]]
    neither: Mapping[str, tuple[int, ...]]


def last_overdue_month(as_of: dt.date, reporting_days: int) -> int:
    """The last month whose return was to come by the day before `as_of`.

    A return is due `reporting_days` after the month's last day and overdue from the day after.
    """
    return month_of(dt.date.fromordinal(max(1, as_of.toordinal() - reporting_days))) - 1


def covered_by_reporter(frames: Frames) -> dict[tuple[str, str], frozenset[int]]:
    """The months that each reporter's returns in force cover, by log and reporter."""
    months: dict[tuple[str, str], set[int]] = defaultdict(set)
    covered = frames.coverage.select("table", "reporter_id", month=month_number("month"))
    for row in records(covered):
        months[row["table"], row["reporter_id"]].add(row["month"])
    return {key: frozenset(found) for key, found in months.items()}


def silence(
    subject: Subject, covered: Mapping[tuple[str, str], frozenset[int]], last_overdue: int
) -> Silence:
    """The months of an agreement or contract that are due and that returns leave out."""
    window = subject.window
    last = min(window.last, last_overdue)
    due = range(0) if window.first is None else range(window.first, last + 1)

    def missing(log: str, *reporters: str | None) -> tuple[int, ...]:
        told: frozenset[int] = frozenset().union(
            *(covered.get((log, one), frozenset()) for one in reporters if one is not None)
        )
        return tuple(month for month in due if month not in told)

    own, prime = subject.subcontractor_id, subject.prime_id
    return Silence(
        due=tuple(due),
        by_subcontractor={} if own is None else {log: missing(log, own) for log in LOGS},
        by_prime={log: missing(log, prime) for log in LOGS},
        neither={log: missing(log, own, prime) for log in LOGS},
    )


def spans(months: Iterable[int]) -> list[tuple[int, int]]:
    """Months in order as runs without a gap, each with its first and last month."""
    found: list[tuple[int, int]] = []
    for month in months:
        if found and month == found[-1][1] + 1:
            found[-1] = found[-1][0], month
        else:
            found.append((month, month))
    return found
