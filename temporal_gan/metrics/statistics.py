"""Uncertainty of a mean over clips. The unit is the clip: frames of one clip are not independent samples."""

import numpy as np

FEWEST_CLIPS = 3
"""Below this a percentile bootstrap says nothing (two clips have three possible resamples)."""


def bootstrap_interval(
    values: np.ndarray, generator: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the mean, resampling whole clips.

    Treating frames as independent makes a nominal 95 % interval cover about 45 % on clips of 16 frames.

    Args:
        values: float [N], one value a clip.
        generator: a seeded numpy generator.
        draws: number of resamples.
        level: nominal coverage.
    Returns:
        (low, high), or None with fewer than three clips.
    """
    if len(values) < FEWEST_CLIPS:
        return None
    picks = generator.integers(0, len(values), size=(draws, len(values)))
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(values[picks].mean(axis=1), [tail, 100 - tail])
    return float(low), float(high)
