"""``temporal-gan puppet`` and ``train``: from nothing to a trained run, and the tiny recipe on every sort of store."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_runs import CLIP_GAN, call, call_preprocess, config_file, puppet_store

from temporal_gan.data.store import Store
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.data.validation import validate_store
from temporal_gan.inference.animator import load_animator
from temporal_gan.run_log import read_stats
from temporal_gan.skeletons import Skeleton

DRAWINGS = Path(__file__).parents[1] / "../shared/media/drawings"
SMALLER = ("model.width=4", "model.max_width=16", "data.batch=2")


def test_puppet_then_train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, run = tmp_path / "store", tmp_path / "run"
    assert call("puppet", "--out", store, "--clips", 4, "--frames", 5, "--size", 32, "--seed", 3) == 0
    said = capsys.readouterr()
    assert re.search(
        rf"^{re.escape(str(store))}: 4 clips, 20 frames, content [0-9a-f]{{16}}$", said.out, re.M
    )
    assert len(validate_store(store, deep=True).clips) == 4
    file = config_file(tmp_path / "c.yaml", CLIP_GAN)
    assert call("train", file, "train.steps=2", "losses.l1_weight=5", "--data", store, "--out", run) == 0
    said = capsys.readouterr()
    assert said.out.endswith(f"{run}: done at step 2\n")
    assert "losses" in (run / "config.yaml").read_text()
    assert "l1_weight: 5.0" in (run / "config.yaml").read_text()
    assert call("train", file, "train.steps=3", "losses.l1_weight=5", "--data", store, "--out", run) == 0
    said = capsys.readouterr()
    assert f"going on from step 2 ({run / 'checkpoints' / 'step_00000002.pt'})" in said.out.replace("\n", "")
    assert [line["step"] for line in read_stats(run / "stats.jsonl")] == [1, 2, 3]


def test_quiet_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    assert call("puppet", "--out", store, "--clips", 1, "--frames", 3, "--size", 32, "--quiet") == 0
    file = config_file(tmp_path / "c.yaml", CLIP_GAN, train__steps=1, data__frames=30)
    assert call("train", file, "--data", store, "--out", tmp_path / "run", "--quiet") == 0
    assert capfd.readouterr() == ("", "")


def test_puppet_options_reach_the_store(tmp_path: Path) -> None:
    options = {
        "--characters": "miko",
        "--motions": "walk,jump",
        "--expressions": "sad",
        "--fps": 12,
        "--truth": "flow",
    }
    flat = [str(x) for pair in options.items() for x in pair]
    arguments = ("--clips", 3, "--frames", 4, "--size", 48, "--workers", 1, "--quiet", *flat)
    assert call("puppet", "--out", tmp_path / "a", *arguments) == 0
    assert call("puppet", "--out", tmp_path / "b", *arguments) == 0
    assert call("puppet", "--out", tmp_path / "c", *arguments, "--seed", 1) == 0
    a, b, c = (Store.open(tmp_path / name) for name in "abc")
    assert a.info.characters == ("miko",)
    assert (a.info.fps, a.info.width, a.info.frames) == (12, 48, 12)
    assert all("walk" in row.recipe or "jump" in row.recipe for row in a.clips)
    assert all("flow" in (a.truth(row.id) or {}) for row in a.clips)
    assert a.info.content_hash == b.info.content_hash != c.info.content_hash


def test_puppet_worlds_and_held_out_names_reach_the_store(tmp_path: Path) -> None:
    store = tmp_path / "s"
    arguments = ("puppet", "--out", store, "--clips", 8, "--frames", 4, "--size", 32, "--quiet")
    arguments += (
        "--characters",
        "hana,miko",
        "--motions",
        "walk@speed=1.2,amplitude=0.8,jump",
        "--expressions",
        "happy,sad",
        "--hold",
        2,
    )
    arguments += ("--lighting", "dusk", "--background", "park", "--camera", "pan", "--degradation", "noise")
    arguments += ("--hold-out-characters", "miko", "--hold-out-motions", "jump")
    assert call(*arguments) == 0
    assert call(*arguments) == 0, "repeating it is no mistake"
    rows = list(Store.open(store).clips)
    recipes = [json.loads(row.recipe) for row in rows]
    assert {recipe["motion"] for recipe in recipes} == {"walk@speed=1.2,amplitude=0.8", "jump"}
    for recipe in recipes:
        world = [recipe[field] for field in ("lighting", "background", "camera", "hold", "degradation")]
        assert world == ["dusk", "park", "pan", 2, "noise"]
    assert {"test_character", "test_motion", "test_combination"} < {row.split for row in rows}
    assert (store / "contact_sheet.png").is_file()
    assert (store / "sample.mp4").is_file()


def test_the_time_limit_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = puppet_store(tmp_path / "store", clips=1, frames=3)
    file = config_file(tmp_path / "c.yaml", CLIP_GAN, train__steps=100000, train__preview_every_steps=100000)
    assert call("train", file, "--data", store.path, "--out", tmp_path / "run", "--minutes", 0.01) == 0
    assert re.search(r"run: the time is up at step \d+\n$", capsys.readouterr().out)
    assert load_animator(tmp_path / "run").size == 32


def train_tiny(store: Path, run: Path) -> list[dict[str, float]]:
    """The shipped recipe, three steps; the network made narrower, which changes no shape of the data."""
    changes = ("train.steps=3", "train.device=cpu", *SMALLER)
    assert call("train", "tiny", *changes, "--data", store, "--out", run, "--quiet") == 0
    lines = read_stats(run / "stats.jsonl")
    assert lines[-1]["step"] == 3
    assert all(np.isfinite(v) for v in lines[-1].values())
    return lines


def test_the_tiny_recipe_on_two_clips_of_eight_frames(tmp_path: Path) -> None:
    store = puppet_store(tmp_path / "store", clips=2, frames=8, size=64)
    last = train_tiny(store.path, tmp_path / "run")[-1]
    assert {"loss/l1", "loss/flow", "loss/frame_generator", "loss/clip_generator"} <= last.keys()
    assert load_animator(tmp_path / "run").generate("motion:walk", "happy", frames=2).shape == (2, 4, 64, 64)


@pytest.mark.skipif(not DRAWINGS.is_dir(), reason="needs the folder of drawings")
@pytest.mark.parametrize("name", ["dino", "watercolor-man"])
def test_the_tiny_recipe_on_drawings(name: str, tmp_path: Path) -> None:
    assert (
        call_preprocess("import", "charactergan", DRAWINGS / name, "--out", tmp_path / "store", "--quiet")
        == 0
    )
    last = train_tiny(tmp_path / "store", tmp_path / "run")[-1]
    assert "loss/frame_generator" in last
    assert not {"loss/clip_generator", "loss/flow"} & last.keys()
    animator = load_animator(tmp_path / "run")
    assert animator.expressions == ()
    store = Store.open(tmp_path / "store")
    made = animator.generate(f"{store.path}#{next(iter(store.clips)).id}")
    assert made.shape == (1, 3, 64, 64)


def unlabelled_store(path: Path) -> Store:
    """Clips of several sizes in which nothing was found, as of a style of drawing that a detector does not know."""
    puppet = puppet_store(path.with_name("puppet"), clips=3, frames=6)
    skeleton = Skeleton("stick", ("head", "tail"), ((0, 1),), (), (1, 1))
    with StoreWriter(path, skeleton, (), 12.0, None, 3) as writer:
        for number, row in enumerate(puppet.clips):
            video = puppet.frames(row.id)[:, :, : 32 - 6 * number]
            labels = puppet.labels(row.id)
            nothing = np.zeros((6, 2), np.float32)
            labels = replace(
                labels, keypoints=np.zeros((6, 2, 2), np.float32), confidence=nothing, layer=nothing.astype(np.int64),
                expression=nothing[:, :0], expression_confidence=nothing[:, :0],
            )  # fmt: skip
            rgb = np.ascontiguousarray(video[..., :3] + 255 - video[..., 3:])
            writer.add_clip(type(row)(row.id, "someone", "train"), rgb, labels)
    return Store.open(path)


def test_the_tiny_recipe_without_any_label(tmp_path: Path) -> None:
    store = unlabelled_store(tmp_path / "store")
    last = train_tiny(store.path, tmp_path / "run")[-1]
    assert "loss/flow" in last
    animator = load_animator(tmp_path / "run")
    assert (animator.characters, animator.expressions) == (("someone",), ())
    made = animator.generate(f"{store.path}#{next(iter(store.clips)).id}")
    assert made.shape == (6, 3, 64, 64)


@pytest.mark.slow
def test_the_tiny_recipe_as_it_is_shipped(tmp_path: Path) -> None:
    store = puppet_store(tmp_path / "store", clips=2, frames=8, size=64)
    run = tmp_path / "run"
    assert call("train", "tiny", "--data", store.path, "--out", run, "--quiet") == 0
    assert [line["step"] for line in read_stats(run / "stats.jsonl")][-1] == 120
    assert len(list((run / "checkpoints").iterdir())) == 2


@pytest.mark.parametrize("name", ["demo", "puppet", "train", "generate", "sample", "evaluate", "ablate"])
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(name, "--help") == 0
    said = capsys.readouterr().out
    assert f"Example: temporal-gan {name}" in said
    assert "--quiet" in said
