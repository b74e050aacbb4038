"""Replies: the flags that were put to somebody, what each side says, and what is arranged."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import session
from dashboard.proceedings import reply_days, review
from dashboard.views import markup
from dashboard.words import STATUSES, day, literal, text
from data import arrangements, replies
from data.arrangements import KINDS, may_arrange
from data.errors import UserError
from data.replies import MOST_TEXT_CHARACTERS, OTHER_PRIME, OUTCOMES, REASONS
from data.scope import NOT_SHOWN
from data.working_days import working_days_left
from metrics.catalogue import flags
from metrics.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from data.arrangements import Kind
    from data.database import Database
    from data.replies import Case, Notice, Step
    from data.scope import Reach, Scope

_MOST_SHOWN = 10
_TOLD = "replies_told"
_NOTICES = {
    "reply_wanted": "awaits your reply",
    "consent_wanted": "waits for your consent",
    "replied": "was replied to",
    "decided": "was decided on by the network",
    "no_longer_raised": "is no longer raised",
}
_STANCES = {"accepted": "We accept the flag", "disputed": "We dispute the flag"}
_DECISIONS = {
    "published": "Publish it, with the replies beside it",
    "withheld": "Do not publish it",
    "resolved": "The matter is resolved",
    "withdrawn": "Withdraw the flag: it should not stand",
}
_CHIPS = {"accepted": "clear", "disputed": "watch", "resolved": "clear", "withdrawn": "too_early"}


@dataclass(frozen=True)
class _Asker:
    """Who looks at the page, on which day, and the flags' titles."""

    database: Database
    scope: Scope
    reach: Reach
    actor: str
    today: dt.date
    titles: Mapping[str, str]
    confidential: frozenset[str]

    def parties_of(self, case: Case) -> list[str]:
        """The parties of a case for which the asker may act."""
        if self.scope.role == "operator":
            return list(case.parties)
        mine = {self.scope.organisation_id, *self.scope.agent_for}
        return [party for party in case.parties if party in mine]

    def title(self, flag: str) -> str:
        """A flag's title."""
        return self.titles.get(flag, flag)


def show() -> None:
    """The page."""
    st.title("Replies")
    person = session.person()
    if person.scope.role == "public":
        markup.notice("plain", NOT_SHOWN)
        return
    database = session.database()
    asker = _Asker(
        database,
        person.scope,
        session.reach(),
        person.actor,
        dt.date.today(),
        {flag.id: flag.title for flag in flags()},
        arrangements.in_force(database, "confidential"),
    )
    _say_what_was_done()
    found = replies.cases(database, asker.scope, asker.reach)
    _opening(asker, found)
    _news(asker, found)
    _cases(asker, found)
    _arrangements(asker)


def clock(case: Case, today: dt.date) -> str:
    """How long there is to reply, in words."""
    due_on = case.due_on
    if due_on is None:
        who = case.names.get(case.subcontractor_id or "", case.subcontractor_id)
        told = "did not agree" if case.declined else "has not said whether it agrees"
        return f"Held: {who} {told} that it is shown to the prime. No clock runs."
    until = f"{due_on:%A} {day(due_on)}"
    if case.closed or case.outcome in ("resolved", "withdrawn"):
        return f"The time to reply was set to {until}."
    if case.unreached:
        return (
            f"Nobody of {case.named(case.unreached)} can sign in yet: the time to reply has not "
            f"begun there. Anybody else is asked to reply by {until}."
        )
    if today > due_on:
        return f"The time to reply ran until {until}. A late reply is still taken and shown."
    left = working_days_left(today, due_on)
    return (
        f"Reply by {until}, {count(left, 'working day')} left."
        if left
        else (f"Reply by {until}: today is the last day.")
    )


