"""Weigh offers: enter or upload them, and see what each brings, risks and leaves open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from dashboard import session
from dashboard.charts import offer_cash
from dashboard.offers import COMPARED, XLSX, compared, held_in, results_workbook
from dashboard.views import markup
from dashboard.words import literal
from data.errors import UnusableFile, UnusableOffer
from data.offer_form import (
    EVENT_NAMES,
    EVENTS,
    GROUP_QUESTIONS,
    MOST_GROUPS,
    MOST_LETTERS,
    QUESTIONS,
    OfferForm,
    blank_form,
    example_form,
    offer_workbook,
    question_named,
    read_offer_form,
)
from data.scope import NOT_SHOWN
from metrics.forecasts_held import ASSUMED
from metrics.offer import offer_of
from metrics.offer_expectation import pounds_of
from metrics.offer_negotiation import ORDER
from metrics.offer_outlook import ASSUMPTIONS, chance_told, whole_pounds
from metrics.offer_promises import FIRMNESS_TOLD, POINT_TITLES, POINTS
from metrics.offer_weighing import weigh
from metrics.wording import count, figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.offer_form import Answer, Firmness, Question
    from metrics.forecasts_held import Held
    from metrics.offer import Offer
    from metrics.offer_weighing import Weighing

_MOST_OFFERS = 6
_STARTS = {"months": 36}
_COUNTED_IN = {"money": " (pounds)", "rate": " (per cent)"}


@dataclass
class _Desk:
    """What somebody has entered in this session, and the last answer to it."""

    forms: dict[int, OfferForm] = field(default_factory=dict)
    begun_with: dict[int, OfferForm] = field(default_factory=dict)
    last_number: int = 0
    upload_turn: int = 0
    refused: tuple[str, ...] = ()
    weighed: tuple[Weighing, ...] = ()

    def add(self, form: OfferForm) -> None:
        """Lay an offer on the desk."""
        self.last_number += 1
        self.forms[self.last_number] = self.begun_with[self.last_number] = form

    def remove(self, number: int) -> None:
        """Take an offer away, with what was found about it."""
        del self.forms[number]


def show() -> None:
    """The page."""
    st.title("Weigh offers")
    markup.lead(
        "Enter what a prime offers and what the work would cost you. You see what each client "
        "brings, how many must come, how much money is tied up, and what to negotiate first.",
        "What you enter stays yours: it is kept in the memory of this session only, is never "
        "written to the server, and is gone when you close the page or sign out. Download the "
        "offer to keep it.",
    )
    if session.person().scope.role == "public":
        markup.notice("plain", NOT_SHOWN)
        return
    desk: _Desk = st.session_state.setdefault("offers", _Desk())
    if not desk.forms:
        desk.add(OfferForm(_STARTS, ({},)))
    _take_in(desk)
    numbers = list(desk.forms)
    st.header("1. The offers")
    held = _held()
    for place, tab in enumerate(st.tabs([f"Offer {place + 1}" for place in range(len(numbers))])):
        with tab:
            _enter(desk, numbers[place], held)
    offers = _offers(desk, held)
    st.header("2. The answer")
    if st.button("Weigh the offers" if len(numbers) > 1 else "Weigh the offer", type="primary"):
        if offers is not None:
            with st.spinner("Trying many turns of luck"):
                desk.weighed = tuple(weigh(one) for one in offers)
    elif offers is None and not desk.weighed:
        offers = []
    if offers is None:
        _mistakes(desk, held)
    elif not desk.weighed:
        markup.paragraph("Fill in the offer and press the button.", quiet=True)
    elif [one.offer for one in desk.weighed] != offers:
        markup.notice("plain", "Something has changed since the last answer. Weigh again.")
    else:
        _answer(desk.weighed)


def _held() -> Held:
    """How forecasts have held in the agreements that whoever asks may see."""
    question = session.question()
    if not question.version:
        return ASSUMED
    return held_in(session.report(question).assessments, question.confidential)


# Entering


def _take_in(desk: _Desk) -> None:
    """Uploads, the empty form, the example, one more offer."""
    with st.expander("Fill in the form in Excel instead, or try an example"):
        markup.paragraph(
            "Download the form, fill it in, and upload it. You can change it here afterwards.",
            quiet=True,
        )
        files = st.file_uploader(
            "Filled-in forms (XLSX, XLS or ODS)",
            type=["xlsx", "xls", "ods"],
            accept_multiple_files=True,
            key=f"offer-files-{desk.upload_turn}",
        )
        form, example, _ = st.columns([1, 1, 2])
        form.download_button(
            "The empty form",
            offer_workbook(blank_form(), POINTS),
            file_name="offer.xlsx",
            mime=XLSX,
            on_click="ignore",
            width="stretch",
        )
        if example.button("Fill in the example", width="stretch"):
            _lay(desk, [example_form()])
    if files:
        taken: list[OfferForm] = []
        refused: list[str] = []
        for file in files:
            try:
                taken.append(read_offer_form(file.getvalue(), file.name, POINT_TITLES))
            except UnusableOffer as error:
                refused += error.mistakes
            except UnusableFile as error:
                refused.append(str(error))
        desk.upload_turn += 1
        desk.refused = tuple(refused)
        _lay(desk, taken)
    if desk.refused:
        markup.notice("bad", *desk.refused)


def _lay(desk: _Desk, forms: Sequence[OfferForm]) -> None:
    """Lay offers on the desk, in place of one that nobody has filled in."""
    untouched = [one for one, form in desk.forms.items() if _untouched(form)]
    for number in untouched[: len(forms)]:
        desk.remove(number)
    for form in forms[: _MOST_OFFERS - len(desk.forms)]:
        desk.add(form)
    st.rerun()


def _untouched(form: OfferForm) -> bool:
    return not (form.answers.get("name") or form.groups[0].get("client_group"))


def _enter(desk: _Desk, number: int, held: Held) -> None:
    """The fields of one offer, few first."""
    if f"offer-{number}-name" not in st.session_state:
        # The fields are drawn anew, as after a visit to another page: with what was last entered.
        desk.begun_with[number] = desk.forms[number]
    begun = desk.begun_with[number]
    leads = [one for one in QUESTIONS if one.leads]
    answers = _row(leads, 3, begun.answers, f"offer-{number}")
    st.subheader("Clients and what they bring")
    group_count = int(
        st.columns(3)[0].number_input(
            "How many client groups",
            min_value=1,
            max_value=MOST_GROUPS,
            value=max(1, len(begun.groups)),
            key=f"offer-{number}-groups",
        )
    )
    groups = []
    for place in range(group_count):
        known = begun.groups[place] if place < len(begun.groups) else {}
        with st.container(border=True):
            groups.append(_group(known, f"offer-{number}-group-{place}"))
    with st.expander("More about the money"):
        more = [one for one in QUESTIONS if not one.leads]
        markup.paragraph(f"Where you leave the forecast empty: {held.sentence}", quiet=True)
        answers |= _row(more, 3, begun.answers, f"offer-{number}")
    with st.expander("What is firmly promised"):
        promises = _promises(begun.promises, f"offer-{number}")
    desk.forms[number] = OfferForm(answers, tuple(groups), promises)
    keep, another, remove, _ = st.columns([1, 1, 1, 1])
    keep.download_button(
        "Download this offer",
        offer_workbook(desk.forms[number], POINTS),
        file_name=f"offer-{list(desk.forms).index(number) + 1}.xlsx",
        mime=XLSX,
        on_click="ignore",
        width="stretch",
        key=f"offer-{number}-keep",
    )
    if len(desk.forms) < _MOST_OFFERS and another.button(
        "Add another offer", width="stretch", key=f"offer-{number}-another"
    ):
        desk.add(OfferForm(_STARTS, ({},)))
        st.rerun()
    if len(desk.forms) > 1 and remove.button(
        "Remove this offer", width="stretch", key=f"offer-{number}-remove"
    ):
        desk.remove(number)
        st.rerun()


def _group(known: Mapping[str, Answer], key: str) -> dict[str, Answer]:
    answers = _row([one for one in GROUP_QUESTIONS if one.leads], 2, known, key)
    for column, event in zip(st.columns(3), EVENTS, strict=True):
        asked = [question_named(f"{event}_{of}") for of in ("price", "chance", "after_months")]
        if event == "sustainment":
            asked.append(question_named("sustainment_payments"))
        with column:
            st.html(f'<p class="ft-head">{EVENT_NAMES[event]}</p>')
            answers |= {one.id: _ask(one, known.get(one.id), key) for one in asked}
    with st.expander("If you know what the commissioner pays"):
        known_prices = [question_named(f"{event}_commissioner_price") for event in EVENTS]
        answers |= _row(known_prices, 3, known, key)
    return answers


def _promises(known: Mapping[str, Firmness], key: str) -> dict[str, Firmness]:
    markup.paragraph(
        "A letter of intent binds to little. Say for each point how firm it is; the answer lists "
        "what to ask for.",
        quiet=True,
    )
    found: dict[str, Firmness] = {}
    options = list(FIRMNESS_TOLD)
    columns = st.columns(3)
    for place, point in enumerate(POINTS):
        with columns[place % 3]:
            found[point.id] = st.selectbox(
                literal(point.title),
                options,
                index=options.index(known.get(point.id, "not_stated")),
                format_func=lambda one: FIRMNESS_TOLD[one],
                help=literal(point.why_it_matters),
                key=f"{key}-promise-{point.id}",
            )
    return found


def _row(
    questions: Sequence[Question], width: int, known: Mapping[str, Answer], key: str
) -> dict[str, Answer]:
    """Fields side by side; their answers by id."""
    answers: dict[str, Answer] = {}
    for begun in range(0, len(questions), width):
        for column, one in zip(st.columns(width), questions[begun : begun + width], strict=False):
            with column:
                answers[one.id] = _ask(one, known.get(one.id), key)
    return answers


def _ask(question: Question, known: Answer, key: str) -> Answer:
    """One field; None where it is left empty."""
    label = question.label + _COUNTED_IN.get(question.kind, "")
    told = question.told + (
        f" Empty means: {question.empty_means}." if question.empty_means else ""
    )
    about: dict[str, Any] = {"help": literal(told), "key": f"{key}-{question.id}"}
    if question.kind == "text":
        written = st.text_input(
            label,
            value=str(known or ""),
            max_chars=MOST_LETTERS,
            placeholder=question.example,
            **about,
        )
        return " ".join(written.split()) or None
    if question.kind == "yes_no":
        return st.checkbox(label, value=known is not False, **about)
    unit = {"money": 100.0, "rate": 0.01}.get(question.kind, 1.0)
    whole = question.kind == "count"
    step: float = 1 if whole else 1.0
    number = st.number_input(
        label,
        min_value=type(step)(question.lowest / unit),
        max_value=type(step)(question.highest / unit),
        value=None if known is None else type(step)(round(cast("float", known) / unit, 6)),
        step=step,
        format="%d" if whole else "%.10g",
        placeholder=question.empty_means or None,
        **about,
    )
    if number is None:
        return None
    if question.kind == "money":
        return round(number * 100)
    return round(number * unit, 8) if question.kind == "rate" else number


def _offers(desk: _Desk, held: Held) -> list[Offer] | None:
    """The offers on the desk; None if one of them cannot be reckoned with yet."""
    if any(_missing(form) for form in desk.forms.values()):
        return None
    try:
        return [offer_of(form, held) for form in desk.forms.values()]
    except UnusableOffer:
        return None


def _missing(form: OfferForm) -> list[str]:
    """What must be filled in and is not, as sentences."""
    asked: list[tuple[int | None, Question, Mapping[str, Answer]]] = [
        (None, one, form.answers) for one in QUESTIONS if one.required
    ]
    asked += [
        (place, one, group)
        for place, group in enumerate(form.groups)
        for one in GROUP_QUESTIONS
        if one.required
    ]
    return [
        f"{form.place(place, one.id)}: it is empty. {one.how_to_write}"
        for place, one, answers in asked
        if answers.get(one.id) is None
    ]


def _mistakes(desk: _Desk, held: Held) -> None:
    told: list[str] = []
    for place, form in enumerate(desk.forms.values(), start=1):
        found = _missing(form)
        if not found:
            try:
                offer_of(form, held)
            except UnusableOffer as error:
                found = list(error.mistakes)
        told += [f"Offer {place}: {one}" for one in found]
    markup.notice("bad", *told)


# The answer


def _answer(found: Sequence[Weighing]) -> None:
    chosen = found[0]
    if len(found) > 1:
        markup.table(
            "The offers side by side",
            COMPARED,
            [compared(one) for one in found],
            numeric=range(1, len(COMPARED)),
        )
        place = st.selectbox(
            "Which offer to show in full",
            range(len(found)),
            format_func=lambda one: literal(f"Offer {one + 1}: {found[one].offer.name}"),
        )
        chosen = found[place]
    st.subheader(literal(chosen.offer.name))
    for place, sentence in enumerate(chosen.sentences):
        if place < 2:
            markup.lead(sentence)
        else:
            markup.paragraph(sentence, quiet=place > 4)
    _cash(chosen)
    _steps(chosen)
    _groups(chosen)
    _promised(chosen)
    with st.expander("What is assumed"):
        st.html(f'<div class="ft-text">{markup.bullets(ASSUMPTIONS)}</div>')
    st.download_button(
        "Download all results",
        results_workbook(found),
        file_name="offers-weighed.xlsx",
        mime=XLSX,
        on_click="ignore",
    )


def _cash(found: Weighing) -> None:
    st.subheader("Money tied up, month by month")
    outlook, reserve = found.outlook, found.offer.reserve_pence
    last = outlook.balances[-1]
    lowest = outlook.lowest
    markup.draw(
        offer_cash.chart(outlook.balances, reserve),
        f"All money of the offer so far, over {count(len(outlook.balances), 'month')}: at the end "
        f"{whole_pounds(last.mean_pence)} on average, in 8 runs of 10 between "
        f"{whole_pounds(last.low_pence)} and {whole_pounds(last.high_pence)}; the lowest balance "
        f"of a run is {whole_pounds(lowest.mean_pence)} on average; the reserve is "
        f"{whole_pounds(reserve)}.",
    )
    markup.paragraph(
        "The line is the mean of all runs; 8 runs of 10 lie in the band at the end of each month.",
        quiet=True,
    )
    with st.expander("Money month by month, as a table"):
        markup.table(
            "All money of the offer so far, at the end of each month",
            ("Month", "Mean", "1 run in 10 below", "1 run in 10 above"),
            [
                (
                    str(month),
                    whole_pounds(one.mean_pence),
                    whole_pounds(one.low_pence),
                    whole_pounds(one.high_pence),
                )
                for month, one in enumerate(outlook.balances, start=1)
            ],
            numeric=(1, 2, 3),
        )


def _steps(found: Weighing) -> None:
    for whose, heading, caption in (
        ("to negotiate", "What to negotiate first", "What the prime could give"),
        ("your own", "What you could do yourself", "What is in your own hands"),
    ):
        st.subheader(heading)
        markup.table(
            caption,
            ("Term", "Step", "Adds to the result", "Chance of a loss", "Chance of running out"),
            [
                (
                    one.lever.title,
                    one.lever.step,
                    whole_pounds(one.result_change_pence),
                    chance_told(one.loss_rate),
                    chance_told(one.out_of_money_rate),
                )
                for one in found.effects
                if one.lever.whose == whose
            ],
            numeric=(2, 3, 4),
        )
    markup.paragraph(
        f"{ORDER} As the offer stands, the chance of a loss is "
        f"{chance_told(found.outlook.loss_rate)} and that of running out "
        f"{chance_told(found.outlook.out_of_money_rate)}.",
        quiet=True,
    )


def _groups(found: Weighing) -> None:
    with st.expander("What each client group brings"):
        markup.table(
            "Expected over the whole offer",
            (
                "Client group",
                "Clients",
                "Attachment fees",
                "Job outcomes",
                "Sustainments",
                "All",
                "For each client",
            ),
            [
                (
                    one.client_group,
                    figure(round(float(one.referrals), 1)),
                    *(
                        whole_pounds(round(pence))
                        for pence in (
                            one.attachment_fee_pence,
                            one.job_outcome_pence,
                            one.sustainment_pence,
                            one.income_pence,
                        )
                    ),
                    pounds_of(one.income_per_client_pence),
                )
                for one in found.expected.groups
            ],
            numeric=range(1, 7),
        )


def _promised(found: Weighing) -> None:
    st.subheader("What is not firmly promised")
    if not found.not_firm:
        markup.paragraph("Every point is firm.")
        return
    markup.table(
        f"{count(len(found.not_firm), 'point')} to settle before you sign",
        ("Point", "How firm", "Why it matters", "What to ask for"),
        [
            (
                gap.point.title,
                FIRMNESS_TOLD[gap.firmness],
                gap.point.why_it_matters,
                gap.point.ask_for,
            )
            for gap in found.not_firm
        ],
    )
