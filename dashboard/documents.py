"""Word files (.docx) of letters and evidence; every text in them is data and stays text."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import TYPE_CHECKING, Any

from dashboard.words import STATUSES, headline, told
from metrics.notices.definition import Blank, Grid, Heading, Paragraph, Points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docx.document import Document
    from docx.text.paragraph import Paragraph as WordParagraph

    from metrics.merlin import EvidenceFile, Offered
    from metrics.notices.definition import Block, Letter, Line

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OPEN = ("raised", "watch", "not_reported")


def letter_docx(letter: Letter) -> bytes:
    """A letter as a Word file; what is to be filled in is marked in yellow."""
    document = _document(letter.subject)
    level = 1  # the first heading is the subject, the others are below it
    for block in letter.blocks:
        _block(document, block, level)
        level = 2 if isinstance(block, Heading) else level
    return _saved(document)


def evidence_docx(files: Sequence[EvidenceFile]) -> bytes:
    """The evidence of one or several primes as a Word file, principle by principle."""
    document = _document("Evidence by Merlin principle")
    for place, file in enumerate(files):
        if place:
            document.add_paragraph().paragraph_format.page_break_before = True
        _evidence(document, file)
    return _saved(document)


def _evidence(document: Document, file: EvidenceFile) -> None:
    _heading(document, f"Evidence by Merlin principle: {file.prime_name}", 1)
    for sentence in file.statement:
        _paragraph(document, (sentence,))
    for offered in file.principles:
        _heading(document, offered.principle.name, 2)
        if not offered.offered:
            _paragraph(document, (offered.nothing,))
        for one in offered.offered:
            _offered(document, file, one)
        _paragraph(document, ("You can add of your own:",))
        for addition in offered.principle.of_its_own:
            _paragraph(document, (addition,), "List Bullet")


def _offered(document: Document, file: EvidenceFile, one: Offered) -> None:
    _heading(document, one.title, 3)
    _paragraph(document, (one.mapped.why,))
    if one.mapped.kind == "flag":
        counts = "; ".join(
            f"{STATUSES[status][0].lower()} {number}" for status, number in one.counts if number
        )
        _paragraph(document, (f"{one.question} {counts or 'Nothing was assessed'}.",))
        open_ones = [found for found in one.answers if found.status in _OPEN]
        if open_ones:
            _table(
                document,
                Grid(
                    "",
                    ("Contract", "Subcontractor", "Status", "What it says"),
                    tuple(
                        (
                            found.contract_id,
                            file.name(found.subcontractor_id),
                            STATUSES[found.status][0],
                            f"{headline(found)} {told(found.sentence)}",
                        )
                        for found in open_ones
                    ),
                ),
            )
    elif one.figures:
        _paragraph(document, (one.question,))
        _table(
            document,
            Grid(
                "",
                ("Contract", "Subcontractor", "What", "Figure"),
                tuple(
                    (
                        figure.contract_id,
                        file.name(figure.subcontractor_id),
                        figure.what,
                        figure.shown,
                    )
                    for figure in one.figures
                ),
                (3,),
            ),
        )
    for gap in one.not_reported:
        _paragraph(document, (f"Not reported: {gap}",), "List Bullet")


def _document(title: str) -> Document:
    import docx  # noqa: PLC0415 - a page or command without a Word file need not wait
    from docx.oxml.ns import qn  # noqa: PLC0415
    from docx.shared import Pt  # noqa: PLC0415

    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.author, properties.language = _text(title)[:255], "", "en-GB"
    properties.comments = ""
    properties.created = properties.modified = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Arial", Pt(11)
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), "en-GB")
    return document


def _block(document: Document, block: Block, level: int) -> None:
    match block:
        case Heading(words):
            _heading(document, words, level)
        case Paragraph(pieces, short):
            written = _paragraph(document, pieces)
            if short:
                written.paragraph_format.space_after = 0
        case Points(items):
            for item in items:
                _paragraph(document, item, "List Bullet")
        case Grid():
            if block.caption:
                _paragraph(document, (block.caption,), "Caption")
            _table(document, block)


def _heading(document: Document, words: str, level: int) -> None:
    document.add_heading(_text(words), level)


def _paragraph(document: Document, pieces: Line, style: str | None = None) -> WordParagraph:
    written = document.add_paragraph(style=style)
    _write(written, pieces)
    return written


def _write(paragraph: WordParagraph, pieces: Line) -> None:
    from docx.enum.text import WD_COLOR_INDEX  # noqa: PLC0415 - as in _document

    for piece in pieces:
        run = paragraph.add_run(_text(str(piece)))
        if isinstance(piece, Blank):
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def _table(document: Document, grid: Grid) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415 - as in _document
    from docx.oxml import OxmlElement  # noqa: PLC0415

    table = document.add_table(rows=0, cols=len(grid.header), style="Table Grid")
    for number, row in enumerate((grid.header, *grid.rows)):
        cells = table.add_row().cells
        for place, piece in enumerate(row):
            written = cells[place].paragraphs[0]
            written.paragraph_format.space_after = 0
            _write(written, (piece,))
            if number == 0:
                for run in written.runs:
                    run.bold = True
            if place in grid.numeric:
                written.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    # The header is repeated on every page and read out as one; no row breaks across pages.
    for number, written_row in enumerate(table.rows):
        properties = written_row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if number == 0:
            properties.append(OxmlElement("w:tblHeader"))
    document.add_paragraph()


def _text(value: Any) -> str:
    """Text without the characters that no XML file can hold."""
    return _NOT_XML.sub("\ufffd", str(value))


def _saved(document: Document) -> bytes:
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()
