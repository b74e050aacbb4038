"""What the flag `client_mix` asks, one promise at a time.

A contract C1 of the prime P runs from June 2011; S is its subcontractor and serves ESA and JSA
25+ unless a paragraph says otherwise. Today is 15 April 2012, so ten months are over. Clients are
taken to come one by one where nothing is said about clumps.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from metrics.catalogue import assessors
from metrics.facts import gather
from metrics.flags import client_mix
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, month, months

if TYPE_CHECKING:
    from metrics.definition import Account, Assessment, SourceRow

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)
ESA, JSA, YOUNG = "ESA", "JSA 25+", "JSA 18-24"


def ask(chain: Chain, subcontractor: str = "S", **rules: str) -> Assessment:
    return told(chain, subcontractor, **rules)[0]


def told(
    chain: Chain, subcontractor: str = "S", **rules: str
) -> tuple[Assessment, Account, list[SourceRow]]:
    chosen = rules_as_of(TODAY).override({"overdispersion": "1"} | rules)
    facts = gather(chain.frames(), TODAY)
    found = [
        one
        for one in client_mix.assess(facts, chosen)
        if (one.contract_id, one.subcontractor_id) == ("C1", subcontractor)
    ]
    assert len(found) == 1
    json.dumps(found[0].answer(), allow_nan=False)
    account, rows = client_mix.account(found[0], facts), client_mix.source_rows(found[0], facts)
    return found[0], account, rows


def start(*groups: str, **agreement: Any) -> Chain:
    chain = (
        Chain()
        .organisation("S", "Exampleton Trust")
        .organisation("P", "Sample Prime Ltd")
        .contract()
        .agreement(**agreement)
        .covers("P", TEN, "referrals")
    )
    for group in groups:
        chain.price(group)
    return chain


def mixed(
    received: dict[str, int], in_house: dict[str, int], *groups: str, **agreement: Any
) -> Chain:
    """Clients sent to S and clients that P kept, all in June 2011 by the prime's own rows."""
    chain = start(*(groups or (ESA, JSA)), **agreement)
    for group, number in received.items():
        chain.referral("P", TEN[0], "S", number, group)
    for group, number in in_house.items():
        chain.referral("P", TEN[0], "P", number, group)
    return chain


UNEVEN = ({ESA: 40, JSA: 20}, {ESA: 60, JSA: 380})


# What is compared


def test_a_mix_that_chance_does_not_explain_is_asked_about() -> None:
    """40 of 60 clients from ESA, where ESA is 100 of 500: twelve were to be expected."""
    found = ask(mixed(*UNEVEN))
    assert found.status == "raised"
    assert found.value == pytest.approx(6.3725e-17, rel=1e-4, abs=0)
    assert found.low is found.high is found.attributed_to is found.client_group is None
    assert found.threshold == 0.001
    assert found.sentence.startswith(
        "Why did Exampleton Trust get 40 of its 60 clients from ESA, where ESA was 20 % of the 500 "
        "clients that Sample Prime Ltd had in the groups it serves from June 2011 to March 2012? "
        "By that share 12 were to be expected; had each month's clients been shared out alike, it "
        "would have got 12."
    )
    assert "(rule: 0.1 %, corrected for the number of groups; a statistical choice: " in (
        found.sentence
    )
    assert found.sentence.endswith(
        " What else could explain it: " + "; ".join(client_mix.FLAG.other_explanations) + "."
    )


def test_the_evidence_says_it_for_every_group_the_widest_gap_first() -> None:
    esa, jsa = ask(mixed(*UNEVEN)).evidence["by_client_group"]
    assert esa == esa | {
        "client_group": "ESA",
        "observed": 40,
        "intake": 100,
        "share_received": 40 / 60,
        "share_of_intake": 0.2,
        "expected": 12.0,
        "direction": "more",
        "counts_tested": {"observed": 40, "drawn": 60, "marked": 100, "all_of": 500},
        "corrected_probability": 2 * esa["probability"],
    }
    assert esa["by_month"]["stands"]
    assert (jsa["client_group"], jsa["expected"], jsa["direction"]) == ("JSA 25+", 48.0, "fewer")


