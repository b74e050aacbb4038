"""Members: who may sign in, for which organisation. The network's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import people, session
from dashboard.commands.accounts import invitation_link, state_of
from dashboard.people import moment
from dashboard.sharing import sharing
from dashboard.views import markup
from data.accounts import INVITED_FOR
from data.errors import UserError
from data.scope import NOT_SHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.session import Person
    from data.accounts import Account
    from data.database import Database

_FOR = {"member": "Its own organisation alone", "network": "The network: it sees all returns"}
_ACTS = {
    "let_in": "Make a link to set up the sign-in anew; the password and sessions so far end",
    "keep_out": "Disable the account; its sessions end, the tokens of its organisation work on",
}


def show() -> None:
    """The page."""
    st.title("Members")
    person = session.person()
    if not person.scope.sees_everything:
        markup.notice("plain", NOT_SHOWN)
        return
    database = session.database()
    markup.lead(
        "Who may sign in, and for which organisation.",
        "Nobody can make an account alone: you invite a person and send them the link.",
    )
    question = session.question()
    names = session.registers(question).names if question.version else {}
    _invite(database, person, names)
    found = _change(database, person)
    _accounts(found, names)


def _invite(database: Database, person: Person, names: Mapping[str, str]) -> None:
    st.header("Invite a person")
    with st.form("invite", clear_on_submit=True):
        first, second = st.columns(2)
        email = first.text_input("E-mail address", placeholder="name@example.org", key="email")
        name = second.text_input("Name", key="name", max_chars=200)
        organisation_id = _organisation(names)
        role = st.radio(
            "What the person sees and does there",
            list(_FOR),
            format_func=_FOR.__getitem__,
            key="role",
        )
        if not st.form_submit_button("Make the invitation"):
            return
    try:
        account, token = people.invite(
            database,
            person,
            email,
            name,
            organisation_id,
            for_network=role == "network",
        )
    except UserError as error:
        markup.notice("bad", str(error))
        return
    sees = "as the network, which sees all returns" if account.role == "network" else "alone"
    _show_link(f"{account.email} is invited to act for {account.organisation_id} {sees}.", token)


def _organisation(names: Mapping[str, str]) -> str:
    if not names:
        return st.text_input(
            "Organisation",
            placeholder="GB-CHC-1164883",
            help="Its identifier, as the register of organisations will have it.",
            key="organisation",
        )
    chosen = st.selectbox(
        "Organisation",
        sorted(names, key=lambda one: names[one].casefold()),
        index=None,
        format_func=lambda one: f"{names[one]} · {one}",
        placeholder="Choose for whom the person acts",
        key="organisation",
        filter_mode="contains",
    )
    return chosen or ""


def _show_link(told: str, token: str) -> None:
    shared = sharing()
    link = invitation_link(token, shared.origin if shared else None)
    markup.notice(
        "good",
        told,
        f"Send the person this link yourself. It works once, for {INVITED_FOR.days} days, and is "
        "not shown again.",
    )
    st.code(link, language=None)


def _change(database: Database, person: Person) -> Sequence[Account]:
    """Let an account in anew or keep it out; the accounts as they are after that."""
    st.header("Let in anew, or keep out")
    found = people.members(database, person)
    names = {one.email: f"{one.name} · {one.email} · {one.organisation_id}" for one in found}
    with st.form("change", clear_on_submit=True):
        email = st.selectbox(
            "Account",
            list(names),
            index=None,
            format_func=lambda one: names.get(one, one),
            placeholder="Choose an account",
            key="account",
            filter_mode="contains",
        )
        act = st.radio("What to do", list(_ACTS), format_func=_ACTS.__getitem__, key="act")
        if not st.form_submit_button("Do this") or email is None:
            return found
    try:
        if act == "keep_out":
            kept = people.keep_out(database, person, email)
            markup.notice("good", f"{kept.email} is disabled, and signed out everywhere.")
            beside = people.still_working(database, kept)
            if beside:
                markup.notice("warn", beside)
        else:
            token = people.let_in_anew(database, person, email)
            _show_link(f"{email} can set up the sign-in anew, and is signed out everywhere.", token)
    except UserError as error:
        markup.notice("bad", str(error))
    return people.members(database, person)


def _accounts(found: Sequence[Account], names: Mapping[str, str]) -> None:
    st.header("All accounts")
    markup.table(
        "Everybody who was ever invited",
        ("Name", "E-mail address", "Organisation", "Sees", "State", "Since"),
        [
            (
                one.name,
                one.email,
                names.get(one.organisation_id, one.organisation_id),
                "all returns" if one.role == "network" else "its own",
                state_of(one),
                moment(one.created_at),
            )
            for one in found
        ],
    )
