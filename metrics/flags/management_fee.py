"""A prime that keeps more of the subcontractor's money than the rule has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from metrics.definition import Account, Assessment, Flag, SourceRow, Status
from metrics.fee_account import cash_step, fee_steps, happened, promised, sampling_step
from metrics.management_fee import (
    Cash,
    above_in_pence,
    cash_so_far,
    differs,
    fee,
    is_above,
    priced_fees,
    rate,
)
from metrics.source_rows import months_covered, rows_of
from metrics.wording import count, months_of_window, nothing_reported, period, pounds, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metrics.facts import Facts, Payments, Subject
    from metrics.management_fee import PricedFee
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
        "Cash totals, the fee agreed, the prices and the interval over clients are shown and "
        "decide nothing.",
        "Compared in whole pence: a fee of exactly the rule is not above it.",
    ),
    source="Open Public Services: experiences from the voluntary sector (NCVO, 2012), footnote 12",
    version=1,
    metrics=("management_fee", "fee_sampling"),
    rule="management_fee",
    rules=("management_fee", "fee_clients", "interval"),
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
    in_public="The prime kept more than {limit} of what the commissioner paid for the "
    "subcontractor's work.",
)


LEAST_EVENTS = 10
_TOLD_WITHOUT_PRICES = (
    "window",
    "reported_months",
    "paid_reported_by",
    "events",
    "received_pence",
    "agreed_management_fee_rate",
    "rules",
)


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per agreement; value and low are the fee payable, high the fee as paid."""
    used = {rule_id: rules[rule_id].answer() for rule_id in FLAG.rules}
    cash = cash_so_far(facts.frames, facts.rows)
    priced = priced_fees(facts.frames)
    found = []
    for subject in facts.agreements:
        key = subject.contract_id, subject.subcontractor_id or ""
        found.append(
            _assessment(
                subject,
                facts,
                rules[FLAG.rule],
                used,
                cash.get(key, Cash()),
                priced.get(key, ()),
            )
        )
    return found


def _assessment(
    subject: Subject,
    facts: Facts,
    rule: Rule,
    used: dict[str, dict[str, Any]],
    cash: Cash,
    priced: tuple[PricedFee, ...],
) -> Assessment:
    sums, agreed = subject.payments, subject.terms.agreed_management_fee_rate
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
            "within_rounding": status == "raised" and _within_rounding(sums, rule),
            "agreed_management_fee_rate": agreed,
            "effective_above_agreed": None if low is None or agreed is None else low - agreed,
            "agreed_differs": None
            if low is None or agreed is None
            else differs(sums.received_pence, sums.payable_pence, rate(agreed), sums.event_count),
            "by_client_group": [
                {"client_group": group or None, **_parts(part)}
                for group, part in subject.payments_by_group
            ],
            "priced_fee": [
                {
                    "client_group": one.client_group,
                    "payment_type": one.payment_type,
                    "commissioner_price_pence": one.commissioner_price_pence,
                    "subcontractor_price_pence": one.subcontractor_price_pence,
                    "fee": one.fee,
                }
                for one in priced
            ],
            "cash": _cash(cash, low),
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


def _cash(cash: Cash, low: float | None) -> dict[str, Any]:
    known = None if low is None else cash.fee
    return {
        "received_events": cash.received_count,
        "received_pence": cash.received_pence,
        "paid_pence": cash.paid_pence,
        "unpaid_events": cash.unpaid_count,
        "unpaid_pence": cash.unpaid_pence,
        "fee": known,
        "lag_effect": None if known is None or low is None else known - low,
    }


def _within_rounding(sums: Payments, rule: Rule) -> bool:
    """Whether rounding every event to whole pence could explain what is above the rule."""
    above = above_in_pence(sums.received_pence, sums.payable_pence, rule.value)
    return above <= sums.event_count


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
    told += _agreed(subject, rule, low)
    if status == "raised":
        if _within_rounding(sums, rule):
            told += " Rounding each event to whole pence could explain what is above the rule."
        return f"{told} What else could explain it: {'; '.join(FLAG.other_explanations)}."
    if status == "watch":
        return f"{told} Within the rule if what is payable gets paid, above it if not."
    return told


