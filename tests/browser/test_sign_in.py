"""Signing in and out in a real browser, with several tabs and people."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from data import accounts, audit, sessions
from data.database import Database
from data.grid import MAX_COLUMNS, too_wide
from data.read import read_content
from data.scope import NOT_SHOWN
from data.tables import TABLES
from tests.browser.conftest import PROBED, READY, ROOT, Served, served_shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SCREENSHOTS = ROOT / "docs" / "screenshots"
PASSWORD = "correct horse battery"
NETWORK = "Invented Voluntary Sector Network (example)"


@pytest.fixture(scope="module")
def store(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demo_store, tmp_path_factory.mktemp("shared") / "store")


@pytest.fixture(scope="module")
def database(store: Path) -> Iterator[Database]:
    opened = Database(store)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared(store: Path, database: Database) -> Iterator[Served]:
    with served_shared(store, store.parent / "server", personas=True) as running:
        yield running


@pytest.fixture
def somebody(browser: Browser, shared: Served) -> Iterator[Callable[..., BrowserContext]]:
    """A browser of its own; afterwards none may have left this machine or logged an error."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []
    away: list[str] = []

    def note(message: Any) -> None:
        # What is refused is told by its status, which a browser notes as an error of the page.
        told = PROBED.search(message.location.get("url", "")) or "the server responded with" in (
            message.text
        )
        if message.type == "error" and not told:
            errors.append(message.text)

    def watch(page: Page) -> None:
        page.set_default_timeout(30_000)
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if re.match(r"(http://127\.0\.0\.1:|data:|blob:)", request.url)
                else away.append(request.url)
            ),
        )

    def opened(theme: str = "light", width: int = 1280) -> BrowserContext:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, locale="en-GB"
        )
        context.on("page", watch)
        contexts.append(context)
        return context

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert away == []


def settled(page: Page) -> None:
    page.wait_for_selector(READY, timeout=120_000)
    page.wait_for_selector("h1")


def as_persona(page: Page, shared: Served, path: str = "/", name: str = NETWORK) -> None:
    page.goto(shared.url + path)
    page.get_by_role("button", name=name).click()
    settled(page)


