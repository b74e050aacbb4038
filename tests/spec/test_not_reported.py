"""When silence counts: months whose returns are due and have not come.

A contract C1 of the prime P runs from June 2011; S is its subcontractor; today is 15 April 2012.
A return is due 31 days after its month, so that June 2011 to February 2012 are due: nine months.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from metrics.facts import gather
from metrics.flags import not_reported
from metrics.reporting import last_overdue_month, spans
from metrics.rules import rules_as_of
from metrics.window import month_code
from tests.oracle.chain import Chain, months

if TYPE_CHECKING:
    from metrics.definition import Account, Assessment, SourceRow
    from metrics.facts import Facts

TODAY = dt.date(2012, 4, 15)
NINE = months("2011-06", 9)


def start(**agreement: Any) -> Chain:
    return (
        Chain()
        .organisation("S", "Exampleton Trust")
        .organisation("P", "Sample Prime Ltd")
        .contract()
        .agreement(**agreement)
    )


def by(reporter: str, when: list[dt.date], chain: Chain | None = None) -> Chain:
    """Referrals and payments returns of one reporter."""
    chain = chain or start()
    return chain.covers(reporter, when, "referrals").covers(reporter, when, "payments")


def answers(
    chain: Chain, as_of: dt.date = TODAY, through: dt.date | None = None, **rules: str
) -> tuple[Facts, dict[str | None, Assessment]]:
    facts = gather(chain.frames(), as_of, through)
    found = not_reported.assess(facts, rules_as_of(as_of).override(rules))
    json.dumps([one.answer() for one in found], allow_nan=False)
    return facts, {one.subcontractor_id: one for one in found}


def ask(chain: Chain, subcontractor: str | None = "S", **options: Any) -> Assessment:
    return answers(chain, **options)[1][subcontractor]


def told(chain: Chain, subcontractor: str | None = "S") -> tuple[Account, list[SourceRow]]:
    facts, found = answers(chain)
    one = found[subcontractor]
    return not_reported.account(one, facts), not_reported.source_rows(one, facts)


# Which months are due


def test_a_return_is_overdue_from_the_day_after_the_last_day_it_may_come() -> None:
    """June's return may come until 31 July."""
    assert month_code(last_overdue_month(dt.date(2011, 7, 31), 31)) == "2011-05"
    assert month_code(last_overdue_month(dt.date(2011, 8, 1), 31)) == "2011-06"
    assert month_code(last_overdue_month(dt.date(2011, 7, 1), 0)) == "2011-06"
    assert last_overdue_month(dt.date(1, 1, 5), 31) == 11


def test_no_month_due_is_too_early() -> None:
    found = ask(start(), as_of=dt.date(2011, 7, 31))
    assert (found.status, found.value) == ("too_early", None)
    assert found.sentence == (
        "Too early to say for Exampleton Trust: the return for its first month, June 2011, is due "
        "by 31 July 2011."
    )
    assert ask(start(), as_of=dt.date(2011, 8, 1)).status == "watch"
    assert ask(start(), as_of=dt.date(2011, 7, 31), reporting_days="29").status == "watch"


def test_an_agreement_that_has_not_begun_is_too_early() -> None:
    found = ask(start(live_on="2012-06-01"))
    assert found.status == "too_early"
    assert "it begins in June 2012, after March 2012" in found.sentence


def test_months_after_the_end_are_not_due() -> None:
    found = ask(start(ends_on="2011-07-15"))
    assert (found.status, found.value) == ("watch", 2)
    assert found.evidence["missing_months"] == ["2011-06", "2011-07"]


def test_through_ends_the_months_earlier() -> None:
    assert ask(start(), through=dt.date(2011, 6, 1)).value == 1


def test_what_ended_before_it_began_does_not_apply() -> None:
    found = ask(start(ends_on="2011-05-01"))
    assert (found.status, found.value) == ("not_applicable", None)
    assert "it ended in May 2011, before it began in June 2011" in found.sentence


def test_an_agreement_whose_contract_is_not_in_the_register_does_not_apply() -> None:
    chain = start()
    chain.contracts.clear()
    found = ask(chain)
    assert found.status == "not_applicable"
    assert "the contract C1 is not in the register of contracts" in found.sentence


# Agreements


def test_more_than_two_months_that_neither_side_reported_are_raised() -> None:
    found = ask(by("S", NINE[:4], by("P", NINE[2:6])))
    assert (found.status, found.value, found.threshold) == ("raised", 3, 2)
    assert (found.low, found.high, found.attributed_to) == (None, None, None)
    assert found.evidence["missing_months"] == ["2011-12", "2012-01", "2012-02"]
    assert found.evidence["first_missing_month"] == "2011-12"
    assert found.evidence["last_missing_month"] == "2012-02"
    assert found.evidence["missing_by"]["referrals"] == {
        "subcontractor": ["2011-10", "2011-11", "2011-12", "2012-01", "2012-02"],
        "prime": ["2011-06", "2011-07", "2011-12", "2012-01", "2012-02"],
        "both": ["2011-12", "2012-01", "2012-02"],
    }
    assert found.sentence == (
        "Neither Exampleton Trust nor Sample Prime Ltd has sent a referrals return for 3 of the 9 "
        "months from June 2011 to February 2012 whose returns are due: December 2011 to February "
        "2012. Exampleton Trust has reported the referrals of 4 of them, Sample Prime Ltd those "
        "of 4. This is not zero: it is not known (rule: at most 2 months, a statistical choice: "
        "no law or guidance sets one; a return is due 31 days after the month, a statistical "
        "choice: no law or guidance sets one). What else could explain it: the return was sent, "
        "and has not been recorded; nothing happened in those months, and no nil return was sent "
        "to say so; the first or last day in the register is wrong."
    )


