"""The gate in front of a shared server: what it lets through, and what it withstands."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import datetime as dt
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from dashboard import sharing as shared_by
from dashboard.app import Readiness
from dashboard.gate import Gate, Refusals, Refused, address_of, told_of_bug
from dashboard.paths import crooked, rule_for, rules
from dashboard.plain import page
from dashboard.sharing import Sharing, cookie, cookie_name
from data import accounts, sessions
from data.database import SESSIONS, Database
from data.errors import BadOption, StoreError
from tests.browser.conftest import ROOT, Served, served_shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PASSWORD = "correct horse battery"
LISTING = """
import json, sys
from pathlib import Path
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from dashboard import session
from dashboard.app import build
from dashboard.provider import ProviderSettings
from dashboard.service import Service
from dashboard.sharing import Sharing
from data.database import Database
from data.scope import OPERATOR

def listed(routes, before=""):
    for route in routes:
        inner = getattr(route, "app", None)
        if isinstance(route, WebSocketRoute):
            yield "WEBSOCKET", before + route.path
        elif isinstance(route, Route):
            for method in sorted(route.methods or ()):
                yield method, before + route.path
        elif isinstance(inner, StaticFiles):
            for folder in inner.all_directories:
                for file in sorted(Path(folder).rglob("*")):
                    if file.is_file():
                        yield "GET", f"{before}{route.path}/{file.relative_to(folder).as_posix()}"
        elif hasattr(inner, "routes"):
            yield from listed(inner.routes, before + route.path)
        elif hasattr(route, "routes"):
            yield from listed(route.routes, before + route.path)
        else:
            yield "?", before + route.path

if __name__ == "__main__":
    store = Path(sys.argv[1])
    provider = ProviderSettings("https://provider.example", "us", "secret")
    shared = Sharing("http://127.0.0.1:8501", demo_personas=True, provider=provider)
    served = session.serve(Service(store, OPERATOR), database=Database(store), cookie="fairtier")
    app = build([object(), object()], served, shared)
    print("LISTED" + json.dumps(list(listed(app._build_starlette_app().routes))))
"""


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: str


@dataclass
class Shared:
    """A running shared server, its database, and a few ways to ask it."""

    served: Served
    database: Database

    @property
    def origin(self) -> str:
        return self.served.url

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=15)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, dict):
            body = urlencode(body)
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        try:
            connection.request(method, path, body, sent)
            found = connection.getresponse()
            return Answer(found.status, found.headers, found.read().decode("utf-8", "replace"))
        finally:
            connection.close()

    def post(self, path: str, body: dict[str, str], **headers: str) -> Answer:
        return self.ask("POST", path, body, **({"Origin": self.origin} | headers))

    def raw(self, content: bytes, wait_seconds: float = 10) -> bytes:
        """What comes back for these very bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.served.port), wait_seconds) as line:
            line.sendall(content)
            answered = b""
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while part := line.recv(65536):
                    answered += part
            return answered

    def raw_status(self, target: str, *lines: str) -> int:
        head = [f"GET {target} HTTP/1.1", *lines, "Connection: close", "", ""]
        answered = self.raw("\r\n".join(head).encode("latin-1"))
        return int(answered.split(b" ", 2)[1])

    def host(self) -> str:
        return f"Host: 127.0.0.1:{self.served.port}"

    def session(self, email: str) -> tuple[sessions.Session, str]:
        """A session that somebody has; without a password, which would take its time."""
        (account,) = [a for a in accounts.accounts(self.database) if a.email == email]
        return sessions.begin(self.database, account, address="127.0.0.1", browser="test")

    def websocket(self, token: str | None, origin: str | None = "", **options: Any) -> Any:
        cookies = {"Cookie": f"fairtier={token}"} if token else {}
        return connect(
            f"ws://127.0.0.1:{self.served.port}/_stcore/stream",
            origin=self.origin if origin == "" else origin,  # type: ignore[arg-type]
            additional_headers=cookies,
            subprotocols=options.pop("subprotocols", ["streamlit"]),
            open_timeout=10,
            **options,
        )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("shared")
    database = Database(folder / "store")
    for name in ("ann", "bob"):
        _, token = accounts.add(
            database,
            f"{name}@prime.example",
            name,
            f"XX-{name.upper()}",
            "member",
            actor="operator",
            actor_organisation_id=None,
        )
        accounts.join_with_provider(database, token, "https://provider.example", name)
    limits = {"silence_seconds": 1, "head_seconds": 1.5, "socket_count": 10}
    with served_shared(folder / "store", folder / "server", limits=limits) as running:
        yield Shared(running, database)
    database.close()


