"""Limb warp: reference pictures carried to other poses, limb by limb, with no learning at all."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .pose_maps import Limbs, limb_coordinates

AGREEMENT_POWER = 4
"""How fast a limb loses its say where it must be turned to fit: (half of 1 + cos) to this power (LOG.md 2026-11-21)."""

OWNERSHIP_POWER = 3
"""How sharply a reference is divided among its limbs; 2 leaves ghosts, 4 hard edges (LOG.md 2026-11-21)."""

LAYERS = 3
"""Depth layers composited: near limbs, body, far limbs."""

UNCLAIMED = 0.01
"""Weight of the warp by all limbs together, which shows where no layer has anything to show."""


def limb_warp(
    reference: Tensor,
    reference_keypoints: Tensor,
    reference_confidence: Tensor,
    keypoints: Tensor,
    confidence: Tensor,
    edges: Sequence[tuple[int, int]],
    layer: Tensor | None = None,
    field_size: int | None = None,
) -> Tensor:
    """Carry reference pictures to target poses, limb by limb, with no learning at all.

    Each limb present on both sides gives a similarity transform from the target's limb to the reference's; a pixel
    samples the reference at the mean of all transforms, weighted by inverse squared distance to the target's limb, and
    less where the limb must be turned far.

    With depth layers each layer is warped by its own limbs alone and shows only what belongs to them in the reference
    (the part of the picture nearest to their limbs there), near layers over far ones: legs that cross in one of the
    two pictures do not grow together (LOG.md 2026-11-21).

    Args:
        reference: [B, R, C, S, S], any range.
        reference_keypoints, reference_confidence: [B, R, J, 2] in [0, 1], and [B, R, J].
        keypoints, confidence: of the targets, [B, T, J, 2] in [0, 1], and [B, T, J].
        edges: limbs as pairs of joints; none: the references are returned as they are.
        layer: int64 [B, T, J], depth layer of the targets' joints, 0 nearest, those beyond 2 taken as 2; None: all
            limbs together.
    Returns:
        [B, T, R, C, S, S]; a reference that shares no limb with the target is returned as it is.
    """
    b, r, c, side = reference.shape[:4]
    t = keypoints.shape[1]
    size = field_size or side
    plain = reference[:, None].expand(b, t, r, c, side, side)
    if not edges:
        return plain
    start, end = torch.tensor(edges).to(reference.device, non_blocking=True).T
    # A missing joint's place may be anything, even not a number, and must not reach a sum.
    target = (torch.where(confidence[..., None] > 0, keypoints, 0.0) * size).flatten(0, 1)
    source = torch.where(reference_confidence[..., None] > 0, reference_keypoints, 0.0) * size
    there = torch.minimum(confidence[..., start], confidence[..., end]).flatten(0, 1) > 0
    there_in_source = torch.minimum(reference_confidence[..., start], reference_confidence[..., end]) > 0
    shared = there[:, None] & _each_frame(there_in_source, t)

    fields = _limb_fields(
        target[:, start],
        target[:, end],
        _each_frame(source[:, :, start], t),
        _each_frame(source[:, :, end], t),
        shared,
        size,
    )
    picture = plain.flatten(0, 1)
    if layer is None:
        warped = _sample(picture, _positions(fields, None)[0])
    else:
        limbs = limb_coordinates(source[:, :, start].flatten(0, 1), source[:, :, end].flatten(0, 1), size)
        owner = _nearness(limbs, size) ** OWNERSHIP_POWER * there_in_source.flatten(0, 1)[..., None, None]
        owner = (owner / owner.sum(1, keepdim=True).clamp_min(1e-12)).view(b, r, -1, size, size)
        depth = torch.minimum(layer[..., start], layer[..., end]).flatten(0, 1).clamp(0, LAYERS - 1)
        warped = _composite(picture, fields, _each_frame(owner, t), depth)
    kept = shared.any(-1).view(b, t, r, 1, 1, 1)
    return torch.where(kept, warped.view(b, t, r, c, side, side), plain)


class _LimbFields(NamedTuple):
    """What a position field of any group of limbs is made of, N = B T.

    Attributes:
        rows: [N, R, L, 6], each limb's transform: along (x, y), across (x, y), start (x, y) in the reference.
        weight: [N, R, L], how much each limb is to be trusted; 0 where it is missing on one side.
        near: [N, L, S, S], inverse squared distance to the target's limb.
        seen: [N, 3 L, S * S], ``near`` times where along and across the limb a pixel lies, and ``near``.
    """

    rows: Tensor
    weight: Tensor
    near: Tensor
    seen: Tensor


def _limb_fields(
    target_start: Tensor, target_end: Tensor, start: Tensor, end: Tensor, shared: Tensor, size: int
) -> _LimbFields:
    """From the ends of the targets' limbs [N, L, 2] and of the references' [N, R, L, 2], in pixels, and whether both
    have the limb [N, R, L]."""
    limbs = limb_coordinates(target_start, target_end, size)
    vector = end - start
    length = vector.square().sum(-1).clamp_min(1e-6).sqrt()
    # Foreshortened limbs would blow everything around them up; half to double is what drawings need.
    scale = (length / limbs.length[:, None]).clamp(0.5, 2.0)
    along = vector / length[..., None] * scale[..., None]
    across = torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    # A limb that points the other way belongs to a body turned round: its transform would stand feet on their heads.
    dot = (vector * (target_end - target_start)[:, None]).sum(-1)
    agreement = 0.5 + 0.5 * dot / (length * limbs.length[:, None])
    near = _nearness(limbs, size)
    return _LimbFields(
        rows=torch.cat([along, across, start], dim=-1),
        weight=shared * agreement.clamp_min(0.05) ** AGREEMENT_POWER,
        near=near,
        seen=torch.cat([near * limbs.along, near * limbs.across, near], dim=1).flatten(2),
    )


def _positions(fields: _LimbFields, chosen: Tensor | None) -> tuple[Tensor, Tensor]:
    """Where the ``chosen`` limbs (bool [N, L]; None: all) lead each pixel, [N, R, 2, S, S] in [-1, 1] of the reference,
    and their summed weight [N, R, 1, S, S]."""
    n, r = fields.weight.shape[:2]
    size = fields.near.shape[-1]
    weight = fields.weight if chosen is None else fields.weight * chosen[:, None]
    total = torch.bmm(weight, fields.near.flatten(2)).clamp_min(1e-12)
    along, across, start = (fields.rows * weight[..., None]).split(2, dim=-1)
    rows = torch.cat([along, across, start], dim=2).transpose(2, 3).flatten(1, 2)
    position = torch.bmm(rows, fields.seen).view(n, r, 2, -1) / total[:, :, None]
    return (position / size * 2 - 1).view(n, r, 2, size, size), total.view(n, r, 1, size, size)


def _sample(picture: Tensor, position: Tensor) -> Tensor:
    """Pictures [N, R, K, S, S] at the positions of a field [N, R, 2, s, s], which may be coarser."""
    n, r, k, side = picture.shape[:4]
    # A field says by how much to move, which between two of its pixels is between their two answers.
    move = _resized(position - _grid(position), side) + _grid(picture)
    warped = functional.grid_sample(
        picture.reshape(n * r, k, side, side),
        move.flatten(0, 1).permute(0, 2, 3, 1),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    return warped.view(n, r, k, side, side)


def _composite(picture: Tensor, fields: _LimbFields, owner: Tensor, depth: Tensor) -> Tensor:
    """Warp each depth layer by itself and show the near ones over the far ones.

    A layer's say at a pixel is how much of what it brings there belongs to it in the reference, times its limbs' share
    of the nearness to the pixel, times what the nearer layers leave.

    Args:
        picture: [N, R, C, S, S].
        owner: [N, R, L, s, s], how much of each of the reference's pixels belongs to each limb.
        depth: int64 [N, L].
    """
    side = picture.shape[-1]
    together, total = _positions(fields, None)
    shown = UNCLAIMED * _sample(picture, together)
    say = torch.full_like(total, UNCLAIMED)
    left = torch.ones_like(total)
    for group in range(LAYERS):
        chosen = depth == group
        mine = torch.einsum("nl,nrlhw->nrhw", chosen.to(owner.dtype), owner)[:, :, None]
        position, near = _positions(fields, chosen)
        claim = left * _sample(mine, position) * near / total
        shown, say = shown + _resized(claim, side) * _sample(picture, position), say + claim
        left = left - claim
    return shown / _resized(say, side)


def _resized(field: Tensor, side: int) -> Tensor:
    """[N, R, K, s, s] -> [N, R, K, side, side], bilinearly."""
    if field.shape[-1] == side:
        return field
    larger = functional.interpolate(field.flatten(0, 1), (side, side), mode="bilinear", align_corners=False)
    return larger.unflatten(0, field.shape[:2])


def _grid(like: Tensor) -> Tensor:
    """[2, S, S], x and y of the pixel centres in [-1, 1] (the sampler's -1 is the picture's edge)."""
    side = like.shape[-1]
    centre = (torch.arange(side, device=like.device, dtype=like.dtype) + 0.5) / side * 2 - 1
    return torch.stack([centre.expand(side, side), centre[:, None].expand(side, side)])


def _nearness(limbs: Limbs, size: int) -> Tensor:
    """Inverse squared distance, [N, L, S, S], of a pixel to each limb, of finite height on the limb."""
    return 1 / (limbs.distance_squared + (0.01 * size) ** 2)


def _each_frame(per_reference: Tensor, frames: int) -> Tensor:
    """[B, R, ...] -> [B T, R, ...], the same for all T frames."""
    return per_reference[:, None].expand(-1, frames, *per_reference.shape[1:]).flatten(0, 1)
