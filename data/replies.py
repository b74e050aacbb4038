"""The right of reply: what is flagged is put to those it is about before anybody else is told.

A case is opened for each raised flag and keeps the answer as it was. It notifies the prime and the
subcontractor, and the commissioner where the figures point to it, and starts a clock. A
subcontractor that asked to be asked first is notified alone: the case is held until it releases
it, and only then are the others told and the clock started.

No clock runs against an organisation of which nobody can sign in. For such a party it starts at the
first review after somebody of it joined, or on the day on which the network says that it put the
flag to it another way. A case is published only when the clock of every party has run.

Whoever is notified may reply, also late; the latest stance of those the figures speak of decides
whether a case is accepted or disputed. The network may find it resolved or withdraw it, and alone
decides whether it is published: after the clock has run, always beside the replies, never while
held, withdrawn or under embargo. A flag that is no longer raised closes its case.

Every step stands in the audit chain with the hash of what it says.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import sqlalchemy as sa

from data import arrangements, audit
from data.arrangements import content_sha256, in_force, plain_text, take_turn
from data.database import ACCOUNTS, CASES, MAILINGS, NOTICES, STEPS
from data.errors import BadOption, NotAllowed
from data.scope import NOT_SHOWN
from data.working_days import working_day_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from data.database import Database
    from data.scope import Reach, Scope

Stance = Literal["accepted", "disputed"]
Decision = Literal["published", "withheld", "resolved", "withdrawn"]
Outcome = Literal["accepted", "disputed", "resolved", "withdrawn"]
Key = tuple[str, str, str | None, str | None]  # flag, contract, subcontractor, prime

MOST_TEXT_CHARACTERS = 5_000
OTHER = "other"
REASONS: Mapping[str, str] = {
    "figures_wrong": "Our own returns were wrong or incomplete; a corrected return will be sent",
    "other_side_wrong": "The other side's returns are wrong or incomplete",
    "volume": "Fewer clients, or others, came from the commissioner than were forecast",
    "agreed_change": "The change was agreed between the prime and the subcontractor",
    "timing": "It is a matter of timing: a late start or a lag between two events",
    "client_choice": "Clients chose, or needed, another provider",
    "contract_terms": "The terms of the contract call for it",
    "put_right": "It is so, and it was or will be put right",
    OTHER: "Another reason, which the text gives",
}
OUTCOMES: Mapping[Outcome, str] = {
    "accepted": "Accepted: nobody the figures speak of disputes the flag",
    "disputed": "Disputed: the flag is said to be wrong or unfair",
    "resolved": "Resolved: the network found that the matter is settled",
    "withdrawn": "Withdrawn: the flag no longer stands",
}
STEPS_TAKEN: Mapping[str, str] = {
    "opened": "The flag was put to those it is about",
    "held": "The subcontractor was asked whether the flag may be shown to the prime",
    "released": "The subcontractor agreed, and the flag was put to the others it is about",
    "declined": "The subcontractor did not agree, so the flag is not shown to the prime",
    "accepted": "Replied, and accepts the flag",
    "disputed": "Replied, and disputes the flag",
    "resolved": "The network found the matter resolved",
    "withdrawn": "The network withdrew the flag",
    "published": "The network decided to publish the flag with the replies",
    "withheld": "The network decided not to publish the flag",
    "no_longer_raised": "The flag is no longer raised",
    "unreached": "Nobody of {party} could sign in, so its time to reply did not begin",
    "reached": "Somebody of {party} could sign in, so its time to reply began",
    "told": "The network put the flag to {party} another way",
}
FAIRTIER = "Fairtier"
OTHER_PRIME = "other_prime"  # the register names another prime than the case was put to
_LEAST_OF_ID = 4
_MAILED = ("reply_wanted", "consent_wanted")


@dataclass(frozen=True)
class Step:
    """One step of a case, by an organisation, the network, or Fairtier itself.

    `actor` is empty where the asker is not to know who acted for another organisation. `due_on` is
    the last day to reply, on a step that starts a clock. `reason` is one of
    `REASONS` in a reply; where the flag is no longer raised it is its new status, empty if it is
    not assessed any more, or `OTHER_PRIME`; where a party could not sign in, can, or was told
    another way, it is the party's id.
    """

    number: int
    kind: str
    organisation_id: str | None
    actor: str
    at: dt.datetime
    reason: str
    text: str
    due_on: dt.date | None = None

    @property
    def reason_words(self) -> str:
        """The reason from the fixed list in words; empty where there is none."""
        return REASONS.get(self.reason, "")


@dataclass(frozen=True)
class Case:
    """A raised flag that was put to those it is about, with every step taken since.

    `answer` is what the flag said when it was raised; later returns do not change it.
    """

    case_id: str
    flag: str
    contract_id: str
    prime_id: str | None
    subcontractor_id: str | None
    answer: Mapping[str, Any]
    opened_at: dt.datetime
    steps: tuple[Step, ...]

    @property
    def sentence(self) -> str:
        """What the flag said when it was raised."""
        return str(self.answer["sentence"])

    @property
    def names(self) -> Mapping[str, str]:
        """The names that the organisations had then, by id."""
        found: Mapping[str, str] = self.answer["names"]
        return found

    @property
    def due_on(self) -> dt.date | None:
        """The last day to reply, of whoever was reached last; None while the case is held."""
        return max((step.due_on for step in self.steps if step.due_on is not None), default=None)

    @property
    def unreached(self) -> tuple[str, ...]:
        """The parties whose clock has not begun: nobody of them could sign in, or was told."""
        waiting: dict[str, None] = {}
        for step in self.steps:
            if step.kind == "unreached":
                waiting[step.reason] = None
            elif step.kind in ("reached", "told"):
                waiting.pop(step.reason, None)
            elif step.kind in get_args(Stance):
                waiting.pop(step.organisation_id or "", None)
        return tuple(waiting)

    @property
    def held(self) -> bool:
        """Whether the subcontractor is still to agree that others are told."""
        return self.due_on is None

    @property
    def declined(self) -> bool:
        """Whether the subcontractor was asked and did not agree."""
        return self.held and self._latest("declined") is not None

    @property
    def closed(self) -> bool:
        """Whether the flag is no longer raised."""
        return self._latest("no_longer_raised") is not None

    @property
    def answerable(self) -> tuple[str, ...]:
        """Those the figures speak of: the prime, and a commissioner that they point to."""
        pointed_at = self.answer.get("attributed_to") == "commissioner"
        commissioner_id = self.answer.get("commissioner_id") if pointed_at else None
        return tuple(dict.fromkeys(one for one in (self.prime_id, commissioner_id) if one))

    @property
    def parties(self) -> tuple[str, ...]:
        """Those who may reply, and are told of every step."""
        whole = (*self.answerable, self.subcontractor_id)
        shown = (self.subcontractor_id,) if self.held else whole
        return tuple(dict.fromkeys(one for one in shown if one))

    def named(self, parties: Iterable[str]) -> str:
        """Organisations by their names, as A or B."""
        return " or ".join(self.names.get(one, one) for one in parties)

    def told(self, step: Step) -> str:
        """What one of its steps was, in words."""
        return STEPS_TAKEN[step.kind].format(party=self.names.get(step.reason, step.reason))

    @property
    def replies(self) -> tuple[Step, ...]:
        """What was replied, in order."""
        return tuple(step for step in self.steps if step.kind in get_args(Stance))

    @property
    def disputed_by_any(self) -> bool:
        """Whether the latest word of any party is that the flag is wrong or unfair."""
        return "disputed" in self._stances().values()

    @property
    def outcome(self) -> Outcome | None:
        """What became of it; None before a word of those the figures speak of, or the network."""
        concluded = self._latest("resolved", "withdrawn")
        if concluded is not None:
            return "resolved" if concluded.kind == "resolved" else "withdrawn"
        stances = {self._stances().get(one) for one in self.answerable} - {None}
        if self.closed and stances != {"accepted"}:
            return "withdrawn"
        if "disputed" in stances:
            return "disputed"
        return "accepted" if stances else None

    @property
    def decision(self) -> Step | None:
        """The network's latest decision whether to publish."""
        return self._latest("published", "withheld")

    def _stances(self) -> dict[str | None, str]:
        return {step.organisation_id: step.kind for step in self.replies}

    def _latest(self, *kinds: str) -> Step | None:
        return next((step for step in reversed(self.steps) if step.kind in kinds), None)


