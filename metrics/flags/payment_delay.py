"""Payments to a subcontractor that come later than agreed or than the law allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.days import day_name
from metrics.definition import Account, Assessment, Flag, SourceRow, Status
from metrics.frames import records
from metrics.late_payment import Lateness, lateness
from metrics.late_payment_claim import claim, claim_steps
from metrics.payment_account import average_days, happened, promised, share_steps
from metrics.payment_timing import NO_WAIT, PaymentTiming, payable_rows, payment_timings
from metrics.source_rows import months_covered, rows_of
from metrics.window import month_number
from metrics.wording import (
    count,
    figure,
    nothing_reported,
    period,
    pounds,
    share,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from metrics.facts import Facts, Subject
    from metrics.rules import Rule, Rules

FLAG = Flag(
    id="payment_delay",
    order=4,
    title="Late payment",
    question="Is the subcontractor paid later than was agreed or than the law allows?",
    why_it_matters="Small charities have no reserves to lend: a late payment is paid for with "
    "their own money, or not at all.",
    numerator="Payments made after the last day in time, and unpaid ones whose last day in time "
    "had passed when that was reported.",
    denominator="Payments made, and unpaid ones whose last day in time had passed.",
    unit="share of the payments that were made or fell due",
    grain="agreement",
    direction="higher means later",
    exclusions=(
        "Rows without an invoice day, adjustments, and payments of nothing or less.",
        "Unpaid rows whose last day in time had not passed on the day they were reported.",
        "Months that neither side's payments returns cover.",
    ),
    assumptions=(
        "The last day in time is the number of days in the rule after the invoice day, or the "
        "number agreed where that is smaller; the day after the invoice arrives is day 1.",
        "The subcontractor's word stands in months it has reported, else the prime's.",
        "Payments invoiced on the same day are one invoice where late invoices are counted.",
        "A contract is taken to be bought under the law in force on its first day.",
    ),
    source="Procurement Regulations 2024, regulation 38; Public Contracts Regulations 2015, "
    "regulation 113",
    version=1,
    metrics=("payment_timing", "late_payment"),
    rule="payment_delay",
    rules=("payment_delay", "payment_days", "payment_delay_invoices", "late_interest"),
    statuses=(
        ("raised", "a larger share is late than the rule has it, on more than a few invoices"),
        ("watch", "payments are late, but too few for the rule"),
        ("clear", "every payment that was made or fell due came in time"),
        ("too_early", "nothing is paid yet and nothing has fallen due"),
        ("not_reported", "neither side has reported a month of payments"),
        ("not_applicable", "no payment has an invoice day"),
    ),
    other_explanations=(
        "an invoice was disputed, or was not valid on the day given",
        "a payment was made and not recorded by the side whose word is used",
        "the prime had not been paid by the commissioner, and the agreement lets it wait for that",
    ),
    ask_next=(
        "Ask the prime on which day each late invoice became valid, and whether it was disputed.",
        "Ask both sides for the remittance of the payments reported as unpaid.",
        "Ask the prime on which day it was paid for the same events.",
    ),
    in_public="More than {limit} of the payments due to the subcontractor were late.",
)


@dataclass(frozen=True)
class _Terms:
    """The days that count for one agreement.

    `law_binds` is None where the contract's first day is not known; `interest_after_days` are
    the days after which statutory interest runs.
    """

    limit_days: int
    as_agreed: bool
    law_binds: bool | None
    interest_after_days: int


@dataclass(frozen=True)
class _Figures:
    """What an answer about one agreement is made from."""

    subject: Subject
    terms: _Terms
    timing: PaymentTiming
    late: Lateness
    claim: dict[str, Any]


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per agreement; value is the share of payments that are late."""
    days = int(rules["payment_days"].value)
    payable = payable_rows(facts.frames, facts.rows)
    timings = payment_timings(payable)
    found = lateness(facts.frames, facts.rows, payable, facts.as_of, days)
    used = {rule_id: rules[rule_id].answer() for rule_id in FLAG.rules}
    answers = []
    for subject in facts.agreements:
        key = subject.contract_id, subject.subcontractor_id or ""
        terms = _terms(subject, rules["payment_days"])
        late = found.get(key, Lateness())
        figures = _Figures(
            subject=subject,
            terms=terms,
            timing=timings.get(key, PaymentTiming(NO_WAIT, NO_WAIT)),
            late=late,
            claim=claim(late, terms.interest_after_days, rules["late_interest"]),
        )
        answers.append(_assessment(figures, facts, rules, used))
    return answers


