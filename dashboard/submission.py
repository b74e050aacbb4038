"""Submitting, checking and reading back files in a process of its own.

The functions here are asked of a `checks.worker.Worker`: what is large goes through files in
folders of the store, so that the asking process stays small however large a return is.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.csv
from filelock import FileLock, Timeout

from dashboard.answers import receipt_answer
from dashboard.problems import KINDS, content
from dashboard.service import Service
from data.errors import BadOption, ReturnRefused
from data.filekind import size

if TYPE_CHECKING:
    import datetime as dt

    from data.ledger import Receipt
    from data.scope import Scope

_ANSWER = "answer.json"
_ROWS = "rows.csv"
_MOST_NAME_BYTES = 200
_LOCK = "lock"
_BEGINNING_SECONDS = 60
_held: dict[Path, FileLock] = {}


@dataclass(frozen=True)
class Submission:
    """A file that was received, or a nil return (`file` None), and what is said about it.

    `folder` is where the answer is written; `instance` the path that was asked for.
    """

    store: Path
    scope: Scope
    table: str
    by: str
    folder: Path
    instance: str
    file: Path | None = None
    covers: str | None = None
    received_on: dt.date | None = None


@dataclass(frozen=True)
class Submitted:
    """What became of a submission; `answer` is the file that has the whole of it, as JSON.

    `receipt` is None when the checks refused it.
    """

    answer: Path
    receipt: Receipt | None
    refusal_count: int


def check(asked: Submission) -> Path:
    """Check a file and store nothing: the answer of `fairtier check --json`, as a file."""
    if asked.file is None:
        raise BadOption("Send the file to check.")
    draft = Service(asked.store, asked.scope).examine(
        asked.table, asked.file, by=asked.by, covers=asked.covers, received_on=asked.received_on
    )
    return _written(asked.folder, draft.verdict.answer())


def submit(asked: Submission) -> Submitted:
    """Check a file and record it as a return: the answer of `fairtier submit --json`, as a file.

    Asked twice it records once.
    """
    service = Service(asked.store, asked.scope)
    if asked.file is None:
        draft = service.examine_nil(
            asked.table, by=asked.by, covers=asked.covers, received_on=asked.received_on
        )
    else:
        draft = service.examine(
            asked.table,
            asked.file,
            by=asked.by,
            covers=asked.covers,
            received_on=asked.received_on,
        )
    receipt: Receipt | None = None
    told: dict[str, Any] = {}
    try:
        receipt = service.record(draft)
    except ReturnRefused as refused:
        told = content(KINDS["return-refused"], str(refused), asked.instance)
    answer = draft.verdict.answer() | {
        "effects": list(draft.effects),
        "return": receipt and receipt_answer(receipt),
    }
    refusals = [one for one in draft.verdict.findings if one.severity == "refuse"]
    return Submitted(_written(asked.folder, told | answer), receipt, len(refusals))


def received_rows(store: Path, scope: Scope, return_id: str, folder: Path) -> tuple[Path, int]:
    """The rows of a return as they were received, as a CSV file, and how many there are."""
    _, rows = Service(store, scope).original(return_id)
    path = folder / _ROWS
    pyarrow.csv.write_csv(rows, path)
    return path, rows.num_rows


def _written(folder: Path, answer: dict[str, Any]) -> Path:
    path = folder / _ANSWER
    with path.open("w", encoding="utf-8") as file:
        json.dump(answer, file, ensure_ascii=False, allow_nan=False)
    return path


def plain_name(name: str | None) -> str:
    """A file's name without folders and what cannot be seen; `upload` where nothing is left."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter for letter in last if letter.isprintable()).strip()
    short = shown.encode()[:_MOST_NAME_BYTES].decode(errors="ignore")
    return short if short.strip(".") else "upload"


def new_folder(store: Path) -> Path:
    """A folder of the store that only this process's user can read, for one request."""
    place = _place(store)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=place))
    # Held for as long as this process lives: whoever can take it knows that nobody needs the rest.
    lock = FileLock(folder / _LOCK, thread_local=False)
    lock.acquire()
    _held[folder] = lock
    return folder


def remove_folder(folder: Path) -> None:
    """Take away a folder with all that is in it."""
    lock = _held.pop(folder, None)
    if lock is not None:
        lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def remove_left_behind(store: Path) -> None:
    """Take away folders of requests that ended with their process, however it ended."""
    with contextlib.suppress(OSError):
        for folder in _place(store).iterdir():
            if _is_left_behind(folder):
                remove_folder(folder)


def _is_left_behind(folder: Path) -> bool:
    lock = folder / _LOCK
    if not lock.exists():  # it is just being made, or comes from a version that locked nothing
        return time.time() - folder.stat().st_mtime > _BEGINNING_SECONDS
    try:
        with FileLock(lock, timeout=0):
            return True
    except Timeout:
        return False


def too_large(most_bytes: int) -> str:
    """That a file is larger than may be sent, in a sentence."""
    return f"The file is larger than the limit of {size(most_bytes)}. Split it by months."


def _place(store: Path) -> Path:
    return store / "uploads"
