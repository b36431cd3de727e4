"""Polygons in a part's own material coordinates: smooth outlines, tapered limbs, brush strokes, shade."""

from collections.abc import Sequence

import numpy as np

LIGHT_FROM = np.array([-0.55, -0.83])
"""Unit vector towards the light: up and to the viewer's left, on every part."""


def smooth_closed(control: Sequence[tuple[float, ...]], samples: int = 7) -> np.ndarray:
    """Closed cubic curve through control points -> [N, 2].

    A point is (x, y) or (x, y, sharpness): 1 makes a corner, such as the tip of a lock of hair.
    """
    points = np.array([p[:2] for p in control], float)
    soft = 1.0 - np.array([p[2] if len(p) > 2 else 0.0 for p in control])
    tangents = 0.5 * (np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)) * soft[:, None]
    return _hermite(points, tangents, np.roll(points, -1, axis=0), np.roll(tangents, -1, axis=0), samples)


def smooth_open(control: Sequence[tuple[float, ...]], samples: int = 6) -> np.ndarray:
    """Open cubic curve through control points (x, y), both ends included -> [N, 2]."""
    points = np.array([p[:2] for p in control], float)
    tangents = np.gradient(points, axis=0)
    curve = _hermite(points[:-1], tangents[:-1], points[1:], tangents[1:], samples)
    return np.concatenate([curve, points[-1:]])


def _hermite(p0: np.ndarray, m0: np.ndarray, p1: np.ndarray, m1: np.ndarray, samples: int) -> np.ndarray:
    s = np.linspace(0.0, 1.0, samples, endpoint=False)[None, :, None]
    curve = (
        (2 * s**3 - 3 * s**2 + 1) * p0[:, None]
        + (s**3 - 2 * s**2 + s) * m0[:, None]
        + (3 * s**2 - 2 * s**3) * p1[:, None]
        + (s**3 - s**2) * m1[:, None]
    )
    return curve.reshape(-1, 2)


def mirrored(half: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Control points of the right half (x >= 0, from top to bottom) -> the whole symmetric outline."""
    left = [(-p[0], *p[1:]) for p in reversed(half) if p[0] != 0]
    return [*half, *left]


def ellipse(x: float, y: float, radius_x: float, radius_y: float, samples: int = 28) -> np.ndarray:
    """Ellipse -> [samples, 2]."""
    angle = np.linspace(0.0, 2 * np.pi, samples, endpoint=False)
    return np.stack([x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)], axis=-1)


def limb(
    length: float, radii: tuple[float, ...], start: float = 0.0, caps: tuple[bool, bool] = (True, True)
) -> np.ndarray:
    """A limb along +y from ``start`` to ``length``, of these radii, its ends round or flat -> [N, 2]."""
    y = np.linspace(start, length, 9)
    r = np.interp(np.linspace(0, 1, 9), np.linspace(0, 1, len(radii)), radii)
    right = np.stack([r, y], axis=-1)
    left = np.stack([-r, y], axis=-1)[::-1]
    turn = np.linspace(0.0, np.pi, 11)[1:-1]
    end = np.stack([r[-1] * np.cos(turn), length + r[-1] * np.sin(turn)], axis=-1) if caps[1] else right[:0]
    top = np.stack([-r[0] * np.cos(turn), start - r[0] * np.sin(turn)], axis=-1) if caps[0] else right[:0]
    return np.concatenate([right, end, left, top])


def stroke(line: np.ndarray, widths: Sequence[float]) -> np.ndarray:
    """A brush stroke along a line [..., N, 2], its width interpolated from ``widths`` -> [..., 2 N, 2]."""
    tangent = np.gradient(line, axis=-2)
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)
    normal = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    count = line.shape[-2]
    half = 0.5 * np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(widths)), widths)[:, None]
    return np.concatenate([line + half * normal, (line - half * normal)[..., ::-1, :]], axis=-2)


def outline(
    polygon: np.ndarray, width: float, fade_above: float | None = None, fade_below: float | None = None
) -> np.ndarray:
    """The polygon [N, 2] grown by an ink line: full width away from the light, thinner towards it.

    Args:
        fade_above, fade_below: where given, no line beyond this y, so that a sleeve grows out of a
            shoulder and trousers divide into legs without a seam.
    """
    normal = _normals(polygon)
    weight = 0.8 - 0.3 * (normal @ LIGHT_FROM)
    if fade_above is not None:
        weight = weight * np.clip((polygon[:, 1] - fade_above) / 2.0, 0.0, 1.0)
    if fade_below is not None:
        weight = weight * np.clip((fade_below - polygon[:, 1]) / 2.0, 0.0, 1.0)
    return polygon + normal * (width * weight)[:, None]


def shade(polygon: np.ndarray, depth: float, light_from: np.ndarray = LIGHT_FROM) -> list[np.ndarray]:
    """Crescents along the side of [N, 2] that faces away from ``light_from`` [2], up to ``depth`` thick."""
    facing = -(_normals(polygon) @ light_from) - 0.15
    inner = polygon - _normals(polygon) * (depth * np.clip(facing, 0.0, None))[:, None]
    dark = facing > 0
    if not dark.any() or dark.all():
        return []
    # Start right after a lit vertex so that no run of dark vertices wraps around.
    order = np.roll(np.arange(len(polygon)), -int(np.flatnonzero(~dark)[0]))
    runs = np.split(order, np.flatnonzero(np.diff(dark[order].astype(int))) + 1)
    return [np.concatenate([polygon[run], inner[run][::-1]]) for run in runs if dark[run[0]] and len(run) > 3]


def _normals(polygon: np.ndarray) -> np.ndarray:
    tangent = np.roll(polygon, -1, axis=0) - np.roll(polygon, 1, axis=0)
    after = np.roll(polygon, -1, axis=0)
    area = np.sum(polygon[:, 0] * after[:, 1] - polygon[:, 1] * after[:, 0])
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=-1) * np.sign(area)
    return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9))


def contains(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Whether points [..., 2] lie inside a polygon [N, 2], or each its own [..., N, 2] -> bool [...].

    Where the outline overlaps itself, as the line around spread fingers does, is inside (non-zero winding).
    """
    x, y = points[..., 0, None], points[..., 1, None]
    x0, y0 = polygon[..., 0], polygon[..., 1]
    x1, y1 = np.roll(x0, -1, axis=-1), np.roll(y0, -1, axis=-1)
    crosses = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = x < x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    winding = np.where(y1 > y0, 1, -1) * (crosses & left)
    return np.asarray(winding.sum(axis=-1) != 0)
