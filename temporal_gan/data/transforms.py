"""Augmentation that keeps a clip a clip: one random draw per clip, applied to its frames, joints and flow
alike.

All geometry is one point map, phi: place in the new picture -> place in the old one. The new frame is the old
one sampled at phi; joints go through phi's inverse; the new flow at x leads from x to the inverse of (phi(x)
+ old flow).
"""

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from ..batch import SHOWN_FIELDS, ClipBatch, to_model_range
from ..rng import numpy_generator
from ..skeletons import Skeleton, limbs
from .manifest import OUT_OF_FRAME


class AugmentConfig(BaseModel):
    """How strongly clips are changed; everything is off by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flip_prob: float = Field(
        default=0.0, ge=0, le=1, description="chance of a left-right mirror; 0.5 doubles the data"
    )
    # The spline's slope reaches 0.75 at 0.1 in the worst case; at 1 it would fold over itself.
    warp: float = Field(
        default=0.0,
        ge=0,
        le=0.1,
        description="thin-plate jitter of a 3x3 grid, corners kept, in picture sizes",
    )
    zoom: float = Field(
        default=0.0, ge=0, le=1, description="enlarge by a factor of 1 / (1 + zoom) to 1 + zoom"
    )
    shift: float = Field(
        default=0.0, ge=0, le=0.5, description="move by up to this part of the picture, each way"
    )
    brightness: float = Field(default=0.0, ge=0, le=1, description="colour times 1 - b to 1 + b")
    contrast: float = Field(
        default=0.0, ge=0, le=1, description="distance from mean grey times 1 - c to 1 + c"
    )
    saturation: float = Field(default=0.0, ge=0, le=1, description="distance from grey times 1 - s to 1 + s")
    hue: float = Field(
        default=0.0, ge=0, le=0.5, description="turn of the colour circle by up to this part, each way"
    )
    limb_drop_prob: float = Field(
        default=0.0, ge=0, le=1, description="chance that a clip is commanded without one of its limbs"
    )
    joint_drop_prob: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="chance that clip and references lack some joints, as under a skeleton that has fewer",
    )


class PointMap(NamedTuple):
    """phi of one clip, in [0, 1] of width and height: scale, then offset, then the spline's displacement.

    Attributes:
        scale, offset: float64 [2]; a mirror has a negative first scale.
        corners: float64 [9, 2] displacement of the 3x3 grid's points, or None for no warp.
    """

    scale: Tensor
    offset: Tensor
    corners: Tensor | None

    def forward(self, points: Tensor) -> Tensor:
        """New places float64 [N, 2] -> old places."""
        straight = points * self.scale + self.offset
        return straight if self.corners is None else straight + _displacement(straight, self.corners)

    def unwarp(self, points: Tensor, tolerance: float = 1e-6) -> Tensor:
        """Undo the spline alone by fixed-point iteration, to ``tolerance`` picture sizes."""
        if self.corners is None:
            return points
        guess = points
        for _ in range(60):  # a slope of 0.75 takes 45 to reach 1e-6
            better = points - _displacement(guess, self.corners)
            moved = (better - guess).abs().max() if len(points) else torch.zeros(())
            guess = better
            if moved < tolerance:
                break
        return guess

    def inverse(self, points: Tensor) -> Tensor:
        """Old places float64 [N, 2] -> new places."""
        return (self.unwarp(points) - self.offset) / self.scale


def augment(
    batch: ClipBatch,
    config: AugmentConfig,
    seed: int,
    first_sample: int,
    skeleton: Skeleton,
    expressions: tuple[str, ...],
) -> ClipBatch:
    """Change every clip of a batch by its own draw.

    Args:
        batch: on the CPU or a device; not changed.
        config: how strongly.
        seed: of the run's augmentation.
        first_sample: number, in the endless stream of samples, of the batch's first clip; the others follow
            it.
        skeleton: whose flip pairs a mirror exchanges.
        expressions: names of the E channels; a mirror exchanges ...Left and ...Right.
    Returns:
        a batch of the same shapes. Beyond the old picture there is transparency, or an RGB clip's border
        colour. Joints that leave the picture get confidence 0; flow is valid only where both its ends lie
        inside. A dropped limb has confidence 0 in every frame: it is not commanded, and still in the picture; dropped
        joints have it in the references too.
    """
    if config == AugmentConfig():
        return batch
    clips = [
        _augment_clip(batch, b, config, seed, first_sample + b, skeleton, expressions)
        for b in range(len(batch))
    ]
    joined = {name: torch.stack([c[name] for c in clips]) for name in clips[0]}
    return replace(batch, **joined)  # type: ignore[arg-type]


def _draw(seed: int, sample: int) -> Tensor:
    """20 numbers in [-1, 1): always all, so that switching one change on leaves the others alone."""
    return torch.from_numpy(numpy_generator(seed, "augment", sample).uniform(-1, 1, 20))


def _augment_clip(
    batch: ClipBatch,
    b: int,
    config: AugmentConfig,
    seed: int,
    sample: int,
    skeleton: Skeleton,
    expressions: tuple[str, ...],
) -> dict[str, Tensor]:
    device, draw = batch.video.device, _draw(seed, sample)
    names = (*SHOWN_FIELDS, "flow", "flow_valid")
    clip = {n: getattr(batch, n)[b] for n in names if getattr(batch, n) is not None}
    # The references show the same character: mirrored, bent and tinted alike.
    shown = {n: getattr(batch, f"reference_{n}") for n in ("video", "keypoints", "confidence", "layer")}
    shown = {n: v[b] for n, v in shown.items() if v is not None}
    mirrored = bool(draw[0] < 2 * config.flip_prob - 1)
    phi = _point_map(config, draw[1:14], mirrored)
    if mirrored:
        joints = torch.from_numpy(skeleton.flip_permutation()).to(device)
        channels = torch.tensor(_mirrored_channels(expressions), dtype=torch.long, device=device)
        clip |= {n: clip[n].index_select(1, joints) for n in ("keypoints", "confidence", "layer")}
        clip |= {n: clip[n].index_select(1, channels) for n in ("expression", "expression_confidence")}
        shown |= {n: v.index_select(1, joints) for n, v in shown.items() if n != "video"}
    for frames in (clip, shown) if shown else (clip,):
        if phi is not None:
            _move(frames, PointMap(*(None if v is None else v.to(device) for v in phi)))  # type: ignore[arg-type]
        if config.brightness or config.contrast or config.saturation or config.hue:
            frames["video"] = _recolour(frames["video"], config, draw[14:18].tolist())
    droppable = limbs(skeleton)
    if droppable and draw[18] < 2 * config.limb_drop_prob - 1:
        limb = droppable[int((draw[19] + 1) / 2 * len(droppable))]
        clip["confidence"] = clip["confidence"].clone()
        clip["confidence"][:, list(limb)] = 0
    if config.joint_drop_prob:
        kept = _kept_joints(seed, sample, config.joint_drop_prob, clip["confidence"].shape[-1]).to(device)
        clip["confidence"] = clip["confidence"] * kept
        if shown:
            shown["confidence"] = shown["confidence"] * kept
    return clip | {f"reference_{n}": v for n, v in shown.items()}


def _kept_joints(seed: int, sample: int, chance: float, joints: int) -> Tensor:
    """[J] of 0 and 1. Where joints are dropped at all, each is with the same probability, up to a half."""
    draw = numpy_generator(seed, "joints", sample)
    dropped = draw.uniform() < chance
    share = draw.uniform(0, 0.5) * dropped
    return torch.from_numpy((draw.uniform(size=joints) >= share).astype("float32"))


def _point_map(config: AugmentConfig, draw: Tensor, mirrored: bool) -> PointMap | None:
    if not (mirrored or config.warp or config.zoom or config.shift):
        return None
    size = (1 + config.zoom) ** -float(draw[0])
    scale = torch.tensor([-size if mirrored else size, size], dtype=torch.float64)
    offset = 0.5 - scale / 2 + config.shift * draw[1:3]
    corners = None
    if config.warp:
        corners = torch.zeros(9, 2, dtype=torch.float64)
        corners[[1, 3, 4, 5, 7]] = config.warp * draw[3:13].reshape(5, 2)
    return PointMap(scale, offset, corners)


def _mirrored_channels(expressions: tuple[str, ...]) -> list[int]:
    other = [n.replace("Left", "Right") if "Left" in n else n.replace("Right", "Left") for n in expressions]
    return [expressions.index(n) if n in expressions else i for i, n in enumerate(other)]


@lru_cache(maxsize=4)
def _spline(device: torch.device) -> tuple[Tensor, Tensor]:
    """The 3x3 grid float64 [9, 2] and the matrix [12, 9] from its displacements to spline coefficients."""
    axis = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    system = torch.zeros(12, 12, dtype=torch.float64)
    system[:9] = _basis(grid, grid)
    system[9:, :9] = system[:9, 9:].T
    return grid.to(device), torch.linalg.inv(system)[:, :9].contiguous().to(device)


def _basis(points: Tensor, grid: Tensor) -> Tensor:
    squared = (points[:, :1] - grid[:, 0]).square() + (points[:, 1:] - grid[:, 1]).square()
    radial = torch.xlogy(squared, squared)  # r^2 log r^2, 0 at 0 (Bookstein 1989, up to a factor)
    return torch.cat([radial, torch.ones_like(points[:, :1]), points], dim=1)


def _displacement(points: Tensor, corners: Tensor) -> Tensor:
    """Thin-plate spline displacement [N, 2]; outside the picture the edge's, so that nothing folds."""
    grid, matrix = _spline(points.device)
    return _basis(points.clamp(0, 1), grid) @ (matrix @ corners)


