"""`fairtier merlin`: evidence that a prime can offer, by the names of the Merlin principles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.terminal import Day, print_json, progress, say, with_asker, with_store, write_file
from data.errors import BadOption

if TYPE_CHECKING:
    import datetime as dt


@click.command()
@click.argument("prime")
@click.option(
    "--out",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to this file: .docx for Word, .csv or .json.",
)
@click.option("--as-of", type=Day(), help="What was known on this day; today unless set.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@with_asker
@with_store
def merlin(
    prime: str,
    file: Path | None,
    as_of: dt.date | None,
    as_json: bool,
    asker: str | None,
    store: Path,
) -> None:
    """Gather evidence of PRIME, or of all, under the eight Merlin principles. It is no score.

    A prime's file is for the prime itself and the network.
    """
    from dashboard.merlin_file import evidence_bytes, evidence_files
    from dashboard.service import Service
    from data.scope import OPERATOR

    if file is None and not as_json:
        raise BadOption("Say where the evidence goes: --out FILE.docx, or --json to print it.")
    with progress("Gathering"):
        service = Service(store, OPERATOR)
        service.ledger()
        files = evidence_files(service.asked_by(asker), prime, as_of)
    if file is not None:
        write_file(file, evidence_bytes(files, file.suffix.lower()))
    if as_json:
        print_json([one.answer() for one in files])
        return
    say(f'Wrote the evidence of {len(files)} prime{"" if len(files) == 1 else "s"} to "{file}".')
    for sentence in files[0].statement[:2]:
        say(f"NOTE     {sentence}", "dim")