def task(asker: _Asker, case: Case) -> str:
    """What the asker has to do about a case, in a sentence; empty where it is for others."""
    parties = [] if asker.scope.role == "operator" else asker.parties_of(case)
    if case.closed or case.outcome == "withdrawn":
        return ""
    if case.held:
        return "Say whether it may be shown to the prime." if parties and not case.declined else ""
    answered = {step.organisation_id for step in case.replies}
    if set(parties) - answered and case.outcome != "resolved":
        return "Reply to it."
    if not asker.scope.sees_everything or case.decision is not None:
        return ""
    if case.unreached and case.outcome != "resolved":
        return f"Nobody of {case.named(case.unreached)} can sign in."
    if not replies.barred_from_publication(case, asker.confidential, asker.today):
        return "Decide whether it is published."
    return ""


def _opening(asker: _Asker, found: Sequence[Case]) -> None:
    waiting = [case for case in found if task(asker, case)]
    days = reply_days(asker.today)
    if waiting:
        verb = "waits" if len(waiting) == 1 else "wait"
        markup.lead(
            f"{count(len(waiting), 'flag')} {verb} for you.", clock(waiting[0], asker.today)
        )
    elif found:
        markup.lead("Nothing waits for you.", f"{count(len(found), 'flag')} so far.")
    else:
        markup.lead("No flag about you has been put to anybody.")
    markup.paragraph(
        "A raised flag is put to the prime and the subcontractor it is about, and is not "
        f"published before they had {count(days, 'working day')} to reply; that time does not run "
        "while nobody of an organisation can sign in. A flag says look here, never guilty. Only "
        "the network publishes, each flag by a decision of its own, beside the replies.",
        quiet=True,
    )
    if asker.scope.sees_everything and st.button("Review the flags now"):
        _do("The flags were reviewed.", lambda: review(session.service(), asker.database))


def _news(asker: _Asker, found: Sequence[Case]) -> None:
    """What is new in the inbox, once."""
    by_id = {case.case_id: case for case in found}
    unread = [n for n in replies.inbox(asker.database, asker.scope, asker.reach) if not n.read_at]
    if not unread:
        return
    markup.notice("plain", *(_news_line(asker, n, by_id) for n in unread[:_MOST_SHOWN]))
    replies.mark_read(asker.database, asker.scope)


def _news_line(asker: _Asker, notice: Notice, by_id: Mapping[str, Case]) -> str:
    case = by_id[notice.case_id]
    return (
        f"New on {day(notice.made_at.date())}: {asker.title(case.flag)} in {case.contract_id} "
        f"{_NOTICES[notice.kind]}."
    )


def _cases(asker: _Asker, found: Sequence[Case]) -> None:
    standing = sorted(
        (case for case in found if not case.closed), key=lambda case: not task(asker, case)
    )
    closed = [case for case in found if case.closed]
    if standing:
        st.header("Flags that stand")
        shown = _page_of(standing)
        for case in shown:
            _case(asker, case, expanded=case is shown[0] and bool(task(asker, case)))
    if closed:
        st.header("No longer raised")
        for case in _page_of(closed[::-1], "closed"):
            _case(asker, case, expanded=False)


def _page_of(found: Sequence[Case], key: str = "open") -> Sequence[Case]:
    if len(found) <= _MOST_SHOWN:
        return found
    starts = range(0, len(found), _MOST_SHOWN)
    first = st.selectbox(
        "Show",
        starts,
        format_func=lambda start: (
            f"{start + 1} to {min(start + _MOST_SHOWN, len(found))} of {len(found)}"
        ),
        key=f"cases_{key}",
    )
    return found[first : first + _MOST_SHOWN]


def _case(asker: _Asker, case: Case, *, expanded: bool) -> None:
    about = f"{asker.title(case.flag)}: {_names(case)}"
    todo = task(asker, case)
    label = f"{about}. {todo}" if todo else f"{about}."
    with st.expander(literal(label), expanded=expanded):
        st.html(_told(asker, case))
        mine = asker.parties_of(case)
        last_seen = _last_seen(case)
        if case.held and case.subcontractor_id in mine and not case.closed:
            _consent(asker, case, last_seen)
        elif mine and not case.held and case.outcome != "withdrawn":
            _reply(asker, case, mine, last_seen)
        if asker.scope.sees_everything:
            if case.unreached:
                _tell(asker, case)
            _decision(asker, case, last_seen)


