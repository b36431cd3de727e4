"""A sweep of seconds: two arms, two seeds, a few steps on tiny puppets."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from small_runs import CLIP_GAN, changed

from temporal_gan.ablation.arms import resolve_arms
from temporal_gan.ablation.plan import Run, plan_runs
from temporal_gan.ablation.sweep import SweepConfig
from temporal_gan.config import parse_config
from temporal_gan.errors import ConfigError

RECIPE = changed(CLIP_GAN, losses__flow_weight=0.0)
del RECIPE["train"]

SWEEP: dict[str, Any] = {
    "question": "Does memory help?",
    "common": {"model.temporal": "none"},
    "base_arm": "per frame",
    "varies": ["model.temporal"],
    "arms": {"with memory": {"model.temporal": "gru"}},
    "seeds": [0, 1],
    "equal": "steps",
    "steps": 3,
    "protocol": "clips_v1",
    "primary": "foreground_psnr_pooled",
    "secondary": ["sharpness_ratio"],
    "data": {"puppet": {"clips": 4, "scored": 2, "frames": 4, "size": 32, "characters": ["hana"]}},
}


def sweep_values(room: Path, **changes: Any) -> dict[str, Any]:
    """The sweep with keys replaced, its recipe written into ``room``; None removes a key."""
    recipe = room / "recipe.yaml"
    room.mkdir(parents=True, exist_ok=True)
    recipe.write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    values = SWEEP | {"recipe": str(recipe)} | changes
    return {key: value for key, value in values.items() if value is not None}


def sweep_file(room: Path, **changes: Any) -> Path:
    """The same as a file."""
    path = room / "sweep.yaml"
    path.write_text(yaml.safe_dump(sweep_values(room, **changes)), encoding="utf-8")
    return path


def sweep_of(room: Path, **changes: Any) -> SweepConfig:
    """The same, checked."""
    return parse_config(sweep_values(room, **changes), SweepConfig, "sweep.yaml")


def runs_of(room: Path, **changes: Any) -> list[Run]:
    """Its plan; nothing is written."""
    sweep = sweep_of(room, **changes)
    return plan_runs(sweep, resolve_arms(sweep, "sweep.yaml"), room / "out")


def refusal(room: Path, **changes: Any) -> str:
    """What is said of a sweep that is refused."""
    with pytest.raises(ConfigError) as caught:
        resolve_arms(sweep_of(room, **changes), "sweep.yaml")
    return str(caught.value)