def test_the_mix_of_the_intake_is_clear() -> None:
    found = ask(mixed({ESA: 13, JSA: 47}, {ESA: 87, JSA: 353}))
    assert found.status == "clear"
    assert found.value == 1
    assert found.sentence.startswith(
        "Of 60 clients sent to Exampleton Trust, 13 were from ESA, the group furthest from what "
        "was to be expected; it was 20 % of the 500 clients that Sample Prime Ltd had in the "
        "groups it serves from June 2011 to March 2012, which leads to expect 12."
    )
    assert [group["by_month"] for group in found.evidence["by_client_group"]] == [None, None]


def test_a_mix_just_as_expected_is_said_to_be_so() -> None:
    found = ask(mixed({ESA: 10, JSA: 40}, {ESA: 90, JSA: 360}))
    assert {one["direction"] for one in found.evidence["by_client_group"]} == {"as expected"}


def test_too_few_of_a_group_are_asked_about_like_too_many() -> None:
    found = ask(mixed({ESA: 1, JSA: 79}, {ESA: 199, JSA: 221}))
    assert found.status == "raised"
    assert "get only 1 of its 80 clients from ESA" in found.sentence


def test_only_the_primes_own_rows_count_for_both() -> None:
    chain = mixed(*UNEVEN).covers("S", TEN, "referrals")
    before = ask(chain)
    chain.referral("S", TEN[0], "S", 900, JSA).referral("G", TEN[0], "S", 900, JSA)
    after = ask(chain)
    assert (after.value, after.sentence) == (before.value, before.sentence)
    assert after.evidence["by_client_group"] == before.evidence["by_client_group"]


def test_months_the_prime_has_not_reported_or_outside_the_agreement_do_not_count() -> None:
    chain = mixed(*UNEVEN, live_on="2011-07-10")
    assert ask(chain).status == "too_early"
    chain = mixed(*UNEVEN)
    chain.coverage.clear()
    chain.covers("S", TEN, "referrals")
    assert ask(chain).status == "not_reported"


def test_client_groups_it_does_not_serve_are_left_out_and_said_to_be() -> None:
    chain = mixed({**UNEVEN[0], YOUNG: 5}, {**UNEVEN[1], YOUNG: 9000})
    found = ask(chain)
    assert (found.evidence["observed"], found.evidence["intake"]) == (60, 500)
    assert found.evidence["observed_in_other_groups"] == 5
    assert " 5 clients of groups it does not serve are left out. What else" in found.sentence
    one = ask(mixed({**UNEVEN[0], YOUNG: 1}, UNEVEN[1]))
    assert " 1 client of groups it does not serve is left out." in one.sentence


def test_where_no_group_is_stated_all_groups_of_the_intake_are_served() -> None:
    chain = start()
    for group, sent, kept in ((ESA, 40, 60), (JSA, 10, 300), (YOUNG, 10, 80)):
        chain.referral("P", TEN[0], "S", sent, group).referral("P", TEN[0], "P", kept, group)
    found = ask(chain)
    assert found.status == "raised"
    assert len(found.evidence["by_client_group"]) == 3


def test_a_forecast_names_a_group_as_a_price_does() -> None:
    chain = mixed(*UNEVEN, ESA).forecast(5, TEN[0], group=JSA)
    assert ask(chain).evidence["client_groups"] == [ESA, JSA]


def test_the_prime_serving_clients_itself_is_assessed_like_any_other() -> None:
    chain = mixed(*UNEVEN).agreement("P").price(ESA, "P").price(JSA, "P")
    found = ask(chain, "P")
    assert found.evidence["observed"] == 440
    assert "get only 60 of its 440 clients from ESA" in found.sentence


# The rule


def test_holm_corrects_for_the_number_of_groups() -> None:
    """The smallest of three chances counts three times, the next twice, the last once."""
    chain = mixed({ESA: 20, JSA: 20, YOUNG: 20}, {ESA: 60, JSA: 200, YOUNG: 160}, ESA, JSA, YOUNG)
    groups = sorted(ask(chain).evidence["by_client_group"], key=lambda one: one["probability"])
    plain = [one["probability"] for one in groups]
    steps = [min(1.0, plain[0] * 3), min(1.0, plain[1] * 2), plain[2]]
    steps = [max(steps[: place + 1]) for place in range(3)]
    assert [one["corrected_probability"] for one in groups] == steps


