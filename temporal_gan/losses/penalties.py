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


def wgan_gp(logits_between: Tensor, between: Tensor) -> Tensor:
    """WGAN-GP: how far the critic's slope between real and made is from 1 (Gulrajani et al. 2017, arXiv 1704.00028,
    eq. 3): ``(|grad D(x)| - 1)^2`` at ``x`` from :func:`mix`.

    As :func:`r1`: float32 at least, and the backward pass of the adversarial loss.

    Args:
        logits_between: [B, ...], computed from ``between``; averaged per clip.
        between: [B, ...], requires grad.
    Returns:
        [B], to be weighted by lambda (the paper: 10).
    """
    per_clip = at_least_float32(logits_between).flatten(1).mean(1)
    (gradient,) = torch.autograd.grad(per_clip.sum(), between, create_graph=True)
    return (at_least_float32(gradient).flatten(1).norm(dim=1) - 1).square()


def mix(real: Tensor, made: Tensor, share: Tensor) -> Tensor:
    """A point on the line from each made clip to its real one: [B, ...] twice and [B] in [0, 1] -> [B, ...], a leaf
    that requires grad."""
    share = share.view(-1, *[1] * (real.ndim - 1))
    return (share * real + (1 - share) * made).detach().requires_grad_()
