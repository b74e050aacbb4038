"""`fairtier accounts`: who may sign in to a shared server."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import click

from dashboard.terminal import err, out, print_json, say, with_store
from data.errors import BadOption

if TYPE_CHECKING:
    from pathlib import Path

    from data.accounts import Account

_LOCAL = "http://127.0.0.1:8501"


def server_address(url: str | None = None) -> str:
    """Where people reach the server: `url`, else `FAIRTIER_URL`, else on this machine."""
    base = url or os.environ.get("FAIRTIER_URL") or _LOCAL
    if not base.startswith(("http://", "https://")):
        raise BadOption(
            f'"{base}", from --url or FAIRTIER_URL, is no web address. Write it like '
            "https://fairtier.example.org."
        )
    return base.rstrip("/")


def invitation_link(token: str, url: str | None = None) -> str:
    """Where a person sets up their sign-in, at the server's address or `FAIRTIER_URL`."""
    return f"{server_address(url)}/invitation/{token}"


def state_of(account: Account) -> str:
    """In a word or two, whether the person can sign in and how."""
    if account.disabled_at:
        return "disabled"
    if not account.joined:
        return "invited"
    return "by password" if account.signs_in_by == "password" else "by provider"


_with_url = click.option(
    "--url",
    show_default=f"$FAIRTIER_URL, else {_LOCAL}",
    help="Address under which people reach the server.",
)


def say_unregistered(organisation_id: str, store: Path) -> None:
    """Say so where no register names the organisation: its id may be mistyped."""
    from data.ledger import Ledger
    from data.scope import OPERATOR

    registers = Ledger(store).registers(OPERATOR)
    if organisation_id not in registers["organisations"]["organisation_id"].to_pylist():
        say(
            f'No organisation "{organisation_id}" is in the register `organisations` yet. Check '
            "the id: until it is there, nothing but a network's account sees anything.",
            "yellow",
            err,
        )


@click.group()
def accounts() -> None:
    """Who may sign in to a shared server."""


@accounts.command()
@click.argument("email")
@click.option("--org", required=True, help="Organisation that the person acts for.")
@click.option("--name", default="", help="The person's name; the address unless set.")
@click.option("--network", is_flag=True, help="The person acts for the network.")
@_with_url
@with_store
def add(email: str, org: str, name: str, network: bool, url: str | None, store: Path) -> None:
    """Invite a person and print the link with which they set up their sign-in."""
    from data.accounts import add as invite
    from data.database import Database

    invitation_link("", url)  # a wrong address is refused before anything is done
    with contextlib.closing(Database(store)) as database:
        account, token = invite(
            database,
            email,
            name,
            org,
            "network" if network else "member",
            actor="operator",
            actor_organisation_id=None,
        )
    whom = "the network" if network else "a member"
    say(f"{account.email} was invited to act for {account.organisation_id} as {whom}.")
    say_unregistered(account.organisation_id, store)
    _say_link(invitation_link(token, url))


@accounts.command("list")
@click.option("--org", help="Only accounts of this organisation.")
@click.option("--json", "as_json", is_flag=True, help="Print the accounts as JSON.")
@with_store
def list_accounts(org: str | None, as_json: bool, store: Path) -> None:
    """List the accounts, disabled ones too."""
    from data.accounts import accounts as all_accounts
    from data.database import Database

    with contextlib.closing(Database(store)) as database:
        found = all_accounts(database, org)
    if as_json:
        print_json(
            [
                {
                    "email": account.email,
                    "name": account.name,
                    "organisation_id": account.organisation_id,
                    "role": account.role,
                    "state": state_of(account),
                    "created_at": account.created_at.isoformat(),
                    "disabled_at": account.disabled_at and account.disabled_at.isoformat(),
                }
                for account in found
            ]
        )
        return
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid("E-mail address", "Name", "Organisation", "Role", "Sign-in", "Since")
    for one in found:
        since = f"{one.created_at:%Y-%m-%d}"
        cells = (one.email, one.name, one.organisation_id, one.role, state_of(one), since)
        grid.add_row(*(Text(cell, overflow="fold") for cell in cells))
    out.print(grid)


@accounts.command()
@click.argument("email")
@with_store
def disable(email: str, store: Path) -> None:
    """Keep a person out from now on and end their sessions."""
    from dashboard.people import still_working
    from data.accounts import disable as keep_out
    from data.database import Database

    with contextlib.closing(Database(store)) as database:
        account = keep_out(database, email, actor="operator", actor_organisation_id=None)
        beside = still_working(database, account)
    say(
        f"{account.email} cannot sign in any more, and is signed out everywhere. "
        "`fairtier accounts reset` lets the person in again."
    )
    if beside:
        say(beside, "yellow")


@accounts.command()
@click.argument("email")
@_with_url
@with_store
def reset(email: str, url: str | None, store: Path) -> None:
    """Print a new link to set up the sign-in; the earlier password or link stops working."""
    from data.accounts import reset as make_link
    from data.database import Database

    invitation_link("", url)
    with contextlib.closing(Database(store)) as database:
        token = make_link(database, email, actor="operator", actor_organisation_id=None)
    say("The earlier password or link does not work any more, and all sessions are ended.")
    _say_link(invitation_link(token, url))


def _say_link(link: str) -> None:
    from data.accounts import INVITED_FOR

    say(
        f"Hand over this link so that only that person reads it. It works once, for "
        f"{INVITED_FOR.days} days:"
    )
    say(link, "bold")
