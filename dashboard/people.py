"""What people do about accounts, sessions and tokens: each act checks anew who asks for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dashboard.words import day
from data import accounts, sessions, tokens
from data.errors import BadOption, NotAllowed, SignInRefused
from data.passwords import require_fit
from data.scope import NOT_SHOWN

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from dashboard.session import Person
    from data.accounts import Account
    from data.database import Database
    from data.sessions import Session
    from data.tokens import ApiToken

_BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "a Mac"),
    ("Linux", "Linux"),
)


def moment(value: dt.datetime | None) -> str:
    """A moment as 31 March 2012, 14:05 UTC."""
    return "" if value is None else f"{day(value.date())}, {value:%H:%M} UTC"


def browser_name(user_agent: str) -> str:
    """What a browser says it is, in a word or two."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    first = re.match(r"[^\s/]{1,40}", user_agent)
    return browser or (first[0] if first else "a browser that does not say")


# Accounts, which are the network's


def members(database: Database, person: Person) -> tuple[Account, ...]:
    """All accounts; NotAllowed for anybody but the network."""
    _require_network(person)
    return accounts.accounts(database)


def invite(
    database: Database,
    person: Person,
    email: str,
    name: str,
    organisation_id: str,
    *,
    for_network: bool,
) -> tuple[Account, str]:
    """A new account, and the token of the link with which its sign-in is set up."""
    _require_network(person)
    return accounts.add(
        database,
        email,
        name,
        organisation_id,
        "network" if for_network else "member",
        actor=person.actor,
        actor_organisation_id=person.scope.organisation_id,
    )


def let_in_anew(database: Database, person: Person, email: str) -> str:
    """The token of a link to set up the sign-in anew; what let the account in before ends."""
    _require_other(person, email)
    return accounts.reset(
        database,
        email,
        actor=person.actor,
        actor_organisation_id=person.scope.organisation_id,
    )


def keep_out(database: Database, person: Person, email: str) -> Account:
    """Disable an account; its sessions end with it."""
    _require_other(person, email)
    return accounts.disable(
        database,
        email,
        actor=person.actor,
        actor_organisation_id=person.scope.organisation_id,
    )


def still_working(database: Database, account: Account) -> str:
    """Which tokens of an account's organisation work on without it, in a sentence or two.

    Empty where there are none.
    """
    found = tokens.working_tokens(database, account.organisation_id)
    if not found:
        return ""
    named = ", ".join(f'"{one.name}" ({one.token_id}, made by {one.created_by})' for one in found)
    return (
        f"Tokens of {account.organisation_id} work on, also those that the person made or knows: "
        f"{named}. Its own people end them on the page Your account, or whoever runs this server "
        "with `fairtier tokens end ID`."
    )


def _require_network(person: Person) -> None:
    if not person.scope.sees_everything:
        raise NotAllowed(NOT_SHOWN)


def _require_other(person: Person, email: str) -> None:
    _require_network(person)
    if person.account is not None and accounts.normal_email(email) == person.account.email:
        raise BadOption(
            "You cannot shut yourself out. Another person of the network can do it for you, or "
            "whoever runs this server (`fairtier accounts`); your password you change on the page "
            "Your account."
        )


# One's own sign-in


def own_sessions(database: Database, person: Person) -> tuple[Session, ...]:
    """The sessions of whoever asks that hold, the newest first."""
    return sessions.sessions_of(database, _account(person).account_id)


def end_session(database: Database, person: Person, session_id: str) -> None:
    """End one of one's own sessions."""
    account = _account(person)
    sessions.end(
        database,
        session_id,
        actor=account.email,
        actor_organisation_id=account.organisation_id,
        account_id=account.account_id,
    )


def end_other_sessions(database: Database, person: Person) -> int:
    """End all of one's own sessions but this one; how many that were."""
    account = _account(person)
    return sessions.end_all(
        database,
        account.account_id,
        actor=account.email,
        actor_organisation_id=account.organisation_id,
        except_session_id=person.session_id,
    )


def change_password(
    database: Database, person: Person, current: str, wanted: str, again: str
) -> None:
    """Change one's own password, knowing the current one; every session ends, this one too.

    Attempts with a wrong one count and are delayed as at the sign-in.
    """
    account = _account(person)
    if account.signs_in_by != "password":
        raise NotAllowed("You sign in with your organisation's own sign-in: change it there.")
    if wanted != again:
        raise BadOption("The two new passwords are not the same. Type the same one twice.")
    require_fit(wanted, account.email)
    here = [one for one in own_sessions(database, person) if one.session_id == person.session_id]
    address = here[0].address if here else ""
    accounts.sign_in_with_password(database, account.email, current, address=address)
    token = accounts.reset(
        database,
        account.email,
        actor=account.email,
        actor_organisation_id=account.organisation_id,
    )
    try:
        accounts.join_with_password(database, token, wanted)
    except SignInRefused as refused:
        raise SignInRefused(
            f"{refused} Your password so far has ended. Copy this address, which works once, and "
            f"choose the new one there: /invitation/{token}"
        ) from refused


def _account(person: Person) -> Account:
    if person.account is None:
        raise SignInRefused("Nobody is signed in here. Sign in first.")
    return person.account


# Tokens for programs, which are an organisation's


def own_tokens(database: Database, person: Person) -> tuple[ApiToken, ...]:
    """The tokens of one's organisation, those ended too, the newest first."""
    return tokens.tokens_of(database, _account(person).organisation_id)


def make_token(
    database: Database, person: Person, name: str, permissions: Collection[str], days: int
) -> tuple[ApiToken, str]:
    """A token for a program of one's organisation, and its secret, which is not shown again."""
    account = _account(person)
    return tokens.make(
        database,
        organisation_id=account.organisation_id,
        role=account.role,
        name=name,
        permissions=permissions,
        days=days,
        actor=account.email,
        actor_organisation_id=account.organisation_id,
    )


def end_token(database: Database, person: Person, token_id: str) -> ApiToken:
    """End a token of one's organisation."""
    account = _account(person)
    return tokens.end_token(
        database,
        token_id,
        actor=account.email,
        actor_organisation_id=account.organisation_id,
        organisation_id=account.organisation_id,
    )
