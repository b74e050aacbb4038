"""The commands as a person types them: what they print, their exit codes, what they leave."""

from __future__ import annotations

import csv
import json
import re
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from dashboard.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

ORGANISATIONS = """\
organisation_id,name,sector
NET,Honest Broker Network,voluntary
COM,Department of Examples,public
PRIME,Example Prime Ltd,private
SUB-1,First Example Charity,voluntary
SUB-2,Second Example Charity,voluntary
"""
CONTRACTS = """\
contract_id,programme,commissioner_id,prime_id,starts_on
K1,Example Programme,COM,PRIME,2011-06-01
"""
AGREEMENTS = """\
contract_id,subcontractor_id,delivery_role,named_in_bid,promised_share,agreed_management_fee
K1,SUB-1,end_to_end,yes,20%,12%
K1,SUB-2,specialist,yes,10%,
"""
FORECASTS = """\
contract_id,subcontractor_id,month,referrals,issued_on
K1,SUB-1,2011-06,20,2011-05-01
K1,SUB-1,2011-07,20,2011-05-01
K1,SUB-2,2011-06,5,2011-05-01
K1,SUB-2,2011-07,5,2011-05-01
"""
REFERRALS = "referral_id,contract_id,subcontractor_id,client_group,referred_on,referrals\n" + (
    "A1,K1,SUB-1,JSA,2011-06-10,19\nA2,K1,SUB-1,JSA,2011-07-11,21\nH1,K1,PRIME,JSA,2011-07-11,160\n"
)
PAYMENTS = """\
payment_id,contract_id,subcontractor_id,payment_type,earned_on,commissioner_amount,subcontractor_amount
P1,K1,SUB-1,job_outcome,2011-06-30,1000.00,780.00
"""


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def fairtier(capsys, tmp_path, monkeypatch, wide_terminal):
    monkeypatch.setenv("FAIRTIER_STORE", str(tmp_path / "store"))

    def run(*arguments: object) -> Answer:
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def write(tmp_path):
    def to_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


@pytest.fixture(scope="module")
def filled_folder(tmp_path_factory):
    """Files, and a store they were submitted to: registers, forecasts and the prime's logs."""
    folder = tmp_path_factory.mktemp("filled")
    lines = []
    for table, text, by in (
        ("organisations", ORGANISATIONS, "NET"),
        ("contracts", CONTRACTS, "NET"),
        ("agreements", AGREEMENTS, "NET"),
        ("forecasts", FORECASTS, "COM"),
        ("referrals", REFERRALS, "PRIME"),
        ("payments", PAYMENTS, "PRIME"),
    ):
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
        lines.append({"table": table, "file": f"{table}.csv", "by": by})
    (folder / "manifest.json").write_text(json.dumps(lines))
    with pytest.raises(SystemExit) as stop:
        main(["load", str(folder / "manifest.json"), "--store", str(folder / "store")])
    assert not stop.value.code
    return folder


@pytest.fixture
def filled(fairtier, filled_folder, tmp_path):
    """The commands, on a copy of that store and with those files at hand."""
    shutil.copytree(filled_folder, tmp_path, dirs_exist_ok=True)
    return fairtier


def test_files_are_submitted_one_by_one(fairtier, write):
    for table, text in (("organisations", ORGANISATIONS), ("contracts", CONTRACTS)):
        answer = fairtier("submit", table, write(f"{table}.csv", text), "--by", "NET", "--json")
        assert answer.code == 0
        assert answer.json["fit"]
        assert answer.json["return"]["rows"] == text.count("\n") - 1


def statuses(answer: Answer) -> dict[tuple[str, str | None], str]:
    return {(f["flag"], f["subcontractor_id"]): f["status"] for f in answer.json["flags"]}


def test_from_files_to_flags(filled):
    answer = filled("flags", "--json")
    assert answer.code == 0
    found = statuses(answer)
    assert found["management_fee", "SUB-1"] == "raised"
    assert found["zero_referrals", "SUB-1"] == "clear"
    assert found["zero_referrals", "SUB-2"] == "raised"
    assert found["volume_divergence", "SUB-1"] == "clear"
    fee = next(f for f in answer.json["flags"] if f["flag"] == "management_fee")
    assert fee["value"] == pytest.approx(0.22)
    assert set(answer.json) == {
        *("as_of", "rules", "overridden", "what_if", "warnings", "notes", "flags")
    }
    assert answer.json["overridden"] == answer.json["what_if"] == answer.json["notes"] == []


