"""The ledger: what was accepted stays, what counts follows from it, and alteration shows."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import multiprocessing
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from data.errors import ReturnConflict, StoreError
from data.ledger import Ledger
from data.parse import parse_months
from data.read import Sheet
from data.scope import OPERATOR
from data.tables import TABLES

JULY = dt.date(2011, 7, 1)


def sheet(file_name: str = "file.csv", /, **columns: list[str | None]) -> Sheet:
    count = len(next(iter(columns.values())))
    return Sheet(
        rows=pa.table(
            {
                "row_number": pa.array(range(2, count + 2), pa.int64()),
                **{column: pa.array(cells, pa.string()) for column, cells in columns.items()},
            }
        ),
        file_name=file_name,
        sha256=hashlib.sha256(json.dumps(columns).encode()).hexdigest(),
        headers={column: column for column in columns},
    )


def referrals(*days: str, client: str = "c1", contract: str = "K") -> Sheet:
    count = len(days)
    return sheet(
        referral_id=[f"R{n}" for n in range(count)],
        contract_id=[contract] * count,
        subcontractor_id=["S"] * count,
        client_group=["JSA"] * count,
        referred_on=list(days),
        client_ref=[client] * count,
    )


def record(ledger: Ledger, table: str, rows: Sheet | None, by: str, covers: str = "", **options):
    return ledger.record(
        TABLES[table],
        rows,
        reporter_id=by,
        months=parse_months(covers) if covers else (),
        received_on=options.pop("received_on", JULY),
        **options,
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "store")
    organisations = sheet(
        organisation_id=["N", "C", "P", "S"],
        name=["Network", "Commissioner", "Prime", "Sub"],
        sector=["voluntary", "public", "private", "voluntary"],
    )
    contracts = sheet(
        contract_id=["K"],
        programme=["Programme"],
        commissioner_id=["C"],
        prime_id=["P"],
        starts_on=["01/06/2011"],
    )
    record(ledger, "organisations", organisations, "N")
    record(ledger, "contracts", contracts, "N")
    return ledger


def in_force(ledger: Ledger, table: str, as_of: dt.date | None = None) -> list[dict]:
    rows = ledger.frames(OPERATOR, as_of)[table].collect("pyarrow").to_native().to_pylist()
    return sorted(rows, key=str)


def days(ledger: Ledger, as_of: dt.date | None = None) -> list[str]:
    return sorted(str(row["referred_on"]) for row in in_force(ledger, "referrals", as_of))


def test_a_return_replaces_its_reporters_earlier_one_for_the_months_it_covers(ledger):
    first = record(
        ledger, "referrals", referrals("2011-06-05", "2011-07-06"), "S", "2011-06..2011-07"
    )
    second = record(ledger, "referrals", referrals("2011-07-20"), "S", "2011-07")
    assert days(ledger) == ["2011-06-05", "2011-07-20"]
    assert second.entry.replaced == (first.entry.return_id,)


def test_another_reporters_return_is_never_replaced(ledger):
    record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    record(ledger, "referrals", referrals("2011-06-07"), "P", "2011-06")
    assert days(ledger) == ["2011-06-05", "2011-06-07"]


def test_a_nil_return_covers_its_months_without_a_row(ledger):
    record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    record(ledger, "referrals", None, "S", "2011-06..2011-07")
    assert days(ledger) == []
    assert [str(row["month"]) for row in in_force(ledger, "coverage")] == [
        "2011-06-01",
        "2011-07-01",
    ]


def test_a_month_nobody_reported_on_is_not_covered(ledger):
    record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    assert [row["month"] for row in in_force(ledger, "coverage")] == [dt.date(2011, 6, 1)]


def test_history_is_kept_and_asked_as_of_an_earlier_day(ledger):
    record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06", received_on=JULY)
    record(ledger, "referrals", None, "S", "2011-06", received_on=JULY + dt.timedelta(days=1))
    assert days(ledger, JULY) == ["2011-06-05"]
    assert days(ledger, JULY + dt.timedelta(days=1)) == []
    assert days(ledger, JULY - dt.timedelta(days=1)) == []


def test_a_return_loaded_late_takes_its_place_by_the_day_it_was_received(ledger):
    record(ledger, "referrals", None, "S", "2011-06", received_on=JULY + dt.timedelta(days=5))
    late = record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06", received_on=JULY)
    assert days(ledger) == []
    assert days(ledger, JULY) == ["2011-06-05"]
    assert late.entry.back_dated


def test_forecast_versions_live_side_by_side(ledger):
    def forecast(issued_on: str, count: str) -> Sheet:
        return sheet(
            contract_id=["K"], subcontractor_id=["S"], month=["2011-06"], referrals=[count],
            issued_on=[issued_on],
        )  # fmt: skip

    for issued_on, count in (("2011-05-01", "10"), ("2011-05-20", "8"), ("2011-05-01", "9")):
        rows = forecast(issued_on, count)
        versions = (dt.date.fromisoformat(issued_on),)
        record(ledger, "forecasts", rows, "P", "2011-06", versions=versions)
    found = {(str(r["issued_on"]), r["referral_count"]) for r in in_force(ledger, "forecasts")}
    assert found == {("2011-05-01", 9), ("2011-05-20", 8)}
    assert {r["issuer_rank"] for r in in_force(ledger, "forecasts")} == {2}


def test_a_register_is_replaced_whole(ledger):
    record(
        ledger,
        "organisations",
        sheet(organisation_id=["N"], name=["New name"], sector=["voluntary"]),
        "N",
    )
    assert [row["name"] for row in in_force(ledger, "organisations")] == ["New name"]


def agreement(reporter: str, share: str, consented_on: str | None = None) -> Sheet:
    return sheet(
        contract_id=["K"], subcontractor_id=["S"], delivery_role=["call off"],
        named_in_bid=["yes"], promised_share=[share], consented_on=[consented_on],
    )  # fmt: skip


def test_the_networks_row_stands_before_the_primes_whoever_came_last(ledger):
    record(ledger, "agreements", agreement("N", "8%"), "N")
    record(ledger, "agreements", agreement("P", "1%"), "P")
    assert [row["promised_share"] for row in in_force(ledger, "agreements")] == [0.08]


def test_nobody_takes_over_a_contract_the_keeper_recorded(ledger):
    takeover = sheet(
        contract_id=["K"], programme=["Programme"], commissioner_id=["P"], prime_id=["P"],
        starts_on=["2011-06-01"], ends_on=["2011-06-30"],
    )  # fmt: skip
    record(ledger, "contracts", takeover, "P")
    (row,) = in_force(ledger, "contracts")
    assert (row["commissioner_id"], row["ends_on"]) == ("C", None)


def test_a_subcontractors_row_says_only_whether_it_consented(ledger):
    record(ledger, "agreements", agreement("S", "99%", "2011-01-02"), "S")
    assert in_force(ledger, "agreements") == []
    record(ledger, "agreements", agreement("P", "8%"), "P")
    (row,) = in_force(ledger, "agreements")
    assert (row["promised_share"], row["consented_on"]) == (0.08, dt.date(2011, 1, 2))


def test_the_same_file_twice_changes_nothing(ledger):
    first = record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    again = record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    assert again.already
    assert again.entry == first.entry
    assert len(ledger.returns()) == 3


def test_the_same_file_counts_anew_once_another_replaced_it(ledger):
    record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    record(ledger, "referrals", None, "S", "2011-06")
    again = record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    assert not again.already
    assert days(ledger) == ["2011-06-05"]


def test_a_clients_mark_is_nowhere_in_the_store(ledger):
    secret = "client-mark-4711"
    record(ledger, "referrals", referrals("2011-06-05", client=secret), "S", "2011-06")
    files = [path for path in ledger.store.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert secret.encode() not in path.read_bytes(), path
        if path.suffix == ".parquet":
            assert secret not in str(pq.read_table(path).to_pylist()), path
    expected = hmac.new(ledger.client_key(), secret.upper().encode(), hashlib.sha256).hexdigest()
    assert [row["client_hash"] for row in in_force(ledger, "referrals")] == [expected]


def test_the_rows_are_kept_as_they_were_received(ledger):
    entry = record(ledger, "referrals", referrals(" 05/06/2011 "), "S", "2011-06").entry
    (row,) = ledger.rows_of(OPERATOR, entry).to_pylist()
    assert (row["row_number"], row["referred_on"]) == (2, " 05/06/2011 ")
    assert entry.file_sha256 == referrals(" 05/06/2011 ").sha256


def test_an_overlapping_return_that_came_in_meanwhile_is_told(ledger):
    seen = ledger.returns()
    record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    with pytest.raises(ReturnConflict, match="while this one was being checked"):
        record(ledger, "referrals", None, "S", "2011-06", seen=seen)
    record(ledger, "referrals", None, "P", "2011-06", seen=seen)
    assert days(ledger) == ["2011-06-05"]


def submit_month(store: Path, month: str) -> None:
    record(Ledger(store), "referrals", referrals(f"{month}-05"), "S", month)


def test_two_processes_recording_at_once_both_get_in_and_the_chain_holds(ledger):
    months = [f"2012-{month:02}" for month in range(1, 7)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        pool.starmap(submit_month, [(ledger.store, month) for month in months])
    assert days(ledger) == [f"{month}-05" for month in months]
    inspection = ledger.verify()
    assert inspection.faults == ()
    assert inspection.return_count == 8


def test_many_returns_are_compacted_and_nothing_changes(ledger, monkeypatch):
    monkeypatch.setattr("data.ledger._COMPACT_AT_FILES", 4)
    for month in range(1, 7):
        record(ledger, "referrals", referrals(f"2012-{month:02}-05"), "S", f"2012-{month:02}")
    assert len(DeltaTable(str(ledger.store / "ledger" / "referrals")).file_uris()) < 6
    assert len(days(ledger)) == 6
    assert ledger.verify().faults == ()


def test_an_interrupted_submission_counts_for_nothing(ledger, monkeypatch):
    before = ledger.version()
    monkeypatch.setattr(Ledger, "_append", lambda *_: (_ for _ in ()).throw(OSError(5, "gone")))
    with pytest.raises(StoreError, match="could not be used"):
        record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    monkeypatch.undo()
    assert ledger.version() == before
    assert days(ledger) == []
    inspection = ledger.verify()
    assert inspection.faults == ()
    assert "never completed" in inspection.notes[0]


def test_losing_the_race_for_the_first_return_is_no_error(tmp_path, monkeypatch):
    store = tmp_path / "store"
    other, mine = Ledger(store), Ledger(store)
    organisation = {"name": ["N"], "sector": ["voluntary"]}
    original = Ledger._append

    def late(self, delta, entry):
        monkeypatch.setattr(Ledger, "_append", original)
        record(other, "organisations", sheet(organisation_id=["A"], **organisation), "A")
        return original(self, delta, entry)

    monkeypatch.setattr(Ledger, "_append", late)
    record(mine, "organisations", sheet(organisation_id=["B"], **organisation), "B")
    assert [entry.reporter_id for entry in mine.returns()] == ["A", "B"]
    assert mine.verify().faults == ()


def test_losing_the_race_for_a_later_return_is_no_error(ledger, monkeypatch):
    other = Ledger(ledger.store)
    original = Ledger._append

    def late(self, delta, entry):
        monkeypatch.setattr(Ledger, "_append", original)
        record(other, "referrals", referrals("2011-06-05"), "S", "2011-06")
        return original(self, delta, entry)

    monkeypatch.setattr(Ledger, "_append", late)
    record(ledger, "referrals", referrals("2011-06-06"), "P", "2011-06")
    assert days(ledger) == ["2011-06-05", "2011-06-06"]
    assert [entry.sequence for entry in ledger.returns()] == [1, 2, 3, 4]
    assert ledger.verify().faults == ()


# Verification


def parquet(ledger: Ledger, table: str) -> Path:
    (uri,) = DeltaTable(str(ledger.store / "ledger" / table)).file_uris()
    return Path(uri)


def rewrite(path: Path, change) -> None:
    table = pq.read_table(path)
    rows = change(table.to_pylist())
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    record(ledger, "referrals", referrals("2011-06-05", "2011-06-06"), "S", "2011-06")
    assert ledger.verify().faults == ()
    return ledger


def test_verify_sees_an_altered_cell(filled):
    def change(rows):
        rows[0]["as_received"]["referred_on"] = "2011-06-07"
        rows[0]["referred_on"] = dt.date(2011, 6, 7)
        return rows

    rewrite(parquet(filled, "referrals"), change)
    assert "were altered" in filled.verify().faults[0]


def test_verify_sees_a_value_that_does_not_follow_from_what_was_received(filled):
    def change(rows):
        rows[0]["referral_count"] = 50
        return rows

    rewrite(parquet(filled, "referrals"), change)
    assert "other than those received" in filled.verify().faults[0]


def test_verify_sees_a_row_put_into_another_month(filled):
    def change(rows):
        rows[0]["row_month"] = dt.date(2011, 7, 1)
        return rows

    rewrite(parquet(filled, "referrals"), change)
    assert "other than those received" in filled.verify().faults[0]


def test_verify_sees_a_removed_row(filled):
    rewrite(parquet(filled, "referrals"), lambda rows: rows[1:])
    assert "has 1 rows, but 2 were recorded" in filled.verify().faults[0]


def test_verify_sees_a_deleted_file(filled):
    parquet(filled, "referrals").unlink()
    assert "referrals cannot be read" in filled.verify().faults[0]


def test_verify_sees_a_deleted_table(filled):
    shutil.rmtree(filled.store / "ledger" / "referrals")
    assert "has 0 rows, but 2 were recorded" in filled.verify().faults[0]


def test_verify_sees_a_damaged_file(filled):
    path = parquet(filled, "referrals")
    content = bytearray(path.read_bytes())
    content[: len(content) // 2] = bytes(len(content) // 2)
    path.write_bytes(bytes(content))
    assert filled.verify().faults


def entry_files(ledger: Ledger) -> list[Path]:
    return [Path(uri) for uri in DeltaTable(str(ledger.store / "ledger" / "returns")).file_uris()]


def test_verify_sees_an_altered_history_entry(filled):
    def change(rows):
        return [row | {"reporter_id": "X"} if row["sequence"] == 2 else row for row in rows]

    for path in entry_files(filled):
        rewrite(path, change)
    assert any("history entry" in fault for fault in filled.verify().faults)


def test_verify_sees_a_removed_history_entry(filled):
    for path in entry_files(filled):
        rewrite(path, lambda rows: [row for row in rows if row["sequence"] != 2])
    assert any("chain is broken" in fault for fault in filled.verify().faults)


def test_verify_sees_that_the_last_return_was_cut_off(filled):
    record(filled, "referrals", None, "S", "2011-07")
    log = sorted((filled.store / "ledger" / "returns" / "_delta_log").glob("*.json"))
    log[-1].unlink()
    assert "end of the history is missing: it had 4 returns, and 3" in filled.verify().faults[0]


def test_verify_sees_that_the_note_of_the_end_is_gone(filled):
    (filled.store / "chain-end.json").unlink()
    assert "chain-end.json" in filled.verify().faults[0]


@pytest.mark.parametrize("text", [None, "zz" * 32])
def test_verify_sees_a_lost_or_damaged_key(filled, text):
    key = filled.store / "client.key"
    key.unlink()
    if text:
        key.write_text(text)
    assert "back-up" in filled.verify().faults[0]


def test_the_note_of_the_end_only_moves_forward(ledger):
    first, second = ledger.returns()
    ledger._note_end(first)
    assert ledger._noted_end()["sequence"] == second.sequence


def test_verify_says_when_the_history_cannot_be_read(filled):
    for path in entry_files(filled):
        path.unlink()
    assert "history cannot be read" in filled.verify().faults[0]


# A store that refuses


def test_a_store_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(StoreError, match="There is no store at"):
        Ledger(tmp_path / "nowhere").require()


def test_an_empty_store_has_no_returns(tmp_path):
    ledger = Ledger(tmp_path)
    assert ledger.returns() == ()
    assert ledger.version() == 0
    assert ledger.keepers() == frozenset()
    assert in_force(ledger, "payments") == []
    assert ledger.verify().faults == ()


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "store").write_text("a file where the folder should be")
    ledger = Ledger(tmp_path / "store")
    with pytest.raises(StoreError, match="cannot be written"):
        record(ledger, "referrals", None, "S", "2011-06")


def test_a_folder_that_delta_may_not_write_is_told_before_it_is_asked(ledger, capfd):
    """Delta prints a panic of its own there; /sys is closed even to root."""
    if not Path("/sys/kernel").is_dir():
        pytest.skip("needs Linux, for a folder in which nobody may write")
    table = ledger.store / "ledger" / "referrals"
    table.symlink_to("/sys/kernel")
    with pytest.raises(StoreError, match="cannot be written"):
        record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    assert capfd.readouterr().err == ""
    table.unlink()
    record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    assert days(ledger) == ["2011-06-05"]


def test_a_key_that_cannot_be_read_is_named(ledger):
    (ledger.store / "client.key").unlink()
    (ledger.store / "client.key").mkdir()
    with pytest.raises(StoreError, match=r'The key file ".*client\.key" cannot be read'):
        record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")


def test_a_full_disk_is_said_so_and_nothing_counts(ledger, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.ledger.write_deltalake", full)
    with pytest.raises(StoreError, match="is full"):
        record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    monkeypatch.undo()
    assert days(ledger) == []
    assert ledger.verify().faults == ()


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path):
    missing = tmp_path / "name" / ("x" * 300)
    with pytest.raises(StoreError, match=r"could not be used|cannot be"):
        record(Ledger(missing), "referrals", None, "S", "2011-06")
    if Path("/proc").is_dir():
        with pytest.raises(StoreError, match="cannot be made there"):
            record(Ledger(Path("/proc/nowhere")), "referrals", None, "S", "2011-06")


def test_a_disk_that_fills_up_before_the_first_entry_is_said_so(tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.ledger.write_deltalake", full)
    with pytest.raises(StoreError, match="is full"):
        record(Ledger(tmp_path), "referrals", None, "S", "2011-06")
    assert Ledger(tmp_path).returns() == ()


def test_a_folder_left_by_an_interrupted_first_write_is_no_table(ledger):
    (ledger.store / "ledger" / "payments").mkdir()
    assert in_force(ledger, "payments") == []
    assert ledger.verify().faults == ()


def test_verify_sees_that_the_whole_history_was_removed(filled):
    DeltaTable(str(filled.store / "ledger" / "returns")).delete()
    assert "history cannot be read" in filled.verify().faults[0]


def test_a_return_that_is_recorded_is_never_said_not_to_be(ledger, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Ledger, "_note_end", full)
    record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    assert days(ledger) == ["2011-06-05"]
    assert ledger.verify().faults == ()


def test_a_lost_key_is_said_so_and_never_made_anew(ledger):
    key = ledger.store / "client.key"
    text = key.read_text()
    key.unlink()
    with pytest.raises(StoreError, match="back-up"):
        record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    key.write_text(text[:10])
    with pytest.raises(StoreError, match="damaged"):
        record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    key.write_text(text)
    record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")


def test_only_the_owner_can_read_the_key(ledger):
    assert (ledger.store / "client.key").stat().st_mode & 0o077 == 0


def test_registers_are_given_as_stored_for_the_checks(ledger):
    registers = ledger.registers(OPERATOR)
    assert registers["contracts"].column("starts_on").to_pylist() == [dt.date(2011, 6, 1)]
    assert registers["agreements"].num_rows == 0


def test_as_of_the_frames_of_two_questions_do_not_disturb_each_other(ledger):
    record(ledger, "referrals", referrals("2011-06-05"), "S", "2011-06")
    now, before = ledger.frames(OPERATOR), ledger.frames(OPERATOR, JULY - dt.timedelta(days=1))
    counts = [len(f["referrals"].collect("pyarrow").to_native()) for f in (now, before)]
    assert counts == [1, 0]
