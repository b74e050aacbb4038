"""What a kind of letter is, what a letter is made of, and the frame that all of them have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from metrics.days import day_name
from metrics.wording import count

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from metrics.notices.matter import Matter, Organisation
    from metrics.rules import Rules

Part = Literal["commissioner", "prime", "subcontractor"]


@dataclass(frozen=True)
class Blank:
    """What the data does not know: the writer fills it in. Shown in [square brackets]."""

    words: str

    def __str__(self) -> str:
        return f"[{self.words}]"


Piece = str | Blank
Line = tuple[Piece, ...]


@dataclass(frozen=True)
class Heading:
    """A heading inside a letter."""

    words: str


@dataclass(frozen=True)
class Paragraph:
    """Text with blanks in it; `short` ones stand close together, as in an address."""

    pieces: Line
    short: bool = False


@dataclass(frozen=True)
class Points:
    """A list."""

    items: tuple[Line, ...]


@dataclass(frozen=True)
class Grid:
    """A table; `numeric` are the positions of columns set to the right."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Piece, ...], ...]
    numeric: tuple[int, ...] = ()


Block = Heading | Paragraph | Points | Grid


@dataclass(frozen=True)
class Notice:
    """A kind of letter: who writes it to whom, when to send it, and what it rests on.

    `about` says whether it is about an agreement, or about a contract as a whole. `source` is the
    law or rule behind it, `standing` what that is worth to the parties here.
    """

    id: str
    order: int
    title: str
    when_to_send: str
    writer: Part
    reader: Part
    about: Literal["agreement", "contract"]
    source: str
    standing: str
    version: int


@dataclass(frozen=True)
class Fact:
    """One figure or day that a letter rests on, and where it is taken from.

    `value` can be written as JSON; None where nothing is known. `shown` is the same in words.
    """

    id: str
    words: str
    value: str | int | float | bool | None
    shown: str
    taken_from: str


@dataclass(frozen=True)
class Letter:
    """A letter to edit and send. `before_sending` is for the writer and no part of it."""

    notice: Notice
    contract_id: str | None
    subcontractor_id: str | None
    writer: Organisation
    reader: Organisation | None
    as_of: dt.date
    subject: str
    blocks: tuple[Block, ...]
    facts: tuple[Fact, ...]
    before_sending: tuple[str, ...]

    @property
    def blanks(self) -> tuple[str, ...]:
        """What is to be filled in, in order and each once."""
        found = (piece.words for piece in _pieces(self.blocks) if isinstance(piece, Blank))
        return tuple(dict.fromkeys(found))

    def fact(self, fact_id: str) -> Fact:
        """The fact of that id; KeyError if the letter has none."""
        for fact in self.facts:
            if fact.id == fact_id:
                return fact
        raise KeyError(fact_id)

    def answer(self) -> dict[str, Any]:
        """The facts of the letter as JSON."""
        return {
            "kind": self.notice.id,
            "contract_id": self.contract_id,
            "subcontractor_id": self.subcontractor_id,
            "from": self.writer.organisation_id,
            "to": None if self.reader is None else self.reader.organisation_id,
            "as_of": self.as_of.isoformat(),
            "subject": self.subject,
            "facts": {fact.id: fact.value for fact in self.facts},
            "source": self.notice.source,
            "standing": self.notice.standing,
            "to_fill_in": list(self.blanks),
        }


def _pieces(blocks: tuple[Block, ...]) -> Iterator[Piece]:
    for block in blocks:
        match block:
            case Heading(words):
                yield words
            case Paragraph(pieces):
                yield from pieces
            case Points(items):
                for item in items:
                    yield from item
            case _:
                for row in block.rows:
                    yield from row


def paragraph(*pieces: Piece) -> Paragraph:
    """A paragraph of pieces."""
    return Paragraph(pieces)


def grid_of(facts: tuple[Fact, ...], caption: str) -> Grid:
    """Facts as a table, each with where it is taken from."""
    return Grid(
        caption,
        ("What", "On record", "Taken from"),
        tuple((fact.words, fact.shown, fact.taken_from) for fact in facts),
    )


def reply_by(rules: Rules) -> Blank:
    """Until when an answer is asked for: the working days of the rule `reply_days`."""
    days = count(int(rules["reply_days"].value), "working day")
    return Blank(f"day to reply by, at least {days} after you send this")


def framed(
    notice: Notice,
    matter: Matter,
    subject: str,
    body: tuple[Block, ...],
    facts: tuple[Fact, ...],
    before_sending: tuple[str, ...] = (),
) -> Letter:
    """A letter from its body: addresses, salutation, signature, and what it rests on."""
    writer, reader = matter.party(notice.writer), matter.organisation(notice.reader)
    addressed: Piece = Blank("organisation you write to") if reader is None else reader.name
    standing = f"Source: {notice.source}. {notice.standing}" if notice.source else notice.standing
    head: tuple[Block, ...] = (
        *(
            Paragraph((piece,), short=True)
            for piece in (writer.name, Blank("your address"), Blank("day you send this"))
        ),
        Paragraph((), short=True),
        *(Paragraph((piece,), short=True) for piece in (addressed, Blank("their address"))),
        Heading(subject),
        paragraph("Dear ", Blank("name of the person you write to")),
    )
    foot: tuple[Block, ...] = (
        paragraph("Yours sincerely"),
        *(
            Paragraph((piece,), short=True)
            for piece in (Blank("your name and post"), writer.name, Blank("telephone and e-mail"))
        ),
        Heading("About this letter"),
        paragraph(
            f"Its figures are from the returns and registers on record on "
            f"{day_name(matter.as_of)}. {standing}"
        ),
    )
    return Letter(
        notice=notice,
        contract_id=matter.contract_id,
        subcontractor_id=None if matter.subcontractor is None else matter.subcontractor_id,
        writer=writer,
        reader=reader,
        as_of=matter.as_of,
        subject=subject,
        blocks=(*head, *body, *foot),
        facts=facts,
        before_sending=(
            "It is your letter: read it, fill in what stands in square brackets, and change what "
            "is not right.",
            *before_sending,
        ),
    )
