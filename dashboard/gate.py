"""The gate before every path and the websocket: who may ask for what, from where, how much.

A request passes in this order: its host, the shape of its target and headers, the table of rules,
its origin, the length of its body, its session. What no rule lists is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import logging
import os
import re
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import anyio
from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from dashboard.paths import MIB, READ, WEBSOCKET, Rule, crooked, rule_for
from dashboard.plain import page
from dashboard.problems import problem_of_status
from dashboard.sharing import HOST, THIS_MACHINE, Sharing, cookie, cookie_name
from dashboard.terminal import report_bug
from dashboard.words import text
from data.errors import BadOption, StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from data.database import Database
    from data.sessions import Session

LOG = logging.getLogger("fairtier.gate")


@dataclass(frozen=True)
class Limits:
    """How much and how slowly may be sent.

    `head_seconds` is how long the head of a request may take, `silence_seconds` how long its body
    may pause, `socket_count` how many websockets one session may have.
    """

    path_bytes: int = 1024
    query_bytes: int = 8 * 1024
    headers_bytes: int = 16 * 1024
    headers_count: int = 100
    head_seconds: float = 20
    silence_seconds: float = 30
    least_bytes_per_second: float = 1000
    socket_count: int = 50


class Refused(HTTPException):
    """A request that the gate does not let through; `reason` is a word for the log."""

    def __init__(
        self,
        status: int,
        reason: str,
        sentence: str,
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(status, sentence, dict(headers or {}))
        self.reason = reason
        self.noted = False


class Refusals:
    """Tells of refusals in the log: the first at once, more of the same kind as a count.

    So a flood of requests is no flood of lines. A line holds the reason and the rule, never the
    path, an address, a cookie or a word that somebody sent.
    """

    def __init__(self, quiet_seconds: float = 10):
        self.quiet_seconds = quiet_seconds
        self.total: Counter[str] = Counter()
        self._held: Counter[tuple[str, str]] = Counter()
        self._quiet: set[tuple[str, str]] = set()

    def note(self, reason: str, rule: Rule | None) -> None:
        """Count a refusal."""
        kind = (reason, rule.path if rule else "none")
        self.total[reason] += 1
        self._held[kind] += 1
        if kind not in self._quiet:
            self._quiet.add(kind)
            self._tell(kind)
            asyncio.get_running_loop().call_later(self.quiet_seconds, self._end_of_quiet, kind)

    def _end_of_quiet(self, kind: tuple[str, str]) -> None:
        self._quiet.discard(kind)
        if self._held[kind]:
            self._tell(kind)

    def _tell(self, kind: tuple[str, str]) -> None:
        count = self._held.pop(kind)
        LOG.warning("refused reason=%s rule=%s count=%d", *kind, count)


REFUSALS = Refusals()


def _note(refused: Refused, rule: Rule | None) -> None:
    if not refused.noted:
        REFUSALS.note(refused.reason, rule)
        refused.noted = True


def header(scope: Scope, name: bytes) -> str | None:
    """The value of a header; None unless it was sent exactly once."""
    found = [value for key, value in scope["headers"] if key.lower() == name]
    return found[0].decode("latin-1") if len(found) == 1 else None


@functools.cache
def _proxies(named: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(
            ipaddress.ip_network(part.strip(), strict=False)
            for part in named.split(",")
            if part.strip()
        )
    except ValueError as error:
        raise BadOption(
            f'FAIRTIER_PROXY_ADDRESSES has "{named}", which is not a list of addresses. Write it '
            "like 10.0.0.5, 10.1.0.0/16."
        ) from error


def proxies() -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """The web servers in front of this one, whose word on who asks is taken; or BadOption."""
    return _proxies(os.environ.get("FAIRTIER_PROXY_ADDRESSES", ""))


def address_of(scope: Scope) -> str:
    """The address that a request comes from.

    `X-Forwarded-For` is believed only where one of our proxies sent it, and only from its end
    back to the first address that is not one of them: anybody can write the beginning.
    """
    client = scope.get("client")
    address = str(client[0]) if client else "unknown"
    sent = [
        value.decode("latin-1")
        for key, value in scope["headers"]
        if key.lower() == b"x-forwarded-for"
    ]
    hops = [part.strip() for part in ",".join(sent).split(",") if part.strip()]
    while hops and _is_proxy(address):
        address = hops.pop()[:64]
    return address


def _is_proxy(address: str) -> bool:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in proxies())


@functools.cache
def _inline_scripts() -> str:
    """Hashes of the scripts written into Streamlit's page, for the policy."""
    import base64  # noqa: PLC0415
    import hashlib  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from streamlit import file_util  # noqa: PLC0415

    content = (Path(file_util.get_static_dir()) / "index.html").read_text("utf-8")
    found = re.findall(r"<script>(.*?)</script>", content, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(part.encode()).digest()) for part in found)
    return " ".join(f"'sha256-{digest.decode()}'" for digest in digests)


