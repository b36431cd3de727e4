"""The whole way from files to a store, on small videos."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest
from small_inputs import SHOT, digest, quick_config, run_quickly, write_inputs
from strange_media import source

from preprocessing.cuts import Cut, read_cuts
from preprocessing.decisions import read_decisions
from preprocessing.outcome import read_outcomes
from preprocessing.provenance import find_sources
from preprocessing.scan_task import SCANS, ScanItem, ScanTask
from preprocessing.sidecar import Provenance
from preprocessing.work_folder import SIZES_FILE, WorkFolder
from temporal_gan.data.store import Store
from temporal_gan.data.validation import validate_store
from temporal_gan.errors import StoreError, UserError


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def made(inputs, tmp_path_factory):
    """A store made once, undisturbed; not to be changed."""
    out = tmp_path_factory.mktemp("made") / "store"
    run_quickly(inputs, out)
    return out


def test_every_shot_becomes_a_clip(made):
    store = validate_store(made, deep=True)
    assert [row.frames for row in store.clips] == [SHOT] * 6
    assert {row.source for row in store.clips} == {f"film {i}.mp4" for i in range(3)}
    assert [row.start for row in store.split("train")][:2] == [0.0, pytest.approx(SHOT / 24, abs=1e-6)]
    assert (store.info.width, store.info.height, store.info.channels) == (48, 48, 4)
    assert all(row.licence == "CC0-1.0" and len(row.sha256) == 64 for row in store.clips)
    # Nothing was looked for: the clips stay, with confidence 0.
    assert max(store.labels(row.id).confidence.max() for row in store.clips) == 0
    assert [o.state for o in read_outcomes(made)] == ["kept"] * 6


def test_held_drawings_are_kept_and_marked(made):
    store = Store.open(made)
    for row in store.clips:
        hold = store.labels(row.id).hold
        truth = store.truth(row.id)
        assert row.frames == len(hold) == SHOT
        # The first picture after a cut is coarser than its repetition: there a held drawing may count as new.
        assert SHOT // 2 <= len(np.unique(hold)) <= SHOT // 2 + 1
        held = np.diff(hold) == 0
        assert not truth["flow_valid"][held].any()
        assert not truth["flow"][held].any()


def test_splits_are_by_source_and_every_one_is_there(made):
    # Of each source two clips: three splits of two clips are one source each.
    splits = sorted((row.split, row.source) for row in Store.open(made).clips)
    assert [split for split, _ in splits] == ["test"] * 2 + ["train"] * 2 + ["val"] * 2
    assert all(a == b for a, b in zip(splits[::2], splits[1::2], strict=True))


@pytest.mark.parametrize("lost", ["decision", "labels", "clips"])
def test_a_source_of_which_nothing_is_left_takes_no_split(lost, inputs, made, tmp_path):
    """Whichever of three it is: of the other two, one is there to train on."""
    for number in range(3):
        name, out = f"film {number}.mp4", tmp_path / f"store {number}"
        work = WorkFolder(shutil.copytree(made.with_name("store.work"), out.with_name(f"{out.name}.work")))
        more = {}
        if lost == "decision":
            (tmp_path / "decisions.csv").write_text(f"source,decision\n{name},reject\n")
            more["decisions"] = read_decisions(tmp_path / "decisions.csv")
        elif lost == "labels":
            more["labels"] = tmp_path / str(number)
            more["labels"].mkdir()
            (more["labels"] / f"film {number}.csv").write_text("no,labels\n")
        else:
            shutil.rmtree(work.path / "clips")
            (film,), _ = find_sources([inputs / name], None, Provenance(), quick_config().ingest)
            scan = work.place(SCANS, ScanTask(quick_config(), work).key(ScanItem(film)))
            shots = json.loads((scan / "scan.json").read_text())
            # As if the file had become shorter behind the run's back.
            text = json.dumps([shot | {"end_frame": shot["end_frame"] + 50} for shot in shots])
            (scan / "scan.json").write_text(text)
        run_quickly(inputs, out, **more)
        rows = Store.open(out).clips
        assert {row.source for row in rows} == {f"film {i}.mp4" for i in range(3)} - {name}
        assert "train" in {row.split for row in rows}


def test_stills_that_differ_in_a_number_share_a_split(tmp_path):
    random = np.random.default_rng(0)
    for number in (1, 5, 10, 40):
        pixels = cv2.resize(random.integers(0, 256, (8, 8, 3), np.uint8), (64, 64))
        assert cv2.imwrite(str(tmp_path / f"walk {number}.png"), pixels)
    assert run_quickly(tmp_path, tmp_path / "store").packed == 4
    assert {row.split for row in Store.open(tmp_path / "store").clips} == {"train"}


def test_repeating_changes_nothing(inputs, made, tmp_path):
    out = tmp_path / "store"
    shutil.copytree(made, out)
    shutil.copytree(made.with_name("store.work"), tmp_path / "store.work")
    before = digest(out)
    assert run_quickly(inputs, out).changed is False
    assert digest(out) == before


def test_a_later_stage_starts_from_what_the_earlier_ones_made(inputs, made, tmp_path):
    work = tmp_path / "store.work"
    shutil.copytree(made.with_name("store.work"), work)
    kinds = ("scans", "holds", "pose", "face", "expression", "smooth", "clips")
    before = {kind: {p.name for p in (work / kind).glob("*/*")} for kind in kinds}
    assert all(len(before[kind]) == (3 if kind == SCANS else 6) for kind in kinds)
    run_quickly(inputs, tmp_path / "store", "crop.size=32")
    after = {kind: {p.name for p in (work / kind).glob("*/*")} for kind in kinds}
    assert {kind for kind in kinds if after[kind] != before[kind]} == {"clips"}
    assert Store.open(tmp_path / "store").info.width == 32


def note_sizes(piece):
    """As if what lies in the piece now had been made so."""
    sizes = {str(f.relative_to(piece)): f.stat().st_size for f in piece.rglob("*") if f.is_file()}
    del sizes[SIZES_FILE]
    (piece / SIZES_FILE).write_text(json.dumps(sizes))


def test_labels_of_finished_stages_are_taken_as_they_lie(inputs, made, tmp_path):
    work = tmp_path / "store.work"
    shutil.copytree(made.with_name("store.work"), work)
    for file in work.glob("smooth/*/*/labels.npz"):
        with np.load(file) as kept:
            arrays = dict(kept)
        arrays["about"] = np.array(json.dumps(json.loads(str(arrays["about"])) | {"flags": ["found again"]}))
        np.savez(file, **arrays)
        note_sizes(file.parent)
    run_quickly(inputs, tmp_path / "store", "crop.size=32")
    assert all("found again" in row.flags for row in Store.open(tmp_path / "store").clips)


def test_a_clip_that_fails_is_named_and_the_others_stay(inputs, made, tmp_path):
    work = tmp_path / "store.work"
    shutil.copytree(made.with_name("store.work"), work)
    # As if the file had become shorter behind the run's back.
    scan = min(work.glob("scans/*/*/scan.json"))
    shots = json.loads(scan.read_text())
    shots[-1]["end_frame"] += 50
    scan.write_text(json.dumps(shots))
    note_sizes(scan.parent)
    finished = run_quickly(inputs, tmp_path / "store")
    (failed,) = finished.failed
    assert failed.clip.endswith(f"_f{SHOT:06d}")
    assert "ends before frame 20" in failed.reason
    assert finished.packed == 5
    assert sorted(o.state for o in read_outcomes(tmp_path / "store")) == ["failed"] + ["kept"] * 5


@pytest.mark.parametrize("loss", ["deleted", "emptied"])
@pytest.mark.parametrize("kind", ["frames.parquet", "video/*", "truth/*", "outcomes.jsonl", "store.json"])
def test_a_store_that_lost_something_is_made_again(inputs, made, tmp_path, kind, loss):
    out = tmp_path / "store"
    shutil.copytree(made, out)
    shutil.copytree(made.with_name("store.work"), tmp_path / "store.work")
    lost = min(out.glob(kind))
    lost.unlink()
    if loss == "emptied":
        lost.touch()
    assert run_quickly(inputs, out).changed is True
    assert digest(out) == digest(made)


@pytest.mark.parametrize("harm", ["deleted", "emptied", "half", "zeros"])
def test_damaged_pieces_are_made_again(inputs, made, tmp_path, harm):
    """What a machine may leave that lost its power."""
    work = tmp_path / "store.work"
    shutil.copytree(made.with_name("store.work"), work)
    files = [min(work.glob(f"{kind}/*/*/labels.npz")) for kind in ("smooth", "clips")]
    files += [min(work.glob("scans/*/*/sizes.json")), *work.glob("scans/*/*/scan.json")]
    files += [min(work.glob("clips/*/*/video/*"))]
    for file in files:
        data = file.read_bytes()
        file.unlink()
        if harm != "deleted":
            half = data[: len(data) // 2]
            file.write_bytes({"emptied": b"", "half": half, "zeros": bytes(len(data))}[harm])
    if harm == "zeros":
        # Of the right length: only what is read again is found out.
        shutil.rmtree(work / "clips")
    finished = run_quickly(inputs, tmp_path / "store")
    assert finished.failed == []
    assert digest(tmp_path / "store") == digest(made)
    before = {file: file.stat().st_mtime_ns for file in work.glob("*/*/*")}
    assert run_quickly(inputs, tmp_path / "store").changed is False
    assert {file: file.stat().st_mtime_ns for file in before} == before, "mended once and for all"


def test_a_finished_clip_that_cannot_be_read_is_named(inputs, made, tmp_path):
    shutil.copytree(made.with_name("store.work"), tmp_path / "store.work")
    file = min((tmp_path / "store.work").glob("clips/*/*/labels.npz"))
    file.write_bytes(bytes(file.stat().st_size))
    with pytest.raises(StoreError, match=f"{file.parent}: a finished piece is damaged"):
        run_quickly(inputs, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_new_file_costs_only_itself(inputs, made, tmp_path):
    more = tmp_path / "inputs"
    shutil.copytree(inputs, more)
    shutil.copy(write_inputs(tmp_path / "four", files=4) / "film 3.mp4", more)
    work = tmp_path / "store.work"
    shutil.copytree(made.with_name("store.work"), work)
    shutil.copytree(made, tmp_path / "store")
    old = {p: p.stat().st_mtime_ns for p in work.glob("clips/*/*")}
    finished = run_quickly(more, tmp_path / "store")
    assert finished.packed == 8
    assert {p: p.stat().st_mtime_ns for p in old} == old


def test_two_processes_make_the_same_store(inputs, made, tmp_path):
    run_quickly(inputs, tmp_path / "store", workers=2)
    assert digest(tmp_path / "store") == digest(made)


def test_a_broken_file_fails_alone(inputs, tmp_path):
    broken = tmp_path / "inputs"
    shutil.copytree(inputs, broken)
    whole = (broken / "film 1.mp4").read_bytes()
    (broken / "film 1.mp4").write_bytes(whole[: len(whole) // 2])
    (broken / "a text.mp4").write_text("this is no video")
    finished = run_quickly(broken, tmp_path / "store")
    assert finished.packed == 4
    assert sorted(outcome.source for outcome in finished.failed) == ["a text.mp4", "film 1.mp4"]
    assert all(o.reason and "\n" not in o.reason for o in finished.failed)
    assert {row.source for row in Store.open(tmp_path / "store").clips} == {"film 0.mp4", "film 2.mp4"}


def test_decisions_win(inputs, made, tmp_path):
    first = Store.open(made).clips[0]
    file = tmp_path / "decisions.csv"
    file.write_text(f"clip,source,decision,why\n{first.id},,reject,blurred\n,film 2.mp4,reject,two people\n")
    finished = run_quickly(inputs, tmp_path / "store", decisions=read_decisions(file))
    left_out = {o.clip: o.reason for o in finished.outcomes if o.state == "left out"}
    assert left_out[first.id] == "decision: blurred"
    assert finished.packed == 3
    assert {row.source for row in Store.open(tmp_path / "store").clips} == {"film 0.mp4", "film 1.mp4"}


def test_copies_are_left_out_unless_a_person_keeps_them(inputs, tmp_path):
    from strangers import write_h264

    from temporal_gan.video_io import read_frames

    doubled = tmp_path / "inputs"
    shutil.copytree(inputs, doubled)
    frames = read_frames(inputs / "film 0.mp4").frames_u8
    write_h264(doubled / "film 0 again.mp4", frames, 24, 30)
    finished = run_quickly(doubled, tmp_path / "store")
    again = [o for o in finished.outcomes if o.source == "film 0 again.mp4" or "nearly the same" in o.reason]
    assert len(again) >= 2
    assert finished.packed == 6
    copies = [o.clip for o in finished.outcomes if "nearly the same" in o.reason]
    file = tmp_path / "decisions.csv"
    file.write_text("clip,decision\n" + "".join(f"{clip},keep\n" for clip in copies))
    kept = run_quickly(doubled, tmp_path / "store", decisions=read_decisions(file))
    assert kept.packed == 8
    splits = {row.source: row.split for row in Store.open(tmp_path / "store").clips}
    assert splits["film 0.mp4"] == splits["film 0 again.mp4"]


def test_corrected_cuts_win(inputs, made, tmp_path):
    cuts = read_cuts(made / "cuts.csv")
    assert {name: [round(c.second * 24) for c in found if c.keep] for name, found in cuts.items()} == {
        f"film {i}.mp4": [SHOT] for i in range(3)
    }
    corrected = {"film 0.mp4": [Cut(6 / 24, 0.0, True)], "film 1.mp4": [Cut(SHOT / 24, 20.0, False)]}
    run_quickly(inputs, tmp_path / "store", cuts=corrected)
    frames = {}
    for row in Store.open(tmp_path / "store").clips:
        frames.setdefault(row.source, []).append(row.frames)
    assert frames == {"film 0.mp4": [6, 14], "film 1.mp4": [20], "film 2.mp4": [10, 10]}


def test_labels_win_and_say_so(inputs, made, tmp_path):
    labels = tmp_path / "labels"
    labels.mkdir()
    people = [{"pose_keypoints_2d": [48.0, 24.0, 1.0] * 18}]
    (labels / "film 0").mkdir()
    for frame in range(SHOT):
        (labels / "film 0" / f"{frame:03d}_keypoints.json").write_text(json.dumps({"people": people}))
    (labels / "film 1").mkdir()
    for frame in range(50):
        (labels / "film 1" / f"{frame:03d}_keypoints.json").write_text(json.dumps({"people": people}))
    (labels / "film 2").mkdir()
    wide = {"people": people, "canvas_width": 192, "canvas_height": 96}
    (labels / "film 2" / "0_keypoints.json").write_text(json.dumps(wide))
    finished = run_quickly(inputs, tmp_path / "store", "crop.mode=whole", labels=labels)
    another = "are they of another clip?"
    assert {failed.source: failed.reason for failed in finished.failed} == {
        "film 1.mp4": f"film 1: has labels for frame 20, but the source has 20 frames, 0 to 19; {another}",
        "film 2.mp4": "film 2: frame 0 was labelled in a picture 2 times as wide as high, "
        f"but the source has 96x96 pixels (1); {another}",
    }
    store = Store.open(tmp_path / "store")
    clips = [row for row in store.clips if row.source == "film 0.mp4"]
    first, second = (store.labels(row.id) for row in clips)
    assert first.confidence[:, :18].min() == 1
    assert set(first.origins()) == {"imported"}
    np.testing.assert_allclose(first.keypoints[:, 0], np.tile([0.5, 0.25], (SHOT, 1)), atol=0.01)
    assert second.confidence.max() == 0


def test_another_folder_is_never_replaced(inputs, tmp_path):
    out = tmp_path / "store"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    with pytest.raises(StoreError, match="did not make"):
        run_quickly(inputs, out)
    assert (out / "mine.txt").read_text() == "precious"


def test_two_runs_do_not_share_a_work_folder(inputs, tmp_path):
    from filelock import FileLock

    work = tmp_path / "store.work"
    work.mkdir()
    with FileLock(work / "lock"), pytest.raises(UserError, match="another run"):
        run_quickly(inputs, tmp_path / "store")


def test_a_store_half_replaced_comes_back(inputs, made, tmp_path):
    shutil.copytree(made, tmp_path / ".store.old")
    shutil.copytree(made.with_name("store.work"), tmp_path / "store.work")
    assert run_quickly(inputs, tmp_path / "store").changed is False
    assert digest(tmp_path / "store") == digest(made)
    assert not (tmp_path / ".store.old").exists()


def test_what_is_left_of_a_replaced_store_is_never_brought_back(inputs, made, tmp_path):
    """Killed while it removed the old store: a part of that lies beside the new one."""
    shutil.copytree(made, tmp_path / "store")
    shutil.copytree(made, tmp_path / ".store.old")
    shutil.rmtree(tmp_path / ".store.old" / "video")
    shutil.copytree(made.with_name("store.work"), tmp_path / "store.work")
    assert run_quickly(inputs, tmp_path / "store").changed is False
    assert sorted(file.name for file in tmp_path.iterdir()) == ["store", "store.work"]


def test_our_own_fault_in_one_file_costs_that_file_alone(tmp_path, monkeypatch):
    from preprocessing import scan_task

    def broken(*_):
        raise RuntimeError("a defect\nof ours")

    monkeypatch.setattr(scan_task, "scan", broken)
    work = WorkFolder(tmp_path / "work")
    work.path.mkdir()
    one = source(tmp_path / "a.mp4")
    done = scan_task.ScanTask(quick_config(), work).do(scan_task.ScanItem(one), None)
    name = f"work/faults/{one.sha256[:16]}.txt"
    assert done.failure == f"a fault of this program (RuntimeError: a defect of ours); please report {name}"
    assert "in broken" in (tmp_path / name).read_text()


@pytest.mark.slow
def test_a_full_disk_leaves_nothing_half_written(inputs, made, tmp_path):
    """In a process of its own whose files may not grow beyond a few kilobytes."""
    import subprocess
    import sys

    code = (
        "import resource, signal, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from preprocessing.cli import main; main()"
    )
    out = tmp_path / "store"
    command = [
        sys.executable,
        "-c",
        code,
        "run",
        str(inputs),
        "--out",
        str(out),
        "--licence",
        "CC0-1.0",
        "--quiet",
    ]
    for change in quick_changes():
        command += ["--set", change]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "File too large" in done.stderr
    assert not out.exists()
    run_quickly(inputs, out)
    assert digest(out) == digest(made)


def quick_changes():
    from small_inputs import QUICK

    return QUICK


def test_settings_that_are_wrong_are_named():
    with pytest.raises(UserError, match="crop"):
        quick_config("crop.sise=3")
