"""The pages of documentation that are made from definitions: `python -m dashboard.documentation`.

With `--check` nothing is written, and the exit code is 1 if a page is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from checks.catalogue import FAMILIES, all_checks
from dashboard.paths import rules
from data.audit import ACTIONS
from data.scope import EVERYBODY, PARTS
from data.tables import TABLES
from data.templates import how_to_fill
from metrics.catalogue import flags, metrics
from metrics.merlin import PRINCIPLES, STANDING
from metrics.notices.catalogue import templates
from metrics.rules import register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).resolve().parent.parent
MADE = "<!-- Made from the definitions by `python -m dashboard.documentation`; do not edit. -->\n"


def grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [list(header), ["---"] * len(header), *(list(row) for row in rows)]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def tables_page() -> str:
    """The seven tables, column by column."""
    parts = [
        "# The tables\n",
        "Every column of the seven tables. Templates and Table Schema descriptors of each come "
        "from `fairtier templates DIR`. A **bold** column is required.\n",
    ]
    for table in TABLES.values():
        month = table.month_of
        replaced = f"the months covered, by `{month}`" if month else "the whole register"
        if table.version:
            replaced += f", where `{table.version}` is the same"
        parts += [
            f"## {table.title}: `{table.id}`\n",
            f"{table.description} Grain: {table.grain}. A new return replaces its reporter's "
            f"earlier one for {replaced}.\n",
            grid(
                ("column", "what it is", "how to write it", "empty means", "example"),
                (
                    (
                        f"**{column.id}**" if column.required else column.id,
                        column.description,
                        how_to_fill(column),
                        column.empty_means or ("refused" if column.required else "not known"),
                        f"`{column.example}`",
                    )
                    for column in table.columns
                ),
            ),
        ]
    return "\n".join(parts)


def checks_page() -> str:
    """Every check, family by family."""
    parts = [
        "# The checks\n",
        "A file passes through every check that applies to it. `refuse`: the file is not taken "
        "until it is mended. `warn`: it can be true; it is shown and recorded.\n",
    ]
    for family in FAMILIES:
        rows = [
            (f"`{check.id}`", check.severity, check.promise, check.why_it_matters, check.remedy)
            for check in all_checks()
            if check.family == family
        ]
        parts += [
            f"## {family}\n",
            grid(("check", "severity", "what is so in a file that passes", "why", "remedy"), rows),
        ]
    return "\n".join(parts)


def sentences(title: str, lines: Sequence[str]) -> str:
    """A list under a heading of its own line, or nothing."""
    return f"{title}:\n\n" + "".join(f"- {line}\n" for line in lines) if lines else ""


def metrics_page() -> str:
    """Every metric, flag and rule."""
    parts = ["# The metrics, flags and rules\n", "## Metrics\n"]
    for metric in metrics():
        parts += [
            f"### {metric.title} (`{metric.id}`, version {metric.version})\n",
            f"{metric.question} {metric.why_it_matters}\n",
            f"- Numerator: {metric.numerator}\n- Denominator: {metric.denominator}\n"
            f"- Unit: {metric.unit}\n- Grain: {metric.grain}\n- Direction: {metric.direction}\n"
            f"- Source: {metric.source}\n",
            sentences("Left out", metric.exclusions),
            sentences("Assumed", metric.assumptions),
        ]
    parts.append("## Flags\n\nA flag says look here, never guilty.\n")
    for flag in flags():
        parts += [
            f"### {flag.title} (`{flag.id}`, version {flag.version})\n",
            f"{flag.question} {flag.why_it_matters}\n",
            f"- Numerator: {flag.numerator}\n- Denominator: {flag.denominator}\n"
            f"- Unit: {flag.unit}\n- Grain: {flag.grain}\n- Direction: {flag.direction}\n"
            f"- Rules: {', '.join(f'`{rule}`' for rule in flag.rules)}\n- Source: {flag.source}\n",
            grid(("status", "when"), ((f"`{status}`", when) for status, when in flag.statuses)),
            sentences("What else could explain it", flag.other_explanations),
            sentences("What to ask next", flag.ask_next),
            sentences("Left out", flag.exclusions),
            sentences("Assumed", flag.assumptions),
        ]
    parts += [
        "## Rules\n",
        "Every number a flag uses, from the dated register `rules.toml`. Any of them can be "
        "overridden: `fairtier flags --rule management_fee=0.20`.\n",
        grid(
            ("rule", "title", "value", "unit", "from", "standing", "source", "note"),
            (
                (
                    f"`{rule.id}`",
                    rule.title,
                    str(rule.shown) if rule.automatic else f"{rule.number:g}",
                    rule.unit,
                    str(rule.in_force_from or "always"),
                    rule.status + ("" if rule.confirmed else " (primary source not found)"),
                    rule.source,
                    rule.note,
                )
                for rule in register()
            ),
        ),
    ]
    return "\n".join(part for part in parts if part)


def access_page() -> str:
    """Who may see and do what, and who may ask the server for which address."""
    tables = [table for table in TABLES if table in PARTS[0].rows]
    parts = [
        "# Who may see what\n",
        "An organisation acts in each contract in the part that the registers in force give it "
        "there: it may be a prime in one and a subcontractor in another, and sees each with that "
        "part's eyes only. Flags are worked out from the whole ledger, so that everybody is told "
        "the same answer, and shown to those whose agreement or contract they are about.\n",
        grid(("who", "what"), EVERYBODY.items()),
        "## Rows of the tables\n",
        "One's own returns are always one's own to see. Organisations are seen where one has a "
        "contract with them; returns as received by their reporter only.\n",
        grid(
            ("part in a contract", *(f"`{table}`" for table in tables)),
            ((part.title, *(part.rows[table] for table in tables)) for part in PARTS),
        ),
        "## Addresses of the server\n",
        "The gate answers nothing that this table does not list, and the first line that fits "
        "decides. `nobody` is refused to everybody.\n",
        grid(
            ("address", "methods", "who", "why"),
            (
                (f"`{rule.path}`", ", ".join(rule.methods), rule.who.replace("_", " "), rule.why)
                for rule in rules()
            ),
        ),
        "## Acts in the audit\n",
        grid(("act", "what it is"), ((f"`{name}`", told) for name, told in ACTIONS.items())),
    ]
    return "\n".join(parts)


def letters_page() -> str:
    """Every kind of letter, and what goes with which Merlin principle."""
    known = [one.notice for one in templates()]
    parts = [
        "# Letters and evidence\n",
        "## Letters\n",
        "Letters made from the data for people to edit and send: `fairtier notice KIND CONTRACT "
        "[SUBCONTRACTOR] --out FILE`, and the page Letters. Only the party that writes one may "
        "make it, or the network for it. What the data does not know stands in [square "
        "brackets].\n",
        grid(
            ("letter", "title", "from", "to", "when to send it", "source", "what that is worth"),
            (
                (
                    f"`{one.id}`",
                    one.title,
                    one.writer,
                    one.reader,
                    one.when_to_send,
                    one.source or "none",
                    one.standing,
                )
                for one in known
            ),
        ),
        "## Evidence by Merlin principle\n",
        "`fairtier merlin PRIME --out FILE`. " + " ".join(STANDING) + "\n",
        grid(
            ("principle", "what is offered", "why", "what a prime could add"),
            (
                (
                    one.name,
                    (each and f"{each.kind} `{each.id}`") or "nothing",
                    each.why if each else "no figure goes with it",
                    " ".join(one.of_its_own) if place == 0 else "",
                )
                for one in PRINCIPLES
                for place, each in enumerate(one.mapped or (None,))
            ),
        ),
    ]
    return "\n".join(parts)


PAGES: dict[str, Callable[[], str]] = {
    "data/tables/README.md": tables_page,
    "checks/README.md": checks_page,
    "metrics/README.md": metrics_page,
    "docs/access.md": access_page,
    "docs/letters.md": letters_page,
}


def stale_pages() -> list[str]:
    """The pages that differ from what the definitions say now."""
    return [
        name
        for name, make in PAGES.items()
        if not (ROOT / name).is_file()
        or (ROOT / name).read_text(encoding="utf-8") != MADE + "\n" + make()
    ]


def main(arguments: Sequence[str]) -> int:
    """Write the stale pages, or with --check only name them."""
    stale = stale_pages()
    if "--check" in arguments:
        for name in stale:
            print(f"{name} is stale: run `python -m dashboard.documentation`.")
        return bool(stale)
    for name in stale:
        (ROOT / name).write_text(MADE + "\n" + PAGES[name](), encoding="utf-8", newline="\n")
        print(f"{name} written.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
