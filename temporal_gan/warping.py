"""Backward warping: the one place that says what a flow field means.

``flow[t]`` lives on frame t's grid, in pixels (dx, dy): frame t+1 sampled at ``x + flow[t](x)`` reproduces
frame t. Both the flow-consistency loss and the warping-error metric sample through here.
"""

import torch
from torch import Tensor
from torch.nn import functional


def warp_backward(image: Tensor, flow: Tensor) -> Tensor:
    """Sample an image at ``x + flow(x)``, bilinearly; positions outside take the nearest border pixel.

    Differentiable in both arguments. The positions are computed in float32 at least: in bfloat16 a column
    index above 256 is no longer exact.

    Args:
        image: [N, C, H, W], any floating dtype and range.
        flow: [N, 2, H, W], pixels, (dx, dy).
    Returns:
        [N, C, H, W], dtype of ``image``; integer flows move pixels exactly, to float rounding.
    Raises:
        ValueError: shapes disagree.
    """
    if image.ndim != 4 or flow.shape != (image.shape[0], 2, *image.shape[2:]):
        raise ValueError(
            f"warp_backward: flow is {tuple(flow.shape)}, expected [N, 2, H, W] "
            f"for image {tuple(image.shape)}"
        )
    work = torch.float64 if torch.float64 in (image.dtype, flow.dtype) else torch.float32
    x, y = _sampling_positions(flow.to(work))
    height, width = flow.shape[-2:]
    # align_corners=True maps -1 and 1 to the centres of the first and last pixel.
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], dim=-1)
    warped = functional.grid_sample(
        image.to(work), grid, mode="bilinear", padding_mode="border", align_corners=True
    )
    return warped.to(image.dtype)


def warp_clip(video: Tensor, flow: Tensor) -> Tensor:
    """Frames 1..T-1 of each clip, sampled on the grids of frames 0..T-2.

    Args:
        video: [B, T, C, H, W], any range.
        flow: [B, T-1, 2, H, W], pixels, on frame t's grid.
    Returns:
        [B, T-1, C, H, W]; where the flow is right, entry t equals ``video[:, t]``.
    Raises:
        ValueError: fewer than two frames, or shapes disagree.
    """
    if video.ndim != 5 or video.shape[1] < 2:
        raise ValueError(f"warp_clip: video is {tuple(video.shape)}, expected [B, T, C, H, W] with T >= 2")
    b, t, c, h, w = video.shape
    if flow.shape != (b, t - 1, 2, h, w):
        raise ValueError(f"warp_clip: flow is {tuple(flow.shape)}, expected {(b, t - 1, 2, h, w)}")
    warped = warp_backward(video[:, 1:].reshape(-1, c, h, w), flow.reshape(-1, 2, h, w))
    return warped.view(b, t - 1, c, h, w)


def in_bounds(flow: Tensor) -> Tensor:
    """Where ``x + flow(x)`` lies inside the picture; elsewhere warping repeats the border: no evidence.

    Args:
        flow: [..., 2, H, W], pixels.
    Returns:
        bool [..., 1, H, W].
    """
    x, y = _sampling_positions(flow)
    height, width = flow.shape[-2:]
    return ((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)).unsqueeze(-3)


def _sampling_positions(flow: Tensor) -> tuple[Tensor, Tensor]:
    """[..., 2, H, W] -> x and y [..., H, W] in pixels, pixel centres at whole numbers."""
    height, width = flow.shape[-2:]
    x = flow[..., 0, :, :] + torch.arange(width, device=flow.device, dtype=flow.dtype)
    y = flow[..., 1, :, :] + torch.arange(height, device=flow.device, dtype=flow.dtype).unsqueeze(-1)
    return x, y
