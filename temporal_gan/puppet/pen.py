"""A character's own line: how thick its ink is and how deep its shade."""

from dataclasses import dataclass

import numpy as np

from .character import Character
from .drawing import INK_WIDTH, Drawing, detail, surface


@dataclass(frozen=True)
class Pen:
    """Draws surfaces in one character's line.

    Attributes:
        line: factor on the thickness of the ink.
        shading: factor on the depth of the shade.
    """

    line: float
    shading: float

    @staticmethod
    def of(character: Character) -> "Pen":
        """The pen this character is drawn with."""
        return Pen(character.line, character.shading)

    def surface(
        self,
        polygon: np.ndarray,
        colour: str,
        shade: float = 0.0,
        fade_above: float | None = None,
        fade_below: float | None = None,
    ) -> Drawing:
        """An inked polygon [N, 2], its line under everything of its group; arguments of drawing.surface."""
        width = INK_WIDTH * self.line
        return surface(polygon, colour, shade * self.shading, fade_above, fade_below, width)

    def detail(self, polygon: np.ndarray, colour: str, shade: float = 0.0) -> Drawing:
        """An inked polygon [N, 2] that lies on its own part, line included."""
        return detail(polygon, colour, shade * self.shading, 0.8 * INK_WIDTH * self.line)
