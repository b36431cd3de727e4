"""Perceptual loss: a made frame should look the same to a network that was trained to see something else."""

from collections.abc import Sequence

from torch import Tensor

from .reconstruction import l1

VGG19_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Of relu1_1 to relu5_1 (Wang et al. 2018, pix2pixHD, arXiv 1711.11585, in their published training)."""

READER_WEIGHTS = (1.0, 1.0)
"""Of the reader's maps at a quarter and at an eighth of its picture, both of unit size by batch norm."""


def feature_distance(made: Sequence[Tensor], real: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """``sum_l w_l mean |phi_l(made) - phi_l(real)|`` (Johnson et al. 2016, arXiv 1603.08155, eq. 2, with the absolute
    difference of pix2pixHD).

    Args:
        made, real: per layer [B, ...]; the real ones are taken as constants.
        weights: one a layer.
    Returns:
        [B].
    """
    layers = [w * l1(m, r.detach()) for m, r, w in zip(made, real, weights, strict=True)]
    return sum(layers[1:], layers[0])
