"""rtmlib's contract, by an ONNX model that always gives the same SimCC answer."""

from pathlib import Path

import numpy as np
import pytest

from preprocessing.pose.backends import open_pose_backend
from preprocessing.pose.finding import PoseConfig
from preprocessing.pose.rtmlib_backend import FACE_68_POINTS, RtmlibWholeBody
from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25

WIDTH, HEIGHT, SPLIT = 192, 256, 2
"""Of the model's input, and SimCC's bins per pixel (Li et al. 2022)."""


def constant_model(path: Path, places: np.ndarray, scores: np.ndarray) -> Path:
    """Joint j at ``places[j]``, pixels of the model's input, with ``scores[j]``; the picture is not looked at."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("rtmlib")
    joints = len(places)
    nodes, constants, outputs = [], [], []
    for axis, (name, length) in enumerate((("simcc_x", WIDTH), ("simcc_y", HEIGHT))):
        table = np.zeros((1, joints, length * SPLIT), np.float32)
        table[0, np.arange(joints), (places[:, axis] * SPLIT).astype(int)] = scores
        constants.append(onnx.numpy_helper.from_array(table, f"{name}_table"))
        # The input must be used: its mean times nought is added.
        nodes.append(onnx.helper.make_node("Add", [f"{name}_table", "nought"], [name]))
        outputs.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, list(table.shape)))
    constants.append(onnx.numpy_helper.from_array(np.zeros((), np.float32), "zero"))
    nodes.insert(0, onnx.helper.make_node("Mul", ["mean", "zero"], ["nought"]))
    nodes.insert(0, onnx.helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0))
    entry = onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])
    graph = onnx.helper.make_graph(nodes, "constant", [entry], outputs, constants)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def spread_places() -> np.ndarray:
    index = np.arange(133)
    return np.stack([20 + index % 12 * 12, 30 + index // 12 * 16], axis=1).astype(float)


def test_places_joints_hands_and_face(tmp_path: Path) -> None:
    places, scores = spread_places(), np.linspace(0.4, 0.95, 133)
    model = constant_model(tmp_path / "pose.onnx", places, scores)
    backend = open_pose_backend(PoseConfig(backend="rtmlib", pose_model=model, hands=True))
    assert isinstance(backend, RtmlibWholeBody)
    # rtmlib fits the whole picture, enlarged by a quarter, into the input: at this shape the factor is the same in
    # both directions.
    picture = np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint8)
    body, face = backend.detect_body(picture, 0.3), backend.detect_face(picture)
    assert body is not None
    assert face is not None
    assert body.hands is not None
    assert face.points is not None

    def expected(joint: int) -> np.ndarray:
        return (places[joint] / (WIDTH, HEIGHT) - 0.5) * 1.25 + 0.5

    j = CANONICAL25.joints.index
    for name, joint in {"nose": 0, "left_wrist": 9, "right_hip": 12, "left_big_toe": 17}.items():
        np.testing.assert_allclose(body.keypoints[j(name)], expected(joint), atol=0.006)
        assert body.confidence[j(name)] == pytest.approx(scores[joint], abs=0.01)
    np.testing.assert_allclose(body.hands[0, 4, :2], expected(91 + 4), atol=0.006)
    np.testing.assert_allclose(body.hands[1, 8, :2], expected(112 + 8), atol=0.006)
    for point, of_68 in enumerate(FACE_68_POINTS):
        np.testing.assert_allclose(face.points[point, :2], expected(23 + of_68), atol=0.006)
    assert face.confidence == pytest.approx(scores[23:91].mean(), abs=0.01)


def test_unsure_shoulders_and_hips_are_nobody(tmp_path: Path) -> None:
    model = constant_model(tmp_path / "pose.onnx", spread_places(), np.full(133, 0.2))
    backend = RtmlibWholeBody(model)
    assert backend.detect_body(np.zeros((64, 48, 3), np.uint8), 0.3) is None
    assert backend.detect_body(np.zeros((64, 48, 3), np.uint8), 0.1) is not None
    assert backend.detect_face(np.zeros((64, 48, 3), np.uint8)) is None


def test_no_model_missing_model_broken_model_and_another_skeleton(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model; get a whole-body pose model with 133 joints"):
        open_pose_backend(PoseConfig(backend="rtmlib"))
    with pytest.raises(UserError, match="no file .*gone.onnx; get"):
        RtmlibWholeBody(tmp_path / "gone.onnx")
    seventeen = constant_model(tmp_path / "body.onnx", spread_places()[:17], np.ones(17))
    with pytest.raises(UserError, match="gives 17 joints, expected 133"):
        RtmlibWholeBody(seventeen)
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"broken.onnx is no usable ONNX model") as caught:
        RtmlibWholeBody(tmp_path / "broken.onnx")
    assert "\n" not in str(caught.value)
