"""What the pages ask of the store, remembered until the ledger has changed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from data import sessions
from data.arrangements import scope_of
from data.errors import SignInRefused, StoreError
from data.scope import OPERATOR, Scope
from metrics.cumulative_referrals import cumulative
from metrics.rules import rules_as_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from dashboard.service import ContractFigures, FlagReport, Service
    from data.accounts import Account
    from data.database import Database
    from data.returns import Return
    from data.scope import Reach
    from metrics.explanation import Explanation
    from metrics.fee_sampling import Sampling
    from metrics.payment_timing import PaymentTiming
    from metrics.release import Released
    from metrics.rules import Rules
    from metrics.spend_by_sector import Spend
    from metrics.terms import MeasureId


@dataclass(frozen=True)
class Person:
    """Who asks: their scope, and on a shared server their account and session.

    `actor` is what the audit calls them.
    """

    scope: Scope
    account: Account | None = None
    session_id: str | None = None

    def signature(self) -> dict[str, Any]:
        """How the audit names them."""
        return {"actor": self.actor, "organisation_id": self.scope.organisation_id}

    @property
    def actor(self) -> str:
        """Their e-mail address, or `operator`."""
        return self.account.email if self.account else "operator"


@dataclass(frozen=True)
class Served:
    """What this process serves.

    With a `cookie` people sign in, and each session is looked up at every run; without one all
    pages are for `person`.
    """

    service: Service
    database: Database | None = None
    person: Person | None = None
    cookie: str | None = None


_served: list[Served] = []


def serve(
    service: Service,
    *,
    database: Database | None = None,
    person: Person | None = None,
    cookie: str | None = None,
) -> Served:
    """Make this the store that the pages of this process show, to whom it belongs."""
    _served[:] = [Served(service, database, person, cookie)]
    return _served[0]


def _now() -> Served:
    if not _served:
        raise StoreError("No store is open. Start the dashboard with `fairtier serve`.")
    return _served[0]


def is_shared() -> bool:
    """Whether people sign in here."""
    return _now().database is not None


def database() -> Database:
    """The database of people and proceedings; StoreError where nobody signs in."""
    found = _now().database
    if found is None:
        raise StoreError(
            "This page is for a shared server. Start one with `fairtier serve --shared`."
        )
    return found


def person() -> Person:
    """Who asks; SignInRefused when their session has ended, here or in another tab."""
    served = _now()
    if served.cookie is None:
        return served.person or Person(served.service.scope)
    found = sessions.found(database(), st.context.cookies.get(served.cookie, ""))
    if found is None:
        raise SignInRefused("You have been signed out. Sign in again to go on.")
    account = found.account
    scope = scope_of(database(), account.role, account.organisation_id)
    return Person(scope, account, found.session_id)


def service() -> Service:
    """The store as whoever asks may see it; StoreError if none is served."""
    return _now().service.within(person().scope)


def reach() -> Reach:
    """How far whoever asks can see."""
    return service().reach()


def store() -> Path:
    """The folder of the store, for a report of a bug."""
    return _now().service.store


@dataclass(frozen=True)
class Question:
    """Who asks which store, as it was after which return, known on which day, up to which month.

    `rules` are the values asked for in place of the register's, by id; `confidential` the
    contracts under embargo. It is the whole key under which an answer is remembered: a new return
    or another asker makes a new question.
    """

    store: str
    version: int
    as_of: dt.date
    through: dt.date | None = None
    rules: tuple[tuple[str, str], ...] = ()
    scope: Scope = OPERATOR
    confidential: frozenset[str] = frozenset()

    def parameters(self) -> list[tuple[str, str]]:
        """The question as parameters of a download's address."""
        found = []
        if self.as_of != dt.date.today():
            found.append(("as_of", self.as_of.isoformat()))
        if self.through is not None:
            found.append(("through", f"{self.through:%Y-%m}"))
        return found + [("rule", f"{rule_id}={value}") for rule_id, value in self.rules]

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
    asked = service()
    chosen = tuple(sorted((rules or {}).items()))
    return Question(
        str(asked.store),
        asked.version(),
        as_of or dt.date.today(),
        through,
        chosen,
        asked.scope,
        asked.confidential(),
    )