def test_flags_as_a_table_names_the_raised_ones(filled):
    answer = filled("flags")
    assert answer.code == 0
    assert "zero_referrals" in answer.out
    assert "SUB-2" in answer.out
    assert "2 assessed" in answer.out


def test_a_rule_can_be_overridden_and_is_marked(filled):
    assert (
        statuses(filled("flags", "--json", "--rule", "management_fee=0.25"))[
            "management_fee", "SUB-1"
        ]
        != "raised"
    )
    told = filled("flags", "--rule", "management_fee=25%").out
    assert "not as in the register: Highest management fee (management_fee) at 25 %" in told
    assert (
        "management_fee: At 25 % (register: 15 %), 0 of 1 assessed would be raised; by the "
        "register 1." in told
    )


def test_an_override_is_counted_and_marked_in_json_and_csv(filled, tmp_path):
    out = tmp_path / "flags.csv"
    answer = filled("flags", "--json", "--rule", "management_fee=25%", "--csv", out).json
    assert answer["overridden"] == ["management_fee"]
    assert answer["rules"]["management_fee"] == 0.25
    assert answer["rules"]["overdispersion"] == "auto"
    (compared,) = answer["what_if"]
    assert (compared["raised"], compared["raised_by_register"], compared["assessed"]) == (0, 1, 1)
    with out.open(encoding="utf-8-sig", newline="") as file:
        marks = {row["overridden"] for row in csv.DictReader(file)}
    assert marks == {"Highest management fee (management_fee) at 25 % (register: 15 %)"}


def test_an_override_that_no_flag_uses_says_so(filled):
    told = filled("flags", "--rule", "share_of_raised=0.1").out
    assert "share_of_raised) at 10 % (register: 25 %)" in told
    assert "No flag uses what was overridden." in told


def test_a_rule_that_raises_much_is_warned_of(filled, write, tmp_path):
    """Eight more subcontractors whom nobody sends anything: all named, all without a referral."""
    ids = [f"SUB-{number}" for number in range(3, 11)]
    organisations = ORGANISATIONS + "".join(f"{one},Charity {one},voluntary\n" for one in ids)
    agreements = AGREEMENTS + "".join(f"K1,{one},specialist,yes,10%,\n" for one in ids)
    for table, text in (("organisations", organisations), ("agreements", agreements)):
        assert filled("submit", table, write(f"{table}_2.csv", text), "--by", "NET").code == 0
    warned = filled("flags", "--json").json["warnings"]
    assert any(one.startswith("zero_referrals is raised for 9 of 10 (90 %)") for one in warned)
    told = filled("flags").out
    assert "WARNING  zero_referrals is raised for 9 of 10 (90 %): the rule may not fit" in told


def test_what_belongs_to_no_agreement_is_noted(filled, write):
    """The register is sent again without SUB-2; its forecasts stay."""
    shorter = "".join(line for line in AGREEMENTS.splitlines(keepends=True) if "SUB-2" not in line)
    filled("submit", "agreements", write("shorter.csv", shorter), "--by", "NET")
    note = "Forecasts name SUB-2 in K1, which has no agreement on record: they count for nothing."
    assert filled("flags", "--json").json["notes"] == [note]
    assert f"NOTE     {note}" in filled("flags").out


def test_many_notes_are_cut_unless_all_are_asked_for(monkeypatch, filled):
    from dashboard.service import Service

    flags_of = Service.flags
    many = tuple(f"Note {number}." for number in range(7))
    monkeypatch.setattr(
        Service, "flags", lambda self, **options: replace(flags_of(self, **options), notes=many)
    )
    told = filled("flags").out
    assert "Note 4." in told
    assert "Note 5." not in told
    assert "2 more of this kind; --all shows them." in told
    assert "Note 6." in filled("flags", "--all").out


# One answer in full


def test_an_answer_is_told_as_a_story(filled):
    told = filled("explain", "zero_referrals", "K1", "SUB-2")
    assert told.code == 0
    headings = [
        "No referrals: raised",
        "What was promised",
        "What happened",
        "The arithmetic",
        "The rule",
        "What else could explain it",
        "What to ask next",
        "The rows behind it",
    ]
    places = [told.out.index(f"{heading}\n") for heading in headings]
    assert places == sorted(places)
    assert "K1 of Example Prime Ltd (PRIME): Second Example Charity (SUB-2)." in told.out
    assert "Department of Examples: forecasts, return r-" in told.out
    assert "rows 4-5" in told.out


