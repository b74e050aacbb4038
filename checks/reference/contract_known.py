"""Every contract that is named stands in the contracts register."""

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
    if table.id == "contracts" or not has(sheet, "contract_id"):
        return NotApplicable("The file does not refer to contracts.")
    if not refers(circumstances, "contracts"):
        return NotApplicable("The ledger has no contracts register yet.")
    return [
        Subject(
            column="contract_id",
            place="contract_id",
            value=f"CAST({cell('contract_id')} IN (SELECT contract_id FROM known_contracts) "
            "AS INTEGER)",
            expected=between(1, None),
            hint=nearest(cell("contract_id"), "known.contract_id", "known_contracts AS known"),
        )
    ]


CHECK = Check(
    id="contract_known",
    family="reference",
    promise="Every contract that is named stands in the contracts register.",
    why_it_matters="Without its contract a row belongs to no prime, no area and no period.",
    severity="refuse",
    message="contract_id must be an id in the contracts register; {where}.{hint}",
    remedy="Correct contract_id, or have the contract added to the contracts register first.",
    version=1,
    subjects=_subjects,
)
