"""Experiments: settings that contradict each other are refused before anything is computed, and every shipped recipe
loads."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from temporal_gan.config import load_config, parse_config
from temporal_gan.errors import ConfigError
from temporal_gan.experiment import RESUMABLE, ExperimentConfig

RECIPES = sorted(
    p for p in (Path(__file__).parents[1] / "configs").glob("*.yaml") if not p.stem.startswith("reader")
)
LEARNING = {"l1_weight": 1.0}


def parse(values: dict[str, Any]) -> ExperimentConfig:
    return parse_config(values, ExperimentConfig, "here")


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_every_shipped_recipe_loads_and_survives_a_round_trip(path: Path) -> None:
    config = load_config(str(path), [], ExperimentConfig)
    assert parse(yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json")))) == config


def test_there_are_recipes() -> None:
    assert {"base", "tiny", "dcgan64"} <= {p.stem for p in RECIPES}


def test_the_defaults_are_a_sound_experiment() -> None:
    assert parse({}) == ExperimentConfig()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"model": {"kind": "dcgan"}, "losses": {"l1_weight": 1}},
            "losses.l1_weight needs model.kind: temporal",
        ),
        (
            {"model": {"kind": "dcgan"}, "losses": {"r1_gamma": 1}},
            "losses.r1_gamma needs model.kind: temporal",
        ),
        ({"model": {"kind": "dcgan"}, "losses": {"flow_weight": 1}}, "losses.flow_weight needs model.kind"),
        (
            {"model": {"kind": "dcgan"}, "losses": {"feature_matching_weight": 1}},
            "losses.feature_matching_weight needs model.kind",
        ),
        ({"model": {"kind": "dcgan"}, "critics": {"frame": {"width": 8}}}, "critics: model.kind: dcgan"),
        ({"model": {"kind": "dcgan"}, "data": {"augment": {"flip_prob": 0.5}}}, "data.augment is for clips"),
        ({"model": {"kind": "temporal", "size": 32, "temporal_size": 64}}, "model.temporal_size"),
        (
            {"losses": {**LEARNING, "adversarial_weight": 0, "feature_matching_weight": 1}},
            "losses.feature_matching_weight needs a critic",
        ),
        ({"losses": {**LEARNING, "adversarial_weight": 0, "r1_gamma": 1}}, "losses.r1_gamma needs a critic"),
        (
            {
                "losses": {**LEARNING, "r1_gamma": 1},
                "critics": {"frame": {"weight": 0}, "clip": {"weight": 0}},
            },
            "losses.r1_gamma needs a critic",
        ),
        ({"losses": {"adversarial_weight": 0}}, "nothing to learn from"),
        ({"critics": {"frame": {"weight": 0}, "clip": {"weight": 0}}}, "nothing to learn from"),
        ({"losses": {"flow_weight": 1}, "data": {"frames": 1}}, "losses.flow_weight needs data.frames"),
        (
            {"model": {"kind": "temporal", "size": 32}, "critics": {"frame": {"layers": 5}}},
            "critics: too many layers and scales for model.size 32",
        ),
        (
            {"model": {"kind": "temporal", "size": 32}, "critics": {"frame": {"layers": 3, "scales": 3}}},
            "critics: too many layers and scales for model.size 32",
        ),
        ({"model": {"kind": "temporal", "size": 48}}, "model.size"),
        ({"model": {"kind": "dcgan", "size": 128}}, "model.size"),
        ({"losses": {"adversarial": "relativistic"}}, "losses.adversarial"),
        ({"optim": {"beta1": 1}}, "optim.beta1"),
        ({"optim": {"lr_generator": 0}}, "optim.lr_generator"),
        ({"optim": {"lr_generator": float("inf")}}, "optim.lr_generator"),
        ({"train": {"steps": 0}}, "train.steps"),
    ],
)
def test_what_cannot_work_is_refused_by_name(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(values)
    assert str(caught.value).startswith("here: ")
    assert words in str(caught.value)


def test_what_only_looks_odd_is_allowed() -> None:
    parse({"losses": {"adversarial_weight": 0, "l1_weight": 1}})
    parse({"data": {"frames": 1}})
    parse({"model": {"kind": "temporal", "size": 32}, "critics": {"frame": {"layers": 4}}})
    parse({"critics": {"clip": {"weight": 0}}, "losses": {"r1_gamma": 1}})


def test_keys_that_may_change_on_resume_exist() -> None:
    plain = ExperimentConfig().model_dump()
    for key in RESUMABLE:
        section, leaf = key.split(".")
        assert leaf in plain[section], key
