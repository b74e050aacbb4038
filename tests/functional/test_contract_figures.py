"""The figures of a contract on their tab, from figures made up for it and on the worked example."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.service import ContractFigures, Service
from dashboard.session import Registers
from data.scope import OPERATOR
from metrics.concentration import Concentration, SubcontractorShare
from metrics.conversion import Conversion, GroupConversion
from metrics.spend_by_sector import SectorSpend, Spend

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = {"contract_id": "C1", "prime_id": "P", "programme": "Restart"}
REGISTERS = Registers({"P": "Sample <Prime>", "S": "Exampleton Trust"}, {"C1": CONTRACT}, {})
NOTHING = ContractFigures(
    Spend(None, 0, ()), Concentration(0, None, None, (), None), Conversion(())
)


def page(contract, registers):
    """The tab alone; it runs as a script of its own, so it imports what it needs."""
    from dashboard import session
    from dashboard.views import contract_figures

    contract_figures.show(session.question(), contract, registers)


def words(at: AppTest) -> str:
    assert not at.exception
    body = " ".join(block.proto.body for block in at.get("html"))
    return html.unescape(re.sub(r"<[^>]+>", " ", body))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The tab of made up figures: what it says, and how many charts it draws."""

    def show(figures: ContractFigures, programme: Spend | None = None) -> tuple[str, int]:
        session.serve(Service(tmp_path / "nothing", OPERATOR))
        monkeypatch.setattr(session, "contract_figures", lambda *_: figures)
        monkeypatch.setattr(session, "programme_spend", lambda *_: programme or figures.spend)
        at = AppTest.from_function(page, kwargs={"contract": CONTRACT, "registers": REGISTERS})
        at.run(timeout=60)
        return words(at), len(at.get("vega_lite_chart"))

    return show


def test_what_is_not_reported_is_said_and_nothing_is_drawn(told: Any) -> None:
    text, charts = told(NOTHING)
    assert charts == 0
    assert "No referrals return of Sample <Prime> covers a month, so this cannot be said." in text
    assert "No payments return of Sample <Prime> covers a month" in text
    assert "No referral or payable event is reported, so this cannot be said." in text


def test_everything_is_drawn_and_told(told: Any) -> None:
    many = tuple(SubcontractorShare(f"S{n}", 5, 1 / 14) for n in range(14))
    text, charts = told(
        ContractFigures(
            Spend(900, 2, (SectorSpend("voluntary", 600, 1, 2 / 3),)),
            Concentration(3, 100, 30, many, 1 / 14),
            Conversion((("", GroupConversion(0, 0, 0, 1)), ("ESA", GroupConversion(10, 5, 5, 1)))),
        ),
        Spend(9000, 9, (SectorSpend("private", 9000, 9, 1.0),)),
    )
    assert charts == 3
    assert "reports 100 clients and kept 30 in house (30 %)" in text
    assert "The others went to 14 subcontractors: as concentrated as 14 subcontractors" in text
    assert "All of Restart" in text
    assert "No group given" in text
    assert "20 %" in text
    assert "none" in text, "a rate with nothing to divide by"
    assert "can be followed for 12 months" in text


def test_clients_of_twelve_months_have_a_table_of_their_own(told: Any) -> None:
    old = GroupConversion(9, 8, 8, 4, 0, 9, 4, 8, 6, 3)
    text, _ = told(ContractFigures(NOTHING.spend, NOTHING.concentration, Conversion((("E", old),))))
    cells = text.split("referred at least 12 months before the end")[-1].split()
    assert " ".join(cells).endswith("E 8 6 3 75 % 50 % All client groups 8 6 3 75 % 50 %")


def test_shares_that_cannot_be_taken_are_said_in_words(told: Any) -> None:
    text, charts = told(
        ContractFigures(
            Spend(-200, 1, (SectorSpend("voluntary", -200, 1, None),)),
            Concentration(3, 40, 40, (), None),
            Conversion((("", GroupConversion(attachment_count=1)),)),
        )
    )
    assert charts == 1
    assert "-£2 is payable to subcontractors after corrections" in text
    assert "It passed nobody on." in text
    assert (
        "shows a client"
        in told(
            ContractFigures(NOTHING.spend, Concentration(3, 0, 0, (), None), NOTHING.conversion)
        )[0]
    )


def test_the_worked_example_has_all_three(demo_store: Path) -> None:
    session.serve(Service(demo_store, OPERATOR))
    registers = session.registers(session.question())
    contract = next(iter(registers.contracts.values()))
    at = AppTest.from_function(page, kwargs={"contract": contract, "registers": registers})
    at.run(timeout=120)
    assert registers.name(contract["prime_id"]) in words(at)
    assert len(at.get("vega_lite_chart")) == 3
