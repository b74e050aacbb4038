"""The form of an offer: what is asked of whoever weighs one, as a workbook to fill in and read.

The workbook has three sheets: Offer (one question a row), Client groups (one group a row) and
Promises (how firmly each point is promised). The page asks the same questions.
"""

from __future__ import annotations

import difflib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import xlsxwriter

from data.engine import cursor
from data.errors import UnusableOffer
from data.header import folded
from data.parse import cell_sql, typed_sql
from data.read import read_content
from data.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.read import Sheet
    from data.table import Kind

Answer = str | int | float | bool | None
Firmness = Literal["firm", "stated", "not_stated"]
FIRMNESS: tuple[Firmness, ...] = get_args(Firmness)
# The payable events of an offer, in the order in which a client reaches them.
EVENTS = ("attachment_fee", "job_outcome", "sustainment")
EVENT_NAMES = {
    "attachment_fee": "Attachment fee",
    "job_outcome": "Job outcome",
    "sustainment": "Sustainment",
}
MOST_GROUPS = 12
EXAMPLE_GROUP = "Example: write over this row"
MOST_LETTERS = 100

AnswerKind = Literal["text", "money", "rate", "count", "number", "yes_no"]
_WRITTEN: dict[AnswerKind, str] = {
    "text": "Write words",
    "money": "Write pounds, such as 1200 or 1200.50",
    "rate": "Write a percentage, such as 35%",
    "count": "Write a whole number",
    "number": "Write a number, such as 4 or 4.5",
    "yes_no": "Write yes or no",
}


@dataclass(frozen=True)
class Question:
    """One thing asked; `id` is its name in an answer, `label` the words on the form.

    `lowest` and `highest` bound the answer in its own unit (pence, share, number). `default` is
    what an empty answer means, in words in `empty_means`. `leads` puts it among the few that
    the page asks before it is told more.
    """

    id: str
    label: str
    kind: AnswerKind
    told: str
    example: str
    lowest: float = 0
    highest: float = 0
    default: Answer = None
    empty_means: str = ""
    required: bool = False
    leads: bool = False

    @property
    def how_to_write(self) -> str:
        """What may stand in the cell, with its bounds."""
        if self.kind in ("text", "yes_no"):
            return f"{_WRITTEN[self.kind]}."
        return f"{_WRITTEN[self.kind]}: {self.shown(self.lowest)} to {self.shown(self.highest)}."

    def shown(self, answer: Answer) -> str:
        """An answer as it would be written in the cell."""
        if answer is None:
            return ""
        if isinstance(answer, bool):
            return "yes" if answer else "no"
        if isinstance(answer, str):
            return answer
        if self.kind == "money":
            return f"{answer / 100:.2f}".removesuffix(".00")
        if self.kind == "rate":
            return f"{round(100 * answer, 8):.10g}%"
        return f"{answer:.10g}"


MOST_MONEY = 100_000_000_00  # pence

