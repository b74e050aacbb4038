"""The worked example, made small, in which every id, name, file and amount is a canary.

A canary is a mark that stands for one thing and nothing else. Wherever it is found, it says what
was let out, and `tests.canary.oracle` says whether whoever found it may know.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.demo.chain import pounds, write_chain
from data.demo.plan import COMMISSIONER, NETWORK, prime, subcontractor
from data.parse import parse_months

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from data.database import Database

MARK = re.compile(rb"(?=(QZ[BCDFGHJKLMNPRSTVWX]{6}))", re.IGNORECASE)
PASSWORD = "four unrelated words of a person"
REVIEWED_ON = dt.date(2013, 1, 14)

# S8 and S20 deliver for two primes. Prime 2 takes the place of S45, so it is a prime in NORTH-2
# and a subcontractor of prime 1 in SOUTH-1. S60 and S59 never had a client; S44 reports alone.
_KEPT = {
    "EXAMPLE-NORTH-1": (7, 8, 12),
    "EXAMPLE-SOUTH-1": (43, 44, 45),
    "EXAMPLE-NORTH-2": (20, 23, 59),
    "EXAMPLE-SOUTH-2": (8, 20, 55, 60),
}
_SECOND_COMMISSIONER = "XX-EXAMPLE-COMMISSIONER-2"
_OF_THE_SECOND = ("EXAMPLE-NORTH-2", "EXAMPLE-SOUTH-2")
_IN_HOUSE_ONE_IN = 4
_AMOUNTS = {"commissioner_amount": "commissioner", "subcontractor_amount": "subcontractor"}


@dataclass(frozen=True)
class Canary:
    """One mark and the thing it stands for; what does not apply is empty.

    `kind` is organisation, contract, agreement, row, file, return, client, person, program,
    reply, case, arrangement or secret.
    """

    kind: str
    organisation_id: str = ""
    contract_id: str = ""
    subcontractor_id: str = ""
    reporter_id: str = ""
    what: str = ""
    pairs: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Amount:
    """One amount in pence: what `side` pays for one kind of event, in one agreement.

    Without a subcontractor it is the price that the commissioner pays for the whole contract.
    """

    side: str
    contract_id: str
    subcontractor_id: str
    client_group: str
    payment_type: str


@dataclass
class World:
    """The example as it was written and recorded: the registers, and every canary by its mark."""

    folder: Path
    organisations: dict[str, str] = field(default_factory=dict)
    contracts: dict[str, tuple[str, str]] = field(default_factory=dict)
    agreements: set[tuple[str, str]] = field(default_factory=set)
    canaries: dict[str, Canary] = field(default_factory=dict)
    amounts: dict[int, Amount] = field(default_factory=dict)
    prices_shown: set[str] = field(default_factory=set)
    confidential: set[str] = field(default_factory=set)
    asks_first: set[str] = field(default_factory=set)
    held_cases: set[str] = field(default_factory=set)
    published: set[tuple[str, str]] = field(default_factory=set)
    priced: set[tuple[str, str, str, str]] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=dict)
    returns: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, list[tuple[str, Path, str]]] = field(default_factory=dict)
    by_old_id: dict[str, str] = field(default_factory=dict)
    draw: random.Random = field(default_factory=lambda: random.Random(4))  # noqa: S311

    @property
    def manifest(self) -> Path:
        """The manifest of all returns."""
        return self.folder / "manifest.json"

    @property
    def network(self) -> str:
        """The id of the network."""
        return self.by_old_id[NETWORK]

    def prime(self, number: int) -> str:
        """The id of a prime."""
        return self.by_old_id[prime(number)]

    def subcontractor(self, number: int) -> str:
        """The id of a subcontractor."""
        return self.by_old_id[subcontractor(number)]

    def commissioner(self, number: int) -> str:
        """The id of a commissioner."""
        return self.by_old_id[COMMISSIONER if number == 1 else _SECOND_COMMISSIONER]

    def contract(self, name: str) -> str:
        """The id of a contract by its name in the worked example, such as NORTH-1."""
        return self.by_old_id[f"EXAMPLE-{name}"]

    @property
    def members(self) -> list[str]:
        """Every organisation but the network."""
        return sorted(set(self.organisations) - {self.network})

    def email(self, organisation_id: str) -> str:
        """The address with which a person of an organisation signs in."""
        return f"{_of(self, 'person', organisation_id).lower()}@people.example"

    def mark(self, canary: Canary) -> str:
        """A new mark for a thing."""
        while True:
            mark = "QZ" + "".join(self.draw.choices("BCDFGHJKLMNPRSTVWX", k=6))
            if mark not in self.canaries:
                self.canaries[mark] = canary
                return mark

    def amount(self, pence: int, amount: Amount) -> int:
        """An amount near the one given that stands for this price alone."""
        while True:
            found = round(pence * self.draw.uniform(0.93, 1.07))
            if found not in self.amounts and found % 10:
                self.amounts[found] = amount
                return found


def _of(world: World, kind: str, organisation_id: str) -> str:
    return next(
        mark
        for mark, canary in world.canaries.items()
        if (canary.kind, canary.organisation_id) == (kind, organisation_id)
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


class _Writer:
    """Rewrites the example's rows; what is asked for twice gets the same canary."""

    def __init__(self, world: World):
        self.world = world
        self.known: dict[tuple[str, ...], str] = {}
        self.paid: dict[tuple[Amount, int], int] = {}
        primes = {row["contract_id"]: row["prime_id"] for row in self._contracts}
        self.pairs = {(c, subcontractor(n)) for c, numbers in _KEPT.items() for n in numbers}
        self.in_house = {(c, primes[c]) for c in _KEPT}

    @property
    def _contracts(self) -> list[dict[str, str]]:
        return _rows(self.world.folder / "plain" / "contracts_network.csv")

    def organisation(self, old: str) -> str:
        """The id of an organisation; prime 2 stands in for a subcontractor."""
        old = prime(2) if old == subcontractor(45) else old
        if old not in self.world.by_old_id:
            new = f"XX-EXAMPLE-{self.world.mark(Canary('organisation', what=old))}"
            mark = new.removeprefix("XX-EXAMPLE-")
            self.world.canaries[mark] = Canary("organisation", new, what="id")
            self.world.by_old_id[old] = new
        return self.world.by_old_id[old]

    def contract(self, old: str) -> str:
        """The id of a contract."""
        if old not in self.world.by_old_id:
            mark = self.world.mark(Canary("contract"))
            self.world.by_old_id[old] = new = f"EXAMPLE-{mark}"
            self.world.canaries[mark] = Canary("contract", contract_id=new, what="id")
        return self.world.by_old_id[old]

    def pence(self, amount: Amount, text: str) -> str:
        """An amount in pounds, as the standard writes it; empty stays empty."""
        if not text:
            return ""
        key = (amount, round(float(text) * 100))
        if key not in self.paid:
            self.paid[key] = self.world.amount(key[1], amount)
        return pounds(self.paid[key])

    def kept(self, row: Mapping[str, str]) -> bool:
        """Whether a row of the worked example is part of the small one."""
        contract, about = row.get("contract_id"), row.get("subcontractor_id")
        if contract is not None and contract not in _KEPT:
            return False
        if about and (contract, about) in self.in_house:
            return zlib.crc32(row["client_ref"].encode()) % _IN_HOUSE_ONE_IN == 0
        return not about or (contract, about) in self.pairs

    def rewritten(self, table: str, row: Mapping[str, str], by: str) -> dict[str, str]:
        """A row with canaries in place of all that names anything."""
        new = dict(row)
        contract = new["contract_id"] = self.contract(row["contract_id"])
        pair = self.organisation(row["subcontractor_id"]) if row.get("subcontractor_id") else ""
        if "subcontractor_id" in row:
            new["subcontractor_id"] = pair
        if table == "agreements":
            scheme = self.world.mark(Canary("agreement", "", contract, pair, what="tier scheme"))
            new["tier_scheme"] = f"Scheme {scheme}"
        if table == "prices":
            side = "subcontractor" if pair else "commissioner"
            kind = (row["client_group"], row["payment_type"])
            self.world.priced.add((contract, pair, *kind))
            new["price"] = self.pence(Amount(side, contract, pair, *kind), row["price"])
        key = f"{table.removesuffix('s')}_id"
        if table in ("referrals", "payments"):
            new[key] = "R-" + self.world.mark(Canary("row", "", contract, pair, by, what=row[key]))
            new["client_ref"] = self._client(row["client_ref"])
        for column, side in _AMOUNTS.items():
            if column in row:
                kind = (row["client_group"], row["payment_type"])
                new[column] = self.pence(Amount(side, contract, pair, *kind), row[column])
        return new

    def _client(self, old: str) -> str:
        if (old,) not in self.known:
            self.known[old,] = "C-" + self.world.mark(Canary("client", what=old))
        return self.known[old,]


