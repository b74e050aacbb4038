"""What the three first flags say, one promise at a time.

Clients come one by one (rule overdispersion 1), as the data standard has it; what clumps change
stands in test_clumping.py. A contract C1 of the prime P runs from June 2011; S is its
subcontractor. Unless a paragraph says otherwise, today is 15 April 2012, so ten months are over:
June 2011 to March 2012.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from metrics.assessment import agreement_months, assess, payment_months
from metrics.catalogue import assessors
from metrics.facts import gather
from metrics.flags import volume_divergence
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, month, months

if TYPE_CHECKING:
    from metrics.definition import Account, Assessment

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)


def ask(
    chain: Chain,
    flag: str,
    subcontractor: str | None = "S",
    *,
    as_of: dt.date = TODAY,
    through: dt.date | None = None,
    **rules: str,
) -> Assessment:
    chosen = rules_as_of(as_of).override({"overdispersion": "1"} | rules)
    (assessor,) = (one for one in assessors() if one.flag.id == flag)
    found = [
        one
        for one in assessor.assess(gather(chain.frames(), as_of, through), chosen)
        if (one.contract_id, one.subcontractor_id) == ("C1", subcontractor)
    ]
    assert len(found) == 1
    json.dumps(found[0].answer(), allow_nan=False)
    return found[0]


def zero(chain: Chain, **options: Any) -> Assessment:
    return ask(chain, "zero_referrals", **options)


def fee(chain: Chain, **options: Any) -> Assessment:
    return ask(chain, "management_fee", **options)


def volume(chain: Chain, subcontractor: str | None = "S", **options: Any) -> Assessment:
    return ask(chain, "volume_divergence", subcontractor, **options)


def start(**agreement: Any) -> Chain:
    return (
        Chain()
        .organisation("S", "Exampleton Trust")
        .organisation("P", "Sample Prime Ltd")
        .contract()
        .agreement(**agreement)
    )


def reported(by: str = "S", when: list[dt.date] = TEN, **agreement: Any) -> Chain:
    return start(**agreement).covers(by, when, "referrals")


def promised(each: int, when: list[dt.date] = TEN, **agreement: Any) -> Chain:
    chain = reported(**agreement)
    for one in when:
        chain.forecast(each, one)
    return chain


# Months and sides


def test_a_month_counts_once_it_is_over() -> None:
    """On 31 March, March is not over; on 1 April it is."""
    chain = reported()
    assert zero(chain, as_of=dt.date(2012, 3, 31)).evidence["window"] == {
        "first_month": "2011-06",
        "last_month": "2012-02",
        "months": 9,
    }
    assert zero(chain, as_of=dt.date(2012, 4, 1)).evidence["window"]["last_month"] == "2012-03"


def test_the_window_starts_when_the_agreement_went_live_and_ends_with_it() -> None:
    chain = reported(live_on="2011-08-31", ends_on="2011-10-01")
    assert zero(chain).evidence["window"] == {
        "first_month": "2011-08",
        "last_month": "2011-10",
        "months": 3,
    }


def test_the_window_ends_with_the_contract() -> None:
    chain = Chain().contract(ends_on="2011-09-15").agreement().covers("S", TEN, "referrals")
    assert zero(chain).evidence["window"]["last_month"] == "2011-09"


def test_through_ends_the_window_earlier_but_never_later() -> None:
    chain = reported().referral("S", month("2012-01"))
    assert zero(chain).status == "clear"
    assert zero(chain, through=month("2011-12")).value == 0
    later = zero(chain, through=month("2013-12"))
    assert later.evidence["window"]["last_month"] == "2012-03"


def test_a_month_nobody_reported_is_not_a_zero() -> None:
    """Of twenty promised only six fall in the three months somebody reported."""
    chain = start().covers("S", TEN[:2], "referrals").covers("P", TEN[1:3], "referrals")
    for one in TEN:
        chain.forecast(2, one)
    found = zero(chain)
    assert found.evidence["reported_months"] == 3
    assert found.evidence["promise"] == 6
    assert found.status == "raised"
    assert "in the 3 reported months of the 10 from June 2011 to March 2012" in found.sentence


def test_the_subcontractors_count_stands_where_it_reported_else_the_primes() -> None:
    chain = start().covers("S", TEN[:2], "referrals").covers("P", TEN[1:4], "referrals")
    chain.referral("S", TEN[1], count=5).referral("P", TEN[1], count=9)
    chain.referral("P", TEN[2], count=2)
    found = zero(chain)
    assert found.value == 7
    assert found.evidence["reported_by"] == {"subcontractor": 2, "prime": 2}
    assert found.evidence["observed_by"] == {"subcontractor": 5, "prime": 11}


def test_a_nil_return_of_the_subcontractor_outweighs_the_primes_rows() -> None:
    chain = promised(3).covers("P", TEN, "referrals").referral("P", TEN[0], count=40)
    assert zero(chain).status == "raised"


def test_a_reporter_that_is_neither_side_is_not_heard() -> None:
    chain = start().covers("G", TEN, "referrals").referral("G", TEN[0])
    assert zero(chain).status == "not_reported"


def test_a_prime_that_serves_clients_itself_can_be_assessed_like_any_other() -> None:
    chain = Chain().contract().agreement("P").covers("P", TEN, "referrals")
    chain.referral("P", TEN[0], "P", 3)
    assert zero(chain, subcontractor="P").value == 3


# The promise


def test_the_forecast_in_force_is_the_latest_issued_by_the_first_of_the_month() -> None:
    chain = reported(when=TEN[:3])
    for one in TEN[:3]:
        chain.forecast(10, one, issued_on="2011-05-01")
    chain.forecast(4, TEN[1], issued_on="2011-07-01")  # on the first day of July: in time
    chain.forecast(1, TEN[2], issued_on="2011-08-02")  # a day late for August
    found = volume(chain)
    assert found.evidence["forecast"] == 10 + 4 + 10
    assert found.evidence["forecast_versions"] == [
        {"issued_on": "2011-05-01", "issued_by": "P", "months": 2, "referrals": 20},
        {"issued_on": "2011-07-01", "issued_by": "P", "months": 1, "referrals": 4},
    ]


def test_a_month_first_named_too_late_has_its_earliest_forecast() -> None:
    chain = reported(when=TEN[:1])
    chain.forecast(7, TEN[0], issued_on="2011-09-01").forecast(2, TEN[0], issued_on="2011-10-01")
    assert volume(chain).evidence["forecast"] == 7


def test_of_forecasts_issued_on_one_day_the_commissioners_comes_first() -> None:
    chain = reported(when=TEN[:1]).forecast(9, TEN[0], by="P", rank=2)
    chain.forecast(5, TEN[0], by="N", rank=1)
    assert volume(chain).evidence["forecast"] == 5
    chain.forecast(3, TEN[0], by="G", rank=0)
    assert volume(chain).evidence["forecast"] == 3


def test_a_version_is_summed_over_its_client_groups() -> None:
    chain = reported(when=TEN[:1]).forecast(3, TEN[0], group="ESA").forecast(4, TEN[0], group="JSA")
    assert volume(chain).evidence["forecast"] == 7


def test_a_forecast_for_other_months_only_is_a_promise_of_none_so_far() -> None:
    chain = reported(promised_share=0.5).forecast(50, month("2013-01"))
    chain.covers("P", TEN, "referrals").referral("P", TEN[0], "P", 100)
    found = zero(chain)
    assert found.status == "too_early"
    assert found.evidence["promise"] == 0
    assert found.sentence.startswith("Too early to say: Exampleton Trust got no referrals")


def test_without_a_forecast_the_promised_share_of_the_intake_is_the_promise() -> None:
    chain = reported(promised_share=0.1).covers("P", TEN, "referrals")
    chain.referral("P", TEN[0], "P", 25).referral("P", TEN[1], "T", 15)
    found = zero(chain)
    assert found.evidence["intake"] == 40
    assert found.evidence["promise"] == pytest.approx(4)
    assert found.evidence["promise_basis"] == "promised_share"


def test_the_intake_counts_only_the_client_groups_served() -> None:
    """The groups in the agreement's prices or forecasts; where none is stated, all."""
    chain = reported(promised_share=0.1).covers("P", TEN, "referrals")
    chain.referral("P", TEN[0], "P", 30, "ESA").referral("P", TEN[0], "P", 50, "JSA 25+")
    chain.price("ESA", subcontractor=None)
    assert zero(chain).evidence["intake"] == 80
    chain.price("ESA")
    assert zero(chain).evidence["intake"] == 30
    chain.forecast(1, TEN[0], group="JSA 25+")
    assert zero(chain).evidence["intake"] == 80
    assert zero(chain).evidence["client_groups"] == ["ESA", "JSA 25+"]


