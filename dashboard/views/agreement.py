"""Agreement: what was promised, what happened, and the rows behind it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard import session
from dashboard.charts import (
    cumulative_referrals,
    management_fee,
    payment_timing,
    referrals_by_month,
    volume_split,
)
from dashboard.views import asked, contract_figures, markup
from dashboard.views.navigation import link_to, link_to_agreement
from dashboard.words import (
    SIDES,
    STATUSES,
    WHOLE_CONTRACT,
    attribution,
    day,
    headline,
    lines_of,
    month,
    months_covered,
    more_or_fewer,
    said,
    text,
    told,
)
from metrics.wording import count, figure, pounds, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.session import Question, Registers
    from metrics.definition import Assessment
    from metrics.explanation import Explanation
    from metrics.payment_timing import Wait

_OPEN = ("raised", "watch")


def show() -> None:
    """The page."""
    if not session.question().version:
        st.title("Agreement")
        markup.lead("Nothing has been recorded here yet, so there is no agreement to look at.")
        link_to("upload", "Go to Upload")
        return
    heading = st.container()
    choice = st.container()
    with st.expander("Look back in time"):
        question = asked.question()
    asked.what_if()
    registers = session.registers(question)
    if not registers.contracts:
        with heading:
            st.title("Agreement")
            markup.lead("No contract is on record yet. Upload the register of contracts first.")
            link_to("upload", "Go to Upload")
        return
    with choice:
        contract_id, subcontractor_id = _choice(registers)
    explanations = session.explanations(question, contract_id, subcontractor_id)
    found = [one.assessment for one in explanations]
    contract = registers.contracts[contract_id]
    with heading:
        st.title("Agreement" if subcontractor_id else "Contract")
        _opening(contract, subcontractor_id, found, registers, question)
        asked.changes(session.report(question))
    _told(explanations, question)
    _promised_and_happened(contract, subcontractor_id, found, registers)
    if subcontractor_id is None:
        _contract_evidence(question, contract, registers)
    else:
        _agreement_evidence(question, contract, subcontractor_id, found, registers)


def _choice(registers: Registers) -> tuple[str, str | None]:
    """The contract and subcontractor of the address, or those chosen; the address follows."""
    contract_ids = sorted(registers.contracts)
    asked_contract = st.query_params.get("contract", "")
    asked_subcontractor = st.query_params.get("subcontractor")
    first, second = st.columns(2)
    contract_id = first.selectbox(
        "Contract",
        contract_ids,
        index=contract_ids.index(asked_contract) if asked_contract in contract_ids else 0,
        format_func=lambda one: f"{one} · {registers.name(registers.contracts[one]['prime_id'])}",
        key=f"contract {asked_contract}",
        filter_mode="contains",
    )
    subcontractors: list[str | None] = [
        None,
        *sorted(
            (s for c, s in registers.agreements if c == contract_id),
            key=lambda s: registers.name(s).casefold(),
        ),
    ]
    known = asked_subcontractor in subcontractors and contract_id == asked_contract
    place = subcontractors.index(asked_subcontractor) if known else 0
    if not asked_contract and len(subcontractors) > 1:
        place = 1
    subcontractor_id = second.selectbox(
        "Subcontractor",
        subcontractors,
        index=place,
        format_func=lambda one: registers.name(one) if one else WHOLE_CONTRACT,
        key=f"subcontractor {contract_id} {asked_subcontractor}",
        filter_mode="contains",
    )
    if asked_contract and (
        asked_contract not in contract_ids
        or (contract_id == asked_contract and asked_subcontractor and not known)
    ):
        markup.notice(
            "warn", "The address names an agreement that is not on record; choose one here."
        )
    about = {"contract": contract_id} | (
        {"subcontractor": subcontractor_id} if subcontractor_id else {}
    )
    if st.query_params.to_dict() != about:
        st.query_params.from_dict(about)
    return contract_id, subcontractor_id


def _opening(
    contract: dict[str, Any],
    subcontractor_id: str | None,
    found: Sequence[Assessment],
    registers: Registers,
    question: Question,
) -> None:
    prime = registers.name(contract["prime_id"])
    if subcontractor_id is None:
        words = f"Contract {contract['contract_id']}, held by {prime}"
    else:
        words = (
            f"{registers.name(subcontractor_id)} delivers for {prime} in contract "
            f"{contract['contract_id']}"
        )
    raised = sum(a.status == "raised" for a in found)
    watched = sum(a.status == "watch" for a in found)
    silent = bool(found) and all(a.status == "not_reported" for a in found)
    standing = (
        f"{count(raised, 'flag is', 'flags are')} raised"
        if raised
        else f"{count(watched, 'flag is', 'flags are')} worth watching"
        if watched
        else "nothing has been reported about it"
        if silent
        else "no flag is raised"
    )
    markup.lead(f"{words}: {standing}.", asked.described(question))


def _told(explanations: Sequence[Explanation], question: Question) -> None:
    """Raised and watched answers in full, the others as one quiet list."""
    open_ones = [one for one in explanations if one.assessment.status in _OPEN]
    quiet = [one for one in explanations if one.assessment.status not in _OPEN]
    if open_ones:
        st.header("What needs a look")
    for explanation in open_ones:
        flag_id = explanation.flag.id
        with st.container(border=True, key=f"flag-{flag_id}"):
            st.html(_story_html(explanation))
            _download("Download this answer with all its rows (JSON)", [explanation], question)
    if not quiet:
        return
    st.header("The other flags" if open_ones else "Every flag")
    with st.container(border=True, gap=None, key="quiet-flags"):
        for explanation in quiet:
            with st.container(key=f"flag-{explanation.flag.id}"):
                st.html(_quiet_html(explanation))
    _download("Download these answers with all their rows (JSON)", quiet, question)


def _download(label: str, explanations: Sequence[Explanation], question: Question) -> None:
    about = explanations[0].assessment
    flags = [("flag", one.flag.id) for one in explanations]
    parameters = [*_about(about.contract_id, about.subcontractor_id), *flags]
    markup.download(label, "answers.json", [*parameters, *question.parameters()])


def _about(contract_id: str, subcontractor_id: str | None) -> list[tuple[str, str]]:
    named = [("contract", contract_id)]
    return named if subcontractor_id is None else [*named, ("subcontractor", subcontractor_id)]


def _story_html(explanation: Explanation) -> str:
    found, flag = explanation.assessment, explanation.flag
    told_in_full = dict(explanation.sections)
    blocks = {
        heading: f'<p class="ft-head">{text(heading)}</p>{_sentences_html(sentences)}'
        for heading, sentences in told_in_full.items()
    }
    (promise, happened, sums, _), more = list(blocks.values())[:4], list(blocks.values())[4:]
    rule = told_in_full["The rule"]
    return (
        f'<div class="ft-card">{markup.chip(found.status)}{_what_if_chip(explanation)}'
        f"<h3>{text(flag.title)}</h3>"
        f'<p class="ft-small ft-quiet">{text(flag.question)}</p>'
        f"<p><strong>{text(headline(found))}</strong> {text(attribution(found))}</p>"
        f"{markup.folded('The whole answer in one paragraph', _paragraph_html(found))}"
        f'<div class="ft-pair"><div>{promise}</div><div>{happened}</div></div>{sums}'
        f"{markup.folded('The rule, its source and its standing', _sentences_html(rule))}"
        f'<div class="ft-pair">{"".join(f"<div>{one}</div>" for one in more)}</div>'
        f"{markup.folded(_rows_title(explanation), _rows_html(explanation))}</div>"
    )


def _quiet_html(explanation: Explanation) -> str:
    found, flag = explanation.assessment, explanation.flag
    story = "".join(
        f'<p class="ft-head">{text(heading)}</p>{_sentences_html(sentences)}'
        for heading, sentences in explanation.sections
    )
    rows = f'<p class="ft-head">{text(_rows_title(explanation))}</p>{_rows_html(explanation)}'
    return (
        f'<div class="ft-card ft-line"><div>{markup.chip(found.status)}'
        f"{_what_if_chip(explanation)}</div>"
        f"<div><strong>{text(flag.title)}.</strong> {text(headline(found))}"
        f"{markup.folded('Show how this was worked out', _paragraph_html(found) + story + rows)}"
        "</div></div>"
    )


def _what_if_chip(explanation: Explanation) -> str:
    return f" {markup.chip('watch', 'What if')}" if explanation.overrides else ""


def _paragraph_html(found: Assessment) -> str:
    return f"<p>{text(told(found.sentence))}</p>"


def _sentences_html(sentences: Sequence[str]) -> str:
    return markup.bullets(sentences)


def _rows_title(explanation: Explanation) -> str:
    return f"The rows behind it ({figure(len(explanation.source_rows))})"


def _rows_html(explanation: Explanation) -> str:
    if not explanation.source_rows:
        return "<p>No row: it rests on what nobody reported, or on nothing at all.</p>"
    return markup.table_html(
        "By table and return; lines are numbered as in the file, the header is line 1",
        ("What it is to the answer", "Table", "Reported by", "Return", "Lines"),
        [
            (
                _capital(group.part),
                group.table,
                explanation.name(group.reporter_id),
                group.return_id,
                lines_of(group),
            )
            for group in explanation.row_groups
        ],
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _rate(value: float | None) -> str:
    return "not recorded" if value is None else share(value)


def _promised_and_happened(
    contract: dict[str, Any],
    subcontractor_id: str | None,
    found: Sequence[Assessment],
    registers: Registers,
) -> None:
    by_flag = {a.flag: a for a in found}
    volume = by_flag.get("zero_referrals") or by_flag.get("volume_divergence")
    evidence = volume.evidence if volume else {}
    first, second = st.columns(2, gap="large")
    with first:
        st.header("What the register holds")
        forecast = evidence.get("forecast")
        versions = [
            f"{figure(one['referrals'])} in {count(one['months'], 'month')}, issued "
            f"{day(dt.date.fromisoformat(one['issued_on']))} by {registers.name(one['issued_by'])}"
            for one in evidence.get("forecast_versions", ())
        ]
        pairs: list[tuple[str, str | Sequence[str]]] = [
            (
                "Forecast, for the months reported",
                "none"
                if forecast is None
                else count(forecast, "referral")
                if evidence["reported_months"]
                else "no month is reported yet",
            ),
        ]
        if versions:
            pairs.append(("Forecast versions used", versions))
        if subcontractor_id is not None:
            terms = registers.agreements.get((contract["contract_id"], subcontractor_id), {})
            days = terms.get("payment_terms_days")
            pairs += [
                ("Share of referrals", _rate(terms.get("promised_share"))),
                ("Management fee agreed", _rate(terms.get("agreed_management_fee_rate"))),
                ("Named in the bid", said(terms.get("named_in_bid"))),
                ("Consented to be named", day(terms.get("consented_on")) or "not recorded"),
                ("Role", said(terms.get("delivery_role"))),
                ("Live from", day(terms.get("live_on") or contract["starts_on"])),
                (
                    "At risk: subcontractor, prime",
                    ", ".join(
                        _rate(terms.get(name)) for name in ("at_risk_share", "prime_at_risk_share")
                    ),
                ),
                ("Payment within", "not recorded" if days is None else count(days, "day")),
            ]
        else:
            pairs += [
                ("Programme", contract["programme"]),
                ("Commissioner", registers.name(contract["commissioner_id"])),
                (
                    "Starts, ends",
                    f"{day(contract['starts_on'])}, "
                    f"{day(contract['ends_on']) or 'no end recorded'}",
                ),
            ]
        markup.facts(pairs)
    with second:
        st.header("What both sides report")
        markup.facts(_happened(evidence, by_flag.get("management_fee"), subcontractor_id is None))


def _happened(
    evidence: dict[str, Any], fee: Assessment | None, whole: bool
) -> list[tuple[str, str | Sequence[str]]]:
    if not evidence:
        return [("Referrals", "not assessed")]
    window, by = evidence["window"], evidence["observed_by"]
    sides = evidence["reported_by"]
    intake = evidence["intake"]
    pairs: list[tuple[str, str | Sequence[str]]] = [
        (
            "Referrals received",
            count(evidence["observed"], "referral")
            if evidence["reported_months"]
            else "not reported",
        ),
        (
            "Months reported",
            f"{evidence['reported_months']} of {window['months']}, "
            f"{_span(window['first_month'], window['last_month'])}"
            if window["months"]
            else "none is over yet",
        ),
    ]
    if not whole:
        pairs += [
            (
                "Both sides' counts",
                (
                    f"{count(by['subcontractor'], 'referral')} in the subcontractor's returns"
                    if sides["subcontractor"]
                    else "not reported by the subcontractor",
                    "not reported by the prime"
                    if intake is None
                    else f"{count(by['prime'], 'referral')} in the prime's returns",
                ),
            ),
            (
                "Whose count is used",
                [
                    f"the {side}'s in {count(number, 'month')}"
                    for side, number in sides.items()
                    if number
                ]
                or "neither",
            ),
        ]
    pairs.append(
        (
            "The prime's whole intake" if whole else "The prime's intake in the groups served",
            "not reported" if intake is None else count(intake, "referral"),
        )
    )
    if fee is not None:
        pairs.append(("Management fee", _fee(fee)))
    return pairs


def _span(first: str, last: str) -> str:
    return f"{month(dt.date.fromisoformat(f'{first}-01'))} to " + month(
        dt.date.fromisoformat(f"{last}-01")
    )


def _fee(fee: Assessment) -> str:
    if fee.low is None or fee.high is None:
        return STATUSES[fee.status][0].lower()
    low, high = share(fee.low, fee.threshold), share(fee.high, fee.threshold)
    return low if low == high else f"{low}, up to {high} if what is unpaid stays unpaid"


def _contract_evidence(question: Question, contract: dict[str, Any], registers: Registers) -> None:
    contract_id = contract["contract_id"]
    referrals, figures, subcontractors, returns = st.tabs(
        ["Referrals", "Figures", "Subcontractors", "Returns"]
    )
    with referrals:
        _referrals(question, contract_id, None)
    with figures:
        contract_figures.show(question, contract, registers)
    with subcontractors:
        st.subheader("Agreements in this contract")
        ids = sorted(
            (s for c, s in registers.agreements if c == contract_id),
            key=lambda s: registers.name(s).casefold(),
        )
        for one in ids:
            link_to_agreement(registers.name(one), contract_id, one)
        if not ids:
            markup.paragraph("No agreement is on record for this contract.")
    with returns:
        _returns(question, contract, None, registers)


def _agreement_evidence(
    question: Question,
    contract: dict[str, Any],
    subcontractor_id: str,
    found: Sequence[Assessment],
    registers: Registers,
) -> None:
    contract_id = contract["contract_id"]
    fee = next((a for a in found if a.flag == "management_fee"), None)
    volume = next((a for a in found if a.flag == "volume_divergence"), None)
    referrals, money, timing, returns, rows = st.tabs(
        ["Referrals", "Management fee", "Payment timing", "Returns", "Rows behind it"]
    )
    with referrals:
        _referrals(question, contract_id, subcontractor_id)
        _split(volume.evidence.get("split") if volume else None)
    with money:
        _money(question, contract_id, subcontractor_id, fee)
    with timing:
        _timing(question, contract_id, subcontractor_id)
    with returns:
        _returns(question, contract, subcontractor_id, registers)
    with rows:
        _rows(question, contract_id, subcontractor_id, registers)


def _referrals(question: Question, contract_id: str, subcontractor_id: str | None) -> None:
    months = session.referral_months(question, contract_id, subcontractor_id)
    known = months["reported"] | months["expected"].notna()
    if not known.any():
        markup.paragraph(
            "No month is reported or forecast, so there is nothing to draw. This is not zero."
        )
        return
    shown = months[: known[known].index[-1] + 1]
    later = months[len(shown) :]
    sides = ("prime",) if subcontractor_id is None else ("subcontractor", "prime")
    whose = "the prime's returns count" if subcontractor_id is None else "both sides' returns count"
    st.subheader("Referrals by month against the forecast")
    silent = shown[~shown["reported"]]
    markup.draw(
        referrals_by_month.chart(shown, sides),
        f"Referrals by month as {whose} them, beside the forecast, "
        f"{month(shown['month'].iloc[0])} to "
        f"{month(shown['month'].iloc[-1])}; {count(len(silent), 'month')} not reported.",
    )
    if len(later):
        markup.paragraph(
            f"{month(later['month'].iloc[0])} to {month(later['month'].iloc[-1])}: not reported.",
            quiet=True,
        )
    with st.expander("The months as a table"):
        markup.table(
            "Referrals by month; a blank means not reported or not forecast",
            ("Month", "Forecast", *(SIDES[side] for side in sides), "Count used"),
            [
                (
                    month(row["month"]),
                    _whole(row["expected"]),
                    *(
                        _whole(row["observed_sub" if side == "subcontractor" else "observed_prime"])
                        for side in sides
                    ),
                    _whole(row["observed"]) if row["reported"] else "not reported",
                )
                for row in shown.to_dict("records")
            ],
            numeric=range(1, 3 + len(sides)),
        )
    sums = session.cumulative_referrals(question, contract_id, subcontractor_id)
    if sums.empty or not sums["expected"].iloc[-1]:
        markup.paragraph(
            "There is no forecast for the months reported, so sums cannot be compared.", quiet=True
        )
        return
    st.subheader("Referrals so far against the forecast so far")
    last = sums.iloc[-1]
    markup.draw(
        cumulative_referrals.chart(sums),
        f"Sums by month. By {month(last['month'])} {figure(last['observed'])} referrals were "
        f"received (interval {figure(last['low'])} to {figure(last['high'])}) and "
        f"{figure(last['expected'])} forecast "
        f"(tolerance {figure(last['tolerance_low'])} to {figure(last['tolerance_high'])}).",
    )
    with st.expander("The sums as a table"):
        markup.table(
            "Sums over the reported months",
            ("Up to", "Received", "Interval", "Forecast", "Tolerance"),
            [
                (
                    month(row["month"]),
                    figure(row["observed"]),
                    f"{figure(row['low'])} to {figure(row['high'])}",
                    figure(row["expected"]),
                    f"{figure(row['tolerance_low'])} to {figure(row['tolerance_high'])}",
                )
                for row in sums.to_dict("records")
            ],
            numeric=range(1, 5),
        )


def _split(split: dict[str, Any] | None) -> None:
    """Whose doing the difference from the forecast is; nothing where it cannot be split."""
    if split is None:
        return
    st.subheader("What the commissioner's volume did, and what the prime's allocation")
    markup.draw(
        volume_split.chart(
            split["forecast"], split["volume_effect"], split["allocation_effect"], split["observed"]
        ),
        f"Four bars from the forecast to what was received. {split['sentence']}",
    )
    markup.paragraph(
        f"{split['sentence']} The first factor is the commissioner's, the second the prime's; "
        "neither blames by itself.",
        quiet=True,
    )
    with st.expander("The split as a table"):
        parts = [("All client groups", split)] if len(split["by_client_group"]) != 1 else []
        parts += [
            (one["client_group"] or "All client groups", one) for one in split["by_client_group"]
        ]
        markup.table(
            f"Over the {count(split['months'], 'month')} for which the prime has reported and "
            "both forecasts exist; referrals more or fewer than forecast",
            (
                "Client group",
                "Forecast",
                "Commissioner's volume",
                "Prime's allocation",
                "Received",
                "Prime's intake",
                "Intake forecast",
            ),
            [
                (
                    name,
                    figure(one["forecast"]),
                    more_or_fewer(one["volume_effect"]),
                    more_or_fewer(one["allocation_effect"]),
                    figure(one["observed"]),
                    figure(one["intake"]),
                    figure(one["forecast_intake"]),
                )
                for name, one in parts
            ],
            numeric=range(1, 7),
        )


def _whole(value: Any) -> str:
    return "" if pd.isna(value) else figure(value)


def _in_pounds(pence: int) -> float:
    return pence / 100


def _money(
    question: Question, contract_id: str, subcontractor_id: str, fee: Assessment | None
) -> None:
    if fee is None or fee.low is None or fee.evidence.get("rounded"):
        markup.paragraph(fee.sentence if fee else "No payments are assessed.")
        return
    evidence = fee.evidence
    st.subheader("What became of the commissioner's money")
    names = ("Commissioner paid the prime", "Payable to the subcontractor", "Paid so far")
    pence = [evidence[name] for name in ("received_pence", "payable_pence", "paid_pence")]
    spoken = "; ".join(
        f"{name.lower()} {pounds(amount)}" for name, amount in zip(names, pence, strict=True)
    )
    markup.draw(
        management_fee.parts([(n, _in_pounds(p)) for n, p in zip(names, pence, strict=True)]),
        f"Bars in pounds: {spoken}.",
    )
    _compared(question, contract_id, subcontractor_id, fee)
    st.subheader("The fee against the rule, by client group")
    groups = [("All client groups", evidence)] + [
        (one["client_group"] or "No group given", one) for one in evidence["by_client_group"]
    ]
    known = [(name, part) for name, part in groups if part["low"] is not None]
    fees = pd.DataFrame(
        [(name, part["low"], part["high"]) for name, part in known] if groups else [],
        columns=["group", "low", "high"],
    )
    markup.draw(
        management_fee.interval(fees, fee.threshold),
        f"The fee from low (everything payable gets paid) to high (what is unpaid stays unpaid), "
        f"for all client groups {share(evidence['low'])} to {share(evidence['high'])}; the rule is "
        f"{share(fee.threshold)}.",
    )
    markup.paragraph(
        "The dot is the fee if everything payable gets paid; the bar ends where it would be if "
        "what is unpaid stayed unpaid. Only a dot beyond the rule raises the flag.",
        quiet=True,
    )
    with st.expander("The fee as a table"):
        markup.table(
            "Payments matched event by event",
            (
                "Client group",
                "Events",
                "Commissioner paid",
                "Payable",
                "Paid so far",
                "Fee",
                "Fee at most",
            ),
            [
                (
                    name,
                    figure(part["events"]),
                    *(pounds(part[n]) for n in ("received_pence", "payable_pence", "paid_pence")),
                    "" if part["low"] is None else share(part["low"]),
                    "" if part["high"] is None else share(part["high"]),
                )
                for name, part in groups
            ],
            numeric=range(1, 7),
        )
    with st.expander("Payments by month"):
        markup.table(
            "Matched payments by month",
            ("Month", "Commissioner paid", "Payable", "Paid so far", "Paid according to"),
            [
                (
                    month(row["month"]),
                    *(
                        pounds(int(row[n])) if row["reported"] else "not reported"
                        for n in ("received_pence", "payable_pence", "paid_pence")
                    ),
                    SIDES[row["side"]] if row["reported"] else "",
                )
                for row in _until_last_report(
                    session.paid_months(question, contract_id, subcontractor_id)
                ).to_dict("records")
            ],
            numeric=(1, 2, 3),
        )


def _compared(question: Question, contract_id: str, subcontractor_id: str, fee: Assessment) -> None:
    """The fee as agreed, as the events show it and as cash alone would have it."""
    evidence = fee.evidence
    over_clients = session.fee_over_clients(question, contract_id, subcontractor_id)
    rows = [
        ("Written into the agreement", evidence["agreed_management_fee_rate"], None, None),
        ("By matched events", fee.value, over_clients.low, over_clients.high),
        ("By cash totals alone", evidence["cash"]["fee"], None, None),
    ]
    known = [row for row in rows if row[1] is not None]
    st.subheader("The fee agreed, by events and by cash")
    spoken = "; ".join(f"{name.lower()} {share(rate, fee.threshold)}" for name, rate, *_ in known)
    markup.draw(
        management_fee.compared(
            pd.DataFrame(known, columns=["name", "fee", "low", "high"]).astype(
                {"fee": "float64", "low": "float64", "high": "float64"}
            ),
            fee.threshold,
        ),
        f"Dots beside the rule of {share(fee.threshold)}: {spoken}.",
    )
    markup.paragraph(
        "Only matched events decide. Cash totals look higher while payments are under way. "
        f"{over_clients.sentence}",
        quiet=True,
    )


def _until_last_report(months: pd.DataFrame) -> pd.DataFrame:
    reported = months.index[months["reported"]]
    return months[: reported[-1] + 1] if len(reported) else months[:0]


def _timing(question: Question, contract_id: str, subcontractor_id: str) -> None:
    timing = session.timing(question, contract_id, subcontractor_id)
    first, second = st.columns(2, gap="large")
    with first:
        _wait("From the invoice to the payment", timing.from_invoice, "an invoice day")
    with second:
        _wait("From the prime's receipt to the payment", timing.from_receipt, "a receipt day")


def _wait(heading: str, wait: Wait, needs: str) -> None:
    st.subheader(heading)
    if not wait.payment_count and not wait.unpaid_count:
        markup.paragraph(f"No reported payment has {needs}, so this cannot be said.")
        return
    rows = [*wait.bands, (payment_timing.UNPAID, wait.unpaid_count)]
    mean = (
        "" if wait.mean_days is None else f"{count(round(wait.mean_days, 1), 'day')} on average. "
    )
    markup.paragraph(
        f"{mean}{count(wait.payment_count, 'payment')} made, "
        f"{figure(wait.unpaid_count)} not paid yet."
    )
    markup.draw(
        payment_timing.chart(pd.DataFrame(rows, columns=["band", "payments"])),
        f"{heading}: " + "; ".join(f"{name.lower()}, {number}" for name, number in rows) + ".",
    )
    with st.expander(f"{heading}, as a table"):
        markup.table(
            heading, ("Days waited", "Payments"), [(n, figure(c)) for n, c in rows], numeric=(1,)
        )


def _returns(
    question: Question, contract: dict[str, Any], subcontractor_id: str | None, registers: Registers
) -> None:
    st.subheader("Returns that cover it")
    reporters = {contract["prime_id"], subcontractor_id}
    if subcontractor_id is None:
        reporters.add(contract["commissioner_id"])
    entries = [
        entry
        for entry in session.history(question)
        if entry.reporter_id in reporters and entry.months and entry.received_on <= question.as_of
    ]
    if not any(entry.table in ("referrals", "payments") for entry in entries):
        markup.paragraph(
            "Neither side has sent a return of referrals or payments. This is not zero: it is not "
            "known."
        )
    if not entries:
        return
    markup.table(
        "Returns of both sides, latest first",
        ("Received", "From", "Table", "Months", "Rows", "Return"),
        [
            (
                day(entry.received_on),
                registers.name(entry.reporter_id),
                entry.table,
                months_covered(entry.months),
                "nil return" if entry.nil else figure(entry.row_count),
                entry.return_id,
            )
            for entry in reversed(entries)
        ],
    )


def _rows(
    question: Question, contract_id: str, subcontractor_id: str, registers: Registers
) -> None:
    for table_id, heading in (("referrals", "Referrals"), ("payments", "Payments")):
        st.subheader(heading)
        rows = session.evidence_rows(question, table_id, contract_id, subcontractor_id)
        if rows.empty:
            markup.paragraph(f"No {heading.lower()} are reported for this agreement.")
            continue
        shown = rows.assign(reporter_id=rows["reporter_id"].map(registers.name))
        for name in map(str, rows.columns):
            if name.endswith("_pence"):
                shown[name] = rows[name].map(lambda p: None if pd.isna(p) else _in_pounds(int(p)))
        st.dataframe(
            shown,
            hide_index=True,
            lazy=True,
            height=320,
            placeholder="",
            column_config=_columns(shown),
            alt=f"{count(len(rows), 'row')} of {heading.lower()} with the return and row number "
            "each stands in.",
        )
        markup.download(
            f"Download these {heading.lower()} as CSV",
            "rows.csv",
            [
                ("table", table_id),
                *_about(contract_id, subcontractor_id),
                *[one for one in question.parameters() if one[0] == "as_of"],
            ],
        )


_HEADINGS = {
    "side": "Side",
    "reporter_id": "Reported by",
    "return_id": "Return",
    "row_number": "Row",
    "referral_id": "Referral",
    "payment_id": "Payment",
    "client_group": "Client group",
    "referral_count": "Referrals",
    "payment_type": "Type",
    "commissioner_amount_pence": "Commissioner paid",
    "subcontractor_amount_pence": "Subcontractor's",
}


def _columns(rows: pd.DataFrame) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for name in rows:
        label = _HEADINGS.get(str(name), _capital(str(name).removesuffix("_on").replace("_", " ")))
        if str(name).endswith("_pence"):
            config[str(name)] = st.column_config.NumberColumn(label, format="£%.2f")
        elif str(name).endswith("_on"):
            config[str(name)] = st.column_config.DateColumn(label, format="DD/MM/YYYY")
        else:
            config[str(name)] = label
    return config
