"""Upper garments: a torso, what lies on its chest, and what lies round the neck; each is a function by name."""

from collections.abc import Callable

import numpy as np

from .character import Character
from .drawing import Drawing, flat, line_of, mix, rgb, shade_of
from .pen import Pen
from .shapes import ellipse, limb, mirrored, smooth_closed, smooth_open, stroke

Drawings = dict[str, Drawing]
"""``torso``, ``neck`` and any of ``front`` (mid-chest), ``right_front`` and ``left_front`` (the halves of it)."""


def sailor(character: Character) -> Drawings:
    """A middy blouse: square collar with a stripe, a bow."""
    t, palette, pen = character.body.torso, character.palette, Pen.of(character)
    halves = {}
    flap = [
        (1.6, -t - 0.5),
        (2.6, -t + 2.0, 0.7),
        (0.6, -t + 3.7),
        (-2.5, -t + 5.4, 0.8),
        (-1.2, -t + 1.8),
        (-0.9, -t - 0.9),
    ]
    stripe = smooth_open([(2.0, -t + 1.5), (0.4, -t + 2.9), (-2.0, -t + 4.4)])
    for side, sign in (("right", -1.0), ("left", 1.0)):
        mirror = [sign, 1.0]
        halves[f"{side}_front"] = pen.detail(smooth_closed(flap) * mirror, palette.trim, 0.5)
        halves[f"{side}_front"] += flat(stroke(stripe * mirror, (0.35, 0.35)), palette.top)
    chest = flat(smooth_closed([(-1.7, -t - 0.2), (1.7, -t - 0.2), (0.0, -t + 3.6, 1.0)]), palette.skin)
    return {"torso": _torso(character, -3.0), "neck": _neck(character), "chest": chest, **halves,
            "front": _bow(character, -t + 4.9)}  # fmt: skip


def hoodie(character: Character) -> Drawings:
    """A hooded sweater: pouch, cords, ribbed hem."""
    t, palette, pen = character.body.torso, character.palette, Pen.of(character)
    pocket = smooth_closed(
        [(-2.6, -6.6, 0.5), (2.6, -6.6, 0.5), (3.9, -3.2), (3.7, -0.9, 0.6), (-3.7, -0.9, 0.6), (-3.9, -3.2)]
    )
    neckline = smooth_closed(
        [
            (-2.6, -t - 0.6),
            (0.0, -t + 0.8),
            (2.6, -t - 0.6),
            (2.2, -t + 1.2),
            (0.0, -t + 2.4),
            (-2.2, -t + 1.2),
        ]
    )
    front = pen.detail(pocket, palette.top, 0.7) + pen.detail(neckline, palette.trim)
    for side in (-1.0, 1.0):
        cord = smooth_open([(1.2 * side, -t + 1.4), (1.5 * side, -t + 3.4), (1.3 * side, -t + 5.6)])
        front += flat(stroke(cord, (0.5, 0.5)), palette.accent)
        front += flat(ellipse(1.3 * side, -t + 5.8, 0.45, 0.6, 10), palette.accent)
    torso = _torso(character, 1.6, loose=0.5) + flat(_band(character, -0.1, 1.6, 1.6, 0.5), palette.trim)
    hood = smooth_closed(
        [(-6.0, -0.5), (-5.2, 2.2), (0, 3.0), (5.2, 2.2), (6.0, -0.5), (3.6, -2.4), (-3.6, -2.4)]
    )
    return {"torso": torso, "front": front, "neck": pen.surface(hood, palette.top, 1.0) + _neck(character)}


def shirt(character: Character) -> Drawings:
    """A buttoned shirt with a collar and a tie."""
    t, palette, pen = character.body.torso, character.palette, Pen.of(character)
    tie = smooth_closed(
        [
            (-0.8, -t + 1.4, 0.6),
            (0.8, -t + 1.4, 0.6),
            (0.5, -t + 2.6),
            (1.3, -t + 8.0),
            (0, -t + 10.0, 0.9),
            (-1.3, -t + 8.0),
            (-0.5, -t + 2.6),
        ]
    )
    front = pen.detail(tie, palette.accent, 0.5)
    halves = {}
    wing = [
        (1.2, -t - 0.9),
        (2.0, -t + 1.6, 0.8),
        (-1.0, -t + 3.4, 0.9),
        (-2.2, -t + 0.9, 0.4),
        (-0.8, -t - 0.9),
    ]
    for side, sign in (("right", -1.0), ("left", 1.0)):
        halves[f"{side}_front"] = pen.detail(smooth_closed(wing) * [sign, 1.0], palette.trim, 0.4)
    return {"torso": _torso(character, -2.4), "neck": _neck(character), **halves, "front": front}


