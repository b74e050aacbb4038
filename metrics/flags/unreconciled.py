"""Prime and subcontractor that report different events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from metrics.definition import Account, Assessment, Flag, SourceRow, Status
from metrics.event_pairs import Side, Tolerance
from metrics.reconciliation import LOGS, SIDES, Log, Reconciled, Reconciliation, reconcile
from metrics.source_rows import months_covered, rows_of
from metrics.window import month_code
from metrics.wording import count, figure, month_name, nothing_reported, period, pounds, share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metrics.facts import Facts, Subject
    from metrics.rules import Rules

FLAG = Flag(
    id="unreconciled",
    order=6,
    title="The two sides report different events",
    question="Do the prime and the subcontractor report the same referrals and payments?",
    why_it_matters="Where the two sides disagree, every other answer rests on one side's word, and "
    "a payment that only one side knows of is a payment nobody makes.",
    numerator="Events that differ: reported by one side only, with another date or amount, or "
    "twice by the same side.",
    denominator="All events of the months that both sides' returns cover.",
    unit="share of the events of both sides",
    grain="agreement; the log (referrals or payments) that says most",
    direction="higher means that the two sides agree less; it does not say which is right",
    exclusions=(
        "Months that only one side's returns cover.",
        "Rows of anybody but the two sides.",
        "The prime's own work: there is no other side.",
    ),
    assumptions=(
        "Both sides use the same mark for a client, if they have at least one mark in common; "
        "without one, events are counted by month, which shows the least that can differ.",
        "Dates within the days of the rule, and amounts within its share or its sum, are the same.",
        "A row repeated by both sides is an event that happened twice.",
    ),
    source="Data standard, version 1: two sides",
    version=1,
    metrics=("reconciliation",),
    rule="unreconciled",
    rules=(
        "unreconciled",
        "unreconciled_events",
        "reconciliation_days",
        "reconciliation_amount_rate",
        "reconciliation_amount_pounds",
    ),
    statuses=(
        ("raised", "more events differ than the rule allows, by share and by number"),
        (
            "watch",
            "the share is above the rule, but few events differ, or different marks for the same "
            "clients would explain them",
        ),
        ("clear", "the share is within the rule, or neither side reports any event"),
        ("not_reported", "no month is covered by both sides' returns of the same log"),
        ("not_applicable", "the subcontractor is the prime itself"),
    ),
    other_explanations=(
        "the two sides use different marks for the same client",
        "a return was sent before late corrections",
        "a client was passed on to another subcontractor",
        "the two sides go by different dates, so that an event falls in another month",
    ),
    ask_next=(
        "Ask both sides to compare their lists of client marks, month by month.",
        "Ask each side when it last corrected its returns for these months.",
        "Ask both sides which date they enter: of the decision, the letter or the first meeting.",
        "Ask for the remittance of the payments that only one side reports.",
    ),
    in_public="The prime and the subcontractor do not report the same events.",
)

_SEVERITY: tuple[Status, ...] = ("clear", "watch", "raised")
_EVENT = {"referrals": "referral", "payments": "payment"}
_PARTS = {
    "prime_only": "only the prime reports it",
    "subcontractor_only": "only the subcontractor reports it",
    "other_date": "the other side has another date",
    "other_amount": "the other side has another amount",
    "duplicate": "reported twice by the same side",
    "other_month": "same event, in a month only this side covers",
    "of_a_month_that_differs": "of a month that differs",
}
_SAME = "same on both sides"


def assess(facts: Facts, rules: Rules) -> list[Assessment]:
    """One assessment per agreement; value is the share of events that differ."""
    days = int(rules["reconciliation_days"].value)
    amounts = (
        rules["reconciliation_amount_rate"].value,
        rules["reconciliation_amount_pounds"].value * 100,
    )
    tolerances: dict[Log, Tolerance] = {
        "referrals": Tolerance(days),
        "payments": Tolerance(days, *amounts),
    }
    found = reconcile(facts.frames, facts.rows, tolerances)
    used = {rule_id: rules[rule_id].answer() for rule_id in FLAG.rules}
    return [
        _assessment(
            subject,
            facts,
            rules,
            used,
            found.get((subject.contract_id, subject.subcontractor_id or ""), Reconciled()),
        )
        for subject in facts.agreements
    ]


@dataclass(frozen=True)
class _Verdict:
    """What one log says: its status, and the share of its events that differ (None: no event)."""

    log: Log
    status: Status
    share: Fraction | None


def _verdict(log: Log, found: Reconciliation, rules: Rules) -> _Verdict:
    if not found.events:
        return _Verdict(log, "clear", None)
    limit, least = rules["unreconciled"].value, rules["unreconciled_events"].value
    differs = Fraction(found.differing, found.events)
    status: Status = "clear"
    if differs > limit:
        status = "watch"
        same_whoever = Fraction(found.differing_whoever, found.events_whoever)
        if found.differing > least and found.differing_whoever > least and same_whoever > limit:
            status = "raised"
    return _Verdict(log, status, differs)


def _weight(verdict: _Verdict) -> tuple[int, Fraction]:
    share_above_none = Fraction(-1) if verdict.share is None else verdict.share
    return _SEVERITY.index(verdict.status), share_above_none


def _assessment(
    subject: Subject,
    facts: Facts,
    rules: Rules,
    used: dict[str, dict[str, Any]],
    found: Reconciled,
) -> Assessment:
    verdicts = [_verdict(log, one, rules) for log, one in found.logs.items()]
    most = max(verdicts, key=_weight, default=None)
    status: Status = "not_reported" if most is None else most.status
    if subject.subcontractor_id == subject.prime_id:
        status = "not_applicable"
    evidence = _evidence(subject, found, verdicts, most) | {"rules": used}
    assessment = Assessment(
        flag=FLAG.id,
        contract_id=subject.contract_id,
        prime_id=subject.prime_id,
        subcontractor_id=subject.subcontractor_id,
        client_group=None,
        status=status,
        value=float(most.share) if most is not None and most.share is not None else None,
        low=None,
        high=None,
        threshold=rules[FLAG.rule].number,
        evidence=evidence,
        sentence="",
        attributed_to=None,
    )
    return replace(assessment, sentence=_sentence(assessment, subject, facts, rules))


def _evidence(
    subject: Subject,
    found: Reconciled,
    verdicts: list[_Verdict],
    most: _Verdict | None,
) -> dict[str, Any]:
    return {
        "window": subject.window.evidence(),
        "log": None if most is None else most.log,
        "months_covered": {log: dict(found.covered[log]) for log in LOGS},
        "shared_clients": found.shared_client_count,
        "logs": {
            verdict.log: _log_evidence(verdict, found.logs[verdict.log], subject)
            for verdict in verdicts
        },
        "rows": {
            side: {
                log: {kind: sorted(rows) for kind, rows in sorted(one.rows[side].items())}
                for log, one in found.logs.items()
            }
            for side in SIDES
        },
    }


def _log_evidence(verdict: _Verdict, found: Reconciliation, subject: Subject) -> dict[str, Any]:
    told: dict[str, Any] = {
        "status": verdict.status,
        "when": period(subject.window, len(found.months)),
        "months": [month_code(month) for month in found.months],
        "basis": found.basis,
        "clients_in_common": found.clients_in_common,
        "reported": {side: found.reported_by(side) for side in SIDES},
        "events": found.events,
        "matched": found.matched,
        "differing": found.differing,
        "share": None if verdict.share is None else float(verdict.share),
        "prime_only": found.prime_only,
        "subcontractor_only": found.subcontractor_only,
        "other_date": found.other_date,
        "other_amount": found.other_amount,
        "duplicate": {
            "prime": found.prime_duplicates,
            "subcontractor": found.subcontractor_duplicates,
        },
        "days_apart": {"total": sum(found.days_apart), "most": max(found.days_apart, default=0)},
        "whatever_the_marks": {
            "events": found.events_whoever,
            "differing": found.differing_whoever,
        },
        "months_that_differ": [
            {
                "month": month_code(cell.month),
                "of": cell.of,
                "prime": cell.settled.prime,
                "subcontractor": cell.settled.subcontractor,
                "other_amount": cell.settled.other_amount,
            }
            for cell in found.cells
        ],
    }
    if verdict.log == "payments":
        told["reported_pence"] = dict(found.reported_pence)
        told["differing_pence"] = dict(found.differing_pence)
    return told


def without_shared_clients(found: Assessment) -> Assessment:
    """The same answer without clients who stand in another subcontractor's returns too."""
    return replace(found, evidence=found.evidence | {"shared_clients": None})


