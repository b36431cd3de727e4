"""The drawings of the body: limbs, clothes, tail. Each in the material coordinates of its own bone."""

from functools import lru_cache

import numpy as np

from .character import Character
from .drawing import Drawing, detail, flat, line_of, mix, rgb, shade_of, surface
from .hanging import TAIL_LENGTH, TAIL_SEGMENTS
from .shapes import ellipse, limb, mirrored, smooth_closed, smooth_open, stroke


@lru_cache(maxsize=64)
def body_drawings(character: Character) -> dict[str, Drawing]:
    """Drawing of every part below the head, by part name."""
    drawings = {"torso": _torso(character), "front": _front(character), "neck": _neck(character)}
    drawings |= {"skirt": _skirt(character)} if character.bottom == "skirt" else {"skirt": _shorts(character)}
    for side in ("right", "left"):
        drawings[f"{side}_upper_arm"], drawings[f"{side}_forearm"] = _arm(character)
        drawings[f"{side}_hand"] = _hand(character, -1.0 if side == "right" else 1.0)
        drawings[f"{side}_thigh"], drawings[f"{side}_shin"] = _leg(character)
        drawings[f"{side}_shoe"] = _shoe(character)
    if character.tail:
        drawings |= _tail(character)
    return drawings


def _arm(character: Character) -> tuple[Drawing, Drawing]:
    body, palette = character.body, character.palette
    r = body.arm_radius
    upper = surface(limb(body.upper_arm, (r * 1.05, r, r * 0.95)), palette.skin, 0.9, fade_above=1.0)
    lower = surface(limb(body.forearm, (r * 0.95, r * 0.92, r * 0.78)), palette.skin, 0.9)
    end = character.sleeve
    cuff = rgb(palette.trim)
    if end <= 1.0:
        sleeve = limb(body.upper_arm * end, (r * 1.3, r * 1.5, r * 1.7), caps=(True, False))
        band = limb(
            body.upper_arm * end, (r * 1.64, r * 1.7), start=body.upper_arm * end - 1.3, caps=(False, False)
        )
        upper += surface(sleeve, palette.top, 1.0, fade_above=1.0) + flat(band, cuff)
    else:
        upper += surface(limb(body.upper_arm, (r * 1.35, r * 1.3, r * 1.3)), palette.top, 1.0, fade_above=1.0)
        lower += surface(
            limb(body.forearm - 0.4, (r * 1.3, r * 1.3, r * 1.4), caps=(True, False)), palette.top, 1.0
        )
        band = limb(body.forearm - 0.2, (r * 1.42, r * 1.3), start=body.forearm - 1.8, caps=(False, False))
        lower += surface(band, palette.trim)
    return upper, lower


def _hand(character: Character, side: float) -> Drawing:
    size = character.body.hand
    palm = smooth_closed(
        [
            (-0.68, -0.7),
            (-0.86, 0.5),
            (-0.78, 1.35),
            (0.0, 1.8),
            (0.78, 1.35),
            (0.86, 0.4),
            (0.68, -0.7),
            (0, -1.0),
        ]
    )
    thumb = smooth_closed([(0.45, -0.3), (1.15, 0.2), (1.3, 0.9), (0.95, 1.1), (0.5, 0.7)]) * [-side, 1.0]
    return surface(thumb * size, character.palette.skin) + surface(palm * size, character.palette.skin, 0.7)


