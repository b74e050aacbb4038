"""Audit: who did what, and when, and how it proves that nothing was taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import session
from dashboard.people import moment
from dashboard.views import markup
from dashboard.words import month
from data.audit import ACTIONS
from data.audit_search import extent, last_hash, search
from data.scope import NOT_SHOWN
from metrics.wording import count, figure

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from data.audit import Event
    from data.database import Database
    from data.scope import Scope

_MOST_SHOWN = 1000


def show() -> None:
    """The page."""
    st.title("Audit")
    person = session.person()
    if person.scope.role == "public":
        markup.notice("plain", NOT_SHOWN)
        return
    database = session.database()
    if person.scope.sees_everything:
        markup.lead("Who did what, and when: everybody's sign-ins, returns, replies and decisions.")
    else:
        markup.lead(
            "Who did what for your organisation, and when. What others did is not shown here, "
            "and what you did is not shown to them, only to the network."
        )
    _events(database, person.scope)
    markup.download("Download all of it as CSV", "audit.csv")
    markup.paragraph("That it was downloaded is noted here too.", quiet=True)
    _proof(database)


def _events(database: Database, scope: Scope) -> None:
    there = extent(database, scope)
    if not there.actions:
        markup.notice("plain", "Nothing has been noted yet.")
        return
    first, second = st.columns([3, 1])
    actions = first.multiselect(
        "What was done",
        there.actions,
        format_func=lambda one: ACTIONS.get(one, one),
        placeholder="Everything",
        key="audit_actions",
    )
    chosen: dt.date | None = second.selectbox(
        "Month",
        there.months,
        index=None,
        format_func=month,
        placeholder="Every month",
        key="audit_month",
    )
    found = search(database, scope, actions=actions, month=chosen, newest=_MOST_SHOWN)
    if not found.events:
        markup.notice("plain", "Nothing of that kind was noted in that month.")
        return
    told = f"{count(found.count, 'event')}, the newest first."
    if found.count > len(found.events):
        told = f"The newest {figure(len(found.events))} of {count(found.count, 'event')}."
    markup.paragraph(told, quiet=True)
    st.dataframe(
        [_row(event) for event in found.events],
        hide_index=True,
        height=420,
        alt=f"{told} Each with when it was, who did it, for which organisation, what was done and "
        "to what.",
    )


def _row(event: Event) -> dict[str, str]:
    return {
        "When": moment(event.at),
        "Who": event.actor,
        "Of": event.organisation_id or "",
        "What": ACTIONS.get(event.action, event.action),
        "About": event.subject,
        "Further": facts_of(event.details),
    }


def facts_of(details: Mapping[str, object]) -> str:
    """The further facts of an event in one line."""
    return "; ".join(
        f"{name.replace('_', ' ')}: {value}" for name, value in details.items() if value is not None
    )


def _proof(database: Database) -> None:
    st.header("How it proves itself")
    markup.paragraph(
        "Each event carries a hash, a fingerprint, of itself and of the event before it. Nothing "
        "can be altered or taken out without every later hash changing."
    )
    ends_in = last_hash(database)
    if ends_in:
        markup.paragraph(
            "Now the audit ends in the hash below. Keep it outside this server, or give it to "
            "somebody you trust: an audit that was cut or written anew no longer contains it."
        )
        st.code(ends_in, language=None)