@dataclass(frozen=True)
class Raised:
    """A raised flag as a review found it.

    `rests_on_subcontractor` says whether the subcontractor's own returns went into it; `answer` is
    the answer as JSON, with `names` and `commissioner_id` beside it.
    """

    flag: str
    contract_id: str
    prime_id: str | None
    subcontractor_id: str | None
    rests_on_subcontractor: bool
    answer: Mapping[str, Any]

    @property
    def key(self) -> Key:
        """What makes it the same flag as before."""
        return self.flag, self.contract_id, self.subcontractor_id, self.prime_id


@dataclass(frozen=True)
class Reviewed:
    """What a review did: how many cases were opened, held for consent, released and closed."""

    opened_count: int = 0
    held_count: int = 0
    released_count: int = 0
    closed_count: int = 0


@dataclass(frozen=True)
class Reply:
    """A reply as the public sees it: which organisation, its stance and its words."""

    organisation_id: str
    stance: Stance
    reason: str
    text: str
    replied_at: dt.datetime


@dataclass(frozen=True)
class Published:
    """A flag that the network published, with the replies it stands beside.

    `reason` is the network's; `no_longer_raised` says that the flag has ceased since, though those
    it speaks of accepted it or it was resolved.
    """

    case_id: str
    flag: str
    contract_id: str
    prime_id: str | None
    subcontractor_id: str | None
    names: Mapping[str, str]
    sentence: str
    opened_at: dt.datetime
    due_on: dt.date
    replies: tuple[Reply, ...]
    outcome: Outcome | None
    reason: str
    published_at: dt.datetime
    no_longer_raised: bool