def _pixel_centres(height: int, width: int, device: torch.device) -> Tensor:
    y = (torch.arange(height, dtype=torch.float64, device=device) + 0.5) / height
    x = (torch.arange(width, dtype=torch.float64, device=device) + 0.5) / width
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)], dim=-1).reshape(-1, 2)


def _move(clip: dict[str, Tensor], phi: PointMap) -> None:
    """Apply the point map to every field of one clip, in place of the old ones."""
    frames, channels, height, width = clip["video"].shape
    device = clip["video"].device
    places = _pixel_centres(height, width, device)
    old = phi.forward(places)
    grid = (old * 2 - 1).float().reshape(1, height, width, 2).expand(frames, -1, -1, -1)
    video = (clip["video"] + 1) / 2
    outside = torch.zeros(channels, 1, 1, device=device) if channels == 4 else _border_colour(video)
    moved = F.grid_sample(video - outside, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    clip["video"] = to_model_range((moved + outside).clamp(0, 1))

    points = phi.inverse(clip["keypoints"].reshape(-1, 2).double()).reshape(clip["keypoints"].shape)
    inside = ((points >= 0) & (points <= 1)).all(dim=-1)
    clip["confidence"] = clip["confidence"] * inside
    clip["keypoints"] = points.clamp(-OUT_OF_FRAME, 1 + OUT_OF_FRAME).float()
    if "flow" in clip and frames > 1:
        clip["flow"], clip["flow_valid"] = _move_flow(clip["flow"], clip["flow_valid"], phi, places, old)


def _move_flow(
    flow: Tensor, valid: Tensor, phi: PointMap, places: Tensor, old: Tensor
) -> tuple[Tensor, Tensor]:
    """New flow [T-1, 2, H, W] and validity of one clip; ``places`` and ``old`` [H*W, 2] are phi's sides."""
    pairs, _, height, width = flow.shape
    size = torch.tensor([width, height], dtype=torch.float64, device=flow.device)
    at = (old * 2 - 1).float().reshape(1, height, width, 2).expand(pairs, -1, -1, -1)
    step = F.grid_sample(flow, at, mode="bilinear", padding_mode="border", align_corners=False)
    # Between two motions the bilinear mix is the flow of neither.
    spread = F.max_pool2d(flow, 3, 1, 1) + F.max_pool2d(-flow, 3, 1, 1)
    good = (valid & (spread.amax(dim=1, keepdim=True) < 1)).float()
    good = F.grid_sample(good, at, mode="nearest", padding_mode="zeros", align_corners=False) > 0.5

    ends = old + step.permute(0, 2, 3, 1).reshape(pairs, -1, 2) / size
    targets = (_unwarp_by_table(phi, ends.reshape(-1, 2), max(height, width)) - phi.offset) / phi.scale
    targets = targets.reshape(pairs, height * width, 2)
    half = 0.5 / size
    for place in (old.expand_as(ends), ends, targets):
        # Half a pixel from the edge, a bilinear sample is mixed with what lies outside.
        inside = ((place >= half - 1e-9) & (place <= 1 - half + 1e-9)).all(dim=-1)
        good = good & inside.reshape(pairs, 1, height, width)
    moved = ((targets - places) * size).reshape(pairs, height, width, 2).permute(0, 3, 1, 2)
    return moved.float().contiguous(), good


def _unwarp_by_table(phi: PointMap, points: Tensor, pixels: int) -> Tensor:
    """:meth:`PointMap.unwarp` for many points [N, 2]: solved on a grid, then looked up bilinearly."""
    if phi.corners is None:
        return points
    count = max(64, pixels)
    axis = torch.linspace(0, 1, count, dtype=torch.float64, device=points.device)
    nodes = torch.stack([axis.expand(count, count), axis[:, None].expand(count, count)], dim=-1).reshape(
        -1, 2
    )
    table = (phi.unwarp(nodes, 1e-5) - nodes).T.reshape(1, 2, count, count)
    at = (points * 2 - 1).reshape(1, 1, -1, 2)
    return points + F.grid_sample(table, at, padding_mode="border", align_corners=True)[0, :, 0].T


def _border_colour(video: Tensor) -> Tensor:
    edges = [video[:, :, 0], video[:, :, -1], video[..., 0], video[..., -1]]
    return torch.cat([e.transpose(0, 1).flatten(1) for e in edges], dim=1).median(dim=1).values[:, None, None]


# Rows of RGB -> YIQ (NTSC, FCC 1953): luma, and the plane in which hue is an angle.
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def _recolour(video: Tensor, config: AugmentConfig, draw: list[float]) -> Tensor:
    """Brightness, contrast, saturation and hue of a clip [T, C, H, W]: one affine map of straight colour."""
    unit = (video + 1) / 2
    colour, device = unit[:, :3], video.device
    alpha = unit[:, 3:] if unit.shape[1] == 4 else torch.ones_like(unit[:, :1])
    yiq = _YIQ.to(device)
    light, distance = 1 + config.brightness * draw[0], 1 + config.contrast * draw[1]
    grey = light * (colour.sum(dim=(0, 2, 3)) @ yiq[0]) / alpha.sum().clamp_min(1e-6)
    angle = torch.tensor(2 * torch.pi * config.hue * draw[3])
    turn = torch.eye(3, device=device)
    turn[1:, 1:] = (1 + config.saturation * draw[2]) * torch.stack(
        [torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])]
    ).to(device)
    matrix = torch.linalg.inv(yiq) @ turn @ yiq
    # A grey constant is left alone by the matrix; on premultiplied colour a constant is that times alpha.
    changed = torch.einsum("dc,tchw->tdhw", matrix * light * distance, colour) + (1 - distance) * grey * alpha
    changed = torch.minimum(changed.clamp_min(0), alpha)
    return to_model_range(torch.cat([changed, unit[:, 3:]], dim=1))
