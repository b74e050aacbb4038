"""Back-up and restore: one file holds the whole store, and a restored store is as it was."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
import shutil
import stat
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
import sqlalchemy as sa
from deltalake import DeltaTable

from data import audit, backup, restore
from data.arrangements import content_sha256, made
from data.backup import MANIFEST, NOT_CARRIED, back_up, carried_tables
from data.database import (
    ACCOUNTS,
    API_TOKENS,
    ATTEMPTS,
    AUDIT,
    CASES,
    DEVICES,
    INVITATIONS,
    NOTICES,
    SCHEMA,
    SESSIONS,
    SIGN_INS,
    STEPS,
    Database,
    Moment,
)
from data.errors import BadOption, StoreError
from data.ledger import Ledger
from data.read import Sheet
from data.scope import OPERATOR
from data.tables import TABLES

NOON = dt.datetime(2012, 3, 31, 12, 0, 0, 123456, tzinfo=dt.UTC)


def sheet(**columns: list[str]) -> Sheet:
    count = len(next(iter(columns.values())))
    return Sheet(
        rows=pa.table(
            {
                "row_number": pa.array(range(2, count + 2), pa.int64()),
                **{name: pa.array(cells, pa.string()) for name, cells in columns.items()},
            }
        ),
        file_name="file.csv",
        sha256=hashlib.sha256(json.dumps(columns).encode()).hexdigest(),
        headers={name: name for name in columns},
    )


def referrals(day: str) -> Sheet:
    return sheet(
        referral_id=["R1"],
        contract_id=["K"],
        subcontractor_id=["S"],
        client_group=["JSA"],
        referred_on=[day],
        client_ref=["c1"],
    )


def record(store: Path, table: str, rows: Sheet | None, by: str, *months: dt.date) -> None:
    Ledger(store).record(
        TABLES[table], rows, reporter_id=by, months=months, received_on=dt.date(2012, 4, 1)
    )


def record_month(store: Path, number: int) -> None:
    month = dt.date(2010 + number // 12, number % 12 + 1, 1)
    record(store, "referrals", referrals(month.isoformat()), "S", month)


def row(table: sa.Table, **given) -> dict:
    """A row of a table: what is not given is made up, or left empty where it may be."""
    made_up = {
        column.name: NOON
        if isinstance(column.type, Moment)
        else {}
        if isinstance(column.type, sa.JSON)
        else 0
        if isinstance(column.type, sa.Integer)
        else f"{column.name} ünd 'quoted' \u2028"
        for column in table.columns
        if not column.nullable
    }
    assert given.keys() <= set(table.columns.keys())
    return {column.name: None for column in table.columns} | made_up | given


def account(name: str) -> dict:
    return row(ACCOUNTS, account_id=name, email=f"{name}@example.org", organisation_id="N")


def fill(store: Path) -> None:
    """A ledger with returns, and a database with something in each table."""
    record(store, "organisations", sheet(organisation_id=["N"], name=["x"], sector=["public"]), "N")
    record_month(store, 0)
    record(store, "referrals", None, "P", dt.date(2012, 1, 1))
    answer = {"value": 0.22, "sentence": "£1\n2", "none": None, "deep": [1, {"a": True}]}
    case = row(CASES, case_id="c1", answer=answer)
    step = row(STEPS, case_id="c1", number=1, due_on=dt.date(2012, 4, 10))
    database = Database(store)
    with database.writing() as connection:
        for table, *rows in (
            (ACCOUNTS, account("a1"), account("a2")),
            (API_TOKENS, row(API_TOKENS, permissions=["read", "submit"])),
            (CASES, case),
            (STEPS, step),
            (NOTICES, row(NOTICES, case_id="c1")),
            (
                INVITATIONS,
                row(INVITATIONS, account_id="a1", token_hash="used", used_at=NOON),
                row(INVITATIONS, account_id="a1", token_hash="open"),
            ),
            (SESSIONS, row(SESSIONS, account_id="a1")),
            (DEVICES, row(DEVICES, account_id="a1")),
            (ATTEMPTS, row(ATTEMPTS)),
            (SIGN_INS, row(SIGN_INS)),
        ):
            connection.execute(table.insert(), rows)
        made(connection, OPERATOR, "confidential", "K", actor="operator")
        for action, number, content in (("case.opened", 0, case), ("case.step", 1, step)):
            audit.note(
                connection,
                action,
                actor="Fairtier",
                organisation_id=None,
                subject="c1",
                details={"number": number, "share": 0.1, "sha256": content_sha256(content)},
            )
    database.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("filled") / "store"
    fill(store)
    return store


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Path:
    """A store with returns, accounts and proceedings, to change."""
    return Path(shutil.copytree(filled, tmp_path / "store"))


@pytest.fixture
def file(store: Path, tmp_path: Path) -> Path:
    back_up(store, tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


def rows_of(database: Database) -> dict[str, list]:
    with database.reading() as connection:
        found = {
            table.name: [
                dict(row)
                for row in connection.execute(
                    sa.select(table).order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for table in SCHEMA.sorted_tables
        }
    database.close()
    return found


def as_carried(rows: dict[str, list]) -> dict[str, list]:
    """What of a database a back-up holds, apart from the notes of the back-ups themselves."""
    not_carried = {table.name for table in NOT_CARRIED} | {"audit_end"}
    carried = {name: found for name, found in rows.items() if name not in not_carried}
    carried["audit"] = [row for row in rows["audit"] if not row["action"].startswith("backup.")]
    carried["invitations"] = [row for row in rows["invitations"] if row["used_at"]]
    return carried


def sqlite(path: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=str(path))


# What comes back


def test_a_restored_store_is_as_it_was(store, file, tmp_path):
    restored = restore.restore(file, tmp_path / "new")
    assert restored.faults == ()
    assert Ledger(tmp_path / "new").returns() == Ledger(store).returns()
    assert Ledger(tmp_path / "new").client_key() == Ledger(store).client_key()
    before, after = rows_of(Database(store)), rows_of(Database(tmp_path / "new"))
    assert as_carried(after) == as_carried(before)
    assert not list(tmp_path.glob(".*"))
    assert not (tmp_path / "new" / "database").exists()


def test_the_restored_store_can_be_worked_with_and_backed_up_again(store, file, tmp_path):
    new = tmp_path / "new"
    restore.restore(file, new)
    record_month(new, 1)
    with Database(new).writing() as connection:
        audit.note(connection, "audit.seen", actor="operator", organisation_id=None)
    back_up(new, tmp_path / "second.zip")
    again = restore.restore(tmp_path / "second.zip", tmp_path / "third")
    assert again.faults == ()
    assert again.manifest.counts["returns"] == 4


def test_everybody_signs_in_anew(file, tmp_path):
    restore.restore(file, tmp_path / "new")
    rows = rows_of(Database(tmp_path / "new"))
    assert [rows[table.name] for table in (SESSIONS, DEVICES, SIGN_INS, ATTEMPTS)] == [[]] * 4
    assert [row["token_hash"] for row in rows["invitations"]] == ["used"]
    packed = zipfile.ZipFile(file)
    assert not [name for name in packed.namelist() if "sessions" in name or "devices" in name]


def test_the_audit_says_that_a_back_up_was_made_and_restored(store, file, tmp_path):
    restored = restore.restore(file, tmp_path / "new")
    made = rows_of(Database(store))["audit"][-1]
    put_back = rows_of(Database(tmp_path / "new"))["audit"][-1]
    assert (made["action"], made["subject"]) == ("backup.made", "backup.zip")
    assert (put_back["action"], put_back["subject"]) == ("backup.restored", "backup.zip")
    mark = restored.manifest.sha256
    assert made["details"]["manifest_sha256"] == put_back["details"]["manifest_sha256"] == mark
    assert restored.audit_hash == put_back["entry_hash"]


def test_a_store_without_a_return_yet_can_be_backed_up(tmp_path):
    Database(tmp_path / "store").close()
    (tmp_path / "store" / "client.key").write_text("half a k")
    (tmp_path / "store" / "ledger" / "returns").mkdir(parents=True)
    manifest = back_up(tmp_path / "store", tmp_path / "backup.zip")
    assert manifest.counts["returns"] == 0
    assert "client.key" not in manifest.members
    restored = restore.restore(tmp_path / "backup.zip", tmp_path / "new")
    assert restored.faults == ()
    record_month(tmp_path / "new", 0)


def test_older_versions_of_the_tables_are_kept_and_what_was_merged_stays_merged(
    store, tmp_path, monkeypatch
):
    monkeypatch.setattr("data.ledger._COMPACT_AT_FILES", 8)
    for number in range(1, 25):
        record_month(store, number)
    log = store / "ledger" / "returns" / "_delta_log"
    assert list(log.glob("*.checkpoint.parquet"))
    back_up(store, tmp_path / "backup.zip")
    assert restore.restore(tmp_path / "backup.zip", tmp_path / "new").faults == ()
    new = tmp_path / "new" / "ledger" / "returns"
    assert DeltaTable(str(new)).version() == DeltaTable(str(log.parent)).version()
    assert len(DeltaTable(str(new), version=3).file_uris()) == 4
    record_month(tmp_path / "new", 30)
    assert Ledger(tmp_path / "new").verify().faults == ()


def test_a_log_whose_old_entries_were_tidied_away_is_backed_up_from_its_checkpoint(store, tmp_path):
    for number in range(1, 25):
        record_month(store, number)
    log = store / "ledger" / "returns" / "_delta_log"
    for version in range(15):
        (log / f"{version:020}.json").unlink()
    assert back_up(store, tmp_path / "backup.zip").counts["returns"] == 27
    assert restore.restore(tmp_path / "backup.zip", tmp_path / "new").faults == ()


def test_a_file_that_is_tidied_away_meanwhile_is_left_out(store, tmp_path, monkeypatch):
    gone = store / "ledger" / "referrals" / "part-merged.parquet"
    files = backup._files_until
    monkeypatch.setattr(
        backup, "_files_until", lambda folder, version: {*files(folder, version), gone}
    )
    back_up(store, tmp_path / "backup.zip")
    assert restore.restore(tmp_path / "backup.zip", tmp_path / "new").faults == ()


def test_what_was_recorded_after_the_moment_of_the_back_up_is_left_out(
    store, tmp_path, monkeypatch
):
    head = backup._head

    def one_more(*arguments):
        record_month(store, 5)
        return head(*arguments)

    monkeypatch.setattr(backup, "_head", one_more)
    manifest = back_up(store, tmp_path / "backup.zip")
    restored = restore.restore(tmp_path / "backup.zip", tmp_path / "new")
    assert manifest.counts["returns"] == len(Ledger(tmp_path / "new").returns()) == 3
    assert restored.faults == ()
    assert "never completed" in restored.inspection.notes[0]


def test_the_first_return_is_waited_for_until_its_end_is_noted(store, tmp_path, monkeypatch):
    end = (store / "chain-end.json").read_bytes()
    (store / "chain-end.json").unlink()
    naps = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        (store / "chain-end.json").write_bytes(end)

    monkeypatch.setattr(backup.time, "sleep", nap)
    assert "chain-end.json" in back_up(store, tmp_path / "backup.zip").members
    assert len(naps) == 1


def test_a_damaged_store_is_backed_up_as_it_is_and_its_faults_are_told(
    store, tmp_path, monkeypatch
):
    monkeypatch.setattr(backup, "_PATIENCE_SECONDS", 0.0)
    (store / "chain-end.json").unlink()
    (store / "client.key").unlink()
    with Database(store).writing() as connection:
        connection.execute(AUDIT.update().where(AUDIT.c.sequence == 2).values(actor="someone"))
        connection.execute(STEPS.update().values(text="Agreed."))
    back_up(store, tmp_path / "backup.zip")
    restored = restore.restore(tmp_path / "backup.zip", tmp_path / "new")
    told = " ".join(restored.faults)
    assert "chain-end.json" in told
    assert "client.key" in told
    assert "Event 2 of the audit was altered" in told
    assert "Step 1 of the case c1 was altered" in told


# From one kind of database to another


def test_the_database_can_be_a_file_elsewhere(store, file, tmp_path):
    url = sqlite(tmp_path / "elsewhere.db")
    assert restore.restore(file, tmp_path / "new", url=url).faults == ()
    assert not (tmp_path / "new" / "fairtier.db").exists()
    after = rows_of(Database(tmp_path / "new", url))
    assert as_carried(after) == as_carried(rows_of(Database(store)))


def test_a_store_goes_from_sqlite_to_postgresql_and_back(store, file, tmp_path, postgresql):
    server = postgresql.new()
    assert restore.restore(file, tmp_path / "new", url=server).faults == ()
    moved = rows_of(Database(tmp_path / "new", server))
    assert as_carried(moved) == as_carried(rows_of(Database(store)))
    back_up(tmp_path / "new", tmp_path / "second.zip", url=server)
    assert restore.restore(tmp_path / "second.zip", tmp_path / "third").faults == ()
    assert as_carried(rows_of(Database(tmp_path / "third"))) == as_carried(moved)


def test_what_is_written_to_postgresql_during_the_back_up_is_left_out(
    store, file, tmp_path, postgresql, monkeypatch
):
    """Each table is read later than the one before it, and all are of one moment."""
    server = postgresql.new()
    restore.restore(file, tmp_path / "new", url=server)
    database, lines = Database(tmp_path / "new", server), backup._json_lines

    def meanwhile(connection, table, counts):
        with database.writing() as other:
            if table is ACCOUNTS:
                assert not other.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == "late")).all()
            if table is AUDIT:
                audit.note(other, "audit.seen", actor="late", organisation_id=None)
        return lines(connection, table, counts)

    with database.reading() as connection:
        before = len(audit.events(connection))
    monkeypatch.setattr(backup, "_json_lines", meanwhile)
    manifest = back_up(tmp_path / "new", tmp_path / "second.zip", url=server)
    database.close()
    assert manifest.counts["audit"] == before
    monkeypatch.undo()
    assert restore.restore(tmp_path / "second.zip", tmp_path / "third").faults == ()


# The file


def test_the_file_is_for_its_owners_eyes_and_says_what_it_holds(store, file):
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as packed:
        told = json.loads(packed.read(MANIFEST))
        assert set(packed.namelist()) == {*told["members"], MANIFEST}
        for name, member in told["members"].items():
            content = packed.read(name)
            assert member == {
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
    assert told["counts"] | {"returns": 3, "accounts": 2, "audit": 3} == told["counts"]
    assert dt.datetime.fromisoformat(told["made_at"]).tzinfo


def test_the_key_of_a_restored_store_is_for_its_owners_eyes(file, tmp_path):
    restore.restore(file, tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new" / "client.key").stat().st_mode) == 0o600


def test_an_existing_file_is_kept_unless_told_otherwise(store, file):
    before = file.read_bytes()
    with pytest.raises(BadOption, match="is there already"):
        back_up(store, file)
    assert file.read_bytes() == before
    back_up(store, file, replace=True)
    assert file.read_bytes() != before


def test_a_folder_for_the_back_up_is_not_made(store, tmp_path):
    """A disk that is not mounted is a folder that is not there."""
    with pytest.raises(BadOption, match=r"no folder.*Mount the disk"):
        back_up(store, tmp_path / "stick" / "backup.zip")
    assert not (tmp_path / "stick").exists()


def test_there_is_nothing_to_back_up_without_a_store(tmp_path):
    with pytest.raises(StoreError, match="There is no store at"):
        back_up(tmp_path / "none", tmp_path / "backup.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_back_up_that_fails_leaves_nothing_behind(store, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup, "_add_table", full)
    with pytest.raises(StoreError, match=r"not made.*No space left.*has room"):
        back_up(store, tmp_path / "backup.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert rows_of(Database(store))["audit"][-1]["action"] != "backup.made"


def test_a_place_that_cannot_be_written_is_told(store):
    with pytest.raises(BadOption, match="no back-up was made"):
        back_up(store, store / "client.key" / "backup.zip")


def test_a_ledger_that_cannot_be_read_is_told(store, tmp_path):
    for path in (store / "ledger" / "returns").glob("*.parquet"):
        path.write_bytes(b"not Parquet at all")
    with pytest.raises(StoreError, match=r"no back-up was made.*fairtier verify"):
        back_up(store, tmp_path / "backup.zip")


def test_rows_that_are_missing_from_the_ledger_are_told(store, tmp_path):
    for path in (store / "ledger" / "referrals").glob("*.parquet"):
        path.unlink()
    with pytest.raises(StoreError, match="not made"):
        back_up(store, tmp_path / "backup.zip")


# Refusals, which change nothing


def refused(file: Path, store: Path, message: str, **options) -> None:
    """StoreError in one sentence, and whatever was there is still all that is there."""
    around = sorted(store.parent.rglob("*"))
    with pytest.raises(StoreError, match=message):
        restore.restore(file, store, **options)
    assert sorted(store.parent.rglob("*")) == around


def test_a_store_that_is_not_empty_is_never_replaced(store, file):
    refused(file, store, "is not empty")


def test_a_file_is_no_store(file, tmp_path):
    refused(file, file, "is a file")


def test_a_database_that_is_not_empty_is_never_replaced(file, tmp_path):
    url = sqlite(tmp_path / "elsewhere.db")
    (tmp_path / "other").mkdir()
    database = Database(tmp_path / "other", url)
    with database.writing() as connection:
        connection.execute(ACCOUNTS.insert(), [account("a9")])
    database.close()
    (tmp_path / "new").mkdir()
    refused(file, tmp_path / "new", 'not empty .it has rows in "accounts"', url=url)


def test_a_folder_that_is_there_and_empty_is_filled(file, tmp_path):
    """It can be a disk of its own, with what the system keeps there."""
    new = tmp_path / "new"
    (new / "lost+found").mkdir(parents=True)
    (new / "errors.log").write_text("")
    mark = new.stat().st_ino
    assert restore.restore(file, new).faults == ()
    assert new.stat().st_ino == mark
    assert not list(new.glob(".*"))


def test_a_server_that_was_started_but_not_used_yet_is_filled(store, file, tmp_path):
    Database(tmp_path / "new").close()
    assert restore.restore(file, tmp_path / "new").faults == ()
    after = rows_of(Database(tmp_path / "new"))
    assert as_carried(after) == as_carried(rows_of(Database(store)))


def test_a_store_whose_folder_is_deep_down_is_made(file, tmp_path):
    assert restore.restore(file, tmp_path / "a" / "b" / "c").faults == ()


def test_there_is_nothing_to_restore_without_a_file(tmp_path):
    refused(tmp_path / "none.zip", tmp_path / "new", "There is no file")


def test_a_folder_is_no_back_up(tmp_path):
    refused(tmp_path, tmp_path / "new", "could not be used .Is a directory.")


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"PK\x03\x04"], ids=["empty", "text", "cut"]
)
def test_a_foreign_file_is_refused(tmp_path, content):
    (tmp_path / "file.zip").write_bytes(content)
    refused(tmp_path / "file.zip", tmp_path / "new", "damaged, cut short, or no back-up")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_is_refused(file, tmp_path, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    refused(file, tmp_path / "new", "damaged, cut short")


@pytest.mark.parametrize("place", range(12))
def test_a_file_in_which_a_byte_was_altered_is_refused_or_as_it_was(file, tmp_path, place):
    """Not every byte counts: a time stamp of the archive can be any."""
    content = bytearray(file.read_bytes())
    where = len(content) * (2 * place + 1) // 24
    content[where] ^= 0xFF
    file.write_bytes(content)
    try:
        assert restore.restore(file, tmp_path / "new").faults == ()
    except StoreError:
        refused(file, tmp_path / "new", "damaged, cut short")


def repacked(file: Path, change) -> None:
    """The same back-up after `change(members, manifest)`, an archive that is in order as such."""
    with zipfile.ZipFile(file) as packed:
        members = {name: packed.read(name) for name in packed.namelist() if name != MANIFEST}
        manifest = json.loads(packed.read(MANIFEST))
    change(members, manifest)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
        packed.writestr(MANIFEST, json.dumps(manifest, indent=1, sort_keys=True))


def listed(members, manifest, name: str, content: bytes) -> None:
    members[name] = content
    manifest["members"][name] = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@pytest.mark.parametrize(
    "name",
    [
        "../escaped",
        "/etc/escaped",
        "ledger/../../escaped",
        "ledger/returns/../../../escaped",
        "ledger\\..\\escaped",
        "ledger/returns/.hidden",
        "ledger//returns",
        "client.key/escaped",
        "fairtier.db",
        "errors.log",
        "ledger/returns/\u202eescaped",
    ],
)
def test_names_that_lead_elsewhere_are_refused(file, tmp_path, name):
    repacked(file, lambda members, manifest: listed(members, manifest, name, b"x"))
    refused(file, tmp_path / "new", "damaged")
    assert not list(tmp_path.rglob("*escaped*"))


def test_a_link_in_the_archive_becomes_no_link(file, tmp_path):
    with zipfile.ZipFile(file, "a") as packed:
        info = zipfile.ZipInfo("client.key")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        with pytest.warns(UserWarning, match="Duplicate name"):
            packed.writestr(info, "/etc/passwd")
    refused(file, tmp_path / "new", "damaged")


def drop_key(members, manifest):
    del members["client.key"]


def add_unlisted(members, manifest):
    members["ledger/returns/more"] = b"x"


def alter_key(members, manifest):
    members["client.key"] = b"0" * 64


def grow(members, manifest):
    members["database/accounts.jsonl"] += b" " * 10_000_000


def shrink(members, manifest):
    members["database/accounts.jsonl"] = members["database/accounts.jsonl"][:-1]


def negative(members, manifest):
    manifest["members"]["client.key"]["bytes"] = -2


def drop_table(members, manifest):
    del members["database/cases.jsonl"]
    del manifest["members"]["database/cases.jsonl"]


def more_said(members, manifest):
    manifest["note"] = "hello"


def no_members(members, manifest):
    manifest["members"] = 7


def endless(members, manifest):
    manifest["counts"]["returns"] = float("inf")


def foreign(members, manifest):
    manifest["format"] = "another"


def no_format(members, manifest):
    del manifest["format"]


def odd_day(members, manifest):
    manifest["made_at"] = "yesterday"


def accounts_line(line: bytes):
    def change(members, manifest):
        listed(members, manifest, "database/accounts.jsonl", line)

    return change


GOOD = account("a1") | {"created_at": "2012-03-31T12:00:00+00:00"}


@pytest.mark.parametrize(
    "change",
    [
        drop_key,
        add_unlisted,
        alter_key,
        grow,
        shrink,
        negative,
        drop_table,
        more_said,
        no_members,
        endless,
        foreign,
        no_format,
        odd_day,
        accounts_line(b"not JSON\n"),
        accounts_line(b"[1, 2]\n"),
        accounts_line(b'{"account_id": "a1"}\n'),
        accounts_line(json.dumps(GOOD | {"email": None}).encode()),
        accounts_line(json.dumps(GOOD | {"created_at": "2012-03-31T12:00:00"}).encode()),
        accounts_line(json.dumps(GOOD | {"created_at": "soon"}).encode()),
        accounts_line(json.dumps(GOOD | {"created_at": 7}).encode()),
        accounts_line(json.dumps(GOOD | {"name": {"a": 1}}).encode()),
    ],
)
@pytest.mark.parametrize("elsewhere", [False, True], ids=["in the store", "elsewhere"])
def test_a_back_up_that_does_not_hold_what_it_says_is_refused(file, tmp_path, change, elsewhere):
    repacked(file, change)
    (tmp_path / "new").mkdir()
    url = sqlite(tmp_path / "elsewhere.db") if elsewhere else None
    if url:
        Database(tmp_path / "new", url).close()
    refused(file, tmp_path / "new", "damaged", url=url)
    if url:
        rows = rows_of(Database(tmp_path / "new", url))
        assert rows.pop("audit_end") == [{"audit_end_id": 1, "sequence": 0, "entry_hash": ""}]
        assert not any(rows.values())


def test_a_back_up_by_a_newer_version_names_it(file, tmp_path):
    def newer(members, manifest):
        manifest["format_version"] = 99
        manifest["fairtier_version"] = "9.9"

    repacked(file, newer)
    refused(file, tmp_path / "new", r"newer version of Fairtier \(9\.9\)")


def test_an_archive_without_a_manifest_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "file.zip", "w") as packed:
        packed.writestr("client.key", "x")
    refused(tmp_path / "file.zip", tmp_path / "new", "damaged")


def test_a_manifest_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(restore, "_MOST_MANIFEST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "file.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(MANIFEST, " " * 1001)
    refused(tmp_path / "file.zip", tmp_path / "new", "damaged")


def test_a_back_up_larger_than_the_disk_is_refused_before_it_is_unpacked(
    file, tmp_path, monkeypatch
):
    monkeypatch.setattr(restore.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    refused(file, tmp_path / "new", "has room for 1,000")


def test_a_full_disk_leaves_nothing_behind(file, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(restore, "_unpack", full)
    refused(file, tmp_path / "new", "Nothing was restored.*No space left")


@pytest.mark.parametrize("there", [False, True], ids=["beside", "inside"])
def test_if_the_database_fails_at_the_end_the_files_are_taken_away_again(
    file, tmp_path, monkeypatch, there
):
    """A commit can fail: then what was put in place before it must not stay."""
    url = sqlite(tmp_path / "elsewhere.db")
    new = tmp_path / "new"
    Database(tmp_path, url).close()
    if there:
        new.mkdir()
    seen = []

    def failing(engine_connection):
        seen.append((new / "ledger").is_dir())
        raise OSError(errno.EIO, "Input/output error")

    opened = Database._connected

    def connected(self):
        engine = opened(self)
        sa.event.listen(engine, "commit", failing)
        return engine

    monkeypatch.setattr(Database, "_connected", connected)
    monkeypatch.setattr(Database, "_upgrade", lambda _: None)
    with pytest.raises(StoreError, match="Input/output error"):
        restore.restore(file, new, url=url)
    monkeypatch.undo()
    assert seen == [True]
    assert not new.exists() or list(new.iterdir()) == []
    assert not list(tmp_path.glob(".*"))
    assert rows_of(Database(tmp_path, url))["accounts"] == []


def test_a_database_that_cannot_be_reached_is_told(file, tmp_path):
    refused(
        file,
        tmp_path / "new",
        "cannot be used",
        url=sa.make_url("postgresql+psycopg://fairtier@127.0.0.1:9/none"),
    )


def test_a_database_that_fails_halfway_is_not_called_a_damaged_back_up(file, tmp_path, monkeypatch):
    def locked(*_):
        raise sa.exc.OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(restore, "_rows", locked)
    refused(file, tmp_path / "new", "cannot be used: database is locked. Another program holds it")


def test_every_table_is_carried_or_left_out_on_purpose():
    assert {*carried_tables(), *NOT_CARRIED} == set(SCHEMA.sorted_tables)
    assert carried_tables().index(ACCOUNTS) < carried_tables().index(INVITATIONS)


def test_memory_stays_flat_however_large_the_store(store, tmp_path):
    """Files go through in pieces: the archive of a large one holds it whole."""
    large = store / "ledger" / "referrals" / "part-large.parquet"
    with large.open("wb") as opened:
        for _ in range(3):
            opened.write(os.urandom(backup.CHUNK_BYTES))
    with large.open("rb") as opened:
        chunks = [len(chunk) for chunk in backup._chunks(opened)]
    assert chunks == [backup.CHUNK_BYTES] * 3
    back_up(store, tmp_path / "backup.zip")
    restore.restore(tmp_path / "backup.zip", tmp_path / "new")
    assert (tmp_path / "new" / large.relative_to(store)).read_bytes() == large.read_bytes()
