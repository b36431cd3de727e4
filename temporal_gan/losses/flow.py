"""Flow consistency: what moved must still look the same (after Lai et al. 2018, arXiv 1808.00449, eq. 4)."""

from torch import Tensor

from ..warping import warp_clip
from .precision import at_least_float32
from .reconstruction import absolute_difference


def flow_consistency(made: Tensor, flow: Tensor, valid: Tensor, smooth: float = 0.0) -> Tensor:
    """Made frame t+1, sampled at x + reference flow, should equal made frame t where the flow is valid.

    Args:
        made: [B, T, C, H, W], T at least 2.
        flow: [B, T-1, 2, H, W], pixels, on frame t's grid, of the real clip.
        valid: bool [B, T-1, 1, H, W].
        smooth: see :func:`temporal_gan.losses.reconstruction.absolute_difference`.
    Returns:
        [B], mean absolute difference over valid pixels; 0 for a clip without any.
    """
    made = at_least_float32(made)
    mask = valid.to(made.dtype)
    difference = absolute_difference(warp_clip(made, flow), made[:, :-1], smooth) * mask
    pixels = mask.flatten(1).sum(1) * made.shape[2]
    return difference.flatten(1).sum(1) / pixels.clamp_min(1)
