"""Signing in and out, and joining with an invitation: plain pages, without any script."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import parse_qsl, quote, unquote

import anyio
from anyio import to_thread
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard.gate import REFUSALS, address_of, header, session_found
from dashboard.paths import crooked, rule_for
from dashboard.plain import notice, page
from dashboard.provider import BEGUN_FOR, Provider
from dashboard.sharing import HOST, clear_cookie, cookie, cookie_name, set_cookie
from dashboard.words import text
from data import accounts, sessions
from data.errors import BadOption, SignInRefused, UserError
from data.ledger import Ledger
from data.scope import OPERATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from dashboard.sharing import Sharing
    from data.accounts import Account, AccountRole
    from data.database import Database

P = ParamSpec("P")
R = TypeVar("R")

PERSONA_ISSUER = "persona"  # no provider can call itself so: theirs are https:// addresses
EXAMPLE_MARK = "XX-EXAMPLE-"
_DEVICE_SECONDS = 365 * 24 * 3600
_THREADS_AT_ONCE = 20  # more than ever wait to have a password hashed, so refusals stay quick
_WAITING_COUNT = 200
_GROUPS = ("Network", "Commissioner", "Primes", "Subcontractors", "Others")
_LONGEST_ADDRESS = 2000
_PERSONAS_SECONDS = 60


def local_path(given: str | None) -> str:
    """Where to go after a sign-in: a page of this server, the overview if it is anything else."""
    path, _, query = (given or "").partition("?")
    plain = (given or "").isascii() and (given or "").isprintable() and "\\" not in (given or "")
    if not plain or len(given or "") > _LONGEST_ADDRESS or crooked(path.encode(), path):
        return "/"
    rule = rule_for("GET", path)
    if rule is None or rule.who != "signed_in" or path == "/sign-out" or path.startswith("/_"):
        return "/"
    return f"{path}?{query}" if query else path


def check_personas(store: Path, sharing: Sharing) -> None:
    """BadOption unless it is safe to let anybody in as anybody.

    It is where only this machine is listened to, and the store holds the worked example and
    nothing else.
    """
    name = sharing.netloc.partition(":")[0]
    if sharing.host != HOST or name not in (HOST, "localhost"):
        raise BadOption(
            "--demo-personas lets anybody in as anybody, so it works on 127.0.0.1 only. Leave out "
            "the other address, or invite people with `fairtier accounts add`."
        )
    known = _organisation_names(store)
    ledger_ids = {entry.reporter_id for entry in Ledger(store).returns()} | set(known)
    if not known or not all(one.startswith(EXAMPLE_MARK) for one in ledger_ids):
        raise BadOption(
            "--demo-personas is for the worked example, and this store "
            f"{'holds other organisations' if known else 'is empty'}. Build the example in a "
            "fresh store with `fairtier demo --no-serve --store DIR` and serve that."
        )


def _organisation_names(store: Path) -> dict[str, str]:
    rows = Ledger(store).registers(OPERATOR)["organisations"].to_pylist()
    return {row["organisation_id"]: row["name"] for row in rows}


def personas(store: Path) -> dict[str, dict[str, str]]:
    """The organisations of the worked example by role: group, organisation id, name."""
    parties = Ledger(store).parties()
    commissioners = {commissioner for _, commissioner, _ in parties.contracts}
    primes = {prime for _, _, prime in parties.contracts}
    subcontractors = {subcontractor for _, subcontractor in parties.agreements}
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for organisation_id, name in sorted(_organisation_names(store).items()):
        parts = (parties.keepers, commissioners, primes, subcontractors)
        place = next((n for n, part in enumerate(parts) if organisation_id in part), len(parts))
        groups[_GROUPS[place]][organisation_id] = name
    return {group: groups[group] for group in _GROUPS if groups[group]}


def persona(database: Database, organisation_id: str, role: AccountRole) -> Account:
    """The account that stands for an organisation of the worked example, made when first asked."""
    email = f"persona-{organisation_id.lower()}@example.invalid"
    there = {one.email: one for one in accounts.accounts(database, organisation_id)}
    actor: dict[str, Any] = {"actor": "operator", "actor_organisation_id": None}
    if email not in there:
        try:
            _, token = accounts.add(
                database, email, f"Persona of {organisation_id}", organisation_id, role, **actor
            )
        except BadOption:  # somebody else pressed the button at the same moment
            return accounts.sign_in_with_provider(database, PERSONA_ISSUER, organisation_id)
        return accounts.join_with_provider(database, token, PERSONA_ISSUER, organisation_id)
    if not there[email].joined:
        token = accounts.reset(database, email, **actor)
        return accounts.join_with_provider(database, token, PERSONA_ISSUER, organisation_id)
    return accounts.sign_in_with_provider(database, PERSONA_ISSUER, organisation_id)


class Doors:
    """The pages; one for each way in and out."""

    def __init__(self, store: Path, database: Database, sharing: Sharing):
        self.store = store
        self.database = database
        self.sharing = sharing
        self.provider = (
            Provider(sharing.provider, database, sharing.origin) if sharing.provider else None
        )
        self._personas: tuple[float, dict[str, dict[str, str]]] | None = None

    def routes(self) -> list[BaseRoute]:
        """All pages of signing in and out."""
        return [
            Route("/sign-in", self.sign_in_page, methods=["GET"]),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/sign-out", self.sign_out_page, methods=["GET"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
            Route("/invitation/{token}", self.invitation_page, methods=["GET"]),
            Route("/invitation/{token}", self.join, methods=["POST"]),
            Route("/sign-in/persona", self.sign_in_as_persona, methods=["POST"]),
            Route("/sign-in/provider", self.to_provider, methods=["GET"]),
            Route("/sign-in/callback", self.from_provider, methods=["GET"]),
            Route("/invitation/{token}/provider", self.to_provider, methods=["GET"]),
        ]

    # In

    async def sign_in_page(self, request: Request) -> Response:
        """The form; whoever is signed in goes on to where they wanted."""
        where = local_path(request.query_params.get("next"))
        if await session_found(self.database, request.scope):
            return RedirectResponse(where, 303)
        told = ""
        if "signed-out" in request.query_params:
            told = notice("You are signed out.", "good")
        elif cookie(request.scope["headers"], cookie_name()):
            told = notice("Your session has ended. Sign in to go on.", "good")
        return await self._form(request, where, told=told)

    async def sign_in(self, request: Request) -> Response:
        """Sign in with a password."""
        form = await _form_of(request)
        where = local_path(form.get("next"))
        device = cookie(request.scope["headers"], cookie_name("device"))
        try:
            attempt = functools.partial(
                accounts.sign_in_with_password,
                self.database,
                form.get("email", ""),
                form.get("password", ""),
                address=address_of(request.scope),
                device_token=device,
            )
            account = await _queued(device is not None, attempt)
            return await self._enter(request, account, where, device=device)
        except SignInRefused as refused:
            return await self._form(request, where, refused=refused, email=form.get("email", ""))

    async def sign_in_as_persona(self, request: Request) -> Response:
        """Sign in as an organisation of the worked example."""
        if not self.sharing.demo_personas:
            return _nothing()
        form = await _form_of(request)
        organisation_id = form.get("organisation_id", "")
        where = local_path(form.get("next"))
        groups = await self._persona_groups()
        role: AccountRole = "network" if organisation_id in groups.get("Network", {}) else "member"
        try:
            if not any(organisation_id in known for known in groups.values()):
                raise SignInRefused("There is no such organisation in the worked example.")
            account = await _in_thread(persona, self.database, organisation_id, role)
            return await self._enter(request, account, where)
        except SignInRefused as refused:
            return await self._form(request, where, refused=refused)

    async def _persona_groups(self) -> dict[str, dict[str, str]]:
        if self._personas is None or time.monotonic() - self._personas[0] > _PERSONAS_SECONDS:
            self._personas = time.monotonic(), await _in_thread(personas, self.store)
        return self._personas[1]

    async def _enter(
        self, request: Request, account: Account, where: str, device: str | None = None
    ) -> Response:
        """A new session with a new token, whatever the browser brought; earlier ones end."""
        earlier = await session_found(self.database, request.scope)
        if earlier:
            await _in_thread(
                sessions.end,
                self.database,
                earlier.session_id,
                actor=earlier.account.email,
                actor_organisation_id=earlier.account.organisation_id,
            )
        _, token = await _in_thread(
            sessions.begin,
            self.database,
            account,
            address=address_of(request.scope),
            browser=(header(request.scope, b"user-agent") or "")[:200],
        )
        response = RedirectResponse(where, 303)
        set_cookie(response, cookie_name(), token)
        if account.signs_in_by == "password":
            # Given anew each time: a browser is known for a year after the last sign-in.
            known = await _in_thread(sessions.begin_device, self.database, account)
            set_cookie(response, cookie_name("device"), known, _DEVICE_SECONDS)
        elif device:
            clear_cookie(response, cookie_name("device"))
        clear_cookie(response, cookie_name("sign-in"))
        return response

    async def _form(
        self,
        request: Request,
        where: str,
        *,
        told: str = "",
        refused: SignInRefused | None = None,
        email: str = "",
    ) -> Response:
        body = (
            f'{told}<form method="post" action="/sign-in">'
            f'<input type="hidden" name="next" value="{text(where)}">'
            '<label for="email">E-mail address</label>'
            '<input id="email" name="email" type="email" autocomplete="username" required '
            f'maxlength="254" value="{text(email[:254])}">'
            '<label for="password">Password</label>'
            '<input id="password" name="password" type="password" '
            'autocomplete="current-password" required maxlength="1000">'
            "<button>Sign in</button></form>"
        )
        if self.provider:
            body += (
                f'<hr><p><a class="button quiet" href="/sign-in/provider?next={quote(where, "")}">'
                f"Sign in with {text(self.provider.settings.name)}</a></p>"
            )
        if self.sharing.demo_personas:
            body += _persona_buttons(await self._persona_groups(), where)
        else:
            body += (
                "<hr><p>No account yet, or the password forgotten? Your network can send you a "
                "link to set up your sign-in.</p>"
            )
        body += '<p><a href="/published">What was published</a> can be read without signing in.</p>'
        return self._said("Sign in", body, request, refused)

    def _said(
        self,
        heading: str,
        body: str,
        request: Request,
        refused: UserError | None,
        status: int = 401,
    ) -> Response:
        if refused is None:
            return page(heading, body)
        headers: dict[str, str] = {}
        if isinstance(refused, SignInRefused) and refused.wait_seconds:
            status, headers = 429, {"retry-after": str(refused.wait_seconds)}
        REFUSALS.note("sign_in", request.scope.get("state", {}).get("rule"))
        return page(heading, body, status, refused=str(refused), headers=headers)

    # With an invitation

    async def invitation_page(self, request: Request) -> Response:
        """Whom the link is for, and how to join. Looking does not use it up."""
        return await self._invitation(request, request.path_params["token"])

    async def join(self, request: Request) -> Response:
        """Set up the sign-in with a password, and sign in."""
        token = request.path_params["token"]
        form = await _form_of(request)
        password = form.get("password", "")
        try:
            if password != form.get("again", ""):
                raise BadOption("The two passwords are not the same. Type the same one twice.")
            join = functools.partial(accounts.join_with_password, self.database, token, password)
            account = await _queued(True, join)
            return await self._enter(request, account, "/")
        except (BadOption, SignInRefused) as refused:
            return await self._invitation(request, token, refused)

    async def _invitation(
        self, request: Request, token: str, refused: UserError | None = None
    ) -> Response:
        try:
            account = await _in_thread(accounts.invited, self.database, token)
        except SignInRefused as dead:
            body = '<p><a href="/sign-in">Go to the sign-in</a></p>'
            return self._said("Set up your sign-in", body, request, dead, 404)
        names = await _in_thread(_organisation_names, self.store)
        name = names.get(account.organisation_id)
        organisation = f"{name} ({account.organisation_id})" if name else account.organisation_id
        body = (
            f"<p>For <strong>{text(account.email)}</strong>, who acts for "
            f"<strong>{text(organisation)}</strong>.</p>"
            f'<form method="post" action="/invitation/{quote(token, "")}">'
            '<input type="hidden" name="email" autocomplete="username" '
            f'value="{text(account.email)}">'
            '<label for="password">Choose a password</label>'
            '<p class="hint" id="password-hint">At least 12 characters. A few unrelated words are '
            "easy to remember.</p>"
            '<input id="password" name="password" type="password" autocomplete="new-password" '
            'required minlength="12" maxlength="1000" aria-describedby="password-hint">'
            '<label for="again">The same password again</label>'
            '<input id="again" name="again" type="password" autocomplete="new-password" required '
            'minlength="12" maxlength="1000">'
            "<button>Set up and sign in</button></form>"
        )
        if self.provider:
            body += (
                f'<hr><p><a class="button quiet" href="/invitation/{quote(token, "")}/provider">'
                f"Join with {text(self.provider.settings.name)}</a></p>"
            )
        return self._said("Set up your sign-in", body, request, refused, 400)

    # With a provider

    async def to_provider(self, request: Request) -> Response:
        """On to the provider, to sign in or to join with an invitation."""
        if self.provider is None:
            return _nothing()
        token = request.path_params.get("token")
        where = local_path(request.query_params.get("next"))
        try:
            if token:
                await _in_thread(accounts.invited, self.database, token)
            begun = await self.provider.begin(token)
        except SignInRefused as refused:
            return await self._form(request, where, refused=refused)
        response = RedirectResponse(begun.url, 303)
        kept = "~".join(quote(part, "") for part in (begun.browser_secret, token or "", where))
        set_cookie(response, cookie_name("sign-in"), kept, BEGUN_FOR.seconds)
        return response

    async def from_provider(self, request: Request) -> Response:
        """Back from the provider, as somebody."""
        if self.provider is None:
            return _nothing()
        kept = cookie(request.scope["headers"], cookie_name("sign-in")) or ""
        secret, token, where = ([unquote(part) for part in kept.split("~")] + [""] * 3)[:3]
        try:
            identity = await self.provider.complete(dict(request.query_params), secret, token)
            who = identity.issuer, identity.subject
            account = await (
                _in_thread(accounts.join_with_provider, self.database, token, *who)
                if token
                else _in_thread(
                    accounts.sign_in_with_provider,
                    self.database,
                    *who,
                    address=address_of(request.scope),
                )
            )
            return await self._enter(request, account, local_path(where))
        except SignInRefused as refused:
            response = await self._form(request, local_path(where), refused=refused)
            clear_cookie(response, cookie_name("sign-in"))
            return response

    # Out

    async def sign_out_page(self, request: Request) -> Response:
        """Who is signed in, and a button to sign out."""
        account = request.state.session.account
        body = (
            f"<p>You are signed in as <strong>{text(account.email)}</strong>, for "
            f"{text(account.organisation_id)}.</p>"
            '<form method="post" action="/sign-out"><button>Sign out</button> '
            '<a class="button quiet" href="/">Stay</a></form>'
        )
        return page("Sign out", body)

    async def sign_out(self, request: Request) -> Response:
        """End the session, in all tabs of this browser."""
        session = request.state.session
        await _in_thread(
            sessions.end,
            self.database,
            session.session_id,
            actor=session.account.email,
            actor_organisation_id=session.account.organisation_id,
        )
        response = RedirectResponse("/sign-in?signed-out", 303)
        clear_cookie(response, cookie_name())
        return response


def _nothing() -> Response:
    return page("Not found", '<p><a href="/">Go to the overview</a></p>', 404)


def _persona_buttons(groups: Mapping[str, Mapping[str, str]], where: str) -> str:
    shown = [
        "<hr><h2>Or look around as an invented organisation</h2>"
        '<form method="post" action="/sign-in/persona">'
        f'<input type="hidden" name="next" value="{text(where)}">'
    ]
    for group, known in groups.items():
        buttons = "".join(
            f'<li><button class="quiet" name="organisation_id" value="{text(organisation_id)}">'
            f"{text(name)}</button></li>"
            for organisation_id, name in known.items()
        )
        shown.append(f'<h3>{text(group)}</h3><ul class="choices">{buttons}</ul>')
    return "".join(shown) + "</form>"


async def _form_of(request: Request) -> dict[str, str]:
    """The fields of a posted form, the last of each name."""
    content = await request.body()
    try:
        return dict(parse_qsl(content.decode("utf-8"), keep_blank_values=True, max_num_fields=20))
    except ValueError:  # not UTF-8, or too many fields: nothing that our own forms send
        return {}


@functools.cache
def _limiter(_queue: str) -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(_THREADS_AT_ONCE)


async def _in_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do work that waits for the database or the ledger in a thread."""
    call = functools.partial(work, *args, **kwargs)
    return await to_thread.run_sync(call, limiter=_limiter("records"))


async def _queued(known: bool, work: Callable[[], R]) -> R:
    """Do work with a password in a thread; known browsers and strangers queue apart."""
    limiter = _limiter("known" if known else "strangers")
    if limiter.statistics().tasks_waiting >= _WAITING_COUNT:
        raise SignInRefused(
            "Many people are signing in at this moment. Try again in a few seconds.", 3
        )
    return await to_thread.run_sync(work, limiter=limiter)
