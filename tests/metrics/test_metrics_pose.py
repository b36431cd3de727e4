"""PCK by hand, at the exact threshold, and with joints that were not found."""

import math

import pytest
import torch

from temporal_gan.metrics import pose


def four_joints() -> tuple[torch.Tensor, torch.Tensor]:
    """Corners of a box 20 wide and 40 high: [1, 1, 4, 2]."""
    corners = torch.tensor([[0.0, 0.0], [20.0, 0.0], [0.0, 40.0], [20.0, 40.0]])
    return corners.view(1, 1, 4, 2), torch.ones(1, 1, 4)


def test_box_side_is_the_longer_one_of_the_known_joints() -> None:
    points, confidence = four_joints()
    assert float(pose.keypoint_box_side(points, confidence)) == 40
    confidence[..., 2:] = 0
    assert float(pose.keypoint_box_side(points, confidence)) == 20
    confidence[..., 1:] = 0
    assert float(pose.keypoint_box_side(points, confidence)) == 0
    assert float(pose.keypoint_box_side(points, confidence * 0)) == 0


def test_pck_is_strict_at_the_threshold() -> None:
    points, confidence = four_joints()
    side = pose.keypoint_box_side(points, confidence)
    predicted = points.clone()
    predicted[0, 0, 0, 0] += 3.999
    predicted[0, 0, 1, 0] += 4.0  # exactly 0.1 of 40: wrong
    predicted[0, 0, 2] += torch.tensor([3.0, 3.0])  # 4.24: wrong, though each axis alone is near
    assert float(pose.pck(predicted, points, confidence, side, 0.1)) == 0.5
    assert float(pose.pck(predicted, points, confidence, side, 0.05)) == 0.25
    assert float(pose.pck(points, points, confidence, side, 0.1)) == 1


def test_pck_counts_missing_predictions_as_wrong_and_skips_missing_targets() -> None:
    points, confidence = four_joints()
    side = pose.keypoint_box_side(points, confidence)
    predicted = points.clone()
    predicted[0, 0, 0] = math.nan
    assert float(pose.pck(predicted, points, confidence, side)) == 0.75
    confidence[0, 0, 1] = 0
    assert float(pose.pck(predicted, points, confidence, side)) == pytest.approx(2 / 3)
    assert math.isnan(float(pose.pck(predicted, points, confidence * 0, side)))


def test_pck_does_not_depend_on_the_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(3, 4, 5, 2, generator=generator) * 50
    predicted = target + torch.randn(3, 4, 5, 2, generator=generator) * 4
    confidence = (torch.rand(3, 4, 5, generator=generator) > 0.2).float()
    side = pose.keypoint_box_side(target, confidence)
    whole = pose.pck(predicted, target, confidence, side)
    parts = [
        pose.pck(predicted[i : i + 1], target[i : i + 1], confidence[i : i + 1], side[i : i + 1])
        for i in range(3)
    ]
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=0)
    assert bool(((whole > 0) & (whole < 1)).all())


def test_pck_refuses_shapes_that_disagree() -> None:
    points, confidence = four_joints()
    side = pose.keypoint_box_side(points, confidence)
    with pytest.raises(ValueError, match="pck"):
        pose.pck(points[:, :, :2], points, confidence, side)
    with pytest.raises(ValueError, match="box_side"):
        pose.pck(points, points, confidence, side[0])


def test_keypoint_distance_by_hand_is_half_the_l1_norm() -> None:
    target = torch.zeros(1, 1, 4, 2)
    predicted = torch.tensor([[[[3.0, 4.0], [-1.0, 0.0], [math.nan, 0.0], [100.0, 100.0]]]])
    confidence = torch.tensor([[[1.0, 0.5, 1.0, 0.0]]])
    distance, missing = pose.keypoint_distance(predicted, target, confidence)
    # (3 + 4) / 2 and (1 + 0) / 2; the Euclidean mean would be 3.
    assert float(distance) == pytest.approx(2.0)
    assert float(missing) == pytest.approx(1 / 3)


def test_dropping_the_hard_joint_improves_the_distance_and_shows_in_the_missing_rate() -> None:
    target = torch.zeros(1, 2, 3, 2)
    predicted = target + 1
    predicted[:, :, 2] = 30
    honest, none_missing = pose.keypoint_distance(predicted, target, torch.ones(1, 2, 3))
    predicted[:, :, 2] = math.nan
    dropped, missing = pose.keypoint_distance(predicted, target, torch.ones(1, 2, 3))
    assert float(dropped) == 1 < float(honest)
    assert (float(none_missing), float(missing)) == pytest.approx((0, 1 / 3))


def test_keypoint_distance_is_undefined_without_joints() -> None:
    zeros = torch.zeros(2, 1, 1, 2)
    gone = torch.full_like(zeros, math.nan)
    distance, missing = pose.keypoint_distance(gone, zeros, torch.tensor([[[1.0]], [[0.0]]]))
    assert distance.isnan().all()
    assert float(missing[0]) == 1
    assert math.isnan(float(missing[1]))
    with pytest.raises(ValueError, match="keypoint_distance"):
        pose.keypoint_distance(zeros, zeros, torch.zeros(2, 1))
