"""Months about which nobody has said anything, though returns are due."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from metrics.days import day_name
from metrics.definition import Account, Assessment, Flag, SourceRow, Status
from metrics.reporting import LOGS, Silence, covered_by_reporter, last_overdue_month, silence, spans
from metrics.source_rows import rows_of
from metrics.window import first_day, month_code, month_of
from metrics.wording import count, figure, month_name, nothing_reported

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metrics.facts import Facts, Subject
    from metrics.rules import Rules

FLAG = Flag(
    id="not_reported",
    order=7,
    title="Returns overdue",
    question="Are there months about which nobody has reported, though returns are due?",
    why_it_matters="What nobody reports nobody can see: silence is not zero, and every other flag "
    "is blind in those months.",
    numerator="Months of the window whose returns are due and that no return in force covers.",
    denominator="none",
    unit="months",
    grain="agreement: referrals returns of either side; contract: the prime's returns of referrals "
    "or payments, whichever log lacks more",
    direction="higher means more is not known",
    exclusions=(
        "Months whose returns are not due yet.",
        "Months before the agreement or contract began or after it ended.",
    ),
    assumptions=(
        "A return covers a month for everything its reporter does: a nil return covers it too.",
        "A return is due for every month from the first to the last, busy or not.",
    ),
    source="Data standard, version 1: returns",
    version=1,
    metrics=("reporting",),
    rule="not_reported",
    rules=("not_reported", "reporting_days"),
    statuses=(
        ("raised", "more months are overdue than the rule has it"),
        ("watch", "a month or two are overdue"),
        ("clear", "every month that is due is reported"),
        ("too_early", "no month is due yet"),
        ("not_applicable", "it is not known which months count, or it ended before it began"),
    ),
    other_explanations=(
        "the return was sent, and has not been recorded",
        "nothing happened in those months, and no nil return was sent to say so",
        "the first or last day in the register is wrong",
    ),
    ask_next=(
        "Ask for the returns of the months named, or for a nil return where nothing happened.",
        "Ask whether the first and last day in the register are right.",
    ),
    in_public="Nobody has reported some months for which returns are due.",
)


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per agreement and per contract; value is the number of months overdue."""
    covered = covered_by_reporter(facts.frames)
    last_overdue = last_overdue_month(facts.as_of, int(rules["reporting_days"].value))
    used = {rule_id: rules[rule_id].answer() for rule_id in FLAG.rules}
    subjects = sorted(
        (*facts.contracts, *facts.agreements),
        key=lambda one: (one.contract_id, one.subcontractor_id or ""),
    )
    return [
        _assessment(subject, silence(subject, covered, last_overdue), facts, rules, used)
        for subject in subjects
    ]


def _assessment(
    subject: Subject,
    found: Silence,
    facts: Facts,
    rules: Rules,
    used: dict[str, dict[str, Any]],
) -> Assessment:
    status = _status(subject, found, rules)
    missing = _missing(subject, found)
    return Assessment(
        flag=FLAG.id,
        contract_id=subject.contract_id,
        prime_id=subject.prime_id,
        subcontractor_id=subject.subcontractor_id,
        client_group=None,
        status=status,
        value=float(len(missing)) if found.due else None,
        low=None,
        high=None,
        threshold=rules[FLAG.rule].number,
        evidence={
            "window": subject.window.evidence(),
            "due_months": len(found.due),
            "first_due_month": month_code(found.due[0]) if found.due else None,
            "last_due_month": month_code(found.due[-1]) if found.due else None,
            "missing_months": _codes(missing),
            "first_missing_month": month_code(missing[0]) if missing else None,
            "last_missing_month": month_code(missing[-1]) if missing else None,
            "missing_by": {
                log: {
                    "subcontractor": _codes(found.by_subcontractor[log])
                    if found.by_subcontractor
                    else None,
                    "prime": _codes(found.by_prime[log]),
                    "both": _codes(found.neither[log]),
                }
                for log in LOGS
            },
            "rules": used,
        },
        sentence=_sentence(subject, found, facts, rules, status),
        attributed_to=None,
    )


def _missing(subject: Subject, found: Silence) -> tuple[int, ...]:
    """The months that count: of a contract those of the log that lacks more."""
    if subject.subcontractor_id is not None:
        return found.neither["referrals"]
    return max((found.by_prime[log] for log in LOGS), key=len)


def _codes(months: Iterable[int]) -> list[str | None]:
    return [month_code(month) for month in months]


def _status(subject: Subject, found: Silence, rules: Rules) -> Status:
    window = subject.window
    if window.first is None or (window.end is not None and window.end < window.first):
        return "not_applicable"
    if not found.due:
        return "too_early"
    missing = len(_missing(subject, found))
    if missing > rules["not_reported"].value:
        return "raised"
    return "watch" if missing else "clear"


