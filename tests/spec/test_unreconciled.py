"""What the flag `unreconciled` says, one promise at a time.

A contract C1 of the prime P runs from June 2011; S is its subcontractor. Today is 15 April 2012,
so ten months are over: June 2011 to March 2012. Unless a paragraph says otherwise, both sides
report both logs for all of them.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from metrics.facts import gather
from metrics.flags.unreconciled import FLAG, account, assess, source_rows, without_shared_clients
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, month, months

if TYPE_CHECKING:
    from metrics.definition import Account, Assessment, SourceRow

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)
JUNE, JULY, AUGUST = TEN[:3]


def start(**agreement: Any) -> Chain:
    return (
        Chain()
        .organisation("S", "Exampleton Trust")
        .organisation("P", "Sample Prime Ltd")
        .contract()
        .agreement(**agreement)
    )


def both_report(when: list[dt.date] = TEN) -> Chain:
    chain = start()
    for side in ("P", "S"):
        chain.covers(side, when, "referrals").covers(side, when, "payments")
    return chain


def same_referrals(number: int, chain: Chain | None = None) -> Chain:
    """Referrals of clients c0, c1, ... that both sides report alike, over the ten months."""
    chain = chain or both_report()
    for i in range(number):
        for side in ("P", "S"):
            chain.referral(side, TEN[i % 10], client_hash=f"c{i}")
    return chain


def same_payments(number: int, chain: Chain | None = None) -> Chain:
    chain = chain or both_report()
    for i in range(number):
        for side in ("P", "S"):
            chain.payment(side, TEN[i % 10], None, 100_000, client_hash=f"c{i}")
    return chain


def told(
    chain: Chain,
    subcontractor: str = "S",
    through: dt.date | None = None,
    engine: Any = "pandas",
    trace: bool = True,
    **rules: str,
) -> tuple[Assessment, Account, list[SourceRow]]:
    facts = gather(chain.frames(engine), TODAY, through)
    for found in assess(facts, rules_as_of(TODAY).override(rules)):
        if (found.contract_id, found.subcontractor_id) == ("C1", subcontractor):
            json.dumps(found.answer(), allow_nan=False)
            story = account(found, facts)
            assert story.promise
            assert story.happened
            assert story.arithmetic
            for sentence in (*story.promise, *story.happened, *story.arithmetic):
                assert sentence[0].isupper() or sentence[0].isdigit()
                assert sentence.endswith(".")
            return found, story, source_rows(found, facts) if trace else []
    raise AssertionError("not assessed")


def ask(chain: Chain, **options: Any) -> Assessment:
    return told(chain, trace=False, **options)[0]


def log(found: Assessment, name: str = "referrals") -> dict[str, Any]:
    return found.evidence["logs"][name]


def classes(found: Assessment, name: str = "referrals") -> dict[str, int]:
    """The classes that are not empty, and the matched."""
    one = log(found, name)
    kinds = ("matched", "prime_only", "subcontractor_only", "other_date", "other_amount")
    counts = {kind: one[kind] for kind in kinds}
    counts |= {f"duplicate_{side}": number for side, number in one["duplicate"].items()}
    assert one["events"] == sum(counts.values())
    assert one["differing"] == one["events"] - one["matched"]
    return {kind: number for kind, number in counts.items() if number}


def parts(rows: list[SourceRow]) -> dict[str, list[tuple[str, str]]]:
    """Which side's rows are what, by part."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row.part, []).append((row.reporter_id, row.row_id))
    return found


# Statuses


def test_two_sides_that_report_the_same_are_clear() -> None:
    found, story, rows = told(same_payments(4, same_referrals(20)))
    assert (found.status, found.value, found.threshold) == ("clear", 0.0, 0.05)
    assert found.sentence == (
        "Exampleton Trust and Sample Prime Ltd are to report the same events. Both report the same "
        "20 referrals from June 2011 to March 2012 (rule: at most 5 %, or at most 2 events; a "
        "statistical choice: no law or guidance sets one). Both report the same 4 payments from "
        "June 2011 to March 2012."
    )
    assert "20 matched + 0 that differ = 20 referrals." in story.arithmetic
    assert len(rows) == 2 * 24
    assert {row.part for row in rows} == {"same on both sides"}


