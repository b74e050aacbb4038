"""The page for everybody: the flags that the network has published, each beside the replies."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.routing import Route

from dashboard.plain import page
from dashboard.words import day, text
from data.replies import REASONS, published
from metrics.catalogue import flags

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from data.database import Database
    from data.replies import Published


def routes(database: Database) -> list[BaseRoute]:
    """The page, without a sign-in."""

    async def answer(_request: Request) -> Response:
        found = await to_thread.run_sync(published, database, dt.date.today())
        return page("Published flags", page_html(found))

    return [Route("/published", answer, methods=["GET"])]


def page_html(found: tuple[Published, ...]) -> str:
    """All of them, the newest first."""
    opening = (
        "<p>A flag says look here; it does not say who is at fault. Each was put to those it is "
        "about, and they had time to answer, before the network published it.</p>"
    )
    newest = sorted(found, key=lambda one: one.published_at, reverse=True)
    return opening + ("".join(map(_one_html, newest)) or "<p>Nothing has been published yet.</p>")


def _one_html(one: Published) -> str:
    title = {flag.id: flag.title for flag in flags()}.get(one.flag, one.flag)
    about = [
        one.contract_id,
        *(one.names.get(i, i) for i in (one.subcontractor_id, one.prime_id) if i),
    ]
    replies = "".join(
        f"<li>{text(one.names.get(reply.organisation_id, reply.organisation_id))} "
        f"({day(reply.replied_at.date())}): {text(_said(reply.stance, reply.reason, reply.text))}</li>"
        for reply in one.replies
    )
    ended = "<p>The flag is not raised any more.</p>" if one.no_longer_raised else ""
    outcome = f"<p>Outcome: {text(one.outcome)}.</p>" if one.outcome else ""
    reason = f"<p>The network: {text(one.reason)}</p>" if one.reason else ""
    return (
        f"<section><h2>{text(title)}</h2><p>{text(', '.join(about))}</p><p>{text(one.sentence)}</p>"
        f"<p>Put to those it is about on {day(one.opened_at.date())}; published on "
        f"{day(one.published_at.date())}.</p>{ended}<h3>What they reply</h3>"
        f"<ul>{replies or '<li>Nobody has replied.</li>'}</ul>{outcome}{reason}</section>"
    )


def _said(stance: str, reason: str, words: str) -> str:
    why = REASONS.get(reason, reason)
    return f"{stance}. {why}{'. ' if why and words else ''}{words}"
