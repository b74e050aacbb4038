"""The same events as the prime and as the subcontractor report them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import narwhals as nw

from metrics.definition import Metric
from metrics.event_pairs import Cell, EventRow, Settled, Side, Tolerance, pair_rows, settle
from metrics.frames import records
from metrics.window import (
    AGREEMENT,
    WHOLE_CONTRACT,
    covered_months,
    day_number,
    day_of,
    in_window,
    month_number,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metrics.event_pairs import Pairing
    from metrics.frames import Frames

METRIC = Metric(
    id="reconciliation",
    title="Reconciliation of the two sides",
    question="Do the prime and the subcontractor report the same events?",
    why_it_matters="A payment that only one side knows of is a payment nobody makes, and every "
    "other number rests on one side's word.",
    numerator="Events that differ: reported by one side only, with another date or amount, or "
    "twice by the same side.",
    denominator="All events of the months that both sides' returns cover; two rows taken for the "
    "same event count once.",
    unit="share of the events of both sides",
    grain="agreement and log (referrals, payments)",
    direction="higher means that the two sides agree less; it does not say which is right",
    exclusions=(
        "Months that only one side's returns cover.",
        "Rows of anybody but the two sides.",
        "Clients kept in house: there is no other side.",
        "Referral rows that stand for no referral.",
    ),
    assumptions=(
        "Both sides use the same mark for a client, if they have at least one mark in common; "
        "without one, events are counted by month.",
        "A row that names a client is one event.",
        "Rows that name no client are paired so that agreement is found first; how many differ "
        "is then the least that it can be shown to be.",
        "A row repeated by both sides is an event that happened twice.",
        "A row near the end of a month may be the same event as a row in the month after, though "
        "only one side's returns cover that month.",
    ),
    source="Data standard, version 1: two sides",
    version=1,
)

Log = Literal["referrals", "payments"]
Basis = Literal["clients", "counts by month"]
Key = tuple[str, str]

LOGS: tuple[Log, ...] = ("referrals", "payments")
SIDES: tuple[Side, ...] = ("prime", "subcontractor")


@dataclass(frozen=True)
class _Columns:
    """What a log calls its row id, its day, what is counted, and what kind of event it is."""

    row_id: str
    day: str
    amount: str
    of: str  # what keeps events of a month apart that name no client
    event: nw.Expr  # what two rows of one client must share
    weight: nw.Expr  # how many events a row without a client stands for
    told_apart: nw.Expr  # the amount by which they are paired


_COLUMNS: dict[Log, _Columns] = {
    "referrals": _Columns(
        row_id="referral_id",
        day="referred_on",
        amount="referral_count",
        of="client_group",
        event=nw.lit("referral"),
        weight=nw.col("amount"),
        told_apart=nw.lit(0),
    ),
    "payments": _Columns(
        row_id="payment_id",
        day="earned_on",
        amount="subcontractor_amount_pence",
        of="payment_type",
        event=nw.col("payment_type"),
        weight=nw.lit(1),
        told_apart=nw.col("amount"),
    ),
}


@dataclass(frozen=True)
class MonthCell:
    """A month and kind of event in which counts differ, without saying which rows do."""

    month: int
    of: str
    settled: Settled


@dataclass
class Reconciliation:
    """How the rows of one log come out for one agreement.

    `months` are those that both sides' returns cover. Pence are of payments alone.
    `rows` are (return, line, row id) by side and class, wherever it is known which row differs.
    `differing_whoever` of `events_whoever` events would differ if each event of one side alone
    were an event of the other side under another client's mark, wherever month and kind allow.
    """

    months: list[int] = field(default_factory=list)
    clients_in_common: int = 0
    matched: int = 0
    other_date: int = 0
    other_amount: int = 0
    prime_only: int = 0
    subcontractor_only: int = 0
    prime_duplicates: int = 0
    subcontractor_duplicates: int = 0
    reported_pence: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    differing_pence: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    days_apart: list[int] = field(default_factory=list)
    cells: list[MonthCell] = field(default_factory=list)
    rows: dict[Side, dict[str, list[list[Any]]]] = field(
        default_factory=lambda: {side: {} for side in SIDES}
    )
    differing_whoever: int = 0
    events_whoever: int = 0

    @property
    def basis(self) -> Basis:
        """How the events are matched."""
        return "clients" if self.clients_in_common else "counts by month"

    @property
    def differing(self) -> int:
        """How many events differ."""
        return (
            self.other_date
            + self.other_amount
            + self.prime_only
            + self.subcontractor_only
            + self.prime_duplicates
            + self.subcontractor_duplicates
        )

    @property
    def events(self) -> int:
        """How many events there are, two rows taken for the same one counting once."""
        return self.matched + self.differing

    def reported_by(self, side: Side) -> int:
        """How many events a side reports, its duplicates among them."""
        both = self.matched + self.other_date + self.other_amount
        if side == "prime":
            return both + self.prime_only + self.prime_duplicates
        return both + self.subcontractor_only + self.subcontractor_duplicates

    def name_row(self, side: Side, kind: str, row: EventRow) -> None:
        """Remember that a row of a side is of a class."""
        named = self.rows[side].setdefault(kind, [])
        named.append([row.return_id, row.row_number, row.row_id])


@dataclass(frozen=True)
class Reconciled:
    """Both logs of one agreement: how they come out, and how many months of each a side covers.

    `logs` lacks a log of which no month is covered by both. `shared_client_count` is how many
    clients of the subcontractor another subcontractor of the contract reports too.
    """

    logs: Mapping[Log, Reconciliation] = field(default_factory=dict)
    covered: Mapping[Log, Mapping[Side, int]] = field(
        default_factory=lambda: {log: dict.fromkeys(SIDES, 0) for log in LOGS}
    )
    shared_client_count: int = 0


def reconcile(
    frames: Frames, rows: nw.LazyFrame[Any], tolerances: Mapping[Log, Tolerance]
) -> dict[Key, Reconciled]:
    """The agreements with a month that either side covers; `rows` as `assessed` gives them."""
    sides = rows.filter(
        (nw.col("subcontractor_id") != WHOLE_CONTRACT)
        & (nw.col("subcontractor_id") != nw.col("prime_id"))
    )
    logs: dict[Log, dict[Key, Reconciliation]] = {}
    covered: dict[Log, dict[Key, dict[Side, int]]] = {}
    for log in LOGS:
        months = covered_months(frames, sides, log).filter(in_window())
        logs[log], covered[log] = _months(months)
        _reconcile_log(frames, months, log, tolerances[log], logs[log])
    shared = _shared_clients(frames, sides)
    return {
        key: Reconciled(
            logs={log: logs[log][key] for log in LOGS if key in logs[log]},
            covered={log: covered[log].get(key, dict.fromkeys(SIDES, 0)) for log in LOGS},
            shared_client_count=shared.get(key, 0),
        )
        for key in {**covered["referrals"], **covered["payments"]}
    }


def _months(
    months: nw.LazyFrame[Any],
) -> tuple[dict[Key, Reconciliation], dict[Key, dict[Side, int]]]:
    """Each agreement with its compared months, none of them reconciled yet; months by side."""
    found: dict[Key, Reconciliation] = {}
    covered: dict[Key, dict[Side, int]] = defaultdict(lambda: dict.fromkeys(SIDES, 0))
    wanted = months.select(*AGREEMENT, "month", "prime_covered", "sub_covered")
    for row in sorted(records(wanted), key=lambda row: row["month"]):
        key = _key(row)
        covered[key]["prime"] += row["prime_covered"]
        covered[key]["subcontractor"] += row["sub_covered"]
        if row["prime_covered"] and row["sub_covered"]:
            found.setdefault(key, Reconciliation()).months.append(row["month"])
    return found, covered


def _reconcile_log(
    frames: Frames,
    months: nw.LazyFrame[Any],
    log: Log,
    tolerance: Tolerance,
    found: dict[Key, Reconciliation],
) -> None:
    if not found:
        return
    both = months.filter((nw.col("prime_covered") == 1) & (nw.col("sub_covered") == 1)).select(
        *AGREEMENT, "prime_id", "month"
    )
    rows = _rows(frames, log)
    compared = _of_sides(rows.join(both, on=[*AGREEMENT, "month"], how="inner"))
    reach = tolerance.days // 28 + 1
    named = _named(rows.filter(nw.col("client") != ""), both, reach)
    for row in records(_clients(named)):
        found[_key(row)].clients_in_common = row["clients"]
        found[_key(row)].matched = row["even"]
    repeated = _repeated(compared, log)
    cells = _cells(compared, log, found, repeated)
    by_client: dict[Any, _Sides] = {}
    if any(one.clients_in_common for one in found.values()):
        by_client = _by_client(_uneven(named), repeated)
    for (key, _, _), sides in by_client.items():
        _add_pairing(found[key], pair_rows(*sides, tolerance), log, cells[key])
    for key, of_key in cells.items():
        _add_cells(found[key], of_key, log, tolerance)
    for key in found.keys() - cells.keys():
        _add_cells(found[key], {}, log, tolerance)


def _key(row: Mapping[str, Any]) -> Key:
    return row["contract_id"], row["subcontractor_id"]


def _rows(frames: Frames, log: Log) -> nw.LazyFrame[Any]:
    """The rows of a log under the names that both logs share."""
    columns = _COLUMNS[log]
    rows: nw.LazyFrame[Any] = getattr(frames, log).select(
        *AGREEMENT,
        "reporter_id",
        "return_id",
        "row_number",
        row_id=nw.col(columns.row_id),
        client=nw.col("client_hash").fill_null(""),
        day=day_number(columns.day),
        amount=nw.col(columns.amount).cast(nw.Int64),
        of=nw.col(columns.of),
        event=columns.event,
        month=month_number("month"),
    )
    return rows.filter(nw.col("amount") > 0) if log == "referrals" else rows


def _of_sides(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The rows that one of the two sides reports, and whether it is the prime (1 or 0)."""
    by_prime = nw.col("reporter_id") == nw.col("prime_id")
    return rows.filter(
        by_prime | (nw.col("reporter_id") == nw.col("subcontractor_id"))
    ).with_columns(by_prime=nw.when(by_prime).then(1).otherwise(0))


