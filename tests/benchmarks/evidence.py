"""How long the statistics take for 100,000 agreements, each looked at after every of 60 months.

    python tests/benchmarks/evidence.py [--json] [--quick]

Goal: the whole decision of volume_divergence (ratio, interval, evidence on both sides, status)
within 60 seconds for the 6 million looks. Beside it, in the same run, what numpy takes for one
exponential of each of them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from metrics.allocation import allocation_evidence
from metrics.evidence.counts import count_interval, zero_probability
from metrics.evidence.e_process import log_e_value
from metrics.evidence.multiplicity import adjusted_e_values
from metrics.flags.volume_divergence import decide
from metrics.rules import rules_as_of

if TYPE_CHECKING:
    from collections.abc import Callable

AGREEMENTS, LOOKS = 100_000, 60
GOAL_SECONDS = 60.0
RULES = rules_as_of(dt.date(2026, 1, 1))


def seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def measure(agreements: int) -> dict[str, Any]:
    """Seconds of each step on arrays of agreements x looks."""
    chance = np.random.default_rng(2012)
    rates = np.exp(chance.uniform(np.log(0.5), np.log(20), (agreements, 1)))
    observed = chance.poisson(np.repeat(rates, LOOKS, axis=1)).cumsum(axis=1)
    expected = np.maximum(1, np.floor(rates * np.arange(1, LOOKS + 1))).astype(np.int64)
    intake = observed + chance.poisson(expected * 9)
    spread = np.where(np.arange(LOOKS) % 2, 1.0, 2.0)
    floor = seconds(lambda: np.exp(-expected.astype(float)))
    steps = {
        "chance of a zero": lambda: zero_probability(expected, spread),
        "interval": lambda: count_interval(observed, 0.95, spread),
        "e-value, one side": lambda: log_e_value(observed, expected, 0.2, "shortfall", spread),
        "allocation, one side": lambda: allocation_evidence(
            observed, intake, 0.1, "shortfall", spread
        ),
        "e-BH of one look": lambda: adjusted_e_values(observed[:, -1]),
        "whole decision": lambda: decide(observed, expected, spread, RULES),
    }
    taken = {name: seconds(work) for name, work in steps.items()}
    return {
        "agreements": agreements,
        "looks": LOOKS,
        "seconds": {name: round(value, 2) for name, value in taken.items()},
        "times_one_exponential": {name: round(value / floor, 1) for name, value in taken.items()},
        "goal_seconds_whole_decision": GOAL_SECONDS * agreements / AGREEMENTS,
        "met": taken["whole decision"] <= GOAL_SECONDS * agreements / AGREEMENTS,
        "python": platform.python_version(),
    }


def main() -> None:
    """Print the measures as a table, or as one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="a tenth of the agreements")
    options = parser.parse_args()
    found = measure(AGREEMENTS // 10 if options.quick else AGREEMENTS)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, taken in found["seconds"].items():
        ratio = found["times_one_exponential"][name]
        print(f"{name:24}{taken:>8.2f} s{ratio:>10.1f} x one exponential")
    print(f"whole decision within {found['goal_seconds_whole_decision']:g} s: {found['met']}")


if __name__ == "__main__":
    main()
