"""Parts of the dashboard that need neither a browser nor a store."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from dashboard.app import OnlyThisMachine, listen
from dashboard.views import markup
from dashboard.words import headline, literal, months_covered, text, told
from data.errors import BadOption
from metrics.definition import Assessment
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

    scope = {"type": kind, "headers": [(b"host", host.encode()) for host in hosts]}
    asyncio.run(OnlyThisMachine(app)(scope, receive, send))  # type: ignore[arg-type]
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
        (
            assessment("volume_divergence", "clear", -0.1, observed=9, forecast=10),
            "9 referrals where 10 were forecast, 10 % fewer.",
        ),
    ],
)
def test_a_headline_says_what_happened(found: Assessment, line: str) -> None:
    assert headline(found) == line
    assert told(found.sentence) == "It is so."


def test_months_are_said_as_people_say_them() -> None:
    assert months_covered(()) == "the whole register"
    assert months_covered(tuple(months("2011-06", 1))) == "June 2011"
    assert months_covered(tuple(months("2011-06", 10))) == "June 2011 to March 2012"
