"""Signing in with OpenID Connect, end to end against a provider on this machine."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import sqlalchemy as sa

from dashboard.provider import Provider, ProviderSettings, settings_from_environment
from data import accounts, audit
from data.database import SIGN_INS, Database
from data.errors import BadOption, SignInRefused
from tests.browser.conftest import ROOT, Served, answer, served_shared
from tests.functional.test_sign_in import AS_OPERATOR, Browser, Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "a-secret-of-the-client"
# The provider, with a way to have it answer wrongly and to see what it was asked.
PROVIDER = """
import base64, json, os, sys, warnings
warnings.simplefilter("ignore")
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
import flask
import werkzeug.serving
from authlib import jose
from oidc_provider_mock import User, app as provider
from oidc_provider_mock._storage import storage

app = provider(user_claims=[User(sub="mallory", claims={"email": "ann@network.example"})])
change, seen = {}, []

@app.post("/tests/change")
def set_change():
    change.clear()
    change.update(flask.request.get_json())
    return {}

@app.get("/tests/seen")
def get_seen():
    return json.dumps(seen)

@app.before_request
def watch():
    if flask.request.path == "/oauth2/token":
        seen.append(flask.request.form.to_dict() | (flask.request.authorization.parameters or {}))

@app.after_request
def altered(answer):
    if flask.request.path != "/oauth2/token" or answer.status_code != 200 or not change:
        return answer
    body = answer.get_json()
    part = body["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    claims |= change.get("claims", {})
    claims = {name: value for name, value in claims.items() if value is not None}
    key, header = storage.jwk, {"alg": "RS256"}
    if change.get("key") == "another":
        key = jose.JsonWebKey.generate_key("RSA", 2048, is_private=True)
    if change.get("key") == "secret":
        key, header = jose.OctKey.import_key(change["secret"]), {"alg": "HS256"}
    if change.get("key") == "none":
        text = ".".join(
            base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=")
            for one in ({"alg": "none"}, claims)
        )
        body["id_token"] = text + "."
    else:
        body["id_token"] = jose.jwt.encode(header, claims, key).decode()
    if change.get("key") == "missing":
        del body["id_token"]
    answer.set_data(json.dumps(body))
    return answer

werkzeug.serving.make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True).serve_forever()
"""


@dataclass
class AtProvider:
    """The provider's end."""

    port: int

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: str | None = None, kind: str = "") -> Page:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if kind else {})
            found = connection.getresponse()
            return Page(found.status, found.headers, found.read().decode())
        finally:
            connection.close()

    def change(self, **change: Any) -> None:
        assert (
            self.ask("POST", "/tests/change", json.dumps(change), "application/json").status == 200
        )

    def seen(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.ask("GET", "/tests/seen").body)
        return found

    def approve(self, url: str, subject: str, **more: str) -> str:
        """What the provider sends the browser back to, after somebody signed in there."""
        assert url.startswith(f"{self.issuer}/")
        form = urlencode({"sub": subject, **more})
        path = url.removeprefix(self.issuer)
        found = self.ask("POST", path, form, "application/x-www-form-urlencoded")
        assert found.status == 302, found.body
        return str(found.headers["location"])


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtProvider]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("provider")
    program = folder / "provider.py"
    program.write_text(PROVIDER)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(program), str(port)], cwd=ROOT, stdout=log, stderr=log
        )
        try:
            for _ in range(300):
                with contextlib.suppress(OSError):
                    if answer(port, "/.well-known/openid-configuration").status == 200:
                        break
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield AtProvider(port)
        finally:
            process.terminate()
            process.wait(10)