QUESTIONS: tuple[Question, ...] = (
    Question(
        "name",
        "Name of the offer",
        "text",
        "Who offers what, in your words.",
        "Example Pathfinder, South",
        required=True,
        leads=True,
    ),
    Question(
        "months",
        "Months with referrals",
        "count",
        "How many months clients are sent to you.",
        "60",
        lowest=1,
        highest=120,
        required=True,
        leads=True,
    ),
    Question(
        "monthly_cost",
        "Cost a month",
        "money",
        "Staff, premises and all else that must be paid each month, however many clients come.",
        "9000",
        highest=MOST_MONEY,
        default=0,
        empty_means="none",
        leads=True,
    ),
    Question(
        "start_up_cost",
        "Start-up cost",
        "money",
        "Paid once, before the first client comes.",
        "20000",
        highest=MOST_MONEY,
        default=0,
        empty_means="none",
        leads=True,
    ),
    Question(
        "reserve",
        "Reserve you can use",
        "money",
        "How much of your own money may be tied up in this offer at the same time.",
        "150000",
        highest=MOST_MONEY,
        default=0,
        empty_means="none",
        leads=True,
    ),
    Question(
        "payment_days",
        "Payment days",
        "count",
        "Days from your invoice, sent at the end of the month, until the money arrives.",
        "30",
        highest=365,
        default=30,
        empty_means="30 days",
        leads=True,
    ),
    Question(
        "service_fee",
        "Service fee a month",
        "money",
        "What the prime pays you each month whatever the results.",
        "3000",
        highest=MOST_MONEY,
        default=0,
        empty_means="none",
    ),
    Question(
        "management_fee",
        "Management fee",
        "rate",
        "Share of the commissioner's price that the prime keeps.",
        "15%",
        lowest=-1,
        highest=1,
        empty_means="the prices below are those that reach you",
    ),
    Question(
        "share_at_risk",
        "Share at risk",
        "rate",
        "Share of your income that depends on results, as the offer states it. It is compared "
        "with what the prices imply and changes no figure.",
        "55%",
        highest=1,
        empty_means="the offer does not say",
    ),
    Question(
        "cost_per_client",
        "Cost for each client",
        "money",
        "What each client sent to you costs on top of the cost a month, on average.",
        "150",
        highest=MOST_MONEY,
        default=0,
        empty_means="none",
    ),
    Question(
        "tupe_liability",
        "TUPE liability",
        "money",
        "What staff who transfer to you could cost: redundancy, pensions, back pay.",
        "15000",
        highest=MOST_MONEY,
        default=0,
        empty_means="none",
    ),
    Question(
        "tupe_month",
        "TUPE month",
        "count",
        "The month of the offer in which it would fall due.",
        "6",
        lowest=1,
        highest=240,
        default=1,
        empty_means="the first month",
    ),
    Question(
        "tupe_chance",
        "TUPE chance",
        "rate",
        "How likely it is to fall due.",
        "50%",
        highest=1,
        default=1.0,
        empty_means="certain",
    ),
    Question(
        "kept_mean",
        "Forecast kept, on average",
        "rate",
        "How many of the clients forecast you think will come, on average over such offers.",
        "80%",
        highest=3,
        empty_means="as forecasts have held in the records you see, else a cautious guess",
    ),
    Question(
        "kept_spread",
        "Forecast kept, give or take",
        "rate",
        "How far offers differ in that: about two in three lie within so many points of the "
        "average.",
        "40%",
        highest=3,
        empty_means="as forecasts have held in the records you see, else a cautious guess",
    ),
    Question(
        "clumping",
        "Clumping of referrals",
        "number",
        "1: clients come one by one; 2: in clumps, so that months differ more; 0: each month "
        "exactly as forecast.",
        "2",
        highest=50,
        default=2.0,
        empty_means="2",
    ),
    Question(
        "paid_after_end",
        "Results paid after the end",
        "yes_no",
        "Whether results that come after the last month are still paid.",
        "yes",
        default=True,
        empty_means="yes",
    ),
)


def _event_questions(event: str, chance: str, wait: str) -> tuple[Question, ...]:
    name = EVENT_NAMES[event]
    of_one = " for each monthly payment" if event == "sustainment" else ""
    return (
        Question(
            f"{event}_price",
            f"{name} price",
            "money",
            f"What reaches you{of_one}. Leave it empty if nothing is paid, or if it follows from "
            "the commissioner's price and the management fee.",
            {"attachment_fee": "340", "job_outcome": "1020", "sustainment": "170"}[event],
            highest=MOST_MONEY,
            empty_means="nothing, or the commissioner's price less the management fee",
        ),
        Question(
            f"{event}_commissioner_price",
            f"{name} commissioner price",
            "money",
            f"What the commissioner pays the prime{of_one}, if you know it.",
            {"attachment_fee": "400", "job_outcome": "1200", "sustainment": "200"}[event],
            highest=MOST_MONEY,
            empty_means="not known",
        ),
        Question(
            f"{event}_chance",
            f"{name} chance",
            "rate",
            f"Of 100 clients referred, how many {chance}.",
            {"attachment_fee": "90%", "job_outcome": "27%", "sustainment": "20%"}[event],
            highest=1,
            default=0.0,
            empty_means="none",
        ),
        Question(
            f"{event}_after_months",
            f"{name} after months",
            "count",
            f"Months from the referral until {wait}.",
            {"attachment_fee": "0", "job_outcome": "9", "sustainment": "10"}[event],
            highest=60,
            default=0,
            empty_means="in the month of the referral",
        ),
    )


GROUP_QUESTIONS: tuple[Question, ...] = (
    Question(
        "client_group",
        "Client group",
        "text",
        "The payment group, as the offer calls it.",
        "JSA 25+",
        required=True,
        leads=True,
    ),
    Question(
        "referrals_a_month",
        "Referrals a month",
        "number",
        "How many clients of this group the offer forecasts for each month.",
        "12",
        highest=10_000,
        required=True,
        leads=True,
    ),
    *_event_questions("attachment_fee", "start, so that an attachment fee falls due", "the start"),
    *_event_questions("job_outcome", "reach a job outcome", "the job outcome falls due"),
    *_event_questions(
        "sustainment", "reach the first sustainment payment", "the first of these payments"
    ),
    Question(
        "sustainment_payments",
        "Sustainment payments",
        "count",
        "How many monthly payments a client brings who gets that far, on average.",
        "12",
        lowest=1,
        highest=60,
        default=1,
        empty_means="1",
    ),
)

