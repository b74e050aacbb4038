"""The prime's whole intake, of which a promised share is a part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.definition import Metric
from metrics.window import AGREEMENT, WHOLE_CONTRACT

if TYPE_CHECKING:
    from metrics.frames import Frames

METRIC = Metric(
    id="intake",
    title="The prime's intake",
    question="How many clients did the commissioner send, of which the subcontractor could get "
    "its part?",
    why_it_matters="If the commissioner sends fewer clients than forecast, everybody gets fewer, "
    "and that is not the prime's doing.",
    numerator="Referrals in the prime's own returns for the contract, those kept in house "
    "included, in the client groups that the agreement serves.",
    denominator="none",
    unit="referrals",
    grain="agreement and month; contract and month with all client groups",
    direction="no judgement",
    exclusions=(
        "Months that the prime has not reported.",
        "Client groups that the agreement does not serve: those in neither its prices nor its "
        "forecasts. Where none is stated, all are served.",
    ),
    assumptions=("The prime reports every client of the contract, whoever serves it.",),
    source="Data standard, version 1: promise",
    version=1,
)


def groups_served(frames: Frames) -> nw.LazyFrame[Any]:
    """The client groups each agreement serves: one row per agreement and group named for it.

    Those in its prices or in its forecasts; an agreement without a row serves all.
    """
    named = [
        frame.filter(
            ~nw.col("subcontractor_id").is_null(), ~nw.col("client_group").is_null()
        ).select(*AGREEMENT, "client_group")
        for frame in (frames.prices, frames.forecasts)
    ]
    return nw.concat(named).unique()


def prime_counts(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The prime's own rows: one row per contract, client group and month."""
    return (
        rows.filter(nw.col("reporter_id") == nw.col("prime_id"))
        .group_by("contract_id", "client_group", "month")
        .agg(nw.col("referral_count").sum())
        .with_columns(nw.col("referral_count").cast(nw.Int64))
    )


def intake_by_month(
    months: nw.LazyFrame[Any], rows: nw.LazyFrame[Any], served: nw.LazyFrame[Any]
) -> nw.LazyFrame[Any]:
    """`months` with a column intake: 0 where the prime has not reported the month.

    `months` has contract_id, subcontractor_id, month and prime_covered; `rows` as
    `reported_rows` gives them, `served` as `groups_served` does.
    """
    by_group = prime_counts(rows)
    whole = by_group.group_by("contract_id", "month").agg(
        nw.col("referral_count").sum().alias("whole_intake")
    )
    of_served = (
        served.join(by_group, on=["contract_id", "client_group"], how="inner")
        .group_by(*AGREEMENT, "month")
        .agg(nw.col("referral_count").sum().alias("served_intake"))
    )
    stated = served.select(*AGREEMENT, stated=nw.lit(1)).unique()
    return (
        months.join(whole, on=["contract_id", "month"], how="left")
        .join(of_served, on=[*AGREEMENT, "month"], how="left")
        .join(stated, on=list(AGREEMENT), how="left")
        .with_columns(
            intake=nw.when(nw.col("prime_covered").fill_null(0) == 0)
            .then(0)
            .when(nw.col("stated").is_null() | (nw.col("subcontractor_id") == WHOLE_CONTRACT))
            .then(nw.col("whole_intake").fill_null(0))
            .otherwise(nw.col("served_intake").fill_null(0))
        )
        .drop("whole_intake", "served_intake", "stated")
    )
