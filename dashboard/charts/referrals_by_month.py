"""Referrals of each month as both sides report them, against the forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import pandas as pd

from dashboard.theme import FORECAST, PRIME, QUIET, SUBCONTRACTOR, styled
from dashboard.words import SIDES

if TYPE_CHECKING:
    from collections.abc import Sequence

FORECAST_NAME = "Forecast"


def chart(months: pd.DataFrame, sides: Sequence[str]) -> alt.LayerChart:
    """Bars for the sides' counts, a stroke for the forecast, a band where nobody reported.

    `months` as `agreement_months` gives them; `sides` of "subcontractor" and "prime" to draw.
    """
    rows = months.assign(label=months["month"].dt.strftime("%b %Y"))
    labels = rows["label"].tolist()
    columns = {"subcontractor": "observed_sub", "prime": "observed_prime"}
    names = [SIDES[side] for side in sides]
    counts = pd.concat(
        [
            pd.DataFrame(
                {"label": rows["label"], "side": SIDES[side], "referrals": rows[columns[side]]}
            )
            for side in sides
        ]
    ).dropna(subset=["referrals"])
    counts["referrals"] = counts["referrals"].astype("int64")
    forecast = rows.loc[rows["expected"].notna(), ["label", "expected"]].assign(side=FORECAST_NAME)
    forecast["expected"] = forecast["expected"].astype("int64")
    unreported = rows.loc[~rows["reported"], ["label"]].assign(note="not reported")
    x = alt.X(
        "label:N",
        sort=labels,
        title="Month",
        scale=alt.Scale(domain=labels, paddingInner=0.25),
        axis=alt.Axis(labelAngle=-45 if len(labels) > 8 else 0, labelOverlap="parity"),
    )
    colour = alt.Color(
        "side:N",
        scale=alt.Scale(
            domain=[*names, FORECAST_NAME],
            range=[*({"subcontractor": SUBCONTRACTOR, "prime": PRIME}[s] for s in sides), FORECAST],
        ),
    )
    title = "Referrals (number)"
    bars = (
        alt.Chart(counts)
        .mark_bar()
        .encode(
            x=x,
            xOffset=alt.XOffset("side:N", sort=names, scale=alt.Scale(domain=names)),
            y=alt.Y("referrals:Q", title=title, axis=alt.Axis(tickMinStep=1)),
            color=colour,
            tooltip=[
                alt.Tooltip("label:N", title="Month"),
                alt.Tooltip("side:N", title="Reported in"),
                alt.Tooltip("referrals:Q", title="Referrals"),
            ],
        )
    )
    strokes = (
        alt.Chart(forecast)
        .mark_tick(thickness=3, orient="horizontal", bandSize=36)
        .encode(
            x=x,
            y=alt.Y("expected:Q", title=title),
            color=colour,
            tooltip=[
                alt.Tooltip("label:N", title="Month"),
                alt.Tooltip("expected:Q", title="Referrals forecast"),
            ],
        )
    )
    bands = (
        alt.Chart(unreported)
        .mark_bar(color=QUIET, opacity=0.16)
        .encode(x=x, y=alt.value(0), y2=alt.value("height"))
    )
    notes = (
        alt.Chart(unreported)
        .mark_text(angle=270, align="left", baseline="middle", dx=8)
        .encode(x=x, y=alt.value("height"), text="note:N")
    )
    layers = [bars, strokes] if unreported.empty else [bands, bars, strokes, notes]
    return styled(alt.layer(*layers), height=280)
