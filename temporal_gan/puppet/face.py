"""The face follows the expression: lids and mouth are shapes over time, iris, brows, blush move by maps."""

from dataclasses import dataclass

import numpy as np

from ..expressions import EXPRESSIONS
from .affine import compose, place
from .character import Character
from .drawing import Drawing, Paint, Part, detail, flat, line_of, mix, rgb, shade_of
from .shapes import ellipse, smooth_closed, smooth_open, stroke

FACE_RADIUS = 13.0
"""The face is painted on an upright cylinder of this radius: features slide and narrow as the head turns."""

EYE_X, EYE_Y, EYE_HALF = 5.2, 2.3, 3.05
NOSE_Y, MOUTH_Y, BROW_Y = 6.6, 8.7, -4.6


@dataclass(frozen=True)
class Mood:
    """What the face is told, float64 [T] each: the controls, and classes that do more than the controls."""

    blink_right: np.ndarray
    blink_left: np.ndarray
    jaw: np.ndarray
    smile: np.ndarray
    brow_up: np.ndarray
    brow_down: np.ndarray
    frown: np.ndarray
    wide: np.ndarray
    droop: np.ndarray
    blush: np.ndarray

    @staticmethod
    def of(expression: np.ndarray) -> "Mood":
        """From a track [T, E] in the order of expressions.EXPRESSIONS."""
        value = {name: expression[:, i].astype(float) for i, name in enumerate(EXPRESSIONS)}
        return Mood(
            blink_right=value["eyeBlinkRight"],
            blink_left=value["eyeBlinkLeft"],
            jaw=value["jawOpen"],
            smile=value["mouthSmile"],
            brow_up=value["browInnerUp"],
            brow_down=value["browDown"],
            frown=value["sad"] + 0.85 * value["angry"] + 0.7 * value["disgusted"] + 0.5 * value["scared"],
            wide=np.minimum(value["surprised"] + 0.8 * value["scared"], 1.0),
            droop=np.minimum(value["sad"] + 0.5 * value["embarrassed"], 1.0),
            blush=np.minimum(0.75 * value["happy"] + value["embarrassed"], 1.0),
        )


