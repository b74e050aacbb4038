"""The audit and the database under it: every act is noted, and no note can be changed unseen."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import multiprocessing
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic import autogenerate
from alembic.migration import MigrationContext

from data import audit
from data import database as databases
from data.database import ACCOUNTS, AUDIT, AUDIT_END, SCHEMA, Database, database_url
from data.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

MOMENT = dt.datetime(2012, 3, 31, 23, 59, 59, 123456, tzinfo=dt.UTC)
SUMMER = dt.timezone(dt.timedelta(hours=1))
# Each value stands in for what a column held; none is what was there.
ALTERED = {
    "sequence": 77,
    "at": MOMENT,
    "actor": "somebody.else@example.org",
    "organisation_id": "GB-COH-00000000",
    "action": "token.made",
    "subject": "another subject",
    "details": {"count": 2},
    "previous_hash": "0" * 64,
    "entry_hash": "0" * 64,
}


def note(database: Database, subject: str = "", **options) -> audit.Event:
    with database.writing() as connection:
        return audit.note(
            connection,
            options.pop("action", "return.recorded"),
            actor=options.pop("actor", "anna@prime.example"),
            organisation_id=options.pop("organisation_id", "GB-COH-1"),
            subject=subject,
            **options,
        )


def note_some(database: Database, count: int = 4) -> None:
    for number in range(count):
        note(database, f"return {number}", details={"count": 1, "days": [number, None]})


def faults(database: Database) -> list[str]:
    with database.reading() as connection:
        return audit.faults(connection)[0]


def do(database: Database, statement: sa.Executable) -> None:
    with database.writing() as connection:
        connection.execute(statement)


def test_an_event_reads_back_as_it_was_noted(database):
    noted = [
        note(database, "Zürich\n„x“", details={"pence": 12_345, "share": 0.1, "none": None}),
        note(database, actor="operator", organisation_id=None, action="backup.made"),
    ]
    with database.reading() as connection:
        assert audit.events(connection) == tuple(noted)
        assert audit.faults(connection) == ([], noted[-1].entry_hash)
    assert [event.sequence for event in noted] == [1, 2]
    assert noted[1].previous_hash == noted[0].entry_hash
    assert noted[0].at.utcoffset() == dt.timedelta(0)


def test_a_new_database_has_an_empty_and_whole_audit(database):
    with database.reading() as connection:
        assert audit.events(connection) == ()
        assert audit.faults(connection) == ([], "")


def test_events_can_be_asked_for_by_organisation_and_only_the_newest(database):
    note(database, "a", organisation_id="GB-COH-1")
    note(database, "b", organisation_id="GB-COH-2")
    note(database, "c", organisation_id="GB-COH-1")
    with database.reading() as connection:
        mine = audit.events(connection, organisation_id="GB-COH-1")
        newest = audit.events(connection, newest=2)
    assert [event.subject for event in mine] == ["a", "c"]
    assert [event.subject for event in newest] == ["b", "c"]


def test_an_act_that_fails_leaves_no_event(database):
    with pytest.raises(TypeError, match="not JSON serializable"):
        note(database, details={"count": object()})
    with database.reading() as connection:
        assert audit.faults(connection) == ([], "")


def test_only_acts_with_a_name_are_noted(database):
    with pytest.raises(KeyError):
        note(database, action="return.forgotten")


def test_the_altered_values_cover_every_column():
    assert set(ALTERED) == {column.name for column in AUDIT.columns}


@pytest.mark.parametrize("column", ALTERED)
@pytest.mark.parametrize("sequence", [1, 2, 4])
def test_an_altered_event_is_found_whatever_the_column(database, column, sequence):
    note_some(database)
    assert faults(database) == []
    do(
        database,
        AUDIT.update().where(AUDIT.c.sequence == sequence).values({column: ALTERED[column]}),
    )
    assert faults(database)


@pytest.mark.parametrize("sequence", [1, 2, 4])
def test_a_removed_event_is_found(database, sequence):
    note_some(database)
    do(database, AUDIT.delete().where(AUDIT.c.sequence == sequence))
    assert faults(database)


def test_an_event_altered_together_with_its_hash_is_found(database):
    note_some(database)
    with database.reading() as connection:
        second = audit.events(connection)[1]
    forged = audit.Event(
        **{name: getattr(second, name) for name in ALTERED} | {"actor": "somebody.else@x.example"}
    )
    do(
        database,
        AUDIT.update()
        .where(AUDIT.c.sequence == 2)
        .values(actor=forged.actor, entry_hash=audit.event_hash(forged)),
    )
    assert faults(database) == [
        "The audit is broken before event 3: an event was removed, added or moved."
    ]


@pytest.mark.parametrize(
    "statement",
    [
        AUDIT.delete(),
        AUDIT_END.delete(),
        AUDIT_END.update().values(sequence=3),
        AUDIT_END.update().values(entry_hash="0" * 64),
        AUDIT_END.insert().values(audit_end_id=2, sequence=4, entry_hash=""),
    ],
    ids=["all events removed", "end removed", "end moved", "end altered", "a second end"],
)
def test_tampering_with_the_end_is_found(database, statement):
    note_some(database)
    do(database, statement)
    assert faults(database)


def test_nothing_is_done_where_the_note_of_the_end_is_missing(database):
    note_some(database)
    do(database, AUDIT_END.delete())
    with pytest.raises(StoreError, match="restore the last back-up"):
        note(database)


@pytest.mark.parametrize(("column", "text"), [("at", "yesterday"), ("details", "{")])
def test_an_event_altered_beyond_reading_is_found(tmp_path, column, text):
    database = Database(tmp_path)
    note_some(database)
    with sqlite3.connect(tmp_path / "fairtier.db") as connection:
        connection.execute(f"UPDATE audit SET {column} = ? WHERE sequence = 2", [text])
    connection.close()
    assert faults(database)
    database.close()


def test_threads_that_note_at_once_keep_the_chain_whole(database):
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda number: note(database, str(number)), range(96)))
    with database.reading() as connection:
        noted = audit.events(connection)
    assert faults(database) == []
    assert sorted(int(event.subject) for event in noted) == list(range(96))


def _note_in_another_process(store: Path, url: str, start: int) -> None:
    database = Database(store, sa.make_url(url))
    for number in range(start, start + 20):
        note(database, str(number))
    database.close()


def test_processes_that_note_at_once_keep_the_chain_whole(database):
    context = multiprocessing.get_context("spawn")
    url = database.url.render_as_string(hide_password=False)
    processes = [
        context.Process(target=_note_in_another_process, args=(database.store, url, start))
        for start in (0, 20)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    with database.reading() as connection:
        assert len(audit.events(connection)) == 40
    assert faults(database) == []


# The database


def test_the_steps_make_exactly_the_tables_that_the_code_states(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert autogenerate.compare_metadata(context, SCHEMA) == []


def test_a_database_is_opened_again_as_it_was_left(database):
    note_some(database)
    again = Database(database.store, database.url)
    assert faults(again) == []
    again.close()


def test_processes_that_open_a_new_database_at_once_take_turns(postgresql, tmp_path):
    empty = postgresql.new()
    with ThreadPoolExecutor(4) as threads:
        for opened in threads.map(lambda _n: Database(tmp_path, empty), range(4)):
            note_some(opened, 1)
            assert faults(opened) == []
            opened.close()


def test_a_new_sqlite_database_opened_at_once_is_made_once(tmp_path):
    with ThreadPoolExecutor(4) as threads:
        for opened in threads.map(lambda _n: Database(tmp_path), range(4)):
            note_some(opened, 1)
            assert faults(opened) == []
            opened.close()


def test_a_database_of_a_newer_version_is_left_alone(database):
    with database.reading() as connection:
        ours = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    do(database, sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version of Fairtier"):
        Database(database.store, database.url)
    do(database, sa.text(f"UPDATE alembic_version SET version_num = '{ours}'"))


def test_a_database_of_an_older_version_is_brought_up_to_date(database):
    with database.writing() as connection:
        SCHEMA.drop_all(connection)
        connection.execute(sa.text("DELETE FROM alembic_version"))
    again = Database(database.store, database.url)
    note_some(again)
    assert faults(again) == []
    again.close()


def test_a_moment_is_the_same_in_every_time_zone(database):
    given = dt.datetime(2012, 7, 1, 0, 30, tzinfo=SUMMER)
    do(
        database,
        ACCOUNTS.insert().values(
            account_id="a",
            email="a@b.example",
            name="A",
            organisation_id="O",
            role="member",
            created_at=given,
        ),
    )
    with database.reading() as connection:
        row = connection.execute(sa.select(ACCOUNTS)).one()
    assert row.created_at == given
    assert row.created_at.tzinfo == dt.UTC
    assert row.disabled_at is None


def test_sqlite_is_beside_the_ledger_unless_another_database_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("FAIRTIER_DATABASE", raising=False)
    assert database_url(tmp_path).database == str(tmp_path / "fairtier.db")
    monkeypatch.setenv("FAIRTIER_DATABASE", "postgresql+psycopg://fairtier@/fairtier")
    assert database_url(tmp_path).get_backend_name() == "postgresql"


@pytest.mark.parametrize(
    "named",
    [
        "the one in the cellar",
        "postgresql+psycopg://fairtier@127.0.0.1:bad/none",
        "postgres://fairtier@127.0.0.1/none",
        "mysql://fairtier@127.0.0.1/none",
    ],
)
def test_an_address_of_no_database_is_told_with_how_to_write_it(tmp_path, monkeypatch, named):
    monkeypatch.setenv("FAIRTIER_DATABASE", named)
    with pytest.raises(StoreError, match=r"FAIRTIER_DATABASE.*Write it like postgresql\+psycopg:"):
        Database(tmp_path)


def test_a_server_that_stays_silent_is_given_up(tmp_path, monkeypatch):
    assert databases._PATIENCE_SECONDS <= 10
    monkeypatch.setattr(databases, "_PATIENCE_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://fairtier@127.0.0.1:{silent.getsockname()[1]}/none"
        with pytest.raises(StoreError, match=r"timeout.*Check that it is running"):
            Database(tmp_path, sa.make_url(url))


def test_what_is_wrong_with_a_file_is_told_with_what_mends_it(tmp_path):
    """A file is no server: nothing need be running."""
    barred = tmp_path / "barred"
    barred.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=f'write to the folder "{barred / "store"}"'):
        Database(barred / "store")
    (tmp_path / "fairtier.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="The file is damaged: restore a back-up"):
        Database(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://fairtier:hidden-word@127.0.0.1:1/fairtier",
        "nosuchdatabase://fairtier:hidden-word@/fairtier",
        "sqlite:////proc/fairtier.db",
    ],
)
def test_a_database_out_of_reach_is_told_in_one_sentence_without_its_password(tmp_path, url):
    with pytest.raises(StoreError, match="cannot be used") as told:
        Database(tmp_path, sa.make_url(url))
    assert "hidden-word" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_database_can_be_held_in_memory(tmp_path):
    database = Database(tmp_path / "store", sa.make_url("sqlite://"))
    assert not (tmp_path / "store").exists()
    database.close()


def test_a_unique_value_given_twice_is_for_the_caller_to_explain(database):
    row = {
        "account_id": "a",
        "email": "a@b.example",
        "name": "A",
        "organisation_id": "O",
        "role": "member",
        "created_at": MOMENT,
    }
    do(database, ACCOUNTS.insert().values(row))
    with pytest.raises(sa.exc.IntegrityError):
        do(database, ACCOUNTS.insert().values(row | {"account_id": "b"}))


def test_details_hold_what_json_holds(database):
    details = {"list": [1, "two", None], "nested": {"b": 1, "a": 2}}
    note(database, details=details)
    with database.reading() as connection:
        assert json.loads(json.dumps(audit.events(connection)[0].details)) == details
    assert faults(database) == []


def test_the_file_of_the_database_is_for_its_owner_alone(tmp_path):
    with contextlib.closing(Database(tmp_path / "store")):
        mode = (tmp_path / "store" / "fairtier.db").stat().st_mode
    assert mode & 0o077 == 0


def test_another_process_that_looks_in_takes_nothing_away_from_one_that_writes(tmp_path):
    """SQLite forgets a process's locks when any of its handles on the file is closed."""
    store = tmp_path / "store"
    look = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM audit')"
    with contextlib.closing(Database(store)) as first:
        note_one(first, "before")
        with contextlib.closing(Database(store)) as second, second.reading() as connection:
            assert len(audit.events(connection)) == 1
        subprocess.run([sys.executable, "-c", look, str(store / "fairtier.db")], check=True)
        note_one(first, "after")
        with contextlib.closing(Database(store)) as third, third.reading() as connection:
            assert [one.subject for one in audit.events(connection)] == ["before", "after"]


def note_one(database: Database, subject: str) -> None:
    with database.writing() as connection:
        audit.note(
            connection, "audit.seen", actor="operator", organisation_id=None, subject=subject
        )
