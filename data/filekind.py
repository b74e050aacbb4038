"""What a file is, judged by its content and never by its name."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Literal

from data.errors import UnusableFile
from data.settings import max_unpacked_bytes

FileKind = Literal["text", "xlsx", "xls", "ods"]

LOCKED = "is protected with a password. Save a copy without the password and upload that."
DAMAGED = "is damaged or was not uploaded whole. Save it again and upload that."
_SAVE_TABLE = "Open it in a spreadsheet program and save the table as XLSX or CSV."
_UNPACK = "Unpack it and upload the table inside."
_EXPORT = "Export the table as CSV or XLSX and upload that."

_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", _EXPORT),
    (b"\x1f\x8b", "compressed with gzip", _UNPACK),
    (b"BZh", "compressed with bzip2", _UNPACK),
    (b"\xfd7zXZ", "compressed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"\x89PNG", "a picture", _EXPORT),
    (b"\xff\xd8\xff", "a picture", _EXPORT),
    (b"GIF8", "a picture", _EXPORT),
    (b"II*\x00", "a picture", _EXPORT),
    (b"MM\x00*", "a picture", _EXPORT),
    (b"PAR1", "a Parquet file", _EXPORT),
    (b"ARROW1", "an Arrow file", _EXPORT),
    (b"SQLite format 3", "a database", _EXPORT),
    (b"\x00\x01\x00\x00Standard ", "an Access database", _EXPORT),
    (rb"{\rtf", "a text document (RTF)", _SAVE_TABLE),
    (b"\x09\x00\x04\x00", "a workbook of Excel 4 or older", _SAVE_TABLE),
    (b"\x09\x02\x06\x00", "a workbook of Excel 4 or older", _SAVE_TABLE),
    (b"\x09\x04\x06\x00", "a workbook of Excel 4 or older", _SAVE_TABLE),
)
_HTML = re.compile(
    rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|table|div|p)\b", re.I | re.S
)
_XML = re.compile(rb"\s*<(\?xml|!doctype)\b", re.I)
_JSON = re.compile(rb'\s*(\{\s*["}]|\[\s*(["\[{\]]|-?\d|true|false|null))')
_CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_ZIP_CONTENTS: tuple[tuple[str, str], ...] = (
    ("xl/workbook.bin", "a binary Excel workbook (XLSB)"),
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint presentation"),
    ("index/", "an Apple Numbers or Pages document"),
)
_CONTROL = bytes({*range(9), *range(14, 32), 127} - {0x1A, 0x1B})


def file_kind(data: bytes) -> FileKind:
    """Which reader the bytes need; UnusableFile, naming what they are, if there is none."""
    if not data:
        raise UnusableFile("is empty. Export it again and upload that.")
    if data.startswith(_CFB):
        return _compound(data)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(data)
    for beginning, what, remedy in _BEGINNINGS:
        if data.startswith(beginning):
            raise UnusableFile(f"is {what}, not a table. {remedy}")
    _refuse_markup(data[:65_536].removeprefix(b"\xef\xbb\xbf"))
    return "text"


def _refuse_markup(head: bytes) -> None:
    if b"\0" in head:  # perhaps UTF-16, in which markup can be read once the NULs are gone
        head = head.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").replace(b"\0", b"")
    if _HTML.match(head):
        raise UnusableFile(f"is a web page (HTML), not a table. {_SAVE_TABLE}")
    if _XML.match(head):
        html = re.search(rb"<html\b", head, re.I)
        what = "a web page (HTML)" if html else "an XML file"
        raise UnusableFile(f"is {what}, not a table. {_SAVE_TABLE}")
    if _JSON.match(head):
        raise UnusableFile(f"is a JSON file, not a table. {_EXPORT}")


def refuse_binary(data: bytes) -> None:
    """UnusableFile if bytes said to be text hold NUL or many control characters."""
    head = data[:65_536]
    if b"\0" in data:
        row = len(re.findall(rb"\r\n|\r|\n", data[: data.index(b"\0")])) + 1
        if head.count(b"\0") < 10:
            raise UnusableFile(
                f"holds a NUL character in line {row}, which no table has. "
                "Export it again and upload that."
            )
        raise UnusableFile(f"is a binary file, not a table. {_EXPORT}")
    control_count = len(head) - len(head.translate(None, _CONTROL))
    if control_count > max(32, 0.1 * len(head)):
        raise UnusableFile(f"is a binary file, not a table. {_EXPORT}")


def _compound(data: bytes) -> FileKind:
    """An old Office file: XLS, or something else, or a newer workbook behind a password."""
    if "EncryptedPackage".encode("utf-16-le") in data or _is_locked(data):
        raise UnusableFile(LOCKED)
    if "Book".encode("utf-16-le") in data or "book".encode("utf-16-le") in data:
        return "xls"
    raise UnusableFile(f"is an Office file, but not a workbook. {_EXPORT}")


def _is_locked(data: bytes) -> bool:
    """Whether a FILEPASS record follows the beginning of the workbook's record stream."""
    for beginning in re.finditer(rb"\x09\x08[\x08\x10]\x00\x00[\x05\x06]\x05\x00", data):
        position = beginning.start()
        while position < min(len(data) - 4, beginning.start() + 512):
            if data[position : position + 2] == b"\x2f\x00":
                return True
            position += 4 + int.from_bytes(data[position + 2 : position + 4], "little")
    return False


def _zip(data: bytes) -> FileKind:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise UnusableFile(DAMAGED) from None
    with archive:
        members = archive.infolist()
        refuse_large(sum(member.file_size for member in members))
        if any(member.flag_bits & 1 for member in members):
            raise UnusableFile(LOCKED)
        names = {member.filename.lower().replace("\\", "/"): member.filename for member in members}
        if _beginning(archive, names.get("mimetype")).startswith(_ODS):
            if b"encryption-data" in _beginning(archive, names.get("meta-inf/manifest.xml")):
                raise UnusableFile(LOCKED)
            return "ods"
    for part, what in _ZIP_CONTENTS:
        if any(name.startswith(part) for name in names):
            raise UnusableFile(f"is {what}, which we do not read. {_SAVE_TABLE}")
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    raise UnusableFile(f"is a ZIP archive, not a table. {_UNPACK}")


def _beginning(archive: zipfile.ZipFile, name: str | None) -> bytes:
    if name is None:
        return b""
    with archive.open(name) as member:
        return member.read(1 << 20)


def refuse_large(unpacked_bytes: int) -> None:
    """UnusableFile if a spreadsheet unpacks to more than `max_unpacked_bytes`."""
    limit = max_unpacked_bytes()
    if unpacked_bytes > limit:
        raise UnusableFile(
            f"unpacks to {size(unpacked_bytes)}, more than the {size(limit)} we unpack. "
            "Save the table alone, or as CSV."
        )


def size(count: int) -> str:
    """A number of bytes for people: `12 bytes`, `3.5 MiB`."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.{0 if unit == 'bytes' else 1}f} {unit}".replace(".0 ", " ")
        amount /= 1024
    return f"{amount:.1f} GiB".replace(".0 ", " ")