@dataclass(frozen=True)
class Notice:
    """A line of an organisation's inbox."""

    notice_id: str
    organisation_id: str
    case_id: str
    kind: str
    made_at: dt.datetime
    read_at: dt.datetime | None


@dataclass(frozen=True)
class Letter:
    """A mail that is to be sent; `due_on` None asks for consent, else for a reply by that day."""

    notice_id: str
    account_id: str
    email: str
    due_on: dt.date | None


# Reviews


def bring_up_to_date(
    database: Database,
    raised: Sequence[Raised],
    statuses: Mapping[tuple[str, str, str | None], str],
    *,
    today: dt.date,
    reply_days: int,
    still: Callable[[], bool] = lambda: True,
) -> Reviewed | None:
    """Open a case for each raised flag that has none, and close those no longer raised.

    `statuses` are those of everything assessed. None, and nothing done, if `still` says that what
    is raised was worked out from a ledger that has changed since.
    """
    with database.writing() as connection:
        take_turn(connection)
        if not still():
            return None
        asking = in_force(connection, "ask_first")
        found = _read(connection)
        standing = [case for case in found if not case.closed]
        wanted = {one.key: one for one in raised}
        known = {_key(case) for case in standing}
        opened = held = released = closed = 0
        due_from_today = working_day_after(today, reply_days)
        for case in found:
            if case.closed or _key(case) in wanted:
                _reach(connection, case, due_from_today)
        for case in standing:
            if _key(case) not in wanted:
                status = statuses.get((case.flag, case.contract_id, case.subcontractor_id), "")
                _close(connection, case, OTHER_PRIME if status == "raised" else status)
                closed += 1
            elif case.held and case.subcontractor_id not in asking:
                _release(connection, case, None, FAIRTIER, None, today, reply_days)
                released += 1
        for key, one in wanted.items():
            if key not in known:
                ask = one.rests_on_subcontractor and one.subcontractor_id in asking
                due_on = None if ask else due_from_today
                _open(connection, one, due_on)
                held, opened = held + ask, opened + (not ask)
        return Reviewed(opened, held, released, closed)


def _key(case: Case) -> Key:
    return case.flag, case.contract_id, case.subcontractor_id, case.prime_id


def _open(connection: sa.Connection, one: Raised, due_on: dt.date | None) -> None:
    case = Case(
        uuid.uuid4().hex,
        one.flag,
        one.contract_id,
        one.prime_id,
        one.subcontractor_id,
        one.answer,
        dt.datetime.now(dt.UTC),
        (),
    )
    content = _case_content(case)
    connection.execute(CASES.insert().values(**content))
    audit.note(
        connection,
        "case.opened",
        actor=FAIRTIER,
        organisation_id=None,
        subject=case.case_id,
        details={
            "flag": case.flag,
            "contract_id": case.contract_id,
            "subcontractor_id": case.subcontractor_id,
            "sha256": content_sha256(content),
        },
    )
    kind = "held" if due_on is None else "opened"
    opened = _step(connection, case, kind, None, FAIRTIER, None, due_on=due_on)
    wanted = "consent_wanted" if due_on is None else "reply_wanted"
    _notify(connection, opened, wanted, opened.parties)
    if due_on is not None:
        _note_unreached(connection, opened)


