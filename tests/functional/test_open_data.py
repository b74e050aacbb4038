"""Open data as somebody finds it: files that programs check, documents that people read."""

from __future__ import annotations

import copy
import csv
import datetime as dt
import io
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

import jsonschema
import pytest
from markdown_it import MarkdownIt

from dashboard.commands.publish import publish_command
from dashboard.open_data.changes import changes, read_earlier
from dashboard.open_data.ocds import SUBCONTRACTING, identifier, ocds_package
from dashboard.open_data.package import package_files, write_package
from dashboard.open_data.release import Field, OpenTable, hidden_why
from dashboard.terminal import Fairtier
from data.demo.plan import NETWORK
from data.errors import BadOption, StoreError
from metrics.disclosure import Disclosed, Reason
from tests.functional.open_release import (
    CORRECTED,
    FIRST_ID,
    FORMULA,
    MARK_LOOKALIKE,
    MARKUP,
    SECOND_ID,
    TURNED,
    changed,
    release,
    second_release,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
OCDS_SCHEMA = ROOT / "tests" / "fixtures" / "ocds" / "release-schema-1__1__5.json"
REASONS = sorted(get_args(Reason))
MARKS = [f"hidden:{reason}" for reason in REASONS]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The first release, and the second one, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("open_data")
    write_package(release(), folder / "first")
    shutil.copytree(folder / "first", folder / "second")
    write_package(second_release(), folder / "second")
    return folder / "first", folder / "second"


@pytest.fixture
def first(both: tuple[Path, Path], tmp_path: Path) -> Path:
    """The first release, to do things to."""
    return shutil.copytree(both[0], tmp_path / "release")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows_of(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / "data" / f"{table}.csv").open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


# Programs check it


def test_frictionless_finds_every_release_valid(both):
    for folder in both:
        done = subprocess.run(
            [sys.executable, "-m", "frictionless", "validate", "datapackage.json", "--json"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        report = json.loads(done.stdout)
        assert report["valid"]
        names = {task["name"] for task in report["tasks"]}
        assert {"referrals", "referrals-json", "flags", "replies", "ocds"} <= names


def break_a_figure(folder: Path) -> None:
    path = folder / "data" / "referrals.csv"
    path.write_bytes(path.read_bytes().replace(b",95,", b",96,", 1))


def write_words_for_a_figure(folder: Path) -> None:
    path = folder / "data" / "referrals.csv"
    path.write_bytes(path.read_bytes().replace(b",25,", b",about 25,", 1))
    forge_hash(folder, path)


def point_to_nobody(folder: Path) -> None:
    path = folder / "data" / "agreements.csv"
    path.write_bytes(path.read_bytes().replace(b"XX-EXAMPLE-SUB-12", b"XX-EXAMPLE-SUB-99"))
    forge_hash(folder, path)


def answer_no_flag(folder: Path) -> None:
    path = folder / "data" / "replies.csv"
    path.write_bytes(path.read_bytes().replace(b"unreconciled,", b"payment_delay,"))
    forge_hash(folder, path)


def hide_without_a_known_reason(folder: Path) -> None:
    path = folder / "data" / "referrals.csv"
    path.write_bytes(path.read_bytes().replace(b"hidden:few_people", b"hidden:because", 1))
    forge_hash(folder, path)


def forge_hash(folder: Path, path: Path) -> None:
    import hashlib

    descriptor = folder / "datapackage.json"
    told = json.loads(descriptor.read_bytes())
    content = path.read_bytes()
    for one in told["resources"]:
        if folder / one["path"] == path:
            one["hash"] = f"sha256:{hashlib.sha256(content).hexdigest()}"
            one["bytes"] = len(content)
    descriptor.write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        (break_a_figure, "hash-count"),
        (write_words_for_a_figure, "type-error"),
        (point_to_nobody, "foreign-key"),
        (answer_no_flag, "foreign-key"),
        (hide_without_a_known_reason, "type-error"),
    ],
)
def test_frictionless_finds_what_was_broken_on_purpose(first, harm, error):
    from frictionless import Package

    before = snapshot(first)
    harm(first)
    assert snapshot(first) != before
    report = Package(str(first / "datapackage.json")).validate()
    assert not report.valid
    assert error in {found[0] for found in report.flatten(["type"])}


def test_a_column_of_figures_stays_a_column_of_numbers(both):
    from frictionless import Package

    resource = Package(str(both[0] / "datapackage.json")).get_resource("referrals")
    assert {field.name: field.type for field in resource.schema.fields}["referrals"] == "integer"
    read = [row.to_dict()["referrals"] for row in resource.read_rows()]
    assert {type(one) for one in read} == {int, type(None)}
    assert 0 in read


def test_every_file_of_the_package_is_there_with_its_hash(both):
    import hashlib

    for folder in both:
        told = json.loads((folder / "datapackage.json").read_bytes())
        files = told["fairtier"]["files"]
        assert set(files) | {"datapackage.json"} == set(snapshot(folder))
        for path, content in snapshot(folder).items():
            if path in files:
                assert files[path] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        for one in told["resources"]:
            assert one["bytes"] == len((folder / one["path"]).read_bytes())
        for one in told["resources"]:
            if "schema" in one:
                schema = folder / "schemas" / f"{one['name']}.schema.json"
                assert json.loads(schema.read_bytes()) == one["schema"]


# What a cell says


def test_hidden_silent_and_zero_are_three_things(both):
    for table in release().tables:
        written = rows_of(both[0], table.id)
        as_json = json.loads((both[0] / "data" / f"{table.id}.json").read_bytes())
        for row, cells, record in zip(table.records(), written, as_json, strict=True):
            assert list(cells) == list(record) == list(row)
            for name, cell in row.items():
                if isinstance(cell, Disclosed) and cell.hidden:
                    assert cells[name] == record[name] == f"hidden:{cell.hidden}"
                elif cell is None or cell == "":
                    assert (cells[name], record[name]) == ("", None)
                elif cell == 0 or cell == Disclosed(0):
                    assert (cells[name], record[name]) == ("0", 0)
    hidden = Counter(hidden_why(c) for t in release().tables for r in t.rows for c in r)
    assert all(hidden[reason] for reason in REASONS), "each reason must be in the example"


def test_a_figure_that_nobody_reported_is_silence_however_it_is_said():
    table = OpenTable(
        "silent",
        "Silent",
        "Silence.",
        "one row",
        (Field("a", "A", "A.", "text", True), Field("b", "B", "B.", "number")),
        ("a",),
        (("x", None), ("y", None), ("z", Disclosed(None))),
    )
    silent = replace(release(), tables=(table,))
    files = package_files(silent)
    assert files["data/silent.csv"].decode("utf-8-sig") == "a,b\r\nx,\r\ny,\r\nz,\r\n"
    assert silent.hidden().total() == 0
    assert "No figure is hidden." in files["index.html"].decode()


def test_no_cell_runs_as_a_formula_and_json_has_every_word_as_written(both):
    for path in (both[0] / "data").glob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")):
            for cell in row:
                assert not re.match(r"[=@\t\r]", cell), cell
                assert not re.match(r"[+-]", cell) or re.fullmatch(r"-?\d+(\.\d+)?", cell), cell
    names = {row["name"] for row in json.loads((both[0] / "data/organisations.json").read_bytes())}
    assert {FORMULA, MARKUP, TURNED, MARK_LOOKALIKE} <= names
    assert f"'{FORMULA}" in {row["name"] for row in rows_of(both[0], "organisations")}


def test_words_that_look_like_a_mark_stay_words(both):
    from frictionless import Package

    package = Package(str(both[0] / "datapackage.json"))
    names = [row["name"] for row in package.get_resource("organisations").read_rows()]
    texts = [row["text"] for row in package.get_resource("replies").read_rows()]
    assert MARK_LOOKALIKE in names
    assert MARK_LOOKALIKE in texts


def test_csv_is_utf_8_with_a_mark_for_excel_and_lines_as_rfc_4180_has_them(both):
    content = (both[0] / "data" / "replies.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfflag,")
    text = content.decode("utf-8-sig")
    assert text.count("\r\n") == 1 + 3
    assert '"Clients near Willow asked for evening hours.\nWe offered it twice."' in text


# Whole or not at all


def test_the_same_release_is_the_same_bytes(both):
    assert package_files(release()) == snapshot(both[0])
    assert package_files(second_release(), read_earlier(both[0])) == snapshot(both[1])


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may be larger than 20 kB, as if the disk were full."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_release_that_cannot_be_written_leaves_the_one_before_as_it_was(first, small_disk):
    before = snapshot(first)
    with pytest.raises(StoreError, match="What stood there is as it was"):
        write_package(second_release(), first)
    assert snapshot(first) == before
    assert not list(first.parent.glob(".release.*.part"))


def test_a_command_stopped_between_two_steps_is_made_good_by_the_next(first):
    first.rename(first.with_name(".release.replaced"))
    (first.parent / ".release.0a0a.part").mkdir()
    written = write_package(second_release(), first)
    assert written.compared_with == FIRST_ID
    assert {path.name for path in first.parent.iterdir()} == {"release", ".release.lock"}
    first.rename(first.with_name(".release.replaced"))
    shutil.copytree(first.with_name(".release.replaced"), first)
    assert write_package(second_release(), first).already
    assert not first.with_name(".release.replaced").exists()


def test_two_commands_do_not_write_to_one_folder_at_once(first):
    from filelock import FileLock

    from dashboard.open_data import package

    with FileLock(first.with_name(".release.lock")), pytest.raises(BadOption, match="Another"):
        package.write_package(second_release(), first, patience_seconds=0.1)
    assert read_earlier(first).release_id == FIRST_ID


def only_notes(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")


def a_note_among_ours(folder: Path) -> None:
    (folder / "data" / "notes.txt").write_text("mine")


def a_file_changed(folder: Path) -> None:
    (folder / "README.md").write_text("mine")


def a_file_gone(folder: Path) -> None:
    (folder / "data" / "terms.csv").unlink()


def another_package(folder: Path) -> None:
    only_notes(folder)
    (folder / "datapackage.json").write_text('{"name": "theirs", "resources": []}')


def a_file_in_its_place(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("mine")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (only_notes, "holds no whole release"),
        (a_note_among_ours, "notes.txt.*would be lost"),
        (a_file_changed, "README.md.*not as Fairtier wrote it"),
        (a_file_gone, "holds no whole release"),
        (another_package, "holds no whole release"),
        (a_file_in_its_place, "is a file"),
    ],
)
def test_what_is_not_ours_to_replace_is_left_alone(first, prepare, words):
    prepare(first)
    before = first.read_bytes() if first.is_file() else snapshot(first)
    with pytest.raises(BadOption, match=words):
        write_package(second_release(), first)
    assert (first.read_bytes() if first.is_file() else snapshot(first)) == before


def test_an_empty_folder_or_a_new_one_is_filled(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new/below"):
        assert write_package(release(), tmp_path / name).compared_with is None
        assert (tmp_path / name / "index.html").is_file()
    with pytest.raises(BadOption, match="not a folder of its own"):
        write_package(release(), Path("/"))


def test_the_same_release_again_changes_nothing_and_another_of_its_name_is_refused(first):
    before = snapshot(first)
    assert write_package(release(), first).already
    other = changed(release(), "referrals", CORRECTED, referrals=Disclosed(95))
    with pytest.raises(BadOption, match="says something else"):
        write_package(other, first)
    assert snapshot(first) == before


# What changed


def test_the_changelog_tells_every_kind_of_change_from_the_files_of_the_release_before(both):
    text = (both[1] / "CHANGELOG.md").read_text()
    newest, oldest = text.split("\n## ")[1:]
    assert newest.startswith(f"{SECOND_ID}, 4 June 2013")
    assert f"Compared with `{FIRST_ID}` of 5 March 2013." in newest
    assert oldest.startswith(f"{FIRST_ID}, 5 March 2013")
    assert "The first release." in oldest
    for line in (
        "- EXAMPLE-NORTH-1, XX-EXAMPLE-SUB-08, 2011-Q3: `referrals` was 25, is 95",
        "- EXAMPLE-NORTH-1, XX-EXAMPLE-SUB-09, 2011-Q3: `referrals` was published, is hidden "
        "(would give another away)",
        "- EXAMPLE-NORTH-1, the whole contract, 2012-11: `referrals` was hidden "
        "(would give another away), is 95",
        "- EXAMPLE-NORTH-1, the whole contract, 2012-12",
        "- EXAMPLE-NORTH-3, XX-EXAMPLE-SUB-58, 2011-Q3",
        "- XX-EXAMPLE-SUB-08: `name` was Invented Cedar Charity (example), is Invented Beacon "
        "Renamed (example)",
    ):
        assert f"{line}\n" in newest
    assert len(re.findall(r"^- ", newest, re.MULTILINE)) == 6
    kinds = Counter(row["kind"] for row in rows_of(both[1], "changes"))
    assert set(kinds.values()) == {1}
    assert len(kinds) == 6


def test_what_is_newly_hidden_is_not_said_again(both):
    (row,) = (row for row in rows_of(both[1], "changes") if row["kind"] == "newly hidden")
    assert row["before"] == "published"
    for path in ("CHANGELOG.md", "index.html", "README.md"):
        text = (both[1] / path).read_text()
        assert not re.search(r"SUB-09, 2011-Q3: `referrals` was \d", text)


def test_a_release_does_not_differ_from_itself_once_written_and_read(both):
    for folder, given in zip(both, (release(), second_release()), strict=True):
        assert changes(read_earlier(folder), given) == ()


def test_the_release_before_may_stand_elsewhere_or_nowhere(both, tmp_path):
    written = write_package(second_release(), tmp_path / "new", previous=both[0])
    assert (written.compared_with, written.change_count) == (FIRST_ID, 6)
    assert snapshot(tmp_path / "new") == snapshot(both[1])
    alone = write_package(second_release(), tmp_path / "alone")
    assert alone.compared_with is None
    text = (tmp_path / "alone" / "CHANGELOG.md").read_text()
    assert f"Not compared: the files of the release before, `{FIRST_ID}`, were not at hand" in text
    third = replace(second_release(), release_id="2013-09-01", previous_release_id=SECOND_ID)
    write_package(third, tmp_path / "third", previous=both[0])
    text = (tmp_path / "third" / "CHANGELOG.md").read_text()
    assert f"It is not the one before, which is `{SECOND_ID}`." in text


def test_tables_and_columns_that_come_or_go_are_told(first):
    given = second_release()
    terms = next(table for table in given.tables if table.id == "terms")
    shorter = replace(
        terms,
        fields=terms.fields[:-2] + terms.fields[-1:],
        rows=tuple((*r[:5], r[6]) for r in terms.rows),
    )
    kept = [shorter if one.id == "terms" else one for one in given.tables if one.id != "agreements"]
    write_package(replace(given, tables=tuple(kept)), first)
    text = (first / "CHANGELOG.md").read_text()
    assert "- `terms` has no column `sources_count` now." in text
    assert "### agreements: removed (69)" in text
    assert "- EXAMPLE-NORTH-1, XX-EXAMPLE-SUB-07\n" in text


def test_a_contract_that_became_confidential_is_not_named_again(first):
    write_package(second_release(), first)
    third = replace(second_release(), release_id="2013-09-01", previous_release_id=SECOND_ID)
    gone = {"EXAMPLE-NORTH-1", "XX-EXAMPLE-SUB-08"}
    tables = [
        replace(table, rows=tuple(row for row in table.rows if gone.isdisjoint(map(str, row))))
        for table in third.tables
    ]
    before = [row for row in rows_of(first, "agreements") if not gone.isdisjoint(row.values())]
    write_package(replace(third, tables=tuple(tables)), first)
    for path, content in snapshot(first).items():
        assert b"EXAMPLE-NORTH-1" not in content, path
        assert b"XX-EXAMPLE-SUB-08" not in content, path
    text = (first / "CHANGELOG.md").read_text()
    assert len(before) == 13, "twelve of the contract, and one of its subcontractors elsewhere"
    assert "### Agreements: removed (13)" in text
    assert "- 13 rows of what is no longer published" in text
    assert "figure changed: 1; newly hidden: 1" in text, "the earlier release is told in brief"
    assert "is 95" not in text


def test_a_release_goes_on_under_its_name_without_what_became_confidential(first):
    write_package(second_release(), first)
    given = second_release()
    tables = [
        replace(table, rows=tuple(row for row in table.rows if "EXAMPLE-NORTH-1" not in row))
        for table in given.tables
    ]
    less = replace(given, tables=tuple(tables))
    assert not write_package(less, first).already
    assert write_package(less, first).already
    for path, content in snapshot(first).items():
        assert b"EXAMPLE-NORTH-1" not in content, path
    text = (first / "CHANGELOG.md").read_text()
    assert "Published again, without what is no longer published. removed: " in text
    with pytest.raises(BadOption, match="says something else"):
        write_package(given, first)


def test_a_long_list_of_changes_is_cut_in_the_changelog_and_whole_in_the_table(first):
    given = second_release()
    referrals = next(table for table in given.tables if table.id == "referrals")
    more = tuple(("EXAMPLE-NORTH-1", None, f"{year}-Q1", 5, None) for year in range(1500, 1900))
    longer = replace(referrals, rows=(*referrals.rows, *more))
    tables = tuple(longer if one.id == "referrals" else one for one in given.tables)
    write_package(replace(given, tables=tables), first)
    text = (first / "CHANGELOG.md").read_text()
    assert "### Referrals: added (401)" in text
    assert "- and 201 more, in `data/changes.csv`" in text
    added = [row for row in rows_of(first, "changes") if row["kind"] == "added"]
    assert len(added) == 401


# People read it


def rendered(path: Path) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(path.read_text())


def test_the_readme_says_what_is_hidden_and_why_with_replies_licence_and_citation(both):
    text = (both[0] / "README.md").read_text()
    hidden = release().hidden()
    for reason in REASONS:
        assert re.search(rf"\| `hidden:{reason}` \| .+\. \| {hidden[reason]} \|", text)
    assert f"{hidden.total()} figures hidden" in text
    assert "It is not zero" in text
    flag = text.index("14 referrals were promised")
    assert flag < text.index("Clients near Willow asked for evening hours. We offered it twice.")
    assert (
        "- Invented Gateway Works plc (example) disputes the flag, 10 January 2013: Clients chose"
        in text
    )
    assert "Clients chose, or needed, another provider" in text
    assert "- Nobody has replied." in text
    assert "Open Government Licence v3.0 (OGL-UK-3.0): https://www.nationalarchives.gov.uk/" in text
    assert "Release 2013-03-05, 2013-03-05. Open Government Licence v3.0." in text


def test_the_method_names_every_definition_and_every_rule_with_its_standing(both):
    text = (both[0] / "METHOD.md").read_text()
    for one in release().methods:
        assert f"(`{one.id}`, version {one.version})" in text
        assert one.numerator in text
    for rule in release().rules:
        assert f"| `{rule.id}` |" in text
        assert rule.standing in text
        assert rule.source in text
    assert "| `referrals` | few people |" in text


def test_names_are_shown_as_written_in_the_documents(both):
    for name in ("README.md", "CHANGELOG.md", "METHOD.md"):
        page = rendered(both[1] / name)
        assert not re.search(r"<(img|script|strong[^>]*>Bold)", page)
        assert 'evil.example"' not in page
        assert "\u202e" not in page
    page = rendered(both[0] / "README.md").replace("\u2060", "")
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; **Bold** [link](http:" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_page_needs_nothing_from_elsewhere_and_follows_no_markup_of_names(both):
    page = (both[1] / "index.html").read_text()
    assert not re.search(r"<(script|img|link|iframe|object|form)\b", page)
    assert not re.search(r"(src|srcset|style)=\"", page.replace("src=x", ""))
    assert not re.search(r"url\(|@import", page)
    links = set(re.findall(r'href="([^"]+)"', page))
    beside = snapshot(both[1])
    for link in links:
        assert link.startswith(("#", "https://www.nationalarchives.gov.uk/")) or link in beside
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;" in page
    assert "\u202e" not in page


# Open contracting


@pytest.fixture(scope="module")
def contracting() -> dict[str, Any]:
    return ocds_package(release(), "ocds-a1b2c3", "https://www.example.org/open/ocds.json")


def extended_schema() -> dict[str, Any]:
    """The standard's schema with the extension's fields, as its documentation lists them."""
    schema: dict[str, Any] = json.loads(OCDS_SCHEMA.read_bytes())
    definitions = schema["definitions"]
    definitions["Award"]["properties"] |= {
        "hasSubcontracting": {"type": ["boolean", "null"]},
        "subcontracting": {"$ref": "#/definitions/Subcontracting"},
    }
    definitions["Subcontracting"] = {
        "type": "object",
        "minProperties": 1,
        "properties": {
            "subcontracts": {
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"$ref": "#/definitions/Subcontract"},
            }
        },
    }
    definitions["Subcontract"] = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "minLength": 1},
            "subcontractor": {"$ref": "#/definitions/OrganizationReference"},
        },
    }
    for one in (schema, *definitions.values()):
        one["additionalProperties"] = False
    return schema


