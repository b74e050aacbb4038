"""How often the flags are wrong, and how soon they are right, on chains whose truth is known.

    python tests/benchmarks/calibration.py [--json] [--quick] [--seed 2012]

Every decision is the product's own: the simulated counts go through the functions that assess
real ones. Each scenario prints what it reached beside its goal. Some minutes; --quick under one.

Chains. A programme has 785 agreements; what each is promised a month is drawn evenly on the log
scale from 0.5 to 50 referrals, in whole numbers that add up. It is looked at after each of 60
months. Clients arrive one by one (poisson), in clumps with a variance of twice the mean (clumped:
negative binomial), or in clumps of exactly two (pairs: the same variance, another law than the
flags reckon with). The clumping is estimated anew at every look, as the rule `auto` does.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from metrics.allocation import allocation_evidence, names_prime, unlikely
from metrics.client_mix import mix_test
from metrics.evidence.counts import count_interval, zero_probability
from metrics.evidence.e_process import log_e_value
from metrics.evidence.multiplicity import adjusted_e_values, adjusted_probabilities
from metrics.evidence.overdispersion import LARGEST_LEAP, Clumping
from metrics.flags.volume_divergence import decide
from metrics.flags.zero_referrals import zero_is_unlikely
from metrics.rules import rules_as_of
from tests.benchmarks.calibration_fee import Goal, fee_calibration

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]

AGREEMENTS, LOOKS = 785, 60
RULES = rules_as_of(dt.date(2026, 1, 1))
TOLERANCE = RULES["volume_divergence"].number


# Chains


def poisson(chance: np.random.Generator, means: Array) -> Array:
    return chance.poisson(means)


def clumped(chance: np.random.Generator, means: Array) -> Array:
    """Negative binomial with a variance of twice the mean."""
    return chance.negative_binomial(np.maximum(means, 1e-12), 0.5)


def pairs(chance: np.random.Generator, means: Array) -> Array:
    """Clients who always come two at a time."""
    return 2 * chance.poisson(means / 2)


ARRIVALS: dict[str, Callable[[np.random.Generator, Array], Array]] = {
    "poisson": poisson,
    "clumped": clumped,
    "pairs": pairs,
}


def promises(chance: np.random.Generator) -> Array:
    """Referrals promised a month to each agreement of a programme."""
    return np.exp(chance.uniform(np.log(0.5), np.log(50), AGREEMENTS))


def promised_so_far(rates: Array, looks: int = LOOKS) -> Array:
    """Forecasts in whole numbers whose sums follow the rates: one row per agreement."""
    return np.floor(rates[:, None] * np.arange(1, looks + 1) + 0.5).astype(np.int64)


def estimated_clumping(months: Array) -> Array:
    """The clumping that the product would reckon with at each look, from all rows together."""
    x, y = months[:, 1:], months[:, :-1]
    both = x + y
    seen = [
        np.concatenate([[0], part.sum(axis=0)]).cumsum()
        for part in (both > 0, np.minimum((x - y) ** 2, LARGEST_LEAP * both), both)
    ]
    needed = RULES["overdispersion_pairs"].value
    estimates = [Clumping(*(int(part[look]) for part in seen)) for look in range(months.shape[1])]
    before = RULES["overdispersion_before"].number
    return np.array([one.estimate() if one.pair_count >= needed else before for one in estimates])


def looked_at(months: Array, forecast: Array, spread: Array) -> tuple[Array, Array]:
    """Whether volume_divergence (and on a shortfall) is raised at each look."""
    due = forecast > 0
    decision = decide(months.cumsum(axis=1), np.maximum(forecast, 1), spread, RULES)
    raised = (decision.status == "raised") & due
    return raised, raised & (decision.side < 0)


def none_came(months: Array, forecast: Array, spread: Array) -> Array:
    """Whether zero_referrals is raised at each look."""
    return (months.cumsum(axis=1) == 0) & zero_is_unlikely(
        zero_probability(forecast, spread), RULES
    )


def ever(raised: Array) -> float:
    """The share of agreements raised at any look."""
    return float(raised.any(axis=1).mean())


# What others would do


def naive_test(months: Array, forecast: Array) -> Array:
    """A one-sided Poisson test at 5 % on the sums, repeated every month, either side."""
    so_far = months.cumsum(axis=1)
    low = stats.poisson.cdf(so_far, forecast) <= 0.05
    high = stats.poisson.sf(so_far - 1, np.maximum(forecast, 1e-9)) <= 0.05
    return (low | high) & (forecast > 0)


def naive_shortfall_test(months: Array, forecast: Array) -> Array:
    """The same on the side of too few only."""
    return (stats.poisson.cdf(months.cumsum(axis=1), forecast) <= 0.05) & (forecast > 0)


def xmr_chart(months: Array, forecast: Array) -> Array:
    """A month outside the mean of the months so far, plus or minus 2.66 mean moving ranges."""
    raised = np.zeros(months.shape, dtype=bool)
    moving = np.abs(np.diff(months, axis=1))
    for look in range(6, months.shape[1]):
        mean = months[:, :look].mean(axis=1)
        reach = 2.66 * moving[:, : look - 1].mean(axis=1)
        raised[:, look] = np.abs(months[:, look] - mean) > reach
    return raised & (forecast > 0)


def three_sigma_funnel(months: Array, forecast: Array) -> Array:
    """The ratio so far outside 1 plus or minus three standard errors of a Poisson count."""
    gap = np.abs(months.cumsum(axis=1) - forecast)
    return (gap > 3 * np.sqrt(forecast)) & (forecast > 0)


OTHERS = {
    "naive monthly p < .05 test": naive_test,
    "the same, too few only": naive_shortfall_test,
    "XmR chart": xmr_chart,
    "3-sigma funnel": three_sigma_funnel,
}


# Scenarios


def fair_chain(seed: int, programmes: int) -> list[Goal]:
    """Everybody gets what was promised: whatever is raised is raised in error."""
    found = []
    for name, arrive in ARRIVALS.items():
        chance = np.random.default_rng([seed, 1, len(name)])
        shares: dict[str, list[float]] = {}

        def note(what: str, raised: Array, shares: dict[str, list[float]] = shares) -> None:
            shares.setdefault(what, []).append(ever(raised))

        for _ in range(programmes):
            rates = promises(chance)
            months = arrive(chance, np.repeat(rates[:, None], LOOKS, axis=1))
            forecast = promised_so_far(rates)
            spread = estimated_clumping(months)
            note("volume_divergence ever raised", looked_at(months, forecast, spread)[0])
            none = none_came(months, forecast, spread)
            note("zero_referrals ever raised", none)
            note("  of those promised at most 1 a month", none[rates <= 1])
            note(
                "  by Benjamini-Hochberg over the programme", _none_of_all(months, forecast, spread)
            )
            note("volume by e-BH over the programme", _volume_of_all(months, forecast, spread))
            for other, rule in OTHERS.items():
                note(other, rule(months, forecast))
        asked = {"volume_divergence ever raised", "zero_referrals ever raised"}
        found += [
            Goal(
                f"fair chain, {name}",
                what,
                float(np.mean(values)),
                "<= 0.02" if what in asked and name != "pairs" else "",
            )
            for what, values in shares.items()
        ]
    return found


def _none_of_all(months: Array, forecast: Array, spread: Array) -> Array:
    """zero_referrals where the chance stands among all agreements of the programme."""
    chances = np.where(months.cumsum(axis=1) == 0, zero_probability(forecast, spread), 1.0)
    adjusted = np.column_stack([adjusted_probabilities(column) for column in chances.T])
    return np.asarray(zero_is_unlikely(adjusted, RULES))


def _volume_of_all(months: Array, forecast: Array, spread: Array) -> Array:
    """volume_divergence where the evidence stands among all agreements of the programme."""
    decision = decide(months.cumsum(axis=1), np.maximum(forecast, 1), spread, RULES)
    evidence = np.maximum(decision.e_shortfall, decision.e_excess)
    adjusted = np.column_stack([adjusted_e_values(column) for column in evidence.T])
    stands = adjusted >= RULES["volume_evidence"].number
    return np.asarray(stands & (decision.status == "raised") & (forecast > 0))


def unfair_prime(seed: int, programmes: int) -> list[Goal]:
    """Some agreements of a fair programme get a third of what they were promised, or 85 %."""
    found = []
    for name, arrive in ARRIVALS.items():
        chance = np.random.default_rng([seed, 2, len(name)])
        months_to: list[float] = []
        inside: list[float] = []
        for _ in range(programmes):
            rates = promises(chance)
            share = np.ones(AGREEMENTS)
            rates[:80], share[:80] = 2.0, 1 / 3
            share[80:400] = 0.85
            months = arrive(chance, np.repeat((rates * share)[:, None], LOOKS, axis=1))
            forecast = promised_so_far(rates)
            _, short = looked_at(months, forecast, estimated_clumping(months))
            third = short[:80]
            months_to += np.where(third.any(axis=1), third.argmax(axis=1) + 1, np.inf).tolist()
            inside.append(ever(short[80:400]))
        asked = {"poisson": "<= 10", "clumped": "<= 18"}
        found += [
            Goal(
                f"a third of the promise at 2 a month, {name}",
                "median months to raised",
                float(np.median(months_to)),
                asked.get(name, ""),
            ),
            Goal(
                f"85 % of the promise, {name}",
                "ever raised",
                float(np.mean(inside)),
                "" if name == "pairs" else "<= 0.03",
            ),
        ]
    return found


def whose_failure(seed: int, contracts: int) -> list[Goal]:
    """Twenty months; a promised share of 5 % or 30 %; the intake known."""
    looks = 20
    scenes = {
        "commissioner delivers 34 %, prime fair": (0.34, 1.0),
        "commissioner fair, prime gives a third": (1.0, 1 / 3),
        "commissioner fair, prime gives a tenth": (1.0, 0.1),
        "commissioner fair, prime gives none": (1.0, 0.0),
    }
    found = []
    for name in ("poisson", "clumped"):
        for scene, (delivered, allocated) in scenes.items():
            for promise in (6, 20, 60):
                rows = [
                    _named(
                        seed, contracts, ARRIVALS[name], promise, share, looks, delivered, allocated
                    )
                    for share in (0.05, 0.30)
                ]
                named_now, named_ever, raised_now, tail_now, tail_ever = np.mean(rows, axis=0)
                where = f"{scene}, promise {promise}, {name}"
                innocent = allocated == 1.0
                found.append(
                    Goal(
                        where,
                        "prime named at the last look",
                        named_now,
                        "<= 0.03" if innocent else "",
                    )
                )
                if innocent:
                    found.append(Goal(where, "prime named at any of 20 looks", named_ever, ""))
                    found.append(Goal(where, "  by the binomial chance alone, last", tail_now, ""))
                    found.append(Goal(where, "  by the binomial chance alone, any", tail_ever, ""))
                else:
                    asked = ">= 0.9" if promise == 20 else ""
                    of_raised = named_now / raised_now if raised_now else 0.0
                    found.append(Goal(where, "prime named, of those raised", of_raised, asked))
    return found


def _named(
    seed: int,
    contracts: int,
    arrive: Callable[[np.random.Generator, Array], Array],
    promise: int,
    share: float,
    looks: int,
    delivered: float,
    allocated: float,
) -> tuple[float, float, float, float, float]:
    chance = np.random.default_rng([seed, 3, promise, round(100 * share), round(100 * delivered)])
    means = np.full((contracts, looks), promise / looks / share * delivered)
    intake = arrive(chance, means)
    months = chance.binomial(intake, share * allocated)
    forecast = promised_so_far(np.full(contracts, promise / looks), looks)
    spread = estimated_clumping(months)
    so_far, clients = months.cumsum(axis=1), intake.cumsum(axis=1)
    _, short = looked_at(months, forecast, spread)
    none = none_came(months, forecast, spread)
    tail, evidence = allocation_evidence(so_far, clients, share, "shortfall", spread)
    alone = unlikely(tail, RULES)
    named = (short & names_prime(tail, evidence, RULES)) | (none & alone)
    by_tail = (short | none) & alone
    return (
        float(named[:, -1].mean()),
        ever(named),
        float((short | none)[:, -1].mean()),
        float(by_tail[:, -1].mean()),
        ever(by_tail),
    )


def coverage() -> list[Goal]:
    """Exact: the probability that each stated interval holds the mean, at its worst mean."""
    means = np.unique(np.concatenate([np.geomspace(0.05, 300, 400), np.arange(1, 60)]))
    counts = np.arange(0, 1500)
    level = RULES["interval"].number
    found = []
    for spread in (1.0, 1.3, 2.0, 5.0):
        low, high = count_interval(counts, level, spread)
        worst = 1.0
        for mean in means:
            if spread == 1:
                law = stats.poisson.pmf(counts, mean)
            else:
                law = stats.nbinom.pmf(counts, mean / (spread - 1), 1 / spread)
            worst = min(worst, float(law[(low <= mean) & (mean <= high)].sum()))
        found.append(
            Goal(
                f"interval of a count, variance {spread:g} x the mean",
                "least coverage over means",
                worst,
                f">= {level:g}",
            )
        )
    return found


def coverage_when_estimated(seed: int, programmes: int) -> list[Goal]:
    """The interval with the clumping estimated from the programme itself, after 6 months."""
    found = []
    for name in ("poisson", "clumped"):
        chance = np.random.default_rng([seed, 4, len(name)])
        held = []
        for _ in range(programmes):
            rates = promises(chance)
            months = ARRIVALS[name](chance, np.repeat(rates[:, None], LOOKS, axis=1))
            spread = estimated_clumping(months)
            low, high = count_interval(months.cumsum(axis=1), RULES["interval"].number, spread)
            true = rates[:, None] * np.arange(1, LOOKS + 1)
            held.append(((low <= true) & (true <= high))[:, 5:].mean())
        found.append(
            Goal(
                f"interval of a count, clumping estimated, {name}",
                "coverage",
                float(np.mean(held)),
                ">= 0.95",
            )
        )
    return found


def edge_of_the_band(seed: int, agreements: int) -> list[Goal]:
    """A rate exactly on the edge of the tolerance: Ville's limit is 1/20 for evidence ever."""
    found = []
    limit = np.log(RULES["volume_evidence"].number)
    for name, arrive in ARRIVALS.items():
        chance = np.random.default_rng([seed, 5, len(name)])
        spread = 1.0 if name == "poisson" else 2.0
        for side, factor in (("shortfall", 1 - TOLERANCE), ("excess", 1 + TOLERANCE)):
            months = arrive(chance, np.full((agreements, LOOKS), 4 * factor))
            evidence = log_e_value(
                months.cumsum(axis=1), 4.0 * np.arange(1, LOOKS + 1), TOLERANCE, side, spread
            )
            found.append(
                Goal(
                    f"on the edge of the band, {side}, {name}",
                    "ever at 20",
                    ever(evidence >= limit),
                    "<= 0.05",
                )
            )
    return found