def _sentence(found: Assessment, subject: Subject, facts: Facts, rules: Rules) -> str:
    name, prime = facts.name(found.subcontractor_id), facts.name(found.prime_id)
    if found.status == "not_applicable":
        return f"Not applicable to {name}: it is the prime itself, so there is no other side."
    if found.status == "not_reported":
        return f"Not reported for {name}: {_not_covered(found, subject, name, prime)}."
    log: Log = found.evidence["log"]
    one = found.evidence["logs"][log]
    least = int(rules["unreconciled_events"].value)
    told = f"{name} and {prime} are to report the same events."
    told += f" {_log_told(log, one, name, prime, found.threshold)}"
    if one["events"]:
        told += (
            f" (rule: at most {share(found.threshold)}, or at most {count(least, 'event')}; "
            f"{rules[FLAG.rule].standing})"
        )
    told += f".{_money(one, name, prime)}{_basis(log, one)}"
    for other in LOGS:
        if other == log:
            continue
        if other in found.evidence["logs"]:
            its = found.evidence["logs"][other]
            told += f" {_log_told(other, its, name, prime, found.threshold)}."
        else:
            told += f" {_other_not_covered(found, other, name, prime)}"
    if found.status == "raised":
        return f"{told} What else could explain it: {'; '.join(FLAG.other_explanations)}."
    if found.status == "watch":
        return f"{told} {_why_watch(log, one, least, found.threshold)}"
    return told


