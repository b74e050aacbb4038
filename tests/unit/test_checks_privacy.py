"""Marks of persons: what is one, what is not, and that none is ever repeated."""

from __future__ import annotations

import datetime as dt
import json
import re

import pyarrow as pa
import pytest

from checks.definition import Circumstances
from checks.privacy import patterns
from checks.privacy.patterns import scrubbed
from checks.run import check, masked
from data.read import Extra, Sheet
from data.tables import TABLES

KNOWN = Circumstances(dt.date(2012, 12, 31))


def found(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text)
    return match[1] if match else None


@pytest.mark.parametrize(
    "text", ["AB123456C", "ab 12 34 56 c", "x: JK987654D;", "OA123456B"[0:0] or "ZY112233A"]
)
def test_national_insurance_numbers(text):
    assert found(patterns.NATIONAL_INSURANCE, text)


@pytest.mark.parametrize(
    "text",
    ["GB123456A", "NT123456A", "ZZ123456A", "DA123456A", "QA123456A", "AO123456A", "AB123456E",
     "AB12345C", "XAB123456C", "AB123456C1", "SC123456"],
)  # fmt: skip
def test_what_no_national_insurance_number_looks_like(text):
    assert found(patterns.NATIONAL_INSURANCE, text) is None


def test_every_prefix_of_a_national_insurance_number():
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    allowed = {
        first + second
        for first in letters
        for second in letters
        if found(patterns.NATIONAL_INSURANCE, f"{first}{second}123456A")
    }
    assert allowed == {
        first + second
        for first in letters
        for second in letters
        if first not in "DFIQUV"
        and second not in "DFIQUVO"
        and first + second not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}
    }


@pytest.mark.parametrize(
    "text",
    ["07700900123", "07700 900 123", "+44 7700 900123", "+44 (0)20 7946 0018", "0044 20 79460018",
     "(0161) 496 0018", "tel:02079460018", "01632 960 001", "0800 123456", "020-7946-0018"],
)  # fmt: skip
def test_telephone_numbers(text):
    assert found(patterns.TELEPHONE, text)


@pytest.mark.parametrize(
    "text",
    ["1234567890", "0012345678", "0412345678", "P-07700900123", "2012-03-31", "31/03/2012",
     "0.0770090012", "0123", "01234567890123456", "012345678A1"],
)  # fmt: skip
def test_what_no_telephone_number_looks_like(text):
    assert found(patterns.TELEPHONE, text) is None


@pytest.mark.parametrize(
    "text", ["SW1A 1AA", "e1 6an", "M1 1AE.", "(EC1A 1BB)", "CR2 6XH", "DN55 1PT"]
)
def test_postcodes(text):
    assert found(patterns.POSTCODE, text)
    assert found(patterns.POSTCODE_SPACED, text)
    close = text.replace(" ", "")
    assert found(patterns.POSTCODE, close)
    assert found(patterns.POSTCODE_SPACED, close) is None


@pytest.mark.parametrize(
    "text", ["JSA 25+", "SW1A", "QQ1 1AA", "ZZ9 9ZZ", "SW1A 1CA", "WP-01-A", "SE1 11AA"]
)
def test_what_no_postcode_looks_like(text):
    assert found(patterns.POSTCODE, text) is None


def test_marks_in_headers_are_hidden():
    assert scrubbed("jo@example.org AB123456C 07700 900123 943 476 5919 SW1A 1AA") == (
        "*** *** *** *** ***"
    )
    assert scrubbed("Client group (JSA 25+)") == "Client group (JSA 25+)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("AB123456C", "A*******C"), ("abcd", "a**d"), ("abc", "***"), ("x" * 40, f"x{'*' * 12}x")],
)
def test_masking_keeps_the_first_and_last_character(text, shown):
    assert masked(text) == shown


def test_no_mark_of_a_person_is_repeated_anywhere():
    marks = [
        "AB123456C",
        "jo.bloggs@example.org",
        "07700 900123",
        "943 476 5919",
        "SW1A 1AA",
        "-07700900123",
    ]
    n = len(marks)
    table = TABLES["payments"]
    rows = {"row_number": pa.array(range(2, n + 2), pa.int64())}
    rows |= {column: pa.array(marks, pa.string()) for column in table.column_ids}
    rows |= {"extra_1": pa.array(marks), "extra_2": pa.array(["Bloggs"] * n)}
    headers = {column: column for column in table.column_ids}
    extras = (Extra("extra_1", marks[1]), Extra("extra_2", "Surname"))
    sheet = Sheet(pa.table(rows), "f.csv", "0", headers, extras, notices=(f"We saw {marks[0]}.",))
    said = check(sheet, table, KNOWN)
    text = json.dumps(said.answer()) + repr(said)
    for mark in (*marks[:-1], "Bloggs"):
        assert mark not in text
    assert {
        "national_insurance",
        "email",
        "telephone",
        "nhs_number",
        "postcode",
        "person_name",
    } <= {finding.check for finding in said.findings}


def test_ten_digit_ids_that_pass_by_chance_are_no_nhs_numbers():
    ids = [str(1_000_000_000 + n) for n in range(300)]
    sheet = Sheet(
        pa.table({"row_number": pa.array(range(2, 302), pa.int64()), "referral_id": ids}),
        "f.csv",
        "0",
        {"referral_id": "referral_id"},
    )
    findings = check(sheet, TABLES["referrals"], KNOWN).findings
    assert "nhs_number" not in {finding.check for finding in findings}
