"""Where a prime's clients went: to each subcontractor, or kept in house."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from dashboard.theme import PRIME, SUBCONTRACTOR, styled

if TYPE_CHECKING:
    import pandas as pd


def chart(shares: pd.DataFrame) -> alt.LayerChart:
    """A bar for each row, in order: columns name, referrals, share and in_house (yes or no)."""
    base = alt.Chart(shares).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
        x=alt.X("referrals:Q", title="Clients (number)", axis=alt.Axis(tickMinStep=1, tickCount=5)),
        tooltip=[
            alt.Tooltip("name:N", title="Who"),
            alt.Tooltip("referrals:Q", title="Clients", format=",.0f"),
            alt.Tooltip("share:Q", title="Share of all clients", format=".1%"),
        ],
    )
    bars = base.mark_bar(height=20).encode(
        color=alt.condition(alt.datum.in_house, alt.value(PRIME), alt.value(SUBCONTRACTOR))
    )
    figures = base.mark_text(align="left", dx=6).encode(text=alt.Text("share:Q", format=".1%"))
    return styled(alt.layer(bars, figures), height=70 + 28 * len(shares))
