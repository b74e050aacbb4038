"""Accounts: only who was invited gets in, once set up, until the account is disabled or reset."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from click.testing import CliRunner

from dashboard.__main__ import first_account
from dashboard.commands.accounts import accounts as accounts_group
from dashboard.commands.accounts import invitation_link
from dashboard.terminal import Fairtier
from data import audit, passwords, sessions
from data.accounts import (
    Account,
    accounts,
    add,
    disable,
    invited,
    join_with_password,
    join_with_provider,
    network_exists,
    normal_email,
    reset,
    sign_in_with_password,
    sign_in_with_provider,
)
from data.database import ACCOUNTS, DEVICES, INVITATIONS, SCHEMA, SESSIONS, Database
from data.errors import BadOption, NotOnRecord, SignInRefused
from data.ledger import Ledger
from data.passwords import hashed, matches, require_fit, turn
from data.read import read_content
from data.tables import TABLES
from data.tokens import end_token, make

pytestmark = pytest.mark.usefixtures("quick_passwords")

NOW = dt.datetime(2012, 3, 31, 12, tzinfo=dt.UTC)
PASSWORD = "four unrelated words here"
OPERATOR = {"actor": "operator", "actor_organisation_id": None}
HERE = {"address": "192.0.2.1"}
EMAIL = "anna@prime.example"


def invite(database: Database, email: str = EMAIL, **options) -> tuple[Account, str]:
    return add(
        database,
        email,
        options.pop("name", "Anna Smith"),
        options.pop("organisation_id", "GB-COH-1"),
        options.pop("role", "member"),
        **OPERATOR,
        **options,
    )


def join(database: Database, email: str = EMAIL, **options) -> Account:
    return join_with_password(database, invite(database, email, **options)[1], PASSWORD)


def acts(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as connection:
        assert audit.faults(connection)[0] == []
        return [(event.action, event.actor, event.subject) for event in audit.events(connection)]


def last_details(database: Database) -> dict[str, object]:
    with database.reading() as connection:
        return dict(audit.events(connection)[-1].details)


def everything_stored(database: Database) -> str:
    with database.reading() as connection:
        return repr([connection.execute(sa.select(table)).all() for table in SCHEMA.sorted_tables])


# Invitations


def test_an_invited_person_sets_a_password_and_signs_in(database):
    account, token = invite(database, now=NOW)
    assert account == Account(
        account_id=account.account_id,
        email=EMAIL,
        name="Anna Smith",
        organisation_id="GB-COH-1",
        role="member",
        joined=False,
        signs_in_by=None,
        created_at=NOW,
        disabled_at=None,
    )
    assert invited(database, token, now=NOW) == account
    joined = join_with_password(database, token, PASSWORD, now=NOW)
    assert (joined.joined, joined.signs_in_by) == (True, "password")
    assert sign_in_with_password(database, EMAIL, PASSWORD, **HERE) == joined
    assert acts(database) == [
        ("account.invited", "operator", EMAIL),
        ("account.joined", EMAIL, EMAIL),
    ]
    assert last_details(database) == {"by": "password", "link": "join"}


def test_neither_links_nor_passwords_nor_cookies_are_stored_or_noted(database):
    account, token = invite(database)
    join_with_password(database, token, PASSWORD)
    second = reset(database, EMAIL, **OPERATOR)
    account = join_with_password(database, second, PASSWORD + "!")
    cookie = sessions.begin(database, account, address="192.0.2.1", browser="Firefox")[1]
    device = sessions.begin_device(database, account)
    with pytest.raises(SignInRefused):
        sign_in_with_password(database, EMAIL, "a wrong one altogether", **HERE)
    stored = everything_stored(database)
    for secret in (token, second, cookie, device, PASSWORD, "a wrong one altogether"):
        assert len(secret) >= 16
        assert secret not in stored
    assert "$argon2id$" in stored


@pytest.mark.parametrize("when", ["unknown", "used", "replaced", "over", "disabled"])
def test_a_dead_link_lets_nobody_in(database, when):
    _account, token = invite(database, now=NOW)
    later = NOW
    if when == "unknown":
        token += "x"
    elif when == "used":
        join_with_password(database, token, PASSWORD, now=NOW)
    elif when == "replaced":
        reset(database, EMAIL, **OPERATOR, now=NOW)
    elif when == "over":
        later = NOW + dt.timedelta(days=7)
    else:
        disable(database, EMAIL, **OPERATOR, now=NOW)
    for attempt in (
        lambda: invited(database, token, now=later),
        lambda: join_with_password(database, token, PASSWORD, now=later),
        lambda: join_with_provider(database, token, "https://id.example", "anna", now=later),
    ):
        with pytest.raises(SignInRefused, match="link does not hold any more"):
            attempt()


def test_a_link_holds_for_a_week(database):
    token = invite(database, now=NOW)[1]
    join_with_password(database, token, PASSWORD, now=NOW + dt.timedelta(days=7, seconds=-1))


def test_a_link_used_by_many_at_once_serves_one(database):
    token = invite(database)[1]

    def use(number: int) -> bool:
        try:
            join_with_provider(database, token, "https://id.example", str(number))
        except SignInRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(use, range(8))) == [False] * 7 + [True]


def test_an_account_is_found_whatever_the_case_of_its_address(database):
    join(database, "  Anna.Smith@Prime.EXAMPLE ")
    assert sign_in_with_password(database, "ANNA.smith@prime.example\n", PASSWORD, **HERE)
    with pytest.raises(BadOption, match=r"an account for anna\.smith@prime\.example already"):
        invite(database, "anna.SMITH@prime.example")


@pytest.mark.parametrize(
    "email",
    [
        "",
        "anna",
        "anna@",
        "@prime.example",
        "anna@b@c.example",
        "an na@prime.example",
        "anna@prime.example\nBcc: all@prime.example",
        "anna\0@prime.example",
        "anna\ud800@prime.example",
        "Anna <anna@prime.example>",
        "a@b.example,c@d.example",
        "a" * 250 + "@b.example",
    ],
)
def test_what_is_no_address_is_refused(database, email):
    with pytest.raises(BadOption, match=r"Write it like name@example\.org"):
        invite(database, email)
    with pytest.raises(SignInRefused, match="is not right"):
        sign_in_with_password(database, email, PASSWORD, **HERE)


@pytest.mark.parametrize("email", ["o'brien+fair@prime.example", "żółć@prime.example", "a@b"])
def test_addresses_are_judged_leniently(email):
    assert normal_email(email) == email


@pytest.mark.parametrize(
    "options",
    [
        {"role": "operator"},
        {"organisation_id": " "},
        {"organisation_id": "GB\0"},
        {"name": "x" * 201},
    ],
)
def test_an_account_without_sense_is_refused(database, options):
    with pytest.raises(BadOption):
        invite(database, **options)
    assert accounts(database) == ()


def test_a_person_without_a_name_is_called_by_the_address(database):
    assert invite(database, name=" ")[0].name == EMAIL


def test_accounts_are_listed_by_organisation(database):
    invite(database, "c@c.example", organisation_id="C")
    invite(database, "b@a.example", organisation_id="A")
    invite(database, "a@a.example", organisation_id="A")
    emails = [account.email for account in accounts(database)]
    assert emails == ["a@a.example", "b@a.example", "c@c.example"]
    assert [account.email for account in accounts(database, "C")] == ["c@c.example"]


def test_a_server_knows_whether_the_network_has_an_account(database):
    assert not network_exists(database)
    invite(database)
    assert not network_exists(database)
    invite(database, "network@network.example", role="network")
    assert network_exists(database)
    disable(database, "network@network.example", **OPERATOR)
    assert not network_exists(database)


# Disabling and resetting


def test_a_disabled_account_cannot_sign_in(database):
    account = join(database)
    _session, cookie = sessions.begin(database, account, address="192.0.2.1", browser="Firefox")
    assert disable(database, "Anna@prime.example", **OPERATOR).disabled_at is not None
    assert sessions.found(database, cookie) is None
    with pytest.raises(SignInRefused, match="e-mail address or the password is not right"):
        sign_in_with_password(database, EMAIL, PASSWORD, **HERE)
    assert ("account.disabled", "operator", EMAIL) in acts(database)
    assert last_details(database) == {"address": "192.0.2.1", "reason": "disabled"}


def test_disabling_twice_changes_nothing(database):
    join(database)
    first = disable(database, EMAIL, **OPERATOR, now=NOW)
    noted = acts(database)
    assert disable(database, EMAIL, **OPERATOR) == first
    assert acts(database) == noted


def test_a_reset_makes_the_earlier_password_useless_and_ends_the_sessions(database):
    account = join(database)
    cookie = sessions.begin(database, account, address="192.0.2.1", browser="Firefox")[1]
    device = sessions.begin_device(database, account)
    token = reset(database, EMAIL, **OPERATOR)
    assert last_details(database) == {"sessions_ended_count": 1, "was_disabled": False}
    assert sessions.found(database, cookie) is None
    with database.reading() as connection:
        assert connection.execute(sa.select(DEVICES)).all() == []
    with pytest.raises(SignInRefused):
        sign_in_with_password(database, EMAIL, PASSWORD, **HERE, device_token=device)
    assert last_details(database)["reason"] == "no password set up"
    join_with_password(database, token, PASSWORD + " and more")
    sign_in_with_password(database, EMAIL, PASSWORD + " and more", **HERE)
    with pytest.raises(SignInRefused):
        sign_in_with_password(database, EMAIL, PASSWORD, **HERE)


def test_a_reset_lets_a_disabled_account_in_again(database):
    join(database)
    disable(database, EMAIL, **OPERATOR)
    token = reset(database, EMAIL, **OPERATOR)
    assert last_details(database)["was_disabled"] is True
    assert join_with_password(database, token, PASSWORD).disabled_at is None


@pytest.mark.parametrize("act", [reset, disable])
def test_an_account_that_is_not_there_is_told(database, act):
    with pytest.raises(NotOnRecord, match=r"no account for nobody@prime\.example"):
        act(database, "nobody@prime.example", **OPERATOR)


def test_a_sign_in_that_was_reset_or_disabled_while_the_password_was_compared_fails(
    database, monkeypatch
):
    account = join(database)

    def meanwhile(stored: str | None, password: str) -> bool:
        right = matches(stored, password)
        reset(database, EMAIL, **OPERATOR)
        return right

    monkeypatch.setattr("data.accounts.matches", meanwhile)
    with pytest.raises(SignInRefused):
        sign_in_with_password(database, EMAIL, PASSWORD, **HERE)
    with pytest.raises(SignInRefused, match="changed a moment ago"):
        sessions.begin(database, account, address="192.0.2.1", browser="Firefox")


# Passwords


@pytest.mark.parametrize(
    ("password", "remedy"),
    [
        ("short one", "at least 12"),
        ("x" * 1001, "at most 1,000"),
        ("x" * 12, "one character over and over"),
        ("xXxXxXxXxXxX", "one character over and over"),
        ("I am ANNA at work", "contains your e-mail address"),
    ],
)
def test_a_password_that_is_not_fit_is_refused_with_what_to_do_instead(database, password, remedy):
    token = invite(database)[1]
    with pytest.raises(BadOption, match=remedy) as told:
        join_with_password(database, token, password)
    assert password not in str(told.value)
    assert invited(database, token)


@pytest.mark.parametrize(
    "password",
    ["password12345", "P@ssw0rd2026!", "Welcome--2026", "qwertyuiop123", "1qaz2wsx3edc",
     "letmein letmein", "fairtier2026", "123456789012", "31.03.2012 31", "Summer 2026 !!",
     "iloveyou_monkey", "abc123abc123"],
)  # fmt: skip
def test_a_password_that_is_guessed_first_is_refused(password):
    with pytest.raises(BadOption, match="one of those that are guessed first"):
        require_fit(password, EMAIL)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "dragon monkey football", "password of a heron", "Ωκεανός και βουνό"],
)
def test_a_phrase_is_fit_whatever_its_words(password):
    require_fit(password, EMAIL)


def test_a_short_name_in_the_address_may_occur_in_the_password():
    require_fit(PASSWORD, "fo@prime.example")
    with pytest.raises(BadOption):
        require_fit("my fo@prime.example", "fo@prime.example")


@pytest.mark.parametrize(
    "password", ["ein paar längere Wörter", "\ud800" * 6 + "abcdef", "x" * 999 + "y"]
)
def test_any_characters_make_a_password(database, password):
    join_with_password(database, invite(database)[1], password)
    assert sign_in_with_password(database, EMAIL, password, **HERE)


def test_a_password_is_the_same_on_keyboards_that_compose_accents_differently(database):
    join_with_password(database, invite(database)[1], "caf\u00e9 and three more")
    assert sign_in_with_password(database, EMAIL, "cafe\u0301 and three more", **HERE)


def test_a_password_hashed_with_weaker_parameters_is_hashed_anew_when_it_is_next_used(database):
    join(database)
    weak = PasswordHasher(time_cost=1, memory_cost=32, parallelism=1).hash(PASSWORD)
    with database.writing() as connection:
        connection.execute(ACCOUNTS.update().values(password_hash=weak))
    for _time in range(2):
        sign_in_with_password(database, EMAIL, PASSWORD, **HERE)
        with database.reading() as connection:
            stored = connection.execute(sa.select(ACCOUNTS.c.password_hash)).scalar_one()
        assert stored != weak
        assert not passwords.is_outdated(stored)


def test_a_damaged_hash_lets_nobody_in(database):
    join(database)
    with database.writing() as connection:
        connection.execute(ACCOUNTS.update().values(password_hash="damaged"))
    with pytest.raises(SignInRefused):
        sign_in_with_password(database, EMAIL, PASSWORD, **HERE)


def test_an_unknown_address_gets_the_same_answer_in_the_same_time(tmp_path, monkeypatch):
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher())
    database = Database(tmp_path, sa.URL.create("sqlite", database=str(tmp_path / "db")))
    join(database)
    times: dict[str, list[float]] = {EMAIL: [], "nobody@prime.example": []}
    answers = set()
    for number in range(7):
        for email, taken in times.items():
            begun = time.process_time()
            with pytest.raises(SignInRefused) as told:
                sign_in_with_password(database, email, "wrong", address=f"192.0.2.{number}")
            taken.append(time.process_time() - begun)
            answers.add((str(told.value), told.value.wait_seconds))
    assert len(answers) == 1
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert unknown == pytest.approx(known, rel=0.3)
    database.close()


def test_two_passwords_at_most_are_hashed_at_once_and_a_flood_of_strangers_is_turned_away():
    started, let_go = threading.Semaphore(0), threading.Event()
    working: list[int] = []
    most = [0]
    refused: list[int] = []

    def attempt(known: bool) -> None:
        try:
            with turn(known=known):
                working.append(1)
                most[0] = max(most[0], len(working))
                started.release()
                let_go.wait(30)
                working.pop()
        except SignInRefused as told:
            refused.append(told.wait_seconds)
            started.release()

    strangers = [threading.Thread(target=attempt, args=(False,)) for _n in range(20)]
    for thread in strangers:
        thread.start()
    for _n in range(2 + 12):  # two at work, six wait, twelve are turned away
        assert started.acquire(timeout=30)
    assert refused == [3] * 12
    owner = threading.Thread(target=attempt, args=(True,))
    owner.start()
    let_go.set()
    for thread in (*strangers, owner):
        thread.join(30)
    assert most == [2]
    assert len(refused) == 12
    with turn(known=False):
        assert not matches(None, PASSWORD)
        assert matches(hashed(PASSWORD), PASSWORD)


# OpenID Connect


def test_a_person_at_a_provider_is_bound_to_the_invited_account(database):
    account, token = invite(database)
    joined = join_with_provider(database, token, "https://id.example", "anna-17")
    assert (joined.account_id, joined.signs_in_by) == (account.account_id, "provider")
    assert sign_in_with_provider(database, "https://id.example", "anna-17") == joined
    assert last_details(database) == {"by": "provider", "link": "join"}


@pytest.mark.parametrize(
    ("issuer", "subject"), [("https://id.example", "anna"), ("https://evil.example", "anna-17")]
)
def test_nobody_else_at_any_provider_gets_in(database, issuer, subject):
    join_with_provider(database, invite(database)[1], "https://id.example", "anna-17")
    with pytest.raises(SignInRefused, match="No account here is bound"):
        sign_in_with_provider(database, issuer, subject, address="192.0.2.1")
    assert acts(database)[-1] == ("sign_in.failed", "nobody", "")
    assert last_details(database)["reason"] == "unknown at the provider"


def test_a_provider_lets_no_disabled_or_reset_account_in(database):
    join_with_provider(database, invite(database)[1], "https://id.example", "anna-17")
    disable(database, EMAIL, **OPERATOR)
    with pytest.raises(SignInRefused):
        sign_in_with_provider(database, "https://id.example", "anna-17")
    assert acts(database)[-1] == ("sign_in.failed", "nobody", EMAIL)
    reset(database, EMAIL, **OPERATOR)
    with pytest.raises(SignInRefused):
        sign_in_with_provider(database, "https://id.example", "anna-17")


def test_a_person_at_a_provider_has_one_account(database):
    join_with_provider(database, invite(database)[1], "https://id.example", "anna-17")
    token = invite(database, "second@prime.example")[1]
    with pytest.raises(SignInRefused, match="belongs to another account already"):
        join_with_provider(database, token, "https://id.example", "anna-17")
    assert invited(database, token)


def test_an_account_of_a_provider_has_no_password(database):
    join_with_provider(database, invite(database)[1], "https://id.example", "anna-17")
    with pytest.raises(SignInRefused):
        sign_in_with_password(database, EMAIL, PASSWORD, **HERE)


# Commands


@pytest.fixture
def fairtier(tmp_path, monkeypatch):
    monkeypatch.delenv("FAIRTIER_DATABASE", raising=False)
    monkeypatch.delenv("FAIRTIER_URL", raising=False)
    group = Fairtier(name="fairtier", commands={"accounts": accounts_group})

    def run(*line: str, exit_code: int = 0) -> str:
        result = CliRunner().invoke(group, ["accounts", *line, "--store", str(tmp_path)])
        assert result.exit_code == exit_code, result.output
        return result.output

    return run


def test_the_commands_invite_list_disable_and_reset(fairtier, tmp_path):
    link = fairtier("add", EMAIL, "--org", "GB-COH-1", "--network").split()[-1]
    assert link.startswith("http://127.0.0.1:8501/invitation/")
    database = Database(tmp_path)
    account = join_with_password(database, link.rpartition("/")[2], PASSWORD)
    assert (account.role, account.organisation_id) == ("network", "GB-COH-1")
    fairtier("add", "b@prime.example", "--org", "GB-COH-1", "--name", "Bob [red]Jones")
    provider = fairtier("add", "c@prime.example", "--org", "GB-COH-2").split()[-1]
    join_with_provider(database, provider.rpartition("/")[2], "https://id.example", "c")
    states = {row["email"]: row["state"] for row in json.loads(fairtier("list", "--json"))}
    assert states == {
        EMAIL: "by password",
        "b@prime.example": "invited",
        "c@prime.example": "by provider",
    }
    assert "cannot sign in any more" in fairtier("disable", EMAIL)
    listed = json.loads(fairtier("list", "--org", "GB-COH-1", "--json"))
    assert [row["state"] for row in listed] == ["disabled", "invited"]
    table = fairtier("list")
    assert "disabled" in table
    assert "[red]" in table
    again = fairtier("reset", EMAIL, "--url", "https://fair.example/").split()[-1]
    assert again.startswith("https://fair.example/invitation/")
    assert invited(database, again.rpartition("/")[2]).email == EMAIL
    assert [actor for _action, actor, _subject in acts(database)].count("operator") == 5
    database.close()


def test_the_commands_tell_mistakes_in_one_sentence(fairtier):
    assert "no account for" in fairtier("reset", EMAIL, exit_code=2)
    assert "Write it like name@example.org" in fairtier("add", "x", "--org", "O", exit_code=2)
    assert "is no web address" in fairtier(
        "add", EMAIL, "--org", "O", "--url", "fair.example", exit_code=2
    )
    assert fairtier("list", "--json") == "[]\n"


def keep_registers(store):
    """GB-COH-1 recorded the first register of organisations, so it is the network."""
    register = b"organisation_id,name,sector\nGB-COH-1,Prime,private\n"
    Ledger(store).record(
        TABLES["organisations"],
        read_content(register, TABLES["organisations"], "organisations.csv"),
        reporter_id="GB-COH-1",
        months=(),
        received_on=NOW.date(),
    )


def test_an_organisation_that_no_register_names_is_pointed_out(fairtier, tmp_path):
    keep_registers(tmp_path)
    assert "is in the register" not in fairtier("add", EMAIL, "--org", "GB-COH-1")
    told = fairtier("add", "b@prime.example", "--org", "GB-COH-l")
    assert 'No organisation "GB-COH-l" is in the register' in told


def test_nobody_but_the_keeper_of_the_registers_is_made_the_network(fairtier, tmp_path):
    keep_registers(tmp_path)
    told = fairtier("add", EMAIL, "--org", "NOPE", "--network", exit_code=2)
    assert "The network here is GB-COH-1, which recorded the registers" in told
    assert "NOPE is not the network: let it see its own alone." in told
    assert fairtier("list", "--json") == "[]\n"
    assert "as the network" in fairtier("add", EMAIL, "--org", "GB-COH-1", "--network")
    with contextlib.closing(Database(tmp_path)) as database:
        about = {"name": "Program", "permissions": ["read"], **OPERATOR}
        with pytest.raises(BadOption, match="The network here is GB-COH-1"):
            make(database, organisation_id="NOPE", role="network", **about)
        make(database, organisation_id="NOPE", role="member", **about)
        make(database, organisation_id="GB-COH-1", role="network", **about)


def test_the_first_start_offers_the_keeper_and_says_how_to_mend_a_mistake(
    tmp_path, monkeypatch, capsys
):
    keep_registers(tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    asked = []

    def typed(question, default=None):
        asked.append((question, default))
        return default or EMAIL

    monkeypatch.setattr("click.prompt", typed)
    with pytest.raises(BadOption, match="The network here is GB-COH-1"):
        first_account(tmp_path, "https://fair.example", EMAIL, "anything goes")
    first_account(tmp_path, "https://fair.example", None, None)
    told = " ".join(capsys.readouterr().out.split())
    assert [default for _, default in asked] == [None, "GB-COH-1"]
    assert "as org-id.guide writes it" in told
    assert f"`fairtier accounts disable {EMAIL}`, then start again" in told
    with contextlib.closing(Database(tmp_path)) as database:
        (account,) = accounts(database)
        assert (account.organisation_id, account.role) == ("GB-COH-1", "network")


def test_an_account_made_by_mistake_is_disabled_and_made_anew(database):
    _, mistaken = invite(database, organisation_id="WRONG", role="network")
    disable(database, EMAIL, **OPERATOR)
    account, token = invite(database, organisation_id="GB-COH-1")
    assert (account.organisation_id, account.role, account.disabled_at) == (
        "GB-COH-1",
        "member",
        None,
    )
    assert invited(database, token) == account
    with pytest.raises(SignInRefused):
        invited(database, mistaken)
    join_with_password(database, token, PASSWORD)
    disable(database, EMAIL, **OPERATOR)
    with pytest.raises(BadOption, match="There is an account"):
        invite(database, organisation_id="OTHER")


def test_disabling_an_account_names_the_tokens_that_work_on(fairtier, tmp_path):
    fairtier("add", EMAIL, "--org", "GB-COH-1")
    assert "Tokens" not in fairtier("disable", EMAIL)
    with contextlib.closing(Database(tmp_path)) as database:
        about = {"role": "member", "permissions": ["read"], "actor_organisation_id": None}
        ours = {"organisation_id": "GB-COH-1", "actor": EMAIL, **about}
        token, _ = make(database, name="Case system", **ours)
        ended, _ = make(database, name="Ended", **ours)
        end_token(database, ended.token_id, **OPERATOR)
        make(database, name="Over", now=NOW - dt.timedelta(days=800), **ours)
        make(database, name="Other", organisation_id="X", actor="x@", **about)
    told = " ".join(fairtier("disable", EMAIL).split())
    assert (
        f'work on, also those that the person made or knows: "Case system" ({token.token_id}'
        in (told)
    )
    assert not any(one in told for one in ("Ended", "Over", "Other"))


def test_the_address_of_the_server_can_be_set_once(monkeypatch):
    monkeypatch.setenv("FAIRTIER_URL", "https://fair.example")
    assert invitation_link("abc") == "https://fair.example/invitation/abc"


def test_what_hangs_on_an_account_is_kept_apart_from_others(database):
    account = join(database)
    other = join(database, "second@prime.example")
    cookie = sessions.begin(database, other, address="192.0.2.1", browser="Firefox")[1]
    token = invite(database, "third@prime.example")[1]
    disable(database, account.email, **OPERATOR)
    assert sessions.found(database, cookie)
    assert invited(database, token)
    with database.reading() as connection:
        assert len(connection.execute(sa.select(INVITATIONS)).all()) == 3
        assert len(connection.execute(sa.select(SESSIONS)).all()) == 1
