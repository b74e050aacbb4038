"""Published counts as returns: a hidden count stays not reported, a new name stays one provider."""

from __future__ import annotations

import csv
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from dashboard.service import FlagReport, Service
from data.errors import UserError
from data.examples.talking_therapies import make_returns
from data.examples.talking_therapies.make_returns import published, write_returns
from data.scope import OPERATOR

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, str]


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_returns(tmp_path_factory.mktemp("returns"))


@pytest.fixture(scope="module")
def store(manifest: Path) -> Path:
    folder = manifest.parent / "store"
    for delivery, draft, result in Service(folder, OPERATOR).load(manifest):
        assert not isinstance(result, UserError), (delivery, draft and draft.verdict, result)
    return folder


@pytest.fixture(scope="module")
def report(store: Path) -> FlagReport:
    return Service(store, OPERATOR).flags()


def status(report: FlagReport, flag: str, code: str, year: str) -> str:
    (found,) = [
        found
        for found in report.assessments
        if found.flag == flag
        and found.contract_id == f"TALKING-THERAPIES-{year}"
        and found.subcontractor_id == f"GB-NHS-{code}"
    ]
    return found.status


def test_the_slice_is_part_of_the_published_file_as_it_stands(shared_data: Path) -> None:
    whole = shared_data / "nhs_talking_therapies" / "referrals_received_by_provider_year.csv"
    kept = [row for row in rows_of(whole) if row["org_code"][0] in "8DT"]
    assert rows_of(make_returns.HERE / "referrals_received.csv") == kept


def test_every_published_count_is_in_one_return(manifest: Path) -> None:
    returned = [
        (row["subcontractor_id"], row["contract_id"], int(row["referrals"]))
        for path in manifest.parent.glob("referrals_*.csv")
        for row in rows_of(path)
    ]
    counted = [figure for figure in published() if figure.count is not None]
    assert sorted(returned) == sorted(
        (figure.organisation_id, figure.contract_id, figure.count) for figure in counted
    )
    assert len(counted) == 169


def test_a_provider_listed_twice_under_two_names_counts_once() -> None:
    (figure,) = [
        figure for figure in published() if (figure.org_code, figure.year) == ("TAF90", "2023-24")
    ]
    assert figure.count == 4245


def test_two_counts_for_one_provider_and_year_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (make_returns.HERE / "referrals_received.csv").read_text(encoding="utf-8")
    changed = text.replace(
        "KINGSTON SMS,Total,NULL,NULL,referrals_received,count,4245",
        "KINGSTON SMS,Total,NULL,NULL,referrals_received,count,4250",
    )
    (tmp_path / "referrals_received.csv").write_text(changed, encoding="utf-8")
    monkeypatch.setattr(make_returns, "HERE", tmp_path)
    with pytest.raises(ValueError, match="TAF90 in 2023-24"):
        published()


def test_a_gap_between_years_makes_two_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = make_returns.HERE
    lines = (here / "referrals_received.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("2020-21") or ",TAD," not in line]
    (tmp_path / "referrals_received.csv").write_text("".join(kept), encoding="utf-8")
    (tmp_path / "sectors.csv").write_bytes((here / "sectors.csv").read_bytes())
    monkeypatch.setattr(make_returns, "HERE", tmp_path)
    entries = json.loads(write_returns(tmp_path / "out").read_text())
    covered = [entry["covers"] for entry in entries if entry["by"] == "GB-NHS-TAD"]
    assert covered == ["2017-04..2020-03", "2021-04..2025-03"]


def test_a_new_name_under_one_code_stays_one_organisation(manifest: Path) -> None:
    named = [
        row["name"]
        for row in rows_of(manifest.parent / "organisations.csv")
        if row["organisation_id"] == "GB-NHS-8EJ83"
    ]
    assert named == ["RENNIE GROVE PEACE HOSPICE CARE (PEACE HOSPICE - HQ)"]
    assert {figure.org_name for figure in published() if figure.org_code == "8EJ83"} == {
        "PEACE HOSPICE",
        *named,
    }


def test_the_forecast_is_the_count_of_the_year_before(manifest: Path) -> None:
    forecast = {
        row["month"]: int(row["referrals"])
        for row in rows_of(manifest.parent / "forecasts.csv")
        if row["subcontractor_id"] == "GB-NHS-8EJ83"
    }
    assert forecast == {"2024-03": 875, "2025-03": 565}


def test_every_sector_says_what_it_rests_on() -> None:
    sectors = rows_of(make_returns.HERE / "sectors.csv")
    assert {row["org_code"] for row in sectors} == {figure.org_code for figure in published()}
    assert all(row["basis"] for row in sectors)
    assert all(row["sector"] == "private" for row in sectors if row["basis"] == "assumed")


def test_a_hidden_count_is_not_reported_and_never_zero(report: FlagReport) -> None:
    assert status(report, "zero_referrals", "DA3", "2019-20") == "not_reported"
    assert status(report, "volume_divergence", "DA3", "2019-20") == "not_reported"
    assert not [
        found
        for found in report.assessments
        if found.flag == "zero_referrals" and found.status == "raised"
    ]


def test_a_count_far_from_the_year_before_is_raised(report: FlagReport) -> None:
    assert status(report, "volume_divergence", "8EJ83", "2023-24") == "raised"  # 565 after 875
    assert status(report, "volume_divergence", "8EJ83", "2024-25") == "raised"  # 1,200 after 565
    assert status(report, "volume_divergence", "TAH", "2018-19") == "clear"  # 19,710 after 18,840


def test_a_first_year_has_no_forecast_to_leave(report: FlagReport) -> None:
    assert status(report, "volume_divergence", "8EJ83", "2022-23") == "not_applicable"
    assert status(report, "zero_referrals", "8EJ83", "2022-23") == "clear"


def test_the_readme_says_what_came_out(report: FlagReport) -> None:
    titles = {
        "volume_divergence": "volumes against the year before",
        "zero_referrals": "no referrals",
        "management_fee": "management fee",
    }
    statuses = ("raised", "watch", "clear", "too_early", "not_reported", "not_applicable")
    told = (make_returns.HERE / "README.md").read_text(encoding="utf-8")
    agreements = [found for found in report.assessments if found.subcontractor_id]
    for flag, title in titles.items():
        counts = Counter(found.status for found in agreements if found.flag == flag)
        cells = " | ".join(str(counts[status]) for status in statuses)
        assert f"| {title} | {cells} |" in told
    above = Counter(
        (found.value or 0) > 0
        for found in agreements
        if found.flag == "volume_divergence" and found.status == "raised"
    )
    assert f"{above[True]} are above and {above[False]} below" in told
