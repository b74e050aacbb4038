"""Weighing offers on the page and by the command, from a form entered or uploaded to the answer."""

from __future__ import annotations

import functools
import html
import io
import json
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.commands.offers import offer as command
from dashboard.offers import held_in, read_offer
from dashboard.service import Service
from dashboard.session import Person
from dashboard.views import offers as view
from data.errors import BadOption, UnusableOffer
from data.offer_form import (
    blank_form,
    example_form,
    offer_workbook,
    read_offer_form,
)
from data.scope import OPERATOR, PUBLIC
from metrics.offer_promises import POINT_TITLES, POINTS
from metrics.offer_weighing import weigh

if TYPE_CHECKING:
    from pathlib import Path


def page() -> None:
    """The page alone; it runs as a script of its own, so it imports what it needs."""
    from dashboard.views import offers

    offers.show()


def opened(store: Path, person: Person | None = None) -> AppTest:
    session.serve(Service(store, OPERATOR), person=person)
    at = AppTest.from_function(page, default_timeout=60)
    return run(at)


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception, at.exception
    return at


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click()
    return run(at)


def words(at: AppTest) -> str:
    told = [element.value for element in (*at.title, *at.header, *at.subheader)]
    told += [block.proto.body for block in at.get("html")]
    told += [one.label for one in (*at.expander, *at.tabs)]
    return html.unescape(re.sub(r"<[^>]+>", " ", " ".join(told)))


