"""Is one model better than another? Paired differences on the same scripts and seeds, and many metrics at once."""

from dataclasses import dataclass

import numpy as np

from ..errors import UserError
from .statistics import bootstrap_interval, portions


@dataclass(frozen=True)
class PairedDifference:
    """Attributes: mean of first - second; its bootstrap interval or None; two-sided permutation p-value."""

    mean: float
    interval: tuple[float, float] | None
    p_value: float


def paired_difference(
    first: np.ndarray,
    second: np.ndarray,
    generator: np.random.Generator,
    draws: int = 9999,
    clusters: np.ndarray | None = None,
) -> PairedDifference:
    """Mean difference of two models over the same clips, with its interval and a sign-flip permutation test.

    Args:
        first, second: float [N], a value for each clip, in the same order.
        generator: a seeded numpy generator.
        draws: resamples, and random sign flips of the test.
        clusters: [N], the character of each clip: whole clusters are resampled and flipped.
    Raises:
        UserError: different lengths, no clips, or values that are not finite.
    """
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise UserError(f"paired_difference: {first.shape} and {second.shape}, expected the same clips twice")
    gap = first.astype(float) - second
    if not np.isfinite(gap).all():
        bad = int(np.flatnonzero(~np.isfinite(gap))[0])
        raise UserError(f"paired_difference: clip {bad} has no value in one of the two; leave it out of both")
    interval = bootstrap_interval(gap, generator, draws=draws, clusters=clusters)
    member = np.arange(len(gap)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    sums = np.bincount(member, gap)
    observed = abs(sums.sum())
    far = 0
    for rows in portions(draws, len(sums)):
        signs = generator.choice([-1.0, 1.0], size=(rows, len(sums)))
        # Rounding may put an equal flip a hair below.
        far += int((np.abs(signs @ sums) >= observed * (1 - 1e-9)).sum())
    return PairedDifference(float(gap.mean()), interval, (1 + far) / (1 + draws))


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down correction (1979): p-values that hold for all comparisons of a table together.

    Args:
        p_values: float [K], in any order.
    Returns:
        float [K], the adjusted values in the same order, at most 1.
    Raises:
        UserError: values outside [0, 1].
    """
    if not ((p_values >= 0) & (p_values <= 1)).all():
        raise UserError("holm: p-values outside [0, 1]")
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