def tee(character: Character) -> Drawings:
    """A striped T-shirt with a round neck."""
    t, palette = character.body.torso, character.palette
    torso = _torso(character, 0.6, loose=0.2)
    for top in np.arange(-t + 3.6, -1.5, 3.0):
        torso += flat(_band(character, float(top), float(top) + 1.4, 0.6, 0.2), palette.trim)
    return {"torso": torso, "neck": _neck(character), "front": _round_neck(character)}


def plain(character: Character) -> Drawings:
    """A knitted pullover with a round neck and an emblem."""
    t, palette, pen = character.body.torso, character.palette, Pen.of(character)
    angle = np.linspace(0.0, 2 * np.pi, 11)[:-1] - np.pi / 2
    star = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * np.tile([2.3, 1.0], 5)[:, None] + [
        0.0,
        -t + 6.4,
    ]
    torso = _torso(character, 0.9, loose=0.4) + flat(_band(character, -0.7, 0.9, 0.9, 0.4), palette.trim)
    front = _round_neck(character) + pen.detail(star, palette.accent)
    return {"torso": torso, "neck": _neck(character), "front": front}


def dress(character: Character) -> Drawings:
    """A bodice with a round collar and a sash; its skirt is the bottom."""
    t, palette, pen = character.body.torso, character.palette, Pen.of(character)
    halves = {}
    petal = [
        (1.8, -t - 0.5),
        (2.4, -t + 1.2),
        (0.8, -t + 2.8),
        (-1.6, -t + 2.8),
        (-2.3, -t + 1.2),
        (-0.9, -t - 0.6),
    ]
    for side, sign in (("right", -1.0), ("left", 1.0)):
        halves[f"{side}_front"] = pen.detail(smooth_closed(petal) * [sign, 1.0], palette.trim, 0.4)
    torso = _torso(character, -3.4) + flat(_band(character, -5.6, -3.6, -3.4, 0.0), palette.accent)
    front = pen.detail(ellipse(0.0, -t + 3.2, 0.85, 0.85, 14), palette.accent)
    for y in (-t + 5.4, -t + 7.6):
        front += flat(ellipse(0.0, y, 0.5, 0.5, 10), palette.trim)
    return {"torso": torso, "neck": _neck(character), **halves, "front": front}


def kimono(character: Character) -> Drawings:
    """Crossed collar and a broad sash with a cord."""
    t, palette, pen = character.body.torso, character.palette, Pen.of(character)
    chest = flat(smooth_closed([(-1.5, -t - 0.3), (1.5, -t - 0.3), (0.0, -t + 2.6, 1.0)]), palette.skin)
    under = stroke(np.array([[2.6, -t - 0.4], [0.6, -t + 3.0], [-2.2, -t + 6.8]]), (1.5, 1.5, 1.5))
    over = stroke(np.array([[-2.6, -t - 0.4], [-0.4, -t + 3.4], [3.0, -t + 8.0]]), (1.5, 1.5, 1.5))
    front = pen.detail(under, palette.trim) + pen.detail(over, palette.trim)
    torso = _torso(character, -1.0, loose=0.2)
    torso += flat(_band(character, -8.4, -3.0, -1.0, 0.2), palette.accent)
    torso += flat(_band(character, -6.1, -5.3, -1.0, 0.2), palette.trim)
    return {"torso": torso, "neck": _neck(character), "chest": chest, "front": front}


def jacket(character: Character) -> Drawings:
    """An open jacket over a light shirt."""
    t, palette, pen = character.body.torso, character.palette, Pen.of(character)
    inner = smooth_closed(
        [
            (-2.0, -t - 0.3),
            (2.0, -t - 0.3),
            (2.3, -t + 6.0),
            (2.4, 0.9, 0.6),
            (-2.4, 0.9, 0.6),
            (-2.3, -t + 6.0),
        ]
    )
    front = flat(inner, palette.accent) + _round_neck(character)
    halves = {}
    lapel = [
        (0.8, -t - 0.8),
        (2.0, -t + 1.2, 0.6),
        (1.6, -t + 3.6, 0.8),
        (-1.0, -t + 7.2, 0.9),
        (-1.0, -t + 3.0),
        (-1.0, -t - 0.8),
    ]
    pocket = np.array([[-0.6, -4.2], [0.4, -4.1], [1.6, -4.2]])
    for side, sign in (("right", -1.0), ("left", 1.0)):
        halves[f"{side}_front"] = pen.detail(smooth_closed(lapel) * [sign, 1.0], palette.trim, 0.4)
        halves[f"{side}_front"] += flat(stroke(pocket * [sign, 1.0], (0.5, 0.5)), line_of(rgb(palette.top)))
    return {"torso": _torso(character, 1.4, loose=0.4), "neck": _neck(character), "chest": front, **halves}


TOPS: dict[str, Callable[[Character], Drawings]] = {
    "sailor": sailor, "hoodie": hoodie, "shirt": shirt, "tee": tee, "plain": plain, "dress": dress, "kimono": kimono,
    "jacket": jacket,
}  # fmt: skip


