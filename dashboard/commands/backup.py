"""`fairtier backup` and `fairtier restore`: the whole store in one file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.terminal import err, progress, say, with_store

if TYPE_CHECKING:
    from data.backup import Manifest


def told(manifest: Manifest) -> str:
    """What a back-up holds, counted."""
    from metrics.wording import count

    counts = manifest.counts
    return (
        f"{count(counts['returns'], 'return')}, {count(counts['accounts'], 'account')}, "
        f"{count(counts['cases'], 'case')} and {count(counts['audit'], 'event')} of the audit"
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file if it is there already.")
@with_store
def backup(file: Path, force: bool, store: Path) -> None:
    """Write the whole store to one file, while it is in use: returns, accounts, replies, audit.

    Sessions and unused links of invitations are left out.
    """
    from data.backup import back_up

    with progress("Backing up:") as stage:
        manifest = back_up(store, file, replace=force, progress=stage)
    say(f'"{file}" holds {told(manifest)}.')
    say(f"Its contents have the SHA-256 {manifest.sha256}.")
    say(
        "Keep it secret: whoever has it can read every price, and match clients with the key "
        "that is in it.",
        "yellow",
        err,
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@with_store
def restore(file: Path, store: Path) -> None:
    """Restore a back-up into an empty store and database, then verify it; exit 1 if it is altered.

    The database is the one that FAIRTIER_DATABASE names, else a file in the store, whichever the
    back-up was made from.
    """
    from data.restore import restore as put_back

    with progress("Restoring:") as stage:
        restored = put_back(file, store, progress=stage)
    made_at = f"{restored.manifest.made_at:%Y-%m-%d %H:%M} UTC"
    say(f'"{store}" holds {told(restored.manifest)}, as of {made_at}.')
    say(
        "Everybody signs in anew. Who had not joined yet needs a new link: `fairtier accounts "
        "reset EMAIL`. Tokens of programs work as before."
    )
    for note in restored.inspection.notes:
        say(f"NOTE     {note}", "dim")
    for fault in restored.faults:
        say(f"ALTERED  {fault}", "red")
    if restored.faults:
        say(
            "The store was altered or damaged before the back-up was made: it was restored as it "
            "was. Use an earlier back-up if that does not do.",
            "red",
            err,
        )
        sys.exit(1)
    head_hash = restored.inspection.head_hash or "(empty)"
    say(f"Nothing was altered. The chain of returns ends in {head_hash}.", "bold green")
    say(f"The audit ends in {restored.audit_hash}.", "bold green")
