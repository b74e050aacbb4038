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
    expected (referrals), issued (a `day_number`), issuer_id, and expected_before: the forecast
    that counted by what had been received when the month began (null without any).
    """
    versions = _versions(frames)
    in_time = versions.filter(nw.col("received") <= nw.col("begins"))
    before = _in_force(in_time).select(*_OF_MONTH, expected_before=nw.col("expected"))
    return _in_force(versions).join(before, on=list(_OF_MONTH), how="left")


def forecasts_in_force_by_group(frames: Frames) -> nw.LazyFrame[Any]:
    """The same by client group: contract_id, subcontractor_id, month, client_group, expected.

    `client_group` is empty where the forecast names none.
    """
    version = [*_OF_MONTH, "issued", "issuer_id"]
    return (
        _rows(frames)
        .join(_in_force(_versions(frames)).select(*version), on=version, how="inner")
        .group_by(*_OF_MONTH, "client_group")
        .agg(nw.col("referral_count").sum().alias("expected"))
        .with_columns(nw.col("expected").cast(nw.Int64))
    )


_OF_MONTH = (*AGREEMENT, "month")


def _rows(frames: Frames) -> nw.LazyFrame[Any]:
    return frames.forecasts.select(
        "contract_id",
        nw.col("subcontractor_id").fill_null(WHOLE_CONTRACT),
        nw.col("client_group").fill_null(""),
        "referral_count",
        "issuer_rank",
        month=month_number("month"),
        begins=day_number("month"),
        issued=day_number("issued_on"),
        received=day_number("received_on"),
        issuer_id=nw.col("reporter_id"),
    )


def _versions(frames: Frames) -> nw.LazyFrame[Any]:
    return (
        _rows(frames)
        .group_by(*_OF_MONTH, "begins", "issued", "issuer_rank", "issuer_id")
        .agg(
            nw.col("referral_count").sum().alias("expected"),
            nw.col("received").max(),
        )
    )


def _in_force(versions: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    # One number orders the versions of a month: in time before late, of those in time the latest,
    # of the late the earliest, of one day's the lowest rank (which is a single digit).
    day = (
        nw.when(nw.col("issued") <= nw.col("begins"))
        .then(nw.col("issued"))
        .otherwise(-nw.col("issued"))
    )
    ranked = versions.with_columns(preference=day * 10 - nw.col("issuer_rank"))
    best = ranked.filter(nw.col("preference") == nw.col("preference").max().over(*_OF_MONTH))
    first = best.filter(nw.col("issuer_id") == nw.col("issuer_id").min().over(*_OF_MONTH))
    return first.select(*_OF_MONTH, "issued", "issuer_id", nw.col("expected").cast(nw.Int64))
