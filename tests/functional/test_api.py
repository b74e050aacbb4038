"""The API as an organisation's own program meets it: over HTTP, behind the gate."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from checks.worker import Worker
from dashboard import submission
from dashboard.__main__ import main
from dashboard.problems import KINDS, kind_of
from dashboard.service import Service
from data import arrangements, audit, errors, replies, tokens
from data.demo.plan import COMMISSIONER, NETWORK, prime, subcontractor
from data.scope import NOT_SHOWN, OPERATOR, Scope, reach_of
from tests.browser.conftest import ROOT
from tests.functional import test_commands as example
from tests.functional.serving import (
    InThisProcess,
    Server,
    most_memory_bytes,
    secret_for,
    separately,
    serving,
    small_store,
)
from tests.people import let_in

if TYPE_CHECKING:
    from collections.abc import Iterator

BAD_PAYMENTS = example.PAYMENTS.replace("780.00", "-5") + "P1,K9,SUB-1,bonus,2011-07-30,1,2\n"
DAY, LATER = dt.date(2012, 12, 31), dt.date(2013, 1, 31)
AS_OF = {"as_of": DAY.isoformat()}
# Holds a file that it received, until it is killed.
RECEIVES = """
import sys, time
from pathlib import Path
from dashboard.submission import new_folder