@pytest.fixture(autouse=True)
def fewer_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many runs as the tests have time for."""
    monkeypatch.setattr(view, "weigh", functools.partial(weigh, run_count=300))


@pytest.fixture
def example(tmp_path: Path) -> AppTest:
    return press(opened(tmp_path / "nothing"), "Fill in the example")


# The page


def test_an_offer_entered_by_hand_is_weighed(tmp_path: Path) -> None:
    at = opened(tmp_path / "nothing")
    assert "is never written to the server" in words(at)
    at.text_input(key="offer-1-name").input("Sample *Prime*")
    at.number_input(key="offer-1-monthly_cost").set_value(1000.0)
    at.number_input(key="offer-1-reserve").set_value(5000.0)
    at.text_input(key="offer-1-group-0-client_group").input("ESA <b>")
    at.number_input(key="offer-1-group-0-referrals_a_month").set_value(5.0)
    at.number_input(key="offer-1-group-0-attachment_fee_price").set_value(400.0)
    at.number_input(key="offer-1-group-0-attachment_fee_chance").set_value(80.0)
    run(at)
    assert "Fill in the offer and press the button." in words(at)
    press(at, "Weigh the offer")
    told = words(at)
    assert "it brings £46,080 and costs £36,000: £10,080 is left over" in told
    assert "It breaks even at 112.5 clients (3.13 a month, 62.5 % of the forecast)" in told
    assert "ESA <b>" in told
    assert "What to negotiate first" in told
    assert len(at.get("vega_lite_chart")) == 1
    assert not (tmp_path / "nothing").exists(), "nothing is stored"


def test_what_is_missing_or_contradicts_itself_is_said_beside_its_field(tmp_path: Path) -> None:
    at = press(opened(tmp_path / "nothing"), "Weigh the offer")
    assert "Offer 1: Name of the offer: it is empty." in words(at)
    assert "Offer 1: Client group 1, Referrals a month: it is empty." in words(at)
    at = press(at, "Fill in the example")
    at.number_input(key="offer-2-group-0-job_outcome_chance").set_value(95.0)
    run(at)
    told = words(press(at, "Weigh the offer"))
    assert "Offer 1: Client group 1, Job outcome chance: more clients would get here" in told


def test_a_change_makes_the_answer_ask_to_be_made_anew(example: AppTest) -> None:
    at = press(example, "Weigh the offer")
    assert "The chance of a loss is" in words(at)
    at.number_input(key="offer-2-payment_days").set_value(90)
    run(at)
    assert "Something has changed since the last answer." in words(at)
    assert "The chance of a loss is" not in words(at)


def test_offers_stand_side_by_side_and_can_be_removed(example: AppTest) -> None:
    at = press(example, "Add another offer")
    at = press(at, "Fill in the example")
    assert [tab.label for tab in at.tabs] == ["Offer 1", "Offer 2"]
    at.text_input(key="offer-4-name").input("The other one")
    at.number_input(key="offer-4-groups").set_value(2)
    run(at)
    at.text_input(key="offer-4-group-1-client_group").input("Second group")
    at.number_input(key="offer-4-group-1-referrals_a_month").set_value(1.0)
    at.selectbox(key="offer-4-promise-price").set_value("firm")
    at = press(at, "Weigh the offers")
    told = words(at)
    assert "The offers side by side" in told
    assert "The other one" in told
    at.selectbox[-1].set_value(1)
    run(at)
    assert "Second group" in words(at)
    assert "16 points to settle before you sign" in words(at)
    at = press(at, "Remove this offer")
    assert [tab.label for tab in at.tabs] == ["Offer 1"]


def test_a_filled_in_form_is_taken_up_and_a_wrong_one_is_refused_with_its_cells(
    tmp_path: Path,
) -> None:
    at = opened(tmp_path / "nothing")
    form = example_form()
    good = offer_workbook(form, POINTS)
    bad = offer_workbook(form.__class__({"name": "x"}, form.groups), POINTS)
    at.file_uploader[0].set_value(
        [("good.xlsx", good, "x"), ("bad.xlsx", bad, "x"), ("no.xlsx", b"\0\1", "x")]
    )
    run(at)
    told = words(at)
    assert '"bad.xlsx", sheet Offer, row 3, Months with referrals: it is empty.' in told
    assert '"no.xlsx"' in told
    assert at.text_input(key="offer-2-name").value == "Example Pathfinder, South"
    assert at.number_input(key="offer-2-group-0-attachment_fee_chance").value == 90.0
    assert "£95,994.40 is left over" in words(press(at, "Weigh the offer"))


def test_the_public_is_shown_nothing(tmp_path: Path) -> None:
    at = opened(tmp_path / "nothing", Person(PUBLIC))
    assert not at.text_input


def test_forecasts_hold_as_in_the_agreements_that_the_asker_sees(demo_store: Path) -> None:
    service = Service(demo_store, OPERATOR)
    held = held_in(service.flags().assessments, ())
    assert held.basis == "ledger"
    at = opened(demo_store)
    assert f"by {held.agreement_count} agreements" in words(at)
    assert held_in([], ()).basis == "assumed"


# The command


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    path = tmp_path / "example.xlsx"
    path.write_bytes(offer_workbook(example_form(), POINTS))
    return path


def asked(*arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_the_command_answers_in_words_and_as_json(filled: Path) -> None:
    told = asked(str(filled), "--runs", "200")
    assert "£95,994.40 is left over" in told
    assert "What to negotiate first" in told
    assert "Ask for: A price for each payment type" in told
    found = json.loads(asked(str(filled), "--runs", "200", "--json"))
    assert found == json.loads(asked(str(filled), "--runs", "200", "--json")), "by the same seed"
    assert found != json.loads(asked(str(filled), "--runs", "200", "--seed", "2", "--json"))
    assert found[0]["expected"]["result_pence"] == 9_599_440
    assert found[0]["outlook"]["runs"] == 200
    assert "Side by side" in asked(str(filled), str(filled), "--runs", "200")


def test_the_command_writes_all_results(filled: Path, tmp_path: Path) -> None:
    results = tmp_path / "results.xlsx"
    asked(str(filled), "--runs", "200", "--results", str(results))
    book = load_workbook(io.BytesIO(results.read_bytes()))
    assert book.sheetnames == [
        *("Answers", "Side by side", "Cash by month", "What to negotiate"),
        *("Not firmly promised", "Assumptions"),
    ]
    assert book["Cash by month"].max_row == 83


def test_the_template_is_refused_until_it_is_filled_in_and_says_what_is_missing(
    tmp_path: Path,
) -> None:
    template = tmp_path / "offer.xlsx"
    assert "Fill it in" in asked("--template", str(template))
    assert template.read_bytes()
    with pytest.raises(UnusableOffer) as caught:
        asked(str(template), str(tmp_path / "none.xlsx"))
    told = str(caught.value)
    assert '"offer.xlsx", sheet Offer, row 2, Name of the offer: it is empty.' in told
    assert '"offer.xlsx", sheet Client groups: we read 0 rows.' in told
    assert "cannot be opened" in told
    with pytest.raises(BadOption):
        asked()


def test_how_forecasts_have_held_comes_from_the_ledger_if_asked(
    demo_store: Path, tmp_path: Path
) -> None:
    form = example_form()
    bare = {**form.answers, "kept_mean": None, "kept_spread": None}
    path = tmp_path / "offer.xlsx"
    path.write_bytes(offer_workbook(form.__class__(bare, form.groups), POINTS))
    assert "a cautious guess of ours" in asked(str(path), "--runs", "100")
    told = asked(str(path), "--runs", "100", "--from-ledger", "--store", str(demo_store))
    assert re.search(r"Clients who come: .* by \d+ agreements", told)


# The form


def test_what_is_downloaded_is_read_back_as_it_was() -> None:
    form = example_form()
    firm = form.__class__(form.answers, form.groups, {"price": "firm", "tupe": "stated"})
    back = read_offer_form(offer_workbook(firm, POINTS), "o.xlsx", POINT_TITLES)
    assert (back.answers, back.groups, back.promises) == (
        firm.answers,
        firm.groups,
        firm.promises,
    )
    assert read_offer(offer_workbook(firm, POINTS), "o.xlsx").name == "Example Pathfinder, South"


def mended(changes: dict[tuple[str, str], object], drop: str = "") -> list[str]:
    """The mistakes in the example with some cells changed, and perhaps a sheet left out."""
    book = load_workbook(io.BytesIO(offer_workbook(example_form(), POINTS)))
    for (sheet, cell), value in changes.items():
        book[sheet][cell] = value
    if drop:
        del book[drop]
    content = io.BytesIO()
    book.save(content)
    try:
        read_offer_form(content.getvalue(), "o.xlsx", POINT_TITLES)
    except UnusableOffer as error:
        return list(error.mistakes)
    return []


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "told"),
    [
        ("Offer", "B3", "soon", 'row 3, Months with referrals: we read "soon". Write a whole'),
        ("Offer", "B3", 121, 'we read "121". Write a whole number: 1 to 120.'),
        ("Offer", "B2", "x" * 101, "at most 100 letters"),
        ("Offer", "B4", -5, 'row 4, Cost a month: we read "-5". Write pounds'),
        ("Offer", "B9", 80, 'row 9, Management fee: we read "80". Write a percentage'),
        ("Offer", "B17", "100%", "Clumping of referrals: we read"),
        ("Offer", "B18", "maybe", "Write yes or no."),
        ("Offer", "A3", "Month with referral", 'Did you mean "Months with referrals"?'),
        ("Offer", "A3", "Cost a month", '"Cost a month" stands there a second time.'),
        ("Offer", "A3", "Weather", "which is not asked. Put back"),
        ("Offer", "A3", "Weather", 'the question "Months with referrals" is missing'),
        ("Client groups", "B2", None, "row 2, Referrals a month: it is empty."),
        ("Client groups", "C1", "Attachment fee prize", 'Call it "Attachment fee price"'),
        ("Promises", "A2", "Vollume", 'Point: we read "Vollume"'),
        ("Promises", "B2", "perhaps", "Write firm, stated or not stated."),
    ],
)
def test_each_mistake_names_its_cell_and_the_remedy(
    sheet: str, cell: str, value: object, told: str
) -> None:
    mistakes = mended({(sheet, cell): value})
    assert any(told in one for one in mistakes), mistakes
    assert all(f'"o.xlsx", sheet {sheet}' in one for one in mistakes)


def test_all_mistakes_are_told_at_once() -> None:
    mistakes = mended({("Offer", "B3"): "soon", ("Client groups", "E2"): "9 of 10"})
    assert len(mistakes) == 2


def test_a_sheet_left_out_is_missed_but_for_the_promises() -> None:
    assert mended({}, drop="Promises") == []
    assert '"Client group" and "Referrals a month"' in mended({}, drop="Client groups")[0]
    assert '"Question" and "Answer"' in mended({}, drop="Offer")[0]


def test_a_row_of_the_form_without_any_words_is_passed_over() -> None:
    assert mended({("Offer", "D25"): "a note of mine"}) == []


def test_the_example_row_of_the_template_is_no_client_group() -> None:
    with pytest.raises(UnusableOffer, match="we read 0 rows"):
        read_offer_form(offer_workbook(blank_form(), POINTS), "o.xlsx", POINT_TITLES)
