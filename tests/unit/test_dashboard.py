"""Parts of the dashboard that need neither a browser nor a store."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import io
import socket
from dataclasses import replace
from typing import Any

import pytest

from dashboard.app import listen
from dashboard.charts import volume_split
from dashboard.exports import flags_csv
from dashboard.gate import Gate
from dashboard.views import markup
from dashboard.words import (
    attribution,
    headline,
    lines_of,
    literal,
    months_covered,
    row_words,
    text,
    told,
)
from data.errors import BadOption
from metrics.definition import Assessment
from metrics.explanation import RowGroup
from metrics.rules import rules_as_of
from metrics.what_if import overridden
from tests.oracle.chain import months


def test_a_port_that_is_taken_is_said_with_a_remedy() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BadOption, match=f"Port {port} is taken by another program.*--port"):
            listen(port)


def answered(kind: str, *hosts: str) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read from a request that is refused")

    scope = {
        "type": kind,
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", host.encode()) for host in hosts],
    }
    asyncio.run(Gate(app)(scope, receive, send))  # type: ignore[arg-type]
    return sent


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "127.0.0.1", "LOCALHOST"])
def test_this_machine_is_answered_with_security_headers(host: str) -> None:
    start = answered("http", host)[0]
    assert start["status"] == 200
    names = {name for name, _ in start["headers"]}
    assert {b"content-security-policy", b"x-frame-options", b"x-content-type-options"} <= names


@pytest.mark.parametrize(
    "hosts", [["evil.example:8501"], ["127.0.0.1.evil.example"], [], ["127.0.0.1", "evil.example"]]
)
def test_any_other_name_is_refused(hosts: list[str]) -> None:
    assert answered("http", *hosts)[0]["status"] == 421
    assert answered("websocket", *hosts)[0]["type"] == "websocket.close"


def test_data_stays_text_in_html_and_in_labels() -> None:
    assert text('<b>"&') == "&lt;b&gt;&quot;&amp;"
    assert "<script>" not in markup.facts_html([("<script>", ["<script>"])])
    label = literal("[a](http://b.example) **c** :smile: www.d.example e@f.example ->")
    assert "http://" not in label
    assert "www.d" not in label
    assert "@f" not in label
    assert "\\*\\*c\\*\\*" in label
    plain = label.replace("\\", "").replace("\u2060", "")
    assert plain == "[a](http://b.example) **c** :smile: www.d.example e@f.example ->"


def assessment(flag: str, status: Any, value: float | None, **evidence: Any) -> Assessment:
    sentence = "It is so. What else could explain it: chance."
    return Assessment(
        flag, "C", "P", "S", None, status, value, value, value, 0.15, evidence, sentence, None
    )


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            assessment("zero_referrals", "raised", 0.0, reported_months=6, promise=8.0),
            "8 referrals promised in 6 reported months, none received.",
        ),
        (
            assessment("zero_referrals", "raised", 0.0, reported_months=6, promise=None),
            "No referrals in 6 reported months.",
        ),
        (
            assessment("zero_referrals", "clear", 1.0, reported_months=1, promise=8.0),
            "1 referral in 1 reported month.",
        ),
        (assessment("zero_referrals", "not_reported", None), "No return covers any month."),
        (
            assessment("management_fee", "raised", 0.22),
            "A management fee of 22 %; the rule is at most 15 %.",
        ),
        (
            assessment("management_fee", "watch", 0.1),
            "A fee of 10 %, but 10 % if what is unpaid stays unpaid; the rule is 15 %.",
        ),
        (assessment("management_fee", "not_applicable", None), "Nothing to compare with."),
        (assessment("management_fee", "not_reported", None), "The prime has reported no payments."),
        (
            assessment("volume_divergence", "clear", -0.1, observed=9, forecast=10),
            "9 referrals where 10 were forecast, 10 % fewer.",
        ),
        (assessment("volume_divergence", "not_applicable", None), "Nothing to compare with."),
        (
            assessment("payment_delay", "raised", 0.22, late=11, due=50),
            "11 of 50 payments late, 22 %; the rule is at most 15 %.",
        ),
        (
            assessment("payment_delay", "clear", 0.0, late=0, due=1),
            "No payment late, of 1 payment that fell due.",
        ),
        (assessment("payment_delay", "too_early", None), "No payment has fallen due yet."),
        (assessment("payment_delay", "not_applicable", None), "No payment has an invoice day."),
        (
            assessment("risk_transfer", "raised", 2.0, at_risk_share=0.8, prime_at_risk_share=0.4),
            "80 % of its income is at risk, of the prime's 40 %.",
        ),
        (
            assessment(
                "risk_transfer", "not_applicable", None, at_risk_share=0.8, prime_at_risk_share=None
            ),
            "Not both shares at risk are recorded.",
        ),
        (
            assessment(
                *("unreconciled", "raised", 0.2),
                log="payments",
                logs={"payments": {"events": 60, "differing": 12}},
            ),
            "12 of 60 payments differ between the two sides, 20 %; the rule is at most 15 %.",
        ),
        (
            assessment(
                *("unreconciled", "clear", 0.0),
                log="referrals",
                logs={"referrals": {"events": 60, "differing": 0}},
            ),
            "Both sides report the same 60 referrals.",
        ),
        (
            assessment(
                *("unreconciled", "clear", 0.0),
                log="referrals",
                logs={"referrals": {"events": 0, "differing": 0}},
            ),
            "Neither side reports an event.",
        ),
        (assessment("unreconciled", "not_applicable", None, log=None), "It is so."),
        (
            assessment("unreconciled", "not_reported", None, log=None),
            "Not both sides have reported, so there is nothing to compare.",
        ),
        (
            assessment("not_reported", "raised", 4.0, due_months=10),
            "Returns overdue for 4 of 10 months.",
        ),
        (
            assessment("not_reported", "clear", 0.0, due_months=10),
            "Nothing overdue, of 10 months due.",
        ),
        (assessment("not_reported", "not_applicable", None, due_months=0), "It is so."),
        (
            assessment("named_without_consent", "not_applicable", None, named_in_bid=False),
            "It was not named in the bid.",
        ),
        (
            assessment(
                "named_without_consent", "raised", None, named_in_bid=True, consented_on=None
            ),
            "Named in the bid, and no consent is recorded.",
        ),
        (
            assessment(
                *("named_without_consent", "clear", None),
                named_in_bid=True,
                consented_on="2011-01-17",
                days_before_start=None,
            ),
            "Named in the bid, with its consent.",
        ),
        (
            assessment(
                *("named_without_consent", "watch", -1.0),
                named_in_bid=True,
                consented_on="2011-06-02",
                days_before_start=-1,
            ),
            "It consented to be named 1 day after the contract's first day.",
        ),
        (
            assessment(
                *("named_without_consent", "clear", 135.0),
                named_in_bid=True,
                consented_on="2011-01-17",
                days_before_start=135,
            ),
            "It consented to be named 135 days before the contract's first day.",
        ),
        (
            assessment("client_mix", "clear", 1.0),
            "The client groups came about as the prime's intake has them.",
        ),
        (assessment("client_mix", "too_early", 1.0), "Too few clients to compare the groups."),
        (assessment("client_mix", "raised", 0.0), "It is so."),
        (assessment("a_new_flag", "raised", 1.0), "It is so."),
    ],
)
def test_a_headline_says_what_happened(found: Assessment, line: str) -> None:
    assert headline(found) == line
    assert told(found.sentence) == "It is so."


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        ("Why did S get 4 of 6 from ESA? It is 20 % there.", "Why did S get 4 of 6 from ESA?"),
        ("Not applicable: it has no mix; nothing can be said.", "Not applicable: it has no mix."),
        ("S got 1.5 of St. mary's referrals.", "S got 1.5 of St. mary's referrals."),
    ],
)
def test_a_flag_without_a_line_of_its_own_shows_its_first_sentence(
    sentence: str, line: str
) -> None:
    assert headline(replace(assessment("a_new_flag", "raised", 1.0), sentence=sentence)) == line


def test_whose_doing_it_is_is_said_only_by_flags_that_ask_it() -> None:
    late = assessment("payment_delay", "raised", 0.2)
    volume = assessment("volume_divergence", "raised", -0.5)
    assert attribution(late) == ""
    assert attribution(volume) == "The figures do not say whose doing it is."
    assert "the prime" in attribution(replace(volume, attributed_to="prime"))
    assert "the commissioner" in attribution(replace(volume, attributed_to="commissioner"))
    assert attribution(assessment("volume_divergence", "clear", 0.0)) == ""


def test_where_rows_stand_is_said_with_return_and_lines() -> None:
    rows = RowGroup("payments", "P", "r-1", "counted", 7, (4, 7, 8, 9, 10, 11, 12))
    assert row_words(rows) == "payments, return r-1, rows 4, 7-12"
    assert row_words(replace(rows, row_numbers=(4,), row_count=1)) == "payments, return r-1, row 4"
    many = tuple(range(2, 60, 2))
    assert row_words(replace(rows, row_numbers=many, row_count=len(many))).endswith(
        "22, 24 and more: 29 in all"
    )
    others = replace(rows, return_id="", row_numbers=None)
    assert row_words(others) == "payments, 7 rows, counted only"
    assert lines_of(others) == "7, not shown"


def test_the_steps_from_the_forecast_to_what_came_add_up() -> None:
    rows = volume_split.chart(20, -5.0, -6.04, 8.96).to_dict()["datasets"]
    steps = max(rows.values(), key=len)
    assert [one["step"] for one in steps] == list(volume_split.STEPS)
    assert [(one["start"], one["end"]) for one in steps] == [
        (0.0, 20.0),
        (20.0, 15.0),
        (15.0, 8.96),
        (0.0, 8.96),
    ]
    assert [one["label"] for one in steps] == ["20", "5 fewer", "6 fewer", "8.96"]


def test_the_csv_names_the_rules_that_are_not_the_registers() -> None:
    rules = rules_as_of(dt.date(2012, 4, 15)).override({"management_fee": "0.2"})
    asked = overridden(rules, dt.date(2012, 4, 15))
    marked = flags_csv([assessment("management_fee", "clear", 0.1)], asked).decode("utf-8-sig")
    header, row = csv.reader(io.StringIO(marked))
    assert header[-1] == "overridden"
    assert row[-1] == "Highest management fee (management_fee) at 20 % (register: 15 %)"
    plain = flags_csv([assessment("management_fee", "clear", 0.1)], ())
    assert plain.endswith(b",\r\n")


def test_months_are_said_as_people_say_them() -> None:
    assert months_covered(()) == "the whole register"
    assert months_covered(tuple(months("2011-06", 1))) == "June 2011"
    assert months_covered(tuple(months("2011-06", 10))) == "June 2011 to March 2012"
