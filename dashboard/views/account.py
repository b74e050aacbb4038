"""Your account: who you are here, where you are signed in, and your organisation's tokens."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import people, session
from dashboard.people import browser_name, moment
from dashboard.views import markup
from data.errors import UserError
from data.tokens import LONGEST_DAYS, PERMISSIONS
from metrics.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dashboard.session import Person
    from data.accounts import Account
    from data.database import Database
    from data.tokens import ApiToken

_TOLD = "account_told"
_ROLES = {"network": "the network, which sees all returns", "member": "one organisation"}


def show() -> None:
    """The page."""
    st.title("Your account")
    person = session.person()
    if person.account is None:
        markup.notice("plain", "Nobody is signed in here, so there is no account to show.")
        return
    database = session.database()
    _who(person.account)
    told = st.session_state.pop(_TOLD, None)
    if told is not None:
        markup.notice(*told)
    _sessions(database, person)
    _password(database, person, person.account)
    _tokens(database, person)


def _who(account: Account) -> None:
    question = session.question()
    name = session.registers(question).name(account.organisation_id) if question.version else ""
    known = name if name and name != account.organisation_id else ""
    by_password = account.signs_in_by == "password"
    markup.facts(
        [
            ("Name", account.name),
            ("E-mail address", account.email),
            (
                "Organisation",
                f"{known} ({account.organisation_id})" if known else account.organisation_id,
            ),
            ("You act for", _ROLES[account.role]),
            ("You sign in", "with a password" if by_password else "with another sign-in"),
            ("Account since", moment(account.created_at)),
        ]
    )


# Sessions


def _sessions(database: Database, person: Person) -> None:
    st.header("Where you are signed in")
    found = people.own_sessions(database, person)
    for number, one in enumerate(found, 1):
        here = one.session_id == person.session_id
        words, act = st.columns([4, 1], vertical_alignment="center")
        with words:
            markup.facts(
                [
                    (
                        "This browser" if here else f"Session {number}",
                        f"{browser_name(one.browser)}, from {one.address or 'an unknown address'}. "
                        f"Signed in {moment(one.created_at)}, last seen {moment(one.seen_at)}, "
                        f"ends {moment(one.ends_at)} at the latest.",
                    )
                ]
            )
        with act:
            if here:
                markup.link("/sign-out", "Sign out here")
            elif st.button(f"End session {number}", key=f"end-{one.session_id}", width="stretch"):
                _done(
                    functools.partial(people.end_session, database, person, one.session_id),
                    "The session is ended. What is open there stops at its next click.",
                )
    others = sum(one.session_id != person.session_id for one in found)
    if not others:
        markup.paragraph("Nowhere else.", quiet=True)
    elif st.button("End all other sessions"):
        _done(
            lambda: people.end_other_sessions(database, person),
            f"{count(others, 'other session')} ended.",
        )


def _done(act: Callable[[], object], told: str) -> None:
    try:
        act()
        st.session_state[_TOLD] = ("good", told)
    except UserError as error:
        st.session_state[_TOLD] = ("bad", str(error))
    st.rerun()


# The password


def _password(database: Database, person: Person, account: Account) -> None:
    st.header("Your password")
    if account.signs_in_by != "password":
        markup.paragraph(
            "You sign in with another sign-in, your organisation's own for instance. What it asks "
            "of you is changed there."
        )
        return
    markup.paragraph(
        "Changing it signs you out everywhere, here too. If you have forgotten it, ask your "
        "network for a new link to set up your sign-in.",
        quiet=True,
    )
    with st.form("password", clear_on_submit=True):
        current = st.text_input("Password now", type="password", autocomplete="current-password")
        wanted = st.text_input(
            "New password",
            type="password",
            autocomplete="new-password",
            help="At least 12 characters. A few unrelated words are easy to keep in mind.",
        )
        again = st.text_input(
            "The new password again", type="password", autocomplete="new-password"
        )
        if not st.form_submit_button("Change the password"):
            return
    try:
        people.change_password(database, person, current, wanted, again)
    except UserError as error:
        markup.notice("bad", str(error))
        return
    markup.notice("good", "Your password is changed. Sign in with it now.")
    markup.link("/sign-in", "Sign in")
    st.stop()


# Tokens


def _tokens(database: Database, person: Person) -> None:
    st.header("Tokens for your organisation's programs")
    markup.paragraph(
        "With a token, a program of yours submits returns and reads what your organisation may "
        "see, without anybody signing in. Everybody of your organisation sees this list.",
        quiet=True,
    )
    _make_token(database, person)
    found = people.own_tokens(database, person)
    if not found:
        markup.paragraph("Your organisation has none yet.")
        return
    now = dt.datetime.now(dt.UTC)
    markup.table(
        "The tokens of your organisation",
        ("Name", "May", "Made by", "Made", "Last used", "Ends", "State"),
        [
            (
                one.name,
                " and ".join(sorted(one.permissions)),
                one.created_by,
                moment(one.created_at),
                moment(one.used_at) or "never",
                moment(one.ended_at or one.ends_at),
                _state(one, now),
            )
            for one in found
        ],
    )
    _end_token(database, person, [one for one in found if _state(one, now) == "works"])


def _state(token: ApiToken, now: dt.datetime) -> str:
    if token.ended_at:
        return "ended"
    return "past its end" if token.ends_at <= now else "works"


def _make_token(database: Database, person: Person) -> None:
    with st.form("token", clear_on_submit=True):
        name = st.text_input(
            "What the program is", placeholder="Case management", max_chars=200, key="token_name"
        )
        permissions = st.multiselect(
            "What it may do",
            list(PERMISSIONS),
            default=list(PERMISSIONS),
            format_func=lambda one: PERMISSIONS[one].capitalize(),
            key="token_permissions",
        )
        days = st.number_input(
            "For how many days", 1, LONGEST_DAYS, min(365, LONGEST_DAYS), key="token_days"
        )
        if not st.form_submit_button("Make a token"):
            return
    try:
        token, secret = people.make_token(database, person, name, permissions, int(days))
    except UserError as error:
        markup.notice("bad", str(error))
        return
    markup.notice(
        "good",
        f'The token "{token.name}" works until {moment(token.ends_at)}.',
        "Copy it now: it is not shown again. Whoever has it acts for your organisation.",
    )
    st.code(secret, language=None)


def _end_token(database: Database, person: Person, working: Sequence[ApiToken]) -> None:
    if not working:
        return
    names = {one.token_id: f"{one.name}, made {moment(one.created_at)}" for one in working}
    with st.form("end_token"):
        chosen = st.selectbox(
            "A token to end", list(names), index=None, format_func=names.__getitem__
        )
        if not st.form_submit_button("End the token") or chosen is None:
            return
    _done(
        lambda: people.end_token(database, person, chosen),
        "The token is ended. A program that uses it is refused from now on.",
    )
