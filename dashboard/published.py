"""The page for everybody: the flags that the network has published, each beside the replies."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.routing import Route

from dashboard.plain import page
from dashboard.proceedings import open_to_all
from dashboard.words import day, text
from data.replies import OUTCOMES, REASONS
from metrics.catalogue import flags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from data.database import Database
    from data.replies import Published, Reply


def routes(database: Database) -> list[BaseRoute]:
    """The page, without a sign-in."""

    async def answer(_request: Request) -> Response:
        found = await to_thread.run_sync(open_to_all, database, dt.date.today())
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
    parties = [one.names.get(i, i) for i in (one.subcontractor_id, one.prime_id) if i]
    about = ", ".join([one.contract_id, *parties])
    replies = "".join(map(functools.partial(_reply_html, names=one.names), one.replies))
    ended = "<p>The flag is not raised any more.</p>" if one.no_longer_raised else ""
    outcome = f"<p>{text(OUTCOMES[one.outcome])}.</p>" if one.outcome else ""
    reason = f"<p>The network: {text(one.reason)}</p>" if one.reason else ""
    return (
        f"<section><h2>{text(title)}</h2><p>{text(about)}</p><p>{text(one.sentence)}</p>"
        f"<p>Put to those it is about on {day(one.opened_at.date())}; published on "
        f"{day(one.published_at.date())}.</p>{ended}<h3>What they reply</h3>"
        f"<ul>{replies or '<li>Nobody has replied.</li>'}</ul>{outcome}{reason}</section>"
    )


def _reply_html(reply: Reply, names: Mapping[str, str]) -> str:
    who = names.get(reply.organisation_id, reply.organisation_id)
    why = REASONS.get(reply.reason, reply.reason)
    said = ". ".join(filter(None, (reply.stance.capitalize(), why, reply.text)))
    return f"<li>{text(who)}, {day(reply.replied_at.date())}: {text(said)}</li>"
