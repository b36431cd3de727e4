"""``temporal-gan evaluate``: runs, stores, folders of any tool's clips, and single clips, to numbers that are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import CLIP_GAN, call, config, puppet_store

from temporal_gan.alpha import over_white
from temporal_gan.data.store import Store
from temporal_gan.puppet import random_specs
from temporal_gan.puppet.dataset import write_puppet_store
from temporal_gan.training.run import train
from temporal_gan.video_io import write_frames


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return puppet_store(tmp_path_factory.mktemp("data") / "store", clips=10, frames=4)


@pytest.fixture(scope="module")
def trained(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    train(config(CLIP_GAN, train__steps=2, train__preview_every_steps=100), store.path, out, quiet=True)
    return out


def evaluate(generated: Path, reference: Path, out: Path, *more: object) -> dict[str, Any]:
    assert call("evaluate", generated, reference, "--out", out, "--quiet", *more) == 0
    results = json.loads((out / "results.json").read_text())
    html = (out / "report.html").read_text()
    assert html.rstrip().endswith("</html>")
    assert "temporal-gan evaluate" in html
    results["by_name"] = {metric["name"]: metric for metric in results["metrics"]}
    return results


def folder_of_clips(store: Store, out: Path, suffix: str, change: int = 0) -> Path:
    """The test split as another tool would write it: opaque files named like the clips."""
    for row in store.split("test"):
        frames = over_white(store.frames(row.id)).astype(np.int64) + change
        write_frames(out / f"{row.id}{suffix}", frames.clip(0, 255).astype(np.uint8), row.fps)
    return out


def test_a_store_against_itself_is_perfect(store: Store, tmp_path: Path) -> None:
    results = evaluate(store.path, store.path, tmp_path)
    ideal = {"psnr": 100, "ssim": 1, "foreground_psnr": 100, "motion_ratio": 1, "sharpness_ratio": 1}
    for name, value in ideal.items():
        assert results["by_name"][name]["value"] == pytest.approx(value, abs=1e-6), name
        assert results["by_name"][name]["clips"] == len(store.split("test")) == 1
    assert results["by_name"]["warping_error_reference_flow"]["flow"] == {"exact": 1}
    anchors = {"real_saved_as_jpeg", "copy_first_frame", "shuffled", "other_character"}
    assert results["anchors"].keys() == anchors
    assert results["failed"] == results["missing"] == []


@pytest.mark.slow
def test_a_run_is_measured_on_a_split_of_its_own_choice(store: Store, trained: Path, tmp_path: Path) -> None:
    specs = random_specs(8, 0, store.info.characters, ("walk", "jump"), ("happy",), frames=6, size=32)
    held = write_puppet_store(tmp_path / "s", specs, 0, quiet=True, hold_out_motions=("jump",))
    results = evaluate(trained, held.path, tmp_path / "a", "--split", "test_motion")
    want = [row.id for row in held.split("test_motion")]
    assert [clip["clip_id"] for clip in results["clips"]] == want
    assert len(want) == 4
    assert "--split test_motion" in (tmp_path / "a" / "report.html").read_text()


def test_a_run_animates_the_test_split(store: Store, trained: Path, tmp_path: Path) -> None:
    results = evaluate(trained, store.path, tmp_path / "a")
    (clip,) = results["clips"]
    assert clip["clip_id"] == store.split("test")[0].id
    assert 5 < results["by_name"]["psnr"]["value"] < 60
    assert "nearest_training_frame" in results["anchors"]
    again = evaluate(trained / "animator.safetensors", store.path, tmp_path / "b")
    assert again == results


def test_a_folder_of_another_tools_clips(store: Store, tmp_path: Path) -> None:
    exact = evaluate(folder_of_clips(store, tmp_path / "mkv", ".mkv"), store.path, tmp_path / "a")
    assert exact["by_name"]["psnr"]["value"] == 100
    lossy = evaluate(folder_of_clips(store, tmp_path / "mp4", ".mp4"), store.path, tmp_path / "b")
    assert 20 < lossy["by_name"]["psnr"]["value"] < 60
    darker = evaluate(
        folder_of_clips(store, tmp_path / "dark", ".mkv", change=-51), store.path, tmp_path / "c"
    )
    # Nearly every pixel is 0.2 darker: at most 10 log10(1 / 0.04) dB, a little more where black stays black.
    assert darker["by_name"]["psnr"]["value"] == pytest.approx(13.98, abs=0.5)
    pictures = evaluate(folder_of_clips(store, tmp_path / "folders", ""), store.path, tmp_path / "d")
    assert pictures["by_name"]["psnr"]["value"] == 100


def test_two_folders_and_two_single_clips(store: Store, tmp_path: Path) -> None:
    a = folder_of_clips(store, tmp_path / "a", ".mkv")
    b = folder_of_clips(store, tmp_path / "b", ".mp4")
    both = evaluate(a, b, tmp_path / "folders")
    name = store.split("test")[0].id
    single = evaluate(a / f"{name}.mkv", b / f"{name}.mp4", tmp_path / "single")
    assert single["by_name"]["psnr"] == both["by_name"]["psnr"]
    assert single["by_name"]["pck@0.1"]["value"] is None
    assert single["by_name"]["pck@0.1"]["reason"]


def test_frames_are_scored_one_by_one(store: Store, trained: Path, tmp_path: Path) -> None:
    results = evaluate(trained, store.path, tmp_path, "--protocol", "frames_v1")
    assert results["protocol"]["name"] == "frames_v1"
    assert results["by_name"]["psnr"]["value"] > 5
    assert results["by_name"]["motion_ratio"] | {"value": None} == results["by_name"]["motion_ratio"]
    assert "blank_page" in results["anchors"]


@pytest.mark.slow
def test_the_same_command_writes_the_same_numbers(store: Store, trained: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        evaluate(trained, store.path, tmp_path / name)
    assert (tmp_path / "a" / "results.json").read_bytes() == (tmp_path / "b" / "results.json").read_bytes()


def test_what_was_measured_is_said(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("evaluate", store.path, store.path, "--out", tmp_path) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'report.html'}: 1 clips\n"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "no clips in this folder"),
        (("something_else.mkv", "more.mkv"), "'more' has no clip of that name in"),
    ],
)
def test_clips_that_cannot_be_paired_are_named(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], names: tuple[str, ...], words: str
) -> None:
    folder, two = tmp_path / "folder", puppet_store(tmp_path / "two", clips=2, frames=2)
    folder.mkdir()
    for name in sorted(names, reverse=True):
        write_frames(folder / name, np.zeros((2, 32, 32, 3), np.uint8), 24)
    assert call("evaluate", folder, two.path, "--out", tmp_path / "out", "--quiet") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {folder}")
    assert words in error
    assert error.count("\n") == 1


def test_another_length_is_refused_by_name(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = store.split("test")[0]
    write_frames(tmp_path / f"{row.id}.mkv", store.frames(row.id)[:3], 24)
    assert call("evaluate", tmp_path / f"{row.id}.mkv", store.path, "--out", tmp_path / "out", "--quiet") == 2
    assert capsys.readouterr().err.startswith(f"error: clip {row.id}: made has 3 frames, expected 4")


@pytest.mark.slow
def test_a_run_and_another_tools_clips_of_the_same_store_compare(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = puppet_store(tmp_path / "store", clips=20, frames=3).path
    store = Store.open(path)
    assert len(store.split("test")) >= 2
    evaluate(trained, path, tmp_path / "run")
    evaluate(folder_of_clips(store, tmp_path / "clips", ".mkv"), path, tmp_path / "tool")
    out = tmp_path / "which"
    assert call("compare", tmp_path / "run", tmp_path / "tool", "--out", out) == 0
    rows = {row["name"]: row for row in json.loads((out / "comparison.json").read_text())["metrics"]}
    assert rows["psnr"]["second"] == 100
    assert rows["psnr"]["difference"] < -40
    # Two clips: nothing can be shown, and that is said.
    assert rows["psnr"]["better"] is None
    assert "clips are too few for any difference to show" in capsys.readouterr().out