def write_canaries(folder: Path) -> World:
    """Write the small example with its canaries and its manifest."""
    write_chain(folder / "plain")
    world = World(folder)
    writer = _Writer(world)
    plain = json.loads((folder / "plain" / "manifest.json").read_text())
    _registers(world, writer)
    entries = []
    reporters = {NETWORK, COMMISSIONER, *(one for _, one in writer.pairs | writer.in_house)}
    for entry in plain:
        if entry["by"] not in reporters or entry["by"] == subcontractor(45):
            continue
        table = entry["table"]
        if entry.get("nil"):
            entries.append(entry | {"by": writer.organisation(entry["by"])})
            continue
        if table in ("organisations", "contracts"):
            rows = _register_rows(world, writer, table)
            entries.append(_written(world, entry, writer.organisation(NETWORK), rows))
            continue
        kept = [r for r in _rows(folder / "plain" / entry["file"]) if writer.kept(r)]
        for old_by, mine in _by_reporter(entry["by"], table, kept).items():
            by = writer.organisation(old_by)
            rows = [writer.rewritten(table, row, by) for row in mine]
            if rows:
                entries.append(_written(world, entry, by, rows))
    world.manifest.write_text(json.dumps(entries, indent=1))
    return world


def _by_reporter(
    by: str, table: str, rows: Sequence[dict[str, str]]
) -> dict[str, list[dict[str, str]]]:
    """The commissioner's forecasts in two, for two commissioners; all else stays as it is."""
    if by != COMMISSIONER or table != "forecasts":
        return {by: list(rows)}
    return {
        COMMISSIONER: [row for row in rows if row["contract_id"] not in _OF_THE_SECOND],
        _SECOND_COMMISSIONER: [row for row in rows if row["contract_id"] in _OF_THE_SECOND],
    }


