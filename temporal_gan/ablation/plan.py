"""All runs of a sweep, each with a name that says everything that decides its result."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import load_config
from ..evaluation.protocols import PROTOCOLS
from ..evaluation.results import versions
from ..experiment import ExperimentConfig
from ..inference.weights_file import animator_sha256
from ..models.dcgan import DCGANConfig
from ..models.generator import GeneratorConfig
from .arms import ENDLESS, Arm, seeded
from .clips import data_key, find_store
from .row_names import COMMON_ARM, DCGAN_ARM
from .sweep import SweepConfig

TRAINED = "run"
"""Of a run's folder: what the training wrote."""

FLOOR_SEED = -1
"""Of the floors, which nothing is trained for."""


@dataclass(frozen=True)
class Run:
    """One arm with one seed, or all floors that need no training. Can be sent to another process.

    Attributes:
        arm, seed: "" and FLOOR_SEED for the floors, COMMON_ARM for what is only gone on from.
        config: None for the floors.
        minutes: of training; None: ``config.train.steps`` decide.
        start: animator that the training starts from, or None.
        after: the common start whose weights the training goes on from, or None.
        protocol, split: of the scoring.
        store: the clips.
        folder: of everything that comes of it.
        key: SHA-256 of all that decides its result; a run with another key is another run.
    """

    arm: str
    seed: int
    config: ExperimentConfig | None
    minutes: float | None
    start: str | None
    after: "Run | None"
    protocol: str
    split: str
    store: Path
    folder: Path
    key: str

    @property
    def is_scored_arm(self) -> bool:
        """Whether it gives the table a row."""
        return self.arm not in ("", COMMON_ARM)


def plan_runs(sweep: SweepConfig, arms: Sequence[Arm], out: Path) -> list[Run]:
    """The floors, then every arm with the first seed, with the second one, and so on: what there is of a sweep that
    was stopped is balanced.

    Raises:
        StoreError: a named store is missing.
        CheckpointError: there is no such animator to start from.
    """
    data = data_key(sweep.data, out)
    known_start = None if sweep.start is None else animator_sha256(sweep.start)

    def run(
        arm: str, seed: int, config: ExperimentConfig | None, starts: bool = False, after: Run | None = None
    ) -> Run:
        told = {
            "config": None if config is None else config.model_dump(mode="json"),
            "minutes": sweep.minutes,
            "start": known_start if starts else None,
            "data": data,
            "protocol": PROTOCOLS[sweep.protocol].to_dict(),
            "split": sweep.split,
            # Not the sources themselves: mending a comment must not cost a day of training.  The code that made a run
            # is in its outcome, and the table says where runs were made by different code.
            "versions": versions(),
        }
        if after is not None:
            told["after"] = after.key
        key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        name = f"{slug(arm)}_seed{seed}_{key[:10]}" if arm else f"floors_{key[:10]}"
        return Run(
            arm, seed, config, sweep.minutes, sweep.start if starts else None, after, sweep.protocol, sweep.split,
            find_store(sweep.data, out), out / "runs" / name, key,
        )  # fmt: skip

    floor = dcgan_config(sweep, arms[0])
    runs = [run("", FLOOR_SEED, None)]
    for seed in sweep.seeds:
        common = None
        if sweep.common_steps:
            common = run(COMMON_ARM, seed, with_steps(seeded(arms[0].config, seed), sweep.common_steps))
            runs.append(common)
        runs += [
            run(arm.name, seed, seeded(arm.config, seed), sweep.start is not None, common) for arm in arms
        ]
        if floor is not None:
            runs.append(run(DCGAN_ARM, seed, seeded(floor, seed)))
    return runs


def dcgan_config(sweep: SweepConfig, base: Arm) -> ExperimentConfig | None:
    """The floor arm: the plain DCGAN with the arms' budget and as many pictures a step; None where it cannot make
    pictures of the arms' size."""
    model, data = base.config.model, base.config.data
    assert isinstance(model, GeneratorConfig)
    if model.size != DCGANConfig.model_fields["size"].default:
        return None
    settings = {
        "data.batch": max(2, data.batch * data.frames),
        "train.steps": ENDLESS if sweep.steps is None else sweep.steps + sweep.common_steps,
        "train.preview_every_steps": ENDLESS,
        "train.save_every_steps": base.config.train.save_every_steps,
        "train.log_every_steps": base.config.train.log_every_steps,
        "train.device": base.config.train.device,
        "train.precision": base.config.train.precision,
    }
    return load_config("dcgan64", [f"{key}={value}" for key, value in settings.items()], ExperimentConfig)


def with_steps(config: ExperimentConfig, steps: int) -> ExperimentConfig:
    """The same with another length."""
    return config.model_copy(update={"train": config.train.model_copy(update={"steps": steps})})


def slug(name: str) -> str:
    """For a folder's name."""
    return re.sub(r"\W+", "_", name.lower()).strip("_")
