"""Pose files: OpenPose folders as other programs write them, in the right order, square and within the picture."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_gan.errors import UserError
from temporal_gan.pose_files import PoseSequence, read_openpose_folder
from temporal_gan.skeletons import CANONICAL25

Points = list[tuple[float, float, float]]


def person(points: Points) -> dict[str, Any]:
    return {"pose_keypoints_2d": [v for point in points for v in point]}


def write(folder: Path, name: str, people: list[dict[str, Any]], **more: Any) -> None:
    (folder / name).write_text(json.dumps({"version": 1.3, "people": people, **more}))


def column(joints: int, x: float, scale: float = 1.0) -> Points:
    """Joints below each other at x, certain."""
    return [(x * scale, (0.1 + 0.03 * j) * scale, 1.0) for j in range(joints)]


def numbered(length: int, joints: int = 3) -> PoseSequence:
    """A sequence whose frame t holds the number t everywhere."""
    values = np.arange(length, dtype=np.float32)
    return PoseSequence(
        keypoints=np.broadcast_to(values[:, None, None], (length, joints, 2)).copy(),
        confidence=np.broadcast_to(values[:, None], (length, joints)).copy(),
        layer=np.broadcast_to(np.arange(length)[:, None], (length, joints)).copy(),
        fps=12.0,
        skeleton=CANONICAL25,
    )


@pytest.mark.parametrize(
    ("length", "frames", "expected"),
    [
        (4, 3, [0, 1, 2]),
        (4, 4, [0, 1, 2, 3]),
        (4, 9, [0, 1, 2, 3, 2, 1, 0, 1, 2]),
        (2, 5, [0, 1, 0, 1, 0]),
        (1, 4, [0, 0, 0, 0]),
    ],
)
def test_resampled_goes_back_and_forth(length: int, frames: int, expected: list[int]) -> None:
    longer = numbered(length).resampled(frames)
    assert longer.keypoints[:, 0, 0].tolist() == expected
    assert longer.confidence[:, 0].tolist() == expected
    assert longer.layer[:, 0].tolist() == expected
    assert (len(longer), longer.fps) == (frames, 12.0)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(length=st.integers(1, 7), frames=st.integers(1, 40))
def test_resampled_never_jumps(length: int, frames: int) -> None:
    values = numbered(length).resampled(frames).keypoints[:, 0, 0]
    steps = np.abs(np.diff(values))
    assert bool((steps == (1 if length > 1 else 0)).all())


def test_resampled_refuses_no_frames() -> None:
    with pytest.raises(UserError, match="--frames 0"):
        numbered(4).resampled(0)


@pytest.mark.parametrize("joints", [18, 25])
def test_a_folder_is_read_in_natural_order(tmp_path: Path, joints: int) -> None:
    for number in (10, 9, 1, 2):
        write(tmp_path, f"frame_{number}_keypoints.json", [person(column(joints, number / 20))])
    (tmp_path / "notes.txt").write_text("not a pose")
    sequence = read_openpose_folder(tmp_path, 12)
    np.testing.assert_allclose(sequence.keypoints[:, 0, 0], [0.05, 0.1, 0.45, 0.5], atol=1e-6)
    assert sequence.keypoints.shape == (4, 25, 2)
    assert (sequence.keypoints.dtype, sequence.confidence.dtype) == (np.float32, np.float32)
    assert (sequence.layer.shape, sequence.layer.dtype) == ((4, 25), np.int64)
    assert (sequence.fps, sequence.skeleton) == (12, CANONICAL25)
    # Eighteen joints have no feet; the mid-hip is made from the hips.
    assert (sequence.confidence > 0).sum(1).tolist() == [19 if joints == 18 else 25] * 4


def test_canvas_size_letterboxes_into_a_square(tmp_path: Path) -> None:
    points = [(0.0, 0.0, 1.0), (640.0, 480.0, 1.0)] + [(320.0, 240.0, 0.5)] * 16
    write(tmp_path, "0.json", [person(points)], canvas_width=640, canvas_height=480)
    sequence = read_openpose_folder(tmp_path, 24)
    np.testing.assert_allclose(sequence.keypoints[0, :3], [[0, 0.125], [1, 0.875], [0.5, 0.5]], atol=1e-6)
    assert sequence.confidence[0, :3].tolist() == [1, 1, 0.5]
    # A size that is given wins over the file's.
    given_size = read_openpose_folder(tmp_path, 24, width=1280, height=1280)
    np.testing.assert_allclose(given_size.keypoints[0, 1], [0.5, 0.375], atol=1e-6)


def test_pixels_without_a_canvas_are_fitted_with_a_margin(tmp_path: Path) -> None:
    write(tmp_path, "0.json", [person([(100.0, 50.0, 1.0), (300.0, 450.0, 1.0)] + [(0.0, 0.0, 0.0)] * 16)])
    points = read_openpose_folder(tmp_path, 24).keypoints[0]
    # 400 px high on 80 % of the side: 500 px a side, in the middle.
    np.testing.assert_allclose(points[:2], [[0.3, 0.1], [0.7, 0.9]], atol=1e-6)


def test_joints_outside_the_picture_are_missing(tmp_path: Path) -> None:
    points = [(700.0, 100.0, 1.0), (-5.0, 100.0, 1.0)] + [(100.0, 100.0, 1.0)] * 16
    write(tmp_path, "0.json", [person(points)], canvas_width=640, canvas_height=640)
    sequence = read_openpose_folder(tmp_path, 24)
    assert sequence.confidence[0, :3].tolist() == [0, 0, 1]
    assert sequence.keypoints.min() >= 0
    assert sequence.keypoints.max() <= 1


def test_a_frame_with_nobody_stays_as_a_frame_of_missing_joints(tmp_path: Path) -> None:
    write(tmp_path, "0.json", [person(column(18, 0.5))])
    write(tmp_path, "1.json", [])
    write(tmp_path, "2.json", [person(column(18, 0.5)), person(column(18, 0.9))])
    sequence = read_openpose_folder(tmp_path, 24)
    assert (sequence.confidence > 0).any(1).tolist() == [True, False, True]
    assert bool(np.isfinite(sequence.keypoints).all())
    # The first person is taken.
    assert sequence.keypoints[2, 0, 0] == np.float32(0.5)


def test_an_editors_list_of_one_frame_is_read(tmp_path: Path) -> None:
    (tmp_path / "0.json").write_text(json.dumps([{"people": [person(column(18, 0.5))]}]))
    assert len(read_openpose_folder(tmp_path, 24)) == 1


def test_scores_above_one_count_as_certain(tmp_path: Path) -> None:
    """Some programs write a detector's raw score."""
    write(tmp_path, "0.json", [person([(0.5, 0.5, 7.0), (0.5, 0.6, -1.0)] + [(0.5, 0.7, 0.2)] * 16)])
    np.testing.assert_allclose(read_openpose_folder(tmp_path, 24).confidence[0, :3], [1, 0, 0.2], atol=1e-7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', "3 numbers in pose_keypoints_2d, expected 54"),
        (json.dumps({"people": [person([(0.5, float("nan"), 1.0)] * 18)]}), "not a finite number"),
        ('{"people": [{"pose_keypoints_2d": ["a"]}]}', "no list of numbers"),
        ('{"people": [{"hand_left_keypoints_2d": []}]}', "no list of numbers"),
        ('{"people": [null]}', "no list of numbers"),
        ('{"people": {}}', "expected OpenPose JSON"),
        ("[]", "expected OpenPose JSON"),
        ('{"people": [', "not readable JSON"),
        ("[" * 100_000, "not readable JSON"),
        (json.dumps({"people": [person([(1e7, 0.5, 1.0)] * 18)]}), "beyond 1000000"),
        ('{"people": [], "canvas_width": "wide"}', "canvas_width is 'wide', expected 1 to "),
        ('{"people": [], "canvas_height": -3}', "canvas_height is -3, expected 1 to "),
        ('{"people": [], "canvas_height": NaN}', "canvas_height is nan, expected 1 to "),
        ("", "not readable JSON"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, "0.json", [person(column(18, 0.5))])
    (tmp_path / "1.json").write_text(text)
    with pytest.raises(UserError) as caught:
        read_openpose_folder(tmp_path, 24)
    assert str(tmp_path / "1.json") in str(caught.value)
    assert words in str(caught.value)


def test_a_folder_without_poses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no OpenPose .json files"):
        read_openpose_folder(tmp_path, 24)
    with pytest.raises(UserError, match="gone: no such folder"):
        read_openpose_folder(tmp_path / "gone", 24)
    (tmp_path / "note.txt").write_text("no folder")
    with pytest.raises(UserError, match=r"note\.txt: is a file, expected a folder"):
        read_openpose_folder(tmp_path / "note.txt", 24)
    write(tmp_path, "0.json", [])
    write(tmp_path, "1.json", [])
    with pytest.raises(UserError, match="no person in any of its 2 files"):
        read_openpose_folder(tmp_path, 24)
