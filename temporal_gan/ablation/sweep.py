"""A sweep file: one question, the arms that answer it, and everything that is the same for all of them."""

from typing import Any, Literal

from pydantic import Field, model_validator

from ..config import Section, load_config
from ..errors import UserError
from ..evaluation.clip_results import CLIP_VALUES
from ..evaluation.definitions import DEFINITIONS
from ..evaluation.metric_definition import MetricDefinition
from ..evaluation.protocols import PROTOCOLS, SET_PROTOCOLS, Protocol
from ..evaluation.reader_metrics import POOLED_METRICS
from ..puppet import MOTIONS
from .row_names import COMMON_ARM, DCGAN_ARM, FLOOR_TITLES

LONGEST_NAME = 60
"""Characters of an arm's name: it becomes part of a folder's."""

FOLDER = "ablations"
"""Below the recipes: the sweeps that come with the package."""


class PuppetData(Section):
    """Clips that a sweep renders for itself: known motions to train on, held-out motions (split ``test_motion``) to
    score."""

    clips: int = Field(default=120, ge=3, description="to train on; a tenth of each goes to val and test")
    scored: int = Field(default=16, ge=1, description="of held-out motions")
    frames: int = Field(default=16, ge=2, description="of every clip")
    size: int = Field(default=64, ge=16, le=1024, description="pixels per side")
    fps: float = Field(
        default=12.0, gt=0, description="12: drawn on twos, and a clip shows more of its motion"
    )
    seed: int = Field(default=0, ge=0, description="of the clips; another one gives other clips")
    characters: tuple[str, ...] = Field(default=("hana", "miko", "ren", "yuki", "kuro", "momo"), min_length=1)
    held_out_motions: tuple[str, ...] = Field(
        default=("wave", "dance", "run"),
        min_length=1,
        description="an arm that leaves its place, one of everything, limbs that pass over each other",
    )

    @model_validator(mode="after")
    def _check(self) -> "PuppetData":
        for motion in self.held_out_motions:
            if motion not in MOTIONS:
                raise ValueError(f"held_out_motions: {motion!r} is not one of: {', '.join(MOTIONS)}")
        if set(MOTIONS) <= set(self.held_out_motions):
            raise ValueError("held_out_motions: are all there are; leave some to train on")
        return self


class SweepData(Section):
    """Where the clips come from: rendered for the sweep, or a store that is there."""

    puppet: PuppetData | None = None
    store: str | None = Field(default=None, description="path of a clip store with a train split")

    @model_validator(mode="after")
    def _check(self) -> "SweepData":
        if (self.puppet is None) == (self.store is None):
            raise ValueError(
                "give either puppet: {...} (rendered for the sweep) or store: PATH, and not both"
            )
        return self


