"""Pose sequences, and reading them from files other programs write."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import UserError
from .skeletons import CANONICAL25, Skeleton, to_canonical25
from .video_io import natural_key

_MOST_PIXELS = 10**6
"""Beyond this a number in a file is damage, no place in a picture."""


@dataclass(frozen=True)
class PoseSequence:
    """A pose over time.

    Attributes:
        keypoints: float32 [T, J, 2], x, y in [0, 1].
        confidence: float32 [T, J], 0 = missing.
        layer: int64 [T, J], depth layer, 0 nearest.
        fps: frames per second.
        skeleton: of the J joints.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    layer: np.ndarray
    fps: float
    skeleton: Skeleton

    def __len__(self) -> int:
        return len(self.keypoints)

    def resampled(self, frames: int) -> "PoseSequence":
        """The first ``frames`` frames; beyond its end the sequence goes back and forth without repeating an end.

        Walking back along the same poses keeps the motion continuous, which starting again would not.
        """
        if frames < 1:
            raise UserError(f"--frames {frames}: expected at least 1")
        count = len(self)
        period = max(2 * count - 2, 1)
        step = np.arange(frames) % period
        index = np.where(step < count, step, period - step)
        return PoseSequence(
            self.keypoints[index], self.confidence[index], self.layer[index], self.fps, self.skeleton
        )


def read_openpose_folder(
    folder: Path | str, fps: float, width: float | None = None, height: float | None = None
) -> PoseSequence:
    """Read a folder of OpenPose JSON files, one a frame in natural order, as canonical25.

    Knows 18 (COCO order of OpenPose) and 25 (BODY_25) keypoints a person. The first person of each file is taken; a
    file without people is a frame in which every joint is missing.

    Args:
        folder: with at least one .json file.
        fps: of the sequence; the files do not say.
        width, height: pixels of the picture the keypoints refer to. None: ``canvas_width`` and ``canvas_height`` of the
            files, else the keypoints are taken as already within [0, 1] if all are, else fitted into the frame with a
            tenth of margin.
    Raises:
        UserError: file and reason.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is a file, expected a folder" if folder.exists() else "no such folder"
        raise UserError(f"{folder}: {what} with OpenPose .json files")
    files = sorted((f for f in folder.glob("*.json") if f.is_file()), key=lambda f: natural_key(f.name))
    if not files:
        raise UserError(f"{folder}: no OpenPose .json files in this folder")
    points, confidences = [], []
    for file in files:
        data = _read_json(file)
        width, height = (
            width or _canvas(file, data, "canvas_width"),
            height or _canvas(file, data, "canvas_height"),
        )
        keypoints, confidence = _first_person(file, data)
        points.append(keypoints)
        confidences.append(confidence)
    keypoints, confidence = np.stack(points), np.stack(confidences)
    if not (confidence > 0).any():
        raise UserError(f"{folder}: no person in any of its {len(files)} files")
    keypoints = _to_unit_square(keypoints, confidence, width, height)
    outside = (keypoints < 0).any(-1) | (keypoints > 1).any(-1)
    confidence = np.where(outside, 0, confidence).astype(np.float32)
    return PoseSequence(
        keypoints=np.clip(keypoints, 0, 1).astype(np.float32),
        confidence=confidence,
        layer=np.tile(np.array(CANONICAL25.layers, np.int64), (len(files), 1)),
        fps=fps,
        skeleton=CANONICAL25,
    )


def _read_json(file: Path) -> dict:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file}: not readable JSON: {error}") from None
    # ControlNet's editors write a list of one frame.
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if not isinstance(data, dict) or not isinstance(data.get("people"), list):
        raise UserError(f"{file}: expected OpenPose JSON with a list 'people'")
    return data


def _canvas(file: Path, data: dict, side: str) -> float | None:
    pixels = data.get(side)
    if not pixels:
        return None
    if not isinstance(pixels, int | float) or not 1 <= pixels <= _MOST_PIXELS:
        raise UserError(f"{file}: {side} is {pixels!r:.40}, expected 1 to {_MOST_PIXELS} pixels")
    return pixels


def _first_person(file: Path, data: dict) -> tuple[np.ndarray, np.ndarray]:
    if not data["people"]:
        return np.zeros((25, 2), np.float32), np.zeros(25, np.float32)
    try:
        flat = np.array(data["people"][0]["pose_keypoints_2d"], float)
    except (KeyError, TypeError, ValueError, IndexError):
        raise UserError(f"{file}: people[0] has no list of numbers 'pose_keypoints_2d'") from None
    if flat.size not in (54, 75):
        raise UserError(
            f"{file}: {flat.size} numbers in pose_keypoints_2d, expected 54 (18 joints) or 75 (25 joints)"
        )
    if not np.isfinite(flat).all() or np.abs(flat).max() > _MOST_PIXELS:
        raise UserError(
            f"{file}: pose_keypoints_2d holds a value that is not a finite number or beyond {_MOST_PIXELS}"
        )
    joints = flat.astype(np.float32).reshape(-1, 3)
    convention = "openpose18" if len(joints) == 18 else "body25"
    return to_canonical25(joints[:, :2], np.clip(joints[:, 2], 0, 1), convention)


def _to_unit_square(
    keypoints: np.ndarray, confidence: np.ndarray, width: float | None, height: float | None
) -> np.ndarray:
    """Fit into the square frame: the picture letterboxed, or without its size the person itself."""
    there = keypoints[confidence > 0]
    if width and height:
        side = max(width, height)
        return (keypoints + np.array([(side - width) / 2, (side - height) / 2])) / side
    if there.min() >= 0 and there.max() <= 1:
        return keypoints
    low, high = there.min(0), there.max(0)
    side = max((high - low).max() / 0.8, 1e-6)
    return (keypoints - (low + high) / 2) / side + 0.5