def test_referrals_that_one_side_alone_reports_are_raised() -> None:
    chain = same_referrals(17)
    for i in range(3):
        chain.referral("P", TEN[i], client_hash=f"p{i}")
    found, story, rows = told(chain)
    assert (found.status, found.value, found.low, found.high) == ("raised", 0.15, None, None)
    assert found.attributed_to is None
    assert found.sentence == (
        "Exampleton Trust and Sample Prime Ltd are to report the same events. Of 20 referrals that "
        "either reports from June 2011 to March 2012, 3 differ, 15 %: 3 that only Sample Prime Ltd "
        "reports (rule: at most 5 %, or at most 2 events; a statistical choice: no law or guidance "
        "sets one). Neither reports any payment from June 2011 to March 2012. What else could "
        "explain it: the two sides use different marks for the same client; a return was sent "
        "before late corrections; a client was passed on to another subcontractor; the two sides "
        "go by different dates, so that an event falls in another month."
    )
    assert story.happened[0] == (
        "Both sides' returns of referrals cover 10 months: Exampleton Trust reports 17 referrals "
        "in them, Sample Prime Ltd 20 referrals."
    )
    assert "3 / 20 = 15 %, above 5 %; 3 is above 2 events." in story.arithmetic
    assert "Neither side reports any payment from June 2011 to March 2012, so none differs." in (
        story.arithmetic
    )
    assert parts(rows)["only the prime reports it"] == [("P", "R34"), ("P", "R35"), ("P", "R36")]


def test_a_share_of_exactly_the_rule_is_not_above_it() -> None:
    chain = same_referrals(57)
    for i in range(3):
        chain.referral("S", TEN[i], client_hash=f"s{i}")
    found = ask(chain)
    assert (found.status, found.value) == ("clear", 0.05)
    assert "3 differ, 5 %: 3 that only Exampleton Trust reports" in found.sentence
    assert ask(chain, unreconciled="4.9%").status == "raised"


def test_few_events_are_a_watch_however_great_their_share() -> None:
    found, story, _ = told(same_referrals(1).referral("P", JUNE, client_hash="p"))
    assert (found.status, found.value) == ("watch", 0.5)
    assert found.sentence.endswith(
        "A sign only: the share is above the rule, but no more than 2 events differ."
    )
    assert "1 / 2 = 50 %, above 5 %; 1 is within 2 events." in story.arithmetic
    strict = ask(same_referrals(1).referral("P", JUNE, client_hash="p"), unreconciled_events="0")
    assert strict.status == "raised"


def test_clients_under_other_marks_are_a_watch_while_the_counts_agree() -> None:
    """The same number in every month and client group: it may be the marks that differ."""
    chain = same_referrals(10)
    for i in range(10):
        chain.referral("P", TEN[i], client_hash=f"p{i}").referral("S", TEN[i], client_hash=f"s{i}")
    found, story, _ = told(chain)
    assert found.status == "watch"
    assert classes(found) == {"matched": 10, "prime_only": 10, "subcontractor_only": 10}
    assert found.sentence.endswith(
        "A sign only: counted by month, whatever the clients' marks, 0 of 20 referrals would "
        "differ (0 %), so the two sides may have different marks for the same clients."
    )
    assert "Counted by month, whatever the clients' marks: 0 / 20 = 0 %, within the rule." in (
        story.arithmetic
    )
    for i in range(4):
        chain.referral("P", TEN[i], client_hash=f"more{i}")
    assert ask(chain).status == "raised"


