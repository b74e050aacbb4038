"""All money of an offer so far, month by month: mean, 8 runs of 10, and the reserve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import pandas as pd

from dashboard.theme import QUIET, RULE, SUBCONTRACTOR, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metrics.offer_outlook import Range


def chart(balances: Sequence[Range], reserve_pence: int) -> alt.LayerChart:
    """A line in a band, and the line below which the reserve is used up; in pounds."""
    months = pd.DataFrame(
        [
            (month, one.mean_pence / 100, one.low_pence / 100, one.high_pence / 100)
            for month, one in enumerate(balances, start=1)
        ],
        columns=["month", "mean", "low", "high"],
    )
    x = alt.X(
        "month:Q",
        title="Month of the offer",
        axis=alt.Axis(tickMinStep=1, format="d"),
        scale=alt.Scale(domain=[1, max(2, len(balances))], nice=False),
    )
    title = "All money of the offer so far (pounds)"
    y = alt.Y("mean:Q", title=title, axis=alt.Axis(format=",.0f"))
    base = alt.Chart(months)
    band = base.mark_area(opacity=0.22, color=SUBCONTRACTOR).encode(
        x=x, y=alt.Y("low:Q", title=title), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=2.5, color=SUBCONTRACTOR).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("month:Q", title="End of month"),
            alt.Tooltip("mean:Q", title="Mean", format=",.0f"),
            alt.Tooltip("low:Q", title="1 run in 10 below", format=",.0f"),
            alt.Tooltip("high:Q", title="1 run in 10 above", format=",.0f"),
        ],
    )
    marks = pd.DataFrame(
        {"at": [0.0, -reserve_pence / 100], "name": ["", "your reserve is used up"]}
    )
    rules = alt.Chart(marks)
    zero = (
        rules.transform_filter("datum.name == ''")
        .mark_rule(color=QUIET, strokeWidth=1.5)
        .encode(y="at:Q")
    )
    reserve = (
        rules.transform_filter("datum.name != ''")
        .mark_rule(color=RULE, strokeWidth=2, strokeDash=[6, 4])
        .encode(y="at:Q")
    )
    named = (
        rules.transform_filter("datum.name != ''")
        .mark_text(align="right", baseline="bottom", dy=-4, color=RULE, fontWeight=600)
        .encode(y="at:Q", x=alt.value("width"), text="name:N")
    )
    return styled(alt.layer(band, zero, line, reserve, named), height=320)
