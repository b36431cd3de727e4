"""Lower garments: the hips, a skirt that swings, and what covers the legs; each is a function by name."""

from collections.abc import Callable

from .character import Character
from .drawing import Drawing, flat, line_of, mix, rgb, shade_of
from .pen import Pen
from .shapes import limb, mirrored, smooth_closed, smooth_open, stroke

Drawings = dict[str, Drawing]
"""``hips``, and any of ``skirt``, ``thigh`` and ``shin`` (drawn over the bare legs)."""


HEMS: dict[str, float] = {"skirt": 0.52, "long_skirt": 1.35, "robe": 1.62}
"""How far below the hips what hangs ends, in thighs."""


def skirt(character: Character) -> Drawings:
    """A pleated skirt above the knee with a stripe."""
    hem, wide = HEMS["skirt"] * character.body.thigh, 1.34 * _hip(character)
    drawn = _skirt(character, hem, 1.34)
    stripe = smooth_open([(-1.02 * wide, hem - 2.0), (0.0, hem - 1.2), (1.02 * wide, hem - 2.0)])
    drawn += flat(stroke(stripe, (0.55, 0.55)), character.palette.trim)
    return {"hips": _hips(character), "skirt": drawn}


def long_skirt(character: Character) -> Drawings:
    """A skirt to the shins."""
    hem = HEMS["long_skirt"]
    drawn = _skirt(character, hem * character.body.thigh, 1.36)
    return {"hips": _hips(character), "skirt": drawn} | _cloth_over_legs(character, hem, 1.5)


def robe(character: Character) -> Drawings:
    """The straight lower half of a kimono, one side wrapped over the other."""
    hem = HEMS["robe"] * character.body.thigh
    drawn = _skirt(character, hem, 1.02, pleats=())
    dark = mix(rgb(character.palette.bottom), line_of(rgb(character.palette.bottom)), 0.6)
    wrap = smooth_open([(1.6, -4.0), (2.4, 0.3 * hem), (1.4, hem + 0.3)])
    for x, y, size in ((-3.0, 0.55, 1.0), (0.2, 0.84, 0.8), (3.4, 0.66, 0.9)):
        for i in range(3):
            dx, dy = ((0.0, -0.8), (0.75, 0.5), (-0.75, 0.5))[i]
            petal = smooth_closed([(-0.8, 0), (0, -0.8), (0.8, 0), (0, 0.8)]) * size + [
                x + size * dx,
                y * hem + size * dy,
            ]
            drawn += flat(petal, character.palette.trim)
    drawn += flat(stroke(wrap, (0.3, 0.55, 0.3)), dark)
    return {"hips": _hips(character), "skirt": drawn} | _cloth_over_legs(character, HEMS["robe"], 1.2)


def shorts(character: Character) -> Drawings:
    """Shorts to the middle of the thighs, with a hem."""
    body, palette, pen = character.body, character.palette, Pen.of(character)
    r, end = body.leg_radius, 0.62 * body.thigh
    leg = pen.surface(limb(end, (r * 1.2, r * 1.28, r * 1.4), caps=(True, False)), palette.bottom, 1.2)
    hem = limb(end, (r * 1.4, r * 1.4), start=end - 1.0, caps=(False, False))
    return {"hips": _hips(character), "thigh": leg + flat(hem, shade_of(rgb(palette.bottom)))}


def trousers(character: Character) -> Drawings:
    """Trousers to the ankles, with a crease at the knee."""
    body, palette, pen = character.body, character.palette, Pen.of(character)
    r = body.leg_radius
    thigh = pen.surface(limb(body.thigh, (r * 1.18, r * 1.12, r * 1.0)), palette.bottom, 1.2)
    shin = pen.surface(
        limb(body.shin - 0.4, (r * 1.0, r * 0.98, r * 1.02), caps=(True, False)), palette.bottom, 1.1
    )
    dark = mix(rgb(palette.bottom), line_of(rgb(palette.bottom)), 0.45)
    for y in (1.2, 2.6):
        shin += flat(
            stroke(smooth_open([(-0.9 * r, y), (-0.3 * r, y + 0.5), (0.3 * r, y + 0.3)]), (0.4, 0.36, 0.1)),
            dark,
        )
    cuff = limb(body.shin - 0.4, (r * 1.02, r * 1.02), start=body.shin - 1.4, caps=(False, False))
    return {
        "hips": _hips(character),
        "thigh": thigh,
        "shin": shin + flat(cuff, shade_of(rgb(palette.bottom))),
    }


BOTTOMS: dict[str, Callable[[Character], Drawings]] = {
    "skirt": skirt, "long_skirt": long_skirt, "robe": robe, "shorts": shorts, "trousers": trousers,
}  # fmt: skip


def _cloth_over_legs(character: Character, hem: float, wide: float) -> Drawings:
    """What a leg that steps or folds out of a long garment pulls along: cloth to where the hem would be.

    The knees of one who stands straight are behind the skirt, and so is this.
    """
    body, pen = character.body, Pen.of(character)
    r, end, colour = body.leg_radius, (hem - 1.0) * body.thigh, character.palette.bottom
    thigh = pen.surface(limb(body.thigh, (r * 1.15, r * 1.1, r)), colour, 1.2)
    shin = pen.surface(limb(end, (r, r * 0.5 * (1.0 + wide), r * wide), caps=(True, False)), colour, 1.1)
    return {"thigh": thigh, "shin": shin}


def _hip(character: Character) -> float:
    body = character.body
    return max(body.hip_half + 1.05 * body.leg_radius, 0.8 * body.shoulder_half + body.belly)


def _hips(character: Character) -> Drawing:
    wide = _hip(character)
    half = [
        (0, -5.0),
        (0.86 * wide, -5.0, 0.6),
        (0.98 * wide, -1.5),
        (wide, 1.6),
        (0.62 * wide, 3.4),
        (0, 2.6),
    ]
    return Pen.of(character).surface(smooth_closed(mirrored(half)), character.palette.bottom, fade_below=1.2)


def _skirt(
    character: Character, hem: float, flare: float, pleats: tuple[float, ...] = (-0.62, -0.22, 0.2, 0.6)
) -> Drawing:
    """From the waist to ``hem``, there ``flare`` times as wide as the hips."""
    wide, palette = _hip(character), character.palette
    top, foot = -5.2, flare * wide + 0.03 * hem * wide * (flare - 1.0)
    half = [
        (0, top), (0.76 * wide, top, 0.6), (0.92 * wide, -2.6), (0.5 * (foot + wide) + 0.1, 0.38 * hem),
        (foot, hem - 0.4, 0.8), (0.66 * foot, hem + 0.5), (0.33 * foot, hem + 0.1), (0, hem + 0.7),
    ]  # fmt: skip
    drawn = Pen.of(character).surface(smooth_closed(mirrored(half)), palette.bottom, 1.8)
    fold = mix(rgb(palette.bottom), line_of(rgb(palette.bottom)), 0.45)
    for x in pleats:
        pleat = smooth_open(
            [(0.78 * wide * x, top + 2.5), (0.5 * (wide + foot) * x, 0.2 * hem), (foot * x, hem)]
        )
        drawn += flat(stroke(pleat, (0.15, 0.5, 0.7)), fold)
    return drawn
