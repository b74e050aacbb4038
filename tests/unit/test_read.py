"""Reading a file gives the text that stands in its cells, with the row numbers people see."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import hashlib
import io
import random
import struct
import zipfile
from pathlib import Path

import pytest
import python_calamine
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import delimited, formula_errors
from data import read as reading
from data.errors import BadOption, UnusableFile
from data.filekind import size
from data.header import find_header, folded
from data.read import Extra, Ragged, Sheet, guess_table, read_file
from data.table import Column, Table
from data.tables import PAYMENTS, REFERRALS
from data.workbook import as_text

BAD_UPLOADS = Path(__file__).resolve().parents[2] / "../shared/data/bad_uploads"
ABC = Table("abc", "", "", "", tuple(Column(name, "text", "") for name in "abc"), ("a",))
REFERRAL_HEADER = ["referral_id", "contract_id", "subcontractor_id", "client_group", "referred_on"]
ODS_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"'
    for prefix in ("office", "table", "text")
)


@pytest.fixture
def read(tmp_path):
    def read(content, table=ABC, name="log.csv") -> Sheet:
        path = tmp_path / "received"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_file(path, table, name)

    return read


@pytest.fixture
def refusal(read):
    def refusal(content, table=ABC, name="log.csv") -> str:
        with pytest.raises(UnusableFile) as caught:
            read(content, table, name)
        message = str(caught.value)
        assert message.startswith(f'"{name}" ')
        assert message.endswith(".")
        return message

    return refusal


def cells(sheet: Sheet) -> list[tuple]:
    return [tuple(row.values()) for row in sheet.rows.to_pylist()]


def workbook(sheets: dict[str, list[list]], **hidden) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"default_date_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            for position, value in enumerate(row):
                if isinstance(value, tuple):
                    sheet.write_formula(number, position, value[0], None, value[1])
                elif value is not None:
                    sheet.write(number, position, value)
        if name in hidden:
            sheet.hide()
    book.close()
    return buffer.getvalue()


def zipped(**members: bytes | str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return buffer.getvalue()


def rezipped(data: bytes, change) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, change(member.filename, old.read(member)))
    return buffer.getvalue()


def ods(body: str, manifest: str = "<manifest/>") -> bytes:
    return zipped(
        mimetype="application/vnd.oasis.opendocument.spreadsheet",
        **{"META-INF__manifest_xml": manifest},
        content_xml=f'<?xml version="1.0"?><office:document-content {ODS_NAMESPACES} '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
        f'<office:body><office:spreadsheet><table:table table:name="Other"/>'
        f'<table:table table:name="Log">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>",
    )


def shared(name: str) -> bytes:
    if not BAD_UPLOADS.is_dir():
        pytest.skip("the collection of bad uploads is not beside the checkout")
    return (BAD_UPLOADS / name).read_bytes()


# --- the sheet -------------------------------------------------------------------------------


def test_a_sheet_holds_text_row_numbers_headers_and_the_hash_of_the_bytes(read):
    content = b"b,a,c\n1,x,\n02,y,2012-01-31\n"
    sheet = read(content)
    assert sheet.rows.column_names == ["row_number", "b", "a", "c"]
    assert cells(sheet) == [(2, "1", "x", None), (3, "02", "y", "2012-01-31")]
    assert sheet.headers == {"b": "b", "a": "a", "c": "c"}
    assert sheet.sha256 == hashlib.sha256(content).hexdigest()
    assert sheet.file_name == "log.csv"
    assert sheet.header_row == 1
    assert (sheet.extras, sheet.repeated, sheet.ragged, sheet.notices) == ((), (), (), ())
    assert sheet.formula_errors == {}


def test_the_path_gives_the_name_unless_another_is_given(tmp_path):
    (tmp_path / "own.csv").write_text("a\n1\n")
    assert read_file(tmp_path / "own.csv", ABC).file_name == "own.csv"


def test_a_header_alone_gives_no_rows(read):
    assert cells(read("a,b,c")) == []
    assert cells(read("a,b,c\n")) == []
    assert cells(read("a,b,c\n\n")) == []
    assert cells(read(workbook({"s": [["a", "b"]]}))) == []


# --- text ------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(read, separator, line_end):
    lines = ["a,b,c", "1,,3", "", '"x,y","p""q","u', 'v"', "4,5,6"]
    content = line_end.join(lines[:3]) + line_end
    content = content.replace(",", separator)
    content += f'"x{separator}y"{separator}"p""q"{separator}"u{line_end}v"{line_end}'
    content += f'{separator}"" {separator}6'
    assert cells(read(content)) == [
        (2, "1", None, "3"),
        (4, f"x{separator}y", 'p"q', f"u{line_end}v"),
        (5, None, " ", "6"),
    ]


@pytest.mark.parametrize(
    ("encoding", "mark", "called"),
    [
        ("utf-8", b"", None),
        ("utf-8", codecs.BOM_UTF8, None),
        ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
        ("utf-16-le", b"", "UTF-16"),
        ("utf-16-be", b"", "UTF-16"),
        ("cp1252", b"", "Windows-1252"),
        ("latin-1", b"", "Latin-1"),
    ],
)
def test_encodings_and_the_notice_of_those_that_are_not_utf8(read, encoding, mark, called):
    euro = {"cp1252": "€", "latin-1": "\x81"}.get(encoding, "ł")
    sheet = read(mark + f"a,b,c\n£,é,{euro}\n".encode(encoding))
    assert cells(sheet) == [(2, "£", "é", euro)]
    said = (f"The file is not in UTF-8; it was read as {called}.",) if called else ()
    assert sheet.notices == said


def test_empty_cells_are_null_even_when_quoted_and_space_is_kept(read):
    assert cells(read('a,b,c\n"", ,NULL\n')) == [(2, None, " ", "NULL")]


def test_blank_lines_count_but_are_left_out(read):
    sheet = read("\na,b,c\n\n1,2,3\n,,\n \n , ,\n\n4,5,6\n\n")
    assert cells(sheet) == [(4, "1", "2", "3"), (9, "4", "5", "6")]
    assert sheet.header_row == 2
    assert sheet.notices == ()
    assert sheet.ragged == ()


def test_blank_lines_count_in_a_file_of_one_column(read):
    assert cells(read("a\n1\n\n\n2\n")) == [(2, "1"), (5, "2")]


def test_a_record_with_line_ends_in_quotes_is_one_row(read):
    sheet = read('a,b,c\n"x\ny\n\nz",1,2\n3,4\n5,6,7\n')
    assert cells(sheet) == [(2, "x\ny\n\nz", "1", "2"), (4, "5", "6", "7")]
    assert sheet.ragged == (Ragged(3, 3, 2),)


def test_ragged_rows_are_named_and_the_others_kept(read):
    sheet = read("a,b,c\n1,2\n1,2,3\n1,2,3,4\n1,2,3,,\n\n7,8,9\n")
    assert sheet.ragged == (Ragged(2, 3, 2), Ragged(4, 3, 4))
    assert cells(sheet) == [(3, "1", "2", "3"), (5, "1", "2", "3"), (7, "7", "8", "9")]


def test_cells_lacking_only_below_blank_headers_are_no_fault(read):
    sheet = read("a,b,,\n1,2\n3,4,,\n5\n")
    assert cells(sheet) == [(2, "1", "2"), (3, "3", "4")]
    assert sheet.ragged == (Ragged(4, 4, 1),)


def test_ragged_rows_keep_their_numbers_across_blocks_and_after_line_ends_in_quotes(
    read, monkeypatch
):
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 64)
    lines = ("1,2" if number % 7 == 0 else f'{number},"x\r\ny",z' for number in range(2, 400))
    sheet = read("\r\n".join(["a,b,c", *lines]))
    assert [row.row_number for row in sheet.ragged] == list(range(7, 400, 7))
    assert all(row[0] == int(row[1]) for row in cells(sheet))


def test_a_row_longer_than_a_block_is_read(read, monkeypatch):
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 200)
    long = "x" * 5000
    sheet = read(f"a,b,c\n1,2\n2,{long},3\n4,5,6\n")
    assert cells(sheet) == [(3, "2", long, "3"), (4, "4", "5", "6")]
    assert sheet.ragged == (Ragged(2, 3, 2),)


def test_many_rows_over_many_blocks_keep_their_numbers(read):
    rows = 120_000
    content = "a,b,c\r\n" + "".join(f"{number},value,{number % 7}\r\n" for number in range(rows))
    sheet = read(content)
    assert sheet.rows.column("row_number").to_pylist() == list(range(2, rows + 2))
    assert sheet.rows.column("a").to_pylist() == [str(number) for number in range(rows)]


cell_text = st.text(
    st.one_of(
        st.sampled_from("\"',;|\t\n\r ab1=é€"),
        st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"),
    ),
    max_size=8,
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.lists(st.lists(cell_text, min_size=3, max_size=3), max_size=8),
    separator=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    block_bytes=st.sampled_from([1000, 1 << 20]),
)
def test_what_was_written_is_read_with_its_row_numbers(
    read, rows, separator, line_end, quoting, encoding, block_bytes
):
    if any(end in cell for row in rows for cell in row for end in "\r\n"):
        quoting = csv.QUOTE_ALL  # some versions of the writer leave other line ends unquoted
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=quoting)
    writer.writerows([["a", "b", "c"], *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BLOCK_BYTES", block_bytes)
        sheet = read(text.getvalue().encode(encoding))
    written = [
        (number, *(cell or None for cell in row))
        for number, row in enumerate(rows, 2)
        if any(cell.strip() for cell in row)
    ]
    assert [row for row in cells(sheet) if any((cell or "").strip() for cell in row[1:])] == written
    assert sheet.ragged == ()


# --- the header ------------------------------------------------------------------------------


def test_names_are_matched_without_case_spaces_and_punctuation(read):
    header = "REFERRAL ID,Contract-Id,\u00a0subcontractor_id ,Client Group,Referred On (£%)"
    sheet = read(f"{header}\nR-1,C,S,G,2012-01-01\n", REFERRALS)
    assert set(sheet.headers) == set(REFERRAL_HEADER)
    assert sheet.headers["referral_id"] == "REFERRAL ID"
    assert sheet.extras == ()
    assert folded("\ufeffReferred\u00a0On %") == "referredon"


def test_unknown_columns_are_kept_apart_with_what_they_may_have_meant(read):
    sheet = read("referal_id,Contract Id,Postcode\nR-1,C-1,AB1 2CD\n", REFERRALS)
    assert sheet.extras == (
        Extra("extra_1", "referal_id", "referral_id"),
        Extra("extra_2", "Postcode", None),
    )
    assert sheet.rows.to_pylist() == [
        {"row_number": 2, "contract_id": "C-1", "extra_1": "R-1", "extra_2": "AB1 2CD"}
    ]


def test_a_blank_header_is_an_extra_only_over_values(read):
    sheet = read("a,,b,\n1,,2,\n3,,4,note\n")
    assert sheet.extras == (Extra("extra_1", "", None),)
    assert cells(sheet) == [(2, "1", "2", None), (3, "3", "4", "note")]


def test_a_column_named_twice_is_said_and_the_first_kept(read):
    sheet = read("a,A, a ,b\n1,2,3,4\n")
    assert sheet.repeated == ("a",)
    assert sheet.extras == (Extra("extra_1", "A"), Extra("extra_2", "a"))
    assert sheet.rows.to_pylist() == [
        {"row_number": 2, "a": "1", "b": "4", "extra_1": "2", "extra_2": "3"}
    ]


def test_title_rows_are_skipped_and_said(read):
    sheet = read("Referrals of 2012\n\nby month;\na;b;c\n1;2;3\n")
    assert sheet.header_row == 4
    assert cells(sheet) == [(5, "1", "2", "3")]
    assert sheet.notices == ("The header was found in row 4; the 3 rows above it were skipped.",)
    one = read(workbook({"s": [["Title"], ["a", "b", "c"], [1, 2, 3]]}))
    assert one.notices == ("The header was found in row 2; the row above it was skipped.",)
    assert cells(one) == [(3, "1", "2", "3")]


def test_a_cell_that_reads_like_a_column_is_no_header():
    assert find_header([["x", "y"], ["a", "z"]], ABC).index == 0
    assert find_header([["x"], ["a"]], ABC).index == 1
    assert find_header([["x", "y"], ["a", "b", "z"]], ABC).index == 1
    assert find_header([["a", "x"], ["a", "b"]], ABC).index == 1
    assert find_header([["a", "b"], ["a", "b"]], ABC).index == 0
    assert find_header([["", " "]], ABC) is None


def test_without_a_known_column_the_first_row_is_the_header(read):
    sheet = read("x;y\n1;2\n")
    assert sheet.headers == {}
    assert [extra.header for extra in sheet.extras] == ["x", "y"]
    assert cells(sheet) == [(2, "1", "2")]


def test_the_table_a_header_belongs_to_is_guessed(read):
    header = ",".join(PAYMENTS.column_ids)
    assert guess_table(read(header, REFERRALS), REFERRALS) == "payments"
    assert guess_table(PAYMENTS.column_ids, PAYMENTS) is None
    assert guess_table(["x", "y"], REFERRALS) is None
    assert guess_table(["name"], REFERRALS) is None


# --- workbooks -------------------------------------------------------------------------------


def test_values_become_the_text_a_person_would_write(read):
    values = [
        ("txt", "txt"),
        (1200, "1200"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "0.0000001"),
        (1.5e20, "150000000000000000000"),
        (-2.50, "-2.5"),
        (dt.date(2012, 3, 31), "2012-03-31"),
        (True, "true"),
        (False, "false"),
    ]
    sheet = read(workbook({"s": [["a", "b"], *([value, "x"] for value, _ in values)]}))
    assert sheet.rows.column("a").to_pylist() == [text for _, text in values]
    assert as_text(dt.datetime.fromisoformat("2012-03-31")) == "2012-03-31"
    assert as_text(dt.datetime.fromisoformat("2012-03-31T09:05")) == "2012-03-31 09:05:00"
    assert as_text(dt.time(9, 5)) == "09:05:00"
    assert as_text(dt.timedelta(hours=30)) == "1 day, 6:00:00"
    assert as_text(7) == "7"
    assert as_text(float("inf")) == "Infinity"


def test_row_numbers_of_a_workbook_are_those_it_shows(read):
    rows = [["a", "b"], [], ["1", "2"], [None, " "], [3, None]]
    assert cells(read(workbook({"s": rows}))) == [(3, "1", "2"), (5, "3", None)]


def test_the_sheet_is_found_by_its_header(read):
    notes = [["Notes"], ["a", "b"]]
    data = workbook({"Empty": [], "Notes": notes, "Log": [["a"], ["1"]]})
    one_required = Table("t", "", "", "", (Column("a", "text", "", required=True),), ("a",))
    assert read(workbook({"Notes": [["n"]], "Log": [["a"], ["1"]]}), one_required).headers
    sheet = read(data, REFERRALS)
    assert sheet.notices == ('The sheet "Notes" was read.',)
    near = workbook({"Notes": notes, "Log": [REFERRAL_HEADER[:2], ["R", "C"]]})
    sheet = read(near, REFERRALS)
    assert sheet.notices == ('The sheet "Log" was read.',)
    assert list(sheet.headers) == REFERRAL_HEADER[:2]


def test_hidden_sheets_do_not_compete(read):
    data = workbook({"Log": [REFERRAL_HEADER], "Old": [REFERRAL_HEADER]}, Old=True)
    assert read(data, REFERRALS).notices == ()


def test_two_matching_sheets_are_refused_by_name(refusal):
    data = workbook({"May": [REFERRAL_HEADER], "x": [["y"]], "June": [REFERRAL_HEADER]})
    message = refusal(data, REFERRALS, "log.xlsx")
    assert 'more than one sheet with the columns of referrals: "May" and "June".' in message


def test_a_workbook_without_cells_is_refused(refusal):
    assert "has no cells in any sheet" in refusal(workbook({"a": [], "b": []}))
    assert "has nothing in its first 25 rows" in refusal(workbook({"a": [[" "]]}))


def test_formula_errors_in_xlsx_are_kept_and_named(read):
    rows = [["a", "b"], [1, ("=1/0", "#DIV/0!")], [2, 5], [("=x", "#NAME?"), 6], [3, "#N/A"]]
    sheet = read(workbook({"first": [["z"]], "Log": rows}))
    assert sheet.formula_errors == {"b": (2, 5), "a": (4,)}
    assert cells(sheet)[0] == (2, "1", "#DIV/0!")


def test_formula_errors_in_xlsx_without_cell_references(read):
    def change(name: str, content: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return content
        head, _, _ = content.partition(b"<sheetData")
        return head + (
            b'<sheetData><row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row>'
            b'<row><c><v>1</v></c><c t="e"><f>A1</f><v>#REF!</v></c></row>'
            b'<row><c t="e"/><c><v>2</v></c></row></sheetData></worksheet>'
        )

    sheet = read(rezipped(workbook({"Log": [["a"]]}), change))
    assert sheet.formula_errors["b"] == (2,)


@pytest.mark.parametrize("suffix", ["xls", "xlsx"])
def test_formula_errors_of_every_kind(read, suffix):
    table = Table("t", "", "", "", (Column("error", "text", ""), Column("bang", "text", "")), ())
    sheet = read(shared(f"sheetjs/ErrorTypes.{suffix}"), table)
    rows = sheet.rows.to_pylist()
    assert {row["error"] for row in rows} >= {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?"}
    assert {row["error"] for row in rows} >= {"#NUM!", "#N/A"}
    assert len(sheet.formula_errors["error"]) >= 7


def test_an_xls_that_cannot_be_followed_shows_no_formula_errors():
    data = shared("sheetjs/ErrorTypes.xls")
    assert formula_errors.in_sheet(data, "xls", "no such sheet") == {}
    assert formula_errors.in_sheet(data[:600], "xls", "RawErrors") == {}
    assert formula_errors.in_sheet(data[:40], "xls", "RawErrors") == {}
    for size_in_bytes in range(100, len(data), 700):
        formula_errors.in_sheet(data[:size_in_bytes], "xls", "RawErrors")
    renamed = data.replace("Workbook".encode("utf-16-le"), "Worksong".encode("utf-16-le"))
    assert formula_errors.in_sheet(renamed, "xls", "RawErrors") == {}
    odd_sectors = data[:30] + b"\x40\x00" + data[32:]
    assert formula_errors.in_sheet(odd_sectors, "xls", "RawErrors") == {}
    more_tables = data[:68] + struct.pack("<II", 1, 1) + data[76:]
    assert isinstance(formula_errors.in_sheet(more_tables, "xls", "RawErrors"), dict)


def test_formula_errors_outside_the_cells_read_are_left_alone(read, monkeypatch):
    places = {(1, 0): "#REF!", (99, 0): "#REF!", (0, 99): "#REF!"}
    monkeypatch.setattr(formula_errors, "in_sheet", lambda *_: places)
    assert read(shared("frictionless/table.xls")).rows.num_rows == 2


def test_formula_errors_in_ods_are_kept_and_named(read):
    text = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    error = '<table:table-cell table:formula="of:=1/0" {}><text:p>{}</text:p></table:table-cell>'
    rows = [
        text.format("a") + text.format("b"),
        text.format("1")
        + error.format('office:value-type="string" calcext:value-type="error"', "#DIV/0!"),
        error.format('office:value-type="float" office:value="0"', "Err:502") + text.format("#1"),
        error.format('office:value-type="float" office:value="7"', "7") + text.format("x"),
        '<table:table-cell table:number-columns-repeated="2"/>',
        "<table:covered-table-cell/>" + text.format("y"),
    ]
    sheet = read(ods("".join(f"<table:table-row>{row}</table:table-row>" for row in rows)))
    assert cells(sheet) == [
        (2, "1", "#DIV/0!"),
        (3, "Err:502", "#1"),
        (4, "7", "x"),
        (6, None, "y"),
    ]
    assert sheet.formula_errors == {"a": (3,), "b": (2,)}


def test_formula_errors_written_in_csv_are_named(read):
    sheet = read("a,b,z\n#REF!,1,#N/A\n2,Err:508,x\n#N/A,#N/A found,x\n")
    assert sheet.formula_errors == {"a": (2, 4), "b": (3,)}


def test_xls_and_ods_give_the_same_cells_as_xlsx(read):
    files = [read(shared(f"frictionless/table.{suffix}")) for suffix in ("xlsx", "xls", "ods")]
    assert [cells(sheet) for sheet in files] == [[(2, "1", "english"), (3, "2", "中国人")]] * 3


def test_trailing_columns_without_header_or_value_are_dropped(read):
    sheet = read(workbook({"s": [["a", "b", " "], [1, 2], [3, 4]]}))
    assert sheet.rows.column_names == ["row_number", "a", "b"]
    sheet = read(workbook({"s": [["a", "b"], [1, 2, "note"]]}))
    assert sheet.extras == (Extra("extra_1", ""),)


# --- refusals --------------------------------------------------------------------------------


def test_what_the_file_is_is_said(refusal):
    cases = {
        b"": "is empty. ",
        b"\n\n ": "has nothing in its first 25 rows",
        b"%PDF-1.7": "is a PDF document, not a table",
        b"\x1f\x8b\x08": "is compressed with gzip",
        b"BZh91AY": "is compressed with bzip2",
        b"\x89PNG\r\n": "is a picture",
        b"PAR1....": "is a Parquet file",
        b"<!DOCTYPE html><p>": "is a web page (HTML)",
        b"\xef\xbb\xbf <html>": "is a web page (HTML)",
        b"<?xml version='1.0'?><html>": "is a web page (HTML)",
        b"<?xml version='1.0'?><Workbook>": "is an XML file",
        "<html>".encode("utf-16"): "is a web page (HTML)",
        b'{"a": 1}': "is a JSON file",
        b'[\n {"a": 1}]': "is a JSON file",
        b"a,b\r\n1,\0\n": "holds a NUL character in line 2",
        b"MZ" + bytes(500): "is a binary file",
        bytes(range(1, 9)) * 9 + b"text": "is a binary file",
        b"\xff\xfe" + "a,b\n\0,1".encode("utf-16-le"): "holds a NUL character in line 2",
        b"\xff\xfea\0b": "is damaged",
        b"PK\x03\x04 no more": "is damaged",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600): "is an Office file, but not a workbook",
        zipped(log_xml="a"): "is a ZIP archive, not a table. Unpack it",
        zipped(word__document_xml="a"): "is a Word document",
        zipped(**{"xl__workbook.bin": "a"}): "is a binary Excel workbook (XLSB)",
        zipped(xl__workbook_xml="a"): "",
    }
    for content, words in cases.items():
        assert words in refusal(content)


def test_a_file_that_is_no_table_is_refused(refusal):
    message = refusal("Dear all\nwe had, in May, 3\nand, in June, 4\n", REFERRALS, "letter.txt")
    assert message == (
        '"letter.txt" is not a table: its rows have different numbers of cells and none of its '
        "columns is a column of referrals. Start from the template of referrals."
    )


@pytest.mark.parametrize(
    "name",
    [
        "messytables-horror/encrypted_no_password.xls",
        "sheetjs/password_2002_128_strong.xls",
        "sheetjs/password_2002_40_xor.xls",
    ],
)
def test_a_password_is_said_for_xls(refusal, name):
    assert refusal(shared(name), name="log.xls") == (
        '"log.xls" is protected with a password. Save a copy without the password and upload that.'
    )


def test_a_password_is_said_for_the_other_formats(refusal, monkeypatch):
    compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    assert "password" in refusal(compound + "EncryptedPackage".encode("utf-16-le"))
    assert "password" in refusal(ods("", "<manifest:encryption-data/>"))
    locked = bytearray(workbook({"s": [["a"]]}))
    position = 0
    while (position := locked.find(b"PK\x01\x02", position + 1)) > 0:
        locked[position + 8] |= 1
    assert "password" in refusal(bytes(locked))

    def protected(_):
        raise python_calamine.PasswordError

    monkeypatch.setattr(
        "data.workbook.CalamineWorkbook", type("W", (), {"from_filelike": protected})
    )
    assert "password" in refusal(workbook({"s": [["a"]]}))


def test_a_workbook_the_reader_gives_up_on_is_refused(refusal):
    assert "a sheet of a kind we do not read" in refusal(shared("sheetjs/BlankSheetTypes.xlsm"))
    compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "Workbook".encode("utf-16-le")
    assert "is damaged" in refusal(compound)
    good = workbook({"s": [["a"]]})
    assert "could not be read as a table (" in refusal(
        rezipped(good, lambda name, content: b"<x" if "sheet1" in name else content)
    )


def test_any_other_error_becomes_a_sentence(refusal, read, monkeypatch):
    class Panic(BaseException):
        pass

    for error in (ValueError("odd\n thing."), Panic("index out of range"), MemoryError()):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr(reading, "read_delimited", fail)
        message = refusal("a,b\n")
        reason = " ".join(str(error).split()).rstrip(".") or "MemoryError"
        assert message.startswith(f'"log.csv" could not be read as a table ({reason}). Open')

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "read_delimited", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read("a,b\n")


def test_an_odd_error_of_the_csv_reader_becomes_a_sentence(refusal, monkeypatch):
    monkeypatch.setattr(delimited, "_encoding", lambda _: ("utf-8", 0))
    assert "could not be read as a table (" in refusal(b"a,b,c\n1,\xff,2\n")


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    with pytest.raises(UnusableFile, match=r'^"none.csv" cannot be opened \(No such file'):
        read_file(tmp_path / "none.csv", ABC)
    with pytest.raises(UnusableFile, match=r"cannot be opened"):
        read_file(tmp_path, ABC)


def test_a_name_cannot_break_the_line(tmp_path):
    with pytest.raises(UnusableFile, match=r'^"a\?b.csv" cannot'):
        read_file(tmp_path / "none", ABC, "a\nb.csv")


def test_the_size_limit_comes_first(refusal, read, monkeypatch):
    monkeypatch.setenv("FAIRTIER_MAX_UPLOAD", "1K")
    assert "is larger than the limit of 1 KiB" in refusal(b"%PDF" + bytes(2000))
    assert read("a,b\n1,2\n")
    monkeypatch.setenv("FAIRTIER_MAX_UPLOAD", "lots")
    with pytest.raises(BadOption):
        read("a,b\n1,2\n")


def test_a_file_that_grows_while_it_is_read_is_refused(refusal, monkeypatch):
    monkeypatch.setenv("FAIRTIER_MAX_UPLOAD", "4")
    monkeypatch.setattr(Path, "stat", lambda _: type("S", (), {"st_size": 1}))
    assert "is larger than the limit of 4 bytes" in refusal("a,b,c\n")


def test_a_workbook_that_unpacks_to_too_much_is_refused(refusal, monkeypatch):
    data = workbook({"s": [["a", "b"], ["x" * 30_000, "y" * 30_000]]})
    monkeypatch.setenv("FAIRTIER_MAX_UNPACKED", "20K")
    assert "more than the 20 KiB we unpack" in refusal(data)


def test_a_workbook_that_lies_about_its_size_is_refused(refusal, monkeypatch):
    data = bytearray(workbook({"s": [["a", "b"], ["x" * 30_000, "y" * 30_000]]}))
    position = 0
    while (position := data.find(b"PK\x01\x02", position + 1)) > 0:
        data[position + 24 : position + 28] = struct.pack("<I", 9)
    monkeypatch.setenv("FAIRTIER_MAX_UNPACKED", "40K")
    assert "more than the 40 KiB we unpack" in refusal(bytes(data))


def test_a_damaged_part_is_refused(refusal):
    data = bytearray(workbook({"s": [["a", "b"]]}))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.getinfo("xl/worksheets/sheet1.xml")
    start = member.header_offset + 30 + len(member.filename)
    data[start : start + 4] = b"\xff" * 4
    assert "is damaged" in refusal(bytes(data))


def test_cells_far_away_are_refused_before_they_take_memory(refusal):
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.write(0, 0, "a")
    sheet.write(1_048_575, 16_383, "z")
    book.close()
    message = refusal(buffer.getvalue())
    assert "cells reach to row 1,048,576 and column 16,384" in message


def test_entities_are_refused(refusal):
    def change(name: str, content: bytes) -> bytes:
        if name == "xl/workbook.xml":
            return content.replace(b"<workbook", b'<!DOCTYPE x [<!ENTITY e "s">]><workbook', 1)
        return content

    data = workbook({"s": [["a", "b"], [1, ("=1/0", "#DIV/0!")]]})
    assert "contains XML entities" in refusal(rezipped(data, change))


def test_too_many_columns_are_refused(refusal, read):
    header = [f"c{number}" for number in range(1001)]
    assert "has more than 1,000 columns" in refusal(",".join(header))
    assert "has more than 1,000 columns" in refusal(workbook({"s": [header]}))
    assert "has more than 1,000 columns" in refusal("," * 20_000 + "a")
    assert read("a,b" + "," * 2000 + "\n1,2" + "," * 2000).headers == {"a": "a", "b": "b"}


def test_cells_that_are_too_long_are_refused_with_their_row(refusal, read, monkeypatch):
    long = "x" * 32_768
    assert "more than 32,767 characters in row 3." in refusal(f"a,b\n1,2\n3,{long}\n4,5\n")
    assert read(f"a,b\n1,{long[1:]}\n")
    assert read(f"a,b\n1,{'é' * 32_767}\n")
    assert "has a first row that goes on without end" in refusal("x" * 200_000)
    assert "in row 2." in refusal("a,b\n1," + "x" * 2_000_000 + "\n3,4\n")
    assert "in row 3." in refusal("a,b\n1,2\n3," + "x" * 2_000_000)
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 1000)
    assert "in row 3." in refusal("a,b\n1,2\n3," + "x" * 40_000)


def test_rows_are_not_cut_where_the_search_for_the_header_ends(read, monkeypatch):
    monkeypatch.setattr(delimited, "_HEAD_BYTES", 20)
    sheet = read("a,b,c\n1,2,3\n4,5,6\n7,8,9\n")
    assert len(cells(sheet)) == 3
    with pytest.raises(UnusableFile, match="first row that goes on without end"):
        read("title " * 10 + "\na,b\n")


@pytest.mark.parametrize("row", ['4,5,"6', '4,"5,6', '"4,5,6'])
def test_a_quotation_mark_that_is_never_closed_is_named(refusal, row):
    message = refusal(f"a,b,c\n1,2,3\n{row}\n7,8,9\n10,11,12\n")
    assert message == (
        '"log.csv" has a quotation mark in row 3 that is never closed, so the rest of the file '
        "reads as one cell. Close it or delete it."
    )


def test_a_mark_that_swallows_a_large_file_is_refused(refusal):
    content = 'a,b,c\n1,2,3\n4,"5,6\n' + "7,8,9\n" * 400_000
    assert "in row 3" in refusal(content)


def test_a_last_cell_with_line_ends_is_no_open_mark(read):
    assert cells(read('a,b,c\n1,2,"3\n4"\n')) == [(2, "1", "2", "3\n4")]


def test_sizes_are_written_for_people():
    assert [size(n) for n in (12, 1536, 1 << 20, 5 << 30)] == [
        "12 bytes",
        "1.5 KiB",
        "1 MiB",
        "5 GiB",
    ]


def test_random_bytes_never_raise_anything_else(read):
    chance = random.Random(7)  # noqa: S311
    beginnings = [b"", b"a,b,c\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe"]
    good = [workbook({"s": [["a", "b"], [1, ("=1/0", "#DIV/0!")]]}), ods("<table:table-row/>")]
    for _ in range(200):
        if chance.random() < 0.5:
            content = chance.choice(beginnings) + chance.randbytes(chance.randrange(900))
        else:
            content = bytearray(chance.choice(good))
            for _ in range(chance.randrange(1, 6)):
                content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            read(bytes(content))
        except UnusableFile as error:
            assert str(error).startswith('"log.csv" ')  # noqa: PT017
