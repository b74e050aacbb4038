"""How often the management fee is called too high, on money whose truth is known.

    python tests/benchmarks/calibration_fee.py [--quick] [--seed 2012]

Agreements grow from a third of their mean volume to twice as much within two years; each event is
paid on 0 to 4 months after it was earned, while the commissioner's money comes at once. Prices are
those of the Work Programme in whole pounds, of which 15 % and 18 % are whole pence. The answers
come from the product's own functions.

What [low, high] states: of the events counted, the share kept once any part of what is payable and
unpaid has been paid, none at the high end and all at the low. It holds whatever part that is, as
long as no amount is corrected. What the interval over clients states: the fee of the whole kind of
clients that these were drawn from.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from metrics.fee_sampling import fee_interval
from metrics.management_fee import above_in_pence, fee, is_above
from metrics.rules import rules_as_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]

AGREEMENTS, LOOKS, LONGEST_LAG = 785, 24, 4
RULES = rules_as_of(dt.date(2026, 1, 1))
LIMIT = RULES["management_fee"].value
LEVEL = RULES["interval"].number
LEAST_CLIENTS = int(RULES["fee_clients"].value)
PRICES_PENCE = np.array([40_000, 120_000, 17_000])  # attachment, job outcome, sustainment
EVENTS_A_REFERRAL = np.array([1.0, 0.25, 1.5])


@dataclass(frozen=True)
class Goal:
    """A figure that was reached, beside the one asked for (empty: for comparison only)."""

    scenario: str
    what: str
    reached: float
    asked: str = ""

    def answer(self) -> dict[str, Any]:
        met, reached = None, float(self.reached)
        if self.asked:
            sign, limit = self.asked.split()
            met = reached <= float(limit) if sign == "<=" else reached >= float(limit)
        return {
            "scenario": self.scenario,
            "what": self.what,
            "reached": round(reached, 4),
            "goal": self.asked or None,
            "met": met,
        }


@dataclass(frozen=True)
class Money:
    """Sums so far at each monthly look, in whole pence: one row per agreement."""

    events: Array
    received: Array
    payable: Array
    paid: Array


def money(
    chance: np.random.Generator, payable_rates: Array, prices: Array, round_down: bool = False
) -> Money:
    """Two years of events of each price, of which these shares are payable, paid on with a lag."""
    mean = np.exp(chance.uniform(np.log(0.5), np.log(50), AGREEMENTS))
    growth = np.linspace(1 / 3, 2, LOOKS)
    means = mean[:, None, None] * growth[None, :, None] * EVENTS_A_REFERRAL
    lags = np.full(LONGEST_LAG + 1, 1 / (LONGEST_LAG + 1))
    by_lag = chance.multinomial(chance.poisson(means), lags)  # agreement, month, price, lag
    share = prices * payable_rates
    each = (np.floor(share + 1e-9) if round_down else np.rint(share)).astype(np.int64)
    events = by_lag.sum(axis=3)
    paid = np.zeros((AGREEMENTS, LOOKS), dtype=np.int64)
    for lag in range(LONGEST_LAG + 1):
        paid[:, lag:] += (by_lag[:, : LOOKS - lag, :, lag] * each).sum(axis=2)
    sums = (events.sum(axis=2), (events * prices).sum(axis=2), (events * each).sum(axis=2), paid)
    return Money(*(one.cumsum(axis=1) for one in sums))


def raised(received: Array, passed_on: Array) -> Array:
    """Whether the fee is above the rule, at each look; never where nothing was received."""
    return np.asarray(is_above(received, passed_on, LIMIT) & (received > 0))


def ever(found: Array) -> float:
    return float(found.any(axis=1).mean())


def true_fees(seed: int, quick: bool) -> list[Goal]:
    """What is raised at each true fee, by matched events and by cash totals alone."""
    found = []
    runs = 2 if quick else 8
    for true, name in ((0.15, "15 %"), (0.18, "18 %")):
        ever_raised, at_twelve, by_cash, watched = [], [], [], []
        for run in range(runs):
            chance = np.random.default_rng([seed, 8, run, round(100 * true)])
            seen = money(chance, np.full(3, 1 - true), PRICES_PENCE)
            above = raised(seen.received, seen.payable)
            cash = raised(seen.received, seen.paid)
            ever_raised.append(ever(above))
            at_twelve.append(above[:, 11].mean())
            by_cash.append(ever(cash))
            watched.append((cash & ~above)[:, 11].mean())
        where = f"true fee {name}, growth, lags of 0-4 months"
        fair = true == 0.15
        found += [
            Goal(
                where,
                "ever raised over 24 looks",
                float(np.mean(ever_raised)),
                "<= 0" if fair else "",
            ),
            Goal(
                where,
                "raised after 12 months",
                float(np.mean(at_twelve)),
                "" if fair else ">= 0.95",
            ),
            Goal(where, "  cash totals alone, ever above the rule", float(np.mean(by_cash))),
            Goal(where, "  watched after 12 months", float(np.mean(watched))),
        ]
    return found


def rounded_fees(seed: int) -> list[Goal]:
    """15 % meant, of prices that it does not divide: rounding puts some just above the rule."""
    prices = np.array([33_333, 99_999, 14_147])
    found = []
    for round_down, how in ((False, "to the nearest penny"), (True, "down")):
        chance = np.random.default_rng([seed, 9])
        seen = money(chance, np.full(3, 0.85), prices, round_down)
        above = raised(seen.received, seen.payable)
        excess = np.vectorize(lambda r, p: float(above_in_pence(int(r), int(p), LIMIT)))
        told = above & (excess(seen.received, seen.payable) <= seen.events)
        where = f"15 % of odd prices, payable rounded {how}"
        said = told.sum() / above.sum() if above.any() else 1.0
        found += [
            Goal(where, "ever raised over 24 looks", ever(above)),
            Goal(where, "of those raised, said that rounding could explain it", said, ">= 1"),
        ]
    return found


def mixed_fees(seed: int) -> list[Goal]:
    """15 % on average, by attachments at 5 % and outcomes at more: what was kept does vary."""
    weights = PRICES_PENCE * EVENTS_A_REFERRAL
    rest = (0.15 * weights.sum() - 0.05 * weights[0]) / weights[1:].sum()
    chance = np.random.default_rng([seed, 10])
    seen = money(chance, 1 - np.array([0.05, rest, rest]), PRICES_PENCE)
    return [
        Goal(
            "15 % on average over many clients, 5 % of attachments",
            "raised after 24 months: what was kept was above",
            raised(seen.received, seen.payable)[:, -1].mean(),
        )
    ]


def interval_of_what_is_unpaid(seed: int) -> list[Goal]:
    """The fee of the events counted once some part, drawn anew, of what is unpaid is paid."""
    chance = np.random.default_rng([seed, 11])
    seen = money(chance, 1 - np.array([0.0, 0.2, 0.3]), PRICES_PENCE)
    known = seen.received > 0
    received, payable, paid = (one[known] for one in (seen.received, seen.payable, seen.paid))
    part = np.where(chance.random(len(paid)) < 0.3, 1.0, chance.random(len(paid)))
    final = fee(received, paid + np.rint(part * (payable - paid)).astype(np.int64))
    low = fee(received, payable)
    high = fee(received, paid)
    held = (low <= final) & (final <= high)
    return [Goal("[low, high] of the fee", "coverage of the final fee", held.mean(), ">= 1")]


# Over other clients


@dataclass(frozen=True)
class Scene:
    """A kind of clients: what they bring in, and what of it is payable."""

    name: str
    fees: tuple[float, float, float]  # of attachment, job outcome, sustainment
    outcome_rate: float
    spread_of_fees: float = 0.0  # of the outcome fee, client by client


SCENES = (
    Scene("attachment 0 %, outcome 20 %, 15 % reach one", (0.0, 0.2, 0.3), 0.15),
    Scene("attachment 0 %, outcome 20 %, 30 % reach one", (0.0, 0.2, 0.3), 0.3),
    Scene("attachment 30 %, outcome 10 %, 30 % reach one", (0.3, 0.1, 0.1), 0.3),
    Scene("attachment 30 %, outcome 10 %, 60 % reach one", (0.3, 0.1, 0.1), 0.6),
    Scene("attachment 10 %, outcome 15 %, sustainment 40 %", (0.1, 0.15, 0.4), 0.4),
    Scene("outcome fee differs client by client", (0.1, 0.2, 0.2), 0.3, 0.1),
)


def served(chance: np.random.Generator, clients: int, scene: Scene) -> tuple[Array, Array]:
    """Pence received and payable of each client; most came lately and had little time."""
    seen_for = LOOKS * (1 - np.sqrt(chance.random(clients)))
    wait = chance.uniform(3, 14, clients)
    reached = (chance.random(clients) < scene.outcome_rate) & (wait < seen_for)
    most = np.floor(np.maximum(seen_for - wait, 0)).astype(np.int64)
    months = np.where(reached, np.minimum(13, chance.binomial(most, 0.8)), 0)
    events = np.column_stack([np.ones(clients), reached, months]).astype(np.int64)
    fees = np.tile(np.array(scene.fees), (clients, 1))
    fees[:, 1] += scene.spread_of_fees * chance.standard_normal(clients)
    amounts = events * PRICES_PENCE
    return amounts.sum(axis=1), np.rint(amounts * (1 - fees)).astype(np.int64).sum(axis=1)


def whole_fee(scene: Scene, seed: int) -> float:
    """The fee of the whole kind, from half a million clients."""
    received, payable = served(np.random.default_rng([seed, 12]), 500_000, scene)
    return float(fee(int(received.sum()), int(payable.sum())))


def interval_over_clients(seed: int, quick: bool) -> list[Goal]:
    """How often the interval holds the fee of the whole kind, where one is stated."""
    found = []
    times = 60 if quick else 400
    true = [whole_fee(scene, seed) for scene in SCENES]
    for clients in (20, LEAST_CLIENTS, 150, 500):
        kinds = [
            _coverage(
                np.random.default_rng([seed, 13, place, clients]),
                scene,
                clients,
                true[place],
                times,
            )
            for place, scene in enumerate(SCENES)
        ]
        held, stated = (sum(part) for part in zip(*kinds, strict=True))
        least = min(one / max(of, 1) for one, of in kinds)
        enough = clients >= LEAST_CLIENTS
        where = f"interval over clients, {clients} clients"
        if not enough:
            where += " (too few by the rule: none is stated)"
        found += [
            Goal(where, "coverage", held / stated, f">= {LEVEL:g}" if enough else ""),
            Goal(where, f"  least of {len(SCENES)} kinds, {times} times each", least),
            Goal(where, "  clients differ enough for it", stated / (times * len(SCENES))),
        ]
    return found


def _coverage(
    chance: np.random.Generator, scene: Scene, clients: int, true: float, times: int
) -> tuple[int, int]:
    held = stated = 0
    for time_of in range(times):
        interval = fee_interval(*served(chance, clients, scene), LEVEL, time_of)
        if interval is not None:
            stated += 1
            held += interval[0] <= true <= interval[1]
    return held, stated


def fee_calibration(seed: int, quick: bool) -> dict[str, Any]:
    """Every scenario about the fee with its goal beside it, and what the figures mean."""
    begun = time.perf_counter()
    parts: tuple[Callable[[], list[Goal]], ...] = (
        lambda: true_fees(seed, quick),
        lambda: rounded_fees(seed),
        lambda: mixed_fees(seed),
        lambda: interval_of_what_is_unpaid(seed),
        lambda: interval_over_clients(seed, quick),
    )
    return {
        "goals": [goal.answer() for part in parts for goal in part()],
        "notes": [
            "Matched in whole pence, a fee of exactly the rule is never above it, whatever the "
            "growth and the lag; cash totals alone put nearly every agreement above it.",
            "Where 15 % is no whole number of pence, rounding can leave the sum a penny an event "
            "above the rule. The data standard raises that; the answer says that rounding could "
            "explain it.",
            "A fee that differs by event can be above the rule for the clients who came and at "
            "the rule for their kind. The flag speaks of the money that changed hands; the "
            "interval over clients says how far that is the clients' mix.",
            "The interval over clients is not stated for fewer clients than the rule fee_clients "
            "asks, nor where too few of them differ.",
        ],
        "seconds": round(time.perf_counter() - begun, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=2012)
    given = parser.parse_args()
    print(json.dumps(fee_calibration(given.seed, given.quick), indent=2))


if __name__ == "__main__":
    main()
