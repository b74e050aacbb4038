"""Where a workbook's formulas failed: cells the reader of values gives as empty or 0."""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from data.errors import UnusableFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

Errors = dict[tuple[int, int], str]  # text by row and column, counted from 0

_LIKELY = {
    "xlsx": re.compile(rb"""\bt\s*=\s*["']e["']"""),
    "ods": re.compile(rb"""value-type\s*=\s*["']error["']|>(#[A-Z]|Err:[0-9])"""),
}
_ERROR_TEXT = re.compile(r"#(REF!|N/A|DIV/0!|VALUE!|NAME\?|NUM!|NULL!)|Err:\d+")
_FREE = 0xFFFFFFFA  # sector numbers from here on mean an end or a special use
_BOF, _EOF, _BOUNDSHEET, _FORMULA, _BOOLERR = 0x0809, 0x000A, 0x0085, 0x0006, 0x0205
_XLS_TEXTS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}


def likely_in(chunk: bytes, kind: str) -> bool:
    """Whether a piece of an XLSX or ODS part can hold a formula error."""
    return _LIKELY[kind].search(chunk) is not None


def in_sheet(data: bytes, kind: str, sheet_name: str) -> Errors:
    """The formula errors of one sheet of a workbook (`xlsx`, `ods` or `xls`)."""
    if kind == "xls":
        return _in_xls(data, sheet_name)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if kind == "xlsx":
            return _in_xlsx(archive, sheet_name)
        return _in_ods(archive, sheet_name)


