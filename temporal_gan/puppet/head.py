"""The head: skull, ears, hair and face, layers that slide against each other as it turns."""

from functools import lru_cache

import numpy as np

from .affine import apply, compose, place
from .animal import EARS, ear_drawing
from .character import Character
from .drawing import Drawing, Part, flat, line_of, mix, rgb, shade_of
from .face import DrawnFace, draw_face
from .hair import fringe_shadow, hair_parts
from .hairstyles import FRINGES
from .motion import Pose
from .pen import Pen
from .shapes import ellipse, mirrored, smooth_closed, smooth_open, stroke
from .turn import on_head

FACE = (
    (0.0, -13.0), (7.0, -11.5), (10.9, -6.5), (11.6, -1.0), (10.9, 4.2), (8.0, 8.8), (3.6, 11.7), (0.0, 12.5),
)  # fmt: skip

_CONTOUR = np.array([(-11.4, 0.6), (-9.3, 7.0), (0.0, 12.3), (9.3, 7.0), (11.4, 0.6)])
"""Points of the face's outline from the viewer's left round the chin."""


def head_parts(
    character: Character, pose: Pose, head: np.ndarray, expression: np.ndarray, springs: dict[str, np.ndarray]
) -> tuple[list[Part], dict[str, np.ndarray], np.ndarray]:
    """Everything on the neck, the joints of the face, and its points.

    Args:
        character: hair, ears, colours.
        pose: channels over T frames.
        head: [T, 2, 3], head coordinates (origin mid-head) -> picture units.
        expression: [T, E] in the order of expressions.EXPRESSIONS.
        springs: ``hair``, ``fringe`` and ``ears``, [T, 2] picture units.
    Returns:
        parts; joint name -> [T, 2] in picture units; 28 points [T, 28, 2] in picture units.
    """
    frames, yaw, pitch = len(head), pose["head_yaw"], pose["head_pitch"]
    skull = compose(head, place(frames, 1.9 * np.sin(yaw), 1.4 * pitch, shear=0.19 * np.sin(yaw)))
    face = draw_face(character, expression, head, yaw, pitch)
    parts = [Part("face", "face", _face_drawing(character), skull)]
    joints = dict(face.joints)
    for side, sign in (("right", -1.0), ("left", 1.0)):
        part, joint = _ear(character, side, sign, pose, head, springs["ears"])
        parts.append(part)
        joints[f"{side}_ear"] = joint
    parts += [*face.parts, *hair_parts(character, head, yaw, pitch, springs), *face.over_hair]
    return parts, joints, _face_points(face, skull)


def ear_group(character: Character) -> str:
    """What the ears are drawn with: the face, the back of the head, or over everything."""
    if character.ears == "human":
        return "face"
    return "flaps" if EARS[character.ears].over else "ears"


def _ear(
    character: Character, side: str, sign: float, pose: Pose, head: np.ndarray, spring: np.ndarray
) -> tuple[Part, np.ndarray]:
    yaw, pitch, frames = pose["head_yaw"], pose["head_pitch"], len(head)
    if character.ears == "human":
        # The near ear turns its face to the viewer, the far one vanishes behind the cheek.
        wide = np.clip(0.68 - 0.85 * np.sin(0.6 * sign * yaw), 0.04, 1.0)
        at = on_head(sign * 1.42, 12.0, 2.8, yaw, pitch)
        near = compose(head, compose(at, place(frames, scale_x=wide)))
        return Part(f"{side}_ear", "face", _human_ear(character, sign), near), near[:, :, 2]
    ear = EARS[character.ears]
    turn = sign * (ear.droop * pose["ear_droop"] + 0.03 * (spring[:, 1] - sign * spring[:, 0]))
    at = on_head(sign * ear.angle, ear.radius, ear.y, 0.7 * yaw, pitch)
    own = place(frames, 0.0, 0.0, turn, 1.0 - 0.22 * sign * np.sin(yaw), 1.0)
    to_picture = compose(head, compose(at, own))
    part = Part(f"{side}_ear", ear_group(character), ear_drawing(character, sign), to_picture)
    return part, apply(to_picture, np.array([[sign * ear.tip[0], ear.tip[1]]]))[:, 0]


def _face_points(face: DrawnFace, skull: np.ndarray) -> np.ndarray:
    """[T, 28, 2]: contour 5, brows 3 + 3, eyes 6 + 6, nose 1, mouth 4."""
    frames = len(skull)
    return np.concatenate(
        [
            apply(skull, _CONTOUR),
            face.points["brows"].reshape(frames, 6, 2),
            face.points["eyes"].reshape(frames, 12, 2),
            face.points["nose"],
            face.points["mouth"],
        ],
        axis=1,
    )


@lru_cache(maxsize=256)
def _face_drawing(character: Character) -> Drawing:
    pen, skin = Pen.of(character), rgb(character.palette.skin)
    drawn = pen.surface(smooth_closed(mirrored(FACE)), character.palette.skin, 0.9)
    if FRINGES[character.hair.fringe]:
        drawn += flat(fringe_shadow(character), mix(skin, shade_of(skin), 0.8))
    elif not character.face.muzzle:
        gleam = smooth_open([(-7.4, -7.4), (-4.8, -9.6), (-1.6, -10.6)])
        drawn += flat(stroke(gleam, (0.2, 0.9, 0.2)), mix(skin, (255, 255, 255), 0.6))
    return drawn


@lru_cache(maxsize=256)
def _human_ear(character: Character, sign: float) -> Drawing:
    skin = rgb(character.palette.skin)
    inner = smooth_open([(-0.5, -1.1), (0.6, -1.0), (0.4, 0.3), (-0.2, 1.2)]) * [sign, 1.0]
    drawn = Pen.of(character).surface(ellipse(0.0, 0.0, 1.9, 2.7, 20), character.palette.skin, 0.5)
    return drawn + flat(stroke(inner, (0.15, 0.4, 0.15)), mix(line_of(skin), skin, 0.45))
