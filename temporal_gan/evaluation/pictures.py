"""Pictures for the report, as bytes that any browser shows offline: animations, film strips, error maps."""

import base64
import io
import math
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image
from torch import Tensor

from ..optical_flow import SMALLEST_SIDE, dis_flow
from .keypoint_transfer import to_frames_u8

LARGEST_SIDE = 256
"""Pixels; larger clips are shrunk for the report (never for the scores)."""

ERROR_SCALE = 0.4
"""Mean absolute difference, on [0, 1], that gets the brightest colour of an error map."""

_ANIMATION_FRAMES = 96
_GAP = 4


@dataclass
class ShownClip:
    """What the report keeps of one clip.

    Attributes:
        clip_id, character, fps: of the clip.
        score: by which worst and best were chosen (foreground PSNR, or PSNR where there is no foreground).
        made, real: uint8 [T, h, w, 3], at most 256 px on the longer side.
        error: float32 [h, w], mean over time and colours of |made - real|, on [0, 1].
        psnr_per_frame: dB.
        motion: mean length of the optical flow from each frame to the next, pixels, of made and real; or None.
        values: metric name -> value.
    """

    clip_id: str
    character: str
    fps: float
    score: float
    made: np.ndarray
    real: np.ndarray
    error: np.ndarray
    psnr_per_frame: list[float]
    motion: tuple[list[float], list[float]] | None
    values: dict[str, float]


def shrink(frames: np.ndarray) -> np.ndarray:
    """uint8 [T, H, W, 3] -> the same with the longer side at most 256."""
    height, width = frames.shape[1:3]
    scale = LARGEST_SIDE / max(height, width)
    if scale >= 1:
        return frames
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])


def show_clip(
    clip_id: str,
    character: str,
    fps: float,
    score: float,
    made: Tensor,
    real: Tensor,
    psnr: list[float],
    values: dict[str, float],
) -> ShownClip:
    """The small version of a scored clip: made and real [T, 3, H, W] in [0, 1]."""
    made_u8, real_u8 = shrink(to_frames_u8(made)), shrink(to_frames_u8(real))
    error = np.zeros(made_u8.shape[1:3], np.float32)
    for made_frame, real_frame in zip(made_u8, real_u8, strict=True):
        error += np.abs(made_frame.astype(np.float32) - real_frame).mean(axis=-1) / 255
    error /= len(made_u8)
    motion = (_mean_motion(to_frames_u8(made)), _mean_motion(to_frames_u8(real))) if len(made) > 1 else None
    return ShownClip(clip_id, character, fps, score, made_u8, real_u8, error, psnr, motion, values)


def _mean_motion(frames_u8: np.ndarray) -> list[float]:
    if max(frames_u8.shape[1:3]) < SMALLEST_SIDE:
        return [math.nan] * (len(frames_u8) - 1)
    flow = dis_flow(frames_u8)
    return [float(np.hypot(step[0], step[1]).mean()) for step in flow]


def side_by_side(made: np.ndarray, real: np.ndarray) -> np.ndarray:
    """uint8 [T, h, w, 3] twice -> [T, h, 2w + gap, 3], made on the left."""
    gap = np.full((*made.shape[:2], _GAP, 3), 255, np.uint8)
    return np.concatenate([made, gap, real], axis=2)


def animation(frames: np.ndarray, fps: float) -> str:
    """:func:`animated_webp` as a data URI."""
    return data_uri("image/webp", animated_webp(frames, fps))


def animated_webp(frames: np.ndarray, fps: float) -> bytes:
    """A looping WebP: uint8 [T, h, w, 3] at fps (long clips are cut to 96 frames).

    WebP rather than H.264 in MP4: every current browser plays it in an <img>, even one built without licensed
    codecs.
    """
    images = [Image.fromarray(frame) for frame in _enlarge(frames[:_ANIMATION_FRAMES])]
    buffer = io.BytesIO()
    images[0].save(
        buffer, "WEBP", save_all=True, append_images=images[1:], duration=max(1, round(1000 / fps)), loop=0,
        quality=82, method=2,
    )  # fmt: skip
    return buffer.getvalue()


def film_strip(made: np.ndarray, real: np.ndarray, columns: int = 6) -> str:
    """Evenly spaced frames, made above real, as a data URI: uint8 [T, h, w, 3] twice."""
    picks = np.unique(np.linspace(0, len(made) - 1, min(columns, len(made))).round().astype(int))
    rows = [np.concatenate(list(clip[picks]), axis=1) for clip in (made, real)]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(rows, axis=0)).save(buffer, "WEBP", quality=85)
    return data_uri("image/webp", buffer.getvalue())


def error_map(error: np.ndarray) -> str:
    """Mean difference as a colour map (dark = right), one scale for all clips, as a data URI."""
    grey = (np.clip(error / ERROR_SCALE, 0, 1) * 255).round().astype(np.uint8)
    colour = cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    buffer = io.BytesIO()
    Image.fromarray(_enlarge(colour[None])[0]).save(buffer, "WEBP", quality=90)
    return data_uri("image/webp", buffer.getvalue())


def _enlarge(frames: np.ndarray) -> np.ndarray:
    """Whole-number enlargement of small clips: pixels stay pixels, chroma subsampling does no harm."""
    factor = max(1, LARGEST_SIDE // frames.shape[1])
    return frames.repeat(factor, axis=1).repeat(factor, axis=2) if factor > 1 else frames


def data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
