"""The rows of the ledger behind an answer, by return and line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from data.tables import TABLES
from metrics.definition import SourceRow
from metrics.frames import records
from metrics.window import covered_months, in_window, month_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metrics.definition import Assessment
    from metrics.facts import Facts

_ID = {table.id: table.column(table.key[0]).stored for table in TABLES.values()}
_LOGS = ("referrals", "payments")


def rows_of(
    facts: Facts,
    table_id: str,
    contract_id: str,
    subcontractor_id: str | None,
    part_of: Callable[[Mapping[str, Any]], str | None],
    any_subcontractor: bool = False,
) -> list[SourceRow]:
    """The rows of one agreement (or, without a subcontractor, of the contract as a whole).

    `part_of` says what a row is to the answer, None to leave it out; it gets the row as the
    frames hold it, with `month` as a month number in logs and forecasts. Ordered by reporter,
    return and line. Logs name their rows, other tables have no id of a row's own.
    """
    frame = getattr(facts.frames, table_id).filter(nw.col("contract_id") == contract_id)
    if "subcontractor_id" in TABLES[table_id].column_ids and not any_subcontractor:
        of = nw.col("subcontractor_id")
        frame = frame.filter(of.is_null() if subcontractor_id is None else of == subcontractor_id)
    if TABLES[table_id].month_of is not None:
        frame = frame.with_columns(month=month_number("month"))
    found = []
    for row in records(frame):
        part = part_of(row)
        if part is not None:
            found.append(
                SourceRow(
                    table=table_id,
                    reporter_id=row["reporter_id"],
                    return_id=row["return_id"],
                    row_number=row["row_number"],
                    row_id=str(row[_ID[table_id]]) if table_id in _LOGS else "",
                    part=part,
                    subcontractor_id=row.get("subcontractor_id"),
                )
            )
    return sorted(found, key=lambda r: (r.table, r.reporter_id, r.return_id, r.row_number))


def months_covered(
    facts: Facts, table_id: str, contract_id: str, subcontractor_id: str | None
) -> dict[int, tuple[bool, bool]]:
    """The months of the window that returns of a log cover: (by the subcontractor, the prime)."""
    chosen = facts.rows.filter(
        nw.col("contract_id") == contract_id,
        nw.col("subcontractor_id") == (subcontractor_id or ""),
    )
    months = covered_months(facts.frames, chosen, table_id).filter(in_window())
    return {
        row["month"]: (bool(row["sub_covered"]), bool(row["prime_covered"]))
        for row in records(months)
    }


def referral_rows(found: Assessment, facts: Facts) -> list[SourceRow]:
    """The rows behind a flag about referrals: forecasts and both sides' counts, in its months.

    Of the subcontractor's agreement, or of the contract as a whole, where the prime's rows are
    its intake.
    """
    months = months_covered(facts, "referrals", found.contract_id, found.subcontractor_id)
    whole = found.subcontractor_id is None

    def referral(row: Mapping[str, Any]) -> str | None:
        by_sub, by_prime = months.get(row["month"], (False, False))
        if by_sub and row["reporter_id"] == found.subcontractor_id:
            return "counted"
        if by_prime and row["reporter_id"] == found.prime_id:
            return "other side" if by_sub else "counted"
        return None

    def forecast(row: Mapping[str, Any]) -> str | None:
        return "forecast" if row["month"] in months else None

    return [
        *rows_of(facts, "forecasts", found.contract_id, found.subcontractor_id, forecast),
        *rows_of(
            facts,
            "referrals",
            found.contract_id,
            found.subcontractor_id,
            referral,
            any_subcontractor=whole,
        ),
    ]
