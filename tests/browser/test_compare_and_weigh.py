"""Compare terms, weigh offers, letters: in a browser, light and dark, looked at by axe."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from dashboard.service import Service
from data.scope import OPERATOR
from tests.browser.conftest import READY, ROOT, Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCREENSHOTS = ROOT / "docs" / "screenshots"
THEMES = ("light", "dark")
# What Streamlit itself draws and we cannot mend, by rule and what the node is.
STREAMLITS = re.compile(
    r"stSelectbox|stNumberInput|data-baseweb|st-emotion-cache|vega|stExpander|^<g "
)


@pytest.fixture(scope="module")
def released(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The worked example with a release, served."""
    folder = tmp_path_factory.mktemp("released")
    store = shutil.copytree(demo_store, folder / "store")
    Service(store, OPERATOR).release(actor="operator")
    with served(store, folder) as running:
        yield running


def settled(page: Page) -> None:
    page.wait_for_timeout(400)
    page.wait_for_selector(READY, timeout=120_000)


def kept(page: Page, name: str, theme: str) -> None:
    """The page as a picture for the README, where pictures are asked for."""
    if os.environ.get("FAIRTIER_SCREENSHOTS"):
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": 1280, "height": min(height, 2700)})
        page.wait_for_timeout(1500)
        page.screenshot(path=SCREENSHOTS / f"{name}-{theme}.png")


def ours(page: Page) -> list[tuple[str, str]]:
    """What axe finds wrong in what we draw."""
    return [
        (one["id"], node["html"][:200])
        for one in Axe().run(page).response["violations"]
        for node in one["nodes"]
        if not STREAMLITS.search(node["html"])
    ]


@pytest.mark.parametrize("theme", THEMES)
def test_primes_are_compared_in_a_picture_and_a_table(released: Served, open_page, theme):
    page = open_page(f"{released.url}/terms", theme)
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare terms")
    expect(page.get_by_text("83 of 89 figures can be shown")).to_be_visible()
    expect(page.get_by_role("table", name="Management fee as paid")).to_be_visible()
    expect(page.get_by_text("Why something is hidden")).to_be_visible()
    expect(page.locator("[data-testid=stVegaLiteChart] svg, canvas").first).to_be_visible()
    assert ours(page) == []
    kept(page, "terms", theme)


@pytest.mark.parametrize("theme", THEMES)
def test_an_offer_is_weighed_from_form_to_answer(released: Served, open_page, theme):
    page = open_page(f"{released.url}/offers", theme)
    page.get_by_text("Fill in the form in Excel instead, or try an example").click()
    page.get_by_role("button", name="Fill in the example").click()
    settled(page)
    page.get_by_role("button", name=re.compile("^Weigh the offer")).click()
    settled(page)
    expect(page.get_by_role("heading", name="What is not firmly promised")).to_be_visible(
        timeout=60_000
    )
    assert ours(page) == []
    kept(page, "offers", theme)


def test_letters_can_be_read_before_they_are_taken_away(released: Served, open_page):
    page = open_page(f"{released.url}/letters")
    expect(page.get_by_role("heading", level=1)).to_have_text("Letters")
    settled(page)
    assert ours(page) == []
