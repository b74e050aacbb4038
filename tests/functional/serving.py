"""A shared server with API and downloads behind the gate, for programs and people to ask."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from streamlit.logger import set_log_level

from dashboard import answers, downloads
from dashboard.api import api
from dashboard.app import uvicorn_settings
from dashboard.gate import Gate, Limits
from dashboard.problems import MEDIA_TYPE
from dashboard.service import Service
from dashboard.sharing import Sharing, cookie_name, share
from data import accounts, audit, sessions, tokens
from data.database import Database
from data.errors import UserError
from data.scope import OPERATOR
from tests.browser.conftest import served_shared
from tests.functional import test_commands as example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

    from dashboard.api import Submitter
    from data.accounts import AccountRole


class InThisProcess:
    """Calls at once what a worker would be asked, for what only the same process can show."""

    def ask(self, question: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return question(*args, **kwargs)


@dataclass
class Server:
    """A server on this machine, its parts, and ways to ask it."""

    url: str
    store: Path
    database: Database
    service: Service
    app: FastAPI
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, base: str = "", **headers: str) -> httpx.Client:
        """A client; what comes back for a program must be as the OpenAPI document says."""
        made = httpx.Client(
            base_url=self.url + base,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            timeout=120,
            trust_env=False,
            event_hooks={"response": [self._documented] if base else []},
        )
        self.clients.append(made)
        return made

    def token(
        self,
        organisation_id: str,
        role: AccountRole = "member",
        permissions: tuple[str, ...] = ("read", "submit"),
        **options: Any,
    ) -> tuple[tokens.ApiToken, str]:
        return tokens.make(
            self.database,
            organisation_id=organisation_id,
            role=role,
            name=f"MIS of {organisation_id}",
            permissions=permissions,
            actor="operator",
            actor_organisation_id=None,
            **options,
        )

    def program(
        self,
        organisation_id: str,
        role: AccountRole = "member",
        permissions: tuple[str, ...] = ("read", "submit"),
    ) -> httpx.Client:
        """A program with a token of an organisation."""
        _, secret = self.token(organisation_id, role, permissions)
        return self.client("/api/v1", authorization=f"Bearer {secret}")

    def person(self, organisation_id: str, role: AccountRole = "member") -> httpx.Client:
        """A person of an organisation who is signed in."""
        email = f"{organisation_id.lower()}@example.org"
        known = {one.email: one for one in accounts.accounts(self.database)}
        account = known.get(email)
        if account is None:
            account, _ = accounts.add(
                self.database,
                email,
                "Somebody",
                organisation_id,
                role,
                actor="operator",
                actor_organisation_id=None,
            )
        _, token = sessions.begin(self.database, account, address="127.0.0.1", browser="test")
        return self.client(cookie=f"{cookie_name()}={token}")

    def _documented(self, response: httpx.Response) -> None:
        """Hold an answer of the API against its OpenAPI document."""
        path = response.request.url.path.removeprefix("/api/v1")
        document = self.app.openapi()
        for template, methods in document["paths"].items():
            wild = template.replace("{contract_id}", "{rest}")
            pattern = re.sub(r"\{rest\}", ".+", re.sub(r"\{(?!rest)\w+\}", "[^/]+", wild))
            operation = methods.get(response.request.method.lower())
            if operation is None or not re.fullmatch(pattern, path):
                continue
            told = operation["responses"].get(str(response.status_code))
            assert told, f"{template} answered {response.status_code}, which is not documented"
            (kind,) = told["content"]
            assert response.headers["content-type"].partition(";")[0] == kind
            response.read()
            if kind != "text/csv":
                _validate(told["content"][kind]["schema"], response.content)
            return
        if response.status_code >= 400:
            assert response.headers["content-type"] == MEDIA_TYPE
            response.read()
            answers.ProblemAnswer.model_validate_json(response.content)


def _validate(schema: dict[str, Any], content: bytes) -> None:
    """Check JSON against the model that a schema refers to."""
    several = schema.get("type") == "array"
    reference = (schema["items"] if several else schema).get("$ref", "")
    model = getattr(answers, reference.rpartition("/")[2], dict[str, Any])
    TypeAdapter(list[model] if several else model).validate_json(content)  # type: ignore[valid-type]


def application(
    store: Path, database: Database, submitter: Submitter, url: str
) -> tuple[Starlette, FastAPI, Service]:
    """API and downloads behind the gate."""
    set_log_level("ERROR")
    from dashboard.session import Served  # Streamlit warns of its caches before it runs

    share(Sharing(url))
    service = Service(store, OPERATOR)
    programs = api(service, database, submitter)
    people = Served(service, database, cookie=cookie_name())
    app = Starlette(
        routes=[Mount("/api/v1", programs), *downloads.routes(people)],
        middleware=[Middleware(Gate, Sharing(url), database, store, Limits())],
    )
    return app, programs, service


@contextlib.contextmanager
def serving(store: Path, submitter: Submitter) -> Iterator[Server]:
    """A server in a thread of this process, until the block ends."""
    with contextlib.closing(Database(store)) as database, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app, programs, service = application(store, database, submitter, url)
        server = uvicorn.Server(uvicorn_settings(app, Limits()))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        running = Server(url, store, database, service, programs)
        try:
            yield running
        finally:
            for client in running.clients:
                client.close()
            server.should_exit = True
            thread.join()
            share(None)


def small_store(folder: Path) -> Path:
    """A small store: registers, forecasts and the prime's referrals and payments."""
    lines = []
    for table, text, by in (
        ("organisations", example.ORGANISATIONS, "NET"),
        ("contracts", example.CONTRACTS, "NET"),
        ("agreements", example.AGREEMENTS, "NET"),
        ("forecasts", example.FORECASTS, "COM"),
        ("referrals", example.REFERRALS, "PRIME"),
        ("payments", example.PAYMENTS, "PRIME"),
    ):
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
        lines.append({"table": table, "file": f"{table}.csv", "by": by})
    (folder / "manifest.json").write_text(json.dumps(lines))
    for _, _, result in Service(folder / "store", OPERATOR).load(folder / "manifest.json"):
        assert not isinstance(result, UserError), result
    return folder / "store"


def secret_for(store: Path, organisation_id: str) -> str:
    """A new token's secret, for a store that no server of this process holds."""
    with contextlib.closing(Database(store)) as database:
        _, secret = tokens.make(
            database,
            organisation_id=organisation_id,
            role="member",
            name="MIS",
            permissions=["submit"],
            actor="operator",
            actor_organisation_id=None,
        )
    return secret


@contextlib.contextmanager
def separately(store: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """The shared server itself in a process of its own: its address, and the process's id.

    It is waited until it has looked at the flags, so that what follows is not taken for that.
    """
    with (
        served_shared(store, folder / "serving") as running,
        contextlib.closing(Database(store)) as database,
    ):
        for _ in range(600):
            with database.reading() as connection:
                if any(one.action == "case.opened" for one in audit.events(connection)):
                    break
            time.sleep(0.1)
        yield running.url, running.process.pid


def most_memory_bytes(process_id: int, *, from_now_on: bool = False) -> int:
    """The most memory that a process has held since it began, or was last asked `from_now_on`."""
    if from_now_on:
        Path(f"/proc/{process_id}/clear_refs").write_text("5")
    status = Path(f"/proc/{process_id}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def children_of(process_id: int) -> list[int]:
    """The processes that a process has started and that still run."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    return [int(one) for task in tasks for one in (task / "children").read_text().split()]
