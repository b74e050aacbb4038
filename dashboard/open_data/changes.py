"""What changed between the release before, read from its own files, and this one."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from dashboard.open_data.cells import MARKER, in_words, json_cell
from dashboard.open_data.descriptors import OURS
from dashboard.open_data.release import FIGURES, POINTS_TO, Field, OpenRelease, OpenTable
from data.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dashboard.open_data.cells import JsonCell

DESCRIPTOR = "datapackage.json"
CHANGES = "changes"
NOT_NAMED = "no longer published"

Kind = Literal[
    "figure changed", "newly hidden", "no longer hidden", "corrected", "added", "removed"
]
Record = dict[str, "JsonCell"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MEANINGS: Mapping[Kind, str] = {
    "figure changed": "A figure that was published is now another one, because returns were "
    "corrected or came in late.",
    "newly hidden": "A figure that was published is hidden now, or hidden for another reason.",
    "no longer hidden": "A figure that was hidden is shown now.",
    "corrected": "A name, a day, a word or another detail is now written otherwise.",
    "added": "A row that the release before did not have.",
    "removed": "A row that is not published any more. Contracts and organisations that are no "
    "longer published are counted, not named.",
}


@dataclass(frozen=True)
class Earlier:
    """A release as its own files have it: of each table the columns' types, key and rows."""

    release_id: str
    made_on: dt.date
    as_of: dt.date
    types: Mapping[str, Mapping[str, str]]
    keys: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, tuple[Record, ...]]
    changelog: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """One difference; `before` and `after` are in words, empty for a row added or removed.

    `row` is its key in words. It is empty for a row of something that is no longer published, such
    as a contract that has become confidential: that is counted, and not named again.
    """

    table: str
    kind: Kind
    row: tuple[str, ...]
    field: str = ""
    before: str = ""
    after: str = ""


def read_earlier(folder: Path) -> Earlier:
    """The release that stands in a folder; BadOption unless it is one and as it was written."""
    try:
        told = json.loads((folder / DESCRIPTOR).read_bytes())
        ours = told[OURS]
        files = dict(ours["files"])
        contents = {path: (folder / path).read_bytes() for path in files}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadOption(
            f'"{folder}" holds no whole release of open data that Fairtier wrote, and was not '
            "touched. Name a folder of your own for it, or one that is empty."
        ) from error
    for path, content in contents.items():
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != files[path]:
            raise BadOption(
                f'"{folder / path}" is not as Fairtier wrote it, so it cannot be told what changed '
                "since, and nothing was touched. Put the file back, or name another folder."
            )
    extra = sorted(_paths(folder) - set(files) - {DESCRIPTOR})
    if extra:
        raise BadOption(
            f'"{folder / extra[0]}" does not belong to the release in that folder and would be '
            "lost, so nothing was touched. Move it elsewhere, or name another folder."
        )
    schemas = {
        one["schema"]["name"]: one["schema"]
        for one in told["resources"]
        if "schema" in one and one["schema"]["name"] != CHANGES
    }
    return Earlier(
        release_id=str(ours["release_id"]),
        made_on=dt.date.fromisoformat(ours["made_on"]),
        as_of=dt.date.fromisoformat(ours["as_of"]),
        types={
            name: {field["name"]: field["type"] for field in schema["fields"]}
            for name, schema in schemas.items()
        },
        keys={name: _key(schema) for name, schema in schemas.items()},
        rows={name: tuple(json.loads(contents[f"data/{name}.json"])) for name in schemas},
        changelog=contents["CHANGELOG.md"].decode(),
        files=files,
    )


