"""A clip of any size laid into a square: its pixels, keypoints and flow, by one and the same mapping."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np


@dataclass(frozen=True)
class Letterbox:
    """How a clip of one size lies in a square: scaled to fit, centred.

    Attributes:
        width, height: pixels of the clip.
        size: pixels of the square's side.
    """

    width: int
    height: int
    size: int

    @cached_property
    def inner(self) -> tuple[int, int, int, int]:
        """left, top, width, height of the clip within the square, whole pixels."""
        scale = self.size / max(self.width, self.height)
        w, h = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        return (self.size - w) // 2, (self.size - h) // 2, w, h

    def points(self, keypoints: np.ndarray) -> np.ndarray:
        """Keypoints [..., 2] in [0, 1] of the clip -> in [0, 1] of the square, float32."""
        left, top, w, h = self.inner
        return ((keypoints * (w, h) + (left, top)) / self.size).astype(np.float32)

    def points_back(self, keypoints: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`points`."""
        left, top, w, h = self.inner
        return ((keypoints * self.size - (left, top)) / (w, h)).astype(np.float32)

    def frames(self, frames_u8: np.ndarray) -> np.ndarray:
        """uint8 [T, H, W, C] -> uint8 [T, C, size, size]; around it transparent, or RGB's border colour."""
        left, top, w, h = self.inner
        channels = frames_u8.shape[-1]
        border = border_colour(frames_u8) if channels == 3 else np.zeros(4, np.uint8)
        square = np.empty((len(frames_u8), channels, self.size, self.size), np.uint8)
        square[:] = border[:, None, None]
        method = cv2.INTER_AREA if w < self.width or h < self.height else cv2.INTER_LANCZOS4
        for target, frame in zip(square, frames_u8, strict=True):
            scaled = (
                frame
                if (w, h) == (self.width, self.height)
                else cv2.resize(frame, (w, h), interpolation=method)
            )
            if channels == 4:  # Lanczos overshoots; premultiplied colour stays below alpha
                scaled = np.concatenate(
                    [np.minimum(scaled[..., :3], scaled[..., 3:]), scaled[..., 3:]], axis=-1
                )
            target[:, top : top + h, left : left + w] = scaled.transpose(2, 0, 1)
        return square

    def flow(self, flow: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Flow [T-1, 2, h, w] and valid [T-1, 1, h, w] -> the same of the square, float16 and bool.

        Where the size changes, a new pixel is valid if every pixel under it was and they move alike (within
        half a new pixel): an average of two motions is the flow of neither.
        """
        left, top, w, h = self.inner
        source_h, source_w = flow.shape[-2:]
        out = np.zeros((len(flow), 2, self.size, self.size), np.float16)
        mask = np.zeros((len(flow), 1, self.size, self.size), bool)
        scale = np.array([w / source_w, h / source_h], np.float32)
        inside = np.s_[top : top + h, left : left + w]
        for f, v, out_f, out_v in zip(flow, valid, out, mask, strict=True):
            if (source_w, source_h) == (w, h):
                out_f[(slice(None), *inside)], out_v[(0, *inside)] = f, v[0]
                continue
            pixels = f.transpose(1, 2, 0).astype(np.float32) * scale
            reach = np.ones((2 * -(-source_h // (2 * h)) + 1, 2 * -(-source_w // (2 * w)) + 1), np.uint8)
            uneven = (cv2.dilate(pixels, reach) - cv2.erode(pixels, reach)).max(axis=-1) > 0.5
            good = cv2.erode((v[0] & ~uneven).astype(np.uint8), reach)
            area = cv2.INTER_AREA if w < source_w else cv2.INTER_LINEAR
            out_f[(slice(None), *inside)] = cv2.resize(pixels, (w, h), interpolation=area).transpose(2, 0, 1)
            out_v[(0, *inside)] = cv2.resize(good, (w, h), interpolation=cv2.INTER_NEAREST) > 0
        return out, mask


def border_colour(frames_u8: np.ndarray) -> np.ndarray:
    """Median colour of the outermost pixels of a clip: uint8 [T, H, W, C] -> uint8 [C]."""
    edges = [frames_u8[:, 0], frames_u8[:, -1], frames_u8[:, :, 0], frames_u8[:, :, -1]]
    return np.median(np.concatenate([e.reshape(-1, frames_u8.shape[-1]) for e in edges]), axis=0).astype(
        np.uint8
    )
