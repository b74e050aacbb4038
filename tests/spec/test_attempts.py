"""Attempts to sign in: guessing is slow and counted, and nobody can keep another out."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from data import attempts, audit
from data.accounts import (
    Account,
    add,
    join_with_password,
    reset,
    sign_in_with_password,
)
from data.attempts import Counter, counters
from data.database import ATTEMPTS
from data.errors import SignInRefused
from data.passwords import turn
from data.sessions import begin_device

if TYPE_CHECKING:
    from data.database import Database

NOW = dt.datetime(2012, 3, 31, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
WRONG = "wrong"
PASSWORD = "four unrelated words here"
EMAIL = "anna@prime.example"
OPERATOR = {"actor": "operator", "actor_organisation_id": None}
ATTACKER, OWNER = "198.51.100.7", "192.0.2.1"


pytestmark = pytest.mark.usefixtures("quick_passwords")


def account(database: Database, email: str = EMAIL) -> Account:
    token = add(database, email, "Anna", "GB-COH-1", "member", **OPERATOR, now=NOW)[1]
    return join_with_password(database, token, PASSWORD, now=NOW)


def attempt(
    database: Database, now: dt.datetime, password: str = WRONG, email: str = EMAIL, **options
) -> int | None:
    """None when signed in, else the seconds to wait: 0 when only the password was wrong."""
    options = {"address": ATTACKER} | options
    try:
        sign_in_with_password(database, email, password, now=now, **options)
    except SignInRefused as told:
        return told.wait_seconds
    return None


def failures(database: Database) -> list[audit.Event]:
    with database.reading() as connection:
        assert audit.faults(connection)[0] == []
        noted = audit.events(connection)
    return [event for event in noted if event.action == "sign_in.failed"]


def counted(database: Database) -> int:
    """Every refusal there was, in the audit or waiting to go there."""
    noted = failures(database)
    looked_at = sum("reason" in event.details for event in noted)
    unlooked_at = sum(event.details.get("refused_before_count", 0) for event in noted)
    with database.reading() as connection:
        waiting = connection.execute(sa.select(sa.func.sum(ATTEMPTS.c.refused_count))).scalar()
    return looked_at + unlooked_at + (waiting or 0)


def test_the_delay_grows_from_nothing_to_a_limit():
    counter = Counter("anyone", free_count=5, longest_seconds=300)
    delays = [counter.delay_seconds(count) for count in (0, 1, 5, 6, 7, 8, 13, 14, 15, 10**9)]
    assert delays == [0, 0, 0, 1, 2, 4, 128, 256, 300, 300]


def test_after_five_failures_each_further_one_doubles_the_delay(database):
    account(database)
    now = NOW
    for _time in range(6):
        assert attempt(database, now) == 0
    for expected in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300):
        assert attempt(database, now, PASSWORD) == expected
        assert attempt(database, now + (expected - 1) * SECOND, PASSWORD) == 1
        now += expected * SECOND
        assert attempt(database, now) == 0
    assert attempt(database, now + 300 * SECOND, PASSWORD) is None


def test_a_refusal_says_how_long_to_wait_and_what_else_helps(database):
    account(database)
    now = NOW
    for _time in range(6):
        attempt(database, now)
    with pytest.raises(SignInRefused, match=r"Wait 1 second and try again, or ask your network"):
        sign_in_with_password(database, EMAIL, PASSWORD, address=ATTACKER, now=now)
    with database.writing() as connection:
        connection.execute(ATTEMPTS.update().values(failure_count=13))
    with pytest.raises(SignInRefused, match=r"Wait 3 minutes and try again"):
        sign_in_with_password(database, EMAIL, PASSWORD, address=ATTACKER, now=now)


def test_attempts_during_the_delay_do_not_lengthen_it(database):
    account(database)
    for _time in range(8):
        attempt(database, NOW + 10 * SECOND * _time)
    now = NOW + 70 * SECOND
    for _time in range(40):
        assert attempt(database, now, PASSWORD) == 4
    assert attempt(database, now + 4 * SECOND, PASSWORD) is None


def test_an_hour_without_failure_and_all_is_forgotten(database):
    account(database)
    now = NOW
    for _time in range(20):
        while attempt(database, now):
            now += 300 * SECOND
    assert attempt(database, now, PASSWORD) == 300
    later = now + dt.timedelta(hours=1)
    for _time in range(5):
        assert attempt(database, later) == 0
    assert attempt(database, later, PASSWORD) is None


def test_signing_in_forgets_the_failures_of_that_account_there(database):
    account(database)
    for _time in range(5):
        assert attempt(database, NOW) == 0
        assert attempt(database, NOW, PASSWORD) is None
    for _time in range(5):
        assert attempt(database, NOW) == 0
    assert attempt(database, NOW, PASSWORD) is None


def test_an_address_that_guesses_at_many_accounts_is_slowed_as_a_whole(database):
    account(database)
    for number in range(30):
        assert attempt(database, NOW, email=f"{number}@prime.example") == 0
    now = NOW
    assert attempt(database, now, email="one.more@prime.example") == 0
    for expected in (1, 2, 4, 8, 16, 32, 60, 60):
        assert attempt(database, now, PASSWORD) == expected
        now += expected * SECOND
        assert attempt(database, now, email=f"{expected}{now:%M%S}@prime.example") == 0


def test_an_account_of_ones_own_does_not_help_to_guess_at_others(database):
    account(database, "attacker@sub.example")
    for number in range(31):
        assert attempt(database, NOW, email=f"{number}@prime.example") == 0
    assert attempt(database, NOW + SECOND, PASSWORD, "attacker@sub.example") is None
    assert attempt(database, NOW + SECOND, email="victim@prime.example") == 0
    assert attempt(database, NOW + SECOND, email="victim@prime.example") > 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("unix socket", "unix socket", True),
    ],
)
def test_an_address_is_what_one_subscriber_has(one, other, same):
    assert (counters(EMAIL, one) == counters(EMAIL, other)) is same


def test_nothing_legible_is_kept_of_what_was_typed(database):
    attempt(database, NOW, email="my secret password, typed into the wrong field")
    attempt(database, NOW, email="stranger@sub.example")
    with database.reading() as connection:
        kept = repr(connection.execute(sa.select(ATTEMPTS)).all())
    noted = repr(failures(database))
    for typed in ("secret", "stranger", ATTACKER):
        assert typed not in kept
    assert "secret" not in noted
    assert "stranger" not in noted
    assert [event.subject for event in failures(database)] == ["", ""]


def test_a_failure_is_noted_for_the_organisation_of_the_account(database):
    account(database)
    attempt(database, NOW)
    event = failures(database)[-1]
    assert (event.actor, event.organisation_id, event.subject) == ("nobody", "GB-COH-1", EMAIL)
    assert event.details == {"address": ATTACKER, "reason": "wrong password"}


# Nobody keeps another out


def test_failures_elsewhere_do_not_delay_the_owner(database):
    account(database)
    for _time in range(80):
        attempt(database, NOW)
    assert attempt(database, NOW, PASSWORD, address=OWNER) is None


def test_a_browser_that_signed_in_before_is_not_delayed_by_others_at_its_address(database):
    anna = account(database)
    device = begin_device(database, anna, now=NOW)
    for number in range(80):
        attempt(database, NOW, address=OWNER, email=EMAIL if number % 2 else f"{number}@x.example")
    assert attempt(database, NOW, PASSWORD, address=OWNER) > 0
    assert attempt(database, NOW, PASSWORD, address=OWNER, device_token=device) is None


def test_a_known_browser_is_delayed_by_its_own_failures(database):
    device = begin_device(database, account(database), now=NOW)
    for _time in range(6):
        assert attempt(database, NOW, device_token=device) == 0
    assert attempt(database, NOW, PASSWORD, device_token=device) == 1
    assert attempt(database, NOW, PASSWORD) is None


@pytest.mark.parametrize("whose", ["nobody's", "another account's", "over a year old"])
def test_a_cookie_of_no_known_browser_is_no_way_round_the_delay(database, whose):
    anna = account(database)
    if whose == "nobody's":
        device = "made up"
    elif whose == "another account's":
        device = begin_device(database, account(database, "bob@sub.example"), now=NOW)
    else:
        device = begin_device(database, anna, now=NOW - dt.timedelta(days=365))
    for _time in range(6):
        attempt(database, NOW, device_token=device)
    assert attempt(database, NOW, PASSWORD, device_token=device) == 1


def test_a_new_link_always_lets_the_owner_in(database):
    account(database)
    for _time in range(50):
        attempt(database, NOW, address=OWNER)
    token = reset(database, EMAIL, **OPERATOR, now=NOW)
    assert join_with_password(database, token, PASSWORD, now=NOW).joined


# A thousand wrong passwords


def test_a_thousand_wrong_passwords_are_refused_and_counted_in_few_events(database):
    account(database)
    for number in range(1000):
        assert attempt(database, NOW + number * SECOND / 10) is not None
    assert counted(database) == 1000
    assert len(failures(database)) < 20
    assert attempt(database, NOW + 100 * SECOND, PASSWORD, address=OWNER) is None


def test_a_hundred_wrong_passwords_at_once_are_a_hundred_failures(database):
    account(database)
    barrier = threading.Barrier(20)

    def at_once(_number: int) -> int | None:
        barrier.wait(30)
        return attempt(database, NOW)

    with ThreadPoolExecutor(20) as threads:
        waits = list(threads.map(at_once, range(100)))
    assert None not in waits
    looked_at = [event for event in failures(database) if "reason" in event.details]
    assert len(looked_at) == 6
    assert counted(database) == 100
    assert attempt(database, NOW, PASSWORD, address=OWNER) is None


def test_attempts_that_nobody_had_time_for_are_counted_and_cost_nothing(database):
    account(database)
    entered, let_go = threading.Semaphore(0), threading.Event()

    def take_a_place() -> None:
        with turn(known=False):
            entered.release()
            let_go.wait(30)

    threads = [threading.Thread(target=take_a_place) for _n in range(8)]
    for thread in threads:
        thread.start()
    for _n in range(2):
        assert entered.acquire(timeout=30)
    try:
        while attempts_waiting() < 8:
            threading.Event().wait(0.01)
        for _time in range(40):
            assert attempt(database, NOW, PASSWORD) == 3
    finally:
        let_go.set()
        for thread in threads:
            thread.join(30)
    assert counted(database) == 40
    assert attempt(database, NOW, PASSWORD) is None


def attempts_waiting() -> int:
    from data import passwords

    return 8 - passwords._places[False]._value


def test_what_is_forgotten_goes_to_the_audit_first(database):
    account(database)
    for _time in range(50):
        attempt(database, NOW)
    waiting = counted(database) - len(failures(database))
    assert waiting == 44
    assert attempt(database, NOW + dt.timedelta(hours=1), PASSWORD, address=OWNER) is None
    last = failures(database)[-1]
    assert (last.subject, last.details) == ("", {"refused_before_count": 44})
    assert counted(database) == 50
    with database.reading() as connection:
        assert len(connection.execute(sa.select(ATTEMPTS)).all()) == 2


def test_the_next_failure_noted_says_how_many_were_refused_before_it(database):
    account(database)
    for _time in range(50):
        attempt(database, NOW)
    attempt(database, NOW + 5 * SECOND)
    assert failures(database)[-1].details["refused_before_count"] == 44


def test_a_count_taken_back_after_it_was_forgotten_stays_at_nothing(database):
    two = counters(EMAIL, ATTACKER)
    with database.writing() as connection:
        begun = attempts.begin(connection, two, NOW)
        connection.execute(ATTEMPTS.update().values(failure_count=0))
        attempts.withdraw(connection, begun)
        attempts.succeeded(connection, begun)
        rows = connection.execute(sa.select(ATTEMPTS)).all()
        assert {row.failure_count for row in rows} == {0}
        connection.execute(ATTEMPTS.delete())
        attempts.succeeded(connection, begun)
        assert attempts.refused_count(connection, begun) == 0
        assert attempts.forget(connection, NOW) == 0


def test_who_signs_in_does_not_make_others_at_the_address_wait_longer(database):
    account(database)
    for number in range(35):
        attempt(database, NOW + number * 20 * SECOND, email=f"{number}@prime.example")
    last = NOW + 34 * 20 * SECOND
    assert attempt(database, last + 15 * SECOND, PASSWORD) == 1
    assert attempt(database, last + 16 * SECOND, PASSWORD) is None
    assert attempt(database, last + 16 * SECOND, PASSWORD) is None
