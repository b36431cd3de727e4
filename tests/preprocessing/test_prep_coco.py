"""COCO's keypoints and COCO-WholeBody's, and every mistake in such a file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from preprocessing.importers.coco import COCO17, read_coco
from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25

Data = dict[str, Any]


def triples(joints: int, v: float = 2, x: float = 9.5, y: float = 4.5) -> list[float]:
    return [value for _ in range(joints) for value in (x, y, v)]


def people() -> Data:
    """Two pictures of 20 x 10, a person in the first."""
    return {
        "images": [
            {"id": 7, "file_name": "a/1.png", "width": 20, "height": 10},
            {"id": 8, "file_name": "2.png", "width": 20, "height": 10},
        ],
        "categories": [
            {"id": 1, "name": "person", "keypoints": list(COCO17), "skeleton": [[1, 2]]},
            {
                "id": 2,
                "name": "bird",
                "keypoints": ["beak", "left wing", "right wing"],
                "skeleton": [[1, 2], [1, 3]],
            },
            {"id": 3, "name": "tree"},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "keypoints": triples(17), "bbox": [1, 1, 2, 2]}
        ],
    }


def read(folder: Path, data: Data) -> dict[str, Any]:
    (folder / "a.json").write_text(json.dumps(data))
    return read_coco(folder / "a.json")


def test_visibility_is_a_confidence(tmp_path: Path) -> None:
    data = people()
    points = data["annotations"][0]["keypoints"]
    points[15:18] = [9.5, 4.5, 1]
    points[18:21] = [0, 0, 0]
    tracks = read(tmp_path, data)
    assert list(tracks) == ["a/1.png"]
    track = tracks["a/1.png"]
    assert track.frame.tolist() == [0]
    assert track.skeleton == CANONICAL25
    by_name = dict(zip(CANONICAL25.joints, track.confidence[0].tolist(), strict=True))
    assert by_name["left_shoulder"] == 0.5
    assert by_name["right_shoulder"] == by_name["neck"] == 0
    assert by_name["left_wrist"] == by_name["mid_hip"] == 1
    assert by_name["left_heel"] == 0
    np.testing.assert_allclose(track.keypoints[0, 0], [0.5, 0.5])
    assert track.hands is track.face_points is None


def test_another_category_keeps_its_skeleton(tmp_path: Path) -> None:
    data = people()
    data["annotations"] = [{"id": 1, "image_id": 8, "category_id": 2, "keypoints": triples(3)}]
    skeleton = read(tmp_path, data)["2.png"].skeleton
    assert (skeleton.name, skeleton.joints) == ("bird", ("beak", "left wing", "right wing"))
    assert (skeleton.edges, skeleton.flip_pairs) == (((0, 1), (0, 2)), ((1, 2),))


def test_frames_of_films_and_the_largest_person(tmp_path: Path) -> None:
    data = people()
    data["videos"] = [{"id": "v", "name": "dance.mp4"}]
    for frame, image in enumerate(data["images"]):
        image |= {"video_id": "v", "frame_id": 5 * frame}
    note = {"image_id": 8, "category_id": 1}
    data["annotations"] += [
        note | {"id": 2, "keypoints": triples(17, x=1), "bbox": [0, 0, 3, 3]},
        note | {"id": 3, "keypoints": triples(17, x=3), "bbox": [0, 0, 9, 3]},
        note | {"id": 4, "keypoints": triples(17, x=5), "bbox": [0, 0, 2, 2]},
        note | {"id": 5, "keypoints": triples(17, x=7), "bbox": [0, 0, 99, 99], "iscrowd": 1},
        note | {"id": 6, "bbox": [0, 0, 99, 99]},
    ]
    tracks = read(tmp_path, data)
    assert list(tracks) == ["dance.mp4"]
    assert tracks["dance.mp4"].frame.tolist() == [0, 5]
    np.testing.assert_allclose(tracks["dance.mp4"].keypoints[:, 0, 0], [0.5, 3.5 / 20])


def whole_body(data: Data) -> Data:
    data["annotations"][0] |= {
        "foot_kpts": triples(6, 1, 1.5),
        "face_kpts": triples(68, 0.75),
        "lefthand_kpts": triples(21, 0.5, 3.5),
        "righthand_kpts": triples(21, 0),
    }
    return data


def one_list(data: Data) -> Data:
    points = triples(17) + triples(6, 1, 1.5) + triples(68, 0.75) + triples(21, 0.5, 3.5) + triples(21, 0)
    # Scores in every place, as a program writes them.
    points[2::3] = [1.0] * 17 + [0.5] * 6 + [0.75] * 68 + [0.5] * 21 + [0.0] * 21
    data["annotations"][0]["keypoints"] = points
    return data


@pytest.mark.parametrize("form", [whole_body, one_list])
def test_whole_bodies(tmp_path: Path, form: Callable[[Data], Data]) -> None:
    track = read(tmp_path, form(people()))["a/1.png"]
    assert track.skeleton == CANONICAL25
    feet = [j for j, name in enumerate(CANONICAL25.joints) if "toe" in name or "heel" in name]
    np.testing.assert_allclose(track.confidence[0, feet], 0.5)
    np.testing.assert_allclose(track.keypoints[0, feet], [[0.1, 0.5]] * 6)
    assert track.confidence[0, :18].min() == 1
    np.testing.assert_allclose(track.hands[0, 0], [[0.2, 0.5, 0.5]] * 21)
    assert track.hands[0, 1, :, 2].max() == 0
    np.testing.assert_allclose(track.face_points[0], [[0.5, 0.5, 0.75]] * 68)


def test_scores_beside_the_keypoints_win(tmp_path: Path) -> None:
    data = people()
    data["annotations"][0]["keypoint_scores"] = [0.25] * 17
    assert read(tmp_path, data)["a/1.png"].confidence[0, 0] == 0.25


def change(path: str, value: Any) -> Callable[[Data], None]:
    def apply(data: Data) -> None:
        *places, last = [int(p) if p.isdigit() else p for p in path.split(".")]
        thing: Any = data
        for place in places:
            thing = thing[place]
        thing[last] = value

    return apply


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        ("annotations.0.keypoints.4", "x", r'a\.json: annotations\[0\]\.keypoints\[4\] is "x", expected a number'),
        ("annotations.0.keypoints.4", float("nan"), r"annotations\[0\]\.keypoints\[4\] is NaN"),
        ("annotations.0.keypoints.5", 3, r"annotations\[0\]\.keypoints\[5\] is 3, expected v of 0, 1 or 2"),
        ("annotations.0.keypoints.5", 1.5, r"annotations\[0\]\.keypoints\[2\] is 2, expected scores from 0 to 1"),
        ("annotations.0.keypoints.5", -1, r"annotations\[0\]\.keypoints\[5\] is -1, expected v"),
        ("annotations.0.keypoints.0", 1e300, r"keypoints\[0\] is 1e\+300, expected a number from -1e\+06"),
        ("annotations.0.keypoints", [1, 2], r"keypoints is a list of 2, expected a list of 51 or 399 numbers"),
        ("annotations.0.keypoints", "many", r'keypoints is "many", expected a list'),
        ("annotations.0.keypoint_scores", [0.5], r"keypoint_scores is a list of 1, expected a list of 17 scores"),
        ("annotations.0.image_id", 9, r"annotations\[0\]\.image_id is 9, expected the id of an image"),
        ("annotations.0.image_id", [7], r"image_id is a list of 1, expected the id"),
        ("annotations.0.category_id", 3, r"category_id is 3, expected the id of a category with keypoints"),
        ("annotations.0.bbox", [1, 2], r"bbox is a list of 2, expected x, y, width, height"),
        ("annotations.0.foot_kpts", triples(5), r"foot_kpts is a list of 15, expected a list of 18 numbers"),
        ("annotations", [], r"a\.json: no annotation in it has keypoints"),
        ("annotations", None, r"a\.json: has no 'annotations'"),
        ("images.1.id", 7, r"images\[1\]: id 7 was given before"),
        ("images.1.file_name", "a/1.png", r"images\[1\]: is frame 0 of 'a/1\.png', as is images\[0\]"),
        ("images.0.file_name", "../a.png", r"images\[0\]\.file_name is '\.\./a\.png', expected the name"),
        ("images.0.file_name", "/etc/passwd", r"file_name is '/etc/passwd', expected the name"),
        ("images.0.file_name", "C:\\a.png", r"file_name is .*, expected the name of a file below"),
        ("images.0.file_name", "a\\..\\..\\b.png", r"file_name is .*, expected the name of a file below"),
        ("images.0.file_name", "a\0.png", r"file_name is .*, expected the name of a file below"),
        ("images.0.file_name", "\ud800.png", r"file_name is .*, expected a text of whole characters"),
        ("images.0.width", 0, r"images\[0\]\.width is 0, expected a number from 1"),
        ("images.0.video_id", 1, r"video_id is 1, expected the id of a video"),
        ("categories.0.keypoints.1", "nose", r"categories\[0\]\.keypoints: a name of a keypoint repeats"),
        ("categories.1.skeleton", [[1, 4]], r"skeleton\[0\]\[1\] is 4, expected a number from 1 to 3"),
        ("categories.1.skeleton", [[1.5, 2]], r"skeleton\[0\]\[0\] is 1.5, expected a whole number"),
        ("categories", 5, r"categories is 5, expected a list"),
    ],
)  # fmt: skip
def test_mistakes_are_named_by_their_place(tmp_path: Path, where: str, value: Any, words: str) -> None:
    data = people()
    change(where, value)(data)
    with pytest.raises(UserError, match=words) as caught:
        read(tmp_path, data)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "a.json") in str(caught.value)


def test_one_source_has_one_skeleton(tmp_path: Path) -> None:
    data = people()
    data["videos"] = [{"id": 1, "name": "dance"}]
    for frame, image in enumerate(data["images"]):
        image |= {"video_id": 1, "frame_id": frame}
    data["annotations"].append({"id": 2, "image_id": 8, "category_id": 2, "keypoints": triples(3)})
    with pytest.raises(UserError, match="frames of 'dance' are labelled with different skeletons"):
        read(tmp_path, data)
