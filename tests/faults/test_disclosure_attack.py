"""Nobody can work out a hidden count or a subcontractor's terms from what was released.

An attacker with every release, all totals and the figures of all contributors but two recovers
none, exactly or to within 10 %. The same attacker recovers some where small counts are only left
out, or means of five sources only averaged: so this test can fail.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import pytest

from metrics.disclosure import (
    Contribution,
    Mean,
    PastTotal,
    Policy,
    Total,
    disclosed_counts,
    disclosed_figure,
    policy_of,
    too_few_or_too_large,
)
from metrics.rules import rules_as_of
from tests.faults.attacker import Attacker, Claim

POLICY = policy_of(rules_as_of(date(2026, 1, 1)))
MONTHS = ("2012-01", "2012-02", "2012-03")
LARGE = 10_000


@dataclass(frozen=True)
class Block:
    """A contract's quarter: counts by subcontractor and month."""

    counts: dict[tuple[str, str, str], int]

    def totals(self) -> list[Total]:
        """Every total there is, by month, by subcontractor and of all."""
        found = []
        for month in MONTHS:
            parts = frozenset(cell for cell in self.counts if cell[2] == month)
            found.append(Total(("C", "", month), parts, 2))
        for who in {cell[1] for cell in self.counts}:
            parts = frozenset(cell for cell in self.counts if cell[1] == who)
            found.append(Total(("C", who, "2012-Q1"), parts, 1))
        found.append(Total(("C", "", "2012-Q1"), frozenset(self.counts), 3))
        return found


def random_block(draw: random.Random) -> Block:
    """Four to eight subcontractors, most of them small, as small charities are."""
    counts = {}
    for number in range(draw.randint(4, 8)):
        mean = draw.choice((0, 1, 3, 4, 8, 20))
        for month in MONTHS:
            counts["C", f"S{number}", month] = max(0, round(draw.gauss(mean, mean**0.5)))
    return Block(counts)


def corrected(block: Block, draw: random.Random) -> Block:
    """The same block after one subcontractor has sent one month again."""
    cell = draw.choice(sorted(block.counts))
    return Block(block.counts | {cell: max(0, block.counts[cell] + draw.choice((-3, 2, 5, 40)))})


def bounds_of_count(shown: float | None, step: int, hidden: int, *, total: bool) -> tuple:
    """What a published count says about the true one."""
    if shown is None:
        return (1, LARGE if total else hidden)
    if shown == 0:
        return (0, 0)
    half = step // 2
    return (max(hidden + 1, shown - half), shown + half)


def recovered_counts(releases: list[tuple[Block, dict]], step: int, hidden: int) -> int:
    """How many hidden counts an attacker who does not know two subcontractors works out."""
    truth, bounds, claims, secrets = {}, {}, [], set()
    for block, shown in releases:
        version = {cell: (*cell, count) for cell, count in block.counts.items()}
        for cell, count in block.counts.items():
            truth[version[cell]] = count
            bounds[version[cell]] = bounds_of_count(shown[cell], step, hidden, total=False)
            if shown[cell] is None:
                secrets.add(version[cell])
        for total in block.totals():
            low, high = bounds_of_count(shown[total.key], step, hidden, total=True)
            claims.append(Claim({version[part]: 1.0 for part in total.parts}, low, high))
    attacker = Attacker(truth, True, claims)
    who = sorted({secret[1] for secret in truth})
    found = 0
    for secret in secrets:
        worst = False
        for other in who:
            if other != secret[1]:
                unknown = {name for name in truth if name[1] in (secret[1], other)}
                worst = worst or attacker.knows(secret, *attacker.interval(secret, unknown, bounds))
        found += worst
    return found


def protected(blocks: list[Block], policy: Policy) -> list[tuple[Block, dict]]:
    """The blocks as one release after another shows them."""
    releases, past = [], []
    for block in blocks:
        found = disclosed_counts(block.counts, block.totals(), policy, past)
        releases.append((block, {key: one.value for key, one in found.items()}))
        for total in block.totals():
            if found[total.key].hidden is None:
                parts = {part: block.counts[part] for part in total.parts}
                past.append(PastTotal(parts, policy.count_step))
    return releases


def unprotected(blocks: list[Block]) -> list[tuple[Block, dict]]:
    """Small counts and totals left out, and nothing else done."""
    releases = []
    for block in blocks:
        sums = {one.key: sum(block.counts[part] for part in one.parts) for one in block.totals()}
        shown = {key: None if 0 < n <= 7 else n for key, n in (block.counts | sums).items()}
        releases.append((block, shown))
    return releases