def test_a_share_of_an_intake_that_nobody_reported_is_no_promise() -> None:
    found = zero(reported(promised_share=0.1, named_in_bid=True))
    assert found.evidence["promise"] is None
    assert found.status == "raised"
    assert "cannot be applied, because the prime has not reported its intake" in found.sentence


# No referrals


def test_one_referral_clears() -> None:
    found = zero(promised(3).referral("S", TEN[4]))
    assert (found.status, found.value, found.threshold) == ("clear", 1, 0.05)
    assert found.sentence == (
        "Exampleton Trust got 1 referral from June 2011 to March 2012, so it was not left without "
        "any."
    )


def test_a_zero_against_three_promised_is_raised_and_against_two_is_too_early() -> None:
    found = zero(promised(3, TEN[:1]))
    assert (found.status, found.value, found.low, found.high) == ("raised", 0, None, None)
    assert found.evidence["p_zero"] == pytest.approx(math.exp(-3))
    early = zero(promised(2, TEN[:1]))
    assert early.status == "too_early"
    assert early.sentence.startswith("Too early to say: Exampleton Trust was promised 2 referrals")
    assert "13.5 % of cases" in early.sentence


@pytest.mark.parametrize(("nudge", "status"), [(1e-9, "raised"), (-1e-9, "too_early")])
def test_the_line_is_where_the_chance_of_a_zero_is_five_percent(nudge: float, status: str) -> None:
    share = (-math.log(0.05) + nudge) / 100
    chain = reported(promised_share=share).covers("P", TEN, "referrals")
    assert zero(chain.referral("P", TEN[0], "P", 100)).status == status


