"""Restoring a back-up: into an empty place only, all of it or nothing, and verified afterwards."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import itertools
import json
import os
import re
import secrets
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, StatementError

from data import arrangements, audit, releases, replies
from data.backup import (
    CHUNK_BYTES,
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    Manifest,
    Member,
    carried_tables,
    read_back,
)
from data.database import AUDIT_END, Database, database_url
from data.errors import StoreError
from data.ledger import Inspection, Ledger
from data.settings import DATABASE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_BATCH = 1000
_MOST_MANIFEST_BYTES = 64 << 20
_COUNTS_FOR_NOTHING = frozenset(
    {DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm", "errors.log", "lost+found"}
)
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.=%+-]*"
_NAME = re.compile(
    rf"client\.key|chain-end\.json|database/[a-z_]+\.jsonl|ledger/({_PART}/)+{_PART}"
)
_BROKEN = (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Restored:
    """What was restored, and what re-reading it found: no `faults` if it is as it was."""

    manifest: Manifest
    inspection: Inspection
    audit_hash: str
    faults: tuple[str, ...]


def restore(
    file: Path,
    store: Path,
    *,
    url: sa.URL | None = None,
    actor: str = "operator",
    progress: Callable[[str], None] = lambda _stage: None,
) -> Restored:
    """Restore a back-up into a store and a database that are not there or empty, and verify both.

    StoreError otherwise, and if the file is damaged, cut, foreign or from a newer version: then
    nothing was changed. Everybody signs in anew, for sessions are not in a back-up.
    """
    with contextlib.ExitStack() as place:
        place.enter_context(_telling(store))
        _require_empty(store)
        archive = place.enter_context(_opened(file))
        folder = place.enter_context(_folder_for(store))
        manifest = _manifest(archive, file)
        _require_room(manifest, folder, file)
        for name, member in sorted(manifest.members.items()):
            progress(name)
            _unpack(archive, name, member, folder / name, file)
        url = url or database_url(store)
        fresh = url.database == str(store / DATABASE_FILE) and not (store / DATABASE_FILE).exists()
        progress("the database")
        with contextlib.ExitStack() as undo:
            database = Database(
                folder if fresh else store,
                url.set(database=str(folder / DATABASE_FILE)) if fresh else url,
            )
            undo.callback(database.close)
            with database.writing() as connection:
                _fill(connection, database, folder / "database", file)
                audit.note(
                    connection,
                    "backup.restored",
                    actor=actor,
                    organisation_id=None,
                    subject=file.name,
                    details={
                        "made_at": manifest.made_at.isoformat(),
                        "manifest_sha256": manifest.sha256,
                    },
                )
                shutil.rmtree(folder / "database")
                if not fresh:
                    undo.enter_context(_moved(folder, store))
            database.close()
            if fresh:
                undo.enter_context(_moved(folder, store))
    return _verified(store, url, manifest, progress)


def database_faults(connection: sa.Connection) -> tuple[list[str], str]:
    """What is wrong with the audit and with what it vouches for, and the hash it ends in."""
    faults, audit_hash = audit.faults(connection)
    faults += arrangements.faults(connection)
    faults += replies.faults(connection)
    return faults + releases.faults(connection), audit_hash


def _require_empty(store: Path) -> None:
    if store.exists() and not store.is_dir():
        raise StoreError(f'"{store}" is a file. Name a folder to restore into, with --store.')
    there = {path.name for path in store.iterdir()} if store.exists() else set()
    found = sorted(there - _COUNTS_FOR_NOTHING)
    if found:
        raise StoreError(
            f'The store "{store}" is not empty ("{found[0]}" is in it), and a back-up never '
            "replaces what is there. Name another folder with --store, or move this one away."
        )


@contextlib.contextmanager
def _telling(store: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f'Nothing was restored: "{error.filename or store}" could not be used '
            f"({error.strerror}). Check that you may read the back-up and write the store, and "
            "that the disk has room."
        ) from error


def _opened(file: Path) -> zipfile.ZipFile:
    if not file.exists():
        raise StoreError(f'There is no file "{file}". Name the back-up to restore.')
    with _reading(file):
        return zipfile.ZipFile(file)


@contextlib.contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise _damaged(file) from error


def _damaged(file: Path) -> StoreError:
    return StoreError(
        f'"{file}" is damaged, cut short, or no back-up made by Fairtier. Nothing was restored: '
        "use another copy of it or another back-up."
    )


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    names = archive.namelist()
    if MANIFEST not in names or archive.getinfo(MANIFEST).file_size > _MOST_MANIFEST_BYTES:
        raise _damaged(file)
    with _reading(file), archive.open(MANIFEST) as opened:
        content = opened.read(_MOST_MANIFEST_BYTES)
    try:
        with _reading(file):
            told = json.loads(content)
        if told["format"] != FORMAT:
            raise _damaged(file)
        if told["format_version"] > FORMAT_VERSION:
            raise StoreError(
                f'"{file}" was made by a newer version of Fairtier ({told["fairtier_version"]}). '
                "Use that version to restore it."
            )
        manifest = Manifest(
            made_at=dt.datetime.fromisoformat(told["made_at"]),
            fairtier_version=str(told["fairtier_version"]),
            head_hash=str(told["head_hash"]),
            counts={str(name): int(number) for name, number in told["counts"].items()},
            members={
                str(name): Member(int(one["bytes"]), str(one["sha256"]))
                for name, one in told["members"].items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise _damaged(file) from error
    tables = {f"database/{table.name}.jsonl" for table in carried_tables()}
    fit = (
        manifest.content() == content
        and sorted(names) == sorted([*manifest.members, MANIFEST])
        and all(_NAME.fullmatch(name) for name in manifest.members)
        and all(member.bytes >= 0 for member in manifest.members.values())
        and {name for name in names if name.startswith("database/")} == tables
    )
    if not fit:
        raise _damaged(file)
    return manifest


@contextlib.contextmanager
def _folder_for(store: Path) -> Iterator[Path]:
    """A folder to unpack into: inside the store if that is there, else beside it.

    A store that is there can be a disk of its own, whose folder cannot be replaced.
    """
    mark = f".restoring-{secrets.token_hex(4)}"
    folder = store / mark if store.exists() else store.with_name(f"{mark}-{store.name}")
    try:
        folder.mkdir(parents=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _require_room(manifest: Manifest, folder: Path, file: Path) -> None:
    needed = sum(member.bytes for member in manifest.members.values())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StoreError(
            f'"{file}" unpacks to {needed:,} bytes, and the disk has room for {free:,}. Nothing '
            "was restored: free some space, or name a store on another disk."
        )


def _unpack(archive: zipfile.ZipFile, name: str, member: Member, path: Path, file: Path) -> None:
    """Write one file, no further than the manifest says it goes, and hold it against its hash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o600 if name == "client.key" else 0o666
    digest, left = hashlib.sha256(), member.bytes
    with (
        _reading(file),
        archive.open(name) as packed,
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as unpacked,
    ):
        while chunk := packed.read(min(CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            unpacked.write(chunk)
    if left or digest.hexdigest() != member.sha256:
        raise _damaged(file)


def _fill(connection: sa.Connection, database: Database, folder: Path, file: Path) -> None:
    for table in carried_tables():
        there = sa.select(sa.literal(1)).select_from(table).limit(1)
        if table is not AUDIT_END and connection.execute(there).first():
            raise StoreError(
                f'The database "{database.url.render_as_string(hide_password=True)}" is not empty '
                f'(it has rows in "{table.name}"), and a back-up never replaces what is there. '
                "Name an empty one with FAIRTIERDATABASE_FILE, or another folder with --store."
            )
    connection.execute(AUDIT_END.delete())
    try:
        for table in carried_tables():
            with (folder / f"{table.name}.jsonl").open("rb") as opened:
                rows = _rows(table, opened)
                while batch := list(itertools.islice(rows, _BATCH)):
                    connection.execute(table.insert(), batch)
    except (ValueError, TypeError, KeyError, AttributeError, StatementError) as error:
        if isinstance(error, DBAPIError) and not isinstance(error, _OF_THE_ROWS):
            raise
        raise _damaged(file) from error


_OF_THE_ROWS = (sa.exc.IntegrityError, sa.exc.DataError)


def _rows(table: sa.Table, lines: IO[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        told = json.loads(line)
        if told.keys() != set(table.columns.keys()):
            raise KeyError(table.name)
        yield {column.name: read_back(column, told[column.name]) for column in table.columns}


@contextlib.contextmanager
def _moved(folder: Path, store: Path) -> Iterator[None]:
    """Put what was unpacked in its place; if what follows fails, take it away again."""
    pairs = (
        [(path, store / path.name) for path in sorted(folder.iterdir())]
        if folder.parent == store
        else [(folder, store)]
    )
    done = []
    try:
        for here, there in pairs:
            here.rename(there)
            done.append((here, there))
        yield
    except BaseException:
        for here, there in reversed(done):
            there.rename(here)
        raise


def _verified(
    store: Path, url: sa.URL, manifest: Manifest, progress: Callable[[str], None]
) -> Restored:
    inspection = Ledger(store).verify(progress)
    database = Database(store, url)
    try:
        with database.reading() as connection:
            faults, audit_hash = database_faults(connection)
    finally:
        database.close()
    return Restored(manifest, inspection, audit_hash, (*inspection.faults, *faults))
