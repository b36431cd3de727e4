"""The camera over a clip: it pans, zooms and shakes, and what is far away follows it less."""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from ..rng import numpy_generator
from .affine import compose, place
from .rig import PICTURE

CAMERAS = ("still", "pan", "zoom", "shake", "pan+zoom", "pan+shake")
"""What ``random`` chooses among; any moves joined by + are a camera."""

_MOVES = ("still", "pan", "zoom", "shake")
_SHAKES_PER_SEC = 7.0


@dataclass(frozen=True)
class Camera:
    """A camera's path, float64 [T] each.

    Attributes:
        x, y: where the middle of the frame looks, picture units from the middle of the stage.
        zoom: magnification, 1 as the stage is.
        roll: radians, clockwise turn of the picture.
    """

    x: np.ndarray
    y: np.ndarray
    zoom: np.ndarray
    roll: np.ndarray

    def maps(self, nearness: float = 1.0, travel: np.ndarray | None = None) -> np.ndarray:
        """Stage to frame, [T, 2, 3] in picture units.

        Args:
            nearness: how much of the camera's path a layer shows: 1 for what stands where the figure stands, towards
                0 for what is far behind it.
            travel: [T], how far the figure has walked over the stage, in picture units.
        """
        frames, middle = len(self.x), PICTURE / 2
        along = self.x if travel is None else self.x + travel
        to_view = place(frames, -middle - nearness * along, -middle - nearness * self.y)
        zoom = self.zoom**nearness
        return compose(place(frames, middle, middle, self.roll, zoom, zoom), to_view)

    def is_still(self) -> bool:
        """Whether the frame shows the stage as it is, all the time."""
        return not (self.x.any() or self.y.any() or self.roll.any() or (self.zoom != 1).any())


def camera_track(name: str, frames: int, fps: float, seed: int) -> Camera:
    """A camera's path over a clip.

    Args:
        name: still, pan, zoom, shake, or several joined by +.
        frames: T.
        fps: frames per second.
        seed: direction, size and timing of the moves.
    Raises:
        UserError: no such camera.
    """
    moves = name.split("+")
    if not set(moves) <= set(_MOVES):
        raise UserError(
            f"puppet camera {name!r} is not one of: {', '.join(_MOVES)}, random, or several joined by +"
        )
    x, y, roll, zoom = np.zeros(frames), np.zeros(frames), np.zeros(frames), np.ones(frames)
    time = np.arange(frames) / fps
    through = time / max(time[-1], 1e-9)
    if "pan" in moves:
        random = numpy_generator(seed, "puppet", "camera", "pan")
        reach = random.choice([-1.0, 1.0]) * min(random.uniform(5.0, 9.0), 9.0 * time[-1])
        x += reach * (_ease(through) - 0.5)
        y += random.uniform(-1.5, 1.5) * (_ease(through) - 0.5)
    if "zoom" in moves:
        random = numpy_generator(seed, "puppet", "camera", "zoom")
        start, end = random.permutation([random.uniform(0.86, 0.98), random.uniform(1.08, 1.3)])
        zoom *= start * (end / start) ** _ease(through)
        # Towards the face, so that its hair and not its knees stay in the picture.
        y -= 6.0 * np.log(zoom)
    if "shake" in moves:
        random = numpy_generator(seed, "puppet", "camera", "shake")
        phases, size = random.uniform(0, 2 * np.pi, (3, 3)), random.uniform(0.35, 0.7)
        waves = [
            sum(
                np.sin(2 * np.pi * _SHAKES_PER_SEC * f * time + p) / 2
                for f, p in zip((0.31, 0.57, 1.0), row, strict=True)
            )
            for row in phases
        ]
        x, y, roll = x + size * waves[0], y + size * waves[1], roll + 0.006 * size * waves[2]
    return Camera(x, y, zoom, roll)


def _ease(x: np.ndarray) -> np.ndarray:
    return np.asarray(x * x * (3 - 2 * x))