def _asked(asked: Question) -> Service:
    """The store for whoever asked: never for whoever happens to run the cached function."""
    return _now().service.within(asked.scope)


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
    tables = _asked(asked).registers(asked.as_of)
    return Registers(
        names={row["organisation_id"]: row["name"] for row in tables["organisations"].to_pylist()},
        contracts={row["contract_id"]: row for row in tables["contracts"].to_pylist()},
        agreements={
            (row["contract_id"], row["subcontractor_id"]): row
            for row in tables["agreements"].to_pylist()
        },
    )


@st.cache_data(show_spinner="Assessing every agreement", max_entries=32)
def report(asked: Question) -> FlagReport:
    """Every flag for every agreement and contract that the asker may see."""
    return _asked(asked).flags(
        as_of=asked.as_of, through=asked.through, overrides=dict(asked.rules)
    )


@st.cache_data(show_spinner="Working out how", max_entries=64)
def explanations(
    asked: Question, contract_id: str, subcontractor_id: str | None
) -> tuple[Explanation, ...]:
    """Every flag's answer about one agreement or contract, in full."""
    return _asked(asked).explanations(report(asked), contract_id, subcontractor_id)


def released(asked: Question) -> tuple[dt.date, Released] | None:
    """The last release and the day it was made, as everybody may see it; None before the first."""
    found = _asked(asked).latest_release()
    return None if found is None else (found[0].made_at.date(), found[1])


@st.cache_data(show_spinner=False, max_entries=32)
def own_terms(asked: Question) -> Mapping[tuple[MeasureId, str, str], float]:
    """The asker's own terms, where it delivers for a prime."""
    return _asked(asked).own_terms(asked.as_of)


@st.cache_data(show_spinner=False, max_entries=64)
def referral_months(
    asked: Question, contract_id: str, subcontractor_id: str | None
) -> pd.DataFrame:
    """Referrals by month of one agreement (or contract), as `agreement_months` has them."""
    return _asked(asked).referral_months(contract_id, subcontractor_id, asked.as_of, asked.through)


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
    return _asked(asked).paid_months(contract_id, subcontractor_id, asked.as_of, asked.through)


@st.cache_data(show_spinner=False, max_entries=64)
def timing(asked: Question, contract_id: str, subcontractor_id: str) -> PaymentTiming:
    """How long payments of one agreement took."""
    return _asked(asked).timing(contract_id, subcontractor_id, asked.as_of, asked.through)


@st.cache_data(show_spinner="Working out the figures", max_entries=32)
def contract_figures(asked: Question, contract_id: str) -> ContractFigures:
    """Spend by sector, concentration and conversion of a contract in the register."""
    return _asked(asked).contract_figures(contract_id, asked.as_of, asked.through)


@st.cache_data(show_spinner=False, max_entries=64)
def fee_over_clients(asked: Question, contract_id: str, subcontractor_id: str) -> Sampling:
    """The management fee of one agreement, had other clients of the same kind come."""
    return _asked(asked).fee_over_clients(
        contract_id, subcontractor_id, asked.in_force, asked.as_of, asked.through
    )


@st.cache_data(show_spinner=False, max_entries=8)
def programme_spend(asked: Question, programme: str) -> Spend:
    """Spend by sector of all contracts of a programme that the asker sees as a whole."""
    return _asked(asked).programme_spend(programme, asked.as_of, asked.through)


@st.cache_data(show_spinner=False, max_entries=16)
def evidence_rows(
    asked: Question, table_id: str, contract_id: str, subcontractor_id: str | None
) -> pd.DataFrame:
    """The rows of referrals or payments in force behind one agreement (or contract)."""
    return _asked(asked).rows(table_id, contract_id, subcontractor_id, asked.as_of)


@st.cache_data(show_spinner=False, max_entries=8)
def history(asked: Question) -> tuple[Return, ...]:
    """The returns that are the asker's to see, in order."""
    return _asked(asked).history()


def months(asked: Question) -> tuple[dt.date | None, tuple[dt.date, ...]]:
    """The day the first return was received, and the months covered by any."""
    return _asked(asked).months()
