"""Each page, run without a browser: on an empty store and on the worked example."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from checks.catalogue import all_checks
from dashboard import session
from dashboard.service import Service
from dashboard.views.navigation import NAMES
from data.tables import TABLES
from metrics.catalogue import flags, metrics
from metrics.rules import register

SCRIPT = Path(session.__file__).with_name("views") / "script.py"


def shown(name: str, store: Path, **about: str) -> AppTest:
    """The page after its first run."""
    session.serve(Service(store))
    at = AppTest.from_file(str(SCRIPT), default_timeout=60)
    if name != NAMES[0]:
        at._page_hash = calc_hash(name)  # the only way to a page that is no file of its own
    for key, value in about.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    """All that stands on the page, as text."""
    parts = [element.value for element in (*at.title, *at.header, *at.subheader)]
    html_parts = [block.proto.body for block in at.get("html")]
    labels = [e.label for e in (*at.expander, *at.tabs)]
    text = " ".join([*parts, *html_parts, *labels])
    return html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\\", "").replace("\u2060", "")


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_store_is_explained(tmp_path: Path, name: str):
    at = shown(name, tmp_path / "nothing")
    assert at.title[0].value
    if name == "overview":
        assert "Nothing has been recorded here yet" in words(at)
        assert "1. Organisations" in words(at)
    if name == "agreement":
        assert "no agreement to look at" in words(at)
    if name == "upload":
        assert at.text_input(key="reporter").value == ""
        assert at.selectbox(key="table").value == "organisations"
    assert not (tmp_path / "nothing").exists()


def test_the_overview_leads_with_what_is_raised(demo_store: Path):
    at = shown("overview", demo_store)
    told = words(at)
    report = Service(demo_store).flags()
    raised = [a for a in report.assessments if a.status == "raised"]
    assert f"{len(raised)} flags are raised" in told
    assert "Invented Willow Employment Ltd (example)" in told
    table = at.dataframe[0].value
    assert len(table) == len(report.assessments)
    assert list(table["Status"][: len(raised)]) == ["Raised"] * len(raised)


def test_the_overview_narrows_down(demo_store: Path):
    at = shown("overview", demo_store)
    at.multiselect[3].select("management_fee")
    at.multiselect[4].select("raised")
    at.run()
    assert not at.exception
    assert list(at.dataframe[0].value["Flag"]) == ["Management fee above the rule"]
    assert "1 flag is raised" in words(at)


def test_the_overview_looks_back(demo_store: Path):
    at = shown("overview", demo_store)
    first = Service(demo_store).history()[0].received_on
    at.date_input(key="as_of").set_value(first).run()
    assert not at.exception
    assert f"As known on {first.day}" in words(at)
    assert "No flag is raised" in words(at)


def test_an_agreement_shows_promise_fee_and_rows(demo_store: Path):
    at = shown(
        "agreement", demo_store, contract="EXAMPLE-SOUTH-2", subcontractor="XX-EXAMPLE-SUB-55"
    )
    told = words(at)
    assert "Invented Slate Skills Ltd (example) delivers for Invented Pathfinder" in told
    assert "A management fee of 22 %; the rule is at most 15 %." in told
    fee = next(flag for flag in flags() if flag.id == "management_fee")
    assert all(question in told for question in fee.ask_next)
    assert "Management fee agreed" in told
    rows = at.dataframe[0].value
    assert {"prime", "subcontractor"} == set(rows["side"])
    assert rows["row_number"].notna().all()
    assert not any("client_hash" in frame.value for frame in at.dataframe)


def test_an_agreement_that_nobody_reported_is_not_shown_as_zero(demo_store: Path):
    at = shown(
        "agreement", demo_store, contract="EXAMPLE-SOUTH-3", subcontractor="XX-EXAMPLE-SUB-03"
    )
    told = words(at)
    assert "Referrals received not reported" in re.sub(r"\s+", " ", told)
    assert "Neither side has sent a return" in told


def test_a_whole_contract_can_be_looked_at(demo_store: Path):
    at = shown("agreement", demo_store, contract="EXAMPLE-NORTH-2")
    assert "Contract EXAMPLE-NORTH-2, held by" in words(at)
    assert at.selectbox[1].value is None


def test_an_address_that_names_no_agreement_says_so(demo_store: Path):
    at = shown("agreement", demo_store, contract="NO-SUCH")
    assert "names an agreement that is not on record" in words(at)


def test_a_nil_return_is_recorded_and_the_same_again_changes_nothing(demo_copy: Path):
    at = shown("upload", demo_copy)
    before = len(Service(demo_copy).history())
    for expected, told in (
        (before + 1, "a nil return of referrals"),
        (before + 1, "already recorded"),
    ):
        at.selectbox(key="reporter").select("XX-EXAMPLE-SUB-03").run()
        at.text_input(key="covers-referrals").set_value("2011-06..2012-03").run()
        at.checkbox(key="nil-referrals").check().run()
        button = next(b for b in at.button if b.label == "Submit the nil return")
        button.click().run()
        assert not at.exception
        assert len(Service(demo_copy).history()) == expected
        assert told in words(at)


def test_a_mistake_in_the_months_is_one_sentence(demo_copy: Path):
    at = shown("upload", demo_copy)
    at.selectbox(key="reporter").select("XX-EXAMPLE-SUB-03").run()
    at.text_input(key="covers-referrals").set_value("June").run()
    at.checkbox(key="nil-referrals").check().run()
    assert not at.exception
    assert '"June"' in words(at)
    assert not [b for b in at.button if b.label == "Submit the nil return"]


def test_the_method_has_every_definition(demo_store: Path):
    told = words(shown("method", demo_store))
    for metric in metrics():
        assert metric.question in told
        assert metric.why_it_matters in told
    for flag in flags():
        assert flag.question in told
    for check in all_checks():
        assert check.promise in told
    for rule in register():
        assert rule.source in told
    for table in TABLES.values():
        assert all(column.description in told for column in table.columns)
