"""A small store of moving dots, with exact keypoints and flow, for the tests of this folder."""

from pathlib import Path

import numpy as np

from temporal_gan.data.manifest import ClipLabels, ClipRow
from temporal_gan.data.store import Store
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.skeletons import Skeleton

SKELETON = Skeleton("stick", ("head", "left_hand", "right_hand"), ((0, 1), (0, 2)), ((1, 2),), (1, 0, 2))
EXPRESSIONS = ("neutral", "happy", "eyeBlinkLeft", "eyeBlinkRight")


def moving_clip(
    frames: int, width: int, height: int, channels: int, seed: int = 0
) -> tuple[np.ndarray, ClipLabels, dict[str, np.ndarray]]:
    """A smooth texture shifting (1, 0.5) px a frame, its alpha a soft disc; joints move along; exact flow."""
    rng = np.random.default_rng(seed)
    waves = rng.uniform(-0.4, 0.4, (6, 2)), rng.uniform(0, 6, (6, 3))
    y, x = np.indices((height, width)) + 0.5
    points = np.zeros((frames, 3, 2), np.float32)
    video = np.zeros((frames, height, width, 4))
    for t in range(frames):
        u, v = x - t, y - 0.5 * t
        for wave, phase in zip(*waves, strict=True):
            video[t, ..., :3] += np.sin((u * wave[0] + v * wave[1])[..., None] + phase) / 6
        middle = np.array([width * 0.4 + t, height * 0.4 + 0.5 * t])
        distance = np.hypot(x - middle[0], y - middle[1])
        video[t, ..., 3] = 1 / (1 + np.exp(distance - min(width, height) * 0.3))
        points[t] = (middle + [[0, 0], [2, 2], [-4, 2]]) / (width, height)
    video[..., :3] = (video[..., :3] * 0.5 + 0.5) * video[..., 3:]
    frames_u8 = np.rint(video * 255).astype(np.uint8)
    if channels == 3:
        frames_u8 = frames_u8[..., :3] + 255 - frames_u8[..., 3:]
    expression = np.tile(np.float32([0.2, 0.8, 1.0, 0.0]), (frames, 1))
    labels = ClipLabels(
        keypoints=points,
        confidence=np.ones((frames, 3), np.float32),
        layer=np.tile(np.array(SKELETON.layers), (frames, 1)),
        expression=expression,
        expression_confidence=np.ones_like(expression),
        time=np.arange(frames) / 12,
        hold=np.arange(frames),
        origin="rendered",
    )
    flow = np.zeros((frames - 1, 2, height, width), np.float32)
    flow[:, 0], flow[:, 1] = 1.0, 0.5
    valid = np.ones((frames - 1, 1, height, width), bool)
    valid[..., -1], valid[..., -1, :] = False, False
    return frames_u8, labels, {"flow": flow, "flow_valid": valid}


def make_store(
    folder: Path,
    lengths: tuple[int, ...] = (6, 4, 5),
    channels: int = 4,
    size: tuple[int, int] | None = (24, 16),
    truth: bool = True,
) -> Store:
    """An opened store of clips ``clip_0`` ... of these lengths; the last one is the test split."""
    with StoreWriter(folder, SKELETON, EXPRESSIONS, 12, size, channels) as writer:
        for n, length in enumerate(lengths):
            w, h = size or (24 + 2 * n, 16)
            video, labels, exact = moving_clip(length, w, h, channels, seed=n)
            split = "test" if n == len(lengths) - 1 and n else "train"
            row = ClipRow(
                f"clip_{n}", f"character {n % 2}", split, licence="CC0-1.0", flags=("dark", "short")
            )
            writer.add_clip(row, video, labels, exact if truth else None)
    return Store.open(folder)
