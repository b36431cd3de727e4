"""Shoes as they look from where their toes point: from the side, from the front, and all between."""

from functools import lru_cache

import numpy as np

from .affine import place
from .character import Character
from .drawing import INK_WIDTH, Drawing, Paint, line_of, rgb
from .shapes import outline, smooth_closed, smooth_open, stroke

_UPPER_SIDE = (
    (-1.7, -1.5),
    (1.3, -1.5),
    (1.9, -0.2),
    (4.0, 0.1),
    (5.2, 1.2),
    (4.9, 2.3, 0.5),
    (-2.0, 2.3, 0.5),
    (-2.5, 1.0),
)
_UPPER_FRONT = (
    (-1.5, -1.5),
    (1.5, -1.5),
    (1.75, -0.2),
    (2.0, 0.8),
    (2.05, 1.8),
    (1.6, 2.6, 0.5),
    (-1.6, 2.6, 0.5),
    (-2.0, 0.9),
)
_SOLE_SIDE = ((-2.3, 1.5), (5.2, 1.5), (4.9, 2.35, 0.5), (-2.1, 2.35, 0.5))
_SOLE_FRONT = ((-2.0, 1.9), (2.0, 1.9), (1.6, 2.65, 0.5), (-1.6, 2.65, 0.5))
_INSTEP_SIDE = ((-0.2, -1.3), (0.9, 0.1), (2.6, 0.5))
_INSTEP_FRONT = ((-1.3, 0.1), (0.0, 0.45), (1.3, 0.1))


def shoe(character: Character, posed: np.ndarray) -> tuple[Drawing, np.ndarray]:
    """A shoe and its map.

    Args:
        character: colours.
        posed: [T, 2, 3], the map of a foot seen from its side, whose x axis is foreshortened by where the toes
            point, as :mod:`.legs` makes it: from it come the turn and the pitch of the foot.
    Returns:
        the drawing, over time where the toes turn, and its own map [T, 2, 3] about the ankle.
    """
    cos_pitch = np.clip(posed[:, 1, 1], 0.05, 1.0)
    length = posed[:, 0, 0] / cos_pitch
    # legs._shoe_axes: length^2 = sin^2 + (0.6 cos)^2.
    side = np.sign(length) * np.sqrt(np.clip((length**2 - 0.36) / 0.64, 0.0, 1.0))
    pitch = np.arctan2(-posed[:, 1, 0], cos_pitch * np.maximum(np.abs(length), 0.3))
    to_picture = place(len(posed), posed[:, 0, 2], posed[:, 1, 2], -pitch * side)
    if np.ptp(side) < 1e-6:
        return _still_shoe(character, round(float(side[0]), 6)), to_picture
    return _shoe(character, side[:, None]), to_picture


@lru_cache(maxsize=512)
def _still_shoe(character: Character, side: float) -> Drawing:
    return _shoe(character, np.array([side]))


def _shoe(character: Character, side: np.ndarray) -> Drawing:
    """``side`` [1] or [T, 1]: sine of where the toes point, negative to the viewer's left."""
    palette, width = character.palette, INK_WIDTH * character.line
    uppers = [smooth_closed(points, 4) for points in (_UPPER_SIDE, _UPPER_FRONT)]
    soles = [smooth_closed(points, 3) for points in (_SOLE_SIDE, _SOLE_FRONT)]
    insteps = [stroke(smooth_open(points), (0.2, 0.5, 0.15)) for points in (_INSTEP_SIDE, _INSTEP_FRONT)]
    dark = line_of(rgb(palette.shoe))
    upper, inked = _turned(uppers, side), _turned([outline(shape, width) for shape in uppers], side)
    return Drawing(
        (Paint(inked, dark),),
        (
            Paint(upper, rgb(palette.shoe), 0.9 * character.shading if upper.ndim == 2 else 0.0),
            Paint(_turned(soles, side), rgb(palette.sole)),
            Paint(_turned(insteps, side), dark),
        ),
    )


def _turned(views: list[np.ndarray], side: np.ndarray) -> np.ndarray:
    """Outlines from the side and from the front [N, 2] -> as seen at a turn, [N, 2] or [T, N, 2]."""
    seen, ahead = np.abs(side), np.sqrt(1 - side**2)
    facing = np.where(side < 0, -1.0, 1.0)
    x = facing * (seen * views[0][:, 0] + ahead * views[1][:, 0])
    y = side**2 * views[0][:, 1] + (1 - side**2) * views[1][:, 1]
    return np.stack([x, y], axis=-1)
