"""What may be arranged, by whom, and what it does to what somebody may see.

C1 is a contract that the commissioner G buys from the prime P; S is a subcontractor in it.
"""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from data import audit
from data.arrangements import (
    KINDS,
    MOST_REASON_CHARACTERS,
    arrangements,
    end,
    faults,
    in_force,
    make,
    may_arrange,
    scope_of,
)
from data.database import ARRANGEMENTS, Database
from data.errors import BadOption, NotAllowed
from data.scope import NOT_SHOWN, OPERATOR, PUBLIC, Parties, Reach, Scope, reach_of

PARTIES = Parties(
    contracts=(("C1", "G", "P"), ("C2", "G2", "P2")), agreements=(("C1", "S"), ("C2", "S2"))
)
NETWORK = Scope("network", "N")
MAKERS = {
    ("confidential", "C1"): {"operator", "N", "G"},
    ("prices_shown", "C1"): {"operator", "N"},
    ("agent", "S"): {"operator", "S"},
    ("ask_first", "S"): {"operator", "S"},
}


def asker(who: str) -> tuple[Scope, Reach]:
    known = {"operator": OPERATOR, "public": PUBLIC, "N": NETWORK}
    scope = known.get(who, Scope("member", who))
    return scope, reach_of(scope, PARTIES)


@pytest.mark.parametrize(("kind", "subject"), MAKERS)
def test_an_arrangement_is_made_by_those_named_for_it_and_nobody_else(
    database: Database, kind: str, subject: str
) -> None:
    for who in ("operator", "N", "G", "P", "S", "G2", "P2", "S2", "public"):
        scope, reach = asker(who)
        if who in MAKERS[kind, subject]:
            assert make(database, scope, reach, kind, subject, actor=who).subject_id == subject
            assert end(database, scope, reach, kind, subject, actor=who).ended_by == who
        else:
            with pytest.raises(NotAllowed, match=NOT_SHOWN):
                make(database, scope, reach, kind, subject, actor=who)
            with pytest.raises(NotAllowed, match=NOT_SHOWN):
                end(database, scope, reach, kind, subject, actor=who)


def test_the_network_may_ask_first_in_the_name_of_an_organisation_it_acts_for() -> None:
    agent = Scope("network", "N", agent_for=frozenset({"S"}))
    assert may_arrange(agent, Reach(agent), "ask_first", "S")
    assert not may_arrange(agent, Reach(agent), "agent", "N")


def test_an_arrangement_stands_until_it_is_ended_and_both_are_in_the_audit(
    database: Database,
) -> None:
    scope, reach = asker("G")
    make(database, scope, reach, "confidential", "C1", reason=" A bid\x00 is open.\r\n", actor="g@")
    assert in_force(database, "confidential") == {"C1"}
    (found,) = arrangements(database, "confidential")
    assert (found.reason, found.made_by) == ("A bid is open.", "g@")
    end(database, scope, reach, "confidential", "C1", reason="It closed.", actor="g@")
    assert in_force(database, "confidential") == frozenset()
    assert arrangements(database) == ()
    (found,) = arrangements(database, ended_too=True)
    assert found.ended_at is not None
    with database.reading() as connection:
        told = [
            (one.action, one.actor, one.organisation_id, one.subject, one.details["reason"])
            for one in audit.events(connection)
        ]
        assert faults(connection) == []
    assert told == [
        ("arrangement.made", "g@", "G", "confidential C1", "A bid is open."),
        ("arrangement.ended", "g@", "G", "confidential C1", "It closed."),
    ]


def test_making_it_twice_changes_nothing_and_ending_what_is_not_in_force_says_so(
    database: Database,
) -> None:
    scope, reach = asker("operator")
    first = make(database, scope, reach, "agent", "S", actor="operator")
    assert make(database, scope, reach, "agent", "S", actor="operator") == first
    end(database, scope, reach, "agent", "S", actor="operator")
    with pytest.raises(BadOption, match="No such arrangement is in force for S"):
        end(database, scope, reach, "agent", "S", actor="operator")
    assert make(database, scope, reach, "agent", "S", actor="operator") != first


def test_a_kind_that_is_not_known_and_a_reason_that_is_too_long_are_told(
    database: Database,
) -> None:
    scope, reach = asker("operator")
    with pytest.raises(BadOption, match=f"Choose one of {', '.join(KINDS)}"):
        make(database, scope, reach, "secret", "C1", actor="operator")
    with pytest.raises(BadOption, match="Write at most 1,000"):
        make(
            database,
            scope,
            reach,
            "confidential",
            "C1",
            reason="x" * (MOST_REASON_CHARACTERS + 1),
            actor="operator",
        )
    assert arrangements(database, ended_too=True) == ()


def test_a_scope_carries_what_was_arranged(database: Database) -> None:
    scope, reach = asker("operator")
    for kind, subject in MAKERS:
        make(database, scope, reach, kind, subject, actor="operator")
    assert scope_of(database, "operator", None) == OPERATOR
    assert scope_of(database, "public", None) == PUBLIC
    assert scope_of(database, "member", None) == PUBLIC
    assert scope_of(database, "network", "N") == Scope("network", "N", agent_for=frozenset({"S"}))
    assert scope_of(database, "member", "G") == Scope(
        "member", "G", prices_shown=frozenset({"C1"}), ask_first=frozenset({"S"})
    )


def test_an_arrangement_altered_added_or_removed_behind_the_audit_is_found(
    database: Database,
) -> None:
    scope, reach = asker("operator")
    made = make(database, scope, reach, "agent", "S", actor="operator")
    this_one = ARRANGEMENTS.c.arrangement_id == made.arrangement_id
    with database.writing() as connection:
        audit.note(connection, "audit.seen", actor="n@", organisation_id="N")
        assert faults(connection) == []
        connection.execute(ARRANGEMENTS.update().where(this_one).values(subject_id="P"))
        assert "was altered" in faults(connection)[0]
        connection.execute(ARRANGEMENTS.delete())
        assert faults(connection) == [
            f"The arrangement {made.arrangement_id} stands in the audit and was removed."
        ]
        connection.execute(
            ARRANGEMENTS.insert().values(
                arrangement_id="a",
                kind="agent",
                subject_id="P",
                reason="",
                made_by="operator",
                made_at=dt.datetime.now(dt.UTC),
            )
        )
        assert len(faults(connection)) == 2


def test_two_who_arrange_the_same_at_once_make_it_once(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda who: make(
                    database, OPERATOR, Reach(OPERATOR), "confidential", "C1", actor=who
                ),
                "abcdefgh",
            )
        )
    assert len(set(made)) == 1
    assert arrangements(database, ended_too=True) == (made[0],)
