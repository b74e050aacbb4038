"""`fairtier audit`: who did what, and when."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.terminal import out, print_json, say, with_asker, with_store, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from data.audit import Event
    from data.database import Database
    from data.scope import Scope


@click.command()
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write them to this file as CSV; the audit notes that.",
)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.option("--newest", type=click.IntRange(min=1), help="Only so many, the newest.")
@with_asker
@with_store
def audit(
    csv_file: Path | None, as_json: bool, newest: int | None, asker: str | None, store: Path
) -> None:
    """List who did what, and when: signed in, submitted, took evidence away, replied, arranged."""
    from data.audit_search import last_hash, search

    with _asked(store, asker) as (database, scope):
        events = tuple(reversed(search(database, scope, newest=newest).events))
        if csv_file is not None:
            _write(csv_file, database, scope, events)
        ends_in = last_hash(database)
    if as_json:
        print_json([asdict(event) | {"at": event.at.isoformat()} for event in events])
    elif csv_file is None:
        _show(events)
        say(f"The audit ends in {ends_in or '(empty)'}. `fairtier verify` checks all of it.")


@contextlib.contextmanager
def _asked(store: Path, asker: str | None) -> Iterator[tuple[Database, Scope]]:
    from dashboard.service import Service
    from data.database import Database
    from data.scope import OPERATOR
    from data.settings import has_database

    service = Service(store, OPERATOR)
    if asker is not None or not has_database(store):
        service.ledger()
    with contextlib.closing(Database(store)) as database:
        yield database, service.asked_by(asker).scope if asker is not None else OPERATOR


def _write(file: Path, database: Database, scope: Scope, events: Sequence[Event]) -> None:
    from dashboard.downloads import audit_csv
    from data.audit import note

    write_file(file, audit_csv(events))
    with database.writing() as connection:
        note(
            connection,
            "audit.seen",
            actor="operator",
            organisation_id=None,
            details={"row_count": len(events), "shown_to": scope.organisation_id or scope.role},
        )
    say(f'Wrote {len(events):,} events to "{file}".')


def _show(events: Sequence[Event]) -> None:
    from rich.table import Table as Grid
    from rich.text import Text

    from data.audit import ACTIONS

    grid = Grid()
    for heading in ("When (UTC)", "Who", "Of", "What", "About"):
        grid.add_column(heading, overflow="fold")
    for event in events:
        cells = (
            f"{event.at:%Y-%m-%d %H:%M:%S}",
            event.actor,
            event.organisation_id or "",
            ACTIONS.get(event.action, event.action),
            event.subject,
        )
        grid.add_row(*(Text(cell) for cell in cells))
    out.print(grid)
