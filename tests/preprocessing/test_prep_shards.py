"""WebDataset shards: readable by others, the same store again, and every way to be broken."""

import gc
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_clips import labelled_store, pixels, random_track
from small_runs import puppet_store

from preprocessing.exporters.label_table import write_label_table
from preprocessing.exporters.shards import write_shards
from preprocessing.importers import shards
from preprocessing.importers.label_table import read_label_table
from preprocessing.importers.labelled_media import About, write_labelled_media
from preprocessing.importers.shards import import_shards
from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.puppet import random_specs
from temporal_gan.puppet.dataset import write_puppet_store
from temporal_gan.video_io import read_frames, write_frames

Members = dict[str, bytes]


def exported(tmp_path: Path, store: Store, clips_per_shard: int = 2) -> Path:
    (tmp_path / "shards").mkdir()
    write_shards(store, tmp_path / "shards", clips_per_shard)
    return tmp_path / "shards"


def test_any_tar_program_reads_them(tmp_path: Path) -> None:
    store = labelled_store(tmp_path / "store")
    folder = exported(tmp_path, store)
    assert sorted(f.name for f in folder.iterdir()) == ["clips-000000.tar", "clips-000001.tar"]
    with tarfile.open(folder / "clips-000001.tar") as shard:
        assert shard.getnames() == ["00000002.mkv", "00000002.json", "00000002.npz"]
        assert {(m.mtime, m.uid, m.uname) for m in shard.getmembers()} == {(0, 0, "")}
        shard.extractall(tmp_path / "unpacked", filter="data")
    about = json.loads((tmp_path / "unpacked/00000002.json").read_text())
    assert about["clip"]["id"] == "walk_2"
    assert about["store"]["skeleton"]["name"] == "canonical25"
    labels = store.labels("walk_2")
    with np.load(tmp_path / "unpacked/00000002.npz") as arrays:
        np.testing.assert_array_equal(arrays["keypoints"], labels.keypoints)
        assert tuple(arrays["origin"]) == labels.origins()
    np.testing.assert_array_equal(
        read_frames(tmp_path / "unpacked/00000002.mkv").frames_u8, store.frames("walk_2")
    )


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_webdataset_reads_them(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    store = labelled_store(tmp_path / "store")
    shards = sorted(str(f) for f in exported(tmp_path, store).iterdir())
    samples = list(webdataset.WebDataset(shards, shardshuffle=False, empty_check=False).decode())
    assert [s["__key__"] for s in samples] == ["00000000", "00000001", "00000002"]
    for sample, row in zip(samples, store.clips, strict=True):
        assert sample["json"]["clip"] == row.to_dict()
        np.testing.assert_array_equal(sample["npz"]["confidence"], store.labels(row.id).confidence)
        assert sample["mkv"] == store.video_file(row).read_bytes()
    # It leaves shards open, which is its own affair; the warning must come before the test ends.
    gc.collect()


def test_exact_flow_travels_along(tmp_path: Path) -> None:
    specs = random_specs(2, 0, ["hana"], ["idle"], frames=3, size=32)
    store = write_puppet_store(tmp_path / "store", specs, 0, truth="flow", quiet=True)
    info = import_shards(exported(tmp_path, store), tmp_path / "back")
    assert info == store.info
    truth, back = store.truth("puppet_000001"), Store.open(tmp_path / "back").truth("puppet_000001")
    assert truth is not None
    assert back is not None
    np.testing.assert_array_equal(back["flow"], truth["flow"])


def members(shard: Path) -> Members:
    with tarfile.open(shard) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]


def tar(shard: Path, parts: Members) -> None:
    with tarfile.open(shard, "w") as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def edited(name: str, change: Callable[[Any], Any]) -> Callable[[Members], None]:
    def apply(parts: Members) -> None:
        data = json.loads(parts[name])
        change(data)
        parts[name] = json.dumps(data).encode()

    return apply


def arrays(**changes: Any) -> Callable[[Members], None]:
    def apply(parts: Members) -> None:
        with np.load(io.BytesIO(parts["00000000.npz"])) as data:
            kept = dict(data) | changes
        buffer = io.BytesIO()
        np.savez(buffer, **{name: value for name, value in kept.items() if value is not None})
        parts["00000000.npz"] = buffer.getvalue()

    return apply


