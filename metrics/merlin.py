"""Evidence that a prime can offer under each of the eight principles of the Merlin Standard.

Only the names of the principles are used: the text of the criteria and the bands were not found
in a public source. There is no score here, and nothing that could be taken for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from metrics.catalogue import flags, metrics
from metrics.days import day_name
from metrics.definition import STATUSES
from metrics.wording import count, figure, pounds, share

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from metrics.concentration import Concentration
    from metrics.conversion import Conversion
    from metrics.definition import Assessment, Flag, Metric, Status
    from metrics.spend_by_sector import Spend

STANDING = (
    "This is evidence offered, principle by principle. It is no score and no assessment, and none "
    "can be worked out from it.",
    "The Merlin Standard (version 2, 2018) has eight principles. Only their names are used here: "
    "the text of its criteria and its bands were not found in a public source. Which figure goes "
    "with which principle is Fairtier's own reading of the names.",
    "A flag says look here, never guilty. What nobody has reported is named as such: it is not "
    "zero.",
)


@dataclass(frozen=True)
class Mapped:
    """A flag or metric of the catalogue, and why it is evidence for a principle."""

    kind: Literal["flag", "metric"]
    id: str
    why: str


@dataclass(frozen=True)
class Principle:
    """One principle by its name, with what this ledger has to say to it.

    `of_its_own` is what a prime could add that no ledger of referrals and payments knows.
    """

    id: str
    name: str
    mapped: tuple[Mapped, ...]
    of_its_own: tuple[str, ...]


PRINCIPLES = (
    Principle(
        "design",
        "Design",
        (
            Mapped(
                "metric",
                "spend_by_sector",
                "Shows of which sectors the supply chain is made, by where the money goes.",
            ),
            Mapped(
                "metric",
                "concentration",
                "Shows whether clients go to many subcontractors or to few.",
            ),
            Mapped(
                "flag",
                "client_mix",
                "Shows whether subcontractors get the client groups that the contract brings.",
            ),
        ),
        (
            "How you found out what clients need, and how that shaped the supply chain.",
            "Why each subcontractor was chosen for its part.",
        ),
    ),
    Principle(
        "procure",
        "Procure",
        (
            Mapped(
                "flag",
                "named_without_consent",
                "Shows whether those named in the bid had agreed to it in writing.",
            ),
            Mapped(
                "flag",
                "zero_referrals",
                "Shows whether those named in the bid, or promised clients, were then used.",
            ),
        ),
        (
            "How you invited offers, what you told those who offered, and how you chose.",
            "What you told those who were not chosen.",
        ),
    ),
    Principle(
        "contract",
        "Contract",
        (
            Mapped(
                "flag",
                "risk_transfer",
                "Shows whether agreements put a larger share of income at risk than the prime "
                "bears itself.",
            ),
        ),
        (
            "A specimen of your agreement, with its terms on volume, price and ending.",
            "How a subcontractor could ask for other terms, and when one got them.",
        ),
    ),
    Principle(
        "funding",
        "Funding",
        (
            Mapped(
                "flag",
                "management_fee",
                "Shows what the prime keeps of what the commissioner paid for the work.",
            ),
            Mapped(
                "flag",
                "payment_delay",
                "Shows whether subcontractors are paid in time.",
            ),
            Mapped(
                "metric",
                "payment_timing",
                "Shows how many days subcontractors wait for their money.",
            ),
        ),
        (
            "What your management fee pays for, and what it costs you.",
            "Money in advance, or other help with cash, that you gave.",
        ),
    ),
    Principle(
        "develop",
        "Develop",
        (),
        (
            "Training, mentoring and tools that you gave subcontractors, and what they say of it.",
            "What subcontractors can do now that they could not do before.",
        ),
    ),
    Principle(
        "performance_manage",
        "Performance Manage",
        (
            Mapped(
                "flag",
                "volume_divergence",
                "Shows whether subcontractors and contracts get the clients that were forecast.",
            ),
            Mapped(
                "metric",
                "conversion",
                "Shows how many referrals lead to a start, a job outcome and sustainment.",
            ),
        ),
        (
            "How often you look at results with each subcontractor, and what came of it.",
            "How you change forecasts and shares, and how you tell the supply chain.",
        ),
    ),
    Principle(
        "qa_and_compliance",
        "QA & Compliance",
        (
            Mapped(
                "flag",
                "unreconciled",
                "Shows whether both sides report the same referrals and payments.",
            ),
            Mapped(
                "flag",
                "not_reported",
                "Shows whether returns come when they are due.",
            ),
        ),
        (
            "Audits of quality, safeguarding and data protection, with what was put right.",
            "Complaints of clients and subcontractors, and how they ended.",
        ),
    ),
    Principle(
        "review_and_close",
        "Review & Close",
        (),
        (
            "Reviews of agreements at their end, with what both sides learned.",
            "How clients, staff and last payments were handed over when an agreement ended.",
            "Your replies to flags, and what you changed after them.",
        ),
    ),
)


@dataclass(frozen=True)
class Figure:
    """One number about a contract or an agreement; `unit` says what `value` counts."""

    contract_id: str
    subcontractor_id: str | None
    what: str
    value: float
    unit: str
    shown: str


@dataclass(frozen=True)
class Offered:
    """What one flag or metric has to say: answers of a flag, or figures of a metric.

    `counts` are of answers by status, in the order of statuses. `not_reported` names what is
    missing, in words.
    """

    mapped: Mapped
    title: str
    question: str
    counts: tuple[tuple[Status, int], ...] = ()
    answers: tuple[Assessment, ...] = ()
    figures: tuple[Figure, ...] = ()
    not_reported: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnderPrinciple:
    """A principle with what is offered for it."""

    principle: Principle
    offered: tuple[Offered, ...]

    @property
    def nothing(self) -> str:
        """That no figure of the ledger goes with it; empty where one does."""
        if self.offered:
            return ""
        return (
            f"Fairtier has no figure that goes with {self.principle.name}: a ledger of referrals "
            "and payments does not show it. That says nothing about the prime."
        )


@dataclass(frozen=True)
class EvidenceFile:
    """The evidence about one prime on a day, as far as whoever asked may see it.

    `contract_ids` are those it is about; `left_out_count` those of its contracts that are not in
    it because they are confidential.
    """

    prime_id: str
    prime_name: str
    as_of: dt.date
    contract_ids: tuple[str, ...]
    left_out_count: int
    principles: tuple[UnderPrinciple, ...]
    names: Mapping[str, str]

    def name(self, organisation_id: str | None) -> str:
        """The organisation's name, its id where none is known; the whole contract for None."""
        if organisation_id is None:
            return "the whole contract"
        return self.names.get(organisation_id, organisation_id)

    @property
    def statement(self) -> tuple[str, ...]:
        """What this is and is not, about which contracts, known when."""
        contracts = count(len(self.contract_ids), "contract")
        told = [
            *STANDING,
            f"About {self.prime_name} ({self.prime_id}) and {contracts} that it holds, as known on "
            f"{day_name(self.as_of)}.",
        ]
        if self.left_out_count:
            told.append(
                f"Not in it: {count(self.left_out_count, 'confidential contract')}, which no file "
                "that is handed on may show."
            )
        told.append(
            "It holds figures about single subcontractors and small numbers of clients: it is for "
            "the prime and whoever it shows it to, and not for publication."
        )
        return tuple(told)

    def answer(self) -> dict[str, Any]:
        """The file as JSON."""
        return {
            "prime_id": self.prime_id,
            "prime": self.prime_name,
            "as_of": self.as_of.isoformat(),
            "contracts": list(self.contract_ids),
            "confidential_contracts_left_out": self.left_out_count,
            "statement": list(self.statement),
            "principles": [
                {
                    "principle": one.principle.id,
                    "name": one.principle.name,
                    "nothing": one.nothing or None,
                    "offered": [_offered_answer(offered) for offered in one.offered],
                    "of_its_own": list(one.principle.of_its_own),
                }
                for one in self.principles
            ],
        }

    def rows(self) -> list[tuple[Any, ...]]:
        """The file as rows of `ROW_COLUMNS`: one for each answer, figure, and what is missing."""
        return [
            (self.prime_id, one.principle.name, *row)
            for one in self.principles
            for row in (_rows(one) or [_none(one.nothing)])
        ]


