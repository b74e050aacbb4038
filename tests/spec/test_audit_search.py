"""Whoever looks at the audit sees what is theirs: the network all, others what their own did."""

from __future__ import annotations

import datetime as dt

import pytest

from data import audit
from data.audit_search import extent, last_hash, search
from data.errors import NotAllowed
from data.scope import OPERATOR, PUBLIC, Scope

NETWORK = Scope("network", "NET")
ACTS = (
    ("2011-12-31T23:59:59.999999", "sign_in.succeeded", "ann@example.org", "SUB"),
    ("2012-01-01T00:00:00", "return.recorded", "ann@example.org", "SUB"),
    ("2012-01-31T23:30:00", "sign_in.succeeded", "bob@example.org", "PRIME"),
    ("2012-03-01T00:00:00", "sign_in.failed", "nobody", None),
)


@pytest.fixture
def noted(database, monkeypatch):
    for at, action, actor, organisation_id in ACTS:
        moment = dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)

        class Clock(dt.datetime):
            @classmethod
            def now(cls, _tz, moment=moment):
                return moment

        monkeypatch.setattr(audit.dt, "datetime", Clock)
        with database.writing() as connection:
            audit.note(connection, action, actor=actor, organisation_id=organisation_id)
        monkeypatch.undo()
    return database


def actors(found) -> list[str]:
    return [event.actor for event in found.events]


@pytest.mark.parametrize("scope", [OPERATOR, NETWORK])
def test_the_network_sees_every_event_the_newest_first(noted, scope):
    found = search(noted, scope)
    assert [event.sequence for event in found.events] == [4, 3, 2, 1]
    assert found.count == 4


def test_an_organisation_sees_what_its_own_did(noted):
    assert actors(search(noted, Scope("member", "PRIME"))) == ["bob@example.org"]
    assert search(noted, Scope("member", "OTHER")).count == 0
    assert extent(noted, Scope("member", "PRIME")).actions == ("sign_in.succeeded",)
    assert extent(noted, Scope("member", "PRIME")).months == (dt.date(2012, 1, 1),)
    assert extent(noted, Scope("member", "OTHER")).months == ()


@pytest.mark.parametrize("scope", [PUBLIC, Scope("member", None)])
def test_the_public_sees_nothing_of_it(noted, scope):
    for ask in (search, extent):
        with pytest.raises(NotAllowed):
            ask(noted, scope)


def test_a_month_is_a_month_in_utc_whatever_the_clock_of_the_database(noted):
    january = search(noted, NETWORK, month=dt.date(2012, 1, 1))
    assert [event.sequence for event in january.events] == [3, 2]
    assert search(noted, NETWORK, month=dt.date(2011, 12, 1)).count == 1
    assert extent(noted, NETWORK).months == tuple(
        dt.date(year, month, 1) for year, month in ((2012, 3), (2012, 2), (2012, 1), (2011, 12))
    )


def test_events_are_found_by_what_was_done(noted):
    found = search(noted, NETWORK, actions=["sign_in.failed", "return.recorded"])
    assert actors(found) == ["nobody", "ann@example.org"]


def test_the_newest_few_come_with_the_count_of_all(noted):
    found = search(noted, NETWORK, actions=["sign_in.succeeded"], newest=1)
    assert (actors(found), found.count) == (["bob@example.org"], 2)


def test_the_last_hash_is_that_of_the_last_event(noted):
    assert last_hash(noted) == search(noted, OPERATOR, newest=1).events[0].entry_hash


def test_before_the_first_event_there_is_no_hash(database):
    assert last_hash(database) == ""
    assert extent(database, OPERATOR).months == ()
