"""What the commands and the pages ask for: the one place where checks, ledger and metrics meet."""

from __future__ import annotations

import datetime as dt
import difflib
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from checks.definition import Circumstances, Verdict
from data.errors import BadOption, NotAllowed, NotOnRecord, ReturnRefused, UnusableFile, UserError
from data.ledger import Inspection, Ledger, Receipt
from data.parse import PATTERNS, parse_date, parse_months
from data.read import Sheet, read_content, read_file
from data.returns import in_force as returns_in_force
from data.returns import keepers
from data.rows import covered_months
from data.scope import NOT_SHOWN, OPERATOR, PUBLIC, Reach, Role, Scope
from data.settings import has_database
from data.table import Table
from data.tables import TABLES, table_named
from metrics.assessment import agreement_months, assess_facts, payment_months
from metrics.concentration import concentration
from metrics.conversion import conversion
from metrics.disclosure import policy_of
from metrics.explanation import Explanation, explain, explained
from metrics.facts import gather
from metrics.fee_sampling import sampling_interval
from metrics.frames import Frames
from metrics.own_returns import rests_on_subcontractor
from metrics.payment_timing import payment_timing
from metrics.raised_share import raised_too_often
from metrics.redaction import redacted
from metrics.release import from_json, released, to_json, without
from metrics.rules import Rules, rules_as_of
from metrics.spend_by_sector import spend_by_contract, spend_by_programme, without_sums
from metrics.terms import known_by, own_terms
from metrics.what_if import Comparison, Override, by_register, compared, overridden
from metrics.window import AGREEMENT
from metrics.without_agreement import without_agreement
from metrics.wording import count

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.open_data.release import OpenRelease
    from data.database import Database
    from data.releases import Release
    from data.returns import Return
    from metrics.concentration import Concentration
    from metrics.conversion import Conversion
    from metrics.definition import Assessment
    from metrics.facts import Facts
    from metrics.fee_sampling import Sampling
    from metrics.payment_timing import PaymentTiming
    from metrics.release import Released
    from metrics.spend_by_sector import Spend
    from metrics.terms import MeasureId

