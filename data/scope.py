"""Who may see and do what: the one place that says it, for every page, command, export and program.

An organisation acts in each contract in the role that the registers in force give it there:
commissioner, prime or subcontractor. It may be a prime in one contract and a subcontractor in
another, and sees each with that role's eyes only. The network runs the ledger and sees all of it
but others' files as received. The operator is whoever runs commands on the store's own machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from data.parse import literal, quoted
from data.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


Role = Literal["operator", "network", "member", "public"]
Part = Literal["commissioner", "prime", "subcontractor"]
Rows = Literal["its contracts", "its agreements", "its contracts, others' prices if shown", "none"]

NOT_SHOWN = "This is not yours to see, or it does not exist."


@dataclass(frozen=True)
class PartRules:
    """What an organisation sees of a contract in which it has this part.

    `rows` says which rows of each table; `other_prices` whether the amounts of its subcontractors
    are shown without the network's leave.
    """

    part: Part
    title: str
    rows: Mapping[str, Rows]
    other_prices: bool
    told: str


PARTS: tuple[PartRules, ...] = (
    PartRules(
        "commissioner",
        "Commissioner",
        {
            "contracts": "its contracts",
            "agreements": "its contracts",
            "prices": "its contracts, others' prices if shown",
            "forecasts": "its contracts",
            "referrals": "its contracts",
            "payments": "its contracts",
        },
        False,
        "Everything about its contracts and their agreements, flags and returns. What a prime "
        "pays its subcontractors row by row, and by client group, only in contracts for which the "
        "network switched that on.",
    ),
    PartRules(
        "prime",
        "Prime",
        {
            "contracts": "its contracts",
            "agreements": "its contracts",
            "prices": "its contracts",
            "forecasts": "its contracts",
            "referrals": "its contracts",
            "payments": "its contracts",
        },
        True,
        "Everything about its contracts, with the rows that its subcontractors report about them. "
        "Nothing of other primes' contracts, not even of the same subcontractor.",
    ),
    PartRules(
        "subcontractor",
        "Subcontractor",
        {
            "contracts": "its contracts",
            "agreements": "its agreements",
            "prices": "its agreements",
            "forecasts": "its agreements",
            "referrals": "its agreements",
            "payments": "its agreements",
        },
        True,
        "Its own agreements: both sides of its own events, its own prices, and its flags with the "
        "totals of the contract that they rest on, such as the prime's intake. Nothing of another "
        "subcontractor.",
    ),
)
EVERYBODY: Mapping[str, str] = {
    "Network": "Everything in the ledger, except files of others as received, unless it acts as "
    "their agent. It alone invites, publishes, and switches prices on for commissioners.",
    **{rules.title: rules.told for rules in PARTS},
    "Public": "Only what was published: raised flags after the right of reply, with the replies.",
}
_RULES: Mapping[str, PartRules] = {rules.part: rules for rules in PARTS}


@dataclass(frozen=True)
class Scope:
    """Who asks, with all that widens or narrows what is theirs to see; a key for caches too.

    `prices_shown` are contracts whose commissioner may see the subcontractors' prices; `agent_for`
    the organisations for which the network acts. Flags about the subcontractors in `ask_first`
    are shown to nobody but them and the network, unless `released` has (flag, contract,
    subcontractor).
    """

    role: Role
    organisation_id: str | None = None
    prices_shown: frozenset[str] = frozenset()
    agent_for: frozenset[str] = frozenset()
    ask_first: frozenset[str] = frozenset()
    released: frozenset[tuple[str, str, str | None]] = frozenset()

    @property
    def sees_everything(self) -> bool:
        """Whether all rows and answers are theirs to see."""
        return self.role in ("operator", "network")

    def may_report_for(self, organisation_id: str) -> bool:
        """Whether a return of that organisation may be submitted: one's own, or any for others."""
        return self.sees_everything or (
            self.role == "member" and organisation_id == self.organisation_id
        )

    def may_see_original(self, reporter_id: str) -> bool:
        """Whether a return may be seen as it was received."""
        return (
            self.role == "operator"
            or (self.role != "public" and reporter_id == self.organisation_id)
            or (self.role == "network" and reporter_id in self.agent_for)
        )


OPERATOR = Scope("operator")
PUBLIC = Scope("public")


