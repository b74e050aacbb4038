"""Pieces of a page as HTML in which data stays text."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from dashboard.theme import STATUS_COLOURS, inked
from dashboard.words import STATUSES, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import altair as alt

_HOLLOW = ("too_early", "not_reported", "not_applicable")
_NOTICES = {"bad": "raised", "warn": "watch", "good": "clear", "plain": "too_early"}


def chip(status: str, words: str = "") -> str:
    """A status as a small label: in words, with a mark, so colour alone says nothing."""
    hollow = " hollow" if status in _HOLLOW else ""
    colour = STATUS_COLOURS[status]
    shown = text(words or STATUSES[status][0])
    return f'<span class="ft-chip{hollow}" style="--c:{colour}">{shown}</span>'


def bullets(items: Iterable[str]) -> str:
    """A list of sentences."""
    return f"<ul>{''.join(f'<li>{text(item)}</li>' for item in items)}</ul>"


def folded(summary: str, body: str) -> str:
    """Something that is shown when asked for; `body` is HTML."""
    return f"<details><summary>{text(summary)}</summary>{body}</details>"


def lead(words: str, beside: str = "") -> None:
    """The sentence that a page begins with, and a quieter one below it."""
    below = f'<p class="ft-text ft-quiet">{text(beside)}</p>' if beside else ""
    st.html(f'<p class="ft-lead">{text(words)}</p>{below}')


def paragraph(words: str, quiet: bool = False) -> None:
    """A sentence or two of text."""
    st.html(f'<p class="ft-text{" ft-quiet" if quiet else ""}">{text(words)}</p>')


def notice(kind: str, *sentences: str) -> None:
    """Something to take note of: bad, warn, good or plain."""
    role = "alert" if kind == "bad" else "status"
    body = "".join(f"<p>{text(sentence)}</p>" for sentence in sentences)
    colour = STATUS_COLOURS[_NOTICES[kind]]
    st.html(f'<div class="ft-notice" role="{role}" style="--c:{colour}">{body}</div>')


def link(address: str, words: str) -> None:
    """A link to an address of this server that is no page of the dashboard."""
    st.html(link_html(address, words))


def link_html(address: str, words: str) -> str:
    """The same as HTML; it opens in the same tab."""
    return f'<a class="ft-link" href="{text(address)}" target="_self">{text(words)}</a>'


def download(words: str, file: str, parameters: Iterable[tuple[str, str]] = ()) -> None:
    """A link to a file that the server makes for whoever asks, with what it is about."""
    asked = urlencode(list(parameters))
    address = f"/downloads/{file}{'?' if asked else ''}{asked}"
    st.html(f'<a class="ft-download" href="{text(address)}" download>{text(words)}</a>')


def signed_in(name: str, organisation: str) -> None:
    """Who is signed in for whom, and the way out."""
    st.html(
        f'<p class="ft-person ft-small ft-quiet">Signed in as {text(name)} for '
        f"{text(organisation)}. {link_html('/sign-out', 'Sign out')}</p>"
    )


def big_numbers(numbers: Sequence[tuple[str, int, str, str]]) -> None:
    """Counts to read from across the room: (status, count, what, what it means)."""
    st.html(
        '<div class="ft-big">'
        + "".join(
            f'<div style="--c:{STATUS_COLOURS[status]}"><div class="n">{number:,}</div>'
            f'<div class="l">{text(what)}</div><div class="w">{text(meaning)}</div></div>'
            for status, number, what, meaning in numbers
        )
        + "</div>"
    )


def facts(pairs: Iterable[tuple[str, str | Sequence[str]]]) -> None:
    """Names with what they are; several values become a list."""
    st.html(facts_html(pairs))


def facts_html(pairs: Iterable[tuple[str, str | Sequence[str]]]) -> str:
    """The same as HTML."""
    return (
        '<dl class="ft">'
        + "".join(
            f"<dt>{text(name)}</dt>"
            f"<dd>{text(value) if isinstance(value, str) else bullets(value)}</dd>"
            for name, value in pairs
        )
        + "</dl>"
    )


def table(
    caption: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    numeric: Sequence[int] = (),
) -> None:
    """A small table; `numeric` are the positions of columns set to the right."""
    st.html(table_html(caption, header, rows, numeric))


def table_html(
    caption: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    numeric: Sequence[int] = (),
) -> str:
    """The same as HTML."""
    kind = [' class="num"' if place in numeric else "" for place in range(len(header))]
    head = "".join(f'<th scope="col"{kind[i]}>{text(name)}</th>' for i, name in enumerate(header))
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{text(cell)}</th>' if i == 0 else f"<td{kind[i]}>{text(cell)}</td>"
            for i, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="ft-scroll"><table class="ft"><caption>{text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def draw(chart: alt.LayerChart, described: str) -> None:
    """A chart, with what it shows in words for those who cannot see it."""
    st.altair_chart(inked(chart, st.context.theme.type), alt=described)
