"""OpenPose JSON as OpenPose, DWPose and the editors write it, and every mistake in such a folder."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from preprocessing.importers.openpose import read_openpose
from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25


def flat(joints: int, x: float = 10.0, y: float = 5.0, sure: float = 1.0, step: float = 0.1) -> list[float]:
    """Joint j at (x + j * step, y + j * step)."""
    return [v for j in range(joints) for v in (x + j * step, y + j * step, sure)]


def write(folder: Path, name: str, people: list[dict[str, Any]], **more: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps({"version": 1.3, "people": people} | more))


def size(_: str) -> tuple[int, int]:
    return 20, 10


def test_all_frames_hands_and_face_are_kept(tmp_path: Path) -> None:
    for frame in (0, 1, 12):
        person = {
            "pose_keypoints_2d": flat(25, 10 + frame / 10),
            "hand_left_keypoints_2d": flat(21, 4, sure=0.5),
            "hand_right_keypoints_2d": [],
            "face_keypoints_2d": flat(70, 2, 2, 0.25, 0.01),
        }
        write(tmp_path, f"clip_{frame:012d}_keypoints.json", [person] if frame != 1 else [])
    track = read_openpose(tmp_path, size)[""]
    assert track.skeleton == CANONICAL25
    assert track.frame.tolist() == [0, 1, 12]
    np.testing.assert_allclose(track.keypoints[:, 0], [[0.5, 0.5], [0, 0], [0.56, 0.5]], atol=1e-6)
    assert track.confidence[:, 0].tolist() == [1, 0, 1]
    # BODY_25 has the middle of the hips in ninth place, canonical25 in nineteenth.
    np.testing.assert_allclose(track.keypoints[0, 18], [10.8 / 20, 5.8 / 10], atol=1e-6)
    assert track.hands is not None
    np.testing.assert_allclose(track.hands[0, 0, 0], [0.2, 0.5, 0.5], atol=1e-6)
    assert track.hands[0, 1].any() == track.hands[1].any() == False  # noqa: E712
    assert track.face_points is not None
    assert track.face_points.shape == (3, 70, 3)
    np.testing.assert_allclose(track.face_points[2, 0], [0.1, 0.2, 0.25], atol=1e-6)


def test_files_of_other_names_are_counted_in_natural_order(tmp_path: Path) -> None:
    for number in (9, 10, 2):
        write(tmp_path, f"pose{number}.json", [{"pose_keypoints_2d": flat(18, number)}])
    track = read_openpose(tmp_path, size)[""]
    assert track.frame.tolist() == [0, 1, 2]
    assert track.counted
    np.testing.assert_allclose(track.keypoints[:, 0, 0] * 20, [2, 9, 10], atol=1e-5)


@pytest.mark.parametrize(
    ("names", "frames", "counted"),
    [
        (["frame_0000", "frame_0010", "frame_0005"], [0, 5, 10], False),
        (["0_keypoints", "3_keypoints"], [0, 3], False),
        # From 0 or from 1? Only if they are all frames does it not matter.
        (["frame_0010", "frame_0011", "frame_0012"], [0, 1, 2], True),
        (["frame_1", "frame_2"], [0, 1], True),
        (["a_0", "b_0"], [0, 1], True),
        (["a", "b_0"], [0, 1], True),
        (["x_000000000007_keypoints", "x_000000000009_keypoints"], [7, 9], False),
    ],
)
def test_names_tell_frames_where_they_count_from_zero(
    tmp_path: Path, names: list[str], frames: list[int], counted: bool
) -> None:
    for name in names:
        write(tmp_path, f"{name}.json", [{"pose_keypoints_2d": flat(18)}])
    track = read_openpose(tmp_path, size)[""]
    assert track.frame.tolist() == frames
    assert track.counted == counted


def test_the_largest_person_is_taken(tmp_path: Path) -> None:
    small, large = flat(18, 1, 1, step=0.01), flat(18, 3, 3, step=0.2)
    nobody = flat(18, 0, 0, sure=0.0, step=9)
    for number, people in enumerate(([small, large], [large, small], [nobody, small], [nobody])):
        write(tmp_path, f"{number}.json", [{"pose_keypoints_2d": p} for p in people])
    track = read_openpose(tmp_path, size)[""]
    np.testing.assert_allclose(track.keypoints[:3, 0] * (20, 10), [[3, 3], [3, 3], [1, 1]], atol=1e-5)
    assert track.confidence[3].max() == 0


def test_places_are_of_the_canvas_else_fractions_else_of_the_media(tmp_path: Path) -> None:
    person = {"pose_keypoints_2d": flat(18, 0.5, 0.5, step=0.01)}
    write(tmp_path / "a", "0.json", [person])
    write(tmp_path / "b", "0.json", [person], canvas_width=2, canvas_height=4)
    (tmp_path / "c").mkdir()
    for number in range(3):
        text = json.dumps([{"people": [{"pose_keypoints_2d": flat(18, 10, 5)}]}])
        (tmp_path / f"c/{number}.json").write_text(text)
    asked: list[str] = []

    def ask(name: str) -> tuple[int, int]:
        asked.append(name)
        return 20, 10

    tracks = read_openpose(tmp_path, ask)
    assert list(tracks) == ["a", "b", "c"]
    np.testing.assert_allclose(tracks["a"].keypoints[0, 0], [0.5, 0.5])
    np.testing.assert_allclose(tracks["b"].keypoints[0, 0], [0.25, 0.125])
    np.testing.assert_allclose(tracks["c"].keypoints[0, 0], [0.5, 0.5])
    assert asked == ["c"], "a video is not decoded again for every frame"
    shapes = [tracks[name].aspect for name in "abc"]
    assert [s[0] for s in shapes if s is not None] == [
        pytest.approx(x, nan_ok=True) for x in (np.nan, 0.5, np.nan)
    ]


def test_joints_outside_the_picture_are_missing_and_scores_are_bounded(tmp_path: Path) -> None:
    joints = flat(18, 10, 5, step=0.01)
    joints[3:6] = [21, 5, 1]
    joints[6:9] = [10, -1, 1]
    joints[11] = 7.5
    joints[14] = -2
    write(tmp_path, "0.json", [{"pose_keypoints_2d": joints}])
    track = read_openpose(tmp_path, size)[""]
    assert track.confidence[0, :5].tolist() == [1, 0, 0, 1, 0]
    assert track.keypoints.min() >= 0
    assert track.keypoints.max() <= 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}',
            r"\.json: people\[0\]\.pose_keypoints_2d is a list of 3",
        ),
        (
            json.dumps({"people": [{"pose_keypoints_2d": [*flat(17), 1, float("nan"), 1]}]}),
            r"2d\[52\] is NaN",
        ),
        (json.dumps({"people": [{"pose_keypoints_2d": [*flat(17), 1, 1, "1"]}]}), r'2d\[53\] is "1"'),
        (json.dumps({"people": [{"pose_keypoints_2d": [True, *flat(18)[1:]]}]}), r"2d\[0\] is true"),
        (json.dumps({"people": [{"pose_keypoints_2d": [1e9, *flat(18)[1:]]}]}), r"from -1e\+06 to 1e\+06"),
        (json.dumps({"people": [{"pose_keypoints_2d": [10**400, *flat(18)[1:]]}]}), r"enormous"),
        ('{"people": [{"hand_left_keypoints_2d": []}]}', r"people\[0\] has no 'pose_keypoints_2d'"),
        ('{"people": [null]}', r"people\[0\] is null, expected an object"),
        ('{"people": {}}', r"people is an object, expected a list"),
        ('{"persons": []}', r"0\.json: has no 'people'"),
        ("[]", r"0\.json is a list of 0, expected an object"),
        ('{"people":\n [', r"0\.json:2: is no JSON"),
        ("[" * 100_000, r"0\.json: is nested too deeply"),
        ('{"people": [], "canvas_width": "wide"}', r'canvas_width is "wide", expected a number from 1'),
        ("1" * 5000, r"thousands of digits"),
        ("", r"0\.json:1: is no JSON"),
    ],
)
def test_mistakes_are_named_by_file_and_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "0.json").write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        read_openpose(tmp_path, size)
    assert "\n" not in str(caught.value)


def test_other_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere: no such folder"):
        read_openpose(tmp_path / "nowhere", size)
    with pytest.raises(UserError, match="no OpenPose .json files"):
        read_openpose(tmp_path, size)
    (tmp_path / "0.json").write_bytes(b'{"people": "\xff"}')
    with pytest.raises(UserError, match=r"0\.json: byte 12 is not UTF-8"):
        read_openpose(tmp_path, size)
    with pytest.raises(UserError, match="is a file, expected a folder"):
        read_openpose(tmp_path / "0.json", size)
    (tmp_path / "0.json").unlink()
    for prefix in ("a", "b"):
        write(tmp_path, f"{prefix}_000000000003_keypoints.json", [{"pose_keypoints_2d": flat(18)}])
    with pytest.raises(UserError, match=r"b_000000000003_keypoints\.json: frame 3 is in a_0"):
        read_openpose(tmp_path, size)
    (tmp_path / "b_000000000003_keypoints.json").unlink()
    for number, points in enumerate((68, 70)):
        person = {"pose_keypoints_2d": flat(18), "face_keypoints_2d": flat(points)}
        write(tmp_path / "faces", f"{number}.json", [person])
    with pytest.raises(UserError, match=r"0\.json: a face of 68 points, others have 70"):
        read_openpose(tmp_path / "faces", size)
