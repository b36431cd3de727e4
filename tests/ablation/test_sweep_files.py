"""The sweeps that come with the package, and --dry-run."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_runs import ROOT, call, puppet_store
from small_sweeps import sweep_file

from temporal_gan.ablation.arms import check_beginning, resolve_arms
from temporal_gan.ablation.clips import data_domain, puppet_specs
from temporal_gan.ablation.dry_run import describe_plan, trained_arms
from temporal_gan.ablation.row_names import DCGAN_ARM
from temporal_gan.ablation.sweep import SweepData, load_sweep
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.puppet import MOTIONS
from temporal_gan.training.start import load_start

NAMES = sorted(file.stem for file in (ROOT / "configs" / "ablations").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_shipped_sweep(name: str, tmp_path: Path) -> None:
    sweep = load_sweep(name)
    arms = trained_arms(sweep, resolve_arms(sweep, name))
    assert arms[-1].name == DCGAN_ARM, "a floor that learns, at the arms' size"
    assert len(sweep.seeds) >= 3
    assert sweep.caveat
    start = None if sweep.start is None else load_start(sweep.start)
    domain = data_domain(sweep.data, tmp_path, start)
    assert domain is not None
    check_beginning(sweep, arms[:-1], domain, start, name)
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


def test_nothing_of_others_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = sweep_file(tmp_path / "room"), tmp_path / "out"
    out.write_text("mine")
    assert call("ablate", file, "--out", out, "--quiet") == 2
    assert f"{out}: is a file; give a folder as --out" in capsys.readouterr().err
    out.unlink()
    out.mkdir()
    (out / "results.json").write_text('{"mine": 1}')
    assert call("ablate", file, "--out", out, "--quiet") == 2
    assert f"{out}: is not empty and holds no sweep; give another --out" in capsys.readouterr().err
    (out / "sweep.lock").touch()
    (out / "results.json").write_text('{"question": "Is wide better?"}')
    assert call("ablate", file, "--out", out, "--quiet") == 2
    assert (
        "holds the answer to another question, 'Is wide better?'; give another --out"
        in capsys.readouterr().err
    )
    assert sorted(path.name for path in out.iterdir()) == ["results.json", "sweep.lock"]
    assert (out / "results.json").read_text() == '{"question": "Is wide better?"}'


@pytest.mark.parametrize(
    ("wanted", "changes", "said"),
    [
        ({"clips": 2}, {}, "has 0 clips in split 'test' to score, clips_v1 asks for 1 or more"),
        (
            {"clips": 20}, {"protocol": "puppet_heldout_character_v1"},
            "has 0 clips in split 'test_character' to score, puppet_heldout_character_v1 asks for ",
        ),
    ],
)  # fmt: skip
def test_a_store_with_too_little_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wanted: dict, changes: dict, said: str
) -> None:
    store = puppet_store(tmp_path / "store", frames=1, **wanted)
    file = sweep_file(tmp_path, data={"store": str(store.path)}, **changes)
    assert call("ablate", file, "--out", tmp_path / "out", "--quiet") == 2
    assert said in capsys.readouterr().err


def test_unlabelled_clips_keep_the_expressions_of_what_they_start_from(tmp_path: Path) -> None:
    """As training has it: else a sweep would refuse what training does."""
    store = puppet_store(tmp_path / "store", clips=3, frames=1)
    bare = tmp_path / "bare"
    with StoreWriter(bare, store.info.skeleton, store.info.expressions, 24, (32, 32), 4) as writer:
        for row in store.clips:
            labels = store.labels(row.id)
            none = np.zeros_like(labels.expression)
            labels = replace(labels, expression=none, expression_confidence=none)
            writer.add_clip(row, store.frames(row.id), labels)
    data = SweepData(store=str(bare))
    fresh, begun = data_domain(data, tmp_path, None), data_domain(data, tmp_path, load_start("base"))
    assert fresh is not None
    assert begun is not None
    assert fresh.expressions == ()
    assert begun.expressions == store.info.expressions
    labelled = data_domain(SweepData(store=str(store.path)), tmp_path, None)
    assert labelled is not None
    assert labelled.expressions == store.info.expressions
