"""Perceptual distance: weighted means of feature differences, taught to the made side alone."""

import pytest
import torch

from temporal_gan.losses.perceptual import READER_WEIGHTS, VGG19_WEIGHTS, feature_distance


def test_it_is_the_weighted_sum_of_each_layers_mean_difference() -> None:
    made = [torch.ones(2, 100), torch.ones(2, 3, 4)]
    real = [torch.zeros(2, 100), torch.stack([torch.full((3, 4), 4.0), torch.ones(3, 4)])]
    assert feature_distance(made, real, (2.0, 0.5)).tolist() == pytest.approx([3.5, 2.0])
    assert feature_distance(real, real, (2.0, 0.5)).tolist() == [0, 0]


def test_only_the_made_side_is_taught() -> None:
    made, real = torch.ones(1, 4, requires_grad=True), torch.zeros(1, 4, requires_grad=True)
    feature_distance([made], [real], (3.0,)).sum().backward()
    torch.testing.assert_close(made.grad, torch.full((1, 4), 0.75))
    assert real.grad is None


def test_every_layer_needs_its_weight() -> None:
    with pytest.raises(ValueError, match="zip"):
        feature_distance([torch.ones(1, 2)] * 2, [torch.ones(1, 2)] * 2, (1.0,))


def test_deeper_layers_of_vgg19_weigh_more() -> None:
    assert VGG19_WEIGHTS == (0.03125, 0.0625, 0.125, 0.25, 1.0)
    assert len(READER_WEIGHTS) == 2
