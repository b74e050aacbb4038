"""Both sides' counts, the intake and the forecast of every month: what the flags add up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.expected_referrals import forecasts_in_force
from metrics.intake import groups_served, intake_by_month
from metrics.observed_referrals import both_sides, reported_rows
from metrics.window import AGREEMENT, WHOLE_CONTRACT, covered_months

if TYPE_CHECKING:
    from metrics.frames import Frames


def referral_months(frames: Frames, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Both sides' counts, intake and forecast of each covered month, in the window or not.

    `rows` as `assessed` gives them. One row per agreement or contract and covered month: the
    columns of `covered_months` and observed_sub, observed_prime, intake, expected, issued and
    issuer_id (null where no forecast names the month). A contract's observed_prime is its intake.
    """
    reported = reported_rows(frames)
    months = covered_months(frames, rows, "referrals")
    of_month = [*AGREEMENT, "month"]
    joined = (
        intake_by_month(months, reported, groups_served(frames))
        .join(both_sides(reported), on=of_month, how="left")
        .join(forecasts_in_force(frames), on=of_month, how="left")
    )
    intake = nw.col("intake").cast(nw.Int64)
    return joined.with_columns(
        intake=intake,
        observed_sub=nw.col("observed_sub").fill_null(0),
        observed_prime=nw.when(nw.col("subcontractor_id") == WHOLE_CONTRACT)
        .then(intake)
        .otherwise(nw.col("observed_prime").fill_null(0)),
    )
