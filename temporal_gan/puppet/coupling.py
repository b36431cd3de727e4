"""Motion and expression meet: a motion moved by a mood, with the small differences of one clip to another."""

import numpy as np

from ..expressions import CLASSES
from ..rng import numpy_generator
from .motion import Pose, motion_pose

HAIR_LAG_SEC = 0.09
"""How far hair, skirt and tail trail the body."""


def mood_pose(
    motion: str, time: np.ndarray, expression: np.ndarray, coupling: float, seed: int, lag_sec: float = 0.0
) -> Pose:
    """Pose of one clip: the motion, this seed's variation of it, and what the expression does to it.

    Happy quickens, widens and bounces; sad slows, shrinks and droops; angry hurries and stiffens.

    Args:
        motion: one of motion.MOTIONS.
        time: float [T], seconds.
        expression: float [T, E] in the order of expressions.EXPRESSIONS.
        coupling: [0, 1]; at 0 the expression does not touch the motion.
        seed: phase, speed, amplitude and look direction.
        lag_sec: the pose this many seconds earlier.
    """
    random = numpy_generator(seed, "puppet", "motion", motion)
    phase, look, tilt = float(random.uniform()), float(random.normal(0, 0.07)), float(random.normal(0, 0.02))
    speed, amplitude = float(random.uniform(0.9, 1.12)), float(random.uniform(0.88, 1.08))
    mood = {name: coupling * expression[:, i].astype(float) for i, name in enumerate(CLASSES)}
    happy, angry = mood["happy"], mood["angry"]
    sad = mood["sad"] + 0.5 * mood["embarrassed"]
    pose = motion_pose(
        motion,
        time,
        speed=speed * (1 + 0.3 * happy - 0.4 * sad + 0.12 * angry),
        amplitude=amplitude * (1 + 0.15 * happy - 0.35 * sad - 0.2 * angry),
        phase=phase,
        lag_sec=lag_sec,
    )
    beat = 2 * np.pi * 2.2 * (time - lag_sec + phase)
    pose["stretch"] = pose["stretch"] + 0.02 * happy * np.sin(beat) - 0.03 * sad
    pose["head_roll"] = pose["head_roll"] + tilt + 0.05 * happy * np.sin(beat / 2)
    pose["head_yaw"] = pose["head_yaw"] + np.clip(look, -0.15, 0.15)
    pose["head_pitch"] = pose["head_pitch"] + 0.3 * sad + 0.1 * angry - 0.05 * happy
    pose["lean"] = pose["lean"] + 0.07 * sad + 0.04 * angry
    pose["shrug"] = pose["shrug"] - 0.6 * sad + 0.6 * angry
    pose["tail_curl"] = pose["tail_curl"] + 0.06 * happy - 0.2 * sad + 0.05 * angry
    pose["ear_droop"] = pose["ear_droop"] + 0.55 * sad + 0.4 * angry - 0.08 * happy
    pose["looseness"] = pose["looseness"] * (1 + 0.3 * happy - 0.6 * angry)
    for side in ("right", "left"):
        pose[f"{side}_elbow_bend"] = pose[f"{side}_elbow_bend"] - 0.12 * sad + 0.15 * angry
        pose[f"{side}_arm_out"] = pose[f"{side}_arm_out"] - 0.06 * sad + 0.1 * angry
        pose[f"{side}_knee"] = pose[f"{side}_knee"] + 0.08 * sad
    return pose
