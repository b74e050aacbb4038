"""The published flags, each beside what those it is about reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.open_data.cells import in_words, json_cell, seen
from dashboard.open_data.release import ANSWERS
from data.replies import REASONS

if TYPE_CHECKING:
    from dashboard.open_data.release import OpenRelease, OpenTable

NOBODY = "Nobody has replied."
WHOLE_CONTRACT = "the whole contract"
_STANCES = {"accepted": "accepts the flag", "disputed": "disputes the flag"}


@dataclass(frozen=True)
class ShownReply:
    """One reply in words: `stance` is what it does, `said` the reason given and the text."""

    by: str
    on: str
    stance: str
    said: str


@dataclass(frozen=True)
class AnsweredFlag:
    """One published flag in words, with its replies."""

    title: str
    contract_id: str
    about: tuple[str, ...]
    statement: str
    published_on: str
    decision: str
    replies: tuple[ShownReply, ...]


def answered_flags(release: OpenRelease) -> tuple[AnsweredFlag, ...]:
    """The flags of a release in the order of its table; days as 31 March 2012."""
    flags, replies = release.table("flags"), release.table("replies")
    if flags is None:
        return ()
    names = release.names()
    titles = {method.id: method.title for method in release.methods}
    answers = [_told(replies, row) for row in release.rows_of("replies")] if replies else []

    def named(organisation_id: str) -> str:
        return names.get(organisation_id, organisation_id)

    def one(flag: dict[str, str]) -> AnsweredFlag:
        subcontractor, prime = flag.get("subcontractor_id", ""), flag.get("prime_id", "")
        about = (named(subcontractor) if subcontractor else WHOLE_CONTRACT, named(prime))
        return AnsweredFlag(
            title=titles.get(flag["flag"], flag["flag"]),
            contract_id=flag["contract_id"],
            about=tuple(name for name in about if name),
            statement=flag["statement"],
            published_on=flag.get("published_on", ""),
            decision=flag.get("decision", ""),
            replies=tuple(
                _reply(reply, named(reply["by"]))
                for reply in answers
                if all(reply[name] == flag[name] for name in ANSWERS)
            ),
        )

    return tuple(one(_told(flags, row)) for row in release.rows_of("flags"))


def _told(table: OpenTable, row: dict[str, object]) -> dict[str, str]:
    """The row in words, empty where there is nothing."""
    return {field.id: in_words(field, json_cell(field, row[field.id])) for field in table.fields}


def _reply(reply: dict[str, str], by: str) -> ShownReply:
    stance, reason = reply.get("stance", ""), reply.get("reason", "")
    parts = (REASONS.get(reason, reason), reply.get("text", ""))
    return ShownReply(
        by=by,
        on=reply.get("on", ""),
        stance=_STANCES.get(stance, stance),
        said=". ".join(part for part in parts if part),
    )


def citation(release: OpenRelease) -> str:
    """How to name the release where it is used."""
    return seen(
        f"{release.publisher_name}: {release.title}. Release {release.release_id}, "
        f"{release.made_on.isoformat()}. {release.licence.name}."
    )
