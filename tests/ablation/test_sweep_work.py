"""One run in this process: trained, scored, and its cost; and the floors, against figures that are known beforehand."""

import shutil
from pathlib import Path

import pytest
import torch
from small_sweeps import runs_of, sweep_of
from torch import nn

from temporal_gan.ablation.clips import data_domain, data_key, open_store
from temporal_gan.ablation.costs import macs_per_frame, peak_memory_gb
from temporal_gan.ablation.floors import read_floors, warped_to_pose
from temporal_gan.ablation.outcome import TRAINED_FILE, read_outcome, this_place
from temporal_gan.ablation.plan import Run
from temporal_gan.ablation.probe import generator_parameters, probe_step
from temporal_gan.ablation.row_names import WARP_FLOOR as WARP
from temporal_gan.ablation.work import RESULTS_FILE, do_run, shown_rows
from temporal_gan.data.store import Store
from temporal_gan.evaluation.pairing import pair_files

ROOM: dict[str, object] = {"steps": None, "minutes": 0.01, "equal": "time"}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the sweep's clips are rendered."""
    path = tmp_path_factory.mktemp("work")
    open_store(sweep_of(path).data, path / "out", quiet=True)
    return path


@pytest.mark.slow
def test_where_the_clock_ends_runs_an_interrupted_one_begins_anew(room: Path) -> None:
    """Else it would get more time than the others; a training that ended is not done again."""
    run = runs_of(room, **ROOM)[1]
    leftover = run.folder / "run" / "checkpoints" / "step_00000001.pt"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"of an interrupted run")
    do_run(run, this_place())
    # A slow machine comes no further than this step itself.
    assert not leftover.exists() or leftover.read_bytes() != b"of an interrupted run"
    outcome = read_outcome(run.folder, run.key)
    assert outcome is not None
    assert outcome.status == "finished"
    assert outcome.trained is not None
    assert outcome.trained.steps >= 1
    stamp = (run.folder / TRAINED_FILE).stat().st_mtime_ns
    shutil.rmtree(run.folder / "clips")
    do_run(run, this_place())
    assert (run.folder / TRAINED_FILE).stat().st_mtime_ns == stamp
    store = Store.open(run.store)
    assert [f.stem for f in sorted((run.folder / "clips").iterdir())] == [
        r.id for r in shown_rows(store, run.split)
    ]


def test_floors_are_what_they_say(room: Path) -> None:
    run: Run = runs_of(room)[0]
    run.folder.mkdir(parents=True, exist_ok=True)
    do_run(run, this_place())
    floors = read_floors(run.folder / RESULTS_FILE)
    assert set(floors) == {"real_saved_as_jpeg", "copy_first_frame", "nearest_training_frame", WARP}
    for clip in floors["copy_first_frame"]:
        values = {name: found[clip] for name, found in floors.items()}
        assert values["copy_first_frame"]["motion_ratio"] == 0
        assert values["real_saved_as_jpeg"]["foreground_psnr"] > 22
        others = [found["foreground_psnr"] for name, found in values.items() if name != "real_saved_as_jpeg"]
        assert max(others) < values["real_saved_as_jpeg"]["foreground_psnr"]


def test_a_frame_warped_to_its_own_pose_is_itself(room: Path) -> None:
    store = Store.open(room / "out" / "store")
    pair = pair_files(store.path, store.path, "test_motion")[0]
    places = [(pair.clip_id, frame) for frame in range(len(pair.real))]
    made = warped_to_pose(pair, store, places)
    assert made.shape == pair.real.shape
    assert float((made - pair.real).abs().mean()) < 0.01
    shifted = warped_to_pose(pair, store, places[::-1])
    assert float((shifted - pair.real).abs().mean()) > float((made - pair.real).abs().mean())


def test_multiply_adds_of_a_known_network() -> None:
    """3 x 3 from 4 to 8 channels over 10 x 10 pixels, and 8 to 5 by a matrix."""
    conv, line = nn.Conv2d(4, 8, 3, padding=1), nn.Linear(8, 5)
    frames = torch.zeros(6, 4, 10, 10)
    found = macs_per_frame(lambda: line(conv(frames).mean(dim=(2, 3))), 6)
    assert found * 1e9 == pytest.approx(9 * 4 * 8 * 100 + 8 * 5, rel=1e-9)


def test_peak_memory_grows_with_what_is_held() -> None:
    before = peak_memory_gb()
    assert 0.05 < before < 64
    more = int(before * 2**30) // 4 + 2**25
    held = torch.ones(more)
    assert peak_memory_gb() > 1.05 * before
    assert held.numel() == more


def test_clips_are_known_before_they_are_rendered(room: Path, tmp_path: Path) -> None:
    sweep = sweep_of(room)
    store = Store.open(room / "out" / "store")
    domain = data_domain(sweep.data, tmp_path, None)
    assert domain is not None
    info = store.info
    found = (domain.channels, domain.characters, domain.expressions, domain.fps, domain.skeleton)
    assert found == (info.channels, info.characters, info.expressions, info.fps, info.skeleton)
    assert data_key(sweep.data, tmp_path) == data_key(sweep.data, room)
    assert len(store.split("test_motion")) == 2
    named = sweep_of(room, data={"store": str(store.path)})
    assert data_key(named.data, tmp_path) == info.content_hash
    assert data_domain(named.data, tmp_path, None) == domain
    assert named.split == "test"


def test_a_probe_takes_time_and_counts_weights(room: Path) -> None:
    base, memory = (run.config for run in runs_of(room)[1:3])
    domain = data_domain(sweep_of(room).data, room, None)
    assert base is not None
    assert memory is not None
    assert domain is not None
    assert 0.001 < probe_step(base, domain) < 30
    # Gates, candidate and output of a recurrent unit of 16 channels, from 32, in 3 x 3; see models/temporal.py.
    unit = (32 * 9 + 1) * 32 + (32 * 9 + 1) * 16 + (16 + 1) * 16
    assert generator_parameters(memory, domain) - generator_parameters(base, domain) == unit
