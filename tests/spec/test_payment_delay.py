"""When payments count as late, and what could be claimed for them.

A contract C1 of the prime P runs from June 2011; S is its subcontractor; today is 15 April 2012,
and returns were received on 10 April. Unless a test says otherwise S reports every month, and is
to be paid within 30 days.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from data.scope import Parties, Scope, reach_of
from metrics.explanation import explained
from metrics.facts import gather
from metrics.flags import payment_delay
from metrics.late_payment import LatePayment
from metrics.late_payment_claim import compensation_pence, interest
from metrics.reference_rates import reference_rate, reference_rates
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, month, months

if TYPE_CHECKING:
    from metrics.definition import Account, Assessment, SourceRow
    from metrics.facts import Facts

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def start(*reporters: str, starts_on: str = "2011-06-01", **terms: Any) -> Chain:
    chain = (
        Chain()
        .organisation("S", "Exampleton Trust")
        .organisation("P", "Sample Prime Ltd")
        .contract(starts_on=starts_on)
        .agreement(**terms)
    )
    for reporter in reporters or ("S",):
        chain.covers(reporter, TEN, "payments")
    return chain


def pay(
    chain: Chain,
    invoiced: str | None,
    paid: str | None = None,
    *,
    by: str = "S",
    pence: int = 100_00,
    earned: str = "2011-06",
    **cells: Any,
) -> Chain:
    return chain.payment(
        by,
        month(earned),
        None,
        pence,
        invoiced_on=day(invoiced) if invoiced else None,
        **{"paid_on": day(paid) if paid else None, **cells},
    )


def facts_of(chain: Chain, as_of: dt.date = TODAY, engine: Any = "pandas") -> Facts:
    return gather(chain.frames(engine), as_of)


def ask(
    chain: Chain, *, as_of: dt.date = TODAY, engine: Any = "pandas", **rules: str
) -> Assessment:
    chosen = rules_as_of(as_of).override(rules)
    (found,) = payment_delay.assess(facts_of(chain, as_of, engine), chosen)
    json.dumps(found.answer(), allow_nan=False)
    return found


def told(chain: Chain) -> Account:
    facts = facts_of(chain)
    (found,) = payment_delay.assess(facts, rules_as_of(TODAY))
    return payment_delay.account(found, facts)


def rows(chain: Chain) -> list[SourceRow]:
    facts = facts_of(chain)
    (found,) = payment_delay.assess(facts, rules_as_of(TODAY))
    return payment_delay.source_rows(found, facts)


def many_late(late: int = 3, in_time: int = 0, **options: Any) -> Chain:
    """Invoices a week apart, paid on day 31, and others paid on day 30."""
    chain = start(**options)
    for week in range(late):
        invoiced = day("2011-07-01") + dt.timedelta(weeks=week)
        pay(chain, str(invoiced), str(invoiced + dt.timedelta(days=31)))
    for _ in range(in_time):
        pay(chain, "2011-07-01", "2011-07-31")
    return chain


# What is late


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_day_30_is_in_time_and_day_31_is_late(engine: str) -> None:
    found = ask(pay(start(), "2011-07-01", "2011-07-31"), engine=engine)
    assert (found.status, found.value) == ("clear", 0)
    found = ask(pay(start(), "2011-07-01", "2011-08-01"), engine=engine)
    assert (found.status, found.value) == ("watch", 1)


def test_terms_agreed_shorter_than_the_rule_count_and_longer_ones_do_not() -> None:
    shorter = start(payment_terms_days=14)
    pay(shorter, "2011-07-01", "2011-07-16")
    assert ask(shorter).evidence["limit_days"] == 14
    assert ask(shorter).status == "watch"
    assert "within 14 days of a valid invoice (the agreement's own terms)" in ask(shorter).sentence
    longer = start(payment_terms_days=60)
    pay(longer, "2011-07-01", "2011-08-15")
    assert ask(longer).evidence["limit_days"] == 30
    assert ask(longer).status == "watch"


def test_payment_on_receipt_of_the_invoice_can_be_agreed() -> None:
    chain = start(payment_terms_days=0)
    pay(chain, "2011-07-01", "2011-07-01")
    assert ask(chain).status == "clear"
    pay(chain, "2011-07-01", "2011-07-02")
    assert ask(chain).value == 0.5


def test_an_unpaid_invoice_is_late_once_its_days_have_passed_before_it_was_reported() -> None:
    """The return was received on 10 April: 30 days after 11 March, 31 after 10 March."""
    chain = pay(start(), "2012-03-11")
    assert ask(chain).status == "too_early"
    pay(chain, "2012-03-10")
    found = ask(chain)
    assert (found.status, found.value) == ("watch", 1)
    assert found.evidence["payments"]["not_due"] == 1


def test_an_unpaid_invoice_is_not_late_for_what_happened_after_the_last_word_on_it() -> None:
    """Nobody has said since 10 April whether it was paid."""
    chain = pay(start(), "2012-03-20")
    assert ask(chain, as_of=dt.date(2014, 1, 1)).status == "too_early"


def test_an_unpaid_invoice_is_reckoned_by_the_return_that_covers_its_month() -> None:
    chain = start("P")
    chain.covers("S", TEN[:1], "payments", received_on="2011-07-20")
    pay(chain, "2011-07-01", earned="2011-06")
    assert ask(chain).status == "too_early"
    pay(chain, "2011-08-01", earned="2011-07", by="P")
    assert ask(chain).evidence["payments"]["unpaid_late"] == 1


def test_an_earlier_as_of_day_does_not_see_a_later_lateness() -> None:
    chain = pay(start(), "2012-03-01")
    chain.coverage.clear()
    chain.covers("S", TEN, "payments", received_on="2012-04-01")
    assert ask(chain, as_of=dt.date(2012, 4, 1)).value == 1
    chain.coverage.clear()
    chain.covers("S", TEN, "payments", received_on="2012-03-20")
    assert ask(chain, as_of=dt.date(2012, 4, 1)).status == "too_early"


def test_more_than_five_percent_and_more_than_two_invoices_are_raised() -> None:
    found = ask(many_late(3))
    assert (found.status, found.value, found.threshold) == ("raised", 1, 0.05)
    assert (found.low, found.high, found.attributed_to) == (None, None, None)
    assert ask(many_late(3, 56)).status == "raised"
    assert ask(many_late(3, 57)).status == "watch", "3 of 60 is exactly the rule, not above it"
    assert ask(many_late(2)).status == "watch"
    assert ask(many_late(2), payment_delay_invoices="1").status == "raised"


def test_one_late_invoice_of_many_payments_is_one_slip() -> None:
    chain = start()
    for _ in range(9):
        pay(chain, "2011-07-01", "2011-09-01")
    found = ask(chain)
    assert (found.status, found.value, found.evidence["late_invoices"]) == ("watch", 1, 1)
    assert found.sentence.endswith("Short of the rule: too few invoices are late.")


def test_a_small_share_is_watched_however_many_invoices_it_is() -> None:
    found = ask(many_late(3, 97))
    assert found.sentence.endswith("Short of the rule: the share is within the rule.")
    both = ask(many_late(2, 98))
    assert both.sentence.endswith("the share is within the rule and too few invoices are late.")


def test_the_days_and_the_share_can_be_asked_for_otherwise() -> None:
    assert ask(many_late(3), payment_days="31").status == "clear"
    assert ask(many_late(3), payment_delay="1").status == "watch"


# Statuses without a share


def test_nothing_reported_is_not_reported() -> None:
    chain = start()
    chain.coverage.clear()
    found = ask(chain)
    assert (found.status, found.value) == ("not_reported", None)
    assert found.sentence == (
        "Not reported for Exampleton Trust: neither Exampleton Trust nor Sample Prime Ltd has "
        "sent a payments return that covers any month from June 2011 to March 2012."
    )


def test_an_agreement_that_ended_before_it_began_is_not_reported() -> None:
    chain = start(ends_on="2011-05-01")
    pay(chain, "2011-07-01", "2011-10-01")
    found = ask(chain)
    assert found.status == "not_reported"
    assert "by the register it ended in May 2011, before it began" in found.sentence


def test_without_an_invoice_day_it_does_not_apply() -> None:
    found = ask(pay(start(), None, "2011-10-01"))
    assert (found.status, found.value) == ("not_applicable", None)
    assert found.sentence == (
        "Not applicable to Exampleton Trust: no payment to it from June 2011 to March 2012 has "
        "an invoice day (1 without one)."
    )
    assert ask(start()).sentence.endswith("has an invoice day (none is reported).")


def test_nothing_paid_and_nothing_due_is_too_early() -> None:
    found = ask(pay(start(), "2012-04-01", earned="2012-03"))
    assert (found.status, found.value) == ("too_early", None)
    assert found.sentence == (
        "Too early to say: Exampleton Trust is to be paid within 30 days of a valid invoice (law: "
        "Public Contracts Regulations 2015, regulation 113; Procurement Act 2023, sections 68 and "
        "73); from June 2011 to March 2012 nothing is paid yet, and 1 payment had not fallen due "
        "when that was reported."
    )


def test_negative_and_zero_payments_and_corrections_cannot_be_late() -> None:
    chain = start()
    pay(chain, "2011-07-01", "2011-12-01", pence=0)
    pay(chain, "2011-07-01", "2011-12-01", pence=-500)
    pay(chain, "2011-07-01", "2011-12-01", payment_type="adjustment")
    pay(chain, "2011-07-01", "2011-12-01", payment_type="adjustment", pence=-900_00)
    found = ask(chain)
    assert found.status == "not_applicable"
    assert "(2 of nothing or less, 2 corrections)" in found.sentence
    pay(chain, "2011-07-01", "2011-07-02")
    assert ask(chain).status == "clear"


# Sides


def test_the_subcontractors_word_stands_where_it_reported_else_the_primes() -> None:
    chain = start("P").covers("S", TEN[:1], "payments")
    pay(chain, "2011-07-01", "2011-07-02", by="P", earned="2011-06")
    pay(chain, "2011-07-01", "2011-10-02", by="S", earned="2011-06")
    pay(chain, "2011-08-01", "2011-08-02", by="P", earned="2011-07")
    found = ask(chain)
    assert (found.status, found.value) == ("watch", 0.5)
    assert found.evidence["reported_by"] == {"subcontractor": 1, "prime": 9}


def test_where_both_report_and_differ_the_sentence_gives_both() -> None:
    chain = start("S", "P")
    pay(chain, "2011-07-01", by="S")
    pay(chain, "2011-07-01", "2011-07-20", by="P")
    found = ask(chain)
    assert (
        "The two sides differ: in the 10 months that both have reported, the subcontractor's "
        "returns show 1 late of 1, those of Sample Prime Ltd 0 of 1." in found.sentence
    )
    alike = start("S", "P")
    for by in ("S", "P"):
        pay(alike, "2011-07-01", by=by)
    assert "differ" not in ask(alike).sentence


def test_rows_of_anybody_else_and_outside_the_window_mean_nothing() -> None:
    chain = start("S", "P", "G").covers("S", [month("2011-05")], "payments")
    pay(chain, "2011-07-01", by="G")
    pay(chain, "2011-07-01", earned="2011-05")
    assert ask(chain).status == "not_applicable"


# Statistics


def test_the_statistics_are_those_of_regulation_38() -> None:
    chain = start("S", "P")
    for paid in ("2011-07-31", "2011-08-01", "2011-08-30", "2011-08-31"):  # 30, 31, 60, 61 days
        pay(chain, "2011-07-01", paid)
    pay(chain, "2011-07-01")
    pay(chain, None, "2011-07-20", by="P", received_on=day("2011-07-10"))
    found = ask(chain)
    assert found.evidence["regulation_38"] == {
        "mean_days": 45.5,
        "payments_by_days": [
            {"days": "30 days or fewer", "payments": 1, "share": 0.25},
            {"days": "31 to 60 days", "payments": 2, "share": 0.5},
            {"days": "61 days or more", "payments": 1, "share": 0.25},
        ],
        "unpaid_share": 0.2,
    }
    assert found.evidence["from_receipt"] == {"payments": 1, "mean_days": 10, "unpaid": 0}
    assert (
        "Payments made took 45.5 days on average, and came 10 days after the prime says it was "
        "paid itself." in found.sentence
    )


def test_a_prime_that_pays_in_advance_is_said_to_do_so() -> None:
    chain = start("P")
    pay(chain, "2011-07-01", "2011-07-20", by="P", received_on=day("2011-07-30"))
    assert "came 10 days before the prime says it was paid itself" in ask(chain).sentence
    assert "10 days before it was paid itself" in " ".join(told(chain).happened)


# The law


def test_a_contract_older_than_the_law_is_measured_by_a_yardstick_only() -> None:
    found = ask(many_late(3))
    assert found.evidence["law_binds"] is False
    assert (
        "The contract began on 1 June 2011, before that law, which does not bind it: the days "
        "are a yardstick." in found.sentence
    )
    assert any("does not bind it" in one for one in told(many_late(3)).promise)


def test_nothing_is_said_of_the_law_where_it_binds_or_shorter_terms_are_agreed() -> None:
    newer = start("S", starts_on="2016-01-01")
    newer.coverage.clear()
    newer.covers("S", months("2016-01", 3), "payments", received_on="2016-04-10")
    pay(newer, "2016-01-01", "2016-03-01", earned="2016-01")
    found = ask(newer, as_of=dt.date(2016, 4, 15))
    assert found.evidence["law_binds"] is True
    assert "yardstick" not in found.sentence
    agreed = many_late(3, payment_terms_days=14)
    assert "yardstick" not in ask(agreed).sentence
    assert "yardstick" not in " ".join(told(agreed).promise)
    assert "yardstick" not in ask(many_late(3), payment_days="20").sentence


def test_whether_the_law_binds_a_contract_that_is_not_in_the_register_is_not_known() -> None:
    chain = start(live_on="2011-06-01")
    chain.contracts.clear()
    pay(chain, "2011-07-01", "2011-10-01")
    found = ask(chain)
    assert (found.status, found.evidence["law_binds"]) == ("watch", None)
    assert "Whether that law binds the contract is not known" in found.sentence
    assert "whether the law binds it is not known" in told(chain).promise[-1]


# What could be claimed


def test_interest_is_simple_from_the_day_after_the_last_day_in_time_to_the_day_paid() -> None:
    """£1,000 invoiced on 1 July, in time until the 31st, paid on 30 August: 30 days at 8.5 %."""
    found = ask(pay(start(), "2011-07-01", "2011-08-30", pence=1_000_00))
    claim = found.evidence["claim"]
    (line,) = claim["invoices"][0]["payments"]
    assert line["interest"] == {
        "from": "2011-08-01",
        "days": 30,
        "reference_rate": 0.005,
        "reference_fixed_on": "2011-06-30",
        "is_last_rate_in_table": False,
        "rate": 0.085,
        "pence": 698,  # 100,000 x 0.085 x 30 / 365 = 698.63
    }
    assert (claim["interest_pence"], claim["compensation_pence"]) == (698, 70_00)
    assert (
        "£6.98 of interest and £70 of compensation could be claimed, by these returns; this is "
        "not legal advice." in found.sentence
    )


def test_the_reference_rate_is_that_of_the_half_year_in_which_interest_starts() -> None:
    def rate(invoiced_on: str, ended_on: str) -> Fraction:
        found = interest(
            LatePayment(day(invoiced_on), day(ended_on), True, 1, 100), 30, Fraction(8, 100)
        )
        assert found is not None
        return found.rate

    assert rate("2008-11-30", "2009-06-01") == Fraction(13, 100), "late from 31 December: 5 %"
    assert rate("2008-12-01", "2009-06-01") == Fraction(10, 100), "late from 1 January: 2 %"


def test_compensation_goes_by_the_size_of_the_invoice() -> None:
    sizes = (1, 999_99, 1_000_00, 9_999_99, 10_000_00)
    assert [compensation_pence(size) for size in sizes] == [4000, 4000, 7000, 7000, 10_000]


def test_rows_with_the_same_invoice_day_are_one_invoice_which_is_the_lower_sum() -> None:
    chain = start()
    for paid in ("2011-09-01", "2011-10-01"):
        pay(chain, "2011-07-01", paid, pence=600_00)
    pay(chain, "2011-07-01", "2011-07-02", pence=9_000_00)
    (invoice,) = ask(chain).evidence["claim"]["invoices"]
    assert (invoice["late_pence"], invoice["compensation_pence"]) == (1_200_00, 70_00)
    assert [line["amount_pence"] for line in invoice["payments"]] == [600_00, 600_00]


def test_payments_of_the_same_days_are_one_line() -> None:
    chain = start()
    for _ in range(2):
        pay(chain, "2011-07-01", "2011-09-01", pence=1_00)
    pay(chain, "2011-07-01", pence=1_00)
    (invoice,) = ask(chain).evidence["claim"]["invoices"]
    assert [(one["payments"], one["amount_pence"], one["paid"]) for one in invoice["payments"]] == [
        (2, 2_00, True),
        (1, 1_00, False),
    ]


def test_no_interest_runs_within_longer_terms_agreed_before_the_law() -> None:
    """An old contract's own 60 days bind; the 30 are a yardstick and give no claim."""
    chain = start(payment_terms_days=60)
    pay(chain, "2011-07-01", "2011-08-15")
    found = ask(chain)
    assert found.status == "watch"
    assert found.evidence["claim"]["compensation_pence"] == 0
    assert "could be claimed" not in found.sentence
    assert any("no interest runs under the Act" in one for one in told(chain).arithmetic)
    pay(chain, "2011-07-01", "2011-09-09")  # day 70
    line = ask(chain).evidence["claim"]["invoices"][0]["payments"][1]
    assert (line["interest"]["from"], line["interest"]["days"]) == ("2011-08-31", 10)


