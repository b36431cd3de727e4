"""Warping: integer shifts are exact, and the sign of the flow is the one of the contract."""

import math

import pytest
import torch

from temporal_gan.warping import in_bounds, limb_warp, warp_backward, warp_clip


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


BONES = ((0, 1), (1, 2))


def blob_picture(points: torch.Tensor, size: int = 64) -> torch.Tensor:
    """A soft spot of another colour on each joint [J, 2]: [3, S, S] in [-1, 1] on black."""
    centre = (torch.arange(size) + 0.5) / size
    distance = (centre - points[:, 0, None, None]) ** 2 + (centre[:, None] - points[:, 1, None, None]) ** 2
    return torch.exp(-distance / (2 * 0.03**2)) * 2 - 1


def carry(
    picture: torch.Tensor, source: torch.Tensor, target: torch.Tensor, seen: torch.Tensor | None = None
) -> torch.Tensor:
    """limb_warp of one reference to one frame."""
    here = torch.ones(1, 1, 3) if seen is None else seen[None, None]
    return limb_warp(picture[None, None], source[None, None], here, target[None, None], here, BONES)[0, 0, 0]


ELBOW = torch.tensor([[0.3, 0.5], [0.5, 0.5], [0.5, 0.7]])


def test_limb_warp_to_the_same_pose_changes_nothing() -> None:
    picture = blob_picture(ELBOW)
    torch.testing.assert_close(carry(picture, ELBOW, ELBOW), picture, rtol=0, atol=1e-4)


def test_limb_warp_moves_and_turns_a_picture_with_its_pose() -> None:
    cos, sin = math.cos(0.4), math.sin(0.4)
    turned = (ELBOW - 0.5) @ torch.tensor([[cos, sin], [-sin, cos]]) + 0.5 + torch.tensor([0.05, -0.03])
    warped = carry(blob_picture(ELBOW), ELBOW, turned)
    # The spots are round, so a rigid motion takes them to those of the turned pose.  Bilinear sampling lowers a peak
    # 2 pixels wide by up to 0.09.
    torch.testing.assert_close(warped, blob_picture(turned), rtol=0, atol=0.12)


def test_limb_warp_bends_each_limb_on_its_own() -> None:
    bent = ELBOW.clone()
    bent[2] = torch.tensor([0.68, 0.58])
    warped, wanted = carry(blob_picture(ELBOW), ELBOW, bent), blob_picture(bent)
    for j, (x, y) in enumerate((bent * 64).long().tolist()):
        assert warped[j, y, x] > 0.8, j
        assert wanted[j, y, x] > 0.8, j


def test_a_limb_that_points_the_other_way_has_little_say() -> None:
    """A spot as near to it as to the limb that did not turn stays; the mean of both would take it to their joint."""
    turned = ELBOW.clone()
    turned[2] = torch.tensor([0.5, 0.3])
    spot = torch.tensor([[0.4, 0.4]])
    warped = carry(blob_picture(spot), ELBOW, turned)
    y, x = divmod(int(warped[0].argmax()), 64)
    assert abs(x - 0.4 * 64) < 2
    assert abs(y - 0.4 * 64) < 2
    assert float(warped.max()) > 0.5


def test_limb_warp_does_without_a_missing_joint_whatever_its_coordinates() -> None:
    seen = torch.tensor([1.0, 1.0, 0.0])
    moved = ELBOW + 0.1
    results = []
    for junk in (0.0, 0.9, math.nan, math.inf):
        source, target = ELBOW.clone(), moved.clone()
        source[2], target[2] = junk, junk
        results.append(carry(blob_picture(ELBOW), source, target, seen))
    for other in results[1:]:
        assert torch.equal(other, results[0])
    at = (moved[0] * 64).long()
    assert results[0][0, at[1], at[0]] > 0.8


def test_limb_warp_without_any_limb_gives_the_reference_itself() -> None:
    picture = blob_picture(ELBOW)
    assert torch.equal(carry(picture, ELBOW, ELBOW + 0.2, torch.zeros(3)), picture)