JSON = "00000000.json"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda parts: parts.pop(JSON), r"clip 00000000: its \.json is not as our export writes it"),
        (lambda parts: parts.pop("00000000.npz"), r"clip 00000000: has no '\.npz'"),
        (lambda parts: parts.pop("00000000.mkv"), r"clip 00000000: has no '\.mkv'"),
        (lambda parts: parts.update({JSON: b"{"}), r"clip 00000000: its \.json is not"),
        (lambda parts: parts.update({JSON: b"[" * 100_000}), r"clip 00000000: its \.json is not"),
        (lambda parts: parts.update({"00000000.npz": b"PK"}), r"clip 00000000: its \.npz is not"),
        (lambda parts: parts.update({"00000000.mkv": b"no"}), r"clip 00000000: .*clip\.mkv: no readable video"),
        (lambda parts: parts.update({"../../evil": b"no"}), r"member '\.\./\.\./evil' is|clip .*: its"),
        (edited(JSON, lambda d: d["clip"].update(id="../evil")), r"clip id '\.\./evil': use 1 to 128"),
        (edited(JSON, lambda d: d["clip"].update(id=7)), r"id is 7"),
        (edited(JSON, lambda d: d["clip"].update(fps=float("inf"))), r"clip 00000000: "),
        (edited(JSON, lambda d: d["clip"].update(start=10**400)), r"clip 00000000: "),
        (edited(JSON, lambda d: d["clip"].update(video=".exe")), r"video '\.exe' is not \.mkv or \.mp4"),
        (edited(JSON, lambda d: d["clip"].update(surprise=1)), r"clip 00000000: its \.json is not"),
        (edited(JSON, lambda d: d["store"].update(schema=9)), r"schema version 9"),
        (edited(JSON, lambda d: d["store"].update(channels=3)), r"clip 00000000: .*frames are uint8"),
        (edited("00000001.json", lambda d: d["store"].update(fps=3)), r"clip 00000001: is of another store"),
        (arrays(confidence=None), r"clip 00000000: has no 'confidence"),
        (arrays(confidence=np.full((4, 25), np.nan)), r"frame 0: confidence is not a finite number"),
        (arrays(confidence=np.zeros((4, 24))), r"confidence has shape \(4, 24\), expected \(4, 25\)"),
        (arrays(confidence=np.full((4, 25), "a")), r"arrays of other types than numbers"),
        (arrays(time=np.zeros((4, 1))), r"clip 00000000: "),
        (arrays(origin=np.array(["magic"] * 4)), r"origin \('magic', "),
    ],
)  # fmt: skip
def test_a_broken_shard_is_named(tmp_path: Path, change: Callable[[Members], Any], words: str) -> None:
    folder = exported(tmp_path, labelled_store(tmp_path / "store", lengths=(4, 1)))
    shard = folder / "clips-000000.tar"
    parts = members(shard)
    change(parts)
    tar(shard, parts)
    with pytest.raises(UserError, match=words) as caught:
        import_shards(folder, tmp_path / "out" / "back")
    assert "\n" not in str(caught.value)
    assert str(shard) in str(caught.value)
    assert not list((tmp_path / "out").iterdir())
    assert not (tmp_path.parent / "evil").exists()


def test_large_members_never_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "clips.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("00000000.npz")
        member.pax_headers = {"GNU.sparse.size": str(2**20), "GNU.sparse.map": "0,0"}
        archive.addfile(member)
    with pytest.raises(UserError, match=r"clips\.tar: member '00000000\.npz' is sparse"):
        import_shards(tmp_path / "clips.tar", tmp_path / "back")
    tar(tmp_path / "clips.tar", {"00000000.json": bytes(600), "00000000.npz": bytes(600)})
    monkeypatch.setattr(shards, "_MOST_BYTES", 1000)
    with pytest.raises(UserError, match=r"'00000000\.npz' is sparse, or its clip larger than 1000 bytes"):
        import_shards(tmp_path / "clips.tar", tmp_path / "back")


def test_arrays_that_unpack_to_gigabytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = exported(tmp_path, labelled_store(tmp_path / "store", lengths=(4, 1)))
    shard = folder / "clips-000000.tar"
    parts = members(shard)
    with np.load(io.BytesIO(parts["00000000.npz"])) as data:
        kept = dict(data) | {"more": np.zeros(10**6)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **kept)
    parts["00000000.npz"] = buffer.getvalue()
    tar(shard, parts)
    monkeypatch.setattr(shards, "_MOST_BYTES", 10**6)
    with pytest.raises(UserError, match=r"clip 00000000: .*bytes of arrays, at most 1000000"):
        import_shards(folder, tmp_path / "back")


def test_shards_that_are_missing_or_cut_off(tmp_path: Path) -> None:
    folder = exported(tmp_path, puppet_store(tmp_path / "store", clips=3, frames=2))
    with pytest.raises(UserError, match="1 of 3 clips are missing; are all shards there"):
        import_shards(folder / "clips-000000.tar", tmp_path / "back")
    content = (folder / "clips-000001.tar").read_bytes()
    (folder / "clips-000001.tar").write_bytes(content[:900])
    with pytest.raises(UserError, match=r"clips-000001\.tar: is truncated or no tar file"):
        import_shards(folder, tmp_path / "back")
    (folder / "clips-000001.tar").write_text("no tar")
    with pytest.raises(UserError, match=r"clips-000001\.tar: is truncated or no tar file"):
        import_shards(folder, tmp_path / "back")
    with pytest.raises(UserError, match="nowhere: no such file or folder of shards"):
        import_shards(tmp_path / "nowhere", tmp_path / "back")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no \.tar files in this folder"):
        import_shards(tmp_path / "empty", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_store_of_mp4_comes_back_without_being_encoded_again(tmp_path: Path) -> None:
    write_frames(tmp_path / "walk.mp4", pixels(3), 12)
    write_label_table(tmp_path / "walk.csv", random_track(3))
    tracks = read_label_table(tmp_path / "walk.csv")
    info = write_labelled_media(tracks, tmp_path / "walk.mp4", tmp_path / "store", About(), quiet=True)
    assert Store.open(tmp_path / "store").clips[0].video == ".mp4"
    assert import_shards(exported(tmp_path, Store.open(tmp_path / "store")), tmp_path / "back") == info
