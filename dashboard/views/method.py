"""Method: every flag, metric, check, rule and table, as defined."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import streamlit as st

from checks.catalogue import all_checks
from dashboard.views import markup
from dashboard.words import STATUSES, day, literal
from data.scope import EVERYBODY
from data.tables import TABLES
from data.templates import how_to_fill
from metrics.catalogue import flags, metrics
from metrics.rules import register
from metrics.what_if import value_with_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metrics.definition import Flag, Metric
    from metrics.rules import Rule

Pairs = list[tuple[str, "str | Sequence[str]"]]


def show() -> None:
    """The page."""
    st.title("Method")
    markup.lead(
        "Everything the product counts, checks and holds against a rule, in the words of its own "
        "definitions."
    )
    flag_tab, metric_tab, check_tab, rule_tab, table_tab, scope_tab = st.tabs(
        ["Flags", "Metrics", "Checks", "Rules", "Data standard", "Who sees what"]
    )
    with flag_tab:
        markup.paragraph("A flag holds a metric against a rule. It says look here, never guilty.")
        for place, flag in enumerate(flags()):
            with st.expander(literal(f"{flag.title}: {flag.question}"), expanded=not place):
                markup.facts(_flag(flag))
    with metric_tab:
        markup.paragraph("A metric is a number about an agreement, a contract or an offer.")
        for metric in metrics():
            with st.expander(literal(f"{metric.title}: {metric.question}")):
                markup.facts(_metric(metric))
    with check_tab:
        _checks()
    with rule_tab:
        markup.paragraph(
            "The register of rules. Each has a source; where its primary source was not found, it "
            "says so."
        )
        for rule in register():
            with st.expander(literal(f"{rule.title}: {value_with_unit(rule)}")):
                markup.facts(_rule(rule))
    with table_tab:
        _tables()
    with scope_tab:
        markup.paragraph(
            "An organisation sees each contract in the part it has there. Everybody is told the "
            "same answer about the same agreement, worked out from the whole ledger."
        )
        markup.facts(EVERYBODY.items())


def _metric(metric: Metric | Flag) -> Pairs:
    return [
        ("Why it matters", metric.why_it_matters),
        ("Numerator", metric.numerator),
        ("Denominator", metric.denominator),
        ("Unit", metric.unit),
        ("One per", metric.grain),
        ("Direction", metric.direction),
        ("Left out", metric.exclusions),
        ("Assumed", metric.assumptions),
        ("Source", metric.source),
        ("Name, version", f"{metric.id}, {metric.version}"),
    ]


def _flag(flag: Flag) -> Pairs:
    names = {metric.id: metric.title for metric in metrics()}
    rules = {rule.id: rule.title for rule in register()}
    return [
        ("What it can say", [f"{STATUSES[status][0]}: {when}" for status, when in flag.statuses]),
        *_metric(flag),
        ("What else could explain it", flag.other_explanations),
        ("What to ask next", flag.ask_next),
        ("Rests on the metrics", [names.get(one, one) for one in flag.metrics]),
        ("Uses the rules", [rules.get(one, one) for one in flag.rules]),
    ]


def _rule(rule: Rule) -> Pairs:
    return [
        ("Value", value_with_unit(rule)),
        ("In force from", day(rule.in_force_from) or "always"),
        ("Standing", rule.status),
        ("Source", rule.source),
        ("Primary source", "read" if rule.confirmed else "not found"),
        *([("Note", rule.note)] if rule.note else []),
        ("Name, version", f"{rule.id}, {rule.version}"),
    ]


def _checks() -> None:
    markup.paragraph(
        "A check is one promise about a file. A refusal must be mended; a warning can be true and "
        "is confirmed."
    )
    for family, found in itertools.groupby(all_checks(), key=lambda check: check.family):
        st.subheader(family.capitalize())
        for check in found:
            kind = "refused" if check.severity == "refuse" else "warning"
            with st.expander(literal(f"{check.promise} ({kind})")):
                markup.facts(
                    [
                        ("Why it matters", check.why_it_matters),
                        (
                            "If broken",
                            "the file is refused" if kind == "refused" else "a warning to confirm",
                        ),
                        ("Message", check.message),
                        ("Remedy", check.remedy),
                        ("Name, version", f"{check.id}, {check.version}"),
                    ]
                )


def _tables() -> None:
    markup.paragraph(
        "The seven tables that organisations exchange. The order of columns does not matter."
    )
    for table in TABLES.values():
        with st.expander(literal(f"{table.title}: {table.grain}")):
            markup.paragraph(table.description)
            markup.table(
                f"Columns of {table.id}",
                ("Column", "Needed", "What it is", "How to write it", "Empty means"),
                [
                    (
                        column.id,
                        "yes" if column.required else "no",
                        column.description,
                        how_to_fill(column),
                        column.empty_means,
                    )
                    for column in table.columns
                ],
            )
