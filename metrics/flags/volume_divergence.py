"""Referrals that left the forecast, beyond tolerance and beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from metrics.definition import Assessment, Attribution, Flag, Status
from metrics.evidence import Side, binomial_tail, e_value, log_e_value
from metrics.volume_ratio import divergence
from metrics.wording import (
    both_sides,
    chance,
    change,
    count,
    figure,
    no_attribution,
    nothing_reported,
    period,
    share,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

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
        "Referrals arrive independently of each other (Poisson). If they come in clumps, the "
        "evidence is overstated.",
        "For attribution: each client of the prime's intake had the promised share as its chance "
        "of going to the subcontractor.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2",
    version=1,
    metrics=("observed_referrals", "expected_referrals", "intake", "volume_ratio"),
    rule="volume_divergence",
    rules=("volume_divergence", "volume_evidence", "interval", "attribution"),
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
        "referrals come in clumps, so that chance explains more than stated",
        "one side's returns are not complete",
    ),
    ask_next=(
        "Ask who issued the forecast and what it rested on.",
        "Ask the prime how it shares out the clients it gets.",
        "Ask the commissioner for its own count of the contract's referrals.",
    ),
)


WholeSide = Side | Literal["inside"]


@dataclass(frozen=True)
class _Figures:
    """The arithmetic for one subject that has a forecast above none and a reported month."""

    value: float
    low: float
    high: float
    e_shortfall: float
    e_excess: float
    tail_shortfall: float
    tail_excess: float

    def e_value(self, side: Side) -> float:
        return self.e_shortfall if side == "shortfall" else self.e_excess

    def tail(self, side: Side) -> float:
        return self.tail_shortfall if side == "shortfall" else self.tail_excess


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per contract and per agreement; value, low and high are O/E - 1."""
    subjects = sorted(
        (*facts.contracts, *facts.agreements),
        key=lambda subject: (subject.contract_id, subject.subcontractor_id or ""),
    )
    tolerance = rules["volume_divergence"].value
    contract_sides = {
        contract.contract_id: _whole_side(contract, tolerance) for contract in facts.contracts
    }
    used = {rule_id: rules[rule_id].answer() for rule_id in FLAG.rules}
    return [
        _assessment(subject, facts, rules, used, figures, contract_sides.get(subject.contract_id))
        for subject, figures in zip(subjects, _figures(subjects, rules), strict=True)
    ]


def _has_forecast(subject: Subject) -> bool:
    return subject.reported_months > 0 and (subject.expected or 0) > 0


def _figures(subjects: Sequence[Subject], rules: Rules) -> list[_Figures | None]:
    fit = [subject for subject in subjects if _has_forecast(subject)]
    observed = [subject.observed for subject in fit]
    expected = [subject.expected or 0 for subject in fit]
    intake = [subject.intake or 0 for subject in fit]
    shares = [subject.promised_share or 0.0 for subject in fit]
    tolerance = rules["volume_divergence"].number
    sides: tuple[Side, Side] = ("shortfall", "excess")
    columns = [
        *divergence(observed, expected, rules["interval"].number),
        *(e_value(log_e_value(observed, expected, tolerance, side)) for side in sides),
        *(binomial_tail(observed, intake, shares, side) for side in sides),
    ]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [_Figures(*next(rows)) if _has_forecast(subject) else None for subject in subjects]


def _side(subject: Subject, tolerance: Fraction) -> Side | None:
    """The side on which the count is outside the tolerance, compared exactly; None if inside."""
    if not _has_forecast(subject):
        return None
    expected = subject.expected or 0
    gap = subject.observed - expected
    if abs(gap) * tolerance.denominator <= expected * tolerance.numerator:
        return None
    return "shortfall" if gap < 0 else "excess"


def _whole_side(contract: Subject, tolerance: Fraction) -> WholeSide | None:
    """Where the contract's whole intake lies; None where it has no forecast or no report."""
    return _side(contract, tolerance) or ("inside" if _has_forecast(contract) else None)


def _status(subject: Subject, rules: Rules, figures: _Figures | None, side: Side | None) -> Status:
    if not subject.reported_months:
        return "not_reported"
    if figures is None:
        return "not_applicable"
    if side is None:
        return "clear"
    if figures.e_value(side) >= rules["volume_evidence"].number:
        return "raised"
    tolerance = rules["volume_divergence"].number
    if figures.high < -tolerance or figures.low > tolerance:
        return "watch"
    return "too_early"


def _attribution(
    subject: Subject, rules: Rules, tail: float, side: Side, contract_side: WholeSide | None
) -> Attribution | None:
    if subject.subcontractor_id is None:
        return "commissioner"
    if subject.intake is None or subject.promised_share is None:
        return None
    if tail <= rules["attribution"].number:
        return "prime" if side == "shortfall" or subject.intake_complete else None
    certain = side == "excess" or subject.intake_complete
    return "commissioner" if certain and contract_side == side else None


