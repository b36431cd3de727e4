"""The whole figure over time: parts and their drawing order, joints and face points, and what can be seen of them."""

from dataclasses import dataclass

import numpy as np

from ..skeletons import CANONICAL25
from .affine import apply, compose, invert, place
from .body import Figure, pose_figure
from .character import Character
from .clothes import body_drawings
from .drawing import Part
from .hands import hand_drawing
from .head import ear_group, head_parts
from .motion import Pose
from .order import group_ranks
from .shapes import contains
from .shoes import shoe

PICTURE = 93.0
"""Width and height of the frame in picture units."""

NEAR_LAYER, BODY_LAYER, FAR_LAYER = 0, 1, 2

FACE_POINTS = 28
"""Contour 5 from the viewer's left round the chin, brows 3 + 3, eyes 6 + 6 (each from its corner on the viewer's
left along the upper lid and back along the lower), nose 1, mouth 4 (left corner, top, right corner, bottom); of a
pair the one on the character's right comes first. The groups are those of the anime face detector by hysts."""

_CHEST = {"right_front": -0.46, "chest": 0.0, "left_front": 0.46, "front": 0.0}
"""Angle on the trunk of what lies on the chest, back to front."""

_DEPTH_OF_TRUNK = 0.68
"""Over its breadth."""


@dataclass(frozen=True)
class Rig:
    """A posed character.

    Attributes:
        parts: part i is i + 1 in the part map.
        order: int64 [T, P], indices of the parts back to front.
        keypoints: float64 [T, 25, 2], canonical25, fractions of width and height.
        confidence: float64 [T, 25], 1 visible, 0.5 behind another part.
        layer: int64 [T, 25], 0 nearest.
        face_points: float64 [T, 28, 2], fractions of width and height; see FACE_POINTS.
        face_visible: bool [T, 28], not behind another part.
    """

    parts: tuple[Part, ...]
    order: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray
    layer: np.ndarray
    face_points: np.ndarray
    face_visible: np.ndarray


def build_rig(character: Character, pose: Pose, before: Pose, expression: np.ndarray) -> Rig:
    """Pose a character over T frames.

    Args:
        character: who.
        pose: channels over time.
        before: what came before, in which hair, skirt and tail settle.
        expression: [T, E] in the order of expressions.EXPRESSIONS, any values in [0, 1].
    """
    figure = pose_figure(character, pose, before)
    parts, face_joints, face_points = head_parts(
        character, pose, figure.maps["head"], expression, figure.springs
    )
    parts += _body_parts(character, pose, figure)
    ranks = group_ranks(character, figure)
    middle = {name: float(rank.mean()) for name, rank in ranks.items()}
    # Sorting is stable: within a group parts keep the order they were made in.
    parts.sort(key=lambda part: middle[part.group])
    place_of = np.stack([ranks[part.group] for part in parts], axis=1)
    order = np.argsort(place_of, axis=1, kind="stable")
    joints = figure.joints | face_joints
    points = np.stack([joints[name] for name in CANONICAL25.joints], axis=1)
    groups = [_joint_group(name, character) for name in CANONICAL25.joints]
    face_groups = ["face"] * 5 + ["brows"] * 6 + ["features"] * 17
    own = np.stack([ranks[name] for name in groups + face_groups], axis=1)
    hidden = _hidden(parts, place_of, np.concatenate([points, face_points], axis=1), own)
    confidence = np.where(hidden[:, : len(groups)], 0.5, 1.0)
    return Rig(
        tuple(parts),
        order,
        points / PICTURE,
        confidence,
        _layers(ranks, groups),
        face_points / PICTURE,
        ~hidden[:, len(groups) :],
    )