_KINDS: dict[AnswerKind, Kind] = {
    "text": "text",
    "money": "money",
    "rate": "rate",
    "count": "count",
    "number": "rate",
    "yes_no": "yes_no",
}


def _in_template(one: Question) -> str:
    """The text of the template's example cell, as it is read back."""
    if one.id == "client_group":
        return EXAMPLE_GROUP
    return str(int(one.example[:-1]) / 100) if one.kind == "rate" else one.example


def _table(table_id: str, title: str, grain: str, columns: tuple[Column, ...]) -> Table:
    return Table(table_id, title, title, grain, columns, (columns[0].id,))


OFFER_SHEET = _table(
    "offer",
    "Offer",
    "one row per question",
    (
        Column("question", "text", "What is asked.", required=True),
        Column("answer", "text", "The answer.", required=True),
    ),
)
GROUP_SHEET = _table(
    "client_groups",
    "Client groups",
    "one row per client group",
    # An example row of the template that was left standing is known by these, and left out.
    tuple(
        Column(one.id, _KINDS[one.kind], one.told, _in_template(one), one.required)
        for one in GROUP_QUESTIONS
    ),
)
PROMISE_SHEET = _table(
    "promises",
    "Promises",
    "one row per point",
    (
        Column("point", "text", "What could be promised.", required=True),
        Column("how_firm", "choice", "How firm.", required=True, choices=FIRMNESS),
    ),
)


@dataclass(frozen=True)
class OfferForm:
    """A form as filled in: answers by the id of their question, None where left empty.

    `promises` says how firm each point of the letter is, by its id. `places` tells where in the
    file an answer stands, by (number of the group, or None; id of the question), for messages.
    """

    answers: Mapping[str, Answer]
    groups: tuple[Mapping[str, Answer], ...] = ()
    promises: Mapping[str, Firmness] = field(default_factory=dict)
    places: Mapping[tuple[int | None, str], str] = field(default_factory=dict)

    def place(self, group: int | None, question_id: str) -> str:
        """Where an answer stands, at the beginning of a sentence about it."""
        known = self.places.get((group, question_id))
        if known is not None:
            return known
        label = question_named(question_id).label
        return label if group is None else f"Client group {group + 1}, {label}"


def question_named(question_id: str) -> Question:
    """The question of that id; KeyError if there is none."""
    return _BY_ID[question_id]


_BY_ID = {one.id: one for one in (*QUESTIONS, *GROUP_QUESTIONS)}


def example_form() -> OfferForm:
    """The form with every example in it."""
    return OfferForm(_examples(QUESTIONS), (_examples(GROUP_QUESTIONS),))


def blank_form() -> OfferForm:
    """The form as the template has it: empty, but for an example row among the client groups."""
    return OfferForm({}, (_examples(GROUP_QUESTIONS) | {"client_group": EXAMPLE_GROUP},))


def _examples(questions: Sequence[Question]) -> dict[str, Answer]:
    typed = _typed_all([(one, one.example) for one in questions])
    return {one.id: value for one, value in zip(questions, typed, strict=True)}


# Reading


def read_offer_form(content: bytes, name: str, points: Mapping[str, str]) -> OfferForm:
    """The form in a workbook; UnusableOffer with every mistake and how to mend it.

    `points` are the titles of the points on the sheet Promises, by id. That sheet may be left
    out. A file that is no table at all is an UnusableFile.
    """
    reading = _Reading("".join(letter if letter.isprintable() else "?" for letter in name))
    answers = reading.offer(_sheet(content, OFFER_SHEET, name))
    groups = reading.groups(_sheet(content, GROUP_SHEET, name))
    promises = reading.promises(_sheet(content, PROMISE_SHEET, name), points)
    if reading.mistakes:
        raise UnusableOffer(*reading.mistakes)
    return OfferForm(answers, groups, promises, reading.places)


def _sheet(content: bytes, table: Table, name: str) -> Sheet | None:
    """The sheet with the table's required columns; None if there is none."""
    sheet = read_content(content, table, name)
    return sheet if set(table.required_ids) <= set(sheet.headers) else None


def _cells(sheet: Sheet) -> list[dict[str, Any]]:
    return list(sheet.rows.to_pylist())


