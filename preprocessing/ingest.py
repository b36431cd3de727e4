"""Shots as pictures in memory: decoded, turned upright, scaled, and resampled to an even frame rate."""

from collections.abc import Iterator

import numpy as np
from pydantic import Field

from temporal_gan.alpha import over_white
from temporal_gan.config import Section
from temporal_gan.errors import StoreError

from .clip import Clip, Source
from .media import Frame, Media, open_media
from .media_limits import MediaLimits
from .shot import Shot, clip_id
from .sign_of_life import still_at_work

_STEP_ON = 64
"""Frames that are sooner decoded than jumped over; a video has a key frame about every 250."""


class IngestConfig(Section):
    """How sources are read.

    Attributes:
        longest_side: pixels; larger pictures are scaled down to it by area. At 640 a shot of 8 s at 24 frames/s is
            236 MB, and a face that fills a third of the height still has over 200 pixels, which is what the pose and
            face models are fed with.
        fps: frames per second of every clip; 0 = the source's own: the mean, or where the timing is uneven that of the
            usual frame, lest a pause makes all the rest slow. Halved until it is at most 30 (pictures drawn on twos or
            threes have nothing in between, and twice the frames are twice the work of every stage) and doubled until
            it is at least 6 (a slide show is made of holds).
        limits: see :class:`.media_limits.MediaLimits`.
    """

    longest_side: int = Field(default=640, ge=16, le=4096)
    fps: float = Field(default=0.0, ge=0, le=60)
    limits: MediaLimits = MediaLimits()


class ShotReader:
    """Reads shots, and keeps its place: shots of one source in order are decoded in one go."""

    def __init__(self, config: IngestConfig) -> None:
        self._config = config
        self._source: Source | None = None
        self._media: Media | None = None
        self._frames: Iterator[Frame] = iter(())
        self._next = 0

    def read(self, source: Source, shot: Shot) -> Clip:
        """Decode one shot.

        Frame k shows what the source shows at ``shot.start + k / shot.fps``; a quarter of a frame is forgiven,
        because files round their time stamps.

        Args:
            source: as it was when it was scanned.
            shot: one that :func:`preprocessing.shots.scan` gave with the same :class:`IngestConfig`.
        Returns:
            the clip; each run of frames that show one source frame is a hold of its own.
        Raises:
            StoreError: see :meth:`.media.Media.frames`; also when the file ends before the shot does.
        """
        count = max(1, round((shot.end - shot.start) * shot.fps))
        # A file without time stamps is taken to be even, at a rate that the scan found.
        step = (shot.end - shot.start) / (shot.end_frame - shot.first_frame)
        frames_u8 = np.empty((count, shot.height, shot.width, 4 if shot.has_alpha else 3), np.uint8)
        source_frame = np.empty(count, np.int64)
        done, last = 0, None
        for frame in self._stretch(source, shot):
            if shot.first_pts is None or frame.pts is None or self._media is None:
                second = (frame.number - shot.first_frame) * step
            else:
                second = (frame.pts - shot.first_pts) * self._media.time_base
            first_showing = min(count, max(0, int(np.ceil(second * shot.fps - 0.25))))
            if last is not None and first_showing > done:
                frames_u8[done:first_showing] = _pixels(last, shot)
                source_frame[done:first_showing] = last.number
                done = first_showing
            last = frame
        assert last is not None, "a shot has at least one frame"
        if done < count:
            frames_u8[done:] = _pixels(last, shot)
            source_frame[done:] = last.number
        hold = np.concatenate([[0], np.cumsum(np.diff(source_frame) != 0)]).astype(np.int64)
        return Clip(
            id=clip_id(source, shot.first_frame),
            source=source,
            start=shot.start,
            end=shot.end,
            fps=shot.fps,
            frames_u8=frames_u8,
            source_frame=source_frame,
            hold=hold,
        )

    def close(self) -> None:
        """Let go of the open file; reading another shot opens it again."""
        if self._media is not None:
            self._media.close()
        self._source, self._media = None, None

    def _stretch(self, source: Source, shot: Shot) -> Iterator[Frame]:
        """The shot's frames."""
        if self._media is None or self._source != source:
            self.close()
            self._media = open_media(source.file, self._config.limits)
            self._source, self._frames, self._next = source, self._media.frames(), 0
        if not 0 <= shot.first_frame - self._next <= _STEP_ON:
            self._frames = self._media.frames(shot.first_frame, shot.first_pts)
            self._next = shot.first_frame
        while self._next < shot.end_frame:
            frame = next(self._frames, None)
            if frame is None:
                self.close()
                raise StoreError(
                    f"{source.file}: ends before frame {self._next}, but had {shot.end_frame} when it was scanned; "
                    "has it changed? run again"
                )
            self._next += 1
            still_at_work()
            if frame.number >= shot.first_frame:
                yield frame


def _pixels(frame: Frame, shot: Shot) -> np.ndarray:
    """uint8 [H, W, 3 or 4] as the shot wants them."""
    pixels = frame.picture(shot.width, shot.height)
    if not shot.has_alpha:
        return over_white(pixels)
    if pixels.shape[-1] == 3:
        return np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=-1)
    return pixels
