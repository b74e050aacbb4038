"""What was agreed about payment and what came, in sentences, from the evidence of the flag."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from metrics.days import day_name
from metrics.wording import count, figure, share

if TYPE_CHECKING:
    from metrics.definition import Assessment


def average_days(days: float) -> str:
    """An average number of days, to one decimal: 45.5 days."""
    return count(round(days, 1), "day")


def promised(evidence: dict[str, Any], name: str, prime: str) -> tuple[str, ...]:
    """Within how many days payment was to come, and what says so."""
    agreed, days = evidence["payment_terms_days"], evidence["rules"]["payment_days"]
    told = [
        f"{prime} was to pay {name} within {count(evidence['limit_days'], 'day')} of a valid "
        "invoice; the day after it arrives is day 1."
    ]
    if agreed is None:
        told.append("The register of agreements names no payment terms, so the rule's days count.")
    else:
        told.append(
            f"The agreement says {count(agreed, 'day')}, the rule "
            f"{count(days['value'], 'day')}: the fewer count."
        )
    if agreed is not None and agreed <= days["value"]:
        return tuple(told)
    if evidence["law_binds"] is False:
        starts_on = dt.date.fromisoformat(evidence["contract_starts_on"])
        told.append(
            f"The contract began on {day_name(starts_on)}, before {days['from']}, from which the "
            "rule counts: the law does not bind it, and the rule's days are a yardstick."
        )
    if evidence["law_binds"] is None:
        told.append("The contract is not in the register: whether the law binds it is not known.")
    return tuple(told)


def happened(evidence: dict[str, Any], name: str, prime: str) -> tuple[str, ...]:
    """What is reported by whom, with the statistics of regulation 38."""
    window, sides, payments = evidence["window"], evidence["reported_by"], evidence["payments"]
    if not evidence["reported_months"]:
        return ("No month of payments that counts is reported by either side.",)
    told = [
        f"{figure(evidence['reported_months'])} of {count(window['months'], 'month')} from "
        f"{window['first_month']} to {window['last_month']} are reported: the word of {name} "
        f"stands in {count(sides['subcontractor'], 'month')}, that of {prime} in "
        f"{count(sides['prime'], 'month')}.",
        f"{count(payments['paid'], 'payment')} with an invoice day made, "
        f"{figure(payments['paid_late'])} of them late; {figure(payments['unpaid_late'])} unpaid "
        f"and late, {figure(payments['not_due'])} unpaid and not due yet.",
        f"Left out: {count(payments['without_invoice_day'], 'payment')} without an invoice day, "
        f"{figure(payments['not_above_zero'])} of nothing or less, "
        f"{figure(payments['adjustments'])} corrections.",
    ]
    if payments["paid"]:
        statistics = evidence["regulation_38"]
        bands = "; ".join(
            f"{one['days']}: {figure(one['payments'])} ({share(one['share'])})"
            for one in statistics["payments_by_days"]
        )
        told.append(
            f"By regulation 38: {average_days(statistics['mean_days'])} on average. {bands}. "
            f"Due but unpaid: {share(statistics['unpaid_share'])} of what was made or fell due."
        )
    receipt = evidence["from_receipt"]
    if receipt["payments"]:
        told.append(
            f"By the word of {prime}, {count(receipt['payments'], 'payment')} came "
            f"{average_days(abs(receipt['mean_days']))} "
            f"{'before' if receipt['mean_days'] < 0 else 'after'} it was paid itself, on average."
        )
    both = evidence["both_reported"]
    if both["months"]:
        own, theirs = both["subcontractor"], both["prime"]
        told.append(
            f"In the {count(both['months'], 'month')} that both have reported, the returns of "
            f"{name} show {figure(own['late'])} late of {figure(own['due'])}, those of {prime} "
            f"{figure(theirs['late'])} of {figure(theirs['due'])}."
        )
    return tuple(told)


def share_steps(found: Assessment) -> tuple[str, ...]:
    """The share that is late and the number of invoices, against the rules."""
    evidence, payments = found.evidence, found.evidence["payments"]
    if found.value is None:
        return ("No payment was made or fell due, so there is no share to work out.",)
    asked = evidence["rules"]["payment_delay_invoices"]["value"]
    return (
        f"Late: {figure(payments['paid_late'])} paid late + {figure(payments['unpaid_late'])} "
        f"unpaid and late = {figure(evidence['late'])}. Made or due: {figure(payments['paid'])} + "
        f"{figure(payments['unpaid_late'])} = {figure(evidence['due'])}.",
        f"{figure(evidence['late'])} / {figure(evidence['due'])} = "
        f"{share(found.value, found.threshold)}; the rule is {share(found.threshold)}.",
        f"{count(evidence['late_invoices'], 'invoice')} late, those of one day taken as one; "
        f"raised if more than {figure(asked)} and the share is above the rule.",
    )
