"""The clip critic: do these consecutive frames move as real ones do, given their poses?"""

import torch
from pydantic import Field
from torch import Tensor, nn

from ..config import Section
from .conditioning import Condition, Domain
from .frame_discriminator import PatchCritic


class ClipCriticConfig(Section):
    """Architecture and weight of the clip critic."""

    weight: float = Field(default=1.0, ge=0, description="weight of its adversarial loss; 0 switches it off")
    width: int = Field(default=24, ge=4, description="channels after the first layer")
    layers: int = Field(default=3, ge=1, le=5, description="halvings of the resolution")
    frames: int = Field(default=3, ge=2, le=8, description="consecutive frames it sees at once")


class ClipDiscriminator(nn.Module):
    """Patch critic on every run of ``frames`` consecutive frames, joined by their differences and by the poses of
    the first and the last (after vid2vid's temporal discriminator, Wang et al. 2018, arXiv 1808.06601, sec. 3.2)."""

    def __init__(self, config: ClipCriticConfig, domain: Domain, maps: int) -> None:
        super().__init__()
        self.frames = config.frames
        channels_in = (2 * config.frames - 1) * domain.channels + 2 * maps
        faces, characters = 2 * len(domain.expressions), len(domain.characters)
        self.critic = PatchCritic(channels_in, config.width, config.layers, faces, characters)

    def forward(self, video: Tensor, condition: Condition) -> tuple[Tensor, list[Tensor]]:
        """Score every patch of every run.

        Args:
            video: [B, T, C, H, W] in [-1, 1], T at least ``frames``.
            condition: of the same frames.
        Returns:
            logits [B, runs * patches], and inner features, each [B, ...].
        """
        b, t = video.shape[:2]
        runs = t - self.frames + 1
        if runs < 1:
            raise ValueError(f"ClipDiscriminator: {t} frames, needs at least {self.frames}")
        differences = video[:, 1:] - video[:, :-1]
        maps = condition.maps[video.shape[-1]]
        parts = [video[:, i : i + runs] for i in range(self.frames)]
        parts += [differences[:, i : i + runs] for i in range(self.frames - 1)]
        parts += [maps[:, :runs], maps[:, self.frames - 1 :]]
        face = condition.face[:, self.frames - 1 :].flatten(0, 1)
        character = condition.character.repeat_interleave(runs)
        score, inner = self.critic(torch.cat(parts, dim=2).flatten(0, 1), face, character)
        return score.reshape(b, -1), [f.reshape(b, -1) for f in inner]
