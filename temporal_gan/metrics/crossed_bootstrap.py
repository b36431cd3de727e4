"""Uncertainty of answers that are grouped in two ways at once: by who answered, and by the clip that was shown."""

from collections.abc import Callable, Iterator

import numpy as np

from .statistics import FEWEST_CLIPS


def crossed_weights(
    raters: int, clips: int, generator: np.random.Generator, draws: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Resamples of raters and, independently, of clips (Owen, The pigeonhole bootstrap, 2007).

    An answer counts as often as its rater was drawn times as often as its clip was drawn. Answers of one person,
    and answers on one clip, are not independent; resampling single answers would give intervals that are too narrow.
    This one errs on the wide side.

    Yields:
        Weights int [raters] and int [clips], each summing to its own number, ``draws`` times.
    """
    for _ in range(draws):
        yield (
            np.bincount(generator.integers(0, raters, raters), minlength=raters),
            np.bincount(generator.integers(0, clips, clips), minlength=clips),
        )


def crossed_intervals(
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray | None],
    raters: int,
    clips: int,
    generator: np.random.Generator,
    draws: int = 1000,
    level: float = 0.95,
) -> np.ndarray | None:
    """Percentile intervals of any statistics of the answers.

    Args:
        statistic: weights of raters [raters] and of clips [clips] -> float [N]; None, or NaN in single places,
            where a resample does not determine it.
        raters, clips: how many there are.
        generator: a seeded numpy generator.
        draws: number of resamples.
        level: nominal coverage.
    Returns:
        float [N, 2] low and high, NaN where fewer than half of the resamples determine a value; None with fewer
        than three raters or clips, or where more than half of the resamples determine nothing.
    """
    if min(raters, clips) < FEWEST_CLIPS:
        return None
    found = [statistic(*weights) for weights in crossed_weights(raters, clips, generator, draws)]
    known = [np.asarray(value, float) for value in found if value is not None]
    if 2 * len(known) < draws:
        return None
    table = np.stack(known)
    tail = 100 * (1 - level) / 2
    return np.array(
        [
            np.percentile(column[np.isfinite(column)], [tail, 100 - tail])
            if 2 * np.isfinite(column).sum() >= draws
            else [np.nan, np.nan]
            for column in table.T
        ]
    )
