"""Which day and which last month a page is about."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import session
from dashboard.words import day, month

if TYPE_CHECKING:
    from dashboard.session import Question


def question() -> Question:
    """The day and month chosen here or on another page; today and all months unless chosen."""
    today = session.question()
    entries = session.history(today)
    months = sorted({m for entry in entries for m in entry.months}, reverse=True)
    first, second = st.columns(2)
    with st.container():
        as_of = first.date_input(
            "What was known on",
            value=None,
            min_value=min(entry.received_on for entry in entries),
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
    return session.question(as_of, through)


def described(question: Question) -> str:
    """What the page is about, in a sentence."""
    known = (
        f"As known on {day(question.as_of)}"
        if question.as_of < dt.date.today()
        else "As known today"
    )
    return f"{known}, up to {month(question.through)}." if question.through else f"{known}."