def test_every_contract_is_an_ocds_release_that_the_schema_validates(both, contracting):
    plain = jsonschema.Draft4Validator(json.loads(OCDS_SCHEMA.read_bytes()))
    strict = jsonschema.Draft4Validator(extended_schema())
    written = json.loads((both[0] / "ocds.json").read_bytes())
    assert len(written["releases"]) == len(contracting["releases"]) == 6
    for one in (*written["releases"], *contracting["releases"]):
        assert list(plain.iter_errors(one)) == []
        assert list(strict.iter_errors(one)) == []


@pytest.mark.parametrize(
    "harm",
    [
        lambda one: one.pop("ocid"),
        lambda one: one.update(tag=["published"]),
        lambda one: one["contracts"][0].pop("awardID"),
        lambda one: one["contracts"][0].update(status="running"),
        lambda one: one["awards"][0].update(suppliers=["PRIME"]),
        lambda one: one["awards"][0]["subcontracting"]["subcontracts"][0].pop("id"),
        lambda one: one.update(referrals=12),
    ],
)
def test_the_schema_refuses_a_release_that_was_harmed(contracting, harm):
    one = copy.deepcopy(contracting["releases"][0])
    harm(one)
    assert list(jsonschema.Draft4Validator(extended_schema()).iter_errors(one))


