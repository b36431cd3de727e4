"""Uncertainty of a mean over clips. The unit is the clip: frames of one clip are not independent samples."""

import numpy as np
from scipy.stats import norm

from ..errors import UserError

FEWEST_CLIPS = 3
"""Below this a percentile bootstrap says nothing (two clips have three possible resamples)."""


def bootstrap_interval(
    values: np.ndarray,
    generator: np.random.Generator,
    draws: int = 1000,
    level: float = 0.95,
    clusters: np.ndarray | None = None,
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the mean, resampling whole clips, or whole characters.

    Treating frames as independent makes a nominal 95 % interval cover about 45 % on clips of 16 frames; treating
    clips of one character as independent errs in the same way.

    Args:
        values: float [N], one value a clip.
        generator: a seeded numpy generator.
        draws: number of resamples.
        level: nominal coverage.
        clusters: int or str [N], the character or source video of each clip; None resamples clips.
    Returns:
        (low, high), or None with fewer than three clips or clusters.
    Raises:
        UserError: as many clusters as values are needed.
    """
    return ratio_interval(values, np.ones(len(values)), generator, draws, level, clusters)


def ratio_interval(
    numerators: np.ndarray,
    denominators: np.ndarray,
    generator: np.random.Generator,
    draws: int = 1000,
    level: float = 0.95,
    clusters: np.ndarray | None = None,
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of sum(numerators) / sum(denominators), resampling whole clips or characters.

    For what made clips have relative to real ones: a mean of the clips' own ratios would be that of the clip whose
    denominator is nearest to nothing.

    Args:
        numerators, denominators: float [N], one of each a clip.
        generator, draws, level, clusters: as in :func:`bootstrap_interval`.
    Returns:
        (low, high), or None with fewer than three clips or clusters.
    Raises:
        UserError: not as many denominators, or clusters, as numerators.
    """
    if len(denominators) != len(numerators):
        raise UserError(f"ratio_interval: {len(numerators)} numerators and {len(denominators)} denominators")
    if clusters is None:
        above, below = numerators.astype(float), denominators.astype(float)
    else:
        if len(clusters) != len(numerators):
            raise UserError(f"bootstrap_interval: {len(numerators)} values and {len(clusters)} cluster names")
        _, member = np.unique(clusters, return_inverse=True)
        above, below = np.bincount(member, numerators), np.bincount(member, denominators)
    if len(above) < FEWEST_CLIPS:
        return None
    tail = 100 * (1 - level) / 2
    ratios = []
    for rows in portions(draws, len(above)):
        picks = generator.integers(0, len(above), size=(rows, len(above)))
        # Chosen clusters differ in size: the mean is over the clips they bring.
        ratios.append(above[picks].sum(axis=1) / below[picks].sum(axis=1))
    low, high = np.percentile(np.concatenate(ratios), [tail, 100 - tail])
    return float(low), float(high)


def interval_over_seeds(
    values: np.ndarray, generator: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> tuple[float, tuple[float, float] | None]:
    """Mean over training or sampling seeds, and its interval, resampling seeds and clips alike.

    Args:
        values: float [S, N], a row for each seed, a column for each clip of the same scripts.
        generator, draws, level: as in :func:`bootstrap_interval`.
    Returns:
        The mean; and (low, high), or None with fewer than three seeds or clips.
    Raises:
        UserError: not a table.
    """
    if values.ndim != 2 or not values.size:
        raise UserError(f"interval_over_seeds: values are {values.shape}, expected [seeds, clips]")
    seeds, clips = values.shape
    mean = float(values.mean())
    if min(seeds, clips) < FEWEST_CLIPS:
        return mean, None
    tail = 100 * (1 - level) / 2
    means = []
    for count in portions(draws, seeds * clips):
        rows = generator.integers(0, seeds, size=(count, seeds, 1))
        columns = generator.integers(0, clips, size=(count, 1, clips))
        means.append(values[rows, columns].mean(axis=(1, 2)))
    low, high = np.percentile(np.concatenate(means), [tail, 100 - tail])
    return mean, (float(low), float(high))


def wilson_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a proportion (Wilson 1927): never outside [0, 1], right also for few trials.

    Raises:
        UserError: no trials, or more successes than trials.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise UserError(
            f"wilson_interval: {successes} of {trials}, expected 0 <= successes <= trials, trials >= 1"
        )
    z = float(norm.ppf((1 + level) / 2))
    share = successes / trials
    centre = share + z * z / (2 * trials)
    half = z * (share * (1 - share) / trials + z * z / (4 * trials * trials)) ** 0.5
    scale = 1 + z * z / trials
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def portions(draws: int, width: int) -> list[int]:
    """Divide resamples of ``width`` numbers so that one portion holds about a million: memory stays flat."""
    most = max(1, 1_000_000 // max(width, 1))
    return [most] * (draws // most) + [draws % most] * (draws % most > 0)
