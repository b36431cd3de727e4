"""The expression of a clip: which method, what smoothing keeps, and the way to frames."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from face_clips import plain_clip, points_face, puppet

from preprocessing.clip import Clip, Face
from preprocessing.expression import (
    ExpressionConfig,
    ExpressionTools,
    open_expression_tools,
    read_expression,
    smooth_drawings,
)
from preprocessing.face.blendshapes import BLENDSHAPES
from temporal_gan.errors import UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.models.reader_file import load_reader

HAPPY, BLINK, SAD = (EXPRESSIONS.index(name) for name in ("happy", "eyeBlinkLeft", "sad"))
NO_TOOLS = ExpressionTools()


def face_clip(frames: int = 8, hold: int = 2, blendshapes: bool = False) -> Clip:
    """A puppet that grows happy, with its exact face, on twos."""
    truth = puppet("neutral>happy", frames=frames, hold=hold, size=128)
    assert truth.face_points is not None
    face = points_face(truth.face_points, np.ones(truth.face_points.shape[:2]))
    if blendshapes:
        smile = np.zeros((frames, 52), np.float32)
        smile[:, BLENDSHAPES.index("mouthSmileLeft")] = truth.expression[:, HAPPY]
        smile[:, BLENDSHAPES.index("mouthSmileRight")] = truth.expression[:, HAPPY]
        face = replace(face, blendshapes=smile)
    return replace(plain_clip(truth.video, truth.hold.tolist()), face=face)


def method_of(clip: Clip, tools: ExpressionTools, config: ExpressionConfig) -> str:
    made = read_expression(clip, tools, config)
    assert made.expression is not None
    return made.expression.method


def test_auto_takes_the_best_there_is_and_says_which() -> None:
    auto = ExpressionConfig()
    reader = ExpressionTools(reader=load_reader("loss"))
    clip = face_clip(blendshapes=True)
    assert clip.face is not None
    assert method_of(clip, reader, auto) == "blendshapes"
    without = replace(clip, face=replace(clip.face, blendshapes=None))
    assert method_of(without, reader, auto) == "geometry"
    box = replace(clip, face=replace(clip.face, blendshapes=None, points=None))
    assert method_of(box, reader, auto) == "reader"
    assert method_of(box, NO_TOOLS, auto) == ""


def test_the_reader_is_asked_about_faces_that_were_found_or_where_a_person_asks_for_it() -> None:
    reader = ExpressionTools(reader=load_reader("loss"))
    clip = face_clip()
    nowhere = Face(np.zeros((8, 4), np.float32), np.zeros(8, np.float32))
    for face in (None, nowhere):
        made = read_expression(replace(clip, face=face), reader, ExpressionConfig())
        assert made.expression is not None
        assert made.expression.method == ""
        assert not made.expression.confidence.any()
        assert dict(made.facts)["frames_with_expression"] == 0
    asked = read_expression(replace(clip, face=None), reader, ExpressionConfig(method="reader"))
    assert dict(asked.facts)["frames_with_expression"] == 8


def test_what_was_asked_for_is_never_replaced() -> None:
    clip = face_clip()
    assert method_of(clip, NO_TOOLS, ExpressionConfig(method="geometry")) == "geometry"
    for method in ("blendshapes", "none"):
        made = read_expression(clip, NO_TOOLS, ExpressionConfig(method=method))
        assert made.expression is not None
        assert made.expression.method == ""
        assert not made.expression.confidence.any()
        assert dict(made.facts)["frames_with_expression"] == 0


def test_frames_of_a_drawing_share_its_expression() -> None:
    made = read_expression(face_clip(), NO_TOOLS, ExpressionConfig()).expression
    assert made is not None
    assert made.intensity.shape == (8, 14)
    assert made.intensity.dtype == np.float32
    assert made.confidence.dtype == np.float32
    assert made.origin.shape == (8,)
    np.testing.assert_array_equal(made.intensity[::2], made.intensity[1::2])
    assert made.intensity[0, 0] > 0.8
    assert made.intensity[-1, HAPPY] > 0.5


def test_no_face_no_confidence() -> None:
    clip = face_clip()
    assert clip.face is not None
    sure = clip.face.confidence.copy()
    sure[2:4] = 0
    for method in ("geometry", "blendshapes"):
        seen = replace(
            face_clip(blendshapes=True), face=replace(face_clip(blendshapes=True).face, confidence=sure)
        )
        made = read_expression(seen, NO_TOOLS, ExpressionConfig(method=method))
        assert made.expression is not None
        known = made.expression.confidence.any(axis=1)
        assert known.tolist() == [True, True, False, False, True, True, True, True]
        assert dict(made.facts)["frames_with_expression"] == 6


def test_the_reader_gives_puppets_their_expression() -> None:
    config = ExpressionConfig(method="reader")
    made = read_expression(face_clip(), open_expression_tools(config), config).expression
    assert made is not None
    truth = puppet("neutral>happy", frames=8, hold=2, size=128).expression
    assert np.abs(made.intensity[:, 1:8] - truth[:, 1:8]).mean() < 0.08
    assert np.corrcoef(made.intensity[:, HAPPY], truth[:, HAPPY])[0, 1] > 0.9


def wobble(count: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intensity, confidence and time: happy for the second half, with noise; one blink of a single drawing."""
    random = np.random.default_rng(0)
    made = np.zeros((count, 14), np.float32)
    made[count // 2 :, HAPPY] = 0.8
    made[:, HAPPY] = np.clip(made[:, HAPPY] + random.normal(0, 0.08, count), 0, 1)
    made[:, 0] = 1 - made[:, HAPPY]
    made[6, BLINK] = 1
    return made, np.ones_like(made), np.arange(count) / 12


def test_smoothing_lowers_noise_without_delay_and_keeps_blinks() -> None:
    made, sure, time = wobble()
    smooth = smooth_drawings(made, sure, time, 0.06)
    truth = np.where(np.arange(24) < 12, 0, 0.8)
    away = np.abs(np.arange(24) - 11.5) > 2
    assert np.abs(smooth[:, HAPPY] - truth)[away].mean() < 0.8 * np.abs(made[:, HAPPY] - truth)[away].mean()
    assert int(np.argmax(smooth[:, HAPPY] > 0.4)) == 12
    assert smooth[6, BLINK] == 1
    assert smooth[5, BLINK] == 0
    np.testing.assert_allclose(smooth[:, :8].sum(axis=1), 1, atol=1e-5)
    backwards = smooth_drawings(made[::-1], sure[::-1], time, 0.06)[::-1]
    np.testing.assert_allclose(backwards, smooth, atol=1e-6)


def test_one_wrong_drawing_is_forgotten() -> None:
    made, sure, time = wobble()
    made[18, [0, HAPPY, SAD]] = [0, 0, 1]
    smooth = smooth_drawings(made, sure, time, 0.06)
    assert smooth[18, SAD] < 0.05
    assert smooth[18, HAPPY] > 0.6


def test_what_nobody_saw_neither_counts_nor_changes() -> None:
    made, sure, time = wobble()
    made[10:12, HAPPY], sure[10:12] = 1.0, 0.0
    made[10:12, 0] = 0
    smooth = smooth_drawings(made, sure, time, 0.06)
    np.testing.assert_array_equal(smooth[10:12], made[10:12])
    assert smooth[9, HAPPY] < 0.2
    none = smooth_drawings(made, np.zeros_like(sure), time, 0.06)
    np.testing.assert_array_equal(none, made)


def test_who_is_surer_counts_more() -> None:
    made, sure, time = wobble()
    made[:, HAPPY] = np.arange(24) / 24
    made[:, 0] = 1 - made[:, HAPPY]
    even = smooth_drawings(made, sure, time, 0.06)
    sure[13:] = 0.05
    leaning = smooth_drawings(made, sure, time, 0.06)
    assert leaning[12, HAPPY] < even[12, HAPPY] - 0.005
    assert leaning[3, HAPPY] == even[3, HAPPY]


def test_time_counts_not_the_number_of_drawings() -> None:
    made, sure, time = wobble()
    smooth = smooth_drawings(made, sure, time * 20, 0.06)
    median = smooth_drawings(made, sure, time, 0)
    np.testing.assert_allclose(smooth, median, atol=1e-5)


def test_the_same_clip_gives_the_same_bytes() -> None:
    config = ExpressionConfig(method="reader")
    tools = open_expression_tools(config)
    once, again = (read_expression(face_clip(), tools, config).expression for _ in range(2))
    assert once is not None
    assert again is not None
    assert once.intensity.tobytes() == again.intensity.tobytes()


def test_tools_are_opened_once_and_only_those_needed(tmp_path: Path) -> None:
    assert open_expression_tools(ExpressionConfig(method="geometry")) == NO_TOOLS
    assert open_expression_tools(ExpressionConfig()).reader is not None
    with pytest.raises(UserError, match="both be given"):
        open_expression_tools(ExpressionConfig(method="tags"))
    half = ExpressionConfig.model_validate({"tags": {"model": str(tmp_path / "model.onnx")}})
    with pytest.raises(UserError, match="both be given"):
        open_expression_tools(half)
    with pytest.raises(UserError, match=r"no\.safetensors"):
        open_expression_tools(ExpressionConfig(method="reader", reader=tmp_path / "no.safetensors"))


def test_a_clip_of_one_frame_is_read_too() -> None:
    clip = face_clip(frames=1, hold=1)
    made = read_expression(clip, NO_TOOLS, ExpressionConfig()).expression
    assert made is not None
    assert made.intensity.shape == (1, 14)
    nobody = replace(clip, face=Face(np.zeros((1, 4), np.float32), np.zeros(1, np.float32)))
    assert method_of(nobody, NO_TOOLS, ExpressionConfig()) == ""
