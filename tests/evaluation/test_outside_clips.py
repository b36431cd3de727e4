"""Clips of other tools: many formats, damaged files, other rates; interrupted, and on several processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from small_runs import ROOT, call

from temporal_gan.evaluation.anchors import saved_as_jpeg
from temporal_gan.evaluation.clip_sources import find_clips
from temporal_gan.evaluation.pairing import pair_files
from temporal_gan.evaluation.protocols import PROTOCOLS
from temporal_gan.evaluation.run import EvaluationOptions, evaluate
from temporal_gan.video_io import write_frames

MEDIA = ROOT / "../shared/media/clips"
CLIPS = PROTOCOLS["clips_v1"]


def ball(index: int, frames: int = 4, size: int = 32) -> np.ndarray:
    """A striped ball that rolls: uint8 [T, size, size, 3]."""
    clip = np.full((frames, size, size, 3), 255, np.uint8)
    for t in range(frames):
        x = 8 + (3 * t + index) % 14
        cv2.circle(clip[t], (x, size // 2), 7, (200, 60 + 5 * index, 60), -1)
        cv2.line(clip[t], (x, size // 2 - 7), (x, size // 2 + 7), (20, 20, 90), 2)
    return clip


def folder(out: Path, suffix: str, count: int = 3, fps: float = 10, change: int = 0) -> Path:
    for index in range(count):
        frames = (ball(index).astype(int) + change).clip(0, 255).astype(np.uint8)
        write_frames(out / f"clip{index}{suffix}", frames, fps)
    return out


def results_of(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "results.json").read_text())
    content["by_name"] = {metric["name"]: metric for metric in content["metrics"]}
    return content


@pytest.mark.parametrize("suffix", [".mkv", ".apng", "", ".gif", ".mp4", ".webm", ".webp"])
def test_every_format_against_lossless_clips(tmp_path: Path, suffix: str) -> None:
    real = folder(tmp_path / "real", ".mkv")
    made = folder(tmp_path / "made", suffix)
    assert call("evaluate", made, real, "--out", tmp_path / "out", "--quiet") == 0
    found = results_of(tmp_path / "out")
    assert [clip["clip_id"] for clip in found["clips"]] == ["clip0", "clip1", "clip2"]
    psnr, motion = found["by_name"]["psnr"]["value"], found["by_name"]["motion_ratio"]["value"]
    if suffix in (".mkv", ".apng", ""):
        assert (psnr, found["by_name"]["ssim"]["value"], motion) == (100, pytest.approx(1), pytest.approx(1))
    else:
        # The ball's few colours pass a GIF unharmed.
        assert 20 < psnr <= 100
        assert motion == pytest.approx(1, abs=0.3)


def test_frames_and_clips_come_in_natural_order(tmp_path: Path) -> None:
    pictures, real = tmp_path / "made" / "clip10", tmp_path / "real"
    pictures.mkdir(parents=True)
    clip = ball(0, frames=12)
    for t, frame in enumerate(clip):
        cv2.imwrite(str(pictures / f"frame_{t}.png"), frame[..., ::-1])
    write_frames(real / "clip10.mkv", clip, 10)
    write_frames(real / "clip9.mkv", clip, 10)
    assert list(find_clips(real)) == ["clip9", "clip10"]
    pair = pair_files(pictures, real / "clip10.mkv")[0]
    assert float((pair.made - pair.real).abs().max()) == 0
    assert pair.fps == 10


def test_drawings_that_a_format_stores_once_are_written_out(tmp_path: Path) -> None:
    """On twos: WebP and APNG merge the equal neighbours, and lose neither length nor rate by it."""
    clip = np.repeat(ball(0, frames=5), 2, axis=0)
    write_frames(tmp_path / "real.mkv", clip, 10)
    for suffix in (".apng", ".webp"):
        write_frames(tmp_path / f"made{suffix}", clip, 10)
        pair = pair_files(tmp_path / f"made{suffix}", tmp_path / "real.mkv")[0].validate()
        assert len(pair.made) == 10
        turned = pair_files(tmp_path / "real.mkv", tmp_path / f"made{suffix}")[0].validate()
        assert len(turned.real) == 10
    pair = pair_files(tmp_path / "made.apng", tmp_path / "real.mkv")[0]
    assert float((pair.made - pair.real).abs().max()) == 0


def test_gif_rounds_the_rate_and_other_formats_may_not(tmp_path: Path) -> None:
    clip = ball(0)
    for name, fps in (("a.mkv", 24), ("b.mkv", 30), ("c.gif", 25), ("d.mkv", 23.976), ("e.gif", 12)):
        write_frames(tmp_path / name, clip, fps)
    for name in ("c.gif", "d.mkv"):
        pair_files(tmp_path / name, tmp_path / "a.mkv")[0].validate()
    for name in ("b.mkv", "e.gif"):
        with pytest.raises(ValueError, match=r"clip a: made at \S+ frames per second, the real one at 24"):
            pair_files(tmp_path / name, tmp_path / "a.mkv")[0]


def test_two_clips_of_one_name_are_refused(tmp_path: Path) -> None:
    folder(tmp_path, ".gif", count=1)
    folder(tmp_path, ".mkv", count=1)
    with pytest.raises(ValueError, match="two clips named 'clip0'"):
        find_clips(tmp_path)


def test_a_damaged_clip_is_named_and_the_rest_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = folder(tmp_path / "real", ".mkv", count=6)
    made = folder(tmp_path / "made", ".mkv", count=6)
    damaged = made / "clip3.mkv"
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    write_frames(made / "clip4.mkv", ball(4)[:2], 10)
    (made / "clip5.mkv").unlink()
    assert call("evaluate", made, real, "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert f"error: {damaged}: truncated" in error
    assert "error: clip clip4: made has 2 frames, expected 4" in error
    assert "real clips without a made one: 1, first 'clip5'" in error
    found = results_of(tmp_path / "out")
    assert [clip["clip_id"] for clip in found["clips"]] == ["clip0", "clip1", "clip2"]
    assert [clip["clip_id"] for clip in found["failed"]] == ["clip3", "clip4"]
    assert found["missing"] == ["clip5"]
    assert found["by_name"]["psnr"]["value"] == 100
    page = (tmp_path / "out" / "report.html").read_text()
    assert "2 clips could not be scored" in page
    # Mended, the same command measures only what is left and says that all is well.
    for index in (3, 4, 5):
        write_frames(made / f"clip{index}.mkv", ball(index), 10)
    assert call("evaluate", made, real, "--out", tmp_path / "out", "--quiet") == 0
    assert results_of(tmp_path / "out")["failed"] == []


def test_nothing_usable_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = folder(tmp_path / "real", ".mkv", count=2)
    for name in ("clip0.mp4", "clip1.mp4"):
        (tmp_path / "made").mkdir(exist_ok=True)
        (tmp_path / "made" / name).write_bytes(b"no video")
    assert call("evaluate", tmp_path / "made", real, "--out", tmp_path / "out", "--quiet") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path / 'made' / 'clip0.mp4'}: cannot be decoded")
    assert "(and 1 more clips like it)" in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_the_number_of_processes_changes_no_byte(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", ".mkv", count=5)
    made = folder(tmp_path / "made", ".mp4", count=5)
    write_frames(made / "clip2.mp4", ball(2)[:2], 10)
    for workers in (1, 2):
        out = tmp_path / f"out{workers}"
        assert call("evaluate", made, real, "--out", out, "--quiet", "--workers", workers) == 1
    whole = (tmp_path / "out1" / "results.json").read_bytes()
    assert (tmp_path / "out2" / "results.json").read_bytes() == whole


@pytest.mark.slow
def test_a_damaged_journal_changes_no_byte(tmp_path: Path) -> None:
    """Cut anywhere, in another order, with a damaged line and a stranger's line."""
    real = folder(tmp_path / "real", ".mkv", count=5)
    made = folder(tmp_path / "made", ".mp4", count=5)
    assert call("evaluate", made, real, "--out", tmp_path / "out1", "--quiet") == 0
    whole = (tmp_path / "out1" / "results.json").read_bytes()
    journal = tmp_path / "out1" / "clips.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) == 5
    journal.write_bytes(b'{"key": 1}\nrubbish\n' + lines[3] + lines[0] + lines[1][:-40])
    assert call("evaluate", made, real, "--out", tmp_path / "out1", "--quiet") == 0
    assert (tmp_path / "out1" / "results.json").read_bytes() == whole
    assert len(journal.read_bytes().splitlines()) == 2 + 2 + 3
    # The cut line is gone, so the new ones can be read: a third time nothing is left to do.
    assert call("evaluate", made, real, "--out", tmp_path / "out1", "--quiet") == 0
    assert len(journal.read_bytes().splitlines()) == 2 + 2 + 3