def _note_unreached(connection: sa.Connection, case: Case) -> Case:
    """Note of each party of which nobody can sign in that its clock has not begun."""
    able = _able_to_sign_in(connection)
    for party in case.parties:
        if party not in able:
            case = _step(connection, case, "unreached", None, FAIRTIER, None, reason=party)
    return case


def _reach(connection: sa.Connection, case: Case, due_on: dt.date) -> None:
    """Start the clock of each party of which somebody can sign in by now."""
    waiting = () if case.outcome == "withdrawn" else case.unreached
    able = _able_to_sign_in(connection) if waiting else frozenset()
    for party in waiting:
        if party in able:
            case = _step(
                connection, case, "reached", None, FAIRTIER, None, reason=party, due_on=due_on
            )


def _able_to_sign_in(connection: sa.Connection) -> frozenset[str]:
    """The organisations of which somebody has set up a sign-in that holds."""
    joined = sa.or_(ACCOUNTS.c.password_hash.is_not(None), ACCOUNTS.c.issuer.is_not(None))
    query = sa.select(ACCOUNTS.c.organisation_id).where(joined, ACCOUNTS.c.disabled_at.is_(None))
    return frozenset(connection.execute(query.distinct()).scalars())


def able_to_sign_in(database: Database) -> frozenset[str]:
    """The organisations of which somebody has set up a sign-in that holds."""
    with database.reading() as connection:
        return _able_to_sign_in(connection)


def _close(connection: sa.Connection, case: Case, status: str) -> None:
    closed = _step(connection, case, "no_longer_raised", None, FAIRTIER, None, reason=status)
    _notify(connection, closed, "no_longer_raised", closed.parties)


def _release(
    connection: sa.Connection,
    case: Case,
    by: str | None,
    actor: str,
    actor_organisation_id: str | None,
    today: dt.date,
    reply_days: int,
) -> Case:
    due_on = working_day_after(today, reply_days)
    released = _step(connection, case, "released", by, actor, actor_organisation_id, due_on=due_on)
    _notify(connection, released, "reply_wanted", released.parties)
    return _note_unreached(connection, released)


# What those it is about, and the network, do


def cases(database: Database, scope: Scope, reach: Reach) -> tuple[Case, ...]:
    """The cases that are the asker's to see: open before closed, the soonest due first."""
    with database.reading() as connection:
        found = [_shown(case, scope) for case in _read(connection) if _sees(case, scope, reach)]
    return tuple(sorted(found, key=lambda c: (c.closed, c.due_on or dt.date.min, c.opened_at)))


def case_of(database: Database, scope: Scope, reach: Reach, case_id: str) -> Case:
    """One case, by its id or the beginning of it that no other case of the asker's has.

    NotAllowed, in the same words, if there is none or it is not the asker's.
    """
    with database.reading() as connection:
        return _shown(_case(connection, scope, reach, case_id), scope)


def reply(
    database: Database,
    scope: Scope,
    reach: Reach,
    case_id: str,
    *,
    by: str,
    stance: str,
    reason: str,
    text: str = "",
    actor: str,
    last_seen: int | None = None,
) -> Case:
    """Take a reply of an organisation the case is about; also after the clock has run.

    With the number of the last step that was shown, NotAllowed if that organisation has replied
    since, or the network has decided.
    """
    if stance not in get_args(Stance):
        raise BadOption("Say whether you accept or dispute the flag: accepted or disputed.")
    if reason not in REASONS:
        raise BadOption(f'There is no reason "{reason}". Choose one of {", ".join(REASONS)}.')
    written = plain_text(text, MOST_TEXT_CHARACTERS)
    if reason == OTHER and not written:
        raise BadOption("Write what the other reason is.")
    with database.writing() as connection:
        take_turn(connection)
        case = _case(connection, scope, reach, case_id)
        _require_acts_for(scope, by, case.parties)
        _require_unmoved(case, last_seen, by)
        if case.held:
            raise NotAllowed(
                "The flag is held until you agree that it is shown to the prime. Release it first; "
                "then reply."
            )
        if case.outcome == "withdrawn":
            raise NotAllowed("The flag no longer stands, so there is nothing to reply to.")
        replied = _step(
            connection,
            case,
            stance,
            by,
            actor,
            scope.organisation_id,
            reason=reason,
            text=written,
        )
        _notify(connection, replied, "replied", [one for one in case.parties if one != by])
        return _shown(replied, scope)


