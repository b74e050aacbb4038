"""Signing in with an organisation's own OpenID Connect provider.

The authorisation code flow with PKCE. Only issuer and subject of a checked id token say who it is;
an e-mail address that a provider tells is never believed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlsplit

import httpx
from anyio import to_thread
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from data.database import SIGN_INS
from data.errors import BadOption, SignInRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from data.database import Database

BEGUN_FOR = dt.timedelta(minutes=10)
CALLBACK = "/sign-in/callback"
_KEPT_SECONDS = 3600
_KEYS_AGAIN_SECONDS = 30
_LEEWAY_SECONDS = 30
_LONGEST_SUBJECT_COUNT = 255
# Signatures that only the provider can make: none where our own secret would do.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_AGAIN = "Go back to the sign-in and try again; if it stays so, tell whoever runs this server."


@dataclass(frozen=True)
class ProviderSettings:
    """A provider, and how this server is known there; `name` is what people call it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "your organisation's sign-in"

    def __post_init__(self) -> None:
        """Raise BadOption for an issuer that could not be trusted."""
        if not _is_safe(self.issuer) or urlsplit(self.issuer).query or "#" in self.issuer:
            raise BadOption(
                f'FAIRTIER_OIDC_ISSUER has "{self.issuer}", which is not the https:// address of '
                "an OpenID Connect provider."
            )


def settings_from_environment() -> ProviderSettings | None:
    """The provider that FAIRTIER_OIDC_ISSUER, _CLIENT_ID and _CLIENT_SECRET name; None if none is.

    FAIRTIER_OIDC_NAME is what the button says. BadOption if some are set and others missing.
    """
    given = {
        name: os.environ.get(f"FAIRTIER_OIDC_{name}", "")
        for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")
    }
    if not any(given.values()):
        return None
    missing = [f"FAIRTIER_OIDC_{name}" for name, value in given.items() if not value]
    if missing:
        raise BadOption(
            f"To sign in with a provider, {' and '.join(missing)} must be set as well. Set them, "
            "or unset the others that begin with FAIRTIER_OIDC_."
        )
    name = os.environ.get("FAIRTIER_OIDC_NAME", "")
    return ProviderSettings(
        given["ISSUER"],
        given["CLIENT_ID"],
        given["CLIENT_SECRET"],
        **({"name": name} if name else {}),
    )


@dataclass(frozen=True)
class Begun:
    """A sign-in that was begun: where to send the browser, and what it must bring back."""

    url: str
    browser_secret: str


@dataclass(frozen=True)
class Identity:
    """Who somebody is at a provider."""

    issuer: str
    subject: str


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    inside = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and inside))


def _hash(*secret_parts: str) -> str:
    return hashlib.sha256("\n".join(secret_parts).encode()).hexdigest()


