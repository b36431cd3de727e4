"""Every kind of file is read, and every bad one is refused in one line that names it."""

import resource
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from strange_media import encode, number_of, numbered, png_header

from preprocessing.media import Frame, open_media
from preprocessing.media_limits import MediaLimits
from preprocessing.picture_media import is_sequence
from temporal_gan.alpha import premultiply
from temporal_gan.errors import StoreError
from temporal_gan.video_io import write_frames


def frames_of(file: Path, **limits: object) -> list[Frame]:
    media = open_media(file, MediaLimits.model_validate(limits))
    try:
        return list(media.frames())
    finally:
        media.close()


def refuse(file: Path, words: str, **limits: object) -> None:
    """The file is refused in one line with its name and these words."""
    with pytest.raises(StoreError) as caught:
        frames_of(file, **limits)
    message = str(caught.value)
    assert file.name in message
    assert words in message
    assert "\n" not in message


def with_alpha(frames: int = 5) -> np.ndarray:
    """Premultiplied: a square that moves over nothing, with a half transparent row."""
    clip = np.zeros((frames, 40, 48, 4), np.uint8)
    for t in range(frames):
        clip[t, 8:24, 4 + 2 * t : 20 + 2 * t] = 200, 40, 90, 255
    clip[:, 10, :, 3] //= 2
    return premultiply(clip)


@pytest.mark.parametrize("suffix", [".apng", ".webp", ".gif", ".webm", ".mkv", ".png"])
def test_alpha_is_kept_and_premultiplied(tmp_path: Path, suffix: str) -> None:
    clip = with_alpha(1 if suffix == ".png" else 5)
    file = tmp_path / f"clip{suffix}"
    write_frames(file, clip, 10)
    pictures = np.stack([frame.picture(48, 40) for frame in frames_of(file)])
    assert pictures.shape == clip.shape
    assert (pictures[..., :3] <= pictures[..., 3:]).all()
    if suffix in (".apng", ".mkv", ".png"):
        assert (pictures == clip).all()
    else:
        assert ((pictures[..., 3] > 64) == (clip[..., 3] > 64)).mean() > 0.97
    assert not any(frame.opaque for frame in frames_of(file))


def test_grey_is_over_white_and_scaling_keeps_colour_out_of_the_edge(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., 0] = 255  # red, of which nothing is to be seen where it is transparent
    pixels[:, :32, 3], pixels[:, :32, 0] = 255, 0
    Image.fromarray(pixels).save(tmp_path / "edge.png")
    (frame,) = frames_of(tmp_path / "edge.png")
    assert frame.picture(31, 31)[..., :3].max() == 0
    assert frame.grey(32)[:, -1].min() == 255
    assert frame.grey(32)[:, 0].max() == 0


def test_gif_delays_become_time_stamps(tmp_path: Path) -> None:
    pictures = [Image.fromarray(frame) for frame in numbered(4)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=[40, 50, 500, 0])
    frames = frames_of(tmp_path / "a.gif")
    assert [frame.pts for frame in frames] == [0, 40, 90, 590]
    assert frames[-1].duration == 100  # browsers show a frame without a delay for that long
    assert [number_of(frame.picture(96, 64)) for frame in frames] == [0, 1, 2, 3]


def test_gif_with_one_frame_is_a_still(tmp_path: Path) -> None:
    Image.fromarray(numbered(1)[0]).save(tmp_path / "one.gif")
    (frame,) = frames_of(tmp_path / "one.gif")
    assert (frame.number, frame.width, frame.height) == (0, 96, 64)


