"""Letters: what the parties of an agreement write each other, and evidence by principle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import letters, merlin_file, session
from dashboard.views import markup
from dashboard.views.navigation import link_to
from dashboard.words import STATUSES, WHOLE_CONTRACT, text
from data.errors import UserError
from metrics.notices.definition import Blank, Grid, Heading, Paragraph, Points
from metrics.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dashboard.session import Question, Registers
    from metrics.merlin import EvidenceFile, Offered
    from metrics.notices.definition import Block, Letter, Line, Notice

_ALL_PRIMES = "All primes in one file"


def show() -> None:
    """The page."""
    st.title("Letters")
    question = session.question()
    if not question.version:
        markup.lead("Nothing has been recorded here yet, so there is nothing to write about.")
        link_to("upload", "Go to Upload")
        return
    markup.lead(
        "Letters made from what is on record, for you to read, change and send.",
        "Nothing is sent from here. What the data does not know stands in [square brackets]: fill "
        "it in. Every letter is written by one party of an agreement, which alone can make it, or "
        "the network for it.",
    )
    registers = session.registers(question)
    found = letters.choices(session.service())
    if found:
        _letter(question, registers, found)
    else:
        markup.notice("plain", "You are no party to an agreement, so there is no letter to make.")
    _evidence(question, registers)


@st.cache_data(show_spinner="Writing", max_entries=64)
def _made(
    asked: Question, kind: str, contract_id: str | None, subcontractor_id: str | None
) -> Letter:
    """A letter for whoever asked, remembered under the question."""
    mine = session.service().within(asked.scope)
    return letters.letter(mine, kind, contract_id, subcontractor_id, asked.as_of)


@st.cache_data(show_spinner="Gathering evidence", max_entries=8)
def _gathered(asked: Question, prime: str) -> tuple[EvidenceFile, ...]:
    """Evidence for whoever asked, remembered under the question."""
    mine = session.service().within(asked.scope)
    return merlin_file.evidence_files(mine, prime, asked.as_of)


def _letter(
    question: Question,
    registers: Registers,
    found: Sequence[tuple[str | None, str | None, tuple[Notice, ...]]],
) -> None:
    kinds: Mapping[tuple[str | None, str | None], tuple[Notice, ...]] = {
        (contract_id, subcontractor_id): notices for contract_id, subcontractor_id, notices in found
    }

    def named(about: tuple[str | None, str | None]) -> str:
        contract_id, subcontractor_id = about
        if contract_id is None:
            return "A contract that is not on record here"
        whom = registers.name(subcontractor_id) if subcontractor_id else WHOLE_CONTRACT
        return f"{contract_id} · {whom}"

    first, second = st.columns(2)
    about = first.selectbox(
        "Agreement or contract",
        list(kinds),
        format_func=named,
        key="letter_about",
        filter_mode="contains",
    )
    titles = {one.id: one.title for one in kinds[about]}
    kind = second.selectbox(
        "Letter", list(titles), format_func=titles.__getitem__, key=f"letter_kind {about}"
    )
    notice = next(one for one in kinds[about] if one.id == kind)
    markup.paragraph(
        f"{notice.when_to_send} The {notice.writer} writes it to the {notice.reader}.", quiet=True
    )
    contract_id, subcontractor_id = about
    try:
        made = _made(question, kind, contract_id, subcontractor_id)
    except UserError as error:
        markup.notice("warn", str(error))
        return
    _shown(made)
    parameters = [
        (name, value)
        for name, value in (
            ("kind", kind),
            ("contract", contract_id),
            ("subcontractor", subcontractor_id),
        )
        if value
    ]
    first, second = st.columns(2)
    with first:
        markup.download("Download as a Word file to edit", "letter.docx", parameters)
    with second:
        markup.download("Download as plain text", "letter.txt", parameters)


def _shown(made: Letter) -> None:
    st.header("Before you send it")
    blanks = count(len(made.blanks), "thing")
    st.html(
        markup.bullets(made.before_sending)
        + markup.folded(f"{blanks} to fill in", markup.bullets(made.blanks))
    )
    st.header("The letter")
    with st.container(border=True, key="letter"):
        st.html(f'<div class="ft-card">{"".join(_html(made.blocks))}</div>')


def _html(blocks: Sequence[Block]) -> Iterator[str]:
    """The letter as HTML in which its text stays text; blanks are marked."""
    heading = ""
    for block in blocks:
        match block:
            case Heading(words):
                heading = words
                yield f"<h3>{text(words)}</h3>"
            case Paragraph(pieces):
                yield f"<p>{_line(pieces) or '&nbsp;'}</p>"
            case Points(items):
                yield f"<ul>{''.join(f'<li>{_line(item)}</li>' for item in items)}</ul>"
            case Grid(caption, header, rows, numeric):
                cells = [[str(piece) for piece in row] for row in rows]
                yield markup.table_html(caption or heading, header, cells, numeric)


def _line(pieces: Line) -> str:
    return "".join(
        f"<mark>{text(piece)}</mark>" if isinstance(piece, Blank) else text(piece)
        for piece in pieces
    )


def _evidence(question: Question, registers: Registers) -> None:
    st.header("Evidence by Merlin principle")
    known = merlin_file.primes(session.service())
    if not known:
        markup.paragraph("A prime's file of evidence is for the prime itself and the network.")
        return
    options = [*known, *([merlin_file.ALL] if len(known) > 1 else [])]
    prime = st.selectbox(
        "Prime",
        options,
        index=None if len(options) > 1 else 0,
        placeholder="Choose a prime",
        format_func=lambda one: _ALL_PRIMES if one == merlin_file.ALL else registers.name(one),
        key="merlin_prime",
        filter_mode="contains",
    )
    if prime is None:
        return
    files = _gathered(question, prime)
    for file in files[:1]:
        st.html(markup.bullets(file.statement))
    for file in files:
        markup.table(
            f"Evidence offered by {file.prime_name}, as counts of answers and figures; no score",
            ("Principle", "Evidence", "What is on record"),
            list(_summary(file)),
        )
    with st.expander("What a prime can add of its own"):
        for one in files[0].principles:
            st.html(
                f'<p class="ft-head">{text(one.principle.name)}</p>'
                + markup.bullets(one.principle.of_its_own)
            )
    columns = st.columns(3)
    for column, (words, suffix) in zip(
        columns,
        (("a Word file", ".docx"), ("CSV", ".csv"), ("JSON", ".json")),
        strict=True,
    ):
        with column:
            markup.download(f"Download as {words}", f"merlin{suffix}", [("prime", prime)])


def _summary(file: EvidenceFile) -> Iterator[tuple[str, str, str]]:
    for one in file.principles:
        if not one.offered:
            yield one.principle.name, "", one.nothing
        for offered in one.offered:
            yield one.principle.name, offered.title, _on_record(offered)


def _on_record(offered: Offered) -> str:
    parts = [f"{STATUSES[status][0]} {number}" for status, number in offered.counts if number]
    if offered.mapped.kind == "metric":
        parts = [count(len(offered.figures), "figure")]
        if offered.not_reported:
            parts.append(f"not reported {len(offered.not_reported)}")
    return "; ".join(parts) or "nothing was assessed"
