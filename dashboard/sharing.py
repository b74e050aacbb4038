"""How this server is shared, and the cookies by which it knows browsers again."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from data.errors import BadOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.responses import Response

    from dashboard.provider import ProviderSettings

HOST = "127.0.0.1"
THIS_MACHINE = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True)
class Sharing:
    """That several organisations use this server over a network.

    `url` is the public address that people type. It gives the one allowed host, the one allowed
    origin, and whether cookies travel only behind TLS; `host` is the address to listen on.
    """

    url: str
    host: str = HOST
    demo_personas: bool = False
    provider: ProviderSettings | None = None

    def __post_init__(self) -> None:
        """Raise BadOption for an address that could not be kept safe."""
        try:
            parts = urlsplit(self.url)
            named = parts.hostname is not None and "@" not in parts.netloc and parts.port != 0
        except ValueError:  # the port is no number, or a bracket is left open
            parts, named = urlsplit(""), False
        bare = parts.path in ("", "/") and not parts.query and not parts.fragment
        if parts.scheme not in ("http", "https") or not named or not bare:
            raise BadOption(
                f'"{self.url}", from --url or FAIRTIER_URL, is not an address that people can '
                "type. Write it like https://fairtier.example, with nothing after the name."
            )
        if parts.scheme == "http" and parts.hostname not in THIS_MACHINE:
            raise BadOption(
                f"Passwords would travel readable by others to {self.url}. Put a web server with "
                "TLS in front and give its https:// address."
            )

    @property
    def netloc(self) -> str:
        """Host and port as browsers send them."""
        parts = urlsplit(self.url)
        usual = {"http": 80, "https": 443}[parts.scheme]
        name = (parts.hostname or "").lower()
        return name if parts.port in (None, usual) else f"{name}:{parts.port}"

    @property
    def origin(self) -> str:
        """The origin that our own pages send."""
        return f"{urlsplit(self.url).scheme}://{self.netloc}"

    @property
    def secure(self) -> bool:
        """Whether people reach it behind TLS."""
        return urlsplit(self.url).scheme == "https"


_sharing: list[Sharing | None] = [None]


def share(sharing: Sharing | None) -> None:
    """Say how this process is shared; None for one operator on this machine."""
    _sharing[:] = [sharing]


def sharing() -> Sharing | None:
    """How this process is shared."""
    return _sharing[0]


def cookie_name(purpose: str = "") -> str:
    """The name of the session's cookie, or of the one for another `purpose`.

    Behind TLS the prefix makes browsers refuse a cookie of that name from any other host or path.
    """
    shared = sharing()
    name = f"fairtier-{purpose}" if purpose else "fairtier"
    return f"__Host-{name}" if shared and shared.secure else name


def set_cookie(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Give the browser a cookie that no script and no other site can read or send along."""
    shared = sharing()
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=bool(shared and shared.secure),
    )


def clear_cookie(response: Response, name: str) -> None:
    """Take a cookie from the browser."""
    set_cookie(response, name, "", 0)


def cookie(headers: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """The value of a cookie; None where there is none, or several that contradict each other."""
    found: set[str] = set()
    for key, value in headers:
        if key.lower() == b"cookie":
            for part in value.decode("latin-1").split(";"):
                given, _, content = part.strip().partition("=")
                if given == name:
                    found.add(_unquoted(content))
    return found.pop() if len(found) == 1 else None


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    with contextlib.suppress(CookieError):
        parsed = SimpleCookie(f"x={value}").get("x")
        return parsed.value if parsed else ""
    return ""
