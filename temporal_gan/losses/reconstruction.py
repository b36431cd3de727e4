"""Losses that compare a made clip with the real one of the same pose and expression."""

from collections.abc import Sequence

import torch
from torch import Tensor


def l1(made: Tensor, real: Tensor) -> Tensor:
    """Mean absolute difference per clip.

    Args:
        made, real: [B, ...], same range.
    Returns:
        [B].
    """
    return (made.float() - real.float()).abs().flatten(1).mean(1)


def feature_matching(features_made: Sequence[Tensor], features_real: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of a critic's inner features (Wang et al. 2018, pix2pixHD, arXiv 1711.11585, eq. 4).

    Args:
        features_made, features_real: per layer [B, ...]; the real ones are taken as constants.
    Returns:
        [B], averaged over layers.
    """
    return torch.stack([l1(m, r.detach()) for m, r in zip(features_made, features_real, strict=True)]).mean(0)
