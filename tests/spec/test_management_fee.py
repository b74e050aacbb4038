"""What the management fee says beyond its status: agreed, priced, as cash, over other clients.

A contract C1 of the prime P runs from June 2011; S is its subcontractor. Today is 15 April 2012, so
ten months are over. `test_flags.py` has the statuses on ordinary data.
"""

from __future__ import annotations

import datetime as dt
import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from dashboard.charts import management_fee as charts
from metrics.facts import gather
from metrics.fee_sampling import Sampling, fee_interval, sampling_interval, seed_of
from metrics.flags import management_fee
from metrics.management_fee import Cash, above_in_pence, differs, rate
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, months

if TYPE_CHECKING:
    from metrics.definition import Account, Assessment
    from metrics.facts import Facts

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)


def start(agreed: float | None = None, **terms: Any) -> Chain:
    return (
        Chain()
        .organisation("S", "Exampleton Trust")
        .organisation("P", "Sample Prime Ltd")
        .contract()
        .agreement(agreed_management_fee_rate=agreed, **terms)
        .covers("P", TEN, "payments")
    )


def event(chain: Chain, received: int, payable: int, *, paid: bool = True, **cells: Any) -> Chain:
    """An event that the prime reports, the commissioner's money come in the same month."""
    came = {"received_on": TEN[0].replace(day=27)} | cells
    return chain.payment("P", TEN[0], received, payable, paid, **came)


def told(chain: Chain, **rules: str) -> tuple[Assessment, Account, Facts]:
    facts = gather(chain.frames(), TODAY)
    (found,) = management_fee.assess(facts, rules_as_of(TODAY).override(rules))
    json.dumps(found.answer(), allow_nan=False)
    return found, management_fee.account(found, facts), facts


def ask(chain: Chain, **rules: str) -> Assessment:
    return told(chain, **rules)[0]


def arithmetic(chain: Chain, **rules: str) -> str:
    return "\n".join(told(chain, **rules)[1].arithmetic)


# Declared against effective


def test_the_agreement_says_one_fee_and_the_payments_show_another() -> None:
    found, account, _ = told(event(start(agreed=0.14), 100_000, 78_000))
    assert found.evidence["agreed_management_fee_rate"] == 0.14
    assert found.evidence["effective_above_agreed"] == pytest.approx(0.08)
    assert found.evidence["agreed_differs"] is True
    said = "The agreement says 14 %; the payments show 22 %."
    assert said in found.sentence
    assert account.promise == (
        "The agreement with Exampleton Trust says a management fee of 14 %.",
    )
    assert f"14 % of £1,000, as agreed, is £140: £80 more is kept. {said}" in account.arithmetic


def test_a_prime_that_keeps_less_than_agreed_is_told_so_too() -> None:
    found, account, _ = told(event(start(agreed=0.14), 100_000, 90_000))
    assert found.evidence["effective_above_agreed"] == pytest.approx(-0.04)
    assert any("£40 less is kept." in step for step in account.arithmetic)


def test_a_fee_above_the_rule_that_was_agreed_is_raised_and_the_agreement_is_named() -> None:
    found = ask(event(start(agreed=0.25), 100_000, 75_000))
    assert (found.status, found.evidence["agreed_differs"]) == ("raised", False)
    assert " The agreement says 25 % too. " in found.sentence


@pytest.mark.parametrize(("payable", "other"), [(84_999, False), (84_998, True), (85_002, True)])
def test_a_penny_an_event_is_rounding_and_more_is_another_fee(payable: int, other: bool) -> None:
    found = ask(event(start(agreed=0.15), 100_000, payable))
    assert found.evidence["agreed_differs"] is other
    assert ("the payments show" in found.sentence) is other


def test_an_agreement_without_a_fee_or_money_has_nothing_to_differ() -> None:
    silent, account, _ = told(event(start(), 100_000, 85_000))
    assert silent.evidence["agreed_differs"] is None
    assert account.promise == (
        "The register of agreements names no management fee for Exampleton Trust.",
    )
    unpaid = ask(start(agreed=0.14))
    assert unpaid.evidence["effective_above_agreed"] is None
    assert unpaid.evidence["agreed_differs"] is None


def test_rates_are_compared_as_the_decimals_that_were_written() -> None:
    assert rate(0.15) == Fraction(3, 20)
    assert above_in_pence(100_000, 84_999, rate(0.15)) == 1
    assert not differs(100_000, 85_000, rate(0.15), 0)


