"""Letters: every figure in one is worked out a second time, and each says what it rests on.

Figures are held against oracles in plain Python that share no code with the product; the letters
against what the issue of each promises in words.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import json
import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import docx
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from dashboard.documents import letter_docx
from dashboard.letters import letter_bytes
from data.errors import BadOption, NotOnRecord
from metrics.assessment import agreement_months
from metrics.facts import Terms, gather
from metrics.flags import payment_delay
from metrics.notices.catalogue import template, templates
from metrics.notices.definition import Blank, Grid, Heading, Letter, Paragraph, Points
from metrics.notices.matter import Elsewhere, Matter, Organisation
from metrics.notices.plain_text import WIDTH, plain_text
from metrics.notices.volumes import MonthVolume, Volumes, volumes_of
from metrics.rules import rules_as_of
from tests.generative.test_duties import Case, cases
from tests.generative.test_flags import AS_OF, chains
from tests.oracle.chain import Chain, months
from tests.oracle.duties_oracle import Oracle as DutiesOracle
from tests.oracle.flags_oracle import Oracle as VolumeOracle

if TYPE_CHECKING:
    import pandas as pd

few = settings(
    max_examples=2, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)

TODAY = dt.date(2012, 4, 15)
KINDS = [one.notice.id for one in templates()]
TEN = months("2011-06", 10)
PRIME = Organisation("P", "Sample Prime Ltd", "private")
SUB = Organisation("S", "Exampleton Trust", "voluntary")
BUYER = Organisation("G", "Department of Samples", "public")
AGREED = (
    "named_in_bid",
    "delivery_role",
    "consented_on",
    "live_on",
    "promised_share",
    "payment_terms_days",
)


def start(**terms: Any) -> Chain:
    """One agreement, named in the bid, both sides reporting ten months with no row so far."""
    chain = Chain().contract()
    chain.agreement(**({"named_in_bid": True} | terms))
    for log in ("referrals", "payments"):
        chain.covers("S", TEN, log)  # type: ignore[arg-type]
        chain.covers("P", TEN, log)  # type: ignore[arg-type]
    return chain


def volumes(table: pd.DataFrame, contract_id: str, subcontractor_id: str | None) -> Volumes:
    ids = table["subcontractor_id"]
    mine = ids.isna() if subcontractor_id is None else (ids == subcontractor_id).fillna(False)
    return volumes_of(table[mine.astype(bool) & (table["contract_id"] == contract_id)])


def matter(chain: Chain, day: dt.date = TODAY, *, whole: bool = False) -> Matter:
    """The one agreement of a chain, or its whole contract, as the service would hand it over."""
    frames, rules = chain.frames(), rules_as_of(day)
    row = chain.agreements[0]
    known = {name: row[name] for name in AGREED}
    claimed = payment_delay.assess(gather(frames, day), rules) if chain.payments else []
    return Matter(
        as_of=day,
        contract_id="C1",
        programme="Work Programme",
        area="West London",
        commissioner=BUYER,
        prime=PRIME,
        subcontractor=None if whole else SUB,
        terms=Terms(starts_on=chain.contracts[0]["starts_on"], **({} if whole else known)),
        volumes=volumes(agreement_months(frames, day), "C1", None if whole else "S"),
        payment_delay=claimed[0].evidence if claimed else None,
    )


def write(kind: str, about: Matter) -> Letter:
    return template(kind).write(about, rules_as_of(about.as_of))


def grids(letter: Letter) -> dict[str, Grid]:
    return {block.caption: block for block in letter.blocks if isinstance(block, Grid)}


def promised(chain: Chain, count: int = 4) -> Chain:
    for month in TEN:
        chain.forecast(count, month)
    return chain


# What all letters have


def test_there_are_four_kinds_of_letters_two_of_them_from_either_side() -> None:
    made = {one.notice.id: (one.notice.writer, one.notice.reader) for one in templates()}
    assert made == {
        "non_utilisation": ("prime", "subcontractor"),
        "non_utilisation_request": ("subcontractor", "prime"),
        "forecast_revision": ("subcontractor", "prime"),
        "contract_forecast_revision": ("prime", "commissioner"),
        "late_payment_claim": ("subcontractor", "prime"),
        "expression_of_interest": ("subcontractor", "prime"),
    }
    with pytest.raises(BadOption, match='There is no letter "complaint"\\. The letters are non'):
        template("complaint")


@functools.cache
def every_letter() -> list[Letter]:
    """One of each kind, about a silent agreement and one that was paid late."""
    silent, busy = matter(promised(start())), matter(late(promised(start())))
    return [
        write("non_utilisation", silent),
        write("non_utilisation_request", silent),
        write("forecast_revision", busy),
        write("contract_forecast_revision", matter(promised(start()), whole=True)),
        write("late_payment_claim", busy),
        write("expression_of_interest", busy),
    ]


def late(chain: Chain) -> Chain:
    """Three invoices: one paid 41 days after, one of two late payments, one not paid."""
    for invoiced, paid, pence in (
        ("2011-07-01", "2011-08-11", 99_999),
        ("2011-09-01", "2011-10-20", 60_000),
        ("2011-09-01", "2011-12-01", 50_000),
        ("2011-10-03", None, 1_234_567),
        ("2011-10-04", "2011-11-03", 77_700),
    ):
        day = dt.date.fromisoformat(invoiced)
        chain.payment(
            "S",
            day.replace(day=1),
            None,
            pence,
            invoiced_on=day,
            paid_on=dt.date.fromisoformat(paid) if paid else None,
        )
    return chain


@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_says_from_whom_to_whom_what_it_rests_on_and_what_is_missing(
    kind: str,
) -> None:
    letter = every_letter()[KINDS.index(kind)]
    text = " ".join(plain_text(letter).split())
    assert text.startswith(letter.writer.name)
    assert letter.reader is not None
    assert letter.reader.name in text
    assert letter.subject in text
    assert "on record on 15 April 2012" in text
    assert " ".join(letter.notice.standing.split()) in text
    assert letter.notice.source in text
    assert "at least 5 working days after you send this" in text, "the rule reply_days"
    for blank in letter.blanks:
        assert f"[{blank}]" in text
    assert {"your address", "their address", "day you send this"} <= set(letter.blanks)
    assert "fill in what stands in square brackets" in letter.before_sending[0]
    assert letter.before_sending[0] not in text, "advice for the writer is no part of the letter"
    answer = json.loads(json.dumps(letter.answer(), allow_nan=False))
    assert answer["facts"] == {fact.id: fact.value for fact in letter.facts}
    for fact in letter.facts:
        assert letter.fact(fact.id) is fact
        assert fact.taken_from


def test_a_fact_that_a_letter_does_not_have_is_not_found() -> None:
    with pytest.raises(KeyError):
        every_letter()[0].fact("interest_pence")
    with pytest.raises(KeyError):
        matter(start(), whole=True).party("subcontractor")
    assert matter(start(), whole=True).name("subcontractor") == "the subcontractor"


def test_plain_text_fits_a_narrow_window_and_tables_stay_readable() -> None:
    for letter in every_letter():
        assert max(map(len, plain_text(letter).split("\n"))) <= WIDTH
    table = plain_text(every_letter()[2])
    assert re.search(r"^June 2011 +4 +0 +0$", table, re.MULTILINE)
    made = letter_bytes(every_letter()[2], ".txt")
    assert made.startswith(b"\xef\xbb\xbf")
    assert made.decode("utf-8-sig").replace("\r\n", "\n") == table
    with pytest.raises(BadOption, match=r"ends in \.docx or \.txt"):
        letter_bytes(every_letter()[2], ".pdf")


@pytest.mark.parametrize("kind", KINDS)
def test_the_word_file_has_all_of_the_letter_and_marks_what_is_to_be_filled_in(kind: str) -> None:
    letter = every_letter()[KINDS.index(kind)]
    document = docx.Document(io.BytesIO(letter_docx(letter)))
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    tables = [[[cell.text for cell in row.cells] for row in one.rows] for one in document.tables]
    wanted = [
        [list(grid.header), *([str(cell) for cell in row] for row in grid.rows)]
        for grid in (block for block in letter.blocks if isinstance(block, Grid))
    ]
    assert tables == wanted
    for block in letter.blocks:
        match block:
            case Heading(words):
                assert words in paragraphs
            case Paragraph(pieces):
                assert "".join(map(str, pieces)) in paragraphs
            case Points(items):
                assert all("".join(map(str, item)) in paragraphs for item in items)
    runs = [run for one in document.paragraphs for run in one.runs]
    runs += [
        run
        for table in document.tables
        for cell in (cell for row in table.rows for cell in row.cells)
        for run in cell.paragraphs[0].runs
    ]
    marked = {run.text for run in runs if run.font.highlight_color is not None}
    assert marked == {f"[{blank}]" for blank in letter.blanks}
    headings = [one for one in document.paragraphs if one.style.name.startswith("Heading")]
    assert headings[0].style.name == "Heading 1"
    assert headings[0].text == letter.subject == document.core_properties.title
    assert document.core_properties.author == ""


def test_whatever_stands_in_a_name_stays_text() -> None:
    wild = '<w:br/> =1+1 [x] {{y}} **b** & "q"\x0b\x00\ud800'
    about = replace(matter(promised(start())), subcontractor=Organisation("S", wild))
    document = docx.Document(io.BytesIO(letter_docx(write("non_utilisation_request", about))))
    first = document.paragraphs[0].text
    assert first == '<w:br/> =1+1 [x] {{y}} **b** & "q"���'
    assert "[x]" not in write("non_utilisation_request", about).blanks


# Promised and received


@few
@given(chains())
def test_promise_and_referrals_are_those_of_the_oracle(chain: Chain) -> None:
    """For every agreement and contract of random chains, both words and the promise."""
    oracle = VolumeOracle(dict(chain.rows()), AS_OF)
    contracts = {row["contract_id"]: row for row in chain.contracts}
    table = agreement_months(chain.frames(), AS_OF)
    subjects: list[tuple[str, dict[str, Any] | None]] = [(one, None) for one in contracts]
    subjects += [(row["contract_id"], row) for row in chain.agreements]
    for contract_id, agreement in subjects:
        contract = contracts[contract_id]
        subcontractor = agreement and agreement["subcontractor_id"]
        found = volumes(table, contract_id, subcontractor)
        wanted = oracle.volume(contract, agreement)
        assert len(found.reported) == wanted["months"]
        assert found.received == (wanted["observed"] if wanted["months"] else None)
        assert found.has_forecast == wanted["stated"]
        assert {one.month: one.received for one in found.reported} == {
            month: came for month, (came, _, _) in wanted["by_month"].items()
        }
        share = agreement and agreement["promised_share"]
        expected = wanted["expected"] if wanted["stated"] else None
        if expected is None and share is not None and wanted["intake"] is not None:
            expected = share * wanted["intake"]
        assert found.promised(share) == expected
        for side, reporter in (
            ("by_subcontractor", subcontractor),
            ("by_prime", contract["prime_id"]),
        ):
            if reporter is None:
                continue
            covered = [m for m in wanted["by_month"] if oracle_covers(chain, reporter, m)]
            counted = sum(oracle.count(contract_id, m, reporter, subcontractor) for m in covered)
            assert getattr(found, side) == (counted, len(covered)), side


def oracle_covers(chain: Chain, reporter: str, month: dt.date) -> bool:
    return any(
        (row["table"], row["reporter_id"], row["month"]) == ("referrals", reporter, month)
        for row in chain.coverage
    )


def test_forecasts_for_months_to_come_are_counted_from_the_month_of_the_day() -> None:
    chain = start()
    for count, month in enumerate(months("2012-02", 6), start=1):
        chain.forecast(count, month)
    about = matter(chain)
    assert [one.month.month for one in about.volumes.ahead(TODAY)] == [4, 5, 6, 7]
    letter = write("forecast_revision", about)
    assert letter.fact("still_forecast").value == 3 + 4 + 5 + 6
    assert letter.fact("still_forecast").shown == "18 in 4 months, April 2012 to July 2012"
    one_month = replace(about, volumes=Volumes((MonthVolume(dt.date(2012, 4, 1), False, 7),)))
    assert write("forecast_revision", one_month).fact("still_forecast").shown == (
        "7 in 1 month, April 2012"
    )


# Non-utilisation


def test_a_notice_of_non_utilisation_gives_promise_zero_and_asks_for_reasons() -> None:
    letter = write("non_utilisation", matter(promised(start(consented_on=dt.date(2011, 2, 14)))))
    assert letter.fact("promised").value == 10 * 4
    assert letter.fact("received_by_subcontractor").value == 0
    assert letter.fact("received_by_prime").value == 0
    assert letter.fact("months").shown == "10 months, June 2011 to March 2012"
    assert letter.fact("consented_on").value == "2011-02-14"
    assert letter.fact("referrals_from").shown == "1 June 2011"
    assert letter.fact("referrals_from").taken_from == "the register of contracts"
    assert "why no clients were sent, in plain words" in letter.blanks
    text = " ".join(plain_text(letter).split())
    assert "We send a copy of this letter to Department of Samples" in text
    assert "rules of the United States and serve as a template only" in text
    assert "13 CFR 125.3 and 49 CFR 26.53(f)" in text
    request = write("non_utilisation_request", matter(promised(start(live_on="2011-08-01"))))
    assert request.fact("referrals_from").shown == "1 August 2011"
    assert request.fact("consented_on").shown == "no consent is recorded"
    assert "where the clients of the groups that we serve went" in plain_text(request)


@pytest.mark.parametrize("kind", ["non_utilisation", "non_utilisation_request"])
def test_it_is_only_for_those_who_were_named_and_got_nobody(kind: str) -> None:
    with pytest.raises(BadOption, match="the bid did not name Exampleton Trust"):
        write(kind, matter(start(named_in_bid=False)))
    used = start().referral("S", TEN[2], count=3)
    with pytest.raises(BadOption, match=r"got 3 referrals .* make the letter forecast_revision"):
        write(kind, matter(used))


def test_silence_is_no_zero_and_the_writer_is_told_so() -> None:
    silent = start()
    silent.coverage.clear()
    letter = write("non_utilisation", matter(silent))
    assert letter.fact("months").value == 0
    assert "received_by_prime" not in {fact.id for fact in letter.facts}
    assert letter.fact("promised").shown == "nothing is on record"
    assert "That is not zero" in letter.before_sending[-1]


def test_where_the_prime_reports_clients_the_writer_is_told_to_settle_that_first() -> None:
    letter = write("non_utilisation_request", matter(start().referral("P", TEN[2], count=3)))
    assert "the returns of Sample Prime Ltd do have 3 referrals" in letter.before_sending[-1]
    assert letter.fact("received_by_prime").value == 3


def test_a_promised_share_is_told_with_the_intake_it_is_taken_of() -> None:
    chain = start(promised_share=0.125)
    chain.referral("P", TEN[0], "X", count=40).referral("P", TEN[1], "P", count=10)
    letter = write("non_utilisation_request", matter(chain))
    assert letter.fact("promised").value == 0.125 * 50
    assert letter.fact("promised").shown == (
        "6.25 (12.5 % of the 50 clients that Sample Prime Ltd reports)"
    )


def test_a_side_that_has_not_reported_is_said_to_have_not() -> None:
    chain = start()
    chain.coverage = [row for row in chain.coverage if row["reporter_id"] == "P"]
    letter = write("non_utilisation_request", matter(chain))
    assert letter.fact("received_by_subcontractor").value is None
    assert letter.fact("received_by_subcontractor").shown == "not reported"
    assert letter.fact("received_by_prime").value == 0


# Forecasts


def test_a_request_to_revise_has_both_sums_and_every_month() -> None:
    chain = promised(start(), 8)
    chain.referral("S", TEN[0], count=5).referral("P", TEN[0], count=5)
    chain.referral("S", TEN[4], count=6).referral("P", TEN[4], count=9)
    letter = write("forecast_revision", matter(chain))
    assert letter.fact("promised").value == 80
    assert letter.fact("received_by_subcontractor").value == 11
    assert letter.fact("received_by_prime").value == 14
    text = " ".join(plain_text(letter).split())
    assert "80 clients were promised and 11 clients came: 86.2 % fewer" in text
    rows = grids(letter)["Referrals by month"].rows
    assert len(rows) == 10
    assert rows[0] == ("June 2011", "8", "5", "5")
    assert rows[4] == ("October 2011", "8", "6", "9")
    assert sum(int(str(row[2])) for row in rows) == 11
    assert (
        "The two sides differ: 11 referrals by the returns of Exampleton"
        in (letter.before_sending[-1])
    )


def test_without_a_promise_it_asks_for_a_first_forecast() -> None:
    letter = write("forecast_revision", matter(start().referral("S", TEN[0])))
    assert letter.subject == "Contract C1: request for the forecast"
    text = " ".join(plain_text(letter).split())
    assert "1 client came. No forecast or share of referrals is on record." in text
    assert grids(letter)["Referrals by month"].rows[1] == ("July 2011", "none", "0", "0")
    nothing = replace(matter(start()), volumes=Volumes())
    text = " ".join(plain_text(write("forecast_revision", nothing)).split())
    assert "No month has been reported yet." in text


def test_a_forecast_of_nothing_gives_no_share_of_it() -> None:
    text = plain_text(
        write("forecast_revision", matter(promised(start(), 0).referral("S", TEN[0])))
    )
    assert "0 clients were promised and 1 client came." in " ".join(text.split())
    one = plain_text(write("forecast_revision", matter(start().forecast(1, TEN[0]))))
    assert "1 client was promised and 0 clients came: 100 % fewer." in " ".join(one.split())


def test_missing_months_are_told_to_the_writer() -> None:
    chain = promised(start())
    chain.coverage = [row for row in chain.coverage if row["month"] < TEN[7]]
    letter = write("forecast_revision", matter(chain))
    assert letter.fact("promised").value == 7 * 4
    assert letter.before_sending[-1].startswith("3 of 10 months that count are not reported")


def test_a_prime_asks_its_commissioner_about_the_whole_contract_and_names_nobody() -> None:
    chain = start()
    for month in TEN:
        chain.forecast(50, month, None, by="G", rank=0)
    chain.referral("P", TEN[0], "S", count=10).referral("P", TEN[0], "P", count=7)
    letter = write("contract_forecast_revision", matter(chain, whole=True))
    assert letter.fact("promised").value == 500
    assert letter.fact("received_by_prime").value == 17
    assert letter.subcontractor_id is None
    assert "Exampleton" not in plain_text(letter)
    assert grids(letter)["Referrals by month"].rows[0] == ("June 2011", "50", "17")


# Late payment


def independent_claim(chain: Chain) -> tuple[int, int, int]:
    """Interest, fixed sums and what is unpaid of `late`, by hand: 8 % and 0.5 %, 30 days."""
    interest, owed, unpaid = 0, {}, 0
    for row in chain.payments:
        ended = row["paid_on"] or dt.date(2012, 4, 10)
        days = (ended - row["invoiced_on"]).days - 30
        if days > 0:
            pence = row["subcontractor_amount_pence"]
            interest += int(pence * Fraction(85, 1000) * days / 365)
            owed[row["invoiced_on"]] = owed.get(row["invoiced_on"], 0) + pence
            unpaid += 0 if row["paid_on"] else pence
    fixed = sum(40 if p < 100_000 else 70 if p < 1_000_000 else 100 for p in owed.values())
    return interest, 100 * fixed, unpaid


def test_a_claim_is_the_sum_of_its_invoices_worked_out_by_hand() -> None:
    chain = late(start(payment_terms_days=30))
    interest, fixed, unpaid = independent_claim(chain)
    letter = write("late_payment_claim", matter(chain))
    assert letter.fact("interest_pence").value == interest
    assert letter.fact("compensation_pence").value == fixed == 4_000 + 7_000 + 10_000
    assert letter.fact("unpaid_pence").value == unpaid == 1_234_567
    assert letter.fact("invoices").value == 3
    assert letter.fact("late_pence").value == 99_999 + 60_000 + 50_000 + 1_234_567
    rows = grids(letter)["The claim, invoice by invoice"].rows
    assert [row[0] for row in rows] == [
        "1 July 2011",
        "1 September 2011",
        "1 September 2011",
        "3 October 2011",
        "Together",
    ]
    assert rows[0] == (
        "1 July 2011",
        "31 July 2011",
        "11 August 2011",
        "£999.99",
        "11",
        "8.5 %",
        "£2.56",
        "£40",
    )
    assert [row[7] for row in rows] == ["£40", "£70", "", "£100", "£210"]
    assert rows[3][2] == "unpaid on 10 April 2012"
    assert rows[-1][6] == f"£{interest / 100:.2f}"
    a_day = int(1_234_567 * Fraction(85, 1000) / 365)
    text = " ".join(plain_text(letter).split())
    assert f"goes on until you pay, by £{a_day / 100:.2f} a day" in text
    total = interest + fixed + unpaid
    assert f"Together £{total / 100:,.2f}." in text
    assert "£12,345.67 that is still unpaid" in text
    assert "This is not legal advice." in text
    assert "Late Payment of Commercial Debts (Interest) Act 1998" in text
    assert any("reckoned up to the day" in note for note in letter.before_sending)


@few
@given(cases())
def test_claims_are_those_of_the_oracle_for_random_payments(case: Case) -> None:
    rules = rules_as_of(case.as_of).override(case.rules)
    answers = payment_delay.assess(gather(case.chain.frames(), case.as_of), rules)
    contracts = {row["contract_id"]: row for row in case.chain.contracts}
    oracle = DutiesOracle(dict(case.chain.rows()), case.as_of, case.rules)
    blank = matter(start())
    for found in answers:
        agreement = next(
            row
            for row in case.chain.agreements
            if (row["contract_id"], row["subcontractor_id"])
            == (found.contract_id, found.subcontractor_id)
        )
        wanted = oracle.payment_delay(contracts.get(found.contract_id), agreement)
        interest, fixed = wanted.get("claim", (0, 0))
        about = replace(blank, as_of=case.as_of, payment_delay=found.evidence)
        if not fixed:
            with pytest.raises(NotOnRecord, match="so there is nothing to claim"):
                write("late_payment_claim", about)
            continue
        letter = write("late_payment_claim", about)
        assert letter.fact("interest_pence").value == interest
        assert letter.fact("compensation_pence").value == fixed
        rows = grids(letter)["The claim, invoice by invoice"].rows
        for place, wanted_pence in ((6, interest), (7, fixed)):
            column = [str(row[place]).replace("£", "").replace(",", "") for row in rows]
            pence = [round(float(cell) * 100) for cell in column if cell]
            assert sum(pence[:-1]) == pence[-1] == wanted_pence


def test_nothing_late_is_nothing_to_claim() -> None:
    with pytest.raises(NotOnRecord, match="No payment to Exampleton Trust in C1 is on record"):
        write("late_payment_claim", matter(start()))
    in_time = start().payment("S", TEN[0], None, 500, invoiced_on=TEN[0])
    with pytest.raises(NotOnRecord, match="nothing to claim"):
        write("late_payment_claim", matter(in_time))


def test_the_writer_of_a_claim_is_warned_of_what_the_data_cannot_know() -> None:
    old = matter(late(start()), dt.date(2018, 1, 1))
    notes = " ".join(write("late_payment_claim", old).before_sending)
    assert "Look into the agreement first" in notes
    assert "Take out invoices that were disputed" in notes
    assert "The oldest invoice is of 1 July 2011" in notes
    assert "left out" not in notes
    paid = start(payment_terms_days=40)
    paid.payment(
        "S", TEN[1], None, 500, invoiced_on=dt.date(2011, 7, 1), paid_on=dt.date(2011, 9, 1)
    )
    paid.payment(
        "S", TEN[1], None, 500, invoiced_on=dt.date(2011, 7, 2), paid_on=dt.date(2011, 8, 5)
    )
    letter = write("late_payment_claim", matter(paid))
    notes = " ".join(letter.before_sending)
    assert "1 late invoice left out: by the Act no interest runs on it." in notes
    assert (
        "the returns of Exampleton Trust show 2 late payments, those of Sample Prime Ltd 0" in notes
    )
    assert "reckoned" not in notes
    assert "goes on until" not in plain_text(letter)
    assert letter.fact("payment_terms_days").value == 40
    assert letter.fact("interest_after_days").value == 40
    more = paid.payment(
        "S", TEN[1], None, 500, invoiced_on=dt.date(2011, 7, 3), paid_on=dt.date(2011, 8, 5)
    )
    assert "2 late invoices left out: by the Act no interest runs on them." in " ".join(
        write("late_payment_claim", matter(more)).before_sending
    )


def test_a_rate_that_stands_in_is_named_and_small_interest_has_no_sum_a_day() -> None:
    chain = Chain().contract().agreement()
    chain.covers("S", months("2030-01", 6), "payments", received_on="2030-07-10")
    chain.payment("S", dt.date(2030, 1, 1), None, 100, paid=False, invoiced_on=dt.date(2030, 1, 2))
    about = matter(chain, dt.date(2030, 8, 1))
    letter = write("late_payment_claim", about)
    assert any("no Bank Rate yet" in note for note in letter.before_sending)
    assert "goes on until you pay." in " ".join(plain_text(letter).split())


# Expression of interest


def test_the_form_is_the_same_for_everybody_and_tells_nothing_of_other_agreements() -> None:
    empty = Matter(TODAY, None, None, None, None, None, SUB, has_agreement=False)
    busy = replace(
        matter(promised(start(consented_on=dt.date(2011, 2, 14))).referral("S", TEN[0], count=30)),
        client_groups=("ESA", "JSA 25+"),
        elsewhere=Elsewhere(3, (("call_off", 1), ("specialist", 2))),
    )
    first, second = (write("expression_of_interest", one) for one in (empty, busy))
    headings = [
        [block.words for block in one.blocks if isinstance(block, Heading)][1:]
        for one in (first, second)
    ]
    assert headings[0] == headings[1]
    assert first.reader is None
    assert first.answer()["to"] is None
    assert {"contract", "programme", "area", "client groups"} <= set(first.blanks)
    assert second.fact("agreements_elsewhere").value == 3
    assert second.fact("received_by_subcontractor").value == 30
    text = " ".join(plain_text(second).split())
    assert "3 agreements: 1 of delivery on call; 2 of specialist delivery" in text
    assert "ESA, JSA 25+" in text
    assert "We agreed in writing on 14 February 2011 to be named" in text
    text = " ".join(plain_text(first).split())
    assert "We do not agree to be named in a bid by this letter" in text
    assert "none is on record" in text
    for asked in ("volume", "price", "management fee", "TUPE", "within how many days"):
        assert asked in text
    assert any("below 8" in note for note in first.before_sending)


def test_what_the_register_does_not_know_is_left_to_fill_in() -> None:
    about = replace(
        matter(start(delivery_role="mentoring")), subcontractor=Organisation("S", "Exampleton")
    )
    letter = write("expression_of_interest", about)
    assert "voluntary, private or public" in letter.blanks
    assert letter.fact("sector").shown == "not recorded"
    assert "mentoring" in plain_text(letter)


def test_a_blank_is_never_text_of_the_data() -> None:
    assert str(Blank("day")) == "[day]"
