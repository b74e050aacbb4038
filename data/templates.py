"""Templates and descriptors that people and programs fill in, made from the table declarations."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import xlsxwriter

from data.errors import StoreError
from data.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from data.table import Column, Kind, Table

_FORMATS: dict[Kind, str] = {
    "text": "text",
    "id": "identifier",
    "client_ref": "your own mark for a client",
    "date": "date: 2012-03-31 or 31/03/2012",
    "month": "month: 2012-03",
    "money": "pounds: 1200.00",
    "rate": "rate: 0.15 or 15%",
    "count": "whole number",
    "yes_no": "yes or no",
    "choice": "one of the list",
}
_FIELD_TYPES: dict[Kind, dict[str, str]] = {
    "text": {"type": "string"},
    "id": {"type": "string"},
    "client_ref": {"type": "string"},
    "date": {"type": "date"},
    "month": {"type": "yearmonth"},
    "money": {"type": "number"},
    "rate": {"type": "number"},
    "count": {"type": "integer"},
    "yes_no": {"type": "boolean"},
    "choice": {"type": "string"},
}
_FILLABLE_ROWS = 1_000


def how_to_fill(column: Column) -> str:
    """What may stand in a cell of the column, in words."""
    if column.choices:
        return "one of: " + ", ".join(column.choices)
    return _FORMATS[column.kind]


def csv_template(table: Table) -> bytes:
    """The header and the example row, in UTF-8 with a mark that Excel recognises."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.column_ids)
    writer.writerow(column.example for column in table.columns)
    return text.getvalue().encode("utf-8-sig")


def xlsx_template(table: Table) -> bytes:
    """A workbook: a sheet to fill in, with lists, notes and the example row, and how to fill it."""
    data = io.BytesIO()
    book = xlsxwriter.Workbook(
        data, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    text = book.add_format({"num_format": "@"})
    needed = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1})
    optional = book.add_format({"border": 1})
    example = book.add_format({"num_format": "@", "italic": True, "font_color": "#595959"})
    sheet = book.add_worksheet(table.id)
    for position, column in enumerate(table.columns):
        need = "required" if column.required else "may be left empty"
        if column.empty_means:
            need += f" (empty means: {column.empty_means})"
        note = f"{column.description}\n\n{how_to_fill(column)}; {need}."
        sheet.write_string(0, position, column.id, needed if column.required else optional)
        sheet.write_comment(0, position, note, {"x_scale": 2.2, "y_scale": 1.6})
        sheet.write_string(1, position, column.example, example)
        sheet.set_column(position, position, max(14, len(column.id) + 2), text)
        choices = ("yes", "no") if column.kind == "yes_no" else column.choices
        if choices:
            sheet.data_validation(
                1,
                position,
                _FILLABLE_ROWS,
                position,
                {
                    "validate": "list",
                    "source": list(choices),
                    "error_title": column.id,
                    "error_message": f"Choose {', '.join(choices)}."[:255],
                },
            )
    sheet.freeze_panes(1, 0)
    sheet.write_comment(1, 0, "An example: write over this row or delete it.", {"x_scale": 1.5})
    guide = book.add_worksheet("How to fill in")
    heading = book.add_format({"bold": True})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    for position, (title, width) in enumerate(
        (("Column", 26), ("Needed", 12), ("What it is", 60), ("How to write it", 36))
    ):
        guide.write_string(0, position, title, heading)
        guide.set_column(position, position, width, wrap)
    for row, column in enumerate(table.columns, start=1):
        guide.write_string(row, 0, f"Column {column.id}")
        guide.write_string(row, 1, "yes" if column.required else "no")
        guide.write_string(row, 2, column.description)
        guide.write_string(row, 3, how_to_fill(column))
    book.close()
    return data.getvalue()


def table_schema(table: Table) -> dict[str, Any]:
    """The Frictionless Table Schema descriptor of the table."""
    schema_fields: list[dict[str, Any]] = []
    for column in table.columns:
        constraints: dict[str, Any] = {"required": column.required}
        if column.choices:
            constraints["enum"] = list(column.choices)
        field: dict[str, Any] = {
            "name": column.id,
            **_FIELD_TYPES[column.kind],
            "description": column.description,
            "constraints": constraints,
            "example": column.example,
        }
        if column.kind == "yes_no":
            field |= {"trueValues": ["yes"], "falseValues": ["no"]}
        schema_fields.append(field)
    keys_filled = all(table.column(name).required for name in table.key)
    return {
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "name": table.id,
        "title": table.title,
        "description": f"{table.description} Grain: {table.grain}.",
        "fields": schema_fields,
        **({"primaryKey": list(table.key)} if keys_filled else {"uniqueKeys": [list(table.key)]}),
        "missingValues": [""],
    }


def _schema_text(table: Table) -> bytes:
    return (json.dumps(table_schema(table), indent=2, ensure_ascii=False) + "\n").encode()


TEMPLATES: dict[str, Callable[[Table], bytes]] = {
    ".csv": csv_template,
    ".xlsx": xlsx_template,
    ".schema.json": _schema_text,
}


def write_templates(folder: Path) -> list[Path]:
    """Write the templates and descriptors of every table; StoreError if the folder refuses."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for table in TABLES.values():
            for ending, make in TEMPLATES.items():
                path = folder / f"{table.id}{ending}"
                path.write_bytes(make(table))
                written.append(path)
    except OSError as error:
        raise StoreError(
            f'The templates cannot be written to "{folder}": {error.strerror}. '
            "Name a folder that you may write to."
        ) from error
    return written
