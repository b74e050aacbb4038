"""A prime that keeps more of the subcontractor's money than the rule has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metrics.definition import Assessment, Flag, Status
from metrics.management_fee import fee, is_above
from metrics.wording import count, nothing_reported, period, pounds, share

if TYPE_CHECKING:
    from metrics.facts import Facts, Payments, Subject
    from metrics.rules import Rule, Rules

FLAG = Flag(
    id="management_fee",
    order=2,
    title="Management fee above the rule",
    question="Does the prime keep more of what the commissioner paid for the subcontractor's work "
    "than the rule has it?",
    why_it_matters="A high fee leaves the subcontractor with less than the work costs, and falls "
    "hardest on payment by results.",
    numerator="What the commissioner paid less what is payable to the subcontractor (low end), or "
    "less what has been paid on (high end).",
    denominator="What the commissioner paid the prime for the same events.",
    unit="share of what the commissioner paid",
    grain="agreement; by client group in the evidence",
    direction="higher means that the prime keeps more",
    exclusions=(
        "Events without a commissioner's amount.",
        "Months that the prime's payments returns do not cover.",
    ),
    assumptions=(
        "The prime's returns give the amount payable beside the amount received, event by event.",
        "Compared in whole pence: a fee of exactly the rule is not above it.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), footnote 12",
    version=1,
    metrics=("management_fee",),
    rule="management_fee",
    rules=("management_fee",),
    statuses=(
        ("raised", "the fee is above the rule even if everything payable gets paid"),
        ("watch", "the fee is within the rule, but above it if what is unpaid never is paid"),
        ("clear", "the fee is within the rule either way"),
        ("not_reported", "the prime has reported no month of payments"),
        ("not_applicable", "the commissioner has paid nothing for the subcontractor's work"),
    ),
    other_explanations=(
        "the prime gives services for the fee, such as premises, training or systems",
        "money reached the subcontractor another way than through these events",
        "a correction has not been entered yet",
    ),
    ask_next=(
        "Ask the prime what the fee pays for, and where the agreement says so.",
        "Ask both sides for the remittance of the largest events.",
    ),
)


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per agreement; value and low are the fee payable, high the fee as paid."""
    rule = rules[FLAG.rule]
    used = {rule.id: rule.answer()}
    return [_assessment(subject, facts, rule, used) for subject in facts.agreements]


def _assessment(
    subject: Subject, facts: Facts, rule: Rule, used: dict[str, dict[str, Any]]
) -> Assessment:
    sums = subject.payments
    status = _status(subject, rule)
    low = high = None
    if status in ("raised", "watch", "clear"):
        low = fee(sums.received_pence, sums.payable_pence)
        high = fee(sums.received_pence, sums.paid_pence)
    return Assessment(
        flag=FLAG.id,
        contract_id=subject.contract_id,
        prime_id=subject.prime_id,
        subcontractor_id=subject.subcontractor_id,
        client_group=None,
        status=status,
        value=low,
        low=low,
        high=high,
        threshold=rule.number,
        evidence={
            "window": subject.window.evidence(),
            "reported_months": subject.payment_months,
            "paid_reported_by": {
                "subcontractor": subject.payment_months_by_subcontractor,
                "prime": subject.payment_months - subject.payment_months_by_subcontractor,
            },
            **_parts(sums),
            "agreed_management_fee_rate": subject.agreed_management_fee_rate,
            "by_client_group": [
                {"client_group": group or None, **_parts(part)}
                for group, part in subject.payments_by_group
            ],
            "rules": used,
        },
        sentence=_sentence(subject, facts, rule, status, low, high),
        attributed_to=None,
    )


def _parts(sums: Payments) -> dict[str, Any]:
    known = sums.received_pence > 0
    return {
        "events": sums.event_count,
        "received_pence": sums.received_pence,
        "payable_pence": sums.payable_pence,
        "paid_pence": sums.paid_pence,
        "low": fee(sums.received_pence, sums.payable_pence) if known else None,
        "high": fee(sums.received_pence, sums.paid_pence) if known else None,
    }


def _status(subject: Subject, rule: Rule) -> Status:
    sums = subject.payments
    if not subject.payment_months:
        return "not_reported"
    if sums.received_pence <= 0:
        return "not_applicable"
    if is_above(sums.received_pence, sums.payable_pence, rule.value):
        return "raised"
    if is_above(sums.received_pence, sums.paid_pence, rule.value):
        return "watch"
    return "clear"


def _sentence(
    subject: Subject,
    facts: Facts,
    rule: Rule,
    status: Status,
    low: float | None,
    high: float | None,
) -> str:
    name = facts.name(subject.subcontractor_id)
    prime = facts.name(subject.prime_id)
    sums = subject.payments
    if status == "not_reported":
        return f"Not reported for {name}: {nothing_reported(subject, 'payments', prime)}."
    when = period(subject.window, subject.payment_months)
    if low is None or high is None:
        if not sums.event_count:
            why = f"{prime} reports no amount that the commissioner paid for its work {when}"
        else:
            why = (
                f"what the commissioner paid for its work {when} comes to "
                f"{pounds(sums.received_pence)} after corrections"
            )
        return f"Not applicable to {name}: {why}."
    limit = f"rule: at most {share(rule.number)}; {rule.standing}"
    kept = sums.received_pence - sums.payable_pence
    keeps = f"keeps {pounds(kept)}" if kept >= 0 else f"adds {pounds(-kept)} of its own"
    events = count(sums.event_count, "event")
    told = (
        f"Of {pounds(sums.received_pence)} that the commissioner paid for {events} of {name} "
        f"{when}, {pounds(sums.payable_pence)} is payable to it, so {prime} {keeps}: a management "
        f"fee of {share(low, rule.number)} ({limit})."
    )
    if sums.paid_pence != sums.payable_pence:
        told += (
            f" {pounds(sums.paid_pence)} has been paid; if nothing more is, the fee is "
            f"{share(high, rule.number)}."
        )
    if status == "raised":
        return f"{told} What else could explain it: {'; '.join(FLAG.other_explanations)}."
    if status == "watch":
        return f"{told} Within the rule if what is payable gets paid, above it if not."
    return told