class Provider:
    """One provider; what it publishes about itself is kept for an hour."""

    def __init__(self, settings: ProviderSettings, database: Database, our_origin: str):
        self.settings = settings
        self.database = database
        self.callback_url = our_origin + CALLBACK
        self._document: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def begin(self, invitation_token: str | None = None) -> Begun:
        """Begin a sign-in, or the joining of whoever has an invitation.

        What is stored can be found again only with the state that comes back from the provider
        and the secret that this browser alone holds.
        """
        document = await self._discovered()
        state, nonce, verifier, browser = (secrets.token_urlsafe(48) for _ in range(4))
        now = dt.datetime.now(dt.UTC)
        row = {
            "state_hash": _hash(state, browser),
            "nonce": nonce,
            "verifier": verifier,
            "invitation_hash": _hash(invitation_token) if invitation_token else None,
            "ends_at": now + BEGUN_FOR,
        }
        await to_thread.run_sync(self._store, row, now)
        url: str = prepare_grant_uri(
            document["authorization_endpoint"],
            client_id=self.settings.client_id,
            response_type="code",
            redirect_uri=self.callback_url,
            scope="openid",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Begun(url, browser)

    def _store(self, row: Mapping[str, Any], now: dt.datetime) -> None:
        with self.database.writing() as connection:
            connection.execute(SIGN_INS.delete().where(SIGN_INS.c.ends_at <= now))
            connection.execute(SIGN_INS.insert().values(**row))

    def _taken(self, state_hash: str) -> sa.Row[Any] | None:
        with self.database.writing() as connection:
            return connection.execute(
                SIGN_INS.delete()
                .where(
                    SIGN_INS.c.state_hash == state_hash,
                    SIGN_INS.c.ends_at > dt.datetime.now(dt.UTC),
                )
                .returning(SIGN_INS)
            ).one_or_none()

    async def complete(
        self,
        answer: Mapping[str, str],
        browser_secret: str | None,
        invitation_token: str | None = None,
    ) -> Identity:
        """Who came back from the provider; SignInRefused unless every check holds.

        `answer` are the parameters of the callback. An answer counts once, in the browser that
        began, within ten minutes.
        """
        state_hash = _hash(answer.get("state", ""), browser_secret or "")
        begun = await to_thread.run_sync(self._taken, state_hash)
        if begun is None:
            raise SignInRefused(
                "This sign-in was begun in another browser, took longer than "
                f"{BEGUN_FOR.seconds // 60} minutes or was completed already. Go back to the "
                "sign-in and begin again."
            )
        expected = begun.invitation_hash or ""
        if not hmac.compare_digest(expected, _hash(invitation_token) if invitation_token else ""):
            raise SignInRefused("Open the link of your invitation again, and join from there.")
        name = self.settings.name
        if "error" in answer or not answer.get("code"):
            raise SignInRefused(f"You were not signed in at {name}. {_AGAIN}")
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:
            raise self._untrusted()
        id_token = await self._redeemed(answer["code"], begun.verifier)
        return Identity(self.settings.issuer, await self._subject(id_token, begun.nonce))

    def _untrusted(self) -> SignInRefused:
        return SignInRefused(
            f"The answer of {self.settings.name} could not be trusted, so you were not signed in. "
            f"{_AGAIN}"
        )

    async def _redeemed(self, code: str, verifier: str) -> str:
        document = await self._discovered()
        settings = self.settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback_url,
            "code_verifier": verifier,
        }
        auth = None
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            auth = httpx.BasicAuth(
                quote_plus(settings.client_id), quote_plus(settings.client_secret)
            )
        else:
            form |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
        answered = await self._asked("POST", document["token_endpoint"], data=form, auth=auth)
        id_token = answered.get("id_token")
        if not isinstance(id_token, str):
            raise self._untrusted()
        return id_token

    async def _subject(self, id_token: str, nonce: str) -> str:
        claims_wanted = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = (await self._decoded(id_token)).claims
            claims_wanted.validate(claims)
        except (JoseError, ValueError) as error:
            raise self._untrusted() from error
        party = claims.get("azp", self.settings.client_id)
        shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if party != self.settings.client_id or (shared and "azp" not in claims):
            raise self._untrusted()
        subject: str = claims["sub"]
        if not subject or len(subject) > _LONGEST_SUBJECT_COUNT:
            raise self._untrusted()
        return subject

    async def _decoded(self, id_token: str) -> jwt.Token:
        keys = await self._published_keys(_KEPT_SECONDS)
        try:
            return jwt.decode(id_token, keys, algorithms=_ALGORITHMS)
        except InvalidKeyIdError:
            # The provider may have changed its keys since.
            keys = await self._published_keys(_KEYS_AGAIN_SECONDS)
            return jwt.decode(id_token, keys, algorithms=_ALGORITHMS)

    async def _published_keys(self, kept_seconds: float) -> KeySet:
        if self._keys is None or time.monotonic() - self._keys[0] > kept_seconds:
            published: Any = await self._asked("GET", (await self._discovered())["jwks_uri"])
            try:
                self._keys = time.monotonic(), KeySet.import_key_set(published)
            except (JoseError, LookupError, TypeError, ValueError) as error:
                raise self._untrusted() from error
        return self._keys[1]

    async def _discovered(self) -> dict[str, Any]:
        if self._document is None or time.monotonic() - self._document[0] > _KEPT_SECONDS:
            issuer = self.settings.issuer
            where = issuer.rstrip("/") + "/.well-known/openid-configuration"
            document = await self._asked("GET", where)
            ends = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            fit = all(
                isinstance(document.get(end), str) and _is_safe(document[end]) for end in ends
            )
            if document.get("issuer") != issuer or not fit:
                raise self._untrusted()
            self._document = time.monotonic(), document
        return self._document[1]

    async def _asked(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=10, follow_redirects=False) as client:
                response = await client.request(method, url, **request)
            refused = method == "POST" and response.is_client_error
            answered = {} if refused else response.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise SignInRefused(
                f"{self.settings.name[:1].upper()}{self.settings.name[1:]} cannot be reached at "
                "this moment. Try again in a few minutes."
            ) from error
        if not isinstance(answered, dict):
            raise self._untrusted()
        return answered