def test_months_covered_by_both_without_any_event_are_clear() -> None:
    found, story, rows = told(both_report())
    assert (found.status, found.value, rows) == ("clear", None, [])
    assert found.sentence == (
        "Exampleton Trust and Sample Prime Ltd are to report the same events. Neither reports any "
        "referral from June 2011 to March 2012. Neither reports any payment from June 2011 to "
        "March 2012."
    )
    assert story.arithmetic[0].startswith("Neither side reports any referral")


@pytest.mark.parametrize(
    ("there", "missing"),
    [("Sample Prime Ltd", "Exampleton Trust"), ("Exampleton Trust", "Sample Prime Ltd")],
)
def test_returns_of_one_side_only_are_not_reported_and_name_the_missing_side(
    there: str, missing: str
) -> None:
    side = "P" if there.startswith("Sample") else "S"
    chain = start().covers(side, TEN, "referrals").referral(side, JUNE)
    found, story, rows = told(chain)
    assert (found.status, found.value, rows) == ("not_reported", None, [])
    assert found.sentence == (
        f"Not reported for Exampleton Trust: only {there} has sent returns for these months; "
        f"{missing} has sent none, so there is nothing to compare with."
    )
    assert story.arithmetic == (
        "No month is covered by both sides' returns, so nothing can be compared.",
    )


def test_returns_of_neither_side_are_not_reported() -> None:
    found = ask(start())
    assert found.status == "not_reported"
    assert found.sentence == (
        "Not reported for Exampleton Trust: neither Exampleton Trust nor Sample Prime Ltd has sent "
        "a referrals or payments return that covers any month from June 2011 to March 2012."
    )


def test_returns_of_other_months_or_logs_are_not_reported() -> None:
    chain = start().covers("P", TEN[:2], "referrals").covers("S", TEN[2:3], "referrals")
    found = ask(chain.covers("S", TEN, "payments"))
    assert found.status == "not_reported"
    assert found.sentence == (
        "Not reported for Exampleton Trust: Exampleton Trust and Sample Prime Ltd have both sent "
        "returns, but none of the same month and kind (referrals: 1 month by Exampleton Trust, 2 "
        "by Sample Prime Ltd; payments: 10 months by Exampleton Trust, 0 by Sample Prime Ltd)."
    )


def test_an_agreement_that_ended_before_it_began_is_not_reported() -> None:
    chain = start(live_on="2011-09-01", ends_on="2011-08-31")
    chain.covers("P", TEN, "referrals").covers("S", TEN, "referrals")
    found = ask(chain.referral("P", TEN[4]))
    assert found.status == "not_reported"
    assert "by the register it ended in August 2011, before it began in September" in found.sentence


def test_an_agreement_of_an_unknown_contract_is_not_reported() -> None:
    chain = Chain().agreement().covers("S", TEN, "referrals").referral("S", JUNE)
    found = ask(chain)
    assert (found.status, found.prime_id) == ("not_reported", None)
    assert "the contract C1 is not in the register of contracts" in found.sentence
    live = Chain().agreement(live_on="2011-06-01").covers("S", TEN, "referrals")
    assert "the prime has sent none, so there is nothing" in ask(live).sentence


def test_the_primes_own_work_has_no_other_side() -> None:
    chain = both_report().agreement("P").referral("P", JUNE, "P")
    found, story, rows = told(chain, subcontractor="P")
    assert (found.status, found.value, rows) == ("not_applicable", None, [])
    assert found.sentence == (
        "Not applicable to Sample Prime Ltd: it is the prime itself, so there is no other side."
    )
    assert story.promise == ("Sample Prime Ltd is the prime of contract C1 itself.",)
    assert found.evidence["logs"] == {}


# Which log speaks


