"""The reader gives the right frames, the same ones in any order of reading, at an even rate."""

import json
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from strange_media import encode, number_of, numbered, source

import preprocessing.ingest
from preprocessing.clip import Clip, Source
from preprocessing.dedupe import DedupeConfig
from preprocessing.ingest import IngestConfig, ShotReader
from preprocessing.media_limits import MediaLimits
from preprocessing.shot import Shot, clip_id
from preprocessing.shots import ShotsConfig, scan
from temporal_gan.errors import StoreError
from temporal_gan.video_io import write_frames

IN_PARTS = ShotsConfig(max_seconds=1, min_seconds=0, threshold=100)


def shots_of(file: Path, shots: ShotsConfig = IN_PARTS, **ingest: object) -> list[Shot]:
    return scan(source(file), IngestConfig.model_validate(ingest), shots, DedupeConfig(), None)


def read(file: Path, shots: list[Shot], **ingest: object) -> list[Clip]:
    """With a reader that keeps its place."""
    reader = ShotReader(IngestConfig.model_validate(ingest))
    clips = [reader.read(source(file), shot) for shot in shots]
    reader.close()
    return clips


def moving(count: int = 120) -> np.ndarray:
    """Numbered frames over a texture that scrolls: every frame needs its neighbours to be decoded right."""
    video = numbered(count, 3)
    noise = np.random.default_rng(1).integers(0, 255, (48, 96 + count, 3), np.uint8)
    for frame in range(count):
        video[frame, 16:] = noise[:, frame : frame + 96]
    return video


STREAMS = {
    "b_frames.mp4": ("libx264", {"x264-params": "keyint=40:bframes=4:scenecut=0"}),
    "open_gop.mp4": ("libx264", {"x264-params": "open-gop=1:keyint=20:min-keyint=20:bframes=3:scenecut=0"}),
    "open_gop.mkv": ("libx264", {"x264-params": "open-gop=1:keyint=20:min-keyint=20:bframes=3:scenecut=0"}),
    "refresh.mp4": ("libx264", {"x264-params": "intra-refresh=1:keyint=20:bframes=2"}),
    "xvid.avi": ("mpeg4", {"bf": "2", "g": "15"}),
    "mpeg2.mpg": ("mpeg2video", {"bf": "2", "g": "12"}),
    "vp9.webm": ("libvpx-vp9", {"g": "30", "cpu-used": "8", "deadline": "realtime"}),
}


@pytest.mark.parametrize("name", STREAMS)
def test_any_order_of_reading_gives_the_same_pixels(tmp_path: Path, name: str) -> None:
    codec, options = STREAMS[name]
    file = encode(tmp_path / name, moving(), codec, **options)
    shots = shots_of(file)
    assert len(shots) == 5
    in_order = read(file, shots)
    seen = [number_of(picture) for clip in in_order for picture in clip.frames_u8]
    assert seen == list(range(120))
    assert np.concatenate([clip.source_frame for clip in in_order]).tolist() == seen
    order = [3, 1, 4, 0, 2, 2]
    for index, clip in zip(order, read(file, [shots[i] for i in order]), strict=True):
        assert clip.source_frame.tolist() == in_order[index].source_frame.tolist()
        assert (clip.frames_u8 == in_order[index].frames_u8).all()


def test_reading_on_neither_seeks_nor_opens_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = encode(tmp_path / "a.mp4", moving())
    shots = shots_of(file)
    asked: list[int] = []
    genuine = preprocessing.ingest.open_media

    def watched(path: Path, limits: MediaLimits) -> object:
        media = genuine(path, limits)
        frames = media.frames

        def told(first: int = 0, pts: int | None = None) -> object:
            asked.append(first)
            return frames(first, pts)

        media.frames = told  # type: ignore[method-assign,assignment]
        return media

    monkeypatch.setattr(preprocessing.ingest, "open_media", watched)
    read(file, [*shots[:2], *shots[3:]])
    assert asked == [0]
    read(file, [shots[4], shots[1]])
    assert asked == [0, 0, shots[4].first_frame, shots[1].first_frame]


def test_alpha_of_webm_in_any_order(tmp_path: Path) -> None:
    video = np.concatenate([moving(60), np.full((60, 64, 96, 1), 255, np.uint8)], axis=-1)
    video[:, :, 90:] = 0
    write_frames(tmp_path / "a.webm", video, 24)
    shots = shots_of(tmp_path / "a.webm")
    straight = read(tmp_path / "a.webm", shots)
    assert all(clip.frames_u8.shape[-1] == 4 and clip.frames_u8[..., 93, 3].max() == 0 for clip in straight)
    last = read(tmp_path / "a.webm", [shots[2], shots[0]])
    assert (last[0].frames_u8 == straight[2].frames_u8).all()
    assert (last[1].frames_u8 == straight[0].frames_u8).all()


def test_opaque_alpha_is_dropped_once_for_the_whole_source(tmp_path: Path) -> None:
    opaque = np.concatenate([numbered(30), np.full((30, 64, 96, 1), 255, np.uint8)], axis=-1)
    write_frames(tmp_path / "a.webm", opaque, 24)
    assert {
        clip.frames_u8.shape[-1] for clip in read(tmp_path / "a.webm", shots_of(tmp_path / "a.webm"))
    } == {3}
    opaque[29, 40:50, 40:50] = 0
    write_frames(tmp_path / "b.apng", opaque, 24)
    clips = read(tmp_path / "b.apng", shots_of(tmp_path / "b.apng"))
    assert [clip.frames_u8.shape[-1] for clip in clips] == [4, 4]
    assert clips[0].frames_u8[..., 3].min() == 255


