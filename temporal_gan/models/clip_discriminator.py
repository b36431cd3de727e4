"""The clip critic: do these consecutive frames move as real ones do, given their poses?"""

from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from ..config import Section
from .conditioning import Condition, Domain
from .frame_discriminator import PatchCritic


class ClipCriticConfig(Section):
    """Architecture and weight of the clip critic."""

    weight: float = Field(default=1.0, ge=0, description="weight of its adversarial loss; 0 switches it off")
    width: int = Field(default=24, ge=4, description="channels after the first layer")
    layers: int = Field(default=3, ge=1, le=5, description="halvings of the resolution")
    frames: int = Field(default=3, ge=2, le=8, description="frames it sees at once")
    strides: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(1,), min_length=1, description="time scales: a run takes every n-th frame, a critic for each"
    )

    def span(self, stride: int) -> int:
        """Frames of a clip that a run at this stride reaches over."""
        return (self.frames - 1) * stride + 1

    @model_validator(mode="after")
    def _check(self) -> "ClipCriticConfig":
        if len(set(self.strides)) < len(self.strides):
            raise ValueError(f"strides {list(self.strides)}: one of them stands there twice")
        return self


class ClipDiscriminator(nn.Module):
    """Patch critics on runs of ``frames`` frames, joined by their differences and by the poses of the first and the
    last; a critic for each stride in time (after vid2vid's temporal discriminators, Wang et al. 2018, arXiv 1808.06601,
    sec. 3.2).

    Attributes:
        fewest_frames: of a clip that it can say something of.
    """

    def __init__(self, config: ClipCriticConfig, domain: Domain, maps: int) -> None:
        super().__init__()
        self._config = config
        self.fewest_frames = config.span(min(config.strides))
        channels_in = (2 * config.frames - 1) * domain.channels + 2 * maps
        faces, characters = 2 * len(domain.expressions), len(domain.characters)
        self.critics = nn.ModuleList(
            PatchCritic(channels_in, config.width, config.layers, faces, characters) for _ in config.strides
        )

    def forward(self, video: Tensor, condition: Condition) -> tuple[Tensor, list[Tensor]]:
        """Score every patch of every run, at each stride for which the clip is long enough.

        Args:
            video: [B, T, C, H, W] in [-1, 1].
            condition: of the same frames.
        Returns:
            logits [B, runs * patches], and inner features, each [B, ...].
        Raises:
            ValueError: the clip is too short for every stride.
        """
        b, t = video.shape[:2]
        if t < self.fewest_frames:
            raise ValueError(f"ClipDiscriminator: {t} frames, needs at least {self.fewest_frames}")
        logits, features = [], []
        for stride, critic in zip(self._config.strides, self.critics, strict=True):
            runs = t - self._config.span(stride) + 1
            if runs < 1:
                continue
            pictures = self._runs(video, condition.maps[video.shape[-1]], stride, runs)
            face = condition.face[:, t - runs :].flatten(0, 1)
            score, inner = critic(pictures.flatten(0, 1), face, condition.character.repeat_interleave(runs))
            logits.append(score.reshape(b, -1))
            features += [f.reshape(b, -1) for f in inner]
        return torch.cat(logits, dim=1), features

    def _runs(self, video: Tensor, maps: Tensor, stride: int, runs: int) -> Tensor:
        """Every run as one picture of many channels, [B, runs, channels_in, H, W]."""
        starts = range(0, self._config.span(stride), stride)
        shown = [video[:, i : i + runs] for i in starts]
        changes = [after - before for before, after in zip(shown, shown[1:], strict=False)]
        ends = [maps[:, :runs], maps[:, starts[-1] : starts[-1] + runs]]
        return torch.cat([*shown, *changes, *ends], dim=2)
