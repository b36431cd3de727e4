"""Videos through PyAV, on one thread, decoded in order or from the key frame before."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import Colorspace, VideoReformatter

from temporal_gan.alpha import over_white, premultiply
from temporal_gan.errors import StoreError
from temporal_gan.video_io import FOLDER_FPS, has_vp9_alpha, noted_seconds

from .media_limits import MediaLimits, check_length, check_size, complaints
from .picture_media import OPAQUE, scaled

_UNSPECIFIED, _HD_LINES = 2, 720
"""Untagged colour is BT.601, and from so many lines on BT.709, as players take it."""
_COVER_ART = av.stream.Disposition.attached_pic
# Containers of whole videos; a playlist named .mp4 could make FFmpeg open any other file or address.
_CONTAINERS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg"


class VideoPicture:
    def __init__(
        self, number: int, frame: av.VideoFrame, aspect: float, reformatter: VideoReformatter
    ) -> None:
        self.number, self.pts, self.duration = number, frame.pts, int(frame.duration or 0)
        self._frame, self._reformatter = frame, reformatter
        self._mirrored, self._turns = _orientation(frame)
        untagged = frame.colorspace == _UNSPECIFIED and frame.height >= _HD_LINES
        self._matrix = Colorspace.ITU709 if untagged else None
        wide = max(1, round(frame.width * aspect))
        self.width, self.height = (frame.height, wide) if self._turns % 2 else (wide, frame.height)
        self._alpha = any(component.is_alpha for component in frame.format.components)
        self._premultiplied: np.ndarray | None = None

    @property
    def opaque(self) -> bool:
        return not self._alpha or bool(self._full()[..., 3].min() >= OPAQUE)

    def picture(self, width: int, height: int) -> np.ndarray:
        if self._turns % 2:
            width, height = height, width
        if self._alpha:
            pixels = scaled(self._full(), width, height)
        else:
            pixels = self._reformat(width, height, "rgb24")
        return self._upright(pixels)

    def grey(self, side: int) -> np.ndarray:
        if self._alpha:
            pixels = cv2.cvtColor(over_white(scaled(self._full(), side, side)), cv2.COLOR_RGB2GRAY)
        else:
            pixels = self._reformat(side, side, "gray")
        return self._upright(pixels)

    def _upright(self, pixels: np.ndarray) -> np.ndarray:
        pixels = pixels[:, ::-1] if self._mirrored else pixels
        return np.ascontiguousarray(np.rot90(pixels, self._turns))

    def _full(self) -> np.ndarray:
        # Colour must be premultiplied before it is scaled, or that of transparent pixels bleeds into the edges.
        if self._premultiplied is None:
            straight = self._reformat(self._frame.width, self._frame.height, "rgba")
            self._premultiplied = premultiply(straight)
        return self._premultiplied

    def _reformat(self, width: int, height: int, pixel_format: str) -> np.ndarray:
        frame = self._reformatter.reformat(
            self._frame,
            width,
            height,
            format=pixel_format,
            src_colorspace=self._matrix,
            interpolation="AREA",
            threads=1,
        )
        return frame.to_ndarray()


def _orientation(frame: av.VideoFrame) -> tuple[bool, int]:
    """Whether a frame is shown mirrored, left for right, and by how many quarter turns to the left after that."""
    sides: Any = frame.side_data
    found = sides.get(Type.DISPLAYMATRIX)
    if found is None:
        return False, 0
    a, b, _, c, d = np.frombuffer(bytes(found), np.int32)[:5].astype(float)
    mirrored = bool(a * d < b * c)
    if mirrored:
        a, b = -a, -b
    return mirrored, round(-np.degrees(np.arctan2(b, a)) / 90) % 4


class VideoFile:
    """A video through PyAV, one thread, decoded in order or from the key frame before."""

    def __init__(self, file: Path, limits: MediaLimits) -> None:
        self._file, self._limits = file, limits
        self._open()
        self.time_base = float(self._stream.time_base or 1 / FOLDER_FPS)
        self.rate = float(self._stream.average_rate or self._stream.guessed_rate or FOLDER_FPS)
        context = self._stream.codec_context
        if not context.width or not context.height:
            self.close()
            raise StoreError(f"{file}: its video has no size; damaged or of an unknown codec")
        check_size(file, context.width, context.height, limits)
        seconds = noted_seconds(self._stream) or (self._stream.duration or 0) * self.time_base
        check_length(file, self._stream.frames, seconds, limits)
        if not limits.keep_truncated:
            self._check_index()

    def frames(self, first: int = 0, pts: int | None = None) -> Iterator[VideoPicture]:
        found = None
        # The alpha of VP9 is a second stream, whose key frames need not be those of the first.
        if first and pts is not None and self._alpha_decoder is None:
            found = self._from_key_frame(pts)
        if found is None:
            self.close()
            self._open()
            return self._counted(self._decoded(), 0, first)
        return self._counted(found, first, first)

    def close(self) -> None:
        self._container.close()

    def _open(self) -> None:
        options = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
        with complaints(self._file):
            self._container = av.open(
                str(self._file.absolute()), container_options=options, metadata_errors="replace"
            )
        pictures = [s for s in self._container.streams.video if not s.disposition & _COVER_ART]
        if not pictures:
            self._container.close()
            raise StoreError(f"{self._file}: no video in this file")
        self._stream = pictures[0]
        if has_vp9_alpha(self._stream):
            self._alpha_decoder: Any = av.CodecContext.create("libvpx-vp9", "r")
        else:
            self._alpha_decoder = None
        context = self._alpha_decoder or self._stream.codec_context
        context.thread_count = 1
        # Checked by the decoder itself, which would otherwise claim the memory before a frame can be looked at.
        context.options = {"max_pixels": str(self._limits.max_pixels)}

    def _check_index(self) -> None:
        """An index that points beyond the end of the file tells of a truncated one before anything is decoded."""
        last = max((entry.pos + entry.size for entry in self._stream.index_entries), default=0)
        size = self._file.stat().st_size
        if last > size:
            self.close()
            raise StoreError(
                f"{self._file}: truncated, {size} bytes of at least {last}; "
                "fetch it again or set ingest.limits.keep_truncated"
            )

    def _decoded(self) -> Iterator[av.VideoFrame]:
        if self._alpha_decoder is None:
            yield from self._container.decode(self._stream)
            return
        for packet in self._container.demux(self._stream):
            yield from self._alpha_decoder.decode(packet if packet.size else None)

    def _from_key_frame(self, pts: int) -> Iterator[av.VideoFrame] | None:
        """Frames from that of ``pts`` on, or None where seeking does not lead there."""
        # A key frame is found by when it is decoded, and in an open group frames that are shown before it follow it:
        # they need the group before, and are not all given out.
        for back in (0.0, 0.5, 2.0, 10.0):
            try:
                self._container.seek(pts - round(back / self.time_base), stream=self._stream)
                frames, sound = self._decoded(), False
                for frame in frames:
                    sound = sound or bool(frame.key_frame)
                    if sound and frame.pts == pts:
                        return chain([frame], frames)
                    if frame.pts is None or frame.pts >= pts:
                        break
            except av.error.FFmpegError:
                return None
        return None

    def _counted(self, decoded: Iterator[av.VideoFrame], number: int, first: int) -> Iterator[VideoPicture]:
        reformatter, aspect = VideoReformatter(), self._aspect()
        origin: int | None = None
        seconds = last = 0.0
        while True:
            try:
                frame = next(decoded, None)
            except av.error.FFmpegError as error:
                if number and self._limits.keep_truncated:
                    return
                raise StoreError(
                    f"{self._file}: cannot be decoded after {number} frames ({error.strerror}); truncated, damaged, "
                    "or beyond ingest.limits.max_pixels"
                ) from None
            if frame is None:
                break
            origin = frame.pts if origin is None else origin
            if frame.pts is not None and origin is not None:
                seconds = (frame.pts - origin) * self.time_base
            last = max((frame.duration or 0) * self.time_base, 1 / self.rate)
            check_length(self._file, number + 1, seconds, self._limits)
            check_size(self._file, frame.width, frame.height, self._limits)
            if number >= first:
                yield VideoPicture(number, frame, aspect, reformatter)
            number += 1
        if first == 0:
            self._check_end(number, seconds + last)

    def _check_end(self, count: int, seconds: float) -> None:
        if count == 0:
            raise StoreError(f"{self._file}: no frames in this video")
        noted = noted_seconds(self._stream)
        if noted - seconds > max(2.5 / self.rate, 0.02 * noted) and not self._limits.keep_truncated:
            raise StoreError(
                f"{self._file}: truncated, ends after {seconds:.2f} of {noted:.2f} s; "
                "fetch it again or set ingest.limits.keep_truncated"
            )

    def _aspect(self) -> float:
        """Width of a pixel over its height: DVD video has pixels that are not square."""
        aspect = float(self._stream.sample_aspect_ratio or 1)
        return aspect if 0.25 <= aspect <= 4 else 1.0
