"""Letters for those whose letters they are: on the page, as a file, and by the command."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import docx
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.letters import choices, letter
from dashboard.service import Service
from dashboard.session import Person
from dashboard.terminal import Fairtier
from data.demo.plan import CLOSED_ON, COMMISSIONER, NETWORK, prime, subcontractor
from data.errors import BadOption, NotAllowed, NotOnRecord
from data.scope import NOT_SHOWN, OPERATOR, PUBLIC, Scope
from metrics.notices.catalogue import templates
from metrics.notices.plain_text import plain_text
from tests.functional.serving import InThisProcess, Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NORTH = "EXAMPLE-NORTH-1"
MINE, RIVAL = subcontractor(12), subcontractor(7)  # two subcontractors of the same contract
LATE = ("late_payment_claim", NORTH, MINE)
KINDS = tuple(one.notice.id for one in templates())


@pytest.fixture(scope="module")
def network(demo_store: Path) -> Service:
    return Service(demo_store, OPERATOR)


def by(network: Service, organisation_id: str) -> Service:
    return network.within(Scope("member", organisation_id))


def unused() -> tuple[str, str]:
    """An agreement of the worked example that was named in the bid and had nobody."""
    return "EXAMPLE-NORTH-2", subcontractor(59)


# Who may make which


def test_the_party_that_writes_a_letter_may_make_it_and_the_network_for_it(network) -> None:
    contract_id, silent = unused()
    holder = prime_of(network, contract_id)
    asked = {
        "non_utilisation": (holder, contract_id, silent),
        "non_utilisation_request": (silent, contract_id, silent),
        "forecast_revision": (MINE, NORTH, MINE),
        "contract_forecast_revision": (prime_of(network, NORTH), NORTH, None),
        "late_payment_claim": (MINE, NORTH, MINE),
        "expression_of_interest": (MINE, NORTH, MINE),
    }
    assert tuple(asked) == KINDS
    for kind, (writer, contract_id, whom) in asked.items():
        own = letter(by(network, writer), kind, contract_id, whom, CLOSED_ON)
        assert own.writer.organisation_id == writer
        theirs = letter(
            network.within(Scope("network", NETWORK)), kind, contract_id, whom, CLOSED_ON
        )
        assert theirs.blocks == own.blocks, "the network sees no other figures than the writer"


def prime_of(network: Service, contract_id: str) -> str:
    rows = network.registers()["contracts"].to_pylist()
    return str(next(row["prime_id"] for row in rows if row["contract_id"] == contract_id))


STRANGERS = (RIVAL, prime(2), subcontractor(50), "XX-EXAMPLE-NOBODY")


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_rival_cannot_make_one_and_learns_nothing_from_the_refusal(network, who, kind) -> None:
    """The same words for what is there, for what is not, and for what cannot be."""
    asked = by(network, who)
    told = set()
    about = [(NORTH, MINE), (NORTH, "XX-NO-SUCH"), ("NO-SUCH-CONTRACT", MINE)]
    if kind == "contract_forecast_revision":
        about = [(NORTH, None), ("NO-SUCH-CONTRACT", None)]
    for contract_id, whom in about:
        with pytest.raises(NotOnRecord) as refused:
            letter(asked, kind, contract_id, whom, CLOSED_ON)
        told.add(str(refused.value))
    assert told == {NOT_SHOWN}


def test_the_public_makes_none(network) -> None:
    for kind in KINDS:
        whom = None if kind == "contract_forecast_revision" else MINE
        with pytest.raises(NotOnRecord, match=re.escape(NOT_SHOWN)):
            letter(network.within(PUBLIC), kind, NORTH, whom)
    with pytest.raises(NotOnRecord, match=re.escape(NOT_SHOWN)):
        letter(network.within(PUBLIC), "expression_of_interest", None, MINE)
    assert choices(network.within(PUBLIC)) == []


def test_the_other_side_and_the_commissioner_do_not_write_for_the_writer(network) -> None:
    holder = prime_of(network, NORTH)
    for who, kind, whom in (
        (holder, "late_payment_claim", MINE),
        (holder, "expression_of_interest", MINE),
        (MINE, "non_utilisation", MINE),
        (COMMISSIONER, "late_payment_claim", MINE),
        (COMMISSIONER, "contract_forecast_revision", None),
    ):
        with pytest.raises(NotAllowed, match=f"writes the letter {kind}. Only it can make one"):
            letter(by(network, who), kind, NORTH, whom, CLOSED_ON)


def test_what_is_not_on_record_is_named_to_those_who_see_the_contract(network) -> None:
    for kind, contract_id, whom, told in (
        ("late_payment_claim", "EXAMPLE-NORTH-9", MINE, "Did you mean EXAMPLE-NORTH-"),
        ("late_payment_claim", NORTH, "XX-EXAMPLE-SUB-1", "agreement in EXAMPLE-NORTH-1 with"),
        ("expression_of_interest", None, "XX-NO-SUCH-THING-AT-ALL", "No organisation"),
        ("expression_of_interest", "zzz", "XX-EXAMPLE-SUB-1", 'No contract "zzz" is on record.'),
    ):
        with pytest.raises(NotOnRecord, match=told):
            letter(network, kind, contract_id, whom)


def test_a_name_that_is_missing_or_too_many_is_asked_for(network, tmp_path) -> None:
    for kind, contract_id, whom, told in (
        ("late_payment_claim", NORTH, None, "needs a subcontractor: name its id"),
        ("late_payment_claim", None, MINE, "needs a contract: name its id"),
        ("contract_forecast_revision", NORTH, MINE, "about a whole contract: name no"),
        ("complaint", NORTH, MINE, 'There is no letter "complaint"'),
    ):
        with pytest.raises(BadOption, match=told):
            letter(network, kind, contract_id, whom)


def test_a_prime_that_delivers_itself_writes_no_letter_to_itself(network) -> None:
    holder = prime_of(network, NORTH)
    with pytest.raises(BadOption, match="the prime delivers itself"):
        letter(network, "expression_of_interest", NORTH, holder)


def test_a_subcontractor_need_not_name_itself_nor_a_contract_it_is_interested_in(network) -> None:
    mine = by(network, MINE)
    assert letter(mine, "late_payment_claim", NORTH) == letter(mine, *LATE)
    offer = letter(mine, "expression_of_interest", None)
    assert offer.reader is None
    assert NORTH not in plain_text(offer)
    assert offer.fact("agreements_elsewhere").value == 1
    named = letter(network, "expression_of_interest", "EXAMPLE-SOUTH-2", MINE)
    assert named.reader is not None
    assert named.reader.organisation_id == prime_of(network, "EXAMPLE-SOUTH-2")
    assert not {"received_by_prime", "promised"} & {fact.id for fact in named.facts}


def test_figures_are_those_of_the_rows_that_the_writer_sees(network) -> None:
    """Referrals summed again from the rows on the agreement's own page."""
    mine = by(network, MINE)
    made = letter(mine, "forecast_revision", NORTH, None, CLOSED_ON)
    rows = mine.rows("referrals", NORTH, MINE, CLOSED_ON)
    for side in ("subcontractor", "prime"):
        counted = rows.loc[rows["side"] == side, "referral_count"].sum()
        assert made.fact(f"received_by_{side}").value == counted
    paid = mine.rows("payments", NORTH, MINE, CLOSED_ON)
    own = paid[(paid["side"] == "subcontractor") & paid["invoiced_on"].notna()]
    late = [
        pence
        for pence, sent, came in zip(
            own["subcontractor_amount_pence"], own["invoiced_on"], own["paid_on"], strict=True
        )
        if came == came and came is not None and (came - sent).days > 30  # noqa: PLR0124
    ]
    claim = letter(mine, "late_payment_claim", NORTH, None, CLOSED_ON)
    assert claim.fact("late_pence").value == sum(late)
    assert claim.fact("unpaid_pence").value == 0