def test_a_difference_of_a_fifth_or_less_is_not_asked_about_however_sure() -> None:
    """Among thousands even 22 % against 20 % is not chance, and is of no consequence."""
    chain = mixed({ESA: 2200, JSA: 7800}, {ESA: 7800, JSA: 32200})
    found = ask(chain)
    assert found.value is not None
    assert found.value < 0.001
    assert found.status == "clear"
    assert "That is not chance, but no such group differs by more than 20 % (rule; " in (
        found.sentence
    )
    assert ask(chain, client_mix_difference="0").status == "raised"


def test_exactly_the_fifth_is_within_the_rule() -> None:
    """Expected 2,000 of 10,000: 2,400 is not asked about, 2,401 is."""
    for more, status in ((0, "clear"), (1, "raised")):
        sent = {ESA: 2400 + more, JSA: 7600 - more}
        kept = {ESA: 7600 - more, JSA: 32400 + more}
        assert ask(mixed(sent, kept)).status == status


def test_the_threshold_is_a_rule() -> None:
    chain = mixed({ESA: 18, JSA: 42}, {ESA: 82, JSA: 358})
    found = ask(chain)
    assert (found.status, 0.001 < (found.value or 0) < 0.2) == ("clear", True)
    other = ask(chain, client_mix="0.2")
    assert (other.status, other.threshold) == ("raised", 0.2)
    assert "(rule: 20 %, corrected for the number of groups; a value asked for" in other.sentence


# Month by month


def drifting(later: dict[str, int], to_s: int) -> Chain:
    """ESA is one client in ten at first and half of them later, when S gets most of its own.

    First half: 500 clients, of whom S gets 10 (1 from ESA). Second half: `later`, of whom S gets
    60, `to_s` from ESA.
    """
    chain = start(ESA, JSA)
    chain.referral("P", TEN[0], "S", 1, ESA).referral("P", TEN[0], "S", 9, JSA)
    chain.referral("P", TEN[0], "P", 49, ESA).referral("P", TEN[0], "P", 441, JSA)
    chain.referral("P", TEN[5], "S", to_s, ESA).referral("P", TEN[5], "S", 60 - to_s, JSA)
    for group, number in later.items():
        chain.referral("P", TEN[5], "P", number, group)
    return chain


def test_a_mix_that_follows_the_months_is_no_question() -> None:
    """31 of 70 from ESA where ESA is 22 % of all; but in S's months it was half."""
    found = ask(drifting({ESA: 70, JSA: 70}, 30))
    assert found.value is not None
    assert found.value < 0.001
    assert found.status == "clear"
    esa = found.evidence["by_client_group"][0]
    assert esa["by_month"] == esa["by_month"] | {"expected": 31.0, "stands": False}
    assert found.sentence.endswith(
        "Taken together that is not chance, but the months explain it: had each month's clients "
        "been shared out alike, it would have got 31 from ESA."
    )


def test_a_difference_left_month_by_month_is_watched_until_it_is_sure() -> None:
    found = ask(drifting({ESA: 60, JSA: 80}, 40))
    assert found.status == "watch"
    assert "But compared month by month, it would come about in" in found.sentence
    assert found.sentence.endswith("of cases, so it is short of the evidence asked.")
    assert ask(drifting({ESA: 40, JSA: 140}, 55)).status == "raised"


def test_a_difference_the_other_way_month_by_month_is_no_question() -> None:
    """More than the whole intake leads to expect, but fewer than its months do."""
    assert ask(drifting({ESA: 190, JSA: 10}, 40)).status == "clear"