# The table of rules


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Every route of the server, from the application itself."""
    folder = tmp_path_factory.mktemp("routes")
    program = folder / "listing.py"
    program.write_text(LISTING)
    done = subprocess.run(
        [sys.executable, str(program), str(folder / "store")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "LISTED" in done.stdout, done.stderr
    return [tuple(pair) for pair in json.loads(done.stdout.partition("LISTED")[2])]


def without_rule(routes: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Routes that no rule decides about, each path asked for with plain words in its gaps."""
    missing = []
    for method, path in routes:
        filled = "/".join(
            ("a/b.c" if part.endswith(":path}") else "a") if part.startswith("{") else part
            for part in path.split("/")
        )
        if rule_for(method, filled) is None:
            missing.append((method, path))
    return missing


def test_every_route_of_the_server_has_a_rule(routes):
    assert len(routes) > 40
    assert {path for _, path in routes} >= {"/_stcore/stream", "/sign-in", "/media/{file_id:path}"}
    assert without_rule(routes) == []


def test_a_route_without_a_rule_is_noticed(routes):
    added = [("GET", "/rows"), ("POST", "/media/{file_id:path}"), ("WEBSOCKET", "/other")]
    assert without_rule([*routes, *added]) == added


def test_every_rule_says_who_and_why():
    for rule in rules():
        assert rule.why
        assert rule.methods
        assert rule.who in ("anyone", "signed_in", "token", "nobody")
        if set(rule.methods) <= {"GET", "HEAD"}:
            assert rule.body_limit_bytes == 0
    anyones = {rule.path for rule in rules() if rule.who == "anyone"}
    assert not anyones & {"/", "/agreement", "/upload", "/media/{file:path}", "/_stcore/stream"}


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/script-health-check",
        "/_stcore/agent/mcp",
        "/_stcore/agent/openapi.json",
        "/auth/login",
        "/oauth2callback",
        "/component/a/b.js",
        "/_stcore/bidi-components/a/b.js",
        "/app/static/x",
        "/index.html",
        "/no/such/page",
        "/dashboard/views/script.py",
        "/agreement/_stcore/health",
    ],
)
def test_what_nobody_may_ask_for_is_not_there(shared, path):
    _, token = shared.session("ann@prime.example")
    for headers in ({}, {"Cookie": f"fairtier={token}"}):
        assert shared.ask("GET", path, **headers).status == 404
        assert shared.ask("POST", path, Origin=shared.origin, **headers).status == 404


def test_no_other_site_is_told_that_it_may_ask(shared):
    asked = shared.ask("OPTIONS", "/sign-in", Origin="https://evil.example")
    assert asked.status == 404
    for path in ("/_stcore/health", "/_stcore/host-config", "/sign-in"):
        found = shared.ask("GET", path, Origin="https://evil.example")
        assert found.status == 200
        assert not [name for name in found.headers if name.lower().startswith("access-control")]


# Strangers


@pytest.mark.parametrize("path", ["/", "/agreement", "/downloads/flags.csv", "/sign-out"])
def test_a_stranger_who_opens_a_page_is_led_to_the_sign_in_and_back(shared, path):
    found = shared.ask("GET", f"{path}?contract=A%20B", Accept="text/html")
    assert found.status == 303
    wanted = urlencode({"next": f"{path}?contract=A%20B"})
    assert found.headers["location"] == f"/sign-in?{wanted}"
    assert shared.ask("GET", path).status == 401
    assert shared.ask("GET", path, Accept="text/html", Sec_Fetch_Mode="no-cors").status == 401


def test_ways_in_that_are_not_set_up_are_not_there(shared):
    assert shared.post("/sign-in/persona", {"organisation_id": "XX-ANN"}).status == 404
    for path in ("/sign-in/provider", "/sign-in/callback", "/invitation/x/provider"):
        assert shared.ask("GET", path).status == 404


def test_a_stranger_gets_no_file_and_may_send_none(shared):
    assert shared.ask("GET", "/media/0123.csv").status == 401
    sent = shared.ask("PUT", "/_stcore/upload_file/a/b", b"x", Origin=shared.origin)
    assert sent.status == 401


def test_a_stranger_is_told_that_the_server_is_alive_and_ready_and_no_more(shared):
    assert shared.ask("GET", "/healthz").body == "alive"
    assert shared.ask("GET", "/readyz").body == "ready"


