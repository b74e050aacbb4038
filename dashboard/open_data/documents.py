"""The documents beside the data, in Markdown: README, METHOD and CHANGELOG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dashboard.open_data.answered_flags import NOBODY, answered_flags, citation
from dashboard.open_data.cells import marker, seen
from dashboard.open_data.changes import KINDS, MEANINGS
from dashboard.open_data.release import reasons, short_reason
from dashboard.words import day
from metrics.definition import Flag
from metrics.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dashboard.open_data.changes import Change, Earlier
    from dashboard.open_data.release import OpenRelease, OpenTable
    from metrics.definition import Metric
    from metrics.rules import Rule

MOST_LINES = 200  # of one kind of change in one table; all of them are in data/changes.csv
_JOINER = "\u2060"
_CHANGELOG = "# Changelog\n"
_SECTION = "\n## "


def markdown(value: object) -> str:
    """Data as text within a line of Markdown: shown as written, and readable without rendering.

    What Markdown would follow is escaped; an invisible joiner breaks what would become a link, a
    mention or a symbol all the same.
    """
    line = " ".join(seen(value).split())
    escaped = re.sub(r"([\\`*_{}\[\]<>#|~!&@:$])", r"\\\1", line)
    return re.sub(r"(\\[:@#]|www)", rf"\1{_JOINER}", escaped, flags=re.IGNORECASE)


def grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; cells hold Markdown."""
    lines = [list(header), ["---"] * len(header), *(list(row) for row in rows)]
    cells = [[re.sub(r"(?<!\\)\|", r"\|", cell) for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def readme(release: OpenRelease, has_ocds: bool) -> str:
    """What the package is, what is in it, how to read it, the flags with replies, the licence."""
    licence = release.licence
    previous = f", after `{release.previous_release_id}`" if release.previous_release_id else ""
    parts = [
        f"# {markdown(release.title)}\n",
        f"Published by {markdown(release.publisher_name)} (`{release.publisher_id}`). Release "
        f"`{release.release_id}` of {day(release.made_on)}{previous}: what was known on "
        f"{day(release.as_of)}.\n",
        "Open `index.html` in a browser to read all of it; it needs no connection. `METHOD.md` "
        "says how the figures are made and what is hidden, `CHANGELOG.md` what changed since the "
        "release before.\n",
        "## Files\n",
        grid(
            ("file", "what it is", "rows"),
            [
                (
                    f"`data/{t.id}.csv`, `data/{t.id}.json`",
                    f"{t.title}: {t.grain}",
                    f"{len(t.rows)}",
                )
                for t in release.tables
            ]
            + (
                [("`ocds.json`", "The contracts in the Open Contracting Data Standard 1.1", "")]
                if has_ocds
                else []
            )
            + [("`datapackage.json`", "All of it described for programs (Data Package 2)", "")],
        ),
        "`frictionless validate datapackage.json` checks every file against its hash, the kinds of "
        "its columns and the rows that it points to.\n",
        "## How to read a cell\n",
        f"- An **empty** cell (`null` in JSON) means that nobody reported a figure, or that there "
        f"is nothing to say. It is not zero.\n"
        f"- **`{marker('…')}`** means that there is a figure and that it is hidden, and why. It is "
        "not zero and not empty.\n"
        "- **`0`** means zero.\n"
        "- In CSV, text that a spreadsheet would run as a formula has an apostrophe (`'`) before "
        "it. JSON has it as written.\n"
        "- A share is `0.15` for 15 %, a day `2012-03-31`, a month `2012-03`, a quarter "
        "`2012-Q1`.\n",
        "## Columns\n",
        *(_columns(table) for table in release.tables),
        "## What is hidden\n",
        hidden_counts(release),
        *_flags(release),
        "## Licence\n",
        f"{licence.name} ({licence.id}): {licence.address}\n",
        "## How to cite\n",
        f"{markdown(citation(release))}\n",
    ]
    return "\n".join(parts)


def _columns(table: OpenTable) -> str:
    rows = [
        (
            f"**{field.id}**" if field.required else field.id,
            field.kind,
            f"{field.title}. {field.description}",
        )
        for field in table.fields
    ]
    return (
        f"### {table.title} (`{table.id}`)\n\n{table.description} Grain: {table.grain}. Key: "
        f"{', '.join(f'`{name}`' for name in table.key)}. A **bold** column is never empty.\n\n"
        f"{grid(('column', 'kind', 'what it is'), rows)}"
    )


def hidden_counts(release: OpenRelease) -> str:
    """How many figures are hidden, and why, as a Markdown table."""
    hidden = release.hidden()
    if not hidden:
        return "No figure of this release is hidden.\n"
    rows = [
        (f"`{marker(reason)}`", sentence, f"{hidden[reason]}")
        for reason, sentence in reasons().items()
    ]
    return (
        f"{count(hidden.total(), 'figure')} hidden, so that nobody can work out a figure of single "
        "people or of a single subcontractor. The same rules hold for charities, companies and "
        f"public bodies.\n\n{grid(('mark', 'why', 'figures'), rows)}"
    )


def _flags(release: OpenRelease) -> list[str]:
    parts = [
        "## Published flags, and what those they are about reply\n",
        "A flag says look here; it does not say who is at fault. Each was put to those it is "
        "about, and they had time to answer, before it was published.\n",
    ]
    for flag in answered_flags(release):
        about = ", ".join(markdown(name) for name in flag.about)
        decision = f" The network: {markdown(flag.decision)}" if flag.decision else ""
        parts.append(
            f"### {markdown(flag.title)}: contract {markdown(flag.contract_id)}, {about}\n\n"
            f"The flag says: {markdown(flag.statement)}\n\n"
            f"Published on {markdown(flag.published_on)}.{decision}\n\n"
            + (
                "".join(
                    f"- {markdown(reply.by)} {markdown(reply.stance)}, {markdown(reply.on)}"
                    + (f": {markdown(reply.said)}\n" if reply.said else ".\n")
                    for reply in flag.replies
                )
                or f"- {NOBODY}\n"
            )
        )
    return parts if len(parts) > 2 else [*parts, "No flag has been published.\n"]


def method(release: OpenRelease) -> str:
    """How figures come about: metrics and flags, rules with their standing, what is hidden."""
    metrics = [one for one in release.methods if not isinstance(one, Flag)]
    flags = [one for one in release.methods if isinstance(one, Flag)]
    hidden_where = [
        (f"`{table.id}`", short_reason(reason), f"{number}")
        for table in release.tables
        for reason, number in sorted(table.hidden().items())
    ]
    parts = [
        f"# How release `{release.release_id}` was made\n",
        f"The figures are what subcontractors, primes and commissioners reported by "
        f"{day(release.as_of)}. Rows of reports, names of people and contracts under embargo are "
        "not in it, nor is a flag while those it is about may still reply.\n",
        "## What is hidden, and why\n",
        hidden_counts(release),
        grid(("table", "why", "figures"), hidden_where) if hidden_where else "",
        "A hidden figure has a mark of its own. It is never shown as 0 and never left empty: 0 is "
        "a figure, and an empty cell says that nobody reported one. Totals, months and earlier "
        "releases are looked at together, so that no hidden figure follows from those shown.\n",
        "## Flags and replies\n",
        "A flag is a figure held against a rule. It says look here, never guilty. It is published "
        "by decision of the network, after those it is about had time to answer, and always beside "
        "their replies: table `replies`, which points to `flags`.\n",
        "## Metrics\n",
        *map(_definition, metrics),
        "## Flags\n",
        *map(_definition, flags),
        "## Rules\n",
        "Every number that decides what is flagged or hidden, as it was in force on "
        f"{day(release.as_of)}.\n",
        grid(
            ("rule", "title", "value", "unit", "from", "standing and source", "note"),
            map(_rule, release.rules),
        ),
    ]
    return "\n".join(part for part in parts if part)


def _definition(one: Metric | Flag) -> str:
    text = (
        f"### {one.title} (`{one.id}`, version {one.version})\n\n"
        f"{one.question} {one.why_it_matters}\n\n"
        f"- Numerator: {one.numerator}\n- Denominator: {one.denominator}\n- Unit: {one.unit}\n"
        f"- Grain: {one.grain}\n- Direction: {one.direction}\n- Source: {one.source}\n"
    )
    lists = [("Left out", one.exclusions), ("Assumed", one.assumptions)]
    if isinstance(one, Flag):
        text += f"- Rules: {', '.join(f'`{rule}`' for rule in one.rules)}\n"
        lists.append(("What else could explain it", one.other_explanations))
    for title, lines in lists:
        if lines:
            text += f"\n{title}:\n\n" + "".join(f"- {line}\n" for line in lines)
    return text


def _rule(rule: Rule) -> tuple[str, ...]:
    return (
        f"`{rule.id}`",
        rule.title,
        str(rule.shown) if rule.automatic else f"{rule.number:g}",
        rule.unit,
        str(rule.in_force_from or "always"),
        rule.standing,
        rule.note,
    )


def changelog(
    release: OpenRelease,
    earlier: Earlier | None,
    found: tuple[Change, ...],
    columns: Iterable[str] = (),
) -> str:
    """What this release changed, above what the releases before it changed."""
    head = f"{_SECTION}{release.release_id}, {day(release.made_on)}\n\n"
    if earlier is None:
        missing = release.previous_release_id
        first = (
            f"Not compared: the files of the release before, `{missing}`, were not at hand.\n"
            if missing
            else "The first release.\n"
        )
        return _CHANGELOG + head + first
    compared = f"Compared with `{earlier.release_id}` of {day(earlier.made_on)}. "
    if earlier.release_id == release.release_id:
        compared = "Published again, without what is no longer published. "
    elif release.previous_release_id not in (None, earlier.release_id):
        compared += f"It is not the one before, which is `{release.previous_release_id}`. "
    carried = _in_brief(earlier.changelog)
    lines = [*(f"- {sentence}\n" for sentence in columns), *_changes(release, found)]
    body = "".join(lines) if lines else "Nothing in the tables changed.\n"
    return f"{_CHANGELOG}{head}{compared}{_tally(found)}\n\n{body}{carried}"


def _in_brief(text: str) -> str:
    """The releases before, each with its count of changes only.

    What they changed in detail may be about a contract that has become confidential since.
    """
    told = ""
    for section in text.removeprefix(_CHANGELOG).split(_SECTION)[1:]:
        heading, _, compared = section.split("\n")[:3]
        told += f"{_SECTION}{heading}\n\n{compared}\n"
    return told


def _tally(found: tuple[Change, ...]) -> str:
    counts = [(kind, sum(change.kind == kind for change in found)) for kind in KINDS]
    return "; ".join(f"{kind}: {number:,}" for kind, number in counts if number) + (
        "." if found else ""
    )


def _changes(release: OpenRelease, found: tuple[Change, ...]) -> list[str]:
    lines = []
    for kind in KINDS:
        for table in dict.fromkeys(change.table for change in found if change.kind == kind):
            mine = [change for change in found if (change.table, change.kind) == (table, kind)]
            known = release.table(table)
            title = known.title if known else table
            lines.append(f"\n### {title}: {kind} ({len(mine):,})\n\n{MEANINGS[kind]}\n\n")
            told = [change for change in mine if change.row]
            lines += [_change(change) for change in told[:MOST_LINES]]
            if len(told) > MOST_LINES:
                lines.append(f"- and {len(told) - MOST_LINES:,} more, in `data/changes.csv`\n")
            if unnamed := len(mine) - len(told):
                lines.append(f"- {count(unnamed, 'row')} of what is no longer published\n")
    return lines


def _change(change: Change) -> str:
    row = ", ".join(markdown(part) for part in change.row)
    if not change.field:
        return f"- {row}\n"
    before, after = (markdown(one) or "nothing" for one in (change.before, change.after))
    return f"- {row}: `{change.field}` was {before}, is {after}\n"
