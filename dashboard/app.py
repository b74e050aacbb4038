"""The dashboard's server: one operator on this machine, or several organisations."""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import sqlalchemy as sa
import streamlit as st
import uvicorn
from anyio import to_thread
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from streamlit import config
from streamlit.logger import set_log_level
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from checks.worker import Worker
from dashboard import downloads, published, theme
from dashboard.api import api
from dashboard.attendant import Attendant, note_rules
from dashboard.gate import LOG, REFUSALS, UNREACHABLE, Gate, Limits, told_of_bug
from dashboard.open_data import served as served_data
from dashboard.service import Service
from dashboard.sharing import HOST, Sharing, cookie_name, share, sharing
from dashboard.signin import Doors, check_personas
from dashboard.startup import check_settings
from dashboard.terminal import report_bug
from dashboard.views.markup import notice
from data.database import ACCOUNTS, Database
from data.errors import BadOption, StoreError
from data.ledger import Ledger
from data.scope import OPERATOR, PUBLIC

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from dashboard.session import Served

_READY_WITHIN_SECONDS = 5
SCRIPT = Path(__file__).with_name("views") / "script.py"
_OPTIONS = {
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 50,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "logger.enableRich": False,
}


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

    report = report_bug(error, session.store())
    notice("bad", told_of_bug(report) if sharing() else report)
    return True


class Readiness:
    """Whether database and ledger can be reached; asked of them at most once in `kept_seconds`."""

    def __init__(self, store: Path, database: Database | None, kept_seconds: float = 2):
        self.store = store
        self.database = database
        self.kept_seconds = kept_seconds
        self._asked: tuple[float, bool] | None = None
        self._one_at_a_time = anyio.Lock()
        self._threads = anyio.CapacityLimiter(1)

    async def answer(self, _request: Request) -> Response:
        """200 when ready; 503 when not, and nothing about why: it is told to anybody."""
        async with self._one_at_a_time:
            if self._asked is None or time.monotonic() - self._asked[0] > self.kept_seconds:
                ready = False
                with anyio.move_on_after(_READY_WITHIN_SECONDS):
                    ready = await to_thread.run_sync(
                        self._ready, limiter=self._threads, abandon_on_cancel=True
                    )
                self._asked = time.monotonic(), ready
        if self._asked[1]:
            return PlainTextResponse("ready")
        return PlainTextResponse(UNREACHABLE, 503, headers={"retry-after": "30"})

    def _ready(self) -> bool:
        try:
            if self.database is not None:
                with self.database.reading() as connection:
                    connection.execute(sa.select(ACCOUNTS.c.account_id).limit(1)).all()
            Ledger(self.store).version()
        except (StoreError, OSError):
            return False
        return True


async def alive(_request: Request) -> Response:
    """That the process answers; it asks nothing of anything else."""
    return PlainTextResponse("alive")


def routes(served: Served, sender: Worker | None, shared: Sharing | None) -> list[BaseRoute]:
    """What is served beside the pages; each path has its rule in `dashboard.paths`."""
    store, database = served.service.store, served.database
    found: list[BaseRoute] = [
        Route("/healthz", alive, methods=["GET"]),
        Route("/readyz", Readiness(store, database).answer, methods=["GET"]),
        *downloads.routes(served),
    ]
    if shared and database and sender:
        found += Doors(store, database, shared).routes()
        found += published.routes(database)
        found += served_data.routes(served.service.within(PUBLIC))
        found.append(Mount("/api/v1", api(served.service, database, sender)))
    return found


