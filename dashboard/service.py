"""What the commands and the pages ask for: the one place where checks, ledger and metrics meet."""

from __future__ import annotations

import datetime as dt
import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw

from checks.definition import Circumstances, Verdict
from data.errors import BadOption, ReturnRefused, UnusableFile, UserError
from data.ledger import Inspection, Ledger, Receipt
from data.parse import PATTERNS, parse_date, parse_months
from data.read import Sheet, read_content, read_file
from data.returns import in_force, keepers
from data.rows import covered_months
from data.table import Table
from data.tables import table_named
from metrics.assessment import assess_facts
from metrics.explanation import Explanation, explain, explained
from metrics.facts import gather
from metrics.frames import Frames
from metrics.raised_share import raised_too_often
from metrics.rules import Rules, rules_as_of
from metrics.what_if import Comparison, Override, by_register, compared, overridden
from metrics.window import AGREEMENT
from metrics.without_agreement import without_agreement
from metrics.wording import count

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
    """A return that was read and checked, and has not been recorded; `sheet` None is a nil return.

    `seen` are the returns that were there when it was checked. `effects` say in sentences what
    recording it changes beyond adding its rows.
    """

    table: Table
    sheet: Sheet | None
    verdict: Verdict
    reporter_id: str | None
    months: tuple[dt.date, ...]
    versions: tuple[dt.date, ...]
    received_on: dt.date
    seen: tuple[Return, ...]
    effects: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlagReport:
    """Every assessment as of a day, and the rules it was made with.

    `overrides` are the rules that are not the register's, `comparisons` what they change. `notes`
    name what is on record and counts for no agreement.
    """

    as_of: dt.date
    through: dt.date | None
    rules: Rules
    assessments: tuple[Assessment, ...]
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def overrides(self) -> tuple[Override, ...]:
        """The rules asked for in place of the register's."""
        return overridden(self.rules, self.as_of)

    @property
    def what_if(self) -> tuple[str, ...]:
        """What is not as in the register, and what that changes; nothing without an override."""
        if not self.overrides:
            return ()
        marked = "; ".join(one.sentence for one in self.overrides)
        changed = [f"{one.flag}: {one.sentence}" for one in self.comparisons]
        changes = changed or ["No flag uses what was overridden."]
        return (f"What if, not as in the register: {marked}.", *changes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Flags that raise so much that their rule or the data may be wrong."""
        return tuple(one.sentence for one in raised_too_often(self.assessments, self.rules))

    def answer(self) -> dict[str, Any]:
        """The JSON answer of `fairtier flags`, as the data standard has it."""
        return {
            "as_of": self.as_of.isoformat(),
            "rules": {rule.id: rule.shown for rule in self.rules.values()},
            "overridden": [one.asked.id for one in self.overrides],
            "what_if": [one.answer() for one in self.comparisons],
            "warnings": list(self.warnings),
            "notes": list(self.notes),
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
        by = None if by is None else _reporter(by)
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
            keepers=keepers(entries),
        )
        verdict = self.checker(sheet, table, circumstances)
        draft = Draft(table, sheet, verdict, by, months or (), versions, received, entries)
        if by is None or not verdict.fit:
            return draft
        guessed = _guessed(draft) if not covers else []
        return replace(draft, effects=(*guessed, *self._effects(draft)))

    def examine_nil(
        self,
        table_name: str,
        *,
        by: str,
        covers: str | None,
        received_on: dt.date | None = None,
    ) -> Draft:
        """The return that says an organisation had nothing to report for the months covered."""
        table, by = table_named(table_name), _reporter(by)
        if table.is_register or table.version:
            raise BadOption(
                f"A nil return says that nothing happened, so it is for referrals and payments, "
                f"not for {table.id}."
            )
        if not covers:
            raise BadOption("A nil return needs the months it covers, such as 2011-06..2012-03.")
        received = _received_on(received_on)
        months = _months(table, covers, received) or ()
        entries = self.ledger().returns()
        _require_part(by, self._registers_in_force(entries))
        verdict = Verdict(table=table.id, file="", rows=0, findings=())
        draft = Draft(table, None, verdict, by, months, (), received, entries)
        return replace(draft, effects=tuple(self._effects(draft)))

    def record(self, draft: Draft, progress: Progress = silent) -> Receipt:
        """Record a draft that the checks found fit; ReturnRefused if they did not."""
        if not draft.verdict.fit:
            refusals = sum(f.severity == "refuse" for f in draft.verdict.findings)
            raise ReturnRefused(
                f'"{draft.verdict.file}" was refused: {refusals} '
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
        if not lines:
            raise UnusableFile(f'"{manifest}" lists no return.')
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
                    draft = self.examine_nil(
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

    def _effects(self, draft: Draft) -> list[str]:
        """What recording a fit draft changes beyond adding its rows, one sentence each."""
        later = [
            entry
            for entry in draft.seen
            if entry.table == draft.table.id
            and entry.reporter_id == draft.reporter_id
            and entry.received_on > draft.received_on
            and (not draft.months or set(entry.months) & set(draft.months))
            and (not draft.versions or set(entry.versions) & set(draft.versions))
        ]
        effects = [
            f"The return {entry.return_id}, received later ({entry.received_on}), stands for what "
            "both cover; this one counts there only for questions as of an earlier day."
            for entry in later
        ]
        if draft.table.is_register:
            return [*effects, *self._dropped(draft)]
        if draft.table.version:
            return effects
        return [*effects, *_coverage(draft), *self._none_for(draft)]

    def _dropped(self, draft: Draft) -> list[str]:
        """Which rows of the reporter's register before are not in the new one."""
        before = [
            entry
            for entry in in_force(draft.seen, draft.received_on).registers
            if entry.table == draft.table.id and entry.reporter_id == draft.reporter_id
        ]
        if not before or draft.sheet is None:
            return []
        keys = list(draft.table.key)
        earlier = _keys(self._ledger.rows_of(before[0]), keys)
        gone = sorted(earlier - _keys(draft.sheet.rows, keys))
        if not gone:
            return []
        return [
            f"{count(len(gone), 'row')} of your earlier {draft.table.id} register "
            f"{'is' if len(gone) == 1 else 'are'} not in this one and will no longer count: "
            f"{_listed([' '.join(filter(None, key)) for key in gone])}."
        ]

    def _none_for(self, draft: Draft) -> list[str]:
        """Which agreements the return covers without a row: they will count as none."""
        registers = self._registers_in_force(draft.seen)
        contracts = registers["contracts"].to_pylist()
        as_prime = {c["contract_id"] for c in contracts if c["prime_id"] == draft.reporter_id}
        pairs = {
            (row["contract_id"], row["subcontractor_id"])
            for row in registers["agreements"].to_pylist()
            if row["contract_id"] in as_prime or row["subcontractor_id"] == draft.reporter_id
        }
        rows = set() if draft.sheet is None else _keys(draft.sheet.rows, list(AGREEMENT))
        none = sorted(pairs - rows)
        if not none:
            return []
        lost = self._rows_before(draft)
        effects = [
            f"Your earlier return had {count(lost[pair], 'row')} for {pair[1]} in {pair[0]} in "
            "these months; this one has none, so they will count as zero."
            for pair in none
            if pair in lost
        ]
        quiet = [f"{pair[1]} in {pair[0]}" for pair in none if pair not in lost]
        if draft.sheet is not None and quiet:
            effects.append(
                f"No row for {_listed(quiet)}: in the months covered they count as none."
            )
        return effects

    def _rows_before(self, draft: Draft) -> dict[tuple[str, str], int]:
        """How many rows the reporter's returns before have for each agreement in the months."""
        if not any(
            entry.table == draft.table.id and entry.reporter_id == draft.reporter_id
            for entry in draft.seen
        ):
            return {}
        found = (
            self._ledger.frames()[draft.table.id]
            .filter(
                nw.col("reporter_id") == draft.reporter_id,
                nw.col("month").is_in(list(draft.months)),
            )
            .group_by(*AGREEMENT)
            .agg(nw.len().alias("rows"))
            .collect("pyarrow")
            .to_native()
            .to_pylist()
        )
        return {(row["contract_id"], row["subcontractor_id"]): row["rows"] for row in found}

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
        """Every flag for every agreement and contract, raised or not.

        With overrides the register's rules are held against the same facts, to say what changes.
        """
        day = as_of or dt.date.today()
        rules = rules_as_of(day).override(overrides or {})
        frames = self.frames(day)
        facts = gather(frames, day, through)
        found = assess_facts(facts, rules)
        asked = overridden(rules, day)
        return FlagReport(
            day,
            through,
            rules,
            tuple(found),
            compared(found, by_register(facts, asked), asked),
            tuple(one.sentence for one in without_agreement(frames)),
        )

    def explain(
        self,
        flag_id: str,
        contract_id: str,
        subcontractor_id: str | None = None,
        *,
        as_of: dt.date | None = None,
        through: dt.date | None = None,
        overrides: Mapping[str, str] | None = None,
        asker_id: str | None = None,
    ) -> Explanation:
        """One answer in full; UnknownFlag or NotOnRecord with the nearest id that is known."""
        day = as_of or dt.date.today()
        rules = rules_as_of(day).override(overrides or {})
        facts = gather(self.frames(day), day, through)
        return explain(facts, rules, flag_id, contract_id, subcontractor_id, asker_id)

    def explanations(
        self, report: FlagReport, contract_id: str, subcontractor_id: str | None
    ) -> tuple[Explanation, ...]:
        """Every answer of a report about one agreement or contract, in full."""
        frames = self.frames(report.as_of).of_contracts([contract_id])
        facts = gather(frames, report.as_of, report.through)
        return tuple(
            explained(found, facts, report.rules)
            for found in report.assessments
            if (found.contract_id, found.subcontractor_id) == (contract_id, subcontractor_id)
        )

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


def _reporter(organisation_id: str) -> str:
    """The id without space around it; BadOption if it is none."""
    reporter_id = organisation_id.strip()
    if not re.fullmatch(PATTERNS["id"], re.sub("[1-9]", "0", reporter_id)):
        raise BadOption(
            f'We read "{organisation_id}" for the reporting organisation. Give its id from the '
            "organisations register, such as GB-CHC-1164883."
        )
    return reporter_id


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _keys(rows: Any, columns: list[str]) -> set[tuple[str, ...]]:
    """The values of key columns as text, empty for a cell or column that is not there."""
    present = [name for name in columns if name in rows.column_names]
    distinct = rows.group_by(present).aggregate([])
    return {
        tuple((row.get(name) or "").strip() for name in columns) for row in distinct.to_pylist()
    }


def _guessed(draft: Draft) -> list[str]:
    if draft.table.is_register or draft.table.version or not draft.months:
        return []
    first, last = draft.months[0], draft.months[-1]
    return [
        f"The months covered were taken from the rows: {first:%Y-%m} to {last:%Y-%m}. If you "
        "also had nothing to report before or after, name those months as covered too."
    ]


def _coverage(draft: Draft) -> list[str]:
    effects = []
    last = draft.months[-1]
    if draft.sheet is not None:
        with_rows, _ = covered_months(draft.sheet, draft.table)
        empty = [f"{month:%Y-%m}" for month in draft.months if month not in set(with_rows)]
        if empty:
            effects.append(f"Covered without a row, so reported as none: {', '.join(empty)}.")
    next_month = (last + dt.timedelta(days=32)).replace(day=1)
    if draft.received_on < next_month - dt.timedelta(days=1):
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
    where = f'"{manifest}", entry {number}'
    unknown = sorted(set(line) - set(_MANIFEST_KEYS))
    if unknown:
        raise BadOption(
            f'{where}: "{unknown[0]}" is not known. An entry has {", ".join(_MANIFEST_KEYS)}.'
        )
    for key, value in line.items():
        wanted = bool if key == "nil" else str
        if value is not None and not isinstance(value, wanted):
            kind = "true or false" if key == "nil" else "text in quotes"
            raise BadOption(f'{where}: "{key}" must be {kind}.')
    for key in ("table", "by"):
        if not line.get(key):
            raise BadOption(f'{where}: "{key}" is missing.')
    if bool(line.get("nil")) == bool(line.get("file")):
        raise BadOption(f'{where}: give either "file" or "nil": true, not both.')
    return Delivery(
        table=line["table"],
        by=line["by"],
        file=manifest.parent / line["file"] if line.get("file") else None,
        covers=line.get("covers") or None,
        received_on=line.get("received_on") or None,
    )
