"""When a name in a bid counts as lent without consent. The contract C1 starts on 1 June 2011."""

from __future__ import annotations

import datetime as dt
import functools
import json
from typing import TYPE_CHECKING

import pytest

from metrics.facts import gather
from metrics.flags import named_without_consent
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain

if TYPE_CHECKING:
    from metrics.definition import Assessment
    from metrics.facts import Facts

TODAY = dt.date(2012, 4, 15)
STANDING = (
    "a recommendation: Open Public Services: experiences from the voluntary sector (NCVO, 2012), "
    "section 2"
)


@functools.cache
def facts_of(consented_on: str | None, named: bool = True, registered: bool = True) -> Facts:
    chain = (
        Chain()
        .organisation("S", "Exampleton Trust")
        .organisation("P", "Sample Prime Ltd")
        .contract()
        .agreement(
            named_in_bid=named,
            consented_on=dt.date.fromisoformat(consented_on) if consented_on else None,
        )
    )
    if not registered:
        chain.contracts.clear()
    return gather(chain.frames(), TODAY)


def assess(facts: Facts, **rules: str) -> Assessment:
    (found,) = named_without_consent.assess(facts, rules_as_of(TODAY).override(rules))
    json.dumps(found.answer(), allow_nan=False)
    return found


def test_named_without_a_recorded_consent_is_raised() -> None:
    found = assess(facts_of(None))
    assert (found.status, found.value, found.threshold) == ("raised", None, 0)
    assert found.sentence == (
        "Sample Prime Ltd named Exampleton Trust in its bid for C1, and no written consent of "
        f"Exampleton Trust is recorded (rule: consent by the contract's first day; {STANDING}). "
        "What else could explain it: consent was given by word of mouth, or in writing that "
        "nobody has recorded; the register says that it was named, and it was not; the "
        "subcontractor has not been asked to record its consent."
    )


def test_a_consent_after_the_contract_started_is_watched() -> None:
    found = assess(facts_of("2011-06-02"))
    assert (found.status, found.value) == ("watch", -1)
    assert found.sentence == (
        "Exampleton Trust agreed on 2 June 2011 to be named in the bid of Sample Prime Ltd, 1 day "
        f"after the contract's first day (rule: consent by the contract's first day; {STANDING}). "
        "Consent is recorded, so this is a sign and no more."
    )


@pytest.mark.parametrize(
    ("consented_on", "days", "words"),
    [
        ("2011-06-01", 0, "Sample Prime Ltd, the contract's first day (rule"),
        ("2011-02-14", 107, "107 days before the contract's first day (rule"),
    ],
)
def test_a_consent_by_the_contracts_first_day_is_clear(
    consented_on: str, days: int, words: str
) -> None:
    found = assess(facts_of(consented_on))
    assert (found.status, found.value) == ("clear", days)
    assert words in found.sentence


def test_consent_can_be_asked_for_some_days_before() -> None:
    assert assess(facts_of("2011-05-02"), named_without_consent="30").status == "clear"
    late = assess(facts_of("2011-05-03"), named_without_consent="30")
    assert (late.status, late.value, late.threshold) == ("watch", 29, 30)
    assert "consent 30 days or more before the contract's first day" in late.sentence


def test_who_was_not_named_need_not_have_agreed() -> None:
    for consented_on in (None, "2012-01-01"):
        found = assess(facts_of(consented_on, named=False))
        assert (found.status, found.value) == ("not_applicable", None)
        assert "by the register it was not named in the bid" in found.sentence


def test_without_the_contracts_first_day_a_consent_is_clear_and_not_compared() -> None:
    found = assess(facts_of("2012-01-01", registered=False))
    assert (found.status, found.value) == ("clear", None)
    assert "so that day cannot be compared with its first day" in found.sentence
    assert assess(facts_of(None, registered=False)).status == "raised"


def test_the_account_counts_the_days() -> None:
    facts = facts_of("2011-06-11")
    account = named_without_consent.account(assess(facts), facts)
    assert account.promise == (
        "Sample Prime Ltd named Exampleton Trust in its bid for C1.",
        "Asked: consent by the contract's first day.",
    )
    assert account.happened == (
        "Written consent of Exampleton Trust: 11 June 2011.",
        "First day of the contract: 1 June 2011.",
    )
    assert account.arithmetic == (
        "1 June 2011 less 11 June 2011 is minus 10 days.",
        "That is fewer than the 0 days asked.",
    )
    early = facts_of("2011-05-31")
    assert named_without_consent.account(assess(early), early).arithmetic == (
        "1 June 2011 less 31 May 2011 is 1 day.",
        "That is not fewer than the 0 days asked.",
    )


def test_the_account_says_what_is_not_recorded() -> None:
    facts = facts_of(None, registered=False)
    account = named_without_consent.account(assess(facts), facts)
    assert account.happened == (
        "Written consent of Exampleton Trust: none is recorded.",
        "First day of the contract: not in the register of contracts.",
    )
    assert account.arithmetic == ("Without both days there is nothing to count.",)
    other = facts_of(None, named=False)
    assert named_without_consent.account(assess(other), other).promise == (
        "By the register Sample Prime Ltd did not name Exampleton Trust in its bid.",
    )


def test_it_rests_on_the_rows_of_the_agreement_and_the_contract() -> None:
    facts = facts_of(None)
    rows = named_without_consent.source_rows(assess(facts), facts)
    assert [(row.table, row.row_number, row.part) for row in rows] == [
        ("agreements", 2, "naming"),
        ("contracts", 2, "first day"),
    ]