def _registers(world: World, writer: _Writer) -> None:
    """The registers as the oracle reads them."""
    for old in (NETWORK, COMMISSIONER, _SECOND_COMMISSIONER):
        writer.organisation(old)
    for row in _rows(world.folder / "plain" / "contracts_network.csv"):
        if row["contract_id"] in _KEPT:
            second = row["contract_id"] in _OF_THE_SECOND
            by = writer.organisation(_SECOND_COMMISSIONER if second else COMMISSIONER)
            contract = writer.contract(row["contract_id"])
            world.contracts[contract] = (by, writer.organisation(row["prime_id"]))
    for contract, about in sorted(writer.pairs):
        world.agreements.add((writer.contract(contract), writer.organisation(about)))
    for old, new in world.by_old_id.items():
        if new.startswith("XX-EXAMPLE-"):
            mark = world.mark(Canary("organisation", new, what=f"name of {old}"))
            world.organisations[new] = f"Invented {mark.capitalize()} Ltd (example)"
            world.mark(Canary("person", new, what=f"e-mail address at {old}"))


def _register_rows(world: World, writer: _Writer, table: str) -> list[dict[str, str]]:
    plain = _rows(world.folder / "plain" / f"{table}_network.csv")
    if table == "organisations":
        sectors = {row["organisation_id"]: row["sector"] for row in plain}
        olds = {new: old for old, new in world.by_old_id.items()}
        return [
            {
                "organisation_id": new,
                "name": name,
                "sector": sectors.get(olds[new], "public"),
            }
            for new, name in world.organisations.items()
        ]
    rows = []
    for row in plain:
        if row["contract_id"] in _KEPT:
            contract = writer.contract(row["contract_id"])
            by, held_by = world.contracts[contract]
            area = world.mark(Canary("contract", contract_id=contract, what="area"))
            named = {"contract_id": contract, "commissioner_id": by, "prime_id": held_by}
            rows.append(row | named | {"contract_package_area": f"Area {area}"})
    return rows


def _written(
    world: World, entry: Mapping[str, str], by: str, rows: Sequence[dict[str, str]]
) -> dict[str, str]:
    table = entry["table"]
    name = f"{world.mark(Canary('file', by, reporter_id=by, what=table))}.csv"
    path = world.folder / name
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    world.files.setdefault(by, []).append((table, path, entry.get("covers", "")))
    return dict(entry) | {"by": by, "file": name}


