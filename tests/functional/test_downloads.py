"""Files that people take away: theirs alone, made for whoever asks, noted in the audit."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shutil
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette

from dashboard import downloads
from dashboard.exports import FLAG_COLUMNS, flags_csv
from dashboard.service import Service
from dashboard.session import Person, Served
from data import accounts, audit, sessions
from data.arrangements import scope_of
from data.demo.plan import COMMISSIONER, LAST_DAY, NETWORK, PROGRAMME, prime, subcontractor
from data.scope import NOT_SHOWN, OPERATOR, Scope
from tests.functional.serving import InThisProcess, Server, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

AS_OF = {"as_of": LAST_DAY.isoformat()}
NORTH, SOUTH = "EXAMPLE-NORTH-1", "EXAMPLE-SOUTH-1"


@pytest.fixture(scope="module")
def server(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A shared server over the worked example."""
    store = shutil.copytree(demo_store, tmp_path_factory.mktemp("downloads") / "store")
    with serving(store, InThisProcess()) as running:
        yield running


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def kept_from(answer: httpx.Response, status: int = 404, sentence: str = NOT_SHOWN) -> None:
    """Nothing came but a page with one sentence."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "content-disposition" not in answer.headers
    assert sentence in answer.text
    assert "<script" not in answer.text


def asked_directly(served: Served, address: str, **parameters: str) -> httpx.Response:
    """What comes back without a gate before it."""
    app = Starlette(routes=downloads.routes(served))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(f"/downloads/{address}", params=parameters)

    return asyncio.run(ask())


def noted(server: Server, action: str = "evidence.seen") -> list[audit.Event]:
    with server.database.reading() as connection:
        return [one for one in audit.events(connection) if one.action == action]


ASKERS = [
    (NETWORK, "network"),
    (COMMISSIONER, "member"),
    (prime(1), "member"),
    (prime(2), "member"),
    (subcontractor(50), "member"),
    ("XX-EXAMPLE-NOBODY", "member"),
]


@pytest.mark.parametrize(("organisation_id", "role"), ASKERS)
def test_everybody_takes_away_the_flags_they_see(server, organisation_id, role):
    answer = server.person(organisation_id, role).get("/downloads/flags.csv", params=AS_OF)
    mine = server.service.within(scope_of(server.database, role, organisation_id))
    report = mine.flags(as_of=LAST_DAY)
    assert answer.content == flags_csv(report.assessments, report.overrides)
    assert answer.headers["content-disposition"] == 'attachment; filename="flags.csv"'
    assert answer.headers["cache-control"] == "no-store"
    event = noted(server)[-1]
    assert (event.actor, event.organisation_id, event.subject) == (
        f"{organisation_id.lower()}@example.org",
        organisation_id,
        "flags.csv",
    )
    assert event.details == AS_OF | {"row_count": len(report.assessments)}


def test_filters_narrow_the_flags_as_on_the_page(server):
    person = server.person(NETWORK, "network")
    every = rows_of(person.get("/downloads/flags.csv", params=AS_OF))
    assert list(every[0]) == [*FLAG_COLUMNS, "overridden"]
    cases: list[tuple[list[tuple[str, str]], Callable[[dict[str, str]], bool]]] = [
        (
            [("contract", NORTH), ("contract", SOUTH)],
            lambda row: row["contract_id"] in (NORTH, SOUTH),
        ),
        (
            [("prime", prime(1)), ("status", "raised")],
            lambda row: (row["prime_id"], row["status"]) == (prime(1), "raised"),
        ),
        (
            [("flag", "management_fee"), ("flag", "zero_referrals")],
            lambda row: row["flag"] in ("management_fee", "zero_referrals"),
        ),
        ([("programme", PROGRAMME)], bool),
        ([("programme", "Another")], lambda row: not row),
    ]
    for filters, fits in cases:
        asked = [*AS_OF.items(), *filters]
        found = rows_of(person.get("/downloads/flags.csv", params=asked))
        assert found == [row for row in every if fits(row)]
        assert noted(server)[-1].details["row_count"] == len(found)
    # What somebody wrote into an address is noted only where it names something.
    assert noted(server)[-1].details["filters"] == {"programme": []}


def test_rules_and_months_are_as_on_the_page(server):
    person = server.person(prime(1))
    asked = [*AS_OF.items(), ("through", "2012-03"), ("rule", "management_fee=25%")]
    found = rows_of(person.get("/downloads/flags.csv", params=asked))
    assert {row["overridden"] for row in found} == {
        "Highest management fee (management_fee) at 25 % (register: 15 %)"
    }
    assert noted(server)[-1].details["rules"] == {"management_fee": "25%"}
    assert noted(server)[-1].details["through"] == "2012-03"


def test_an_answer_in_full_is_what_the_asker_sees(server):
    about = AS_OF | {"contract": NORTH, "subcontractor": subcontractor(7)}
    for organisation_id, role in (
        (NETWORK, "network"),
        (prime(1), "member"),
        (subcontractor(7), "member"),
    ):
        person = server.person(organisation_id, role)
        mine = server.service.within(scope_of(server.database, role, organisation_id))
        report = mine.flags(as_of=LAST_DAY)
        told = mine.explanations(report, NORTH, subcontractor(7))
        answer = person.get("/downloads/answers.json", params=about)
        assert answer.json() == json.loads(json.dumps([one.answer() for one in told]))
        assert answer.headers["content-disposition"] == 'attachment; filename="flags.json"'
        one = person.get("/downloads/answers.json", params=about | {"flag": "management_fee"})
        assert one.json()["flag"]["id"] == "management_fee"
        assert one.headers["content-disposition"] == 'attachment; filename="management_fee.json"'
        event = noted(server)[-1]
        assert event.organisation_id == organisation_id
        assert event.details == AS_OF | {
            "contract_id": NORTH,
            "subcontractor_id": subcontractor(7),
            "flags": ["management_fee"],
            "row_count": len(one.json()["rows"]),
        }


def test_rows_are_both_sides_of_one_agreement_and_no_other(server):
    about = {"table": "payments", "contract": NORTH, "subcontractor": subcontractor(7)}
    for organisation_id in (prime(1), subcontractor(7)):
        answer = server.person(organisation_id).get("/downloads/rows.csv", params=about)
        found = rows_of(answer)
        assert {row["side"] for row in found} == {"prime", "subcontractor"}
        assert {row["reporter_id"] for row in found} == {prime(1), subcontractor(7)}
        assert answer.headers["content-disposition"] == 'attachment; filename="payments.csv"'
        event = noted(server)[-1]
        assert event.subject == f"payments.csv {NORTH} {subcontractor(7)}"
        assert event.details["row_count"] == len(found)


def test_what_is_not_yours_and_what_is_not_there_are_told_in_the_same_words(server):
    before = len(noted(server))
    for file, more in (("answers.json", {}), ("rows.csv", {"table": "payments"})):
        for person, contract_id, subcontractor_id in (
            (server.person(prime(2)), NORTH, subcontractor(7)),
            (server.person(prime(2)), NORTH, None),
            (server.person(subcontractor(8)), NORTH, subcontractor(7)),
            (server.person("XX-EXAMPLE-NOBODY"), NORTH, subcontractor(7)),
            (server.person(NETWORK, "network"), "EXAMPLE-NORTH-9", None),
            (server.person(NETWORK, "network"), NORTH, "XX-EXAMPLE-SUB-99"),
            (server.person(prime(1)), "EXAMPLE-NORTH-9", subcontractor(7)),
        ):
            asked = {"contract": contract_id, "subcontractor": subcontractor_id or ""} | more
            kept_from(person.get(f"/downloads/{file}", params=asked))
    person = server.person(prime(1))
    asked = {"contract": NORTH, "subcontractor": subcontractor(7), "flag": "nix"}
    kept_from(person.get("/downloads/answers.json", params=asked))
    assert len(noted(server)) == before


def test_a_mistake_in_the_address_is_told_in_a_sentence(server):
    person = server.person(prime(1))
    for file, asked, sentence in (
        ("flags.csv", {"as_of": "soon"}, "Write a day as 2012-03-31."),
        ("flags.csv", {"through": "soon"}, "Write a month as 2012-03."),
        ("flags.csv", {"rule": "fee"}, "Write it as management_fee=0.20."),
        ("flags.csv", {"rule": "fee=1"}, "fee"),
        ("flags.csv", {"contracts": NORTH}, "which means nothing here."),
        ("answers.json", {}, "The address does not say which contract is meant."),
        ("rows.csv", {"table": "prices", "contract": NORTH}, "Rows are of referrals or payments."),
        ("audit.csv", {"newest": "1"}, "which means nothing here."),
    ):
        kept_from(person.get(f"/downloads/{file}", params=asked), 400, sentence)
    twice = [("contract", NORTH), ("contract", SOUTH)]
    kept_from(person.get("/downloads/answers.json", params=twice), 400, "contract twice")
    markup = person.get("/downloads/flags.csv", params={"as_of": "<b>x</b>"})
    assert "<b>x" not in markup.text


def test_nothing_is_given_to_whoever_is_not_signed_in(server):
    person = server.person(prime(1))
    assert person.get("/downloads/flags.csv", params=AS_OF).is_success
    _, secret = server.token(prime(1))
    cookies: list[dict[str, str]] = [
        {},
        {"cookie": "fairtier=abc"},
        {"authorization": f"Bearer {secret}"},
        {"cookie": f"fairtier={secret}"},
    ]
    anybody = server.client()
    for headers in cookies:
        for file in ("flags.csv", "answers.json", "rows.csv", "audit.csv"):
            assert anybody.get(f"/downloads/{file}", headers=headers).status_code == 401
    for account in accounts.accounts(server.database, prime(1)):
        sessions.end_all(
            server.database,
            account.account_id,
            actor="operator",
            actor_organisation_id=None,
        )
    assert person.get("/downloads/flags.csv", params=AS_OF).status_code == 401


def test_the_audit_is_all_for_the_network_and_ones_own_for_others(server):
    network = rows_of(server.person(NETWORK, "network").get("/downloads/audit.csv"))
    assert [int(row["sequence"]) for row in network] == list(range(1, len(network) + 1))
    assert network[-1]["entry_hash"]
    mine = rows_of(server.person(prime(2)).get("/downloads/audit.csv"))
    assert mine
    assert {row["organisation_id"] for row in mine} == {prime(2)}
    (first, last) = noted(server, "audit.seen")
    assert (first.organisation_id, last.organisation_id) == (NETWORK, prime(2))
    assert last.details == {"row_count": len(mine)}
    with server.database.reading() as connection:
        assert audit.faults(connection)[0] == []


# One operator


@pytest.fixture
def alone(demo_store: Path) -> Callable[..., httpx.Response]:
    """Asks a server on which nobody signs in, for a person, as whoever opens it."""
    service = Service(demo_store, OPERATOR)

    def ask(address: str, person: Person | None = None, **asked: str) -> httpx.Response:
        return asked_directly(Served(service, person=person), address, **asked)

    return ask


def test_one_operator_takes_away_everything_and_no_database_is_made(alone, demo_store):
    found = rows_of(alone("flags.csv", **AS_OF))
    assert len({row["contract_id"] for row in found}) == 6
    assert alone("answers.json", **AS_OF, contract=NORTH).is_success
    kept_from(alone("audit.csv"))
    assert not (demo_store / "fairtier.db").exists()


def test_a_server_for_one_organisation_shows_what_is_that_ones(alone):
    person = Person(Scope("member", prime(2)))
    found = rows_of(alone("flags.csv", person, **AS_OF))
    assert {row["prime_id"] for row in found} == {prime(2)}
    kept_from(alone("rows.csv", person, table="payments", contract=NORTH))


def test_a_server_without_its_gate_gives_nothing(server):
    """Should the gate be left out by mistake, there is no session, so nobody is anybody."""
    people = Served(server.service, server.database, cookie="fairtier")
    kept_from(asked_directly(people, "flags.csv"), 401, "You have been signed out.")


def test_a_store_that_cannot_be_read_is_told_without_its_place(tmp_path):
    service = Service(tmp_path / "nowhere", OPERATOR)
    answer = asked_directly(Served(service), "flags.csv")
    kept_from(answer, 503, "Fairtier cannot reach its records at this moment.")
    assert str(tmp_path) not in answer.text
