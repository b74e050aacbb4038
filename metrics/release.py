"""What one release holds: the terms compared and the referrals, with what they rest on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from metrics.disclosure import Contribution, Disclosed, Mean, PastTotal, policy_of
from metrics.frames import records
from metrics.released_referrals import ReleasedCount, released_referrals
from metrics.terms import Comparison, Figure, compare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metrics.facts import Facts
    from metrics.rules import Rules


@dataclass(frozen=True)
class Registers:
    """The registers as everybody may see them, in the columns of the data standard.

    `organisations`: id, name, sector. `contracts`: id, programme, area, commissioner, prime, first
    and last day. `agreements`: contract, subcontractor, delivery role, named in the bid (yes or
    no), live from and until. Days are written 2012-03-31; what is not known is None.
    """

    organisations: tuple[tuple[str | None, ...], ...]
    contracts: tuple[tuple[str | None, ...], ...]
    agreements: tuple[tuple[str | None, ...], ...]

    def names(self) -> dict[str, str]:
        """The organisations' names, by id."""
        return {row[0] or "": row[1] or "" for row in self.organisations}


@dataclass(frozen=True)
class Released:
    """The figures of one release. All but what is disclosed leaves no scope.

    `rules` are the values of the rules of disclosure it was made by, and `terms_as_of` is the day
    whose knowledge the terms rest on.
    """

    registers: Registers

    comparison: Comparison
    referrals: tuple[ReleasedCount, ...]
    rules: dict[str, str]
    terms_as_of: str

    @property
    def contract_ids(self) -> frozenset[str]:
        """The contracts that took part."""
        return frozenset(row[0] or "" for row in self.registers.contracts)


def released(
    facts: Facts,
    terms_facts: Facts,
    rules: Rules,
    past: Sequence[Released] = (),
    asks_first: frozenset[str] = frozenset(),
) -> Released:
    """The next release; `terms_facts` are those of the day that `terms.known_by` gives.

    What `past` releases showed limits what this one may show. `asks_first` as
    `released_referrals` takes them.
    """
    policy = policy_of(rules)
    figures = [figure for one in past for figure in one.comparison.figures]
    totals = [total for one in past for total in _past_totals(one)]
    return Released(
        registers=_registers(facts),
        comparison=compare(terms_facts, policy, figures),
        referrals=released_referrals(facts, policy, totals, asks_first),
        rules={
            rule.id: str(rule.value) for rule in rules.values() if rule.id.startswith("disclosure_")
        },
        terms_as_of=terms_facts.as_of.isoformat(),
    )


_COLUMNS = {
    "organisations": ("organisation_id", "name", "sector"),
    "contracts": (
        "contract_id",
        "programme",
        "contract_package_area",
        "commissioner_id",
        "prime_id",
        "starts_on",
        "ends_on",
    ),
    "agreements": (
        "contract_id",
        "subcontractor_id",
        "delivery_role",
        "named_in_bid",
        "live_on",
        "ends_on",
    ),
}


def _registers(facts: Facts) -> Registers:
    """The registers of the contracts that are not confidential, and of who takes part in them."""
    shown = {one.contract_id for one in facts.contracts if not one.confidential}

    def rows(table: str) -> list[tuple[str | None, ...]]:
        frame = getattr(facts.frames, table).select(*_COLUMNS[table])
        found = ([_text(row[name]) for name in _COLUMNS[table]] for row in records(frame))
        return sorted((tuple(row) for row in found), key=lambda row: [cell or "" for cell in row])

    whole = Registers(*(tuple(rows(table)) for table in _COLUMNS))
    every = {row[0] for row in (*whole.contracts, *whole.agreements)}
    return _without(whole, frozenset(one for one in every if one and one not in shown))


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)


