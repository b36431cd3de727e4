"""Temporal metrics: is the clip steady from frame to frame, and does it move as the real one does?

A frozen clip has a perfect self-consistency, so a warping error means nothing without the motion ratio beside
it. All functions return [B]; a value that the inputs do not define is NaN, and whoever prints it says why.
"""

import torch
from torch import Tensor

from ..errors import UserError
from ..warping import warp_clip
from .paired import check_range

STILL_PIXELS = 0.01
"""Mean motion of a real clip, in pixels a frame, below which a ratio to it has no meaning."""

STATIC_PIXELS = 0.05
"""Motion of a pixel, in pixels a frame, below which it counts as standing still."""


def warping_error(
    video: Tensor, flow: Tensor, valid: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Masked mean squared difference of frame t and frame t+1 sampled at x + flow (Lai et al. 2018, eq. 6).

    With the real clip's flow a made clip is asked to move as the real one did: the headline. With the made clip's
    own flow a frozen clip is perfect and shuffled frames pass: never shown without the motion ratio.
    ``sum(M d^2) / sum(M)`` for each pair of frames, mean per channel, then the mean over the pairs that keep any
    pixel.

    Args:
        video: [B, T, C, H, W], [0, 1].
        flow: [B, T-1, 2, H, W], pixels, on frame t's grid.
        valid: bool [B, T-1, 1, H, W]; False where the flow is hidden or wrong (exact, or from
            :func:`temporal_gan.optical_flow.consistent`).
        mask: bool [B, T-1, 1, H, W], the pixels to score, such as the character; None scores the whole frame.
    Returns:
        error [B] float64 on [0, 1] (1.0 = black against white), lower is better, NaN where no pixel is kept;
        kept [B], the part of the scored pixels whose flow is valid, to be shown beside it.
    Raises:
        UserError: fewer than two frames, shapes disagree, or values outside [0, 1].
    """
    expected = (*flow.shape[:2], 1, *flow.shape[3:])
    scored = torch.ones_like(valid) if mask is None else mask
    for name, given in (("valid", valid), ("mask", scored)):
        if tuple(given.shape) != expected:
            raise UserError(f"warping_error: {name} is {tuple(given.shape)}, expected {expected}")
    check_range("warping_error: video", video)
    difference = warp_clip(video, flow) - video[:, :-1]
    squared = difference.square().mean(dim=2, keepdim=True, dtype=torch.float64)
    keep = valid & scored
    # where, not a product: a hidden pixel may have a flow of NaN.
    pairs = torch.where(keep, squared, 0.0).sum(dim=(2, 3, 4)) / keep.double().sum(dim=(2, 3, 4))
    kept = keep.double().sum(dim=(1, 2, 3, 4)) / scored.double().sum(dim=(1, 2, 3, 4))
    return pairs.nanmean(dim=1), kept


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


def flow_distance(flow_made: Tensor, flow_real: Tensor, mask: Tensor | None = None) -> Tensor:
    """tOF: mean length of the difference between made and real motion (Chu et al. 2020, TecoGAN, section 4).

    Sees what a self-consistency cannot: frozen, shuffled, reversed and jittering clips. Published values come from
    Farneback flow over pictures with cropped borders, later ones from RAFT: name the method. Nothing is cropped.

    Args:
        flow_made, flow_real: [B, T-1, 2, H, W], pixels, of one and the same method.
        mask: bool [B, T-1, 1, H, W], the pixels to score; None scores the whole frame.
    Returns:
        [B] float64, pixels; NaN where the mask is empty. Lower is better.
    Raises:
        UserError: shapes disagree.
    """
    weight = torch.ones_like(flow_real[:, :, :1], dtype=torch.bool) if mask is None else mask
    _check_flows(flow_made, flow_real, weight)
    gap = flow_made - flow_real
    length = torch.where(weight, torch.hypot(gap[:, :, :1], gap[:, :, 1:]).double(), 0.0)
    return length.sum(dim=(1, 2, 3, 4)) / weight.double().sum(dim=(1, 2, 3, 4))


def perceptual_change_distance(made_steps: Tensor, real_steps: Tensor) -> tuple[Tensor, Tensor]:
    """tLP: how differently made and real frames change from one to the next (Chu et al. 2020, TecoGAN, section 4).

    Args:
        made_steps, real_steps: [B, T-1], LPIPS of frame t and t+1 inside each clip.
    Returns:
        tLP [B] float64, the mean of |made - real| (published times 100), lower is better; and the signed mean of
        made - real: above 0 flickers, below 0 is frozen, which the first cannot tell apart.
    Raises:
        UserError: shapes disagree.
    """
    if made_steps.shape != real_steps.shape or made_steps.ndim != 2:
        raise UserError(
            f"tLP: made {tuple(made_steps.shape)}, real {tuple(real_steps.shape)}, expected [B, T-1] twice"
        )
    gap = made_steps.double() - real_steps.double()
    return gap.abs().mean(dim=1), gap.mean(dim=1)


def static_region(flow_real: Tensor, valid: Tensor) -> Tensor:
    """Where the real clip stands still: a known motion below a twentieth of a pixel.

    Args:
        flow_real: [B, T-1, 2, H, W], pixels.
        valid: bool [B, T-1, 1, H, W].
    Returns:
        bool [B, T-1, 1, H, W], on frame t's grid.
    """
    return (torch.hypot(flow_real[:, :, :1], flow_real[:, :, 1:]) < STATIC_PIXELS) & valid


def flicker(video: Tensor, static: Tensor) -> Tensor:
    """Mean absolute change from frame to frame where nothing should move, over all colours.

    Over moving pixels this would measure motion and reward a frozen clip. Show the real clip's value beside it.

    Args:
        video: [B, T, C, H, W], [0, 1].
        static: bool [B, T-1, 1, H, W], from :func:`static_region`.
    Returns:
        [B] float64 on [0, 1]; NaN where nothing is static. Lower is better, the real clip's value is the floor.
    Raises:
        UserError: shapes disagree, or values outside [0, 1].
    """
    if video.ndim != 5 or static.shape != (video.shape[0], video.shape[1] - 1, 1, *video.shape[3:]):
        raise UserError(
            f"flicker: video {tuple(video.shape)}, static {tuple(static.shape)}; "
            "expected [B, T, C, H, W] and [B, T-1, 1, H, W]"
        )
    check_range("flicker: video", video)
    change = video.diff(dim=1).abs().mean(dim=2, keepdim=True, dtype=torch.float64)
    weight = static.double()
    return (change * weight).sum(dim=(1, 2, 3, 4)) / weight.sum(dim=(1, 2, 3, 4))


def _ratio_of_lengths(made: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Mean vector length over the mask, made / real: [B, N, 2, H, W] twice and [B, N, 1, H, W] -> [B]."""
    _check_flows(made, real, mask)
    weight = mask.double()
    count = weight.sum(dim=(1, 2, 3, 4))
    lengths = [
        # hypot, not norm: norm over a strided dimension takes 30 times as long on a CPU.
        (torch.hypot(flow[:, :, :1], flow[:, :, 1:]).double() * weight).sum(dim=(1, 2, 3, 4)) / count
        for flow in (made, real)
    ]
    return guarded_ratio(lengths[0], lengths[1])


def _check_flows(made: Tensor, real: Tensor, mask: Tensor) -> None:
    if made.shape != real.shape or mask.shape != (*made.shape[:2], 1, *made.shape[3:]):
        raise UserError(
            f"flows are {tuple(made.shape)} and {tuple(real.shape)}, mask {tuple(mask.shape)}; "
            "expected [B, T-1, 2, H, W] twice and [B, T-1, 1, H, W]"
        )


def guarded_ratio(made: Tensor, real: Tensor) -> Tensor:
    """made / real, NaN where the real value is too small to divide by."""
    return torch.where(real > STILL_PIXELS, made / real, torch.nan)
