"""Which sectors the money for subcontractors goes to, in a contract beside its programme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from dashboard.theme import FORECAST, SUBCONTRACTOR, styled

if TYPE_CHECKING:
    import pandas as pd


def chart(spend: pd.DataFrame) -> alt.LayerChart:
    """A bar for each sector and whole, in order: columns sector, whole and share."""
    wholes = spend["whole"].drop_duplicates().tolist()
    base = alt.Chart(spend).encode(
        y=alt.Y("sector:N", sort=None, title=None, axis=alt.Axis(labelLimit=200)),
        yOffset=alt.YOffset("whole:N", sort=None),
        x=alt.X(
            "share:Q",
            title="Share of what is payable to subcontractors (per cent)",
            axis=alt.Axis(format=".0%", tickCount=5),
        ),
        tooltip=[
            alt.Tooltip("sector:N", title="Sector"),
            alt.Tooltip("whole:N", title="In"),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
        ],
    )
    bars = base.mark_bar().encode(
        color=alt.Color(
            "whole:N",
            scale=alt.Scale(domain=wholes, range=[SUBCONTRACTOR, FORECAST][: len(wholes)]),
        )
    )
    figures = base.mark_text(align="left", dx=6).encode(text=alt.Text("share:Q", format=".1%"))
    sectors = spend["sector"].nunique()
    return styled(alt.layer(bars, figures), height=80 + 26 * sectors * len(wholes))
