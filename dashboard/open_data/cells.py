"""How a cell stands in a file, on the page and in a sentence."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from dashboard.open_data.release import FIGURES, hidden_why, short_reason, shown_value
from dashboard.words import day
from metrics.window import month_of
from metrics.wording import month_name, share

if TYPE_CHECKING:
    from dashboard.open_data.release import Field

MARKER = "hidden:"
NOT_REPORTED_WORDS = "not reported"
JsonCell = str | int | float | None

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
# Characters that turn the direction of what follows, and others that cannot be seen.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def marker(reason: str) -> str:
    """What stands in a file in place of a hidden figure."""
    return f"{MARKER}{reason}"


def json_cell(field: Field, cell: object) -> JsonCell:
    """The cell as JSON has it: null is not reported, `hidden:` and the reason is hidden."""
    why = hidden_why(cell)
    if why is not None:
        return marker(why)
    value = shown_value(cell)
    if value is None or value == "":
        return None
    if isinstance(value, dt.date):
        return f"{value:%Y-%m}" if field.kind == "month" else value.isoformat()
    if isinstance(value, int | float):
        return int(value) if value == int(value) else value
    return str(value)


def csv_cell(field: Field, cell: object) -> str:
    """The cell as CSV has it: as JSON has it, and empty where it is not reported."""
    value = json_cell(field, cell)
    return "" if value is None else str(value)


def seen(value: object) -> str:
    """Text with every character shown that would change how its neighbours are read."""
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", str(value))


def in_words(field: Field, value: JsonCell) -> str:
    """A cell, as JSON has it, in words: 1,200; 15 %; hidden (few people); 3 May 2012."""
    if value is None:
        return NOT_REPORTED_WORDS if field.kind in FIGURES else ""
    if field.kind in FIGURES:
        if isinstance(value, str):
            return f"hidden ({short_reason(value.removeprefix(MARKER))})"
        return share(value) if field.kind == "share" else number(value)
    if field.kind == "day":
        return day(dt.date.fromisoformat(str(value)))
    return period(str(value)) if field.kind == "month" else seen(value)


def number(value: float) -> str:
    """A number with commas in thousands and at most four decimals."""
    text = f"{value:,.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def period(text: str) -> str:
    """A period in words: 2012-03 is March 2012, 2012-Q1 is January to March 2012."""
    if found := _MONTH.fullmatch(text):
        return month_name(month_of(dt.date(int(found[1]), int(found[2]), 1)))
    if found := _QUARTER.fullmatch(text):
        last = 3 * int(found[2])
        first_name = month_name(month_of(dt.date(int(found[1]), last - 2, 1))).split()[0]
        return f"{first_name} to {month_name(month_of(dt.date(int(found[1]), last, 1)))}"
    return seen(text)
