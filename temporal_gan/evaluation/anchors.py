"""What a clip that certainly is good or bad would score: without it nobody can read the numbers."""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor

from .. import rng
from ..batch import composite_on_white
from ..errors import UserError
from .clip_pairs import ClipPair, resize_clip
from .keypoint_transfer import to_frames_u8
from .measurement import measure, prepare_made
from .measurement_values import Measurement
from .protocols import Protocol
from .real_clip import Perception, RealClip

JPEG_QUALITY = 90

NearestFrames = Callable[[ClipPair], Tensor]
"""For a pair, the training frame nearest to each real frame: [T, 3 or 4, h, w] in [0, 1]."""


def measure_anchors(
    pair: ClipPair,
    real: RealClip,
    protocol: Protocol,
    perception: Perception,
    nearest: NearestFrames | None,
) -> dict[str, Measurement]:
    """Name -> the anchor's scores on this clip, by the same code as the made clip's.

    Args:
        pair: validated.
        real: its real side.
        protocol: which anchors.
        perception: the networks, or why there are none.
        nearest: adds ``nearest_training_frame``.
    Raises:
        UserError: ``nearest`` gives another number of frames than the clip has.
    """
    frames = len(real.rgb)
    found = {}
    for name in protocol.anchors:
        order = _order(name, frames, protocol.seed, pair.clip_id)
        if order is not None:
            # The reader has seen these very frames in the real clip.
            reading = None if real.read is None else real.read.reading.frames(order)
            # The frozen one's first frame is the real one: 100 dB in the mean would make a bad anchor look good.
            first = int(name == "copy_first_frame")
            found[name] = measure(real.rgb[order], real, protocol, perception, first, reading)
            continue
        candidate = _candidate(name, pair, real)
        if candidate is not None:
            found[name] = measure(candidate, real, protocol, perception)
    if nearest is not None:
        copied = nearest(pair)
        if copied.ndim != 4 or len(copied) != frames:
            raise UserError(
                f"clip {pair.clip_id}: nearest_training_frame gave {tuple(copied.shape)}, "
                f"expected {frames} frames"
            )
        found["nearest_training_frame"] = measure(prepare_made(copied, real), real, protocol, perception)
    return found


def _order(name: str, frames: int, seed: int, clip_id: str) -> Tensor | None:
    """Which real frame an anchor shows at each moment, int64 [T]; None where it shows something else."""
    if name == "copy_first_frame" and frames >= 2:
        return torch.zeros(frames, dtype=torch.int64)
    if name == "shuffled" and frames >= 2:
        return torch.from_numpy(shuffled_order(frames, seed, clip_id))
    return None


def _candidate(name: str, pair: ClipPair, real: RealClip) -> Tensor | None:
    """[T, 3, H, W] in [0, 1], or None where the clip allows no such anchor."""
    if name == "real_saved_as_jpeg":
        return saved_as_jpeg(real.rgb)
    if name == "blank_page":
        return torch.ones_like(real.rgb)
    if name != "other_character" or pair.other_real is None:
        return None
    looped = pair.other_real[torch.arange(len(real.rgb)) % len(pair.other_real)]
    return composite_on_white(resize_clip(looped.float().clamp(0, 1), *real.rgb.shape[-2:]))


def saved_as_jpeg(rgb: Tensor) -> Tensor:
    """[T, 3, H, W] in [0, 1] -> the same through JPEG of quality 90 with halved chroma, picture by picture."""
    read = []
    for frame in to_frames_u8(rgb):
        _, code = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        read.append(np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))[..., ::-1])
    return torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).float() / 255


def shuffled_order(frames: int, seed: int, clip_id: str) -> np.ndarray:
    """int64 [T]: a random order in which no frame keeps its place (T >= 2), the same every time."""
    around = rng.numpy_generator(seed, "shuffled", clip_id).permutation(frames)
    order = np.empty(frames, np.int64)
    # Each frame takes the place of the next one around a random circle.
    order[around] = np.roll(around, -1)
    return order
