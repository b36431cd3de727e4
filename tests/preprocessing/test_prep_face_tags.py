"""Tags of illustrations: what they mean, and a tagger that says constant things."""

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from face_clips import plain_clip

from preprocessing.clip import Face
from preprocessing.face.tags import TagConfig, Tagger, prepared, read_tags, tagged_expression
from temporal_gan.errors import UserError
from temporal_gan.expressions import CLASSES, EXPRESSIONS


def told(**tags: float) -> tuple[dict[str, float], dict[str, float]]:
    intensity, confidence = (v.tolist() for v in tagged_expression(tags, 0.35))
    return dict(zip(EXPRESSIONS, intensity, strict=True)), dict(zip(EXPRESSIONS, confidence, strict=True))


def test_the_strongest_smile_is_the_strength_and_the_surest_the_confidence() -> None:
    some, sure = told(light_smile=0.95, smile=0.5)
    grin, _ = told(light_smile=0.95, smile=0.5, grin=0.4)
    assert some["happy"] == pytest.approx(0.6)
    assert grin["happy"] == pytest.approx(0.9)
    assert some["neutral"] == pytest.approx(0.4)
    assert sure["happy"] == pytest.approx(0.95)
    assert sure["disgusted"] == 0
    assert some["mouthSmile"] == pytest.approx(0.7)


def test_scores_are_no_strengths_and_below_the_threshold_nothing_is_there() -> None:
    high, low = (told(smile=score)[0] for score in (0.99, 0.36))
    assert high["happy"] == low["happy"] > 0
    none, sure = told(smile=0.34)
    assert none["happy"] == 0
    assert none["neutral"] == 1
    assert sure["happy"] == pytest.approx(0.65)


def test_stickers_are_no_blush_and_tears_of_joy_no_grief() -> None:
    assert told(blush_stickers=0.99)[0]["embarrassed"] == 0
    assert told(blush=0.99)[0]["embarrassed"] == pytest.approx(0.4)
    joy, _ = told(tears=0.9, happy_tears=0.8, smile=0.9)
    assert joy["sad"] == 0
    assert joy["happy"] == pytest.approx(0.6)
    assert told(tears=0.9)[0]["sad"] == pytest.approx(0.8)


def test_several_moods_share_one_face() -> None:
    both, _ = told(smile=0.9, blush=0.9)
    classes = [both[name] for name in CLASSES]
    assert sum(classes) == pytest.approx(1, abs=1e-6)
    assert both["happy"] > both["embarrassed"] > 0


def test_eyes_and_mouth_are_controls() -> None:
    made, sure = told(closed_eyes=0.9, open_mouth=0.8)
    assert made["eyeBlinkLeft"] == made["eyeBlinkRight"] == 1
    assert made["jawOpen"] == pytest.approx(0.7)
    assert sure["jawOpen"] > sure["browDown"] > 0


def test_pictures_are_laid_on_a_white_square_bgr() -> None:
    picture = np.full((20, 40, 3), (200, 10, 60), np.uint8)
    made = prepared(picture, 80)
    assert made.dtype == np.float32
    assert made.shape == (80, 80, 3)
    np.testing.assert_array_equal(made[40, 40], [60, 10, 200])
    np.testing.assert_array_equal(made[2, 40], [255, 255, 255])
    assert (made[..., 0] < 128).mean() == pytest.approx(0.5, abs=0.03)


VOCABULARY = ("general", "blush_stickers", "smile", "open_mouth", "happy_tears", "tears", "angry")