def test_a_group_that_came_only_in_months_without_its_clients_is_no_question() -> None:
    chain = start(ESA, JSA, YOUNG)
    chain.referral("P", TEN[0], "P", 300, ESA)
    chain.referral("P", TEN[1], "S", 30, JSA).referral("P", TEN[1], "P", 60, JSA)
    chain.referral("P", TEN[1], "S", 30, YOUNG).referral("P", TEN[1], "P", 60, YOUNG)
    found = ask(chain)
    assert found.value is not None
    assert found.value < 0.001
    assert found.status == "clear"


def test_even_all_clients_of_its_months_are_weighed_against_its_months() -> None:
    """S got every client of the months in which it got any: by month nothing is left to ask."""
    chain = start(ESA, JSA)
    chain.referral("P", TEN[0], "P", 40, ESA).referral("P", TEN[0], "P", 400, JSA)
    chain.referral("P", TEN[1], "S", 40, ESA).referral("P", TEN[1], "S", 20, JSA)
    assert ask(chain).status == "clear"


# Clumps


def test_clients_in_clumps_count_as_fewer() -> None:
    """At a clumping of 3, 40 of 60 of 500 count as 13 of 20 of 166."""
    found = ask(mixed(*UNEVEN), overdispersion="3")
    esa = found.evidence["by_client_group"][0]
    assert esa["counts_tested"] == {"observed": 13, "drawn": 20, "marked": 33, "all_of": 166}
    assert found.evidence["overdispersion"]["value"] == 3
    assert found.value is not None
    assert 1e-6 < found.value < 1e-3
    assert "Clumping is set to 3 by the rule" in found.sentence


def test_a_count_below_the_expected_is_rounded_up_so_that_no_gap_is_made_wider() -> None:
    found = ask(mixed({ESA: 10, JSA: 50}, {ESA: 90, JSA: 350}), overdispersion="3")
    esa = found.evidence["by_client_group"][0]["counts_tested"]
    assert esa == {"observed": 4, "drawn": 20, "marked": 33, "all_of": 166}


def test_exact_multiples_of_a_clumping_divide_exactly() -> None:
    found = ask(mixed({ESA: 34, JSA: 17}, {ESA: 51, JSA: 408}), overdispersion="1.7")
    esa = found.evidence["by_client_group"][0]["counts_tested"]
    assert esa == {"observed": 20, "drawn": 30, "marked": 50, "all_of": 300}


def test_the_clumping_of_the_programme_is_reckoned_with_from_enough_pairs_of_months() -> None:
    chain = mixed(*UNEVEN)
    for number in range(6):
        chain.agreement(f"Z{number}").covers(f"Z{number}", TEN, "referrals")
        for place, one in enumerate(TEN):
            chain.referral(f"Z{number}", one, f"Z{number}", 2 + 6 * (place % 2))
            chain.forecast(5, one, f"Z{number}")
    basis = ask(chain, overdispersion="auto").evidence["overdispersion"]
    assert (basis["basis"], basis["value"] > 1) == ("estimated", True)
    few = ask(mixed(*UNEVEN), overdispersion="auto")
    assert few.evidence["overdispersion"]["basis"] == "too few pairs"
    assert few.status == "raised"


# Why nothing is asked


def test_without_a_return_of_the_prime_it_is_not_reported() -> None:
    chain = Chain().contract().agreement().covers("S", TEN, "referrals")
    found, account, rows = told(chain)
    assert (found.status, found.value) == ("not_reported", None)
    assert found.sentence == (
        "Not reported for S: P has sent no referrals return that covers any month from June 2011 "
        "to March 2012."
    )
    assert account.happened == ("P has reported no month of referrals that counts.",)
    assert account.arithmetic == ()
    assert rows == []


def test_an_agreement_that_ended_before_it_began_is_not_reported() -> None:
    found = ask(mixed(*UNEVEN, live_on="2011-08-01", ends_on="2011-07-01"))
    assert found.status == "not_reported"
    assert "it ended in July 2011, before it began in August 2011" in found.sentence


def test_an_agreement_whose_contract_is_unknown_is_not_reported() -> None:
    chain = Chain().agreement().covers("S", TEN, "referrals")
    found, _, rows = told(chain)
    assert found.status == "not_reported"
    assert "is not in the register of contracts" in found.sentence
    assert rows == []


