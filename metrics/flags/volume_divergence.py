"""Referrals that left the forecast, beyond tolerance and beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from metrics.allocation import (
    Allocation,
    allocations,
    of_the_intake,
    short_of_naming,
    unlikely,
)
from metrics.clumping import Overdispersion, clumping_sentence, overdispersion
from metrics.definition import (
    STATUSES,
    Account,
    Assessment,
    Attribution,
    Flag,
    SourceRow,
    Status,
)
from metrics.evidence.arrays import Side
from metrics.evidence.e_process import e_value, log_e_value
from metrics.programme import among_e_values, standing_sentence
from metrics.referral_account import happened, promised
from metrics.source_rows import referral_rows
from metrics.volume_ratio import divergence
from metrics.volume_split import volume_splits
from metrics.wording import (
    both_sides,
    chance,
    change,
    changed_forecasts,
    count,
    evidence_size,
    figure,
    no_attribution,
    nothing_reported,
    period,
    share,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from metrics.evidence.arrays import Numbers
    from metrics.facts import Facts, Subject
    from metrics.rules import Rules

FLAG = Flag(
    id="volume_divergence",
    order=3,
    title="Volumes left the forecast",
    question="Did referrals differ from the forecast by more than tolerance and chance allow?",
    why_it_matters='"Client volumes that differed greatly from projections" left subcontractors '
    "with staff they could not pay or clients they were not funded for.",
    numerator="Referrals received in the reported months, less the forecast for them.",
    denominator="The forecast for the same months.",
    unit="share of the forecast: -0.25 is a quarter fewer",
    grain="agreement with a forecast; contract",
    direction="0 is as forecast; both sides are signs",
    exclusions=(
        "Agreements and contracts without a forecast, or with a forecast of none.",
        "Months that neither side has reported.",
    ),
    assumptions=(
        "Referrals arrive one by one (Poisson) or in clumps whose sizes follow the logarithmic law "
        "(negative binomial), as the rule overdispersion has it.",
        "For attribution: each client (or clump) of the prime's intake had the promised share as "
        "its chance of going to the subcontractor.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2",
    version=2,
    metrics=(
        "observed_referrals",
        "expected_referrals",
        "intake",
        "volume_ratio",
        "volume_split",
        "clumping",
    ),
    rule="volume_divergence",
    rules=(
        "volume_divergence",
        "volume_evidence",
        "interval",
        "overdispersion",
        "overdispersion_pairs",
        "overdispersion_before",
        "attribution",
        "attribution_evidence",
    ),
    statuses=(
        ("raised", "outside the tolerance, with the evidence asked"),
        ("watch", "the whole interval is outside the tolerance, but the evidence is short"),
        ("clear", "within the tolerance"),
        ("too_early", "outside the tolerance, but chance could explain it"),
        ("not_reported", "no month is reported"),
        ("not_applicable", "there is no forecast, or it is of none"),
    ),
    other_explanations=(
        "the forecast was never agreed, or was revised and the revision not recorded",
        "referrals come in larger clumps than the programme's months show, here or in all of it",
        "one side's returns are not complete",
    ),
    ask_next=(
        "Ask who issued the forecast and what it rested on.",
        "Ask the prime how it shares out the clients it gets.",
        "Ask the commissioner for its own count of the contract's referrals.",
    ),
    in_public="Over {limit} {way} referrals came than were forecast.",
)


WholeSide = Side | Literal["inside"]
_SIDES: tuple[tuple[int, Side], ...] = ((-1, "shortfall"), (1, "excess"))
_STATUSES: dict[str, Status] = {status: status for status in STATUSES}


@dataclass(frozen=True)
class Decision:
    """The arithmetic and the answer for many counts at once: arrays of like shape.

    `side` is -1 where the count is below the tolerance, 1 above, 0 inside.
    """

    value: Numbers
    low: Numbers
    high: Numbers
    e_shortfall: Numbers
    e_excess: Numbers
    side: NDArray[np.int64]
    status: NDArray[np.str_]


def decide(observed: ArrayLike, expected: ArrayLike, clumping: ArrayLike, rules: Rules) -> Decision:
    """What is said of counts (whole numbers) against forecasts above 0, reported all.

    The tolerance is compared exactly, in whole numbers.
    """
    tolerance = rules["volume_divergence"]
    value, low, high = divergence(observed, expected, rules["interval"].number, clumping)
    e_shortfall, e_excess = (
        e_value(log_e_value(observed, expected, tolerance.number, side, clumping))
        for _, side in _SIDES
    )
    gap = np.asarray(observed, dtype=object) - np.asarray(expected, dtype=object)
    beyond = abs(gap) * tolerance.value.denominator > expected * np.asarray(
        tolerance.value.numerator, dtype=object
    )
    side = np.where(beyond.astype(bool), np.sign(value), 0).astype(np.int64)
    evidence = np.where(side < 0, e_shortfall, e_excess)
    status = np.select(
        [
            side == 0,
            evidence >= rules["volume_evidence"].number,
            (high < -tolerance.number) | (low > tolerance.number),
        ],
        ["clear", "raised", "watch"],
        "too_early",
    )
    return Decision(value, low, high, e_shortfall, e_excess, side, status)


@dataclass(frozen=True)
class _Figures:
    """The decision for one subject, with what its allocation says on either side."""

    value: float
    low: float
    high: float
    e_shortfall: float
    e_excess: float
    side: Side | None
    status: Status
    allocation: Allocation | None
    clumping: Overdispersion

    def e_value(self, side: Side) -> float:
        return self.e_shortfall if side == "shortfall" else self.e_excess


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per contract and per agreement; value, low and high are O/E - 1."""
    subjects = sorted(
        (*facts.contracts, *facts.agreements),
        key=lambda subject: (subject.contract_id, subject.subcontractor_id or ""),
    )
    figures = _figures(subjects, rules)
    contract_sides = {
        subject.contract_id: known.side or "inside"
        for subject, known in zip(subjects, figures, strict=True)
        if subject.subcontractor_id is None and known is not None
    }
    splits = volume_splits(facts)
    standing = among_e_values(
        [
            (s, None if known is None else max(known.e_shortfall, known.e_excess))
            for s, known in zip(subjects, figures, strict=True)
        ],
        rules["volume_evidence"].number,
    )
    used = {rule_id: rules[rule_id].answer() for rule_id in FLAG.rules}
    found = []
    for subject, known, among in zip(subjects, figures, standing, strict=True):
        split = splits.get((subject.contract_id, subject.subcontractor_id or ""))
        context = _Context(
            contract_sides.get(subject.contract_id),
            split.evidence() if split and subject.subcontractor_id else None,
            among,
        )
        found.append(_assessment(subject, facts, rules, used, known, context))
    return found


