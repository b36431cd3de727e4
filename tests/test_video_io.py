"""Round trips through every format, and every way a file can be bad."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from temporal_gan.alpha import premultiply, straighten
from temporal_gan.errors import StoreError
from temporal_gan.video_io import natural_key, read_frames, read_picture, write_frames

MEDIA = Path(__file__).parents[1] / "../shared/media"


def moving_square(frames: int = 6, height: int = 40, width: int = 48, channels: int = 4) -> np.ndarray:
    """A square over a gradient; RGBA has a transparent margin and a half transparent row, premultiplied."""
    clip = np.zeros((frames, height, width, 4), np.uint8)
    clip[..., 0] = (np.indices((height, width)).sum(0) * 2 % 256).astype(np.uint8)
    clip[..., 2] = 60
    for t in range(frames):
        clip[t, 8:24, 4 + 2 * t : 20 + 2 * t, 1] = 220
    clip[:, 4:-4, 6:-6, 3] = 255
    clip[:, 10, 6:-6, 3] = 128
    return premultiply(clip) if channels == 4 else np.ascontiguousarray(clip[..., :3])


def test_alpha_round_trip_loses_nothing() -> None:
    alpha, colour = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    straight = np.stack([colour, 255 - colour, colour // 2, alpha], axis=-1)
    once = premultiply(straight)
    exact = np.rint(straight[..., :3].astype(np.float64) * straight[..., 3:] / 255)
    assert (once[..., :3] == exact).all()
    assert (premultiply(straighten(once)) == once).all()


@pytest.mark.parametrize("suffix", [".mkv", "", ".apng"])
@pytest.mark.parametrize("channels", [3, 4])
def test_lossless_formats_return_the_same_bytes(tmp_path: Path, suffix: str, channels: int) -> None:
    clip = moving_square(height=41, width=47, channels=channels)
    write_frames(tmp_path / f"clip{suffix}", clip, 12)
    back = read_frames(tmp_path / f"clip{suffix}")
    assert (back.frames_u8 == clip).all()
    if suffix:
        assert back.fps == pytest.approx(12, abs=0.1)  # APNG and Matroska round times to 1 ms
        assert back.times == pytest.approx(np.arange(6) / 12, abs=0.002)


def test_mp4_is_close_and_even_sized_and_on_white(tmp_path: Path) -> None:
    clip = moving_square(height=41, width=47)
    write_frames(tmp_path / "clip.mp4", clip, 24000 / 1001)
    back = read_frames(tmp_path / "clip.mp4")
    assert back.frames_u8.shape == (6, 42, 48, 3)
    assert back.fps == pytest.approx(24000 / 1001, abs=1e-3)
    assert (back.frames_u8[:, 0, 0] >= 240).all()  # transparent corner; chroma bleeds a few levels
    # 4:2:0 chroma blurs colour edges, so only the mean is small; 0 would mean that nothing was encoded.
    expected = clip[..., :3].astype(int) + 255 - clip[..., 3:]
    assert 0.1 < np.abs(back.frames_u8[:, :41, :47] - expected).mean() < 5


@pytest.mark.parametrize("channels", [3, 4])
def test_webm_keeps_alpha(tmp_path: Path, channels: int) -> None:
    clip = moving_square(height=41, width=47, channels=channels)
    write_frames(tmp_path / "clip.webm", clip, 24)
    back = read_frames(tmp_path / "clip.webm").frames_u8
    assert back.shape == clip.shape
    assert 0 < np.abs(back.astype(int) - clip).mean() < 6  # lossy at this tiny size
    if channels == 4:
        assert ((back[..., 3] > 64) == (clip[..., 3] > 64)).mean() > 0.97


@pytest.mark.parametrize("channels", [3, 4])
def test_gif_keeps_timing_frames_and_one_bit_alpha(tmp_path: Path, channels: int) -> None:
    clip = moving_square(frames=8, channels=channels)
    clip[3] = clip[2]  # a held drawing must stay a frame of its own
    write_frames(tmp_path / "clip.gif", clip, 24)
    back = read_frames(tmp_path / "clip.gif")
    assert back.frames_u8.shape == clip.shape
    assert back.times == pytest.approx(np.arange(8) / 24, abs=0.0051)  # GIF counts in 1/100 s
    if channels == 4:
        assert ((back.frames_u8[..., 3] == 255) == (clip[..., 3] >= 128)).all()
    opaque = clip[..., -1] == 255 if channels == 4 else np.ones(clip.shape[:3], bool)
    assert 0 < np.abs(back.frames_u8[..., :3].astype(int) - clip[..., :3])[opaque].mean() < 8


def test_animated_webp_is_read(tmp_path: Path) -> None:
    clip = moving_square()
    write_frames(tmp_path / "clip.webp", clip, 10)
    back = read_frames(tmp_path / "clip.webp")
    assert back.frames_u8.shape == clip.shape
    assert back.fps == pytest.approx(10, abs=0.01)
    assert (back.frames_u8[:, 0, 0] == 0).all()


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".mkv", ".apng", ".webp"])
def test_written_bytes_are_the_same_every_time(tmp_path: Path, suffix: str) -> None:
    hashes = set()
    for name in ("a", "b"):
        path = tmp_path / name / f"{name}{suffix}"
        write_frames(path, moving_square(), 24)
        hashes.add(hashlib.sha256(path.read_bytes()).hexdigest())
        assert [f.name for f in path.parent.iterdir()] == [path.name]  # nothing temporary stays
    assert len(hashes) == 1


def test_folder_is_read_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        Image.new("RGB", (5, 4), (number, 0, 0)).save(tmp_path / f"Walk ({number}).png")
    assert read_frames(tmp_path).frames_u8[:, 0, 0, 0].tolist() == [1, 9, 10]
    assert sorted(["b2", "B10", "b1"], key=natural_key) == ["b1", "b2", "B10"]


def test_folder_with_two_sizes_names_the_odd_one(tmp_path: Path) -> None:
    Image.new("RGB", (5, 4)).save(tmp_path / "1.png")
    Image.new("RGB", (6, 4)).save(tmp_path / "2.png")
    with pytest.raises(StoreError, match=r"2\.png: 6x4 pixels, but 1\.png is 5x4"):
        read_frames(tmp_path)


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 2))
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    image.save(tmp_path / "turned.png", exif=exif)
    picture = read_picture(tmp_path / "turned.png")
    assert picture.shape == (4, 2, 3)
    assert picture[0, 1].tolist() == [255, 255, 255]


def test_display_matrix_is_applied(tmp_path: Path) -> None:
    clip = np.zeros((3, 32, 64, 3), np.uint8)
    clip[:, :16, :32] = 255  # top left, which a quarter turn clockwise brings to the top right
    path = tmp_path / "phone.mp4"
    write_frames(path, clip, 24)
    data = bytearray(path.read_bytes())
    unit, minus, zero = (65536).to_bytes(4, "big"), (-65536 & 0xFFFFFFFF).to_bytes(4, "big"), bytes(4)
    at = data.index(b"tkhd") + 4 + 40  # the matrix of a version 0 track header
    data[at : at + 20] = zero + unit + zero + minus + zero
    path.write_bytes(data)
    back = read_frames(path).frames_u8
    assert back.shape == (3, 64, 32, 3)
    bright = back[0, ..., 0] > 128
    assert bright[:28, 20:].all()
    assert not bright[36:].any()
    assert not bright[:, :12].any()


def test_palette_and_sixteen_bit_pictures(tmp_path: Path) -> None:
    Image.fromarray(np.full((3, 3), 0x8000, np.uint16)).save(tmp_path / "deep.png")
    assert (read_picture(tmp_path / "deep.png") == 128).all()
    palette = Image.new("P", (2, 2), 0)
    palette.putpalette([9, 8, 7])
    palette.save(tmp_path / "palette.png", transparency=0)
    assert (read_picture(tmp_path / "palette.png") == 0).all()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif", ".apng", ".webm", ".webp"])
def test_truncated_file_is_an_error_that_names_it(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (48, 32, 32, 3), dtype=np.uint8)
    path = tmp_path / f"cut{suffix}"
    write_frames(path, noise, 24)
    data = path.read_bytes()
    for part in (0.3, 0.9):
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(StoreError, match=rf"cut\{suffix}: "):
            read_frames(path)
    if suffix == ".gif":  # cut between two frames
        path.write_bytes(data[:-1])
        with pytest.raises(StoreError, match=r"cut\.gif: truncated, ends after 48 frames"):
            read_frames(path)
    if suffix == ".mp4":
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(StoreError, match=r"decoded \d+ of 48 frames"):
            read_frames(path)


def test_bad_paths_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "folder").mkdir()
    for name, reason in [
        ("none.mp4", "no such file"),
        ("empty.mp4", "empty"),
        ("text.mp4", "cannot be decoded"),
        ("text.png", "not a readable picture"),
        ("folder", "no pictures"),
    ]:
        with pytest.raises(StoreError, match=f"{name}.*{reason}"):
            read_frames(tmp_path / name)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    write_frames(tmp_path / "a.mkv", moving_square(), 24)
    before = (tmp_path / "a.mkv").read_bytes()
    with pytest.raises(StoreError, match="expected uint8"):
        write_frames(tmp_path / "a.mkv", np.zeros((0, 4, 4, 3), np.uint8), 24)
    with pytest.raises(StoreError, match=r"cannot write '\.doc'"):
        write_frames(tmp_path / "a.doc", moving_square(), 24)
    with pytest.raises(StoreError, match="one frame, not 6"):
        write_frames(tmp_path / "a.png", moving_square(), 24)
    assert (tmp_path / "a.mkv").read_bytes() == before
    assert os.listdir(tmp_path) == ["a.mkv"]


def test_folder_is_replaced_only_if_it_holds_frames(tmp_path: Path) -> None:
    write_frames(tmp_path / "out", moving_square(frames=6), 24)
    write_frames(tmp_path / "out", moving_square(frames=2), 24)
    assert sorted(os.listdir(tmp_path / "out")) == ["00000.png", "00001.png"]
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(StoreError, match="other files"):
        write_frames(tmp_path / "out", moving_square(), 24)


@pytest.mark.skipif(not MEDIA.is_dir(), reason="needs the media folder")
def test_real_clips_are_read() -> None:
    gif = read_frames(MEDIA / "clips/cartoon_raccoon_guitar.gif")
    assert gif.frames_u8.shape[-1] == 3
    assert len(gif.times) == len(gif.frames_u8) >= 16
    assert 5 < gif.fps < 40
    portrait = read_picture(MEDIA / "portraits/crypko_00.png")
    assert portrait.shape == (512, 512, 4)
    assert (portrait[..., :3] <= portrait[..., 3:]).all()


def test_a_small_mp4_is_the_same_whatever_lay_in_memory_before(tmp_path: Path) -> None:
    """x264's macroblock tree read memory it had not written, on 64x128 pictures more than on others."""
    coarse = np.random.default_rng(0).integers(0, 256, (8, 8, 4, 3), dtype=np.uint8)
    clip = coarse.repeat(16, axis=1).repeat(16, axis=2)
    seen = set()
    for number in range(60):
        # Freed at the next turn, and then handed to the encoder.
        litter = [np.full(37 * k + 1000, 31 * number + k & 255, np.uint8) for k in range(number % 50)]
        write_frames(tmp_path / "a.mp4", clip, 24.0)
        seen.add((tmp_path / "a.mp4").read_bytes())
        del litter
    assert len(seen) == 1
