"""The run log: a run that was killed and resumed leaves the log of an unbroken one."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from temporal_gan.run_log import RunLog, read_stats


def steps(folder: Path) -> list[int]:
    return [int(line["step"]) for line in read_stats(folder / "stats.jsonl")]


def write_steps(folder: Path, start: int, wanted: Iterator[int] | range) -> None:
    log = RunLog(folder, start)
    for step in wanted:
        log.scalars(step, {"loss/l1": step / 10})
    log.close()


def test_a_line_is_a_step_with_its_values(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "run", 0)
    log.scalars(10, {"loss/l1": 0.5, "logit/frame_real": -1.25})
    # Readable while the run goes on.
    (line,) = read_stats(tmp_path / "run" / "stats.jsonl")
    assert line.pop("time_sec") >= 0
    assert line == {"step": 10, "loss/l1": 0.5, "logit/frame_real": -1.25}
    log.close()


def test_opened_again_at_a_step_later_lines_are_dropped(tmp_path: Path) -> None:
    write_steps(tmp_path, 0, range(10, 60, 10))
    write_steps(tmp_path, 30, range(40, 60, 10))
    assert steps(tmp_path) == [10, 20, 30, 40, 50]
    write_steps(tmp_path, 0, range(0))
    assert steps(tmp_path) == []


def test_a_line_cut_by_a_kill_is_dropped(tmp_path: Path) -> None:
    write_steps(tmp_path, 0, range(10, 40, 10))
    path = tmp_path / "stats.jsonl"
    text = path.read_text()
    last = text.rstrip("\n").rindex("\n") + 1
    for length in range(last + 1, len(text) - 1):
        path.write_text(text[:length])
        assert steps(tmp_path) == [10, 20]
    write_steps(tmp_path, 20, range(30, 50, 10))
    assert steps(tmp_path) == [10, 20, 30, 40]
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_values_that_are_not_finite_come_back(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0)
    log.scalars(1, {"psnr": math.inf, "loss": math.nan})
    log.close()
    write_steps(tmp_path, 1, range(2, 3))
    first = read_stats(tmp_path / "stats.jsonl")[0]
    assert first["psnr"] == math.inf
    assert math.isnan(first["loss"])


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    assert read_stats(tmp_path / "stats.jsonl") == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_sees_the_same_steps_once(tmp_path: Path) -> None:
    write_steps(tmp_path, 0, range(10, 60, 10))
    log = RunLog(tmp_path, 30)
    log.scalars(40, {"loss/l1": 9.0})
    log.picture(40, "preview", torch.rand(3, 8, 8))
    log.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss/l1")][-2:] == [(30, 3.0), (40, 9.0)]
    assert len(events.Scalars("loss/l1")) == 4
    assert [e.step for e in events.Images("preview")] == [40]
