"""The right of reply on the worked example: the page, the review behind it, and the commands."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.commands.arrangements import arrange, embargo
from dashboard.commands.replies import replies as commands
from dashboard.proceedings import attend, open_to_all, published_answer, reply_days, review
from dashboard.service import Service
from data.arrangements import in_force, make, scope_of
from data.database import STEPS, Database
from data.errors import BadOption, NotAllowed, NotOnRecord, ReturnConflict, StoreError
from data.replies import (
    Raised,
    Reviewed,
    ask_first,
    bring_up_to_date,
    cases,
    decide,
    reply,
)
from data.scope import OPERATOR, Reach, Scope
from data.working_days import working_day_after
from metrics.own_returns import rests_on_subcontractor
from tests.people import let_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.replies import Case
    from metrics.definition import Assessment

TODAY = dt.date.today()
SCRIPT = """
from dashboard.views import markup, replies
from data.errors import UserError
try:
    replies.show()
except UserError as error:
    markup.notice("bad", str(error))
"""


@dataclass(frozen=True)
class Argued:
    """A raised flag that two sides can argue about, and who has to do with it."""

    flag: str
    contract_id: str
    prime_id: str
    subcontractor_id: str
    commissioner_id: str
    rival_id: str
    raised: tuple[Assessment, ...]


@pytest.fixture(scope="module")
def argued(demo_store: Path) -> Argued:
    service = Service(demo_store, OPERATOR)
    contracts = service.registers()["contracts"].to_pylist()
    raised = tuple(one for one in service.flags().assessments if one.status == "raised")
    found = next(one for one in raised if rests_on_subcontractor(one))
    commissioner_id = next(
        one["commissioner_id"] for one in contracts if one["contract_id"] == found.contract_id
    )
    others = (found.prime_id, commissioner_id)
    rival_id = next(one["prime_id"] for one in contracts if one["prime_id"] not in others)
    return Argued(
        found.flag,
        found.contract_id,
        str(found.prime_id),
        str(found.subcontractor_id),
        commissioner_id,
        rival_id,
        raised,
    )


class Ledger:
    """A copy of the worked example and its database, to change."""

    network_id = "XX-THE-NETWORK"

    def __init__(self, store: Path, database: Database, argued: Argued):
        self.store, self.database = store, database
        self.service = Service(store, OPERATOR)
        self.raised, self.flag = argued.raised, argued.flag
        self.contract_id, self.prime_id = argued.contract_id, argued.prime_id
        self.subcontractor_id = argued.subcontractor_id
        self.commissioner_id, self.rival_id = argued.commissioner_id, argued.rival_id

    def scope(self, who: str) -> Scope:
        if who == "operator":
            return OPERATOR
        role: Any = "network" if who == self.network_id else "member"
        return scope_of(self.database, role, who)

    def reach(self, who: str) -> Reach:
        return self.service.within(self.scope(who)).reach()

    def cases(self, who: str = "operator") -> tuple[Case, ...]:
        return cases(self.database, self.scope(who), self.reach(who))

    def case(self, who: str = "operator") -> Case:
        """The case of the flag that the two sides argue about."""
        wanted = (self.flag, self.contract_id, self.subcontractor_id)
        (found,) = (
            one
            for one in self.cases(who)
            if (one.flag, one.contract_id, one.subcontractor_id) == wanted
        )
        return found

    def page(self, who: str) -> AppTest:
        """The page as somebody sees it."""
        scope = self.scope(who)
        session.serve(
            self.service.within(scope), database=self.database, person=session.Person(scope)
        )
        at = AppTest.from_string(SCRIPT, default_timeout=60)
        at.run()
        assert not at.exception
        return at


@pytest.fixture
def ledger(demo_copy: Path, argued: Argued) -> Iterator[Ledger]:
    """Nothing was reviewed yet."""
    database = Database(demo_copy)
    everybody_joined(demo_copy, database)
    yield Ledger(demo_copy, database, argued)
    database.close()


def everybody_joined(store: Path, database: Database) -> None:
    """Somebody of each organisation of the worked example can sign in."""
    registers = Service(store, OPERATOR).registers()
    let_in(database, *registers["organisations"].column("organisation_id").to_pylist())


@pytest.fixture(scope="module")
def reviewed_store(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("reviewed") / "store"
    shutil.copytree(demo_store, store)
    database = Database(store)
    everybody_joined(store, database)
    review(Service(store, OPERATOR), database, TODAY)
    database.close()
    return store


@pytest.fixture
def reviewed(reviewed_store: Path, tmp_path: Path, argued: Argued) -> Iterator[Ledger]:
    """Every raised flag was put to those it is about."""
    store = tmp_path / "reviewed"
    shutil.copytree(reviewed_store, store)
    database = Database(store)
    yield Ledger(store, database, argued)
    database.close()


def words(at: AppTest) -> str:
    """All that stands on the page, as text."""
    parts = [element.value for element in (*at.title, *at.header, *at.subheader)]
    html_parts = [block.proto.body for block in at.get("html")]
    labels = [element.label for element in at.expander]
    told = " ".join([*parts, *html_parts, *labels])
    plain = html.unescape(re.sub(r"<[^>]+>", " ", told)).replace("\\", "").replace("\u2060", "")
    return re.sub(r"\s+", " ", plain)


def press(at: AppTest, label: str, key: str = "") -> AppTest:
    button = next(
        one for one in at.button if one.label == label and key in f"{one.key} {one.proto.form_id}"
    )
    button.click().run()
    assert not at.exception
    return at


# The review


def test_a_review_opens_a_case_for_everything_raised_and_the_same_again_changes_nothing(
    ledger: Ledger,
) -> None:
    count = len(ledger.raised)
    assert review(ledger.service, ledger.database) == Reviewed(opened_count=count)
    assert review(ledger.service, ledger.database) == Reviewed()
    told = {(a.flag, a.contract_id, a.subcontractor_id, a.sentence) for a in ledger.raised}
    found = ledger.cases()
    assert {(c.flag, c.contract_id, c.subcontractor_id, c.sentence) for c in found} == told
    case = ledger.case()
    assert case.due_on == working_day_after(TODAY, reply_days())
    assert case.answer["ledger_version"] == ledger.service.version()
    assert case.answer["evidence"]["rules"][next(iter(case.answer["evidence"]["rules"]))]["version"]
    assert case.names[ledger.prime_id].startswith("Invented")
    assert all("rows" not in one.answer["evidence"] for one in found)


def test_a_review_by_whoever_asks_is_of_the_whole_ledger(ledger: Ledger) -> None:
    mine = ledger.service.within(ledger.scope(ledger.rival_id))
    assert review(mine, ledger.database) == Reviewed(opened_count=len(ledger.raised))


def test_an_empty_store_has_nothing_to_review(tmp_path: Path) -> None:
    database = Database(tmp_path / "store")
    assert review(Service(tmp_path / "store", OPERATOR), database) == Reviewed()
    database.close()


def test_returns_that_keep_coming_in_put_the_review_off(ledger: Ledger, monkeypatch: Any) -> None:
    versions = iter(range(1, 100))
    monkeypatch.setattr(Service, "version", lambda _self: next(versions))
    with pytest.raises(ReturnConflict, match="Review the flags again in a minute"):
        review(ledger.service, ledger.database)


def test_a_mail_server_that_is_named_wrongly_holds_no_review_up(
    ledger: Ledger, monkeypatch: Any, caplog: Any
) -> None:
    monkeypatch.setenv("FAIRTIER_SMTP", "not an address")
    assert attend(ledger.service, ledger.database, "https://example.org").opened_count
    assert "FAIRTIER_SMTP is not the address of a mail server" in caplog.text
    monkeypatch.setenv("FAIRTIER_SMTP", "smtp://127.0.0.1:9")
    monkeypatch.setenv("FAIRTIER_MAIL_FROM", "fairtier@example.org")
    assert attend(ledger.service, ledger.database, "https://example.org") == Reviewed()


# The page


def test_the_prime_reads_what_is_said_of_it_and_by_when_to_reply(reviewed: Ledger) -> None:
    told = words(reviewed.page(reviewed.prime_id))
    case = reviewed.case(reviewed.prime_id)
    due_on = case.due_on or TODAY
    assert "wait for you" in told
    assert f"Reply by {due_on:%A} {due_on.day} {due_on:%B %Y}, 5 working days left." in told
    assert re.sub(r"\s+", " ", case.sentence) in told
    assert case.names[str(case.subcontractor_id)] in told
    assert "New on" in told
    assert "New on" not in words(reviewed.page(reviewed.prime_id))


def test_the_prime_replies_and_the_subcontractor_reads_it(reviewed: Ledger) -> None:
    at = reviewed.page(reviewed.prime_id)
    case_id = reviewed.case().case_id
    press(at, "Send the reply", case_id)
    assert "Say whether you accept or dispute the flag" in words(at)
    at.radio(key=f"stance {case_id}").set_value("disputed")
    at.selectbox(key=f"reason {case_id}").set_value("other")
    at.text_area(key=f"text {case_id}").set_value("<b>We</b> were [told](http://a.b) to.")
    press(at, "Send the reply", case_id)
    assert "Your reply is recorded." in words(at)
    told = words(reviewed.page(reviewed.subcontractor_id))
    assert "<b>We</b> were [told](http://a.b) to." in told
    assert "was replied to" in told
    assert reviewed.case().outcome == "disputed"


def test_a_stranger_sees_no_case_and_no_name_of_it(reviewed: Ledger) -> None:
    case = reviewed.case()
    told = words(reviewed.page(reviewed.rival_id))
    assert case.sentence not in told
    assert case.names[str(case.subcontractor_id)] not in told
    told = words(reviewed.page("XX-NOBODY"))
    assert "No flag about you has been put to anybody." in told


def test_nobody_who_is_not_signed_in_sees_the_page(reviewed: Ledger) -> None:
    session.serve(
        reviewed.service.within(Scope("public")),
        database=reviewed.database,
        person=session.Person(Scope("public")),
    )
    at = AppTest.from_string(SCRIPT, default_timeout=60).run()
    assert "not yours to see" in words(at)
    assert not at.expander


def test_the_network_decides_when_the_clock_has_run(reviewed: Ledger) -> None:
    case_id = reviewed.case().case_id
    at = reviewed.page("operator")
    told = words(at)
    assert "Publish it after that day." in told
    assert "published" not in at.radio(key=f"decide {case_id}").options
    at.radio(key=f"decide {case_id}").set_value("resolved")
    at.text_area(key=f"why {case_id}").set_value("Both sides settled it.")
    press(at, "Record the decision", case_id)
    assert "The decision is recorded." in words(at)
    assert reviewed.case().outcome == "resolved"


def test_who_cannot_sign_in_is_told_another_way_and_then_has_its_time(
    demo_copy: Path, argued: Argued
) -> None:
    database = Database(demo_copy)
    ledger = Ledger(demo_copy, database, argued)
    let_in(database, *{str(one.prime_id) for one in argued.raised})
    review(ledger.service, database, TODAY)
    case = ledger.case()
    assert case.unreached == (ledger.subcontractor_id,)
    name = case.names[ledger.subcontractor_id]
    told = words(ledger.page(ledger.prime_id))
    assert f"Nobody of {name} can sign in yet: the time to reply has not begun there." in told
    at = ledger.page(ledger.network_id)
    assert f"Nobody of {name} can sign in: invite somebody, or put it to them another way" in (
        words(at)
    )
    at.date_input(key=f"told on {case.case_id}").set_value(TODAY)
    at.text_area(key=f"told how {case.case_id}").set_value("By letter to the manager.")
    press(at, "Record that it was told", f"tell {case.case_id}")
    told = words(at)
    assert "It is recorded, and their time to reply has begun." in told
    assert f"The network put the flag to {name} another way" in told
    assert "By letter to the manager." in told
    assert ledger.case().unreached == ()
    database.close()


def test_who_decides_on_what_another_has_decided_meanwhile_sees_that_first(
    reviewed: Ledger,
) -> None:
    case_id, who = reviewed.case().case_id, reviewed.network_id

    def chosen(decision: str) -> AppTest:
        at = reviewed.page(who)
        at.radio(key=f"decide {case_id}").set_value(decision)
        at.text_area(key=f"why {case_id}").set_value("Both sides were asked.")
        return at

    first, second = chosen("resolved"), chosen("withheld")
    press(first, "Record the decision", case_id)
    press(second, "Record the decision", case_id)
    told = words(second)
    assert "Somebody decided this case meanwhile: look at it again." in told
    assert "The network found the matter resolved" in told
    assert [step.kind for step in reviewed.case().steps] == ["opened", "resolved"]
    press(second, "Record the decision", case_id)  # now that it was seen
    assert [step.kind for step in reviewed.case().steps] == ["opened", "resolved", "withheld"]


def test_a_subcontractor_switches_on_that_it_is_asked_first_and_releases_a_flag(
    ledger: Ledger,
) -> None:
    who = ledger.subcontractor_id
    press(ledger.page(who), "Switch on", "switch ask_first")
    assert in_force(ledger.database, "ask_first") == {who}
    review(ledger.service, ledger.database, TODAY)
    case = ledger.case()
    assert case.held
    told = words(ledger.page(ledger.prime_id))
    assert re.sub(r"\s+", " ", case.sentence) not in told
    at = ledger.page(who)
    assert "Say whether it may be shown to the prime." in words(at)
    press(at, "Do not agree", case.case_id)
    assert "did not agree that it is shown" in words(ledger.page(who))
    press(ledger.page(who), "Agree to show it", case.case_id)
    assert re.sub(r"\s+", " ", case.sentence) in words(ledger.page(ledger.prime_id))
    press(ledger.page(who), "Switch off", "switch ask_first")
    assert not any(one.held for one in ledger.cases())


def test_the_commissioner_puts_its_contract_under_embargo_and_lifts_it(reviewed: Ledger) -> None:
    who = reviewed.commissioner_id
    at = reviewed.page(who)
    assert reviewed.contract_id in at.selectbox(key="confidential make subject").options
    press(at, "Put it under embargo")
    assert "Choose a contract first." in words(at)
    at.selectbox(key="confidential make subject").set_value(reviewed.contract_id)
    at.text_input(key="confidential make reason").set_value("A bid is open.")
    press(at, "Put it under embargo")
    assert in_force(reviewed.database, "confidential") == {reviewed.contract_id}
    at = reviewed.page(who)
    assert "A bid is open." in words(at)
    at.selectbox(key="confidential end subject").set_value(reviewed.contract_id)
    press(at, "End it", "confidential end")
    assert in_force(reviewed.database, "confidential") == frozenset()


def test_only_the_network_shows_prices_and_each_organisation_names_its_agent(
    reviewed: Ledger,
) -> None:
    keys = {one.key for one in reviewed.page(reviewed.commissioner_id).selectbox}
    assert "prices_shown make subject" not in keys
    at = reviewed.page(reviewed.network_id)
    at.selectbox(key="prices_shown make subject").set_value(reviewed.contract_id)
    press(at, "Show its prices")
    assert in_force(reviewed.database, "prices_shown") == {reviewed.contract_id}
    press(reviewed.page(reviewed.prime_id), "Switch on", "switch agent")
    assert in_force(reviewed.database, "agent") == {reviewed.prime_id}
    case_id = reviewed.case().case_id
    at = reviewed.page(reviewed.network_id)
    at.radio(key=f"stance {case_id}").set_value("accepted")
    at.selectbox(key=f"reason {case_id}").set_value("put_right")
    press(at, "Send the reply", case_id)
    (step,) = reviewed.case().replies
    assert step.organisation_id == reviewed.prime_id
    press(reviewed.page(reviewed.prime_id), "Switch off", "switch agent")


def test_what_has_ceased_stands_apart(reviewed: Ledger) -> None:
    case = reviewed.case()
    statuses = {(case.flag, case.contract_id, case.subcontractor_id): "clear"}
    bring_up_to_date(reviewed.database, [], statuses, today=TODAY, reply_days=5)
    told = words(reviewed.page(reviewed.prime_id))
    assert "No longer raised" in told
    assert "Its status is now: clear." in told
    assert "Nothing waits for you." in told


def test_a_case_that_is_now_about_another_prime_says_so(reviewed: Ledger) -> None:
    moved = [
        Raised(one.flag, one.contract_id, "XX-OTHER", one.subcontractor_id, False, one.answer)
        for one in reviewed.cases()
    ]
    statuses = {(one.flag, one.contract_id, one.subcontractor_id): "raised" for one in moved}
    bring_up_to_date(reviewed.database, moved, statuses, today=TODAY, reply_days=5)
    told = words(reviewed.page(reviewed.prime_id))
    assert "The register names another prime now" in told


def test_a_published_case_says_so_and_when_the_clock_ran(reviewed: Ledger) -> None:
    long_ago = dt.date(2026, 1, 5)
    with reviewed.database.writing() as connection:
        connection.execute(STEPS.update().values(due_on=long_ago))
    who, case = reviewed.network_id, reviewed.case()
    told = words(reviewed.page(who))
    assert "Decide whether it is published." in told
    assert "The time to reply ran until Monday 5 January 2026" in told
    decide(
        reviewed.database,
        reviewed.scope(who),
        reviewed.reach(who),
        case.case_id,
        "published",
        actor="n@example.org",
        today=TODAY,
    )
    told = words(reviewed.page(reviewed.prime_id))
    assert "Published, with the replies beside it." in told
    make(
        reviewed.database,
        OPERATOR,
        Reach(OPERATOR),
        "confidential",
        reviewed.contract_id,
        actor="operator",
    )
    told = words(reviewed.page(reviewed.prime_id))
    assert "Not shown to the public while the contract is under embargo." in told


def test_a_page_that_is_long_is_shown_in_parts(reviewed: Ledger) -> None:
    found = [
        Raised(f"flag{n}", "C", reviewed.prime_id, None, False, reviewed.case().answer)
        for n in range(30)
    ]
    bring_up_to_date(reviewed.database, found, {}, today=TODAY, reply_days=5)
    at = reviewed.page("operator")
    assert at.selectbox(key="cases_open").options[:2] == ["1 to 10 of 30", "11 to 20 of 30"]


# The commands


def run(group: Any, *arguments: str, store: Path) -> str:
    result = CliRunner().invoke(group, [*arguments, "--store", str(store)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_the_commands_review_list_show_reply_and_decide(ledger: Ledger) -> None:
    store = ledger.store
    assert "No flag was put to anybody" in run(commands, "list", store=store)
    assert json.loads(run(commands, "review", "--json", store=store))["opened_count"]
    assert "0 put to those they are about" in run(commands, "review", store=store)
    case_id = ledger.case().case_id
    by = ("--by", ledger.prime_id, "--as", ledger.prime_id)
    told = run(commands, "reply", case_id, *by, "--dispute", "--reason", "volume", store=store)
    assert "The case is now: disputed." in told
    assert "disputed" in run(commands, "list", store=store)
    shown = json.loads(run(commands, "list", "--json", "--as", ledger.prime_id, store=store))
    assert case_id in {one["case_id"] for one in shown}
    (one,) = (one for one in shown if one["case_id"] == case_id)
    assert (one["outcome"], one["steps"][-1]["reason"]) == ("disputed", "volume")
    told = run(commands, "show", case_id, store=store)
    assert ledger.case().sentence in told.replace("\n", " ") or ledger.case().sentence in told
    assert json.loads(run(commands, "show", case_id, "--json", store=store)) == one
    with pytest.raises(NotAllowed):
        run(commands, "show", case_id, "--as", ledger.rival_id, store=store)
    with pytest.raises(NotAllowed, match="may reply until"):
        run(commands, "decide", case_id, "published", "--reason", "Now.", store=store)
    told = run(commands, "decide", case_id, "withheld", "--reason", "Not now.", store=store)
    assert "disputed, withheld" in told
    assert "volume:" in CliRunner().invoke(commands, ["reasons"]).output
    assert "Nothing is published." in run(commands, "published", store=store)


def test_the_commands_name_a_case_by_its_beginning_and_say_who_was_told(
    demo_copy: Path, argued: Argued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.commands.replies.out.width", 80)
    database = Database(demo_copy)
    ledger = Ledger(demo_copy, database, argued)
    run(commands, "review", store=demo_copy)
    case = ledger.case()
    listed = run(commands, "list", store=demo_copy)
    assert "…" not in listed
    beginning = case.case_id[:9]
    assert beginning in listed
    shown = run(commands, "show", beginning, "--as", ledger.prime_id, store=demo_copy)
    assert case.sentence in shown
    assert f"Nobody of {case.named(case.parties)} can sign in" in shown
    for party in case.parties:
        about = ("--org", party, "--text", "By telephone.")
        told = run(commands, "told", beginning, *about, store=demo_copy)
        assert "Recorded. It may reply until" in told
    shown = run(commands, "show", beginning, store=demo_copy)
    assert "can sign in" not in shown.replace("could sign in", "")
    assert "By telephone." in shown
    with pytest.raises(NotAllowed):
        run(commands, "show", beginning, "--as", ledger.rival_id, store=demo_copy)
    database.close()


def test_the_commands_arrange_hold_and_release(ledger: Ledger) -> None:
    store, who = ledger.store, ledger.subcontractor_id
    assert "No arrangement is in force." in run(arrange, store=store)
    assert "in force" in run(arrange, "ask_first", who, "--as", who, store=store)
    assert "ask_first" in run(arrange, store=store)
    assert json.loads(run(arrange, "--json", "--as", who, store=store))[0]["subject_id"] == who
    assert json.loads(run(arrange, "--json", "--as", ledger.prime_id, store=store)) == []
    run(commands, "review", store=store)
    case_id = ledger.case().case_id
    assert "held" in run(commands, "list", store=store)
    told = run(commands, "decline", case_id, "--by", who, "--as", who, store=store)
    assert "It stays held" in told
    assert "Put to the prime" in run(commands, "release", case_id, "--by", who, store=store)
    told = run(arrange, "ask_first", who, "--end", store=store)
    assert "ended" in told


def test_the_commands_put_a_contract_under_embargo_and_lift_it(ledger: Ledger) -> None:
    store, contract_id = ledger.store, ledger.contract_id
    assert "is under embargo until" in run(embargo, contract_id, "--reason", "Bid.", store=store)
    assert Service(store, OPERATOR).confidential() == {contract_id}
    told = run(embargo, contract_id, "--lift", "--as", ledger.commissioner_id, store=store)
    assert "is lifted" in told
    with pytest.raises(NotOnRecord, match="Did you mean"):
        run(embargo, f"{contract_id}X", store=store)
    with pytest.raises(NotAllowed):
        run(embargo, contract_id, "--as", ledger.prime_id, store=store)
    with pytest.raises(BadOption, match="There is no arrangement"):
        run(arrange, "secret", contract_id, store=store)
    with pytest.raises(BadOption, match="Say which contract"):
        run(arrange, "confidential", store=store)
    assert "in force" in run(arrange, "prices_shown", contract_id, store=store)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        run(commands, "list", store=tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_what_is_published_can_be_read_by_anybody(reviewed: Ledger) -> None:
    case = reviewed.case()
    reply(
        reviewed.database,
        reviewed.scope(reviewed.prime_id),
        reviewed.reach(reviewed.prime_id),
        case.case_id,
        by=reviewed.prime_id,
        stance="accepted",
        reason="put_right",
        text="Since April.",
        actor="p@example.org",
    )
    later = dt.date(2099, 1, 1)
    decide(
        reviewed.database,
        OPERATOR,
        Reach(OPERATOR),
        case.case_id,
        "published",
        reason="It matters.",
        actor="operator",
        today=later,
    )
    (one,) = open_to_all(reviewed.database, later)
    answer = json.loads(json.dumps(published_answer(one)))
    assert answer["replies"][0]["text"] == "Since April."
    assert "p@example.org" not in str(answer)
    with reviewed.database.writing() as connection:
        connection.execute(STEPS.update().values(due_on=dt.date(2026, 1, 5)))
    told = run(commands, "published", store=reviewed.store)
    assert "The network: It matters." in told
    assert len(json.loads(run(commands, "published", "--json", store=reviewed.store))) == 1


def test_switching_off_by_the_data_functions_counts_what_it_released(ledger: Ledger) -> None:
    who = ledger.subcontractor_id
    scope, reach = ledger.scope(who), ledger.reach(who)
    settings: Any = {"actor": "s@", "today": TODAY, "reply_days": 5}
    ask_first(ledger.database, scope, reach, who, on=True, **settings)
    review(ledger.service, ledger.database, TODAY)
    assert ask_first(ledger.database, scope, reach, who, on=False, **settings) >= 1
