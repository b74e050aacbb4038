"""Made-up payments files: the failing rows are those of a plain reading, in any order."""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from checks.definition import Circumstances
from checks.run import check
from data.parse import PATTERNS, typed_sql
from data.read import Sheet
from data.table import Column
from data.tables import TABLES

sys.path.append(str(Path(__file__).resolve().parents[1] / "oracle"))
from checks_oracle import DATES, KINDS, MONEY, failing_rows

PAYMENTS = TABLES["payments"]
TODAY = dt.date(2013, 1, 1)
COMPARED = {
    "required_cells",
    "dates",
    "real_dates",
    "money",
    "choices",
    "amounts_not_negative",
    "not_in_the_future",
    "key_unique",
    "invoiced_before_paid",
    "more_than_received",
}

day = st.one_of(
    st.dates(dt.date(2011, 1, 1), dt.date(2013, 12, 31)).map(str),
    st.sampled_from(
        ["", "", "31/03/2012", "2012-02-30", "29/02/2011", "soon", "2012-3-1", "1/2/12"]
    ),
)
amount = st.one_of(
    st.decimals(-50, 500, places=2).map(str),
    st.sampled_from(["", "0", "£1,200.50", "-£3", "1,20", "12.345", "ten", "1200"]),
)
row = st.fixed_dictionaries(
    {
        "payment_id": st.sampled_from(["", *(f"P{n}" for n in range(9))]),
        "contract_id": st.sampled_from(["A", "B", ""]),
        "subcontractor_id": st.sampled_from(["S1", "S2"]),
        "payment_type": st.sampled_from([*KINDS, "bonus", ""]),
        **dict.fromkeys(DATES, day),
        **dict.fromkeys(MONEY, amount),
    }
)
few = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # to shrink a file takes minutes
)


def sheet_of(rows: list[dict[str, str]], order: list[int]) -> Sheet:
    columns = {"row_number": pa.array([number + 2 for number in order], pa.int64())}
    for column in rows[0]:
        columns[column] = pa.array([rows[number][column] or None for number in order], pa.string())
    return Sheet(pa.table(columns), "f.csv", "0", {column: column for column in rows[0]})


@given(st.lists(row, min_size=1, max_size=25), st.randoms(use_true_random=False))
@few
def test_the_failing_rows_are_those_of_a_plain_reading(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    found = {
        (finding.check, finding.column): set(finding.rows)
        for finding in check(sheet_of(rows, order), PAYMENTS, Circumstances(TODAY)).findings
        if finding.check in COMPARED
    }
    assert found == failing_rows(rows, TODAY)


FOLD = str.maketrans("123456789", "000000000")


@pytest.mark.parametrize("kind", PATTERNS)
@given(st.data())
@settings(deadline=None, derandomize=True)
def test_patterns_treat_all_digits_alike(kind, data):
    pattern = re.compile(PATTERNS[kind])
    text = data.draw(st.one_of(st.from_regex(pattern, fullmatch=True), st.text(max_size=12)))
    digits = data.draw(
        st.lists(st.sampled_from("0123456789"), min_size=len(text), max_size=len(text))
    )
    other = "".join(
        digit if letter in "0123456789" else letter
        for letter, digit in zip(text, digits, strict=True)
    )
    fits = bool(pattern.fullmatch(text))
    assert bool(pattern.fullmatch(text.translate(FOLD))) == fits
    assert bool(pattern.fullmatch(other)) == fits


@pytest.mark.parametrize("kind", ["money", "rate", "count"])
@given(st.data())
@settings(deadline=None, derandomize=True)
def test_a_number_that_has_the_right_form_is_read(kind, data):
    text = data.draw(st.from_regex(re.compile(PATTERNS[kind], re.ASCII), fullmatch=True))
    (value,) = duckdb.execute(
        f"SELECT {typed_sql(Column('x', kind, ''), '$1')}", [text]
    ).fetchall()[0]
    assert value is not None
