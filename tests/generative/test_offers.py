"""What must hold for every offer, whatever its terms."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.forecasts_held import Held, forecasts_held
from metrics.offer import GroupTerms, Offer, Payment
from metrics.offer_expectation import expectation
from metrics.offer_outlook import outlook
from tests.oracle import offers_oracle
from tests.spec.test_offers import plain

RUNS = 100
MONEY = st.integers(0, 3000_00)


@st.composite
def group_terms(draw: st.DrawFn) -> GroupTerms:
    chances = sorted((draw(st.integers(0, 100)) / 100 for _ in range(3)), reverse=True)
    waits = sorted(draw(st.integers(0, 14)) for _ in range(3))
    counts = (1, 1, draw(st.integers(1, 14)))
    return GroupTerms(
        "G",
        draw(st.integers(0, 80)) / 4,
        *(Payment(draw(MONEY), *about) for about in zip(chances, waits, counts, strict=True)),
    )


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    return Offer(
        name="O",
        months=draw(st.integers(1, 24)),
        groups=tuple(draw(st.lists(group_terms(), min_size=1, max_size=2))),
        payment_days=draw(st.integers(0, 120)),
        service_fee_pence=draw(MONEY),
        start_up_cost_pence=draw(MONEY),
        monthly_cost_pence=draw(MONEY),
        cost_per_client_pence=draw(st.integers(0, 300_00)),
        tupe_liability_pence=draw(MONEY),
        tupe_month=draw(st.integers(1, 40)),
        tupe_chance=draw(st.integers(0, 100)) / 100,
        reserve_pence=draw(st.integers(0, 50_000_00)),
        held=Held(draw(st.integers(0, 200)) / 100, draw(st.integers(0, 100)) / 100, "stated"),
        clumping=draw(st.sampled_from([0.0, 1.0, 2.5])),
        paid_after_end=draw(st.booleans()),
    )


def scaled(offer: Offer, times: int) -> Offer:
    groups = (replace(one, referrals_a_month=one.referrals_a_month * times) for one in offer.groups)
    return replace(offer, groups=tuple(groups))


@settings(max_examples=60, deadline=None)
@given(offers(), st.integers(2, 5))
def test_more_volume_never_changes_the_break_even_volume(offer: Offer, times: int) -> None:
    one, more = expectation(offer).break_even, expectation(scaled(offer, times)).break_even
    assert (one.kind, one.referrals) == (more.kind, more.referrals)


@settings(max_examples=40, deadline=None)
@given(offers())
def test_the_expectation_is_the_sum_of_the_months(offer: Offer) -> None:
    volume = Fraction(str(offer.held.mean))
    assert expectation(offer).result_pence == offers_oracle.result(plain(offer), volume)


@settings(max_examples=40, deadline=None)
@given(offers(), st.integers(0, 2), st.integers(1, 500_00))
def test_a_higher_price_never_lowers_income_or_raises_a_danger(
    offer: Offer, place: int, more: int
) -> None:
    first = offer.groups[0]
    payments = list(first.payments)
    payments[place] = replace(payments[place], price_pence=payments[place].price_pence + more)
    dearer = replace(
        offer,
        groups=(
            GroupTerms(first.client_group, first.referrals_a_month, *payments),
            *offer.groups[1:],
        ),
    )
    assert expectation(dearer).income_pence >= expectation(offer).income_pence
    before, after = outlook(offer, RUNS), outlook(dearer, RUNS)
    assert after.loss_rate <= before.loss_rate
    assert after.out_of_money_rate <= before.out_of_money_rate
    assert after.lowest.mean_pence >= before.lowest.mean_pence


@settings(max_examples=40, deadline=None)
@given(offers(), st.integers(1, 200))
def test_longer_payment_never_raises_the_lowest_point_nor_changes_the_result(
    offer: Offer, days: int
) -> None:
    before = outlook(offer, RUNS)
    after = outlook(replace(offer, payment_days=offer.payment_days + days), RUNS)
    assert after.lowest.mean_pence <= before.lowest.mean_pence
    assert after.out_of_money_rate >= before.out_of_money_rate
    assert after.result == before.result


@settings(max_examples=30, deadline=None)
@given(offers(), st.integers(1, 50_000_00))
def test_a_larger_reserve_never_runs_out_more_often(offer: Offer, more: int) -> None:
    before = outlook(offer, RUNS)
    after = outlook(replace(offer, reserve_pence=offer.reserve_pence + more), RUNS)
    assert after.out_of_money_rate <= before.out_of_money_rate


@settings(max_examples=30, deadline=None)
@given(offers())
def test_an_outlook_is_in_order(offer: Offer) -> None:
    found = outlook(offer, RUNS)
    assert len(found.balances) == offer.horizon_months
    assert found.balances[-1] == found.result
    assert all(one.low_pence <= one.high_pence for one in found.balances)
    assert found.lowest.high_pence <= 0
    assert 0 <= found.lowest_month <= offer.horizon_months
    sums: dict[str, Any] = found.answer()
    assert len(sums["months"]) == offer.horizon_months


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 200)), min_size=5, max_size=30),
    st.floats(1, 5),
)
def test_how_forecasts_held_lies_within_the_ratios_and_ignores_their_order(
    counts: list[tuple[int, int]], overdispersion: float
) -> None:
    found = forecasts_held(counts, overdispersion)
    ratios = [observed / expected for observed, expected in counts]
    assert min(ratios) - 1e-4 <= found.mean <= max(ratios) + 1e-4
    assert found.spread >= 0
    turned = forecasts_held(counts[::-1], overdispersion)
    assert abs(turned.mean - found.mean) < 2e-4
