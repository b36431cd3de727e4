"""A critic's second opinion: which expression does it see?"""

from torch import Tensor
from torch.nn import functional

from .precision import at_least_float32


def auxiliary_expression(logits: Tensor, wanted: Tensor, confidence: Tensor) -> Tensor:
    """Cross entropy of the expression a critic's head reads with the commanded one: L_C of AC-GAN (Odena et al. 2017,
    arXiv 1610.09585, eq. 3), which critic (on real and made clips) and generator (on made ones) both lower. Intensities
    instead of one class: each channel is a soft yes or no.

    Args:
        logits: [B, T, E].
        wanted: [B, T, E] in [0, 1].
        confidence: [B, T, E]; 0 where not labelled, which does not count.
    Returns:
        [B], nats, mean over what is labelled; 0 where nothing is.
    """
    logits = at_least_float32(logits)
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted.to(logits.dtype), reduction="none")
    return (entropy * confidence).flatten(1).sum(1) / confidence.flatten(1).sum(1).clamp_min(1e-6)
