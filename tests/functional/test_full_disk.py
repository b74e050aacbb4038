"""A real file system that is really full."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from data.errors import StoreError
from data.ledger import Ledger
from data.read import read_content
from data.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("needs Linux and `mount` to make a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"this account may not mount a file system: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_refuses_the_return_and_harms_nothing(small_disk):
    table = TABLES["organisations"]
    rows = "".join(f"ID-{number},Example {number},voluntary\n" for number in range(2000))
    sheet = read_content(f"organisation_id,name,sector\n{rows}".encode(), table, "file.csv")
    ledger = Ledger(small_disk / "store")

    def record(reporter_id: str) -> None:
        ledger.record(
            table, sheet, reporter_id=reporter_id, months=(), received_on=dt.date(2012, 1, 1)
        )

    record("FIRST")
    before = ledger.returns()
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            continue
    with pytest.raises(StoreError, match=r"is full\. Nothing was recorded"):
        record("SECOND")
    filler.unlink()
    assert ledger.returns() == before
    assert ledger.verify().faults == ()
    record("SECOND")
    assert len(ledger.returns()) == 2
