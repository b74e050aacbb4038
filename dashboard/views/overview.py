"""Overview: what needs attention first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import session
from dashboard.charts import flags_by_status
from dashboard.views import asked, markup
from dashboard.views.navigation import link_to, link_to_agreement
from dashboard.words import STATUSES, WHOLE_CONTRACT, attribution, headline, text, told
from metrics.catalogue import flags
from metrics.definition import STATUSES as STATUS_IDS
from metrics.raised_share import raised_too_often
from metrics.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.service import FlagReport
    from dashboard.session import Question, Registers
    from metrics.definition import Assessment

_MOST_CARDS = 12
_OWNERS = "the network or the commissioner"
_KEEPERS = "the network, the commissioner or the prime"


def show() -> None:
    """The page."""
    st.title("What needs attention")
    question = session.question()
    if not question.version:
        _empty()
        return
    opening = st.container()
    with st.expander("Narrow down, or look back in time"):
        question = asked.question()
        narrowing = st.container()
    asked.what_if()
    report = session.report(question)
    assessments = report.assessments
    registers = session.registers(question)
    if not assessments:
        with opening:
            if question.scope.sees_everything:
                markup.lead("No agreement is on record yet, so there is nothing to assess.")
                _order_of_work()
            else:
                markup.lead("No agreement or contract of yours is on record yet.")
                markup.paragraph("The network or the commissioner records them. Ask them to.")
        return
    with narrowing:
        chosen, filters = _filtered(assessments, registers)
    with opening:
        _opening(chosen, len(chosen) < len(assessments), question)
        asked.changes(report)
        if report.warnings:
            markup.notice("warn", *report.warnings)
    statuses = Counter(a.status for a in chosen)
    if statuses["raised"]:
        st.header("Raised")
        _cards("raised", chosen, report, registers)
    if statuses["watch"]:
        with st.expander(f"To watch ({statuses['watch']})"):
            _cards("watch", chosen, report, registers)
    _counts(chosen)
    _all(chosen, registers, [*filters, *question.parameters()])
    _notes(report.notes)


def _empty() -> None:
    markup.lead("Nothing has been recorded here yet.")
    _order_of_work()
    markup.paragraph(
        "To look round first with invented organisations, stop the dashboard and run "
        "fairtier demo.",
        quiet=True,
    )


def _order_of_work() -> None:
    markup.paragraph("Begin with the registers, in this order, then the logs:")
    markup.table(
        "What to upload, in order",
        ("Table", "What it holds", "Who sends it"),
        (
            (
                "1. Organisations",
                "every organisation by its identifier",
                _OWNERS,
            ),
            ("2. Contracts", "which prime holds which contract", _OWNERS),
            (
                "3. Agreements",
                "which subcontractor was promised what",
                _KEEPERS,
            ),
            (
                "4. Prices",
                "what is paid for what (optional)",
                _KEEPERS,
            ),
            (
                "5. Forecasts",
                "referrals expected by month (optional)",
                _KEEPERS,
            ),
            ("6. Referrals", "clients sent", "each prime and each subcontractor"),
            ("7. Payments", "money received and paid on", "each prime and each subcontractor"),
        ),
    )
    link_to("upload", "Go to Upload")


def _filtered(
    assessments: Sequence[Assessment], registers: Registers
) -> tuple[list[Assessment], list[tuple[str, str]]]:
    """The assessments chosen, and the choice as parameters of a download's address."""
    titles = {flag.id: flag.title for flag in flags()}
    programmes = {
        contract_id: str(row["programme"]) for contract_id, row in registers.contracts.items()
    }
    first, second = st.columns(2), st.columns(3)
    programme = first[0].multiselect(
        "Programme", sorted(set(programmes.values())), placeholder="All programmes"
    )
    prime = first[1].multiselect(
        "Prime",
        sorted({a.prime_id for a in assessments if a.prime_id}),
        format_func=registers.name,
        placeholder="All primes",
    )
    contract = second[0].multiselect(
        "Contract", sorted({a.contract_id for a in assessments}), placeholder="All contracts"
    )
    flag = second[1].multiselect(
        "Flag", list(titles), format_func=titles.__getitem__, placeholder="All flags"
    )
    status = second[2].multiselect(
        "Status",
        STATUS_IDS,
        format_func=lambda status: STATUSES[status][0],
        placeholder="All statuses",
    )
    found = [
        a
        for a in assessments
        if (not programme or programmes.get(a.contract_id) in programme)
        and (not prime or a.prime_id in prime)
        and (not contract or a.contract_id in contract)
        and (not flag or a.flag in flag)
        and (not status or a.status in status)
    ]
    choices: dict[str, Sequence[str]] = {
        "programme": programme,
        "prime": prime,
        "contract": contract,
        "flag": flag,
        "status": status,
    }
    return found, [(name, one) for name, chosen in choices.items() for one in chosen]


