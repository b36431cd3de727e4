"""The region critic: are the face and the hands of this frame drawn as real ones are?

After the face discriminator of vid2vid's pose models (Wang et al. 2018, arXiv 1808.06601, sec. 4) and the face GAN of
Everybody Dance Now (Chan et al. 2019, arXiv 1808.07371, sec. 3.4); hands likewise.
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from ..config import Section
from ..errors import UserError
from ..skeletons import CANONICAL25, Skeleton, canonical_joints
from .conditioning import Condition, Domain
from .face import cut_square
from .frame_discriminator import PatchCritic

FACE_REACH, HAND_REACH, BEYOND_WRIST = 1.2, 0.6, 0.35
"""Half a side of the face's square, in distances from nose to neck; of a hand's, in forearms; and how far beyond the
wrist its middle lies, in forearms."""

SMALLEST_REACH = 0.02
"""Half a side of the smallest square, in picture sizes: foreshortened forearms have hands too."""

VISIBLE = 0.75
"""Least confidence of a joint in plain view (behind something it has about 0.5)."""

REGIONS = (("neck", "nose"), ("right_elbow", "right_wrist"), ("left_elbow", "left_wrist"))
"""What a square's place and size are measured by: face, right hand, left hand."""


class RegionCriticConfig(Section):
    """Architecture and weight of the region critic."""

    weight: float = Field(default=0.0, ge=0, description="weight of its adversarial loss; 0 switches it off")
    width: int = Field(default=16, ge=4, description="channels after the first layer")
    layers: int = Field(default=2, ge=1, le=3, description="halvings of the resolution")
    crop: int = Field(default=32, ge=16, le=128, description="pixels per side of a crop")


class RegionDiscriminator(nn.Module):
    """A patch critic for the face, told expression and character, and one for both hands, told the character.

    Raises:
        UserError: the skeleton has no nose, neck, elbows and wrists (by their names) to cut by.
    """

    def __init__(self, config: RegionCriticConfig, domain: Domain) -> None:
        super().__init__()
        self.crop = config.crop
        self.joints = _region_joints(domain.skeleton)
        shape = (domain.channels, config.width, config.layers)
        self.face = PatchCritic(*shape, 2 * len(domain.expressions), len(domain.characters))
        self.hand = PatchCritic(*shape, 0, len(domain.characters))

    def forward(self, video: Tensor, condition: Condition) -> tuple[Tensor, list[Tensor]]:
        """Score every patch of every face and hand.

        Args:
            video: [B, T, C, H, W] in [-1, 1].
            condition: of the same frames.
        Returns:
            logits [B, T * patches] (three crops a frame), and inner features, each [B, ...]; 0, without a gradient,
            for a crop whose joints are missing or hidden.
        """
        b, t = video.shape[:2]
        crops, seen = cut_regions(video, condition.keypoints, condition.confidence, self.joints, self.crop)
        face = condition.face.flatten(0, 1)
        character = condition.character.repeat_interleave(t)
        logits, features = [], []
        for region in range(len(REGIONS)):
            critic = self.hand if region else self.face
            score, inner = critic(crops[:, :, region].flatten(0, 1), face, character)
            there = seen[:, :, region].flatten()[:, None, None, None]
            logits.append((score * there).reshape(b, -1))
            features += [(f * there).reshape(b, -1) for f in inner]
        return torch.cat(logits, dim=1), features


def cut_regions(
    video: Tensor, keypoints: Tensor, confidence: Tensor, joints: tuple[tuple[int, int], ...], side: int
) -> tuple[Tensor, Tensor]:
    """Squares around face and hands, at sub-pixel places, differentiable in the video.

    Args:
        video: [B, T, C, H, W]; outside the picture its border goes on.
        keypoints, confidence: [B, T, J, 2] in [0, 1], [B, T, J].
        joints: neck and nose, elbow and wrist, elbow and wrist.
        side: pixels per side of a crop.
    Returns:
        [B, T, 3, C, side, side], and whether each can be seen, [B, T, 3] of 0 and 1.
    """
    b, t, c = video.shape[:3]
    inner, outer = torch.tensor(joints).to(video.device, non_blocking=True).T
    seen = torch.minimum(confidence[..., inner], confidence[..., outer]) >= VISIBLE
    a, z = (torch.where(seen[..., None], keypoints[..., j, :], 0.5) for j in (inner, outer))
    beyond = torch.tensor([0.0, BEYOND_WRIST, BEYOND_WRIST]).to(z, non_blocking=True)[:, None]
    reach = torch.tensor([FACE_REACH, HAND_REACH, HAND_REACH]).to(z, non_blocking=True)
    reach = reach * (z - a).norm(dim=-1)
    middle = z + beyond * (z - a)
    frames = video[:, :, None].expand(-1, -1, len(joints), -1, -1, -1).flatten(0, 2)
    crops = cut_square(frames, middle.flatten(0, 2), reach.clamp_min(SMALLEST_REACH).flatten(), side)
    return crops.view(b, t, len(joints), c, side, side), seen.to(video.dtype)


def _region_joints(skeleton: Skeleton) -> tuple[tuple[int, int], ...]:
    index = {CANONICAL25.joints[there]: here for here, there in canonical_joints(skeleton).items()}
    missing = sorted({name for pair in REGIONS for name in pair} - set(index))
    if missing:
        raise UserError(
            f"critics.region: skeleton {skeleton.name} has no {', '.join(missing)} to cut face and hands by; "
            "set critics.region.weight=0"
        )
    return tuple((index[a], index[z]) for a, z in REGIONS)
