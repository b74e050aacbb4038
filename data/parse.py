"""How the text of a cell becomes a typed value: one DuckDB expression for each kind of column.

The same expressions serve the checks (what does not parse is refused), the ledger (what is
stored) and `fairtier verify` (what is stored must follow from what was received).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import TYPE_CHECKING

from data.errors import BadOption

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from data.table import Column, Kind

STORED_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "id": "VARCHAR",
    "client_ref": "VARCHAR",
    "date": "DATE",
    "month": "DATE",
    "money": "BIGINT",
    "rate": "DOUBLE",
    "count": "BIGINT",
    "yes_no": "BOOLEAN",
    "choice": "VARCHAR",
}

# Patterns are matched against the whole cell after every digit was folded to 0, so a million ids
# become a handful of shapes. They must treat all digits alike; a test holds that.
# Characters that cannot be seen make two ids look alike that are not.
_UNSEEN = r"\x7f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
PATTERNS: dict[Kind, str] = {
    "text": rf"[^\x00-\x08\x0b\x0c\x0e-\x1f{_UNSEEN}]{{1,1000}}",
    "id": rf"[^\x00-\x1f{_UNSEEN}=+@\-][^\x00-\x1f{_UNSEEN}]{{0,199}}",
    "client_ref": rf"[^\x00-\x1f{_UNSEEN}]{{1,200}}",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}",
    "month": r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?|[0-9]{1,2}/(?:[0-9]{1,2}/)?[0-9]{4}"
    r"|[A-Za-z]{3,9}[ -](?:[0-9]{2}|[0-9]{4})",
    "money": r"(?:-?£? ?|£ ?-)(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})(?:\.[0-9]{1,2})?",
    "rate": r"-?(?:[0-9]{1,4}(?:\.[0-9]{1,10})?|\.[0-9]{1,10})(?: ?%)?",
    "count": r"-?(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})",
    "yes_no": r"(?i:yes|no|y|n|true|false)",
    "choice": r"[A-Za-z][A-Za-z _\-]{0,60}",
}


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def cell_sql(column_sql: str) -> str:
    """A cell's text without surrounding space; NULL where nothing is left."""
    return rf"nullif(regexp_replace({column_sql}, '^[\s\x{{a0}}]+|[\s\x{{a0}}]+$', '', 'g'), '')"


def folded_sql(cell: str) -> str:
    """The cell with every digit folded to 0."""
    return f"translate({cell}, '123456789', '000000000')"


def _matches(cell: str, pattern: str) -> str:
    return f"regexp_full_match({cell}, {literal(pattern)})"


def _date_sql(cell: str) -> str:
    return (
        f"CASE WHEN {_matches(cell, PATTERNS['date'])} "
        f"THEN CAST(try_strptime({cell}, ['%Y-%m-%d', '%d/%m/%Y']) AS DATE) END"
    )


def _month_sql(cell: str) -> str:
    numeric = f"try_strptime('01/' || {cell}, '%d/%m/%Y')"
    iso = f"try_strptime({cell} || '-01', '%Y-%m-%d')"
    spelt = f"regexp_replace(replace({cell}, ' ', '-'), '(?i)^sept-', 'Sep-')"
    words = f"try_strptime({spelt}, ['%b-%y', '%b-%Y', '%B-%y', '%B-%Y'])"
    return (
        f"CAST(CASE WHEN {_matches(cell, r'[0-9]{4}-[0-9]{2}')} THEN {iso} "
        f"WHEN {_matches(cell, r'[0-9]{4}-[0-9]{2}-01')} THEN try_strptime({cell}, '%Y-%m-%d') "
        f"WHEN {_matches(cell, r'[0-9]{1,2}/[0-9]{4}')} THEN {numeric} "
        f"WHEN {_matches(cell, r'0?1/[0-9]{1,2}/[0-9]{4}')} THEN try_strptime({cell}, '%d/%m/%Y') "
        f"WHEN {_matches(cell, r'[A-Za-z]{3,9}[ -]([0-9]{2}|[0-9]{4})')} THEN {words} END AS DATE)"
    )


def _money_sql(cell: str) -> str:
    plain = f"regexp_replace({cell}, '[£, ]', '', 'g')"
    return (
        f"CASE WHEN {_matches(cell, PATTERNS['money'])} "
        f"THEN CAST(TRY_CAST({plain} AS DECIMAL(18, 2)) * 100 AS BIGINT) END"
    )


