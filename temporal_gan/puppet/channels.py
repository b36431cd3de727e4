"""What a pose is made of, and what a motion is: curves of pose channels over a cycle, or over one performance.

Angles are radians; lengths are picture units (the frame is 93 high) of a body with legs of standard length, and
scale with a character's own. With every channel at 0 a figure faces the viewer with limbs hanging down.

Body: ``heading`` is where the feet walk to, ``yaw`` where the torso faces, ``head_yaw`` where the face looks, all 0
towards the viewer and positive to the viewer's right. ``bow`` bends the torso forwards, ``lean`` tilts it clockwise
on the picture, ``twist`` turns the shoulders against the hips. ``hip_height`` is 0 with straight legs and falls with
bent knees; ``hip_forward`` and ``root_x`` move the hips over feet that stay. ``travel`` is how far the ground has
been walked, to the viewer's right. ``drowsy`` is how far sleep has closed the eyes, 0 to 1.

Limbs (with ``right_`` and ``left_``): ``swing`` turns forwards, ``out`` away from the side, ``elbow_bend`` folds the
forearm forwards, ``knee`` the shin backwards. ``pin`` 1 puts the foot where ``foot_forward``, ``foot_out`` and
``foot_lift`` say (by inverse kinematics), 0 leaves it to the angles. ``reach`` does the same for a hand:
``reach_forward``, ``reach_out`` and ``reach_down`` are from the middle of the chest at shoulder height, in arm lengths.
``hand_open`` is 0 for a closed hand, 1 for a spread one; ``hand_point`` 1 stretches the first finger of a closed hand.
"""

from dataclasses import dataclass, field

import numpy as np

Pose = dict[str, np.ndarray]
"""Channel name -> float64 [T], all of BODY_CHANNELS, and of LIMB_CHANNELS with ``right_`` and ``left_``."""

BODY_CHANNELS = (
    "time", "root_x", "hip_height", "hip_forward", "heading", "travel", "jump", "lean", "bow", "yaw", "twist",
    "shrug", "stretch", "head_yaw", "head_pitch", "head_roll", "breath", "tail_curl", "tail_beat", "ear_droop",
    "looseness", "drowsy",
)  # fmt: skip
LIMB_CHANNELS = (
    "arm_swing", "arm_out", "elbow_bend", "elbow_out", "hand_open", "hand_point", "reach", "reach_forward",
    "reach_out", "reach_down", "leg_swing", "leg_out", "knee", "knee_out", "pin", "foot_forward", "foot_out",
    "foot_lift", "foot_pitch", "foot_turn",
)  # fmt: skip
CHANNELS = BODY_CHANNELS + tuple(f"{side}_{c}" for side in ("right", "left") for c in LIMB_CHANNELS)

MIRRORED_CHANNELS = ("root_x", "heading", "travel", "lean", "yaw", "twist", "head_yaw", "head_roll")
"""Those that change sign in a mirror; limbs change sides."""

HEAD_YAW_LIMIT, HEAD_PITCH_LIMIT, HEAD_ROLL_LIMIT = 1.2, 0.6, 0.5

Keys = tuple[tuple[float, float], ...]
"""(phase in [0, 1], value) pairs of a curve; it rests at its extremes: movements ease in and out."""


@dataclass(frozen=True)
class Gait:
    """How the feet of a walk or a run go; the hips and arms are curves.

    Attributes:
        stride: how far a foot travels backwards under the body while it stands, picture units.
        stance: fraction of the cycle a foot stands: above 0.5 walks, below runs.
        lift: height of the foot in the middle of its swing.
        early: below 1 the foot is highest early in the swing (a heel that kicks up).
        pitch: toes up (positive) and down over the foot's own cycle, which begins as it touches the ground.
    """

    stride: float
    stance: float
    lift: float
    early: float
    pitch: Keys


@dataclass(frozen=True)
class Motion:
    """One named motion.

    Attributes:
        period_sec: length of the cycle, or of the single performance, at speed 1.
        curves: channel -> a constant or keys. ``right_x`` and ``left_x`` override ``x`` and are not lagged.
        left_lag: how far, in cycles, the left limbs run behind the right ones: 0.5 alternates them.
        gait: feet that walk; without one they stand, and their channels are curves.
        once: performed once, then its last pose is held.
        either_side: the seed picks the side it turns to.
    """

    period_sec: float
    curves: dict[str, float | Keys] = field(default_factory=dict)
    left_lag: float = 0.0
    gait: Gait | None = None
    once: bool = False
    either_side: bool = False


def mirrored(pose: Pose) -> Pose:
    """The pose seen in a mirror."""
    swap = {"right": "left", "left": "right"}
    out = {}
    for name, values in pose.items():
        side, _, rest = name.partition("_")
        if side in swap:
            out[f"{swap[side]}_{rest}"] = values
        else:
            out[name] = -values if name in MIRRORED_CHANNELS else values
    return out


def within(values: np.ndarray, limit: float) -> np.ndarray:
    """Values held inside +-limit, smoothly, and unchanged while well inside."""
    return np.asarray(values / (1 + (values / limit) ** 8) ** 0.125)
