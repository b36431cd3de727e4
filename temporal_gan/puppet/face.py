"""The face follows the expression: lids and mouth are shapes over time; iris, brows and marks move by maps."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .affine import apply, compose, place
from .animal import muzzle_drawing
from .character import Character
from .drawing import Drawing, Part, detail, flat, line_of, mix, rgb, shade_of
from .eyes import eye_drawings, iris_drawing
from .marks import cheek_parts, comic_parts, tear_parts
from .mood import Mood
from .mouth import mouth_drawing
from .shapes import ellipse, smooth_closed, smooth_open, stroke
from .turn import on_face

EYE_X, EYE_Y = 5.3, 2.3
NOSE_Y, MOUTH_Y, BROW_Y = 6.7, 9.0, -4.4
NOSE_RADIUS, MOUTH_RADIUS, MUZZLE_RADIUS = 14.2, 10.5, 11.0

_BROW = smooth_open([(-2.7, 0.1), (-0.9, -0.45), (1.2, -0.3), (3.0, 0.85)])


@dataclass(frozen=True)
class DrawnFace:
    """A face over T frames.

    Attributes:
        parts: painted on the face, back to front.
        over_hair: brows and comic marks, drawn over the hair as anime does to keep them legible.
        joints: eyes and nose, name -> [T, 2] in picture units.
        points: picture units; brows [T, 2, 3, 2] and eyes [T, 2, 6, 2], the character's right one first,
            nose [T, 1, 2], mouth [T, 4, 2].
    """

    parts: list[Part]
    over_hair: list[Part]
    joints: dict[str, np.ndarray]
    points: dict[str, np.ndarray]


def draw_face(
    character: Character, expression: np.ndarray, head: np.ndarray, yaw: np.ndarray, pitch: np.ndarray
) -> DrawnFace:
    """Everything painted on the face.

    Args:
        character: colours and shapes.
        expression: [T, E] in the order of expressions.EXPRESSIONS, any values in [0, 1].
        head: [T, 2, 3], head coordinates -> picture units.
        yaw, pitch: the head's turn, [T] radians.
    """
    mood, frames = Mood.of(expression), len(yaw)
    parts = cheek_parts(character, mood, head, yaw, pitch)
    joints: dict[str, np.ndarray] = {}
    eyes, brows = [], []
    if character.face.muzzle:
        snout = compose(head, on_face(0.0, 8.2, yaw, pitch, MUZZLE_RADIUS))
        parts.append(Part("muzzle", "features", muzzle_drawing(character), snout, False))
    elif character.face.old or character.face.freckles:
        lines = compose(head, on_face(0.0, 6.0, yaw, pitch))
        parts.append(Part("face_lines", "features", _skin_lines(character), lines, False))
    shrink = 1.0 - 0.3 * mood.surprised - 0.45 * mood.scared
    grow = 1.0 + 0.1 * mood.wide
    # Shame looks aside.
    aside = 0.75 * mood.embarrassed - 0.5 * mood.disgusted
    for side, sign, blink in (("right", -1.0, mood.blink_right), ("left", 1.0, mood.blink_left)):
        own = place(frames, scale_x=grow, scale_y=grow)
        eye = compose(head, compose(on_face(sign * EYE_X, EYE_Y, yaw, pitch), own))
        centre = place(frames, aside - 0.25 * sign, 0.2 + 0.4 * mood.embarrassed, 0.0, shrink, shrink)
        white, lids, opening = eye_drawings(character, mood, blink, sign)
        parts.append(Part(f"{side}_eye", "features", white, eye, False))
        parts.append(Part(f"{side}_iris", "features", iris_drawing(character), compose(eye, centre), False))
        parts.append(Part(f"{side}_lids", "features", lids, eye, False))
        joints[f"{side}_eye"] = eye[:, :, 2]
        eyes.append(_left_to_right(apply(eye, opening), sign))
    parts += tear_parts(character, mood, head, yaw, pitch)
    if character.face.glasses:
        for side, sign in (("right", -1.0), ("left", 1.0)):
            frame = compose(head, on_face(sign * EYE_X, EYE_Y + 0.4, yaw, pitch))
            parts.append(Part(f"{side}_glass", "features", _glasses(character, sign), frame, False))
    radius = NOSE_RADIUS if not character.face.muzzle else MUZZLE_RADIUS + 1.6
    nose = compose(head, on_face(0.0, NOSE_Y, yaw, pitch, radius))
    parts.append(Part("nose", "features", _nose(character), nose, False))
    mouth = compose(head, on_face(0.0, MOUTH_Y, yaw, pitch, MOUTH_RADIUS))
    drawing, lips = mouth_drawing(character, mood)
    parts.append(Part("mouth", "features", drawing, mouth, False))
    joints["nose"] = nose[:, :, 2]
    over = []
    for side, sign in (("right", -1.0), ("left", 1.0)):
        own = compose(on_face(sign * EYE_X, BROW_Y, yaw, pitch), _brow_pose(mood, sign))
        to_picture = compose(head, own)
        over.append(Part(f"{side}_brow", "brows", _brow(character, sign), to_picture, False))
        line = _BROW[[0, len(_BROW) // 2, -1]] * [sign, 1.0]
        brows.append(apply(to_picture, line)[:, ::-1] if sign < 0 else apply(to_picture, line))
    over += comic_parts(character, mood, head, yaw, pitch)
    points = {
        "brows": np.stack(brows, axis=1), "eyes": np.stack(eyes, axis=1), "nose": nose[:, None, :, 2],
        "mouth": apply(mouth, lips),
    }  # fmt: skip
    return DrawnFace(parts, over, joints, points)


def _left_to_right(points: np.ndarray, sign: float) -> np.ndarray:
    """Six points from the inner corner round the eye -> from the corner on the viewer's left, upper lid first."""
    return points if sign > 0 else points[:, [3, 2, 1, 0, 5, 4]]


