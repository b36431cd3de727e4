"""Reading and writing short clips: video files, animated pictures, folders of pictures.

In memory a clip is uint8 [T, H, W, C], C = 3 RGB, or 4 RGBA **with colour premultiplied by alpha**. Every
file this module writes holds straight alpha, which is what other programs expect; going there and back
changes no byte of premultiplied colour.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from PIL import Image, ImageOps

from .alpha import premultiply
from .errors import StoreError
from .video_encoders import ENCODERS

STILL_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
VIDEO_SUFFIXES = (".mp4", ".webm", ".mkv", ".mov", ".avi", ".m4v", ".gif", ".apng")
FOLDER_FPS = 24.0
"""Frame rate given to pictures, which carry none."""

_PILLOW_ANIMATIONS = (".gif", ".webp", ".apng")
_BROWSER_DELAY_MS = 100.0


@dataclass(frozen=True)
class Frames:
    """A decoded clip.

    Attributes:
        frames_u8: uint8 [T, H, W, C], T >= 1; C = 3 RGB, or 4 RGBA premultiplied where the file has alpha.
        fps: frames per second; the mean rate where the file's timing varies.
        times: float64 [T] seconds, the first 0, growing.
    """

    frames_u8: np.ndarray
    fps: float
    times: np.ndarray


def natural_key(name: str) -> list[str | int]:
    """Sorting key under which ``frame2`` comes before ``frame10``."""
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"([0-9]+)", name.lower()))]


def read_frames(path: Path | str) -> Frames:
    """Decode a whole clip.

    Args:
        path: a video (mp4, webm, mkv, mov ...), an animated GIF, APNG or WebP, one picture (a clip of one
            frame), or a folder of pictures of one size, in natural order at ``FOLDER_FPS``. Rotation marks
            (EXIF, display matrix) are applied.
    Returns:
        see :class:`Frames`.
    Raises:
        StoreError: the file is missing, empty, truncated, damaged or no picture or video; it is named.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise StoreError(f"{path}: no such file or folder")
    if path.stat().st_size == 0:
        raise StoreError(f"{path}: the file is empty (0 bytes)")
    if path.suffix.lower() in (*STILL_SUFFIXES, *_PILLOW_ANIMATIONS):
        return _read_pictures(path)
    return _read_video(path)


def read_picture(path: Path | str) -> np.ndarray:
    """One picture (the first frame of an animated one) -> uint8 [H, W, C], C = 3, or 4 premultiplied.

    Raises:
        StoreError: missing or unreadable; the file is named.
    """
    path = Path(path)
    try:
        with Image.open(path) as image:
            image.load()
            return picture_pixels(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise StoreError(f"{path}: not a readable picture ({error})") from None


def picture_pixels(image: Image.Image) -> np.ndarray:
    """What an open picture shows now -> uint8 [H, W, C], C = 3, or 4 premultiplied where it may be transparent."""
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion clips at 255
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.has_transparency_data:
        return premultiply(np.asarray(image.convert("RGBA")))
    return np.array(image.convert("RGB"))


def _same_channels(frames: list[np.ndarray]) -> np.ndarray:
    if len({f.shape[-1] for f in frames}) > 1:
        full = np.full((*frames[0].shape[:2], 1), 255, np.uint8)
        frames = [f if f.shape[-1] == 4 else np.concatenate([f, full], axis=-1) for f in frames]
    return np.stack(frames)


def _read_folder(path: Path) -> Frames:
    files = [f for f in path.iterdir() if f.suffix.lower() in STILL_SUFFIXES and not f.name.startswith(".")]
    if not files:
        raise StoreError(f"{path}: no pictures in this folder (looked for {' '.join(STILL_SUFFIXES)})")
    files.sort(key=lambda f: natural_key(f.name))
    frames = [read_picture(f) for f in files]
    for file, frame in zip(files, frames, strict=True):
        if frame.shape[:2] != frames[0].shape[:2]:
            size, first = frame.shape[1::-1], frames[0].shape[1::-1]
            raise StoreError(
                f"{file}: {size[0]}x{size[1]} pixels, but {files[0].name} is {first[0]}x{first[1]}"
            )
    return Frames(_same_channels(frames), FOLDER_FPS, np.arange(len(frames)) / FOLDER_FPS)


def _read_pictures(path: Path) -> Frames:
    """Picture, still or animated, through Pillow: it knows delays, disposal, and animated WebP."""
    frames: list[np.ndarray] = []
    delays: list[float] = []
    count = 0
    try:
        with Image.open(path) as image:
            count = getattr(image, "n_frames", 1)
            if count == 1:
                return Frames(read_picture(path)[None], FOLDER_FPS, np.zeros(1))
            for index in range(count):
                image.seek(index)
                image.load()
                delays.append(image.info.get("duration", 0) or _BROWSER_DELAY_MS)
                frames.append(premultiply(np.asarray(image.convert("RGBA"))))
    except (OSError, EOFError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, StoreError):
            raise
        if not frames:
            raise StoreError(f"{path}: not a readable picture ({error})") from None
        raise StoreError(f"{path}: truncated, decoded {len(frames)} of {count} frames ({error})") from None
    if path.suffix.lower() == ".gif" and not gif_has_end(path):
        raise StoreError(f"{path}: truncated, ends after {len(frames)} frames without an end mark")
    video = np.stack(frames)
    if video[..., 3].min() == 255:
        video = np.ascontiguousarray(video[..., :3])
    times = np.concatenate([[0.0], np.cumsum(delays)])[:-1] / 1000
    return Frames(video, 1000 * len(frames) / sum(delays), times)


def gif_has_end(path: Path) -> bool:
    """Whether a GIF's end mark is there; Pillow shows what comes before without a word where it is not."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1024))
        return b"\x00;" in file.read()


def _read_video(path: Path) -> Frames:
    frames: list[np.ndarray] = []
    stamps: list[float | None] = []
    expected, fps, problem = 0, FOLDER_FPS, ""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise StoreError(f"{path}: no video in this file")
            stream = container.streams.video[0]
            fps = float(stream.average_rate or stream.guessed_rate or FOLDER_FPS)
            expected = stream.frames or round(noted_seconds(stream) * fps)
            for frame, reformatter, alpha in _decode(container, stream):
                # One reused reformatter is about twice as fast as to_ndarray, which makes one per frame.
                pixels = reformatter.reformat(frame, format="rgba" if alpha else "rgb24").to_ndarray()
                pixels = np.rot90(pixels, frame.rotation // 90) if frame.rotation else pixels
                frames.append(premultiply(pixels) if alpha else np.ascontiguousarray(pixels))
                stamps.append(frame.time)
    except av.error.FFmpegError as error:
        problem = f" ({error.strerror})"
        if not frames:
            raise StoreError(
                f"{path}: cannot be decoded{problem}; truncated, damaged, or not a video"
            ) from None
    if not frames:
        raise StoreError(f"{path}: no frames in this video")
    count = len(frames)
    index = np.arange(count) / fps
    times = index if None in stamps else np.array(stamps, np.float64) - float(stamps[0] or 0.0)
    # An edit list may hide a few frames of a whole file, so a short count alone is no damage.
    short = expected > count and times[-1] * fps < expected - max(2, 0.05 * expected)
    if problem or short or (expected > count and expected - count > 2):
        raise StoreError(f"{path}: truncated, decoded {count} of {max(expected, count)} frames{problem}")
    return Frames(np.stack(frames), fps, times if (np.diff(times) > 0).all() else index)


def noted_seconds(stream: av.VideoStream) -> float:
    """The duration that a Matroska or WebM stream's tag tells; 0 = it tells none."""
    text = _metadata(stream).get("duration", "")
    match = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", text)
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) if match else 0.0


