"""How long it takes to weigh an offer of 60 months by 10,000 runs.

    python tests/benchmarks/offers.py [--json] [--quick]

Goal: the runs of one offer within a second, with cash by month and both dangers. Beside it, in the
same run, what numpy takes to draw as many plain Poisson numbers as the runs need.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from data.offer_form import example_form
from metrics.offer import offer_of
from metrics.offer_outlook import outlook
from metrics.offer_runs import RUN_COUNT
from metrics.offer_weighing import weigh

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL_SECONDS = 1.0
# How far a client gets: not to the start, to the start, to a job outcome, to a sustainment.
DRAWS_A_GROUP_MONTH = 4


def seconds(work: Callable[[], Any]) -> float:
    """The quickest of three."""
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def measure(run_count: int) -> dict[str, Any]:
    """Seconds for an offer of one and of three client groups, and for the whole answer."""
    example = offer_of(example_form())
    three = replace(example, groups=example.groups * 3)
    steps: dict[str, tuple[int, Callable[[], Any]]] = {
        "runs, one client group": (1, lambda: outlook(example, run_count)),
        "runs, three client groups": (3, lambda: outlook(three, run_count)),
        "whole answer, one client group": (1, lambda: weigh(example, run_count)),
    }
    luck = np.random.default_rng(2012)
    found: dict[str, Any] = {"seconds": {}, "times_plain_draws": {}}
    for name, (groups, work) in steps.items():
        size = (groups * DRAWS_A_GROUP_MONTH * example.months, run_count)
        rate = luck.uniform(0.5, 10, size)
        plain = seconds(lambda rate=rate: luck.poisson(rate))
        taken = seconds(work)
        found["seconds"][name] = round(taken, 3)
        found["times_plain_draws"][name] = round(taken / plain, 1)
    goal = GOAL_SECONDS * run_count / RUN_COUNT
    return {
        "runs": run_count,
        "months": example.months,
        **found,
        "goal_seconds_one_client_group": goal,
        "met": found["seconds"]["runs, one client group"] <= goal,
        "python": platform.python_version(),
    }


def main() -> None:
    """Print the measures as a table, or as one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="a quarter of the runs")
    options = parser.parse_args()
    found = measure(RUN_COUNT // 4 if options.quick else RUN_COUNT)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, taken in found["seconds"].items():
        print(f"{name:32}{taken:>8.3f} s{found['times_plain_draws'][name]:>8.1f} x plain draws")
    print(f"one client group within {found['goal_seconds_one_client_group']:g} s: {found['met']}")


if __name__ == "__main__":
    main()
