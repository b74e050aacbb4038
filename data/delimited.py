"""CSV and TSV: which encoding and separator, and then every cell as text."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv

from data.errors import UnusableFile
from data.filekind import DAMAGED, refuse_binary
from data.grid import MAX_CELL_CHARACTERS, Grid, skipped_notice, too_long, too_wide
from data.header import SEARCHED_ROWS, Place, find_header, header_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.table import Table

SEPARATORS = ",;\t|"
_HEAD_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 20
_LARGE_BLOCK_BYTES = 1 << 28
_MAX_HEADER_CELLS = 16_384
_UNDEFINED_IN_WINDOWS_1252 = b"\x81\x8d\x8f\x90\x9d"
_ENCODING_NAMES = {
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
}


@dataclass(frozen=True)
class _Record:
    cells: list[str]
    end: int  # of the record, in bytes from the beginning of the file


def read_delimited(data: bytes, table: Table) -> Grid:
    """The cells of a CSV or TSV file; UnusableFile if it is not one."""
    encoding, start = _encoding(data)
    separator, records = _layout(data, start, encoding, table)
    place = header_in([record.cells for record in records], table)
    header = tuple(records[place.index].cells)
    if len(header) > _MAX_HEADER_CELLS:
        raise UnusableFile(too_wide())
    header_row = place.index + 1
    notices = []
    if encoding in _ENCODING_NAMES:
        notices.append(f"The file is not in UTF-8; it was read as {_ENCODING_NAMES[encoding]}.")
    if any(any(record.cells) for record in records[: place.index]):
        notices.append(skipped_notice(header_row))
    body = _Body(data, records[place.index].end, encoding, separator, header, header_row)
    rows, ragged = body.read()
    return Grid(header, header_row, rows, ragged, tuple(notices))


def _encoding(data: bytes) -> tuple[str, int]:
    """The codec of the text and where it begins; the whole of the text is known to decode."""
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return _checked_utf16(data, codec), len(mark)
    sample = data[:4096]
    for codec, text, nul in (("utf-16-le", 0, 1), ("utf-16-be", 1, 0)):
        nuls = sample[nul::2].count(0)
        if nuls > 0.4 * len(sample[nul::2]) and sample[text::2].count(0) < 0.05 * nuls:
            return _checked_utf16(data, codec), 0
    refuse_binary(data)
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    if _decodes(data, "utf-8"):
        return "utf-8", start
    defined = not any(byte in data for byte in _UNDEFINED_IN_WINDOWS_1252)
    return ("cp1252" if defined else "latin-1"), start


def _checked_utf16(data: bytes, codec: str) -> str:
    if not _decodes(data, codec):
        raise UnusableFile(DAMAGED)
    return codec


def _decodes(data: bytes, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    view = memoryview(data)
    try:
        for position in range(0, len(data), _HEAD_BYTES):
            text = decoder.decode(view[position : position + _HEAD_BYTES])
            if "\0" in text:
                refuse_binary(text.encode())
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _layout(data: bytes, start: int, encoding: str, table: Table) -> tuple[str, list[_Record]]:
    """The separator under which the header matches best, and the first records read with it."""
    best: tuple[tuple[int, int], str, list[_Record]] | None = None
    for separator in SEPARATORS:
        records = _first_records(data, start, encoding, separator)
        place = find_header([record.cells for record in records], table) or Place(0, 0)
        widths = Counter(len(record.cells) for record in records if any(record.cells))
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        merit = (place.recognised_count, width if 2 * count >= widths.total() else 1)
        if best is None or merit > best[0]:
            best = (merit, separator, records)
    assert best is not None  # noqa: S101 - there are separators
    if not best[2] and len(data) > start:
        raise UnusableFile(
            "has a first row that goes on without end. Put the header in row 1 and save it again."
        )
    return best[1], best[2]


def _lines(data: bytes, start: int, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data[start:]), encoding, errors="replace", newline="")


def _first_records(data: bytes, start: int, encoding: str, separator: str) -> list[_Record]:
    head = data[: start + _HEAD_BYTES]
    end = start

    def counted() -> Iterator[str]:
        nonlocal end
        for line in _lines(head, start, encoding):
            end += len(line.encode(encoding))
            yield line

    records: list[_Record] = []
    try:
        for cells in csv.reader(counted(), delimiter=separator):
            records.append(_Record(cells, end))
            if len(records) == SEARCHED_ROWS:
                return records
    except csv.Error:  # a cell beyond all measure: the body is refused for it, if nothing else
        return records
    return records[:-1] if len(head) < len(data) else records  # the last one is cut off


@dataclass(frozen=True)
class _Body:
    """The rows below the header, from byte `start` on."""

    data: bytes
    start: int
    encoding: str
    separator: str
    header: tuple[str, ...]
    header_row: int

    def read(self) -> tuple[pa.Table, tuple[tuple[int, int, int], ...]]:
        """The rows with their numbers, and the ragged ones (number, expected, actual)."""
        if self.start >= len(self.data):
            return self._numbered(self._no_rows(), np.arange(0)), ()
        invalid: list[tuple[int, int, str]] = []
        try:
            rows = self._parsed()
        except pa.ArrowInvalid as error:
            if "Expected" not in str(error):
                raise
            rows = self._parsed(invalid)
        count = rows.num_rows + len(invalid)
        numbers = np.delete(np.arange(1, count + 1), [number - 1 for number, _, _ in invalid])
        kept, ragged = self._sorted_out(invalid)
        if invalid and invalid[-1][0] == count:
            last_cell = "".join(self._cells(invalid[-1][2])[-1:])
        else:
            last_cell = rows.column(len(self.header) - 1)[-1].as_py() or ""
        self._refuse_open_quotation(last_cell, count)
        numbered = self._numbered(rows, numbers)
        if kept:
            numbered = pa.concat_tables([numbered, self._mended(kept)]).sort_by("row_number")
        return numbered, ragged

    def _mended(self, kept: dict[int, list[str]]) -> pa.Table:
        cells = {
            str(position): pa.array([row[position] or None for row in kept.values()], pa.string())
            for position in range(len(self.header))
        }
        return self._numbered(pa.table(cells), np.array(list(kept)))

    def _no_rows(self) -> pa.Table:
        return pa.table(
            {str(position): pa.array([], pa.string()) for position in range(len(self.header))}
        )

    def _numbered(self, rows: pa.Table, numbers: np.ndarray) -> pa.Table:
        return rows.add_column(0, "row_number", pa.array(numbers + self.header_row, pa.int64()))

    def _parsed(self, invalid: list[tuple[int, int, str]] | None = None) -> pa.Table:
        """The rows; those with another number of cells raise, or go to `invalid` if given."""
        try:
            return self._parsed_by(_BLOCK_BYTES, invalid)
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error):
                raise
        self._refuse_long_cell()
        if invalid is not None:
            invalid.clear()
        return self._parsed_by(_LARGE_BLOCK_BYTES, invalid)

    def _parsed_by(self, block_bytes: int, invalid: list[tuple[int, int, str]] | None) -> pa.Table:
        names = [str(position) for position in range(len(self.header))]

        def set_aside(row: pyarrow.csv.InvalidRow) -> str:
            assert invalid is not None  # noqa: S101 - else this is no handler
            invalid.append((row.number, row.actual_columns, row.text))
            return "skip"

        return pyarrow.csv.read_csv(
            pa.BufferReader(pa.py_buffer(self.data).slice(self.start)),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=invalid is None,  # only a serial reader knows the numbers of rows
                block_size=block_bytes,
                column_names=names,
                encoding=self.encoding,
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self.separator,
                newlines_in_values=b'"' in self.data,
                ignore_empty_lines=False,
                invalid_row_handler=None if invalid is None else set_aside,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )

    def _sorted_out(
        self, invalid: list[tuple[int, int, str]]
    ) -> tuple[dict[int, list[str]], tuple[tuple[int, int, int], ...]]:
        """Rows with another number of cells: those that lack or add only blanks, and the ragged.

        Returns the cells of the former by their number below the header.
        """
        width = len(self.header)
        named = max(n for n, cell in enumerate(self.header, 1) if cell.strip())
        kept: dict[int, list[str]] = {}
        ragged = []
        for number, actual_count, text in invalid:
            cells = self._cells(text)
            filled = max((n for n, cell in enumerate(cells, 1) if cell.strip()), default=0)
            if filled == 0 or (filled <= width and len(cells) >= named):
                kept[number] = (cells + [""] * width)[:width]
            else:
                ragged.append((number + self.header_row, width, actual_count))
        return kept, tuple(ragged)

    def _cells(self, text: str) -> list[str]:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=self.separator), [])

    def _refuse_open_quotation(self, last_cell: str, number: int) -> None:
        """UnusableFile if the last cell of the file holds new lines and no mark closes it."""
        closed = self.data[-64:].rstrip(b"\r\n\0").endswith(b'"')
        if not closed and ("\n" in last_cell or "\r" in last_cell):
            raise UnusableFile(
                f"has a quotation mark in row {number + self.header_row} that is never closed, so "
                "the rest of the file reads as one cell. Close it or delete it."
            )

    def _refuse_long_cell(self) -> None:
        """UnusableFile naming the first row with a cell that is too long, if there is one."""
        number = self.header_row
        try:
            for cells in csv.reader(
                _lines(self.data, self.start, self.encoding), delimiter=self.separator
            ):
                number += 1
                if any(len(cell) > MAX_CELL_CHARACTERS for cell in cells):
                    raise UnusableFile(too_long(number))
        except csv.Error:
            raise UnusableFile(too_long(number + 1)) from None
