"""Labels over detections: what is labelled wins, the rest stays; labels are found by their source's name."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from labelled_clips import TAILED, random_track, same_labels, with_extras

from preprocessing.clip import Clip, Expression, Pose, Source
from preprocessing.exporters.label_table import write_label_table
from preprocessing.exporters.openpose import write_openpose
from preprocessing.label_track import LabelTrack
from preprocessing.labels import (
    LABELLED_EMPTY,
    NOT_LABELLED,
    apply_labels,
    check_fit,
    find_labels,
    read_labels,
    unused_labels,
)
from preprocessing.smooth import SmoothConfig, smooth_pose
from temporal_gan.data.manifest import ORIGINS
from temporal_gan.errors import UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import CANONICAL25, Skeleton

NOSE, WRIST = 0, CANONICAL25.joints.index("left_wrist")
MANUAL, DETECTED = ORIGINS.index("manual"), ORIGINS.index("detected")


def shot(source_frame: list[int]) -> Clip:
    """A clip of these frames of a source, in which nothing was looked for."""
    frames = len(source_frame)
    source = Source(Path("dance.mp4"), "dance.mp4", "", "hana")
    pixels = np.zeros((frames, 4, 4, 3), np.uint8)
    return Clip("dance", source, 0.0, 1.0, 12.0, pixels, np.array(source_frame), np.arange(frames))


def detected(clip: Clip) -> Clip:
    """The same with every joint found at 0.1, both hands, and a happy face."""
    frames = len(clip.source_frame)
    pose = Pose(
        keypoints=np.full((frames, 25, 2), 0.1, np.float32),
        confidence=np.full((frames, 25), 0.6, np.float32),
        origin=np.full((frames, 25), DETECTED, np.uint8),
        hands=np.full((frames, 2, 21, 3), 0.2, np.float32),
        verdict=("head below the hips",) * frames,
    )
    face = Expression.unknown(frames)
    face = replace(face, intensity=face.intensity + 0.3, confidence=face.confidence + 0.4, method="geometry")
    return replace(clip, pose=pose, expression=face)


def wrist_track(frame: list[int], x: list[float]) -> LabelTrack:
    """The left wrist alone, set by hand."""
    frames = len(frame)
    keypoints, confidence = np.zeros((frames, 25, 2), np.float32), np.zeros((frames, 25), np.float32)
    keypoints[:, WRIST, 0] = x
    confidence[:, WRIST] = 1
    return LabelTrack(np.array(frame), keypoints, confidence, CANONICAL25, origin="manual")


def test_a_correction_wins_joint_by_joint_and_the_rest_stays() -> None:
    before = detected(shot([8, 9, 9, 10, 12]))
    after = apply_labels(before, wrist_track([3, 9, 12, 40], [0.7, 0.5, 0.75, 0.9]))
    assert before.pose is not None
    assert after.pose is not None
    assert after.pose.keypoints[:, WRIST, 0].tolist() == pytest.approx([0.1, 0.5, 0.5, 0.1, 0.75])
    assert after.pose.confidence[:, WRIST].tolist() == pytest.approx([0.6, 1, 1, 0.6, 1])
    assert after.pose.origin[:, WRIST].tolist() == [DETECTED, MANUAL, MANUAL, DETECTED, MANUAL]
    rest = [j for j in range(25) if j != WRIST]
    for name in ("keypoints", "confidence", "origin"):
        np.testing.assert_array_equal(getattr(after.pose, name)[:, rest], getattr(before.pose, name)[:, rest])
    assert after.pose.verdict == ("head below the hips", "", "", "head below the hips", "")
    assert after.pose.hands is before.pose.hands
    assert after.expression is before.expression
    # Nothing was changed in place.
    assert before.pose.confidence.max() < 0.7


def test_labels_alone_make_a_pose() -> None:
    clip = apply_labels(shot([0, 1, 2]), wrist_track([1], [0.5]))
    assert clip.pose is not None
    assert np.argwhere(clip.pose.confidence).tolist() == [[1, WRIST]]
    assert clip.pose.verdict == (NOT_LABELLED, "", NOT_LABELLED)
    assert clip.expression is None
    # Another shot of the same source has no labels.
    other = apply_labels(shot([5, 6]), wrist_track([1], [0.5]))
    assert other.pose is not None
    assert other.pose.confidence.max() == 0


def test_expressions_win_channel_by_channel() -> None:
    happy = EXPRESSIONS.index("happy")
    track = wrist_track([1], [0.5])
    intensity, sure = np.zeros((2, 1, len(EXPRESSIONS)), np.float32)
    intensity[0, happy], sure[0, happy] = 0.9, 0.8
    track = replace(track, expression=intensity, expression_confidence=sure)
    after = apply_labels(detected(shot([0, 1])), track).expression
    assert after is not None
    np.testing.assert_allclose(after.intensity[:, happy], [0.3, 0.9])
    np.testing.assert_allclose(after.confidence[:, happy], [0.4, 0.8])
    rest = [c for c in range(len(EXPRESSIONS)) if c != happy]
    np.testing.assert_allclose(after.intensity[:, rest], 0.3)
    assert after.origin.tolist() == [DETECTED, MANUAL]
    assert after.method == "geometry"
    every = apply_labels(detected(shot([1, 1])), track).expression
    assert every is not None
    assert every.method == "labels"
    alone = apply_labels(shot([0, 1]), track).expression
    assert alone is not None
    assert (alone.method, alone.confidence[0].max(), alone.intensity[1, happy]) == (
        "labels",
        0,
        np.float32(0.9),
    )


def test_hands_win_point_by_point() -> None:
    track = with_extras(wrist_track([1], [0.5]))
    assert track.hands is not None
    track.hands[0, 1, 5:, 2] = 0
    after = apply_labels(detected(shot([0, 1])), track).pose
    assert after is not None
    assert after.hands is not None
    np.testing.assert_allclose(after.hands[0], 0.2)
    np.testing.assert_array_equal(after.hands[1, 0], track.hands[0, 0])
    np.testing.assert_array_equal(after.hands[1, 1, :5], track.hands[0, 1, :5])
    np.testing.assert_allclose(after.hands[1, 1, 5:], 0.2)
    alone = apply_labels(shot([0, 1]), track).pose
    assert alone is not None
    assert alone.hands is not None
    assert alone.hands[0].max() == 0


def test_a_held_drawing_shares_its_labels_and_each_frame_keeps_its_own() -> None:
    happy, sad = EXPRESSIONS.index("happy"), EXPRESSIONS.index("sad")
    clip = replace(detected(shot([0, 1, 2, 3, 4, 5])), hold=np.array([0, 0, 0, 1, 1, 2]))
    track = with_extras(wrist_track([1, 2, 4], [0.5, 0.7, 0.9]))
    intensity, sure = np.zeros((2, 3, len(EXPRESSIONS)), np.float32)
    intensity[:, happy], sure[:, happy] = (0.9, 0.8, 0.7), 1
    intensity[1, sad], sure[1, sad] = 0.6, 1
    after = apply_labels(clip, replace(track, expression=intensity, expression_confidence=sure))
    assert after.pose is not None
    assert after.pose.hands is not None
    assert track.hands is not None
    assert after.expression is not None
    assert after.pose.keypoints[:, WRIST, 0].tolist() == pytest.approx([0.5, 0.5, 0.7, 0.9, 0.9, 0.1])
    assert after.pose.verdict == ("", "", "", "", "", "head below the hips")
    np.testing.assert_array_equal(after.pose.hands[:5], track.hands[[0, 0, 1, 2, 2]])
    np.testing.assert_allclose(after.pose.hands[5], 0.2)
    np.testing.assert_allclose(after.expression.intensity[:, happy], [0.9, 0.9, 0.8, 0.7, 0.7, 0.3])
    np.testing.assert_allclose(after.expression.intensity[:, sad], [0.6, 0.6, 0.6, 0.3, 0.3, 0.3])
    assert after.expression.origin.tolist() == [MANUAL] * 5 + [DETECTED]


def test_what_is_labelled_as_missing_goes_and_what_is_not_labelled_stays() -> None:
    track = replace(wrist_track([1, 2], [0.5, 0.5]), confidence=np.zeros((2, 25), np.float32))
    missing, hands = np.zeros((2, 25), bool), np.zeros((2, 2, 21), bool)
    missing[0, WRIST], missing[1], hands[1] = True, True, True
    clip = replace(detected(shot([0, 1, 2, 2])), hold=np.array([0, 1, 2, 2]))
    after = apply_labels(clip, replace(track, missing=missing, hands_missing=hands))
    assert after.pose is not None
    assert after.pose.hands is not None
    assert after.pose.confidence[:2, WRIST].tolist() == [np.float32(0.6), 0]
    assert after.pose.confidence[1].astype(bool).sum() == 24
    assert not after.pose.confidence[2:].any()
    assert after.pose.hands[..., 2].any(axis=(1, 2)).tolist() == [True, True, False, False]
    assert after.pose.verdict == ("head below the hips",) * 2 + (LABELLED_EMPTY,) * 2
    # Neighbours a twelfth of a second away fill no joint that a person took out.
    smooth = smooth_pose(replace(after, fps=24.0), SmoothConfig()).pose
    assert smooth is not None
    np.testing.assert_array_equal(smooth.confidence, after.pose.confidence)


def test_formats_say_missing(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text(
        "frame,kind,name,value,x,y,confidence\n1,,left_wrist,,0,0,0\n1,left_hand,3,,0,0,0\n2,frame\n"
        "3,expression,happy,0.5\n3,frame\n"
    )
    (tmp_path / "b").mkdir()
    body = [[10.0, 5.0, 1.0]] * 18
    body[7] = [0.0, 0.0, 0.0]
    hand = [[0.0, 0.0, 0.0]] * 3 + [[4.0, 5.0, 1.0]] * 18
    people = {"pose_keypoints_2d": sum(body, []), "hand_left_keypoints_2d": sum(hand, [])}
    for frame, found in ((1, [people]), (2, [])):
        file = tmp_path / f"b/b_{frame:012d}_keypoints.json"
        file.write_text(json.dumps({"people": found}))
    marks = [{"x": 0.5, "y": 0.5} for _ in range(33)]
    marks[15] = {"x": 1.5, "y": 0.5}
    frames = [{"frame": 1, "pose_landmarks": marks}, {"frame": 2, "pose_landmarks": None}]
    (tmp_path / "c.json").write_text(json.dumps({"frames": frames}))
    tracks = [read_labels(file, (20, 10)) for file in (table, tmp_path / "b", tmp_path / "c.json")]
    empty = [25, 25, 0]
    for track, said in zip(tracks, ([WRIST], [WRIST], [WRIST]), strict=True):
        assert track.missing is not None
        assert np.flatnonzero(track.missing[0]).tolist() == said
    assert [track.missing[1].sum() for track in tracks if track.missing is not None] == empty
    assert tracks[0].frame.tolist() == [1, 2, 3]
    assert tracks[0].missing is not None
    assert not tracks[0].missing[2].any(), "a row of expression is not that of an empty frame"
    points = [t.hands_missing for t in tracks]
    assert [np.argwhere(p[0]).tolist() for p in points if p is not None] == [
        [[0, 3]],
        [[0, 0], [0, 1], [0, 2]],
        [],
    ]
    assert [p[1].all() for p in points if p is not None] == [True, True, False]


def test_another_skeleton_is_mapped_by_name_or_refused() -> None:
    own = Skeleton("own", ("Left-Hand", "Head"), ((1, 0),), (), (1, 1))
    points = np.array([[[0.25, 0.5], [0.75, 0.125]]], np.float32)
    clip = apply_labels(shot([0]), LabelTrack(np.array([0]), points, np.ones((1, 2), np.float32), own))
    assert clip.pose is not None
    assert np.flatnonzero(clip.pose.confidence[0]).tolist() == [NOSE, WRIST]
    assert clip.pose.keypoints[0, WRIST].tolist() == [0.25, 0.5]
    assert clip.pose.keypoints[0, NOSE].tolist() == [0.75, 0.125]
    with pytest.raises(
        UserError, match=r"dance\.mp4: Body, Tail, end, Tail of its labels are no joints of canonical25"
    ):
        apply_labels(shot([0]), random_track(1, TAILED))
    both = Skeleton("both", ("Head", "nose"), (), (), (1, 1))
    with pytest.raises(UserError, match="Head and nose of its labels are the same joint"):
        apply_labels(shot([0]), LabelTrack(np.array([0]), points, np.ones((1, 2), np.float32), both))


def test_labels_of_frames_that_are_not_there() -> None:
    track = wrist_track([0, 11], [0.5, 0.5])
    assert check_fit(track, 12, (4, 4), "a.csv") is track
    with pytest.raises(
        UserError, match=r"a\.csv: has labels for frame 11, but the source has 11 frames, 0 to 10"
    ):
        check_fit(track, 11, (4, 4), "a.csv")


def test_files_that_are_only_counted_must_be_all_frames() -> None:
    track = replace(wrist_track([0, 1, 2], [0.5] * 3), counted=True)
    assert check_fit(track, 3, (4, 4), "walk") is track
    with pytest.raises(UserError, match=r"walk: has 12 frames, but labels of 3, and their names do not say"):
        check_fit(track, 12, (4, 4), "walk")


def test_labels_of_another_shape_are_of_another_clip() -> None:
    track = replace(wrist_track([0, 4, 5], [0.5] * 3), aspect=np.array([np.nan, 512 / 704, 512 / 704]))
    # 500 x 700, rounded to multiples of 64 by whoever found the poses.
    assert check_fit(track, 6, (500, 700), "walk") is track
    with pytest.raises(
        UserError, match=r"walk: frame 4 was labelled in a picture 0\.727 times as wide as high, .* 700x500 "
    ):
        check_fit(track, 6, (700, 500), "walk")


def test_provenance_beside_a_source_is_no_label(tmp_path: Path) -> None:
    told = {"licence": "CC0-1.0", "url": "https://example.org/a.mp4"}
    for name in ("a.mp4", "walk", "other.gif"):
        (tmp_path / f"{name}.json").write_text(json.dumps(told))
    assert find_labels(tmp_path, "a.mp4") is None
    write_label_table(tmp_path / "a.csv", random_track(2))
    write_openpose(tmp_path / "walk", "walk", random_track(2), (20, 12))
    assert find_labels(tmp_path, "a.mp4") == tmp_path / "a.csv"
    assert find_labels(tmp_path, "walk") == tmp_path / "walk"
    assert unused_labels(tmp_path, ["a.mp4", "walk"]) == []
    # What is neither is still named when it is read.
    (tmp_path / "b.mp4.json").write_text('{"licence": "CC0-1.0", "people": []}')
    assert find_labels(tmp_path, "b.mp4") == tmp_path / "b.mp4.json"


@pytest.mark.parametrize("name", ["dance", "dance.mp4", "clips/dance.mkv"])
def test_a_coco_file_is_of_the_source_it_is_named_after(tmp_path: Path, name: str) -> None:
    data = {
        "videos": [{"id": 1, "name": name}],
        "images": [{"id": 1, "file_name": "1.png", "width": 40, "height": 20, "video_id": 1, "frame_id": 3}],
        "annotations": [{"image_id": 1, "category_id": 1, "keypoints": [1, 1, 2]}],
        "categories": [{"id": 1, "keypoints": ["a"]}],
    }
    for file in ("dance.json", "dance.mp4.json", "jump.json"):
        (tmp_path / file).write_text(json.dumps(data))
    for file in ("dance.json", "dance.mp4.json"):
        track = read_labels(tmp_path / file, (4, 4))
        assert track.frame.tolist() == [3]
        assert track.aspect is not None
        assert track.aspect.tolist() == [2]
    with pytest.raises(
        UserError, match=rf"jump\.json: labels '{name}', expected the source that the file is"
    ):
        read_labels(tmp_path / "jump.json", (4, 4))


def test_labels_are_found_by_the_sources_name(tmp_path: Path) -> None:
    track = random_track(2)
    (tmp_path / "deep").mkdir()
    write_label_table(tmp_path / "deep/walk 猫.csv", track)
    write_label_table(tmp_path / "run.mp4.csv", track)
    write_openpose(tmp_path / "jump", "jump", track, (20, 12))
    (tmp_path / "idle.json").write_text('{"frames": [{"frame": 3}]}')
    assert find_labels(tmp_path, "deep/walk 猫.mp4") == tmp_path / "deep/walk 猫.csv"
    assert find_labels(tmp_path, "run.mp4") == tmp_path / "run.mp4.csv"
    assert find_labels(tmp_path, "run.gif") is None
    assert find_labels(tmp_path, "jump.webm") == tmp_path / "jump"
    assert find_labels(tmp_path, "jump") == tmp_path / "jump"
    assert find_labels(tmp_path, "idle.gif") == tmp_path / "idle.json"
    assert same_labels(read_labels(tmp_path / "run.mp4.csv", (20, 12)), track)
    jump = read_labels(tmp_path / "jump", (20, 12))
    np.testing.assert_array_equal(jump.confidence, track.confidence)
    assert read_labels(tmp_path / "idle.json", (20, 12)).frame.tolist() == [3]
    assert (
        unused_labels(tmp_path, ["deep/walk 猫.mp4", "run.mp4", "jump.webm", "idle.gif", "other.gif"]) == []
    )
    assert unused_labels(tmp_path, ["run.mp4"]) == [
        tmp_path / "deep/walk 猫.csv",
        tmp_path / "idle.json",
        tmp_path / "jump",
    ]
    with pytest.raises(
        UserError, match=r"idle\.json: is it of 'idle\.gif' or of 'idle\.mp4'\? name it idle\.mp4\.json"
    ):
        unused_labels(tmp_path, ["idle.gif", "idle.mp4"])
    write_label_table(tmp_path / "jump.csv", track)
    with pytest.raises(UserError, match=r"jump\.csv: jump beside it is of the same source"):
        find_labels(tmp_path, "jump.webm")
    with pytest.raises(UserError, match="no such folder of labels"):
        unused_labels(tmp_path / "nowhere", [])


def test_a_file_of_many_sources_is_no_clips_labels(tmp_path: Path) -> None:
    images = [{"id": i, "file_name": f"{i}.png", "width": 4, "height": 4} for i in (1, 2)]
    notes = [{"image_id": i, "category_id": 1, "keypoints": [1, 1, 2]} for i in (1, 2)]
    data = {"images": images, "annotations": notes, "categories": [{"id": 1, "keypoints": ["a"]}]}
    (tmp_path / "a.json").write_text(str(data).replace("'", '"'))
    with pytest.raises(
        UserError, match=r"a\.json: labels 2 sources \(1\.png, 2\.png \.\.\.\), expected those of one"
    ):
        read_labels(tmp_path / "a.json", (4, 4))
