"""What is said does not depend on the order of the rows, and the worker says the same."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from dataclasses import replace

import pyarrow as pa
import pytest

import checks.worker
from checks.definition import Circumstances
from checks.run import check
from checks.worker import Worker, check_file, warm_up
from data.errors import UnknownTable, UnusableFile, UserError
from data.read import read_file
from data.tables import TABLES

KNOWN = Circumstances(dt.date(2012, 12, 31))
HEADER = "payment_id,contract_id,subcontractor_id,payment_type,earned_on,subcontractor_amount"
ROWS = [
    f"P{n % 7},WP-0{n % 3},GB-CHC-{n % 2},job_outcome,2011-0{n % 9 + 1}-31,{10 - n}"
    for n in range(30)
]


@pytest.fixture
def payments_file(tmp_path):
    path = tmp_path / "payments.csv"
    path.write_text("\n".join([HEADER, *ROWS]))
    return path


def test_the_order_of_the_rows_changes_nothing(payments_file):
    sheet = read_file(payments_file, TABLES["payments"])
    said = check(sheet, TABLES["payments"], KNOWN)
    assert not said.fit
    for order in (range(29, -1, -1), [(n * 7) % 30 for n in range(30)]):
        shuffled = replace(sheet, rows=sheet.rows.take(pa.array(list(order))))
        assert check(shuffled, TABLES["payments"], KNOWN) == said


def test_a_long_value_is_shortened_in_the_message_and_whole_in_the_example(tmp_path):
    path = tmp_path / "payments.csv"
    path.write_text(f'{HEADER}\nP1,A,B,job_outcome,"{"very " * 30}\nlong",1')
    (finding,) = [
        finding
        for finding in check_file(path, "payments", KNOWN).findings
        if finding.check == "dates"
    ]
    assert finding.message.endswith(
        'has "very very very very very very very very very very very very…".'
    )
    assert finding.examples[0]["value"] == "very " * 30 + "\nlong"


def test_check_file_names_the_file_as_the_sender_did(payments_file):
    assert check_file(payments_file, "payments", KNOWN).file == "payments.csv"
    assert check_file(payments_file, "payments", KNOWN, "April.csv").file == "April.csv"
    with pytest.raises(UnknownTable):
        check_file(payments_file, "payment", KNOWN)


def kill_me(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_worker_says_the_same_and_survives_the_death_of_its_process(
    payments_file, tmp_path, monkeypatch
):
    with Worker() as worker:
        said = worker.check(payments_file, "payments", KNOWN)
        assert said == check_file(payments_file, "payments", KNOWN)
        sheet = read_file(payments_file, TABLES["payments"])
        assert worker.check_sheet(sheet, TABLES["payments"], KNOWN) == said

        empty = tmp_path / "empty.csv"
        empty.write_text("")
        with pytest.raises(UnusableFile) as raised:
            worker.check(empty, "payments", KNOWN, "sent.csv")
        assert "sent.csv" in str(raised.value)

        (process,) = worker._pool._processes.values()
        process.kill()
        process.join()
        assert worker.check(payments_file, "payments", KNOWN) == said

        monkeypatch.setattr(checks.worker, "check_file", kill_me)
        with pytest.raises(UserError, match="ended unexpectedly twice"):
            worker.check(payments_file, "payments", KNOWN)
        monkeypatch.undo()
        assert worker.check(payments_file, "payments", KNOWN) == said


def test_warming_up_judges_something():
    warm_up()
    assert "great_expectations" in sys.modules


def test_a_broken_pool_is_replaced_once_only(monkeypatch):
    monkeypatch.setattr(Worker, "_started", staticmethod(object))
    worker = Worker()
    pool = worker._pool
    worker._replace(object())
    assert worker._pool is pool