def test_the_envelope_has_what_the_standard_asks_of_a_release_package(both, contracting):
    for told in (json.loads((both[0] / "ocds.json").read_bytes()), contracting):
        assert {"uri", "version", "publishedDate", "publisher", "releases"} <= set(told)
        assert told["version"] == "1.1"
        assert urlsplit(told["uri"]).scheme in ("https", "urn")
        assert dt.datetime.fromisoformat(told["publishedDate"])
        assert told["publisher"] == {
            "name": "Invented Voluntary Sector Network (example)",
            "scheme": "XX-EXAMPLE",
            "uid": "NETWORK",
        }
        assert told["extensions"] == [SUBCONTRACTING]
        assert told["license"].startswith("https://www.nationalarchives.gov.uk/doc/open-gov")
        ids = [one["id"] for one in told["releases"]]
        assert len(set(ids)) == len(ids)
        assert not any("#" in one for one in ids)


def test_buyer_supplier_and_subcontractors_are_those_of_the_tables(contracting):
    agreements = rows = release().rows_of("agreements")
    for contract, told in zip(release().rows_of("contracts"), contracting["releases"], strict=True):
        contract_id = contract["contract_id"]
        assert told["ocid"] == f"ocds-a1b2c3-{contract_id}"
        assert told["buyer"]["id"] == contract["commissioner_id"]
        (award,), (held,) = told["awards"], told["contracts"]
        assert [one["id"] for one in award["suppliers"]] == [contract["prime_id"]]
        assert held["awardID"] == award["id"]
        assert held["period"] == {
            "startDate": "2011-06-01T00:00:00Z",
            "endDate": "2016-03-31T23:59:59Z",
        }
        named = {one["subcontractor"]["id"] for one in award["subcontracting"]["subcontracts"]}
        assert named == {
            row["subcontractor_id"] for row in agreements if row["contract_id"] == contract_id
        }
        roles = {one["id"]: one["roles"] for one in told["parties"]}
        assert roles == {
            contract["commissioner_id"]: ["buyer"],
            contract["prime_id"]: ["supplier"],
        } | {one: ["subcontractor"] for one in named}
    assert rows


