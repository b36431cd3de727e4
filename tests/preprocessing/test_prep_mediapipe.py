"""MediaPipe's landmarks and blendshapes, and every mistake in such a file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from preprocessing.importers.mediapipe import read_mediapipe
from temporal_gan.errors import UserError
from temporal_gan.expressions import CLASSES, EXPRESSIONS
from temporal_gan.skeletons import CANONICAL25


def landmarks(count: int, x: float = 0.5, **more: float) -> list[dict[str, float]]:
    return [{"x": x, "y": 0.25, "z": -0.1} | more for _ in range(count)]


def read(folder: Path, data: Any) -> Any:
    (folder / "a.json").write_text(json.dumps(data))
    return read_mediapipe(folder / "a.json")[""]


def test_landmarks_hands_and_blendshapes(tmp_path: Path) -> None:
    pose = landmarks(33, visibility=0.5)
    pose[15] = {"x": 1.5, "y": 0.5}
    blendshapes = {
        "jawOpen": 0.5,
        "mouthSmileLeft": 0.25,
        "mouthSmileRight": 0.75,
        "browDownLeft": 1.0,
        "_neutral": 0,
    }
    hands = {"left": landmarks(21, 0.75), "right": []}
    track = read(
        tmp_path,
        {
            "frames": [
                {
                    "frame": 3,
                    "pose_landmarks": pose,
                    "face_blendshapes": blendshapes,
                    "hand_landmarks": hands,
                },
                {"frame": 9, "pose_landmarks": None},
            ]
        },
    )
    assert track.skeleton == CANONICAL25
    assert track.frame.tolist() == [3, 9]
    by_name = dict(zip(CANONICAL25.joints, track.confidence[0].tolist(), strict=True))
    assert by_name["nose"] == by_name["mid_hip"] == 0.5
    assert by_name["left_wrist"] == 0, "it is outside the picture"
    assert by_name["left_small_toe"] == 0, "MediaPipe has none"
    np.testing.assert_allclose(track.keypoints[0, 0], [0.5, 0.25])
    assert track.confidence[1].max() == 0
    value = dict(zip(EXPRESSIONS, track.expression[0].tolist(), strict=True))
    sure = dict(zip(EXPRESSIONS, track.expression_confidence[0].tolist(), strict=True))
    assert (value["jawOpen"], value["mouthSmile"]) == (0.5, 0.5)
    assert (sure["jawOpen"], sure["mouthSmile"], sure["browDown"], sure["eyeBlinkLeft"]) == (1, 1, 0, 0)
    assert not any(sure[name] for name in CLASSES)
    assert track.expression_confidence[1].max() == 0
    np.testing.assert_allclose(track.hands[0, 0], [[0.75, 0.25, 1]] * 21)
    assert track.hands[0, 1].max() == 0


def test_frames_may_go_without_numbers_and_without_faces(tmp_path: Path) -> None:
    track = read(tmp_path, {"frames": [{"pose_landmarks": landmarks(33)}] * 3})
    assert track.frame.tolist() == [0, 1, 2]
    assert track.expression is track.hands is None
    assert track.confidence.max() == 1


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (
            [{"pose_landmarks": landmarks(32)}],
            r"frames\[0\]\.pose_landmarks is a list of 32, expected a list of 33",
        ),
        ([{"pose_landmarks": landmarks(33, "0")}], r'pose_landmarks\[0\]\.x is "0", expected a number'),
        ([{"pose_landmarks": [{"y": 0}] * 33}], r"frames\[0\]\.pose_landmarks\[0\] has no 'x'"),
        (
            [{"pose_landmarks": landmarks(33, visibility=2)}],
            r"visibility is 2, expected a number from 0 to 1",
        ),
        ([{"pose_landmarks": landmarks(33, float("inf"))}], r"x is Infinity, expected a number"),
        ([{"face_blendshapes": {"jawOpen": None}}], r"face_blendshapes\.jawOpen is null"),
        ([{"face_blendshapes": []}], r"face_blendshapes is a list of 0, expected an object"),
        ([{"hand_landmarks": {"left": landmarks(20)}}], r"hand_landmarks\.left is a list of 20"),
        ([{"frame": 0}, {}], r"frames\[1\] has no 'frame', but others have"),
        ([{"frame": 0}, {"frame": 0}], r"frames\[1\]: frame 0 comes after frame 0"),
        ([{"frame": 0.5}], r"frames\[0\]\.frame is 0.5, expected a whole number"),
        ([{"frame": -1}], r"frames\[0\]\.frame is -1"),
        ([7], r"frames\[0\] is 7, expected an object"),
        ([], r"a\.json: has no frames"),
        ({}, r"frames is an object, expected a list"),
    ],
)
def test_mistakes_are_named_by_their_place(tmp_path: Path, frames: Any, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        read(tmp_path, {"frames": frames})
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "a.json") in str(caught.value)
