"""A subcontractor that was promised clients and got none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from metrics.definition import Assessment, Attribution, Flag, Status
from metrics.evidence import binomial_tail, zero_probability
from metrics.wording import (
    both_sides,
    chance,
    count,
    no_attribution,
    nothing_reported,
    period,
    share,
)

if TYPE_CHECKING:
    from metrics.facts import Facts, Subject
    from metrics.rules import Rules

FLAG = Flag(
    id="zero_referrals",
    order=1,
    title="No referrals",
    question="Did a subcontractor that was promised clients get none at all?",
    why_it_matters='"Bid candy": a charity named in the bid to win it, and then not used. In one '
    "survey 11 of 16 subcontractors in London had no referral after about ten months.",
    numerator="Referrals received in the reported months.",
    denominator="Referrals promised for the same months, of which the chance of a zero follows.",
    unit="referrals; the threshold is the chance of a zero",
    grain="agreement",
    direction="0 is the sign; more than 0 clears it",
    exclusions=(
        "Months that neither side has reported.",
        "Agreements without any promise that were not named in the bid.",
    ),
    assumptions=(
        "Referrals arrive independently of each other (Poisson). If they come in clumps, a zero "
        "is likelier than stated.",
        "For attribution: each client of the prime's intake had the promised share as its chance "
        "of going to the subcontractor.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2",
    version=1,
    metrics=("observed_referrals", "expected_referrals", "intake"),
    rule="zero_referrals",
    rules=("zero_referrals", "zero_referrals_months", "attribution"),
    statuses=(
        (
            "raised",
            "none came, and the promise makes that unlikely; or it was named in the bid "
            "without a volume and none came for months",
        ),
        ("clear", "at least one referral came"),
        ("too_early", "none came, but so few were due that chance could explain it"),
        ("not_reported", "neither side has reported any month"),
        ("not_applicable", "none came, but nothing was promised"),
    ),
    other_explanations=(
        "the subcontractor was not ready on the day in the register",
        "the clients it serves were not sent by the commissioner",
        "referrals were made and not recorded by the side whose count is used",
    ),
    ask_next=(
        "Ask the prime where the clients of these groups went.",
        "Ask both sides whether the first day in the register is right.",
        "Ask the prime for the forecast it gave the subcontractor, in writing.",
    ),
)


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per agreement; value is the number of referrals received."""
    subjects = facts.agreements
    promised = [subject.promise for subject in subjects]
    chances = zero_probability([promise or 0.0 for promise in promised])
    alone = binomial_tail(
        np.zeros(len(subjects)),
        [subject.intake or 0 for subject in subjects],
        [subject.promised_share or 0.0 for subject in subjects],
        "shortfall",
    )
    used = {rule_id: rules[rule_id].answer() for rule_id in FLAG.rules}
    return [
        _assessment(subject, facts, rules, used, promise, p_zero, p_alone)
        for subject, promise, p_zero, p_alone in zip(
            subjects, promised, chances.tolist(), alone.tolist(), strict=True
        )
    ]


def _assessment(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    used: dict[str, dict[str, Any]],
    promise: float | None,
    p_zero: float,
    p_alone: float,
) -> Assessment:
    rule = rules["zero_referrals"]
    status = _status(subject, rules, promise, p_zero)
    shared_out = subject.intake is not None and subject.promised_share is not None
    attributed_to: Attribution | None = None
    if status == "raised" and subject.expected is None and promise is not None:
        attributed_to = "prime"
    elif status == "raised" and promise is not None and shared_out:
        if p_alone <= rules["attribution"].number:
            attributed_to = "prime"
        elif subject.intake_complete:
            attributed_to = "commissioner"
    basis = None
    if promise is not None:
        basis = "forecast" if subject.expected is not None else "promised_share"
    evidence = subject.referral_evidence() | {
        "promise": promise,
        "promise_basis": basis,
        "named_in_bid": subject.named_in_bid,
        "p_zero": None if promise is None else p_zero,
        "p_zero_given_intake": p_alone if shared_out else None,
        "rules": used,
    }
    return Assessment(
        flag=FLAG.id,
        contract_id=subject.contract_id,
        prime_id=subject.prime_id,
        subcontractor_id=subject.subcontractor_id,
        client_group=None,
        status=status,
        value=float(subject.observed) if subject.reported_months else None,
        low=None,
        high=None,
        threshold=rule.number,
        evidence=evidence,
        sentence=_sentence(subject, facts, rules, status, promise, p_zero, p_alone, attributed_to),
        attributed_to=attributed_to,
    )


