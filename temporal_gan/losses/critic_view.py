"""What the critics are shown: real and made clips changed alike, so that few data cannot be learned by heart.

Differentiable augmentation: Zhao et al. 2020 (arXiv 2006.10738), sec. 3: T(x) and T(G(z)) for the critics, with a
gradient through T for the generator; colour, translation and cutout as there. One draw a clip for all its frames
(StyleGAN-V, Skorokhodov et al. 2022, arXiv 2112.14683, found this to matter), the same for its real and made version,
and for the pose maps where it moves things.

Adaptive: Karras et al. 2020 (arXiv 2006.06676, ADA), sec. 3: each change is made to each clip with a probability p,
which training.adaptive_view moves.

Instance noise: Sonderby et al. 2017 (arXiv 1610.04490): Gaussian noise that fades out.
"""

from dataclasses import dataclass

import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional

from .. import rng
from ..config import Section


class CriticViewConfig(Section):
    """How clips are changed before the critics see them; everything is off by default."""

    noise: float = Field(
        default=0.0, ge=0, description="standard deviation of instance noise at step 0, on [-1, 1]"
    )
    noise_steps: int = Field(default=1000, ge=1, description="after so many steps the noise has faded to 0")
    colour: float = Field(
        default=0.0, ge=0, le=1,
        description="1: brightness +-0.5, saturation 0 to 2, contrast 0.5 to 1.5 times, as published",
    )  # fmt: skip
    translation: float = Field(
        default=0.0, ge=0, le=0.5, description="by up to this part of the picture; published: 0.125"
    )
    cutout: float = Field(
        default=0.0, ge=0, le=0.75, description="a square of this side is emptied; published: 0.5"
    )
    adaptive_target: float | None = Field(
        default=None, gt=-1, lt=1,
        description="colour, translation and cutout are made with a probability that rises while the mean sign of the "
        "critics' logits on real clips is above this; published: 0.6. null: always",
    )  # fmt: skip
    adaptive_clips: int = Field(
        default=20_000,
        ge=1,
        description="real clips in which it can rise from 0 to 1; published: 500000 pictures",
    )

    @property
    def changes(self) -> bool:
        """Whether anything but noise is on."""
        return bool(self.colour or self.translation or self.cutout)

    @model_validator(mode="after")
    def _check(self) -> "CriticViewConfig":
        if self.adaptive_target is not None and not self.changes:
            raise ValueError("adaptive_target needs something to adapt: set colour, translation or cutout")
        return self


@dataclass(frozen=True)
class CriticView:
    """One step's change of B clips. A part that is None is off.

    Attributes:
        colour: [B, 3] brightness added, saturation and contrast as factors.
        shift: int64 [B, 2] pixels right and down.
        hole: bool [B, 1, 1, H, W], emptied.
        noise: [B, T, C, H, W], added last.
    """

    colour: Tensor | None = None
    shift: Tensor | None = None
    hole: Tensor | None = None
    noise: Tensor | None = None

    def video(self, video: Tensor) -> Tensor:
        """Clips [B, T, C, H, W] in [-1, 1] as they are shown; differentiable. Off: the same tensor."""
        if self.colour is not None:
            video = _recolour(video, self.colour)
        if self.shift is not None:
            video = _translate(video + 1, self.shift, video.shape[-1]) - 1
        if self.hole is not None:
            video = video.masked_fill(self.hole, -1.0)
        return video if self.noise is None else video + self.noise

    def maps(self, maps: Tensor, size: int) -> Tensor:
        """Maps [B, T, M, r, r] of clips of ``size`` pixels, moved as far."""
        return maps if self.shift is None else _translate(maps, self.shift, size)

    def keypoints(self, keypoints: Tensor, size: int) -> Tensor:
        """Places [B, T, J, 2] in [0, 1] of clips of ``size`` pixels, moved as far."""
        return (
            keypoints if self.shift is None else keypoints + (self.shift / size).to(keypoints)[:, None, None]
        )