def test_the_sentence_names_promise_outcome_rule_and_other_explanations() -> None:
    assert zero(promised(1)).sentence == (
        "Exampleton Trust was promised 10 referrals from June 2011 to March 2012 and got none. If "
        "the promise held, that would come about in less than 0.1 % of cases (rule: at most 5 %; "
        "a statistical choice: the usual 5 %, with the exact chance of a zero). Whether "
        "the commissioner's volume explains it cannot be said: the register holds no promised "
        "share. What else could explain it: the subcontractor was not ready on the day in the "
        "register; the clients it serves were not sent by the commissioner; referrals were made "
        "and not recorded by the side whose count is used."
    )


def test_a_zero_is_the_primes_where_its_own_intake_makes_it_unlikely() -> None:
    chain = promised(1, promised_share=0.1).covers("P", TEN, "referrals")
    chain.referral("P", TEN[0], "P", 29)  # .9 ** 29 = .0471
    found = zero(chain)
    assert (found.status, found.attributed_to) == ("raised", "prime")
    assert found.evidence["p_zero_given_intake"] == pytest.approx(0.9**29)
    assert "so the commissioner's volume does not explain it" in found.sentence


def test_a_zero_is_the_commissioners_where_the_prime_had_little_to_give() -> None:
    chain = promised(1, promised_share=0.1).covers("P", TEN, "referrals")
    chain.referral("P", TEN[0], "P", 28)  # .9 ** 28 = .0523
    found = zero(chain)
    assert (found.status, found.attributed_to) == ("raised", "commissioner")
    assert "so the commissioner's volume can explain it" in found.sentence


def test_a_zero_against_a_forecast_is_nobodys_where_share_or_intake_is_not_known() -> None:
    assert zero(promised(1)).attributed_to is None
    found = zero(promised(1, promised_share=0.1))
    assert (found.status, found.attributed_to) == ("raised", None)
    assert "the prime has not reported its intake" in found.sentence


def test_a_zero_against_a_share_of_the_intake_is_the_primes() -> None:
    chain = reported(promised_share=0.1).covers("P", TEN, "referrals")
    found = zero(chain.referral("P", TEN[0], "P", 40))
    assert (found.status, found.attributed_to) == ("raised", "prime")
    assert "4 referrals, its share of 10 % of the 40 referrals" in found.sentence


@pytest.mark.parametrize(("count", "status"), [(6, "raised"), (5, "too_early")])
def test_named_in_the_bid_without_a_volume_six_reported_months_raise(
    count: int, status: str
) -> None:
    found = zero(reported(when=TEN[:count], named_in_bid=True))
    assert (found.status, found.attributed_to) == (status, None)
    assert f"{count} reported months" in found.sentence
    assert "6 reported months or more" in found.sentence


def test_neither_promised_nor_named_a_zero_means_nothing() -> None:
    found = zero(reported())
    assert (found.status, found.value) == ("not_applicable", 0)
    assert found.sentence.startswith("Not applicable: Exampleton Trust got no referrals")


def test_nothing_reported_is_said_and_has_no_value() -> None:
    found = zero(start())
    assert (found.status, found.value) == ("not_reported", None)
    assert found.sentence == (
        "Not reported for Exampleton Trust: neither Exampleton Trust nor Sample Prime Ltd has "
        "sent a referrals return that covers any month from June 2011 to March 2012."
    )


def test_an_agreement_that_ended_before_it_began_is_not_reported() -> None:
    found = zero(reported(live_on="2011-10-01", ends_on="2011-08-31"))
    assert found.status == "not_reported"
    assert found.evidence["window"] == {"first_month": None, "last_month": None, "months": 0}
    assert "it ended in August 2011, before it began in October 2011" in found.sentence


def test_an_agreement_that_has_not_begun_is_not_reported() -> None:
    found = zero(reported(live_on="2012-04-01"))
    assert found.status == "not_reported"
    assert "it begins in April 2012, after March 2012, the last whole month" in found.sentence


def test_an_agreement_whose_contract_is_missing_is_not_reported() -> None:
    chain = Chain().agreement().covers("S", TEN, "referrals")
    for flag in ("zero_referrals", "management_fee", "volume_divergence"):
        found = ask(chain, flag)
        assert (found.status, found.prime_id) == ("not_reported", None)
        assert "the contract C1 is not in the register of contracts" in found.sentence


def test_a_window_of_one_month_is_said_as_such() -> None:
    when = dt.date(2011, 7, 2)
    assert "in June 2011," in zero(promised(3).referral("S", TEN[0]), as_of=when).sentence
    assert zero(start(), as_of=when).sentence.endswith("covers any month of June 2011.")


