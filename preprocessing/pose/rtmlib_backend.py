"""Poses by rtmlib (RTMPose, RTMW, DWPose as ONNX files): best on illustrations; extra ``anime``."""

from pathlib import Path

import numpy as np

from temporal_gan.errors import UserError
from temporal_gan.skeletons import to_canonical25

from ..detection import BodyDetection, FaceDetection

# Of the 68 face points of iBUG 300-W (Sagonas et al. 2013), in the order of the puppet's FACE_POINTS; the inner edge of
# the lips: a drawn mouth has no lips, only its opening.
FACE_68_POINTS = (
    (0, 4, 8, 12, 16)
    + (17, 19, 21) + (22, 24, 26)
    + (36, 37, 38, 39, 40, 41) + (42, 43, 44, 45, 46, 47)
    + (30,)
    + (60, 62, 64, 66)
)  # fmt: skip
_FACE, _LEFT_HAND, _RIGHT_HAND = slice(23, 91), slice(91, 112), slice(112, 133)
_GET = (
    "get a whole-body pose model with 133 joints as .onnx, such as dw-ll_ucoco_384.onnx from "
    "https://huggingface.co/yzd-v/DWPose (mind its data's terms), and set pose.pose_model to the file"
)


class RtmlibWholeBody:
    """133 joints by one ONNX model that looks at the whole picture: person finders miss many half-length drawings."""

    name = "rtmlib"

    def __init__(self, model: Path | None, hands: bool = False) -> None:
        """``model``: of 133 joints, SimCC output.

        Raises:
            UserError: rtmlib is not installed, there is no such file, or it is no such model.
        """
        if model is None:
            raise UserError(f"pose backend rtmlib: no model; {_GET}")
        # rtmlib would take a missing path for an address to download from.
        if not model.is_file():
            raise UserError(f"pose backend rtmlib: no file {model}; {_GET}")
        try:
            import onnxruntime
            from rtmlib import RTMPose
        except ImportError as error:
            raise UserError(
                f"pose backend rtmlib: {error.name} is not installed; pip install 'temporal_gan[anime]'"
            ) from None
        try:
            session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
            height, width = session.get_inputs()[0].shape[2:]
            joints = session.get_outputs()[0].shape[1]
            self._model = RTMPose(
                str(model), model_input_size=(width, height), backend="onnxruntime", device="cpu"
            )
        # The runtime's errors are classes of its native code.
        except Exception as error:
            raise UserError(
                f"pose backend rtmlib: {model} is no usable ONNX model: {str(error).splitlines()[0]}"
            ) from None
        if joints != 133:
            raise UserError(f"pose backend rtmlib: {model} gives {joints} joints, expected 133; {_GET}")
        self._hands = hands

    def detect_body(self, picture_u8: np.ndarray, threshold: float) -> BodyDetection | None:
        """See :class:`preprocessing.detection.PoseBackend`; the threshold is for the mean score of shoulders and
        hips."""
        places, scores = self._look(picture_u8)
        if scores[[5, 6, 11, 12]].mean() < threshold:
            return None
        points, confidence = to_canonical25(places, scores, "dwpose133")
        hands = None
        if self._hands:
            sides = [np.concatenate([places[s], scores[s, None]], axis=1) for s in (_LEFT_HAND, _RIGHT_HAND)]
            hands = np.stack(sides).astype(np.float32)
        return BodyDetection(points, confidence, hands)

    def detect_face(self, picture_u8: np.ndarray) -> FaceDetection | None:
        """See :class:`preprocessing.detection.FaceBackend`; a face is there if its points score 0.3 in the mean."""
        places, scores = self._look(picture_u8)
        face, sure = places[_FACE], scores[_FACE]
        confidence = float(sure.mean())
        if confidence < 0.3:
            return None
        chosen = list(FACE_68_POINTS)
        points = np.concatenate([face[chosen], sure[chosen, None]], axis=1).astype(np.float32)
        box = np.concatenate([face.min(axis=0), face.max(axis=0)]).astype(np.float32)
        return FaceDetection(box, confidence, points)

    def close(self) -> None:
        """Nothing to let go of."""

    def _look(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[133, 2] in fractions, [133] in [0, 1]."""
        # OpenCV's order; no boxes: the whole picture.
        places, scores = self._model(np.ascontiguousarray(picture[..., ::-1]), bboxes=[])
        size = np.array(picture.shape[1::-1], np.float32)
        # Its pixels have their middles at whole numbers.
        return ((places[0] + 0.5) / size).astype(np.float32), scores[0].clip(0, 1).astype(np.float32)
