"""How far the management fee depends on which clients happened to come."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
from scipy import special

from metrics.definition import Metric
from metrics.evidence.arrays import numbers
from metrics.frames import records
from metrics.window import covered_months, in_window, month_number
from metrics.wording import count, figure, share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from metrics.evidence.arrays import Numbers
    from metrics.facts import Facts

METRIC = Metric(
    id="fee_sampling",
    title="Management fee over other clients",
    question="Had other clients of the same kind come, between what would the fee lie?",
    why_it_matters="Where events are charged unlike, the fee of a whole agreement depends on how "
    "many clients got which event: a high fee from few clients may be their mix.",
    numerator="What the commissioner paid for each client less what is payable for that client.",
    denominator="What the commissioner paid for each client.",
    unit="share of what the commissioner paid, from low to high",
    grain="agreement with clients known",
    direction="no judgement: a wide interval means that few clients decide the fee",
    exclusions=(
        "Agreements with fewer clients known than the rule fee_clients asks, or with more rows "
        "without a client than with one.",
        "Agreements whose clients differ so little that resampling shows no spread.",
    ),
    assumptions=(
        "Clients came independently of each other, from one kind of clients, under one set of "
        "fees; all events of a client go together.",
        "A row without a client counts as a client of its own.",
        "It is the wider of two intervals at either end: the studentised bootstrap, read so far "
        "out as to allow for the number of redraws, and the jackknife with Student's t.",
    ),
    source="Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 11 and 12",
    version=1,
)

REPLICATES = 2_000
_AT_ONCE = 2_000_000  # numbers drawn in one go
_NOTHING = 1e-9  # of a sum, what is left of it by the arithmetic of floats alone


@dataclass(frozen=True)
class Sampling:
    """The fee over other clients: an interval, or why none is stated (`low`, `high` None)."""

    low: float | None
    high: float | None
    level: float
    client_count: int
    rows_without_client: int
    sentence: str


def sampling_interval(
    facts: Facts,
    contract_id: str,
    subcontractor_id: str | None,
    least_clients: float,
    level: float,
) -> Sampling:
    """The interval of one agreement's fee over its clients; it decides nothing.

    Clients are the marks in the prime's matched rows. The same rows give the same interval,
    whatever their order: what is drawn follows from the two ids.
    """
    clients = _by_client(facts, contract_id, subcontractor_id or "")
    known = sum(1 for one in clients if one["client_hash"])
    without = sum(one["row_count"] for one in clients if not one["client_hash"])
    marked_rows = sum(one["row_count"] for one in clients if one["client_hash"])
    if not known:
        why = "the prime's payments name no clients"
    elif known < least_clients:
        why = f"fewer than {count(least_clients, 'client')} are known, too few for it"
    elif without > marked_rows:
        why = "more of the prime's payments are without a client than with one"
    else:
        found = fee_interval(
            [one["received_pence"] for one in clients],
            [one["payable_pence"] for one in clients],
            level,
            seed_of(contract_id, subcontractor_id or ""),
        )
        if found is not None:
            return Sampling(*found, level, known, without, _stated(*found, level, known, without))
        why = "its clients differ too little, or too few of them do"
    sentence = f"An interval over other clients is not stated: {why}."
    return Sampling(None, None, level, known, without, sentence)


def _stated(low: float, high: float, level: float, known: int, without: int) -> str:
    told = (
        f"If other clients of the same kind had come, the fee would lie between {share(low)} and "
        f"{share(high)} ({share(level)} interval from {count(known, 'client')}, redrawn "
        f"{figure(REPLICATES)} times"
    )
    if without:
        told += f"; {count(without, 'row')} without a client each counted as one"
    return f"{told}). It decides nothing: the fee above is of the money that changed hands."


def _by_client(facts: Facts, contract_id: str, subcontractor_id: str) -> list[dict[str, Any]]:
    """Pence received and payable by client; each row without a client by itself."""
    chosen = facts.rows.filter(
        nw.col("contract_id") == contract_id, nw.col("subcontractor_id") == subcontractor_id
    )
    months = (
        covered_months(facts.frames, chosen, "payments")
        .filter(in_window() & (nw.col("prime_covered") == 1))
        .select("prime_id", "month")
    )
    sums = ("received_pence", "payable_pence", "row_count")
    unmarked = nw.col("client_hash").is_null()
    by = ("client_hash", "return_id", "row_number")
    rows = (
        facts.frames.payments.filter(
            nw.col("contract_id") == contract_id,
            nw.col("subcontractor_id") == subcontractor_id,
            ~nw.col("commissioner_amount_pence").is_null(),
        )
        .with_columns(month=month_number("month"))
        .join(months, left_on=["reporter_id", "month"], right_on=["prime_id", "month"], how="inner")
        .select(
            nw.col("client_hash").fill_null(""),
            return_id=nw.when(unmarked).then(nw.col("return_id")).otherwise(nw.lit("")),
            row_number=nw.when(unmarked).then(nw.col("row_number")).otherwise(0),
            received_pence=nw.col("commissioner_amount_pence"),
            payable_pence=nw.col("subcontractor_amount_pence"),
            row_count=nw.lit(1),
        )
        .group_by(*by)
        .agg(*(nw.col(name).sum() for name in sums))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in sums))
    )
    return records(rows)


def seed_of(contract_id: str, subcontractor_id: str) -> int:
    """The seed of an agreement's draws."""
    text = f"{contract_id}\n{subcontractor_id}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:16], "big")


