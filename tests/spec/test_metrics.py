"""What every metric and flag says of itself."""

from __future__ import annotations

import dataclasses

import pytest

from metrics.catalogue import flags, metrics
from metrics.definition import STATUSES, Flag, Metric
from metrics.rules import register
from metrics.wording import chance, change, count, evidence_size, figure, pounds, share

EVERYTHING = [*metrics(), *flags()]


def test_the_flags_come_in_the_order_of_the_standard() -> None:
    assert [flag.id for flag in flags()][:3] == [
        "zero_referrals",
        "management_fee",
        "volume_divergence",
    ]


def test_the_metrics_are_found_by_module() -> None:
    found = [metric.id for metric in metrics()]
    assert found == sorted(set(found))
    assert {
        "expected_referrals",
        "intake",
        "management_fee",
        "observed_referrals",
        "volume_ratio",
    } <= set(found)


@pytest.mark.parametrize("one", EVERYTHING, ids=lambda one: f"{type(one).__name__} {one.id}")
def test_a_definition_leaves_nothing_unsaid(one: Metric | Flag) -> None:
    for field in dataclasses.fields(one):
        assert getattr(one, field.name), field.name


@pytest.mark.parametrize("flag", flags(), ids=lambda flag: flag.id)
def test_a_flag_rests_on_metrics_and_rules_that_there_are(flag: Flag) -> None:
    assert set(flag.metrics) <= {metric.id for metric in metrics()}
    assert set(flag.rules) <= {rule.id for rule in register()}
    assert flag.rule in flag.rules
    named = [status for status, _ in flag.statuses]
    assert set(named) <= set(STATUSES)
    assert len(named) == len(set(named))


def test_numbers_are_said_in_words_that_agree_with_them() -> None:
    assert count(1, "referral") == "1 referral"
    assert count(0, "referral") == "0 referrals"
    assert count(12.4, "referral") == "12.4 referrals"
    assert figure(-0.001) == "0"
    assert figure(1234.5) == "1,234.5"


def test_money_is_said_in_pounds() -> None:
    assert [pounds(pence) for pence in (123_450, -500, 0, 5)] == ["£1,234.50", "-£5", "£0", "£0.05"]


def test_rates_are_said_as_fine_as_the_rule_beside_them_needs() -> None:
    assert share(0.22) == "22 %"
    assert share(-0.2) == "minus 20 %"
    assert share(-0.00001) == "0 %"
    assert share(0.0004) == "0.04 %"
    assert share(0.15, 0.15) == "15 %"
    assert share(0.150001, 0.15) == "15.0001 %"
    assert share(0.15 + 1e-12, 0.15) == "15 %"
    assert change(-0.25) == "25 % fewer"
    assert change(0.4) == "40 % more"
    assert chance(0.0004) == "less than 0.1 %"
    assert chance(0.0498) == "4.98 %"
    assert chance(0.050037) == "5 %"
    assert chance(0.050037, 0.05) == "5.004 %"
    assert chance(0.05, 0.05) == "5 %"
    assert evidence_size(19.996) == "20"
    assert evidence_size(19.996, 20) == "just under 20"
    assert evidence_size(4.449, 20) == "4.45"
    assert evidence_size(2e6, 20) == "over a million"
