"""`fairtier notice`: a letter between the parties of an agreement, to edit and send."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.terminal import Day, progress, say, with_asker, with_store, write_file

if TYPE_CHECKING:
    import datetime as dt


@click.command("notice")
@click.argument("kind", required=False)
@click.argument("contract", required=False)
@click.argument("subcontractor", required=False)
@click.option(
    "--out",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to this file: .docx for Word, .txt for plain text.",
)
@click.option("--as-of", type=Day(), help="What was known on this day; today unless set.")
@with_asker
@with_store
def write_notice(
    kind: str | None,
    contract: str | None,
    subcontractor: str | None,
    file: Path | None,
    as_of: dt.date | None,
    asker: str | None,
    store: Path,
) -> None:
    """Make the letter KIND about CONTRACT and SUBCONTRACTOR; without arguments list the kinds.

    Only the party that writes it may make it, or the network for that party. A subcontractor that
    asks with --as need not name itself. An expression_of_interest needs no CONTRACT: write "" for
    it. Without --out the letter is printed.
    """
    from dashboard.letters import letter, letter_bytes
    from dashboard.service import Service
    from data.scope import OPERATOR
    from metrics.notices.plain_text import plain_text

    if kind is None:
        _list_kinds()
        return
    with progress("Writing"):
        service = Service(store, OPERATOR)
        service.ledger()
        made = letter(service.asked_by(asker), kind, contract, subcontractor, as_of)
    if file is None:
        say(plain_text(made))
    else:
        write_file(file, letter_bytes(made, file.suffix.lower()))
        say(f'Wrote the letter to "{file}".', "bold")
        if made.blanks:
            say(f"To fill in: {', '.join(made.blanks)}.")
    for note in made.before_sending:
        say(f"NOTE     {note}", "dim")


def _list_kinds() -> None:
    from metrics.notices.catalogue import templates

    for one in templates():
        known = one.notice
        say(f"{known.id}: {known.title}", "bold")
        say(f"  From the {known.writer} to the {known.reader}. {known.when_to_send}")