def test_a_whole_contract_has_a_story_too(filled):
    told = filled("explain", "volume_divergence", "K1")
    assert told.code == 0
    assert "K1 of Example Prime Ltd (PRIME): the whole contract." in told.out


def test_every_row_is_in_the_json(filled):
    answer = filled("explain", "management_fee", "K1", "SUB-1", "--json").json
    assert answer["assessment"]["status"] == "raised"
    assert answer["flag"]["id"] == "management_fee"
    assert [(row["table"], row["row_number"], row["row_id"]) for row in answer["rows"]] == [
        ("agreements", 2, ""),
        ("payments", 2, "P1"),
    ]
    assert answer["promise"]
    assert answer["happened"]
    assert answer["arithmetic"]
    assert answer["rules"]["management_fee"]["source"].startswith("Skills Funding Agency")


def test_asked_as_an_organisation_it_shows_what_that_organisation_may_see(filled):
    about = ("explain", "management_fee", "K1", "SUB-1")
    answer = filled(*about, "--as", "SUB-1", "--json").json
    assert [row["row_id"] for row in answer["rows"] if row["table"] == "payments"] == ["P1"]
    assert answer["asker"] == "SUB-1"
    assert "Shown to First Example Charity (SUB-1)" in filled(*about, "--as", "SUB-1").out
    assert filled("flags", "--as", "public", "--json").json["flags"] == []
    assert filled("history", "--as", "SUB-1", "--json").json == []
    for one in filled("flags", "--as", "SUB-1", "--json").json["flags"]:
        assert one["subcontractor_id"] == "SUB-1"
    refused = filled(*about, "--as", "SUB-2")
    assert refused.code == 2
    assert "SUB-1" not in refused.err.replace('"SUB-1"', "")


def test_a_story_told_with_another_rule_is_marked(filled):
    told = filled("explain", "management_fee", "K1", "SUB-1", "--rule", "management_fee=25%")
    assert "WHAT IF  not as in the register: Highest management fee" in told.out
    assert "Management fee above the rule: to watch" in told.out


def test_an_answer_stays_what_it_was_on_the_day_it_was_given(fairtier, write):
    """SUB-2 got none by what was known in August; a return of September says otherwise."""
    for table, text, by in (
        ("organisations", ORGANISATIONS, "NET"),
        ("contracts", CONTRACTS, "NET"),
        ("agreements", AGREEMENTS, "NET"),
        ("forecasts", FORECASTS, "COM"),
    ):
        file = write(f"{table}.csv", text)
        on = ("--received-on", "2011-05-02")
        assert fairtier("submit", table, file, "--by", by, *on).code == 0
    months = ("--covers", "2011-06..2011-07")
    first = write("first.csv", REFERRALS)
    fairtier("submit", "referrals", first, "--by", "PRIME", *months, "--received-on", "2011-08-05")
    question = ("explain", "zero_referrals", "K1", "SUB-2", "--as-of", "2011-08-20", "--json")
    given = fairtier(*question).json
    assert given["assessment"]["status"] == "raised"
    later = write("later.csv", REFERRALS + "A3,K1,SUB-2,JSA,2011-07-11,4\n")
    fairtier("submit", "referrals", later, "--by", "PRIME", *months, "--received-on", "2011-09-05")
    assert fairtier(*question).json == given
    now = fairtier("explain", "zero_referrals", "K1", "SUB-2", "--json").json
    assert now["assessment"]["status"] == "clear"


def test_names_that_look_like_markup_are_told_as_written(filled, write):
    text = ORGANISATIONS.replace("Second Example Charity", "[red]Second[/red] [bold]Charity")
    filled("submit", "organisations", write("organisations_2.csv", text), "--by", "NET")
    assert (
        "[red]Second[/red] [bold]Charity" in filled("explain", "zero_referrals", "K1", "SUB-2").out
    )


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("managment_fee=0.2", "Did you mean management_fee?"),
        ("management_fee", "Write it as --rule management_fee=0.20"),
        ("management_fee=lots", "Write a number"),
    ],
)
def test_an_unfit_rule_is_an_error(filled, rule, says):
    answer = filled("flags", "--rule", rule)
    assert answer.code == 2
    assert says in answer.err