def _terms(subject: Subject, rule: Rule) -> _Terms:
    days, agreed = int(rule.value), subject.terms.payment_terms_days
    limit = days if agreed is None else min(days, agreed)
    starts_on, since = subject.terms.starts_on, rule.in_force_from
    binds = True if since is None else None if starts_on is None else starts_on >= since
    return _Terms(
        limit_days=limit,
        as_agreed=agreed is not None and agreed <= days,
        law_binds=binds,
        interest_after_days=limit if binds or agreed is None else agreed,
    )


def _assessment(
    figures: _Figures, facts: Facts, rules: Rules, used: dict[str, dict[str, Any]]
) -> Assessment:
    subject, late = figures.subject, figures.late
    status = _status(late, rules)
    return Assessment(
        flag=FLAG.id,
        contract_id=subject.contract_id,
        prime_id=subject.prime_id,
        subcontractor_id=subject.subcontractor_id,
        client_group=None,
        status=status,
        value=late.late_count / late.due_count if late.due_count else None,
        low=None,
        high=None,
        threshold=rules[FLAG.rule].number,
        evidence=_evidence(figures, used),
        sentence=_sentence(figures, facts, rules, status),
        attributed_to=None,
    )


def _status(late: Lateness, rules: Rules) -> Status:
    if not late.reported_months:
        return "not_reported"
    if not late.due_count:
        return "too_early" if late.not_due_count else "not_applicable"
    if not late.late_count:
        return "clear"
    return "raised" if _share_above(late, rules) and _invoices_above(late, rules) else "watch"


def _share_above(late: Lateness, rules: Rules) -> bool:
    return late.late_count > rules["payment_delay"].value * late.due_count


def _invoices_above(late: Lateness, rules: Rules) -> bool:
    return late.late_invoice_count > rules["payment_delay_invoices"].value


def _evidence(figures: _Figures, used: dict[str, dict[str, Any]]) -> dict[str, Any]:
    subject, terms, late = figures.subject, figures.terms, figures.late
    invoice, receipt = figures.timing.from_invoice, figures.timing.from_receipt
    starts_on = subject.terms.starts_on
    paid, due = late.paid_count, late.due_count
    return {
        "window": subject.window.evidence(),
        "reported_months": late.reported_months,
        "reported_by": {
            "subcontractor": late.reported_by_subcontractor,
            "prime": late.reported_months - late.reported_by_subcontractor,
        },
        "limit_days": terms.limit_days,
        "payment_terms_days": subject.terms.payment_terms_days,
        "contract_starts_on": starts_on.isoformat() if starts_on else None,
        "law_binds": terms.law_binds,
        "payments": {
            "paid": paid,
            "paid_late": late.paid_late_count,
            "unpaid_late": late.unpaid_late_count,
            "not_due": late.not_due_count,
            "without_invoice_day": late.without_invoice_count,
            "not_above_zero": late.not_above_zero_count,
            "adjustments": late.adjustment_count,
        },
        "late": late.late_count,
        "due": due,
        "late_invoices": late.late_invoice_count,
        "regulation_38": {
            "mean_days": invoice.mean_days,
            "payments_by_days": [
                {"days": name, "payments": number, "share": number / paid if paid else None}
                for name, number in invoice.bands
            ],
            "unpaid_share": late.unpaid_late_count / due if due else None,
        },
        "from_receipt": {
            "payments": receipt.payment_count,
            "mean_days": receipt.mean_days,
            "unpaid": receipt.unpaid_count,
        },
        "both_reported": {
            "months": late.reported_by_both,
            "subcontractor": {
                "due": late.by_subcontractor.due_count,
                "late": late.by_subcontractor.late_count,
            },
            "prime": {"due": late.by_prime.due_count, "late": late.by_prime.late_count},
        },
        "claim": figures.claim,
        "rules": used,
    }


