"""Referrals received against referrals promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metrics.definition import Metric
from metrics.evidence import poisson_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

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
        "Referrals arrive independently of each other (Poisson); if they come in clumps, the "
        "interval is too narrow.",
    ),
    source="Garwood, Fiducial limits for the Poisson distribution, Biometrika 28 (1936)",
    version=1,
)


def divergence(
    observed: ArrayLike, expected: ArrayLike, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """O/E - 1 with the lower and upper end of its exact interval; E above 0."""
    means = np.asarray(expected, dtype=np.float64)
    lower, upper = poisson_interval(observed, level)
    return np.asarray(observed, dtype=np.float64) / means - 1, lower / means - 1, upper / means - 1