def test_before_the_first_reference_rate_no_interest_is_worked_out() -> None:
    debt = LatePayment(day("2002-01-01"), day("2002-08-06"), True, 1, 100_00)
    assert interest(debt, 30, Fraction(8, 100)) is None
    assert reference_rate(day("2002-08-06")) is None
    assert reference_rate(day("2002-08-07")) == reference_rates()[0]


def test_after_the_last_reference_rate_the_last_one_stands_in_and_is_marked() -> None:
    last = reference_rates()[-1]
    after = last.last_on + dt.timedelta(days=1)
    debt = LatePayment(after - dt.timedelta(days=31), after, True, 1, 100_00)
    found = interest(debt, 30, Fraction(8, 100))
    assert found is not None
    assert (found.is_last_rate, found.reference_rate) == (True, last.rate)
    on_time = LatePayment(debt.invoiced_on - dt.timedelta(days=1), after, True, 1, 100_00)
    within = interest(on_time, 30, Fraction(8, 100))
    assert within is not None
    assert not within.is_last_rate


def test_the_reference_rates_follow_each_other_by_half_years() -> None:
    entries = reference_rates()
    for one, following in itertools.pairwise(entries):
        assert following.first_on == one.last_on + dt.timedelta(days=1)
        assert following.fixed_on == one.last_on
        assert one.rate.denominator <= 10_000
    for one in entries:
        assert one.fixed_on < one.first_on <= one.last_on
        assert (one.last_on.month, one.last_on.day) in ((6, 30), (12, 31))
        assert f"on {one.fixed_on.day} {one.fixed_on:%B %Y}" in one.source
        assert one.read_in
        assert set(one.answer()) >= {"rate", "source", "read_in", "confirmed"}


