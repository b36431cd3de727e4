"""What a file may ask of the machine, and how a file that cannot be used is spoken of."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from PIL import Image
from pydantic import Field

from temporal_gan.config import Section
from temporal_gan.errors import StoreError


class MediaLimits(Section):
    """What a file may ask of the machine; whatever asks for more is refused by name, before it is decoded where its
    header tells. The defaults are far above anything honest, so that only broken and hostile files meet them.

    Attributes:
        max_bytes: of a file; an hour of Blu-ray video has about 15e9.
        max_pixels: of one frame. 8K video has 33e6; 40e6 are 160 MB while they are decoded as RGBA.
        max_animation_pixels: of all frames of a GIF, APNG or WebP together, about 100e6 per second: such a file can
            hold days of work in a few kilobytes.
        max_seconds: of a video.
        max_frames: of anything.
        min_side: pixels; smaller pictures are spacers and tracking dots.
        keep_truncated: use what decodes of a damaged or truncated file. Otherwise such a file fails as a whole: half
            a download is seldom what somebody meant to train on, and the rest is easily fetched again.
    """

    max_bytes: int = Field(default=100_000_000_000, ge=1)
    max_pixels: int = Field(default=40_000_000, ge=256)
    max_animation_pixels: int = Field(default=20_000_000_000, ge=256)
    max_seconds: float = Field(default=6 * 3600.0, gt=0)
    max_frames: int = Field(default=1_000_000, ge=1)
    min_side: int = Field(default=16, ge=1)
    keep_truncated: bool = False


def check_file(file: Path, limits: MediaLimits) -> None:
    """Raise StoreError unless this is a regular file of a size within bounds."""
    if not file.is_file():
        raise StoreError(f"{file}: {'is no regular file' if file.exists() else 'no such file or folder'}")
    size = file.stat().st_size
    if size == 0:
        raise StoreError(f"{file}: the file is empty (0 bytes)")
    if size > limits.max_bytes:
        raise StoreError(f"{file}: {size} bytes; the limit ingest.limits.max_bytes is {limits.max_bytes}")


def check_size(file: Path, width: int, height: int, limits: MediaLimits) -> None:
    """Raise StoreError where a picture of this many pixels is too large or too small."""
    if width * height > limits.max_pixels:
        raise StoreError(
            f"{file}: {width}x{height} is {width * height} pixels; "
            f"the limit ingest.limits.max_pixels is {limits.max_pixels}"
        )
    if min(width, height) < limits.min_side:
        raise StoreError(
            f"{file}: {width}x{height} pixels; the limit ingest.limits.min_side is {limits.min_side}"
        )


def check_length(file: Path, count: int, seconds: float, limits: MediaLimits) -> None:
    """Raise StoreError where a source of this many frames or seconds is too long."""
    if count > limits.max_frames:
        raise StoreError(
            f"{file}: more than {limits.max_frames} frames; the limit is ingest.limits.max_frames"
        )
    if seconds > limits.max_seconds:
        raise StoreError(
            f"{file}: longer than {limits.max_seconds:g} s; the limit is ingest.limits.max_seconds"
        )


@contextmanager
def complaints(file: Path, where: str = "") -> Iterator[None]:
    """Whatever Pillow, FFmpeg and the system say of a bad file, as one line that names it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except StoreError:
        raise
    except av.error.FFmpegError as error:
        raise StoreError(
            f"{file}: no readable video or picture{where} ({error.strerror}); truncated, damaged, or something else"
        ) from None
    except Image.DecompressionBombError:
        raise StoreError(
            f"{file}: more pixels than any picture has; the limit is ingest.limits.max_pixels"
        ) from None
    except (OSError, EOFError, ValueError, SyntaxError) as error:
        reason = " ".join(str(error).replace(str(file), "the file").split())
        raise StoreError(f"{file}: not a readable picture{where} ({reason})") from None