def _sentence(figures: _Figures, facts: Facts, rules: Rules, status: Status) -> str:
    subject, terms, late = figures.subject, figures.terms, figures.late
    name, prime = facts.name(subject.subcontractor_id), facts.name(subject.prime_id)
    if status == "not_reported":
        why = nothing_reported(subject, "payments", f"neither {name} nor {prime}")
        return f"Not reported for {name}: {why}."
    when = period(subject.window, late.reported_months)
    if status == "not_applicable":
        return f"Not applicable to {name}: no payment to it {when} has an invoice day{_left(late)}."
    within = f"within {count(terms.limit_days, 'day')} of a valid invoice ({_basis(terms, rules)})"
    if status == "too_early":
        return (
            f"Too early to say: {name} is to be paid {within}; {when} nothing is paid yet, and "
            f"{count(late.not_due_count, 'payment')} had not fallen due when that was reported."
        )
    waited = _waited(figures)
    if status == "clear":
        made = _all_of(late.due_count)
        return f"{name} was to be paid {within}. {when[:1].upper()}{when[1:]} {made}.{waited}"
    rule, invoices = rules["payment_delay"], rules["payment_delay_invoices"]
    value = share(late.late_count / late.due_count, rule.number)
    told = (
        f"{name} was to be paid {within}. {when[:1].upper()}{when[1:]} "
        f"{figure(late.late_count)} of {_made_or_due(late.due_count)} late, {value}, on "
        f"{count(late.late_invoice_count, 'invoice')}: {_how_late(late)} (rule: at most "
        f"{share(rule.number)}, {rule.standing}; and more than "
        f"{count(int(invoices.value), 'invoice')} late, {invoices.standing})."
        f"{waited}{_law(figures, rules)}{_both_sides(late, prime)}{_claimable(figures.claim)}"
    )
    if status == "raised":
        return f"{told} What else could explain it: {'; '.join(FLAG.other_explanations)}."
    few = [] if _share_above(late, rules) else ["the share is within the rule"]
    if not _invoices_above(late, rules):
        few.append("too few invoices are late")
    return f"{told} Short of the rule: {' and '.join(few)}."


def _left(late: Lateness) -> str:
    parts = [
        f"{figure(number)} {words}"
        for number, words in (
            (late.without_invoice_count, "without one"),
            (late.not_above_zero_count, "of nothing or less"),
            (late.adjustment_count, "corrections"),
        )
        if number
    ]
    return f" ({', '.join(parts)})" if parts else " (none is reported)"


def _basis(terms: _Terms, rules: Rules) -> str:
    if terms.as_agreed:
        return "the agreement's own terms"
    return rules["payment_days"].standing


def _all_of(due: int) -> str:
    if due == 1:
        return "the one payment that was made came in time"
    return f"all {figure(due)} payments that were made came in time"


def _made_or_due(due: int) -> str:
    if due == 1:
        return "1 payment that was made or fell due was"
    return f"{figure(due)} payments that were made or fell due were"


def _how_late(late: Lateness) -> str:
    parts = []
    if late.paid_late_count:
        parts.append(f"{figure(late.paid_late_count)} paid after the last day in time")
    if late.unpaid_late_count:
        parts.append(f"{figure(late.unpaid_late_count)} not paid when that was reported")
    return " and ".join(parts)


def _waited(figures: _Figures) -> str:
    told = ""
    invoice, receipt = figures.timing.from_invoice, figures.timing.from_receipt
    if invoice.mean_days is not None:
        told = f" Payments made took {average_days(invoice.mean_days)} on average"
        if receipt.mean_days is not None:
            told += (
                f", and came {average_days(abs(receipt.mean_days))} "
                f"{'before' if receipt.mean_days < 0 else 'after'} the prime says it was paid "
                "itself"
            )
        told += "."
    return told


