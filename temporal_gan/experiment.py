"""The whole description of a run: model, losses, data, optimiser, training, with checks across them."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from .config import Section
from .data.references import POOL
from .data.transforms import AugmentConfig
from .losses.adversarial import Adversarial
from .losses.coherence import FEWEST_FRAMES
from .losses.critic_view import CriticViewConfig
from .losses.growing import GrowingStage, check_growing
from .models.clip_discriminator import ClipCriticConfig
from .models.dcgan import DCGANConfig
from .models.frame_discriminator import FrameCriticConfig
from .models.generator import GeneratorConfig
from .models.reader_file import find_reader
from .models.region_discriminator import RegionCriticConfig
from .run_config import OptimConfig, TrainConfig


class CriticsConfig(Section):
    """The critics of the clip GAN."""

    frame: FrameCriticConfig = FrameCriticConfig()
    clip: ClipCriticConfig = ClipCriticConfig()
    region: RegionCriticConfig = RegionCriticConfig()
    spectral_norm: bool = Field(
        default=False, description="divide every weight of theirs by its largest singular value"
    )

    @property
    def weights(self) -> dict[str, float]:
        """Of each critic, by its name."""
        return {"frame": self.frame.weight, "clip": self.clip.weight, "region": self.region.weight}


class LossConfig(Section):
    """Which losses, and how much of each."""

    adversarial: Adversarial = Field(default="hinge", description="bce | lsgan | hinge | wgan")
    adversarial_weight: float = Field(
        default=1.0, ge=0, description="of the critics' verdict in the generator's loss"
    )
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=0.5, description="bce and lsgan: critics want real at 1 minus this"
    )
    r1_gamma: float = Field(default=0.0, ge=0, description="R1 penalty on the critics; 0 switches it off")
    r1_every_steps: int = Field(
        default=8, ge=1, description="taken every so many steps, and weighted by as many"
    )
    gp_weight: float = Field(
        default=0.0, ge=0, description="WGAN-GP penalty on the critics; 0 switches it off, the paper has 10"
    )
    critic_view: CriticViewConfig = CriticViewConfig()
    smooth: float = Field(
        default=2 / 255,
        ge=0,
        description="pixel differences below it (of a range of 2) are squared: 1 learns faster, 0.01 draws sharper",
    )
    l1_weight: float = Field(default=0.0, ge=0, description="mean absolute difference to the real clip")
    l1_foreground_weight: float = Field(
        default=0.0, ge=0, description="the same inside the union of made and real silhouette"
    )
    l1_face_weight: float = Field(
        default=0.0, ge=0, description="the same inside the face's square, where expressions are"
    )
    feature_matching_weight: float = Field(
        default=0.0, ge=0, description="difference of the critics' inner features"
    )
    perceptual: Literal["none", "reader", "lpips", "vgg"] = Field(
        default="none",
        description="whose features made and real are compared by: the reader below, LPIPS on VGG16, or VGG19",
    )
    perceptual_weight: float = Field(default=0.0, ge=0)
    perceptual_file: str | None = Field(
        default=None, description="weights of lpips or vgg; null: the weights folder"
    )
    flow_weight: float = Field(default=0.0, ge=0, description="flow consistency of the made clip")
    temporal_difference_weight: float = Field(
        default=0.0, ge=0, description="difference of the changes from frame to frame"
    )
    reader: str = Field(
        default="loss", description="who reads made frames: loss, or a file; never the one that judges"
    )
    pose_weight: float = Field(default=0.0, ge=0, description="commanded joints, as read from made frames")
    expression_weight: float = Field(
        default=0.0, ge=0, description="commanded expression, as read from made frames"
    )
    coherence_weight: float = Field(
        default=0.0, ge=0, description="body and face should quicken when the real ones do, as read from both"
    )

    @property
    def needs_reader(self) -> bool:
        """Whether any loss asks a reader."""
        return bool(
            self.pose_weight or self.expression_weight or self.coherence_weight or self.perceptual == "reader"
        )


class CurriculumStage(Section):
    """Shorter windows at the start."""

    frames: int = Field(ge=1, description="first frames of each window that are trained on")
    until_step: int = Field(ge=1, description="before this step")


class DataConfig(Section):
    """What a batch is drawn from."""

    batch: int = Field(default=8, ge=1, description="clips (or pictures) a step, over all processes together")
    frames: int = Field(default=8, ge=1, description="frames of a training window")
    curriculum: tuple[CurriculumStage, ...] = Field(
        default=(), description="shorter windows before: [{frames: 1, until_step: 500}, ...]"
    )
    growing: tuple[GrowingStage, ...] = Field(
        default=(),
        description="coarser pictures before: [{size: 16, until_step: 200}, ...], each fading into the next over its "
        "second half",
    )
    workers: int = Field(
        default=0, ge=0, description="processes that read ahead; 0 = read in the training process"
    )
    smallest_pool: int = Field(
        default=POOL,
        ge=1,
        le=POOL,
        description="references are chosen among at least so many frames, a number drawn for each sample",
    )
    flow: Literal["exact", "dis", "raft", "raft_small"] = Field(
        default="exact",
        description="reference flow: the store's or the puppet's own, or measured by OpenCV's DIS or by RAFT, with a "
        "check",
    )
    flow_file: str | None = Field(default=None, description="weights of RAFT; null: the weights folder")
    augment: AugmentConfig = AugmentConfig()

    def frames_at(self, step: int) -> int:
        """Frames of a window that this step trains on."""
        return next((s.frames for s in self.curriculum if step < s.until_step), self.frames)


class ExperimentConfig(Section):
    """A recipe. Sections the chosen model does not use must be left alone."""

    model: GeneratorConfig | DCGANConfig = Field(default=GeneratorConfig(), discriminator="kind")
    critics: CriticsConfig = CriticsConfig()
    losses: LossConfig = LossConfig()
    data: DataConfig = DataConfig()
    optim: OptimConfig = OptimConfig()
    train: TrainConfig = TrainConfig()

    @model_validator(mode="after")
    def _check(self) -> "ExperimentConfig":
        check_losses(self.losses)
        if isinstance(self.model, DCGANConfig):
            self._check_dcgan()
        else:
            self._check_clip_gan(self.model)
        return self

    def _check_dcgan(self) -> None:
        losses, optim = self.losses, self.optim
        unused = [k for k in CLIP_LOSSES if getattr(losses, k)]
        if unused:
            raise ValueError(
                f"losses.{unused[0]} needs model.kind: temporal; the DCGAN is the plain baseline"
            )
        if losses.adversarial == "wgan":
            raise ValueError(
                "losses.adversarial: wgan needs a gradient penalty, which the DCGAN's batch norm forbids: a picture's "
                "logit depends on its neighbours"
            )
        if losses.perceptual != "none":
            raise ValueError("losses.perceptual needs model.kind: temporal; nothing is paired here")
        if losses.critic_view != CriticViewConfig():
            raise ValueError("losses.critic_view needs model.kind: temporal; the DCGAN is the plain baseline")
        if optim.generator_every_steps > 1 or optim.critics_every_steps > 1:
            raise ValueError("optim.*_every_steps needs model.kind: temporal; the DCGAN alternates")
        for key in ("curriculum", "growing"):
            if getattr(self.data, key):
                raise ValueError(f"data.{key} is for clips")
        if self.train.validates:
            raise ValueError("train.validate_every_steps and train.best_by are for clips")
        if self.critics != CriticsConfig():
            raise ValueError("critics: model.kind: dcgan has its own discriminator; remove this section")
        if self.data.augment != AugmentConfig():
            raise ValueError("data.augment is for clips; the DCGAN's pictures are mirrored and nothing else")

    def _check_clip_gan(self, model: GeneratorConfig) -> None:
        losses, critics, optim, frames = self.losses, self.critics, self.optim, self.data.frames
        any_critic = losses.adversarial_weight > 0 and sum(critics.weights.values()) > 0
        of_critics = ("feature_matching_weight", "r1_gamma", "gp_weight", "label_smoothing")
        idle = [f"losses.{k}" for k in of_critics if getattr(losses, k)]
        idle += ["losses.critic_view"] * (losses.critic_view != CriticViewConfig())
        idle += ["critics.spectral_norm"] * critics.spectral_norm
        idle += [
            f"optim.{k}" for k in ("generator_every_steps", "critics_every_steps") if getattr(optim, k) > 1
        ]
        if idle and not any_critic:
            raise ValueError(f"{idle[0]} needs a critic with a weight above 0")
        if optim.generator_every_steps > 1 and optim.critics_every_steps > 1:
            raise ValueError(
                "optim.generator_every_steps or optim.critics_every_steps: one side learns in every step"
            )
        paired = losses.l1_weight + losses.l1_foreground_weight + losses.perceptual_weight
        if not any_critic and not paired:
            raise ValueError("nothing to learn from: every critic and losses.l1_weight are 0")
        for key, fewest in FEWEST_FRAMES_OF.items():
            if getattr(losses, key) and frames < fewest:
                raise ValueError(f"losses.{key} needs data.frames of at least {fewest}")
        longest = critics.clip.span(max(critics.clip.strides))
        if critics.clip.weight and max(critics.clip.strides) > 1 and longest > frames:
            raise ValueError(
                f"critics.clip.strides: {critics.clip.frames} frames at stride {max(critics.clip.strides)} reach over "
                f"{longest}, data.frames is {frames}"
            )
        if critics.frame.expression_weight and not (any_critic and critics.frame.weight):
            raise ValueError("critics.frame.expression_weight needs a frame critic with a weight above 0")
        frames_teach = any_critic and critics.frame.weight + critics.region.weight > 0
        if self.data.flow_file is not None and not self.data.flow.startswith("raft"):
            raise ValueError("data.flow_file is for data.flow: raft | raft_small")
        self._check_curriculum(frames_teach or paired > 0)
        check_growing(self.data.growing, model.size)
        coarsest = model.size >> max(critics.frame.layers + critics.frame.scales - 1, critics.clip.layers)
        if coarsest < 2:
            raise ValueError(f"critics: too many layers and scales for model.size {model.size}")

    def _check_curriculum(self, frames_teach: bool) -> None:
        stages, frames = self.data.curriculum, self.data.frames
        lengths = [*(s.frames for s in stages), frames]
        ends = [s.until_step for s in stages]
        shortest = self.critics.clip.span(min(self.critics.clip.strides))
        if any(b <= a for a, b in zip(lengths, lengths[1:], strict=False)):
            raise ValueError(f"data.curriculum: frames must grow up to data.frames; they are {lengths}")
        if any(b <= a for a, b in zip(ends, ends[1:], strict=False)):
            raise ValueError(f"data.curriculum: until_step must grow; it is {ends}")
        if stages and not frames_teach and lengths[0] < shortest:
            raise ValueError(
                f"data.curriculum begins with {lengths[0]} frames, of which the clip critic can say nothing (it needs "
                f"{shortest}); use the frame critic or losses.l1_weight as well"
            )


def check_losses(losses: LossConfig) -> None:
    """Raise ValueError where losses contradict each other, whatever the model."""
    if losses.adversarial == "wgan" and not losses.gp_weight and not losses.r1_gamma:
        raise ValueError(
            "losses.adversarial: wgan has no bound without a penalty on the critics' slope; set losses.gp_weight=10"
        )
    if losses.gp_weight and losses.r1_gamma:
        raise ValueError(
            "losses.gp_weight and losses.r1_gamma: one wants the critics' slope at 1, the other at 0; choose one"
        )
    if losses.label_smoothing and losses.adversarial not in ("bce", "lsgan"):
        raise ValueError(f"losses.label_smoothing is for bce and lsgan; {losses.adversarial} has no labels")
    if losses.critic_view.adaptive_target is not None and losses.adversarial == "wgan":
        raise ValueError(
            "losses.critic_view.adaptive_target asks on which side of a boundary the critics' logits lie; wgan has none"
        )
    if (losses.perceptual != "none") != (losses.perceptual_weight > 0):
        raise ValueError(
            "losses.perceptual (reader | lpips | vgg) and losses.perceptual_weight: set both or neither"
        )
    if losses.perceptual_file is not None and losses.perceptual not in ("lpips", "vgg"):
        raise ValueError("losses.perceptual_file is for losses.perceptual: lpips | vgg")
    if losses.reader == "metrics" or Path(losses.reader).resolve() == find_reader("metrics").resolve():
        raise ValueError(
            "losses.reader: 'metrics' is the reader that judges; a network that was trained against is no judge"
        )


CLIP_LOSSES = (
    "r1_gamma", "gp_weight", "l1_weight", "l1_foreground_weight", "l1_face_weight", "perceptual_weight",
    "feature_matching_weight", "flow_weight", "temporal_difference_weight", "pose_weight", "expression_weight",
    "coherence_weight",
)  # fmt: skip
"""Losses that the DCGAN has not."""

FEWEST_FRAMES_OF = {"flow_weight": 2, "temporal_difference_weight": 2, "coherence_weight": FEWEST_FRAMES}
"""Frames of a window that a loss needs to say anything."""
