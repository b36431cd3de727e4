"""Drawings are counted exactly through codecs, and never across what is not held."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from strange_media import encode, source

from preprocessing.clip import Clip
from preprocessing.dedupe import DedupeConfig
from preprocessing.holds import HoldsConfig, mark_holds
from preprocessing.ingest import IngestConfig, ShotReader
from preprocessing.shots import ShotsConfig, scan
from temporal_gan.alpha import over_white
from temporal_gan.puppet.clip import render_clip
from temporal_gan.puppet.spec import PuppetSpec

MEDIA = Path(__file__).parents[2] / "../shared/media/clips"


def first_clip(file: Path) -> Clip:
    config = IngestConfig()
    shot = scan(source(file), config, ShotsConfig(threshold=100), DedupeConfig(), None)[0]
    reader = ShotReader(config)
    clip = reader.read(source(file), shot)
    reader.close()
    return clip


def plain_clip(frames_u8: np.ndarray) -> Clip:
    count = len(frames_u8)
    return Clip(
        "a_0",
        source(Path("a")),
        0.0,
        count / 24,
        24.0,
        frames_u8,
        np.arange(count),
        np.zeros(count, np.int64),
    )


@pytest.mark.parametrize("hold", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "codec", "crf"),
    [("a.mp4", "libx264", "18"), ("b.mp4", "libx264", "28"), ("c.webm", "libvpx-vp9", "31")],
)
def test_holds_of_puppets_are_exact(tmp_path: Path, hold: int, name: str, codec: str, crf: str) -> None:
    spec = PuppetSpec("mei", "walk", "auto:happy", 2, 18, 160, background="park", hold=hold)
    puppet = render_clip(spec)
    options = {"crf": crf} | ({"b": "0", "cpu-used": "8"} if codec == "libvpx-vp9" else {})
    file = encode(tmp_path / name, over_white(puppet.video), codec, **options)
    marked = mark_holds(first_clip(file), HoldsConfig())
    assert marked.hold.tolist() == puppet.hold.tolist()
    facts = dict(marked.facts)
    assert facts["drawings"] == 18 // hold
    assert facts["hold_margin"] > 1.5
    assert 0.25 < facts["hold_threshold"] <= 4


def test_only_a_mouth_that_moves_is_a_new_drawing() -> None:
    frames = np.full((12, 320, 320, 3), 180, np.uint8)
    noise = np.random.default_rng(0).normal(0, 2, frames.shape)
    for frame in range(12):
        frames[frame, 150 : 154 + 6 * (frame // 3 % 2), 150:170] = 60  # 20 pixels wide, open or shut
    frames = (frames + noise).clip(0, 255).astype(np.uint8)
    marked = mark_holds(plain_clip(frames), HoldsConfig())
    assert marked.hold.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_slow_motion_adds_up() -> None:
    frames = np.zeros((60, 64, 64, 3), np.uint8)
    for frame in range(60):
        frames[frame, :16, :16] = 60 + frame // 3  # one level every third frame: below ``least``
    marked = mark_holds(plain_clip(frames), HoldsConfig(least=1.5, most=3))
    # With nothing between 1.5 and 6 the threshold is 3: a new drawing with every fourth level.
    assert dict(marked.facts)["hold_threshold"] == pytest.approx(3)
    assert marked.hold[-1] + 1 == 5


def test_frames_of_one_source_frame_are_one_drawing_and_equal_ones_too() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (4, 64, 64, 3), np.uint8)
    shown = replace(plain_clip(frames[[0, 0, 1, 1, 1, 2]]), source_frame=np.array([0, 0, 1, 1, 1, 2]))
    assert mark_holds(shown, HoldsConfig()).hold.tolist() == [0, 0, 1, 1, 1, 2]
    assert mark_holds(plain_clip(frames[[0, 0, 1]]), HoldsConfig()).hold.tolist() == [0, 0, 1]
    assert mark_holds(plain_clip(frames[:1]), HoldsConfig()).hold.tolist() == [0]


def test_a_figure_that_fades_by_alpha_alone_changes() -> None:
    frames = np.zeros((2, 64, 64, 4), np.uint8)
    frames[0, ..., 3] = 255
    assert mark_holds(plain_clip(frames), HoldsConfig()).hold.tolist() == [0, 1]


def test_limits_out_of_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="least 5 must be below most 4"):
        HoldsConfig(least=5)


@pytest.mark.skipif(not MEDIA.is_dir(), reason="needs ../shared/media")
@pytest.mark.parametrize("name", ["anime_girl_orange", "anime_man_white_hair", "cartoon_raccoon_guitar"])
def test_generated_gifs_have_sixteen_drawings(name: str) -> None:
    marked = mark_holds(first_clip(MEDIA / f"{name}.gif"), HoldsConfig())
    assert marked.hold[-1] + 1 == 16
    assert dict(marked.facts)["hold_margin"] > 4
