"""The arms of a sweep as whole configurations, and the refusal of those that prove nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..config import differences, load_config
from ..errors import ConfigError
from ..experiment import ExperimentConfig
from ..models.conditioning import Domain
from ..models.generator import GeneratorConfig
from ..training.start import Start, why_not_from
from .sweep import SweepConfig

SET_BY_SWEEP = ("train.steps", "train.seed")
"""Keys that no arm may set: the sweep does."""

ENDLESS = 1_000_000
"""Steps of a run that the clock ends."""

QUIET = {
    "train.validate_every_steps": 0, "train.preview_every_steps": ENDLESS, "train.log_every_steps": 5,
}  # fmt: skip
"""What runs do beside training takes time that would not be the same for all; ``common`` may set it otherwise."""

SAVE_EVERY_STEPS = 50
"""Where steps are counted; where the clock ends a run, an interrupted one begins anew and saving costs time."""


@dataclass(frozen=True)
class Arm:
    """One row of the answer.

    Attributes:
        name: as in the sweep file.
        config: of its first seed.
        changes: ``key: old -> new`` against the base arm; () for the base arm itself.
    """

    name: str
    config: ExperimentConfig
    changes: tuple[str, ...]


def resolve_arms(sweep: SweepConfig, origin: str) -> list[Arm]:
    """Every arm's configuration, the base arm first.

    Args:
        sweep: a checked sweep.
        origin: names its file in messages.
    Raises:
        ConfigError: an unknown key (with "did you mean"), a key that the sweep sets or ``varies`` does not list, an arm
            that changes nothing or the same as another, or a key in ``varies`` that nobody changes.
    """
    base = _load(sweep, {}, f"{origin}: base arm {sweep.base_arm!r}")
    arms = [Arm(sweep.base_arm, base, ())]
    for name, own in sweep.arms.items():
        where = f"{origin}: arm {name!r}"
        for key in own:
            if not _listed(key, sweep.varies):
                raise ConfigError(
                    f"{where} changes {key}, which varies: {list(sweep.varies)} does not list; add it there, or to "
                    "common: for all arms"
                )
        config = _load(sweep, own, where)
        changes = differences(base.model_dump(mode="json"), config.model_dump(mode="json"))
        if not changes:
            raise ConfigError(
                f"{where} changes nothing: {_told(own)} is what the base arm has already; remove it, or change common:"
            )
        twin = next((arm.name for arm in arms if arm.config == config), None)
        if twin is not None:
            raise ConfigError(f"{where} is the same as arm {twin!r}; remove one")
        arms.append(Arm(name, config, tuple(changes)))
    changed = [line.partition(":")[0] for arm in arms for line in arm.changes]
    idle = [key for key in sweep.varies if not any(_listed(line, (key,)) for line in changed)]
    if idle:
        raise ConfigError(f"{origin}: varies lists {idle[0]}, which no arm changes; remove it")
    return arms


def check_beginning(
    sweep: SweepConfig, arms: Sequence[Arm], domain: Domain, start: Start | None, origin: str
) -> None:
    """Refuse arms that cannot begin with the weights that the sweep names.

    Args:
        sweep, arms, origin: as in :func:`resolve_arms`.
        domain: of the clips.
        start: the animator that the sweep names, or None.
    Raises:
        ConfigError: the arm, and the key that makes it another architecture.
    """
    base = arms[0].config.model
    assert isinstance(base, GeneratorConfig)
    if start is not None:
        weights = f"start {sweep.start}"
        settings, theirs = start.generator.config, start.generator.domain
    elif sweep.common_steps:
        weights = f"what the base arm learned in {sweep.common_steps} steps"
        settings, theirs = base, domain
    else:
        return
    for arm in arms:
        model = arm.config.model
        assert isinstance(model, GeneratorConfig)
        reason = why_not_from(settings, theirs, model, domain)
        if reason:
            raise ConfigError(
                f"{origin}: arm {arm.name!r} cannot begin with {weights}, which {reason}; let every arm start from "
                "nothing: remove start and common_steps"
            )


def seeded(config: ExperimentConfig, seed: int) -> ExperimentConfig:
    """The same arm with another seed."""
    return config.model_copy(update={"train": config.train.model_copy(update={"seed": seed})})


def _load(sweep: SweepConfig, own: dict[str, Any], where: str) -> ExperimentConfig:
    save = ENDLESS if sweep.steps is None else SAVE_EVERY_STEPS
    budget = {
        "train.steps": sweep.steps or ENDLESS, "train.seed": sweep.seeds[0], "train.save_every_steps": save,
    }  # fmt: skip
    set_here = [key for key in (*sweep.common, *own) if key in SET_BY_SWEEP or key == "train"]
    if set_here:
        raise ConfigError(f"{where}: {set_here[0]} is set by the sweep: steps or minutes, and seeds")
    if not isinstance(load_config(sweep.recipe, [], ExperimentConfig).model, GeneratorConfig):
        raise ConfigError(f"{where}: recipe {sweep.recipe} is of a DCGAN; sweeps are about clip generators")
    changes = QUIET | budget | sweep.common | own
    for key, value in changes.items():
        if not isinstance(value, str | int | float | bool | list | dict | None):
            raise ConfigError(f"{where}: {key}: {value} is a {type(value).__name__}; put it in quotes")
    overrides = [f"{key}={json.dumps(value)}" for key, value in changes.items()]
    try:
        config = load_config(sweep.recipe, overrides, ExperimentConfig)
        if not isinstance(config.model, GeneratorConfig):
            raise ConfigError(f"{where}: model.kind: sweeps are about clip generators")
        return config
    except ConfigError as error:
        # Without the overrides that it repeats, which may be many.
        said = str(error).removeprefix(f"{_recipe_of(str(error))} with {' '.join(overrides)}: ")
        raise ConfigError(f"{where}: {said}") from None


def _recipe_of(message: str) -> str:
    return message.partition(" with ")[0]


def _listed(key: str, allowed: tuple[str, ...]) -> bool:
    """Whether a key is one of these, or within a section that is."""
    return any(key == known or key.startswith(f"{known}.") for known in allowed)


def _told(own: dict[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in own.items()) or "an empty list of changes"
