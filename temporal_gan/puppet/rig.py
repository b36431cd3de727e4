"""The whole figure over time: parts in drawing order, joints, their layers and whether they can be seen."""

from dataclasses import dataclass

import numpy as np

from ..skeletons import CANONICAL25
from .affine import apply, invert
from .body import pose_figure
from .character import Character
from .clothes import body_drawings
from .drawing import Part
from .head import head_parts
from .motion import Pose
from .shapes import contains

PICTURE = 93.0
"""Width and height of the frame in picture units."""

NEAR_LAYER, BODY_LAYER, FAR_LAYER = 0, 1, 2


@dataclass(frozen=True)
class Rig:
    """A posed character.

    Attributes:
        parts: in drawing order, back to front; part i is i + 1 in the part map.
        keypoints: float64 [T, 25, 2], canonical25, fractions of width and height.
        confidence: float64 [T, 25], 1 visible, 0.5 behind another part.
        layer: int64 [T, 25], 0 nearest.
        order: int64 [T, P], indices of the parts, back to front.
        face_points: float64 [T, 28, 2], fractions of width and height, or None.
        face_visible: bool [T, 28], or None.
    """

    parts: tuple[Part, ...]
    keypoints: np.ndarray
    confidence: np.ndarray
    layer: np.ndarray
    order: np.ndarray
    face_points: np.ndarray | None = None
    face_visible: np.ndarray | None = None


def build_rig(character: Character, pose: Pose, before: Pose, expression: np.ndarray) -> Rig:
    """Pose a character over T frames.

    Args:
        character: who.
        pose: channels over time.
        before: what came before, in which hair, skirt and tail settle.
        expression: [T, E] in the order of expressions.EXPRESSIONS, any values in [0, 1].
    """
    near = "right" if pose["yaw"].mean() >= 0 else "left"
    far = "left" if near == "right" else "right"
    order = _group_order(near, far)
    figure = pose_figure(character, pose, before)
    drawings = body_drawings(character)
    parts, face_joints = head_parts(character, pose, figure.maps["head"], expression, figure.joints["throw"])
    parts += [Part(name, _group_of(name), drawing, figure.maps[name]) for name, drawing in drawings.items()]
    # Sorting is stable: within a group parts keep the order they were made in.
    parts.sort(key=lambda part: order.index(part.group))
    joints = figure.joints | face_joints
    points = np.stack([joints[name] for name in CANONICAL25.joints], axis=1)
    confidence = np.where(_hidden(parts, points, order), 0.5, 1.0)
    layer = np.full(points.shape[:2], BODY_LAYER, np.int64)
    for j, name in enumerate(CANONICAL25.joints):
        if _joint_group(name).endswith(("_arm", "_leg")):
            layer[:, j] = NEAR_LAYER if name.startswith(near) else FAR_LAYER
    constant = np.broadcast_to(np.arange(len(parts)), (len(points), len(parts)))
    return Rig(tuple(parts), points / PICTURE, confidence, layer, constant)


def _group_order(near: str, far: str) -> list[str]:
    return [
        "tail", "back_hair", f"{far}_arm", f"{far}_leg", f"{near}_leg", "skirt", "neck", "torso", "front",
        "ears", "head", "face", "features", "front_hair", "bangs", "bow", "brows", f"{near}_arm",
    ]  # fmt: skip


def _group_of(part: str) -> str:
    side, _, piece = part.partition("_")
    if side == "tail":
        return "tail"
    if piece in ("upper_arm", "forearm", "hand"):
        return f"{side}_arm"
    if piece in ("thigh", "shin", "shoe"):
        return f"{side}_leg"
    return part


def _joint_group(joint: str) -> str:
    """The group a joint is drawn with; hips are drawn as the clothes over them."""
    side, _, name = joint.partition("_")
    if name in ("shoulder", "elbow", "wrist"):
        return f"{side}_arm"
    if name in ("knee", "ankle", "big_toe", "small_toe", "heel"):
        return f"{side}_leg"
    if name == "ear":
        return "ears"
    if name == "eye" or joint == "nose":
        return "features"
    return "front" if joint == "neck" else "torso"


def _hidden(parts: list[Part], points: np.ndarray, order: list[str]) -> np.ndarray:
    """bool [T, 25]: the joint lies inside a part drawn in front of its own group."""
    own = np.array([order.index(_joint_group(name)) for name in CANONICAL25.joints])
    hidden = np.zeros(points.shape[:2], bool)
    for part in parts:
        behind = own < order.index(part.group)
        if not part.occludes or not behind.any():
            continue
        local = apply(invert(part.to_picture), points[:, behind])
        for paint in part.drawing.ink:
            hidden[:, behind] |= contains(paint.polygon, local)
    return hidden
