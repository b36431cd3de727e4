"""Figures in poses of a test's own, without any motion."""

import numpy as np

from temporal_gan.expressions import expression_vector
from temporal_gan.puppet.cast import CHARACTERS, find_character
from temporal_gan.puppet.channels import CHANNELS, Pose
from temporal_gan.puppet.lighting import find_light
from temporal_gan.puppet.motion import MOTIONS
from temporal_gan.puppet.render import draw_video
from temporal_gan.puppet.rig import Rig, build_rig

_ROUNDS = max(len(CHARACTERS), len(MOTIONS))
PAIRS = [
    (list(CHARACTERS)[i % len(CHARACTERS)], list(MOTIONS)[(i + turn) % len(MOTIONS)])
    for turn in (0, 5)
    for i in range(_ROUNDS)
]
"""Every character and every motion, twice in different company: all combinations would take minutes."""


def standing(frames: int, **channels: np.ndarray | float) -> Pose:
    """Arms a little out; any channel as given."""
    pose = {name: np.zeros(frames) for name in CHANNELS}
    pose["time"] = np.arange(frames) / 24.0
    pose["looseness"] = np.ones(frames)
    for side in ("right", "left"):
        pose[f"{side}_arm_out"] += 0.22
        pose[f"{side}_elbow_bend"] += 0.3
        pose[f"{side}_leg_out"] += 0.06
    for name, value in channels.items():
        pose[name] = np.broadcast_to(np.asarray(value, float), (frames,)).copy()
    return pose


def rig_of(name: str, pose: Pose, expression: np.ndarray | None = None) -> Rig:
    """The rig of a character; ``expression`` [E] or [T, E], neutral without."""
    frames = len(pose["yaw"])
    track = expression_vector({}) if expression is None else expression
    before = {channel: values[:1].repeat(2) for channel, values in pose.items()}
    before["time"] = pose["time"][0] + np.array([-2.0, -1.0]) / 24.0
    return build_rig(find_character(name), pose, before, np.broadcast_to(track, (frames, track.shape[-1])))


def picture(rig: Rig, size: int) -> np.ndarray:
    """float64 [T, S, S, 3] in [0, 1] on white."""
    video = draw_video(rig.parts, rig.order, find_light("day"), size) / 255.0
    return np.asarray(video[..., :3] + 1.0 - video[..., 3:])
