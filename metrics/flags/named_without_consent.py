"""A subcontractor that was named in a bid without having agreed to it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from metrics.consent import days_before_start
from metrics.days import day_name
from metrics.definition import Account, Assessment, Flag, SourceRow, Status
from metrics.source_rows import rows_of
from metrics.wording import count

if TYPE_CHECKING:
    from metrics.facts import Facts, Subject
    from metrics.rules import Rule, Rules

FLAG = Flag(
    id="named_without_consent",
    order=8,
    title="Named without consent",
    question="Was the subcontractor named in the bid without having agreed to it in writing?",
    why_it_matters='"Bid candy": a charity\'s good name helps to win a bid that it may not know '
    "it is part of.",
    numerator="Days from the written consent to the first day of the contract.",
    denominator="none",
    unit="days; below 0 the consent came after the contract started",
    grain="agreement",
    direction="no recorded consent is the sign; a late one is watched",
    exclusions=("Subcontractors that were not named in the bid.",),
    assumptions=(
        "The first day of the contract stands for the day of the bid, which the registers do not "
        "hold and which is earlier.",
        "A subcontractor's own word on its consent stands before the prime's.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2",
    version=1,
    metrics=("consent",),
    rule="named_without_consent",
    rules=("named_without_consent",),
    statuses=(
        ("raised", "it was named in the bid and no consent is recorded"),
        ("watch", "its consent came later than the rule has it"),
        ("clear", "its consent came in time, or came and cannot be dated against the contract"),
        ("not_applicable", "it was not named in the bid"),
    ),
    other_explanations=(
        "consent was given by word of mouth, or in writing that nobody has recorded",
        "the register says that it was named, and it was not",
        "the subcontractor has not been asked to record its consent",
    ),
    ask_next=(
        "Ask the subcontractor whether it agreed to be named, and when.",
        "Ask the prime for the letter of consent.",
        "Ask the commissioner for the page of the bid that names it.",
    ),
    in_public="The subcontractor was named in the bid, and no consent from before is on record.",
)


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per agreement; value is the days from the consent to the contract."""
    rule = rules[FLAG.rule]
    used = {rule.id: rule.answer()}
    return [_assessment(subject, facts, rule, used) for subject in facts.agreements]


def _assessment(
    subject: Subject, facts: Facts, rule: Rule, used: dict[str, dict[str, Any]]
) -> Assessment:
    named = subject.terms.named_in_bid
    consented_on, starts_on = subject.terms.consented_on, subject.terms.starts_on
    days = None
    if named and consented_on is not None and starts_on is not None:
        days = days_before_start(consented_on, starts_on)
    status = _status(subject, rule, days)
    return Assessment(
        flag=FLAG.id,
        contract_id=subject.contract_id,
        prime_id=subject.prime_id,
        subcontractor_id=subject.subcontractor_id,
        client_group=None,
        status=status,
        value=None if days is None else float(days),
        low=None,
        high=None,
        threshold=rule.number,
        evidence={
            "named_in_bid": named,
            "consented_on": consented_on.isoformat() if consented_on else None,
            "contract_starts_on": starts_on.isoformat() if starts_on else None,
            "days_before_start": days,
            "rules": used,
        },
        sentence=_sentence(subject, facts, rule, status, days),
        attributed_to=None,
    )


def _status(subject: Subject, rule: Rule, days: int | None) -> Status:
    if not subject.terms.named_in_bid:
        return "not_applicable"
    if subject.terms.consented_on is None:
        return "raised"
    return "watch" if days is not None and days < rule.value else "clear"


def _sentence(subject: Subject, facts: Facts, rule: Rule, status: Status, days: int | None) -> str:
    name, prime = facts.name(subject.subcontractor_id), facts.name(subject.prime_id)
    consented_on = subject.terms.consented_on
    if status == "not_applicable":
        return f"Not applicable to {name}: by the register it was not named in the bid."
    limit = f"rule: {_asked(int(rule.value))}; {rule.standing}"
    if consented_on is None:
        return (
            f"{prime} named {name} in its bid for {subject.contract_id}, and no written consent "
            f"of {name} is recorded ({limit}). What else could explain it: "
            f"{'; '.join(FLAG.other_explanations)}."
        )
    agreed = f"{name} agreed on {day_name(consented_on)} to be named in the bid of {prime}"
    if days is None:
        return (
            f"{agreed}. The contract {subject.contract_id} is not in the register of contracts, "
            f"so that day cannot be compared with its first day ({limit})."
        )
    told = f"{agreed}, {_before(days)} ({limit})."
    if status == "watch":
        return f"{told} Consent is recorded, so this is a sign and no more."
    return told


def _asked(days: int) -> str:
    if days == 0:
        return "consent by the contract's first day"
    return f"consent {count(days, 'day')} or more before the contract's first day"


def _before(days: int) -> str:
    if days == 0:
        return "the contract's first day"
    when = "before" if days > 0 else "after"
    return f"{count(abs(days), 'day')} {when} the contract's first day"


def account(found: Assessment, facts: Facts) -> Account:
    """Who named whom, when that was agreed, and the days from then to the contract."""
    evidence = found.evidence
    name, prime = facts.name(found.subcontractor_id), facts.name(found.prime_id)
    asked = evidence["rules"]["named_without_consent"]["value"]
    if not evidence["named_in_bid"]:
        return Account(
            promise=(f"By the register {prime} did not name {name} in its bid.",),
            happened=("Nobody has to agree to what did not happen.",),
            arithmetic=("There is nothing to compare.",),
        )
    promise = (
        f"{prime} named {name} in its bid for {found.contract_id}.",
        f"Asked: {_asked(asked)}.",
    )
    consented_on = _day(evidence["consented_on"])
    starts_on = _day(evidence["contract_starts_on"])
    happened = (
        f"Written consent of {name}: {consented_on or 'none is recorded'}.",
        f"First day of the contract: {starts_on or 'not in the register of contracts'}.",
    )
    days = evidence["days_before_start"]
    if days is None:
        return Account(promise, happened, ("Without both days there is nothing to count.",))
    steps = (
        f"{starts_on} less {consented_on} is {'minus ' if days < 0 else ''}"
        f"{count(abs(days), 'day')}.",
        f"That is {'fewer' if found.status == 'watch' else 'not fewer'} than the "
        f"{count(asked, 'day')} asked.",
    )
    return Account(promise, happened, steps)


def _day(text: str | None) -> str:
    return "" if text is None else day_name(dt.date.fromisoformat(text))


def source_rows(found: Assessment, facts: Facts) -> list[SourceRow]:
    """The agreement's and the contract's rows in the registers."""
    return [
        *rows_of(
            facts, "agreements", found.contract_id, found.subcontractor_id, lambda _: "naming"
        ),
        *rows_of(facts, "contracts", found.contract_id, None, lambda _: "first day"),
    ]