@dataclass(frozen=True)
class Parties:
    """Who has which part in which contract, as the registers in force say.

    `contracts` are (contract, commissioner, prime); `agreements` (contract, subcontractor).
    """

    contracts: tuple[tuple[str, str, str], ...] = ()
    agreements: tuple[tuple[str, str], ...] = ()
    keepers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reach:
    """How far a scope reaches in one ledger.

    Contracts by the part one has in them, and the organisations one has to do with there.
    """

    scope: Scope
    as_commissioner: frozenset[str] = frozenset()
    as_prime: frozenset[str] = frozenset()
    as_subcontractor: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()
    reporters: frozenset[str] = frozenset()

    @property
    def whole(self) -> frozenset[str]:
        """The contracts that are seen as a whole, with every agreement."""
        return self.as_commissioner | self.as_prime

    @property
    def contracts(self) -> frozenset[str]:
        """The contracts of which anything is seen."""
        return self.whole | self.as_subcontractor

    def sees(self, contract_id: str, subcontractor_id: str | None) -> bool:
        """Whether answers about an agreement, or a whole contract (None), are shown."""
        if self.scope.sees_everything or contract_id in self.whole:
            return True
        return (
            subcontractor_id is not None
            and subcontractor_id == self.scope.organisation_id
            and contract_id in self.as_subcontractor
        )

    def sees_row(
        self, table_id: str, contract_id: str, reporter_id: str, subcontractor_id: str | None
    ) -> bool:
        """Whether one row of a table is shown; the same rule as `rows_sql`, for a row in hand."""
        me = self.scope.organisation_id
        if self.scope.sees_everything or (me is not None and reporter_id == me):
            return True
        for part, contract_ids in self._parts():
            if contract_id not in contract_ids:
                continue
            rows = _RULES[part].rows[table_id]
            if rows == "its contracts" or (
                rows == "its contracts, others' prices if shown"
                and (subcontractor_id is None or contract_id in self.scope.prices_shown)
            ):
                return True
            if rows == "its agreements" and subcontractor_id == me:
                return True
        return False

    def sees_prices(self, contract_id: str) -> bool:
        """Whether what subcontractors are paid is shown row by row and by client group."""
        return (
            self.scope.sees_everything
            or contract_id in self.as_prime | self.as_subcontractor
            or contract_id in self.scope.prices_shown
        )

    def shows_flag(self, flag: str, contract_id: str, subcontractor_id: str | None) -> bool:
        """Whether a flag that rests on a subcontractor's own returns is shown: it may ask first."""
        return (
            self.scope.sees_everything
            or subcontractor_id == self.scope.organisation_id
            or subcontractor_id not in self.scope.ask_first
            or (flag, contract_id, subcontractor_id) in self.scope.released
        )

    def _parts(self) -> tuple[tuple[Part, frozenset[str]], ...]:
        return (
            ("commissioner", self.as_commissioner),
            ("prime", self.as_prime),
            ("subcontractor", self.as_subcontractor),
        )

    def rows_sql(self, table_id: str, relation: str) -> str:
        """The rows of a table in force that are theirs to see, with the columns that are.

        `relation` has the columns of the ledger's frames. What a commissioner may not see of
        payments is empty.
        """
        if self.scope.sees_everything:
            return f"SELECT * FROM {relation}"
        me = "NULL" if self.scope.organisation_id is None else literal(self.scope.organisation_id)
        own = f"coalesce(reporter_id = {me}, false)"
        if table_id == "organisations":
            known = _among("organisation_id", self.organisations)
            return f"SELECT * FROM {relation} WHERE {known} OR {own}"
        if table_id == "coverage":
            return f"SELECT * FROM {relation} WHERE {_among('reporter_id', self.reporters)}"
        shown = [own]
        for part, contract_ids in self._parts():
            inside = _among("contract_id", contract_ids)
            rows = _RULES[part].rows[table_id]
            if rows == "its agreements":
                inside += f" AND coalesce(subcontractor_id = {me}, false)"
            elif rows == "its contracts, others' prices if shown":
                leave = _among("contract_id", self.scope.prices_shown)
                inside += f" AND (subcontractor_id IS NULL OR {leave})"
            shown.append(f"({inside})")
        columns = "*"
        if table_id == "payments":
            seen = self.as_prime | self.as_subcontractor | self.scope.prices_shown
            amount = quoted(TABLES["payments"].column("subcontractor_amount").stored)
            prices = f"{own} OR {_among('contract_id', seen)}"
            columns = f"* REPLACE (CASE WHEN {prices} THEN {amount} END AS {amount})"
        return f"SELECT {columns} FROM {relation} WHERE {' OR '.join(shown)}"


def _among(column: str, ids: Iterable[str]) -> str:
    listed = ", ".join(literal(one) for one in sorted(ids))
    return f"{column} IN ({listed})" if listed else "false"


def reach_of(scope: Scope, parties: Parties) -> Reach:
    """How far a scope reaches, given who has which part in which contract."""
    me = scope.organisation_id
    if scope.sees_everything or scope.role == "public" or me is None:
        return Reach(scope)
    as_commissioner = frozenset(c for c, by, _ in parties.contracts if by == me)
    as_prime = frozenset(c for c, _, by in parties.contracts if by == me)
    as_subcontractor = frozenset(c for c, by in parties.agreements if by == me)
    mine = as_commissioner | as_prime | as_subcontractor
    holders = {one for c, *two in parties.contracts if c in mine for one in two}
    primes = {prime for c, _, prime in parties.contracts if c in mine}
    subcontractors = {by for c, by in parties.agreements if c in as_commissioner | as_prime}
    return Reach(
        scope,
        as_commissioner,
        as_prime,
        as_subcontractor,
        organisations=frozenset({me, *holders, *subcontractors, *parties.keepers}),
        reporters=frozenset({me, *primes, *subcontractors}),
    )