def test_contracts_under_embargo_are_no_agreements_elsewhere(demo_copy) -> None:
    from data.arrangements import make
    from data.database import Database

    service = Service(demo_copy, OPERATOR)
    database = Database(demo_copy)
    make(database, OPERATOR, service.reach(), "confidential", NORTH, reason="so", actor="operator")
    database.close()
    offer = letter(by(Service(demo_copy, OPERATOR), MINE), "expression_of_interest", None)
    assert offer.fact("agreements_elsewhere").value == 0


def test_everybody_is_offered_their_own_letters_only(network) -> None:
    assert {kind.id for _, _, mine in choices(by(network, MINE)) for kind in mine} == {
        "non_utilisation_request",
        "forecast_revision",
        "late_payment_claim",
        "expression_of_interest",
    }
    assert {(c, s) for c, s, _ in choices(by(network, MINE))} == {(NORTH, MINE), (None, MINE)}
    holder = by(network, prime_of(network, NORTH))
    offered = {kind.id for c, _, mine in choices(holder) for kind in mine if c is not None}
    assert offered == {"non_utilisation", "contract_forecast_revision"}
    assert [c for c, _, _ in choices(by(network, COMMISSIONER))] == [None]
    every = choices(network)
    assert len(every) == 69 + 6
    assert {kind.id for _, _, mine in every for kind in mine} == set(KINDS)
    for contract_id, whom, mine in choices(by(network, MINE)):
        assert all(letter_or_reason(by(network, MINE), one.id, contract_id, whom) for one in mine)


