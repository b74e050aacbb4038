"""Every day lies within the contract that the row names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.cells import cell, has, knows, typed
from checks.definition import Check, NotApplicable, Subject, between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Table

# Whether a day must also lie before the end; money is still earned after a contract ended.
_BOUNDED = {
    "referrals": {"referred_on": True},
    "forecasts": {"month": True},
    "payments": {"earned_on": False},
    "agreements": {"live_on": False, "ends_on": False},
}


def _subjects(
    sheet: Sheet, table: Table, circumstances: Circumstances
) -> Sequence[Subject] | NotApplicable:
    if table.id not in _BOUNDED:
        return NotApplicable(f"The days in {table.id} are not bounded by a contract.")
    if not knows(circumstances, "contracts"):
        return NotApplicable("The ledger has no contracts register yet.")
    source = (
        f"cells JOIN known_contracts AS contract ON contract.contract_id = {cell('contract_id')}"
    )
    subjects: list[Subject] = []
    for column, ends_too in _BOUNDED[table.id].items():
        if not has(sheet, column, "contract_id"):
            continue
        starts_on = (
            "date_trunc('month', contract.starts_on)" if column == "month" else "contract.starts_on"
        )
        sides = [("before", f"sign(date_diff('day', {starts_on}, {typed(column)}))", "starts")]
        if ends_too:
            days = f"date_diff('day', {typed(column)}, contract.ends_on)"
            sides.append(("after", f"sign({days})", "ends"))
        subjects.extend(
            Subject(
                column=column,
                place=column,
                value=f"CAST({value} AS INTEGER)",
                expected=between(0, None),
                source=source,
                hint=f"'Contract ' || contract.contract_id || ' {verb} on ' || contract.{verb}_on "
                "|| '.'",
                facts={"side": side},
            )
            for side, value, verb in sides
        )
    return subjects


CHECK = Check(
    id="within_contract",
    family="range",
    promise="Every day lies within the contract that the row names.",
    why_it_matters="A referral before the contract began, or after it ended, belongs to another "
    "contract.",
    severity="refuse",
    message="{column} must not be {side} the contract; {where}.{hint}",
    remedy="Check {column} and the contract_id of these rows, or the contract's days in the "
    "contracts register.",
    version=1,
    subjects=_subjects,
)