def test_the_log_that_says_most_gives_the_value() -> None:
    """Three payments in ten are raised; one referral in two is a watch, however great."""
    chain = same_payments(7, same_referrals(1)).referral("P", JUNE, client_hash="p")
    for i in range(3):
        chain.payment("S", TEN[i], None, 50_000, client_hash=f"s{i}")
    found, story, _ = told(chain)
    assert (found.status, found.value, found.evidence["log"]) == ("raised", 0.3, "payments")
    assert (log(found)["status"], log(found, "payments")["status"]) == ("watch", "raised")
    assert (
        "What differs comes to £0 by the returns of Sample Prime Ltd and to £1,500 by those of "
        "Exampleton Trust. Of 2 referrals that either reports from June 2011 to March 2012, 1 "
        "differs, 50 %: 1 that only Sample Prime Ltd reports."
    ) in found.sentence
    assert (
        "These payments come to £8,500 by the returns of Exampleton Trust and to £7,000 by those "
        "of Sample Prime Ltd."
    ) in story.happened


def test_a_log_that_one_side_has_not_sent_is_named() -> None:
    chain = start().covers("P", TEN, "referrals").covers("S", TEN[:3], "referrals")
    found, story, _ = told(same_referrals(3, chain.covers("P", TEN, "payments")))
    assert found.status == "clear"
    missing = (
        "No month of payments is covered by both sides (0 months by Exampleton Trust, 10 by Sample "
        "Prime Ltd)."
    )
    assert found.sentence.endswith(missing)
    assert missing in story.happened
    assert "in the 3 reported months of the 10 from June 2011 to March 2012" in found.sentence


def test_only_months_that_both_cover_are_compared() -> None:
    chain = start().covers("P", TEN[:5], "referrals").covers("S", TEN[3:], "referrals")
    for when in TEN:
        chain.referral("P", when, client_hash=f"p{when}")
    found = ask(chain.referral("S", TEN[3], client_hash=f"p{TEN[3]}"))
    assert log(found)["months"] == ["2011-09", "2011-10"]
    assert classes(found) == {"matched": 1, "prime_only": 1}


# Matching clients


def test_rows_of_anybody_else_are_not_heard() -> None:
    chain = same_referrals(5).referral("G", JUNE, client_hash="c1").referral("T", JUNE)
    assert classes(ask(chain)) == {"matched": 5}


def test_dates_within_a_week_are_the_same_date_and_longer_ones_are_another() -> None:
    chain = both_report().payment("P", JUNE, None, 100, client_hash="c", earned_on=JUNE)
    seven = chain.payment("S", JUNE, None, 100, client_hash="c", earned_on=JUNE.replace(day=8))
    assert classes(ask(seven), "payments") == {"matched": 1}
    chain = both_report().payment("P", JUNE, None, 100, client_hash="c", earned_on=JUNE)
    eight = chain.payment("S", JUNE, None, 100, client_hash="c", earned_on=JUNE.replace(day=9))
    found, story, rows = told(eight)
    assert classes(found, "payments") == {"other_date": 1}
    assert log(found, "payments")["days_apart"] == {"total": 8, "most": 8}
    assert "1 differs, 100 %: 1 with another date" in found.sentence
    assert (
        "Where the date is another, the two dates are 8 days apart at most and 8 days in all."
        in story.arithmetic
    )
    assert parts(rows) == {"the other side has another date": [("P", "P0"), ("S", "P1")]}
    assert classes(ask(eight, reconciliation_days="8"), "payments") == {"matched": 1}


def test_the_nearest_date_is_the_same_event() -> None:
    chain = both_report()
    for side, day in (("P", 4), ("S", 1), ("S", 5)):
        chain.payment(side, JUNE, None, 100, client_hash="c", earned_on=JUNE.replace(day=day))
    found, _, rows = told(chain)
    assert classes(found, "payments") == {"matched": 1, "subcontractor_only": 1}
    assert parts(rows)["only the subcontractor reports it"] == [("S", "P1")]


