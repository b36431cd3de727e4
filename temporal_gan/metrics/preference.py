"""Strengths of models from people's choices between two clips (Bradley & Terry 1952)."""

import numpy as np
from scipy.sparse.csgraph import connected_components

from ..errors import UserError


def bradley_terry(wins: np.ndarray) -> np.ndarray:
    """Maximum-likelihood strengths: P(i over j) = 1 / (1 + exp(s_j - s_i)).

    Args:
        wins: float [K, K], how often i was preferred to j; a tie counts half for each. The diagonal is ignored.
    Returns:
        float [K], log strengths with mean 0; a difference of 1 is a preference of 73 %.
    Raises:
        UserError: not a square table of counts, or models that no chain of wins connects in both directions: their
            distance is infinite.
    """
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1] or len(wins) < 2 or not (wins >= 0).all():
        raise UserError(f"bradley_terry: wins are {wins.shape}, expected counts [K, K] with K >= 2")
    won = wins.astype(float) * (1 - np.eye(len(wins)))
    groups, group = connected_components(won > 0, directed=True, connection="strong")
    if groups > 1:
        lone = np.flatnonzero(group == group[-1]).tolist()
        raise UserError(
            f"bradley_terry: models {lone} always won or lost against the rest, or never met it; ask for more choices"
        )
    played, total = won + won.T, won.sum(axis=1)
    strength = np.zeros(len(wins))
    # Newton's method on a concave likelihood; the added constant fixes the free mean.
    for _ in range(100):
        preferred = 1 / (1 + np.exp(strength[None] - strength[:, None]))
        gradient = total - (played * preferred).sum(axis=1)
        weight = played * preferred * (1 - preferred)
        curvature = np.diag(weight.sum(axis=1)) - weight
        step = np.linalg.solve(curvature + 1.0 / len(wins), gradient)
        # A full step may overshoot where choices are lopsided.
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        strength = strength + step - step.mean()
        if float(np.abs(step).max()) < 1e-12:
            break
    return strength - strength.mean()


def bradley_terry_intervals(
    wins_by_rater: np.ndarray, generator: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Strengths and their percentile intervals, resampling raters: choices of one person are not independent.

    Args:
        wins_by_rater: float [R, K, K], a table as in :func:`bradley_terry` for each rater.
        generator, draws, level: of the bootstrap.
    Returns:
        strengths, low, high: float [K] each. Resamples in which models fall apart are drawn again.
    Raises:
        UserError: fewer than three raters, or models that the choices do not connect.
    """
    if wins_by_rater.ndim != 3 or len(wins_by_rater) < 3:
        raise UserError(
            f"bradley_terry_intervals: {wins_by_rater.shape}, expected [R, K, K] with R >= 3 raters"
        )
    strengths = bradley_terry(wins_by_rater.sum(axis=0))
    resampled: list[np.ndarray] = []
    for _ in range(10 * draws):
        picks = generator.integers(0, len(wins_by_rater), size=len(wins_by_rater))
        try:
            resampled.append(bradley_terry(wins_by_rater[picks].sum(axis=0)))
        except UserError:
            continue
        if len(resampled) == draws:
            break
    if len(resampled) < draws:
        raise UserError(
            f"bradley_terry_intervals: only {len(resampled)} of {10 * draws} resamples connect the models"
        )
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(np.stack(resampled), [tail, 100 - tail], axis=0)
    return strengths, low, high
