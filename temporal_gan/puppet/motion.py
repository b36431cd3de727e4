"""Motions as data: every pose channel is a smooth periodic curve over the motion's cycle.

Angles are radians, lengths picture units (the frame is 93 high). With every channel at 0 a figure faces the
viewer with limbs hanging down. ``swing`` turns a limb forwards, ``out`` away from its side, ``bend``
folds the elbow forwards, ``knee`` folds the shin backwards; ``hand_open`` is 0 for a closed hand, 1 for a spread one.
Names without a side serve both.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator

from ..errors import UserError

Pose = dict[str, np.ndarray]
"""Channel name -> float64 [T], all of BODY_CHANNELS and LIMB_CHANNELS with ``right_`` and ``left_``."""

BODY_CHANNELS = (
    "root_x", "jump", "lean", "yaw", "twist", "shrug", "stretch", "head_yaw", "head_pitch", "head_roll",
    "breath", "tail_curl", "tail_beat", "ear_droop", "looseness",
)  # fmt: skip
LIMB_CHANNELS = (
    "arm_swing", "arm_out", "elbow_bend", "elbow_out", "leg_swing", "leg_out", "knee", "foot_pitch",
    "hand_open",
)  # fmt: skip

Keys = tuple[tuple[float, float], ...]
"""(phase in [0, 1), value) pairs of a periodic curve; it rests at its extremes: movements ease in and out."""


@dataclass(frozen=True)
class Motion:
    """One named motion.

    Attributes:
        period_sec: length of the cycle at speed 1.
        left_lag: how far, in cycles, the left limbs run behind the right ones: 0.5 alternates them.
        curves: channel -> a constant or keys. ``right_x`` and ``left_x`` override ``x`` and are not lagged.
    """

    period_sec: float
    left_lag: float = 0.0
    curves: dict[str, float | Keys] = field(default_factory=dict)


MOTIONS: dict[str, Motion] = {
    "idle": Motion(3.2, 0.0, {
        "yaw": 0.42, "head_yaw": ((0.0, 0.26), (0.3, 0.44), (0.55, 0.38), (0.8, 0.2)),
        "root_x": ((0.0, -0.5), (0.5, 0.5)), "lean": ((0.05, 0.015), (0.55, -0.015)),
        "head_roll": ((0.15, -0.045), (0.65, 0.045)), "head_pitch": ((0.1, 0.03), (0.6, -0.03)),
        "arm_out": ((0.1, 0.2), (0.6, 0.26)), "elbow_bend": ((0.1, 0.28), (0.6, 0.34)), "arm_swing": -0.05,
        "elbow_out": -0.1, "leg_out": 0.06, "knee": ((0.0, 0.04), (0.5, 0.1)), "right_leg_swing": 0.06,
        "left_leg_swing": 0.02, "twist": ((0.1, -0.03), (0.6, 0.03)),
    }),
    "walk": Motion(1.0, 0.5, {
        "yaw": 0.72, "head_yaw": 0.46, "root_x": ((0.1, -0.35), (0.6, 0.35)),
        "leg_swing": ((0.0, 0.52), (0.25, 0.04), (0.5, -0.44), (0.75, 0.3)),
        "knee": ((0.0, 0.08), (0.13, 0.24), (0.32, 0.06), (0.5, 0.32), (0.68, 1.15), (0.86, 0.5)),
        "foot_pitch": ((0.0, 0.32), (0.12, 0.0), (0.36, 0.0), (0.55, -0.55), (0.74, -0.12), (0.9, 0.26)),
        "leg_out": 0.02, "arm_out": 0.16, "arm_swing": ((0.02, -0.55), (0.52, 0.55)),
        "elbow_bend": ((0.05, 0.2), (0.57, 0.7)), "elbow_out": -0.04,
        "lean": ((0.05, 0.045), (0.3, 0.075), (0.55, 0.045), (0.8, 0.075)),
        "twist": ((0.02, 0.13), (0.52, -0.13)), "head_roll": ((0.1, -0.03), (0.6, 0.03)),
        "head_pitch": ((0.1, 0.05), (0.35, -0.02), (0.6, 0.05), (0.85, -0.02)),
    }),
    "wave": Motion(1.1, 0.0, {
        "yaw": 0.34, "head_yaw": 0.18, "root_x": ((0.0, 0.5), (0.5, -0.2)),
        "lean": ((0.0, 0.03), (0.5, -0.015)), "head_roll": ((0.1, 0.11), (0.6, 0.03)),
        "right_arm_out": ((0.05, 1.88), (0.55, 1.98)), "right_elbow_out": ((0.0, 0.3), (0.5, 1.05)),
        "right_arm_swing": 0.12, "right_elbow_bend": 0.1,
        "left_arm_out": ((0.0, 0.26), (0.5, 0.32)), "left_elbow_bend": 0.35, "left_elbow_out": -0.2,
        "leg_out": 0.06, "knee": ((0.0, 0.05), (0.5, 0.1)), "right_leg_swing": 0.05,
        "twist": ((0.0, 0.04), (0.5, -0.04)), "shrug": ((0.0, 0.15), (0.5, 0.0)),
    }),
    "jump": Motion(1.25, 0.0, {
        "yaw": 0.4, "head_yaw": 0.26,
        "jump": ((0.0, 0.0), (0.36, 0.0), (0.41, 4.0), (0.47, 7.6), (0.54, 9.0), (0.61, 7.6), (0.67, 4.0),
                 (0.72, 0.0)),
        "leg_swing": ((0.0, 0.08), (0.24, 0.72), (0.38, 0.04), (0.54, 0.5), (0.7, 0.14), (0.8, 0.6)),
        "knee": ((0.0, 0.12), (0.24, 1.3), (0.38, 0.06), (0.54, 1.0), (0.7, 0.2), (0.8, 1.05)),
        "foot_pitch": ((0.0, 0.0), (0.26, 0.0), (0.4, -0.65), (0.54, -0.45), (0.68, -0.15), (0.74, 0.0)),
        "leg_out": ((0.0, 0.07), (0.24, 0.14), (0.4, 0.08), (0.54, 0.2), (0.8, 0.13)),
        "lean": ((0.0, 0.0), (0.24, 0.15), (0.4, -0.03), (0.8, 0.1)),
        "arm_swing": ((0.0, -0.05), (0.22, -0.7), (0.42, 0.35), (0.56, 0.3), (0.82, -0.2)),
        "arm_out": ((0.0, 0.24), (0.22, 0.35), (0.46, 2.0), (0.56, 2.1), (0.8, 0.45)),
        "elbow_bend": ((0.0, 0.25), (0.22, 0.45), (0.46, 0.15), (0.8, 0.5)),
        "elbow_out": ((0.0, -0.1), (0.22, 0.0), (0.48, 0.5), (0.8, 0.0)),
        "head_pitch": ((0.0, 0.0), (0.22, 0.16), (0.44, -0.2), (0.8, 0.14)),
        "stretch": ((0.0, 0.0), (0.24, -0.035), (0.41, 0.035), (0.6, 0.0), (0.79, -0.045)),
        "shrug": ((0.0, 0.0), (0.5, 0.5), (0.8, 0.0)),
    }),
}  # fmt: skip

BREATHS_PER_SEC = 0.3


def find_motion(name: str) -> Motion:
    """The motion of this name. Raises UserError listing the valid names."""
    if name not in MOTIONS:
        raise UserError(f"puppet motion {name!r} is not one of: {', '.join(MOTIONS)}")
    return MOTIONS[name]


def motion_pose(
    name: str,
    time: np.ndarray,
    speed: np.ndarray | float = 1.0,
    amplitude: np.ndarray | float = 1.0,
    phase: float = 0.0,
    lag_sec: float = 0.0,
) -> Pose:
    """Pose of a motion over time.

    Args:
        name: one of MOTIONS.
        time: float [T], seconds, growing.
        speed: a factor on the motion's own pace, or [T] of them (the phase is their integral).
        amplitude: a factor on the swing of every channel about its middle, or [T] of them.
        phase: where in the cycle time 0 lies, in cycles.
        lag_sec: the pose this many seconds earlier, as hair and tails that trail the body need it.
    Returns:
        channel -> float64 [T].
    """
    motion = find_motion(name)
    time = np.asarray(time, float)
    pace = np.broadcast_to(np.asarray(speed, float), time.shape)
    steps = np.diff(time) * 0.5 * (pace[1:] + pace[:-1])
    elapsed = time[0] * pace[0] + np.concatenate([[0.0], np.cumsum(steps)]) - lag_sec * pace
    cycles = phase + elapsed / motion.period_sec
    pose = {channel: np.zeros_like(time) for channel in BODY_CHANNELS}
    for channel in BODY_CHANNELS:
        if channel in motion.curves:
            pose[channel] = _curve(motion.curves[channel], cycles, amplitude, channel)
    for channel in LIMB_CHANNELS:
        for side, lag in (("right", 0.0), ("left", motion.left_lag)):
            own = f"{side}_{channel}"
            if own in motion.curves:
                pose[own] = _curve(motion.curves[own], cycles, amplitude, channel)
            else:
                pose[own] = _curve(motion.curves.get(channel, 0.0), cycles - lag, amplitude, channel)
    breath = np.sin(2 * np.pi * (BREATHS_PER_SEC * (time - lag_sec) + phase))
    pose["breath"] = breath
    pose["shrug"] = pose["shrug"] + 0.22 * breath
    pose["looseness"] = np.ones_like(time)
    pose["tail_beat"] = 2 * np.pi * (phase + 0.55 * elapsed)
    return pose


def _curve(keys: float | Keys, cycles: np.ndarray, amplitude: np.ndarray | float, channel: str) -> np.ndarray:
    if isinstance(keys, float | int):
        return np.full(cycles.shape, float(keys))
    # A jump is scaled from the ground, and at most a little, because the frame ends above it.
    middle = 0.0 if channel == "jump" else float(np.mean([v for _, v in keys]))
    factor = np.minimum(amplitude, 1.1) if channel == "jump" else amplitude
    return np.asarray(middle + factor * (_interpolator(keys)(np.mod(cycles, 1.0)) - middle))


@lru_cache(maxsize=512)
def _interpolator(keys: Keys) -> PchipInterpolator:
    phases = np.array([p for p, _ in keys])
    values = np.array([v for _, v in keys])
    x = np.concatenate([phases - 1, phases, phases + 1])
    return PchipInterpolator(x, np.tile(values, 3))
