"""MediaPipe Tasks 1.2: landmarkers from Google's .task bundles. They report their use, so consent comes first."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from temporal_gan.errors import UserError
from temporal_gan.weights import PublishedWeights, find_weights, sha256_of_weights

from ..detection import BodyDetection, FaceDetection
from .mediapipe_points import body_from_landmarks, face_from_mesh

_PLACE = "https://storage.googleapis.com/mediapipe-models"
POSE_BUNDLES = (
    PublishedWeights(
        "pose backend mediapipe",
        "pose_landmarker_full.task",
        f"{_PLACE}/pose_landmarker/pose_landmarker_full/float16/1/pose_landmarker_full.task",
        "5134a3aad27a58b93da0088d431f366da362b44e3ccfbe3462b3827a839011b1",
    ),
    PublishedWeights(
        "pose backend mediapipe",
        "pose_landmarker_lite.task",
        f"{_PLACE}/pose_landmarker/pose_landmarker_lite/float16/1/pose_landmarker_lite.task",
        "59929e1d1ee95287735ddd833b19cf4ac46d29bc7afddbbf6753c459690d574a",
    ),
    PublishedWeights(
        "pose backend mediapipe",
        "pose_landmarker_heavy.task",
        f"{_PLACE}/pose_landmarker/pose_landmarker_heavy/float16/1/pose_landmarker_heavy.task",
        "64437af838a65d18e5ba7a0d39b465540069bc8aae8308de3e318aad31fcbc7b",
    ),
)
"""The first is taken from the weights folder; a file given by path may be any of them."""

FACE_BUNDLE = PublishedWeights(
    "face backend mediapipe",
    "face_landmarker.task",
    f"{_PLACE}/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
    "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)
HAND_BUNDLE = PublishedWeights(
    "hands of backend mediapipe",
    "hand_landmarker.task",
    f"{_PLACE}/hand_landmarker/hand_landmarker/float16/1/hand_landmarker.task",
    "",
)
CONSENT = (
    "backend mediapipe: MediaPipe Tasks send figures about the performance and use of this program to Google, and "
    'Google asks for "informed consent" of whoever uses it; set pose.accept_mediapipe_telemetry=true to agree, or '
    "choose a backend that sends nothing: mediapipe-offline, rtmlib or reader"
)
_THRESHOLDS = (0.3, 0.5)
"""Tasks fix their threshold when they are made: one landmarker for each that is asked for."""


class Landmarker(Protocol):
    """What a landmarker of ``mediapipe.tasks.python.vision`` in IMAGE mode does."""

    def detect(self, image: Any) -> Any:
        """Landmarks in one ``mediapipe.Image``."""

    def close(self) -> None:
        """Let go."""


class MediapipeTasks:
    """Body, hands and face, with blendshapes, by MediaPipe Tasks in IMAGE mode: nothing is kept between pictures."""

    name = "mediapipe"

    def __init__(
        self, pose: dict[float, Landmarker], face: Landmarker | None = None, hand: Landmarker | None = None
    ) -> None:
        """``pose``: landmarkers by their least detection confidence; ``face``, ``hand``: None = do not look."""
        self._pose, self._face, self._hand = pose, face, hand

    def detect_body(self, picture_u8: np.ndarray, threshold: float) -> BodyDetection | None:
        """See :class:`preprocessing.detection.PoseBackend`. A threshold between those there are is met by the one
        above it."""
        enough = [known for known in sorted(self._pose) if known >= threshold - 1e-6] or [max(self._pose)]
        image = _image(picture_u8)
        poses = self._pose[enough[0]].detect(image).pose_landmarks
        if not poses:
            return None
        landmarks = np.array([(p.x, p.y, p.visibility) for p in poses[0]], np.float32)
        hands = []
        if self._hand is not None:
            found = self._hand.detect(image)
            for points, sides in zip(found.hand_landmarks, found.handedness, strict=True):
                hands.append(np.array([*((p.x, p.y) for p in points), (sides[0].score, 0)], np.float32))
        return body_from_landmarks(landmarks, hands)

    def detect_face(self, picture_u8: np.ndarray) -> FaceDetection | None:
        """See :class:`preprocessing.detection.FaceBackend`."""
        if self._face is None:
            return None
        found = self._face.detect(_image(picture_u8))
        if not found.face_landmarks:
            return None
        mesh = np.array([(p.x, p.y) for p in found.face_landmarks[0]], np.float32)
        shapes = found.face_blendshapes
        blendshapes = np.array([c.score for c in shapes[0]], np.float32) if shapes else None
        # Tasks give a face no score: it passed its threshold.
        return face_from_mesh(mesh, 0.5, blendshapes)

    def close(self) -> None:
        """Let go of the landmarkers."""
        for landmarker in (*self._pose.values(), self._face, self._hand):
            if landmarker is not None:
                landmarker.close()


def create_mediapipe_tasks(
    consent: bool,
    pose_model: Path | None = None,
    face_model: Path | None = None,
    hand_model: Path | None = None,
    pose_sha256: str = "",
    face_sha256: str = "",
    hands: bool = False,
) -> MediapipeTasks:
    """The real landmarkers.

    Args:
        consent: to MediaPipe's telemetry.
        pose_model, face_model, hand_model: bundles; None looks in the weights folder (temporal_gan.weights).
        pose_sha256, face_sha256: of another file than the published ones, which the user trusts.
        hands: also look for hands.
    Raises:
        UserError: no consent, a bundle is missing, is not the published one, or is damaged.
    """
    if not consent:
        raise UserError(CONSENT)
    pose_path = _bundle(POSE_BUNDLES, pose_model, pose_sha256, "pose_model_sha256")
    face_path = _bundle((FACE_BUNDLE,), face_model, face_sha256, "face_model_sha256")
    hand_path = find_weights(HAND_BUNDLE, hand_model) if hands else None
    from mediapipe.tasks.python import BaseOptions, vision

    def base(path: Path) -> Any:
        # As bytes: MediaPipe's own opening of files has its own ideas of paths.
        return BaseOptions(model_asset_buffer=path.read_bytes())

    pose = {
        threshold: _made(
            pose_path,
            vision.PoseLandmarker,
            vision.PoseLandmarkerOptions(
                base_options=base(pose_path), min_pose_detection_confidence=threshold
            ),
        )
        for threshold in _THRESHOLDS
    }
    face = _made(
        face_path,
        vision.FaceLandmarker,
        vision.FaceLandmarkerOptions(base_options=base(face_path), output_face_blendshapes=True),
    )
    hand = None
    if hand_path is not None:
        hand_options = vision.HandLandmarkerOptions(base_options=base(hand_path), num_hands=2)
        hand = _made(hand_path, vision.HandLandmarker, hand_options)
    return MediapipeTasks(pose, face, hand)


def _bundle(known: Sequence[PublishedWeights], path: Path | None, sha256: str, key: str) -> Path:
    found = find_weights(known[0], path)
    digest = sha256_of_weights(found)
    wanted = [sha256.lower()] if sha256 else [bundle.sha256 for bundle in known]
    if digest not in wanted:
        raise UserError(
            f"{known[0].purpose}: {found} has sha256 {digest}, expected {' or '.join(wanted)}: damaged or another "
            f"file; get it again from {known[0].source}, or trust it with pose.{key}={digest}"
        )
    return found


def _made(path: Path, kind: Any, options: Any) -> Landmarker:
    try:
        made: Landmarker = kind.create_from_options(options)
        return made
    # It raises whatever its native code does.
    except Exception as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"backend mediapipe: {path} is no usable bundle: {said[0]}") from None


def _image(picture_u8: np.ndarray) -> Any:
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture_u8))