def build(
    workers: Sequence[Worker],
    served: Served,
    shared: Sharing | None = None,
    limits: Limits | None = None,
) -> st.App:
    """The application; its workers are closed with it, before a signal can end the process.

    The first checks files for the pages, the second, on a shared server, for programs.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        warm_up()
        async with anyio.create_task_group() as tasks:
            if shared and served.database:
                attendant = Attendant(served.service, served.database, shared.url)
                tasks.start_soon(attendant.run)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()
                gc.unfreeze()
                for worker in workers:
                    worker.close()

    return st.App(
        SCRIPT,
        lifespan=lifespan,
        routes=routes(served, workers[-1] if shared else None, shared),
        middleware=[Middleware(Gate, shared, served.database, served.service.store, limits)],
        on_script_error=tell_of_bug,
    )


def listen(port: int, host: str = HOST) -> socket.socket:
    """A socket on an address of this machine; BadOption if the port is taken or barred."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen()
    except OSError as error:
        opened.close()
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise BadOption(
                f'"{host}" is not an address of this machine. Listen on 127.0.0.1, or on 0.0.0.0 '
                "for all of its addresses."
            ) from error
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else f"cannot be used ({error.strerror})"
        raise BadOption(
            f"Port {port} {why}. Name another one with --port, such as --port {port + 1}."
        ) from error
    return opened


class PatientProtocol(H11Protocol):
    """HTTP with a limit on how long the head of a request may take to come.

    uvicorn waits for ever for the rest of a head, so a few hundred idle connections would be
    all that it can hold.
    """

    head_seconds: float

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def on_response_complete(self) -> None:
        """Begin to wait for the next one."""
        super().on_response_complete()
        self._wait()

    def _wait(self) -> None:
        self.loop.call_later(self.head_seconds, self._give_up, self.cycle)

    def _give_up(self, last: RequestResponseCycle | None) -> None:
        begun = self.cycle is not last
        upgraded = self.transport.get_protocol() is not self
        if not begun and not upgraded and not self.transport.is_closing():
            REFUSALS.note("slow", None)
            self.transport.close()


def uvicorn_settings(app: ASGIApp, limits: Limits) -> uvicorn.Config:
    """How the server speaks HTTP: what it takes of each connection, and for how long."""
    protocol = type("Protocol", (PatientProtocol,), {"head_seconds": limits.head_seconds})
    return uvicorn.Config(
        app,
        http=protocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom we believe about addresses is said in `gate.address_of`
        h11_max_incomplete_event_size=32 * 1024,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=5,
        limit_concurrency=800,
        ws_max_size=4 * 2**20,
    )


_record = logging.getLogRecordFactory()


def without_details(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """A line for the log that names the kind of an error and never what it says.

    Libraries log errors with their texts, in which rows and addresses can stand. Where a bug
    struck is noted by `report_bug`.
    """
    record = _record(*args, **kwargs)
    if record.exc_info and record.exc_info[0]:
        record.msg = f"{record.msg} ({record.exc_info[0].__name__})"
    record.exc_info = record.exc_text = record.stack_info = None
    return record


def set_up_log() -> None:
    """Have refusals told on standard error, and errors without what they say."""
    logging.setLogRecordFactory(without_details)
    if not LOG.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
        LOG.addHandler(handler)
        LOG.propagate = False


def serve_dashboard(
    store: Path,
    port: int,
    listening: Callable[[], None],
    shared: Sharing | None = None,
    limits: Limits | None = None,
) -> None:
    """Serve the dashboard of a store until stopped; say when it is `listening`.

    Without `shared` one operator works on 127.0.0.1, without accounts. BadOption where what is
    asked for would not be safe.
    """
    for name, value in (_OPTIONS | theme.options()).items():
        config.set_option(name, value)
    set_log_level("ERROR")
    set_up_log()
    share(shared)
    check_settings(store)
    if shared and shared.demo_personas:
        check_personas(store, shared)
    from dashboard import session  # noqa: PLC0415 - Streamlit warns of its caches before it runs

    with contextlib.ExitStack() as held:
        opened = held.enter_context(listen(port, shared.host if shared else HOST))
        database = held.enter_context(contextlib.closing(Database(store))) if shared else None
        # A large file that a program sends must not keep the pages' files waiting.
        workers = [held.enter_context(Worker()) for _ in range(2 if shared else 1)]
        if database:
            note_rules(database)
        served = session.serve(
            Service(store, OPERATOR, checker=workers[0].check_sheet),
            database=database,
            cookie=cookie_name() if shared else None,
        )
        listening()
        limits = limits or Limits()
        app = build(workers, served, shared, limits)
        uvicorn.Server(uvicorn_settings(app, limits)).run(sockets=[opened])