def _leg(character: Character) -> tuple[Drawing, Drawing]:
    body, palette = character.body, character.palette
    r = body.leg_radius
    thigh = surface(limb(body.thigh, (r * 1.1, r, r * 0.82)), palette.skin, 1.1)
    shin = surface(limb(body.shin, (r * 0.82, r * 0.84, r * 0.6)), palette.skin, 1.0)
    if character.sock_from < 1.0:
        start = body.shin * character.sock_from
        shin += surface(
            limb(body.shin, (r * 0.92, r * 0.8, r * 0.72), start=start, caps=(False, True)), palette.sock, 0.9
        )
    if character.bottom == "shorts":
        leg = limb(body.thigh * 0.62, (r * 1.2, r * 1.3, r * 1.42), caps=(True, False))
        hem = limb(
            body.thigh * 0.62, (r * 1.42, r * 1.42), start=body.thigh * 0.62 - 1.0, caps=(False, False)
        )
        thigh += surface(leg, palette.bottom, 1.2) + flat(hem, shade_of(rgb(palette.bottom)))
    return thigh, shin


def _shoe(character: Character) -> Drawing:
    palette = character.palette
    upper = smooth_closed(
        [
            (-1.7, -1.5),
            (1.3, -1.5),
            (1.9, -0.2),
            (4.0, 0.1),
            (5.2, 1.2),
            (4.9, 2.3, 0.5),
            (-2.0, 2.3, 0.5),
            (-2.5, 1.0),
        ]
    )
    sole = smooth_closed([(-2.3, 1.5), (5.2, 1.5), (4.9, 2.35, 0.5), (-2.1, 2.35, 0.5)])
    instep = smooth_open([(-0.2, -1.3), (0.9, 0.1), (2.6, 0.5)])
    drawn = surface(upper, palette.shoe, 0.9) + flat(sole, palette.sole)
    return drawn + flat(stroke(instep, (0.2, 0.5, 0.15)), line_of(rgb(palette.shoe)))


def _torso(character: Character) -> Drawing:
    palette = character.palette
    t = character.body.torso
    long = character.collar == "hood"
    hem = 1.6 if long else -3.0
    half: list[tuple[float, ...]] = [
        (0, -t - 0.3),
        (2.4, -t - 0.1),
        (4.9, -t + 1.0),
        (5.6, -t + 3.2),
        (4.9, -t + 7.0),
        (4.5, -6.5),
        (5.0, hem - 0.8),
    ]
    half += [(5.1, hem, 0.8), (0, hem + 0.5)]
    if long:
        half[4:7] = [(5.5, -t + 7.0), (5.6, -6.5), (5.9, hem - 1.2)]
        half[7] = (5.6, hem, 0.6)
    shape = smooth_closed(mirrored(half))
    drawn = surface(shape, palette.top, 1.6)
    if long:
        band = smooth_closed(
            [
                (-5.7, hem - 1.7),
                (0, hem - 1.2),
                (5.7, hem - 1.7),
                (5.5, hem, 0.6),
                (0, hem + 0.5),
                (-5.5, hem, 0.6),
            ]
        )
        return drawn + flat(band, palette.trim)
    return drawn


