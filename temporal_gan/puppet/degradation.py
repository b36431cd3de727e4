"""What a clip suffers on its way to a viewer, for training that must endure it. The ground truth stays."""

from collections.abc import Callable

import cv2
import numpy as np

from ..errors import UserError
from ..rng import numpy_generator

_Harm = Callable[[np.ndarray], np.ndarray]
"""From one frame, uint8 [S, S, 4], to what is left of it."""


def find_degradation(name: str) -> Callable[[int, np.random.Generator], _Harm]:
    """What makes, for pictures of a size, the function that harms one frame after the other.

    Raises:
        UserError: no such degradation; the message lists those there are.
    """
    if name == "none":
        return lambda size, random: lambda frame: frame
    if name not in DEGRADATIONS:
        raise UserError(f"puppet degradation {name!r} is not one of: none, {', '.join(DEGRADATIONS)}, random")
    return DEGRADATIONS[name]


def degraded(video: np.ndarray, name: str, seed: int) -> np.ndarray:
    """A clip after one degradation; alpha stays at least as large as every colour.

    Args:
        video: uint8 [T, S, S, 4], RGBA premultiplied.
        name: one of DEGRADATIONS, or ``none``.
        seed: how strong, and where.
    Raises:
        UserError: no such degradation.
    """
    if name == "none":
        return video
    random = numpy_generator(seed, "puppet", "degradation", name)
    harm = find_degradation(name)(video.shape[1], random)
    worse = np.stack([harm(frame) for frame in video])
    np.minimum(worse[..., :3], worse[..., 3:], out=worse[..., :3])
    return worse


def _compression(size: int, random: np.random.Generator) -> _Harm:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(18, 45))]

    def harm(frame: np.ndarray) -> np.ndarray:
        _, data = cv2.imencode(".jpg", frame[..., :3], quality)
        return np.concatenate([cv2.imdecode(data, cv2.IMREAD_COLOR), frame[..., 3:]], axis=-1)

    return harm


def _blur(size: int, random: np.random.Generator) -> _Harm:
    sigma = float(random.uniform(0.003, 0.007)) * size
    return lambda frame: cv2.GaussianBlur(frame, (0, 0), sigma)


def _noise(size: int, random: np.random.Generator) -> _Harm:
    sigma = float(random.uniform(4.0, 12.0))

    def harm(frame: np.ndarray) -> np.ndarray:
        grain = sigma * random.standard_normal((*frame.shape[:2], 3), np.float32)
        colour = frame[..., :3] + grain * (frame[..., 3:] / np.float32(255))
        return np.concatenate([np.clip(np.rint(colour), 0, 255).astype(np.uint8), frame[..., 3:]], axis=-1)

    return harm


def _line_breaks(size: int, random: np.random.Generator) -> _Harm:
    reach, count = max(round(0.008 * size), 1), int(random.integers(25, 60))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))

    def harm(frame: np.ndarray) -> np.ndarray:
        # A dark line vanishes where every pixel takes the lightest colour around it.
        bare = cv2.dilate(frame, brush)
        gap = np.zeros(frame.shape[:2], np.uint8)
        for x, y, radius in random.uniform((0, 0, 0.012), (1, 1, 0.035), (count, 3)) * size:
            cv2.circle(gap, (int(x), int(y)), max(round(float(radius)), 1), 1, -1)
        dark = ((frame[..., :3].max(axis=-1) < 120) & (frame[..., 3] == 255)).view(np.uint8)
        line = dark > cv2.morphologyEx(dark, cv2.MORPH_OPEN, brush)
        return np.where(((gap > 0) & line)[..., None], bare, frame)

    return harm


DEGRADATIONS: dict[str, Callable[[int, np.random.Generator], _Harm]] = {
    "compression": _compression,
    "blur": _blur,
    "noise": _noise,
    "line_breaks": _line_breaks,
}
"""Name -> as :func:`find_degradation` returns it."""
