"""Losses that compare a made clip with the real one of the same pose and expression."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from .precision import at_least_float32


def absolute_difference(a: Tensor, b: Tensor, smooth: float = 0.0) -> Tensor:
    """|a - b|, element by element, without its kink: quadratic below ``smooth``.

    Where two pictures are equal but for rounding, the plain difference has a slope of +1 or -1 by chance. With
    ``smooth`` s it is Huber's function (Huber 1964, eq. 2.2) divided by s: d^2 / 2s up to s, then |d| - s/2.
    """
    return functional.smooth_l1_loss(at_least_float32(a), at_least_float32(b), reduction="none", beta=smooth)


def l1(made: Tensor, real: Tensor, smooth: float = 0.0) -> Tensor:
    """Mean absolute difference per clip.

    Args:
        made, real: [B, ...], same range.
        smooth: see :func:`absolute_difference`.
    Returns:
        [B].
    """
    return absolute_difference(made, real, smooth).flatten(1).mean(1)


def l1_inside(made: Tensor, real: Tensor, mask: Tensor, smooth: float = 0.0) -> Tensor:
    """Mean absolute difference per clip where a mask says so: the character weighs as much however small it is.

    ``sum(m |made - real|) / sum(m)``, summed over frames, channels and pixels.

    Args:
        made, real: [B, T, C, H, W], same range.
        mask: bool [B, T, 1, H, W].
        smooth: see :func:`absolute_difference`.
    Returns:
        [B]; 0 for a clip whose mask is empty.
    """
    difference = absolute_difference(made, real, smooth)
    inside = mask.to(difference.dtype)
    pixels = inside.flatten(1).sum(1) * made.shape[2]
    return (difference * inside).flatten(1).sum(1) / pixels.clamp_min(1)


def temporal_difference(made: Tensor, real: Tensor, smooth: float = 0.0) -> Tensor:
    """The change from frame to frame should be the real one: ``mean |(made[t+1] - made[t]) - (real[t+1] - real[t])|``.

    As the gradient difference loss of Mathieu et al. 2016 (arXiv 1511.05440), along time instead of space. A
    constant error costs nothing here, an error that flickers costs twice.

    Args:
        made, real: [B, T, ...], T at least 2, same range.
        smooth: see :func:`absolute_difference`.
    Returns:
        [B].
    """
    return l1(at_least_float32(made).diff(dim=1), at_least_float32(real).diff(dim=1), smooth)


def feature_matching(
    features_made: Sequence[Tensor], features_real: Sequence[Tensor], smooth: float = 0.0
) -> Tensor:
    """Mean absolute difference of a critic's inner features (Wang et al. 2018, pix2pixHD, arXiv 1711.11585, eq. 4).

    Args:
        features_made, features_real: per layer [B, ...]; the real ones are taken as constants.
        smooth: see :func:`absolute_difference`.
    Returns:
        [B], averaged over layers.
    """
    layers = [l1(m, r.detach(), smooth) for m, r in zip(features_made, features_real, strict=True)]
    return torch.stack(layers).mean(0)
