"""What stands in a background: clouds, hills, trees, furniture, in picture units on the stage, without ink."""

import numpy as np

from .drawing import Colour, Drawing, flat, mix, rgb
from .shapes import ellipse, smooth_closed

CELL = 16.0
"""Width of the stage that small things share."""

_LEAVES = ("#6fa869", "#86b874", "#5f9a73", "#a3bf6a")
_SPINES = ("#c9615a", "#5f86b5", "#e3b75c", "#6fa38a", "#9a77ad")


def box(x: float, y: float, width: float, height: float, colour: str | Colour) -> Drawing:
    """A rectangle from its upper left corner."""
    return flat(np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]]), colour)


def cloud(x: float, y: float, scale: float, random: np.random.Generator) -> Drawing:
    """A heap of puffs with a flat, bluish base."""
    puffs = [(-7.0, 0.5, 4.2), (-2.5, -2.0, 5.6), (3.2, -1.2, 5.0), (7.5, 0.8, 3.6)]
    shapes = []
    for dx, dy, radius in puffs:
        r = radius * random.uniform(0.85, 1.15)
        shape = ellipse(dx, dy, r, 0.78 * r, 20)
        shape[:, 1] = np.minimum(shape[:, 1], 2.2)
        shapes.append(shape * scale + [x, y])
    drawn = Drawing()
    for shape in shapes:
        drawn += flat(shape + [0.0, 0.9 * scale], (214.0, 228.0, 243.0))
    for shape in shapes:
        drawn += flat(shape, (255.0, 255.0, 255.0))
    return drawn


def hill(x: float, width: float, height: float, foot: float, colour: Colour) -> Drawing:
    """A round back between two points of its foot."""
    s = np.linspace(0.0, np.pi, 18)
    back = np.stack([x - 0.5 * width * np.cos(s), foot - height * np.sin(s) ** 1.4], axis=-1)
    return flat(back, colour)


def tree(x: float, foot: float, scale: float, random: np.random.Generator) -> Drawing:
    """A trunk under a crown of three tones."""
    leaf = rgb(_LEAVES[int(random.integers(len(_LEAVES)))])
    top = foot - 34.0 * scale
    drawn = box(x - 1.5 * scale, foot - 18.0 * scale, 3.0 * scale, 19.0 * scale, "#8a6a55")
    puffs = [(-6.5, 12.0, 7.5), (6.5, 12.5, 7.2), (0.0, 6.0, 9.0), (-3.0, 15.0, 7.0), (4.0, 15.5, 6.5)]
    puffs = [(dx, dy, r * float(random.uniform(0.88, 1.12))) for dx, dy, r in puffs]
    for shift, tone in ((1.3, mix(leaf, (50.0, 90.0, 110.0), 0.3)), (0.0, leaf)):
        for dx, dy, r in puffs:
            drawn += flat(
                ellipse(x + (dx + shift) * scale, top + (dy + shift) * scale, r * scale, r * scale, 20), tone
            )
    light = mix(leaf, (255.0, 250.0, 190.0), 0.28)
    return drawn + flat(ellipse(x - 2.6 * scale, top + 4.6 * scale, 4.4 * scale, 3.2 * scale, 18), light)


def tuft(x: float, y: float, scale: float, grass: Colour) -> Drawing:
    """Three blades of grass."""
    left = [(-1.6, 0.0, 1.0), (-2.4, -2.6, 1.0), (-0.6, -0.8, 0.6)]
    right = [(0.1, -3.4, 1.0), (0.7, -0.8, 0.6), (2.3, -2.3, 1.0), (1.6, 0.0, 1.0)]
    return flat(smooth_closed(left + right, 3) * scale + [x, y], mix(grass, (50.0, 110.0, 70.0), 0.4))


def flowers(x: float, y: float, random: np.random.Generator) -> Drawing:
    """A blossom or two."""
    colour = ("#fff6f2", "#f7c6d4", "#fbe38f", "#d9c4ee")[int(random.integers(4))]
    drawn = Drawing()
    for _ in range(int(random.integers(1, 3))):
        px, py = x + random.uniform(-2, 2), y + random.uniform(-1, 1)
        drawn += flat(ellipse(px, py, 0.95, 0.8, 10), colour) + flat(ellipse(px, py, 0.35, 0.3, 8), "#e8b04a")
    return drawn


