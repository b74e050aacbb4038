"""Referrals so far against the forecast so far: sums over the reported months of the window."""

from __future__ import annotations

import datetime as dt

import pytest
from scipy import stats

from metrics.assessment import agreement_months, assess
from metrics.cumulative_referrals import cumulative
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, month, months

TODAY = dt.date(2012, 4, 15)


def test_the_sums_skip_months_that_nobody_reported_and_end_where_the_flag_does() -> None:
    chain = Chain().contract().agreement()
    reported = [month("2011-06"), month("2011-08"), month("2011-09")]
    chain.covers("S", [*reported, month("2011-05")], "referrals")
    for one in months("2011-05", 11):
        chain.forecast(4, one)
    for one, count in zip([month("2011-05"), *reported], (9, 2, 0, 3), strict=True):
        if count:
            chain.referral("S", one, count=count)
    rules = rules_as_of(TODAY)
    sums = cumulative(
        agreement_months(chain.frames(), TODAY, None, "C1").query("subcontractor_id == 'S'"), rules
    )
    assert [day.date() for day in sums["month"]] == reported
    assert sums["observed"].tolist() == [2, 2, 5]
    assert sums["expected"].tolist() == [4, 8, 12]
    assert sums["tolerance_low"].tolist() == pytest.approx([3.2, 6.4, 9.6])
    assert sums["tolerance_high"].tolist() == pytest.approx([4.8, 9.6, 14.4])
    assert sums["low"].iloc[-1] == pytest.approx(stats.chi2.ppf(0.025, 10) / 2)
    assert sums["high"].iloc[-1] == pytest.approx(stats.chi2.ppf(0.975, 12) / 2)
    flag = next(
        one
        for one in assess(chain.frames(), TODAY, None, rules)
        if (one.flag, one.subcontractor_id) == ("volume_divergence", "S")
    )
    assert flag.value == pytest.approx(sums["observed"].iloc[-1] / sums["expected"].iloc[-1] - 1)


def test_a_month_without_a_forecast_adds_nothing_to_it() -> None:
    chain = Chain().contract().agreement().covers("S", months("2011-06", 2), "referrals")
    chain.forecast(4, month("2011-06")).referral("S", month("2011-07"), count=3)
    sums = cumulative(
        agreement_months(chain.frames(), TODAY, None, "C1").query("subcontractor_id == 'S'"),
        rules_as_of(TODAY),
    )
    assert sums["expected"].tolist() == [4, 4]
    assert sums["observed"].tolist() == [0, 3]
