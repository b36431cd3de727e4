"""Damped springs that trail a moving point: hair, fringe, skirt, tail and ears.

Each is ``x'' = w^2 (p - x) - 2 z w x'``, solved exactly for a point p that moves in straight lines between its
samples. So any frame rate is stable, and cutting a clip into chunks changes nothing.
"""

from dataclasses import dataclass

import numpy as np

PREROLL_SEC = 1.5
"""How long before a clip springs start, at rest, so that they have settled into its motion when it begins."""


@dataclass(frozen=True)
class Spring:
    """What hangs from a point of the body.

    Attributes:
        joint: ``head`` or ``hip``, the point it trails.
        frequency_hz: of the undamped spring; the stiffer, the higher.
        damping: fraction of critical damping, in (0, 1).
    """

    joint: str
    frequency_hz: float
    damping: float


SPRINGS: dict[str, Spring] = {
    "hair": Spring("head", 2.2, 0.5),
    "fringe": Spring("head", 4.2, 0.5),
    "ears": Spring("head", 5.0, 0.4),
    "skirt": Spring("hip", 2.7, 0.4),
    "tail": Spring("hip", 1.5, 0.45),
}


def trail(points: np.ndarray, time: np.ndarray, springs: tuple[Spring, ...]) -> np.ndarray:
    """Where each spring's weight is, less the point it follows.

    Args:
        points: float [T, S, 2], a point for each spring, straight between samples.
        time: float [T], seconds, never falling. Equal times (a drawing held) leave the springs as they are.
        springs: S of them.
    Returns:
        float64 [T, S, 2], zero in the first sample, where they start at rest.
    """
    omega = 2 * np.pi * np.array([s.frequency_hz for s in springs])
    zeta = np.array([s.damping for s in springs])
    lag = (2 * zeta / omega)[:, None]
    step = np.diff(np.asarray(time, float))
    # A held drawing has no velocity of its own.
    rate = np.diff(points, axis=0) / np.where(step > 0, step, np.inf)[:, None, None]
    moves = _transition(omega, zeta, step)
    state = np.zeros((2, len(springs), 2))
    out = np.zeros(points.shape)
    for t in range(len(step)):
        if step[t] > 0:
            drive = np.stack([lag * rate[t], -rate[t]])
            state = np.einsum("ijs,jsd->isd", moves[t], state + drive) - drive
        out[t + 1] = state[0]
    return out


def _transition(omega: np.ndarray, zeta: np.ndarray, step: np.ndarray) -> np.ndarray:
    """[T-1, 2, 2, S]: how (distance, velocity) of free springs change over each step."""
    turn = omega * np.sqrt(1 - zeta**2)
    decay = np.exp(-zeta * omega * step[:, None])
    cos, sin = np.cos(turn * step[:, None]) * decay, np.sin(turn * step[:, None]) * decay
    mixed = zeta * omega / turn * sin
    rows = [[cos + mixed, sin / turn], [-(omega**2) / turn * sin, cos - mixed]]
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)
