"""Turns the published counts into returns.

`python -m data.examples.talking_therapies.make_returns FOLDER` writes them. README.md beside this
file says what each choice below means.
"""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from data.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).resolve().parent
COMMISSIONER = "PUBLISHER-NHS-ENGLAND"
PROGRAMME = "NHS Talking Therapies"
RECEIVED_ON = "2025-12-31"
SUPPRESSED = "*"

Row = dict[str, str]
Entry = dict[str, str | bool]


@dataclass(frozen=True)
class Figure:
    """What was published for one provider and financial year; `count` is None where hidden."""

    org_code: str
    org_name: str
    year: str  # 2018-19
    starts_on: str
    ends_on: str
    count: int | None

    @property
    def contract_id(self) -> str:
        """The contract that stands for the year."""
        return f"TALKING-THERAPIES-{self.year}"

    @property
    def organisation_id(self) -> str:
        """The provider's code in the list GB-NHS of org-id.guide."""
        return f"GB-NHS-{self.org_code}"

    @property
    def follows_on(self) -> int:
        """The calendar year in which the financial year begins."""
        return int(self.starts_on[:4])


def published() -> list[Figure]:
    """The published figures, one for each provider and year, in that order.

    The publisher lists TAF90 twice in 2023-24, under two names and with one count: the first row
    stands for both. Two different counts would be a ValueError.
    """
    with (HERE / "referrals_received.csv").open(encoding="utf-8", newline="") as stream:
        figures = [
            Figure(
                row["org_code"],
                row["org_name"],
                row["reporting_period"],
                row["start_date"],
                row["end_date"],
                None if row["value"] == SUPPRESSED else int(row["value"]),
            )
            for row in csv.DictReader(stream)
        ]
    once: dict[tuple[str, str], Figure] = {}
    for figure in figures:
        if once.setdefault((figure.org_code, figure.starts_on), figure).count != figure.count:
            raise ValueError(f"two counts for {figure.org_code} in {figure.year}")
    return [once[key] for key in sorted(once)]


def _organisation_rows(figures: Iterable[Figure]) -> list[Row]:
    """One row per code, with its latest name."""
    with (HERE / "sectors.csv").open(encoding="utf-8", newline="") as stream:
        sectors = {row["org_code"]: row["sector"] for row in csv.DictReader(stream)}
    latest = {figure.org_code: figure for figure in figures}
    publisher = {"organisation_id": COMMISSIONER, "name": "NHS England", "sector": "public"}
    return [publisher] + [
        {
            "organisation_id": figure.organisation_id,
            "name": figure.org_name,
            "sector": sectors[code],
        }
        for code, figure in latest.items()
    ]


def _contract_rows(figures: Iterable[Figure]) -> list[Row]:
    """One row per financial year."""
    years = {figure.contract_id: figure for figure in figures}
    return [
        {
            "contract_id": contract_id,
            "programme": PROGRAMME,
            "contract_package_area": "England",
            "commissioner_id": COMMISSIONER,
            "prime_id": COMMISSIONER,
            "starts_on": figure.starts_on,
            "ends_on": figure.ends_on,
        }
        for contract_id, figure in sorted(years.items())
    ]


def _agreement_rows(figures: Iterable[Figure]) -> list[Row]:
    """One row per provider and year that the publisher lists, with a hidden count or not."""
    return [
        {
            "contract_id": figure.contract_id,
            "subcontractor_id": figure.organisation_id,
            "delivery_role": "end_to_end",
            "named_in_bid": "no",
        }
        for figure in figures
    ]


def _forecast_rows(figures: Iterable[Figure]) -> list[Row]:
    """The previous year's count, where there is one, as what the year was to bring."""
    known = {(figure.org_code, figure.follows_on): figure.count for figure in figures}
    return [
        {
            "contract_id": figure.contract_id,
            "subcontractor_id": figure.organisation_id,
            "client_group": "all",
            "month": figure.ends_on[:7],
            "referrals": str(before),
            "issued_on": figure.starts_on,
        }
        for figure in figures
        if (before := known.get((figure.org_code, figure.follows_on - 1))) is not None
    ]


def _referral_row(figure: Figure) -> Row:
    return {
        "referral_id": f"{figure.org_code}-{figure.year}",
        "contract_id": figure.contract_id,
        "subcontractor_id": figure.organisation_id,
        "client_group": "all",
        "referred_on": figure.ends_on,
        "referrals": str(figure.count),
    }


def _runs(figures: Iterable[Figure]) -> list[list[Figure]]:
    """The figures of one provider that have a count, in runs of years without a gap."""
    counted = [figure for figure in figures if figure.count is not None]
    numbered = groupby(enumerate(counted), key=lambda pair: pair[1].follows_on - pair[0])
    return [[figure for _, figure in run] for _, run in numbered]


def _write(path: Path, table: str, rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, TABLES[table].column_ids, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_returns(folder: Path) -> Path:
    """Write the returns and `manifest.json` for `fairtier load`; the path of the manifest.

    The publisher keeps the registers and the derived forecast. Each provider has one referrals
    return for every run of years with a published count, so a hidden count stays not reported.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = published()
    forecasts = _forecast_rows(figures)
    entries: list[Entry] = []

    def send(table: str, by: str, file: str, rows: list[Row], covers: str = "") -> None:
        _write(folder / file, table, rows)
        entry: Entry = {"table": table, "file": file, "by": by, "received_on": RECEIVED_ON}
        entries.append(entry | {"covers": covers} if covers else entry)

    send("organisations", COMMISSIONER, "organisations.csv", _organisation_rows(figures))
    send("contracts", COMMISSIONER, "contracts.csv", _contract_rows(figures))
    send("agreements", COMMISSIONER, "agreements.csv", _agreement_rows(figures))
    months = [row["month"] for row in forecasts]
    send("forecasts", COMMISSIONER, "forecasts.csv", forecasts, f"{min(months)}..{max(months)}")
    for code, its_own in groupby(figures, key=lambda figure: figure.org_code):
        for number, run in enumerate(_runs(its_own), start=1):
            send(
                "referrals",
                run[0].organisation_id,
                f"referrals_{code}_{number}.csv",
                [_referral_row(figure) for figure in run],
                f"{run[0].starts_on[:7]}..{run[-1].ends_on[:7]}",
            )
    manifest = folder / "manifest.json"
    manifest.write_bytes((json.dumps(entries, indent=2) + "\n").encode())
    return manifest


if __name__ == "__main__":  # pragma: no cover the command line of three words
    if len(sys.argv) != 2:
        sys.exit(
            "Name the folder to write to: "
            "python -m data.examples.talking_therapies.make_returns FOLDER"
        )
    sys.stdout.write(f"{write_returns(Path(sys.argv[1]))}\n")