# Rounding


def test_what_rounding_to_whole_pence_could_explain_is_raised_and_said() -> None:
    """15 % of £333.33 is £49.9995: whoever pays £283.33 on keeps £50.00, and meant 15 %."""
    chain = event(start(), 33_333, 28_333)
    found, account, _ = told(chain)
    assert (found.status, found.evidence["within_rounding"]) == ("raised", True)
    assert "Rounding each event to whole pence could explain" in found.sentence
    assert "15 % of £333.33 is £49.9995: the most that the rule has the prime keep." in (
        account.arithmetic
    )
    assert any("£0.0005 above the rule" in step for step in account.arithmetic)
    assert "Rounding 1 event to whole pence can move the sum by as much as that." in (
        account.arithmetic
    )
    assert not ask(event(start(), 33_333, 28_000)).evidence["within_rounding"]


# Prices


def priced(commissioner: int, subcontractor: int) -> Chain:
    chain = event(start(), 100_000, 85_000)
    chain.price("ESA", None, price_pence=commissioner)
    return chain.price("ESA", "S", price_pence=subcontractor)


def test_prices_of_both_sides_imply_a_fee() -> None:
    found, account, _ = told(priced(120_000, 102_000))
    assert found.evidence["priced_fee"] == [
        {
            "client_group": "ESA",
            "payment_type": "job_outcome",
            "commissioner_price_pence": 120_000,
            "subcontractor_price_pence": 102_000,
            "fee": 0.15,
        }
    ]
    assert account.promise[1] == (
        "Prices on record for ESA, job outcome: the commissioner pays £1,200, Exampleton Trust "
        "gets £1,020: a fee of 15 %."
    )


def test_a_price_of_one_side_of_another_event_or_of_nothing_implies_none() -> None:
    chain = priced(0, 100)
    chain.price("JSA", "S").price("JSA", None, payment_type="sustainment")
    chain.price("JSA", None, "C2")
    assert ask(chain).evidence["priced_fee"] == []


def test_prices_decide_nothing() -> None:
    assert ask(priced(120_000, 0)).status == "clear"


# Cash


def test_cash_totals_look_like_a_fee_where_there_is_only_delay() -> None:
    """A fee of 15 %; of the £8,500 payable £1,700 has still to be paid on."""
    chain = start()
    for n in range(10):
        event(chain, 100_000, 85_000, paid=n < 8)
    found, account, _ = told(chain)
    assert (found.status, found.value) == ("watch", 0.15)
    assert found.high == pytest.approx(0.32)
    assert found.evidence["cash"] == {
        "received_events": 10,
        "received_pence": 1_000_000,
        "paid_pence": 680_000,
        "unpaid_events": 2,
        "unpaid_pence": 170_000,
        "fee": pytest.approx(0.32),
        "lag_effect": pytest.approx(0.17),
    }
    assert account.arithmetic[-2] == (
        "Cash so far: £10,000 has come for 10 events and £6,800 has been paid on; (£10,000 - "
        "£6,800) / £10,000 = £3,200 / £10,000. Cash totals alone would look like 32 %, not 15 %, "
        "because 2 events worth £1,700 are payable and not yet paid: that is delay, not fee, as "
        "long as it gets paid."
    )


def test_money_that_has_not_come_to_the_prime_is_delay_too() -> None:
    chain = event(start(), 100_000, 85_000)
    event(chain, 100_000, 85_000, received_on=None)
    found, account, _ = told(chain)
    assert found.evidence["cash"]["fee"] == pytest.approx(-0.7)
    assert found.evidence["cash"]["lag_effect"] == pytest.approx(-0.85)
    assert (
        "£1,000 of the commissioner's money has no day of receipt yet: that is delay too."
        in (account.arithmetic[-2])
    )


def test_a_difference_between_the_two_sides_is_not_called_delay() -> None:
    chain = event(start(), 100_000, 85_000).covers("S", TEN[:1], "payments")
    chain.payment("S", TEN[0], None, 60_000).payment("S", TEN[0], None, 5_000, paid=False)
    _, account, _ = told(chain)
    assert account.happened[2:4] == (
        "£600 has been paid to Exampleton Trust, by its own word in 1 month and by that of Sample "
        "Prime Ltd in 9. 1 event worth £50 is reported as not yet paid.",
        "Paid and not yet paid come to £650, £200 less than what Sample Prime Ltd reports as "
        "payable: the two sides' returns differ.",
    )
    assert account.arithmetic[-2].endswith(
        "not 15 %, because 1 event worth £50 is payable and not yet paid: that is delay, not fee, "
        "as long as it gets paid; and the two sides' returns differ by £200."
    )


