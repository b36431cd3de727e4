"""MediaPipe 0.10.21 in a process of its own: no network, no telemetry, no models to fetch."""

import os
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import IO

import numpy as np

from temporal_gan.errors import UserError

from ..detection import BodyDetection, FaceDetection
from .mediapipe_points import body_from_landmarks, face_from_mesh

_WORKER = Path(__file__).with_name("offline_worker.py")
_FACE_THRESHOLD = 0.5
"""MediaPipe's own; at 0.5 a face was found in 90 of 108 anime frames."""


class OfflineMediapipe:
    """Body (33 landmarks), hands and face (mesh, else a box) by a subprocess.

    The process starts with the first picture. If it dies it is started once again; the second time in a row is an
    error.
    """

    name = "mediapipe-offline"

    def __init__(self, python: Path, hands: bool = False) -> None:
        """``python``: interpreter of the offline environment (:func:`.offline_install.offline_python`)."""
        self._python, self._hands = python, hands
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def detect_body(self, picture_u8: np.ndarray, threshold: float) -> BodyDetection | None:
        """See :class:`preprocessing.detection.PoseBackend`. Raises UserError when the process cannot work."""
        found = self._ask(b"B", picture_u8, threshold)
        if not found:
            return None
        return body_from_landmarks(found[0], self._ask(b"H", picture_u8, threshold) if self._hands else [])

    def detect_face(self, picture_u8: np.ndarray) -> FaceDetection | None:
        """See :class:`preprocessing.detection.FaceBackend`. Raises UserError when the process cannot work."""
        boxes, mesh = self._ask(b"F", picture_u8, _FACE_THRESHOLD)
        # The mesh comes without a score: that of the box finder, which at the least passed its threshold.
        score = float(boxes[0, 4]) if len(boxes) else _FACE_THRESHOLD
        if len(mesh):
            return face_from_mesh(mesh, score)
        return FaceDetection(boxes[0, :4], score) if len(boxes) else None

    def close(self) -> None:
        """End the process; a later picture starts another."""
        if self._process is not None and self._log is not None:
            self._process.kill()
            self._process.communicate()
            self._log.close()
        self._process = self._log = None

    def _ask(self, what: bytes, picture: np.ndarray, threshold: float) -> list[np.ndarray]:
        height, width = picture.shape[:2]
        request = struct.pack("<cIIf", what, height, width, threshold) + picture.tobytes()
        for attempt in (1, 2):
            try:
                return self._exchange(request)
            except (OSError, EOFError) as error:
                said = self._last_words() or str(error)
                self.close()
                if attempt == 2:
                    raise UserError(
                        f"pose backend {self.name}: its process ended twice on a picture of {width}x{height} "
                        f"({self._python}): {said}"
                    ) from None
        raise AssertionError

    def _exchange(self, request: bytes) -> list[np.ndarray]:
        process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(request)
        process.stdin.flush()
        (count,) = struct.unpack("<I", _read(process.stdout, 4))
        arrays = []
        for _ in range(count):
            rows, columns = struct.unpack("<II", _read(process.stdout, 8))
            data = _read(process.stdout, 4 * rows * columns)
            arrays.append(np.frombuffer(data, np.float32).reshape(rows, columns))
        return arrays

    def _start(self) -> subprocess.Popen[bytes]:
        # A pipe that nobody reads would fill with MediaPipe's notices and stop the process.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            # Isolated: neither this project's packages nor the user's may be seen from in there.
            [str(self._python), "-I", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "GLOG_minloglevel": "2", "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        return self._process

    def _last_words(self) -> str:
        if self._log is None:
            return ""
        if self._process is not None:
            self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("it stopped in the middle of an answer")
    return data
