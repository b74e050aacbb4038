"""What a shared server does by itself: it puts raised flags to those they are about.

It looks whenever a return came in, from whichever process, when an organisation can sign in that
could not before, and when a day has begun.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from dashboard.proceedings import review, send_mail
from dashboard.terminal import report_bug
from data import audit
from data.errors import UserError
from data.replies import able_to_sign_in
from metrics.rules import register

if TYPE_CHECKING:
    from dashboard.service import Service
    from data.database import Database

_LOG = logging.getLogger("fairtier.attendant")
_EVERY_SECONDS = 20


class Attendant:
    """Reviews the flags of a store after every change; `address` is where people sign in."""

    def __init__(self, service: Service, database: Database, address: str):
        self.service = service
        self.database = database
        self.address = address
        self._seen: tuple[int, dt.date, frozenset[str]] | None = None

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await to_thread.run_sync(self.look, abandon_on_cancel=True)
            await anyio.sleep(_EVERY_SECONDS)

    def look(self) -> None:
        """Review if anything has changed since the last look, and send what mail is waiting.

        A failure is tried again at the next look.
        """
        try:
            now = (self.service.version(), dt.date.today(), able_to_sign_in(self.database))
            if now[0] and now != self._seen:
                review(self.service, self.database)
            self._seen = now
            send_mail(self.database, self.address)
        except UserError as error:
            _LOG.warning("The flags could not be reviewed. %s", error)
        except Exception as error:
            _LOG.exception("%s", report_bug(error, self.service.store), exc_info=False)


def note_rules(database: Database) -> None:
    """Note in the audit which rules are not what they were when a server last started."""
    now = {f"{rule.id} {rule.version}": str(rule.shown) for rule in register()}
    with database.writing() as connection:
        before: dict[str, Any] = next(
            (
                dict(event.details["rules"])
                for event in reversed(audit.events(connection))
                if event.action == "rules.changed"
            ),
            {},
        )
        changed = sorted(
            one for one in before.keys() | now.keys() if before.get(one) != now.get(one)
        )
        if not changed:
            return
        audit.note(
            connection,
            "rules.changed",
            actor="Fairtier",
            organisation_id=None,
            subject=", ".join(changed) if before else "the register as it was first used here",
            details={"rules": now},
        )
