"""The rows of a file and the registers as SQL tables: what an expression of a check may name.

`cells`: `row_number`; for each column of the table its text (`cell`) and its typed value
(`typed`), NULL where the file has no such column; for each extra column its text (`extra_1` ...).
`distinct_...` for each column of the file: its distinct cells, with text, typed value and the text
with every digit folded to 0 (`folded`). An expression over one column is evaluated there, one
over `folded` alone on the distinct folded texts.
`known_organisations`, `known_contracts`, `known_agreements`, `known_prices`: the registers in
force with their stored names, without rows where the ledger has none.
`nothing`: one row with no row number, for what concerns the file as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from data.parse import STORED_TYPES, cell_sql, folded_sql, quoted, typed_sql
from data.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.definition import Circumstances
    from data.read import Sheet
    from data.table import Column, Kind, Table

_TYPED_AS_WRITTEN = ("id", "client_ref")


def cell(column_id: str) -> str:
    """The text of a cell without surrounding space; NULL if empty."""
    return f"cells.{quoted(column_id)}"


def typed(column_id: str) -> str:
    """The typed value of a cell (money in pence, months as first days); NULL if empty or unfit."""
    return f"cells.{quoted('typed_' + column_id)}"


def folded(column_id: str) -> str:
    """The text of a cell with every digit folded to 0; only beside that column's cell and type."""
    return f"cells.{quoted('folded_' + column_id)}"


def distinct(column_id: str) -> str:
    """The relation of a column's distinct cells, under the name `cells`."""
    return f"{quoted('distinct_' + column_id)} AS cells"


def present(sheet: Sheet, table: Table, *kinds: Kind) -> Iterator[Column]:
    """The columns of the table that the file has, of the kinds named (all, if none is)."""
    for column in table.columns:
        if column.id in sheet.headers and (not kinds or column.kind in kinds):
            yield column


def has(sheet: Sheet, *column_ids: str) -> bool:
    """Whether the file has all of these columns of the table."""
    return all(column_id in sheet.headers for column_id in column_ids)


def knows(circumstances: Circumstances, register: str) -> bool:
    """Whether the ledger has rows in a register."""
    rows = circumstances.registers.get(register)
    return rows is not None and rows.num_rows > 0


def refers(circumstances: Circumstances, register: str) -> bool:
    """Whether ids are judged by a register: it has rows, or a return is about to be recorded.

    A file that is only looked at is not held against a ledger that has no register yet; a return
    that names what nobody registered cannot be recorded.
    """
    return knows(circumstances, register) or circumstances.reporter_id is not None


def load(sheet: Sheet, table: Table, circumstances: Circumstances) -> duckdb.DuckDBPyConnection:
    """An in-memory database with the tables described above; the caller closes it."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.register("sheet", sheet.rows)
    texts = [
        f"{cell_sql(quoted(column.id)) if column.id in sheet.headers else 'CAST(NULL AS VARCHAR)'}"
        f" AS {quoted(column.id)}"
        for column in table.columns
    ] + [f"{cell_sql(quoted(extra.name))} AS {quoted(extra.name)}" for extra in sheet.extras]
    typed_too = [column for column in table.columns if column.kind not in _TYPED_AS_WRITTEN]
    as_written = [column for column in table.columns if column.kind in _TYPED_AS_WRITTEN]
    connection.execute(
        f"CREATE TABLE loaded AS SELECT *{_types(typed_too)} "
        f"FROM (SELECT row_number, {', '.join(texts)} FROM sheet)"
    )
    connection.execute(f"CREATE VIEW cells AS SELECT *{_types(as_written)} FROM loaded")
    for column in present(sheet, table):
        connection.execute(
            f"CREATE TABLE {quoted('distinct_' + column.id)} AS SELECT *, "
            f"{folded_sql(quoted(column.id))} AS {quoted('folded_' + column.id)}"
            f"{_types([column]) if column in as_written else ''} "
            f"FROM (SELECT DISTINCT {quoted(column.id)}"
            f"{'' if column in as_written else ', ' + quoted('typed_' + column.id)} FROM loaded)"
        )
    for extra in sheet.extras:
        connection.execute(
            f"CREATE TABLE {quoted('distinct_' + extra.name)} AS SELECT *, "
            f"{folded_sql(quoted(extra.name))} AS {quoted('folded_' + extra.name)} "
            f"FROM (SELECT DISTINCT {quoted(extra.name)} FROM loaded)"
        )
    connection.execute("CREATE TABLE nothing AS SELECT CAST(NULL AS BIGINT) AS row_number")
    for register in TABLES.values():
        if register.is_register:
            _load_register(connection, register, circumstances)
    return connection


def _types(columns: Sequence[Column]) -> str:
    return "".join(
        f", {typed_sql(column, quoted(column.id))} AS {quoted('typed_' + column.id)}"
        for column in columns
    )


def _load_register(
    connection: duckdb.DuckDBPyConnection, register: Table, circumstances: Circumstances
) -> None:
    known = f"known_{register.id}"
    names = ", ".join(quoted(column.stored) for column in register.columns)
    if knows(circumstances, register.id):
        connection.register("register", circumstances.registers[register.id])
        connection.execute(f"CREATE TABLE {known} AS SELECT {names} FROM register")
        connection.unregister("register")
    else:
        types = ", ".join(
            f"{quoted(column.stored)} {STORED_TYPES[column.kind]}" for column in register.columns
        )
        connection.execute(f"CREATE TABLE {known} ({types})")
