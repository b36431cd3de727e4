"""What a generator or critic is told about each frame: pose maps at every resolution, expression, character."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..batch import ClipBatch
from ..errors import CheckpointError
from ..limb_warp import limb_warp
from ..pose_maps import CHANNELS_PER_GROUP, draw_joint_maps, draw_pose_maps
from ..skeletons import Skeleton

POSE_SIGMA = 0.01
"""Joint distance, in picture sizes, at which a reference's weight has fallen to 0.6 (LOG.md 2026-11-21)."""


POSE_SIGMA_GROWTH = 0.7
"""How much wider that becomes, in distances to the nearest reference: between two far drawings one dissolves into the
other instead of giving way to it within a frame (LOG.md 2026-11-21)."""


@dataclass(frozen=True)
class Domain:
    """What all clips a network is made for have in common.

    Attributes:
        channels: 3 RGB or 4 RGBA.
        skeleton: of every pose.
        expressions: names of the expression channels; () where no frame of the data is labelled, and then the
            network has no expression input.
        characters: names, in the order of their indices.
        fps: frames per second.
    """

    channels: int
    skeleton: Skeleton
    expressions: tuple[str, ...]
    characters: tuple[str, ...]
    fps: float

    def to_dict(self) -> dict[str, Any]:
        """Plain types for a checkpoint or a weights file."""
        return {
            "channels": self.channels,
            "skeleton": self.skeleton.to_dict(),
            "expressions": list(self.expressions),
            "characters": list(self.characters),
            "fps": self.fps,
        }

    @staticmethod
    def from_dict(data: dict[str, Any]) -> "Domain":
        """Inverse of :meth:`to_dict`. Raises CheckpointError where something is missing."""
        try:
            return Domain(
                channels=int(data["channels"]),
                skeleton=Skeleton.from_dict(data["skeleton"]),
                expressions=tuple(data["expressions"]),
                characters=tuple(data["characters"]),
                fps=float(data["fps"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"description of the training data is incomplete: {error}") from None


@dataclass(frozen=True)
class Condition:
    """Everything but noise that a clip is made from.

    Attributes:
        maps: per resolution r, [B, T, M, r, r] pose maps (temporal_gan.pose_maps), finest last.
        face: [B, T, 2E], expression intensities where labelled (else 0), then the labels' confidence.
        character: int64 [B]; -1 for one the network was not trained on.
        keypoints, confidence: the poses themselves, [B, T, J, 2] in [0, 1], [B, T, J].
        pictures: [B, R, C, S, S] in [-1, 1], the reference frames as they are; None without references.
        warped: [B, T, R, C, S, S] in [-1, 1], reference frames of the character carried limb by limb to each pose;
            None where no reference is, or none is warped.
        preference: [B, T, R], log weight of each reference by how near its pose is; -inf for a missing one.
    """

    maps: dict[int, Tensor]
    face: Tensor
    character: Tensor
    keypoints: Tensor
    confidence: Tensor
    pictures: Tensor | None = None
    warped: Tensor | None = None
    preference: Tensor | None = None


def map_channels(domain: Domain, depth_groups: int, joint_maps: bool = False) -> int:
    """Channels M of the pose maps."""
    return depth_groups * CHANNELS_PER_GROUP + joint_maps * len(domain.skeleton.joints)


@torch.no_grad()
def make_condition(
    batch: ClipBatch,
    domain: Domain,
    size: int,
    depth_groups: int,
    joint_maps: bool = False,
    layered_warp: bool = False,
    field_size: int | None = None,
    warp: bool = True,
) -> Condition:
    """Draw a batch's poses at 4, 8, ... ``size`` pixels, warp its references to them, and gather the rest.

    Args:
        batch: its video is not looked at.
        size: the finest resolution, a power of two.
        depth_groups, joint_maps, layered_warp: as in the network's configuration.
        field_size: pixels per side at which warp fields are computed; None: as many as the references have.
        warp: False where the references are only looked at as they are, which saves the warp's time.
    """
    b, t = batch.keypoints.shape[:2]
    resolutions = [4 << i for i in range((size // 4).bit_length())]
    edges = domain.skeleton.edges
    pose = (batch.keypoints.flatten(0, 1), batch.confidence.flatten(0, 1), batch.layer.flatten(0, 1), edges)
    maps = {r: draw_pose_maps(*pose, r, depth_groups) for r in resolutions}
    if joint_maps:
        maps = {r: torch.cat([m, draw_joint_maps(*pose[:2], r)], dim=1) for r, m in maps.items()}
    maps = {r: m.view(b, t, -1, r, r) for r, m in maps.items()}
    known = batch.expression_confidence
    face = torch.cat([batch.expression * known, known], dim=-1)
    if not domain.expressions:
        face = face[..., :0]
    if batch.reference_video is None:
        return Condition(maps, face, batch.character, batch.keypoints, batch.confidence)
    assert batch.reference_keypoints is not None
    assert batch.reference_confidence is not None
    warped = None
    if warp:
        warped = limb_warp(
            batch.reference_video, batch.reference_keypoints, batch.reference_confidence,
            batch.keypoints, batch.confidence, edges, batch.layer if layered_warp else None, field_size,
        )  # fmt: skip
    preference = reference_preference(
        batch.keypoints, batch.confidence, batch.reference_keypoints, batch.reference_confidence
    )
    return Condition(
        maps,
        face,
        batch.character,
        batch.keypoints,
        batch.confidence,
        batch.reference_video,
        warped,
        preference,
    )


def reference_preference(
    keypoints: Tensor, confidence: Tensor, reference_keypoints: Tensor, reference_confidence: Tensor
) -> Tensor:
    """How much the warp of each reference is to be trusted for each frame, before anything is learned.

    Args:
        keypoints, confidence: [B, T, J, 2] in [0, 1], [B, T, J].
        reference_keypoints, reference_confidence: [B, R, J, 2], [B, R, J].
    Returns:
        [B, T, R], -(d^2 - n^2) / (2 s^2) for the mean squared joint distance d^2 and that of the nearest one n^2, with
        s^2 = POSE_SIGMA^2 + (POSE_SIGMA_GROWTH n)^2; at least -8, so that a far reference can still serve where a near
        one cannot; -inf for one without any joint.
    """
    shared = ((confidence[:, :, None] > 0) & (reference_confidence[:, None] > 0)).to(keypoints.dtype)
    squared = (keypoints[:, :, None] - reference_keypoints[:, None]).square().sum(-1)
    squared = torch.where(shared > 0, squared, 0.0)
    distance = squared.sum(-1) / shared.sum(-1).clamp_min(1)
    missing = (reference_confidence <= 0).all(-1)[:, None].expand_as(distance)
    nearest = distance.masked_fill(missing, float("inf")).amin(-1, keepdim=True).clamp_max(1e3)
    spread = POSE_SIGMA**2 + POSE_SIGMA_GROWTH**2 * nearest
    preference = ((nearest - distance) / (2 * spread)).clamp_min(-8)
    return preference.masked_fill(missing, float("-inf"))
