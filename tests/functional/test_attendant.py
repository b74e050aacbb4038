"""What a shared server does by itself, and the page it shows to everybody."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dashboard import attendant as attending
from dashboard.attendant import Attendant, note_rules
from dashboard.proceedings import open_to_all
from dashboard.published import page_html
from dashboard.service import Service
from data import audit, replies
from data.arrangements import make
from data.database import Database
from data.scope import OPERATOR, Scope
from metrics.rules import register
from tests.people import let_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FEE = ("management_fee", "EXAMPLE-SOUTH-2", "XX-EXAMPLE-SUB-55")
PRIME = "XX-EXAMPLE-PRIME-5"


@pytest.fixture
def database(demo_copy: Path) -> Iterator[Database]:
    with contextlib.closing(Database(demo_copy)) as opened:
        yield opened


@pytest.fixture
def service(demo_copy: Path) -> Service:
    return Service(demo_copy, OPERATOR)


def cases(service: Service, database: Database) -> tuple[replies.Case, ...]:
    return replies.cases(database, service.scope, service.reach())


def test_every_raised_flag_is_put_to_those_it_is_about_once(service, database):
    attendant = Attendant(service, database, "http://127.0.0.1:8501")
    attendant.look()
    raised = [a for a in service.flags().assessments if a.status == "raised"]
    opened = cases(service, database)
    assert {(one.flag, one.contract_id, one.subcontractor_id) for one in opened} == {
        (a.flag, a.contract_id, a.subcontractor_id) for a in raised
    }
    attendant.look()
    assert len(cases(service, database)) == len(opened)


def test_the_clock_of_an_organisation_begins_when_somebody_of_it_has_joined(service, database):
    attendant = Attendant(service, database, "http://127.0.0.1:8501")
    attendant.look()
    assert all(one.unreached == one.parties for one in cases(service, database))
    (prime_id,) = {str(one.prime_id) for one in cases(service, database) if key_of(one) == FEE}
    let_in(database, prime_id)
    attendant.look()  # nothing else has changed
    found = cases(service, database)
    assert [one.unreached for one in found if key_of(one) == FEE] == [(FEE[2],)]
    assert all(prime_id not in one.unreached for one in found)


def key_of(case: replies.Case) -> tuple[str, str, str | None]:
    return case.flag, case.contract_id, case.subcontractor_id


def test_a_look_that_fails_is_tried_again_and_tells_no_data(service, database, monkeypatch, caplog):
    def broken(*_about: object) -> None:
        raise RuntimeError("XX-EXAMPLE-SUB-55 was paid 1,203.61")

    attendant = Attendant(service, database, "http://127.0.0.1:8501")
    monkeypatch.setattr(attending, "review", broken)
    attendant.look()
    assert "a fault of its own" in caplog.text
    assert "XX-EXAMPLE" not in caplog.text
    assert cases(service, database) == ()
    monkeypatch.undo()
    attendant.look()
    assert cases(service, database)


def noted(database: Database) -> list[audit.Event]:
    with database.reading() as connection:
        return [one for one in audit.events(connection) if one.action == "rules.changed"]


def test_a_changed_register_of_rules_is_noted_when_the_server_starts(database, monkeypatch):
    note_rules(database)
    note_rules(database)
    (first,) = noted(database)
    assert first.subject == "the register as it was first used here"
    now = [replace(rule, value=0.2) if rule.id == "management_fee" else rule for rule in register()]
    monkeypatch.setattr(attending, "register", lambda: now)
    note_rules(database)
    assert noted(database)[1].subject.startswith("management_fee")


def test_verify_re_reads_the_database_too(service, database):
    Attendant(service, database, "http://127.0.0.1:8501").look()
    found = service.verify()
    assert (found.faults, found.audited) == ((), True)
    assert found.event_count
    with database.writing() as connection:
        connection.execute(audit.AUDIT.update().values(actor="somebody else"))
    faults = service.verify().faults
    assert len([one for one in faults if "was altered" in one]) >= found.event_count


def test_an_embargo_takes_a_contract_out_of_what_others_counts_rest_on(service, database):
    before = service.flags()
    reach = service.reach()
    make(database, OPERATOR, reach, "confidential", "EXAMPLE-SOUTH-2", reason="", actor="operator")
    assert service.confidential() == {"EXAMPLE-SOUTH-2"}
    after = service.flags()
    assert after is not before
    (own,) = [a for a in after.assessments if (a.flag, a.contract_id, a.subcontractor_id) == FEE]
    assert own.status == "raised"


def test_asked_as_an_organisation_arrangements_count(service, database):
    reach = service.reach()
    make(database, OPERATOR, reach, "prices_shown", "EXAMPLE-SOUTH-2", reason="", actor="operator")
    asked = service.asked_by("XX-EXAMPLE-COMMISSIONER")
    assert asked.scope.prices_shown == {"EXAMPLE-SOUTH-2"}
    assert asked.scope.role == "member"
    assert service.asked_by("XX-EXAMPLE-NETWORK").scope.role == "network"


def test_the_public_page_shows_what_was_published_beside_the_replies(service, database):
    assert "Nothing has been published yet" in page_html(())
    let_in(database, FEE[2])
    Attendant(service, database, "http://127.0.0.1:8501").look()
    (fee,) = [
        one
        for one in cases(service, database)
        if (one.flag, one.contract_id, one.subcontractor_id) == FEE
    ]
    prime = service.within(Scope("member", str(fee.prime_id)))
    replies.reply(
        database,
        prime.scope,
        prime.reach(),
        fee.case_id,
        by=str(fee.prime_id),
        stance="disputed",
        reason="other",
        text="<b>No</b>, see our letter.",
        actor="prime@example.org",
    )
    replies.decide(
        database,
        OPERATOR,
        service.reach(),
        fee.case_id,
        "published",
        reason="Both sides were heard.",
        actor="operator",
        today=dt.date.today() + dt.timedelta(days=30),
    )
    shown = page_html(open_to_all(database, dt.date.today() + dt.timedelta(days=30)))
    assert "&lt;b&gt;No&lt;/b&gt;, see our letter." in shown
    assert "Both sides were heard." in shown
    assert fee.contract_id in shown
    assert page_html(open_to_all(database, dt.date.today())).count("<section>") <= 1
