"""The words on the screen, and data made safe to stand among them."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from metrics.wording import change, count, figure, month_name, share

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from metrics.definition import Assessment
    from metrics.explanation import Explanation, RowGroup
    from metrics.rules import Rule

STATUSES: dict[str, tuple[str, str]] = {
    "raised": ("Raised", "look here first"),
    "watch": ("To watch", "a sign, but short of the evidence asked"),
    "too_early": ("Too early to say", "chance could still explain it"),
    "not_reported": ("Not reported", "nobody has sent a return; this is not zero"),
    "clear": ("Clear", "nothing to see"),
    "not_applicable": ("Not applicable", "there is nothing to compare with"),
}
SIDES = {
    "subcontractor": "Subcontractor's returns",
    "prime": "Prime's returns",
}
WHOLE_CONTRACT = "The whole contract"

_ASIDE = " What else could explain it:"
_JOINER = "\u2060"


def text(value: Any) -> str:
    """The value as HTML text: markup in it is shown, not followed."""
    return html.escape("" if value is None else str(value), quote=True)


def literal(value: str) -> str:
    """The value as a Markdown label that shows it as written.

    Punctuation is escaped; an invisible joiner breaks what is turned into links, symbols or
    icons after escapes are gone (`http://`, `www.`, `a@b`, `:name:`, `->`).
    """
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(value.split()))
    return re.sub(r"(\\[:@<>=~-]|www)", rf"\1{_JOINER}", escaped, flags=re.IGNORECASE)


def told(sentence: str) -> str:
    """A flag's sentence without the other explanations, which the page lists."""
    return sentence.partition(_ASIDE)[0]


def headline(found: Assessment) -> str:
    """What happened, in one short line: the flag's own, or the beginning of its sentence."""
    line = ""
    if found.status == "not_reported":
        line = _NOT_REPORTED.get(found.flag, "")
    elif found.flag in _HEADLINES:
        line = _HEADLINES[found.flag](found)
    return line or _beginning(found.sentence)


def _beginning(sentence: str) -> str:
    """The first sentence, or what stands before its first semicolon."""
    first = re.split(r"(?<=[.?])\s+(?=[A-Z])|;\s", told(sentence), maxsplit=1)[0]
    return first if first.endswith((".", "?")) else f"{first}."


def _zero_referrals(found: Assessment) -> str:
    got = int(found.value or 0)
    months = count(found.evidence["reported_months"], "reported month")
    promise = found.evidence["promise"]
    if got or promise is None:
        return f"{count(got, 'referral') if got else 'No referrals'} in {months}."
    return f"{count(promise, 'referral')} promised in {months}, none received."


def _management_fee(found: Assessment) -> str:
    if found.value is None:
        return "Nothing to compare with."
    rule = share(found.threshold)
    low, high = share(found.value, found.threshold), share(found.high or 0, found.threshold)
    if found.status == "watch":
        return f"A fee of {low}, but {high} if what is unpaid stays unpaid; the rule is {rule}."
    return f"A management fee of {low}; the rule is at most {rule}."


def _volume_divergence(found: Assessment) -> str:
    if found.value is None:
        return "Nothing to compare with."
    return (
        f"{count(found.evidence['observed'], 'referral')} where "
        f"{figure(found.evidence['forecast'])} were forecast, "
        f"{change(found.value, found.threshold)}."
    )


def _payment_delay(found: Assessment) -> str:
    if found.value is None:
        due = found.status == "too_early"
        return "No payment has fallen due yet." if due else "No payment has an invoice day."
    late, due_count = found.evidence["late"], count(found.evidence["due"], "payment")
    if not late:
        return f"No payment late, of {due_count} that fell due."
    return (
        f"{figure(late)} of {due_count} late, {share(found.value, found.threshold)}; the rule is "
        f"at most {share(found.threshold)}."
    )


def _risk_transfer(found: Assessment) -> str:
    own, theirs = found.evidence["at_risk_share"], found.evidence["prime_at_risk_share"]
    if own is None or theirs is None:
        return "Not both shares at risk are recorded."
    return f"{share(own)} of its income is at risk, of the prime's {share(theirs)}."


def _unreconciled(found: Assessment) -> str:
    log = found.evidence["log"]
    if log is None:
        return ""
    one = found.evidence["logs"][log]
    events = count(one["events"], log.removesuffix("s"))
    if not one["differing"]:
        same = f"Both sides report the same {events}."
        return same if one["events"] else "Neither side reports an event."
    return (
        f"{figure(one['differing'])} of {events} differ between the two sides, "
        f"{share(found.value or 0, found.threshold)}; the rule is at most {share(found.threshold)}."
    )


def _not_reported(found: Assessment) -> str:
    if found.value is None:
        return ""
    due = count(found.evidence["due_months"], "month")
    if not found.value:
        return f"Nothing overdue, of {due} due."
    return f"Returns overdue for {figure(found.value)} of {due}."


