"""Returns: who reported what for which months, and which of them are in force on a day.

Every accepted return is one entry of an audit chain: it carries the hash of the entry before
it, so none can be altered, removed or slipped in between without the later hashes giving it away.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from data.tables import TABLES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

NO_FILE_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Return:
    """One accepted return.

    `months` are first days (none for registers); `versions` the issue days of a forecast.
    `warnings` are the ids of the checks that warned. `replaced` are the returns whose rows it
    put out of force, wholly or for some months. `rows_sha256` is the digest of the stored rows.
    """

    sequence: int
    return_id: str
    table: str
    reporter_id: str
    months: tuple[dt.date, ...]
    versions: tuple[dt.date, ...]
    nil: bool
    row_count: int
    file_name: str
    file_sha256: str
    rows_sha256: str
    received_on: dt.date
    recorded_at: dt.datetime
    warnings: tuple[str, ...]
    replaced: tuple[str, ...]
    previous_hash: str
    entry_hash: str

    @property
    def back_dated(self) -> bool:
        """Whether it was recorded as received on an earlier day than it came in."""
        return self.received_on < self.recorded_at.date()

    @property
    def covers(self) -> str:
        """The months covered, as people write them."""
        if not self.months:
            return "whole register"
        first, last = self.months[0], self.months[-1]
        return f"{first:%Y-%m}" if first == last else f"{first:%Y-%m} to {last:%Y-%m}"


def entry_hash(entry: Return) -> str:
    """SHA-256 over everything else in the entry, the previous hash included."""
    content = {name: value for name, value in asdict(entry).items() if name != "entry_hash"}
    canonical = json.dumps(content, default=str, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def chained(entry: Return, previous: Return | None) -> Return:
    """The entry as the next one after `previous`, with its sequence and hashes."""
    linked = replace(
        entry,
        sequence=previous.sequence + 1 if previous else 1,
        previous_hash=previous.entry_hash if previous else "",
        entry_hash="",
    )
    return replace(linked, entry_hash=entry_hash(linked))


def chain_faults(entries: Sequence[Return]) -> list[str]:
    """What is wrong with the audit chain, one sentence each; empty if nothing."""
    faults = []
    previous: Return | None = None
    for entry in entries:
        if entry.entry_hash != entry_hash(entry):
            faults.append(f"The history entry of return {entry.return_id} was altered.")
        expected = (previous.sequence + 1, previous.entry_hash) if previous else (1, "")
        if (entry.sequence, entry.previous_hash) != expected:
            faults.append(
                f"The audit chain is broken before return {entry.return_id}: an entry was "
                "removed, added or moved."
            )
        previous = entry
    return faults


def _order(entry: Return) -> tuple[dt.date, int]:
    return entry.received_on, entry.sequence


def keepers(entries: Iterable[Return]) -> frozenset[str]:
    """Who runs the ledger: whoever recorded the first register of organisations."""
    firsts = (entry.reporter_id for entry in entries if entry.table == "organisations")
    return frozenset(itertools.islice(firsts, 1))


@dataclass(frozen=True)
class InForce:
    """What of the returns counts on a day.

    `registers` are return ids. `months` are (return id, month) of referrals and payments;
    `forecasts` are (return id, month, issue day).
    """

    registers: tuple[Return, ...]
    months: tuple[tuple[Return, dt.date], ...]
    forecasts: tuple[tuple[Return, dt.date, dt.date], ...]


def in_force(entries: Iterable[Return], as_of: dt.date | None = None) -> InForce:
    """The latest return for each register, month, and forecast version, received by `as_of`."""
    registers: dict[tuple[str, str], Return] = {}
    months: dict[tuple[str, str, dt.date], Return] = {}
    forecasts: dict[tuple[str, dt.date, dt.date], Return] = {}
    for entry in sorted(entries, key=_order):
        if as_of is not None and entry.received_on > as_of:
            break
        table = TABLES[entry.table]
        if table.is_register:
            registers[entry.table, entry.reporter_id] = entry
        elif table.version:
            for version in entry.versions:
                for month in entry.months:
                    forecasts[entry.reporter_id, month, version] = entry
        else:
            for month in entry.months:
                months[entry.table, entry.reporter_id, month] = entry
    return InForce(
        registers=tuple(registers.values()),
        months=tuple((entry, month) for (_, _, month), entry in months.items()),
        forecasts=tuple(
            (entry, month, version) for (_, month, version), entry in forecasts.items()
        ),
    )


def parts_in_force(entries: Iterable[Return], as_of: dt.date | None = None) -> dict[str, int]:
    """How many parts (register, month, month of a version) of each return are in force."""
    current = in_force(entries, as_of)
    counts: dict[str, int] = {}
    parts = (
        *current.registers,
        *(entry for entry, _ in current.months),
        *(entry for entry, _, _ in current.forecasts),
    )
    for entry in parts:
        counts[entry.return_id] = counts.get(entry.return_id, 0) + 1
    return counts


def part_count(entry: Return) -> int:
    """How many parts a return has when all of it is in force."""
    return max(len(entry.months), 1) * max(len(entry.versions), 1)


def replaced_by(entry: Return, entries: Sequence[Return]) -> tuple[str, ...]:
    """The returns that lose rows from force when `entry` is recorded after `entries`."""
    before, after = parts_in_force(entries), parts_in_force((*entries, entry))
    return tuple(
        earlier.return_id
        for earlier in entries
        if after.get(earlier.return_id, 0) < before.get(earlier.return_id, 0)
    )


def same_in_force(entry: Return, entries: Sequence[Return]) -> Return | None:
    """The return wholly in force that says the same as `entry` already, if there is one."""
    known = [earlier for earlier in entries if earlier.received_on <= entry.received_on]
    parts = parts_in_force(known, entry.received_on)
    for earlier in known:
        same = (
            earlier.table == entry.table
            and earlier.reporter_id == entry.reporter_id
            and earlier.months == entry.months
            and earlier.nil == entry.nil
            and earlier.file_sha256 == entry.file_sha256
        )
        if same and parts.get(earlier.return_id, 0) == part_count(earlier):
            return earlier
    return None


def overlaps(entry: Return, other: Return) -> bool:
    """Whether both speak for the same organisation, table and month (or register)."""
    return (
        entry.table == other.table
        and entry.reporter_id == other.reporter_id
        and (not entry.months or bool(set(entry.months) & set(other.months)))
    )