def lightness(page: Page, selector: str, what: str) -> float:
    """Relative luminance of a colour on the page, as WCAG has it."""
    colour = page.evaluate(
        f"getComputedStyle(document.querySelector({selector!r})).getPropertyValue({what!r})"
    )
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_in_can_be_read_and_used_by_everybody(somebody, shared, theme):
    page = somebody(theme).new_page()
    page.goto(shared.url)
    expect(page).to_have_url(re.compile(r"/sign-in\?next="))
    expect(page).to_have_title("Sign in - Fairtier")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert page.get_attribute("html", "lang") == "en-GB"
    ground = lightness(page, "body", "background-color")
    assert (ground > 0.5) == (theme == "light")
    assert contrast(ground, lightness(page, "body", "color")) > 7
    assert contrast(ground, lightness(page, "#email", "border-top-color")) > 3
    button = lightness(page, "form button", "background-color")
    assert contrast(button, lightness(page, "form button", "color")) > 4.5
    assert contrast(ground, button) > 3
    for name in ("email", "password"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == name
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"
    page.get_by_label("E-mail address").fill("nobody@network.example")
    page.get_by_label("Password").fill("wrong horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not right")
    expect(page).to_have_title("Error: Sign in - Fairtier")
    expect(page.get_by_label("E-mail address")).to_have_value("nobody@network.example")
    expect(page.get_by_label("Password")).to_have_value("")


def test_the_sign_in_fits_a_narrow_screen(somebody, shared):
    page = somebody(width=320).new_page()
    page.goto(shared.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_an_invited_person_joins_and_is_led_to_where_a_link_pointed(somebody, shared, database):
    _, token = accounts.add(
        database,
        "ann@network.example",
        "Ann",
        "XX-EXAMPLE-NETWORK",
        "network",
        actor="operator",
        actor_organisation_id=None,
    )
    ann = somebody()
    page = ann.new_page()
    page.goto(f"{shared.url}/invitation/{token}")
    expect(page.get_by_text(NETWORK)).to_be_visible()
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Set up and sign in").click()
    settled(page)
    page.goto(f"{shared.url}/sign-out")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    where = "/agreement?contract=EXAMPLE-SOUTH-2&subcontractor=XX-EXAMPLE-SUB-55"
    page.goto(shared.url + where)
    page.get_by_label("E-mail address").fill("ann@network.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    settled(page)
    expect(page).to_have_url(shared.url + where)
    cookies = {cookie["name"]: cookie for cookie in ann.cookies()}
    assert cookies["fairtier"]["httpOnly"]
    assert cookies["fairtier"]["sameSite"] == "Lax"
    assert page.evaluate("document.cookie").find("fairtier") == -1


def test_signing_out_takes_effect_in_the_other_tab_with_its_next_action(somebody, shared):
    visitor = somebody()
    one, other = visitor.new_page(), visitor.new_page()
    as_persona(one, shared)
    other.goto(shared.url)
    settled(other)
    one.goto(f"{shared.url}/sign-out")
    one.get_by_role("button", name="Sign out").click()
    expect(one.get_by_role("heading", level=1)).to_have_text("Sign in")
    other.get_by_role("link", name="Method").first.click()
    expect(other).to_have_url(re.compile("/sign-in"), timeout=20_000)
    other.go_back()
    expect(other.get_by_label("E-mail address")).to_be_visible()


def test_a_session_that_the_network_ends_is_out_with_its_next_action(somebody, shared, database):
    page = somebody().new_page()
    as_persona(page, shared)
    (persona,) = [
        one
        for one in accounts.accounts(database, "XX-EXAMPLE-NETWORK")
        if one.email.startswith("persona-")
    ]
    sessions.end_all(database, persona.account_id, actor="operator", actor_organisation_id=None)
    page.get_by_role("link", name="Method").first.click()
    expect(page).to_have_url(re.compile("/sign-in"), timeout=20_000)
    expect(page.get_by_role("status")).to_contain_text("Your session has ended.")


def test_two_people_in_two_browsers_are_not_mixed_up(somebody, shared, database):
    network, prime = somebody(), somebody()
    as_persona(network.new_page(), shared)
    as_persona(prime.new_page(), shared, name="Invented Gateway Works plc (example)")
    tokens = {
        cookie["value"]
        for context in (network, prime)
        for cookie in context.cookies()
        if cookie["name"] == "fairtier"
    }
    assert len(tokens) == 2
    organisations = {
        found.account.organisation_id
        for token in tokens
        if (found := sessions.found(database, token))
    }
    assert organisations == {"XX-EXAMPLE-NETWORK", "XX-EXAMPLE-PRIME-2"}


PAGES = {
    "replies": ("Replies", "A raised flag is put to the prime and the subcontractor"),
    "members": ("Members", "Who may sign in"),
    "audit": ("Audit", "How it proves itself"),
    "account": ("Your account", "Tokens for your organisation's programs"),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_page_of_a_shared_server_shows_what_it_is_for(somebody, shared, theme):
    page = somebody(theme).new_page()
    as_persona(page, shared)
    for name, (heading, words) in PAGES.items():
        page.goto(f"{shared.url}/{name}")
        settled(page)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page.get_by_text(words).first).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_role("link", name="Sign out").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        if os.environ.get("FAIRTIER_SCREENSHOTS") and name in ("replies", "members"):
            height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            page.set_viewport_size({"width": 1280, "height": min(height, 2700)})
            page.wait_for_timeout(1500)
            page.screenshot(path=SCREENSHOTS / f"{name}-{theme}.png")
            page.set_viewport_size({"width": 1280, "height": 900})


def test_what_is_taken_away_is_made_for_whoever_asks_and_noted(somebody, shared, database):
    page = somebody().new_page()
    as_persona(page, shared, "/agreement", name="Invented Willow Employment Ltd (example)")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download this answer with all its rows").first.click()
    answer = json.loads(taken.value.path().read_text())
    assert answer["assessment"]["subcontractor_id"] == "XX-EXAMPLE-SUB-59"
    with database.reading() as connection:
        seen = [one for one in audit.events(connection) if one.action == "evidence.seen"]
    assert seen[-1].organisation_id == "XX-EXAMPLE-SUB-59"
    address = f"{shared.url}{urlsplit(taken.value.url).path}?{urlsplit(taken.value.url).query}"
    other = somebody()
    as_persona(other.new_page(), shared, name="Invented Acorn Hub (example)")
    refused = other.request.get(address)
    assert refused.status == 404
    assert "not yours to see" in refused.text()


def test_a_file_that_a_page_offers_is_handed_out_to_whom_it_was_offered(somebody, shared):
    page = somebody().new_page()
    as_persona(page, shared, "/upload", name="Invented Acorn Hub (example)")
    referrals = TABLES["referrals"]
    for button, file_name in (
        ("Excel template", "referrals.xlsx"),
        ("CSV template", "referrals.csv"),
    ):
        with page.expect_download() as taken:
            page.get_by_role("button", name=button).click()
        assert taken.value.suggested_filename == file_name
        sheet = read_content(taken.value.path().read_bytes(), referrals, file_name)
        assert list(sheet.headers) == list(referrals.column_ids)
    chosen = page.locator("input[type=file]")
    wide = ",".join(f"x{number}" for number in range(MAX_COLUMNS + 1)).encode()
    chosen.set_input_files({"name": "wide.csv", "mimeType": "text/csv", "buffer": wide})
    expect(page.get_by_text(too_wide())).to_be_visible()
    other = somebody()
    as_persona(other.new_page(), shared)
    assert other.request.get(taken.value.url).status == 404


def test_a_page_that_is_not_theirs_says_so_itself(somebody, shared):
    page = somebody().new_page()
    as_persona(page, shared, "/members", name="Invented Acorn Hub (example)")
    expect(page.get_by_text(NOT_SHOWN)).to_be_visible()
    expect(page.get_by_role("link", name="Replies").first).to_be_visible()
    expect(page.get_by_role("link", name="Members")).to_have_count(0)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    page.goto(shared.url + "/overview")
    page.get_by_role("link", name="Go to the overview").click()
    settled(page)
