"""`fairtier tokens`: with which an organisation's own programs submit and read."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING

import click

from dashboard.terminal import out, print_json, say, with_store

if TYPE_CHECKING:
    from pathlib import Path

    from data.tokens import ApiToken


def state_of(token: ApiToken, now: dt.datetime) -> str:
    """In a word or two, whether the token works."""
    if token.ended_at:
        return "ended"
    return "past its end" if token.ends_at <= now else "works"


@click.group()
def tokens() -> None:
    """Tokens with which programs submit returns and read what is their organisation's."""


@tokens.command()
@click.option("--org", required=True, help="Organisation that the program acts for.")
@click.option("--name", required=True, help="What the program is, for the list and the audit.")
@click.option(
    "--may",
    multiple=True,
    default=("submit", "read"),
    show_default=True,
    help="What the program may do, submit or read; repeat it for both.",
)
@click.option("--network", is_flag=True, help="The program acts for the network.")
@click.option("--days", default=365, show_default=True, help="How long the token lasts.")
@with_store
def add(org: str, name: str, may: tuple[str, ...], network: bool, days: int, store: Path) -> None:
    """Make a token and print it; it cannot be shown again."""
    from data.database import Database
    from data.tokens import make

    with contextlib.closing(Database(store)) as database:
        token, secret = make(
            database,
            organisation_id=org,
            role="network" if network else "member",
            name=name,
            permissions=may,
            days=days,
            actor="operator",
            actor_organisation_id=None,
        )
    say(
        f'"{token.name}" may {" and ".join(sorted(token.permissions))} for '
        f"{token.organisation_id} until {token.ends_at:%Y-%m-%d} with this token, which is not "
        "shown again:"
    )
    say(secret, "bold")


@tokens.command("list")
@click.option("--org", help="Only tokens of this organisation.")
@click.option("--json", "as_json", is_flag=True, help="Print the tokens as JSON.")
@with_store
def list_tokens(org: str | None, as_json: bool, store: Path) -> None:
    """List the tokens, those ended too; never their secrets."""
    from data.database import Database
    from data.tokens import tokens_of

    now = dt.datetime.now(dt.UTC)
    with contextlib.closing(Database(store)) as database:
        found = tokens_of(database, org)
    if as_json:
        print_json(
            [
                {
                    "token_id": token.token_id,
                    "name": token.name,
                    "organisation_id": token.organisation_id,
                    "role": token.role,
                    "permissions": sorted(token.permissions),
                    "state": state_of(token, now),
                    "created_by": token.created_by,
                    "created_at": token.created_at.isoformat(),
                    "ends_at": token.ends_at.isoformat(),
                    "used_at": token.used_at and token.used_at.isoformat(),
                }
                for token in found
            ]
        )
        return
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid()
    for title in ("Token", "Program", "Organisation", "May", "State", "Until", "Last used"):
        grid.add_column(title, no_wrap=title == "Token", overflow="fold")
    for one in found:
        may = ", ".join(sorted(one.permissions))
        used = f"{one.used_at:%Y-%m-%d}" if one.used_at else "never"
        until = f"{one.ends_at:%Y-%m-%d}"
        cells = (
            one.token_id,
            one.name,
            one.organisation_id,
            may,
            state_of(one, now),
            until,
            used,
        )
        grid.add_row(*(Text(cell, overflow="fold") for cell in cells))
    out.print(grid)


@tokens.command()
@click.argument("token_id", metavar="TOKEN")
@with_store
def end(token_id: str, store: Path) -> None:
    """End a token, named as `fairtier tokens list` names it; it stops working at once."""
    from data.database import Database
    from data.tokens import end_token

    with contextlib.closing(Database(store)) as database:
        token = end_token(database, token_id, actor="operator", actor_organisation_id=None)
    say(f'The token "{token.name}" of {token.organisation_id} does not work any more.')
