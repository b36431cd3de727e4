"""Faces are found, in whole pictures and in parts, by a cascade made here and by a finder of red."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from face_clips import plain_clip, puppet, puppet_pose

from preprocessing.clip import Pose
from preprocessing.detection import FaceDetection
from preprocessing.face.cascade import CascadeFaces
from preprocessing.face.chain import ChainedFaces
from preprocessing.face.finding import FaceConfig, find_face, open_face_finder
from preprocessing.face.looking import grown, look_within
from temporal_gan.errors import UserError

# One stage, one weak classifier: the middle third of the window is brighter than all eight around it (pattern 0).
CASCADE = """<?xml version="1.0"?>
<opencv_storage><cascade type_id="opencv-cascade-classifier">
<stageType>BOOST</stageType><featureType>LBP</featureType><height>24</height><width>24</width>
<stageParams><maxWeakCount>1</maxWeakCount></stageParams>
<featureParams><maxCatCount>256</maxCatCount></featureParams>
<stageNum>1</stageNum>
<stages><_><maxWeakCount>1</maxWeakCount><stageThreshold>0.5</stageThreshold>
<weakClassifiers><_><internalNodes>0 -1 0 1 0 0 0 0 0 0 0</internalNodes><leafValues>1. -1.</leafValues></_>
</weakClassifiers></_></stages>
<features><_><rect>0 0 8 8</rect></_></features></cascade></opencv_storage>
"""


@pytest.fixture
def cascade(tmp_path: Path) -> Path:
    file = tmp_path / "bright middle.xml"
    file.write_text(CASCADE)
    return file


def spot(x: int, y: int, side: int, width: int = 160, height: int = 120) -> np.ndarray:
    """A bright square on a dark picture."""
    picture = np.full((height, width, 3), 30, np.uint8)
    picture[y : y + side, x : x + side] = 220
    return cv2.GaussianBlur(picture, (0, 0), 1)


@dataclass
class RedFinder:
    """Finds what is red: a box, and 28 points on its edge; remembers the sizes it was shown."""

    least: int = 1
    name: str = "red"
    shown: list[tuple[int, int]] = field(default_factory=list)

    def detect_face(self, picture_u8: np.ndarray) -> FaceDetection | None:
        self.shown.append(picture_u8.shape[:2])
        red = (picture_u8[..., 0] > 150) & (picture_u8[..., 1] < 100)
        rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
        height, width = red.shape
        if len(rows) < self.least or len(rows) < self.least * height / 100:
            return None
        box = np.float32(
            [columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height]
        )
        points = np.linspace(box[:2], box[2:], 28, dtype=np.float32)
        return FaceDetection(box, 0.9, np.concatenate([points, np.ones((28, 1), np.float32)], axis=1))

    def close(self) -> None:
        self.shown.clear()


def red(x: int, y: int, side: int, width: int = 200, height: int = 100) -> np.ndarray:
    picture = np.full((height, width, 3), 128, np.uint8)
    picture[y : y + side, x : x + side] = (250, 0, 0)
    return picture


def test_the_cascade_finds_what_it_was_made_for(cascade: Path) -> None:
    finder = CascadeFaces(cascade)
    found = finder.detect_face(spot(70, 40, 16))
    assert found is not None
    assert found.points is None
    assert 0.5 <= found.confidence < 1
    middle = found.box.reshape(2, 2).mean(axis=0) * (160, 120)
    np.testing.assert_allclose(middle, (78, 48), atol=5)
    assert finder.detect_face(np.full((120, 160, 3), 90, np.uint8)) is None
    assert finder.detect_face(np.full((10, 160, 3), 90, np.uint8)) is None
    finder.close()


def test_a_cascade_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        CascadeFaces(tmp_path / "none.xml")
    for text in ("", "<html>not found</html>", CASCADE[:400], "<?xml version='1.0'?><opencv_storage/>"):
        broken = tmp_path / "broken.xml"
        broken.write_text(text)
        with pytest.raises(UserError, match=r"broken\.xml: holds no cascade") as error:
            CascadeFaces(broken)
        assert "\n" not in str(error.value)


def test_without_cascades_in_opencv_it_says_what_to_install(
    cascade: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(UserError, match="opencv-contrib-python"):
        CascadeFaces(cascade)


def test_a_part_is_told_in_fractions_of_the_whole() -> None:
    picture = red(120, 30, 20)
    whole, part = (
        look_within(RedFinder(), picture, np.array(box)) for box in ([0, 0, 1, 1], [0.53, 0.21, 0.777, 1.3])
    )
    assert whole is not None
    assert part is not None
    np.testing.assert_allclose(whole.box, [0.6, 0.3, 0.7, 0.5], atol=1e-6)
    np.testing.assert_allclose(part.box, whole.box, atol=1e-6)
    assert whole.points is not None
    assert part.points is not None
    np.testing.assert_allclose(part.points, whole.points, atol=1e-6)
    assert look_within(RedFinder(), picture, np.array([0.0, 0, 0.05, 0.05])) is None
    assert look_within(RedFinder(), picture, np.array([1.2, 0, 1.5, 1])) is None


def test_grown_boxes_are_square_in_pixels() -> None:
    box = grown(np.array([0.6, 0.3, 0.7, 0.4]), 2, red(0, 0, 1)).reshape(2, 2) * (200, 100)
    np.testing.assert_allclose(box, [[110, 15], [150, 55]])


def test_the_chain_looks_in_the_box_when_the_whole_is_too_much(cascade: Path) -> None:
    picture = np.full((120, 160, 3), 30, np.uint8)
    picture[40:56, 70:86] = (255, 0, 0)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8)
    boxes, points = CascadeFaces(cascade), RedFinder(least=20)
    assert boxes.detect_face(picture) is not None
    alone = points.detect_face(picture)
    assert alone is None, "a face of 16 px is too small for it in the whole picture"
    chain = ChainedFaces(boxes, points)
    found = chain.detect_face(picture)
    assert chain.name == "cascade+red"
    assert found is not None
    only_box = ChainedFaces(boxes, RedFinder(least=90)).detect_face(picture)
    assert only_box is not None
    assert only_box.points is None
    assert points.shown[-1] < (120, 160)


def test_each_drawing_is_looked_at_once() -> None:
    frames = np.stack([red(120, 30, 20)] * 3 + [red(124, 30, 20)] * 2)
    finder = RedFinder()
    made = find_face(plain_clip(frames, [0, 0, 0, 1, 1]), finder, FaceConfig())
    assert len(finder.shown) == 2
    assert made.face is not None
    np.testing.assert_array_equal(made.face.box[0], made.face.box[2])
    np.testing.assert_allclose(made.face.box[4], [0.62, 0.3, 0.72, 0.5], atol=1e-6)
    assert made.face.points is not None
    assert made.face.points.shape == (5, 28, 3)
    assert made.face.blendshapes is None
    assert dict(made.facts)["frames_with_face"] == 5


def test_it_looks_around_the_head_first_and_then_everywhere() -> None:
    frames = np.stack([red(120, 30, 20)] * 2)
    pose = Pose.nothing(2, "")
    keypoints, confidence = pose.keypoints.copy(), pose.confidence.copy()
    keypoints[:, [0, 14, 15, 1]] = [[0.65, 0.42], [0.63, 0.38], [0.67, 0.38], [0.65, 0.6]]
    confidence[:, [0, 14, 15, 1]] = 1
    finder = RedFinder()
    clip = plain_clip(frames, [0, 0])
    near = find_face(
        replace(clip, pose=replace(pose, keypoints=keypoints, confidence=confidence)), finder, FaceConfig()
    )
    assert len(finder.shown) == 1
    assert finder.shown[0] < (100, 100)
    assert near.face is not None
    np.testing.assert_allclose(near.face.box[0], [0.6, 0.3, 0.7, 0.5], atol=1e-6)
    keypoints[..., 0] -= 0.5
    finder.close()
    away = find_face(
        replace(clip, pose=replace(pose, keypoints=keypoints, confidence=confidence)), finder, FaceConfig()
    )
    assert finder.shown[1] == (100, 200)
    assert away.face is not None
    np.testing.assert_allclose(away.face.box, near.face.box, atol=1e-6)


def test_jumps_are_thrown_away_and_walks_are_not() -> None:
    places = [20, 28, 36, 150, 52, 60, 68]
    frames = np.stack([red(x, 30, 20) for x in places])
    made = find_face(plain_clip(frames), RedFinder(), FaceConfig())
    assert made.face is not None
    assert (made.face.confidence > 0).tolist() == [True] * 3 + [False] + [True] * 3
    facts = dict(made.facts)
    assert facts["frames_with_face"] == 6
    assert facts["face_jumps"] == 1
    sizes = np.stack([red(50, 30, side) for side in (20, 20, 38, 20, 20)])
    sized = find_face(plain_clip(sizes), RedFinder(), FaceConfig())
    assert sized.face is not None
    assert (sized.face.confidence > 0).tolist() == [True, True, False, True, True]


def test_where_nobody_looks_and_where_nothing_is_there_is_no_face() -> None:
    clip = plain_clip(puppet().video)
    clip = replace(clip, pose=puppet_pose(puppet()))
    nobody = find_face(clip, None, FaceConfig())
    assert nobody.face is None
    nothing = find_face(clip, RedFinder(least=200), FaceConfig())
    assert nothing.face is not None
    assert not nothing.face.confidence.any()
    assert nothing.face.points is None
    for made in (nobody, nothing):
        assert dict(made.facts)["frames_with_face"] == 0


def test_what_is_opened_is_what_there_is(cascade: Path) -> None:
    points = RedFinder()
    assert open_face_finder(points, FaceConfig()) is points
    assert open_face_finder(None, FaceConfig()) is None
    assert isinstance(open_face_finder(None, FaceConfig(cascade=cascade)), CascadeFaces)
    assert isinstance(open_face_finder(points, FaceConfig(cascade=cascade)), ChainedFaces)
