"""Backgrounds in layers at their own distances: each is a part with its own map, so its flow is exact too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from ..rng import numpy_generator
from .affine import apply, invert
from .camera import Camera
from .drawing import Colour, Drawing, Part, flat, mix, rgb
from .rig import PICTURE
from .scenery import CELL, bench, cloud, flowers, hill, lamp, poster, shelf, tree, tuft, window

PREFIX = "background_"
"""Begins the name of every background part; all other parts belong to the figure."""

HORIZON = 74.0
"""Where the floor begins, in picture units; the soles of a standing figure are at 87."""

_SOFT = ("#cfe3f2", "#f6d9cf", "#dcecd0", "#ece0f3", "#f7ecc8", "#d8dde6", "#f3d3df", "#c9e6e1")
_SKIES = (("#6fb4e8", "#dff1fb"), ("#8fb7e6", "#fbe9dd"), ("#5aa6d6", "#c9ecf4"), ("#a9c3ea", "#fdf3e2"))
_GRASS = ("#9ccb7a", "#8dbf83", "#b3cc74")


@dataclass(frozen=True)
class Layer:
    """One distance of a background.

    Attributes:
        nearness: as in :meth:`.camera.Camera.maps`.
        paint: draws it between two x of the stage, with random numbers and the clip's seed.
    """

    nearness: float
    paint: Callable[[float, float, np.random.Generator, int], Drawing]


def find_background(name: str) -> tuple[Layer, ...]:
    """The layers of this name. Raises UserError listing the valid names."""
    if name not in BACKGROUNDS:
        raise UserError(f"puppet background {name!r} is not one of: {', '.join(BACKGROUNDS)}, random")
    return BACKGROUNDS[name]


def background_parts(name: str, camera: Camera, travel: np.ndarray, seed: int) -> tuple[Part, ...]:
    """The background's layers, far to near; none for ``transparent``.

    Args:
        name: one of BACKGROUNDS.
        camera: moves every layer by its distance.
        travel: [T], how far the figure has walked, in picture units.
        seed: colours and what stands where.
    Raises:
        UserError: no such background.
    """
    corners = np.array([[0.0, 0.0], [PICTURE, 0.0], [0.0, PICTURE], [PICTURE, PICTURE]])
    parts = []
    for i, layer in enumerate(find_background(name)):
        maps = camera.maps(layer.nearness, travel)
        seen = apply(invert(maps), corners)[:, :, 0]
        # The same colours at every length of clip: no number is drawn for what lies out of sight.
        random = numpy_generator(seed, "puppet", "background", name)
        drawing = layer.paint(float(seen.min()) - 2.0, float(seen.max()) + 2.0, random, seed)
        parts.append(Part(f"{PREFIX}{i}", f"{PREFIX}{i}", drawing, maps, occludes=False))
    return tuple(parts)


def _cells(
    left: float, right: float, width: float, seed: int, what: str
) -> Iterator[tuple[float, np.random.Generator]]:
    """(left edge, its own random numbers) of every cell of the stage between two x."""
    for k in range(int(np.floor(left / width)) - 1, int(np.floor(right / width)) + 2):
        yield k * width, numpy_generator(seed, "puppet", "background", what, k)


def _box(left: float, right: float, top: float, bottom: float, colour: Colour | str) -> Drawing:
    return flat(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]), colour)


def _bands(
    left: float, right: float, top: float, bottom: float, colours: tuple[str, str], count: int
) -> Drawing:
    """A vertical gradient in bands, each drawn over the one above; it goes on beyond its ends."""
    drawn = Drawing()
    for i, y in enumerate(np.linspace(top, bottom, count, endpoint=False)):
        colour = mix(rgb(colours[0]), rgb(colours[1]), i / (count - 1))
        drawn += _box(left, right, y if i else top - 60.0, PICTURE + 60.0, colour)
    return drawn


def _plain(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    return _box(left, right, -60.0, PICTURE + 60.0, str(random.choice(_SOFT)))


def _gradient(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    top, bottom = random.choice(_SOFT, 2, replace=False)
    darker = mix(rgb(str(top)), (90.0, 110.0, 190.0), float(random.uniform(0.1, 0.35)))
    return _bands(
        left, right, 0.0, PICTURE, ("#" + "".join(f"{round(c):02x}" for c in darker), str(bottom)), 40
    )


def _two_tones(random: np.random.Generator) -> tuple[Colour, Colour]:
    base = rgb(str(random.choice(_SOFT)))
    return base, mix(base, (255.0, 255.0, 255.0) if random.uniform() < 0.5 else (120.0, 120.0, 160.0), 0.28)


def _dots(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    base, other = _two_tones(random)
    step, radius = float(random.uniform(13.0, 18.0)), float(random.uniform(2.6, 4.2))
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    circle = radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    drawn = _box(left, right, -60.0, PICTURE + 60.0, base)
    for row in range(int(-20 // step), int((PICTURE + 20) // step) + 1):
        for x in np.arange(np.floor(left / step) - 0.5 * (row % 2), right / step + 1) * step:
            drawn += flat(circle + [x, row * step], other)
    return drawn


def _stripes(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    base, other = _two_tones(random)
    step, lean = float(random.uniform(11.0, 18.0)), float(random.choice([0.0, 0.0, 0.6, -0.6]))
    drawn = _box(left, right, -60.0, PICTURE + 60.0, base)
    slant, height = lean * (PICTURE + 40.0), PICTURE + 40.0
    for x in np.arange(np.floor((left - abs(slant)) / step), (right + abs(slant)) / step + 1) * step:
        corners = [
            [x, -20.0],
            [x + step / 2, -20.0],
            [x + step / 2 + slant, height - 20.0],
            [x + slant, height - 20.0],
        ]
        drawn += flat(np.array(corners), other)
    return drawn


def _checks(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    base, other = _two_tones(random)
    step = float(random.uniform(9.0, 14.0))
    drawn = _box(left, right, -60.0, PICTURE + 60.0, base)
    for row in range(int(-20 // step), int((PICTURE + 20) // step) + 1):
        first = int(np.floor(left / step))
        for column in range(first + (first + row) % 2, int(right // step) + 1, 2):
            drawn += _box(column * step, (column + 1) * step, row * step, (row + 1) * step, other)
    return drawn


def _sky(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    top, bottom = _SKIES[int(random.integers(len(_SKIES)))]
    drawn = _bands(left, right, 0.0, HORIZON, (top, bottom), 20)
    for x, own in _cells(left, right, 46.0, seed, "clouds"):
        drawn += cloud(x + own.uniform(8, 38), own.uniform(6, 34), own.uniform(0.7, 1.3), own)
    return drawn


def _hills(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    near = rgb(_GRASS[int(random.integers(len(_GRASS)))])
    far, drawn = mix(near, (150.0, 185.0, 225.0), 0.6), Drawing()
    for colour, what, height in ((far, "far hills", 24.0), (mix(near, far, 0.5), "near hills", 14.0)):
        for x, own in _cells(left, right, 40.0, seed, what):
            drawn += hill(
                x + own.uniform(0, 20),
                own.uniform(34, 52),
                own.uniform(0.6, 1.0) * height,
                HORIZON + 3,
                colour,
            )
    return drawn + _box(left, right, HORIZON, PICTURE + 60, mix(near, far, 0.5))


def _meadow(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    grass = rgb(_GRASS[int(random.integers(len(_GRASS)))])
    drawn = _box(left, right, HORIZON + 1, PICTURE + 60, grass)
    drawn += _box(left, right, HORIZON + 8, PICTURE + 60, mix(grass, (70.0, 130.0, 80.0), 0.18))
    for x, own in _cells(left, right, CELL, seed, "meadow"):
        for _ in range(2):
            drawn += tuft(
                x + own.uniform(0, CELL), own.uniform(HORIZON + 4, PICTURE), own.uniform(0.8, 1.3), grass
            )
        drawn += flowers(x + own.uniform(0, CELL), own.uniform(HORIZON + 5, PICTURE - 1), own)
    return drawn


def _trees(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    drawn = Drawing()
    for x, own in _cells(left, right, 30.0, seed, "trees"):
        drawn += tree(x + own.uniform(6, 24), HORIZON + 2, own.uniform(0.8, 1.2), own)
    return drawn + _box(left, right, HORIZON - 3, PICTURE + 60, "#7fae6e")


def _path(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    drawn = _box(left, right, HORIZON + 1, PICTURE + 60, "#a9cf86") + _box(left, right, 80.0, 91.5, "#e9dcc3")
    drawn += _box(left, right, 80.0, 80.8, "#d2c1a1")
    for x, own in _cells(left, right, 62.0, seed, "path"):
        drawn += (
            bench(x + own.uniform(4, 20), 79.0) if own.uniform() < 0.6 else lamp(x + own.uniform(4, 20), 79.0)
        )
        for _ in range(3):
            drawn += tuft(
                x + own.uniform(0, 62), own.uniform(76.5, 78.5), own.uniform(0.7, 1.0), rgb("#a9cf86")
            )
    return drawn


def _wall(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    wall = rgb(("#f3e8d6", "#e4ecdf", "#e9e3ef", "#f4ddd0")[int(random.integers(4))])
    drawn = _box(left, right, -60, PICTURE + 60, wall)
    drawn += _box(left, right, 56.0, PICTURE + 60, mix(wall, (150.0, 120.0, 110.0), 0.16))
    drawn += _box(left, right, 55.0, 56.4, mix(wall, (255.0, 255.0, 255.0), 0.6))
    for x, own in _cells(left, right, 48.0, seed, "wall"):
        at, what = x + own.uniform(6, 14), int(own.integers(3))
        drawn += (window, poster, shelf)[what](at, float(own.uniform(10, 18)), own)
    return drawn


def _floor(left: float, right: float, random: np.random.Generator, seed: int) -> Drawing:
    wood = rgb(("#cda57c", "#d7b48a", "#b98f6c")[int(random.integers(3))])
    seam = mix(wood, (90.0, 50.0, 40.0), 0.22)
    drawn = _box(left, right, HORIZON - 1.6, HORIZON + 0.4, mix(wood, (255.0, 255.0, 255.0), 0.45))
    drawn += _box(left, right, HORIZON, PICTURE + 60, wood)
    rows = (HORIZON, 78.0, 83.2, 90.0, 99.0)
    for row, (top, bottom) in enumerate(zip(rows, rows[1:], strict=False)):
        drawn += _box(left, right, top, top + 0.5, seam)
        for x, _ in _cells(left, right, 31.0, seed, "boards"):
            at = x + 11.0 * (row % 3)
            drawn += _box(at, at + 0.5, top, bottom, seam)
    return drawn


BACKGROUNDS: dict[str, tuple[Layer, ...]] = {
    "transparent": (),
    "plain": (Layer(0.0, _plain),),
    "gradient": (Layer(0.0, _gradient),),
    "dots": (Layer(0.6, _dots),),
    "stripes": (Layer(0.6, _stripes),),
    "checks": (Layer(0.6, _checks),),
    "hills": (Layer(0.05, _sky), Layer(0.3, _hills), Layer(1.0, _meadow)),
    "park": (Layer(0.05, _sky), Layer(0.55, _trees), Layer(1.0, _path)),
    "room": (Layer(0.85, _wall), Layer(1.0, _floor)),
}
"""Name -> layers, far to near."""
