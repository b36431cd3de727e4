"""A metric of every arm: each seed a point, the mean a line, its interval a bar. Inline SVG, coloured by the page."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from ..evaluation.charts import round_ticks

_ROW, _LEFT, _RIGHT, _TOP, _AXIS = 26, 190, 70, 6, 40

_LEAST = 0.1
"""The axis is at least so long, in parts of what it shows: arms that are alike must look alike."""

_ROOM = 1.5
"""What lies beyond the arms' own range by more than so many of it is named at the edge: a far floor must not press the
arms into one dot."""


@dataclass(frozen=True)
class Strip:
    """One line of the plot.

    Attributes:
        name: of the arm or floor.
        is_floor: drawn in grey.
        points: seed's name -> value.
        mean: or None where there is no value.
        interval: or None.
    """

    name: str
    is_floor: bool
    points: Sequence[tuple[str, float]]
    mean: float | None
    interval: tuple[float, float] | None


def strip_plot(
    strips: Sequence[Strip], label: str, digits: int, origin: float | None = None, width: int = 560
) -> str:
    """Rows of points over one axis.

    Args:
        strips: at least one, top to bottom.
        label: what the axis shows, with unit.
        digits: of numbers.
        origin: a value that is marked and always on the axis: no difference.
        width: of the drawing, in its own pixels.
    Returns:
        an ``<svg>`` element; the page's style sheet colours its classes.
    """
    low, high = _range(strips) if origin is None else _range_around(strips, origin, digits)
    ticks = [tick for tick in round_ticks(low, high) if low <= tick <= high]
    height = _TOP + _ROW * len(strips) + _AXIS

    def place(value: float) -> float:
        return _LEFT + (value - low) / (high - low) * (width - _LEFT - _RIGHT)

    parts = [
        f'<svg class="chart strip" viewBox="0 0 {width} {height}" style="max-width:{width}px" role="img" '
        f'aria-label="{escape(label)} of every arm">'
    ]
    bottom = _TOP + _ROW * len(strips)
    for tick in ticks:
        x = place(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    if origin is not None:
        x = place(origin)
        parts.append(f'<line class="origin" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
    for index, strip in enumerate(strips):
        y = _TOP + _ROW * (index + 0.5)
        kind = "floor" if strip.is_floor else "arm"
        parts.append(
            f'<text class="{kind}" x="{_LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(strip.name)}</text>'
        )
        parts.append(_marks(strip, y, kind, place, low, high, digits, width))
    parts.append(
        f'<text class="axis" x="{width - _RIGHT}" y="{height - 4}" text-anchor="end">{escape(label)}</text>'
    )
    return "".join([*parts, "</svg>"])


def _marks(
    strip: Strip,
    y: float,
    kind: str,
    place: Callable[[float], float],
    low: float,
    high: float,
    digits: int,
    width: int,
) -> str:
    if strip.mean is None:
        return f'<text class="floor" x="{_LEFT + 4}" y="{y + 4:.1f}">no value</text>'
    if not low <= strip.mean <= high:
        right, number = strip.mean > high, f"{strip.mean:.{digits}f}"
        edge, said = (width - _RIGHT, f"{number} →") if right else (_LEFT, f"← {number}")
        return f'<text class="floor" x="{edge + 4}" y="{y + 4:.1f}">{said}</text>'
    drawn = []
    if strip.interval is not None:
        a, b = (place(min(max(v, low), high)) for v in strip.interval)
        drawn.append(f'<line class="bar {kind}" x1="{a:.1f}" x2="{b:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
    x = place(strip.mean)
    drawn.append(f'<line class="mean {kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 8:.1f}" y2="{y + 8:.1f}"/>')
    for name, value in strip.points:
        if low <= value <= high:
            drawn.append(
                f'<circle class="dot {kind}" cx="{place(value):.1f}" cy="{y:.1f}" r="4"><title>{escape(name)}: '
                f"{value:.{digits}f}</title></circle>"
            )
    return "".join(drawn)


def _range_around(strips: Sequence[Strip], origin: float, digits: int) -> tuple[float, float]:
    """All of it and the origin, and not less than a few times what the last digit shows."""
    values = [value for strip in strips for _, value in strip.points]
    values += [v for strip in strips for v in (strip.interval or ())] + [origin]
    low, high = min(values), max(values)
    room = 0.08 * (high - low) + 10.0**-digits
    return low - room, high + room


def _range(strips: Sequence[Strip]) -> tuple[float, float]:
    """Of the axis: the arms', and whatever else lies near."""

    def spread(chosen: Sequence[Strip]) -> list[float]:
        values = [value for strip in chosen for _, value in strip.points]
        values += [v for strip in chosen for v in (strip.interval or ())]
        return [v for v in values + [s.mean for s in chosen if s.mean is not None] if math.isfinite(v)]

    own = spread([s for s in strips if not s.is_floor]) or spread(strips) or [0.0]
    low, high = min(own), max(own)
    span = max(high - low, _LEAST * max(abs(low), abs(high))) or 1.0
    middle = (low + high) / 2
    low, high = min(low, middle - span / 2), max(high, middle + span / 2)
    near = [s.mean for s in strips if s.mean is not None]
    near = [v for v in near if low - _ROOM * span <= v <= high + _ROOM * span]
    return min([low, *near]) - 0.08 * span, max([high, *near]) + 0.08 * span
