"""The same clip by several methods, made equal in all that is not the method: size, frame rate, length, page."""

import base64
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..alpha import over_white
from ..errors import UserError
from ..video_io import Frames, write_frames

LARGEST_SIDE = 512
"""Pixels; larger clips are shrunk: two fit beside each other on a laptop's screen."""

SMALLEST_SIDE = 256
"""Smaller clips are enlarged by a whole number: pixels stay pixels, and the codec's halved colour does no harm."""

MOST_FPS = 60.0
LONGEST_S = 20.0

_LENGTH_TOLERANCE = 0.1
_STILL_S = 1.0


def equal_clips(clips: Sequence[tuple[str, Frames]]) -> tuple[list[np.ndarray], float]:
    """Bring one clip by several methods to one size, frame rate and length.

    The fastest frame rate is kept, slower clips hold their frames; the largest size is kept, smaller clips are
    enlarged (bicubic, proportions kept, white margins); lengths that differ a little are cut to the shortest.

    Args:
        clips: (what to call it in an error, decoded clip) of each method.
    Returns:
        uint8 [T, H, W, 3] of each, all alike, H and W even; frames per second.
    Raises:
        UserError: a clip is longer than 20 s, or lengths differ by more than a tenth and more than a frame.
    """
    fps = min(MOST_FPS, max(clip.fps for _, clip in clips))
    lengths = [float(clip.times[-1]) + 1 / clip.fps for _, clip in clips]
    for (name, _), length in zip(clips, lengths, strict=True):
        if length > LONGEST_S:
            raise UserError(
                f"{name}: lasts {length:.1f} s, a study's clips at most {LONGEST_S:g} s; cut it shorter"
            )
    short, long = int(np.argmin(lengths)), int(np.argmax(lengths))
    frame = max(1 / clip.fps for _, clip in clips)
    if lengths[long] - lengths[short] > max(_LENGTH_TOLERANCE * lengths[long], frame) + 1e-6:
        raise UserError(
            f"{clips[long][0]}: lasts {lengths[long]:.2f} s, but {clips[short][0]} {lengths[short]:.2f} s; "
            "clips that are compared must be equally long"
        )
    count = max(1, round(lengths[short] * fps))
    if all(len(clip.frames_u8) == 1 for _, clip in clips):
        count = round(_STILL_S * fps)
    moments = np.arange(count) / fps
    videos = []
    for _, clip in clips:
        # Half a frame of slack: a time that is off by rounding must not show the frame before.
        picks = np.searchsorted(clip.times, moments + 0.5 / fps, side="right") - 1
        videos.append(over_white(clip.frames_u8)[np.clip(picks, 0, len(clip.frames_u8) - 1)])
    height, width = _common_size([video.shape[1:3] for video in videos])
    return [np.stack([_fit(frame, height, width) for frame in video]) for video in videos], fps


def broken_copy(video: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A copy that nobody who looks can prefer: uint8 [T, H, W, 3], frozen and covered with coarse noise."""
    _, height, width, _ = video.shape
    cell = max(2, min(height, width) // 64)
    small = (-(-height // cell), -(-width // cell), 3)
    noise = generator.normal(0, 70, small).repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]
    spoilt = (video[0] + noise).clip(0, 255).astype(np.uint8)
    return np.broadcast_to(spoilt, video.shape)


def data_uri(video: np.ndarray, fps: float) -> str:
    """H.264 in mp4, as a data URI that a page can hold: uint8 [T, H, W, 3], even H and W."""
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "clip.mp4"
        write_frames(path, video, fps)
        return "data:video/mp4;base64," + base64.b64encode(path.read_bytes()).decode()


def _common_size(sizes: Sequence[tuple[int, ...]]) -> tuple[int, int]:
    height, width = max(s[0] for s in sizes), max(s[1] for s in sizes)
    enlarged = max(1, SMALLEST_SIDE // max(height, width))
    scale = min(enlarged, LARGEST_SIDE / max(height, width))
    return tuple(max(2, 2 * round(side * scale / 2)) for side in (height, width))  # type: ignore[return-value]


def _fit(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    scale = min(height / frame.shape[0], width / frame.shape[1])
    factor = round(scale)
    if factor >= 1 and abs(scale - factor) * max(height, width) < 2:
        frame = frame.repeat(factor, axis=0).repeat(factor, axis=1)[:height, :width]
    else:
        size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (height - frame.shape[0]) // 2, (width - frame.shape[1]) // 2
    page = np.full((height, width, 3), 255, np.uint8)
    page[top : top + frame.shape[0], left : left + frame.shape[1]] = frame
    return page