def consent(
    database: Database,
    scope: Scope,
    reach: Reach,
    case_id: str,
    *,
    by: str,
    agrees: bool,
    actor: str,
    today: dt.date,
    reply_days: int,
    last_seen: int | None = None,
) -> Case:
    """The subcontractor's word whether a held flag may be shown; agreeing starts the clock.

    With the number of the last step that was shown, NotAllowed if it said so or not since.
    """
    with database.writing() as connection:
        take_turn(connection)
        case = _case(connection, scope, reach, case_id)
        _require_acts_for(scope, by, (case.subcontractor_id,))
        if not case.held:
            raise NotAllowed("The flag was already put to the prime, and that cannot be undone.")
        if case.closed:
            raise NotAllowed("The flag is no longer raised, so nothing is to be agreed to.")
        _require_unmoved(case, last_seen, by)
        if agrees:
            return _release(connection, case, by, actor, scope.organisation_id, today, reply_days)
        return _step(connection, case, "declined", by, actor, scope.organisation_id)


def ask_first(
    database: Database,
    scope: Scope,
    reach: Reach,
    subcontractor_id: str,
    *,
    on: bool,
    reason: str = "",
    actor: str,
    today: dt.date,
    reply_days: int,
) -> int:
    """Switch on or off that a subcontractor is asked first; how many held flags that released."""
    if not arrangements.may_arrange(scope, reach, "ask_first", subcontractor_id):
        raise NotAllowed(NOT_SHOWN)
    with database.writing() as connection:
        if on:
            arrangements.made(
                connection, scope, "ask_first", subcontractor_id, reason=reason, actor=actor
            )
            return 0
        arrangements.ended(
            connection, scope, "ask_first", subcontractor_id, reason=reason, actor=actor
        )
        held = [
            case
            for case in _read(connection)
            if case.held and not case.closed and case.subcontractor_id == subcontractor_id
        ]
        for case in held:
            _release(
                connection,
                case,
                subcontractor_id,
                actor,
                scope.organisation_id,
                today,
                reply_days,
            )
        return len(held)


def decide(
    database: Database,
    scope: Scope,
    reach: Reach,
    case_id: str,
    decision: str,
    *,
    reason: str = "",
    actor: str,
    today: dt.date,
    last_seen: int | None = None,
) -> Case:
    """The network's word on a case: publish or withhold it, find it resolved, or withdraw it.

    A reason is needed but to publish what nobody disputes. NotAllowed where it may not be
    published, or for anybody but the network; and, with the number of the last step that was
    shown, if the case has moved on since.
    """
    if decision not in get_args(Decision):
        raise BadOption(
            f'There is no decision "{decision}". Choose one of {", ".join(get_args(Decision))}.'
        )
    written = plain_text(reason, MOST_TEXT_CHARACTERS)
    with database.writing() as connection:
        take_turn(connection)
        case = _case(connection, scope, reach, case_id)
        if not scope.sees_everything:
            raise NotAllowed("Only the network decides about a case.")
        _require_unmoved(case, last_seen)
        if decision == "published":
            barred = barred_from_publication(case, in_force(connection, "confidential"), today)
            if barred:
                raise NotAllowed(barred)
        if not written and (decision != "published" or case.disputed_by_any):
            raise BadOption("Give the reason: it is shown beside the replies.")
        decided = _step(
            connection, case, decision, None, actor, scope.organisation_id, text=written
        )
        _notify(connection, decided, "decided", decided.parties)
        return decided