def _log_told(log: Log, one: Mapping[str, Any], name: str, prime: str, limit: float) -> str:
    """One log's figures as a sentence without its stop."""
    noun = _EVENT[log]
    if not one["events"]:
        return f"Neither reports any {noun} {one['when']}"
    events = count(one["events"], noun)
    if not one["differing"]:
        return f"Both report the same {events} {one['when']}"
    differ = "differs" if one["differing"] == 1 else "differ"
    return (
        f"Of {events} that either reports {one['when']}, {figure(one['differing'])} {differ}, "
        f"{share(one['share'], limit)}: {_classes(one, name, prime)}"
    )


def _classes(one: Mapping[str, Any], name: str, prime: str) -> str:
    parts = (
        (one["prime_only"], f"that only {prime} reports"),
        (one["subcontractor_only"], f"that only {name} reports"),
        (one["other_date"], "with another date"),
        (one["other_amount"], "with another amount"),
        (one["duplicate"]["prime"], f"that {prime} reports twice"),
        (one["duplicate"]["subcontractor"], f"that {name} reports twice"),
    )
    return ", ".join(f"{figure(number)} {what}" for number, what in parts if number)


def _money(one: Mapping[str, Any], name: str, prime: str) -> str:
    if "differing_pence" not in one or not one["differing"]:
        return ""
    pence = one["differing_pence"]
    return (
        f" What differs comes to {pounds(pence['prime'])} by the returns of {prime} and to "
        f"{pounds(pence['subcontractor'])} by those of {name}."
    )


def _basis(log: Log, one: Mapping[str, Any]) -> str:
    if one["basis"] == "clients" or not one["differing"]:
        return ""
    return (
        f" The two sides have no client's mark in common, so {log} were compared by count and "
        "month, which shows the least that differs."
    )


def _shared(found: Assessment, name: str) -> str:
    shared = found.evidence["shared_clients"]
    if not shared:
        return ""
    return (
        f" {count(shared, 'client')} that {name} reports {'is' if shared == 1 else 'are'} reported "
        "by another subcontractor of the contract too; a client may rightly be passed on."
    )


def _why_watch(log: Log, one: Mapping[str, Any], least: int, limit: float) -> str:
    if one["differing"] <= least:
        return (
            f"A sign only: the share is above the rule, but no more than {count(least, 'event')} "
            "differ."
        )
    alike = one["whatever_the_marks"]
    rate = share(alike["differing"] / alike["events"], limit)
    return (
        f"A sign only: counted by month, whatever the clients' marks, {figure(alike['differing'])} "
        f"of {count(alike['events'], _EVENT[log])} would differ ({rate}), so the two sides may "
        "have different marks for the same clients."
    )


