"""Which day, which last month and which rules a page is about."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import session
from dashboard.views import markup
from dashboard.words import day, month, said_rule
from data.errors import UserError
from metrics.rules import rules_as_of
from metrics.what_if import overridden, value_of, value_with_unit

if TYPE_CHECKING:
    from dashboard.service import FlagReport
    from dashboard.session import Question
    from metrics.rules import Rules

_VALUES = "what_if"  # rule id -> the value asked for, as it was written
_MISTAKE = "what_if_mistake"


def question() -> Question:
    """The day and month chosen here or on another page; today and all months unless chosen.

    The rules are those asked for on any page, else the register's.
    """
    today = session.question()
    first_received_on, covered = session.months(today)
    months = sorted(covered, reverse=True)
    first, second = st.columns(2)
    with st.container():
        as_of = first.date_input(
            "What was known on",
            value=None,
            min_value=first_received_on or dt.date.today(),
            max_value=dt.date.today(),
            format="DD/MM/YYYY",
            help="Only returns received by this day count. Empty: today.",
            key="as_of",
            persist_state="session",
        )
        through = second.selectbox(
            "Up to the month",
            months,
            index=None,
            format_func=month,
            placeholder="Every month that is over",
            help="Later months are left out.",
            key="through",
            persist_state="session",
        )
    return session.question(as_of, through, _values())


def described(question: Question) -> str:
    """What the page is about, in a sentence."""
    known = (
        f"As known on {day(question.as_of)}"
        if question.as_of < dt.date.today()
        else "As known today"
    )
    return f"{known}, up to {month(question.through)}." if question.through else f"{known}."


def what_if() -> None:
    """An expander in which any rule of the register can be given another value, for this visit."""
    register = rules_as_of(_day())
    asked = _values()
    with st.expander("What if a rule were another", expanded=_MISTAKE in st.session_state):
        markup.paragraph(
            "Give a rule another value and see what the flags would say. Nothing is recorded: it "
            "lasts until you close the page, and everything worked out with it is marked.",
            quiet=True,
        )
        first, second, third = st.columns([5, 2, 2], vertical_alignment="bottom")
        rule_id = first.selectbox(
            "Rule",
            list(register),
            index=list(register).index("management_fee"),
            format_func=lambda one: f"{register[one].title} ({one})",
            key="what_if_rule",
            persist_state="session",
            filter_mode="contains",
        )
        rule = register[rule_id]
        second.text_input(
            "Value",
            value=asked.get(rule_id, ""),
            placeholder=value_of(rule),
            help="As a number or a percentage: 0.20 or 20 %.",
            key=f"what_if_value {rule_id}",
        )
        third.button("Ask", on_click=_ask, args=(rule_id,), width="stretch")
        markup.paragraph(f"Register: {value_with_unit(rule)}. {said_rule(rule)}", quiet=True)
        mistake = st.session_state.pop(_MISTAKE, None)
        if mistake:
            markup.notice("bad", mistake)


def marked() -> None:
    """A notice for every page, while a rule is not as in the register."""
    values = _values()
    if not values:
        return
    words, back = st.columns([5, 1], vertical_alignment="center")
    with words:
        try:
            changed = overridden(rules_as_of(_day()).override(values), _day())
            sentences = "; ".join(one.sentence for one in changed)
        except UserError as error:
            sentences = str(error)
        markup.notice(
            "warn",
            f"What if: {sentences}.",
            "Every flag is worked out with this, not with the register.",
        )
    back.button("Back to the register", on_click=_back, width="stretch")


def changes(report: FlagReport) -> None:
    """What the rules asked for change, counted; nothing without an override."""
    if report.what_if:
        markup.notice("plain", *report.what_if[1:])


def _values() -> dict[str, str]:
    values: dict[str, str] = st.session_state.get(_VALUES, {})
    return values


def _day() -> dt.date:
    chosen: dt.date | None = st.session_state.get("as_of")
    return chosen or dt.date.today()


def _ask(rule_id: str) -> None:
    written = str(st.session_state.get(f"what_if_value {rule_id}", "")).strip()
    register: Rules = rules_as_of(_day())
    values = {name: text for name, text in _values().items() if name != rule_id}
    if written:
        values[rule_id] = written
    try:
        register.override(values)
    except UserError as error:
        st.session_state[_MISTAKE] = str(error)
        return
    st.session_state[_VALUES] = values


def _back() -> None:
    for rule_id in _values():
        st.session_state[f"what_if_value {rule_id}"] = ""
    st.session_state[_VALUES] = {}
