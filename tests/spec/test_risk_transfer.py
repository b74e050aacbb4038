"""When risk counts as passed down: the subcontractor's share at risk against the prime's."""

from __future__ import annotations

import datetime as dt
import functools
import json
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from metrics.facts import gather
from metrics.flags import risk_transfer
from metrics.risk_transfer import exact, is_above, ratio
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain

if TYPE_CHECKING:
    from metrics.definition import Assessment
    from metrics.facts import Facts

TODAY = dt.date(2012, 4, 15)


@functools.cache
def facts_of(own: float | None, theirs: float | None) -> Facts:
    chain = (
        Chain()
        .organisation("S", "Exampleton Trust")
        .organisation("P", "Sample Prime Ltd")
        .contract()
        .agreement(at_risk_share=own, prime_at_risk_share=theirs)
    )
    return gather(chain.frames(), TODAY)


def ask(own: float | None, theirs: float | None, **rules: str) -> Assessment:
    (found,) = risk_transfer.assess(facts_of(own, theirs), rules_as_of(TODAY).override(rules))
    json.dumps(found.answer(), allow_nan=False)
    return found


def test_a_larger_share_than_the_primes_is_raised() -> None:
    found = ask(1.0, 0.8)
    assert (found.status, found.value, found.threshold) == ("raised", 1.25, 1)
    assert (found.low, found.high, found.attributed_to) == (None, None, None)
    assert found.sentence == (
        "100 % of the income of Exampleton Trust depends on results; of the income of Sample "
        "Prime Ltd for the same work it is 80 %, so that Exampleton Trust bears 1.25 times the "
        "share of Sample Prime Ltd (rule: at most 1 times the prime's; a recommendation: Open "
        "Public Services: experiences from the voluntary sector (NCVO, 2012), section 2). What "
        "else could explain it: a higher price pays the subcontractor for the risk; the two "
        "shares are of different work, or one of them is out of date; the subcontractor is paid "
        "for results that are easier to reach, or sooner."
    )


def test_the_same_share_and_a_smaller_one_are_clear() -> None:
    assert (ask(0.8, 0.8).status, ask(0.8, 0.8).value) == ("clear", 1)
    assert (ask(0.2, 0.8).status, ask(0.2, 0.8).value) == ("clear", 0.25)
    assert "What else" not in ask(0.2, 0.8).sentence


def test_shares_are_compared_as_the_decimals_that_were_written() -> None:
    """3 times 0.1 is 0.3, and 7 times 0.1 is 0.7, which floats deny."""
    assert ask(0.3, 0.1, risk_transfer="3").status == "clear"
    assert exact(0.1) == Fraction(1, 10)
    assert exact(1e-7) == Fraction(1, 10_000_000)
    assert not is_above(0.7, 0.1, Fraction(7))
    assert is_above(0.7000001, 0.1, Fraction(7))


def test_a_ratio_just_above_the_rule_is_not_said_to_be_the_rule() -> None:
    found = ask(0.800001, 0.8)
    assert found.status == "raised"
    assert "80.0001 % of the income" in found.sentence
    assert "bears 1.000001 times the share" in found.sentence


def test_any_risk_beside_a_prime_without_any_is_raised_without_a_ratio() -> None:
    found = ask(0.1, 0.0)
    assert (found.status, found.value) == ("raised", None)
    assert "it is 0 % (rule: at most" in found.sentence
    assert ratio(0.1, 0.0) is None


def test_no_risk_on_either_side_is_clear() -> None:
    assert (ask(0.0, 0.0).status, ask(0.0, 0.0).value) == ("clear", None)


@pytest.mark.parametrize(
    ("own", "theirs", "whose"),
    [
        (None, 0.8, "Exampleton Trust"),
        (0.8, None, "Sample Prime Ltd"),
    ],
)
def test_a_share_that_is_not_recorded_is_named(
    own: float | None, theirs: float | None, whose: str
) -> None:
    found = ask(own, theirs)
    assert (found.status, found.value) == ("not_applicable", None)
    assert found.sentence == (
        "Not applicable to Exampleton Trust: the register of agreements does not record which "
        f"share of the income of {whose} depends on results."
    )


def test_where_neither_is_recorded_both_are_named() -> None:
    assert ask(None, None).sentence.endswith(
        "which share of the income of Exampleton Trust depends on results and which share of the "
        "income of Sample Prime Ltd depends on results."
    )


def test_the_rule_can_be_asked_for_otherwise() -> None:
    assert ask(1.0, 0.8, risk_transfer="1.25").status == "clear"
    assert ask(0.8, 0.8, risk_transfer="0.5").status == "raised"


@pytest.mark.parametrize(
    ("own", "theirs", "steps"),
    [
        (1.0, 0.8, ("100 % / 80 % = 1.25 times.", "1 times 80 % is 80 %: 100 % is above it.")),
        (0.4, 0.8, ("40 % / 80 % = 0.5 times.", "1 times 80 % is 80 %: 40 % is not above it.")),
        (
            0.1,
            0.0,
            (
                "Sample Prime Ltd has nothing at risk, so the one share cannot be divided by the "
                "other.",
                "1 times 0 % is 0 %: 10 % is above it.",
            ),
        ),
        (None, 0.8, ("There is nothing to compare.",)),
    ],
)
def test_the_account_shows_both_shares_and_one_over_the_other(
    own: float | None, theirs: float | None, steps: tuple[str, ...]
) -> None:
    facts = facts_of(own, theirs)
    (found,) = risk_transfer.assess(facts, rules_as_of(TODAY))
    account = risk_transfer.account(found, facts)
    assert account.promise[0] == (
        "Share of the income of Exampleton Trust that depends on results: "
        f"{'not recorded' if own is None else f'{own:.0%}'.replace('%', ' %')}."
    )
    assert account.arithmetic == steps
    assert account.happened


def test_it_rests_on_the_agreements_row() -> None:
    facts = facts_of(1.0, 0.8)
    (found,) = risk_transfer.assess(facts, rules_as_of(TODAY))
    (row,) = risk_transfer.source_rows(found, facts)
    assert (row.table, row.reporter_id, row.row_number, row.part) == ("agreements", "N", 2, "terms")
