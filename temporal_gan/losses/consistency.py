"""Consistency: does a reader see in the made frames the pose and the expression that were commanded?

Both are Kullback-Leibler divergences, so 0 says "as commanded", and both pull from however far away.
"""

import torch
from torch import Tensor
from torch.nn import functional

from .precision import at_least_float32

JOINT_CELLS = 0.7
"""Width of a joint's target in cells of the heat map: the one readers are trained with."""


def pose_consistency(heat: Tensor, keypoints: Tensor, counted: Tensor) -> Tensor:
    """``mean_j KL(q_j || softmax(h_j))``, q_j a Gaussian around the commanded place of joint j (after the
    regularisation of Nibali et al. 2018, arXiv 1801.07372, towards the target instead of the mean).

    A distance of decoded keypoints would not do: decoding picks the hottest cells, which has no slope towards others.

    Args:
        heat: [B, T, J, S, S], logits of each joint's place in the made frames.
        keypoints: [B, T, J, 2], commanded, in [0, 1].
        counted: bool [B, T, J]: joints that are commanded and visible.
    Returns:
        [B], mean over the joints that count, in nats; 0 for a clip without any.
    """
    heat = at_least_float32(heat)
    side = heat.shape[-1]
    cell = torch.arange(side, device=heat.device, dtype=heat.dtype) + 0.5
    away = (cell - side * keypoints.to(heat.dtype)[..., None]).square() / (2 * JOINT_CELLS**2)
    columns, rows = (-away[..., 0, :]).log_softmax(dim=-1), (-away[..., 1, :]).log_softmax(dim=-1)
    wanted = (rows[..., :, None] + columns[..., None, :]).flatten(-2)
    return _mean(_divergence(wanted, heat.flatten(-2).log_softmax(dim=-1)), counted)


def expression_consistency(
    classes: Tensor, controls: Tensor, expression: Tensor, known: Tensor, faces: Tensor
) -> Tensor:
    """``KL(q || softmax(classes)) + mean_c KL(Bernoulli(v_c) || Bernoulli(sigmoid(controls_c)))``, over known channels;
    but for the commanded entropies this is the cross-entropy of an auxiliary classifier (Odena et al. 2017, arXiv
    1610.09585, eq. 3).

    Args:
        classes, controls: [B, T, K] and [B, T, M], logits read from the made frames.
        expression: [B, T, K + M], commanded: a mixture of classes, then controls in [0, 1].
        known: bool [B, T, K + M]; an unknown class is left out of the mixture on both sides.
        faces: bool [B, T]: frames in which there is a face to be read.
    Returns:
        [B], mean over the frames and channels that count, in nats; 0 for a clip without any.
    """
    classes, controls = at_least_float32(classes), at_least_float32(controls)
    count = classes.shape[-1]
    expression = expression.to(classes.dtype)
    mixture = torch.where(known[..., :count], expression[..., :count], 0.0)
    total = mixture.sum(dim=-1, keepdim=True)
    wanted = (mixture / total.clamp_min(1e-6)).clamp_min(1e-30).log()
    read = classes.masked_fill(~known[..., :count], -1e4).log_softmax(dim=-1)
    by_class = _mean(_divergence(wanted, read), faces & (total[..., 0] > 0))
    value = expression[..., count:].clamp(0, 1)
    entropy = -(torch.xlogy(value, value) + torch.xlogy(1 - value, 1 - value))
    missed = functional.binary_cross_entropy_with_logits(controls, value, reduction="none") - entropy
    return by_class + _mean(missed, known[..., count:] & faces[..., None])


def _divergence(log_wanted: Tensor, log_read: Tensor) -> Tensor:
    """KL(wanted || read) of distributions over the last axis."""
    return (log_wanted.exp() * (log_wanted - log_read)).sum(dim=-1)


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    """[B, ...] -> [B]; 0 where nothing counts."""
    sums = torch.where(counted, values, 0.0).flatten(1).sum(1)
    return sums / counted.flatten(1).sum(1).clamp_min(1)
