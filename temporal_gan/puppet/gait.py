"""Feet that walk: each stands still on the moving ground, then swings to where the body will next be over it."""

import numpy as np
from scipy.interpolate import PchipInterpolator

from .channels import Gait


def feet(
    gait: Gait, cycles: np.ndarray, ground: np.ndarray, lag: float, lift: np.ndarray
) -> dict[str, np.ndarray]:
    """Channels of one foot.

    Args:
        gait: its data.
        cycles: float [T], growing: the clock of the motion.
        ground: float [T], picture units walked by then, growing.
        lag: cycles this foot runs behind.
        lift: [T], a factor on the height of the foot.
    Returns:
        ``foot_forward``, ``foot_lift`` and ``foot_pitch``, [T].
    """
    own = cycles - lag
    step = np.floor(own)
    part = own - step
    # A foot stands where the body is over it in the middle of its stance, whatever the pace was till then.
    place, following = (
        _ground_at(step + number + lag + 0.5 * gait.stance, cycles, ground, gait) for number in (0, 1)
    )
    swing = np.clip((part - gait.stance) / (1 - gait.stance), 0.0, 1.0)
    moved = swing**3 * (10 - 15 * swing + 6 * swing**2)
    phases, values = np.array(gait.pitch).T
    pitch = PchipInterpolator(np.concatenate([phases - 1, phases, phases + 1]), np.tile(values, 3))(part)
    return {
        "foot_forward": place + moved * (following - place) - ground,
        "foot_lift": gait.lift * lift * np.sin(np.pi * swing**gait.early) ** 2,
        "foot_pitch": pitch,
    }


def walked(gait: Gait, cycles: np.ndarray, amplitude: np.ndarray, elapsed_cycles: float) -> np.ndarray:
    """[T] picture units of ground behind the walker; a cycle covers ``stride / stance``.

    Args:
        gait: its data.
        cycles: float [T], growing.
        amplitude: float [T], a factor on the stride.
        elapsed_cycles: cycles gone through at the first of these.
    """
    rate = gait.stride / gait.stance * amplitude
    steps = np.diff(cycles) * 0.5 * (rate[1:] + rate[:-1])
    return np.asarray(elapsed_cycles * rate[0] + np.concatenate([[0.0], np.cumsum(steps)]))


def _ground_at(wanted: np.ndarray, cycles: np.ndarray, ground: np.ndarray, gait: Gait) -> np.ndarray:
    """Ground walked at another moment of the clock; before and after the clip at the pace of its ends."""
    inside = np.interp(wanted, cycles, ground)
    pace = np.full(2, gait.stride / gait.stance)
    if len(cycles) > 1:
        # Held drawings repeat a moment: take the pace from the first and the last that differ.
        different = np.flatnonzero(np.diff(cycles) > 0)
        if len(different):
            ends = different[[0, -1]]
            pace = (ground[ends + 1] - ground[ends]) / (cycles[ends + 1] - cycles[ends])
    early, late = np.minimum(wanted - cycles[0], 0.0), np.maximum(wanted - cycles[-1], 0.0)
    return np.asarray(inside + pace[0] * early + pace[1] * late)
