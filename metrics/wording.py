"""How counts, money, rates and months are said in sentences."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from metrics.window import month_of

if TYPE_CHECKING:
    from metrics.facts import Subject, Window

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def no_attribution(subject: Subject) -> str:
    """Why it cannot be said whose doing it is."""
    if subject.promised_share is None:
        return "the register holds no promised share"
    if subject.intake is None:
        return "the prime has not reported its intake"
    return (
        f"the prime has reported its intake for {subject.intake_months} of the "
        f"{subject.reported_months} reported months only"
    )


def both_sides(subject: Subject, prime: str) -> str:
    """What the other side says where the two differ, as a sentence with a space before it."""
    if not (subject.reported_by_subcontractor and subject.intake_months):
        return ""
    if subject.observed_by_subcontractor == subject.observed_by_prime:
        return ""
    return (
        f" The two sides differ: the subcontractor's returns show "
        f"{count(subject.observed_by_subcontractor, 'referral')}, those of {prime} "
        f"{count(subject.observed_by_prime, 'referral')}."
    )


def changed_forecasts(subject: Subject) -> str:
    """Which forecasts were changed after the fact, as sentences with a space before each."""
    told = ""
    for version in subject.versions:
        if version.changed_months:
            months = count(version.changed_months, "month")
            told += (
                f" For {months} the forecast issued on {version.issued_on} was received only after "
                f"the month had begun: before, the forecast had "
                f"{count(version.referral_count_before, 'referral')}, now "
                f"{figure(version.referral_count_changed)}."
            )
    return told


def count(number: float, singular: str, plural: str | None = None) -> str:
    """A number with its noun: 1 referral, 12 referrals, 12.4 referrals, 1,200 referrals."""
    noun = singular if number == 1 else plural or f"{singular}s"
    return f"{figure(number)} {noun}"


def figure(number: float) -> str:
    """A number with at most two decimals and commas in thousands."""
    text = f"{number:,.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


_AS_GOOD_AS_NONE = 1e-5


def share(value: float, beside: float | None = None) -> str:
    """A rate as a percentage: 22 %, 15.5 %, minus 3 %.

    It has as many decimals, from one to six, as tell it from the rate it stands beside.
    """
    text = ""
    for decimals in range(1, 7):
        text = _percentage(value, decimals)
        vanished = abs(value) > _AS_GOOD_AS_NONE and text == "0 %"
        apart = beside is None or value == beside or text != _percentage(beside, decimals)
        if apart and not vanished:
            break
    return text


def _percentage(value: float, decimals: int) -> str:
    digits = f"{abs(100 * value):,.{decimals}f}".rstrip("0").rstrip(".")
    return f"{'minus ' if value < 0 and digits != '0' else ''}{digits} %"


def chance(value: float, beside: float | None = None) -> str:
    """A probability as a percentage of cases, fine enough to tell it from one it stands beside."""
    if value < 0.001:
        return "less than 0.1 %"
    digits = 3
    while (
        digits < 9
        and beside not in (None, value)
        and (f"{value:.{digits}g}" == f"{beside:.{digits}g}")
    ):
        digits += 1
    return f"{100 * value:.{digits}g} %"


def evidence_size(value: float, asked: float | None = None) -> str:
    """An e-value: 4.45, 1,200, over a million; just short of what is asked, "just under 20"."""
    if asked is not None and value < asked and figure(value) == figure(asked):
        return f"just under {figure(asked)}"
    return figure(value) if value < 1e6 else "over a million"


def change(value: float, beside: float | None = None) -> str:
    """A difference from a forecast: 25 % fewer, 40 % more, neither more nor fewer."""
    if value == 0:
        return "neither more nor fewer"
    return f"{share(abs(value), beside)} {'fewer' if value < 0 else 'more'}"


def pounds(pence: int) -> str:
    """An amount of money: £1,234.50, -£5, £1,200."""
    whole, rest = divmod(abs(pence), 100)
    decimals = f".{rest:02d}" if rest else ""
    return f"{'-' if pence < 0 else ''}£{whole:,}{decimals}"


def month_name(month: int) -> str:
    """A month number as June 2011."""
    return f"{_MONTHS[month % 12]} {month // 12}"


def months_of_window(window: dict[str, Any]) -> str:
    """The months of a window as evidence has it: 18 months from June 2011 to November 2012."""
    first, last = (
        month_name(month_of(dt.date.fromisoformat(f"{window[end]}-01")))
        for end in ("first_month", "last_month")
    )
    return f"{count(window['months'], 'month')} from {first} to {last}"


def period(window: Window, reported: int) -> str:
    """The months of a window, saying how many of them are reported where not all are."""
    first, last = window.first or 0, window.last
    if first == last:
        return f"in {month_name(first)}"
    span = f"from {month_name(first)} to {month_name(last)}"
    if reported == window.month_count:
        return span
    months = count(reported, "reported month")
    return f"in the {months} of the {window.month_count} {span}"


def nothing_reported(subject: Subject, what: str, who: str) -> str:
    """Why no month of an agreement or contract is reported.

    `what` is the kind of returns, `who` may send them.
    """
    window = subject.window
    if window.first is None:
        return (
            f"the contract {subject.contract_id} is not in the register of contracts, so it is "
            "not known which months count"
        )
    if window.end is not None and window.end < window.first:
        return (
            f"by the register it ended in {month_name(window.end)}, before it began in "
            f"{month_name(window.first)}"
        )
    if not window.month_count:
        return (
            f"it begins in {month_name(window.first)}, after {month_name(window.last)}, the last "
            "whole month asked about"
        )
    sent = "a" if who.startswith("neither ") else "no"
    return f"{who} has sent {sent} {what} return that covers any month {_span(window)}"


def _span(window: Window) -> str:
    first = window.first or 0
    if first == window.last:
        return f"of {month_name(first)}"
    return f"from {month_name(first)} to {month_name(window.last)}"