def test_flags_as_of_an_earlier_day_know_only_what_was_received(filled):
    found = filled("flags", "--as-of", "2011-01-01", "--json")
    assert found.json["flags"] == []


def test_flags_through_an_earlier_month(filled):
    answer = filled("flags", "--through", "2011-06", "--json")
    zero = next(
        f
        for f in answer.json["flags"]
        if f["flag"] == "zero_referrals" and f["subcontractor_id"] == "SUB-1"
    )
    assert zero["value"] == 19


def test_flags_as_csv(filled, tmp_path):
    assert filled("flags", "--csv", tmp_path / "flags.csv").code == 0
    with (tmp_path / "flags.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["flag"] for row in rows} >= {"zero_referrals", "management_fee"}


@pytest.mark.parametrize(
    ("about", "says"),
    [
        (("zero_referral", "K1", "SUB-1"), "Did you mean zero_referrals?"),
        (("zero_referrals", "K11", "SUB-1"), "Did you mean K1?"),
        (("zero_referrals", "K1", "SUB-11"), "Did you mean SUB-1?"),
        (("zero_referrals", "K1", "Second Example"), "Did you mean SUB-2?"),
        (("zero_referrals", "K1"), "name a subcontractor of K1 too"),
        (("zero_referrals", "K1", "SUB-1", "--as", "PRIM"), "Did you mean PRIME?"),
        (
            ("zero_referrals", "K1", "SUB-1", "--as-of", "2010-01-01"),
            "No contract and no agreement",
        ),
        (("zero_referrals", "K1", "SUB-1", "--rule", "zero_referrals=2"), "It must be from 0 to 1"),
    ],
)
def test_a_question_that_cannot_be_answered_is_one_sentence(filled, about, says):
    answer = filled("explain", *about)
    assert answer.code == 2
    assert answer.out == ""
    assert says in answer.err
    assert answer.err.strip().count("\n") == 0


def test_history_says_who_what_when(filled):
    answer = filled("history", "--json")
    assert [entry["table"] for entry in answer.json] == [
        "organisations",
        "contracts",
        "agreements",
        "forecasts",
        "referrals",
        "payments",
    ]
    assert "PRIME" in filled("history").out


def test_verify_finds_nothing_altered_and_then_finds_it(filled, tmp_path):
    answer = filled("verify")
    assert answer.code == 0
    assert "Nothing was altered" in answer.out
    next((tmp_path / "store" / "ledger" / "referrals").glob("*.parquet")).unlink()
    answer = filled("verify")
    assert answer.code == 1
    assert "referrals cannot be read" in answer.out


def test_templates_are_written_for_every_table(fairtier, tmp_path):
    assert fairtier("templates", tmp_path / "templates").code == 0
    assert len(list((tmp_path / "templates").iterdir())) == 21


def test_check_stores_nothing(fairtier, write, tmp_path):
    answer = fairtier("check", "organisations", write("o.csv", ORGANISATIONS))
    assert answer.code == 0
    assert "Fit to submit" in answer.out
    assert not (tmp_path / "store").exists()


def test_check_answers_as_the_standard_says(fairtier, write):
    bad = PAYMENTS.replace("780.00", "-5")
    answer = fairtier("check", "payments", write("payments_april.csv", bad), "--json")
    assert answer.code == 1
    assert answer.json["fit"] is False
    assert answer.json["rows"] == 1
    (finding,) = [f for f in answer.json["findings"] if f["severity"] == "refuse"]
    assert finding["rows"] == [2]
    assert finding["column"] == "subcontractor_amount"
    assert finding["examples"] == [{"row": 2, "value": "-5"}]
    assert "adjustment" in finding["remedy"]
    assert set(finding) == {
        "check",
        "family",
        "severity",
        "column",
        "count",
        "rows",
        "examples",
        "message",
        "remedy",
    }


def test_check_writes_the_annotated_workbook(fairtier, write, tmp_path):
    from openpyxl import load_workbook

    bad = write("p.csv", PAYMENTS.replace("780.00", "-5"))
    assert fairtier("check", "payments", bad, "--annotated", tmp_path / "mend.xlsx").code == 1
    book = load_workbook(tmp_path / "mend.xlsx")
    assert any("-5" in str(cell.value) for row in book.worksheets[0] for cell in row)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("check", "referals", "x.csv"), 2, "Did you mean referrals?"),
        (("check", "referrals", "nowhere.csv"), 2, "nowhere.csv"),
        (("flags",), 2, "There is no store at"),
        (("history",), 2, "There is no store at"),
        (("verify",), 2, "There is no store at"),
        (("submit", "referrals", "--by", "SUB-1"), 2, "--nil"),
        (("submit", "referrals", "--nil", "--by", "SUB-1"), 2, "needs the months it covers"),
        (("submit", "contracts", "--nil", "--by", "SUB-1"), 2, "nil return"),
        (("flags", "--as-of", "yesterday"), 2, "Write a day as 2012-03-31"),
        (("flags", "--through", "March"), 2, "Write a month as 2012-03"),
        (("load", "nowhere.json"), 2, "cannot be read"),
        (("flags", "--engine", "spark"), 2, "Leave out --engine"),
        (("explain", "zero_referrals", "K1"), 2, "There is no store at"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_remedy(fairtier, arguments, code, says):
    answer = fairtier(*arguments)
    assert answer.code == code
    assert says in answer.err
    assert answer.err.strip().count("\n") == 0


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("FAIRTIER_MAX_UPLOAD", "lots", "FAIRTIER_MAX_UPLOAD.*500000, 50MB or 1GiB"),
        ("FAIRTIER_MAX_UNPACKED", "lots", "FAIRTIER_MAX_UNPACKED.*500000, 50MB or 1GiB"),
        ("FAIRTIER_SMTP", "foo", "FAIRTIER_SMTP.*smtp://USER:PASSWORD@mail.example.org:587"),
        ("FAIRTIER_SMTP", "smtp://mail.example.org", "FAIRTIER_MAIL_FROM.*fairtier@example.org"),
        ("FAIRTIER_PROXY_ADDRESSES", "foo", "FAIRTIER_PROXY_ADDRESSES.*10.0.0.5"),
        ("FAIRTIER_DATABASE", "postgres://x@y/z", r"FAIRTIER_DATABASE.*postgresql\+psycopg://"),
        ("FAIRTIER_OIDC_ISSUER", "https://x.example", "FAIRTIER_OIDC_CLIENT_ID"),
    ],
)
def test_a_mistaken_setting_is_told_before_anything_is_served(
    fairtier, monkeypatch, tmp_path, setting, value, says
):
    monkeypatch.setenv(setting, value)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in (("serve",), ("serve", "--shared"), ("demo",)):
            answer = fairtier(*command, "--port", port)
            assert answer.code == 2
            assert re.search(says, answer.err)
            assert answer.err.strip().count("\n") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_store_to_serve(fairtier, write):
    readme = write("README.md", "a file")
    answer = fairtier("serve", "--shared", "--demo-personas", "--store", readme)
    assert answer.code == 2
    assert f'"{readme}" is a file, and a store is a folder.' in answer.err


