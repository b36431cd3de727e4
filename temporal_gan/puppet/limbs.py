"""Arms and legs in three dimensions: directions of bones, and two bones that reach for a point.

Body space: x to the character's left (the viewer's right when it faces the viewer), y down, z forwards.
Right limbs have sign -1, left ones +1.
"""

import numpy as np


def bone_direction(swing: np.ndarray, out: np.ndarray, sign: float) -> np.ndarray:
    """Unit vector [T, 3] in body space of a hanging bone swung forwards and moved out to its side (radians)."""
    return np.stack([sign * np.sin(out) * np.cos(swing), np.cos(out) * np.cos(swing), np.sin(swing)], axis=-1)


def bone_angles(direction: np.ndarray, sign: float) -> tuple[np.ndarray, np.ndarray]:
    """(swing, out) [T] of unit vectors [T, 3]: the inverse of :func:`bone_direction`, swing in [-pi/2, pi/2]."""
    swing = np.arcsin(np.clip(direction[:, 2], -1.0, 1.0))
    return swing, np.arctan2(sign * direction[:, 0], direction[:, 1])


def pitched(vector: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Vectors [T, 3] after bowing forwards by ``angle`` [T]."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y, z = np.moveaxis(vector, -1, 0)
    return np.stack([x, y * cos + z * sin, z * cos - y * sin], axis=-1)


def turned(vector: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Vectors [T, 3] after turning by ``angle`` [T] about the vertical, the front towards +x."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y, z = np.moveaxis(vector, -1, 0)
    return np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=-1)


def two_bones(
    root: np.ndarray, target: np.ndarray, pole: np.ndarray, first: float, second: float
) -> tuple[np.ndarray, np.ndarray]:
    """Inverse kinematics of a knee or an elbow, by the law of cosines.

    Args:
        root, target: [T, 3], where the chain starts and where its end should be.
        pole: [T, 3], the side to which the middle joint bends; only its part across the chain counts.
        first, second: lengths of the bones.
    Returns:
        middle joint and end, [T, 3]. The end is the target, or as near to it as the bones reach.
    """
    reach = target - root
    distance = np.maximum(np.linalg.norm(reach, axis=-1, keepdims=True), 1e-9)
    along = reach / distance
    distance = np.clip(distance, abs(first - second) + 1e-3, (1 - 1e-6) * (first + second))
    across = pole - (pole * along).sum(axis=-1, keepdims=True) * along
    across /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-9)
    near = (distance**2 + first**2 - second**2) / (2 * distance)
    height = np.sqrt(np.maximum(first**2 - near**2, 0.0))
    return root + near * along + height * across, root + distance * along