def test_one_client_group_has_no_mix() -> None:
    found = ask(mixed(*UNEVEN, ESA))
    assert (found.status, found.value) == ("not_applicable", None)
    assert found.sentence == (
        "Not applicable to Exampleton Trust: it serves one client group only (ESA), so it has no "
        "mix."
    )
    unstated = start().referral("P", TEN[0], "S", 9, ESA).referral("P", TEN[0], "P", 9, ESA)
    assert ask(unstated).status == "not_applicable"
    assert "all clients that Sample Prime Ltd reports" in ask(unstated).sentence


def test_a_whole_intake_sent_to_it_leaves_nothing_to_compare_with() -> None:
    found = ask(mixed({ESA: 40, JSA: 20}, {}))
    assert (found.status, found.value) == ("not_applicable", None)
    assert "every one of the 60 clients that Sample Prime Ltd reports" in found.sentence


def test_without_a_client_it_is_too_early() -> None:
    found = ask(mixed({}, UNEVEN[1]))
    assert (found.status, found.value) == ("too_early", None)
    assert found.sentence == (
        "Too early to say: Sample Prime Ltd reports no client of the groups it serves sent to "
        "Exampleton Trust from June 2011 to March 2012, so there is no mix to compare."
    )
    found = ask(mixed({YOUNG: 3}, UNEVEN[1]))
    assert "to March 2012 (but 3 clients of groups it does not serve), so" in found.sentence
    assert ask(start()).status == "too_early", "nobody came at all, and no group is stated"


def test_an_intake_of_one_of_its_groups_so_far_is_too_early() -> None:
    found = ask(mixed({ESA: 5}, {ESA: 50}))
    assert (found.status, found.value) == ("too_early", None)
    assert found.sentence.endswith("are from ESA, so there is no mix to compare yet.")


def test_it_is_too_early_while_not_even_the_most_uneven_mix_would_tell() -> None:
    """All 3 clients from ESA, where ESA is one in five, comes about in 0.7 % of cases."""
    found = ask(mixed({ESA: 3}, {ESA: 17, JSA: 80}))
    assert found.status == "too_early"
    least = found.evidence["least_corrected_probability"]
    assert least == found.value == pytest.approx(4 * 20 * 19 * 18 / (100 * 99 * 98))
    assert found.sentence == (
        "Too early to say: Sample Prime Ltd reports 3 clients sent to Exampleton Trust from June "
        "2011 to March 2012, of 100 in the groups it serves; even the most uneven mix that these "
        f"numbers allow would come about in {100 * least:.3g} % of cases (rule: 0.1 %; a "
        "statistical choice: Fisher's exact test with Holm's correction)."
    )
    clumped = ask(mixed({ESA: 9, JSA: 1}, {ESA: 17, JSA: 80}), overdispersion="20")
    assert clumped.status == "too_early"
    assert clumped.sentence.endswith(
        " Clumping is set to 20 by the rule (1: clients come one by one)."
    )


# Beside it


def test_other_agreements_for_some_of_the_groups_are_pointed_out() -> None:
    """A specialist who takes ESA shifts the mix of everybody else."""
    chain = mixed(*UNEVEN).agreement("T").price(ESA, "T").agreement("U")
    found = ask(chain)
    assert found.evidence["agreements_serving_some_groups"] == 1
    assert "1 other agreement of this contract serves only some of these groups." in found.sentence
    chain.agreement("V").price(JSA, "V")
    found, account, _ = told(chain)
    assert "2 other agreements of this contract serve only some" in found.sentence
    assert "2 other agreements of the contract serve only some" in account.happened[-1]


def test_further_groups_are_named_after_the_first() -> None:
    chain = mixed({ESA: 60, JSA: 30, YOUNG: 10}, {ESA: 100, JSA: 300, YOUNG: 100}, ESA, JSA, YOUNG)
    found = ask(chain)
    assert "The same is asked of JSA 25+, 30 where 55 were to be expected." in found.sentence


