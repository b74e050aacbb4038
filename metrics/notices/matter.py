"""What a letter is about: the parties, what was agreed, and what was reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metrics.days import day_name
from metrics.facts import Terms
from metrics.notices.definition import Fact
from metrics.notices.volumes import Volumes
from metrics.window import month_of
from metrics.wording import count, figure, month_name, share

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from metrics.notices.definition import Part

_AGREEMENTS = "the register of agreements"
_CONTRACTS = "the register of contracts"
_ROLES = {
    "end_to_end": "end-to-end delivery",
    "specialist": "specialist delivery",
    "call_off": "delivery on call",
    "signpost": "signposting",
}


@dataclass(frozen=True)
class Organisation:
    """Who writes or is written to."""

    organisation_id: str
    name: str
    sector: str | None = None


@dataclass(frozen=True)
class Elsewhere:
    """Other agreements of a subcontractor, as counts: how many, and of which delivery roles."""

    agreement_count: int = 0
    roles: tuple[tuple[str, int], ...] = ()


_NO_TERMS, _NO_VOLUMES, _NOTHING_ELSEWHERE = Terms(), Volumes(), Elsewhere()


@dataclass(frozen=True)
class Matter:
    """One agreement, or one contract (`subcontractor` None), as far as the asker may see it.

    `contract_id` is None only for an expression of interest in a contract that is not named.
    `has_agreement` is False where the subcontractor has none in the contract. `payment_delay` is
    the evidence of that flag's answer, None where it was not asked for. `client_groups` are those
    for which the register has the subcontractor's prices.
    """

    as_of: dt.date
    contract_id: str | None
    programme: str | None
    area: str | None
    commissioner: Organisation | None
    prime: Organisation | None
    subcontractor: Organisation | None
    terms: Terms = _NO_TERMS
    has_agreement: bool = True
    volumes: Volumes = _NO_VOLUMES
    payment_delay: Mapping[str, Any] | None = None
    client_groups: tuple[str, ...] = ()
    elsewhere: Elsewhere = _NOTHING_ELSEWHERE

    @property
    def subcontractor_id(self) -> str:
        """The subcontractor's id; empty for a whole contract."""
        return "" if self.subcontractor is None else self.subcontractor.organisation_id

    def organisation(self, part: Part) -> Organisation | None:
        """Who has a part in it."""
        parts = {
            "commissioner": self.commissioner,
            "prime": self.prime,
            "subcontractor": self.subcontractor,
        }
        return parts[part]

    def party(self, part: Part) -> Organisation:
        """Who has a part in it; KeyError where nobody is known."""
        found = self.organisation(part)
        if found is None:
            raise KeyError(part)
        return found

    def name(self, part: Part) -> str:
        """The name of who has a part in it; the part itself where nobody is known."""
        found = self.organisation(part)
        return f"the {part}" if found is None else found.name

    @property
    def contract_words(self) -> str:
        """The contract with its programme and area: C1 (Work Programme, West London)."""
        named = ", ".join(filter(None, (self.programme, self.area)))
        return f"{self.contract_id}" + (f" ({named})" if named else "")


def role_words(delivery_role: str | None) -> str | None:
    """A delivery role in words."""
    return None if delivery_role is None else _ROLES.get(delivery_role, delivery_role)


def day_fact(fact_id: str, words: str, day: dt.date | None, empty: str, taken_from: str) -> Fact:
    """A day as a fact; `empty` says what an empty cell means."""
    if day is None:
        return Fact(fact_id, words, None, empty, taken_from)
    return Fact(fact_id, words, day.isoformat(), day_name(day), taken_from)


def contract_facts(matter: Matter) -> tuple[Fact, ...]:
    """Which contract it is, and who bought it from whom."""
    return (
        Fact("contract", "Contract", matter.contract_id, matter.contract_words, _CONTRACTS),
        Fact(
            "commissioner",
            "Commissioner",
            None if matter.commissioner is None else matter.commissioner.organisation_id,
            matter.name("commissioner"),
            _CONTRACTS,
        ),
    )


def naming_facts(matter: Matter) -> tuple[Fact, ...]:
    """Whether the bid named the subcontractor, with what consent, to start when."""
    terms = matter.terms
    named = "yes" if terms.named_in_bid else "no"
    return (
        Fact("named_in_bid", "Named in the bid", terms.named_in_bid, named, _AGREEMENTS),
        day_fact(
            "consented_on",
            "Agreed in writing to be named",
            terms.consented_on,
            "no consent is recorded",
            _AGREEMENTS,
        ),
        day_fact(
            "referrals_from",
            "Was to receive referrals from",
            terms.live_on or terms.starts_on,
            "not recorded",
            _AGREEMENTS if terms.live_on else _CONTRACTS,
        ),
    )


def promise_fact(matter: Matter) -> Fact:
    """How many referrals were promised for the months reported."""
    volumes, promised_share = matter.volumes, matter.terms.promised_share
    promised = volumes.promised(promised_share)
    words = "Referrals promised for these months"
    if promised is None:
        return Fact("promised", words, None, "nothing is on record", "forecasts, " + _AGREEMENTS)
    if volumes.has_forecast:
        taken_from = "forecasts in force when each month began"
        return Fact("promised", words, promised, figure(promised), taken_from)
    return Fact(
        "promised",
        words,
        promised,
        f"{figure(promised)} ({share(promised_share or 0.0)} of the "
        f"{count(volumes.intake or 0, 'client')} that {matter.name('prime')} reports)",
        f"{_AGREEMENTS}, referrals returns of {matter.name('prime')}",
    )


def volume_facts(matter: Matter) -> tuple[Fact, ...]:
    """The months reported, the promise for them, and what each side reports."""
    volumes, prime = matter.volumes, matter.name("prime")
    reported = volumes.reported
    if not reported:
        nothing = Fact("months", "Months reported", 0, "none", "referrals returns")
        return (nothing, promise_fact(matter))
    span = span_words(reported[0].month, reported[-1].month)
    whole = matter.subcontractor is None
    sides = [] if whole else [("subcontractor", volumes.by_subcontractor)]
    sides.append(("prime", volumes.by_prime))
    found = []
    for side, (referrals, month_count) in sides:
        name = prime if side == "prime" else matter.name("subcontractor")
        words = f"Referrals by the returns of {name}"
        covered = f"referrals returns of {name}, {count(month_count, 'month')}"
        shown = figure(referrals) if month_count else "not reported"
        value = referrals if month_count else None
        found.append(Fact(f"received_by_{side}", words, value, shown, covered))
    return (
        Fact(
            "months",
            "Months reported",
            len(reported),
            f"{count(len(reported), 'month')}, {span}",
            "referrals returns of either side",
        ),
        promise_fact(matter),
        *found,
    )


def span_words(first: dt.date, last: dt.date) -> str:
    """Months as June 2011 to March 2012."""
    names = [month_name(month_of(day)) for day in (first, last)]
    return names[0] if first == last else f"{names[0]} to {names[1]}"
