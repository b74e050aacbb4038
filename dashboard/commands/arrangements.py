"""`fairtier embargo` and `fairtier arrange`: what was arranged, about whom, until when."""

from __future__ import annotations

import datetime as dt
import difflib
from typing import TYPE_CHECKING

import click

from dashboard.commands.replies import OPERATOR, Desk, at_desk
from dashboard.terminal import out, print_json, say, with_asker, with_store
from data.errors import BadOption, NotOnRecord

if TYPE_CHECKING:
    from pathlib import Path

_OF_CONTRACTS = ("confidential", "prices_shown")


@click.command()
@click.argument("contract_id", metavar="CONTRACT")
@click.option("--lift", is_flag=True, help="Lift the embargo.")
@click.option("--reason", default="", help="Why; it stands in the list and the audit.")
@with_asker
@with_store
def embargo(contract_id: str, lift: bool, reason: str, store: Path, asker: str | None) -> None:
    """Keep a contract out of comparisons, open data and other organisations' counts."""
    with at_desk(store, asker) as desk:
        _arranged(desk, "confidential", contract_id, ends=lift, reason=reason)
    say(
        f"The embargo on {contract_id} is lifted."
        if lift
        else f"{contract_id} is under embargo until `fairtier embargo {contract_id} --lift`."
    )


@click.command()
@click.argument("kind", required=False)
@click.argument("subject_id", metavar="[SUBJECT]", required=False)
@click.option("--end", "ends", is_flag=True, help="End the arrangement.")
@click.option("--reason", default="", help="Why; it stands in the list and the audit.")
@click.option("--json", "as_json", is_flag=True, help="List as JSON.")
@with_asker
@with_store
def arrange(
    kind: str | None,
    subject_id: str | None,
    ends: bool,
    reason: str,
    as_json: bool,
    store: Path,
    asker: str | None,
) -> None:
    """Make or end an arrangement; without arguments, list those in force.

    KIND is confidential (an embargo) or prices_shown, of a contract, or agent or ask_first, of an
    organisation.
    """
    with at_desk(store, asker) as desk:
        if kind is None:
            _list(desk, as_json)
            return
        if subject_id is None:
            raise BadOption(f"Say which contract or organisation {kind} is about.")
        released = _arranged(desk, kind, subject_id, ends=ends, reason=reason)
    say(f"{kind} of {subject_id}: {'ended' if ends else 'in force'}.")
    if released:
        say(f"Held flags released to the prime: {released}.")


def _arranged(desk: Desk, kind: str, subject_id: str, *, ends: bool, reason: str) -> int:
    """Make or end it; how many held flags that released."""
    from dashboard.proceedings import reply_days
    from data.arrangements import KINDS, end, make
    from data.replies import ask_first

    if kind not in KINDS:
        raise BadOption(f'There is no arrangement "{kind}". Choose one of {", ".join(KINDS)}.')
    if not ends:
        _require_on_record(desk, kind, subject_id)
    if kind == "ask_first":
        today = dt.date.today()
        return ask_first(
            desk.database,
            desk.scope,
            desk.reach,
            subject_id,
            on=not ends,
            reason=reason,
            actor=OPERATOR,
            today=today,
            reply_days=reply_days(today),
        )
    act = end if ends else make
    act(desk.database, desk.scope, desk.reach, kind, subject_id, reason=reason, actor=OPERATOR)
    return 0


def _require_on_record(desk: Desk, kind: str, subject_id: str) -> None:
    table, column, what = (
        ("contracts", "contract_id", "contract")
        if kind in _OF_CONTRACTS
        else ("organisations", "organisation_id", "organisation")
    )
    known = desk.service.registers()[table].column(column).to_pylist()
    if subject_id not in known:
        near = difflib.get_close_matches(subject_id, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise NotOnRecord(f'No {what} "{subject_id}" is on record.{hint}')


def _list(desk: Desk, as_json: bool) -> None:
    from rich.table import Table as Grid
    from rich.text import Text

    from data.arrangements import arrangements, may_arrange

    found = [
        one
        for one in arrangements(desk.database)
        if desk.scope.sees_everything
        or may_arrange(desk.scope, desk.reach, one.kind, one.subject_id)
    ]
    if as_json:
        print_json(
            [
                {
                    "kind": one.kind,
                    "subject_id": one.subject_id,
                    "reason": one.reason,
                    "made_by": one.made_by,
                    "made_at": one.made_at.isoformat(),
                }
                for one in found
            ]
        )
        return
    if not found:
        say("No arrangement is in force.")
        return
    grid = Grid("Kind", "About", "Since", "Made by", "Reason")
    for one in found:
        cells = (one.kind, one.subject_id, f"{one.made_at:%Y-%m-%d}", one.made_by, one.reason)
        grid.add_row(*(Text(cell) for cell in cells))
    out.print(grid)
