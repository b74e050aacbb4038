"""How many agreements and contracts each flag found in which status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from dashboard.theme import STATUS_COLOURS, styled
from dashboard.words import STATUSES

if TYPE_CHECKING:
    import pandas as pd


_TITLE = "Agreements and contracts assessed (number)"
_NARROWEST = 30  # a bar of less than a thirtieth of the longest has no room for its figure
_ON_BARS = "#0d1216"


def chart(counts: pd.DataFrame) -> alt.LayerChart:
    """Bars of one row per flag and status: columns flag, status (in words) and count."""
    words = [STATUSES[status][0] for status in STATUS_COLOURS]
    order = {word: place for place, word in enumerate(words)}
    rows = counts.assign(place=counts["status"].map(order))
    longest = counts.groupby("flag")["count"].sum().max()
    wide_enough = counts["count"] * _NARROWEST >= longest
    rows["figure"] = counts["count"].astype(str).where(wide_enough, "")
    base = alt.Chart(rows).encode(
        y=alt.Y("flag:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
        x=alt.X("count:Q", stack="zero", title=_TITLE, axis=alt.Axis(tickMinStep=1, format="d")),
        order=alt.Order("place:Q"),
        tooltip=[
            alt.Tooltip("flag:N", title="Flag"),
            alt.Tooltip("status:N", title="Status"),
            alt.Tooltip("count:Q", title="Number"),
        ],
    )
    bars = base.mark_bar(height=30).encode(
        color=alt.Color(
            "status:N",
            sort=words,
            scale=alt.Scale(domain=words, range=list(STATUS_COLOURS.values())),
        )
    )
    figures = base.mark_text(color=_ON_BARS, fontWeight=600).encode(
        x=alt.X("count:Q", stack="zero", bandPosition=0.5, title=_TITLE), text="figure:N"
    )
    flag_count = max(counts["flag"].nunique(), 1)
    return styled(alt.layer(bars, figures), height=70 + 52 * flag_count)