def small_programmes(seed: int, programmes: int) -> list[Goal]:
    """Programmes of 5 and 30 agreements: the estimate of the clumping rests on little."""
    found = []
    for size in (5, 30):
        chance = np.random.default_rng([seed, 6, size])
        shares = []
        for _ in range(programmes):
            rates = np.exp(chance.uniform(np.log(0.5), np.log(50), size))
            months = clumped(chance, np.repeat(rates[:, None], LOOKS, axis=1))
            forecast = promised_so_far(rates)
            shares.append(ever(looked_at(months, forecast, estimated_clumping(months))[0]))
        found.append(
            Goal(
                f"fair programme of {size} agreements, clumped",
                "volume_divergence ever raised",
                float(np.mean(shares)),
                "<= 0.02",
            )
        )
    return found


def client_mix(seed: int, agreements: int) -> list[Goal]:
    """Three client groups, shared out without regard to the group.

    The flag asks a second time, month by month, before it is raised: the figure is an upper bound.
    """
    limit = RULES["client_mix"].number
    found = []
    for name in ("poisson", "clumped"):
        chance = np.random.default_rng([seed, 7, len(name)])
        sizes = np.exp(chance.uniform(np.log(2), np.log(60), (agreements, 1, 3)))
        intake = ARRIVALS[name](chance, np.repeat(sizes, LOOKS, axis=1))
        shares = chance.uniform(0.03, 0.2, (agreements, 1, 1))
        received = chance.binomial(intake, shares)
        spread = estimated_clumping(received.sum(axis=2))
        received, intake = received.cumsum(axis=1), intake.cumsum(axis=1)
        raised = np.column_stack(
            [
                mix_test(
                    received[:, look], intake[:, look], np.full(agreements, spread[look])
                ).smallest
                <= limit
                for look in range(LOOKS)
            ]
        )
        found.append(Goal(f"fair chain, {name}", "client_mix ever raised", ever(raised), "<= 0.02"))
    return found


