"""Consistency with the command: 0 as commanded, the closed form elsewhere, only what is known and visible."""

import math

import pytest
import torch

from temporal_gan.losses.consistency import expression_consistency, pose_consistency

SIDE, SIGMA = 32, 0.7


def gaussian_heat(points: torch.Tensor, sigma: float = SIGMA) -> torch.Tensor:
    """[B, T, J, 2] -> log of a Gaussian around each [B, T, J, 32, 32], but for a constant."""
    cell = torch.arange(SIDE) + 0.5
    away = (cell - SIDE * points[..., None]).square() / (2 * sigma**2)
    return -(away[..., 1, :, None] + away[..., 0, None, :])


def poses(clips: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    return 0.2 + 0.6 * torch.rand(clips, 3, 5, 2), torch.ones(clips, 3, 5, dtype=torch.bool)


def test_the_commanded_pose_costs_nothing() -> None:
    points, counted = poses()
    loss = pose_consistency(gaussian_heat(points) + 7.0, points, counted)
    assert loss.shape == (2,)
    assert float(loss.abs().max()) < 1e-5


def test_a_joint_elsewhere_costs_its_squared_distance_over_twice_the_variance() -> None:
    """KL of two Gaussians of one width."""
    points, counted = poses()
    cells = torch.tensor([2.0, -1.0])
    loss = pose_consistency(gaussian_heat(points + cells / SIDE), points, counted)
    # Nothing but the grid makes a difference.
    torch.testing.assert_close(loss, torch.full((2,), 5.0 / (2 * SIGMA**2)), rtol=1e-3, atol=0)


def test_no_idea_costs_the_gaussians_information() -> None:
    points, counted = poses()
    loss = pose_consistency(torch.zeros(2, 3, 5, SIDE, SIDE), points, counted)
    entropy = math.log(2 * math.pi * math.e * SIGMA**2)
    assert loss.tolist() == pytest.approx([2 * math.log(SIDE) - entropy] * 2, abs=2e-3)


def test_x_is_not_y() -> None:
    points = torch.tensor([[[[0.3, 0.7]]]])
    counted = torch.ones(1, 1, 1, dtype=torch.bool)
    assert float(pose_consistency(gaussian_heat(points.flip(-1)), points, counted)) > 100


def test_joints_that_do_not_count_change_nothing_and_clips_do_not_mix() -> None:
    points, counted = poses()
    heat = gaussian_heat(points)
    heat[0, 1, 2] = torch.randn(SIDE, SIDE)
    assert float(pose_consistency(heat, points, counted)[0]) > 0.1
    assert float(pose_consistency(heat, points, counted)[1]) < 1e-5
    counted[0, 1, 2] = False
    assert float(pose_consistency(heat, points, counted).abs().max()) < 1e-5
    assert pose_consistency(heat, points, torch.zeros_like(counted)).tolist() == [0, 0]


def test_a_far_joint_is_pulled_to_its_place() -> None:
    points = torch.tensor([[[[0.25, 0.25]]]])
    heat = gaussian_heat(torch.tensor([[[[0.9, 0.9]]]])).requires_grad_()
    pose_consistency(heat, points, torch.ones(1, 1, 1, dtype=torch.bool)).sum().backward()
    assert heat.grad is not None
    assert float(heat.grad[0, 0, 0, 8, 8]) < -0.1  # hotter here
    assert float(heat.grad[0, 0, 0, 28, 28]) > 0.1  # colder there


# Expression: two classes and one control


def faces(**changes: torch.Tensor) -> dict[str, torch.Tensor]:
    values = {
        "classes": torch.tensor([0.25, 0.75]).log().expand(1, 2, 2),
        "controls": torch.zeros(1, 2, 1),
        "expression": torch.tensor([0.25, 0.75, 0.5]).expand(1, 2, 3),
        "known": torch.ones(1, 2, 3, dtype=torch.bool),
        "faces": torch.ones(1, 2, dtype=torch.bool),
    }
    return values | changes


def test_the_commanded_expression_costs_nothing() -> None:
    assert float(expression_consistency(**faces()).abs()) < 1e-6


def test_a_pure_class_costs_its_surprise() -> None:
    happy = torch.tensor([0.0, 1.0, 0.5]).expand(1, 2, 3)
    loss = expression_consistency(**faces(expression=happy))
    assert float(loss) == pytest.approx(-math.log(0.75), abs=1e-5)


def test_a_control_costs_its_divergence() -> None:
    value, read = 0.5, 0.8
    logit = torch.full((1, 2, 1), math.log(read / (1 - read)))
    wanted = value * math.log(value / read) + (1 - value) * math.log((1 - value) / (1 - read))
    assert float(expression_consistency(**faces(controls=logit))) == pytest.approx(wanted, abs=1e-5)


def test_what_is_not_labelled_is_not_asked_for() -> None:
    off = torch.full((1, 2, 1), 5.0)
    known = torch.tensor([True, True, False]).expand(1, 2, 3)
    assert float(expression_consistency(**faces(controls=off)).abs()) > 1
    assert float(expression_consistency(**faces(controls=off, known=known)).abs()) < 1e-6
    # A class that nobody labelled is left out of what was read, too.
    three = torch.tensor([0.1, 0.3, 0.6]).log().expand(1, 2, 3)
    wanted = torch.tensor([0.25, 0.75, 0.9, 0.5]).expand(1, 2, 4)
    known = torch.tensor([True, True, False, True]).expand(1, 2, 4)
    assert float(expression_consistency(**faces(classes=three, expression=wanted, known=known)).abs()) < 1e-6


def test_frames_without_a_face_are_not_judged() -> None:
    wrong = torch.stack([torch.tensor([0.25, 0.75]).log(), torch.tensor([9.0, -9.0])])[None]
    half = torch.tensor([[True, False]])
    assert float(expression_consistency(**faces(classes=wrong))) > 1
    assert float(expression_consistency(**faces(classes=wrong, faces=half)).abs()) < 1e-6
    assert float(expression_consistency(**faces(classes=wrong, faces=~half & half))) == 0


def test_a_wrong_face_is_pulled_to_the_right_one() -> None:
    classes = torch.zeros(1, 2, 2, requires_grad=True)
    expression_consistency(**faces(classes=classes)).sum().backward()
    assert classes.grad is not None
    torch.testing.assert_close(classes.grad[0, 0], torch.tensor([0.125, -0.125]), rtol=1e-4, atol=0)
