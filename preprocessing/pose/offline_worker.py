"""A program that runs in the offline MediaPipe's own environment: pictures in on stdin, landmarks out on stdout.

It imports nothing of this project and needs no network. A request is ``<cIIf`` (what, height, width, threshold) and
height x width x 3 bytes of RGB; an answer is ``<I`` arrays, each ``<II`` rows and columns and that many float32.
What: ``B`` body, ``H`` hands, ``F`` face. Places are fractions of the picture.
"""

import importlib.util
import os
import struct
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np


def import_solutions() -> tuple[Any, ...]:
    """The three modules alone: the packages' own __init__ would import drawing and task code with hundreds of
    megabytes behind it (matplotlib, jax, OpenCV), none of which detection uses."""
    spec = importlib.util.find_spec("mediapipe")
    assert spec
    assert spec.origin
    root = os.path.dirname(spec.origin)
    for name in ("mediapipe", "mediapipe.python.solutions"):
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(root, *name.split(".")[1:])]
        sys.modules[name] = package
    from mediapipe.python.solutions import face_detection, face_mesh, hands, pose

    return pose, hands, face_mesh, face_detection


class Detectors:
    """MediaPipe's solutions, each made when it is first asked for; static mode: nothing is kept between pictures."""

    def __init__(self) -> None:
        self.pose, self.hands, self.face_mesh, self.face_detection = import_solutions()
        self.made: dict[Any, Any] = {}

    def get(self, make: Callable[..., Any], **options: Any) -> Any:
        key = (make, *options.items())
        if key not in self.made:
            self.made[key] = make(**options)
        return self.made[key]

    def body(self, picture: np.ndarray, threshold: float) -> list[Any]:
        """[33, 3] x, y, visibility; nothing where nobody is found."""
        found = self.get(
            self.pose.Pose, static_image_mode=True, model_complexity=1, min_detection_confidence=threshold
        ).process(picture)
        if not found.pose_landmarks:
            return []
        return [[(p.x, p.y, p.visibility) for p in found.pose_landmarks.landmark]]

    def hand(self, picture: np.ndarray, threshold: float) -> list[Any]:
        """For each hand found: [22, 2], its 21 points and (score, 0)."""
        found = self.get(
            self.hands.Hands, static_image_mode=True, max_num_hands=2, min_detection_confidence=threshold
        ).process(picture)
        return [
            [*((p.x, p.y) for p in hand.landmark), (side.classification[0].score, 0.0)]
            for hand, side in zip(found.multi_hand_landmarks or (), found.multi_handedness or (), strict=True)
        ]

    def face(self, picture: np.ndarray, threshold: float) -> list[Any]:
        """[1, 5] box x0, y0, x1, y1 and score of the surest face, or [0, 5]; and the mesh, [468, 2] or [0, 2]."""
        boxes = self.get(
            self.face_detection.FaceDetection, model_selection=0, min_detection_confidence=threshold
        ).process(picture)
        rows = []
        for one in boxes.detections or ():
            box = one.location_data.relative_bounding_box
            rows.append((box.xmin, box.ymin, box.xmin + box.width, box.ymin + box.height, one.score[0]))
        mesh = self.get(
            self.face_mesh.FaceMesh,
            static_image_mode=True,
            max_num_faces=1,
            refine_landmarks=False,
            min_detection_confidence=threshold,
        ).process(picture)
        points = [[(p.x, p.y) for p in face.landmark] for face in mesh.multi_face_landmarks or ()]
        best = sorted(rows, key=lambda row: -row[4])[:1]
        return [np.reshape(best, (-1, 5)), np.reshape(points, (-1, 2))]


def main() -> None:
    """Answer until stdin ends."""
    asked = sys.stdin.buffer
    # Whatever a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    detectors = Detectors()
    look = {b"B": detectors.body, b"H": detectors.hand, b"F": detectors.face}
    header = struct.Struct("<cIIf")
    while True:
        head = asked.read(header.size)
        if len(head) < header.size:
            return
        what, height, width, threshold = header.unpack(head)
        pixels = asked.read(height * width * 3)
        picture = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
        # Rounded, because 0.3 as float32 is another number than the 0.3 in the settings.
        arrays = [np.asarray(a, np.float32) for a in look[what](picture, round(threshold, 6))]
        answers.write(struct.pack("<I", len(arrays)))
        for array in arrays:
            answers.write(struct.pack("<II", *array.shape) + array.tobytes())
        answers.flush()


if __name__ == "__main__":
    main()
