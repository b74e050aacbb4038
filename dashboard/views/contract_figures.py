"""Figures of a contract without a judgement: who gets the clients, the money and the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard import session
from dashboard.charts import concentration, conversion, spend_by_sector
from dashboard.views import markup
from metrics.wording import count, figure, pounds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.session import Question, Registers
    from metrics.concentration import Concentration
    from metrics.conversion import Conversion, GroupConversion
    from metrics.spend_by_sector import Spend

_MOST_BARS = 12
_NONE = "none"


def show(question: Question, contract: dict[str, Any], registers: Registers) -> None:
    """The whole tab, for the contract as the register has it."""
    figures = session.contract_figures(question, contract["contract_id"])
    markup.paragraph(
        "These figures describe the contract. None of them is a flag, and none says that anything "
        "is wrong.",
        quiet=True,
    )
    _clients(figures.concentration, contract, registers)
    programme = session.programme_spend(question, contract["programme"])
    whole = f"All of {contract['programme']}"
    if not question.scope.sees_everything:
        whole += " that you see"
    _money(figures.spend, programme, whole, registers.name(contract["prime_id"]))
    _results(figures.conversion)


def _clients(found: Concentration, contract: dict[str, Any], registers: Registers) -> None:
    prime = registers.name(contract["prime_id"])
    st.subheader("Where the clients went")
    if not found.referral_count:
        why = "shows a client" if found.month_count else "covers a month"
        markup.paragraph(f"No referrals return of {prime} {why}, so this cannot be said.")
        return
    all_of, kept = found.referral_count, found.in_house_count or 0
    markup.paragraph(_told(found, prime))
    largest = found.subcontractors[:_MOST_BARS]
    rest = sum(one.referral_count for one in found.subcontractors[_MOST_BARS:])
    rows = [(f"{prime}, kept in house", kept, True)]
    rows += [(registers.name(one.subcontractor_id), one.referral_count, False) for one in largest]
    if rest:
        others = count(len(found.subcontractors) - _MOST_BARS, "other subcontractor")
        rows.append((others, rest, False))
    shares = pd.DataFrame(
        [(name, number, number / all_of, own) for name, number, own in rows],
        columns=["name", "referrals", "share", "in_house"],
    )
    spoken = "; ".join(f"{name}, {figure(number)}" for name, number, _ in rows)
    markup.draw(concentration.chart(shares), f"Clients by where they went: {spoken}.")
    with st.expander("Where the clients went, as a table"):
        markup.table(
            f"Clients in the returns of {prime}, {count(found.month_count, 'month')}",
            ("Who", "Clients", "Share of all clients", "Share of those passed on"),
            [
                (f"{prime}, kept in house", figure(kept), share(kept / all_of), ""),
                *(
                    (
                        registers.name(one.subcontractor_id),
                        figure(one.referral_count),
                        share(one.referral_count / all_of),
                        share(one.share),
                    )
                    for one in found.subcontractors
                ),
            ],
            numeric=(1, 2, 3),
        )


def _told(found: Concentration, prime: str) -> str:
    kept = (
        f"{prime} reports {count(found.referral_count or 0, 'client')} and kept "
        f"{figure(found.in_house_count or 0)} in house ({share(found.in_house_share or 0.0)})."
    )
    if found.index is None or found.effective_number is None:
        return f"{kept} It passed nobody on."
    return (
        f"{kept} The others went to {count(len(found.subcontractors), 'subcontractor')}: as "
        f"concentrated as {count(round(found.effective_number, 1), 'subcontractor')} of equal size "
        f"(Herfindahl-Hirschman index {figure(found.index)})."
    )


def _money(found: Spend, programme: Spend, whole: str, prime: str) -> None:
    st.subheader("Which sectors the money goes to")
    if found.payable_pence is None:
        markup.paragraph(f"No payments return of {prime} covers a month, so this cannot be said.")
        return
    wholes = [("This contract", found), (whole, programme)]
    rows = [
        (one.sector, name, one.share)
        for name, spend in wholes
        for one in spend.sectors
        if one.share is not None
    ]
    if any(name == "This contract" for _, name, _ in rows):
        spoken = "; ".join(f"{name}, {sector} {share(part)}" for sector, name, part in rows)
        markup.draw(
            spend_by_sector.chart(pd.DataFrame(rows, columns=["sector", "whole", "share"])),
            f"Share of what is payable to subcontractors, by sector: {spoken}.",
        )
    else:
        markup.paragraph(
            f"{_told_sum(found, found.payable_pence)} is payable to subcontractors after "
            "corrections, so there is nothing to take shares of."
        )
    with st.expander("Money by sector, as a table"):
        markup.table(
            "Payable to subcontractors by the prime's returns",
            ("Sector", "In", "Subcontractors", "Payable", "Share"),
            [
                (
                    one.sector,
                    name,
                    figure(one.subcontractor_count),
                    _told_sum(spend, one.payable_pence),
                    _NONE if one.share is None else share(one.share),
                )
                for name, spend in wholes
                for one in spend.sectors
            ],
            numeric=(2, 3, 4),
        )


def _told_sum(spend: Spend, pence: int) -> str:
    return pounds(pence) if spend.sums_told else "not shown"


def _results(found: Conversion) -> None:
    st.subheader("What became of the clients, by group")
    if not found.groups:
        markup.paragraph("No referral or payable event is reported, so this cannot be said.")
        return
    groups = [(name or "No group given", group) for name, group in found.groups]
    rates = [
        (name, of, rate)
        for name, group in groups
        for of, rate in (
            (conversion.START, group.start_rate),
            (conversion.OUTCOME, group.outcome_rate),
        )
        if rate is not None
    ]
    if rates:
        spoken = "; ".join(f"{name}, {of.lower()} {share(rate)}" for name, of, rate in rates)
        markup.draw(
            conversion.chart(pd.DataFrame(rates, columns=["group", "rate_of", "rate"])),
            f"By client group: {spoken}.",
        )
    markup.paragraph(
        "Recent clients have had no time yet, so these rates understate what comes. Where clients "
        "carry a mark, the second table shows those referred at least 12 months before the end.",
        quiet=True,
    )
    with st.expander("Starts, job outcomes and sustainments, as tables"):
        markup.table(
            "All referrals and payable events",
            (
                "Client group",
                "Referrals",
                "Starts",
                "Attachment fees",
                "Job outcomes",
                "Sustainments",
                "Starts for each referral",
                "Job outcomes for each start",
                "Sustainments for each job outcome",
            ),
            [
                (
                    name,
                    figure(group.referral_count),
                    figure(group.start_count),
                    figure(group.attachment_count),
                    figure(group.job_outcome_count),
                    figure(group.sustainment_count),
                    _shown(group.start_rate),
                    _shown(group.outcome_rate),
                    _NONE if group.sustainment_rate is None else figure(group.sustainment_rate),
                )
                for name, group in [*groups, ("All client groups", found.total)]
            ],
            numeric=range(1, 9),
        )
        if found.total.old_client_count:
            _old_clients([*groups, ("All client groups", found.total)])
        else:
            markup.paragraph(
                "No client carries a mark and can be followed for 12 months, so there is no second "
                "table."
            )


def _old_clients(groups: Sequence[tuple[str, GroupConversion]]) -> None:
    markup.table(
        "Clients with a mark, referred at least 12 months before the end",
        ("Client group", "Clients", "Started", "With a job outcome", "Started", "Job outcome"),
        [
            (
                name,
                figure(group.old_client_count),
                figure(group.old_started_client_count),
                figure(group.old_outcome_client_count),
                _shown(group.old_start_rate),
                _shown(group.old_outcome_rate),
            )
            for name, group in groups
        ],
        numeric=range(1, 6),
    )


def _shown(rate: float | None) -> str:
    return _NONE if rate is None else share(rate)