@dataclass(frozen=True)
class _Context:
    """What stands round one subject: its contract, the split, and its whole programme."""

    contract_side: WholeSide | None
    split: dict[str, Any] | None
    standing: dict[str, Any] | None


def _has_forecast(subject: Subject) -> bool:
    return subject.reported_months > 0 and (subject.expected or 0) > 0


def _figures(subjects: Sequence[Subject], rules: Rules) -> list[_Figures | None]:
    fit = [subject for subject in subjects if _has_forecast(subject)]
    clumping = [overdispersion(subject, rules) for subject in fit]
    decision = decide(
        np.array([subject.observed for subject in fit], dtype=object),
        np.array([subject.expected for subject in fit], dtype=object),
        [one.value for one in clumping],
        rules,
    )
    by_side = {side: allocations(fit, clumping, side, rules) for _, side in _SIDES}
    names = dict(_SIDES)
    known = {}
    for place, subject in enumerate(fit):
        side = names.get(int(decision.side[place]))
        known[id(subject)] = _Figures(
            value=float(decision.value[place]),
            low=float(decision.low[place]),
            high=float(decision.high[place]),
            e_shortfall=float(decision.e_shortfall[place]),
            e_excess=float(decision.e_excess[place]),
            side=side,
            status=_STATUSES[str(decision.status[place])],
            allocation=by_side[side][place] if side else None,
            clumping=clumping[place],
        )
    return [known.get(id(subject)) for subject in subjects]


def _attribution(
    subject: Subject, rules: Rules, figures: _Figures, contract_side: WholeSide | None
) -> Attribution | None:
    if subject.subcontractor_id is None:
        return "commissioner"
    if figures.allocation is None:
        return None
    if subject.observed > (subject.intake or 0):
        return None  # both sides' counts cannot be right
    # Of a partly reported intake only the known part counts, and the whole can only be larger.
    shortfall = figures.side == "shortfall"
    if unlikely(figures.allocation.tail, rules):
        sure = shortfall or subject.intake_complete
        return "prime" if sure and figures.allocation.names_prime else None
    sure = not shortfall or subject.intake_complete
    return "commissioner" if sure and contract_side == figures.side else None