def draw_view(
    config: CriticViewConfig,
    video: Tensor,
    batch: int,
    part: slice,
    seed: int,
    step: int,
    probability: Tensor | None = None,
) -> CriticView:
    """This step's change, a function of the seed and the step.

    Args:
        config: how much of each.
        video: [B, T, C, H, W], for its shape, device and type.
        batch: clips over all processes; drawn for all of them, of which ``part`` are these B.
        part: places of these clips.
        seed, step: of the run.
        probability: [], of each of colour, translation and cutout for each clip, on the clips' device; None: 1.
    """
    size = video.shape[-1]

    def uniform(count: int, name: str) -> Tensor:
        return rng.uniform((batch, count), seed, step, f"critic view {name}")[part].to(
            video, non_blocking=True
        )

    def chosen(name: str) -> Tensor:
        # Compared on the device: the probability is not waited for.
        return uniform(1, f"whether {name}") < probability.to(video)  # type: ignore[union-attr]

    colour = shift = hole = noise = None
    if config.colour:
        draw = 2 * uniform(3, "colour") - 1
        reach, centre = torch.tensor([[0.5, 1.0, 0.5], [0.0, 1.0, 1.0]]).to(draw, non_blocking=True)
        colour = config.colour * draw * reach + centre
        if probability is not None:
            colour = torch.where(chosen("colour"), colour, centre)
    if config.translation:
        reach = round(config.translation * size)
        shift = (uniform(2, "translation") * (2 * reach + 1)).long().clamp_max(2 * reach) - reach
        if probability is not None:
            shift = shift * chosen("translation")
    if config.cutout:
        # Like the published one, the square may reach over the edge.
        middle = (uniform(2, "cutout") * size)[:, :, None]
        place = torch.arange(size, device=video.device) + 0.5
        inside = (place - middle).abs() <= config.cutout * size / 2
        hole = (inside[:, 1, :, None] & inside[:, 0, None, :])[:, None, None]
        if probability is not None:
            hole = hole & chosen("cutout")[:, :, None, None, None]
    sigma = config.noise * max(0.0, 1 - step / config.noise_steps)
    if sigma:
        noise = rng.normal((batch, *video.shape[1:]), seed, step, "instance noise")[part]
        noise = sigma * noise.to(video, non_blocking=True)
    return CriticView(colour, shift, hole, noise)


def _recolour(video: Tensor, colour: Tensor) -> Tensor:
    """Brightness, saturation, contrast of premultiplied colour: what is transparent stays so."""
    unit = (video + 1) / 2
    rgb, alpha = unit[:, :, :3], unit[:, :, 3:]
    cover = alpha if alpha.shape[2] else torch.ones_like(rgb[:, :, :1])
    light, saturation, contrast = (c.view(-1, 1, 1, 1, 1) for c in colour.unbind(1))
    rgb = rgb + light * cover
    grey = rgb.mean(dim=2, keepdim=True)
    rgb = grey + saturation * (rgb - grey)
    total = cover.sum(dim=(1, 2, 3, 4), keepdim=True).clamp_min(1e-3)
    mean = rgb.mean(dim=2, keepdim=True).sum(dim=(1, 2, 3, 4), keepdim=True) / total
    rgb = mean * cover + contrast * (rgb - mean * cover)
    return 2 * torch.cat([rgb, alpha], dim=2) - 1


def _translate(x: Tensor, shift: Tensor, size: int) -> Tensor:
    """Move [B, T, C, r, r] by whole pixels of a picture of ``size``; what comes in is 0."""
    b, _, _, height, width = x.shape
    down, right = (
        (torch.arange(n, device=x.device, dtype=x.dtype) + 0.5) / n - s[:, None] / size
        for n, s in ((height, shift[:, 1]), (width, shift[:, 0]))
    )
    columns, rows = right[:, None, :].expand(b, height, width), down[:, :, None].expand(b, height, width)
    grid = 2 * torch.stack([columns, rows], dim=-1) - 1
    flat = functional.grid_sample(x.flatten(1, 2), grid, padding_mode="zeros", align_corners=False)
    return flat.view_as(x)