def test_a_strangers_websocket_shows_nothing_but_the_way_to_the_sign_in(shared):
    for token in (None, "forged"):
        with shared.websocket(token) as line:
            assert b"/sign-in" in line.recv(10)
            with pytest.raises(ConnectionClosed) as closed:
                line.recv(10)
            assert closed.value.rcvd.code == 1008


# Cookies


def test_a_session_opens_the_pages(shared):
    _, token = shared.session("ann@prime.example")
    found = shared.ask("GET", "/", Cookie=f"other=1; fairtier={token}")
    assert found.status == 200
    assert "Streamlit" in found.body
    assert found.headers["cache-control"] == "no-store"


def refused_cookies(shared: Shared, folder: Path) -> Iterator[tuple[str, str]]:
    yield "forged", "fairtier=" + "A" * 43
    yield "empty", "fairtier="
    yield "not a token", "fairtier=' OR 1=1 --"
    ended, token = shared.session("ann@prime.example")
    sessions.end(shared.database, ended.session_id, actor="operator", actor_organisation_id=None)
    yield "replayed", f"fairtier={token}"
    over, token = shared.session("ann@prime.example")
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    for column in ("ends_at", "seen_at"):
        with shared.database.writing() as connection:
            connection.execute(
                SESSIONS.update()
                .where(SESSIONS.c.session_id == over.session_id)
                .values({column: yesterday})
            )
        yield f"expired by {column}", f"fairtier={token}"
    other = Database(folder)
    account, link = accounts.add(
        other, "ann@prime.example", "", "X", "network", actor="x", actor_organisation_id=None
    )
    account = accounts.join_with_provider(other, link, "https://provider.example", "ann")
    _, token = sessions.begin(other, account, address="", browser="")
    other.close()
    yield "foreign", f"fairtier={token}"
    _, mine = shared.session("ann@prime.example")
    yield "two that contradict", f"fairtier={mine}; fairtier={token}"
    yield "another name", f"Fairtier={mine}"
    shared.session("bob@prime.example")
    with shared.database.reading() as connection:
        stored = connection.execute(sa.select(SESSIONS.c.token_hash)).scalars().all()
    yield "what is stored", f"fairtier={stored[-1]}"


def test_no_cookie_but_that_of_a_session_that_holds_lets_anybody_in(shared, tmp_path):
    kinds = list(refused_cookies(shared, tmp_path))
    assert len(kinds) > 8
    for kind, value in kinds:
        assert shared.ask("GET", "/", Cookie=value).status == 401, kind
        assert shared.ask("GET", "/media/x.csv", Cookie=value).status == 401, kind


def rerun() -> bytes:
    from streamlit.proto.BackMsg_pb2 import BackMsg

    message: Any = BackMsg()
    message.rerun_script.query_string = ""
    return bytes(message.SerializeToString())


