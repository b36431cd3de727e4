"""The whole description of a reader's training."""

from pydantic import Field, model_validator

from ...config import Section
from ...models.reader import ReaderConfig
from ...run_config import TrainConfig

DRAWN_CHARACTERS, DRAWN_SCRIPTS = 2, 4
"""Of a scene, for one batch: many scenes and little of each, since pictures that are alike teach little together."""


class FramesConfig(Section):
    """What a batch is made of: scenes, each several characters that play the same scripts.

    A picture, of whatever source, is turned, zoomed, mirrored and spoiled anew each time it is drawn.
    """

    size: int = Field(default=192, ge=64, description="pixels per side")
    characters: int = Field(
        default=4, ge=2, description="that play the scripts of a scene, none of the named cast"
    )
    scripts: int = Field(
        default=6, ge=2, description="of a scene: motion, expression, camera, light and background"
    )
    moments: int = Field(default=8, ge=1, description="frames rendered of each script, over 1.3 seconds")
    scenes_a_batch: int = Field(
        default=6, ge=1, description="from each, two characters in four scripts are drawn"
    )
    scenes_kept: int = Field(default=48, ge=1, description="the newest so many are drawn from")
    first_scenes: int = Field(default=16, ge=1, description="rendered before the first step")
    steps_a_scene: int = Field(default=12, ge=1, description="a new scene every so many steps")

    @property
    def batch(self) -> int:
        """Frames of a batch."""
        return self.scenes_a_batch * min(self.characters, DRAWN_CHARACTERS) * min(self.scripts, DRAWN_SCRIPTS)


class ReaderLossConfig(Section):
    """How much of each loss."""

    keypoints: float = Field(default=1.0, ge=0, description="cross-entropy of the heat maps")
    confidence: float = Field(default=1.0, ge=0)
    classes: float = Field(default=1.0, ge=0, description="cross-entropy of the expression's class mixture")
    controls: float = Field(default=1.0, ge=0)
    features: float = Field(
        default=0.3, ge=0, description="the same script, whoever plays it, has one vector"
    )
    identity: float = Field(
        default=0.2, ge=0, description="the same character, whatever it plays, has one vector"
    )


class ReaderOptimConfig(Section):
    """AdamW; the rate rises over ``warmup_steps`` and falls as half a cosine to 0 at the last step."""

    lr: float = Field(default=5e-3, gt=0)
    warmup_steps: int = Field(default=100, ge=0)
    weight_decay: float = Field(default=0.02, ge=0)
    max_grad_norm: float = Field(default=5.0, gt=0)


class ReaderRecipe(Section):
    """A recipe for a reader."""

    model: ReaderConfig = ReaderConfig()
    frames: FramesConfig = FramesConfig()
    losses: ReaderLossConfig = ReaderLossConfig()
    optim: ReaderOptimConfig = ReaderOptimConfig()
    train: TrainConfig = TrainConfig()

    @model_validator(mode="after")
    def _check(self) -> "ReaderRecipe":
        if self.train.validates:
            raise ValueError(
                "train.validate_every_steps and train.best_by are for clips; see `temporal-gan reader check`"
            )
        return self