def test_a_mistaken_address_in_a_link_or_mail_names_the_setting(fairtier, monkeypatch):
    monkeypatch.setenv("FAIRTIER_URL", "fairtier.example")
    for command in (("accounts", "add", "a@b.example", "--org", "NET"), ("replies", "review")):
        answer = fairtier(*command)
        assert answer.code == 2
        assert "FAIRTIER_URL" in answer.err


def test_how_a_command_is_used_is_told_by_the_name_that_people_type(fairtier):
    answer = fairtier("serve", "--nix")
    assert "Usage: fairtier serve" in answer.err
    assert "python -m" not in answer.err


# Bad input


def test_the_wrong_table_for_the_file_is_said_so(filled, write):
    answer = filled("check", "payments", write("r.csv", REFERRALS))
    assert answer.code == 1
    assert "referrals" in answer.out


def test_ragged_rows_are_named(filled, write):
    answer = filled("check", "referrals", write("r.csv", REFERRALS + "A9,K1\n"), "--json")
    assert answer.code == 1
    assert [f["rows"] for f in answer.json["findings"] if f["severity"] == "refuse"] == [[5]]


def test_unknown_ids_and_impossible_dates_are_named(filled, write):
    text = REFERRALS + "A8,K9,SUB-1,JSA,2011-06-31,1\n"
    answer = filled("submit", "referrals", write("r.csv", text), "--by", "PRIME", "--json")
    assert answer.code == 1
    found = {f["check"]: f["rows"] for f in answer.json["findings"] if f["severity"] == "refuse"}
    assert found["contract_known"] == [5]
    assert found["real_dates"] == [5]
    assert len(filled("history", "--json").json) == 6


