"""A subcontractor claims interest and a fixed sum for each invoice that was paid late."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from data.errors import NotOnRecord
from metrics.days import day_name
from metrics.late_payment_claim import last_day_in_time
from metrics.notices.definition import (
    Blank,
    Fact,
    Grid,
    Letter,
    Notice,
    Points,
    framed,
    grid_of,
    paragraph,
    reply_by,
)
from metrics.notices.matter import contract_facts
from metrics.wording import count, figure, pounds, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metrics.notices.definition import Line, Piece
    from metrics.notices.matter import Matter
    from metrics.rules import Rules

NOTICE = Notice(
    id="late_payment_claim",
    order=5,
    title="Claim for late payment, with interest",
    when_to_send="When invoices were paid late, or are still unpaid after the last day in time.",
    writer="subcontractor",
    reader="prime",
    about="agreement",
    source="Late Payment of Commercial Debts (Interest) Act 1998, sections 1, 4, 5A and 6; rate "
    "order 2002 (SI 2002/1675)",
    standing="The Act is about commercial debts, and other terms for late payment in the agreement "
    "can take its place. This is not legal advice.",
    version=1,
)

_RETURNS = "payments returns"


def write(matter: Matter, rules: Rules) -> Letter:
    """The claim, invoice by invoice; NotOnRecord where there is nothing to claim."""
    evidence = matter.payment_delay
    invoices = [] if evidence is None else [one for one in _invoices(evidence) if _claimed(one)]
    if evidence is None or not invoices:
        raise NotOnRecord(
            f"No payment to {matter.name('subcontractor')} in {matter.contract_id} is on record "
            "for which the Act gives interest, so there is nothing to claim. If invoices were paid "
            "late, send the payments returns with the days of invoice and payment."
        )
    facts = (*contract_facts(matter), *_facts(evidence, invoices))
    owed, fixed, interest = (
        int(next(fact.value for fact in facts if fact.id == name) or 0)
        for name in ("unpaid_pence", "compensation_pence", "interest_pence")
    )
    after = count(evidence["claim"]["interest_after_days"], "day")
    asked: list[Line] = [
        (f"{pounds(interest)} of interest, simple, cut to whole pence line by line;",),
        (f"{pounds(fixed)} as the fixed sums of the Act for {_invoice_words(invoices)}.",),
    ]
    if owed:
        asked.insert(0, (f"{pounds(owed)} that is still unpaid, as far as we know;",))
    body = (
        paragraph(
            f"Payments to us in contract {matter.contract_words} came after the last day in time: "
            f"{after} after the day on which a valid invoice reached you. Under the Late Payment "
            "of Commercial Debts (Interest) Act 1998 we claim:"
        ),
        Points(tuple(asked)),
        paragraph(f"Together {pounds(owed + interest + fixed)}.{_running(invoices)}"),
        _grid(invoices, evidence["claim"]["interest_after_days"]),
        paragraph(
            "Interest is the amount x the rate x the days / 365. The rate is "
            f"{share(rules['late_interest'].number)} above the Bank of England's rate at the end "
            "of the half-year before the interest began. The fixed sum for an invoice is £40 where "
            "less than £1,000 of it was late, £70 below £10,000, and £100 from there on."
        ),
        paragraph(
            "Please pay to ",
            Blank("account to pay to"),
            " by ",
            reply_by(rules),
            ", or tell us which invoice you dispute and why.",
        ),
        grid_of(facts, "What is on record"),
    )
    subject = f"Contract {matter.contract_id}: claim for late payment"
    return framed(NOTICE, matter, subject, body, facts, _notes(matter, evidence, invoices))


def _invoices(evidence: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    invoices: Sequence[dict[str, Any]] = evidence["claim"]["invoices"]
    return invoices


def _claimed(invoice: Mapping[str, Any]) -> bool:
    return bool(invoice["compensation_pence"])


def _lines(invoices: Sequence[Mapping[str, Any]]) -> Iterator[tuple[bool, Any, Any]]:
    """Each line for which interest runs, with its invoice and whether it is the first of it."""
    for invoice in invoices:
        bearing = [line for line in invoice["payments"] if line["interest"]]
        for line in bearing:
            yield line is bearing[0], invoice, line


def _unpaid(invoices: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [line for _, _, line in _lines(invoices) if not line["paid"]]


def _a_day(invoices: Sequence[Mapping[str, Any]]) -> int:
    """Interest a day on what is unpaid, cut to whole pence."""
    return int(
        sum(
            Fraction(str(line["interest"]["rate"])) * line["amount_pence"] / 365
            for line in _unpaid(invoices)
        )
    )


def _invoice_words(invoices: Sequence[Mapping[str, Any]]) -> str:
    return count(len(invoices), "invoice")


def _facts(evidence: Mapping[str, Any], invoices: Sequence[Mapping[str, Any]]) -> tuple[Fact, ...]:
    claimed, agreed = evidence["claim"], evidence["payment_terms_days"]
    late = sum(invoice["late_pence"] for invoice in invoices)
    unpaid = sum(line["amount_pence"] for line in _unpaid(invoices))

    def money(fact_id: str, words: str, pence: int, taken_from: str) -> Fact:
        return Fact(fact_id, words, pence, pounds(pence), taken_from)

    act = "worked out under the Act"
    return (
        Fact(
            "payment_terms_days",
            "Days to pay that were agreed",
            agreed,
            "not recorded" if agreed is None else count(agreed, "day"),
            "the register of agreements",
        ),
        Fact(
            "interest_after_days",
            "Interest runs after",
            claimed["interest_after_days"],
            count(claimed["interest_after_days"], "day"),
            "the agreement and the law",
        ),
        Fact("invoices", "Invoices paid late", len(invoices), figure(len(invoices)), _RETURNS),
        money("late_pence", "Of them late", late, _RETURNS),
        money("unpaid_pence", "Of that still unpaid", unpaid, _RETURNS),
        money("interest_pence", "Interest", claimed["interest_pence"], act),
        money("compensation_pence", "Fixed sums", claimed["compensation_pence"], act),
    )


def _grid(invoices: Sequence[Mapping[str, Any]], after_days: int) -> Grid:
    """One row for each line of an invoice that bears interest; the fixed sum stands in the first.

    The last row has the sums.
    """
    rows: list[tuple[Piece, ...]] = []
    for is_first, invoice, line in _lines(invoices):
        invoiced_on = dt.date.fromisoformat(invoice["invoiced_on"])
        ended_on = day_name(dt.date.fromisoformat(line["ended_on"]))
        runs = line["interest"]
        rows.append(
            (
                day_name(invoiced_on),
                day_name(last_day_in_time(invoiced_on, after_days)),
                ended_on if line["paid"] else f"unpaid on {ended_on}",
                pounds(line["amount_pence"]),
                figure(runs["days"]),
                share(runs["rate"]),
                pounds(runs["pence"]),
                pounds(invoice["compensation_pence"]) if is_first else "",
            )
        )
    sums = (
        sum(line["amount_pence"] for _, _, line in _lines(invoices)),
        sum(line["interest"]["pence"] for _, _, line in _lines(invoices)),
        sum(invoice["compensation_pence"] for invoice in invoices),
    )
    amount, interest, fixed = map(pounds, sums)
    rows.append(("Together", "", "", amount, "", "", interest, fixed))
    return Grid(
        "The claim, invoice by invoice",
        (
            "Invoice of",
            "Last day in time",
            "Paid on",
            "Amount",
            "Days late",
            "Rate a year",
            "Interest",
            "Fixed sum",
        ),
        tuple(rows),
        (3, 4, 5, 6, 7),
    )


def _running(invoices: Sequence[Mapping[str, Any]]) -> str:
    """That interest goes on where something is unpaid, and by how much a day."""
    if not _unpaid(invoices):
        return ""
    a_day = _a_day(invoices)
    more = f", by {pounds(a_day)} a day" if a_day else ""
    return f" Interest on what is unpaid goes on until you pay{more}."


def _notes(
    matter: Matter, evidence: Mapping[str, Any], invoices: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    told = [
        "Look into the agreement first: if it says what is due for late payment, that can take "
        "the place of the Act.",
        "Take out invoices that were disputed, or that were not valid on the day given.",
        "The amounts are those of the returns. If your invoices were for more, such as with VAT, "
        "change the sums.",
    ]
    oldest = dt.date.fromisoformat(invoices[0]["invoiced_on"])
    if (matter.as_of - oldest).days > 5 * 365:
        told.append(
            f"The oldest invoice is of {day_name(oldest)}. Old claims lapse, in England after six "
            "years: ask for advice."
        )
    dropped = len(_invoices(evidence)) - len(invoices)
    if dropped:
        told.append(
            f"{count(dropped, 'late invoice')} left out: by the Act no interest runs on "
            f"{'it' if dropped == 1 else 'them'}."
        )
    if any(line["interest"]["is_last_rate_in_table"] for _, _, line in _lines(invoices)):
        told.append(
            "For some days Fairtier has no Bank Rate yet and took the last one it knows: check it."
        )
    if _unpaid(invoices):
        told.append(
            "What is unpaid is reckoned up to the day on which that was last reported. Add the "
            "days since."
        )
    both = evidence["both_reported"]
    if both["months"] and both["subcontractor"] != both["prime"]:
        own, theirs = both["subcontractor"], both["prime"]
        told.append(
            f"The two sides differ in the {count(both['months'], 'month')} that both have "
            f"reported: the returns of {matter.name('subcontractor')} show {figure(own['late'])} "
            f"late payments, those of {matter.name('prime')} {figure(theirs['late'])}."
        )
    return tuple(told)
