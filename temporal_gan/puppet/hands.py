"""Hands between a mitten, a spread hand and one that points."""

from functools import lru_cache

import numpy as np

from .character import Character
from .drawing import INK_WIDTH, Drawing, Paint, line_of, mix, rgb
from .shapes import outline, smooth_closed

_MITTEN = (
    (-0.62, -0.9), (-0.86, 0.2), (-0.9, 0.9), (-0.8, 1.5, 0.2), (-0.5, 1.72, 0.2),
    (-0.42, 1.66, 0.2), (-0.2, 1.8, 0.2),
    (-0.05, 1.84, 0.2), (0.1, 1.82, 0.2), (0.35, 1.76, 0.2), (0.48, 1.7, 0.2), (0.74, 1.5, 0.2),
    (0.84, 0.95, 0.2),
    (0.92, 0.75, 0.3), (1.22, 0.98), (1.24, 0.5), (0.98, 0.0), (0.66, -0.7),
)  # fmt: skip
_SPREAD = (
    (-0.62, -0.9), (-0.84, 0.2), (-1.1, 0.95), (-1.62, 1.75, 0.2), (-1.36, 2.02, 0.2),
    (-0.66, 1.22, 0.2), (-0.72, 2.3, 0.2),
    (-0.38, 2.46, 0.2), (-0.1, 1.34, 0.2), (0.2, 2.44, 0.2), (0.54, 2.32, 0.2), (0.5, 1.2, 0.2),
    (0.78, 0.92, 0.2),
    (1.0, 0.62, 0.3), (1.78, 0.92), (1.72, 0.5), (1.06, -0.1), (0.66, -0.7),
)  # fmt: skip
_POINTING = (
    (-0.62, -0.9), (-0.86, 0.2), (-0.94, 0.8), (-0.86, 1.24, 0.2), (-0.64, 1.38, 0.2),
    (-0.46, 1.32, 0.2), (-0.34, 1.42, 0.2),
    (-0.16, 1.44, 0.2), (0.02, 1.3, 0.2), (0.1, 2.84, 0.2), (0.62, 2.84, 0.2), (0.72, 1.3, 0.2),
    (0.84, 0.95, 0.2),
    (0.9, 0.72, 0.3), (1.06, 0.86), (1.1, 0.48), (0.98, 0.0), (0.66, -0.7),
)  # fmt: skip
_BETWEEN_FINGERS = (-0.28, 0.24), (-0.5, -0.12)
"""Where two lines divide the fingers of the mitten, and of the hand that points."""


def hand_drawing(character: Character, sign: float, opened: np.ndarray, pointing: np.ndarray) -> Drawing:
    """A hand whose fingers point along +y.

    Args:
        character: size and skin.
        sign: -1 for the right hand; the thumb points to the body.
        opened: [T], 0 a mitten, 1 spread fingers.
        pointing: [T], 1 stretches the first finger of the mitten.
    """
    if np.ptp(opened) < 1e-9 and np.ptp(pointing) < 1e-9:
        return _still_hand(character, sign, round(float(opened[0]), 9), round(float(pointing[0]), 9))
    return _hand(character, sign, opened[:, None, None], pointing[:, None, None])


@lru_cache(maxsize=512)
def _still_hand(character: Character, sign: float, opened: float, pointing: float) -> Drawing:
    return _hand(character, sign, opened, pointing)


def _hand(
    character: Character, sign: float, opened: np.ndarray | float, pointing: np.ndarray | float
) -> Drawing:
    skin, size = rgb(character.palette.skin), np.array([-sign, 1.0]) * character.body.hand
    shapes = [smooth_closed(points, 3) * size for points in (_MITTEN, _SPREAD, _POINTING)]
    inks = [outline(shape, INK_WIDTH * character.line) for shape in shapes]
    fill, ink = (
        mitten + opened * (spread - mitten) + pointing * (point - mitten)
        for mitten, spread, point in (shapes, inks)
    )
    # The lines close up into the gaps of the spread hand.
    lines = []
    for x, folded_x in zip(*_BETWEEN_FINGERS, strict=True):
        line, folded = (
            np.array([[at - 0.06, 1.0], [at - 0.03, end], [at + 0.03, end], [at + 0.06, 1.0]]) * size
            for at, end in ((x, 1.78), (folded_x, 1.36))
        )
        lines.append(Paint(line + pointing * (folded - line), mix(line_of(skin), skin, 0.5)))
    return Drawing((Paint(ink, line_of(skin)),), (Paint(fill, skin), *lines))
