"""A small supply chain as lists of plain rows, and as the frames the metrics take."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from data.parse import STORED_TYPES
from data.tables import TABLES
from metrics.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]

_ARROW = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}
_OF_RETURN = {"reporter_id": pa.string(), "return_id": pa.string(), "row_number": pa.int64()}
_EXTRA: dict[str, dict[str, pa.DataType]] = {
    "forecasts": {"issuer_rank": pa.int64(), "received_on": pa.date32()},
    "referrals": {"month": pa.date32()},
    "payments": {"month": pa.date32()},
}


def schema(table: str) -> pa.Schema:
    """The columns of a frame with their Arrow types."""
    if table == "coverage":
        return pa.schema(
            {
                "table": pa.string(),
                "reporter_id": pa.string(),
                "month": pa.date32(),
                "received_on": pa.date32(),
            }
        )
    declared = {
        column.stored: _ARROW[STORED_TYPES[column.kind]] for column in TABLES[table].columns
    }
    return pa.schema(declared | _OF_RETURN | _EXTRA.get(table, {}))


def month(text: str) -> dt.date:
    return dt.date.fromisoformat(f"{text}-01")


def months(first: str, count: int) -> list[dt.date]:
    start = month(first).year * 12 + month(first).month - 1
    return [dt.date(n // 12, n % 12 + 1, 1) for n in range(start, start + count)]


@dataclass
class Chain:
    """Rows by table. One contract C1 of prime P, bought by G, unless more are added."""

    organisations: list[Row] = field(default_factory=list)
    contracts: list[Row] = field(default_factory=list)
    agreements: list[Row] = field(default_factory=list)
    prices: list[Row] = field(default_factory=list)
    forecasts: list[Row] = field(default_factory=list)
    referrals: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    coverage: list[Row] = field(default_factory=list)

    def organisation(self, organisation_id: str, name: str) -> Chain:
        self.organisations.append(
            {"organisation_id": organisation_id, "name": name, "sector": "voluntary"}
        )
        return self

    def contract(
        self,
        contract_id: str = "C1",
        prime: str = "P",
        starts_on: str = "2011-06-01",
        ends_on: str | None = None,
        commissioner: str = "G",
    ) -> Chain:
        self.contracts.append(
            {
                "contract_id": contract_id,
                "programme": "Work Programme",
                "commissioner_id": commissioner,
                "prime_id": prime,
                "starts_on": dt.date.fromisoformat(starts_on),
                "ends_on": dt.date.fromisoformat(ends_on) if ends_on else None,
                "reporter_id": "N",
                "return_id": "r",
                "row_number": len(self.contracts) + 2,
            }
        )
        return self

    def agreement(
        self,
        subcontractor: str = "S",
        contract_id: str = "C1",
        named_in_bid: bool = False,
        promised_share: float | None = None,
        live_on: str | None = None,
        ends_on: str | None = None,
        **terms: Any,
    ) -> Chain:
        """An agreement; `terms` are any other columns of the register as they are stored."""
        self.agreements.append(
            {
                "contract_id": contract_id,
                "subcontractor_id": subcontractor,
                "delivery_role": "specialist",
                "named_in_bid": named_in_bid,
                "live_on": dt.date.fromisoformat(live_on) if live_on else None,
                "ends_on": dt.date.fromisoformat(ends_on) if ends_on else None,
                "promised_share": promised_share,
                "consented_on": None,
                "at_risk_share": None,
                "prime_at_risk_share": None,
                "payment_terms_days": None,
                "reporter_id": "N",
                "return_id": "r",
                "row_number": len(self.agreements) + 2,
                **terms,
            }
        )
        return self

    def price(
        self,
        group: str,
        subcontractor: str | None = "S",
        contract_id: str = "C1",
        **cells: Any,
    ) -> Chain:
        """A row of prices; `cells` are other columns as they are stored, such as price_pence."""
        self.prices.append(
            {
                "contract_id": contract_id,
                "subcontractor_id": subcontractor,
                "client_group": group,
                "payment_type": "job_outcome",
                "price_pence": 120_000,
                "reporter_id": "P",
                "return_id": "r-P",
                "row_number": len(self.prices) + 2,
                **cells,
            }
        )
        return self

    def forecast(
        self,
        count: int,
        month: dt.date,
        subcontractor: str | None = "S",
        group: str | None = None,
        issued_on: str = "2011-05-01",
        by: str = "P",
        rank: int = 2,
        contract_id: str = "C1",
        received_on: str | None = None,
    ) -> Chain:
        """One row of a version; received on the day it was issued unless another is given."""
        self.forecasts.append(
            {
                "contract_id": contract_id,
                "subcontractor_id": subcontractor,
                "client_group": group,
                "month": month,
                "referral_count": count,
                "issued_on": dt.date.fromisoformat(issued_on),
                "reporter_id": by,
                "issuer_rank": rank,
                "received_on": dt.date.fromisoformat(received_on or issued_on),
                "return_id": f"r-{by}",
                "row_number": len(self.forecasts) + 2,
            }
        )
        return self

    def covers(
        self,
        reporter: str,
        months: list[dt.date],
        table: Literal["referrals", "payments"],
        received_on: str = "2012-04-10",
    ) -> Chain:
        self.coverage.extend(
            {
                "table": table,
                "reporter_id": reporter,
                "month": month,
                "received_on": dt.date.fromisoformat(received_on),
            }
            for month in months
        )
        return self

    def referral(
        self,
        by: str,
        month: dt.date,
        subcontractor: str = "S",
        count: int = 1,
        group: str = "JSA 25+",
        contract_id: str = "C1",
        **cells: Any,
    ) -> Chain:
        """A row of referrals; `cells` are other columns as they are stored, such as client_hash."""
        self.referrals.append(
            {
                "referral_id": f"R{len(self.referrals)}",
                "contract_id": contract_id,
                "subcontractor_id": subcontractor,
                "client_group": group,
                "referred_on": month.replace(day=5),
                "referral_count": count,
                "month": month,
                "reporter_id": by,
                "return_id": f"r-{by}",
                "row_number": len(self.referrals) + 2,
                "client_hash": None,
                "started_on": None,
                **cells,
            }
        )
        return self

    def payment(
        self,
        by: str,
        month: dt.date,
        received: int | None,
        payable: int,
        paid: bool = True,
        subcontractor: str = "S",
        group: str | None = "JSA 25+",
        contract_id: str = "C1",
        **cells: Any,
    ) -> Chain:
        """A row of payments; `cells` are other columns as they are stored, such as invoiced_on."""
        self.payments.append(
            {
                "payment_id": f"P{len(self.payments)}",
                "contract_id": contract_id,
                "subcontractor_id": subcontractor,
                "payment_type": "job_outcome",
                "client_group": group,
                "earned_on": month.replace(day=20),
                "commissioner_amount_pence": received,
                "subcontractor_amount_pence": payable,
                "paid_on": month.replace(day=28) if paid else None,
                "month": month,
                "reporter_id": by,
                "return_id": f"r-{by}",
                "row_number": len(self.payments) + 2,
                "client_hash": None,
                "received_on": None,
                "invoiced_on": None,
                **cells,
            }
        )
        return self

    def rows(self) -> Mapping[str, list[Row]]:
        """Every table's rows, by table."""
        return {table.name: getattr(self, table.name) for table in fields(self)}

    def frames(self, engine: Literal["pandas", "duckdb"] = "pandas") -> Frames:
        """The frames of this chain over an engine."""
        connection = duckdb.connect() if engine == "duckdb" else None
        made: dict[str, nw.LazyFrame[Any]] = {}
        for table, rows in self.rows().items():
            columns = schema(table)
            arrow = pa.Table.from_pylist(
                [{name: row.get(name) for name in columns.names} for row in rows], columns
            )
            if connection is None:
                made[table] = nw.from_native(arrow.to_pandas(types_mapper=pd.ArrowDtype)).lazy()
            else:
                made[table] = nw.from_native(connection.from_arrow(arrow))
        return Frames(**made)
