"""Line and scatter charts as SVG text, which any browser shows without further files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 28, 42
COLOURS = ("#1b6ca8", "#d1495b", "#66a182", "#edae49", "#5b4b8a", "#8d6a4f", "#2e4057", "#999999", "#00798c", "#c05299")
TICKS = 5
LABEL_HEIGHT = 9


@dataclass(frozen=True)
class Series:
    """Points that belong together."""

    name: str
    points: Sequence[Sequence[float]]
    """Pairs of x and y."""
    dots: bool = False
    """Dots with their name beside them instead of a line."""


@dataclass(frozen=True)
class Chart:
    """A chart with linear or logarithmic axes; points that a logarithmic axis cannot show are left out."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_log: bool = False
    y_log: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    legend: bool = field(default=True)

    def svg(self) -> str:
        """The chart as an `<svg>` element."""
        shown = [
            (series, [(x, y) for x, y in series.points if (x > 0 or not self.x_log) and (y > 0 or not self.y_log)])
            for series in self.series
        ]
        every = [point for _, points in shown for point in points]
        horizontal = _Axis(self.x_range or _range([x for x, _ in every], self.x_log), self.x_log, LEFT, WIDTH - RIGHT)
        vertical = _Axis(self.y_range or _range([y for _, y in every], self.y_log), self.y_log, HEIGHT - BOTTOM, TOP)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            'font-family="sans-serif" font-size="11">',
            f'<text x="{WIDTH / 2}" y="16" text-anchor="middle" font-size="13">{escape(self.title)}</text>',
        ]
        for value in horizontal.ticks():
            x = horizontal.place(value)
            parts.append(_line(x, TOP, x, HEIGHT - BOTTOM, "#ddd"))
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{_number(value)}</text>')
        for value in vertical.ticks():
            y = vertical.place(value)
            parts.append(_line(LEFT, y, WIDTH - RIGHT, y, "#ddd"))
            parts.append(f'<text x="{LEFT - 4}" y="{y + 4:.1f}" text-anchor="end">{_number(value)}</text>')
        parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(self.x_label)}</text>')
        middle = HEIGHT / 2
        parts.append(
            f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">'
            f"{escape(self.y_label)}</text>"
        )
        labels = _Labels()
        for number, (series, points) in enumerate(shown):
            colour = COLOURS[number % len(COLOURS)]
            places = [(horizontal.place(x), vertical.place(y)) for x, y in points]
            if series.dots:
                for x, y in places:
                    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
                    parts.append(labels.beside(x, y, series.name, colour))
            else:
                path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
                parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
            if self.legend and not series.dots:
                y = TOP + 14 * (number + 1)
                parts.append(f'<rect x="{LEFT + 8}" y="{y - 8}" width="10" height="3" fill="{colour}"/>')
                parts.append(f'<text x="{LEFT + 22}" y="{y - 3}" font-size="10">{escape(series.name)}</text>')
        return "".join([*parts, "</svg>"])


class _Labels:
    """Names beside dots, each where no other one stands."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float, float]] = []
        """Left and right ends, and height."""

    def beside(self, x: float, y: float, name: str, colour: str) -> str:
        """The name as an element, within the chart: beside the dot, or as far above or below it as is free."""
        width = 4.7 * len(name)
        left = min(x + 6, WIDTH - RIGHT - width)
        heights = [y + 3 + way * LABEL_HEIGHT * step for step in range(30) for way in (-1, 1)]
        within = [height for height in heights if TOP + LABEL_HEIGHT <= height <= HEIGHT - BOTTOM - 2]
        height = next((height for height in within if self._is_free(left, left + width, height)), y)
        self._taken.append((left, left + width, height))
        return f'<text x="{left:.1f}" y="{height:.1f}" font-size="9" fill="{colour}">{escape(name)}</text>'

    def _is_free(self, left: float, right: float, height: float) -> bool:
        return all(
            right < other_left or left > other_right or abs(height - other) >= LABEL_HEIGHT
            for other_left, other_right, other in self._taken
        )


class _Axis:
    def __init__(self, ends: tuple[float, float], logarithmic: bool, first: float, last: float) -> None:
        self._ends = ends
        self._log = logarithmic
        self._first, self._last = first, last

    def place(self, value: float) -> float:
        low, high = map(self._scaled, self._ends)
        share = (self._scaled(value) - low) / (high - low)
        return self._first + min(max(share, 0), 1) * (self._last - self._first)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._log else value

    def ticks(self) -> list[float]:
        low, high = self._ends
        if self._log:
            decades = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
            return [10.0**power for power in decades] or [low, high]
        return [low + (high - low) * step / TICKS for step in range(TICKS + 1)]


def _range(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    """Ends of an axis that shows all values; never of length 0."""
    if not values:
        return (0.1, 1.0) if logarithmic else (0.0, 1.0)
    low, high = min(values), max(values)
    if logarithmic:
        return 10 ** math.floor(math.log10(low)), 10 ** max(
            math.ceil(math.log10(high)), math.floor(math.log10(low)) + 1
        )
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _number(value: float) -> str:
    return f"{value:.3g}"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