def _opening(chosen: Sequence[Assessment], narrowed: bool, question: Question) -> None:
    statuses = Counter(a.status for a in chosen)
    raised = {(a.contract_id, a.subcontractor_id) for a in chosen if a.status == "raised"}
    agreements = {(a.contract_id, a.subcontractor_id) for a in chosen if a.subcontractor_id}
    about = len(raised & agreements)
    if statuses["raised"]:
        places = []
        if about:
            all_of_them = count(len(agreements), "agreement")
            places.append(f"{about} of {all_of_them}" if len(agreements) > 1 else all_of_them)
        if raised - agreements:
            places.append(count(len(raised - agreements), "whole contract"))
        words = (
            f"{count(statuses['raised'], 'flag is', 'flags are')} raised, on "
            f"{' and on '.join(places)}. A flag says look here; it does not say who is at fault."
        )
    elif statuses["watch"]:
        words = (
            f"No flag is raised. {count(statuses['watch'], 'is', 'are')} worth watching among "
            f"{count(len(agreements), 'agreement')}."
        )
    else:
        words = f"No flag is raised or worth watching among {count(len(agreements), 'agreement')}."
    markup.lead(words, asked.described(question) + (" Narrowed down below." if narrowed else ""))
    markup.big_numbers(
        [
            (status, statuses[status], *STATUSES[status])
            for status in ("raised", "watch", "too_early", "not_reported")
        ]
    )


def _cards(
    status: str, chosen: Sequence[Assessment], report: FlagReport, registers: Registers
) -> None:
    """One card per agreement or contract that has a flag of this status.

    Those that only have a flag raised for very many come last: it says least about each.
    """
    subjects: dict[tuple[str, str | None], list[Assessment]] = {}
    for found in chosen:
        if found.status == status:
            subjects.setdefault((found.contract_id, found.subcontractor_id), []).append(found)
    often = {one.flag for one in raised_too_often(report.assessments, report.rules)}
    cards = sorted(subjects.values(), key=lambda mine: all(one.flag in often for one in mine))
    for number, mine in enumerate(cards[:_MOST_CARDS]):
        _card(mine, registers, f"{status}-{number}")
    if len(subjects) > _MOST_CARDS:
        rest = count(len(subjects) - _MOST_CARDS, "agreement or contract", "more")
        markup.paragraph(f"{rest} in the table at the end of the page.", quiet=True)


def _card(mine: Sequence[Assessment], registers: Registers, key: str) -> None:
    titles = {flag.id: flag.title for flag in flags()}
    about = mine[0]
    name = registers.name(about.subcontractor_id) if about.subcontractor_id else WHOLE_CONTRACT
    lines = "".join(
        f"<div>{markup.chip(found.status)}</div><div><strong>{text(headline(found))}</strong> "
        f"{text(attribution(found))}</div>"
        for found in mine
    )
    sentences = "".join(
        f"<p><strong>{text(titles[found.flag])}.</strong> {text(told(found.sentence))}</p>"
        for found in mine
    )
    with st.container(border=True, key=f"card-{key}"):
        words, link = st.columns([8, 1], vertical_alignment="top")
        words.html(
            f'<div class="ft-card"><h3>{text(name)}</h3>'
            f'<p class="ft-small ft-quiet">{text(about.contract_id)}, '
            f"{text(registers.name(about.prime_id))}</p>"
            f'<div class="ft-flags">{lines}</div>'
            f"<details><summary>In full, with the rule and its source</summary>{sentences}"
            "</details></div>"
        )
        with link:
            link_to_agreement("Open", about.contract_id, about.subcontractor_id)


def _counts(chosen: Sequence[Assessment]) -> None:
    st.header("Every flag by status")
    counted = Counter((a.flag, a.status) for a in chosen)
    rows = [
        (flag.title, STATUSES[status][0], counted[flag.id, status])
        for flag in flags()
        for status in STATUS_IDS
        if counted[flag.id, status]
    ]
    if not rows:
        markup.paragraph("Nothing matches. Take away a filter.")
        return
    frame = pd.DataFrame(rows, columns=["flag", "status", "count"])
    described = "; ".join(f"{flag}: {number} {status.lower()}" for flag, status, number in rows)
    markup.draw(flags_by_status.chart(frame), f"Bars of flags by status. {described}.")
    with st.expander("The same as a table"):
        markup.table(
            "Number of agreements and contracts by flag and status",
            ("Flag", *(STATUSES[status][0] for status in STATUS_IDS)),
            [
                (flag.title, *(str(counted[flag.id, status]) for status in STATUS_IDS))
                for flag in flags()
            ],
            numeric=range(1, len(STATUS_IDS) + 1),
        )


def _notes(notes: Sequence[str]) -> None:
    """What is on record and counts for no agreement; nothing without any."""
    if not notes:
        return
    with st.expander(f"On record, but part of no agreement ({len(notes)})"):
        st.html(f'<div class="ft-text">{markup.bullets(notes)}</div>')


def _all(
    chosen: Sequence[Assessment], registers: Registers, parameters: Sequence[tuple[str, str]]
) -> None:
    st.header("Every assessment")
    if not chosen:
        return
    titles = {flag.id: flag.title for flag in flags()}
    frame = pd.DataFrame(
        {
            "Status": [STATUSES[a.status][0] for a in chosen],
            "Flag": [titles[a.flag] for a in chosen],
            "Subcontractor": [
                registers.name(a.subcontractor_id) if a.subcontractor_id else WHOLE_CONTRACT
                for a in chosen
            ],
            "Contract": [a.contract_id for a in chosen],
            "Prime": [registers.name(a.prime_id) for a in chosen],
            "In short": [headline(a) for a in chosen],
        }
    )
    rank = {STATUSES[status][0]: place for place, status in enumerate(STATUS_IDS)}
    frame = frame.sort_values("Status", key=lambda column: column.map(rank), kind="stable")
    st.dataframe(
        frame,
        hide_index=True,
        lazy=True,
        height=380,
        column_config={"In short": st.column_config.TextColumn(width="large")},
        alt="Every assessment with its status, flag, subcontractor, contract, prime and finding.",
    )
    markup.download("Download as CSV, with the full sentences", "flags.csv", parameters)
