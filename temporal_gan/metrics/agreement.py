"""Do people agree with each other, and does a metric agree with people?"""

from typing import Literal

import numpy as np
from scipy.stats import rankdata

from ..errors import UserError


def krippendorff_alpha(ratings: np.ndarray, level: Literal["nominal", "ordinal"]) -> float | None:
    """Agreement of raters beyond chance (Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011).

    Args:
        ratings: float [R, U], a row for each rater, a column for each unit; NaN where a rater did not see it.
        level: nominal: two values are equal or not; ordinal: the distance grows with the ratings between them.
    Returns:
        1 perfect, 0 as by chance, below 0 systematic disagreement; None where no unit has two ratings, or where
        everybody always gave one and the same value.
    Raises:
        UserError: not a table.
    """
    if ratings.ndim != 2:
        raise UserError(f"krippendorff_alpha: ratings are {ratings.shape}, expected [raters, units]")
    values = np.unique(ratings[np.isfinite(ratings)])
    counts = (ratings[:, :, None] == values).sum(axis=0).astype(float)
    raters = counts.sum(axis=1)
    counts, raters = counts[raters > 1], raters[raters > 1]
    if not len(raters):
        return None
    # Coincidences: every ordered pair of ratings within a unit, a unit weighing as much as it has ratings.
    pairs = np.einsum("uv,uw->uvw", counts, counts) - counts[:, :, None] * np.eye(len(values))
    coincidences = (pairs / (raters - 1)[:, None, None]).sum(axis=0)
    totals = coincidences.sum(axis=0)
    if level == "nominal":
        distance = 1 - np.eye(len(values))
    else:
        middle = np.cumsum(totals) - totals / 2
        distance = (middle[:, None] - middle[None]) ** 2
    expected = (np.outer(totals, totals) * distance).sum() / (totals.sum() - 1)
    return float(1 - (coincidences * distance).sum() / expected) if expected > 0 else None


def rank_correlations(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spearman's rho and Kendall's tau-b of pairs of lists.

    Args:
        first: float [N].
        second: float [..., N], any number of lists, each compared with the first.
    Returns:
        rho, tau: float [...] each, NaN where a list is constant.
    Raises:
        UserError: lengths differ, or fewer than two values.
    """
    if first.ndim != 1 or second.shape[-1:] != first.shape or len(first) < 2:
        raise UserError(
            f"rank_correlations: {first.shape} and {second.shape}, expected [N] and [..., N], N >= 2"
        )
    ranks = rankdata(first), rankdata(second, axis=-1)
    deviations = ranks[0] - (len(first) + 1) / 2, ranks[1] - (len(first) + 1) / 2
    # Signs of all differences: their product is +1 for a concordant pair, -1 for a discordant one, 0 for a tie.
    signs = _signs(ranks[0]), _signs(ranks[1])
    return _cosine(deviations, 1), _cosine(signs, 2)


def _signs(rank: np.ndarray) -> np.ndarray:
    return np.sign(rank[..., :, None] - rank[..., None, :])


def _cosine(lists: tuple[np.ndarray, np.ndarray], axes: int) -> np.ndarray:
    first, second = lists
    last = tuple(range(-axes, 0))
    norm = np.sqrt((first**2).sum(last) * (second**2).sum(last))
    product = (first * second).sum(last)
    return np.divide(product, norm, out=np.full(np.shape(product), np.nan), where=norm > 0)
