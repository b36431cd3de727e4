"""Straight and premultiplied alpha of uint8 pictures, and the white page."""

import cv2
import numpy as np


def premultiply(frames_u8: np.ndarray) -> np.ndarray:
    """Straight RGBA uint8 [..., 4] -> colour premultiplied by alpha, correctly rounded."""
    if not frames_u8.size:
        return frames_u8.copy()
    flat = np.ascontiguousarray(frames_u8).reshape(1, -1, 4)
    alpha = np.ascontiguousarray(flat[..., 3])
    # 255 times itself over 255 stays what it is.
    by = cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)])
    return np.asarray(cv2.multiply(flat, by, scale=1 / 255)).reshape(frames_u8.shape)


def straighten(frames_u8: np.ndarray) -> np.ndarray:
    """Premultiplied RGBA uint8 [..., 4] -> straight alpha. :func:`premultiply` takes it back without loss."""
    made = np.array(frames_u8, order="C")
    pixels = made.view("<u4")
    # Most are opaque or nothing at all, and those stay as they are.
    soft = (pixels < 0xFF000000) & (pixels & 0xFFFFFF != 0)
    colour = pixels[soft].view(np.uint8).reshape(-1, 4)
    colour[:, :3] = _STRAIGHT[(colour[:, 3:].astype(np.uint16) << 8) | colour[:, :3]]
    pixels[soft] = colour.view("<u4")[:, 0]
    return made


def _straight_table() -> np.ndarray:
    alpha = np.arange(256, dtype=np.uint32)[:, None]
    colour = np.arange(256, dtype=np.uint32)[None, :]
    return np.minimum((colour * 255 + alpha // 2) // np.maximum(alpha, 1), 255).astype(np.uint8).reshape(-1)


_STRAIGHT = _straight_table()


def over_white(frames_u8: np.ndarray) -> np.ndarray:
    """Premultiplied RGBA or RGB uint8 [..., C] -> RGB uint8 [..., 3] on a white page."""
    if frames_u8.shape[-1] == 3 or not frames_u8.size:
        return frames_u8[..., :3]
    flat = np.ascontiguousarray(frames_u8).reshape(1, -1, 4)
    alpha = cv2.cvtColor(flat[..., 3].copy(), cv2.COLOR_GRAY2RGB)
    # What is missing to alpha is missing to white. A clip that was made, not read, may have colour above its alpha:
    # OpenCV's difference stops at 0.
    missing = cv2.subtract(alpha, cv2.cvtColor(flat, cv2.COLOR_RGBA2RGB))
    return np.asarray(cv2.bitwise_not(missing)).reshape(*frames_u8.shape[:-1], 3)