def _assessment(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    used: dict[str, dict[str, Any]],
    figures: _Figures | None,
    context: _Context,
) -> Assessment:
    status: Status = "not_reported" if not subject.reported_months else "not_applicable"
    attributed_to: Attribution | None = None
    if figures is not None:
        status = figures.status
        if status == "raised":
            attributed_to = _attribution(subject, rules, figures, context.contract_side)
    return Assessment(
        flag=FLAG.id,
        contract_id=subject.contract_id,
        prime_id=subject.prime_id,
        subcontractor_id=subject.subcontractor_id,
        client_group=None,
        status=status,
        value=figures.value if figures else None,
        low=figures.low if figures else None,
        high=figures.high if figures else None,
        threshold=rules[FLAG.rule].number,
        evidence=subject.referral_evidence()
        | {
            "side": figures.side if figures else None,
            "e_value": {"shortfall": figures.e_shortfall, "excess": figures.e_excess}
            if figures
            else None,
            "overdispersion": figures.clumping.evidence() if figures else None,
            "allocation": figures.allocation.evidence() if figures and figures.allocation else None,
            "contract_side": context.contract_side,
            "split": context.split,
            "among_programme": context.standing,
            "rules": used,
        },
        sentence=_sentence(subject, facts, rules, status, figures, context, attributed_to),
        attributed_to=attributed_to,
    )


def _sentence(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    status: Status,
    figures: _Figures | None,
    context: _Context,
    attributed_to: Attribution | None,
) -> str:
    prime = facts.name(subject.prime_id)
    whole = subject.subcontractor_id is None
    name = _name(subject.contract_id, subject.prime_id, subject.subcontractor_id, facts)
    if status == "not_reported":
        who = prime if whole else f"neither {name} nor {prime}"
        return f"Not reported for {name}: {nothing_reported(subject, 'referrals', who)}."
    when = period(subject.window, subject.reported_months)
    got = count(subject.observed, "referral")
    changed = changed_forecasts(subject)
    if figures is None:
        why = "it has no forecast" if subject.expected is None else "its forecast is of none"
        return f"Not applicable: {name} got {got} {when}, but {why} to compare them with.{changed}"
    rule = rules["volume_divergence"]
    forecast = count(subject.expected or 0, "referral")
    limit = f"rule: {share(rule.number)} either way; {rule.standing}"
    told = (
        f"{name} got {got} {when} where the forecast had {forecast}, "
        f"{change(figures.value, rule.number)}"
    )
    if figures.side is None:
        return f"{told}, within the tolerance ({limit}).{changed}"
    interval = (
        f"The rate behind this count lies between {_end(figures.low)} and {_end(figures.high)} "
        f"({share(rules['interval'].number)} interval)"
    )
    evidence = rules["volume_evidence"]
    size = evidence_size(figures.e_value(figures.side), evidence.number)
    asked = f"{figure(evidence.number)} is asked ({evidence.standing})"
    measured = f"the evidence (e-value) is {size} where {asked}"
    clumps = "" if figures.clumping.value == 1 else f" {figures.clumping.sentence}"
    if status == "too_early":
        return (
            f"Too early to say: {told}, outside the tolerance ({limit}). {interval}, and "
            f"{measured}.{clumps}{changed}"
        )
    if status == "watch":
        return (
            f"{told}, outside the tolerance ({limit}). {interval}, but {measured}.{clumps}{changed}"
        )
    whose = _whose(subject, facts, rules, figures, context, attributed_to)
    other = "; ".join(FLAG.other_explanations)
    differ = "" if whole else both_sides(subject, prime)
    split = f" {context.split['sentence']}" if context.split else ""
    among = context.standing
    chancy = "" if among is None or among["stands"] else f" {standing_sentence(among)}"
    return (
        f"{told}, outside the tolerance ({limit}). {interval}, and {measured}.{clumps}{changed}"
        f"{chancy}{differ}{split} {whose} What else could explain it: {other}."
    )


def _name(
    contract_id: str, prime_id: str | None, subcontractor_id: str | None, facts: Facts
) -> str:
    if subcontractor_id is None:
        return f"Contract {contract_id} ({facts.name(prime_id)})"
    return facts.name(subcontractor_id)


def _end(value: float) -> str:
    return change(value) if abs(value) >= 0.0005 else "as forecast"


