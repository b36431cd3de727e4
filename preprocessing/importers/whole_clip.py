"""Strangers' media, decoded as a whole for an import: found to be harmless and small enough first."""

from pathlib import Path

from temporal_gan.errors import StoreError, UserError
from temporal_gan.video_io import STILL_SUFFIXES, Frames, read_frames

from ..media import open_media
from ..media_limits import MediaLimits

MOST_PIXELS = 1_000_000_000
"""Of all frames of a clip: up to 8 GB while it is decoded. 8 minutes of 360p, 20 seconds of 1080p at 24 frames/s."""
_WAY_OUT = "make it smaller or shorter, or use run with --labels, which divides and scales it"
# What is damaged, the reader itself tells; anything may be as small as it likes.
_LIMITS = MediaLimits(min_side=1, keep_truncated=True, max_animation_pixels=MOST_PIXELS)


def read_whole(path: Path, within: Path) -> Frames:
    """Decode a clip.

    Args:
        path: video, picture or folder of pictures.
        within: file or folder that a person has named; the clip must lie in it. Links may lead where they like within.
    Raises:
        UserError: a link leads out of ``within``; more than ``MOST_PIXELS``, or than there is memory for.
        StoreError: no picture or video, damaged, or beyond a default of :class:`.media_limits.MediaLimits`.
    """
    files = [path]
    if path.is_dir():
        files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in STILL_SUFFIXES]
    try:
        pixels = 0
        for file in files:
            pixels = _check(file, within, pixels)
        return read_frames(path)
    except MemoryError:
        raise UserError(f"{path}: too little memory to decode it as a whole; {_WAY_OUT}") from None


def _check(file: Path, within: Path, pixels: int) -> int:
    """Decode one file frame by frame. ``pixels``: of the files before; returned with those of this one."""
    if not file.resolve().is_relative_to(within.resolve()):
        raise UserError(f"{file}: is a link that leads out of {within}; put the file itself there")
    try:
        media = open_media(file, _LIMITS)
        try:
            for frame in media.frames():
                pixels += frame.width * frame.height
                if pixels > MOST_PIXELS:
                    raise UserError(f"{file}: more than {MOST_PIXELS} pixels in all; {_WAY_OUT}")
        finally:
            media.close()
    except StoreError as error:
        # An import has no such settings.
        raise StoreError(str(error).replace("ingest.limits.", "")) from None
    return pixels
