"""Which part is drawn over which, frame by frame.

Arms are drawn behind the body or in front of it, legs over each other. Depth says which, but a limb changes
places only while it touches nothing that it passes: so nothing is seen to pop through anything. An arm in front of
the body is behind the head all through a clip in which it is never lifted to the head.
"""

import numpy as np

from .affine import apply, invert
from .body import Figure
from .bottoms import HEMS
from .character import Character

GROUPS = (
    "tail", "back_hair", "arms_behind", "legs", "hips", "skirt", "neck", "torso", "front", "arms_beside",
    "behind_head", "ears", "head", "face", "features", "front_hair", "bangs", "flaps", "top", "brows", "arms_before",
)  # fmt: skip
"""Back to front; limbs are sorted into the places named for them."""

LIMB_GROUPS = ("right_arm", "left_arm", "right_leg", "left_leg")

_FROM_ELBOW = 2
"""First of the points along an arm that is below its upper half."""

_FORWARD = 1.0
"""Picture units by which an arm counts as nearer than it is: beside the body it is drawn in front."""


def group_ranks(character: Character, figure: Figure) -> dict[str, np.ndarray]:
    """Group name -> float64 [T], its place in the drawing order of each frame, 0 the back."""
    frames = len(figure.joints["mid_hip"])
    ranks = {name: np.full(frames, float(i)) for i, name in enumerate(GROUPS)}
    arms = {side: _arm_points(character, figure, side) for side in ("right", "left")}
    depth = {
        side: 0.5 * (figure.depth[f"{side}_elbow"] + figure.depth[f"{side}_wrist"])
        for side in ("right", "left")
    }
    reach = 3.4 * character.body.arm_radius
    across = _distance(arms["right"], arms["left"]).min(axis=(1, 2)) < reach
    right_over = settled(depth["right"] - depth["left"], across)
    lifted = {side: _lifted_to_head(character, figure, side, arm) for side, arm in arms.items()}
    for side, over in (("right", right_over), ("left", ~right_over)):
        before = settled(depth[side] + _FORWARD, _touches_body(character, figure, arms[side]))
        # A head that bows hides the shoulders; a hand that is lifted to it does not vanish behind it. Arms that
        # cross are sorted among each other, so they share a place.
        at_head = lifted[side] or (across.any() and any(lifted.values()))
        place = np.where(before, ranks["arms_before" if at_head else "arms_beside"], ranks["arms_behind"])
        ranks[f"{side}_arm"] = place + np.where(over, 0.3, 0.0)
    legs = {side: _leg_points(figure, side) for side in ("right", "left")}
    crossed = _distance(legs["right"], legs["left"]).min(axis=(1, 2)) < 2.3 * character.body.leg_radius
    nearer = sum(figure.depth[f"right_{j}"] - figure.depth[f"left_{j}"] for j in ("hip", "knee", "ankle"))
    right_over = settled(np.asarray(nearer), crossed)
    ranks["right_leg"] = ranks["legs"] + np.where(right_over, 0.3, 0.0)
    ranks["left_leg"] = ranks["legs"] + np.where(right_over, 0.0, 0.3)
    return ranks


def settled(nearer: np.ndarray, touching: np.ndarray) -> np.ndarray:
    """bool [T]: in front or not, decided once for each run of frames in which something touches.

    Args:
        nearer: float [T], positive in front; its sum over a run decides.
        touching: bool [T], whether a change could be seen in this frame.
    """
    front = np.full(len(nearer), bool(nearer.sum() >= 0))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], touching, [False]]).astype(int)))
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    for i, (start, stop) in enumerate(runs):
        # Free frames keep the last decision; those before the first run take it beforehand.
        until = runs[i + 1][0] if i + 1 < len(runs) else len(nearer)
        front[0 if i == 0 else start : until] = bool(nearer[start:stop].sum() >= 0)
    return front


def _arm_points(character: Character, figure: Figure, side: str) -> np.ndarray:
    """[T, 9, 2] along the arm, from below the shoulder (where it is joined to the body) to the finger tips."""
    shoulder, elbow, wrist = (figure.joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    tip = apply(figure.maps[f"{side}_hand"], np.array([[0.0, 2.0 * character.body.hand]]))[:, 0]
    points = [shoulder + f * (elbow - shoulder) for f in (0.7, 0.85)]
    points += [elbow + f * (wrist - elbow) for f in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return np.stack([*points, 0.5 * (wrist + tip), tip], axis=1)


def _leg_points(figure: Figure, side: str) -> np.ndarray:
    """[T, 9, 2] from below the hip to the ankle."""
    hip, knee, ankle = (figure.joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    points = [hip + f * (knee - hip) for f in (0.4, 0.6, 0.8, 1.0)]
    points += [knee + f * (ankle - knee) for f in (0.2, 0.4, 0.6, 0.8, 1.0)]
    return np.stack(points, axis=1)


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[T, N, M] between points [T, N, 2] and [T, M, 2]."""
    return np.asarray(np.linalg.norm(a[:, :, None] - b[:, None], axis=-1))


def _touches_body(character: Character, figure: Figure, arm: np.ndarray) -> np.ndarray:
    """bool [T]: some part of the arm may lie over trunk, skirt, legs or head."""
    body = character.body
    loose = _loose(character)
    trunk = apply(invert(figure.maps["torso"]), arm)
    half = max(0.9 * body.shoulder_half, body.hip_half + body.leg_radius) + body.belly
    touching = (np.abs(trunk[..., 0]) < half + loose) & (trunk[..., 1] > -body.torso) & (trunk[..., 1] < 5.0)
    skirt = apply(invert(figure.maps["skirt"]), arm)
    hem = (HEMS.get(character.outfit.bottom, -0.1) + 0.1) * body.thigh
    flare = 1.5 * (body.hip_half + 1.05 * body.leg_radius) + loose
    touching |= (np.abs(skirt[..., 0]) < flare) & (skirt[..., 1] > -4.0) & (skirt[..., 1] < hem + loose)
    legs = np.concatenate([_leg_points(figure, side) for side in ("right", "left")], axis=1)
    touching |= (_distance(arm, legs) < 1.4 * body.leg_radius + loose).any(axis=2)
    return np.asarray(touching.any(axis=1) | _touches_head(character, figure, arm))


def _touches_head(character: Character, figure: Figure, arm: np.ndarray) -> np.ndarray:
    """bool [T]: some part of the arm may lie over the head or its hair."""
    head = apply(invert(figure.maps["head"]), arm)
    grown = _loose(character) / character.body.head_scale
    return np.asarray(
        ((np.abs(head[..., 0]) < 17.5 + grown) & (np.abs(head[..., 1]) < 18.0 + grown)).any(axis=1)
    )


def _lifted_to_head(character: Character, figure: Figure, side: str, arm: np.ndarray) -> bool:
    """Whether in some frame a forearm or hand above its shoulder may lie over the head."""
    lower = arm[:, _FROM_ELBOW:]
    raised = (lower[..., 1] < figure.joints[f"{side}_shoulder"][:, None, 1]).any(axis=1)
    return bool((raised & _touches_head(character, figure, lower)).any())


def _loose(character: Character) -> float:
    """How far an arm's clothes stand off its middle line."""
    return character.body.arm_radius * (2.7 if character.outfit.top == "kimono" else 1.5) + 0.4
