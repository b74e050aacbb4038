"""Whether a subcontractor's clients are of the same groups as those of its prime."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from metrics.definition import Metric
from metrics.evidence.allocation import hypergeometric_tails
from metrics.evidence.arrays import numbers
from metrics.frames import records
from metrics.observed_referrals import reported_rows
from metrics.window import AGREEMENT, WHOLE_CONTRACT, covered_months, in_window

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from metrics.evidence.arrays import Numbers
    from metrics.facts import Facts

    Counts = NDArray[np.int64]

METRIC = Metric(
    id="client_mix",
    title="Client mix",
    question="Were the clients sent to the subcontractor of the same groups as the prime's whole "
    "intake?",
    why_it_matters="Clients of the hardest groups cost more to help and bring fewer outcomes. A "
    "subcontractor that gets more of them than was to be expected earns less for more work.",
    numerator="Clients of a group that the prime's own returns show as sent to the subcontractor.",
    denominator="All its clients in the groups it serves, beside the same share of the prime's "
    "whole intake in these groups.",
    unit="share of the clients; probability of a share as far from that of the intake",
    grain="agreement and client group",
    direction="no judgement: a difference is a question",
    exclusions=(
        "Months that the prime's referrals returns do not cover.",
        "Client groups that the agreement does not serve.",
        "What the subcontractor reports: two reporters may name groups differently.",
    ),
    assumptions=(
        "Each referral is a client of its own.",
        "Without a reason to the contrary, clients are shared out regardless of their group.",
        "Clients who come in clumps count as fewer: all counts are divided by the clumping.",
    ),
    source="Fisher's exact test (hypergeometric law, both tails), corrected by Holm (1979)",
    version=1,
)


@dataclass(frozen=True)
class GroupCount:
    """Clients of one client group: sent to the subcontractor, of the prime's whole intake."""

    client_group: str
    observed: int
    intake: int


def group_counts(facts: Facts) -> Mapping[tuple[str, str], tuple[GroupCount, ...]]:
    """Every agreement's counts over the months the prime has reported, all groups, by name.

    By contract and subcontractor; an agreement whose prime has reported no client is missing.
    """
    found = defaultdict(list)
    for row in records(_summed(facts, facts.rows)):
        found[row["contract_id"], row["subcontractor_id"]].append(_group_count(row))
    return {key: tuple(sorted(groups, key=_name)) for key, groups in found.items()}


def expected_by_month(
    facts: Facts, served: Mapping[tuple[str, str], Collection[str]]
) -> Mapping[tuple[str, str], Mapping[str, Fraction]]:
    """What each of these agreements would have got of each group, shared out month by month.

    Each month's clients of the subcontractor, in the groups `served`, times the group's share of
    the prime's intake in that month, added up. Where a group comes more in the months in which
    the subcontractor gets more, this differs from its share of the whole.
    """
    contract_ids = sorted({contract_id for contract_id, _ in served})
    rows = facts.rows.filter(nw.col("contract_id").is_in(contract_ids))
    months: dict[tuple[str, str], dict[int, list[GroupCount]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in records(_summed(facts, rows, "month")):
        key = row["contract_id"], row["subcontractor_id"]
        if row["client_group"] in served.get(key, ()):
            months[key][row["month"]].append(_group_count(row))
    expected: dict[tuple[str, str], dict[str, Fraction]] = {}
    for key, groups in served.items():
        sums = dict.fromkeys(groups, Fraction(0))
        for counts in months[key].values():
            received = sum(one.observed for one in counts)
            for one in counts:
                sums[one.client_group] += Fraction(
                    received * one.intake, sum(other.intake for other in counts)
                )
        expected[key] = sums
    return expected


def _name(group: GroupCount) -> str:
    return group.client_group


def _group_count(row: Mapping[str, Any]) -> GroupCount:
    return GroupCount(row["client_group"], row["observed"], row["intake"])


def _summed(facts: Facts, rows: nw.LazyFrame[Any], *by: str) -> nw.LazyFrame[Any]:
    reported = reported_rows(facts.frames).filter(nw.col("reporter_id") == nw.col("prime_id"))
    count = nw.col("referral_count")
    per = ["contract_id", "client_group", "month"]
    by_sub = reported.group_by(*per, "subcontractor_id").agg(count.sum().alias("observed"))
    whole = by_sub.group_by(*per).agg(nw.col("observed").sum().alias("intake"))
    months = (
        covered_months(
            facts.frames, rows.filter(nw.col("subcontractor_id") != WHOLE_CONTRACT), "referrals"
        )
        .filter(in_window() & (nw.col("prime_covered") == 1))
        .select(*AGREEMENT, "month")
    )
    sums = ("observed", "intake")
    return (
        months.join(whole, on=["contract_id", "month"], how="inner")
        .join(by_sub, on=[*per, "subcontractor_id"], how="left")
        .select(*AGREEMENT, "client_group", "month", "intake", nw.col("observed").fill_null(0))
        .filter(nw.col("intake") > 0)
        .group_by(*AGREEMENT, "client_group", *by)
        .agg(*(nw.col(name).sum() for name in sums))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in sums))
    )