def _last_seen(case: Case) -> int:
    """The number of the case's last step when the page was drawn before: what was seen of it."""
    key = f"last step of {case.case_id}"
    now = case.steps[-1].number
    seen: int = st.session_state.get(key, now)
    st.session_state[key] = now
    return seen


def _names(case: Case) -> str:
    whom = case.subcontractor_id
    about = "the whole contract" if whom is None else case.names.get(whom, whom)
    return f"{about}, {case.contract_id}"


def _told(asker: _Asker, case: Case) -> str:
    """The case as HTML: what the flag said, whom it is about, the clock and every step."""
    outcome = case.outcome
    chip = (
        markup.chip(_CHIPS[outcome], OUTCOMES[outcome].partition(":")[0])
        if outcome
        else markup.chip("raised", "Awaits replies")
    )
    decision = case.decision
    hidden = case.contract_id in asker.confidential
    public = "Not published."
    if decision is not None and decision.kind == "published" and outcome != "withdrawn":
        public = "Published, with the replies beside it."
        if hidden:
            public = "Not shown to the public while the contract is under embargo."
    named = [
        (part, f"{case.names.get(one, one)} ({one})")
        for part, one in (("Prime", case.prime_id), ("Subcontractor", case.subcontractor_id))
        if one
    ]
    pairs = [
        ("Contract", case.contract_id),
        *named,
        ("Put on", day(case.opened_at.date())),
        ("Time to reply", clock(case, asker.today)),
        ("To the public", public),
    ]
    steps = "".join(f"<li>{_step(case, step)}</li>" for step in case.steps)
    return (
        f'<div class="ft-card">{chip}<p class="ft-text">{text(case.sentence)}</p>'
        f"{markup.facts_html(pairs)}<h3>What happened so far</h3><ol>{steps}</ol></div>"
    )


def _step(case: Case, step: Step) -> str:
    who = case.names.get(step.organisation_id or "", step.organisation_id or "")
    by = ", ".join(filter(None, (who, "" if step.actor == replies.FAIRTIER else step.actor)))
    by = f" ({by})" if by else ""
    said = [f"{day(step.at.date())}: {case.told(step)}{by}."]
    if step.kind == "no_longer_raised":
        said.append(_ceased(step.reason))
    elif step.reason_words:
        said.append(f"{step.reason_words}.")
    written = "".join(
        f'<p class="ft-text">{text(line)}</p>' for line in step.text.splitlines() if line.strip()
    )
    return f"{text(' '.join(said))}{written}"


def _ceased(status: str) -> str:
    if status == OTHER_PRIME:
        return "The register names another prime now, to whom it is put anew."
    if status in STATUSES:
        return f"Its status is now: {STATUSES[status][0].lower()}."
    return "It is not assessed any more."


def _consent(asker: _Asker, case: Case, last_seen: int) -> None:
    st.subheader("May it be shown to the prime?")
    markup.paragraph(
        "If you agree, the prime is told and the time to reply starts for both of you. That cannot "
        "be undone. If you do not agree, nobody but you and the network sees it."
    )
    first, second = st.columns(2)
    agreed = first.button("Agree to show it", key=f"agree {case.case_id}", width="stretch")
    declined = second.button("Do not agree", key=f"decline {case.case_id}", width="stretch")
    if agreed or declined:
        _do(
            "The prime is told, and the time to reply has begun."
            if agreed
            else "It stays between you and the network.",
            lambda: replies.consent(
                asker.database,
                asker.scope,
                asker.reach,
                case.case_id,
                by=case.subcontractor_id or "",
                agrees=agreed,
                actor=asker.actor,
                today=asker.today,
                reply_days=reply_days(asker.today),
                last_seen=last_seen,
            ),
        )


