"""How the text of a cell becomes a value."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import BadOption
from data.parse import (
    PATTERNS,
    cell_sql,
    client_hash_sql,
    folded_sql,
    months_between,
    parse_date,
    parse_month,
    parse_months,
    quoted,
    set_client_key,
    typed_sql,
)
from data.table import Column, Kind

CHOICES = ("end_to_end", "call_off")
connection = duckdb.connect()


def typed(kind: Kind, text: str | None, default: str = ""):
    column = Column("x", kind, "", choices=CHOICES if kind == "choice" else (), default=default)
    query = f"SELECT {typed_sql(column, cell_sql('x'))} FROM (SELECT CAST(? AS VARCHAR) AS x)"
    return connection.execute(query, [text]).fetchone()[0]


def month(year: int, number: int) -> dt.date:
    return dt.date(year, number, 1)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("date", "2012-03-31", dt.date(2012, 3, 31)),
        ("date", "31/03/2012", dt.date(2012, 3, 31)),
        ("date", "1/3/2012", dt.date(2012, 3, 1)),
        ("date", "\u00a02012-03-31 \n", dt.date(2012, 3, 31)),
        ("date", "2012-02-30", None),
        ("date", "31.03.2012", None),
        ("date", "03/31/2012", None),
        ("date", "41000", None),
        ("month", "2012-03", month(2012, 3)),
        ("month", "2012-03-01", month(2012, 3)),
        ("month", "01/03/2012", month(2012, 3)),
        ("month", "3/2012", month(2012, 3)),
        ("month", "Mar-12", month(2012, 3)),
        ("month", "March 2012", month(2012, 3)),
        ("month", "Sept 2012", month(2012, 9)),
        ("month", "2012-13", None),
        ("month", "2012-03-05", None),
        ("month", "Mac-12", None),
        ("money", "1200", 120000),
        ("money", "£1,234.50", 123450),
        ("money", "-£5.1", -510),
        ("money", "£-5", -500),
        ("money", "0.29", 29),
        ("money", "999999999999.99", 99999999999999),
        ("money", "1.234", None),
        ("money", "1,23", None),
        ("money", "1e3", None),
        ("money", "C-0042", None),
        ("rate", "0.15", 0.15),
        ("rate", "15%", 0.15),
        ("rate", "15 %", 0.15),
        ("rate", ".5", 0.5),
        ("rate", "15 per cent", None),
        ("count", "1,000", 1000),
        ("count", "-2", -2),
        ("count", "2.5", None),
        ("yes_no", "Yes", True),
        ("yes_no", "n", False),
        ("yes_no", "perhaps", None),
        ("choice", "End-to-end", "end_to_end"),
        ("choice", "call off", "call_off"),
        ("choice", "other", None),
        ("text", "a  b\n\tc", "a b c"),
        ("id", " GB-CHC-1 ", "GB-CHC-1"),
        ("client_ref", "  ", None),
    ],
)
def test_a_cell_is_read_as(kind, text, value):
    assert typed(kind, text) == value


def test_an_empty_cell_takes_the_default_of_its_column():
    assert typed("count", None, default="1") == 1
    assert typed("count", "3", default="1") == 3
    assert typed("count", None) is None


@given(st.text(alphabet="0123456789.,-£ e", max_size=18))
def test_money_never_becomes_another_amount(text):
    value = typed("money", text)
    try:
        amount = Decimal(re.sub(r"[£, ]", "", text)) * 100
    except ArithmeticError:  # no number, or one beyond all bounds
        assert value is None
        return
    assert value in (None, amount)


@given(st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)))
def test_every_day_is_read_in_both_forms(day):
    assert typed("date", day.isoformat()) == day
    assert typed("date", f"{day:%d/%m/%Y}") == day


CHARACTERS = st.text(alphabet="0123456789-/,.£% JanMarch_aA\x01\n", max_size=14)


@given(st.sampled_from(sorted(PATTERNS)), CHARACTERS)
def test_patterns_treat_all_digits_alike(kind, text):
    folded = connection.execute(f"SELECT {folded_sql('x')} FROM (SELECT ? AS x)", [text])
    matches = bool(re.fullmatch(PATTERNS[kind], text))
    assert bool(re.fullmatch(PATTERNS[kind], folded.fetchone()[0])) is matches


@given(st.sampled_from([k for k in sorted(PATTERNS) if k != "choice"]), CHARACTERS)
def test_what_is_read_as_a_value_matches_its_pattern(kind, text):
    cell = connection.execute(f"SELECT {cell_sql('x')} FROM (SELECT ? AS x)", [text]).fetchone()[0]
    if kind not in ("text", "id", "client_ref") and typed(kind, text) is not None:
        assert re.fullmatch(PATTERNS[kind], cell)


@given(st.binary(min_size=1, max_size=100), st.text(min_size=1).filter(str.strip))
def test_a_clients_mark_is_hashed_as_hmac_sha256(key, text):
    set_client_key(connection, key)
    query = f"SELECT {cell_sql('x')}, upper({cell_sql('x')}), {client_hash_sql(cell_sql('x'))} "
    cell, upper, hashed = connection.execute(query + "FROM (SELECT ? AS x)", [text]).fetchone()
    if cell is None:
        assert hashed is None
    else:
        assert hashed == hmac.new(key, upper.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("kind", ["id", "client_ref", "text"])
def test_characters_that_cannot_be_seen_are_unfit(kind):
    assert re.fullmatch(PATTERNS[kind], "GB-CHC-1 é")
    for unseen in "\u200b\u00ad\u202e\ufeff\x07":
        assert not re.fullmatch(PATTERNS[kind], f"GB{unseen}CHC")


def test_names_and_texts_cannot_break_out_of_sql():
    name = 'odd "name" '
    found = connection.execute(f"SELECT 1 AS {quoted(name)}").description[0][0]
    assert found == name


def test_months_of_a_return():
    assert parse_months("2011-11..2012-02") == (
        month(2011, 11), month(2011, 12), month(2012, 1), month(2012, 2),
    )  # fmt: skip
    assert parse_months("2011-06") == (month(2011, 6),)
    assert parse_months("2011-06 to 2011-07") == parse_months("2011-06..2011-07")
    assert months_between(month(2012, 2), month(2012, 1)) == ()


@pytest.mark.parametrize(
    "text",
    [
        "2012-02..2012-01",
        "2012",
        "2012-13",
        "0000-01",
        "Mar",
        "..",
        "",
        "0001-01..2012-01",
        "2012-01..3000-01",
    ],
)
def test_months_that_are_none_are_an_error(text):
    with pytest.raises(BadOption):
        parse_months(text)


def test_days_and_months_given_as_options():
    assert parse_date("31/03/2012") == parse_date("2012-03-31") == dt.date(2012, 3, 31)
    assert parse_month(" 2012-03 ") == month(2012, 3)
    with pytest.raises(BadOption, match="2012-03-31"):
        parse_date("soon")
