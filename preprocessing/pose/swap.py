"""Left taken for right: found in time and put back.

Detectors of single pictures exchange the sides of figures seen from the side. Over a clip the exchange shows: limbs
jump. Arms, legs and face are each either as detected or exchanged; the likeliest sequence of these states is found by
dynamic programming (Viterbi 1967) on the smoothness of motion. Where drawings are too far apart in time for that, the
swing of a walk helps: seen from the side, arm and leg of one side swing against each other (Meyns, Bruijn and Duysens
2013, "The how and why of arm swing during human walking").
"""

from dataclasses import replace

import numpy as np
from pydantic import Field

from temporal_gan.config import Section
from temporal_gan.data.manifest import ORIGINS
from temporal_gan.skeletons import CANONICAL25

from ..clip import Clip, Pose

_J = CANONICAL25.joints.index
_FLIP = CANONICAL25.flip_permutation()
GROUPS = tuple(
    tuple(_J(f"{side}_{name}") for name in names.split() for side in ("left", "right"))
    for names in ("shoulder elbow wrist", "hip knee ankle heel big_toe small_toe", "eye ear")
)
"""Joints that are exchanged together: arms, legs, face."""

_JUDGED = tuple(group[:6] for group in GROUPS)
"""Toes and heels follow their leg."""

_STATES = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
"""[8, 3]: whether arms, legs and face are exchanged."""

_RARITY = np.array([1.0, 1.3, 1.0])
"""Of exchanged arms, legs and face: legs hide each other less. Of a drawn runner's 15 poses by MediaPipe 6 had the arms
exchanged and one the legs."""

_SIDE_ON, _TURNED = 0.3, 0.55
"""Breadth of the shoulders over the torso's length of a figure seen from the side, and of one that is not."""


class SwapConfig(Section):
    """Repair of exchanged sides. Costs are in torso lengths; chosen on the tracks of puppets in all motions with a
    quarter of the groups exchanged, at 6, 12 and 24 drawings a second, and on hand labels of a drawn runner."""

    enabled: bool = Field(default=True, description="off to see what it changes")
    prior: float = Field(
        default=0.1,
        ge=0,
        description="cost of calling a group exchanged: the detector is right more often than not",
    )
    gait: float = Field(
        default=0.3,
        ge=0,
        description="largest cost of arm and leg of one side swinging together, seen from the side",
    )
    step_max: float = Field(
        default=0.6, gt=0, description="a joint's step, or change of step, costs at most as much"
    )
    gap_sec: float = Field(
        default=0.2,
        gt=0,
        description="drawings farther apart say nothing of each other: a runner's arms have changed places by then",
    )


def repair_swaps(clip: Clip, config: SwapConfig) -> Clip:
    """Put exchanged sides back, hands with their arms.

    A group with a joint that was imported, or set by hand, stays as it is in that frame's drawing.

    Returns:
        the clip with its pose repaired, and in its facts ``swaps_repaired``: drawings with an exchanged group.
    """
    if clip.pose is None or not config.enabled:
        return clip
    first, pose = clip.drawings, clip.pose
    height, width = clip.frames_u8.shape[1:3]
    detected = (pose.origin == ORIGINS.index("detected")) | (pose.confidence == 0)
    swapped = swap_states(
        pose.keypoints[first] * (width, height),
        pose.confidence[first],
        clip.time[first],
        config,
        np.stack([detected[first][:, group].all(axis=1) for group in map(list, GROUPS)], axis=1),
    )
    drawing = np.searchsorted(clip.hold[first], clip.hold)
    repaired = exchange_sides(pose, swapped[drawing])
    return replace(clip, pose=repaired).with_facts(swaps_repaired=float(swapped.any(axis=1).sum()))


def swap_states(
    places: np.ndarray,
    confidence: np.ndarray,
    time: np.ndarray,
    config: SwapConfig,
    movable: np.ndarray | None = None,
) -> np.ndarray:
    """Which groups are exchanged in which drawing.

    Args:
        places: float [D, 25, 2], pixels, in order of time.
        confidence: float [D, 25]; 0 = missing.
        time: float [D], seconds.
        config: costs.
        movable: bool [D, 3]; False = this group's sides are certain. None: all may be exchanged.
    Returns:
        bool [D, 3]: arms, legs, face.
    """
    known = confidence > 0
    there = np.flatnonzero(known[:, _J("neck")] & known[:, _J("mid_hip")])
    if not len(there):
        there = np.arange(len(places))
    torso = np.linalg.norm(places[there, _J("neck")] - places[there, _J("mid_hip")], axis=1)
    x = places / max(float(np.median(torso)), 1e-9)
    own = config.prior * (_STATES @ _RARITY) + config.gait * _gait(x, known)
    if movable is not None:
        own += 1e6 * np.einsum("sg,dg->ds", _STATES, ~movable)
    first, second = _motion(x, known, np.diff(time) <= config.gap_sec, config.step_max)
    return _STATES[_cheapest(own, first, second)].astype(bool)


