"""Gradient penalties on a critic."""

import torch
from torch import Tensor

from .precision import at_least_float32


def r1(logits_real: Tensor, real: Tensor) -> Tensor:
    """R1: squared gradient norm of the critic's output on real data (Mescheder et al. 2018, arXiv 1801.04406, eq. 9).

    Take it in float32 at least and in the same backward pass as the adversarial loss: a separate backward under
    DistributedDataParallel gives wrong gradients without an error.

    Args:
        logits_real: [B, ...], computed from ``real``; averaged per clip, summed over clips (clips do not interact).
        real: [B, ...], requires grad.
    Returns:
        [B], to be weighted by gamma / 2.
    """
    per_clip = at_least_float32(logits_real).flatten(1).mean(1)
    (gradient,) = torch.autograd.grad(per_clip.sum(), real, create_graph=True)
    return at_least_float32(gradient).square().flatten(1).sum(1)
