"""What a generator or critic is told about each frame: pose maps at every resolution, expression, character."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..batch import ClipBatch
from ..errors import CheckpointError
from ..pose_maps import CHANNELS_PER_GROUP, FRAME_CHANNELS_PER_GROUP, draw_limb_frames, draw_pose_maps
from ..skeletons import Skeleton


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
        limb_frames: [B, T, F, S, S], each pixel's place in the frames of the limbs near it, at the finest resolution.
        face: [B, T, 2E], expression intensities where labelled (else 0), then the labels' confidence.
        character: int64 [B].
    """

    maps: dict[int, Tensor]
    limb_frames: Tensor
    face: Tensor
    character: Tensor


def map_channels(depth_groups: int) -> int:
    """Channels M of the pose maps."""
    return depth_groups * CHANNELS_PER_GROUP


def frame_channels(depth_groups: int) -> int:
    """Channels F of the limb frames."""
    return depth_groups * FRAME_CHANNELS_PER_GROUP


def make_condition(batch: ClipBatch, domain: Domain, size: int, depth_groups: int) -> Condition:
    """Draw a batch's poses at 4, 8, ... ``size`` pixels and gather the rest.

    Args:
        batch: its video is not looked at.
        size: the network's resolution, a power of two.
    """
    return draw_condition(
        batch.keypoints, batch.confidence, batch.layer, batch.expression, batch.expression_confidence,
        batch.character, domain, size, depth_groups,
    )  # fmt: skip


@torch.no_grad()
def draw_condition(
    keypoints: Tensor,
    confidence: Tensor,
    layer: Tensor,
    expression: Tensor,
    expression_confidence: Tensor,
    character: Tensor,
    domain: Domain,
    size: int,
    depth_groups: int,
) -> Condition:
    """The same from tensors: shapes and meanings as in :class:`ClipBatch`."""
    b, t = keypoints.shape[:2]
    resolutions = [4 << i for i in range((size // 4).bit_length())]
    pose = (keypoints.flatten(0, 1), confidence.flatten(0, 1), layer.flatten(0, 1), domain.skeleton.edges)
    maps = {r: draw_pose_maps(*pose, r, depth_groups).view(b, t, -1, r, r) for r in resolutions}
    limb_frames = draw_limb_frames(*pose, size, depth_groups).view(b, t, -1, size, size)
    face = torch.cat([expression * expression_confidence, expression_confidence], dim=-1)
    if not domain.expressions:
        face = face[..., :0]
    return Condition(maps, limb_frames, face, character)
