"""Every client group is one that the contract's prices list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, has, knows, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table


def _subjects(
    sheet: Sheet, table: Table, circumstances: Circumstances
) -> Sequence[Subject] | NotApplicable:
    if table.id not in ("forecasts", "referrals", "payments") or not has(
        sheet, "contract_id", "client_group"
    ):
        return NotApplicable("The file does not refer to client groups.")
    if not knows(circumstances, "prices"):
        return NotApplicable("The ledger has no prices register yet.")
    group = typed("client_group")
    return [
        Subject(
            column="client_group",
            place="client_group",
            value=f"CASE WHEN {group} IS NOT NULL THEN CAST(list_contains(listed.groups, {group}) "
            "AS INTEGER) END",
            expected=between(1, None),
            source="cells JOIN (SELECT contract_id, list(DISTINCT client_group ORDER BY "
            "client_group) AS groups FROM known_prices GROUP BY contract_id) AS listed "
            f"ON listed.contract_id = {cell('contract_id')}",
            hint="'Contract ' || listed.contract_id || ' lists ' || "
            "array_to_string(listed.groups[:8], ', ') || '.'",
        )
    ]


CHECK = Check(
    id="client_group_known",
    family="reference",
    promise="Every client group is one that the contract's prices list.",
    why_it_matters="A group spelled another way is counted beside its forecast, not against it.",
    severity="refuse",
    message="client_group must be one that the contract's prices list; {where}.{hint}",
    remedy="Write client_group as the prices register has it, or have its price added first.",
    version=1,
    subjects=_subjects,
)
