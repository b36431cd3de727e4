"""Distance of samples: by hand, over the character alone."""

import pytest
import torch

from temporal_gan.errors import UserError
from temporal_gan.metrics.diversity import sample_distance


def test_the_mean_over_pairs_inside_the_mask() -> None:
    samples = torch.zeros(3, 2, 2, 3, 4, 4)
    samples[1, 0] = 0.5
    samples[2, 0, :, 0] = 0.2
    samples[:, :, :, :, 2:] = torch.rand(3, 2, 2, 3, 2, 4)
    mask = torch.zeros(2, 2, 1, 4, 4, dtype=torch.bool)
    mask[..., :2, :] = True
    # Pairs: 0.5; 0.2 in one channel of three; 0.3 in one and 0.5 in two.
    wanted = torch.tensor([(0.5 + 0.2 / 3 + (0.3 + 0.5 + 0.5) / 3) / 3, 0.0], dtype=torch.float64)
    torch.testing.assert_close(sample_distance(samples, mask), wanted, rtol=0, atol=1e-6)


def test_the_order_of_samples_means_nothing_and_equal_ones_have_none() -> None:
    samples, mask = torch.rand(4, 1, 2, 3, 8, 8), torch.rand(1, 2, 1, 8, 8) > 0.5
    value = sample_distance(samples, mask)
    torch.testing.assert_close(sample_distance(samples.flip(0), mask), value)
    assert float(value) == pytest.approx(1 / 3, abs=0.03)  # of two uniform numbers
    assert float(sample_distance(samples[:1].repeat(4, 1, 1, 1, 1, 1), mask)) == 0


def test_nowhere_is_undefined_and_one_sample_is_refused() -> None:
    samples = torch.rand(2, 1, 1, 3, 4, 4)
    assert torch.isnan(sample_distance(samples, torch.zeros(1, 1, 1, 4, 4, dtype=torch.bool))).all()
    with pytest.raises(UserError, match=r"N of 2 or more"):
        sample_distance(samples[:1], torch.ones(1, 1, 1, 4, 4, dtype=torch.bool))
    with pytest.raises(UserError, match=r"mask \(1, 1, 4, 4\)"):
        sample_distance(samples, torch.ones(1, 1, 4, 4, dtype=torch.bool))
