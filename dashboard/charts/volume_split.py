"""From the forecast to what was received: what the volume did, then what the allocation did."""

from __future__ import annotations

import altair as alt
import pandas as pd

from dashboard.theme import FORECAST, PRIME, QUIET, SUBCONTRACTOR, styled
from dashboard.words import more_or_fewer
from metrics.wording import figure

STEPS = ("Forecast", "Commissioner's volume", "Prime's allocation", "Received")


def chart(
    forecast: float, volume_effect: float, allocation_effect: float, observed: float
) -> alt.LayerChart:
    """Four bars in referrals, each beginning where the one before ended; the first and last at 0.

    forecast + volume_effect + allocation_effect = observed.
    """
    of_intake = forecast + volume_effect
    rows = pd.DataFrame(
        {
            "step": STEPS,
            "start": [0.0, forecast, of_intake, 0.0],
            "end": [forecast, of_intake, observed, observed],
            "label": [
                figure(forecast),
                more_or_fewer(volume_effect),
                more_or_fewer(allocation_effect),
                figure(observed),
            ],
        }
    )
    rows["top"] = rows[["start", "end"]].max(axis=1)
    rows["next"] = [*STEPS[1:], STEPS[-1]]
    x = alt.X("step:N", sort=list(STEPS), title=None, axis=alt.Axis(labelAngle=0, labelLimit=220))
    title = "Referrals (number)"
    base = alt.Chart(rows).encode(
        x=x,
        tooltip=[alt.Tooltip("step:N", title="Step"), alt.Tooltip("label:N", title="Referrals")],
    )
    bars = base.mark_bar(size=90).encode(
        y=alt.Y("start:Q", title=title, scale=alt.Scale(zero=True)),
        y2="end:Q",
        color=alt.Color(
            "step:N",
            legend=None,
            scale=alt.Scale(domain=list(STEPS), range=[FORECAST, QUIET, PRIME, SUBCONTRACTOR]),
        ),
    )
    joins = (
        alt.Chart(rows[:-1])
        .mark_rule(strokeDash=[3, 3], color=QUIET)
        .encode(x=x, x2="next:N", y=alt.Y("end:Q", title=title))
    )
    labels = base.mark_text(dy=-9, fontWeight=600).encode(
        y=alt.Y("top:Q", title=title), text="label:N"
    )
    return styled(alt.layer(joins, bars, labels), height=280)
