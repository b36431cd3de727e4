import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from small_runs import OtherProcess, environment

from temporal_gan.data.store import Store
from temporal_gan.data.validation import validate_store
from temporal_gan.errors import StoreError, UserError
from temporal_gan.puppet import PuppetSpec, random_specs, render_clip
from temporal_gan.puppet.dataset import exact_flow_source, puppet_spec, write_puppet_store
from temporal_gan.puppet.held_out import clip_splits
from temporal_gan.puppet.preview import write_store_preview

WORLD = {"lighting": "random", "background": "random", "camera": "random", "hold": 2}


def _specs(clips: int, **wanted: object) -> list[PuppetSpec]:
    names = {"characters": ("hana", "miko"), "motions": ("idle", "walk", "wave", "jump")}
    return random_specs(clips, 5, **{**names, "frames": 5, "size": 32, **wanted})  # type: ignore[arg-type]


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize(("truth", "workers"), [("none", 1), ("full", 2)])
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(tmp_path: Path, truth: str, workers: int) -> None:
    specs = _specs(12, size=64, **WORLD)
    write_puppet_store(tmp_path / "whole", specs, 5, truth, quiet=True)  # type: ignore[arg-type]
    other = OtherProcess(tmp_path / "log", write_puppet_store, tmp_path / "cut", specs, 5, truth, 1, True)
    other.wait_for((tmp_path / "cut" / "video" / "puppet_000003.mkv").exists)
    other.send(signal.SIGKILL)
    assert other.wait() == -signal.SIGKILL
    with pytest.raises(StoreError, match="is not finished; repeat the command"):
        Store.open(tmp_path / "cut")
    kept = tmp_path / "cut" / "video" / "puppet_000001.mkv"
    # As if it had been killed in the middle of writing.
    (tmp_path / "cut" / "video" / ".puppet_000009.abc").mkdir()
    (tmp_path / "cut" / "video" / ".puppet_000009.abc" / "puppet_000009.mkv").write_bytes(b"half")
    before = kept.stat().st_mtime_ns
    write_puppet_store(tmp_path / "cut", specs, 5, truth, workers, quiet=True)  # type: ignore[arg-type]
    assert kept.stat().st_mtime_ns == before, "finished clips are kept"
    assert _bytes(tmp_path / "cut") == _bytes(tmp_path / "whole")
    assert {Path(name).suffix for name in _bytes(tmp_path / "cut")} <= {".json", ".parquet", ".mkv", ".npz"}
    validate_store(tmp_path / "cut", deep=True)


def test_an_interrupted_run_with_other_settings_is_not_gone_on_from(tmp_path: Path) -> None:
    other = OtherProcess(
        tmp_path / "log", write_puppet_store, tmp_path / "cut", _specs(300), 5, "none", 1, True
    )
    other.wait_for((tmp_path / "cut" / "video" / "puppet_000003.mkv").exists)
    other.send(signal.SIGINT)
    assert other.wait() != 0
    before = _bytes(tmp_path / "cut")
    with pytest.raises(StoreError, match="half written by an interrupted run with other settings"):
        write_puppet_store(tmp_path / "cut", _specs(299), 5, quiet=True)
    assert _bytes(tmp_path / "cut") == before


@pytest.mark.slow
def test_the_command_killed_with_its_workers_goes_on(tmp_path: Path) -> None:
    """As a user's shell sees it: SIGINT to the whole group, then SIGKILL of the first process alone."""
    command = [
        sys.executable,
        "-m",
        "temporal_gan.cli",
        "puppet",
        "--clips",
        "150",
        "--frames",
        "8",
        "--size",
        "64",
    ]
    command += ["--workers", "2"]
    subprocess.run([*command, "--out", tmp_path / "whole"], check=True, env=environment())
    for number in (signal.SIGINT, signal.SIGKILL):
        # A folder may hold what the run before has left: wait for more than that.
        count = len(list((tmp_path / "cut").rglob("*.mkv")))
        run = subprocess.Popen([*command, "--out", tmp_path / "cut"], env=environment(), start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
        while len(list((tmp_path / "cut").rglob("*.mkv"))) < count + 5:
            assert run.poll() is None
            time.sleep(0.002)
        if number == signal.SIGINT:
            os.killpg(run.pid, number)
        else:
            run.kill()
        said, _ = run.communicate(timeout=60)
        assert run.returncode == (130 if number == signal.SIGINT else -number)
        assert number == signal.SIGKILL or "Traceback" not in said
    assert not (tmp_path / "cut" / "store.json").exists()
    subprocess.run([*command, "--out", tmp_path / "cut"], check=True, env=environment())
    assert _bytes(tmp_path / "cut") == _bytes(tmp_path / "whole")


def test_repeating_a_finished_call_changes_nothing(tmp_path: Path) -> None:
    specs = _specs(4)
    write_puppet_store(tmp_path / "s", specs, 5, "flow", quiet=True)
    stamps = {f: f.stat().st_mtime_ns for f in (tmp_path / "s").rglob("*")}
    assert write_puppet_store(tmp_path / "s", specs, 5, "flow", quiet=True).info.clips == 4
    assert {f: f.stat().st_mtime_ns for f in (tmp_path / "s").rglob("*")} == stamps
    for other, truth in ((specs[:3], "flow"), (specs, "full"), (_specs(4, hold=2), "flow")):
        with pytest.raises(StoreError, match="is not empty"):
            write_puppet_store(tmp_path / "s", other, 5, truth, quiet=True)  # type: ignore[arg-type]


def test_any_number_of_processes_writes_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = _specs(7, **WORLD, degradation="random")
    # As on a machine of four cores, whatever this one has.
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(4)), raising=False)
    for workers in (1, 2, 4):
        write_puppet_store(tmp_path / str(workers), specs, 5, "full", workers, quiet=True)
    assert _bytes(tmp_path / "1") == _bytes(tmp_path / "2") == _bytes(tmp_path / "4")
    other = write_puppet_store(tmp_path / "other", _specs(6), 5, quiet=True)
    assert other.info.content_hash != Store.open(tmp_path / "1").info.content_hash


