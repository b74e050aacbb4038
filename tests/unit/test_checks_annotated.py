"""The workbook that shows on each row what to mend."""

from __future__ import annotations

from io import BytesIO

import openpyxl
import pyarrow as pa

from checks.annotated import annotated_workbook
from checks.definition import Finding, Verdict
from data.read import Extra, Sheet

SHEET = Sheet(
    pa.table(
        {
            "row_number": pa.array([2, 4, 5, 9999], pa.int64()),
            "payment_id": ["P1", "=1+1", "007", "P4"],
            "subcontractor_amount": ["-5", None, "3.50", "4"],
            "extra_1": ["http://example.org", "x" * 40_000, None, None],
        }
    ),
    "payments.csv",
    "0",
    {"payment_id": "Payment ID", "subcontractor_amount": "Amount"},
    (Extra("extra_1", "Notes"),),
)


def finding(check, severity, column, rows):
    return Finding(
        check, "range", severity, column, len(rows) or 1, rows, (), f"{check}!", f"Mend {check}."
    )


VERDICT = Verdict(
    "payments",
    "payments.csv",
    4,
    (
        finding("late", "warn", "subcontractor_amount", (2,)),
        finding("negative", "refuse", "subcontractor_amount", (2, 4)),
        finding("address", "warn", "Notes", (4,)),
        finding("columns", "refuse", None, ()),
        finding("ragged", "refuse", None, tuple(range(4, 5000))),
    ),
)


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(BytesIO(content))


def colour(cell) -> str:
    return cell.fill.start_color.rgb if cell.fill.fill_type else ""


def test_rows_as_received_with_what_to_mend_in_colour_and_in_words():
    page = opened(annotated_workbook(SHEET, VERDICT))["Rows"]
    rows = [list(row) for row in page.iter_rows(values_only=True)]
    assert rows[0] == ["Row", "What to mend", "Payment ID", "Amount", "Notes"]
    assert rows[1] == [
        2,
        "Must be mended (subcontractor_amount): Mend negative. "
        "Please check (subcontractor_amount): Mend late.",
        "P1",
        "-5",
        "http://example.org",
    ]
    assert rows[2][0] == 4
    assert rows[2][2:4] == ["=1+1", None]
    assert rows[3][:4] == [5, "Must be mended: Mend ragged.", "007", "3.50"]
    assert rows[4][:4] == [9999, None, "P4", "4"]
    assert page["C3"].data_type == "s"
    assert page["E2"].hyperlink is None
    assert colour(page["D2"]) == colour(page["D3"]) == colour(page["B2"]) == "FFF8CBAD"
    assert colour(page["E3"]) == "FFFFE699"
    assert colour(page["C2"]) == colour(page["D4"]) == ""


def test_findings_on_their_own_sheet():
    page = opened(annotated_workbook(SHEET, VERDICT))["Findings"]
    rows = [list(row) for row in page.iter_rows(values_only=True)]
    assert rows[0] == ["Check", "Severity", "Column", "Rows", "Message", "Remedy"]
    assert rows[2] == [
        "negative",
        "Must be mended",
        "subcontractor_amount",
        "2, 4",
        "negative!",
        "Mend negative.",
    ]
    assert rows[4][2:4] == ["", ""]
    assert rows[5][3].endswith("4003 and 996 more")


def test_what_does_not_fit_is_said_on_the_last_row():
    page = opened(annotated_workbook(SHEET, VERDICT, last_row=2))["Rows"]
    rows = [list(row) for row in page.iter_rows(values_only=True)]
    assert len(rows) == 3
    assert rows[2][1] == "3 more rows do not fit here; the findings name their row numbers."
    assert len(list(opened(annotated_workbook(SHEET, VERDICT, last_row=4))["Rows"].rows)) == 5