def test_rules_can_be_overridden_and_the_sentence_says_so() -> None:
    found = zero(promised(2, TEN[:1]), zero_referrals="0.2")
    assert (found.status, found.threshold) == ("raised", 0.2)
    assert found.evidence["rules"]["zero_referrals"]["overridden"] is True
    assert "a value asked for in place of the register's" in found.sentence


# Management fee


def paid(received: int, payable: int, *, is_paid: bool = True) -> Chain:
    return start().covers("P", TEN, "payments").payment("P", TEN[0], received, payable, is_paid)


def test_a_fee_of_exactly_fifteen_percent_is_not_above_it_and_a_penny_more_is() -> None:
    found = fee(paid(100_000, 85_000))
    assert (found.status, found.value, found.low, found.high) == ("clear", 0.15, 0.15, 0.15)
    above = fee(paid(100_000, 84_999))
    assert (above.status, above.value) == ("raised", pytest.approx(0.15001))
    assert "a management fee of 15.001 % (rule: at most 15 %" in above.sentence


def test_the_fee_sentence_names_money_rule_and_standing() -> None:
    assert fee(paid(120_000, 90_000)).sentence == (
        "Of £1,200 that the commissioner paid for 1 event of Exampleton Trust from June 2011 to "
        "March 2012, £900 is payable to it, so Sample Prime Ltd keeps £300: a management fee of "
        "25 % (rule: at most 15 %; a recommendation: Skills Funding Agency, as cited by NCVO, Open "
        "Public Services (2012), footnote 12; primary source not found). What else could explain "
        "it: the prime gives services for the fee, such as premises, training or systems; money "
        "reached the subcontractor another way than through these events; a correction has not "
        "been entered yet."
    )


def test_what_is_payable_but_unpaid_makes_a_watch_not_a_flag() -> None:
    found = fee(paid(100_000, 90_000, is_paid=False))
    assert (found.status, found.low, found.high) == ("watch", 0.1, 1.0)
    assert "£0 has been paid; if nothing more is, the fee is 100 %." in found.sentence


def test_a_negative_fee_stays_negative() -> None:
    found = fee(paid(100_000, 120_000))
    assert (found.status, found.value) == ("clear", -0.2)
    assert "adds £200 of its own: a management fee of minus 20 %" in found.sentence


def test_what_is_paid_is_the_subcontractors_word_in_months_it_reported() -> None:
    chain = start().covers("P", TEN[:2], "payments").covers("S", TEN[1:3], "payments")
    chain.payment("P", TEN[0], 1000, 900).payment("P", TEN[1], 1000, 900)
    chain.payment("S", TEN[1], None, 400).payment("S", TEN[1], None, 500, paid=False)
    chain.payment("S", TEN[2], None, 900)  # the prime has not reported August
    found = fee(chain)
    assert found.evidence["received_pence"] == 2000
    assert found.evidence["payable_pence"] == 1800
    assert found.evidence["paid_pence"] == 900 + 400
    assert found.evidence["paid_reported_by"] == {"subcontractor": 1, "prime": 1}
    assert (found.status, found.high) == ("watch", 0.35)


def test_only_events_with_a_commissioners_amount_are_matched() -> None:
    chain = paid(1000, 900).payment("P", TEN[0], None, 50_000)
    assert fee(chain).evidence["payable_pence"] == 900


def test_months_outside_the_window_do_not_count() -> None:
    chain = paid(1000, 900).covers("P", [month("2012-04")], "payments")
    assert fee(chain.payment("P", month("2012-04"), 1000, 0)).value == 0.1


def test_the_fee_is_shown_by_client_group() -> None:
    chain = paid(1000, 900).payment("P", TEN[1], 3000, 2000, group="ESA")
    chain.payment("P", TEN[1], -100, 0, group=None)
    parts = {part["client_group"]: part for part in fee(chain).evidence["by_client_group"]}
    assert parts["JSA 25+"]["low"] == 0.1
    assert (parts["ESA"]["received_pence"], parts["ESA"]["payable_pence"]) == (3000, 2000)
    assert parts[None]["low"] is None


def test_a_prime_that_reported_no_payments_is_not_reported_even_if_the_other_side_did() -> None:
    found = fee(start().covers("S", TEN, "payments").payment("S", TEN[0], None, 900))
    assert (found.status, found.value) == ("not_reported", None)
    assert "Sample Prime Ltd has sent no payments return" in found.sentence


def test_without_the_commissioners_money_a_fee_is_not_applicable() -> None:
    nothing = fee(start().covers("P", TEN, "payments"))
    assert (nothing.status, nothing.value) == ("not_applicable", None)
    assert "reports no amount that the commissioner paid" in nothing.sentence
    back = fee(paid(1000, 900).payment("P", TEN[1], -2000, 0))
    assert (back.status, back.high) == ("not_applicable", None)
    assert "comes to -£10 after corrections" in back.sentence


def test_at_twenty_percent_the_same_fee_is_within_the_rule() -> None:
    assert fee(paid(100_000, 82_000)).status == "raised"
    found = fee(paid(100_000, 82_000), management_fee="20%")
    assert (found.status, found.threshold) == ("clear", 0.2)