@pytest.mark.parametrize(
    ("fixed_on", "percent"),
    [("2002-12-31", 4), ("2008-06-30", 5), ("2011-06-30", 0.5), ("2023-12-31", 5.25)],
)
def test_reference_rates_are_the_bank_of_englands(fixed_on: str, percent: float) -> None:
    (entry,) = [one for one in reference_rates() if one.fixed_on == day(fixed_on)]
    assert float(entry.rate) == percent / 100


# The account and its rows


def test_a_raised_sentence_says_all_of_it() -> None:
    assert ask(many_late(3, 1)).sentence == (
        "Exampleton Trust was to be paid within 30 days of a valid invoice (law: Public Contracts "
        "Regulations 2015, regulation 113; Procurement Act 2023, sections 68 and 73). From June "
        "2011 to March 2012 3 of 4 payments that were made or fell due were late, 75 %, on 3 "
        "invoices: 3 paid after the last day in time (rule: at most 5 %, guidance: PPN 018 asks "
        "large suppliers to pay 95 % of invoices within 60 days; and more than 2 invoices late, a "
        "statistical choice: no law or guidance sets one). Payments made took 30.8 days on "
        "average. The contract began on 1 June 2011, before that law, which does not bind it: the "
        "days are a yardstick. Under the Late Payment of Commercial Debts (Interest) Act 1998 "
        "£0.06 of interest and £120 of compensation could be claimed, by these returns; this is "
        "not legal advice. What else could explain it: an invoice was disputed, or was not valid "
        "on the day given; a payment was made and not recorded by the side whose word is used; "
        "the prime had not been paid by the commissioner, and the agreement lets it wait for that."
    )