def _not_covered(found: Assessment, subject: Subject, name: str, prime: str) -> str:
    covered = found.evidence["months_covered"]
    sent = {side: any(covered[log][side] for log in LOGS) for side in SIDES}
    if not any(sent.values()):
        return nothing_reported(subject, "referrals or payments", f"neither {name} nor {prime}")
    if all(sent.values()):
        return (
            f"{name} and {prime} have both sent returns, but none of the same month and kind "
            f"({_coverage(covered, 'referrals', name, prime)}; "
            f"{_coverage(covered, 'payments', name, prime)})"
        )
    there, missing = (prime, name) if sent["prime"] else (name, prime)
    return (
        f"only {there} has sent returns for these months; {missing} has sent none, so there is "
        "nothing to compare with"
    )


def _coverage(covered: Mapping[Log, Mapping[Side, int]], log: Log, name: str, prime: str) -> str:
    months = covered[log]
    return (
        f"{log}: {count(months['subcontractor'], 'month')} by {name}, {figure(months['prime'])} by "
        f"{prime}"
    )


def _other_not_covered(found: Assessment, log: Log, name: str, prime: str) -> str:
    told = _coverage(found.evidence["months_covered"], log, name, prime)
    return f"No month of {log} is covered by both sides ({told.removeprefix(f'{log}: ')})."


def account(found: Assessment, facts: Facts) -> Account:
    """What both sides were to report, what each reports, and how the events come out."""
    name, prime = facts.name(found.subcontractor_id), facts.name(found.prime_id)
    rules = found.evidence["rules"]
    if found.status == "not_applicable":
        return Account(
            (f"{name} is the prime of contract {found.contract_id} itself.",),
            ("Its own work is reported by one side only.",),
            ("There is nothing to compare.",),
        )
    promise = (
        f"{name} and {prime} each report the referrals and payments of their agreement, and both "
        "report the same events.",
    )
    happened: list[str] = []
    for log in LOGS:
        one = found.evidence["logs"].get(log)
        if one is None:
            happened.append(_other_not_covered(found, log, name, prime))
            continue
        noun = _EVENT[log]
        happened.append(
            f"Both sides' returns of {log} cover {count(len(one['months']), 'month')}: {name} "
            f"reports {count(one['reported']['subcontractor'], noun)} in them, {prime} "
            f"{count(one['reported']['prime'], noun)}."
        )
        if log == "payments":
            pence = one["reported_pence"]
            happened.append(
                f"These payments come to {pounds(pence['subcontractor'])} by the returns of "
                f"{name} and to {pounds(pence['prime'])} by those of {prime}."
            )
    happened += [told.strip() for told in (_shared(found, name),) if told]
    steps = [
        step
        for log, one in found.evidence["logs"].items()
        for step in _steps(log, one, rules, name, prime)
    ]
    if not steps:
        steps = ["No month is covered by both sides' returns, so nothing can be compared."]
    return Account(promise, tuple(happened), tuple(steps))


def _steps(
    log: Log, one: Mapping[str, Any], rules: Mapping[str, Any], name: str, prime: str
) -> list[str]:
    noun = _EVENT[log]
    if not one["events"]:
        return [f"Neither side reports any {noun} {one['when']}, so none differs."]
    steps = [_how(log, one, rules)]
    steps.append(
        f"{figure(one['matched'])} matched + {figure(one['differing'])} that differ = "
        f"{count(one['events'], noun)}."
    )
    if not one["differing"]:
        return steps
    steps.append(f"The {figure(one['differing'])} that differ: {_classes(one, name, prime)}.")
    if one["other_date"]:
        days = one["days_apart"]
        steps.append(
            f"Where the date is another, the two dates are {count(days['most'], 'day')} apart at "
            f"most and {count(days['total'], 'day')} in all."
        )
    steps += _months_told(one, noun, name, prime)
    steps += [told.strip() for told in (_money(one, name, prime),) if told]
    limit, least = rules["unreconciled"]["value"], rules["unreconciled_events"]["value"]
    above = one["differing"] / one["events"], one["differing"] > least
    steps.append(
        f"{figure(one['differing'])} / {figure(one['events'])} = {share(above[0], limit)}, "
        f"{_beside(one['status'] != 'clear')} {share(limit)}; {figure(one['differing'])} is "
        f"{_beside(above[1])} {count(least, 'event')}."
    )
    alike = one["whatever_the_marks"]
    if one["basis"] == "clients" and one["status"] != "clear" and above[1]:
        steps.append(
            f"Counted by month, whatever the clients' marks: {figure(alike['differing'])} / "
            f"{figure(alike['events'])} = {share(alike['differing'] / alike['events'], limit)}, "
            f"{_beside(one['status'] == 'raised')} the rule."
        )
    return steps


