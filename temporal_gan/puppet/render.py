"""Drawing a scene: pictures and part maps."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np

from .affine import apply
from .drawing import Drawing, Part
from .lighting import Light, lit
from .rig import PICTURE

SUPERSAMPLE = 4
"""Sub-pixels per pixel and axis: 17 levels of edge coverage."""

_MAP_SUPERSAMPLE = 3  # Odd, so that a sub-pixel lies exactly on the centre of each pixel.
_FRACTION_BITS = 6
_MARGIN = 2  # Sub-pixels: OpenCV paints the border of a polygon too.

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; the last two are just outside."""


def draw_video(parts: tuple[Part, ...], order: np.ndarray, light: Light, size: int) -> np.ndarray:
    """uint8 [T, S, S, 4], RGBA premultiplied by alpha, transparent where there is no part.

    Args:
        parts: in white light.
        order: int64 [T, P], indices of the parts back to front.
        light: falls on everything.
        size: S.
    """
    drawings = [lit(part.drawing, light) for part in parts]
    strokes = _strokes(parts, drawings, None, size * SUPERSAMPLE)
    video = np.empty((len(order), size, size, 4), np.uint8)
    for t, box, canvas, still in _painted(strokes, order, size, SUPERSAMPLE, (4,)):
        if box is None:
            video[t] = video[t - 1]
            continue
        if t == 0:
            backdrop = _shrunk(still)
        left, top, right, bottom = box
        video[t] = backdrop
        if right > left and bottom > top:
            video[t, top:bottom, left:right] = _shrunk(canvas)
    return video