def has_vp9_alpha(stream: av.VideoStream) -> bool:
    """Whether the stream carries alpha where only libvpx reads it: FFmpeg's own VP9 decoder drops that plane."""
    return stream.codec_context.name.startswith("vp9") and _metadata(stream).get("alpha_mode") == "1"


def _metadata(stream: av.VideoStream) -> dict[str, str]:
    return {key.lower(): value for key, value in stream.metadata.items()}


def _decode(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[tuple[av.VideoFrame, VideoReformatter, bool]]:
    reformatter = VideoReformatter()
    if has_vp9_alpha(stream):
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        for packet in container.demux(stream):
            for frame in decoder.decode(packet if packet.size else None):
                yield frame, reformatter, True
        return
    for frame in container.decode(stream):
        yield frame, reformatter, any(c.is_alpha for c in frame.format.components)


def write_frames(path: Path | str, frames_u8: np.ndarray, fps: float) -> None:
    """Write a clip in the format its suffix names, whole or not at all, the same bytes every time.

    ``.mp4`` H.264 for eyes and players (alpha over white, odd sizes padded to even by their edge), ``.webm``
    VP9 with alpha, ``.gif`` looping with one palette and 1-bit alpha, ``.mkv`` FFV1 lossless, ``.apng``
    lossless, ``.webp`` (the last two may merge equal neighbours into one longer frame), ``.png`` for a clip
    of one frame; no suffix: a folder of ``%05d.png``.

    Args:
        path: its folder is made; an existing file is replaced, an existing folder only if it holds such
            pictures.
        frames_u8: uint8 [T, H, W, C], C = 3 RGB or 4 RGBA premultiplied, T >= 1.
        fps: frames per second, > 0.
    Raises:
        StoreError: unknown suffix, wrong array, or the path cannot be written.
    """
    path = Path(path)
    if (
        frames_u8.ndim != 4
        or frames_u8.shape[-1] not in (3, 4)
        or 0 in frames_u8.shape
        or frames_u8.dtype != np.uint8
    ):
        got = f"{frames_u8.dtype} {frames_u8.shape}"
        raise StoreError(f"{path}: cannot write {got}; expected uint8 [T, H, W, 3 or 4] with T >= 1")
    if not fps > 0:
        raise StoreError(f"{path}: frame rate {fps} must be above 0")
    suffix = path.suffix.lower()
    if suffix not in ENCODERS:
        raise StoreError(
            f"{path}: cannot write {suffix!r}; use {' '.join(filter(None, ENCODERS))} or a folder"
        )
    with _replacing(path) as temporary:
        ENCODERS[suffix](temporary, frames_u8, fps)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well."""
    if path.is_dir() and path.suffix:
        raise StoreError(f"{path}: is a folder, expected a file to write; remove it or name another file")
    if path.is_dir() and any(not re.fullmatch(r"\d{5}\.png", f.name) for f in path.iterdir()):
        raise StoreError(
            f"{path}: is a folder with other files in it; name a new one or a file with a suffix"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=f".{path.stem}.", dir=path.parent))
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        yield room / path.name
        if path.is_dir():
            os.replace(path, room / "old")
        os.replace(room / path.name, path)
    except (OSError, av.error.FFmpegError) as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(room, ignore_errors=True)
