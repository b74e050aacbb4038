"""Clients who come in clumps: estimated from neighbouring months, programme by programme.

A contract C1 of the prime P runs from June 2011; ten months are over.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from metrics.catalogue import assessors
from metrics.clumping import overdispersion
from metrics.facts import gather
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, months

if TYPE_CHECKING:
    from metrics.definition import Assessment
    from metrics.evidence.overdispersion import Clumping

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)
STEADY, CLUMPED = [5, 4, 6, 5, 5, 4, 6, 5, 5, 5], [0, 10, 1, 9, 0, 11, 2, 9, 0, 8]


def chain_of(*counts: list[int], forecast: int | None = 5) -> Chain:
    """One agreement per list of monthly counts, as the subcontractors report them."""
    chain = Chain().organisation("P", "Sample Prime Ltd").contract()
    for number, monthly in enumerate(counts):
        subcontractor = f"S{number}"
        chain.organisation(subcontractor, f"Exampleton {number}").agreement(subcontractor)
        chain.covers(subcontractor, TEN[: len(monthly)], "referrals")
        for month, count in zip(TEN, monthly, strict=False):
            if forecast is not None:
                chain.forecast(forecast, month, subcontractor)
            if count:
                chain.referral(subcontractor, month, subcontractor, count)
    return chain


def clumping(chain: Chain, engine: Any = "pandas") -> Clumping:
    return gather(chain.frames(engine), TODAY).agreements[0].clumping


def answer(chain: Chain, flag: str, subcontractor: str | None = "S0", **rules: str) -> Assessment:
    facts = gather(chain.frames(), TODAY)
    chosen = rules_as_of(TODAY).override(rules)
    (assessor,) = (one for one in assessors() if one.flag.id == flag)
    (found,) = (
        one for one in assessor.assess(facts, chosen) if one.subcontractor_id == subcontractor
    )
    return found


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_it_adds_up_squared_differences_and_sums_of_neighbouring_months(engine: Any) -> None:
    """9 and 3, then 3 and 4: 36 + 1 over 12 + 7."""
    found = clumping(chain_of([9, 3, 4]), engine)
    assert (found.pair_count, found.squared_differences, found.referrals) == (2, 37, 19)
    assert found.estimate() == 1.9


def test_all_agreements_of_a_programme_count_together_and_other_programmes_do_not() -> None:
    chain = chain_of([9, 3], [2, 2])
    chain.contract("C2").agreement("S5", "C2").covers("S5", TEN[:2], "referrals")
    chain.referral("S5", TEN[0], "S5", 50, contract_id="C2")
    for month in TEN[:2]:
        chain.forecast(5, month, "S5", contract_id="C2")
    chain.contracts[1]["programme"] = "Another Programme"
    found = clumping(chain)
    assert (found.pair_count, found.squared_differences, found.referrals) == (2, 36, 16)


def test_whole_contracts_are_estimated_apart() -> None:
    chain = chain_of([5, 5]).covers("P", TEN[:2], "referrals").referral("P", TEN[0], "P", 30)
    chain.forecast(40, TEN[0], None).forecast(40, TEN[1], None)
    facts = gather(chain.frames(), TODAY)
    assert facts.contracts[0].clumping.referrals == 30
    assert facts.agreements[0].clumping.referrals == 10


def test_one_leap_counts_no_more_than_25_times_its_referrals() -> None:
    """A prime that stops sending cannot hide behind its own stop."""
    found = clumping(chain_of([100, 0]))
    assert found.squared_differences == 25 * 100
    assert found.referrals == 100


def test_a_month_without_any_beside_another_says_nothing() -> None:
    assert clumping(chain_of([0, 0, 0])).pair_count == 0


def test_months_that_are_not_neighbours_say_nothing() -> None:
    chain = Chain().contract().agreement("S0").covers("S0", [TEN[0], TEN[2]], "referrals")
    chain.referral("S0", TEN[0], "S0", 4).referral("S0", TEN[2], "S0", 9)
    for month in TEN:
        chain.forecast(5, month, "S0")
    assert clumping(chain).pair_count == 0


def test_months_counted_by_different_sides_are_not_compared() -> None:
    chain = Chain().contract().agreement("S0").covers("S0", TEN[:2], "referrals")
    chain.covers("P", TEN[1:4], "referrals").referral("S0", TEN[0], "S0", 4)
    chain.referral("P", TEN[2], "S0", 5).referral("P", TEN[3], "S0", 9)
    for month in TEN:
        chain.forecast(5, month, "S0")
    found = clumping(chain)
    assert (found.pair_count, found.referrals) == (2, 4 + 14)  # June and July; August, September


def test_months_whose_forecasts_differ_much_are_not_compared() -> None:
    """More than 1 and more than a fifth: the difference was foreseen."""
    chain = chain_of([5, 5, 30, 30], forecast=None)
    for month, forecast in zip(TEN, (5, 6, 30, 36), strict=False):
        chain.forecast(forecast, month, "S0")
    assert clumping(chain).pair_count == 2


def test_months_without_a_promise_are_not_compared() -> None:
    """A row may stand for a whole year's published count: beside an empty month it is no clump."""
    assert clumping(chain_of([0, 900], forecast=None)).pair_count == 0
    half = chain_of([5, 5, 5], forecast=None).forecast(5, TEN[1], "S0")
    assert clumping(half).pair_count == 0