def test_a_subcontractor_that_says_it_got_more_is_heard_alike() -> None:
    chain = event(start(), 100_000, 85_000).covers("S", TEN[:1], "payments")
    found, account, _ = told(chain.payment("S", TEN[0], None, 95_000))
    assert (found.low, found.high) == (0.15, 0.05)
    assert "£100 more than what Sample Prime Ltd reports as payable" in account.happened[3]


def test_where_all_is_settled_cash_shows_the_fee() -> None:
    found, account, _ = told(event(start(), 100_000, 85_000))
    assert found.evidence["cash"]["lag_effect"] == 0
    assert account.arithmetic[-2].endswith("would look like 15 %, which is the fee.")


def test_without_a_day_of_receipt_cash_is_not_compared() -> None:
    found, account, _ = told(event(start(), 100_000, 85_000, received_on=None))
    assert (found.evidence["cash"]["fee"], found.evidence["cash"]["lag_effect"]) == (None, None)
    assert account.arithmetic[-2] == (
        "Sample Prime Ltd gives no day on which the commissioner's money came, so cash totals "
        "cannot be compared."
    )


def test_cash_that_was_all_taken_back_says_nothing() -> None:
    chain = event(start(), 100_000, 85_000, received_on=None)
    event(chain, -20_000, 0, payment_type="adjustment")
    assert "has come is -£200, so cash totals say nothing." in arithmetic(chain)


def test_a_row_of_the_subcontractor_counts_in_months_that_the_prime_has_reported_only() -> None:
    chain = Chain().contract().agreement().covers("P", TEN[:1], "payments")
    chain.covers("S", TEN[:2], "payments").payment("P", TEN[0], 1000, 850)
    chain.payment("S", TEN[0], None, 850, paid=False).payment("S", TEN[1], None, 850, paid=False)
    assert ask(chain).evidence["cash"]["unpaid_events"] == 1


# Negative and zero payments, corrections larger than the sum


@pytest.mark.parametrize("correction", [-100_000, -150_000])
def test_corrections_that_leave_nothing_make_it_not_applicable(correction: int) -> None:
    chain = event(start(agreed=0.1), 100_000, 85_000)
    event(chain, correction, -85_000, payment_type="adjustment")
    found, account, _ = told(chain)
    left = "£0" if correction == -100_000 else "-£500"
    assert (found.status, found.value, found.low, found.high) == ("not_applicable", *3 * (None,))
    assert found.sentence == (
        "Not applicable to Exampleton Trust: what the commissioner paid for its work from June "
        f"2011 to March 2012 comes to {left} after corrections."
    )
    assert account.arithmetic == (
        f"The commissioner's payments and corrections come to {left}: a share of nothing, or of "
        "less than nothing, cannot be worked out.",
    )
    assert "no fee, as nothing is left of what was received" in account.happened[-1]


def test_payments_of_nothing_are_events_and_leave_no_fee() -> None:
    found = ask(event(start(), 0, 0))
    assert (found.status, found.evidence["events"]) == ("not_applicable", 1)
    assert "comes to £0 after corrections" in found.sentence


def test_a_clawback_that_was_not_paid_back_yet_makes_the_high_end_the_lower() -> None:
    """What is payable has been cut by £100; the subcontractor still has the money."""
    chain = event(start(), 100_000, 90_000)
    event(chain, 0, -10_000, paid=False, payment_type="adjustment")
    found, account, _ = told(chain)
    assert (found.status, found.low) == ("raised", 0.2)
    assert found.high == pytest.approx(0.1)
    assert "1 event worth -£100 is reported as not yet paid." in account.happened[2]


def test_a_subcontractor_that_must_pay_back_more_than_it_gets_is_shown_with_signs() -> None:
    chain = event(start(), 100_000, 20_000)
    event(chain, 0, -50_000, payment_type="adjustment")
    found, account, _ = told(chain)
    assert (found.status, found.value) == ("raised", 1.3)
    assert "£1,000 - (-£300) = £1,300 kept; £1,300 / £1,000 = 130 %" in account.arithmetic[1]