def _whose(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    figures: _Figures,
    context: _Context,
    attributed_to: Attribution | None,
) -> str:
    prime = facts.name(subject.prime_id)
    if subject.subcontractor_id is None:
        return f"This is what {prime} reports that the commissioner sent, before it was shared out."
    found = figures.allocation
    if found is None:
        return f"Whose doing it is cannot be said: {no_attribution(subject)}."
    if subject.observed > (subject.intake or 0):
        return (
            f"Whose doing it is cannot be said: {prime} reports an intake of "
            f"{count(subject.intake or 0, 'referral')} in the client groups served, fewer than "
            "were received, so that the two counts cannot both be right."
        )
    shortfall = figures.side == "shortfall"
    so_many = "so few" if shortfall else "so many"
    of_intake = of_the_intake(subject, facts, found, rules, so_many)
    small = bool(unlikely(found.tail, rules))
    if attributed_to == "prime":
        return f"{of_intake}: the prime's allocation differs from the promise."
    if attributed_to == "commissioner":
        return f"{of_intake}, and the contract's whole intake left its forecast on the same side."
    if small and not found.names_prime:
        return f"{of_intake}. {short_of_naming(found, rules)}"
    if not subject.intake_complete and shortfall != small:
        return f"Whose doing it is cannot be said: {no_attribution(subject)}."
    if context.contract_side is None:
        return (
            f"{of_intake}, so the prime's allocation does not explain it. Whether the "
            "commissioner's volume does cannot be said: the contract's whole intake has no "
            "forecast, or the prime has not reported it."
        )
    return (
        f"{of_intake}, and the contract's whole intake did not leave its forecast on that side: "
        "neither the prime's allocation nor the commissioner's volume explains it."
    )


def account(found: Assessment, facts: Facts) -> Account:
    """Forecast, count, interval, evidence, and whose doing it is."""
    evidence, rules = found.evidence, found.evidence["rules"]
    steps = []
    if found.value is not None and found.low is not None and found.high is not None:
        observed, forecast = evidence["observed"], evidence["forecast"]
        tolerance = rules["volume_divergence"]["value"]
        level = share(rules["interval"]["value"])
        steps = [
            f"{figure(observed)} received / {figure(forecast)} forecast - 1 = "
            f"{change(found.value, found.threshold)}; the tolerance is {share(tolerance)} either "
            f"way, from {figure(forecast * (1 - tolerance))} to "
            f"{figure(forecast * (1 + tolerance))} referrals.",
            f"{level} interval for the mean behind {figure(observed)}: "
            f"{figure(forecast * (1 + found.low))} to {figure(forecast * (1 + found.high))} "
            f"referrals, which is {_end(found.low)} to {_end(found.high)}.",
            clumping_sentence(evidence["overdispersion"]),
            "Evidence (e-value) that the rate lies below the tolerance: "
            f"{evidence_size(evidence['e_value']['shortfall'])}; above it: "
            f"{evidence_size(evidence['e_value']['excess'])}; asked: "
            f"{figure(rules['volume_evidence']['value'])}. If the rate lay inside the tolerance, "
            "it would reach that at most once in "
            f"{figure(rules['volume_evidence']['value'])} cases, however often one looks, if "
            "clients come as reckoned above.",
        ]
        if evidence["among_programme"] and found.status == "raised":
            steps.append(standing_sentence(evidence["among_programme"]))
        steps += split_steps(evidence["split"])
        if evidence["allocation"]:
            steps.append(
                f"Given an intake of {figure(evidence['intake'])} and a promised share of "
                f"{share(evidence['promised_share'])}, {figure(observed)} or "
                f"{'fewer' if evidence['side'] == 'shortfall' else 'more'} would come in "
                f"{chance(evidence['allocation']['binomial_tail'])} of cases, and the evidence for "
                f"repeated looks is {evidence_size(evidence['allocation']['e_value'])}. The prime "
                f"is named only where the flag is raised, the first is at most "
                f"{share(rules['attribution']['value'])} and the second at least "
                f"{figure(rules['attribution_evidence']['value'])}."
            )
    name = _name(found.contract_id, found.prime_id, found.subcontractor_id, facts)
    return Account(
        promise=promised(evidence, name, facts),
        happened=happened(evidence, found, facts),
        arithmetic=tuple(steps),
    )


def split_steps(split: dict[str, Any] | None) -> list[str]:
    """Whose failure it is, as arithmetic: the two factors, then client group by client group."""
    if split is None:
        return []
    factors = (
        f"{figure(split['observed'])} / {figure(split['forecast'])} = "
        f"{split['volume_factor']:.2f} (the commissioner's volume)"
    )
    if split["allocation_factor"] is not None:
        factors += f" x {split['allocation_factor']:.2f} (the prime's allocation)"
    return [
        f"{factors}. {split['sentence']}",
        *(
            f"{one['client_group']}: {figure(one['forecast'])} forecast x "
            f"{figure(one['intake'])} / {figure(one['forecast_intake'])} of the intake = "
            f"{figure(one['forecast'] + one['volume_effect'])}; {figure(one['observed'])} came."
            for one in split["by_client_group"]
            if one["client_group"] and one["forecast"]
        ),
    ]


def source_rows(found: Assessment, facts: Facts) -> list[SourceRow]:
    """The forecasts and referrals of the window, on both sides."""
    return referral_rows(found, facts)