def _brow_pose(mood: Mood, sign: float) -> np.ndarray:
    # Inner ends up or down: the side's sign turns both brows towards each other.
    turn = sign * (0.6 * mood.brow_up * (1 - 0.75 * mood.surprised) - 0.55 * mood.brow_down)
    uneven = 0.22 * mood.disgusted * (1.0 if sign < 0 else -1.0)
    rise = (
        1.5 * mood.brow_down
        - 0.4 * mood.brow_up
        - 1.5 * mood.surprised
        - 0.6 * mood.scared
        - 0.5 * mood.smile
    )
    rise = rise + 3.0 * uneven
    inward = sign * (0.6 * mood.brow_down - 0.1 * mood.brow_up)
    return place(len(mood.jaw), -inward, rise, turn + 0.5 * uneven)


@lru_cache(maxsize=256)
def _brow(character: Character, sign: float) -> Drawing:
    width = 0.95 * character.face.brow_width
    ink = mix(rgb(character.palette.hair), (34, 16, 24), 0.7)
    if min(rgb(character.palette.hair)) > 165:
        ink = mix(rgb(character.palette.hair), (60, 50, 70), 0.55)
    return flat(stroke(_BROW * [sign, 1.0], (width * 0.85, width * 1.2, width, 0.15)), ink)


@lru_cache(maxsize=256)
def _nose(character: Character) -> Drawing:
    if character.face.muzzle:
        shape = smooth_closed([(-1.3, -0.7), (0, -0.95), (1.3, -0.7), (0.85, 0.35), (0, 0.9), (-0.85, 0.35)])
        gleam = ellipse(-0.35, -0.4, 0.4, 0.2, 10)
        dark = "#4a3038" if character.ears in ("dog", "bear", "fox") else "#c4606a"
        return detail(shape, dark) + flat(gleam, mix(rgb(dark), (255, 255, 255), 0.6))
    skin = rgb(character.palette.skin)
    return flat(
        smooth_closed([(-0.1, -0.75, 0.5), (0.65, 0.35), (0.0, 0.5), (-0.55, 0.3)]),
        mix(shade_of(skin), (190, 90, 80), 0.35),
    )


@lru_cache(maxsize=256)
def _skin_lines(character: Character) -> Drawing:
    skin = rgb(character.palette.skin)
    drawn = Drawing()
    if character.face.freckles:
        for x, y in ((-6.9, 0.3), (-5.6, 0.9), (-6.2, -0.4), (6.9, 0.3), (5.6, 0.9), (6.2, -0.4)):
            drawn += flat(ellipse(x, y + 0.4, 0.3, 0.26, 8), mix(skin, (172, 96, 62), 0.55))
    if character.face.old:
        ink = mix(line_of(skin), skin, 0.45)
        for side in (-1.0, 1.0):
            fold = smooth_open([(2.7, 0.6), (3.6, 2.2), (3.7, 3.6)])
            bag = smooth_open([(3.6, 0.2), (5.4, 0.7), (7.0, 0.2)])
            for line in (fold, bag):
                drawn += flat(stroke(line * [side, 1.0], (0.1, 0.36, 0.1)), ink)
    return drawn


@lru_cache(maxsize=256)
def _glasses(character: Character, sign: float) -> Drawing:
    half, tall = character.face.eye_half + 0.9, character.face.eye_height + 0.1
    ring = ellipse(0.0, 0.0, half, tall, 28)
    rim = rgb(character.palette.trim)
    drawn = flat(stroke(np.concatenate([ring, ring[:1]]), (0.55, 0.55)), mix(rim, (30, 24, 34), 0.6))
    bridge = np.array([[-sign * half, -0.6], [-sign * (half + 0.7), -0.9], [-sign * (half + 1.3), -0.9]])
    arm = np.array([[sign * half, -0.8], [sign * (half + 1.4), -1.2], [sign * (half + 2.6), -1.4]])
    for line in (bridge, arm):
        drawn += flat(stroke(line, (0.5, 0.5)), mix(rim, (30, 24, 34), 0.6))
    return drawn