def _beside(is_above: bool) -> str:
    return "above" if is_above else "within"


def _how(log: Log, one: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    days = count(rules["reconciliation_days"]["value"], "day")
    if one["basis"] == "clients":
        told = (
            f"{log.capitalize()} {one['when']} are matched client by client "
            f"({count(one['clients_in_common'], 'client')} in common), by date within {days}"
        )
    else:
        told = (
            f"The two sides have no client's mark in common, so {log} {one['when']} are compared "
            "by count and month"
        )
    if log == "payments":
        rate = share(rules["reconciliation_amount_rate"]["value"])
        sum_pence = round(rules["reconciliation_amount_pounds"]["value"] * 100)
        told += f"; amounts differ if they are more than {rate} and more than "
        told += f"{pounds(sum_pence)} apart"
    return f"{told}."


def _months_told(one: Mapping[str, Any], noun: str, name: str, prime: str) -> list[str]:
    told = []
    for cell in one["months_that_differ"]:
        amounts = f", {figure(cell['other_amount'])} with another amount"
        told.append(
            f"{_month(cell['month'])}, {cell['of'].replace('_', ' ')}: {prime} reports "
            f"{count(cell['prime'], noun)}, {name} {figure(cell['subcontractor'])}"
            f"{amounts if cell['other_amount'] else ''}."
        )
    return told


def _month(code: str) -> str:
    year, month = code.split("-")
    return month_name(int(year) * 12 + int(month) - 1)


def source_rows(found: Assessment, facts: Facts) -> list[SourceRow]:
    """Both sides' rows of the months compared, and what each is to the answer.

    A side whose rows the answer does not show (see `shown_to`) is left out.
    """
    if found.status in ("not_applicable", "not_reported"):
        return []
    return [
        row
        for log in LOGS
        if log in found.evidence["logs"]
        for row in rows_of(
            facts, log, found.contract_id, found.subcontractor_id, _part_of(found, facts, log)
        )
    ]


def _part_of(
    found: Assessment, facts: Facts, log: Log
) -> Callable[[Mapping[str, Any]], str | None]:
    side_of: dict[str | None, Side] = {
        found.prime_id: "prime",
        found.subcontractor_id: "subcontractor",
    }
    covered = months_covered(facts, log, found.contract_id, found.subcontractor_id)
    compared = {month for month, both in covered.items() if all(both)}
    named = {
        (side, return_id, row_number): _PARTS[kind]
        for side in SIDES
        for kind, rows in found.evidence["rows"][side][log].items()
        for return_id, row_number, _ in rows
    }
    one = found.evidence["logs"][log]
    by_count = one["basis"] != "clients"
    cells = {
        (cell["month"], cell["of"]): _PARTS["of_a_month_that_differs"]
        if cell["prime"] and cell["subcontractor"]
        else _PARTS["prime_only" if cell["prime"] else "subcontractor_only"]
        for cell in one["months_that_differ"]
    }
    of = "client_group" if log == "referrals" else "payment_type"

    def part_of(row: Mapping[str, Any]) -> str | None:
        side = side_of.get(row["reporter_id"])
        if side is None:
            return None
        if (side, row["return_id"], row["row_number"]) in named:
            return named[side, row["return_id"], row["row_number"]]
        if row["month"] not in compared or row.get("referral_count") == 0:
            return None
        if by_count or row["client_hash"] is None:
            return cells.get((month_code(row["month"]) or "", row[of]), _SAME)
        return _SAME

    return part_of