def _law(figures: _Figures, rules: Rules) -> str:
    rule, terms = rules["payment_days"], figures.terms
    if terms.as_agreed or terms.law_binds or rule.overridden:
        return ""
    starts_on = figures.subject.terms.starts_on
    if starts_on is None:
        return " Whether that law binds the contract is not known: it is not in the register."
    return (
        f" The contract began on {day_name(starts_on)}, before that law, which does not bind it: "
        "the days are a yardstick."
    )


def _both_sides(late: Lateness, prime: str) -> str:
    own, theirs = late.by_subcontractor, late.by_prime
    if not late.reported_by_both or own == theirs:
        return ""
    return (
        f" The two sides differ: in the {count(late.reported_by_both, 'month')} that both have "
        f"reported, the subcontractor's returns show {figure(own.late_count)} late of "
        f"{figure(own.due_count)}, those of {prime} {figure(theirs.late_count)} of "
        f"{figure(theirs.due_count)}."
    )


def _claimable(claimed: dict[str, Any]) -> str:
    if not claimed["compensation_pence"]:
        return ""
    return (
        f" Under the Late Payment of Commercial Debts (Interest) Act 1998 "
        f"{pounds(claimed['interest_pence'])} of interest and "
        f"{pounds(claimed['compensation_pence'])} of compensation could be claimed, by these "
        "returns; this is not legal advice."
    )


def account(found: Assessment, facts: Facts) -> Account:
    """The terms, what each side reports, the share that is late, and each claim's sum."""
    evidence = found.evidence
    name, prime = facts.name(found.subcontractor_id), facts.name(found.prime_id)
    return Account(
        promise=promised(evidence, name, prime),
        happened=happened(evidence, name, prime),
        arithmetic=(*share_steps(found), *claim_steps(evidence)),
    )


def without_claim(found: Assessment) -> Assessment:
    """The same answer without what could be claimed: interest would tell what an invoice was."""
    claimed = found.evidence["claim"]
    nothing = claimed | {"invoices": [], "interest_pence": 0, "compensation_pence": 0}
    return replace(
        found,
        evidence=found.evidence | {"claim": nothing},
        sentence=found.sentence.replace(_claimable(claimed), ""),
    )


def source_rows(found: Assessment, facts: Facts) -> list[SourceRow]:
    """The agreement and its payments in the window, on both sides, with what each comes to."""
    contract_id, subcontractor_id = found.contract_id, found.subcontractor_id
    months = months_covered(facts, "payments", contract_id, subcontractor_id)
    sides = [one for one in (subcontractor_id, found.prime_id) if one is not None]
    covered = facts.frames.coverage.filter(
        nw.col("table") == "payments", nw.col("reporter_id").is_in(sides)
    ).select("reporter_id", "received_on", month=month_number("month"))
    known = {(row["reporter_id"], row["month"]): row["received_on"] for row in records(covered)}
    limit = found.evidence["limit_days"]

    def part_of(row: Mapping[str, Any]) -> str | None:
        if row["month"] not in months or row["reporter_id"] not in sides:
            return None
        if row["reporter_id"] != subcontractor_id and months[row["month"]][0]:
            return "the other side's word, beside it"
        received_on = known[row["reporter_id"], row["month"]]
        return _part(row, min(facts.as_of, received_on), limit)

    return [
        *rows_of(facts, "agreements", contract_id, subcontractor_id, lambda _: "terms"),
        *rows_of(facts, "payments", contract_id, subcontractor_id, part_of),
    ]


def _part(row: Mapping[str, Any], reckoned_on: dt.date, limit_days: int) -> str:
    if row["payment_type"] == "adjustment":
        return "left out: a correction"
    if row["subcontractor_amount_pence"] <= 0:
        return "left out: of nothing or less"
    if row["invoiced_on"] is None:
        return "left out: no invoice day"
    paid = row["paid_on"] is not None
    ended_on = row["paid_on"] if paid else reckoned_on
    late = (ended_on - row["invoiced_on"]).days > limit_days
    if paid:
        return "paid late" if late else "paid in time"
    return "unpaid and late" if late else "unpaid, not due yet"