def test_one_sustainment_payment_is_not_taken_for_the_next() -> None:
    """Every four weeks, six days later by one side's books: each finds its own."""
    chain = both_report()
    for i in range(8):
        day = JUNE + dt.timedelta(days=28 * i)
        later = day + dt.timedelta(days=6)
        cells = {"client_hash": "c", "payment_type": "sustainment"}
        chain.payment("P", day.replace(day=1), None, 215_00, earned_on=day, **cells)
        chain.payment("S", later.replace(day=1), None, 215_00, earned_on=later, **cells)
    assert classes(ask(chain), "payments") == {"matched": 8}


def test_another_payment_type_is_another_event() -> None:
    chain = both_report().payment("P", JUNE, None, 100, client_hash="c")
    chain.payment("S", JUNE, None, 100, client_hash="c", payment_type="sustainment")
    assert classes(ask(chain), "payments") == {"prime_only": 1, "subcontractor_only": 1}


def test_amounts_differ_by_more_than_a_share_and_a_sum() -> None:
    pairs = {
        (100_000, 101_000): True,  # £10 in £1,010: less than 1 %
        (100_000, 101_011): False,
        (1_000, 1_100): True,  # 9 %, but no more than £1
        (1_000, 1_101): False,
        (-50_000, -50_000): True,
        (-50_000, 50_000): False,
        (0, 0): True,
        (0, 100): True,
        (0, 101): False,
    }
    chain = both_report()
    for i, (prime, subcontractor) in enumerate(pairs):
        chain.payment("P", JUNE, None, prime, client_hash=f"c{i}")
        chain.payment("S", JUNE, None, subcontractor, client_hash=f"c{i}")
    found, _, rows = told(chain)
    differ = [pair for pair, same in pairs.items() if not same]
    assert classes(found, "payments") == {"matched": 5, "other_amount": 4}
    assert log(found, "payments")["differing_pence"] == {
        "prime": sum(pair[0] for pair in differ),
        "subcontractor": sum(pair[1] for pair in differ),
    }
    named = parts(rows)["the other side has another amount"]
    assert sorted(row_id for _, row_id in named) == sorted(
        f"P{2 * i + side}" for i, same in enumerate(pairs.values()) if not same for side in (0, 1)
    )


def test_an_adjustment_larger_than_the_sum_is_an_event_like_any_other() -> None:
    chain = same_payments(1)
    for side in ("P", "S"):
        chain.payment(
            side, JULY, None, -300_000, client_hash="c0", payment_type="adjustment", group=None
        )
    found = ask(chain)
    assert classes(found, "payments") == {"matched": 2}
    assert log(found, "payments")["reported_pence"] == {
        "prime": -200_000,
        "subcontractor": -200_000,
    }


def test_an_amount_that_agrees_is_preferred_to_a_nearer_date() -> None:
    chain = both_report()
    for side, first, second in (("P", 500, 90_000), ("S", 90_000, 500)):
        for day, amount in ((3, first), (5, second)):
            chain.payment(
                side, JUNE, None, amount, client_hash="c", earned_on=JUNE.replace(day=day)
            )
    assert classes(ask(chain), "payments") == {"matched": 2}


def test_the_number_a_referral_row_stands_for_must_be_the_same() -> None:
    chain = both_report().referral("P", JUNE, count=2, client_hash="c")
    assert classes(ask(chain.referral("S", JUNE, client_hash="c"))) == {"other_amount": 1}


def test_a_row_that_stands_for_no_referral_is_no_event() -> None:
    chain = same_referrals(1).referral("P", JUNE, count=0, client_hash="none")
    found, _, rows = told(chain)
    assert classes(found) == {"matched": 1}
    assert len(rows) == 2


