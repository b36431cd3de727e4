"""Progressive growing: what each step sees is block means, faded by the schedule."""

import numpy as np
import pytest
import torch

from temporal_gan.losses.growing import GrowingStage, grown

STAGES = (GrowingStage(size=4, until_step=10), GrowingStage(size=8, until_step=30))


def clips() -> torch.Tensor:
    return torch.rand(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


def blocks(video: torch.Tensor, size: int) -> torch.Tensor:
    """Every square replaced by its mean, worked out square by square."""
    seen, side = video.numpy().copy(), video.shape[-1] // size
    for y in range(0, video.shape[-1], side):
        for x in range(0, video.shape[-1], side):
            square = seen[..., y : y + side, x : x + side]
            square[:] = square.mean(axis=(-2, -1), keepdims=True)
    return torch.from_numpy(np.ascontiguousarray(seen))


@pytest.mark.parametrize(
    ("step", "coarse", "finer", "share"),
    [
        (0, 4, 8, 0.0), (5, 4, 8, 0.0), (6, 4, 8, 0.2), (9, 4, 8, 0.8),
        (10, 8, 16, 0.0), (20, 8, 16, 0.0), (25, 8, 16, 0.5), (29, 8, 16, 0.9), (30, 16, 16, 0.0),
    ],
)  # fmt: skip
def test_a_stage_shows_its_size_and_fades_into_the_next_over_its_second_half(
    step: int, coarse: int, finer: int, share: float
) -> None:
    video = clips()
    wanted = (1 - share) * blocks(video, coarse) + share * blocks(video, finer)
    torch.testing.assert_close(grown(video, STAGES, step), wanted, rtol=0, atol=1e-6)


def test_without_stages_and_after_the_last_it_is_the_same_tensor() -> None:
    video = clips()
    assert grown(video, (), 0) is video
    assert grown(video, STAGES, 30) is video
    assert grown(video, STAGES, 10**6) is video


def test_details_get_no_slope_and_a_square_gets_it_evenly() -> None:
    video = clips().requires_grad_()
    grown(video, STAGES, 0)[0, 0, 0, :4, :4].sum().backward()
    slope = torch.zeros_like(video)
    slope[0, 0, 0, :4, :4] = 1
    assert video.grad is not None
    torch.testing.assert_close(video.grad, slope)
