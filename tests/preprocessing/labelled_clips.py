"""Small labelled stores, tracks and media for the tests of import and export."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from preprocessing.label_track import LabelTrack
from temporal_gan.data.manifest import ClipLabels, ClipRow
from temporal_gan.data.store import Store
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import CANONICAL25, Skeleton
from temporal_gan.video_io import write_frames

TAILED = Skeleton(
    "lizard",
    ("Head", "Body", "Left-Hand", "Right-Hand", "Tail, end", "Tail"),
    ((1, 0), (1, 2), (1, 3), (1, 5), (5, 4)),
    ((2, 3),),
    (1, 1, 0, 2, 3, 2),
)


def pixels(frames: int, width: int = 20, height: int = 12, channels: int = 3, seed: int = 0) -> np.ndarray:
    """uint8 [T, H, W, C], premultiplied."""
    video = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 4)).astype(np.uint8)
    video[..., :3] = np.minimum(video[..., :3], video[..., 3:])
    return video if channels == 4 else np.ascontiguousarray(video[..., :3])


def random_track(frames: int, skeleton: Skeleton = CANONICAL25, seed: int = 0) -> LabelTrack:
    """Labels of every frame: missing joints, layers, holds and times of their own, half of the expressions."""
    rng = np.random.default_rng(seed)
    joints, channels = len(skeleton.joints), len(EXPRESSIONS)
    confidence = rng.random((frames, joints)).astype(np.float32)
    confidence[rng.random((frames, joints)) < 0.3] = 0
    confidence[:, 0] = 1
    return LabelTrack(
        frame=np.arange(frames),
        keypoints=rng.random((frames, joints, 2)).astype(np.float32),
        confidence=confidence,
        skeleton=skeleton,
        layer=rng.integers(0, 4, (frames, joints)),
        expression=rng.random((frames, channels)).astype(np.float32),
        expression_confidence=rng.integers(0, 2, (frames, channels)).astype(np.float32),
        origin=tuple(rng.choice(["detected", "manual", "imported"], frames).tolist()),
        time=np.cumsum(rng.uniform(0.01, 0.2, frames)),
        hold=np.arange(frames) // 2,
    )


def labels_of_track(track: LabelTrack) -> ClipLabels:
    """The same as a store keeps it."""
    assert track.layer is not None
    assert track.expression is not None
    assert track.expression_confidence is not None
    assert track.time is not None
    assert track.hold is not None
    return ClipLabels(
        track.keypoints,
        track.confidence,
        track.layer,
        track.expression,
        track.expression_confidence,
        track.time,
        track.hold,
        track.origins(),
    )


def labelled_store(
    path: Path, skeleton: Skeleton = CANONICAL25, lengths: tuple[int, ...] = (4, 1, 3), channels: int = 4
) -> Store:
    """Clips ``walk_0`` ... of one character, the last one the test split; sizes differ."""
    with StoreWriter(path, skeleton, EXPRESSIONS, 12.0, None, channels) as writer:
        for number, frames in enumerate(lengths):
            split = "test" if number == len(lengths) - 1 else "train"
            row = ClipRow(
                f"walk_{number}", skeleton.name, split, licence="CC0-1.0", flags=("dark",), fps=12.5
            )
            video = pixels(frames, 20 + 2 * number, 12, channels, number)
            writer.add_clip(row, video, labels_of_track(random_track(frames, skeleton, number)))
    return Store.open(path)


def write_clip(path: Path, frames: int = 3, width: int = 20, height: int = 12) -> Path:
    """A lossless clip; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_frames(path, pixels(frames, width, height), 12.5)
    return path


def same_labels(one: LabelTrack, other: LabelTrack) -> bool:
    """Whether two tracks agree in every field, to the last bit."""
    fields = [
        "frame", "keypoints", "confidence", "layer", "expression", "expression_confidence", "hands", "face_points",
        "time", "hold",
    ]  # fmt: skip
    for name in fields:
        a, b = getattr(one, name), getattr(other, name)
        if (a is None) != (b is None) or (a is not None and not np.array_equal(a, b)):
            return False
    return one.skeleton == other.skeleton and one.origins() == other.origins()


def with_extras(track: LabelTrack, seed: int = 0) -> LabelTrack:
    """The same with hands and a face of five points."""
    rng = np.random.default_rng(seed)
    frames = len(track.frame)
    hands, face = rng.random((frames, 2, 21, 3)), rng.random((frames, 5, 3))
    return replace(track, hands=hands.astype(np.float32), face_points=face.astype(np.float32))
