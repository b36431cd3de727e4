"""The frame critic: is each patch of this frame real, given its pose, expression and character?"""

import torch
from pydantic import Field
from torch import Tensor, nn

from ..config import Section
from .conditioning import Condition, Domain


class FrameCriticConfig(Section):
    """Architecture and weight of the frame critic."""

    weight: float = Field(default=1.0, ge=0, description="weight of its adversarial loss; 0 switches it off")
    width: int = Field(default=24, ge=4, description="channels after the first layer")
    layers: int = Field(default=3, ge=1, le=5, description="halvings of the resolution")
    scales: int = Field(
        default=1, ge=1, le=3, description="copies that see the frame at full, half, quarter size"
    )
    expression_weight: float = Field(
        default=0.0,
        ge=0,
        description="of its reading of the expression, in both sides' losses; 0: no such head",
    )


class FrameDiscriminator(nn.Module):
    """Multi-scale patch critic (Wang et al. 2018, arXiv 1711.11585) with projection (Miyato & Koyama 2018,
    arXiv 1802.05637) on expression and character, and, where that has a weight, a head that reads the expression.
    No normalisation: R1 keeps it smooth."""

    def __init__(self, config: FrameCriticConfig, domain: Domain, maps: int) -> None:
        super().__init__()
        channels_in = domain.channels + maps
        self.scales = nn.ModuleList(
            PatchCritic(
                channels_in, config.width, config.layers, 2 * len(domain.expressions), len(domain.characters)
            )
            for _ in range(config.scales)
        )
        self._features_per_scale = config.layers + 1
        self._inner = min(config.width << (config.layers - 1), 8 * config.width)
        self.expression: nn.Linear | None = None
        if config.expression_weight and domain.expressions:
            self.expression = nn.Linear(self._inner, len(domain.expressions))

    def forward(self, video: Tensor, condition: Condition) -> tuple[Tensor, list[Tensor]]:
        """Score every patch of every frame.

        Args:
            video: [B, T, C, H, W] in [-1, 1].
            condition: of the same frames.
        Returns:
            logits [B, T * patches], and inner features, each [B, ...].
        """
        b, t = video.shape[:2]
        frames = video.flatten(0, 1)
        face = condition.face.flatten(0, 1)
        character = condition.character.repeat_interleave(t)
        logits, features = [], []
        for critic in self.scales:
            maps = condition.maps[frames.shape[-1]].flatten(0, 1)
            score, inner = critic(torch.cat([frames, maps], dim=1), face, character)
            logits.append(score.reshape(b, -1))
            features += [f.reshape(b, -1) for f in inner]
            frames = nn.functional.avg_pool2d(frames, 2)
        return torch.cat(logits, dim=1), features

    def read_expression(self, features: list[Tensor], frames: int) -> Tensor:
        """The auxiliary head (AC-GAN, Odena et al. 2017, arXiv 1610.09585): which expression is shown?

        It hears of pose, not of the commanded expression, which only the projection knows.

        Args:
            features: what :meth:`forward` returned.
            frames: T.
        Returns:
            logits [B, T, E].
        """
        assert self.expression is not None
        last = features[self._features_per_scale - 1]
        pooled = last.view(len(last), frames, self._inner, -1).mean(-1)
        return self.expression(pooled)


class PatchCritic(nn.Module):
    """Strided convolutions to patch logits, plus the projection of what was commanded on the pooled features."""

    def __init__(self, channels_in: int, width: int, layers: int, face: int, characters: int) -> None:
        super().__init__()
        sizes = [channels_in, *(min(width << i, 8 * width) for i in range(layers))]
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(sizes, sizes[1:], strict=False))
        self.mix = nn.Conv2d(sizes[-1], sizes[-1], 3, 1, 1)
        self.score = nn.Conv2d(sizes[-1], 1, 3, 1, 1)
        self.by_face = nn.Linear(face, sizes[-1], bias=False) if face else None
        self.by_character = nn.Embedding(characters, sizes[-1])

    def forward(self, x: Tensor, face: Tensor, character: Tensor) -> tuple[Tensor, list[Tensor]]:
        """[N, channels_in, H, W], [N, F], int64 [N] -> logits [N, 1, h, w], features."""
        features = []
        for conv in self.down:
            x = nn.functional.leaky_relu(conv(x), 0.2)
            features.append(x)
        x = nn.functional.leaky_relu(self.mix(x), 0.2)
        features.append(x)
        wanted = self.by_character(character)
        if self.by_face is not None:
            wanted = wanted + self.by_face(face)
        projection = (x * wanted[:, :, None, None]).mean(1, keepdim=True)
        return self.score(x) + projection, features