def bench(x: float, foot: float) -> Drawing:
    """A park bench from the front."""
    drawn = Drawing()
    for leg in (2.0, 18.0):
        drawn += box(x + leg, foot - 6.0, 1.4, 6.6, "#5d6470")
    for y in (-11.0, -8.6, -5.6):
        drawn += box(x, foot + y, 21.4, 1.7, "#b98258") + box(x, foot + y + 1.2, 21.4, 0.5, "#99663f")
    return drawn


def lamp(x: float, foot: float) -> Drawing:
    """A park lantern."""
    drawn = box(x - 0.6, foot - 36.0, 1.2, 36.6, "#56606e") + box(x - 1.6, foot - 2.0, 3.2, 2.6, "#56606e")
    drawn += flat(
        np.array([[x - 2.0, foot - 36], [x + 2.0, foot - 36], [x + 2.8, foot - 42], [x - 2.8, foot - 42]]),
        "#fff1c4",
    )
    return drawn + flat(np.array([[x - 3.4, foot - 42], [x + 3.4, foot - 42], [x, foot - 45]]), "#56606e")


def window(x: float, y: float, random: np.random.Generator) -> Drawing:
    """A window with sky, curtains at its sides."""
    drawn = box(x - 1.2, y - 1.2, 32.4, 34.4, "#fffaf2") + box(x, y, 30.0, 32.0, "#a9d6f2")
    drawn += box(x, y + 20.0, 30.0, 12.0, "#cfe9f5")
    puff = ellipse(x + random.uniform(9, 21), y + random.uniform(8, 14), 6.0, 2.4, 18)
    drawn += flat(puff, (255.0, 255.0, 255.0))
    drawn += box(x + 14.2, y, 1.6, 32.0, "#fffaf2") + box(x, y + 15.2, 30.0, 1.6, "#fffaf2")
    drawn += box(x - 2.4, y + 32.6, 34.8, 2.0, "#e3d6c2")
    curtain = rgb(("#f2b8a8", "#b9d1c0", "#c9c0e0")[int(random.integers(3))])
    for side in (0.0, 1.0):
        cloth = np.array([[0.0, -3.0], [6.5, -3.0], [5.0, 14.0], [6.0, 36.0], [0.0, 36.0]])
        fold = np.array([[2.4, -3.0], [3.2, -3.0], [2.8, 36.0], [1.6, 36.0]])
        place = np.array([x - 3.0 + 36.0 * side, y])
        inward = np.array([1.0 - 2.0 * side, 1.0])
        drawn += flat(place + inward * cloth, curtain)
        drawn += flat(place + inward * fold, mix(curtain, (120.0, 90.0, 110.0), 0.25))
    return drawn


def poster(x: float, y: float, random: np.random.Generator) -> Drawing:
    """A green board with a wooden rim and chalk marks, as in a classroom."""
    drawn = box(x - 1.2, y + 2.8, 36.4, 24.4, "#b98c62") + box(x, y + 4.0, 34.0, 22.0, "#4f7d6a")
    for row in range(3):
        drawn += box(x + 3.0, y + 8.0 + 5.0 * row, float(random.uniform(10, 26)), 0.7, "#d3e4d8")
    return drawn + box(x - 1.2, y + 27.2, 36.4, 1.4, "#9d7450")


def shelf(x: float, y: float, random: np.random.Generator) -> Drawing:
    """Two boards of books."""
    drawn = Drawing()
    for board in (y + 14.0, y + 30.0):
        at = x + 1.0
        while at < x + 26.0:
            width, height = float(random.uniform(1.8, 3.4)), float(random.uniform(7.0, 11.0))
            colour = mix(rgb(_SPINES[int(random.integers(len(_SPINES)))]), (230.0, 220.0, 210.0), 0.35)
            drawn += box(at, board - height, width, height, colour)
            at += width + 0.2
        drawn += box(x, board, 30.0, 1.4, "#a87d58") + box(x, board + 1.4, 30.0, 0.6, "#8a6344")
    return drawn
