"""Drawing a rig: pictures, part maps, and the exact optical flow with its validity."""

import cv2
import numpy as np

from .affine import apply, invert
from .drawing import Part
from .rig import PICTURE

SUPERSAMPLE = 4
"""Sub-pixels per pixel and axis: 17 levels of edge coverage."""

_MAP_SUPERSAMPLE = 3  # Odd, so that a sub-pixel lies exactly on the centre of each pixel.
_FRACTION_BITS = 6

ALIKE_PX = 0.15
"""Parts whose motions differ by less than this, in pixels, may share an edge pixel: nothing is uncovered."""


def draw_video(parts: tuple[Part, ...], size: int) -> np.ndarray:
    """uint8 [T, S, S, 4], RGBA premultiplied by alpha on a transparent background."""
    strokes = [
        (_pixels(part, polygon, size * SUPERSAMPLE), colour) for part, polygon, colour in _strokes(parts)
    ]
    frames = len(parts[0].to_picture)
    video = np.empty((frames, size, size, 4), np.uint8)
    canvas = np.empty((size * SUPERSAMPLE, size * SUPERSAMPLE, 4), np.uint8)
    for t in range(frames):
        canvas[:] = 0
        for points, colour in strokes:
            cv2.fillPoly(canvas, [points[t]], colour, cv2.LINE_8, _FRACTION_BITS)
        cv2.resize(canvas, (size, size), dst=video[t], interpolation=cv2.INTER_AREA)
    return video


def draw_part_map(parts: tuple[Part, ...], size: int) -> np.ndarray:
    """uint8 [T, S, S]: index + 1 of the part seen at each pixel's centre, 0 for background."""
    index = {part.name: i + 1 for i, part in enumerate(parts)}
    scaled = size * _MAP_SUPERSAMPLE
    strokes = [(_pixels(part, polygon, scaled), index[part.name]) for part, polygon, _ in _strokes(parts)]
    frames = len(parts[0].to_picture)
    part_map = np.empty((frames, size, size), np.uint8)
    canvas = np.empty((scaled, scaled), np.uint8)
    centre = _MAP_SUPERSAMPLE // 2
    for t in range(frames):
        canvas[:] = 0
        for points, value in strokes:
            cv2.fillPoly(canvas, [points[t]], value, cv2.LINE_8, _FRACTION_BITS)
        part_map[t] = canvas[centre::_MAP_SUPERSAMPLE, centre::_MAP_SUPERSAMPLE]
    return part_map