def _rate_sql(cell: str) -> str:
    number = f"TRY_CAST(regexp_replace({cell}, '[ %]', '', 'g') AS DOUBLE)"
    return (
        f"CASE WHEN {_matches(cell, PATTERNS['rate'])} THEN "
        f"CASE WHEN {cell} LIKE '%\\%' ESCAPE '\\' THEN {number} / 100 ELSE {number} END END"
    )


def _count_sql(cell: str) -> str:
    return (
        f"CASE WHEN {_matches(cell, PATTERNS['count'])} "
        f"THEN TRY_CAST(replace({cell}, ',', '') AS BIGINT) END"
    )


def _yes_no_sql(cell: str) -> str:
    return (
        f"CASE WHEN lower({cell}) IN ('yes', 'y', 'true') THEN true "
        f"WHEN lower({cell}) IN ('no', 'n', 'false') THEN false END"
    )


def _choice_sql(cell: str, choices: tuple[str, ...]) -> str:
    folded = f"regexp_replace(lower({cell}), '[ _-]+', '_', 'g')"
    listed = ", ".join(literal(choice) for choice in choices)
    return f"CASE WHEN {folded} IN ({listed}) THEN {folded} END"


def typed_sql(column: Column, cell: str) -> str:
    """The typed value of a cell (an SQL expression without surrounding space); NULL if unfit.

    Money becomes whole pence, months the first day of the month, `15%` 0.15.
    A `client_ref` stays text here: `client_hash_sql` is what may be stored.
    """
    if column.default:
        cell = f"coalesce({cell}, {literal(column.default)})"
    match column.kind:
        case "date":
            return _date_sql(cell)
        case "month":
            return _month_sql(cell)
        case "money":
            return _money_sql(cell)
        case "rate":
            return _rate_sql(cell)
        case "count":
            return _count_sql(cell)
        case "yes_no":
            return _yes_no_sql(cell)
        case "choice":
            return _choice_sql(cell, column.choices)
        case "text":
            return rf"regexp_replace({cell}, '[\s\x{{a0}}]+', ' ', 'g')"
        case _:  # id and client_ref stay as written
            return cell


def set_client_key(connection: DuckDBPyConnection, key: bytes) -> None:
    """Give the connection the key that `client_hash_sql` uses (HMAC-SHA256, RFC 2104)."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    for name, pad in (("client_inner", 0x36), ("client_outer", 0x5C)):
        padded = bytes(byte ^ pad for byte in block)
        connection.execute(f"SET VARIABLE {name} = unhex('{padded.hex()}')")


def client_hash_sql(cell: str) -> str:
    """The keyed hash of a client's mark, alike for upper and lower case; NULL if empty."""
    message = f"encode(upper({cell}))"
    inner = f"unhex(sha256(getvariable('client_inner') || {message}))"
    return f"CASE WHEN {cell} IS NOT NULL THEN sha256(getvariable('client_outer') || {inner}) END"


def parse_month(text: str) -> dt.date:
    """The first day of a month written `2012-03`; BadOption otherwise."""
    match = re.fullmatch(r"(\d{4})-(\d{2})", text.strip())
    if match and 1 <= int(match[2]) <= 12 and int(match[1]) > 0:
        return dt.date(int(match[1]), int(match[2]), 1)
    raise BadOption(f'We read "{text}" for a month. Write a month as 2012-03.')


def parse_date(text: str) -> dt.date:
    """A day written `2012-03-31` or `31/03/2012`; BadOption otherwise."""
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return dt.datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    raise BadOption(f'We read "{text}" for a day. Write a day as 2012-03-31.')


def months_between(first: dt.date, last: dt.date) -> tuple[dt.date, ...]:
    """The first days of the months from `first` to `last`, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return tuple(
        dt.date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1)
        for n in range(count)
    )


def parse_months(text: str) -> tuple[dt.date, ...]:
    """The months in `2011-06..2012-03`, also written `2011-06 to 2012-03`, or `2011-06`."""
    first, *rest = re.split(r"\.\.|\bto\b|–", text, maxsplit=1)
    last = rest[0] if rest else first
    months = months_between(parse_month(first), parse_month(last))
    if months and not 1990 <= months[0].year <= months[-1].year <= 2100:
        raise BadOption(f'The months "{text}" are not within 1990 to 2100. Check the year.')
    if not months:
        raise BadOption(f'The months "{text}" end before they begin. Write the earlier one first.')
    return months
