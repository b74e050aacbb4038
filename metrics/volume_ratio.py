"""Referrals received against referrals promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics.definition import Metric
from metrics.evidence.arrays import numbers
from metrics.evidence.counts import count_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from metrics.evidence.arrays import Numbers

METRIC = Metric(
    id="volume_ratio",
    title="Divergence from the forecast",
    question="By how much did referrals differ from the forecast?",
    why_it_matters="Volumes that differ greatly from the projection leave a subcontractor with "
    "idle staff, or with clients it is not funded to serve.",
    numerator="Referrals received in the reported months.",
    denominator="Referrals forecast for the same months.",
    unit="share of the forecast: -0.25 is a quarter fewer",
    grain="agreement; contract",
    direction="0 is as forecast; no judgement which way is worse",
    exclusions=("Agreements and contracts without a forecast, or with a forecast of none.",),
    assumptions=(
        "Referrals arrive one by one (Poisson) or in clumps (negative binomial), as the rule "
        "overdispersion has it.",
    ),
    source="Garwood, Fiducial limits for the Poisson distribution, Biometrika 28 (1936); the "
    "same for the negative binomial law",
    version=2,
)


def divergence(
    observed: ArrayLike, expected: ArrayLike, level: float, overdispersion: ArrayLike = 1.0
) -> tuple[Numbers, Numbers, Numbers]:
    """O/E - 1 with the lower and upper end of its exact interval; E above 0."""
    means = numbers(expected)
    lower, upper = count_interval(observed, level, overdispersion)
    return numbers(observed) / means - 1, lower / means - 1, upper / means - 1
