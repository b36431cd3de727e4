"""DIS flow: known shifts are found in the direction of the contract, and no state leaks between sizes."""

import cv2
import numpy as np
import pytest
import torch

from temporal_gan.optical_flow import (
    consistent,
    dis_flow,
    dis_flow_backward,
    dis_flow_between,
    dis_flow_checked,
)
from temporal_gan.warping import warp_backward


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth random colours: uint8 [H, W, 3]."""
    noise = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return (smooth * 255).astype(np.uint8)


def moving(shift: tuple[int, int], frames: int = 3, size: int = 96) -> np.ndarray:
    picture = texture(size, size)
    return np.stack([np.roll(picture, (t * shift[1], t * shift[0]), (0, 1)) for t in range(frames)])


@pytest.mark.parametrize("shift", [(3, 0), (0, -2), (-4, 3)])
def test_dis_finds_a_known_shift_on_the_first_frames_grid(shift: tuple[int, int]) -> None:
    flow = dis_flow(moving(shift))
    assert flow.shape == (2, 2, 96, 96)
    assert flow.dtype == np.float32
    inner = flow[:, :, 16:-16, 16:-16]
    # DIS reaches a quarter of a pixel at this size; the wrong sign would be 4 px and more off.
    assert np.abs(np.median(inner, axis=(0, 2, 3)) - shift).max() < 0.25


def test_dis_backward_flow_lives_on_the_later_frame() -> None:
    back = dis_flow_backward(moving((3, 0)))
    assert np.abs(np.median(back[:, :, 16:-16, 16:-16], axis=(0, 2, 3)) - (-3, 0)).max() < 0.25


def test_dis_flow_warps_the_second_picture_onto_the_first() -> None:
    a, b = moving((3, -2))[:2]
    first, second = (torch.from_numpy(x).permute(2, 0, 1)[None].float() / 255 for x in (a, b))
    warped = warp_backward(second, torch.from_numpy(dis_flow_between(a, b))[None])
    inner = (slice(None), slice(None), slice(16, -16), slice(16, -16))
    before = (second - first)[inner].square().mean()
    after = (warped - first)[inner].square().mean()
    assert after < 0.02 * before


def test_dis_flow_does_not_depend_on_earlier_calls_of_another_size() -> None:
    """One OpenCV object used for 64 px and then for 128 px gave other flows at 128 px."""
    large = moving((3, 1), size=128)
    before = dis_flow(large)
    dis_flow(moving((1, 0), size=64))
    assert np.array_equal(dis_flow(large), before)


def test_dis_flow_takes_grey_and_stacks_like_single_pictures() -> None:
    clip = moving((2, 1))
    grey = np.stack([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in clip])[..., None]
    assert np.array_equal(dis_flow(grey), dis_flow(clip))
    assert np.array_equal(dis_flow_between(clip[:-1], clip[1:]), dis_flow(clip))
    assert np.array_equal(dis_flow_between(clip[0], clip[1]), dis_flow(clip)[0])


def test_dis_flow_refuses_what_opencv_would_misread() -> None:
    with pytest.raises(ValueError, match="uint8"):
        dis_flow(np.zeros((2, 32, 32, 3), np.float32))
    with pytest.raises(ValueError, match="T >= 2"):
        dis_flow(np.zeros((1, 32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match="4 channels"):
        dis_flow(np.zeros((2, 32, 32, 4), np.uint8))
    with pytest.raises(ValueError, match="too small"):
        dis_flow(np.zeros((2, 8, 8, 3), np.uint8))


@pytest.mark.parametrize(("miss", "kept"), [(0.70, True), (0.72, False)])
def test_consistency_threshold_is_half_a_squared_pixel_at_rest(miss: float, kept: bool) -> None:
    """At rest: miss^2 < 0.01 miss^2 + 0.5, so the limit is sqrt(0.5 / 0.99) = 0.7107 px."""
    backward = torch.zeros(1, 2, 8, 8)
    backward[:, 0] = miss
    assert bool(consistent(torch.zeros(1, 2, 8, 8), backward).all()) is kept


def test_consistency_keeps_a_round_trip_and_drops_what_leaves_the_frame() -> None:
    forward = torch.zeros(2, 2, 10, 12)
    forward[:, 0] = 3
    kept = consistent(forward, -forward)
    assert kept.shape == (2, 1, 10, 12)
    assert bool(kept[..., :9].all())
    assert not bool(kept[..., 9:].any())
    assert not bool(consistent(forward, torch.zeros_like(forward)).any())


def test_checked_flow_drops_what_gets_covered() -> None:
    """A bar slides over a fixed background: pixels just ahead of it are hidden in the next frame."""
    frames = np.stack([texture(64, 96, seed=1) for _ in range(2)])
    bar = texture(64, 20, seed=2)
    for t in range(2):
        frames[t, :, 30 + 8 * t : 50 + 8 * t] = bar
    _, valid = dis_flow_checked(frames)
    covered = valid[0, 0, 8:-8, 51:57].float().mean()
    free = valid[0, 0, 8:-8, 70:].float().mean()
    assert covered < 0.35
    assert free > 0.95