def calibration(seed: int, quick: bool) -> dict[str, Any]:
    """Every scenario, with its goals and whether they are met."""
    begun = time.perf_counter()
    goals = [
        *fair_chain(seed, 2 if quick else 12),
        *small_programmes(seed, 60 if quick else 400),
        *unfair_prime(seed, 3 if quick else 12),
        *whose_failure(seed, 500 if quick else 4000),
        *coverage(),
        *coverage_when_estimated(seed, 1 if quick else 6),
        *edge_of_the_band(seed, 1000 if quick else 10_000),
        *client_mix(seed, 100 if quick else AGREEMENTS),
    ]
    return {
        "seed": seed,
        "quick": quick,
        "goals": [goal.answer() for goal in goals],
        "management_fee": fee_calibration(seed, quick),
        "seconds": round(time.perf_counter() - begun, 1),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
    }


def main() -> None:
    """Print the answer as a table, or as one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer chains, under a minute")
    parser.add_argument("--seed", type=int, default=2012)
    options = parser.parse_args()
    answer = calibration(options.seed, options.quick)
    if options.json:
        print(json.dumps(answer, indent=2, default=float))
        return
    words = {True: "met", False: "NOT MET", None: ""}
    for goal in answer["goals"]:
        asked = f"{goal['goal'] or ''} {words[goal['met']]}"
        print(f"{goal['scenario']:68}{goal['what']:46}{goal['reached']:>10}  {asked}")
    print(json.dumps(answer["management_fee"], indent=2, default=float))
    print(f"{answer['seconds']} seconds, seed {answer['seed']}")


if __name__ == "__main__":
    main()
