"""No canary of a row outside the asker's scope comes out anywhere; and the search finds what does.

FAIRTIER_CANARY=full visits everything as everybody; without it a selection is visited. Run it as

    FAIRTIER_CANARY=full python -m pytest -s tests/canary
"""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.canary import visit
from tests.canary.chain import World, furnish, load, write_canaries
from tests.canary.oracle import NOBODY
from tests.canary.visit import API, COMMAND_CHANNEL, DOWNLOADS, HTTP, LOGS, PAGES, Visits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


FULL = os.environ.get("FAIRTIER_CANARY") == "full"
MOST = 1
LEAST_STATES = 1000 if FULL else 150
EVERY_TABLE = ("organisations", "contracts", "agreements", "prices", "forecasts", "referrals")


@dataclass(frozen=True)
class Example:
    """The example with its canaries, recorded in a store."""

    world: World
    store: Path


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    """Written and recorded through the real checks, with people, programs and replies.

    Passwords are hashed with small parameters: what they cost is not the point here.
    """
    from argon2 import PasswordHasher

    from data import passwords

    folder = tmp_path_factory.mktemp("canaries")
    world = write_canaries(folder / "returns")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(1, 64, 1))
        passwords._nobodys.cache_clear()
        load(world, folder / "store")
        furnish(world, folder / "store")
    passwords._nobodys.cache_clear()
    return Example(world, folder / "store")


def askers(world: World) -> list[str | None]:
    """Who visits: everybody; or one in each role, with those that are in two at once."""
    others = [one for one in world.members if one not in chosen(world)] if FULL else []
    return [*chosen(world), *others]


def chosen(world: World) -> list[str | None]:
    """One in each role: a prime that is also a subcontractor, one that delivers for two primes.

    The network, which sees all but others' files, is visited when everything is.
    """
    members = [world.commissioner(2), world.prime(2), world.subcontractor(8)]
    return [*([world.network] if FULL else []), *members, NOBODY]


def browsing(world: World) -> list[str]:
    """Who looks at the pages; of a selection, two who must not be told what others are paid."""
    if FULL:
        return [one for one in askers(world) if one]
    return [world.commissioner(2), world.subcontractor(8)]


def commanding(world: World) -> list[str | None]:
    """Who gives commands, in whose name."""
    return askers(world) if FULL else [world.prime(2), NOBODY]


def tables_for(number: int) -> tuple[str, ...]:
    """Which tables an asker sends files of: each in turn, so that all are sent by somebody."""
    return (EVERY_TABLE[number % len(EVERY_TABLE)],)


@pytest.fixture(scope="module")
def visits(example: Example, tmp_path_factory: pytest.TempPathFactory) -> Visits:
    """Everything visited as everybody, once for all tests that look at it."""
    folder = tmp_path_factory.mktemp("visits")
    found = Visits(example.world)
    begun = time.monotonic()
    with visit.serving(example.store, folder / "server") as running:
        who = askers(example.world)
        thoroughly = chosen(example.world) if FULL else []
        media = _browse(found, running, browsing(example.world), folder, thoroughly)
        for number, one in enumerate(who):
            thorough = one in thoroughly
            visit.download(found, running, one, MOST, thorough)
            visit.ask_api(found, running, one, MOST, tables_for(number), thorough)
            visit.plain(found, running, one, sorted(media)[: None if thorough else 3])
            if one is NOBODY or thorough:
                visit.plain(found, running, one, _plain_addresses())
        for number, one in enumerate(commanding(example.world)):
            mine = folder / (one or "public")
            visit.command(
                found, example.store, one, mine, MOST, tables_for(number), one in thoroughly
            )
        visit.read_logs(found, running)
    print(
        f"\n{len(found.states)} states in {time.monotonic() - begun:.0f} s: {found.by_channel()}; "
        f"seconds { ({one: round(took) for one, took in found.seconds.items()}) }; "
        f"{len(found.leaks)} leaks; answers {dict(sorted(found.statuses.items()))}"
    )
    return found


def _browse(
    found: Visits,
    running: visit.Running,
    who: list[str],
    folder: Path,
    thoroughly: list[str | None],
) -> set[str]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "Chromium was not found. Install it or set CHROMIUM to its path."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        # One browser for all: what one leaves behind in it must not come up for the next.
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
        browser = visit.Browser(found, running, context)
        for one in who:
            visit.browse(browser, one, folder / "files" / one, MOST, one in thoroughly)
        chromium.close()
    return browser.media


def _plain_addresses() -> list[str]:
    """One address for every rule of the gate, asked for by GET."""
    from dashboard.paths import rules

    paths = dict.fromkeys(re.sub(r"\{[^}]*\}", "anything", rule.path) for rule in rules())
    return [path for path in paths if not path.startswith(("/static", "/api", "/downloads"))]


def told(leaks: list[visit.Leak], world: World) -> str:
    """Leaks for a person to read, with the names that things have in the worked example."""
    text = "\n".join(str(leak) for leak in leaks[:200])
    for old, new in world.by_old_id.items():
        text = text.replace(new, old.removeprefix("XX-").removeprefix("EXAMPLE-"))
    return f"{len(leaks)} leaks\n{text}"


def test_no_canary_outside_the_scope_is_found_in_any_state(visits: Visits):
    assert not visits.leaks, told(visits.leaks, visits.world)
    assert len(visits.states) >= LEAST_STATES, visits.by_channel()


