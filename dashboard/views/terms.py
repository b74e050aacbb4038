"""Compare terms: how primes compare, without any subcontractor's own terms being told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import session
from dashboard.charts import terms
from dashboard.views import markup
from dashboard.words import day, said
from data.errors import UserError
from metrics.disclosure import REASONS
from metrics.terms import MEASURES
from metrics.wording import count, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metrics.disclosure import Unit
    from metrics.terms import Figure, Measure, MeasureId


def show() -> None:
    """The page."""
    st.title("Compare terms")
    markup.lead(
        "How primes compare on fees, prices, risk, payment and referrals.",
        "Each figure is about a prime, over its subcontractors. What any one subcontractor agreed "
        "is told to nobody else.",
    )
    _release()
    question = session.question()
    found = session.released(question)
    if found is None:
        markup.notice(
            "plain",
            "Nothing has been released yet.",
            "The network releases figures for everybody to compare, and then they stand here.",
        )
        return
    made_on, released = found
    comparison = released.comparison
    markup.paragraph(
        f"Released on {day(made_on)}, from what was known on "
        f"{day(dt.date.fromisoformat(released.terms_as_of))}. "
        f"{_visible(comparison.shown_cell_count, comparison.cell_count)}"
    )
    own = session.own_terms(question)
    names = released.registers.names()
    chosen = st.selectbox(
        "What to compare",
        list(MEASURES),
        format_func=lambda one: MEASURES[one].title,
        key="measure",
    )
    measure = MEASURES[chosen]
    figures = [one for one in comparison.figures if one.measure == chosen]
    markup.paragraph(f"{measure.what} Weighted by {measure.weighted_by}.")
    kinds = list(dict.fromkeys((one.payment_type, one.client_groups) for one in figures))
    if not kinds:
        markup.notice("plain", "No return that may be compared says anything about this.")
    for payment_type, groups in kinds:
        mine = [
            one
            for one in figures
            if (one.payment_type, one.client_groups) == (payment_type, groups)
        ]
        if payment_type:
            st.header(f"{said(payment_type)}: {', '.join(groups)}")
        _one(measure, mine, names, _own(own, measure.id, payment_type, groups))
    _why_hidden(figures)


def _release() -> None:
    """The network's own act: a new release."""
    person = session.person()
    if not person.scope.sees_everything:
        return
    with st.expander("Release figures anew"):
        markup.paragraph(
            "A release puts the figures as they are today before everybody: on this page and in "
            "open data. It cannot be taken back. What it may show depends on all releases before "
            "it, so release when there is something new to say, such as once a quarter."
        )
        if not st.button("Release the figures of today"):
            return
        try:
            made = session.service().release(actor=person.actor)
        except UserError as error:
            markup.notice("bad", str(error))
            return
        markup.notice("good", f"Release {made.number} was made.")


def _visible(shown: int, asked: int) -> str:
    if not asked:
        return "No return that may be compared says anything."
    return f"{shown} of {count(asked, 'figure')} can be shown ({share(shown / asked)})."


def _own(
    own: Mapping[tuple[MeasureId, str, str], float],
    measure: MeasureId,
    payment_type: str,
    groups: tuple[str, ...],
) -> float | None:
    """One's own value, over the client groups that one serves of a band."""
    values = [
        own[key] for group in groups or ("",) if (key := (measure, payment_type, group)) in own
    ]
    return sum(values) / len(values) if values else None


def _one(
    measure: Measure, figures: list[Figure], names: Mapping[str, str], own: float | None
) -> None:
    shown = [
        (
            _primes(one, names) if len(one.prime_ids) == 1 else "Several together (see the table)",
            one.disclosed.value,
        )
        for one in figures
        if one.disclosed.value is not None
    ]
    if shown:
        points = pd.DataFrame(shown, columns=["name", "value"])
        mine = pd.DataFrame({"value": [] if own is None else [own]}, dtype=float)
        spoken = "; ".join(f"{name}, {_written(value, measure.unit)}" for name, value in shown)
        beside = "" if own is None else f" Your own: {_written(own, measure.unit)}."
        pattern = ".0f" if measure.unit == "days" else ".0%"
        markup.draw(
            terms.chart(points, mine, measure.title, pattern), f"{measure.title}: {spoken}.{beside}"
        )
    if own is not None:
        markup.paragraph(f"Your own: {_written(own, measure.unit)}. Only you see this.")
    markup.table(
        measure.title,
        ("Prime", measure.title, "Subcontractors behind it", "Rounded to the nearest"),
        [
            (
                _primes(one, names),
                _cell(one, measure.unit),
                str(one.source_count),
                _step(one, measure.unit),
            )
            for one in figures
        ],
        numeric=(1, 2, 3),
    )


def _primes(figure: Figure, names: Mapping[str, str]) -> str:
    found = [names.get(one, one) for one in figure.prime_ids]
    return found[0] if len(found) == 1 else f"{' and '.join(found)}, together"


def _cell(figure: Figure, unit: Unit) -> str:
    if figure.disclosed.value is None:
        return "hidden"
    if figure.zero_count is not None:
        return f"{figure.zero_count} of {figure.source_count}"
    return _written(figure.disclosed.value, unit)


def _step(figure: Figure, unit: Unit) -> str:
    if figure.mean is None or figure.disclosed.value is None:
        return ""
    return _written(float(figure.mean.step), unit)


def _written(value: float, unit: Unit) -> str:
    return count(round(value), "day") if unit == "days" else share(value)


def _why_hidden(figures: list[Figure]) -> None:
    hidden = list(dict.fromkeys(one.disclosed.hidden for one in figures if one.disclosed.hidden))
    if hidden:
        st.header("Why something is hidden")
        markup.paragraph(" ".join(REASONS[reason] for reason in hidden))