def load(world: World, store: Path) -> None:
    """Record every return through the real checks, and note what marks they were given."""
    from dashboard.service import Service
    from data.errors import UserError
    from data.scope import OPERATOR

    operator = Service(store, OPERATOR)
    for delivery, draft, result in operator.load(world.manifest):
        assert not isinstance(result, UserError), (delivery, draft and draft.verdict, result)
    for entry in operator.history():
        by = entry.reporter_id
        world.returns.setdefault(by, []).append(entry.return_id)
        pairs = {pair for pair in world.agreements if by in (pair[1], *world.contracts[pair[0]])}
        if by == world.network:
            pairs = set(world.agreements)
        pairs |= {(c, "") for c, holders in world.contracts.items() if by in (*holders,)}
        mark = Canary("return", reporter_id=by, what=entry.table, pairs=frozenset(pairs))
        world.canaries[entry.return_id.upper()] = mark
        for digest in (entry.file_sha256, entry.rows_sha256) if not entry.nil else ():
            world.canaries[digest.upper()] = Canary("file", reporter_id=by, what="sha-256")


def furnish(world: World, store: Path) -> None:
    """People, programs, arrangements, cases, replies and decisions, each with their canaries."""
    from contextlib import closing

    from data.database import Database

    with closing(Database(store)) as database:
        for organisation_id in [world.network, *world.members]:
            _people_and_programs(world, database, organisation_id)
        _proceedings(world, store, database)


def _people_and_programs(world: World, database: Database, organisation_id: str) -> None:
    from data import accounts, tokens

    role = "network" if organisation_id == world.network else "member"
    name = world.mark(Canary("person", organisation_id, what="name"))
    email = world.email(organisation_id)
    _, link = accounts.add(
        database,
        email,
        f"Person {name}",
        organisation_id,
        role,
        actor="operator",
        actor_organisation_id=None,
    )
    accounts.join_with_password(database, link, PASSWORD)
    program = world.mark(Canary("program", organisation_id, what="name of a token"))
    _, secret = tokens.make(
        database,
        organisation_id=organisation_id,
        role=role,
        name=f"Program {program}",
        permissions=("read", "submit"),
        actor=email,
        actor_organisation_id=organisation_id,
    )
    world.secrets[organisation_id] = secret


def _proceedings(world: World, store: Path, database: Database) -> None:
    from dashboard.proceedings import reply_days, review
    from dashboard.service import Service
    from data import arrangements, replies
    from data.scope import OPERATOR

    service = Service(store, OPERATOR)
    reach = service.reach()
    asking = world.subcontractor(12)
    by_operator = {"actor": "operator"}

    def arrange(kind: str, subject: str, **about: str) -> None:
        reason = world.mark(Canary("arrangement", what=kind, **about))
        arrangements.make(
            database, OPERATOR, reach, kind, subject, reason=f"Reason {reason}", **by_operator
        )

    arrange("ask_first", asking, organisation_id=asking)
    world.asks_first.add(asking)
    shown = world.contract("SOUTH-2")
    arrange("prices_shown", shown, contract_id=shown)
    world.prices_shown.add(shown)
    review(service, database, REVIEWED_ON)
    found = replies.cases(database, OPERATOR, reach)
    assert any(case.held for case in found), "no case is held, so none is kept from the prime"
    for case in found:
        about = (case.contract_id, case.subcontractor_id or "")
        world.canaries[case.case_id.upper()] = Canary(
            "held case" if case.held else "case", "", *about, what=case.flag
        )
    stands = [case for case in found if not case.held]
    embargoed = world.contract("NORTH-2")
    for case in _one_each(stands):
        for by in case.parties:
            text = world.mark(
                Canary("case", "", case.contract_id, case.subcontractor_id or "", by, "reply")
            )
            replies.reply(
                database,
                service.asked_by(by).scope,
                service.asked_by(by).reach(),
                case.case_id,
                by=by,
                stance="disputed",
                reason="volume",
                text=f"We say {text}.",
                actor=world.email(by),
            )
        why = world.mark(
            Canary("case", "", case.contract_id, case.subcontractor_id or "", what="decision")
        )
        replies.decide(
            database,
            OPERATOR,
            reach,
            case.case_id,
            "published",
            reason=f"Because {why}.",
            today=dt.date.today(),
            **by_operator,
        )
        if case.contract_id != embargoed:
            world.published.add((case.contract_id, case.subcontractor_id or ""))
    arrange("confidential", embargoed, contract_id=embargoed)
    world.confidential.add(embargoed)
    assert reply_days() > 0
    assert world.published


def _one_each(cases: Sequence) -> list:
    """One case of each contract."""
    return list({case.contract_id: case for case in cases}.values())


def months_of(covers: str) -> str:
    """The first month covered, as a span of one month."""
    return f"{parse_months(covers)[0]:%Y-%m}"
