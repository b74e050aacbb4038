"""Sessions: a cookie holds until it ends, and an end takes effect with the next click."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from data import audit
from data.accounts import Account, add, disable, join_with_provider
from data.database import ACCOUNTS, DEVICES, SESSIONS
from data.errors import NotOnRecord, SignInRefused
from data.sessions import begin, begin_device, end, end_all, found, sessions_of

if TYPE_CHECKING:
    from data.database import Database

NOW = dt.datetime(2012, 3, 31, 12, tzinfo=dt.UTC)
OPERATOR = {"actor": "operator", "actor_organisation_id": None}
HERE = {"address": "192.0.2.1", "browser": "Firefox on Windows"}


def minutes(count: float) -> dt.datetime:
    return NOW + dt.timedelta(minutes=count)


def account(database: Database, email: str = "anna@prime.example") -> Account:
    token = add(database, email, "Anna", "GB-COH-1", "member", **OPERATOR)[1]
    return join_with_provider(database, token, "https://id.example", email)


def ends_noted(database: Database) -> list[dict[str, object]]:
    with database.reading() as connection:
        noted = audit.events(connection)
    return [dict(event.details) for event in noted if event.action == "sign_in.ended"]


def test_a_session_is_found_by_its_cookie_and_by_nothing_else(database):
    anna = account(database)
    session, cookie = begin(database, anna, **HERE, now=NOW)
    assert found(database, cookie, now=NOW) == session
    assert (session.account, session.address, session.browser) == (anna, *HERE.values())
    assert (session.created_at, session.seen_at) == (NOW, NOW)
    assert session.ends_at == minutes(12 * 60)
    for other in ("", cookie[:-1], cookie + "x", session.session_id, "\ud800", "' OR 1=1 --"):
        assert found(database, other, now=NOW) is None
    with database.reading() as connection:
        event = audit.events(connection)[-1]
    assert (event.action, event.actor) == ("sign_in.succeeded", "anna@prime.example")
    assert event.organisation_id == "GB-COH-1"


def test_every_session_has_a_cookie_of_its_own(database):
    anna = account(database)
    cookies = {begin(database, anna, **HERE)[1] for _time in range(10)}
    assert len(cookies) == 10
    assert min(len(cookie) for cookie in cookies) >= 43


def test_an_idle_session_ends_after_an_hour(database):
    cookie = begin(database, account(database), **HERE, now=NOW)[1]
    assert found(database, cookie, now=minutes(59)) is not None
    assert found(database, cookie, now=minutes(59 + 59)) is not None
    assert found(database, cookie, now=minutes(59 + 59 + 60)) is None


def test_a_busy_session_ends_after_twelve_hours(database):
    cookie = begin(database, account(database), **HERE, now=NOW)[1]
    for minute in range(30, 12 * 60, 30):
        assert found(database, cookie, now=minutes(minute)) is not None
    assert found(database, cookie, now=minutes(12 * 60)) is None


def test_a_click_is_noted_at_most_once_a_minute(database):
    cookie = begin(database, account(database), **HERE, now=NOW)[1]
    for minute, seen in ((0.5, NOW), (1, minutes(1)), (1.9, minutes(1)), (2.5, minutes(2.5))):
        found(database, cookie, now=minutes(minute))
        with database.reading() as connection:
            assert connection.execute(sa.select(SESSIONS.c.seen_at)).scalar_one() == seen


def test_an_ended_session_is_dead_at_once_and_the_others_live(database):
    anna = account(database)
    session, cookie = begin(database, anna, **HERE, now=NOW)
    other_cookie = begin(database, anna, **HERE, now=NOW)[1]
    end(database, session.session_id, actor=anna.email, actor_organisation_id="GB-COH-1", now=NOW)
    assert found(database, cookie, now=NOW) is None
    assert found(database, other_cookie, now=NOW) is not None
    assert ends_noted(database) == [{"session_id": session.session_id}]


def test_ending_a_session_twice_changes_nothing(database):
    session, _cookie = begin(database, account(database), **HERE)
    for _time in range(2):
        end(database, session.session_id, **OPERATOR)
    assert len(ends_noted(database)) == 1


def test_a_session_of_another_account_cannot_be_ended(database):
    anna, bob = account(database), account(database, "bob@prime.example")
    session, cookie = begin(database, anna, **HERE)
    for session_id in (session.session_id, "no such session"):
        with pytest.raises(NotOnRecord):
            end(database, session_id, account_id=bob.account_id, **OPERATOR)
    assert found(database, cookie)
    end(database, session.session_id, account_id=anna.account_id, **OPERATOR)
    assert not found(database, cookie)


def test_all_sessions_of_an_account_end_together_but_the_one_that_is_kept(database):
    anna, bob = account(database), account(database, "bob@prime.example")
    kept, kept_cookie = begin(database, anna, **HERE)
    cookies = [begin(database, anna, **HERE)[1] for _time in range(3)]
    bobs = begin(database, bob, **HERE)[1]
    ended = end_all(database, anna.account_id, except_session_id=kept.session_id, **OPERATOR)
    assert ended == 3
    assert [found(database, cookie) for cookie in cookies] == [None] * 3
    assert found(database, kept_cookie)
    assert found(database, bobs)
    assert end_all(database, anna.account_id, **OPERATOR) == 1
    assert end_all(database, anna.account_id, **OPERATOR) == 0
    assert ends_noted(database) == [{"sessions_ended_count": 3}, {"sessions_ended_count": 1}]


def test_the_list_shows_the_sessions_that_hold_the_newest_first(database):
    anna = account(database)
    begin(database, anna, **HERE, now=minutes(-61))
    ended, _cookie = begin(database, anna, **HERE, now=minutes(-2))
    end(database, ended.session_id, **OPERATOR)
    older, _cookie = begin(database, anna, **HERE, now=minutes(-1))
    newer, _cookie = begin(database, anna, **HERE, now=NOW)
    begin(database, account(database, "bob@prime.example"), **HERE, now=NOW)
    assert sessions_of(database, anna.account_id, now=NOW) == (newer, older)


def test_a_disabled_account_begins_no_session(database):
    anna = account(database)
    disable(database, anna.email, **OPERATOR)
    with pytest.raises(SignInRefused, match="Sign in again"):
        begin(database, anna, **HERE)


def test_the_cookie_of_a_disabled_account_is_dead_even_where_its_session_was_not_ended(database):
    cookie = begin(database, account(database), **HERE, now=NOW)[1]
    with database.writing() as connection:
        connection.execute(ACCOUNTS.update().values(disabled_at=NOW))
    assert found(database, cookie, now=NOW) is None


def test_an_invited_account_can_be_shown_around(database):
    """The demonstration signs in as people who never set up a sign-in."""
    persona, _token = add(database, "persona@demo.example", "", "GB-COH-1", "member", **OPERATOR)
    assert found(database, begin(database, persona, **HERE)[1]).account == persona


def test_what_a_browser_calls_itself_is_kept_short_and_printable(database):
    browser = "Fire\0fox\n\ud800" + "x" * 500
    session, _cookie = begin(database, account(database), address="192.0.2.1\r", browser=browser)
    assert session.browser == "Firefox" + "x" * 193
    assert session.address == "192.0.2.1"


def test_sessions_long_over_are_removed(database):
    anna = account(database)
    begin(database, anna, **HERE, now=NOW - dt.timedelta(days=91))
    begin(database, anna, **HERE, now=NOW - dt.timedelta(days=89))
    begin(database, anna, **HERE, now=NOW)
    with database.reading() as connection:
        assert len(connection.execute(sa.select(SESSIONS)).all()) == 2


def test_devices_known_for_over_a_year_are_removed(database):
    anna = account(database)
    begin_device(database, anna, now=NOW - dt.timedelta(days=365))
    begin_device(database, anna, now=NOW)
    with database.reading() as connection:
        assert len(connection.execute(sa.select(DEVICES)).all()) == 1


def test_many_clicks_at_once_are_all_answered(database):
    anna = account(database)
    session, cookie = begin(database, anna, **HERE)
    later = session.created_at + dt.timedelta(minutes=5)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _n: found(database, cookie, now=later), range(64)))
    assert {answer and answer.session_id for answer in answers} == {session.session_id}
