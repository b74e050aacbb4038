"""The dashboard's server: one operator, this machine only."""

from __future__ import annotations

import contextlib
import errno
import gc
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from streamlit import config
from streamlit.logger import set_log_level

from checks.worker import Worker
from dashboard import theme
from dashboard.__main__ import report_bug
from dashboard.service import Service
from dashboard.views.markup import notice
from data.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "127.0.0.1"
SCRIPT = Path(__file__).with_name("views") / "script.py"
_NAMES = frozenset({"127.0.0.1", "localhost"})
_OPTIONS = {
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 50,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
}
_HEADERS = {
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' "
    "'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' ws://127.0.0.1:* ws://localhost:*; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class OnlyThisMachine:
    """Answers only requests addressed to this machine by name, and adds security headers.

    A page elsewhere whose name was made to point here (DNS rebinding) sends its own host name.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        name = hosts[0].decode("latin-1").lower().partition(":")[0] if len(hosts) == 1 else ""
        if name not in _NAMES:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            refusal = PlainTextResponse("Open the dashboard at http://127.0.0.1.", 421)
            await refusal(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in _HEADERS.items()
                        if name.encode() not in given
                    ),
                ]
            await send(message)

        await self.app(scope, receive, with_headers)


def warm_up() -> None:
    """Load what the first page needs, and take it out of later collections of garbage.

    Streamlit collects all garbage after every run; what lives for ever need not be looked at.
    """
    import altair  # noqa: F401, PLC0415
    import duckdb  # noqa: F401, PLC0415
    import pandas as pd  # noqa: PLC0415

    from dashboard.charts.flags_by_status import chart  # noqa: PLC0415

    chart(pd.DataFrame({"flag": ["a"], "status": ["Clear"], "count": [1]})).to_dict()
    gc.collect()
    gc.freeze()


def tell_of_bug(error: Exception) -> bool:
    """Show a bug's id in place of a traceback."""
    from dashboard import session  # noqa: PLC0415 - as in serve_dashboard

    notice("bad", report_bug(error, session.service().store))
    return True


def build(worker: Worker) -> st.App:
    """The application; `worker` is closed with it, before a signal can end the process."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        warm_up()
        try:
            yield
        finally:
            gc.unfreeze()
            worker.close()

    return st.App(
        SCRIPT,
        lifespan=lifespan,
        middleware=[Middleware(OnlyThisMachine)],
        on_script_error=tell_of_bug,
    )


def listen(port: int) -> socket.socket:
    """A socket on this machine's own address; BadOption if the port is taken or barred."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((HOST, port))
        opened.listen()
    except OSError as error:
        opened.close()
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else f"cannot be used ({error.strerror})"
        raise BadOption(
            f"Port {port} {why}. Name another one with --port, such as --port {port + 1}."
        ) from error
    return opened


def serve_dashboard(store: Path, port: int, listening: Callable[[], None]) -> None:
    """Serve the dashboard of a store on 127.0.0.1 until stopped; say when it is `listening`."""
    for name, value in (_OPTIONS | theme.options()).items():
        config.set_option(name, value)
    set_log_level("ERROR")
    from dashboard import session  # noqa: PLC0415 - Streamlit warns of its caches before it runs

    with listen(port) as opened, Worker() as worker:
        session.serve(Service(store, checker=worker.check_sheet))
        listening()
        settings = uvicorn.Config(
            build(worker), log_level="warning", access_log=False, server_header=False
        )
        uvicorn.Server(settings).run(sockets=[opened])