def test_turned_mp4_is_turned_upright(tmp_path: Path) -> None:
    file = tmp_path / "phone.mp4"
    clip = np.zeros((3, 32, 64, 3), np.uint8)
    clip[:, :16, :32] = 255
    write_frames(file, clip, 24)
    data = bytearray(file.read_bytes())
    unit, minus, zero = (65536).to_bytes(4, "big"), (-65536 & 0xFFFFFFFF).to_bytes(4, "big"), bytes(4)
    at = data.index(b"tkhd") + 4 + 40  # the matrix of a version 0 track header: a quarter turn clockwise
    data[at : at + 20] = zero + unit + zero + minus + zero
    file.write_bytes(data)
    frame = frames_of(file)[0]
    assert (frame.width, frame.height) == (32, 64)
    bright = frame.picture(32, 64)[..., 0] > 128
    assert bright[:28, 20:].all()
    assert not bright[36:].any()
    assert (frame.grey(32)[:12, 20:] > 128).all()
    assert (frame.grey(32)[20:] < 128).all()


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((-1, 0, 0, 1), lambda pixels: pixels[:, ::-1]),
        ((1, 0, 0, -1), lambda pixels: pixels[::-1]),
        ((-1, 0, 0, -1), lambda pixels: pixels[::-1, ::-1]),
        ((0, 1, 1, 0), lambda pixels: pixels.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2)),
        ((0, 1, -1, 0), lambda pixels: np.rot90(pixels, -1)),
    ],
)
def test_mirrored_mp4_is_shown_as_players_show_it(
    tmp_path: Path, matrix: tuple[int, int, int, int], shown: Callable[[np.ndarray], np.ndarray]
) -> None:
    """The matrix takes (x, y) to (a x + c y, b x + d y): ISO 14496-12, 8.3.2 and 6.2.2."""
    file = tmp_path / "mirror.mp4"
    clip = np.zeros((2, 32, 64, 3), np.uint8)
    clip[:, :8, :16], clip[:, 24:, :16], clip[:, :8, 48:] = 255, 170, 90
    write_frames(file, clip, 24)
    plain = frames_of(file)[0].picture(64, 32)
    data = bytearray(file.read_bytes())
    a, b, c, d = ((value * 65536 & 0xFFFFFFFF).to_bytes(4, "big") for value in matrix)
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 20] = a + b + bytes(4) + c + d
    file.write_bytes(data)
    frame = frames_of(file)[0]
    expected = shown(plain)
    assert (frame.height, frame.width) == expected.shape[:2]
    np.testing.assert_array_equal(frame.picture(frame.width, frame.height), expected)


