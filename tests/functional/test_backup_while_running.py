"""A back-up taken while returns come in is always one moment of the store, and always whole."""

from __future__ import annotations

import datetime as dt
import hashlib
import multiprocessing
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from data import audit, ledger
from data.backup import back_up
from data.database import Database
from data.ledger import Ledger
from data.read import Sheet
from data.restore import restore
from data.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

WRITERS = 2
RETURNS_EACH = 12


def referrals(day: dt.date) -> Sheet:
    cells = {
        "referral_id": "R1",
        "contract_id": "K",
        "subcontractor_id": "S",
        "client_group": "JSA",
        "referred_on": day.isoformat(),
        "client_ref": "c1",
    }
    rows = {name: pa.array([cell], pa.string()) for name, cell in cells.items()}
    return Sheet(
        rows=pa.table({"row_number": pa.array([2], pa.int64()), **rows}),
        file_name="referrals.csv",
        sha256=hashlib.sha256(day.isoformat().encode()).hexdigest(),
        headers={name: name for name in cells},
    )


def record_returns(store: Path, url: sa.URL | None, writer: int) -> None:
    """Record returns as a server does: into the ledger, then into the audit."""
    ledger._COMPACT_AT_FILES = 5
    database, records = Database(store, url), Ledger(store)
    for number in range(RETURNS_EACH):
        month = dt.date(2011 + number // 12, number % 12 + 1, 1)
        receipt = records.record(
            TABLES["referrals"],
            referrals(month),
            reporter_id=f"SUB-{writer}",
            months=(month,),
            received_on=dt.date(2014, 1, 1),
        )
        with database.writing() as connection:
            audit.note(
                connection,
                "return.recorded",
                actor=f"person-{writer}@example.org",
                organisation_id=f"SUB-{writer}",
                subject=receipt.entry.return_id,
            )
    database.close()


def recorded(store: Path) -> tuple[set[str], set[str]]:
    """The returns in the ledger, and those that the audit speaks of."""
    database = Database(store)
    with database.reading() as connection:
        told = {e.subject for e in audit.events(connection) if e.action == "return.recorded"}
    database.close()
    return {entry.return_id for entry in Ledger(store).returns()}, told


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_back_up_taken_while_returns_are_recorded_restores_without_a_fault(
    tmp_path, kind, request
):
    store = tmp_path / "store"
    store.mkdir()
    url = request.getfixturevalue("postgresql").new() if kind == "postgresql" else None
    Database(store, url).close()
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=record_returns, args=(store, url, number))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    taken = []
    running = True
    while running:  # and once more, when all is recorded
        running = any(writer.is_alive() for writer in writers)
        known = {entry.return_id for entry in Ledger(store).returns()}
        file = tmp_path / f"{len(taken)}.zip"
        back_up(store, file, url=url)
        taken.append((file, known))
        time.sleep(0.4)
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    sizes = []
    for file, known in taken:
        place = tmp_path / file.stem
        restored = restore(file, place)
        assert restored.faults == ()
        in_ledger, in_audit = recorded(place)
        assert known <= in_ledger, "what was recorded before the back-up began is in it"
        assert in_audit <= in_ledger, "the audit speaks of no return that is not there"
        assert restored.manifest.counts["returns"] == len(in_ledger)
        assert restored.manifest.head_hash == restored.inspection.head_hash
        sizes.append(len(in_ledger))
    assert sizes == sorted(sizes)
    assert sizes[-1] == WRITERS * RETURNS_EACH
    assert len(set(sizes)) > 2, "back-ups were taken while returns came in"
