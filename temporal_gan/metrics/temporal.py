"""Temporal metrics: is the clip steady from frame to frame, and does it move as the real one does?

A frozen clip has a perfect self-consistency, so a warping error means nothing without the motion ratio beside
it. All functions return [B]; a value that the inputs do not define is NaN, and whoever prints it says why.
"""

import torch
from torch import Tensor

from ..warping import warp_clip

STILL_PIXELS = 0.01
"""Mean motion of a real clip, in pixels a frame, below which a ratio to it has no meaning."""


def warping_error(video: Tensor, flow: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Masked mean squared difference of frame t and frame t+1 sampled at x + flow (Lai et al. 2018).

    The flow belongs to the real clip, so a made clip is asked to move as the real one did. ``sum(M d^2) /
    sum(M)`` for each pair of frames, mean per channel, then the mean over the pairs that keep any pixel.

    Args:
        video: [B, T, C, H, W], [0, 1].
        flow: [B, T-1, 2, H, W], pixels, on frame t's grid.
        valid: bool [B, T-1, 1, H, W]; False where the flow is hidden or wrong.
    Returns:
        error [B] float64 on [0, 1] (1.0 = black against white), lower is better, NaN where no pixel is kept;
        kept [B], fraction of pixels that were compared, to be shown beside it.
    Raises:
        ValueError: fewer than two frames, or shapes disagree.
    """
    expected = (*flow.shape[:2], 1, *flow.shape[3:])
    if tuple(valid.shape) != expected:
        raise ValueError(f"warping_error: valid is {tuple(valid.shape)}, expected {expected}")
    difference = warp_clip(video, flow) - video[:, :-1]
    squared = difference.square().mean(dim=2, keepdim=True, dtype=torch.float64)
    weight = valid.to(squared.dtype)
    pairs = (squared * weight).sum(dim=(2, 3, 4)) / weight.sum(dim=(2, 3, 4))
    return pairs.nanmean(dim=1), weight.mean(dim=(1, 2, 3, 4))


def motion_ratio(flow_made: Tensor, flow_real: Tensor, mask: Tensor) -> Tensor:
    """Mean flow magnitude over the character, made / real: 0 is a frozen clip, above 1 jumps about.

    Both flows must come from the same method, and are read over the same pixels.

    Args:
        flow_made, flow_real: [B, T-1, 2, H, W], pixels.
        mask: bool [B, T-1, 1, H, W], the character on frame t's grid.
    Returns:
        [B] float64; NaN where the real character moves less than 0.01 px a frame, or is nowhere. 1 is best.
    """
    return _ratio_of_lengths(flow_made, flow_real, mask)


def flow_acceleration_ratio(flow_made: Tensor, flow_real: Tensor, mask: Tensor) -> Tensor:
    """Mean length of the change of flow from frame to frame over the character, made / real: above 1 jitters.

    The change is taken at a fixed pixel (a second difference of position to first order), for clips that have
    no keypoints.

    Args:
        flow_made, flow_real: [B, T-1, 2, H, W], pixels, T >= 3.
        mask: bool [B, T-1, 1, H, W]; the pixels of frame t count for the change from t to t+1.
    Returns:
        [B] float64; NaN with fewer than three frames or where the real clip does not accelerate. 1 is best.
    """
    return _ratio_of_lengths(flow_made.diff(dim=1), flow_real.diff(dim=1), mask[:, :-1])


def acceleration_ratio(made: Tensor, real: Tensor, present: Tensor) -> Tensor:
    """Mean length of the second differences of keypoints, made / real: above 1 jitters, below 1 is smoothed.

    A second difference counts where the joint is present in all three frames, in both clips alike.

    Args:
        made, real: [B, T, J, 2], pixels.
        present: bool [B, T, J], the joint is known in both.
    Returns:
        [B] float64; NaN with fewer than three frames or where the real clip does not accelerate. 1 is best.
    Raises:
        ValueError: shapes disagree.
    """
    if made.shape != real.shape or present.shape != made.shape[:-1]:
        raise ValueError(
            f"acceleration_ratio: made {tuple(made.shape)}, real {tuple(real.shape)}, "
            f"present {tuple(present.shape)}; expected [B, T, J, 2] twice and [B, T, J]"
        )
    weight = (present[:, 2:] & present[:, 1:-1] & present[:, :-2]).double()
    lengths = [
        # where, not a product: a missing joint may hold NaN coordinates.
        torch.where(weight > 0, points.double().diff(n=2, dim=1).norm(dim=-1), 0.0).sum(dim=(1, 2))
        for points in (made, real)
    ]
    count = weight.sum(dim=(1, 2))
    return _guarded_ratio(lengths[0] / count, lengths[1] / count)


def _ratio_of_lengths(made: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Mean vector length over the mask, made / real: [B, N, 2, H, W] twice and [B, N, 1, H, W] -> [B]."""
    if made.shape != real.shape or mask.shape != (*made.shape[:2], 1, *made.shape[3:]):
        raise ValueError(
            f"flows are {tuple(made.shape)} and {tuple(real.shape)}, mask {tuple(mask.shape)}; "
            "expected [B, T-1, 2, H, W] twice and [B, T-1, 1, H, W]"
        )
    weight = mask.double()
    count = weight.sum(dim=(1, 2, 3, 4))
    lengths = [
        # hypot, not norm: norm over a strided dimension takes 30 times as long on a CPU.
        (torch.hypot(flow[:, :, :1], flow[:, :, 1:]).double() * weight).sum(dim=(1, 2, 3, 4)) / count
        for flow in (made, real)
    ]
    return _guarded_ratio(lengths[0], lengths[1])


def _guarded_ratio(made: Tensor, real: Tensor) -> Tensor:
    return torch.where(real > STILL_PIXELS, made / real, torch.nan)