def tell(
    database: Database,
    scope: Scope,
    reach: Reach,
    case_id: str,
    party: str,
    *,
    on: dt.date,
    text: str,
    actor: str,
    today: dt.date,
    reply_days: int,
) -> Case:
    """The network's word that it put a case to a party of which nobody can sign in, and how.

    The party's clock starts on that day. NotAllowed for anybody but the network, and where the
    clock of that organisation runs already or it is no party.
    """
    written = plain_text(text, MOST_TEXT_CHARACTERS)
    with database.writing() as connection:
        take_turn(connection)
        case = _case(connection, scope, reach, case_id)
        if not scope.sees_everything:
            raise NotAllowed("Only the network says that it put a flag to somebody another way.")
        if party not in case.unreached:
            waiting = ", ".join(case.unreached)
            raise NotAllowed(
                f"The case does not wait for {party}. "
                + (f"It waits for {waiting}." if waiting else "It waits for nobody to be told.")
            )
        due_on = working_day_after(on, reply_days)
        first_due_on = next(step.due_on for step in case.steps if step.due_on is not None)
        if on > today or due_on < first_due_on:
            raise BadOption(
                f"It cannot have been told on {on}. Give a day from the one on which the flag was "
                "put to those it is about, to today."
            )
        if not written:
            raise BadOption("Write how it was told, and whom: it is kept with the case.")
        return _step(
            connection,
            case,
            "told",
            None,
            actor,
            scope.organisation_id,
            reason=party,
            text=f"On {on.day} {on:%B %Y}. {written}",
            due_on=due_on,
        )


def barred_from_publication(case: Case, confidential: frozenset[str], today: dt.date) -> str:
    """Why a case may not be published yet, or at all, in a sentence; empty if it may."""
    if case.due_on is None:
        return "The flag is held: its subcontractor has not agreed that it is shown."
    if case.outcome == "withdrawn":
        return "The flag no longer stands, so it is not published."
    if case.unreached:
        who = case.named(case.unreached)
        return (
            f"Nobody of {who} can sign in: invite somebody, or put it to them another way and say "
            "when. It is not published before their time to reply has run."
        )
    if today <= case.due_on:
        day = f"{case.due_on.day} {case.due_on:%B %Y}"
        return f"Those it is about may reply until {day}. Publish it after that day."
    if case.contract_id in confidential:
        return "The contract is under embargo: nothing about it is published until that is lifted."
    return ""


def published(
    database: Database, today: dt.date, statement: Callable[[Mapping[str, Any]], str]
) -> tuple[Published, ...]:
    """What the public may see, the latest published first.

    `statement` makes of an answer what anybody may be told of it.
    """
    with database.reading() as connection:
        confidential = in_force(connection, "confidential")
        found = _read(connection)
    shown = []
    for case in found:
        decision, due_on = case.decision, case.due_on
        if decision is None or due_on is None or decision.kind != "published":
            continue
        if barred_from_publication(case, confidential, today):
            continue
        shown.append(
            Published(
                case_id=case.case_id,
                flag=case.flag,
                contract_id=case.contract_id,
                prime_id=case.prime_id,
                subcontractor_id=case.subcontractor_id,
                names=case.names,
                sentence=statement(case.answer),
                opened_at=case.opened_at,
                due_on=due_on,
                replies=tuple(
                    Reply(
                        organisation_id=step.organisation_id or "",
                        stance="accepted" if step.kind == "accepted" else "disputed",
                        reason=step.reason_words,
                        text=step.text,
                        replied_at=step.at,
                    )
                    for step in case.replies
                ),
                outcome=case.outcome,
                reason=decision.text,
                published_at=decision.at,
                no_longer_raised=case.closed,
            )
        )
    return tuple(sorted(shown, key=lambda one: one.published_at, reverse=True))


# The inbox, and the mail


def inbox(database: Database, scope: Scope, reach: Reach) -> tuple[Notice, ...]:
    """The notices of the asker's organisation, the latest first."""
    shown = {case.case_id for case in cases(database, scope, reach)}
    query = (
        sa.select(NOTICES)
        .where(NOTICES.c.organisation_id == scope.organisation_id)
        .order_by(NOTICES.c.made_at.desc(), NOTICES.c.notice_id)
    )
    with database.reading() as connection:
        found = [Notice(**row) for row in connection.execute(query).mappings()]
    return tuple(notice for notice in found if notice.case_id in shown)


def mark_read(database: Database, scope: Scope) -> None:
    """Note that the asker's organisation has seen its inbox."""
    unread = sa.and_(
        NOTICES.c.organisation_id == scope.organisation_id, NOTICES.c.read_at.is_(None)
    )
    with database.reading() as connection:
        if connection.execute(sa.select(NOTICES.c.notice_id).where(unread)).first() is None:
            return
    with database.writing() as connection:
        connection.execute(NOTICES.update().where(unread).values(read_at=dt.datetime.now(dt.UTC)))


