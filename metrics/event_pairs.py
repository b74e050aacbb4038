"""Which row of the prime and which row of the subcontractor are the same event."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Side = Literal["prime", "subcontractor"]
Kind = Literal["matched", "other_amount", "other_date"]


class EventRow(NamedTuple):
    """A row of a log that names a client, as one side reports it; rows sort by day and amount.

    `day` counts days from a fixed day. `amount` is pence, or the number of referrals. `of` is the
    payment type, or the client group of a referral. A row is `compared` if both sides' returns
    cover its month, and `repeated` if its own id stood in an earlier compared month already.
    """

    day: int
    amount: int
    return_id: str
    row_number: int
    row_id: str
    month: int
    of: str
    compared: bool
    repeated: bool


@dataclass(frozen=True)
class Tolerance:
    """How far two rows of the same event may lie apart: days, and a rate and a sum of pence."""

    days: int
    rate: Fraction = Fraction(0)
    pence: Fraction = Fraction(0)

    def agree(self, one: int, other: int) -> bool:
        """Whether two amounts differ by no more than the rate of the larger, or than the sum."""
        gap = abs(one - other)
        of_larger = max(abs(one), abs(other)) * self.rate.numerator
        return gap * self.rate.denominator <= of_larger or gap <= self.pence


class Pair(NamedTuple):
    """Two rows taken for the same event, and how well they agree."""

    kind: Kind
    prime: EventRow
    subcontractor: EventRow

    @property
    def compared(self) -> bool:
        """Whether at least one of the rows is of a compared month."""
        return self.prime.compared or self.subcontractor.compared


@dataclass(frozen=True)
class Pairing:
    """The rows of one client and event: pairs, and what is left on either side."""

    pairs: list[Pair] = field(default_factory=list)
    prime_duplicates: list[EventRow] = field(default_factory=list)
    subcontractor_duplicates: list[EventRow] = field(default_factory=list)
    prime_only: list[EventRow] = field(default_factory=list)
    subcontractor_only: list[EventRow] = field(default_factory=list)


def pair_rows(
    prime: Sequence[EventRow], subcontractor: Sequence[EventRow], tolerance: Tolerance
) -> Pairing:
    """Both sides' rows of one client and event, paired so that agreement is found first.

    Identical rows first; then rows whose amounts agree, then any, both within the days of the
    tolerance and the nearest first. What is left and repeats a row of the same side is a
    duplicate. The rest is paired in order of date. Rows of months that are not compared serve
    within the days alone, and what is left of them is dropped.
    """
    found = Pairing()
    mine, theirs = sorted(prime), sorted(subcontractor)
    if len(mine) == len(theirs) == 1 and abs(mine[0].day - theirs[0].day) <= tolerance.days:
        alike = tolerance.agree(mine[0].amount, theirs[0].amount)
        found.pairs.append(Pair("matched" if alike else "other_amount", mine[0], theirs[0]))
        return found
    steps: tuple[tuple[Kind, Callable[[int, int], bool], int], ...] = (
        ("matched", _same, 0),
        ("matched", tolerance.agree, tolerance.days),
        ("other_amount", _any, tolerance.days),
    )
    for kind, agree, days in steps:
        if mine and theirs:
            pairs, mine, theirs = _nearest_first(mine, theirs, agree, days)
            found.pairs.extend(Pair(kind, one, other) for one, other in pairs)
    mine = _apart_from_duplicates(prime, mine, found.prime_duplicates)
    theirs = _apart_from_duplicates(subcontractor, theirs, found.subcontractor_duplicates)
    both = min(len(mine), len(theirs))
    found.pairs.extend(Pair("other_date", *rows) for rows in zip(mine, theirs, strict=False))
    found.prime_only.extend(mine[both:])
    found.subcontractor_only.extend(theirs[both:])
    return found


def _same(one: int, other: int) -> bool:
    return one == other


def _any(_one: int, _other: int) -> bool:
    return True


_Paired = tuple[list[tuple[EventRow, EventRow]], list[EventRow], list[EventRow]]


def _nearest_first(
    prime: list[EventRow],
    subcontractor: list[EventRow],
    agree: Callable[[int, int], bool],
    days: int,
) -> _Paired:
    """The pairs no more than so many days apart that agree, and what is left of either side."""
    mine, theirs = _by_day(prime), _by_day(subcontractor)
    their_days = list(theirs)
    near = sorted(
        (abs(day - other), day, other)
        for day in mine
        for other in their_days[
            bisect_left(their_days, day - days) : bisect_right(their_days, day + days)
        ]
    )
    found = []
    for _, day, other in near:
        if mine[day] and theirs[other]:
            pairs, mine[day], theirs[other] = _in_order(mine[day], theirs[other], agree)
            found += pairs
    return found, _in_a_row(mine), _in_a_row(theirs)


def _by_day(rows: list[EventRow]) -> dict[int, list[EventRow]]:
    """Rows in order, by day in order."""
    found: dict[int, list[EventRow]] = defaultdict(list)
    for row in rows:
        found[row.day].append(row)
    return found


def _in_a_row(by_day: dict[int, list[EventRow]]) -> list[EventRow]:
    return [row for rows in by_day.values() for row in rows]


def _in_order(
    prime: list[EventRow], subcontractor: list[EventRow], agree: Callable[[int, int], bool]
) -> _Paired:
    """The pairs that agree, from the smallest amounts up, and what is left of either side.

    Both lists are in order of amount.
    """
    found, mine, theirs, i, j = [], [], [], 0, 0
    while i < len(prime) and j < len(subcontractor):
        one, other = prime[i], subcontractor[j]
        if agree(one.amount, other.amount):
            found.append((one, other))
            i, j = i + 1, j + 1
        elif one.amount < other.amount:
            mine.append(one)
            i += 1
        else:
            theirs.append(other)
            j += 1
    return found, mine + prime[i:], theirs + subcontractor[j:]


def _apart_from_duplicates(
    rows: Sequence[EventRow], left: list[EventRow], duplicates: list[EventRow]
) -> list[EventRow]:
    """What is left of the compared months, less the duplicates, which are set aside."""
    if not left:
        return left
    standing = Counter((row.day, row.amount) for row in rows)
    standing.subtract((row.day, row.amount) for row in left)
    kept = []
    for row in left:
        if not row.compared:
            continue
        if row.repeated or standing[row.day, row.amount]:
            duplicates.append(row)
        else:
            standing[row.day, row.amount] += 1
            kept.append(row)
    return kept


@dataclass
class Cell:
    """The rows of one month and payment type (or client group) that no client tells apart.

    Each count goes by amount: how many events of it there are. `marked` are rows that name a
    client whom the other side does not name; two of them are never the same event. `repeated` are
    how many events stand under an id that stood in an earlier month.
    """

    prime: Counter[int] = field(default_factory=Counter)
    subcontractor: Counter[int] = field(default_factory=Counter)
    prime_marked: Counter[int] = field(default_factory=Counter)
    subcontractor_marked: Counter[int] = field(default_factory=Counter)
    prime_repeated: int = 0
    subcontractor_repeated: int = 0

    def add(self, side: Side, amount: int, events: int, *, is_marked: bool = False) -> None:
        """Count events of an amount that a side reports."""
        if side == "prime":
            counts = self.prime_marked if is_marked else self.prime
        else:
            counts = self.subcontractor_marked if is_marked else self.subcontractor
        counts[amount] += events


class Settled(NamedTuple):
    """How the events of a cell come out; each side's pence are those of what differs."""

    prime: int
    subcontractor: int
    matched: int
    other_amount: int
    prime_only: int
    subcontractor_only: int
    prime_duplicates: int
    subcontractor_duplicates: int
    prime_pence: int
    subcontractor_pence: int

    @property
    def differing(self) -> int:
        """How many events differ."""
        return (
            self.other_amount
            + self.prime_only
            + self.subcontractor_only
            + self.prime_duplicates
            + self.subcontractor_duplicates
        )


