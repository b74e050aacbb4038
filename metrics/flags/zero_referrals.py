"""A subcontractor that was promised clients and got none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from metrics.allocation import Allocation, allocations, of_the_intake, unlikely
from metrics.clumping import Overdispersion, clumping_sentence, overdispersion
from metrics.definition import Account, Assessment, Attribution, Flag, SourceRow, Status
from metrics.evidence.arrays import numbers
from metrics.evidence.counts import highest_rate_without_any, zero_probability
from metrics.programme import among_probabilities, standing_sentence
from metrics.referral_account import happened, promised
from metrics.source_rows import referral_rows
from metrics.wording import (
    both_sides,
    chance,
    changed_forecasts,
    count,
    figure,
    no_attribution,
    nothing_reported,
    period,
    share,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

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
        "Referrals arrive one by one (Poisson) or in clumps (negative binomial), as the rule "
        "overdispersion has it.",
        "For attribution: each client (or clump) of the prime's intake had the promised share as "
        "its chance of going to the subcontractor.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2",
    version=2,
    metrics=("observed_referrals", "expected_referrals", "intake", "clumping"),
    rule="zero_referrals",
    rules=(
        "zero_referrals",
        "zero_referrals_months",
        "overdispersion",
        "overdispersion_pairs",
        "overdispersion_before",
        "attribution",
    ),
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
    in_public="The subcontractor was sent nobody in the months reported, although clients were "
    "promised or it was named in the bid.",
)

_RULE_OF_THREE = 0.95  # its confidence, one-sided


@dataclass(frozen=True)
class _Figures:
    """The arithmetic for one agreement."""

    promise: float | None
    p_zero: float
    clumping: Overdispersion
    allocation: Allocation | None
    standing: dict[str, Any] | None


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per agreement; value is the number of referrals received."""
    subjects = facts.agreements
    promises = [subject.promise for subject in subjects]
    clumping = [overdispersion(subject, rules) for subject in subjects]
    chances = zero_probability(
        [promise or 0.0 for promise in promises], [one.value for one in clumping]
    ).tolist()
    # A count above none is no sign at all: its chance is 1 among the chances of its programme.
    signs = [
        None
        if promise is None or not subject.reported_months
        else p_zero
        if not subject.observed
        else 1.0
        for subject, promise, p_zero in zip(subjects, promises, chances, strict=True)
    ]
    standing = among_probabilities(
        list(zip(subjects, signs, strict=True)), rules["zero_referrals"].number
    )
    alone = allocations(subjects, clumping, "shortfall", rules)
    used = {rule_id: rules[rule_id].answer() for rule_id in FLAG.rules}
    return [
        _assessment(subject, facts, rules, used, _Figures(*figures))
        for subject, *figures in zip(
            subjects, promises, chances, clumping, alone, standing, strict=True
        )
    ]


def zero_is_unlikely(chances: ArrayLike, rules: Rules) -> NDArray[np.bool_]:
    """Whether none at all is too unlikely to be chance, had the promise held."""
    return np.asarray(numbers(chances) <= rules["zero_referrals"].number)


def _attribution(
    subject: Subject, rules: Rules, status: Status, figures: _Figures
) -> Attribution | None:
    if status != "raised" or figures.promise is None:
        return None
    if subject.expected is None:
        return "prime"
    if figures.allocation is None:
        return None
    # A zero crosses this limit once; a count may cross it again at every look.
    if unlikely(figures.allocation.tail, rules):
        return "prime"
    return "commissioner" if subject.intake_complete else None


def _assessment(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    used: dict[str, dict[str, Any]],
    figures: _Figures,
) -> Assessment:
    promise = figures.promise
    status = _status(subject, rules, promise, figures.p_zero)
    attributed_to = _attribution(subject, rules, status, figures)
    basis = None
    if promise is not None:
        basis = "forecast" if subject.expected is not None else "promised_share"
    months = subject.reported_months
    highest = None
    if promise is None and months and not subject.observed:
        highest = float(highest_rate_without_any(months, _RULE_OF_THREE))
    evidence = subject.referral_evidence() | {
        "promise": promise,
        "promise_basis": basis,
        "named_in_bid": subject.terms.named_in_bid,
        "p_zero": None if promise is None else figures.p_zero,
        "p_zero_given_intake": figures.allocation.tail
        if figures.allocation and not subject.observed
        else None,
        "overdispersion": figures.clumping.evidence(),
        "highest_rate_a_month": highest,
        "among_programme": figures.standing,
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
        threshold=rules[FLAG.rule].number,
        evidence=evidence,
        sentence=_sentence(subject, facts, rules, status, figures, attributed_to),
        attributed_to=attributed_to,
    )


