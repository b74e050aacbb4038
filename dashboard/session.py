"""What the pages ask of the store, remembered until the ledger has changed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import streamlit as st

from data.errors import StoreError
from data.tables import TABLES
from metrics.assessment import agreement_months, payment_months
from metrics.concentration import concentration
from metrics.conversion import conversion
from metrics.cumulative_referrals import cumulative
from metrics.facts import gather
from metrics.fee_sampling import sampling_interval
from metrics.payment_timing import payment_timing
from metrics.rules import rules_as_of
from metrics.spend_by_sector import spend_by_contract, spend_by_programme

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from dashboard.service import FlagReport, Service
    from data.returns import Return
    from metrics.concentration import Concentration
    from metrics.conversion import Conversion
    from metrics.explanation import Explanation
    from metrics.fee_sampling import Sampling
    from metrics.payment_timing import PaymentTiming
    from metrics.rules import Rules
    from metrics.spend_by_sector import Spend

_served: list[Service] = []


def serve(service: Service) -> None:
    """Make this the store that the pages of this process show."""
    _served[:] = [service]


def service() -> Service:
    """The store that the pages show; StoreError if none is served."""
    if not _served:
        raise StoreError("No store is open. Start the dashboard with `fairtier serve`.")
    return _served[0]


@dataclass(frozen=True)
class Question:
    """Which store, as it was after which return, known on which day, up to which month.

    `rules` are the values asked for in place of the register's, by id. It is the whole key under
    which an answer is remembered: a new return makes a new question.
    """

    store: str
    version: int
    as_of: dt.date
    through: dt.date | None = None
    rules: tuple[tuple[str, str], ...] = ()

    @property
    def in_force(self) -> Rules:
        """The rules that it is answered with."""
        return rules_as_of(self.as_of).override(dict(self.rules))


def question(
    as_of: dt.date | None = None,
    through: dt.date | None = None,
    rules: Mapping[str, str] | None = None,
) -> Question:
    """The question as of today, with the rules of the register, unless others are given."""
    version = service().version()
    chosen = tuple(sorted((rules or {}).items()))
    return Question(str(service().store), version, as_of or dt.date.today(), through, chosen)


@dataclass(frozen=True)
class Registers:
    """Who is who and who agreed what; rows as the ledger stores them."""

    names: dict[str, str]
    contracts: dict[str, dict[str, Any]]
    agreements: dict[tuple[str, str], dict[str, Any]]

    def name(self, organisation_id: str | None) -> str:
        """The organisation's name, its id where no name is known."""
        return self.names.get(organisation_id or "", organisation_id or "")


@st.cache_data(show_spinner=False, max_entries=8)
def registers(asked: Question) -> Registers:
    """The registers in force, looked up by id."""
    tables = service().registers(asked.as_of)
    return Registers(
        names={row["organisation_id"]: row["name"] for row in tables["organisations"].to_pylist()},
        contracts={row["contract_id"]: row for row in tables["contracts"].to_pylist()},
        agreements={
            (row["contract_id"], row["subcontractor_id"]): row
            for row in tables["agreements"].to_pylist()
        },
    )


@st.cache_data(show_spinner="Assessing every agreement", max_entries=8)
def report(asked: Question) -> FlagReport:
    """Every flag for every agreement and contract."""
    return service().flags(as_of=asked.as_of, through=asked.through, overrides=dict(asked.rules))


@st.cache_data(show_spinner="Working out how", max_entries=32)
def explanations(
    asked: Question, contract_id: str, subcontractor_id: str | None
) -> tuple[Explanation, ...]:
    """Every flag's answer about one agreement or contract, in full."""
    return service().explanations(report(asked), contract_id, subcontractor_id)


@st.cache_data(show_spinner=False, max_entries=64)
def referral_months(
    asked: Question, contract_id: str, subcontractor_id: str | None
) -> pd.DataFrame:
    """Referrals by month of one agreement (or contract), as `agreement_months` has them."""
    months = agreement_months(
        service().frames(asked.as_of), asked.as_of, asked.through, contract_id
    )
    return _of(months, subcontractor_id)


@st.cache_data(show_spinner=False, max_entries=64)
def cumulative_referrals(
    asked: Question, contract_id: str, subcontractor_id: str | None
) -> pd.DataFrame:
    """Referrals so far against the forecast so far, as `cumulative` has them."""
    months = referral_months(asked, contract_id, subcontractor_id)
    clumping = next(
        (
            (found.evidence.get("overdispersion") or {}).get("value", 1.0)
            for found in report(asked).assessments
            if found.flag == "volume_divergence"
            and (found.contract_id, found.subcontractor_id) == (contract_id, subcontractor_id)
        ),
        1.0,
    )
    return cumulative(months, asked.in_force, clumping)