def _status(subject: Subject, rules: Rules, promise: float | None, p_zero: float) -> Status:
    if not subject.reported_months:
        return "not_reported"
    if subject.observed > 0:
        return "clear"
    if promise is not None:
        return "raised" if p_zero <= rules["zero_referrals"].number else "too_early"
    if not subject.named_in_bid:
        return "not_applicable"
    enough = subject.reported_months >= rules["zero_referrals_months"].value
    return "raised" if enough else "too_early"


def _sentence(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    status: Status,
    promise: float | None,
    p_zero: float,
    p_alone: float,
    attributed_to: Attribution | None,
) -> str:
    name = facts.name(subject.subcontractor_id)
    prime = facts.name(subject.prime_id)
    if status == "not_reported":
        why = nothing_reported(subject, "referrals", f"neither {name} nor {prime}")
        return f"Not reported for {name}: {why}."
    when = period(subject.window, subject.reported_months)
    if status == "clear":
        got = count(subject.observed, "referral")
        return f"{name} got {got} {when}, so it was not left without any."
    if status == "not_applicable":
        return (
            f"Not applicable: {name} got no referrals {when}, but it was not named in the bid and "
            f"{_no_promise(subject)}."
        )
    if promise is None:
        told = _unpromised(subject, rules, name, when, status)
    else:
        told = _promised(subject, rules, name, prime, when, promise, p_zero, status)
    if status == "too_early":
        return told
    whose = _whose(subject, rules, name, prime, promise, p_alone, attributed_to)
    other = "; ".join(FLAG.other_explanations)
    return f"{told}{both_sides(subject, prime)} {whose} What else could explain it: {other}."


def _promised(
    subject: Subject,
    rules: Rules,
    name: str,
    prime: str,
    when: str,
    promise: float,
    p_zero: float,
    status: Status,
) -> str:
    rule = rules["zero_referrals"]
    limit = f"rule: at most {share(rule.number)}; {rule.standing}"
    promised = count(promise, "referral")
    if subject.expected is None:
        promised += (
            f", its share of {share(subject.promised_share or 0.0)} of the "
            f"{count(subject.intake or 0, 'referral')} that {prime} reports,"
        )
    if status == "raised":
        return (
            f"{name} was promised {promised} {when} and got none. If the promise held, that would "
            f"come about in {chance(p_zero)} of cases ({limit})."
        )
    if promise == 0:
        return f"Too early to say: {name} got no referrals {when}, and none was due yet."
    return (
        f"Too early to say: {name} was promised {promised} {when} and got none, but so few were "
        f"due that it would come about in {chance(p_zero)} of cases even if the promise held "
        f"({limit})."
    )


def _unpromised(subject: Subject, rules: Rules, name: str, when: str, status: Status) -> str:
    rule = rules["zero_referrals_months"]
    asked = count(int(rule.value), "reported month")
    limit = f"rule: {asked} or more; {rule.standing}"
    told = f"{name} was named in the bid and got no referrals {when}"
    if status == "raised":
        return f"{told} ({limit}); {_no_promise(subject)}."
    months = count(subject.reported_months, "reported month")
    return f"Too early to say: {told}, but that is only {months} ({limit})."


def _no_promise(subject: Subject) -> str:
    if subject.promised_share is None:
        return "no forecast or share of referrals was promised to it"
    return (
        f"its promised share of {share(subject.promised_share)} cannot be applied, because the "
        "prime has not reported its intake"
    )


def _whose(
    subject: Subject,
    rules: Rules,
    name: str,
    prime: str,
    promise: float | None,
    p_alone: float,
    attributed_to: Attribution | None,
) -> str:
    if promise is not None and subject.expected is None:
        return (
            f"The promise is a share of what {prime} itself received, so the commissioner's "
            "volume does not explain it."
        )
    if attributed_to is None:
        missing = no_attribution(subject)
        return f"Whether the commissioner's volume explains it cannot be said: {missing}."
    rule = rules["attribution"]
    of_intake = (
        f"Of the {count(subject.intake or 0, 'referral')} that {prime} reports in the client "
        f"groups served, {name} was to get {share(subject.promised_share or 0.0)}; getting none "
        f"would then come about in {chance(p_alone)} of cases (rule: {share(rule.number)}; "
        f"{rule.standing})"
    )
    if attributed_to == "prime":
        return f"{of_intake}, so the commissioner's volume does not explain it."
    return f"{of_intake}, so the commissioner's volume can explain it."