def test_uneven_video_is_resampled_by_time(tmp_path: Path) -> None:
    ticks = np.cumsum([0, *np.random.default_rng(5).choice([20, 40, 40, 40, 120], 79)])
    file = encode(tmp_path / "vfr.mkv", moving(80), pts=ticks.tolist(), rate=Fraction(1000))
    shots = shots_of(file)
    assert len(shots) > 3
    assert [shot.fps for shot in shots] == pytest.approx([25] * len(shots))
    assert [a.end for a in shots[:-1]] == [b.start for b in shots[1:]]
    for shot, clip in zip(shots, read(file, shots), strict=True):
        moments = 1000 * (shot.start + np.arange(len(clip.frames_u8)) / 25)
        expected = np.searchsorted(ticks, moments + 10, side="right") - 1  # a quarter of 40 ms is forgiven
        assert clip.source_frame.tolist() == expected.tolist()
        assert [number_of(picture) for picture in clip.frames_u8] == expected.tolist()
        assert ((np.diff(clip.hold) == 0) == (np.diff(clip.source_frame) == 0)).all()


def test_gif_delays_are_kept_at_an_even_rate(tmp_path: Path) -> None:
    pictures = [Image.fromarray(picture) for picture in numbered(8)]
    delays = [40, 50, 40, 50, 40, 50, 40, 400]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=delays)
    (shot,) = shots_of(tmp_path / "a.gif")
    (clip,) = read(tmp_path / "a.gif", [shot])
    # A pause at the end must not slow the rest: the usual frame gives the rate, not the mean of 11.
    assert 20 <= clip.fps <= 25
    assert clip.end - clip.start == pytest.approx(0.71)
    assert set(clip.source_frame.tolist()) == set(range(8))
    assert (clip.source_frame == 7).sum() == pytest.approx(0.4 * clip.fps, abs=1)


@pytest.mark.parametrize(
    ("rate", "fps", "expected", "step"),
    [
        (24, 0, 24, 1),
        (60, 0, 30, 2),
        (50, 0, 25, 2),
        (24, 12, 12, 2),
        (12, 24, 24, 0.5),
        (25, 24, 24, 25 / 24),
    ],
)
def test_rates(tmp_path: Path, rate: int, fps: float, expected: float, step: float) -> None:
    file = encode(tmp_path / "a.mp4", numbered(48), rate=Fraction(rate))
    (shot,) = shots_of(file, ShotsConfig(threshold=100), fps=fps)
    (clip,) = read(file, [shot], fps=fps)
    assert clip.fps == pytest.approx(expected)
    assert len(clip.frames_u8) == round(48 / rate * expected)
    assert clip.source_frame == pytest.approx(np.arange(len(clip.frames_u8)) * step, abs=1)


def test_ntsc_rate_in_matroska_is_exact_for_an_hour(tmp_path: Path) -> None:
    # Matroska rounds to milliseconds; an error of 0.1 % in the rate would skip a frame every 40 s.
    file = encode(tmp_path / "a.mkv", numbered(200), rate=Fraction(24000, 1001))
    shots = shots_of(file)
    assert shots[0].fps == pytest.approx(24000 / 1001, rel=1e-5)
    assert np.concatenate([c.source_frame for c in read(file, shots)]).tolist() == list(range(200))


def test_large_pictures_are_scaled_down_and_small_ones_left(tmp_path: Path) -> None:
    file = encode(tmp_path / "a.mp4", numbered(3))
    (clip,) = read(file, shots_of(file, longest_side=48), longest_side=48)
    assert clip.frames_u8.shape == (3, 32, 48, 3)
    assert [number_of(picture) for picture in clip.frames_u8] == [0, 1, 2]
    (clip,) = read(file, shots_of(file))
    assert clip.frames_u8.shape == (3, 64, 96, 3)


def test_a_file_that_changed_is_noticed(tmp_path: Path) -> None:
    file = encode(tmp_path / "a.mp4", numbered(60))
    shots = shots_of(file)
    encode(file, numbered(30))
    reader = ShotReader(IngestConfig())
    reader.read(source(file), shots[0])
    with pytest.raises(StoreError, match=r"a\.mp4: ends before frame 30, but had 40"):
        reader.read(source(file), shots[1])
    # The reader is as good as new.
    assert len(reader.read(source(file), shots[0]).frames_u8) == 20


def test_ids_are_safe_and_differ(tmp_path: Path) -> None:
    names = ["a.mp4", "A.mp4", "á.mp4", "á.mp4", "../x/a.mp4", "ミク.mp4", "-", "x" * 300]
    ids = {clip_id(Source(tmp_path, n, f"{i:08x}" * 8, "x"), 7) for i, n in enumerate(names)}
    assert len({name.lower() for name in ids}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", name) for name in ids)
    assert clip_id(Source(tmp_path, "mei/a b.mp4", "0123456789", "x"), 30) == "mei_a_b_01234567_f000030"


def test_shots_survive_json(tmp_path: Path) -> None:
    for shot in shots_of(encode(tmp_path / "a.mp4", numbered(60))):
        assert Shot.from_dict(json.loads(json.dumps(shot.to_dict()))) == shot
    with pytest.raises(StoreError, match="missing"):
        Shot.from_dict({"first_frame": 1})


def test_parts_meet(tmp_path: Path) -> None:
    shots = shots_of(encode(tmp_path / "a.mp4", numbered(100)))
    assert [shot.first_frame for shot in shots] == [0, 20, 40, 60, 80]
    assert all(a.end_frame == b.first_frame and a.end == b.start for a, b in pairwise(shots))