ROW_COLUMNS = (
    "prime_id",
    "principle",
    "kind",
    "id",
    "contract_id",
    "subcontractor_id",
    "what",
    "status",
    "value",
    "low",
    "high",
    "unit",
    "rule",
    "told",
)


def evidence_offered(
    prime_id: str,
    as_of: dt.date,
    contract_ids: Sequence[str],
    assessments: Iterable[Assessment],
    spend: Mapping[str, Spend],
    concentrations: Mapping[str, Concentration],
    conversions: Mapping[str, Conversion],
    names: Mapping[str, str],
    left_out_count: int = 0,
) -> EvidenceFile:
    """The evidence about one prime from what was already worked out; nothing is judged here.

    `assessments` may be of other primes and contracts too: they are left out. `spend`,
    `concentrations` and `conversions` are by contract; one that is missing counts as not reported.
    Payment timing is taken from the evidence of the flag about late payment.
    """
    mine = tuple(
        found
        for found in assessments
        if found.prime_id == prime_id and found.contract_id in contract_ids
    )
    figures = {
        "spend_by_sector": _spend(contract_ids, spend),
        "concentration": _concentration(contract_ids, concentrations),
        "conversion": _conversion(contract_ids, conversions),
        "payment_timing": _timing(mine, names),
    }
    known_flags = {flag.id: flag for flag in flags()}
    known_metrics = {metric.id: metric for metric in metrics()}

    def offered(mapped: Mapped) -> Offered:
        if mapped.kind == "flag":
            return _of_flag(mapped, known_flags[mapped.id], mine, names)
        return _of_metric(mapped, known_metrics[mapped.id], *figures[mapped.id])

    return EvidenceFile(
        prime_id=prime_id,
        prime_name=names.get(prime_id, prime_id),
        as_of=as_of,
        contract_ids=tuple(contract_ids),
        left_out_count=left_out_count,
        principles=tuple(
            UnderPrinciple(one, tuple(offered(mapped) for mapped in one.mapped))
            for one in PRINCIPLES
        ),
        names={
            one: names[one]
            for one in (prime_id, *(found.subcontractor_id for found in mine))
            if one is not None and one in names
        },
    )