def test_a_prime_that_adds_its_own_money_keeps_less_than_nothing() -> None:
    assert "£1,000 - £1,200 = -£200 kept; -£200 / £1,000 = minus 20 %, not above the rule." in (
        arithmetic(event(start(), 100_000, 120_000))
    )


# The account


def test_the_account_can_be_followed_with_a_calculator() -> None:
    chain = event(start(agreed=0.2), 120_000, 90_000, group="ESA")
    event(chain, 40_000, 34_000, paid=False, group=None)
    found, account, _ = told(chain)
    assert found.status == "raised"
    assert account.happened == (
        "Sample Prime Ltd has reported payments for 10 of 10 months from June 2011 to March 2012.",
        "By the returns of Sample Prime Ltd the commissioner paid £1,600 for 2 events; £1,240 is "
        "payable to Exampleton Trust for the same.",
        "£900 has been paid to Exampleton Trust, by its own word in 0 months and by that of Sample "
        "Prime Ltd in 10. 1 event worth £340 is reported as not yet paid.",
        "No client group given: £400 received, £340 payable, £0 paid; a fee of 15 %, or 100 % if "
        "nothing more is paid.",
        "ESA: £1,200 received, £900 payable, £900 paid; a fee of 25 %.",
    )
    assert account.arithmetic[:4] == (
        "15 % of £1,600 is £240: the most that the rule has the prime keep.",
        "If everything payable gets paid: £1,600 - £1,240 = £360 kept; £360 / £1,600 = 22.5 %, "
        "£120 above the rule.",
        "If nothing more is paid: £1,600 - £900 = £700 kept; £700 / £1,600 = 43.8 %, £460 above "
        "the rule.",
        "20 % of £1,600, as agreed, is £320: £40 more is kept. The agreement says 20 %; the "
        "payments show 22.5 %.",
    )


def test_the_account_follows_the_rule_that_was_asked_for() -> None:
    assert "12.5 % of £1,000.01 is £125.00125: the most" in arithmetic(
        event(start(), 100_001, 90_000), management_fee="12.5%"
    )


def test_what_is_as_agreed_is_said_to_the_penny() -> None:
    assert "15 % of £1,000, as agreed, is £150: what is kept is that, to a penny an event." in (
        arithmetic(event(start(agreed=0.15), 100_000, 85_000))
    )


def test_the_account_of_nothing_reported_says_so() -> None:
    silent = Chain().contract().agreement()
    _, account, _ = told(silent)
    assert account.happened == (
        "P has reported payments for 0 of 10 months from June 2011 to March 2012.",
    )
    assert account.arithmetic == ()
    _, ended, _ = told(start(live_on="2011-10-01", ends_on="2011-08-31"))
    assert ended.happened == ("No month that counts is over.",)


def test_the_account_of_months_without_the_commissioners_money_says_so() -> None:
    found, account, _ = told(start())
    assert found.status == "not_applicable"
    assert account.happened[1] == (
        "The returns of Sample Prime Ltd name no amount that the commissioner paid for the work of "
        "Exampleton Trust."
    )
    assert account.happened[2].endswith("Nothing is reported as not yet paid.")
    assert account.arithmetic == ()


# The rows behind it


def test_every_row_behind_the_fee_is_named_with_its_part() -> None:
    chain = priced(120_000, 102_000).covers("S", TEN[1:2], "payments")
    event(chain, 100_000, 85_000, paid=False)
    chain.payment("P", TEN[0], None, 85_000).payment("G", TEN[0], 1, 1)
    chain.payment("P", TEN[1], 1000, 850).payment("S", TEN[1], None, 850)
    chain.payment("S", TEN[1], None, 850, paid=False).payment("S", TEN[0], None, 850)
    chain.payment("P", TEN[0].replace(year=2013), 1000, 850)
    chain.price("JSA", "S")
    found, _, facts = told(chain)
    rows = management_fee.source_rows(found, facts)
    assert [(row.table, row.row_id, row.part) for row in rows] == [
        ("agreements", "", "terms"),
        ("payments", "P0", "received, payable, paid"),
        ("payments", "P1", "received, payable, not paid"),
        ("payments", "P4", "received and payable"),
        ("payments", "P5", "paid"),
        ("payments", "P6", "not paid"),
        ("prices", "", "price"),
        ("prices", "", "price"),
    ]
    assert [row.row_number for row in rows[-2:]] == [2, 3]