def on_face(x: float, y: float, yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Map [T, 2, 3] from the own coordinates of a feature at (x, y) of the face to head coordinates."""
    angle = np.arcsin(x / FACE_RADIUS)
    turned = angle + 0.75 * yaw
    scale = np.cos(turned) / np.cos(angle)
    return place(
        len(yaw), FACE_RADIUS * np.sin(turned), y + 4.0 * pitch, 0.0, scale, 1.0 - 0.12 * np.abs(pitch)
    )


def face_parts(
    character: Character, expression: np.ndarray, head: np.ndarray, yaw: np.ndarray, pitch: np.ndarray
) -> list[Part]:
    """Parts painted on the face, back to front.

    Args:
        character: colours and eye shape.
        expression: [T, E] in the order of expressions.EXPRESSIONS, any values in [0, 1].
        head: [T, 2, 3], head coordinates -> picture units.
        yaw, pitch: the head's turn, [T] radians.
    """
    mood = Mood.of(expression)
    parts = []
    tint = mix(rgb(character.palette.skin), rgb(character.palette.blush), 0.7)
    # A blush spreads from a point, so that its flow is known and a cool cheek shows nothing.
    spread = np.maximum(np.sqrt(np.minimum(1.4 * mood.blush, 1.0)), 0.02)
    for side, sign in (("right", -1.0), ("left", 1.0)):
        cheek = compose(on_face(sign * 6.2, 7.0, yaw, pitch), place(len(yaw), scale_x=spread, scale_y=spread))
        drawing = flat(ellipse(0, 0, 2.1, 1.1), tint)
        parts.append(Part(f"{side}_blush", "features", drawing, compose(head, cheek), False))
    if character.muzzle:
        parts.append(
            Part(
                "muzzle", "features", _muzzle(character), compose(head, on_face(0.0, 8.0, yaw, pitch)), False
            )
        )
    for side, sign, blink in (("right", -1.0, mood.blink_right), ("left", 1.0, mood.blink_left)):
        eye = compose(head, on_face(sign * EYE_X, EYE_Y, yaw, pitch))
        shrink = 1.0 - 0.2 * mood.wide
        iris = compose(eye, place(len(yaw), -0.25 * sign, 0.2, 0.0, shrink, shrink))
        white, lids = _eye(character, mood, blink, sign)
        parts.append(Part(f"{side}_eye", "features", white, eye, False))
        parts.append(Part(f"{side}_iris", "features", _iris(character), iris, False))
        parts.append(Part(f"{side}_lids", "features", lids, eye, False))
    nose = compose(head, on_face(0.0, NOSE_Y, 1.15 * yaw, pitch))
    parts.append(Part("nose", "features", _nose(character), nose, False))
    mouth = compose(head, on_face(0.0, MOUTH_Y, yaw, pitch))
    parts.append(Part("mouth", "features", _mouth(character, mood), mouth, False))
    return parts


def brow_parts(
    character: Character, expression: np.ndarray, head: np.ndarray, yaw: np.ndarray, pitch: np.ndarray
) -> list[Part]:
    """The brows, drawn over the hair as anime does to keep them legible; arguments of :func:`face_parts`."""
    mood = Mood.of(expression)
    parts = []
    for side, sign in (("right", -1.0), ("left", 1.0)):
        # Inner ends up or down: the side's sign turns both brows towards each other.
        turn = sign * (0.55 * mood.brow_up * (1 - 0.7 * mood.wide) - 0.5 * mood.brow_down)
        rise = 1.3 * mood.brow_down - 0.5 * mood.brow_up - 1.0 * mood.wide - 0.4 * mood.smile
        inward = sign * (0.5 * mood.brow_down - 0.1 * mood.brow_up)
        own = place(len(yaw), -inward, rise, turn)
        to_head = compose(on_face(sign * EYE_X, BROW_Y, yaw, pitch), own)
        line = smooth_open([(-2.6, 0.1), (-0.8, -0.4), (1.2, -0.25), (2.9, 0.85)]) * [sign, 1.0]
        width = 0.9 * character.brow_width
        drawing = flat(
            stroke(line, (width * 0.8, width * 1.15, width, 0.15)),
            mix(rgb(character.palette.hair), (34, 16, 24), 0.75),
        )
        parts.append(Part(f"{side}_brow", "brows", drawing, compose(head, to_head), False))
    return parts


def _eye(character: Character, mood: Mood, blink: np.ndarray, sign: float) -> tuple[Drawing, Drawing]:
    """The white with its lower line, and the lids with the lashes, in the eye's own coordinates."""
    half, tall = EYE_HALF, character.eye_height
    u = np.linspace(-1.0, 1.0, 15)
    dome = (1 - np.abs(u) ** 2.4) ** 0.62
    top = -tall * dome + 0.45 * (1 - u) - 0.55
    bottom = tall * 0.86 * (1 - np.abs(u) ** 2.6) ** 0.7 + 0.1
    arch = 1 - u**2
    white = np.concatenate([np.stack([u * half, top], -1), np.stack([u * half, bottom], -1)[::-1]]) * [
        sign,
        1.0,
    ]

    smile, droop, angry = (v[:, None] for v in (mood.smile, mood.droop, mood.brow_down))
    opening = np.clip(1 - blink[:, None], 0.0, 1.0)
    closed = tall * ((0.30 + 0.34 * arch) * (1 - smile) + (0.55 - 0.62 * arch) * smile)
    upper = closed + (top - closed) * opening * (1 + 0.05 * mood.wide[:, None])
    upper = upper + opening * tall * (0.3 * angry * (1 - u) / 2 + 0.26 * droop * (1 + u) / 2)
    raised = bottom - opening * smile * tall * (0.2 + 0.46 * arch)
    lower = np.maximum(closed + (raised - closed) * opening, upper)

    def curve(y: np.ndarray) -> np.ndarray:
        y = np.broadcast_to(y, (len(blink), len(u)))
        return np.stack([np.broadcast_to(u * half * sign, y.shape), y], axis=-1)

    def band(inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
        return np.concatenate([curve(inner), curve(outer)[:, ::-1]], axis=1)

    skin = rgb(character.palette.skin)
    ink = mix(line_of(rgb(character.palette.hair)), (22, 12, 18), 0.5)
    lash = curve(upper)
    # The lash runs on past the outer corner and flicks up.
    flick = lash[:, -1:] + np.array([[[0.55 * sign, -0.35]]])
    lash = np.concatenate([lash, flick], axis=1)
    lids = (
        Paint(band(upper, top - 0.75), skin),
        Paint(band(lower, bottom + 0.45), skin),
        Paint(stroke(curve(lower)[:, 5:13], (0.1, 0.34, 0.1)), mix(ink, skin, 0.4)),
        Paint(stroke(lash, (0.55, 1.15, 1.25, 1.15, 0.2)), ink),
    )
    shadow = np.concatenate(
        [np.stack([u * half, top], -1), np.stack([u * half, top + 1.5 * dome], -1)[::-1]]
    ) * [sign, 1.0]
    return flat(white, (255, 253, 250)) + flat(shadow, (205, 200, 220)), Drawing((), lids)


def _iris(character: Character) -> Drawing:
    colour = rgb(character.palette.eye)
    dark = mix(colour, (16, 14, 34), 0.66)
    tall = character.eye_height / 4.1
    cover = ellipse(0.0, 0.0, 2.05, 3.15 * tall)
    cover[:, 1] = np.minimum(cover[:, 1], -0.5 + 0.12 * cover[:, 0] ** 2)
    return (
        flat(ellipse(0.0, 0.0, 2.4, 3.5 * tall), mix(dark, (0, 0, 0), 0.3))
        + flat(ellipse(0.0, 0.0, 2.05, 3.15 * tall), colour)
        + flat(cover, mix(colour, dark, 0.6))
        + flat(ellipse(0.0, 1.75 * tall, 1.35, 1.05 * tall), mix(colour, (255, 255, 240), 0.5))
        + flat(ellipse(0.0, 0.1, 1.0, 1.55 * tall), mix(dark, (0, 0, 0), 0.35))
        + flat(ellipse(-0.85, -1.35 * tall, 0.92, 1.1), (255, 255, 255))
        + flat(ellipse(1.0, 1.3 * tall, 0.48, 0.5), (255, 255, 255))
    )


def _nose(character: Character) -> Drawing:
    if character.muzzle:
        return detail(
            smooth_closed([(-1.15, -0.55), (1.15, -0.55), (0.75, 0.35), (0, 0.85), (-0.75, 0.35)]), "#b5564f"
        )
    return flat(
        ellipse(0.0, 0.0, 0.55, 0.35), mix(shade_of(rgb(character.palette.skin)), (190, 90, 80), 0.35)
    )


def _muzzle(character: Character) -> Drawing:
    shape = smooth_closed(
        [(0, -1.8), (3.2, -1.4), (5.2, 0.8), (4.0, 3.0), (0, 3.7), (-4.0, 3.0), (-5.2, 0.8), (-3.2, -1.4)]
    )
    drawn = flat(shape, character.palette.accent)
    for side in (-1.0, 1.0):
        for y, dy in ((0.2, -1.3), (1.2, 0.1)):
            whisker = smooth_open([(5.6 * side, y), (8.4 * side, y + 0.3 * dy), (11.6 * side, y + 0.9 * dy)])
            drawn += flat(stroke(whisker, (0.5, 0.42, 0.18)), line_of(rgb(character.palette.hair)))
    return drawn


def _mouth(character: Character, mood: Mood) -> Drawing:
    """Interior, tongue and lips over time: corners up in a smile, down in a frown, round in a gape."""
    s = np.linspace(-1.0, 1.0, 17)
    smile, frown, wide, jaw = (v[:, None] for v in (mood.smile, mood.frown, mood.wide, mood.jaw))
    half = 1.75 + 1.25 * smile + 0.45 * frown + 0.1 * wide - 0.25 * jaw * (1 - smile)
    bend = 0.4 + 1.2 * smile - 2.0 * frown - 0.4 * wide
    opened = jaw * (3.6 + 1.6 * smile)
    upper = bend * (0.4 - s**2) * (1 - 0.35 * jaw) - 0.32 * opened
    if character.muzzle:
        upper = upper + 0.7 * (1 - 0.7 * frown) * (1 - 0.6 * jaw) * (1 - 0.9 * wide) * (
            np.abs(np.sin(np.pi * s)) - 0.5
        )
    round_off = (1 - s**2) ** (0.9 - 0.42 * wide)
    lower = upper + opened * round_off
    x = half * s
    top, base = np.stack([x, upper], axis=-1), np.stack([x, np.broadcast_to(lower, x.shape)], axis=-1)
    tongue_top = np.stack([0.8 * x, lower - 0.42 * opened * round_off], axis=-1)
    tongue = np.concatenate([tongue_top, (base * [0.8, 1.0])[:, ::-1]], axis=1)
    ink = mix(line_of(rgb(character.palette.skin)), (70, 20, 24), 0.4)
    return Drawing((), (
        Paint(np.concatenate([top, base[:, ::-1]], axis=1), (128.0, 38.0, 48.0)),
        Paint(tongue, (238.0, 122.0, 122.0)),
        Paint(stroke(base, (0.3, 0.5, 0.3)), ink),
        Paint(stroke(top, (0.4, 0.62, 0.62, 0.4)), ink),
    ))  # fmt: skip
