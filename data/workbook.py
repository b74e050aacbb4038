"""XLSX, XLS and ODS: which sheet, and then every cell as text."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import python_calamine
from python_calamine import CalamineWorkbook

from data import formula_errors
from data.errors import UnusableFile
from data.filekind import DAMAGED, LOCKED, refuse_large
from data.grid import MAX_COLUMNS, Grid, skipped_notice, too_wide
from data.header import SEARCHED_ROWS, find_header, header_in, recognised
from data.settings import max_unpacked_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from python_calamine import CalamineSheet

    from data.table import Table

WorkbookKind = Literal["xlsx", "xls", "ods"]

_MAX_CELLS = 32 * 1_048_576
_CHUNK_BYTES = 1 << 20
_CARRIED_BYTES = 4096
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)([0-9]+)["']""")


def read_workbook(data: bytes, kind: WorkbookKind, table: Table) -> Grid:
    """The cells of the sheet that holds the table; UnusableFile if there is none or several."""
    errors_likely = kind == "xls" or _inspect(data, kind)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheet, notices = _chosen_sheet(workbook, table)
        rows: list[list[Any]] = sheet.to_python(skip_empty_area=False)
    except python_calamine.PasswordError:
        raise UnusableFile(LOCKED) from None
    except python_calamine.CalamineError as error:
        if b"macrosheets/" in data or b"dialogsheets/" in data:
            raise UnusableFile(
                "contains a sheet of a kind we do not read, such as an old macro sheet. "
                "Copy the table into a new workbook and upload that."
            ) from None
        if "detect file format" in str(error):
            raise UnusableFile(DAMAGED) from None
        raise
    if errors_likely:
        _patch(rows, formula_errors.in_sheet(data, kind, sheet.name))
    texts = [[as_text(value) for value in row] for row in rows[:SEARCHED_ROWS]]
    place = header_in(texts, table)
    header = _trimmed(texts[place.index], rows[place.index + 1 :])
    if len(header) > MAX_COLUMNS:
        raise UnusableFile(too_wide())
    if any(any(row) for row in texts[: place.index]):
        notices.append(skipped_notice(place.index + 1))
    body = rows[place.index + 1 :]
    columns = {
        str(position): pa.array([as_text(row[position]) or None for row in body], pa.string())
        for position in range(len(header))
    }
    first = place.index + 2
    numbers = pa.array(range(first, first + len(body)), pa.int64())
    numbered = pa.table({"row_number": numbers, **columns})
    return Grid(tuple(header), place.index + 1, numbered, notices=tuple(notices))


def as_text(value: Any) -> str:
    """A cell's value as its spreadsheet program would show it unformatted; days in ISO."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            if value.is_integer() and abs(value) < 1e15:
                return str(int(value))
            return format(Decimal(format(value, ".15g")), "f")
        case dt.datetime():
            if value.time() == dt.time():
                return value.date().isoformat()
            return value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def _chosen_sheet(workbook: CalamineWorkbook, table: Table) -> tuple[CalamineSheet, list[str]]:
    """The sheet whose header names every required column, else most columns, else the first."""
    visible = python_calamine.SheetVisibleEnum.Visible
    worksheets = [
        sheet
        for sheet in workbook.sheets_metadata
        if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]
    shown = [sheet.name for sheet in worksheets if sheet.visible == visible]
    required = set(table.required_ids)
    matching: list[CalamineSheet] = []
    best: tuple[int, CalamineSheet] | None = None
    for name in shown or [sheet.name for sheet in worksheets]:
        sheet = workbook.get_sheet_by_name(name)
        if not sheet.height:
            continue
        head = [
            [as_text(value) for value in row]
            for row in sheet.to_python(skip_empty_area=False, nrows=SEARCHED_ROWS)
        ]
        place = find_header(head, table)
        count = place.recognised_count if place else 0
        if place and count and recognised(head[place.index], table) >= required:
            matching.append(sheet)
        if best is None or count > best[0]:
            best = (count, sheet)
    if best is None:
        raise UnusableFile("has no cells in any sheet. Export it again and upload that.")
    if len(matching) > 1:
        names = " and ".join(f'"{sheet.name}"' for sheet in matching)
        raise UnusableFile(
            f"has more than one sheet with the columns of {table.id}: {names}. "
            "Leave one of them in the workbook, or save it as CSV."
        )
    sheet = matching[0] if matching else best[1]
    notices = [f'The sheet "{sheet.name}" was read.'] if len(shown) > 1 else []
    return sheet, notices


def _trimmed(header: list[str], body: Sequence[Sequence[Any]]) -> list[str]:
    """The header without columns at its end that are blank all the way down."""
    width = len(header)
    while width and not header[width - 1].strip() and all(row[width - 1] == "" for row in body):
        width -= 1
    return header[:width]


def _patch(rows: list[list[Any]], errors: dict[tuple[int, int], str]) -> None:
    """Put the formula errors, which the reader leaves empty or 0, back in their cells."""
    for (row, column), text in errors.items():
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = text


def _inspect(data: bytes, kind: WorkbookKind) -> bool:
    """Unpack the parts to the air, before the reader does; whether formula errors are likely.

    UnusableFile if more comes out than may, whatever the file declares, or if a sheet of a few
    cells far apart would take the memory of a full one.
    """
    left = max_unpacked_bytes()
    likely = False
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if not member.filename.lower().endswith((".xml", ".rels")):
                continue
            is_sheet = kind == "xlsx" and "worksheets/" in member.filename.lower()
            last_row = last_column = 0
            member.file_size = left + 2 * _CHUNK_BYTES  # read on past what is declared
            for chunk, fresh_count in _chunks(archive, member):
                left -= fresh_count
                if left < 0:
                    refuse_large(max_unpacked_bytes() - left)
                likely = likely or formula_errors.likely_in(chunk, kind)
                if is_sheet:
                    places = _PLACE.findall(chunk)
                    letters = {letters for letters, _ in places}
                    last_column = max(last_column, *map(_column_number, letters), 0)
                    last_row = max(last_row, *(int(digits[:12]) for _, digits in places), 0)
            if last_row * last_column > _MAX_CELLS:
                raise UnusableFile(
                    f"has a sheet whose cells reach to row {last_row:,} and column "
                    f"{last_column:,}. Delete what stands far away from the table."
                )
    return likely


def _chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[tuple[bytes, int]]:
    """Pieces of a part, each beginning with the end of the one before; and how much is fresh."""
    carried = b""
    try:
        with archive.open(member) as part:
            while fresh := part.read(_CHUNK_BYTES):
                yield carried + fresh, len(fresh)
                carried = fresh[-_CARRIED_BYTES:]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError):
        raise UnusableFile(DAMAGED) from None


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:8]:
        number = number * 26 + letter - 64
    return number
