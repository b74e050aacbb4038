"""How the dashboard looks, in light and dark: colours, one style for charts, one for text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

# Mid-tones that stand out on white and on near-black alike, and apart for colour-blind eyes.
SUBCONTRACTOR = "#2f7fc1"
PRIME = "#c96a16"
FORECAST = "#7b8794"
QUIET = "#8a95a1"
RULE = "#c8442f"

STATUS_COLOURS = {
    "raised": "#c8442f",
    "watch": "#d99a1c",
    "too_early": "#2f7fc1",
    "not_reported": "#7d6bb3",
    "clear": "#3f8f72",
    "not_applicable": "#9aa4af",
}

_SHARED: dict[str, Any] = {
    "baseRadius": "0.4rem",
    "showWidgetBorder": True,
    "baseFontSize": 16,
    "headingFontSizes": ["2.1rem", "1.45rem", "1.15rem", "1rem", "1rem", "1rem"],
    "headingFontWeights": [650, 600, 600, 600, 600, 600],
    "linkUnderline": True,
}
_LIGHT = {
    "primaryColor": "#1f5f99",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f4f6f8",
    "textColor": "#1c2630",
    "linkColor": "#1f5f99",
    "borderColor": "#d5dbe1",
}
_DARK = {
    "primaryColor": "#2f78b7",
    "backgroundColor": "#12171d",
    "secondaryBackgroundColor": "#1b222a",
    "textColor": "#e7ebef",
    "linkColor": "#86bdeb",
    "borderColor": "#38424d",
}


def options() -> dict[str, Any]:
    """The theme as Streamlit options; the reader's system chooses between light and dark."""
    return (
        {f"theme.{name}": value for name, value in _SHARED.items()}
        | {f"theme.light.{name}": value for name, value in _LIGHT.items()}
        | {f"theme.dark.{name}": value for name, value in _DARK.items()}
    )


_INK = {"light": "#4a5662", "dark": "#b4bec8"}


def inked(chart: alt.Chart | alt.LayerChart, shade: str | None) -> alt.Chart | alt.LayerChart:
    """The chart with words dark or pale enough for the page: "light" or "dark"."""
    ink = _INK.get(shade or "light", _INK["light"])
    coloured = chart.copy()
    for part in (coloured.config.axis, coloured.config.legend):
        part.labelColor = ink
    coloured.config.axis.titleColor = ink
    coloured.config.text.color = ink
    return coloured


def styled(chart: alt.Chart | alt.LayerChart, height: int) -> alt.Chart | alt.LayerChart:
    """The chart in the one style; text and grid take the colours of the page."""
    return (
        chart.properties(height=height, background="transparent")
        .configure_view(strokeWidth=0)
        .configure_axis(
            labelFontSize=13,
            titleFontSize=13,
            titleFontWeight="normal",
            titlePadding=10,
            labelPadding=6,
            domain=False,
            ticks=False,
            gridOpacity=0.6,
        )
        .configure_legend(
            orient="top",
            title=None,
            labelFontSize=13,
            symbolSize=110,
            symbolOpacity=1,
            labelLimit=320,
            columnPadding=18,
            offset=8,
        )
        .configure_text(fontSize=13)
    )


STYLE = Path(__file__).with_name("style.css")
