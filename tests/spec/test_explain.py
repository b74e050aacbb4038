"""One answer told in full: what an explanation holds, whom it shows what, and how it refuses.

A contract C1 of the prime P runs from June 2011; S is its subcontractor. Today is 15 April 2012.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from typing import TYPE_CHECKING, Any

import pytest

from data.errors import UnknownFlag, UserError
from data.scope import OPERATOR, Parties, Reach, Scope, reach_of
from metrics.assessment import assess_facts
from metrics.catalogue import assessors, flags
from metrics.explanation import explain, explained, runs
from metrics.facts import gather
from metrics.rules import rules_as_of
from tests.oracle.chain import Chain, months

if TYPE_CHECKING:
    from metrics.definition import Assessment
    from metrics.explanation import Explanation
    from metrics.facts import Facts

TODAY = dt.date(2012, 4, 15)
TEN = months("2011-06", 10)
REGISTER = rules_as_of(TODAY)
EVERYTHING = Reach(OPERATOR)
FLAGS = [flag.id for flag in flags()]
TOLD = ["What was promised", "What happened", "The arithmetic", "The rule"]
MORE = ["What else could explain it", "What to ask next"]


def chain() -> Chain:
    """S was promised four a month and got none; S2 got all, at a fee of 30 %, paid late."""
    made = (
        Chain()
        .organisation("S", "Exampleton Trust")
        .organisation("S2", "Second Trust")
        .organisation("P", "Sample Prime Ltd")
        .organisation("N", "Honest Network")
        .contract()
        .agreement("S", named_in_bid=True, promised_share=0.2, at_risk_share=1.0)
        .agreement("S2", promised_share=0.8, at_risk_share=0.4, prime_at_risk_share=0.5)
        .covers("S", TEN, "referrals")
        .covers("P", TEN, "referrals")
        .covers("P", TEN, "payments")
        .covers("S2", TEN, "payments")
    )
    for month in TEN:
        made.forecast(4, month, group="JSA 25+").forecast(16, month, "S2").forecast(20, month, None)
        for number in range(20):
            made.referral("P", month, "S2", client_hash=f"h{month}{number}")
        for by in ("P", "S2"):
            made.payment(
                by,
                month,
                100_00 if by == "P" else None,
                70_00,
                subcontractor="S2",
                invoiced_on=month.replace(day=20),
                paid_on=month.replace(day=28),
                client_hash=f"h{month}1",
            )
    return made


@functools.cache
def _facts() -> Facts:
    return gather(chain().frames(), TODAY)


@functools.cache
def answers() -> dict[tuple[str, str | None], Assessment]:
    return {(a.flag, a.subcontractor_id): a for a in assess_facts(_facts(), REGISTER)}


def facts(of: Chain | None = None) -> Facts:
    return gather(of.frames(), TODAY) if of else _facts()


def story(flag: str, subcontractor: str | None = "S", **options: Any) -> Explanation:
    rules = REGISTER.override(options.pop("rules", {}))
    options.setdefault("reach", EVERYTHING)
    return explain(options.pop("of", facts()), rules, flag, "C1", subcontractor, **options)


# What it tells


def test_the_story_has_its_sections_in_order() -> None:
    told = story("zero_referrals")
    assert [heading for heading, _ in told.sections] == [*TOLD, *MORE]
    assert all(sentences for _, sentences in told.sections)


def test_what_is_clear_has_nothing_else_to_explain_or_to_ask() -> None:
    told = story("zero_referrals", "S2")
    assert told.assessment.status == "clear"
    assert [heading for heading, _ in told.sections] == TOLD


def test_it_is_the_very_answer_that_the_flags_give() -> None:
    for flag in ("zero_referrals", "volume_divergence"):
        assert story(flag).assessment == answers()[flag, "S"]


def test_the_threshold_comes_first_with_source_standing_and_version() -> None:
    rules = dict(story("management_fee", "S2").sections)["The rule"]
    assert rules[0].startswith(
        "Highest management fee (management_fee): 15 % (share of what the commissioner paid). "
        "A recommendation: Skills Funding Agency"
    )
    assert "primary source not found" in rules[0]
    assert "In force from 1 January 2012, version 1." in rules[0]


def test_a_rule_without_a_day_has_only_its_version() -> None:
    rules = dict(story("zero_referrals").sections)["The rule"]
    assert "Version 1." in rules[0]
    assert "In force" not in rules[0]


def test_a_rule_that_was_asked_for_stands_beside_the_registers() -> None:
    told = story("management_fee", "S2", rules={"management_fee": "40%"})
    assert told.assessment.status == "clear"
    rule = dict(told.sections)["The rule"][0]
    assert "40 %" in rule
    assert "A value asked for in place of the register's, which is 15 % (a recommendation" in rule
    assert told.answer()["overridden"] == ["management_fee"]
    assert told.answer()["rules"]["management_fee"]["overridden"]


def test_a_rule_that_this_flag_does_not_use_is_no_mark_on_it() -> None:
    told = story("zero_referrals", rules={"management_fee": "40%"})
    assert told.overrides == ()
    assert told.answer()["overridden"] == []


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("subcontractor", ["S", "S2", None])
def test_every_flag_tells_its_story_with_rows_that_exist(
    flag: str, subcontractor: str | None
) -> None:
    assessment = answers().get((flag, subcontractor))
    if assessment is None:
        pytest.skip("this flag does not speak of it")
    told = explained(assessment, facts(), REGISTER, EVERYTHING)
    answer = json.loads(json.dumps(told.answer(), allow_nan=False))
    assert all(sentences for _, sentences in told.sections)
    rows = {
        (table, row.get("reporter_id"), row.get("return_id"), row.get("row_number"))
        for table, listed in chain().rows().items()
        for row in listed
    }
    for row in answer["rows"]:
        place = (row["table"], row["reporter_id"], row["return_id"], row["row_number"])
        assert place in rows or row["table"] in ("contracts", "organisations", "prices")
    for _, sentences in told.sections:
        for sentence in sentences:
            assert sentence.endswith((".", "?")), sentence
            assert sentence == sentence.strip()


def test_the_rows_are_grouped_by_table_reporter_and_return() -> None:
    told = story("zero_referrals")
    groups = [(g.table, g.reporter_id, g.return_id, g.lines) for g in told.row_groups]
    assert ("forecasts", "P", "r-P", ", ".join(str(n) for n in range(2, 32, 3))) in groups
    assert sum(g.row_count for g in told.row_groups) == len(told.source_rows)


@pytest.mark.parametrize(
    ("numbers", "written"),
    [([], ""), ([4], "4"), ([9, 7, 8, 4, 12, 11, 7], "4, 7-9, 11-12"), ([1, 2], "1-2")],
)
def test_neighbouring_lines_are_drawn_together(numbers: list[int], written: str) -> None:
    assert runs(numbers) == written


def test_names_are_given_where_the_register_has_them() -> None:
    told = story("zero_referrals")
    assert told.name("P") == "Sample Prime Ltd"
    assert told.name("nobody") == "nobody"


def test_the_answer_names_the_day_and_the_last_month() -> None:
    answer = story("zero_referrals").answer()
    assert (answer["as_of"], answer["through"]) == ("2012-04-15", "2012-03")


def test_facts_of_the_contract_alone_tell_the_same() -> None:
    """The page asks for the rows of one contract, the command has gathered them all."""
    made = (
        chain().contract("C2", "P2").agreement("S", "C2").referral("P2", TEN[0], contract_id="C2")
    )
    whole = facts(made)
    alone = gather(made.frames().of_contracts(["C1"]), TODAY)
    for found in assess_facts(whole, REGISTER):
        if found.contract_id == "C1":
            full = explained(found, whole, REGISTER, EVERYTHING).answer()
            assert explained(found, alone, REGISTER, EVERYTHING).answer() == full


# To whom


def as_seen_by(organisation_id: str) -> Reach:
    """What a party of the contracts C1 and C2 sees of them."""
    made = chain()
    parties = Parties(
        tuple((c["contract_id"], c["commissioner_id"], c["prime_id"]) for c in made.contracts),
        tuple((a["contract_id"], a["subcontractor_id"]) for a in made.agreements),
    )
    return reach_of(Scope("member", organisation_id), parties)


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("asker", ["S2", "P"])
def test_a_party_sees_the_rows_that_are_about_it_and_counts_of_the_rest(
    flag: str, asker: str
) -> None:
    everything = explained(answers()[flag, "S2"], facts(), REGISTER, EVERYTHING)
    told = explained(answers()[flag, "S2"], facts(), REGISTER, as_seen_by(asker))
    own = [
        row
        for row in everything.source_rows
        if asker == "P" or row.table == "contracts" or row.subcontractor_id == asker
    ]
    assert list(told.source_rows) == own
    counted = sum(group["rows"] for group in told.answer()["rows_of_others"])
    assert counted == len(everything.source_rows) - len(own)
    text = json.dumps(told.answer()) + " ".join(s for _, part in told.sections for s in part)
    for row in everything.source_rows:
        if row.row_id and row not in own:
            assert f'"{row.row_id}"' not in text
    for group in told.others:
        assert (group.return_id, group.row_numbers, group.lines) == ("", None, "")


def test_both_sides_of_its_own_events_are_a_subcontractors_to_see() -> None:
    told = explained(answers()["unreconciled", "S2"], facts(), REGISTER, as_seen_by("S2"))
    assert {"P", "S2"} >= {row.reporter_id for row in told.source_rows} > set()


def test_the_operator_sees_every_row() -> None:
    told = story("zero_referrals")
    assert told.asker_id is None
    assert told.answer()["rows_of_others"] == []


def test_an_answer_about_somebody_else_is_refused_in_the_words_for_what_is_not_there() -> None:
    said = refused("zero_referrals", "C1", "S2", reach=as_seen_by("S"))
    unknown = refused("zero_referrals", "C1", "S9", reach=as_seen_by("S"))
    assert said.replace("S2", "S9") == unknown
    assert "Its subcontractors are S." in said
    assert refused("zero_referrals", "C1", "S", reach=as_seen_by("X")).startswith(
        "No contract and no agreement was on record"
    )


# Mistakes


def refused(*about: str | None, of: Facts | None = None, reach: Reach | None = None) -> str:
    with pytest.raises(UserError) as refusal:
        explain(of or facts(), REGISTER, *about, reach=reach or EVERYTHING)  # type: ignore[arg-type]
    assert refusal.value.exit_code == 2
    return str(refusal.value)


def test_an_unknown_flag_is_named_with_the_nearest() -> None:
    said = refused("managment_fee", "C1", "S")
    assert said.startswith('There is no flag "managment_fee". Did you mean management_fee? The')
    assert said.endswith(f"{', '.join(FLAGS)}.")
    with pytest.raises(UnknownFlag):
        story("fee")


def test_an_unknown_contract_is_named_with_the_nearest() -> None:
    assert refused("zero_referrals", "C11") == (
        'No contract "C11" was on record on 2012-04-15. Did you mean C1? The contracts are C1.'
    )


def test_an_unknown_subcontractor_is_named_with_the_nearest_id_or_name() -> None:
    assert refused("zero_referrals", "C1", "S22") == (
        'C1 had no agreement with "S22" on record on 2012-04-15. Did you mean S2? Its '
        "subcontractors are S, S2."
    )
    assert "Did you mean S?" in refused("zero_referrals", "C1", "Exampleton Trst")
    assert "Did you mean S2?" in refused("zero_referrals", "C1", "second")
    assert "Did you mean" not in refused("zero_referrals", "C1", "zzzzzz")
    assert "Did you mean" not in refused("zero_referrals", "C1", " ")


def test_a_flag_about_agreements_asks_for_the_subcontractor() -> None:
    assert refused("management_fee", "C1", None) == (
        "management_fee is about one agreement at a time: name a subcontractor of C1 too. Its "
        "subcontractors are S, S2."
    )
    bare = facts(Chain().contract())
    assert refused("management_fee", "C1", None, of=bare).endswith("It has no agreement.")


def test_a_flag_about_whole_contracts_asks_to_leave_it_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only_whole = [
        type(one)(one.flag, lambda *_: [], one.account, one.source_rows) for one in assessors()
    ]
    monkeypatch.setattr("metrics.explanation.assessors", lambda: only_whole)
    said = refused("volume_divergence", "C1", "S")
    assert said == "volume_divergence is about whole contracts: leave out the subcontractor."


def test_before_anything_was_known_it_says_so() -> None:
    said = refused("zero_referrals", "C1", "S", of=facts(Chain()))
    assert said.startswith("No contract and no agreement was on record on 2012-04-15.")


def test_many_ids_are_not_all_listed() -> None:
    made = Chain().contract()
    for number in range(15):
        made.agreement(f"SUB-{number:02d}")
    assert refused("zero_referrals", "C1", None, of=facts(made)).endswith("SUB-11 and 3 more.")