def test_a_clear_sentence_says_that_all_came_in_time() -> None:
    chain = pay(start(), "2011-07-01", "2011-07-31")
    assert "the one payment that was made came in time." in ask(chain).sentence
    assert "From June 2011 to March 2012 all 2 payments that were made came in time." in (
        ask(pay(chain, "2011-07-01", "2011-07-11")).sentence
    )


def test_the_account_can_be_redone_with_a_calculator() -> None:
    chain = start("S", "P")
    pay(chain, "2011-07-01", "2011-08-30", pence=1_000_00)
    pay(chain, "2011-07-01", pence=500_00)
    pay(chain, "2011-07-01", "2011-07-11")
    pay(chain, "2011-07-01", "2011-07-11", by="P")
    account = told(chain)
    assert account.promise[0] == (
        "Sample Prime Ltd was to pay Exampleton Trust within 30 days of a valid invoice; the day "
        "after it arrives is day 1."
    )
    assert account.happened == (
        "10 of 10 months from 2011-06 to 2012-03 are reported: the word of Exampleton Trust "
        "stands in 10 months, that of Sample Prime Ltd in 0 months.",
        "2 payments with an invoice day made, 1 of them late; 1 unpaid and late, 0 unpaid and not "
        "due yet.",
        "Left out: 0 payments without an invoice day, 0 of nothing or less, 0 corrections.",
        "By regulation 38: 35 days on average. 30 days or fewer: 1 (50 %); 31 to 60 days: 1 "
        "(50 %); 61 days or more: 0 (0 %). Due but unpaid: 33.3 % of what was made or fell due.",
        "In the 10 months that both have reported, the returns of Exampleton Trust show 2 late of "
        "3, those of Sample Prime Ltd 0 of 1.",
    )
    assert account.arithmetic == (
        "Late: 1 paid late + 1 unpaid and late = 2. Made or due: 2 + 1 = 3.",
        "2 / 3 = 66.7 %; the rule is 5 %.",
        "1 invoice late, those of one day taken as one; raised if more than 2 and the share is "
        "above the rule.",
        "Invoice of 1 July 2011, last day in time 31 July 2011:",
        "£1,000 in 1 payment, paid on 30 August 2011, day 60: £1,000 x (8 % + 0.5 % Bank Rate of "
        "30 June 2011) x 30 days / 365 = £6.98.",
        "£500 in 1 payment, not paid by 10 April 2012, as far as reported, day 284: £500 x (8 % + "
        "0.5 % Bank Rate of 30 June 2011) x 254 days / 365 = £29.57.",
        "Compensation for an invoice of which £1,500 was late: £70.",
        "Together £36.55 of interest and £70 of compensation (£40 below £1,000, £70 below "
        "£10,000, £100 from there on). Interest is simple and cut to whole pence line by line. "
        "The Act is about commercial debts, and other terms for late payment in the agreement can "
        "take its place: this is not legal advice.",
    )


