"""The tables described for programs: Table Schema and Data Package, version 2."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from dashboard.open_data.cells import MARKER, marker
from dashboard.open_data.release import ANSWERS, FIGURES, pointers, reasons, short_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.open_data.release import Field, FieldKind, OpenRelease, OpenTable

PACKAGE_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
SCHEMA_PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"
RESOURCE_PROFILE = "https://datapackage.org/profiles/2.0/dataresource.json"
OURS = "fairtier"

_TYPES: Mapping[FieldKind, str] = {
    "text": "string",
    "whole number": "integer",
    "number": "number",
    "share": "number",
    "day": "date",
    "month": "yearmonth",
}
_MEDIA_TYPES = {"csv": "text/csv", "json": "application/json"}


def sha256(content: bytes) -> str:
    """The hash of a file as the descriptor gives it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def missing_values() -> list[dict[str, str]]:
    """What stands in a figure's place: nothing, or that and why it is hidden."""
    hidden = [
        {"value": marker(reason), "label": f"hidden: {short_reason(reason)}. {sentence}"}
        for reason, sentence in reasons().items()
    ]
    return [{"value": "", "label": "not reported, or does not apply"}, *hidden]


def table_schema(table: OpenTable, release: OpenRelease) -> dict[str, Any]:
    """The Table Schema of a table of the release."""
    optional_key = any(not field.required for field in table.fields if field.id in table.key)
    schema: dict[str, Any] = {
        "$schema": SCHEMA_PROFILE,
        "name": table.id,
        "title": table.title,
        "description": f"{table.description} Grain: {table.grain}.",
        "fields": [_field(table, field) for field in table.fields],
        "missingValues": missing_values(),
        "uniqueKeys" if optional_key else "primaryKey": (
            [list(table.key)] if optional_key else list(table.key)
        ),
    }
    points = [
        {"fields": [field_id], "reference": {"resource": to, "fields": [to_field]}}
        for field_id, (to, to_field) in pointers(table, release.tables).items()
    ]
    if table.id == "replies" and release.table("flags"):
        fields = list(ANSWERS)
        points.append({"fields": fields, "reference": {"resource": "flags", "fields": fields}})
    return schema | ({"foreignKeys": points} if points else {})


def _field(table: OpenTable, field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": field.id,
        "title": field.title,
        "type": _TYPES[field.kind],
        "description": field.description,
    }
    if field.kind not in FIGURES:
        told["missingValues"] = [""]  # words that only look like a mark are words
    if field.required and not table.may_hide(field):
        told["constraints"] = {"required": True}
    return told


def resource(name: str, path: str, content: bytes, **told: Any) -> dict[str, Any]:
    """A file of the package with its size and hash."""
    kind = path.rpartition(".")[2]
    return {
        "$schema": RESOURCE_PROFILE,
        "name": name,
        "path": path,
        "format": kind,
        "mediatype": _MEDIA_TYPES[kind],
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": sha256(content),
        **told,
    }


def package(
    release: OpenRelease, resources: list[dict[str, Any]], files: Mapping[str, bytes]
) -> bytes:
    """`datapackage.json`; under "fairtier" it has what the next release needs to know of this one.

    `files` are all others of the directory.
    """
    licence = release.licence
    told = {
        "$schema": PACKAGE_PROFILE,
        "name": release.release_id.lower(),
        "title": release.title,
        "description": (
            "How subcontractors fare in supply chains of outsourced public services. Figures that "
            f"would tell of single people or single subcontractors are hidden: {MARKER} and the "
            "reason stand in their place. METHOD.md says how."
        ),
        "version": release.release_id,
        "created": f"{release.made_on}T00:00:00Z",
        "licenses": [{"name": licence.id, "title": licence.name, "path": licence.address}],
        "contributors": [
            {
                "title": release.publisher_name,
                "organization": release.publisher_name,
                "roles": ["publisher"],
            }
        ],
        "resources": resources,
        OURS: {
            "release_id": release.release_id,
            "previous_release_id": release.previous_release_id,
            "made_on": release.made_on.isoformat(),
            "as_of": release.as_of.isoformat(),
            "publisher_id": release.publisher_id,
            "hidden": dict(sorted(release.hidden().items())),
            "files": {path: sha256(content) for path, content in sorted(files.items())},
        },
    }
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()
