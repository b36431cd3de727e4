"""Straight and premultiplied alpha of uint8 pictures, and the white page."""

import numpy as np


def premultiply(frames_u8: np.ndarray) -> np.ndarray:
    """Straight RGBA uint8 [..., 4] -> colour premultiplied by alpha, correctly rounded."""
    alpha = frames_u8[..., 3:].astype(np.uint16)
    product = frames_u8[..., :3] * alpha + np.uint16(128)
    colour = (product + (product >> 8)) >> 8  # product / 255, rounded, without leaving 16 bits
    return np.concatenate([colour.astype(np.uint8), frames_u8[..., 3:]], axis=-1)


def straighten(frames_u8: np.ndarray) -> np.ndarray:
    """Premultiplied RGBA uint8 [..., 4] -> straight alpha. :func:`premultiply` takes it back without loss."""
    alpha = frames_u8[..., 3]
    flat = (alpha.astype(np.uint16) << 8)[..., None] | frames_u8[..., :3]
    return np.concatenate([_STRAIGHT[flat], alpha[..., None]], axis=-1)


def _straight_table() -> np.ndarray:
    alpha = np.arange(256, dtype=np.uint32)[:, None]
    colour = np.arange(256, dtype=np.uint32)[None, :]
    return np.minimum((colour * 255 + alpha // 2) // np.maximum(alpha, 1), 255).astype(np.uint8).reshape(-1)


_STRAIGHT = _straight_table()


def over_white(frames_u8: np.ndarray) -> np.ndarray:
    """Premultiplied RGBA or RGB uint8 [..., C] -> RGB uint8 [..., 3] on a white page."""
    if frames_u8.shape[-1] == 3:
        return frames_u8
    # min: a clip that was made, not read, may have colour above its alpha.
    rest = 255 - np.maximum(frames_u8[..., 3:], frames_u8[..., :3])
    return frames_u8[..., :3] + rest
