"""Poses and faces by the project's own reader, which was trained on the puppet: at home with puppets and their like."""

import numpy as np
import torch

from temporal_gan.models.reader import FACE_JOINTS, NECK, Reading, read_video
from temporal_gan.models.reader_file import load_reader

from ..detection import BodyDetection, FaceDetection

_FACE_REACH = 1.07
"""Half a face box's side, in distances from the neck to the middle of eyes and nose: brow to chin of a drawn face, as
large as the box of the puppet's face points. At 0.75 the reader recognised 55 % of the puppet's moods in such boxes, at
1.07 93 %."""


class ReaderBackend:
    """The reader on single pictures. It marks joints behind something with a confidence of about a half."""

    name = "reader"

    def __init__(self, reader: str) -> None:
        """``reader``: a shipped copy's name or a file. Raises UserError where there is none."""
        self._reader = load_reader(reader)

    def detect_body(self, picture_u8: np.ndarray, threshold: float) -> BodyDetection | None:
        """See :class:`preprocessing.detection.PoseBackend`; the threshold is for nose and eyes: on a blank
        page the median joint of the body has a confidence of 0.4 to 0.7, and a face of 0.04."""
        reading = self._read(picture_u8)
        if float(reading.face[0]) < threshold:
            return None
        return BodyDetection(reading.keypoints[0].numpy(), reading.confidence[0].numpy())

    def detect_face(self, picture_u8: np.ndarray) -> FaceDetection | None:
        """See :class:`preprocessing.detection.FaceBackend`; a box, no points."""
        reading = self._read(picture_u8)
        confidence = float(reading.face[0])
        if confidence < 0.5:
            return None
        size = np.array(picture_u8.shape[1::-1])
        places = reading.keypoints[0].numpy() * size
        middle = places[list(FACE_JOINTS)].mean(axis=0)
        reach = _FACE_REACH * np.linalg.norm(places[NECK] - middle)
        box = np.concatenate([(middle - reach) / size, (middle + reach) / size])
        return FaceDetection(box.astype(np.float32), confidence)

    def close(self) -> None:
        """Nothing to let go of."""

    def _read(self, picture_u8: np.ndarray) -> Reading:
        pixels = torch.from_numpy(np.ascontiguousarray(picture_u8)).permute(2, 0, 1)[None].float() / 255
        return read_video(self._reader, pixels)
