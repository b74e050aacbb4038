"""The pages about people: members, the audit, one's own account; each shows only what is theirs."""

from __future__ import annotations

import datetime as dt
import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard import people, session
from dashboard.people import browser_name, moment
from dashboard.service import Service
from dashboard.session import Person
from data import accounts, audit, sessions, tokens
from data.database import Database
from data.errors import BadOption, NotAllowed, SignInRefused
from data.scope import NOT_SHOWN, OPERATOR, PUBLIC, Scope

if TYPE_CHECKING:
    from data.accounts import Account

SCRIPT = Path(session.__file__).with_name("views") / "script.py"
PASSWORD = "correct horse battery staple"
BY = {"actor": "operator", "actor_organisation_id": None}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def joined(database: Database, email: str, organisation_id: str, role: str) -> Account:
    _, token = accounts.add(database, email, "Ann *Bold* <b>", organisation_id, role, **BY)
    return accounts.join_with_password(database, token, PASSWORD)


def signed_in(database: Database, account: Account) -> Person:
    begun, _ = sessions.begin(database, account, address="192.0.2.7", browser=FIREFOX)
    return Person(Scope(account.role, account.organisation_id), account, begun.session_id)


@pytest.fixture
def shared(tmp_path: Path):
    """An empty store's database."""
    database = Database(tmp_path / "store")
    yield database
    database.close()


@pytest.fixture
def network(shared) -> Person:
    return signed_in(shared, joined(shared, "net@example.org", "NET", "network"))


@pytest.fixture
def member(shared) -> Person:
    return signed_in(shared, joined(shared, "sub@example.org", "SUB", "member"))