@dataclass(frozen=True)
class EffectiveCounts:
    """Counts in clients that came one by one: `marked` of `all_of` are of the group."""

    observed: Counts
    drawn: Counts
    marked: Counts
    all_of: Counts


def effective_counts(
    observed: ArrayLike, drawn: ArrayLike, marked: ArrayLike, all_of: ArrayLike, clumping: ArrayLike
) -> EffectiveCounts:
    """Whole counts divided by the clumping and rounded down; the observed towards the expected.

    `clumping` counts to three decimals, so that exact multiples divide exactly.
    """
    x, n, k, m, thousandths = np.broadcast_arrays(
        *(np.asarray(values, dtype=np.int64) for values in (observed, drawn, marked, all_of)),
        np.asarray(np.rint(numbers(clumping) * 1000), dtype=np.int64),
    )
    fewer_drawn, fewer_marked, fewer = (values * 1000 // thousandths for values in (n, k, m))
    below = x * 1000 * fewer < fewer_drawn * fewer_marked * thousandths
    down, up = x * 1000 // thousandths, -(-x * 1000 // thousandths)
    return EffectiveCounts(np.where(below, up, down), fewer_drawn, fewer_marked, fewer)


def two_sided(counts: EffectiveCounts) -> Numbers:
    """Probability of a count as far out on either side: twice the smaller tail, at most 1."""
    few, many = hypergeometric_tails(counts.observed, counts.drawn, counts.marked, counts.all_of)
    return numbers(np.minimum(1.0, 2 * np.minimum(few, many)))


@dataclass(frozen=True)
class MixTest:
    """The test of each agreement (rows) and client group (columns).

    `corrected` counts the groups by Holm. `least` is the smallest that a corrected probability of
    the agreement could be, had its clients been as uneven as their numbers allow.
    """

    counts: EffectiveCounts
    probability: Numbers
    corrected: Numbers
    least: Numbers

    @property
    def smallest(self) -> Numbers:
        """The smallest corrected probability of each agreement."""
        return numbers(self.corrected.min(axis=1))


def mix_test(observed: ArrayLike, intake: ArrayLike, clumping: ArrayLike) -> MixTest:
    """Fisher's exact test of every group of every agreement against the rest of its groups.

    `observed` and `intake` have a row per agreement and a column per group, 0 where the agreement
    has no such group; `clumping` has one figure per agreement. A group without intake is not
    counted.
    """
    x, k = (np.asarray(values, dtype=np.int64) for values in (observed, intake))
    drawn, all_of = (values.sum(axis=1, keepdims=True) for values in (x, k))
    d = np.reshape(numbers(clumping), (-1, 1))
    counts = effective_counts(x, drawn, k, all_of, np.broadcast_to(d, (len(x), 1)))
    probability = two_sided(counts)
    counted = k > 0
    n, m = counts.drawn, counts.all_of
    ends = [
        two_sided(EffectiveCounts(end, n, counts.marked, m))
        for end in (np.maximum(0, n + counts.marked - m), np.minimum(n, counts.marked))
    ]
    least = np.where(counted, np.minimum(*ends), 1.0).min(axis=1)
    return MixTest(
        counts=counts,
        probability=probability,
        corrected=holm(np.where(counted, probability, 1.0), counted),
        least=numbers(np.minimum(1.0, least * counted.sum(axis=1))),
    )


def holm(probabilities: Numbers, counted: NDArray[np.bool_]) -> Numbers:
    """Holm's corrected probabilities along the columns, among those that are counted.

    Of m sorted probabilities the i-th becomes the greatest of p_j (m - j + 1) over j <= i.
    """
    order = np.argsort(probabilities, axis=1, kind="stable")
    ranks = np.arange(probabilities.shape[1])
    factors = np.maximum(1, counted.sum(axis=1, keepdims=True) - ranks)
    scaled = np.take_along_axis(probabilities, order, axis=1) * factors
    steps = np.minimum(1.0, np.maximum.accumulate(scaled, axis=1))
    corrected = np.empty_like(probabilities)
    np.put_along_axis(corrected, order, steps, axis=1)
    return corrected


def matched_counts(
    group: GroupCount, received: int, whole: int, expected: Fraction, clumping: float
) -> EffectiveCounts:
    """The counts of the test as if the whole intake had the mix of the months clients came in.

    `expected` as `expected_by_month` gives it. The marked clients become expected x whole intake /
    clients received, rounded towards what was observed. Testing them errs on the side of chance:
    month by month, counts vary a little less.
    """
    marked = expected * whole / received
    if group.observed > expected:
        rounded = max(-(-marked.numerator // marked.denominator), group.observed)
    else:
        rounded = min(int(marked), whole - received + group.observed)
    return effective_counts(group.observed, received, rounded, whole, clumping)


def as_arrays(groups: Sequence[Sequence[GroupCount]]) -> tuple[Counts, Counts]:
    """The observed and intake of agreements as rows, filled up with 0 to the same length."""
    width = max((len(one) for one in groups), default=0)
    observed, intake = (np.zeros((len(groups), max(width, 1)), dtype=np.int64) for _ in range(2))
    for row, one in enumerate(groups):
        observed[row, : len(one)] = [group.observed for group in one]
        intake[row, : len(one)] = [group.intake for group in one]
    return observed, intake