def exact_flow(parts: tuple[Part, ...], part_map: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flow of the visible surface and where it can be trusted.

    A pixel of part p moves by A'(inverse A (x)) - x, A and A' being its maps now and in the next frame. It
    is valid where, in the next frame, all four pixels of its bilinear footprint are in the frame and show the
    same part (or one that moves alike), and where its own four neighbours do so now: an edge pixel mixes the
    colours of two surfaces, and when these move apart no single vector moves the mixture. A part that changes
    its shape into the next frame has no valid pixels then. Background stands still.

    Args:
        parts: in the order of the part map.
        part_map: uint8 [T, S, S].
    Returns:
        flow float32 [T-1, 2, S, S] in pixels (dx, dy) and valid bool [T-1, 1, S, S], on frame t's grid.
    """
    frames, size, _ = part_map.shape
    to_px = [_to_pixels(part.to_picture, size) for part in parts]
    forward, backward = _motion_tables(to_px)
    steady = np.stack([np.ones(frames - 1, bool), *(~part.changing() for part in parts)], axis=1)
    y, x = np.mgrid[0:size, 0:size].astype(np.float64)
    flow = np.zeros((frames - 1, 2, size, size), np.float32)
    valid = np.zeros((frames - 1, 1, size, size), bool)
    for t in range(frames - 1):
        here, there = part_map[t], part_map[t + 1]
        motion = _displacement(forward[t], here, x, y)
        back = _displacement(backward[t], there, x, y)
        target_x, target_y = x + motion[0], y + motion[1]
        # Background does not move along with anything: what covers it, however slowly, hides it.
        good = steady[t][here] & _uniform(here, motion) & ((here > 0) | (there == 0))
        left, top = np.floor(target_x).astype(np.int64), np.floor(target_y).astype(np.int64)
        good &= (left >= 0) & (top >= 0) & (np.ceil(target_x) < size) & (np.ceil(target_y) < size)
        # A target on a pixel's centre reads that pixel alone; its neighbour has no weight.
        wide, tall = target_x - left > 1e-6, target_y - top > 1e-6
        for dx, dy, used in ((0, 0, True), (1, 0, wide), (0, 1, tall), (1, 1, wide & tall)):
            cx, cy = np.clip(left + dx, 0, size - 1), np.clip(top + dy, 0, size - 1)
            drift = np.maximum(np.abs(motion[0] + back[0][cy, cx]), np.abs(motion[1] + back[1][cy, cx]))
            seen = there[cy, cx]
            good &= ~np.asarray(used) | (seen == here) | ((drift < ALIKE_PX) & steady[t][seen])
        flow[t], valid[t, 0] = motion, good
    return flow, valid


def _strokes(parts: tuple[Part, ...]) -> list[tuple[Part, np.ndarray, tuple[float, ...]]]:
    """(part, polygon, opaque colour) in drawing order: a group's ink first, then its fills."""
    ordered: list[tuple[Part, np.ndarray, tuple[float, ...]]] = []
    groups = list(dict.fromkeys(part.group for part in parts))
    for group in groups:
        members = [part for part in parts if part.group == group]
        for layer in ("ink", "fill"):
            for part in members:
                paints = part.drawing.ink if layer == "ink" else part.drawing.fill
                ordered += [
                    (part, paint.polygon, (*(round(c) for c in paint.colour), 255)) for paint in paints
                ]
    return ordered


def _pixels(part: Part, polygon: np.ndarray, size: int) -> np.ndarray:
    """int32 [T, N, 2], fixed-point pixel indices on a canvas of this size."""
    points = apply(_to_pixels(part.to_picture, size), polygon)
    return np.round(points * (1 << _FRACTION_BITS)).astype(np.int32)


def _to_pixels(maps: np.ndarray, size: int) -> np.ndarray:
    """Maps to picture units -> maps to pixel indices, whose origin is the centre of the first pixel."""
    scaled = maps * (size / PICTURE)
    scaled[:, :, 2] -= 0.5
    return scaled


def _motion_tables(to_px: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Displacement maps [T-1, P+1, 2, 3] of background (still) and parts: t to t+1, and t+1 back to t."""
    frames = len(to_px[0])
    still = np.zeros((frames - 1, 2, 3))
    ahead, behind = [still], [still]
    identity = np.eye(2, 3)
    for maps in to_px:
        inverse = invert(maps)
        for tables, outer, inner in ((ahead, maps[1:], inverse[:-1]), (behind, maps[:-1], inverse[1:])):
            linear = outer[:, :, :2] @ inner[:, :, :2]
            moved = outer[:, :, :2] @ inner[:, :, 2:] + outer[:, :, 2:]
            tables.append(np.concatenate([linear, moved], axis=-1) - identity)
    return np.stack(ahead, axis=1), np.stack(behind, axis=1)


def _displacement(table: np.ndarray, labels: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[2, S, S] displacement of each pixel under its own part's map, from a table [P+1, 2, 3]."""
    rows = table.reshape(len(table), 6).T[:, labels]
    return np.stack([rows[0] * x + rows[1] * y + rows[2], rows[3] * x + rows[4] * y + rows[5]])


def _uniform(labels: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """bool [S, S]: every neighbour belongs to the same part or moves alike."""
    padded = np.pad(labels, 1, mode="edge")
    moved = np.pad(motion, ((0, 0), (1, 1), (1, 1)), mode="edge")
    size = labels.shape[0]
    good = np.ones(labels.shape, bool)
    for dy, dx in ((0, 1), (1, 0), (1, 2), (2, 1)):
        window = (slice(dy, dy + size), slice(dx, dx + size))
        apart = np.abs(moved[:, window[0], window[1]] - motion).max(axis=0)
        good &= (padded[window] == labels) | (apart < ALIKE_PX)
    return good