# Volumes


def got(observed: int, forecast: int, **agreement: Any) -> Chain:
    chain = promised(forecast, TEN[:1], **agreement)
    return chain.referral("S", TEN[0], count=observed) if observed else chain


@pytest.mark.parametrize("observed", [80, 100, 120])
def test_twenty_percent_either_way_is_within_the_tolerance(observed: int) -> None:
    found = volume(got(observed, 100))
    assert (found.status, found.value) == ("clear", pytest.approx(observed / 100 - 1))
    assert found.evidence["side"] is None


def test_the_interval_is_garwoods_over_the_forecast() -> None:
    found = volume(got(20, 20))
    assert (found.low, found.high) == (
        pytest.approx(12.22 / 20 - 1, abs=5e-4),
        pytest.approx(30.89 / 20 - 1, abs=5e-4),
    )
    assert "20 referrals, neither more nor fewer, within the tolerance" in found.sentence


def test_a_great_shortfall_is_raised_and_a_slight_one_is_too_early() -> None:
    found = volume(got(10, 50))
    assert (found.status, found.value, found.threshold) == ("raised", pytest.approx(-0.8), 0.2)
    assert found.evidence["e_value"]["shortfall"] > 20 > found.evidence["e_value"]["excess"]
    early = volume(got(3, 5))
    assert early.status == "too_early"
    assert early.sentence.startswith("Too early to say: Exampleton Trust got 3 referrals")


def test_a_great_excess_is_raised_too() -> None:
    found = volume(got(100, 40))
    assert (found.status, found.evidence["side"]) == ("raised", "excess")
    assert "150 % more" in found.sentence


def test_an_interval_outside_the_tolerance_with_short_evidence_is_watched() -> None:
    """24 of 50: at most 35.7, below the 40 that the tolerance allows."""
    found = volume(got(24, 50))
    assert found.status == "watch"
    assert found.high is not None
    assert found.high < -0.2
    assert found.evidence["e_value"]["shortfall"] < 20
    assert volume(got(24, 50), volume_evidence="2").status == "raised"


def test_evidence_too_great_to_write_is_capped() -> None:
    found = volume(got(0, 100_000))
    assert found.evidence["e_value"] == {"shortfall": 1e300, "excess": pytest.approx(0, abs=1e-9)}
    assert "over a million" in found.sentence


def test_without_a_forecast_or_with_one_of_none_there_is_nothing_to_compare() -> None:
    none = volume(reported(promised_share=0.5))
    assert (none.status, none.value) == ("not_applicable", None)
    assert "it has no forecast" in none.sentence
    zero_forecast = volume(got(5, 0))
    assert zero_forecast.status == "not_applicable"
    assert "its forecast is of none" in zero_forecast.sentence


def test_a_contract_is_assessed_on_the_primes_intake() -> None:
    chain = start().covers("P", TEN[:2], "referrals").covers("S", TEN, "referrals")
    chain.referral("P", TEN[0], "P", 3).referral("P", TEN[1], count=2).referral("S", TEN[0])
    for one in TEN:
        chain.forecast(50, one, subcontractor=None)
    found = volume(chain, None)
    assert (found.status, found.attributed_to) == ("raised", "commissioner")
    assert (found.evidence["observed"], found.evidence["forecast"]) == (5, 100)
    assert found.sentence.startswith("Contract C1 (Sample Prime Ltd) got 5 referrals")
    assert "before it was shared out" in found.sentence


def test_a_contract_that_the_prime_has_not_reported_is_not_reported() -> None:
    found = volume(reported(), None)
    assert (found.status, found.subcontractor_id) == ("not_reported", None)
    assert "Sample Prime Ltd has sent no referrals return" in found.sentence


def shared_out(
    observed: int,
    forecast: int,
    intake: int,
    expected_intake: int,
    reported_by_prime: list[dt.date] = TEN,
) -> Chain:
    """A share of 10 % of the intake promised, and a forecast of its own."""
    chain = got(observed, forecast, promised_share=0.1).covers("P", reported_by_prime, "referrals")
    chain.forecast(expected_intake, TEN[0], subcontractor=None)
    return chain.referral("P", TEN[0], "P", intake)


def test_a_shortfall_within_a_full_intake_is_the_primes() -> None:
    found = volume(shared_out(10, 50, 500, 500))
    assert (found.status, found.attributed_to) == ("raised", "prime")
    assert "the prime's allocation differs from the promise" in found.sentence


def test_a_shortfall_that_fits_a_failed_intake_is_the_commissioners() -> None:
    found = volume(shared_out(10, 50, 100, 500))
    assert (found.status, found.attributed_to) == ("raised", "commissioner")
    assert "left its forecast on the same side" in found.sentence


def test_a_shortfall_that_fits_the_intake_of_a_contract_on_forecast_is_nobodys() -> None:
    """Or where the contract left its forecast on the other side."""
    for expected_intake in (100, 10):
        found = volume(shared_out(10, 50, 100, expected_intake))
        assert (found.status, found.attributed_to) == ("raised", None)
        assert "neither the prime's allocation nor" in found.sentence