def letter_or_reason(service: Service, kind: str, contract_id: str | None, whom: str | None) -> str:
    """The subject of a letter, or why it does not fit what is on record."""
    try:
        return letter(service, kind, contract_id, whom).subject
    except (BadOption, NotOnRecord) as refused:
        return str(refused).replace(NOT_SHOWN, "")


# The page


def page():
    """The page alone; it runs as a script of its own, so it imports what it needs."""
    from dashboard.views import letters

    letters.show()


def shown(service: Service, **chosen: object) -> AppTest:
    session.serve(service, person=Person(service.scope))
    at = AppTest.from_function(page, default_timeout=120)
    at.run()
    assert not at.exception
    for key, value in chosen.items():
        at.selectbox(key=key).select(value).run()
        assert not at.exception
    return at


def markup_of(at: AppTest) -> str:
    return " ".join(block.proto.body for block in at.get("html"))


def words(at: AppTest) -> str:
    parts = [one.value for one in (*at.title, *at.header)] + [one.label for one in at.expander]
    return html.unescape(re.sub(r"<[^>]+>", " ", " ".join([*parts, markup_of(at)])))


def downloads_of(at: AppTest) -> dict[str, dict[str, str]]:
    addresses = re.findall(r'href="(/downloads/[^"]*)"', markup_of(at))
    found = [urlsplit(html.unescape(address)) for address in addresses]
    return {one.path.rpartition("/")[2]: dict(parse_qsl(one.query)) for one in found}


def test_somebody_picks_agreement_and_letter_reads_it_and_takes_it_away(network) -> None:
    mine = by(network, MINE)
    at = shown(mine, letter_about=(NORTH, MINE))
    assert at.title[0].value == "Letters"
    kinds = at.selectbox(key=f"letter_kind {(NORTH, MINE)}")
    assert len(kinds.options) == 4
    kinds.select("late_payment_claim").run()
    assert not at.exception
    told = " ".join(words(at).split())
    made = letter(mine, *LATE)
    assert made.subject in told
    for fact in made.facts:
        assert f"{fact.words} {fact.shown} {fact.taken_from}" in told
    assert "£400 as the fixed sums of the Act for 10 invoices." in told
    assert "things to fill in" in told
    assert "<mark>[your address]</mark>" in markup_of(at)
    asked = {"kind": "late_payment_claim", "contract": NORTH, "subcontractor": MINE}
    assert downloads_of(at) == {"letter.docx": asked, "letter.txt": asked}
    assert "for the prime itself and the network" in told
    assert "Invented Canal Hub" not in told, "the rival"


def test_a_letter_that_does_not_fit_says_why_and_offers_no_file(network) -> None:
    at = shown(by(network, MINE), letter_about=(NORTH, MINE))
    at.selectbox(key=f"letter_kind {(NORTH, MINE)}").select("non_utilisation_request").run()
    assert "so it was used" in words(at)
    assert downloads_of(at) == {}


def test_an_offer_for_a_contract_that_is_not_on_record(network) -> None:
    at = shown(by(network, MINE), letter_about=(None, MINE))
    assert "Expression of interest in a contract of yours" in words(at)
    wanted = {"kind": "expression_of_interest", "subcontractor": MINE}
    assert downloads_of(at)["letter.docx"] == wanted


def test_whoever_is_no_party_has_no_letter_and_no_evidence(network) -> None:
    at = shown(network.within(Scope("member", "XX-EXAMPLE-NOBODY")))
    assert "You are no party to an agreement" in words(at)
    assert not at.selectbox
    assert downloads_of(at) == {}


def test_the_network_takes_away_the_evidence_of_a_prime_or_of_all(network) -> None:
    at = shown(network)
    assert at.selectbox(key="merlin_prime").value is None
    assert not [name for name in downloads_of(at) if name.startswith("merlin")]
    at.selectbox(key="merlin_prime").select(prime(1)).run()
    assert not at.exception
    told = " ".join(words(at).split())
    assert "It is no score and no assessment" in told
    assert "Fairtier has no figure that goes with Develop" in told
    for suffix in ("docx", "csv", "json"):
        assert downloads_of(at)[f"merlin.{suffix}"] == {"prime": prime(1)}
    at.selectbox(key="merlin_prime").select("all").run()
    assert words(at).count("as counts of answers and figures; no score") == 5


def test_a_prime_sees_its_own_evidence_at_once(network) -> None:
    at = shown(by(network, prime(2)))
    assert at.selectbox(key="merlin_prime").value == prime(2)
    assert downloads_of(at)["merlin.docx"] == {"prime": prime(2)}


# The files of a shared server