def test_a_commissioner_that_contracts_directly_is_one_party_with_two_roles():
    direct = changed(
        release(),
        "contracts",
        ("EXAMPLE-NORTH-1",),
        prime_id="XX-EXAMPLE-COMMISSIONER",
        starts_on=dt.date(2014, 1, 1),
        ends_on=None,
    )
    none = replace(
        direct,
        tables=tuple(
            replace(t, rows=()) if t.id in ("agreements", "referrals", "flags", "replies") else t
            for t in direct.tables
        ),
    )
    told = ocds_package(none, "ocds-a1b2c3")["releases"][0]
    (party,) = told["parties"]
    assert party["roles"] == ["buyer", "supplier"]
    assert told["contracts"][0]["status"] == "pending"
    assert told["contracts"][0]["period"] == {"startDate": "2014-01-01T00:00:00Z"}
    assert told["awards"][0]["hasSubcontracting"] is False
    assert "subcontracting" not in told["awards"][0]
    strict = jsonschema.Draft4Validator(extended_schema())
    assert list(strict.iter_errors(told)) == []


def test_a_contract_published_before_is_an_update(both):
    told = json.loads((both[1] / "ocds.json").read_bytes())
    assert {tuple(one["tag"]) for one in told["releases"]} == {("awardUpdate", "contractUpdate")}