def new_run(line: Any) -> str:
    """Streamlit's id of the run on this websocket."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    line.send(rerun())
    while True:
        message: Any = ForwardMsg()
        message.ParseFromString(line.recv(30))
        if message.WhichOneof("type") == "new_session":
            return str(message.new_session.initialize.session_id)


def until_closed(line: Any) -> tuple[list[Any], int]:
    """What still came over a websocket, and the code that it was closed with."""
    seen: list[Any] = []
    try:
        while True:
            seen.append(line.recv(20))
    except ConnectionClosed as closed:
        return seen, closed.rcvd.code if closed.rcvd else 0


def test_a_session_that_was_ended_is_dead_at_the_next_action_in_open_pages_too(shared):
    session, token = shared.session("ann@prime.example")
    with shared.websocket(token) as line, shared.websocket(token) as other_tab:
        new_run(line)
        new_run(other_tab)
        sessions.end(
            shared.database, session.session_id, actor="operator", actor_organisation_id=None
        )
        for page_of_it in (line, other_tab):
            page_of_it.send(rerun())
            seen, code = until_closed(page_of_it)
            assert b"/sign-in" in seen[-1]
            assert code == 1008
    assert shared.ask("GET", "/", Cookie=f"fairtier={token}").status == 401


def test_a_disabled_account_is_out_at_once(shared):
    _, token = shared.session("bob@prime.example")
    account, _ = accounts.add(
        shared.database,
        "cat@prime.example",
        "",
        "XX-CAT",
        "member",
        actor="operator",
        actor_organisation_id=None,
    )
    link = accounts.reset(
        shared.database, account.email, actor="operator", actor_organisation_id=None
    )
    accounts.join_with_provider(shared.database, link, "https://provider.example", "cat")
    _, hers = shared.session("cat@prime.example")
    assert shared.ask("GET", "/", Cookie=f"fairtier={hers}").status == 200
    accounts.disable(shared.database, account.email, actor="operator", actor_organisation_id=None)
    assert shared.ask("GET", "/", Cookie=f"fairtier={hers}").status == 401
    assert shared.ask("GET", "/", Cookie=f"fairtier={token}").status == 200


def test_nobody_takes_over_or_writes_to_a_page_that_somebody_else_has_open(shared):
    _, anns = shared.session("ann@prime.example")
    _, bobs = shared.session("bob@prime.example")
    with shared.websocket(anns) as line:
        run = new_run(line)
        path = f"/_stcore/upload_file/{run}/x"
        with shared.websocket(bobs, subprotocols=["streamlit", "x", run]) as other:
            assert new_run(other) != run
        foreign = shared.ask("PUT", path, b"x", Cookie=f"fairtier={bobs}", Origin=shared.origin)
        assert foreign.status == 404
        own = shared.ask("PUT", path, b"x", Cookie=f"fairtier={anns}", Origin=shared.origin)
        assert own.status != 404
    with shared.websocket(anns, subprotocols=["streamlit", "x", run]) as again:
        assert new_run(again) == run


def test_a_websocket_on_which_text_or_nonsense_is_sent_is_closed(shared):
    _, token = shared.session("ann@prime.example")
    for nonsense in ("text", b"\xff\xff\xff"):
        with shared.websocket(token) as line:
            line.send(nonsense)
            assert until_closed(line)[1] in (1002, 1003)
    assert shared.ask("GET", "/healthz").status == 200


# Other sites


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "{own}.evil.example"},
        {"Origin": "{own}", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://127.0.0.1:{port}"},
    ],
)
def test_a_form_or_page_of_another_site_does_nothing(shared, headers):
    _, token = shared.session("ann@prime.example")
    sent = {
        name: value.replace("{own}", shared.origin).replace("{port}", str(shared.served.port))
        for name, value in headers.items()
    }
    for method, path in (
        ("POST", "/sign-out"),
        ("POST", "/sign-in"),
        ("PUT", "/_stcore/upload_file/a/b"),
        ("DELETE", "/_stcore/upload_file/a/b"),
    ):
        assert shared.ask(method, path, b"", Cookie=f"fairtier={token}", **sent).status == 403
    assert shared.ask("GET", "/", Cookie=f"fairtier={token}").status == 200
    origin = sent.get("Origin")
    extra = {"Sec-Fetch-Site": "cross-site"} if "Sec-Fetch-Site" in sent else {}
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(
            f"ws://127.0.0.1:{shared.served.port}/_stcore/stream",
            origin=origin,  # type: ignore[arg-type]
            additional_headers={"Cookie": f"fairtier={token}"} | extra,
        ),
    ):
        pass
    assert refused.value.response.status_code == 403


# Hosts and paths


def test_only_the_one_name_is_answered(shared):
    port = shared.served.port
    own = f"Host: 127.0.0.1:{port}"
    assert shared.raw_status("/healthz", own) == 200
    for lines in (
        ["Host: evil.example"],
        [f"Host: evil.example:{port}"],
        [f"Host: 127.0.0.1:{port}.evil.example"],
        [f"Host: 127.0.0.1:{port}@evil.example"],
        ["Host: 127.0.0.1"],
        [f"Host: localhost:{port}"],
        ["Host:"],
    ):
        assert shared.raw_status("/sign-in", *lines) == 421, lines
        assert shared.raw_status("/", *lines, f"X-Forwarded-Host: 127.0.0.1:{port}") == 421
    assert shared.raw_status("/sign-in") == 400
    assert shared.raw_status("/sign-in", own, own) == 400
    assert shared.raw_status("/sign-in", own, "Host: evil.example") == 400
    assert shared.raw_status("http://evil.example/sign-in", own) == 400


@pytest.mark.parametrize(
    "target",
    [
        "//sign-in",
        "/sign-in//",
        "/./sign-in",
        "/static/../sign-in",
        "/static/%2e%2e/sign-in",
        "/static/..%2fsign-in",
        "/static/..%5csign-in",
        "/static/..\\sign-in",
        "/static/%252e%252e/sign-in",
        "/sign-in%00",
        "/sign-in%0d%0aX:%20y",
        "/sign-in%2f",
        "/sign-in\x7f",
        "/media/\xe9",
        "/media/%ff",
        "sign-in",
        "*",
        "/" + "a" * 2000,
        "/?" + "a" * 9000,
    ],
)
def test_a_path_that_could_be_read_in_two_ways_is_refused(shared, target):
    assert shared.raw_status(target, shared.host()) == 400


def test_a_path_that_can_be_read_in_one_way_only_is_not_called_crooked():
    for path in ("/", "/sign-in", "/media/a-b_c.csv", "/invitation/Az-_09", "/api/v1/returns/x"):
        assert not crooked(path.encode(), path)


def test_too_many_or_too_long_headers_are_refused(shared):
    assert shared.raw_status("/healthz", shared.host(), *[f"X-{n}: y" for n in range(150)]) == 400
    assert shared.raw_status("/healthz", shared.host(), f"X: {'y' * 20_000}") == 400
    assert shared.raw_status("/healthz", shared.host(), f"X: {'y' * 100_000}") == 400
    both = ["Content-Length: 5", "Transfer-Encoding: chunked"]
    assert shared.raw_status("/sign-in", shared.host(), *both) == 400
    assert (
        shared.raw_status("/sign-in", shared.host(), "Content-Length: 5", "Content-Length: 6")
        == 400
    )


# Bodies and connections


def head(shared: Shared, *lines: str) -> bytes:
    start = ["POST /sign-in HTTP/1.1", shared.host(), f"Origin: {shared.origin}", *lines, "", ""]
    return "\r\n".join(start).encode()


def test_a_body_that_is_too_large_is_refused_by_its_length_before_it_comes(shared):
    answered = shared.raw(head(shared, f"Content-Length: {10**12}"))
    assert answered.startswith(b"HTTP/1.1 413")
    assert shared.post("/sign-in", {"email": "a" * 20_000}).status == 413
    with_body = shared.raw(
        f"GET /sign-in HTTP/1.1\r\n{shared.host()}\r\nContent-Length: 5\r\n\r\nhello".encode()
    )
    assert with_body.startswith(b"HTTP/1.1 413")


def test_a_body_that_says_no_length_is_counted_as_it_comes(shared):
    chunk = b"1000\r\n" + b"a" * 4096 + b"\r\n"
    answered = shared.raw(head(shared, "Transfer-Encoding: chunked") + chunk * 8 + b"0\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 413")


def test_a_body_that_stops_coming_is_not_waited_for(shared):
    begun = time.monotonic()
    answered = shared.raw(head(shared, "Content-Length: 100") + b"email=")
    assert answered.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun < 6


def test_a_body_that_trickles_is_not_waited_for(shared):
    with socket.create_connection(("127.0.0.1", shared.served.port), 10) as line:
        line.sendall(head(shared, "Content-Length: 100"))
        begun = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 6:
                line.sendall(b"a")
                time.sleep(0.3)
        assert line.recv(100).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - begun < 8


def test_a_head_that_stops_coming_is_not_waited_for(shared):
    begun = time.monotonic()
    assert shared.raw(b"GET /sign-in HTTP/1.1\r\nHost: ") == b""
    assert shared.raw(b"") == b""
    assert time.monotonic() - begun < 10


def test_many_slow_connections_keep_nobody_out(shared):
    with contextlib.ExitStack() as held:
        for _ in range(300):
            line = held.enter_context(
                socket.create_connection(("127.0.0.1", shared.served.port), 10)
            )
            line.sendall(b"GET / HTTP/1.1\r\nX")
        begun = time.monotonic()
        assert shared.ask("GET", "/healthz").status == 200
        assert time.monotonic() - begun < 2


def test_many_requests_at_once_are_all_answered(shared):
    _, token = shared.session("ann@prime.example")
    paths = ["/", "/sign-in", "/static/none.js", "/agreement", "/media/none", "/readyz"] * 50
    with concurrent.futures.ThreadPoolExecutor(60) as crowd:
        found = list(
            crowd.map(lambda path: shared.ask("GET", path, Cookie=f"fairtier={token}"), paths)
        )
    assert {one.status for one in found} <= {200, 303, 404}
    assert shared.ask("GET", "/healthz").status == 200


def test_a_session_has_no_more_than_so_many_websockets(shared):
    _, token = shared.session("ann@prime.example")
    with contextlib.ExitStack() as held:
        for _ in range(10):
            held.enter_context(shared.websocket(token))
        with pytest.raises(InvalidStatus), shared.websocket(token):
            pass
    with shared.websocket(token) as line:
        assert new_run(line)


# Answers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sign-in"),
        ("GET", "/"),
        ("GET", "/nothing"),
        ("POST", "/sign-in"),
        ("GET", "/healthz"),
        ("GET", "/static/none.js"),
        ("GET", "/invitation/none"),
        ("GET", "/media/%2e"),
    ],
)
def test_every_answer_has_the_security_headers(shared, method, path):
    found = shared.ask(method, path)
    policy = found.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["x-frame-options"] == "DENY"
    assert found.headers["referrer-policy"] == "same-origin"
    assert found.headers["cross-origin-resource-policy"] == "same-origin"
    assert "strict-transport-security" not in found.headers
    assert "server" not in found.headers
    assert found.headers.get_all("content-security-policy") == [policy]


def test_scripts_of_the_pages_may_be_kept_by_the_browser_and_nothing_else(shared):
    _, token = shared.session("ann@prime.example")
    script = shared.ask("GET", "/", Cookie=f"fairtier={token}").body.partition('src="./static/')[2]
    kept = shared.ask("GET", f"/static/{script.partition(chr(34))[0]}")
    assert kept.status == 200
    assert "immutable" in kept.headers["cache-control"]
    for path in ("/", "/agreement", "/sign-in", "/_stcore/health"):
        found = shared.ask("GET", path, Cookie=f"fairtier={token}")
        assert found.headers["cache-control"] == "no-store"


def test_the_log_counts_refusals_and_tells_nothing_of_what_was_sent(shared):
    marks = [f"canary-{place}" for place in ("path", "query", "cookie", "agent", "email", "word")]
    path, query, cookie_value, agent, email, password = marks
    shared.ask("GET", f"/{path}?{query}", Cookie=f"fairtier={cookie_value}", User_Agent=agent)
    shared.ask("GET", f"/?{query}", Cookie=f"fairtier={cookie_value}", User_Agent=agent)
    shared.ask("GET", f"/invitation/{path}?{query}")
    shared.post("/sign-in", {"email": f"{email}@x.example", "password": password})
    log = shared.served.imports.read_text()
    assert not [mark for mark in marks if mark in log]
    for reason in ("unlisted", "session", "sign_in", "origin", "host", "shape", "length", "slow"):
        assert f"reason={reason} rule=" in log, log
    assert "Traceback" not in log, log


# Parts that need no server


def asked(
    gate: Gate, path: str = "/", method: str = "GET", **headers: str
) -> tuple[int, dict[str, list[str]]]:
    """What the gate answers: status, and headers by name."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }
    asyncio.run(gate(scope, receive, send))
    found: dict[str, list[str]] = {}
    for name, value in sent[0]["headers"]:
        found.setdefault(name.decode(), []).append(value.decode())
    return sent[0]["status"], found