def test_a_row_repeated_by_one_side_is_a_duplicate() -> None:
    chain = same_payments(1)
    chain.payment("P", JUNE, None, 100_000, client_hash="c0", return_id="later")
    found, story, rows = told(chain)
    assert classes(found, "payments") == {"matched": 1, "duplicate_prime": 1}
    assert "1 that Sample Prime Ltd reports twice" in found.sentence
    assert (
        "What differs comes to £1,000 by the returns of Sample Prime Ltd and to £0 by those of "
        "Exampleton Trust."
    ) in story.arithmetic
    assert parts(rows)["reported twice by the same side"] == [("P", "P0")]  # one of the two


def test_a_repeated_row_that_the_other_side_does_not_know_is_one_event_and_a_duplicate() -> None:
    chain = same_referrals(1)
    for _ in range(3):
        chain.referral("S", JULY, client_hash="s")
    found = ask(chain)
    assert classes(found) == {"matched": 1, "subcontractor_only": 1, "duplicate_subcontractor": 2}
    assert "2 that Exampleton Trust reports twice" in found.sentence


def test_a_row_that_both_sides_repeat_happened_twice() -> None:
    assert classes(ask(same_payments(1, same_payments(1))), "payments") == {"matched": 2}


def test_an_id_that_stood_in_an_earlier_month_makes_a_surplus_row_a_duplicate() -> None:
    chain = same_referrals(2)
    chain.referral("P", JULY, client_hash="p", referral_id="R0")
    found = ask(chain)
    assert classes(found) == {"matched": 2, "duplicate_prime": 1}


def test_ids_numbered_anew_in_each_return_accuse_nobody() -> None:
    """Rows that match are never duplicates, whatever their ids."""
    chain = both_report()
    for when in TEN:
        for side in ("P", "S"):
            chain.referral(side, when, client_hash=f"c{when}", referral_id="1")
    assert classes(ask(chain)) == {"matched": 10}


def test_an_event_at_the_edge_of_what_both_cover_finds_its_other_half_outside() -> None:
    """The prime dates it 30 June; the subcontractor 2 July, which the prime has not reported."""
    chain = start().covers("P", [JUNE], "referrals").covers("S", [JUNE, JULY], "referrals")
    chain.referral("P", JUNE, client_hash="c", referred_on=JUNE.replace(day=30))
    chain.referral("S", JULY, client_hash="c", referred_on=JULY.replace(day=2))
    for side in ("P", "S"):
        chain.referral(side, JUNE, client_hash="d")
    found, _, rows = told(chain.referral("S", JULY, client_hash="e"))
    assert log(found)["months"] == ["2011-06"]
    assert classes(found) == {"matched": 2}
    assert parts(rows)["same event, in a month only this side covers"] == [("S", "R1")]
    assert len(rows) == 4


def test_a_row_outside_what_both_cover_is_no_event_of_its_own() -> None:
    chain = start().covers("P", [JUNE, JULY], "referrals").covers("S", [JUNE, JULY], "referrals")
    same_referrals(1, chain.covers("P", [AUGUST], "referrals"))
    chain.referral("P", AUGUST, client_hash="c").referral("P", AUGUST, client_hash="c0")
    chain.referral("S", AUGUST, client_hash="c", referred_on=AUGUST.replace(day=6))
    assert classes(ask(chain)) == {"matched": 1}


def test_a_client_that_three_subcontractors_report_is_said_and_held_against_nobody() -> None:
    chain = same_referrals(3).agreement("T").agreement("U").agreement("V")
    for other in ("T", "U", "V"):
        chain.covers(other, TEN, "referrals")
    chain.referral("T", JULY, "T", client_hash="c0").referral("U", AUGUST, "U", client_hash="c0")
    chain.referral("V", AUGUST, "V", client_hash="x").referral("X", JUNE, "X", client_hash="c2")
    found, story, _ = told(chain)
    assert (found.status, found.evidence["shared_clients"]) == ("clear", 1)
    shared = (
        "1 client that Exampleton Trust reports is reported by another subcontractor of the "
        "contract too; a client may rightly be passed on."
    )
    assert shared not in found.sentence  # another subcontractor's return is not for all to see
    assert shared in story.happened
    assert without_shared_clients(found).evidence["shared_clients"] is None
    assert ask(chain, subcontractor="V").evidence["shared_clients"] == 0
    chain.payment("T", JULY, None, 1, subcontractor="T", client_hash="c1")
    _, later, _ = told(chain)
    assert any("2 clients that Exampleton Trust reports are" in one for one in later.happened)