def test_a_share_of_a_known_intake_is_a_promise_too() -> None:
    chain = Chain().contract().agreement("S0", promised_share=0.1).covers("P", TEN, "referrals")
    for month, intake in zip(TEN, (50, 55, 90), strict=False):  # 5, 5.5 and 9 promised
        chain.referral("P", month, "S0", 4).referral("P", month, "P", intake - 4)
    assert clumping(chain).pair_count == 1


def test_with_few_pairs_of_months_it_is_taken_to_be_two_to_be_careful() -> None:
    found = answer(chain_of(CLUMPED), "volume_divergence")
    assert found.evidence["overdispersion"] == {
        "value": 2.0,
        "basis": "too few pairs",
        "pairs": 9,
    }
    other = answer(chain_of(CLUMPED), "volume_divergence", overdispersion_before="1")
    assert other.evidence["overdispersion"]["value"] == 1


def test_with_enough_pairs_it_is_estimated() -> None:
    found = answer(chain_of(*[CLUMPED] * 4), "volume_divergence")
    assert found.evidence["overdispersion"]["basis"] == "estimated"
    assert found.evidence["overdispersion"]["pairs"] == 36
    assert found.evidence["overdispersion"]["value"] > 5
    steady = answer(chain_of(*[STEADY] * 4), "volume_divergence")
    assert steady.evidence["overdispersion"]["value"] == 1


def test_a_rule_sets_it_and_one_gives_the_formulae_of_the_standard() -> None:
    chain = chain_of(*[CLUMPED] * 4)
    fixed = answer(chain, "volume_divergence", overdispersion="1")
    assert fixed.evidence["overdispersion"] == {"value": 1.0, "basis": "rule", "pairs": 36}
    facts = gather(chain.frames(), TODAY)
    rules = rules_as_of(TODAY).override({"overdispersion": "3"})
    told = overdispersion(facts.agreements[0], rules)
    assert told.value == 3
    assert not told.estimated
    assert told.sentence == "Clumping is set to 3 by the rule (1: clients come one by one)."


def test_clumps_widen_the_interval_and_weaken_the_evidence() -> None:
    chain = chain_of([1] * 10, *[CLUMPED] * 4)
    loose = answer(chain, "volume_divergence")
    strict = answer(chain, "volume_divergence", overdispersion="1")
    assert (strict.status, loose.status) == ("raised", "watch")
    assert strict.low is not None
    assert strict.high is not None
    assert loose.low is not None
    assert loose.high is not None
    assert loose.low < strict.low
    assert loose.high > strict.high
    assert loose.value == strict.value
    assert "come in clumps: the variance of monthly referrals is" in loose.sentence
    assert "clumps" not in strict.sentence.partition("What else")[0]


def test_clumps_make_a_zero_likelier() -> None:
    chain = chain_of([0] * 10, *[CLUMPED] * 4, forecast=1)
    strict = answer(chain, "zero_referrals", overdispersion="1")
    assert strict.status == "raised"
    assert strict.evidence["p_zero"] == pytest.approx(2.718281828**-10, rel=1e-6)
    loose = answer(chain, "zero_referrals")
    spread = loose.evidence["overdispersion"]["value"]
    assert loose.evidence["p_zero"] == pytest.approx(spread ** (-10 / (spread - 1)))
    assert loose.status == ("raised" if loose.evidence["p_zero"] <= 0.05 else "too_early")
    assert "in clumps" in loose.sentence


# Among the whole programme


def test_among_many_agreements_a_lone_sign_may_not_stand() -> None:
    """One zero at 4 % among forty agreements: as much comes about by chance."""
    counts = [[0, 0, 0, 0], *([[1, 1, 1, 1]] * 39)]
    found = answer(chain_of(*counts, forecast=1), "zero_referrals", overdispersion="1")
    assert found.status == "raised"
    among = found.evidence["among_programme"]
    assert among == {
        "programme": "Work Programme",
        "assessed": 40,
        "adjusted_probability": pytest.approx(40 * 0.018315638888734),
        "stands": False,
    }
    assert "short of what is asked: the sign is strong enough by itself" in found.sentence


def test_a_strong_sign_stands_among_many() -> None:
    counts = [[0] * 10, *([[9] * 10] * 39)]
    chain = chain_of(*counts, forecast=9)
    for flag in ("zero_referrals", "volume_divergence"):
        found = answer(chain, flag, overdispersion="1")
        assert found.evidence["among_programme"]["stands"] is True
        assert found.evidence["among_programme"]["assessed"] == 40
        assert "short of what is asked" not in found.sentence


def test_what_was_not_assessed_is_not_counted_among_the_programme() -> None:
    chain = chain_of([0] * 10, [9] * 10, forecast=9).agreement("S7").agreement("S8")
    for flag in ("zero_referrals", "volume_divergence"):
        found = answer(chain, flag, overdispersion="1")
        assert found.evidence["among_programme"]["assessed"] == 2
        alone = answer(chain_of([0] * 10, forecast=9), flag, overdispersion="1")
        assert alone.evidence["among_programme"] is None
        silent = answer(chain, flag, "S7", overdispersion="1")
        assert silent.status == "not_reported"
        assert silent.evidence["among_programme"] is None
