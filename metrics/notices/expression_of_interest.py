"""A subcontractor offers to deliver under a prime, in the same form whoever it writes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics.days import day_name
from metrics.notices.definition import (
    Blank,
    Fact,
    Grid,
    Heading,
    Letter,
    Notice,
    Points,
    framed,
    paragraph,
    reply_by,
)
from metrics.notices.matter import role_words, volume_facts
from metrics.wording import count, figure

if TYPE_CHECKING:
    from metrics.notices.definition import Piece
    from metrics.notices.matter import Matter
    from metrics.rules import Rules

NOTICE = Notice(
    id="expression_of_interest",
    order=6,
    title="Expression of interest in one standard form",
    when_to_send="When you want to deliver in a contract, before anything is agreed.",
    writer="subcontractor",
    reader="prime",
    about="contract",
    source="",
    standing="No law asks for it. It is one form for every prime, and asks for what a report of "
    "2012 found missing in letters of intent: firm assurances of price and volume (NCVO, Open "
    "Public Services: experiences from the voluntary sector, section 2). It binds nobody.",
    version=1,
)

_REGISTER = "the register of organisations"
_AGREEMENTS = "the register of agreements"

_QUESTIONS = (
    "how many clients we can plan for in each month and client group, and what that rests on;",
    "whether that number is firm, and what follows where fewer or more come;",
    "the price of each payment, and the management fee with what it pays for;",
    "the share of our income that depends on results, and the share of yours;",
    "within how many days invoices are paid, and whether you wait for the commissioner;",
    "whether staff would move to us under TUPE, and who carries the cost;",
    "when and how you tell us that the forecast has changed or that we are not used;",
    "who decides where we disagree.",
)


def write(matter: Matter, rules: Rules) -> Letter:
    """The form; of agreements elsewhere it gives no names, no clients and no money."""
    facts = _facts(matter)
    body = (
        paragraph("We would like to deliver services under you. This is what we offer and ask."),
        Heading("Who we are"),
        _form(_who(matter)),
        Heading("What it is about"),
        _form(_what(matter)),
        Heading("What we can deliver"),
        _form(_capacity(matter)),
        Heading("What we have done"),
        _form(_experience(matter)),
        Heading("Being named in a bid"),
        paragraph(*_consent(matter)),
        Heading("What we need to know before we commit ourselves"),
        Points(tuple((question,) for question in _QUESTIONS)),
        paragraph("Please let us know by ", reply_by(rules), "."),
    )
    whom = f"contract {matter.contract_id}" if matter.contract_id else "a contract of yours"
    return framed(
        NOTICE,
        matter,
        f"Expression of interest in {whom}",
        body,
        facts,
        (
            "Leave out numbers of clients below 8, which could give a person away.",
            "What your other agreements let you tell about them is for you to check: Fairtier has "
            "put in no names, clients or money of theirs.",
        ),
    )


def _facts(matter: Matter) -> tuple[Fact, ...]:
    writer = matter.party(NOTICE.writer)
    elsewhere = matter.elsewhere
    others = Fact(
        "agreements_elsewhere",
        "Other agreements as a subcontractor",
        elsewhere.agreement_count,
        _elsewhere_words(matter),
        _AGREEMENTS,
    )
    known = volume_facts(matter) if matter.contract_id and matter.has_agreement else ()
    return (
        Fact("name", "Organisation", writer.name, writer.name, _REGISTER),
        Fact("id", "Id", writer.organisation_id, writer.organisation_id, _REGISTER),
        Fact("sector", "Sector", writer.sector, writer.sector or "not recorded", _REGISTER),
        others,
        *known,
    )


def _form(rows: tuple[tuple[str, Piece], ...]) -> Grid:
    return Grid("", ("Item", "Answer"), rows)


def _who(matter: Matter) -> tuple[tuple[str, Piece], ...]:
    writer = matter.party(NOTICE.writer)
    return (
        ("Organisation", writer.name),
        ("Registered as", writer.organisation_id),
        ("Sector", writer.sector or Blank("voluntary, private or public")),
        ("Contact", Blank("name, post, telephone and e-mail")),
        ("Yearly income and reserves", Blank("from your last accounts")),
        ("Policies and insurance", Blank("safeguarding, data protection, insurance, standards")),
    )


def _what(matter: Matter) -> tuple[tuple[str, Piece], ...]:
    def known(name: str | None, otherwise: str) -> Piece:
        return name or Blank(otherwise)

    buyer, holder = matter.commissioner, matter.prime
    return (
        ("Contract", known(matter.contract_id, "contract")),
        ("Programme", known(matter.programme, "programme")),
        ("Area", known(matter.area, "area")),
        ("Commissioner", buyer.name if buyer else Blank("who buys the service")),
        ("Prime", holder.name if holder else Blank("who holds the contract, or bids for it")),
    )


def _capacity(matter: Matter) -> tuple[tuple[str, Piece], ...]:
    role = role_words(matter.terms.delivery_role) if matter.has_agreement else None
    groups = ", ".join(matter.client_groups)
    return (
        ("Service", role or Blank("end-to-end, specialist, on call or signposting")),
        ("Client groups", groups or Blank("client groups")),
        ("Places", Blank("where you deliver")),
        ("Clients a month", Blank("how many you can take, and how few you need")),
        ("From", Blank("month from which you can start")),
        ("Cost of starting", Blank("staff, rooms and training")),
        ("Price you need", Blank("for each client or each payment")),
        ("Share at risk you can carry", Blank("share of your income")),
    )


def _experience(matter: Matter) -> tuple[tuple[str, Piece], ...]:
    rows: list[tuple[str, Piece]] = [("Other agreements", _elsewhere_words(matter))]
    if matter.contract_id and matter.has_agreement:
        rows += [(fact.words, fact.shown) for fact in volume_facts(matter)]
    rows += [
        ("Results elsewhere", Blank("starts, job outcomes and sustainments, and what shows them")),
        ("Who can speak for us", Blank("two referees")),
    ]
    return tuple(rows)


def _elsewhere_words(matter: Matter) -> str:
    elsewhere = matter.elsewhere
    if not elsewhere.agreement_count:
        return "none is on record"
    roles = "; ".join(
        f"{figure(number)} of {role_words(role) or role}" for role, number in elsewhere.roles
    )
    return f"{count(elsewhere.agreement_count, 'agreement')}: {roles}"


def _consent(matter: Matter) -> tuple[Piece, ...]:
    agreed_on = matter.terms.consented_on if matter.has_agreement else None
    if agreed_on is not None:
        return (f"We agreed in writing on {day_name(agreed_on)} to be named in your bid.",)
    return (
        "We do not agree to be named in a bid by this letter. We would agree if ",
        Blank("terms on which you agree to be named, such as a firm volume and price"),
        ".",
    )
