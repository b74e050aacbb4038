"""How many referrals were promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.definition import Metric
from metrics.window import AGREEMENT, WHOLE_CONTRACT, day_number, month_number

if TYPE_CHECKING:
    from metrics.frames import Frames

METRIC = Metric(
    id="expected_referrals",
    title="Referrals promised",
    question="How many clients was the subcontractor told to expect?",
    why_it_matters="Staff and premises are paid for on the strength of the promise.",
    numerator="For each reported month the forecast in force when the month began: of the "
    "versions that name the month the latest issued by its first day, else the earliest. Without "
    "any forecast: the promised share of the prime's intake.",
    denominator="none",
    unit="referrals",
    grain="agreement and month; contract and month from the forecasts without a subcontractor",
    direction="no judgement",
    exclusions=(
        "Months that neither side has reported.",
        "A promised share where the prime has reported no month: its intake is not known.",
    ),
    assumptions=(
        "A version holds every client group for the months it names.",
        "Of versions issued on the same day the commissioner's counts before the network's, and "
        "the network's before the prime's.",
    ),
    source="Data standard, version 1: promise",
    version=1,
)


def forecasts_in_force(frames: Frames) -> nw.LazyFrame[Any]:
    """The forecast that counts for each month: one row per agreement (or contract) and month.

    Columns contract_id, subcontractor_id (`WHOLE_CONTRACT` for forecasts without one), month,
    expected (referrals), issued (a `day_number`) and issuer_id.
    """
    of_month = [*AGREEMENT, "month"]
    versions = (
        frames.forecasts.select(
            "contract_id",
            nw.col("subcontractor_id").fill_null(WHOLE_CONTRACT),
            "referral_count",
            "issuer_rank",
            month=month_number("month"),
            begins=day_number("month"),
            issued=day_number("issued_on"),
            issuer_id=nw.col("reporter_id"),
        )
        .group_by(*of_month, "begins", "issued", "issuer_rank", "issuer_id")
        .agg(nw.col("referral_count").sum().alias("expected"))
    )
    # One number orders the versions of a month: in time before late, of those in time the latest,
    # of the late the earliest, of one day's the lowest rank (which is a single digit).
    day = (
        nw.when(nw.col("issued") <= nw.col("begins"))
        .then(nw.col("issued"))
        .otherwise(-nw.col("issued"))
    )
    ranked = versions.with_columns(preference=day * 10 - nw.col("issuer_rank"))
    best = ranked.filter(nw.col("preference") == nw.col("preference").max().over(*of_month))
    in_force = best.filter(nw.col("issuer_id") == nw.col("issuer_id").min().over(*of_month))
    return in_force.select(*of_month, "issued", "issuer_id", nw.col("expected").cast(nw.Int64))
