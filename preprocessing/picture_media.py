"""Stills, animated pictures and folders of numbered pictures, through Pillow."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from temporal_gan.alpha import over_white, premultiply
from temporal_gan.errors import StoreError
from temporal_gan.video_io import FOLDER_FPS, STILL_SUFFIXES, gif_has_end, natural_key, picture_pixels

from .media_limits import MediaLimits, check_file, check_length, check_size, complaints

OPAQUE = 250
"""Alpha from here on is opaque: VP9 gives back 252 to 255 for what was 255."""

# Pillow knows others too, some of which start other programs.
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
_STARTS = (b"GIF8", b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\x00", b"MM\x00*")
_ANIMATED = ("GIF", "PNG", "WEBP")
_BROWSER_DELAY_MS = 100
_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)
NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")
"""A stem: what is before its last number, that number, and what is behind."""


def is_picture(head: bytes) -> bool:
    """Whether a file of these first 12 bytes is for Pillow."""
    return head.startswith(_STARTS) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def folder_pictures(folder: Path) -> list[Path]:
    """The pictures lying directly in a folder, in natural order; links are not followed."""
    files = [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in STILL_SUFFIXES and not file.name.startswith(".") and not file.is_symlink()
    ]
    return sorted(files, key=lambda f: (natural_key(f.name), f.name))


def is_sequence(files: Sequence[Path], limits: MediaLimits) -> bool:
    """Whether pictures are the frames of one clip: at least two stills of one kind and size, whose names differ in
    their last number alone, and those grow in even steps (``walk 1.png, walk 2.png``; drawn on twos: 1, 3, 5).

    Args:
        files: in natural order.
        limits: a picture beyond them is no part of anything.
    """
    names = [NUMBERED.fullmatch(file.stem) for file in files]
    parts = [(name[1], name[3], int(name[2])) for name in names if name]
    if len(files) < 2 or len(parts) < len(files):
        return False
    steps = {later[2] - earlier[2] for earlier, later in pairwise(parts)}
    kinds = {
        (before, after, file.suffix.lower()) for (before, after, _), file in zip(parts, files, strict=True)
    }
    if len(steps) > 1 or len(kinds) > 1 or min(steps) < 1:
        return False
    sizes = set()
    for file in files:
        try:
            check_file(file, limits)
            sizes.add(_shown_size(file, limits))
        except StoreError:
            return False
        if len(sizes) > 1:
            return False
    return None not in sizes


def _shown_size(file: Path, limits: MediaLimits) -> tuple[int, int] | None:
    picture = PictureFile(file, limits)
    try:
        return picture.shown_size()
    finally:
        picture.close()


def scaled(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    if pixels.shape[:2] == (height, width):
        return pixels
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


class StillPicture:
    def __init__(self, number: int, pts: int, duration: int, pixels: np.ndarray) -> None:
        self.number, self.pts, self.duration, self._pixels = number, pts, duration, pixels
        self.height, self.width = pixels.shape[:2]

    @property
    def opaque(self) -> bool:
        return self._pixels.shape[-1] == 3 or bool(self._pixels[..., 3].min() >= OPAQUE)

    def picture(self, width: int, height: int) -> np.ndarray:
        return scaled(self._pixels, width, height)

    def grey(self, side: int) -> np.ndarray:
        return cv2.cvtColor(over_white(scaled(self._pixels, side, side)), cv2.COLOR_RGB2GRAY)


class PictureFile:
    """A still or an animation: Pillow knows delays, disposal, and animated WebP."""

    time_base = 0.001
    rate = FOLDER_FPS

    def __init__(self, file: Path, limits: MediaLimits) -> None:
        self._file, self._limits = file, limits
        with complaints(file):
            self._image = Image.open(file, formats=_FORMATS)
        try:
            self._count = self._counted()
        except StoreError:
            self.close()
            raise

    def frames(self, first: int = 0, pts: int | None = None) -> Iterator[StillPicture]:
        if self._count == 1:
            with complaints(self._file):
                still = picture_pixels(ImageOps.exif_transpose(self._image))
            yield StillPicture(0, 0, 0, still)
            return
        shown = 0
        for number in range(self._count):
            try:
                with complaints(self._file, f" from frame {number} of {self._count} on"):
                    self._image.seek(number)
                    check_size(self._file, *self._image.size, self._limits)
                    self._image.load()
                    pixels = premultiply(np.asarray(self._image.convert("RGBA"))) if number >= first else None
            except StoreError:
                if number and self._limits.keep_truncated:
                    return
                raise
            delay = round(self._image.info.get("duration", 0)) or _BROWSER_DELAY_MS
            if pixels is not None:
                yield StillPicture(number, shown, delay, pixels)
            shown += delay
            check_length(self._file, number + 1, shown / 1000, self._limits)
        if self._image.format == "GIF" and not gif_has_end(self._file) and not self._limits.keep_truncated:
            raise StoreError(f"{self._file}: truncated, ends after {self._count} frames without an end mark")

    def shown_size(self) -> tuple[int, int] | None:
        """Width and height of a still, turned upright; None for an animation. Raises StoreError: damaged EXIF."""
        if self._count > 1:
            return None
        width, height = self._image.size
        with complaints(self._file):
            turned = self._image.getexif().get(_ORIENTATION) in _TURNED
        return (height, width) if turned else (width, height)

    def close(self) -> None:
        self._image.close()

    def _counted(self) -> int:
        """The number of frames, where they are within the limits; of a GIF this reads the file, but decodes nothing."""
        width, height = self._image.size
        check_size(self._file, width, height, self._limits)
        with complaints(self._file):
            count = getattr(self._image, "n_frames", 1) if self._image.format in _ANIMATED else 1
        check_length(self._file, count, 0.0, self._limits)
        if count * width * height > self._limits.max_animation_pixels:
            raise StoreError(
                f"{self._file}: {count} frames of {width}x{height} are {count * width * height} pixels; "
                f"the limit ingest.limits.max_animation_pixels is {self._limits.max_animation_pixels}"
            )
        return count


class PictureFolder:
    """Numbered pictures, one frame each, at ``FOLDER_FPS``."""

    time_base = 1 / FOLDER_FPS
    rate = FOLDER_FPS

    def __init__(self, folder: Path, limits: MediaLimits) -> None:
        self._files, self._limits = folder_pictures(folder), limits
        if not self._files:
            raise StoreError(f"{folder}: no pictures in this folder (looked for {' '.join(STILL_SUFFIXES)})")
        check_length(folder, len(self._files), 0.0, limits)

    def frames(self, first: int = 0, pts: int | None = None) -> Iterator[StillPicture]:
        for number, file in enumerate(self._files[first:], first):
            check_file(file, self._limits)
            still = PictureFile(file, self._limits)
            try:
                frame = next(iter(still.frames()))
            finally:
                still.close()
            yield StillPicture(number, number, 1, frame.picture(frame.width, frame.height))

    def close(self) -> None:
        pass
