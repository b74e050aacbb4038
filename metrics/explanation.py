"""One answer told in full: promise, events, arithmetic, rule, and the rows behind it."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from data.errors import NotOnRecord, UnknownFlag
from metrics.catalogue import assessors
from metrics.redaction import redacted
from metrics.what_if import overridden, value_of, value_with_unit
from metrics.window import month_code, month_of
from metrics.wording import month_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from data.scope import Reach
    from metrics.catalogue import Assessor
    from metrics.definition import Account, Assessment, Flag, SourceRow
    from metrics.facts import Facts
    from metrics.rules import Rule, Rules
    from metrics.what_if import Override

_OPEN = ("raised", "watch", "too_early", "not_reported")


@dataclass(frozen=True)
class RowGroup:
    """Rows of one table in one return that are the same thing to the answer.

    `row_numbers` are in order; None where the rows are not the asker's to see, so that only their
    count is given and the return is not named (empty).
    """

    table: str
    reporter_id: str
    return_id: str
    part: str
    row_count: int
    row_numbers: tuple[int, ...] | None

    @property
    def lines(self) -> str:
        """The lines as people write them: 4, 7-12."""
        return "" if self.row_numbers is None else runs(self.row_numbers)


@dataclass(frozen=True)
class Explanation:
    """What a flag says about one agreement or contract, and all that it rests on.

    `last` is the number of the last month asked about. `rules` are those the flag uses, the one
    that gives the threshold first. `names` are of the organisations that it speaks of.
    `source_rows` are those that are the asker's to see, and `others` counts the rest.
    """

    assessment: Assessment
    flag: Flag
    account: Account
    rules: tuple[Rule, ...]
    overrides: tuple[Override, ...]
    source_rows: tuple[SourceRow, ...]
    others: tuple[RowGroup, ...]
    as_of: dt.date
    last: int
    names: Mapping[str, str]
    asker_id: str | None = None

    def name(self, organisation_id: str) -> str:
        """The organisation's name, its id where no name is known."""
        return self.names.get(organisation_id, organisation_id)

    @property
    def sections(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The story in its order: headings with their sentences, the rows left out.

        An answer that is clear or does not apply has nothing else to explain or to ask.
        """
        told = (
            ("What was promised", self.account.promise or ("Nothing is on record.",)),
            ("What happened", self.account.happened or ("Nothing is reported.",)),
            ("The arithmetic", self.account.arithmetic or ("There is nothing to work out.",)),
            ("The rule", tuple(self._rule(rule) for rule in self.rules)),
        )
        if self.assessment.status not in _OPEN:
            return told
        return (
            *told,
            (
                "What else could explain it",
                tuple(f"{one[:1].upper()}{one[1:]}." for one in self.flag.other_explanations),
            ),
            ("What to ask next", self.flag.ask_next),
        )

    @property
    def row_groups(self) -> tuple[RowGroup, ...]:
        """The rows by table, reporter, return and part; those of others as counts at the end."""
        return (*_grouped(self.source_rows), *self.others)

    def _rule(self, rule: Rule) -> str:
        since = (
            f"In force from {_day(rule.in_force_from)}, version"
            if rule.in_force_from
            else ("Version")
        )
        standing = f"{rule.standing[:1].upper()}{rule.standing[1:]}"
        for override in self.overrides:
            if override.asked.id == rule.id:
                register = override.register
                standing += f", which is {value_of(register)} ({register.standing})"
        note = f" {rule.note}" if rule.note else ""
        return (
            f"{rule.title} ({rule.id}): {value_with_unit(rule)}. {standing}. {since} "
            f"{rule.version}.{note}"
        )

    def answer(self) -> dict[str, Any]:
        """The JSON answer of `fairtier explain`: every row, and no row of others with an asker."""
        return {
            "as_of": self.as_of.isoformat(),
            "through": month_code(self.last),
            "overridden": [one.asked.id for one in self.overrides],
            "asker": self.asker_id,
            "flag": {
                name: getattr(self.flag, name)
                for name in ("id", "title", "question", "why_it_matters", "source", "version")
            },
            "assessment": self.assessment.answer(),
            "promise": list(self.account.promise),
            "happened": list(self.account.happened),
            "arithmetic": list(self.account.arithmetic),
            "rules": {rule.id: rule.answer() for rule in self.rules},
            "other_explanations": list(self.flag.other_explanations),
            "ask_next": list(self.flag.ask_next),
            "rows": [asdict(row) for row in self.source_rows],
            "rows_of_others": [
                {
                    "table": group.table,
                    "reporter_id": group.reporter_id,
                    "part": group.part,
                    "rows": group.row_count,
                }
                for group in self.others
            ],
        }


def explain(
    facts: Facts,
    rules: Rules,
    flag_id: str,
    contract_id: str,
    subcontractor_id: str | None = None,
    *,
    reach: Reach,
) -> Explanation:
    """What a flag says about an agreement, or without a subcontractor about a whole contract.

    UnknownFlag, or NotOnRecord for what is not known or not the asker's to see, in the same words;
    both with the nearest that is.
    """
    assessor = _assessor(flag_id)
    found = {(one.contract_id, one.subcontractor_id): one for one in assessor.assess(facts, rules)}
    assessment = found.get((contract_id, subcontractor_id))
    if assessment is None or not reach.sees(contract_id, subcontractor_id):
        raise _not_found(facts, assessor.flag, contract_id, subcontractor_id, reach)
    return explained(assessment, facts, rules, reach)


def explained(assessment: Assessment, facts: Facts, rules: Rules, reach: Reach) -> Explanation:
    """An assessment already made, told in full as far as it is the asker's to see.

    `facts` may be those of its contract alone.
    """
    assessor = _assessor(assessment.flag)
    flag = assessor.flag
    used = [rules[rule_id] for rule_id in dict.fromkeys((flag.rule, *flag.rules))]
    assessment = redacted(assessment, reach)
    rows = assessor.source_rows(assessment, facts)
    shown = [
        reach.sees_row(row.table, assessment.contract_id, row.reporter_id, row.subcontractor_id)
        for row in rows
    ]
    own = tuple(row for row, seen in zip(rows, shown, strict=True) if seen)
    others = [row for row, seen in zip(rows, shown, strict=True) if not seen]
    speaks_of = {assessment.prime_id, assessment.subcontractor_id}
    speaks_of |= {row.reporter_id for row in rows}
    return Explanation(
        assessment=assessment,
        flag=flag,
        account=assessor.account(assessment, facts),
        rules=tuple(used),
        overrides=tuple(
            one for one in overridden(rules, facts.as_of) if one.asked.id in flag.rules
        ),
        source_rows=own,
        others=_counted(others),
        as_of=facts.as_of,
        last=facts.last,
        names={one: facts.name(one) for one in sorted(filter(None, speaks_of))},
        asker_id=reach.scope.organisation_id,
    )


def runs(numbers: Iterable[int]) -> str:
    """Whole numbers in order, neighbours drawn together: 4, 7-12."""
    ordered = sorted(set(numbers))
    found = []
    for _, run in groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        first, last = members[0], members[-1]
        found.append(str(first) if first == last else f"{first}-{last}")
    return ", ".join(found)


def _day(day: dt.date) -> str:
    return f"{day.day} {month_name(month_of(day))}"


def _grouped(rows: Sequence[SourceRow]) -> tuple[RowGroup, ...]:
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for row in rows:
        key = row.table, row.reporter_id, row.return_id, row.part
        groups.setdefault(key, []).append(row.row_number)
    return tuple(
        RowGroup(*key, row_count=len(numbers), row_numbers=tuple(sorted(numbers)))
        for key, numbers in sorted(groups.items())
    )


def _counted(rows: Iterable[SourceRow]) -> tuple[RowGroup, ...]:
    counts: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = row.table, row.reporter_id, row.part
        counts[key] = counts.get(key, 0) + 1
    return tuple(
        RowGroup(table, reporter_id, "", part, row_count=number, row_numbers=None)
        for (table, reporter_id, part), number in sorted(counts.items())
    )


def _assessor(flag_id: str) -> Assessor:
    known = {assessor.flag.id: assessor for assessor in assessors()}
    if flag_id not in known:
        raise UnknownFlag(
            f'There is no flag "{flag_id}".{_nearest(flag_id, known)} The flags are '
            f"{', '.join(known)}."
        )
    return known[flag_id]


def _not_found(
    facts: Facts, flag: Flag, contract_id: str, subcontractor_id: str | None, reach: Reach
) -> NotOnRecord:
    agreements = [s for s in facts.agreements if reach.sees(s.contract_id, s.subcontractor_id)]
    contracts = [s for s in facts.contracts if reach.sees(s.contract_id, None)]
    contract_ids = sorted({subject.contract_id for subject in (*contracts, *agreements)})
    day = facts.as_of
    if not contract_ids:
        return NotOnRecord(
            f"No contract and no agreement was on record on {day}. Ask about a later day, or "
            "submit the registers first."
        )
    if contract_id not in contract_ids:
        return NotOnRecord(
            f'No contract "{contract_id}" was on record on {day}.'
            f"{_nearest(contract_id, contract_ids)} The contracts are {_listed(contract_ids)}."
        )
    mine = sorted(s.subcontractor_id or "" for s in agreements if s.contract_id == contract_id)
    names = {one: facts.name(one) for one in mine}
    theirs = f"Its subcontractors are {_listed(mine)}." if mine else "It has no agreement."
    if subcontractor_id is None:
        return NotOnRecord(
            f"{flag.id} is about one agreement at a time: name a subcontractor of {contract_id} "
            f"too. {theirs}"
        )
    if subcontractor_id in mine:
        return NotOnRecord(f"{flag.id} is about whole contracts: leave out the subcontractor.")
    return NotOnRecord(
        f'{contract_id} had no agreement with "{subcontractor_id}" on record on {day}.'
        f"{_nearest(subcontractor_id, mine, names)} {theirs}"
    )


def _nearest(text: str, ids: Iterable[str], names: Mapping[str, str] | None = None) -> str:
    """The id nearest to what was written, by itself or by its name, as a question."""
    by_words = {one.casefold(): one for one in ids}
    if names:
        by_words |= {names[one].casefold(): one for one in by_words.values() if one in names}
    wanted = text.casefold()
    near = difflib.get_close_matches(wanted, by_words, n=1)
    near = near or [words for words in by_words if wanted.strip() and wanted in words]
    return f" Did you mean {by_words[near[0]]}?" if near else ""


def _listed(ids: Sequence[str], most: int = 12) -> str:
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return f"{', '.join(ids[:most])}{more}"
