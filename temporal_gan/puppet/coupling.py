"""Motion and expression meet: a motion moved by a mood, with the small differences of one clip to another.

The body follows the expression's intensity ``COUPLING_LAG_SEC`` later, the same for every class, in proportion to
intensity and strength:

========== ==================================================================================================
neutral    nothing
happy      quicker and wider; bounces on its knees, head up, rocks, arms lighter
sad        slower and smaller; bows, head and shoulders hang, knees give
angry      stiff: smaller and a little quicker, leans in, shoulders and elbows up, sharp nods like blows
surprised  recoils, then holds: slower and smaller, leans back, shoulders and arms up, hands open
scared     shrinks and trembles: bent knees, shoulders at the ears, arms before the body
disgusted  turns away: head, then torso turn and lean off, chin up, slower
embarrassed looks down and aside, one shoulder up, fidgets and sways
========== ==================================================================================================
"""

import numpy as np

from ..expressions import CLASSES
from ..rng import numpy_generator
from .capture import SOURCES
from .channels import HEAD_PITCH_LIMIT, HEAD_ROLL_LIMIT, HEAD_YAW_LIMIT, Pose, within
from .motion import motion_pose, parse_motion
from .springs import PREROLL_SEC

COUPLING_LAG_SEC = 0.125
"""How long after the face the body follows: 3 frames at 24 frames a second."""

RECOIL_SEC = 0.4
"""How long the start of surprise lasts in the body before only its hold is left."""

_PREROLL_FPS = 24.0

_PACE = {"happy": 0.3, "sad": -0.4, "angry": 0.12, "surprised": -0.3, "disgusted": -0.2, "embarrassed": -0.15}
_WIDTH = {
    "happy": 0.15, "sad": -0.35, "angry": -0.25, "surprised": -0.25, "scared": -0.4, "disgusted": -0.2,
    "embarrassed": -0.25,
}  # fmt: skip
_POSTURE: dict[str, dict[str, float]] = {
    "happy": {"head_pitch": -0.1, "shrug": 0.3, "arm_out": 0.1, "bow": -0.04, "tail_curl": 0.06, "ear_droop": -0.08},
    "sad": {"head_pitch": 0.36, "bow": 0.16, "shrug": -0.75, "hip_height": -0.9, "stretch": -0.02, "arm_out": -0.07,
            "elbow_bend": -0.12, "tail_curl": -0.2, "ear_droop": 0.6},
    "angry": {"head_pitch": 0.14, "bow": 0.13, "shrug": 0.75, "arm_out": 0.2, "elbow_bend": 0.35, "elbow_out": 0.15,
              "foot_out": 0.0, "tail_curl": 0.05, "ear_droop": 0.45},
    "surprised": {"head_pitch": -0.2, "bow": -0.12, "shrug": 0.9, "arm_out": 0.42, "elbow_bend": 0.4, "stretch": 0.025,
                  "tail_curl": 0.12, "ear_droop": -0.12},
    "scared": {"head_pitch": 0.1, "bow": 0.12, "shrug": 1.3, "hip_height": -2.6, "stretch": -0.045, "arm_out": -0.1,
               "arm_swing": 0.28, "elbow_bend": 1.0, "elbow_out": -0.35, "tail_curl": -0.28, "ear_droop": 0.7},
    "disgusted": {"head_pitch": -0.12, "bow": -0.08, "shrug": 0.3, "arm_swing": 0.15, "elbow_bend": 0.5,
                  "tail_curl": -0.05, "ear_droop": 0.3},
    "embarrassed": {"head_pitch": 0.26, "bow": 0.05, "shrug": 0.45, "hip_height": -0.5, "arm_out": -0.08,
                    "arm_swing": 0.12, "elbow_bend": 0.3, "elbow_out": -0.3, "ear_droop": 0.4, "tail_curl": -0.08},
}  # fmt: skip
"""Class -> channel -> what is added at full intensity and strength; a limb's channel means both sides."""

