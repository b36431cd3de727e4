"""Could this be a body? Asked of places alone, never of a detector's own confidence, which drawings of animals get too.

Bounds are in torso lengths (neck to the middle of the hips) and were set beyond what 5,376 true poses of the
puppet's 32 characters in all its motions reach (``benchmarks/pose_backends.py --bounds``). Directions are the body's
own, so that who lies down or hangs upside down passes.
"""

import numpy as np
from pydantic import Field

from temporal_gan.config import Section
from temporal_gan.skeletons import CANONICAL25

from ..detection import BodyDetection

_J = CANONICAL25.joints.index
_NOSE, _NECK, _HIPS = _J("nose"), _J("neck"), _J("mid_hip")
_SIDES = ("left", "right")
_UPPER = ("shoulder", "elbow", "wrist")
_LOWER = ("hip", "knee", "ankle")
BODY = tuple(_J(f"{side}_{name}") for side in _SIDES for name in (*_UPPER, *_LOWER))
"""The joints that are compared: shoulders to wrists and hips to ankles."""

FLIP = CANONICAL25.flip_permutation()


class GateConfig(Section):
    """What a pose must satisfy."""

    torso_min: float = Field(
        default=0.05, gt=0, description="of the picture's longer side; true puppets 0.07 to 0.19"
    )
    torso_max: float = Field(
        default=0.9, gt=0, description="of the picture's longer side: a close portrait's"
    )
    shoulders_max: float = Field(default=1.5, gt=0, description="breadth; true puppets at most 1.25")
    hips_max: float = Field(default=0.95, gt=0, description="breadth; true puppets at most 0.69")
    arm_bone_max: float = Field(default=1.25, gt=0, description="true puppets at most 0.92")
    leg_bone_max: float = Field(default=1.7, gt=0, description="true puppets at most 1.35")
    nose_min: float = Field(
        default=0.0, description="from the neck up the body's axis; true puppets 0.21 to 1.12"
    )
    nose_max: float = Field(default=1.4, description="from the neck up the body's axis")
    nose_aside_max: float = Field(
        default=1.1, gt=0, description="from the body's axis; true puppets at most 0.94"
    )
    knee_max: float = Field(
        default=0.8, description="up the body's axis from the hips; true puppets at most 0.63"
    )
    mirror_max: float = Field(
        default=0.15,
        gt=0,
        description="median distance of the joints of two looks, at the picture and at its mirror image. The strongest "
        "gate: of puppet drawings with a MediaPipe pose 41 % had a right one, of those that pass 84 %",
    )
    jump_max: float = Field(
        default=0.5,
        gt=0,
        description="median way of the joints there and back again within one drawing, beyond thrice the way between "
        "its two neighbours",
    )
    size_ratio_max: float = Field(
        default=2.0, gt=1, description="of a figure's size to the clip's median, or inverse"
    )


def implausible(
    keypoints: np.ndarray, confidence: np.ndarray, width: int, height: int, config: GateConfig
) -> str:
    """Why this is no body, in a few words; "" = it may be one.

    Args:
        keypoints: float [25, 2] in fractions of the picture.
        confidence: float [25]; bones with a missing end are not judged.
        width, height: of the picture, pixels.
        config: bounds.
    """
    known = confidence > 0
    if not known[_NECK]:
        return "no shoulders"
    places = np.asarray(keypoints, np.float64) * (width, height)
    if not known[_HIPS]:
        return ""
    axis = places[_NECK] - places[_HIPS]
    torso = float(np.linalg.norm(axis))
    if not config.torso_min <= torso / max(width, height) <= config.torso_max:
        return "torso size"
    up = axis / torso
    for names, limit, word in ((_UPPER, config.arm_bone_max, "arm"), (_LOWER, config.leg_bone_max, "leg")):
        for side in _SIDES:
            a, b, c = (_J(f"{side}_{name}") for name in names)
            for one, other in ((a, b), (b, c)):
                length = np.linalg.norm(places[one] - places[other])
                if known[one] and known[other] and length > limit * torso:
                    return f"{word} length"
    for name, limit in (("shoulder", config.shoulders_max), ("hip", config.hips_max)):
        left, right = (_J(f"{side}_{name}") for side in _SIDES)
        if known[left] and known[right] and np.linalg.norm(places[left] - places[right]) > limit * torso:
            return f"{name} breadth"
    if known[_NOSE]:
        nose = (places[_NOSE] - places[_NECK]) / torso
        if not config.nose_min <= nose @ up <= config.nose_max:
            return "head below shoulders" if nose @ up < config.nose_min else "head too far"
        if abs(nose @ (up[1], -up[0])) > config.nose_aside_max:
            return "head aside"
    for side in _SIDES:
        knee = _J(f"{side}_knee")
        if known[knee] and (places[knee] - places[_HIPS]) @ up > config.knee_max * torso:
            return "knee above chest"
    return ""


def mirror_disagreement(first: BodyDetection, mirrored: BodyDetection, width: int, height: int) -> float:
    """How far two looks at one figure are apart, in torso lengths; inf with fewer than 3 joints to compare.

    Sides may be exchanged: that is another fault (:mod:`.swap`).

    Args:
        first: found in the picture.
        mirrored: found in the mirror image, places and names already mirrored back.
        width, height: of the picture, pixels.
    """
    inside = ((first.keypoints >= 0) & (first.keypoints <= 1)).all(axis=1) & (first.confidence > 0)
    joints = [j for j in (_NOSE, *BODY) if inside[j]]
    if len(joints) < 3:
        return float("inf")
    one, other = (d.keypoints.astype(np.float64) * (width, height) for d in (first, mirrored))
    scale = _size(one)
    straight = np.linalg.norm(one - other, axis=1)
    crossed = np.linalg.norm(one - other[FLIP], axis=1)
    return float(np.median(np.minimum(straight, crossed)[joints]) / scale)


def out_of_line(places: np.ndarray, confidence: np.ndarray, config: GateConfig) -> list[str]:
    """Drawings whose pose does not fit those around them.

    Args:
        places: float [N, 25, 2], pixels, of the N drawings of a clip that have a pose, in order.
        confidence: float [N, 25].
        config: bounds.
    Returns:
        N words, "" = fits.
    """
    count = len(places)
    words = [""] * count
    if count < 3:
        return words
    sizes = np.array([_size(p) for p in places])
    typical = float(np.median(sizes))
    for index in range(1, count - 1):
        before, after = _way(places, confidence, index - 1, index), _way(places, confidence, index, index + 1)
        across = _way(places, confidence, index - 1, index + 1)
        if min(before, after) > config.jump_max * typical + 1.5 * across:
            words[index] = "jump"
    for index, size in enumerate(sizes):
        if max(size / typical, typical / max(size, 1e-9)) > config.size_ratio_max:
            words[index] = "size jump"
    return words


def _way(places: np.ndarray, confidence: np.ndarray, one: int, other: int) -> float:
    known = [j for j in (_NOSE, *BODY) if confidence[one, j] > 0 and confidence[other, j] > 0]
    if not known:
        return 0.0
    straight = np.linalg.norm(places[one] - places[other], axis=1)
    crossed = np.linalg.norm(places[one] - places[other][FLIP], axis=1)
    return float(np.median(np.minimum(straight, crossed)[known]))


def _size(places: np.ndarray) -> float:
    """Torso length, or shoulder breadth where the torso is foreshortened more."""
    left, right = _J("left_shoulder"), _J("right_shoulder")
    torso = np.linalg.norm(places[_NECK] - places[_HIPS])
    return max(float(torso), float(np.linalg.norm(places[left] - places[right])), 1e-9)
