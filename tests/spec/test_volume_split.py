"""Whose failure: forecast = volume x allocation, by client group, in referrals.

The contract C1 of the prime P expects 100 clients a month, of which S was promised 10.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from metrics.facts import gather
from metrics.flags import volume_divergence
from metrics.rules import rules_as_of
from metrics.volume_split import volume_splits
from tests.oracle.chain import Chain, months

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)


def expected(
    intake: int, received: int, when: list[dt.date] = TEN, group: str | None = None
) -> Chain:
    """What came in each month of a forecast of 100 for the contract and 10 for S."""
    chain = Chain().organisation("S", "Exampleton Trust").organisation("P", "Sample Prime Ltd")
    chain.contract().agreement(promised_share=0.1).covers("P", TEN, "referrals")
    return add(chain, intake, received, when, group)


def add(chain: Chain, intake: int, received: int, when: list[dt.date], group: str | None) -> Chain:
    named = group or "JSA 25+"
    for month in when:
        chain.forecast(100, month, None, group).forecast(10, month, "S", group)
        chain.referral("P", month, "S", received, named)
        chain.referral("P", month, "P", intake - received, named)
    return chain


def split(chain: Chain, engine: Any = "pandas") -> dict[str, Any] | None:
    found = volume_splits(gather(chain.frames(engine), TODAY)).get(("C1", "S"))
    return found.evidence() if found else None


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_a_commissioner_that_sends_a_third_explains_the_whole_shortfall(engine: Any) -> None:
    found = split(expected(30, 3), engine)
    assert found is not None
    assert (found["observed"], found["forecast"]) == (30, 100)
    assert (found["intake"], found["forecast_intake"]) == (300, 1000)
    assert (found["volume_factor"], found["allocation_factor"]) == (0.3, 1.0)
    assert (found["volume_effect"], found["allocation_effect"]) == (-70, 0)
    assert found["sentence"] == (
        "Of 100 referrals forecast for 10 months, the commissioner's volume accounts for 70 fewer "
        "and the prime's allocation for none more or fewer: 30 came."
    )


def test_a_prime_that_allocates_a_third_explains_the_whole_shortfall() -> None:
    found = split(expected(100, 3))
    assert found is not None
    assert (found["volume_factor"], found["allocation_factor"]) == (1.0, 0.3)
    assert (found["volume_effect"], found["allocation_effect"]) == (0, -70)


def test_both_can_fail_and_one_can_make_up_for_the_other() -> None:
    found = split(expected(50, 8))
    assert found is not None
    assert (found["volume_effect"], found["allocation_effect"]) == (-50, 30)
    assert found["volume_factor"] * found["allocation_factor"] == pytest.approx(0.8)


def test_the_steps_lead_from_the_forecast_to_what_came() -> None:
    found = split(expected(73, 6))
    assert found is not None
    assert found["forecast"] + found["volume_effect"] + found["allocation_effect"] == pytest.approx(
        found["observed"]
    )


def test_it_is_worked_out_by_client_group_where_forecasts_name_groups() -> None:
    """Jobseekers came as forecast and were shared out fairly; health-related clients did not
    come. All together the prime would look unfair."""
    chain = expected(100, 10, group="JSA")
    add(chain, 20, 2, TEN, "ESA")
    found = split(chain)
    assert found is not None
    assert [
        (one["client_group"], one["volume_effect"], one["allocation_effect"])
        for one in found["by_client_group"]
    ] == [("ESA", -80, 0), ("JSA", 0, 0)]
    assert (found["volume_effect"], found["allocation_effect"]) == (-80, 0)


def test_clients_of_a_group_that_was_not_promised_count_as_allocation() -> None:
    chain = expected(100, 10, group="JSA").referral("P", TEN[0], "S", 7, "ESA")
    found = split(chain)
    assert found is not None
    assert (found["volume_effect"], found["allocation_effect"]) == (0, 7)


def test_where_only_the_contract_names_groups_those_served_are_taken() -> None:
    chain = Chain().contract().agreement().covers("P", TEN, "referrals").price("ESA")
    chain.forecast(10, TEN[0], "S").forecast(100, TEN[0], None, "ESA")
    chain.forecast(900, TEN[0], None, "JSA")
    chain.referral("P", TEN[0], "P", 40, "ESA").referral("P", TEN[0], "S", 10, "ESA")
    chain.referral("P", TEN[0], "P", 900, "JSA")
    found = split(chain)
    assert found is not None
    assert (found["intake"], found["forecast_intake"]) == (50, 100)
    assert (found["volume_factor"], found["allocation_factor"]) == (0.5, 2.0)


def test_only_months_that_the_prime_reported_and_both_forecasts_name_are_split() -> None:
    chain = expected(30, 3, TEN[:4]).forecast(10, TEN[5], "S").forecast(100, TEN[6], None)
    found = split(chain)
    assert found is not None
    assert found["months"] == 4
    assert found["observed"] == 12


def test_the_subcontractors_own_count_is_used_where_it_reported() -> None:
    chain = expected(100, 10).covers("S", TEN[:1], "referrals").referral("S", TEN[0], "S", 4)
    found = split(chain)
    assert found is not None
    assert found["observed"] == 94


def test_without_the_contracts_forecast_or_the_primes_return_there_is_no_split() -> None:
    no_contract = Chain().contract().agreement().covers("P", TEN, "referrals")
    assert split(no_contract.forecast(10, TEN[0], "S")) is None
    no_return = Chain().contract().agreement().covers("S", TEN, "referrals")
    assert split(no_return.forecast(10, TEN[0], "S").forecast(100, TEN[0], None)) is None


def test_a_forecast_of_none_for_the_contract_or_the_agreement_cannot_be_split() -> None:
    chain = Chain().contract().agreement().covers("P", TEN, "referrals")
    assert split(chain.forecast(10, TEN[0], "S").forecast(0, TEN[0], None)) is None
    none = Chain().contract().agreement().covers("P", TEN, "referrals")
    assert split(none.forecast(0, TEN[0], "S").forecast(100, TEN[0], None)) is None


def test_an_intake_of_none_leaves_nothing_to_allocate() -> None:
    chain = Chain().contract().agreement().covers("P", TEN, "referrals")
    chain.forecast(10, TEN[0], "S").forecast(100, TEN[0], None)
    found = split(chain)
    assert found is not None
    assert (found["volume_factor"], found["allocation_factor"]) == (0.0, None)
    (step,) = volume_divergence.split_steps(found)
    assert step.startswith("0 / 10 = 0.00 (the commissioner's volume). Of 10 referrals forecast")
    assert (found["volume_effect"], found["allocation_effect"]) == (-10, 0)


def test_clients_received_of_whom_the_prime_reports_none_cannot_be_split() -> None:
    chain = Chain().contract().agreement().covers("P", TEN, "referrals")
    chain.covers("S", TEN, "referrals").referral("S", TEN[0], "S", 5)
    assert split(chain.forecast(20, TEN[0], "S").forecast(100, TEN[0], None)) is None


def test_a_raised_divergence_tells_the_split_and_shows_it_by_group() -> None:
    facts = gather(expected(30, 3, group="ESA").frames(), TODAY)
    found = next(
        one
        for one in volume_divergence.assess(facts, rules_as_of(TODAY))
        if one.subcontractor_id == "S"
    )
    assert (found.status, found.attributed_to) == ("raised", "commissioner")
    assert "the commissioner's volume accounts for 70 fewer" in found.sentence
    steps = volume_divergence.account(found, facts).arithmetic
    assert any(
        step.startswith("30 / 100 = 0.30 (the commissioner's volume) x 1.00") for step in steps
    )
    assert "ESA: 100 forecast x 300 / 1,000 of the intake = 30; 30 came." in steps