def test_an_excess_is_attributed_alike() -> None:
    assert volume(shared_out(100, 40, 400, 400)).attributed_to == "prime"
    found = volume(shared_out(100, 40, 1000, 400))
    assert found.attributed_to == "commissioner"
    assert "so many would then come about" in found.sentence


def test_an_intake_reported_for_some_months_only_accuses_nobody_it_might_clear() -> None:
    """The true intake can only be larger: more clients for the prime to have shared out."""
    some = TEN[:1]
    assert volume(shared_out(10, 50, 500, 500, some)).attributed_to == "prime"
    for chain in (shared_out(10, 50, 100, 500, some), shared_out(100, 40, 400, 400, some)):
        found = volume(chain)
        assert (found.status, found.attributed_to) == ("raised", None)
        assert "reported its intake for 1 of the 10 reported months only" in found.sentence
    assert volume(shared_out(100, 40, 1000, 400, some)).attributed_to == "commissioner"


def test_a_zero_is_not_laid_at_the_commissioners_door_while_intake_is_missing() -> None:
    """A prime cannot clear itself by not reporting."""
    chain = promised(5, promised_share=0.1).referral("P", TEN[0], "P", 10)
    found = zero(chain.covers("P", TEN[:1], "referrals"))
    assert (found.status, found.attributed_to) == ("raised", None)
    assert "for 1 of the 10 reported months only" in found.sentence
    assert zero(chain.covers("P", TEN[1:], "referrals")).attributed_to == "commissioner"


def test_a_contract_without_a_forecast_is_not_said_to_have_kept_to_it() -> None:
    chain = got(10, 50, promised_share=0.1).covers("P", TEN, "referrals")
    found = volume(chain.referral("P", TEN[0], "P", 100))
    assert (found.status, found.attributed_to) == ("raised", None)
    assert "has no forecast, or the prime has not reported it" in found.sentence
    assert found.evidence["contract_side"] is None


def test_where_the_sides_differ_the_sentence_gives_both_counts() -> None:
    chain = promised(5).covers("P", TEN, "referrals").referral("P", TEN[0], "S", 50)
    differ = "the subcontractor's returns show 0 referrals, those of Sample Prime Ltd 50 referrals"
    for found in (zero(chain), volume(chain)):
        assert found.status == "raised"
        assert differ in found.sentence
    assert "differ" not in zero(promised(5)).sentence


def test_a_divergence_is_nobodys_where_share_or_intake_is_not_known() -> None:
    assert "the register holds no promised share" in volume(got(10, 50)).sentence
    found = volume(got(10, 50, promised_share=0.1))
    assert (found.status, found.attributed_to) == ("raised", None)
    assert "the prime has not reported its intake" in found.sentence


def test_a_chance_that_repeated_looks_make_common_does_not_name_the_prime() -> None:
    """10 of 180 at 10 %: 2.5 % by the binomial chance, but an e-value of 4 where 20 is asked."""
    found = volume(shared_out(10, 50, 180, 500))
    assert (found.status, found.attributed_to) == ("raised", None)
    assert found.evidence["allocation"]["binomial_tail"] == pytest.approx(0.0245, abs=1e-4)
    assert found.evidence["allocation"]["e_value"] == pytest.approx(4.45, abs=0.01)
    assert "so the prime is not named" in found.sentence
    once = volume(shared_out(10, 50, 180, 500), attribution_evidence="1")
    assert once.attributed_to == "prime"


def test_more_received_than_the_prime_had_accuses_nobody() -> None:
    """The two counts cannot both be right."""
    found = volume(shared_out(100, 40, 60, 400))
    assert (found.status, found.attributed_to) == ("raised", None)
    assert "so that the two counts cannot both be right" in found.sentence


def test_an_end_of_the_interval_at_the_forecast_is_said_to_be_as_forecast() -> None:
    assert volume_divergence._end(0.0003) == "as forecast"
    assert volume_divergence._end(-0.25) == "25 % fewer"


def test_a_forecast_changed_after_the_fact_is_named() -> None:
    """Its issue day is early, but it was received when the months had begun."""
    chain = promised(5)
    for one in TEN[:4]:
        chain.forecast(1, one, issued_on="2011-05-20", received_on="2012-02-01")
    told = (
        "For 4 months the forecast issued on 2011-05-20 was received only after the month had "
        "begun: before, the forecast had 20 referrals, now 4."
    )
    for found in (zero(chain), volume(chain)):
        assert found.evidence["forecast"] == 34
        assert told in found.sentence
        later = found.evidence["forecast_versions"][-1]
        assert later["changed_after_the_month_began"] == {
            "months": 4,
            "referrals_before": 20,
            "referrals_now": 4,
        }
    assert "received only after" not in volume(promised(5)).sentence


def test_a_forecast_received_late_that_changed_nothing_is_not_named() -> None:
    chain = reported(when=TEN[:1]).forecast(5, TEN[0], received_on="2012-02-01")
    assert "received only after" not in zero(chain).sentence