def security_headers(netloc: str, secure: bool) -> dict[str, str]:
    """What every answer tells the browser; `netloc` is the name we were called by."""
    scheme = "wss" if secure else "ws"
    told = {
        "content-security-policy": f"default-src 'self'; script-src 'self' {_inline_scripts()} "
        "'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        f"font-src 'self' data:; connect-src 'self' {scheme}://{netloc}; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
        "frame-ancestors 'none'",
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        # Not "no-referrer": with it a browser sends "null" as the origin of our own forms.
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if secure:
        told["strict-transport-security"] = "max-age=31536000"
    return told


@dataclass
class _Told:
    """What each session was told over its websockets, so that no other can ask for it.

    `runs` are Streamlit's ids of what stands behind one open page, `files` names below /media/.
    Both are hard to guess, but an id that was seen is no right.
    """

    most: int = 2000
    runs: OrderedDict[str, str] = field(default_factory=OrderedDict)
    files: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)

    def offered(self, session_id: str, address: str) -> None:
        """Note that a page of a session was offered the file at an address."""
        name = address.partition(_MEDIA)[2]
        if name:
            self.files[session_id, name] = None
            self.files.move_to_end((session_id, name))
        while len(self.files) > 10 * self.most:
            self.files.popitem(last=False)

    def begun(self, session_id: str, run: str) -> None:
        """Note that a page of a session is served as this run."""
        self.runs[run] = session_id
        self.runs.move_to_end(run)
        while len(self.runs) > self.most:
            self.runs.popitem(last=False)


_MEDIA = "/media/"


@functools.cache
def _lookups() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(8)


async def session_found(database: Database | None, scope: Scope) -> Session | None:
    """The session that a request's cookie stands for, if it still holds."""
    from data import sessions  # noqa: PLC0415 - one operator needs no database

    token = cookie(scope["headers"], cookie_name())
    if database is None or not token:
        return None
    return await to_thread.run_sync(sessions.found, database, token, limiter=_lookups())