def _status(subject: Subject, rules: Rules, promise: float | None, p_zero: float) -> Status:
    if not subject.reported_months:
        return "not_reported"
    if subject.observed > 0:
        return "clear"
    if promise is not None:
        return "raised" if zero_is_unlikely(p_zero, rules) else "too_early"
    if not subject.terms.named_in_bid:
        return "not_applicable"
    enough = subject.reported_months >= rules["zero_referrals_months"].value
    return "raised" if enough else "too_early"


def _sentence(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    status: Status,
    figures: _Figures,
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
    changed = changed_forecasts(subject)
    if figures.promise is None:
        told = _unpromised(subject, rules, name, when, status)
    else:
        told = _promised(subject, rules, name, prime, when, figures, status)
        if figures.clumping.value != 1:
            told += f" {figures.clumping.sentence}"
    if status == "too_early":
        return f"{told}{changed}"
    among = figures.standing
    chancy = "" if among is None or among["stands"] else f" {standing_sentence(among)}"
    whose = _whose(subject, facts, rules, figures, attributed_to)
    other = "; ".join(FLAG.other_explanations)
    return (
        f"{told}{changed}{chancy}{both_sides(subject, prime)} {whose} What else could explain it: "
        f"{other}."
    )


def _promised(
    subject: Subject,
    rules: Rules,
    name: str,
    prime: str,
    when: str,
    figures: _Figures,
    status: Status,
) -> str:
    promise, p_zero = figures.promise or 0.0, figures.p_zero
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
            f"come about in {chance(p_zero, rule.number)} of cases ({limit})."
        )
    if promise == 0:
        return f"Too early to say: {name} got no referrals {when}, and none was due yet."
    return (
        f"Too early to say: {name} was promised {promised} {when} and got none, but so few were "
        f"due that it would come about in {chance(p_zero, rule.number)} of cases even if the "
        f"promise held ({limit})."
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
    facts: Facts,
    rules: Rules,
    figures: _Figures,
    attributed_to: Attribution | None,
) -> str:
    found = figures.allocation
    if figures.promise is not None and subject.expected is None:
        return (
            f"The promise is a share of what {facts.name(subject.prime_id)} itself received, so "
            "the commissioner's volume does not explain it."
        )
    if found is None or attributed_to is None:
        missing = no_attribution(subject)
        return f"Whether the commissioner's volume explains it cannot be said: {missing}."
    of_intake = of_the_intake(subject, facts, found, rules, "getting none")
    can = "can" if attributed_to == "commissioner" else "does not"
    return f"{of_intake}, so the commissioner's volume {can} explain it."


def account(found: Assessment, facts: Facts) -> Account:
    """Promise, count, and how likely none at all would be."""
    evidence, rules = found.evidence, found.evidence["rules"]
    name = facts.name(found.subcontractor_id)
    steps = []
    if evidence["promise"] is not None and evidence["reported_months"]:
        promise = figure(evidence["promise"])
        if evidence["promise_basis"] == "promised_share":
            steps.append(
                f"No forecast is on record, so the promise is {share(evidence['promised_share'])} "
                f"x an intake of {figure(evidence['intake'])} = {promise}."
            )
        clumping = evidence["overdispersion"]
        spread = clumping["value"]
        formula = f"exp(-{promise})"
        if spread != 1:
            formula = f"{figure(spread)} to the power -{promise} / {figure(spread - 1)}"
        steps += [
            clumping_sentence(clumping),
            f"Chance of none at all with {promise} promised: {formula} = "
            f"{chance(evidence['p_zero'])}; at most {share(found.threshold)} is raised.",
        ]
        if evidence["observed"]:
            came = figure(evidence["observed"])
            steps.append(f"{came} came, so the flag is clear whatever the chance.")
        elif evidence["among_programme"] and found.status == "raised":
            steps.append(standing_sentence(evidence["among_programme"]))
    if evidence["p_zero_given_intake"] is not None:
        steps.append(
            f"Given an intake of {figure(evidence['intake'])} and a promised share of "
            f"{share(evidence['promised_share'])}, none at all would come in "
            f"{chance(evidence['p_zero_given_intake'])} of cases. Where the flag is raised "
            f"against a forecast, at most {share(rules['attribution']['value'])} names the prime."
        )
    if evidence["highest_rate_a_month"] is not None:
        steps.append(
            f"Without a promise: after {count(evidence['reported_months'], 'month')} without any, "
            f"at most {figure(evidence['highest_rate_a_month'])} referrals a month can be expected "
            f"({share(_RULE_OF_THREE)}, one-sided, if clients come one by one: 3 divided by the "
            f"months). Named in the bid: {'yes' if evidence['named_in_bid'] else 'no'}."
        )
    return Account(
        promise=promised(evidence, name, facts),
        happened=happened(evidence, found, facts),
        arithmetic=tuple(steps),
    )


def source_rows(found: Assessment, facts: Facts) -> list[SourceRow]:
    """The forecasts and referrals of the window, on both sides."""
    return referral_rows(found, facts)
