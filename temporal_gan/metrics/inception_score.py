"""Inception score (Salimans et al. 2016): kept because the GAN literature prints it; not decision-grade.

Its classes are those of ImageNet photographs, which say nothing about drawn characters.
"""

import torch
from torch import Tensor
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric

from ..errors import UserError


def inception_score(logits: Tensor, splits: int = 10) -> tuple[float, float]:
    """``exp(mean KL(p(y|x) || p(y)))`` over splits, torch-fidelity's arithmetic and shuffle (seed 2020).

    Args:
        logits: [N, 1008], class logits without bias, from :func:`temporal_gan.features.inception_features`.
        splits: 10 by custom; at most N.
    Returns:
        Mean and standard deviation over the splits; at least 1, higher is called better.
    Raises:
        UserError: fewer pictures than splits, or values that are not finite.
    """
    if logits.ndim != 2 or not bool(torch.isfinite(logits).all()):
        raise UserError(f"inception_score: logits are {tuple(logits.shape)}, expected finite [N, classes]")
    if len(logits) < splits:
        raise UserError(
            f"inception_score: {len(logits)} pictures in {splits} splits, need at least one in each"
        )
    result = isc_features_to_metric(logits, splits)
    return result[KEY_METRIC_ISC_MEAN], result[KEY_METRIC_ISC_STD]