def test_the_account_says_which_terms_count() -> None:
    account = told(pay(start(payment_terms_days=14), "2011-07-01", "2011-07-02"))
    assert account.promise[1] == "The agreement says 14 days, the rule 30 days: the fewer count."


def test_the_account_of_what_cannot_be_said_is_short() -> None:
    chain = start()
    chain.coverage.clear()
    account = told(chain)
    assert account.happened == ("No month of payments that counts is reported by either side.",)
    assert account.arithmetic == (
        "No payment was made or fell due, so there is no share to work out.",
    )


def test_a_rate_that_stands_in_for_a_later_one_is_marked_in_the_account() -> None:
    last = reference_rates()[-1].last_on
    year = str(last.year)
    chain = start("S", starts_on=f"{year}-01-01")
    chain.coverage.clear()
    received = last + dt.timedelta(days=200)
    chain.covers("S", months(f"{year}-12", 1), "payments", received_on=str(received))
    pay(chain, f"{year}-12-31", earned=f"{year}-12")
    facts = facts_of(chain, received)
    (found,) = payment_delay.assess(facts, rules_as_of(received))
    steps = payment_delay.account(found, facts).arithmetic
    assert any("the last one in the table" in step for step in steps)


def test_every_row_behind_it_is_named_with_what_it_comes_to() -> None:
    chain = start("S", "P", "G").covers("S", [month("2011-05")], "payments")
    pay(chain, "2011-07-01", "2011-07-31")
    pay(chain, "2011-07-01", "2011-08-01")
    pay(chain, "2011-07-01")
    pay(chain, "2012-04-01")
    pay(chain, None)
    pay(chain, "2011-07-01", pence=0)
    pay(chain, "2011-07-01", payment_type="adjustment")
    pay(chain, "2011-07-01", by="P")
    pay(chain, "2011-07-01", by="G")
    pay(chain, "2011-07-01", earned="2011-05")
    found = rows(chain)
    assert [(row.table, row.reporter_id, row.row_id, row.part) for row in found] == [
        ("agreements", "N", "", "terms"),
        ("payments", "P", "P7", "the other side's word, beside it"),
        ("payments", "S", "P0", "paid in time"),
        ("payments", "S", "P1", "paid late"),
        ("payments", "S", "P2", "unpaid and late"),
        ("payments", "S", "P3", "unpaid, not due yet"),
        ("payments", "S", "P4", "left out: no invoice day"),
        ("payments", "S", "P5", "left out: of nothing or less"),
        ("payments", "S", "P6", "left out: a correction"),
    ]


