"""Evidence by Merlin principle: names only, no score, every count and figure worked out again."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import docx
import pytest

from dashboard.merlin_file import evidence_bytes, evidence_files, primes
from dashboard.service import Service
from data.demo.plan import CLOSED_ON, COMMISSIONER, NETWORK, prime, subcontractor
from data.errors import BadOption, NotOnRecord
from data.scope import NOT_SHOWN, OPERATOR, PUBLIC, Scope
from metrics.catalogue import flags, metrics
from metrics.concentration import Concentration
from metrics.conversion import Conversion
from metrics.definition import STATUSES
from metrics.merlin import PRINCIPLES, ROW_COLUMNS, EvidenceFile, Offered, evidence_offered
from metrics.spend_by_sector import SectorSpend, Spend

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = (
    "Design",
    "Procure",
    "Contract",
    "Funding",
    "Develop",
    "Performance Manage",
    "QA & Compliance",
    "Review & Close",
)


@pytest.fixture(scope="module")
def network(demo_store: Path) -> Service:
    return Service(demo_store, OPERATOR)


@pytest.fixture(scope="module")
def file(network: Service) -> EvidenceFile:
    """What the network's file says of one prime of the worked example."""
    return evidence_files(network, prime(1), CLOSED_ON)[0]


def offered(file: EvidenceFile) -> dict[str, Offered]:
    return {one.mapped.id: one for each in file.principles for one in each.offered}


