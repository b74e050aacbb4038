"""How many payments took how many days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from dashboard.theme import FORECAST, SUBCONTRACTOR, styled

if TYPE_CHECKING:
    import pandas as pd

UNPAID = "Not paid yet"


def chart(bands: pd.DataFrame) -> alt.LayerChart:
    """Bars of one row per band, in order: columns band and payments."""
    base = alt.Chart(bands).encode(
        y=alt.Y("band:N", sort=None, title=None, axis=alt.Axis(labelLimit=200)),
        x=alt.X("payments:Q", title="Payments (number)", axis=alt.Axis(tickMinStep=1, tickCount=5)),
        tooltip=[
            alt.Tooltip("band:N", title="Waited"),
            alt.Tooltip("payments:Q", title="Payments"),
        ],
    )
    bars = base.mark_bar(height=24).encode(
        color=alt.condition(alt.datum.band == UNPAID, alt.value(FORECAST), alt.value(SUBCONTRACTOR))
    )
    figures = base.mark_text(align="left", dx=6).encode(text="payments:Q")
    return styled(alt.layer(bars, figures), height=190)
