"""How different are clips that one condition gives with different noise?"""

from itertools import combinations

import torch
from torch import Tensor

from ..errors import UserError


def sample_distance(samples: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference of every pair of samples over the character: 0 where the noise is ignored.

    The mean pairwise distance of BicycleGAN's evaluation (Zhu et al. 2017, arXiv 1711.11586, sec. 5.1), in colour
    instead of LPIPS, so that it needs no weights.

    Args:
        samples: [N, B, T, C, H, W], [0, 1], N of the same condition.
        mask: bool [B, T, 1, H, W], the character in any of them.
    Returns:
        [B] float64 on [0, 1], per channel; NaN where the mask is empty.
    Raises:
        UserError: fewer than two samples, or shapes disagree.
    """
    if samples.ndim != 6 or len(samples) < 2 or mask.shape != (*samples.shape[1:3], 1, *samples.shape[4:]):
        raise UserError(
            f"sample_distance: samples are {tuple(samples.shape)}, mask {tuple(mask.shape)}; "
            "expected [N, B, T, C, H, W] with N of 2 or more, and [B, T, 1, H, W]"
        )
    count = mask.double().sum(dim=(1, 2, 3, 4)) * samples.shape[3]
    pairs = [
        torch.where(mask, (a - b).abs().double(), 0.0).sum(dim=(1, 2, 3, 4)) / count
        for a, b in combinations(samples, 2)
    ]
    return torch.stack(pairs).mean(dim=0)