def test_a_reporter_may_report_only_its_own_rows(filled, write):
    answer = filled("submit", "referrals", write("r.csv", REFERRALS), "--by", "SUB-2")
    assert answer.code == 1
    assert len(filled("history", "--json").json) == 6


def test_a_row_outside_the_months_covered_is_refused(filled, write):
    answer = filled(
        "submit",
        "referrals",
        write("r.csv", REFERRALS),
        "--by",
        "PRIME",
        "--covers",
        "2011-06",
        "--json",
    )
    assert answer.code == 1
    refused = [f for f in answer.json["findings"] if f["severity"] == "refuse"]
    assert [(f["check"], f["rows"]) for f in refused] == [("months_covered", [3, 4])]


def test_the_same_file_twice_changes_nothing(filled, tmp_path):
    answer = filled("submit", "referrals", tmp_path / "referrals.csv", "--by", "PRIME")
    assert answer.code == 0
    assert "Already recorded" in answer.out
    assert len(filled("history", "--json").json) == 6


def test_an_overlapping_return_replaces_and_says_what(filled, write):
    text = "\n".join(REFERRALS.splitlines()[:2]) + "\n"
    answer = filled("submit", "referrals", write("again.csv", text), "--by", "PRIME")
    assert answer.code == 0
    assert "It replaces r-" in answer.out
    answer = filled(
        "submit", "referrals", write("none.csv", text), "--by", "PRIME", "--covers", "2011-07"
    )
    assert answer.code == 1


def test_rows_that_would_vanish_are_announced(filled, write):
    text = REFERRALS.splitlines()[0] + "\nH1,K1,PRIME,JSA,2011-06-11,1\n"
    answer = filled("submit", "referrals", write("again.csv", text), "--by", "PRIME")
    assert answer.code == 0
    assert "Your earlier return had 1 row for SUB-1 in K1" in answer.out


def test_a_nil_return_makes_silence_a_zero(filled):
    answer = filled("submit", "referrals", "--nil", "--by", "SUB-1", "--covers", "2011-06..2011-07")
    assert answer.code == 0
    found = {
        f["subcontractor_id"]: f
        for f in filled("flags", "--json").json["flags"]
        if f["flag"] == "zero_referrals"
    }
    assert found["SUB-1"]["value"] == 0
    assert found["SUB-1"]["status"] == "raised"


def test_a_nil_return_says_what_it_takes_away(filled):
    answer = filled("submit", "referrals", "--nil", "--by", "PRIME", "--covers", "2011-07")
    assert answer.code == 0
    assert "Your earlier return had 1 row for SUB-1 in K1 in these months" in answer.out


def test_a_month_that_is_not_over_is_told(filled):
    answer = filled(
        "submit", "referrals", "--nil", "--by", "SUB-1", "--covers", "2011-06..2011-07",
        "--received-on", "2011-07-30", "--json",
    )  # fmt: skip
    assert answer.code == 0
    assert any("2011-07 was not over" in effect for effect in answer.json["effects"])


def test_agreements_without_a_row_are_named_as_none(filled, write):
    text = REFERRALS + "A8,K1,SUB-2,JSA,2011-06-12,1\n"
    whole = filled("submit", "referrals", write("all.csv", text), "--by", "PRIME")
    assert "count as none" not in whole.out
    part = filled("submit", "referrals", write("part.csv", REFERRALS), "--by", "PRIME")
    assert "had 1 row for SUB-2 in K1" in part.out


def test_a_correction_dated_before_what_it_corrects_is_told(filled, tmp_path, write):
    text = REFERRALS.replace("19", "18")
    answer = filled(
        "submit", "referrals", write("old.csv", text), "--by", "PRIME",
        "--received-on", "2012-01-01",
    )  # fmt: skip
    assert answer.code == 0
    assert "received later" in answer.out
    counts = [f["value"] for f in filled("flags", "--json").json["flags"]]
    assert 19 + 21 in counts
    assert 18 + 21 not in counts


def test_a_register_that_shrinks_says_which_rows_are_gone(filled, write):
    text = "".join(AGREEMENTS.splitlines(keepends=True)[:2])
    answer = filled("submit", "agreements", write("fewer.csv", text), "--by", "NET")
    assert answer.code == 0
    assert "1 row of your earlier agreements register is not in this one" in answer.out
    assert "K1 SUB-2" in answer.out


