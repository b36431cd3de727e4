"""The frames of any video, animated picture, still or numbered folder, one at a time and within bounds.

What a file is, its first bytes say, not its name. Nothing is decoded before the header was found to be within
:class:`MediaLimits`, and never more than one frame is in memory.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from .media_limits import MediaLimits, check_file, complaints
from .picture_media import PictureFile, PictureFolder, is_picture
from .video_media import VideoFile


class Frame(Protocol):
    """One decoded frame.

    Attributes:
        number: from 0, as decoded.
        pts: when it is shown, in units of ``Media.time_base``; None where the file does not say.
        duration: how long, in the same units; 0 = unknown.
        width, height: pixels as shown: turned upright, pixels made square.
        opaque: no pixel is even partly transparent.
    """

    @property
    def number(self) -> int: ...

    @property
    def pts(self) -> int | None: ...

    @property
    def duration(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def opaque(self) -> bool: ...

    def picture(self, width: int, height: int) -> np.ndarray:
        """Scaled by area -> uint8 [height, width, C], C = 3, or 4 premultiplied where the file has alpha."""

    def grey(self, side: int) -> np.ndarray:
        """Squeezed into a square, over white -> uint8 [side, side]."""


class Media(Protocol):
    """An open source.

    Attributes:
        time_base: seconds of one unit of ``Frame.pts``.
        rate: frames per second where frames carry no time.
    """

    @property
    def time_base(self) -> float: ...

    @property
    def rate(self) -> float: ...

    def frames(self, first: int = 0, pts: int | None = None) -> Iterator[Frame]:
        """Frames from number ``first`` on; iterators got before are no longer valid.

        Args:
            first: number of the first frame wanted.
            pts: of that frame, found when the source was decoded from its start; lets a video start at the key frame
                before. The frames are the same without it.
        Raises:
            StoreError: damaged, truncated, or beyond a limit; the file is named.
        """

    def close(self) -> None:
        """Let go of the file."""


def open_media(file: Path, limits: MediaLimits) -> Media:
    """Open a video, picture or folder of pictures.

    Args:
        file: what :class:`preprocessing.clip.Source` names.
        limits: checked against the header now, and against every frame later.
    Raises:
        StoreError: missing, empty, not readable, without pictures, or beyond a limit; the file is named.
    """
    if file.is_dir():
        return PictureFolder(file, limits)
    check_file(file, limits)
    with complaints(file), file.open("rb") as start:
        head = start.read(12)
    if is_picture(head):
        return PictureFile(file, limits)
    return VideoFile(file, limits)
