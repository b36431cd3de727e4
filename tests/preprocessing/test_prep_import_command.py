"""``import``: media and labels become a store, whole or not at all; every mistake is one line."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from labelled_clips import TAILED, pixels, random_track, write_clip
from PIL import Image
from small_runs import call_preprocess

from preprocessing.exporters.label_table import write_label_table
from preprocessing.importers import whole_clip
from temporal_gan.data.store import Store
from temporal_gan.data.validation import validate_store
from temporal_gan.video_io import read_frames, write_frames


@pytest.fixture
def mistake(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., str]:
    """Runs an import that must end with one line and leave no store; returns the line."""

    def run(kind: str, *arguments: object) -> str:
        out = tmp_path / "room" / "store"
        capfd.readouterr()
        assert call_preprocess("import", kind, *arguments, "--out", out, "--quiet") == 2
        said = capfd.readouterr()
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1
        assert "Traceback" not in said.err
        assert not out.parent.exists() or not list(out.parent.iterdir())
        return said.err

    return run


def labels(folder: Path, name: str, frames: int = 3) -> Path:
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    write_label_table(folder / "labels" / f"{name}.csv", random_track(frames))
    return folder / "labels"


def test_several_clips_of_several_kinds(tmp_path: Path) -> None:
    media = tmp_path / "my media"
    write_clip(media / "walk.mkv")
    write_frames(media / "run 猫.gif", pixels(3), 10)
    write_frames(media / "jump", pixels(3, 8, 8), 24)
    write_frames(media / "still.png", pixels(1, channels=4), 24)
    for name, frames in (("walk", 3), ("run 猫", 3), ("jump", 3), ("still", 1)):
        folder = labels(tmp_path, name, frames)
    arguments = ("--hold-out", "jump, run 猫", "--licence", "CC0-1.0", "--character", "hana")
    out = tmp_path / "store"
    assert (
        call_preprocess("import", "csv", folder, "--media", media, "--out", out, *arguments, "--quiet") == 0
    )
    store = validate_store(out, deep=True)
    assert {r.source: r.split for r in store.clips} == {
        "jump": "test", "run 猫": "test", "still": "train", "walk": "train",
    }  # fmt: skip
    assert {(r.character, r.licence) for r in store.clips} == {("hana", "CC0-1.0")}
    assert store.info.channels == 4, "one of them has alpha"
    assert store.info.mixed_sizes
    walk = store.row("walk")
    assert (walk.width, walk.height, walk.fps) == (20, 12, 12.5)
    assert len(walk.sha256) == 64
    np.testing.assert_array_equal(store.frames("walk")[..., :3], pixels(3))


def test_frames_without_labels_have_none(tmp_path: Path) -> None:
    write_clip(tmp_path / "dance.mkv", frames=5)
    track = replace(random_track(2), frame=np.array([1, 4]))
    write_label_table(tmp_path / "dance.csv", track)
    out = tmp_path / "store"
    command = (
        "import",
        "csv",
        tmp_path / "dance.csv",
        "--media",
        tmp_path / "dance.mkv",
        "--out",
        out,
        "--quiet",
    )
    assert call_preprocess(*command) == 0
    store = Store.open(out)
    (row,) = store.clips
    assert (row.id, row.source, row.character, row.split) == ("dance", "dance.mkv", "dance", "train")
    got = store.labels("dance")
    np.testing.assert_array_equal(got.confidence[[1, 4]], track.confidence)
    assert got.confidence[[0, 2, 3]].max() == 0
    assert got.expression_confidence[[0, 2, 3]].max() == 0
    np.testing.assert_allclose(got.time, np.arange(5) / 12.5)
    assert got.hold.tolist() == [0, 1, 2, 3, 4]


def test_an_mp4_is_copied_and_not_encoded_again(tmp_path: Path) -> None:
    write_frames(tmp_path / "media/walk.mp4", pixels(3), 12)
    out = tmp_path / "store"
    command = (
        "import",
        "csv",
        labels(tmp_path, "walk"),
        "--media",
        tmp_path / "media",
        "--out",
        out,
        "--quiet",
    )
    assert call_preprocess(*command) == 0
    assert (out / "video/walk.mp4").read_bytes() == (tmp_path / "media/walk.mp4").read_bytes()
    np.testing.assert_array_equal(
        Store.open(out).frames("walk"), read_frames(tmp_path / "media/walk.mp4").frames_u8
    )


def test_labels_of_other_frames_or_another_shape(tmp_path: Path, mistake: Callable[..., str]) -> None:
    media = write_clip(tmp_path / "walk.mkv", frames=3)
    poses = tmp_path / "poses"
    poses.mkdir()
    (poses / "walk_0002.json").write_text('{"people": []}')
    line = mistake("openpose", poses, "--media", media)
    assert "walk.mkv: has 3 frames, but labels of 1, and their names do not say of which" in line
    (poses / "walk_0002.json").rename(poses / "walk_000000000002_keypoints.json")
    (poses / "walk_000000000002_keypoints.json").write_text(
        '{"people": [], "canvas_width": 512, "canvas_height": 512}'
    )
    line = mistake("openpose", poses, "--media", media)
    assert (
        "walk.mkv: frame 2 was labelled in a picture 1 times as wide as high, but the source has 20x12"
        in line
    )


def test_mistakes(tmp_path: Path, mistake: Callable[..., str]) -> None:
    media = tmp_path / "media"
    write_clip(media / "walk.mkv", frames=3)
    folder = labels(tmp_path, "walk", 4)
    assert "walk.mkv: has labels for frame 3, but the source has 3 frames" in mistake(
        "csv", folder, "--media", media
    )
    labels(tmp_path, "walk", 3)
    held = ("--hold-out", "walk")
    assert "all 1 clips are held out" in mistake("csv", folder, "--media", media, *held)
    assert "no labels for 'wolk'; did you mean 'walk'?" in mistake(
        "csv", folder, "--media", media, "--hold-out", "wolk"
    )
    assert "nowhere: no such file or folder of media" in mistake(
        "csv", folder, "--media", tmp_path / "nowhere"
    )
    labels(tmp_path, "wolk", 3)
    line = mistake("csv", folder, "--media", media)
    assert "wolk: no such picture, video or folder of pictures" in line
    assert "did you mean 'walk'?" in line
    assert "walk.mkv: is one file, but there are labels of 2" in mistake(
        "csv", folder, "--media", media / "walk.mkv"
    )
    write_clip(media / "wolk.mkv")
    write_label_table(folder / "wolk.csv", random_track(3, TAILED))
    assert "import them into two stores" in mistake("csv", folder, "--media", media)
    (folder / "wolk.csv").unlink()
    write_frames(media / "walk.gif", pixels(3), 10)
    assert "may be for it or for walk.gif; remove one" in mistake("csv", folder, "--media", media)
    (media / "walk.gif").unlink()
    (media / "walk.mkv").write_bytes((media / "walk.mkv").read_bytes()[:700])
    assert f"{media / 'walk.mkv'}: " in mistake("csv", folder, "--media", media)
    (media / "walk.mkv").write_text("no video")
    assert f"{media / 'walk.mkv'}: no readable video or picture" in mistake("csv", folder, "--media", media)


def test_media_lead_nowhere_else(tmp_path: Path, mistake: Callable[..., str]) -> None:
    media = tmp_path / "media"
    write_clip(tmp_path / "secret/walk.mkv")
    write_frames(tmp_path / "secret/00000.png", pixels(1), 24)
    media.mkdir()
    folder = labels(tmp_path, "walk")
    (media / "walk.mkv").symlink_to(tmp_path / "secret/walk.mkv")
    line = mistake("csv", folder, "--media", media)
    assert f"{media / 'walk.mkv'}: is a link that leads out of {media}" in line
    (media / "walk.mkv").unlink()
    # A playlist, which FFmpeg would follow through a link to a file anywhere.
    (media / "way").symlink_to(tmp_path / "secret")
    (media / "walk.mp4").write_text("ffconcat version 1.0\nfile way/walk.mkv\n")
    assert "walk.mp4: no readable video" in mistake("csv", folder, "--media", media)
    (media / "walk.mp4").unlink()
    write_frames(media / "walk", pixels(2), 24)
    (media / "walk/00002.png").symlink_to(tmp_path / "secret/00000.png")
    assert "00002.png: is a link that leads out" in mistake("csv", folder, "--media", media)


def test_links_within_the_media_and_to_them_are_followed(tmp_path: Path) -> None:
    write_clip(tmp_path / "real/deep/dance.mkv")
    (tmp_path / "real/walk.mkv").symlink_to("deep/dance.mkv")
    (tmp_path / "media").symlink_to(tmp_path / "real")
    command = ("import", "csv", labels(tmp_path, "walk"), "--media", tmp_path / "media")
    assert call_preprocess(*command, "--out", tmp_path / "store", "--quiet") == 0
    np.testing.assert_array_equal(Store.open(tmp_path / "store").frames("walk"), pixels(3))


def test_what_is_too_large_is_refused_before_it_fills_the_memory(
    tmp_path: Path, mistake: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    screen = b"GIF89a" + (6000).to_bytes(2, "little") * 2 + b"\x80\x00\x00" + bytes(6)
    image = b"\x2c" + bytes(4) + (1).to_bytes(2, "little") * 2 + b"\x00\x02\x02\x44\x01\x00"
    (media / "walk.gif").write_bytes(screen + image * 2500 + b";")
    line = mistake("csv", labels(tmp_path, "walk"), "--media", media)
    assert "walk.gif: 2500 frames of 6000x6000" in line
    assert "ingest" not in line, "an import has no such setting"
    (media / "walk.gif").unlink()
    write_clip(media / "walk.mkv", frames=3)
    monkeypatch.setattr(whole_clip, "MOST_PIXELS", 3 * 20 * 12 - 1)
    line = mistake("csv", labels(tmp_path, "walk"), "--media", media)
    assert (
        "walk.mkv: more than 719 pixels in all; make it smaller or shorter, or use run with --labels" in line
    )
    monkeypatch.setattr(whole_clip, "MOST_PIXELS", 3 * 20 * 12)
    command = ("import", "csv", labels(tmp_path, "walk"), "--media", media, "--out", tmp_path / "store")
    assert call_preprocess(*command, "--quiet") == 0


def test_a_store_is_never_written_over(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_clip(tmp_path / "media/walk.mkv")
    command = (
        "import",
        "csv",
        labels(tmp_path, "walk"),
        "--media",
        tmp_path / "media",
        "--out",
        tmp_path,
        "--quiet",
    )
    before = sorted(tmp_path.rglob("*"))
    assert call_preprocess(*command) == 2
    assert "is not empty; remove it or name another folder" in capfd.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_every_command_has_help_with_an_example(capfd: pytest.CaptureFixture[str]) -> None:
    for kind in ("openpose", "coco", "mediapipe", "csv", "charactergan", "webdataset"):
        assert call_preprocess("import", kind, "--help") == 0
        assert f"temporal-gan-preprocess import {kind}" in capfd.readouterr().out.replace("\n", " ").replace(
            "│", ""
        )
    assert call_preprocess("export", "--help") == 0
    assert "Example: temporal-gan-preprocess export" in capfd.readouterr().out


def test_uneven_times_of_the_media_stay(tmp_path: Path) -> None:
    first, *others = [Image.fromarray(frame) for frame in pixels(3)]
    (tmp_path / "media").mkdir()
    first.save(tmp_path / "media/walk.gif", save_all=True, append_images=others, duration=[100, 300, 50])
    out = tmp_path / "store"
    folder = tmp_path / "labels"
    folder.mkdir()
    write_label_table(folder / "walk.csv", replace(random_track(3), time=None))
    command = ("import", "csv", folder, "--media", tmp_path / "media", "--out", out, "--quiet")
    assert call_preprocess(*command) == 0
    np.testing.assert_allclose(Store.open(out).labels("walk").time, [0, 0.1, 0.4])
