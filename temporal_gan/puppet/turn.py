"""Where a point of the head goes when the head turns: everything lies on upright cylinders around its axis."""

import numpy as np

from .affine import place

TURN = 0.6
"""Share of the head's yaw by which its surface turns: a drawn three-quarter face keeps both eyes."""

FACE_RADIUS = 12.4


def on_head(angle: float, radius: float, y: float, yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Map [T, 2, 3] from a point's own coordinates to head coordinates, without foreshortening.

    Args:
        angle: around the head, radians, 0 the face, positive the character's left.
        radius: from the axis, head coordinates.
        y: height.
        yaw, pitch: the head's turn, [T] radians.
    """
    turned = angle + TURN * yaw
    return place(len(yaw), radius * np.sin(turned), y + 4.5 * np.cos(turned) * pitch * radius / FACE_RADIUS)


def on_face(
    x: float, y: float, yaw: np.ndarray, pitch: np.ndarray, radius: float = FACE_RADIUS
) -> np.ndarray:
    """Map [T, 2, 3] from the own coordinates of a feature at (x, y) of the face to head coordinates.

    It slides and narrows as the head turns, and its middle stays where a cylinder of this radius carries it.
    """
    angle = np.arcsin(x / radius)
    turned = angle + TURN * yaw
    scale = np.cos(turned) / np.cos(angle)
    return place(len(yaw), radius * np.sin(turned), y + 4.5 * pitch, 0.0, scale, 1.0 - 0.12 * np.abs(pitch))
