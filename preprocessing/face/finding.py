"""The face of each drawing: looked for around the head where a pose tells where that is, else everywhere."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field
from scipy.ndimage import median_filter

from temporal_gan.alpha import over_white
from temporal_gan.config import Section
from temporal_gan.skeletons import CANONICAL25

from ..clip import Clip, Face, Pose
from ..detection import FaceBackend, FaceDetection
from .cascade import CascadeFaces
from .chain import ChainedFaces
from .looking import look_within

_HEAD = [
    CANONICAL25.joints.index(n) for n in ("nose", "right_eye", "left_eye", "right_ear", "left_ear", "neck")
]
_NECK = _HEAD[-1]


class FaceConfig(Section):
    """How faces are found."""

    backend: Literal["mediapipe", "mediapipe-offline", "rtmlib", "reader", "none"] | None = Field(
        default=None, description="who looks; null: the pose's own backend"
    )
    cascade: Path | None = Field(
        default=None,
        description="XML of lbpcascade_animeface or the like; on 108 anime frames it finds 58 % of the faces, of other "
        "styles than MediaPipe's 52 %",
    )
    around_head: float = Field(
        default=1.8, ge=1, description="sides of the head's joints' box in which to look first"
    )
    jump: float = Field(
        default=0.8,
        gt=0,
        description="a box is wrong if it is that many of its sides from its neighbours' median",
    )
    growth: float = Field(default=1.7, gt=1, description="or that many times as large or small")
    neighbours: int = Field(default=5, ge=3, description="drawings of that median, odd")


def open_face_finder(backend: FaceBackend | None, config: FaceConfig) -> FaceBackend | None:
    """A backend with the cascade before it, where there is one; whatever there is, or None.

    Raises:
        UserError: the cascade cannot be read.
    """
    if config.cascade is None:
        return backend
    cascade = CascadeFaces(config.cascade)
    return cascade if backend is None else ChainedFaces(cascade, backend)


def find_face(clip: Clip, backend: FaceBackend | None, config: FaceConfig) -> Clip:
    """Find the face in each drawing; frames that show the same drawing share the answer.

    Args:
        clip: with its pose, where one was looked for.
        backend: who looks; None: nobody, and ``face`` stays None.
        config: where to look, and which jumps are mistakes.
    Returns:
        with ``face`` and facts ``frames_with_face`` (frames), ``face_jumps`` (drawings whose box was thrown away).
    """
    if backend is None:
        return replace(clip, face=None).with_facts(frames_with_face=0.0, face_jumps=0.0)
    found = [_look(clip, int(t), backend, config) for t in clip.drawings]
    jumps = _jumps(found, clip.frames_u8.shape[2], clip.frames_u8.shape[1], config)
    found = [None if wrong else one for one, wrong in zip(found, jumps, strict=True)]
    row = np.searchsorted(np.unique(clip.hold), clip.hold)
    face = Face(
        np.stack([np.zeros(4, np.float32) if one is None else one.box for one in found])[row],
        np.array([0 if one is None else one.confidence for one in found], np.float32)[row],
        _stacked([None if one is None else one.points for one in found], (28, 3), row),
        _stacked([None if one is None else one.blendshapes for one in found], (52,), row),
    )
    seen = float((face.confidence > 0).sum())
    return replace(clip, face=face).with_facts(frames_with_face=seen, face_jumps=float(jumps.sum()))


def _look(clip: Clip, t: int, backend: FaceBackend, config: FaceConfig) -> FaceDetection | None:
    picture = over_white(clip.frames_u8[t])
    head = None if clip.pose is None else _head_box(clip.pose, t, picture, config.around_head)
    found = None if head is None else look_within(backend, picture, head)
    return found or backend.detect_face(picture)


def _head_box(pose: Pose, t: int, picture: np.ndarray, around: float) -> np.ndarray | None:
    """A square around the head in fractions of the picture; None where too little of the head is known."""
    height, width = picture.shape[:2]
    known = [joint for joint in _HEAD if pose.confidence[t, joint] > 0]
    inner = [joint for joint in known if joint != _NECK]
    if not inner or len(known) < 2:
        return None
    points = pose.keypoints[t] * (width, height)
    middle = points[inner].mean(axis=0)
    half = around * float(np.abs(points[known] - middle).max())
    return np.asarray(np.stack([middle - half, middle + half]) / (width, height)).reshape(4)


def _jumps(found: list[FaceDetection | None], width: int, height: int, config: FaceConfig) -> np.ndarray:
    """bool [D]: boxes that are not where or not as large as those of the drawings around, which have to be three."""
    rows = [i for i, one in enumerate(found) if one is not None]
    wrong = np.zeros(len(found), bool)
    if len(rows) < 3:
        return wrong
    corners = np.stack([one.box.reshape(2, 2) * (width, height) for one in found if one is not None])
    middle, side = corners.mean(axis=1), (corners[:, 1] - corners[:, 0]).max(axis=-1)
    usual_middle = median_filter(middle, size=(config.neighbours, 1), mode="nearest")
    usual_side = np.maximum(median_filter(side, size=config.neighbours, mode="nearest"), 1e-6)
    far = np.linalg.norm(middle - usual_middle, axis=-1) > config.jump * usual_side
    other = np.maximum(side / usual_side, usual_side / np.maximum(side, 1e-6)) > config.growth
    wrong[rows] = far | other
    return wrong


def _stacked(values: list[np.ndarray | None], shape: tuple[int, ...], row: np.ndarray) -> np.ndarray | None:
    """One array of what drawings have, zero where they have nothing; None where none has."""
    if all(value is None for value in values):
        return None
    return np.stack([np.zeros(shape, np.float32) if value is None else value for value in values])[row]
