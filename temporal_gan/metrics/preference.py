"""Strengths of models from people's choices between two clips (Bradley & Terry 1952).

Their intervals: :func:`temporal_gan.metrics.crossed_bootstrap.crossed_intervals`, over raters and clips.
"""

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