def test_one_or_two_months_are_watched() -> None:
    found = ask(by("S", NINE[2:]))
    assert (found.status, found.value) == ("watch", 2)
    assert "What else" not in found.sentence
    assert ask(by("S", NINE[2:]), not_reported="1").status == "raised"


def test_every_month_reported_by_one_side_or_the_other_is_clear() -> None:
    """A nil return is a return: no rows are needed."""
    found = ask(by("S", NINE[:5], by("P", NINE[5:])))
    assert (found.status, found.value) == ("clear", 0)
    assert found.sentence == (
        "One side or the other has reported the referrals of Exampleton Trust for every month "
        "from June 2011 to February 2012 whose return is due: Exampleton Trust has reported the "
        "referrals of 5 of them, Sample Prime Ltd those of 4."
    )


def test_a_silent_prime_is_the_contracts_matter_where_the_subcontractor_reported() -> None:
    chain = by("S", NINE)
    assert ask(chain).status == "clear"
    assert "Sample Prime Ltd those of 0" in ask(chain).sentence
    assert ask(chain, None).status == "raised"


def test_payments_returns_do_not_stand_for_referrals_returns() -> None:
    found = ask(start().covers("S", NINE, "payments"))
    assert (found.status, found.value) == ("raised", 9)
    assert found.evidence["missing_by"]["payments"]["subcontractor"] == []


def test_returns_of_anybody_else_do_not_count() -> None:
    assert ask(by("G", NINE)).value == 9


# Contracts


def test_the_log_that_lacks_more_counts_for_a_contract() -> None:
    chain = start().covers("P", NINE[:8], "referrals").covers("P", NINE[:4], "payments")
    found = ask(chain, None)
    assert (found.status, found.value) == ("raised", 5)
    assert found.evidence["missing_by"]["referrals"] == {
        "subcontractor": None,
        "prime": ["2012-02"],
        "both": ["2012-02"],
    }
    assert found.sentence.startswith(
        "Of the 9 months from June 2011 to February 2012 whose returns are due, Sample Prime Ltd "
        "has sent no referrals return for 1 (February 2012) and no payments return for 5 (October "
        "2011 to February 2012). This is not zero: it is not known (rule"
    )


def test_a_contract_with_all_returns_is_clear() -> None:
    found = ask(by("P", NINE), None)
    assert (found.status, found.value) == ("clear", 0)
    assert found.sentence == (
        "Sample Prime Ltd has sent the returns of referrals and payments of contract C1 (Sample "
        "Prime Ltd) for every month from June 2011 to February 2012 whose return is due."
    )


def test_only_one_log_lacking_is_said_alone() -> None:
    found = ask(start().covers("P", NINE, "payments").covers("P", NINE[1:], "referrals"), None)
    assert (found.status, found.value) == ("watch", 1)
    assert "has sent no referrals return for 1 (June 2011). This" in found.sentence


def test_months_are_listed_in_runs_and_cut_after_three() -> None:
    chain = by("S", [NINE[0], NINE[2], NINE[4], NINE[6]])
    assert "are due: July 2011, September 2011, November 2011 and 2 more." in ask(chain).sentence
    assert spans([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]
    assert spans([]) == []


def test_a_single_month_due_is_named_alone() -> None:
    found = ask(start(), as_of=dt.date(2011, 8, 1))
    assert "for 1 of the 1 month of June 2011 whose returns are due: June 2011." in found.sentence


# The account and its rows


def test_the_account_names_every_month_and_side() -> None:
    account, rows = told(by("S", NINE[:5], by("P", NINE[6:])))
    assert account.promise == (
        "A return is due 31 days after the last day of its month.",
        "9 months are due: 2011-06 to 2012-02.",
    )
    assert account.happened[:2] == (
        "Months without a referrals return of Exampleton Trust: November 2011 to February 2012.",
        "Months without a referrals return of Sample Prime Ltd: June 2011 to November 2011.",
    )
    assert account.arithmetic == (
        "Months without a referrals return of either side: November 2011.",
        "1 month missing; more than 2 is raised, 1 or more is watched.",
    )
    assert [(row.table, row.part) for row in rows] == [
        ("agreements", "first and last day"),
        ("contracts", "first and last day"),
    ]


def test_the_account_of_a_contract_counts_both_logs() -> None:
    account, rows = told(start().covers("P", NINE[:7], "referrals"), None)
    assert account.happened == (
        "Months without a referrals return of Sample Prime Ltd: January 2012 to February 2012.",
        "Months without a payments return of Sample Prime Ltd: June 2011 to February 2012.",
    )
    assert account.arithmetic == (
        "referrals: 2 of 9 months are missing.",
        "payments: 9 of 9 months are missing.",
        "The log that lacks more counts.",
        "9 months missing; more than 2 is raised, 1 or more is watched.",
    )
    assert [row.table for row in rows] == ["contracts"]


def test_where_nothing_is_due_the_account_says_so() -> None:
    account, _ = told(start(live_on="2012-06-01"))
    assert account.happened == ("No month of it is due.",)


def test_nothing_missing_is_said_as_none() -> None:
    account, _ = told(by("S", NINE))
    assert account.arithmetic[0] == "Months without a referrals return of either side: none."


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_contracts_come_before_their_agreements(engine: Any) -> None:
    chain = start().contract("C0", "Q").agreement("T")
    found = not_reported.assess(gather(chain.frames(engine), TODAY), rules_as_of(TODAY))
    assert [(one.contract_id, one.subcontractor_id) for one in found] == [
        ("C0", None),
        ("C1", None),
        ("C1", "S"),
        ("C1", "T"),
    ]
