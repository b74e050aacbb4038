"""What the commands and the pages ask for: the one place where checks, ledger and metrics meet."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw

from checks.definition import Circumstances, Verdict
from data.errors import BadOption, ReturnRefused, UnusableFile, UserError
from data.ledger import Inspection, Ledger, Receipt
from data.parse import parse_date, parse_months
from data.read import Sheet, read_content, read_file
from data.rows import covered_months
from data.table import Table
from data.tables import table_named
from metrics.assessment import assess
from metrics.frames import Frames
from metrics.rules import Rules, rules_as_of

if TYPE_CHECKING:
    from data.returns import Return
    from metrics.definition import Assessment

Checker = Callable[[Sheet, Table, Circumstances], Verdict]
Progress = Callable[[str], None]


def silent(_stage: str) -> None:
    """Report no progress."""


def check_here(sheet: Sheet, table: Table, circumstances: Circumstances) -> Verdict:
    """Run the checks in this process, importing them only now."""
    from checks.run import check  # noqa: PLC0415

    return check(sheet, table, circumstances)


@dataclass(frozen=True)
class Draft:
    """A file that was read and checked, and would be recorded as this return.

    `seen` are the returns that were there when it was checked. `effects` say in sentences what
    recording it changes beyond adding its rows.
    """

    table: Table
    sheet: Sheet
    verdict: Verdict
    reporter_id: str | None
    months: tuple[dt.date, ...]
    versions: tuple[dt.date, ...]
    received_on: dt.date
    seen: tuple[Return, ...]
    effects: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlagReport:
    """Every assessment as of a day, and the rules it was made with."""

    as_of: dt.date
    through: dt.date | None
    rules: Rules
    assessments: tuple[Assessment, ...]

    def answer(self) -> dict[str, Any]:
        """The JSON answer of `fairtier flags`, as the data standard has it."""
        return {
            "as_of": self.as_of.isoformat(),
            "rules": {
                rule.id: int(rule.value) if rule.whole else rule.number
                for rule in self.rules.values()
            },
            "flags": [assessment.answer() for assessment in self.assessments],
        }


@dataclass(frozen=True)
class Delivery:
    """One line of a manifest."""

    table: str
    by: str
    file: Path | None
    covers: str | None
    received_on: str | None


class Service:
    """Everything one store can be asked; `checker` runs the checks, here or in a worker."""

    def __init__(self, store: Path, checker: Checker = check_here):
        self.store = store
        self.checker = checker
        self._ledger = Ledger(store)
        self._registers: tuple[tuple[str, ...], Mapping[str, Any]] = ((), {})

    # Returns

    def examine(
        self,
        table_name: str,
        file: Path | tuple[str, bytes],
        *,
        by: str | None = None,
        covers: str | None = None,
        received_on: dt.date | None = None,
        progress: Progress = silent,
    ) -> Draft:
        """Read and check a file (a path, or a name and its bytes); nothing is stored."""
        table = table_named(table_name)
        progress("reading")
        if isinstance(file, Path):
            sheet = read_file(file, table)
        else:
            sheet = read_content(file[1], table, file[0])
        received = _received_on(received_on)
        found_months, versions = covered_months(sheet, table)
        months = _months(table, covers, received)
        if months is None and found_months:
            months = (
                parse_months(f"{found_months[0]:%Y-%m}..{found_months[-1]:%Y-%m}")
                if not table.version
                else found_months
            )
        entries = self._ledger.returns()
        progress("checking")
        circumstances = Circumstances(
            received_on=received,
            reporter_id=by,
            months=months if covers else None,
            registers=self._registers_in_force(entries),
            keepers=self._ledger.keepers(),
        )
        verdict = self.checker(sheet, table, circumstances)
        draft = Draft(table, sheet, verdict, by, months or (), versions, received, entries)
        if by is None or not verdict.fit:
            return draft
        effects = (*_coverage_effects(draft, covers), *self._losses(draft))
        return Draft(**{**draft.__dict__, "effects": effects})

    def record(self, draft: Draft, progress: Progress = silent) -> Receipt:
        """Record a draft that the checks found fit; ReturnRefused if they did not."""
        if not draft.verdict.fit:
            refusals = sum(f.severity == "refuse" for f in draft.verdict.findings)
            raise ReturnRefused(
                f'"{draft.sheet.file_name}" was refused: {refusals} '
                f"{'finding' if refusals == 1 else 'findings'} to mend. Nothing was stored."
            )
        if draft.reporter_id is None:
            raise BadOption("Say which organisation reports the return.")
        return self._ledger.record(
            draft.table,
            draft.sheet,
            reporter_id=draft.reporter_id,
            months=draft.months,
            versions=draft.versions,
            received_on=draft.received_on,
            warnings=tuple(f.check for f in draft.verdict.warnings),
            seen=draft.seen,
            progress=progress,
        )

    def record_nil(
        self,
        table_name: str,
        *,
        by: str,
        covers: str | None,
        received_on: dt.date | None = None,
    ) -> Receipt:
        """Record that an organisation had nothing to report for the months covered."""
        table = table_named(table_name)
        if table.is_register or table.version:
            raise BadOption(
                f"A nil return says that nothing happened, so it is for referrals and payments, "
                f"not for {table.id}."
            )
        if not covers:
            raise BadOption("A nil return needs the months it covers, such as 2011-06..2012-03.")
        received = _received_on(received_on)
        months = _months(table, covers, received) or ()
        ledger = self.ledger()
        _require_part(by, self._registers_in_force(ledger.returns()))
        return ledger.record(table, None, reporter_id=by, months=months, received_on=received)

    def deliveries(self, manifest: Path) -> list[Delivery]:
        """The lines of a manifest; UnusableFile or BadOption if it is not one."""
        try:
            lines = json.loads(manifest.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise UnusableFile(
                f'"{manifest}" cannot be read: {error.strerror}. Name the manifest of the returns.'
            ) from error
        except ValueError as error:
            raise UnusableFile(
                f'"{manifest}" is not JSON: {error}. A manifest is a list of '
                '{"table", "file", "by", "covers"}.'
            ) from error
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise UnusableFile(
                f'"{manifest}" is not a manifest: it must be a list of '
                '{"table", "file", "by", "covers"}.'
            )
        return [_delivery(line, number, manifest) for number, line in enumerate(lines, start=1)]

    def load(
        self, manifest: Path, progress: Progress = silent
    ) -> Iterator[tuple[Delivery, Draft | None, Receipt | UserError]]:
        """Submit the returns of a manifest in order, yielding what became of each."""
        for delivery in self.deliveries(manifest):
            draft: Draft | None = None
            try:
                received = parse_date(delivery.received_on) if delivery.received_on else None
                if delivery.file is None:
                    receipt = self.record_nil(
                        delivery.table, by=delivery.by, covers=delivery.covers, received_on=received
                    )
                else:
                    draft = self.examine(
                        delivery.table,
                        delivery.file,
                        by=delivery.by,
                        covers=delivery.covers,
                        received_on=received,
                        progress=progress,
                    )
                    receipt = self.record(draft, progress)
            except UserError as error:
                yield delivery, draft, error
            else:
                yield delivery, draft, receipt

    def _registers_in_force(self, entries: tuple[Return, ...]) -> Mapping[str, Any]:
        mark = tuple(entry.return_id for entry in entries if not entry.months)
        if not mark:
            return {}
        if self._registers[0] != mark:
            self._registers = (mark, self._ledger.registers())
        return self._registers[1]

    def _losses(self, draft: Draft) -> list[str]:
        """Which agreements had rows in the months covered and have none in the new return."""
        if (
            draft.table.is_register
            or draft.table.version
            or not any(
                entry.table == draft.table.id and entry.reporter_id == draft.reporter_id
                for entry in draft.seen
            )
        ):
            return []
        pair = ["contract_id", "subcontractor_id"]
        before = (
            self._ledger.frames()[draft.table.id]
            .filter(
                nw.col("reporter_id") == draft.reporter_id,
                nw.col("month").is_in(list(draft.months)),
            )
            .group_by(*pair)
            .agg(nw.len().alias("rows"))
            .collect("pyarrow")
            .to_native()
            .to_pylist()
        )
        rows = draft.sheet.rows.select(pair).to_pylist()
        after = {tuple((row[name] or "").strip() for name in pair) for row in rows}
        return [
            f"Your earlier return had {row['rows']} rows for {row['subcontractor_id']} in "
            f"{row['contract_id']} in these months; this one has none, so they will count as zero."
            for row in sorted(before, key=lambda row: [row[name] for name in pair])
            if tuple(row[name] for name in pair) not in after
        ]

    # Questions

    def ledger(self) -> Ledger:
        """The ledger of a store that exists; StoreError otherwise."""
        self._ledger.require()
        return self._ledger

    def frames(self, as_of: dt.date | None = None) -> Frames:
        """The rows in force on a day, as the metrics take them."""
        return Frames(**self.ledger().frames(as_of))

    def flags(
        self,
        *,
        as_of: dt.date | None = None,
        through: dt.date | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> FlagReport:
        """Every flag for every agreement and contract, raised or not."""
        day = as_of or dt.date.today()
        rules = rules_as_of(day).override(overrides or {})
        assessments = assess(self.frames(day), day, through, rules)
        return FlagReport(day, through, rules, tuple(assessments))

    def history(self) -> tuple[Return, ...]:
        """Every return ever accepted, in order; none of an empty store."""
        return self._ledger.returns()

    def registers(self, as_of: dt.date | None = None) -> Mapping[str, Any]:
        """The registers in force on a day, as Arrow tables; empty ones for an empty store."""
        return self._ledger.registers(as_of)

    def version(self) -> int:
        """How many returns there are: what an answer may be remembered under."""
        return self._ledger.version()

    def verify(self, progress: Progress = silent) -> Inspection:
        """Re-read the whole store and say what was altered."""
        return self.ledger().verify(progress)


def _received_on(day: dt.date | None) -> dt.date:
    today = dt.date.today()
    if day is not None and day > today:
        raise BadOption(f"A return cannot have been received on {day}: that is still to come.")
    return day or today


def _months(table: Table, covers: str | None, received_on: dt.date) -> tuple[dt.date, ...] | None:
    if not covers:
        return None
    if table.is_register:
        raise BadOption(
            f"{table.id} is a register, and a return replaces the whole of it: name no months."
        )
    months = parse_months(covers)
    if not table.version and months[-1] > received_on:
        raise BadOption(
            f"The return covers {months[-1]:%Y-%m}, which had not begun on {received_on}, the day "
            "it was received. Cover only months that are over."
        )
    return months


def _coverage_effects(draft: Draft, covers: str | None) -> list[str]:
    if draft.table.is_register or draft.table.version or not draft.months:
        return []
    effects = []
    first, last = draft.months[0], draft.months[-1]
    if not covers:
        effects.append(
            f"The months covered were taken from the rows: {first:%Y-%m} to {last:%Y-%m}. If you "
            "also had nothing to report before or after, name those months as covered too."
        )
    with_rows, _ = covered_months(draft.sheet, draft.table)
    empty = [f"{month:%Y-%m}" for month in draft.months if month not in set(with_rows)]
    if empty:
        effects.append(f"Covered without a row, so reported as none: {', '.join(empty)}.")
    if (last.year, last.month) == (draft.received_on.year, draft.received_on.month):
        effects.append(
            f"{last:%Y-%m} was not over when the return was received. Send it again when it is."
        )
    return effects


def _require_part(reporter_id: str, registers: Mapping[str, Any]) -> None:
    parts: set[str] = set()
    for table_id, column in (("contracts", "prime_id"), ("agreements", "subcontractor_id")):
        if table_id in registers:
            parts.update(registers[table_id].column(column).to_pylist())
    if reporter_id not in parts:
        near = difflib.get_close_matches(reporter_id, sorted(parts), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise BadOption(
            f"{reporter_id} is neither a prime nor a subcontractor in the registers, so it has "
            f"nothing to report.{hint}"
        )


_MANIFEST_KEYS = ("table", "file", "by", "covers", "nil", "received_on")


def _delivery(line: Mapping[str, Any], number: int, manifest: Path) -> Delivery:
    unknown = sorted(set(line) - set(_MANIFEST_KEYS))
    if unknown:
        raise BadOption(
            f'"{manifest}", entry {number}: "{unknown[0]}" is not known. An entry has '
            f"{', '.join(_MANIFEST_KEYS)}."
        )
    for key in ("table", "by"):
        if not isinstance(line.get(key), str):
            raise BadOption(f'"{manifest}", entry {number}: "{key}" is missing.')
    nil = bool(line.get("nil"))
    if nil == bool(line.get("file")):
        raise BadOption(
            f'"{manifest}", entry {number}: give either "file" or "nil": true, not both.'
        )
    return Delivery(
        table=line["table"],
        by=line["by"],
        file=None if nil else manifest.parent / str(line["file"]),
        covers=line.get("covers") or None,
        received_on=line.get("received_on") or None,
    )
