"""Faces by a cascade of local binary patterns, such as nagadomi's lbpcascade_animeface, given by path."""

from pathlib import Path

import cv2
import numpy as np

from temporal_gan.errors import UserError

from ..detection import FaceDetection

_SCALE_STEP, _NEIGHBOURS, _LEAST_SIDE = 1.1, 5, 24
"""As lbpcascade_animeface's own example calls it; 24 px is the window it was trained with."""


class CascadeFaces:
    """A :class:`preprocessing.detection.FaceBackend`: boxes without points."""

    name = "cascade"

    def __init__(self, file: Path) -> None:
        """Load a cascade.

        Raises:
            UserError: no such file, no cascade in it, or this OpenCV cannot read any.
        """
        if not hasattr(cv2, "CascadeClassifier"):
            raise UserError(
                "face.cascade: this OpenCV has no cascades; "
                "install opencv-contrib-python in the version of opencv-python"
            )
        if not file.is_file():
            raise UserError(
                f"face.cascade {file}: no such file; lbpcascade_animeface.xml comes from "
                "https://github.com/nagadomi/lbpcascade_animeface (MIT)"
            )
        try:
            self._cascade = cv2.CascadeClassifier(str(file))
            empty = self._cascade.empty()
        except (cv2.error, SystemError):  # the constructor's own error comes out as a SystemError
            empty = True
        if empty:
            raise UserError(
                f"face.cascade {file}: holds no cascade that OpenCV can read; is it the whole XML file?"
            )

    def detect_face(self, picture_u8: np.ndarray) -> FaceDetection | None:
        """The surest face, uint8 [H, W, 3] RGB; confidence grows with the windows that agree, 0.5 for the fewest."""
        height, width = picture_u8.shape[:2]
        if min(height, width) < _LEAST_SIDE:
            return None
        grey = cv2.equalizeHist(cv2.cvtColor(np.ascontiguousarray(picture_u8), cv2.COLOR_RGB2GRAY))
        boxes, agreeing = self._cascade.detectMultiScale2(
            grey, scaleFactor=_SCALE_STEP, minNeighbors=_NEIGHBOURS, minSize=(_LEAST_SIDE, _LEAST_SIDE)
        )
        if len(boxes) == 0:
            return None
        # Of equally sure faces the largest, then the first from the top: never by chance.
        order = sorted(
            range(len(boxes)), key=lambda i: (-int(agreeing[i]), -int(boxes[i][2]), *map(int, boxes[i]))
        )
        x, y, w, h = (int(v) for v in boxes[order[0]])
        count = int(agreeing[order[0]])
        box = np.array([x / width, y / height, (x + w) / width, (y + h) / height], np.float32)
        return FaceDetection(box, count / (count + _NEIGHBOURS))

    def close(self) -> None:
        """Nothing is held."""
