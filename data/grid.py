"""The cells of a file as text, before its columns are matched with a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

MAX_COLUMNS = 1000
MAX_CELL_CHARACTERS = 32_767

FORMULA_ERRORS = (
    "#REF!",
    "#N/A",
    "#DIV/0!",
    "#VALUE!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#GETTING_DATA",
)


@dataclass(frozen=True)
class Grid:
    """A header and the rows below it.

    `rows` has the column `row_number` (int64, as the spreadsheet shows it) and one string column
    for each cell of `header`, named by its position; empty cells are NULL, blank rows may remain.
    `ragged` holds (row number, cells expected, cells found) of rows left out of `rows`.
    """

    header: tuple[str, ...]
    header_row: int
    rows: pa.Table
    ragged: tuple[tuple[int, int, int], ...] = ()
    notices: tuple[str, ...] = ()


def skipped_notice(header_row: int) -> str:
    """What is said when title rows stand above the header."""
    above = header_row - 1
    rows = "the row above it was" if above == 1 else f"the {above} rows above it were"
    return f"The header was found in row {header_row}; {rows} skipped."


def too_long(row_number: int) -> str:
    """What is said of a cell that no spreadsheet program would hold."""
    return (
        f"has a cell of more than {MAX_CELL_CHARACTERS:,} characters in row {row_number}. "
        "Shorten it, or close the quotation mark it begins with."
    )


def too_wide() -> str:
    """What is said of a file with more columns than any table could have."""
    return f"has more than {MAX_COLUMNS:,} columns. Delete those that are not part of the table."