@st.cache_data(show_spinner=False, max_entries=64)
def paid_months(asked: Question, contract_id: str, subcontractor_id: str) -> pd.DataFrame:
    """Matched payments by month of one agreement, as `payment_months` has them."""
    months = payment_months(service().frames(asked.as_of), asked.as_of, asked.through, contract_id)
    return _of(months, subcontractor_id)


def _of(months: pd.DataFrame, subcontractor_id: str | None) -> pd.DataFrame:
    ids = months["subcontractor_id"]
    chosen = ids.isna() if subcontractor_id is None else (ids == subcontractor_id).fillna(False)
    return months[chosen.astype(bool)].reset_index(drop=True)


@st.cache_data(show_spinner=False, max_entries=64)
def timing(asked: Question, contract_id: str, subcontractor_id: str) -> PaymentTiming:
    """How long payments of one agreement took."""
    return payment_timing(
        service().frames(asked.as_of), contract_id, subcontractor_id, asked.as_of, asked.through
    )


@dataclass(frozen=True)
class ContractFigures:
    """What describes a contract without a judgement."""

    spend: Spend
    concentration: Concentration
    conversion: Conversion


@st.cache_data(show_spinner="Working out the figures", max_entries=32)
def contract_figures(asked: Question, contract_id: str) -> ContractFigures:
    """Spend by sector, concentration and conversion of a contract in the register."""
    frames = service().frames(asked.as_of).of_contracts([contract_id])
    facts = gather(frames, asked.as_of, asked.through)
    return ContractFigures(
        spend=spend_by_contract(facts)[contract_id],
        concentration=concentration(facts)[contract_id],
        conversion=conversion(facts)[contract_id, None],
    )


@st.cache_data(show_spinner=False, max_entries=64)
def fee_over_clients(asked: Question, contract_id: str, subcontractor_id: str) -> Sampling:
    """The management fee of one agreement, had other clients of the same kind come."""
    frames = service().frames(asked.as_of).of_contracts([contract_id])
    return sampling_interval(
        gather(frames, asked.as_of, asked.through),
        contract_id,
        subcontractor_id,
        asked.in_force["fee_clients"].number,
        asked.in_force["interval"].number,
    )


@st.cache_data(show_spinner=False, max_entries=8)
def programme_spend(asked: Question, programme: str) -> Spend:
    """Spend by sector of all contracts of a programme."""
    contract_ids = [
        contract_id
        for contract_id, contract in registers(asked).contracts.items()
        if contract["programme"] == programme
    ]
    frames = service().frames(asked.as_of).of_contracts(contract_ids)
    return spend_by_programme(gather(frames, asked.as_of, asked.through))[programme]


_UNSHOWN = ("client_hash", "contract_id", "subcontractor_id", "month")


@st.cache_data(show_spinner=False, max_entries=16)
def evidence_rows(
    asked: Question, table_id: str, contract_id: str, subcontractor_id: str | None
) -> pd.DataFrame:
    """The rows of referrals or payments in force behind one agreement (or contract).

    With the return and row each stands in and whose return it is; marks of clients are left out.
    """
    frames = service().ledger().frames(asked.as_of)
    prime_id = registers(asked).contracts.get(contract_id, {}).get("prime_id")
    wanted = nw.col("contract_id") == contract_id
    if subcontractor_id is not None:
        wanted = wanted & (nw.col("subcontractor_id") == subcontractor_id)
    else:
        wanted = wanted & (nw.col("reporter_id") == prime_id)
    rows: pd.DataFrame = frames[table_id].filter(wanted).collect("pandas").to_native()
    when = TABLES[table_id].month_of
    rows = rows.sort_values([str(when), "reporter_id", "row_number"], kind="stable")
    rows.insert(0, "side", rows["reporter_id"].map(lambda by: _side(by, prime_id)))
    unshown = [name for name in _UNSHOWN if name in rows and name != "subcontractor_id"]
    if subcontractor_id is not None:
        unshown.append("subcontractor_id")
    return rows.drop(columns=unshown).reset_index(drop=True)


def _side(reporter_id: str, prime_id: str | None) -> str:
    return "prime" if reporter_id == prime_id else "subcontractor"


@st.cache_data(show_spinner=False, max_entries=8)
def history(asked: Question) -> tuple[Return, ...]:  # noqa: ARG001 - the key of the cache
    """Every return ever accepted, in order."""
    return service().history()