def settle(cell: Cell, tolerance: Tolerance, *, whoever: bool = False) -> Settled:
    """The events of a cell, paired off without saying which row is which event.

    Amounts that agree are paired first, then any; the surplus is what one side alone reports.
    With `whoever` two rows that name different clients may be the same event.
    """
    mine, mine_marked = cell.prime.copy(), cell.prime_marked.copy()
    theirs, theirs_marked = cell.subcontractor.copy(), cell.subcontractor_marked.copy()
    prime = mine.total() + mine_marked.total()
    subcontractor = theirs.total() + theirs_marked.total()
    stages = [(mine, theirs_marked), (mine_marked, theirs), (mine, theirs)]
    if whoever:
        mine, theirs = mine + mine_marked, theirs + theirs_marked
        mine_marked, theirs_marked = Counter(), Counter()
        stages = [(mine, theirs)]
    matched = sum(_paired_off(*stage, tolerance.agree).total() for stage in stages)
    left = mine + mine_marked, theirs + theirs_marked
    other_amount = sum(_paired_off(*stage, _any).total() for stage in stages)
    surplus = (mine + mine_marked).total(), (theirs + theirs_marked).total()
    again = min(surplus[0], cell.prime_repeated), min(surplus[1], cell.subcontractor_repeated)
    return Settled(
        prime=prime,
        subcontractor=subcontractor,
        matched=matched,
        other_amount=other_amount,
        prime_only=surplus[0] - again[0],
        subcontractor_only=surplus[1] - again[1],
        prime_duplicates=again[0],
        subcontractor_duplicates=again[1],
        prime_pence=sum(amount * events for amount, events in left[0].items()),
        subcontractor_pence=sum(amount * events for amount, events in left[1].items()),
    )


def _paired_off(
    prime: Counter[int], subcontractor: Counter[int], agree: Callable[[int, int], bool]
) -> Counter[int]:
    """How many events agree, by the prime's amount; they are taken out of both counts."""
    found: Counter[int] = Counter()
    mine, theirs = sorted(+prime), sorted(+subcontractor)
    i = j = 0
    while i < len(mine) and j < len(theirs):
        one, other = mine[i], theirs[j]
        if agree(one, other):
            events = min(prime[one], subcontractor[other])
            found[one] += events
            prime[one] -= events
            subcontractor[other] -= events
            i, j = i + (not prime[one]), j + (not subcontractor[other])
        elif one < other:
            i += 1
        else:
            j += 1
    return found