def exchange_sides(pose: Pose, swapped: np.ndarray) -> Pose:
    """The pose with the sides of some groups exchanged: bool [T, 3] arms, legs, face."""
    order = np.tile(np.arange(25), (len(swapped), 1))
    for group, chosen in zip(GROUPS, swapped.T, strict=True):
        joints = list(group)
        order[np.ix_(chosen, joints)] = _FLIP[joints]
    hands = pose.hands
    if hands is not None:
        hands = np.where(swapped[:, 0, None, None, None], hands[:, ::-1], hands)
    return replace(
        pose,
        keypoints=np.take_along_axis(pose.keypoints, order[..., None], axis=1),
        confidence=np.take_along_axis(pose.confidence, order, axis=1),
        origin=np.take_along_axis(pose.origin, order, axis=1),
        hands=hands,
    )


def _gait(x: np.ndarray, known: np.ndarray) -> np.ndarray:
    """[D, 8] in [-1, 1]: how much arm and leg of one side are on the same side of the body, seen from the side."""

    def apart(*names: str) -> tuple[np.ndarray, np.ndarray]:
        """How far right of the right one the left one is, in the mean of the pairs known, and whether one is."""
        left, right = [_J(f"left_{n}") for n in names], [_J(f"right_{n}") for n in names]
        both = known[:, left] & known[:, right]
        away = ((x[:, left, 0] - x[:, right, 0]) * both).sum(axis=1) / both.sum(axis=1).clip(min=1)
        return away, both.any(axis=1)

    (arms, seen_arms), (legs, seen_legs) = apart("elbow", "wrist"), apart("knee", "ankle")
    breadth, seen = apart("shoulder")
    side_on = ((_TURNED - np.abs(breadth)) / (_TURNED - _SIDE_ON)).clip(0, 1)
    together = (seen & seen_arms & seen_legs) * side_on * (arms * legs).clip(-1, 1)
    sign = 1 - 2 * (_STATES[:, 0] ^ _STATES[:, 1])
    return together[:, None] * sign


def _motion(
    x: np.ndarray, known: np.ndarray, near: np.ndarray, step_max: float
) -> tuple[np.ndarray, np.ndarray]:
    """Costs of steps, [D-1, 8, 8], and, half as much, of changes of step, [D-2, 8, 8, 8], between states."""
    count = len(x)
    first, second = np.zeros((max(count - 1, 0), 8, 8)), np.zeros((max(count - 2, 0), 8, 8, 8))
    for number, group in enumerate(_JUDGED):
        joints = list(group)
        both = known[:, joints] & known[:, _FLIP[joints]]
        at = np.stack([x[:, joints], x[:, _FLIP[joints]]], axis=1)
        state = _STATES[:, number]
        if count > 1:
            step = np.linalg.norm(at[1:, None] - at[:-1, :, None], axis=-1)
            there = (both[1:] & both[:-1]) * near[:, None]
            first += _mean(step, there, step_max)[:, state][:, :, state]
        if count > 2:
            bend = at[2:, None, None] - 2 * at[1:-1, None, :, None] + at[:-2, :, None, None]
            there = (both[2:] & both[1:-1] & both[:-2]) * (near[1:] & near[:-1])[:, None]
            cost = _mean(np.linalg.norm(bend, axis=-1), there, step_max)
            second += 0.5 * cost[:, state][:, :, state][:, :, :, state]
    return first, second


def _mean(distance: np.ndarray, there: np.ndarray, step_max: float) -> np.ndarray:
    """Mean over the joints (last axis) that are there, bool [D, K], each at most ``step_max``."""
    weight = there.reshape(len(there), *(1,) * (distance.ndim - 2), there.shape[1])
    return (np.minimum(distance, step_max) * weight).sum(axis=-1) / weight.sum(axis=-1).clip(min=1)


def _cheapest(own: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """[D] indices of the states whose costs have the least sum; second-order Viterbi."""
    if len(own) == 1:
        return own.argmin(axis=1)
    cost = own[0][:, None] + own[1] + first[0]
    back = []
    for step, bend, alone in zip(first[1:], second, own[2:], strict=True):
        total = cost[:, :, None] + bend + step + alone
        back.append(total.argmin(axis=0))
        cost = total.min(axis=0)
    before, last = np.unravel_index(int(cost.argmin()), cost.shape)
    path = [int(last), int(before)]
    for choice in reversed(back):
        path.append(int(choice[path[-1], path[-2]]))
    return np.array(path[::-1])