@dataclass
class Shared:
    served: Served
    database: Database
    provider: AtProvider

    def browser(self) -> Browser:
        return Browser(self.served)

    def invite(self, email: str) -> str:
        _, token = accounts.add(
            self.database, email, "", "XX-EXAMPLE-NETWORK", "member", **AS_OPERATOR
        )
        return token

    def begin(self, browser: Browser, path: str = "/sign-in/provider") -> str:
        """Where the browser is sent."""
        found = browser.ask("GET", path)
        assert found.status == 303, found.body
        return str(found.headers["location"])

    def come_back(self, browser: Browser, url: str) -> Page:
        assert url.startswith(f"{self.served.url}/sign-in/callback?")
        return browser.ask("GET", url.removeprefix(self.served.url))

    def sign_in(self, browser: Browser, subject: str, path: str = "/sign-in/provider") -> Page:
        return self.come_back(browser, self.provider.approve(self.begin(browser, path), subject))

    def joined(self, name: str) -> str:
        """An account bound to the subject of that name."""
        token = self.invite(f"{name}@network.example")
        accounts.join_with_provider(self.database, token, self.provider.issuer, name)
        return name


@pytest.fixture(scope="module")
def shared(provider: AtProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("with-provider")
    database = Database(folder / "store")
    settings = {
        "issuer": provider.issuer,
        "client_id": "fairtier-client",
        "client_secret": SECRET,
        "name": "the Example Directory",
    }
    with served_shared(folder / "store", folder / "server", provider=settings) as running:
        yield Shared(running, database, provider)
    database.close()


@pytest.fixture(autouse=True)
def honest(request: pytest.FixtureRequest) -> Iterator[None]:
    """The provider answers rightly unless a test has it do otherwise."""
    yield
    if "shared" in request.fixturenames:
        request.getfixturevalue("shared").provider.change()


def test_an_invited_person_joins_and_from_then_on_signs_in(shared):
    token = shared.invite("ann@network.example")
    ann = shared.browser()
    assert "Join with the Example Directory" in ann.ask("GET", f"/invitation/{token}").body
    found = shared.sign_in(ann, "ann-at-the-provider", f"/invitation/{token}/provider")
    assert (found.status, found.headers["location"]) == (303, "/")
    assert ann.is_in
    assert "fairtier-sign-in" not in ann.cookies
    assert ann.ask("GET", f"/invitation/{token}").status == 404
    elsewhere = shared.browser()
    assert "Sign in with the Example Directory" in elsewhere.ask("GET", "/sign-in").body
    found = shared.sign_in(elsewhere, "ann-at-the-provider", "/sign-in/provider?next=%2Fupload")
    assert (found.status, found.headers["location"]) == (303, "/upload")
    assert elsewhere.is_in
    assert elsewhere.cookies["fairtier"] != ann.cookies["fairtier"]


def test_the_code_is_bound_to_who_began_by_pkce_and_the_secret_stays_with_the_server(shared):
    name = shared.joined("pia")
    browser = shared.browser()
    url = shared.begin(browser)
    asked = {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()}
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{shared.served.url}/sign-in/callback"
    assert len(asked["state"]) >= 43
    assert len(asked["nonce"]) >= 43
    assert shared.come_back(browser, shared.provider.approve(url, name)).status == 303
    redeemed = shared.provider.seen()[-1]
    challenge = hashlib.sha256(redeemed["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(challenge).decode().rstrip("=")
    assert redeemed["password"] == SECRET
    assert SECRET not in url


def refused(shared: Shared, browser: Browser, found: Page) -> str:
    """That a sign-in came to nothing; what was said."""
    assert found.status == 401
    assert "fairtier" not in browser.cookies
    assert not browser.is_in
    assert found.alert.count(".") <= 3
    return found.alert


def test_a_person_unknown_here_is_refused_whatever_address_the_provider_tells(shared):
    browser = shared.browser()
    told = refused(shared, browser, shared.sign_in(browser, "mallory"))
    assert "No account here is bound to that sign-in." in told


@pytest.mark.parametrize(
    "change",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"aud": "another client"}},
        {"claims": {"aud": None}},
        {"claims": {"aud": ["fairtier-client", "another client"]}},
        {"claims": {"azp": "another client"}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"iss": None}},
        {"claims": {"exp": 1_000_000_000}},
        {"claims": {"exp": None}},
        {"claims": {"iat": 4_000_000_000}},
        {"claims": {"sub": None}},
        {"claims": {"sub": ""}},
        {"claims": {"sub": ["quin"]}},
        {"claims": {"sub": "q" * 300}},
        {"key": "another"},
        {"key": "secret", "secret": SECRET},
        {"key": "none"},
        {"key": "missing"},
    ],
    ids=lambda change: str(change)[:60],
)
def test_an_answer_that_is_not_for_us_now_from_the_provider_is_refused(shared, change):
    if not [one for one in accounts.accounts(shared.database) if one.email.startswith("quin")]:
        shared.joined("quin")
    shared.provider.change(**change)
    browser = shared.browser()
    assert "could not be trusted" in refused(shared, browser, shared.sign_in(browser, "quin"))
    shared.provider.change()
    assert shared.sign_in(browser, "quin").status == 303