class Gate:
    """ASGI middleware; without `sharing` one operator works on this machine, without accounts."""

    def __init__(
        self,
        app: ASGIApp,
        sharing: Sharing | None = None,
        database: Database | None = None,
        store: Path | None = None,
        limits: Limits | None = None,
    ):
        self.app = app
        self.sharing = sharing
        self.database = database
        self.store = store
        self.limits = limits or Limits()
        self._told = _Told()
        self._sockets: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        rule: Rule | None = None
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = self._headers(scope, rule, message.get("headers", []))
            await send(message)

        try:
            self._check_host(scope)
            self._check_shape(scope)
            rule = self._rule(scope)
            self._check_origin(scope, rule)
            self._check_length(scope, rule)
            session = await self._session(scope, rule)
            scope.setdefault("state", {}).update(rule=rule, session=session)
            if scope["type"] == "websocket":
                await self._converse(scope, receive, send, session)
            else:
                self._check_ownership(scope, rule, session)
                await self.app(scope, self._bounded(rule, receive), answer)
        except Refused as refused:
            _note(refused, rule)
            await self._refuse(scope, receive, answer, refused, started)
        except StoreError:
            gone = Refused(503, "store", UNREACHABLE, {"retry-after": "30"})
            _note(gone, rule)
            await self._refuse(scope, receive, answer, gone, started)
        except Exception as error:
            sentence = told_of_bug(report_bug(error, self.store))
            await self._refuse(scope, receive, answer, Refused(500, "bug", sentence), started)

    # What a request must be like

    def _check_host(self, scope: Scope) -> None:
        host = (header(scope, b"host") or "").lower()
        name, _, port = host.partition(":")
        if self.sharing is None:
            if name in THIS_MACHINE and (port.isdecimal() or host == name):
                return
            raise Refused(421, "host", "Open the dashboard at http://127.0.0.1.")
        probed = scope["path"] in ("/healthz", "/readyz") and name in THIS_MACHINE
        if host != self.sharing.netloc and not probed:
            raise Refused(
                421, "host", f"This server answers to {self.sharing.url} alone: open that."
            )

    def _check_shape(self, scope: Scope) -> None:
        limits = self.limits
        raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        too_much = (
            len(raw_path) > limits.path_bytes
            or len(scope.get("query_string", b"")) > limits.query_bytes
            or len(scope["headers"]) > limits.headers_count
            or sum(len(key) + len(value) for key, value in scope["headers"]) > limits.headers_bytes
        )
        # Two lengths of one body are how a request is hidden in another behind a proxy.
        names = {key.lower() for key, _ in scope["headers"]}
        too_much |= {b"content-length", b"transfer-encoding"} <= names
        if too_much or crooked(raw_path, scope["path"]):
            raise Refused(400, "shape", "The address is not one of this server's.")

    def _rule(self, scope: Scope) -> Rule:
        method = WEBSOCKET if scope["type"] == "websocket" else scope["method"]
        rule = rule_for(method, scope["path"], shared=self.sharing is not None)
        if rule is None or rule.who == "nobody":
            why = "unlisted" if rule is None else "nobody"
            raise Refused(404, why, "There is nothing at this address.")
        return rule

    def _check_origin(self, scope: Scope, rule: Rule) -> None:
        if rule.who == "token" or scope.get("method") in READ:
            return
        origin, ours = header(scope, b"origin"), f"http://{header(scope, b'host')}"
        if self.sharing:
            ours = self.sharing.origin
        crossed = (header(scope, b"sec-fetch-site") or "same-origin").lower() == "cross-site"
        if crossed or origin is None or origin.lower() != ours.lower():
            raise Refused(403, "origin", "Only this server's own pages may ask for that.")

    def _check_length(self, scope: Scope, rule: Rule) -> None:
        length = header(scope, b"content-length")
        if length is not None and length.isdecimal() and int(length) > rule.body_limit_bytes:
            raise Refused(413, "length", _too_large(rule), {"connection": "close"})

    async def _session(self, scope: Scope, rule: Rule) -> Session | None:
        if self.sharing is None or self.database is None or rule.who in ("anyone", "token"):
            return None
        session = await session_found(self.database, scope)
        if session is None and scope["type"] == "http":
            raise Refused(401, "session", "Sign in first, at /sign-in.")
        return session

    def _check_ownership(self, scope: Scope, rule: Rule, session: Session | None) -> None:
        if session is None:
            return
        parts = scope["path"].split("/")
        if rule.path.startswith("/_stcore/upload_file/"):
            theirs = self._told.runs.get(parts[3]) == session.session_id
        elif rule.path.startswith("/media/"):
            theirs = (session.session_id, parts[-1]) in self._told.files
        else:
            return
        if not theirs:
            raise Refused(404, "foreign", "There is nothing at this address.")

    # What it may send

    def _bounded(self, rule: Rule, receive: Receive) -> Receive:
        """`receive` that refuses bodies too large or too slow."""
        limits = self.limits
        waited_seconds = 0.0
        read_bytes = 0
        complete = False

        def refused(status: int, reason: str, sentence: str) -> Refused:
            found = Refused(status, reason, sentence, {"connection": "close"})
            _note(found, rule)  # here: who reads the body may answer it before it is back at us
            return found

        async def bounded() -> Message:
            nonlocal waited_seconds, read_bytes, complete
            if complete:
                return await receive()
            allowed = limits.silence_seconds + read_bytes / limits.least_bytes_per_second
            left = min(limits.silence_seconds, allowed - waited_seconds)
            begun = time.monotonic()
            try:
                message = await asyncio.wait_for(receive(), max(left, 0.01))
            except TimeoutError:
                raise refused(408, "slow", "The request came too slowly.") from None
            waited_seconds += time.monotonic() - begun
            read_bytes += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if read_bytes > rule.body_limit_bytes:
                raise refused(413, "length", _too_large(rule))
            return message

        return bounded

    async def _converse(
        self, scope: Scope, receive: Receive, send: Send, session: Session | None
    ) -> None:
        """Pass a websocket on, for as long as its session holds."""
        if self.sharing is None:
            await self.app(scope, _binary_only(receive, send), send)
            return
        if session is None:
            # The page behind it is told to go and sign in, in place of waiting for ever.
            await receive()
            await send({"type": "websocket.accept", "subprotocol": _subprotocol(scope)})
            await _send_away(send)
            raise Refused(401, "session", "")
        key = session.session_id
        if self._sockets[key] >= self.limits.socket_count:
            raise Refused(503, "sockets", "")
        closed = False
        run: str | None = None

        async def watched() -> Message:
            nonlocal closed
            message = await receive()
            if message["type"] == "websocket.receive" and not await self._holds(scope, key):
                await _send_away(say)
                closed = True
                REFUSALS.note("ended", rule_for(WEBSOCKET, scope["path"]))
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        async def say(message: Message) -> None:
            nonlocal run
            if closed:
                return
            content = message.get("bytes") or b""
            if run is None or _MEDIA.encode() in content:
                told = _parsed(content)
                self._told.offered(key, _offered_in(told))
                if run is None and (run := _run_in(told)):
                    self._told.begun(key, run)
            await send(message)

        self._sockets[key] += 1
        try:
            await self.app(self._resumable(scope, key), _binary_only(watched, say), say)
        finally:
            self._sockets[key] -= 1
            self._sockets += Counter()

    async def _holds(self, scope: Scope, session_id: str) -> bool:
        try:
            session = await session_found(self.database, scope)
        except StoreError:
            return False
        return session is not None and session.session_id == session_id

    def _resumable(self, scope: Scope, session_id: str) -> Scope:
        """The handshake; a page may go on only with a run that was its own session's."""
        offered = [
            value for key, value in scope["headers"] if key.lower() == b"sec-websocket-protocol"
        ]
        entries = [part.strip() for part in b",".join(offered).decode("latin-1").split(",")]
        if len(entries) < 3 or self._told.runs.get(entries[2]) == session_id:
            return scope
        others = [
            (key, value) for key, value in scope["headers"] if key != b"sec-websocket-protocol"
        ]
        kept = ", ".join(entries[:2])
        return {
            **scope,
            "headers": [*others, (b"sec-websocket-protocol", kept.encode("latin-1"))],
            "subprotocols": entries[:2],
        }

    # What is answered

    def _headers(
        self, scope: Scope, rule: Rule | None, given: Iterable[tuple[bytes, bytes]]
    ) -> list[tuple[bytes, bytes]]:
        cached = rule is not None and rule.cached
        secure = self.sharing is not None and self.sharing.secure
        kept = []
        for key, value in given:
            name = key.lower()
            if name.startswith(b"access-control-") or (name == b"cache-control" and not cached):
                continue
            bare = name == b"set-cookie" and secure and b"secure" not in value.lower()
            kept.append((name, value + b"; Secure" if bare else value))
        names = {name for name, _ in kept}
        netloc = self.sharing.netloc if self.sharing else (header(scope, b"host") or HOST)
        told = security_headers(netloc if _NETLOC.fullmatch(netloc) else HOST, secure)
        if not cached:
            told["cache-control"] = "no-store"
        return kept + [
            (name.encode(), value.encode())
            for name, value in told.items()
            if name.encode() not in names
        ]

    async def _refuse(
        self, scope: Scope, receive: Receive, answer: Send, refused: Refused, started: bool
    ) -> None:
        if scope["type"] == "websocket":
            with contextlib.suppress(RuntimeError):
                await answer({"type": "websocket.close", "code": 1008})
            return
        if started:
            return
        response: Response = PlainTextResponse(
            refused.detail, refused.status_code, headers=dict(refused.headers or {})
        )
        if scope["path"].startswith("/api/"):
            response = problem_of_status(
                refused.status_code, refused.detail, scope["path"], refused.headers
            )
        elif _is_navigation(scope) and self.sharing and refused.reason == "session":
            asked = scope["path"] + ("?" if scope["query_string"] else "")
            asked += scope["query_string"].decode("latin-1")
            response = RedirectResponse(f"/sign-in?next={quote(asked, safe='')}", 303)
        elif _is_navigation(scope) and refused.status_code in (404, 500, 503):
            response = page(
                _HEADINGS[refused.status_code],
                f'<p>{text(refused.detail)}</p><p><a href="/">Go to the overview</a></p>',
                refused.status_code,
                headers=refused.headers,
            )
        await response(scope, receive, answer)


