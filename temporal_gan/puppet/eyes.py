"""Eyes: the white, an iris that moves under lids that change their shape, lashes."""

from functools import lru_cache

import numpy as np

from .character import Character
from .drawing import Drawing, Paint, flat, line_of, mix, rgb
from .mood import Mood
from .shapes import ellipse, stroke

_U = np.linspace(-1.0, 1.0, 15)
"""Across the eye, from its inner to its outer corner."""


def eye_drawings(
    character: Character, mood: Mood, blink: np.ndarray, sign: float
) -> tuple[Drawing, Drawing, np.ndarray]:
    """An eye in its own coordinates.

    Args:
        character: eye shape and colours.
        mood: T frames.
        blink: [T] of this eye.
        sign: -1 for the character's right eye.
    Returns:
        the white, the lids with the lashes, and six points of the opening [T, 6, 2]: the inner corner, two along
        the upper lid, the outer corner, two back along the lower lid.
    """
    half, tall = character.face.eye_half, character.face.eye_height
    top, bottom = _opening(character)
    u, arch = _U, 1 - _U**2
    smile, droop, angry, wide = (v[:, None] for v in (mood.smile, mood.droop, mood.brow_down, mood.wide))
    squint = (0.75 * mood.happy + 0.25 * mood.smile)[:, None]
    opening = np.clip(1 - blink[:, None] - 0.45 * mood.happy[:, None], 0.0, 1.0)
    closed = tall * ((0.30 + 0.34 * arch) * (1 - squint) + (0.42 - 0.72 * arch) * squint)
    upper = closed + (top - closed) * opening * (1 + 0.02 * wide)
    upper = upper + opening * tall * (0.46 * angry * (1 - u) / 2 + 0.34 * droop * (1 + u) / 2)
    raised = bottom - opening * tall * arch * (0.5 * smile + 0.22 * mood.disgusted[:, None])
    lower = np.maximum(closed + (raised - closed) * opening, upper)

    def curve(y: np.ndarray) -> np.ndarray:
        y = np.broadcast_to(y, (len(blink), len(u)))
        return np.stack([np.broadcast_to(u * half * sign, y.shape), y], axis=-1)

    def band(inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
        return np.concatenate([curve(inner), curve(outer)[:, ::-1]], axis=1)

    skin = rgb(character.palette.skin)
    ink = mix(line_of(rgb(character.palette.hair)), (22, 12, 18), 0.55)
    lash = curve(upper)
    # The lash runs on past the outer corner and flicks up.
    flick = lash[:, -1:] + np.array([[[0.75 * sign, -0.2 - 0.35 * character.face.lashes]]])
    lash = np.concatenate([lash, flick], axis=1)
    weight = 0.35 + 0.65 * character.face.lashes
    lids = Drawing((), (
        Paint(band(upper, np.broadcast_to(top - 0.85 - 0.5 * wide, upper.shape)), skin),
        Paint(band(lower, np.broadcast_to(bottom + 0.5, lower.shape)), skin),
        Paint(stroke(curve(lower)[:, 4:14], (0.1, 0.42, 0.1)), mix(ink, skin, 0.35)),
        Paint(stroke(curve(upper - 0.16 * tall * opening - 0.55)[:, 4:13], (0.05, 0.3, 0.05)), mix(ink, skin, 0.55)),
        Paint(stroke(lash, [weight * w for w in (0.5, 1.15, 1.45, 1.3, 0.25)]), ink),
    ))  # fmt: skip
    opened = curve(upper)[:, [0, 4, 10, 14]]
    shut = curve(lower)[:, [10, 4]]
    return _white(character, sign), lids, np.concatenate([opened, shut], axis=1)


def _opening(character: Character) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower edge of the open eye, [15] each."""
    tall, tilt = character.face.eye_height, character.face.tilt
    dome = (1 - np.abs(_U) ** 2.6) ** 0.55
    top = -tall * dome + 0.5 * tilt - 0.9 * tilt * (1 + _U) / 2
    bottom = tall * 0.84 * (1 - np.abs(_U) ** 2.8) ** 0.62 + 0.1 - 0.5 * tilt * (1 + _U) / 2
    return top, np.maximum(bottom, top)


@lru_cache(maxsize=256)
def _white(character: Character, sign: float) -> Drawing:
    half = character.face.eye_half
    top, bottom = _opening(character)
    mirror = np.array([sign * half, 1.0])
    edge = np.stack([_U, top], -1)
    white = np.concatenate([edge, np.stack([_U, bottom], -1)[::-1]]) * mirror
    lowered = np.stack([_U, np.minimum(top + 0.42 * character.face.eye_height, bottom)], -1)
    shadow = np.concatenate([edge, lowered[::-1]]) * mirror
    return flat(white, (255, 253, 250)) + flat(shadow, (206, 204, 224))


@lru_cache(maxsize=256)
def iris_drawing(character: Character) -> Drawing:
    """Iris and pupil with a glow below and two highlights, the larger towards the light."""
    colour = rgb(character.palette.eye)
    dark = mix(colour, (18, 14, 38), 0.62)
    tall, wide = character.face.eye_height / 4.2, character.face.eye_half / 3.2
    cover = ellipse(0.0, 0.0, 2.05 * wide, 3.2 * tall, 22)
    cover[:, 1] = np.minimum(cover[:, 1], -0.45 + 0.12 * cover[:, 0] ** 2)
    return (
        flat(ellipse(0.0, 0.0, 2.42 * wide, 3.6 * tall, 24), mix(dark, (0, 0, 0), 0.3))
        + flat(ellipse(0.0, 0.0, 2.05 * wide, 3.2 * tall, 22), colour)
        + flat(cover, mix(colour, dark, 0.62))
        + flat(ellipse(0.0, 1.85 * tall, 1.3 * wide, 1.0 * tall, 16), mix(colour, (255, 255, 235), 0.55))
        + flat(ellipse(0.0, 0.05, 0.95 * wide, 1.5 * tall, 16), mix(dark, (0, 0, 0), 0.4))
        + flat(ellipse(-0.85 * wide, -1.4 * tall, 0.98 * wide, 1.15 * tall, 16), (255, 255, 255))
        + flat(ellipse(1.0 * wide, 1.35 * tall, 0.48, 0.52, 10), (255, 255, 255))
    )
