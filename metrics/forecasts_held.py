"""How far forecasts have held: the average over agreements of referrals received for each forecast.

It is what an offer's forecast is worth, before anything is known of the offer itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from metrics.definition import Metric
from metrics.wording import count, share

if TYPE_CHECKING:
    from collections.abc import Iterable

FEWEST_AGREEMENTS = 5

METRIC = Metric(
    id="forecasts_held",
    title="How far forecasts have held",
    question="How many of the clients forecast did come, and how far do agreements differ in that?",
    why_it_matters="An offer is built on a forecast. Whoever staffs for all of it pays for the "
    "clients who never come.",
    numerator="Referrals received in the reported months of each agreement.",
    denominator="Referrals forecast for the same months.",
    unit="share of the forecast: an average, and how far agreements lie from it",
    grain="the agreements that the asker sees",
    direction="1 is as forecast; below it fewer came",
    exclusions=(
        "Agreements without a forecast, or with a forecast of none.",
        f"Fewer than {FEWEST_AGREEMENTS} agreements: a stated guess takes their place.",
    ),
    assumptions=(
        "Each agreement has a ratio of its own, which the counts show with chance on top. An "
        "agreement weighs by how well its count shows that ratio, so that a large one weighs "
        "more, and never more than the differences between agreements allow.",
        "The agreement in question is like those counted.",
    ),
    source="DerSimonian and Laird, Meta-analysis in clinical trials, Controlled Clinical Trials 7 "
    "(1986), with the counts' own variance",
    version=1,
)


@dataclass(frozen=True)
class Held:
    """How forecasts have held: mean and standard deviation over agreements, as shares.

    `largest_weight_rate` is the weight of the heaviest agreement; 0 where none was counted.
    """

    mean: float
    spread: float
    basis: Literal["ledger", "assumed", "stated"]
    agreement_count: int = 0
    largest_weight_rate: float = 0.0

    @property
    def sentence(self) -> str:
        """The two figures and where they come from."""
        told = f"{share(self.mean)} of the forecast on average, give or take {share(self.spread)}"
        if self.basis == "ledger":
            return f"Clients who come: {told}, by {count(self.agreement_count, 'agreement')}."
        if self.basis == "stated":
            return f"Clients who come: {told}, as you stated."
        return (
            f"Clients who come: {told}. That is a cautious guess of ours, not a measurement: put "
            "your own experience in its place."
        )

    def answer(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "mean": self.mean,
            "spread": self.spread,
            "basis": self.basis,
            "agreements": self.agreement_count,
        }


ASSUMED = Held(0.8, 0.4, "assumed")


def forecasts_held(counts: Iterable[tuple[int, int]], overdispersion: float = 1.0) -> Held:
    """How forecasts have held, by (referrals received, referrals forecast) of each agreement.

    `overdispersion` is the variance of a count divided by its mean. Agreements with a forecast of
    none are left out; with fewer than five others the answer is `ASSUMED`.
    """
    pairs = [(observed, expected) for observed, expected in counts if expected > 0]
    if len(pairs) < FEWEST_AGREEMENTS:
        return ASSUMED
    total = sum(expected for _, expected in pairs)
    pooled = sum(observed for observed, _ in pairs) / total
    by_chance = overdispersion * pooled
    scatter = sum(e * (o / e - pooled) ** 2 for o, e in pairs)
    left = total - sum(e * e for _, e in pairs) / total
    between = max(0.0, (scatter - by_chance * (len(pairs) - 1)) / left)
    # No client at all leaves no variance to weigh by: then the forecasts weigh.
    weights = [1 / (between + by_chance / e) if pooled else float(e) for _, e in pairs]
    mean = sum(w * o / e for w, (o, e) in zip(weights, pairs, strict=True)) / sum(weights)
    return Held(
        mean=round(mean, 4),
        spread=round(math.sqrt(between), 4),
        basis="ledger",
        agreement_count=len(pairs),
        largest_weight_rate=max(weights) / sum(weights),
    )
