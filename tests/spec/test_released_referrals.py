"""Referrals as anybody may know them: nobody is shown as nobody, few are hidden, totals match."""

from __future__ import annotations

import datetime as dt

from metrics.disclosure import Disclosed, PastTotal, policy_of
from metrics.facts import gather
from metrics.released_referrals import quarter_of, released_referrals
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, months

TODAY = dt.date(2012, 4, 15)
SIX = months("2011-10", 6)
POLICY = policy_of(rules_as_of(TODAY))
FEW = Disclosed(None, "few_people")


def found(chain: Chain, past=(), confidential=frozenset(), asks_first=frozenset(), engine="duckdb"):
    facts = gather(chain.frames(engine), TODAY, confidential=confidential)
    return {
        (one.contract_id, one.subcontractor_id, one.period): one
        for one in released_referrals(facts, POLICY, past, asks_first)
    }


def chain_of_two() -> Chain:
    """S is sent 10 a month and T nobody; the prime keeps 20 in house."""
    chain = Chain().organisation("P", "Sample Prime").contract(starts_on="2011-10-01")
    chain.agreement("S").agreement("T").covers("P", SIX, "referrals").covers("S", SIX, "referrals")
    for month in SIX:
        chain.forecast(12, month, "S")
        chain.referral("S", month, "S", 10).referral("P", month, "S", 9)
        chain.referral("P", month, "P", 20)
    return chain


def test_each_count_is_the_subcontractors_word_else_the_primes():
    counts = found(chain_of_two())
    of_s, of_t = counts["C1", "S", "2011-10"], counts["C1", "T", "2011-10"]
    assert (of_s.disclosed, of_s.counted_by, of_s.forecast) == (Disclosed(10), "subcontractor", 12)
    assert (of_t.disclosed, of_t.counted_by, of_t.forecast) == (Disclosed(0), "prime", None)


def test_what_the_prime_kept_in_house_stands_under_its_own_id():
    kept = found(chain_of_two())["C1", "P", "2012-01"]
    assert (kept.disclosed, kept.counted_by) == (Disclosed(20), "prime")


def test_totals_are_by_month_quarter_and_contract():
    counts = found(chain_of_two())
    assert counts["C1", "", "2011-10"].disclosed == Disclosed(30)
    assert counts["C1", "S", "2011-Q4"].disclosed == Disclosed(30)
    whole = counts["C1", "", "2012-Q1"]
    assert (whole.disclosed, whole.counted_by, whole.is_total) == (Disclosed(90), "both", True)
    assert sum(whole.parts.values()) == 90
    assert not counts["C1", "S", "2011-10"].is_total


def test_both_engines_say_the_same():
    assert found(chain_of_two()) == found(chain_of_two(), engine="pandas")


def test_one_to_seven_are_hidden():
    chain = chain_of_two()
    chain.referral("P", SIX[0], "T", 3)
    assert found(chain)["C1", "T", "2011-10"].disclosed == FEW


def test_a_month_that_is_not_reported_has_no_count_and_no_total():
    chain = chain_of_two()
    chain.coverage[:] = [row for row in chain.coverage if row["month"] != SIX[1]]
    counts = found(chain)
    assert ("C1", "S", "2011-11") not in counts
    assert ("C1", "", "2011-11") not in counts
    assert ("C1", "S", "2011-Q4") not in counts
    assert ("C1", "S", "2012-Q1") in counts


def test_a_month_in_which_one_is_not_reported_has_no_total_of_the_contract():
    chain = chain_of_two()
    chain.coverage[:] = [
        row for row in chain.coverage if (row["reporter_id"], row["month"]) != ("P", SIX[0])
    ]
    counts = found(chain)
    assert counts["C1", "S", "2011-10"].disclosed == Disclosed(10)
    assert ("C1", "", "2011-10") not in counts
    assert ("C1", "", "2011-Q4") not in counts


def test_confidential_contracts_are_not_there():
    chain = chain_of_two()
    assert found(chain, confidential=frozenset({"C1"})) == {}


def test_of_who_asks_first_only_the_primes_count_is_told():
    chain = chain_of_two()
    count = found(chain, asks_first=frozenset({"S"}))["C1", "S", "2011-10"]
    assert (count.counted_by, count.disclosed) == ("prime", Disclosed(10))  # 9, rounded
    chain.coverage[:] = [row for row in chain.coverage if row["reporter_id"] == "S"]
    assert ("C1", "S", "2011-10") not in found(chain, asks_first=frozenset({"S"}))


def test_a_prime_that_is_its_own_subcontractor_has_one_line():
    chain = chain_of_two().agreement("P")
    assert found(chain)["C1", "P", "2011-10"].disclosed == Disclosed(20)


def test_an_earlier_release_of_the_same_counts_limits_the_totals():
    """4 of T beside 11 (15): before, two other sums with the same 4 left no way open."""
    chain = Chain().organisation("P", "Sample Prime").contract(starts_on="2011-10-01")
    chain.agreement("S").agreement("T").covers("P", SIX[:1], "referrals")
    chain.referral("P", SIX[0], "S", 11).referral("P", SIX[0], "T", 4)
    key = "C1", "", "2011-10"
    assert found(chain)[key].disclosed == Disclosed(15)
    of_t, of_s = ("C1", "T", "2011-10"), ("C1", "S", "2011-10")
    past = [PastTotal({of_t: 4, of_s: other}, 5) for other in (13, 14)]
    assert found(chain, past)[key].disclosed == FEW


def test_an_agreement_without_a_window_is_never_at_work():
    chain = chain_of_two()
    chain.agreement("U", "C9")
    assert ("C1", "", "2011-10") in found(chain)


def test_the_quarters_are_the_calendars():
    assert [quarter_of(f"2012-{month:02d}") for month in (1, 3, 4, 12)] == [
        "2012-Q1",
        "2012-Q1",
        "2012-Q2",
        "2012-Q4",
    ]