async def sets_a_cookie(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"set-cookie", b"a=b"), (b"access-control-allow-origin", b"*")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def shared_as() -> Iterator[Callable[[Sharing | None], None]]:
    yield shared_by.share
    shared_by.share(None)


def test_behind_tls_cookies_and_connections_stay_behind_tls(shared_as):
    sharing = Sharing("https://Fairtier.example")
    shared_as(sharing)
    assert cookie_name() == "__Host-fairtier"
    assert cookie_name("device") == "__Host-fairtier-device"
    answer = page("Hello", "")
    shared_by.set_cookie(answer, cookie_name(), "secret")
    (told,) = answer.headers.getlist("set-cookie")
    assert told == "__Host-fairtier=secret; HttpOnly; Path=/; SameSite=lax; Secure"
    status, headers = asked(Gate(sets_a_cookie, sharing), "/sign-in", host="fairtier.example")
    assert status == 200
    assert headers["set-cookie"] == ["a=b; Secure"]
    assert headers["strict-transport-security"] == ["max-age=31536000"]
    assert "connect-src 'self' wss://fairtier.example;" in headers["content-security-policy"][0]
    assert "access-control-allow-origin" not in headers


def test_a_probe_may_call_the_server_by_its_own_machines_name():
    gate = Gate(sets_a_cookie, Sharing("https://fairtier.example"))
    assert asked(gate, "/healthz", host="127.0.0.1:8501")[0] == 200
    assert asked(gate, "/readyz", host="localhost")[0] == 200
    assert asked(gate, "/sign-in", host="127.0.0.1:8501")[0] == 421
    assert asked(gate, "/healthz", host="evil.example")[0] == 421


