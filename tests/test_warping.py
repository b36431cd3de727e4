"""Warping: integer shifts are exact, and the sign of the flow is the one of the contract."""

import pytest
import torch

from temporal_gan.warping import in_bounds, warp_backward, warp_clip


def constant_flow(dx: float, dy: float, n: int, height: int, width: int) -> torch.Tensor:
    return torch.tensor([dx, dy]).view(1, 2, 1, 1).repeat(n, 1, height, width)


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (1, 0), (0, 1), (-3, 2), (7, -5)])
def test_warp_moves_whole_pixels_exactly_and_repeats_the_border(dx: int, dy: int) -> None:
    image = torch.rand(2, 3, 37, 53, generator=torch.Generator().manual_seed(0))
    warped = warp_backward(image, constant_flow(dx, dy, 2, 37, 53))
    rows = (torch.arange(37) + dy).clamp(0, 36)
    columns = (torch.arange(53) + dx).clamp(0, 52)
    # 1e-5: grid_sample takes positions in [-1, 1], which costs a few float32 roundings.
    torch.testing.assert_close(warped, image[:, :, rows][:, :, :, columns], rtol=0, atol=1e-5)


def test_warp_by_half_a_pixel_is_the_mean_of_two() -> None:
    image = torch.rand(1, 1, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    warped = warp_backward(image, constant_flow(0.5, 0, 1, 4, 6).double())
    expected = (image[..., :-1] + image[..., 1:]) / 2
    torch.testing.assert_close(warped[..., :-1], expected, rtol=0, atol=1e-12)


def test_warp_clip_brings_the_next_frame_back_onto_this_one() -> None:
    """A picture that moves right by 2 has flow (+2, 0) on frame t's grid."""
    picture = torch.rand(1, 3, 16, 40, generator=torch.Generator().manual_seed(2))
    video = torch.stack([picture.roll(2 * t, dims=-1) for t in range(3)], dim=1)
    warped = warp_clip(video, constant_flow(2, 0, 2, 16, 40)[None])
    torch.testing.assert_close(warped[..., :-2], video[:, :-1, ..., :-2], rtol=0, atol=1e-5)


def test_warp_is_differentiable_in_image_and_flow() -> None:
    generator = torch.Generator().manual_seed(3)
    image = torch.rand(1, 2, 4, 5, dtype=torch.float64, generator=generator, requires_grad=True)
    # Between pixels: at whole pixels the bilinear kernel has a corner and no derivative.
    flow = 0.3 + 0.2 * torch.rand(1, 2, 4, 5, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(warp_backward, (image, flow.requires_grad_()))


def test_warp_of_bfloat16_keeps_positions_exact_in_wide_pictures() -> None:
    image = torch.arange(600.0).remainder(7).expand(1, 1, 2, 600).to(torch.bfloat16)
    warped = warp_backward(image, constant_flow(1, 0, 1, 2, 600).to(torch.bfloat16))
    assert warped.dtype == torch.bfloat16
    # A column off by one would differ by 1 or 6; float32 rounding of the position costs 2e-4.
    torch.testing.assert_close(warped[..., :-1], image[..., 1:], rtol=0, atol=1e-2)


def test_in_bounds_is_false_where_the_flow_leaves_the_picture() -> None:
    inside = in_bounds(constant_flow(2, -1, 1, 4, 6))
    assert inside.shape == (1, 1, 4, 6)
    expected = torch.ones(4, 6, dtype=torch.bool)
    expected[:, 4:] = False
    expected[0] = False
    assert torch.equal(inside[0, 0], expected)


def test_warp_refuses_shapes_that_disagree() -> None:
    with pytest.raises(ValueError, match=r"flow is \(1, 2, 4, 5\)"):
        warp_backward(torch.zeros(1, 3, 4, 4), torch.zeros(1, 2, 4, 5))
    with pytest.raises(ValueError, match="T >= 2"):
        warp_clip(torch.zeros(1, 1, 3, 4, 4), torch.zeros(1, 0, 2, 4, 4))
    with pytest.raises(ValueError, match="expected"):
        warp_clip(torch.zeros(1, 3, 3, 4, 4), torch.zeros(1, 3, 2, 4, 4))