def _named(rows: nw.LazyFrame[Any], both: nw.LazyFrame[Any], reach: int) -> nw.LazyFrame[Any]:
    """Both sides' rows from just before the first compared month to just after the last.

    `compared` is 1 for those of compared months, 0 for others.
    """
    span = both.group_by(*AGREEMENT, "prime_id").agg(
        first=nw.col("month").min(), last=nw.col("month").max()
    )
    near = rows.join(span, on=list(AGREEMENT), how="inner").filter(
        (nw.col("month") >= nw.col("first") - reach) & (nw.col("month") <= nw.col("last") + reach)
    )
    marked = both.select(*AGREEMENT, "month", is_compared=nw.lit(1))
    return _of_sides(near.join(marked, on=[*AGREEMENT, "month"], how="left")).with_columns(
        compared=nw.col("is_compared").fill_null(0)
    )


_ALIKE = (*AGREEMENT, "event", "client", "day", "amount")


def _alike(named: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """How many rows of each side say the same of a client, day and amount."""
    return (
        named.group_by(*_ALIKE, "compared")
        .agg(prime=nw.col("by_prime").sum(), rows=nw.len())
        .with_columns(is_even=nw.col("prime") * 2 == nw.col("rows"))
    )


def _clients(named: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Agreements in which both sides name a client: how many clients, and rows alike on both."""
    return (
        _alike(named)
        .filter(nw.col("compared") == 1)
        .with_columns(even=nw.when(nw.col("is_even")).then(nw.col("prime")).otherwise(0))
        .group_by(*AGREEMENT, "client")
        .agg(nw.col("prime").sum(), nw.col("rows").sum(), nw.col("even").sum())
        .with_columns(
            clients=nw.when((nw.col("prime") > 0) & (nw.col("prime") < nw.col("rows")))
            .then(1)
            .otherwise(0)
        )
        .group_by(*AGREEMENT)
        .agg(nw.col("clients").sum(), nw.col("even").sum())
        .filter(nw.col("clients") > 0)
        .with_columns(nw.col("clients").cast(nw.Int64), nw.col("even").cast(nw.Int64))
    )


def _uneven(named: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The rows that do not stand alike on both sides, of agreements with a client in common.

    Most rows are the same on both sides and never leave the engine.
    """
    uneven = _alike(named).filter(~nw.col("is_even")).select(*_ALIKE)
    return (
        named.join(_clients(named).select(*AGREEMENT), on=list(AGREEMENT), how="inner")
        .join(uneven, on=list(_ALIKE), how="inner")
        .select(*_ALIKE, "of", "month", "compared", "by_prime", "return_id", "row_number", "row_id")
    )


_Id = tuple[Key, int, str]
_Sides = tuple[list[EventRow], list[EventRow]]


@dataclass(frozen=True)
class _Repeated:
    """Ids of one side that stand in more than one compared month: the first, and the rows."""

    first_month: Mapping[_Id, int]
    rows: list[dict[str, Any]]

    def is_again(self, key: Key, by_prime: int, row_id: str, month: int) -> bool:
        """Whether an id of a side stood in a month before this one."""
        return month > self.first_month.get((key, by_prime, row_id), month)


def _repeated(compared: nw.LazyFrame[Any], log: Log) -> _Repeated:
    ids = [*AGREEMENT, "by_prime", "row_id"]
    several = (
        compared.group_by(*ids)
        .agg(first_month=nw.col("month").min(), last_month=nw.col("month").max())
        .filter(nw.col("first_month") < nw.col("last_month"))
        .select(*ids, "first_month")
    )
    rows = records(
        compared.join(several, on=ids, how="inner").select(
            *ids, "first_month", "month", "of", "client", events=_COLUMNS[log].weight
        )
    )
    first = {(_key(row), row["by_prime"], row["row_id"]): row["first_month"] for row in rows}
    return _Repeated(first, rows)


def _by_client(rows: nw.LazyFrame[Any], repeated: _Repeated) -> dict[tuple[Key, str, str], _Sides]:
    found: dict[tuple[Key, str, str], _Sides] = defaultdict(lambda: ([], []))
    days: dict[int, int] = {}
    columns = (column.to_pylist() for column in rows.collect().to_arrow().columns)
    for contract_id, subcontractor_id, event, client, number, amount, *cells in zip(
        *columns, strict=True
    ):
        of, month, compared, by_prime, return_id, row_number, row_id = cells
        day = days.get(number)
        if day is None:
            day = days[number] = day_of(number).toordinal()
        key = contract_id, subcontractor_id
        again = compared == 1 and repeated.is_again(key, by_prime, row_id, month)
        found[key, event, client][not by_prime].append(
            EventRow(day, amount, return_id, row_number, row_id, month, of, compared == 1, again)
        )
    return found


@dataclass
class _OpenCell:
    """A cell while rows are added, and the rows of it that name a client."""

    cell: Cell = field(default_factory=Cell)
    rows: dict[Side, list[EventRow]] = field(default_factory=lambda: {side: [] for side in SIDES})


_OpenCells = dict[tuple[int, str], _OpenCell]


def _cells(
    compared: nw.LazyFrame[Any],
    log: Log,
    found: Mapping[Key, Reconciliation],
    repeated: _Repeated,
) -> dict[Key, _OpenCells]:
    """The events that no client tells apart, by month and kind; the pence of all are summed."""
    columns = _COLUMNS[log]
    cells: dict[Key, _OpenCells] = defaultdict(lambda: defaultdict(_OpenCell))
    counts = (
        compared.select(
            *AGREEMENT,
            "month",
            "of",
            "by_prime",
            is_named=nw.when(nw.col("client") != "").then(1).otherwise(0),
            amount=columns.told_apart,
            events=columns.weight,
        )
        .group_by(*AGREEMENT, "month", "of", "by_prime", "is_named", "amount")
        .agg(nw.col("events").sum())
        .with_columns(nw.col("events").cast(nw.Int64), nw.col("amount").cast(nw.Int64))
    )
    for row in records(counts):
        one = found[_key(row)]
        side: Side = "prime" if row["by_prime"] else "subcontractor"
        one.reported_pence[side] += row["amount"] * row["events"]
        if one.basis == "counts by month" or not row["is_named"]:
            cells[_key(row)][row["month"], row["of"]].cell.add(side, row["amount"], row["events"])
    for row in repeated.rows:
        unnamed = found[_key(row)].basis == "counts by month" or not row["client"]
        if unnamed and row["month"] > row["first_month"]:
            cell = cells[_key(row)][row["month"], row["of"]].cell
            if row["by_prime"]:
                cell.prime_repeated += row["events"]
            else:
                cell.subcontractor_repeated += row["events"]
    return cells


def _add_pairing(found: Reconciliation, pairing: Pairing, log: Log, cells: _OpenCells) -> None:
    for pair in pairing.pairs:
        if not pair.compared:
            continue
        if pair.kind == "matched":
            found.matched += 1
        elif pair.kind == "other_amount":
            found.other_amount += 1
        else:
            found.other_date += 1
            found.days_apart.append(abs(pair.prime.day - pair.subcontractor.day))
        for side, row in zip(SIDES, (pair.prime, pair.subcontractor), strict=True):
            if pair.kind != "matched":
                found.name_row(side, pair.kind, row)
                _add_pence(found, side, row.amount, log)
            elif not row.compared:
                found.name_row(side, "other_month", row)
    found.prime_duplicates += len(pairing.prime_duplicates)
    found.subcontractor_duplicates += len(pairing.subcontractor_duplicates)
    again = pairing.prime_duplicates, pairing.subcontractor_duplicates
    for side, rows in zip(SIDES, again, strict=True):
        for row in rows:
            found.name_row(side, "duplicate", row)
            _add_pence(found, side, row.amount, log)
    for side, rows in zip(SIDES, (pairing.prime_only, pairing.subcontractor_only), strict=True):
        for row in rows:
            open_cell = cells[row.month, row.of]
            open_cell.rows[side].append(row)
            amount = row.amount if log == "payments" else 0
            open_cell.cell.add(side, amount, 1, is_marked=True)


def _add_pence(found: Reconciliation, side: Side, amount: int, log: Log) -> None:
    if log == "payments":
        found.differing_pence[side] += amount


def _add_cells(found: Reconciliation, cells: _OpenCells, log: Log, tolerance: Tolerance) -> None:
    known = found.other_date + found.other_amount
    known += found.prime_duplicates + found.subcontractor_duplicates
    found.differing_whoever = known
    found.events_whoever = found.matched + known
    for (month, of), open_cell in sorted(cells.items()):
        cell = open_cell.cell
        settled = settle(cell, tolerance)
        whoever = settle(cell, tolerance, whoever=True)
        found.differing_whoever += whoever.differing
        found.events_whoever += whoever.matched + whoever.differing
        found.matched += settled.matched
        found.other_amount += settled.other_amount
        found.prime_only += settled.prime_only
        found.subcontractor_only += settled.subcontractor_only
        found.prime_duplicates += settled.prime_duplicates
        found.subcontractor_duplicates += settled.subcontractor_duplicates
        if log == "payments":
            found.differing_pence["prime"] += settled.prime_pence
            found.differing_pence["subcontractor"] += settled.subcontractor_pence
        if not settled.differing:
            continue
        certain = not (cell.prime or cell.subcontractor)
        for side, rows in open_cell.rows.items():
            kind = f"{side}_only" if certain else "of_a_month_that_differs"
            for row in sorted(rows):
                found.name_row(side, kind, row)
        if not certain:
            found.cells.append(MonthCell(month, of, settled))


def _shared_clients(frames: Frames, sides: nw.LazyFrame[Any]) -> dict[Key, int]:
    """How many clients a subcontractor reports that others of the contract report too.

    Of both logs together, in the months of each agreement's window.
    """
    named = [
        getattr(frames, log)
        .filter(
            ~nw.col("client_hash").is_null() & (nw.col("reporter_id") == nw.col("subcontractor_id"))
        )
        .select(*AGREEMENT, "client_hash", month=month_number("month"))
        for log in LOGS
    ]
    clients = (
        nw.concat(named)
        .join(sides.select(*AGREEMENT, "first_month", "last_month"), on=list(AGREEMENT))
        .filter(in_window())
        .select(*AGREEMENT, "client_hash")
        .unique()
    )
    shared = (
        clients.group_by("contract_id", "client_hash")
        .agg(subcontractors=nw.len())
        .filter(nw.col("subcontractors") > 1)
        .select("contract_id", "client_hash")
    )
    counts = (
        clients.join(shared, on=["contract_id", "client_hash"], how="inner")
        .group_by(*AGREEMENT)
        .agg(clients=nw.len())
    )
    return {_key(row): int(row["clients"]) for row in records(counts)}