def test_finished_clips_are_not_scored_again_and_changed_ones_are(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", ".mkv")
    made = folder(tmp_path / "made", ".mkv", change=-40)
    options = EvaluationOptions(journal=tmp_path / "clips.jsonl")
    evaluate(pair_files(made, real), CLIPS, options=options)
    lines = (tmp_path / "clips.jsonl").read_text().splitlines()
    # What the journal says is believed: so it was read, and not measured again.
    marked = json.loads(lines[0])
    marked["clip"]["values"]["psnr"] = 77.0
    (tmp_path / "clips.jsonl").write_text("\n".join([json.dumps(marked), *lines[1:]]) + "\n")
    again = evaluate(pair_files(made, real), CLIPS, options=options)
    assert [clip.made.values["psnr"] == 77.0 for clip in again.clips] == [True, False, False]
    # Another file of that name is another clip, and another protocol another measurement.
    write_frames(made / "clip0.mkv", ball(0), 10)
    changed = evaluate(pair_files(made, real), CLIPS, options=options)
    assert changed.clips[0].made.values["psnr"] == 100
    other = evaluate(pair_files(made, real), PROTOCOLS["frames_v1"], options=options)
    assert "motion_ratio" not in other.clips[1].made.values


@pytest.mark.slow
def test_a_killed_evaluation_goes_on_to_the_same_results(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", ".mkv", count=40)
    made = folder(tmp_path / "made", ".mp4", count=40)
    journal = tmp_path / "out" / "clips.jsonl"
    command = [
        sys.executable, "-m", "temporal_gan.cli", "evaluate", str(made), str(real), "--quiet", "--out",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([*command, str(tmp_path / "out")], env=environment)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not journal.is_file() or journal.read_bytes().count(b"\n") < 5):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 5 <= journal.read_bytes().count(b"\n") < 40
    assert not (tmp_path / "out" / "results.json").exists()
    for out in ("out", "whole"):
        assert subprocess.run([*command, str(tmp_path / out)], env=environment, check=False).returncode == 0
    assert (tmp_path / "out" / "results.json").read_bytes() == (
        tmp_path / "whole" / "results.json"
    ).read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not MEDIA.is_dir(), reason="the outside clips are not here")
def test_real_outside_clips_against_themselves_and_through_jpeg() -> None:
    pairs = pair_files(MEDIA, MEDIA)
    assert len(pairs) == 7
    pair = pairs[pairs.clip_ids.index("generated_woman_profile")].validate()
    short = type(pair)("itself", pair.made[:4], pair.real[:4], pair.fps)
    saved = type(pair)("jpeg", saved_as_jpeg(pair.real[:4]), pair.real[:4], pair.fps)
    itself, jpeg = evaluate([short, saved], CLIPS).clips
    values = itself.made.values
    assert values["psnr"] == 100
    assert values["ssim"] == pytest.approx(1, abs=1e-9)
    assert values["motion_ratio"] == 1
    assert values["flow_distance"] == 0
    assert values["warping_error_reference_flow"] == values["warping_error_real"]
    # A dithered GIF is hard on JPEG.
    assert 18 < jpeg.made.values["psnr"] < 50
    assert 0.85 < jpeg.made.values["motion_ratio"] < 1.25
