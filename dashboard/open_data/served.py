"""The last release for everybody, without a sign-in: its page, and each of its files."""

from __future__ import annotations

import datetime as dt
import mimetypes
from threading import Lock
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard.open_data.package import package_files
from dashboard.open_data.page import CONTENT_SECURITY_POLICY
from dashboard.plain import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from dashboard.open_data.release import OpenRelease
    from dashboard.service import Service

PATH = "/open-data/"


def routes(service: Service) -> list[BaseRoute]:
    """The page of the last release at `/open-data/`, and its files below."""
    lock = Lock()
    made: list[tuple[OpenRelease, dict[str, bytes]]] = []

    def files() -> dict[str, bytes] | None:
        release = service.open_release(dt.date.today())
        if release is None:
            return None
        with lock:
            if not made or made[0][0] != release:
                made[:] = [(release, package_files(release))]
            return made[0][1]

    async def answer(request: Request) -> Response:
        found = await to_thread.run_sync(files)
        name = request.path_params["file"] or "index.html"
        if found is None:
            return page("Open data", "<p>Nothing has been released yet.</p>")
        if name not in found:
            return page("Not found", "<p>The release has no such file.</p>", 404)
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        headers = {"content-security-policy": CONTENT_SECURITY_POLICY}
        return Response(found[name], media_type=kind, headers=headers)

    async def onward(_request: Request) -> Response:
        return RedirectResponse(PATH)

    return [
        Route(PATH.rstrip("/"), onward, methods=["GET"]),
        Route(f"{PATH}{{file:path}}", answer, methods=["GET"]),
    ]