def test_an_answer_that_would_not_stand_among_its_programme_says_so() -> None:
    chain = mixed({ESA: 18, JSA: 42}, {ESA: 82, JSA: 358})
    for number in range(30):
        other = f"Z{number}"
        chain.agreement(other).price(ESA, other).price(JSA, other)
        chain.referral("P", TEN[0], other, 20, ESA).referral("P", TEN[0], other, 80, JSA)
    found, account, _ = told(chain, client_mix="0.2")
    assert found.status == "raised"
    assert not found.evidence["among_programme"]["stands"]
    assert "Counted among the 31 answers of its programme" in found.sentence
    assert "Counted among the 31 answers" in account.arithmetic[-1]


# The account and the rows


def test_the_account_can_be_redone_with_a_spreadsheet() -> None:
    _, account, _ = told(mixed({**UNEVEN[0], YOUNG: 1}, UNEVEN[1]))
    assert account.promise == (
        "Nobody promised a mix of clients: the prime's own intake is the yardstick.",
        "Exampleton Trust serves ESA, JSA 25+, by its prices and forecasts.",
    )
    assert account.happened == (
        "In 10 months that Sample Prime Ltd has reported, it had 500 clients in these groups and "
        "sent 60 of them to Exampleton Trust.",
        "ESA: 40 sent to Exampleton Trust, of 100.",
        "JSA 25+: 20 sent to Exampleton Trust, of 400.",
        "1 more client of groups it does not serve went to Exampleton Trust; they are left out.",
    )
    assert account.arithmetic[1:3] == (
        "ESA: expected 60 x 100 / 500 = 12, came 40. Chance of so many, and so few of all others: "
        "HYPGEOM.DIST(20, 60, 400, 500, TRUE), doubled and at most 1 = 3.19e-17.",
        "JSA 25+: expected 60 x 400 / 500 = 48, came 20. Chance of so few: HYPGEOM.DIST(20, 60, "
        "400, 500, TRUE), doubled and at most 1 = 3.19e-17.",
    )
    assert "Holm's correction for 2 groups" in account.arithmetic[3]
    assert account.arithmetic[4].endswith(
        "come to 12. With that share, chance of so many, and so few of all others: "
        "HYPGEOM.DIST(20, 60, 400, 500, TRUE), doubled, times 2 and at most 1 = 6.37e-17, so the "
        "question stands."
    )


def test_the_account_says_when_nothing_can_be_said_yet_and_when_months_explain_it() -> None:
    _, early, _ = told(mixed({ESA: 3}, {ESA: 17, JSA: 80}), overdispersion="1.5")
    assert "So all counts are divided by 1.5 and rounded down" in early.arithmetic[1]
    assert early.arithmetic[-1].endswith("so nothing can be said yet.")
    _, drifted, _ = told(drifting({ESA: 70, JSA: 70}, 30))
    assert drifted.arithmetic[-1].endswith("so the question does not stand.")


def test_the_rows_behind_it_are_the_primes_and_what_names_the_groups() -> None:
    chain = mixed({**UNEVEN[0], YOUNG: 1}, {**UNEVEN[1], YOUNG: 5}).forecast(5, TEN[0], group=ESA)
    chain.forecast(5, TEN[1]).covers("S", TEN, "referrals")
    chain.referral("S", TEN[0], "S", 3, ESA)
    chain.referral("P", month("2012-04"), "S", 3, ESA)
    _, _, rows = told(chain)
    parts = [(row.table, row.row_id, row.part) for row in rows]
    assert parts == [
        ("prices", "", "names a client group it serves"),
        ("prices", "", "names a client group it serves"),
        ("forecasts", "", "names a client group it serves"),
        ("referrals", "R0", "sent to it"),
        ("referrals", "R1", "sent to it"),
        ("referrals", "R2", "left out: a client group it does not serve"),
        ("referrals", "R3", "intake, not sent to it"),
        ("referrals", "R4", "intake, not sent to it"),
    ]


def test_the_flag_is_found_and_complete() -> None:
    found = next(one for one in assessors() if one.flag.id == "client_mix")
    assert found.flag.order == 9
    assert found.flag.question.endswith("?")
    assert {status for status, _ in found.flag.statuses} == {
        "raised",
        "watch",
        "clear",
        "too_early",
        "not_reported",
        "not_applicable",
    }