def test_a_server_called_by_another_name_says_which_it_answers_to():
    gate = Gate(sets_a_cookie, Sharing("http://127.0.0.1:8501"))
    with pytest.raises(Refused, match=r"answers to http://127.0.0.1:8501 alone"):
        gate._check_host({"path": "/", "headers": [(b"host", b"localhost:8501")]})


def test_the_overview_has_one_address():
    assert rule_for("GET", "/overview") is None
    assert rule_for("GET", "/") is not None


def test_the_cookie_of_a_plain_address_has_the_plain_name(shared_as):
    shared_as(Sharing("http://127.0.0.1:8501"))
    assert cookie_name() == "fairtier"
    assert cookie([(b"cookie", b'a=1; fairtier="x"')], "fairtier") == "x"
    assert cookie([(b"cookie", b"fairtier=x; fairtier=x")], "fairtier") == "x"
    assert cookie([(b"cookie", b"fairtier=x"), (b"cookie", b"fairtier=y")], "fairtier") is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://fairtier.example/", "https://fairtier.example"),
        ("https://FAIRTIER.example:443", "https://fairtier.example"),
        ("https://fairtier.example:8443", "https://fairtier.example:8443"),
        ("http://localhost:8501", "http://localhost:8501"),
    ],
)
def test_the_public_address_gives_the_one_origin(url, origin):
    assert Sharing(url).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "fairtier.example",
        "ftp://fairtier.example",
        "https://fairtier.example/path",
        "https://user@fairtier.example",
        "https://fairtier.example?x",
        "https://",
        "http://fairtier.example",
        "http://127.0.0.1:bad",
        "https://[fairtier.example",
    ],
)
def test_an_address_that_could_not_be_kept_safe_is_refused(url):
    with pytest.raises(BadOption, match=r"FAIRTIER_URL|TLS"):
        Sharing(url)