# The account of an answer


def told_of(chain: Chain, flag: str, subcontractor: str | None = "S") -> tuple[Account, list[str]]:
    """The account of an answer, and its rows as "table:reporter:line part"."""
    found = ask(chain, flag, subcontractor)
    facts = gather(chain.frames(), TODAY)
    (assessor,) = (one for one in assessors() if one.flag.id == flag)
    rows = assessor.source_rows(found, facts)
    names = [f"{r.table}:{r.reporter_id}:{r.row_number} {r.part}" for r in rows]
    return assessor.account(found, facts), names


def test_the_account_of_a_zero_gives_promise_count_and_chance() -> None:
    chain = promised(1, promised_share=0.1).covers("P", TEN, "referrals")
    account, rows = told_of(chain.referral("P", TEN[0], "P", 29), "zero_referrals")
    assert account.promise == (
        "Forecast issued on 2011-05-01 by Sample Prime Ltd: 10 referrals for 10 reported months.",
        "Promised share: 10 % of the prime's intake in all client groups.",
    )
    assert "10 of 10 months from June 2011 to March 2012 are reported." in account.happened
    assert "Sample Prime Ltd reports an intake of 29 referrals" in account.happened[-1]
    assert (
        "Chance of none at all with 10 promised: exp(-10) = less than 0.1 %; at most 5 % is "
        "raised." in account.arithmetic
    )
    assert account.arithmetic[-1].startswith("Given an intake of 29 and a promised share of 10 %")
    assert rows == [f"forecasts:P:{line} forecast" for line in range(2, 12)]


def test_the_account_of_a_share_promised_shows_how_the_promise_comes_about() -> None:
    chain = reported(promised_share=0.1).covers("P", TEN, "referrals")
    account, _ = told_of(chain.referral("P", TEN[0], "P", 50), "zero_referrals")
    assert account.promise[0] == "No forecast is on record for Exampleton Trust."
    assert account.arithmetic[0].endswith("10 % x an intake of 50 = 5.")


def test_the_account_without_a_promise_gives_the_rule_of_three() -> None:
    account, _ = told_of(reported(named_in_bid=True), "zero_referrals")
    assert account.arithmetic == (
        "Without a promise: after 10 months without any, at most 0.3 referrals a month can be "
        "expected (95 %, one-sided, if clients come one by one: 3 divided by the months). Named in "
        "the bid: yes.",
    )
    assert account.happened[-1] == "Sample Prime Ltd has reported no month of its intake."


def test_the_account_of_a_clear_zero_says_that_some_came() -> None:
    account, rows = told_of(got(3, 50), "zero_referrals")
    assert account.arithmetic[-1] == "3 came, so the flag is clear whatever the chance."
    assert "referrals:S:2 counted" in rows


def test_the_account_of_a_divergence_gives_every_step() -> None:
    account, rows = told_of(shared_out(10, 50, 180, 500), "volume_divergence")
    steps = "\n".join(account.arithmetic)
    assert "10 received / 50 forecast - 1 = 80 % fewer" in steps
    assert "from 40 to 60 referrals" in steps
    assert "95 % interval for the mean behind 10: 4.8 to 18.39 referrals" in steps
    assert "asked: 20." in steps
    assert "10 / 50 = 0.36 (the commissioner's volume) x 0.56 (the prime's allocation)" in steps
    assert "10 or fewer would come in 2.45 % of cases, and the evidence for repeated" in steps
    assert rows == ["forecasts:P:2 forecast", "referrals:S:2 counted"]


def test_the_account_of_an_excess_says_or_more() -> None:
    account, _ = told_of(shared_out(100, 40, 400, 400), "volume_divergence")
    assert "100 or more would come in" in account.arithmetic[-1]


def test_the_account_of_a_contract_names_its_intake() -> None:
    chain = start().covers("P", TEN, "referrals").forecast(50, TEN[0], None)
    chain.referral("P", TEN[0], "S", 4).referral("P", TEN[1], "P", 3)
    account, rows = told_of(chain, "volume_divergence", None)
    assert account.happened[-1] == (
        "Sample Prime Ltd reports an intake of 7 referrals in 10 months."
    )
    assert rows == [
        "forecasts:P:2 forecast",
        "referrals:P:2 counted",
        "referrals:P:3 counted",
    ]


def test_rows_of_the_other_side_and_of_other_months_are_told_apart() -> None:
    chain = start().covers("S", TEN[:1], "referrals").covers("P", TEN[:2], "referrals")
    chain.referral("S", TEN[0]).referral("P", TEN[0]).referral("P", TEN[1])
    chain.referral("P", TEN[4]).referral("G", TEN[0])
    _, rows = told_of(chain, "zero_referrals")
    assert rows == [
        "referrals:P:3 other side",
        "referrals:P:4 counted",
        "referrals:S:2 counted",
    ]


