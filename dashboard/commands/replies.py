"""`fairtier replies`: the flags that were put to somebody, their replies, and what is decided."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from dashboard.terminal import Day, out, print_json, progress, say, with_asker, with_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dashboard.service import Service
    from data.database import Database
    from data.replies import Case
    from data.scope import Reach, Scope

OPERATOR = "operator"


@dataclass(frozen=True)
class Desk:
    """The store and its database, and who asks."""

    service: Service
    database: Database
    scope: Scope
    reach: Reach


@contextlib.contextmanager
def at_desk(store: Path, asker: str | None = None) -> Iterator[Desk]:
    """A store that exists, as the operator sees it, or an organisation does."""
    from dashboard.service import Service
    from data.database import Database
    from data.scope import OPERATOR as EVERYTHING

    service = Service(store, EVERYTHING)
    service.ledger()
    with contextlib.closing(Database(store)) as database:
        asked = service.asked_by(asker)
        yield Desk(asked, database, asked.scope, asked.reach())


@click.group()
def replies() -> None:
    """The right of reply: flags that were put to somebody, replies, decisions."""


def _state(case: Case) -> str:
    """Where a case stands, in a few words."""
    if case.closed:
        return f"no longer raised ({case.outcome})"
    if case.held:
        return "declined, held" if case.declined else "held"
    said = case.outcome or "no reply"
    decision = case.decision
    return f"{said}, {decision.kind}" if decision and case.outcome != "withdrawn" else said


@replies.command(name="list")
@click.option("--closed", is_flag=True, help="Also flags that are no longer raised.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@with_asker
@with_store
def list_(closed: bool, as_json: bool, store: Path, asker: str | None) -> None:
    """List the flags that were put to somebody, the soonest due first."""
    from rich.table import Table as Grid
    from rich.text import Text

    from dashboard.proceedings import case_answer
    from data.replies import cases

    with at_desk(store, asker) as desk:
        found = cases(desk.database, desk.scope, desk.reach)
    chosen = [case for case in found if closed or not case.closed]
    if as_json:
        print_json([case_answer(case) for case in chosen])
        return
    if not chosen:
        say("No flag was put to anybody. `fairtier replies review` puts those that are raised.")
        return
    grid = Grid()
    for heading in ("Case", "Flag", "Contract", "Subcontractor", "Reply by", "State"):
        grid.add_column(heading, overflow="fold")
    for case in chosen:
        cells = (
            case.case_id,
            case.flag,
            case.contract_id,
            case.subcontractor_id or "",
            case.due_on.isoformat() if case.due_on else "",
            _state(case),
        )
        grid.add_row(*(Text(cell) for cell in cells))
    out.print(grid)


@replies.command()
@click.argument("case_id", metavar="CASE")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@with_asker
@with_store
def show(case_id: str, as_json: bool, store: Path, asker: str | None) -> None:
    """Show what a flag said, and every step since."""
    from dashboard.proceedings import case_answer
    from data.replies import case_of

    with at_desk(store, asker) as desk:
        case = case_of(desk.database, desk.scope, desk.reach, case_id)
    if as_json:
        print_json(case_answer(case))
        return
    say(f"{case.flag}, {case.contract_id}: {_state(case)}", "bold")
    say(case.sentence)
    if case.due_on:
        say(f"Reply by {case.due_on}.")
    if case.unreached:
        say(
            f"Nobody of {case.named(case.unreached)} can sign in: their time to reply has not "
            "begun. Invite somebody, or put it to them another way: `fairtier replies told`."
        )
    for step in case.steps:
        by = ", ".join(filter(None, (step.organisation_id, step.actor)))
        reason = f" {step.reason_words}." if step.reason_words else ""
        say(f"{step.number}. {step.at:%Y-%m-%d} {case.told(step)} ({by}).{reason}")
        for line in step.text.splitlines():
            say(f"   {line}")


@replies.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@with_store
def review(as_json: bool, store: Path) -> None:
    """Put the flags raised now to those they are about, close what has ceased, and send mail.

    A shared server does this by itself after each return and every day.
    """
    from dataclasses import asdict

    from dashboard.commands.accounts import server_address
    from dashboard.mail import post_named
    from dashboard.proceedings import attend

    address = server_address()
    post_named()  # a mistake in a setting is told before anything is done
    with at_desk(store) as desk, progress("Assessing every agreement"):
        done = attend(desk.service, desk.database, address)
    if as_json:
        print_json(asdict(done))
        return
    say(
        f"{done.opened_count} put to those they are about, {done.held_count} held for the "
        f"subcontractor's consent, {done.released_count} released, {done.closed_count} no longer "
        "raised."
    )


@replies.command()
@click.argument("case_id", metavar="CASE")
@click.option("--by", required=True, metavar="ORG", help="Organisation that replies.")
@click.option("--accept", "stance", flag_value="accepted", help="It accepts the flag.")
@click.option("--dispute", "stance", flag_value="disputed", help="It disputes the flag.")
@click.option(
    "--reason", required=True, help="Reason from the list; see `fairtier replies reasons`."
)
@click.option("--text", default="", help="In its own words, at most 5,000 characters.")
@with_asker
@with_store
def reply(
    case_id: str,
    by: str,
    stance: str | None,
    reason: str,
    text: str,
    store: Path,
    asker: str | None,
) -> None:
    """Record the reply of an organisation that a flag is about."""
    from data.replies import reply as record

    with at_desk(store, asker) as desk:
        case = record(
            desk.database,
            desk.scope,
            desk.reach,
            case_id,
            by=by,
            stance=stance or "",
            reason=reason,
            text=text,
            actor=OPERATOR,
        )
    say(f"Recorded. The case is now: {_state(case)}.")


@replies.command()
def reasons() -> None:
    """List the reasons that a reply can give."""
    from data.replies import REASONS

    for reason, words in REASONS.items():
        say(f"{reason}: {words}.")


def _consent(case_id: str, by: str, store: Path, asker: str | None, agrees: bool) -> Case:
    from dashboard.proceedings import reply_days
    from data.replies import consent

    today = dt.date.today()
    with at_desk(store, asker) as desk:
        return consent(
            desk.database,
            desk.scope,
            desk.reach,
            case_id,
            by=by,
            agrees=agrees,
            actor=OPERATOR,
            today=today,
            reply_days=reply_days(today),
        )


@replies.command()
@click.argument("case_id", metavar="CASE")
@click.option("--by", required=True, metavar="ORG", help="Subcontractor that agrees.")
@with_asker
@with_store
def release(case_id: str, by: str, store: Path, asker: str | None) -> None:
    """Record that a subcontractor agrees that a held flag is shown to the prime."""
    case = _consent(case_id, by, store, asker, agrees=True)
    say(f"Put to the prime. Both may reply until {case.due_on}.")


@replies.command()
@click.argument("case_id", metavar="CASE")
@click.option("--by", required=True, metavar="ORG", help="Subcontractor that does not agree.")
@with_asker
@with_store
def decline(case_id: str, by: str, store: Path, asker: str | None) -> None:
    """Record that a subcontractor does not agree that a held flag is shown to the prime."""
    _consent(case_id, by, store, asker, agrees=False)
    say("It stays held: only the subcontractor and the network see it.")


@replies.command()
@click.argument("case_id", metavar="CASE")
@click.option("--org", required=True, help="Organisation of which nobody can sign in.")
@click.option("--on", type=Day(), help="Day on which it was told; today unless set.")
@click.option("--text", required=True, help="How, and whom: kept with the case.")
@with_asker
@with_store
def told(
    case_id: str, org: str, on: dt.date | None, text: str, store: Path, asker: str | None
) -> None:
    """Record that the network put a flag to an organisation another way: its time begins."""
    from dashboard.proceedings import reply_days
    from data.replies import tell

    today = dt.date.today()
    with at_desk(store, asker) as desk:
        case = tell(
            desk.database,
            desk.scope,
            desk.reach,
            case_id,
            org,
            on=on or today,
            text=text,
            actor=OPERATOR,
            today=today,
            reply_days=reply_days(today),
        )
    say(f"Recorded. It may reply until {case.due_on}.")


@replies.command()
@click.argument("case_id", metavar="CASE")
@click.argument("decision", metavar="published|withheld|resolved|withdrawn")
@click.option("--reason", default="", help="Why; needed but to publish what nobody disputes.")
@with_asker
@with_store
def decide(case_id: str, decision: str, reason: str, store: Path, asker: str | None) -> None:
    """Record the network's decision about a flag that was put to somebody."""
    from data.replies import decide as record

    with at_desk(store, asker) as desk:
        case = record(
            desk.database,
            desk.scope,
            desk.reach,
            case_id,
            decision,
            reason=reason,
            actor=OPERATOR,
            today=dt.date.today(),
        )
    say(f"Recorded. The case is now: {_state(case)}.")


@replies.command()
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@with_store
def published(as_json: bool, store: Path) -> None:
    """Show what the public may see: published flags beside the replies."""
    from dashboard.proceedings import open_to_all, published_answer

    with at_desk(store) as desk:
        found = open_to_all(desk.database, dt.date.today())
    if as_json:
        print_json([published_answer(one) for one in found])
        return
    if not found:
        say("Nothing is published.")
    for one in found:
        say(f"{one.flag}, {one.contract_id}, published on {one.published_at:%Y-%m-%d}", "bold")
        say(one.sentence)
        for answered in one.replies:
            who = one.names.get(answered.organisation_id, answered.organisation_id)
            say(f"{who}: {answered.stance}. {answered.reason}. {answered.text}".strip())
        if one.reason:
            say(f"The network: {one.reason}")
