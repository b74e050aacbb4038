"""A real Chromium in front of a real server process."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Streamlit asks below the page's own address first where its server is, and expects a 404.
PROBED = re.compile(
    r"/(agreement|terms|letters|upload|offers|method)/_stcore/(health|host-config)$"
)
# Notes which process imports Great Expectations, in the server and in all it starts.
WATCH = """
import os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "great_expectations":
            with open(os.environ["FAIRTIER_TEST_IMPORTS"], "a") as file:
                file.write(f"{os.getpid()}\\n")

sys.meta_path.insert(0, Watch())
"""


# Serves as `fairtier serve --shared` does, with what a test wants otherwise.
SERVE_SHARED = """
import json, sys
from pathlib import Path
from dashboard.app import serve_dashboard
from dashboard.gate import Limits
from dashboard.provider import ProviderSettings
from dashboard.sharing import Sharing

if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    provider = ProviderSettings(**given["provider"]) if given["provider"] else None
    shared = Sharing(given["url"], demo_personas=given["personas"], provider=provider)
    limits = Limits(**given["limits"])
    serve_dashboard(Path(given["store"]), given["port"], lambda: None, shared, limits)
"""


@dataclass
class Served:
    """A running dashboard."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    imports: Path

    def importers(self) -> set[int]:
        """The processes that imported Great Expectations."""
        return {int(line) for line in self.imports.read_text().split()}


@dataclass
class Seen:
    """What a page did besides what was asked of it."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, from $CHROMIUM or the path.

    Not kept for the session: Playwright's event loop would run on under the tests that follow.
    """
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        reason = (
            "Chromium was not found. Install it (Debian, Ubuntu: apt-get install chromium) or set "
            "CHROMIUM to its path."
        )
        pytest.skip(reason) if os.environ.get("CI") else pytest.fail(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield chromium
        chromium.close()


def answer(port: int, path: str, **headers: str) -> http.client.HTTPResponse:
    """What the server says to a plain request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        found = connection.getresponse()
        found.read()
    finally:
        connection.close()
    return found


@contextlib.contextmanager
def served(store: Path, folder: Path) -> Iterator[Served]:
    """`fairtier serve` on a free port, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hooks = folder / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(WATCH)
    imports = folder / "imports.txt"
    imports.touch()
    told = (folder / "server.log").open("wb")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(hooks), str(ROOT)]),
        "FAIRTIER_TEST_IMPORTS": str(imports),
        "FAIRTIER_STORE": str(folder),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard", "serve", "--store", str(store), "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=told,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                if answer(port, "/_stcore/health").status == 200:
                    break
            assert process.poll() is None, (folder / "server.log").read_text()
            time.sleep(0.2)
        yield Served(url, port, process, imports)
    finally:
        process.terminate()
        process.wait(30)
        told.close()


@contextlib.contextmanager
def served_shared(
    store: Path,
    folder: Path,
    *,
    personas: bool = False,
    provider: dict[str, str] | None = None,
    limits: dict[str, float] | None = None,
    environment: dict[str, str] | None = None,
) -> Iterator[Served]:
    """A shared server on a free port of 127.0.0.1, until the block ends; its log is server.log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    folder.mkdir(parents=True, exist_ok=True)
    given = {
        "url": url,
        "port": port,
        "store": str(store),
        "personas": personas,
        "provider": provider,
        "limits": limits or {},
    }
    (folder / "serve_shared.py").write_text(SERVE_SHARED)
    log = folder / "server.log"
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, str(folder / "serve_shared.py"), json.dumps(given)],
            cwd=ROOT,
            env=os.environ
            | {"PYTHONPATH": str(ROOT), "FAIRTIER_STORE": str(folder), "NO_PROXY": "127.0.0.1"}
            | (environment or {}),
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        try:
            for _ in range(300):
                with contextlib.suppress(OSError):
                    if answer(port, "/healthz").status == 200:
                        break
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            yield Served(url, port, process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


@pytest.fixture(scope="session")
def demo(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The worked example, to look at only."""
    with served(demo_store, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Path], Served]]:
    """Serves a store until the test has ended and its pages are closed."""
    folder = tmp_path / "server"
    folder.mkdir()
    with contextlib.ExitStack() as running:
        yield lambda store: running.enter_context(served(store, folder))


@pytest.fixture
def open_page(browser: Browser, serve: Callable[[Path], Served]) -> Iterator[Callable[..., Page]]:
    """Opens addresses; afterwards no page may have left this machine or logged an error."""
    seen = Seen()
    contexts = []

    def note(page: Page) -> None:
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                seen.errors.append(f"{message.text} {message.location}")
                if message.type == "error" and not PROBED.search(message.location.get("url", ""))
                else None
            ),
        )

    def visit(address: str, theme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": 1280, "height": 900}, color_scheme=theme, locale="en-GB"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        note(page)
        page.goto(address)
        page.wait_for_selector(READY, timeout=120_000)
        page.wait_for_selector("h1")
        return page

    yield visit
    for context in contexts:
        context.close()
    away = [u for u in seen.requests if not re.match(r"(http://127\.0\.0\.1:|data:|blob:)", u)]
    assert away == []
    assert seen.errors == []
    assert seen.requests, "no request was seen, so nothing was watched"
