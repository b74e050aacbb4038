"""Back-ups: one file that holds a whole store, made while others record returns into it.

It is a zip archive: the ledger's files, the key and the note of where the history ends as they
are; the database's tables as JSON lines, so that what was SQLite can become PostgreSQL and the
other way round; and a manifest with the size and SHA-256 of each.

The order makes it whole. The database is read first, in one transaction: what it says of returns
is then true of the ledger read after it. Of the ledger, the note of the end is read before the
table `returns`, and that before the others: what a note or an entry names was written before it.
Of each table, one version is taken; later ones are left out.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import importlib.metadata
import json
import os
import re
import secrets
import time
import zipfile
from collections import Counter
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from data.audit import note
from data.database import (
    ATTEMPTS,
    DEVICES,
    INVITATIONS,
    SCHEMA,
    SESSIONS,
    SIGN_INS,
    Database,
    Moment,
)
from data.engine import cursor
from data.errors import BadOption, StoreError
from data.ledger import Ledger
from data.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

FORMAT = "fairtier-backup"
FORMAT_VERSION = 1  # to be raised when the database's tables or the ledger's columns change
MANIFEST = "manifest.json"
CHUNK_BYTES = 1 << 20
LEDGER_TABLES = ("returns", *TABLES)
NOT_CARRIED = frozenset({SESSIONS, DEVICES, SIGN_INS, ATTEMPTS})

_BATCH = 1000
_PATIENCE_SECONDS = 5.0
_LOG_FILE = re.compile(r"(\d{20})\.(json|checkpoint\.parquet)")


@dataclass(frozen=True)
class Member:
    """One file inside a back-up."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a back-up says it holds; `counts` are rows of the database's tables, and returns.

    `head_hash` is the hash that the history of returns ended in.
    """

    made_at: dt.datetime
    fairtier_version: str
    head_hash: str
    counts: Mapping[str, int]
    members: Mapping[str, Member]

    def content(self) -> bytes:
        """The manifest as it stands in the file."""
        told = {"format": FORMAT, "format_version": FORMAT_VERSION}
        told |= asdict(self) | {"made_at": self.made_at.isoformat()}
        return json.dumps(told, indent=1, sort_keys=True).encode()

    @property
    def sha256(self) -> str:
        """The SHA-256 of the manifest: with it, of all that the back-up holds."""
        return hashlib.sha256(self.content()).hexdigest()


def carried_tables() -> list[sa.Table]:
    """The database's tables that a back-up holds; each stands after those that it points to."""
    return [table for table in SCHEMA.sorted_tables if table not in NOT_CARRIED]


def back_up(
    store: Path,
    file: Path,
    *,
    url: sa.URL | None = None,
    replace: bool = False,
    actor: str = "operator",
    progress: Callable[[str], None] = lambda _stage: None,
) -> Manifest:
    """Write a back-up of the store and its database to `file`, readable by its owner only.

    It is written beside and takes its name when it is whole. An existing file is kept unless
    `replace` is set (BadOption). Whoever has the file can read all prices and match clients.
    """
    with _writing(file):
        if not file.parent.is_dir():
            raise BadOption(
                f'There is no folder "{file.parent}", so no back-up was made. Mount the disk that '
                "it is on, or make the folder."
            )
        if file.exists() and not replace:
            raise BadOption(
                f'"{file}" is there already and was not touched. Name another file, or add '
                "--force to put the new back-up in its place."
            )
    if not store.is_dir():
        Ledger(store).require()
    database = Database(store, url)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        with _writing(file):
            handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w+b") as opened:
                with zipfile.ZipFile(opened, "w") as packed:
                    manifest = _write(packed, store, database, progress)
                opened.flush()
                os.fsync(handle)
            with database.writing() as connection:
                note(
                    connection,
                    "backup.made",
                    actor=actor,
                    organisation_id=None,
                    subject=file.name,
                    details={
                        "returns": manifest.counts["returns"],
                        "manifest_sha256": manifest.sha256,
                    },
                )
                draft.replace(file)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        database.close()
    return manifest


@contextlib.contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except (DeltaError, duckdb.Error) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise StoreError(
            f"The ledger could not be read, so no back-up was made: {reason}. Run `fairtier "
            "verify` to see what is damaged."
        ) from error
    except OSError as error:
        raise StoreError(
            f'The back-up was not made: "{error.filename or file}" could not be used '
            f"({error.strerror}). Name a file on a disk that you may write to and that has room."
        ) from error


def _write(
    packed: zipfile.ZipFile, store: Path, database: Database, progress: Callable[[str], None]
) -> Manifest:
    archive = _Archive(packed, dt.datetime.now(dt.UTC))
    counts: Counter[str] = Counter()
    progress("the database")
    with database.reading() as connection:
        if not database.is_sqlite:
            connection.execution_options(isolation_level="REPEATABLE READ")
        for table in carried_tables():
            name = f"database/{table.name}.jsonl"
            archive.add(name, _json_lines(connection, table, counts), zipfile.ZIP_DEFLATED)
    end, returns = _end_and_returns(store)
    counts["returns"], head_hash = _head(store, returns)
    if end is not None:
        archive.add("chain-end.json", [end])
    for table_id in LEDGER_TABLES:
        progress(f"the ledger's {table_id}")
        delta = returns if table_id == "returns" else _delta(store, table_id)
        if delta is not None:
            _add_table(archive, store, table_id, delta)
    key = _content(store / "client.key")
    # A key is being written only while there are no rows: half of one is left to be made anew.
    if key is not None and (counts["returns"] or re.fullmatch(rb"[0-9a-f]{64}", key)):
        archive.add("client.key", [key])
    manifest = Manifest(
        made_at=archive.made_at,
        fairtier_version=importlib.metadata.version("fairtier"),
        head_hash=head_hash,
        counts=dict(counts),
        members=dict(archive.members),
    )
    archive.add(MANIFEST, [manifest.content()], zipfile.ZIP_DEFLATED)
    return manifest


