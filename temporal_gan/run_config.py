"""How a run goes, whatever it trains: optimiser, steps, device, and what is written on the way."""

from typing import Literal

from pydantic import Field, model_validator

from .config import Section

BestBy = Literal[
    "foreground_psnr", "foreground_ssim", "sharpness_ratio", "motion_ratio", "warping_error_ratio", "reader_pck@0.05",
    "expression_accuracy",
]  # fmt: skip
"""Figures of validation by which the best weights can be kept."""


class OptimConfig(Section):
    """Adam for both sides. The batch is global, so more processes share it and no rate changes; a larger batch
    raises the rates by the square root of batch / lr_batch."""

    lr_generator: float = Field(default=2e-4, gt=0)
    lr_critic: float = Field(default=2e-4, gt=0)
    lr_batch: int | None = Field(
        default=None, ge=1, description="batch the rates were tuned at; null: rates are used as given"
    )
    beta1: float = Field(
        default=0.5, ge=0, lt=1, description="of the generator's Adam; 0.9 learns pictures faster"
    )
    beta1_critic: float = Field(default=0.5, ge=0, lt=1)
    beta2: float = Field(default=0.999, gt=0, lt=1)
    ema_halflife_steps: float = Field(
        default=200.0, gt=0, description="of the averaged generator that is used and exported"
    )
    max_grad_norm: float = Field(default=100.0, gt=0)
    generator_every_steps: int = Field(
        default=1, ge=1, description="critics learn in every step, the generator in every n-th"
    )
    critics_every_steps: int = Field(default=1, ge=1, description="the other way round")
    fused: bool = Field(default=False, description="Adam in one kernel: faster, other rounding")


class TrainConfig(Section):
    """How long, where, and what is written on the way."""

    steps: int = Field(default=1000, ge=1, description="total; repeat the command with more to go on")
    seed: int = 0
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float64"] = Field(
        default="auto",
        description="auto: bfloat16 on CUDA, else float32; float64 is for checks, of 1 against N processes say",
    )
    channels_last: bool = Field(
        default=False,
        description="weights and pictures as [N, H, W, C] in memory: other kernels, other rounding",
    )
    compile: bool = Field(
        default=False,
        description="torch.compile of generator and critics: needs a compiler, and minutes before the first step",
    )
    log_every_steps: int = Field(default=10, ge=1)
    preview_every_steps: int = Field(
        default=200, ge=1, description="for pictures also: at the end of each pass over them"
    )
    save_every_steps: int = Field(default=200, ge=1)
    keep_checkpoints: int = Field(default=2, ge=1)
    validate_every_steps: int = Field(
        default=200, ge=0, description="clips: held-out clips are made and measured so often; 0: never"
    )
    best_by: BestBy | None = Field(
        default=None,
        description="clips: animator_best.safetensors keeps the weights with the best such figure on held-out clips: "
        "foreground_psnr | foreground_ssim | sharpness_ratio | motion_ratio | warping_error_ratio | reader_pck@0.05 | "
        "expression_accuracy",
    )

    @model_validator(mode="after")
    def _check(self) -> "TrainConfig":
        if self.best_by is not None and not self.validate_every_steps:
            raise ValueError("best_by needs validate_every_steps above 0: nothing is measured")
        return self

    @property
    def validates(self) -> bool:
        """Whether anything is asked of validation that is not the default."""
        default = TrainConfig.model_fields["validate_every_steps"].default
        return self.best_by is not None or self.validate_every_steps != default


RESUMABLE = (
    "train.steps", "train.device", "train.log_every_steps", "train.preview_every_steps", "train.save_every_steps",
    "train.keep_checkpoints", "train.validate_every_steps", "data.workers",
)  # fmt: skip
"""Keys that may change when a run goes on: they do not change what a step computes."""