def test_an_answer_counts_once(shared):
    name = shared.joined("ria")
    browser = shared.browser()
    url = shared.provider.approve(shared.begin(browser), name)
    kept = dict(browser.cookies)
    assert shared.come_back(browser, url).status == 303
    again = shared.browser()
    again.cookies = {key: value for key, value in kept.items() if key != "fairtier"}
    assert "completed already" in refused(shared, again, shared.come_back(again, url))
    # The same code once more, in a sign-in of its own.
    code = parse_qs(urlsplit(url).query)["code"][0]
    state = parse_qs(urlsplit(shared.begin(again)).query)["state"][0]
    query = urlencode({"code": code, "state": state})
    found = again.ask("GET", f"/sign-in/callback?{query}")
    assert "could not be trusted" in refused(shared, again, found)


def test_an_answer_counts_in_the_browser_alone_that_began(shared):
    name = shared.joined("sam")
    browser = shared.browser()
    url = shared.provider.approve(shared.begin(browser), name)
    other = shared.browser()
    assert "another browser" in refused(shared, other, shared.come_back(other, url))
    shared.begin(other)
    assert "another browser" in refused(shared, other, shared.come_back(other, url))
    assert shared.come_back(browser, url).status == 303


def test_a_state_that_was_never_given_is_refused(shared):
    for query in ("", "?code=x", "?state=x&code=x", "?state=&code=", "?error=x", "?state=x"):
        browser = shared.browser()
        shared.begin(browser)
        found = browser.ask("GET", f"/sign-in/callback{query}")
        assert "another browser" in refused(shared, browser, found)


def test_a_sign_in_that_took_too_long_is_refused(shared):
    name = shared.joined("tim")
    browser = shared.browser()
    url = shared.provider.approve(shared.begin(browser), name)
    with shared.database.writing() as connection:
        past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        connection.execute(SIGN_INS.update().values(ends_at=past))
    assert "longer than 10 minutes" in refused(shared, browser, shared.come_back(browser, url))
    shared.begin(browser)
    with shared.database.reading() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(SIGN_INS)).scalar()
    assert count == 1


def test_an_answer_of_another_provider_is_refused(shared):
    name = shared.joined("una")
    browser = shared.browser()
    url = shared.provider.approve(shared.begin(browser), name)
    found = shared.come_back(browser, f"{url}&iss=https%3A%2F%2Fevil.example")
    assert "could not be trusted" in refused(shared, browser, found)


def test_who_says_no_at_the_provider_is_not_signed_in(shared):
    browser = shared.browser()
    url = shared.provider.approve(shared.begin(browser), "vic", action="deny")
    state = parse_qs(urlsplit(shared.begin(browser)).query)["state"][0]
    denied = f"{url}&state={state}" if "state=" not in url else url
    told = refused(shared, browser, shared.come_back(browser, denied))
    assert "not signed in" in told