def _body_parts(character: Character, pose: Pose, figure: Figure) -> list[Part]:
    drawings = dict(body_drawings(character))
    chest = [(name, drawings.pop(name)) for name in _CHEST if name in drawings]
    parts = []
    for name, drawing in drawings.items():
        to_picture = figure.maps["torso" if name == "hips" else name]
        parts.append(Part(name, _group_of(name), drawing, to_picture))
    for name, drawing in chest:
        parts.append(Part(name, "front", drawing, _on_chest(character, pose, figure, _CHEST[name]), False))
    for side, sign in (("right", -1.0), ("left", 1.0)):
        hand = hand_drawing(character, sign, pose[f"{side}_hand_open"], pose[f"{side}_hand_point"])
        parts.append(Part(f"{side}_hand", f"{side}_arm", hand, figure.maps[f"{side}_hand"]))
        foot, to_foot = shoe(character, figure.maps[f"{side}_shoe"])
        parts.append(Part(f"{side}_shoe", f"{side}_leg", foot, to_foot))
    return parts


def _on_chest(character: Character, pose: Pose, figure: Figure, angle: float) -> np.ndarray:
    """Map of what lies on the trunk, an upright elliptic cylinder, at an angle from its middle."""
    yaw, torso = pose["yaw"], figure.maps["torso"]
    width = np.maximum(np.linalg.norm(torso[:, :, 0], axis=-1), 1e-3)
    half = 0.9 * character.body.shoulder_half + 0.5 * character.body.belly
    across = half * (np.sin(angle) * np.cos(yaw) + _DEPTH_OF_TRUNK * np.cos(angle) * np.sin(yaw))
    # The derivative of ``across`` along the surface; what has turned away is a sliver on the edge.
    narrow = np.maximum(np.cos(yaw) - _DEPTH_OF_TRUNK * np.tan(angle) * np.sin(yaw), 0.07)
    return compose(torso, place(len(yaw), across / width, 0.0, 0.0, narrow / width, 1.0))


def _group_of(part: str) -> str:
    side, _, piece = part.partition("_")
    if side == "tail":
        return "tail"
    if piece in ("upper_arm", "forearm"):
        return f"{side}_arm"
    if piece in ("thigh", "shin"):
        return f"{side}_leg"
    return part


def _joint_group(joint: str, character: Character) -> str:
    """The group a joint is drawn with; hips are drawn as the clothes over them."""
    side, _, name = joint.partition("_")
    if name in ("shoulder", "elbow", "wrist"):
        return f"{side}_arm"
    if name in ("knee", "ankle", "big_toe", "small_toe", "heel"):
        return f"{side}_leg"
    if name == "ear":
        return ear_group(character)
    if name == "eye" or joint == "nose":
        return "features"
    return "front" if joint == "neck" else "torso"


def _layers(ranks: dict[str, np.ndarray], groups: list[str]) -> np.ndarray:
    """int64 [T, 25]: of two arms, and of two legs, the one drawn over the other is near."""
    layer = np.full((len(ranks["torso"]), len(groups)), BODY_LAYER, np.int64)
    for j, group in enumerate(groups):
        side, _, limb = group.partition("_")
        if limb in ("arm", "leg"):
            other = ranks[f"{'left' if side == 'right' else 'right'}_{limb}"]
            layer[:, j] = np.where(ranks[group] > other, NEAR_LAYER, FAR_LAYER)
    return layer


def _hidden(parts: list[Part], place_of: np.ndarray, points: np.ndarray, own: np.ndarray) -> np.ndarray:
    """bool [T, K]: the point lies inside a part drawn in front of its own group, in this frame's order.

    Args:
        parts: P of them.
        place_of: [T, P], rank of each part's group.
        points: [T, K, 2], picture units.
        own: [T, K], rank of each point's own group.
    """
    hidden = np.zeros(own.shape, bool)
    for p, part in enumerate(parts):
        if not part.occludes or not part.drawing.ink:
            continue
        behind = (own < place_of[:, p, None]) & ~hidden
        if not behind.any():
            continue
        local = apply(invert(part.to_picture), points)
        for paint in part.drawing.ink:
            low, high = paint.polygon.min(axis=-2), paint.polygon.max(axis=-2)
            if paint.polygon.ndim == 3:
                low, high = low[:, None], high[:, None]
            t, k = np.nonzero(behind & np.all((local > low) & (local < high), axis=-1))
            outline = paint.polygon[t] if paint.polygon.ndim == 3 else paint.polygon
            hidden[t, k] |= contains(outline, local[t, k])
    return hidden