def letters(database: Database, today: dt.date) -> tuple[Letter, ...]:
    """The mails still to be sent: one for each account in use of each organisation asked.

    None for what has been answered, or cannot be any more.
    """
    sent = sa.select(MAILINGS.c.notice_id).where(
        MAILINGS.c.notice_id == NOTICES.c.notice_id, MAILINGS.c.account_id == ACCOUNTS.c.account_id
    )
    query = (
        sa.select(
            NOTICES.c.notice_id,
            NOTICES.c.kind,
            NOTICES.c.case_id,
            ACCOUNTS.c.organisation_id,
            ACCOUNTS.c.account_id,
            ACCOUNTS.c.email,
        )
        .join(ACCOUNTS, ACCOUNTS.c.organisation_id == NOTICES.c.organisation_id)
        .where(NOTICES.c.kind.in_(_MAILED), ACCOUNTS.c.disabled_at.is_(None), ~sent.exists())
        .order_by(NOTICES.c.made_at, ACCOUNTS.c.email, NOTICES.c.notice_id)
    )
    with database.reading() as connection:
        rows = connection.execute(query).all()
        if not rows:
            return ()
        found = {case.case_id: case for case in _read(connection)}
    return tuple(
        Letter(row.notice_id, row.account_id, row.email, found[row.case_id].due_on)
        for row in rows
        if _awaited(found[row.case_id], row.kind, row.organisation_id, today)
    )


def _awaited(case: Case, kind: str, organisation_id: str, today: dt.date) -> bool:
    if case.closed or case.outcome in ("resolved", "withdrawn"):
        return False
    if kind == "consent_wanted":
        return case.held and not case.declined
    replied = any(step.organisation_id == organisation_id for step in case.replies)
    if organisation_id in case.unreached:
        return False  # its clock starts at the next review
    return not replied and case.due_on is not None and today <= case.due_on


def claim_letter(database: Database, letter: Letter) -> bool:
    """Take it upon oneself to send a letter; False if another process did so first."""
    try:
        with database.writing() as connection:
            connection.execute(
                MAILINGS.insert().values(
                    notice_id=letter.notice_id,
                    account_id=letter.account_id,
                    mailed_at=dt.datetime.now(dt.UTC),
                )
            )
    except sa.exc.IntegrityError:
        return False
    return True


def give_back_letter(database: Database, letter: Letter) -> None:
    """Leave a letter that could not be sent to the next run."""
    with database.writing() as connection:
        connection.execute(
            MAILINGS.delete().where(
                MAILINGS.c.notice_id == letter.notice_id,
                MAILINGS.c.account_id == letter.account_id,
            )
        )


# Proof


def faults(connection: sa.Connection) -> list[str]:
    """Cases and steps that are not as the audit chain has them, a sentence each."""
    noted: dict[tuple[str, int], str] = {}
    for event in audit.events(connection):
        if event.action in ("case.opened", "case.step"):
            number = int(event.details.get("number", 0))
            noted[event.subject, number] = str(event.details.get("sha256"))
    stored: dict[tuple[str, int], str] = {}
    for row in connection.execute(sa.select(CASES)).mappings():
        stored[row["case_id"], 0] = content_sha256(row)
    for row in connection.execute(sa.select(STEPS)).mappings():
        stored[row["case_id"], row["number"]] = content_sha256(row)
    return [
        *(
            f"{_what(key)} was altered."
            for key, sha256 in stored.items()
            if noted.get(key, sha256) != sha256
        ),
        *(f"{_what(key)} is not in the audit." for key in stored if key not in noted),
        *(
            f"{_what(key)} stands in the audit and was removed."
            for key in noted
            if key not in stored
        ),
    ]


def _what(key: tuple[str, int]) -> str:
    case_id, number = key
    return f"Step {number} of the case {case_id}" if number else f"The case {case_id}"


# Rows


def _sees(case: Case, scope: Scope, reach: Reach) -> bool:
    if scope.sees_everything:
        return True
    if case.held and scope.organisation_id != case.subcontractor_id:
        return False
    return reach.sees(case.contract_id, case.subcontractor_id)


def _shown(case: Case, scope: Scope) -> Case:
    """The case as the asker sees it.

    Who acted is named by organisation, in person only to its own. What the subcontractor said
    before it agreed stays between it and the network.
    """
    me = scope.organisation_id
    if scope.sees_everything:
        return case
    before = () if me == case.subcontractor_id else ("held", "declined")
    steps = [
        step if step.actor == FAIRTIER or step.organisation_id == me else replace(step, actor="")
        for step in case.steps
        if step.kind not in before
    ]
    return replace(case, steps=tuple(steps))


