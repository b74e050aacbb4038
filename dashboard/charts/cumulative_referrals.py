"""Referrals so far against the forecast so far, each with its band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from dashboard.theme import FORECAST, SUBCONTRACTOR, styled

if TYPE_CHECKING:
    import pandas as pd

RECEIVED = "Received so far, with its exact interval"
FORECAST_SO_FAR = "Forecast so far, with the tolerance"


def chart(sums: pd.DataFrame) -> alt.LayerChart:
    """Two lines and two bands; `sums` as `metrics.cumulative_referrals.cumulative` gives them."""
    rows = sums.assign(label=sums["month"].dt.strftime("%b %Y"))
    labels = rows["label"].tolist()
    x = alt.X(
        "label:N",
        sort=labels,
        title="Month (reported months only)",
        axis=alt.Axis(labelAngle=-45 if len(labels) > 8 else 0, labelOverlap="parity"),
    )
    colour = alt.Color(
        "line:N",
        scale=alt.Scale(domain=[RECEIVED, FORECAST_SO_FAR], range=[SUBCONTRACTOR, FORECAST]),
    )
    title = "Referrals so far (number)"
    tooltip = [
        alt.Tooltip("label:N", title="Up to"),
        alt.Tooltip("observed:Q", title="Received"),
        alt.Tooltip("low:Q", title="Interval from", format=",.1f"),
        alt.Tooltip("high:Q", title="Interval to", format=",.1f"),
        alt.Tooltip("expected:Q", title="Forecast"),
        alt.Tooltip("tolerance_low:Q", title="Tolerance from", format=",.1f"),
        alt.Tooltip("tolerance_high:Q", title="Tolerance to", format=",.1f"),
    ]
    base = alt.Chart(rows)
    last = base.transform_filter(alt.datum.label == labels[-1])
    below = bool(sums["observed"].iloc[-1] < sums["expected"].iloc[-1])
    layers = []
    for line, value, low, high, dash, name in (
        (FORECAST_SO_FAR, "expected", "tolerance_low", "tolerance_high", [6, 4], "forecast"),
        (RECEIVED, "observed", "low", "high", [1, 0], "received"),
    ):
        named = base.transform_calculate(line=f"'{line}'")
        layers += [
            named.mark_area(opacity=0.2).encode(
                x=x, y=alt.Y(f"{low}:Q", title=title), y2=f"{high}:Q", color=colour
            ),
            named.mark_line(
                strokeWidth=2.5, strokeDash=dash, point=alt.OverlayMarkDef(size=45, filled=True)
            ).encode(x=x, y=alt.Y(f"{value}:Q", title=title), color=colour, tooltip=tooltip),
            last.transform_calculate(line=f"'{line}'", name=f"'{name}'")
            .mark_text(
                align="left", dx=10, dy=9 if (name == "received") == below else -9, fontWeight=600
            )
            .encode(x=x, y=f"{value}:Q", text="name:N", color=colour),
        ]
    return styled(alt.layer(*layers), height=300)
