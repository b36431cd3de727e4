"""Backward warping: the one place that says what a flow field means.

``flow[t]`` lives on frame t's grid, in pixels (dx, dy): frame t+1 sampled at ``x + flow[t](x)`` reproduces
frame t. Both the flow-consistency loss and the warping-error metric sample through here.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from .pose_maps import limb_coordinates

AGREEMENT_POWER = 4
"""How fast a limb loses its say where it must be turned to fit: (half of 1 + cos) to this power (LOG.md 2026-11-21)."""


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


def limb_warp(
    reference: Tensor,
    reference_keypoints: Tensor,
    reference_confidence: Tensor,
    keypoints: Tensor,
    confidence: Tensor,
    edges: Sequence[tuple[int, int]],
) -> Tensor:
    """Carry reference pictures to target poses, limb by limb, with no learning at all.

    Each limb present on both sides gives a similarity transform from the target's limb to the reference's; a pixel
    samples the reference at the mean of all transforms, weighted by inverse squared distance to the target's limb, and
    less where the limb must be turned far.

    Args:
        reference: [B, R, C, S, S], any range.
        reference_keypoints, reference_confidence: [B, R, J, 2] in [0, 1], and [B, R, J].
        keypoints, confidence: of the targets, [B, T, J, 2] in [0, 1], and [B, T, J].
        edges: limbs as pairs of joints; none: the references are returned as they are.
    Returns:
        [B, T, R, C, S, S]; a reference that shares no limb with the target is returned as it is.
    """
    b, r, c, size = reference.shape[:4]
    t = keypoints.shape[1]
    plain = reference[:, None].expand(b, t, r, c, size, size)
    if not edges:
        return plain
    start, end = torch.tensor(edges, device=reference.device).T
    # A missing joint's place may be anything, even not a number, and must not reach a sum.
    target = (torch.where(confidence[..., None] > 0, keypoints, 0.0) * size).flatten(0, 1)
    source = torch.where(reference_confidence[..., None] > 0, reference_keypoints, 0.0) * size
    source = source[:, None].expand(b, t, r, -1, 2).flatten(0, 1)
    there = torch.minimum(confidence[..., start], confidence[..., end]).flatten(0, 1) > 0
    there_in_source = torch.minimum(reference_confidence[..., start], reference_confidence[..., end]) > 0
    there = there[:, None] & there_in_source[:, None].expand(b, t, r, -1).flatten(0, 1)

    limbs = limb_coordinates(target[:, start], target[:, end], size)
    source_start = source[:, :, start]
    vector = source[:, :, end] - source_start
    length = vector.square().sum(-1).clamp_min(1e-6).sqrt()
    # Foreshortened limbs would blow everything around them up; half to double is what drawings need.
    scale = (length / limbs.length[:, None]).clamp(0.5, 2.0)
    along = vector / length[..., None] * scale[..., None]
    across = torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    # A limb that points the other way belongs to a body turned round: its transform would stand feet on their heads.
    dot = (vector * (target[:, end] - target[:, start])[:, None]).sum(-1)
    agreement = 0.5 + 0.5 * dot / (length * limbs.length[:, None])
    weight = there * agreement.clamp_min(0.05) ** AGREEMENT_POWER

    near = 1 / (limbs.distance_squared + (0.01 * size) ** 2)
    total = torch.bmm(weight, near.flatten(2)).clamp_min(1e-12)
    rows = torch.cat([along, across, source_start], dim=2) * weight.repeat(1, 1, 3)[..., None]
    seen = torch.cat([near * limbs.along, near * limbs.across, near], dim=1).flatten(2)
    position = torch.bmm(rows.transpose(2, 3).flatten(1, 2), seen).view(b * t, r, 2, -1) / total[:, :, None]
    grid = (position.transpose(2, 3) / size * 2 - 1).view(b * t * r, size, size, 2)
    warped = functional.grid_sample(
        plain.reshape(-1, c, size, size), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    kept = there.any(-1).view(b, t, r, 1, 1, 1)
    return torch.where(kept, warped.view(b, t, r, c, size, size), plain)


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
