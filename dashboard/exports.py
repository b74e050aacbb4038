"""Files to take away: CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metrics.definition import Assessment
    from metrics.what_if import Override

FLAG_COLUMNS = (
    "flag",
    "contract_id",
    "prime_id",
    "subcontractor_id",
    "client_group",
    "status",
    "value",
    "low",
    "high",
    "threshold",
    "attributed_to",
    "sentence",
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?%?")


def safe_cell(value: Any) -> str:
    """The value as text; text that a spreadsheet would run as a formula gets a leading quote."""
    text = "" if value is None else str(value)
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file in UTF-8 with a mark that Excel recognises."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def flags_csv(assessments: Iterable[Assessment], overrides: Iterable[Override]) -> bytes:
    """The flags as CSV; the last column names the rules that are not the register's."""
    marked = "; ".join(one.sentence for one in overrides)
    rows = ([*(getattr(one, name) for name in FLAG_COLUMNS), marked] for one in assessments)
    return csv_bytes((*FLAG_COLUMNS, "overridden"), rows)
