"""The right of reply: what is flagged is put to those it is about before anybody else is told.

G buys the contract C1 from the prime P, whose subcontractors are S and T. The network is N. Each
test begins on Tuesday 24 November 2026, so five working days end on Tuesday 1 December. Somebody of
each can sign in but where a test is about that.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from data import audit, replies
from data.arrangements import end, in_force, make, scope_of
from data.database import ACCOUNTS, CASES, NOTICES, STEPS, Database
from data.errors import BadOption, NotAllowed
from data.replies import (
    MOST_TEXT_CHARACTERS,
    OTHER_PRIME,
    OUTCOMES,
    REASONS,
    STEPS_TAKEN,
    Case,
    Published,
    Raised,
    Reviewed,
    ask_first,
    bring_up_to_date,
    case_of,
    cases,
    claim_letter,
    consent,
    decide,
    faults,
    give_back_letter,
    inbox,
    letters,
    mark_read,
    reply,
)
from data.scope import NOT_SHOWN, OPERATOR, PUBLIC, Parties, Reach, Scope, reach_of
from tests.people import JOINED, let_in

TODAY = dt.date(2026, 11, 24)
DUE_ON = dt.date(2026, 12, 1)
AFTER = dt.date(2026, 12, 2)
PARTIES = Parties(
    contracts=(("C1", "G", "P"), ("C2", "G2", "P2")),
    agreements=(("C1", "S"), ("C1", "T"), ("C2", "S")),
)


def published(database: Database, today: dt.date) -> tuple[Published, ...]:
    """What the public sees; here each answer is told in full."""
    return replies.published(database, today, lambda answer: str(answer["sentence"]))


def raised(
    flag: str = "zero_referrals",
    subcontractor: str | None = "S",
    prime: str | None = "P",
    *,
    own_data: bool = True,
    attributed_to: str | None = None,
) -> Raised:
    answer = {
        "sentence": "P sent S no client in ten months, of 12 promised.",
        "attributed_to": attributed_to,
        "evidence": {"promise": 12.5, "rules": {"zero_referrals": {"version": 1}}},
        "ledger_version": 7,
        "names": {"P": "Sample Prime Ltd", "S": "Exampleton Trust"},
        "commissioner_id": "G",
    }
    return Raised(flag, "C1", prime, subcontractor, own_data, answer)


def review(
    database: Database,
    *found: Raised,
    today: dt.date = TODAY,
    joined: str = "PSTG",
    **statuses: str,
) -> Reviewed | None:
    """What a review makes of these raised flags; other flags of S in C1 by their status.

    Somebody of each organisation in `joined` can sign in.
    """
    let_in(database, *joined)
    assessed = {(one.flag, one.contract_id, one.subcontractor_id): "raised" for one in found}
    assessed |= {(flag, "C1", "S"): status for flag, status in statuses.items()}
    return bring_up_to_date(database, found, assessed, today=today, reply_days=5)


def asker(database: Database, who: str) -> tuple[Scope, Reach]:
    roles: dict[str, Any] = {"operator": "operator", "public": "public", "N": "network"}
    scope = scope_of(database, roles.get(who, "member"), who)
    return scope, reach_of(scope, PARTIES)


def seen_by(database: Database, who: str) -> list[Case]:
    return list(cases(database, *asker(database, who)))


def the_case(database: Database) -> Case:
    (case,) = seen_by(database, "operator")
    return case


def says(
    database: Database,
    who: str,
    stance: str = "disputed",
    reason: str = "volume",
    text: str = "",
    by: str = "",
) -> Case:
    case_id = the_case(database).case_id
    return reply(
        database,
        *asker(database, who),
        case_id,
        by=by or who,
        stance=stance,
        reason=reason,
        text=text,
        actor=f"{who}@example.org",
    )


def agrees(database: Database, who: str, yes: bool = True, by: str = "S") -> Case:
    return consent(
        database,
        *asker(database, who),
        the_case(database).case_id,
        by=by,
        agrees=yes,
        actor=f"{who}@example.org",
        today=TODAY,
        reply_days=5,
    )


def decides(
    database: Database, decision: str, reason: str = "", who: str = "N", today: dt.date = AFTER
) -> Case:
    return decide(
        database,
        *asker(database, who),
        the_case(database).case_id,
        decision,
        reason=reason,
        actor=f"{who}@example.org",
        today=today,
    )


def arranged(database: Database, kind: str, subject: str, *, ends: bool = False) -> None:
    act = end if ends else make
    act(database, OPERATOR, Reach(OPERATOR), kind, subject, actor="operator")


def person(database: Database, email: str, organisation_id: str, disabled: bool = False) -> None:
    now = dt.datetime.now(dt.UTC)
    with database.writing() as connection:
        connection.execute(
            ACCOUNTS.insert().values(
                account_id=email,
                email=email,
                name="A Person",
                organisation_id=organisation_id,
                role="member",
                created_at=now,
                disabled_at=now if disabled else None,
            )
        )


# Opening and closing


def test_a_raised_flag_is_put_to_the_prime_and_the_subcontractor_and_the_clock_starts(
    database: Database,
) -> None:
    assert review(database, raised()) == Reviewed(opened_count=1)
    case = the_case(database)
    assert case.due_on == DUE_ON
    assert case.parties == ("P", "S")
    assert [step.kind for step in case.steps] == ["opened"]
    for who in ("P", "S"):
        (notice,) = inbox(database, *asker(database, who))
        assert (notice.case_id, notice.kind, notice.read_at) == (
            case.case_id,
            "reply_wanted",
            None,
        )
    assert inbox(database, *asker(database, "G")) == ()


def test_a_case_keeps_the_answer_as_it_was(database: Database) -> None:
    review(database, raised())
    again = raised()
    again = replace(again, answer={**again.answer, "sentence": "Of 13 promised."})
    assert review(database, again) == Reviewed()
    case = the_case(database)
    assert case.sentence == "P sent S no client in ten months, of 12 promised."
    assert case.answer == raised().answer


def test_another_flag_subcontractor_or_contract_is_a_case_of_its_own(database: Database) -> None:
    others = [raised(), raised("management_fee"), raised(subcontractor="T"), raised()]
    assert review(database, *others) == Reviewed(opened_count=3)
    assert review(database, *others) == Reviewed()


def test_a_flag_about_a_whole_contract_is_put_to_the_prime_alone(database: Database) -> None:
    review(database, raised("volume_divergence", subcontractor=None))
    assert the_case(database).parties == ("P",)
    assert seen_by(database, "S") == []


def test_a_commissioner_to_whom_the_figures_point_is_heard_too(database: Database) -> None:
    review(database, raised("volume_divergence", None, attributed_to="commissioner"))
    assert the_case(database).parties == ("P", "G")
    (notice,) = inbox(database, *asker(database, "G"))
    assert notice.kind == "reply_wanted"
    assert says(database, "P", "accepted").outcome == "accepted"
    assert says(database, "G", "disputed").outcome == "disputed"


def test_a_flag_that_is_no_longer_raised_is_withdrawn_and_raised_again_it_is_a_new_case(
    database: Database,
) -> None:
    review(database, raised())
    assert review(database, zero_referrals="clear") == Reviewed(closed_count=1)
    case = the_case(database)
    assert (case.closed, case.outcome) == (True, "withdrawn")
    assert (case.steps[-1].actor, case.steps[-1].reason) == ("Fairtier", "clear")
    assert inbox(database, *asker(database, "P"))[0].kind == "no_longer_raised"
    assert review(database) == Reviewed()
    assert review(database, raised()) == Reviewed(opened_count=1)
    assert [one.closed for one in seen_by(database, "P")] == [False, True]


def test_what_the_prime_accepted_stays_accepted_when_the_flag_ceases(database: Database) -> None:
    review(database, raised())
    says(database, "P", "accepted", "put_right")
    review(database)
    assert (the_case(database).closed, the_case(database).outcome) == (True, "accepted")


def test_what_was_disputed_is_withdrawn_when_the_flag_ceases(database: Database) -> None:
    review(database, raised())
    says(database, "P", "disputed")
    review(database)
    assert the_case(database).outcome == "withdrawn"


def test_a_flag_that_turns_out_to_be_about_another_prime_is_put_to_that_one(
    database: Database,
) -> None:
    review(database, raised())
    assert review(database, raised(prime="P3")) == Reviewed(opened_count=1, closed_count=1)
    new, old = seen_by(database, "operator")
    assert (new.prime_id, old.prime_id) == ("P3", "P")
    assert old.steps[-1].reason == OTHER_PRIME


def test_a_flag_without_a_prime_is_put_to_the_subcontractor(database: Database) -> None:
    review(database, raised(prime=None))
    assert the_case(database).parties == ("S",)
    assert says(database, "S").outcome is None


def test_a_review_of_a_ledger_that_has_changed_since_does_nothing(database: Database) -> None:
    done = bring_up_to_date(
        database, [raised()], {}, today=TODAY, reply_days=5, still=lambda: False
    )
    assert done is None
    assert seen_by(database, "operator") == []


# Replies


def test_a_reply_is_taken_with_a_reason_from_the_list_and_shown_to_all_parties(
    database: Database,
) -> None:
    review(database, raised())
    says(database, "P", "disputed", "agreed_change", "Agreed\x07 in March.\r\nSee the letter.")
    (step,) = the_case(database).replies
    assert (step.organisation_id, step.kind, step.actor) == ("P", "disputed", "P@example.org")
    assert step.reason_words == REASONS["agreed_change"]
    assert step.text == "Agreed in March.\nSee the letter."
    assert [n.kind for n in inbox(database, *asker(database, "S"))] == ["replied", "reply_wanted"]
    assert [n.kind for n in inbox(database, *asker(database, "P"))] == ["reply_wanted"]
    assert seen_by(database, "P")[0].replies == (step,)
    assert seen_by(database, "S")[0].replies == (replace(step, actor=""),)


def test_the_latest_word_of_the_prime_decides_whether_it_is_disputed(database: Database) -> None:
    review(database, raised())
    assert the_case(database).outcome is None
    assert says(database, "S", "disputed").outcome is None
    assert says(database, "P", "disputed").outcome == "disputed"
    case = says(database, "P", "accepted", "put_right")
    assert case.outcome == "accepted"
    assert case.disputed_by_any  # the subcontractor still does


def test_a_late_reply_is_taken_and_shown(database: Database) -> None:
    review(database, raised())
    decides(database, "published", "In the public interest.", today=AFTER)
    says(database, "P", "disputed", "timing")
    (shown,) = published(database, AFTER)
    assert [one.reason for one in shown.replies] == [REASONS["timing"]]
    assert shown.outcome == "disputed"


@pytest.mark.parametrize(
    ("stance", "reason", "text", "told"),
    [
        ("perhaps", "volume", "", "accepted or disputed"),
        ("disputed", "spite", "", 'There is no reason "spite"'),
        ("disputed", "other", "  \n", "Write what the other reason is"),
        ("disputed", "other", "x" * (MOST_TEXT_CHARACTERS + 1), "Write at most 5,000"),
    ],
)
def test_an_unfit_reply_is_told_in_a_sentence(
    database: Database, stance: str, reason: str, text: str, told: str
) -> None:
    review(database, raised())
    with pytest.raises(BadOption, match=told):
        says(database, "P", stance, reason, text)
    assert the_case(database).replies == ()


def test_only_those_it_is_about_may_reply_each_for_itself(database: Database) -> None:
    review(database, raised())
    for who, by in (("G", "G"), ("P", "S"), ("S", "P"), ("N", "P"), ("N", "N"), ("operator", "G")):
        with pytest.raises(NotAllowed, match="Only those a flag is about"):
            says(database, who, by=by)
    for who in ("T", "P2", "G2", "public"):
        with pytest.raises(NotAllowed, match=NOT_SHOWN):
            says(database, who)
    assert the_case(database).replies == ()


def test_the_network_replies_for_an_organisation_that_made_it_its_agent(
    database: Database,
) -> None:
    review(database, raised())
    arranged(database, "agent", "S")
    says(database, "N", "accepted", by="S")
    (step,) = the_case(database).replies
    assert (step.organisation_id, step.actor) == ("S", "N@example.org")
    says(database, "operator", "accepted", by="P")
    assert the_case(database).outcome == "accepted"


def test_to_what_no_longer_stands_nobody_replies(database: Database) -> None:
    review(database, raised())
    decides(database, "withdrawn", "The register was wrong.", today=TODAY)
    with pytest.raises(NotAllowed, match="no longer stands"):
        says(database, "P")


# Who may see a case


def test_a_case_is_seen_by_its_parties_its_commissioner_and_the_network(
    database: Database,
) -> None:
    review(database, raised())
    case_id = the_case(database).case_id
    for who in ("operator", "N", "G", "P", "S"):
        assert case_of(database, *asker(database, who), case_id).case_id == case_id
    unknown = []
    for who in ("T", "P2", "G2", "public"):
        assert seen_by(database, who) == []
        for one in (case_id, "no-such-case"):
            with pytest.raises(NotAllowed) as refused:
                case_of(database, *asker(database, who), one)
            unknown.append(str(refused.value))
    assert set(unknown) == {NOT_SHOWN}


def test_an_inbox_can_be_marked_as_read(database: Database) -> None:
    review(database, raised())
    for _ in range(2):
        mark_read(database, asker(database, "P")[0])
    assert all(notice.read_at for notice in inbox(database, *asker(database, "P")))
    assert not any(notice.read_at for notice in inbox(database, *asker(database, "S")))


# A subcontractor that asks to be asked first


def test_a_flag_from_its_data_is_held_until_the_subcontractor_agrees(database: Database) -> None:
    arranged(database, "ask_first", "S")
    assert review(database, raised()) == Reviewed(held_count=1)
    case = the_case(database)
    assert (case.held, case.due_on, case.parties) == (True, None, ("S",))
    assert [notice.kind for notice in inbox(database, *asker(database, "S"))] == ["consent_wanted"]
    for who in ("P", "G"):
        assert seen_by(database, who) == []
        assert inbox(database, *asker(database, who)) == ()
        assert asker(database, who)[0].released == frozenset()
        with pytest.raises(NotAllowed, match=NOT_SHOWN):
            case_of(database, *asker(database, who), case.case_id)
    assert seen_by(database, "N") == [case]
    released = agrees(database, "S")
    assert (released.held, released.due_on) == (False, DUE_ON)
    assert inbox(database, *asker(database, "P"))[0].kind == "reply_wanted"
    assert asker(database, "P")[0].released == {("zero_referrals", "C1", "S")}
    assert seen_by(database, "P")[0].due_on == released.due_on


def test_a_flag_that_it_declines_stays_held(database: Database) -> None:
    arranged(database, "ask_first", "S")
    review(database, raised())
    assert agrees(database, "S", yes=False).declined
    assert review(database, raised()) == Reviewed()
    assert seen_by(database, "P") == []
    assert agrees(database, "S").due_on == DUE_ON  # it may think again


def test_what_it_said_before_it_agreed_stays_between_it_and_the_network(
    database: Database,
) -> None:
    arranged(database, "ask_first", "S")
    review(database, raised())
    agrees(database, "S", yes=False)
    agrees(database, "S")
    everything = ["held", "declined", "released"]
    for who, shown in (("N", everything), ("S", everything), ("P", ["released"])):
        (case,) = seen_by(database, who)
        assert [step.kind for step in case.steps] == shown
        assert (case.held, case.due_on) == (False, DUE_ON)


def test_what_does_not_rest_on_its_data_is_put_to_the_prime_at_once(database: Database) -> None:
    arranged(database, "ask_first", "S")
    found = [raised(own_data=False), raised("management_fee", subcontractor="T")]
    assert review(database, *found) == Reviewed(opened_count=2)


def test_only_the_subcontractor_agrees_and_only_to_what_is_held(database: Database) -> None:
    arranged(database, "ask_first", "S")
    review(database, raised())
    with pytest.raises(NotAllowed, match=NOT_SHOWN):
        agrees(database, "P")
    for who in ("N", "operator"):
        with pytest.raises(NotAllowed, match="Only those a flag is about"):
            agrees(database, who, by="P")
    with pytest.raises(NotAllowed, match="held until you agree"):
        says(database, "S")
    agrees(database, "S")
    with pytest.raises(NotAllowed, match="cannot be undone"):
        agrees(database, "S", yes=False)


def test_a_held_flag_that_ceases_is_never_shown_to_the_prime(database: Database) -> None:
    arranged(database, "ask_first", "S")
    review(database, raised())
    review(database, zero_referrals="clear")
    with pytest.raises(NotAllowed, match="no longer raised"):
        agrees(database, "S")
    assert seen_by(database, "P") == []
    assert inbox(database, *asker(database, "P")) == ()


def test_a_flag_raised_anew_is_asked_about_anew(database: Database) -> None:
    arranged(database, "ask_first", "S")
    review(database, raised())
    agrees(database, "S")
    review(database)
    assert asker(database, "P")[0].released == frozenset()
    assert review(database, raised()) == Reviewed(held_count=1)
    assert [case.held for case in seen_by(database, "P")] == [False]


def test_switching_the_asking_off_releases_what_is_held(database: Database) -> None:
    def switch(who: str, on: bool) -> int:
        return ask_first(
            database,
            *asker(database, who),
            "S",
            on=on,
            actor=f"{who}@example.org",
            today=TODAY,
            reply_days=5,
        )

    assert switch("S", True) == 0
    review(database, raised(), raised("management_fee", subcontractor="T"))
    with pytest.raises(NotAllowed, match=NOT_SHOWN):
        switch("P", False)
    assert switch("S", False) == 1
    assert in_force(database, "ask_first") == frozenset()
    assert {case.due_on for case in seen_by(database, "P")} == {DUE_ON}


def test_a_review_releases_what_nobody_asks_to_be_asked_about_any_more(
    database: Database,
) -> None:
    arranged(database, "ask_first", "S")
    review(database, raised())
    arranged(database, "ask_first", "S", ends=True)
    assert review(database, raised()) == Reviewed(released_count=1)
    assert the_case(database).steps[-1].actor == "Fairtier"


# Decisions and publication


def test_nothing_is_published_before_the_clock_has_run(database: Database) -> None:
    review(database, raised())
    for today in (TODAY, DUE_ON):
        with pytest.raises(NotAllowed, match="may reply until 1 December 2026"):
            decides(database, "published", "Now.", today=today)
    assert published(database, AFTER) == ()
    decides(database, "published", today=AFTER)
    assert published(database, DUE_ON) == ()
    (shown,) = published(database, AFTER)
    assert (shown.flag, shown.contract_id, shown.prime_id, shown.subcontractor_id) == (
        "zero_referrals",
        "C1",
        "P",
        "S",
    )
    assert shown.sentence == the_case(database).sentence
    assert shown.names["S"] == "Exampleton Trust"
    assert (shown.due_on, shown.replies, shown.outcome) == (DUE_ON, (), None)
    assert not shown.no_longer_raised


def test_a_disputed_flag_is_published_with_a_reason_and_beside_the_replies(
    database: Database,
) -> None:
    review(database, raised())
    says(database, "S", "accepted", "contract_terms")
    says(database, "P", "disputed", "other", "We were told to.")
    with pytest.raises(BadOption, match="Give the reason"):
        decides(database, "published")
    decides(database, "published", "The reply does not change the figures.")
    (shown,) = published(database, AFTER)
    assert [(one.organisation_id, one.stance, one.text) for one in shown.replies] == [
        ("S", "accepted", ""),
        ("P", "disputed", "We were told to."),
    ]
    assert shown.reason == "The reply does not change the figures."


def test_only_the_network_decides(database: Database) -> None:
    review(database, raised())
    for who in ("P", "S", "G"):
        with pytest.raises(NotAllowed, match="Only the network decides"):
            decides(database, "withdrawn", "We say so.", who=who)
    for who in ("T", "public"):
        with pytest.raises(NotAllowed, match=NOT_SHOWN):
            decides(database, "withdrawn", "We say so.", who=who)
    with pytest.raises(BadOption, match="There is no decision"):
        decides(database, "burnt")


@pytest.mark.parametrize("decision", ["withheld", "resolved", "withdrawn"])
def test_every_other_decision_has_a_reason_and_is_told_to_the_parties(
    database: Database, decision: str
) -> None:
    review(database, raised())
    with pytest.raises(BadOption, match="Give the reason"):
        decides(database, decision)
    case = decides(database, decision, "Both sides settled it.", today=TODAY)
    assert case.outcome == (None if decision == "withheld" else decision)
    assert inbox(database, *asker(database, "S"))[0].kind == "decided"
    assert published(database, AFTER) == ()


def test_each_case_is_published_by_an_act_of_its_own_and_can_be_withheld_again(
    database: Database,
) -> None:
    review(database, raised())
    decides(database, "published")
    decides(database, "withheld", "A new return is on its way.")
    assert published(database, AFTER) == ()
    decides(database, "published")
    assert len(published(database, AFTER)) == 1


def test_a_resolved_case_may_be_published_and_a_withdrawn_one_never(database: Database) -> None:
    review(database, raised())
    decides(database, "resolved", "Settled.")
    decides(database, "published")
    assert [one.outcome for one in published(database, AFTER)] == ["resolved"]
    decides(database, "withdrawn", "The figures were wrong.")
    assert published(database, AFTER) == ()
    with pytest.raises(NotAllowed, match="no longer stands"):
        decides(database, "published", "All the same.")


def test_a_published_flag_that_ceases_is_taken_down_unless_it_was_accepted(
    database: Database,
) -> None:
    review(database, raised())
    decides(database, "published")
    review(database)
    assert published(database, AFTER) == ()
    says_accepted = raised("management_fee")
    review(database, says_accepted)
    (new, _) = seen_by(database, "operator")
    reply(
        database,
        *asker(database, "P"),
        new.case_id,
        by="P",
        stance="accepted",
        reason="put_right",
        actor="p@",
    )
    decide(
        database,
        *asker(database, "N"),
        new.case_id,
        "published",
        actor="n@",
        today=AFTER,
    )
    review(database)
    (shown,) = published(database, AFTER)
    assert (shown.flag, shown.outcome, shown.no_longer_raised) == (
        "management_fee",
        "accepted",
        True,
    )


def test_a_held_case_is_never_published(database: Database) -> None:
    arranged(database, "ask_first", "S")
    review(database, raised())
    with pytest.raises(NotAllowed, match="has not agreed"):
        decides(database, "published", "We must.")
    assert published(database, AFTER) == ()


def test_nothing_about_a_confidential_contract_is_published_until_that_is_lifted(
    database: Database,
) -> None:
    review(database, raised())
    decides(database, "published")
    arranged(database, "confidential", "C1")
    assert published(database, AFTER) == ()
    with pytest.raises(NotAllowed, match="The contract is under embargo"):
        decides(database, "published", "We must.")
    arranged(database, "confidential", "C1", ends=True)
    assert len(published(database, AFTER)) == 1


# Parties of which nobody can sign in


def tells(
    database: Database,
    party: str,
    on: dt.date = TODAY,
    text: str = "By letter.",
    who: str = "N",
    today: dt.date = TODAY,
) -> Case:
    return replies.tell(
        database,
        *asker(database, who),
        the_case(database).case_id,
        party,
        on=on,
        text=text,
        actor=f"{who}@example.org",
        today=today,
        reply_days=5,
    )


LATER = dt.date(2026, 12, 14)
WAITS_FOR_S = (
    "Nobody of Exampleton Trust can sign in: invite somebody, or put it to them another way and "
    "say when. It is not published before their time to reply has run."
)


def test_the_clock_does_not_run_against_those_who_cannot_sign_in(database: Database) -> None:
    person(database, "invited@", "S")  # and has not joined
    review(database, raised(), joined="P")
    case = the_case(database)
    assert case.unreached == ("S",)
    assert [(step.kind, step.reason) for step in case.steps] == [("opened", ""), ("unreached", "S")]
    assert case.told(case.steps[1]) == (
        "Nobody of Exampleton Trust could sign in, so its time to reply did not begin"
    )
    assert addressed(database) == []  # nothing that S could answer yet
    with pytest.raises(NotAllowed) as barred:
        decides(database, "published", today=LATER)
    assert str(barred.value) == WAITS_FOR_S
    assert review(database, raised(), joined="P", today=AFTER) == Reviewed()
    assert the_case(database).unreached == ("S",)
    assert faults_now(database) == []


def test_it_begins_at_the_first_review_after_somebody_has_joined(database: Database) -> None:
    person(database, "second@", "S")
    review(database, raised(), joined="P")
    review(database, raised(), joined="S", today=AFTER)
    case = the_case(database)
    assert (case.unreached, case.due_on) == ((), dt.date(2026, 12, 9))
    assert (case.steps[-1].kind, case.steps[-1].actor) == ("reached", "Fairtier")
    assert addressed(database, AFTER) == [("second@", dt.date(2026, 12, 9))]
    with pytest.raises(NotAllowed, match="may reply until 9 December 2026"):
        decides(database, "published", today=dt.date(2026, 12, 9))
    assert decides(database, "published", today=LATER).decision is not None
    assert review(database, raised(), today=LATER) == Reviewed()
    assert [step.kind for step in the_case(database).steps].count("reached") == 1
    assert faults_now(database) == []


def test_or_on_the_day_on_which_the_network_put_it_to_them_another_way(database: Database) -> None:
    review(database, raised(), joined="P")
    case = tells(database, "S", on=AFTER, text="By letter to the manager.", today=LATER)
    assert (case.unreached, case.due_on) == ((), dt.date(2026, 12, 9))
    told = case.steps[-1]
    assert (told.kind, told.organisation_id, told.reason) == ("told", "N", "S")
    assert told.text == "On 2 December 2026. By letter to the manager."
    assert next(iter(seen_by(database, "S"))).steps[-1].actor == ""
    with pytest.raises(NotAllowed, match="may reply until 9 December 2026"):
        decides(database, "published", today=dt.date(2026, 12, 9))
    assert decides(database, "published", today=LATER).decision is not None
    assert faults_now(database) == []


def test_only_the_network_says_so_of_whom_it_waits_for_when_and_how(database: Database) -> None:
    review(database, raised(), joined="")
    assert the_case(database).unreached == ("P", "S")
    with pytest.raises(NotAllowed, match="Only the network"):
        tells(database, "S", who="P")
    with pytest.raises(NotAllowed, match=r"does not wait for T\. It waits for P, S\."):
        tells(database, "T")
    for day in (dt.date(2026, 11, 23), AFTER):
        with pytest.raises(BadOption, match=f"cannot have been told on {day}"):
            tells(database, "S", on=day)
    with pytest.raises(BadOption, match="Write how"):
        tells(database, "S", text=" ")
    tells(database, "S")
    with pytest.raises(NotAllowed, match=r"does not wait for S\. It waits for P\."):
        tells(database, "S")
    says(database, "operator", by="P")  # who replies was reached
    with pytest.raises(NotAllowed, match=r"does not wait for P\. It waits for nobody"):
        tells(database, "P")
    assert decides(database, "published", "Both were heard.").decision is not None


def test_a_held_case_that_is_released_waits_for_those_who_cannot_sign_in(
    database: Database,
) -> None:
    arranged(database, "ask_first", "S")
    review(database, raised(), joined="S")
    assert the_case(database).unreached == ()
    assert agrees(database, "S").unreached == ("P",)


def test_a_case_that_ceased_unanswered_waits_for_nobody_any_more(database: Database) -> None:
    review(database, raised(), joined="P")
    review(database, joined="P")
    assert the_case(database).outcome == "withdrawn"
    steps = len(the_case(database).steps)
    review(database, joined="S", today=AFTER)
    assert len(the_case(database).steps) == steps


def test_a_case_that_was_accepted_and_ceased_is_answered_by_who_joins_then(
    database: Database,
) -> None:
    review(database, raised(), joined="P")
    says(database, "P", "accepted")
    review(database, joined="P")
    assert the_case(database).closed
    review(database, joined="S", today=AFTER)
    assert (the_case(database).unreached, the_case(database).closed) == ((), True)


# Two at once


def test_who_decides_later_than_another_is_told_and_changes_nothing(database: Database) -> None:
    review(database, raised())

    def decided(decision: str, last_seen: int) -> Case:
        return decide(
            database,
            *asker(database, "N"),
            the_case(database).case_id,
            decision,
            reason="We must.",
            actor="n@example.org",
            today=AFTER,
            last_seen=last_seen,
        )

    decided("withheld", 1)
    with pytest.raises(NotAllowed) as late:
        decided("published", 1)
    assert str(late.value) == "Somebody decided this case meanwhile: look at it again."
    says(database, "P")
    with pytest.raises(NotAllowed) as late:
        decided("published", 2)
    assert str(late.value) == "This case moved on meanwhile: look at it again."
    assert [step.kind for step in the_case(database).steps] == ["opened", "withheld", "disputed"]
    decided("published", 3)


def test_a_reply_crosses_those_of_others_but_none_of_its_own_and_no_decision(
    database: Database,
) -> None:
    review(database, raised())

    def replied(by: str, last_seen: int) -> Case:
        return reply(
            database,
            *asker(database, by),
            the_case(database).case_id,
            by=by,
            stance="disputed",
            reason="volume",
            actor=f"{by}@example.org",
            last_seen=last_seen,
        )

    replied("P", 1)
    replied("S", 1)
    with pytest.raises(NotAllowed, match="This case moved on meanwhile"):
        replied("P", 1)
    decides(database, "withheld", "No.")
    with pytest.raises(NotAllowed, match="Somebody decided this case meanwhile"):
        replied("S", 3)
    replied("S", 4)


def test_consent_does_not_go_over_a_colleague_s_refusal(database: Database) -> None:
    arranged(database, "ask_first", "S")
    review(database, raised())
    seen = the_case(database).steps[-1].number
    agrees(database, "S", yes=False)
    with pytest.raises(NotAllowed, match="This case moved on meanwhile"):
        consent(
            database,
            *asker(database, "S"),
            the_case(database).case_id,
            by="S",
            agrees=True,
            actor="s@example.org",
            today=TODAY,
            reply_days=5,
            last_seen=seen,
        )
    assert the_case(database).declined


# Finding a case, and writing in it


def test_the_beginning_of_an_id_names_a_case_where_it_names_one_alone(database: Database) -> None:
    review(database, raised(), raised("management_fee"))
    first, second = seen_by(database, "operator")
    assert case_of(database, *asker(database, "P"), first.case_id[:9]) == case_of(
        database, *asker(database, "P"), first.case_id
    )
    for unknown in ("", first.case_id[:3], "____", f"{first.case_id}0"):
        with pytest.raises(NotAllowed, match=NOT_SHOWN):
            case_of(database, *asker(database, "operator"), unknown)
    with pytest.raises(NotAllowed, match=NOT_SHOWN):
        case_of(database, *asker(database, "T"), first.case_id[:9])
    with database.writing() as connection:
        columns = [one for one in CASES.columns if one.name != "case_id"]
        beginning = sa.literal(f"{first.case_id[:9]}{'f' * 23}")
        copied = sa.select(beginning, *columns).where(CASES.c.case_id == second.case_id)
        connection.execute(CASES.insert().from_select(["case_id", *columns], copied))
    with pytest.raises(BadOption, match=f'2 cases begin with "{first.case_id[:9]}". Write more'):
        case_of(database, *asker(database, "operator"), first.case_id[:9])


def test_no_reply_turns_the_text_around_it(database: Database) -> None:
    review(database, raised())
    turned = "We\u202e never\u2066 did\u2069 it\u200f.\u061c Caf\u00e9 \u200d\U0001f469"
    assert says(database, "P", text=turned).replies[-1].text == (
        "We never did it. Caf\u00e9 \u200d\U0001f469"
    )


# The mail


def addressed(database: Database, today: dt.date = TODAY) -> list[tuple[str, dt.date | None]]:
    waiting = letters(database, today)
    return [(one.email, one.due_on) for one in waiting if not one.email.endswith(JOINED)]


def test_every_account_in_use_of_those_it_is_about_gets_one_mail(database: Database) -> None:
    assert letters(database, TODAY) == ()
    for email, organisation_id in (("p1@", "P"), ("p2@", "P"), ("s@", "S"), ("g@", "G")):
        person(database, email, organisation_id)
    person(database, "left@", "P", disabled=True)
    review(database, raised())
    assert addressed(database) == [("p1@", DUE_ON), ("p2@", DUE_ON), ("s@", DUE_ON)]
    waiting = letters(database, TODAY)
    first, second, third = (one for one in waiting if not one.email.endswith(JOINED))
    assert claim_letter(database, first)
    assert not claim_letter(database, first)  # another process was there before
    assert claim_letter(database, second)
    assert claim_letter(database, third)
    give_back_letter(database, second)
    assert addressed(database) == [("p2@", DUE_ON)]


def test_nobody_is_mailed_about_what_is_answered_or_over(database: Database) -> None:
    person(database, "p@", "P")
    person(database, "s@", "S")
    review(database, raised())
    assert addressed(database, AFTER) == []
    says(database, "P")
    assert addressed(database) == [("s@", DUE_ON)]
    decides(database, "resolved", "Settled.", today=TODAY)
    assert addressed(database) == []
    review(database)
    assert addressed(database) == []


def test_a_subcontractor_that_is_asked_first_is_mailed_alone(database: Database) -> None:
    person(database, "p@", "P")
    person(database, "s@", "S")
    arranged(database, "ask_first", "S")
    review(database, raised())
    assert addressed(database) == [("s@", None)]
    agrees(database, "S", yes=False)
    assert addressed(database) == []
    agrees(database, "S")
    assert sorted(addressed(database)) == [("p@", DUE_ON), ("s@", DUE_ON)]


# Proof


def test_every_step_is_in_the_audit_and_none_says_what_was_written(database: Database) -> None:
    review(database, raised())
    says(database, "P", "disputed", "other", "A word in confidence.")
    decides(database, "published", "It must be known.")
    with database.reading() as connection:
        events = audit.events(connection)
        assert faults(connection) == []
        assert audit.faults(connection)[0] == []
    assert [(one.action, one.details.get("step"), one.actor) for one in events] == [
        ("case.opened", None, "Fairtier"),
        ("case.step", "opened", "Fairtier"),
        ("case.step", "disputed", "P@example.org"),
        ("case.step", "published", "N@example.org"),
    ]
    assert "confidence" not in str(events)


def test_what_is_altered_added_or_removed_behind_the_audit_is_found(database: Database) -> None:
    review(database, raised())
    says(database, "P")
    case_id = the_case(database).case_id
    second = STEPS.c.number == 2

    class Undone(Exception):
        pass

    def after(*statements: Any) -> list[str]:
        found: list[str] = []
        try:
            with database.writing() as connection:
                audit.note(connection, "audit.seen", actor="n@", organisation_id="N")
                for statement in statements:
                    connection.execute(statement)
                found = faults(connection)
                raise Undone
        except Undone:
            return found

    assert after() == []
    assert after(STEPS.update().where(second).values(kind="accepted")) == [
        f"Step 2 of the case {case_id} was altered."
    ]
    assert after(STEPS.update().where(second).values(number=3)) == [
        f"Step 3 of the case {case_id} is not in the audit.",
        f"Step 2 of the case {case_id} stands in the audit and was removed.",
    ]
    assert after(CASES.update().values(answer={"sentence": "Nothing."})) == [
        f"The case {case_id} was altered."
    ]
    assert len(after(NOTICES.delete(), STEPS.delete(), CASES.delete())) == 3
    assert faults_now(database) == []


def faults_now(database: Database) -> list[str]:
    with database.reading() as connection:
        return faults(connection)


def test_every_step_outcome_and_reason_has_its_words() -> None:
    assert all(words.endswith(words.strip(".")) for words in REASONS.values())
    assert set(OUTCOMES) == {"accepted", "disputed", "resolved", "withdrawn"}
    assert set(OUTCOMES) < set(STEPS_TAKEN)
    assert PUBLIC.organisation_id is None
