"""Keypoints to condition maps, at sub-pixel accuracy and independent of the skeleton.

Joints and limbs are drawn as Gaussians into a fixed number of depth groups, so no weight's shape depends on how many
joints a skeleton has: one network serves 25 joints, 14 joints, or a tail. Beside them a fixed skeleton may have a map
per joint.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

CODE_CHANNELS = 4
CHANNELS_PER_GROUP = 1 + 1 + 2 + CODE_CHANNELS
"""Joint, limb, direction along the limb (x, y), identity code of the limb."""


def sigma_px(size: int) -> float:
    """Width of a drawn joint or limb at this resolution: 2 % of the side, at least 0.8 pixel."""
    return max(0.8, 0.02 * size)


def limb_codes(count: int) -> Tensor:
    """Identity code of each limb, float64 [L, 4]: two angles turned by irrational steps, so that no two agree."""
    step = torch.arange(1, count + 1, dtype=torch.float64)
    first, second = 2 * math.pi * step * 0.6180339887498949, 2 * math.pi * step * 0.4142135623730951
    return torch.stack([first.cos(), first.sin(), second.cos(), second.sin()], dim=1)


def draw_pose_maps(
    keypoints: Tensor,
    confidence: Tensor,
    layer: Tensor,
    edges: Sequence[tuple[int, int]],
    size: int,
    groups: int,
) -> Tensor:
    """Draw poses as maps.

    A limb belongs to the depth group of its nearer joint and has the lower confidence of its two. Values are
    confidence-weighted Gaussians of :func:`sigma_px`, exactly 0 beyond 3 sigma: tails of denormals made CPU training
    three times slower.

    Args:
        keypoints: [N, J, 2], x, y in [0, 1], pixel centres at (i + 0.5) / size.
        confidence: [N, J] in [0, 1]; joints at 0 are not drawn, nor limbs that end in one.
        layer: int64 [N, J], depth layer, 0 nearest; layers beyond the last group join it.
        edges: limbs as pairs of joints.
        size: pixels per side.
        groups: number of depth groups G.
    Returns:
        [N, G * 8, size, size], dtype of ``keypoints``; per group joint [0, 1], limb [0, 1], direction [-1, 1] x 2,
        code [-1, 1] x 4.
    """
    device = keypoints.device
    count = keypoints.shape[0]
    points = _present(keypoints, confidence) * size
    group = layer.clamp(0, groups - 1)
    heat = _joint_heat(points, size)
    joint_rows = _in_group(group, groups).to(points.dtype) * confidence[:, None]
    joint = torch.bmm(joint_rows, heat.flatten(2)).clamp_max(1).view(count, groups, 1, size, size)
    if not edges:
        empty = joint.new_zeros(count, groups, CHANNELS_PER_GROUP - 1, size, size)
        return torch.cat([joint, empty], dim=2).flatten(1, 2)

    start, end = torch.tensor(edges).to(device, non_blocking=True).T
    limbs = limb_coordinates(points[:, start], points[:, end], size)
    limb_heat = _truncated_gaussian(limbs.distance_squared, size).flatten(2)
    limb_confidence = torch.minimum(confidence[:, start], confidence[:, end])
    limb_group = torch.minimum(group[:, start], group[:, end])
    codes = limb_codes(len(edges)).to(points, non_blocking=True).expand(count, -1, -1)
    features = torch.cat([torch.ones_like(limbs.direction[..., :1]), limbs.direction, codes], dim=-1)
    rows = (_in_group(limb_group, groups).to(points.dtype) * limb_confidence[:, None])[
        :, :, None
    ] * features.transpose(1, 2)[:, None]
    sums = torch.bmm(rows.flatten(1, 2), limb_heat).view(count, groups, CHANNELS_PER_GROUP - 1, size, size)
    # Where limbs overlap their features are averaged; alone they fade with the limb.
    limb = sums / sums[:, :, :1].clamp_min(1)
    return torch.cat([joint, limb], dim=2).flatten(1, 2)


def draw_joint_maps(keypoints: Tensor, confidence: Tensor, size: int) -> Tensor:
    """One map per joint, for a fixed skeleton.

    Args:
        keypoints: [N, J, 2], x, y in [0, 1].
        confidence: [N, J] in [0, 1].
        size: pixels per side.
    Returns:
        [N, J, size, size] in [0, 1], dtype of ``keypoints``.
    """
    heat = _joint_heat(_present(keypoints, confidence) * size, size)
    return heat * confidence[..., None, None]


class Limbs(NamedTuple):
    """Every pixel as seen from every limb, in pixels: [N, L, S, S]; direction [N, L, 2]; length [N, L]."""

    distance_squared: Tensor
    along: Tensor
    across: Tensor
    direction: Tensor
    length: Tensor


def limb_coordinates(a: Tensor, b: Tensor, size: int) -> Limbs:
    """Pixels in the frames of limbs that lead from a to b, both [N, L, 2] in pixels of a size x size picture."""
    centre = torch.arange(size, device=a.device, dtype=a.dtype) + 0.5
    vector = b - a
    length = vector.square().sum(-1).clamp_min(1e-6).sqrt()
    direction = vector / length[..., None]
    x = (centre - a[..., 0, None])[:, :, None, :]
    y = (centre - a[..., 1, None])[:, :, :, None]
    dx, dy = direction[..., 0, None, None], direction[..., 1, None, None]
    along = x * dx + y * dy
    across = y * dx - x * dy
    beyond = along - torch.minimum(along.clamp_min(0), length[..., None, None])
    return Limbs(across.square() + beyond.square(), along, across, direction, length)


def _present(keypoints: Tensor, confidence: Tensor) -> Tensor:
    """A missing joint's place may be anything, even not a number, and must not reach a sum."""
    return torch.where(confidence[..., None] > 0, keypoints, 0.0)


def _joint_heat(points: Tensor, size: int) -> Tensor:
    """[N, J, 2] in pixels -> [N, J, size, size]."""
    centre = torch.arange(size, device=points.device, dtype=points.dtype) + 0.5
    dx, dy = centre - points[..., 0, None], centre - points[..., 1, None]
    return _truncated_gaussian(dx[:, :, None, :] ** 2 + dy[:, :, :, None] ** 2, size)


def _truncated_gaussian(distance_squared: Tensor, size: int) -> Tensor:
    sigma = sigma_px(size)
    reach = (3 * sigma) ** 2
    # Far tails are clamped before they are taken out: exp is slow where its result is a denormal.
    return torch.exp(distance_squared.clamp_max(reach) / (-2 * sigma * sigma)) * (distance_squared <= reach)


def _in_group(group: Tensor, groups: int) -> Tensor:
    """int64 [N, K] -> bool [N, G, K]: item k is in group g."""
    return group[:, None] == torch.arange(groups, device=group.device)[:, None]
