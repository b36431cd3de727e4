"""Planar affine maps over time, float64 [T, 2, 3]: material coordinates of a part -> picture units.

Picture units: the frame is 93 wide and 93 high, x to the right, y down, whatever its size in pixels.
"""

import numpy as np


def affine(x_axis: np.ndarray, y_axis: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Maps [T, 2, 3] sending (1, 0) to ``origin + x_axis`` and (0, 1) to ``origin + y_axis``, all [T, 2]."""
    return np.stack(np.broadcast_arrays(x_axis, y_axis, origin), axis=-1)


def place(
    frames: int,
    x: np.ndarray | float = 0.0,
    y: np.ndarray | float = 0.0,
    angle: np.ndarray | float = 0.0,
    scale_x: np.ndarray | float = 1.0,
    scale_y: np.ndarray | float = 1.0,
    shear: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Scale and shear (x += shear * y), then turn ``angle`` radians clockwise on screen, then move to (x, y).

    Every argument is a number or [T]; returns [T, 2, 3].
    """
    cos, sin = np.cos(angle), np.sin(angle)
    rows = [
        [cos * scale_x, cos * shear - sin * scale_y, x],
        [sin * scale_x, sin * shear + cos * scale_y, y],
    ]
    return np.stack(
        [np.stack([np.broadcast_to(v, (frames,)) for v in row], axis=-1) for row in rows], axis=-2
    )


def along(start: np.ndarray, end: np.ndarray, length: float) -> np.ndarray:
    """Map of a limb whose material y axis runs from ``start`` (0) to ``end`` (``length``), width kept."""
    y_axis = (end - start) / length
    unit = y_axis / np.maximum(np.linalg.norm(y_axis, axis=-1, keepdims=True), 1e-6)
    return affine(np.stack([unit[:, 1], -unit[:, 0]], axis=-1), y_axis, start)


def compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """``outer`` after ``inner``, both [T, 2, 3]."""
    linear = outer[:, :, :2] @ inner[:, :, :2]
    moved = outer[:, :, :2] @ inner[:, :, 2:] + outer[:, :, 2:]
    return np.concatenate([linear, moved], axis=-1)


def invert(maps: np.ndarray) -> np.ndarray:
    """The inverse maps, [T, 2, 3]."""
    linear = np.linalg.inv(maps[:, :, :2])
    return np.concatenate([linear, -(linear @ maps[:, :, 2:])], axis=-1)


def apply(maps: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points [N, 2] or [T, N, 2] through maps [T, 2, 3] -> [T, N, 2]."""
    return points @ maps[:, :, :2].swapaxes(-1, -2) + maps[:, None, :, 2]
