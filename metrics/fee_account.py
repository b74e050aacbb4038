"""What was agreed about the fee and what became of the money, in sentences and steps."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from metrics.fee_sampling import sampling_interval
from metrics.management_fee import above_in_pence, rate
from metrics.wording import count, figure, months_of_window, pounds, share

if TYPE_CHECKING:
    from fractions import Fraction

    from metrics.definition import Assessment
    from metrics.facts import Facts


def promised(evidence: dict[str, Any], name: str) -> tuple[str, ...]:
    """The fee that the agreement says, and the one that the prices imply."""
    agreed = evidence["agreed_management_fee_rate"]
    told = [
        f"The register of agreements names no management fee for {name}."
        if agreed is None
        else f"The agreement with {name} says a management fee of {share(agreed)}."
    ]
    told += [
        f"Prices on record for {one['client_group']}, {one['payment_type'].replace('_', ' ')}: the "
        f"commissioner pays {pounds(one['commissioner_price_pence'])}, {name} gets "
        f"{pounds(one['subcontractor_price_pence'])}: a fee of {share(one['fee'])}."
        for one in evidence["priced_fee"]
    ]
    return tuple(told)


def happened(evidence: dict[str, Any], name: str, prime: str) -> tuple[str, ...]:
    """Which months are reported, what came and was passed on, by client group too."""
    window, sides, cash = evidence["window"], evidence["paid_reported_by"], evidence["cash"]
    if not window["months"]:
        return ("No month that counts is over.",)
    told = [
        f"{prime} has reported payments for {figure(evidence['reported_months'])} of "
        f"{months_of_window(window)}."
    ]
    if not evidence["reported_months"]:
        return tuple(told)
    told.append(
        f"By the returns of {prime} the commissioner paid {pounds(evidence['received_pence'])} "
        f"for {count(evidence['events'], 'event')}; {pounds(evidence['payable_pence'])} is payable "
        f"to {name} for the same."
        if evidence["events"]
        else f"The returns of {prime} name no amount that the commissioner paid for the work "
        f"of {name}."
    )
    told.append(
        f"{pounds(evidence['paid_pence'])} has been paid to {name}, by its own word in "
        f"{count(sides['subcontractor'], 'month')} and by that of {prime} in "
        f"{figure(sides['prime'])}. {_not_paid(cash)}"
    )
    apart = _apart(evidence)
    if apart:
        told.append(
            f"Paid and not yet paid come to {pounds(evidence['payable_pence'] - apart)}, "
            f"{pounds(abs(apart))} {'less' if apart > 0 else 'more'} than what {prime} reports as "
            "payable: the two sides' returns differ."
        )
    told += [
        f"{one['client_group'] or 'No client group given'}: {pounds(one['received_pence'])} "
        f"received, {pounds(one['payable_pence'])} payable, {pounds(one['paid_pence'])} paid; "
        f"{_group_fee(one)}."
        for one in evidence["by_client_group"]
    ]
    return tuple(told)


def _apart(evidence: dict[str, Any]) -> int:
    """What is payable, less all that is paid or not yet paid by the word that stands, in pence."""
    cash = evidence["cash"]
    apart: int = evidence["payable_pence"] - cash["paid_pence"] - cash["unpaid_pence"]
    return apart


def _unpaid(cash: dict[str, Any]) -> str:
    are = "is" if cash["unpaid_events"] == 1 else "are"
    return f"{count(cash['unpaid_events'], 'event')} worth {pounds(cash['unpaid_pence'])} {are}"


def _not_paid(cash: dict[str, Any]) -> str:
    if not cash["unpaid_events"]:
        return "Nothing is reported as not yet paid."
    return f"{_unpaid(cash)} reported as not yet paid."


def _group_fee(part: dict[str, Any]) -> str:
    if part["low"] is None:
        return "no fee, as nothing is left of what was received"
    if part["paid_pence"] == part["payable_pence"]:
        return f"a fee of {share(part['low'])}"
    return f"a fee of {share(part['low'])}, or {share(part['high'])} if nothing more is paid"


def fee_steps(found: Assessment) -> tuple[str, ...]:
    """The fee payable and the fee as paid against the rule, and against the agreement."""
    evidence, rule = found.evidence, found.evidence["rules"]["management_fee"]
    received = evidence["received_pence"]
    if found.value is None:
        if not evidence["events"]:
            return ()
        return (
            f"The commissioner's payments and corrections come to {pounds(received)}: a share of "
            "nothing, or of less than nothing, cannot be worked out.",
        )
    limit = rate(rule["value"])
    told = [
        f"{share(found.threshold)} of {pounds(received)} is {_exact_pounds(received * limit)}: "
        "the most that the rule has the prime keep."
    ]
    ends = [("If everything payable gets paid", evidence["payable_pence"], evidence["low"])]
    if evidence["paid_pence"] != evidence["payable_pence"]:
        ends.append(("If nothing more is paid", evidence["paid_pence"], evidence["high"]))
    for when, passed_on, fee in ends:
        above = above_in_pence(received, passed_on, limit)
        against = f"{_exact_pounds(above)} above the rule" if above > 0 else "not above the rule"
        told.append(
            f"{when}: {pounds(received)} - {_minus(passed_on)} = {pounds(received - passed_on)} "
            f"kept; {pounds(received - passed_on)} / {pounds(received)} = "
            f"{share(fee, found.threshold)}, {against}."
        )
    if evidence["within_rounding"]:
        told.append(
            f"Rounding {count(evidence['events'], 'event')} to whole pence can move the sum by as "
            "much as that."
        )
    agreed = evidence["agreed_management_fee_rate"]
    if agreed is not None:
        told.append(_against_agreed(evidence, rate(agreed)))
    return tuple(told)


def _against_agreed(evidence: dict[str, Any], agreed: Fraction) -> str:
    received = evidence["received_pence"]
    above = above_in_pence(received, evidence["payable_pence"], agreed)
    text = share(float(agreed), evidence["low"])
    told = f"{text} of {pounds(received)}, as agreed, is {_exact_pounds(received * agreed)}: "
    if not evidence["agreed_differs"]:
        return f"{told}what is kept is that, to a penny an event."
    more = "more" if above > 0 else "less"
    return (
        f"{told}{_exact_pounds(abs(above))} {more} is kept. The agreement says {text}; the "
        f"payments show {share(evidence['low'], float(agreed))}."
    )


def cash_step(found: Assessment, prime: str) -> str:
    """What cash totals alone would look like, and why that is not the fee."""
    evidence, cash = found.evidence, found.evidence["cash"]
    if not cash["received_events"]:
        return (
            f"{prime} gives no day on which the commissioner's money came, so cash totals cannot "
            "be compared."
        )
    came = pounds(cash["received_pence"])
    if cash["fee"] is None:
        return f"The commissioner's money that has come is {came}, so cash totals say nothing."
    kept = cash["received_pence"] - cash["paid_pence"]
    told = (
        f"Cash so far: {came} has come for {count(cash['received_events'], 'event')} and "
        f"{pounds(cash['paid_pence'])} has been paid on; ({came} - {_minus(cash['paid_pence'])}) / "
        f"{came} = {pounds(kept)} / {came}. Cash totals alone would look like "
        f"{share(cash['fee'], found.value)}"
    )
    if cash["fee"] == found.value:
        return f"{told}, which is the fee."
    return f"{told}, not {share(found.value or 0.0, cash['fee'])}, because {_why(evidence)}."


def _why(evidence: dict[str, Any]) -> str:
    """Why cash totals show another fee than the events do."""
    cash, apart = evidence["cash"], _apart(evidence)
    to_come = evidence["received_pence"] - cash["received_pence"]
    reasons = []
    if cash["unpaid_pence"]:
        reasons.append(
            f"{_unpaid(cash)} payable and not yet paid: that is delay, not fee, as long as it "
            "gets paid"
        )
    if to_come:
        reasons.append(
            f"{pounds(to_come)} of the commissioner's money has no day of receipt yet: that is "
            "delay too"
        )
    if apart:
        reasons.append(f"the two sides' returns differ by {pounds(abs(apart))}")
    return "; and ".join(reasons)


def sampling_step(found: Assessment, facts: Facts) -> str:
    """How far the fee depends on which clients happened to come."""
    rules = found.evidence["rules"]
    level, least = rules["interval"]["value"], rules["fee_clients"]["value"]
    sampled = sampling_interval(facts, found.contract_id, found.subcontractor_id, least, level)
    return sampled.sentence


def _minus(pence: int) -> str:
    return pounds(pence) if pence >= 0 else f"({pounds(pence)})"


def _exact_pounds(pence: Fraction) -> str:
    """An amount with as many decimals as it needs, at most six: £150, £49.9995."""
    whole = Decimal(pence.numerator) / Decimal(pence.denominator) / 100
    text = f"{whole:,.6f}".rstrip("0")
    head, _, decimals = text.partition(".")
    if decimals:
        decimals = decimals.ljust(2, "0")
        text = f"{head}.{decimals}"
    else:
        text = head
    return f"-£{text[1:]}" if text.startswith("-") else f"£{text}"