class SweepConfig(Section):
    """One question. Keys of arms are dotted keys of the experiment (temporal_gan/experiment.py); paths are relative to
    the folder the command is given in."""

    question: str = Field(min_length=1, description="one sentence, ending in a question mark")
    recipe: str = Field(description="what all arms extend: a recipe's name or file")
    common: dict[str, Any] = Field(default={}, description="changes of the recipe that all arms share")
    base_arm: str = Field(min_length=1, description="name of the arm that changes nothing more")
    varies: tuple[str, ...] = Field(min_length=1, description="keys, or sections, that arms may change")
    arms: dict[str, dict[str, Any]] = Field(min_length=1, description="name -> what it changes")
    seeds: tuple[int, ...] = Field(default=(0, 1, 2), min_length=1)
    equal: Literal["steps", "time", "parameters"] = Field(
        description="what all arms have the same of: steps (steps), wall time (minutes), or steps and, within 5 %, "
        "generator parameters"
    )
    steps: int | None = Field(default=None, ge=1, description="of training, each run")
    minutes: float | None = Field(default=None, gt=0, description="of training, each run")
    protocol: str = Field(description="a protocol of temporal-gan evaluate that scores clips one by one")
    primary: str = Field(description="the metric that answers the question, named before anything ran")
    secondary: tuple[str, ...] = Field(default=(), description="metrics that are shown beside it")
    start: str | None = Field(
        default=None, description="an animator all arms start from: base, a file or a run"
    )
    common_steps: int = Field(
        default=0,
        ge=0,
        description="steps that the base arm is trained first, once a seed; every arm of that seed goes on from there",
    )
    cumulative: bool = Field(
        default=False, description="each arm adds to the one before it, and its differences are to that one"
    )
    data: SweepData
    caveat: str = Field(default="", description="what the answer does not say")

    @model_validator(mode="after")
    def _check(self) -> "SweepConfig":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds {list(self.seeds)}: one of them stands there twice")
        if self.base_arm in self.arms:
            raise ValueError(f"arms: {self.base_arm!r} is the base arm, which changes nothing; rename one")
        self._check_names()
        if (self.steps is None) == (self.minutes is None):
            raise ValueError("give either steps or minutes, and not both")
        if (self.equal == "time") != (self.minutes is not None):
            budget = "steps" if self.minutes is None else "minutes"
            raise ValueError(f"equal: {self.equal} does not go with a budget in {budget}")
        if self.common_steps and self.start is not None:
            raise ValueError("give either start or common_steps, and not both")
        if self.common_steps and self.steps is None:
            raise ValueError(
                "common_steps goes with steps: the plain DCGAN, which starts from nothing, gets both together"
            )
        self._check_protocol()
        return self

    def _check_names(self) -> None:
        for name in (self.base_arm, *self.arms):
            if name in ("", DCGAN_ARM, COMMON_ARM) or name in FLOOR_TITLES.values():
                raise ValueError(f"arms: {name!r} is the name of something else; rename the arm")
            if len(name) > LONGEST_NAME:
                raise ValueError(f"arms: {name!r} has {len(name)} characters; {LONGEST_NAME} are allowed")

    def _check_protocol(self) -> None:
        if self.protocol in SET_PROTOCOLS:
            raise ValueError(
                f"protocol: {self.protocol} scores whole sets; a sweep pairs clips, choose one of: "
                f"{', '.join(PROTOCOLS)}"
            )
        if self.protocol not in PROTOCOLS:
            raise ValueError(f"protocol: {self.protocol!r} is not one of: {', '.join(PROTOCOLS)}")
        for name in self.metrics:
            _check_metric(name, PROTOCOLS[self.protocol])
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("primary and secondary: a metric stands there twice")
        puppet, split = self.data.puppet, PROTOCOLS[self.protocol].split
        if puppet is not None and split not in (None, "test_motion"):
            raise ValueError(
                f"protocol: {self.protocol} is about split {split}, the rendered clips have test_motion"
            )
        if puppet is not None and puppet.scored < PROTOCOLS[self.protocol].fewest_clips:
            raise ValueError(
                f"data.puppet.scored: {self.protocol} asks for {PROTOCOLS[self.protocol].fewest_clips} clips or more, "
                f"got {puppet.scored}"
            )

    @property
    def metrics(self) -> tuple[str, ...]:
        """All that are shown, the primary one first."""
        return (self.primary, *self.secondary)

    @property
    def split(self) -> str:
        """Of the clips that are scored."""
        named = PROTOCOLS[self.protocol].split
        return named or ("test_motion" if self.data.puppet is not None else "test")

    def compared_with(self, arm: str) -> str:
        """The arm that another arm's differences are to."""
        order = [self.base_arm, *self.arms]
        return order[order.index(arm) - 1] if self.cumulative else self.base_arm

    @property
    def difference(self) -> str:
        """Heading of the differences."""
        return "difference to the arm before" if self.cumulative else f"difference to {self.base_arm}"

    @property
    def beginning(self) -> str:
        """Of the arms, in words."""
        if self.common_steps:
            return (
                f"every arm of a seed goes on from the base arm's averaged weights after {self.common_steps} steps, "
                "with new critics and optimisers; the plain DCGAN gets these steps more"
            )
        if self.start is not None:
            return f"every arm starts from {self.start}, the plain DCGAN from nothing"
        return "every arm starts from nothing"

    @property
    def budget(self) -> str:
        """In words."""
        if self.minutes is not None:
            return f"equal time: {self.minutes:g} minutes of training a run"
        if self.equal == "parameters":
            return f"equal parameters (within 5 %) and {self.steps} steps a run"
        return f"equal steps: {self.steps} a run"


def load_sweep(source: str) -> SweepConfig:
    """Read a sweep file, or the shipped sweep of this name.

    Raises:
        ConfigError: file, key and what is wrong with it; a metric outside the protocol, for one.
    """
    return load_config(source, [], SweepConfig, FOLDER)


def definition(name: str) -> MetricDefinition:
    """Of a metric. Raises UserError for an unknown name."""
    if name not in DEFINITIONS:
        raise UserError(f"no metric {name!r}; there are: {', '.join(CLIP_VALUES)}")
    return DEFINITIONS[name]


def _check_metric(name: str, protocol: Protocol) -> None:
    if name in POOLED_METRICS:
        raise ValueError(
            f"metric {name} is one value for all clips together; a sweep needs one for every clip, choose another"
        )
    if name not in CLIP_VALUES:
        raise ValueError(
            f"metric {name!r} is not part of protocol {protocol.name}; there are: {', '.join(CLIP_VALUES)}"
        )
    metric = DEFINITIONS[name]
    if metric.temporal and not protocol.temporal:
        raise ValueError(
            f"metric {name} compares frames with each other, protocol {protocol.name} scores single frames"
        )
    if metric.higher_is_better is None and metric.ideal is None:
        raise ValueError(f"metric {name} is a floor to compare with and no score; choose another")