_LOOSENESS = {"happy": 0.3, "sad": -0.1, "angry": -0.55, "scared": -0.3}


def mood_pose(
    motion: str, time: np.ndarray, expression: np.ndarray, coupling: float, seed: int, before: bool = False
) -> Pose:
    """Pose of one clip: the motion, this seed's variation of it, and what the expression does to it.

    Args:
        motion: a specification, see :func:`temporal_gan.puppet.motion.parse_motion`. A user's own motion
            (``bvh:`` or ``openpose:``) gets no variation.
        time: float [T], seconds from the start of the clip, never falling.
        expression: float [T, E] in the order of expressions.EXPRESSIONS.
        coupling: [0, 1]; at 0 the expression does not touch the motion at all.
        seed: phase, speed, amplitude, side and look direction.
        before: instead of the clip the PREROLL_SEC before it, with its first expression, in which hair, skirt and
            tail settle.
    Raises:
        UserError: the motion is wrong.
    """
    time = np.asarray(time, float)
    end = float(time[-1] + (time[-1] - time[-2] if len(time) > 1 else 0.0))
    if before:
        count = round(PREROLL_SEC * _PREROLL_FPS)
        time = np.arange(-count, 0) / _PREROLL_FPS
        expression = np.tile(expression[:1], (count, 1))
    random = numpy_generator(seed, "puppet", "motion", motion)
    phase, look, tilt = float(random.uniform()), float(random.normal(0, 0.07)), float(random.normal(0, 0.02))
    speed, amplitude = float(random.uniform(0.9, 1.12)), float(random.uniform(0.88, 1.08))
    other_side = bool(random.uniform() < 0.5)
    if all(step.name.partition(":")[0] in SOURCES for step in parse_motion(motion)):
        phase, look, tilt, speed, amplitude, other_side = 0.0, 0.0, 0.0, 1.0, 1.0, False

    felt = {name: coupling * _delayed(time, expression[:, i]) for i, name in enumerate(CLASSES)}
    pose = motion_pose(
        motion,
        time,
        speed=speed * (1 + sum(gain * felt[name] for name, gain in _PACE.items())),
        amplitude=amplitude * (1 + sum(gain * felt[name] for name, gain in _WIDTH.items())),
        phase=phase,
        other_side=other_side,
        end_sec=end,
    )
    pose["head_roll"] = pose["head_roll"] + tilt
    pose["head_yaw"] = pose["head_yaw"] + np.clip(look, -0.15, 0.15)
    for name, changes in _POSTURE.items():
        for channel, amount in changes.items():
            _add(pose, channel, amount * felt[name])
    pose["looseness"] = pose["looseness"] * (1 + sum(gain * felt[name] for name, gain in _LOOSENESS.items()))
    _bounce(pose, time + phase, felt["happy"])
    _jolt(pose, time + phase, felt["angry"])
    late = coupling * _delayed(time, expression[:, CLASSES.index("surprised")], RECOIL_SEC)
    _recoil(pose, np.maximum(felt["surprised"] - late, 0.0))
    _tremble(pose, time + phase, felt["scared"])
    _turn_away(pose, felt["disgusted"])
    _fidget(pose, time + phase, felt["embarrassed"])
    for channel, limit in (
        ("head_yaw", HEAD_YAW_LIMIT), ("head_pitch", HEAD_PITCH_LIMIT), ("head_roll", HEAD_ROLL_LIMIT),
        ("yaw", 0.5 * np.pi), ("bow", 1.0),
    ):  # fmt: skip
        pose[channel] = within(pose[channel], limit)
    return pose


def _delayed(time: np.ndarray, intensity: np.ndarray, more_sec: float = 0.0) -> np.ndarray:
    """An intensity as the body feels it: later, and before the clip as at its start."""
    if len(time) == 1:
        return intensity.astype(float)
    return np.asarray(np.interp(time - COUPLING_LAG_SEC - more_sec, time, intensity.astype(float)))


