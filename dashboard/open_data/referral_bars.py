"""A picture of the clients of a whole contract, period by period, beside what was forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.open_data.cells import number, period
from dashboard.words import text

if TYPE_CHECKING:
    from collections.abc import Sequence

_BAR, _STEP, _HEIGHT, _TOP, _LEFT, _LETTERS = 30, 48, 120, 22, 8, 18


@dataclass(frozen=True)
class Bar:
    """One period: what came and what was forecast, None where there is no figure to show."""

    period: str
    referrals: float | None
    is_hidden: bool
    forecast: float | None


def words(bars: Sequence[Bar]) -> str:
    """The picture in a sentence: the first and last period, the most, and what is not shown."""
    shown = [bar for bar in bars if bar.referrals is not None]
    most = max(shown, key=lambda bar: bar.referrals or 0)
    both = [bar for bar in shown if bar.forecast is not None]
    fewer = sum((bar.referrals or 0) < (bar.forecast or 0) for bar in both)
    hidden = sum(bar.is_hidden for bar in bars)
    silent = len(bars) - len(shown) - hidden
    told = [
        f"Bars for {len(bars)} periods from {period(bars[0].period)} to {period(bars[-1].period)}",
        f"the most in {period(most.period)}, {number(most.referrals or 0)}",
    ]
    if both:
        told.append(f"below the forecast in {fewer} of the {len(both)} that have both figures")
    if hidden:
        told.append(f"{hidden} hidden")
    if silent:
        told.append(f"{silent} not reported")
    return "; ".join(told) + "."


def picture(bars: Sequence[Bar], label: str) -> str:
    """The bars as SVG with a text alternative; empty where a table says as much.

    Bars are grey or blue, forecasts a line across, hidden ones dashed with an H: shapes tell
    them apart, so it reads in black and white.
    """
    values = [v for bar in bars for v in (bar.referrals, bar.forecast) if v is not None]
    if sum(bar.referrals is not None for bar in bars) < 3 or not any(values):
        return ""
    scale = _HEIGHT / max(values)
    floor = _TOP + _HEIGHT
    width = 2 * _LEFT + _STEP * len(bars)
    parts = [f'<line class="axis" x1="0" y1="{floor}" x2="{width}" y2="{floor}"/>']
    for place, bar in enumerate(bars):
        left = _LEFT + place * _STEP + (_STEP - _BAR) // 2
        middle = left + _BAR // 2
        if bar.referrals is not None:
            high = round(bar.referrals * scale, 1)
            line = round((bar.forecast or 0) * scale, 1)
            over = line if high < line < high + _LETTERS else high
            parts.append(
                f'<rect class="bar" x="{left}" y="{floor - high:g}" width="{_BAR}" '
                f'height="{high:g}"/>'
                f'<text x="{middle}" y="{floor - over - 5:g}" text-anchor="middle">'
                f"{number(bar.referrals)}</text>"
            )
        elif bar.is_hidden:
            parts.append(
                f'<rect class="gap" x="{left}" y="{floor - 24}" width="{_BAR}" height="24"/>'
                f'<text x="{middle}" y="{floor - 8}" text-anchor="middle">H</text>'
            )
        if bar.forecast is not None:
            high = floor - round(bar.forecast * scale, 1)
            parts.append(
                f'<line class="mark" x1="{left - 5}" y1="{high:g}" x2="{left + _BAR + 5}" '
                f'y2="{high:g}"/>'
            )
        year, _, rest = bar.period.partition("-")
        parts.append(
            f'<text x="{middle}" y="{floor + 16}" text-anchor="middle">{text(rest)}</text>'
            + (
                f'<text x="{middle}" y="{floor + 32}" text-anchor="middle">{text(year)}</text>'
                if place == 0 or not bars[place - 1].period.startswith(year)
                else ""
            )
        )
    height = floor + 40
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{text(f"{label}. {words(bars)}")}">{"".join(parts)}</svg>'
    )