def tagger_files(folder: Path, scores: tuple[float, ...], names: tuple[str, ...] = VOCABULARY) -> TagConfig:
    """A model that gives constant scores plus a thousandth of the mean blue, red taken off; and its vocabulary."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    constant = helper.make_tensor("scores", kind, [1, len(scores)], scores)
    weights = helper.make_tensor(
        "weights", kind, [3, len(scores)], [0.001] * len(scores) + [0.0] * 2 * len(scores)
    )
    axes = helper.make_tensor("axes", onnx.TensorProto.INT64, [2], [1, 2])
    nodes = [
        helper.make_node("ReduceMean", ["picture", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["seen"]),
        helper.make_node("Add", ["scores", "seen"], ["answer"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tagger",
        [helper.make_tensor_value_info("picture", kind, [1, 32, 32, 3])],
        [helper.make_tensor_value_info("answer", kind, [1, len(scores)])],
        [constant, weights, axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, folder / "model.onnx")
    (folder / "tags.csv").write_text(
        "tag_id,name,category,count\n" + "".join(f"1,{name},0,9\n" for name in names)
    )
    return TagConfig(model=folder / "model.onnx", vocabulary=folder / "tags.csv")


def opened(config: TagConfig) -> Tagger:
    with pytest.warns(UserWarning, match="has no"):
        return Tagger(config)


def test_a_tagger_is_asked_about_the_portrait(tmp_path: Path) -> None:
    tagger = opened(tagger_files(tmp_path, (0.0, 0.9, 0.2, 0.1, 0.0, 0.0, 0.0)))
    frames = np.zeros((3, 100, 100, 3), np.uint8)
    frames[:2, 30:60, 40:70, 2] = 255
    box = np.tile(np.float32([0.4, 0.3, 0.7, 0.6]), (3, 1))
    clip = replace(plain_clip(frames, [0, 0, 1]), face=Face(box, np.float32([1, 1, 0])))
    scores = tagger.scores(frames[0, 30:60, 40:70])
    assert scores["smile"] == pytest.approx(0.2 + 0.255, abs=1e-4), "blue comes first"
    assert set(scores) == {"smile", "open_mouth", "happy_tears", "tears", "angry"}
    intensity, confidence = read_tags(tagger, clip)
    # The portrait is 78 px wide; 900 of its 6084 are blue: 0.2 + 0.038 is below the threshold.
    assert intensity.shape == (2, 14)
    assert intensity[0, 0] == 1
    assert confidence[0, 1] > 0
    assert not confidence[1].any()
    frames[:2, :, :, 2] = 255
    blue, _ = read_tags(tagger, replace(clip, frames_u8=frames))
    assert blue[0, EXPRESSIONS.index("happy")] == pytest.approx(0.6)


def test_all_names_known_means_no_warning(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="has no") as caught:
        Tagger(tagger_files(tmp_path, (0.0,) * len(VOCABULARY)))
    missing = str(caught[0].message).split("has no ")[1].split(", ")
    names = (*VOCABULARY, *missing)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Tagger(tagger_files(tmp_path, (0.0,) * len(names), names))


def test_wrong_files_are_one_clear_line(tmp_path: Path) -> None:
    good = tagger_files(tmp_path, (0.0,) * len(VOCABULARY))
    other = tmp_path / "other.csv"
    cases = [
        (replace_config(good, vocabulary=None), "both be given"),
        (replace_config(good, model=tmp_path / "none.onnx"), "no such file"),
        (replace_config(good, vocabulary=tmp_path / "none.csv"), "cannot be read"),
        (replace_config(good, model=tmp_path / "tags.csv"), "is no ONNX model"),
        (replace_config(good, vocabulary=other), "belong together"),
    ]
    other.write_text("name\nsmile\n")
    for config, message in cases:
        with pytest.raises(UserError, match=message) as error:
            Tagger(config)
        assert "\n" not in str(error.value)
    other.write_text("tag\nsmile\n")
    with pytest.raises(UserError, match="column 'name'"):
        Tagger(replace_config(good, vocabulary=other))


def replace_config(config: TagConfig, **changes: Path | None) -> TagConfig:
    return config.model_copy(update=changes)


def test_without_onnxruntime_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match="anime"):
        Tagger(TagConfig(model=tmp_path, vocabulary=tmp_path))
