"""Every subcontractor has an agreement in the contract that its row names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, has, refers
from checks.definition import Check, NotApplicable, Subject, between
from checks.reference.near import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(
    sheet: Sheet, table: Table, circumstances: Circumstances
) -> Sequence[Subject] | NotApplicable:
    if table.id not in ("prices", "forecasts", "referrals", "payments") or not has(
        sheet, "contract_id", "subcontractor_id"
    ):
        return NotApplicable("The file does not refer to agreements.")
    if not refers(circumstances, "agreements"):
        return NotApplicable("The ledger has no agreements register yet.")
    contract, subcontractor = cell("contract_id"), cell("subcontractor_id")
    pair = f"({contract}, {subcontractor})"
    fits = f"{pair} IN (SELECT (contract_id, subcontractor_id) FROM known_agreements)"
    if table.id in ("referrals", "payments"):
        fits += f" OR {pair} IN (SELECT (contract_id, prime_id) FROM known_contracts)"
    # A contract that nobody knows is told by contract_known.
    known = (
        f"{contract} IN (SELECT contract_id FROM known_agreements) "
        f"OR {contract} IN (SELECT contract_id FROM known_contracts)"
    )
    return [
        Subject(
            column="subcontractor_id",
            place="subcontractor_id",
            value=f"CASE WHEN {subcontractor} IS NOT NULL AND ({known}) "
            f"THEN CAST({fits} AS INTEGER) END",
            expected=between(1, None),
            hint=nearest(subcontractor, "known.subcontractor_id", "known_agreements AS known"),
        )
    ]


CHECK = Check(
    id="agreement_known",
    family="reference",
    promise="Every subcontractor has an agreement in the contract that its row names.",
    why_it_matters="What was promised stands in the agreement; without one there is nothing to "
    "hold it against.",
    severity="refuse",
    message="subcontractor_id must have an agreement in the contract; {where}.{hint}",
    remedy="Correct subcontractor_id or contract_id, or have the agreement added to the "
    "agreements register first.",
    version=1,
    subjects=_subjects,
)
