"""Settings read from the environment, in one place."""

from __future__ import annotations

import os
import re
from pathlib import Path

from data.errors import BadOption

DATABASE_FILE = "fairtier.db"
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def byte_count(text: str, name: str) -> int:
    """Bytes in a size such as `500000`, `50 MB` or `1GiB`; units are powers of 1024."""
    match = re.fullmatch(r"\s*(\d+)\s*([KMG]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if match is None:
        raise BadOption(f'{name} reads "{text}". Give a size such as 500000, 50MB or 1GiB.')
    return int(match[1]) * _UNITS[match[2].upper()]


def max_upload_bytes() -> int:
    """The largest file that is read, `FAIRTIER_MAX_UPLOAD`, 1 GiB unless set."""
    return byte_count(os.environ.get("FAIRTIER_MAX_UPLOAD", "1GiB"), "FAIRTIER_MAX_UPLOAD")


def max_unpacked_bytes() -> int:
    """The largest size a spreadsheet may unpack to, `FAIRTIER_MAX_UNPACKED`, 1 GiB unless set."""
    return byte_count(os.environ.get("FAIRTIER_MAX_UNPACKED", "1GiB"), "FAIRTIER_MAX_UNPACKED")


def store_path() -> Path:
    """The store used when no `--store` is given: `FAIRTIER_STORE`, else `var`."""
    return Path(os.environ.get("FAIRTIER_STORE") or "var")


def database_named() -> str:
    """The address of a database in `FAIRTIER_DATABASE`; empty: SQLite in the store."""
    return os.environ.get("FAIRTIER_DATABASE", "")


def has_database(store: Path) -> bool:
    """Whether anybody has made the database of a store yet, or named one."""
    return bool(database_named()) or (store / DATABASE_FILE).exists()
