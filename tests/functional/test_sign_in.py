"""Joining, signing in and signing out of a shared server, by people and by attackers."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import hashlib
import html
import http.client
import http.cookies
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pyarrow as pa
import pytest
import sqlalchemy as sa

from dashboard.plain import page
from dashboard.sharing import Sharing
from dashboard.signin import check_personas, local_path, personas
from data import accounts, audit, sessions
from data.database import ACCOUNTS, DEVICES, SESSIONS, Database
from data.errors import BadOption
from data.ledger import Ledger
from data.read import Sheet
from data.tables import TABLES
from tests.browser.conftest import Served, served_shared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "correct horse battery"
AS_OPERATOR = {"actor": "operator", "actor_organisation_id": None}


@dataclass
class Browser:
    """Asks as a browser does: keeps cookies, says its origin, comes from an address.

    The server takes the test's word for the address, as it would a proxy's.
    """

    served: Served
    address: str = "192.0.2.1"
    cookies: dict[str, str] = field(default_factory=dict)
    told: http.cookies.SimpleCookie = field(default_factory=http.cookies.SimpleCookie)

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=60)
        headers = {
            "Accept": "text/html",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-Forwarded-For": self.address,
        }
        if method == "POST":
            headers["Origin"] = self.served.url
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            body = urlencode(form or {}) if method == "POST" else None
            connection.request(method, path, body, headers)
            found = connection.getresponse()
            shown = found.read().decode()
        finally:
            connection.close()
        for line in found.headers.get_all("set-cookie") or ():
            self.told.load(line)
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return Page(found.status, found.headers, shown)

    def sign_in(self, email: str, password: str = PASSWORD, **more: str) -> Page:
        return self.ask("POST", "/sign-in", {"email": email, "password": password, **more})

    @property
    def is_in(self) -> bool:
        return self.ask("GET", "/").status == 200


@dataclass
class Page:
    status: int
    headers: http.client.HTTPMessage
    body: str

    @property
    def alert(self) -> str:
        """What the page says went wrong."""
        found = re.search(r'role="alert"><p>(.*?)</p>', self.body)
        return html.unescape(found.group(1)) if found else ""


@dataclass
class Shared:
    served: Served
    database: Database

    def browser(self, address: str = "192.0.2.1") -> Browser:
        return Browser(self.served, address)

    def invite(self, email: str, organisation_id: str = "XX-EXAMPLE-NETWORK") -> str:
        _, token = accounts.add(self.database, email, "", organisation_id, "member", **AS_OPERATOR)
        return f"/invitation/{token}"

    def account(self, email: str) -> accounts.Account:
        return next(one for one in accounts.accounts(self.database) if one.email == email)

    def joined(self, email: str) -> str:
        """An account with a password."""
        token = self.invite(email).rpartition("/")[2]
        accounts.join_with_password(self.database, token, PASSWORD)
        return email


def register(store: Path, table: str, by: str, rows: list[dict[str, str]]) -> None:
    """Record rows of a register, as if the checks had passed."""
    columns: dict[str, pa.Array] = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    numbers = pa.array(range(2, len(rows) + 2), pa.int64())
    sheet = Sheet(
        rows=pa.table({"row_number": numbers, **columns}),
        file_name=f"{table}.csv",
        sha256=hashlib.sha256(str(rows).encode()).hexdigest(),
        headers={name: name for name in rows[0]},
    )
    Ledger(store).record(
        TABLES[table], sheet, reporter_id=by, months=(), received_on=dt.date(2011, 6, 1)
    )


def example(store: Path) -> Path:
    """A store with a small worked example: its registers only."""
    ids = ["NETWORK", "COMMISSIONER", "PRIME-1", "PRIME-2", *(f"SUB-{n}" for n in range(1, 6))]
    network = "XX-EXAMPLE-NETWORK"
    organisations = [
        {
            "organisation_id": f"XX-EXAMPLE-{one}",
            "name": f"Invented {one.title()} (example)",
            "sector": "voluntary",
        }
        for one in ids
    ]
    contracts = [
        {
            "contract_id": f"K-{number}",
            "programme": "Programme",
            "commissioner_id": "XX-EXAMPLE-COMMISSIONER",
            "prime_id": f"XX-EXAMPLE-PRIME-{number}",
            "starts_on": "2011-06-01",
        }
        for number in (1, 2)
    ]
    agreements = [
        {
            "contract_id": "K-1",
            "subcontractor_id": f"XX-EXAMPLE-SUB-{number}",
            "delivery_role": "end_to_end",
            "named_in_bid": "yes",
        }
        for number in range(1, 6)
    ]
    register(store, "organisations", network, organisations)
    register(store, "contracts", network, contracts)
    register(store, "agreements", network, agreements)
    return store


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("sign-in")
    example(folder / "store")
    database = Database(folder / "store")
    environment = {"FAIRTIER_PROXY_ADDRESSES": "127.0.0.1"}
    with served_shared(
        folder / "store", folder / "server", personas=True, environment=environment
    ) as running:
        yield Shared(running, database)
    database.close()


# With an invitation


def test_an_invitation_says_whom_it_is_for_and_looking_does_not_use_it_up(shared):
    link = shared.invite("ann@network.example")
    for _ in range(3):
        found = shared.browser().ask("GET", link)
        assert found.status == 200
        assert "ann@network.example" in found.body
        assert "Invented Network (example)" in found.body
    assert shared.browser().ask("HEAD", link).status == 200
    ann = shared.browser()
    found = ann.ask("POST", link, {"password": PASSWORD, "again": PASSWORD})
    assert (found.status, found.headers["location"]) == (303, "/")
    assert ann.is_in
    for method in ("GET", "POST"):
        again = shared.browser().ask(method, link, {"password": PASSWORD, "again": PASSWORD})
        assert again.status == 404
        assert "does not hold any more" in again.alert


@pytest.mark.parametrize(
    ("password", "again", "why"),
    [
        ("short", "short", "at least 12"),
        (PASSWORD, PASSWORD + "!", "not the same"),
        ("aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa", "one character"),
        ("", "", "at least 12"),
    ],
)
def test_a_password_that_will_not_do_is_said_and_the_link_still_holds(shared, password, again, why):
    link = shared.invite(f"bob-{len(password)}@network.example")
    found = shared.browser().ask("POST", link, {"password": password, "again": again})
    assert found.status == 400
    assert why in found.alert
    assert shared.browser().ask("GET", link).status == 200


def test_an_invitation_that_was_never_sent_opens_nothing(shared):
    for token in ("none", "A" * 43, "%3Cb%3E"):
        found = shared.browser().ask("GET", f"/invitation/{token}")
        assert found.status == 404
        assert "<b>" not in found.body


def test_a_reset_ends_the_old_password_and_the_old_sessions(shared):
    email = shared.joined("cat@network.example")
    cat = shared.browser()
    assert cat.sign_in(email).status == 303
    link = accounts.reset(shared.database, email, **AS_OPERATOR)
    assert not cat.is_in
    assert cat.sign_in(email).status == 401
    assert cat.ask("GET", f"/invitation/{link}").status == 200


# With a password


def test_what_was_published_is_one_link_away_from_the_sign_in(shared):
    stranger = shared.browser()
    assert '<a href="/published">' in stranger.ask("GET", "/sign-in").body
    assert stranger.ask("GET", "/published").status == 200


def test_signing_in_leads_to_the_page_that_was_asked_for(shared):
    email = shared.joined("dan@network.example")
    dan = shared.browser()
    found = dan.sign_in(f" {email.upper()} ", next="/agreement?contract=A%20B")
    assert (found.status, found.headers["location"]) == (303, "/agreement?contract=A%20B")
    assert dan.is_in
    assert dan.ask("GET", "/sign-in?next=/upload").headers["location"] == "/upload"


def test_the_cookies_can_be_read_by_no_script_and_sent_by_no_other_site(shared):
    email = shared.joined("eve@network.example")
    eve = shared.browser()
    eve.sign_in(email)
    assert set(eve.cookies) == {"fairtier", "fairtier-device"}
    for name in eve.cookies:
        told = eve.told[name]
        assert told["httponly"]
        assert told["samesite"] == "lax"
        assert told["path"] == "/"
        assert not told["domain"]
    assert not eve.told["fairtier"]["max-age"]
    with shared.database.reading() as connection:
        kept = [*connection.execute(sa.select(SESSIONS)), *connection.execute(sa.select(DEVICES))]
    assert not [token for token in eve.cookies.values() if token in str(kept)]


def test_a_session_that_somebody_else_planted_is_never_taken_up(shared):
    email = shared.joined("fay@network.example")
    _, planted = sessions.begin(shared.database, shared.account(email), address="", browser="")
    for cookie in (planted, "invented"):
        fay = shared.browser()
        fay.cookies["fairtier"] = cookie
        assert fay.sign_in(email).status == 303
        assert fay.cookies["fairtier"] != cookie
        assert fay.is_in
        other = shared.browser()
        other.cookies["fairtier"] = cookie
        assert not other.is_in


@pytest.mark.parametrize(
    "where",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%2f/evil.example",
        "javascript:alert(1)",
        "/sign-out",
        "/_stcore/stream",
        "/healthz",
        "/agreement\r\nSet-Cookie: a=b",
        "/agreement?" + "a" * 3000,
        "/nothing",
        "/agreement?é",
        "",
        None,
    ],
)
def test_nobody_is_led_anywhere_but_to_a_page_of_this_server(where):
    assert local_path(where) == "/"


def test_a_page_of_this_server_is_led_to_with_all_that_it_asks():
    assert local_path("/agreement?contract=A%20B&x=%2F") == "/agreement?contract=A%20B&x=%2F"
    assert local_path("/upload") == "/upload"


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(shared):
    email = shared.joined("gus@network.example")
    wrong = shared.browser("192.0.2.50").sign_in(email, "wrong horse battery")
    unknown = shared.browser("192.0.2.51").sign_in("nobody@network.example", "wrong")
    assert wrong.status == unknown.status == 401
    assert wrong.alert == unknown.alert
    assert "not right" in wrong.alert
    shown = wrong.body.replace(email, "")
    assert shown == unknown.body.replace("nobody@network.example", "")
    assert "wrong horse" not in wrong.body


def test_what_was_typed_stays_text(shared):
    typed = '"><script>alert(1)</script>'
    found = shared.browser("192.0.2.52").sign_in(typed, typed, next=typed)
    assert found.status == 401
    assert "<script>" not in found.body


def test_a_form_that_is_not_ours_is_no_fault(shared):
    for form in ({}, {f"a{n}": "x" for n in range(100)}, {"email": "a\x00@b.example"}):
        assert shared.browser("192.0.2.53").ask("POST", "/sign-in", form).status == 401


def test_signing_out_ends_the_session_in_all_tabs_and_its_cookie_is_dead(shared):
    email = shared.joined("hal@network.example")
    hal = shared.browser()
    hal.sign_in(email)
    other_tab = shared.browser()
    other_tab.cookies = dict(hal.cookies)
    assert email in hal.ask("GET", "/sign-out").body
    assert other_tab.is_in
    found = hal.ask("POST", "/sign-out")
    assert (found.status, found.headers["location"]) == (303, "/sign-in?signed-out")
    assert "fairtier" not in hal.cookies
    assert "You are signed out." in hal.ask("GET", "/sign-in?signed-out").body
    assert not other_tab.is_in
    assert "Your session has ended." in other_tab.ask("GET", "/sign-in").body
    assert hal.ask("POST", "/sign-out").status == 401


def test_a_sign_in_and_its_end_stand_in_the_audit_without_a_secret(shared):
    email = shared.joined("ivy@network.example")
    ivy = shared.browser("192.0.2.77")
    ivy.sign_in(email, "wrong horse battery")
    ivy.sign_in(email)
    token = ivy.cookies["fairtier"]
    ivy.ask("POST", "/sign-out")
    with shared.database.reading() as connection:
        noted = [e for e in audit.events(connection) if e.subject == email]
    assert [event.action for event in noted][-3:] == [
        "sign_in.failed",
        "sign_in.succeeded",
        "sign_in.ended",
    ]
    assert "192.0.2.77" in str(noted)
    assert token not in str(noted)
    assert "horse" not in str(noted)


# By force


def test_a_thousand_wrong_passwords_keep_out_whoever_guesses_and_nobody_else(shared):
    victim = shared.joined("jan@network.example")
    honest = shared.joined("kim@network.example")
    owner = shared.browser("198.51.100.10")
    assert owner.sign_in(victim).status == 303
    owner.ask("POST", "/sign-out")

    def guess(number: int) -> Page:
        # Half against one account, half from one address against many.
        email = victim if number % 2 else f"person-{number}@network.example"
        address = f"203.0.113.{number % 8}" if number % 2 else "203.0.113.250"
        return shared.browser(address).sign_in(email, f"wrong password {number}")

    slowest = 0.0
    with concurrent.futures.ThreadPoolExecutor(16) as crowd:
        guesses = [crowd.submit(guess, number) for number in range(1000)]
        while not all(one.done() for one in guesses):
            begun = time.monotonic()
            assert shared.browser().ask("GET", "/healthz").status == 200
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.05)
            if "fairtier" not in owner.cookies and sum(one.done() for one in guesses) > 300:
                # In the midst of it the owner, whose browser is known, and somebody else.
                assert owner.sign_in(victim).status == 303
                assert shared.browser("198.51.100.20").sign_in(honest).status in (303, 429)
    answers = Counter(one.result().status for one in guesses)
    assert set(answers) <= {401, 429}
    assert sum(answers.values()) == 1000
    assert answers[429] > 100
    refused = next(one.result() for one in guesses if one.result().status == 429)
    assert int(refused.headers["retry-after"]) > 0
    assert "Too many attempts" in refused.alert or "Many people" in refused.alert
    assert slowest < 3
    assert owner.is_in
    assert shared.browser("198.51.100.20").sign_in(honest).status == 303
    assert shared.browser("203.0.113.250").sign_in(honest).status == 429
    with shared.database.reading() as connection:
        noted = audit.events(connection)
    counted = [event for event in noted if event.action == "sign_in.failed"]
    refusals = sum(int(event.details.get("refused_before_count", 0)) for event in counted)
    assert len(counted) + refusals > 300


# Personas


def test_the_worked_example_can_be_looked_at_as_each_of_its_organisations(shared):
    found = shared.browser().ask("GET", "/sign-in")
    for group in ("Network", "Commissioner", "Primes", "Subcontractors"):
        assert f"<h3>{group}</h3>" in found.body
    offered = re.findall(r'name="organisation_id" value="([^"]+)"', found.body)
    assert len(offered) == len(set(offered)) == 9
    roles = {}
    for organisation_id in ("XX-EXAMPLE-NETWORK", offered[1], offered[-1], offered[-1]):
        visitor = shared.browser()
        form = {"organisation_id": organisation_id, "next": "/upload"}
        answered = visitor.ask("POST", "/sign-in/persona", form)
        assert (answered.status, answered.headers["location"]) == (303, "/upload")
        assert visitor.is_in
        session = sessions.found(shared.database, visitor.cookies["fairtier"])
        assert session
        assert session.account.organisation_id == organisation_id
        roles[organisation_id] = session.account.role
    assert roles.pop("XX-EXAMPLE-NETWORK") == "network"
    assert set(roles.values()) == {"member"}
    emails = [one.email for one in accounts.accounts(shared.database, offered[-1])]
    assert emails == [f"persona-{offered[-1].lower()}@example.invalid"]


def test_no_organisation_outside_the_worked_example_has_a_persona(shared):
    form = {"organisation_id": "GB-CHC-1164883"}
    found = shared.browser().ask("POST", "/sign-in/persona", form)
    assert found.status == 401
    assert "no such organisation" in found.alert


def test_nobody_signs_in_with_a_personas_password(shared):
    email = "persona-xx-example-network@example.invalid"
    with shared.database.reading() as connection:
        query = sa.select(ACCOUNTS.c.password_hash).where(ACCOUNTS.c.email == email)
        assert connection.execute(query).scalars().all() in ([], [None])
    assert shared.browser("192.0.2.88").sign_in(email, "").status == 401


def test_personas_are_for_the_worked_example_on_this_machine_only(tmp_path):
    store = example(tmp_path / "store")
    here = Sharing("http://127.0.0.1:8501", demo_personas=True)
    check_personas(store, here)
    assert list(personas(store)) == ["Network", "Commissioner", "Primes", "Subcontractors"]
    for elsewhere in (
        Sharing("http://127.0.0.1:8501", host="192.0.2.1", demo_personas=True),
        Sharing("https://fairtier.example", demo_personas=True),
    ):
        with pytest.raises(BadOption, match=r"127\.0\.0\.1 only"):
            check_personas(store, elsewhere)
    with pytest.raises(BadOption, match="is empty"):
        check_personas(tmp_path / "empty", here)
    charity = {"organisation_id": "GB-CHC-1", "name": "A real charity", "sector": "voluntary"}
    register(store, "organisations", "XX-EXAMPLE-COMMISSIONER", [charity])
    with pytest.raises(BadOption, match="holds other organisations"):
        check_personas(store, here)


# The pages


def test_the_pages_work_without_script_and_name_every_field(shared):
    link = shared.invite("lee@network.example")
    for path in ("/sign-in", link, "/invitation/none"):
        found = shared.browser().ask("GET", path).body
        assert "<script" not in found
        assert "style=" not in found
        assert not re.search(r"\son\w+=", found)
        assert '<html lang="en-GB">' in found
        assert found.count("<h1>") == 1
        fields = re.findall(r'<input (?!type="hidden")[^>]*id="([^"]+)"', found)
        assert all(f'<label for="{name}">' in found for name in fields)
        ids = re.findall(r'\sid="([^"]+)"', found)
        assert len(ids) == len(set(ids))


def test_a_page_says_in_its_title_when_something_went_wrong():
    assert b"<title>Error: Sign in - Fairtier</title>" in page("Sign in", "", refused="No.").body
