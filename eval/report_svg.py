"""Charts as inline SVG strings. Colours and text take the page's style, so they work in the dark.

A chart needs no script: what a point stands for is in its `<title>`, which browsers show on hover.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 380, 270
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 42
BAR_STEP, BAR_THICK, BAR_LABEL, BAR_VALUE = 26, 15, 118, 92
MAX_POINTS = 400
TICKS = 5
COLOURS = (
    "#3b76c4", "#d9772b", "#3a9a5b", "#c23b4b", "#8a63c0",
    "#8d6547", "#d46fae", "#6f7b86", "#a8a12f", "#2fa5b5",
)  # fmt: skip

Point = tuple[float, float]
Range = tuple[float, float]
_Place = Callable[[float, float], Point]


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; points with a NaN break it. `marks` are (x, y, what) dots with a tooltip."""

    name: str
    points: Sequence[Point]
    marks: Sequence[tuple[float, float, str]] = ()
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `low` and `high` draw an interval, `None` as value draws a dash."""

    label: str
    value: float | None
    shown: str = ""
    low: float | None = None
    high: float | None = None


def line_chart(
    title: str,
    lines: Sequence[Line],
    *,
    x_label: str = "",
    y_label: str = "",
    x_range: Range | None = None,
    y_range: Range | None = None,
    diagonal: bool = False,
) -> str:
    """Curves over two linear axes; a legend below when there is more than one.

    Args:
        title: stands above the chart.
        lines: the curves, coloured in this order.
        x_label, y_label: what the axes mean, with units.
        x_range, y_range: ends of the axes; by default what the points need.
        diagonal: also draw y = x, as in a reliability diagram.
    """
    finite = [p for line in lines for p in line.points if math.isfinite(p[0] + p[1])]
    x_axis = x_range or _reach([x for x, _ in finite])
    y_axis = y_range or _reach([y for _, y in finite])

    def place(x: float, y: float) -> Point:
        return (
            LEFT + _part(x, x_axis) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - _part(y, y_axis) * (HEIGHT - TOP - BOTTOM),
        )

    parts = [_axes(x_axis, y_axis, x_label, y_label)]
    if diagonal:
        low, high = max(x_axis[0], y_axis[0]), min(x_axis[1], y_axis[1])
        parts.append(_path([[place(low, low), place(high, high)]], "diagonal", ""))
    for i, line in enumerate(lines):
        parts.append(_curve(line, COLOURS[i % len(COLOURS)], place))
    legend = _legend([line.name for line in lines]) if len(lines) > 1 else ""
    return _figure(title, "".join(parts), HEIGHT, legend)


def bar_chart(title: str, bars: Sequence[Bar], *, high: float | None = None) -> str:
    """Lying bars from zero, label to the left and value to the right.

    Args:
        title: stands above the chart.
        bars: from top to bottom; `shown` replaces the plain number.
        high: value at the right end; by default the largest.
    """
    known = [v for bar in bars for v in (bar.value, bar.high) if v is not None]
    end = high if high is not None else max(known, default=1.0) or 1.0
    room = WIDTH - BAR_LABEL - BAR_VALUE
    parts: list[str] = []
    for i, bar in enumerate(bars):
        top = TOP + i * BAR_STEP
        middle = top + BAR_THICK / 2
        value = bar.value or 0.0
        length = room * min(max(value / end, 0.0), 1.0)
        shown = bar.shown or ("—" if bar.value is None else f"{bar.value:g}")
        parts.append(_text(BAR_LABEL - 8, middle + 4, bar.label, "end"))
        parts.append(
            f'<rect class="track" x="{BAR_LABEL}" y="{top}" width="{room}" height="{BAR_THICK}"/>'
            f'<rect fill="{COLOURS[0]}" x="{BAR_LABEL}" y="{top}" width="{length:.1f}" '
            f'height="{BAR_THICK}"><title>{escape(f"{bar.label} {shown}")}</title></rect>'
        )
        if bar.low is not None and bar.high is not None:
            ends = [BAR_LABEL + room * min(max(v / end, 0.0), 1.0) for v in (bar.low, bar.high)]
            parts.append(
                f'<path class="interval" d="M{ends[0]:.1f} {middle}H{ends[1]:.1f}'
                f'M{ends[0]:.1f} {middle - 4}v8M{ends[1]:.1f} {middle - 4}v8"/>'
            )
        parts.append(_text(BAR_LABEL + room + 8, middle + 4, shown, "start"))
    return _figure(title, "".join(parts), TOP + len(bars) * BAR_STEP + 4, "")


def _figure(title: str, inside: str, height: float, legend: str) -> str:
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}">'
        f"{inside}</svg>{legend}</figure>"
    )


def _axes(x_axis: Range, y_axis: Range, x_label: str, y_label: str) -> str:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts: list[str] = []
    for value in _ticks(x_axis):
        x = LEFT + _part(value, x_axis) * (right - LEFT)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>')
        parts.append(_text(x, bottom + 15, _number(value), "middle"))
    for value in _ticks(y_axis):
        y = bottom - _part(value, y_axis) * (bottom - TOP)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        parts.append(_text(LEFT - 6, y + 4, _number(value), "end"))
    middle = (TOP + bottom) / 2
    parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>')
    parts.append(_text((LEFT + right) / 2, HEIGHT - 7, x_label, "middle"))
    turned = f' transform="rotate(-90 11 {middle:g})"'
    parts.append(_text(11, middle, y_label, "middle", turned))
    return "".join(parts)


def _curve(line: Line, colour: str, place: _Place) -> str:
    runs: list[list[Point]] = [[]]
    points = list(line.points)
    step = max(1, -(-len(points) // MAX_POINTS))
    for i, (x, y) in enumerate(points):
        if not math.isfinite(x + y):
            runs.append([])
        elif i % step == 0 or i == len(points) - 1:
            runs[-1].append(place(x, y))
    parts = [_path(runs, "curve", colour, line.name)]
    if line.dots:
        for x, y in points:
            if math.isfinite(x + y):
                parts.append(_dot(place(x, y), colour, f"{line.name} ({x:.3g}, {y:.3g})"))
    parts += [_dot(place(x, y), colour, what, 4.5) for x, y, what in line.marks]
    return "".join(parts)


def _path(runs: Sequence[Sequence[Point]], css: str, colour: str, title: str = "") -> str:
    drawn = "".join(
        "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run) for run in runs if len(run) > 1
    )
    stroke = f' stroke="{colour}"' if colour else ""
    return f'<path class="{css}"{stroke} d="{drawn}"><title>{escape(title)}</title></path>'


def _dot(at: Point, colour: str, title: str, radius: float = 3.0) -> str:
    return (
        f'<circle class="dot" fill="{colour}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:g}">'
        f"<title>{escape(title)}</title></circle>"
    )


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _legend(names: Sequence[str]) -> str:
    entries = "".join(
        f'<li><i style="background:{COLOURS[i % len(COLOURS)]}"></i>{escape(name)}</li>'
        for i, name in enumerate(names)
    )
    return f'<ul class="legend">{entries}</ul>'


def _part(value: float, axis: Range) -> float:
    """Where a value lies between the ends of its axis, kept inside 0–1."""
    width = axis[1] - axis[0]
    return min(max((value - axis[0]) / width, 0.0), 1.0) if width > 0 else 0.5


def _reach(values: Sequence[float]) -> Range:
    """Ends that hold every value; from zero when nothing is below it."""
    if not values:
        return 0.0, 1.0
    low, high = min(0.0, *values), max(values)
    return (low, high) if high > low else (low, low + 1.0)


def _ticks(axis: Range) -> list[float]:
    """Round numbers inside the axis, about `TICKS` of them."""
    rough = (axis[1] - axis[0]) / TICKS
    if rough <= 0:
        return [axis[0]]
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(m * scale for m in (1, 2, 5, 10) if m * scale >= rough * 0.999)
    first = math.ceil(axis[0] / step - 1e-9)
    last = math.floor(axis[1] / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")
