"""Weighing offers: what is expected, what may happen, what to negotiate, what is not promised.

The offer of these tests is one client group of 10 referrals a month for 12 months; each client
starts and brings £100 at once, which is paid without delay; it costs £600 a month. Whatever a
test changes is written in it.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from data.errors import UnusableOffer
from data.offer_form import OfferForm, blank_form, example_form, question_named
from metrics.forecasts_held import ASSUMED, Held, forecasts_held
from metrics.offer import GroupTerms, Offer, Payment, offer_of, price_after_fee
from metrics.offer_expectation import (
    break_even_sentence,
    expectation,
    implied_management_fee,
    pounds_of,
    stated_against_prices,
)
from metrics.offer_negotiation import LEVERS, effects
from metrics.offer_outlook import (
    Range,
    chance_told,
    dangers,
    in_words,
    outlook,
    volume_factor,
)
from metrics.offer_promises import POINT_TITLES, POINTS, not_firm
from metrics.offer_weighing import weigh
from tests.oracle import offers_oracle

NOTHING = Payment(0, 0.0)
CERTAIN = Held(1.0, 0.0, "stated")


def group(
    referrals: float = 10,
    start: Payment = Payment(100_00, 1.0),  # noqa: B008
    outcome: Payment = NOTHING,
    stay: Payment = NOTHING,
    name: str = "ESA",
) -> GroupTerms:
    return GroupTerms(name, referrals, start, outcome, stay)


def an_offer(*groups: GroupTerms, **terms: Any) -> Offer:
    plain: dict[str, Any] = {
        "name": "Sample Prime",
        "months": 12,
        "groups": groups or (group(),),
        "payment_days": 0,
        "monthly_cost_pence": 600_00,
        "held": CERTAIN,
        "clumping": 0.0,
    }
    return Offer(**plain | terms)


RICH = an_offer(
    group(
        8,
        Payment(300_00, 0.9, 0, 1, 400_00),
        Payment(1000_00, 0.3, 6, 1, 1200_00),
        Payment(150_00, 0.2, 7, 10, 200_00),
    ),
    group(2.5, Payment(0, 0.5), Payment(3000_00, 0.125, 9), name="JSA"),
    months=24,
    payment_days=45,
    start_up_cost_pence=5000_00,
    cost_per_client_pence=40_00,
    service_fee_pence=500_00,
    tupe_liability_pence=8000_00,
    tupe_month=4,
    tupe_chance=0.25,
    reserve_pence=20_000_00,
    monthly_cost_pence=6500_00,
    held=Held(0.8, 0.3, "stated"),
    clumping=1.0,
)


def plain(offer: Offer) -> dict[str, Any]:
    """The offer as the oracle takes it."""
    return {
        "months": offer.months,
        "start_up": offer.start_up_cost_pence,
        "monthly": offer.monthly_cost_pence,
        "per_client": offer.cost_per_client_pence,
        "service_fee": offer.service_fee_pence,
        "days": offer.payment_days,
        "tupe": offer.tupe_liability_pence,
        "tupe_month": offer.tupe_month,
        "tupe_chance": str(offer.tupe_chance),
        "paid_after_end": offer.paid_after_end,
        "groups": [
            {
                "referrals": str(one.referrals_a_month),
                "events": [
                    {
                        "price": payment.price_pence,
                        "chance": str(payment.chance),
                        "after": payment.after_months,
                        "count": payment.payment_count,
                    }
                    for payment in one.payments
                ],
            }
            for one in offer.groups
        ],
    }


# What is expected


def test_income_is_clients_times_chance_times_price() -> None:
    """120 clients x £100 = £12,000; £7,200 of costs; £4,800 left over."""
    found = expectation(an_offer())
    assert (found.income_pence, found.cost_pence, found.result_pence) == (
        12_000_00,
        7_200_00,
        4_800_00,
    )
    assert found.income_per_client_pence == 100_00
    assert found.groups[0].income_per_client_pence == 100_00
    assert found.referrals == 120


def test_results_that_come_after_the_end_are_earned_only_if_they_are_paid() -> None:
    late = an_offer(group(start=NOTHING, outcome=Payment(100_00, 0.0)), months=3)
    late = replace(late, groups=(group(10, Payment(0, 1.0), Payment(100_00, 0.5, 2)),))
    assert expectation(late).income_pence == 3 * 10 * 50_00
    assert expectation(replace(late, paid_after_end=False)).income_pence == 10 * 50_00


@pytest.mark.parametrize("paid_after_end", [True, False])
def test_the_expectation_agrees_with_the_months_added_up_one_by_one(paid_after_end: bool) -> None:
    offer = replace(RICH, paid_after_end=paid_after_end)
    found = expectation(offer)
    assert found.result_pence == offers_oracle.result(plain(offer), Fraction("0.8"))
    share = offers_oracle.break_even(plain(offer))
    assert share is not None
    assert found.break_even.forecast_share is not None
    assert float(found.break_even.forecast_share) == pytest.approx(float(share), rel=1e-9)


@pytest.mark.parametrize(
    ("terms", "kind", "told"),
    [
        ({}, "from", "It breaks even at 72 clients (6 a month, 60 % of the forecast); you expect"),
        ({"service_fee_pence": 600_00}, "always", "however few clients come"),
        ({"cost_per_client_pence": 100_00}, "never", "No volume makes it break even"),
        ({"cost_per_client_pence": 200_00}, "never", "No volume makes it break even"),
        (
            {"cost_per_client_pence": 150_00, "service_fee_pence": 700_00},
            "up_to",
            "It loses money from 24 clients (2 a month, 20 % of the forecast) on",
        ),
        ({"groups": (group(0),)}, "never", "No volume"),
    ],
)
def test_the_break_even_volume_in_words(terms: dict[str, Any], kind: str, told: str) -> None:
    found = expectation(an_offer(**terms))
    assert found.break_even.kind == kind
    assert told in break_even_sentence(found)
    assert found.answer()["break_even"]["kind"] == kind


def test_the_share_at_risk_is_that_of_job_outcomes_and_sustainments() -> None:
    found = expectation(
        an_offer(group(10, Payment(50_00, 1.0), Payment(100_00, 0.25), Payment(50_00, 0.25, 0, 2)))
    )
    assert found.share_at_risk == Fraction(1, 2)
    assert expectation(an_offer(group(start=NOTHING))).share_at_risk is None


def test_what_is_stated_is_held_against_what_the_prices_imply() -> None:
    """For each client £1,120 comes in and £870 is passed on: 22.3 % is kept, and 20 % is near."""
    implied = implied_management_fee(RICH)
    assert implied is not None
    assert round(float(implied), 3) == 0.223
    stated = replace(RICH, management_fee_rate=0.15, share_at_risk=0.2)
    told = stated_against_prices(stated, expectation(stated))
    assert told[0].startswith("The share of the income at risk is 20 % as the offer states it, and")
    assert "The management fee is 15 % as the offer states it, and 22.3 % by its prices." in told[1]
    near = replace(RICH, management_fee_rate=0.2)
    assert stated_against_prices(near, expectation(near)) == ()
    assert implied_management_fee(an_offer()) is None


def test_the_price_follows_from_the_commissioners_price_and_the_fee() -> None:
    assert price_after_fee(1200_00, 0.15) == 1020_00
    assert price_after_fee(3_33, 0.1) == 3_00
    assert price_after_fee(1000_00, -0.1) == 1100_00
    assert pounds_of(None) == "none"


# What may happen


def test_without_chance_and_delay_every_run_agrees_with_the_closed_form_to_the_penny() -> None:
    """Month by month the balance is £400 higher, in every run."""
    found = outlook(an_offer(), 100)
    assert [one.mean_pence for one in found.balances] == [400_00 * n for n in range(1, 13)]
    assert found.result == Range(4_800_00, 4_800_00, 4_800_00)
    assert (found.loss_rate, found.out_of_money_rate) == (0, 0)
    assert (found.lowest, found.lowest_month) == (Range(0, 0, 0), 0)


@pytest.mark.parametrize("paid_after_end", [True, False])
@pytest.mark.parametrize("days", [0, 1, 30, 31, 90])
def test_delays_move_the_money_as_the_loops_do(days: int, paid_after_end: bool) -> None:
    """All chances are certain, so that each run is the expectation, month by month."""
    sure = an_offer(
        group(3, Payment(100_00, 1.0, 1), Payment(500_00, 1.0, 4), Payment(20_00, 1.0, 6, 5)),
        payment_days=days,
        paid_after_end=paid_after_end,
        start_up_cost_pence=900_00,
        service_fee_pence=50_00,
        tupe_liability_pence=700_00,
        tupe_month=20,
        cost_per_client_pence=5_00,
    )
    cash = offers_oracle.cash_as_expected(plain(sure), Fraction(1))
    found = outlook(sure, 100)
    assert (
        np.diff([one.mean_pence for one in found.balances], prepend=0).tolist()
        == (cash[: len(found.balances)])
    )
    assert not any(cash[len(found.balances) :])
    assert found.lowest.mean_pence == offers_oracle.lowest(cash)
    assert found.result.mean_pence == expectation(sure).result_pence


@pytest.mark.parametrize("clumping", [0.0, 1.0, 3.0])
def test_the_mean_of_the_runs_is_the_expectation(clumping: float) -> None:
    offer = replace(RICH, clumping=clumping, groups=(RICH.groups[0], group(3, name="JSA")))
    found = outlook(offer, 20_000)
    spread = (found.result.high_pence - found.result.low_pence) / 2.56
    error = spread / math.sqrt(found.run_count)
    assert abs(found.result.mean_pence - expectation(offer).result_pence) < 4 * error


def test_the_runs_agree_with_clients_followed_one_by_one() -> None:
    """1,500 runs of the oracle: the chances may differ by four standard errors."""
    luck = random.Random(2012)  # noqa: S311
    small = replace(RICH, months=12, reserve_pence=45_000_00)
    runs = [offers_oracle.turn_of_luck(plain(small), luck, 0.8, 0.3) for _ in range(1500)]
    found = outlook(small, 10_000)
    for mine, theirs in (
        (found.loss_rate, sum(final < 0 for final, _ in runs) / len(runs)),
        (found.out_of_money_rate, sum(low < -small.reserve_pence for _, low in runs) / len(runs)),
    ):
        assert 0.05 < theirs < 0.95, "the test could fail"
        assert abs(mine - theirs) < 4 * math.sqrt(0.25 / len(runs))
    finals = sorted(final for final, _ in runs)
    scale = finals[-1] - finals[0]
    assert abs(found.result.low_pence - finals[len(runs) // 10]) < 0.05 * scale
    assert abs(found.result.high_pence - finals[len(runs) * 9 // 10]) < 0.05 * scale


def test_results_vary_as_the_binomial_law_has_it() -> None:
    """120 certain clients, each with half a chance of £100: a standard deviation of £547.72."""
    offer = an_offer(group(start=Payment(100_00, 0.5)), monthly_cost_pence=0)
    found = outlook(offer, 20_000)
    assert (found.result.high_pence - found.result.low_pence) / 2 == pytest.approx(
        1.2816 * math.sqrt(120 * 0.25) * 100_00, rel=0.06
    )


def test_the_variance_of_referrals_is_the_clumping_times_their_mean() -> None:
    for clumping in (1.0, 4.0):
        counts = outlook(an_offer(months=1, clumping=clumping, monthly_cost_pence=0), 20_000)
        spread = (counts.result.high_pence - counts.result.low_pence) / 100_00 / 2.563
        assert spread == pytest.approx(math.sqrt(10 * clumping), rel=0.12)


def test_the_volume_factor_has_the_mean_and_spread_stated() -> None:
    chances = (np.arange(100_000) + 0.5) / 100_000
    for mean, spread in ((0.8, 0.4), (0.5, 1.0)):
        factor = volume_factor(chances, mean, spread)
        assert factor.mean() == pytest.approx(mean, rel=1e-3)
        assert factor.std() == pytest.approx(spread, rel=1e-2)
        assert (np.diff(factor) >= 0).all()
    assert volume_factor(chances, 0.0, 0.5).max() == 0


def test_the_same_seed_gives_the_same_runs_and_another_others() -> None:
    assert outlook(RICH, 3000, 7) == outlook(RICH, 3000, 7)
    assert outlook(RICH, 3000, 7) != outlook(RICH, 3000, 8)
    assert weigh(RICH, 200).answer() == weigh(RICH, 200).answer()


def test_an_offer_can_pay_in_the_end_and_run_out_on_the_way() -> None:
    slow = an_offer(payment_days=180, reserve_pence=3000_00)
    found = outlook(slow, 100)
    assert (found.loss_rate, found.out_of_money_rate) == (0, 1)
    assert (found.lowest.mean_pence, found.lowest_month) == (-3600_00, 6)
    assert outlook(replace(slow, reserve_pence=3600_00), 100).out_of_money_rate == 0


def test_dangers_are_those_of_the_outlook() -> None:
    dearer = replace(RICH, monthly_cost_pence=8000_00)
    found = dangers([RICH, dearer], 3000)
    for offer, danger in zip((RICH, dearer), found, strict=True):
        told = outlook(offer, 3000)
        assert (danger.loss_rate, danger.out_of_money_rate) == (
            told.loss_rate,
            told.out_of_money_rate,
        )


def test_sums_and_chances_in_words() -> None:
    assert in_words(Range(1_234_56, -500, 2_000_49)) == (
        "£1,235 on average; between -£5 and £2,000 in 8 runs of 10"
    )
    assert chance_told(0.9999) == "more than 99.9 %"
    assert chance_told(0.0) == "less than 0.1 %"
    assert chance_told(0.1234) == "12.3 %"


# What to negotiate first


def test_each_step_that_applies_is_weighed_and_what_helps_most_comes_first() -> None:
    full = replace(RICH, paid_after_end=False, reserve_pence=100_000_00)
    found = effects(full, 3000)
    assert {one.lever.id for one in found} == {lever.id for lever in LEVERS}
    falls = [one.loss_change + one.out_of_money_change for one in found]
    assert falls == sorted(falls)
    told = {one.lever.id: one for one in found}
    assert told["monthly_cost"].result_change_pence == 24 * 650_00
    assert told["payment_days"].result_change_pence == 0
    assert told["payment_days"].loss_change == 0
    assert told["payment_days"].out_of_money_change < 0
    assert told["reserve"].out_of_money_change < 0
    assert told["share_at_risk"].out_of_money_change < 0
    assert "nothing more in the end" in told["payment_days"].sentence
    assert "£15,600 more in the end" in told["monthly_cost"].sentence
    assert told["tupe_indemnity"].answer()["result_change_pence"] == 1000_00
    assert all(one.result_change_pence >= -100 for one in found)


def test_a_step_that_changes_nothing_is_left_out() -> None:
    bare = {one.lever.id for one in effects(an_offer(), 100)}
    assert bare == {"attachment_fee_price", "volume", "monthly_cost"}


def test_the_management_fee_is_lowered_by_5_points_where_it_is_known() -> None:
    offer = an_offer(group(start=Payment(80_00, 1.0, 0, 1, 100_00)))
    found = {one.lever.id: one for one in effects(offer, 100)}
    assert found["management_fee"].result_change_pence == 120 * 5_00


# What is not promised


def test_points_not_stated_come_before_those_that_are_stated_only() -> None:
    offer = an_offer(promises=(("price", "firm"), ("volume", "stated")))
    found = not_firm(offer)
    assert len(found) == len(POINTS) - 1
    assert found[-1].answer()["point"] == "volume"
    assert {one.firmness for one in found[:-1]} == {"not_stated"}
    assert not not_firm(an_offer(promises=tuple((point, "firm") for point in POINT_TITLES)))


# How far forecasts have held


def test_fewer_than_five_agreements_leave_the_stated_guess() -> None:
    assert forecasts_held([(5, 10)] * 4 + [(3, 0)]) is ASSUMED
    assert "a cautious guess of ours" in ASSUMED.sentence
    assert ASSUMED.answer()["basis"] == "assumed"


def test_agreements_that_differ_by_chance_only_are_pooled() -> None:
    """45 + 55 + 50 + 48 + 52 of 5 x 100: half the forecast, no more spread than chance."""
    found = forecasts_held([(n, 100) for n in (45, 55, 50, 48, 52)])
    assert (found.mean, found.spread, found.agreement_count) == (0.5, 0.0, 5)
    assert found.largest_weight_rate == pytest.approx(0.2)
    assert "by 5 agreements" in found.sentence


def test_agreements_that_differ_in_earnest_weigh_nearly_alike_whatever_their_size() -> None:
    """Four get nothing of 100; one gets all of 1,000: pooled 71 %, yet most get nothing."""
    found = forecasts_held([(0, 100)] * 4 + [(1000, 1000)])
    assert 0.2 < found.mean < 0.3
    assert found.spread > 0.4
    assert found.largest_weight_rate < 0.25


def test_no_client_at_all_is_an_answer() -> None:
    found = forecasts_held([(0, 10)] * 3 + [(0, 30)] * 2)
    assert (found.mean, found.spread, found.largest_weight_rate) == (0, 0, pytest.approx(1 / 3))


# From the form


def form(group_changes: dict[str, Any] | None = None, **changes: Any) -> OfferForm:
    example = example_form()
    return OfferForm(
        {**example.answers, **changes}, ({**example.groups[0], **(group_changes or {})},)
    )


def test_the_example_becomes_an_offer() -> None:
    offer = offer_of(example_form())
    assert (offer.months, offer.reserve_pence, offer.held.basis) == (60, 150_000_00, "stated")
    assert offer.groups[0].sustainment == Payment(170_00, 0.2, 10, 12, 200_00)
    assert (offer.payment_months, offer.horizon_months) == (1, 60 + 10 + 11 + 1)


def test_what_is_left_empty_is_as_the_form_says() -> None:
    empty: dict[str, Any] = dict.fromkeys(example_form().answers)
    offer = offer_of(form(**empty | {"name": None, "months": 3}))
    assert (offer.payment_days, offer.tupe_chance, offer.clumping) == (30, 1.0, 2.0)
    assert offer.held is ASSUMED
    assert offer.paid_after_end


def test_a_price_follows_from_the_fee_where_it_is_left_empty() -> None:
    offer = offer_of(form({"job_outcome_price": None}, management_fee=0.2))
    assert offer.groups[0].job_outcome.price_pence == 960_00


@pytest.mark.parametrize(
    ("in_group", "changes", "told"),
    [
        ({"job_outcome_price": None}, {"management_fee": None}, "Job outcome price: neither"),
        ({"job_outcome_chance": 0.95}, {}, "get to the attachment fee before it"),
        ({"sustainment_after_months": 8}, {}, "it would come before the job outcome"),
        ({}, {"clumping": 0.5}, "Clumping of referrals: clients cannot be more even"),
        ({}, {"kept_mean": None}, "Forecast kept, on average: it is empty"),
        ({}, {"kept_spread": None}, "Forecast kept, give or take: it is empty"),
    ],
)
def test_answers_that_contradict_each_other_are_told_with_the_remedy(
    in_group: dict[str, Any], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UnusableOffer) as caught:
        offer_of(form(in_group, **changes))
    (mistake,) = caught.value.mistakes
    assert told in mistake


def test_an_offer_without_a_client_group_is_no_offer() -> None:
    with pytest.raises(UnusableOffer, match="no client group"):
        offer_of(OfferForm(example_form().answers))
    assert offer_of(OfferForm({"months": 2}, ({},))).groups[0].client_group == "Client group 1"


def test_a_file_names_the_place_of_a_mistake() -> None:
    told = OfferForm({}, places={(None, "clumping"): '"o.xlsx", sheet Offer, row 17'})
    assert told.place(None, "clumping").startswith('"o.xlsx"')
    assert blank_form().place(0, "client_group") == "Client group 1, Client group"
    assert question_named("months").shown(None) == ""


# The whole


def test_the_answer_in_words() -> None:
    told = " ".join(weigh(replace(RICH, reserve_pence=0), 500).sentences)
    assert "If all goes as expected it brings" in told
    assert "On average the money tied up is highest at the end of month" in told
    assert "Clients who come: 80 % of the forecast on average, give or take 30 %, as you" in told
    assert "By 500 runs with seed 1" in told
    none_comes = weigh(an_offer(group(0)), 100)
    assert "a loss of £7,200" in none_comes.sentences[0]
    assert not any("A client brings" in sentence for sentence in none_comes.sentences)
    assert none_comes.answer()["implied_management_fee"] is None
    assert none_comes.expected.answer()["share_at_risk"] is None
    rich = weigh(an_offer(), 100)
    assert "On average no money of yours is tied up" in " ".join(rich.sentences)
    assert weigh(RICH, 100).answer()["implied_management_fee"] == 0.2232
