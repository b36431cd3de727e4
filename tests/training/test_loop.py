"""The loop around a step: what may change when a run goes on, how it stops, and that no failure costs the last good
checkpoint."""

import json
import os
import pickle
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from small_runs import CLIP_GAN, OtherProcess, call, changed, config, config_file, environment, puppet_store
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from temporal_gan.checkpoint import list_checkpoints, load_checkpoint
from temporal_gan.config import parse_config
from temporal_gan.data.store import Store
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.errors import CheckpointError, StoreError, UserError
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.inference.animator import load_animator
from temporal_gan.training import run
from temporal_gan.training.loop import Outcome
from temporal_gan.training.state import TrainState
from temporal_gan.video_io import read_frames

# L1 alone: as little work a step as there can be.
PLAIN = changed(
    CLIP_GAN,
    losses={"adversarial_weight": 0, "l1_weight": 1.0},
    data={"batch": 2, "frames": 3},
    model__references=0,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return puppet_store(tmp_path_factory.mktemp("data") / "store")


def train(
    store: Store, out: Path, values: dict[str, Any] = PLAIN, minutes: float | None = None, **changes: Any
) -> Outcome:
    return run.train(config(values, **changes), store.path, out, minutes, quiet=True)


def steps(out: Path) -> list[int]:
    return [step for step, _ in list_checkpoints(out / "checkpoints")]


def stats(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "stats.jsonl").read_text().splitlines()]


# What a run writes


def test_what_a_run_leaves_behind(store: Store, tmp_path: Path) -> None:
    outcome = train(store, tmp_path, CLIP_GAN)
    assert outcome == Outcome(6)
    assert parse_config(_yaml(tmp_path / "config.yaml"), ExperimentConfig, "") == config(CLIP_GAN)
    assert steps(tmp_path) == [4, 6]
    assert sorted(p.name for p in (tmp_path / "previews").iterdir()) == [
        "step_00000003.mp4",
        "step_00000006.mp4",
    ]
    lines = stats(tmp_path)
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in lines if "preview/foreground_psnr" in line] == [3, 6]
    assert [line["step"] for line in lines if "loss/frame_r1" in line] == [1, 3, 5]
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [e.step for e in board.Scalars("loss/l1")] == [1, 2, 3, 4, 5, 6]
    assert [e.value for e in board.Scalars("loss/l1")] == pytest.approx([line["loss/l1"] for line in lines])
    assert [e.step for e in board.Images("preview")] == [3, 6]
    assert load_animator(tmp_path).characters == store.info.characters


