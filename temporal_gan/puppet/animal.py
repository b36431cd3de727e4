"""Animals: ears and tails by name, muzzles. Any character may wear them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .character import Character, Control
from .drawing import Drawing, flat, line_of, mix, rgb
from .hanging import TAIL_LENGTH
from .pen import Pen
from .shapes import limb, smooth_closed, smooth_open, stroke


@dataclass(frozen=True)
class Ear:
    """The ear on the character's left, in its own coordinates: the origin is where it turns.

    Attributes:
        outer, inner: outlines; an empty inner for none.
        angle, radius, y: where on the head, as for a lock of hair.
        droop: how far a drooping mood turns it, 1 as far as it says.
        tip: a point in its middle, for the keypoint.
        dark: the upper half nearly black, as a fox has it.
        over: hangs in front of the face.
    """

    outer: Control
    inner: Control
    angle: float
    radius: float
    y: float
    droop: float
    tip: tuple[float, float]
    dark: bool = False
    over: bool = False


EARS: dict[str, Ear] = {
    "cat": Ear(
        ((-4.8, 2.6), (-3.0, -4.4), (2.2, -10.4, 0.7), (4.4, -5.2), (4.2, 2.6)),
        ((-2.4, 1.2), (-1.4, -3.6), (1.9, -8.0, 0.7), (3.0, -4.2), (2.8, 1.2)),
        0.72, 12.4, -9.0, 1.0, (1.2, -5.2),
    ),
    "fox": Ear(
        ((-5.2, 3.0), (-3.8, -4.8), (1.8, -13.2, 0.8), (5.0, -6.2), (4.6, 3.0)),
        ((-2.6, 1.6), (-1.8, -4.0), (1.6, -9.6, 0.8), (3.2, -4.8), (2.8, 1.6)),
        0.74, 12.2, -8.8, 1.0, (0.5, -6.0), dark=True,
    ),
    "rabbit": Ear(
        ((-2.6, 3.0), (-3.4, -5.0), (-2.2, -11.6), (0.6, -14.4), (3.2, -11.4), (3.6, -5.0), (2.4, 3.0)),
        ((-1.2, 0.6), (-1.7, -5.0), (-0.9, -10.4), (0.6, -12.2), (1.8, -10.4), (1.9, -5.0), (1.2, 0.6)),
        0.46, 11.4, -11.6, 0.8, (0.2, -5.0),
    ),
    "bear": Ear(
        ((-4.6, 1.4), (-4.4, -3.2), (-1.0, -6.2), (3.2, -5.2), (5.0, -1.4), (4.0, 2.8)),
        ((-2.2, 0.8), (-2.0, -2.0), (0.0, -3.6), (2.2, -2.8), (2.8, -0.6), (2.0, 1.4)),
        0.78, 13.0, -9.6, 0.5, (1.6, -3.6),
    ),
    "dog": Ear(
        ((-3.2, -1.8), (1.2, -3.0), (4.8, -0.4), (6.2, 5.0), (5.6, 11.4), (2.6, 14.0), (-0.2, 11.0), (-1.0, 4.6)),
        (), 0.86, 13.0, -9.0, 0.35, (2.6, 5.4), over=True,
    ),
}  # fmt: skip


@lru_cache(maxsize=256)
def ear_drawing(character: Character, sign: float) -> Drawing:
    """An animal's ear, sign -1 for the character's right one."""
    ear, pen, palette = EARS[character.ears], Pen.of(character), character.palette
    mirror = np.array([sign, 1.0])
    outer = smooth_closed(ear.outer) * mirror
    drawn = pen.surface(outer, palette.hair, 1.0)
    if ear.dark:
        top = smooth_closed([(p[0] * 0.99, p[1], *p[2:]) for p in ear.outer])
        drawn += flat(_above(top, -4.6) * mirror, mix(rgb(palette.hair), (52, 30, 34), 0.8))
    if ear.inner:
        drawn += flat(smooth_closed(ear.inner) * mirror, palette.blush if not ear.dark else palette.accent)
    return drawn


def _above(polygon: np.ndarray, y: float) -> np.ndarray:
    """The part of an outline above y, its lower edge flattened."""
    return np.stack([polygon[:, 0], np.minimum(polygon[:, 1], y)], axis=-1)[polygon[:, 1] < y + 1.5]


@lru_cache(maxsize=256)
def muzzle_drawing(character: Character) -> Drawing:
    """A light snout, with whiskers where the character has them."""
    shape = smooth_closed(
        [(0, -2.2), (3.0, -1.8), (5.3, 0.6), (4.4, 3.2), (0, 4.1), (-4.4, 3.2), (-5.3, 0.6), (-3.0, -1.8)]
    )
    light = mix(rgb(character.palette.skin), (255, 253, 246), 0.72)
    drawn = flat(shape, light)
    if character.face.whiskers:
        for side in (-1.0, 1.0):
            for y, dy in ((0.2, -1.3), (1.4, 0.1)):
                line = smooth_open([(5.0 * side, y), (7.6 * side, y + 0.3 * dy), (10.4 * side, y + 0.9 * dy)])
                drawn += flat(stroke(line, (0.46, 0.4, 0.16)), line_of(rgb(character.palette.hair)))
    return drawn


def tail_drawings(character: Character) -> dict[str, Drawing]:
    """Segments of the tail, or one ball for a tail of a single segment."""
    if character.tail is None:
        return {}
    radii, pen = character.tail.radii, Pen.of(character)
    count = len(radii) - 1
    drawings = {}
    for i in range(count):
        colour = character.palette.accent if i >= count - character.tail.tip else character.palette.hair
        drawings[f"tail_{i}"] = pen.surface(limb(TAIL_LENGTH, (radii[i], radii[i + 1])), colour, 0.8)
    return drawings