def test_truth_full_reads_back_what_was_rendered(tmp_path: Path) -> None:
    specs = _specs(1, background="park", camera="pan", size=48)
    store = write_puppet_store(tmp_path / "s", specs, 5, "full", quiet=True)
    clip, kept = render_clip(specs[0], truth=True), store.truth("puppet_000000")
    assert kept is not None
    np.testing.assert_array_equal(kept["part_map"], clip.part_map)
    np.testing.assert_array_equal(kept["depth_order"], clip.depth_order)
    assert tuple(kept["parts"]) == clip.parts
    for name in ("flow", "flow_backward"):
        np.testing.assert_allclose(kept[name], getattr(clip, name), atol=0.004)
        np.testing.assert_array_equal(kept[f"{name}_valid"], getattr(clip, f"{name}_valid"))
    np.testing.assert_array_equal(store.frames("puppet_000000"), clip.video)
    labels = store.labels("puppet_000000")
    np.testing.assert_array_equal(labels.keypoints, clip.keypoints)
    np.testing.assert_array_equal(labels.hold, clip.hold)


def test_flow_can_be_recomputed_from_the_recipe(tmp_path: Path) -> None:
    specs = _specs(2, background="random", camera="shake", size=48)
    store = write_puppet_store(tmp_path / "s", specs, 5, quiet=True)
    for row, spec in zip(store.clips, specs, strict=True):
        assert puppet_spec(row) == spec
        clip = render_clip(spec, truth=True)
        flow, valid = exact_flow_source(store)(row)
        np.testing.assert_array_equal(flow, clip.flow)
        np.testing.assert_array_equal(valid, clip.flow_valid)


def test_held_out_names_appear_in_their_own_split_alone(tmp_path: Path) -> None:
    specs = _specs(80, expressions=("neutral", "happy", "sad", "angry", "scared"))
    store = write_puppet_store(
        tmp_path / "s", specs, 5, quiet=True, hold_out_characters=("miko",), hold_out_motions=("jump",)
    )
    where = {
        (True, False): {"test_character"},
        (False, True): {"test_motion"},
        (True, True): {"test_combination"},
    }
    for row in store.clips:
        new = row.character == "miko", json.loads(row.recipe)["motion"] == "jump"
        assert row.split in where.get(new, {"train", "val", "test"})
    counts = Counter(row.split for row in store.clips)
    # Two characters and four motions in turn: 30 known clips, 30 new characters, 10 new motions, 10 new pairs.
    assert (counts["test_character"], counts["test_motion"], counts["test_combination"]) == (30, 10, 10)
    assert (counts["train"], counts["val"], counts["test"]) == (24, 3, 3)
    validate_store(tmp_path / "s")


def test_blends_and_parameters_do_not_hide_a_held_out_motion() -> None:
    motions = ["walk@speed=1.2", "idle>walk", "idle", "idle@speed=2>wave"]
    specs = [PuppetSpec("hana", motion, "happy", 0) for motion in motions]
    splits = clip_splits(specs, list("abcd"), 0, motions=["walk"])
    assert [split == "test_motion" for split in splits] == [True, True, False, False]


def test_holding_out_what_is_not_there_is_refused() -> None:
    specs = _specs(8)
    names = [str(i) for i in range(8)]
    with pytest.raises(
        UserError, match=r"held-out characters \['nobody'\] are in no clip; there are: hana, miko"
    ):
        clip_splits(specs, names, 0, characters=["nobody"])
    with pytest.raises(UserError, match="none is left for training"):
        clip_splits(specs, names, 0, characters=["hana", "miko"])


def test_the_preview_lies_beside_the_store_and_is_the_same_every_time(tmp_path: Path) -> None:
    store = write_puppet_store(tmp_path / "s", _specs(11, background="random"), 5, quiet=True)
    files = write_store_preview(store)
    first = [file.read_bytes() for file in files]
    assert [file.read_bytes() for file in write_store_preview(store)] == first
    assert validate_store(tmp_path / "s", deep=True).info.content_hash == store.info.content_hash
    assert [file.name for file in files] == ["contact_sheet.png", "sample.mp4"]
