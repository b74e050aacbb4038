"""What became of the commissioner's pound, and the fee with its interval against the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import pandas as pd

from dashboard.theme import FORECAST, PRIME, QUIET, RULE, SUBCONTRACTOR, styled
from metrics.wording import share

if TYPE_CHECKING:
    from collections.abc import Sequence


def parts(steps: Sequence[tuple[str, float]]) -> alt.LayerChart:
    """One bar each for what was received, what is payable and what is paid, in pounds."""
    rows = pd.DataFrame(steps, columns=["step", "pounds"])
    base = alt.Chart(rows).encode(
        y=alt.Y("step:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
        x=alt.X("pounds:Q", title="Pounds", axis=alt.Axis(format=",.0f", tickCount=5)),
        tooltip=[
            alt.Tooltip("step:N", title="What"),
            alt.Tooltip("pounds:Q", title="Pounds", format=",.2f"),
        ],
    )
    bars = base.mark_bar(height=28).encode(
        color=alt.Color(
            "step:N",
            legend=None,
            scale=alt.Scale(domain=rows["step"].tolist(), range=[PRIME, SUBCONTRACTOR, FORECAST]),
        )
    )
    figures = base.mark_text(align="left", dx=6).encode(text=alt.Text("pounds:Q", format=",.0f"))
    return styled(alt.layer(bars, figures), height=170)


def interval(fees: pd.DataFrame, rule: float) -> alt.LayerChart:
    """The fee of each client group and of all, from low to high, beside the line of the rule.

    Columns group, low and high (shares).
    """
    scale = alt.Scale(
        domain=[min(0.0, float(fees["low"].min())), max(rule, float(fees["high"].max()))], nice=True
    )
    base = alt.Chart(fees).encode(
        y=alt.Y("group:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
        tooltip=[
            alt.Tooltip("group:N", title="Client group"),
            alt.Tooltip("low:Q", title="If everything payable gets paid", format=".1%"),
            alt.Tooltip("high:Q", title="If what is unpaid stays unpaid", format=".1%"),
        ],
    )
    x = alt.X(
        "low:Q",
        title="Share of the commissioner's money that the prime keeps (per cent)",
        scale=scale,
        axis=alt.Axis(format=".0%", tickCount=6),
    )
    spans = base.mark_rule(strokeWidth=5, color=PRIME, opacity=0.45).encode(x=x, x2="high:Q")
    lows = base.mark_point(filled=True, size=130, color=PRIME, opacity=1).encode(x=x)
    layers = alt.layer(spans, lows, *_limit(rule, scale))
    return styled(layers, height=60 + 34 * len(fees))


def compared(fees: pd.DataFrame, rule: float) -> alt.LayerChart:
    """The fee as agreed, as the events show it and as cash totals alone would, beside the rule.

    Columns name and fee, and low and high of an interval over other clients (shares; null where
    there is none). One row each, in the order given.
    """
    shares = fees[["fee", "low", "high"]]
    ends = [min(0.0, rule, float(shares.min().min())), max(rule, float(shares.max().max()))]
    scale = alt.Scale(domain=ends, nice=True)
    base = alt.Chart(fees).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
        tooltip=[
            alt.Tooltip("name:N", title="Which fee"),
            alt.Tooltip("fee:Q", title="Fee", format=".1%"),
            alt.Tooltip("low:Q", title="Over other clients, from", format=".1%"),
            alt.Tooltip("high:Q", title="to", format=".1%"),
        ],
    )
    x = alt.X(
        "fee:Q",
        title="Share of the commissioner's money that the prime keeps (per cent)",
        scale=scale,
        axis=alt.Axis(format=".0%", tickCount=6),
    )
    spans = (
        base.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=5, color=QUIET, opacity=0.45)
        .encode(x=alt.X("low:Q", scale=scale), x2="high:Q")
    )
    dots = base.mark_point(filled=True, size=130, color=PRIME, opacity=1).encode(x=x)
    return styled(alt.layer(dots, spans, *_limit(rule, scale)), height=60 + 34 * len(fees))


def _limit(rule: float, scale: alt.Scale) -> tuple[alt.Chart, alt.Chart]:
    """The line of the rule and its name."""
    line = pd.DataFrame({"rule": [rule], "name": [f"rule: {share(rule)}"]})
    drawn = (
        alt.Chart(line)
        .mark_rule(color=RULE, strokeWidth=2, strokeDash=[6, 4])
        .encode(x=alt.X("rule:Q", scale=scale))
    )
    named = (
        alt.Chart(line)
        .mark_text(align="left", baseline="bottom", dx=5, color=RULE, fontWeight=600)
        .encode(x=alt.X("rule:Q", scale=scale), y=alt.value(-4), text="name:N")
    )
    return drawn, named
