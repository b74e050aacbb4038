"""One page with all of a release: no server, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard import theme
from dashboard.open_data.answered_flags import NOBODY, answered_flags, citation
from dashboard.open_data.cells import in_words, json_cell, marker, period, seen
from dashboard.open_data.changes import CHANGES, KINDS, MEANINGS
from dashboard.open_data.referral_bars import Bar, picture
from dashboard.open_data.release import (
    FIGURES,
    OGL,
    POINTS_TO,
    Field,
    OpenTable,
    hidden_why,
    reasons,
    short_reason,
    shown_value,
)
from dashboard.words import day, text
from metrics.definition import Flag
from metrics.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dashboard.open_data.answered_flags import AnsweredFlag
    from dashboard.open_data.changes import Change, Earlier
    from dashboard.open_data.release import OpenRelease
    from metrics.definition import Metric

MOST_PERIODS = 12  # of a contract on the page; the files have all of them
PERIODS_A_TABLE = 6  # as many as fit a sheet of paper
_MATRIX = ("contract_id", "subcontractor_id", "period", "referrals", "forecast")
_COLOURS = theme.options()
_NAMES = {
    "ground": "backgroundColor",
    "raised": "secondaryBackgroundColor",
    "ink": "textColor",
    "link": "linkColor",
    "line": "borderColor",
}


def _variables(shade: str) -> str:
    return "".join(f"--{name}:{_COLOURS[f'theme.{shade}.{key}']};" for name, key in _NAMES.items())


STYLE = (
    f":root {{ --edge:{theme.FORECAST}; --bar:{theme.SUBCONTRACTOR}; {_variables('light')} }}\n"
    f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables('dark')} }} }}\n"
    + Path(__file__).with_name("page.css").read_text(encoding="utf-8")
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'"
# Where the page is served; in a page itself a browser would not heed who may frame it.
CONTENT_SECURITY_POLICY = f"{_POLICY}; form-action 'none'; frame-ancestors 'none'"


def page_html(
    release: OpenRelease,
    found: tuple[Change, ...],
    earlier: Earlier | None,
    sizes: Mapping[str, int],
) -> str:
    """The page; `sizes` are the bytes of the files beside it, by path."""
    names = release.names()
    sections = [
        ("summary", "In short", _summary(release)),
        ("flags", "Published flags, and what those they are about reply", _flags(release)),
        ("referrals", "Clients referred", _referrals(release, names)),
        *(
            (f"table-{table.id}", table.title, _open_table(table, names))
            for table in release.tables
            if table.id not in ("flags", "replies", "referrals", CHANGES)
        ),
        ("hidden", "What is hidden, and why", _hidden(release)),
        ("changes", "What changed", _changes(release, found, earlier)),
        ("method", "Method", _method(release)),
        ("rules", "Rules", _rules(release)),
        ("files", "Files, licence and how to cite", _files(release, sizes)),
    ]
    sections = [section for section in sections if section[2]]
    links = "".join(f'<li><a href="#{name}">{text(title)}</a></li>' for name, title, _ in sections)
    body = "".join(
        f'<section aria-labelledby="{name}"><h2 id="{name}">{text(title)}</h2>{content}</section>'
        for name, title, content in sections
    )
    return (
        '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_shown(release.title)} ({text(release.release_id)})</title>"
        f"<style>{STYLE}</style></head>\n<body>"
        '<a class="skip" href="#content">Go to the content</a>'
        f"<header><p>{_data(release.publisher_name)}</p><h1>{_data(release.title)}</h1>"
        f"<p>Release <code>{text(release.release_id)}</code>, {day(release.made_on)}. What was "
        f"known on {day(release.as_of)}.</p>"
        f'<nav aria-label="On this page"><ul>{links}</ul></nav></header>\n'
        f'<main id="content" tabindex="-1">{body}</main>\n'
        f"<footer><p>{_data(citation(release))}</p></footer></body></html>\n"
    )


# Pieces


def _shown(value: object) -> str:
    return text(seen(value))


def _data(value: object) -> str:
    """Data among words: escaped, and kept from turning the direction of what follows."""
    return f"<bdi>{_shown(value)}</bdi>"


def _table(
    name: str,
    caption: str,
    header: Sequence[tuple[str, bool]],
    rows: Iterable[Sequence[str]],
) -> str:
    """A table in a region of its own that scrolls sideways; captions and cells are HTML.

    A heading comes with whether its column holds figures. The first cell of a row is its heading.
    """
    heads = "".join(
        f'<th scope="col"{_numeric(is_figure)}>{title}</th>' for title, is_figure in header
    )
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(
            f"<td{_numeric(is_figure)}>{cell}</td>"
            for cell, (_, is_figure) in zip(row[1:], header[1:], strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" role="region" aria-labelledby="{name}" tabindex="0"><table>'
        f'<caption id="{name}"><span>{caption}</span></caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def _numeric(is_figure: bool) -> str:
    return ' class="num"' if is_figure else ""


def _cell(field: Field, cell: object, names: Mapping[str, str]) -> str:
    """A cell of a table in words, as HTML."""
    why = hidden_why(cell)
    if why is not None:
        return _hidden_cell(why)
    value = json_cell(field, cell)
    if value is None:
        return f'<span class="none">{in_words(field, None)}</span>' if field.kind in FIGURES else ""
    if POINTS_TO.get(field.id, ("",))[0] == "organisations":
        return _organisation(str(value), names)
    if field.id == "period":
        return _data(period(str(value)))
    return _data(in_words(field, value))


def _hidden_cell(reason: str) -> str:
    return (
        f'<span class="hidden"><b>hidden</b><span class="why">{short_reason(reason)}</span></span>'
    )


def _organisation(organisation_id: str, names: Mapping[str, str]) -> str:
    if organisation_id not in names:
        return _data(organisation_id)
    return f'{_data(names[organisation_id])} <span class="id">{_data(organisation_id)}</span>'


# Sections


def _summary(release: OpenRelease) -> str:
    contracts, agreements = release.rows_of("contracts"), release.rows_of("agreements")
    primes = {row["prime_id"] for row in contracts}
    subcontractors = {row["subcontractor_id"] for row in agreements}
    periods = _ordered({str(row["period"]) for row in release.rows_of("referrals")})
    span = f", from {_first(periods[0])} to {_last(periods[-1])}" if periods else ""
    hidden, flags = release.hidden().total(), len(release.rows_of("flags"))
    replies = len(release.rows_of("replies"))
    published = f"{count(flags, 'flag')} {'is' if flags == 1 else 'are'}"
    lines = [
        f"How {count(len(subcontractors), 'subcontractor')} fared under "
        f"{count(len(primes), 'prime')} in {count(len(contracts), 'contract')}{span}.",
        f"{published} published, with {count(replies, 'reply', 'replies')} beside "
        f"{'it' if flags == 1 else 'them'}. A flag says look here; it does not say who is at fault."
        if flags
        else "No flag has been published.",
        f"{count(hidden, 'figure')} {'is' if hidden == 1 else 'are'} hidden, so that nobody can "
        "work out a figure of single people or of a single subcontractor. Hidden is not zero: it "
        "says hidden, and why."
        if hidden
        else "No figure is hidden.",
        "Where it says not reported, nobody sent a figure. That is not zero either.",
        "The same rules hold for charities, companies and public bodies.",
    ]
    return (
        f'<p class="lead">{text(lines[0])}</p><ul>'
        + "".join(f"<li>{text(line)}</li>" for line in lines[1:])
        + "</ul>"
    )


def _flags(release: OpenRelease) -> str:
    found = answered_flags(release)
    opening = (
        "<p>Each was put to those it is about, and they had time to answer, before it was "
        "published.</p>"
    )
    return opening + ("".join(map(_flag, found)) or "<p>No flag has been published.</p>")


def _flag(flag: AnsweredFlag) -> str:
    about = ", ".join(_data(name) for name in flag.about)
    decision = f"<p>The network: {_data(flag.decision)}</p>" if flag.decision else ""
    replies = "".join(
        f"<p>{_data(reply.by)} {_data(reply.stance)}, {_data(reply.on)}.</p>"
        + (f"<blockquote>{_data(reply.said)}</blockquote>" if reply.said else "")
        for reply in flag.replies
    )
    return (
        f'<article class="flag"><h3>{_data(flag.title)}: {about}</h3>'
        f"<p>Contract {_data(flag.contract_id)}. Published on {_data(flag.published_on)}.</p>"
        f'<div class="pair"><div><h4>What the flag says</h4><p>{_data(flag.statement)}</p></div>'
        f"<div><h4>What they reply</h4>{replies or f'<p>{NOBODY}</p>'}</div></div>{decision}"
        "</article>\n"
    )


def _open_table(table: OpenTable, names: Mapping[str, str]) -> str:
    rows = (
        [_cell(field, cell, names) for field, cell in zip(table.fields, row, strict=True)]
        for row in table.rows
    )
    header = [(text(field.title), field.kind in FIGURES) for field in table.fields]
    intro = f"<p>{text(table.description)}</p>"
    if not table.rows:
        return f"{intro}<p>There is nothing in it.</p>"
    caption = f"{text(table.title)}: {text(table.grain)}"
    return intro + _table(f"caption-{table.id}", caption, header, rows)


def _referrals(release: OpenRelease, names: Mapping[str, str]) -> str:
    """The referrals by contract: a row for each subcontractor, a column for each period."""
    table = release.table("referrals")
    if table is None:
        return ""
    if not set(_MATRIX) <= set(table.field_ids) or not table.rows:
        return _open_table(table, names)
    primes = {row["contract_id"]: row["prime_id"] for row in release.rows_of("contracts")}
    fields = {field.id: field for field in table.fields}
    by_contract: dict[str, list[dict[str, object]]] = {}
    for row in table.records():
        by_contract.setdefault(str(row["contract_id"]), []).append(row)
    parts = [
        f"<p>{text(table.description)} Each figure stands above what was forecast. The latest "
        f"{MOST_PERIODS} periods are here; the files have all.</p>"
    ]
    for number, (contract_id, rows) in enumerate(by_contract.items(), start=1):
        prime_id = str(primes.get(contract_id, ""))
        parts.append(f"<h3>{_data(contract_id)}: {_data(names.get(prime_id, prime_id))}</h3>")
        cells = {(row["subcontractor_id"] or None, str(row["period"])): row for row in rows}
        periods = _ordered({key[1] for key in cells})
        for kind in ("month", "quarter", "other"):
            mine = [one for one in periods if _kind(one) == kind][-MOST_PERIODS:]
            if not mine:
                continue
            bars = [_bar(cells.get((None, one)), one) for one in mine]
            label = f"Clients of the whole contract {contract_id}"
            if drawn := picture(bars, seen(label)):
                parts.append(
                    f"<figure><figcaption>{_data(label)}</figcaption>"
                    '<p class="small">Bars are clients referred; a line across is what was '
                    "forecast, a dashed box with an H is hidden, a gap is not reported.</p>"
                    f'<div class="scroll" role="region" tabindex="0" aria-label="Picture: '
                    f'{_shown(label)}, by {kind}">{drawn}</div></figure>'
                )
            for start in range(0, len(mine), PERIODS_A_TABLE):
                columns = mine[start : start + PERIODS_A_TABLE]
                who = _who_first({key[0] for key in cells if key[1] in columns}, prime_id, names)
                body = [
                    [
                        _who(one, prime_id, names),
                        *(_matrix_cell(cells.get((one, column)), fields) for column in columns),
                    ]
                    for one in who
                ]
                parts.append(
                    _table(
                        f"caption-referrals-{number}-{kind}-{start}",
                        f"Clients referred in {_data(contract_id)}, {_first(columns[0])} to "
                        f"{_last(columns[-1])}",
                        [("Sent to", False), *((text(period(one)), True) for one in columns)],
                        body,
                    )
                )
    return "".join(parts)


def _who_first(found: Iterable[object], prime_id: str, names: Mapping[str, str]) -> list[object]:
    """The whole contract, then what the prime keeps, then subcontractors by name."""
    return sorted(
        found, key=lambda one: (one is not None, one != prime_id, names.get(str(one), str(one)))
    )


def _who(subcontractor_id: object, prime_id: str, names: Mapping[str, str]) -> str:
    if subcontractor_id is None:
        return "The whole contract"
    told = _organisation(str(subcontractor_id), names)
    return f"Kept in house: {told}" if subcontractor_id == prime_id else told


def _matrix_cell(row: Mapping[str, object] | None, fields: Mapping[str, Field]) -> str:
    if row is None:
        return '<span class="none">no row</span>'
    told = _cell(fields["referrals"], row["referrals"], {})
    forecast = json_cell(fields["forecast"], row["forecast"])
    if forecast is None:
        return told
    return (
        f'{told} <span class="of">forecast {_shown(in_words(fields["forecast"], forecast))}</span>'
    )


def _bar(row: Mapping[str, object] | None, name: str) -> Bar:
    if row is None:
        return Bar(name, None, False, None)
    referrals, forecast = (shown_value(row[one]) for one in ("referrals", "forecast"))
    return Bar(
        name,
        referrals if isinstance(referrals, int | float) else None,
        hidden_why(row["referrals"]) is not None,
        forecast if isinstance(forecast, int | float) else None,
    )


def _kind(name: str) -> str:
    if re.fullmatch(r"\d{4}-\d{2}", name):
        return "month"
    return "quarter" if re.fullmatch(r"\d{4}-Q\d", name) else "other"


def _ordered(periods: Iterable[str]) -> list[str]:
    """Periods by the month in which they end."""

    def last_month(name: str) -> tuple[str, int, str]:
        year, _, rest = name.partition("-")
        match _kind(name):
            case "month":
                return year, int(rest), name
            case "quarter":
                return year, 3 * int(rest[1:]), name
        return year, 12, name

    return sorted(periods, key=last_month)


def _first(name: str) -> str:
    """The month with which a period begins, in words."""
    first, to, last = period(name).partition(" to ")
    return f"{first} {last.rpartition(' ')[2]}" if to else first


def _last(name: str) -> str:
    return period(name).rpartition(" to ")[2]


def _hidden(release: OpenRelease) -> str:
    hidden = release.hidden()
    rows = [
        [
            short_reason(reason),
            text(sentence),
            f"<code>{marker(reason)}</code>",
            f"{hidden[reason]:,}",
        ]
        for reason, sentence in reasons().items()
    ]
    header = [("Reason", False), ("Why", False), ("In the files", False), ("Figures", True)]
    return (
        "<p>A hidden figure has a mark of its own. It is never shown as 0 and never left empty: 0 "
        "is a figure. Totals, months and earlier releases are looked at together, so that no "
        "hidden figure follows from those shown.</p>"
        + _table("caption-hidden", "Figures hidden, by reason", header, rows)
    )


def _changes(release: OpenRelease, found: tuple[Change, ...], earlier: Earlier | None) -> str:
    if earlier is None:
        missing = release.previous_release_id
        return (
            f"<p>Not compared with the release before, <code>{text(missing)}</code>: its files "
            "were not at hand.</p>"
            if missing
            else "<p>This is the first release.</p>"
        )
    same = earlier.release_id == release.release_id
    again = "Published again, without what is no longer published. " * same
    compared = (
        f"<p>{again}Compared with <code>{text(earlier.release_id)}</code> of "
        f"{day(earlier.made_on)}. "
        "Each change is in "
        '<a href="CHANGELOG.md">CHANGELOG.md</a> and <a href="data/changes.csv">changes.csv</a>.'
        "</p>"
    )
    counts = {kind: sum(change.kind == kind for change in found) for kind in KINDS}
    rows = [[kind, text(MEANINGS[kind]), f"{counts[kind]:,}"] for kind in KINDS]
    header = [("What", False), ("What it means", False), ("How many", True)]
    return compared + _table("caption-changes", "Changes since the release before", header, rows)


def _method(release: OpenRelease) -> str:
    opening = (
        f"<p>The figures are what subcontractors, primes and commissioners reported by "
        f"{day(release.as_of)}. Contracts under embargo are not here, nor is a flag while those it "
        'is about may still reply. <a href="METHOD.md">METHOD.md</a> has every definition in '
        "full.</p>"
    )
    return opening + "".join(map(_definition, release.methods))


def _definition(one: Metric | Flag) -> str:
    kind = "Flag" if isinstance(one, Flag) else "Metric"
    parts = [("Numerator", one.numerator), ("Denominator", one.denominator), ("Unit", one.unit)]
    if one.exclusions:
        parts.append(("Left out", " ".join(one.exclusions)))
    if isinstance(one, Flag):
        parts.append(("What else could explain it", "; ".join(one.other_explanations)))
    told = "".join(f"<dt>{name}</dt><dd>{text(value)}</dd>" for name, value in parts)
    return (
        f"<h3>{kind}: {text(one.title)}</h3><p>{text(one.question)} {text(one.why_it_matters)}</p>"
        f"<dl>{told}</dl>"
    )


def _rules(release: OpenRelease) -> str:
    header = [("Rule", False), ("Value", True), ("Unit", False), ("Standing and source", False)]
    rows = [
        [
            f'{text(rule.title)} <span class="id">{text(rule.id)}</span>',
            text(rule.shown if rule.automatic else f"{rule.number:g}"),
            text(rule.unit),
            text(f"{rule.standing}. {rule.note}".strip()),
        ]
        for rule in release.rules
    ]
    if not rows:
        return ""
    caption = f"The rules in force on {day(release.as_of)}"
    return _table("caption-rules", caption, header, rows)


_FILES = {
    "datapackage.json": "All of it described for programs (Data Package 2)",
    "ocds.json": "The contracts in the Open Contracting Data Standard 1.1",
    "README.md": "How to read the files",
    "METHOD.md": "How the figures are made",
    "CHANGELOG.md": "What changed",
}


def _files(release: OpenRelease, sizes: Mapping[str, int]) -> str:
    titles = dict(_FILES)
    for table in release.tables:
        for ending in ("csv", "json"):
            titles[f"data/{table.id}.{ending}"] = f"{table.title}, {ending.upper()}"
        titles[f"schemas/{table.id}.schema.json"] = f"{table.title}, its columns (Table Schema)"
    rows = [
        [f'<a href="{text(path)}">{text(path)}</a>', text(title), f"{sizes[path]:,}"]
        for path, title in titles.items()
        if path in sizes
    ]
    header = [("File", False), ("What it is", False), ("Bytes", True)]
    licence = release.licence
    free = " You may use the data for any purpose if you name the source." * (licence == OGL)
    return (
        f'<p>Licence: <a href="{text(licence.address)}">{text(licence.name)}</a>.{free}</p>'
        f"<p>How to cite: {_data(citation(release))}</p>"
        + _table("caption-files", "Files beside this page", header, rows)
    )
