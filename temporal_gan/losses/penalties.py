"""Gradient penalties on a critic."""

import torch
from torch import Tensor


def r1(logits_real: Tensor, real: Tensor) -> Tensor:
    """R1: squared gradient norm of the critic's output on real data (Mescheder et al. 2018, arXiv 1801.04406, eq. 9).

    Take it in float32 and in the same backward pass as the adversarial loss: a separate backward under
    DistributedDataParallel gives wrong gradients without an error.

    Args:
        logits_real: [B, ...], computed from ``real``; averaged per clip, summed over clips (clips do not interact).
        real: [B, ...], requires grad.
    Returns:
        [B], to be weighted by gamma / 2.
    """
    per_clip = logits_real.float().flatten(1).mean(1)
    (gradient,) = torch.autograd.grad(per_clip.sum(), real, create_graph=True)
    return gradient.float().square().flatten(1).sum(1)