# Counting by month


def test_without_marks_events_are_compared_by_count_and_month() -> None:
    chain = both_report().referral("P", JUNE, count=30).referral("S", JUNE, count=10)
    for _ in range(15):
        chain.referral("S", JUNE)
    chain.referral("P", JULY, count=2).referral("S", JULY, count=2)
    found, story, rows = told(chain)
    assert (found.status, log(found)["basis"]) == ("raised", "counts by month")
    assert found.value == 5 / 32
    assert classes(found) == {"matched": 27, "prime_only": 5}
    assert (
        "The two sides have no client's mark in common, so referrals were compared by count and "
        "month, which shows the least that differs."
    ) in found.sentence
    assert log(found)["months_that_differ"] == [
        {"month": "2011-06", "of": "JSA 25+", "prime": 30, "subcontractor": 25, "other_amount": 0}
    ]
    assert (
        "June 2011, JSA 25+: Sample Prime Ltd reports 30 referrals, Exampleton Trust 25."
        in story.arithmetic
    )
    assert len(parts(rows)["of a month that differs"]) == 17
    assert len(parts(rows)["same on both sides"]) == 2
    assert found.evidence["rows"] == {
        side: {"referrals": {}, "payments": {}} for side in ("prime", "subcontractor")
    }


def test_a_surplus_in_one_month_does_not_make_up_for_a_gap_in_another() -> None:
    chain = both_report().referral("P", JUNE, count=10).referral("S", JULY, count=10)
    found, _, rows = told(chain)
    assert classes(found) == {"prime_only": 10, "subcontractor_only": 10}
    assert parts(rows) == {
        "only the prime reports it": [("P", "R0")],
        "only the subcontractor reports it": [("S", "R1")],
    }


def test_another_client_group_is_another_referral_where_no_client_is_named() -> None:
    chain = both_report().referral("P", JUNE).referral("S", JUNE, group="ESA")
    assert classes(ask(chain)) == {"prime_only": 1, "subcontractor_only": 1}


def test_marks_that_only_one_side_gives_are_counted_by_month() -> None:
    chain = both_report()
    for i in range(6):
        chain.referral("P", TEN[i], client_hash=f"p{i}").referral("S", TEN[i])
    found = ask(chain)
    assert (found.status, classes(found)) == ("clear", {"matched": 6})
    assert log(found)["basis"] == "counts by month"


def test_payments_without_marks_are_paired_by_amount() -> None:
    """Of 20 payments of a month one differs: the others are not dragged in."""
    chain = both_report()
    for i in range(20):
        chain.payment("P", JUNE, None, 100_000).payment("S", JUNE, None, 100_000 if i else 20_000)
    found, story, rows = told(chain)
    assert (found.status, found.value) == ("clear", 0.05)
    assert classes(found, "payments") == {"matched": 19, "other_amount": 1}
    assert (
        "June 2011, job outcome: Sample Prime Ltd reports 20 payments, Exampleton Trust 20, 1 with "
        "another amount."
    ) in story.arithmetic
    assert log(found, "payments")["differing_pence"] == {"prime": 100_000, "subcontractor": 20_000}
    assert set(parts(rows)) == {"of a month that differs"}


def test_payments_without_marks_may_be_more_on_one_side_and_of_other_amounts() -> None:
    chain = both_report()
    for amount in (100, 50_000, 90_000):
        chain.payment("P", JUNE, None, amount)
    for amount in (150, 70_000):
        chain.payment("S", JUNE, None, amount)
    found = ask(chain)
    assert classes(found, "payments") == {"matched": 1, "other_amount": 1, "prime_only": 1}
    assert "so payments were compared by count and month" in found.sentence