folder = new_folder(Path(sys.argv[1]))
(folder / "upload").write_text("client_ref\\nAB123456C\\n")
print(folder, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as started:
        yield started


@pytest.fixture(scope="module")
def example_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small store: registers, forecasts and the prime's referrals and payments."""
    return small_store(tmp_path_factory.mktemp("example"))


@pytest.fixture
def server(example_store: Path, tmp_path: Path, worker: Worker) -> Iterator[Server]:
    """A server over a copy of the small store, to change."""
    store = shutil.copytree(example_store, tmp_path / "served" / "store")
    with serving(store, worker) as running:
        yield running


@pytest.fixture(scope="module")
def demo(
    demo_store: Path, tmp_path_factory: pytest.TempPathFactory, worker: Worker
) -> Iterator[Server]:
    """A server over the worked example, to read from."""
    store = shutil.copytree(demo_store, tmp_path_factory.mktemp("demo-api") / "store")
    with serving(store, worker) as running:
        yield running


@pytest.fixture
def fairtier(capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command with --json prints."""

    def run(*arguments: object) -> Any:
        with contextlib.suppress(SystemExit):
            main([str(argument) for argument in arguments])
        return json.loads(capsys.readouterr().out)

    return run


def events(server: Server, *actions: str) -> list[audit.Event]:
    with server.database.reading() as connection:
        return [one for one in audit.events(connection) if one.action in actions]


def returns_of(server: Server) -> list[str]:
    return [one.return_id for one in Service(server.store, OPERATOR).history()]


def refused(response: httpx.Response, status: int, kind: str) -> str:
    """The detail of a problem, which is of that kind."""
    told = response.json()
    assert (response.status_code, told["status"]) == (status, status), told
    assert told["type"] == f"/api/v1/problems/{kind}"
    assert told["title"] == KINDS[kind].title
    assert told["instance"] == response.request.url.path
    return str(told["detail"])


# Who sees what

ROLES: list[tuple[str, str, Any]] = [
    ("network", NETWORK, "network"),
    ("commissioner", COMMISSIONER, "member"),
    ("prime", prime(1), "member"),
    ("prime that reports nothing", prime(5), "member"),
    ("subcontractor", subcontractor(50), "member"),
    ("subcontractor of two primes", subcontractor(8), "member"),
    ("somebody without a contract", "XX-EXAMPLE-NOBODY", "member"),
]


@pytest.mark.parametrize(
    ("organisation_id", "role"), [r[1:] for r in ROLES], ids=[r[0] for r in ROLES]
)
def test_a_token_sees_exactly_what_its_organisation_sees(demo, organisation_id, role):
    program = demo.program(organisation_id, role)
    scope = arrangements.scope_of(demo.database, role, organisation_id)
    mine = demo.service.within(scope)
    reach = mine.reach()

    found = program.get("/flags", params=AS_OF).json()["flags"]
    pairs = {(one["contract_id"], one["subcontractor_id"]) for one in found}
    everything = demo.service.flags(as_of=DAY).assessments
    assert pairs == {
        (one.contract_id, one.subcontractor_id)
        for one in everything
        if reach.sees(one.contract_id, one.subcontractor_id)
    }

    listed = program.get("/returns").json()
    reporters = {one["reporter_id"] for one in listed}
    if role == "network":
        assert [one["return_id"] for one in listed] == returns_of(demo)
    else:
        assert reporters <= {organisation_id}
    registers = mine.registers()
    for table in ("organisations", "contracts", "agreements"):
        key = "organisation_id" if table == "organisations" else "contract_id"
        rows = program.get(f"/{table}").json()
        assert sorted(row[key] for row in rows) == sorted(registers[table][key].to_pylist())


def test_what_is_not_yours_and_what_is_not_there_are_told_in_the_same_words(demo):
    rival = demo.program(prime(2))
    theirs = demo.program(prime(1)).get("/returns").json()[0]["return_id"]
    for path in ("/returns/{}", "/returns/{}/rows", "/returns/{}/findings"):
        there = refused(rival.get(path.format(theirs)), 404, "not-found")
        assert there == refused(rival.get(path.format("r-000000000000")), 404, "not-found")
        assert there == NOT_SHOWN
    contract_id = "EXAMPLE-NORTH-1"
    for flag, subcontractor_id in (
        ("management_fee", subcontractor(7)),
        ("volume_divergence", None),
    ):
        about = AS_OF | ({"subcontractor_id": subcontractor_id} if subcontractor_id else {})
        address = f"/flags/{flag}/{{}}"
        assert demo.program(prime(1)).get(address.format(contract_id), params=about).is_success
        there = refused(rival.get(address.format(contract_id), params=about), 404, "not-found")
        nowhere = refused(
            rival.get(address.format("EXAMPLE-NORTH-9"), params=about), 404, "not-found"
        )
        assert there == nowhere.replace("EXAMPLE-NORTH-9", contract_id)


def test_rows_as_received_are_for_the_reporter_and_its_agent_only(server):
    program = server.program("PRIME")
    (entry,) = [one for one in program.get("/returns").json() if one["table"] == "payments"]
    address = f"/returns/{entry['return_id']}/rows"
    answer = program.get(address)
    assert (
        answer.headers["content-disposition"] == f'attachment; filename="{entry["return_id"]}.csv"'
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [
        (row["row_number"], row["payment_id"], row["subcontractor_amount"]) for row in rows
    ] == [("2", "P1", "780.00")]
    network = server.program("NET", "network")
    assert refused(network.get(address), 404, "not-found") == NOT_SHOWN
    scope = Scope("member", "PRIME")
    arrangements.make(
        server.database, scope, server.service.within(scope).reach(), "agent", "PRIME", actor="p"
    )
    assert network.get(address).text == answer.text
    assert [
        (one.actor, one.organisation_id, one.subject, one.details)
        for one in events(server, "evidence.seen")
    ] == [
        (
            f"token MIS of {by}",
            by,
            "rows as received",
            {"return_id": entry["return_id"], "row_count": 1},
        )
        for by in ("PRIME", "NET")
    ]


# Tokens


def test_a_token_that_does_not_hold_opens_nothing(server, caplog):
    ended, ended_secret = server.token("PRIME")
    tokens.end_token(server.database, ended.token_id, actor="operator", actor_organisation_id=None)
    long_ago = ended.created_at.replace(year=2020)
    _, past_secret = server.token("PRIME", now=long_ago, days=1)
    _, good = server.token("PRIME")
    before = returns_of(server)
    headers: list[list[tuple[str, str]]] = [
        [],
        [("authorization", "Bearer")],
        [("authorization", f"Basic {good}")],
        [("authorization", good)],
        [("authorization", f"Bearer {good}"), ("authorization", f"Bearer {good}")],
        [("authorization", f"Bearer {good[:-1]}")],
        [("authorization", f"Bearer {good}x")],
        [("authorization", f"Bearer {good.removeprefix('ft_')}")],
        [("authorization", f"Bearer {ended_secret}")],
        [("authorization", f"Bearer {past_secret}")],
        [("cookie", f"fairtier={good}")],
    ]
    anybody = server.client("/api/v1")
    with caplog.at_level(logging.DEBUG):
        for sent in headers:
            for method, path in (
                ("GET", "/returns"),
                ("GET", f"/returns?access_token={good}"),
                ("GET", f"/returns/{before[0]}/rows"),
                ("GET", "/flags"),
                ("GET", "/flags/management_fee/K1"),
                ("GET", "/organisations"),
                ("POST", "/returns/payments"),
                ("POST", "/checks/payments"),
            ):
                body = {"content": example.PAYMENTS} if method == "POST" else {}
                answer = anybody.request(method, path, headers=sent, **body)
                refused(answer, 401, "token-refused")
                assert answer.headers["www-authenticate"] == "Bearer"
    assert returns_of(server) == before
    ours = [one for one in caplog.records if not one.name.startswith("http")]  # httpx is the client
    assert ours
    for secret in (good, ended_secret, past_secret):
        assert not any(secret[3:] in one.getMessage() for one in ours)


def test_an_ended_token_is_dead_at_once(server):
    token, secret = server.token("PRIME")
    program = server.client("/api/v1", authorization=f"Bearer {secret}")
    assert program.get("/returns").is_success
    tokens.end_token(server.database, token.token_id, actor="operator", actor_organisation_id=None)
    refused(program.get("/returns"), 401, "token-refused")


def test_a_token_does_only_what_it_was_made_for(server):
    reads, sends = (server.program("PRIME", permissions=(one,)) for one in ("read", "submit"))
    for path in ("/returns/payments", "/checks/payments"):
        assert '"submit"' in refused(reads.post(path, content=b"x"), 403, "not-allowed")
    for path in ("/returns", "/returns/r-1", "/returns/r-1/rows", "/flags", "/contracts"):
        assert '"read"' in refused(sends.get(path), 403, "not-allowed")


def test_only_the_network_reports_for_others(server):
    before = returns_of(server)
    sent: dict[str, Any] = {"params": {"nil": "true", "covers": "2011-06", "by": "SUB-1"}}
    for organisation_id in ("PRIME", "SUB-2", "COM"):
        detail = refused(
            server.program(organisation_id).post("/returns/payments", **sent), 403, "not-allowed"
        )
        assert detail.startswith(f"You report for {organisation_id}, not for SUB-1.")
    assert returns_of(server) == before
    answer = server.program("NET", "network").post("/returns/payments", **sent)
    assert (answer.status_code, answer.json()["return"]["by"]) == (201, "SUB-1")


# The same answers as the commands


def test_a_check_says_what_the_command_says(server, fairtier, tmp_path):
    program = server.program("PRIME")
    for name, text in (("good.csv", example.PAYMENTS), ("bad.csv", BAD_PAYMENTS)):
        (tmp_path / name).write_text(text)
        store = ("--store", server.store, "--as", "PRIME", "--by", "PRIME")
        said = fairtier("check", "payments", tmp_path / name, "--json", *store)
        answer = program.post("/checks/payments", content=text, params={"file_name": name})
        assert (answer.status_code, answer.json()) == (200, said)
        assert said["fit"] is (name == "good.csv")
    assert len(returns_of(server)) == 6
    assert not events(server, "return.recorded", "return.refused")


def test_a_refused_return_has_the_findings_and_leaves_nothing(server, fairtier, tmp_path):
    (tmp_path / "bad.csv").write_text(BAD_PAYMENTS)
    store = ("--store", server.store, "--as", "PRIME", "--by", "PRIME")
    said = fairtier("submit", "payments", tmp_path / "bad.csv", "--json", *store)
    before = returns_of(server)
    answer = server.program("PRIME").post(
        "/returns/payments", content=BAD_PAYMENTS, params={"file_name": "bad.csv"}
    )
    refusal_count = sum(one["severity"] == "refuse" for one in said["findings"])
    assert refused(answer, 422, "return-refused") == (
        f'"bad.csv" was refused: {refusal_count} findings to mend. Nothing was stored.'
    )
    told = {name: value for name, value in answer.json().items() if name in said}
    assert told == said
    assert set(answer.json()) == {*said, "type", "title", "status", "detail", "instance"}
    assert returns_of(server) == before
    (noted,) = events(server, "return.refused")
    assert (noted.actor, noted.organisation_id, noted.subject) == (
        "token MIS of PRIME",
        "PRIME",
        "payments",
    )
    assert noted.details == {"by": "PRIME", "refusal_count": refusal_count}
    assert not list((server.store / "uploads").iterdir())


def test_a_return_is_recorded_once_as_the_command_records_it(
    server, example_store, fairtier, tmp_path
):
    text = example.PAYMENTS.replace("780.00", "790.00")
    (tmp_path / "payments.csv").write_text(text)
    twin = shutil.copytree(example_store, tmp_path / "twin")
    said = fairtier(
        *("submit", "payments", tmp_path / "payments.csv", "--json", "--covers", "2011-06"),
        *("--store", twin, "--as", "PRIME", "--by", "PRIME"),
    )
    program = server.program("PRIME")
    sent: dict[str, Any] = {
        "content": text,
        "params": {"covers": "2011-06"},
        "headers": {"content-disposition": 'attachment; filename="payments.csv"'},
    }
    answer = program.post("/returns/payments", **sent)
    told = answer.json()
    assert answer.status_code == 201
    return_id = told["return"].pop("return_id")
    del said["return"]["return_id"]
    assert told == said
    assert answer.headers["location"] == f"/api/v1/returns/{return_id}"
    entry = program.get(answer.headers["location"].removeprefix("/api/v1")).json()
    assert (entry["file_name"], entry["return_id"]) == ("payments.csv", return_id)

    again = program.post("/returns/payments", **sent)
    assert (again.status_code, again.json()["return"]["already"]) == (200, True)
    assert again.json()["return"]["return_id"] == return_id
    (noted,) = events(server, "return.recorded")
    assert (noted.actor, noted.organisation_id, noted.subject) == (
        "token MIS of PRIME",
        "PRIME",
        return_id,
    )
    assert noted.details["entry_hash"] == entry["entry_hash"]
    assert not Service(server.store, OPERATOR).verify().faults


def test_there_may_have_been_nothing_to_report(server):
    program = server.program("SUB-1")
    answer = program.post("/returns/referrals", params={"nil": "true", "covers": "2011-06"})
    assert (answer.status_code, answer.json()["rows"]) == (201, 0)
    assert program.get("/returns").json()[0]["nil"] is True
    nil = {"nil": "true", "covers": "2011-07"}
    detail = refused(
        program.post("/returns/referrals", params=nil, content=example.REFERRALS),
        400,
        "bad-request",
    )
    assert detail.startswith("Give either a file or nil=true")
    assert "needs the months" in refused(
        program.post("/returns/referrals", params={"nil": "true"}), 400, "bad-request"
    )
    assert "not for organisations" in refused(
        program.post("/returns/organisations", params=nil), 400, "bad-request"
    )


def test_warnings_keep_no_return_out_and_can_be_read_later(server):
    program = server.program("PRIME")
    text = example.PAYMENTS.replace("780.00", "1200.00")
    answer = program.post("/returns/payments", content=text, params={"covers": "2011-06"})
    told = answer.json()
    warned = [one["check"] for one in told["findings"]]
    assert answer.status_code == 201, told
    assert warned
    assert {one["severity"] for one in told["findings"]} == {"warn"}
    found = program.get(f"/returns/{told['return']['return_id']}/findings").json()
    assert [one["check"] for one in found["warnings"]] == warned
    assert all(one["promise"] for one in found["warnings"])


def test_history_flags_and_an_answer_in_full_are_the_commands(server, fairtier):
    for organisation_id, role in (("PRIME", "member"), ("SUB-1", "member"), ("NET", "network")):
        program = server.program(organisation_id, role)
        asker = ("--json", "--as", organisation_id, "--store", server.store)
        assert program.get("/returns").json() == fairtier("history", *asker)
        assert program.get("/flags").json() == fairtier("flags", *asker)
        period = {"as_of": "2026-01-31", "through": "2011-06"}
        options = [
            part
            for name, value in period.items()
            for part in (f"--{name}".replace("_", "-"), value)
        ]
        assert program.get("/flags", params=period).json() == fairtier("flags", *options, *asker)
        said = fairtier("explain", "management_fee", "K1", "SUB-1", *asker)
        about = {"subcontractor_id": "SUB-1"}
        answer = program.get("/flags/management_fee/K1", params=about)
        assert answer.json() == said
        (noted,) = [
            one for one in events(server, "evidence.seen") if one.organisation_id == organisation_id
        ]
        assert noted.subject == "answer K1 SUB-1"
        assert noted.details == {
            "flag": "management_fee",
            "contract_id": "K1",
            "subcontractor_id": "SUB-1",
            "row_count": len(said["rows"]),
        }


def test_what_was_published_needs_no_token(server):
    anybody = server.client("/api/v1")
    assert anybody.get("/published").json() == []
    answer = {
        "flag": "management_fee",
        "value": 0.2345,
        "threshold": 0.15,
        "sentence": "It kept £23.45.",
        "names": {"PRIME": "Example Prime Ltd"},
        "commissioner_id": "COM",
    }
    raised = replies.Raised("management_fee", "K1", "PRIME", "SUB-2", False, answer)
    statuses = {("management_fee", "K1", "SUB-2"): "raised"}
    let_in(server.database, "PRIME", "SUB-2")
    replies.bring_up_to_date(server.database, [raised], statuses, today=DAY, reply_days=1)
    reach = reach_of(OPERATOR, server.service._ledger.parties())
    (case,) = replies.cases(server.database, OPERATOR, reach)
    assert anybody.get("/published").json() == []
    replies.decide(
        server.database, OPERATOR, reach, case.case_id, "published", actor="operator", today=LATER
    )
    (told,) = anybody.get("/published").json()
    assert (told["flag"], told["replies"]) == ("management_fee", [])
    assert told["sentence"].startswith("The prime kept more than 15 % of what")


# What cannot be taken


def test_what_is_no_table_is_told_and_noted(server):
    program = server.program("PRIME")
    cases: list[tuple[bytes, dict[str, str], str]] = [
        (b"", {}, '"x.csv" is empty.'),
        (b"%PDF-1.7 ...", {}, '"x.csv" is a PDF document'),
        (b"\x1f\x8b\x08....", {}, '"x.csv" is compressed with gzip'),
        (b"\x00\x01\x02" * 100, {}, '"x.csv" is a binary file'),
        (b"...", {"content-encoding": "gzip"}, "The file is compressed."),
        (b"--x...", {"content-type": "multipart/form-data; boundary=x"}, "This is a form"),
    ]
    for content, headers, beginning in cases:
        for path in ("/returns/payments", "/checks/payments"):
            answer = program.post(
                path, content=content, headers=headers, params={"file_name": "x.csv"}
            )
            assert refused(answer, 415, "unusable-file").startswith(beginning)
    assert len(events(server, "return.refused")) == 4
    assert len(returns_of(server)) == 6
    assert not list((server.store / "uploads").iterdir())


def test_mistakes_are_told_in_plain_words(server):
    program = server.program("PRIME")
    asked: list[tuple[str, str, int, str, str]] = [
        ("POST", "/returns/payment", 404, "not-found", "Did you mean payments?"),
        ("POST", "/returns/payments?cover=2011-06", 400, "bad-request", 'no parameter "cover"'),
        ("POST", "/returns/payments?nil=perhaps", 400, "bad-request", "Write true or false."),
        ("POST", "/returns/payments?received_on=soon", 400, "bad-request", 'We read "soon"'),
        ("POST", "/returns/payments?received_on=2190-01-01", 400, "bad-request", "still to come"),
        ("POST", "/returns/payments?covers=spring", 400, "bad-request", 'We read "spring"'),
        ("POST", "/returns/organisations?covers=2011-06", 400, "bad-request", "name no months"),
        ("POST", "/checks/payments?nil=true", 400, "bad-request", 'no parameter "nil"'),
        ("GET", "/flags?as_of=yesterday", 400, "bad-request", 'We read "yesterday" for a day.'),
        ("GET", "/flags?through=2012", 400, "bad-request", 'We read "2012" for a month.'),
        ("GET", "/flags?rule=x", 400, "bad-request", 'no parameter "rule"'),
        ("GET", "/flags/management_fees/K1", 404, "not-found", "management_fee"),
        ("GET", "/problems/nix", 404, "not-found", "no such kind"),
        ("GET", "/nix", 404, "not-found", "There is nothing at this address."),
        ("GET", "/returns/", 404, "not-found", "There is nothing at this address."),
        ("DELETE", "/returns", 405, "wrong-method", "Ask here with GET."),
        ("POST", "/flags", 405, "wrong-method", "Ask here with GET."),
        ("DELETE", "/returns/r-1", 405, "wrong-method", "Ask here with GET or POST."),
    ]
    for method, path, status, kind, words in asked:
        body = {"content": example.PAYMENTS} if method == "POST" else {}
        answer = program.request(method, path, **body)
        assert words in refused(answer, status, kind), path
        assert str(server.store) not in answer.text
    assert len(returns_of(server)) == 6


def test_a_member_cannot_rewrite_what_was_known_on_a_day_that_is_past(server):
    body = {"content": example.PAYMENTS}
    when = {"received_on": "2012-12-11", "covers": "2011-06..2011-07"}
    for path in ("/returns/payments", "/checks/payments"):
        answer = server.program("PRIME").post(path, params=when, **body)
        assert refused(answer, 403, "not-allowed").startswith("Only the network may say")
    nil = server.program("PRIME").post("/returns/payments", params={**when, "nil": True})
    assert refused(nil, 403, "not-allowed").endswith("Leave received_on out: today counts.")
    assert len(returns_of(server)) == 6
    network = server.program("NET", "network")
    answer = network.post("/returns/payments", params={**when, "by": "PRIME"}, **body)
    assert answer.status_code == 201
    entry = server.service.history()[-1]
    assert (str(entry.received_on), entry.back_dated) == ("2012-12-11", True)


def test_a_file_too_large_is_not_taken(server, monkeypatch):
    monkeypatch.setenv("FAIRTIER_MAX_UPLOAD", "1000")
    program = server.program("PRIME")
    for content in (b"x" * 1001, iter([b"x" * 600, b"x" * 600])):
        answer = program.post("/returns/payments", content=content)
        assert refused(answer, 413, "too-large") == (
            "The file is larger than the limit of 1000 bytes. Split it by months."
        )
    assert program.post("/returns/payments", content=example.PAYMENTS).status_code in (200, 201)
    assert not list((server.store / "uploads").iterdir())


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("April 2012.csv", "April 2012.csv"),
        ("../../ledger/x.csv", "x.csv"),
        ("C:\\returns\\x.csv", "x.csv"),
        ("..", "upload"),
        ("", "upload"),
        ("\x00\n", "upload"),
        ("answer.json", "answer.json"),
        ("é" * 300, "é" * 100),
    ],
)
def test_a_file_is_called_as_its_sender_calls_it_without_folders(server, sent, kept):
    answer = server.program("PRIME").post(
        "/checks/payments", content=example.PAYMENTS, params={"file_name": sent}
    )
    assert answer.json()["file"] == kept


def test_the_header_may_name_the_file(server):
    program = server.program("PRIME")
    for header, kept in (
        ("attachment; filename*=UTF-8''%E2%82%AC%20rates.csv", "€ rates.csv"),
        ('form-data; name="x"; filename="../a.csv"', "a.csv"),
        ("attachment", "upload"),
    ):
        answer = program.post(
            "/checks/payments",
            content=example.PAYMENTS,
            headers={"content-disposition": header},
        )
        assert answer.json()["file"] == kept


# Several at once, and what goes wrong


def test_a_return_that_came_in_meanwhile_is_not_overwritten(example_store, tmp_path, monkeypatch):
    store = shutil.copytree(example_store, tmp_path / "store")

    class Overtaken(Service):
        def examine(self, *args: Any, **kwargs: Any) -> Any:
            draft = super().examine(*args, **kwargs)
            other = Service(store, OPERATOR)
            other.record(other.examine_nil("payments", by="PRIME", covers="2011-06"))
            return draft

    monkeypatch.setattr(submission, "Service", Overtaken)
    with serving(store, InThisProcess()) as server:
        text = example.PAYMENTS.replace("780.00", "790.00")
        answer = server.program("PRIME").post(
            "/returns/payments", content=text, params={"covers": "2011-06"}
        )
        assert "Nothing was recorded" in refused(answer, 409, "conflict")
        assert len(returns_of(server)) == 7


def test_organisations_send_at_the_same_time(server):
    def send(organisation_id: str, month: str) -> int:
        answer = server.program(organisation_id).post(
            "/returns/referrals", params={"nil": "true", "covers": month, "file_name": "x"}
        )
        return answer.status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = list(
            threads.map(
                send,
                ["PRIME", "SUB-1", "PRIME", "SUB-2"],
                ["2012-01", "2012-01", "2012-02", "2012-03"],
            )
        )
    assert statuses == [201] * 4
    assert len(returns_of(server)) == 10
    assert len(events(server, "return.recorded")) == 4
    assert not Service(server.store, OPERATOR).verify().faults


class Slow:
    """A body that is begun, and goes on when it is told to."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.go_on = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield self.content[:10]
        assert self.go_on.wait(60)
        yield self.content[10:]


def taken(server: Server) -> int:
    return int(server.app.state.behind.uploads._taken.total())


def wait_until(holds: Any) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail("It did not come to that within half a minute.")


def test_who_sends_too_much_at_once_waits_and_others_do_not(server):
    body = Slow(example.PAYMENTS.encode())

    def begin(organisation_id: str) -> httpx.Response:
        return server.program(organisation_id).post("/checks/payments", content=iter(body))

    with ThreadPoolExecutor(4) as threads:
        try:
            first = [threads.submit(begin, "PRIME") for _ in range(2)]
            wait_until(lambda: taken(server) == 2)
            answer = server.program("PRIME").post("/checks/payments", content=b"x")
            assert "2 files of PRIME" in refused(answer, 503, "busy")
            assert answer.headers["retry-after"] == "30"
            first += [threads.submit(begin, "SUB-1") for _ in range(2)]
            wait_until(lambda: taken(server) == 4)
            answer = server.program("SUB-2").post("/returns/payments", content=b"x")
            assert "Too many files" in refused(answer, 503, "busy")
            assert server.program("SUB-2").get("/returns").is_success
        finally:
            body.go_on.set()
        assert [one.result().status_code for one in first] == [200] * 4
    assert taken(server) == 0


def test_a_sender_that_goes_away_leaves_nothing(server):
    _, secret = server.token("PRIME")
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as line:
        head = (
            f"POST /api/v1/returns/payments HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Authorization: Bearer {secret}\r\nContent-Length: 1000000\r\n\r\n"
        )
        line.sendall(head.encode() + b"payment_id,contract_id\n")
        wait_until(lambda: taken(server) == 1)
        assert list((server.store / "uploads").iterdir())
    wait_until(lambda: taken(server) == 0)
    assert not list((server.store / "uploads").iterdir())
    assert not (server.store / "errors.log").exists()
    assert len(returns_of(server)) == 6


def test_what_a_killed_process_left_is_taken_away_at_the_next_start(server):
    """A file that was received has clients' marks in it: it must not outlive its process."""
    mine = submission.new_folder(server.store)
    older = server.store / "uploads" / "tmpolder"
    older.mkdir()
    begun = server.store / "uploads" / "tmpbegun"
    begun.mkdir()
    os.utime(older, (time.time() - 90,) * 2)
    with subprocess.Popen(
        [sys.executable, "-c", RECEIVES, str(server.store)], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        theirs = Path(process.stdout.readline().decode().strip())
        submission.remove_left_behind(server.store)
        assert (theirs / "upload").exists()
        process.kill()
    submission.remove_left_behind(server.store)
    assert not theirs.exists()
    assert not older.exists()
    assert mine.exists()
    assert begun.exists()
    submission.remove_folder(mine)
    assert list((server.store / "uploads").iterdir()) == [begun]


def test_a_fault_of_ours_is_told_by_its_id_alone(server, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("P1 780.00 of SUB-1")

    monkeypatch.setattr(Service, "flags", fail)
    answer = server.program("PRIME").get("/flags")
    detail = refused(answer, 500, "fault")
    (bug_id,) = re.findall(r"\(([0-9a-f]{8}), RuntimeError\)", detail)
    log = (server.store / "errors.log").read_text()
    assert bug_id in log
    assert log.count("\n2") == 0
    for told in (answer.text, log):
        assert "780" not in told
    assert str(server.store) not in answer.text


def test_a_store_that_cannot_be_read_is_told_without_its_place(server):
    program = server.program("PRIME")
    shutil.rmtree(server.store / "ledger" / "returns" / "_delta_log")
    for file in (server.store / "ledger" / "returns").glob("*.parquet"):
        file.write_bytes(b"broken")
    (server.store / "ledger" / "returns" / "_delta_log").write_text("no folder")
    for path in ("/returns", "/flags"):
        answer = program.get(path)
        detail = refused(answer, 503, "unreachable")
        assert detail.startswith("Fairtier cannot reach its records at this moment.")
        assert answer.headers["retry-after"]


def test_every_error_that_people_can_mend_is_a_kind_of_problem():
    def all_of(kind: type[errors.UserError]) -> Iterator[type[errors.UserError]]:
        for one in kind.__subclasses__():
            yield one
            yield from all_of(one)

    kinds = {
        kind_of(one("x")).id for one in all_of(errors.UserError) if one.__module__ == "data.errors"
    }
    assert kinds == {
        *("bad-request", "conflict", "not-allowed", "not-found", "return-refused"),
        *("token-refused", "unreachable", "unusable-file"),
    }


def test_every_kind_of_problem_can_be_looked_up(server):
    anybody = server.client("/api/v1")
    for kind in KINDS.values():
        told = anybody.get(kind.type.removeprefix("/api/v1")).json()
        assert (told["type"], told["status"], told["meaning"]) == (
            kind.type,
            kind.status,
            kind.meaning,
        )


# The document


def test_the_openapi_document_lists_everything_that_can_be_asked(server):
    document = server.client("/api/v1").get("/openapi.json").json()
    routes = {
        (method.lower(), re.sub(r":\w+}", "}", route.path))
        for route in server.app.routes
        for method in route.methods
        if route.path != "/openapi.json"
    }
    told = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert told == routes
    assert document["servers"] == [{"url": "/api/v1"}]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            public = path in ("/published", "/problems/{kind}")
            assert ("security" in operation) is not public
            assert operation["summary"]
            assert operation["description"]
            problems = {s: r for s, r in operation["responses"].items() if int(s) >= 400}
            assert all(
                list(r["content"]) == ["application/problem+json"] for r in problems.values()
            )


def test_nothing_but_the_api_is_served_below_it(server):
    program = server.program("PRIME")
    for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
        refused(program.get(path), 404, "not-found")


# Memory


def test_a_large_file_passes_through_at_flat_memory(example_store, tmp_path):
    """40 MB that are refused at the end: the process that serves grows by less than 20 MB."""
    store = shutil.copytree(example_store, tmp_path / "store")
    line = b"P%07d,K1,SUB-1,job_outcome,2011-06-30,1000.00,-780.00" + b" " * 350 + b"\n"
    header = example.PAYMENTS.splitlines(keepends=True)[0].encode()
    row_count = 40_000_000 // len(line % 0)

    def body() -> Iterator[bytes]:
        yield header
        for number in range(row_count):
            yield line % number

    secret = secret_for(store, "PRIME")
    with separately(store, tmp_path) as (url, process_id):
        headers = {"authorization": f"Bearer {secret}"}
        client = httpx.Client(
            base_url=f"{url}/api/v1", headers=headers, timeout=300, trust_env=False
        )
        with client:
            assert client.post("/checks/payments", content=example.PAYMENTS).is_success
            before = most_memory_bytes(process_id, from_now_on=True)
            content = b"".join(body())
            answer = client.post("/returns/payments", content=content)
            grown = most_memory_bytes(process_id) - before
        assert answer.status_code == 422, answer.text[:300]
        assert answer.json()["rows"] == row_count
        assert len(content) > 39_000_000
        assert grown < 20_000_000, f"grew by {grown:,} bytes"