def _sentence(subject: Subject, found: Silence, facts: Facts, rules: Rules, status: Status) -> str:
    prime = facts.name(subject.prime_id)
    name = facts.name(subject.subcontractor_id)
    who = f"contract {subject.contract_id} ({prime})" if subject.subcontractor_id is None else name
    if status == "not_applicable":
        return f"Not applicable to {who}: {nothing_reported(subject, 'referrals', who)}."
    if status == "too_early":
        return f"Too early to say for {who}: {_not_due(subject, rules)}."
    if subject.subcontractor_id is None:
        told = _of_contract(found, prime, who)
    else:
        told = _of_agreement(found, name, prime)
    if status == "clear":
        return told
    rule, days = rules["not_reported"], rules["reporting_days"]
    told += (
        f" This is not zero: it is not known (rule: at most {count(int(rule.value), 'month')}, "
        f"{rule.standing}; a return is due {count(int(days.value), 'day')} after the month, "
        f"{days.standing})."
    )
    if status == "watch":
        return told
    return f"{told} What else could explain it: {'; '.join(FLAG.other_explanations)}."


def _not_due(subject: Subject, rules: Rules) -> str:
    if not subject.window.month_count:
        return nothing_reported(subject, "referrals", "")
    first = subject.window.first or 0
    due_on = first_day(first + 1) + dt.timedelta(days=int(rules["reporting_days"].value) - 1)
    return f"the return for its first month, {month_name(first)}, is due by {day_name(due_on)}"


def _of_agreement(found: Silence, name: str, prime: str) -> str:
    missing, due = found.neither["referrals"], found.due
    sides = (
        f"{name} has reported the referrals of "
        f"{figure(len(due) - len(found.by_subcontractor['referrals']))} of them, {prime} those of "
        f"{figure(len(due) - len(found.by_prime['referrals']))}"
    )
    if missing:
        return (
            f"Neither {name} nor {prime} has sent a referrals return for {figure(len(missing))} "
            f"of the {count(len(due), 'month')} {span(due)} whose returns are due: "
            f"{listed(missing)}. {sides}."
        )
    return (
        f"One side or the other has reported the referrals of {name} for every month {span(due)} "
        f"whose return is due: {sides}."
    )


def _of_contract(found: Silence, prime: str, who: str) -> str:
    lacking = [log for log in LOGS if found.by_prime[log]]
    if not lacking:
        return (
            f"{prime} has sent the returns of referrals and payments of {who} for every month "
            f"{span(found.due)} whose return is due."
        )
    parts = [
        f"no {log} return for {figure(len(found.by_prime[log]))} ({listed(found.by_prime[log])})"
        for log in lacking
    ]
    return (
        f"Of the {count(len(found.due), 'month')} {span(found.due)} whose returns are due, {prime} "
        f"has sent {' and '.join(parts)}."
    )


def span(months: Sequence[int]) -> str:
    """The months from first to last, in words."""
    if months[0] == months[-1]:
        return f"of {month_name(months[0])}"
    return f"from {month_name(months[0])} to {month_name(months[-1])}"


def listed(months: Sequence[int], most: int = 3) -> str:
    """The months by name, neighbours drawn together; how many more there are after a few runs."""
    runs = spans(months)
    words = [
        month_name(first) if first == last else f"{month_name(first)} to {month_name(last)}"
        for first, last in runs[:most]
    ]
    more = sum(last - first + 1 for first, last in runs[most:])
    return ", ".join(words) + (f" and {figure(more)} more" if more else "")


def account(found: Assessment, facts: Facts) -> Account:
    """Which months are due, which of them each side's returns leave out, and the count."""
    evidence = found.evidence
    days = evidence["rules"]["reporting_days"]["value"]
    promise = [f"A return is due {count(days, 'day')} after the last day of its month."]
    if not evidence["due_months"]:
        return Account(
            tuple(promise),
            ("No month of it is due.",),
            ("There is nothing to count.",),
        )
    promise.append(
        f"{count(evidence['due_months'], 'month')} are due: {evidence['first_due_month']} to "
        f"{evidence['last_due_month']}."
    )
    sides = (("subcontractor", found.subcontractor_id), ("prime", found.prime_id))
    happened = [
        f"Months without a {log} return of {facts.name(whose)}: "
        f"{_all(evidence['missing_by'][log][side])}."
        for log in LOGS
        for side, whose in sides
        if evidence["missing_by"][log][side] is not None
    ]
    missing = evidence["missing_by"]
    if found.subcontractor_id is None:
        steps = [
            f"{log}: {figure(len(missing[log]['prime']))} of "
            f"{figure(evidence['due_months'])} months are missing."
            for log in LOGS
        ]
        steps.append("The log that lacks more counts.")
    else:
        steps = [
            "Months without a referrals return of either side: "
            f"{_all(missing['referrals']['both'])}."
        ]
    steps.append(
        f"{count(found.value or 0, 'month')} missing; more than {figure(found.threshold)} is "
        "raised, 1 or more is watched."
    )
    return Account(tuple(promise), tuple(happened), tuple(steps))


def _all(codes: Sequence[str]) -> str:
    months = [month_of(dt.date.fromisoformat(f"{code}-01")) for code in codes]
    return listed(months, most=len(months)) if months else "none"


def source_rows(found: Assessment, facts: Facts) -> list[SourceRow]:
    """The rows of the registers that say which months count; what is missing has no row."""
    rows = rows_of(facts, "contracts", found.contract_id, None, lambda _: "first and last day")
    if found.subcontractor_id is None:
        return rows
    return [
        *rows_of(
            facts,
            "agreements",
            found.contract_id,
            found.subcontractor_id,
            lambda _: "first and last day",
        ),
        *rows,
    ]
