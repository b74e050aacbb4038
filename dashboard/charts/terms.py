"""Where each prime stands on one measure, and one's own terms among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from dashboard.theme import PRIME, SUBCONTRACTOR, styled

if TYPE_CHECKING:
    import pandas as pd


def chart(primes: pd.DataFrame, own: pd.DataFrame, title: str, pattern: str) -> alt.LayerChart:
    """A point for each row: columns name and value; `own` has a value, or no row."""
    axis = alt.X("value:Q", title=title, axis=alt.Axis(format=pattern), scale=alt.Scale(zero=True))
    base = alt.Chart(primes).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
        x=axis,
        tooltip=[
            alt.Tooltip("name:N", title="Prime"),
            alt.Tooltip("value:Q", title=title, format=pattern),
        ],
    )
    points = base.mark_point(size=120, filled=True, color=PRIME, opacity=1)
    figures = base.mark_text(align="left", dx=10).encode(text=alt.Text("value:Q", format=pattern))
    mine = alt.Chart(own).mark_rule(color=SUBCONTRACTOR, strokeWidth=2, strokeDash=[5, 3])
    return styled(
        alt.layer(mine.encode(x=axis), points, figures), height=70 + 30 * max(1, len(primes))
    )