def _front(character: Character) -> Drawing:
    """What lies on the chest and slides across it as the body turns."""
    palette = character.palette
    t = character.body.torso
    if character.collar == "sailor":
        chest = smooth_closed([(-1.7, -t - 0.2), (1.7, -t - 0.2), (0.0, -t + 4.0, 1.0)])
        flap = [
            (1.4, -t - 1.0),
            (3.6, -t - 0.6),
            (5.0, -t + 1.8, 0.8),
            (3.4, -t + 3.6),
            (0.2, -t + 5.2, 1.0),
            (1.5, -t + 2.0),
        ]
        stripe = smooth_open([(4.3, -t + 1.6), (3.1, -t + 3.0), (0.4, -t + 4.5)])
        drawn = flat(chest, palette.skin)
        for side in (-1.0, 1.0):
            drawn += detail(smooth_closed(flap) * [side, 1.0], palette.trim, 0.5)
            drawn += flat(stroke(stripe * [side, 1.0], (0.35, 0.35)), palette.top)
        for side in (-1.0, 1.0):
            tail = smooth_closed(
                [(0.0, -t + 4.6), (1.5 * side, -t + 6.6), (2.3 * side, -t + 9.6, 0.9), (0.5 * side, -t + 8.8)]
            )
            wing = smooth_closed(
                [(0.0, -t + 4.7), (2.0 * side, -t + 3.8), (2.9 * side, -t + 5.2), (2.0 * side, -t + 6.0)]
            )
            drawn += detail(tail, palette.accent, 0.5) + detail(wing, palette.accent, 0.5)
        return drawn + detail(ellipse(0.0, -t + 4.9, 0.85, 0.85), palette.accent)
    pocket = smooth_closed(
        [(-2.6, -6.6, 0.5), (2.6, -6.6, 0.5), (4.0, -3.2), (3.8, -0.9, 0.6), (-3.8, -0.9, 0.6), (-4.0, -3.2)]
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
    drawn = detail(pocket, palette.top, 0.7) + detail(neckline, palette.trim)
    for side in (-1.0, 1.0):
        cord = smooth_open([(1.2 * side, -t + 1.4), (1.5 * side, -t + 3.4), (1.3 * side, -t + 5.6)])
        drawn += flat(stroke(cord, (0.5, 0.5)), palette.accent) + flat(
            ellipse(1.3 * side, -t + 5.8, 0.45, 0.6), palette.accent
        )
    return drawn


def _neck(character: Character) -> Drawing:
    neck = limb(5.6, (1.75, 1.7, 1.9), start=-2.5)
    shadow = ellipse(0.0, 3.8, 1.7, 1.5)
    drawn = surface(neck, character.palette.skin) + flat(shadow, shade_of(rgb(character.palette.skin)))
    if character.collar == "hood":
        hood = smooth_closed(
            [(-6.2, -0.5), (-5.4, 2.2), (0, 3.0), (5.4, 2.2), (6.2, -0.5), (3.6, -2.4), (-3.6, -2.4)]
        )
        return surface(hood, character.palette.top, 1.0) + drawn
    return drawn


def _skirt(character: Character) -> Drawing:
    palette = character.palette
    top, hem = -5.2, 6.0
    half = [
        (0, top),
        (4.3, top, 0.6),
        (5.0, -2.5),
        (7.0, 2.0),
        (8.3, hem - 0.4, 0.8),
        (5.6, hem + 0.5),
        (2.8, hem + 0.1),
        (0, hem + 0.7),
    ]
    drawn = surface(smooth_closed(mirrored(half)), palette.bottom, 1.8)
    fold = mix(rgb(palette.bottom), line_of(rgb(palette.bottom)), 0.5)
    for x in (-0.62, -0.22, 0.2, 0.6):
        pleat = smooth_open([(4.4 * x, top + 2.5), (6.2 * x, 0.5), (8.4 * x, hem)])
        drawn += flat(stroke(pleat, (0.15, 0.5, 0.7)), fold)
    stripe = smooth_open([(-7.6, hem - 2.0), (0.0, hem - 1.2), (7.6, hem - 2.0)])
    return drawn + flat(stroke(stripe, (0.55, 0.55)), palette.top)


def _shorts(character: Character) -> Drawing:
    half = [(0, -4.5), (4.8, -4.5, 0.6), (5.3, -1.0), (5.6, 3.0), (3.4, 4.6), (0, 3.6)]
    return surface(smooth_closed(mirrored(half)), character.palette.bottom, fade_below=1.5)


def _tail(character: Character) -> dict[str, Drawing]:
    drawings = {}
    radii = np.interp(np.linspace(0, 1, TAIL_SEGMENTS + 1), [0, 0.5, 0.8, 1], [1.15, 1.5, 1.75, 1.5])
    for i in range(TAIL_SEGMENTS):
        shape = limb(TAIL_LENGTH, (radii[i], radii[i + 1]))
        colour = character.palette.accent if i >= TAIL_SEGMENTS - 2 else character.palette.hair
        drawings[f"tail_{i}"] = surface(shape, colour, 0.8)
    return drawings