def test_an_organisation_id_is_split_as_org_id_guide_builds_it():
    assert identifier("GB-CHC-1164883") == {"scheme": "GB-CHC", "id": "1164883"}
    assert identifier("GB-COH-04105827") == {"scheme": "GB-COH", "id": "04105827"}
    assert identifier("GB-GOR-D10-2") == {"scheme": "GB-GOR", "id": "D10-2"}
    assert identifier("CA_ON-BRN-77") == {"scheme": "CA_ON-BRN", "id": "77"}
    assert identifier("PRIME") == {"id": "PRIME"}
    assert identifier("our-own-7") == {"id": "our-own-7"}


def test_without_contracts_there_is_no_file_for_open_contracting():
    nothing = replace(release(), tables=(), previous_release_id=None)
    files = package_files(nothing)
    assert "ocds.json" not in files
    assert b"ocds.json" not in files["README.md"] + files["index.html"]


# A release that is wrong is never written


def test_a_row_that_points_to_nobody_stops_the_release():
    with pytest.raises(ValueError, match="is not among organisations"):
        changed(release(), "contracts", ("EXAMPLE-NORTH-1",), prime_id="XX-EXAMPLE-PRIME-9")
    with pytest.raises(ValueError, match="answers no flag"):
        changed(
            release(),
            "replies",
            (
                "unreconciled",
                "EXAMPLE-NORTH-1",
                "XX-EXAMPLE-SUB-11",
                "XX-EXAMPLE-SUB-11",
                dt.date(2013, 1, 28),
            ),
            flag="payment_delay",
        )