def _agreed(subject: Subject, rule: Rule, low: float) -> str:
    """What the agreement says beside what the payments show, as a sentence after a space."""
    sums, agreed = subject.payments, subject.terms.agreed_management_fee_rate
    if agreed is None:
        return ""
    if not differs(sums.received_pence, sums.payable_pence, rate(agreed), sums.event_count):
        return f" The agreement says {share(agreed, rule.number)} too."
    return f" The agreement says {share(agreed, low)}; the payments show {share(low, agreed)}."


def account(found: Assessment, facts: Facts) -> Account:
    """What was agreed and priced, what came and was passed on, and the fee step by step."""
    name, prime = facts.name(found.subcontractor_id), facts.name(found.prime_id)
    if found.evidence.get("rounded"):
        return Account(promised(found.evidence, name), (found.sentence,), ())
    steps = fee_steps(found)
    if found.value is not None:
        steps += (cash_step(found, prime), sampling_step(found, facts))
    return Account(
        promise=promised(found.evidence, name),
        happened=happened(found.evidence, name, prime),
        arithmetic=steps,
    )


def without_prices(found: Assessment) -> Assessment:
    """The same answer for whom subcontractors' prices are not shown: a rounded fee and no sums.

    Under another rule than the register's the status follows from the rounded fee: else whoever
    tries one rule after another would find the exact one. `LEAST_EVENTS` and the rounding make a
    single event's price no clearer than a tenth of it by asking for one month less.
    """
    told = {name: found.evidence[name] for name in _TOLD_WITHOUT_PRICES}
    told |= {"rounded": True, "priced_fee": [], "by_client_group": []}
    if found.low is None or found.high is None:
        return replace(found, evidence=told)
    low = high = None
    status = found.status
    if told["events"] >= LEAST_EVENTS:
        low, high = round(found.low, 2), round(found.high, 2)
    if told["rules"][FLAG.rule]["overridden"]:
        status = (
            "not_applicable" if low is None or high is None else _rounded_status(found, low, high)
        )
    sentence = _sentence_without_prices(replace(found, status=status), low, high)
    return replace(
        found, status=status, value=low, low=low, high=high, evidence=told, sentence=sentence
    )


def _rounded_status(found: Assessment, low: float, high: float) -> Status:
    if low > found.threshold:
        return "raised"
    return "watch" if high > found.threshold else "clear"


def _sentence_without_prices(found: Assessment, low: float | None, high: float | None) -> str:
    evidence = found.evidence
    events = count(evidence["events"], "event")
    over = f"{events} in {months_of_window(evidence['window'])}"
    rule = f"rule: at most {share(found.threshold)}"
    hidden = "the exact sums would tell what the subcontractor is paid"
    stands = {
        "raised": "It is above the rule.",
        "watch": "It is within the rule if what is payable gets paid, above it if not.",
        "clear": "It is within the rule.",
    }.get(found.status, "Whether it is within this rule is not said.")
    if low is None or high is None:
        return (
            f"A management fee over {over} ({rule}): too few to say how high, since {hidden}. "
            f"{stands}"
        )
    unpaid = f", or {share(high)} if nothing more is paid" if high != low else ""
    return (
        f"The prime kept about {share(low)} of what the commissioner paid for {over}{unpaid} "
        f"({rule}). {stands} Rounded, since {hidden}."
    )


def source_rows(found: Assessment, facts: Facts) -> list[SourceRow]:
    """The payments that are summed, both sides', with the agreement and its prices."""
    contract_id, subcontractor_id = found.contract_id, found.subcontractor_id
    months = months_covered(facts, "payments", contract_id, subcontractor_id)
    events = {(one["client_group"], one["payment_type"]) for one in found.evidence["priced_fee"]}

    def payment(row: Mapping[str, Any]) -> str | None:
        by_sub, by_prime = months.get(row["month"], (False, False))
        if not by_prime:
            return None
        paid = "not paid" if row["paid_on"] is None else "paid"
        own = by_sub and row["reporter_id"] == subcontractor_id
        if row["reporter_id"] == found.prime_id and row["commissioner_amount_pence"] is not None:
            return "received and payable" if by_sub and not own else f"received, payable, {paid}"
        return paid if own else None

    def price(row: Mapping[str, Any]) -> str | None:
        return "price" if (row["client_group"], row["payment_type"]) in events else None

    return [
        *rows_of(facts, "agreements", contract_id, subcontractor_id, lambda _: "terms"),
        *rows_of(facts, "payments", contract_id, subcontractor_id, payment),
        *rows_of(facts, "prices", contract_id, None, price),
        *rows_of(facts, "prices", contract_id, subcontractor_id, price),
    ]