def _named_without_consent(found: Assessment) -> str:
    if not found.evidence["named_in_bid"]:
        return "It was not named in the bid."
    if found.evidence["consented_on"] is None:
        return "Named in the bid, and no consent is recorded."
    days = found.evidence["days_before_start"]
    if days is None:
        return "Named in the bid, with its consent."
    when = "after" if days < 0 else "before"
    return f"It consented to be named {count(abs(days), 'day')} {when} the contract's first day."


def _client_mix(found: Assessment) -> str:
    if found.status == "clear":
        return "The client groups came about as the prime's intake has them."
    return "Too few clients to compare the groups." if found.status == "too_early" else ""


_HEADLINES: dict[str, Callable[[Assessment], str]] = {
    "zero_referrals": _zero_referrals,
    "management_fee": _management_fee,
    "volume_divergence": _volume_divergence,
    "payment_delay": _payment_delay,
    "risk_transfer": _risk_transfer,
    "unreconciled": _unreconciled,
    "not_reported": _not_reported,
    "named_without_consent": _named_without_consent,
    "client_mix": _client_mix,
}
_NOT_REPORTED = {
    "zero_referrals": "No return covers any month.",
    "management_fee": "The prime has reported no payments.",
    "volume_divergence": "No return covers any month.",
    "payment_delay": "No payments return covers any month.",
    "unreconciled": "Not both sides have reported, so there is nothing to compare.",
    "client_mix": "The prime has reported no referrals.",
}
_ATTRIBUTES = ("zero_referrals", "volume_divergence")


def attribution(found: Assessment) -> str:
    """Whose doing the figures point to, in one line; empty where the flag does not ask that."""
    if found.attributed_to == "prime":
        return "The figures point to how the prime shared out the clients."
    if found.attributed_to == "commissioner":
        return "The figures point to the volume that the commissioner sent."
    if found.status == "raised" and found.flag in _ATTRIBUTES:
        return "The figures do not say whose doing it is."
    return ""


def about(explanation: Explanation) -> str:
    """Whom and what an answer is about, as known when, and who is shown it."""
    found = explanation.assessment

    def named(organisation_id: str | None) -> str:
        if organisation_id is None:
            return "the prime"
        name = explanation.name(organisation_id)
        return name if name == organisation_id else f"{name} ({organisation_id})"

    whom = "the whole contract" if found.subcontractor_id is None else named(found.subcontractor_id)
    shown = (
        f" Shown to {named(explanation.asker_id)}: the rows that others reported are counted only."
        if explanation.asker_id
        else ""
    )
    return (
        f"{found.contract_id} of {named(found.prime_id)}: {whom}. As known on "
        f"{day(explanation.as_of)}, up to {month_name(explanation.last)}.{shown}"
    )


def said_rule(rule: Rule) -> str:
    """Where a rule comes from, what it is worth, and what is to be known about it."""
    standing = f"{rule.standing[:1].upper()}{rule.standing[1:]}."
    return f"{standing} {rule.note}".strip()


def row_words(group: RowGroup) -> str:
    """Where rows stand: payments, return r-1, rows 4, 7-12; or how many somebody else has."""
    if group.row_numbers is None:
        return f"{group.table}, {count(group.row_count, 'row')}, counted only"
    noun = "row" if group.row_count == 1 else "rows"
    return f"{group.table}, return {group.return_id}, {noun} {lines_of(group)}"


def lines_of(group: RowGroup, most: int = 12) -> str:
    """The lines of rows in their return: the first runs of them, and how many there are."""
    if group.row_numbers is None:
        return f"{figure(group.row_count)}, not shown"
    lines = group.lines.split(", ")
    more = f" and more: {figure(group.row_count)} in all" if len(lines) > most else ""
    return ", ".join(lines[:most]) + more


def more_or_fewer(referrals: float) -> str:
    """A number of referrals beside another: 3 more, 12.5 fewer, none."""
    size = round(abs(referrals), 1)
    return f"{figure(size)} {'fewer' if referrals < 0 else 'more'}" if size else "none"


def day(value: dt.date | None) -> str:
    """A day as 31 March 2012."""
    return "" if value is None else f"{value.day} {value:%B %Y}"


def month(value: dt.date | None) -> str:
    """A month as March 2012."""
    return "" if value is None else f"{value:%B %Y}"


def months_covered(months: tuple[dt.date, ...]) -> str:
    """The months of a return: June 2011 to March 2012."""
    if not months:
        return "the whole register"
    first, last = month(months[0]), month(months[-1])
    return first if first == last else f"{first} to {last}"


def said(value: Any) -> str:
    """A field of a definition or register in words: yes, no, 12, or nothing recorded."""
    if value is None or value == "":
        return "not recorded"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("_", " ")
