"""The dashboard as people meet it: in a browser, in light and dark, with their own files."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import READY, ROOT, Served, answer

if TYPE_CHECKING:
    from pathlib import Path

SCREENSHOTS = ROOT / "docs" / "screenshots"
PAGES = {
    "overview": ("/", "What needs attention", "flags are raised"),
    "agreement": (
        "/agreement?contract=EXAMPLE-SOUTH-2&subcontractor=XX-EXAMPLE-SUB-55",
        "Agreement",
        "A management fee of 22 %",
    ),
    "upload": ("/upload", "Upload a return", "Returns so far"),
    "method": ("/method", "Method", "It says look here, never guilty"),
}
WILLOW = "/agreement?contract=EXAMPLE-NORTH-2&subcontractor=XX-EXAMPLE-SUB-59"
HEADER = "referral_id,contract_id,subcontractor_id,client_group,referred_on\n"
GOOD_ROW = "W-1,EXAMPLE-NORTH-2,XX-EXAMPLE-SUB-59,JSA 25+,2011-07-05\n"
BAD_ROW = "W-2,EXAMPLE-NORTH-2,XX-EXAMPLE-SUB-59,JSA 25+,<b>5th of July</b>\n"
MENDED_ROW = "W-2,EXAMPLE-NORTH-2,XX-EXAMPLE-SUB-59,JSA 25+,2011-08-05\n"


def settled(page: Page) -> None:
    """Waits until the page has stopped working; the first answer after a return takes longest."""
    page.wait_for_timeout(300)
    page.wait_for_selector(READY, timeout=120_000)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_each_page_shows_what_it_is_for_in_light_and_dark(demo: Served, open_page, name, theme):
    path, heading, words = PAGES[name]
    page = open_page(demo.url + path, theme)
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.get_by_text(words).first).to_be_visible()
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    lightness = sum(int(part) for part in re.findall(r"\d+", background)[:3])
    assert (lightness > 600) == (theme == "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    expect(page.get_by_test_id("stException")).to_have_count(0)
    if name in ("overview", "agreement"):
        chart = page.locator("[data-testid=stVegaLiteChart]").first
        expect(chart).to_be_visible()
        expect(chart.locator("canvas, svg").first).to_be_visible()
    if os.environ.get("FAIRTIER_SCREENSHOTS"):
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": 1280, "height": min(height, 2700)})
        page.wait_for_timeout(1500)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}-{theme}.png")


def test_charts_and_tables_have_words_for_those_who_cannot_see_them(demo: Served, open_page):
    page = open_page(demo.url + "/")
    described = page.locator("[aria-label*='Bars of flags by status'], [alt*='Bars of flags']")
    expect(described.first).to_be_attached()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("table", name=re.compile("Number of agreements"))).to_be_visible()


def test_a_link_on_the_overview_leads_to_the_agreement(demo: Served, open_page):
    page = open_page(demo.url + "/")
    card = page.locator(".st-key-card-raised-0")
    name = card.get_by_role("heading").inner_text()
    card.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Agreement")
    expect(page.get_by_text(f"{name} delivers for")).to_be_visible()
    assert "contract=EXAMPLE-NORTH-2" in page.url
    assert "subcontractor=XX-EXAMPLE-SUB-59" in page.url


def test_how_a_quiet_answer_was_worked_out_is_shown_when_asked_for(demo: Served, open_page):
    page = open_page(demo.url + WILLOW)
    flag = page.locator(".st-key-flag-named_without_consent")
    expect(flag).to_contain_text("Clear")
    rule = flag.get_by_text("Days by which consent must come", exact=False)
    expect(rule).to_be_hidden()
    flag.get_by_text("Show how this was worked out").click()
    expect(rule).to_be_visible()
    expect(flag.get_by_role("columnheader", name="Lines")).to_be_visible()


def test_a_rule_asked_for_marks_every_page_until_the_register_is_back(demo: Served, open_page):
    page = open_page(demo.url + "/")
    page.get_by_text("What if a rule were another").click()
    page.get_by_role("textbox", name="Value", exact=True).fill("5%")
    page.keyboard.press("Tab")
    settled(page)
    page.get_by_role("button", name="Ask", exact=True).click()
    notice = page.get_by_text("What if: Highest management fee (management_fee) at 5 %")
    expect(notice).to_be_visible()
    expect(page.get_by_text("At 5 % (register: 15 %)")).to_be_visible()
    page.get_by_role("link", name="Method").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Method")
    expect(notice).to_be_visible()
    page.get_by_role("button", name="Back to the register").click()
    expect(notice).to_have_count(0)


def choose_reporter(page: Page, name: str) -> None:
    box = page.get_by_role("combobox", name=re.compile("Reporting organisation"))
    box.click()
    box.press_sequentially(name)
    page.get_by_role("option", name=re.compile(name)).first.click()
    settled(page)


def give(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text(file.name, exact=True).first.wait_for()
    page.get_by_role("heading", name="3. What the checks say").wait_for()
    settled(page)


def test_a_bad_file_is_mended_and_submitted_and_the_flag_changes(
    demo_copy: Path, tmp_path: Path, serve, open_page
):
    bad, mended = tmp_path / "july.csv", tmp_path / "july_mended.csv"
    bad.write_text(HEADER + GOOD_ROW + BAD_ROW)
    mended.write_text(HEADER + GOOD_ROW + MENDED_ROW)
    running = serve(demo_copy)
    page = open_page(running.url + WILLOW)
    flag = page.locator(".st-key-flag-zero_referrals")
    expect(flag).to_contain_text("Raised")
    page.goto(running.url + "/upload")
    choose_reporter(page, "Invented Willow Employment")
    give(page, bad)
    expect(page.get_by_text("2 rows read; 1 finding to mend")).to_be_visible()
    finding = page.locator("[class*=st-key-finding]").first
    expect(finding).to_contain_text("referred_on")
    expect(finding).to_contain_text("Rows: 3")
    expect(finding).to_contain_text("<b>5th of July</b>")
    expect(page.get_by_role("button", name="Submit the return")).to_have_count(0)
    expect(page.get_by_role("button", name="Download the file with")).to_be_visible()
    give(page, mended)
    submit = page.get_by_role("button", name="Submit the return")
    expect(submit).to_be_disabled()
    page.get_by_text("I have read").click()
    expect(submit).to_be_enabled()
    submit.click()
    receipt = page.get_by_text("Recorded as return r-")
    expect(receipt).to_contain_text("2 rows of referrals by XX-EXAMPLE-SUB-59")
    expect(page.get_by_text("SHA-256 of the file as received")).to_be_visible()
    expect(page.get_by_text(re.compile("It replaces r-"))).to_be_visible()
    page.goto(running.url + WILLOW)
    settled(page)
    expect(page.locator(".st-key-flag-zero_referrals")).to_contain_text("Clear")
    expect(page.locator(".st-key-flag-zero_referrals")).to_contain_text("2 referrals")
    importers = running.importers()
    assert importers, "no process imported Great Expectations, so nothing was checked"
    assert running.process.pid not in importers


def test_names_that_look_like_markup_are_shown_as_written(tmp_path: Path, serve, open_page):
    from dashboard.service import Service
    from data.scope import OPERATOR

    name = (
        '**Bold** <img src=x onerror="alert(1)"> [link](http://evil.example) :smile: '
        "www.evil.example"
    )
    quoted = name.replace('"', '""')
    files = {
        "organisations": "organisation_id,name,sector\nNET,The network,voluntary\n"
        f'PRIME,"{quoted}",private\nSUB,"{quoted}",voluntary\nCOM,The buyer,public\n',
        "contracts": "contract_id,programme,commissioner_id,prime_id,starts_on\n"
        "K1,*Programme*,COM,PRIME,2011-06-01\n",
        "agreements": "contract_id,subcontractor_id,delivery_role,named_in_bid,promised_share\n"
        "K1,SUB,end_to_end,yes,0.5\n",
    }
    service = Service(tmp_path / "store", OPERATOR)
    for table, text in files.items():
        service.record(service.examine(table, (f"{table}.csv", text.encode()), by="NET"))
    service.record(service.examine_nil("referrals", by="SUB", covers="2011-06..2011-12"))
    running = serve(tmp_path / "store")
    for path in (
        "/",
        "/agreement?contract=K1&subcontractor=SUB",
        "/agreement?contract=K1",
        "/upload",
    ):
        page = open_page(running.url + path)
        for tab in page.get_by_role("tab").all():
            tab.click()
            page.wait_for_timeout(200)
        content = page.locator("[data-testid=stMain]")
        if path != "/upload":
            assert name in content.inner_text().replace("\u2060", "")
        assert content.locator("img, a[href*=evil]").count() == 0
        assert content.locator("strong", has_text=re.compile(r"^Bold$")).count() == 0
        assert "\N{SMILING FACE WITH OPEN MOUTH AND SMILING EYES}" not in content.inner_text()


def test_only_requests_addressed_to_this_machine_are_answered(demo: Served):
    assert answer(demo.port, "/", Host="evil.example").status == 421
    welcomed = answer(demo.port, "/", Host=f"localhost:{demo.port}")
    assert welcomed.status == 200
    assert welcomed.headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in welcomed.headers["content-security-policy"]


@pytest.mark.skipif(os.name != "posix", reason="asks for a process by signal 0")
def test_stopping_the_server_leaves_no_process_behind(tmp_path: Path, serve):
    running = serve(tmp_path / "empty")
    begun = time.monotonic()
    while not running.importers() and time.monotonic() - begun < 60:
        time.sleep(0.2)
    (worker,) = running.importers()
    assert runs(worker)
    running.process.terminate()
    running.process.wait(30)
    begun = time.monotonic()
    while runs(worker) and time.monotonic() - begun < 10:
        time.sleep(0.1)
    assert not runs(worker)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
