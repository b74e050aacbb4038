"""From the bytes of a file to rows of text, each with the number the spreadsheet shows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from data.delimited import read_delimited
from data.errors import UnusableFile, UserError
from data.filekind import file_kind, size
from data.grid import FORMULA_ERRORS, MAX_CELL_CHARACTERS, MAX_COLUMNS, too_long, too_wide
from data.header import folded, nearest, recognised
from data.settings import max_upload_bytes
from data.tables import TABLES
from data.workbook import read_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from data.table import Table


_CALC_ERROR = r"^Err:\d{3}$"  # how LibreOffice writes a failed formula


@dataclass(frozen=True)
class Extra:
    """A column of the file that the table does not have; it is checked for personal data only."""

    name: str  # the column's name in `Sheet.rows`: extra_1, extra_2 ...
    header: str  # as the file has it
    meant: str | None = None  # the standard's column it may have been meant for


@dataclass(frozen=True)
class Ragged:
    """A row with more or fewer cells than the header; it is not among `Sheet.rows`."""

    row_number: int
    expected_count: int
    actual_count: int


@dataclass(frozen=True)
class Sheet:
    """The rows of a file as text, before any check.

    `rows` has `row_number` (int64, as the spreadsheet shows it), one string column per declared
    column that the file has (named by `Column.id`), and one per extra column. Cells hold the raw
    text, empty cells NULL; wholly blank rows are left out. `headers` maps each `Column.id` found
    to the header in the file.
    """

    rows: pa.Table
    file_name: str
    sha256: str
    headers: Mapping[str, str]
    extras: tuple[Extra, ...] = ()
    repeated: tuple[str, ...] = ()  # declared columns that the header names twice
    ragged: tuple[Ragged, ...] = ()
    formula_errors: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # by Column.id
    header_row: int = 1
    notices: tuple[str, ...] = ()


def read_file(path: Path, table: Table, file_name: str | None = None) -> Sheet:
    """The rows of a CSV, TSV, XLSX, XLS or ODS file; UnusableFile if it is not a table.

    What a file is, is judged by its content. Nothing of it is written anywhere. `file_name` is
    what the file is called in messages, the path's own name unless given.
    """
    return _sheet(lambda: _received(path), table, file_name or path.name)


def read_content(content: bytes, table: Table, file_name: str) -> Sheet:
    """The rows of a file that is in memory already, as `read_file` reads it."""
    return _sheet(lambda: _within_limit(content), table, file_name)


def _sheet(received: Callable[[], bytes], table: Table, name: str) -> Sheet:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)
    try:
        return _sheet_of(received(), table, name)
    except UnusableFile as error:
        raise UnusableFile(f'"{shown}" {error}') from None
    except (UserError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic of the spreadsheet reader is no Exception
        raise UnusableFile(
            f'"{shown}" could not be read as a table ({_reason(error)}). '
            "Open it in a spreadsheet program and save it again as XLSX or CSV."
        ) from error


def guess_table(headers: Sheet | Iterable[str], asked: Table) -> str | None:
    """The table whose columns the header names better than those of the table asked for."""
    if isinstance(headers, Sheet):
        headers = [*headers.headers.values(), *(extra.header for extra in headers.extras)]
    cells = tuple(headers)

    def merit(table: Table) -> tuple[float, int]:
        named = recognised(cells, table)
        return len(named.intersection(table.required_ids)) / len(table.required_ids), len(named)

    best = max(TABLES.values(), key=merit)
    return best.id if merit(best) > merit(asked) and merit(best)[1] > 1 else None


def _received(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return _within_limit(file.read(max_upload_bytes() + 1))
    except OSError as error:
        raise UnusableFile(f"cannot be opened ({_reason(error)}). Check its name.") from None


def _within_limit(content: bytes) -> bytes:
    limit = max_upload_bytes()
    if len(content) > limit:
        raise UnusableFile(f"is larger than the limit of {size(limit)}. Split it by months.")
    return content


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = " ".join(str(error).split()) or type(error).__name__
    return words.rstrip(".")[:120]


def _sheet_of(data: bytes, table: Table, name: str) -> Sheet:
    kind = file_kind(data)
    grid = read_delimited(data, table) if kind == "text" else read_workbook(data, kind, table)
    rows = _without_blank_rows(grid.rows)
    notices = list(grid.notices)
    ids = {folded(column_id): column_id for column_id in table.column_ids}
    headers: dict[str, str] = {}
    repeated: list[str] = []
    unmatched: list[tuple[str, pa.ChunkedArray]] = []
    columns = {"row_number": rows.column(0)}
    for position, header in enumerate(grid.header):
        cells = rows.column(position + 1)
        column_id = ids.get(folded(header))
        if column_id is not None and column_id not in headers:
            headers[column_id] = header
            columns[column_id] = cells
            continue
        if column_id is not None and column_id not in repeated:
            repeated.append(column_id)
        if header.strip() or cells.null_count < len(cells):
            unmatched.append((header, cells))
    if len(columns) - 1 + len(unmatched) > MAX_COLUMNS:
        raise UnusableFile(too_wide())
    missing = [column_id for column_id in table.column_ids if column_id not in headers]
    extras = []
    for number, (header, cells) in enumerate(unmatched, 1):
        meant = nearest(header, missing)
        extras.append(Extra(f"extra_{number}", header.strip(), meant))
        columns[f"extra_{number}"] = cells
    _refuse_long_cells(columns)
    cells_by_name = pa.table(columns)
    examples = _example_rows(cells_by_name, table)
    if pc.any(examples).as_py():
        left_out = ", ".join(map(str, cells_by_name.filter(examples)["row_number"].to_pylist()))
        notices.append(f"Left out, as it is the example of the template: row {left_out}.")
        cells_by_name = cells_by_name.filter(pc.invert(examples))
    if not headers and len(grid.ragged) > len(rows):
        raise UnusableFile(
            "is not a table: its rows have different numbers of cells and none of its columns is "
            f"a column of {table.id}. Start from the template of {table.id}."
        )
    return Sheet(
        rows=cells_by_name,
        file_name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        headers=headers,
        extras=tuple(extras),
        repeated=tuple(repeated),
        ragged=tuple(Ragged(*row) for row in grid.ragged),
        formula_errors=_formula_errors(
            {key: cells_by_name[key] for key in headers}, cells_by_name["row_number"]
        ),
        header_row=grid.header_row,
        notices=tuple(notices),
    )


def _example_rows(rows: pa.Table, table: Table) -> pa.ChunkedArray | pa.Array:
    """Which rows are the template's example, left standing as it was."""
    examples = pa.repeat(pa.scalar(set(table.column_ids) <= set(rows.column_names)), len(rows))
    for column in table.columns:
        if column.id in rows.column_names:
            same = pc.equal(rows[column.id], column.example)
            examples = pc.and_(examples, pc.fill_null(same, fill_value=False))
    return examples