def _paths(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return {path.relative_to(folder).as_posix() for path in found}


def _key(schema: Mapping[str, Any]) -> tuple[str, ...]:
    found = schema.get("primaryKey") or schema["uniqueKeys"][0]
    return tuple(found)


def record_of(table: OpenTable, row: tuple[object, ...]) -> Record:
    """A row as its JSON file has it."""
    return {field.id: json_cell(field, cell) for field, cell in zip(table.fields, row, strict=True)}


def changes(earlier: Earlier, release: OpenRelease) -> tuple[Change, ...]:
    """Every difference, table by table; a table whose key is another one is wholly new."""
    found: list[Change] = []
    there = {
        (table_id, field_id): {str(row[field_id]) for row in release.rows_of(table_id)}
        for table_id, field_id in set(POINTS_TO.values())
    }

    def named(table_id: str, row: Record) -> bool:
        if table_id in {target for target, _ in there}:
            return False
        return all(
            str(row[name]) in there[target]
            for name, target in POINTS_TO.items()
            if row.get(name) is not None
        )

    for table in release.tables:
        before = {
            _row_key(row, table.key): row
            for row in earlier.rows.get(table.id, ())
            if earlier.keys[table.id] == table.key
        }
        after = {_row_key(row, table.key): row for row in (record_of(table, r) for r in table.rows)}
        differences: list[Change] = []
        for key, row in after.items():
            words = _row_words(row, table)
            if key not in before:
                differences.append(Change(table.id, "added", words))
            else:
                differences += _differences(table, words, before[key], row)
        differences += [
            Change(table.id, "removed", _row_words(row, table) if named(table.id, row) else ())
            for key, row in before.items()
            if key not in after
        ]
        found += sorted(differences, key=lambda change: KINDS.index(change.kind))
    for table_id, rows in earlier.rows.items():
        known = release.table(table_id)
        if known is None or known.key != earlier.keys[table_id]:
            found += [
                Change(
                    table_id,
                    "removed",
                    _plain_words(row, earlier.keys[table_id]) if named(table_id, row) else (),
                )
                for row in rows
            ]
    return tuple(found)


def columns_changed(earlier: Earlier, release: OpenRelease) -> tuple[str, ...]:
    """Which columns came or went, each as a sentence."""
    told = []
    for table in release.tables:
        if table.id in earlier.types:
            before = set(earlier.types[table.id])
            now = set(table.field_ids)
            told += [f"`{table.id}` has a new column, `{name}`." for name in sorted(now - before)]
            told += [f"`{table.id}` has no column `{name}` now." for name in sorted(before - now)]
    return tuple(told)


def _differences(
    table: OpenTable, words: tuple[str, ...], before: Record, after: Record
) -> list[Change]:
    found = []
    for field in table.fields:
        if field.id not in before or before[field.id] == after[field.id]:
            continue
        old, new = before[field.id], after[field.id]
        told = in_words(field, old), in_words(field, new)
        if field.kind not in FIGURES:
            found.append(Change(table.id, "corrected", words, field.id, *told))
        elif _is_hidden(new):
            # What was published before is not said again beside the mark.
            was = told[0] if _is_hidden(old) or old is None else "published"
            found.append(Change(table.id, "newly hidden", words, field.id, was, told[1]))
        elif _is_hidden(old):
            found.append(Change(table.id, "no longer hidden", words, field.id, *told))
        else:
            found.append(Change(table.id, "figure changed", words, field.id, *told))
    return found


def _is_hidden(value: JsonCell) -> bool:
    return isinstance(value, str) and value.startswith(MARKER)


def _row_key(row: Record, key: tuple[str, ...]) -> tuple[JsonCell, ...]:
    return tuple(row.get(name) for name in key)


def _row_words(row: Record, table: OpenTable) -> tuple[str, ...]:
    named = {field.id: field for field in table.fields}
    return tuple(_key_words(named[name], row[name]) for name in table.key)


def _key_words(field: Field, value: JsonCell) -> str:
    if value is None:
        return "the whole contract" if field.id == "subcontractor_id" else "none"
    return str(value)


def _plain_words(row: Record, key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("none" if row.get(name) is None else str(row[name]) for name in key)


_TEXT_FIELDS = (
    ("table", "Table", "The table that the row is in.", True),
    ("kind", "Kind of change", "What happened; CHANGELOG.md says what each kind means.", True),
    ("row", "Row", "The row's key, its parts with slashes between them.", True),
    ("field", "Column", "The column; empty for a row that was added or removed.", False),
    ("before", "Before", "What stood there, in words.", False),
    ("after", "Now", "What stands there now, in words.", False),
)


def changes_table(found: tuple[Change, ...], earlier: Earlier) -> OpenTable:
    """The changes as a table of the release, for programs."""
    rows = tuple(
        (
            number,
            change.table,
            change.kind,
            " / ".join(change.row) or NOT_NAMED,
            change.field or None,
            change.before or None,
            change.after or None,
        )
        for number, change in enumerate(found, start=1)
    )
    number_field = Field("number", "Number", "Number of the change.", "whole number", True)
    return OpenTable(
        id=CHANGES,
        title="Changes",
        description=f"What changed since the release {earlier.release_id}.",
        grain="one row per row added or removed, or cell changed",
        fields=(number_field, *(Field(i, t, d, "text", r) for i, t, d, r in _TEXT_FIELDS)),
        key=("number",),
        rows=cast("tuple[tuple[object, ...], ...]", rows),
    )