def test_the_account_where_nothing_is_over_or_forecast_says_so() -> None:
    account, _ = told_of(reported(live_on="2013-01-01"), "zero_referrals")
    assert account.happened == ("No month that counts is over.",)
    account, _ = told_of(promised(0).forecast(9, month("2013-01")), "volume_divergence")
    assert account.arithmetic == ()
    account, _ = told_of(reported().forecast(50, month("2013-01")), "zero_referrals")
    assert account.promise == (
        "The forecasts for Exampleton Trust name none of the reported months.",
    )


def test_the_account_names_a_forecast_changed_after_the_fact() -> None:
    chain = reported(when=TEN[:1]).forecast(5, TEN[0])
    chain.forecast(1, TEN[0], issued_on="2011-05-20", received_on="2012-02-01")
    account, _ = told_of(chain, "zero_referrals")
    assert account.promise[1] == (
        "It was received after 1 of these months had begun; before, the forecast for them was 5, "
        "now 1."
    )


# Together


def test_every_agreement_has_every_flag_in_the_order_of_the_standard() -> None:
    chain = Chain().contract("C2", "Q").contract().agreement("T").agreement()
    chain.agreement("S", "C2")
    found = assess(chain.frames(), TODAY, None, rules_as_of(TODAY))
    pairs = [("C1", "S"), ("C1", "T"), ("C2", "S")]
    both = [("C1", None), *pairs[:2], ("C2", None), pairs[2]]
    assert [(one.flag, one.contract_id, one.subcontractor_id) for one in found] == [
        *(("zero_referrals", *pair) for pair in pairs),
        *(("management_fee", *pair) for pair in pairs),
        *(("volume_divergence", *pair) for pair in both),
        *(("payment_delay", *pair) for pair in pairs),
        *(("risk_transfer", *pair) for pair in pairs),
        *(("unreconciled", *pair) for pair in pairs),
        *(("not_reported", *pair) for pair in both),
        *(("named_without_consent", *pair) for pair in pairs),
        *(("client_mix", *pair) for pair in pairs),
    ]


def test_an_answer_has_the_fields_of_the_standard() -> None:
    assert list(zero(start()).answer()) == [
        "flag",
        "contract_id",
        "prime_id",
        "subcontractor_id",
        "client_group",
        "status",
        "value",
        "low",
        "high",
        "threshold",
        "evidence",
        "sentence",
        "attributed_to",
    ]


def test_an_empty_ledger_has_no_assessments() -> None:
    assert assess(Chain().frames(), TODAY, None, rules_as_of(TODAY)) == []


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_the_months_behind_a_flag_can_be_drawn(engine: Any) -> None:
    """All months of the window, and others that are covered or forecast, marked as outside it."""
    chain = start(live_on="2011-07-01").contract("C2", "Q").agreement("S", "C2")
    chain.covers("S", TEN[:2], "referrals").covers("P", TEN[1:3], "referrals")
    chain.referral("S", TEN[1], count=4).referral("P", TEN[1], count=3).referral("P", TEN[2])
    chain.forecast(6, TEN[1]).forecast(7, TEN[5])
    found = agreement_months(chain.frames(engine), dt.date(2011, 10, 1), None, "C1")
    assert set(found.contract_id) == {"C1"}
    mine = found[found.subcontractor_id == "S"].set_index("month")
    assert [str(day.date()) for day in mine.index] == [
        "2011-06-01",
        "2011-07-01",
        "2011-08-01",
        "2011-09-01",
        "2011-11-01",
    ]
    assert mine.in_window.tolist() == [False, True, True, True, False]
    assert mine.reported.tolist() == [True, True, True, False, False]
    assert mine.side.fillna("").tolist() == ["subcontractor", "subcontractor", "prime", "", ""]
    assert mine.observed.fillna(-1).tolist() == [0, 4, 1, -1, -1]
    assert mine.observed_prime.fillna(-1).tolist() == [-1, 3, 1, -1, -1]
    assert mine.expected.fillna(-1).tolist() == [-1, 6, -1, -1, 7]
    assert mine.issued_by.fillna("").tolist() == ["", "P", "", "", "P"]
    whole = found[found.subcontractor_id.isna()]
    assert whole.observed.fillna(-1).tolist() == [-1, 3, 1, -1]


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_the_payments_behind_a_fee_can_be_drawn(engine: Any) -> None:
    chain = start().contract("C2", "Q").agreement("S", "C2")
    chain.covers("P", TEN[:2], "payments").covers("S", TEN[1:2], "payments")
    chain.payment("P", TEN[0], 1000, 900).payment("P", TEN[1], 500, 400)
    chain.payment("S", TEN[1], None, 300)
    found = payment_months(chain.frames(engine), dt.date(2011, 9, 1))
    mine = found[found.contract_id == "C1"]
    assert mine.reported.tolist() == [True, True, False]
    assert mine.side.fillna("").tolist() == ["prime", "subcontractor", ""]
    assert mine.received_pence.fillna(-1).tolist() == [1000, 500, -1]
    assert mine.payable_pence.fillna(-1).tolist() == [900, 400, -1]
    assert mine.paid_pence.fillna(-1).tolist() == [900, 300, -1]
    assert not found[found.contract_id == "C2"].reported.any()