def _reply(asker: _Asker, case: Case, mine: Sequence[str], last_seen: int) -> None:
    st.subheader("Reply")
    with st.form(f"reply {case.case_id}", clear_on_submit=False):
        by = mine[0]
        if len(mine) > 1:
            by = st.selectbox(
                "For",
                mine,
                format_func=lambda one: case.names.get(one, one),
                key=f"for {case.case_id}",
            )
        stance = st.radio(
            "What do you say to it?",
            list(_STANCES),
            format_func=_STANCES.__getitem__,
            index=None,
            key=f"stance {case.case_id}",
        )
        reason = st.selectbox(
            "Why",
            list(REASONS),
            format_func=REASONS.__getitem__,
            index=None,
            placeholder="Choose the reason that fits best",
            key=f"reason {case.case_id}",
        )
        written = st.text_area(
            "In your own words (needed where the list has no reason that fits)",
            max_chars=MOST_TEXT_CHARACTERS,
            key=f"text {case.case_id}",
        )
        st.html(
            '<p class="ft-small ft-quiet">The other party, the commissioner and the network read '
            "your reply. If the flag is published, so is your reply: name no person in it.</p>"
        )
        if not st.form_submit_button("Send the reply", type="primary"):
            return
    _do(
        "Your reply is recorded.",
        lambda: replies.reply(
            asker.database,
            asker.scope,
            asker.reach,
            case.case_id,
            by=by,
            stance=stance or "",
            reason=reason or "",
            text=written,
            actor=asker.actor,
            last_seen=last_seen,
        ),
    )


def _tell(asker: _Asker, case: Case) -> None:
    st.subheader("Put it to them another way")
    markup.paragraph(
        "Invite somebody on the page Members: the time to reply begins when they have joined. Or "
        "put the flag to the organisation by letter or telephone, and say here when and how: the "
        "time begins on that day."
    )
    with st.form(f"tell {case.case_id}"):
        party = st.selectbox(
            "Organisation",
            case.unreached,
            format_func=lambda one: case.names.get(one, one),
            key=f"told {case.case_id}",
        )
        on = st.date_input(
            "I put it to them on",
            value=asker.today,
            max_value=asker.today,
            format="DD/MM/YYYY",
            key=f"told on {case.case_id}",
        )
        written = st.text_area(
            "How, and whom you told; kept with the case",
            max_chars=MOST_TEXT_CHARACTERS,
            key=f"told how {case.case_id}",
        )
        if not st.form_submit_button("Record that it was told"):
            return
    _do(
        "It is recorded, and their time to reply has begun.",
        lambda: replies.tell(
            asker.database,
            asker.scope,
            asker.reach,
            case.case_id,
            party,
            on=on,
            text=written,
            actor=asker.actor,
            today=asker.today,
            reply_days=reply_days(asker.today),
        ),
    )


def _decision(asker: _Asker, case: Case, last_seen: int) -> None:
    st.subheader("The network's decision")
    barred = replies.barred_from_publication(case, asker.confidential, asker.today)
    open_to = [one for one in _DECISIONS if one != "published" or not barred]
    if barred:
        markup.paragraph(barred, quiet=True)
    with st.form(f"decision {case.case_id}"):
        decision = st.radio(
            "Decision",
            open_to,
            format_func=_DECISIONS.__getitem__,
            index=None,
            key=f"decide {case.case_id}",
        )
        reason = st.text_area(
            "Reason, shown to the parties, and beside the replies where it is published",
            max_chars=MOST_TEXT_CHARACTERS,
            key=f"why {case.case_id}",
        )
        if not st.form_submit_button("Record the decision"):
            return
    _do(
        "The decision is recorded.",
        lambda: replies.decide(
            asker.database,
            asker.scope,
            asker.reach,
            case.case_id,
            decision or "",
            reason=reason,
            actor=asker.actor,
            today=asker.today,
            last_seen=last_seen,
        ),
    )


# Arrangements


def _arrangements(asker: _Asker) -> None:
    st.header("Arrangements")
    own = asker.scope.organisation_id
    if asker.scope.role == "member" and own is not None:
        if asker.reach.as_subcontractor:
            _own_switch(
                asker,
                "ask_first",
                own,
                "Ask us before a flag raised from our data is shown to the prime",
                "Switching it off shows the prime the flags that are held now.",
            )
        _own_switch(
            asker,
            "agent",
            own,
            "Let the network act for us",
            "It then sees your files as received, and may reply in your name.",
        )
    contracts = _contracts(asker)
    _of_contracts(
        asker,
        "confidential",
        [one for one in contracts if may_arrange(asker.scope, asker.reach, "confidential", one)],
        "Contracts under embargo",
        "Put it under embargo",
    )
    _of_contracts(
        asker,
        "prices_shown",
        [one for one in contracts if may_arrange(asker.scope, asker.reach, "prices_shown", one)],
        "Contracts whose commissioner sees what subcontractors are paid",
        "Show its prices",
    )


