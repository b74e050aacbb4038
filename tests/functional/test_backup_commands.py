"""`fairtier backup`, `restore` and `audit` as a person types them."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from dashboard.commands.audit import audit
from dashboard.commands.backup import backup, restore
from dashboard.terminal import Fairtier
from data import audit as chain
from data.database import Database
from data.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = Fairtier("fairtier", commands=[backup, restore, audit])


@pytest.fixture
def fairtier(capsys, wide_terminal):
    def run(*arguments: object) -> tuple[int, str, str]:
        code = 0
        try:
            COMMANDS.main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return run


@pytest.fixture
def store(demo_copy: Path) -> Path:
    database = Database(demo_copy)
    with database.writing() as connection:
        for actor, organisation_id in (("ann@example.org", "XX-EXAMPLE-SUB-55"), ("=1+1", None)):
            chain.note(
                connection,
                "sign_in.succeeded",
                actor=actor,
                organisation_id=organisation_id,
                details={"address": "192.0.2.1"},
            )
    database.close()
    return demo_copy


def test_a_store_is_backed_up_and_restored(fairtier, store, tmp_path):
    file = tmp_path / "backup.zip"
    code, told, warned = fairtier("backup", file, "--store", store)
    assert code == 0
    returns = len(Ledger(store).returns())
    assert f"holds {returns} returns, 0 accounts, 0 cases and 2 events of the audit" in told
    assert "Keep it secret" in warned
    code, told, _ = fairtier("restore", file, "--store", tmp_path / "new")
    assert code == 0
    assert f"holds {returns} returns" in told
    assert "Everybody signs in anew" in told
    assert "Nothing was altered" in told
    assert Ledger(tmp_path / "new").returns() == Ledger(store).returns()


def test_an_existing_back_up_is_replaced_only_when_told(fairtier, store, tmp_path):
    (tmp_path / "backup.zip").write_text("mine")
    code, _, why = fairtier("backup", tmp_path / "backup.zip", "--store", store)
    assert (code, (tmp_path / "backup.zip").read_text()) == (2, "mine")
    assert "--force" in why
    assert fairtier("backup", tmp_path / "backup.zip", "--force", "--store", store)[0] == 0


def test_restoring_over_a_store_is_refused(fairtier, store, tmp_path):
    fairtier("backup", tmp_path / "backup.zip", "--store", store)
    code, _, why = fairtier("restore", tmp_path / "backup.zip", "--store", store)
    assert code == 2
    assert "is not empty" in why


def test_a_back_up_of_an_altered_store_is_restored_and_told(fairtier, store, tmp_path):
    database = Database(store)
    with database.writing() as connection:
        connection.execute(chain.AUDIT.update().values(actor="someone else"))
    database.close()
    fairtier("backup", tmp_path / "backup.zip", "--store", store)
    code, told, why = fairtier("restore", tmp_path / "backup.zip", "--store", tmp_path / "new")
    assert code == 1
    assert "ALTERED  Event 1 of the audit was altered." in told
    assert "before the back-up was made" in why


def test_the_audit_is_listed(fairtier, store):
    code, told, _ = fairtier("audit", "--store", store)
    assert code == 0
    assert "ann@example.org" in told
    assert "Signed in" in told
    assert "The audit ends in" in told
    _, told, _ = fairtier("audit", "--newest", 1, "--store", store)
    assert "ann@example.org" not in told


def test_the_audit_of_an_organisation_is_what_its_own_did(fairtier, store):
    _, told, _ = fairtier("audit", "--json", "--as", "XX-EXAMPLE-SUB-55", "--store", store)
    assert [event["actor"] for event in json.loads(told)] == ["ann@example.org"]
    code, told, _ = fairtier("audit", "--as", "public", "--store", store)
    assert (code, told) == (2, "")


def test_the_audit_as_json_has_every_event_in_order(fairtier, store):
    _, told, _ = fairtier("audit", "--json", "--store", store)
    assert [event["sequence"] for event in json.loads(told)] == [1, 2]
    assert json.loads(told)[0]["details"] == {"address": "192.0.2.1"}


def test_the_audit_as_csv_runs_nothing_and_that_it_was_taken_is_noted(fairtier, store, tmp_path):
    file = tmp_path / "audit.csv"
    code, told, _ = fairtier("audit", "--csv", file, "--store", store)
    assert code == 0
    assert "Wrote 2 events" in told
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["actor"] for row in rows] == ["ann@example.org", "'=1+1"]
    _, told, _ = fairtier("audit", "--json", "--store", store)
    assert json.loads(told)[-1]["action"] == "audit.seen"


def test_a_store_that_is_not_there_is_not_made(fairtier, tmp_path):
    code, _, why = fairtier("audit", "--store", tmp_path / "none")
    assert code == 2
    assert "There is no store" in why
    assert not (tmp_path / "none").exists()
