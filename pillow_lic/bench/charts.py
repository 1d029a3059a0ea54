"""Line charts as SVG text, so that a benchmark can draw itself without a plotting library; the standard library only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from statistics import fmean

Points = Sequence[tuple[float, float]]
NO_KEY: Mapping[str, str] = {}

_COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999")
"""Okabe and Ito's palette, told apart by the colour-blind."""
_WIDTH, _HEIGHT = 480, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 30, 44
_ROW, _LIST = 15, 170
"""Height of a name in the list of a chart, and the width of the list."""
_PARTS = 40
"""Places of a line between two points that are looked at, to see whether the list hides it."""
_LINE = 15
"""Pixels between the names at the ends of two series, at least."""
_LETTER = 8
"""Width of a letter of such a name on a phone, about."""
_FAR = 0.8
"""The names of series that end beyond this part of the width, or have no room, stand in a column beside the chart: ends meet there."""
_LEADER = 16
"""Width of the gap between a chart and that column, which lines from the ends of the series cross."""
_KEY, _KEY_ROW = 170, 18
"""Width of a key beside the panels, and height of a row of it."""


@dataclass(frozen=True)
class Panel:
    """One chart: series of (x, y) points by name; `log` spreads y by factors of ten, `log_x` x. Dashed series come from elsewhere.

    colors: those of series that are to have a certain one. legend: whether the names stand in a list in the chart. named: series
    whose names stand at their last points, or beside the chart with a line to them.
    """

    title: str
    x_label: str
    y_label: str
    series: Mapping[str, Points]
    log: bool = False
    dashed: frozenset[str] = frozenset()
    log_x: bool = False
    colors: Mapping[str, str] = field(default_factory=dict)
    legend: bool = True
    named: frozenset[str] = frozenset()


def svg(panels: Sequence[Panel], columns: int = 2, key: Mapping[str, str] = NO_KEY) -> str:
    """Return the panels side by side as one SVG document; a name has the same colour in every panel.

    key: colours by name, which are listed beside the panels.
    """
    names = list(dict.fromkeys(name for panel in panels for name in panel.series))
    colors = {name: _COLORS[i % len(_COLORS)] for i, name in enumerate(names)}
    columns = min(columns, len(panels)) or 1
    width, height = columns * _WIDTH + (_KEY if key else 0), -(-len(panels) // columns) * _HEIGHT
    height = max(height, _TOP + _KEY_ROW * len(key))
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    label = escape("; ".join(f"{panel.title} over {panel.x_label}" for panel in panels))
    named = f'role="img" aria-label="{label}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {named} font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for i, panel in enumerate(panels):
        parts.append(f'<g transform="translate({i % columns * _WIDTH},{i // columns * _HEIGHT})">')
        parts += _panel(panel, {**colors, **panel.colors})
        parts.append("</g>")
    for row, (name, color) in enumerate(key.items()):
        x, y = columns * _WIDTH + 4, _TOP + _KEY_ROW * row
        parts.append(f'<path d="M{x} {y}h22" stroke="{color}" stroke-width="3"/>')
        parts.append(f'<text x="{x + 28}" y="{y + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, colors: Mapping[str, str]) -> list[str]:
    shown = {
        name: [
            (x, y)
            for x, y in sorted(points)
            if math.isfinite(y) and (y > 0 or not panel.log) and (x > 0 or not panel.log_x)
        ]
        for name, points in panel.series.items()
    }
    points = [point for series in shown.values() for point in series] or [(1.0, 1.0)]
    xs, ys = ([point[axis] for point in points] for axis in (0, 1))
    x_ticks = _one_two_five(min(xs), max(xs)) if panel.log_x else _ticks(0, max(xs))
    y_ticks = _decades(min(ys), max(ys)) if panel.log else _ticks(min(ys), max(ys))
    x_scale, y_scale = (math.log10 if is_log else float for is_log in (panel.log_x, panel.log))

    def across(x: float, right: float) -> float:
        share = (x_scale(x) - x_scale(x_ticks[0])) / (x_scale(x_ticks[-1]) - x_scale(x_ticks[0]))
        return _LEFT + share * (right - _LEFT)

    ends = {name: max(series) for name, series in shown.items() if name in panel.named and series}
    edge = _WIDTH - _RIGHT
    beside = {
        name
        for name, (x, _) in ends.items()
        if across(x, edge) > min(_LEFT + _FAR * (edge - _LEFT), _WIDTH - 5 - _LETTER * len(name))
    }
    right = _WIDTH - max([_RIGHT, *(_LEADER + _LETTER * len(name) for name in beside)])

    def place(x: float, y: float) -> tuple[float, float]:
        up = (y_scale(y) - y_scale(y_ticks[0])) / (y_scale(y_ticks[-1]) - y_scale(y_ticks[0]))
        return across(x, right), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    parts = [f'<text x="{_WIDTH / 2}" y="18" text-anchor="middle" font-size="14">{escape(panel.title)}</text>']
    for tick in x_ticks:
        x, bottom = place(tick, y_ticks[0])
        parts.append(f'<path d="M{x:.1f} {_TOP}V{bottom:.1f}" stroke="#ddd"/>')
        anchor = "end" if x + 4 * len(f"{tick:g}") > _WIDTH else "middle"
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="{anchor}">{tick:g}</text>')
    for tick in y_ticks:
        left, y = place(x_ticks[0], tick)
        parts.append(f'<path d="M{left:.1f} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(panel.x_label)}</text>')
    middle = f'x="14" y="{_HEIGHT / 2}" transform="rotate(-90 14 {_HEIGHT / 2})"'
    parts.append(f'<text {middle} text-anchor="middle">{escape(panel.y_label)}</text>')
    left, top = _corner([[place(*point) for point in series] for series in shown.values()])
    for row, (name, series) in enumerate(shown.items()):
        dash = ' stroke-dasharray="5 3"' if name in panel.dashed else ""
        stroke = f'stroke="{colors[name]}" fill="none" stroke-width="1.6"{dash}'
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in series))
        parts.append(f'<g data-series="{escape(name)}">')
        parts.append(f'<polyline points="{line}" {stroke}/>')
        for x, y in (place(*point) for point in series) if name not in panel.dashed else ():
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colors[name]}"/>')
        if panel.legend:
            y = top + _ROW * (row + 1) - 4
            parts.append(f'<path d="M{left} {y - 4}h22" {stroke}/>')
            parts.append(f'<text x="{left + 27}" y="{y}">{escape(name)}</text>')
        parts.append("</g>")
    for some in (beside, set(ends) - beside):
        placed = sorted((place(*ends[name])[::-1], name) for name in some)
        for ((y, x), name), at in zip(placed, _spread([y for (y, _), _ in placed]), strict=True):
            if name in beside:
                parts.append(
                    f'<path d="M{x + 3:.1f} {y:.1f}L{right + _LEADER - 3} {at:.1f}" stroke="#999" stroke-width="0.7"/>'
                )
            left = right + _LEADER if name in beside else x + 5
            parts.append(f'<text x="{left:.1f}" y="{at + 4:.1f}" font-size="11">{escape(name)}</text>')
    return parts


