"""How primes compare: about primes, never about a subcontractor."""

from __future__ import annotations

import datetime as dt

import pytest

from metrics.disclosure import Contribution, Disclosed, policy_of
from metrics.facts import gather
from metrics.rules import rules_as_of
from metrics.terms import MEASURES, best_bands, compare, known_by, own_terms
from tests.oracle.chain import Chain, months

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)
RULES = rules_as_of(TODAY)
POLICY = policy_of(RULES)


def chain_of(*subcontractors: int, **terms) -> Chain:
    """Contract C1 of P1, C2 of P2 and so on, with so many subcontractors each."""
    chain = Chain()
    for number, count in enumerate(subcontractors, start=1):
        contract_id, prime = f"C{number}", f"P{number}"
        chain.organisation(prime, f"Sample Prime {number}").contract(contract_id, prime)
        chain.covers(prime, TEN, "referrals").covers(prime, TEN, "payments")
        for place in range(count):
            chain.agreement(f"S{number}{place}", contract_id, **terms)
    return chain


def figures(chain: Chain, measure: str, confidential=frozenset(), past=()):
    facts = gather(chain.frames("duckdb"), TODAY, confidential=confidential)
    return [one for one in compare(facts, POLICY, past).figures if one.measure == measure]


def told(found):
    return [(one.prime_ids, one.source_count, one.disclosed) for one in found]


def test_the_fee_as_agreed_is_the_mean_over_a_primes_subcontractors():
    chain = chain_of(6, 6, agreed_management_fee_rate=0.12)
    for row in chain.agreements[6:]:
        row["agreed_management_fee_rate"] = 0.30
    found = figures(chain, "declared_fee")
    assert told(found) == [(("P1",), 6, Disclosed(0.1)), (("P2",), 6, Disclosed(0.3))]


def test_the_fee_as_paid_weighs_each_by_what_the_commissioner_paid():
    chain = chain_of(6)
    for place in range(6):
        received, payable = (200_000, 100_000) if place == 0 else (160_000, 144_000)
        chain.payment("P1", TEN[0], received, payable, subcontractor=f"S1{place}")
    (found,) = figures(chain, "effective_fee")
    exact = 1 - (100_000 + 5 * 144_000) / (200_000 + 5 * 160_000)
    assert found.mean.exact == pytest.approx(exact)
    assert found.disclosed == Disclosed(pytest.approx(0.20))


def test_prices_are_shares_of_the_commissioners_price_by_payment_type_and_band():
    chain = chain_of(5, 1)
    chain.price("young", None, "C2", price_pence=100_000).price("young", "S20", "C2")
    chain.price("young", None, price_pence=100_000).price("adult", None, price_pence=200_000)
    for place in range(5):
        chain.price("young", f"S1{place}", price_pence=90_000)
        chain.price("adult", f"S1{place}", price_pence=160_000)
    found = figures(chain, "price")
    assert [(one.prime_ids, one.client_groups, one.disclosed.value) for one in found] == [
        (("P1",), ("young",), pytest.approx(0.9)),
        (("P1",), ("adult",), pytest.approx(0.8)),
        (("P2",), ("young",), None),
    ]
    assert {one.payment_type for one in found} == {"job_outcome"}


def test_client_groups_that_are_too_thin_alone_are_put_with_their_neighbours():
    chain = chain_of(6)
    for group, pence in (("young", 100_000), ("adult", 200_000), ("health", 600_000)):
        chain.price(group, None, price_pence=pence)
    for place in range(6):
        chain.price("young", f"S1{place}", price_pence=90_000)
        group, pence = ("adult", 180_000) if place < 3 else ("health", 540_000)
        chain.price(group, f"S1{place}", price_pence=pence)
    comparison = compare(gather(chain.frames("duckdb"), TODAY), POLICY)
    assert comparison.bands == (("young",), ("adult", "health"))
    assert comparison.shown_share == 1.0


def test_bands_cover_the_most_cells_and_then_show_the_most_figures():
    found = {
        (prime, "job_outcome"): [
            Contribution(prime, f"S{n}", 0.9, part=group)
            for group, count in groups.items()
            for n in range(count)
        ]
        for prime, groups in {"P1": {"a": 5, "b": 5, "c": 1}, "P2": {"a": 1, "b": 1}}.items()
    }
    enough = lambda mine: len({one.source_id for one in mine}) >= 5  # noqa: E731
    assert best_bands(["a", "b", "c"], found, enough) == (("a",), ("b", "c"))
    assert best_bands([], {}, enough) == ()