def test_a_sign_in_begun_with_one_invitation_joins_no_other(shared):
    first, second = shared.invite("wes@network.example"), shared.invite("xia@network.example")
    browser = shared.browser()
    url = shared.begin(browser, f"/invitation/{first}/provider")
    back = shared.provider.approve(url, "wes")
    secret, _, rest = browser.cookies["fairtier-sign-in"].split("~")
    browser.cookies["fairtier-sign-in"] = "~".join((secret, second, rest))
    told = refused(shared, browser, shared.come_back(browser, back))
    assert "link of your invitation" in told
    for token in (first, second):
        assert accounts.invited(shared.database, token).joined is False


def test_one_person_at_the_provider_is_one_account(shared):
    name = shared.joined("yan")
    token = shared.invite("yan.the.second@network.example")
    browser = shared.browser()
    found = shared.sign_in(browser, name, f"/invitation/{token}/provider")
    assert "belongs to another account" in refused(shared, browser, found)


def test_a_dead_invitation_leads_to_no_provider(shared):
    found = shared.browser().ask("GET", "/invitation/none/provider")
    assert found.status == 401
    assert "does not hold any more" in found.alert


def test_a_disabled_account_is_not_let_in_by_its_provider(shared):
    name = shared.joined("zoe")
    accounts.disable(shared.database, f"{name}@network.example", **AS_OPERATOR)
    browser = shared.browser()
    refused(shared, browser, shared.sign_in(browser, name))


def test_neither_log_nor_audit_holds_a_code_a_state_or_a_token(shared):
    name = shared.joined("abe")
    browser = shared.browser()
    url = shared.provider.approve(shared.begin(browser), name)
    shared.come_back(browser, url)
    secrets = [value[0] for value in parse_qs(urlsplit(url).query).values()]
    secrets += [SECRET, browser.cookies["fairtier"], shared.provider.seen()[-1]["code_verifier"]]
    with shared.database.reading() as connection:
        noted = str(audit.events(connection))
    log = shared.served.imports.read_text()
    assert not [one for one in secrets if one in noted or one in log]
    assert "Traceback" not in log


# Settings


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("FAIRTIER_OIDC_")]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_a_provider_is_named_by_the_environment(environment):
    assert settings_from_environment() is None
    environment.setenv("FAIRTIER_OIDC_ISSUER", "https://provider.example")
    environment.setenv("FAIRTIER_OIDC_CLIENT_ID", "us")
    with pytest.raises(BadOption, match="FAIRTIER_OIDC_CLIENT_SECRET must be set as well"):
        settings_from_environment()
    environment.setenv("FAIRTIER_OIDC_CLIENT_SECRET", SECRET)
    found = settings_from_environment()
    assert found == ProviderSettings("https://provider.example", "us", SECRET)
    assert SECRET not in repr(found)
    environment.setenv("FAIRTIER_OIDC_NAME", "the Directory")
    found = settings_from_environment()
    assert found
    assert found.name == "the Directory"


@pytest.mark.parametrize(
    "issuer",
    ["http://provider.example", "provider.example", "https://provider.example?x=1", "ftp://x"],
)
def test_a_provider_that_could_be_overheard_is_refused(issuer):
    with pytest.raises(BadOption, match="FAIRTIER_OIDC_ISSUER"):
        ProviderSettings(issuer, "us", SECRET)


def begun_with(settings: ProviderSettings, store: Path) -> str:
    """What is said when a sign-in cannot begin."""
    database = Database(store)
    try:
        with pytest.raises(SignInRefused) as refusal:
            asyncio.run(Provider(settings, database, "http://127.0.0.1:8501").begin())
    finally:
        database.close()
    return str(refusal.value)


def test_a_provider_that_does_not_answer_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        settings = ProviderSettings(f"http://127.0.0.1:{port}", "us", SECRET)
        assert "cannot be reached" in begun_with(settings, tmp_path)


def test_a_provider_that_calls_itself_otherwise_is_not_trusted(provider, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings = ProviderSettings(f"{provider.issuer}/", "us", SECRET)
    assert "could not be trusted" in begun_with(settings, tmp_path)
