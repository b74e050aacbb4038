"""The ledger: returns on Delta Lake, one folder, any number of processes.

Rows are written first and count for nothing; the return's entry in the table `returns` is the one
commit that puts them in force. An interruption anywhere before it leaves the ledger as it was.
Nothing is ever overwritten: which rows are in force on a day follows from the entries.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
import os
import re
import secrets
import tempfile
import uuid
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals as nw
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from filelock import FileLock, Timeout

from data.engine import cursor
from data.errors import NotAllowed, ReturnConflict, StoreError
from data.parse import literal, quoted
from data.returns import (
    NO_FILE_SHA256,
    InForce,
    Return,
    chain_faults,
    chained,
    in_force,
    keepers,
    overlaps,
    replaced_by,
    same_in_force,
)
from data.rows import digest_sql, drift_sql, empty_rows_sql, rows_digest, stored_rows
from data.scope import NOT_SHOWN, OPERATOR, Parties, reach_of
from data.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from data.read import Sheet
    from data.scope import Reach, Scope
    from data.table import Table

Frames = dict[str, nw.LazyFrame[Any]]

_ENTRY_SCHEMA = pa.schema(
    [
        ("sequence", pa.int64()),
        ("return_id", pa.string()),
        ("table", pa.string()),
        ("reporter_id", pa.string()),
        ("months", pa.list_(pa.date32())),
        ("versions", pa.list_(pa.date32())),
        ("nil", pa.bool_()),
        ("row_count", pa.int64()),
        ("file_name", pa.string()),
        ("file_sha256", pa.string()),
        ("rows_sha256", pa.string()),
        ("received_on", pa.date32()),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
        ("warnings", pa.list_(pa.string())),
        ("replaced", pa.list_(pa.string())),
        ("previous_hash", pa.string()),
        ("entry_hash", pa.string()),
    ]
)
_COMPACT_AT_FILES = 64
_SMALL = ("organisations", "contracts", "agreements", "prices", "forecasts", "coverage")
_HELD_ROWS = 500_000  # logs of up to so many rows are held in memory while questions are asked


@dataclass(frozen=True)
class Receipt:
    """What recording a return did; `already` when the ledger said the same before."""

    entry: Return
    already: bool = False


@dataclass(frozen=True)
class Inspection:
    """What re-reading the store found: `faults` are alterations, `notes` are harmless.

    `audited` says whether there is a database, with an audit of its own that was read too.
    """

    return_count: int
    row_count: int
    head_hash: str
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    audited: bool = False
    event_count: int = 0
    audit_hash: str = ""


@contextlib.contextmanager
def _store_errors(store: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, DeltaError, duckdb.Error) as error:
        reason = str(error)
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full or "No space left" in reason or "storage full" in reason.lower():
            raise StoreError(
                f'The disk that holds the store "{store}" is full. Nothing was recorded: free '
                "some space and try again."
            ) from error
        barred = isinstance(error, PermissionError | NotADirectoryError | FileExistsError)
        if barred or re.search(r"Permission denied|Read-only|Not a directory", reason):
            closed = error.filename if isinstance(error, PermissionError) else None
            why = f', for "{closed}" is closed to you' if closed else ""
            raise StoreError(
                f'The store "{store}" cannot be written{why}. Nothing was recorded: give a folder '
                "that you may write to, with --store."
            ) from error
        if isinstance(error, FileNotFoundError):
            raise StoreError(
                f'The store "{store}" cannot be made there. Name a folder on a disk that you may '
                "write to, with --store."
            ) from error
        raise StoreError(
            f'The store "{store}" could not be used: {_first_line(reason)} '
            "Run `fairtier verify` to see what is damaged."
        ) from error


def _first_line(text: str) -> str:
    line = (text.strip().splitlines() or ["no reason was given"])[0].strip()
    return line if line.endswith(".") else f"{line}."


def _entry(content: dict[str, Any]) -> Return:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
    }
    return Return(**values)


class Ledger:
    """The returns of one store, and the rows that are in force."""

    def __init__(self, store: Path):
        self.store = store
        self._read: tuple[int, tuple[Return, ...]] = (-1, ())
        self._parties: tuple[tuple[str, ...], Parties] = ((), Parties())

    def require(self) -> None:
        """StoreError unless the store exists."""
        with _store_errors(self.store):
            there = (self._path("returns") / "_delta_log").is_dir()
        if not there:
            raise StoreError(
                f'There is no store at "{self.store}". Record a first return with `fairtier '
                "submit`, try `fairtier demo`, or name another folder with --store."
            )

    def _path(self, table_id: str) -> Path:
        return self.store / "ledger" / table_id

    def _delta(self, table_id: str) -> DeltaTable | None:
        path = self._path(table_id)
        if not path.exists():
            return None
        try:
            return DeltaTable(str(path))
        except TableNotFoundError:
            return None

    def files(self, table_id: str, delta: DeltaTable) -> list[Path]:
        """The files of a Delta table; not its URIs, which write some paths in another way."""
        names = pa.table(delta.get_add_actions()).column("path").to_pylist()
        return [self._path(table_id) / name for name in sorted(names)]

    def _relation(self, table: Table, delta: DeltaTable | None) -> str:
        empty = empty_rows_sql(table)
        found = [] if delta is None else self.files(table.id, delta)
        if not found:
            return f"({empty})"
        files = ", ".join(literal(str(file)) for file in found)
        return f"({empty} UNION ALL BY NAME SELECT * FROM read_parquet([{files}]))"

    # History

    def returns(self) -> tuple[Return, ...]:
        """Every return ever accepted, in the order in which they were recorded.

        For the ledger's own book-keeping; what somebody may see of it, `Service.history` says.
        """
        with _store_errors(self.store):
            return self._entries(self._delta("returns"))

    def _entries(self, delta: DeltaTable | None) -> tuple[Return, ...]:
        if delta is None:
            return ()
        if self._read[0] != delta.version():
            self._read = (delta.version(), self._reread_entries(delta))
        return self._read[1]

    def _reread_entries(self, delta: DeltaTable) -> tuple[Return, ...]:
        # Read past the statistics in Delta's log: the files themselves are the evidence.
        names = [field.name for field in fields(Return)]
        with cursor() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            files = [str(file) for file in self.files("returns", delta)]
            relation = connection.read_parquet(files)
            found = relation.to_arrow_table().select(names).to_pylist()
        return tuple(
            _entry({name: entry[name] for name in names})
            for entry in sorted(found, key=lambda entry: int(entry["sequence"]))
        )

    def keepers(self) -> frozenset[str]:
        """Who runs this ledger: whoever recorded the first register of organisations."""
        return keepers(self.returns())

    # Recording

    def record(
        self,
        table: Table,
        sheet: Sheet | None,
        *,
        reporter_id: str,
        months: tuple[dt.date, ...],
        versions: tuple[dt.date, ...] = (),
        received_on: dt.date,
        warnings: tuple[str, ...] = (),
        seen: Sequence[Return] | None = None,
        progress: Callable[[str], None] = lambda _stage: None,
    ) -> Receipt:
        """Record a return whose rows passed the checks; `sheet` None is a nil return.

        `seen` are the entries that were there when the checks ran: if another return by the same
        organisation for the same table and months came in since, ReturnConflict is raised.
        All or nothing: any error leaves what is in force as it was.
        """
        with _store_errors(self.store):
            self._path("returns").parent.mkdir(parents=True, exist_ok=True)
            delta = self._delta("returns")
            entries = self._entries(delta)
            seen = entries if seen is None else seen
            draft = Return(
                sequence=0,
                return_id=f"r-{uuid.uuid4().hex[:12]}",
                table=table.id,
                reporter_id=reporter_id,
                months=months,
                versions=versions,
                nil=sheet is None,
                row_count=0 if sheet is None else sheet.rows.num_rows,
                file_name="" if sheet is None else sheet.file_name,
                file_sha256=NO_FILE_SHA256 if sheet is None else sheet.sha256,
                rows_sha256="",
                received_on=received_on,
                recorded_at=dt.datetime.now(dt.UTC),
                warnings=warnings,
                replaced=(),
                previous_hash="",
                entry_hash="",
            )
            already = same_in_force(draft, entries)
            if already is not None:
                return Receipt(already, already=True)
            self._require_writable(table.id)
            digest = ""
            if sheet is not None:
                progress("storing the rows")
                rows = stored_rows(
                    sheet,
                    table,
                    return_id=draft.return_id,
                    reporter_id=reporter_id,
                    client_key=self.client_key(),
                )
                digest = rows_digest(rows, table)
                write_deltalake(str(self._path(table.id)), rows, mode="append")
            progress("recording the return")
            while True:
                for other in entries[len(seen) :]:
                    if overlaps(draft, other):
                        raise ReturnConflict(
                            f"{other.reporter_id} recorded another {table.id} return for the same "
                            "months while this one was being checked. Nothing was recorded: look "
                            "at the history, and submit again if yours should replace it."
                        )
                last = entries[-1] if entries else None
                placed = replace(draft, rows_sha256=digest, sequence=len(entries) + 1)
                placed = replace(placed, replaced=replaced_by(placed, entries))
                entry = chained(placed, last)
                if self._append(delta, entry):
                    if delta is not None:
                        self._read = (delta.version(), (*entries, entry))
                    break
                delta = self._delta("returns")
                entries = self._entries(delta)
        # The return is in force from here on; what follows is tidying and must not say otherwise.
        with contextlib.suppress(OSError):
            self._note_end(entry)
        self._compact(table.id)
        return Receipt(entry)

    def _require_writable(self, table_id: str) -> None:
        """OSError where Delta could not write: it prints a panic of its own before it fails."""
        folders = [self.store, self.store / "ledger"]
        for path in (self._path("returns"), self._path(table_id)):
            folders += [path, path / "_delta_log"]
        for folder in filter(Path.is_dir, folders):
            try:
                tempfile.TemporaryFile(dir=folder).close()
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(folder)) from error

    def _note_end(self, entry: Return) -> None:
        """Note beside the ledger how far the chain went, so that a cut end shows."""
        path = self.store / "chain-end.json"
        noted = self._noted_end()
        if noted is None or noted["sequence"] < entry.sequence:
            draft = path.with_suffix(f".{entry.return_id}.tmp")
            draft.write_text(
                json.dumps({"sequence": entry.sequence, "entry_hash": entry.entry_hash})
            )
            draft.replace(path)

    def _noted_end(self) -> dict[str, Any] | None:
        try:
            noted = json.loads((self.store / "chain-end.json").read_text(encoding="utf-8"))
            return {"sequence": int(noted["sequence"]), "entry_hash": str(noted["entry_hash"])}
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _append(self, delta: DeltaTable | None, entry: Return) -> bool:
        """Commit the entry as the next one; False if another process was quicker."""
        row = pa.Table.from_pylist([asdict(entry)], schema=_ENTRY_SCHEMA)
        try:
            if delta is None:
                write_deltalake(
                    str(self._path("returns")),
                    row,
                    mode="error",
                    configuration={"delta.checkpointInterval": "20"},
                )
            else:
                only_next = CommitProperties(max_commit_retries=0)
                write_deltalake(delta, row, mode="append", commit_properties=only_next)
        except CommitFailedError:
            return False
        except (DeltaError, OSError):
            if delta is None and self._delta("returns") is not None:
                return False
            raise
        return True

    def _compact(self, table_id: str) -> None:
        """Merge small files; only tidying, so a failure is left for the next time.

        One process at a time: Delta takes both of two merges, and rows would be there twice.
        """
        for name in ("returns", table_id):
            turn = FileLock(self.store / "merging.lock", timeout=0)
            with contextlib.suppress(DeltaError, OSError, Timeout), turn:
                delta = self._delta(name)
                if delta is not None and len(self.files(name, delta)) >= _COMPACT_AT_FILES:
                    delta.optimize.compact()

    def client_key(self) -> bytes:
        """The key of this store under which clients' marks are hashed; made at first use."""
        path = self.store / "client.key"
        with contextlib.suppress(FileExistsError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            if any((self._path(table_id) / "_delta_log").is_dir() for table_id in TABLES) and (
                not path.exists()
            ):
                raise StoreError(
                    f'The key file "{path}" is missing, so clients could no longer be matched. '
                    "Put it back from your back-up."
                )
            with os.fdopen(os.open(path, flags, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
        for _ in range(100):
            try:
                text = path.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                raise StoreError(
                    f'The key file "{path}" cannot be read: {error.strerror}. It must be a file '
                    "that the account Fairtier runs under may read."
                ) from error
            if re.fullmatch("[0-9a-f]{64}", text):
                return bytes.fromhex(text)
        raise StoreError(f'The key file "{path}" is damaged. Put it back from your back-up.')

    # Questions

    def version(self) -> int:
        """How many returns were accepted: a mark for what a cached answer was made from."""
        entries = self.returns()
        return entries[-1].sequence if entries else 0

    def reach(self, scope: Scope) -> Reach:
        """How far a scope reaches: by the registers in force today, whatever day is asked about."""
        return reach_of(scope, Parties() if scope.sees_everything else self.parties())

    def parties(self) -> Parties:
        """Who has which part in which contract, by the registers in force today."""
        entries = self.returns()
        mark = tuple(entry.return_id for entry in entries if not entry.months)
        if self._parties[0] != mark:
            tables = self.registers(OPERATOR)
            contracts = tables["contracts"].select(["contract_id", "commissioner_id", "prime_id"])
            agreements = tables["agreements"].select(["contract_id", "subcontractor_id"])
            found = Parties(
                tuple(tuple(row.values()) for row in contracts.to_pylist()),
                tuple(tuple(row.values()) for row in agreements.to_pylist()),
                keepers(entries),
            )
            self._parties = (mark, found)
        return self._parties[1]

    def frames(self, scope: Scope, as_of: dt.date | None = None) -> Frames:
        """The rows in force on a day that the scope may see, as lazy frames over DuckDB.

        Registers have one row per key, whoever reported it. Of organisations and contracts the
        keeper's row stands first; of agreements and prices the commissioner's before the
        network's, and that before the prime's. `coverage` has one row per table, reporter and
        month covered by returns in force, with the day the return was received.
        """
        entries = self.returns()
        logged = sum(entry.row_count for entry in entries if entry.months)
        held = (*TABLES, "coverage") if logged <= _HELD_ROWS else _SMALL
        return self._frames(self.reach(scope), as_of, entries, held)

    def _frames(
        self,
        reach: Reach,
        as_of: dt.date | None,
        entries: Sequence[Return],
        held: Sequence[str],
    ) -> Frames:
        """The frames; those `held` are worked out once and kept in memory, others when asked."""
        connection = duckdb.connect()
        with _store_errors(self.store):
            current = in_force(entries, as_of)
            _register_in_force(connection, current, keepers(entries))
            for table in TABLES.values():
                connection.execute(
                    f"CREATE VIEW all_{table.id} AS "
                    f"FROM {self._relation(table, self._delta(table.id))}"
                )
            for name, sql in _current_views().items():
                kind = "TABLE" if name in held else "VIEW"
                connection.execute(f"CREATE {kind} {name} AS {sql}")
            return {
                name: nw.from_native(connection.sql(reach.rows_sql(name, name)))
                for name in (*TABLES, "coverage")
            }

    def registers(self, scope: Scope, as_of: dt.date | None = None) -> dict[str, pa.Table]:
        """The registers in force as Arrow tables, as far as the scope may see them."""
        held = ("organisations", "contracts")
        frames = self._frames(self.reach(scope), as_of, self.returns(), held)
        return {
            table.id: frames[table.id].collect("pyarrow").to_native()
            for table in TABLES.values()
            if table.is_register
        }

    def rows_of(self, scope: Scope, entry: Return) -> pa.Table:
        """The rows of one return as they were received (client marks hashed), with row numbers.

        NotAllowed unless the return is the asker's own, or the asker is its reporter's agent.
        """
        if not scope.may_see_original(entry.reporter_id):
            raise NotAllowed(NOT_SHOWN)
        table = TABLES[entry.table]
        with _store_errors(self.store), cursor() as connection:
            relation = self._relation(table, self._delta(table.id))
            return connection.sql(
                f"SELECT row_number, unnest(as_received) FROM {relation} "
                f"WHERE return_id = '{entry.return_id}' ORDER BY row_number"
            ).to_arrow_table()

    # Proof

    def verify(self, progress: Callable[[str], None] = lambda _stage: None) -> Inspection:
        """Re-read every stored return and the audit chain, and compare."""
        faults: list[str] = []
        notes: list[str] = []
        try:
            delta = self._delta("returns")
            entries = self._reread_entries(delta) if delta else ()
        except (DeltaError, OSError, duckdb.Error, TypeError, KeyError) as error:
            fault = f"The history cannot be read: {_first_line(str(error))}"
            return Inspection(0, 0, "", (fault,), ())
        faults += chain_faults(entries)
        faults += self._end_faults(entries)
        row_count = 0
        for table in TABLES.values():
            progress(f"re-reading {table.id}")
            mine = {entry.return_id: entry for entry in entries if entry.table == table.id}
            try:
                found, drifted = self._reread_rows(table)
            except (DeltaError, OSError, duckdb.Error) as error:
                faults.append(f"The rows of {table.id} cannot be read: {_first_line(str(error))}")
                continue
            row_count += sum(count for count, _ in found.values())
            for return_id, entry in mine.items():
                count, digest = found.pop(return_id, (0, ""))
                named = f"return {return_id} ({entry.file_name or 'nil'}, by {entry.reporter_id})"
                if count != entry.row_count:
                    faults.append(
                        f"{table.id}: {named} has {count} rows, but {entry.row_count} were "
                        "recorded."
                    )
                elif digest != entry.rows_sha256:
                    faults.append(f"{table.id}: the rows of {named} were altered.")
                if return_id in drifted:
                    faults.append(
                        f"{table.id}: {drifted[return_id]} rows of {named} hold values other than "
                        "those received."
                    )
            notes += [
                f"{table.id}: {count} rows of a submission that was never completed "
                f"({return_id}); they count for nothing."
                for return_id, (count, _) in sorted(found.items())
            ]
        head_hash = entries[-1].entry_hash if entries else ""
        return Inspection(len(entries), row_count, head_hash, tuple(faults), tuple(notes))

    def _end_faults(self, entries: Sequence[Return]) -> list[str]:
        """What is wrong with the end of the chain and with the key."""
        faults = []
        noted = self._noted_end()
        if entries and noted is None:
            faults.append(
                'The note of where the history ends, "chain-end.json", is missing or damaged.'
            )
        elif noted is not None and noted["entry_hash"] not in [e.entry_hash for e in entries]:
            faults.append(
                f"The end of the history is missing: it had {noted['sequence']} returns, and "
                f"{len(entries)} are there."
            )
        if any(entry.row_count for entry in entries):
            try:
                self.client_key()
            except StoreError as error:
                faults.append(str(error))
        return faults

    def _reread_rows(self, table: Table) -> tuple[dict[str, tuple[int, str]], dict[str, int]]:
        relation = self._relation(table, self._delta(table.id))
        with cursor() as connection:
            digests = connection.execute(digest_sql(table, relation)).fetchall()
            drifts = connection.execute(drift_sql(table, relation)).fetchall()
        return {name: (count, digest) for name, count, digest in digests}, dict(drifts)


def _register_in_force(
    connection: duckdb.DuckDBPyConnection, current: InForce, keeper_ids: frozenset[str]
) -> None:
    registers = pa.table(
        {
            "return_id": pa.array([e.return_id for e in current.registers], pa.string()),
            "sequence": pa.array([e.sequence for e in current.registers], pa.int64()),
            "received_on": pa.array([e.received_on for e in current.registers], pa.date32()),
        }
    )
    months = pa.table(
        {
            "return_id": pa.array([e.return_id for e, _ in current.months], pa.string()),
            "table": pa.array([e.table for e, _ in current.months], pa.string()),
            "reporter_id": pa.array([e.reporter_id for e, _ in current.months], pa.string()),
            "month": pa.array([month for _, month in current.months], pa.date32()),
            "received_on": pa.array([e.received_on for e, _ in current.months], pa.date32()),
        }
    )
    versions = pa.table(
        {
            "return_id": pa.array([e.return_id for e, _, _ in current.forecasts], pa.string()),
            "month": pa.array([month for _, month, _ in current.forecasts], pa.date32()),
            "issued_on": pa.array([version for _, _, version in current.forecasts], pa.date32()),
            "received_on": pa.array([e.received_on for e, _, _ in current.forecasts], pa.date32()),
        }
    )
    for name, table in (("registers", registers), ("months", months), ("versions", versions)):
        connection.register(f"{name}_arrow", table)
        connection.execute(f"CREATE TABLE in_force_{name} AS FROM {name}_arrow")
        connection.unregister(f"{name}_arrow")
    connection.register(
        "keepers_arrow", pa.table({"keeper_id": pa.array(sorted(keeper_ids), pa.string())})
    )
    connection.execute("CREATE TABLE keepers AS FROM keepers_arrow")
    connection.unregister("keepers_arrow")


_RANK_OF_REPORTER = """
    CASE WHEN r.reporter_id = c.commissioner_id THEN 0
         WHEN r.reporter_id = c.prime_id THEN 2
         WHEN r.reporter_id IN (SELECT keeper_id FROM keepers) THEN 1
         ELSE 3 END
"""

# Who is whose commissioner and prime is for the keeper to say; nobody promotes itself.
_KEEPER_FIRST = "CASE WHEN r.reporter_id IN (SELECT keeper_id FROM keepers) THEN 0 ELSE 1 END"


def _columns(table: Table, prefix: str = "") -> str:
    return ", ".join(prefix + quoted(column.stored) for column in table.columns)


def _latest_per_key(table: Table, rank: str, join: str, where: str = "") -> str:
    key = ", ".join(f"r.{quoted(table.column(name).stored)}" for name in table.key)
    return f"""
        SELECT {_columns(table, "r.")}, r.reporter_id, r.return_id, r.row_number
        FROM all_{table.id} r
        JOIN in_force_registers USING (return_id) {join} {where}
        QUALIFY row_number() OVER (PARTITION BY {key}
            ORDER BY {rank}, received_on DESC, sequence DESC, r.row_number DESC) = 1
    """


def _current_views() -> dict[str, str]:
    contract = "LEFT JOIN contracts c ON c.contract_id = r.contract_id"
    agreements = TABLES["agreements"]
    # A subcontractor's own row says one thing: whether it consented to be named.
    consent = f"""
        WITH own AS (
            SELECT r.contract_id, r.subcontractor_id, r.consented_on FROM all_agreements r
            JOIN in_force_registers USING (return_id) WHERE r.reporter_id = r.subcontractor_id
            QUALIFY row_number() OVER (PARTITION BY r.contract_id, r.subcontractor_id
                ORDER BY received_on DESC, sequence DESC, r.row_number DESC) = 1
        ),
        agreed AS ({
        _latest_per_key(agreements, _RANK_OF_REPORTER, contract, f"WHERE ({_RANK_OF_REPORTER}) < 3")
    })
        SELECT agreed.* REPLACE (
            CASE WHEN own.contract_id IS NULL THEN agreed.consented_on ELSE own.consented_on END
            AS consented_on)
        FROM agreed LEFT JOIN own USING (contract_id, subcontractor_id)
    """
    logs = {
        table_id: f"""
            SELECT {_columns(TABLES[table_id], "r.")}, r.row_month AS month, r.reporter_id,
                r.return_id, r.row_number
            FROM all_{table_id} r SEMI JOIN in_force_months f
            ON r.return_id = f.return_id AND r.row_month = f.month
        """
        for table_id in ("referrals", "payments")
    }
    return {
        "organisations": _latest_per_key(TABLES["organisations"], _KEEPER_FIRST, ""),
        "contracts": _latest_per_key(TABLES["contracts"], _KEEPER_FIRST, ""),
        "agreements": consent,
        "prices": _latest_per_key(TABLES["prices"], _RANK_OF_REPORTER, contract),
        "forecasts": f"""
            SELECT {_columns(TABLES["forecasts"], "r.")}, r.reporter_id,
                CASE WHEN r.reporter_id = c.commissioner_id THEN 0
                     WHEN r.reporter_id = c.prime_id THEN 2 ELSE 1 END AS issuer_rank,
                r.return_id, r.row_number, f.received_on
            FROM all_forecasts r {contract}
            JOIN in_force_versions f ON r.return_id = f.return_id
                AND r.month = f.month AND r.issued_on = f.issued_on
        """,
        **logs,
        "coverage": 'SELECT "table", reporter_id, month, received_on FROM in_force_months',
    }