def shown(name: str, database: Database, person: Person) -> AppTest:
    session.serve(Service(database.store, OPERATOR), database=database, person=person)
    at = AppTest.from_file(str(SCRIPT), default_timeout=60)
    at._page_hash = calc_hash(name)  # the only way to a page that is no file of its own
    return run(at)


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def click(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click()
    return run(at)


def words(at: AppTest) -> str:
    """All that stands on the page, as text."""
    told = [element.value for element in (*at.title, *at.header, *at.code)]
    told += [block.proto.body for block in at.get("html")]
    return html.unescape(re.sub(r"<[^>]+>", " ", " ".join(told)))


def source(at: AppTest) -> str:
    return " ".join(block.proto.body for block in at.get("html"))


def last_event(database: Database) -> audit.Event:
    with database.reading() as connection:
        return audit.events(connection, newest=1)[0]


# Members


def test_the_network_invites_a_person_and_the_link_is_shown_once(shared, network):
    at = shown("members", shared, network)
    at.text_input(key="email").input("new@example.org")
    at.text_input(key="name").input("New Person")
    at.text_input(key="organisation").input("PRIME")
    click(at, "Make the invitation")
    (link,) = [code.value for code in at.code]
    token = link.rpartition("/invitation/")[2]
    assert accounts.invited(shared, token).email == "new@example.org"
    assert "new@example.org is invited to act for PRIME" in words(at)
    event = last_event(shared)
    assert (event.action, event.actor) == ("account.invited", "net@example.org")
    assert event.organisation_id == "NET"
    run(at)
    assert token not in words(at)
    assert "New Person" in words(at)


def test_the_organisation_is_chosen_from_the_register(demo_copy):
    database = Database(demo_copy)
    keeper = "XX-EXAMPLE-NETWORK"
    network = signed_in(database, joined(database, "net@example.org", keeper, "network"))
    at = shown("members", database, network)
    for organisation_id, told in (
        ("XX-EXAMPLE-PRIME-1", "The network here is XX-EXAMPLE-NETWORK"),
        (keeper, "is invited to act for XX-EXAMPLE-NETWORK as the network, which sees all returns"),
    ):
        at.text_input(key="email").input("new@example.org")
        at.selectbox(key="organisation").select(organisation_id)
        at.radio(key="role").set_value("network")
        click(at, "Make the invitation")
        assert told in words(at)
    assert accounts.accounts(database, "XX-EXAMPLE-PRIME-1") == ()
    assert {one.role for one in accounts.accounts(database, keeper)} == {"network"}
    assert "Invented" in words(at)
    database.close()


def test_a_mistake_in_an_invitation_is_one_sentence(shared, network):
    at = shown("members", shared, network)
    at.text_input(key="email").input("no address")
    click(at, "Make the invitation")
    assert "This is not an e-mail address" in words(at)
    assert not at.code


def test_an_account_is_disabled_and_let_in_anew(shared, network, member):
    token, _ = people.make_token(shared, member, "Case system", {"read"}, 10)
    at = shown("members", shared, network)
    at.selectbox(key="account").select("sub@example.org")
    at.radio(key="act").set_value("keep_out")
    click(at, "Do this")
    assert "sub@example.org is disabled" in words(at)
    named = f'"Case system" ({token.token_id}, made by sub@example.org)'
    assert named in words(at)
    assert "Tokens of SUB work on" in words(at)
    assert sessions.sessions_of(shared, member.account.account_id) == ()
    at.selectbox(key="account").select("sub@example.org")
    at.radio(key="act").set_value("let_in")
    click(at, "Do this")
    (link,) = [code.value for code in at.code]
    assert accounts.invited(shared, link.rpartition("/")[2]).email == "sub@example.org"


def test_nobody_shuts_themselves_out(shared, network):
    at = shown("members", shared, network)
    at.selectbox(key="account").select("net@example.org")
    at.radio(key="act").set_value("keep_out")
    click(at, "Do this")
    assert "You cannot shut yourself out" in words(at)
    assert sessions.sessions_of(shared, network.account.account_id)


def test_nothing_happens_before_an_account_is_chosen(shared, network):
    before = last_event(shared)
    click(shown("members", shared, network), "Do this")
    assert last_event(shared) == before


def _members_alone() -> None:
    from dashboard.views import members

    members.show()


def test_the_members_page_is_the_networks(shared, member):
    assert "members" not in str(shown("account", shared, member).main).lower()
    opened = shown("members", shared, member)
    assert opened.title[0].value == "Members"
    assert NOT_SHOWN in words(opened)
    at = run(AppTest.from_function(_members_alone))
    assert not at.button
    assert "sub@example.org" not in words(at)
    for act in (
        lambda: people.members(shared, member),
        lambda: people.invite(shared, member, "x@example.org", "X", "SUB", for_network=True),
        lambda: people.let_in_anew(shared, member, "net@example.org"),
        lambda: people.keep_out(shared, member, "net@example.org"),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_names_are_text_and_never_markup(shared, network):
    at = shown("members", shared, network)
    assert "Ann *Bold* <b>" in words(at)
    assert "<b>" not in source(at)


# Your account


def test_the_account_page_says_who_you_are_and_where_you_are_signed_in(shared, member):
    sessions.begin(shared, member.account, address="198.51.100.9", browser="curl/8.1")
    told = words(shown("account", shared, member))
    for what in ("sub@example.org", "SUB", "Firefox on Linux, from 192.0.2.7", "curl, from"):
        assert what in told


def test_another_session_is_ended(shared, member):
    other, token = sessions.begin(shared, member.account, address="", browser="")
    at = shown("account", shared, member)
    at.button(key=f"end-{other.session_id}").click()
    run(at)
    assert "The session is ended" in words(at)
    assert sessions.found(shared, token) is None
    assert [one.session_id for one in people.own_sessions(shared, member)] == [member.session_id]
    assert last_event(shared).action == "sign_in.ended"
    assert "Nowhere else" in words(at)


def test_all_other_sessions_are_ended_at_once(shared, member):
    for _ in range(3):
        sessions.begin(shared, member.account, address="", browser="")
    at = click(shown("account", shared, member), "End all other sessions")
    assert "3 other sessions ended" in words(at)
    assert [one.session_id for one in people.own_sessions(shared, member)] == [member.session_id]


def test_a_session_that_is_over_meanwhile_is_told(shared, member, network):
    other, _ = sessions.begin(shared, member.account, address="", browser="")
    at = shown("account", shared, member)
    with shared.writing() as connection:
        connection.execute(sessions.SESSIONS.delete().where(sessions.SESSIONS.c.browser == ""))
    next(one for one in at.button if one.key == f"end-{other.session_id}").click()
    run(at)
    assert people.own_sessions(shared, member)


def test_nobody_ends_anothers_session(shared, member, network):
    with pytest.raises(Exception, match="no such session"):
        people.end_session(shared, member, network.session_id)
    assert people.own_sessions(shared, network)


def new_password(at: AppTest, current: str, wanted: str, again: str) -> AppTest:
    for field, value in zip(at.text_input, (current, wanted, again), strict=False):
        field.input(value)
    return click(at, "Change the password")


def test_a_password_is_changed_and_every_session_ends(shared, member):
    wanted = "another long and odd sentence"
    at = new_password(shown("account", shared, member), PASSWORD, wanted, wanted)
    assert "Your password is changed" in words(at)
    assert people.own_sessions(shared, member) == ()
    signs_in = accounts.sign_in_with_password
    assert signs_in(shared, "sub@example.org", wanted, address="").email == "sub@example.org"
    with pytest.raises(SignInRefused):
        signs_in(shared, "sub@example.org", PASSWORD, address="")


@pytest.mark.parametrize(
    ("current", "wanted", "again", "told"),
    [
        ("wrong", "another long and odd sentence", "another long and odd sentence", "not right"),
        (PASSWORD, "another long and odd sentence", "something else", "not the same"),
        (PASSWORD, "short", "short", "at least 12"),
    ],
)
def test_a_password_stays_where_the_change_is_not_in_order(
    shared, member, current, wanted, again, told
):
    at = new_password(shown("account", shared, member), current, wanted, again)
    assert told in words(at)
    assert "is changed" not in words(at)
    assert people.own_sessions(shared, member)
    accounts.sign_in_with_password(shared, "sub@example.org", PASSWORD, address="")


def test_if_a_changed_password_cannot_be_set_the_way_back_in_is_shown(shared, member, monkeypatch):
    def busy(*_):
        raise SignInRefused("Too many people are signing in just now.")

    monkeypatch.setattr(accounts, "join_with_password", busy)
    wanted = "another long and odd sentence"
    at = new_password(shown("account", shared, member), PASSWORD, wanted, wanted)
    (token,) = re.findall(r"/invitation/(\S+)", words(at))
    assert accounts.invited(shared, token).email == "sub@example.org"


def test_who_signs_in_elsewhere_has_no_password_here(shared):
    _, token = accounts.add(shared, "o@example.org", "O", "SUB", "member", **BY)
    bound = accounts.join_with_provider(shared, token, "https://id.example.org", "1")
    person = signed_in(shared, bound)
    at = shown("account", shared, person)
    assert "You sign in with another sign-in" in words(at)
    with pytest.raises(NotAllowed):
        people.change_password(shared, person, "", PASSWORD, PASSWORD)


def test_a_token_is_made_shown_once_and_ended(shared, member):
    at = shown("account", shared, member)
    assert "Your organisation has none yet" in words(at)
    at.text_input(key="token_name").input("Case *management*")
    at.multiselect(key="token_permissions").unselect("submit")
    at.number_input(key="token_days").set_value(30)
    click(at, "Make a token")
    (secret,) = [code.value for code in at.code]
    made = tokens.permitted(shared, secret, "read")
    assert (made.name, made.organisation_id) == ("Case *management*", "SUB")
    assert made.permissions == {"read"}
    assert made.ends_at - made.created_at == dt.timedelta(days=30)
    event = last_event(shared)
    assert (event.action, event.actor, event.organisation_id) == (
        "token.made",
        "sub@example.org",
        "SUB",
    )
    run(at)
    assert secret not in words(at)
    at.selectbox[0].select(made.token_id)
    click(at, "End the token")
    assert "The token is ended" in words(at)
    with pytest.raises(SignInRefused):
        tokens.permitted(shared, secret, "read")
    assert not at.selectbox


def test_a_token_without_a_name_is_told(shared, member):
    at = click(shown("account", shared, member), "Make a token")
    assert not at.code
    assert people.own_tokens(shared, member) == ()


def test_a_token_of_another_organisation_is_neither_shown_nor_ended(shared, member, network):
    mine, _ = people.make_token(shared, network, "Network's", {"read"}, 10)
    assert mine.role == "network"
    assert people.own_tokens(shared, member) == ()
    assert "Network's" not in words(shown("account", shared, member))
    with pytest.raises(Exception, match="no token"):
        people.end_token(shared, member, mine.token_id)


def test_where_nobody_signs_in_there_is_no_account(shared):
    nobody = Person(OPERATOR)
    assert "Nobody is signed in here" in words(shown("account", shared, nobody))
    with pytest.raises(SignInRefused):
        people.own_sessions(shared, nobody)
    with pytest.raises(BadOption):
        people.invite(shared, nobody, "no address", "", "", for_network=False)


# The audit


def test_the_network_sees_every_event_and_the_last_hash(shared, network, member):
    at = shown("audit", shared, network)
    assert {"net@example.org", "sub@example.org"} <= set(at.dataframe[0].value["Who"])
    assert last_event(shared).entry_hash in words(at)
    assert "/downloads/audit.csv" in source(at)


def test_an_organisation_sees_what_its_own_did(shared, network, member):
    at = shown("audit", shared, member)
    assert set(at.dataframe[0].value["Of"]) == {"SUB"}
    assert "net@example.org" not in at.dataframe[0].value.to_string()
    assert set(at.multiselect(key="audit_actions").options) == {
        audit.ACTIONS["account.joined"],
        audit.ACTIONS["sign_in.succeeded"],
    }


def test_the_audit_narrows_down(shared, network):
    at = shown("audit", shared, network)
    at.multiselect(key="audit_actions").select("account.joined")
    at.selectbox(key="audit_month").select_index(0)
    run(at)
    assert list(at.dataframe[0].value["What"]) == [audit.ACTIONS["account.joined"]]
    assert "1 event, the newest first" in words(at)


def test_a_long_audit_shows_the_newest(shared, network, monkeypatch):
    monkeypatch.setattr("dashboard.views.audit._MOST_SHOWN", 2)
    at = shown("audit", shared, network)
    assert len(at.dataframe[0].value) == 2
    assert "The newest 2 of 3 events" in words(at)


def test_an_empty_audit_says_so(shared):
    at = shown("audit", shared, Person(Scope("member", "QUIET")))
    assert "Nothing has been noted yet" in words(at)


def test_the_public_has_no_audit(shared, network):
    at = shown("audit", shared, Person(PUBLIC))
    assert not at.dataframe
    assert "net@example.org" not in words(at)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140 Safari/537 Edg/140", "Edge on Win"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Safari/604", "Safari on an iPhone"),
        ("python-httpx/0.28", "python-httpx"),
        ("", "a browser that does not say"),
    ],
)
def test_a_browser_is_called_by_its_name(user_agent, name):
    assert browser_name(user_agent).startswith(name)


def test_moments_are_written_out():
    assert moment(dt.datetime(2012, 3, 31, 14, 5, tzinfo=dt.UTC)) == "31 March 2012, 14:05 UTC"
    assert moment(None) == ""
