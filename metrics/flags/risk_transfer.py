"""A subcontractor that bears more of the risk than the prime does itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metrics.definition import Account, Assessment, Flag, SourceRow, Status
from metrics.risk_transfer import is_above, ratio
from metrics.source_rows import rows_of
from metrics.wording import figure, share

if TYPE_CHECKING:
    from metrics.facts import Facts, Subject
    from metrics.rules import Rule, Rules

FLAG = Flag(
    id="risk_transfer",
    order=5,
    title="Risk passed down",
    question="Does the subcontractor bear a larger share of the risk than the prime does?",
    why_it_matters='In the Work Programme risk was "passed down the supply chain" to charities '
    "without reserves.",
    numerator="Share of the subcontractor's income that depends on results.",
    denominator="Share of the prime's income for the same work that depends on results.",
    unit="times the prime's share",
    grain="agreement",
    direction="above 1 the subcontractor bears a larger share than the prime",
    exclusions=("Agreements for which either share is not recorded.",),
    assumptions=(
        "Both shares are of the income for the same work, as the register of agreements has them.",
        "Compared as the decimal numbers in the register: exactly the rule is not above it.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), section 2",
    version=1,
    metrics=("risk_transfer",),
    rule="risk_transfer",
    rules=("risk_transfer",),
    statuses=(
        ("raised", "the subcontractor's share is above what the rule allows beside the prime's"),
        ("clear", "the subcontractor's share is within what the rule allows beside the prime's"),
        ("not_applicable", "one of the two shares is not recorded"),
    ),
    other_explanations=(
        "a higher price pays the subcontractor for the risk",
        "the two shares are of different work, or one of them is out of date",
        "the subcontractor is paid for results that are easier to reach, or sooner",
    ),
    ask_next=(
        "Ask the prime what its own contract puts at risk for the same work.",
        "Ask both sides whether the price was agreed with the risk in view.",
    ),
    in_public="A larger share of the subcontractor's income depends on results than of the "
    "prime's own.",
)


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per agreement; value is the subcontractor's share over the prime's."""
    rule = rules[FLAG.rule]
    used = {rule.id: rule.answer()}
    return [_assessment(subject, facts, rule, used) for subject in facts.agreements]


def _assessment(
    subject: Subject, facts: Facts, rule: Rule, used: dict[str, dict[str, Any]]
) -> Assessment:
    own, theirs = subject.terms.at_risk_share, subject.terms.prime_at_risk_share
    status: Status = "not_applicable"
    value = None
    if own is not None and theirs is not None:
        status = "raised" if is_above(own, theirs, rule.value) else "clear"
        value = ratio(own, theirs)
    return Assessment(
        flag=FLAG.id,
        contract_id=subject.contract_id,
        prime_id=subject.prime_id,
        subcontractor_id=subject.subcontractor_id,
        client_group=None,
        status=status,
        value=value,
        low=None,
        high=None,
        threshold=rule.number,
        evidence={"at_risk_share": own, "prime_at_risk_share": theirs, "rules": used},
        sentence=_sentence(subject, facts, rule, status, value),
        attributed_to=None,
    )


def _sentence(
    subject: Subject, facts: Facts, rule: Rule, status: Status, value: float | None
) -> str:
    name, prime = facts.name(subject.subcontractor_id), facts.name(subject.prime_id)
    own, theirs = subject.terms.at_risk_share, subject.terms.prime_at_risk_share
    if own is None or theirs is None:
        return (
            f"Not applicable to {name}: the register of agreements does not record "
            f"{_missing(own, theirs, name, prime)}."
        )
    limit = f"rule: at most {_times(rule.number)} the prime's; {rule.standing}"
    told = (
        f"{share(own, theirs)} of the income of {name} depends on results; of the income of "
        f"{prime} for the same work it is {share(theirs, own)}"
    )
    if value is not None:
        told += f", so that {name} bears {_times(value, rule.number)} the share of {prime}"
    told += f" ({limit})."
    if status == "raised":
        return f"{told} What else could explain it: {'; '.join(FLAG.other_explanations)}."
    return told


def _missing(own: float | None, theirs: float | None, name: str, prime: str) -> str:
    parts = [
        f"which share of the income of {whose} depends on results"
        for whose, known in ((name, own), (prime, theirs))
        if known is None
    ]
    return " and ".join(parts)


def _times(value: float, beside: float | None = None) -> str:
    """A ratio with as many decimals, from two to six, as tell it from the one beside it."""
    text = figure(value)
    for decimals in range(3, 7):
        if beside is None or value == beside or text != figure(beside):
            break
        text = f"{value:,.{decimals}f}".rstrip("0").rstrip(".")
    return f"{text} times"


def account(found: Assessment, facts: Facts) -> Account:
    """Both shares, and one over the other."""
    own, theirs = found.evidence["at_risk_share"], found.evidence["prime_at_risk_share"]
    name, prime = facts.name(found.subcontractor_id), facts.name(found.prime_id)
    promise = tuple(
        f"Share of the income of {whose} that depends on results: "
        f"{'not recorded' if part is None else share(part)}."
        for whose, part in ((name, own), (prime, theirs))
    )
    happened = ("These are terms in the register of agreements; no return is needed for them.",)
    if own is None or theirs is None:
        return Account(promise, happened, ("There is nothing to compare.",))
    allowed = (
        f"{_times(found.threshold)} {share(theirs)} is {share(found.threshold * theirs)}: "
        f"{share(own, found.threshold * theirs)} is "
        f"{'above it' if found.status == 'raised' else 'not above it'}."
    )
    if found.value is None:
        over = f"{prime} has nothing at risk, so the one share cannot be divided by the other."
    else:
        over = f"{share(own)} / {share(theirs)} = {_times(found.value, found.threshold)}."
    return Account(promise, happened, (over, allowed))


def source_rows(found: Assessment, facts: Facts) -> list[SourceRow]:
    """The agreement's row in the register."""
    return rows_of(
        facts, "agreements", found.contract_id, found.subcontractor_id, lambda _: "terms"
    )
