"""Keypoints over time: does the made character move as smoothly as the real one?

Differences are taken per frame. Between frame rates, multiply accelerations by fps^2 and jerks by fps^3.
"""

import torch
from torch import Tensor

from ..errors import UserError
from .temporal import guarded_ratio


def acceleration_ratio(made: Tensor, real: Tensor, present: Tensor) -> Tensor:
    """Mean length of the second differences of keypoints, made / real: above 1 jitters, below 1 is smoothed.

    A second difference counts where the joint is present in all three frames, in both clips alike.

    Args:
        made, real: [B, T, J, 2], pixels.
        present: bool [B, T, J], the joint is known in both.
    Returns:
        [B] float64; NaN with fewer than three frames or where the real clip does not accelerate. 1 is best.
    Raises:
        UserError: shapes disagree.
    """
    return guarded_ratio(*_mean_lengths(made, real, present, order=2))


def jerk_ratio(made: Tensor, real: Tensor, present: Tensor) -> Tensor:
    """:func:`acceleration_ratio` of third differences, over four frames: more sensitive to jitter."""
    return guarded_ratio(*_mean_lengths(made, real, present, order=3))


def acceleration_error(made: Tensor, real: Tensor, present: Tensor) -> Tensor:
    """Mean length of the difference of accelerations (Kanazawa et al. 2019; Kocabas et al. 2020).

    ``|a_made - a_real|`` with ``a = x[t-1] - 2 x[t] + x[t+1]``. Unlike the ratio it also sees motion at the wrong
    time.

    Args:
        made, real: [B, T, J, 2], pixels.
        present: bool [B, T, J], the joint is known in both.
    Returns:
        [B] float64, pixels per frame^2; NaN where no joint is present in three frames running. Lower is better.
    Raises:
        UserError: shapes disagree.
    """
    gap, _ = _mean_lengths(made - real, real, present, order=2)
    return gap


def _mean_lengths(made: Tensor, real: Tensor, present: Tensor, order: int) -> tuple[Tensor, Tensor]:
    """Mean length of the n-th differences over the joints present in all n + 1 frames: [B] of each clip."""
    if made.shape != real.shape or present.shape != made.shape[:-1]:
        raise UserError(
            f"keypoint trajectories: made {tuple(made.shape)}, real {tuple(real.shape)}, "
            f"present {tuple(present.shape)}; expected [B, T, J, 2] twice and [B, T, J]"
        )
    if made.shape[1] <= order:
        undefined = torch.full((len(made),), torch.nan, dtype=torch.float64, device=made.device)
        return undefined, undefined
    counted = present.unfold(1, order + 1, 1).all(dim=-1)
    count = counted.double().sum(dim=(1, 2))
    first, second = (
        # where, not a product: a missing joint may hold NaN coordinates.
        torch.where(counted, points.double().diff(n=order, dim=1).norm(dim=-1), 0.0).sum(dim=(1, 2)) / count
        for points in (made, real)
    )
    return first, second
