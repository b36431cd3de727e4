"""The conditional temporal generator: DCGAN's decoder, told a pose, an expression and a character, aware of time."""

from typing import Literal, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from ..batch import ClipBatch
from ..config import Section
from ..warping import warp_backward
from .conditioning import Condition, Domain, make_condition, map_channels
from .identity import IdentityEncoder
from .layers import ChannelNorm, Upsample, Upsampling
from .temporal import Temporal, make_temporal

BLEND_RANGE = 1.0
"""Largest learned blend logit: enough to choose among near references, not to overrule their distance in pose."""

FLOW_RANGE = 20 / 256
"""A flow head's output of 1, in picture sides: vid2vid multiplies by 20 pixels at 256 or more."""

MASK_START = 4.0
"""First bias of the flow head's mask: sigmoid(4) = 0.98 of the frame is its own, as without the head."""


class State(NamedTuple):
    """What a clip's next piece must know of the frames before.

    Attributes:
        memory: of the temporal module; None where it has none.
        last: the last made frame, [B, C, S, S]; None without a flow head.
    """

    memory: Tensor | None
    last: Tensor | None


class GeneratorConfig(Section):
    """Architecture of the generator."""

    kind: Literal["temporal"] = "temporal"
    size: Literal[32, 64, 128, 256] = Field(default=64, description="pixels per side of a made frame")
    width: int = Field(
        default=16, ge=4, description="channels at the finest resolution; each coarser one has twice as many"
    )
    max_width: int = Field(default=128, ge=8, description="but never more than this")
    nz: int = Field(default=16, ge=1, description="size of a clip's noise vector")
    style_width: int = Field(default=128, ge=8, description="size of a frame's style vector")
    temporal: Temporal = Field(
        default="gru", description="how frames know of the ones before: none | conv | gru | attention"
    )
    temporal_size: Literal[4, 8, 16] = Field(default=8, description="resolution at which they do")
    upsample: Upsampling = Field(default="resize", description="deconv | resize | pixelshuffle")
    references: int = Field(
        default=8, ge=0, le=8, description="frames of the character warped to each pose; 0: none"
    )
    layered_warp: bool = Field(
        default=False, description="warp each depth layer by its own limbs, near ones over far ones"
    )
    mirrored_references: bool = Field(
        default=False, description="also each reference mirrored: for characters drawn facing one way only"
    )
    identity: Literal["embedding", "references", "both"] = Field(
        default="embedding",
        description="who a character is: a learned vector, read from the references, or both",
    )
    flow_head: bool = Field(
        default=False, description="also carry the frame before along a flow, and mix it in by a mask"
    )
    depth_groups: int = Field(default=3, ge=1, le=8, description="depth layers told apart in the pose maps")
    joint_maps: bool = Field(
        default=False, description="also a map per joint, which ties the weights to one skeleton"
    )

    @model_validator(mode="after")
    def _check(self) -> "GeneratorConfig":
        if self.identity != "embedding" and not self.references:
            raise ValueError(f"identity: {self.identity} reads the references; references must be 1 or more")
        return self

    def channels(self, resolution: int) -> int:
        """Feature channels at this resolution."""
        return min(self.max_width, self.width * (self.size // resolution))


class Generator(nn.Module):
    """Condition and noise -> clip.

    Texture is carried, not remembered: the output is a blend, pixel by pixel, of reference frames warped to the pose,
    plus what the network paints to repair it.

    Noise, expression and character become a style vector per frame. An encoder reads the pose maps from fine to
    coarse; the decoder goes from 4x4 back up, at each resolution modulated by the style (FiLM, Perez et al. 2018,
    arXiv 1709.07871) and by that resolution's pose features (SPADE, Park et al. 2019, arXiv 1903.07291).
    """

    def __init__(self, config: GeneratorConfig, domain: Domain) -> None:
        super().__init__()
        self.config, self.domain = config, domain
        maps, face = map_channels(domain, config.depth_groups, config.joint_maps), 2 * len(domain.expressions)
        style = config.style_width
        self.character: nn.Embedding | None = None
        if config.identity != "references":
            self.character = nn.Embedding(len(domain.characters), style // 2)
        self.identity: IdentityEncoder | None = None
        if config.identity != "embedding":
            self.identity = IdentityEncoder(domain.channels, config.width, style // 2)
        self.style = nn.Sequential(
            nn.Linear(config.nz + face + style // 2, style), nn.ReLU(), nn.Linear(style, style), nn.ReLU()
        )
        resolutions = [4 << i for i in range((config.size // 4).bit_length())]
        width = config.channels
        self.read = nn.ModuleDict()
        for r in reversed(resolutions):
            below = config.references * domain.channels if r == config.size else width(2 * r)
            self.read[str(r)] = nn.Conv2d(maps + below, width(r), 3, 1, 1)
        self.start = nn.Linear(style, width(4) * 16)
        self.up = nn.ModuleDict(
            {str(r): Upsample(config.upsample, width(r // 2), width(r)) for r in resolutions[1:]}
        )
        self.modulate = nn.ModuleDict({str(r): _Modulation(width(r), width(r), style) for r in resolutions})
        self.temporal = make_temporal(config.temporal, width(config.temporal_size))
        painted = domain.channels + config.references + (3 if config.flow_head else 0)
        self.to_frame = nn.Conv2d(width(config.size), painted, 3, 1, 1)
        # At first the warped references blended by pose alone, from which learning moves in small steps.
        nn.init.zeros_(self.to_frame.weight)
        nn.init.zeros_(self.to_frame.bias)  # type: ignore[arg-type]
        if config.flow_head:
            with torch.no_grad():
                self.to_frame.bias[-1] = MASK_START  # type: ignore[index]
        self._resolutions = resolutions

    def tell(self, batch: ClipBatch) -> Condition:
        """What this generator must be told to make a batch's clips; see :func:`make_condition`."""
        config = self.config
        return make_condition(
            batch, self.domain, config.size, config.depth_groups, config.joint_maps, config.layered_warp
        )

    def forward(
        self, condition: Condition, noise: Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Make a clip, or the next piece of one.

        Args:
            condition: of B clips and T frames, drawn at this generator's size, with its number of references.
            noise: [B, nz], standard normal, one vector per clip.
            state: what the call for the frames before returned; None at a clip's start.
        Returns:
            video [B, T, C, S, S], and the state for the frames after. Its range is that of [-1, 1] but nothing holds it
            there: a tanh, pushed against the white page by L1, stops learning (LOG.md 2026-11-21).
        """
        b, t = condition.face.shape[:2]
        memory, last = (None, None) if state is None else state
        who = torch.cat([noise, self._who(condition)], dim=1)
        style = self.style(torch.cat([who[:, None].expand(-1, t, -1), condition.face], dim=-1)).flatten(0, 1)

        pose: dict[int, Tensor] = {}
        finer = style.new_zeros(b * t, 0, self.config.size, self.config.size)
        if self.config.references:
            assert condition.warped is not None
            finer = condition.warped.flatten(2, 3).flatten(0, 1)
        for r in reversed(self._resolutions):
            maps = torch.cat([condition.maps[r].flatten(0, 1), finer], dim=1)
            pose[r] = torch.relu(self.read[str(r)](maps))
            finer = nn.functional.avg_pool2d(pose[r], 2)

        x = self.start(style).view(b * t, -1, 4, 4)
        for r in self._resolutions:
            if r > 4:
                x = self.up[str(r)](x)
            x = self.modulate[str(r)](x, pose[r], style)
            if r == self.config.temporal_size and self.temporal is not None:
                clip, memory = self.temporal(x.view(b, t, *x.shape[1:]), memory)
                x = clip.flatten(0, 1)
        out = self.to_frame(x).view(b, t, -1, *x.shape[2:])
        channels, references = self.domain.channels, self.config.references
        made = out[:, :, :channels]
        if references:
            made = made + _blend(out[:, :, channels : channels + references], condition)
        if self.config.flow_head:
            made = carry_on(made, out[:, :, -3:], last)
            last = made[:, -1]
        return made, State(memory, last)

    def _who(self, condition: Condition) -> Tensor:
        """[B, style_width / 2]; a character without an embedding has only what its references say."""
        code = torch.zeros((), device=condition.character.device)
        if self.character is not None:
            known = condition.character >= 0
            code = self.character(condition.character.clamp_min(0)) * known[:, None]
        if self.identity is not None:
            assert condition.pictures is not None
            assert condition.preference is not None
            code = code + self.identity(condition.pictures, condition.preference[:, 0].isfinite())
        return code


def _blend(logits: Tensor, condition: Condition) -> Tensor:
    """The warped references mixed pixel by pixel, by pose and by learned logits [B, T, R, S, S]: [B, T, C, S, S]."""
    assert condition.warped is not None
    assert condition.preference is not None
    preference = condition.preference[..., None, None]
    # Bounded, since a softmax that has become certain no longer learns.
    learned = BLEND_RANGE * torch.tanh(logits / BLEND_RANGE)
    # Not -inf: a softmax over references that are all missing would not be a number, nor would its gradient.
    weight = (learned + preference.clamp_min(-1e4)).softmax(dim=2) * preference.isfinite()
    return (weight[:, :, :, None] * condition.warped).sum(2)


def carry_on(made: Tensor, head: Tensor, last: Tensor | None) -> Tensor:
    """Mix each frame with the one before, carried along a flow: x_t = (1 - m) warp(x_{t-1}, w) + m h_t (vid2vid,
    Wang et al. 2018, arXiv 1808.06601, eq. 4).

    Args:
        made: h, [B, T, C, S, S].
        head: [B, T, 3, S, S], the flow from a frame's grid into the one before (dx, dy, in FLOW_RANGE of the
            picture's side), and the logit of m.
        last: the frame before the first, [B, C, S, S]; None: there is none, and the first frame is h.
    Returns:
        [B, T, C, S, S].
    """
    frames = []
    for fresh, guess in zip(made.unbind(1), head.unbind(1), strict=True):
        if last is None:
            last = fresh
        else:
            mask = torch.sigmoid(guess[:, 2:])
            carried = warp_backward(last, guess[:, :2] * (FLOW_RANGE * fresh.shape[-1]))
            last = (1 - mask) * carried.to(fresh.dtype) + mask * fresh
        frames.append(last)
    return torch.stack(frames, dim=1)


class _Modulation(nn.Module):
    """Normalise; scale and shift by pose features, pixel by pixel, and by the style; rectify."""

    def __init__(self, channels: int, pose_channels: int, style_width: int) -> None:
        super().__init__()
        self.norm = ChannelNorm()
        self.by_pose = nn.Conv2d(pose_channels, 2 * channels, 3, 1, 1)
        self.by_style = nn.Linear(style_width, 2 * channels)
        self.mix = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor, pose: Tensor, style: Tensor) -> Tensor:
        scale, shift = (self.by_pose(pose) + self.by_style(style)[:, :, None, None]).chunk(2, dim=1)
        x = nn.functional.leaky_relu(self.norm(x) * (1 + scale) + shift, 0.2)
        return x + nn.functional.leaky_relu(self.mix(x), 0.2)
