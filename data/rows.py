"""From the text rows of a sheet to the rows that the ledger stores, and their digest.

A stored row carries the typed values, and `as_received`: the text of every cell as it came. The
one thing never stored is a `client_ref`: in both places its keyed hash stands instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.engine import cursor
from data.parse import (
    STORED_TYPES,
    cell_sql,
    client_hash_sql,
    literal,
    quoted,
    set_client_key,
    typed_sql,
)

if TYPE_CHECKING:
    import datetime as dt

    import pyarrow as pa

    from data.read import Sheet
    from data.table import Column, Table

_CHUNK_ROWS = 10_000


def row_month_sql(table: Table) -> str:
    """The first day of the month of a typed row; NULL for registers."""
    if table.month_of is None:
        return "CAST(NULL AS DATE)"
    return f"CAST(date_trunc('month', {quoted(table.month_of)}) AS DATE)"


def empty_rows_sql(table: Table) -> str:
    """A query with the columns of the stored rows and no row."""
    typed = ", ".join(
        f"CAST(NULL AS {STORED_TYPES[column.kind]}) AS {quoted(column.stored)}"
        for column in table.columns
    )
    texts = ", ".join(f"{quoted(column.id)} VARCHAR" for column in table.columns)
    return (
        "SELECT CAST(NULL AS VARCHAR) AS return_id, CAST(NULL AS VARCHAR) AS reporter_id, "
        "CAST(NULL AS BIGINT) AS row_number, CAST(NULL AS DATE) AS row_month, "
        f"{typed}, CAST(NULL AS STRUCT({texts})) AS as_received WHERE false"
    )


def _text_sql(column: Column, present: bool) -> str:
    if not present:
        return "CAST(NULL AS VARCHAR)"
    if column.kind == "client_ref":
        return client_hash_sql(cell_sql(quoted(column.id)))
    return quoted(column.id)


def _restored_sql(column: Column, text: str) -> str:
    cell = cell_sql(text)
    return cell if column.kind == "client_ref" else typed_sql(column, cell)


def stored_rows(
    sheet: Sheet, table: Table, *, return_id: str, reporter_id: str, client_key: bytes
) -> pa.Table:
    """The rows of a sheet that passed the checks, as the ledger stores them."""
    with cursor() as connection:
        set_client_key(connection, client_key)
        connection.register("received", sheet.rows)
        present = set(sheet.rows.column_names)
        texts = ", ".join(
            f"{quoted(column.id)} := {_text_sql(column, column.id in present)}"
            for column in table.columns
        )
        typed = ", ".join(
            f"{_restored_sql(column, 'as_received.' + quoted(column.id))} AS {quoted(column.id)}"
            for column in table.columns
        )
        renamed = ", ".join(
            f"CAST({quoted(column.id)} AS {STORED_TYPES[column.kind]}) AS {quoted(column.stored)}"
            for column in table.columns
        )
        rows: pa.Table = connection.sql(
            f"""
            WITH texts AS (SELECT row_number, struct_pack({texts}) AS as_received FROM received),
            typed AS (SELECT row_number, as_received, {typed} FROM texts)
            SELECT {literal(return_id)} AS return_id, {literal(reporter_id)} AS reporter_id,
                row_number, {row_month_sql(table)} AS row_month, {renamed}, as_received
            FROM typed ORDER BY row_number
            """
        ).to_arrow_table()
        return rows


def digest_sql(table: Table, relation: str) -> str:
    """A query for return_id, row_count and rows_sha256 over stored rows.

    The digest is over what was received, row by row in order, so that it depends on no engine's
    way of writing numbers; `drift_sql` ties the typed values to it.
    """
    cells = ", ".join(
        f"coalesce('+' || as_received.{quoted(column.id)}, '-')" for column in table.columns
    )
    return f"""
        WITH hashed AS (
            SELECT return_id, row_number, sha256(concat_ws(chr(31), reporter_id,
                CAST(row_number AS VARCHAR), {cells})) AS row_sha256
            FROM {relation}
        ),
        chunks AS (
            SELECT return_id, row_number // {_CHUNK_ROWS} AS chunk, count(*) AS row_count,
                sha256(string_agg(row_sha256, '' ORDER BY row_number, row_sha256)) AS chunk_sha256
            FROM hashed GROUP BY ALL
        )
        SELECT return_id, CAST(sum(row_count) AS BIGINT) AS row_count,
            sha256(string_agg(chunk_sha256, '' ORDER BY chunk)) AS rows_sha256
        FROM chunks GROUP BY return_id
    """


def drift_sql(table: Table, relation: str) -> str:
    """A query for return_id and how many of its rows hold values that differ from the text."""
    month = row_month_sql(table)
    pairs = [
        f"{quoted(column.stored)} IS DISTINCT FROM "
        f"CAST({_restored_sql(column, 'as_received.' + quoted(column.id))} "
        f"AS {STORED_TYPES[column.kind]})"
        for column in table.columns
    ]
    if table.month_of:
        stored = table.column(table.month_of).stored
        month = month.replace(quoted(table.month_of), quoted(stored))
        pairs.append(f"row_month IS DISTINCT FROM {month}")
    return (
        f"SELECT return_id, count(*) AS row_count FROM {relation} "
        f"WHERE {' OR '.join(pairs)} GROUP BY return_id"
    )


def rows_digest(rows: pa.Table, table: Table) -> str:
    """The digest of the stored rows of one return; "" if there are none."""
    with cursor() as connection:
        connection.register("stored", rows)
        found = connection.execute(digest_sql(table, "stored")).fetchone()
        return str(found[2]) if found else ""


def covered_months(sheet: Sheet, table: Table) -> tuple[tuple[dt.date, ...], tuple[dt.date, ...]]:
    """The months that the rows fall in and, for forecasts, the issue days; unfit cells left out."""
    if table.month_of is None:
        return (), ()
    with cursor() as connection:
        connection.register("received", sheet.rows)

        def days(column_id: str, as_month: bool) -> tuple[dt.date, ...]:
            if column_id not in sheet.rows.column_names:
                return ()
            day = typed_sql(table.column(column_id), cell_sql(quoted(column_id)))
            if as_month:
                day = f"CAST(date_trunc('month', {day}) AS DATE)"
            found = connection.execute(
                f"SELECT DISTINCT {day} AS day FROM received WHERE day IS NOT NULL ORDER BY day"
            ).fetchall()
            return tuple(day for (day,) in found)

        months = days(table.month_of, as_month=True)
        return months, days(table.version, as_month=False) if table.version else ()
