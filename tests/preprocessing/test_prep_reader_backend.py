"""The reader as a backend: near the truth on a puppet, silent on a blank page."""

from pathlib import Path

import numpy as np
from strange_media import source

from preprocessing.clip import Clip
from preprocessing.face.finding import FaceConfig, find_face
from preprocessing.face.reading import read_faces
from preprocessing.pose.backends import open_face_backend, open_pose_backend
from preprocessing.pose.finding import PoseConfig
from temporal_gan.alpha import over_white
from temporal_gan.expressions import CLASSES
from temporal_gan.models.reader_file import load_reader
from temporal_gan.puppet import PuppetSpec, render_clip


def test_body_and_face_of_a_puppet() -> None:
    config = PoseConfig(backend="reader")
    body_finder, face_finder = open_pose_backend(config), open_face_backend("reader", config)
    assert body_finder is not None
    assert body_finder is face_finder, "loaded once"
    clip = render_clip(PuppetSpec("kaito", "idle", "neutral", 0, 1, 128))
    picture = over_white(clip.video)[0]
    body, face = body_finder.detect_body(picture, 0.5), face_finder.detect_face(picture)
    assert body is not None
    assert face is not None
    side = np.ptp(clip.keypoints[0], axis=0).max()
    error = np.linalg.norm(body.keypoints - clip.keypoints[0], axis=1) / side
    assert (error < 0.1).mean() > 0.9
    assert clip.face_points is not None
    centre = clip.face_points[0].mean(axis=0)
    assert (face.box[:2] < centre).all()
    assert (centre < face.box[2:]).all()
    assert face.box[3] - face.box[1] < 0.5


def test_the_mood_is_read_in_the_box_that_is_found() -> None:
    """Box and crop have to mean the same face: in boxes of 0.7 of its size four in ten moods are taken for others."""
    finder, reader = open_face_backend("reader", PoseConfig(backend="reader")), load_reader("loss")
    sides, right = [], []
    for number, mood in enumerate(CLASSES):
        character = ("kaito", "hana", "amara", "genzo")[number % 4]
        truth = render_clip(PuppetSpec(character, "idle", mood, number, 2, 256))
        assert truth.face_points is not None
        frame = over_white(truth.video[1:])
        blank = np.zeros(1, np.int64)
        clip = Clip("a", source(Path("a.mp4")), 0.0, 1.0, 1.0, frame, blank, blank)
        clip = find_face(clip, finder, FaceConfig())
        assert clip.face is not None
        low, high = clip.face.box.reshape(2, 2)
        sides.append((high - low).max() / np.ptp(truth.face_points[1], axis=0).max())
        intensity, confidence = read_faces(reader, clip)
        assert confidence.min() > 0.5
        right.append(CLASSES[int(intensity[0, : len(CLASSES)].argmax())] == mood)
    assert 0.9 < np.median(sides) < 1.15
    assert sum(right) >= len(CLASSES) - 1


def test_a_wide_picture_keeps_its_places() -> None:
    finder = open_pose_backend(PoseConfig(backend="reader"))
    assert finder is not None
    picture = over_white(render_clip(PuppetSpec("kaito", "idle", "neutral", 0, 1, 128)).video)[0]
    wide = np.pad(picture, ((0, 0), (64, 64), (0, 0)), constant_values=255)
    square, stretched = finder.detect_body(picture, 0.5), finder.detect_body(wide, 0.5)
    assert square is not None
    assert stretched is not None
    np.testing.assert_allclose(stretched.keypoints[:, 0] * 2 - 0.5, square.keypoints[:, 0], atol=0.06)


def test_a_blank_page_is_nobody() -> None:
    finder = open_pose_backend(PoseConfig(backend="reader"))
    assert finder is not None
    assert finder.detect_body(np.full((96, 96, 3), 255, np.uint8), 0.5) is None
