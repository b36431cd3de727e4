"""Lighting set-ups: where the key light stands, and what it does to every colour."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ..errors import UserError
from .drawing import Colour, Drawing, Paint, shade_of
from .shapes import shade

RIM_DEPTH = 0.55
"""How thick the bright edge of a back light is, in material units."""

RIM_FROM = np.array([-1.0, 0.0])
"""From the side: from above it would light the rounded ends of limbs inside their joints."""


@dataclass(frozen=True)
class Light:
    """One set-up. A part carries its light with it as it turns, as in drawn animation.

    Attributes:
        towards: unit vector to the key light, x to the viewer's right, y down.
        tint: factor on red, green and blue of everything.
        shade_tint: a further factor on the shaded side.
        depth: factor on the thickness of the shade; 0 for none.
        rim: colour of a bright edge on the viewer's left, where a second light stands behind; or None.
    """

    towards: tuple[float, float]
    tint: Colour = (1.0, 1.0, 1.0)
    shade_tint: Colour = (1.0, 1.0, 1.0)
    depth: float = 1.0
    rim: Colour | None = None


LIGHTS = {
    "day": Light((-0.55, -0.83)),
    "right": Light((0.83, -0.55), tint=(1.0, 0.99, 0.96), depth=1.25),
    "dusk": Light((0.93, -0.37), tint=(1.0, 0.82, 0.74), shade_tint=(0.80, 0.72, 0.98), depth=1.5),
    "back": Light((0.25, -0.97), (0.83, 0.77, 0.84), (0.92, 0.92, 0.98), depth=1.2, rim=(255, 240, 206)),
    "night": Light((-0.7, -0.71), tint=(0.52, 0.62, 0.88), shade_tint=(0.78, 0.80, 0.95), depth=1.3),
    "flat": Light((0.0, -1.0), depth=0.0),
}
"""Key from the upper left, key from the right, low red sun, back light with a rim, moonlight, no shade at all."""

_LIT: WeakKeyDictionary[Drawing, dict[Light, Drawing]] = WeakKeyDictionary()


def find_light(name: str) -> Light:
    """The lighting set-up of this name. Raises UserError listing the valid names."""
    if name not in LIGHTS:
        raise UserError(f"puppet lighting {name!r} is not one of: {', '.join(LIGHTS)}, random")
    return LIGHTS[name]


def lit(drawing: Drawing, light: Light) -> Drawing:
    """The drawing in this light: colours tinted, the crescents of shade and of the rim drawn out."""
    # Weak keys: a character's drawings live as long as the process, a face's shapes only as long as their clip.
    known = _LIT.setdefault(drawing, {})
    if light not in known:
        ink = tuple(Paint(paint.polygon, _tinted(paint.colour, light.tint)) for paint in drawing.ink)
        known[light] = Drawing(
            ink, tuple(piece for paint in drawing.fill for piece in _lit_fill(paint, light))
        )
    return known[light]


def _lit_fill(paint: Paint, light: Light) -> list[Paint]:
    pieces = [Paint(paint.polygon, _tinted(paint.colour, light.tint))]
    depth = paint.shade_depth * light.depth
    if depth > 0:
        dark = _tinted(_tinted(shade_of(paint.colour), light.tint), light.shade_tint)
        pieces += [Paint(crescent, dark) for crescent in shade(paint.polygon, depth, np.array(light.towards))]
    if paint.shade_depth > 0 and light.rim is not None:
        bright = _tinted(light.rim, tuple(0.55 + 0.45 * c / 255 for c in paint.colour))
        pieces += [Paint(crescent, bright) for crescent in shade(paint.polygon, RIM_DEPTH, -RIM_FROM)]
    return pieces


def _tinted(colour: Colour, tint: tuple[float, ...]) -> Colour:
    red, green, blue = (min(c * f, 255.0) for c, f in zip(colour, tint, strict=True))
    return red, green, blue