def test_a_prime_that_is_its_own_subcontractor_has_each_row_once() -> None:
    chain = Chain().contract().agreement("P").covers("P", TEN, "payments")
    found, _, facts = told(chain.payment("P", TEN[0], 1000, 850, subcontractor="P"))
    rows = management_fee.source_rows(found, facts)
    assert [row.part for row in rows if row.table == "payments"] == ["received, payable, paid"]


# Over other clients


def served(clients: int, outcomes: int, marked: bool = True) -> Chain:
    """So many clients, each with an attachment at 5 %; so many of them with an outcome at 25 %."""
    chain = start()
    for n in range(clients):
        mark = f"c{n}" if marked else None
        event(chain, 40_000, 38_000, client_hash=mark)
        if n < outcomes:
            event(chain, 120_000, 90_000, client_hash=mark)
    return chain


def over_clients(chain: Chain, least: float = 20, level: float = 0.95) -> Sampling:
    return sampling_interval(gather(chain.frames(), TODAY), "C1", "S", least, level)


def test_where_events_are_charged_unlike_the_fee_depends_on_who_came() -> None:
    chain = served(60, 20)
    found, account, _ = told(chain)
    interval = over_clients(chain)
    assert found.value == pytest.approx(0.15)
    assert interval.low is not None
    assert interval.high is not None
    assert 0.12 < interval.low < 0.14
    assert 0.16 < interval.high < 0.18
    assert (interval.client_count, interval.rows_without_client) == (60, 0)
    assert account.arithmetic[-1] == interval.sentence
    assert interval.sentence.startswith(
        "If other clients of the same kind had come, the fee would lie between "
    )
    assert "(95 % interval from 60 clients, redrawn 2,000 times). It decides nothing" in (
        interval.sentence
    )


def test_the_interval_decides_nothing() -> None:
    """15.2 % is above the rule, though other clients might well have brought it below."""
    assert ask(served(60, 21)).status == "raised"


def test_the_same_question_has_the_same_interval_and_another_agreement_other_draws() -> None:
    assert over_clients(served(60, 20)) == over_clients(served(60, 20))
    assert seed_of("C1", "S") != seed_of("C1", "T") != seed_of("C1S", "")


def test_fewer_clients_than_the_rule_asks_have_no_interval_and_are_not_counted_aloud() -> None:
    few = over_clients(served(19, 9))
    assert (few.low, few.high) == (None, None)
    assert few.sentence == (
        "An interval over other clients is not stated: fewer than 20 clients are known, too few "
        "for it."
    )
    assert over_clients(served(19, 9), least=10).low is not None
    assert "fewer than 50 clients" in arithmetic(served(49, 20))
    assert "would lie between" in arithmetic(served(49, 20), fee_clients="49")


def test_without_marks_of_clients_there_is_no_interval() -> None:
    assert "the prime's payments name no clients" in over_clients(served(30, 10, False)).sentence


def test_clients_who_all_carry_the_same_fee_have_no_interval() -> None:
    """Nor where only one of them differs: redrawn, it is often not there at all."""
    for outcomes in (0, 30, 1):
        found = over_clients(served(30, outcomes))
        assert found.low is None
        assert "its clients differ too little, or too few of them do" in found.sentence


def test_rows_without_a_client_count_as_one_each_while_they_are_the_fewer() -> None:
    chain = served(60, 20)
    event(chain, 100_000, 100_000, payment_type="service_fee")
    event(chain, -10_000, 0, payment_type="adjustment")
    found = over_clients(chain)
    assert (found.client_count, found.rows_without_client) == (60, 2)
    assert "; 2 rows without a client each counted as one)" in found.sentence
    for _ in range(80):
        event(chain, 100_000, 85_000)
    assert "more of the prime's payments are without a client" in over_clients(chain).sentence


def test_only_the_primes_matched_rows_of_the_months_reported_count() -> None:
    chain = served(60, 20).covers("S", TEN, "payments")
    before = over_clients(chain)
    chain.payment("S", TEN[0], 1, 1, client_hash="x").payment("G", TEN[0], 1, 1, client_hash="x")
    chain.payment("P", TEN[0].replace(year=2013), 1, 1, client_hash="x")
    chain.payment("P", TEN[0], None, 1, client_hash="x")
    assert over_clients(chain) == before


def test_a_wider_confidence_gives_a_wider_interval() -> None:
    wide, usual = over_clients(served(60, 20), level=0.999), over_clients(served(60, 20))
    assert wide.low is not None
    assert wide.high is not None
    assert usual.low is not None
    assert usual.high is not None
    assert wide.low < usual.low < usual.high < wide.high
    assert "99.9 % interval" in wide.sentence