def test_every_page_export_endpoint_and_command_was_visited(visits: Visits):
    from dashboard import downloads
    from dashboard.api import router

    pages = visits.addresses(PAGES)
    assert set(visit.page_addresses()) <= pages
    exports = {address.partition("?")[0] for address in visits.addresses(DOWNLOADS)}
    assert {f"/downloads/{name}" for name in downloads._FILES} <= exports
    asked = [address.partition("?")[0] for address in visits.addresses(API)]
    for route in router.routes:
        for method in route.methods:  # type: ignore[attr-defined]
            pattern = re.sub(r"\{[^}]*\}", ".+", f"{method} /api/v1{route.path}")  # type: ignore[attr-defined]
            assert any(re.fullmatch(pattern, one) for one in asked), pattern
    commands = visits.addresses(COMMAND_CHANNEL)
    for name in visit.commands_with_asker():
        assert any(one == name or one.startswith(f"{name} ") for one in commands), name


def test_everybody_asked_by_every_channel(visits: Visits):
    for who in askers(visits.world):
        channels = {channel for one, channel, _ in visits.states if one == who}
        wanted = {API, DOWNLOADS, HTTP, PAGES}  # nobody looks at the form to sign in
        if who is not NOBODY and who not in browsing(visits.world):
            wanted.remove(PAGES)
        if who in commanding(visits.world):
            wanted.add(COMMAND_CHANNEL)
        assert channels >= wanted, who
    assert visits.addresses(LOGS) == {"server.log", "errors.log"}


def test_what_is_theirs_is_found_so_the_search_would_find_what_is_not(visits: Visits):
    for who in askers(visits.world):
        if who is NOBODY:
            continue
        theirs = {
            canary.kind
            for canary in visits.world.canaries.values()
            if canary.kind in ("contract", "row") and visits.oracle.may_know(who, canary)
        }
        assert "contract" in theirs
        used = {channel for one, channel, _ in visits.states if one == who}
        for channel in used & {PAGES, API, DOWNLOADS, COMMAND_CHANNEL}:
            kinds = {visits.world.canaries[mark].kind for mark in visits.seen[who, channel]}
            assert theirs <= kinds, (who, channel, kinds)


def test_what_was_published_is_found_by_anybody_and_the_embargoed_is_not(visits: Visits):
    found = {visits.world.canaries[mark] for mark in visits.seen[NOBODY, API]}
    contracts = {one.contract_id for one in found if one.kind == "contract"}
    assert contracts == {contract for contract, _ in visits.world.published}
    assert not contracts & visits.world.confidential


# The scope broken on purpose. Each is run by the server, and by the commands in this process.
SABOTAGE = {
    "every row is anybody's": """
import data.scope
data.scope.Reach.rows_sql = lambda self, table, relation: f"SELECT * FROM {relation}"
""",
    "every answer is anybody's": """
import data.scope
data.scope.Reach.sees = lambda self, contract, subcontractor: True
""",
    "every return is anybody's": """
import data.scope
data.scope.Scope.may_see_original = lambda self, reporter: True
import dashboard.service
dashboard.service.Service.history = lambda self: self._ledger.returns()
""",
    "nothing is left out of an answer": """
import dashboard.service
dashboard.service.redacted = lambda found, reach: found
""",
}


@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_the_search_finds_leaks_when_the_scope_is_broken_on_purpose(
    sabotage: str, example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import dashboard.service
    import data.scope

    for owner, name in (
        (data.scope.Reach, "rows_sql"),
        (data.scope.Reach, "sees"),
        (data.scope.Scope, "may_see_original"),
        (dashboard.service.Service, "history"),
        (dashboard.service, "redacted"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # put back after the test
    exec(SABOTAGE[sabotage], {})  # noqa: S102 - the text above
    world = example.world
    found = Visits(world)
    who = world.commissioner(2) if sabotage.startswith("nothing") else world.subcontractor(8)
    file = tmp_path / "probe.csv"
    file.write_text(visit.probing_file(world, who, "referrals"))
    typed = file.read_bytes()
    for arguments in (
        ("flags", "--json"),
        ("history",),
        ("explain", "unreconciled", world.contract("NORTH-1"), world.subcontractor(7), "--json"),
        ("check", "referrals", str(file)),
    ):
        visit.run_command(found, example.store, who, *arguments, typed=typed)
    assert found.leaks


def test_a_server_whose_scope_is_broken_leaks_by_browser_exports_and_api(
    example: Example, tmp_path: Path
):
    world = example.world
    who = world.subcontractor(8)
    found = Visits(world)
    broken = "".join(SABOTAGE.values())
    with visit.serving(example.store, tmp_path / "server", broken) as running:
        visit.download(found, running, who, 1, False)
        for path in ("/api/v1/returns", "/api/v1/contracts"):
            head = {"authorization": f"Bearer {world.secrets[who]}"}
            found.note(who, API, path, running.get(path, headers=head).content)
        with sync_playwright() as playwright:
            path = os.environ.get("CHROMIUM") or shutil.which("chromium")
            chromium = playwright.chromium.launch(
                executable_path=path, headless=True, args=ARGUMENTS
            )
            browser = visit.Browser(found, running, chromium.new_context())
            browser.sign_in(who)
            browser.go("/upload")
            chromium.close()
    for channel in (DOWNLOADS, API, PAGES):
        assert [leak for leak in found.leaks if leak.channel == channel], channel
