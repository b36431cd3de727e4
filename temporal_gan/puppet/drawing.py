"""What a part is made of: ink silhouettes and coloured polygons in its own material coordinates."""

from dataclasses import dataclass

import numpy as np

from .shapes import outline

INK_WIDTH = 0.72
"""Full width of a line, in picture units: about one pixel at 128."""

Colour = tuple[float, float, float]
"""Red, green, blue in [0, 255]."""


def rgb(text: str) -> Colour:
    """#rrggbb -> (red, green, blue)."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def mix(a: Colour, b: Colour, amount: float) -> Colour:
    """``a`` at amount 0, ``b`` at 1."""
    return tuple(x + (y - x) * amount for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def shade_of(colour: Colour) -> Colour:
    """The darker of the two tones: a cool violet multiplied in."""
    return colour[0] * 0.83, colour[1] * 0.74, colour[2] * 0.8


def line_of(colour: Colour) -> Colour:
    """The line around a surface: its own colour, nearly black."""
    return 18 + colour[0] * 0.24, 10 + colour[1] * 0.15, 16 + colour[2] * 0.2


@dataclass(frozen=True, eq=False)
class Paint:
    """One polygon of one colour.

    Attributes:
        polygon: float [N, 2], or [T, N, 2] where its shape changes over time.
        colour: of every frame, in white light.
        shade_depth: how thick a crescent of shade the light leaves on [N, 2], in material units; 0 for none.
    """

    polygon: np.ndarray
    colour: Colour
    shade_depth: float = 0.0


@dataclass(frozen=True, eq=False)
class Drawing:
    """Ink goes under the fills of the whole group, so its limbs flow into each other at their joints.

    Where shade falls and what colour everything has is decided by the light: see :mod:`.lighting`.
    """

    ink: tuple[Paint, ...] = ()
    fill: tuple[Paint, ...] = ()

    def __add__(self, other: "Drawing") -> "Drawing":
        return Drawing(self.ink + other.ink, self.fill + other.fill)


def surface(
    polygon: np.ndarray,
    colour: str,
    shade_depth: float = 0.0,
    fade_above: float | None = None,
    fade_below: float | None = None,
    line_width: float = INK_WIDTH,
) -> Drawing:
    """An inked polygon [N, 2] on which the light leaves a crescent of shade up to ``shade_depth`` thick."""
    base = rgb(colour)
    ink = (Paint(outline(polygon, line_width, fade_above, fade_below), line_of(base)),)
    return Drawing(ink, (Paint(polygon, base, shade_depth),))


def detail(
    polygon: np.ndarray, colour: str, shade_depth: float = 0.0, line_width: float = INK_WIDTH * 0.8
) -> Drawing:
    """An inked polygon that lies on top of its own part, ink included."""
    drawn = surface(polygon, colour, shade_depth, line_width=line_width)
    return Drawing((), drawn.ink + drawn.fill)


def flat(polygon: np.ndarray, colour: str | Colour) -> Drawing:
    """A polygon without a line."""
    return Drawing((), (Paint(polygon, rgb(colour) if isinstance(colour, str) else colour),))


@dataclass(frozen=True)
class Part:
    """A drawn piece with its own motion; the unit of the part map and of the optical flow.

    Attributes:
        name: unique within a character.
        group: what is inked together; groups are drawn back to front.
        drawing: polygons in material coordinates.
        to_picture: float64 [T, 2, 3], material coordinates -> picture units.
        occludes: whether it hides the joints of groups behind it (face paint does not).
    """

    name: str
    group: str
    drawing: Drawing
    to_picture: np.ndarray
    occludes: bool = True

    def changing(self) -> np.ndarray:
        """bool [T-1]: the shape changes into the next frame, so its affine map does not tell its motion."""
        changed = np.zeros(len(self.to_picture) - 1, bool)
        for paint in (*self.drawing.ink, *self.drawing.fill):
            if paint.polygon.ndim == 3:
                # 0.08 units is a tenth of a pixel at 128: below that, the map still tells the truth.
                changed |= np.abs(np.diff(paint.polygon, axis=0)).max(axis=(1, 2)) > 0.08
        return changed
