"""The file as received, as a workbook that shows on each row what to mend."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from xlsxwriter import Workbook

if TYPE_CHECKING:
    from checks.definition import Finding, Verdict
    from data.read import Sheet

LAST_ROW = 1_048_575  # Excel's last row, counted from 0
_MOST_CHARACTERS = 32_767  # in one Excel cell
_COLOURS = {"refuse": "#F8CBAD", "warn": "#FFE699"}
_WORDS = {"refuse": "Must be mended", "warn": "Please check"}


def annotated_workbook(sheet: Sheet, verdict: Verdict, last_row: int = LAST_ROW) -> bytes:
    """An XLSX file: the rows as received, then the findings.

    On the first sheet the first column is the row number of the original, the second says in
    words what to mend, and the cells of findings are coloured. Rows beyond `last_row` are left
    out, and the last one says so.
    """
    target = BytesIO()
    workbook = Workbook(
        target,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    _write_rows(workbook, sheet, verdict, last_row)
    _write_findings(workbook, verdict, last_row)
    workbook.close()
    return target.getvalue()


def _by_row(verdict: Verdict) -> dict[int, list[Finding]]:
    """The findings of each row, those that refuse it first."""
    found: dict[int, list[Finding]] = {}
    for finding in sorted(verdict.findings, key=lambda finding: finding.severity != "refuse"):
        for row in finding.rows:
            found.setdefault(row, []).append(finding)
    return found


def _write_rows(workbook: Workbook, sheet: Sheet, verdict: Verdict, last_row: int) -> None:
    page = workbook.add_worksheet("Rows")
    bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    text = workbook.add_format({"num_format": "@"})
    coloured = {
        severity: workbook.add_format({"bg_color": colour, "num_format": "@"})
        for severity, colour in _COLOURS.items()
    }
    headers = {
        **sheet.headers,
        **{extra.name: extra.header for extra in sheet.extras},
    }
    column_ids = {header: column_id for column_id, header in headers.items()} | {
        column_id: column_id for column_id in headers
    }
    names = [name for name in sheet.rows.column_names if name != "row_number"]
    for index, header in enumerate(("Row", "What to mend", *(headers[name] for name in names))):
        page.write_string(0, index, header, bold)
    page.freeze_panes(1, 2)
    page.set_column(0, 0, 8)
    page.set_column(1, 1, 60)
    page.set_column(2, len(names) + 1, 18)
    findings = _by_row(verdict)
    columns = [sheet.rows[name].to_pylist() for name in names]
    for index, row in enumerate(sheet.rows["row_number"].to_pylist()):
        line = index + 1
        if line == last_row and index + 1 < sheet.rows.num_rows:
            page.write_string(
                line,
                1,
                f"{sheet.rows.num_rows - index:,} more rows do not fit here; the findings name "
                "their row numbers.",
                bold,
            )
            break
        found = findings.get(row, ())
        page.write_number(line, 0, row)
        if found:
            page.write_string(line, 1, _told(found), coloured[found[0].severity])
        severities = {
            column_ids.get(finding.column or "", ""): finding.severity
            for finding in reversed(found)
        }
        for place, (name, values) in enumerate(zip(names, columns, strict=True)):
            severity = severities.get(name)
            style = coloured[severity] if severity else text
            if values[index] is not None:
                page.write_string(line, place + 2, values[index][:_MOST_CHARACTERS], style)
            elif severity:
                page.write_blank(line, place + 2, None, style)


def _told(findings: list[Finding]) -> str:
    """What to mend on one row, in words."""
    said = " ".join(
        f"{_WORDS[finding.severity]}{f' ({finding.column})' if finding.column else ''}: "
        f"{finding.remedy}"
        for finding in findings
    )
    return said[:_MOST_CHARACTERS]


def _write_findings(workbook: Workbook, verdict: Verdict, last_row: int) -> None:
    page = workbook.add_worksheet("Findings")
    bold = workbook.add_format({"bold": True})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    headers = ("Check", "Severity", "Column", "Rows", "Message", "Remedy")
    for index, header in enumerate(headers):
        page.write_string(0, index, header, bold)
    page.freeze_panes(1, 0)
    page.set_column(0, 2, 20)
    page.set_column(3, 5, 60)
    for line, finding in enumerate(verdict.findings[:last_row], start=1):
        cells: tuple[Any, ...] = (
            finding.check,
            _WORDS[finding.severity],
            finding.column or "",
            _listed(finding.rows),
            finding.message,
            finding.remedy,
        )
        for index, cell in enumerate(cells):
            page.write_string(line, index, cell[:_MOST_CHARACTERS], wrapped)


def _listed(rows: tuple[int, ...]) -> str:
    """The row numbers, as many as one cell of a workbook takes."""
    text = ", ".join(str(row) for row in rows[:4000])
    return text if len(rows) <= 4000 else f"{text} and {len(rows) - 4000:,} more"
