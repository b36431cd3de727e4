"""Adversarial losses on logits: what the critic minimises, and what the generator minimises.

BCE: Goodfellow et al. 2014 (arXiv 1406.2661), non-saturating form, on logits.
LSGAN: Mao et al. 2017 (arXiv 1611.04076), eq. 9 with a = 0, b = c = 1.
Hinge: Lim & Ye 2017 (arXiv 1705.02894), as in Miyato et al. 2018 (arXiv 1802.05957), eq. 16-17.
WGAN: Arjovsky et al. 2017 (arXiv 1701.07875), eq. 2-3; only with a penalty on the critic's slope.
Label smoothing: Salimans et al. 2016 (arXiv 1606.03498), sec. 3.4: one-sided, real alone is wanted at 1 - smoothing.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from .precision import at_least_float32

Adversarial = Literal["bce", "lsgan", "hinge", "wgan"]


BOUNDARY: dict[Adversarial, float] = {"bce": 0.0, "lsgan": 0.5, "hinge": 0.0}
"""Logit above which a critic takes a clip for real. Of wgan's logits only differences mean something."""


def sides(kind: Adversarial, logits: Tensor) -> tuple[Tensor, Tensor]:
    """On which side of the boundary logits lie.

    Args:
        kind: not wgan.
        logits: of any shape. One of exactly 0 is no verdict: a region critic's of a crop that is not there.
    Returns:
        sum of the signs (+1 real, -1 made), and number of verdicts, both [].
    """
    there = logits != 0
    return ((logits - BOUNDARY[kind]).sign() * there).sum(), there.sum()


def critic_loss(
    kind: Adversarial, logits_real: Tensor, logits_fake: Tensor, smoothing: float = 0.0
) -> Tensor:
    """Loss of a critic that should score real above fake.

    Args:
        kind: bce | lsgan | hinge | wgan.
        logits_real, logits_fake: [B, ...] of any trailing shape (patches, frames), averaged per clip.
        smoothing: s; real is wanted at 1 - s instead of 1. For bce and lsgan alone: the others have no label.
    Returns:
        [B], at least 0 but for wgan.
    Raises:
        ValueError: smoothing for a kind without labels.
    """
    if smoothing and kind in ("hinge", "wgan"):
        raise ValueError(f"critic_loss: {kind} has no label that could be smoothed")
    real, fake = at_least_float32(logits_real).flatten(1), at_least_float32(logits_fake).flatten(1)
    if kind == "bce":
        as_real = functional.softplus(-real).mean(1)
        if smoothing:
            as_real = (1 - smoothing) * as_real + smoothing * functional.softplus(real).mean(1)
        return as_real + functional.softplus(fake).mean(1)
    if kind == "lsgan":
        return 0.5 * ((real - (1 - smoothing)).square().mean(1) + fake.square().mean(1))
    if kind == "wgan":
        return fake.mean(1) - real.mean(1)
    return torch.relu(1 - real).mean(1) + torch.relu(1 + fake).mean(1)


def generator_loss(kind: Adversarial, logits_fake: Tensor) -> Tensor:
    """Loss of a generator that should be scored as real.

    Args:
        kind: bce | lsgan | hinge | wgan.
        logits_fake: [B, ...].
    Returns:
        [B]; for hinge and wgan it may be negative.
    """
    fake = at_least_float32(logits_fake).flatten(1)
    if kind == "bce":
        return functional.softplus(-fake).mean(1)
    if kind == "lsgan":
        return 0.5 * (fake - 1).square().mean(1)
    return -fake.mean(1)