def _walk(
    part: IO[bytes],
    start: Callable[[str, dict[str, str]], Any],
    end: Callable[[str], Any] | None = None,
    text: Callable[[str], Any] | None = None,
) -> None:
    """Call back for each element of an XML part, by its local name.

    Attributes are named as in the part, a namespace before them with a space between.
    """

    def refuse(*_: Any) -> None:
        raise UnusableFile(
            "contains XML entities, which no spreadsheet program writes. Save it again as XLSX."
        )

    def local(name: str) -> str:
        return name.rpartition(" ")[2]

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(local(name), attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(local(name))
    parser.CharacterDataHandler = text
    parser.ParseFile(part)


def _value(attributes: dict[str, str], name: str) -> str:
    """The attribute of that name in any namespace; empty if there is none."""
    return next((v for key, v in attributes.items() if key.rpartition(" ")[2] == name), "")


def _in_xlsx(archive: zipfile.ZipFile, sheet_name: str) -> Errors:
    relations: dict[str, str] = {}
    targets: dict[str, str] = {}

    def note_sheet(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            relations[attributes["name"]] = _value(attributes, "id")

    def note_target(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            targets[attributes["Id"]] = attributes["Target"]

    names = {name.lower(): name for name in archive.namelist()}
    with archive.open(names["xl/workbook.xml"]) as part:
        _walk(part, note_sheet)
    with archive.open(names["xl/_rels/workbook.xml.rels"]) as part:
        _walk(part, note_target)
    path = posixpath.normpath(posixpath.join("/xl", targets[relations[sheet_name]]))
    errors: Errors = {}
    row = column = -1
    failed = False
    texts: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, failed
        if name == "row":
            row = int(attributes["r"]) - 1 if "r" in attributes else row + 1
            column = -1
        elif name == "c":
            row, column = _place(attributes.get("r"), row, column + 1)
            failed = attributes.get("t") == "e"
            texts.clear()
        elif name == "v":
            texts.clear()

    def end(name: str) -> None:
        nonlocal failed
        if name == "c" and failed:
            errors[row, column] = "".join(texts).strip() or "#N/A"
            failed = False

    def text(characters: str) -> None:
        if failed:
            texts.append(characters)

    with archive.open(names[path.lstrip("/").lower()]) as part:
        _walk(part, start, end, text)
    return errors


def _place(reference: str | None, row: int, column: int) -> tuple[int, int]:
    match = re.fullmatch(r"([A-Za-z]+)([0-9]+)", reference or "")
    if match is None:
        return row, column
    number = 0
    for letter in match[1].upper():
        number = number * 26 + ord(letter) - 64
    return int(match[2]) - 1, number - 1


def _in_ods(archive: zipfile.ZipFile, sheet_name: str) -> Errors:
    errors: Errors = {}
    in_sheet_now = False
    row = column = 0
    rows_repeated = cells_repeated = 1
    may_fail = failed = False
    texts: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal in_sheet_now, row, column, rows_repeated, cells_repeated, may_fail, failed
        if name == "table":
            in_sheet_now = _value(attributes, "name") == sheet_name
            row = 0
        elif name == "table-row":
            rows_repeated = int(_value(attributes, "number-rows-repeated") or 1)
            column = 0
        elif name in ("table-cell", "covered-table-cell"):
            cells_repeated = int(_value(attributes, "number-columns-repeated") or 1)
            failed = "error" in attributes.values()
            may_fail = failed or _value(attributes, "formula") != ""
            texts.clear()

    def end(name: str) -> None:
        nonlocal row, column, may_fail
        if name == "table-row":
            row += rows_repeated
        elif name in ("table-cell", "covered-table-cell"):
            shown = "".join(texts).strip()
            if in_sheet_now and may_fail and (failed or _ERROR_TEXT.fullmatch(shown)):
                errors.update(
                    {
                        (row + down, column + right): shown or "#N/A"
                        for down in range(min(rows_repeated, 1000))
                        for right in range(min(cells_repeated, 100))
                    }
                )
            column += cells_repeated
            may_fail = False

    def text(characters: str) -> None:
        if may_fail:
            texts.append(characters)

    with archive.open("content.xml") as part:
        _walk(part, start, end, text)
    return errors


def _in_xls(data: bytes, sheet_name: str) -> Errors:
    """The errors of a sheet of an Excel 97 to 2003 workbook; none where it cannot be followed."""
    errors: Errors = {}
    try:
        stream = _xls_stream(data)
        for kind, record in _xls_records(stream, _xls_sheet_start(stream, sheet_name)):
            if kind == _BOOLERR and record[7]:
                errors[struct.unpack_from("<HH", record)] = _XLS_TEXTS.get(record[6], "#N/A")
            elif kind == _FORMULA and record[12:14] == b"\xff\xff" and record[6] == 2:
                errors[struct.unpack_from("<HH", record)] = _XLS_TEXTS.get(record[8], "#N/A")
    except (struct.error, LookupError, ValueError):
        return {}
    return errors


def _xls_sheet_start(stream: bytes, sheet_name: str) -> int:
    for kind, record in _xls_records(stream, 0):
        if kind == _BOUNDSHEET:
            characters = record[8:]
            wide = record[7] & 1
            if characters.decode("utf-16-le" if wide else "latin-1") == sheet_name:
                return int.from_bytes(record[:4], "little")
    raise LookupError(sheet_name)


def _xls_records(stream: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    """The records (kind, content) from a position to the end of that sheet, charts included."""
    depth = 0
    while position + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, position)
        yield kind, stream[position + 4 : position + 4 + size]
        position += 4 + size
        depth += (kind == _BOF) - (kind == _EOF)
        if depth == 0:
            return


def _xls_stream(data: bytes) -> bytes:
    """The workbook's stream of records, put together from the sectors of the compound file."""
    (shift,) = struct.unpack_from("<H", data, 30)
    if shift not in (9, 12):
        raise ValueError(shift)
    sector_bytes = 1 << shift
    sector_count = len(data) // sector_bytes
    (first_directory,) = struct.unpack_from("<I", data, 48)
    first_table, table_count = struct.unpack_from("<II", data, 68)

    def sector(number: int) -> bytes:
        return data[(number + 1) * sector_bytes : (number + 2) * sector_bytes]

    def numbers(block: bytes) -> tuple[int, ...]:
        return struct.unpack(f"<{len(block) // 4}I", block[: len(block) // 4 * 4])

    allocation = list(numbers(data[76:512]))
    for _ in range(min(table_count, sector_count)):
        *more, first_table = numbers(sector(first_table))
        allocation += more
    blocks = [block for block in allocation if block < sector_count]
    blocks = blocks[: sector_count * 4 // sector_bytes + 1]
    following = [n for block in blocks for n in numbers(sector(block))]

    def chain(number: int) -> bytes:
        pieces: list[bytes] = []
        while number < _FREE and len(pieces) < len(following):
            pieces.append(sector(number))
            number = following[number]
        return b"".join(pieces)

    directory = chain(first_directory)
    for position in range(0, len(directory), 128):
        entry = directory[position : position + 128]
        name = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le")
        if name == "Workbook":
            start, size = struct.unpack_from("<II", entry, 116)
            return chain(start)[:size]
    raise LookupError("Workbook")