def blocks_of(seed: int) -> list[Block]:
    """A quarter, and the same quarter after one or two corrections."""
    draw = random.Random(seed)  # noqa: S311 - the same worlds every time
    blocks = [random_block(draw)]
    for _ in range(draw.randint(0, 2)):
        blocks.append(corrected(blocks[-1], draw))
    return blocks


@pytest.mark.parametrize("seed", range(12))
def test_no_hidden_count_is_recovered_from_all_releases(seed: int):
    assert recovered_counts(protected(blocks_of(seed), POLICY), step=5, hidden=7) == 0


def test_leaving_small_counts_out_alone_gives_some_away():
    found = sum(recovered_counts(unprotected(blocks_of(seed)), 1, 7) for seed in range(4))
    assert found > 10


# Terms


def random_terms(draw: random.Random) -> dict[str, tuple[float, float]]:
    """The fee and the weight of each subcontractor of one prime."""
    flat = draw.random() < 0.5
    fee = draw.uniform(0.02, 0.4)
    return {
        f"S{number}": (fee if flat else draw.uniform(0.02, 0.4), draw.uniform(0.5, 1.5))
        for number in range(draw.randint(5, 12))
    }


def changed(terms: dict[str, tuple[float, float]], draw: random.Random) -> dict:
    """The same prime a quarter later: one joins, one leaves, or volumes shift."""
    later = dict(terms)
    what = draw.choice(("joins", "leaves", "shifts"))
    if what == "joins":
        later[f"S{draw.randrange(10**9)}"] = (draw.uniform(0.02, 0.4), draw.uniform(0.5, 1.5))
    elif what == "leaves" and len(later) > 5:
        later.pop(draw.choice(sorted(later)))
    else:
        later = {
            who: (fee, weight * draw.uniform(0.7, 1.3)) for who, (fee, weight) in later.items()
        }
    return later


def quarters_of(seed: int) -> list[dict[str, tuple[float, float]]]:
    """One prime's terms, quarter by quarter."""
    draw = random.Random(seed)  # noqa: S311 - the same worlds every time
    quarters = [random_terms(draw)]
    for _ in range(5):
        quarters.append(changed(quarters[-1], draw))
    return quarters


def recovered_terms(quarters: list[dict], figures: list[tuple[dict, float, float]]) -> int:
    """How many subcontractors' fees are worked out, over all figures and unknown pairs.

    The attacker takes a fee to be the same in every quarter, as it is.
    """
    truth = {who: fee for terms in quarters for who, (fee, _) in terms.items()}
    claims = []
    for terms, low, high in figures:
        weights = {who: weight for who, (_, weight) in terms.items()}
        whole = sum(weights.values())
        claims.append(Claim(weights, low * whole, high * whole))
    attacker = Attacker(truth, False, claims)
    bounds = dict.fromkeys(truth, (None, None))
    found = 0
    for secret in truth:
        found += any(
            attacker.knows(secret, *attacker.interval(secret, {secret, other}, bounds))
            for other in truth
            if other != secret
        )
    return found


def contributions(terms: dict[str, tuple[float, float]]) -> list[Contribution]:
    return [Contribution("P", who, fee, weight) for who, (fee, weight) in terms.items()]


@pytest.mark.parametrize("seed", range(25))
def test_no_terms_are_recovered_from_all_releases(seed: int):
    quarters, past, figures = quarters_of(seed), [], []
    for terms in quarters:
        mean, disclosed = disclosed_figure(contributions(terms), "share", POLICY, past)
        if disclosed.hidden is None:
            past.append(mean)
            half = float(mean.step) / 2
            figures.append((terms, disclosed.value - half, disclosed.value + half))
    assert figures or all(too_few_or_too_large(contributions(one), POLICY) for one in quarters)
    assert recovered_terms(quarters, figures) == 0


def test_five_sources_averaged_exactly_give_some_away():
    found = 0
    for seed in range(10):
        quarters, figures = quarters_of(seed), []
        for terms in quarters:
            if too_few_or_too_large(contributions(terms), POLICY) is None:
                exact = Mean(tuple(contributions(terms)), "share", POLICY.share_step).exact
                figures.append((terms, exact, exact))
        found += recovered_terms(quarters, figures)
    assert found > 10


def test_a_figure_comes_out_in_most_quarters():
    """Protection that shows nothing would pass every attack."""
    shown = asked = 0
    hidden = defaultdict(int)
    for seed in range(60):
        past: list[Mean] = []
        for terms in quarters_of(seed):
            mean, disclosed = disclosed_figure(contributions(terms), "share", POLICY, past)
            asked += too_few_or_too_large(contributions(terms), POLICY) is None
            shown += disclosed.hidden is None
            hidden[disclosed.hidden] += 1
            if disclosed.hidden is None:
                past.append(mean)
    print(dict(hidden), asked)
    assert shown > 0.6 * asked
