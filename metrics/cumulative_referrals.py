"""Referrals so far against the forecast so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics.definition import Metric
from metrics.evidence.counts import count_interval

if TYPE_CHECKING:
    import pandas as pd

    from metrics.rules import Rules

METRIC = Metric(
    id="cumulative_referrals",
    title="Referrals so far",
    question="How do the referrals received so far stand against those forecast so far?",
    why_it_matters="Single months jump about; the sum shows whether a shortfall grows or is made "
    "up for.",
    numerator="Referrals received in the reported months up to each month.",
    denominator="Referrals forecast for the same months.",
    unit="referrals",
    grain="agreement and month; contract and month",
    direction="no judgement; inside the tolerance of the forecast is as expected",
    exclusions=(
        "Months that neither side has reported, in both sums.",
        "Months outside the window of the agreement or contract.",
    ),
    assumptions=(
        "Referrals arrive one by one (Poisson) or in clumps (negative binomial), as the rule "
        "overdispersion has it.",
    ),
    source="Garwood, Fiducial limits for the Poisson distribution, Biometrika 28 (1936); the "
    "same for the negative binomial law",
    version=2,
)


def cumulative(months: pd.DataFrame, rules: Rules, overdispersion: float = 1.0) -> pd.DataFrame:
    """Sums up to each reported month of one agreement or contract, with their bands.

    `months` are rows of `agreement_months`, `overdispersion` is the one of the flag. One row per
    reported month of the window, in order: month, observed, expected (both sums; 0 where a month
    has no forecast), low and high (the exact interval for the mean behind `observed`),
    tolerance_low and tolerance_high (the forecast less and plus the tolerance). The last row has
    the sums that the flag volume_divergence compares.
    """
    counted = months[months["in_window"] & months["reported"]].sort_values("month")
    sums = counted[["month"]].reset_index(drop=True)
    for name in ("observed", "expected"):
        sums[name] = counted[name].fillna(0).astype("int64").cumsum().to_numpy()
    tolerance = rules["volume_divergence"].number
    sums["low"], sums["high"] = count_interval(
        sums["observed"], rules["interval"].number, overdispersion
    )
    sums["tolerance_low"] = sums["expected"] * (1 - tolerance)
    sums["tolerance_high"] = sums["expected"] * (1 + tolerance)
    return sums
