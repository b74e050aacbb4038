"""The tables of a release, as the package writes them, from what was released and published."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from dashboard.open_data.release import Field, OpenRelease, OpenTable
from metrics.catalogue import flags, metrics
from metrics.rules import rules_as_of
from metrics.terms import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dashboard.open_data.release import FieldKind, Row
    from data.releases import Release
    from data.replies import Published
    from metrics.release import Released
    from metrics.rules import Rule
    from metrics.terms import Figure

TITLE = "Supply chains of public services"


def open_release(
    kept: Release,
    released: Released,
    published: Sequence[Published],
    publisher_id: str,
    publisher_name: str,
) -> OpenRelease:
    """The release as it is written: the flags published by now beside the figures of its day."""
    shown = [one for one in published if one.contract_id in released.contract_ids]
    return OpenRelease(
        release_id=release_id(kept.number),
        made_on=kept.made_at.date(),
        as_of=kept.as_of,
        title=TITLE,
        publisher_id=publisher_id,
        publisher_name=publisher_name,
        tables=(
            _organisations(released, shown),
            *_registers(released),
            _referrals(released),
            _terms(released),
            _flags(shown),
            _replies(shown),
        ),
        rules=_rules(kept, released),
        methods=(*metrics(), *flags()),
        previous_release_id=release_id(kept.number - 1) if kept.number > 1 else None,
    )


def release_id(number: int) -> str:
    """What a release is called in its files."""
    return f"release-{number}"


def _field(
    field_id: str, description: str, kind: FieldKind = "text", *, required: bool = True
) -> Field:
    title = field_id.removesuffix("_id").replace("_", " ")
    return Field(field_id, title[:1].upper() + title[1:], description, kind, required)


_CONTRACT = _field("contract_id", "The contract.")
_PRIME = _field("prime_id", "The prime that holds it.", required=False)
_SUBCONTRACTOR = _field("subcontractor_id", "The subcontractor.")
_WHOLE = _field(
    "subcontractor_id", "The subcontractor; empty for the whole contract.", required=False
)
_FLAG = _field("flag", "Which flag.")


def _organisations(released: Released, shown: Sequence[Published]) -> OpenTable:
    """Those of the register, and those it does not have and others name, by their ids."""
    known = {row[0] for row in released.registers.organisations}
    named = {cell for row in released.registers.contracts for cell in row[3:5]}
    named |= {row[1] for row in released.registers.agreements}
    named |= {one.subcontractor_id for one in released.referrals if one.subcontractor_id}
    for one in shown:
        named |= {one.prime_id, one.subcontractor_id, *(r.organisation_id for r in one.replies)}
    missing = sorted(one for one in named - known if one)
    return OpenTable(
        "organisations",
        "Organisations",
        "Who takes part in the contracts of this release.",
        "one row per organisation",
        (
            _field("organisation_id", "The identifier, as org-id.guide writes it."),
            _field("name", "Its name; its identifier where no register has a name."),
            _field("sector", "voluntary, private or public.", required=False),
        ),
        ("organisation_id",),
        (*released.registers.organisations, *((one, one, None) for one in missing)),
    )


def _registers(released: Released) -> tuple[OpenTable, OpenTable]:
    return (
        OpenTable(
            "contracts",
            "Contracts",
            "One prime in one contract package area.",
            "one row per contract",
            (
                _CONTRACT,
                _field("programme", "The programme it is part of."),
                _field("contract_package_area", "The area.", required=False),
                _field("commissioner_id", "Who buys the service."),
                _field("prime_id", "Who holds the contract."),
                _field("starts_on", "Its first day.", "day"),
                _field("ends_on", "Its last day.", "day", required=False),
            ),
            ("contract_id",),
            released.registers.contracts,
        ),
        OpenTable(
            "agreements",
            "Agreements",
            "Who delivers under which prime.",
            "one row per agreement",
            (
                _CONTRACT,
                _SUBCONTRACTOR,
                _field("delivery_role", "end_to_end, specialist, call_off or signpost."),
                _field("named_in_bid", "yes or no."),
                _field("live_on", "The day from which clients could come.", "day", required=False),
                _field("ends_on", "Its last day.", "day", required=False),
            ),
            ("contract_id", "subcontractor_id"),
            released.registers.agreements,
        ),
    )


def _referrals(released: Released) -> OpenTable:
    return OpenTable(
        "referrals",
        "Referrals",
        "How many clients were sent to whom. Counts are rounded to the nearest 5; 1 to 7 are "
        "hidden. The prime's own identifier stands for the clients it kept in house.",
        "one row per agreement (or in house, or whole contract) and month or quarter",
        (
            _CONTRACT,
            _WHOLE,
            _field("period", "A month, 2012-03, or a quarter, 2012-Q1."),
            _field("referrals", "Clients sent, to the nearest 5.", "whole number", required=False),
            _field("forecast", "Clients promised for the month.", "whole number", required=False),
            _field("counted_by", "Whose returns were counted: subcontractor, prime or both."),
        ),
        ("contract_id", "subcontractor_id", "period"),
        tuple(
            (
                one.contract_id,
                one.subcontractor_id or None,
                one.period,
                one.disclosed,
                one.forecast,
                one.counted_by,
            )
            for one in released.referrals
        ),
    )


def _terms(released: Released) -> OpenTable:
    return OpenTable(
        "terms",
        "Terms compared",
        "How primes compare over their subcontractors, from what was known on "
        f"{released.terms_as_of}. Several primes stand together where each has too few "
        "subcontractors alone.",
        "one row per measure and prime; for prices also payment type and client groups",
        (
            _field("measure", "What is compared; the method says how."),
            _field("prime_ids", "The prime, or several with a space between them."),
            _field("payment_type", "Of a price: the payable event.", required=False),
            _field("client_groups", "Of a price: the client groups.", required=False),
            _field("value", "The figure, rounded.", "number", required=False),
            _field("unit", "share (0.15 is 15 %) or days."),
            _field("rounded_to", "The step it is rounded to.", "number", required=False),
            _field("subcontractors", "How many stand behind it.", "whole number"),
        ),
        ("measure", "prime_ids", "payment_type", "client_groups"),
        tuple(_terms_row(one) for one in released.comparison.figures),
    )


def _terms_row(figure: Figure) -> Row:
    return (
        figure.measure,
        " ".join(figure.prime_ids),
        figure.payment_type or None,
        ", ".join(figure.client_groups) or None,
        figure.disclosed,
        "days" if MEASURES[figure.measure].unit == "days" else "share",
        None if figure.mean is None else float(figure.mean.step),
        figure.source_count,
    )


def _flags(shown: Iterable[Published]) -> OpenTable:
    return OpenTable(
        "flags",
        "Published flags",
        "A flag says look here; it does not say who is at fault. Each was put to those it is "
        "about before the network published it, and stands beside what they reply.",
        "one row per flag and agreement or contract",
        (
            _FLAG,
            _CONTRACT,
            _PRIME,
            _WHOLE,
            _field("statement", "What it says."),
            _field("put_to_them_on", "When those it is about were asked.", "day"),
            _field("published_on", "When the network published it.", "day"),
            _field("decision", "Why the network did.", required=False),
            _field("outcome", "What became of it.", required=False),
            _field("still_raised", "yes or no."),
        ),
        ("flag", "contract_id", "subcontractor_id", "put_to_them_on"),
        tuple(
            (
                one.flag,
                one.contract_id,
                one.prime_id,
                one.subcontractor_id,
                one.sentence,
                one.opened_at.date(),
                one.published_at.date(),
                one.reason or None,
                one.outcome,
                "no" if one.no_longer_raised else "yes",
            )
            for one in shown
        ),
    )


def _replies(shown: Iterable[Published]) -> OpenTable:
    rows: list[tuple[object, ...]] = []
    for one in shown:
        for number, reply in enumerate(one.replies, start=1):
            rows.append(
                (
                    one.flag,
                    one.contract_id,
                    one.subcontractor_id,
                    one.opened_at.date(),
                    number,
                    reply.organisation_id,
                    reply.stance,
                    reply.reason or None,
                    reply.text or None,
                    reply.replied_at.date(),
                )
            )
    return OpenTable(
        "replies",
        "Replies",
        "What those a published flag is about say to it.",
        "one row per reply",
        (
            _FLAG,
            _CONTRACT,
            _WHOLE,
            _field("put_to_them_on", "When those the flag is about were asked.", "day"),
            _field("number", "Its place among the replies to the flag.", "whole number"),
            _field("by", "Who replies."),
            _field("stance", "accepted or disputed."),
            _field("reason", "The reason chosen.", required=False),
            _field("text", "What they say.", required=False),
            _field("on", "The day of the reply.", "day"),
        ),
        ("flag", "contract_id", "subcontractor_id", "put_to_them_on", "number"),
        tuple(rows),
    )


def _rules(kept: Release, released: Released) -> tuple[Rule, ...]:
    """The rules of its day, with those of disclosure that were made stricter for it."""
    rules = rules_as_of(kept.as_of)
    stricter = {
        rule_id: f"{float(Fraction(value)):.10g}"
        for rule_id, value in released.rules.items()
        if rules[rule_id].value != Fraction(value)
    }
    return tuple(rules.override(stricter).values())
