"""The sweeps that come with the package, and --dry-run."""

import importlib.util
from pathlib import Path

import pytest
from small_runs import ROOT, call
from small_sweeps import sweep_file

from temporal_gan.ablation.arms import resolve_arms
from temporal_gan.ablation.clips import data_domain, puppet_specs
from temporal_gan.ablation.dry_run import describe_plan, trained_arms
from temporal_gan.ablation.plan import DCGAN_ARM
from temporal_gan.ablation.sweep import load_sweep
from temporal_gan.puppet import MOTIONS

NAMES = sorted(file.stem for file in (ROOT / "configs" / "ablations").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_shipped_sweep(name: str, tmp_path: Path) -> None:
    sweep = load_sweep(name)
    arms = trained_arms(sweep, resolve_arms(sweep, name))
    assert arms[-1].name == DCGAN_ARM, "a floor that learns, at the arms' size"
    assert len(sweep.seeds) >= 3
    assert sweep.caveat
    domain = data_domain(sweep.data, tmp_path)
    told = describe_plan(sweep, arms, domain, {arm.name: 1.0 for arm in arms})
    assert told.startswith(sweep.question)
    for arm in arms:
        assert f"\n{arm.name}\n" in told
        assert all(f"  {change}" in told for change in arm.changes)
    assert f"{len(arms)} arms x 3 seeds = {3 * len(arms)} runs" in told
    assert sweep.data.puppet is not None
    shown = {spec.motion for spec in puppet_specs(sweep.data.puppet)[: sweep.data.puppet.clips]}
    assert not shown & set(sweep.data.puppet.held_out_motions)
    if sweep.start == "base":
        # Those were held out of the shipped weights' training (temporal_gan/animators/CARD.md).
        assert set(sweep.data.puppet.held_out_motions) <= {"dance", "clap"} <= set(MOTIONS)


def test_the_questions_of_the_seed_articles_are_there() -> None:
    assert set(NAMES) == {
        "adversarial", "clip_critic", "expression", "flow", "growing", "noise_and_width", "perceptual", "references",
        "skip_connections", "stabilisers", "temporal", "upsampling",
    }  # fmt: skip


def test_a_dry_run_tells_plan_differences_and_cost_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sweep_file(tmp_path / "room")
    before = sorted(tmp_path.rglob("*"))
    assert call("ablate", file, "--out", tmp_path / "out", "--dry-run") == 0
    said = capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before
    for text in (
        "Does memory help?", "2 arms x 2 seeds = 4 runs; equal steps: 3 a run", "  model.temporal: none -> gru",
        "changes nothing: the base arm", "s a step", "M weights", "minutes of training in all",
    ):  # fmt: skip
        assert text in said


def test_a_dry_run_needs_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = sweep_file(tmp_path, data={"store": str(tmp_path / "nowhere")})
    assert call("ablate", file, "--out", tmp_path / "out", "--dry-run") == 0
    assert f"no cost: the store {tmp_path / 'nowhere'} is not here" in capsys.readouterr().out
    assert call("ablate", file, "--out", tmp_path / "out", "--quiet") == 2
    assert "nowhere" in capsys.readouterr().err


def test_a_mistake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = sweep_file(tmp_path, primary="fid")
    assert call("ablate", file, "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {file}: metric 'fid' is not part of protocol clips_v1")
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_ray_is_asked_for_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("ray") is not None:
        pytest.skip("Ray is installed")
    file = sweep_file(tmp_path)
    assert call("ablate", file, "--out", tmp_path / "out", "--engine", "ray", "--quiet") == 2
    assert "pip install 'temporal_gan[scale]'" in capsys.readouterr().err
