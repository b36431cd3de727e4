"""Line charts as inline SVG: a few kilobytes each, coloured by the page's style sheet in light and dark."""

import math
from collections.abc import Sequence
from html import escape

_HEIGHT = 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 10, 34
_COLOURS = 4


def line_chart(
    series: Sequence[tuple[str, Sequence[float]]],
    x_label: str,
    y_label: str,
    x: Sequence[float] | None = None,
    width: int = 640,
) -> str:
    """Lines over a common axis.

    Args:
        series: (name, values) of equal length; values that are not finite leave a gap.
        x_label, y_label: what the axes show, with unit.
        x: positions of the values, growing; default 0, 1, 2...
        width: of the drawing; the page shows it no larger than that many pixels, with text of 11.5 px.
    Returns:
        an ``<svg>`` element; the page's style sheet colours its classes ``line-0`` to ``line-3``.
    Raises:
        ValueError: no series, or lengths differ.
    """
    lengths = {len(values) for _, values in series} | ({len(x)} if x is not None else set())
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"line_chart: series have lengths {sorted(lengths)}, expected one length of 1 or more"
        )
    positions = list(x) if x is not None else [float(i) for i in range(lengths.pop())]
    finite = [v for _, values in series for v in values if math.isfinite(v)] or [0.0]
    y_ticks = round_ticks(min(finite), max(finite))
    low, high = min(y_ticks[0], *finite), max(y_ticks[-1], *finite)
    left, right = positions[0], positions[-1] if positions[-1] > positions[0] else positions[0] + 1

    def place_x(value: float) -> float:
        return _LEFT + (value - left) / (right - left) * (width - _LEFT - _RIGHT)

    def place_y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg class="chart" viewBox="0 0 {width} {_HEIGHT}" style="max-width:{width}px" role="img" '
        f'aria-label="{escape(y_label)} over {escape(x_label)}">'
    ]
    for tick in y_ticks:
        y = place_y(tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in round_ticks(left, right):
        if left <= tick <= right:
            parts.append(
                f'<text x="{place_x(tick):.1f}" y="{_HEIGHT - _BOTTOM + 15}" '
                f'text-anchor="middle">{tick:g}</text>'
            )
    parts.append(
        f'<text class="axis" x="{width - _RIGHT}" y="{_HEIGHT - 4}" text-anchor="end">'
        f"{escape(y_label)} over {escape(x_label)}</text>"
    )
    for index, (name, values) in enumerate(series):
        path, pen_down = [], False
        for position, value in zip(positions, values, strict=True):
            if math.isfinite(value):
                path.append(f"{'L' if pen_down else 'M'}{place_x(position):.1f} {place_y(value):.1f}")
            pen_down = math.isfinite(value)
        colour = index % _COLOURS
        parts.append(
            f'<path class="line line-{colour}" d="{"".join(path)}"><title>{escape(name)}</title></path>'
        )
        if len(series) > 1:
            spot = _LEFT + index * 150
            parts.append(
                f'<rect class="key line-{colour}" x="{spot}" y="{_HEIGHT - 13}" width="10" height="10"/>'
            )
            parts.append(f'<text x="{spot + 15}" y="{_HEIGHT - 4}">{escape(name)}</text>')
    return "".join([*parts, "</svg>"])


def round_ticks(low: float, high: float) -> list[float]:
    """About four round numbers that enclose [low, high]."""
    if high <= low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / 3
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]
