"""The page of a release as people meet it: from a folder, in a browser, on paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from dashboard.open_data.package import write_package
from tests.functional.open_release import MARKUP, release, second_release, small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SHEET_PIXELS = 680  # the width of A4 between margins of 15 mm, at 96 a inch


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The second release, so that the page tells of changes as well: whole, and with less in it."""
    found = {}
    for name, less in (("whole", lambda given: given), ("small", small)):
        folder: Path = tmp_path_factory.mktemp("open_data") / "release"
        write_package(less(release()), folder)
        write_package(less(second_release()), folder)
        found[name] = (folder / "index.html").as_uri()
    return found


@pytest.fixture
def look(browser: Browser, addresses: dict[str, str]) -> Iterator[Callable[..., Page]]:
    """Opens the page from its folder; nothing but that file may be asked for, or go wrong."""
    contexts, asked, wrong = [], [], []

    def opened(
        theme: str = "light", width: int = 1280, *, scripts: bool = True, which: str = "whole"
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            locale="en-GB",
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(addresses[which])
        return page

    yield opened
    for context in contexts:
        context.close()
    assert set(asked) <= set(addresses.values())
    assert wrong == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(look, theme):
    page = look(theme, which="small")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) > 600) == (theme == "light")
    found = Axe().run(page).response
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
    checked = {one["id"] for one in found["passes"]}
    assert {"color-contrast", "heading-order", "region", "td-headers-attr"} <= checked


def test_axe_finds_no_violation_on_a_narrow_screen(look):
    found = Axe().run(look(width=320, which="small")).response
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
    assert "scrollable-region-focusable" in {one["id"] for one in found["passes"]}


@pytest.mark.parametrize("width", [320, 768])
def test_the_page_does_not_scroll_sideways_but_wide_tables_do(look, width):
    page = look(width=width, which="small")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    regions = page.locator(".scroll")
    assert regions.count() > 10
    wider = [one for one in regions.all() if one.evaluate("e => e.scrollWidth > e.clientWidth")]
    assert wider
    wider[-1].focus()
    expect(wider[-1]).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("e => e.scrollLeft > 0", arg=wider[-1].element_handle())


def test_it_reads_without_scripts_and_says_hidden_with_the_reason(look):
    page = look(scripts=False)
    expect(page.get_by_role("heading", level=1)).to_have_text(release().title)
    table = page.get_by_role("table", name=re.compile("EXAMPLE-NORTH-1, July 2011"))
    row = table.get_by_role("row", name=re.compile("SUB-09"))
    expect(row.get_by_role("cell").first).to_have_text(re.compile("hidden\\s*would give"))
    expect(table.get_by_role("columnheader", name="July to September 2011")).to_be_visible()
    expect(table.get_by_role("rowheader", name=re.compile("Kept in house"))).to_be_visible()
    why = page.get_by_role("table", name="Figures hidden, by reason")
    for reason in ("few people", "few sources", "one large source", "would give another away"):
        expect(why.get_by_role("rowheader", name=reason, exact=True)).to_be_visible()
    silent = page.get_by_role("table", name=re.compile("EXAMPLE-SOUTH-3, July 2011"))
    expect(silent.get_by_text("not reported").first).to_be_visible()
    zeros = page.get_by_role("table", name=re.compile("EXAMPLE-NORTH-2, July 2011"))
    zero = zeros.get_by_role("row", name=re.compile("SUB-59")).get_by_role("cell").first
    assert zero.inner_text().split() == ["0", "forecast", "2.27"]


def test_a_flag_stands_beside_what_those_it_is_about_reply(look):
    page = look()
    flag = page.get_by_role("article").filter(has_text="14 referrals were promised")
    said, replied = flag.locator(".pair > div").all()
    expect(said).to_contain_text("What the flag says")
    expect(replied).to_contain_text("Clients near Willow asked for evening hours.")
    assert abs(said.bounding_box()["y"] - replied.bounding_box()["y"]) < 2
    assert said.bounding_box()["x"] < replied.bounding_box()["x"]
    expect(page.get_by_role("article").filter(has_text="18 months")).to_contain_text(
        "Nobody has replied."
    )


def test_names_are_shown_as_written(look):
    page = look()
    assert page.locator("img, script, a[href*=evil], strong").count() == 0
    assert MARKUP in page.get_by_role("table", name=re.compile("^Organisations")).inner_text()
    spilled = page.get_by_text("[U+202E]gnitseuqnI[U+202C]")
    assert spilled.count() > 0


def test_pictures_say_in_words_what_they_show(look):
    page = look()
    pictures = page.get_by_role("img", name=re.compile("Clients of the whole contract"))
    assert pictures.count() == 5, "the silent prime's contract has no figures to draw"
    label = pictures.first.get_attribute("aria-label") or ""
    assert re.search(r"from January 2012 to December 2012; the most in \w+ 2012, 95; below", label)
    expect(pictures.first.locator("text", has_text=re.compile("^H$"))).to_have_count(0)
    expect(pictures.nth(1).locator("text", has_text=re.compile("^H$"))).to_have_count(1)


def test_on_paper_it_is_black_on_white_and_nothing_runs_off_the_sheet(look):
    page = look("dark", SHEET_PIXELS, which="small")
    page.emulate_media(media="print", color_scheme="dark")
    colours = page.evaluate(
        """() => [...document.querySelectorAll('body, body *')].flatMap(e => {
            const s = getComputedStyle(e); return [s.color, s.backgroundColor, s.fill] })"""
    )
    for colour in set(colours) - {"none"}:
        red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
        assert red == green == blue, colour
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth") <= SHEET_PIXELS
    too_wide = page.evaluate(
        """w => [...document.querySelectorAll('table, svg, p, h3')]
            .filter(e => e.getBoundingClientRect().right > w + 1)
            .map(e => e.outerHTML.slice(0, 90))""",
        SHEET_PIXELS,
    )
    assert too_wide == []
    expect(page.get_by_role("navigation")).to_be_hidden()
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF-")
    sheets = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 3 < sheets < 30