@pytest.mark.parametrize(
    ("lines", "red", "blue"), [(704, 0.299, 0.114), (720, 0.2126, 0.0722)], ids=["BT.601", "BT.709"]
)
def test_untagged_colour_is_read_as_players_read_it(
    tmp_path: Path, lines: int, red: float, blue: float
) -> None:
    """Luma and chroma by the equations of ITU-R BT.601 and BT.709, 8 bits, limited range."""
    colour = np.array([200, 40, 90]) / 255
    luma = float(colour @ (red, 1 - red - blue, blue))
    cb, cr = (colour[2] - luma) / (2 - 2 * blue), (colour[0] - luma) / (2 - 2 * red)
    planes = np.empty((lines * 3 // 2, 64), np.uint8)
    planes[:lines] = round(16 + 219 * luma)
    planes[lines : lines * 5 // 4], planes[lines * 5 // 4 :] = round(128 + 224 * cb), round(128 + 224 * cr)
    with av.open(str(tmp_path / "plain.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=24, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, lines, "yuv420p"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        output.mux(stream.encode(None))
    (frame,) = frames_of(tmp_path / "plain.mp4")
    np.testing.assert_allclose(frame.picture(64, lines)[5, 5], [200, 40, 90], atol=3)


def test_pixels_that_are_not_square_are_made_square(tmp_path: Path) -> None:
    encode(tmp_path / "dvd.mkv", numbered(3), "libx264", **{"x264-params": "sar=4/3"})
    frame = frames_of(tmp_path / "dvd.mkv")[0]
    assert (frame.width, frame.height) == (128, 64)
    assert number_of(frame.picture(128, 64)) == 0


def test_size_may_change_on_the_way(tmp_path: Path) -> None:
    # MPEG program streams can simply be joined.
    for name, size in (("a", 1), ("b", 2)):
        encode(
            tmp_path / f"{name}.mpg",
            np.kron(numbered(6), np.ones((1, size, size, 1), np.uint8)),
            "mpeg2video",
        )
    (tmp_path / "ab.mpg").write_bytes((tmp_path / "a.mpg").read_bytes() + (tmp_path / "b.mpg").read_bytes())
    frames = frames_of(tmp_path / "ab.mpg")
    assert {(frame.width, frame.height) for frame in frames} == {(96, 64), (192, 128)}
    refuse(tmp_path / "ab.mpg", "max_pixels", max_pixels=96 * 64)


def test_what_a_file_is_its_bytes_say(tmp_path: Path) -> None:
    encode(tmp_path / "a.mp4", numbered(3)).rename(tmp_path / "not really.gif")
    assert len(frames_of(tmp_path / "not really.gif")) == 3


def test_names_with_spaces_accents_and_colons(tmp_path: Path) -> None:
    for name in ("ミク ダンス.mp4", "concat:a|b.mp4", "ça va #1%20?.mp4", "-i.mp4"):
        assert len(frames_of(encode(tmp_path / "plain.mp4", numbered(2)).rename(tmp_path / name))) == 2


@pytest.mark.parametrize(
    ("options", "suffix"), [({"movflags": "+faststart"}, ".mp4"), ({}, ".mp4"), ({}, ".mkv")]
)
def test_truncated_videos(tmp_path: Path, options: dict, suffix: str) -> None:
    whole = tmp_path / f"whole{suffix}"
    write_frames(whole, np.random.default_rng(0).integers(0, 255, (48, 32, 32, 3), np.uint8), 24)
    data = whole.read_bytes()
    file = tmp_path / f"half{suffix}"
    file.write_bytes(data[: len(data) * 6 // 10])
    refuse(file, "truncated")
    if suffix == ".mkv" or options:
        assert 5 < len(frames_of(file, keep_truncated=True)) < 48


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "libx264"), (".webm", "libvpx-vp9")])
def test_a_last_frame_that_is_held_is_no_sign_of_truncation(tmp_path: Path, suffix: str, codec: str) -> None:
    file = encode(tmp_path / f"held{suffix}", numbered(13), codec, last=72)
    frames = frames_of(file)
    assert len(frames) == 13
    assert (frames[-1].pts, frames[-1].duration) == (500, 3000)
    # What is missing beyond that still counts.
    data = file.read_bytes()
    file.write_bytes(data.replace(b"00:00:03.500000000", b"00:00:04.100000000"))
    refuse(file, "truncated, ends after 3.50 of 4.10 s")


def test_truncated_pictures(tmp_path: Path) -> None:
    for suffix in (".gif", ".apng", ".webp", ".png", ".jpg"):
        whole = tmp_path / f"whole{suffix}"
        if suffix == ".jpg":
            Image.fromarray(numbered(1)[0]).save(whole)
        else:
            write_frames(whole, numbered(1 if suffix == ".png" else 6), 10)
        data = whole.read_bytes()
        (tmp_path / f"half{suffix}").write_bytes(data[: len(data) // 2])
        refuse(tmp_path / f"half{suffix}", "")


@pytest.mark.parametrize(
    "exif",
    [
        b"MM\x00\x00\x00\x00\x00\x08",  # no TIFF mark
        b"MM\x00*\x00\x00\xff\xff",  # a directory beyond the end
        b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x02\x00\x00\x00\x02a\x00\x00\x00",  # turned by "a"
    ],
)
@pytest.mark.parametrize("suffix", [".webp", ".jpg", ".png"])
def test_damaged_exif_costs_its_picture_alone(tmp_path: Path, suffix: str, exif: bytes) -> None:
    files = [tmp_path / f"walk {number}{suffix}" for number in (1, 2)]
    Image.fromarray(numbered(1)[0]).save(files[0])
    Image.fromarray(numbered(1)[0]).save(files[1], exif=b"Exif\x00\x00" + exif)
    together = is_sequence(files, MediaLimits())
    try:
        readable = len(frames_of(files[1])) == 1
    except StoreError:
        readable = False
    assert together == readable


def test_empty_missing_and_text(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    refuse(tmp_path / "empty.mp4", "0 bytes")
    refuse(tmp_path / "nowhere.mp4", "no such file")
    (tmp_path / "text.mp4").write_text("this is no video\n" * 50)
    refuse(tmp_path / "text.mp4", "no readable video or picture")
    (tmp_path / "page.gif").write_text("<html>")
    refuse(tmp_path / "page.gif", "no readable video or picture")


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    encode(tmp_path / "secret.mp4", numbered(3))
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    refuse(tmp_path / "list.mp4", "no readable video")
    (tmp_path / "hls.mp4").write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'secret.mp4'}\n#EXT-X-ENDLIST\n")
    refuse(tmp_path / "hls.mp4", "no readable video")


def test_sound_without_pictures(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        sound.sample_rate = 44100
        output.mux(stream.encode(sound))
        output.mux(stream.encode(None))
    refuse(tmp_path / "song.mp4", "no video in this file")


def test_too_small_and_too_large(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    refuse(tmp_path / "dot.png", "min_side")
    Image.new("1", (8000, 8000)).save(tmp_path / "huge.png")
    refuse(tmp_path / "huge.png", "8000x8000 is 64000000 pixels; the limit ingest.limits.max_pixels")
    refuse(encode(tmp_path / "big.mp4", numbered(2)), "96x64 is 6144 pixels", max_pixels=6000)
    refuse(encode(tmp_path / "long.mp4", numbered(25)), "max_seconds", max_seconds=1)
    refuse(tmp_path / "long.mp4", "max_frames", max_frames=24)
    refuse(tmp_path / "long.mp4", "max_bytes", max_bytes=100)


def test_a_stream_without_a_header_is_counted_while_it_is_decoded(tmp_path: Path) -> None:
    encode(tmp_path / "raw.mpg", numbered(30), "mpeg2video", rate=Fraction(25))
    refuse(tmp_path / "raw.mpg", "max_frames", max_frames=20)
    refuse(tmp_path / "raw.mpg", "max_seconds", max_seconds=0.5)


def test_bombs_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(png_header(60000, 60000))
    refuse(tmp_path / "bomb.png", "the limit is ingest.limits.max_pixels")
    (tmp_path / "small bomb.png").write_bytes(png_header(12000, 12000))  # where Pillow would only warn
    refuse(tmp_path / "small bomb.png", "max_pixels")
    # 40 kB of GIF that want 90e9 pixels.
    screen = b"GIF89a" + (6000).to_bytes(2, "little") * 2 + b"\x80\x00\x00" + bytes(6)
    image = b"\x2c" + bytes(4) + (1).to_bytes(2, "little") * 2 + b"\x00\x02\x02\x44\x01\x00"
    (tmp_path / "bomb.gif").write_bytes(screen + image * 2500 + b";")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refuse(tmp_path / "bomb.gif", "2500 frames of 6000x6000")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


def test_folder_of_pictures_and_the_one_that_is_bad(tmp_path: Path) -> None:
    for index, picture in enumerate(numbered(11)):
        Image.fromarray(picture).save(tmp_path / f"walk {index}.png")
    frames = frames_of(tmp_path)
    assert [number_of(frame.picture(96, 64)) for frame in frames] == list(range(11))
    assert [frame.pts for frame in frames] == list(range(11))
    media = open_media(tmp_path, MediaLimits())
    assert number_of(next(iter(media.frames(7))).picture(96, 64)) == 7
    (tmp_path / "walk 3.png").write_bytes(png_header(96, 64))
    with pytest.raises(StoreError, match=r"walk 3\.png"):
        frames_of(tmp_path)