class _Archive:
    """A zip file being written, which keeps account of what went in."""

    def __init__(self, packed: zipfile.ZipFile, made_at: dt.datetime):
        self.made_at = made_at
        self.members: dict[str, Member] = {}
        self._packed = packed

    def add(
        self, name: str, chunks: Iterable[bytes], compression: int = zipfile.ZIP_STORED
    ) -> None:
        """Add a file, chunk by chunk."""
        info = zipfile.ZipInfo(name, self.made_at.timetuple()[:6])
        info.compress_type = compression
        info.external_attr = 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._packed.open(info, "w", force_zip64=True) as member:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                member.write(chunk)
        self.members[name] = Member(size, digest.hexdigest())


def _json_lines(
    connection: sa.Connection, table: sa.Table, counts: Counter[str]
) -> Iterator[bytes]:
    query = sa.select(table).order_by(*table.primary_key.columns)
    if table is INVITATIONS:
        query = query.where(INVITATIONS.c.used_at.is_not(None))
    counts[table.name] = 0
    rows = connection.execute(query, execution_options={"yield_per": _BATCH})
    for row in rows.mappings():
        counts[table.name] += 1
        line = {column.name: written(column, row[column.name]) for column in table.columns}
        yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


def written(column: sa.Column[Any], value: Any) -> Any:
    """A value of the database as JSON: days and moments as ISO 8601, moments with their zone."""
    timed = isinstance(column.type, Moment | sa.Date) and value is not None
    return value.isoformat() if timed else value


def read_back(column: sa.Column[Any], value: Any) -> Any:
    """The value that `written` wrote; ValueError or TypeError if it is none."""
    if value is None or isinstance(column.type, sa.JSON):
        return value
    if isinstance(column.type, Moment):
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment
    if isinstance(column.type, sa.Date):
        return dt.date.fromisoformat(value)
    if not isinstance(value, column.type.python_type):
        raise TypeError(value)
    return value


def _end_and_returns(store: Path) -> tuple[bytes | None, DeltaTable | None]:
    """The note of where the history ends, then the returns: the note is never ahead of them.

    The very first return is noted a moment after it was recorded; that moment is waited for.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        end = _content(store / "chain-end.json")
        returns = _delta(store, "returns")
        if end is not None or returns is None or time.monotonic() > deadline:
            return end, returns
        time.sleep(0.02)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _delta(store: Path, table_id: str) -> DeltaTable | None:
    path = store / "ledger" / table_id
    try:
        return DeltaTable(str(path)) if path.exists() else None
    except TableNotFoundError:
        return None


def _files_of(store: Path, table_id: str, delta: DeltaTable) -> list[Path]:
    names = pa.table(delta.get_add_actions()).column("path").to_pylist()
    return [store / "ledger" / table_id / name for name in sorted(names)]


def _head(store: Path, returns: DeltaTable | None) -> tuple[int, str]:
    """How many returns there are, and the hash of the last."""
    if returns is None:
        return 0, ""
    files = _files_of(store, "returns", returns)
    with cursor() as connection:
        found = connection.execute(
            "SELECT count(*), arg_max(entry_hash, sequence) FROM read_parquet(?)",
            [[str(path) for path in files]],
        ).fetchone()
    return (int(found[0]), str(found[1])) if found else (0, "")


def _add_table(archive: _Archive, store: Path, table_id: str, delta: DeltaTable) -> None:
    """Add one version of a table: its log up to there, and every file of rows.

    What was merged into larger files goes along where it still is, so that older versions of the
    table can be read too; it can be tidied away meanwhile, and then is left out.
    """
    folder = store / "ledger" / table_id
    needed = {*_files_of(store, table_id, delta), *_needed_log(folder, delta.version())}
    for path in sorted({*needed, *_files_until(folder, delta.version())}):
        try:
            opened = path.open("rb")
        except FileNotFoundError:
            if path in needed:
                raise
            continue
        with opened:
            name = path.relative_to(folder).as_posix()
            archive.add(f"ledger/{table_id}/{name}", _chunks(opened))


def _chunks(opened: IO[bytes]) -> Iterator[bytes]:
    while chunk := opened.read(CHUNK_BYTES):
        yield chunk


def _files_until(folder: Path, version: int) -> Iterator[Path]:
    yield from folder.glob("*.parquet")
    for path in (folder / "_delta_log").iterdir():
        named = _LOG_FILE.fullmatch(path.name)
        if named and int(named[1]) <= version:
            yield path


def _needed_log(folder: Path, version: int) -> set[Path]:
    """The last checkpoint up to a version, and every commit since."""
    log = folder / "_delta_log"
    known = [_LOG_FILE.fullmatch(path.name) for path in log.iterdir()]
    checkpoints = [int(one[1]) for one in known if one and one[2] != "json"]
    start = max((number for number in checkpoints if number <= version), default=-1)
    needed = {log / f"{number:020}.json" for number in range(start + 1, version + 1)}
    return needed | ({log / f"{start:020}.checkpoint.parquet"} if start >= 0 else set())
