"""What is on record about a subcontractor or a contract that the registers do not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.frames import records
from metrics.window import AGREEMENT, WHOLE_CONTRACT

if TYPE_CHECKING:
    from metrics.frames import Frames

_TABLES = ("forecasts", "referrals", "payments")


@dataclass(frozen=True)
class WithoutAgreement:
    """Rows of one table in force that belong to no agreement on record.

    `subcontractor_id` is None for forecasts of a whole contract. `contract_known` says whether
    the register of contracts has the contract; `in_intake` whether the rows, being the prime's own
    referrals, still count in its intake.
    """

    table: str
    contract_id: str
    subcontractor_id: str | None
    row_count: int
    contract_known: bool
    in_intake: bool

    @property
    def sentence(self) -> str:
        """What the rows name, and what they count for."""
        whom = f"{self.subcontractor_id} in {self.contract_id}"
        if self.subcontractor_id is None:
            whom = f"the contract {self.contract_id} as a whole"
        missing = (
            "which has no agreement on record"
            if self.contract_known
            else "a contract that is not on record"
        )
        counts = "only in the prime's intake" if self.in_intake else "for nothing"
        return f"{self.table.capitalize()} name {whom}, {missing}: they count {counts}."


def without_agreement(frames: Frames) -> tuple[WithoutAgreement, ...]:
    """The rows of forecasts, referrals and payments that no agreement on record takes up.

    A prime's rows about itself are clients kept in house, and forecasts without a subcontractor
    are the whole contract's: both need the contract only. Ordered by table, contract and
    subcontractor.
    """
    named = nw.concat(
        [
            getattr(frames, table).select(
                "contract_id",
                nw.col("subcontractor_id").fill_null(WHOLE_CONTRACT),
                "reporter_id",
                table=nw.lit(table),
                place=nw.lit(place),
            )
            for place, table in enumerate(_TABLES)
        ]
    )
    agreed = frames.agreements.select(*AGREEMENT, agreed=nw.lit(1)).unique()
    primes = frames.contracts.select("contract_id", "prime_id").unique()
    found = (
        named.join(agreed, on=list(AGREEMENT), how="left")
        .filter(nw.col("agreed").is_null())
        .join(primes, on="contract_id", how="left")
        .with_columns(nw.col("prime_id").fill_null(""))
        .filter(
            (nw.col("prime_id") == "")
            | (
                (nw.col("subcontractor_id") != nw.col("prime_id"))
                & (nw.col("subcontractor_id") != WHOLE_CONTRACT)
            )
        )
        .with_columns(
            by_prime=nw.when(
                (nw.col("table") == "referrals") & (nw.col("reporter_id") == nw.col("prime_id"))
            )
            .then(1)
            .otherwise(0)
        )
        .group_by("place", "table", *AGREEMENT, "prime_id")
        .agg(nw.len().alias("row_count"), nw.col("by_prime").max())
    )
    return tuple(
        _found(row)
        for row in sorted(records(found), key=lambda r: (r["place"], *(r[n] for n in AGREEMENT)))
    )


def _found(row: dict[str, Any]) -> WithoutAgreement:
    return WithoutAgreement(
        table=row["table"],
        contract_id=row["contract_id"],
        subcontractor_id=row["subcontractor_id"] or None,
        row_count=int(row["row_count"]),
        contract_known=bool(row["prime_id"]),
        in_intake=bool(row["by_prime"]),
    )
