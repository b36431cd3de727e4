"""The conditional temporal generator: DCGAN's decoder, told a pose, an expression and a character, aware of time."""

from typing import Literal, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from ..batch import ClipBatch
from ..config import Section
from .compositing import MASK_START, Finish, blend, carry_on, enlarged, moved
from .conditioning import Condition, Domain, make_condition, map_channels
from .face import FaceNetwork
from .identity import IdentityEncoder
from .layers import ChannelNorm, Upsample, Upsampling
from .temporal import Temporal, make_temporal

LEVELS, COARSEST = 5, 4
"""No more resolutions than this, so that the weights of one size serve every size; and the smallest one."""


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
    size: Literal[32, 64, 128, 256, 512] = Field(default=64, description="pixels per side of a made frame")
    network_size: Literal[32, 64, 128, 256] | None = Field(
        default=None,
        description="pixels per side at which it decides how to blend; texture is carried at full size. null: size",
    )
    width: int = Field(
        default=16, ge=4, description="channels at the network's size; at each halving twice as many"
    )
    max_width: int = Field(default=128, ge=8, description="but never more than this")
    nz: int = Field(default=16, ge=1, description="size of a clip's noise vector")
    style_width: int = Field(default=128, ge=8, description="size of a frame's style vector")
    temporal: Temporal = Field(
        default="gru", description="how frames know of the ones before: none | conv | gru | attention"
    )
    temporal_level: int = Field(
        default=3, ge=0, lt=LEVELS, description="halvings of the network's size at which they do"
    )
    upsample: Upsampling = Field(default="resize", description="deconv | resize | pixelshuffle")
    references: int = Field(default=8, ge=0, le=8, description="frames of the character it is shown; 0: none")
    carry: Literal["warp", "encode"] = Field(
        default="warp",
        description="how they enter: warped to each pose and blended, or read as they are and painted anew",
    )
    warp_offset: float = Field(
        default=0.0,
        ge=0,
        le=0.2,
        description="largest learned move of each warped reference at each pixel, in picture sizes; 0: none",
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
    finish_width: int = Field(
        default=0, ge=0, description="channels of two convolutions at full size that come last; 0: none"
    )
    face_width: int = Field(
        default=0, ge=0, description="channels of the face network, where expressions are labelled; 0: none"
    )
    face_side: Literal[16, 32, 64, 128] = Field(
        default=32, description="pixels per side of the square in which it repaints the face"
    )
    depth_groups: int = Field(default=3, ge=1, le=8, description="depth layers told apart in the pose maps")
    joint_maps: bool = Field(
        default=False, description="also a map per joint, which ties the weights to one skeleton"
    )

    @model_validator(mode="after")
    def _check(self) -> "GeneratorConfig":
        if self.identity != "embedding" and not self.references:
            raise ValueError(f"identity: {self.identity} reads the references; references must be 1 or more")
        if not self.references and (self.carry == "encode" or self.warp_offset):
            raise ValueError("carry: encode and warp_offset are about references, which must be 1 or more")
        if self.carry == "encode" and (self.layered_warp or self.warp_offset):
            raise ValueError("carry: encode warps nothing; layered_warp must be false and warp_offset 0")
        if self.network_size is not None and self.network_size > self.size:
            raise ValueError(f"network_size {self.network_size} is above size {self.size}")
        if self.inner_size >> self.temporal_level < COARSEST:
            raise ValueError(
                f"temporal_level {self.temporal_level}: {self.inner_size} pixels halved so often leave fewer than "
                f"{COARSEST}"
            )
        return self

    @property
    def inner_size(self) -> int:
        """Pixels per side at which the network works."""
        return self.network_size or self.size

    @property
    def warped(self) -> int:
        """References that are warped to each pose and blended."""
        return self.references if self.carry == "warp" else 0

    @property
    def levels(self) -> int:
        """Resolutions at which it works: its size, half of it ... down to 4x4, but no more than ``LEVELS``."""
        return min(LEVELS, (self.inner_size // COARSEST).bit_length())

    def channels(self, level: int) -> int:
        """Feature channels after so many halvings."""
        return min(self.max_width, self.width << level)


class Generator(nn.Module):
    """Condition and noise -> clip.

    Texture is carried, not remembered: the output is a blend, pixel by pixel, of reference frames warped to the pose,
    plus what the network paints to repair it. With ``carry: encode`` it is the encoder-decoder of pose-guided synthesis
    instead (Ma et al. 2017, arXiv 1705.09368, stage I): the references enter the encoder as they are, beside the pose
    maps, and every pixel is painted.

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
        levels, width = range(config.levels), config.channels
        seen = config.references * domain.channels
        self.read = nn.ModuleList(
            nn.Conv2d(maps + (width(i - 1) if i else seen), width(i), 3, 1, 1) for i in levels
        )
        self.start = nn.Linear(style, width(levels[-1]) * COARSEST**2)
        self.up = nn.ModuleList(Upsample(config.upsample, width(i + 1), width(i)) for i in levels[:-1])
        self.modulate = nn.ModuleList(_Modulation(width(i), width(i), style) for i in levels)
        self.temporal = make_temporal(config.temporal, width(config.temporal_level))
        # Per pixel: colour, blend logits, offsets, flow and mask.
        offsets = 2 * config.warped if config.warp_offset else 0
        self.painted = [domain.channels, config.warped, offsets, 3 if config.flow_head else 0]
        self.to_frame = nn.Conv2d(width(0), sum(self.painted), 3, 1, 1)
        self.finish: Finish | None = None
        if config.finish_width:
            self.finish = Finish(width(0), domain.channels, config.finish_width)
        self.face: FaceNetwork | None = None
        if config.face_width and domain.expressions:
            self.face = FaceNetwork(
                domain.skeleton, domain.channels + seen, domain.channels, config.face_width, face, config.face_side
            )  # fmt: skip
        self.forget()

    @torch.no_grad()
    def forget(self) -> None:
        """Only blend the warped references by pose, and paint nothing: from there learning moves in small steps."""
        lasts = [self.to_frame, *(part.out for part in (self.finish, self.face) if part is not None)]
        for parameter in (p for last in lasts for p in last.parameters()):
            parameter.zero_()
        if self.config.flow_head:
            self.to_frame.bias[-1] = MASK_START  # type: ignore[index]

    def tell(self, batch: ClipBatch, finest: int | None = None) -> Condition:
        """What this generator must be told to make a batch's clips; see :func:`make_condition`.

        Args:
            batch: what is commanded.
            finest: also draw the poses at up to so many pixels, for critics; None: what the generator itself needs.
        """
        config = self.config
        return make_condition(
            batch, self.domain, finest or config.inner_size, config.depth_groups, config.joint_maps,
            config.layered_warp, config.inner_size, config.carry == "warp",
        )  # fmt: skip

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

        inner = self.config.inner_size
        shown = self._shown(condition)
        finer = shown.new_zeros(b * t, 0, inner, inner)
        if self.config.references:
            finer = nn.functional.avg_pool2d(shown, self.config.size // inner)
        pose: list[Tensor] = []
        for level, read in enumerate(self.read):
            maps = condition.maps[inner >> level].flatten(0, 1)
            pose.append(torch.relu(read(torch.cat([maps, finer], dim=1))))
            finer = nn.functional.avg_pool2d(pose[-1], 2)

        x = self.start(style).view(b * t, -1, COARSEST, COARSEST)
        x = nn.functional.interpolate(x, scale_factor=pose[-1].shape[-1] // COARSEST, mode="nearest")
        for level in reversed(range(len(pose))):
            if level < len(pose) - 1:
                x = self.up[level](x)
            x = self.modulate[level](x, pose[level], style)
            if level == self.config.temporal_level and self.temporal is not None:
                clip, memory = self.temporal(x.view(b, t, *x.shape[1:]), memory)
                x = clip.flatten(0, 1)
        out = enlarged(self.to_frame(x), self.config.size).unflatten(0, (b, t))
        made, logits, offsets, flow = out.split(self.painted, dim=2)
        if self.config.warped:
            assert condition.warped is not None
            assert condition.preference is not None
            warped = condition.warped
            if self.config.warp_offset:
                warped = moved(warped, offsets, self.config.warp_offset)
            made = made + blend(warped, logits, condition.preference)
        if self.finish is not None:
            made = self.finish(x, made.flatten(0, 1)).unflatten(0, (b, t))
        if self.face is not None:
            places = condition.keypoints.flatten(0, 1), condition.confidence.flatten(0, 1)
            repainted = self.face(made.flatten(0, 1), shown, *places, condition.face.flatten(0, 1))
            made = repainted.unflatten(0, (b, t))
        if self.config.flow_head:
            made = carry_on(made, flow, last)
            last = made[:, -1]
        return made, State(memory, last)

    def _shown(self, condition: Condition) -> Tensor:
        """[B T, R C, S, S]: the references as the encoder and the face network see them."""
        b, t = condition.face.shape[:2]
        if not self.config.references:
            return condition.face.new_zeros(b * t, 0, self.config.size, self.config.size)
        if self.config.warped:
            assert condition.warped is not None
            return condition.warped.flatten(2, 3).flatten(0, 1)
        assert condition.pictures is not None
        return condition.pictures.flatten(1, 2)[:, None].expand(-1, t, -1, -1, -1).flatten(0, 1)

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
