"""The ledger as the metrics see it: one lazy frame per table, in force as of a day."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Frames:
    """The returns in force as of a day, over any engine that Narwhals takes.

    Columns have the names and types of the ledger (`Column.stored`), and every row says where it
    stands: `reporter_id`, `return_id` and `row_number`. Logs also have `month` (the first day of
    the row's month). An empty cell is null. Grain and extra columns:

    - `organisations`: one row per organisation
    - `contracts`: one row per contract
    - `agreements`: one row per agreement
    - `prices`: one row per price; `subcontractor_id` null is what the commissioner pays the prime
    - `forecasts`: one row per version, agreement or contract, client group and month;
      `issuer_rank` is 0 for a commissioner, 1 for a network, 2 for a prime; `received_on` is the
      day its return was received
    - `referrals`, `payments`: one row per row of a return in force
    - `coverage`: `table` ("referrals" or "payments"), `reporter_id`, `month` and `received_on`
      (the day the return was received); one row per month that a reporter's returns in force
      cover, nil returns included
    """

    organisations: nw.LazyFrame[Any]
    contracts: nw.LazyFrame[Any]
    agreements: nw.LazyFrame[Any]
    prices: nw.LazyFrame[Any]
    forecasts: nw.LazyFrame[Any]
    referrals: nw.LazyFrame[Any]
    payments: nw.LazyFrame[Any]
    coverage: nw.LazyFrame[Any]

    def of_contracts(self, contract_ids: Sequence[str]) -> Frames:
        """The same frames with the rows of these contracts only; others stay whole."""
        kept = ("contracts", "agreements", "prices", "forecasts", "referrals", "payments")
        chosen = nw.col("contract_id").is_in(list(contract_ids))
        return replace(
            self,
            **{
                field.name: getattr(self, field.name).filter(chosen)
                for field in fields(self)
                if field.name in kept
            },
        )


def collected(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The same frame, worked out once and held in memory, whatever the engine."""
    return frame.collect().lazy()


def records(frame: nw.LazyFrame[Any]) -> list[dict[str, Any]]:
    """The rows of a small lazy frame."""
    rows: list[dict[str, Any]] = frame.collect().to_arrow().to_pylist()
    return rows