def _case(connection: sa.Connection, scope: Scope, reach: Reach, case_id: str) -> Case:
    if len(case_id) < _LEAST_OF_ID:
        raise NotAllowed(NOT_SHOWN)
    found = [case for case in _read(connection, case_id) if _sees(case, scope, reach)]
    if len(found) > 1:
        raise BadOption(
            f'{len(found)} cases begin with "{case_id}". Write more of the id: {found[0].case_id}.'
        )
    if not found:
        raise NotAllowed(NOT_SHOWN)
    return found[0]


def _require_unmoved(case: Case, last_seen: int | None, by: str | None = None) -> None:
    """NotAllowed if the case took a step after the last one shown: for a party, one that matters.

    To a party matter the decisions of the network, and what its own people said.
    """
    if last_seen is None:
        return
    decided = get_args(Decision)
    for step in case.steps:
        is_new = step.number > last_seen
        if is_new and (by is None or step.kind in decided or step.organisation_id == by):
            what = "Somebody decided this case" if step.kind in decided else "This case moved on"
            raise NotAllowed(f"{what} meanwhile: look at it again.")


def _require_acts_for(scope: Scope, by: str, parties: Iterable[str | None]) -> None:
    """NotAllowed unless the asker acts for that party: its own, or as the agent it made."""
    acts_for = (
        scope.role == "operator"
        or by == scope.organisation_id
        or (scope.role == "network" and by in scope.agent_for)
    )
    if not acts_for or by not in set(parties):
        raise NotAllowed(
            "Only those a flag is about may do this, each for itself, or the network where they "
            "made it their agent."
        )


def _case_content(case: Case) -> dict[str, Any]:
    return {column.name: getattr(case, column.name) for column in CASES.columns}


def _step(
    connection: sa.Connection,
    case: Case,
    kind: str,
    by: str | None,
    actor: str,
    actor_organisation_id: str | None,
    *,
    reason: str = "",
    text: str = "",
    due_on: dt.date | None = None,
) -> Case:
    """Add a step to a case, and the case with it."""
    last = case.steps[-1].number if case.steps else 0
    organisation_id = by or actor_organisation_id
    step = Step(
        last + 1, kind, organisation_id, actor, dt.datetime.now(dt.UTC), reason, text, due_on
    )
    content = {"step_id": uuid.uuid4().hex, "case_id": case.case_id, **asdict(step)}
    connection.execute(STEPS.insert().values(**content))
    audit.note(
        connection,
        "case.step",
        actor=actor,
        organisation_id=actor_organisation_id,
        subject=case.case_id,
        details={"number": step.number, "step": kind, "sha256": content_sha256(content)},
    )
    return replace(case, steps=(*case.steps, step))


def _notify(connection: sa.Connection, case: Case, kind: str, to: Iterable[str]) -> None:
    now = dt.datetime.now(dt.UTC)
    rows = [
        {
            "notice_id": uuid.uuid4().hex,
            "organisation_id": organisation_id,
            "case_id": case.case_id,
            "kind": kind,
            "made_at": now,
        }
        for organisation_id in to
    ]
    if rows:
        connection.execute(NOTICES.insert(), rows)


def _read(connection: sa.Connection, case_id: str | None = None) -> list[Case]:
    """The cases in the order in which they were opened, or those whose ids begin so."""
    of_cases, of_steps = sa.select(CASES), sa.select(STEPS).order_by(STEPS.c.number)
    if case_id is not None:
        of_cases = of_cases.where(CASES.c.case_id.startswith(case_id, autoescape=True))
        of_steps = of_steps.where(STEPS.c.case_id.startswith(case_id, autoescape=True))
    steps: dict[str, list[Step]] = {}
    for row in connection.execute(of_steps).mappings():
        step = Step(**{name: row[name] for name in Step.__dataclass_fields__})
        steps.setdefault(row["case_id"], []).append(step)
    ordered = of_cases.order_by(CASES.c.opened_at, CASES.c.case_id)
    return [
        Case(**row, steps=tuple(steps.get(row["case_id"], ())))
        for row in connection.execute(ordered).mappings()
    ]
