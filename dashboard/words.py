"""The words on the screen, and data made safe to stand among them."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from metrics.wording import change, count, figure, share

if TYPE_CHECKING:
    import datetime as dt

    from metrics.definition import Assessment

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
    """What happened, in one short line."""
    evidence = found.evidence
    if found.status == "not_reported":
        return "No return covers any month."
    if found.flag == "zero_referrals":
        got = int(found.value or 0)
        months = count(evidence["reported_months"], "reported month")
        promise = evidence["promise"]
        if got or promise is None:
            return f"{count(got, 'referral') if got else 'No referrals'} in {months}."
        return f"{count(promise, 'referral')} promised in {months}, none received."
    if found.value is None:
        return "Nothing to compare with."
    if found.flag == "management_fee":
        rule = share(found.threshold)
        low, high = share(found.value, found.threshold), share(found.high or 0, found.threshold)
        if found.status == "watch":
            return f"A fee of {low}, but {high} if what is unpaid stays unpaid; the rule is {rule}."
        return f"A management fee of {low}; the rule is at most {rule}."
    return (
        f"{count(evidence['observed'], 'referral')} where {figure(evidence['forecast'])} were "
        f"forecast, {change(found.value, found.threshold)}."
    )


def attribution(found: Assessment) -> str:
    """Whose doing the figures point to, in one line; empty where the flag does not say."""
    if found.attributed_to == "prime":
        return "The figures point to how the prime shared out the clients."
    if found.attributed_to == "commissioner":
        return "The figures point to the volume that the commissioner sent."
    if found.status == "raised" and found.flag != "management_fee":
        return "The figures do not say whose doing it is."
    return ""


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
