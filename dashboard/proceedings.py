"""Raised flags put to those they are about: after each return, every day, and when asked."""

from __future__ import annotations

import datetime as dt
import json
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dashboard.mail import post_named, send_waiting
from data import replies
from data.errors import ReturnConflict, UserError
from data.replies import Raised, Reviewed, bring_up_to_date
from data.scope import OPERATOR
from metrics.own_returns import rests_on_subcontractor
from metrics.public_statement import public_statement
from metrics.rules import rules_as_of

if TYPE_CHECKING:
    from dashboard.service import Service
    from data.database import Database
    from data.replies import Case, Published
    from metrics.definition import Assessment

_LOG = logging.getLogger("fairtier.proceedings")
_RULE = "reply_days"
_MOST_TRIES = 3
_NAMES_ROWS = "rows"  # of the two sides' returns; which they are follows from the ledger


def reply_days(today: dt.date | None = None) -> int:
    """How many working days there are to reply, by the register in force on a day."""
    return int(rules_as_of(today or dt.date.today())[_RULE].value)


def review(service: Service, database: Database, today: dt.date | None = None) -> Reviewed:
    """Open a case for each flag raised as of today that has none, and close what has ceased.

    By the register's rules and the whole ledger, whoever asks. ReturnConflict if returns come in
    faster than they can be reviewed: the review after the last of them does it all.
    """
    day = today or dt.date.today()
    whole = service.within(OPERATOR)
    for _ in range(_MOST_TRIES):
        version = whole.version()
        found, statuses = _raised(whole, day, version) if version else ([], {})
        done = bring_up_to_date(
            database,
            found,
            statuses,
            today=day,
            reply_days=reply_days(day),
            still=lambda version=version: whole.version() == version,  # type: ignore[misc]
        )
        if done is not None:
            return done
    raise ReturnConflict("Returns are coming in just now. Review the flags again in a minute.")


def attend(
    service: Service, database: Database, sign_in_at: str, today: dt.date | None = None
) -> Reviewed:
    """Review the flags and send the mail that is waiting; what is wrong with mail is logged."""
    reviewed = review(service, database, today)
    send_mail(database, sign_in_at, today)
    return reviewed


def send_mail(database: Database, sign_in_at: str, today: dt.date | None = None) -> None:
    """Send the mail that is waiting; what is wrong with mail is logged and tried again."""
    try:
        post = post_named()
        if post is not None:
            send_waiting(database, post, sign_in_at, today)
    except UserError as error:
        _LOG.warning("No mail was sent. %s", error)


def _raised(
    service: Service, day: dt.date, version: int
) -> tuple[list[Raised], dict[tuple[str, str, str | None], str]]:
    """What is raised, and the status of everything assessed."""
    registers = service.registers(day)
    names = {row["organisation_id"]: row["name"] for row in registers["organisations"].to_pylist()}
    commissioners = {
        row["contract_id"]: row["commissioner_id"] for row in registers["contracts"].to_pylist()
    }
    assessments = service.flags(as_of=day).assessments
    found = [
        Raised(
            flag=one.flag,
            contract_id=one.contract_id,
            prime_id=one.prime_id,
            subcontractor_id=one.subcontractor_id,
            rests_on_subcontractor=rests_on_subcontractor(one),
            answer=_snapshot(one, names, commissioners.get(one.contract_id), day, version),
        )
        for one in assessments
        if one.status == "raised"
    ]
    statuses = {(a.flag, a.contract_id, a.subcontractor_id): str(a.status) for a in assessments}
    return found, statuses


def _snapshot(
    found: Assessment,
    names: dict[str, str],
    commissioner_id: str | None,
    day: dt.date,
    version: int,
) -> dict[str, Any]:
    """The answer as it is kept: with whose names, as of which day and which returns."""
    answer = found.answer()
    evidence = {name: value for name, value in found.evidence.items() if name != _NAMES_ROWS}
    about = (found.prime_id, found.subcontractor_id, commissioner_id)
    kept = answer | {
        "evidence": evidence,
        "names": {one: names.get(one, one) for one in about if one},
        "commissioner_id": commissioner_id,
        "as_of": day.isoformat(),
        "ledger_version": version,
    }
    snapshot: dict[str, Any] = json.loads(json.dumps(kept, allow_nan=False))
    return snapshot


def case_answer(case: Case) -> dict[str, Any]:
    """A case as JSON for those who may see it: what the flag said, and every step since."""
    return {
        "case_id": case.case_id,
        "flag": case.flag,
        "contract_id": case.contract_id,
        "prime_id": case.prime_id,
        "subcontractor_id": case.subcontractor_id,
        "sentence": case.sentence,
        "opened_at": case.opened_at.isoformat(),
        "due_on": case.due_on.isoformat() if case.due_on else None,
        "held": case.held,
        "unreached": list(case.unreached),
        "outcome": case.outcome,
        "decision": case.decision.kind if case.decision else None,
        "no_longer_raised": case.closed,
        "steps": [
            {
                "number": step.number,
                "step": step.kind,
                "organisation_id": step.organisation_id,
                "actor": step.actor or None,
                "at": step.at.isoformat(),
                "reason": step.reason or None,
                "text": step.text,
            }
            for step in case.steps
        ],
    }


def open_to_all(database: Database, today: dt.date) -> tuple[Published, ...]:
    """The published flags as anybody may see them: what each says, and no figure behind it."""
    return replies.published(database, today, public_statement)


def published_answer(one: Published) -> dict[str, Any]:
    """A published flag as JSON, with the replies it stands beside."""
    answer = asdict(one)
    for name in ("opened_at", "due_on", "published_at"):
        answer[name] = answer[name].isoformat()
    answer["names"] = dict(one.names)
    for reply in answer["replies"]:
        reply["replied_at"] = reply["replied_at"].isoformat()
    answer["replies"] = list(answer["replies"])
    return answer