def test_load_tells_of_effects_and_of_what_is_kept_out(filled, write):
    write("again.csv", REFERRALS.replace("referrals\n", "referrals,Notes\n", 1).replace("19", "18"))
    line = {"table": "referrals", "by": "PRIME", "file": "again.csv"}
    answer = filled("load", write("manifest.json", json.dumps([line])))
    assert answer.code == 1  # the header has one column more than the rows
    write("again.csv", REFERRALS.replace("19", "18"))
    answer = filled("load", write("manifest.json", json.dumps([line])))
    assert answer.code == 0
    assert "No row for SUB-2 in K1" in answer.out
    assert "replaces r-" in answer.out


@pytest.mark.parametrize("by", ["", "  ", "=cmd", "NET\n2"])
def test_a_reporter_without_an_id_is_refused(fairtier, write, by):
    answer = fairtier("submit", "organisations", write("o.csv", ORGANISATIONS), "--by", by)
    assert answer.code == 2
    assert "Give its id" in answer.err


def test_space_around_the_reporters_id_does_not_count(fairtier, write):
    for table, text, by in (
        ("organisations", ORGANISATIONS, " NET "),
        ("contracts", CONTRACTS, "NET"),
    ):
        assert fairtier("submit", table, write(f"{table}.csv", text), "--by", by).code == 0


def test_a_day_before_anything_was_known_is_told(filled):
    assert "Nothing to assess was known" in filled("flags", "--as-of", "2010-01-01").out


def test_an_answer_that_cannot_be_written_is_told(filled, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dashboard.__main__.print_json", full)
    answer = filled("flags", "--json")
    assert answer.code == 2
    assert "could not be written" in answer.err


def test_a_nil_return_of_a_stranger_is_refused(filled):
    answer = filled("submit", "referrals", "--nil", "--by", "SUB-11", "--covers", "2011-06")
    assert answer.code == 2
    assert "Did you mean SUB-1" in answer.err


def test_months_that_have_not_begun_cannot_be_covered(filled, tmp_path):
    answer = filled(
        "submit",
        "referrals",
        tmp_path / "referrals.csv",
        "--by",
        "PRIME",
        "--covers",
        "2011-06..2011-09",
        "--received-on",
        "2011-08-01",
    )
    assert answer.code == 2
    assert "had not begun" in answer.err


def test_a_day_to_come_is_no_day_of_receipt(filled, tmp_path):
    answer = filled(
        "submit",
        "referrals",
        tmp_path / "referrals.csv",
        "--by",
        "PRIME",
        "--received-on",
        "2999-01-01",
    )
    assert answer.code == 2
    assert "still to come" in answer.err


def test_a_register_takes_no_months(filled, tmp_path):
    answer = filled(
        "submit", "contracts", tmp_path / "contracts.csv", "--by", "NET", "--covers", "2011-06"
    )
    assert answer.code == 2
    assert "name no months" in answer.err


def test_a_store_that_cannot_be_written_is_said_so(fairtier, write):
    blocked = write("blocked", "a file where the store should be")
    answer = fairtier(
        "submit",
        "organisations",
        write("o.csv", ORGANISATIONS),
        "--by",
        "NET",
        "--store",
        blocked,
    )
    assert answer.code == 2
    assert "cannot be" in answer.err
    assert blocked.read_text() == "a file where the store should be"


def test_two_submits_at_once_both_get_in(filled, write, tmp_path):
    from dashboard.service import Service
    from data.scope import OPERATOR

    files = [
        write(
            f"{sub}.csv",
            REFERRALS.splitlines()[0] + f"\nX{sub},K1,{sub},JSA,2011-06-10,1\n",
        )
        for sub in ("SUB-1", "SUB-2")
    ]
    Service(tmp_path / "store", OPERATOR).examine("referrals", files[0], by="SUB-1")

    def submit(file: Path) -> str:
        service = Service(tmp_path / "store", OPERATOR)
        draft = service.examine("referrals", file, by=file.stem)
        return service.record(draft).entry.return_id

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(submit, files))) == 2
    assert filled("verify").code == 0
    assert len(filled("history", "--json").json) == 8


# A manifest of returns


