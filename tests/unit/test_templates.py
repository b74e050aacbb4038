"""Templates, descriptors and settings, from the declarations of the tables."""

from __future__ import annotations

import csv
import io
import json

import pytest
from openpyxl import load_workbook

from data.errors import BadOption, StoreError, UnknownTable
from data.read import read_content, read_file
from data.settings import byte_count, max_unpacked_bytes, max_upload_bytes, store_path
from data.tables import TABLES, table_named
from data.templates import csv_template, table_schema, write_templates, xlsx_template

EACH = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@EACH
def test_the_csv_template_has_the_columns_and_the_example_row(table):
    rows = list(csv.reader(io.StringIO(csv_template(table).decode("utf-8-sig"))))
    assert rows == [list(table.column_ids), [column.example for column in table.columns]]


@EACH
def test_every_column_has_an_example(table):
    assert all(column.example for column in table.columns)


@EACH
def test_the_workbook_has_lists_notes_and_guidance(table):
    book = load_workbook(io.BytesIO(xlsx_template(table)))
    sheet, guide = book.worksheets
    assert [cell.value for cell in sheet[1]] == list(table.column_ids)
    assert all(cell.comment for cell in sheet[1])
    listed = {
        str(rule.sqref).split("1")[0].split("2")[0]: rule.formula1
        for rule in sheet.data_validations.dataValidation
    }
    with_lists = [c for c in table.columns if c.choices or c.kind == "yes_no"]
    assert len(listed) == len(with_lists)
    for column in with_lists:
        assert any((column.choices or ("yes", "no"))[0] in formula for formula in listed.values())
    assert guide.max_row == len(table.columns) + 1


@EACH
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_template_can_be_read_back(table, ending, tmp_path):
    write_templates(tmp_path)
    sheet = read_file(tmp_path / f"{table.id}.{ending}", table)
    assert set(sheet.headers) == set(table.column_ids)
    assert sheet.extras == ()


@EACH
def test_the_descriptor_names_every_column_with_its_type(table):
    schema = table_schema(table)
    assert [field["name"] for field in schema["fields"]] == list(table.column_ids)
    assert {"primaryKey", "uniqueKeys"} & set(schema)
    required = {f["name"] for f in schema["fields"] if f["constraints"]["required"]}
    assert required == set(table.required_ids)
    assert json.dumps(schema)


def test_the_descriptor_never_asks_for_a_key_that_may_be_empty():
    assert "uniqueKeys" in table_schema(TABLES["prices"])
    assert table_schema(TABLES["contracts"])["primaryKey"] == ["contract_id"]


def test_a_folder_that_refuses_is_said_so(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write_templates(tmp_path / "taken")


def test_the_seven_tables():
    assert list(TABLES) == [
        "organisations", "contracts", "agreements", "prices", "forecasts", "referrals", "payments",
    ]  # fmt: skip
    assert table_named(" Referrals ").id == "referrals"
    with pytest.raises(UnknownTable, match="Did you mean payments"):
        table_named("payment")
    with pytest.raises(UnknownTable, match="The tables are"):
        table_named("xyz")
    with pytest.raises(KeyError):
        TABLES["prices"].column("nothing")


@pytest.mark.parametrize(
    ("text", "count"), [("500", 500), ("2K", 2048), ("1 MiB", 1 << 20), ("1gb", 1 << 30)]
)
def test_sizes(text, count):
    assert byte_count(text, "X") == count


def test_a_size_that_is_none_is_an_error():
    with pytest.raises(BadOption, match="FAIRTIER_MAX_UPLOAD"):
        byte_count("big", "FAIRTIER_MAX_UPLOAD")


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("FAIRTIER_MAX_UPLOAD", "5MB")
    monkeypatch.setenv("FAIRTIER_MAX_UNPACKED", "6MB")
    monkeypatch.setenv("FAIRTIER_STORE", str(tmp_path))
    assert (max_upload_bytes(), max_unpacked_bytes()) == (5 << 20, 6 << 20)
    assert store_path() == tmp_path
    monkeypatch.delenv("FAIRTIER_STORE")
    assert str(store_path()) == "var"


@EACH
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_example_row_is_left_out_with_a_notice(table, ending, tmp_path):
    write_templates(tmp_path)
    sheet = read_file(tmp_path / f"{table.id}.{ending}", table)
    assert sheet.rows.num_rows == 0
    assert "example of the template: row 2" in sheet.notices[-1]


def test_a_row_that_differs_from_the_example_is_kept():
    table = TABLES["prices"]
    content = csv_template(table) + csv_template(table).splitlines()[1].replace(b"1200", b"1201")
    sheet = read_content(content, table, "prices.csv")
    assert sheet.rows["row_number"].to_pylist() == [3]
