"""How many referrals a subcontractor got, as both sides report it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from metrics.definition import Metric
from metrics.window import month_number

if TYPE_CHECKING:
    from metrics.frames import Frames

METRIC = Metric(
    id="observed_referrals",
    title="Referrals received",
    question="How many clients were sent to the subcontractor?",
    why_it_matters="A subcontractor hires and rents for the clients it was promised; without "
    "referrals it earns nothing.",
    numerator="Referrals in the returns of one side: in a month that the subcontractor has "
    "reported its own count, in other reported months the prime's.",
    denominator="none",
    unit="referrals",
    grain="agreement and month; contract and month, where it is the prime's whole intake",
    direction="no judgement by itself",
    exclusions=(
        "Months that neither side has reported: they are not reported, never zero.",
        "Rows of any other reporter, such as a commissioner that is not the prime.",
        "Months before the agreement was live or after it ended.",
    ),
    assumptions=(
        "A return holds every referral of the months it covers.",
        "Where the two sides disagree the subcontractor's count stands, and both are shown.",
    ),
    source="Data standard, version 1: two sides",
    version=1,
)


def reported_rows(frames: Frames) -> nw.LazyFrame[Any]:
    """The rows of referrals, each with its contract's prime.

    Columns contract_id, subcontractor_id, client_group, reporter_id, month, prime_id (empty where
    the contract is not in the register) and referral_count.
    """
    primes = frames.contracts.select("contract_id", "prime_id")
    return (
        frames.referrals.select(
            "contract_id",
            "subcontractor_id",
            "client_group",
            "reporter_id",
            "referral_count",
            month=month_number("month"),
        )
        .join(primes, on="contract_id", how="left")
        .with_columns(nw.col("prime_id").fill_null(""))
    )


def both_sides(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Each side's count: one row per contract, subcontractor and month.

    `rows` as `reported_rows` gives them. Columns contract_id, subcontractor_id, month,
    observed_sub (the subcontractor's rows) and observed_prime (the prime's).
    """
    count = nw.col("referral_count")
    reporter = nw.col("reporter_id")
    return (
        rows.with_columns(
            observed_sub=nw.when(reporter == nw.col("subcontractor_id")).then(count).otherwise(0),
            observed_prime=nw.when(reporter == nw.col("prime_id")).then(count).otherwise(0),
        )
        .group_by("contract_id", "subcontractor_id", "month")
        .agg(nw.col("observed_sub").sum(), nw.col("observed_prime").sum())
        .with_columns(
            nw.col("observed_sub").cast(nw.Int64), nw.col("observed_prime").cast(nw.Int64)
        )
    )
