"""A finder of boxes before a finder of points: they fail on different styles."""

import numpy as np

from ..detection import FaceBackend, FaceDetection
from .looking import grown, look_within

AROUND = 1.8
"""Sides of the first one's box in which the second one looks: a mesh wants hair and chin around the face."""


class ChainedFaces:
    """A :class:`preprocessing.detection.FaceBackend`: points on the whole picture, else in the other's box, else the
    other's box alone."""

    def __init__(self, boxes: FaceBackend, points: FaceBackend) -> None:
        self.name = f"{boxes.name}+{points.name}"
        self._boxes, self._points = boxes, points

    def detect_face(self, picture_u8: np.ndarray) -> FaceDetection | None:
        """Look at one picture, uint8 [H, W, 3]."""
        found = self._points.detect_face(picture_u8)
        if found is not None and found.points is not None:
            return found
        box = self._boxes.detect_face(picture_u8)
        if box is None:
            return found
        return look_within(self._points, picture_u8, grown(box.box, AROUND, picture_u8)) or box

    def close(self) -> None:
        """Close both."""
        self._boxes.close()
        self._points.close()
