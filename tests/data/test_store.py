"""What goes into a store comes out, and every fault is found and named."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moving_dots import EXPRESSIONS, SKELETON, make_store, moving_clip

from temporal_gan.data.manifest import SCHEMA_VERSION, ClipRow, StoreInfo
from temporal_gan.data.store import Store
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.data.validation import validate_store
from temporal_gan.errors import StoreError
from temporal_gan.video_io import read_frames, write_frames

ROW = ClipRow("a", "hero", "train")


def writer(path: Path, channels: int = 4, size: tuple[int, int] | None = (24, 16)) -> StoreWriter:
    return StoreWriter(path, SKELETON, EXPRESSIONS, 12, size, channels)


@pytest.mark.parametrize("channels", [3, 4])
def test_clips_come_back_as_they_went_in(tmp_path: Path, channels: int) -> None:
    store = make_store(tmp_path / "s", channels=channels)
    assert [r.id for r in store.clips] == ["clip_0", "clip_1", "clip_2"]
    assert store.info.characters == ("character 0", "character 1")
    assert (store.info.clips, store.info.frames, store.info.width, store.info.height) == (3, 15, 24, 16)
    assert store.info.skeleton == SKELETON
    assert [r.id for r in store.split("train")] == ["clip_0", "clip_1"]
    assert store.split("val") == []
    for n, length in enumerate((6, 4, 5)):
        video, labels, truth = moving_clip(length, 24, 16, channels, seed=n)
        clip = f"clip_{n}"
        assert (store.frames(clip) == video).all()
        back = store.labels(clip)
        for name in (
            "keypoints",
            "confidence",
            "layer",
            "expression",
            "expression_confidence",
            "time",
            "hold",
        ):
            value = getattr(back, name)
            assert value.dtype == getattr(labels, name).dtype
            assert (value == getattr(labels, name)).all(), name
        assert back.origin == ("rendered",) * length
        exact = store.truth(clip)
        assert exact is not None
        assert exact["flow"].dtype == np.float32
        assert (exact["flow"] == truth["flow"]).all()
        assert exact["flow_valid"].dtype == bool
        assert (exact["flow_valid"] == truth["flow_valid"]).all()
    assert store.row("clip_1").flags == ("dark", "short")
    assert store.row("clip_1").fps == 12
    validate_store(store.path, deep=True)


def test_store_bytes_are_the_same_every_time(tmp_path: Path) -> None:
    one, two = make_store(tmp_path / "one"), make_store(tmp_path / "two")
    assert one.info.content_hash == two.info.content_hash
    assert make_store(tmp_path / "three", lengths=(6, 4, 6)).info.content_hash != one.info.content_hash


def test_store_without_expressions_and_truth(tmp_path: Path) -> None:
    video, labels, _ = moving_clip(3, 24, 16, 4)
    bare = replace(
        labels, expression=np.zeros((3, 0), np.float32), expression_confidence=np.zeros((3, 0), np.float32)
    )
    with StoreWriter(tmp_path / "s", SKELETON, (), 12, (24, 16), 4) as out:
        out.add_clip(ROW, video, bare)
    store = validate_store(tmp_path / "s", deep=True)
    assert store.labels("a").expression.shape == (3, 0)
    assert store.truth("a") is None


def test_labels_are_found_across_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("temporal_gan.data.store_writer._GROUP_ROWS", 5)
    with writer(tmp_path / "s") as out:
        for n, length in enumerate((2, 3, 9, 1, 2, 2, 4)):
            video, labels, _ = moving_clip(length, 24, 16, 4)
            out.add_clip(replace(ROW, id=f"c{n}"), video, replace(labels, hold=labels.hold + 100 * n))
    store = validate_store(tmp_path / "s")
    assert pq.ParquetFile(store.path / "frames.parquet").num_row_groups == 4
    for n in (6, 0, 3, 2, 5, 1, 4):
        assert store.labels(f"c{n}").hold[0] == 100 * n


def test_opaque_lossy_clip_may_be_copied(tmp_path: Path) -> None:
    video, labels, _ = moving_clip(3, 24, 16, 3)
    write_frames(tmp_path / "source.mp4", video, 12)
    decoded = read_frames(tmp_path / "source.mp4").frames_u8
    with writer(tmp_path / "s", channels=3) as out:
        with pytest.raises(StoreError, match=r"source\.mp4 is not an \.mp4 of just these frames"):
            out.add_clip(ROW, video, labels, video_file=tmp_path / "source.mp4")
        out.add_clip(ROW, decoded, labels, video_file=tmp_path / "source.mp4")
    store = validate_store(tmp_path / "s", deep=True)
    assert (store.path / "video/a.mp4").read_bytes() == (tmp_path / "source.mp4").read_bytes()
    assert (store.frames("a") == decoded).all()


def test_clip_in_which_nothing_was_found_stays(tmp_path: Path) -> None:
    video, labels, _ = moving_clip(3, 24, 16, 4)
    none = np.zeros((3, 3), np.float32)
    with writer(tmp_path / "s") as out:
        out.add_clip(
            ROW, video, replace(labels, confidence=none, keypoints=np.full((3, 3, 2), 1.5, np.float32))
        )
    assert (Store.open(tmp_path / "s").labels("a").confidence == 0).all()


def changed(array: np.ndarray, value: float, *at: int) -> np.ndarray:
    copy = array.copy()
    copy[at] = value
    return copy


def test_bad_labels_are_refused_by_clip_and_frame(tmp_path: Path) -> None:
    video, good, truth = moving_clip(3, 24, 16, 4)
    cases = [
        (
            "clip a, frame 1: keypoints is not a finite",
            {"keypoints": changed(good.keypoints, np.nan, 1, 0, 0)},
        ),
        ("clip a, frame 2: joint 1 at .* outside", {"keypoints": changed(good.keypoints, 1.01, 2, 1, 1)}),
        ("clip a, frame 0: joint 2 at .* outside", {"keypoints": changed(good.keypoints, -0.01, 0, 2, 0)}),
        ("clip a, frame 0: confidence is outside", {"confidence": changed(good.confidence, 1.5, 0, 0)}),
        ("clip a, frame 1: expression is outside", {"expression": changed(good.expression, -0.1, 1, 0)}),
        ("clip a, frame 2: time does not grow", {"time": np.array([0, 1, 1.0])}),
        ("clip a, frame 2: layer is negative", {"layer": changed(good.layer, -1, 2, 0)}),
        (
            r"clip a: keypoints has shape \(3, 2, 2\), expected \(3, 3, 2\)",
            {"keypoints": good.keypoints[:, :2]},
        ),
        ("clip a: origin 'guessed'", {"origin": "guessed"}),
    ]
    with writer(tmp_path / "s") as out:
        for message, change in cases:
            with pytest.raises(StoreError, match=message):
                out.add_clip(ROW, video, replace(good, **change))
        beyond = changed(good.keypoints, 1.6, 1, 1, 0)
        with pytest.raises(StoreError, match="frame 1: joint 1"):
            out.add_clip(
                ROW, video, replace(good, keypoints=beyond, confidence=changed(good.confidence, 0, 1, 1))
            )
        out.add_clip(ROW, video, good, truth)
    assert len(validate_store(tmp_path / "s", deep=True).clips) == 1


def test_bad_pictures_rows_and_truth_are_refused(tmp_path: Path) -> None:
    video, labels, truth = moving_clip(3, 24, 16, 4)
    with writer(tmp_path / "s") as out:
        with pytest.raises(StoreError, match=r"clip a: 22x16 pixels, but the store is \(24, 16\)"):
            out.add_clip(ROW, video[:, :, :22], labels)
        with pytest.raises(StoreError, match=r"clip a: frames are float64"):
            out.add_clip(ROW, video.astype(float), labels)
        with pytest.raises(StoreError, match="clip a, frame 1: colour is not premultiplied"):
            out.add_clip(ROW, changed(video, 255, 1, 0, 0, 0), labels)
        with pytest.raises(StoreError, match="3 frames of labels for 2"):
            out.add_clip(ROW, video[:2], labels)
        for bad in ("../a", ".a", "a/b", "", "a" * 129, "é"):
            with pytest.raises(StoreError, match="clip id"):
                out.add_clip(replace(ROW, id=bad), video, labels)
        with pytest.raises(StoreError, match="split 'trian' is not one of"):
            out.add_clip(replace(ROW, split="trian"), video, labels)
        with pytest.raises(StoreError, match=r"truth flow is float32 \(2, 2, 16, 23\)"):
            out.add_clip(ROW, video, labels, truth | {"flow": truth["flow"][..., :23]})
        with pytest.raises(StoreError, match="clip a, frame 1: truth flow is not"):
            out.add_clip(ROW, video, labels, truth | {"flow": changed(truth["flow"], np.inf, 1, 0, 3, 3)})
        out.add_clip(ROW, video, labels)
        with pytest.raises(StoreError, match="clip A: there is a clip of this name"):
            out.add_clip(replace(ROW, id="A"), video, labels)


def test_half_written_store_is_recognised_and_nothing_is_overwritten(tmp_path: Path) -> None:
    video, labels, _ = moving_clip(3, 24, 16, 4)

    def interrupted() -> None:
        with writer(tmp_path / "s") as out:
            out.add_clip(ROW, video, labels)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(StoreError, match=r"half written \(no store\.json\)"):
        Store.open(tmp_path / "s")
    with pytest.raises(StoreError, match="half written by an interrupted run"):
        writer(tmp_path / "s")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").touch()
    with pytest.raises(StoreError, match="full: is not empty"):
        writer(tmp_path / "full")
    with pytest.raises(StoreError, match="full: is no clip store"):
        Store.open(tmp_path / "full")
    with pytest.raises(StoreError, match="no clip was added"), writer(tmp_path / "none"):
        pass


def test_faults_of_a_stored_folder_are_found(tmp_path: Path) -> None:
    whole = make_store(tmp_path / "s").path

    def broken(name: str) -> Path:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        shutil.copytree(whole, tmp_path / "copy")
        return tmp_path / "copy" / name

    file = broken("store.json")
    data = json.loads(file.read_text())
    file.write_text(json.dumps(data | {"schema": SCHEMA_VERSION + 1}))
    with pytest.raises(
        StoreError, match=rf"schema version {SCHEMA_VERSION + 1}, expected {SCHEMA_VERSION}; update"
    ):
        Store.open(file.parent)
    file.write_text(json.dumps(data | {"fps": 30.0}))
    with pytest.raises(StoreError, match="was edited"):
        validate_store(file.parent)
    file.write_text(json.dumps(data | {"extra": 1}))
    with pytest.raises(StoreError, match=r"unknown \['extra'\]"):
        Store.open(file.parent)
    file.write_text(json.dumps(data | {"content_hash": "../../home"}))
    with pytest.raises(StoreError, match="is not a SHA-256"):
        Store.open(file.parent)
    file.write_text("{")
    with pytest.raises(StoreError, match="not readable JSON"):
        Store.open(file.parent)

    file = broken("clips.parquet")
    file.unlink()
    with pytest.raises(StoreError, match=r"clips\.parquet: is missing"):
        Store.open(file.parent)
    file = broken("frames.parquet")
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(StoreError, match=r"frames\.parquet: is truncated"):
        Store.open(file.parent)

    file = broken("video/clip_1.mkv")
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(StoreError, match=r"clip_1\.mkv: \d+ bytes, expected \d+; truncated"):
        validate_store(file.parents[1])
    file.unlink()
    with pytest.raises(StoreError, match=r"clip_1\.mkv: is missing"):
        validate_store(file.parents[1])

    file = broken("video/clip_1.mkv")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    validate_store(file.parents[1])
    with pytest.raises(StoreError, match=r"clip_1\.mkv: checksum"):
        validate_store(file.parents[1], deep=True)

    file = broken("truth/clip_0.npz")
    file.write_bytes(b"PK" + file.read_bytes()[100:])
    with pytest.raises(StoreError, match=r"clip_0\.npz: exact truth is unreadable"):
        Store.open(file.parents[1]).truth("clip_0")


def forge(store: Store, name: str, **columns: list) -> None:
    """Change columns of a parquet file and make every checksum fit again, as a careless tool would."""
    table = pq.read_table(store.path / name)
    for column, values in columns.items():
        index = table.schema.get_field_index(column)
        kind = table.schema.field(column)
        table = table.set_column(index, kind, [pa.array(values, kind.type)])
    pq.write_table(table, store.path / name)
    data = json.loads((store.path / "store.json").read_text())
    data[name.replace(".parquet", "_sha256")] = hashlib.sha256((store.path / name).read_bytes()).hexdigest()
    info = StoreInfo.from_dict(data, "test").with_hash()
    (store.path / "store.json").write_text(json.dumps(info.to_dict()))


def test_labels_are_checked_on_the_way_out_too(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s")
    points = pq.read_table(store.path / "frames.parquet").column("keypoints").to_pylist()
    points[7][2] = float("nan")  # clip_1 begins at row 6
    forge(store, "frames.parquet", keypoints=points)
    with pytest.raises(StoreError, match="clip clip_1, frame 1: keypoints is not a finite number"):
        validate_store(store.path)


def test_manifest_cannot_point_outside_the_folder(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s")
    forge(store, "clips.parquet", id=["clip_0", "../../etc/passwd", "clip_2"])
    with pytest.raises(StoreError, match=r"clip id '\.\./\.\./etc/passwd'"):
        Store.open(store.path).split("train")
    forge(store, "clips.parquet", id=["clip_0", "clip_1", "clip_2"], video=[".mkv", "/../../x", ".mkv"])
    with pytest.raises(StoreError, match="clip_1: video"):
        Store.open(store.path).frames("clip_1")


def test_unknown_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no clip 'clip_9' among 3"):
        make_store(tmp_path / "s").frames("clip_9")
