"""The whole description of a run: model, losses, data, optimiser, training, with checks across them."""

from typing import Literal

from pydantic import Field, model_validator

from .config import Section
from .data.transforms import AugmentConfig
from .losses.adversarial import Adversarial
from .models.clip_discriminator import ClipCriticConfig
from .models.dcgan import DCGANConfig
from .models.frame_discriminator import FrameCriticConfig
from .models.generator import GeneratorConfig


class CriticsConfig(Section):
    """The critics of the clip GAN."""

    frame: FrameCriticConfig = FrameCriticConfig()
    clip: ClipCriticConfig = ClipCriticConfig()


class LossConfig(Section):
    """Which losses, and how much of each."""

    adversarial: Adversarial = Field(default="hinge", description="bce | lsgan | hinge")
    adversarial_weight: float = Field(
        default=1.0, ge=0, description="of the critics' verdict in the generator's loss"
    )
    r1_gamma: float = Field(default=0.0, ge=0, description="R1 penalty on the critics; 0 switches it off")
    r1_every_steps: int = Field(
        default=8, ge=1, description="taken every so many steps, and weighted by as many"
    )
    l1_weight: float = Field(default=0.0, ge=0, description="mean absolute difference to the real clip")
    feature_matching_weight: float = Field(
        default=0.0, ge=0, description="difference of the critics' inner features"
    )
    flow_weight: float = Field(default=0.0, ge=0, description="flow consistency of the made clip")


class DataConfig(Section):
    """What a batch is drawn from."""

    batch: int = Field(default=8, ge=1, description="clips (or pictures) a step, over all processes together")
    frames: int = Field(default=8, ge=1, description="frames of a training window")
    workers: int = Field(
        default=0, ge=0, description="processes that read ahead; 0 = read in the training process"
    )
    flow: Literal["exact", "dis"] = Field(
        default="exact",
        description="reference flow: the store's or the puppet's own, or OpenCV's DIS with a check",
    )
    augment: AugmentConfig = AugmentConfig()


class OptimConfig(Section):
    """Adam for both sides. The batch is global, so more processes share it and no rate changes; a larger batch
    raises the rates by the square root of batch / lr_batch."""

    lr_generator: float = Field(default=2e-4, gt=0)
    lr_critic: float = Field(default=2e-4, gt=0)
    lr_batch: int | None = Field(
        default=None, ge=1, description="batch the rates were tuned at; null: rates are used as given"
    )
    beta1: float = Field(default=0.5, ge=0, lt=1)
    beta2: float = Field(default=0.999, gt=0, lt=1)
    ema_halflife_steps: float = Field(
        default=200.0, gt=0, description="of the averaged generator that is used and exported"
    )
    max_grad_norm: float = Field(default=100.0, gt=0)


class TrainConfig(Section):
    """How long, where, and what is written on the way."""

    steps: int = Field(default=1000, ge=1, description="total; repeat the command with more to go on")
    seed: int = 0
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float64"] = Field(
        default="auto",
        description="auto: bfloat16 on CUDA, else float32; float64 is for checks, of 1 against N processes say",
    )
    log_every_steps: int = Field(default=10, ge=1)
    preview_every_steps: int = Field(
        default=200, ge=1, description="for pictures also: at the end of each pass over them"
    )
    save_every_steps: int = Field(default=200, ge=1)
    keep_checkpoints: int = Field(default=2, ge=1)


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
        losses, critics = self.losses, self.critics
        if isinstance(self.model, DCGANConfig):
            clip_only = [
                k
                for k in (
                    "r1_gamma",
                    "l1_weight",
                    "feature_matching_weight",
                    "flow_weight",
                )
                if getattr(losses, k)
            ]
            if clip_only:
                raise ValueError(
                    f"losses.{clip_only[0]} needs model.kind: temporal; the DCGAN is the plain baseline"
                )
            if critics != CriticsConfig():
                raise ValueError("critics: model.kind: dcgan has its own discriminator; remove this section")
            if self.data.augment != AugmentConfig():
                raise ValueError(
                    "data.augment is for clips; the DCGAN's pictures are mirrored and nothing else"
                )
            return self
        if self.model.temporal_size > self.model.size:
            raise ValueError(
                f"model.temporal_size {self.model.temporal_size} is above model.size {self.model.size}"
            )
        any_critic = losses.adversarial_weight > 0 and critics.frame.weight + critics.clip.weight > 0
        if losses.feature_matching_weight and not any_critic:
            raise ValueError("losses.feature_matching_weight needs a critic with a weight above 0")
        if losses.r1_gamma and not any_critic:
            raise ValueError("losses.r1_gamma needs a critic with a weight above 0")
        if not any_critic and not losses.l1_weight:
            raise ValueError("nothing to learn from: every critic and losses.l1_weight are 0")
        if losses.flow_weight and self.data.frames < 2:
            raise ValueError("losses.flow_weight needs data.frames of at least 2")
        coarsest = self.model.size >> (
            max(critics.frame.layers + critics.frame.scales - 1, critics.clip.layers)
        )
        if coarsest < 2:
            raise ValueError(f"critics: too many layers and scales for model.size {self.model.size}")
        return self


RESUMABLE = (
    "train.steps", "train.device", "train.log_every_steps", "train.preview_every_steps", "train.save_every_steps",
    "train.keep_checkpoints", "data.workers",
)  # fmt: skip
"""Keys that may change when a run goes on: they do not change what a step computes."""
