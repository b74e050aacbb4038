"""Every row is one that the reporting organisation may report.

The network and whoever first recorded the organisations may submit every register and forecast;
a commissioner rows of its contracts; a prime rows of its contracts, but no organisations or
contracts; a subcontractor whether it consents to its own agreement, once that is
recorded, and logs about itself. Logs are never reported in the
network's own name. While the ledger has no organisations, anybody may record them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, has, knows
from checks.definition import Check, NotApplicable, Subject, between
from checks.reference.near import nearest
from data.parse import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

_LOGS = ("referrals", "payments")


def _subjects(
    sheet: Sheet, table: Table, circumstances: Circumstances
) -> Sequence[Subject] | NotApplicable:
    if circumstances.reporter_id is None:
        return NotApplicable("No reporting organisation was named.")
    if table.id == "organisations" and not knows(circumstances, "organisations"):
        return NotApplicable("The ledger has no organisations register yet.")
    keeper = circumstances.reporter_id in circumstances.keepers
    if keeper and table.id not in _LOGS:
        return []
    reporter = literal(circumstances.reporter_id)
    ids = (
        "(SELECT organisation_id AS id FROM known_organisations WHERE name IS NOT NULL "
        "UNION SELECT commissioner_id FROM known_contracts "
        "UNION SELECT prime_id FROM known_contracts "
        "UNION SELECT subcontractor_id FROM known_agreements) AS known"
    )
    takes_part = (
        f"{reporter} IN (SELECT unnest([commissioner_id, prime_id]) FROM known_contracts) "
        f"OR {reporter} IN (SELECT subcontractor_id FROM known_agreements)"
    )
    who = circumstances.reporter_id
    if keeper:
        whole = Subject(
            column=None,
            value=f"CAST({takes_part} AS INTEGER)",
            expected=between(1, None),
            source="nothing",
            facts={
                "before": "A network submits logs on behalf of an organisation: name that "
                "organisation as the reporter (--by)",
            },
        )
        known = takes_part
    else:
        whole = Subject(
            column=None,
            value=f"CAST({reporter} IN (SELECT id FROM {ids}) AS INTEGER)",
            expected=between(1, None),
            source="nothing",
            hint=nearest(reporter, "known.id", ids),
            facts={"before": f"{who} is not in the organisations register"},
        )
        known = f"{reporter} IN (SELECT id FROM {ids})"
    return [whole, *_rows(sheet, table, who, known)]


def _rows(sheet: Sheet, table: Table, who: str, known: str) -> list[Subject]:
    """The rows, none of which are judged when the reporter itself may not report at all."""
    reporter = literal(who)
    place = None
    source = "cells"
    if table.id == "organisations":
        allowed = f"{reporter} IN (SELECT commissioner_id FROM known_contracts)"
        rule = "only the network and commissioners record organisations"
    elif table.id == "contracts":
        place = "commissioner_id"
        # Nobody becomes a commissioner, or takes over a contract, by saying so: whoever is a prime
        # or subcontractor under another commissioner is none, and a contract keeps the one it has.
        under_another = (
            f"{reporter} IN (SELECT unnest([agreement.subcontractor_id, contract.prime_id]) "
            "FROM known_contracts AS contract LEFT JOIN known_agreements AS agreement "
            "ON agreement.contract_id = contract.contract_id "
            f"WHERE contract.commissioner_id <> {reporter})"
        )
        taken = (
            f"{cell('contract_id')} IN (SELECT contract_id FROM known_contracts "
            f"WHERE commissioner_id <> {reporter})"
        )
        allowed = f"{cell('commissioner_id')} = {reporter} AND NOT {taken} AND NOT {under_another}"
        rule = "only the network and the contract's commissioner record a contract"
    else:
        place = "contract_id"
        source = (
            "cells JOIN known_contracts AS contract "
            f"ON contract.contract_id = {cell('contract_id')}"
        )
        allowed = f"{reporter} IN (contract.commissioner_id, contract.prime_id)"
        rule = "only the contract's commissioner and prime report on it"
        itself = f"coalesce({cell('subcontractor_id')}, '') = {reporter}"
        if table.id in _LOGS:
            allowed += f" OR {itself}"
            rule += ", and a subcontractor on itself"
        elif table.id == "agreements":
            allowed += (
                f" OR ({itself} AND ({cell('contract_id')}, {reporter}) IN "
                "(SELECT (contract_id, subcontractor_id) FROM known_agreements))"
            )
            rule += ", and a subcontractor whether it consents to an agreement recorded before"
    needed = {
        "contracts": ("contract_id", "commissioner_id"),
        "agreements": ("contract_id", "subcontractor_id"),
        "referrals": ("contract_id", "subcontractor_id"),
        "payments": ("contract_id", "subcontractor_id"),
    }
    if place is not None and not has(sheet, *needed.get(table.id, (place,))):
        return []
    return [
        Subject(
            column=place,
            place=place,
            value=f"CASE WHEN {known} THEN CAST(({allowed}) AS INTEGER) END",
            expected=between(1, None),
            source=source,
            shown=None if place else cell(table.key[0]),
            facts={"before": f"{who} may not report these rows: {rule}; "},
        )
    ]


CHECK = Check(
    id="reporter_may_report",
    family="reference",
    promise="Every row is one that the reporting organisation may report.",
    why_it_matters="A return replaces what its reporter said before; nobody speaks for another.",
    severity="refuse",
    message="{before}{where}.{hint}",
    remedy="Name the organisation whose return this is, or leave these rows to the organisation "
    "they belong to.",
    version=1,
    subjects=_subjects,
)
