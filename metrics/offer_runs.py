"""How many runs of chance an offer is weighed by, and the luck that they begin with."""

from __future__ import annotations

RUN_COUNT = 10_000
FEWEST_RUNS, MOST_RUNS = 100, 100_000
SEED = 1
