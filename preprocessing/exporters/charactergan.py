"""Frames and labels -> a folder of drawings in CharacterGAN's format (temporal_gan.drawings)."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from temporal_gan.errors import UserError
from temporal_gan.skeletons import Skeleton
from temporal_gan.video_io import write_frames

from ..label_track import LabelTrack


class DrawingsFolder:
    """One character's folder in the making.

    The format holds places of joints and nothing else of a frame: a joint is there or not, its layer is the skeleton's,
    and there is no expression, drawing held, time or origin. A clip of one frame becomes ``<name>.png``, any other
    ``<name>_00000.png`` and so on.

    Args:
        folder: to be made; its name is the character's.
        skeleton: of all labels.
    """

    def __init__(self, folder: Path, skeleton: Skeleton) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        neighbours: list[list[str]] = [[] for _ in skeleton.joints]
        for a, b in skeleton.edges:
            neighbours[a].append(skeleton.joints[b])
            neighbours[b].append(skeleton.joints[a])
        rows = zip(skeleton.joints, neighbours, strict=True)
        self._write("keypoints_skeleton.csv", [[joint, *others] for joint, others in rows])
        self._write("keypoints_layers.csv", list(zip(skeleton.joints, skeleton.layers, strict=True)))
        self._write("keypoints.csv", [])

    def add(self, name: str, track: LabelTrack, frames_u8: np.ndarray) -> None:
        """Add a clip: uint8 [T, H, W, C], RGBA premultiplied, of the T frames of the labels."""
        height, width = frames_u8.shape[1:3]
        rows: list[Sequence[object]] = []
        for number, frame in enumerate(frames_u8):
            file = f"{name}.png" if len(frames_u8) == 1 else f"{name}_{number:05d}.png"
            if (self._folder / file).exists():
                raise UserError(
                    f"clip {name}: another clip's frame is named {file} too; rename one of the clips"
                )
            write_frames(self._folder / file, frame[None], 1.0)
            places = track.keypoints[number].astype(np.float64) * (width, height) - 0.5
            for joint, (x, y), sure in zip(
                track.skeleton.joints, places.tolist(), track.confidence[number], strict=True
            ):
                if sure > 0:
                    rows.append([joint, x, y, file])
        self._write("keypoints.csv", rows)

    def _write(self, file: str, rows: Sequence[Sequence[object]]) -> None:
        with (self._folder / file).open("a", newline="", encoding="utf-8") as opened:
            csv.writer(opened, lineterminator="\n").writerows(rows)