_Found = tuple[tuple[Figure, ...], tuple[str, ...]]


def _of_flag(
    mapped: Mapped, flag: Flag, mine: Sequence[Assessment], names: Mapping[str, str]
) -> Offered:
    answers = tuple(found for found in mine if found.flag == flag.id)
    statuses = [found.status for found in answers]
    missing = tuple(
        f"{names.get(found.subcontractor_id or '', found.subcontractor_id or 'whole contract')} "
        f"in {found.contract_id}"
        for found in answers
        if found.status == "not_reported"
    )
    return Offered(
        mapped,
        flag.title,
        flag.question,
        counts=tuple((status, statuses.count(status)) for status in STATUSES),
        answers=answers,
        not_reported=missing,
    )


def _of_metric(
    mapped: Mapped, metric: Metric, figures: tuple[Figure, ...], missing: tuple[str, ...]
) -> Offered:
    return Offered(mapped, metric.title, metric.question, figures=figures, not_reported=missing)


def _spend(contract_ids: Sequence[str], spend: Mapping[str, Spend]) -> _Found:
    figures, missing = [], []
    for contract_id in contract_ids:
        found = spend.get(contract_id)
        if found is None or found.payable_pence is None:
            missing.append(f"payments of {contract_id}")
            continue
        for sector in found.sectors:
            what = f"Payable to {sector.sector} subcontractors"
            part = "" if sector.share is None else f" ({share(sector.share)})"
            organisations = count(sector.subcontractor_count, "subcontractor")
            figures.append(
                Figure(
                    contract_id,
                    None,
                    what,
                    sector.payable_pence,
                    "pence",
                    f"{pounds(sector.payable_pence)}{part}, {organisations}",
                )
            )
    return tuple(figures), tuple(missing)


def _concentration(contract_ids: Sequence[str], found: Mapping[str, Concentration]) -> _Found:
    figures, missing = [], []
    for contract_id in contract_ids:
        one = found.get(contract_id)
        if one is None or one.referral_count is None:
            missing.append(f"referrals of {contract_id}")
            continue
        in_house = one.in_house_count or 0
        figures += [
            _count(contract_id, "Clients reported", one.referral_count, "clients"),
            _count(contract_id, "Clients kept in house", in_house, "clients"),
            _count(
                contract_id,
                "Subcontractors with clients",
                len(one.subcontractors),
                "subcontractors",
            ),
        ]
        if one.effective_number is not None:
            figures.append(
                Figure(
                    contract_id,
                    None,
                    "Subcontractors of equal size that would be as concentrated",
                    one.effective_number,
                    "subcontractors",
                    figure(round(one.effective_number, 1)),
                )
            )
    return tuple(figures), tuple(missing)


