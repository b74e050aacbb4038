"""Rules asked for in place of the register's, and how many answers that would change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metrics.catalogue import assessors, flags
from metrics.rules import rules_as_of
from metrics.wording import figure, share

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from metrics.definition import Assessment
    from metrics.facts import Facts
    from metrics.rules import Rule, Rules

NOT_ASSESSED = ("not_applicable", "not_reported")
_RATES = ("share", "probability", "a year")


@dataclass(frozen=True)
class Override:
    """A rule asked for, and the register's entry in whose place it stands."""

    asked: Rule
    register: Rule

    @property
    def sentence(self) -> str:
        """Both values, as pages and commands mark what was worked out with them."""
        return (
            f"{self.asked.title} ({self.asked.id}) at {value_of(self.asked)} "
            f"(register: {value_of(self.register)})"
        )

    def answer(self) -> dict[str, Any]:
        """Both values as JSON."""
        return {"value": self.asked.shown, "register": self.register.shown}


@dataclass(frozen=True)
class Comparison:
    """How many answers of one flag are raised with the rules asked for, and by the register.

    Counts are of agreements (and contracts) assessed: all but those not reported or not
    applicable.
    """

    flag: str
    overrides: tuple[Override, ...]
    assessed_count: int
    raised_count: int
    assessed_by_register_count: int
    raised_by_register_count: int

    @property
    def sentence(self) -> str:
        """At 20 % (register: 15 %), 9 of 31 assessed would be raised; by the register 12."""
        if len(self.overrides) == 1:
            one = self.overrides[0]
            asked = f"At {value_of(one.asked)} (register: {value_of(one.register)})"
        else:
            asked = "With " + " and ".join(
                f"{one.asked.id} at {value_of(one.asked)} (register: {value_of(one.register)})"
                for one in self.overrides
            )
        of_register = (
            ""
            if self.assessed_by_register_count == self.assessed_count
            else f" of {figure(self.assessed_by_register_count)}"
        )
        return (
            f"{asked}, {figure(self.raised_count)} of {figure(self.assessed_count)} assessed would "
            f"be raised; by the register {figure(self.raised_by_register_count)}{of_register}."
        )

    def answer(self) -> dict[str, Any]:
        """The comparison as JSON."""
        return {
            "flag": self.flag,
            "rules": {one.asked.id: one.answer() for one in self.overrides},
            "assessed": self.assessed_count,
            "raised": self.raised_count,
            "assessed_by_register": self.assessed_by_register_count,
            "raised_by_register": self.raised_by_register_count,
            "sentence": self.sentence,
        }


def value_of(rule: Rule) -> str:
    """A rule's value as people write it: 15 %, 30, auto."""
    if rule.automatic:
        return str(rule.shown)
    return share(rule.number) if rule.unit.startswith(_RATES) else figure(rule.number)


def value_with_unit(rule: Rule) -> str:
    """A rule's value with what it counts: 15 % (share of what was paid), 6 months."""
    if rule.automatic:
        return f"estimated from the data ({rule.unit})"
    return f"{value_of(rule)} {rule.unit}" if rule.whole else f"{value_of(rule)} ({rule.unit})"


def overridden(rules: Rules, as_of: dt.date) -> tuple[Override, ...]:
    """The rules that are not the register's of that day, each beside the register's."""
    by_register = rules_as_of(as_of)
    return tuple(Override(rule, by_register[rule.id]) for rule in rules.values() if rule.overridden)


def by_register(facts: Facts, overrides: Sequence[Override]) -> list[Assessment]:
    """The answers that the register gives of the flags that use an overridden rule."""
    rules = rules_as_of(facts.as_of)
    changed = {one.asked.id for one in overrides}
    return [
        found
        for assessor in assessors()
        if changed & set(assessor.flag.rules)
        for found in assessor.assess(facts, rules)
    ]


def compared(
    asked: Sequence[Assessment],
    before: Sequence[Assessment],
    overrides: Sequence[Override],
) -> tuple[Comparison, ...]:
    """One comparison for every flag that uses an overridden rule, in the order of answers.

    `asked` are the answers with the rules asked for, `before` those that `by_register` gives.
    """
    found = []
    for flag in flags():
        mine = tuple(one for one in overrides if one.asked.id in flag.rules)
        if mine:
            assessed, raised = raised_of(asked, flag.id)
            found.append(Comparison(flag.id, mine, assessed, raised, *raised_of(before, flag.id)))
    return tuple(found)


def raised_of(assessments: Sequence[Assessment], flag_id: str) -> tuple[int, int]:
    """How many a flag assessed, and how many of them it raised."""
    statuses = [found.status for found in assessments if found.flag == flag_id]
    assessed = sum(status not in NOT_ASSESSED for status in statuses)
    return assessed, statuses.count("raised")