class _Reading:
    """What was found in one file so far."""

    def __init__(self, name: str):
        self.name = name
        self.mistakes: list[str] = []
        self.places: dict[tuple[int | None, str], str] = {}

    def offer(self, sheet: Sheet | None) -> dict[str, Answer]:
        """The answers of the sheet Offer."""
        if sheet is None:
            self._no_sheet("Offer", '"Question" and "Answer"')
            return {}
        by_label = {folded(one.label): one for one in QUESTIONS}
        asked: list[tuple[Question, str | None]] = []
        for row in _cells(sheet):
            label = (row["question"] or "").strip()
            place = f'"{self.name}", sheet Offer, row {row["row_number"]}'
            found = by_label.get(folded(label))
            if found is None:
                if label or (row["answer"] or "").strip():
                    near = difflib.get_close_matches(
                        folded(label), [folded(one.label) for one in QUESTIONS], n=1
                    )
                    meant = f' Did you mean "{by_label[near[0]].label}"?' if near else ""
                    self.mistakes.append(
                        f'{place}, Question: we read "{label}", which is not asked.{meant} Put '
                        "back the words of the template, or delete the row."
                    )
            elif (None, found.id) in self.places:
                self.mistakes.append(
                    f'{place}, Question: "{found.label}" stands there a second time. Delete one '
                    "of the two rows."
                )
            else:
                self.places[None, found.id] = f"{place}, {found.label}"
                asked.append((found, row["answer"]))
        self.mistakes += [
            f'"{self.name}", sheet Offer: the question "{one.label}" is missing. Add a row with '
            "these words and your answer."
            for one in QUESTIONS
            if one.required and (None, one.id) not in self.places
        ]
        return self._answers(None, asked)

    def groups(self, sheet: Sheet | None) -> tuple[dict[str, Answer], ...]:
        """The rows of the sheet Client groups."""
        if sheet is None:
            self._no_sheet("Client groups", '"Client group" and "Referrals a month"')
            return ()
        self.mistakes += [
            f'"{self.name}", sheet Client groups, column {extra.header}: there is no such column. '
            f'Call it "{question_named(extra.meant).label}", or delete it.'
            for extra in sheet.extras
            if extra.meant
        ]
        rows = _cells(sheet)
        if not 1 <= len(rows) <= MOST_GROUPS:
            self.mistakes.append(
                f'"{self.name}", sheet Client groups: we read {len(rows)} rows. Fill in 1 to '
                f"{MOST_GROUPS}, one for each client group."
            )
            return ()
        found = []
        for number, row in enumerate(rows):
            for one in GROUP_QUESTIONS:
                self.places[number, one.id] = (
                    f'"{self.name}", sheet Client groups, row {row["row_number"]}, {one.label}'
                )
            asked = [(one, row.get(one.id)) for one in GROUP_QUESTIONS]
            found.append(self._answers(number, asked))
        return tuple(found)

    def promises(self, sheet: Sheet | None, points: Mapping[str, str]) -> dict[str, Firmness]:
        """The rows of the sheet Promises, by the id of the point."""
        found: dict[str, Firmness] = {}
        ids = {folded(title): point for point, title in points.items()}
        firmness = {folded(one): one for one in FIRMNESS}
        for row in _cells(sheet) if sheet else []:
            place = f'"{self.name}", sheet Promises, row {row["row_number"]}'
            point = ids.get(folded(row["point"] or ""))
            how = (row["how_firm"] or "").strip()
            if point is None:
                self.mistakes.append(
                    f'{place}, Point: we read "{row["point"] or ""}", which is not one of the '
                    "points. Put back the words of the template, or delete the row."
                )
            elif how and folded(how) not in firmness:
                self.mistakes.append(
                    f'{place}, How firm: we read "{how}". Write firm, stated or not stated.'
                )
            elif how:
                found[point] = firmness[folded(how)]
        return found

    def _no_sheet(self, sheet: str, columns: str) -> None:
        self.mistakes.append(
            f'"{self.name}": no sheet has the columns {columns}. Start from the template '
            f"(`fairtier offer --template offer.xlsx`) and leave its sheet {sheet} in."
        )

    def _answers(
        self, group: int | None, asked: Sequence[tuple[Question, str | None]]
    ) -> dict[str, Answer]:
        found: dict[str, Answer] = {}
        for (question, cell), value in zip(asked, _typed_all(asked), strict=True):
            place = self.places[group, question.id]
            text = (cell or "").strip()
            found[question.id] = value
            if not text:
                if question.required:
                    self.mistakes.append(f"{place}: it is empty. {question.how_to_write}")
                continue
            told = mistake_in(question, value)
            if told:
                self.mistakes.append(f'{place}: we read "{text}". {told}')
        return found


