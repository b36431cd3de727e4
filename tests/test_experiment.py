"""Experiments: settings that contradict each other are refused before anything is computed, and every shipped recipe
loads."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from temporal_gan.config import load_config, parse_config
from temporal_gan.errors import ConfigError
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.models.reader_file import find_reader
from temporal_gan.run_config import RESUMABLE
from temporal_gan.training.reader.recipe import ReaderRecipe

RECIPES = sorted(
    p for p in (Path(__file__).parents[1] / "configs").glob("*.yaml") if not p.stem.startswith("reader")
)
LEARNING = {"l1_weight": 1.0}
UNJUDGED = {**LEARNING, "adversarial_weight": 0}


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
        ({"model": {"kind": "temporal", "size": 32, "temporal_level": 4}}, "temporal_level 4"),
        (
            {"critics": {"clip": {"strides": [1, 9]}}, "data": {"frames": 16}},
            "critics.clip.strides: 3 frames at stride 9 reach over 19, data.frames is 16",
        ),
        (
            {"critics": {"frame": {"weight": 0, "expression_weight": 1}}},
            "critics.frame.expression_weight needs a frame critic",
        ),
        ({"model": {"kind": "temporal", "references": 0, "identity": "references"}}, "references must be 1"),
        ({"model": {"kind": "temporal", "references": 0, "carry": "encode"}}, "which must be 1 or more"),
        ({"model": {"kind": "temporal", "references": 0, "warp_offset": 0.1}}, "which must be 1 or more"),
        (
            {"model": {"kind": "temporal", "layered_warp": True, "carry": "encode"}},
            "layered_warp must be false",
        ),
        ({"model": {"kind": "temporal", "warp_offset": 0.1, "carry": "encode"}}, "and warp_offset 0"),
        ({"model": {"kind": "temporal", "warp_offset": 0.3}}, "model.warp_offset"),
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
        ({"losses": {"adversarial": "wgan"}}, "losses.adversarial: wgan has no bound without a penalty"),
        ({"losses": {"gp_weight": 10, "r1_gamma": 1}}, "one wants the critics' slope at 1, the other at 0"),
        ({"losses": {"label_smoothing": 0.1}}, "losses.label_smoothing is for bce and lsgan; hinge has"),
        ({"losses": {"adversarial": "bce", "label_smoothing": 0.5}}, "losses.label_smoothing"),
        ({"losses": {"perceptual": "vgg"}}, "losses.perceptual_weight: set both or neither"),
        ({"losses": {"perceptual_weight": 1}}, "losses.perceptual_weight: set both or neither"),
        (
            {"losses": {"perceptual": "reader", "perceptual_weight": 1, "perceptual_file": "x"}},
            "losses.perceptual_file is for losses.perceptual: lpips | vgg",
        ),
        ({"losses": {"reader": "metrics"}}, "losses.reader: 'metrics' is the reader that judges"),
        ({"losses": {"reader": str(find_reader("metrics"))}}, "'metrics' is the reader that judges"),
        (
            {"losses": {"temporal_difference_weight": 1}, "data": {"frames": 1}},
            "losses.temporal_difference_weight needs data.frames of at least 2",
        ),
        (
            {"losses": {"coherence_weight": 1}, "data": {"frames": 3}},
            "losses.coherence_weight needs data.frames of at least 4",
        ),
        ({"losses": {**UNJUDGED, "gp_weight": 10}}, "losses.gp_weight needs a critic"),
        (
            {"losses": {**UNJUDGED, "adversarial": "bce", "label_smoothing": 0.1}},
            "losses.label_smoothing needs a critic",
        ),
        ({"losses": {**UNJUDGED, "critic_view": {"colour": 1}}}, "losses.critic_view needs a critic"),
        (
            {"losses": UNJUDGED, "optim": {"generator_every_steps": 5}},
            "optim.generator_every_steps needs a critic",
        ),
        (
            {"losses": UNJUDGED, "optim": {"critics_every_steps": 2}},
            "optim.critics_every_steps needs a critic",
        ),
        (
            {"optim": {"generator_every_steps": 5, "critics_every_steps": 2}},
            "one side learns in every step",
        ),
        ({"data": {"curriculum": [{"frames": 8, "until_step": 9}]}}, "frames must grow up to data.frames"),
        (
            {"data": {"curriculum": [{"frames": 1, "until_step": 9}, {"frames": 2, "until_step": 9}]}},
            "until_step must grow",
        ),
        ({"data": {"curriculum": [{"frames": 1}]}}, "data.curriculum.0.until_step"),
        (
            {"critics": {"frame": {"weight": 0}}, "data": {"curriculum": [{"frames": 2, "until_step": 9}]}},
            "data.curriculum begins with 2 frames, of which the clip critic can say nothing",
        ),
        ({"losses": {"critic_view": {"translation": 0.6}}}, "losses.critic_view.translation"),
        (
            {"model": {"kind": "dcgan"}, "losses": {"adversarial": "wgan", "gp_weight": 1}},
            "losses.gp_weight needs",
        ),
        (
            {"model": {"kind": "dcgan"}, "losses": {"adversarial": "wgan"}},
            "losses.adversarial: wgan has no bound",
        ),
        (
            {"model": {"kind": "dcgan"}, "losses": {"critic_view": {"noise": 0.1}}},
            "losses.critic_view needs model.kind: temporal",
        ),
        ({"model": {"kind": "dcgan"}, "losses": {"pose_weight": 1}}, "losses.pose_weight needs model.kind"),
        (
            {"model": {"kind": "dcgan"}, "optim": {"generator_every_steps": 2}},
            "optim.*_every_steps needs model.kind: temporal",
        ),
        (
            {"model": {"kind": "dcgan"}, "data": {"curriculum": [{"frames": 1, "until_step": 9}]}},
            "data.curriculum is for clips",
        ),
        ({"model": {"kind": "temporal", "size": 48}}, "model.size"),
        (
            {"model": {"kind": "dcgan"}, "data": {"growing": [{"size": 16, "until_step": 9}]}},
            "data.growing is for clips",
        ),
        ({"model": {"kind": "dcgan"}, "train": {"validate_every_steps": 7}}, "train.best_by are for clips"),
        (
            {"model": {"kind": "dcgan"}, "train": {"best_by": "foreground_psnr"}},
            "train.best_by are for clips",
        ),
        ({"model": {"kind": "dcgan"}, "critics": {"spectral_norm": True}}, "critics: model.kind: dcgan"),
        ({"losses": UNJUDGED, "critics": {"spectral_norm": True}}, "critics.spectral_norm needs a critic"),
        (
            {"train": {"best_by": "foreground_psnr", "validate_every_steps": 0}},
            "best_by needs validate_every_steps above 0",
        ),
        ({"train": {"best_by": "mode_diversity"}}, "train.best_by"),
        ({"losses": {"critic_view": {"adaptive_target": 0.6}}}, "adaptive_target needs something to adapt"),
        (
            {"losses": {"critic_view": {"noise": 0.1, "adaptive_target": 0.6}}},
            "adaptive_target needs something to adapt",
        ),
        ({"losses": {"critic_view": {"colour": 1, "adaptive_target": 1}}}, "critic_view.adaptive_target"),
        (
            {
                "losses": {
                    "adversarial": "wgan",
                    "gp_weight": 10,
                    "critic_view": {"colour": 1, "adaptive_target": 0.6},
                }
            },
            "losses.critic_view.adaptive_target asks on which side of a boundary",
        ),
        ({"data": {"growing": [{"size": 12, "until_step": 9}]}}, "data.growing: sizes must be powers of two"),
        ({"data": {"growing": [{"size": 64, "until_step": 9}]}}, "sizes must grow up to model.size"),
        (
            {"data": {"growing": [{"size": 32, "until_step": 9}, {"size": 16, "until_step": 19}]}},
            "sizes must grow up to model.size",
        ),
        (
            {"data": {"growing": [{"size": 16, "until_step": 9}, {"size": 32, "until_step": 9}]}},
            "data.growing: until_step must grow",
        ),
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
    parse({"losses": {"adversarial": "wgan", "r1_gamma": 1}})
    parse({"losses": {"gp_weight": 1}})
    parse({"losses": {"gp_weight": 1}, "critics": {"spectral_norm": True}})
    parse({"data": {"growing": [{"size": 4, "until_step": 1}, {"size": 32, "until_step": 9}]}})
    parse({"model": {"kind": "dcgan"}, "losses": {"adversarial": "bce", "label_smoothing": 0.1}})


def test_a_readers_recipe_refuses_what_is_for_clips() -> None:
    for train in ({"best_by": "foreground_psnr"}, {"validate_every_steps": 7}):
        with pytest.raises(ConfigError, match="best_by are for clips"):
            parse_config({"train": train}, ReaderRecipe, "here")
    parse_config({"train": {"steps": 7}}, ReaderRecipe, "here")


def test_frames_grow_by_the_step() -> None:
    stages = [{"frames": 1, "until_step": 10}, {"frames": 4, "until_step": 30}]
    data = parse({"data": {"frames": 8, "curriculum": stages}}).data
    assert [data.frames_at(step) for step in (0, 9, 10, 29, 30, 10**6)] == [1, 1, 4, 4, 8, 8]


def test_keys_that_may_change_on_resume_exist() -> None:
    plain = ExperimentConfig().model_dump()
    for key in RESUMABLE:
        section, leaf = key.split(".")
        assert leaf in plain[section], key
