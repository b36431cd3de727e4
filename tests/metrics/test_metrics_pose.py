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