def keys(answer: Any) -> Iterator[str]:
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield key
            yield from keys(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from keys(value)


def nothing(**more: Any) -> EvidenceFile:
    return evidence_offered("P", CLOSED_ON, ["C1"], [], {}, {}, {}, {"P": "Sample Prime"}, **more)


# What is mapped


def test_the_eight_principles_are_there_by_name_and_in_order() -> None:
    assert tuple(one.name for one in PRINCIPLES) == NAMES
    assert len({one.id for one in PRINCIPLES}) == 8


def test_everything_mapped_is_in_the_catalogue_with_a_reason_and_every_flag_has_a_place() -> None:
    mapped = [each for one in PRINCIPLES for each in one.mapped]
    known = {"flag": {one.id for one in flags()}, "metric": {one.id for one in metrics()}}
    for each in mapped:
        assert each.id in known[each.kind]
        assert each.why.startswith("Shows")
    assert {each.id for each in mapped if each.kind == "flag"} == known["flag"]
    assert all(one.of_its_own for one in PRINCIPLES)


def test_a_principle_without_a_figure_says_so_and_what_a_prime_could_add() -> None:
    bare = [one for one in nothing().principles if not one.offered]
    assert [one.principle.name for one in bare] == ["Develop", "Review & Close"]
    for one in bare:
        assert f"Fairtier has no figure that goes with {one.principle.name}" in one.nothing
        assert "says nothing about the prime" in one.nothing
    assert all(one.nothing == "" for one in nothing().principles if one.offered)


# No score


def test_it_says_that_it_is_no_score_and_that_the_criteria_were_not_found(file) -> None:
    told = " ".join(file.statement)
    assert "It is no score and no assessment" in told
    assert "the text of its criteria and its bands were not found" in told
    assert "Only their names are used" in told
    assert "About Invented Northstar Employment plc (example)" in told
    assert "2 contracts" in told


def test_nothing_in_it_could_be_taken_for_a_score(file) -> None:
    found = set(keys(file.answer()))
    for word in ("score", "grade", "band", "rating", "rank", "total", "percentage", "passed"):
        assert not [key for key in found if word in key]
    assert not [column for column in ROW_COLUMNS if "score" in column]


# Counts and figures


def test_answers_are_counted_by_status_and_none_is_of_another_prime(file, network) -> None:
    report = network.flags(as_of=CLOSED_ON)
    wanted = Counter(
        (one.flag, one.status) for one in report.assessments if one.prime_id == prime(1)
    )
    found = {
        (each.mapped.id, status): number
        for each in offered(file).values()
        for status, number in each.counts
        if number
    }
    assert found == wanted
    assert sum(found.values()) == sum(
        len(each.answers) for each in offered(file).values() if each.mapped.kind == "flag"
    )
    for each in offered(file).values():
        if each.mapped.kind == "flag":
            assert tuple(status for status, _ in each.counts) == STATUSES
            assert all(one.prime_id == prime(1) for one in each.answers)


def test_figures_of_contracts_are_those_of_the_contracts_own_page(file, network) -> None:
    for contract_id in file.contract_ids:
        wanted = network.contract_figures(contract_id, CLOSED_ON)
        mine = {
            (name, figure.what): figure.value
            for name, each in offered(file).items()
            for figure in each.figures
            if figure.contract_id == contract_id and figure.subcontractor_id is None
        }
        for sector in wanted.spend.sectors:
            what = f"Payable to {sector.sector} subcontractors"
            assert mine.pop(("spend_by_sector", what)) == sector.payable_pence
        clients, total = wanted.concentration, wanted.conversion.total
        assert mine == {
            ("concentration", "Clients reported"): clients.referral_count,
            ("concentration", "Clients kept in house"): clients.in_house_count,
            ("concentration", "Subcontractors with clients"): len(clients.subcontractors),
            (
                "concentration",
                "Subcontractors of equal size that would be as concentrated",
            ): clients.effective_number,
            ("conversion", "Referrals"): total.referral_count,
            ("conversion", "Starts"): total.start_count,
            ("conversion", "Job outcomes"): total.job_outcome_count,
            ("conversion", "Sustainments"): total.sustainment_count,
            ("conversion", "Starts for each referral"): total.start_rate,
            ("conversion", "Job outcomes for each start"): total.outcome_rate,
            ("conversion", "Sustainments for each job outcome"): total.sustainment_rate,
        }


def test_clients_are_the_sum_of_the_primes_own_rows(file, network) -> None:
    """The rows of the worked example are all of months that are over and covered."""
    for contract_id in file.contract_ids:
        rows = network.rows("referrals", contract_id, None, CLOSED_ON)
        counted = sum(int(count) for count in rows["referral_count"])
        found = next(
            one.value
            for one in offered(file)["concentration"].figures
            if (one.contract_id, one.what) == (contract_id, "Clients reported")
        )
        assert found == counted


def test_days_to_payment_are_the_mean_of_the_payments_made(file, network) -> None:
    figures = offered(file)["payment_timing"].figures
    for figure in [one for one in figures if one.unit == "days"][:6]:
        timing = network.timing(figure.contract_id, str(figure.subcontractor_id), CLOSED_ON)
        assert figure.value == timing.from_invoice.mean_days
        mine = [
            one.value
            for one in figures
            if (one.contract_id, one.subcontractor_id, one.unit)
            == (figure.contract_id, figure.subcontractor_id, "share")
        ]
        assert sum(mine) == pytest.approx(1)
        assert mine == [n / timing.from_invoice.payment_count for _, n in timing.from_invoice.bands]


def test_what_is_not_reported_is_named_and_is_no_zero() -> None:
    found = offered(nothing())
    assert found["spend_by_sector"].not_reported == ("payments of C1",)
    assert found["concentration"].not_reported == ("referrals of C1",)
    assert found["conversion"].not_reported == ("referrals and payable events of C1",)
    assert not any(each.figures for each in found.values())
    silent = evidence_offered(
        "P",
        CLOSED_ON,
        ["C1"],
        [],
        {"C1": Spend(None, 0, ())},
        {"C1": Concentration(0, None, None, (), None)},
        {"C1": Conversion(())},
        {},
    )
    assert {name: each.not_reported for name, each in offered(silent).items()} == {
        name: each.not_reported for name, each in found.items()
    }
    assert silent.prime_name == "P"
    rows = [dict(zip(ROW_COLUMNS, row, strict=True)) for row in silent.rows()]
    assert ("spend_by_sector", "not_reported", None, "payments of C1") in [
        (row["id"], row["status"], row["value"], row["told"]) for row in rows
    ]
    told = [row["told"] for row in rows if row["principle"] in ("Develop", "Contract")]
    assert told[0] == "Nothing is on record."
    assert told[1].startswith("Fairtier has no figure")


def test_a_flag_that_is_not_reported_names_the_agreement(network) -> None:
    every = evidence_files(network, "all", CLOSED_ON)
    gaps = [gap for file in every for gap in offered(file)["zero_referrals"].not_reported]
    wanted = [
        one
        for one in network.flags(as_of=CLOSED_ON).assessments
        if (one.flag, one.status) == ("zero_referrals", "not_reported")
    ]
    assert len(gaps) == len(wanted) > 0
    assert all(" in EXAMPLE-" in gap for gap in gaps)
    unpaid = [gap for file in every for gap in offered(file)["payment_timing"].not_reported]
    assert all(gap.startswith("a payment with its invoice day, to ") for gap in unpaid)


def test_whole_contracts_and_payments_after_corrections_are_told_in_words(network) -> None:
    found = next(
        one
        for one in network.flags(as_of=CLOSED_ON).assessments
        if one.flag == "volume_divergence" and one.subcontractor_id is None
    )
    missing = replace(found, prime_id="P", contract_id="C1", status="not_reported")
    made = evidence_offered(
        "P",
        CLOSED_ON,
        ["C1"],
        [missing],
        {"C1": Spend(-200, 1, (SectorSpend("voluntary", -200, 1, None),))},
        {"C1": Concentration(3, 40, 40, (), None)},
        {},
        {},
    )
    assert offered(made)["volume_divergence"].not_reported == ("whole contract in C1",)
    assert offered(made)["spend_by_sector"].figures[0].shown == "-£2, 1 subcontractor"
    assert len(offered(made)["concentration"].figures) == 3
    assert made.name(None) == "the whole contract"
    assert made.name("X") == "X"


# Who may have which


def test_a_prime_has_its_own_file_and_it_is_the_networks(network, file) -> None:
    own = network.within(Scope("member", prime(1)))
    assert primes(own) == (prime(1),)
    assert evidence_files(own, prime(1), CLOSED_ON) == (file,)
    assert evidence_files(own, "all", CLOSED_ON) == (file,)
    assert len(evidence_files(network.within(Scope("network", NETWORK)), "all", CLOSED_ON)) == 5


@pytest.mark.parametrize(
    "scope",
    [
        Scope("member", prime(2)),
        Scope("member", COMMISSIONER),
        Scope("member", subcontractor(7)),
        Scope("member", "XX-EXAMPLE-NOBODY"),
        PUBLIC,
    ],
    ids=lambda scope: scope.organisation_id or "public",
)
def test_nobody_else_has_it_and_learns_nothing_from_the_refusal(network, scope) -> None:
    asked = network.within(scope)
    for wanted in (prime(1), "XX-NO-SUCH-PRIME", subcontractor(7), COMMISSIONER):
        with pytest.raises(NotOnRecord) as refused:
            evidence_files(asked, wanted, CLOSED_ON)
        assert str(refused.value) == NOT_SHOWN
    assert primes(asked) == ((prime(2),) if scope.organisation_id == prime(2) else ())


def test_the_network_is_told_the_nearest_prime(network, tmp_path) -> None:
    with pytest.raises(NotOnRecord, match=f"Did you mean {prime(1)}"):
        evidence_files(network, prime(1).lower().upper() + "0", CLOSED_ON)
    with pytest.raises(NotOnRecord, match=r'No prime "nothing like it" is on record\. Name'):
        evidence_files(network, "nothing like it", CLOSED_ON)
    assert primes(Service(tmp_path / "nothing", OPERATOR)) == ()


def test_confidential_contracts_are_left_out_and_counted(demo_copy) -> None:
    from data.arrangements import make
    from data.database import Database

    service = Service(demo_copy, OPERATOR)
    first = evidence_files(service, prime(1), CLOSED_ON)[0].contract_ids[0]
    database = Database(demo_copy)
    make(database, OPERATOR, service.reach(), "confidential", first, reason="so", actor="operator")
    database.close()
    made = evidence_files(Service(demo_copy, OPERATOR), prime(1), CLOSED_ON)
    assert first not in made[0].contract_ids
    assert made[0].left_out_count == 1
    assert any("1 confidential contract" in one for one in made[0].statement)
    assert first not in evidence_bytes(made, ".json").decode()
    assert first not in evidence_bytes(made, ".csv").decode("utf-8-sig")


# The files


def test_the_word_file_has_every_principle_what_is_offered_and_what_to_add(file) -> None:
    document = docx.Document(io.BytesIO(evidence_bytes((file,), ".docx")))
    paragraphs = [one.text for one in document.paragraphs]
    second = [one.text for one in document.paragraphs if one.style.name == "Heading 2"]
    assert tuple(second) == NAMES
    assert set(file.statement) <= set(paragraphs)
    for one in file.principles:
        assert set(one.principle.of_its_own) <= set(paragraphs)
        assert one.nothing == "" or one.nothing in paragraphs
        for each in one.offered:
            assert each.title in paragraphs
            assert each.mapped.why in paragraphs
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    for each in offered(file).values():
        for found in each.answers:
            if found.status == "raised":
                assert any(found.sentence.split(" What else")[0] in cell for cell in cells)
        assert all(figure.shown in cells for figure in each.figures)
    counted = next(one for one in paragraphs if one.startswith("Is the subcontractor paid later"))
    assert counted.endswith("raised 1; clear 23.")


def test_several_primes_stand_in_one_word_file_each_on_a_page_of_its_own() -> None:
    document = docx.Document(io.BytesIO(evidence_bytes((nothing(), nothing()), ".docx")))
    first = [one.text for one in document.paragraphs if one.style.name == "Heading 1"]
    assert first == ["Evidence by Merlin principle: Sample Prime"] * 2
    breaks = [one for one in document.paragraphs if one.paragraph_format.page_break_before]
    assert len(breaks) == 1
    assert any("Nothing was assessed." in one.text for one in document.paragraphs)


def test_csv_and_json_have_every_answer_and_figure(file) -> None:
    rows = list(csv.DictReader(io.StringIO(evidence_bytes((file,), ".csv").decode("utf-8-sig"))))
    assert tuple(rows[0]) == ROW_COLUMNS
    assert list(dict.fromkeys(row["principle"] for row in rows)) == list(NAMES)
    answers = json.loads(evidence_bytes((file,), ".json"))
    assert answers == [file.answer()]
    assert [one["name"] for one in answers[0]["principles"]] == list(NAMES)
    counted = Counter(row["kind"] for row in rows)
    assert counted["flag"] == sum(len(each.answers) for each in offered(file).values())
    assert counted["metric"] == sum(
        len(each.figures) + len(each.not_reported)
        for each in offered(file).values()
        if each.mapped.kind == "metric"
    )
    with pytest.raises(BadOption, match=r"ends in \.docx or \.csv or \.json"):
        evidence_bytes((file,), ".pdf")
