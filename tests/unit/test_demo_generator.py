"""The files of the worked example: the same every time, and true to the ratios they claim."""

from __future__ import annotations

import csv
import hashlib
import json
import runpy
import sys
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest

from data.demo.chain import pounds, write_chain
from data.demo.plan import ORGANISATIONS
from data.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, str]

# Measured on Python 3.11, 3.12 and 3.13. A change of the example changes it: then update it.
SHA256 = "275810cf4cba5d96a3142d432422e32c415ef46d045145b14a7c9610c20f58e2"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chain(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="module")
def rows(manifest: Path) -> dict[str, list[Row]]:
    """Every row of the returns by table, with its reporter as `by`."""
    found: dict[str, list[Row]] = defaultdict(list)
    for entry in json.loads(manifest.read_text()):
        if "file" in entry:
            with (manifest.parent / entry["file"]).open(encoding="utf-8", newline="") as stream:
                found[entry["table"]] += [
                    row | {"by": entry["by"]} for row in csv.DictReader(stream)
                ]
    return found


def of_primes(found: list[Row]) -> list[Row]:
    return [row for row in found if "-PRIME-" in row["by"]]


def test_the_same_bytes_every_time_and_everywhere(manifest: Path, tmp_path: Path) -> None:
    again = write_chain(tmp_path / "again")
    first, second = (
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (manifest.parent, again.parent)
    )
    assert first == second
    digest = hashlib.sha256()
    for name in sorted(first):
        digest.update(name.encode() + first[name])
    assert digest.hexdigest() == SHA256


def test_the_manifest_lists_every_file_but_the_refused_one(manifest: Path) -> None:
    entries = json.loads(manifest.read_text())
    listed = [entry["file"] for entry in entries if "file" in entry]
    assert len(set(listed)) == len(listed)
    there = {path.name for path in manifest.parent.iterdir()}
    assert there - set(listed) == {"manifest.json", "refused_payments.csv"}
    assert [entry["by"] for entry in entries if entry.get("nil")] == [
        "XX-EXAMPLE-SUB-58",
        "XX-EXAMPLE-SUB-59",
    ]


def test_returns_come_in_the_order_they_were_received(manifest: Path) -> None:
    days = [entry["received_on"] for entry in json.loads(manifest.read_text())]
    assert days == sorted(days)


def test_every_row_lies_in_the_months_its_return_covers(manifest: Path) -> None:
    for entry in json.loads(manifest.read_text()):
        column = TABLES[entry["table"]].month_of
        if "file" in entry and column:
            first, last = entry["covers"].split("..")
            with (manifest.parent / entry["file"]).open(encoding="utf-8", newline="") as stream:
                assert all(first <= row[column][:7] <= last for row in csv.DictReader(stream))


def test_the_size_promised(manifest: Path, rows: dict[str, list[Row]]) -> None:
    assert len(json.loads(manifest.read_text())) == 88
    assert {table: len(found) for table, found in rows.items()} == {
        "organisations": 68,
        "contracts": 6,
        "agreements": 69,
        "prices": 510,
        "forecasts": 2892,
        "referrals": 9681,
        "payments": 7947,
    }


def test_two_areas_six_contracts_sixty_subcontractors(rows: dict[str, list[Row]]) -> None:
    areas = Counter(row["contract_package_area"] for row in rows["contracts"])
    assert sorted(areas.values()) == [3, 3]
    ids = {row["subcontractor_id"] for row in rows["agreements"]}
    assert len(ids) == 61  # sixty, one of them under two ids
    sectors = Counter(
        row["sector"]
        for row in rows["organisations"]
        if row["organisation_id"] in ids - {"XX-EXAMPLE-SUB-61"}
    )
    assert sectors == {"voluntary": 28, "private": 26, "public": 6}


def test_every_organisation_is_plainly_invented() -> None:
    for organisation in ORGANISATIONS:
        assert organisation.organisation_id.startswith("XX-EXAMPLE-")
        assert organisation.name.lower().startswith("invented ")
        assert organisation.name.lower().endswith("(example)")


def test_the_commissioner_delivered_109_percent_and_34_of_the_health_related(
    rows: dict[str, list[Row]],
) -> None:
    reported = {row["contract_id"] for row in of_primes(rows["referrals"])}
    expected, observed = Counter[str](), Counter[str]()
    for row in rows["forecasts"]:
        whole_contract = not row["subcontractor_id"] and row["contract_id"] in reported
        if whole_contract and row["issued_on"] == "2011-05-16":
            expected[row["client_group"][:3]] += int(row["referrals"])
    for row in of_primes(rows["referrals"]):
        observed[row["client_group"][:3]] += 1
    assert observed["JSA"] / expected["JSA"] == pytest.approx(1.09, abs=0.01)
    assert observed["ESA"] / expected["ESA"] == pytest.approx(0.34, abs=0.01)


@pytest.mark.parametrize("table", ["referrals", "payments"])
def test_both_sides_report_the_same_events(rows: dict[str, list[Row]], table: str) -> None:
    day = TABLES[table].month_of or ""
    events: dict[bool, set[tuple[str, ...]]] = {True: set(), False: set()}
    kind = "payment_type" if table == "payments" else "client_group"
    for row in rows[table]:
        side = "-PRIME-" in row["by"]
        events[side].add(
            tuple(
                row[name] for name in ("contract_id", "subcontractor_id", "client_ref", day, kind)
            )
        )
    silent = {event for event in events[False] if event[0] == "EXAMPLE-SOUTH-3"}
    assert silent
    assert events[False] - silent < events[True]


def test_subcontractors_report_only_about_themselves_and_not_what_the_prime_received(
    rows: dict[str, list[Row]],
) -> None:
    own = [row for row in rows["referrals"] + rows["payments"] if "-SUB-" in row["by"]]
    assert own
    assert all(row["subcontractor_id"] == row["by"] for row in own)
    assert not any(row.get("commissioner_amount") or row.get("received_on") for row in own)


def test_money_is_paid_on_only_after_it_was_received_and_before_the_return(
    rows: dict[str, list[Row]],
) -> None:
    paid = [row for row in of_primes(rows["payments"]) if row["paid_on"]]
    assert paid
    assert all(
        row["earned_on"] < row["received_on"] < row["paid_on"] < "2012-12-10" for row in paid
    )
    assert all(row["invoiced_on"] < row["paid_on"] for row in paid)
    received = of_primes(rows["payments"])
    assert all(bool(row["commissioner_amount"]) == bool(row["received_on"]) for row in received)


def test_an_adjustment_takes_back_what_was_paid(rows: dict[str, list[Row]]) -> None:
    taken_back = [row for row in rows["payments"] if row["payment_type"] == "adjustment"]
    assert taken_back
    assert all(row["subcontractor_amount"].startswith("-") for row in taken_back)


def test_pounds_are_written_with_two_decimals() -> None:
    assert [pounds(pence) for pence in (0, 5, 12345, -40001)] == [
        "0.00",
        "0.05",
        "123.45",
        "-400.01",
    ]


def test_the_module_writes_into_the_folder_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["data.demo", str(tmp_path / "here")])
    runpy.run_module("data.demo", run_name="__main__")
    assert capsys.readouterr().out.strip() == str(tmp_path / "here" / "manifest.json")
    monkeypatch.setattr(sys, "argv", ["data.demo"])
    with pytest.raises(SystemExit, match="Name the folder"):
        runpy.run_module("data.demo", run_name="__main__")