def test_where_the_subcontractor_has_not_reported_the_primes_rows_are_the_ones() -> None:
    chain = start("P")
    pay(chain, "2011-07-01", "2011-08-01", by="P")
    assert [row.part for row in rows(chain)] == ["terms", "paid late"]
    chain.contracts.clear()
    assert [row.part for row in rows(chain)] == ["terms"]


# What an asker is shown


def test_a_commissioner_without_leave_is_not_shown_the_claim() -> None:
    """An invoice gives a price away, and so does the interest on it: only the parties see them."""
    facts = facts_of(many_late())
    found = ask(many_late())
    rules = rules_as_of(TODAY)
    parties = Parties((("C1", "G", "P"),), (("C1", "S"),))
    for asker, leave, shown in (
        ("S", frozenset(), True),
        ("P", frozenset(), True),
        ("G", frozenset(), False),
        ("G", frozenset({"C1"}), True),
    ):
        reach = reach_of(Scope("member", asker, prices_shown=leave), parties)
        told = explained(found, facts, rules, reach)
        text = json.dumps(told.answer())
        assert ("ended_on" in text) == shown
        steps = told.account.arithmetic
        assert any(one.startswith("Invoice of") for one in steps) == shown
        assert any(one.startswith("Together ") for one in steps) == shown
        assert ("compensation could be claimed" in told.assessment.sentence) == shown
        assert (told.assessment.evidence["claim"]["compensation_pence"] > 0) == shown


def test_an_answer_without_a_claim_has_nothing_to_keep_from_anybody() -> None:
    found = ask(start())
    assert payment_delay.without_claim(found) == found