def _assessment(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    used: dict[str, dict[str, Any]],
    figures: _Figures | None,
    contract_side: WholeSide | None,
) -> Assessment:
    side = _side(subject, rules["volume_divergence"].value)
    status = _status(subject, rules, figures, side)
    attributed_to: Attribution | None = None
    if figures is not None and side is not None and status == "raised":
        attributed_to = _attribution(subject, rules, figures.tail(side), side, contract_side)
    shared_out = (
        subject.subcontractor_id is not None
        and subject.intake is not None
        and subject.promised_share is not None
    )
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
        threshold=rules["volume_divergence"].number,
        evidence=subject.referral_evidence()
        | {
            "side": side,
            "e_value": (
                {"shortfall": figures.e_shortfall, "excess": figures.e_excess} if figures else None
            ),
            "tail_given_intake": (
                {"shortfall": figures.tail_shortfall, "excess": figures.tail_excess}
                if figures and shared_out
                else None
            ),
            "contract_side": contract_side,
            "rules": used,
        },
        sentence=_sentence(
            subject, facts, rules, status, figures, side, contract_side, attributed_to
        ),
        attributed_to=attributed_to,
    )


def _sentence(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    status: Status,
    figures: _Figures | None,
    side: Side | None,
    contract_side: WholeSide | None,
    attributed_to: Attribution | None,
) -> str:
    prime = facts.name(subject.prime_id)
    whole = subject.subcontractor_id is None
    name = (
        f"Contract {subject.contract_id} ({prime})"
        if whole
        else facts.name(subject.subcontractor_id)
    )
    if status == "not_reported":
        who = prime if whole else f"neither {name} nor {prime}"
        return f"Not reported for {name}: {nothing_reported(subject, 'referrals', who)}."
    when = period(subject.window, subject.reported_months)
    got = count(subject.observed, "referral")
    if figures is None:
        why = "it has no forecast" if subject.expected is None else "its forecast is of none"
        return f"Not applicable: {name} got {got} {when}, but {why} to compare them with."
    rule = rules["volume_divergence"]
    forecast = count(subject.expected or 0, "referral")
    limit = f"rule: {share(rule.number)} either way; {rule.standing}"
    told = (
        f"{name} got {got} {when} where the forecast had {forecast}, "
        f"{change(figures.value, rule.number)}"
    )
    if side is None:
        return f"{told}, within the tolerance ({limit})."
    interval = (
        f"By chance alone it could lie between {_end(figures.low)} and {_end(figures.high)} "
        f"({share(rules['interval'].number)} interval)"
    )
    evidence = rules["volume_evidence"]
    measured = (
        f"the evidence (e-value) is {_size(figures.e_value(side))} where "
        f"{figure(evidence.number)} is asked ({evidence.standing})"
    )
    if status == "too_early":
        return (
            f"Too early to say: {told}, outside the tolerance ({limit}). {interval}, and "
            f"{measured}."
        )
    if status == "watch":
        return f"{told}, outside the tolerance ({limit}). {interval}, but {measured}."
    whose = _whose(subject, rules, figures.tail(side), prime, contract_side, attributed_to)
    other = "; ".join(FLAG.other_explanations)
    differ = "" if whole else both_sides(subject, prime)
    return (
        f"{told}, outside the tolerance ({limit}). {interval}, and {measured}.{differ} {whose} "
        f"What else could explain it: {other}."
    )


def _end(value: float) -> str:
    return change(value) if value else "as forecast"


def _size(value: float) -> str:
    return figure(value) if value < 1e6 else "over a million"


def _whose(
    subject: Subject,
    rules: Rules,
    tail: float,
    prime: str,
    contract_side: WholeSide | None,
    attributed_to: Attribution | None,
) -> str:
    if subject.subcontractor_id is None:
        return f"This is what {prime} reports that the commissioner sent, before it was shared out."
    unknown = attributed_to is None and not subject.intake_complete
    if subject.intake is None or subject.promised_share is None or unknown:
        return f"Whose doing it is cannot be said: {no_attribution(subject)}."
    rule = rules["attribution"]
    of_intake = (
        f"At its promised share of {share(subject.promised_share)} of the "
        f"{count(subject.intake, 'referral')} that {prime} reports in the client groups served, "
        f"so {'few' if subject.observed < (subject.expected or 0) else 'many'} would come about "
        f"in {chance(tail)} of cases (rule: {share(rule.number)}; {rule.standing})"
    )
    if attributed_to == "prime":
        return f"{of_intake}: the prime's allocation differs from the promise."
    if attributed_to == "commissioner":
        return f"{of_intake}, and the contract's whole intake left its forecast on the same side."
    if contract_side is None:
        return (
            f"{of_intake}, so the prime's allocation does not explain it. Whether the "
            "commissioner's volume does cannot be said: the contract's whole intake has no "
            "forecast, or the prime has not reported it."
        )
    return (
        f"{of_intake}, and the contract's whole intake did not leave its forecast on that side: "
        "neither the prime's allocation nor the commissioner's volume explains it."
    )
