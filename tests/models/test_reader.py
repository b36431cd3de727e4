"""The reader's decoding is exact where exactness is possible, whatever its weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from temporal_gan.errors import CheckpointError, UserError
from temporal_gan.models.reader import (
    FACE_REACH,
    HEAT_SIDE,
    LEFT_EYE,
    NECK,
    NOSE,
    RIGHT_EYE,
    Reader,
    ReaderConfig,
    crop_faces,
    locate,
    read_video,
)
from temporal_gan.models.reader_file import find_reader, load_reader, reader_sha256, save_reader

TINY = ReaderConfig(width=8, features=8, identity=8)


def tiny_reader(seed: int = 0) -> Reader:
    torch.manual_seed(seed)
    return Reader(TINY).eval().requires_grad_(False)


def gaussian_heat(points: torch.Tensor, sigma: float = 0.7) -> torch.Tensor:
    """[N, J, 2] in [0, 1] -> log of a Gaussian around each, in cells."""
    cell = torch.arange(HEAT_SIDE) + 0.5
    away = (cell - HEAT_SIDE * points[..., None]).square() / (2 * sigma**2)
    return -(away[..., 1, :, None] + away[..., 0, None, :])


def test_a_joint_is_found_far_finer_than_a_cell() -> None:
    points = 0.1 + 0.8 * torch.rand(3, 25, 2)
    found = locate(gaussian_heat(points))
    # A cell is 0.031 wide; the window of five cells cuts 0.02 % of such a Gaussian off.
    assert float((found - points).abs().max()) < 5e-4


def test_a_second_weaker_peak_does_not_pull_the_joint_towards_it() -> None:
    points, other = torch.tensor([[[0.3, 0.3]]]), torch.tensor([[[0.8, 0.7]]])
    both = torch.logaddexp(gaussian_heat(points), gaussian_heat(other) - 1.0)
    assert float((locate(both) - points).abs().max()) < 1e-3


def test_where_a_joint_is_can_be_learned_through_its_place() -> None:
    heat = gaussian_heat(torch.tensor([[[0.5, 0.5]]])).requires_grad_(True)
    locate(heat)[..., 0].sum().backward()
    slope = heat.grad[0, 0].sum(dim=0)
    assert slope[HEAT_SIDE // 2 + 1] > 0 > slope[HEAT_SIDE // 2 - 2]


def test_the_face_crop_shows_what_lies_around_the_face() -> None:
    # A picture whose red is x and whose green is y, so that a crop tells where it was taken.
    steps = (torch.arange(160) + 0.5) / 160
    frame = torch.stack([steps.expand(160, -1), steps[:, None].expand(-1, 160), torch.zeros(160, 160)])[None]
    points, seen = torch.full((1, 25, 2), 0.9), torch.zeros(1, 25)
    for joint, at in (
        (NOSE, (0.5, 0.41)), (RIGHT_EYE, (0.45, 0.38)), (LEFT_EYE, (0.55, 0.38)), (NECK, (0.5, 0.55)),
    ):  # fmt: skip
        points[0, joint], seen[0, joint] = torch.tensor(at), 1.0
    crop = crop_faces(frame, points, seen)
    reach = FACE_REACH * 0.16
    assert float(crop[0, 0, 32, 31:33].mean()) == pytest.approx(0.5, abs=1e-3)
    assert float(crop[0, 1, 31:33, 32].mean()) == pytest.approx(0.39, abs=1e-3)
    assert float(crop[0, 0, 5, -1] - crop[0, 0, 5, 0]) == pytest.approx(2 * reach * 63 / 64, abs=1e-3)


def test_without_a_neck_the_eyes_tell_how_large_the_face_is() -> None:
    points, seen = torch.full((1, 25, 2), 0.5), torch.ones(1, 25)
    points[0, RIGHT_EYE], points[0, LEFT_EYE], points[0, NECK] = (
        torch.tensor(at) for at in ((0.4, 0.5), (0.6, 0.5), (0.5, 0.95))
    )
    seen[0, NECK] = 0.0
    frame = ((torch.arange(100) + 0.5) / 100).expand(1, 3, 100, -1)
    width = crop_faces(frame, points, seen)[0, 0, 0, [0, -1]].diff()
    assert float(width) == pytest.approx(2 * FACE_REACH * 0.2 * 63 / 64, abs=1e-3)


def test_a_reading_has_the_promised_shapes_and_ranges() -> None:
    reading = tiny_reader()(torch.rand(3, 3, 96, 96))
    assert reading.keypoints.shape == (3, 25, 2)
    assert reading.expression.shape == (3, 14)
    assert torch.allclose(reading.expression[:, :8].sum(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(reading.identity.norm(dim=1), torch.ones(3), atol=1e-5)
    for values in (reading.keypoints, reading.confidence, reading.expression, reading.face):
        assert 0 <= float(values.min()) <= float(values.max()) <= 1


def test_each_picture_is_read_by_itself_however_many_come_at_once() -> None:
    reader, video = tiny_reader(), torch.rand(40, 3, 64, 64)
    whole = read_video(reader, video)
    for at in (0, 33, 39):
        alone = read_video(reader, video[at : at + 1])
        assert torch.allclose(alone.keypoints[0], whole.keypoints[at], atol=1e-5)
        assert torch.allclose(alone.features[0], whole.features[at], atol=1e-4)


def test_a_wide_clip_is_read_as_its_square_on_a_white_page() -> None:
    reader, video = tiny_reader(), torch.rand(2, 3, 48, 80)
    square = torch.ones(2, 3, 80, 80)
    square[:, :, 16:64] = video
    wide, laid = read_video(reader, video), read_video(reader, square)
    assert torch.equal(wide.expression, laid.expression)
    assert torch.allclose(wide.keypoints[..., 0], laid.keypoints[..., 0])
    assert torch.allclose(wide.keypoints[..., 1] * 48 + 16, laid.keypoints[..., 1] * 80, atol=1e-4)


def test_the_expression_is_read_from_the_face_alone() -> None:
    reader = tiny_reader()
    frames, points, seen = torch.rand(2, 3, 128, 128), torch.full((2, 25, 2), 0.5), torch.ones(2, 25)
    points[:, NECK, 1], points[:, RIGHT_EYE, 0], points[:, LEFT_EYE, 0] = 0.6, 0.47, 0.53
    changed = frames.clone()
    changed[:, :, 100:] = torch.rand(2, 3, 28, 128)
    before, after = (reader.read_face(f, points, seen, reader.read_pose(f)) for f in (frames, changed))
    assert torch.equal(before.classes, after.classes)
    assert torch.equal(before.controls, after.controls)
    assert not torch.equal(before.features, after.features)


def test_early_features_are_those_that_the_pose_is_read_from_and_can_be_learned_through() -> None:
    reader, seen = tiny_reader(), []
    hooks = [
        part.register_forward_hook(lambda *a: seen.append(a[2])) for part in (reader.stem, reader.middle)
    ]
    frames = torch.rand(2, 3, 64, 64, requires_grad=True)
    reader.read_pose(frames)
    for hook in hooks:
        hook.remove()
    features = reader.early_features(frames)
    assert [tuple(f.shape) for f in features] == [(2, 8, 32, 32), (2, 16, 16, 16)]
    assert all(torch.equal(a, b) for a, b in zip(features, seen, strict=True))
    features[1].sum().backward()
    assert frames.grad is not None
    assert float(frames.grad.abs().sum()) > 0


def test_a_reader_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    reader = tiny_reader()
    save_reader(path, reader, {"steps": 3})
    video = torch.rand(2, 3, 64, 64)
    # Weights are kept in float16: three digits.
    assert torch.allclose(
        read_video(load_reader(path), video).confidence, read_video(reader, video).confidence, atol=5e-3
    )
    assert len(reader_sha256(path)) == 64


def test_what_is_no_reader_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither a file, nor a run"):
        find_reader("metric")
    other = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(1)}, other, {"temporal_gan": '{"format": 1, "kind": "cat"}'})
    with pytest.raises(UserError, match="holds no reader"):
        load_reader(other)
    pickled = tmp_path / "pickle.safetensors"
    torch.save({"x": torch.zeros(1)}, pickled)
    with pytest.raises(CheckpointError, match="pickles are never loaded"):
        load_reader(pickled)