def without(one: Released, confidential: frozenset[str], primes: Mapping[str, str]) -> Released:
    """The release without contracts that have become confidential since it was made.

    A figure about terms cannot be taken apart, so those of their primes are left out whole;
    `primes` says who holds each contract.
    """
    since = confidential.intersection(one.contract_ids)
    if not since:
        return one
    held_by = {primes[contract_id] for contract_id in since if contract_id in primes}
    figures = [f for f in one.comparison.figures if held_by.isdisjoint(f.prime_ids)]
    return replace(
        one,
        comparison=replace(one.comparison, figures=tuple(figures)),
        referrals=tuple(count for count in one.referrals if count.contract_id not in since),
        registers=_without(one.registers, since),
    )


def _without(registers: Registers, contract_ids: frozenset[str]) -> Registers:
    contracts = tuple(row for row in registers.contracts if row[0] not in contract_ids)
    agreements = tuple(row for row in registers.agreements if row[0] not in contract_ids)
    taking_part = {cell for row in contracts for cell in row[3:5]} | {row[1] for row in agreements}
    organisations = tuple(row for row in registers.organisations if row[0] in taking_part)
    return Registers(organisations, contracts, agreements)


def _past_totals(one: Released) -> Iterable[PastTotal]:
    step = int(Fraction(one.rules["disclosure_rounding"]))
    for count in one.referrals:
        if count.is_total and count.disclosed.hidden is None:
            yield PastTotal(count.parts, step)


def to_json(one: Released) -> str:
    """The release as it is kept; a total's parts are named by their place among the counts."""
    place = {
        (count.contract_id, count.subcontractor_id, count.period): number
        for number, count in enumerate(one.referrals)
    }
    told: dict[str, Any] = asdict(replace(one, referrals=()))  # they are written shorter below
    told["referrals"] = [
        [
            count.contract_id,
            count.subcontractor_id,
            count.period,
            count.disclosed.value,
            count.disclosed.hidden,
            count.forecast,
            count.counted_by,
            [place[part] for part in sorted(count.parts)]
            if count.is_total
            else [*count.parts.values()],
        ]
        for count in one.referrals
    ]
    for figure in told["comparison"]["figures"]:
        if figure["mean"] is not None:
            figure["mean"]["step"] = str(figure["mean"]["step"])
    return json.dumps(told, separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> Released:
    """The release that `to_json` wrote."""
    told = json.loads(text)
    comparison = told["comparison"]
    rows = told["referrals"]
    cells = [((row[0], row[1], row[2]), row[7]) for row in rows]
    return Released(
        comparison=Comparison(
            figures=tuple(map(_figure, comparison["figures"])),
            bands=tuple(map(tuple, comparison["bands"])),
            cell_count=comparison["cell_count"],
            shown_cell_count=comparison["shown_cell_count"],
        ),
        referrals=tuple(_count(row, cells) for row in rows),
        registers=Registers(
            **{name: tuple(map(tuple, rows)) for name, rows in told["registers"].items()}
        ),
        rules=told["rules"],
        terms_as_of=told["terms_as_of"],
    )


def _figure(told: dict[str, Any]) -> Figure:
    mean = told["mean"]
    return Figure(
        measure=told["measure"],
        prime_ids=tuple(told["prime_ids"]),
        payment_type=told["payment_type"],
        client_groups=tuple(told["client_groups"]),
        source_count=told["source_count"],
        disclosed=Disclosed(**told["disclosed"]),
        mean=mean
        and Mean(
            tuple(Contribution(**one) for one in mean["contributions"]),
            mean["unit"],
            Fraction(mean["step"]),
        ),
        zero_count=told["zero_count"],
    )


def _count(
    row: Sequence[Any], cells: Sequence[tuple[tuple[str, str, str], list[int]]]
) -> ReleasedCount:
    contract_id, subcontractor_id, period, value, hidden, forecast, side, behind = row
    total = subcontractor_id == "" or "Q" in period
    parts = (
        {cells[place][0]: cells[place][1][0] for place in behind}
        if total
        else {(contract_id, subcontractor_id, period): behind[0]}
    )
    return ReleasedCount(
        contract_id, subcontractor_id, period, Disclosed(value, hidden), forecast, side, parts
    )