UNREACHABLE = (
    "Fairtier cannot reach its records at this moment. Try again in a minute; if it stays so, "
    "tell whoever runs this server."
)
_HEADINGS = {404: "Not found", 500: "Something went wrong", 503: "Not available"}
_NETLOC = re.compile(r"[\w.\[\]:-]+", re.ASCII)


def told_of_bug(report: str) -> str:
    """A bug's report as others on the network may see it: its id, not where it was noted."""
    first = report.partition(". ")[0].rstrip(".")
    return f"{first}. Tell whoever runs this server the letters in brackets."


def _too_large(rule: Rule) -> str:
    most = rule.body_limit_bytes
    said = f"{most // MIB} MB" if most >= MIB else f"{most // 1024} kB"
    return f"That is more than the {said} that may be sent at once." if most else "Send no body."


def _is_navigation(scope: Scope) -> bool:
    """Whether somebody opened an address, as far as the browser says so."""
    mode = header(scope, b"sec-fetch-mode")
    wants_page = "text/html" in (header(scope, b"accept") or "")
    return scope.get("method") in READ and wants_page and mode in (None, "navigate")


def _subprotocol(scope: Scope) -> str | None:
    return next(iter(scope.get("subprotocols") or ()), None)


def _binary_only(receive: Receive, send: Send) -> Receive:
    """`receive` that ends a websocket on which text is sent: pages send none."""

    async def binary() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive" and message.get("bytes") is None:
            await send({"type": "websocket.close", "code": 1003})
            return {"type": "websocket.disconnect", "code": 1003}
        return message

    return binary


