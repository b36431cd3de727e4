"""Do two clips show the same moments? Frame rates as formats keep them, and drawings held over several frames."""

from dataclasses import dataclass, replace

import numpy as np

from ..errors import UserError
from ..video_io import Frames

TOLERANCE_SECONDS = {".gif": 0.0075, ".webp": 0.001, ".apng": 0.001}
"""By which a frame's time may be off for the format's sake: GIF counts hundredths, and some tools cut off."""


@dataclass(frozen=True)
class TimedClip:
    """A clip with its timing.

    Attributes:
        frames_u8: uint8 [T, H, W, 3 or 4].
        fps: frames per second; None for pictures, which carry no rate.
        times: float64 [T] seconds.
        tolerance: seconds, of the file's format.
    """

    frames_u8: np.ndarray
    fps: float | None
    times: np.ndarray
    tolerance: float = 0.0

    @staticmethod
    def of(frames: Frames, suffix: str, pictures: bool) -> "TimedClip":
        """A decoded file."""
        tolerance = TOLERANCE_SECONDS.get(suffix.lower(), 0.0)
        return TimedClip(frames.frames_u8, None if pictures else frames.fps, frames.times, tolerance)


def on_one_clock(clip_id: str, made: TimedClip, real: TimedClip) -> tuple[TimedClip, TimedClip]:
    """Both clips frame by frame, or a refusal.

    GIF, APNG and WebP store equal neighbours once and show them longer: such a clip is written out again on the
    other one's clock. No frame is dropped, none is made up, and nothing else is resampled.

    Raises:
        UserError: the frame rates differ; the clip is named.
    """
    if len(made.frames_u8) < len(real.frames_u8):
        made = _held_frames_written_out(made, real)
    elif len(real.frames_u8) < len(made.frames_u8):
        real = _held_frames_written_out(real, made)
    if made.fps is not None and real.fps is not None:
        allowed = max(made.tolerance, real.tolerance) + 0.01 / real.fps
        if abs(1 / made.fps - 1 / real.fps) > allowed:
            raise UserError(
                f"clip {clip_id}: made at {made.fps:g} frames per second, the real one at {real.fps:g}; convert one "
                "of them, clips are never resampled silently"
            )
    return made, real


def _held_frames_written_out(clip: TimedClip, clock: TimedClip) -> TimedClip:
    if not clip.tolerance or clip.fps is None or clock.fps is None:
        return clip
    count = len(clock.frames_u8)
    duration = len(clip.frames_u8) / clip.fps
    slack = clip.tolerance + 0.1 / clock.fps
    if abs(duration - count / clock.fps) > slack * len(clip.frames_u8):
        return clip
    # The frame on screen at the middle of each tick of the clock.
    ticks = (np.arange(count) + 0.5) * duration / count
    shown = np.searchsorted(clip.times, ticks, side="right") - 1
    if len(np.unique(shown)) < len(clip.frames_u8):
        return clip
    return replace(clip, frames_u8=clip.frames_u8[shown], fps=count / duration, times=clip.times[shown])
