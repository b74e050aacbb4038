"""Each page, run without a browser: on an empty store and on the worked example."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from checks.catalogue import all_checks
from dashboard import session
from dashboard.service import Service
from dashboard.views.navigation import NAMES
from dashboard.words import lines_of, more_or_fewer
from data.grid import MAX_COLUMNS, too_wide
from data.scope import OPERATOR
from data.tables import TABLES
from metrics.catalogue import flags, metrics
from metrics.rules import register
from metrics.what_if import value_with_unit

SCRIPT = Path(session.__file__).with_name("views") / "script.py"


def shown(name: str, store: Path, **about: str) -> AppTest:
    """The page after its first run."""
    session.serve(Service(store, OPERATOR))
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
    if name in ("replies", "members", "audit"):
        assert "This page is for a shared server." in words(at)
    if name == "upload":
        assert at.text_input(key="reporter").value == ""
        assert at.selectbox(key="table").value == "organisations"
    assert not (tmp_path / "nothing").exists()


def test_the_overview_leads_with_what_is_raised(demo_store: Path):
    at = shown("overview", demo_store)
    told = words(at)
    report = Service(demo_store, OPERATOR).flags()
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
    assert "1 flag is raised, on 1 agreement. A flag says" in words(at)


def test_the_overview_looks_back(demo_store: Path):
    at = shown("overview", demo_store)
    first = Service(demo_store, OPERATOR).history()[0].received_on
    at.date_input(key="as_of").set_value(first).run()
    assert not at.exception
    told = words(at)
    assert f"As known on {first.day}" in told
    assert "1 flag is raised" in told
    assert "Named in the bid, and no consent is recorded." in told


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


SLATE = {"contract": "EXAMPLE-SOUTH-2", "subcontractor": "XX-EXAMPLE-SUB-55"}
WILLOW = {"contract": "EXAMPLE-NORTH-2", "subcontractor": "XX-EXAMPLE-SUB-59"}


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_the_agreement_page_tells_the_story_of_explain(demo_store: Path):
    """Every sentence, for every flag, the quiet ones too; the raised stand open, first."""
    told = plain(words(shown("agreement", demo_store, **WILLOW)))
    service = Service(demo_store, OPERATOR)
    explanations = service.explanations(service.flags(), *WILLOW.values())
    assert {one.flag.id for one in explanations} == {flag.id for flag in flags()}
    for explanation in explanations:
        assert plain(explanation.flag.title) in told
        for heading, sentences in explanation.sections:
            assert heading in told
            for sentence in sentences:
                assert plain(sentence) in told
        for group in explanation.row_groups:
            assert f"{group.return_id} {lines_of(group)}" in told
    raised = [one.flag.title for one in explanations if one.assessment.status == "raised"]
    quiet = told.index("Show how this was worked out")
    assert raised
    assert all(told.index(title) < quiet for title in raised)


def test_the_command_and_the_page_give_the_same_explanation(demo_store: Path):
    service = Service(demo_store, OPERATOR)
    by_page = {
        one.flag.id: one.answer() for one in service.explanations(service.flags(), *SLATE.values())
    }
    for flag_id in ("management_fee", "volume_divergence", "unreconciled"):
        assert service.explain(flag_id, *SLATE.values()).answer() == by_page[flag_id]


def test_what_the_volume_and_the_allocation_did_can_be_read_as_a_table(demo_store: Path):
    at = shown("agreement", demo_store, **WILLOW)
    told = plain(words(at))
    assert "What the commissioner's volume did, and what the prime's allocation" in told
    assert "The split as a table" in told
    split = next(
        found.evidence["split"]
        for found in Service(demo_store, OPERATOR).flags().assessments
        if found.flag == "volume_divergence" and found.subcontractor_id == WILLOW["subcontractor"]
    )
    assert plain(split["sentence"]) in told
    assert f"{more_or_fewer(split['volume_effect'])} " in told


def ask_what_if(at: AppTest, value: str) -> AppTest:
    at.text_input(key="what_if_value management_fee").set_value(value).run()
    next(button for button in at.button if button.label == "Ask").click().run()
    assert not at.exception
    return at


def test_a_rule_can_be_another_for_a_while_and_every_page_says_so(demo_store: Path):
    at = ask_what_if(shown("overview", demo_store), "5%")
    told = words(at)
    notice = "What if: Highest management fee (management_fee) at 5 % (register: 15 %)."
    report = Service(demo_store, OPERATOR).flags(overrides={"management_fee": "5%"})
    assert notice in told
    assert report.comparisons[0].sentence in told
    assert f"{sum(a.status == 'raised' for a in report.assessments)} flags are raised" in told
    for warning in report.warnings:
        assert warning in told
    for name in NAMES[1:]:
        at._page_hash = calc_hash(name)
        at.run()
        assert not at.exception
        assert notice in words(at)
    next(button for button in at.button if button.label == "Back to the register").click().run()
    assert "What if: " not in words(at)


def test_an_agreement_worked_out_with_another_rule_is_marked(demo_store: Path):
    at = ask_what_if(shown("agreement", demo_store, **SLATE), "30 %")
    told = plain(words(at))
    assert "A value asked for in place of the register's, which is 15 %" in told
    assert "by the register 1." in told
    ask_what_if(at, "")
    assert "What if: " not in words(at)


def test_a_value_that_is_no_rule_is_one_sentence(demo_store: Path):
    told = words(ask_what_if(shown("overview", demo_store), "lots"))
    assert 'We read "lots" for the rule management_fee. Write a number such as 0.15.' in told
    assert "What if: " not in told


def test_what_belongs_to_no_agreement_is_noted_on_the_overview(demo_store: Path, monkeypatch):
    flags_of = Service.flags
    note = "Forecasts name S9 in C1, which has no agreement on record: they count for nothing."
    monkeypatch.setattr(
        Service, "flags", lambda self, **options: replace(flags_of(self, **options), notes=(note,))
    )
    session.report.clear()
    told = words(shown("overview", demo_store))
    session.report.clear()
    assert "On record, but part of no agreement (1)" in told
    assert note in told


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
    assert "Figures" in [tab.label for tab in at.tabs]


def test_an_address_that_names_no_agreement_says_so(demo_store: Path):
    at = shown("agreement", demo_store, contract="NO-SUCH")
    assert "names an agreement that is not on record" in words(at)


def test_a_nil_return_is_recorded_and_the_same_again_changes_nothing(demo_copy: Path):
    at = shown("upload", demo_copy)
    before = len(Service(demo_copy, OPERATOR).history())
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
        assert len(Service(demo_copy, OPERATOR).history()) == expected
        assert told in words(at)


def test_a_mistake_in_the_months_is_one_sentence(demo_copy: Path):
    at = shown("upload", demo_copy)
    at.selectbox(key="reporter").select("XX-EXAMPLE-SUB-03").run()
    at.text_input(key="covers-referrals").set_value("June").run()
    at.checkbox(key="nil-referrals").check().run()
    assert not at.exception
    assert '"June"' in words(at)
    assert not [b for b in at.button if b.label == "Submit the nil return"]


def test_why_a_file_is_refused_stands_outside_the_closed_box_of_its_stages(demo_copy: Path):
    at = shown("upload", demo_copy)
    at.selectbox(key="reporter").select("XX-EXAMPLE-SUB-59").run()
    wide = ",".join(f"x{number}" for number in range(MAX_COLUMNS + 1)).encode()
    at.file_uploader[0].set_value(("wide.csv", wide, "text/csv")).run()
    assert not at.exception
    assert at.status[0].label == "The file could not be checked"
    assert not at.status[0].get("html")
    assert too_wide() in words(at)
    good = (
        b"referral_id,contract_id,subcontractor_id,client_group,referred_on\n"
        b"W-1,EXAMPLE-NORTH-2,XX-EXAMPLE-SUB-59,JSA 25+,2011-07-05\n"
    )
    at.file_uploader[0].set_value(("good.csv", good, "text/csv")).run()
    assert at.status[0].label == "Checked"
    for agreed in at.checkbox:
        if "I have read" in agreed.label:
            agreed.check().run()
    (demo_copy / "client.key").unlink()
    next(b for b in at.button if b.label == "Submit the return").click().run()
    assert not at.exception
    assert at.status[0].label == "Nothing was recorded"
    assert not at.status[0].get("html")
    assert 'client.key" is missing' in words(at)


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
        assert value_with_unit(rule) in told
    for table in TABLES.values():
        assert all(column.description in told for column in table.columns)
