"""What faces say: blendshapes by their rules, geometry against exact puppets, the reader on the face it is shown."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from face_clips import plain_clip, points_face, puppet
from mediapipe.tasks.python.vision.face_landmarker import Blendshapes
from pydantic import ValidationError

from preprocessing.clip import Face
from preprocessing.face.blendshapes import BLENDSHAPES, BlendshapeConfig, read_blendshapes
from preprocessing.face.geometry import GeometryConfig, read_geometry
from preprocessing.face.measures import MEASURES, measure_faces
from preprocessing.face.reading import read_faces
from temporal_gan.alpha import over_white
from temporal_gan.expressions import CLASSES, EXPRESSIONS
from temporal_gan.models.reader import read_video
from temporal_gan.models.reader_file import load_reader
from temporal_gan.puppet.clip import PuppetClip

RULES, LENGTHS = BlendshapeConfig(), GeometryConfig()


def shapes(count: int = 1, **values: float) -> np.ndarray:
    """Blendshapes [count, 52]; names without a side stand for both sides."""
    made = np.zeros((count, 52), np.float32)
    for column, name in enumerate(BLENDSHAPES):
        for wanted, value in values.items():
            if name in (wanted, f"{wanted}Left", f"{wanted}Right"):
                made[:, column] = value
    return made


def at(vectors: np.ndarray, name: str) -> np.ndarray:
    return np.asarray(vectors[:, EXPRESSIONS.index(name)])


def test_the_names_are_mediapipes_in_its_order() -> None:
    theirs = [shape.name.replace("_", "").lower() for shape in Blendshapes]
    assert [name.lower().replace("_", "") for name in BLENDSHAPES] == theirs


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"mouthSmile": 0.9, "cheekSquint": 0.6}, "happy"),
        ({"mouthFrown": 0.6, "browInnerUp": 0.8, "browDown": 0.2}, "sad"),
        ({"browDown": 0.6, "eyeSquint": 0.7, "mouthPress": 0.6}, "angry"),
        ({"browOuterUp": 0.9, "browInnerUp": 0.6, "jawOpen": 0.6, "eyeWide": 0.04}, "surprised"),
        ({"noseSneer": 0.9, "mouthUpperUp": 0.9, "mouthFrown": 0.3}, "disgusted"),
        ({"eyeWide": 0.5, "mouthStretch": 0.9, "browInnerUp": 0.9, "browDown": 0.2}, "scared"),
        ({"mouthSmile": 0.3, "jawOpen": 0.05}, "neutral"),
    ],
)
def test_a_face_is_named_by_its_actions(values: dict[str, float], name: str) -> None:
    # A rest before it, so that the clip shows its neutral face.
    clip = np.concatenate([shapes(3), shapes(2, **values)])
    intensity, confidence = read_blendshapes(clip, np.ones(5), RULES)
    assert CLASSES[intensity[-1, :8].argmax()] == name
    np.testing.assert_allclose(intensity[:, :8].sum(axis=1), 1, atol=1e-5)
    assert (at(intensity, "neutral")[:3] == 1).all()
    assert (intensity >= 0).all()
    assert (intensity <= 1).all()
    assert (at(confidence, "embarrassed") == 0).all()
    assert (at(confidence, "happy") == 1).all()
    assert at(confidence, "disgusted")[0] == pytest.approx(0.6, abs=1e-6), "noseSneer is a dead channel"


def test_who_smiles_is_not_sad() -> None:
    tears = {"mouthFrown": 0.6, "browInnerUp": 1.0, "browDown": 0.4}
    sad, _ = read_blendshapes(np.concatenate([shapes(9), shapes(1, **tears)]), np.ones(10), RULES)
    both, _ = read_blendshapes(
        np.concatenate([shapes(9), shapes(1, mouthSmile=0.6, **tears)]), np.ones(10), RULES
    )
    assert at(sad, "sad")[9] > 0.7
    assert at(both, "sad")[9] == 0


def test_controls_take_the_published_ranges() -> None:
    clip = np.concatenate([shapes(9), shapes(1, mouthSmile=0.5, jawOpen=0.25, browDown=0.2)])
    clip[9, BLENDSHAPES.index("eyeBlinkLeft")] = 0.6
    intensity, _ = read_blendshapes(clip, np.ones(10), RULES)
    for name, value in {"mouthSmile": 0.5, "jawOpen": 0.5, "browDown": 0.5, "eyeBlinkLeft": 0.75}.items():
        assert at(intensity, name)[9] == pytest.approx(value, abs=1e-5)
    assert at(intensity, "eyeBlinkRight")[9] == 0


def test_a_trait_is_taken_off_and_a_lasting_smile_is_not() -> None:
    brow, _ = read_blendshapes(shapes(8, browDown=0.12), np.ones(8), RULES)
    assert (at(brow, "browDown") == 0).all()
    smile, _ = read_blendshapes(shapes(8, mouthSmile=0.9, cheekSquint=0.8), np.ones(8), RULES)
    assert (at(smile, "happy") > 0.9).all()


def test_what_is_no_face_is_not_taken_for_a_face_at_rest() -> None:
    clip = np.concatenate([shapes(6), shapes(4, browDown=0.4)])
    seen = np.array([0] * 6 + [1] * 4)
    intensity, confidence = read_blendshapes(clip, seen, RULES)
    alone, _ = read_blendshapes(clip[6:], np.ones(4), RULES)
    np.testing.assert_array_equal(intensity[6:], alone)
    assert not confidence[:6].any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"ranges": {"mouthSmiel": (0, 1)}},
        {"ranges": {"mouthSmile": (0.6, 0.4)}},
        {"weights": {"smug": {"mouthSmile": 1.0}}},
        {"weights": {"happy": {"mouthSmile": -1.0}}},
        {"weights": {"happy": {}}},
        {"vetoes": {"sad": "smile"}},
    ],
)
def test_wrong_rules_are_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        BlendshapeConfig(**wrong)


def exact(clip: PuppetClip) -> np.ndarray:
    assert clip.face_points is not None
    return np.concatenate([clip.face_points, np.ones((*clip.face_points.shape[:2], 1))], axis=-1)


def read(clip: PuppetClip) -> np.ndarray:
    return read_geometry(*measure_faces(exact(clip), 128, 128), LENGTHS)[0]


def test_measures_do_not_know_place_size_and_tilt() -> None:
    points = exact(puppet("happy:0.7", frames=2, size=128))
    values, trust = measure_faces(points, 128, 128)
    assert (trust > 0.5).all()
    turn = 0.6
    turned = points.copy()
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    turned[..., :2] = (points[..., :2] - 0.5) @ matrix * 0.5 + 0.3
    turned[..., 0] *= 128 / 300
    again, _ = measure_faces(turned, 300, 128)
    np.testing.assert_allclose(again, values, atol=1e-6)


def test_left_is_the_subjects() -> None:
    wink, _ = measure_faces(exact(puppet("auto:neutral+eyeBlinkLeft:1", frames=1, size=128)), 128, 128)
    seen = dict(zip(MEASURES, wink[0], strict=True))
    assert seen["left_eye"] < 0.3 * seen["right_eye"]


def test_what_is_turned_away_or_tiny_is_not_trusted() -> None:
    points = exact(puppet("happy", frames=1, size=128))
    profile = points.copy()
    eyes = points[:, 11:23, 0].reshape(1, 2, 6).mean(axis=-1)
    profile[:, 23, 0] += 0.7 * (eyes[:, 1] - eyes[:, 0])
    assert (measure_faces(points, 128, 128)[1] > 0.9).all()
    assert (measure_faces(profile, 128, 128)[1] == 0).all()
    assert (measure_faces(points, 20, 20)[1] == 0).all()
    unseen = points.copy()
    unseen[:, 25, 2] = 0
    trust = dict(zip(MEASURES, measure_faces(unseen, 128, 128)[1][0], strict=True))
    assert trust["mouth_open"] == 0
    assert trust["left_eye"] > 0.5


@pytest.mark.parametrize(
    ("name", "least"),
    [("happy", 0.8), ("sad", 0.8), ("angry", 0.7), ("surprised", 0.6), ("scared", 0.7), ("disgusted", 0.5)],
)
def test_a_puppet_that_changes_its_mood_is_understood(name: str, least: float) -> None:
    clip = puppet(f"neutral>{name}", frames=9, size=128)
    made = read(clip)
    assert CLASSES[made[-1, :8].argmax()] == name
    assert at(made, name)[-1] > least
    assert at(made, "neutral")[0] > 0.9
    np.testing.assert_allclose(made[:, :8].sum(axis=1), 1, atol=1e-5)
    assert np.corrcoef(at(made, name), at(clip.expression, name))[0, 1] > 0.92


def test_controls_follow_the_puppets() -> None:
    for name in ("jawOpen", "mouthSmile", "browInnerUp", "browDown"):
        track = np.stack(
            [puppet(f"auto:neutral+{name}:{v}", frames=1, size=128).face_points[0] for v in (0, 0.5, 1)]
        )
        points = np.concatenate([track, np.ones((3, 28, 1))], axis=-1)
        made, confidence = read_geometry(*measure_faces(points, 128, 128), LENGTHS)
        values = at(made, name)
        assert values[0] < 0.1, name
        assert values[0] < values[1] < values[2], name
        assert values[2] > 0.6, name
        assert (at(confidence, name) > 0.5).all()


def test_one_lasting_expression_is_not_stretched() -> None:
    """A clip without change is not read as going from nothing to all, whatever the noise."""
    noise = np.random.default_rng(0).normal(0, 0.0003, (12, 28, 2))
    for spec, quiet in (("neutral", True), ("happy:0.5", False), ("angry:0.4", False)):
        points = np.repeat(exact(puppet(spec, frames=1, size=128)), 12, axis=0)
        points[..., :2] += noise
        made, _ = read_geometry(*measure_faces(points, 128, 128), LENGTHS)
        assert np.ptp(made, axis=0).max() < 0.25
        if quiet:
            assert made[:, 1:8].max() < 0.15
            assert made[:, 8:].max() < 0.3
    lasting = np.repeat(exact(puppet("happy", frames=1, size=128)), 12, axis=0)
    made, _ = read_geometry(*measure_faces(lasting, 128, 128), LENGTHS)
    assert (at(made, "happy") > 0.6).all(), "nor for a face at rest"


def test_a_blush_is_not_geometry() -> None:
    points = exact(puppet("neutral>embarrassed", frames=5, size=128))
    _, confidence = read_geometry(*measure_faces(points, 128, 128), LENGTHS)
    assert at(confidence, "embarrassed").max() < 0.5 * at(confidence, "happy").max()


def test_faces_that_nobody_saw_have_no_expression() -> None:
    points = exact(puppet("neutral>happy", frames=5, size=128))
    points[:3, :, 2] = 0
    made, confidence = read_geometry(*measure_faces(points, 128, 128), LENGTHS)
    assert not confidence[:3].any()
    assert np.isfinite(made).all()
    none, nothing = read_geometry(*measure_faces(np.zeros((4, 28, 3)), 128, 128), LENGTHS)
    assert not nothing.any()
    assert np.isfinite(none).all()


def test_faces_of_human_measure_smile_by_less() -> None:
    """As MediaPipe's mesh draws them: slits for eyes, a wide mouth, and a smile half as high."""
    points = exact(puppet("neutral>happy", frames=7, size=256))
    drawn, _ = read_geometry(*measure_faces(points, 256, 256), LENGTHS)
    values, trust = measure_faces(points, 256, 256)
    place = {name: column for column, name in enumerate(MEASURES)}
    values[:, [place["left_eye"], place["right_eye"]]] *= 0.25
    values[:, place["mouth_width"]] += 0.12
    lift = place["mouth_lift"]
    values[:, lift] = 0.02 + 0.4 * (values[:, lift] - values[0, lift])
    human, _ = read_geometry(values, trust, LENGTHS)
    assert at(human, "mouthSmile")[0] < 0.1
    assert at(human, "mouthSmile")[-1] > 0.8
    assert at(human, "happy")[-1] > 0.6
    assert np.abs(at(human, "happy") - at(drawn, "happy")).mean() < 0.2