def test_a_repeated_id_explains_a_surplus_in_a_month_without_marks() -> None:
    chain = both_report().referral("P", JUNE, referral_id="A").referral("S", JUNE)
    chain.referral("P", JULY, referral_id="A").referral("P", JULY).referral("S", JULY)
    assert classes(ask(chain)) == {"matched": 2, "duplicate_prime": 1}
    chain = (
        both_report().payment("S", JUNE, None, 500, payment_id="A").payment("P", JUNE, None, 500)
    )
    chain.payment("S", JULY, None, 500, payment_id="A")
    assert classes(ask(chain), "payments") == {"matched": 1, "duplicate_subcontractor": 1}


def test_rows_without_a_mark_may_be_what_the_other_side_has_under_one() -> None:
    """Never two rows that name different clients, though."""
    chain = same_referrals(1)
    chain.referral("P", JULY, client_hash="p1").referral("P", JULY, client_hash="p2")
    chain.referral("S", JULY)
    found, _, rows = told(chain)
    assert log(found)["basis"] == "clients"
    assert classes(found) == {"matched": 2, "prime_only": 1}
    assert sorted(parts(rows)["of a month that differs"]) == [("P", "R2"), ("P", "R3"), ("S", "R4")]
    chain.referral("S", JULY, client_hash="s")
    found, _, _ = told(chain)
    assert classes(found) == {"matched": 2, "prime_only": 1, "subcontractor_only": 1}
    assert log(found)["whatever_the_marks"] == {"events": 3, "differing": 0}


# Who may see what


def differing_chain() -> Chain:
    chain = same_payments(3, same_referrals(3))
    for i in range(4):
        chain.referral("P", TEN[i], client_hash=f"p{i}", return_id="prime-return")
        chain.payment(
            "S",
            TEN[i],
            None,
            900 + i,
            client_hash=f"s{i}",
            return_id="sub-return",
            payment_id=f"Q{i}",
        )
    return chain


def test_no_answer_names_a_client() -> None:
    chain = differing_chain()
    for row in (*chain.referrals, *chain.payments):
        row["client_hash"] = f"hash-of-{row['client_hash']}"
    found, story, rows = told(chain)
    assert "hash-of" not in json.dumps([found.answer(), story.__dict__, [r.__dict__ for r in rows]])


# All of it


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_every_engine_says_the_same(engine: Any) -> None:
    found, story, rows = told(differing_chain(), engine=engine)
    assert (found, story, rows) == told(differing_chain())
    assert found.status == "raised"


def test_a_month_that_ends_the_window_earlier_is_kept_to() -> None:
    chain = same_referrals(3).referral("P", TEN[5], client_hash="p")
    assert ask(chain).value == 0.25
    assert ask(chain, through=month("2011-10")).value == 0.0


def test_an_empty_ledger_has_no_answers() -> None:
    assert assess(gather(Chain().frames(), TODAY), rules_as_of(TODAY)) == []


def test_the_answers_use_the_rules_that_the_flag_names() -> None:
    found = ask(same_referrals(1), reconciliation_days="3")
    assert set(found.evidence["rules"]) == set(FLAG.rules)
    assert found.evidence["rules"]["reconciliation_days"]["value"] == 3
    assert found.evidence["rules"]["reconciliation_days"]["overridden"]


def test_a_row_of_somebody_who_is_no_side_is_none_behind_the_answer() -> None:
    chain = same_referrals(3)
    before = told(chain)[2]
    chain.referral("G", JULY, "S", client_hash="c9")
    _, _, rows = told(chain)
    assert {row.reporter_id for row in rows} == {"P", "S"}
    assert len(rows) == len(before)
