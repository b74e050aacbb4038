"""A release written to a directory: whole or not at all.

It is written beside and takes the directory's place when it is whole. A release of ours that
stands there makes way; anything else is left as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dashboard.exports import csv_bytes
from dashboard.open_data.cells import csv_cell
from dashboard.open_data.changes import (
    DESCRIPTOR,
    Earlier,
    changes,
    changes_table,
    columns_changed,
    read_earlier,
    record_of,
)
from dashboard.open_data.descriptors import package, resource, sha256, table_schema
from dashboard.open_data.documents import changelog, method, readme
from dashboard.open_data.ocds import PLACEHOLDER_PREFIX, check_prefix, ocds_bytes, ocds_package
from dashboard.open_data.page import page_html
from data.errors import BadOption, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dashboard.open_data.release import OpenRelease, OpenTable

JSON_ENDING = "-json"


@dataclass(frozen=True)
class Written:
    """What was written: `sha256` is the hash of `datapackage.json`, and so of every file.

    `already` says that this very release stood there and nothing was done.
    """

    release_id: str
    compared_with: str | None
    files: tuple[str, ...]
    sha256: str
    hidden_count: int
    change_count: int
    already: bool = False


def table_csv(table: OpenTable) -> bytes:
    """The table as CSV in UTF-8, with a mark that Excel recognises; no cell runs as a formula."""
    rows = (
        [csv_cell(field, cell) for field, cell in zip(table.fields, row, strict=True)]
        for row in table.rows
    )
    return csv_bytes(table.field_ids, rows)


def table_json(table: OpenTable) -> bytes:
    """The table as a JSON list of objects, one row a line."""
    lines = [json.dumps(record_of(table, row), ensure_ascii=False) for row in table.rows]
    return ("[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n").encode()


def package_files(
    release: OpenRelease,
    earlier: Earlier | None = None,
    *,
    ocid_prefix: str = PLACEHOLDER_PREFIX,
    address: str = "",
) -> dict[str, bytes]:
    """Every file of the package by its path; the same release always makes the same bytes."""
    check_prefix(ocid_prefix)
    found = changes(earlier, release) if earlier else ()
    columns = columns_changed(earlier, release) if earlier else ()
    if earlier:
        release = replace(release, tables=(*release.tables, changes_table(found, earlier)))
    files: dict[str, bytes] = {}
    resources = []
    for table in release.tables:
        schema = table_schema(table, release)
        path, twin = f"data/{table.id}.csv", f"data/{table.id}.json"
        files[path], files[twin] = table_csv(table), table_json(table)
        files[f"schemas/{table.id}.schema.json"] = (
            json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        ).encode()
        told = {"title": table.title, "description": table.description}
        resources += [
            resource(table.id, path, files[path], type="table", **told, schema=schema),
            resource(f"{table.id}{JSON_ENDING}", twin, files[twin], **told),
        ]
    if release.rows_of("contracts"):
        files["ocds.json"] = ocds_bytes(
            ocds_package(
                release,
                ocid_prefix,
                f"{address.rstrip('/')}/ocds.json" if address else "",
                {str(row["contract_id"]) for row in earlier.rows.get("contracts", ())}
                if earlier
                else (),
            )
        )
        title = "The contracts in the Open Contracting Data Standard 1.1"
        resources.append(resource("ocds", "ocds.json", files["ocds.json"], title=title))
    files["README.md"] = readme(release, "ocds.json" in files).encode()
    files["METHOD.md"] = method(release).encode()
    files["CHANGELOG.md"] = changelog(release, earlier, found, columns).encode()
    sizes = {path: len(content) for path, content in files.items()}
    files["index.html"] = page_html(release, found, earlier, sizes).encode()
    files[DESCRIPTOR] = package(release, resources, files)
    return files


def write_package(
    release: OpenRelease,
    folder: Path,
    *,
    previous: Path | None = None,
    ocid_prefix: str = PLACEHOLDER_PREFIX,
    address: str = "",
    patience_seconds: float = 10.0,
) -> Written:
    """Write a release to a folder, with what changed since the one before.

    The one before is the release that stands in the folder, or in `previous`. A release that
    stands there under its own name is left as it is, unless rows are gone from it. BadOption where
    that one says something else, or what is in the folder is not Fairtier's to replace; StoreError
    where it cannot be written.
    """
    place = folder.resolve()
    if not place.name:
        raise BadOption(f'"{folder}" is not a folder of its own. Name one for the release.')
    with _writing(folder):
        place.parent.mkdir(parents=True, exist_ok=True)
        with _turn(place, patience_seconds):
            _put_back(place)
            standing = _standing(folder, place)
            earlier = standing if previous is None else read_earlier(previous)
            if standing and standing.release_id == release.release_id:
                if not _says_less(release, standing):
                    return _already(release, place, standing)
                earlier = standing
            files = package_files(release, earlier, ocid_prefix=ocid_prefix, address=address)
            _swap(files, place)
    change_count = len(changes(earlier, release)) if earlier else 0
    return Written(
        release_id=release.release_id,
        compared_with=earlier.release_id if earlier else None,
        files=tuple(sorted(files)),
        sha256=sha256(files[DESCRIPTOR]).removeprefix("sha256:"),
        hidden_count=release.hidden().total(),
        change_count=change_count,
    )


def _standing(folder: Path, place: Path) -> Earlier | None:
    """The release that stands in the folder; None where there is nothing."""
    if place.is_dir():
        return read_earlier(folder) if any(place.iterdir()) else None
    if place.exists():
        raise BadOption(f'"{folder}" is a file. Name a folder for the release.')
    return None


def _says_less(release: OpenRelease, standing: Earlier) -> bool:
    """Whether a release only lacks rows that stand there under its name; BadOption if it differs.

    So a release goes on without a contract that has become confidential since.
    """
    found = changes(standing, release)
    if columns_changed(standing, release) or any(one.kind != "removed" for one in found):
        raise BadOption(
            f"The release {release.release_id} stands there already and says something else. A "
            "release that was published is not changed: make a new one."
        )
    return bool(found)


def _already(release: OpenRelease, place: Path, standing: Earlier) -> Written:
    return Written(
        release_id=release.release_id,
        compared_with=None,
        files=tuple(sorted({*standing.files, DESCRIPTOR})),
        sha256=sha256((place / DESCRIPTOR).read_bytes()).removeprefix("sha256:"),
        hidden_count=release.hidden().total(),
        change_count=0,
        already=True,
    )


def _aside(place: Path) -> Path:
    return place.with_name(f".{place.name}.replaced")


@contextlib.contextmanager
def _turn(place: Path, patience_seconds: float) -> Iterator[None]:
    """One process at a time writes to a folder."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only where something is written

    lock = FileLock(place.with_name(f".{place.name}.lock"), timeout=patience_seconds)
    try:
        lock.acquire()
    except Timeout as error:
        raise BadOption(
            f'Another command is writing to "{place}". Wait until it has ended, and try again.'
        ) from error
    try:
        yield
    finally:
        lock.release()


def _put_back(place: Path) -> None:
    """Undo what a command that was stopped between two steps left behind."""
    for draft in place.parent.glob(f".{place.name}.*.part"):
        shutil.rmtree(draft)
    aside = _aside(place)
    if aside.is_dir():
        if place.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(place)


def _swap(files: Mapping[str, bytes], place: Path) -> None:
    """Write all files beside the folder, and put them in its place by renaming."""
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    aside = _aside(place)
    try:
        for path, content in files.items():
            target = draft / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
        if place.exists():
            place.rename(aside)
        try:
            draft.rename(place)
        except OSError:
            if aside.exists():
                aside.rename(place)
            raise
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f'The release cannot be written to "{folder}": {error.strerror}. What stood there is '
            "as it was. Name a folder that you may write to."
        ) from error