@torch.no_grad()
def test_the_reader_reads_the_face_it_is_shown() -> None:
    reader = load_reader("loss")
    clip = puppet("neutral>angry", frames=4, size=128, hold=2)
    assert clip.face_points is not None
    faces = points_face(clip.face_points, np.ones(clip.face_points.shape[:2]))
    wide = np.pad(clip.video, ((0, 0), (0, 0), (72, 0), (0, 0)))
    box = faces.box * [0.64, 1, 0.64, 1] + [0.36, 0, 0.36, 0]
    shown = replace(plain_clip(wide, [0, 0, 1, 1]), face=Face(box.astype(np.float32), faces.confidence))
    made, confidence = read_faces(reader, shown)
    assert made.shape == (2, 14)
    assert (confidence == 1).all()
    assert at(made, "neutral")[0] > 0.8
    assert at(made, "angry")[1] > 0.8
    alone, sure = read_faces(reader, plain_clip(clip.video, [0, 0, 1, 1]))
    assert at(alone, "angry")[1] > 0.8
    assert (sure > 0.8).all()
    lost = Face(box.astype(np.float32), faces.confidence * [0, 0, 1, 1])
    _, known = read_faces(reader, replace(shown, face=lost))
    assert known.any(axis=1).tolist() == [False, True]
    # Beside the face there is nothing to be read; the answer has to change.
    away = Face((box - [0.3, 0, 0.3, 0]).astype(np.float32), faces.confidence)
    elsewhere, _ = read_faces(reader, replace(shown, face=away))
    assert at(elsewhere, "angry")[1] < 0.5


def test_a_long_clip_is_read_as_its_parts_are() -> None:
    clip = puppet("happy", frames=34)
    video = clip.video.copy()
    video[33] = 255
    reader = load_reader("loss")
    made, sure = read_faces(reader, plain_clip(video, list(range(34))))
    whole = read_video(reader, torch.from_numpy(over_white(video)).permute(0, 3, 1, 2).float() / 255)
    np.testing.assert_array_equal(made, whole.expression.numpy())
    np.testing.assert_array_equal(sure, np.repeat(whole.face.numpy()[:, None], len(EXPRESSIONS), axis=1))
    assert sure[33].max() < 0.5 < sure[0].min()