def client(address: str, *forwarded: str) -> dict[str, Any]:
    return {
        "client": (address, 1),
        "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded],
    }


def test_only_our_own_proxies_are_believed_about_addresses(monkeypatch):
    assert address_of(client("192.0.2.1", "198.51.100.7")) == "192.0.2.1"
    monkeypatch.setenv("FAIRTIER_PROXY_ADDRESSES", "10.0.0.5, 10.1.0.0/16")
    assert address_of(client("192.0.2.1", "198.51.100.7")) == "192.0.2.1"
    assert address_of(client("10.0.0.5", "198.51.100.7")) == "198.51.100.7"
    assert address_of(client("10.0.0.5", "invented, 198.51.100.7")) == "198.51.100.7"
    assert address_of(client("10.0.0.5", "invented", "198.51.100.7, 10.1.2.3")) == "198.51.100.7"
    assert address_of(client("10.0.0.5")) == "10.0.0.5"
    assert address_of({"client": None, "headers": []}) == "unknown"
    monkeypatch.setenv("FAIRTIER_PROXY_ADDRESSES", "our proxy")
    with pytest.raises(BadOption, match="FAIRTIER_PROXY_ADDRESSES"):
        address_of(client("10.0.0.5", "198.51.100.7"))


def test_a_file_that_a_page_offered_is_for_that_session_alone(tmp_path, shared_as):
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg  # the real ones, as they are sent

    begun, offer, made_later, words = (ForwardMsg() for _ in range(4))
    begun.new_session.initialize.session_id = "a run"
    button: Any = offer.delta.new_element.download_button
    button.id, button.url, button.help = "a button", "/media/0a1b.csv", "Help"
    made_later.backend_operation_response.deferred_file.url = "/media/0c2d.xlsx"
    words.delta.new_element.markdown.body = "/media/9999.csv"
    messages: list[Any] = [begun, offer, made_later, words]
    sharing = Sharing("http://127.0.0.1:8501")
    shared_as(sharing)
    database = Database(tmp_path)
    tokens = []
    for name in ("ann", "bob"):
        _, link = accounts.add(
            database, f"{name}@x.example", "", name, "member", actor="x", actor_organisation_id=None
        )
        account = accounts.join_with_provider(database, link, "https://provider.example", name)
        tokens.append(sessions.begin(database, account, address="", browser="")[1])

    async def offers_a_file(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await sets_a_cookie(scope, receive, send)
        else:
            for message in messages:
                await send({"type": "websocket.send", "bytes": message.SerializeToString()})
            await send({"type": "websocket.send", "bytes": b"\xff /media/5555.csv"})

    gate = Gate(offers_a_file, sharing, database)

    async def visit() -> None:
        async def silent(*_: Any) -> Any:
            return {"type": "websocket.connect"}

        scope = {
            "type": "websocket",
            "path": "/_stcore/stream",
            "query_string": b"",
            "headers": [
                (b"host", b"127.0.0.1:8501"),
                (b"origin", b"http://127.0.0.1:8501"),
                (b"cookie", f"fairtier={tokens[0]}".encode()),
            ],
        }
        await gate(scope, silent, silent)

    asyncio.run(visit())
    host = "127.0.0.1:8501"
    for token, path, status in (
        (tokens[0], "/media/0a1b.csv", 200),
        (tokens[0], "/media/0c2d.xlsx", 200),
        (tokens[1], "/media/0a1b.csv", 404),
        (tokens[0], "/media/5555.csv", 404),
        (tokens[0], "/media/9999.csv", 404),
    ):
        assert asked(gate, path, host=host, cookie=f"fairtier={token}")[0] == status
    database.close()


def test_one_operator_needs_no_account_and_has_no_sign_in():
    gate = Gate(sets_a_cookie)
    host = "127.0.0.1:8501"
    assert asked(gate, "/", host=host)[0] == 200
    assert asked(gate, "/media/x.csv", host=host)[0] == 200
    assert asked(gate, "/sign-in", host=host)[0] == 404
    assert asked(gate, "/_stcore/metrics", host=host)[0] == 404
    path = "/_stcore/upload_file/a/b"
    assert asked(gate, path, "PUT", host=host, origin=f"http://{host}")[0] == 200
    assert asked(gate, path, "PUT", host=host, origin="https://evil.example")[0] == 403
    assert asked(gate, path, "PUT", host=host)[0] == 403


def test_a_bug_is_told_by_its_id_alone(tmp_path):
    async def breaks(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("secret-row-content")

    gate = Gate(breaks, Sharing("http://127.0.0.1:8501"), store=tmp_path)
    status, headers = asked(gate, "/sign-in", host="127.0.0.1:8501")
    assert status == 500
    assert "x-frame-options" in headers
    noted = (tmp_path / "errors.log").read_text()
    assert "ValueError" in noted
    assert "secret-row-content" not in noted
    told = told_of_bug('Fairtier failed (abc, KeyError). "/srv/var/errors.log" says where.')
    assert (
        told
        == "Fairtier failed (abc, KeyError). Tell whoever runs this server the letters in brackets."
    )


def test_a_database_that_is_away_is_said_without_saying_where_it_is(tmp_path):
    async def away(scope: Any, receive: Any, send: Any) -> None:
        raise StoreError("postgresql://fairtier:secret@db.internal")

    status, headers = asked(
        Gate(away, Sharing("http://127.0.0.1:8501")), "/sign-in", host="127.0.0.1:8501"
    )
    assert status == 503
    assert headers["retry-after"] == ["30"]


def test_not_ready_is_said_while_ledger_or_database_cannot_be_reached(tmp_path):
    async def status(readiness: Readiness) -> int:
        return (await readiness.answer(None)).status_code  # type: ignore[arg-type]

    database = Database(tmp_path / "store")
    assert asyncio.run(status(Readiness(tmp_path / "store", database))) == 200
    (tmp_path / "file").write_text("not a folder")
    gone = Database(tmp_path / "store")
    gone.url = sa.make_url("sqlite:////nowhere/at/all.db")
    gone.engine = sa.create_engine(gone.url)
    assert asyncio.run(status(Readiness(tmp_path / "store", gone))) == 503
    database.close()


def test_a_flood_of_refusals_is_told_as_a_count(caplog):
    async def flood() -> None:
        refusals = Refusals(quiet_seconds=0.05)
        for _ in range(1000):
            refusals.note("origin", rule_for("POST", "/sign-in"))
        await asyncio.sleep(0.1)
        assert refusals.total["origin"] == 1000

    with caplog.at_level("WARNING", logger="fairtier.gate"):
        asyncio.run(flood())
    assert [record.getMessage() for record in caplog.records] == [
        "refused reason=origin rule=/sign-in count=1",
        "refused reason=origin rule=/sign-in count=999",
    ]
