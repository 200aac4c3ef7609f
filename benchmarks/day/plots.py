"""Plots as SVG, drawn here, so that a report is one file that needs no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 340, 70, 150, 20, 40
COLOURS = ("#1b6ca8", "#c8553d", "#2a9d5c", "#8d5fbf", "#c79a1e", "#4a4a4a", "#d0569b", "#3aa6a6")
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Lines over a linear x axis and a logarithmic y axis in milliseconds; ``ticks`` are x values and their words."""

    title: str
    x_label: str
    ticks: Sequence[tuple[float, str]]
    lines: Mapping[str, Points]

    def svg(self) -> str:
        """The drawing."""
        every = [point for points in self.lines.values() for point in points if point[1] > 0]
        if not every:
            return ""
        scale = _Scale(
            x=(min(each[0] for each in every), max(max(each[0] for each in every), 1e-9)),
            decades=(floor(log10(min(each[1] for each in every))), ceil(log10(max(each[1] for each in every)) + 1e-9)),
        )
        drawn = [*self._grid(scale), *self._curves(scale)]
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(self.title)}">'
            f"<title>{escape(self.title)}</title>{''.join(drawn)}</svg>"
        )

    def _grid(self, scale: "_Scale") -> list[str]:
        low, high = scale.decades
        lines = []
        for decade in range(low, high + 1):
            y = scale.y_of(10.0**decade)
            lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**decade:g} ms</text>')
        for value, words in self.ticks:
            x = scale.x_of(value)
            lines.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
            lines.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{escape(words)}</text>')
        middle = (LEFT + WIDTH - RIGHT) / 2
        lines.append(f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">{escape(self.x_label)}</text>')
        return lines

    def _curves(self, scale: "_Scale") -> list[str]:
        drawn = []
        for number, (name, points) in enumerate(self.lines.items()):
            colour = COLOURS[number % len(COLOURS)]
            path = " ".join(f"{scale.x_of(x):.1f},{scale.y_of(y):.1f}" for x, y in points if y > 0)
            drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
            y = TOP + 14 + 18 * number
            drawn.append(f'<rect x="{WIDTH - RIGHT + 12}" y="{y - 9}" width="12" height="4" fill="{colour}"/>')
            drawn.append(f'<text x="{WIDTH - RIGHT + 30}" y="{y - 3}">{escape(name)}</text>')
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    x: tuple[float, float]
    decades: tuple[int, int]

    def x_of(self, value: float) -> float:
        low, high = self.x
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / ((high - low) or 1)

    def y_of(self, value: float) -> float:
        low, high = self.decades
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (log10(value) - low) / ((high - low) or 1)