def _without_blank_rows(rows: pa.Table) -> pa.Table:
    """The rows in which some cell holds more than space."""
    suspects = rows
    for name in rows.column_names[1:]:
        blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(suspects.column(name)), ""), True)
        suspects = suspects.filter(blank)
        if not suspects.num_rows:
            return rows
    return rows.filter(pc.invert(pc.is_in(rows.column(0), suspects.column(0).combine_chunks())))


def _refuse_long_cells(columns: Mapping[str, pa.ChunkedArray]) -> None:
    for name, cells in columns.items():
        if name == "row_number" or (pc.max(pc.binary_length(cells)).as_py() or 0) <= (
            MAX_CELL_CHARACTERS
        ):
            continue
        long = pc.fill_null(pc.greater(pc.utf8_length(cells), MAX_CELL_CHARACTERS), False)
        if pc.any(long).as_py():
            raise UnusableFile(too_long(columns["row_number"].filter(long)[0].as_py()))


def _formula_errors(
    columns: Mapping[str, pa.ChunkedArray], row_numbers: pa.ChunkedArray
) -> dict[str, tuple[int, ...]]:
    """The rows whose cell shows a failed formula, by column."""
    texts = pa.array(FORMULA_ERRORS)
    found: dict[str, tuple[int, ...]] = {}
    for column_id, cells in columns.items():
        failed = pc.or_(
            pc.is_in(cells, texts),
            pc.fill_null(pc.match_substring_regex(cells, _CALC_ERROR), False),
        )
        if pc.any(failed).as_py():
            found[column_id] = tuple(row_numbers.filter(failed).to_pylist())
    return found