def _half(character: Character, hem: float, loose: float) -> list[tuple[float, ...]]:
    """The right half of a torso's outline, top to bottom."""
    body = character.body
    t, sh = body.torso, body.shoulder_half
    waist = 0.84 * sh + loose + body.belly
    hip = max(body.hip_half + 0.78 * body.leg_radius, waist - 0.4) + loose
    return [
        (0, -t - 0.3), (0.44 * sh, -t - 0.1), (0.88 * sh, -t + 0.8), (sh + 0.2, -t + 2.6), (0.94 * sh, -t + 5.4),
        (waist, -6.5), (hip + 0.4 * body.belly, -2.2), (hip, hem - 0.6), (hip - 0.1, hem, 0.7), (0, hem + 0.5),
    ]  # fmt: skip


def _torso(character: Character, hem: float, loose: float = 0.0) -> Drawing:
    """No line where the arms grow out of it; the slope of the shoulders has its own."""
    t, sh, pen = character.body.torso, character.body.shoulder_half, Pen.of(character)
    half = _half(character, hem, loose)
    if hem < -2.2:
        half = [point for point in half if point[1] != -2.2]
    top = character.palette.top
    slope = [
        (0.0, -t - 0.3),
        (0.44 * sh, -t - 0.1),
        (0.88 * sh, -t + 0.8),
        (0.9 * sh, -t + 3.4),
        (0.0, -t + 3.4),
    ]
    drawn = pen.surface(smooth_closed(mirrored(slope)), top, fade_below=-t + 2.8)
    drawn += pen.surface(smooth_closed(mirrored(half)), top, 1.5, fade_above=-t + 3.2)
    dark = mix(rgb(top), line_of(rgb(top)), 0.34)
    for x, y in ((0.62, -6.2), (-0.58, -7.2)):
        fold = smooth_open([(x * sh * 1.25, y - 1.0), (x * sh * 0.9, y + 0.4), (x * sh * 0.55, y + 0.9)])
        drawn += flat(stroke(fold, (0.5, 0.4, 0.1)), dark)
    return drawn


def _band(character: Character, top: float, bottom: float, hem: float, loose: float) -> np.ndarray:
    """A horizontal band across the torso, just inside its outline, sagging a little."""
    outline = smooth_closed(mirrored(_half(character, hem, loose)))
    right = outline[outline[:, 0] > 0]
    right = right[np.argsort(right[:, 1])]
    y = np.linspace(top, bottom, 4)
    half = np.interp(y, right[:, 1], right[:, 0])
    u = np.linspace(-1.0, 1.0, 9)
    upper = np.stack([u * half[0], top + 0.45 * (1 - u**2)], axis=-1)
    lower = np.stack([u * half[-1], np.minimum(bottom + 0.45 * (1 - u**2), hem + 0.45)], axis=-1)
    return np.concatenate(
        [
            upper,
            np.stack([half[1:3], y[1:3]], axis=-1),
            lower[::-1],
            np.stack([-half[2:0:-1], y[2:0:-1]], axis=-1),
        ]
    )


def _round_neck(character: Character) -> Drawing:
    t, palette = character.body.torso, character.palette
    drawn = flat(
        smooth_closed(
            [
                (-2.1, -t - 0.4),
                (0, -t - 0.6),
                (2.1, -t - 0.4),
                (1.5, -t + 0.9),
                (0, -t + 1.5),
                (-1.5, -t + 0.9),
            ]
        ),
        palette.skin,
    )
    collar = smooth_open(
        [(-2.3, -t - 0.3), (-1.5, -t + 1.0), (0, -t + 1.7), (1.5, -t + 1.0), (2.3, -t - 0.3)]
    )
    return drawn + flat(stroke(collar, (0.7, 0.75, 0.7)), palette.trim)


def _bow(character: Character, y: float) -> Drawing:
    pen, accent = Pen.of(character), character.palette.accent
    drawn = Drawing()
    for side in (-1.0, 1.0):
        tail = smooth_closed(
            [(0.0, y - 0.3), (1.5 * side, y + 1.7), (2.3 * side, y + 4.7, 0.9), (0.5 * side, y + 3.9)]
        )
        wing = smooth_closed(
            [(0.0, y - 0.2), (2.0 * side, y - 1.1), (3.0 * side, y + 0.3), (2.0 * side, y + 1.2)]
        )
        drawn += pen.detail(tail, accent, 0.5) + pen.detail(wing, accent, 0.5)
    return drawn + pen.detail(ellipse(0.0, y, 0.85, 0.85, 14), accent)


def _neck(character: Character) -> Drawing:
    skin = character.palette.skin
    neck = Pen.of(character).surface(limb(5.6, (1.75, 1.7, 1.9), start=-2.5), skin)
    return neck + flat(ellipse(0.0, 3.8, 1.75, 1.6, 16), shade_of(rgb(skin)))