@pytest.fixture(scope="module")
def server(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = shutil.copytree(demo_store, tmp_path_factory.mktemp("letters") / "store")
    with serving(store, InThisProcess()) as running:
        yield running


def test_files_are_made_for_whoever_asks_and_noted(server) -> None:
    asked = {"kind": "late_payment_claim", "contract": NORTH, "as_of": CLOSED_ON.isoformat()}
    answer = server.person(MINE).get("/downloads/letter.docx", params=asked)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == (
        'attachment; filename="late_payment_claim.docx"'
    )
    text = "\n".join(one.text for one in docx.Document(io.BytesIO(answer.content)).paragraphs)
    assert "claim for late payment" in text
    plain = server.person(MINE).get("/downloads/letter.txt", params=asked)
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    event = noted(server)[-1]
    assert event.subject == f"letter.txt {NORTH} {MINE}"
    assert event.details["kind"] == "late_payment_claim"
    for suffix in ("docx", "csv", "json"):
        file = server.person(prime(1)).get(f"/downloads/merlin.{suffix}", params={"prime": "all"})
        assert file.status_code == 200, file.text
        assert noted(server)[-1].details["primes"] == [prime(1)]
    assert [one["prime_id"] for one in json.loads(file.content)] == [prime(1)]


def noted(server: Server) -> list:
    from data import audit

    with server.database.reading() as connection:
        return [one for one in audit.events(connection) if one.action == "evidence.seen"]


def test_a_rival_gets_a_page_with_one_sentence_and_no_file(server) -> None:
    before = len(noted(server))
    refusals = {
        re.sub(r"\s+", " ", answer.text)
        for answer in (
            server.person(RIVAL).get(
                "/downloads/letter.docx",
                params={"kind": "late_payment_claim", "contract": NORTH, "subcontractor": whom},
            )
            for whom in (MINE, "XX-NO-SUCH")
        )
        if answer.status_code == 404
    }
    refusals |= {
        re.sub(r"\s+", " ", server.person(RIVAL).get("/downloads/merlin.csv", params=asked).text)
        for asked in ({"prime": prime(1)}, {"prime": "XX-NO-SUCH"}, {"prime": "all"})
    }
    assert len(refusals) == 1
    assert NOT_SHOWN in refusals.pop()
    assert len(noted(server)) == before


# The commands


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """A command as a person types it: its exit code and what it prints."""
    from dashboard.commands.merlin import merlin
    from dashboard.commands.notices import write_notice

    group = Fairtier(commands={"notice": write_notice, "merlin": merlin})
    code = 0
    try:
        group.main(list(arguments))
    except SystemExit as stop:
        code = int(stop.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_letter_by_command(demo_store, tmp_path, capsys, wide_terminal) -> None:
    store = ("--store", str(demo_store))
    code, out, _ = run(capsys, "notice")
    assert code == 0
    assert all(f"{kind}: " in out for kind in KINDS)
    file = tmp_path / "claim.DOCX"
    code, out, _ = run(capsys, "notice", *LATE, "--out", str(file), *store)
    assert code == 0
    assert "To fill in: your address" in out
    assert "NOTE     Look into the agreement first" in out
    assert docx.Document(str(file)).paragraphs[0].text == "Invented Copper Training Ltd (example)"
    code, out, _ = run(capsys, "notice", "forecast_revision", NORTH, "--as", MINE, *store)
    assert code == 0
    service = Service(demo_store, OPERATOR)
    assert plain_text(letter(service, "forecast_revision", NORTH, MINE)) in out
    offer = ("notice", "expression_of_interest", "", MINE)
    code, out, _ = run(capsys, *offer, *store)
    assert "Expression of interest in a contract of yours" in out
    code, _, err = run(capsys, "notice", *LATE, "--as", RIVAL, *store)
    assert (code, err.strip()) == (2, NOT_SHOWN)
    code, _, err = run(capsys, *offer, "--out", str(tmp_path / "x.pdf"), *store)
    assert (code, err.strip()) == (2, "A letter is a file that ends in .docx or .txt.")
    code, _, err = run(capsys, "notice", *LATE, "--store", str(tmp_path / "nothing"))
    assert code == 2
    assert "nothing" in err


def test_evidence_by_command(demo_store, tmp_path, capsys, wide_terminal) -> None:
    store = ("--store", str(demo_store))
    file = tmp_path / "evidence.csv"
    code, out, _ = run(capsys, "merlin", prime(1), "--out", str(file), *store)
    assert code == 0
    assert "Wrote the evidence of 1 prime to" in out
    assert "It is no score" in out
    assert file.read_bytes().startswith(b"\xef\xbb\xbfprime_id,")
    code, out, _ = run(capsys, "merlin", "all", "--as", prime(1), "--json", *store)
    assert [one["prime_id"] for one in json.loads(out)] == [prime(1)]
    code, _, err = run(capsys, "merlin", prime(1), "--json", "--as", MINE, *store)
    assert (code, err.strip()) == (2, NOT_SHOWN)
    code, _, err = run(capsys, "merlin", prime(1), *store)
    assert code == 2
    assert "Say where the evidence goes" in err