def _add(pose: Pose, channel: str, amount: np.ndarray) -> None:
    for name in (channel,) if channel in pose else (f"right_{channel}", f"left_{channel}"):
        pose[name] = pose[name] + amount


def _bounce(pose: Pose, time: np.ndarray, happy: np.ndarray) -> None:
    beat = np.sin(2 * np.pi * 2.2 * time)
    _add(pose, "hip_height", happy * (0.9 * beat - 0.9))
    _add(pose, "stretch", 0.022 * happy * np.sin(2 * np.pi * 2.2 * time - 0.5))
    _add(pose, "head_roll", 0.07 * happy * np.sin(2 * np.pi * 1.1 * time))
    _add(pose, "arm_out", 0.06 * happy * np.sin(2 * np.pi * 2.2 * time - 0.9))


def _jolt(pose: Pose, time: np.ndarray, angry: np.ndarray) -> None:
    """Short sharp accents: fast in, slow out, three in two seconds."""
    since = np.mod(1.5 * time, 1.0) / 1.5
    blow = since / 0.05 * np.exp(1 - since / 0.05)
    _add(pose, "head_pitch", 0.16 * angry * blow)
    _add(pose, "bow", 0.06 * angry * blow)
    _add(pose, "arm_swing", 0.1 * angry * blow)
    for side in ("right", "left"):
        pose[f"{side}_hand_open"] = (1 - angry) * pose[f"{side}_hand_open"]


def _recoil(pose: Pose, start: np.ndarray) -> None:
    _add(pose, "bow", -0.22 * start)
    _add(pose, "head_pitch", -0.12 * start)
    _add(pose, "arm_out", 0.3 * start)
    _add(pose, "elbow_bend", 0.5 * start)
    _add(pose, "shrug", 0.6 * start)
    _add(pose, "hip_height", -1.6 * start)
    _add(pose, "hip_forward", -2.4 * start)


def _tremble(pose: Pose, time: np.ndarray, scared: np.ndarray) -> None:
    # Two rates that do not meet: 7 to 9 Hz is what fear shivers at, and 24 frames a second still show it.
    fast, other = np.sin(2 * np.pi * 8.3 * time), np.sin(2 * np.pi * 6.7 * time + 1.0)
    _add(pose, "root_x", scared * 0.3 * fast)
    _add(pose, "head_roll", scared * 0.03 * other)
    _add(pose, "head_yaw", scared * 0.04 * fast)
    _add(pose, "shrug", scared * 0.12 * other)
    _add(pose, "elbow_bend", scared * 0.09 * fast)


def _turn_away(pose: Pose, disgusted: np.ndarray) -> None:
    """To the other side than the torso faces."""
    aside = -np.tanh(6.0 * (pose["yaw"] + 0.05))
    _add(pose, "head_yaw", 0.75 * disgusted * aside)
    _add(pose, "head_roll", 0.1 * disgusted * aside)
    _add(pose, "yaw", 0.3 * disgusted * aside)
    _add(pose, "lean", 0.1 * disgusted * aside)
    _add(pose, "root_x", 1.2 * disgusted * aside)


def _fidget(pose: Pose, time: np.ndarray, embarrassed: np.ndarray) -> None:
    slow, quick = np.sin(2 * np.pi * 0.7 * time), np.sin(2 * np.pi * 2.6 * time)
    aside = np.tanh(6.0 * (pose["yaw"] + 0.05))
    _add(pose, "head_yaw", embarrassed * (0.3 * aside + 0.06 * slow))
    _add(pose, "head_roll", 0.14 * embarrassed * aside)
    _add(pose, "twist", embarrassed * 0.16 * slow)
    _add(pose, "root_x", embarrassed * 0.8 * slow)
    for side, sign in (("right", 1.0), ("left", -1.0)):
        _add(pose, f"{side}_elbow_bend", embarrassed * (0.1 + 0.14 * sign) * (1 + quick))
        _add(pose, f"{side}_foot_turn", embarrassed * -0.25)