async def _send_away(send: Callable[[Message], Awaitable[None]]) -> None:
    """Have the browser leave the page for the sign-in, and close the websocket."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg  # noqa: PLC0415

    leave: Any = ForwardMsg()
    leave.auth_redirect.url = "/sign-in"
    await send({"type": "websocket.send", "bytes": leave.SerializeToString()})
    await send({"type": "websocket.close", "code": 1008})


def _parsed(content: bytes) -> Any:
    """What a page is sent, as Streamlit has it; empty where it is nothing of the kind."""
    from google.protobuf.message import (  # type: ignore[import-untyped]  # noqa: PLC0415
        DecodeError,
    )
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg  # noqa: PLC0415

    message: Any = ForwardMsg()
    with contextlib.suppress(DecodeError):
        message.ParseFromString(content)
        return message
    return ForwardMsg()


def _run_in(message: Any) -> str | None:
    """Streamlit's id of the run that a message begins, if it begins one."""
    if message.WhichOneof("type") != "new_session":
        return None
    return str(message.new_session.initialize.session_id) or None


def _offered_in(message: Any) -> str:
    """The address of the file that a message offers; empty where it offers none.

    Only where a page puts it: words that somebody wrote into a table or a file offer nothing.
    """
    if message.WhichOneof("type") == "backend_operation_response":
        return str(message.backend_operation_response.deferred_file.url)
    return str(message.delta.new_element.download_button.url)
