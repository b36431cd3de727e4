"""A sweep that would prove nothing is refused before anything runs, in one line that says what to do."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from small_sweeps import refusal, runs_of, sweep_file, sweep_of, sweep_values

from temporal_gan.ablation.arms import Arm, check_beginning, resolve_arms, seeded
from temporal_gan.ablation.clips import data_domain
from temporal_gan.ablation.plan import dcgan_config
from temporal_gan.ablation.row_names import COMMON_ARM, DCGAN_ARM
from temporal_gan.ablation.sweep import SweepConfig, load_sweep
from temporal_gan.errors import ConfigError
from temporal_gan.puppet import MOTIONS
from temporal_gan.training.start import load_start

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "changes nothing": (
        {"arms": {"again": {"model.temporal": "none"}}},
        "sweep.yaml: arm 'again' changes nothing: model.temporal: none is what the base arm has already",
    ),
    "empty": ({"arms": {"empty": {}}}, "arm 'empty' changes nothing: an empty list of changes"),
    "not listed": (
        {"arms": {"wide": {"model.temporal": "gru", "model.width": 8}}},
        "arm 'wide' changes model.width, which varies: ['model.temporal'] does not list",
    ),
    "misspelt": (
        {"varies": ["model"], "arms": {"x": {"model.temporl": "gru"}}},
        "arm 'x': unknown key 'model.temporl'; did you mean 'temporal'?",
    ),
    "misspelt in common": (
        {"common": {"model.temporl": "gru"}},
        "base arm 'per frame': unknown key 'model.temporl'; did you mean 'temporal'?",
    ),
    "impossible": (
        {"varies": ["losses"], "arms": {"x": {"losses.adversarial": "wgan", "losses.r1_gamma": 0}}},
        "arm 'x': losses.adversarial: wgan has no bound without a penalty",
    ),
    "twins": (
        {"arms": {"a": {"model.temporal": "gru"}, "b": {"model.temporal": "gru"}}},
        "arm 'b' is the same as arm 'a'; remove one",
    ),
    "varies too much": (
        {"varies": ["model.temporal", "model.nz"]}, "varies lists model.nz, which no arm changes; remove it"
    ),
    "sets the steps": ({"common": {"train.steps": 9}}, "train.steps is set by the sweep"),
    "sets the seed": (
        {"varies": ["train.seed"], "arms": {"x": {"train.seed": 3}}}, "train.seed is set by the sweep"
    ),
    "name taken": ({"base_arm": "with memory"}, "arms: 'with memory' is the base arm"),
    "seeds twice": ({"seeds": [1, 1]}, "seeds [1, 1]: one of them stands there twice"),
    "two budgets": ({"minutes": 1.0}, "give either steps or minutes, and not both"),
    "no budget": ({"steps": None}, "give either steps or minutes, and not both"),
    "wrong budget": ({"equal": "time"}, "equal: time does not go with a budget in steps"),
    "unknown protocol": ({"protocol": "clips_v9"}, "protocol: 'clips_v9' is not one of: clips_v1"),
    "protocol of sets": ({"protocol": "fvd2048_16f"}, "fvd2048_16f scores whole sets; a sweep pairs clips"),
    "too few clips": (
        {"protocol": "puppet_heldout_motion_v1"}, "puppet_heldout_motion_v1 asks for 16 clips or more, got 2"
    ),
    "other split": (
        {"protocol": "puppet_heldout_character_v1"}, "split test_character, the rendered clips have test_motion"
    ),
    "metric outside": ({"primary": "fid"}, "metric 'fid' is not part of protocol clips_v1; there are: "),
    "secondary outside": ({"secondary": ["psnrr"]}, "metric 'psnrr' is not part of protocol clips_v1"),
    "metric of all clips": ({"primary": "expression_macro_f1"}, "expression_macro_f1 is one value for all clips"),
    "a floor": ({"primary": "warping_error_real"}, "warping_error_real is a floor to compare with and no score"),
    "temporal among frames": (
        {"protocol": "frames_v1", "secondary": ["motion_ratio"]}, "frames_v1 scores single frames"
    ),
    "metric twice": ({"secondary": ["foreground_psnr_pooled"]}, "a metric stands there twice"),
    "two starts": ({"start": "base", "common_steps": 2}, "give either start or common_steps, and not both"),
    "common steps by the clock": (
        {"common_steps": 2, "minutes": 1.0, "equal": "time", "steps": None}, "common_steps goes with steps"
    ),
    "no name": ({"arms": {"": {"model.temporal": "gru"}}}, "arms: '' is the name of something else"),
    "a name of ours": ({"base_arm": "common start"}, "arms: 'common start' is the name of something else"),
    "a floor's name": (
        {"arms": {"first frame copied": {"model.temporal": "gru"}}}, "'first frame copied' is the name of something"
    ),
    "endless name": ({"base_arm": "a" * 61}, "has 61 characters; 60 are allowed"),
    "a date": (
        {"common": {"model.width": datetime.date(2024, 1, 1)}}, "model.width: 2024-01-01 is a date; put it in quotes"
    ),
    "a dcgan": ({"recipe": "dcgan64", "common": {}}, "recipe dcgan64 is of a DCGAN; sweeps are about clip generators"),
    "no such motion": (
        {"data": {"puppet": {"held_out_motions": ["fly"]}}}, "held_out_motions: 'fly' is not one of: idle, walk, "
    ),
    "no motion left": (
        {"data": {"puppet": {"held_out_motions": list(MOTIONS)}}}, "held_out_motions: are all there are; leave some"
    ),
    "two sources": ({"data": {"puppet": {}, "store": "x"}}, "either puppet: {...} (rendered for the sweep) or store"),
    "unknown key": ({"seed": 3}, "unknown key 'seed'; did you mean 'seeds'?"),
}  # fmt: skip


BEGINNINGS: dict[str, tuple[dict[str, Any], str]] = {
    "other architecture": (
        {"common_steps": 2, "varies": ["model.width"], "arms": {"wide": {"model.width": 8}}},
        "sweep.yaml: arm 'wide' cannot begin with what the base arm learned in 2 steps, which has another "
        "architecture: model.width is 4 there and 8 here",
    ),
    "fewer parts": (
        {"common_steps": 2, "common": {"model.temporal": "gru"}, "arms": {"without": {"model.temporal": "none"}}},
        "arm 'without' cannot begin with what the base arm learned in 2 steps",
    ),
    "an animator of another architecture": ({"start": "base"}, "arm 'per frame' cannot begin with start base, which"),
}  # fmt: skip


@pytest.mark.parametrize("case", BEGINNINGS)
def test_an_arm_that_cannot_begin_where_the_others_do_is_refused(case: str, tmp_path: Path) -> None:
    changes, said = BEGINNINGS[case]
    sweep = sweep_of(tmp_path, **changes)
    start = None if sweep.start is None else load_start(sweep.start)
    domain = data_domain(sweep.data, tmp_path, start)
    assert domain is not None
    with pytest.raises(ConfigError) as caught:
        check_beginning(sweep, resolve_arms(sweep, "sweep.yaml"), domain, start, "sweep.yaml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_part_that_begins_as_the_identity_may_be_new(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, common_steps=2)
    domain = data_domain(sweep.data, tmp_path, None)
    assert domain is not None
    check_beginning(sweep, resolve_arms(sweep, "sweep.yaml"), domain, None, "sweep.yaml")


def test_arms_of_a_seed_go_on_from_one_common_start(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, common_steps=2)
    assert [(run.arm, run.seed) for run in runs] == [
        ("", -1),
        *((arm, seed) for seed in (0, 1) for arm in (COMMON_ARM, "per frame", "with memory")),
    ]
    starts = {run.seed: run for run in runs if run.arm == COMMON_ARM}
    assert [run.config.train.steps for run in starts.values() if run.config] == [2, 2]
    assert all(run.after == starts[run.seed] for run in runs if run.is_scored_arm)
    alone = {(run.arm, run.seed): run.key for run in runs_of(tmp_path)}
    longer = {(run.arm, run.seed): run.key for run in runs_of(tmp_path, common_steps=3)}
    for run in runs:
        same = run.arm == ""
        assert (longer[run.arm, run.seed] == run.key) == same
        assert (alone.get((run.arm, run.seed)) == run.key) == same
    floor = dcgan_config(*_large(common_steps=40))
    assert floor is not None
    assert floor.train.steps == 190, "both together"


def _large(common_steps: int) -> tuple[SweepConfig, Arm]:
    sweep = load_sweep("temporal").model_copy(update={"common_steps": common_steps, "steps": 150})
    return sweep, resolve_arms(sweep, "temporal")[0]


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, tmp_path: Path) -> None:
    changes, said = REFUSED[case]
    message = refusal(tmp_path, **changes)
    assert said in message
    assert "\n" not in message


def test_a_file_is_named_and_so_is_a_sweep_that_comes_with_the_package(tmp_path: Path) -> None:
    assert load_sweep(str(sweep_file(tmp_path))).question == "Does memory help?"
    assert load_sweep("temporal").base_arm == "per frame"
    with pytest.raises(
        ConfigError, match=r"temporl: no such configuration file.*recipes: adversarial, clip_critic"
    ):
        load_sweep("temporl")


def test_arms_carry_only_their_own_changes(tmp_path: Path) -> None:
    base, memory = resolve_arms(sweep_of(tmp_path), "sweep.yaml")
    assert (base.name, base.changes) == ("per frame", ())
    assert memory.changes == ("model.temporal: none -> gru",)
    assert (base.config.train.steps, base.config.model.nz) == (3, 4)
    assert base.config.train.validate_every_steps == 0
    assert seeded(base.config, 7).train.seed == 7
    assert seeded(base.config, 0) == base.config


def test_plan_is_balanced_and_every_run_has_a_name_of_its_own(tmp_path: Path) -> None:
    runs = runs_of(tmp_path)
    assert [(run.arm, run.seed) for run in runs] == [
        ("", -1), ("per frame", 0), ("with memory", 0), ("per frame", 1), ("with memory", 1),
    ]  # fmt: skip
    assert len({run.key for run in runs}) == len({run.folder for run in runs}) == 5
    assert not (tmp_path / "out").exists()


def test_a_run_is_another_one_when_anything_that_decides_it_changes(tmp_path: Path) -> None:
    first = {(run.arm, run.seed): run.key for run in runs_of(tmp_path)}
    assert first == {(run.arm, run.seed): run.key for run in runs_of(tmp_path, question="Another wording?")}
    more = {(run.arm, run.seed): run.key for run in runs_of(tmp_path, seeds=[0, 1, 2])}
    assert first.items() < more.items(), "a seed more changes no run that is there"
    data = sweep_values(tmp_path)["data"]["puppet"]
    for changes in ({"data": {"puppet": data | {"seed": 1}}}, {"protocol": "frames_v1"}):
        assert not set(first.values()) & {run.key for run in runs_of(tmp_path, **changes)}
    started = {(run.arm, run.seed): run.key for run in runs_of(tmp_path, start="base")}
    assert [place for place, key in started.items() if key == first[place]] == [("", -1)]
    longer = {(run.arm, run.seed): run.key for run in runs_of(tmp_path, steps=4)}
    assert [place for place, key in longer.items() if key == first[place]] == [("", -1)], (
        "only the floors stay"
    )


def test_the_dcgan_stands_in_every_sweep_of_its_size(tmp_path: Path) -> None:
    small, large = sweep_of(tmp_path), load_sweep("temporal")
    assert dcgan_config(small, resolve_arms(small, "s")[0]) is None
    floor = dcgan_config(large, resolve_arms(large, "temporal")[0])
    assert floor is not None
    steps = (large.steps or 0) + large.common_steps
    assert (floor.model.kind, floor.data.batch, floor.train.steps) == ("dcgan", 16, steps)
    assert DCGAN_ARM not in large.arms
