"""Expression tracks of training clips: a class rises, holds and falls, with blinks and lip flap on top."""

import numpy as np

from ..errors import UserError
from ..expressions import CLASSES, EXPRESSIONS, expression_track, expression_vector
from ..rng import numpy_generator

AUTO = "auto:"
_BLINK_SEC = 0.2


def puppet_expression(spec: str, frames: int, fps: float, seed: int) -> np.ndarray:
    """Expression specification -> float32 [T, E] in the order of expressions.EXPRESSIONS.

    Args:
        spec: ``auto:CLASS`` for a generated track with blinks and lip flap, or anything
            :func:`temporal_gan.expressions.expression_track` takes, which is followed to the letter.
        frames: T, at least 1.
        fps: frames per second.
        seed: timing and strength of a generated track.
    Raises:
        UserError: the specification is wrong.
    """
    if not spec.startswith(AUTO):
        return expression_track(spec, frames, fps)
    name = spec.removeprefix(AUTO)
    if name not in CLASSES:
        raise UserError(f"puppet expression {spec!r}: {name!r} is not one of: {', '.join(CLASSES)}")
    return generated_track(name, frames, fps, seed)


def generated_track(name: str, frames: int, fps: float, seed: int) -> np.ndarray:
    """A class eased in, held and often eased out, with blinks and lip flap -> float32 [T, E]."""
    random = numpy_generator(seed, "puppet", "expression", name)
    time = np.arange(frames) / fps
    length = frames / fps
    peak = random.uniform(0.65, 1.0)
    onset, rise = random.uniform(-0.3, 0.3) * min(length, 2.0), random.uniform(0.2, 0.4)
    leaves = random.uniform() < 0.4
    offset = max(random.uniform(0.6, 0.9) * length, onset + rise + 0.2) if leaves else np.inf
    amount = peak * _ease((time - onset) / rise) * (1 - _ease((time - offset) / random.uniform(0.25, 0.45)))
    if name == "neutral":
        amount = np.zeros(frames)
    neutral, full = expression_vector({}), expression_vector({name: 1.0})
    track = neutral + amount[:, None] * (full - neutral)
    blink = _blinks(time, random)
    for control in ("eyeBlinkLeft", "eyeBlinkRight"):
        column = EXPRESSIONS.index(control)
        track[:, column] = np.maximum(track[:, column], blink)
    if random.uniform() < 0.35:
        column = EXPRESSIONS.index("jawOpen")
        track[:, column] = np.maximum(track[:, column], _lip_flap(time, random))
    return track.astype(np.float32)


def _ease(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x * x * (3 - 2 * x))


def _blinks(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    closed = np.zeros_like(time)
    at = random.uniform(0.1, 2.2)
    while at < time[-1] + _BLINK_SEC:
        # Lids close faster than they open.
        x = time - at
        closed = np.maximum(
            closed, np.where(x < 0, _ease(1 + x / (0.4 * _BLINK_SEC)), _ease(1 - x / (0.6 * _BLINK_SEC)))
        )
        at += random.uniform(1.6, 3.8)
    return closed


def _lip_flap(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    start, length = random.uniform(0.0, 0.4) * time[-1], random.uniform(0.5, 1.2)
    inside = _ease((time - start) / 0.12) * (1 - _ease((time - start - length) / 0.12))
    syllables = 0.5 - 0.5 * np.cos(2 * np.pi * random.uniform(3.5, 5.0) * (time - start))
    return np.asarray(inside * syllables * random.uniform(0.35, 0.65))