def _conversion(contract_ids: Sequence[str], found: Mapping[str, Conversion]) -> _Found:
    figures: list[Figure] = []
    missing = []
    for contract_id in contract_ids:
        one = found.get(contract_id)
        if one is None or not one.groups:
            missing.append(f"referrals and payable events of {contract_id}")
            continue
        total = one.total
        figures += [
            _count(contract_id, "Referrals", total.referral_count, "referrals"),
            _count(contract_id, "Starts", total.start_count, "starts"),
            _count(contract_id, "Job outcomes", total.job_outcome_count, "job outcomes"),
            _count(contract_id, "Sustainments", total.sustainment_count, "sustainments"),
        ]
        rates = (
            ("Starts for each referral", total.start_rate, "share"),
            ("Job outcomes for each start", total.outcome_rate, "share"),
            ("Sustainments for each job outcome", total.sustainment_rate, "sustainments"),
        )
        figures += [
            Figure(
                contract_id,
                None,
                what,
                rate,
                unit,
                share(rate) if unit == "share" else figure(rate),
            )
            for what, rate, unit in rates
            if rate is not None
        ]
    return tuple(figures), tuple(missing)


def _timing(mine: Sequence[Assessment], names: Mapping[str, str]) -> _Found:
    figures: list[Figure] = []
    missing = []
    for found in mine:
        if found.flag != "payment_delay":
            continue
        about = (found.contract_id, found.subcontractor_id)
        statistics = found.evidence["regulation_38"]
        if statistics["mean_days"] is None:
            name = names.get(found.subcontractor_id or "", found.subcontractor_id)
            missing.append(f"a payment with its invoice day, to {name} in {found.contract_id}")
            continue
        mean = statistics["mean_days"]
        shown = count(round(mean, 1), "day")
        figures.append(Figure(*about, "Days from invoice to payment, mean", mean, "days", shown))
        figures += [
            Figure(
                *about,
                f"Paid in {band['days']}",
                band["share"],
                "share",
                f"{share(band['share'])}, {count(band['payments'], 'payment')}",
            )
            for band in statistics["payments_by_days"]
        ]
    return tuple(figures), tuple(missing)


def _count(contract_id: str, what: str, number: int, unit: str) -> Figure:
    return Figure(contract_id, None, what, number, unit, figure(number))


def _offered_answer(one: Offered) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "kind": one.mapped.kind,
        "id": one.mapped.id,
        "title": one.title,
        "why": one.mapped.why,
        "not_reported": list(one.not_reported),
    }
    if one.mapped.kind == "flag":
        return answer | {
            "counts": dict(one.counts),
            "answers": [
                {
                    "contract_id": found.contract_id,
                    "subcontractor_id": found.subcontractor_id,
                    "status": found.status,
                    "value": found.value,
                    "low": found.low,
                    "high": found.high,
                    "rule": found.threshold,
                    "sentence": found.sentence,
                }
                for found in one.answers
            ],
        }
    return answer | {
        "figures": [
            {
                "contract_id": each.contract_id,
                "subcontractor_id": each.subcontractor_id,
                "what": each.what,
                "value": each.value,
                "unit": each.unit,
            }
            for each in one.figures
        ]
    }


def _rows(one: UnderPrinciple) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    units = {flag.id: flag.unit for flag in flags()}
    for offered in one.offered:
        kind, name = offered.mapped.kind, offered.mapped.id
        rows += [
            (
                kind,
                name,
                found.contract_id,
                found.subcontractor_id,
                offered.title,
                found.status,
                found.value,
                found.low,
                found.high,
                units[name],
                found.threshold,
                found.sentence,
            )
            for found in offered.answers
        ]
        rows += [
            (
                kind,
                name,
                each.contract_id,
                each.subcontractor_id,
                each.what,
                None,
                each.value,
                None,
                None,
                each.unit,
                None,
                each.shown,
            )
            for each in offered.figures
        ]
        if kind == "metric":
            blank = (None,) * 5
            rows += [
                (kind, name, None, None, offered.title, "not_reported", *blank, gap)
                for gap in offered.not_reported
            ]
    return rows


def _none(told: str) -> tuple[Any, ...]:
    return (*(None,) * (len(ROW_COLUMNS) - 3), told or "Nothing is on record.")