@pytest.mark.parametrize(
    "cells",
    [
        {"referrals": Disclosed(0, "few_people")},
        {"referrals": Disclosed(2.5)},
        {"referrals": "12"},
        {"referrals": True},
        {"forecast": float("nan")},
        {"period": None},
        {"period": Disclosed(None, "few_people")},
    ],
)
def test_a_cell_that_is_not_of_its_columns_kind_stops_the_release(cells):
    with pytest.raises(ValueError, match="referrals, row"):
        changed(release(), "referrals", CORRECTED, **cells)


def test_a_table_of_its_own_shape_is_written_as_well():
    table = OpenTable(
        "payment_days",
        "Payment days",
        "Days.",
        "one row per month",
        (
            Field("month", "Month", "The month.", "month", True),
            Field("share", "Share", "Paid late.", "share"),
        ),
        ("month",),
        ((dt.date(2012, 3, 1), 0.125), ("2012-04", Disclosed(None, "few_sources"))),
    )
    files = package_files(replace(release(), tables=(*release().tables, table)))
    text = files["data/payment_days.csv"].decode("utf-8-sig")
    assert text == "month,share\r\n2012-03,0.125\r\n2012-04,hidden:few_sources\r\n"
    page = files["index.html"].decode()
    assert "March 2012" in page
    assert "12.5 %" in page
    for broken in ({"rows": ((None, 0.1),)}, {"rows": (("2012-13", 0.1),)}, {"key": ()}):
        with pytest.raises(ValueError, match="payment_days"):
            replace(table, **broken)
    for rows in ((("2012-03", 0.1), ("2012-03", 0.2)), (("2012-03",),)):
        with pytest.raises(ValueError, match="payment_days, row"):
            replace(table, rows=rows)
    with pytest.raises(ValueError, match="two tables"):
        replace(release(), tables=(table, table))
    with pytest.raises(ValueError, match="file name"):
        replace(release(), release_id="../up")


