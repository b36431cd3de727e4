"""Clips for the tests of face, expression, crop and flow: puppets with exact labels, and plain pictures."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from preprocessing.clip import Clip, Face, Pose, Source
from temporal_gan.puppet.clip import PuppetClip, render_clip
from temporal_gan.puppet.spec import PuppetSpec

SOURCE = Source(Path("in.mp4"), "in.mp4", "0" * 64, "someone")


def plain_clip(frames_u8: np.ndarray, hold: list[int] | None = None) -> Clip:
    """Pictures uint8 [T, H, W, C], each a drawing of its own unless ``hold`` says otherwise."""
    count = len(frames_u8)
    holds = np.arange(count) if hold is None else np.array(hold)
    return Clip("in_0000", SOURCE, 0.0, count / 24, 24.0, frames_u8, np.arange(count), holds)


def points_face(points: np.ndarray, confidence: np.ndarray) -> Face:
    """A face of exact points [T, 28, 2] and confidence [T, 28]."""
    box = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1).astype(np.float32)
    whole = np.concatenate([points, confidence[..., None]], axis=-1).astype(np.float32)
    return Face(box, np.ones(len(points), np.float32), whole)


def puppet_pose(puppet: PuppetClip) -> Pose:
    """Exact joints."""
    nothing = Pose.nothing(len(puppet.video), "")
    return Pose(puppet.keypoints, puppet.confidence, nothing.origin, None, nothing.verdict)


@lru_cache(maxsize=16)
def puppet(
    expression: str = "auto:happy", frames: int = 6, hold: int = 1, size: int = 64, motion: str = "walk"
) -> PuppetClip:
    """One character, with whatever truth there is."""
    spec = PuppetSpec("sample:5", motion, expression, 3, frames=frames, size=size, hold=hold)
    return render_clip(spec, truth=True)