def _spread(wanted: Sequence[float]) -> list[float]:
    """Return places at least _LINE apart that are as near as can be, by the sum of squares, to the ascending ones that are wanted."""
    groups: list[list[float]] = []  # of those that touch; each without the room for those before it
    for i, place in enumerate(wanted):
        groups.append([place - _LINE * i])
        while len(groups) > 1 and fmean(groups[-2]) >= fmean(groups[-1]):
            last = groups.pop()
            groups[-1] += last
    means = [fmean(group) for group in groups for _ in group]
    return [mean + _LINE * i for i, mean in enumerate(means)]


def _corner(lines: Sequence[Points]) -> tuple[int, int]:
    """Return the left and upper edge of a list of the names of lines, in the corner where the least of them is hidden."""
    high = _ROW * len(lines)
    tops = (_HEIGHT - _BOTTOM - 6 - high, _TOP + 2)
    corners = [(left, top) for left in (_WIDTH - _LIST, _LEFT + 8) for top in tops]
    steps = [
        (a[0] + (b[0] - a[0]) * part / _PARTS, a[1] + (b[1] - a[1]) * part / _PARTS)
        for line in lines
        for a, b in zip(line, [*line[1:], *line[-1:]], strict=True)
        for part in range(_PARTS)
    ]

    def hidden(corner: tuple[int, int]) -> int:
        left, top = corner
        return sum(left <= x <= left + _LIST and top <= y <= top + high for x, y in steps)

    return min(corners, key=hidden)


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


def _one_two_five(low: float, high: float) -> list[float]:
    """Return at least two steps of 1, 2, 5, 10 that enclose [low, high]."""
    steps = [
        m * 10.0**i for i in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2) for m in (1, 2, 5)
    ]
    first = max(i for i, step in enumerate(steps) if step <= low * (1 + 1e-9))
    last = min(i for i, step in enumerate(steps) if step >= high * (1 - 1e-9))
    return steps[first : max(last, first + 1) + 1]
