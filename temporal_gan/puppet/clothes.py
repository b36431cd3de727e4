"""The drawings of the body: limbs, clothes, tail. Each in the material coordinates of its own bone."""

from functools import lru_cache

from .animal import tail_drawings
from .bottoms import BOTTOMS
from .character import Character
from .drawing import Drawing, flat, rgb
from .pen import Pen
from .shapes import limb
from .tops import TOPS


@lru_cache(maxsize=256)
def body_drawings(character: Character) -> dict[str, Drawing]:
    """Drawing of every part below the head that keeps its shape, by part name."""
    drawings = dict(TOPS[character.outfit.top](character))
    bottom = BOTTOMS[character.outfit.bottom](character)
    drawings |= {name: bottom[name] for name in ("hips", "skirt") if name in bottom}
    upper, lower = _arm(character)
    thigh, shin = _leg(character)
    for side in ("right", "left"):
        drawings[f"{side}_upper_arm"], drawings[f"{side}_forearm"] = upper, lower
        drawings[f"{side}_thigh"] = thigh + bottom.get("thigh", Drawing())
        drawings[f"{side}_shin"] = shin + bottom.get("shin", Drawing())
    return drawings | tail_drawings(character)


def _arm(character: Character) -> tuple[Drawing, Drawing]:
    body, palette, pen = character.body, character.palette, Pen.of(character)
    r, end = body.arm_radius, character.outfit.sleeve
    upper = pen.surface(limb(body.upper_arm, (r * 1.05, r, r * 0.95)), palette.skin, 0.9, fade_above=1.0)
    lower = pen.surface(limb(body.forearm, (r * 0.95, r * 0.92, r * 0.78)), palette.skin, 0.9)
    if end <= 1.0:
        cuff_at = body.upper_arm * end
        sleeve = limb(cuff_at, (r * 1.3, r * 1.5, r * 1.7), caps=(True, False))
        band = limb(cuff_at, (r * 1.64, r * 1.7), start=cuff_at - 1.2, caps=(False, False))
        return upper + pen.surface(sleeve, palette.top, 1.0, fade_above=1.5) + flat(band, palette.trim), lower
    upper += pen.surface(limb(body.upper_arm, (r * 1.35, r * 1.3, r * 1.3)), palette.top, 1.0, fade_above=1.5)
    wide = 2.6 if character.outfit.top == "kimono" else 1.4
    cuff_at = body.forearm - 0.3
    sleeve = limb(cuff_at, (r * 1.3, r * (0.5 + 0.5 * wide) * 1.15, r * wide), caps=(True, False))
    band = limb(cuff_at + 0.1, (r * wide * 1.02, r * wide * 0.97), start=cuff_at - 1.3, caps=(False, False))
    return upper, lower + pen.surface(sleeve, palette.top, 1.0) + pen.surface(band, palette.trim)


def _leg(character: Character) -> tuple[Drawing, Drawing]:
    body, palette, pen = character.body, character.palette, Pen.of(character)
    r = body.leg_radius
    thigh = pen.surface(limb(body.thigh, (r * 1.1, r, r * 0.82)), palette.skin, 1.1)
    shin = pen.surface(limb(body.shin, (r * 0.82, r * 0.84, r * 0.6)), palette.skin, 1.0)
    if character.outfit.sock_from < 1.0:
        start = body.shin * character.outfit.sock_from
        sock = limb(body.shin, (r * 0.92, r * 0.82, r * 0.72), start=start, caps=(False, True))
        shin += pen.surface(sock, palette.sock, 0.9)
        if rgb(palette.sock)[1] > 150:
            band = limb(start + 0.9, (r * 0.93, r * 0.92), start=start, caps=(False, False))
            shin += flat(band, palette.trim)
    return thigh, shin
