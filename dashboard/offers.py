"""Offers read, weighed and given back: what the command and the page share."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import xlsxwriter

from data.offer_form import read_offer_form
from metrics.forecasts_held import ASSUMED, Held, forecasts_held
from metrics.offer import offer_of
from metrics.offer_expectation import pounds_of
from metrics.offer_outlook import ASSUMPTIONS, chance_told, whole_pounds
from metrics.offer_promises import FIRMNESS_TOLD, POINT_TITLES
from metrics.what_if import NOT_ASSESSED
from metrics.wording import figure, share

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from metrics.definition import Assessment
    from metrics.offer import Offer
    from metrics.offer_weighing import Weighing

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

COMPARED = (
    "Offer",
    "Left over, expected",
    "Chance of a loss",
    "Chance of running out",
    "Most tied up, on average",
    "Breaks even at",
    "A client brings",
    "Income at risk",
    "Points not firm",
)


def read_offer(content: bytes, name: str, held: Held = ASSUMED) -> Offer:
    """The offer in a filled-in template; UnusableOffer or UnusableFile if it is none."""
    return offer_of(read_offer_form(content, name, POINT_TITLES), held)


def held_in(assessments: Iterable[Assessment], confidential: Collection[str]) -> Held:
    """How forecasts have held in the agreements that somebody sees.

    Confidential contracts are left out: they are counted with no others.
    """
    counted = [
        found
        for found in assessments
        if found.flag == "volume_divergence"
        and found.subcontractor_id is not None
        and found.status not in NOT_ASSESSED
        and found.contract_id not in confidential
    ]
    spreads = [found.evidence["overdispersion"]["value"] for found in counted]
    return forecasts_held(
        [(found.evidence["observed"], found.evidence["forecast"]) for found in counted],
        sum(spreads) / len(spreads) if spreads else 1.0,
    )


def compared(weighing: Weighing) -> tuple[str, ...]:
    """One offer's row beside others, under the headings COMPARED."""
    expected, found = weighing.expected, weighing.outlook
    at_risk = expected.share_at_risk
    return (
        weighing.offer.name,
        whole_pounds(round(expected.result_pence)),
        chance_told(found.loss_rate),
        chance_told(found.out_of_money_rate),
        whole_pounds(-found.lowest.mean_pence),
        break_even_told(weighing),
        pounds_of(expected.income_per_client_pence),
        "none" if at_risk is None else share(float(at_risk)),
        str(len(weighing.not_firm)),
    )


def break_even_told(weighing: Weighing) -> str:
    """The break-even volume for a cell: 9.35 clients a month."""
    found = weighing.expected.break_even.answer()
    told = {"always": "any volume", "never": "no volume"}.get(found["kind"])
    if told is not None:
        return told
    up_to = "up to " if found["kind"] == "up_to" else ""
    return f"{up_to}{figure(found['referrals_a_month'])} clients a month"


def results_workbook(weighings: Sequence[Weighing]) -> bytes:
    """All results as a workbook: figures, cash by month, steps, promises, assumptions."""
    data = io.BytesIO()
    book = xlsxwriter.Workbook(
        data, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    heading = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    shapes = {
        "pounds": book.add_format({"num_format": "#,##0", "valign": "top"}),
        "share": book.add_format({"num_format": "0.0%", "valign": "top"}),
        "": book.add_format({"valign": "top"}),
    }

    def sheet(
        title: str, columns: Sequence[tuple[str, int, str]], rows: Iterable[Sequence[Any]]
    ) -> None:
        page = book.add_worksheet(title)
        for place, (name, width, _) in enumerate(columns):
            page.write_string(0, place, name, heading)
            page.set_column(place, place, width)
        for line, row in enumerate(rows, start=1):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    page.write_string(line, place, value, wrapped)
                else:
                    page.write_number(line, place, value, shapes[columns[place][2]])
        page.freeze_panes(1, 1)

    sheet(
        "Answers",
        (("Offer", 30, ""), ("Answer", 100, "")),
        ((one.offer.name, sentence) for one in weighings for sentence in one.sentences),
    )
    sheet(
        "Side by side",
        [(name, 22, "") for name in COMPARED],
        (compared(one) for one in weighings),
    )
    sheet(
        "Cash by month",
        (
            ("Offer", 30, ""),
            ("Month", 8, ""),
            ("Mean", 14, "pounds"),
            ("1 in 10 below", 14, "pounds"),
            ("1 in 10 above", 14, "pounds"),
        ),
        (
            (
                one.offer.name,
                month,
                balance.mean_pence / 100,
                balance.low_pence / 100,
                balance.high_pence / 100,
            )
            for one in weighings
            for month, balance in enumerate(one.outlook.balances, start=1)
        ),
    )
    sheet(
        "What to negotiate",
        (
            ("Offer", 30, ""),
            ("Term", 26, ""),
            ("Step", 44, ""),
            ("Whose", 14, ""),
            ("Adds to the result", 18, "pounds"),
            ("Chance of a loss", 18, "share"),
            ("Chance of running out", 22, "share"),
        ),
        (
            (
                one.offer.name,
                effect.lever.title,
                effect.lever.step,
                effect.lever.whose,
                effect.result_change_pence / 100,
                effect.loss_rate,
                effect.out_of_money_rate,
            )
            for one in weighings
            for effect in one.effects
        ),
    )
    sheet(
        "Not firmly promised",
        (
            ("Offer", 30, ""),
            ("Point", 26, ""),
            ("How firm", 20, ""),
            ("Why it matters", 60, ""),
            ("What to ask for", 60, ""),
        ),
        (
            (
                one.offer.name,
                gap.point.title,
                FIRMNESS_TOLD[gap.firmness],
                gap.point.why_it_matters,
                gap.point.ask_for,
            )
            for one in weighings
            for gap in one.not_firm
        ),
    )
    sheet("Assumptions", (("What is assumed", 120, ""),), ([told] for told in ASSUMPTIONS))
    book.close()
    return data.getvalue()