def draw_part_map(parts: tuple[Part, ...], order: np.ndarray, size: int) -> np.ndarray:
    """uint8 [T, S, S]: index + 1 of the part seen at each pixel's centre, 0 where there is none.

    Args:
        parts: at most 255.
        order: int64 [T, P], indices of the parts back to front.
        size: S.
    """
    labels: list[tuple[float, ...]] = [(float(i + 1),) for i in range(len(parts))]
    strokes = _strokes(parts, [part.drawing for part in parts], labels, size * _MAP_SUPERSAMPLE)
    part_map = np.empty((len(order), size, size), np.uint8)
    centre = slice(_MAP_SUPERSAMPLE // 2, None, _MAP_SUPERSAMPLE)
    for t, box, canvas, still in _painted(strokes, order, size, _MAP_SUPERSAMPLE, ()):
        if box is None:
            part_map[t] = part_map[t - 1]
            continue
        left, top, right, bottom = box
        part_map[t] = still[centre, centre]
        part_map[t, top:bottom, left:right] = canvas[centre, centre]
    return part_map


@dataclass(frozen=True)
class _Strokes:
    """Every polygon of every part.

    Attributes:
        points: int32 [T, V, 2], fixed-point sub-pixels.
        start, stop: int [n], each polygon's share of V.
        colours: [n].
        ink, fill: the numbers of each part's polygons.
        groups: each part's.
    """

    points: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    colours: list[tuple[float, ...]]
    ink: list[range]
    fill: list[range]
    groups: list[str]

    def sequence(self, order: np.ndarray) -> list[int]:
        """Numbers of the polygons in drawing order for parts [P] back to front: a group's ink, then its fills."""
        numbers: list[int] = []
        for _, members in groupby(order.tolist(), key=lambda part: self.groups[part]):
            group = list(members)
            numbers += [n for part in group for n in self.ink[part]] + [
                n for part in group for n in self.fill[part]
            ]
        return numbers


def _strokes(
    parts: tuple[Part, ...], drawings: list[Drawing], labels: list[tuple[float, ...]] | None, size: int
) -> _Strokes:
    """The polygons on a canvas of this size, in their own colours or each part in its label."""
    frames = len(parts[0].to_picture)
    points: list[np.ndarray] = []
    lengths: list[int] = []
    colours: list[tuple[float, ...]] = []
    ink: list[range] = []
    fill: list[range] = []
    for i, (part, drawing) in enumerate(zip(parts, drawings, strict=True)):
        paints = (*drawing.ink, *drawing.fill)
        ink.append(range(len(lengths), len(lengths) + len(drawing.ink)))
        fill.append(range(ink[-1].stop, ink[-1].stop + len(drawing.fill)))
        lengths += [paint.polygon.shape[-2] for paint in paints]
        colours += [labels[i] if labels else (*(round(c) for c in paint.colour), 255) for paint in paints]
        polygons = [paint.polygon for paint in paints]
        if any(polygon.ndim == 3 for polygon in polygons):
            polygons = [np.broadcast_to(polygon, (frames, *polygon.shape[-2:])) for polygon in polygons]
        if polygons:
            points.append(apply(_to_subpixels(part.to_picture, size), np.concatenate(polygons, axis=-2)))
    stop = np.cumsum(lengths)
    fixed = np.concatenate(points, axis=1)
    np.rint(np.multiply(fixed, 1 << _FRACTION_BITS, out=fixed), out=fixed)
    groups = [part.group for part in parts]
    return _Strokes(fixed.astype(np.int32), stop - lengths, stop, colours, ink, fill, groups)


def _painted(
    strokes: _Strokes, order: np.ndarray, size: int, supersample: int, channels: tuple[int, ...]
) -> Iterator[tuple[int, Box | None, np.ndarray, np.ndarray]]:
    """Draw frame after frame.

    Yields:
        t; the box outside of which the frame is ``still``, or None where it is the frame before; the canvas
        inside the box, in sub-pixels; the whole canvas of what never moves. Both canvases are used again.
    """
    points, side = strokes.points, size * supersample
    low = np.minimum.reduceat(points, strokes.start, axis=1) >> _FRACTION_BITS
    high = np.maximum.reduceat(points, strokes.start, axis=1) >> _FRACTION_BITS
    inside = np.all((high >= -_MARGIN) & (low <= side + _MARGIN), axis=-1)
    unmoved = (low == low[:1]).all(axis=(0, 2)) & (high == high[:1]).all(axis=(0, 2))
    unmoved[unmoved] = [
        bool((points[:, a:b] == points[:1, a:b]).all())
        for a, b in zip(strokes.start[unmoved], strokes.stop[unmoved], strict=True)
    ]
    again = np.zeros(len(order), bool)
    again[1:] = (points[1:] == points[:-1]).all(axis=(1, 2)) & (order[1:] == order[:-1]).all(axis=1)
    orders, which = np.unique(order, axis=0, return_inverse=True)
    sequences = [np.array(strokes.sequence(row)) for row in orders]
    bounds = list(zip(strokes.start.tolist(), strokes.stop.tolist(), strict=True))

    def fill(canvas: np.ndarray, frame: np.ndarray, numbers: np.ndarray) -> None:
        for n in numbers.tolist():
            a, b = bounds[n]
            cv2.fillPoly(canvas, [frame[a:b]], strokes.colours[n], cv2.LINE_8, _FRACTION_BITS)

    # What lies behind everything that moves, in every order of the parts, is drawn once.
    steady = int(min(np.flatnonzero(~unmoved[s])[0] if not unmoved[s].all() else len(s) for s in sequences))
    steady = steady if all((s[:steady] == sequences[0][:steady]).all() for s in sequences) else 0
    still = np.zeros((side, side, *channels), np.uint8)
    fill(still, points[0], sequences[0][:steady])
    canvas = still.copy()
    for t in range(len(order)):
        if again[t]:
            yield t, None, canvas, still
            continue
        numbers = sequences[which[t]][steady:]
        numbers = numbers[inside[t, numbers]]
        box: Box = (0, 0, 0, 0)
        if len(numbers):
            left, top = np.clip((low[t, numbers].min(axis=0) - _MARGIN) // supersample, 0, size).tolist()
            right, bottom = np.clip(
                -((-high[t, numbers].max(axis=0) - _MARGIN) // supersample) + 1, 0, size
            ).tolist()
            box = left, top, right, bottom
        window = tuple(
            slice(a * supersample, b * supersample) for a, b in ((box[1], box[3]), (box[0], box[2]))
        )
        canvas[window] = still[window]
        fill(canvas, points[t], numbers)
        yield t, box, canvas[window], still


def _shrunk(canvas: np.ndarray) -> np.ndarray:
    """The mean over SUPERSAMPLE x SUPERSAMPLE sub-pixels, in halves: OpenCV does these by far the fastest."""
    for _ in range(SUPERSAMPLE.bit_length() - 1):
        half = (canvas.shape[1] // 2, canvas.shape[0] // 2)
        canvas = cv2.resize(canvas, half, interpolation=cv2.INTER_AREA)
    return canvas


def _to_subpixels(maps: np.ndarray, size: int) -> np.ndarray:
    """Maps to picture units -> maps to sub-pixel indices, whose origin is the centre of the first one."""
    scaled = maps * (size / PICTURE)
    scaled[:, :, 2] -= 0.5
    return scaled