def _yaml(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def test_intervals_decide_what_is_written(store: Store, tmp_path: Path) -> None:
    train(
        store, tmp_path, train__steps=5, train__log_every_steps=2, train__save_every_steps=3, train__keep_checkpoints=1,
        train__preview_every_steps=100,
    )  # fmt: skip
    assert [line["step"] for line in stats(tmp_path)] == [2, 3, 4, 5]
    assert steps(tmp_path) == [5]
    assert [p.name for p in (tmp_path / "previews").iterdir()] == ["step_00000005.mp4"]


def test_previews_show_the_validation_clips(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    preview = run.preview_clips

    def spy(clips: list, *more: Any) -> Any:
        shown.extend(clip.clip_id[0] for clip in clips)
        return preview(clips, *more)

    monkeypatch.setattr(run, "preview_clips", spy)
    train(store, tmp_path / "run", train__steps=1)
    assert shown == [row.id for row in store.split("val")]
    shown.clear()
    no_val = puppet_store(tmp_path / "two", clips=2)
    assert not no_val.split("val")
    train(no_val, tmp_path / "run2", train__steps=1)
    assert shown == [row.id for row in no_val.split("train")]


def test_the_preview_is_the_real_clip_above_the_made_one(store: Store, tmp_path: Path) -> None:
    train(store, tmp_path, train__steps=1)
    frames = read_frames(tmp_path / "previews" / "step_00000001.mp4").frames_u8
    assert frames.shape == (8, 64, 32, 3)
    real = store.frames(store.split("val")[0].id).astype(np.int64)
    on_white = real[..., :3] + 255 - real[..., 3:]
    # The mp4 is lossy, and halves the resolution of colour.
    assert np.abs(frames[:, :32] - on_white).mean() < 12
    assert np.abs(frames[:, 32:] - on_white).mean() > 20


def test_a_window_longer_than_every_clip_is_said(
    store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run.train(config(PLAIN, train__steps=1, data__frames=20), store.path, tmp_path / "a")
    assert "the longest clip has 8 frames: training on windows of 8\n" in capfd.readouterr().err
    run.train(config(PLAIN, train__steps=1, data__frames=20), store.path, tmp_path / "b", quiet=True)
    assert capfd.readouterr() == ("", "")


def test_clips_shorter_than_the_window_are_said(
    store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "store"
    info = store.info
    with StoreWriter(path, info.skeleton, info.expressions, info.fps, (32, 32), 4) as writer:
        for number, row in enumerate(store.clips):
            count = 2 if number == 0 else 8
            labels = store.labels(row.id)
            cut = {n: getattr(labels, n)[:count] for n in labels.__dataclass_fields__ if n != "origin"}
            writer.add_clip(
                type(row)(row.id, row.character, "train"), store.frames(row.id)[:count], type(labels)(**cut)
            )
    run.train(config(PLAIN, train__steps=1), path, tmp_path / "run")
    assert "1 clips are shorter than the window of 3 and not used" in capfd.readouterr().err


# Going on


@pytest.fixture(scope="module")
def two_steps(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps with a checkpoint at each; not to be changed."""
    out = tmp_path_factory.mktemp("two_steps") / "run"
    train(store, out, train__steps=2, train__save_every_steps=1, train__keep_checkpoints=5)
    return out


@pytest.fixture
def started(two_steps: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(two_steps, tmp_path / "started"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_another_configuration_is_refused_with_every_difference(store: Store, started: Path) -> None:
    before = files(started)
    with pytest.raises(CheckpointError) as caught:
        train(
            store,
            started,
            train__steps=4,
            train__seed=1,
            losses__l1_weight=2.0,
            data__augment={"flip_prob": 0.5},
        )
    message = str(caught.value)
    assert "losses.l1_weight: 1.0 -> 2.0; train.seed: 0 -> 1" in message
    assert "data.augment.flip_prob: 0.0 -> 0.5" in message
    assert "train.steps" not in message
    assert "\n" not in message
    assert files(started) == before


def test_more_steps_and_other_intervals_go_on(store: Store, started: Path) -> None:
    outcome = train(
        store, started, train__steps=4, train__log_every_steps=2, train__preview_every_steps=4,
        train__save_every_steps=4, train__keep_checkpoints=1, data__workers=0,
    )  # fmt: skip
    assert outcome == Outcome(4)
    assert steps(started) == [4]
    assert [line["step"] for line in stats(started)] == [1, 2, 4]
    assert _yaml(started / "config.yaml")["train"]["steps"] == 4


def test_a_finished_run_repeated_changes_nothing(store: Store, started: Path) -> None:
    before = files(started)
    again = train(store, started, train__steps=2, train__save_every_steps=1, train__keep_checkpoints=5)
    assert again == Outcome(2)
    after = files(started)
    events = {name for name in after if "tensorboard" in name}
    assert {n: b for n, b in after.items() if n not in events} == {
        n: b for n, b in before.items() if n not in events
    }


def test_fewer_steps_than_done_are_refused(store: Store, started: Path) -> None:
    with pytest.raises(CheckpointError, match=r"already at step 2, beyond train.steps=1"):
        train(store, started, train__steps=1)


def test_other_data_is_refused(started: Path, tmp_path: Path) -> None:
    other = puppet_store(tmp_path / "other", clips=3, frames=5)
    with pytest.raises(CheckpointError, match=r"started with other data; give that --data, or another --out"):
        train(other, started, train__steps=4)


def test_the_same_data_elsewhere_goes_on(store: Store, started: Path, tmp_path: Path) -> None:
    moved = puppet_store(tmp_path / "moved")
    assert moved.info.content_hash == store.info.content_hash
    assert train(moved, started, train__steps=3) == Outcome(3)


@pytest.mark.parametrize("damage", ["half", "empty", "other bytes"])
def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_it_serves(
    store: Store, started: Path, damage: str
) -> None:
    path = list_checkpoints(started / "checkpoints")[-1][1]
    whole = path.read_bytes()
    path.write_bytes({"half": whole[: len(whole) // 2], "empty": b"", "other bytes": b"x" * 1000}[damage])
    with pytest.raises(CheckpointError, match=re.escape(str(path))) as caught:
        train(store, started, train__steps=3)
    assert "\n" not in str(caught.value)
    path.unlink()
    assert train(store, started, train__steps=3) == Outcome(3)
    assert [line["step"] for line in stats(started)] == [1, 2, 3]


def test_a_checkpoint_of_other_networks_is_refused(store: Store, started: Path) -> None:
    path = list_checkpoints(started / "checkpoints")[-1][1]
    content = load_checkpoint(path)
    content["generator"].popitem()
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="does not fit this version's networks") as caught:
        train(store, started, train__steps=3)
    assert "\n" not in str(caught.value)


class _Code:
    """What a malicious checkpoint would hold."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("how", ["torch", "pickle", "inside"])
def test_code_in_a_checkpoint_is_not_run(store: Store, started: Path, tmp_path: Path, how: str) -> None:
    path, code = list_checkpoints(started / "checkpoints")[-1][1], _Code(tmp_path / "executed")
    if how == "pickle":
        path.write_bytes(pickle.dumps(code))
    else:
        torch.save({**load_checkpoint(path), "extra": code} if how == "inside" else code, path)
    with pytest.raises(CheckpointError, match="nothing in it was run"):
        train(store, started, train__steps=3)
    assert not (tmp_path / "executed").exists()


def test_what_an_interrupted_save_left_is_removed(store: Store, started: Path) -> None:
    leftover = started / "checkpoints" / "step_00000003.pt.tmp"
    leftover.write_bytes(b"half")
    train(store, started, train__steps=3)
    assert not leftover.exists()


# Stopping early


def endless(store: Path, out: Path, values: dict[str, Any]) -> int:
    return call(
        "train", config_file(out.with_suffix(".yaml"), values), "--data", store, "--out", out, "--quiet"
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_says_how_to_go_on(store: Store, tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "run"
    values = changed(
        PLAIN, train__steps=100000, train__save_every_steps=100000, train__preview_every_steps=100000
    )
    other = OtherProcess(tmp_path / "log", endless, store.path, out, values)
    other.wait_for(lambda: (out / "stats.jsonl").is_file() and len(stats_so_far(out)) > 2)
    other.send(number)
    assert other.wait() == 130
    (step,) = steps(out)
    assert other.output() == f"stopped at step {step}, saved in {out}; repeat the same command to go on\n"
    assert [line["step"] for line in stats(out)] == list(range(1, step + 1))
    assert load_animator(out).size == 32
    assert train(store, out, values, train__steps=step + 1) == Outcome(step + 1)


def stats_so_far(out: Path) -> list[str]:
    return (out / "stats.jsonl").read_text().splitlines()


@pytest.mark.slow
def test_ctrl_c_in_a_fresh_interpreter(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "run"
    values = changed(PLAIN, train__steps=100000, train__save_every_steps=100000)
    file = config_file(tmp_path / "run.yaml", values)
    code = "from temporal_gan.cli import main; main()"
    command = [sys.executable, "-c", code, "train", str(file), "--data", str(store.path), "--out", str(out)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdout=pipe, stderr=pipe, text=True) as process:
        while process.poll() is None and not ((out / "stats.jsonl").is_file() and len(stats_so_far(out)) > 2):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    (step,) = steps(out)
    assert f"stopped at step {step}, saved in {out}; repeat the same command to go on" in errors
    assert "Traceback" not in errors


def test_the_time_limit_stops_and_saves(store: Store, tmp_path: Path) -> None:
    values = changed(PLAIN, train__steps=100000, train__save_every_steps=100000)
    outcome = train(store, tmp_path, values, minutes=0.3 / 60)
    assert outcome == Outcome(outcome.step, out_of_time=True)
    assert 1 <= outcome.step < 1000
    assert steps(tmp_path) == [outcome.step]
    again = train(store, tmp_path, values, minutes=1e-9)
    assert again == Outcome(outcome.step + 1, out_of_time=True)


def test_a_limit_that_is_not_reached_changes_nothing(store: Store, tmp_path: Path) -> None:
    assert train(store, tmp_path, minutes=10, train__steps=2) == Outcome(2)


def test_divergence_is_one_line_and_keeps_the_last_good_checkpoint(store: Store, tmp_path: Path) -> None:
    values = changed(CLIP_GAN, optim__lr_generator=1e9, train__save_every_steps=1, train__steps=50)
    with pytest.raises(UserError) as caught:
        train(store, tmp_path, values)
    message = str(caught.value)
    assert re.match(r"training diverged at step \d+: .*loss/l1.* not finite", message)
    assert "\n" not in message
    assert "learning rate" in message
    (last, path) = list_checkpoints(tmp_path / "checkpoints")[-1]
    assert f"step {last} in {tmp_path / 'checkpoints'} is intact" in message
    assert load_checkpoint(path)["step"] == last
    assert f"diverged at step {last + 1}" in message


def exploding(step: int) -> Callable[..., dict[str, Tensor]]:
    """Steps that go too far from this one on."""
    take_step = run.take_step

    def too_far(state: TrainState, *rest: Any) -> dict[str, Tensor]:
        if state.step >= step:
            state.optimizer_generator.param_groups[0]["lr"] = 30.0
        return take_step(state, *rest)

    return too_far


def test_a_loss_that_explodes_stops_the_run_and_names_the_last_good_checkpoint(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = changed(PLAIN, train__steps=200, train__save_every_steps=5, train__preview_every_steps=1000)
    with monkeypatch.context() as patch:
        patch.setattr(run, "take_step", exploding(17))
        with pytest.raises(UserError) as caught:
            train(store, tmp_path, values)
    message = str(caught.value)
    found = re.match(
        r"training diverged at step (\d+): (loss/l1|grad/generator_norm) is .* times its median", message
    )
    assert found
    begun = re.search(r"since step (\d+); step (\d+) in .* is intact; ", message)
    assert begun
    since, good = int(begun[1]), int(begun[2])
    assert 17 <= since <= 20
    assert int(found[1]) == since + 50
    assert good == 15
    assert steps(tmp_path) == [10, 15]
    # Mended, the run goes on from there.
    assert train(store, tmp_path, values, train__steps=18) == Outcome(18)


@pytest.mark.slow
def test_a_stop_while_the_run_looks_astray_keeps_the_good_checkpoint_beside_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "take_step", exploding(17))
    values = changed(
        PLAIN, train__save_every_steps=5, train__preview_every_steps=1000, train__keep_checkpoints=1
    )
    train(store, tmp_path, values, train__steps=32)
    assert steps(tmp_path) == [15, 32]
    # What it saw before is in the log, so it is stopped where it would have been.
    with pytest.raises(UserError, match=r"diverged at step 6\d: .* since step 1\d|20"):
        train(store, tmp_path, values, train__steps=100)


def test_the_log_says_what_time_goes_into(store: Store, tmp_path: Path) -> None:
    train(store, tmp_path, train__steps=4, train__log_every_steps=2)
    for line in (line for line in stats(tmp_path) if "loss/l1" in line):
        assert 0 < line["time/data_share"] < 1
        assert line["time/step_sec"] > 0
        assert line["time/aside_sec"] >= 0


def limited(store: Path, out: Path, values: dict[str, Any], largest_file: int) -> int:
    """Train where no file can grow beyond so many bytes, which is how a full disk looks to one file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    return endless(store, out, values)


def test_a_disk_that_fills_while_saving_keeps_the_last_good_checkpoint(
    store: Store, started: Path, tmp_path: Path
) -> None:
    before = {p: p.read_bytes() for p in (started / "checkpoints").iterdir()}
    size = min(p.stat().st_size for p in before)
    values = changed(PLAIN, train__steps=4, train__save_every_steps=1, train__keep_checkpoints=5)
    other = OtherProcess(tmp_path / "log", limited, store.path, started, values, size // 2)
    assert other.wait() == 2
    output = other.output()
    assert output.startswith(f"error: {started / 'checkpoints' / 'step_00000003.pt'}: could not be written (")
    assert output.count("\n") == 1
    assert {p: p.read_bytes() for p in (started / "checkpoints").iterdir()} == before
    assert train(store, started, values) == Outcome(4)
    assert [line["step"] for line in stats(started)] == [1, 2, 3, 4]


def test_data_without_a_train_split_is_refused(store: Store, tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "s", store.info.skeleton, store.info.expressions, 24, (32, 32), 4) as writer:
        row = store.clips[0]
        writer.add_clip(type(row)("only", row.character, "test"), store.frames(row.id), store.labels(row.id))
    with pytest.raises(StoreError, match=r"no clips in split 'train'; this store has test \(1 clips\)"):
        run.train(config(PLAIN), tmp_path / "s", tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