def _contracts(asker: _Asker) -> list[str]:
    question = session.question()
    known = sorted(session.registers(question).contracts) if question.version else []
    if asker.scope.sees_everything:
        return known
    return [one for one in known if one in asker.reach.as_commissioner]


def _own_switch(asker: _Asker, kind: Kind, own: str, title: str, beside: str) -> None:
    on = own in arrangements.in_force(asker.database, kind)
    words, switch = st.columns([5, 1], vertical_alignment="center")
    with words:
        state = "on" if on else "off"
        markup.facts([(f"{title}: {state}", f"{KINDS[kind]} {beside}")])
    if switch.button("Switch off" if on else "Switch on", key=f"switch {kind}", width="stretch"):
        _do(f"{title}: switched {'off' if on else 'on'}.", lambda: _switched(asker, kind, own, on))


def _switched(asker: _Asker, kind: Kind, own: str, on: bool) -> None:
    if kind == "ask_first":
        replies.ask_first(
            asker.database,
            asker.scope,
            asker.reach,
            own,
            on=not on,
            actor=asker.actor,
            today=asker.today,
            reply_days=reply_days(asker.today),
        )
        return
    act = arrangements.end if on else arrangements.make
    act(asker.database, asker.scope, asker.reach, kind, own, actor=asker.actor)


def _of_contracts(
    asker: _Asker, kind: Kind, contracts: Sequence[str], title: str, button: str
) -> None:
    """The contracts for which an arrangement is in force, and the means to make and end it."""
    if not contracts:
        return
    st.subheader(title)
    markup.paragraph(KINDS[kind], quiet=True)
    made = [
        one
        for one in arrangements.arrangements(asker.database, kind)
        if one.subject_id in contracts
    ]
    if made:
        markup.table(
            title,
            ("Contract", "Since", "Reason"),
            [(one.subject_id, day(one.made_at.date()), one.reason) for one in made],
        )
    else:
        markup.paragraph("None at present.")
    in_force = {one.subject_id for one in made}
    for ends, subjects, label in (
        (False, [one for one in contracts if one not in in_force], button),
        (True, sorted(in_force), "End it"),
    ):
        if subjects:
            _arrange(asker, kind, subjects, label, ends=ends)


def _arrange(asker: _Asker, kind: Kind, subjects: Sequence[str], label: str, *, ends: bool) -> None:
    key = f"{kind} {'end' if ends else 'make'}"
    with st.form(key):
        first, second, third = st.columns([3, 4, 2], vertical_alignment="bottom")
        subject = first.selectbox(
            "Contract",
            subjects,
            index=None,
            placeholder="Choose a contract",
            key=f"{key} subject",
        )
        reason = second.text_input(
            "Reason (optional)",
            max_chars=arrangements.MOST_REASON_CHARACTERS,
            key=f"{key} reason",
        )
        if not third.form_submit_button(label, width="stretch"):
            return
    if subject is None:
        markup.notice("warn", "Choose a contract first.")
        return
    act = arrangements.end if ends else arrangements.make
    _do(
        f"{subject}: {'ended' if ends else 'in force'}.",
        lambda: act(
            asker.database,
            asker.scope,
            asker.reach,
            kind,
            subject,
            reason=reason,
            actor=asker.actor,
        ),
    )


# What was done


def _do(told: str, act: Callable[[], object]) -> None:
    """Do something that changes the page, and draw it anew; a mistake is told in a sentence."""
    try:
        act()
    except UserError as error:
        st.session_state[_TOLD] = ("bad", str(error))
    else:
        st.session_state[_TOLD] = ("good", told)
    st.rerun()


def _say_what_was_done() -> None:
    told = st.session_state.pop(_TOLD, None)
    if told is not None:
        markup.notice(*told)