_MOST_ANSWERS = 8
_MOST_SERVICES = 64
_ANOTHER = "another organisation"  # no id has spaces
_UNSHOWN = ("client_hash", "contract_id", "month")

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

    `overrides` are the rules that are not the register's; `by_register` the answers it would give
    of the flags that use them. `notes` name what is on record and counts for no agreement.
    """

    as_of: dt.date
    through: dt.date | None
    rules: Rules
    assessments: tuple[Assessment, ...]
    by_register: tuple[Assessment, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """What the overrides change, flag by flag."""
        return compared(self.assessments, self.by_register, self.overrides)

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


@dataclass(frozen=True)
class ContractFigures:
    """What describes a contract without a judgement."""

    spend: Spend
    concentration: Concentration
    conversion: Conversion


def forget_oldest(remembered: OrderedDict[Any, Any], most: int) -> None:
    """Keep no more than the newest few."""
    while len(remembered) > most:
        remembered.popitem(last=False)


class Shared:
    """What all askers of one store share, below any scope: never shown as it is."""

    def __init__(self, ledger: Ledger):
        self.ledger = ledger
        self.lock = Lock()  # for what is quick
        self.assessing = Lock()  # one long assessment at a time
        self.answers: OrderedDict[tuple[Any, ...], FlagReport] = OrderedDict()
        self.services: OrderedDict[Scope, Service] = OrderedDict()
        self._database: Database | None = None

    def database(self) -> Database | None:
        """The database of the store, where there is one."""
        if self._database is None and has_database(self.ledger.store):
            from data.database import Database  # noqa: PLC0415 - a store without one need not wait

            self._database = Database(self.ledger.store)
        return self._database

    def new_database(self) -> Database:
        """The database of the store, made where there is none."""
        found = self.database()
        if found is None:
            from data.database import Database  # noqa: PLC0415 - as in `database`

            found = self._database = Database(self.ledger.store)
        return found


class Service:
    """What one asker may ask of one store; `checker` runs the checks, here or in a worker.

    Answers are worked out from the whole ledger, so that everybody is told the same, and then
    limited to the asker's scope. Rows are limited before they are read.
    """

    def __init__(
        self,
        store: Path,
        scope: Scope,
        checker: Checker = check_here,
        _shared: Shared | None = None,
    ):
        self.store = store
        self.scope = scope
        self.checker = checker
        self._shared = _shared or Shared(Ledger(store))
        self._ledger = self._shared.ledger
        self._registers: tuple[tuple[str, ...], Mapping[str, Any]] = ((), {})

    def within(self, scope: Scope) -> Service:
        """The same store for another asker."""
        with self._shared.lock:
            found = self._shared.services.get(scope)
            if found is None:
                found = Service(self.store, scope, self.checker, self._shared)
                self._shared.services[scope] = found
                forget_oldest(self._shared.services, _MOST_SERVICES)
        return found

    def asked_by(self, organisation_id: str | None) -> Service:
        """The same store as an organisation sees it, or `public`; NotOnRecord if none has that id.

        Whoever first recorded the organisations is the network. None changes nothing.
        """
        if organisation_id is None:
            return self
        if organisation_id == "public":
            return self.within(PUBLIC)
        role: Role = "network" if organisation_id in self._ledger.keepers() else "member"
        ids = self.registers()["organisations"].column("organisation_id").to_pylist()
        if role == "member" and organisation_id not in ids:
            near = difflib.get_close_matches(organisation_id, ids, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise NotOnRecord(
                f'No organisation "{organisation_id}" is on record.{hint} Name who asks by an id '
                "from the register of organisations, or as public."
            )
        database = self._shared.database()
        if database is None:
            return self.within(Scope(role, organisation_id))
        from data.arrangements import scope_of  # noqa: PLC0415 - as in Shared.database

        return self.within(scope_of(database, role, organisation_id))

    def reach(self) -> Reach:
        """How far the asker's scope reaches in this ledger."""
        return self._ledger.reach(self.scope)

    def _require(self, contract_id: str, subcontractor_id: str | None) -> None:
        if not self.reach().sees(contract_id, subcontractor_id):
            raise NotOnRecord(NOT_SHOWN)

    def _require_prices(self, contract_id: str, subcontractor_id: str) -> None:
        reach = self.reach()
        if not (reach.sees(contract_id, subcontractor_id) and reach.sees_prices(contract_id)):
            raise NotOnRecord(NOT_SHOWN)

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
        by = None if by is None else self._reporter(by)
        received = self._received_on(received_on)
        progress("reading")
        if isinstance(file, Path):
            sheet = read_file(file, table)
        else:
            sheet = read_content(file[1], table, file[0])
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
            registers=self._registers_to_check(table, entries),
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
        table, by = table_named(table_name), self._reporter(by)
        if table.is_register or table.version:
            raise BadOption(
                f"A nil return says that nothing happened, so it is for referrals and payments, "
                f"not for {table.id}."
            )
        if not covers:
            raise BadOption("A nil return needs the months it covers, such as 2011-06..2012-03.")
        received = self._received_on(received_on)
        months = _months(table, covers, received) or ()
        entries = self.ledger().returns()
        _require_part(by, self._registers_in_force(entries))
        verdict = Verdict(table=table.id, file="", rows=0, findings=())
        draft = Draft(table, None, verdict, by, months, (), received, entries)
        return replace(draft, effects=tuple(self._effects(draft)))

    def _received_on(self, day: dt.date | None) -> dt.date:
        """The day a return counts as received: a member's own is today, whatever is said."""
        today = dt.date.today()
        if day is not None and day > today:
            raise BadOption(f"A return cannot have been received on {day}: that is still to come.")
        if day is not None and day < today and not self.scope.sees_everything:
            raise NotAllowed(
                "Only the network may say that a return was received on an earlier day. Leave "
                "received_on out: today counts."
            )
        return day or today

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
            self._registers = (mark, self._ledger.registers(self.scope))
        return self._registers[1]

    def _registers_to_check(self, table: Table, entries: tuple[Return, ...]) -> Mapping[str, Any]:
        """The asker's registers, and the bare ids beyond them that the verdict depends on.

        Whether an organisation is registered, or a contract has another commissioner, decides
        about a file whoever sends it; who or what they are is not told.
        """
        mine = self._registers_in_force(entries)
        if self.scope.sees_everything or not mine:
            return mine
        everything = self._ledger.registers(OPERATOR)
        found = dict(mine)
        bare = {"organisations": ["organisation_id"], "prices": ["contract_id", "client_group"]}
        if table.id == "contracts":
            bare["contracts"] = ["contract_id"]
        for register, columns in bare.items():
            rows = everything[register]
            if register == "prices":
                held = pa.array(sorted(self.reach().contracts), pa.string())
                rows = rows.filter(pc.is_in(rows["contract_id"], value_set=held))
            found[register] = _beside(mine[register], rows, columns, TABLES[register].key)
        return found

    def _reporter(self, organisation_id: str) -> str:
        """The id without space around it; BadOption if it is none, NotAllowed if not the asker's.

        A member of an organisation reports for it, the network and the operator for anybody.
        """
        reporter_id = organisation_id.strip()
        if not re.fullmatch(PATTERNS["id"], re.sub("[1-9]", "0", reporter_id)):
            raise BadOption(
                f'We read "{organisation_id}" for the reporting organisation. Give its id from the '
                "organisations register, such as GB-CHC-1164883."
            )
        if not self.scope.may_report_for(reporter_id):
            raise NotAllowed(
                f"You report for {self.scope.organisation_id or 'no organisation'}, not for "
                f"{reporter_id}. Ask the network if that is wrong."
            )
        return reporter_id

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
            for entry in returns_in_force(draft.seen, draft.received_on).registers
            if entry.table == draft.table.id and entry.reporter_id == draft.reporter_id
        ]
        if not before or draft.sheet is None:
            return []
        keys = list(draft.table.key)
        earlier = _keys(self._ledger.rows_of(OPERATOR, before[0]), keys)
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
            self._ledger.frames(self.scope)[draft.table.id]
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
        """The rows in force on a day that are the asker's to see, as the metrics take them."""
        return Frames(**self.ledger().frames(self.scope, as_of))

    def _everything(self, as_of: dt.date | None = None) -> Frames:
        """All rows in force on a day: to work out answers from, never to be shown."""
        return Frames(**self.ledger().frames(OPERATOR, as_of))

    def _facts(self, contract_ids: Sequence[str], day: dt.date, through: dt.date | None) -> Facts:
        """What the whole ledger says about some contracts."""
        frames = self._everything(day).of_contracts(contract_ids)
        return gather(frames, day, through, self.confidential())

    def confidential(self) -> frozenset[str]:
        """The contracts under embargo: they count with no others."""
        database = self._shared.database()
        if database is None:
            return frozenset()
        from data.arrangements import in_force  # noqa: PLC0415 - as in Shared.database

        return in_force(database, "confidential")

    # Releases

    def release(
        self,
        *,
        actor: str,
        day: dt.date | None = None,
        overrides: Mapping[str, str] | None = None,
        progress: Progress = silent,
    ) -> Release:
        """Make the next release of figures that everybody may see, as of a day (default today).

        NotAllowed for anybody but the network. Overrides can make the rules of disclosure
        stricter. What earlier releases showed limits what this one shows; where it would say just
        what the last one says, the last one stands.
        """
        from data import releases  # noqa: PLC0415 - as in Shared.database
        from data.arrangements import in_force  # noqa: PLC0415

        if not self.scope.sees_everything:
            raise NotAllowed(releases.NETWORK_ONLY)
        self.ledger()
        as_of = day or dt.date.today()
        rules = rules_as_of(as_of).override(overrides or {})
        database = self._shared.new_database()
        past = releases.releases(database)
        confidential = in_force(database, "confidential")
        terms_day = known_by(as_of, policy_of(rules))
        progress("gathering what may be released")
        facts = gather(self._everything(as_of), as_of, None, confidential)
        terms_facts = gather(self._everything(terms_day), terms_day, None, confidential)
        progress("hiding what would give somebody away")
        made = to_json(
            released(
                facts,
                terms_facts,
                rules,
                [from_json(one.content) for one in past],
                in_force(database, "ask_first"),
            )
        )
        if past and past[-1].content == made:
            return past[-1]
        return releases.keep(
            database,
            self.scope,
            number=len(past) + 1,
            as_of=as_of,
            content=made,
            actor=actor,
        )

    def latest_release(self) -> tuple[Release, Released] | None:
        """The last release as everybody may see it; None before the first.

        Of contracts that have become confidential since, and of their primes' terms, it shows
        nothing until the next.
        """
        database = self._shared.database()
        if database is None:
            return None
        from data import releases  # noqa: PLC0415 - as in Shared.database

        last = releases.latest(database)
        if last is None:
            return None
        primes = {
            row["contract_id"]: row["prime_id"]
            for row in self._ledger.registers(OPERATOR)["contracts"].to_pylist()
        }
        return last, without(from_json(last.content), self.confidential(), primes)

    def open_release(self, today: dt.date) -> OpenRelease | None:
        """The last release as it is written for everybody; None before the first."""
        found = self.latest_release()
        database = self._shared.database()
        if found is None or database is None:
            return None
        from dashboard.open_data.contents import open_release  # noqa: PLC0415
        from dashboard.proceedings import open_to_all  # noqa: PLC0415

        publisher = min(self._ledger.keepers(), default="")
        names = {
            row["organisation_id"]: row["name"]
            for row in self._ledger.registers(OPERATOR)["organisations"].to_pylist()
        }
        return open_release(
            *found, open_to_all(database, today), publisher, names.get(publisher, publisher)
        )

    def own_terms(self, day: dt.date) -> Mapping[tuple[MeasureId, str, str], float]:
        """The asker's own terms by measure, payment type and client group, where it delivers."""
        reach = self.reach()
        me = self.scope.organisation_id
        if me is None or not reach.as_subcontractor:
            return {}
        facts = self._facts(sorted(reach.as_subcontractor), day, None)
        return own_terms(facts, me)

    def flags(
        self,
        *,
        as_of: dt.date | None = None,
        through: dt.date | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> FlagReport:
        """Every flag for every agreement and contract that the asker may see, raised or not.

        With overrides the register's rules are held against the same facts, to say what changes.
        """
        day = as_of or dt.date.today()
        rules = rules_as_of(day).override(overrides or {})
        whole = self._assessed(day, through, rules)
        return replace(
            whole,
            assessments=self._limited(whole.assessments),
            by_register=self._limited(whole.by_register),
            notes=tuple(one.sentence for one in without_agreement(self.frames(day))),
        )

    def _assessed(self, day: dt.date, through: dt.date | None, rules: Rules) -> FlagReport:
        """Every answer that the whole ledger gives, remembered until something changes."""
        self.ledger()
        values = tuple((rule.id, rule.version, str(rule.value)) for rule in rules.values())
        confidential = self.confidential()
        key = (self.version(), day, through, values, confidential)
        with self._shared.assessing:
            if key not in self._shared.answers:
                facts = gather(self._everything(day), day, through, confidential)
                before = by_register(facts, overridden(rules, day))
                self._shared.answers[key] = FlagReport(
                    day, through, rules, tuple(assess_facts(facts, rules)), tuple(before)
                )
                forget_oldest(self._shared.answers, _MOST_ANSWERS)
            return self._shared.answers[key]

    def _limited(self, answers: Sequence[Assessment]) -> tuple[Assessment, ...]:
        """The answers that the asker may see, each without what is not the asker's."""
        reach = self.reach()
        if reach.scope.sees_everything:
            return tuple(answers)
        return tuple(
            redacted(found, reach)
            for found in answers
            if reach.sees(found.contract_id, found.subcontractor_id)
            and (
                reach.shows_flag(found.flag, found.contract_id, found.subcontractor_id)
                or not rests_on_subcontractor(found)
            )
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
    ) -> Explanation:
        """One answer in full; UnknownFlag or NotOnRecord with the nearest id that is known."""
        day = as_of or dt.date.today()
        rules = rules_as_of(day).override(overrides or {})
        facts = gather(self._everything(day), day, through, self.confidential())
        told = explain(facts, rules, flag_id, contract_id, subcontractor_id, reach=self.reach())
        if not self._limited([told.assessment]):
            raise NotOnRecord(NOT_SHOWN)
        return told

    def explanations(
        self, report: FlagReport, contract_id: str, subcontractor_id: str | None
    ) -> tuple[Explanation, ...]:
        """Every answer of a report about one agreement or contract, in full."""
        self._require(contract_id, subcontractor_id)
        facts = self._facts([contract_id], report.as_of, report.through)
        reach = self.reach()
        return tuple(
            explained(found, facts, report.rules, reach)
            for found in report.assessments
            if (found.contract_id, found.subcontractor_id) == (contract_id, subcontractor_id)
        )

    def referral_months(
        self,
        contract_id: str,
        subcontractor_id: str | None,
        day: dt.date,
        through: dt.date | None = None,
    ) -> pd.DataFrame:
        """Referrals by month of one agreement (or contract), as `agreement_months` has them."""
        self._require(contract_id, subcontractor_id)
        months = agreement_months(self._everything(day), day, through, contract_id)
        return _of(months, subcontractor_id)

    def paid_months(
        self, contract_id: str, subcontractor_id: str, day: dt.date, through: dt.date | None = None
    ) -> pd.DataFrame:
        """Matched payments by month of one agreement, as `payment_months` has them."""
        self._require_prices(contract_id, subcontractor_id)
        months = payment_months(self._everything(day), day, through, contract_id)
        return _of(months, subcontractor_id)

    def timing(
        self, contract_id: str, subcontractor_id: str, day: dt.date, through: dt.date | None = None
    ) -> PaymentTiming:
        """How long payments of one agreement took."""
        self._require(contract_id, subcontractor_id)
        return payment_timing(self._everything(day), contract_id, subcontractor_id, day, through)

    def fee_over_clients(
        self,
        contract_id: str,
        subcontractor_id: str,
        rules: Rules,
        day: dt.date,
        through: dt.date | None = None,
    ) -> Sampling:
        """The management fee of one agreement, had other clients of the same kind come."""
        self._require_prices(contract_id, subcontractor_id)
        return sampling_interval(
            self._facts([contract_id], day, through),
            contract_id,
            subcontractor_id,
            rules["fee_clients"].number,
            rules["interval"].number,
        )

    def contract_figures(
        self, contract_id: str, day: dt.date, through: dt.date | None = None
    ) -> ContractFigures:
        """Spend by sector, concentration and conversion of a contract in the register."""
        self._require(contract_id, None)
        facts = self._facts([contract_id], day, through)
        spend = spend_by_contract(facts)[contract_id]
        return ContractFigures(
            spend=spend if self.reach().sees_prices(contract_id) else without_sums(spend),
            concentration=concentration(facts)[contract_id],
            conversion=conversion(facts)[contract_id, None],
        )

    def programme_spend(
        self, programme: str, day: dt.date, through: dt.date | None = None
    ) -> Spend:
        """Spend by sector of all contracts of a programme that the asker sees as a whole."""
        reach = self.reach()
        contract_ids = [
            row["contract_id"]
            for row in self.registers(day)["contracts"].to_pylist()
            if row["programme"] == programme and reach.sees(row["contract_id"], None)
        ]
        facts = self._facts(contract_ids, day, through)
        spend = spend_by_programme(facts)[programme]
        return spend if all(map(reach.sees_prices, contract_ids)) else without_sums(spend)

    def rows(
        self,
        table_id: str,
        contract_id: str,
        subcontractor_id: str | None,
        day: dt.date | None = None,
    ) -> pd.DataFrame:
        """The rows of a log in force behind one agreement, or the prime's behind a contract.

        With the return and row each stands in and whose side it is; marks of clients are left out.
        """
        self._require(contract_id, subcontractor_id)
        parties = {one: prime for one, _, prime in self._ledger.parties().contracts}
        prime_id = parties.get(contract_id)
        wanted = nw.col("contract_id") == contract_id
        if subcontractor_id is not None:
            wanted = wanted & (nw.col("subcontractor_id") == subcontractor_id)
        else:
            wanted = wanted & (nw.col("reporter_id") == prime_id)
        frame = getattr(self.frames(day), table_id)
        found: pd.DataFrame = frame.filter(wanted).collect("pandas").to_native()
        when = str(TABLES[table_id].month_of)
        found = found.sort_values([when, "reporter_id", "row_number"], kind="stable")
        sides = ["prime" if by == prime_id else "subcontractor" for by in found["reporter_id"]]
        found.insert(0, "side", sides)
        unshown = [name for name in _UNSHOWN if name in found]
        if subcontractor_id is not None:
            unshown.append("subcontractor_id")
        return found.drop(columns=unshown).reset_index(drop=True)

    def history(self) -> tuple[Return, ...]:
        """The asker's own returns in order, or for the network every one; none of an empty store.

        Of another's return that covers several contracts even its number of rows would tell too
        much. One's own are numbered by themselves: gaps would tell how much others send.
        """
        if self.scope.sees_everything:
            return self._ledger.returns()
        me = self.scope.organisation_id
        own = (one for one in self._ledger.returns() if one.reporter_id == me)
        return tuple(
            replace(one, sequence=number, previous_hash="") for number, one in enumerate(own, 1)
        )

    def original(self, return_id: str) -> tuple[Return, pa.Table]:
        """A return with its rows as they were received; NotOnRecord if it is not the asker's."""
        for entry in self.history():
            if entry.return_id == return_id and self.scope.may_see_original(entry.reporter_id):
                return entry, self._ledger.rows_of(self.scope, entry)
        raise NotOnRecord(NOT_SHOWN)

    def months(self) -> tuple[dt.date | None, tuple[dt.date, ...]]:
        """The day the first return was received and the months covered, as far as one may see."""
        reporters = self.reach().reporters
        entries = [
            one
            for one in self._ledger.returns()
            if self.scope.sees_everything or one.reporter_id in reporters
        ]
        first = min((one.received_on for one in entries), default=None)
        return first, tuple(sorted({month for one in entries for month in one.months}))

    def registers(self, as_of: dt.date | None = None) -> Mapping[str, Any]:
        """The asker's registers in force on a day, as Arrow tables; empty for an empty store."""
        return self._ledger.registers(self.scope, as_of)

    def version(self) -> int:
        """How many returns there are: what an answer may be remembered under."""
        return self._ledger.version()

    def verify(self, progress: Progress = silent) -> Inspection:
        """Re-read the whole store, ledger and database, and say what was altered."""
        found = self.ledger().verify(progress)
        database = self._shared.database()
        if database is None:
            return found
        from data import audit, restore  # noqa: PLC0415 - as in Shared.database

        progress("re-reading the audit")
        with database.reading() as connection:
            wrong, last_hash = restore.database_faults(connection)
            count_of_events = len(audit.events(connection))
        return replace(
            found,
            faults=(*found.faults, *wrong),
            audited=True,
            event_count=count_of_events,
            audit_hash=last_hash,
        )


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


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _of(months: pd.DataFrame, subcontractor_id: str | None) -> pd.DataFrame:
    ids = months["subcontractor_id"]
    chosen = ids.isna() if subcontractor_id is None else (ids == subcontractor_id).fillna(False)
    return months[chosen.astype(bool)].reset_index(drop=True)


def _beside(mine: pa.Table, others: pa.Table, columns: list[str], key: Sequence[str]) -> pa.Table:
    """A register with rows of others added, in which only some columns are filled."""
    known = {tuple(row.values()) for row in mine.select(list(key)).to_pylist()}
    # A column that the register does not have is passed over.
    added = [
        {name: row[name] for name in columns} | {"commissioner_id": _ANOTHER}
        for row in others.to_pylist()
        if tuple(row[name] for name in key) not in known
    ]
    return pa.concat_tables([mine, pa.Table.from_pylist(added, schema=mine.schema)])


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
