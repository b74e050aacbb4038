"""A subcontractor asks the prime for a forecast that fits what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics.notices.definition import (
    Blank,
    Fact,
    Grid,
    Letter,
    Notice,
    Points,
    framed,
    grid_of,
    paragraph,
    reply_by,
)
from metrics.notices.matter import contract_facts, span_words, volume_facts
from metrics.window import month_of
from metrics.wording import change, count, figure, month_name

if TYPE_CHECKING:
    from metrics.notices.definition import Block
    from metrics.notices.matter import Matter
    from metrics.notices.volumes import MonthVolume
    from metrics.rules import Rules

STANDING = (
    "No law asks for it. A report of 2012 on outsourced services asks those who hold contracts to "
    "tell the supply chain about changes of forecasts (NCVO, Open Public Services: experiences "
    "from the voluntary sector, section 2)."
)
NOTICE = Notice(
    id="forecast_revision",
    order=3,
    title="Request to revise the forecast of an agreement",
    when_to_send="When more or fewer clients come than you were told to expect.",
    writer="subcontractor",
    reader="prime",
    about="agreement",
    source="",
    standing=STANDING,
    version=1,
)


def write(matter: Matter, rules: Rules) -> Letter:
    """The request, with the months side by side."""
    facts = (*contract_facts(matter), *volume_facts(matter), *ahead_facts(matter))
    body = (
        paragraph(f"We deliver for you in contract {matter.contract_words}. {compared(matter)}"),
        *side_by_side(matter),
        paragraph("We ask you for:"),
        Points(
            (
                ("a forecast for each of the next 12 months, by client group;",),
                ("what it rests on, and who issued that;",),
                (
                    "whether the difference comes with the number of clients that the "
                    "commissioner sends, or with how they are shared out;",
                ),
                ("what you propose for the staff and rooms that we keep ready.",),
            )
        ),
        grid_of(facts, "What is on record"),
        paragraph(
            "What the difference means for us: ",
            Blank("cost of staff and rooms, waiting times, clients turned away"),
        ),
        paragraph("Please send us the new forecast by ", reply_by(rules), "."),
    )
    subject = f"Contract {matter.contract_id}: {asked_for(matter)}"
    return framed(NOTICE, matter, subject, body, facts, notes(matter))


def asked_for(matter: Matter) -> str:
    """What a letter asks for: a revision, or where nothing was promised a first forecast."""
    promised = matter.volumes.has_forecast or matter.terms.promised_share is not None
    return f"request {'to revise' if promised else 'for'} the forecast"


def compared(matter: Matter) -> str:
    """What was promised and what came, in a sentence or two."""
    volumes = matter.volumes
    reported, received = volumes.reported, volumes.received
    promised = volumes.promised(matter.terms.promised_share)
    if received is None:
        return "No month has been reported yet."
    span = span_words(reported[0].month, reported[-1].month)
    when = f"In the {count(len(reported), 'reported month')} ({span})"
    got = count(received, "client")
    if promised is None:
        return f"{when} {got} came. No forecast or share of referrals is on record."
    promise = count(promised, "client")
    told = f"{when} {promise} {_were(promised)} promised and {got} came"
    if not promised:
        return f"{told}."
    return f"{told}: {change(received / promised - 1)}."


def _were(number: float) -> str:
    return "was" if number == 1 else "were"


def side_by_side(matter: Matter) -> tuple[Block, ...]:
    """The reported months as a table, the forecast beside what each side reports."""
    reported = matter.volumes.reported
    if not reported:
        return ()
    whole = matter.subcontractor is None
    sides = () if whole else ("Subcontractor's returns",)

    def row(one: MonthVolume) -> tuple[str, ...]:
        counts = (one.by_prime,) if whole else (one.by_subcontractor, one.by_prime)
        return (
            month_name(month_of(one.month)),
            "none" if one.expected is None else figure(one.expected),
            *("not reported" if each is None else figure(each) for each in counts),
        )

    header = ("Month", "Forecast", *sides, "Prime's returns")
    numeric = tuple(range(1, len(header)))
    return (Grid("Referrals by month", header, tuple(map(row, reported)), numeric),)


def ahead_facts(matter: Matter) -> tuple[Fact, ...]:
    """What the forecast in force still has for the months to come; nothing without one."""
    ahead = matter.volumes.ahead(matter.as_of)
    if not ahead:
        return ()
    referrals = sum(one.expected or 0 for one in ahead)
    span = span_words(ahead[0].month, ahead[-1].month)
    return (
        Fact(
            "still_forecast",
            "Referrals that the forecast still has for the months to come",
            referrals,
            f"{figure(referrals)} in {count(len(ahead), 'month')}, {span}",
            "forecasts",
        ),
    )


def notes(matter: Matter) -> tuple[str, ...]:
    """What the writer should know before it is sent."""
    volumes = matter.volumes
    told = []
    window = sum(one.in_window for one in volumes.months)
    missing = window - len(volumes.reported)
    if missing:
        told.append(
            f"{figure(missing)} of {count(window, 'month')} that count are not reported by either "
            "side, and are not in the figures. Send the returns first if you can."
        )
    (own, own_months), (theirs, their_months) = volumes.by_subcontractor, volumes.by_prime
    if own_months and their_months and own != theirs:
        told.append(
            f"The two sides differ: {figure(own)} referrals by the returns of "
            f"{matter.name('subcontractor')}, {figure(theirs)} by those of {matter.name('prime')}."
        )
    return tuple(told)