def fee_interval(
    received_pence: ArrayLike, payable_pence: ArrayLike, level: float, seed: int
) -> tuple[float, float] | None:
    """The interval of the fee over clients, from each client's pence.

    None where the clients show no spread, or where so many redraws show none that an end of the
    interval would be infinite.
    """
    pairs = np.column_stack([numbers(received_pence), numbers(payable_pence)])
    kinds, counts = np.unique(pairs, axis=0, return_counts=True)
    received, payable = kinds[:, 0], kinds[:, 1]
    total = float(counts @ received)
    if total <= 0:
        return None
    passed_on = float(counts @ payable) / total
    off = payable - passed_on * received
    error = _error(counts[None, :], off, received, np.zeros(1))[0]
    by_jackknife = _jackknife_error(received, payable, counts)
    if not error > 0 or not np.isfinite(by_jackknife):
        return None
    tail = (1 - level) / 2
    drawn = np.sort(_studentised(received, off, counts, seed))
    # So far out that, with so many redraws, the true tail is hardly ever reached before.
    place = max(0, int(np.ceil(special.bdtrik(0.05, REPLICATES, tail))) - 1)
    low_t, high_t = drawn[place], drawn[-1 - place]
    if np.isnan(drawn[-1]) or not np.isfinite([low_t, high_t]).all():
        return None
    reach = float(special.stdtrit(counts.sum() - 1, 1 - tail)) * by_jackknife
    ends = min(low_t * error, -reach), max(high_t * error, reach)
    fee = 1 - passed_on
    return float(fee + ends[0]), float(fee + ends[1])


def _studentised(received: Numbers, off: Numbers, counts: Any, seed: int) -> Numbers:
    """How far each redraw's share passed on is from the one seen, in its own standard errors.

    Clients alike in both sums are drawn together: so many of each kind.
    """
    chance = np.random.Generator(np.random.PCG64(seed))
    people = int(counts.sum())
    found = []
    step = max(1, _AT_ONCE // len(counts))
    for start in range(0, REPLICATES, step):
        size = min(step, REPLICATES - start)
        drawn = chance.multinomial(people, counts / people, size=size)
        total = drawn @ received
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = (drawn @ off) / total
            gap = np.where(total > 0, gap, np.inf)
            error = _error(drawn, off, received, gap)
            t = gap / error
        found.append(np.where(gap == 0, 0.0, t))
    return np.concatenate(found)


def _error(drawn: Any, off: Numbers, received: Numbers, gap: Numbers) -> Numbers:
    """The linearised standard error of the share passed on, of each draw."""
    people = drawn.sum(axis=1)
    own, shift = drawn @ off**2, gap**2 * (drawn @ received**2)
    squares = own - 2 * gap * (drawn @ (off * received)) + shift
    squares = np.where(squares > _NOTHING * (own + shift), squares, 0.0)
    return numbers(np.sqrt(squares * people / (people - 1)) / (drawn @ received))


def _jackknife_error(received: Numbers, payable: Numbers, counts: Any) -> float:
    """The standard error from leaving out one client at a time; infinite where that leaves none."""
    rest = counts @ received - received
    if (rest <= 0).any():
        return float("inf")
    left = (counts @ payable - payable) / rest
    people = counts.sum()
    mean = counts @ left / people
    return float(np.sqrt((people - 1) / people * (counts @ (left - mean) ** 2)))
