"""The worked example raises the flags of its published answer key, and no others."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

import data.demo
from dashboard.service import FlagReport, Service
from data.demo.chain import write_chain
from data.scope import OPERATOR
from metrics.catalogue import flags

Answer = dict[str, str]

KEY = Path(data.demo.__file__).with_name("answers.csv")
FLAGS = {flag.id for flag in flags()}
FLAG_STATUSES = ("raised", "watch", "clear", "too_early", "not_reported", "not_applicable")


def key(*statuses: str) -> list[Answer]:
    with KEY.open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["status"] in statuses]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def report(demo_store: Path) -> FlagReport:
    return Service(demo_store, OPERATOR).flags()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chain(tmp_path_factory.mktemp("chain")).parent


def test_the_key_lists_ten_truths_and_every_line_says_why() -> None:
    answers = key(*FLAG_STATUSES, "refused", "warned")
    assert len(answers) == len(rows_of(KEY))
    assert {int(answer["truth"]) for answer in answers} == set(range(1, 11))
    assert all(answer["what"] and answer["note"] for answer in answers)
    named = {answer["flag"] for answer in answers if answer["status"] in FLAG_STATUSES}
    assert named <= FLAGS


def test_raises_exactly_the_flags_of_the_key(report: FlagReport) -> None:
    raised = {
        (found.flag, found.contract_id, found.subcontractor_id or "", found.attributed_to or "")
        for found in report.assessments
        if found.status == "raised"
    }
    assert raised == {
        (
            answer["flag"],
            answer["contract_id"],
            answer["subcontractor_id"],
            answer["attributed_to"],
        )
        for answer in key("raised")
    }


@pytest.mark.parametrize(
    "answer", key(*FLAG_STATUSES), ids=lambda row: f"{row['truth']} {row['flag']}"
)
def test_every_flag_of_the_key_has_its_status(report: FlagReport, answer: Answer) -> None:
    (found,) = [
        found
        for found in report.assessments
        if found.flag == answer["flag"]
        and found.contract_id == answer["contract_id"]
        and (found.subcontractor_id or "") == answer["subcontractor_id"]
    ]
    assert found.status == answer["status"], found.sentence
    assert (found.attributed_to or "") == answer["attributed_to"]


def test_a_fee_of_15_percent_to_the_penny_looks_like_30_in_cash(report: FlagReport) -> None:
    (answer,) = [answer for answer in key("watch") if answer["truth"] == "6"]
    (found,) = [
        found
        for found in report.assessments
        if (found.flag, found.contract_id, found.subcontractor_id)
        == (answer["flag"], answer["contract_id"], answer["subcontractor_id"])
    ]
    assert found.low == pytest.approx(0.15, abs=1e-12)
    assert found.high == pytest.approx(0.30, abs=0.01)


def test_a_silent_prime_is_not_reported_and_never_zero(report: FlagReport) -> None:
    silent = [
        found
        for found in report.assessments
        if found.flag == "management_fee" and found.contract_id == "EXAMPLE-SOUTH-3"
    ]
    assert len(silent) == 6
    assert {found.status for found in silent} == {"not_reported"}


def test_the_file_with_an_id_in_an_amount_is_refused(demo_store: Path, folder: Path) -> None:
    (answer,) = key("refused")
    draft = Service(demo_store, OPERATOR).examine(
        "payments",
        folder / "refused_payments.csv",
        by="XX-EXAMPLE-PRIME-2",
        covers="2012-11",
        received_on=dt.date(2012, 12, 10),
    )
    refusing = [finding for finding in draft.verdict.findings if finding.severity == "refuse"]
    assert [(finding.check, finding.column, tuple(finding.rows)) for finding in refusing] == [
        (answer["flag"], "subcontractor_amount", (8,))
    ]
    assert not draft.verdict.fit


def test_one_name_under_two_ids_is_warned_of(demo_store: Path, folder: Path) -> None:
    warned = key("warned")
    draft = Service(demo_store, OPERATOR).examine(
        "organisations",
        folder / "organisations_network.csv",
        by="XX-EXAMPLE-NETWORK",
        received_on=dt.date(2011, 5, 9),
    )
    ids = [row["organisation_id"] for row in rows_of(folder / "organisations_network.csv")]
    assert draft.verdict.fit
    assert {
        ids[row - 2]
        for finding in draft.verdict.warnings
        if finding.check == warned[0]["flag"]
        for row in finding.rows
    } == {answer["subcontractor_id"] for answer in warned}


def test_no_return_but_the_two_spellings_warns(demo_store: Path) -> None:
    warned = {entry.file_name: entry.warnings for entry in Service(demo_store, OPERATOR).history()}
    assert {name: checks for name, checks in warned.items() if checks} == {
        "organisations_network.csv": ("one_name_one_id",)
    }


def test_the_twelve_referrals_are_in_the_primes_return_and_not_in_the_other(folder: Path) -> None:
    (one_sided,) = [answer for answer in key("raised") if answer["flag"] == "unreconciled"]
    reported = {}
    for side, file in (
        ("prime", "referrals_prime-1.csv"),
        ("subcontractor", "referrals_sub-44.csv"),
    ):
        reported[side] = {
            row["client_ref"]
            for row in rows_of(folder / file)
            if row["contract_id"] == one_sided["contract_id"]
            and row["subcontractor_id"] == one_sided["subcontractor_id"]
        }
    assert reported["subcontractor"] < reported["prime"]
    assert len(reported["prime"] - reported["subcontractor"]) == 12