def test_load_submits_in_order_and_stops_at_the_first_refusal(fairtier, write):
    lines = [
        {"table": "organisations", "file": "o.csv", "by": "NET", "received_on": "2011-05-01"},
        {"table": "contracts", "file": "bad.csv", "by": "NET"},
        {"table": "contracts", "file": "c.csv", "by": "NET", "covers": None},
    ]
    write("o.csv", ORGANISATIONS)
    write("bad.csv", CONTRACTS.replace("2011-06-01", "soon"))
    write("c.csv", CONTRACTS)
    manifest = write("manifest.json", json.dumps(lines))
    answer = fairtier("load", manifest)
    assert answer.code == 1
    assert "1 recorded, 1 refused" in answer.out
    assert "Stopped at entry 2 of 3" in answer.out
    answer = fairtier("load", manifest, "--keep-going")
    assert answer.code == 1
    assert "1 recorded, 1 already there, 1 refused" in answer.out
    (first, second) = fairtier("history", "--json").json
    assert (first["received_on"], second["table"]) == ("2011-05-01", "contracts")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("not json", "is not JSON"),
        ('{"table": "referrals"}', "it must be a list"),
        ('[{"table": "referrals", "by": "X", "file": "f", "when": 1}]', '"when" is not known'),
        ('[{"by": "X", "file": "f"}]', '"table" is missing'),
        ('[{"table": "referrals", "by": "X"}]', 'either "file" or "nil"'),
        ('[{"table": "referrals", "by": "X", "file": "gone.csv"}]', "gone.csv"),
        ("[]", "lists no return"),
        ('[{"table": "referrals", "by": "X", "file": "f", "received_on": 20110501}]', "in quotes"),
        ('[{"table": "referrals", "by": "X", "nil": "false"}]', "true or false"),
    ],
)
def test_a_manifest_with_a_mistake_is_said_so(fairtier, write, content, says):
    answer = fairtier("load", write("manifest.json", content))
    assert answer.code == 2
    assert says in answer.out + answer.err


def test_load_takes_nil_returns(filled, write):
    line = {"table": "payments", "by": "SUB-1", "nil": True, "covers": "2011-06"}
    assert filled("load", write("manifest.json", json.dumps([line]))).code == 0
    assert filled("history", "--json").json[-1]["nil"] is True


def test_the_example_is_built_through_the_checks_and_found_there_again(fairtier, demo_copy):
    before = len(fairtier("history", "--json", "--store", demo_copy).json)
    answer = fairtier("demo", "--no-serve", "--store", demo_copy)
    assert answer.code == 0
    assert "Flags raised" in answer.out
    assert len(fairtier("history", "--json", "--store", demo_copy).json) == before == 88


def test_one_row_is_told_as_one(filled, write):
    one = "\n".join(PAYMENTS.splitlines()[:2])
    about = ("payments", write("one.csv", one), "--by", "PRIME", "--covers", "2011-06")
    assert ": 1 row as payments:" in filled("check", *about).out
    assert ": 1 row of payments by PRIME" in filled("submit", *about).out


def test_flags_can_be_read_at_eighty_columns(fairtier, demo_copy, monkeypatch):
    monkeypatch.setattr("dashboard.terminal.out.width", 80)
    monkeypatch.setattr("dashboard.__main__.out.width", 80)
    found = fairtier("flags", "--json", "--store", demo_copy).json["flags"]
    raised = [one for one in found if one["status"] == "raised"]
    lines = fairtier("flags", "--store", demo_copy).out.splitlines()
    for one in raised:
        whom = one["subcontractor_id"] or "(whole contract)"
        at = lines.index(f"{one['flag']}  raised  {one['contract_id']}  {whom}")
        sentence = []
        for line in lines[at + 1 :]:
            if not line:
                break
            assert line.startswith("  ")
            assert len(line) <= 80
            sentence.append(line.strip())
        assert " ".join(sentence) == one["sentence"]
    assert raised


def test_the_example_does_not_fit_among_other_returns(filled, tmp_path):
    answer = filled("demo", "--no-serve", "--store", tmp_path / "store")
    assert answer.code == 2
    assert "name an empty one" in answer.err


def test_a_bug_is_told_with_an_id_and_without_data(fairtier, write, tmp_path, monkeypatch):
    def fail(*_arguments, **_options):
        raise RuntimeError("secret cell")

    (tmp_path / "store").mkdir()

    monkeypatch.setattr("dashboard.service.Service.examine", fail)
    answer = fairtier("check", "organisations", write("o.csv", ORGANISATIONS))
    assert answer.code == 3
    assert "fault of its own" in answer.err
    log = (tmp_path / "store" / "errors.log").read_text()
    assert "RuntimeError" in log
    assert "secret cell" not in log + answer.err