@pytest.mark.parametrize(
    ("received", "payable"),
    [
        ([100, -100], [1, 1]),  # nothing is left
        ([1000, -10, -10], [1, 2, 3]),  # without the first client less than nothing
        ([100] * 12 + [-100] * 9, [1, 2, 3] * 7),  # some redraws leave less than nothing
    ],
)
def test_corrections_as_large_as_the_sum_have_no_interval(
    received: list[int], payable: list[int]
) -> None:
    assert fee_interval(received, payable, 0.95, 1) is None


def test_cash_of_nothing_suggests_no_fee() -> None:
    assert Cash().fee is None


# Drawn


def test_the_fee_agreed_shown_and_by_cash_can_be_drawn_together() -> None:
    fees = pd.DataFrame(
        [
            ("Agreed", 0.14, None, None),
            ("By events", 0.22, 0.18, 0.27),
            ("By cash", 0.3, None, None),
        ],
        columns=["name", "fee", "low", "high"],
    )
    drawn = charts.compared(fees, 0.15).to_dict()
    (names, *_) = [rows for rows in drawn["datasets"].values() if len(rows) == 3]
    assert [row["name"] for row in names] == ["Agreed", "By events", "By cash"]
    limits = [rows for rows in drawn["datasets"].values() if "rule" in rows[0]]
    assert limits == [[{"rule": 0.15, "name": "rule: 15 %"}]]
    by_group = pd.DataFrame([("ESA", -0.1, 0.3)], columns=["group", "low", "high"])
    assert len(charts.interval(by_group, 0.15).to_dict()["layer"]) == 4


# What a commissioner is told to whom subcontractors' prices are not shown


def events(count: int, received: int, payable: int, **paid: bool) -> Chain:
    chain = start(agreed=0.10).price("JSA 25+", None).price("JSA 25+", price_pence=100_000)
    for _ in range(count):
        event(chain, received, payable, **paid)
    return chain


def without_prices(chain: Chain, **rules: str) -> Assessment:
    found, _, facts = told(chain, **rules)
    rounded = management_fee.without_prices(found)
    text = json.dumps(rounded.answer())
    assert "payable_pence" not in text
    assert "price_pence" not in text
    account = management_fee.account(rounded, facts)
    assert account.arithmetic == ()
    assert account.happened == (rounded.sentence,)
    return rounded


def test_the_fee_is_rounded_and_no_sum_is_told() -> None:
    found = without_prices(events(10, 10_000, 8_367))
    assert (found.status, found.value, found.high) == ("raised", 0.16, 0.16)
    assert found.sentence == (
        "The prime kept about 16 % of what the commissioner paid for 10 events in 10 months "
        "from June 2011 to March 2012 (rule: at most 15 %). It is above the rule. Rounded, since "
        "the exact sums would tell what the subcontractor is paid."
    )


def test_a_fee_over_few_events_is_not_told_but_whether_it_is_above_the_rule_is() -> None:
    found = without_prices(events(9, 10_000, 8_367))
    assert (found.status, found.value) == ("raised", None)
    assert "9 events" in found.sentence
    assert "too few to say how high" in found.sentence
    assert "above the rule" in found.sentence


def test_what_is_unpaid_gives_the_high_end() -> None:
    found = without_prices(events(10, 10_000, 9_000, paid=False))
    assert (found.status, found.low, found.high) == ("watch", 0.1, 1.0)
    assert "or 100 % if nothing more is paid" in found.sentence


def test_another_rule_is_held_against_the_rounded_fee_so_that_trying_rules_finds_no_more() -> None:
    exact = 0.1633
    for asked, status in (("0.162", "clear"), ("0.159", "raised"), ("0.16", "clear")):
        found = without_prices(events(10, 100_000, 83_670), management_fee=asked)
        assert (found.status, found.value) == (status, 0.16)
        assert exact > 0.162
    watch = without_prices(events(10, 10_000, 8_400, paid=False), management_fee="0.2")
    assert watch.status == "watch"
    few = without_prices(events(9, 10_000, 8_367), management_fee="0.2")
    assert (few.status, few.value) == ("not_applicable", None)
    assert "is not said" in few.sentence


def test_an_answer_without_a_fee_is_told_as_it_is() -> None:
    found, _, _ = told(start())
    assert management_fee.without_prices(found).sentence == found.sentence
