"""What hangs on the body and swings behind it: skirt and tail."""

import numpy as np

from .affine import affine, along
from .bottoms import HEMS
from .channels import Pose
from .character import Character

TAIL_SEGMENTS, TAIL_LENGTH = 10, 2.8


def skirt_map(
    character: Character, torso: np.ndarray, joints: dict[str, np.ndarray], spring: np.ndarray
) -> np.ndarray:
    """The skirt hangs from the torso, lies along the thighs of one who sits, and swings behind the hips."""
    body = character.body
    hip = joints["mid_hip"]
    spread = np.abs(joints["right_knee"][:, 0] - joints["left_knee"][:, 0])
    thighs = (0.5 * (joints["right_knee"] + joints["left_knee"]) - hip) / body.thigh
    flare = 1 + 0.012 * spread + 0.02 * np.abs(spring[:, 1])
    down = torso[:, :, 1]
    raised = np.clip(1.4 * (0.75 - thighs[:, 1]), 0.0, 1.0)[:, None]
    direction = thighs / np.maximum(np.linalg.norm(thighs, axis=-1, keepdims=True), 1e-6)
    lap = np.stack([direction[:, 1], -direction[:, 0]], axis=-1)
    # It ends at the knees, over which the rest of a long one hangs with the shins.
    lap_length = min(1.2, 1.08 / HEMS.get(character.outfit.bottom, 1.0))
    sway = 0.045 * body.thigh * thighs[:, 0] + 0.1 * spring[:, 0]
    hanging = down + np.stack([sway, -0.03 * spring[:, 1]], axis=-1)
    return affine(
        (1 - raised) * flare[:, None] * torso[:, :, 0] + raised * 0.62 * lap,
        (1 - raised) * hanging + raised * (lap_length * thighs + 0.15 * down),
        hip,
    )


def tail_maps(hip: np.ndarray, pose: Pose, spring: np.ndarray) -> dict[str, np.ndarray]:
    """A chain that leaves the hips backwards, sags, then curls up, with a wave running to its tip."""
    yaw = pose["yaw"]
    # Behind a figure that faces left the tail is on the right; in between it points away from the viewer.
    side = np.tanh(4.0 * yaw + 1.5)
    start = hip + np.stack([-1.5 * side - 2.5 * np.sin(yaw), np.full_like(yaw, -0.5)], axis=-1)
    maps = {}
    for i in range(TAIL_SEGMENTS):
        part = i / (TAIL_SEGMENTS - 1)
        wave = 0.34 * part**0.7 * np.sin(pose["tail_beat"] - 2.4 * part) * pose["looseness"]
        rise = (1.15 + 2.2 * pose["tail_curl"]) * part * 1.7
        angle = 1.35 + rise + wave + 0.11 * part * (side * spring[:, 0] + spring[:, 1])
        step = np.stack([-np.sin(angle) * side, np.cos(angle)], axis=-1) * TAIL_LENGTH
        maps[f"tail_{i}"] = along(start, start + step, TAIL_LENGTH)
        start = start + step
    return maps