# The command


@pytest.fixture
def fairtier(capsys, wide_terminal):
    commands = publish_command(lambda _store: release())

    def run(*arguments: object) -> tuple[int, str, str]:
        code = 0
        try:
            Fairtier("fairtier", commands=[commands]).main([str(one) for one in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return run


def test_publish_writes_a_release_and_says_so(fairtier, tmp_path):
    code, out, _ = fairtier("publish", tmp_path / "open", "--store", tmp_path / "store")
    assert code == 0
    hidden = release().hidden().total()
    assert f'Release {FIRST_ID}: 27 files written to "{tmp_path / "open"}". SHA-256' in out
    assert f"{hidden} figures hidden" in out
    assert "placeholder" in out
    code, out, _ = fairtier("publish", tmp_path / "open")
    assert (code, "already; nothing changed" in out) == (0, True)


def test_publish_answers_as_json_with_the_settings_given(fairtier, tmp_path):
    folder = tmp_path / "open"
    code, out, _ = fairtier(
        "publish",
        folder,
        "--json",
        "--ocds-prefix",
        "ocds-a1b2c3",
        "--address",
        "https://www.example.org/open/",
    )
    answer = json.loads(out)
    assert (code, answer["release_id"], answer["compared_with"]) == (0, FIRST_ID, None)
    told = json.loads((folder / "ocds.json").read_bytes())
    assert told["uri"] == "https://www.example.org/open/ocds.json"
    assert told["releases"][0]["ocid"] == "ocds-a1b2c3-EXAMPLE-NORTH-1"
    assert NETWORK in (folder / "README.md").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--ocds-prefix", "mine"), "the six letters or digits"),
        (("--address", "ftp://example.org"), "Write it like"),
        (("--previous", "{folder}/nothing"), "holds no whole release"),
    ],
)
def test_what_a_person_gets_wrong_is_told_in_a_sentence(fairtier, tmp_path, options, words):
    given = [option.format(folder=tmp_path) for option in options]
    code, _, err = fairtier("publish", tmp_path / "open", *given)
    assert code == 2
    assert words in err
    assert not (tmp_path / "open").exists()
