"""Releases of open data to write: the worked example's registers, and names that are traps."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from dashboard.open_data.release import Field, OpenRelease, OpenTable
from data.demo.plan import (
    AGREEMENTS,
    CONTRACTS,
    MONTHS,
    NETWORK,
    ORGANISATIONS,
    PROGRAMME,
    SILENT_PRIME,
    contract_named,
)
from data.demo.plan import COMMISSIONER as BUYER
from metrics.catalogue import flags, metrics
from metrics.disclosure import Disclosed
from metrics.rules import rules_as_of

MADE_ON = dt.date(2013, 3, 5)
AS_OF = dt.date(2013, 2, 28)
AGAIN_ON = dt.date(2013, 6, 4)
FIRST_ID, SECOND_ID = "2013-03-05", "2013-06-04"
WILLOW = ("EXAMPLE-NORTH-2", "XX-EXAMPLE-SUB-59")
COBALT = ("EXAMPLE-NORTH-1", "XX-EXAMPLE-SUB-11")

FORMULA = '=HYPERLINK("http://evil.example","click")'
MARKUP = '<img src=x onerror="alert(1)"> & **Bold** [link](http://evil.example) | www.evil.example'
TURNED = "Ltd \u202egnitseuqnI\u202c \u05d7\u05d1\u05e8\u05d4 (example)"
MARK_LOOKALIKE = "hidden:few_people"

WHO, WHERE = ("text", True), ("text", False)


def _field(name: str, kind: str, required: bool = True, words: str = "") -> Field:
    title = name.replace("_", " ").capitalize()
    return Field(name, title, words or f"{title}.", kind, required)  # type: ignore[arg-type]


FIELDS = {
    "organisations": (
        _field("organisation_id", "text", words="As org-id.guide writes it."),
        _field("name", "text"),
        _field("sector", "text", words="voluntary, private or public."),
    ),
    "contracts": (
        _field("contract_id", "text"),
        _field("programme", "text"),
        _field("contract_package_area", "text", False),
        _field("commissioner_id", "text"),
        _field("prime_id", "text"),
        _field("starts_on", "day"),
        _field("ends_on", "day", False),
    ),
    "agreements": (
        _field("contract_id", "text"),
        _field("subcontractor_id", "text"),
        _field("delivery_role", "text"),
        _field("named_in_bid", "text", words="yes or no."),
        _field("live_on", "day", False),
        _field("ends_on", "day", False),
    ),
    "referrals": (
        _field("contract_id", "text"),
        _field("subcontractor_id", "text", False, "Empty for the whole contract."),
        _field("period", "text", words="A month, 2012-03, or a quarter, 2012-Q1."),
        _field("referrals", "whole number", False, "Clients referred."),
        _field("forecast", "number", False, "Referrals that were forecast."),
    ),
    "terms": (
        _field("prime_id", "text"),
        _field("measure", "text"),
        _field("payment_type", "text", False),
        _field("client_groups", "text", False),
        _field("value", "number", False),
        _field("sources_count", "whole number"),
        _field("period", "text"),
    ),
    "flags": (
        _field("flag", "text"),
        _field("contract_id", "text"),
        _field("prime_id", "text"),
        _field("subcontractor_id", "text", False),
        _field("threshold", "number"),
        _field("statement", "text"),
        _field("published_on", "day"),
        _field("decision", "text", False),
    ),
    "replies": (
        _field("flag", "text"),
        _field("contract_id", "text"),
        _field("subcontractor_id", "text", False),
        _field("by", "text"),
        _field("stance", "text"),
        _field("reason", "text", False),
        _field("text", "text", False),
        _field("on", "day"),
    ),
}
KEYS = {
    "organisations": ("organisation_id",),
    "contracts": ("contract_id",),
    "agreements": ("contract_id", "subcontractor_id"),
    "referrals": ("contract_id", "subcontractor_id", "period"),
    "terms": ("prime_id", "measure", "payment_type", "client_groups", "period"),
    "flags": ("flag", "contract_id", "subcontractor_id"),
    "replies": ("flag", "contract_id", "subcontractor_id", "by", "on"),
}


def table(table_id: str, rows: list[tuple[object, ...]]) -> OpenTable:
    title = table_id.capitalize()
    return OpenTable(
        table_id,
        title,
        f"{title} as they stood.",
        "one row per " + ", ".join(KEYS[table_id]).replace("_id", "").replace("_", " "),
        FIELDS[table_id],
        KEYS[table_id],
        tuple(rows),
    )


def protected(count: int) -> Disclosed:
    """A count of clients as the rule for small numbers has it."""
    if 1 <= count <= 7:
        return Disclosed(None, "few_people")
    return Disclosed(5 * round(count / 5))


def _referrals() -> list[tuple[object, ...]]:
    quarters = [MONTHS[start : start + 3] for start in range(1, 16, 3)]
    rows: list[tuple[object, ...]] = []
    for contract in CONTRACTS:
        silent = contract.prime_id == SILENT_PRIME
        for number, month in enumerate(MONTHS[-12:]):
            expected = sum(contract.forecast.values())
            came: object = None if silent else protected(round(expected * (0.7 + 0.05 * number)))
            if number == 11 and not silent:
                came = Disclosed(None, "given_away")
            period = f"{month:%Y-%m}"
            rows.append((contract.contract_id, None, period, came, round(expected, 1)))
        for number, months in enumerate(quarters):
            period = f"{months[0].year}-Q{(months[0].month + 2) // 3}"
            kept = protected(round(20 + 3 * number))
            if not silent:
                rows.append((contract.contract_id, contract.prime_id, period, kept, None))
            for agreement in AGREEMENTS:
                if agreement.contract_id != contract.contract_id:
                    continue
                monthly = sum(contract.forecast[group] for group in agreement.groups)
                expected = 3 * monthly * agreement.share
                place = MONTHS.index(months[1])
                count = round(3 * monthly * agreement.weight(place))
                figure: object = None if silent else protected(count)
                if number == 2 and agreement.subcontractor_id.endswith("7") and not silent:
                    figure = Disclosed(None, "given_away")
                promised = round(expected, 2) if agreement.promise == "forecast" else None
                rows.append(
                    (contract.contract_id, agreement.subcontractor_id, period, figure, promised)
                )
    return rows


def _terms() -> list[tuple[object, ...]]:
    values = (
        Disclosed(0.115),
        Disclosed(None, "one_source"),
        Disclosed(-0.02),
        Disclosed(None, "few_sources"),
        None,
    )
    return [
        (prime_id, "management_fee", "job_outcome", None, value, 5 + number, "2012-Q3")
        for number, (prime_id, value) in enumerate(
            zip([f"XX-EXAMPLE-PRIME-{n}" for n in range(1, 6)], values, strict=True)
        )
    ]


def _organisations() -> list[tuple[object, ...]]:
    odd = {11: FORMULA, 23: MARKUP, 33: TURNED, 40: MARK_LOOKALIKE}
    named = {f"XX-EXAMPLE-SUB-{number}": name for number, name in odd.items()}
    return [
        (one.organisation_id, named.get(one.organisation_id, one.name), one.sector)
        for one in ORGANISATIONS
    ]


def release() -> OpenRelease:
    """The first release: every kind of hidden figure, true zeros, silence, replies, odd names."""
    contracts: list[tuple[object, ...]] = [
        (one.contract_id, PROGRAMME, one.area, BUYER, one.prime_id, MONTHS[0], dt.date(2016, 3, 31))
        for one in CONTRACTS
    ]
    agreements: list[tuple[object, ...]] = [
        (
            one.contract_id,
            one.subcontractor_id,
            one.delivery_role,
            "yes" if one.named else "no",
            MONTHS[0],
            None,
        )
        for one in AGREEMENTS
    ]
    sentence = (
        "14 referrals were promised from June 2011 to November 2012, and none came. What else "
        "could explain it: the subcontractor was not ready on the day in the register."
    )
    prime_2, prime_1 = contract_named(WILLOW[0]).prime_id, contract_named(COBALT[0]).prime_id
    raised: list[tuple[object, ...]] = [
        ("zero_referrals", WILLOW[0], prime_2, WILLOW[1], 0.05, sentence, dt.date(2013, 1, 21), ""),
        (
            "unreconciled",
            COBALT[0],
            prime_1,
            COBALT[1],
            0.05,
            f"The two sides differ about {FORMULA} and {MARKUP}.",
            dt.date(2013, 2, 4),
            "Both sides were heard; the figures stand.",
        ),
        (
            "not_reported",
            "EXAMPLE-SOUTH-3",
            SILENT_PRIME,
            None,
            60,
            "No return of the prime covers any of 18 months.",
            dt.date(2013, 2, 11),
            None,
        ),
    ]
    replies: list[tuple[object, ...]] = [
        (
            "zero_referrals",
            *WILLOW,
            prime_2,
            "disputed",
            "client_choice",
            "Clients near Willow asked for evening hours.\nWe offered it twice.",
            dt.date(2013, 1, 10),
        ),
        (
            "zero_referrals",
            *WILLOW,
            WILLOW[1],
            "accepted",
            None,
            "@SUM(A1) We were ready from the first day. <script>alert(1)</script>",
            dt.date(2013, 1, 12),
        ),
        (
            "unreconciled",
            *COBALT,
            COBALT[1],
            "disputed",
            "other_side_wrong",
            MARK_LOOKALIKE,
            dt.date(2013, 1, 28),
        ),
    ]
    return OpenRelease(
        release_id=FIRST_ID,
        made_on=MADE_ON,
        as_of=AS_OF,
        title="Supply chains of the Invented Work Programme (example)",
        publisher_id=NETWORK,
        publisher_name="Invented Voluntary Sector Network (example)",
        tables=(
            table("organisations", _organisations()),
            table("contracts", contracts),
            table("agreements", agreements),
            table("referrals", _referrals()),
            table("terms", _terms()),
            table("flags", raised),
            table("replies", replies),
        ),
        rules=tuple(rules_as_of(AS_OF).values()),
        methods=(*metrics(), *flags()),
    )


def small(given: OpenRelease) -> OpenRelease:
    """The release with two contracts only, and fewer rows: every kind of cell is still in it."""
    kept = ("EXAMPLE-NORTH-1", "EXAMPLE-SOUTH-3")
    odd = ("08", "09", "11", "12", "01", "02")

    def stays(table: OpenTable, row: tuple[object, ...]) -> bool:
        told = dict(zip(table.field_ids, row, strict=True))
        sub = str(told.get("subcontractor_id") or told.get("organisation_id") or "")
        return told.get("contract_id", kept[0]) in kept and ("-SUB-" not in sub or sub[-2:] in odd)

    tables = (
        replace(one, rows=tuple(row for row in one.rows if stays(one, row))) for one in given.tables
    )
    return replace(given, tables=tuple(tables), rules=given.rules[:4], methods=given.methods[-2:])


def changed(
    given: OpenRelease, table_id: str, key: tuple[object, ...], **cells: object
) -> OpenRelease:
    """The release with other cells in one row, or without the row if none are given."""
    (old,) = (one for one in given.tables if one.id == table_id)
    rows = []
    for row in old.rows:
        if old.key_of(row) != key:
            rows.append(row)
        elif cells:
            told = dict(zip(old.field_ids, row, strict=True)) | cells
            rows.append(tuple(told.values()))
    assert len(rows) < len(old.rows) or tuple(rows) != old.rows, "nothing was changed"
    new = replace(old, rows=tuple(rows))
    return replace(given, tables=tuple(new if one.id == table_id else one for one in given.tables))


CORRECTED = ("EXAMPLE-NORTH-1", "XX-EXAMPLE-SUB-08", "2011-Q3")
HIDDEN_NOW = ("EXAMPLE-NORTH-1", "XX-EXAMPLE-SUB-09", "2011-Q3")
SHOWN_NOW = ("EXAMPLE-NORTH-1", None, "2012-11")
GONE = ("EXAMPLE-NORTH-3", "XX-EXAMPLE-SUB-58", "2011-Q3")
NEW_ROW = ("EXAMPLE-NORTH-1", None, "2012-12", Disclosed(80), 76.0)
RENAMED = "XX-EXAMPLE-SUB-08"


def second_release() -> OpenRelease:
    """The release after: one of each kind of change."""
    later = release()
    later = changed(later, "referrals", CORRECTED, referrals=Disclosed(95))
    later = changed(later, "referrals", HIDDEN_NOW, referrals=Disclosed(None, "given_away"))
    later = changed(later, "referrals", SHOWN_NOW, referrals=Disclosed(95))
    later = changed(later, "referrals", GONE)
    later = changed(later, "organisations", (RENAMED,), name="Invented Beacon Renamed (example)")
    (referrals,) = (one for one in later.tables if one.id == "referrals")
    longer = replace(referrals, rows=(*referrals.rows, NEW_ROW))
    return replace(
        later,
        release_id=SECOND_ID,
        made_on=AGAIN_ON,
        as_of=dt.date(2013, 5, 31),
        previous_release_id=FIRST_ID,
        tables=tuple(longer if one.id == "referrals" else one for one in later.tables),
    )
