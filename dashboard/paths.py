"""The table of rules: who may ask for which path. What no rule lists is refused."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

from starlette.routing import compile_path

from data.settings import max_upload_bytes

Who = Literal["anyone", "signed_in", "token", "nobody"]
WEBSOCKET = "WEBSOCKET"
READ = ("GET", "HEAD")
_ALL = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", WEBSOCKET)
MIB = 2**20


@dataclass(frozen=True)
class Rule:
    """Who may ask for a path, with which methods, and how much they may send.

    `path` is written as Starlette writes routes: `{name}` is one part, `{name:path}` all the rest.
    Only what `cached` says may be kept by browsers and by servers in between.
    """

    path: str
    methods: tuple[str, ...]
    who: Who
    why: str
    body_limit_bytes: int = 0
    cached: bool = False
    shared_only: bool = False

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as a regular expression."""
        return compile_path(self.path)[0]


FORM_BYTES = 16 * 1024
_NOBODY = (
    ("/_stcore/metrics", "what the server is doing is not for the network"),
    ("/_stcore/script-health-check", "would run pages without a session"),
    ("/_stcore/agent/{rest:path}", "programs use /api/v1, within a scope"),
    ("/_stcore/bidi-components/{rest:path}", "no page has such parts"),
    ("/component/{rest:path}", "no page has such parts"),
    ("/app/static/{rest:path}", "no files are served from beside the pages"),
    ("/auth/{rest:path}", "Streamlit's own sign-in; ours is /sign-in"),
    ("/oauth2callback", "Streamlit's own sign-in; ours is /sign-in"),
    ("/index.html", "the pages have addresses of their own"),
)


@functools.cache
def rules() -> tuple[Rule, ...]:
    """The table of rules; the first that fits decides."""
    from dashboard.views.navigation import NAMES  # noqa: PLC0415 - loads Streamlit

    door = functools.partial(Rule, who="anyone", shared_only=True)
    form = functools.partial(door, methods=("POST",), body_limit_bytes=FORM_BYTES)
    return (
        Rule("/{rest:path}", ("OPTIONS",), "nobody", "no other site may ask through a browser"),
        *(Rule(path, _ALL, "nobody", why) for path, why in _NOBODY),
        Rule("/healthz", READ, "anyone", "is the process alive"),
        Rule("/readyz", READ, "anyone", "are database and ledger there"),
        door("/sign-in", READ, why="the form"),
        form("/sign-in", why="a password"),
        form("/sign-in/persona", why="an invented organisation, on this machine only"),
        door("/sign-in/provider", READ, why="on to the provider"),
        door("/sign-in/callback", READ, why="back from the provider"),
        door("/invitation/{token}", READ, why="whoever has the link"),
        form("/invitation/{token}", why="whoever has the link"),
        door("/invitation/{token}/provider", READ, why="on to the provider"),
        Rule("/sign-out", READ, "signed_in", "asks before it is done", shared_only=True),
        Rule("/sign-out", ("POST",), "signed_in", "ends the session", FORM_BYTES, False, True),
        Rule("/published", READ, "anyone", "published data"),
        door("/open-data", READ, why="the last release"),
        door("/open-data/{file:path}", READ, why="the last release"),
        Rule("/api/v1/openapi.json", READ, "anyone", "what programs can ask"),
        Rule(
            "/api/v1/{rest:path}",
            ("GET", "HEAD", "POST", "DELETE"),
            "token",
            "programs, within the scope of their token",
            max_upload_bytes() + MIB,
        ),
        Rule("/downloads/{rest:path}", READ, "signed_in", "exports, within the asker's scope"),
        Rule("/static/{rest:path}", READ, "anyone", "scripts and fonts of the pages", cached=True),
        Rule("/favicon.png", READ, "anyone", "the icon", cached=True),
        Rule("/manifest.json", READ, "anyone", "the name of the application", cached=True),
        Rule("/_stcore/health", READ, "anyone", "the page asks before it connects"),
        Rule("/_stcore/host-config", READ, "anyone", "the page asks before it connects"),
        Rule("/_stcore/stream", (WEBSOCKET,), "signed_in", "what the pages show"),
        Rule(
            "/_stcore/upload_file/{run}/{file}",
            ("PUT", "DELETE"),
            "signed_in",
            "files chosen on a page",
            51 * MIB,
        ),
        Rule("/media/{file:path}", READ, "signed_in", "files that a page offers"),
        Rule("/", READ, "signed_in", "the overview"),
        # The first page is the overview, whose address is the root.
        *(Rule(f"/{name}", READ, "signed_in", "a page") for name in NAMES[1:]),
    )


def rule_for(method: str, path: str, *, shared: bool = True) -> Rule | None:
    """The rule that decides about a request, `WEBSOCKET` being a method; None where none does."""
    for rule in rules():
        fits = method in rule.methods and rule.pattern.fullmatch(path)
        if fits and (shared or not rule.shared_only):
            return rule
    return None


_CROOKED = re.compile(
    rb"%(?:2f|5c|2e|25|[01][0-9a-f]|7f)|//|\\|[\x00-\x20\x7f-\xff]|/\.{1,2}(?:/|$)",
    re.IGNORECASE,
)


def crooked(raw_path: bytes, path: str) -> bool:
    """Whether a path is written so that two readers could take it for two different paths."""
    return bool(not raw_path.startswith(b"/") or _CROOKED.search(raw_path) or "\ufffd" in path)
