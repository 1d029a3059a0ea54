"""Line charts as SVG text, so that a benchmark can draw itself without a plotting library; the standard library only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

Points = Sequence[tuple[float, float]]

_COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999")
"""Okabe and Ito's palette, told apart by the colour-blind."""
_WIDTH, _HEIGHT = 480, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 30, 44


@dataclass(frozen=True)
class Panel:
    """One chart: series of (x, y) points by name; `log` spreads y by factors of ten. Dashed series come from elsewhere."""

    title: str
    x_label: str
    y_label: str
    series: Mapping[str, Points]
    log: bool = False
    dashed: frozenset[str] = frozenset()


def svg(panels: Sequence[Panel], columns: int = 2) -> str:
    """Return the panels side by side as one SVG document; a name has the same colour in every panel."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.series))
    colors = {name: _COLORS[i % len(_COLORS)] for i, name in enumerate(names)}
    columns = min(columns, len(panels)) or 1
    width, height = columns * _WIDTH, -(-len(panels) // columns) * _HEIGHT
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    label = escape("; ".join(f"{panel.title} over {panel.x_label}" for panel in panels))
    named = f'role="img" aria-label="{label}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {named} font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for i, panel in enumerate(panels):
        parts.append(f'<g transform="translate({i % columns * _WIDTH},{i // columns * _HEIGHT})">')
        parts += _panel(panel, colors)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, colors: Mapping[str, str]) -> list[str]:
    shown = {
        name: [(x, y) for x, y in sorted(points) if math.isfinite(y) and (y > 0 or not panel.log)]
        for name, points in panel.series.items()
    }
    points = [point for series in shown.values() for point in series] or [(0.0, 1.0)]
    x_ticks = _ticks(0, max(x for x, _ in points))
    lows, highs = min(y for _, y in points), max(y for _, y in points)
    y_ticks = _decades(lows, highs) if panel.log else _ticks(lows, highs)
    scale = math.log10 if panel.log else float
    low, high = scale(y_ticks[0]), scale(y_ticks[-1])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])
        up = (scale(y) - low) / (high - low)
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    parts = [f'<text x="{_WIDTH / 2}" y="18" text-anchor="middle" font-size="14">{escape(panel.title)}</text>']
    for tick in x_ticks:
        x, bottom = place(tick, y_ticks[0])
        parts.append(f'<path d="M{x:.1f} {_TOP}V{bottom:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{tick:g}</text>')
    for tick in y_ticks:
        left, y = place(x_ticks[0], tick)
        parts.append(f'<path d="M{left:.1f} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(panel.x_label)}</text>')
    middle = f'x="14" y="{_HEIGHT / 2}" transform="rotate(-90 14 {_HEIGHT / 2})"'
    parts.append(f'<text {middle} text-anchor="middle">{escape(panel.y_label)}</text>')
    for row, (name, series) in enumerate(shown.items()):
        dash = ' stroke-dasharray="5 3"' if name in panel.dashed else ""
        stroke = f'stroke="{colors[name]}" fill="none" stroke-width="1.6"{dash}'
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in series))
        parts.append(f'<polyline points="{line}" {stroke}/>')
        for x, y in (place(*point) for point in series) if name not in panel.dashed else ():
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colors[name]}"/>')
        y = _HEIGHT - _BOTTOM - 10 - 15 * (len(shown) - 1 - row)
        parts.append(f'<path d="M{_WIDTH - 170} {y - 4}h22" {stroke}/>')
        parts.append(f'<text x="{_WIDTH - 143}" y="{y}">{escape(name)}</text>')
    return parts


def _ticks(low: float, high: float) -> list[float]:
    """Return four to nine round numbers that enclose [low, high]."""
    span = (high - low) or abs(high) or 1.0
    step = 10 ** math.floor(math.log10(span / 4))
    step *= max((m for m in (1, 2, 5) if m * step <= span / 4), default=1)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**i for i in range(first, max(last, first + 1) + 1)]
