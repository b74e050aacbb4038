"""The dated register of rules, and the rules in force on a day."""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data.errors import BadOption, UnknownRule

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

REGISTER = Path(__file__).with_name("rules.toml")
AUTO = "auto"


@dataclass(frozen=True)
class Rule:
    """One entry of the register: a number, where it comes from and since when it counts.

    `value` is exact (15 % is 3/20). `confirmed` says whether the primary source was read.
    `overridden` marks a value that was asked for in place of the register's. `automatic` means
    that the number is estimated from the data; `value` is then the least it can be.
    """

    id: str
    title: str
    value: Fraction
    unit: str
    in_force_from: dt.date | None
    status: Literal["law", "guidance", "recommendation", "statistical choice"]
    source: str
    confirmed: bool
    note: str
    version: int
    lowest: Fraction
    highest: Fraction
    whole: bool = False
    automatic: bool = False
    may_be_automatic: bool = False
    overridden: bool = False

    @property
    def shown(self) -> int | float | str:
        """The value as answers give it: `auto` where it is estimated."""
        return AUTO if self.automatic else int(self.value) if self.whole else self.number

    @property
    def number(self) -> float:
        """The value as a float, for answers and statistics."""
        return float(self.value)

    @property
    def standing(self) -> str:
        """The rule's status and source in words, for sentences."""
        if self.overridden:
            return "a value asked for in place of the register's"
        article = "a " if self.status in ("recommendation", "statistical choice") else ""
        doubt = "" if self.confirmed else "; primary source not found"
        return f"{article}{self.status}: {self.source}{doubt}"

    def answer(self) -> dict[str, Any]:
        """The entry as JSON."""
        return {
            "id": self.id,
            "title": self.title,
            "value": self.shown,
            "unit": self.unit,
            "from": self.in_force_from.isoformat() if self.in_force_from else None,
            "status": self.status,
            "source": self.source,
            "confirmed": self.confirmed,
            "note": self.note,
            "version": self.version,
            "overridden": self.overridden,
        }

    def overridden_by(self, text: str) -> Rule:
        """The rule with another value, such as `0.20` or `20%`; BadOption if it is unfit."""
        if self.may_be_automatic and text.strip().lower() == AUTO:
            return replace(self, value=self.lowest, automatic=True, overridden=not self.automatic)
        value = _exact(text)
        if value is None:
            either = f", or {AUTO}" if self.may_be_automatic else ""
            raise BadOption(
                f'We read "{text}" for the rule {self.id}. Write a number such as '
                f"{_plain(self.value)}{either}."
            )
        if not self.lowest <= value <= self.highest:
            raise BadOption(
                f'We read "{text}" for the rule {self.id}. It must be from {_plain(self.lowest)} '
                f"to {_plain(self.highest)}."
            )
        if self.whole and value.denominator != 1:
            raise BadOption(
                f'We read "{text}" for the rule {self.id}. It must be a whole number of '
                f"{self.unit}."
            )
        return replace(self, value=value, automatic=False, overridden=True)


@dataclass(frozen=True)
class Rules(Mapping[str, Rule]):
    """The rules that an assessment uses, by id; it never changes."""

    entries: tuple[Rule, ...]

    def __getitem__(self, rule_id: str) -> Rule:
        """The rule of that id; KeyError if there is none."""
        for rule in self.entries:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

    def __iter__(self) -> Iterator[str]:
        return (rule.id for rule in self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def override(self, values: Mapping[str, str]) -> Rules:
        """These rules with other values, as given with `--rule management_fee=0.20`.

        UnknownRule, with the nearest id, for a rule the register does not have; BadOption for a
        value that is not a number or is out of range.
        """
        chosen = {rule.id: rule for rule in self.entries}
        for rule_id, text in values.items():
            if rule_id not in chosen:
                near = difflib.get_close_matches(rule_id, chosen, n=1)
                hint = f" Did you mean {near[0]}?" if near else ""
                raise UnknownRule(
                    f'There is no rule "{rule_id}".{hint} The rules are {", ".join(chosen)}.'
                )
            chosen[rule_id] = chosen[rule_id].overridden_by(text)
        return Rules(tuple(chosen.values()))

    def answer(self) -> dict[str, dict[str, Any]]:
        """The rules as JSON, by id."""
        return {rule.id: rule.answer() for rule in self.entries}


def read_register(text: str) -> tuple[Rule, ...]:
    """The entries of a register written in TOML, in its order."""
    return tuple(
        Rule(
            id=entry["id"],
            title=entry["title"],
            value=Fraction(entry["lowest" if entry["value"] == AUTO else "value"]),
            unit=entry["unit"],
            in_force_from=entry.get("from"),
            status=entry["status"],
            source=entry["source"],
            confirmed=entry["confirmed"],
            note=entry["note"],
            version=entry["version"],
            lowest=Fraction(entry["lowest"]),
            highest=Fraction(entry["highest"]),
            whole=entry.get("whole", False),
            automatic=entry["value"] == AUTO,
            may_be_automatic=entry["value"] == AUTO,
        )
        for entry in tomllib.loads(text)["rule"]
    )


@functools.cache
def register() -> tuple[Rule, ...]:
    """Every entry of the product's register, past and present."""
    return read_register(REGISTER.read_text(encoding="utf-8"))


def rules_as_of(day: dt.date, entries: tuple[Rule, ...] | None = None) -> Rules:
    """The rules in force on a day: of each id the latest entry that counts by then.

    A rule whose first entry is later than the day is used all the same, so that no question about
    the past goes unanswered for want of a rule.
    """
    chosen: dict[str, Rule] = {}
    dated = sorted(
        register() if entries is None else entries,
        key=lambda rule: rule.in_force_from.isoformat() if rule.in_force_from else "",
    )
    for rule in dated:
        if rule.id not in chosen or rule.in_force_from is None or rule.in_force_from <= day:
            chosen[rule.id] = rule
    order = list(dict.fromkeys(rule.id for rule in (entries or register())))
    return Rules(tuple(chosen[rule_id] for rule_id in order))


def _exact(text: str) -> Fraction | None:
    percent = text.strip().endswith("%")
    try:
        number = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 20:
        return None
    return Fraction(number) / (100 if percent else 1)


def _plain(value: Fraction) -> str:
    return f"{float(value):.10g}"
