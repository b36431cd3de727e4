"""What a detector says of one picture, and what a detector is."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class BodyDetection:
    """One person in one picture.

    Attributes:
        keypoints: float32 [25, 2], joints of canonical25 in fractions of the picture; may leave [0, 1].
        confidence: float32 [25]; 0 = missing.
        hands: float32 [2, 21, 3] x, y, confidence, the subject's left hand first, or None.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    hands: np.ndarray | None = None


@dataclass(frozen=True)
class FaceDetection:
    """One face in one picture.

    Attributes:
        box: float32 [4] x0, y0, x1, y1 in fractions of the picture.
        confidence: in (0, 1].
        points: float32 [28, 3] x, y, confidence in the order of the puppet's ``FACE_POINTS``, or None.
        blendshapes: float32 [52] in MediaPipe's order, or None.
    """

    box: np.ndarray
    confidence: float
    points: np.ndarray | None = None
    blendshapes: np.ndarray | None = None


class PoseBackend(Protocol):
    """Finds a body in one picture. It keeps nothing between pictures: the same picture gives the same answer in any
    process and order."""

    name: str

    def detect_body(self, picture_u8: np.ndarray, threshold: float) -> BodyDetection | None:
        """Look at one picture, uint8 [H, W, 3]; ``threshold`` is the least detection confidence, in [0, 1]."""

    def close(self) -> None:
        """Let go of models and processes."""


class FaceBackend(Protocol):
    """Finds a face in one picture; keeps nothing between pictures."""

    name: str

    def detect_face(self, picture_u8: np.ndarray) -> FaceDetection | None:
        """Look at one picture, uint8 [H, W, 3]."""

    def close(self) -> None:
        """Let go of models and processes."""
