"""How many clients of each group start, and how many of those find work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from dashboard.theme import PRIME, SUBCONTRACTOR, styled

if TYPE_CHECKING:
    import pandas as pd

START, OUTCOME = "Starts for each referral", "Job outcomes for each start"


def chart(rates: pd.DataFrame) -> alt.LayerChart:
    """A mark for each client group and rate, in order: columns group, rate_of and rate."""
    top = max(1.0, float(rates["rate"].max()))
    base = alt.Chart(rates).encode(
        y=alt.Y("group:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
        yOffset=alt.YOffset("rate_of:N", sort=[START, OUTCOME]),
        x=alt.X(
            "rate:Q",
            title="Rate (per cent)",
            scale=alt.Scale(domain=[0, top]),
            axis=alt.Axis(format=".0%", tickCount=5),
        ),
        tooltip=[
            alt.Tooltip("group:N", title="Client group"),
            alt.Tooltip("rate_of:N", title="Rate"),
            alt.Tooltip("rate:Q", title="Per cent", format=".1%"),
        ],
    )
    bars = base.mark_bar().encode(
        color=alt.Color(
            "rate_of:N", scale=alt.Scale(domain=[START, OUTCOME], range=[SUBCONTRACTOR, PRIME])
        )
    )
    figures = base.mark_text(align="left", dx=6).encode(text=alt.Text("rate:Q", format=".1%"))
    return styled(alt.layer(bars, figures), height=80 + 46 * rates["group"].nunique())
