"""Tasks: known landmarks through injected landmarkers, and the real package's error paths."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from preprocessing.pose.backends import open_face_backend, open_pose_backend
from preprocessing.pose.finding import PoseConfig
from preprocessing.pose.mediapipe_points import FACE_MESH_POINTS
from preprocessing.pose.mediapipe_tasks import MediapipeTasks, create_mediapipe_tasks
from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25
from temporal_gan.weights import FOLDER_VARIABLE, sha256_of_weights

PICTURE = np.zeros((32, 48, 3), np.uint8)


@dataclass
class Point:
    x: float
    y: float
    visibility: float = 1.0


@dataclass
class Category:
    score: float


@dataclass
class Answer:
    pose_landmarks: list[Any] = field(default_factory=list)
    face_landmarks: list[Any] = field(default_factory=list)
    face_blendshapes: list[Any] = field(default_factory=list)
    hand_landmarks: list[Any] = field(default_factory=list)
    handedness: list[Any] = field(default_factory=list)


class Known:
    """A landmarker that always answers the same."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.images, self.closed = answer, [], False

    def detect(self, image: Any) -> Answer:
        self.images.append(image)
        return self.answer

    def close(self) -> None:
        self.closed = True


def test_landmarks_become_canonical_joints() -> None:
    landmarks = [Point(i / 100, 1 - i / 100, i / 33) for i in range(33)]
    known = Known(Answer(pose_landmarks=[landmarks]))
    body = MediapipeTasks({0.5: known}).detect_body(PICTURE, 0.5)
    assert body is not None
    j = CANONICAL25.joints.index
    np.testing.assert_allclose(body.keypoints[j("left_wrist")], (0.15, 0.85), atol=1e-6)
    np.testing.assert_allclose(body.keypoints[j("neck")], (0.115, 0.885), atol=1e-6)
    assert body.confidence[j("neck")] == pytest.approx(11 / 33)
    assert body.confidence[j("left_small_toe")] == 0
    np.testing.assert_array_equal(known.images[0].numpy_view(), PICTURE)


def test_the_landmarker_of_the_asked_threshold_looks() -> None:
    sure, unsure = Known(Answer()), Known(Answer())
    backend = MediapipeTasks({0.5: sure, 0.3: unsure})
    assert backend.detect_body(PICTURE, 0.3) is None
    assert (len(sure.images), len(unsure.images)) == (0, 1)
    backend.detect_body(PICTURE, 0.5)
    backend.detect_body(PICTURE, 0.4)
    assert (len(sure.images), len(unsure.images)) == (2, 1)
    backend.close()
    assert sure.closed
    assert unsure.closed


def test_face_gives_points_box_and_blendshapes() -> None:
    mesh = [Point(i / 500, 0.5 + i / 1000) for i in range(478)]
    shapes = [[Category(i / 52) for i in range(52)]]
    known = Known(Answer(face_landmarks=[mesh], face_blendshapes=shapes))
    face = MediapipeTasks({0.5: Known(Answer())}, face=known).detect_face(PICTURE)
    assert face is not None
    assert face.points is not None
    assert face.blendshapes is not None
    np.testing.assert_allclose(face.points[:, 0], np.array(FACE_MESH_POINTS) / 500, atol=1e-6)
    np.testing.assert_allclose(face.box, (0, 0.5, 477 / 500, 0.977), atol=1e-6)
    np.testing.assert_allclose(face.blendshapes, np.arange(52) / 52, atol=1e-6)


def test_hands_go_to_the_nearer_wrist_whatever_they_are_called() -> None:
    landmarks = [Point(0.5, 0.5)] * 33
    for index, place in {13: (0.7, 0.4), 15: (0.8, 0.5), 14: (0.3, 0.4), 16: (0.2, 0.5)}.items():
        landmarks[index] = Point(*place)
    right = [Point(0.21 + i / 1000, 0.5) for i in range(21)]
    far = [Point(0.5, 0.95)] * 21
    hands = Known(Answer(hand_landmarks=[far, right], handedness=[[Category(0.9)], [Category(0.8)]]))
    backend = MediapipeTasks({0.5: Known(Answer(pose_landmarks=[landmarks]))}, hand=hands)
    body = backend.detect_body(PICTURE, 0.5)
    assert body is not None
    assert body.hands is not None
    assert not body.hands[0].any(), "no hand is near the left wrist"
    np.testing.assert_allclose(body.hands[1, :, 0], [p.x for p in right], atol=1e-6)
    np.testing.assert_allclose(body.hands[1, :, 2], 0.8, atol=1e-6)


def test_without_consent_it_says_what_is_sent_and_what_sends_nothing() -> None:
    with pytest.raises(
        UserError, match=r"(?s)Google.*informed consent.*accept_mediapipe_telemetry=true.*mediapipe-offline"
    ):
        open_pose_backend(PoseConfig(backend="mediapipe"))


def test_missing_bundle_names_file_source_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(UserError, match=r"float16/1/pose_landmarker_full.task .*5134a3aa.*" + str(tmp_path)):
        create_mediapipe_tasks(True)
    with pytest.raises(UserError, match="no weights file .*gone.task"):
        create_mediapipe_tasks(True, tmp_path / "gone.task")


def test_wrong_hash_is_refused_unless_trusted_and_damage_is_named(tmp_path: Path) -> None:
    bundle = tmp_path / "pose.task"
    bundle.write_bytes(b"not a zip archive")
    digest = sha256_of_weights(bundle)
    with pytest.raises(
        UserError, match=f"has sha256 {digest}, expected 5134a3aa.*pose.pose_model_sha256={digest}"
    ):
        create_mediapipe_tasks(True, bundle, bundle)
    with pytest.raises(
        UserError, match=f"has sha256 {digest}, expected 64184e22.*pose.face_model_sha256={digest}"
    ):
        create_mediapipe_tasks(True, bundle, bundle, pose_sha256=digest)
    with pytest.raises(UserError, match="is no usable bundle: ") as caught:
        create_mediapipe_tasks(True, bundle, bundle, pose_sha256=digest, face_sha256=digest)
    assert "\n" not in str(caught.value)


def test_names_without_a_detector_and_unknown_names() -> None:
    assert open_pose_backend(PoseConfig(backend="labels")) is None
    assert open_pose_backend(PoseConfig(backend="none")) is None
    with pytest.raises(UserError, match="'openpose' is not one of"):
        open_face_backend("openpose", PoseConfig())
