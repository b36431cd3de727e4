"""L1 and feature matching: means per clip, and the real side is a constant."""

import pytest
import torch

from temporal_gan.losses.reconstruction import (
    absolute_difference,
    feature_matching,
    l1,
    l1_inside,
    temporal_difference,
)


def test_l1_is_the_mean_absolute_difference_per_clip() -> None:
    real = torch.randn(3, 2, 4, 5, 5)
    assert l1(real, real).tolist() == [0, 0, 0]
    offset = torch.tensor([0.5, -0.25, 2.0])
    torch.testing.assert_close(l1(real + offset.view(3, 1, 1, 1, 1), real), offset.abs(), rtol=0, atol=1e-6)
    half = torch.zeros(1, 2, 8)
    half[:, 0] = 3
    assert l1(half, torch.zeros_like(half)).item() == pytest.approx(1.5)


def test_l1_of_bfloat16_is_computed_in_float32() -> None:
    made, real = torch.full((1, 4096), 1.0).bfloat16(), torch.zeros(1, 4096).bfloat16()
    assert l1(made, real).dtype == torch.float32
    assert l1(made, real).item() == 1


def test_feature_matching_averages_layers_whatever_their_size() -> None:
    made = [torch.ones(2, 100), torch.ones(2, 3, 4)]
    real = [torch.zeros(2, 100), torch.full((2, 3, 4), 4.0)]
    assert feature_matching(made, real).tolist() == pytest.approx([2.0, 2.0])  # (1 + 3) / 2


def test_feature_matching_teaches_only_the_made_side() -> None:
    made, real = torch.ones(2, 6, requires_grad=True), torch.zeros(2, 6, requires_grad=True)
    feature_matching([made], [real]).sum().backward()
    assert made.grad is not None
    assert float(made.grad.min()) > 0
    assert real.grad is None


def test_feature_matching_refuses_lists_of_different_length() -> None:
    with pytest.raises(ValueError, match="zip"):
        feature_matching([torch.ones(1, 2)], [torch.ones(1, 2)] * 2)


def test_a_smooth_difference_is_quadratic_below_its_width_and_straight_above() -> None:
    d = torch.tensor([0.0, 0.05, 0.1, 0.3, -0.3], dtype=torch.float64, requires_grad=True)
    value = absolute_difference(d, torch.zeros_like(d), smooth=0.1)
    torch.testing.assert_close(value, torch.tensor([0, 0.0125, 0.05, 0.25, 0.25], dtype=torch.float64))
    value.sum().backward()
    torch.testing.assert_close(d.grad, torch.tensor([0, 0.5, 1, 1, -1], dtype=torch.float64))


def test_rounding_has_next_to_no_slope_in_a_smooth_difference() -> None:
    """The plain one has a slope of one there, its sign a matter of chance."""
    made = torch.full((1, 8), 1 + 1e-7, requires_grad=True)
    l1(made, torch.ones(1, 8), smooth=2 / 255).sum().backward()
    assert made.grad is not None
    assert float(made.grad.abs().max()) < 1e-5


def test_float64_stays_float64() -> None:
    assert l1(torch.ones(1, 2).double(), torch.zeros(1, 2).double()).dtype == torch.float64


def test_l1_inside_is_the_mean_over_the_masks_pixels_alone() -> None:
    made, real = torch.zeros(2, 2, 3, 4, 4), torch.zeros(2, 2, 3, 4, 4)
    mask = torch.zeros(2, 2, 1, 4, 4, dtype=torch.bool)
    mask[0, 0, :, :2] = True  # 8 of 32 pixels
    made[0, 0, :, :1] = 1.0  # half of them, all channels
    made[0, 1] = 5.0  # outside
    assert l1_inside(made, real, mask).tolist() == pytest.approx([0.5, 0.0])
    everywhere = torch.ones_like(mask)
    torch.testing.assert_close(l1_inside(made, real, everywhere, 0.1), l1(made, real, 0.1))


def test_temporal_difference_forgives_a_constant_error_and_counts_a_flickering_one_twice() -> None:
    real = torch.randn(1, 4, 3, 5, 5)
    assert float(temporal_difference(real + 0.3, real)) < 1e-6
    flicker = 0.25 * torch.tensor([1.0, -1.0, 1.0, -1.0]).view(1, 4, 1, 1, 1)
    assert float(temporal_difference(real + flicker, real)) == pytest.approx(0.5, abs=1e-6)
    frozen = real[:, :1].expand_as(real)
    assert float(temporal_difference(frozen, real)) == pytest.approx(
        float(real.diff(dim=1).abs().mean()), rel=1e-6
    )
    # Backwards is not the same motion.
    assert float(temporal_difference(real.flip(1), real)) > 0.5