def test_the_share_at_risk_the_days_and_the_volume_kept():
    chain = chain_of(5, at_risk_share=0.8)
    for place in range(5):
        who = f"S1{place}"
        chain.payment("P1", TEN[0], 1000, 900, subcontractor=who, invoiced_on=dt.date(2011, 6, 8))
        chain.forecast(20, TEN[1], who)
        chain.referral("P1", TEN[1], who, 16 if place else 20)
    assert told(figures(chain, "at_risk_share")) == [(("P1",), 5, Disclosed(0.8))]
    assert told(figures(chain, "payment_days")) == [(("P1",), 5, Disclosed(20.0))]
    assert told(figures(chain, "volume_kept")) == [(("P1",), 5, Disclosed(pytest.approx(0.8)))]


def test_who_was_sent_nobody_is_counted_exactly_however_few_they_are():
    chain = chain_of(2, named_in_bid=True)
    chain.referral("P1", TEN[0], "S10", 3)
    (found,) = figures(chain, "zero_referral_share")
    assert (found.zero_count, found.source_count, found.disclosed) == (1, 2, Disclosed(0.5))


def test_primes_with_too_few_subcontractors_are_put_together():
    chain = chain_of(6, 3, 3, agreed_management_fee_rate=0.1)
    found = figures(chain, "declared_fee")
    few = Disclosed(None, "few_sources")
    assert told(found) == [
        (("P1",), 6, Disclosed(0.1)),
        (("P2",), 3, few),
        (("P3",), 3, few),
        (("P2", "P3"), 6, Disclosed(0.1)),
    ]


def test_a_prime_alone_too_small_is_put_with_nobody_and_too_few_together_are_not_shown():
    few = Disclosed(None, "few_sources")
    alone = figures(chain_of(6, 3, agreed_management_fee_rate=0.1), "declared_fee")
    assert told(alone)[1:] == [(("P2",), 3, few)]
    both = figures(chain_of(2, 2, agreed_management_fee_rate=0.1), "declared_fee")
    assert told(both) == [(("P1",), 2, few), (("P2",), 2, few)]


def test_confidential_contracts_and_work_kept_in_house_take_no_part():
    chain = chain_of(6, 6, agreed_management_fee_rate=0.1)
    chain.agreement("P1", "C1", agreed_management_fee_rate=0.9)
    found = figures(chain, "declared_fee", confidential=frozenset({"C2"}))
    assert told(found) == [(("P1",), 6, Disclosed(0.1))]
    assert figures(chain, "zero_referral_share") == []


def test_what_earlier_releases_showed_is_taken_into_account():
    chain = chain_of(6, agreed_management_fee_rate=0.12)
    (before,) = figures(chain, "declared_fee")
    chain.agreements.pop()
    (fresh,) = figures(chain, "declared_fee")
    (found,) = figures(chain, "declared_fee", past=[before])
    assert before.mean.step <= fresh.mean.step <= found.mean.step


def test_how_many_cells_are_shown_is_told():
    comparison = compare(
        gather(chain_of(6, 3, agreed_management_fee_rate=0.1).frames("duckdb"), TODAY), POLICY
    )
    assert (comparison.cell_count, comparison.shown_cell_count) == (2, 1)
    assert comparison.shown_share == 0.5
    assert compare(gather(Chain().contract().frames("duckdb"), TODAY), POLICY).shown_share is None


def test_ones_own_terms_are_exact_and_include_confidential_contracts():
    chain = chain_of(6, 6, agreed_management_fee_rate=0.123)
    chain.payment("P1", TEN[0], 1000, 900, subcontractor="S10")
    chain.payment("P1", TEN[0], 3000, 2100, subcontractor="S10")
    facts = gather(chain.frames("duckdb"), TODAY, confidential=frozenset({"C1"}))
    mine = own_terms(facts, "S10")
    assert mine["declared_fee", "", ""] == 0.123
    assert mine["effective_fee", "", ""] == pytest.approx(1 - 3000 / 4000)
    assert own_terms(facts, "S99") == {}


@pytest.mark.parametrize(
    ("day", "known"),
    [("2012-04-15", "2012-01-15"), ("2012-05-31", "2012-02-29"), ("2012-02-10", "2011-11-10")],
)
def test_what_became_known_in_the_last_three_months_is_left_out(day, known):
    assert known_by(dt.date.fromisoformat(day), POLICY) == dt.date.fromisoformat(known)


def test_every_measure_says_what_it_is():
    for one in MEASURES.values():
        assert one.what.endswith(".")
        assert one.title
        assert one.weighted_by
