"""The benchmark of preprocessing's speed times the right frames, and sees what memory processes hold."""

import sys
from pathlib import Path

import numpy as np
import preprocessing_speed
from movies import FPS, HEIGHT, WIDTH, join_shots, shuffled, write_shots
from process_watch import watch

from temporal_gan.video_io import read_frames

HOLDING = """
import time
held = bytearray(80 << 20)
time.sleep(0.6)
del held
time.sleep(0.9)
"""


def test_joined_shots_show_every_frame_of_each(tmp_path: Path) -> None:
    shots = write_shots(tmp_path, "plain page, on twos", 2, 6)
    parts = [read_frames(shot).frames_u8 for shot in shots]
    movie = read_frames(join_shots(tmp_path / "movie.mp4", [shots[1], shots[0], shots[1]], 6))
    assert movie.frames_u8.shape == (18, HEIGHT, WIDTH, 3)
    assert (movie.frames_u8 == np.concatenate([parts[1], parts[0], parts[1]])).all()
    np.testing.assert_allclose(movie.times, np.arange(18) / FPS, atol=1e-6)


def test_shots_fill_the_time_in_an_order_of_their_own() -> None:
    shots = [Path(name) for name in "abc"]
    order = shuffled(shots, 20, 48, 0)
    assert len(order) == 10
    assert set(order) == set(shots)
    assert order == shuffled(shots, 20, 48, 0) != shuffled(shots, 20, 48, 1)


def test_stages_are_timed_per_frame(tmp_path: Path) -> None:
    (shot,) = write_shots(tmp_path, "plain page, on twos", 1, 6)
    found = preprocessing_speed.stage_times(shot, [], 1)
    assert (found["frames"], found["drawings"], found["keyed"]) == (6, 3, 1)
    times = found["ms_per_frame"]
    assert list(times) == [*preprocessing_speed.AIMED_AT, "encode and write"]
    rate = 1000 / sum(times[name] for name in preprocessing_speed.AIMED_AT)
    assert found["frames_per_sec_and_core"] == rate > found["frames_per_sec_and_core_with_writing"] > 0


def test_memory_is_seen_while_it_is_held() -> None:
    found = watch([sys.executable, "-c", HOLDING], every_sec=0.05)
    (process,) = found["processes"]
    assert process["name"] == "command"
    sizes = process["largest_mib"]
    assert 70 < max(sizes[:3]) - sizes[4] < 95
    assert found["total_mib"] == sizes
    assert 0 < process["processor_sec"] < 1


def test_only_the_lanes_can_be_halved() -> None:
    processes = [
        {"name": name, "processor_sec": seconds}
        for name, seconds in (("command", 4), ("forkserver", 2), ("lane", 1), ("lane", 17))
    ]
    assert preprocessing_speed.possible_gain(processes) == 24 / 15