def mistake_in(question: Question, value: Answer) -> str:
    """What is wrong with an answer that is not empty, as its remedy; empty if nothing is."""
    if value is None:
        return question.how_to_write
    if isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return "" if len(value) <= MOST_LETTERS else f"Write at most {MOST_LETTERS} letters."
    return "" if question.lowest <= value <= question.highest else question.how_to_write


def _typed_all(asked: Sequence[tuple[Question, str | None]]) -> list[Answer]:
    """The typed value of each cell; None where it is empty or does not parse."""
    found: list[Answer] = []
    with cursor() as connection:
        for question, cell in asked:
            if not (cell or "").strip() or (question.kind == "number" and "%" in (cell or "")):
                found.append(None)
                continue
            column = Column(question.id, _KINDS[question.kind], question.told)
            value = connection.execute(
                f"SELECT {typed_sql(column, 'cell')} FROM "
                f"(SELECT {cell_sql('CAST(? AS VARCHAR)')} AS cell)",
                [cell],
            ).fetchall()[0][0]
            found.append(value)
    return found


# Writing

_ENTRY: dict[AnswerKind, str] = {
    "text": "@",
    "money": "#,##0.00",
    "rate": "0.##%",
    "count": "0",
    "number": "General",
    "yes_no": "@",
}


@dataclass(frozen=True)
class PointTold:
    """A point of the letter, as the sheet Promises tells it."""

    id: str
    title: str
    why_it_matters: str
    ask_for: str


def offer_workbook(form: OfferForm, points: Sequence[PointTold]) -> bytes:
    """The form as a workbook, filled in with the answers it holds."""
    data = io.BytesIO()
    book = xlsxwriter.Workbook(
        data, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    heading = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True})
    words = book.add_format({"text_wrap": True, "valign": "top"})
    quiet = book.add_format({"text_wrap": True, "valign": "top", "font_color": "#595959"})
    entries = {
        kind: book.add_format({"num_format": shape, "border": 1, "valign": "top"})
        for kind, shape in _ENTRY.items()
    }

    def write(sheet: Any, row: int, column: int, one: Question, value: Answer) -> None:
        shape = entries[one.kind]
        if value is None:
            sheet.write_blank(row, column, None, shape)
        elif isinstance(value, bool | str):
            sheet.write_string(row, column, one.shown(value), shape)
        else:
            sheet.write_number(row, column, value / 100 if one.kind == "money" else value, shape)

    sheet = book.add_worksheet("Offer")
    for position, (title, width) in enumerate(
        (
            ("Question", 30),
            ("Answer", 30),
            ("Example", 26),
            ("What it is", 60),
            ("How to write it", 48),
        )
    ):
        sheet.write_string(0, position, title, heading)
        sheet.set_column(position, position, width)
    for row, one in enumerate(QUESTIONS, start=1):
        sheet.write_string(row, 0, one.label, words)
        write(sheet, row, 1, one, form.answers.get(one.id))
        sheet.write_string(row, 2, one.example, quiet)
        sheet.write_string(row, 3, one.told, words)
        sheet.write_string(row, 4, _needed(one), quiet)
    sheet.freeze_panes(1, 0)
    groups = book.add_worksheet("Client groups")
    for position, one in enumerate(GROUP_QUESTIONS):
        groups.write_string(0, position, one.label, heading)
        groups.write_comment(0, position, f"{one.told}\n\n{_needed(one)}", {"x_scale": 2.2})
        groups.set_column(position, position, 15)
        for row, group in enumerate(form.groups, start=1):
            write(groups, row, position, one, group.get(one.id))
    groups.freeze_panes(1, 1)
    promises = book.add_worksheet("Promises")
    for position, (title, width) in enumerate(
        (("Point", 34), ("How firm", 14), ("Why it matters", 60), ("What to ask for", 60))
    ):
        promises.write_string(0, position, title, heading)
        promises.set_column(position, position, width)
    for row, point in enumerate(points, start=1):
        firmness = form.promises.get(point.id)
        promises.write_string(row, 0, point.title, words)
        promises.write_string(
            row, 1, firmness.replace("_", " ") if firmness else "", entries["text"]
        )
        promises.write_string(row, 2, point.why_it_matters, words)
        promises.write_string(row, 3, point.ask_for, quiet)
    promises.data_validation(
        1,
        1,
        len(points),
        1,
        {"validate": "list", "source": [one.replace("_", " ") for one in FIRMNESS]},
    )
    promises.freeze_panes(1, 0)
    book.close()
    return data.getvalue()


def _needed(one: Question) -> str:
    empty = f" Empty means: {one.empty_means}." if one.empty_means else ""
    return f"{one.how_to_write}{' It must be filled in.' if one.required else empty}"
